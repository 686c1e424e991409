"""A recipe under what a person wrote: their keys stay, the recipe gives the others."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from clipnb.optimise.language.recipes import RECIPES, for_text


def with_recipe(raw: Mapping[str, Any]) -> Mapping[str, Any]:
    """Replace `recipe` by what it says and the experiment does not; every target with features gets the recipe's.

    What is no experiment is left for the checks.

    Raises:
        ValueError: there is nothing that the recipe could be for, or nothing that it could still say.
    """
    name, targets = raw.get("recipe"), raw.get("targets")
    own = {key: value for key, value in raw.items() if key != "recipe"}
    if name is None:
        return own if "recipe" in raw else raw
    targets = [targets] if isinstance(targets, Mapping) else targets or []
    known = RECIPES.get(name.strip().lower()) if isinstance(name, str) else None
    if known is None or not isinstance(targets, list) or not all(isinstance(one, Mapping) for one in targets):
        return raw
    if not any(one.get("features") for one in targets):
        raise ValueError(
            f"recipe {name!r} says how pictures of texts or images are made, and no target here has features; "
            "write targets: [{features: [what should be seen]}]"
        )
    models = own.get("models") or own.get("model") or "auto"
    names = [str(one) for one in models] if isinstance(models, list) else [str(models)]
    pixels, parameters = _pixels_of(own.get("pixels"))
    device = str(own.get("device") or "auto")
    given = for_text("any", name.strip().lower(), models=names, device=device, pixels=pixels)
    init = own.get("init")
    whole = {key: value for key, value in given["targets"][0].items() if key != "name"}
    before = {**own, "targets": targets}
    if parameters is not None and pixels in given["pixels"]:
        own["pixels"] = {pixels: {**given["pixels"][pixels], **parameters}}
    if isinstance(init, Mapping) and not init.keys() & {"image", "image_tensor"}:
        own["init"] = {**given["init"], **init}
    own["targets"] = [{**whole, **one} if one.get("features") else one for one in targets]
    merged = {**given, **own}
    if merged == before:
        raise ValueError(
            f"recipe {name!r} has nothing to say: the experiment sets all its keys already; leave out the recipe, or "
            "the keys that should be its own"
        )
    return merged


def _pixels_of(raw: object) -> tuple[str, Mapping[str, Any] | None]:
    """Return the name of a parameterisation and the parameters that are set; "" and None where it is unclear."""
    name, parameters = next(iter(raw.items())) if isinstance(raw, Mapping) and len(raw) == 1 else (raw, {})
    known = isinstance(name, str) and isinstance(parameters or {}, Mapping)
    return (str(name).strip().lower(), parameters or {}) if known else ("", None)
