"""The encoders of a run, and the embeddings of the texts and images that its targets name."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor
from torch.utils.checkpoint import checkpoint

from clipnb.models.embedded import embedded
from clipnb.models.encoder import DualEncoder, squeezed
from clipnb.models.load import load_model
from clipnb.optimise.image_state import opened
from clipnb.optimise.language.config import ExperimentConfig
from clipnb.optimise.language.target import FeatureConfig, TargetConfig
from clipnb.optimise.likeness import Likeness


class TargetEmbeddings:
    """Encoders by name, and embeddings by encoder and feature; each text and image is embedded once."""

    def __init__(self, default: DualEncoder | None, device: torch.device) -> None:
        """Load nothing yet; `default` is used instead of the experiment's `model` and `models`."""
        self._default, self._device = default, device
        self._encoders: dict[str, DualEncoder] = {}
        self._embeddings: dict[tuple[str, str | None, str | None], Tensor] = {}

    def prepare(self, config: ExperimentConfig) -> None:
        """Load the encoders and embed the features of an experiment, as far as they are new.

        Raises:
            ClipnbError: an encoder or an image cannot be loaded.
        """
        for target in config.targets:
            if target.active:
                for encoder in self.encoders_of(config, target):
                    self._embed(encoder, target.features, config)

    def encoders_of(self, config: ExperimentConfig, target: TargetConfig) -> list[DualEncoder]:
        """Return the encoders of a target: its own, or the experiment's one or several; none without features."""
        return self.guides_of(config, target) if target.features else []

    def guides_of(self, config: ExperimentConfig, target: TargetConfig) -> list[DualEncoder]:
        """Return the encoders that see a target's part of the picture, whether it has features or not."""
        if target.model is not None:
            return [self._load(target.model)]
        if self._default is not None:
            return [self._default]
        return [self._load(name) for name in config.models or (config.model,)]

    def digests(self, config: ExperimentConfig) -> dict[str, str]:
        """Return the names of the encoders of an experiment's active targets, with the digests of their weights."""
        active = [target for target in config.targets if target.active]
        asked = [t for t in active if any(isinstance(c, Likeness) and c.needs_encoder for c in t.constraints)]
        encoders = [e for target in active for e in self.encoders_of(config, target)]
        encoders += [self.guides_of(config, target)[0] for target in asked]
        return {encoder.name: encoder.digest for encoder in encoders}

    def of(self, encoder: DualEncoder, target: TargetConfig) -> Tensor:
        """Return the embeddings of a target's features; float32 [F, D], unit length."""
        return torch.stack([self._embeddings[_key(encoder, feature)] for feature in target.features])

    def _load(self, name: str) -> DualEncoder:
        if name not in self._encoders:
            self._encoders[name] = load_model(name, str(self._device))
        return self._encoders[name]

    @torch.no_grad()
    def _embed(self, encoder: DualEncoder, features: Sequence[FeatureConfig], config: ExperimentConfig) -> None:
        new = {_key(encoder, feature): feature for feature in features}
        new = {key: feature for key, feature in new.items() if key not in self._embeddings}
        texts = {key: feature.text for key, feature in new.items() if feature.text is not None}
        if texts:
            self._embeddings.update(zip(texts, embedded(encoder, list(texts.values())), strict=True))
        for key, feature in new.items():
            if feature.image is not None:
                pixels = encoder.preprocess(opened(feature.image, config))
                self._embeddings[key] = encoder.encode_image(pixels[None])[0]


def encode_views(encoder: DualEncoder, views: Sequence[Tensor], parts: int) -> list[Tensor]:
    """Embed the views of several targets, float [n, 3, h, w] each, as one batch; float32 [n, D] each, unit length.

    In several parts, the activations of a part are computed again in the backward pass instead of being kept.
    """
    batch = torch.cat([squeezed(target_views, encoder.image_size) for target_views in views])
    if parts <= 1:
        embedded = encoder.encode_image(batch)
    else:
        chunks = [checkpoint(encoder.encode_image, chunk, use_reentrant=False) for chunk in batch.chunk(parts)]
        embedded = torch.cat(chunks)
    return list(torch.split(embedded, [len(target_views) for target_views in views]))


def _key(encoder: DualEncoder, feature: FeatureConfig) -> tuple[str, str | None, str | None]:
    return encoder.name, feature.text, feature.image
