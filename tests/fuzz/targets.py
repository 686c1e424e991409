"""What is fuzzed: every reader of what comes from outside, with examples to begin from."""

from __future__ import annotations

import gzip
import io
import json
import shutil
import struct
import zlib
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from functools import partial
from pathlib import Path
from random import Random
from typing import Any

import pandas as pd
import torch
from PIL import Image
from pydantic import ValidationError
from safetensors.torch import save

from clipnb.bundle.manifest import check_bundle
from clipnb.files import shipped
from clipnb.images import open_image
from clipnb.interrogate.folder.manifest import FORMAT, claimed
from clipnb.interrogate.folder.rows import Output, Row
from clipnb.interrogate.folder.text_rows import Csv, JsonLines
from clipnb.interrogate.kaggle.config import read_config
from clipnb.interrogate.labels.avoided import Avoided
from clipnb.interrogate.labels.cache import TableCache
from clipnb.interrogate.labels.word_lists import load_labels
from clipnb.models.captioners.tagger import read_tags
from clipnb.models.checks.probe import Verdict
from clipnb.models.checks.safety import check_folder
from clipnb.optimise.importers import TOOLS, convert
from clipnb.optimise.language.config import ExperimentConfig
from clipnb.optimise.language.expressions import (
    CONSTANTS,
    FUNCTIONS,
    RANDOM_NAMES,
    Evaluator,
    ExpressionError,
    cast,
    parse_expression,
)
from clipnb.optimise.language.recipes import RECIPES, for_text
from clipnb.optimise.language.shorthand import features_of, line_of
from clipnb.optimise.language.variables import ALL_NAMES, resolution_values, time_values, with_aliases
from clipnb.optimise.results import dump
from clipnb.optimise.run_state import RunState
from clipnb.prompts.caption_log import FOLDER as LOGS
from clipnb.prompts.caption_log import CaptionLog
from clipnb.prompts.containers.texts import Texts
from clipnb.prompts.dialects import DIALECTS, expand, split
from clipnb.prompts.generators import GENERATORS, find_prompt
from clipnb.prompts.generators.a1111 import parse_dump
from clipnb.prompts.metadata import embedded_prompt
from clipnb.prompts.read import prompts_of
from clipnb.prompts.spelling import read_aliases
from clipnb.prompts.splitting import Cleaning, extract_tags
from clipnb.prompts.tag_line import TagLine
from clipnb.tags.page import read_positions
from tests.fuzz import grammar
from tests.fuzz.hunt import FOLDER, Target
from tests.fuzz.panels import MESSAGES
from tests.optimise.importers.test_importers import LINES, NEEDED, PYTTI
from tests.prompts.picture_files import png, png_with, with_exif, with_xmp, xmp_of

TARGETS: dict[str, Target] = dict(MESSAGES)
"""All targets by their names."""
EXPERIMENTS = [path.read_bytes() for path in sorted(shipped("experiments").glob("*.yaml"))]
A1111 = "a cat, (fur:1.2)\nNegative prompt: dog\nSteps: 20, Sampler: Euler a, Seed: 7, Size: 64x32, Model: dream"


def text_of(data: bytes) -> str:
    return (
        data.decode("utf-8", "surrogatepass" if b"\xed" in data else "replace")
        if _is_wtf8(data)
        else data.decode("latin-1")
    )


def _is_wtf8(data: bytes) -> bool:
    with suppress(UnicodeDecodeError):
        data.decode("utf-8", "surrogatepass")
        return True
    return False


def of_text(name: str, run: Callable[[str], object], seeds: Any, form: str = "", **more: Any) -> None:
    """Add a reader of texts; half of a surrogate pair may stand in one."""
    encoded = [seed if isinstance(seed, bytes) else seed.encode() for seed in seeds]
    TARGETS[name] = Target(lambda: encoded, lambda data: run(text_of(data)), form, **more)


def of_file(name: str, file: str, read: Callable[[Path], object], seeds: Any, form: str = "", **more: Any) -> None:
    """Add a reader of files of a name."""
    path = FOLDER / file

    def run(data: bytes) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
        read(path)

    encoded = [seed if isinstance(seed, bytes) else seed.encode() for seed in seeds]
    TARGETS[name] = Target(lambda: encoded, run, form, **more)


# Experiments


