"""Several pictures of one wish, by seeds and recipes, side by side with how similar encoders find them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from PIL import Image

from clipnb.errors import ConfigError
from clipnb.images import to_pil
from clipnb.models.encoder import DualEncoder
from clipnb.models.lite.weights import CLASSIFIERS, lite_is_here
from clipnb.models.load import choose_automatically
from clipnb.models.sources import canonical_name
from clipnb.optimise.engine import Optimisation
from clipnb.optimise.language.config import ExperimentConfig
from clipnb.optimise.step import Step
from clipnb.sheets import contact_sheet

MOST_VARIANTS = 64
_FIRST_SEED = 1
_SIDE = 192  # pixels of a picture on a sheet


@dataclass(frozen=True)
class Variant:
    """One of several experiments for the same wish; its label says in what it differs."""

    label: str
    config: ExperimentConfig


@dataclass(frozen=True)
class VariantStep:
    """A step of one of several variants.

    Attributes:
        place: number of the variant, from 0.
        variant: the variant.
        run: its run.
        step: the step.
    """

    place: int
    variant: Variant
    run: Optimisation = field(repr=False)
    step: Step


def variants_of(
    text: str | ExperimentConfig,
    seeds: int | Sequence[int] = 4,
    recipes: Sequence[str] = (),
    judge: str | Sequence[str] | None = "auto",
    encoder: DualEncoder | None = None,
    **changes: object,
) -> list[Variant]:
    """Return an experiment for each recipe and seed.

    Args:
        text: what should be seen, or an experiment.
        seeds: how many, or which.
        recipes: names; the experiment's own, or `auto` for a text, when empty.
        judge: encoders that only look; "auto": a larger embedded classifier for `lite`, none for others; None: none.
        encoder: guides instead of the experiment's models.
        changes: further top-level keys.

    Raises:
        ConfigError: there is nothing to make, too much, or a key or a value is not allowed.
    """
    numbers = list(range(_FIRST_SEED, _FIRST_SEED + seeds)) if isinstance(seeds, int) else list(seeds)
    count = len(numbers) * max(1, len(recipes))
    if not 1 <= count <= MOST_VARIANTS:
        raise ConfigError(f"{count} variants ({len(numbers)} seeds) are asked for; from 1 to {MOST_VARIANTS} are made")
    if recipes and isinstance(text, ExperimentConfig):
        raise ConfigError("recipes are for texts; an experiment has its own: give seeds, or a text")
    made = []
    for recipe in recipes or (None,):
        more: dict[str, Any] = changes if recipe is None else {**changes, "recipe": recipe}
        base = text.changed(**more) if isinstance(text, ExperimentConfig) else ExperimentConfig.from_text(text, **more)
        base = with_judges(base, judge, encoder)
        for number in numbers:
            label = f"seed {number}" if recipe is None else f"{recipe}, seed {number}"
            made.append(Variant(label, base.changed(seed=number)))
    return made


def with_judges(
    config: ExperimentConfig, judge: str | Sequence[str] | None = "auto", encoder: DualEncoder | None = None
) -> ExperimentConfig:
    """Return an experiment with judges, those that it has unless others than "auto" are named; see `variants_of`."""
    if judge != "auto":
        return config.changed(judge=judge)
    if config.judge.models or not any(feature.text for target in config.targets for feature in target.features):
        return config
    default = [encoder.name] if encoder else config.models or [config.model]
    names = [*default, *(target.model for target in config.targets if target.model)]
    guides = {choose_automatically(announce=False) if name == "auto" else canonical_name(name) for name in names}
    free = [name for name in reversed(CLASSIFIERS) if name not in guides and lite_is_here(name)]
    return config.changed(judge=free[0]) if free and guides <= CLASSIFIERS.keys() else config


class Exploration:
    """Makes variants one after another; an engine whose steps can be left and gone on with.

    Attributes:
        variants: what is made.
        newest: the newest step of each that has been begun, by its number.
    """

    def __init__(self, variants: Sequence[Variant], encoder: DualEncoder | None = None) -> None:
        """Prepare; `encoder` is used instead of the experiments' models."""
        self.variants, self._encoder = tuple(variants), encoder
        self.newest: dict[int, VariantStep] = {}
        self._runs: dict[int, Optimisation] = {}

    @property
    def total(self) -> int:
        """Number of steps of all variants together."""
        return sum(variant.config.epochs for variant in self.variants)

    @property
    def done(self) -> int:
        """Number of steps that are made."""
        return sum(one.step.index + 1 for one in self.newest.values())

    def update(self, config: None) -> None:
        """Change nothing: variants are made as they were asked for."""

    def steps(self) -> Iterator[VariantStep]:
        """Yield after every step of every variant; asked again, go on. Raises as `Optimisation.steps`."""
        for place, variant in enumerate(self.variants):
            run = self._runs.setdefault(place, Optimisation(variant.config, self._encoder))
            for step in run.steps():
                self.newest[place] = VariantStep(place, variant, run, step)
                yield self.newest[place]


def rates(step: Step) -> dict[str, float]:
    """Return the mean cosine x 100 over the texts, by encoder: the judges, and "guide" for what guided the picture.

    Without judges, that of all texts and images by what guided.
    """
    verdict = step.statistics.verdict
    seen: dict[str, list[float]] = {}
    if verdict is None:
        seen["guide"] = [100 * similarity for similarity in step.similarities.values()]
    for look in verdict.looks if verdict else ():
        seen.setdefault(look.judge, []).append(look.seen)
        seen.setdefault("guide", []).append(look.guide)
    return {name: sum(values) / len(values) for name, values in seen.items() if values}


def in_words(rated: Mapping[str, float]) -> str:
    """Return rates as text.

    >>> in_words({"lite2": 41.23, "guide": 55.0})
    'lite2 41.2, guide 55.0'
    """
    return ", ".join(f"{name} {value:.1f}" for name, value in rated.items())


def variants_sheet(steps: Sequence[tuple[str, Step]], side: int = _SIDE) -> Image.Image:
    """Return pictures on one sheet, each under its label and rates; raises ValueError without any."""
    rows = [(f"{label}: {in_words(rates(step))}", [to_pil(step.image)]) for label, step in steps]
    return contact_sheet(rows, columns=4, side=side)
