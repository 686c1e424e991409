"""What panels say of files that they saved."""

from __future__ import annotations

import base64
from pathlib import Path

import pytest

from clipnb.widgets.common import save_tab


def test_what_was_saved_is_named_and_linked(tmp_path: Path) -> None:
    picture, recipe = tmp_path / "a<b>.png", tmp_path / "a<b>.yaml"
    picture.write_bytes(b"picture")
    recipe.write_bytes(b"epochs: 1")
    saved = save_tab.saved_html([picture, recipe])
    assert f"saved {tmp_path / 'a&lt;b&gt;.png'}" in saved
    for kind, content in {"image/png": b"picture", "text/plain": b"epochs: 1"}.items():
        assert f"data:{kind};base64,{base64.b64encode(content).decode()}" in saved
    assert "<b>" not in saved


def test_what_no_link_can_carry_is_named_only(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    large, odd = tmp_path / "large.csv", tmp_path / "odd.bin"
    for path in (large, odd):
        path.write_bytes(bytes(9))
    monkeypatch.setattr(save_tab, "_LARGEST_LINK", 8)
    saved = save_tab.saved_html([large, odd])
    assert "large.csv" in saved
    assert "href" not in saved
