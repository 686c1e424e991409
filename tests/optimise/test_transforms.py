from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress

import pytest
import torch
from pydantic import Field
from torch import Tensor
from torchvision.transforms import functional as VF

from clipnb.errors import ConfigError
from clipnb.optimise.language.config import ExperimentConfig
from clipnb.optimise.language.expressions import ExpressionError
from clipnb.optimise.language.scope import Randomness, Scope
from clipnb.optimise.language.variables import resolution_values, time_values
from clipnb.optimise.transforms import TRANSFORMS, Transform, apply_transforms
from clipnb.optimise.transforms.base import MAX_MADE, Real
from clipnb.optimise.transforms.geometry import Rotate


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


@pytest.mark.parametrize("xywh", ["100 0 10 10", "0 16 4 4", "-1.5 0 10 10"])
def test_a_crop_outside_of_the_picture_is_refused(views: Tensor, xywh: str) -> None:
    with pytest.raises(ExpressionError, match="lies outside of 16 x 16 pixels"):
        applied(views, {"crop": xywh})
    assert applied(views, {"crop": "15 -.5 10 10"}).shape == (3, 3, 10, 10)  # in part


@pytest.mark.parametrize("name", sorted(TRANSFORMS))
def test_the_example_of_every_transform_keeps_what_its_class_promises(name: str) -> None:
    cls = TRANSFORMS[name]
    given = torch.rand(3, 3, 72, 88, generator=torch.Generator().manual_seed(1)).requires_grad_()
    result = applied(given, cls.example_item(), seed=5)
    assert not torch.equal(result, given)
    assert (len(result) % 3, result.shape[1]) == (0, 3)
    assert cls.is_resizing == (result.shape[-2:] != given.shape[-2:])
    result.square().sum().backward()
    assert given.grad is not None
    assert given.grad.isfinite().all()
    assert given.grad.abs().sum() > 0
    again = applied(given.detach(), cls.example_item(), seed=5)
    assert torch.equal(again, result.detach())
    same_views = given.detach()[:1].expand(8, -1, -1, -1)
    several = applied(same_views, cls.example_item(), seed=6)
    assert all(torch.equal(several[0], view) for view in several) != cls.is_random


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
    assert torch.allclose(applied(views, {"mul": "1 .5 0"}), views * torch.tensor([1, 0.5, 0]).view(3, 1, 1))
    assert torch.allclose(applied(views, {"contrast": 1}), views)
    assert torch.allclose(applied(views, {"contrast": 0}), views.mean((1, 2, 3), keepdim=True).expand_as(views))
    assert torch.allclose(applied(views, {"contrast": 2}).std((1, 2, 3)), 2 * views.std((1, 2, 3)))
    assert set(applied(views, {"quantize": 0.5}).unique().tolist()) <= {0.0, 0.5, 1.0}
    assert torch.equal(applied(views, {"clamp": ".2 .6"}), views.clamp(0.2, 0.6))
    assert torch.allclose(applied(views, {"color_jitter": 0}), views)
    brighter = applied(torch.full((40, 3, 2, 2), 0.5), {"color_jitter": ".3 0 0"}).mean((1, 2, 3)) - 0.5
    assert brighter.min() < -0.15
    assert 0.15 < brighter.max() <= 0.3


OUTWARD = [name for name, cls in sorted(TRANSFORMS.items()) if "outside" in cls.model_fields]


@pytest.mark.parametrize("name", OUTWARD)
def test_what_lies_outside_is_black_or_mirrored_or_the_picture_again(name: str) -> None:
    white = torch.ones(4, 3, 16, 16)
    given = {"random_scale": {"scale": ".4 .5"}, "cutouts": {"size": ".8 1", "overscan": 0.5}}.get(name)
    cls = TRANSFORMS[name]
    given = given or {cls.own_parameters()[0]: cls.example}
    dark = {side: applied(white, {name: {**given, "outside": side}}).min() for side in ("black", "mirror", "wrap")}
    assert dark["black"] == 0
    assert min(dark["mirror"], dark["wrap"]) > 0.99


def test_surroundings_go_on_where_the_picture_ends() -> None:
    ramp = torch.linspace(0, 1, 16).expand(1, 3, 16, 16)
    mirrored, wrapped = (
        applied(ramp, {"random_scale": {"scale": ".5 .5", "outside": side}})[0, 0, 8] for side in ("reflect", "wrap")
    )
    assert mirrored[3:5].max() < 0.2  # dark on both sides of the left edge
    assert wrapped[3] > 0.8  # the bright right edge comes before the left one
    assert torch.allclose(mirrored[5:11], wrapped[5:11], atol=1e-5)


