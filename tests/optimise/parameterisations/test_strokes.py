from __future__ import annotations

import io
import xml.etree.ElementTree as ET
from typing import TYPE_CHECKING

import numpy as np
import pytest
import torch
from PIL import Image
from torch import Tensor

from clipnb.errors import ConfigError
from clipnb.images import open_image, to_tensor
from clipnb.optimise.engine import Optimisation
from clipnb.optimise.language.config import ExperimentConfig
from clipnb.optimise.parameterisations.strokes_raster import Curves, draw
from tests.optimise.conftest import PlainEncoder, experiment
from tests.optimise.parameterisations.test_parameterisations import photograph

if TYPE_CHECKING:
    from playwright.sync_api import Browser


def random_curves(count: int, side: float, width: float, seed: int = 1) -> Curves:
    draws = torch.Generator().manual_seed(seed)
    begin = torch.rand(count, 1, 2, generator=draws) * side
    steps = torch.randn(count, 3, 2, generator=draws) * side / 15
    colours = torch.rand(count, 3, generator=draws)
    opacities = 0.5 + torch.rand(count, generator=draws) / 2
    return Curves(torch.cat([begin, begin + steps.cumsum(1)], 1), torch.full((count,), width), colours, opacities)


def drawn(curves: Curves, height: int, width: int, softness: float) -> Tensor:
    return draw(curves, torch.ones(3), (height, width), torch.tensor(softness), softness)


def drawn_slowly(curves: Curves, side: int) -> Tensor:
    """Draw with the distance of every pixel from many points of every curve."""
    y, x = torch.meshgrid(torch.arange(side) + 0.5, torch.arange(side) + 0.5, indexing="ij")
    pixels, t = torch.stack([x, y], -1).view(-1, 2), torch.linspace(0, 1, 300)[:, None]
    image = torch.ones(3, side * side)
    for points, width, colour, opacity in zip(*curves, strict=True):
        a, b, c, d = points
        curve = (1 - t) ** 3 * a + 3 * (1 - t) ** 2 * t * b + 3 * (1 - t) * t**2 * c + t**3 * d
        cover = (width / 2 + 0.5 - torch.cdist(pixels, curve).amin(1)).clamp(0, 1) * opacity
        image = image * (1 - cover) + colour[:, None] * cover
    return image.view(3, side, side)


def decibels(one: Tensor, other: Tensor) -> float:
    return float(-10 * (one - other).square().mean().log10())


def run_of(picture: Tensor | None = None, **changes: object) -> Optimisation:
    config = experiment(**{"epochs": 3, "pixels": "strokes", **changes})
    return Optimisation(config, PlainEncoder(), image=picture)


@pytest.mark.parametrize("width", [1.0, 4.0, 15.0])
def test_strokes_lie_over_one_another_where_their_curves_go(width: float) -> None:
    curves = random_curves(60, 120, width)
    assert decibels(drawn(curves, 120, 120, 1.0), drawn_slowly(curves, 120)) > 34


def test_a_straight_stroke_is_a_bar_with_round_ends() -> None:
    points = torch.tensor([[[10.0, 16.0], [20.0, 16.0], [30.0, 16.0], [40.0, 16.0]]])
    curves = Curves(points, torch.tensor([6.0]), torch.zeros(1, 3), torch.ones(1))
    image = drawn(curves, 32, 50, 1.0)[0]
    assert image[13:19, 10:40].max() < 0.01
    assert image[:12].min() > 0.99
    assert image[20:].min() > 0.99
    assert 1 - image.mean() == pytest.approx((30 * 6 + torch.pi * 9) / (32 * 50), rel=0.02)


def test_gradients_are_the_slopes_of_the_loss() -> None:
    noise = torch.rand(1, 3, 6, 6, generator=torch.Generator().manual_seed(2))
    weights = torch.nn.functional.interpolate(noise, (96, 96), mode="bicubic")[0]
    curves = Curves(*(part.requires_grad_() for part in random_curves(30, 96, 7.0)))

    def loss(parts: Curves) -> Tensor:
        return (drawn(parts, 96, 96, 1.0) * weights).sum()

    loss(curves).backward()
    draws = torch.Generator().manual_seed(3)
    for place, part in enumerate(curves):
        wanted, found = [], []
        for _ in range(8):
            way = torch.randn(part.shape, generator=draws) * 0.02
            with torch.no_grad():
                ends = [Curves(*curves[:place], part + way * sign, *curves[place + 1 :]) for sign in (1, -1)]
                wanted.append(float(loss(ends[0]) - loss(ends[1])) / 2)
            assert part.grad is not None
            found.append(float((part.grad * way).sum()))
        assert np.corrcoef(found, wanted)[0, 1] > 0.95
        assert np.std(found) == pytest.approx(np.std(wanted), rel=0.2)


