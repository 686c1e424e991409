"""Captioners: pictures to sentences, by any image-to-text model that transformers can load, or one of your own."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from itertools import islice
from typing import Any, Protocol

import torch
from PIL import Image
from torch import Tensor

from clipnb.errors import ModelUnavailableError, first_line, nearest, shortened
from clipnb.models.device import resolve_device
from clipnb.models.local import Portable, bundled_model, find_in_cache, path_of, repository_files, why_missing
from clipnb.models.safety import check_repository, data_only


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
}
"""Names that people know: where the model is on the hub, or what loads it.

A loader is called with the device, and with `max_new_tokens`, `num_beams` and `batch_size` by name.
"""


_NUCLEUS = 0.9  # share of the likeliest words that captions are drawn from


class TransformersCaptioner:
    """An image-to-text model of transformers and what prepares its input."""

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
        """Use parts that are loaded already; the rest is as `load_captioner` takes it.

        The model generates token ids from `pixel_values`; the processor makes those from pictures
        (`images=..., return_tensors="pt"`) and decodes the model's tokens.
        """
        self.name, self.max_new_tokens, self.num_beams, self.batch_size = name, max_new_tokens, num_beams, batch_size
        self._model, self._processor = model.eval().requires_grad_(False), processor
        self.device: torch.device = model.device

    def prepare(self, image: Image.Image) -> Tensor:
        """Scale an RGB picture as the model takes it; float32 [3, H, W]."""
        pixels: Tensor = self._processor(images=[image], return_tensors="pt")["pixel_values"][0]
        return pixels

    @torch.no_grad()
    def caption(self, images: Iterable[Image.Image | Tensor]) -> list[str]:
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

    @torch.no_grad()
    def propose(self, image: Image.Image | Tensor, count: int, *, sampling: bool = False) -> list[str]:
        """Return captions of one picture to choose from.

        Args:
            image: as for `caption`.
            count: how many; some may be alike.
            sampling: draw them by chance, always the same way, instead of searching with as many beams.
        """
        pixels = image if isinstance(image, Tensor) else self.prepare(image)
        wishes: dict[str, Any] = {"do_sample": True, "top_p": _NUCLEUS} if sampling else {"num_beams": count}
        with torch.random.fork_rng(devices=[self.device] if self.device.type == "cuda" else []):
            torch.manual_seed(0)  # transformers takes no generator
            tokens = self._model.generate(
                pixel_values=pixels[None].to(self.device, self._model.dtype),
                max_new_tokens=self.max_new_tokens,
                num_return_sequences=count,
                **wishes,
            )
        return [text.strip() for text in self._processor.batch_decode(tokens, skip_special_tokens=True)]

    def move(self, device: torch.device) -> None:
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
        ModelUnavailableError: it cannot be had, is no image-to-text model, or asks for code of its own.
    """
    where = resolve_device(device)
    options = {"max_new_tokens": max_new_tokens, "num_beams": num_beams, "batch_size": batch_size}
    known = CAPTIONERS.get(name, name)
    if callable(known):
        return known(where, **options)
    source = _find_source(name, known)
    check_repository(source, "config.json")
    try:
        with data_only():
            processor = _load_processor(source)
            model = _load_model(source, torch.float16 if where.type == "cuda" else torch.float32)
    except Exception as error:  # transformers fails in many ways; the user gets one
        raise _unavailable(name, first_line(error)) from error
    return TransformersCaptioner(model.to(where), processor, name, **options)


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
    return repository_files(f"captioners/{source}", source, "config.json")


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


def _load_model(source: str, dtype: torch.dtype) -> Any:
    import transformers

    kinds = ("AutoModelForImageTextToText", "AutoModelForVision2Seq")  # the second is the older name
    kind = next(getattr(transformers, kind) for kind in kinds if hasattr(transformers, kind))
    return kind.from_pretrained(source, torch_dtype=dtype, trust_remote_code=False, weights_only=True)


def _find_source(name: str, source: str) -> str:
    """Find the folder or hub id that a name means; refuse at once what cannot be had."""
    folder = path_of(name)
    if folder.is_dir():
        return str(folder)
    if source.count("/") != 1:
        near = nearest(name, CAPTIONERS)
        raise _unavailable(name, f"there is no such folder, and no captioner of that name; near it: {near}")
    bundled = bundled_model(f"captioners/{source}")
    if bundled:
        return str(bundled)
    reason = None if find_in_cache(source, "config.json") else why_missing(source)
    if reason:
        raise _unavailable(name, reason)
    return source


def _unavailable(name: str, reason: str) -> ModelUnavailableError:
    return ModelUnavailableError(
        f"cannot load the captioner {shortened(name, 200)!r}: {reason}. Give another name, a hub id or a folder that "
        "holds one, or no captioner: then a caption is composed from label tables"
    )
