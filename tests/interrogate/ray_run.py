"""A run on a local Ray cluster, one worker of which is killed, and then the same run again.

python ray_run.py FOLDER OUTPUT MODEL LABELS
"""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Generator, Iterable
from pathlib import Path

from clipnb.interrogate import Settings, interrogate_folder
from clipnb.interrogate.folder.image_files import ImageFile
from clipnb.interrogate.folder.manifest import RunOptions
from clipnb.interrogate.folder.ray import Cluster
from clipnb.interrogate.folder.worker import BatchRows

describe = Cluster.describe


def actors() -> list[int]:
    """Numbers of the processes on this machine that hold models for this run."""
    family, found = {os.getpid()}, []
    processes = sorted(int(entry.name) for entry in Path("/proc").iterdir() if entry.name.isdigit())
    for process in processes:
        try:
            parent = int(Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[1])
            title = Path(f"/proc/{process}/cmdline").read_bytes()
        except OSError:
            continue
        if parent in family:
            family.add(process)
            if title.startswith(b"ray::MapWorker"):
                found.append(process)
    return found


def describe_and_kill(self: Cluster, images: Iterable[ImageFile]) -> Generator[BatchRows, None, None]:
    """Work as always, and kill a worker after the second shard."""
    for number, done in enumerate(describe(self, images)):
        if number == 1:
            os.kill(actors()[0], signal.SIGKILL)
            print("killed one", flush=True)
        yield done


def main(folder: str, output: str, model: str, labels: str) -> None:
    settings = Settings(clip_model_name=model, device="cpu", quiet=True)
    with Cluster(RunOptions(workers=2), None, settings):  # started once for both runs, which find it
        for kind in (describe_and_kill, describe):
            Cluster.describe = kind
            run = interrogate_folder(
                folder, output, "classic", batch_size=4, workers=2, engine="ray", settings=settings, labels=labels
            )
            print("made", run.made, "kept", run.kept, "errors", run.errors, flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
