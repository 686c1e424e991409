"""The modes that grow a chain: best, beam and negative."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from clipnb.interrogate.modes.base import PHRASE_TABLES, Mode, PromptCandidate
from clipnb.interrogate.modes.simple import CaptionMode, ClassicMode, FastMode
from clipnb.interrogate.modes.variety import Variety
from clipnb.interrogate.prompt import Phrase, join
from clipnb.interrogate.result import Candidate
from clipnb.progress import progress_bar

if TYPE_CHECKING:
    from clipnb.interrogate.image_query import ImageQuery
    from clipnb.interrogate.labels.table import RankedLabel


class BestMode(Mode):
    """The most similar of caption, classic, fast and chain."""

    name = "best"
    summary = "grows a chain, then takes the most similar of caption, classic, fast and chain"
    takes_opening = True
    ranks_only = False
    settings = ("lazy", "tolerance", "diverse")

    def propose(self, query: ImageQuery, caption: str, max_flavors: int) -> PromptCandidate:
        simple = {
            mode.name: mode.propose(query, caption, max_flavors) for mode in (CaptionMode(), ClassicMode(), FastMode())
        }
        from clipnb.interrogate.modes.tolerance import without_lowering  # with torch, like the chain

        checked = without_lowering([query] * len(simple), list(simple.values()))
        simple = dict(zip(simple, checked, strict=True))
        return _most_similar(query, {**simple, "chain": _chain(query, caption, max_flavors)})


class BeamMode(Mode):
    """A chain that follows several prompts at once; the caption stays where nothing raises it."""

    name = "beam"
    summary = "a chain that follows several prompts at once"
    takes_opening = True
    ranks_only = False
    settings = ("lazy", "tolerance", "diverse")

    def propose(self, query: ImageQuery, caption: str, max_flavors: int) -> PromptCandidate:
        beam = _chain(query, caption, max_flavors, width=query.settings.beam_width)
        return _most_similar(query, {"caption": CaptionMode().propose(query, caption, max_flavors), "beam": beam})


class NegativeMode(Mode):
    """The least similar prompt of what people write into negative prompts; of flavors where that table is off."""

    name = "negative"
    summary = "what suits the picture least of what negative prompts are made of"
    ranks_only = False
    settings = ("lazy",)
    takes_caption = False

    def propose(self, query: ImageQuery, caption: str, max_flavors: int) -> PromptCandidate:
        del caption
        table = "negative" if query.takes("negative") else "flavors"
        phrases = query.best(table, query.settings.flavor_intermediate_count, reverse=True)
        return _grow(query, phrases, [], max_flavors, reverse=True)


def _chain(query: ImageQuery, caption: str, max_flavors: int, width: int = 1) -> PromptCandidate:
    phrases = query.best_together(PHRASE_TABLES, query.settings.flavor_intermediate_count)
    return _grow(query, phrases, query.opening(caption), max_flavors, caption=caption, width=width)


def _grow(
    query: ImageQuery,
    phrases: Sequence[RankedLabel],
    start: Sequence[Phrase],
    max_flavors: int,
    *,
    caption: str = "",
    width: int = 1,
    reverse: bool = False,
) -> PromptCandidate:
    """Grow a chain and keep the best prompt on its way; the start where nothing is better."""
    from clipnb.interrogate.modes.chain import grow_chain  # with torch, which the command's help does not need

    variety = Variety(query, caption, phrases)
    states = grow_chain(
        query,
        phrases,
        join(start),
        min_count=query.settings.min_flavors,
        max_count=max_flavors,
        width=width,
        reverse=reverse,
        tolerance=None if reverse else query.settings.tolerance,
        accept=None if reverse else variety.admits,  # negative prompts have "bad" many times
    )
    best = None
    with progress_bar("Growing the prompt", "phrase", quiet=query.settings.quiet) as report:
        for state in states:
            report(len(state.rows), max_flavors)
            if best is None or state.merit > best.merit:
                best = state
    return PromptCandidate((*start, *(Phrase.of(phrases[row]) for row in (best.rows if best else ()))))


def _most_similar(query: ImageQuery, proposed: Mapping[str, PromptCandidate]) -> PromptCandidate:
    """Measure finished prompts, but none that is empty; the earlier one wins a tie."""
    proposed = {name: one for name, one in proposed.items() if one.phrases}
    if not proposed:
        return PromptCandidate(())
    prompts = [join(one.phrases) for one in proposed.values()]
    competing = list(map(Candidate, proposed, prompts, query.similarities(prompts)))
    competing.sort(key=lambda candidate: candidate.similarity, reverse=True)
    winner = proposed[competing[0].name]
    return PromptCandidate(winner.phrases, winner.dropped, tuple(competing))
