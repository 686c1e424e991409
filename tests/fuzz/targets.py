"""What is fuzzed: every reader of what comes from outside, with examples to begin from."""

from __future__ import annotations

import gzip
import io
import json
import struct
import zlib
from collections.abc import Callable, Sequence
from contextlib import suppress
from functools import partial
from pathlib import Path
from random import Random
from typing import Any

import pandas as pd
import yaml
from PIL import Image

from clipnb.files import shipped
from clipnb.images import open_image
from clipnb.interrogate.labels.avoided import Avoided
from clipnb.interrogate.labels.word_lists import load_labels
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
from clipnb.prompts.containers.texts import Texts
from clipnb.prompts.dialects import DIALECTS, expand, split
from clipnb.prompts.generators import GENERATORS, find_prompt
from clipnb.prompts.generators.a1111 import parse_dump
from clipnb.prompts.metadata import embedded_prompt
from clipnb.prompts.read import prompts_of
from clipnb.prompts.spelling import read_aliases
from clipnb.prompts.splitting import Cleaning, extract_tags
from clipnb.prompts.tag_line import TagLine
from tests.fuzz import grammar, kept  # noqa: F401 - which adds its own targets
from tests.fuzz.hunt import FOLDER, Target
from tests.fuzz.panels import MESSAGES
from tests.fuzz.readers import TARGETS, of_file, of_text
from tests.optimise.importers.test_importers import LINES, NEEDED, PYTTI
from tests.prompts.picture_files import png, png_with, with_exif, with_xmp, xmp_of

TARGETS.update(MESSAGES)
EXPERIMENTS = [path.read_bytes() for path in sorted(shipped("experiments").glob("*.yaml"))]
A1111 = "a cat, (fur:1.2)\nNegative prompt: dog\nSteps: 20, Sampler: Euler a, Seed: 7, Size: 64x32, Model: dream"


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
PLANS = [
    {"recipe": name, "targets": [{"features": "a cat", "batch_size": 2}], "epochs": 5, "model": "lite"}
    for name in RECIPES
]
dump_yaml = partial(yaml.safe_dump, sort_keys=False, allow_unicode=True)
of_text(
    "recipes.yaml",
    lambda text: ExperimentConfig.from_yaml(text),
    [dump_yaml(plan) for plan in PLANS],
    "yaml",
    make=grammar.documents(PLANS, dump_yaml, ["recipe", "model"]),
)
for tool in TOOLS:
    if tool in LINES:
        of_text(
            f"importers.{tool}",
            partial(convert, tool=tool),
            [LINES[tool]],
            make=partial(grammar.command_line, tool=TOOLS[tool], needed=NEEDED[tool]),
        )
of_file(
    "importers.pytti",
    "settings.yaml",
    lambda path: convert(str(path), "pytti"),
    [PYTTI],
    "yaml",
    make=partial(grammar.settings, options=TOOLS["pytti"].options, needed={"scenes": "a castle:2 | fog || a harbour"}),
)

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
RECORDS = [{"prompt": "a cat, fur", "Model": "x", "Steps": 1}, {"prompt": "a dog", "Model": None, "Steps": 2}]
NESTED = [{"prompt": "a", "meta": {"prompt": "b", "x": [1, None]}}]


def frame(records: Sequence[Any]) -> bytes:
    return bytes(pd.DataFrame(records).to_parquet())


TABLES: dict[str, Callable[[Any], bytes | str]] = {
    ".csv": grammar.as_csv,
    ".tsv": partial(grammar.as_csv, separator="\t"),
    ".jsonl": lambda records: "".join(f"{json.dumps(one)}\n" for one in records),
    ".json": json.dumps,
    ".parquet": frame,
    ".csv.gz": lambda records: gzip.compress(grammar.as_csv(records).encode("utf-8", "replace"), mtime=0),
}
of_file("prompts.txt", "prompts.txt", prompt_file, ["a cat, fur\n\na dog\n", A1111 + "\n\n" + A1111])
for suffix, write in TABLES.items():
    examples = [RECORDS, NESTED] if suffix == ".json" else [RECORDS]
    of_file(f"prompts{suffix}", f"prompts{suffix}", prompt_file, [write(one) for one in examples],
            "json" if suffix == ".json" else "", make=grammar.documents(examples, write))  # fmt: skip
of_text("prompts.parameters", lambda text: list(parse_dump(text.splitlines())), [A1111, A1111 + "\n" + A1111])
ALIASES = [{"tag": "grey", "becomes": "gray"}, {"tag": "gray", "becomes": "silver"}]
of_file("prompts.aliases", "aliases.csv", read_aliases, [f"{grammar.as_csv(ALIASES)}# x\n"],
        make=grammar.documents([ALIASES], grammar.as_csv))  # fmt: skip

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


FORMATS = ("PNG", "JPEG", "WEBP", "GIF", "BMP", "TIFF", "PPM", "TGA", "PCX", "ICO", "JPEG2000", "AVIF")


def plain_picture(kind: str, mode: str = "RGB", size: tuple[int, int] = (16, 16)) -> bytes:
    file = io.BytesIO()
    with suppress(KeyError, OSError, ValueError):  # a Pillow without it, or a format that has not this mode
        Image.linear_gradient("L").resize(size).convert(mode).save(file, kind)
    return file.getvalue()


def any_picture(draw: Random) -> bytes:
    modes = ("1", "L", "LA", "P", "RGB", "RGBA", "CMYK", "YCbCr", "HSV", "I", "I;16", "F")
    size = draw.choice([(1, 1), (16, 16), (draw.randrange(1, 64), draw.randrange(1, 64)), (1, 300)])
    return plain_picture(draw.choice(FORMATS), draw.choice(modes), size) or plain_picture("PNG", size=size)


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
TARGETS["pictures.pixels"] = Target(
    lambda: list(filter(None, map(plain_picture, FORMATS))), open_image, make=any_picture
)
of_text(
    "generators", generator, [json.dumps(dict(one.example[0])) for one in GENERATORS.values()], "value"
)  # fmt: skip

# Labels


def labels(path: Path) -> None:
    load_labels(path)
    Avoided.of([str(path)], lambda _: [])


of_file("labels.txt", "labels.txt", labels, ["a photo\na drawing\n# x\n(soft light:1.2), <lora:a:1>\n"])
of_file("labels.csv", "labels.csv", labels, ["label,count\na photo,5\na drawing,2\n", "1;a cat\n2;a dog\n"])
of_file("labels.json", "labels.json", labels, ['["a photo", "a drawing"]'], "json",
        make=grammar.documents([["a photo", "a drawing", "a print"]]))  # fmt: skip
