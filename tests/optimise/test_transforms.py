from __future__ import annotations

import pytest
import torch
from torch import Tensor
from torchvision.transforms import functional as VF

from clipnb.optimise.language.config import ExperimentConfig
from clipnb.optimise.language.scope import Randomness, Scope
from clipnb.optimise.language.variables import resolution_values, time_values
from clipnb.optimise.transforms import TRANSFORMS, Transform, apply_transforms
from clipnb.optimise.transforms.geometry import Rotate

EXAMPLES: dict[str, object] = {
    "add": 0.1, "mul": 0.5, "mean": 0.4, "clamp": "0 .5", "saturation": 0.5, "contrast": 2.0, "quantize": 0.25,
    "blur": 5, "edge": 3, "border": "2 1", "pad": {"size": "2 3", "mode": "edge"}, "crop": ".25 .25 .5 .5",
    "center_crop": "12 8", "random_crop": "10 6", "resize": "9 7", "repeat": "2 3", "rotate": 30,
    "random_rotate": {"degree": "-20 20", "center": ".3 .7"}, "random_scale": ".7 1.4",
    "random_translate": ".1 .2", "shift": ".5 3", "random_shift": "-1 1", "noise": 0.1, "bwnoise": 0.1,
    "rnoise": {"std": 0.1, "resolution": 4}, "fnoise": 0.01, "random_perspective": 0.4, "random_erase": ".2 .5",
    "random_flip": 0.7, "color_jitter": ".1 .2 .3", "cutouts": {"count": 3, "size": ".4 .9", "resolution": "11 13"},
}  # fmt: skip
SIZES = {
    "pad": (22, 20), "crop": (8, 8), "center_crop": (8, 12), "random_crop": (6, 10), "resize": (7, 9),
    "repeat": (48, 32), "cutouts": (13, 11),
}  # fmt: skip


def scope_of(views: int, seed: int = 0, epoch: int = 0) -> Scope:
    cpu = torch.device("cpu")
    scope = Scope({**time_values(epoch, 3), **resolution_values((16, 16))}, Randomness(seed, cpu), cpu)
    return scope.extended({"learnrate": 1.0, "learnrate_scale": 1.0}, views=views)


def made(*items: object) -> tuple[Transform, ...]:
    return ExperimentConfig.from_dict({"targets": [{"transforms": list(items)}]}).targets[0].transforms


def applied(views: Tensor, *items: object, seed: int = 0) -> Tensor:
    return apply_transforms(made(*items), views, scope_of(len(views), seed))


@pytest.fixture
def views() -> Tensor:
    return torch.rand(3, 3, 16, 16, generator=torch.Generator().manual_seed(1))


def test_every_transform_has_an_example() -> None:
    assert EXAMPLES.keys() == TRANSFORMS.keys()


@pytest.mark.parametrize("name", sorted(TRANSFORMS))
def test_shape_gradient_seed(name: str, views: Tensor) -> None:
    cls = TRANSFORMS[name]
    given = views.clone().requires_grad_()
    result = applied(given, {name: EXAMPLES[name]}, seed=5)
    copies = 3 if name == "cutouts" else 1
    assert result.shape == (3 * copies, 3, *SIZES.get(name, (16, 16)))
    assert cls.is_resizing == (name in SIZES)
    result.square().sum().backward()
    assert given.grad is not None
    assert given.grad.isfinite().all()
    assert given.grad.abs().sum() > 0
    again = applied(views, {name: EXAMPLES[name]}, seed=5)
    assert torch.equal(again, result.detach())
    same_views = views[:1].expand(3, -1, -1, -1)
    several = applied(same_views, {name: EXAMPLES[name]}, seed=6)
    assert torch.equal(several[0], several[-1]) != cls.is_random


@pytest.mark.parametrize("name", sorted(TRANSFORMS))
def test_summary_and_parameters_are_described(name: str) -> None:
    assert TRANSFORMS[name].summary().endswith(".")
    for parameter in TRANSFORMS[name].own_parameters():
        assert TRANSFORMS[name].model_fields[parameter].description


def test_flips(views: Tensor) -> None:
    mirrored = views.flip(-1)
    assert torch.allclose(applied(views, {"random_flip": 1}), mirrored, atol=1e-5)
    assert torch.allclose(applied(views, {"random_flip": 0}), views, atol=1e-5)
    some = applied(views[:1].expand(40, -1, -1, -1), "random_flip")
    of_them = torch.isclose(some, mirrored[:1], atol=1e-5).all(-1).all(-1).all(-1)
    assert 10 <= int(of_them.sum()) <= 30
    assert torch.allclose(some[~of_them], views[:1].expand(int((~of_them).sum()), -1, -1, -1), atol=1e-5)


