"""Encoders of open_clip: any architecture and weights it knows, from the hub, the cache, a folder or a file."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from functools import cached_property, partial, reduce
from typing import TYPE_CHECKING, Any

import torch
from PIL import Image
from torch import Tensor

from clipnb.images import open_image
from clipnb.models.causal import CausalTower
from clipnb.models.device import precision_name
from clipnb.models.digest import digest_of
from clipnb.models.encoder import DualEncoder
from clipnb.models.layout import put_sequence_first
from clipnb.models.prefix_cache import CausalTokens, Continuations, SharedBeginnings
from clipnb.models.preprocess import centre_square
from clipnb.models.texts import SharedPass, text_pass

if TYPE_CHECKING:
    from clipnb.models.sources import OpenClipSource


class OpenClipEncoder(DualEncoder):
    """A frozen CLIP-like model of open_clip behind the contract of a dual encoder."""

    def __init__(self, name: str, source: OpenClipSource, device: torch.device, dtype: torch.dtype) -> None:
        """Build the model that `source` describes and load its weights.

        Args:
            name: what the user calls it.
            source: architecture, weights and statistics.
            device: where to compute.
            dtype: float32, bfloat16 or float16.
        """
        import open_clip

        self.name, self.device, self.dtype = name, device, dtype
        model = open_clip.create_model(
            source.architecture,
            pretrained=None if source.checkpoint is None else str(source.checkpoint),
            precision=precision_name(dtype),
            device=device,
            force_quick_gelu=source.quick_gelu,
            force_preprocess_cfg=source.preprocess,
            require_pretrained=True,
            pretrained_text=False,
            weights_only=True,
        )
        self._model = model.eval().requires_grad_(False)
        put_sequence_first(self._model)
        text_cfg = open_clip.get_model_config(source.architecture)["text_cfg"]
        of_transformers = source.architecture.startswith("hf-hub:") or text_cfg.get("hf_tokenizer_name")
        no_code = {"trust_remote_code": False} if of_transformers else {}
        self._tokenizer = open_clip.get_tokenizer(source.architecture, **no_code)
        self._preprocess_cfg: dict[str, Any] = dict(model.visual.preprocess_cfg)
        self._square = _square_transform(self._preprocess_cfg)
        self.image_size = _side(self._preprocess_cfg["size"])
        self.context_length = int(model.context_length)
        self._texts = text_pass(model)
        super().__init__(self._preprocess_cfg["mean"], self._preprocess_cfg["std"])
        self.dim = self._text_features(self._tokenizer([""]).to(device)).shape[1]

    def square(self, image: Image.Image) -> Image.Image:
        """Resize and crop as open_clip's own evaluation transform does; RGB, S x S."""
        return self._square(open_image(image))

    def fits(self, text: str) -> bool:
        """Tell whether the text needs at most `context_length` tokens, begin and end included."""
        # One token more than allowed: a text that fits ends in padding there, as the empty text does.
        one_more = self._tokenizer([text, ""], context_length=self.context_length + 1)
        return bool(one_more[0, -1] == one_more[1, -1])

    def continuations(self, endings: Sequence[str], *, draft: bool = False) -> Continuations:
        """Prepare endings; where the text tower is causal, what they share is computed once."""
        if not isinstance(self._texts, SharedPass):
            return super().continuations(endings)
        causal = CausalTower(self._texts.tower, torch.bfloat16 if draft else None)
        return SharedBeginnings(causal, CausalTokens(self._tokenizer, self._texts.lengths), self, endings)

    @cached_property
    def digest(self) -> str:
        """Name the weights as loaded (precision included), the activation and the pooling by 16 hex digits."""
        facts = [repr(self._model), json.dumps(self._preprocess_cfg, sort_keys=True, default=str)]
        return digest_of(self._model.state_dict(), "\n".join(facts))

    def _image_features(self, normalised: Tensor) -> Tensor:
        features: Tensor = self._model.encode_image(normalised)
        return features

    def _tokenise(self, texts: Sequence[str]) -> tuple[Tensor, Tensor]:
        tokens: Tensor = self._tokenizer(list(texts))
        return tokens, self._texts.lengths(tokens)

    def _text_features(self, tokens: Tensor) -> Tensor:
        return self._texts.features(tokens)


def _square_transform(preprocess_cfg: dict[str, Any]) -> Callable[[Image.Image], Image.Image]:
    """Make what open_clip's own evaluation transform does to a picture before it becomes a tensor."""
    from open_clip.transform import PreprocessCfg, image_transform_v2

    config = PreprocessCfg(**preprocess_cfg)
    width, height = config.input_size[-2:]
    if config.resize_mode == "shortest" and width == height:  # what nearly every model wants
        resample = Image.Resampling.BILINEAR if config.interpolation == "bilinear" else Image.Resampling.BICUBIC
        return partial(centre_square, side=width, resample=resample)
    *steps, _, _, _ = image_transform_v2(config, is_train=False).transforms  # mode, tensor, normalisation
    return lambda image: reduce(lambda made, step: step(made), steps, image)


def _side(size: int | Sequence[int]) -> int:
    return size if isinstance(size, int) else int(size[0])
