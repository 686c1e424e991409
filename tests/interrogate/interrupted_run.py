"""Kill a run over a folder again and again, and start it again: python interrupted_run.py FOLDER OUTPUT MODEL KILLS.

The models are loaded once; every run is a child process of its own, which kills itself after so many calls of functions
since it wrote some batch. OUTPUT gets its suffix from the caller; the undisturbed run is written beside it, with
`whole-` before its name. Prints what the kills left.
"""

from __future__ import annotations

import mmap
import os
import signal
import sys
from pathlib import Path
from types import FrameType
from typing import Any

from clipnb.interrogate import Interrogator, Settings, interrogate_folder
from clipnb.interrogate.folder import parquet as shards
from clipnb.interrogate.folder.run_log import RunLog
from clipnb.models.load import load_model

LISTS = {name: [f"{name} {number}" for number in range(6)] for name in ("mediums", "movements", "artists", "flavors")}
LISTS |= {name: [f"{name} {number}" for number in range(3)] for name in ("trendings", "negative", "objects")}
CALLS = mmap.mmap(-1, 8)  # shared with the children


def count_calls(batch: int, last: int | None) -> None:
    """Count the calls of this thread from a batch's rows on; at the last one the process is killed."""
    append, batches, count = RunLog.append, 0, 0

    def counted(_frame: FrameType, event: str, _what: object) -> None:
        nonlocal count
        count += event in ("call", "c_call")
        CALLS[:] = count.to_bytes(8, "big")
        if count == last:
            os.kill(os.getpid(), signal.SIGKILL)

    def appended(self: RunLog, rows: Any) -> None:
        nonlocal batches
        batches += 1
        if batches == batch:
            sys.setprofile(counted)
        append(self, rows)

    RunLog.append = appended  # type: ignore[method-assign]


def run(worker: Interrogator, folder: Path, output: Path, batch: int = 1, last: int | None = None) -> int:
    """Run in a child process; its exit status, or minus the signal that ended it."""
    child = os.fork()
    if child:
        return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    try:
        count_calls(batch, last)
        interrogate_folder(folder, output, "classic", batch_size=4, interrogator=worker)
        os._exit(0)
    finally:
        os._exit(1)


def size(output: Path) -> int:
    """Bytes of a file, or of the files of a folder."""
    files = output.glob("part-*") if output.suffix == ".parquet" else [output]
    return sum(file.stat().st_size for file in files if file.exists())


def main(folder: Path, output: Path, model: str, kills: int) -> None:
    shards.SHARD_ROWS = 8  # so that there are some to lose
    worker = Interrogator(load_model(model, "cpu"), labels=LISTS, settings=Settings(quiet=True))
    for name in LISTS:
        worker.tables.open(name)
    whole = output.with_name(f"whole-{output.name}")
    assert run(worker, folder, whole) == 0
    calls = int.from_bytes(CALLS[:], "big") * 4 // len(list(folder.iterdir()))  # a batch
    moments = [(1 + number % 3, 1 + calls * number // kills) for number in range(kills)]
    killed = sum(run(worker, folder, output, *moment) == -signal.SIGKILL for moment in moments)
    print("killed", killed, "left", size(output), "of", size(whole), flush=True)
    assert run(worker, folder, output) == 0


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3], int(sys.argv[4]))
