"""Models by their names: `load_model`, `list_models`, and the one place where loaded models are kept."""

from __future__ import annotations

import json
import os
import threading
from contextlib import suppress
from functools import lru_cache
from pathlib import Path
from pickle import UnpicklingError
from typing import TYPE_CHECKING, Any

import torch
from pydantic import FiniteFloat, TypeAdapter

from clipnb.errors import ClipnbError, OutputError, UnknownModelError, first_line
from clipnb.files import cache_folder, read_bytes, write_atomically
from clipnb.models import local, sources
from clipnb.models.checks.probe import warn_of
from clipnb.models.checks.safety import data_only
from clipnb.models.device import PRECISIONS, resolve_device, resolve_precision
from clipnb.models.encoder import DualEncoder
from clipnb.models.lite.encoder import LiteEncoder
from clipnb.models.lite.weights import CLASSIFIERS, lite_is_here
from clipnb.models.openclip import OpenClipEncoder, without_weights
from clipnb.progress import Progress, advise

if TYPE_CHECKING:
    import pandas as pd


_PREFERRED = "ViT-B-32/openai"
_PREFERRED_FILES = ("timm/vit_base_patch32_clip_224.openai", "ViT-B-32.pt")
"""The hub's repository and OpenAI's file with these weights."""
ABOUT_LITE = (
    "'lite' knows things, not styles or artists; for a real CLIP (600 MB or more, downloaded once) run "
    f'clipnb.setup(model="best") first, give model={_PREFERRED!r}, or set CLIPNB_MODEL'
)
"""Shown where `auto` means the embedded encoder."""
_loaded: dict[tuple[str, torch.device, torch.dtype, Path | None], DualEncoder] = {}
_COUNTS = TypeAdapter(dict[str, FiniteFloat])
_MOST_COUNTS = 2**20  # bytes
_lock = threading.RLock()


def load_model(
    name: str = "auto", device: str = "auto", precision: str = "auto", *, weights: str | Path | None = None
) -> DualEncoder:
    """Load a dual encoder, or return the one that is loaded already.

    Args:
        name: "auto", "lite" (or "lite1", "lite2": the next larger, where they are installed), "architecture/weights"
            of open_clip ("ViT-L-14/openai"), OpenAI's own names ("ViT-B/32"), "hf-hub:org/repo", "local-dir:path",
            or "architecture/path/to/file.safetensors".
            `auto` is $CLIPNB_MODEL if set, else ViT-B-32/openai if its weights are in the local cache,
            else `lite`; it never starts a download.
        device: "auto" (CUDA, then MPS, then CPU), "cpu", "cuda", "cuda:1", "mps".
        precision: "auto" (bf16 or fp16 on CUDA, else fp32), "fp32", "bf16", "fp16".
        weights: file or folder with the weights of the open_clip model `name`; then nothing is looked for
            anywhere else, and an architecture alone ("ViT-B-32") is name enough.

    Returns:
        The frozen encoder, in eval mode.

    Raises:
        UnknownModelError: the name is not known; the message has the nearest ones.
        ModelUnavailableError: the weights cannot be had, are damaged, or ask for code of their own.
        DeviceError: this machine lacks the device or the precision.
    """
    chosen = choose_automatically() if name == "auto" else sources.canonical_name(name)
    where = resolve_device(device)
    dtype = resolve_precision(precision, where)
    with _lock:
        place = None if weights is None else local.path_of(weights).resolve()
        key = (chosen, where, dtype, place)
        if key not in _loaded:
            _loaded[key] = _build(chosen, where, dtype, place)
        return _loaded[key]


def load_as(name: str, precision: str) -> DualEncoder:
    """Load a model on the CPU with its weights as another machine will have them, such as fp16: for its digest."""
    return _build(name, torch.device("cpu"), PRECISIONS[precision])


def unload(name: str | None = None) -> None:
    """Free the models of that name, or all of them, and the GPU's memory."""
    chosen = None if name is None else choose_automatically() if name == "auto" else sources.canonical_name(name)
    with _lock:
        for key in [key for key in _loaded if chosen in (None, key[0])]:
            del _loaded[key]
    if torch.cuda.is_available():
        torch.cuda.empty_cache()


