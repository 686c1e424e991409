"""Pictures of the panels, by hand: at every width, light and dark, to look at; and those of README.

    python tests/screenshots.py FOLDER             widths of a screen, a laptop, a narrow column and a phone
    python tests/screenshots.py --readme           notebooks/images/live.png, interrogate.png and tag-panel.png

In a real JupyterLab and Chromium, with `lite`. README's have 1,112 pixels and a palette, a tenth of a megabyte each.
"""

from __future__ import annotations

import argparse
import io
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from PIL import Image

from tests.browser.conftest import jupyterlab, lab  # noqa: F401 - fixtures
from tests.browser.shown import Shown

if TYPE_CHECKING:
    from tests.browser.conftest import Notebook

README, FOLDER = Path(__file__).parents[1] / "notebooks" / "images", "CLIPNB_SCREENSHOTS"
WIDTHS, OF_README = (1920, 1280, 700, 390), 1112
LARGE = 180_000  # bytes
MARGIN = 150  # pixels of JupyterLab on both sides of a panel
THEMES = ("JupyterLab Light", "JupyterLab Dark")
TO_THEME = "theme => window.jupyterapp.commands.execute('apputils:change-theme', { theme })"
IS_LIGHT = "light => document.body.dataset.jpThemeLight === light"
PHOTOGRAPHS = "[skimage.data.coffee(), skimage.data.astronaut(), skimage.data.cat()]"
BEGIN = """
import clipnb, skimage, ipywidgets, pathlib, tempfile
from PIL import Image
from clipnb.files import shipped
encoder = clipnb.load_model("lite", "cpu")
folder = pathlib.Path(tempfile.mkdtemp())
for name, caption in dict(coffee="a cup of coffee, wood", cat="a cat, close", rocket="night").items():
    Image.fromarray(getattr(skimage.data, name)()).save(folder / f"{name}.png")
    (folder / f"{name}.txt").write_text(caption)
"""
PANELS = {
    "live": "clipnb.live('a jellyfish', encoder=encoder)",
    "interrogate": f"clipnb.interrogate_panel(*{PHOTOGRAPHS}, encoder=encoder)",
    "tag-panel": "clipnb.tag_panel(clipnb.load_prompts(shipped('prompts')))",
    "dataset": "clipnb.dataset_panel(folder, encoder=encoder)",
    "explore": "clipnb.explore('a red rose', seeds=4, epochs=60, resolution=128, encoder=encoder, output=folder)",
}


def make_ready(name: str, shown: Shown) -> None:
    """Do what a person would have done before the picture."""
    if name == "live":
        shown.press("Start")
        shown.notebook.until("getattr(panel.session.newest, 'index', 0) >= 560", 300)
        shown.press("Pause")
        shown.says("paused")
    elif name == "interrogate":
        for count in (1, 2):  # the first one embeds the labels
            shown.press("Describe")
            shown.until(f"len(panel.history) == {count}")
            shown.says("done")
    elif name == "tag-panel":
        search = shown.box.get_by_placeholder("find a tag")
        search.fill("watercolor")
        search.press("Enter")
        shown.says("Goes with")
        shown.press("Add to the prompt")
        shown.box.get_by_placeholder("subject").fill("a lighthouse by the sea")
        shown.box.get_by_placeholder("add a tag").fill("fine details, peaceful")
        shown.box.get_by_placeholder("add a tag").press("Enter")
        shown.until("panel.selected[1:] == ['fine details', 'peaceful']")
        shown.box.locator(".clipnb-graph[data-state=rest]").wait_for()
    elif name == "explore":
        shown.says("done")
    shown.notebook.page.wait_for_timeout(1500)  # pictures are decoded, plots and graphs come to rest


def shoot(shown: Shown, width: int, theme: str, path: Path) -> None:
    page = shown.notebook.page
    page.set_viewport_size({"width": width, "height": 2600})
    page.evaluate(TO_THEME, theme)
    page.wait_for_function(IS_LIGHT, arg=str("Light" in theme).lower())
    page.wait_for_timeout(800)  # plots and graphs take their new size
    shown.box.screenshot(path=path)


def shoot_all(shown: Shown, path: Path) -> None:
    """Shoot a panel at every width, light and dark; each of its tabs, and a comparison, on a laptop and a phone."""
    for theme in THEMES:
        for width in WIDTHS:
            shoot(shown, width, theme, path.with_name(f"{path.name}-{width}-{theme.split()[1].lower()}.png"))
    buttons = [shown.box.get_by_role("button", name="Compare")] if path.name == "live" else []
    for one in [*shown.box.get_by_role("tab").all(), *buttons]:
        one.click()
        for theme, width in zip(THEMES, (1280, 390), strict=True):
            shoot(shown, width, theme, path.with_name(f"{path.name}-{one.inner_text().split()[0].lower()}-{width}.png"))


def in_few_colours(path: Path) -> None:
    """Give a photograph's picture, which is large, few colours; others keep theirs, of which legends have each once."""
    if path.stat().st_size < LARGE:
        return
    picture = Image.open(io.BytesIO(path.read_bytes())).convert("RGB")
    picture.quantize(256, Image.Quantize.MEDIANCUT, dither=Image.Dither.FLOYDSTEINBERG).save(path, optimize=True)


@pytest.mark.parametrize("name", PANELS)
def test_screenshots(name: str, lab: Callable[[str], Notebook]) -> None:  # noqa: F811
    folder, notebook = os.environ.get(FOLDER), lab(name)
    notebook.run(BEGIN)
    output = notebook.run(f"panel = {PANELS[name]}\npanel")
    shown = Shown(notebook, output.locator(".clipnb-panel").first)
    if not folder and not (README / f"{name}.png").exists():
        return
    make_ready(name, shown)
    if folder:
        shoot_all(shown, Path(folder) / name)
        return
    path = README / f"{name}.png"
    shoot(shown, OF_README + MARGIN, "JupyterLab Light", path)
    in_few_colours(path)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("folder", nargs="?", default="")
    parser.add_argument("--readme", action="store_true")
    parser.add_argument("--only", default="", help="a panel's name")
    given = parser.parse_args()
    if bool(given.folder) == given.readme:
        parser.error("name a folder, or give --readme")
    os.environ[FOLDER] = given.folder
    sys.exit(pytest.main(["-n", "0", "-q", "-k", given.only, __file__]))
