"""The interrogation panel: what is saved of it and what it is sent."""

from __future__ import annotations

import os
from pathlib import Path

import pandas as pd
import pytest
from PIL import Image

import clipnb
from clipnb.interrogate.result import Interrogation
from clipnb.spreadsheet import unguard
from clipnb.widgets.interrogate.panel import InterrogationPanel
from clipnb.widgets.interrogate.session import Described, KeptImage, Request


@pytest.fixture
def panel() -> InterrogationPanel:
    return clipnb.interrogate_panel()


def describe(panel: InterrogationPanel, image: KeptImage, prompt: str) -> None:
    result = Interrogation(prompt, "caption", prompt, "given", -0.1, {}, (), (), "tiny", 1.0, {})
    panel.session.described.append(Described(Request(image, "caption"), result))
    panel.history_tab.show()


def test_the_history_is_saved_without_formulas(panel: InterrogationPanel, tmp_path: Path) -> None:
    texts = ["=1+1", "@SUM(A1)", "\t+1", "plain"]
    for text in texts:
        describe(panel, KeptImage(f"{text}.png", (9, 9), b"", b"", b""), text)
    panel.history_tab.place.value = str(tmp_path / "prompts.csv")
    panel.history_tab.save.click()
    saved = pd.read_csv(tmp_path / "prompts.csv")
    for column in ("picture", "prompt", "caption"):
        assert not any(cell.lstrip().startswith(("=", "+", "-", "@")) for cell in saved[column])
    assert [unguard(cell) for cell in saved["prompt"]] == texts
    assert list(saved["similarity"]) == [-0.1] * 4
    assert list(panel.history["prompt"]) == texts


def test_the_history_is_not_saved_over_a_link(panel: InterrogationPanel, tmp_path: Path) -> None:
    (tmp_path / "images").mkdir()
    place = tmp_path / "images" / os.fsdecode(b"caf\xe9.png")
    Image.new("RGB", (9, 9)).save(place)
    panel.gallery.add(place)
    describe(panel, panel.gallery.images[0], "a cat")
    (tmp_path / "prompts.csv").symlink_to(tmp_path / "nowhere")
    panel.history_tab.place.value = str(tmp_path / "prompts")
    panel.history_tab.save.click()
    assert panel.message.value == ""
    assert sorted(path.name for path in tmp_path.iterdir()) == ["images", "prompts-1.csv", "prompts.csv"]
    assert not (tmp_path / "nowhere").exists()
    assert list(panel.history["picture"]) == ["caf\\xe9.png"]


@pytest.mark.parametrize("place", ["~nobody-here/x.png", "a\0b.png", "\ud800", "http://[", "/dev/zero"])
def test_a_place_that_no_picture_can_have_is_said(place: str, panel: InterrogationPanel) -> None:
    panel.gallery.place.value = place
    panel.gallery.add_place.click()
    panel.history_tab.place.value = f"{place}/out.csv"
    assert panel.gallery.images == []


def test_the_front_end_sets_no_picture_and_no_prompt(panel: InterrogationPanel) -> None:
    panel.set_state({"picture": "/etc/passwd", "prompt": "said by somebody"})
    assert panel.picture is None
    assert panel.prompt == ""
    assert panel.gallery.images == []
