"""Text towers of open_clip that look backwards only: a shared beginning is computed once for many endings.

In a causal tower the states of a text's beginning do not depend on how the text goes on. Their keys and values
in every layer are kept (`read`), and only the tokens that follow are computed (`encode`), in the last layer
only what the end token needs. Even unrelated texts share their start token (`encode_whole`). The modules and
weights are the model's own.
"""

from __future__ import annotations

import copy
from dataclasses import dataclass
from functools import lru_cache
from time import perf_counter
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F


@dataclass(frozen=True)
class Prefix:
    """A beginning that was read.

    Attributes:
        keys: for each layer [heads, P, d].
        values: for each layer [heads, P, d].
    """

    keys: tuple[Tensor, ...]
    values: tuple[Tensor, ...]

    @property
    def length(self) -> int:
        """P, tokens of the beginning."""
        return self.keys[0].shape[1]


class CausalTower:
    """The causal text tower of an open_clip model, pooled at the end token.

    Attributes:
        dtype: what it computes in.
    """

    def __init__(self, tower: Any, dtype: torch.dtype | None = None) -> None:
        """Take a tower's modules.

        Args:
            tower: a `TextTransformer` of open_clip, or a `CLIP` that has its parts; `supports` it.
            dtype: compute in this precision on a copy of the weights; None is the tower's own.
        """
        self._embedding, self._positions = tower.token_embedding, tower.positional_embedding
        self._blocks = list(tower.transformer.resblocks)
        self._norm, self._projection = tower.ln_final, tower.text_projection
        self._heads = self._blocks[0].attn.num_heads
        self.dtype: torch.dtype = tower.transformer.get_cast_dtype()
        if dtype is not None and dtype != self.dtype:
            self._blocks = [copy.deepcopy(block).to(dtype) for block in self._blocks]
            self._norm = copy.deepcopy(self._norm).to(dtype)
            self._projection = copy.deepcopy(self._projection)
            if self._projection is not None:
                self._projection = self._projection.to(dtype)
            self.dtype = dtype

    @staticmethod
    def supports(tower: Any) -> bool:
        """Tell whether every part of a tower is one that this class knows how to run."""
        blocks = getattr(getattr(tower, "transformer", None), "resblocks", None)
        return blocks is not None and len(blocks) > 0 and all(_is_plain(block) for block in blocks)

    def read(self, tokens: Tensor) -> Prefix:
        """Compute the keys and values of a beginning.

        Args:
            tokens: int64 [P], the start token first.
        """
        keys, values = [], []
        states = self._embed(tokens[None], first=0)
        for block in self._blocks:
            query, key, value = self._project_in(block, states)
            keys.append(key[0])
            values.append(value[0])
            if block is not self._blocks[-1]:
                seen = F.scaled_dot_product_attention(query, key, value, is_causal=True)
                states = _finish(block, states, seen.transpose(1, 2).flatten(2))
        return Prefix(tuple(keys), tuple(values))

    def encode(self, prefix: Prefix, tokens: Tensor, lengths: Tensor) -> Tensor:
        """Embed texts that begin with what was read.

        Args:
            prefix: the beginning.
            tokens: int64 [n, s], what follows it; beyond a text's length they do not matter.
            lengths: int64 [n], from 1 to s: tokens of each up to and with the end token, which is pooled.

        Returns:
            [n, D] of any length, in the tower's precision.
        """
        states = self._embed(tokens, first=prefix.length)
        everywhere = torch.arange(tokens.shape[1], device=tokens.device)[None]
        rows, ends = torch.arange(len(tokens), device=tokens.device), lengths - 1
        for block, key, value in zip(self._blocks, prefix.keys, prefix.values, strict=True):
            query, own_key, own_value = self._project_in(block, states)
            places = everywhere
            if block is self._blocks[-1]:
                query, states, places = query[rows, :, ends, None], states[rows, ends, None], ends[:, None]
            seen = _attend(query, (key, value), (own_key, own_value), places)
            states = _finish(block, states, seen)
        return self._project_out(self._norm(states[:, 0]))

    def encode_whole(self, tokens: Tensor, lengths: Tensor) -> Tensor:
        """Embed whole texts; the tokens that all of them begin with, such as the start token, are computed once.

        Args:
            tokens: int64 [n, l].
            lengths: int64 [n], as for `encode`.

        Returns:
            [n, D] of any length, in the tower's precision.
        """
        agreed = int((tokens == tokens[0]).all(0).cumprod(0).sum())
        shared = min(agreed, int(lengths.min()) - 1)
        return self.encode(self.read(tokens[0, :shared]), tokens[:, shared:], lengths - shared)

    def _embed(self, tokens: Tensor, first: int) -> Tensor:
        positions = self._positions[first : first + tokens.shape[1]]
        states: Tensor = self._embedding(tokens).to(self.dtype) + positions.to(self.dtype)
        return states

    def _project_in(self, block: Any, states: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Make queries, keys and values [n, heads, s, d] of states [n, s, width]."""
        joined = F.linear(block.ln_1(states), block.attn.in_proj_weight, block.attn.in_proj_bias)
        n, s, _ = joined.shape
        query, key, value = joined.view(n, s, 3, self._heads, -1).permute(2, 0, 3, 1, 4)
        return query, key, value

    def _project_out(self, pooled: Tensor) -> Tensor:
        if self._projection is None:
            return pooled
        if isinstance(self._projection, nn.Module):
            features: Tensor = self._projection(pooled)
            return features
        projected: Tensor = pooled @ self._projection
        return projected


@lru_cache
def bf16_is_faster(device: torch.device, dtype: torch.dtype) -> bool:
    """Find out, by a product of a text tower's usual size, whether bf16 pays beside another precision.

    Args:
        device: where.
        dtype: the other precision; only float32 can gain.

    Returns:
        True where bf16 takes less than two thirds of the time.
    """
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


def _finish(block: Any, states: Tensor, seen: Tensor) -> Tensor:
    """Complete a block: project what attention gave [n, s, width], add it, then the feed-forward part."""
    states = states + block.ls_1(block.attn.out_proj(seen))
    finished: Tensor = states + block.ls_2(block.mlp(block.ln_2(states)))
    return finished


def _attend(query: Tensor, shared: tuple[Tensor, Tensor], own: tuple[Tensor, Tensor], places: Tensor) -> Tensor:
    """Attend to a beginning that all texts share and to each text's own earlier tokens.

    The shared keys and values enter one large product for all texts instead of being copied for each.

    Args:
        query: [n, heads, q, d], of q of the s tokens.
        shared: keys and values [heads, P, d].
        own: keys and values [n, heads, s, d].
        places: int64 [n, q] or [1, q], which of the s tokens ask.

    Returns:
        [n, q, heads * d].
    """
    n, heads, q, d = query.shape
    (key, value), (own_key, own_value) = shared, own
    length, s = key.shape[1], own_key.shape[2]
    query = query * d**-0.5
    by_head = query.transpose(0, 1)  # [heads, n, q, d]
    to_shared = (by_head.reshape(heads, n * q, d) @ key.transpose(1, 2)).view(heads, n, q, length)
    future = torch.arange(s, device=query.device) > places[:, None, :, None]
    to_own = (query @ own_key.transpose(2, 3)).masked_fill_(future, -torch.inf)
    weights = torch.cat([to_shared, to_own.transpose(0, 1)], dim=-1).softmax(-1)
    from_shared = (weights[..., :length].reshape(heads, n * q, length) @ value).view(heads, n, q, d)
    from_own = (weights[..., length:].transpose(0, 1) @ own_value).transpose(0, 1)
    return (from_shared + from_own).permute(1, 2, 0, 3).flatten(2)


def _is_plain(block: Any) -> bool:
    """Tell whether a block is the usual one: norm, self-attention, norm, feed-forward, each added."""
    attention = getattr(block, "attn", None)
    return (
        isinstance(attention, nn.MultiheadAttention)
        and attention.in_proj_weight is not None
        and attention.bias_k is None
        and not attention.add_zero_attn
        and {name for name, _ in block.named_children()} == {"ln_1", "attn", "ls_1", "ln_2", "mlp", "ls_2"}
    )
