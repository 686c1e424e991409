"""Kill a run over a folder again and again, and start it again: python interrupted_run.py FOLDER OUTPUT MODEL KILLS.

The models are loaded once; every run is a child process of its own. OUTPUT gets its suffix from the caller; the
undisturbed run is written beside it, with `whole-` before its name. Prints what the kills left.
"""

from __future__ import annotations

import os
import random
import signal
import sys
import time
from pathlib import Path

from clipnb.interrogate import Interrogator, Settings, interrogate_folder
from clipnb.interrogate.folder import parquet as shards
from clipnb.models.load import load_model

LISTS = {name: [f"{name} {number}" for number in range(6)] for name in ("mediums", "movements", "artists", "flavors")}
LISTS |= {name: [f"{name} {number}" for number in range(3)] for name in ("trendings", "negative", "objects")}


def start(worker: Interrogator, folder: Path, output: Path) -> int:
    """Begin a run in a child process; its number."""
    child = os.fork()
    if child:
        return child
    try:
        interrogate_folder(folder, output, "classic", batch_size=4, interrogator=worker)
        os._exit(0)
    finally:
        os._exit(1)


def size(output: Path) -> int:
    """Bytes of a file, or of the files of a folder."""
    files = output.glob("part-*") if output.suffix == ".parquet" else [output]
    return sum(file.stat().st_size for file in files if file.exists())


def kill_after(child: int, output: Path, growth: int, delay: float) -> bool:
    """Kill a run when its output has grown and a moment has passed; False where it ended before."""
    before = size(output)
    while size(output) < before + growth:
        if os.waitpid(child, os.WNOHANG)[0]:
            return False
        time.sleep(0.0005)
    time.sleep(delay)
    os.kill(child, signal.SIGKILL)
    _, status = os.waitpid(child, 0)
    return os.WIFSIGNALED(status)


def main(folder: Path, output: Path, model: str, kills: int) -> None:
    shards.SHARD_ROWS = 8  # so that there are some to lose
    worker = Interrogator(load_model(model, "cpu"), labels=LISTS, settings=Settings(quiet=True))
    for name in LISTS:
        worker.tables.open(name)
    whole = output.with_name(f"whole-{output.name}")
    assert os.waitpid(start(worker, folder, whole), 0)[1] == 0
    chance, share = random.Random(0), size(whole) // (kills + 1)
    killed = 0
    for _ in range(kills):
        killed += kill_after(start(worker, folder, output), output, chance.randrange(1, share), 0.01 * chance.random())
    print("killed", killed, "left", size(output), "of", size(whole), flush=True)
    assert os.waitpid(start(worker, folder, output), 0)[1] == 0


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3], int(sys.argv[4]))
