"""Captions by any image-to-text model of transformers: from pixels alone, by a task, or as an answer in a chat."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Sequence
from itertools import islice
from typing import Any

import torch
from PIL import Image
from torch import Tensor

from clipnb.errors import CaptionerError, first_line
from clipnb.models.captioners.faults import CutText, answer_of
from clipnb.models.captioners.prompts import has_tasks, text_beside
from clipnb.models.captioners.quiet import silence
from clipnb.models.captioners.repetition import Repetition
from clipnb.models.device import is_out_of_memory

_NUCLEUS = 0.9  # share of the likeliest words that captions are drawn from
_LONGEST_SIDE = 1024  # pixels, for models that cut a picture into as many patches as it has
_SHORTEST_SIDE = 56
_CHANNELS = 3
_FAILURES = (ArithmeticError, AssertionError, AttributeError, LookupError, TypeError, ValueError)
_PLACES = r"<(?:loc|seg)_?\d+>"  # of something in the picture


class TransformersCaptioner:
    """An image-to-text model of transformers and what prepares its input."""

    def __init__(
        self,
        model: Any,
        processor: Any,
        name: str = "a captioner handed in",
        *,
        instruction: str | None = None,
        max_new_tokens: int = 32,
        num_beams: int = 1,
        batch_size: int = 16,
        no_repeat_ngram_size: int | None = None,
        repetition_penalty: float | None = None,
        quiet: bool = False,
    ) -> None:
        """Use parts that are loaded already; the rest is as `load_captioner` takes it.

        The model generates token ids from what the processor makes of pictures (`images=..., return_tensors="pt"`),
        and of a text beside each where the model takes one; the processor decodes them.
        """
        self.name, self.max_new_tokens, self.num_beams, self.batch_size = name, max_new_tokens, num_beams, batch_size
        self._model, self._processor, self._quiet = model.eval().requires_grad_(False), processor, quiet
        with silence(quiet=quiet):
            self._text = text_beside(processor, getattr(model.config, "model_type", ""), name, instruction)
        self._chats = self._text is not None and not has_tasks(processor)
        self._repetition = Repetition(model, no_repeat_ngram_size, repetition_penalty, short=not self._chats)
        tokenizer = getattr(processor, "tokenizer", None)
        if self._text is not None and tokenizer is not None:
            tokenizer.padding_side = "right" if model.config.is_encoder_decoder else "left"
            if tokenizer.pad_token is None:
                tokenizer.pad_token = tokenizer.eos_token
        self.device: torch.device = model.device

    def prepare(self, image: Image.Image) -> Image.Image | Tensor:
        """Scale an RGB picture as the model takes it, float32 [3, H, W]; smaller where a text goes beside it."""
        if self._text is None:
            least = _within(image, _CHANNELS + 1)  # what has 3 rows, or 1, could be a colour as well
            pixels: Tensor = self._processor(images=[least], return_tensors="pt")["pixel_values"][0]
            return pixels
        return _within(image, _SHORTEST_SIDE, _LONGEST_SIDE)

    @torch.no_grad()
    def caption(self, images: Iterable[Image.Image | Tensor]) -> list[str]:
        captions: list[str] = []
        remaining = iter(images)
        while batch := list(islice(remaining, self.batch_size)):
            captions += self._write(batch, num_beams=self.num_beams, do_sample=False)
        return captions

    @torch.no_grad()
    def propose(self, image: Image.Image | Tensor, count: int, *, sampling: bool = False) -> list[str]:
        """Return captions of one picture to choose from.

        Args:
            image: as for `caption`.
            count: how many; some may be alike.
            sampling: draw them by chance, always the same way, instead of searching with as many beams.
        """
        wishes: dict[str, Any] = {"do_sample": True, "top_p": _NUCLEUS} if sampling else {"num_beams": count}
        with torch.random.fork_rng(devices=[self.device] if self.device.type == "cuda" else []):
            torch.manual_seed(0)  # transformers takes no generator
            return self._write([image], num_return_sequences=count, **{"do_sample": False, **wishes})

    def move(self, device: torch.device) -> None:
        self._model.to(device)
        self.device = device

    def _write(self, images: Sequence[Image.Image | Tensor], **wishes: Any) -> list[str]:
        try:
            return self._generate(images, **wishes)
        except (*_FAILURES, RuntimeError) as error:
            if is_out_of_memory(error):  # fewer pictures at a time may do
                raise
            from transformers import __version__

            raise CaptionerError(
                f"{self.name} fails with transformers {__version__}: {first_line(error)}; another version or another "
                "captioner may do, or none: then captions are composed from label tables"
            ) from error

    def _generate(self, images: Sequence[Image.Image | Tensor], *, do_sample: bool, **wishes: Any) -> list[str]:
        if not do_sample:
            wishes |= {"temperature": None, "top_p": None, "top_k": None}  # which the model's own settings may have
        with silence(quiet=self._quiet):
            inputs = self._inputs(images)
            prompt = inputs.get("input_ids")
            begun = 0 if prompt is None or self._model.config.is_encoder_decoder else prompt.shape[1]
            options = {**wishes, **self._padding(), **self._repetition.options(begun)}
            tokens = self._model.generate(**inputs, max_new_tokens=self.max_new_tokens, do_sample=do_sample, **options)
            texts = self._read(tokens, prompt)
            return [CutText(text) if cut else text for text, cut in zip(texts, self._are_cut(tokens), strict=True)]

    def _are_cut(self, tokens: Tensor) -> list[bool]:
        """Return which answers ended because they may have no more tokens: without the one that says it is the end."""
        own, inner = self._model.generation_config, getattr(self._model.config, "text_config", None)
        tokenizer = getattr(self._processor, "tokenizer", None)
        ends = [own.eos_token_id, *(getattr(one, "eos_token_id", None) for one in (inner, tokenizer))]
        ends.append(getattr(inner, "sep_token_id", None))
        known = {one for end in ends for one in (end if isinstance(end, list) else [end]) if one is not None}
        # Of fewer tokens, which begin before the answer, each answer has its end. Some end with one where they must.
        is_forced = getattr(own, "forced_eos_token_id", None) is not None
        said = tokens[:, -self.max_new_tokens : -1 if is_forced else None].tolist()
        return [bool(known) and known.isdisjoint(row) for row in said]

    def _inputs(self, images: Sequence[Image.Image | Tensor]) -> dict[str, Tensor]:
        prepared = [one if isinstance(one, Tensor) else self.prepare(one) for one in images]
        if self._text is None:
            inputs: dict[str, Tensor] = {"pixel_values": torch.stack([torch.as_tensor(one) for one in prepared])}
        else:
            begins = getattr(getattr(self._processor, "tokenizer", None), "bos_token", None)
            whole: dict[str, Any] = {"add_special_tokens": False} if begins and self._text.startswith(begins) else {}
            texts = [self._text] * len(prepared)
            whole |= {"text": texts, "padding": True, "return_tensors": "pt"}
            try:
                inputs = dict(self._processor(images=prepared, **whole))
            except ValueError:  # some take a list for each text
                inputs = dict(self._processor(images=[[one] for one in prepared], **whole))
        kind = self._model.dtype
        return {
            name: value.to(self.device, kind if value.is_floating_point() else value.dtype)
            for name, value in inputs.items()
        }

    def _padding(self) -> dict[str, int]:
        """Return what fills up the shorter answers of a batch, where the model does not say."""
        own = getattr(getattr(self._model, "generation_config", None), "pad_token_id", None)
        filler = getattr(getattr(self._processor, "tokenizer", None), "pad_token_id", None)
        return {"pad_token_id": filler} if self._chats and own is None and filler is not None else {}

    def _read(self, tokens: Tensor, prompt: Tensor | None) -> list[str]:
        if prompt is not None and tokens.shape[1] >= prompt.shape[1]:
            begun = prompt.repeat_interleave(len(tokens) // len(prompt), 0)
            if torch.equal(tokens[:, : begun.shape[1]], begun):
                tokens = tokens[:, begun.shape[1] :]
        if not has_tasks(self._processor):
            texts = self._processor.batch_decode(tokens, skip_special_tokens=True)
            return [answer_of(re.sub(_PLACES, " ", text)) for text in texts]
        # What Florence-2 names, it names between marks; a caption is one such name.
        marks = "|".join([*map(re.escape, self._processor.tokenizer.all_special_tokens), _PLACES])
        texts = self._processor.batch_decode(tokens, skip_special_tokens=False)
        parts = ([part.strip() for part in re.split(marks, text) if part.strip()] for text in texts)
        return [", ".join(dict.fromkeys(some)) for some in parts]


def _within(image: Image.Image, shortest: int, longest: float = math.inf) -> Image.Image:
    """Scale a picture so that its sides are within bounds; its proportions give way where they are extreme."""
    scale = min(longest / max(image.size), max(1, shortest / min(image.size)))
    width, height = (max(shortest, round(side * scale)) for side in image.size)
    return image if (width, height) == image.size else image.resize((width, height), Image.Resampling.BICUBIC)
