"""From a model's name to its weights: what open_clip knows, what lies in the caches, what has to be downloaded."""

from __future__ import annotations

import os
import socket
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from clipnb.errors import ModelUnavailableError, UnknownModelError, nearest

OPENAI_NAMES = {
    "RN50": "RN50",
    "RN101": "RN101",
    "RN50x4": "RN50x4",
    "RN50x16": "RN50x16",
    "RN50x64": "RN50x64",
    "ViT-B/32": "ViT-B-32",
    "ViT-B/16": "ViT-B-16",
    "ViT-L/14": "ViT-L-14",
    "ViT-L/14@336px": "ViT-L-14-336",
}
"""OpenAI's own names, as older experiment files have them, and open_clip's architectures of the same models."""
_SCHEMES = ("hf-hub:", "local-dir:")
_WEIGHT_SUFFIXES = (".pt", ".pth", ".bin", ".safetensors")
_STATISTICS = ("mean", "std", "interpolation", "resize_mode")


@dataclass(frozen=True)
class OpenClipSource:
    """Everything that open_clip needs to build one model.

    Attributes:
        architecture: open_clip's architecture, or a `hf-hub:` / `local-dir:` name that brings its own.
        checkpoint: the weights' file; None where the architecture's name brings them.
        quick_gelu: whether these weights were trained with the approximate activation.
        preprocess: how these weights want their pictures (mean, std, interpolation, resize_mode).
    """

    architecture: str
    checkpoint: Path | None = None
    quick_gelu: bool = False
    preprocess: dict[str, Any] | None = None


def canonical_name(name: str) -> str:
    """Give the one spelling of a name that several spellings mean.

    >>> canonical_name("ViT-B/32")
    'ViT-B-32/openai'
    """
    return f"{OPENAI_NAMES[name]}/openai" if name in OPENAI_NAMES else name


def find_source(name: str) -> OpenClipSource:
    """Find the weights of a model, downloading them when the name asks for weights that are not here.

    Args:
        name: canonical name: "architecture/tag", "architecture/path/to/file.pt", "hf-hub:org/repo",
            "local-dir:path".

    Raises:
        UnknownModelError: open_clip does not know it.
        ModelUnavailableError: the weights are not here and cannot be downloaded, or a path leads nowhere.
    """
    if name.startswith("local-dir:"):
        return _local_folder(name)
    if name.startswith("hf-hub:"):
        _require_hub(name)
        return OpenClipSource(name)
    architecture, _, tag = name.partition("/")
    _require_architecture(name, architecture)
    if tag.endswith(_WEIGHT_SUFFIXES):
        return OpenClipSource(architecture, _existing_file(Path(tag).expanduser(), name))
    config = _pretrained_config(name, architecture, tag)
    checkpoint = cached_checkpoint(architecture, tag) or _download(name, config)
    preprocess = {key: config[key] for key in _STATISTICS if key in config}
    return OpenClipSource(architecture, checkpoint, bool(config.get("quick_gelu")), preprocess)


def cached_checkpoint(architecture: str, tag: str) -> Path | None:
    """Find the weights of an open_clip model in the local caches; never asks the network."""
    from huggingface_hub import try_to_load_from_cache
    from open_clip import get_pretrained_cfg
    from open_clip.constants import HF_SAFE_WEIGHTS_NAME, HF_WEIGHTS_NAME

    config: dict[str, Any] = get_pretrained_cfg(architecture, tag)
    if config.get("hf_hub"):
        repository, _, filename = config["hf_hub"].rpartition("/")
        stem = filename.rpartition(".")[0]
        wanted: list[str] = [f"{stem}.safetensors", filename] if filename else [HF_SAFE_WEIGHTS_NAME, HF_WEIGHTS_NAME]
        for candidate in wanted:
            found = try_to_load_from_cache(repository, candidate)
            if isinstance(found, str):
                return Path(found)
    if config.get("url"):
        url: str = config["url"]
        downloaded = Path("~/.cache/clip").expanduser() / url.rsplit("/", 1)[-1]
        if downloaded.is_file() and _matches_its_url(downloaded, url):
            return downloaded
    return None


