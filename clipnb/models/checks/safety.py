"""A model's folder is data: nothing that lies in one runs, wherever it came from.

What a folder says is checked before anything is built from it (`check_folder`, `check_repository`); the libraries are
told at every call not to run code; and what they would do on their own is held back while they load (`data_only`).
"""

from __future__ import annotations

import json
import os
import re
import stat
import threading
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from itertools import islice
from pathlib import Path
from typing import Any

from clipnb.errors import ModelUnavailableError, reason, shortened
from clipnb.files import read_text, size_in_words
from clipnb.models.local import snapshot

CONFIG_LIMIT = 8 * 2**20  # bytes of one JSON file; the largest known ones have two million
_MOST_FILES = 10_000  # in a model's folder and the folders in it
_MOST_LAYERS = 1000
_MOST_TIMES = 16  # that a model may be larger than its folder's files, which may have 4 bits a number
_ROOM = 2**28  # bytes that it may be larger besides
_CODE = {"trust_remote_code", "auto_map", "custom_pipelines", "custom_generate", "tesseract_config"}
_CLASSES = {"tokenizer_class", "processor_class", "image_processor_type", "feature_extractor_type", "config_class"}
_TIMM = {"checkpoint_path", "pretrained", "pretrained_cfg", "pretrained_cfg_overlay", "cache_dir"}
_TOKENIZER = {"bpe_path", "config", "subfolder", "revision", "code_revision", "vocab_file", "tokenizer_file"}
_ARGUMENTS = {"tokenizer_kwargs": _TOKENIZER, "model_args": _TIMM, "backbone_kwargs": _TIMM}
_SCHEMES = ("hf-hub:", "hf_hub:", "local-dir:")
_LOADING = threading.RLock()


def check_folder(folder: Path, named: Collection[str] = ()) -> None:
    """Check that building a model from a folder, as open_clip or transformers do, runs no code of its own.

    Args:
        folder: the model's.
        named: keys of its configurations that name other models, which are checked too: folders or repositories.

    Raises:
        ModelUnavailableError: naming the file and what in it asks for code, for other places, or cannot be read.
    """
    for file in _files(folder):
        if file.name.lower() == "adapter_config.json":
            raise _refused(folder, f"{file.name} names another model to load instead; merge the adapter into its model")
        if file.parent.name == "custom_generate" and file.suffix == ".py":
            raise _refused(folder, f"it brings its own code, {file.parent.name}/{file.name}, which is not run")
        name = file.name.lower()  # which a disk may not tell apart
        if name.endswith(".jinja") and file.stat().st_size > CONFIG_LIMIT:
            raise _refused(folder, f"{file.name} is larger than {size_in_words(CONFIG_LIMIT)}")
        if name.endswith(".json") and (
            name == "chat_template.json" or "config" in name or name.endswith(".index.json")
        ):
            config = _read(folder, file)
            wish = next((wish for key, value in _pairs(config) if (wish := _wish(key, value))), None)
            if wish:
                raise _refused(folder, f"{file.name} {wish}, and nothing but data is taken from a model")
            for key, value in _pairs(config):
                if key in named and isinstance(value, str) and value:
                    check_repository(value, "config.json")


def check_repository(repository: str, marker: str, named: Collection[str] = ()) -> None:
    """Check a folder, and what the local cache holds of a repository of the hub that has the marker."""
    folder = Path(repository) if os.path.isdir(repository) else None  # noqa: PTH112 - never raises
    # A folder below the working one may be called like a repository, and the libraries differ in which they prefer.
    for place in filter(None, (folder, snapshot(repository, marker))):
        check_folder(place, named)


def require_like_its_files(describe: Callable[[], Any], folder: Path) -> None:
    """Refuse a folder that describes far more than it holds, before memory is taken for that.

    Args:
        describe: builds the model on the device "meta"; where it fails, the model itself will fail in the same way.
        folder: with its weights.

    Raises:
        ModelUnavailableError: naming both sizes.
    """
    try:
        model = describe()
    except Exception:  # noqa: BLE001 - a foreign file fails in many ways
        return
    described = sum(tensor.nbytes for tensor in (*model.parameters(), *model.buffers()))
    held = sum(file.stat().st_size for file in _files(folder))
    if described > _MOST_TIMES * held + _ROOM:
        sizes = f"it describes {size_in_words(described)} of weights, and its files hold {size_in_words(held)}"
        raise _refused(folder, sizes)


