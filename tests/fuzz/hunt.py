"""Runs cases of a target, each within a second of work and a gigabyte; what is no documented outcome is a finding.

Each target runs in a process of its own, so that one that is killed is a finding as well.
"""

from __future__ import annotations

import atexit
import json
import logging
import mmap
import os
import resource
import shutil
import signal
import socket
import time
import traceback
import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from tempfile import mkdtemp
from types import FrameType

from clipnb.errors import ClipnbError
from tests.fuzz.mutator import LONGEST, Mutator

SECONDS, WAITING = 1.0, 600.0  # of work, and of anything however busy the machine is, for one case
MEMORY = 2**30
FOLDER = Path(mkdtemp(prefix="clipnb-fuzz-", dir="/dev/shm" if os.access("/dev/shm", os.W_OK) else None))
"""Where cases are written that are read from files: in memory where there is such a place."""
atexit.register(shutil.rmtree, FOLDER, ignore_errors=True)
_LONGEST_ERROR = 20_000  # characters of a message
_MOST_KEPT = 2000  # cases of a corpus


@dataclass(frozen=True)
class Target:
    """Something that reads what comes from outside.

    Attributes:
        seeds: makes the cases to begin with.
        run: takes one; what it returns does not matter.
        form: "json", "yaml" or "value" where cases are changed by their values too; see `Mutator`.
        allowed: exceptions that are documented there.
        make: makes cases that are mostly taken; see `Mutator`.
    """

    seeds: Callable[[], Sequence[bytes]]
    run: Callable[[bytes], object]
    form: str = ""
    allowed: tuple[type[BaseException], ...] = (ClipnbError,)
    make: Callable[[Random], bytes] | None = None


@dataclass
class Report:
    """What became of a target's cases.

    Attributes:
        seconds: of work.
        slowest: seconds of the slowest case.
        findings: how often something happened, by what and where it was.
    """

    target: str
    cases: int = 0
    refused: int = 0
    seconds: float = 0.0
    slowest: float = 0.0
    findings: dict[str, int] = field(default_factory=dict)

    def __str__(self) -> str:
        found = "; ".join(f"{what} ({count})" for what, count in self.findings.items()) or "none"
        return (
            f"{self.target}: {self.cases:,} cases, {self.refused:,} refused, {self.seconds:.1f} s, "
            f"slowest {self.slowest:.2f} s, findings: {found}"
        )


class TooLongError(BaseException):
    """A case took longer than it may; nothing may catch it by `except Exception`."""


def hunt(name: str, target: Target, seed: int, cases: int, seconds: float, found: Path) -> Report:
    """Run cases in a process of their own until so many are done, or so many seconds are over.

    Args:
        name: of the target.
        target: what is run.
        seed: of the cases, which are the same for the same seed.
        cases: at most.
        seconds: at most; checked after each case.
        found: folder that gets the input and the traceback of the first finding of each kind.
    """
    now, out = mmap.mmap(-1, LONGEST + 8), mmap.mmap(-1, LONGEST)
    child = os.fork()
    if not child:
        status = 1
        try:
            report = _run(name, target, seed, cases, seconds, found, now)
            out.write(json.dumps(vars(report)).encode())
            status = 0
        except BaseException:  # noqa: BLE001 - of the fuzzer itself, or of examples
            traceback.print_exc()
        finally:
            os._exit(status)
    ended = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    text = out.read().rstrip(b"\0")
    if ended == 0 and text:
        return Report(**json.loads(text))
    size = int.from_bytes(now.read(8), "big")
    _save(found, name, f"ended with {ended}", now.read(size), f"seed {seed}")
    return Report(name, findings={f"the process ended with {ended}": 1})