def all_names() -> list[str]:
    """List every "architecture/tag" that open_clip knows."""
    import open_clip

    return [f"{architecture}/{tag}" for architecture, tag in open_clip.list_pretrained()]


def _local_folder(name: str) -> OpenClipSource:
    folder = Path(name.removeprefix("local-dir:")).expanduser()
    if not (folder / "open_clip_config.json").is_file():
        raise ModelUnavailableError(
            f"{name}: {folder} holds no open_clip_config.json; name a folder as open_clip saves it, "
            "with that file and the weights beside it"
        )
    return OpenClipSource(f"local-dir:{folder}")


def _require_architecture(name: str, architecture: str) -> None:
    import open_clip

    if name.endswith(_WEIGHT_SUFFIXES) and architecture not in open_clip.list_models():
        raise UnknownModelError(
            f"{name!r} is a file without an architecture; write ARCHITECTURE/PATH, such as ViT-B-32/{name}"
        )
    if architecture not in open_clip.list_models():
        close = nearest(name, [*all_names(), *OPENAI_NAMES, "lite", "auto"])
        raise UnknownModelError(f"unknown model {name!r}; nearest: {close}. clipnb.list_models() shows all of them")


def _pretrained_config(name: str, architecture: str, tag: str) -> dict[str, Any]:
    import open_clip

    config: dict[str, Any] = open_clip.get_pretrained_cfg(architecture, tag)
    if config:
        return config
    tags = open_clip.list_pretrained_tags_by_model(architecture)
    known = ", ".join(f"{architecture}/{known}" for known in tags) or "none; give a file: ARCHITECTURE/PATH.pt"
    raise UnknownModelError(f"unknown weights in {name!r}; {architecture} has: {known}")


def _existing_file(path: Path, name: str) -> Path:
    if not path.is_file():
        raise ModelUnavailableError(f"{name}: there is no file {path}")
    return path


def _matches_its_url(file: Path, url: str) -> bool:
    """Check OpenAI's files against the digest that their address carries; others carry none."""
    from clipnb.models.digest import check_file

    expected = url.split("/")[-2]
    if len(expected) != 64:
        return True
    try:
        check_file(file, expected, "delete it")
    except ModelUnavailableError:
        return False
    return True


def _require_hub(name: str) -> None:
    reason = hub_unreachable()
    if reason:
        repository = name.removeprefix("hf-hub:")
        from huggingface_hub import try_to_load_from_cache

        if isinstance(try_to_load_from_cache(repository, "open_clip_config.json"), str):
            return
        raise unavailable(name, reason)


def _download(name: str, config: dict[str, Any]) -> Path:
    from open_clip import download_pretrained

    reason = hub_unreachable() if config.get("hf_hub") else None
    if reason:
        raise unavailable(name, reason)
    try:
        return Path(download_pretrained(config))
    except Exception as error:
        raise unavailable(name, str(error).splitlines()[0]) from error


def unavailable(name: str, reason: str) -> ModelUnavailableError:
    """Say what was tried for a model, where its file may be put, and what works now."""
    architecture = name.partition("/")[0]
    place = (
        "on a machine with internet load it once and bring its folder as local-dir:PATH"
        if name.startswith(_SCHEMES)
        else f"put its file anywhere and load {architecture}/PATH.safetensors"
    )
    return ModelUnavailableError(f"the weights of {name!r} cannot be had: {reason}. Either {place}; 'lite' works now")


def hub_unreachable() -> str | None:
    """Tell why the model hub cannot be asked, quickly: its own client retries for a minute."""
    from huggingface_hub import constants

    if constants.HF_HUB_OFFLINE:
        return "they are not in the local cache, and HF_HUB_OFFLINE is set"
    if any(os.environ.get(proxy) for proxy in ("HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy")):
        return None  # then the proxy looks the address up
    try:
        socket.getaddrinfo(urlsplit(constants.ENDPOINT).hostname, 443)
    except OSError:
        return "they are not in the local cache, and the model hub cannot be reached"
    return None