def test_colours(views: Tensor) -> None:
    assert torch.allclose(applied(views, {"add": "0 .1 .2"}), views + torch.tensor([0, 0.1, 0.2]).view(3, 1, 1))
    assert torch.allclose(applied(views, {"mean": ".2 .3 .4"}).mean((0, 2, 3)), torch.tensor([0.2, 0.3, 0.4]))
    assert torch.allclose(applied(views, {"saturation": 0}).std(1), torch.zeros(1), atol=1e-6)
    assert torch.allclose(applied(views, {"contrast": 1}), views)
    assert set(applied(views, {"quantize": 0.5}).unique().tolist()) <= {0.0, 0.5, 1.0}
    assert applied(views, {"clamp": ".2 .6"}).min() == pytest.approx(0.2)


@pytest.mark.parametrize(("size", "sigma"), [(3, None), (5, 1.3), ("5 3", "2 .5")])
def test_blur_is_torchvisions(views: Tensor, size: object, sigma: object) -> None:
    kernel = [int(v) for v in str(size).split()] * (1 if " " in str(size) else 2)
    sigmas = None if sigma is None else ([float(v) for v in str(sigma).split()] * 2)[:2]
    given = {"kernel_size": size} | ({} if sigma is None else {"sigma": sigma})
    assert torch.allclose(applied(views, {"blur": given}), VF.gaussian_blur(views, kernel, sigmas), atol=1e-6)


@pytest.mark.parametrize("size", [0, -3, 1, "ti*0", 2, 51])
def test_windows_become_odd_and_positive(views: Tensor, size: object) -> None:
    assert applied(views, {"blur": size}).isfinite().all()


def test_edge_keeps_both_signs() -> None:
    step = torch.zeros(1, 3, 8, 8)
    step[..., 4:] = 1
    edges = applied(step, {"edge": 3})
    assert edges[0, 0, 4, 3] == pytest.approx(float(edges[0, 0, 4, 4]))
    assert edges[0, 0, 4, 3] > 0.1


@pytest.mark.parametrize("degree", [0, 90, 180, 30, -45])
def test_rotation_is_counter_clockwise_like_torchvisions(degree: float) -> None:
    ramp = torch.linspace(0, 1, 32)
    smooth = torch.stack((ramp.expand(32, 32), ramp[:, None].expand(32, 32), torch.ones(32, 32)))[None]
    ours = applied(smooth, {"rotate": degree})
    theirs = VF.rotate(smooth, degree, VF.InterpolationMode.BILINEAR)
    inner = slice(10, 22)
    assert torch.allclose(ours[..., inner, inner], theirs[..., inner, inner], atol=2e-3)
    assert (ours[0, 2, 0, 0] == 0) == (degree % 90 != 0)


def test_rotation_about_another_centre(views: Tensor) -> None:
    turned = applied(views, {"rotate": {"degree": 180, "center": "0 0"}})
    assert turned.abs().max() == 0


def test_scale_zooms_about_the_centre() -> None:
    dot = torch.zeros(1, 3, 16, 16)
    dot[..., 7:9, 7:9] = 1
    assert applied(dot, {"random_scale": "2 2"}).sum() == pytest.approx(4 * float(dot.sum()), rel=0.05)
    shrunk = applied(torch.ones(1, 3, 16, 16), {"random_scale": ".5 .5"})
    assert shrunk[0, 0, 0, 0] == 0
    assert shrunk[0, 0, 8, 8] == 1


def test_shift_wraps_and_translate_does_not(views: Tensor) -> None:
    assert torch.allclose(applied(views, {"shift": "3 -2"}), views.roll((-2, 3), (2, 3)), atol=1e-5)
    assert torch.allclose(applied(views, {"shift": ".5"}), views.roll((8, 8), (2, 3)), atol=1e-5)
    assert torch.allclose(applied(views, {"random_shift": "1 1"}), views, atol=1e-5)
    wrapped = applied(views, {"random_shift": "-1 1"})
    assert torch.allclose(wrapped.mean((2, 3)), views.mean((2, 3)), atol=1e-4)
    per_axis = applied(views, {"random_shift": "2 2 -1 -1"})
    assert per_axis.shape == views.shape
    assert (applied(torch.ones(4, 3, 16, 16), {"random_translate": ".5 .5"}) == 0).any()


