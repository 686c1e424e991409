"""How the rows of an output were made: kept beside them, compared before a run goes on, locked while it runs."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from typing import IO, Any

from clipnb.errors import OutputError, reason
from clipnb.interrogate.folder.facts import FORMAT, Facts
from clipnb.interrogate.folder.output import Output


def refuse_foreign(output: Output) -> None:
    """Refuse to write where something lies that is no output of a run.

    Raises:
        OutputError: nothing says how it was made.
    """
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
            file = stack.enter_context(output.sidecar.open("a+", encoding="utf-8"))
            free = _locked(file)
            file.seek(0)
            before = file.read()
            rows = free and next(output.read(), None) is not None
            if free and not rows:
                file.truncate(0)
                file.write(json.dumps(facts, indent=1, ensure_ascii=False) + "\n")
                file.flush()
        except OutputError:
            raise
        except OSError as error:
            raise OutputError(f"cannot write {output.sidecar}: {reason(error)}") from error
        if not free:
            raise OutputError(f"{output.path} is in use by another run; wait for it, or choose another name")
        if rows:
            _compare(output, before, facts)
        yield


def _compare(output: Output, text: str, facts: Facts) -> None:
    try:
        before = json.loads(text)
    except ValueError:
        before = None
    if not isinstance(before, dict) or before.get("format") != FORMAT:
        raise OutputError(f"{output.sidecar} does not say how {output.path.name} was made; choose another name")
    differing = sorted(_differences(before, json.loads(json.dumps(facts))))
    if differing:
        raise OutputError(
            f"{output.path} was made in another way: {'; '.join(differing)}. Choose another name, or the same settings"
        )


def _differences(before: Mapping[str, Any], now: Mapping[str, Any], of: str = "") -> Iterator[str]:
    for name in sorted({*before, *now}):
        old, new = before.get(name), now.get(name)
        if isinstance(old, dict) and isinstance(new, dict):
            yield from _differences(old, new, f"{name} ")
        elif old != new:
            yield f"{of}{name} was {_shown(old)} and is {_shown(new)}"


def _shown(value: object) -> str:
    return "not given" if value is None else str(value)


def _locked(file: IO[str]) -> bool:
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
