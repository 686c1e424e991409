"""Batches of texts of like length."""

from __future__ import annotations

from collections.abc import Iterator

from torch import Tensor

_ENOUGH = 512  # tokens that keep a processor busy; smaller batches are padded rather than split


def batches_by_length(lengths: Tensor, tokens_per_batch: int) -> Iterator[Tensor]:
    """Group texts of like length, so that little padding is computed.

    Args:
        lengths: int64 [N], tokens of each text.
        tokens_per_batch: most tokens of a batch, padding included; a batch holds at least one text.

    Yields:
        int64 indices into `lengths`, the longest texts first; each index once. A batch that is large enough to be
        worth a pass of its own holds texts of one length only.
    """
    order = lengths.argsort(descending=True, stable=True)
    sizes = lengths[order].clamp(min=1).tolist()
    start = 0
    while start < len(sizes):
        longest = sizes[start]
        end = start + 1
        while end < len(sizes) and (end + 1 - start) * longest <= tokens_per_batch:
            if sizes[end] < sizes[end - 1] and (end - start) * longest >= _ENOUGH:
                break
            end += 1
        yield order[start:end]
        start = end