def test_a_stroke_is_drawn_to_what_is_beside_it() -> None:
    points = torch.tensor([[[8.0, 10.0], [16.0, 10.0], [24.0, 10.0], [32.0, 10.0]]], requires_grad=True)
    curves = Curves(points, torch.tensor([4.0]), torch.zeros(1, 3), torch.ones(1))
    wanted = torch.ones(3, 40, 40)
    wanted[:, 12:16, 8:32] = 0
    (drawn(curves, 40, 40, 3.0) - wanted).square().sum().backward()
    assert points.grad is not None
    assert points.grad[0, :, 1].max() < 0  # down, where the black is


def test_much_is_drawn_in_parts_with_the_same_gradient(monkeypatch: pytest.MonkeyPatch) -> None:
    from clipnb.optimise.parameterisations import strokes_raster

    gradients = []
    for pairs in (strokes_raster.MOST_KEPT, 0):
        monkeypatch.setattr(strokes_raster, "MOST_KEPT", pairs)
        points, *others = random_curves(40, 64, 6.0)
        points.requires_grad_()
        drawn(Curves(points, *others), 64, 64, 1.0).square().sum().backward()
        gradients.append(points.grad)
    assert torch.equal(*gradients)


def test_nothing_to_draw_is_paper() -> None:
    far = random_curves(3, 30, 2.0)._replace(points=torch.full((3, 4, 2), 900.0))
    assert torch.allclose(drawn(far, 9, 13, 1.0), torch.ones(3, 9, 13))


def test_a_picture_to_begin_with_is_painted() -> None:
    image = photograph(64, 64)
    many, few = (run_of(image, resolution=64, pixels={"strokes": {"count": count}}).image for count in (400, 30))
    assert decibels(many, image) > 20
    assert decibels(many, image) > decibels(few, image) + 2


def test_paper_count_and_width_are_as_asked() -> None:
    run = run_of(resolution=64, pixels={"strokes": {"count": 3, "width": 2, "paper": "#102030"}})
    paper = (run.image - torch.tensor([16, 32, 48])[:, None, None] / 255).abs().amax(0) < 1e-4
    assert 0.9 < paper.float().mean() < 1
    *_, step = run.steps()
    svg = ET.fromstring(run.extra_files(step)[".svg"]())
    assert len(svg.findall(".//{*}path")) == 3
    assert svg.find("{*}rect").get("fill") == "#102030"  # type: ignore[union-attr]


def test_strokes_keep_their_places_when_the_picture_grows() -> None:
    sizes = "32 if t < .5 else 128"
    steps = list(run_of(resolution=sizes, epochs=2, learnrate=0).steps())
    assert [step.image.shape[-1] for step in steps] == [32, 128]
    shrunk = torch.nn.functional.interpolate(steps[1].image[None], (32, 32), mode="area")[0]
    assert (shrunk - steps[0].image).abs().mean() < 0.03


def test_in_a_wide_picture_strokes_are_everywhere() -> None:
    image = run_of(resolution="96 32", pixels={"strokes": {"count": 200}}).image
    halves = [(half < 0.9).float().mean() for half in (image[..., :48], image[..., 48:])]
    assert min(halves) > 0.3


@pytest.mark.parametrize(
    ("pixels", "words"),
    [
        ({"count": 100_000}, ["count", "100000 is too large", "at most 5000"]),
        ({"count": 0}, ["count", "at least 1"]),
        ({"width": 0}, ["width", "at least 0.5"]),
        ({"paper": [255, 0, 0]}, ["paper", "full intensity is 1"]),
        ({"colour": "red"}, ["colour"]),
    ],
)
def test_impossible_strokes_are_refused_in_words(pixels: object, words: list[str]) -> None:
    with pytest.raises(ConfigError) as caught:
        ExperimentConfig.from_dict({"pixels": {"strokes": pixels}})
    for word in words:
        assert word in str(caught.value)


def test_postproc_is_refused_where_strokes_cannot_follow() -> None:
    with pytest.raises(ConfigError, match=r"postproc: strokes cannot take up .* put these transforms into a target"):
        ExperimentConfig.from_dict({"pixels": "strokes", "postproc": [{"blur": 3}]})


@pytest.mark.browser
@pytest.mark.parametrize("begin", ["noise", "photograph"])
def test_the_svg_is_the_picture_in_a_browser(begin: str, chromium: Browser) -> None:
    image = photograph(224, 224) if begin == "photograph" else None
    run = run_of(image, resolution="224 200", init={"std": 0.3})
    *_, step = run.steps()
    svg = run.extra_files(step)[".svg"]()
    page = chromium.new_page(viewport={"width": 224, "height": 200})
    page.set_content(f"<body style='margin:0'>{svg.decode()}</body>")
    seen = to_tensor(open_image(Image.open(io.BytesIO(page.screenshot()))))
    page.close()
    assert decibels(seen, step.image) > 30
