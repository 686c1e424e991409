"""Where to compute and in which precision."""

from __future__ import annotations

import torch

from clipnb.errors import DeviceError

PRECISIONS: dict[str, torch.dtype] = {"fp32": torch.float32, "bf16": torch.bfloat16, "fp16": torch.float16}


def resolve_device(device: str | torch.device = "auto") -> torch.device:
    """Choose a device: `auto` is CUDA, then MPS, then the CPU.

    Args:
        device: "auto", "cpu", "cuda", "cuda:1", "mps".

    Raises:
        DeviceError: this machine does not have it.
    """
    if device == "auto":
        if torch.cuda.is_available():
            return torch.device("cuda", torch.cuda.current_device())
        return torch.device("mps" if torch.backends.mps.is_available() else "cpu")
    try:
        chosen = torch.device(device)
    except (RuntimeError, TypeError):
        raise DeviceError(f"unknown device {str(device)!r}; use auto, cpu, cuda, cuda:1 or mps") from None
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
        raise DeviceError(f"unknown device {str(device)!r}; use auto, cpu, cuda, cuda:1 or mps")
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
        if device.type != "cuda":
            return torch.float32
        # Emulated bf16 (cards before Ampere, such as the T4) is slower than fp32.
        return torch.bfloat16 if _native_bf16(device) else torch.float16
    if precision not in PRECISIONS:
        raise DeviceError(f"unknown precision {precision!r}; use auto, fp32, bf16 or fp16")
    if precision == "fp16" and device.type == "cpu":
        raise DeviceError("fp16 needs a GPU; use fp32 or bf16 on a CPU")
    return PRECISIONS[precision]


def describe_device(device: torch.device) -> tuple[str, str]:
    """Name a device, and its memory.

    Returns:
        Such as ("cuda:0: Tesla T4", "14.5 of 14.7 GiB free"); without a GPU's memory ("cpu", "").
    """
    if device.type != "cuda":
        return str(device), ""
    free, total = torch.cuda.mem_get_info(device)
    return f"{device}: {torch.cuda.get_device_name(device)}", f"{free / 2**30:.1f} of {total / 2**30:.1f} GiB free"


def precision_name(dtype: torch.dtype) -> str:
    """Give the short name of a dtype, as `load_model` takes it."""
    return next(name for name, known in PRECISIONS.items() if known == dtype)


def _native_bf16(device: torch.device) -> bool:
    return torch.cuda.get_device_capability(device) >= (8, 0)
