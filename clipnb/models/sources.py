"""From a model's name to its weights: what open_clip knows, what is on this machine, what has to be downloaded."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from clipnb.errors import ModelUnavailableError, UnknownModelError, listed, nearest, shortened
from clipnb.models import hub, local, openai
from clipnb.models.checks.safety import check_folder
from clipnb.models.local import Portable, why_missing
from clipnb.models.preparation import Preparation, find_preparation

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
_FOLDER_CONFIG = "open_clip_config.json"
_KNOWN_FILES = ("open_clip_model.safetensors", "open_clip_pytorch_model.safetensors", "open_clip_pytorch_model.bin")


@dataclass(frozen=True)
class OpenClipSource:
    """Everything that open_clip needs to build one model."""

    architecture: str  # open_clip's, or a `hf-hub:` / `local-dir:` name that brings its own
    checkpoint: Path | None = None  # None where the architecture's name brings the weights
    quick_gelu: bool = False  # the approximate activation, where the weights were trained with it
    preparation: Preparation | None = None  # of pictures, as the weights want it
    folder: Path | None = None  # with the weights, where the architecture's name brings them

    def files(self) -> list[Path]:
        """Return the file of weights, or all files of their folder."""
        if self.checkpoint:
            return [self.checkpoint]
        return sorted(file for file in self.folder.iterdir() if file.is_file()) if self.folder else []


def canonical_name(name: str) -> str:
    """Return the one spelling of a name that several spellings mean.

    >>> canonical_name("ViT-B/32")
    'ViT-B-32/openai'
    """
    return f"{OPENAI_NAMES[name]}/openai" if name in OPENAI_NAMES else name


def find_source(name: str, weights: Path | None = None) -> OpenClipSource:
    """Find the weights of a model, downloading them when the name asks for weights that are not here.

    Args:
        name: canonical name: "architecture/tag", "architecture/path/to/file.pt", "hf-hub:org/repo",
            "local-dir:path".
        weights: file or folder with this model's weights; then the network is never asked.

    Raises:
        UnknownModelError: open_clip does not know it.
        ModelUnavailableError: the weights are not here and cannot be downloaded, or a path leads nowhere.
    """
    if name.startswith("local-dir:"):
        weights = local.path_of(name.removeprefix("local-dir:"))
    if name.startswith("hf-hub:"):
        weights = weights or local.bundled_model(name)
    if weights and (name.startswith(_SCHEMES) or (weights / _FOLDER_CONFIG).is_file()):
        return _local_folder(name, weights)
    if name.startswith("hf-hub:"):
        try:
            folder = local.repository_folder(name.removeprefix("hf-hub:"), hub.OPEN_CLIP)
        except hub.HubError as error:
            raise unavailable(name, str(error)) from error
        return _local_folder(name, folder)
    architecture, _, tag = name.partition("/")
    _require_architecture(name, architecture)
    if tag.endswith(local.WEIGHT_SUFFIXES):
        weights, tag = local.path_of(tag), ""
    config = _pretrained_config(name, architecture, tag) if tag or not weights else {}
    if weights:
        require_own_tokenizer(name, architecture)
    checkpoint = _weights_file(weights, name) if weights else local.cached_checkpoint(architecture, tag)
    return _described(architecture, checkpoint or _download(name, config), config)


def _described(architecture: str, checkpoint: Path, config: dict[str, Any]) -> OpenClipSource:
    """Describe how weights are run: as they were trained, and without any code that lies beside them."""
    if openai.is_torchscript(checkpoint):
        checkpoint = openai.plain_weights(checkpoint, architecture)
        config = config or _pretrained_config(architecture, architecture, "openai")
    preparation = find_preparation(None if config else checkpoint.parent, architecture, config)
    return OpenClipSource(architecture, checkpoint, bool(config.get("quick_gelu")), preparation)


def all_names() -> list[str]:
    """Return every "architecture/tag" that open_clip knows."""
    import open_clip

    return [f"{architecture}/{tag}" for architecture, tag in open_clip.list_pretrained()]


def _local_folder(name: str, folder: Path) -> OpenClipSource:
    if not (folder / _FOLDER_CONFIG).is_file():
        raise ModelUnavailableError(
            f"{name}: {folder} holds no open_clip_config.json; name a folder as open_clip saves it, "
            "with that file and the weights beside it"
        )
    check_folder(folder, ("hf_model_name",))
    return OpenClipSource(f"local-dir:{folder}", preparation=find_preparation(folder), folder=folder)


def _require_architecture(name: str, architecture: str) -> None:
    import open_clip

    if architecture in open_clip.list_models():
        return
    if name.endswith(local.WEIGHT_SUFFIXES):
        raise UnknownModelError(
            f"{name!r} is a file without an architecture; write ARCHITECTURE/PATH, such as ViT-B-32/{name}"
        )
    from clipnb.models.lite.weights import CLASSIFIERS  # which brings torch

    given, close = shortened(name), nearest(name, [*all_names(), *OPENAI_NAMES, *CLASSIFIERS, "auto"])
    raise UnknownModelError(f"unknown model {given!r}; nearest: {close}. clipnb.list_models() shows all of them")


def _pretrained_config(name: str, architecture: str, tag: str) -> dict[str, Any]:
    import open_clip

    config: dict[str, Any] = open_clip.get_pretrained_cfg(architecture, tag)
    if config:
        return config
    tags = open_clip.list_pretrained_tags_by_model(architecture)
    known = ", ".join(f"{architecture}/{known}" for known in tags) or "none; give a file: ARCHITECTURE/PATH.pt"
    raise UnknownModelError(f"unknown weights in {name!r}; {architecture} has: {known}")


def _weights_file(path: Path, name: str) -> Path:
    """Find the one file of weights that a path means: the file itself, or the only one in the folder."""
    if path.is_file():
        return path
    found = [file for file in sorted(path.glob("*")) if file.suffix in local.WEIGHT_SUFFIXES] if path.is_dir() else []
    known = [file for file in found if file.name in _KNOWN_FILES] or found
    if len(known) == 1:
        return known[0]
    if not path.is_dir():
        raise ModelUnavailableError(f"{name}: there is no file {path}")
    what = f"holds {listed([file.name for file in known])}: name one of them" if known else "holds no weights"
    raise ModelUnavailableError(f"{name}: {path} {what} ({', '.join(local.WEIGHT_SUFFIXES)})")


def require_own_tokenizer(name: str, architecture: str) -> None:
    """Refuse a bare file where the tokenizer would have to be asked from the hub."""
    import open_clip

    config: dict[str, Any] = open_clip.get_model_config(architecture) or {}
    if config.get("text_cfg", {}).get("hf_tokenizer_name"):
        raise ModelUnavailableError(
            f"{name}: {architecture} needs a tokenizer that a file of weights does not hold; give a folder as the hub "
            f"has it, with {_FOLDER_CONFIG}, the weights and the tokenizer"
        )


def _download(name: str, config: dict[str, Any]) -> Path:
    """Fetch the weights of a name, and the tokenizer that its architecture takes from the hub."""
    import open_clip

    repository, _, file = config["hf_hub"].rpartition("/")
    reason = why_missing(repository)
    if reason:
        raise unavailable(name, reason)
    stem = re.escape(file.rpartition(".")[0])
    wanted = (rf"{stem}\.safetensors", re.escape(file)) if file else hub.OPEN_CLIP
    tokenizer = open_clip.get_model_config(name.partition("/")[0])["text_cfg"].get("hf_tokenizer_name")
    try:
        if tokenizer:
            hub.fetch_repository(tokenizer, ())
        return hub.fetch_repository(repository, wanted, described=False)
    except hub.HubError as error:
        raise unavailable(name, str(error)) from error


def unavailable(name: str, reason: str) -> ModelUnavailableError:
    architecture = name.partition("/")[0]
    place = (
        "on a machine with internet load it once and bring its folder as local-dir:PATH"
        if name.startswith(_SCHEMES)
        else f"put its file anywhere and load {architecture}/PATH.safetensors"
    )
    return ModelUnavailableError(f"the weights of {name!r} cannot be had: {reason}. Either {place}; 'lite' works now")


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
    name = canonical_name(name)
    if name.startswith("hf-hub:"):
        return local.repository_files(name, name.removeprefix("hf-hub:"), _FOLDER_CONFIG)
    if name not in all_names():
        close = nearest(name, ["lite", *all_names()])
        raise UnknownModelError(f"a bundle takes models by their names; {name!r} is none, nearest: {close}")
    weights = local.local_weights(name)
    if weights is None:
        raise local.not_here(name)
    require_own_tokenizer(name, name.partition("/")[0])
    return [Portable(weights, Path(f"{local.place_in_bundle(name)}{weights.suffix}"))]
