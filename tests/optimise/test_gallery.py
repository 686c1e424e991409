"""Sheets that show everything that is registered."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar

import numpy as np
import pytest
from PIL import Image
from torch import Tensor

from clipnb.optimise import gallery
from clipnb.optimise.constraints import CONSTRAINTS
from clipnb.optimise.gallery import show_constraints, show_parameterisations, show_transforms
from clipnb.optimise.language.manual.reference import markdown
from clipnb.optimise.language.scope import Scope
from clipnb.optimise.likeness import Likeness
from clipnb.optimise.parameterisations import PARAMETERISATIONS
from clipnb.optimise.transforms import TRANSFORMS, Transform
from tests.optimise.conftest import PlainEncoder

Rows = list[tuple[str, list[Image.Image]]]


@pytest.fixture
def photograph() -> Image.Image:
    from skimage import data

    return Image.fromarray(data.chelsea())


@pytest.fixture
def rows(monkeypatch: pytest.MonkeyPatch) -> Rows:
    """What goes onto the sheets."""
    kept: Rows = []
    real = gallery.contact_sheet

    def keep(given: Rows, **settings: int) -> Image.Image:
        kept.extend(given)
        return real(given, **settings)

    monkeypatch.setattr(gallery, "contact_sheet", keep)
    return kept


@pytest.fixture
def mirror() -> Iterator[type[Transform]]:
    class Mirror(Transform):
        """Turns the picture upside down."""

        name = "upside_down"
        is_random: ClassVar[bool] = False

        def apply(self, views: Tensor, scope: Scope) -> Tensor:
            return views.flip(-2)

    yield Mirror
    del TRANSFORMS["upside_down"]


def differ(one: Image.Image, other: Image.Image) -> bool:
    return one.size != other.size or float(np.abs(np.asarray(one, float) - np.asarray(other, float)).mean()) > 1.5


def test_every_transform_is_seen_to_do_something(photograph: Image.Image, rows: Rows) -> None:
    sheet = show_transforms(photograph)
    assert sheet.width > 4 * 2 * 96
    assert [caption.split(":")[0] for caption, _ in rows] == sorted(TRANSFORMS)
    assert [caption for caption, (one, other) in rows if not differ(one, other)] == []


def test_every_constraint_is_seen_to_do_something(photograph: Image.Image, rows: Rows) -> None:
    show_constraints(photograph, steps=10)
    shown = sorted(name for name, cls in CONSTRAINTS.items() if not issubclass(cls, Likeness))  # needs a picture
    assert [caption.split(":")[0] for caption, _ in rows] == shown
    assert [caption for caption, (one, other) in rows if not differ(one, other)] == []


def test_every_parameterisation_is_seen_to_follow(rows: Rows) -> None:
    show_parameterisations("a", PlainEncoder(), steps=5)
    assert [caption for caption, _ in rows] == sorted(PARAMETERISATIONS)
    assert all(differ(one, other) for _, (one, other) in rows)


def test_a_new_transform_enters_sheet_and_reference_by_itself(
    photograph: Image.Image, rows: Rows, mirror: type[Transform]
) -> None:
    show_transforms(photograph, ["upside_down"])
    ((_, pair),) = rows
    assert differ(*pair)
    assert "### `upside_down`" in markdown()
    assert "Turns the picture upside down." in markdown()
    mirror.example = {"active": True, "start": 0}
    assert mirror.example_text() == "upside_down: {active: True, start: 0}"


def test_what_needs_a_value_and_gives_no_example_is_left_out(
    photograph: Image.Image, rows: Rows, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(TRANSFORMS["add"], "example", None)
    show_transforms(photograph)
    assert len(rows) == len(TRANSFORMS) - 1


def test_the_reference_has_every_example() -> None:
    text = markdown()
    for registry in (TRANSFORMS, CONSTRAINTS, PARAMETERISATIONS):
        assert all(f"Example: `{cls.example_text()}`" in text for cls in registry.values())
    assert "`sqrt`" in text
    assert "`gauss`" in text