def _run(name: str, target: Target, seed: int, cases: int, seconds: float, found: Path, now: mmap.mmap) -> Report:
    _quiet()
    report, corpus = Report(name), [data[:LONGEST] for data in target.seeds()]
    for data in corpus:  # imports, caches and threads are there before memory is limited
        _outcome(target, data)
    _limit_memory()
    mutator, known = Mutator(Random(f"{seed} {name}"), target.form, target.make), set[str]()
    began, work = time.monotonic(), time.process_time()
    while report.cases < cases and time.monotonic() - began < seconds:
        data = mutator.mutated(corpus)
        now[: 8 + len(data)] = len(data).to_bytes(8, "big") + data
        start = time.process_time()
        kind, is_finding, text = _outcome(target, data)
        took = time.process_time() - start
        report.cases += 1
        report.refused += bool(kind) and not is_finding
        report.slowest = max(report.slowest, took)
        if is_finding:
            report.findings[kind] = report.findings.get(kind, 0) + 1
            if report.findings[kind] == 1:
                _save(found, name, kind, data, f"seed {seed}, case {report.cases}\n{text}")
        elif kind not in known and len(corpus) < _MOST_KEPT:  # it came to a new place
            known.add(kind)
            corpus.append(data)
    report.seconds = time.process_time() - work
    return report


def _outcome(target: Target, data: bytes) -> tuple[str, bool, str]:
    """Return where a case ended ("" for a result), whether that is a finding, and the traceback if so."""
    start = time.process_time()
    try:
        signal.setitimer(signal.ITIMER_PROF, SECONDS)
        signal.setitimer(signal.ITIMER_REAL, WAITING)
        try:
            target.run(data)
        finally:
            signal.setitimer(signal.ITIMER_PROF, 0)
            signal.setitimer(signal.ITIMER_REAL, 0)
    except target.allowed as error:
        if len(str(error)) <= _LONGEST_ERROR:
            return _place(error), False, ""
        return f"message of {len(str(error))} characters", True, traceback.format_exc(limit=-20)
    except BaseException as error:  # noqa: BLE001 - whatever it is
        return _place(error), True, traceback.format_exc(limit=-20)
    if time.process_time() - start > SECONDS:
        return "a second of work in one call of a library", True, ""
    return "", False, ""


def _place(error: BaseException) -> str:
    """Return what was raised, and by which line of ours."""
    ours = [frame for frame in traceback.extract_tb(error.__traceback__) if "/clipnb/" in frame.filename]
    last = ours[-1] if ours else None
    return f"{type(error).__name__} at {last.filename.rpartition('/clipnb/')[2]}:{last.lineno}" if last else repr(error)


def _save(found: Path, name: str, kind: str, data: bytes, text: str) -> None:
    found.mkdir(parents=True, exist_ok=True)
    stem = f"{name}-{''.join(c if c.isalnum() else '-' for c in kind)[:80]}"
    (found / f"{stem}.input").write_bytes(data)
    (found / f"{stem}.txt").write_text(text, encoding="utf-8", errors="backslashreplace")


def _quiet() -> None:
    """Ask no network, fill in every message of the log without showing it, and let our own warnings be errors."""

    def refuse(*_: object, **__: object) -> None:
        raise OSError("no network while fuzzing")

    def interrupt(_number: int, _frame: FrameType | None) -> None:
        raise TooLongError

    class Nowhere(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            record.getMessage()

    socket.getaddrinfo = refuse  # type: ignore[assignment]
    root = logging.getLogger()
    root.handlers = [Nowhere()]
    ours = logging.getLogger("clipnb")
    ours.handlers, ours.propagate = [Nowhere()], False
    warnings.simplefilter("ignore")
    warnings.filterwarnings("error", module=r"clipnb\.")
    signal.signal(signal.SIGPROF, interrupt)
    signal.signal(signal.SIGALRM, interrupt)


def _limit_memory() -> None:
    pages = int(Path("/proc/self/statm").read_text().split()[0])
    resource.setrlimit(resource.RLIMIT_AS, (pages * resource.getpagesize() + MEMORY, resource.RLIM_INFINITY))
