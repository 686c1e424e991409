"""Embeddings of texts that come again, picture after picture."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence
from typing import TYPE_CHECKING

import torch
from torch import Tensor

if TYPE_CHECKING:
    from clipnb.models.encoder import DualEncoder

_KEPT = 16_384  # texts; 32 MiB of embeddings of 512 floats


class TextMemory:
    """Embeds texts, and remembers the ones that were asked for last."""

    def __init__(self, encoder: DualEncoder, kept: int = _KEPT) -> None:
        """Begin with nothing.

        Args:
            encoder: embeds what is not remembered.
            kept: texts remembered at most.
        """
        self._encoder, self._kept = encoder, kept
        self._known: OrderedDict[str, Tensor] = OrderedDict()

    def __call__(self, texts: Sequence[str]) -> Tensor:
        """Embed texts, all that are new by one pass; float32 [N, D], unit length, on the encoder's device."""
        for text in texts:
            if text in self._known:
                self._known.move_to_end(text)
        new = list(dict.fromkeys(text for text in texts if text not in self._known))
        if new:
            self._known |= {text: row.clone() for text, row in zip(new, self._encoder.encode_text(new), strict=True)}
        embeddings = torch.stack([self._known[text] for text in texts]).to(self._encoder.device)
        while len(self._known) > self._kept:
            self._known.popitem(last=False)
        return embeddings
