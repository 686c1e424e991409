"""What the choice of a parameterisation brings: its recipe's settings, where the experiment has the recipe's own."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from clipnb.errors import ConfigError, shortened
from clipnb.optimise.language.config import ExperimentConfig
from clipnb.optimise.language.layout import KeyPath
from clipnb.optimise.language.recipes import RECIPES, for_text
from clipnb.widgets.live.yaml_text import text_at, with_value


class Adapted(NamedTuple):
    """YAML with another parameterisation, and which keys keep what a person wrote though the recipe has another."""

    text: str
    kept: tuple[str, ...] = ()


def with_parameterisation(
    text: str, config: ExperimentConfig, name: str, models: Sequence[str], done: int = 0
) -> Adapted:
    """Write a parameterisation into YAML, with what the experiment's recipe sets for it.

    A key that has what the recipe says beside the parameterisation of before gets what it says beside this one; what a
    person wrote stays. YAML that names its recipe has such settings by itself.

    Args:
        text: YAML without a mistake.
        config: what it says.
        name: of the parameterisation.
        models: names of the encoders that the recipe is for.
        done: steps of a run that is on; it is not to end by the choice.

    Raises:
        ConfigError: the YAML cannot be changed.
    """
    if text_at(text, ("recipe",)) is not None:
        return Adapted(with_value(text, ("pixels",), name))
    mine, plain, best = _flat(config.as_dict()), _flat(ExperimentConfig(targets=[{}]).as_dict()), -1
    for recipe in RECIPES:  # the one that agrees most with the experiment; `auto`, the first, before others
        raw = [
            for_text("any", recipe, models=models, device=config.device, pixels=pixels)
            for pixels in (config.pixels.name, name)
        ]
        old, new = (_flat(ExperimentConfig.from_dict(one).as_dict()) for one in raw)
        alike = sum(mine.get(path) == value != plain.get(path) for path, value in old.items())
        if alike > best:
            best, before, after, given = alike, old, new, _flat(raw[1])
    own = given["pixels",] if name in given["pixels",] else name
    text, kept = with_value(text, ("pixels",), own), []
    for path in given:
        if path == ("pixels",) or before.get(path) == after[path] or mine.get(path) == after[path]:
            continue
        ends_run = path == ("epochs",) and given[path] <= done
        try:
            changed = with_value(text, path, given[path])
        except ConfigError:  # the YAML has it in another form
            changed = ""
        if changed and not ends_run and mine.get(path) == before.get(path):
            text = changed
        else:
            kept.append(str(path[-1]))
    return Adapted(text, tuple(sorted(kept)))


def difference(before: ExperimentConfig, after: ExperimentConfig) -> str:
    """Return in words what differs between two experiments: `epochs 600 -> 300; transforms`."""
    old, new = _flat(before.as_dict()), _flat(after.as_dict())
    return "; ".join(_in_words(str(path[-1]), old.get(path), new[path]) for path in new if old.get(path) != new[path])


def _in_words(key: str, old: object, new: object) -> str:
    if isinstance(new, (Mapping, list)):
        return key
    return f"{key} {shortened(str(old), 30)} \N{RIGHTWARDS ARROW} {shortened(str(new), 30)}"


def _flat(experiment: Mapping[str, Any]) -> dict[KeyPath, Any]:
    """Return the values of an experiment's keys and of those of its first target, without what should be seen."""
    target = {**experiment["targets"][0], "features": None} if experiment.get("targets") else {}
    whole = {(key,): value for key, value in experiment.items() if key != "targets"}
    return whole | {("targets", 0, key): value for key, value in target.items()}
