"""Causal text towers, and texts that share their beginning: what they share is computed once.

In a causal tower the states of a text's beginning do not depend on how the text goes on. Their keys and values in
every layer are kept (`CausalTower.read`), and only the tokens that follow are computed (`encode`), in the last layer
only what the end token needs. Even unrelated texts share their start token. Modules and weights are the model's own.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator, Sequence
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from clipnb.models.encoder import Continuations, DualEncoder, batches_by_length

_TOKENS_AT_ONCE = 1024  # on a CPU; keeps a layer's activations near the processor


class Prefix(NamedTuple):
    """A beginning of P tokens that was read: for each layer its keys and its values [heads, P, d]."""

    keys: list[Tensor]
    values: list[Tensor]


class CausalTower:
    """The causal text tower of an open_clip model, pooled at the end token; `supports` tells which ones."""

    def __init__(self, tower: Any, dtype: torch.dtype | None = None) -> None:
        """Use the modules of open_clip's `TextTransformer` or `CLIP`; copies of them where `dtype` is another."""
        self._embedding, self._positions = tower.token_embedding, tower.positional_embedding
        self._blocks = list(tower.transformer.resblocks)
        self._norm, self._projection = tower.ln_final, tower.text_projection
        self._heads = self._blocks[0].attn.num_heads
        self.dtype: torch.dtype = tower.transformer.get_cast_dtype()
        if dtype is not None and dtype != self.dtype:
            self._blocks = [copy.deepcopy(block).to(dtype) for block in self._blocks]
            self._norm = copy.deepcopy(self._norm).to(dtype)
            if self._projection is not None:
                self._projection = copy.deepcopy(self._projection).to(dtype)
            self.dtype = dtype

    @staticmethod
    def supports(tower: Any) -> bool:
        blocks = getattr(getattr(tower, "transformer", None), "resblocks", ())
        return len(blocks) > 0 and all(_is_plain(block) for block in blocks)

    def read(self, tokens: Tensor) -> Prefix:
        """Compute the keys and values of a beginning, int64 [P], the start token first."""
        prefix = Prefix([], [])
        states = self._embed(tokens[None], torch.arange(len(tokens), device=tokens.device))
        for block in self._blocks:
            query, key, value = self._project_in(block, states)
            prefix.keys.append(key[0])
            prefix.values.append(value[0])
            if block is not self._blocks[-1]:
                seen = F.scaled_dot_product_attention(query, key, value, is_causal=True)
                states = _finish(block, states, seen.transpose(1, 2).flatten(2))
        return prefix

    def encode(self, prefix: Prefix, tokens: Tensor, lengths: Tensor) -> Tensor:
        """Embed texts that begin with what was read.

        Args:
            prefix: the beginning.
            tokens: int64 [n, s], what follows it; beyond a text's length they do not matter.
            lengths: int64 [n], from 1 to s: tokens of each up to and with the end token, which is pooled.

        Returns:
            [n, D] of any length, in the tower's precision.
        """
        everywhere = torch.arange(tokens.shape[1], device=tokens.device)[None]
        states = self._embed(tokens, prefix.keys[0].shape[1] + everywhere[0])
        rows, ends = torch.arange(len(tokens), device=tokens.device), lengths - 1
        for block, key, value in zip(self._blocks, *prefix, strict=True):
            query, own_key, own_value = self._project_in(block, states)
            places = everywhere
            if block is self._blocks[-1]:
                query, states, places = query[rows, :, ends, None], states[rows, ends, None], ends[:, None]
            states = _finish(block, states, _attend(query, (key, value), (own_key, own_value), places))
        return self._project_out(self._norm(states[:, 0]))

    def encode_whole(self, tokens: Tensor, lengths: Tensor) -> Tensor:
        """Embed whole texts [n, l]; the tokens that all of them begin with are computed once."""
        agreed = int((tokens == tokens[0]).all(0).cumprod(0).sum())
        shared = min(agreed, int(lengths.min()) - 1)
        return self.encode(self.read(tokens[0, :shared]), tokens[:, shared:], lengths - shared)

    def encode_nested(self, tokens: Tensor, lengths: Tensor, end: int) -> Tensor:
        """Embed beginnings of texts, all of a text in one pass: each adds no more than an end token of its own.

        Args:
            tokens: int64 [n, l], the texts without their end tokens; beyond a text's length they do not matter.
            lengths: int64 [n, k], from 1 to l: tokens of each beginning, without its end token.
            end: the end token, which is pooled.

        Returns:
            [n, k, D] of any length, in the tower's precision.
        """
        (n, k), whole = lengths.shape, tokens.shape[1]
        own = torch.arange(whole, device=tokens.device)
        places = torch.cat([own.expand(n, whole), lengths], dim=1)
        states = self._embed(torch.cat([tokens, tokens.new_full((n, k), end)], dim=1), places)
        sees_text = own < torch.cat([own.expand(n, whole) + 1, lengths], dim=1)[..., None]
        sees_end = torch.eye(whole + k, dtype=torch.bool, device=tokens.device)[:, whole:]
        mask = torch.cat([sees_text, sees_end.expand(n, whole + k, k)], dim=2)[:, None]
        for block in self._blocks:
            query, key, value = self._project_in(block, states)
            if block is self._blocks[-1]:
                query, states, mask = query[:, :, whole:], states[:, whole:], mask[:, :, whole:]
            seen = F.scaled_dot_product_attention(query, key, value, attn_mask=mask)
            states = _finish(block, states, seen.transpose(1, 2).flatten(2))
        return self._project_out(self._norm(states))

    def _embed(self, tokens: Tensor, places: Tensor) -> Tensor:
        states: Tensor = self._embedding(tokens).to(self.dtype) + self._positions[places].to(self.dtype)
        return states

    def _project_in(self, block: Any, states: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Return queries, keys and values [n, heads, s, d] of states [n, s, width]."""
        joined = F.linear(block.ln_1(states), block.attn.in_proj_weight, block.attn.in_proj_bias)
        n, s, _ = joined.shape
        query, key, value = joined.view(n, s, 3, self._heads, -1).permute(2, 0, 3, 1, 4)
        return query, key, value

    def _project_out(self, pooled: Tensor) -> Tensor:
        if self._projection is None:
            return pooled
        module = isinstance(self._projection, nn.Module)
        features: Tensor = self._projection(pooled) if module else pooled @ self._projection
        return features


def _finish(block: Any, states: Tensor, seen: Tensor) -> Tensor:
    """Complete a block: project what attention saw [n, s, width], add it, then the feed-forward part."""
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
    """Whether a block is the usual one: norm, self-attention, norm, feed-forward, each added."""
    attention = getattr(block, "attn", None)
    return (
        isinstance(attention, nn.MultiheadAttention)
        and attention.in_proj_weight is not None
        and attention.bias_k is None
        and not attention.add_zero_attn
        and {name for name, _ in block.named_children()} == {"ln_1", "attn", "ls_1", "ln_2", "mlp", "ls_2"}
    )


class CausalTokens:
    """What a tokeniser makes of texts, up to the token that a causal tower pools; beyond it nothing matters."""

    def __init__(self, tokenizer: Callable[..., Tensor], lengths: Callable[[Tensor], Tensor]) -> None:
        """Wrap a tokeniser.

        Args:
            tokenizer: texts -> int64 [N, L], cut to the context, one start token first.
            lengths: tokens [N, L] -> int64 [N], the place of the pooled token, counted from one.
        """
        self._tokenizer, self._lengths = tokenizer, lengths

    def leading(self, texts: Sequence[str]) -> list[list[int]]:
        """Return each text's tokens up to and with the pooled one."""
        if not texts:
            return []
        tokens = self._tokenizer(list(texts))
        lengths = self._lengths(tokens).tolist()
        return [row[:length] for row, length in zip(tokens.tolist(), lengths, strict=True)]

    def splits_at_spaces(self, text: str) -> bool:
        """Whether the text's tokens are those of its parts between spaces, whatever stands beside it.

        True only where that follows from how open_clip's own tokeniser works: it never merges across white
        space, and leaves plain ASCII without entities and special tokens as it is.
        """
        from open_clip.tokenizer import SimpleTokenizer

        plain = text.isascii() and not set(text) & set("&<")
        return plain and isinstance(self._tokenizer, SimpleTokenizer) and self._tokenizer.reduction_fn is None


class PrefixCachedTexts(Continuations):
    """For causal towers: the beginning is computed once, each ending adds only its own tokens.

    Endings of like length in tokens go together, so that little is padded. A text whose tokens do not
    begin with the beginning's own (the tokeniser merged across the seam) is embedded whole.
    """

    def __init__(self, tower: CausalTower, tokens: CausalTokens, encoder: DualEncoder, endings: Sequence[str]) -> None:
        """Tokenise the endings that can be tokenised alone; the ones with white space in front are the fastest.

        The tower may compute in a lower precision than the encoder, which embeds what must be whole.
        """
        super().__init__(endings)
        self._tower, self.tokens, self._encoder = tower, tokens, encoder
        self.exact = tower.dtype == encoder.dtype
        self._at_once = _TOKENS_AT_ONCE * (1 if encoder.device.type == "cpu" else 64)
        alone = [row for row, ending in enumerate(endings) if ending[:1] == " " and tokens.splits_at_spaces(ending)]
        known = tokens.leading([endings[row] for row in alone])
        self._alone = {row: leading[1:] for row, leading in zip(alone, known, strict=True)}

    @torch.no_grad()
    def encode(self, beginning: str, rows: Sequence[int] | None = None) -> Tensor:
        chosen = list(range(len(self.endings))) if rows is None else list(rows)
        head, tails = self.split(beginning, chosen)
        result = torch.empty(len(chosen), self._encoder.dim, device=self._encoder.device)
        whole = [place for place, tail in enumerate(tails) if not tail]
        if whole:
            result[whole] = self._encoder.encode_text([beginning + self.endings[chosen[place]] for place in whole])
        if len(whole) < len(chosen):
            prefix = self._tower.read(torch.tensor(head, device=self._encoder.device))
            for places, tokens, lengths in _padded(tails, self._at_once):
                tokens, lengths = tokens.to(self._encoder.device), lengths.to(self._encoder.device)
                result[places] = F.normalize(self._tower.encode(prefix, tokens, lengths).float(), dim=-1)
        return result

    def split(self, beginning: str, rows: Sequence[int]) -> tuple[list[int], list[list[int]]]:
        """Return the tokens of a beginning, and those that follow it; none where a text must be embedded whole."""
        head = self.tokens.leading([beginning])[0][:-1]
        room = self._encoder.context_length - len(head)
        alone = self._alone if self.tokens.splits_at_spaces(beginning) else {}
        tails = [alone.get(row, []) for row in rows]
        tails = [tail if len(tail) <= room else [*tail[: room - 1], tail[-1]] for tail in tails]
        unknown = [place for place, row in enumerate(rows) if row not in alone]
        texts = [beginning + self.endings[rows[place]] for place in unknown]
        for place, leading in zip(unknown, self.tokens.leading(texts), strict=True):
            tails[place] = leading[len(head) :] if leading[: len(head)] == head else []
        return head, tails


def nested(texts: Sequence[list[int]]) -> list[list[int]]:
    """Group texts, so that each one of a group begins the next one; their places, the longest text last.

    >>> nested([[1, 2], [1], [1, 3], [1, 2, 4]])
    [[1, 0, 3], [2]]
    """
    groups: list[list[int]] = []
    for place in sorted(range(len(texts)), key=lambda place: texts[place]):
        before = texts[groups[-1][-1]] if groups else None
        if before is not None and texts[place][: len(before)] == before:
            groups[-1].append(place)
        else:
            groups.append([place])
    return groups


def encode_nested(
    tower: CausalTower, texts: Sequence[list[int]], groups: Sequence[list[int]], device: torch.device, at_once: int
) -> Iterator[tuple[list[int], Tensor]]:
    """Embed nested texts.

    Args:
        tower: embeds them.
        texts: the tokens of each, with the end token.
        groups: as `nested` makes them of the texts without end tokens.
        device: where the tower is.
        at_once: most tokens of a pass, padding included.

    Yields:
        Places of texts, and their embeddings [n, D] of any length.
    """
    costs = torch.tensor([len(texts[group[-1]]) + len(group) for group in groups])
    for rows in batches_by_length(costs, at_once):
        some = [groups[row] for row in rows.tolist()]
        longest, most = max(len(texts[group[-1]]) - 1 for group in some), max(map(len, some))
        tokens = torch.tensor([(texts[group[-1]][:-1] + [0] * longest)[:longest] for group in some], device=device)
        lengths = [[len(texts[place]) - 1 for place in group] for group in some]
        padded = torch.tensor([(one + [1] * most)[:most] for one in lengths], device=device)
        found = tower.encode_nested(tokens, padded, texts[some[0][0]][-1])
        used = torch.tensor([[place < len(group) for place in range(most)] for group in some], device=device)
        yield [place for group in some for place in group], found[used]


def _padded(tails: Sequence[list[int]], tokens_at_once: int) -> Iterator[tuple[list[int], Tensor, Tensor]]:
    """Group tails by length, padded where they differ; (their places, int64 [n, s], lengths [n]) for each group."""
    known = [place for place, tail in enumerate(tails) if tail]
    lengths = torch.tensor([len(tails[place]) for place in known])
    for rows in batches_by_length(lengths, tokens_at_once):
        longest = int(lengths[rows[0]])
        places = [known[row] for row in rows.tolist()]
        padded = [tails[place] + [0] * (longest - len(tails[place])) for place in places]
        yield places, torch.tensor(padded), lengths[rows]
