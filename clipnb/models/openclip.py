"""Encoders of open_clip: any architecture and weights it knows, from the hub, the cache, a folder or a file."""

from __future__ import annotations

import json
import logging
import threading
from collections.abc import Callable, Sequence
from functools import cached_property, partial, reduce
from typing import Any

import torch
from PIL import Image
from torch import Tensor, nn
from torch.nn import functional as F

from clipnb.images import open_image
from clipnb.models.checks.safety import require_like_its_files
from clipnb.models.device import precision_name
from clipnb.models.encoder import Continuations, DualEncoder, digest_of
from clipnb.models.prefix_cache import CausalTokens, CausalTower, PrefixCachedTexts, encode_nested, nested
from clipnb.models.preprocess import centre_square
from clipnb.models.sources import OpenClipSource
from clipnb.progress import Progress

_LOOKED_THROUGH = 4096  # texts, for those that begin with others: prompts do, long lists of labels do not


class OpenClipEncoder(DualEncoder):
    """A frozen CLIP-like model of open_clip.

    Attributes:
        model: open_clip's own, for what else it can do.
        tokenizer: open_clip's own: texts to int64 [N, L].
    """

    def __init__(self, name: str, source: OpenClipSource, device: torch.device, dtype: torch.dtype) -> None:
        """Build the model that `source` describes and load its weights; `name` is what the user calls it."""
        import open_clip

        self.name, self.device, self.dtype = name, device, dtype
        if source.folder is not None:
            require_like_its_files(lambda: without_weights(source.architecture), source.folder)
        model = open_clip.create_model(
            source.architecture,
            pretrained=None if source.checkpoint is None else str(source.checkpoint),
            precision=precision_name(dtype),
            device=device,
            force_quick_gelu=source.quick_gelu,
            force_preprocess_cfg=source.preparation and source.preparation.settings,
            require_pretrained=True,
            pretrained_text=False,
            weights_only=True,
        )
        self.model: Any = model.eval().requires_grad_(False)
        _put_sequence_first(self.model)
        self.tokenizer = _tokenizer(source.architecture)
        self._preprocess_cfg: dict[str, Any] = dict(model.visual.preprocess_cfg)
        if source.preparation:
            self.preparation, self.note = str(source.preparation), source.preparation.note
        self._square = square_transform(self._preprocess_cfg)
        size = self._preprocess_cfg["size"]
        self.image_size = size if isinstance(size, int) else int(size[0])
        self.context_length = int(model.context_length)
        self._texts = text_pass(model)
        super().__init__(self._preprocess_cfg["mean"], self._preprocess_cfg["std"])
        if source.preparation and {"mean", "std"} <= source.preparation.usual.keys():
            self.trained_with = source.preparation.usual["mean"], source.preparation.usual["std"]
        self.dim = self._text_features(self.tokenizer([""]).to(device)).shape[1]

    def square(self, image: Image.Image) -> Image.Image:
        """Resize and crop as open_clip's own evaluation transform does; RGB, S x S."""
        return self._square(open_image(image))

    def fits(self, text: str, most: int | None = None) -> bool:
        """Whether the text needs at most `context_length` tokens, or fewer, begin and end included."""
        # One token more than allowed: a text that fits ends in padding there, as the empty text does.
        one_more = self.tokenizer([text, ""], context_length=min(most or self.context_length, self.context_length) + 1)
        return bool(one_more[0, -1] == one_more[1, -1])

    @torch.no_grad()
    def encode_text(self, texts: Sequence[str], progress: Progress | None = None) -> Tensor:
        """Embed texts; where the tower is causal, a text that begins with another one is computed together with it."""
        if not isinstance(self._texts, SharedPass) or not 1 < len(texts) <= _LOOKED_THROUGH or isinstance(texts, str):
            return super().encode_text(texts, progress)
        leading = CausalTokens(self.tokenizer, self._texts.lengths).leading(texts)
        groups = [group for group in nested([tokens[:-1] for tokens in leading]) if len(group) > 1]
        alone = sorted(set(range(len(texts))).difference(*groups))
        result = torch.empty(len(texts), self.dim, device=self.device)
        if alone:
            result[alone] = super().encode_text([texts[place] for place in alone])
        tower = CausalTower(self._texts.tower)
        for places, found in encode_nested(tower, leading, groups, self.device, self._tokens_per_batch):
            result[places] = F.normalize(found.float(), dim=-1)
        if progress:
            progress(len(texts), len(texts))
        return result

    def continuations(self, endings: Sequence[str], *, draft: bool = False) -> Continuations:
        """Prepare endings; where the text tower is causal, what they share is computed once."""
        if not isinstance(self._texts, SharedPass):
            return super().continuations(endings)
        causal = CausalTower(self._texts.tower, torch.bfloat16 if draft else None)
        return PrefixCachedTexts(causal, CausalTokens(self.tokenizer, self._texts.lengths), self, endings)

    @cached_property
    def digest(self) -> str:
        """The name of the weights as loaded (precision included), the activation and the pooling."""
        facts = [repr(self.model), json.dumps(self._preprocess_cfg, sort_keys=True, default=str)]
        return digest_of(self.model.state_dict(), "\n".join(facts))

    def _image_features(self, normalised: Tensor) -> Tensor:
        features: Tensor = self.model.encode_image(normalised)
        return features

    def _tokenise(self, texts: Sequence[str]) -> tuple[Tensor, Tensor]:
        tokens: Tensor = self.tokenizer(list(texts))
        return tokens, self._texts.lengths(tokens)

    def _text_features(self, tokens: Tensor) -> Tensor:
        return self._texts.features(tokens)


