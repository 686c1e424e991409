from __future__ import annotations

import io
from pathlib import Path

import pytest
import torch
from PIL import Image
from torch import Tensor

from clipnb.errors import ConfigError
from clipnb.images import save_image
from clipnb.optimise.engine import Optimisation, optimise
from clipnb.optimise.language.config import ExperimentConfig
from clipnb.optimise.language.scope import Randomness
from clipnb.optimise.parameterisations.palette import Palette
from clipnb.optimise.results import save_result
from tests.optimise.conftest import PlainEncoder, experiment
from tests.optimise.parameterisations.test_parameterisations import photograph


def picture_by(size: int = 48, image: Tensor | None = None, **palette: object) -> Tensor:
    config = ExperimentConfig.from_dict({"resolution": size, "pixels": {"palette": palette}})
    return Optimisation(config, PlainEncoder(), image=photograph(size, size) if image is None else image).image


def colours_in(image: Tensor) -> set[tuple[int, ...]]:
    return set(map(tuple, image.mul(255).round().byte().flatten(1).T.tolist()))


def refusal(palette: object, **changes: object) -> str:
    config = {"resolution": 32, "targets": [{"features": ["a"]}], **changes}
    with pytest.raises(ConfigError) as caught:
        optimise(ExperimentConfig.from_dict({**config, "pixels": {"palette": palette}}), PlainEncoder())
    return str(caught.value)


@pytest.mark.parametrize("cell", ["square", "hex"])
@pytest.mark.parametrize("colours", [2, 5, 16])
def test_pictures_have_at_most_so_many_colours_at_every_step(colours: int, cell: str, plain: PlainEncoder) -> None:
    pixels = {"palette": {"colours": colours, "cell": cell, "cells": "12 10"}}
    transforms = [{"noise": 0.1}]
    config = experiment(pixels=pixels, resolution="24 if t < .5 else 40", postproc=transforms)
    for step in Optimisation(config, plain).steps():
        assert len(colours_in(step.image)) <= colours


def test_a_saved_picture_has_the_colours_and_cells_of_its_index(plain: PlainEncoder, tmp_path: Path) -> None:
    run = Optimisation(experiment(pixels={"palette": {"cells": "8 4", "colours": 6}}, resolution="24 16"), plain)
    *_, step = run.steps()
    (tmp_path / "a-index.png").write_bytes(b"somebody's")
    saved = save_result(run, step, tmp_path / "a.png")
    assert saved.name == "a-1.png"
    assert (tmp_path / "a-index.png").read_bytes() == b"somebody's"
    index = Image.open(tmp_path / "a-1-index.png")
    assert index.mode == "P"
    assert index.size == (8, 4)
    picture = Image.open(saved)
    assert picture.size == (24, 16)
    assert len(picture.getcolors() or ()) <= 6
    assert picture.tobytes() == index.convert("RGB").resize((24, 16), Image.Resampling.NEAREST).tobytes()


def test_a_photograph_is_seen_in_its_main_colours() -> None:
    image = photograph(48, 48)
    coarse = torch.nn.functional.interpolate(image[None], (24, 24), mode="area").repeat_interleave(2, 2)
    coarse = coarse.repeat_interleave(2, 3)[0]
    many, few = (picture_by(cells=24, colours=count) for count in (32, 4))
    assert (many - coarse).square().mean() < 0.25 * (few - coarse).square().mean()
    assert (many - coarse).abs().mean() < 0.04


@pytest.mark.parametrize(
    ("fixed", "allowed"),
    [
        ("gameboy", {(15, 56, 15), (48, 98, 48), (139, 172, 15), (155, 188, 15)}),
        ("GameBoy", {(15, 56, 15), (48, 98, 48), (139, 172, 15), (155, 188, 15)}),
        ("black, #ff8000, white", {(0, 0, 0), (255, 128, 0), (255, 255, 255)}),
        ([[0, 0.4, 0.2], "#fff"], {(0, 102, 51), (255, 255, 255)}),
    ],
)
def test_fixed_colours_stay(fixed: object, allowed: set[tuple[int, ...]], plain: PlainEncoder) -> None:
    config = experiment(pixels={"palette": {"fixed": fixed}}, epochs=8)
    read_again = ExperimentConfig.from_dict(config.as_dict())
    assert read_again == config
    assert colours_in(optimise(config, plain).image) <= allowed
    assert len(colours_in(picture_by(fixed=fixed))) > 1


def test_cells_are_pulled_towards_colours_that_the_palette_does_not_have() -> None:
    parameters = Palette(fixed="blackwhite").build((16, 16), torch.device("cpu"))
    parameters.assign_noise(torch.full((3,), 0.5), torch.full((3,), 0.1), Randomness(1, torch.device("cpu")))
    red, _, blue = parameters()
    assert torch.equal(red, blue)
    (red - blue).mean().backward()
    assert all(one.grad is not None and one.grad.abs().max() > 0 for one in parameters.parameters())