def test_cutouts_may_be_nearly_whole_and_reach_beyond_the_edges() -> None:
    ramp = torch.linspace(0, 1, 64).expand(1, 3, 64, 64)
    given = {"count": 400, "size": ".1 .2", "resolution": 8}
    width = lambda parts: parts[:, 0, 0, -1] - parts[:, 0, 0, 0]  # noqa: E731
    small, some = (width(applied(ramp, {"cutouts": {**given, "macro": macro}})) for macro in (0, 0.4))
    assert small.max() < 0.25
    assert 0.3 < float((some > 0.7).float().mean()) < 0.5
    beyond = applied(ramp, {"cutouts": {**given, "overscan": 0.3}})
    assert 0.2 < float((beyond.amax((1, 2, 3)) == 0).float().mean()) < 0.6


@pytest.mark.parametrize(("size", "sigma"), [(3, None), (5, 1.3), ("5 3", "2 .5")])
def test_blur_is_torchvisions(views: Tensor, size: object, sigma: object) -> None:
    kernel = [int(v) for v in str(size).split()] * (1 if " " in str(size) else 2)
    sigmas = None if sigma is None else ([float(v) for v in str(sigma).split()] * 2)[:2]
    given = {"kernel_size": size} | ({} if sigma is None else {"sigma": sigma})
    assert torch.allclose(applied(views, {"blur": given}), VF.gaussian_blur(views, kernel, sigmas), atol=1e-6)


@pytest.mark.parametrize(("size", "used"), [(0, 1), (-3, 1), ("ti*0", 1), (2, 3), (4, 5), (50, 51)])
def test_windows_become_odd_and_positive(views: Tensor, size: object, used: int) -> None:
    assert torch.equal(applied(views, {"blur": size}), applied(views, {"blur": used}))
    assert torch.allclose(applied(views, {"blur": used}), views) == (used == 1)


def test_edge_keeps_both_signs() -> None:
    step = torch.zeros(1, 3, 8, 8)
    step[..., 4:] = 1
    edges = applied(step, {"edge": 3})
    assert edges[0, 0, 4, 3] == pytest.approx(float(edges[0, 0, 4, 4]))
    assert edges[0, 0, 4, 3] > 0.1
    assert torch.allclose(applied(step, {"edge": {"kernel_size": 3, "amount": 0.5}}), edges / 2)


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
    per_axis = applied(views, {"random_shift": "2 2 -3 -3"})
    assert torch.allclose(per_axis, views.roll((-3, 2), (2, 3)), atol=1e-5)
    assert (applied(torch.ones(4, 3, 16, 16), {"random_translate": ".5 .5"}) == 0).any()


def test_crops(views: Tensor) -> None:
    assert torch.allclose(applied(views, {"crop": "2 3 5 4"}), views[..., 3:7, 2:7], atol=1e-5)
    assert torch.allclose(applied(views, {"center_crop": "6 4"}), views[..., 6:10, 5:11], atol=1e-5)
    larger = applied(views, {"center_crop": 20})
    assert torch.allclose(larger[..., 2:18, 2:18], views, atol=1e-5)
    assert larger[..., 0, :].abs().max() == 0
    assert torch.allclose(applied(views, {"repeat": "2 1"})[..., 16:], views, atol=1e-5)
    assert applied(views, {"random_crop": 16}).sub(views).abs().max() < 1e-5


def test_cutouts_show_parts_of_the_wanted_size() -> None:
    ramp = (torch.arange(64) / 64).expand(1, 3, 64, 64)
    parts = applied(ramp, {"cutouts": {"count": 5, "size": ".5 .5", "resolution": 32}})
    assert parts.shape == (5, 3, 32, 32)
    assert torch.allclose(parts.amax((1, 2, 3)) - parts.amin((1, 2, 3)), torch.full((5,), 31 / 64), atol=1e-5)
    assert len(set(parts.amin((1, 2, 3)).tolist())) == 5


def test_erased_rectangles_have_the_wanted_size_and_colour() -> None:
    black = torch.zeros(6, 3, 40, 20)
    erased = applied(black, {"random_erase": {"size": ".5 .5", "color": ".2 .4 .6"}})
    assert erased[:, 1].unique().tolist() == [0.0, pytest.approx(0.4)]
    painted = (erased[:, 1] > 0).float()
    assert painted.amax(2).sum(1).tolist() == [20] * 6
    assert painted.amax(1).sum(1).tolist() == [10] * 6
    assert torch.equal(applied(black, {"random_erase": {"probability": 0}}), black)


