"""Captioners by name: what transformers can load, taggers, or one of your own."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Collection, Iterable, Sequence
from functools import partial
from pathlib import Path
from typing import Any, Protocol

import torch
from PIL import Image
from torch import Tensor

from clipnb.errors import CaptionerError, ClipnbError, ModelUnavailableError, first_line, listed, nearest, shortened
from clipnb.models import hub
from clipnb.models.captioners.generation import TransformersCaptioner
from clipnb.models.captioners.quantised import quantised
from clipnb.models.captioners.quiet import silence
from clipnb.models.captioners.tagger import TAGS, load_tagger
from clipnb.models.checks.safety import check_folder, data_only, on_meta, read_json, require_like_its_files
from clipnb.models.device import resolve_device, resolve_precision
from clipnb.models.local import (
    Portable,
    bundled_model,
    find_in_cache,
    path_of,
    repository_files,
    repository_folder,
)


class Captioner(Protocol):
    """The contract of a captioner: whatever has these five can be handed in, or loaded by a name in `CAPTIONERS`.

    Mode `rerank` chooses from what a method `propose(image, count, *, sampling)` returns, a list of captions.

    >>> class Sizes:
    ...     name, device = "sizes", torch.device("cpu")
    ...     def prepare(self, image):
    ...         return image
    ...     def caption(self, images):
    ...         return [f"a picture of {image.width} x {image.height}" for image in images]
    ...     def move(self, device):
    ...         self.device = device
    >>> CAPTIONERS["sizes"] = lambda device, **options: Sizes()
    >>> load_captioner("sizes").caption([Image.new("RGB", (4, 3))])
    ['a picture of 4 x 3']
    >>> del CAPTIONERS["sizes"]

    Attributes:
        name: what results call it.
        device: where it is now.
    """

    name: str
    device: torch.device

    def prepare(self, image: Image.Image) -> Image.Image | Tensor:
        """Return what `caption` needs of an RGB picture, as little as that is; called in threads."""

    def caption(self, images: Iterable[Any]) -> list[str]:
        """Describe pictures.

        Args:
            images: RGB pictures of any size, or what `prepare` made of them.

        Returns:
            A sentence for each, without white space at its ends; "" where there is nothing to say.
        """

    def move(self, device: torch.device) -> None:
        """Move the model, such as to the CPU while it is not in use."""


CAPTIONERS: dict[str, str | Callable[..., Captioner]] = {
    "blip-base": "Salesforce/blip-image-captioning-base",
    "blip-large": "Salesforce/blip-image-captioning-large",
    "blip2-2.7b": "Salesforce/blip2-opt-2.7b",
    "blip2-flan-t5-xl": "Salesforce/blip2-flan-t5-xl",
    "git-large-coco": "microsoft/git-large-coco",
    "instructblip-flan-t5-xl": "Salesforce/instructblip-flan-t5-xl",
    "florence-2-base": "florence-community/Florence-2-base",
    "florence-2-large": "florence-community/Florence-2-large",
    "paligemma2-3b": "google/paligemma2-3b-mix-224",
    "smolvlm-256m": "HuggingFaceTB/SmolVLM-256M-Instruct",
    "smolvlm2-2.2b": "HuggingFaceTB/SmolVLM2-2.2B-Instruct",
    "qwen2-vl-2b": "Qwen/Qwen2-VL-2B-Instruct",
    "qwen2.5-vl-3b": "Qwen/Qwen2.5-VL-3B-Instruct",
    "qwen2.5-vl-7b": "Qwen/Qwen2.5-VL-7B-Instruct",
    "llava-1.5-7b": "llava-hf/llava-1.5-7b-hf",
    "llava-onevision-0.5b": "llava-hf/llava-onevision-qwen2-0.5b-ov-hf",
    "joycaption": "fancyfeast/llama-joycaption-beta-one-hf-llava",
    "wd14-vit": "SmilingWolf/wd-vit-tagger-v3",
    "wd14-swinv2": "SmilingWolf/wd-swinv2-tagger-v3",
    "wd14-convnext": "SmilingWolf/wd-convnext-tagger-v3",
    "wd14-eva02-large": "SmilingWolf/wd-eva02-large-tagger-v3",
}
"""Names that people know: where the model is on the hub, or what loads it.

