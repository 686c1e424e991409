"""The modes that grow a chain: best, beam and negative."""

from __future__ import annotations

from collections.abc import Sequence

from clipnb.interrogate.image_query import Scene
from clipnb.interrogate.labels.table import RankedLabel
from clipnb.interrogate.modes.base import PHRASE_TABLES, ClassicMode, Draft, FastMode, Mode, fitting
from clipnb.interrogate.modes.chain import grow_chain
from clipnb.interrogate.prompt import Phrase, join
from clipnb.interrogate.result import Candidate
from clipnb.progress import progress_bar


class BestMode(Mode):
    """The most similar of caption, classic, fast and chain."""

    name = "best"
    summary = "grows a chain, then takes the most similar of caption, classic, fast and chain"
    ranks_only = False

    def draft(self, scene: Scene, caption: str, max_flavors: int) -> Draft:
        """Make all four and measure them."""
        drafts = {
            "caption": fitting(scene, [Phrase(caption, "caption")]),
            "classic": ClassicMode().draft(scene, caption, max_flavors),
            "fast": FastMode().draft(scene, caption, max_flavors),
            "chain": _chain(scene, caption, max_flavors),
        }
        return _most_similar(scene, drafts)


class BeamMode(Mode):
    """A chain that follows several prompts at once."""

    name = "beam"
    summary = "a chain that follows several prompts at once"
    ranks_only = False

    def draft(self, scene: Scene, caption: str, max_flavors: int) -> Draft:
        """Grow the beam; the caption stays where nothing raises it."""
        drafts = {
            "caption": fitting(scene, [Phrase(caption, "caption")]),
            "beam": _chain(scene, caption, max_flavors, width=scene.settings.beam_width),
        }
        return _most_similar(scene, drafts)


class NegativeMode(Mode):
    """The least similar prompt, for use as a negative one."""

    name = "negative"
    summary = "a chain of what suits the picture least, as a negative prompt"
    ranks_only = False
    takes_caption = False

    def draft(self, scene: Scene, caption: str, max_flavors: int) -> Draft:
        """Choose from the least similar flavors and from everything in `negative`."""
        del caption
        flavors = scene.best("flavors", scene.settings.flavor_intermediate_count, reverse=True)
        negatives = scene.best("negative", len(scene.table("negative")), reverse=True)
        once = {phrase.label: phrase for phrase in [*flavors, *negatives]}
        return _grow(scene, list(once.values()), [], max_flavors, reverse=True)


def _chain(scene: Scene, caption: str, max_flavors: int, width: int = 1) -> Draft:
    phrases = scene.best_together(PHRASE_TABLES, scene.settings.flavor_intermediate_count)
    start = fitting(scene, [Phrase(caption, "caption")]).phrases
    return _grow(scene, phrases, list(start), max_flavors, width=width)


def _grow(
    scene: Scene,
    phrases: Sequence[RankedLabel],
    start: list[Phrase],
    max_flavors: int,
    *,
    width: int = 1,
    reverse: bool = False,
) -> Draft:
    """Grow a chain and keep the best prompt that it came by; the start where nothing is better."""
    best: tuple[float, tuple[int, ...]] | None = None
    links = grow_chain(
        scene,
        phrases,
        join(start),
        min_count=scene.settings.min_flavors,
        max_count=max_flavors,
        width=width,
        reverse=reverse,
    )
    with progress_bar("Growing the prompt", "phrase", quiet=scene.settings.quiet) as report:
        for link in links:
            report(len(link.rows), max_flavors)
            if best is None or link.merit > best[0]:
                best = link.merit, link.rows
    rows = best[1] if best else ()
    return Draft((*start, *(Phrase.of(phrases[row]) for row in rows)))


def _most_similar(scene: Scene, drafts: dict[str, Draft]) -> Draft:
    """Measure finished prompts; the earlier one wins a tie."""
    prompts = {name: join(draft.phrases) for name, draft in drafts.items()}
    measured = zip(prompts.items(), scene.similarities(list(prompts.values())), strict=True)
    candidates = [Candidate(name, prompt, similarity) for (name, prompt), similarity in measured]
    candidates.sort(key=lambda candidate: candidate.similarity, reverse=True)
    winner = drafts[candidates[0].name]
    return Draft(winner.phrases, winner.dropped, tuple(candidates))