def test_perspective_tilts_by_its_distortion(views: Tensor) -> None:
    assert torch.allclose(applied(views, {"random_perspective": 0}), views, atol=1e-4)
    tilted = applied(torch.ones(4, 3, 32, 32), {"random_perspective": 0.8})
    assert (tilted[..., 16, 16] == 1).all()
    assert 0.2 < tilted.mean() < 0.95


def test_noise_of_few_pixels_is_smooth() -> None:
    grey = torch.full((4, 3, 64, 64), 0.5)
    fine, coarse = (applied(grey, {"rnoise": {"std": 0.1, "resolution": side}}) for side in (64, 4))
    assert coarse.diff(dim=-1).abs().mean() < fine.diff(dim=-1).abs().mean() / 8


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


def run_cell(value: float) -> None:
    """Do what a notebook cell does, each time anew."""

    class Darken(Transform):
        """Darkens."""

        name = "darken_test"
        example = value
        amount: Real = Field((0.5,), description="factor")

        def apply(self, views: Tensor, scope: Scope) -> Tensor:
            return views * scope.colours(self.amount)

    class Grey(Transform):
        """Makes grey."""

        name = "grey_test"

        def apply(self, views: Tensor, scope: Scope) -> Tensor:
            del scope
            return views.mean(1, keepdim=True).expand_as(views)


@pytest.fixture
def _cell() -> Iterator[None]:
    run_cell(0.3)
    yield
    for name in ("darken_test", "grey_test"):
        TRANSFORMS.pop(name, None)


@pytest.mark.usefixtures("_cell")
def test_a_transform_of_a_notebook_cell_is_one_of_them_and_the_cell_may_run_again() -> None:
    white = torch.ones(1, 3, 4, 4)
    assert applied(white, {"darken_test": 0.25}).max() == 0.25
    assert applied(white, TRANSFORMS["darken_test"].example_item()).max() == pytest.approx(0.3)
    run_cell(0.4)
    assert TRANSFORMS["darken_test"].example_text() == "darken_test: 0.4"
    assert applied(white, "darken_test").max() == 0.5
    del TRANSFORMS["darken_test"]
    with pytest.raises(ConfigError, match="unknown transform 'darken_test'"):
        made("darken_test")
    run_cell(0.4)
    assert made("darken_test")


@pytest.mark.usefixtures("_cell")
def test_a_transform_without_parameters_takes_no_value() -> None:
    assert applied(torch.rand(1, 3, 4, 4), "grey_test").std(1).max() == 0
    with pytest.raises(ConfigError, match=r"transforms\[0\].grey_test: 'grey_test' has no parameter that could take"):
        made({"grey_test": 3})


def test_a_name_that_is_taken_stays_with_its_class() -> None:
    with pytest.raises(TypeError, match=r"'rotate' is already .*Rotate; .*\.pop\('rotate'\)"):
        type("Other", (Transform,), {"name": "rotate", "__module__": "elsewhere", "__qualname__": "Other"})
    assert TRANSFORMS["rotate"] is Rotate


NUMBERS = {
    "add": "X", "blur": "X", "border": "X", "bwnoise": "X", "center_crop": "X", "clamp": "[0, X]", "color_jitter": "X",
    "contrast": "X", "crop": "[0, 0, X, X]", "cutouts": "X", "edge": "X", "mean": "X", "mul": "X",
    "noise": "X", "pad": "X", "quantize": "X", "random_crop": "X", "random_erase": "X", "random_perspective": "X",
    "random_rotate": "[X, X]", "random_scale": "[X, X]", "random_shift": "[X, X]", "random_translate": "X",
    "repeat": "X", "resize": "X", "rnoise": "X", "rotate": "X", "saturation": "X",
    "shift": "X",
}  # fmt: skip


@pytest.mark.parametrize("number", ["10**9", "10.0**300", "-10**300"])
@pytest.mark.parametrize(("name", "value"), [*NUMBERS.items(), ("crop", "[X, X, 4, 4]")])
def test_what_expressions_give_is_bounded(name: str, value: str, number: str) -> None:
    """Neither the machine's memory nor the process is lost where a number becomes huge in the middle of a run."""
    huge = f"{number} if epoch else 3"
    parameters = {"std": 0.1, "resolution": huge} if name == "rnoise" else str(value).replace("X", huge)
    transform = made({name: parameters})
    one = torch.rand(1, 3, 16, 16, generator=torch.Generator().manual_seed(1))
    apply_transforms(transform, one, scope_of(1))
    with suppress(ExpressionError):
        assert apply_transforms(transform, one, scope_of(1, epoch=1)).numel() <= 3 * MAX_MADE
