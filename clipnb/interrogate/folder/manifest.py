"""How the rows of an output are made: kept beside them, compared before a run goes on, locked while it runs."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from typing import Any, BinaryIO

from clipnb.errors import OutputError, listed, reason, shortened
from clipnb.files import locked, open_for_writing
from clipnb.interrogate.folder.rows import Output
from clipnb.interrogate.interrogator import Interrogator
from clipnb.interrogate.labels.word_lists import TABLES
from clipnb.interrogate.modes import find_mode
from clipnb.interrogate.settings import Settings

FORMAT = "clipnb rows 1"
"""First entry of the fingerprint of every output that this version can go on with."""
_NO_MATTER = ("batch_size", "workers")  # they change the pace and not the rows
_SETTINGS = ("least_certainty", "flavor_intermediate_count", "min_flavors", "beam_width", "lazy", "scoring", "styles")
_OF_CHOICE = ("backdrop", "without", "require", "trigger", "max_tokens", "max_words", "max_characters")
_OF_CAPTIONER = ("caption_max_length", "caption_num_beams")
_LARGEST = 4 * 2**20  # bytes of a sidecar
_BEGIN = f'{{\n "format": "{FORMAT}"'  # of a sidecar; of a torn one as far as it goes
_MOST = 20  # differences that are named

Fingerprint = dict[str, Any]
"""Everything that the rows depend on besides the images, as JSON has it."""


@dataclass(frozen=True)
class RunOptions:
    """What is asked for of every image alike; see `interrogate_folder`."""

    mode: str = "classic"
    caption: str | None = None
    max_flavors: int | None = None
    similarity: bool = True
    batch_size: int | None = None
    workers: int | None = None
    known: bool = False


def fingerprint(interrogator: Interrogator, options: RunOptions) -> Fingerprint:
    """Collect what the rows depend on: models, lists and settings, and what is asked for."""
    asked = {name: value for name, value in asdict(options).items() if name not in _NO_MATTER}
    if not options.known:
        del asked["known"]  # which earlier versions did not ask
    mode = find_mode(options.mode)
    takes_caption = mode.takes_caption and options.caption is None
    captioner = interrogator.captioner_name if takes_caption or mode.takes_proposals else None
    settings = interrogator.settings
    # What earlier versions did not ask is named where it is wished alone: their runs are gone on with.
    choice = [name for name in _OF_CHOICE if getattr(settings, name) != Settings.model_fields[name].default]
    told = [*_OF_CAPTIONER, *(f"caption_{wish}" for wish in settings.captioner_wishes)] if captioner else []
    relevant = dict.fromkeys((*_SETTINGS, *told, *mode.settings, *choice))
    avoided = interrogator.tables.avoided
    return {
        "format": FORMAT,
        **asked,
        "model": interrogator.encoder.name,
        "model digest": interrogator.encoder.digest,
        "captioner": captioner,
        "settings": {name: getattr(settings, name) for name in relevant},
        **({"avoided": _digest(tuple(avoided.entries))} if avoided else {}),
        **({"collection": interrogator.resources.collection.key} if mode.searches else {}),
        "labels": {table: _digest(interrogator.tables.labels(table)) for table in TABLES},
    }


def _digest(labels: tuple[str, ...]) -> str:
    return hashlib.sha256(json.dumps(labels).encode()).hexdigest()[:16]


def refuse_foreign(output: Output) -> None:
    """Raise `OutputError` where something lies that is no output of a run, or a link that leads nowhere."""
    for place in (output.path, output.sidecar):
        if place.is_symlink() and not place.exists():
            raise OutputError(f"{place} is a link that leads nowhere; remove it, or choose another name")
    if output.exists() and not output.sidecar.is_file():
        raise OutputError(
            f"{output.path} exists and is no output of clipnb interrogate (there is no {output.sidecar.name}); "
            "choose another name"
        )


@contextmanager
def claimed(output: Output, now: Fingerprint) -> Iterator[None]:
    """Keep an output for this run alone, with the fingerprint beside it.

    Raises:
        OutputError: it was made in another way, is in use by another run, or cannot be written.
    """
    try:
        output.sidecar.parent.mkdir(parents=True, exist_ok=True)
        file = open_for_writing(output.sidecar)
    except (OSError, ValueError) as error:
        raise OutputError(f"cannot write {output.sidecar}: {reason(error)}") from error
    with file:
        if not locked(file):
            raise OutputError(f"{output.path} is in use by another run; wait for it, or choose another name")
        before = file.read(_LARGEST).decode("utf-8", "replace")
        if output.is_scratch:
            if before != _as_text(now):
                output.replace([])
                _write(file, output, now)
        elif next(output.read(), None) is not None:
            _compare(output, before, now)
        elif before.startswith(_BEGIN) or _BEGIN.startswith(before):
            _write(file, output, now)
        else:
            raise OutputError(f"{output.sidecar} does not come from such a run; choose another name for the output")
        yield


def _as_text(now: Fingerprint) -> str:
    text = json.dumps(now, indent=1, ensure_ascii=False) + "\n"
    return text.encode(errors="backslashreplace").decode()  # which is how JSON escapes half characters too


def _write(file: BinaryIO, output: Output, now: Fingerprint) -> None:
    try:
        file.seek(0)
        file.truncate()
        file.write(_as_text(now).encode())
    except OSError as error:
        raise OutputError(f"cannot write {output.sidecar}: {reason(error)}") from error


def _compare(output: Output, text: str, now: Fingerprint) -> None:
    try:
        before = json.loads(text)
    except (ValueError, RecursionError):
        before = None
    if not isinstance(before, dict) or before.get("format") != FORMAT:
        raise OutputError(f"{output.sidecar} does not say how {output.path.name} was made; choose another name")
    differing = sorted(_differences(before, json.loads(json.dumps(now))))
    if differing:
        raise OutputError(
            f"{output.path} was made in another way: {listed(differing, _MOST, '; ')}. "
            "Choose another name, or the same settings"
        )


def _differences(before: Mapping[str, Any], now: Mapping[str, Any], of: str = "") -> Iterator[str]:
    for name in sorted({*before, *now}):
        old, new = before.get(name), now.get(name)
        if isinstance(old, dict) and isinstance(new, dict):
            yield from _differences(old, new, f"{name} ")
        elif old != new:
            yield f"{of}{shortened(name)} was {_shown(old)} and is {_shown(new)}"


def _shown(value: object) -> str:
    return "not given" if value is None else shortened(str(value))
