"""Keeping a captioner from saying the same over and over."""

from __future__ import annotations

from typing import Any

from torch import Tensor

from clipnb.errors import CaptionerError, quoted

_ONCE = 3  # tokens in a row that captions of pictures alone, which are short, have once


def check_repetition(no_repeat_ngram_size: object, repetition_penalty: object) -> None:
    """Raise `CaptionerError` for what is no such number."""
    size, penalty = no_repeat_ngram_size, repetition_penalty
    if size is not None and (isinstance(size, bool) or not isinstance(size, int) or not 0 <= size <= 100):
        raise CaptionerError(f"no_repeat_ngram_size is a whole number from 0 to 100, not {quoted(size)}")
    if penalty is not None and (
        isinstance(penalty, bool) or not isinstance(penalty, int | float) or not 1 <= penalty <= 10
    ):
        raise CaptionerError(f"repetition_penalty is a number from 1 (none) to 10, not {quoted(penalty)}")


class Repetition:
    """What `generate` is told against repetition; what stands in the prompt may be said again.

    The model's own settings hold unless others are given; models that look at pictures alone, and have none, get a
    limit on runs of tokens.
    """

    def __init__(self, model: Any, no_repeat_ngram_size: int | None, repetition_penalty: float | None, *, short: bool):
        check_repetition(no_repeat_ngram_size, repetition_penalty)
        own = getattr(model, "generation_config", None)
        if no_repeat_ngram_size is None and short and not getattr(own, "no_repeat_ngram_size", None):
            no_repeat_ngram_size = _ONCE
        self._size, self._penalty = no_repeat_ngram_size, repetition_penalty

    def options(self, prompt_length: int) -> dict[str, Any]:
        """Return arguments of `generate` for a prompt of so many tokens; 0 where the answer begins anew."""
        from transformers import (
            LogitsProcessor,
            LogitsProcessorList,
            NoRepeatNGramLogitsProcessor,
            RepetitionPenaltyLogitsProcessor,
        )

        class SinceThePrompt(LogitsProcessor):  # type: ignore[misc]  # transformers is not typed
            def __init__(self, rule: Any) -> None:
                self._rule = rule

            def __call__(self, input_ids: Tensor, scores: Tensor) -> Tensor:
                said = input_ids[:, prompt_length:]
                changed: Tensor = self._rule(said, scores) if said.shape[1] else scores
                return changed

        rules: list[Any] = []
        options: dict[str, Any] = {}
        if self._size is not None:
            options["no_repeat_ngram_size"] = 0  # not the model's own too
            rules += [NoRepeatNGramLogitsProcessor(self._size)] if self._size else []
        if self._penalty is not None:
            options["repetition_penalty"] = 1.0
            rules += [RepetitionPenaltyLogitsProcessor(float(self._penalty))] if self._penalty != 1 else []
        if rules:
            options["logits_processor"] = LogitsProcessorList([SinceThePrompt(rule) for rule in rules])
        return options