def test_crops(views: Tensor) -> None:
    assert torch.allclose(applied(views, {"crop": "2 3 5 4"}), views[..., 3:7, 2:7], atol=1e-5)
    assert torch.allclose(applied(views, {"center_crop": "6 4"}), views[..., 6:10, 5:11], atol=1e-5)
    larger = applied(views, {"center_crop": 20})
    assert torch.allclose(larger[..., 2:18, 2:18], views, atol=1e-5)
    assert larger[..., 0, :].abs().max() == 0
    assert torch.allclose(applied(views, {"repeat": "2 1"})[..., 16:], views, atol=1e-5)
    assert applied(views, {"random_crop": 16}).sub(views).abs().max() < 1e-5


def test_pad_modes(views: Tensor) -> None:
    filled = applied(views, {"pad": {"size": "1 2", "color": ".5 .6 .7"}})
    assert torch.allclose(filled[0, :, 0, 0], torch.tensor([0.5, 0.6, 0.7]))
    assert torch.equal(filled[..., 2:-2, 1:-1].round(decimals=5), views.round(decimals=5))
    assert torch.equal(applied(views, {"pad": {"size": 1, "mode": "wrap"}})[..., 1:-1, 0], views[..., -1])
    assert torch.equal(applied(views, {"pad": {"size": 20, "mode": "edge"}})[..., 0, 0], views[..., 0, 0])


def test_border_paints_a_frame(views: Tensor) -> None:
    framed = applied(views, {"border": {"size": "2 1", "color": 0.3}})
    assert torch.equal(framed[..., 1:-1, 2:-2], views[..., 1:-1, 2:-2])
    assert framed[..., 0, :].eq(0.3).all()
    assert framed[..., :2].eq(0.3).all()


@pytest.mark.parametrize("name", ["noise", "bwnoise", "rnoise", "fnoise"])
def test_noise_has_the_wanted_strength(name: str) -> None:
    grey = torch.full((8, 3, 64, 64), 0.5)
    given = {"std": 0.1, "resolution": 64} if name == "rnoise" else 0.1
    spread = (applied(grey, {name: given}) - grey).std()
    assert (0.02 if name == "fnoise" else 0.05) < spread < 0.2
    same = applied(grey, {"bwnoise": 0.1})
    assert torch.equal(same[:, 0], same[:, 1])


def test_a_run_of_warps_is_the_same_as_one_after_the_other() -> None:
    ramp = torch.linspace(0, 1, 64)
    smooth = torch.stack((ramp.expand(64, 64), ramp[:, None].expand(64, 64), torch.full((64, 64), 0.5)))[None]
    chain = [{"rotate": 20}, {"random_scale": ".8 .8"}, {"center_crop": 40}]
    at_once = applied(smooth, *chain)
    apart = smooth
    for item in chain:
        apart = applied(apart, item, {"add": 0})
    assert torch.allclose(at_once[..., 4:-4, 4:-4], apart[..., 4:-4, 4:-4], atol=5e-3)
    assert ((at_once[0, 2] > 0) != (apart[0, 2] > 0.25)).float().mean() < 0.05


def test_black_between_two_warps_stays_black() -> None:
    white = torch.ones(1, 3, 16, 16)
    result = applied(white, {"random_translate": "0 0"}, {"random_scale": ".5 .5"}, {"shift": ".5"})
    assert result[0, 0, 8, 8] == 0
    assert result[0, 0, 0, 0] == 1


def test_numbers_may_be_expressions_that_differ_by_view(views: Tensor) -> None:
    same = views[:1].expand(3, -1, -1, -1)
    brighter = applied(same, {"add": "uniform(0, 1)"}) - same
    assert len({round(float(v), 4) for v in brighter.mean((1, 2, 3))}) == 3
    assert torch.allclose(applied(views, {"mul": "ti"}), views)


def test_a_transform_of_ones_own_enters_the_registry() -> None:
    from pydantic import Field

    from clipnb.optimise.transforms.base import Real

    class Darken(Transform):
        """Darkens."""

        name = "darken_test"
        amount: Real = Field((0.5,), description="factor")

        def apply(self, views: Tensor, scope: Scope) -> Tensor:
            return views * scope.colours(self.amount)

    try:
        assert applied(torch.ones(1, 3, 4, 4), {"darken_test": 0.25}).max() == 0.25
        with pytest.raises(TypeError, match="already"):
            type("Other", (Transform,), {"name": "rotate", "__module__": "elsewhere", "__qualname__": "Other"})
        assert TRANSFORMS["rotate"] is Rotate
    finally:
        del TRANSFORMS["darken_test"]
