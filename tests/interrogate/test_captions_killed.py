"""A run that writes captions is killed while it interrogates and while it saves, and goes on."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from clipnb.prompts.caption_set import CaptionSet
from tests.dying import environment

PROGRAM = Path(__file__).with_name("killed_captions.py")
PICTURES, BATCHES = 60, 3


def run(folder: Path, cache: Path, existing: str, *moment: object) -> subprocess.CompletedProcess[str]:
    variables = environment(OMP_NUM_THREADS="1", CLIPNB_CACHE=str(cache))
    command = [sys.executable, str(PROGRAM), str(folder), existing, *map(str, moment)]
    return subprocess.run(command, env=variables, text=True, stdout=-1, check=False)


@pytest.mark.slow
@pytest.mark.skipif(os.name == "nt", reason="needs SIGKILL")
@pytest.mark.parametrize(
    ("existing", "moment"),
    [("append", ("a caption is there", 26)), ("skip", ("a caption is there", 1)), ("append", ("the save is over", 1))],
)
def test_a_killed_run_goes_on_and_writes_nothing_twice(
    existing: str, moment: tuple[str, int], drawn: Callable[[int], Path], tmp_path: Path
) -> None:
    folder, cache = drawn(PICTURES), tmp_path / "cache"
    good = [path for path in sorted(folder.iterdir()) if int(path.stem) % 10 != 3]
    for path in good[:20]:
        path.with_suffix(".txt").write_text("mine")

    def rows() -> int:
        return sum(path.read_bytes().count(b"\n") for path in cache.glob("interrogations/[!.]*.jsonl"))

    def written() -> int:
        return sum(path.read_text() != "mine" for path in folder.glob("*.txt"))

    assert run(folder, cache, existing, "a batch is there", BATCHES).returncode == -signal.SIGKILL
    assert (rows(), written()) == (4 * BATCHES, 0)
    assert run(folder, cache, existing, *moment).returncode == -signal.SIGKILL
    wanted = len(good) if existing == "append" else len(good) - 20
    assert rows() == wanted + PICTURES // 10
    assert written() == (wanted if moment[0] == "the save is over" else moment[1])
    last = run(folder, cache, existing)
    assert last.returncode == 0
    made, kept, new, left = map(int, last.stdout.split()[1:])
    assert (made, new) == (0, 0), "all rows were there, and what was left of the save is done first"
    assert kept + left >= len(good)
    assert not list(cache.glob("interrogations/*"))
    for path in good:
        text = path.with_suffix(".txt").read_text()
        before = "mine, " if existing == "append" and path in good[:20] else ""
        if existing == "skip" and path in good[:20]:
            assert text == "mine"
        else:
            assert text.startswith(f"sks, {before}")
            assert text.endswith(", good")
            assert (text.count("sks"), text.count("good"), text.count("flavors")) == (1, 1, 3)
    assert len(list(folder.glob("*.txt"))) == len(good)
    CaptionSet(folder).undo()
    assert {path.read_text() for path in folder.glob("*.txt")} == {"mine"}
    assert len(list(folder.glob("*.txt"))) == 20
