"""The contract of a dual encoder: pictures and texts in one space, and everything that all encoders share."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from functools import cached_property
from typing import TYPE_CHECKING

import torch
from torch import Tensor
from torch.nn import functional as F

from clipnb.images import to_tensor
from clipnb.models.batches import batches_by_length
from clipnb.models.prefix_cache import Continuations, WholeTexts

if TYPE_CHECKING:
    from PIL import Image

    from clipnb.progress import Progress

_TOKENISED_AT_ONCE = 8192  # texts; bounds the memory of token tables for very long lists


class DualEncoder(ABC):
    """Two frozen towers that put pictures and texts into one space, where the dot product is a cosine.

    Attributes:
        name: as `load_model` takes it, such as "ViT-B-32/laion2b_s34b_b79k".
        dim: D, length of an embedding.
        image_size: S, side in pixels of what the picture tower sees.
        context_length: longest text in tokens, begin and end included.
        device: where the towers are.
        dtype: what they compute in; embeddings are always float32.
        note: what a user should know about this encoder, or "".
    """

    name: str
    dim: int
    image_size: int
    context_length: int
    device: torch.device
    dtype: torch.dtype
    note: str = ""

    def __init__(self, mean: Sequence[float], std: Sequence[float]) -> None:
        """Keep the statistics (RGB, of values in [0, 1]) that the picture tower was trained with."""
        self._mean = torch.tensor(mean, device=self.device).view(3, 1, 1)
        self._std = torch.tensor(std, device=self.device).view(3, 1, 1)

    def encode_image(self, pixels: Tensor) -> Tensor:
        """Embed pictures; differentiable with respect to the pixels.

        Resizing (bicubic, antialiased, to S x S whatever the shape) and normalisation happen inside.

        Args:
            pixels: float [B, 3, H, W], RGB, clamped to [0, 1]; any H and W; moved to the encoder's device.

        Returns:
            float32 [B, D], unit length.

        Raises:
            ValueError: `pixels` is no float batch with three channels.
        """
        if pixels.ndim != 4 or pixels.shape[1] != 3 or not pixels.is_floating_point():
            raise ValueError(
                f"pixels must be float [B, 3, H, W] in [0, 1], not {pixels.dtype} {list(pixels.shape)}; "
                "images.to_tensor(image)[None] makes one picture such a batch"
            )
        pixels = squeezed(pixels.to(self.device), self.image_size)
        normalised = (pixels.clamp(0, 1) - self._mean) / self._std
        return F.normalize(self._image_features(normalised.to(self.dtype)).float(), dim=-1)

    @torch.no_grad()
    def encode_text(self, texts: Sequence[str], progress: Progress | None = None) -> Tensor:
        """Embed texts, sorted by length and trimmed to the longest of each batch where the tower allows it.

        Args:
            texts: N texts; what is longer than the context is cut at its end.
            progress: told how many of the texts are done.

        Returns:
            float32 [N, D], unit length, in the order of `texts`, on the encoder's device.
        """
        if isinstance(texts, str):
            raise TypeError("encode_text takes a list of texts; put the one text into a list")
        return self._embed_trimmed(
            texts, self.dim, lambda tokens: F.normalize(self._text_features(tokens).float(), dim=-1), progress
        )

    def _embed_trimmed(
        self, texts: Sequence[str], dim: int, embed: Callable[[Tensor], Tensor], progress: Progress | None = None
    ) -> Tensor:
        """Tokenise texts and embed them in batches of similar length, each trimmed to its longest text.

        Args:
            texts: N texts.
            dim: length of an embedding.
            embed: makes float32 [n, dim] of tokens [n, l].
            progress: told how many of the texts are done.

        Returns:
            float32 [N, dim], in the order of `texts`, on the encoder's device.
        """
        result = torch.empty(len(texts), dim, device=self.device)
        done = 0
        for start in range(0, len(texts), _TOKENISED_AT_ONCE):
            tokens, lengths = self._tokenise(texts[start : start + _TOKENISED_AT_ONCE])
            for rows in batches_by_length(lengths, self._tokens_per_batch):
                trimmed = tokens[rows, : int(lengths[rows].max())].to(self.device)
                result[(start + rows).to(self.device)] = embed(trimmed)
                done += len(rows)
                if progress:
                    progress(done, len(texts))
        return result

    def continuations(self, endings: Sequence[str], *, draft: bool = False) -> Continuations:
        """Prepare endings that will be embedded after one beginning and then another, as prompts grow.

        Args:
            endings: N texts; a whole text is the beginning with the ending right behind it.
            draft: compute in bf16 where the encoder can do that beside its own precision.

        Returns:
            Embeds the endings after any beginning, as fast as this encoder can.
        """
        del draft
        return WholeTexts(self, endings)

    def preprocess(self, image: Image.Image) -> Tensor:
        """Prepare a picture the way the encoder was trained: short side resized, centre cropped.

        Args:
            image: a PIL image of any mode; its EXIF orientation is applied, transparency laid over white.

        Returns:
            float32 [3, S, S] in [0, 1] (`encode_image` does the normalisation).
        """
        return to_tensor(self.square(image))

    @abstractmethod
    def square(self, image: Image.Image) -> Image.Image:
        """Cut out of a picture what the picture tower looks at; safe in threads, and uses none of torch's.

        Args:
            image: a PIL image of any mode; its EXIF orientation is applied, transparency laid over white.

        Returns:
            RGB, S x S.
        """

    @abstractmethod
    def fits(self, text: str) -> bool:
        """Tell whether the whole text fits into the encoder's context."""

    def explain(self, text: str, count: int = 5) -> list[tuple[str, float]]:
        """Tell what the encoder takes a text for, where it maps texts to things that it knows.

        Args:
            text: any text.
            count: how many things to name.

        Returns:
            The nearest known things with their cosine in [-1, 1], nearest first; empty for an encoder
            that understands free text.
        """
        del text, count
        return []

    def move(self, device: torch.device) -> None:
        """Move towers and statistics, such as to the CPU while another model needs the memory."""
        for name, value in list(vars(self).items()):
            if isinstance(value, (torch.nn.Module, Tensor)):
                setattr(self, name, value.to(device))
        self.device = device

    @cached_property
    def knows_styles(self) -> bool:
        """Whether mediums, movements and artists mean something to it; not where it maps texts to things."""
        return not self.explain("an oil painting", count=1)

    @cached_property
    @abstractmethod
    def digest(self) -> str:
        """Name the weights by 16 hex digits: equal digests mean equal embeddings. Caches key on it."""

    @property
    def _tokens_per_batch(self) -> int:
        return 4096 if self.device.type == "cpu" else 65536

    @abstractmethod
    def _image_features(self, normalised: Tensor) -> Tensor:
        """Embed normalised pictures [B, 3, S, S] of the encoder's dtype; [B, D] of any length."""

    @abstractmethod
    def _tokenise(self, texts: Sequence[str]) -> tuple[Tensor, Tensor]:
        """Make tokens int64 [N, L] and the number int64 [N] of leading tokens that matter, on the CPU."""

    @abstractmethod
    def _text_features(self, tokens: Tensor) -> Tensor:
        """Embed tokens [n, l], l at most L and at least the longest length; [n, D] of any length."""


def squeezed(pixels: Tensor, side: int) -> Tensor:
    """Scale pictures [B, 3, H, W] to [B, 3, side, side] (bicubic, antialiased), where they have another size."""
    if tuple(pixels.shape[-2:]) == (side, side):
        return pixels
    return F.interpolate(pixels, (side, side), mode="bicubic", antialias=True, align_corners=False)
