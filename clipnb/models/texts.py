"""How open_clip's text towers are run: on no more tokens than matter."""

from __future__ import annotations

import threading
from typing import Any

import torch
from torch import Tensor

from clipnb.models.causal import CausalTower


def text_pass(model: torch.nn.Module) -> TextPass:
    """Find the cheapest way to run a model's text tower that gives what the model itself gives.

    Args:
        model: of open_clip.
    """
    tower: Any = getattr(model, "text", model)
    pooling = getattr(tower, "text_pool_type", getattr(tower, "pool_type", None))
    has_class_token = getattr(tower, "cls_emb", None) is not None
    if getattr(tower, "attn_mask", None) is None or has_class_token or pooling not in ("argmax", "eos"):
        return TextPass(model)
    end = getattr(tower, "text_eos_id", getattr(tower, "eos_id", None)) if pooling == "eos" else None
    return (SharedPass if CausalTower.supports(tower) else TrimmedPass)(model, end)


class TextPass:
    """Runs a text tower on its full context, since every position counts."""

    def __init__(self, model: torch.nn.Module) -> None:
        """Keep the model."""
        self._model: Any = model

    def lengths(self, tokens: Tensor) -> Tensor:
        """Count the leading tokens that matter, of [N, L]; int64 [N]."""
        return torch.full((len(tokens),), tokens.shape[1])

    def features(self, tokens: Tensor) -> Tensor:
        """Embed tokens [n, l], l from the longest length to L; [n, D] of any length."""
        features: Tensor = self._model.encode_text(tokens)
        return features


class TrimmedPass(TextPass):
    """Runs a causal text tower on fewer positions than its full context.

    In a causal tower that pools at the end token nothing after that token matters, so positions beyond the
    longest text of a batch need not be computed. The module's own forward runs, with its positional
    embedding and mask replaced by their leading parts for the call.
    """

    def __init__(self, model: torch.nn.Module, end_token: int | None) -> None:
        """Keep the model.

        Args:
            model: of open_clip.
            end_token: the token that is pooled; None where it is the largest.
        """
        super().__init__(model)
        self._end_token = end_token
        self._prefix = "text." if hasattr(model, "text") else ""
        self._lock = threading.Lock()  # a pass swaps buffers of the one shared module for a moment

    @property
    def tower(self) -> Any:
        """The module of the text tower."""
        return getattr(self._model, "text", self._model)

    def lengths(self, tokens: Tensor) -> Tensor:
        """Count the tokens [N, L] up to and including the one that is pooled; int64 [N]."""
        ends = tokens if self._end_token is None else (tokens == self._end_token).int()
        return ends.argmax(dim=-1) + 1

    def features(self, tokens: Tensor) -> Tensor:
        """Embed tokens [n, l]."""
        length = tokens.shape[1]
        leading = {"positional_embedding": self.tower.positional_embedding[:length]}
        leading["attn_mask"] = self.tower.attn_mask[:length, :length]
        replaced = {self._prefix + name: tensor for name, tensor in leading.items()}
        with self._lock:
            answer = torch.func.functional_call(self._model, replaced, kwargs={"text": tokens})
        features: Tensor = answer["text_features"] if isinstance(answer, dict) else answer[1]
        return features


class SharedPass(TrimmedPass):
    """Runs a causal text tower of the usual build: what all texts begin with is computed once."""

    def features(self, tokens: Tensor) -> Tensor:
        """Embed tokens [n, l]."""
        return CausalTower(self.tower).encode_whole(tokens, self.lengths(tokens))
