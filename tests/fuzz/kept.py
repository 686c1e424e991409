"""What clipnb itself keeps and goes on with, and configurations of what it takes from elsewhere."""

from __future__ import annotations

import json
import shutil
import struct
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from random import Random
from typing import Any

import torch
from pydantic import ValidationError
from safetensors.torch import save

from clipnb.bundle.manifest import check_bundle
from clipnb.errors import ClipnbError
from clipnb.interrogate.folder.manifest import FORMAT, claimed
from clipnb.interrogate.folder.rows import Output, Row
from clipnb.interrogate.folder.text_rows import Csv, JsonLines
from clipnb.interrogate.kaggle.config import read_config
from clipnb.interrogate.labels.cache import TableCache
from clipnb.models.captioners.tagger import read_tags
from clipnb.models.checks.probe import Verdict
from clipnb.models.checks.safety import check_folder
from clipnb.optimise.run_state import RunState
from clipnb.prompts.caption_log import FOLDER as LOGS
from clipnb.prompts.caption_log import CaptionLog
from clipnb.tags.page import read_positions
from tests.fuzz.grammar import as_csv, documents, like
from tests.fuzz.hunt import FOLDER
from tests.fuzz.readers import of_file

# Caches and states

CACHE = TableCache(FOLDER, "flavors", "0" * 24)
CACHE.keep(torch.zeros(3, 4).half())
STATE_FACTS = {
    "index": 1, "seed": 1, "size": [2, 2], "parts": 1, "device": "cpu", "models": {"lite": "a"}, "torch": "2",
    "record": [1, [0.5], [[0, 0, "whole", "a", 1.0, 1, 1, [0.5], [0.5]]]], "seconds": 1.0,
}  # fmt: skip
ABOUT = {"version": 1, "clipnb": "1", "experiment": {"epochs": 5}, "facts": STATE_FACTS}


def state(about: Mapping[str, Any]) -> bytes:
    return save({"picture.pixels": torch.zeros(3, 2, 2)}, {"clipnb": json.dumps(about)})


def table(draw: Random) -> bytes:
    """Return a table of labels, whose checksum fits, mostly of the size that is asked for."""
    rows = torch.tensor([[draw.uniform(-1, 1) for _ in range(4)] for _ in range(draw.choice([3] * 8 + [0, 4]))])
    CACHE.keep(rows.half() if draw.random() < 0.9 else rows)
    return CACHE.path.read_bytes()


def opened(_path: Path) -> None:
    if CACHE.load((3, 4)) is None:
        raise ClipnbError("it is made again")


def header_of(content: bytes) -> bytes:
    return content[8 : 8 + int.from_bytes(content[:8], "little")]


def header(draw: Random) -> bytes:
    """Return the header of a table of labels, as it is or nearly so."""
    known = json.loads(header_of(KEPT))
    return json.dumps(known if draw.random() < 0.5 else like(known, draw), indent=draw.choice([None, 1])).encode()


def with_header(read: Callable[[Path], object], size: int, path: Path) -> None:
    """Read a file of tensors, zeros in so many bytes, that has a text as its header."""
    header = path.read_bytes()
    path.write_bytes(struct.pack("<Q", len(header)) + header + bytes(size))
    read(path)


def verdict(path: Path) -> None:
    Verdict.model_validate_json(path.read_bytes())


def any_state(draw: Random) -> bytes:
    return draw.choice(STATES)(draw)


KEPT = CACHE.path.read_bytes()
FIXED = ["version", "size", "parts"]
STATES = documents([ABOUT], state, FIXED), documents([ABOUT], state, [*FIXED, "record"])
VERDICT = {"right": 9, "of": 9, "problems": ["it is odd"]}
POSITIONS = {
    "view": {"x": 1, "scale": 2.0, "hidden": ["a"]},
    "nodes": [{"id": 1, "name": "a", "x": 0, "y": 1.5}, {"name": "b"}],
}
of_file("caches.labels", CACHE.path.name, opened, [KEPT], make=table)
of_file("caches.labels.header", CACHE.path.name, partial(with_header, opened, 24), [header_of(KEPT)], "json",
        make=header)  # fmt: skip
of_file("caches.state", "state.safetensors", RunState.load, [state(ABOUT)], make=any_state)
of_file("caches.state.header", "state.safetensors", partial(with_header, RunState.load, 48), [header_of(state(ABOUT))],
        "json", make=lambda draw: header_of(any_state(draw)))  # fmt: skip
of_file("caches.verdict", "verdict.json", verdict, [json.dumps(VERDICT)], "json", make=documents([VERDICT]),
        allowed=(ValidationError,))  # fmt: skip
of_file("caches.positions", "positions.json", read_positions, [json.dumps(POSITIONS)], "json",
        make=documents([POSITIONS]))  # fmt: skip

# Manifests, and rows that are gone on with

NOW = {"format": FORMAT, "mode": "fast", "settings": {"beam_width": 3}, "labels": {"flavors": "a"}}


def go_on(output: Output) -> None:
    with claimed(output, NOW):
        output.open()
        output.append([Row("new.png", "0" * 32, "a cat", "fast")])
        output.close()
    assert [row.image for row in output.read()][-1:] == ["new.png"], "a row that was written is not there"


