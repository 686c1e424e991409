"""clip-interrogator's names over clipnb: `from clipnb.compat.clip_interrogator import Config, Interrogator`.

Scripts written for clip-interrogator 0.6 run with that one line changed. Label lists are clipnb's unless
`Config.data_path` is "package:clip_interrogator". Without a captioner captions are composed of labels.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from clipnb import interrogate
from clipnb.errors import quoted
from clipnb.interrogate.image_query import ImageQuery, Rankings
from clipnb.interrogate.labels.table import LabelTable as Table
from clipnb.interrogate.labels.table import RankedLabel
from clipnb.interrogate.labels.word_lists import LabelSource, clean_labels, load_labels
from clipnb.interrogate.modes.chain import grow_chain
from clipnb.interrogate.settings import Settings, SettingsError
from clipnb.models.captioner import list_caption_models as list_caption_models
from clipnb.models.captioner import load_captioner
from clipnb.models.captioners.generation import TransformersCaptioner
from clipnb.models.encoder import DualEncoder
from clipnb.models.load import load_model
from clipnb.models.sources import all_names

if TYPE_CHECKING:
    from clipnb.images import ImageSource
    from clipnb.models.captioner import Captioner


@dataclass
class Config:
    """Settings under clip-interrogator's names and with its defaults; may be changed later, as its scripts do.

    Attributes:
        caption_max_length: longest caption, in tokens.
        caption_model_name: captioner such as "blip-large"; None composes captions from label tables.
        caption_offload: move the captioner to the CPU while it is not in use.
        clip_model_name: encoder as `load_model` takes it.
        clip_model_path: file or folder with its weights.
        clip_offload: move the encoder to the CPU while the captioner is in use.
        cache_path: folder for embeddings of label tables; clipnb's cache unless given.
        download_cache: without effect: embeddings are made here, and never downloaded.
        chunk_size: labels embedded at a time.
        data_path: label files as `load_labels` takes them; clipnb's lists unless given.
        device: "auto", "cuda", "mps" or "cpu".
        flavor_intermediate_count: phrases that a chain chooses from.
        quiet: show no progress bars.
        clip_model: a loaded `DualEncoder`, used in place of a model by name.
        caption_model: a loaded captioner, or a model of transformers with `caption_processor`.
        caption_processor: prepares images and decodes captions of that model.
    """

    caption_max_length: int = 32
    caption_model_name: str | None = "blip-large"
    caption_offload: bool = False
    clip_model_name: str = "ViT-L-14/openai"
    clip_model_path: str | None = None
    clip_offload: bool = False
    cache_path: str | None = None
    download_cache: bool = True
    chunk_size: int = 2048
    data_path: LabelSource | None = None
    device: str | torch.device = "auto"
    flavor_intermediate_count: int = 2048
    quiet: bool = False
    clip_model: Any = None
    caption_model: Any = None
    caption_processor: Any = None

    def apply_low_vram_defaults(self) -> None:
        """Choose a smaller captioner, both offloads, smaller chunks and choices."""
        preset = Settings.low_memory()
        for name in ("caption_model_name", "caption_offload", "clip_offload", "chunk_size"):
            setattr(self, name, getattr(preset, name))
        self.flavor_intermediate_count = preset.flavor_intermediate_count


class Interrogator:
    """Finds prompts for images by clip-interrogator's methods; each returns plain texts and numbers.

    Attributes:
        config: may be changed at any time; models by other names are loaded by `load_clip_model` and
            `load_caption_model`.
        clip_model: the loaded encoder.
        caption_model: the loaded captioner; None where captions are composed.
    """

    def __init__(self, config: Config) -> None:
        """Load the models that the configuration names."""
        self.config = config
        self.load_caption_model()
        self.load_clip_model()

    def load_caption_model(self) -> None:
        """Load the captioner of `config.caption_model_name`, unless a loaded one is given."""
        config, given = self.config, self.config.caption_model
        self.caption_model: Captioner | None = given
        if given is not None and config.caption_processor is not None:
            length = config.caption_max_length
            self.caption_model = TransformersCaptioner(given, config.caption_processor, max_new_tokens=length)
        elif given is None and config.caption_model_name:
            where = "cpu" if config.caption_offload else str(config.device)
            self.caption_model = load_captioner(
                config.caption_model_name, where, max_new_tokens=config.caption_max_length
            )

    def load_clip_model(self) -> None:
        """Load the encoder of `config.clip_model_name`, unless a loaded one is given; tables follow when needed."""
        given = self.config.clip_model
        if given is not None and not isinstance(given, DualEncoder):
            kind = quoted(type(given).__name__)
            raise SettingsError(f"clip_model is {kind}, not a DualEncoder; give its name, or clipnb.load_model(...)")
        self.clip_model: DualEncoder = given or load_model(
            self.config.clip_model_name, str(self.config.device), weights=self.config.clip_model_path
        )
        self._engine: interrogate.Interrogator | None = None

    def engine(self, min_flavors: int = 8) -> interrogate.Interrogator:
        """Return the interrogator of clipnb that does the work, as the configuration is now."""
        config = self.config
        settings = Settings(
            cache_path=config.cache_path,
            chunk_size=config.chunk_size,
            flavor_intermediate_count=config.flavor_intermediate_count,
            min_flavors=min_flavors,
            caption_offload=config.caption_offload,
            clip_offload=config.clip_offload,
            quiet=config.quiet,
            styles=True,
            tolerance=None,  # as clip-interrogator does it: phrases may lower a prompt, and say things twice
            diverse=False,
            least_certainty=0,
        )
        if self._engine is None or self._engine.settings != settings:
            self._engine = interrogate.Interrogator(
                self.clip_model, captioner=self.caption_model, labels=config.data_path, settings=settings
            )
        return self._engine

    def interrogate(
        self, image: ImageSource, min_flavors: int = 8, max_flavors: int = 32, caption: str | None = None
    ) -> str:
        """Return the best of caption, classic, fast and a chain of phrases."""
        return self.engine(min_flavors).interrogate(image, "best", caption, max_flavors=max_flavors).prompt

    def interrogate_classic(self, image: ImageSource, max_flavors: int = 3, caption: str | None = None) -> str:
        """Return caption, medium, artist, site, movement and flavors."""
        return self.engine().interrogate(image, "classic", caption, max_flavors=max_flavors).prompt

    def interrogate_fast(self, image: ImageSource, max_flavors: int = 32, caption: str | None = None) -> str:
        """Return the caption and the best labels of all tables."""
        return self.engine().interrogate(image, "fast", caption, max_flavors=max_flavors).prompt

    def interrogate_negative(self, image: ImageSource, max_flavors: int = 32) -> str:
        """Return a negative prompt."""
        return self.engine().interrogate(image, "negative", max_flavors=max_flavors).prompt

    def generate_caption(self, pil_image: ImageSource) -> str:
        """Return what the captioner says of an image, or a composed caption."""
        return self.engine().interrogate(pil_image, "caption").caption

    def image_to_features(self, image: ImageSource) -> Tensor:
        """Embed an image; float32 [1, D], unit length."""
        return self.engine().encode(image)[None]

    def chain(
        self,
        image_features: Tensor,
        phrases: Iterable[str],
        best_prompt: str = "",
        best_sim: float = 0,
        min_count: int = 8,
        max_count: int = 32,
        desc: str = "Chaining",
        reverse: bool = False,
    ) -> str:
        """Append phrases one at a time, each time the best; return the best prompt on the way.

        Args:
            image_features: float [1, D], unit length.
            phrases: what to choose from.
            best_prompt: what the prompt begins with.
            best_sim: its similarity, which is measured anyway.
            min_count: phrases that are added even if the similarity falls.
            max_count: maximal number of phrases.
            desc: without effect: nothing is shown.
            reverse: search the least similar prompt instead.
        """
        del best_sim, desc
        engine, features = self.engine(), image_features.float().reshape(1, -1).to(self.clip_model.device)
        query = ImageQuery(self.clip_model, engine.settings, True, Rankings(features, engine.tables, engine.resources))
        choices = [RankedLabel(phrase, 0.0, "phrases") for phrase in dict.fromkeys(phrases)]
        states = list(
            grow_chain(query, choices, best_prompt, min_count=min_count, max_count=max_count, reverse=reverse)
        )
        start = (-1 if reverse else 1) * query.similarities([best_prompt])[0] if best_prompt else float("-inf")
        best = max(states, key=lambda state: state.merit, default=None)
        return best.prompt if best is not None and best.merit > start else best_prompt

    def rank_top(self, image_features: Tensor, text_array: Sequence[str], reverse: bool = False) -> str:
        """Return the text that is most similar to an image, or least."""
        similarities = self.similarities(image_features, text_array)
        return text_array[similarities.index((min if reverse else max)(similarities))]

    def similarity(self, image_features: Tensor, text: str) -> float:
        """Return the cosine of an image and a text, in [-1, 1]."""
        return self.similarities(image_features, [text])[0]

    def similarities(self, image_features: Tensor, text_array: Sequence[str]) -> list[float]:
        """Return the cosine of an image and each text, in [-1, 1]."""
        embeddings = self.clip_model.encode_text(list(text_array))
        cosines: list[float] = (embeddings @ image_features.float().reshape(-1).to(embeddings.device)).tolist()
        return cosines

    def __getattr__(self, name: str) -> LabelTable:
        """Return one of the label tables: artists, flavors, mediums, movements, trendings, negative."""
        if name not in _TABLES:
            raise AttributeError(f"Interrogator has no {name!r}; its tables are {', '.join(_TABLES)}")
        return LabelTable(self.engine().tables.labels(name), name, self)


_TABLES = ("artists", "flavors", "mediums", "movements", "trendings", "negative")


class LabelTable:
    """A list of labels to rank images against.

    Attributes:
        labels: no two alike.
    """

    def __init__(self, labels: Sequence[str], desc: str, ci: Interrogator) -> None:
        """Embed a list, or load its embeddings from the cache under the name `desc`."""
        settings = ci.engine().settings
        self._table = Table.build(
            Path(desc or "labels").name,
            clean_labels(labels, "the list"),
            ci.clip_model,
            folder=Path(settings.cache_path) if settings.cache_path else None,
            chunk_size=settings.chunk_size,
            quiet=settings.quiet,
        )
        self.labels = list(self._table.labels)

    def rank(self, image_features: Tensor, top_count: int = 1, reverse: bool = False) -> list[str]:
        """Return the labels most similar to an image, best first; the least similar with `reverse`."""
        features = image_features.reshape(1, -1)
        return [found.label for found in self._table.rank(features, top_count, reverse=reverse)[0]]


def list_clip_models() -> list[str]:
    """Return the names of encoders, such as "ViT-L-14/openai"; "lite" is one that needs no download."""
    return ["lite", *all_names()]


def load_list(data_path: str | Path, filename: str | None = None) -> list[str]:
    """Read a label file, or one of a folder."""
    path = Path(data_path) / filename if filename is not None else Path(data_path)
    return [label for labels in load_labels(path).values() for label in labels]
