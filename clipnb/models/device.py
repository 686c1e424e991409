"""Where to compute and in which precision."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path
from time import perf_counter

import torch
from torch.nn import functional as F

from clipnb.errors import ClipnbError, DeviceError, shortened

PRECISIONS: dict[str, torch.dtype] = {"fp32": torch.float32, "bf16": torch.bfloat16, "fp16": torch.float16}
_SYSTEM = Path("/proc/meminfo")
_GROUP = Path("/sys/fs/cgroup")  # of a container
_SHORT = 2**16  # bytes of such a file
_OUT_OF_MEMORY = ("out of memory", "allocate memory")  # in the words of MPS, and of the CPU


def resolve_device(device: str | torch.device = "auto") -> torch.device:
    """Choose a device: `auto` is CUDA, then MPS, then the CPU.

    Args:
        device: "auto", "cpu", "cuda", "cuda:1", "mps".

    Raises:
        DeviceError: this machine does not have it.
    """
    if device == "auto":
        if torch.cuda.is_available():
            current = torch.device("cuda", torch.cuda.current_device())
            if runs_here(torch.cuda.get_device_capability(current), torch.cuda.get_arch_list()):
                return current
        return torch.device("mps" if torch.backends.mps.is_available() else "cpu")
    try:
        chosen = torch.device(device)
    except (RuntimeError, TypeError):
        chosen = torch.device("meta")
    if chosen.type == "cuda":
        if not torch.cuda.is_available():
            raise DeviceError(f"no {device} here: torch sees no CUDA device; use auto or cpu")
        index = torch.cuda.current_device() if chosen.index is None else chosen.index
        if index >= torch.cuda.device_count():
            raise DeviceError(f"no {device} here: the last one is cuda:{torch.cuda.device_count() - 1}")
        return torch.device("cuda", index)
    if chosen.type == "mps" and not torch.backends.mps.is_available():
        raise DeviceError("no mps here: it needs a Mac with Apple silicon; use auto or cpu")
    if chosen.type not in ("cpu", "mps"):
        raise DeviceError(f"unknown device {shortened(str(device))!r}; use auto, cpu, cuda, cuda:1 or mps")
    return chosen


def resolve_precision(precision: str, device: torch.device) -> torch.dtype:
    """Choose what to compute in: `auto` is bf16 or fp16 on CUDA (what the card can do), else fp32.

    Args:
        precision: "auto", "fp32", "bf16" or "fp16".
        device: where.

    Raises:
        DeviceError: the precision is unknown, or of no use on this device.
    """
    if precision == "auto":
        return usual_precision(
            device.type, torch.cuda.get_device_capability(device) if device.type == "cuda" else (0, 0)
        )
    if precision not in PRECISIONS:
        raise DeviceError(f"unknown precision {shortened(precision)!r}; use auto, fp32, bf16 or fp16")
    if precision == "fp16" and device.type == "cpu":
        raise DeviceError("fp16 needs a GPU; use fp32 or bf16 on a CPU")
    return PRECISIONS[precision]


def usual_precision(kind: str, capability: tuple[int, int]) -> torch.dtype:
    """Return what `auto` computes in: on CUDA bf16 from Ampere on, fp16 before; else fp32."""
    if kind != "cuda":
        return torch.float32
    # Emulated bf16 (cards before Ampere, such as the T4) is slower than fp32.
    return torch.bfloat16 if capability >= (8, 0) else torch.float16


def runs_here(capability: tuple[int, int], architectures: Sequence[str]) -> bool:
    """Whether a build of torch (its `get_arch_list`) has code for a GPU; builds of 2026 have none for a P100.

    >>> runs_here((6, 0), ["sm_75", "sm_80"]), runs_here((8, 9), ["sm_75", "sm_80"]), runs_here((9, 0), ["compute_80"])
    (False, True, True)
    """
    known = [found for name in architectures if (found := re.fullmatch(r"(sm|compute)_(\d+)(\d)[af]?", name))]
    if not known:  # of another maker
        return True
    made_for = [(kind[1], (int(kind[2]), int(kind[3]))) for kind in known]
    return any(made <= capability and (form == "compute" or made[0] == capability[0]) for form, made in made_for)


def precision_name(dtype: torch.dtype) -> str:
    """Return the short name of a dtype, as `load_model` takes it."""
    return next(name for name, known in PRECISIONS.items() if known == dtype)


def describe_device(device: torch.device) -> tuple[str, str]:
    """Return the names of a device and of its memory.

    Such as ("cuda:0: Tesla T4", "14.5 of 14.7 GiB free"); without a GPU's memory ("cpu", "").
    """
    if device.type != "cuda":
        return str(device), ""
    free, total = torch.cuda.mem_get_info(device)
    return f"{device}: {torch.cuda.get_device_name(device)}", f"{free / 2**30:.1f} of {total / 2**30:.1f} GiB free"


@lru_cache
def bf16_is_faster(device: torch.device, dtype: torch.dtype) -> bool:
    """Measure whether bf16 takes less than two thirds of another precision's time, by a text tower's usual product."""
    if dtype != torch.float32:
        return False
    seconds = {kind: _time_of_product(device, kind) for kind in (torch.float32, torch.bfloat16)}
    return 1.5 * seconds[torch.bfloat16] < seconds[torch.float32]


def _time_of_product(device: torch.device, dtype: torch.dtype) -> float:
    states, weight = (torch.ones(rows, 512, device=device, dtype=dtype) for rows in (512, 2048))
    seconds = []
    for _ in range(6):
        start = perf_counter()
        float(F.linear(states, weight)[0, 0])  # waits for the device
        seconds.append(perf_counter() - start)
    return min(seconds)


def is_out_of_memory(error: Exception) -> bool:
    """Return whether an error says that the memory of a device is not enough."""
    if isinstance(error, ClipnbError):  # whose text may quote anything
        return False
    if isinstance(error, (MemoryError, torch.OutOfMemoryError)):
        return True
    return isinstance(error, RuntimeError) and any(words in str(error) for words in _OUT_OF_MEMORY)


def free_memory(device: torch.device) -> int | None:
    """Return how many bytes are free on a device, within the limit of a container; None where nobody says it."""
    if device.type == "cuda":
        return int(torch.cuda.mem_get_info(device)[0])
    if device.type != "cpu":
        return None
    known = [size for size in (_of_system(), _of_group()) if size is not None]
    return min(known, default=None)


def _of_system() -> int | None:
    rows = (row.split() for row in _read(_SYSTEM).splitlines())
    return next((1024 * int(row[1]) for row in rows if row[:1] == ["MemAvailable:"]), None)


def _of_group() -> int | None:
    most, used = (_read(_GROUP / name).strip() for name in ("memory.max", "memory.current"))
    return max(0, int(most) - int(used)) if most.isdigit() and used.isdigit() else None


def _read(path: Path) -> str:
    try:
        with path.open(encoding="ascii", errors="replace") as file:
            return file.read(_SHORT)
    except OSError:
        return ""
