"""`lite`, the embedded default: a dual encoder from two packages of weights, without any download.

Pictures are seen by EfficientNet-Lite0 (trained on ImageNet), texts by the sentence encoder MiniLM; bridge.py joins
the two. It is no CLIP: it knows things, not styles or artists. `lite1` and `lite2` see by the next larger networks,
where their packages are installed: they judge what `lite` makes.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from functools import cached_property

import torch
from PIL import Image
from torch import Tensor
from torch.nn import functional as F

from clipnb.files import cache_folder, find_cached
from clipnb.images import open_image
from clipnb.models.embedding_files import EmbeddingFiles
from clipnb.models.encoder import DualEncoder, digest_of, squeezed
from clipnb.models.lite.bridge import COLOURS, FORMULA, Bridge, BridgeSettings
from clipnb.models.lite.classes import class_sentences, imagenet_classes
from clipnb.models.lite.sight import LiteSight
from clipnb.models.lite.weights import CLASSIFIERS, SHA256, load_image_tower, load_text_tower
from clipnb.models.preprocess import cut_of_scaled
from clipnb.models.sentences import mean_pooled
from clipnb.models.sight import Sight

_NAMES = EmbeddingFiles("names", torch.float32, lambda names: {"digest": digest_of({"names": names})})


class LiteEncoder(DualEncoder):
    """The embedded encoder.

    Attributes:
        classes: the 1000 things that it maps texts to.
        image_tower: EfficientNet-Lite, from normalised pictures to logits of the classes.
        bridge: joins what the towers see and read.
    """

    context_length = 256

    def __init__(
        self, device: torch.device, dtype: torch.dtype, settings: BridgeSettings | None = None, name: str = "lite"
    ) -> None:
        """Load both towers from their installed packages and embed the class names; `name` is one of `CLASSIFIERS`.

        The first time on a machine the names take some seconds; later their embeddings come from the cache.

        Raises:
            ModelUnavailableError: a package is missing, or its files are not the expected bytes.
        """
        self.device, self.dtype, self.name = device, dtype, name
        self.image_size, self._resized = CLASSIFIERS[name].side, CLASSIFIERS[name].resized
        self.is_calibrated = name == "lite"  # on what its own network sees
        which = "the embedded default" if name == "lite" else "an embedded classifier"
        self.note = f"{name} is {which} and no CLIP: it knows things, not styles or artists"
        super().__init__(mean=(0.5, 0.5, 0.5), std=(0.5, 0.5, 0.5))
        self._settings = settings or BridgeSettings()
        self.image_tower = load_image_tower(name).to(device, dtype)
        self._tokenizer, text_tower = load_text_tower()
        self._text_tower = text_tower.to(device, dtype)
        classes = imagenet_classes()
        self.classes = classes.names
        self._sentences_of_classes = class_sentences(classes, self._settings.template)
        classifier: Tensor = self.image_tower.classifier.weight
        colours = self._embed_sentences(list(COLOURS))
        self.bridge = Bridge(self._names(), colours, classifier, self._settings)
        self.dim = self.bridge.dim

    def look(self, pixels: Tensor) -> tuple[Tensor, list[Sight | None]]:
        """Embed pictures, with how certain the classifier is of each."""
        if not self.is_calibrated:
            return super().look(pixels)
        pixels = squeezed(pixels.to(self.device), self.image_size).clamp(0, 1)
        logits = self.image_tower(((pixels - self._mean) / self._std).to(self.dtype)).float()
        features = F.normalize(self.bridge.picture(logits, pixels), dim=-1)
        names, words, classes = self.bridge.names, self.bridge.words, self.classes
        return features, [LiteSight(*one, names, words, classes) for one in zip(logits, pixels, strict=True)]

    def composed(self, beginning: Tensor, endings: Tensor, shares: Tensor) -> Tensor:
        """Estimate embeddings as the mean of the sentences' directions, which is nearer than that of the embeddings."""
        return F.normalize(self.bridge.composed(beginning, endings, shares), dim=-1)

    def square(self, image: Image.Image) -> Image.Image:
        """Resize the short side to 256 and cut the centre out; RGB, 224 x 224 (of larger networks more)."""
        image = open_image(image)
        scale = self._resized / min(image.size)
        size = (max(self._resized, round(image.width * scale)), max(self._resized, round(image.height * scale)))
        corner = ((size[0] - self.image_size) // 2, (size[1] - self.image_size) // 2)
        return cut_of_scaled(image, size, corner, self.image_size, Image.Resampling.BICUBIC)

    def fits(self, text: str, most: int | None = None) -> bool:
        """Whether the text has at most 256 word pieces, or fewer, begin and end included."""
        return self._tokenizer.length(text) <= min(most or self.context_length, self.context_length)

    def explain(self, text: str, count: int = 5) -> list[tuple[str, float]]:
        """Return the ImageNet classes nearest to the text, with their cosine; nearest first."""
        cosines = self.bridge.centred(self._embed_sentences([text]))[0] @ self.bridge.names.T
        best = cosines.topk(min(count, len(self.classes)))
        return [(self.classes[i], value) for i, value in zip(best.indices.tolist(), best.values.tolist(), strict=True)]

    @cached_property
    def digest(self) -> str:
        """The name of both towers and the bridge."""
        weights = {f"image.{name}": tensor for name, tensor in self.image_tower.state_dict().items()}
        weights |= {f"text.{name}": tensor for name, tensor in self._text_tower.state_dict().items()}
        bridge = (sorted(asdict(self._settings).items()), self._sentences_of_classes, sorted(COLOURS.items()))
        return digest_of(weights, f"{FORMULA} {bridge}")

    def _image_features(self, normalised: Tensor) -> Tensor:
        pixels = normalised.float() * self._std + self._mean
        return self.bridge.picture(self.image_tower(normalised).float(), pixels)

    def _tokenise(self, texts: Sequence[str]) -> tuple[Tensor, Tensor]:
        batch = self._tokenizer(texts, max_length=self.context_length)
        return batch["input_ids"], batch["attention_mask"].sum(-1)

    def _text_features(self, tokens: Tensor) -> Tensor:
        return self.bridge.text(self._sentences(tokens))

    @torch.no_grad()
    def _embed_sentences(self, texts: Sequence[str]) -> Tensor:
        return self._embed_trimmed(texts, self._text_tower.config.hidden_size, self._sentences)

    def _sentences(self, tokens: Tensor) -> Tensor:
        """Embed tokens [n, l] as the mean of their last hidden states, unit length; float32 [n, 384]."""
        return mean_pooled(self._text_tower, tokens, (tokens != self._tokenizer.pad_token_id).to(self.dtype))

    def _names(self) -> Tensor:
        """Embed the classes, or read their embeddings from the cache; float32 [1000, 384], unit length."""
        key = digest_of({}, f"{SHA256} {self.dtype} {self._sentences_of_classes}")
        file = f"classes-{key}.safetensors"
        shape = (len(self.classes), self._text_tower.config.hidden_size)
        names = _NAMES.read(find_cached("lite", file), shape)
        if names is None:
            embedded = [self._embed_sentences(sentences) for sentences in self._sentences_of_classes]
            names = F.normalize(torch.stack(embedded).mean(0), dim=-1)
            _NAMES.try_to_write(cache_folder("lite", file), names.cpu())
        return names.to(self.device)
