"""How the rows of an output were made: kept beside them, compared before a run goes on, locked while it runs."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from typing import Any, BinaryIO

from clipnb.errors import OutputError, listed, reason, shortened
from clipnb.interrogate.folder.facts import FORMAT, Facts
from clipnb.interrogate.folder.output import Output, open_for_writing

_LARGEST = 4 * 2**20  # bytes of what says how rows were made
_OURS = f'{{\n "format": "{FORMAT}"'  # what that begins with, a torn one as far as it goes
_MOST = 20  # differences that are named


def refuse_foreign(output: Output) -> None:
    """Refuse to write where something lies that is no output of a run.

    Raises:
        OutputError: nothing says how it was made.
    """
    for place in (output.path, output.sidecar):
        if place.is_symlink() and not place.exists():
            raise OutputError(f"{place} is a link that leads nowhere; remove it, or choose another name")
    if output.exists() and not output.sidecar.is_file():
        raise OutputError(
            f"{output.path} exists and is no output of clipnb interrogate (there is no {output.sidecar.name}); "
            "choose another name"
        )


@contextmanager
def claimed(output: Output, facts: Facts) -> Iterator[None]:
    """Keep an output for this run alone, with the facts beside it.

    Args:
        output: without rows, or made with the same facts.
        facts: of this run.

    Raises:
        OutputError: it was made in another way, is in use by another run, or cannot be written.
    """
    with ExitStack() as stack:
        try:
            output.sidecar.parent.mkdir(parents=True, exist_ok=True)
            file = stack.enter_context(open_for_writing(output.sidecar))
            free = _locked(file)
            before = file.read(_LARGEST).decode("utf-8", "replace")
            rows = free and next(output.read(), None) is not None
            is_ours = before.startswith(_OURS) or _OURS.startswith(before)
            if free and not rows and is_ours:
                file.seek(0)
                file.truncate()
                text = json.dumps(facts, indent=1, ensure_ascii=False)
                file.write(f"{text}\n".encode(errors="backslashreplace"))
        except OutputError:
            raise
        except (OSError, ValueError) as error:
            raise OutputError(f"cannot write {output.sidecar}: {reason(error)}") from error
        if not free:
            raise OutputError(f"{output.path} is in use by another run; wait for it, or choose another name")
        if not rows and not is_ours:
            raise OutputError(f"{output.sidecar} does not come from such a run; choose another name for the output")
        if rows:
            _compare(output, before, facts)
        yield


def _compare(output: Output, text: str, facts: Facts) -> None:
    try:
        before = json.loads(text)
    except (ValueError, RecursionError):
        before = None
    if not isinstance(before, dict) or before.get("format") != FORMAT:
        raise OutputError(f"{output.sidecar} does not say how {output.path.name} was made; choose another name")
    differing = sorted(_differences(before, json.loads(json.dumps(facts))))
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
            yield f"{of}{name} was {_shown(old)} and is {_shown(new)}"


def _shown(value: object) -> str:
    return "not given" if value is None else shortened(str(value))


def _locked(file: BinaryIO) -> bool:
    """Take the lock that goes with the process, whatever ends it; False where another process has it."""
    try:
        import fcntl
    except ImportError:  # Windows: two runs on one output are not noticed there
        return True
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError:  # a file system without locks
        return True
    return True
