"""The contract of a dual encoder: pictures and texts in one space, and everything that all encoders share."""

from __future__ import annotations

import hashlib
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cached_property

import torch
from PIL import Image
from torch import Tensor
from torch.nn import functional as F

from clipnb.errors import UnknownModelError, quoted
from clipnb.images import to_tensor
from clipnb.models.sight import Sight
from clipnb.progress import Progress

_TOKENISED_AT_ONCE = 8192  # texts; bounds the memory of token tables for very long lists
_ENOUGH = 512  # tokens that keep a processor busy; smaller batches are padded rather than split


class DualEncoder(ABC):
    """Two frozen towers that embed pictures and texts in one space, where the dot product is a cosine.

    Attributes:
        name: as `load_model` takes it, such as "ViT-B-32/laion2b_s34b_b79k".
        dim: D, length of an embedding.
        image_size: S, side in pixels of what the picture tower sees.
        context_length: longest text in tokens, begin and end included.
        device: where the towers are.
        dtype: what they compute in; embeddings are always float32.
        note: what a user should know about this encoder, or "".
        preparation: how pictures are prepared for it, and what says so; "" where it is built in.
        is_calibrated: whether `look` says how certain it is of what it sees.
        trained_with: mean and standard deviation (RGB, of values in [0, 1]) that weights of its architecture learnt
            from, as far as that is known: pictures are normalised with what its own files say.
    """

    name: str
    dim: int
    image_size: int
    context_length: int
    device: torch.device
    dtype: torch.dtype
    note: str = ""
    preparation: str = ""
    is_calibrated: bool = False
    trained_with: tuple[Sequence[float], Sequence[float]]

    def __init__(self, mean: Sequence[float], std: Sequence[float]) -> None:
        """Store the statistics (RGB, of values in [0, 1]) that the picture tower was trained with."""
        self.trained_with = mean, std
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

    def look(self, pixels: Tensor) -> tuple[Tensor, list[Sight | None]]:
        """Embed pictures, and say what is seen in each beyond that, where this encoder can; as `encode_image` does."""
        return self.encode_image(pixels), [None] * len(pixels)

    @torch.no_grad()
    def encode_text(self, texts: Sequence[str], progress: Progress | None = None) -> Tensor:
        """Embed texts, sorted by length and trimmed to the longest of each batch where the tower allows it.

        Args:
            texts: N texts; what is longer than the context is cut at its end.
            progress: called with how many of the texts are done.

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
        """Tokenise texts and `embed` them ([n, l] to [n, dim]) in batches of similar length; float32 [N, dim]."""
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
            The fastest that this encoder has.
        """
        del draft
        return WholeTexts(self, endings)

    def composed(self, beginning: Tensor, endings: Tensor, shares: Tensor) -> Tensor:
        """Estimate the embeddings of whole texts from those of their parts, without computing them.

        Args:
            beginning: [D], unit length, of what all texts begin with.
            endings: [N, D], unit length, of what follows.
            shares: float32 [N], the beginning's share of each text, in [0, 1].

        Returns:
            float32 [N, D], unit length.
        """
        shares = shares[:, None]
        return F.normalize(shares * beginning + (1 - shares) * endings, dim=-1)

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
        """Return what the picture tower looks at as RGB, S x S; safe in threads, and uses none of torch's.

        Args:
            image: a PIL image of any mode; its EXIF orientation is applied, transparency laid over white.
        """

    @abstractmethod
    def fits(self, text: str, most: int | None = None) -> bool:
        """Whether the whole text fits into the encoder's context, or into fewer tokens, begin and end included."""

    def explain(self, text: str, count: int = 5) -> list[tuple[str, float]]:
        """Return what the encoder takes a text for, where it maps texts to things that it knows.

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
        """Whether it can tell mediums, movements and artists apart; not where it maps texts to things."""
        return not self.explain("an oil painting", count=1)

    @cached_property
    @abstractmethod
    def digest(self) -> str:
        """The weights' name in 16 hex digits: equal digests mean equal embeddings. Caches key on it."""

    @property
    def _tokens_per_batch(self) -> int:
        return 4096 if self.device.type == "cpu" else 65536

    @abstractmethod
    def _image_features(self, normalised: Tensor) -> Tensor:
        """Embed normalised pictures [B, 3, S, S] of the encoder's dtype; [B, D] of any length."""

    @abstractmethod
    def _tokenise(self, texts: Sequence[str]) -> tuple[Tensor, Tensor]:
        """Return tokens int64 [N, L] and the number int64 [N] of leading tokens that matter, on the CPU."""

    @abstractmethod
    def _text_features(self, tokens: Tensor) -> Tensor:
        """Embed tokens [n, l], l at most L and at least the longest length; [n, D] of any length."""


