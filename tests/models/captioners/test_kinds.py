"""Captioners that are told something beside the picture: each architecture, saved and loaded by the real code."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from PIL import Image

from clipnb.models.captioner import load_captioner


def test_a_saved_captioner_is_loaded_and_writes(
    kind: str, save: Callable[[str], Path], pictures: list[Image.Image]
) -> None:
    captioner = load_captioner(str(save(kind)), "cpu", max_new_tokens=8, batch_size=2)
    captions = captioner.caption(pictures)
    assert captions == [captioner.caption([picture])[0] for picture in pictures]
    assert captions == captioner.caption([captioner.prepare(picture) for picture in pictures])
    assert len(set(captions)) > 1
