"""Captioners: pictures to sentences, by any image-to-text model that transformers can load."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import islice
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from clipnb.errors import ModelUnavailableError, first_line, nearest
from clipnb.models.device import resolve_device
from clipnb.models.hub import find_in_cache, why_missing
from clipnb.models.local import bundled_model, path_of
from clipnb.models.safety import check_repository, data_only

if TYPE_CHECKING:
    from PIL import Image

CAPTIONERS = {
    "blip-base": "Salesforce/blip-image-captioning-base",
    "blip-large": "Salesforce/blip-image-captioning-large",
    "blip2-2.7b": "Salesforce/blip2-opt-2.7b",
    "blip2-flan-t5-xl": "Salesforce/blip2-flan-t5-xl",
    "git-large-coco": "microsoft/git-large-coco",
}
"""Short names that people know, and where the models are on the hub."""


class Captioner:
    """A loaded image-to-text model and what prepares its input.

    Attributes:
        name: what the user calls it.
        device: where it is now.
        max_new_tokens: longest caption, in its own tokens.
        num_beams: beams that it searches with.
        batch_size: pictures at a time.
    """

    def __init__(
        self,
        model: Any,
        processor: Any,
        name: str = "a captioner handed in",
        *,
        max_new_tokens: int = 32,
        num_beams: int = 1,
        batch_size: int = 16,
    ) -> None:
        """Take a model that is loaded already.

        Args:
            model: with the `generate` of transformers.
            processor: makes its input from pictures (`images=..., return_tensors="pt"`) and decodes its tokens.
            name: what results call it.
            max_new_tokens: longest caption, in its own tokens.
            num_beams: beams to search with.
            batch_size: pictures at a time.
        """
        self.name, self.max_new_tokens, self.num_beams, self.batch_size = name, max_new_tokens, num_beams, batch_size
        self._model, self._processor = model.eval().requires_grad_(False), processor
        self.device: torch.device = model.device

    def prepare(self, image: Image.Image) -> Tensor:
        """Scale an RGB picture as the model takes it; float32 [3, H, W]. Safe in threads."""
        pixels: Tensor = self._processor(images=[image], return_tensors="pt")["pixel_values"][0]
        return pixels

    @torch.no_grad()
    def caption(self, images: Iterable[Image.Image | Tensor]) -> list[str]:
        """Describe pictures.

        Args:
            images: RGB pictures of any size, or what `prepare` made of them.

        Returns:
            A sentence for each, without white space at its ends; "" where the model had nothing to say.
        """
        captions: list[str] = []
        remaining = iter(images)
        while batch := list(islice(remaining, self.batch_size)):
            pixels = torch.stack([one if isinstance(one, Tensor) else self.prepare(one) for one in batch])
            tokens = self._model.generate(
                pixel_values=pixels.to(self.device, self._model.dtype),
                max_new_tokens=self.max_new_tokens,
                num_beams=self.num_beams,
                do_sample=False,
            )
            captions += [text.strip() for text in self._processor.batch_decode(tokens, skip_special_tokens=True)]
        return captions

    def move(self, device: torch.device) -> None:
        """Move the model, such as to the CPU while it is not in use."""
        self._model.to(device)
        self.device = device


def load_captioner(
    name: str,
    device: str | torch.device = "auto",
    *,
    max_new_tokens: int = 32,
    num_beams: int = 1,
    batch_size: int = 16,
) -> Captioner:
    """Load a captioner; half precision on CUDA, else single.

    Args:
        name: one of `CAPTIONERS`, a hub id ("org/repo"), or a folder as transformers saves models.
        device: as `load_model` takes it.
        max_new_tokens: longest caption, in its own tokens.
        num_beams: beams to search with.
        batch_size: pictures at a time.

    Raises:
        ModelUnavailableError: it cannot be had, or is no image-to-text model.
    """
    where = resolve_device(device)
    dtype = torch.float16 if where.type == "cuda" else torch.float32
    source = _find_source(name)
    check_repository(source, "config.json")
    try:
        with data_only():
            processor = _load_processor(source)
            model = _load_model(source, dtype)
    except Exception as error:  # transformers fails in many ways; the user gets one
        raise _unavailable(name, first_line(error)) from error
    return Captioner(
        model.to(where), processor, name, max_new_tokens=max_new_tokens, num_beams=num_beams, batch_size=batch_size
    )


class _Pair:
    """An image processor and a tokenizer for models that were saved without a joint processor."""

    def __init__(self, image_processor: Any, tokenizer: Any) -> None:
        self._image_processor, self._tokenizer = image_processor, tokenizer

    def __call__(self, images: Sequence[Image.Image], return_tensors: str) -> Any:
        return self._image_processor(images=images, return_tensors=return_tensors)

    def batch_decode(self, tokens: Any, *, skip_special_tokens: bool) -> list[str]:
        texts: list[str] = self._tokenizer.batch_decode(tokens, skip_special_tokens=skip_special_tokens)
        return texts


def _load_processor(source: str) -> Any:
    from transformers import AutoImageProcessor, AutoProcessor, AutoTokenizer

    processor = AutoProcessor.from_pretrained(source, trust_remote_code=False)
    if hasattr(processor, "image_processor"):
        return processor
    parts = (kind.from_pretrained(source, trust_remote_code=False) for kind in (AutoImageProcessor, AutoTokenizer))
    return _Pair(*parts)


def _load_model(source: str, dtype: torch.dtype) -> Any:
    import transformers

    kinds = ("AutoModelForImageTextToText", "AutoModelForVision2Seq")  # the second is the older name
    kind = next(getattr(transformers, kind) for kind in kinds if hasattr(transformers, kind))
    return kind.from_pretrained(source, torch_dtype=dtype, trust_remote_code=False, weights_only=True)


def _find_source(name: str) -> str:
    """Find the folder or hub id that a name means; refuse at once what cannot be had."""
    if (folder := path_of(name)).is_dir():
        return str(folder)
    if name not in CAPTIONERS and name.count("/") != 1:
        raise _unavailable(
            name, f"there is no such folder, and no captioner of that name; near it: {nearest(name, CAPTIONERS)}"
        )
    source = CAPTIONERS.get(name, name)
    bundled = bundled_model(f"captioners/{source}")
    if bundled:
        return str(bundled)
    reason = None if find_in_cache(source, "config.json") else why_missing(source)
    if reason:
        raise _unavailable(name, reason)
    return source


def _unavailable(name: str, reason: str) -> ModelUnavailableError:
    return ModelUnavailableError(
        f"cannot load the captioner {name!r}: {reason}. Give another name, a hub id or a folder that holds one, "
        "or no captioner: then a caption is composed from label tables"
    )
