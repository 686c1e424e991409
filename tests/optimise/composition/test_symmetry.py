from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import Tensor
from torch.nn import functional as F

from clipnb.errors import ConfigError
from clipnb.optimise.composition.symmetry import Seamless
from clipnb.optimise.engine import Optimisation
from clipnb.optimise.language.config import ExperimentConfig
from clipnb.optimise.language.scope import Scope
from clipnb.optimise.parameterisations import PARAMETERISATIONS
from clipnb.optimise.transforms import TRANSFORMS, apply_transforms
from tests.optimise.conftest import PlainEncoder, experiment
from tests.optimise.test_transforms import scope_of


def result(**changes: Any) -> Tensor:
    *_, last = Optimisation(experiment(**changes), PlainEncoder()).steps()
    return last.image


@pytest.mark.parametrize("pixels", sorted(PARAMETERISATIONS))
@pytest.mark.parametrize("size", [[16, 16], [17, 15]])
def test_mirrored_pictures_are_their_own_mirror_images(pixels: str, size: list[int]) -> None:
    changes: dict[str, Any] = {"pixels": pixels, "resolution": size}
    if pixels == "rgb":
        changes["postproc"] = [{"shift": [0.2, 0.1]}]
    for symmetry, dims in (("x", [-1]), ("y", [-2]), ("XY", [-1, -2])):
        image = result(symmetry=symmetry, **changes)
        assert all(torch.equal(image, image.flip(dim)) for dim in dims)
    assert not torch.equal(image, image.transpose(-1, -2)) or size[0] != size[1]


@pytest.mark.parametrize(("count", "turns"), [(4, 1), (4, 2), (2, 2)])
def test_turned_pictures_look_the_same(count: int, turns: int) -> None:
    image = result(symmetry=f"rotate {count}", pixels="fourier", init={"std": 0.2})
    assert torch.allclose(image, image.rot90(turns, (-2, -1)), atol=1e-3)
    assert not torch.allclose(image, image.flip(-1), atol=1e-2)


@pytest.mark.parametrize("count", [3, 5, 12])
def test_pictures_turned_by_any_part_look_the_same(count: int) -> None:
    image = result(symmetry={"rotate": count}, resolution=96, pixels="fourier", init={"std": 0.2})
    angle = torch.tensor(2 * torch.pi / count)
    rotation = torch.tensor([[angle.cos(), -angle.sin(), 0], [angle.sin(), angle.cos(), 0]])
    grid = F.affine_grid(rotation[None], [1, 3, 96, 96], align_corners=False)
    turned = F.grid_sample(image[None], grid, align_corners=False)[0]
    y, x = torch.meshgrid(torch.linspace(-1, 1, 96), torch.linspace(-1, 1, 96), indexing="ij")
    middle = (x.square() + y.square()).sqrt() < 0.9
    difference, spread = (turned - image)[:, middle].abs().mean(), image[:, middle].std()
    assert difference < 0.25 * spread
    assert ((image - image.flip(-1))[:, middle].abs().mean()) > 0.5 * spread


@pytest.mark.parametrize("symmetry", ["z", "rotate", "rotate 1", "rotate 33", "rotate 2.5", "5", True, {"rotate": "x"}])
def test_what_is_no_symmetry_is_told(symmetry: object) -> None:
    with pytest.raises(ConfigError, match=r"^symmetry: .*(no symmetry; write x|2 to 32 positions)"):
        experiment(symmetry=symmetry)


@pytest.mark.parametrize(
    ("lines", "problem"),
    [
        ("keep: left\nsymmetry: x", "a.yaml, line 3: symmetry: pixels that are kept are not symmetric"),
        ("tile: true\nsymmetry: rotate 3", "a.yaml, line 3: symmetry: edges that meet their opposite ones"),
        ("x-: 1\ntile: true", "a.yaml, line 3: tile: every target has a region"),
    ],
)
def test_contradictory_wishes_are_refused_with_their_line(lines: str, problem: str) -> None:
    region = ", region: left" if "x-" in lines else ""
    config = ExperimentConfig.from_yaml(f"targets: [{{features: [a]{region}}}]\n{lines}\n", "a.yaml")
    with pytest.raises(ConfigError) as told:
        Optimisation(config, PlainEncoder()).image  # noqa: B018
    assert str(told.value).startswith(problem)


