"""Interrogate a folder to captions with `lite`: python killed_captions.py FOLDER EXISTING [MOMENT NUMBER].

With a moment the process kills itself when that comes for so many times, as `kill -9` would.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Any

from clipnb.interrogate import CaptionOptions, Interrogator, Settings, interrogate_folder
from clipnb.interrogate.folder.caption_writing import Captions
from clipnb.interrogate.folder.text_rows import JsonLines
from clipnb.models.load import load_model
from tests.dying import die_at

LISTS = {name: [f"{name} {number}" for number in range(6)] for name in ("mediums", "movements", "artists", "flavors")}
LISTS |= {name: [f"{name} {number}" for number in range(3)] for name in ("trendings", "negative", "objects")}
MOMENTS: dict[str, tuple[Any, str]] = {
    "a batch is there": (JsonLines, "append"),
    "a caption is there": (os, "replace"),
    "the save is over": (Captions, "write"),
}


def is_meant(*given: Any, **_: Any) -> bool:
    """Whether a call is not one of `os.replace` for another file than a caption."""
    return not isinstance(given[0], (str, os.PathLike)) or str(given[1]).endswith(".txt")


def main(folder: Path, existing: str, *moment: str) -> None:
    settings = Settings(quiet=True, tolerance=None, diverse=False, least_certainty=0)
    worker = Interrogator(load_model("lite", "cpu"), labels=LISTS, settings=settings)
    options = CaptionOptions(prepend="sks", append="good", existing=existing)
    if moment:
        die_at(*MOMENTS[moment[0]], int(moment[1]), after=True, counts=is_meant)
    done = interrogate_folder(folder, mode="classic", captions=options, batch_size=4, interrogator=worker)
    print("done", done.made, done.kept, done.captions.written, done.captions.kept, flush=True)


if __name__ == "__main__":
    main(Path(sys.argv[1]), *sys.argv[2:])