def without_weights(architecture: str) -> nn.Module:
    """Build one of open_clip's models on the device "meta", where it takes no memory."""
    import open_clip

    root = logging.getLogger()
    level = root.level
    root.setLevel(logging.ERROR)  # open_clip warns that the weights are random, which is the point here
    try:
        with torch.device("meta"):
            model: nn.Module = open_clip.create_model(
                architecture, device="meta", load_weights=False, pretrained_text=False
            )
    finally:
        root.setLevel(level)
    return model


def _tokenizer(architecture: str) -> Any:
    import open_clip

    of_transformers = open_clip.get_model_config(architecture)["text_cfg"].get("hf_tokenizer_name")
    no_code = {"trust_remote_code": False} if of_transformers or architecture.startswith("hf-hub:") else {}
    return open_clip.get_tokenizer(architecture, **no_code)


def square_transform(preprocess_cfg: dict[str, Any]) -> Callable[[Image.Image], Image.Image]:
    """Make what open_clip's own evaluation transform does to a picture before it becomes a tensor."""
    from open_clip.transform import PreprocessCfg, image_transform_v2

    config = PreprocessCfg(**preprocess_cfg)
    width, height = config.input_size[-2:]
    if config.resize_mode == "shortest" and width == height:  # what nearly every model wants
        resample = Image.Resampling.BILINEAR if config.interpolation == "bilinear" else Image.Resampling.BICUBIC
        return partial(centre_square, side=width, resample=resample)
    *steps, _, _, _ = image_transform_v2(config, is_train=False).transforms  # mode, tensor, normalisation
    return lambda image: reduce(lambda made, step: step(made), steps, image)


def _put_sequence_first(model: nn.Module) -> None:
    """Let a frozen model's transformers work on [L, B, width] in place of [B, L, width]; results stay the same.

    torch's attention transposes batch-first states, and a linear layer whose weights are frozen multiplies such a
    transposed tensor as L small products that each read all weights. In the sequence-first layout, which open_clip
    supports too, it is one large product: a forward and backward pass to five pictures takes .7 of the time.
    """
    from open_clip.transformer import Transformer

    module: Any
    for module in model.modules():
        attentions = [getattr(block, "attn", None) for block in getattr(module, "resblocks", ())]
        if type(module) is Transformer and all(isinstance(part, nn.MultiheadAttention) for part in attentions):
            for part in (module, *attentions):
                part.batch_first = False


def text_pass(model: nn.Module) -> TextPass:
    """Return the cheapest way to run an open_clip model's text tower that equals the model's own."""
    tower: Any = getattr(model, "text", model)
    pooling = getattr(tower, "text_pool_type", getattr(tower, "pool_type", None))
    has_class_token = getattr(tower, "cls_emb", None) is not None
    if getattr(tower, "attn_mask", None) is None or has_class_token or pooling not in ("argmax", "eos"):
        return TextPass(model)
    end = getattr(tower, "text_eos_id", getattr(tower, "eos_id", None)) if pooling == "eos" else None
    return (SharedPass if CausalTower.supports(tower) else TrimmedPass)(model, end)


class TextPass:
    """Runs a text tower on its full context, since every position counts."""

    def __init__(self, model: nn.Module) -> None:
        self._model: Any = model

    def lengths(self, tokens: Tensor) -> Tensor:
        """Return the number of leading tokens that matter, of [N, L]; int64 [N]."""
        return torch.full((len(tokens),), tokens.shape[1])

    def features(self, tokens: Tensor) -> Tensor:
        """Embed tokens [n, l], l from the longest length to L; [n, D] of any length."""
        features: Tensor = self._model.encode_text(tokens)
        return features


class TrimmedPass(TextPass):
    """Runs a causal text tower, pooled at the end token, on no positions beyond the longest text of a batch.

    The module's own forward runs, with its positional embedding and mask replaced by their leading parts.
    """

    def __init__(self, model: nn.Module, end_token: int | None) -> None:
        """Pool this token; None is the largest one."""
        super().__init__(model)
        self._end_token = end_token
        self._prefix = "text." if hasattr(model, "text") else ""
        self._lock = threading.Lock()  # a pass swaps buffers of the one shared module for a moment

    @property
    def tower(self) -> Any:
        return getattr(self._model, "text", self._model)

    def lengths(self, tokens: Tensor) -> Tensor:
        ends = tokens if self._end_token is None else (tokens == self._end_token).int()
        return ends.argmax(dim=-1) + 1

    def features(self, tokens: Tensor) -> Tensor:
        length = tokens.shape[1]
        leading = {"positional_embedding": self.tower.positional_embedding[:length]}
        leading["attn_mask"] = self.tower.attn_mask[:length, :length]
        replaced = {self._prefix + name: tensor for name, tensor in leading.items()}
        with self._lock:
            answer = torch.func.functional_call(self._model, replaced, kwargs={"text": tokens})
        features: Tensor = answer["text_features"] if isinstance(answer, dict) else answer[1]
        return features


class SharedPass(TrimmedPass):
    """Runs a causal text tower of the usual build: what all texts begin with is computed once."""

    def features(self, tokens: Tensor) -> Tensor:
        return CausalTower(self.tower).encode_whole(tokens, self.lengths(tokens))
