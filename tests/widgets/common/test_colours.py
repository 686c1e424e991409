"""The panels' own colours, against the backgrounds of JupyterLab and VS Code, dark and light: WCAG 2 AA."""

from __future__ import annotations

import re

import pytest

from clipnb.widgets.common.frontend import static

CSS = static("panel.css")
LIGHT, DARK = (
    dict(re.findall(r"--([\w-]+): (#[0-9a-f]{6})", rule)) for rule in re.findall(r"{[^}]*--accent: #[^}]*}", CSS)
)
PAPERS = {
    "JupyterLab light": (LIGHT, ("#ffffff", "#eeeeee")),
    "JupyterLab dark": (LIGHT | DARK, ("#111111", "#212121")),
    "VS Code light": (LIGHT, ("#ffffff", "#f8f8f8")),
    "VS Code dark": (LIGHT | DARK, ("#1f1f1f", "#202020")),
}


def luminance(colour: str) -> float:
    parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: str, other: str) -> float:
    dark, light = sorted((luminance(one), luminance(other)))
    return (light + 0.05) / (dark + 0.05)


@pytest.mark.parametrize("theme", PAPERS)
def test_links_and_numbers_of_mistaken_lines_can_be_read(theme: str) -> None:
    colours, papers = PAPERS[theme]
    for name in ("accent", "wrong"):
        assert min(contrast(colours[name], paper) for paper in papers) >= 4.5, (name, colours[name])


def test_words_on_colours_of_our_own_can_be_read() -> None:
    pairs = re.findall(r"background: (#[0-9a-f]{6}); color: (#[0-9a-f]{6});", CSS)
    assert len(pairs) == 4, "those of the lamp"
    for background, ink in [*pairs, (LIGHT["fill"], "#ffffff"), ("#b45309", "#ffffff")]:
        assert contrast(background, ink) >= 4.5, (background, ink)