A loader is called with the device, with `max_new_tokens`, `num_beams` and `batch_size` by name, and with whatever else
was asked for.
"""
_NEED_CODE = {
    "blip-3": "take qwen2.5-vl-3b or joycaption",
    "blip3": "take qwen2.5-vl-3b or joycaption",
    "salesforce/xgen-mm": "that is BLIP-3; take qwen2.5-vl-3b or joycaption",
    "microsoft/florence-2": "take florence-2-base or florence-2-large, the same weights in transformers' own form",
}
"""How the names of models that work by code of their own begin, and what to take instead."""


def list_caption_models() -> list[str]:
    """Return the names that `load_captioner` knows; any hub id or folder will do besides.

    >>> "blip-large" in list_caption_models()
    True
    """
    return list(CAPTIONERS)


def load_captioner(
    name: str,
    device: str | torch.device = "auto",
    *,
    max_new_tokens: int = 32,
    num_beams: int = 1,
    batch_size: int = 16,
    quiet: bool = False,
    **wishes: Any,
) -> Captioner:
    """Load a captioner; bf16 or fp16 on CUDA (what the card supports), else fp32.

    Args:
        name: one of `CAPTIONERS`, a hub id ("org/repo"), or a folder: as transformers saves models, or with
            `selected_tags.csv` beside `model.onnx` or timm's `model.safetensors`.
        device: as `load_model` takes it.
        max_new_tokens: longest caption, in its own tokens; of a tagger, most tags.
        num_beams: beams to search with.
        batch_size: pictures at a time.
        quiet: keep the libraries' own bars and warnings off the screen.
        wishes: what not every captioner can fulfil; None counts as not wished:
            `instruction`: what to write, in words, or Florence-2's task, such as "<DETAILED_CAPTION>" or "<OD>";
            `no_repeat_ngram_size`, `repetition_penalty`: as transformers has them, over the caption alone;
            `bits`: 8 or 4 for weights of so many bits;
            `tag_threshold`, `character_threshold`: probabilities in [0, 1] from which a tagger's tags count.

    Raises:
        ModelUnavailableError: it cannot be had, is no image-to-text model, or asks for code of its own.
        CaptionerError: a wish that it cannot fulfil.
    """
    where = resolve_device(device)
    options = {"max_new_tokens": max_new_tokens, "num_beams": num_beams, "batch_size": batch_size}
    wishes = {wish: value for wish, value in wishes.items() if value is not None}
    known = CAPTIONERS.get(name, name)
    if callable(known):
        _require(name, wishes, _taken_by(known, wishes))
        return known(where, **options, **wishes)
    source = _find_source(name, known, quiet=quiet)
    check_folder(source)
    try:
        with data_only(), silence(quiet=quiet):
            if _is_tagger(source):
                return _load_tagger(source, name, where, options, wishes)
            return _load_generating(str(source), name, where, {**options, "quiet": quiet}, wishes)
    except CaptionerError:
        raise
    except ClipnbError as error:
        raise _unavailable(name, str(error)) from error
    except Exception as error:  # transformers fails in many ways; the user gets one
        raise _unavailable(name, first_line(error)) from error


def captioner_files(name: str) -> list[Portable]:
    """Find the files of a captioner with a short name such as "blip-large", or a hub id; none for one made by code.

    Raises:
        ModelUnavailableError: it is not in the local cache.
    """
    source = CAPTIONERS.get(name, name)
    if callable(source):
        return []
    if source.count("/") != 1:
        raise ModelUnavailableError(f"there is no captioner {name!r}; use {nearest(name, CAPTIONERS)} or a hub id")
    marker = "config.json" if find_in_cache(source, "config.json") else TAGS
    return repository_files(f"captioners/{source}", source, marker)


_OF_GENERATION = {"instruction", "no_repeat_ngram_size", "repetition_penalty"}
_OF_TAGGERS = {"tag_threshold", "character_threshold"}


def _require(name: str, wishes: Collection[str], possible: Collection[str], kind: str = "") -> None:
    """Raise `CaptionerError` for wishes that a captioner cannot fulfil; the kind says what it can."""
    idle = sorted(set(wishes) - set(possible))
    if idle:
        raise CaptionerError(f"{shortened(name, 200)} has no use for {listed(idle)}; leave it out{kind}")


def _taken_by(loader: Callable[..., Captioner], wishes: Collection[str]) -> Collection[str]:
    """Return which wishes a loader of somebody's own has parameters for."""
    parameters = inspect.signature(loader).parameters
    anything = any(one.kind is inspect.Parameter.VAR_KEYWORD for one in parameters.values())
    return wishes if anything else parameters


