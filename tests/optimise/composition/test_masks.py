from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
from PIL import Image
from torch import Tensor

from clipnb.errors import ConfigError
from clipnb.images import open_image, save_image, to_tensor
from clipnb.optimise.composition.masks import Masks
from clipnb.optimise.engine import Optimisation
from clipnb.optimise.language.config import ExperimentConfig
from clipnb.optimise.parameterisations import PARAMETERISATIONS
from clipnb.optimise.results import save_result
from tests.optimise.conftest import PlainEncoder, experiment

WIDTH, HEIGHT = 24, 16


@pytest.fixture(autouse=True)
def photograph(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Tensor]:
    """A noisy picture `photograph.png` in the working folder, and gray ones as masks."""
    monkeypatch.chdir(tmp_path)
    save_image(torch.rand(3, HEIGHT, WIDTH, generator=torch.Generator().manual_seed(1)), Path("photograph.png"))
    mask = Image.new("L", (2 * WIDTH, 2 * HEIGHT))
    mask.paste(255, (8, 4, 24, 20))
    mask.save("mask.png")
    Image.new("L", (WIDTH, HEIGHT)).save("black.png")
    Image.new("L", (WIDTH, HEIGHT), 255).save("white.png")
    Image.new("L", (HEIGHT, HEIGHT), 255).save("square.png")
    return to_tensor(open_image("photograph.png"))


def kept(keep: object, **changes: Any) -> ExperimentConfig:
    return experiment(resolution=[WIDTH, HEIGHT], keep=keep, init={"image": "photograph.png"}, **changes)


def differences(config: ExperimentConfig, photograph: Tensor) -> Tensor:
    """Run and save it; how far each pixel of the saved picture is from the photograph; float [H, W]."""
    run = Optimisation(config, PlainEncoder())
    *_, last = run.steps()
    saved = to_tensor(open_image(save_result(run, last, "result.png")))
    return (saved - photograph).abs().amax(0)


@pytest.mark.parametrize("pixels", sorted(PARAMETERISATIONS))
@pytest.mark.parametrize(
    ("keep", "rows", "columns"),
    [
        ("left", slice(None), slice(0, 12)),
        ("Center", slice(4, 12), slice(6, 18)),
        ("0 0 1 .5", slice(0, 8), slice(None)),
        ("mask.png", slice(2, 10), slice(4, 12)),
    ],
)
def test_kept_pixels_of_the_saved_picture_are_those_of_the_photograph(
    pixels: str, keep: str, rows: slice, columns: slice, photograph: Tensor
) -> None:
    difference = differences(kept(keep, pixels=pixels, learnrate=3), photograph)
    assert float(difference[rows, columns].max()) == 0
    assert float(difference.max()) > 0.02


def test_kept_pixels_stay_through_postproc_and_another_parameterisation(photograph: Tensor) -> None:
    config = kept("right", postproc=[{"blur": 5}, {"add": 0.1}, {"shift": [0.3, 0]}])
    assert float(differences(config, photograph)[:, 12:].max()) == 0
    run = Optimisation(kept("right"), PlainEncoder())
    stream = run.steps()
    next(stream)
    run.update(kept("right", pixels="fourier"))
    assert float((next(stream).image - photograph)[:, :, 12:].abs().max()) == 0


def test_kept_pixels_of_a_growing_picture_are_those_of_the_scaled_photograph(photograph: Tensor) -> None:
    config = kept("0 0 .5 1").changed(resolution=["12 if t < .5 else 24", "8 if t < .5 else 16"])
    first, *_, last = Optimisation(config, PlainEncoder()).steps()
    assert first.image.shape == (3, 8, 12)
    assert float((last.image - photograph)[:, :, :12].abs().max()) == 0


def test_what_is_kept_can_change_while_running(photograph: Tensor) -> None:
    run = Optimisation(kept(None), PlainEncoder())
    stream = run.steps()
    assert float((next(stream).image - photograph)[:, :, :12].abs().max()) > 0
    run.update(kept("left"))
    assert float((next(stream).image - photograph)[:, :, :12].abs().max()) == 0
    run.update(kept("black.png"))
    with pytest.raises(ConfigError, match=r"black\.png is black everywhere"):
        next(stream)
    assert float((next(run.steps()).image - photograph)[:, :, :12].abs().max()) == 0


