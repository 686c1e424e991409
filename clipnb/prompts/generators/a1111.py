"""AUTOMATIC1111's web UI and its forks: a text of prompt, negative prompt and settings, called `parameters`."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator

from clipnb.prompts.containers.texts import Number, Texts
from clipnb.prompts.generators.base import Generator
from clipnb.prompts.records import Prompt

_STEPS_LINE = re.compile(r"(?m)^[ \t]*Steps: ?\d+[ \t]*(?:,|$)")
_STEPS_INSIDE = re.compile(r"(?<!\S)Steps: ?\d+, ?[A-Z][\w ]{0,40}:")  # where line breaks became blanks
_NEGATIVE_LINE = re.compile(r"(?m)^[ \t]*Negative prompt:")
_NEGATIVE_INSIDE = re.compile(r"(?<!\S)Negative prompt:")
_NAME = re.compile(r"[ \t]*([^\W\d_][\w \-/.()+]{0,63}):[ \t]*")
_QUOTED = re.compile(r'"[^"\\]*(?:\\.[^"\\]*)*"[ \t]*(?=[,\n]|\Z)', re.DOTALL)
_END = re.compile(r"[,\n]|\Z")
# What dynamic prompts are made from stands in lines of its own behind the settings, commas and all.
_TEMPLATE = re.compile(r"(?m)^[ \t]*((?:Negative )?Template):[ \t]*")
_MOST_RECORD_LINES = 10_000  # of a dump; what is longer is cut, so that any file is read piece by piece
_KNOWN = frozenset(("Steps", "Sampler", "CFG scale", "Seed", "Size", "Model", "Model hash", "Schedule type"))
_MOST_NO_JSON = 8  # values that look like JSON and are none, which may take the rest of the text to see
_JSON = json.JSONDecoder(parse_int=Number, parse_float=Number, parse_constant=Number)


def parse_parameters(text: str) -> Prompt:
    r"""Split a text as A1111 and its forks write it into prompt, negative prompt and settings.

    Args:
        text: any text; without settings and negative prompt all of it is the prompt.

    Returns:
        The prompt with its line breaks, and settings by name as they are written: quotes around values are taken
        away, JSON stays JSON, and what has no name belongs to the setting before it. No text is lost.

    >>> found = parse_parameters('a cat,\nfur\nNegative prompt: dog\nSteps: 20, Sampler: Euler a, Hashes: "a: 1, b: 2"')
    >>> found.text, found.negative, dict(found.settings)
    ('a cat,\nfur', 'dog', {'Steps': '20', 'Sampler': 'Euler a', 'Hashes': 'a: 1, b: 2'})
    """
    text = text.replace("\r\n", "\n")
    start = _settings_start(text)
    prompt, settings = text[:start], text[start:]
    negative = ""
    mark = _NEGATIVE_LINE.search(prompt) or _NEGATIVE_INSIDE.search(prompt)
    if mark:
        prompt, negative = prompt[: mark.start()], prompt[mark.end() :]
    return Prompt(prompt.strip(), negative.strip(), settings=_settings(settings))


def has_parameters(text: str) -> bool:
    """Return whether a text holds the settings that A1111 writes, once or, as a dump, more often."""
    return "Steps:" in text and bool(_STEPS_LINE.search(text) or _STEPS_INSIDE.search(text))


def is_template(line: str) -> bool:
    """Return whether a line tells what a dynamic prompt was made from, as it stands behind settings."""
    return bool(_TEMPLATE.match(line))


def parse_dump(lines: Iterable[str]) -> Iterator[Prompt]:
    """Yield the prompts of a file of many A1111 texts, each of which ends with its settings.

    Args:
        lines: the lines of the file, without their ends; blank ones and rules between two texts are passed over.

    Yields:
        The prompts; `source` says in which line each begins.

    >>> dump = ["a cat", "Steps: 20, Seed: 1", "", "----", "a dog", "Negative prompt: fur", "Steps: 20, Seed: 2"]
    >>> [(found.text, found.settings["Seed"], found.source) for found in parse_dump(dump)]
    [('a cat', '1', 'line 1'), ('a dog', '2', 'line 5')]
    """
    record: list[str] = []
    begin = 1
    is_complete = False
    for number, line in enumerate(lines, 1):
        if (is_complete and not is_template(line)) or len(record) > _MOST_RECORD_LINES:
            yield _record(record, begin)
            record, is_complete = [], False
        if not record:
            if not line.strip(" \t\r-=_*#~"):
                continue
            begin = number
        record.append(line)
        is_complete = is_complete or has_parameters(line)
    if record:
        yield _record(record, begin)


def _record(lines: list[str], begin: int) -> Prompt:
    found = parse_parameters("\n".join(lines))
    return Prompt(found.text, found.negative, f"line {begin}", settings=found.settings)


def _settings_start(text: str) -> int:
    """Return where the settings begin; the end where there are none."""
    found = list(_STEPS_LINE.finditer(text)) or list(_STEPS_INSIDE.finditer(text))
    if found:
        return found[-1].start()
    start = text.rstrip().rfind("\n") + 1
    names = [name for name, _ in _pieces(text[start:]) if name]
    return start if len(names) >= 3 and not _KNOWN.isdisjoint(names) else len(text)


def _settings(text: str) -> dict[str, str]:
    settings: dict[str, list[str]] = {}
    templates = [*_TEMPLATE.finditer(text)]
    ends = [template.start() for template in templates] + [len(text)]
    last = "Settings"
    for name, value in _pieces(text[: ends[0]]):
        last = name or last
        settings.setdefault(last, []).append(value)
    for template, end in zip(templates, ends[1:], strict=True):
        settings.setdefault(template[1], []).append(text[template.end() : end].strip())
    return {name: ", ".join(filter(None, values)) for name, values in settings.items()}


def _pieces(text: str) -> Iterator[tuple[str, str]]:
    """Yield names and values; the name is empty where a piece has none."""
    place = no_json = 0
    while place < len(text):
        name = _NAME.match(text, place)
        start = name.end() if name else place
        end = None
        if text.startswith('"', start):
            end = quoted.end() if (quoted := _QUOTED.match(text, start)) else None
        elif text.startswith(("[", "{"), start) and no_json < _MOST_NO_JSON:
            end = _json_end(text, start)
            no_json += end is None
        if end is None:
            end = found.start() if (found := _END.search(text, start)) else len(text)
        value = text[start:end].strip()
        place = end + 1
        if value.startswith('"') and _QUOTED.fullmatch(value):
            value = _unquoted(value)
        if name or value:
            yield name[1].strip() if name else "", value


def _json_end(text: str, start: int) -> int | None:
    try:
        _, end = _JSON.raw_decode(text, start)
    except (ValueError, RecursionError):
        return None
    return end if _END.match(text, end) else None


def _unquoted(value: str) -> str:
    try:
        return str(json.loads(value))
    except ValueError:
        return value


def _read(texts: Texts) -> Prompt | None:
    for name in sorted(texts, key="parameters".__ne__):
        if name == "parameters" or (name not in ("prompt", "workflow") and has_parameters(texts[name])):
            text = texts.text(name)
            if text:
                return parse_parameters(text)
    return None


A1111 = Generator(
    "A1111",
    _read,
    (
        {
            "parameters": "a cat, (fur:1.2)\non a sofa\nNegative prompt: dog, blurry\nSteps: 20, Sampler: Euler a, "
            'Seed: 42, Size: 512x768, Model: dream, Lora hashes: "fur: 12ab, sofa: 34cd"'
        },
        Prompt(
            "a cat, (fur:1.2)\non a sofa",
            "dog, blurry",
            settings={
                "Steps": "20",
                "Sampler": "Euler a",
                "Seed": "42",
                "Size": "512x768",
                "Model": "dream",
                "Lora hashes": "fur: 12ab, sofa: 34cd",
            },
        ),
    ),
)
