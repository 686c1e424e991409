"""Sentence encoders: texts to embeddings, by the mean of a transformer's last hidden states."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional as F

from clipnb.errors import ModelUnavailableError, first_line
from clipnb.models.checks.safety import check_folder, data_only, on_meta, read_json, require_like_its_files
from clipnb.models.device import resolve_device
from clipnb.models.encoder import batches_by_length
from clipnb.models.lite.weights import load_text_tower

MINILM = "all-MiniLM-L6-v2"
"""The sentence encoder whose weights an installed package brings; 384 floats an embedding."""
_MINILM_LENGTH = 256  # tokens; what it was trained with, and what sentence-transformers cuts at
_TOKENS_PER_BATCH = 16384


class SentenceEncoder:
    """A frozen transformer that embeds texts.

    Attributes:
        dim: D, length of an embedding.
        max_length: tokens that are read of a text, begin and end included.
        device: where it computes.
    """

    def __init__(self, tokenizer: Any, tower: Any, max_length: int, device: torch.device) -> None:
        """Use a tokenizer, which cuts and pads, and a model; the latter computes `last_hidden_state` in float32."""
        self._tokenizer, self._tower = tokenizer, tower.eval().requires_grad_(False).to(device, torch.float32)
        self.dim: int = tower.config.hidden_size
        self.max_length, self.device = max_length, device

    @torch.no_grad()
    def embed(self, texts: Sequence[str]) -> Tensor:
        """Embed texts.

        Args:
            texts: N texts; what is longer than `max_length` tokens is cut.

        Returns:
            float32 [N, D] on the CPU, unit length, in the order of `texts`.
        """
        result = torch.empty(len(texts), self.dim)
        if not texts:
            return result
        batch = self._tokenizer(list(texts), max_length=self.max_length)
        tokens, mask = batch["input_ids"], batch["attention_mask"]
        lengths = mask.sum(-1)
        for rows in batches_by_length(lengths, _TOKENS_PER_BATCH):
            longest = int(lengths[rows].max())
            some, seen = (part[rows, :longest].to(self.device) for part in (tokens, mask))
            result[rows] = mean_pooled(self._tower, some, seen).cpu()
        return result


def mean_pooled(tower: Any, tokens: Tensor, mask: Tensor) -> Tensor:
    """Embed tokens [n, l] as the mean of the last hidden states where the mask is 1; float32 [n, D], unit length."""
    states = tower(input_ids=tokens, attention_mask=mask).last_hidden_state
    weights = mask.to(states.dtype)
    mean = (states * weights[..., None]).sum(1) / weights.sum(1, keepdim=True)
    return F.normalize(mean.float(), dim=-1)


def load_sentence_encoder(folder: Path | None = None, device: str | torch.device = "auto") -> SentenceEncoder:
    """Load a sentence encoder from a folder, or all-MiniLM-L6-v2 from its installed package; never asks the network.

    Args:
        folder: as transformers or sentence-transformers save a model; the installed package unless given.
        device: as `load_model` takes it.

    Raises:
        ModelUnavailableError: the package is missing, or the folder holds no such model, or one that pools otherwise.
    """
    where = resolve_device(device)
    if folder is None:
        return SentenceEncoder(*load_text_tower(), _MINILM_LENGTH, where)
    inner = _transformer_folder(folder)
    check_folder(inner)
    try:
        with data_only():
            from transformers import AutoModel, AutoTokenizer

            require_like_its_files(partial(on_meta, AutoModel, inner), inner)
            tokenizer = AutoTokenizer.from_pretrained(inner, local_files_only=True, trust_remote_code=False)
            tower = AutoModel.from_pretrained(inner, local_files_only=True, trust_remote_code=False, weights_only=True)
        tokenise = partial(tokenizer, padding=True, truncation=True, return_tensors="pt")
        encoder = SentenceEncoder(tokenise, tower, _max_length(inner, tower), where)
        encoder.embed(["a text, to see whether the model takes one"])
    except Exception as error:  # transformers fails in many ways; the user gets one
        raise _unusable(folder, first_line(error)) from error
    return encoder


def _transformer_folder(folder: Path) -> Path:
    """Find the transformer's files in a folder of either form; refuse what would be embedded otherwise."""
    inner = folder
    modules = _read(folder / "modules.json", [])
    if not isinstance(modules, list) or not all(isinstance(module, dict) for module in modules):
        raise _unusable(folder, "modules.json lists no modules")
    for module in modules:
        kind, path = str(module.get("type", "")).rpartition(".")[2], str(module.get("path", ""))
        if ".." in Path(path).parts or Path(path).is_absolute():
            raise _unusable(folder, f"modules.json leads out of it, to {path}")
        if kind == "Transformer":
            inner = folder / path
        elif kind == "Pooling" and not _pools_by_mean(_read(folder / path / "config.json", {})):
            raise _unusable(folder, "it pools by something else than the mean")
        elif kind not in ("Pooling", "Normalize"):
            raise _unusable(folder, f"its part {kind!r} is not known here")
    if not (inner / "config.json").is_file():
        raise _unusable(folder, f"there is no {inner / 'config.json'}")
    return inner


def _pools_by_mean(config: Any) -> bool:
    if not isinstance(config, dict):
        return False
    modes = [name.removeprefix("pooling_mode_") for name, on in config.items() if on and "pooling_mode_" in name]
    return config.get("pooling_mode", "mean") == "mean" and modes in ([], ["mean_tokens"])


def _max_length(folder: Path, tower: Any) -> int:
    longest = int(getattr(tower.config, "max_position_embeddings", _MINILM_LENGTH))
    settings = _read(folder / "sentence_bert_config.json", {})
    stated = settings.get("max_seq_length") if isinstance(settings, dict) else None
    return min(longest, stated if isinstance(stated, int) and stated > 0 else _MINILM_LENGTH)


def _read(path: Path, missing: Any) -> Any:
    try:
        return read_json(path)
    except FileNotFoundError:
        return missing
    except (OSError, ValueError) as error:
        raise _unusable(path.parent, f"{path.name} cannot be read: {error}") from error


def _unusable(folder: Path, reason: str) -> ModelUnavailableError:
    return ModelUnavailableError(
        f"cannot load a sentence encoder from {folder}: {reason}. Give a folder as sentence-transformers or "
        "transformers saves a model (config.json, tokenizer, weights)"
    )
