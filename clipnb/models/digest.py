"""Digests of weights: checked before use, and the keys of every cache."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from pathlib import Path

import torch
from torch import Tensor

from clipnb.errors import ModelUnavailableError, reason
from clipnb.files import sha256_of


def digest_of(weights: Mapping[str, Tensor], facts: str = "") -> str:
    """Name a set of tensors by their content, whatever file or device they came from.

    Args:
        weights: named tensors; names, dtypes, shapes and values count, their order does not.
        facts: whatever else changes the embeddings (pooling, activation, constants).

    Returns:
        16 hex digits.
    """
    whole = hashlib.sha256(facts.encode())
    for name in sorted(weights):
        tensor = weights[name].detach().cpu().contiguous()
        whole.update(f"\0{name}\0{tensor.dtype}\0{list(tensor.shape)}\0".encode())
        whole.update(tensor.reshape(-1).view(torch.uint8).numpy().tobytes())
    return whole.hexdigest()[:16]


def check_file(path: Path, sha256: str, remedy: str) -> None:
    """Refuse a weights file that is not what it should be.

    Args:
        path: the file.
        sha256: the expected digest, 64 hex digits.
        remedy: what the user can do; ends the message.

    Raises:
        ModelUnavailableError: the file is missing, unreadable or different.
    """
    try:
        digest = sha256_of(path)
    except OSError as error:
        raise ModelUnavailableError(f"cannot read {path}: {reason(error)}; {remedy}") from error
    if digest != sha256:
        raise ModelUnavailableError(
            f"{path} is damaged or foreign (sha256 {digest[:12]}..., expected {sha256[:12]}...); {remedy}"
        )