def test_symmetry_can_change_while_running() -> None:
    run = Optimisation(experiment(), PlainEncoder())
    stream = run.steps()
    next(stream)
    run.update(experiment(symmetry="x"))
    image = next(stream).image
    assert torch.equal(image, image.flip(-1))


def tiled_scope(views: int) -> Scope:
    return scope_of(views).extended(tiles=True)


def made(*transforms: dict[str, object]) -> Any:
    return ExperimentConfig.from_dict({"targets": [{"transforms": list(transforms)}]}).targets[0].transforms


@pytest.mark.parametrize("name", ["rotate", "random_rotate", "random_scale", "random_translate", "random_perspective"])
def test_views_of_a_tile_show_it_again_beyond_its_edges(name: str) -> None:
    picture = torch.rand(1, 3, 12, 12, generator=torch.Generator().manual_seed(1)) + 1
    transforms = made(TRANSFORMS[name].example_item())
    seen = apply_transforms(transforms, picture.expand(8, -1, -1, -1), tiled_scope(8))
    assert float(seen.min()) >= 1
    assert float(apply_transforms(transforms, picture.expand(8, -1, -1, -1), scope_of(8)).min()) < 0.5
    large = apply_transforms(made({"repeat": 3}), picture, scope_of(1))
    if name == "rotate":  # about the same centre in nine of them
        inner = apply_transforms(transforms, large, scope_of(1))[..., 12:24, 12:24]
        assert torch.allclose(seen[:1], inner, atol=1e-4)


def test_filters_of_a_tile_wrap_around() -> None:
    picture = torch.rand(2, 3, 12, 10, generator=torch.Generator().manual_seed(1))
    blur = made({"blur": {"kernel_size": 7, "sigma": 2}})
    rolled = apply_transforms(blur, picture.roll((5, 4), (-2, -1)), tiled_scope(2))
    assert torch.allclose(rolled, apply_transforms(blur, picture, tiled_scope(2)).roll((5, 4), (-2, -1)), atol=1e-5)
    cropped = made({"random_crop": [6, 6]}, {"blur": {"kernel_size": 7, "sigma": 2}})
    plain = made({"crop": [0, 0, 6, 6]}, {"blur": {"kernel_size": 7, "sigma": 2}})
    flat = torch.linspace(0, 1, 10).expand(1, 3, 12, 10)
    assert float(apply_transforms(plain, flat, tiled_scope(1))[..., 0].max()) < 0.3  # a crop is no tile any more
    assert apply_transforms(cropped, picture, tiled_scope(2)).shape == (2, 3, 6, 6)


def seam(image: Tensor) -> float:
    """Mean difference across the edges, as a ratio to that of neighbours inside."""
    across = [(image[..., 0] - image[..., -1]).abs().mean(), (image[:, 0] - image[:, -1]).abs().mean()]
    inside = [image.diff(dim=-1).abs().mean(), image.diff(dim=-2).abs().mean()]
    return float(sum(across) / sum(inside))


@pytest.mark.parametrize("pixels", ["rgb", "pyramid", "fourier"])
def test_a_tile_has_no_seam(pixels: str) -> None:
    target = {"features": ["a"], "batch_size": 4, "constraints": [{"tv": {"weight": 300}}]}
    changes = {"targets": [target], "pixels": pixels, "epochs": 60, "init": {"std": 0.2}, "learnrate": 2}
    assert seam(result(tile=True, resolution=[24, 16], **changes)) < 1.6
    if pixels != "fourier":  # which is made of waves that fit
        assert seam(result(tile=False, resolution=[24, 16], **changes)) > 2


def test_a_picture_without_own_seam_stays_and_one_with_is_mended() -> None:
    slope = torch.linspace(0, 1, 40).expand(3, 30, 40)
    mended = Seamless()(slope)
    assert seam(slope) > 30
    assert seam(mended) < 1.5
    assert torch.allclose(Seamless()(mended), mended, atol=1e-5)
    assert torch.equal(mended[..., 12:28], slope[..., 12:28])