def experiment(text: str) -> None:
    config = ExperimentConfig.from_yaml(text)
    assert ExperimentConfig.from_yaml(dump(config)) == config, "what was read is not what was written"


def expression(text: str) -> None:
    values = with_aliases({**dict.fromkeys(ALL_NAMES, 0.5), **time_values(2, 5), **resolution_values((48, 64))})
    first, second = Random(0), Random(0)
    evaluator = Evaluator({name: getattr(first, name) for name in RANDOM_NAMES})
    value = evaluator.evaluate(parse_expression(text, ALL_NAMES), values)
    known = {**FUNCTIONS, **CONSTANTS, **{name: getattr(second, name) for name in RANDOM_NAMES}, **values}
    assert repr(value) == repr(eval(text.strip(), {"__builtins__": {}}, known)), "the value is not Python's"
    cast(value, float, text)


def recipe(text: str) -> None:
    for name in RECIPES:
        ExperimentConfig.from_dict(for_text(text, name, models=["ViT-B-32/openai"]))
    features = features_of(text)
    if all(isinstance(one.get("weight", 1.0), (int, float)) for one in features):
        pairs = [(one["text"], one.get("weight", 1.0)) for one in features]
        again = features_of(line_of(pairs))
        assert [(one["text"], one.get("weight", 1.0)) for one in again] == pairs, "a line is not read as it was written"


Image.new("RGB", (8, 8)).save(PICTURE := FOLDER / "photograph.png")
of_text(
    "experiments", experiment, [one.replace(b"photograph.png", str(PICTURE).encode()) for one in EXPERIMENTS], "yaml"
)
of_text(
    "expressions",
    expression,
    ["1 - .95 * t", "max(0, sin(t * pi)) if t5 > .2 else [1, 2][0]", "{1: 2}.get(1)", "random() * 5 // 2 ** 3",
     "gauss(0, 1) + uniform(0, 1)", "comb(5, 2) + factorial(4)", "not t or -0x1F", "ts(0, .5)", "(1, 2)[int(t)]"],
    allowed=(ExpressionError,), make=grammar.expression,
)  # fmt: skip
of_text(
    "recipes", recipe, ["a lighthouse", "a lighthouse:2 | storm | blurry:-0.5", "a:b:c:1e3|'x'", "https://a/b.png:2"]
)
of_text(
    "recipes.yaml",
    lambda text: ExperimentConfig.from_yaml(text),
    [f"recipe: {name}\ntargets: [{{features: a cat, batch_size: 2}}]\nepochs: 5\nmodel: lite\n" for name in RECIPES],
    "yaml",
)
for tool in TOOLS:
    if tool in LINES:
        of_text(
            f"importers.{tool}",
            partial(convert, tool=tool),
            [LINES[tool]],
            make=partial(grammar.command_line, tool=TOOLS[tool], needed=NEEDED[tool]),
        )
of_file("importers.pytti", "settings.yaml", lambda path: convert(str(path), "pytti"), [PYTTI], "yaml")

# Prompts

PROMPTS = [
    *(dialect.example[0] for dialect in DIALECTS.values()),
    "a castle, (stone:1.2), [moss], {soft light}, <lora:detail:0.8>, embedding:old BREAK a tower AND a moat",
    "[a cat:a dog:.5], [red|blue], __colour__, {2$$, $$a|b|0.5::c}, \\(x\\), hair_ribbon, 1girl # note",
    "a cat --ar 16:9 --no dog::2 | fog；night、rain，::-1",
]
WILDCARDS = {"colour": ["red", "{a|__colour__}"]}


def dialect(name: str, text: str) -> None:
    assert str(split(text, name)) == text, "a prompt is not what its parts make"
    if name == "dynamic":
        expand(text, 1, WILDCARDS)


def tag_line(text: str) -> None:
    line = TagLine.parse(text)
    assert str(line) == text, "a caption is not what its parts make"
    line.unique()
    for head in (True, False):
        extract_tags(text, head=head, clean=Cleaning.everything())


def prompt_file(path: Path) -> None:
    prompts = prompts_of({path.name: path.read_bytes()})
    assert len(prompts) == len(list(prompts))
    prompts.report()


for name in DIALECTS:
    of_text(f"prompts.{name}", partial(dialect, name), PROMPTS)
