"""OpenAI's own files of CLIP: TorchScript archives, which hold code beside the weights."""

from __future__ import annotations

import zipfile
from pathlib import Path

from clipnb.errors import ModelUnavailableError
from clipnb.files import cache_folder, sha256_of
from clipnb.models.embedding_files import write_tensors

_NO_WEIGHTS = ("input_resolution", "context_length", "vocab_size", "attn_mask")


def is_torchscript(path: Path) -> bool:
    """Whether a file is a TorchScript archive: weights together with code."""
    try:
        with zipfile.ZipFile(path) as archive:
            return any("/code/" in name for name in archive.namelist())
    except (OSError, ValueError, NotImplementedError, EOFError, zipfile.BadZipFile):
        return False


def plain_weights(path: Path, architecture: str) -> Path:
    """Return the weights of OpenAI's archive of an architecture as a safetensors file, made once and kept in the cache.

    Raises:
        ModelUnavailableError: it is not, byte for byte, what OpenAI published, and its code is not trusted.
    """
    digest = sha256_of(path)
    if digest != published_digest(architecture):
        raise ModelUnavailableError(
            f"{path} holds code beside the weights (TorchScript) and is not OpenAI's file of {architecture}; nothing "
            "foreign is run. Give the same weights as .safetensors, or as a .pt that holds tensors only"
        )
    plain = cache_folder("openai", f"{architecture}-{digest[:16]}.safetensors")
    if not plain.exists():
        _convert(path, plain)
    return plain


def published_digest(architecture: str) -> str | None:
    """Return the sha256 of OpenAI's file of an architecture; its address carries it."""
    from open_clip import get_pretrained_cfg

    parts: list[str] = get_pretrained_cfg(architecture, "openai").get("url", "").split("/")
    return parts[-2] if len(parts) > 1 and len(parts[-2]) == 64 else None


def _convert(path: Path, plain: Path) -> None:
    import torch

    weights = torch.jit.load(str(path), map_location="cpu").state_dict()  # type: ignore[no-untyped-call]
    kept = {name: tensor.contiguous().clone() for name, tensor in weights.items() if name not in _NO_WEIGHTS}
    write_tensors(plain, kept)
