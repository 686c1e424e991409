"""Models that are on this machine: in the bundle in use, and in the caches; and whether the hub can be asked at all."""

from __future__ import annotations

import os
import socket
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import urlsplit

from clipnb.errors import ModelUnavailableError, first_line, reason, shortened
from clipnb.files import bundle_folder, sha256_of
from clipnb.models import hub

WEIGHT_SUFFIXES = (".pt", ".pth", ".bin", ".safetensors")
"""How files of weights end."""


class Portable(NamedTuple):
    """A file of a model, and its path below a bundle's folder of models."""

    source: Path
    place: Path


def path_of(given: str | Path) -> Path:
    """Make a path of what a user named, `~` expanded; it need not exist.

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


def check_file(path: Path, sha256: str, remedy: str) -> None:
    """Refuse a file of weights that has another digest (64 hex digits) than it should.

    Raises:
        ModelUnavailableError: the file is missing, unreadable or different; ends with the remedy.
    """
    try:
        digest = sha256_of(path)
    except OSError as error:
        raise ModelUnavailableError(f"cannot read {path}: {reason(error)}; {remedy}") from error
    if digest != sha256:
        raise ModelUnavailableError(
            f"{path} is damaged or foreign (sha256 {digest[:12]}..., expected {sha256[:12]}...); {remedy}"
        )


def local_weights(name: str) -> Path | None:
    """Find the weights of a model that has a name in a folder, the bundle or the caches."""
    if name.startswith("local-dir:"):
        return path_of(name.removeprefix("local-dir:"))
    if name.startswith("hf-hub:"):
        return bundled_model(name)
    architecture, _, tag = name.partition("/")
    return cached_checkpoint(architecture, tag) if tag else None


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
        downloaded = _downloaded(url.rsplit("/", 1)[-1])
        if downloaded.is_file() and _matches_its_url(downloaded, url):
            return downloaded
    return None


def may_be_here(repository: str, file: str) -> bool:
    """Return whether weights may be in the bundle or the caches: their repository, or open_clip's own download."""
    from huggingface_hub.constants import HF_HUB_CACHE

    known = Path(HF_HUB_CACHE) / f"models--{repository.replace('/', '--')}"
    return bool(bundle_folder()) or known.is_dir() or _downloaded(file).is_file()


def _downloaded(file: str) -> Path:
    return Path("~/.cache/clip").expanduser() / file


def _matches_its_url(file: Path, url: str) -> bool:
    """Check OpenAI's files against the digest that their address carries; others carry none."""
    expected = url.split("/")[-2]
    try:
        return len(expected) != 64 or sha256_of(file) == expected
    except OSError:
        return False


def bundled_model(name: str) -> Path | None:
    """Find a model in the bundle that is in use: its file of weights, or the folder of a model of the hub."""
    folder = bundle_folder("models")
    place = folder and folder / place_in_bundle(name)
    if not place or place.is_dir():
        return place
    return next((file for suffix in WEIGHT_SUFFIXES if (file := Path(f"{place}{suffix}")).is_file()), None)


def place_in_bundle(name: str) -> Path:
    """Return the path of a model below a bundle's folder of models, without the suffix of a file."""
    return Path(name.replace(":", "/"))


def repository_files(name: str, repository: str, marker: str) -> list[Portable]:
    """List the files of a repository of the hub that are here, and their places in a bundle.

    Raises:
        ModelUnavailableError: there are none, or the marker is not among them.
    """
    cached = find_in_cache(repository, marker)
    folder = bundled_model(name) or (cached and cached.parent)
    if folder is None:
        raise not_here(name.removeprefix("captioners/"))
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    return [Portable(path, place_in_bundle(name) / path.relative_to(folder)) for path in files]


def not_here(name: str) -> ModelUnavailableError:
    return ModelUnavailableError(
        f"{name!r} is not on this machine, and a bundle takes only what is: load it once here, then bundle it"
    )


def find_in_cache(repository: str, file: str) -> Path | None:
    """Find a file of a repository ("org/repo"; what is no such name is not there) in the hub's local cache."""
    from huggingface_hub import try_to_load_from_cache
    from huggingface_hub.errors import HFValidationError

    try:
        found = try_to_load_from_cache(repository, file)
    except HFValidationError:
        return None
    return Path(found) if isinstance(found, str) else None


def repository_folder(repository: str, weights: Sequence[str], *, quiet: bool = False) -> Path:
    """Return the folder of a repository of the hub in its local cache, whole: what is missing is fetched.

    Args:
        repository: "org/repo".
        weights: as `hub.fetch_repository` takes them; where they are all here nobody is asked.
        quiet: show no bars.

    Raises:
        HubError: it is not whole here, and cannot be had.
    """
    for marker in ("config.json", "open_clip_config.json", "selected_tags.csv"):
        found = find_in_cache(repository, marker)
        if found and hub.is_whole(found.parent, weights):
            return found.parent
    problem = why_missing(repository)
    if problem:
        raise hub.HubError(problem)
    return hub.fetch_repository(repository, weights, quiet=quiet).parent


def snapshot(repository: str, marker: str) -> Path | None:
    """Find the folder of a repository in the hub's local cache, its JSON files brought up to date where that goes."""
    from huggingface_hub import snapshot_download

    if not why_missing(repository):
        with suppress(Exception):  # of many kinds; then what is in the cache counts
            snapshot_download(repository, allow_patterns="*.json")
    found = find_in_cache(repository, marker)
    return found and found.parent


def why_missing(repository: str) -> str | None:
    """Return why a repository that is not in the local cache cannot be had; None where the hub may be asked for it.

    This is quick: the hub's own client retries for a minute.
    """
    from huggingface_hub.errors import HFValidationError
    from huggingface_hub.utils import validate_repo_id  # type: ignore[attr-defined]  # there, but not listed

    try:
        validate_repo_id(repository)
    except HFValidationError as error:
        return first_line(error).rstrip(".")
    problem = _why_unreachable()
    return problem and f"{repository} is not in the local cache, and {problem}"


def _why_unreachable() -> str | None:
    from huggingface_hub import constants

    if constants.HF_HUB_OFFLINE:
        return "HF_HUB_OFFLINE is set"
    if any(os.environ.get(proxy) for proxy in ("HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy")):
        return None  # then the proxy looks the address up
    try:
        socket.getaddrinfo(urlsplit(constants.ENDPOINT).hostname, 443)
    except OSError:
        return "the model hub cannot be reached"
    return None
