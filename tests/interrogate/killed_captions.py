"""Interrogate a folder to captions with `lite`, to be killed meanwhile: python killed_captions.py FOLDER EXISTING."""

from __future__ import annotations

import sys
from pathlib import Path

from clipnb.interrogate import CaptionOptions, Interrogator, Settings, interrogate_folder
from clipnb.models.load import load_model

LISTS = {name: [f"{name} {number}" for number in range(6)] for name in ("mediums", "movements", "artists", "flavors")}
LISTS |= {name: [f"{name} {number}" for number in range(3)] for name in ("trendings", "negative", "objects")}


def main(folder: Path, existing: str) -> None:
    settings = Settings(quiet=True, tolerance=None, diverse=False, least_certainty=0)
    worker = Interrogator(load_model("lite", "cpu"), labels=LISTS, settings=settings)
    options = CaptionOptions(prepend="sks", append="good", existing=existing)
    print("begun", flush=True)
    done = interrogate_folder(folder, mode="classic", captions=options, batch_size=4, interrogator=worker)
    print("done", done.made, done.kept, done.captions.written, done.captions.kept, flush=True)


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2])