def test_the_picture_given_to_a_run_is_kept_where_there_is_no_other(photograph: Tensor) -> None:
    config = experiment(resolution=[WIDTH, HEIGHT], keep="left")
    *_, last = Optimisation(config, PlainEncoder(), image=photograph).steps()
    assert float((last.image - photograph)[:, :, :12].abs().max()) == 0
    assert float((last.image - photograph).abs().max()) > 0


@pytest.mark.parametrize(
    ("area", "problem"),
    [
        ("lft", "no area; write left, right, top, bottom, centre, x0 y0 x1 y1"),
        ("0 0 1.5 1", "is outside of the picture"),
        ("-.1 0 1 1", "is outside of the picture"),
        ("0 0 112 224", "from 0 to 1"),
        (".5 0 .5 1", "of x0 and x1, 0.5 is not below 0.5"),
        ("[0, .8, 1, .2]", "of y0 and y1, 0.8 is not below 0.2"),
        ("0 0 1", "4 numbers are needed, not 3"),
        ("3", "4 numbers x0 y0 x1 y1 are needed"),
        ("{x: 1}", "not a map"),
        ("gone.png", "there is no picture 'gone.png'"),
        ("black.png", "black.png is black everywhere; white is what counts"),
        ("square.png", "16 x 16 pixels, which are other proportions than the picture's 24 x 16"),
    ],
)
@pytest.mark.parametrize("key", ["keep", "region"])
def test_a_mistaken_area_is_told_with_its_line(key: str, area: str, problem: str) -> None:
    lines = {
        "keep": f"targets: [{{features: [a]}}]\ninit: {{image: photograph.png}}\nkeep: {area}\n",
        "region": f"targets:\n- features: [a]\n  region: {area}\n",
    }
    with pytest.raises(ConfigError) as told:
        Optimisation(ExperimentConfig.from_yaml(f"{lines[key]}resolution: 24 16\n", "a.yaml"), PlainEncoder()).image  # noqa: B018
    assert str(told.value).startswith(f"a.yaml, line 3: {'keep' if key == 'keep' else 'targets[0].region'}: ")
    assert problem in str(told.value)


def test_nothing_to_keep_and_nothing_to_change_are_refused() -> None:
    with pytest.raises(ConfigError, match=r"keep: the run begins with noise.*init\.image"):
        Optimisation(experiment(keep="left"), PlainEncoder()).image  # noqa: B018
    for everything in ("white.png", "0 0 1 1"):
        with pytest.raises(ConfigError, match="all of the picture is kept"):
            Optimisation(kept(everything), PlainEncoder()).image  # noqa: B018


@pytest.mark.parametrize("area", ["left", "centre", "0 0 .5 1"])
def test_targets_whose_regions_are_kept_are_refused(area: str) -> None:
    with pytest.raises(ConfigError, match="keep: all regions of the targets are kept"):
        Optimisation(kept(area, targets=[{"features": ["a"], "region": area}]), PlainEncoder()).image  # noqa: B018
    other = {"features": ["a"], "region": "right"}
    Optimisation(kept("left", targets=[{"features": ["a"], "region": "left"}, other]), PlainEncoder()).image  # noqa: B018


def regional(region: object, **changes: Any) -> ExperimentConfig:
    given = {"features": ["a"], "region": region}
    return experiment(resolution=[WIDTH, HEIGHT], targets=[given], init={"std": 0.1}, **changes)


@pytest.mark.parametrize(
    ("region", "rows", "columns"),
    [
        (".5 .25 1 1", slice(4, 16), slice(12, 24)),
        ("mask.png", slice(2, 10), slice(4, 12)),
        ("left", slice(None), slice(0, 13)),
        ("bottom", slice(7, 16), slice(None)),
    ],
)
def test_a_target_changes_its_region_alone(region: str, rows: slice, columns: slice) -> None:
    run = Optimisation(regional(region), PlainEncoder())
    before = run.image.clone()
    *_, last = run.steps()
    changed = (last.image - before).abs().amax(0)
    assert float(changed[rows, columns].max()) > 0.01
    changed[rows, columns] = 0
    assert float(changed.max()) == 0


class Watched(PlainEncoder):
    def encode_image(self, pixels: Tensor) -> Tensor:
        self.seen = pixels.detach()
        return super().encode_image(pixels)