class Continuations(ABC):
    """Many endings of one beginning.

    Attributes:
        endings: N texts; a whole text is `beginning + ending`, nothing in between.
        exact: whether they are computed in the encoder's own precision.
    """

    exact: bool = True

    def __init__(self, endings: Sequence[str]) -> None:
        """Store the endings; what can be prepared for all beginnings is prepared here."""
        self.endings = tuple(endings)

    @abstractmethod
    def encode(self, beginning: str, rows: Sequence[int] | None = None) -> Tensor:
        """Embed the beginning with each of its endings.

        Args:
            beginning: what all texts begin with.
            rows: which endings; all of them unless given.

        Returns:
            float32 [n, D], unit length, in the order of `rows`: equal to `encode_text` of the whole
            texts, up to rounding.
        """


class WholeTexts(Continuations):
    """For any encoder: every text is embedded whole."""

    def __init__(self, encoder: DualEncoder, endings: Sequence[str]) -> None:
        super().__init__(endings)
        self._encoder = encoder

    def encode(self, beginning: str, rows: Sequence[int] | None = None) -> Tensor:
        chosen = range(len(self.endings)) if rows is None else rows
        return self._encoder.encode_text([beginning + self.endings[row] for row in chosen])


def squeezed(pixels: Tensor, side: int) -> Tensor:
    """Scale pictures [B, 3, H, W] to [B, 3, side, side] (bicubic, antialiased), where they have another size."""
    if tuple(pixels.shape[-2:]) == (side, side):
        return pixels
    return F.interpolate(pixels, (side, side), mode="bicubic", antialias=True, align_corners=False)


def batches_by_length(lengths: Tensor, tokens_per_batch: int) -> Iterator[Tensor]:
    """Group texts of like length, so that little padding is computed.

    Args:
        lengths: int64 [N], tokens of each text.
        tokens_per_batch: most tokens of a batch, padding included; a batch holds at least one text.

    Yields:
        int64 indices into `lengths`, the longest texts first; each index once. A batch that is large enough to be
        worth a pass of its own holds texts of one length only.
    """
    order = lengths.argsort(descending=True, stable=True)
    sizes = lengths[order].clamp(min=1).tolist()
    start = 0
    while start < len(sizes):
        longest = sizes[start]
        end = start + 1
        while end < len(sizes) and (end + 1 - start) * longest <= tokens_per_batch:
            if sizes[end] < sizes[end - 1] and (end - start) * longest >= _ENOUGH:
                break
            end += 1
        yield order[start:end]
        start = end


def digest_of(weights: Mapping[str, Tensor], facts: str = "") -> str:
    """Name a set of tensors by their content in 16 hex digits, whatever file or device they came from.

    Args:
        weights: named tensors; names, dtypes, shapes and values count, their order does not.
        facts: whatever else changes the embeddings (pooling, activation, constants).
    """
    whole = hashlib.sha256(facts.encode())
    for name in sorted(weights):
        tensor = weights[name].detach().cpu().contiguous()
        whole.update(f"\0{name}\0{tensor.dtype}\0{list(tensor.shape)}\0".encode())
        whole.update(tensor.reshape(-1).view(torch.uint8).numpy().tobytes())
    return whole.hexdigest()[:16]


def require_encoder(given: object) -> None:
    """Raise `UnknownModelError` for what is given as an encoder and is none, such as its name."""
    if given is not None and not isinstance(given, DualEncoder):
        raise UnknownModelError(f"an encoder is a loaded model, not {quoted(given)}; give clipnb.load_model(NAME)")
