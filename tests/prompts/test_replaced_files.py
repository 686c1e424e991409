"""Replacing thousands of files."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

import pytest

from clipnb.prompts.replaced_files import freed_in_threads

OPEN = Path("/proc/self/fd")


@pytest.mark.skipif(not OPEN.exists(), reason="tells no open files")
def test_few_replaced_files_are_open_at_a_time_and_none_at_the_end(tmp_path: Path) -> None:
    def held() -> int:
        count = 0
        for one in OPEN.iterdir():
            with suppress(FileNotFoundError):  # a thread closes it while it is looked at
                count += str(one.readlink()).startswith(str(tmp_path))
        return count

    most = 0
    (tmp_path / "a.txt").touch()
    with pytest.raises(KeyError), freed_in_threads() as hold:  # noqa: PT012 - what is held is counted
        for number in range(300):
            hold(str(tmp_path / ("a.txt" if number % 3 else "missing.txt")))
            most = max(most, held())
        raise KeyError
    assert 0 < most < 150
    assert held() == 0
