"""Weights in 8 or 4 bits, where a library for that is there."""

from __future__ import annotations

from importlib.util import find_spec
from typing import Any

import torch

from clipnb.errors import CaptionerError, ModelUnavailableError, quoted


def quantised(bits: int | None, device: torch.device, dtype: torch.dtype) -> dict[str, Any]:
    """Return what `from_pretrained` needs to load weights in so many bits; nothing for None.

    bitsandbytes does it where it is installed, else torchao.

    Raises:
        CaptionerError: other bits than 8 or 4.
        ModelUnavailableError: neither library is there.
    """
    if bits is None:
        return {}
    if bits not in (4, 8) or isinstance(bits, bool):
        raise CaptionerError(f"bits is 8 or 4, or None for weights as they are, not {quoted(bits)}")
    if find_spec("accelerate") is None:
        raise ModelUnavailableError(f"weights in {bits} bits need accelerate: pip install accelerate")
    return {"quantization_config": _config(bits, dtype), "device_map": {"": str(device)}}


def _config(bits: int, dtype: torch.dtype) -> Any:
    import transformers

    if find_spec("bitsandbytes"):
        if bits == 8:
            return transformers.BitsAndBytesConfig(load_in_8bit=True)
        return transformers.BitsAndBytesConfig(load_in_4bit=True, bnb_4bit_compute_dtype=dtype)
    if find_spec("torchao"):
        from torchao import quantization

        kind = quantization.Int8WeightOnlyConfig if bits == 8 else quantization.Int4WeightOnlyConfig
        return transformers.TorchAoConfig(kind())
    raise ModelUnavailableError(
        f"weights in {bits} bits need bitsandbytes (pip install bitsandbytes) or torchao (pip install torchao), and "
        "neither is here; leave the bits out, or take a smaller captioner, such as smolvlm-256m or florence-2-base"
    )