def on_meta(kind: Any, folder: Path) -> Any:
    """Build what a folder describes by one of transformers' automatic classes on "meta", where it takes no memory."""
    import torch
    from transformers import AutoConfig

    config = AutoConfig.from_pretrained(folder, local_files_only=True, trust_remote_code=False)
    with torch.device("meta"):
        return kind.from_config(config, trust_remote_code=False)


def read_json(path: Path) -> Any:
    """Read a JSON file of a model.

    Raises:
        OSError: it cannot be read or is larger than the limit.
        ValueError: it is no JSON, or nested too deeply.
    """
    try:
        return json.loads(read_text(path, CONFIG_LIMIT))
    except RecursionError:
        raise ValueError("it is nested too deeply") from None


@contextmanager
def data_only() -> Iterator[None]:
    """Let torch unpickle tensors only and transformers neither run code nor ask for it, whoever calls them meanwhile.

    open_clip reads a file again without `weights_only` when the first try ends in a TypeError, and loads text towers
    of transformers without a word about remote code.
    """
    from transformers import dynamic_module_utils

    with _LOADING:
        variables = ("TORCH_FORCE_WEIGHTS_ONLY_LOAD", "TORCH_FORCE_NO_WEIGHTS_ONLY_LOAD")
        before = {name: os.environ.pop(name, None) for name in variables}
        patience = dynamic_module_utils.TIME_OUT_REMOTE_CODE
        try:
            os.environ[variables[0]] = "1"
            dynamic_module_utils.TIME_OUT_REMOTE_CODE = 0
            yield
        finally:
            dynamic_module_utils.TIME_OUT_REMOTE_CODE = patience
            del os.environ[variables[0]]
            os.environ.update({name: value for name, value in before.items() if value is not None})


def _files(folder: Path) -> Iterator[Path]:
    """Find the regular files in a folder and in the folders in it; links are followed, as the hub's cache needs."""
    try:
        entries = list(islice(folder.iterdir(), _MOST_FILES))
        inner = (file for entry in entries if entry.is_dir() and entry.name[:1] != "." for file in entry.iterdir())
        entries += islice(inner, _MOST_FILES)
        modes = {entry: entry.stat().st_mode for entry in entries if entry.exists()}
    except OSError as error:
        raise _refused(folder, f"it cannot be read: {reason(error)}") from error
    if len(entries) >= _MOST_FILES:
        raise _refused(folder, f"it holds {_MOST_FILES} files or more, which no model does")
    for entry, mode in modes.items():
        if stat.S_ISREG(mode):
            yield entry
        elif not stat.S_ISDIR(mode):
            raise _refused(folder, f"{entry.name} is no regular file, but a pipe, a device or a socket")


def _read(folder: Path, file: Path) -> Any:
    try:
        return read_json(file)
    except (OSError, ValueError) as error:
        raise _refused(folder, f"{file.name} cannot be read: {reason(error)}") from error


def _pairs(config: Any) -> Iterator[tuple[str, Any]]:
    """Walk through every key and value of a configuration, however deep; each entry of a list counts as its key's."""
    remaining: list[tuple[str, Any]] = [("", config)]
    while remaining:
        key, value = remaining.pop()
        yield key, value
        if isinstance(value, dict):
            one = {"weight_map": "weight_files"}.get(key, key if "_implementation" in key else None)
            remaining += [(one or name, inner) for name, inner in value.items()]
        elif isinstance(value, list):
            remaining += [(key, inner) for inner in value]


def _wish(key: str, value: Any) -> str | None:
    """Return how an entry asks for code, or for a place outside the model; None for what is data."""
    if value and key in _CODE:
        return f"asks for code by {key!r}"
    if isinstance(value, int) and key.endswith(("layers", "n_layer")) and value > _MOST_LAYERS:
        return f"asks for {key} of {value:,}"
    foreign = sorted(_ARGUMENTS.get(key, set()) & value.keys()) if isinstance(value, dict) else ()
    if foreign:
        return f"reaches out by {foreign[0]!r} in {key!r}"
    if isinstance(value, str) and _reaches_out(key, value):
        return f"reaches out by {key!r}: {shortened(value)!r}"
    return None


def _reaches_out(key: str, value: str) -> bool:
    return (
        re.sub(r"[\0- ]", "", value).lower().startswith(_SCHEMES)  # timm would load another model
        or key == "audio_tokenizer_name_or_path"
        or (key in _CLASSES and bool(value) and not value.isidentifier())
        or ("_implementation" in key and "/" in value)  # a kernel of the hub
        or (key.endswith("_files") and ("/" in value or "\\" in value))
    )


def _refused(folder: Path, why: str) -> ModelUnavailableError:
    return ModelUnavailableError(f"the model in {folder} is not loaded: {why}")