of_text("prompts.line", tag_line, PROMPTS)
TABLE = pd.DataFrame({"prompt": ["a cat, fur", "a dog"], "Model": ["x", None], "Steps": [1, 2]})
FILES: dict[str, list[bytes | str]] = {
    ".txt": ["a cat, fur\n\na dog\n", A1111 + "\n\n" + A1111],
    ".csv": [TABLE.to_csv(index=False), TABLE.to_csv(index=False, sep=";")],
    ".tsv": [TABLE.to_csv(index=False, sep="\t")],
    ".jsonl": [TABLE.to_json(orient="records", lines=True)],
    ".json": [TABLE.to_json(orient="records"), '[{"prompt": "a", "meta": {"prompt": "b", "x": [1, null]}}]'],
    ".parquet": [TABLE.to_parquet()],
    ".csv.gz": [gzip.compress(TABLE.to_csv(index=False).encode(), mtime=0)],
}
for suffix, seeds in FILES.items():
    of_file(f"prompts{suffix}", f"prompts{suffix}", prompt_file, seeds, "json" if suffix == ".json" else "")
of_text("prompts.parameters", lambda text: list(parse_dump(text.splitlines())), [A1111, A1111 + "\n" + A1111])
of_file("prompts.aliases", "aliases.csv", read_aliases, ["tag,becomes\ngrey,gray\ngray,silver\n# x\n"])

# Texts in pictures, and pictures


def with_checksums(data: bytes) -> bytes:
    """Return a PNG with the checksums of its chunks put right."""
    out, place = [data[:8]], 8
    while place + 12 <= len(data):
        end = place + 8 + int.from_bytes(data[place : place + 4], "big")
        out += [data[place:end], struct.pack(">I", zlib.crc32(data[place + 4 : end])) if end + 4 <= len(data) else b""]
        place = end + 4
    return b"".join(out)


def png_texts(data: bytes) -> None:
    for one in (data, with_checksums(data)):
        embedded_prompt(one)


def generator(text: str) -> None:
    texts = json.loads(text)
    if isinstance(texts, dict):
        find_prompt(Texts({name: value for name, value in texts.items() if isinstance(value, str)}))


def pictures(kind: str) -> list[bytes]:
    return [
        with_exif(kind, {0x010E: "a cat", 0x9C9C: "a\0b\0"}, comment=b"UNICODE\0" + A1111.encode("utf-16-be")),
        with_xmp(kind, xmp_of("<dc:description><rdf:Alt><rdf:li>a cat</rdf:li></rdf:Alt></dc:description>")),
    ]


def plain_pictures() -> Iterator[bytes]:
    for kind in ("PNG", "JPEG", "WEBP", "GIF", "BMP", "TIFF", "PPM", "TGA", "PCX", "ICO", "JPEG2000", "AVIF"):
        file = io.BytesIO()
        with suppress(KeyError, OSError):  # a Pillow without it
            Image.linear_gradient("L").resize((16, 16)).convert("RGB").save(file, kind)
            yield file.getvalue()


PNGS = [
    png({"parameters": A1111}),
    png({"parameters": A1111}, compressed=True),
    png({"Description": A1111, "Comment": '{"prompt": "a"}'}, international=True, compressed=True),
    png({"XML:com.adobe.xmp": xmp_of(attributes="dc:description='a cat'")}, international=True),
    png_with(b"\0\0\0\x08eXIfMM\0*\0\0\0\x08\0\0\0\0"),
]
TARGETS["pictures.png"] = Target(lambda: PNGS, png_texts)
for kind in ("JPEG", "WEBP", "AVIF"):
    TARGETS[f"pictures.{kind.lower()}"] = Target(partial(pictures, kind), embedded_prompt)
TARGETS["pictures.pixels"] = Target(lambda: list(plain_pictures()), open_image)
of_text(
    "generators", generator, [json.dumps(dict(one.example[0])) for one in GENERATORS.values()], "value"
)  # fmt: skip

# Labels


def labels(path: Path) -> None:
    load_labels(path)
    Avoided.of([str(path)], lambda _: [])


of_file("labels.txt", "labels.txt", labels, ["a photo\na drawing\n# x\n(soft light:1.2), <lora:a:1>\n"])
of_file("labels.csv", "labels.csv", labels, ["label,count\na photo,5\na drawing,2\n", "1;a cat\n2;a dog\n"])
of_file("labels.json", "labels.json", labels, ['["a photo", "a drawing"]'], "json")

