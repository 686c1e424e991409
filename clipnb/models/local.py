"""Models that are on this machine: in the bundle in use, and in the caches. Nothing here asks the network."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from clipnb.errors import ModelUnavailableError, reason, shortened
from clipnb.files import bundle_folder
from clipnb.models.digest import check_file
from clipnb.models.hub import find_in_cache

WEIGHT_SUFFIXES = (".pt", ".pth", ".bin", ".safetensors")
"""How files of weights end."""


def cached_checkpoint(architecture: str, tag: str) -> Path | None:
    """Find the weights of an open_clip model in the bundle or the caches."""
    from open_clip import get_pretrained_cfg
    from open_clip.constants import HF_SAFE_WEIGHTS_NAME, HF_WEIGHTS_NAME

    bundled = bundled_model(f"{architecture}/{tag}")
    if bundled:
        return bundled
    config: dict[str, Any] = get_pretrained_cfg(architecture, tag)
    if config.get("hf_hub"):
        repository, _, filename = config["hf_hub"].rpartition("/")
        stem = filename.rpartition(".")[0]
        wanted: list[str] = [f"{stem}.safetensors", filename] if filename else [HF_SAFE_WEIGHTS_NAME, HF_WEIGHTS_NAME]
        for candidate in wanted:
            found = find_in_cache(repository, candidate)
            if found:
                return found
    if config.get("url"):
        url: str = config["url"]
        downloaded = Path("~/.cache/clip").expanduser() / url.rsplit("/", 1)[-1]
        if downloaded.is_file() and _matches_its_url(downloaded, url):
            return downloaded
    return None


def local_weights(name: str) -> Path | None:
    """Find the weights of a model that has a name in a folder, the bundle or the caches."""
    if name.startswith("local-dir:"):
        return path_of(name.removeprefix("local-dir:"))
    if name.startswith("hf-hub:"):
        return bundled_model(name)
    architecture, _, tag = name.partition("/")
    return cached_checkpoint(architecture, tag) if tag else None


def bundled_model(name: str) -> Path | None:
    """Find a model in the bundle that is in use: its file of weights, or the folder of a model of the hub.

    Args:
        name: "architecture/tag", or "hf-hub:org/repo".
    """
    folder = bundle_folder("models")
    place = folder and folder / place_in_bundle(name)
    if not place or place.is_dir():
        return place
    return next((file for suffix in WEIGHT_SUFFIXES if (file := Path(f"{place}{suffix}")).is_file()), None)


def place_in_bundle(name: str) -> Path:
    """Give the path of a model below a bundle's folder of models, without the suffix of a file."""
    return Path(name.replace(":", "/"))


def path_of(given: str | Path) -> Path:
    """Make a path of what a user named, `~` expanded.

    Raises:
        ModelUnavailableError: there can be no file of that name.
    """
    try:
        path = Path(given).expanduser().absolute()
        path.stat()
    except (FileNotFoundError, NotADirectoryError):
        return path
    except (OSError, RuntimeError, ValueError) as error:  # ~somebody without a home, null characters, loops of links
        raise ModelUnavailableError(f"there is no file {shortened(str(given), 200)}: {reason(error)}") from error
    return path


def _matches_its_url(file: Path, url: str) -> bool:
    """Check OpenAI's files against the digest that their address carries; others carry none."""
    expected = url.split("/")[-2]
    if len(expected) != 64:
        return True
    try:
        check_file(file, expected, "delete it")
    except ModelUnavailableError:
        return False
    return True
