"""One mechanism for all faults: a writer works in a process of its own, where something goes wrong."""

from __future__ import annotations

import ctypes
import errno
import multiprocessing
import os
import random
import resource
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import torch
from PIL import Image

from clipnb.errors import ClipnbError
from clipnb.optimise import target_encoders
from tests.faults.writers import ENCODER, WRITERS, Contents

for slow in ("igraph", "matplotlib.pyplot", "open_clip", "pandas", "plotly", "pyarrow.parquet", "torch._dynamo"):
    with suppress(ImportError):
        import_module(slow)  # once: it is there in every process that is disturbed
Image.init()
PATIENCE = 600  # seconds; only what hangs takes so long
FAILED = 3


@dataclass
class Outcome:
    """How work ended.

    Attributes:
        code: of the process: 0, `FAILED` for an error in clear words, minus the signal that ended it.
        seconds: that it took, where it ended by itself.
        said: the error's words.
    """

    code: int
    seconds: float = 0.0
    said: str = ""


class Work:
    """A writer at work in a process of its own."""

    def __init__(self, name: str, folder: Path, fault: str = "none", chance: int = 0) -> None:
        context = multiprocessing.get_context("forkserver")
        context.set_forkserver_preload(["tests.faults.disturbed"])  # imported once, for all
        self._told, tells = context.Pipe(duplex=False)
        self.process = context.Process(target=_work, args=(name, folder, fault, chance, tells))
        self.process.start()
        tells.close()
        self._heard()  # it has begun

    def _heard(self) -> Any:
        with suppress(EOFError):
            return self._told.recv() if self._told.poll(PATIENCE) else None
        return None

    def ended(self) -> Outcome:
        told = self._heard()
        self.process.join(PATIENCE)
        code = self.process.exitcode
        assert code is not None, "it hangs"
        return Outcome(code, *told) if told else Outcome(code)


def _work(name: str, folder: Path, fault: str, chance: int, tells: Connection) -> None:
    torch.set_num_threads(1)
    target_encoders.load_model = lambda *_: ENCODER  # type: ignore[assignment, attr-defined]
    os.environ["CLIPNB_CACHE"] = str(folder / "cache")
    FAULTS[fault](folder, random.Random(chance))
    tells.send("begun")
    start, said = CLOCK(), ""
    try:
        WRITERS[name].work(folder)
    except ClipnbError as error:
        said = str(error) or "nothing"
    tells.send((CLOCK() - start, said))
    sys.exit(FAILED if said else 0)


def prepared(name: str, folder: Path) -> Path:
    (folder / "out").mkdir(parents=True)
    WRITERS[name].prepare(folder)
    return folder


@cache
def undisturbed(name: str, root: Path) -> tuple[Contents, float]:
    """Return what a writer writes, and how long it takes."""
    folder = prepared(name, root / f"undisturbed {name}")
    outcome = Work(name, folder).ended()
    assert outcome.code == 0, outcome
    found = WRITERS[name].found(folder)
    assert found
    return found, outcome.seconds


CLOCK = time.perf_counter
Fault = Callable[[Path, random.Random], None]
FAULTS: dict[str, Fault] = {"none": lambda folder, chance: None}


def fault(name: str) -> Callable[[Fault], Fault]:
    return lambda make: FAULTS.setdefault(name, make)


@fault("a disk that fills")
def limited(folder: Path, chance: random.Random) -> None:
    size = int(10 ** chance.uniform(1, 4))
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, resource.getrlimit(resource.RLIMIT_FSIZE)[1]))


@fault("a folder that is read only")
def read_only(folder: Path, chance: random.Random) -> None:
    for place in ("out", "cache", "tables"):
        with suppress(FileNotFoundError):
            (folder / place).chmod(0o555)
    if os.geteuid() == 0:  # who is bound by no rights of files, until that is given up
        header, none = (ctypes.c_uint32 * 2)(0x20080522, 0), (ctypes.c_uint32 * 6)()
        assert ctypes.CDLL(None).capset(ctypes.byref(header), ctypes.byref(none)) == 0


@fault("a clock that jumps")
def jumping(folder: Path, chance: random.Random) -> None:
    """Let all clocks go back and forth by up to a year; in modules that took them by name too."""
    clocks = {time.time: "time", time.monotonic: "monotonic", time.perf_counter: "perf_counter"}
    for clock, name in clocks.items():

        def jumped(clock: Callable[[], float] = clock) -> float:
            return clock() + chance.choice([0.0, -3600.0, 3600.0, -4e7, 4e7])

        for module in list(sys.modules.values()):
            if getattr(module, "__name__", "").startswith(("time", "clipnb")):
                for own, value in list(vars(module).items()):
                    if value is clock and own == name:
                        setattr(module, own, jumped)


def _refusing(names: list[str], number: int) -> None:
    def refuse(*given: object, **more: object) -> None:
        raise OSError(number, os.strerror(number))

    for name in names:
        module = sys.modules[name.split(".")[0]]
        setattr(module, name.split(".")[1], refuse)


@fault("no locks and no links")
def no_locks(folder: Path, chance: random.Random) -> None:
    import fcntl  # noqa: F401 - to be there

    _refusing(["fcntl.flock", "fcntl.lockf"], errno.ENOLCK)
    _refusing(["os.link", "os.symlink"], errno.EPERM)


@fault("no renaming over a file")
def no_replacing(folder: Path, chance: random.Random) -> None:
    for name in ("replace", "rename"):
        real = getattr(os, name)

        def renamed(source: Any, target: Any, *, real: Any = real, **more: Any) -> None:
            if os.path.lexists(target):
                raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), str(target))
            real(source, target, **more)

        setattr(os, name, renamed)


def _features(change: Callable[[torch.Tensor], torch.Tensor]) -> None:
    for name in ("_image_features", "_text_features"):
        real = getattr(ENCODER, name)
        setattr(ENCODER, name, lambda given, real=real: change(real(given)))


@fault("no memory on the device")
def no_memory(folder: Path, chance: random.Random) -> None:
    def raised(features: torch.Tensor) -> torch.Tensor:
        raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB")

    _features(raised)


@fault("memory for one picture at a time")
def little_memory(folder: Path, chance: random.Random) -> None:
    def raised(features: torch.Tensor) -> torch.Tensor:
        if len(features) > 1:
            raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB")
        return features

    real = ENCODER._image_features
    ENCODER._image_features = lambda given: raised(real(given))  # type: ignore[method-assign]


@fault("weights that are no numbers")
def no_numbers(folder: Path, chance: random.Random) -> None:
    _features(lambda features: features * float("nan"))