def _is_tagger(folder: Path) -> bool:
    config = folder / "config.json"
    if config.is_file() and "model_type" in read_json(config):
        return False
    return (folder / TAGS).is_file()


def _load_tagger(
    folder: Path, name: str, device: torch.device, options: dict[str, int], wishes: dict[str, Any]
) -> Captioner:
    beams = ["num_beams"] if options["num_beams"] != 1 else []
    _require(name, [*wishes, *beams], _OF_TAGGERS, "; a tagger takes tag_threshold and character_threshold")
    most = {"max_tags": options["max_new_tokens"], "batch_size": options["batch_size"]}
    return load_tagger(folder, name, device, **most, **wishes)


def _load_generating(
    source: str, name: str, device: torch.device, options: dict[str, Any], wishes: dict[str, Any]
) -> Captioner:
    bits = wishes.pop("bits", None)
    _require(name, wishes, _OF_GENERATION, "; thresholds are for taggers" if wishes.keys() & _OF_TAGGERS else "")
    dtype = resolve_precision("auto", device)
    reduced = quantised(bits, device, dtype)
    processor = _load_processor(source)
    model = _load_model(source, dtype, reduced)
    return TransformersCaptioner(model if reduced else model.to(device), processor, name, **options, **wishes)


class _Pair:
    """An image processor and a tokenizer for models that were saved without a joint processor."""

    def __init__(self, image_processor: Any, tokenizer: Any) -> None:
        self._image_processor, self.batch_decode = image_processor, tokenizer.batch_decode

    def __call__(self, images: Sequence[Image.Image], return_tensors: str) -> Any:
        return self._image_processor(images=images, return_tensors=return_tensors)


def _load_processor(source: str) -> Any:
    from transformers import AutoImageProcessor, AutoProcessor, AutoTokenizer

    processor = AutoProcessor.from_pretrained(source, trust_remote_code=False)
    if hasattr(processor, "image_processor"):
        return processor
    parts = (AutoImageProcessor, AutoTokenizer)
    return _Pair(*(part.from_pretrained(source, trust_remote_code=False) for part in parts))


def _load_model(source: str, dtype: torch.dtype, reduced: dict[str, Any]) -> Any:
    from transformers import AutoModelForImageTextToText as Kind

    require_like_its_files(partial(on_meta, Kind, Path(source)), Path(source))
    model, found = Kind.from_pretrained(
        source, dtype=dtype, **reduced, trust_remote_code=False, weights_only=True, output_loading_info=True
    )
    _require_whole(model, set(found["missing_keys"]))
    return model


_MOST_MISSING = 0.1  # of the weights: a head that a captioner has no use for


def _require_whole(model: Any, missing: set[str]) -> None:
    """Refuse weights of which much is not in the files: transformers makes random numbers of it."""
    weights = dict(model.named_parameters(remove_duplicate=False))
    there = {tensor.data_ptr() for name, tensor in weights.items() if name not in missing}  # tied ones included
    lacking = sum(weights[name].numel() for name in missing & weights.keys() if weights[name].data_ptr() not in there)
    share = lacking / max(1, sum(tensor.numel() for tensor in model.parameters()))
    if share > _MOST_MISSING:
        raise ModelUnavailableError(f"its files hold {1 - share:.0%} of the weights that it describes")


def _find_source(name: str, source: str, *, quiet: bool) -> Path:
    """Find the folder that a name means, fetching what is missing in it; refuse at once what cannot be had."""
    folder = path_of(name)
    if folder.is_dir():
        return folder
    instead = next((word for begin, word in _NEED_CODE.items() if source.lower().startswith(begin)), None)
    if instead:
        raise _unavailable(name, f"it works by code of its own, which is never run; {instead}")
    if source.count("/") != 1:
        near = nearest(name, CAPTIONERS)
        raise _unavailable(name, f"there is no such folder, and no captioner of that name; near it: {near}")
    bundled = bundled_model(f"captioners/{source}")
    if bundled:
        return bundled
    try:
        return repository_folder(source, hub.CAPTIONERS, quiet=quiet)
    except hub.HubError as error:
        raise _unavailable(name, str(error)) from error


def _unavailable(name: str, reason: str) -> ModelUnavailableError:
    return ModelUnavailableError(
        f"cannot load the captioner {shortened(name, 200)!r}: {reason.rstrip('., ')}. Give another name, a hub id or a "
        "folder that holds one, or no captioner: then a caption is composed from label tables"
    )
