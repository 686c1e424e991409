"""A run that writes captions is killed while it interrogates and while it saves, and goes on."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from clipnb.prompts.caption_set import CaptionSet

PROGRAM = Path(__file__).with_name("killed_captions.py")
PICTURES = 60


def start(folder: Path, cache: Path, existing: str) -> subprocess.Popen[str]:
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "CLIPNB_CACHE": str(cache)}
    return subprocess.Popen([sys.executable, PROGRAM, folder, existing], env=environment, text=True, stdout=-1)


def kill_when(run: subprocess.Popen[str], is_time: Callable[[], bool]) -> bool:
    """Kill a run at a moment; False where it ended before."""
    end = time.monotonic() + 120
    while not is_time() and run.poll() is None and time.monotonic() < end:
        time.sleep(0.001)
    if run.poll() is None:
        run.send_signal(signal.SIGKILL)
    return run.wait() == -signal.SIGKILL


def finish(run: subprocess.Popen[str]) -> tuple[int, ...]:
    out, _ = run.communicate(timeout=240)
    assert run.returncode == 0
    return tuple(map(int, out.splitlines()[-1].split()[1:]))


@pytest.mark.slow
@pytest.mark.skipif(os.name == "nt", reason="needs SIGKILL")
@pytest.mark.parametrize("existing", ["append", "skip"])
def test_a_killed_run_goes_on_and_writes_nothing_twice(
    existing: str, drawn: Callable[[int], Path], tmp_path: Path
) -> None:
    folder, cache = drawn(PICTURES), tmp_path / "cache"
    good = [path for path in sorted(folder.iterdir()) if int(path.stem) % 10 != 3]
    for path in good[:20]:
        path.with_suffix(".txt").write_text("mine")

    def rows() -> int:
        return sum(path.read_bytes().count(b"\n") for path in cache.glob("interrogations/[!.]*.jsonl"))

    def written() -> int:
        return len(list(folder.glob("*.txt")))

    assert kill_when(start(folder, cache, existing), lambda: rows() >= 12)
    assert written() == 20
    kill_when(start(folder, cache, existing), lambda: written() > 25)
    made, kept, new, left = finish(start(folder, cache, existing))
    assert made < PICTURES - 12 or made == 0
    assert kept + left > 0
    assert new <= len(good)
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
    assert written() == len(good)
    CaptionSet(folder).undo()
    assert {path.read_text() for path in folder.glob("*.txt")} == {"mine"}
    assert written() == 20