def choose_automatically(announce: bool = True) -> str:
    """Return the model that `auto` means here; if it is only `lite`, log once a process how to get a better one."""
    wished = os.environ.get("CLIPNB_MODEL", "").strip()
    if wished and wished != "auto":
        return sources.canonical_name(wished)
    # Most machines without it are told apart without open_clip, whose import takes seconds.
    if local.may_be_here(*_PREFERRED_FILES) and local.cached_checkpoint(*_PREFERRED.split("/")):
        return _PREFERRED
    if announce:
        announce_lite()
    return "lite"


def list_models(progress: Progress | None = None) -> pd.DataFrame:
    """List every model that has a name, those on this machine first.

    Args:
        progress: called with how many architectures are measured; the first call takes about half a minute,
            later ones read the result from the cache.

    Returns:
        A frame with a row for each name: `name`, `parameters` (millions; missing where the hub would
        have to be asked), `resolution` (pixels), `context` (tokens), `here` (weights on this machine).
    """
    import open_clip
    import pandas as pd

    sizes = _parameter_counts(progress)
    rows: list[dict[str, Any]] = [
        {"name": name, "parameters": millions, "resolution": CLASSIFIERS[name].side, "context": 256,
         "here": lite_is_here(name)}
        for name, millions in {"lite": 27.4, "lite1": 28.1, "lite2": 28.8}.items()
    ]  # fmt: skip
    for architecture, tag in open_clip.list_pretrained():
        config = open_clip.get_model_config(architecture) or {}
        rows.append(
            {
                "name": f"{architecture}/{tag}",
                "parameters": sizes.get(architecture),
                "resolution": _resolution(config),
                "context": config.get("text_cfg", {}).get("context_length", 77),
                "here": local.cached_checkpoint(architecture, tag) is not None,
            }
        )
    frame = pd.DataFrame(rows)
    ordered: pd.DataFrame = frame.sort_values("here", ascending=False, kind="stable").reset_index(drop=True)
    return ordered


def local_models() -> list[str]:
    """Return the names whose weights are on this machine; quick, never asks the network."""
    names = [name for name in CLASSIFIERS if lite_is_here(name)]
    return names + [name for name in sources.all_names() if local.cached_checkpoint(*name.split("/", 1))]


def _build(name: str, device: torch.device, dtype: torch.dtype, weights: Path | None = None) -> DualEncoder:
    if name in CLASSIFIERS and weights is None:
        return LiteEncoder(device, dtype, name=name)
    if not name.strip():
        raise UnknownModelError("the model's name is empty; use auto, lite, or one of clipnb.list_models()")
    source = sources.find_source(name, weights)
    try:
        with data_only():
            encoder = OpenClipEncoder(name, source, device, dtype)
    except ClipnbError:
        raise
    except UnpicklingError as error:  # whose own words advise to open it all the same
        reason = "loading failed: the file is damaged, or holds more than tensors, and no code in it is run"
        raise sources.unavailable(name, reason) from error
    except Exception as error:  # a foreign file fails in many ways inside open_clip; the user gets one
        raise sources.unavailable(name, f"loading failed: {first_line(error)}") from error
    warn_of(encoder, source.files())
    return encoder


@lru_cache
def announce_lite() -> None:
    """Say it once a process."""
    advise(f"clipnb uses its embedded encoder: {ABOUT_LITE}")


def _resolution(config: dict[str, Any]) -> int | None:
    size = config.get("vision_cfg", {}).get("image_size", 224)
    return int(size[0]) if isinstance(size, (list, tuple)) else int(size)


def _parameter_counts(progress: Progress | None) -> dict[str, float]:
    """Count parameters (in millions) by building each architecture without memory; kept in the cache."""
    import open_clip

    kept = cache_folder(f"architectures-{open_clip.__version__}.json")
    try:
        return _COUNTS.validate_json(read_bytes(kept, _MOST_COUNTS))
    except (OSError, ValueError):
        pass
    architectures = open_clip.list_models()
    counts = {}
    for done, architecture in enumerate(architectures, start=1):
        if "hf_model_name" not in (open_clip.get_model_config(architecture) or {}).get("text_cfg", {}):
            counts[architecture] = _count_parameters(architecture)
        if progress:
            progress(done, len(architectures))
    with suppress(OutputError), write_atomically(kept) as temporary:
        temporary.write_text(json.dumps(counts), encoding="utf-8")
    return counts


def _count_parameters(architecture: str) -> float:
    count: int = sum(parameter.numel() for parameter in without_weights(architecture).parameters())
    return round(count / 1e6, 1)