def test_views_are_taken_in_the_region() -> None:
    encoder = Watched()
    run = Optimisation(regional("0 .5 .25 1"), encoder)
    before = run.image.clone()
    next(run.steps())
    assert torch.allclose(encoder.seen.mean((0, 2, 3)), before[:, 8:, :6].mean((1, 2)), atol=0.01)


def test_soft_edges_of_opposite_regions_add_up_to_one() -> None:
    masks = Masks(None, torch.device("cpu"))
    left, right = (masks.part(regional(name), 0, (40, 40)) for name in ("left", "right"))
    assert left is not None
    assert right is not None
    assert left.mask is not None
    assert right.mask is not None
    whole = torch.zeros(40, 40)
    for part in (left, right):
        whole[part.rows, part.columns] += part.mask  # type: ignore[arg-type]
    assert torch.allclose(whole, torch.ones(40, 40))
    assert float(left.mask[0, 0]) == 1
    assert 0 < float(left.mask[0, 19]) < 1


def test_masks_are_found_beside_the_file_and_written_as_whole_paths(tmp_path: Path) -> None:
    folder = tmp_path / "experiments"
    folder.mkdir()
    Image.new("L", (8, 8), 255).save(folder / "here.png")
    (folder / "a.yaml").write_text("keep: here.png\ntargets:\n- features: [a]\n  region: here.png\n- region: left\n")
    config = ExperimentConfig.from_files(folder / "a.yaml")
    assert (config.keep, config.targets[0].region) == (str(folder / "here.png"), str(folder / "here.png"))
    assert config.targets[1].region == "left"
    assert ExperimentConfig.from_dict(config.as_dict()) == config


def test_a_mask_drawn_on_the_photograph_is_cut_as_it_is(photograph: Tensor) -> None:
    mask = Image.new("L", (WIDTH, HEIGHT))
    mask.paste(255, (8, 0, 12, HEIGHT))
    mask.save("drawn.png")
    config = kept("drawn.png").changed(resolution=[HEIGHT, HEIGHT])
    *_, last = Optimisation(config, PlainEncoder()).steps()
    assert float((last.image - photograph[:, :, 4:20])[:, :, 4:8].abs().max()) == 0


def test_a_resumed_run_goes_on_keeping(photograph: Tensor) -> None:
    whole = Optimisation(kept("left", pixels="fourier"), PlainEncoder())
    stream = whole.steps()
    next(stream)
    resumed = Optimisation.from_state(whole.state(), PlainEncoder())
    *_, expected = stream
    *_, last = resumed.steps()
    assert torch.equal(last.image, expected.image)
    assert float((last.image - photograph)[:, :, :12].abs().max()) == 0


def test_files_that_would_lack_the_kept_pixels_are_left_out() -> None:
    for keep, ends in ((None, {".png", ".svg", ".yaml"}), ("left", {".png", ".yaml"})):
        run = Optimisation(kept(keep, pixels={"strokes": {"count": 3}}, epochs=1), PlainEncoder())
        *_, last = run.steps()
        save_result(run, last, f"{keep}.png")
        assert {path.suffix for path in Path().glob(f"{keep}.*")} == ends


def test_kept_pixels_stay_in_every_frame_of_a_film(photograph: Tensor) -> None:
    film = {"count": 3, "steps": 2, "camera": {"zoom": 1.2, "shift": [0.1, 0]}}
    steps = list(Optimisation(kept("left", frames=film), PlainEncoder()).steps())
    assert [step.frame for step in steps if step.frame is not None] == [0, 1, 2]
    assert all(float((step.image - photograph)[:, :, :12].abs().max()) == 0 for step in steps)
    assert float((steps[4].image - steps[6].image).abs().mean()) > 0.02


def test_the_picture_that_a_run_begins_with_is_read_once(monkeypatch: pytest.MonkeyPatch) -> None:
    read: list[object] = []
    monkeypatch.setattr("clipnb.optimise.image_state.open_image", lambda path: read.append(path) or open_image(path))
    config = experiment(init={"image": "photograph.png"}, keep="left", resolution=[WIDTH, HEIGHT])
    run = Optimisation(config, PlainEncoder())
    steps = run.steps()
    next(steps)
    run.update(config.changed(learnrate=0.5))
    next(steps)
    assert len(read) == 1
    run.update(config.changed(init={"image": "photograph.png", "mean": 0.1}))
    next(steps)
    assert len(read) == 2
