from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from clipnb.sheets import contact_sheet

RED, BLUE = Image.new("RGB", (40, 20), "red"), Image.new("RGBA", (200, 100), "blue")


def colours(sheet: Image.Image, colour: tuple[int, int, int]) -> int:
    return int((np.asarray(sheet) == colour).all(-1).sum())


def test_pictures_keep_their_shape_and_none_is_larger_than_asked() -> None:
    sheet = contact_sheet([("one", [RED]), ("two", [BLUE])], columns=2, side=40)
    assert colours(sheet, (255, 0, 0)) == colours(sheet, (0, 0, 255)) == 40 * 20
    assert RED.size == (40, 20)
    assert BLUE.size == (200, 100)


def test_columns_and_rows() -> None:
    narrow, wide = (contact_sheet([(str(n), [RED]) for n in range(5)], columns=c, side=40) for c in (2, 9))
    assert narrow.height > 2.5 * wide.height
    assert wide.width > 2 * narrow.width


def test_captions_are_cut_where_their_pictures_end() -> None:
    short, long = (contact_sheet([(text, [RED]), ("", [RED])], columns=2, side=40) for text in ("a", "word " * 50))
    assert short.size == long.size
    right = slice(long.width // 2 + 4, None)
    assert (np.asarray(short)[:, right] == np.asarray(long)[:, right]).all()
    assert (np.asarray(short) != np.asarray(long)).any()


@pytest.mark.parametrize(("count", "settings"), [(0, {}), (1, {"columns": 0}), (1, {"side": 0})])
def test_what_cannot_be_laid_out_is_refused(count: int, settings: dict[str, int]) -> None:
    with pytest.raises(ValueError, match="contact sheet needs"):
        contact_sheet([("a", [RED])] * count, **settings)
