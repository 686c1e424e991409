"""Texts that share their beginning: embedded for one beginning after another, as a growing prompt needs it."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING

import torch
from torch import Tensor
from torch.nn import functional as F

from clipnb.models.batches import batches_by_length

if TYPE_CHECKING:
    from clipnb.models.causal import CausalTower
    from clipnb.models.encoder import DualEncoder

_TOKENS_AT_ONCE = 1024  # on a CPU; keeps a layer's activations near the processor


class Continuations(ABC):
    """Many endings of one beginning.

    Attributes:
        endings: N texts; a whole text is `beginning + ending`, nothing in between.
        exact: whether they are computed in the encoder's own precision.
    """

    exact: bool = True

    def __init__(self, endings: Sequence[str]) -> None:
        """Keep the endings; what can be prepared for all beginnings is prepared here."""
        self.endings = tuple(endings)

    @abstractmethod
    def encode(self, beginning: str, rows: Sequence[int] | None = None) -> Tensor:
        """Embed the beginning with each of its endings.

        Args:
            beginning: what all texts begin with.
            rows: which endings; all of them unless given.

        Returns:
            float32 [n, D], unit length, in the order of `rows`: what `encode_text` gives for the whole
            texts, up to rounding.
        """


class WholeTexts(Continuations):
    """For any encoder: embeds every text whole."""

    def __init__(self, encoder: DualEncoder, endings: Sequence[str]) -> None:
        """Keep the encoder."""
        super().__init__(endings)
        self._encoder = encoder

    def encode(self, beginning: str, rows: Sequence[int] | None = None) -> Tensor:
        """Embed whole texts; float32 [n, D]."""
        chosen = range(len(self.endings)) if rows is None else rows
        return self._encoder.encode_text([beginning + self.endings[row] for row in chosen])


class CausalTokens:
    """What a tokeniser makes of texts, up to the token that a causal tower pools; beyond it nothing matters."""

    def __init__(self, tokenizer: Callable[..., Tensor], lengths: Callable[[Tensor], Tensor]) -> None:
        """Keep the tokeniser.

        Args:
            tokenizer: texts -> int64 [N, L], cut to the context, one start token first.
            lengths: tokens [N, L] -> int64 [N], the place of the pooled token, counted from one.
        """
        self._tokenizer, self._lengths = tokenizer, lengths

    def leading(self, texts: Sequence[str]) -> list[list[int]]:
        """Give each text's tokens up to and with the pooled one."""
        if not texts:
            return []
        tokens = self._tokenizer(list(texts))
        lengths = self._lengths(tokens).tolist()
        return [row[:length] for row, length in zip(tokens.tolist(), lengths, strict=True)]

    def splits_at_spaces(self, text: str) -> bool:
        """Tell whether the text's tokens are those of its parts between spaces, whatever stands beside it.

        True only where that follows from how open_clip's own tokeniser works: it never merges across white
        space, and leaves plain ASCII without entities and special tokens as it is.
        """
        from open_clip.tokenizer import SimpleTokenizer

        plain = text.isascii() and not set(text) & set("&<")
        return plain and isinstance(self._tokenizer, SimpleTokenizer) and self._tokenizer.reduction_fn is None


class SharedBeginnings(Continuations):
    """For causal towers: the beginning is computed once, each ending adds only its own tokens.

    Endings of like length in tokens go together, so that little is padded. A text whose tokens do not
    begin with the beginning's own (the tokeniser merged across the seam) is embedded whole.
    """

    def __init__(self, tower: CausalTower, tokens: CausalTokens, encoder: DualEncoder, endings: Sequence[str]) -> None:
        """Tokenise the endings that can be tokenised alone.

        Args:
            tower: the text tower, in the encoder's precision or in a lower one.
            tokens: of the same model.
            encoder: embeds what must be whole.
            endings: N texts; the ones with white space in front are the fastest.
        """
        super().__init__(endings)
        self._tower, self._tokens, self._encoder = tower, tokens, encoder
        self.exact = tower.dtype == encoder.dtype
        self._at_once = _TOKENS_AT_ONCE * (1 if encoder.device.type == "cpu" else 64)
        alone = [row for row, ending in enumerate(endings) if ending[:1] == " " and tokens.splits_at_spaces(ending)]
        known = tokens.leading([endings[row] for row in alone])
        self._alone = {row: leading[1:] for row, leading in zip(alone, known, strict=True)}

    @torch.no_grad()
    def encode(self, beginning: str, rows: Sequence[int] | None = None) -> Tensor:
        """Embed the beginning once and then only the endings' tokens; float32 [n, D]."""
        chosen = list(range(len(self.endings))) if rows is None else list(rows)
        head = self._tokens.leading([beginning])[0][:-1]
        tails = self._tails(beginning, head, chosen)
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

    def _tails(self, beginning: str, head: list[int], rows: list[int]) -> list[list[int]]:
        """Give the tokens that follow the beginning's, the pooled one last; none where a text must be whole."""
        room = self._encoder.context_length - len(head)
        alone = self._alone if self._tokens.splits_at_spaces(beginning) else {}
        tails = [alone.get(row, []) for row in rows]
        tails = [tail if len(tail) <= room else [*tail[: room - 1], tail[-1]] for tail in tails]
        unknown = [place for place, row in enumerate(rows) if row not in alone]
        texts = [beginning + self.endings[rows[place]] for place in unknown]
        for place, leading in zip(unknown, self._tokens.leading(texts), strict=True):
            tails[place] = leading[len(head) :] if leading[: len(head)] == head else []
        return tails


def _padded(tails: Sequence[list[int]], tokens_at_once: int) -> Iterator[tuple[list[int], Tensor, Tensor]]:
    """Group tails by length, padded where they differ; (their places, int64 [n, s], lengths [n]) for each group."""
    known = [place for place, tail in enumerate(tails) if tail]
    lengths = torch.tensor([len(tails[place]) for place in known])
    for rows in batches_by_length(lengths, tokens_at_once):
        longest = int(lengths[rows[0]])
        places = [known[row] for row in rows.tolist()]
        padded = [tails[place] + [0] * (longest - len(tails[place])) for place in places]
        yield places, torch.tensor(padded), lengths[rows]
