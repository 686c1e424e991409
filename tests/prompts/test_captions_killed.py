"""A save or undoing of captions that is killed at any point, and two programs in one folder."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from clipnb import CaptionSet
from clipnb.errors import OutputError
from tests.dying import environment

FILES = 200
pytestmark = pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="needs kill -9")
DIES = """
import os, sys
from clipnb import CaptionSet
from tests.dying import die_at
folder, work, calls, name = sys.argv[1], sys.argv[2], int(sys.argv[3]), sys.argv[4]
captions = CaptionSet(folder)
captions.append("new") if work == "save" else None
die_at(os, name, calls + 1)
getattr(captions, work)()
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for number in range(FILES):
        (tmp_path / f"{number:03}.png").write_bytes(b"image")
        (tmp_path / f"{number:03}.txt").write_text(f"1girl, seed {number}")
    return tmp_path


def texts(folder: Path) -> list[str]:
    return [path.read_text() for path in sorted(folder.glob("*.txt"))]


OLD = [f"1girl, seed {number}" for number in range(FILES)]
NEW = [f"{text}, new" for text in OLD]


def killed(folder: Path, work: str, calls: int, name: str) -> None:
    command = [sys.executable, "-c", DIES, folder, work, str(calls), name]
    assert subprocess.run(command, env=environment(), check=False).returncode == -signal.SIGKILL


@pytest.mark.parametrize(("name", "calls"), [("replace", 0), ("replace", 1), ("replace", 70), ("write", 3)])
def test_killed_save_loses_nothing_and_is_finished_by_the_next_program(
    name: str, calls: int, folder: Path, caplog: pytest.LogCaptureFixture
) -> None:
    killed(folder, "save", calls, name)
    half = texts(folder)
    assert all(text in (old, new) for text, old, new in zip(half, OLD, NEW, strict=True))
    logged = any((folder / ".clipnb-captions").glob("[0-9]*.saving"))
    captions = CaptionSet(folder)
    assert texts(folder) == (NEW if logged else OLD)
    assert ("interrupted is finished: 200 captions written" in caplog.text) == logged
    if not logged:
        captions.append("new")
        captions.save()
    captions.undo()
    assert texts(folder) == OLD
    assert not list(folder.glob("*.part"))


@pytest.mark.parametrize("calls", [0, 1, 99])
def test_killed_undo_is_finished_by_the_next_program(calls: int, folder: Path) -> None:
    captions = CaptionSet(folder)
    captions.append("new")
    captions.save()
    killed(folder, "undo", calls, "replace")
    captions = CaptionSet(folder)
    if texts(folder) == NEW:  # it was killed before the first file
        captions.undo()
    assert texts(folder) == OLD


def test_kill_and_a_change_by_hand_in_between_keeps_the_hand(folder: Path) -> None:
    killed(folder, "save", 50, "replace")
    (folder / "199.txt").write_text("by hand")
    CaptionSet(folder)
    assert texts(folder) == [*NEW[:-1], "by hand"]


SAVES = """
import sys
from clipnb import CaptionSet
from clipnb.prompts import caption_log
captions = CaptionSet(sys.argv[1])
captions.append("other")
real = caption_log.write_whole
def held(*given):
    caption_log.write_whole = real
    print("begun", flush=True)
    sys.stdin.readline()
    real(*given)
caption_log.write_whole = held
print(captions.save())
"""


def test_two_programs_saving_at_once_are_kept_apart(folder: Path) -> None:
    captions = CaptionSet(folder)
    captions.append("mine")
    command = [sys.executable, "-c", SAVES, str(folder)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as other:
        assert other.stdout is not None
        assert other.stdout.readline() == "begun\n"
        with pytest.raises(OutputError, match="another program saves captions"):
            captions.save()
        assert "200 captions written" in other.communicate("go on\n")[0]
    assert captions.save().count == 0
    assert texts(folder) == [f"{text}, other" for text in OLD]
    captions.reload()
    captions.append("mine")
    assert captions.save().count == FILES
    assert os.path.exists(folder / ".clipnb-captions")  # noqa: PTH110