# Caches and states

CACHE = TableCache(FOLDER, "flavors", "0" * 24)
CACHE.keep(torch.eye(3, 4).half())
STATE_FACTS = {
    "index": 1, "seed": 1, "size": [2, 2], "parts": 1, "device": "cpu", "models": {"lite": "a"}, "torch": "2",
    "record": [1, [0.5], [[0, 0, "whole", "a", 1.0, 1, 1, [0.5], [0.5]]]], "seconds": 1.0,
}  # fmt: skip
ABOUT = {"version": 1, "clipnb": "1", "experiment": {"epochs": 5}, "facts": STATE_FACTS}
STATE = save({"picture.pixels": torch.zeros(3, 2, 2)}, {"clipnb": json.dumps(ABOUT)})


def header_of(content: bytes) -> bytes:
    return content[8 : 8 + int.from_bytes(content[:8], "little")]


def with_header(read: Callable[[Path], object], path: Path) -> None:
    """Read a file of tensors that has a text as its header."""
    header = path.read_bytes()
    path.write_bytes(struct.pack("<Q", len(header)) + header + bytes(48))
    read(path)


def verdict(path: Path) -> None:
    Verdict.model_validate_json(path.read_bytes())


KEPT = CACHE.path.read_bytes()
of_file("caches.labels", CACHE.path.name, lambda _: CACHE.load((3, 4)), [KEPT])
of_file(
    "caches.labels.header",
    CACHE.path.name,
    partial(with_header, lambda _: CACHE.load((3, 4))),
    [header_of(KEPT)],
    "json",
)
of_file("caches.state", "state.safetensors", RunState.load, [STATE])
of_file("caches.state.header", "state.safetensors", partial(with_header, RunState.load), [header_of(STATE)], "json")
of_file("caches.verdict", "verdict.json", verdict, ['{"right": 9, "of": 9, "problems": []}'], "json",
        allowed=(ValidationError,))  # fmt: skip
of_file("caches.positions", "positions.json", read_positions,
        ['{"view": {"x": 1, "scale": 2, "hidden": ["a"]}, "nodes": [{"id": 1, "name": "a", "x": 0, "y": 1.5}]}'],
        "json")  # fmt: skip

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


def written(output: Csv | JsonLines) -> bytes:
    return output.header + b"".join(
        output.encode(Row(f"{name}.png", "0" * 32, "a cat,\n=1", "fast", "a cat", "composed", 0.25, 0.5, "lite"))
        for name in "ab"
    )


def bundle(path: Path) -> None:
    (path.parent / "wheels").mkdir(exist_ok=True)
    (path.parent / "wheels" / "a.whl").write_text("abc")
    check_bundle(path.parent)


ENTRY = {"size": 3, "sha256": "0" * 64}
MANIFEST = {"format": "clipnb bundle 1", "clipnb": "1", "python": "3.11", "platform": "linux", "models": ["lite"],
            "files": {"wheels/a.whl": ENTRY}, "guide": ENTRY}  # fmt: skip
of_file("manifests.csv", "rows.csv", partial(rows, Csv), [written(Csv(FOLDER / "a.csv"))])
of_file("manifests.jsonl", "rows.jsonl", partial(rows, JsonLines), [written(JsonLines(FOLDER / "a.jsonl"))])
of_file("manifests.run", "kept.jsonl.settings.json", sidecar, [json.dumps(NOW, indent=1)], "json")
of_file("manifests.bundle", "bundle/manifest.json", bundle, [json.dumps(MANIFEST)], "json")


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


of_file("manifests.captions", f"set/{LOGS}/000001.jsonl", undo,
        ['["a.txt", "old", "new"]\n["in/b.txt", null, "new"]\n["c.txt", ["/w=="], null]\n'])  # fmt: skip

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
of_file("configurations.kaggle", "kaggle.json", read_config, [json.dumps(KAGGLE)], "json")
of_file("configurations.model", "model/config.json", lambda path: check_folder(path.parent, ["base"]),
        [json.dumps(MODEL)], "json")  # fmt: skip
of_file("configurations.tagger", "selected_tags.csv", read_tags, ["tag_id,name,category\n1,1girl,0\n2,^_^,4\n"])