def test_colours_are_taken_from_a_picture_beside_the_yaml_file(tmp_path: Path, plain: PlainEncoder) -> None:
    flag = torch.zeros(3, 8, 8)
    flag[0, :4], flag[2, 4:] = 1, 1
    save_image(flag, tmp_path / "flag.png")
    (tmp_path / "a.yaml").write_text(
        "pixels: {palette: {image: flag.png, colours: 4}}\nresolution: 16\nepochs: 3\ntargets: [{features: [a]}]\n"
    )
    image = optimise(ExperimentConfig.from_files(tmp_path / "a.yaml"), plain).image
    assert colours_in(image) <= {(255, 0, 0), (0, 0, 255)}
    (tmp_path / "a.yaml").write_text("pixels: {palette: {image: gone.png}}")
    with pytest.raises(ConfigError, match=r"a\.yaml.*pixels\.palette\.image: there is no picture 'gone\.png'"):
        ExperimentConfig.from_files(tmp_path / "a.yaml")


def test_a_palette_stays_when_another_picture_takes_its_place() -> None:
    parameters = experiment(pixels={"palette": {"cells": 8, "colours": 3}}).pixels.build((16, 16), torch.device("cpu"))
    parameters.assign(photograph(16, 16))
    before = colours_in(parameters().detach())
    parameters.assign(1 - photograph(16, 16))
    assert colours_in(parameters().detach()) <= before


def test_a_symmetry_mixes_no_colours(plain: PlainEncoder) -> None:
    config = experiment(pixels={"palette": {"cells": 8, "colours": 4}}, resolution=32, symmetry="rotate 3")
    for step in Optimisation(config, plain).steps():
        assert len(colours_in(step.image)) <= 4


def test_hexagons_are_six_neighbours_of_equal_size() -> None:
    ramp = torch.rand(3, 160, 160, generator=torch.Generator().manual_seed(1))
    image = picture_by(160, ramp, cells="8 9", cell="hex", colours=72)
    colours, sizes = image.flatten(1).T.unique(dim=0, return_counts=True)
    assert len(colours) > 60
    inner = sizes.sort().values[len(sizes) // 3 : -len(sizes) // 3].float()
    assert inner.max() < 1.25 * inner.min()
    rows = [image[:, row].diff(dim=-1).abs().sum(0).nonzero().flatten().tolist() for row in (9, 26)]
    assert abs(rows[0][0] - rows[1][0]) >= 6  # each row is shifted by half a cell


def test_cells_follow_the_shape_of_the_picture_and_the_resolution() -> None:
    config = ExperimentConfig.from_dict({"resolution": "128 64", "pixels": "palette"})
    run = Optimisation(config, PlainEncoder())
    *_, step = Optimisation(config.changed(epochs=1, targets=[{"features": ["a"]}]), PlainEncoder()).steps()
    assert run.image.shape == (3, 64, 128)
    assert torch.equal(step.image[:, ::2, ::2], step.image[:, 1::2, 1::2])


@pytest.mark.parametrize(
    ("palette", "words"),
    [
        ({"colours": 1}, ["colours", "1 is too small", "at least 2"]),
        ({"colours": 257}, ["colours", "at most 256"]),
        ({"fixed": "red"}, ["fixed", "unknown palette 'red'"]),
        ({"fixed": ["red"]}, ["fixed", "2 to 256 colours, not 1"]),
        ({"fixed": ["red", "#f00"]}, ["fixed", "all of them are #ff0000"]),
        ({"fixed": [[1, 0, 0]]}, ["fixed", "2 to 256 colours, not 1"]),
        ({"fixed": "gamebuoy"}, ["fixed", "unknown palette 'gamebuoy'", "gameboy"]),
        ({"fixed": ["red", "blakc"]}, ["fixed", "colour 2", "blakc"]),
        ({"fixed": ["red", [2, 0, 0]]}, ["fixed", "colour 2", "at most 1"]),
        ({"fixed": 3}, ["fixed", "a name of a palette or a list of colours"]),
        ({"fixed": "gameboy", "colours": 5}, ["fixed has 4 colours, not 5"]),
        ({"fixed": "gameboy", "image": "a.png"}, ["not both"]),
        ({"cells": "33 8"}, ["pixels.palette.cells", "33 x 8 cells", "32 x 32 pixels"]),
        ({"cells": 1000}, ["cells", "at most 512"]),
        ({"cell": "round"}, ["cell", "square"]),
    ],
)
def test_impossible_palettes_are_refused_in_words(palette: object, words: list[str]) -> None:
    message = refusal(palette)
    for word in words:
        assert word in message


def test_a_picture_that_becomes_smaller_than_its_cells_ends_the_run_in_words() -> None:
    assert "24 x 24 cells are more than" in refusal({"cells": 24}, resolution="32 if t < .5 else 16", epochs=4)


def test_the_index_is_an_ordinary_file(plain: PlainEncoder) -> None:
    run = Optimisation(experiment(pixels={"palette": {"colours": 3}}), plain)
    *_, step = run.steps()
    (make,) = run.extra_files(step).values()
    assert len(Image.open(io.BytesIO(make())).getcolors() or ()) <= 3
