"""The interrogation panel: what is saved of it and what it is sent."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest
from PIL import Image

import clipnb
from clipnb.interrogate.result import Interrogation
from clipnb.spreadsheet import unguard
from clipnb.widgets.interrogate.panel import InterrogationPanel
from clipnb.widgets.interrogate.pictures import KeptPicture
from clipnb.widgets.interrogate.work import Description, Job


@pytest.fixture
def panel() -> InterrogationPanel:
    return clipnb.interrogate_panel()


def describe(panel: InterrogationPanel, name: str, prompt: str) -> None:
    picture = KeptPicture.of_picture(Image.new("RGB", (9, 9)), name)
    found = Interrogation(prompt, "caption", prompt, "given", -0.1, {}, (), (), "tiny", 1.0, {})
    panel.session.descriptions.append(Description(Job(picture, "caption"), found))


def test_the_history_is_saved_without_formulas(panel: InterrogationPanel, tmp_path: Path) -> None:
    texts = ["=1+1", "@SUM(A1)", "\t+1", "plain"]
    for text in texts:
        describe(panel, f"{text}.png", text)
    panel.records.show()
    panel.records.place.value = str(tmp_path / "prompts.csv")
    panel.records.save.click()
    saved = pd.read_csv(tmp_path / "prompts.csv")
    for column in ("picture", "prompt", "caption"):
        assert not any(cell.lstrip().startswith(("=", "+", "-", "@")) for cell in saved[column])
    assert [unguard(cell) for cell in saved["prompt"]] == texts
    assert list(saved["similarity"]) == [-0.1] * 4
    assert list(panel.history["prompt"]) == texts


def test_the_history_is_not_saved_over_a_link(panel: InterrogationPanel, tmp_path: Path) -> None:
    describe(panel, "caf\udce9.png", "a cat")
    panel.records.show()
    (tmp_path / "prompts.csv").symlink_to(tmp_path / "nowhere")
    panel.records.place.value = str(tmp_path / "prompts")
    panel.records.save.click()
    assert panel.message.value == ""
    assert sorted(path.name for path in tmp_path.iterdir()) == ["prompts-1.csv", "prompts.csv"]
    assert not (tmp_path / "nowhere").exists()
    assert list(panel.history["picture"]) == ["caf\\xe9.png"]


@pytest.mark.parametrize("place", ["~nobody-here/x.png", "a\0b.png", "\ud800", "http://[", "/dev/zero"])
def test_a_place_that_no_picture_can_have_is_said(place: str, panel: InterrogationPanel) -> None:
    panel.shelf.place.value = place
    panel.shelf.opener.click()
    panel.records.place.value = f"{place}/out.csv"
    assert panel.gallery.pictures == []


def test_the_front_end_sets_no_picture_and_no_prompt(panel: InterrogationPanel) -> None:
    panel.set_state({"picture": "/etc/passwd", "prompt": "said by somebody"})
    assert panel.picture is None
    assert panel.prompt == ""
    assert panel.gallery.pictures == []
