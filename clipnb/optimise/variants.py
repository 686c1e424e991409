"""Several pictures of one wish, by seeds, recipes and values of a key, side by side with their similarities."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from PIL import Image

from clipnb.errors import ClipnbError, ConfigError, shortened
from clipnb.files import size_in_words
from clipnb.images import to_pil
from clipnb.models.device import free_memory, resolve_device
from clipnb.models.encoder import DualEncoder
from clipnb.models.lite.weights import CLASSIFIERS, lite_is_here
from clipnb.models.load import choose_automatically
from clipnb.models.sources import canonical_name
from clipnb.optimise.engine import Optimisation
from clipnb.optimise.film.plan import total_steps
from clipnb.optimise.language.config import ExperimentConfig
from clipnb.optimise.language.mistakes import shown
from clipnb.optimise.step import Step
from clipnb.sheets import contact_sheet

MOST_VARIANTS = 64
_FIRST_SEED = 1
_SIDE = 192  # pixels of a picture on a sheet
_PER_PIXEL = 96  # bytes that a run needs while another one makes a step: parameters, moments, pictures; measured
_SHARE = 0.75  # of the free memory; the rest is for the step that is being made
_UNKNOWN_SIDE = 512  # pixels, of a picture whose side is an expression
_SOME_SEEDS = 4


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
    seeds: int | Sequence[int] | None = None,
    recipes: Sequence[str] = (),
    judge: str | Sequence[str] | None = "auto",
    encoder: DualEncoder | None = None,
    sweep: Mapping[str, Sequence[object]] | None = None,
    named: str = "",
    **changes: object,
) -> list[Variant]:
    """Return an experiment for each recipe, value and seed.

    Args:
        text: what should be seen, or an experiment.
        seeds: how many, or which; by default four, or one where a key is swept.
        recipes: names; the experiment's own, or `auto` for a text, when empty.
        sweep: a key, and the values that it takes one after another.
        judge: encoders that only look; "auto": a larger embedded classifier for `lite`, none for others; None: none.
        encoder: guides instead of the experiment's models.
        named: what their labels begin with, where these are some of several.
        changes: further top-level keys.

    Raises:
        ConfigError: there is nothing to make, too much, or a key or a value is not allowed.
    """
    key, values = _swept(sweep)
    seeds = (1 if values else _SOME_SEEDS) if seeds is None else seeds
    seed_count = seeds if isinstance(seeds, int) else len(seeds)
    count = seed_count * max(1, len(recipes)) * max(1, len(values))
    if not 1 <= count <= MOST_VARIANTS:
        raise ConfigError(f"{count} variants ({seed_count} seeds) are asked for; from 1 to {MOST_VARIANTS} are made")
    numbers = range(_FIRST_SEED, _FIRST_SEED + seeds) if isinstance(seeds, int) else seeds
    for what, given in (("seed", numbers), ("recipe", recipes), (f"value of {key}", values)):
        if twice := [one for place, one in enumerate(given) if one in given[:place]]:
            raise ConfigError(f"the {what} {shown(twice[0])} is named twice; name it once")
    if recipes and isinstance(text, ExperimentConfig):
        raise ConfigError("recipes are for texts; an experiment has its own: give seeds, or a text")
    if encoder is not None and isinstance(text, str):  # by which `auto` goes
        changes = {"model": encoder.name, "device": str(encoder.device), **changes}
    made = []
    for recipe in recipes or (None,):
        more: dict[str, Any] = changes if recipe is None else {**changes, "recipe": recipe}
        base = text.changed(**more) if isinstance(text, ExperimentConfig) else ExperimentConfig.from_text(text, **more)
        base = with_judges(base, judge, encoder)
        for value, config in [(f"{key} {shortened(str(v))}", _with(base, key, v)) for v in values] or [("", base)]:
            for number in numbers:
                seed = "" if values and len(numbers) == 1 else f"seed {number}"
                label = ", ".join(filter(None, (named, recipe, value, seed)))
                made.append(Variant(label, config.changed(seed=number)))
    return made


def _swept(sweep: Mapping[str, Sequence[object]] | None) -> tuple[str, Sequence[object]]:
    """Return the key that is swept, and its values."""
    if not sweep:
        return "", ()
    if len(sweep) > 1:
        raise ConfigError(f"one key is swept at a time, not {len(sweep)} ({', '.join(map(str, sweep))})")
    ((key, values),) = sweep.items()
    if key in ("seed", "recipe"):
        raise ConfigError(f"sweep: give {key}s by themselves, not as a key that is swept")
    if isinstance(values, str) or not isinstance(values, Sequence) or not values:
        raise ConfigError(f"sweep: {key} needs a list of values, such as [0.5, 1, 2]")
    return key, values


def _with(config: ExperimentConfig, key: str, value: object) -> ExperimentConfig:
    """Return an experiment with another value of a key, which may lie deeper: `targets[0].batch_size`."""
    first, *deeper = path = [_step(part) for part in re.split(r"[.\[\]]+", key.rstrip("]"))]
    whole = value if not deeper else config.as_dict().get(str(first))
    place: Any = whole
    try:
        for part in deeper[:-1]:
            place = place[part]
        if deeper:
            place[path[-1]] = value
    except (LookupError, TypeError):
        raise ConfigError(
            f"sweep: the experiment has no place for {shortened(key)}; write it as messages do: targets[0].batch_size"
        ) from None
    return config.changed(**{str(first): whole})


def _step(part: str) -> int | str:
    return int(part) if part.isdecimal() and len(part) < 10 else part


def require_room(variants: Sequence[Variant], encoder: DualEncoder | None = None) -> None:
    """Check that variants that are made in turn fit into the memory that is free.

    Raises:
        ConfigError: they do not; the message says how many do.
    """
    config = variants[0].config
    free = free_memory(resolve_device(config.device) if encoder is None else encoder.device)
    needed = [_PER_PIXEL * _pixels(variant.config) for variant in variants]
    if free is None or sum(needed) <= _SHARE * free:
        return
    fit = int(_SHARE * free / max(needed))
    instead = f"make {fit} at a time, or smaller ones" if fit else "make smaller ones"
    raise ConfigError(
        f"{len(variants)} variants in turn need about {size_in_words(sum(needed))} of memory, and "
        f"{size_in_words(free)} are free; {instead} (resolution), and go on with the best at full size"
    )


def _pixels(config: ExperimentConfig) -> int:
    width, height = (int(str(side)) if str(side).isdecimal() else _UNKNOWN_SIDE for side in config.resolution)
    return width * height


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
    """Makes variants in turn, a step of each; an engine whose steps can be left and gone on with.

    Attributes:
        variants: what is made.
        newest: the newest step of each that has been begun, by its number.
        left: numbers of those that are not gone on with.
        failed: what ended those that could not be gone on with, by their numbers.
    """

    def __init__(self, variants: Sequence[Variant], encoder: DualEncoder | None = None) -> None:
        """Prepare; `encoder` is used instead of the experiments' models."""
        self.variants, self._encoder = tuple(variants), encoder
        self.newest: dict[int, VariantStep] = {}
        self.left: set[int] = set()
        self.failed: dict[int, ClipnbError] = {}
        self._runs: dict[int, tuple[Optimisation, Iterator[Step]]] = {}

    @property
    def total(self) -> int:
        """Number of steps of all variants together; of those that were left, those that are made."""
        out = self.left | self.failed.keys()
        return sum(self.made(n) if n in out else total_steps(one.config) for n, one in enumerate(self.variants))

    @property
    def done(self) -> int:
        """Number of steps that are made."""
        return sum(map(self.made, range(len(self.variants))))

    def made(self, place: int) -> int:
        """Return how many steps of a variant are made."""
        newest = self.newest.get(place)
        return newest.step.index + 1 if newest else 0

    def is_made(self, place: int) -> bool:
        """Whether a variant is whole."""
        newest = self.newest.get(place)
        return newest is not None and newest.step.is_last

    def is_open(self, place: int) -> bool:
        """Whether a variant has steps left that are to be made."""
        return not (place in self.left or place in self.failed or self.is_made(place))

    def update(self, config: None) -> None:
        """Change nothing: variants are made as they were asked for."""

    def steps(self) -> Iterator[VariantStep]:
        """Yield after every step of every variant; asked again, go on.

        A variant that cannot be made is noted in `failed`, and the others go on.

        Raises:
            ClipnbError: none can be made.
        """
        ended: set[int] = set()
        while turn := [place for place in range(len(self.variants)) if self.is_open(place) and place not in ended]:
            for place in filter(self.is_open, turn):
                run, steps = self._run_of(place)
                try:
                    step = next(steps, None)
                except ClipnbError as error:
                    self.failed[place] = error
                    if len(self.failed) == len(self.variants):
                        raise
                    continue
                if step is None:
                    ended.add(place)
                    continue
                self.newest[place] = VariantStep(place, self.variants[place], run, step)
                yield self.newest[place]

    def _run_of(self, place: int) -> tuple[Optimisation, Iterator[Step]]:
        if place not in self._runs:
            run = Optimisation(self.variants[place].config, self._encoder)
            self._runs[place] = run, run.steps()
        return self._runs[place]


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