def rows(kind: type[Csv | JsonLines], path: Path) -> None:
    output = kind(path)
    output.sidecar.write_text(json.dumps(NOW))
    go_on(output)


def sidecar(path: Path) -> None:
    output = JsonLines(path.with_name("kept.jsonl"))
    output.path.write_bytes(output.encode(Row("a.png", "0" * 32, "a cat", "fast")))
    go_on(output)


ROWS = [
    vars(Row(f"{name}.png", "0" * 32, "a cat,\n=1", "fast", "a cat", "composed", 0.25, 0.5, "lite")) for name in "ab"
]


def written(output: Csv | JsonLines, made: Sequence[Mapping[str, Any]] = ROWS) -> bytes:
    return output.header + b"".join(output.encode(Row(**{"image": "c.png", **row})) for row in made)


def asked(draw: Random) -> bytes:
    """Return how rows were made: as they are made now, or nearly so."""
    now = draw.choice([NOW, NOW, {**NOW, "later": None}, like(NOW, draw, ["format"])])
    return json.dumps(now, indent=draw.choice([None, 0, 1, 4]), ensure_ascii=False).encode("utf-8", "replace")


def bundle(path: Path) -> None:
    (path.parent / "wheels").mkdir(exist_ok=True)
    (path.parent / "wheels" / "a.whl").write_text("abc")
    check_bundle(path.parent)


ENTRY = {"size": 3, "sha256": "0" * 64}
MANIFEST = {"format": "clipnb bundle 1", "clipnb": "1", "python": "3.11", "platform": "linux", "models": ["lite"],
            "files": {"wheels/a.whl": ENTRY}, "guide": ENTRY}  # fmt: skip
for suffix, output in {"csv": Csv(FOLDER / "a.csv"), "jsonl": JsonLines(FOLDER / "a.jsonl")}.items():
    of_file(f"manifests.{suffix}", f"rows.{suffix}", partial(rows, type(output)), [written(output)],
            make=documents([ROWS], partial(written, output)))  # fmt: skip
of_file("manifests.run", "kept.jsonl.settings.json", sidecar, [json.dumps(NOW, indent=1)], "json", make=asked)
of_file("manifests.bundle", "bundle/manifest.json", bundle, [json.dumps(MANIFEST)], "json",
        make=documents([MANIFEST], kept=["format", *ENTRY]))  # fmt: skip


def undo(path: Path) -> None:
    """Undo a save by a log that came from anywhere: nothing beside the captions of its folder may change."""
    folder = path.parents[1]
    others = {folder / "a.png": "p", folder.parent / "beside.txt": "b", folder / ".hidden.txt": "h"}
    for place, content in {**others, folder / "a.txt": "new", folder / "in" / "b.txt": "new"}.items():
        place.parent.mkdir(exist_ok=True)
        place.write_text(content)
    try:
        CaptionLog(folder).undo()
    finally:
        assert {place: place.read_text() for place in others} == others, "a log changed what is no caption"
        shutil.rmtree(folder)


LOG = [["a.txt", "old", "new"], ["in/b.txt", None, "new"], ["c.txt", ["/w=="], None]]
NAMES = [f"{name}.txt" for name in ("a", "in/b", "c", "A", "in/../a", "é", "x/y/z", ".h", "../beside", "a" * 300)]


def log(draw: Random) -> bytes:
    """Return the log of a save, of captions that may be there."""
    texts = ["old", "new", None, ["/w=="], ["/w==", "a"], "a cat\n", like("new", draw)]
    made = [
        [draw.choice(NAMES[: draw.choice([3, 3, 8, 10])]), *(draw.choice(texts) for _ in range(2))]
        for _ in range(draw.randrange(1, 5))
    ]
    return "".join(f"{json.dumps(one)}\n" for one in made).encode()


of_file("manifests.captions", f"set/{LOGS}/000001.jsonl", undo, ["".join(f"{json.dumps(one)}\n" for one in LOG)],
        make=log)  # fmt: skip

# Configurations

MODEL: Mapping[str, Any] = {
    "architectures": ["CLIPModel"], "model_type": "clip", "auto_map": {}, "text_config": {"num_hidden_layers": 12},
    "tokenizer_class": "CLIPTokenizer", "weight_map": {"a": "model.safetensors"}, "model_cfg": {"embed_dim": 32},
}  # fmt: skip
KAGGLE = {
    "clip_model": "lite",
    "chunk_size": 9,
    "without": ["movements"],
    "avoid": ["x"],
    "max_words": 30,
    "dicts": ".",
}
TAGS = [{"tag_id": 1, "name": "1girl", "category": 0}, {"tag_id": 2, "name": "^_^", "category": 4}]
of_file("configurations.kaggle", "kaggle.json", read_config, [json.dumps(KAGGLE)], "json",
        make=documents([KAGGLE], kept=["clip_model", "dicts"]))  # fmt: skip
of_file("configurations.model", "model/config.json", lambda path: check_folder(path.parent, ["base"]),
        [json.dumps(MODEL)], "json", make=documents([MODEL], kept=["weight_map"]))  # fmt: skip
of_file("configurations.tagger", "selected_tags.csv", read_tags, [as_csv(TAGS)], make=documents([TAGS], as_csv))
