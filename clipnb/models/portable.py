"""The files of models that are on this machine, and where they are put in a bundle for another one."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

from clipnb.errors import ModelUnavailableError, UnknownModelError, nearest
from clipnb.models import local, sources
from clipnb.models.captioner import CAPTIONERS
from clipnb.models.hub import find_in_cache


class Portable(NamedTuple):
    """A file of a model.

    Attributes:
        source: where it is.
        place: its path below a bundle's folder of models.
    """

    source: Path
    place: Path


def encoder_files(name: str) -> list[Portable]:
    """Find the files of an encoder; none for `lite`, whose weights are packages.

    Args:
        name: "lite", "architecture/tag" or "hf-hub:org/repo".

    Raises:
        UnknownModelError: open_clip does not know it.
        ModelUnavailableError: it is not on this machine, or a file of weights is not enough for it.
    """
    if name == "lite":
        return []
    name = sources.canonical_name(name)
    if name.startswith("hf-hub:"):
        return _repository(name, name.removeprefix("hf-hub:"), "open_clip_config.json")
    if name not in sources.all_names():
        close = nearest(name, ["lite", *sources.all_names()])
        raise UnknownModelError(f"a bundle takes models by their names; {name!r} is none, nearest: {close}")
    weights = local.local_weights(name)
    if weights is None:
        raise _missing(name)
    sources.require_own_tokenizer(name, name.partition("/")[0])
    return [Portable(weights, Path(f"{local.place_in_bundle(name)}{weights.suffix}"))]


def captioner_files(name: str) -> list[Portable]:
    """Find the files of a captioner.

    Args:
        name: a short name such as "blip-large", or a hub id.

    Raises:
        ModelUnavailableError: it is not in the local cache.
    """
    source = CAPTIONERS.get(name, name)
    if source.count("/") != 1:
        raise ModelUnavailableError(f"there is no captioner {name!r}; use {nearest(name, CAPTIONERS)} or a hub id")
    return _repository(f"captioners/{source}", source, "config.json")


def _repository(name: str, repository: str, marker: str) -> list[Portable]:
    """List what the cache holds of a repository of the hub; `marker` tells whether it holds anything of use."""
    bundled = local.bundled_model(name)
    found = find_in_cache(repository, marker)
    folder = bundled or (found.parent if found else None)
    if folder is None:
        raise _missing(name.removeprefix("captioners/"))
    place = local.place_in_bundle(name)
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    return [Portable(path, place / path.relative_to(folder)) for path in files]


def _missing(name: str) -> ModelUnavailableError:
    return ModelUnavailableError(
        f"{name!r} is not on this machine, and a bundle takes only what is: load it once here, then bundle it"
    )
