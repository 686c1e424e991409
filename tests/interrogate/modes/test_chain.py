"""The chain against its definition, spelled out the slow way; lazy scoring; the beam; the modes made of them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
from PIL import Image
from torch.nn import functional as F

from clipnb.interrogate import Interrogator
from clipnb.interrogate.image_query import ImageQuery, Rankings
from clipnb.interrogate.labels.table import RankedLabel
from clipnb.interrogate.labels.word_lists import builtin_labels
from clipnb.interrogate.modes.chain import ChainState, Floats, PhraseScorer, grow_chain
from clipnb.interrogate.resources import Resources
from clipnb.interrogate.settings import Settings
from clipnb.models.encoder import DualEncoder

Make = Callable[..., Interrogator]


def make_query(encoder: DualEncoder, photo: Image.Image, **changes: object) -> ImageQuery:
    features = F.normalize(encoder.encode_image(encoder.preprocess(photo)[None])[0], dim=-1)
    settings = Settings(quiet=True, **{"lazy": False, "scoring": "full", **changes})
    rankings = Rankings(features[None], pytest.fail, Resources(encoder, settings))
    return ImageQuery(encoder, settings, styles=True, rankings=rankings)


def make_phrases(query: ImageQuery, count: int) -> list[RankedLabel]:
    labels = builtin_labels("flavors")[:: len(builtin_labels("flavors")) // count][:count]
    return [RankedLabel(*pair, "flavors") for pair in zip(labels, query.similarities(labels), strict=True)]


def slow_chain(
    query: ImageQuery, phrases: list[RankedLabel], start: str, min_count: int, max_count: int, sign: float
) -> list[tuple[str, float]]:
    """The definition: whole prompts, every phrase, every step."""
    prompt, merit = start, sign * query.similarities([start])[0] if start else -np.inf
    left, steps = [phrase.label for phrase in phrases], []
    for index in range(max_count):
        prompts = [f"{prompt}, {label}" if prompt else label for label in left]
        fitting = [text for text in prompts if query.encoder.fits(text)]
        if not fitting:
            break
        merits = [sign * value for value in query.similarities(fitting)]
        best = int(np.argmax(merits))
        if merits[best] <= merit and index >= min_count:
            break
        left.pop(prompts.index(fitting[best]))
        prompt, merit = fitting[best], merits[best]
        steps.append((prompt, merit))
    return steps


@pytest.mark.parametrize(
    ("start", "reverse", "min_count", "max_count"),
    [("a photo of a cat", False, 8, 32), ("", False, 2, 4), ("", True, 8, 6), ("un café à Łódź", False, 0, 5)],
)
def test_the_chain_is_its_definition(
    start: str, reverse: bool, min_count: int, max_count: int, encoder: DualEncoder, photo: Image.Image
) -> None:
    query = make_query(encoder, photo)
    phrases = make_phrases(query, 120)
    states = list(grow_chain(query, phrases, start, min_count=min_count, max_count=max_count, reverse=reverse))
    expected = slow_chain(query, phrases, start, min_count, max_count, -1.0 if reverse else 1.0)
    assert [state.prompt for state in states] == [prompt for prompt, _ in expected]
    assert [state.merit for state in states] == pytest.approx([merit for _, merit in expected], abs=1e-5)


def test_the_chain_is_the_same_where_texts_must_be_whole(lite: DualEncoder, photo: Image.Image) -> None:
    query = make_query(lite, photo)
    phrases = make_phrases(query, 20)
    states = list(grow_chain(query, phrases, "a photo of a cup", min_count=1, max_count=2))
    expected = slow_chain(query, phrases, "a photo of a cup", 1, 2, 1.0)
    assert [state.prompt for state in states] == [prompt for prompt, _ in expected]


def test_the_least_similar_prompt_is_looked_for_among_positive_cosines_too(
    encoder: DualEncoder, photo: Image.Image
) -> None:
    labels = builtin_labels("flavors")[:80]
    towards = F.normalize(encoder.encode_text(labels).mean(0), dim=-1)
    query = replace(
        make_query(encoder, photo), rankings=Rankings(towards[None], pytest.fail, Resources(encoder, Settings()))
    )
    phrases = make_phrases(query, 80)
    states = list(grow_chain(query, phrases, "", min_count=3, max_count=6, reverse=True))
    assert states[0].merit < 0
    assert states[0].prompt == min(phrases, key=lambda phrase: phrase.similarity).label
    assert len(states) > 1


def test_drafts_find_what_full_precision_finds(encoder: DualEncoder, photo: Image.Image) -> None:
    full, draft = (make_query(encoder, photo, scoring=scoring) for scoring in ("full", "draft"))
    phrases = make_phrases(full, 300)
    chains = [last(grow_chain(s, phrases, "a cat", min_count=3, max_count=3)) for s in (full, draft)]
    assert chains[0].prompt == chains[1].prompt
    assert chains[0].merit == pytest.approx(chains[1].merit, abs=1e-6)


def last(states: object) -> ChainState:
    return list(states)[-1]  # type: ignore[call-overload]


def test_a_beam_keeps_different_prompts_and_is_no_worse_here(encoder: DualEncoder, photo: Image.Image) -> None:
    query = make_query(encoder, photo)
    phrases = make_phrases(query, 60)
    greedy = list(grow_chain(query, phrases, "a cat", min_count=3, max_count=3))
    beam = list(grow_chain(query, phrases, "a cat", min_count=3, max_count=3, width=4))
    assert beam[0].prompt == greedy[0].prompt
    assert max(state.merit for state in beam) >= max(state.merit for state in greedy) - 1e-6


def two_steps(noise: float, count: int = 2000) -> Callable[[str, list[int]], Floats]:
    """Make a measure whose gains in step "now" follow those of step "before", but for noise."""
    rng = np.random.default_rng(0)
    before = rng.normal(size=count)
    gains = {"before": before, "now": 0.5 * before + noise * rng.normal(size=count)}
    return lambda beginning, rows: gains[beginning][rows] + 10.0


def any_phrase(row: int) -> bool:
    return row >= 0


def test_lazy_scoring_finds_the_best_with_few_scores() -> None:
    score = two_steps(noise=0.05)
    lazy, full = PhraseScorer(score, 2000, 3.0), PhraseScorer(score, 2000)
    for scorer in (lazy, full):
        scorer.top("before", 10.0, 1, any_phrase)
        assert scorer.scored == 2000
    assert lazy.top("now", 10.0, 3, any_phrase) == full.top("now", 10.0, 3, any_phrase)
    assert lazy.scored < 2500
    assert full.scored == 4000


def test_lazy_scoring_scores_nearly_all_where_nothing_can_be_foretold() -> None:
    lazy = PhraseScorer(two_steps(noise=5.0), 2000, 4.5)
    lazy.top("before", 10.0, 1, any_phrase)
    lazy.top("now", 10.0, 1, any_phrase)
    assert lazy.scored > 3500


def test_phrases_that_may_not_be_taken_are_asked_for_once() -> None:
    asked: list[int] = []
    scorer = PhraseScorer(two_steps(noise=0.05), 2000, 3.0)

    def accept(row: int) -> bool:
        asked.append(row)
        return row % 2 == 0

    first = scorer.top("before", 10.0, 2, accept)
    rest = scorer.without(first[0].row).top("now", 10.0, 2, accept)
    assert all(choice.row % 2 == 0 for choice in [*first, *rest])
    assert first[0].row not in [choice.row for choice in rest]
    odd = [row for row in asked if row % 2]
    assert len(odd) == len(set(odd))


def test_a_lazy_chain_measures_what_it_reports(encoder: DualEncoder, photo: Image.Image) -> None:
    full, lazy = (make_query(encoder, photo, lazy=choice) for choice in (False, True))
    phrases = make_phrases(full, 600)
    states = list(grow_chain(lazy, phrases, "a cat", min_count=4, max_count=4))
    assert states[0].prompt == next(grow_chain(full, phrases, "a cat", min_count=4, max_count=4)).prompt
    measured = full.similarities([state.prompt for state in states])
    assert [state.merit for state in states] == pytest.approx(measured, abs=1e-5)
    assert sum(state.scorer.scored_before for state in states) < 4 * 600 - 6


@pytest.mark.parametrize("mode", ["best", "beam", "negative"])
def test_chained_modes_fit_and_explain_themselves(
    mode: str, small: Make, photo: Image.Image, encoder: DualEncoder
) -> None:
    found = small(min_flavors=2, beam_width=2).interrogate(photo, mode, max_flavors=5)
    assert encoder.fits(found.prompt)
    assert ", ".join(reason.phrase for reason in found.reasons).startswith(found.prompt.split(", ")[0])
    assert found.caption_source == ("none" if mode == "negative" else "composed")
    assert len(found.reasons) <= (5 if mode == "negative" else 8)


def test_best_takes_the_most_similar_candidate(small: Make, photo: Image.Image) -> None:
    found = small().interrogate(photo, "best", "a red balloon")
    assert {candidate.name for candidate in found.candidates} == {"caption", "classic", "fast", "chain"}
    assert found.prompt == found.candidates[0].prompt
    assert found.similarity == pytest.approx(max(c.similarity for c in found.candidates), abs=1e-5)


def test_negative_grows_less_similar_than_any_phrase_alone(small: Make, photo: Image.Image) -> None:
    found = small().interrogate(photo, "negative")
    assert found.caption == ""
    assert len(found.reasons) > 1
    least = min(labels[0].similarity for labels in found.ranked.values())
    assert found.similarity <= least + 1e-3
    assert {reason.origin for reason in found.reasons} <= {"flavors", "negative"}


def test_a_caption_that_fills_the_context_leaves_no_room(small: Make, photo: Image.Image) -> None:
    found = small().interrogate(photo, "best", "word " * 90)
    assert found.prompt == " ".join(["word"] * 75)
    assert any("was cut" in note for note in found.notes)
