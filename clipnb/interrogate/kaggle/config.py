"""The configuration that `execute` reads: which models and lists, each from a local folder."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from itertools import islice
from pathlib import Path
from typing import Annotated, Any

import torch
from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, ValidationInfo

from clipnb.errors import ClipnbError, nearest, printable, quoted, reason, shortened
from clipnb.files import expanded, read_text
from clipnb.interrogate.labels.word_lists import load_labels
from clipnb.interrogate.settings import Settings
from clipnb.models.captioner import Captioner, load_captioner
from clipnb.models.encoder import DualEncoder
from clipnb.models.load import load_model
from clipnb.models.local import local_weights
from clipnb.models.sentences import MINILM, SentenceEncoder, load_sentence_encoder
from clipnb.models.sources import canonical_name

_LITE = "lite"
_LARGEST = 2**20  # bytes of a configuration
_MOST, _MOST_BESIDE = 20, 5000  # mistakes that are named; files among which the nearest name is looked for
_MARKS = ("config.json", "modules.json")  # of a folder that transformers saved a model in


class KaggleError(ClipnbError, ValueError):
    """A key of a Kaggle configuration that is missing, unknown, or names a path that does not exist."""


def _existing(path: Path | None, info: ValidationInfo) -> Path | None:
    if path is None:
        return None
    base: Path | None = info.context
    tried = [expanded(path), *([base / path] if base and not path.is_absolute() else [])]
    found = next((place for place in tried if os.path.exists(place)), None)  # noqa: PTH110 - pathlib's may raise
    if found is None:
        missing = " or ".join(str(place) for place in dict.fromkeys(tried))
        folder = tried[-1].parent
        beside: list[str] = []
        with suppress(OSError):  # no folder, not permitted, too long
            beside = [other.name for other in islice(folder.iterdir(), _MOST_BESIDE)]
        near = f"; in its folder: {nearest(path.name, beside)}" if beside else ""
        raise ValueError(printable(f"points nowhere: there is no {shortened(missing, 500)}{near}"))
    return found


_Name = Annotated[str | None, BeforeValidator(lambda value: value or None)]
_Place = Annotated[Path | None, AfterValidator(_existing), BeforeValidator(lambda value: value or None)]


class KaggleConfig(BaseModel):
    """Models and lists of a run; nothing is ever downloaded.

    Attributes:
        clip_model: the encoder: "lite", or a name of open_clip such as "ViT-L-14/openai" or "ViT-B-32".
        clip_path: its weights, a file or a folder; needed unless they are in the local cache or the bundle in use.
        blip_model: name of the captioner; its folder may be one of this name in `blip_path`.
        blip_path: folder of the captioner as transformers saves models; captions are composed from label
            tables without one.
        dicts: folder of label files (`medium.txt` or `mediums.txt`, ...); the built-in lists unless given.
        chunk_size: labels embedded at a time.
        embedding_model: the sentence encoder.
        embedding_dir: folder that holds the sentence encoder's folder.
        embedding_path: the sentence encoder's own folder; without both, the installed package is taken.
        collection: file or folder of prompts that "clip-interrogator-pooled" retrieves from; the shipped ones unless
            given.
        collection_column: where prompts stand in it, if it is a table.
        without: tables that take no part, such as ["movements"].
        avoid: words, files of words and tables; nothing that contains them is chosen.
        max_words: longest prompt in words.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    clip_model: str = Field(min_length=1)
    clip_path: _Place = None
    blip_model: _Name = None
    blip_path: _Place = None
    dicts: _Place = None
    chunk_size: int = Field(2048, ge=1, le=10**9)
    embedding_model: str = MINILM
    embedding_dir: _Place = None
    embedding_path: _Place = None
    collection: _Place = None
    collection_column: str = "prompt"
    without: tuple[str, ...] = ()
    avoid: tuple[str, ...] = ()
    max_words: int | None = Field(None, ge=1, le=10**9)

    def encoder(self) -> DualEncoder:
        if self.clip_model == _LITE:
            if self.clip_path is not None:
                raise KaggleError("clip_path has no use: lite's weights are in installed packages; leave the key out")
            with naming("clip_model"):
                return load_model(_LITE)
        with naming("clip_model"):
            name = canonical_name(self.clip_model)
        weights = self.clip_path or local_weights(name)
        if weights is None:
            raise KaggleError(
                f"clip_path is missing: the weights of {self.clip_model!r} are neither in the local cache nor in a "
                'bundle; name their file or folder, or take "clip_model": "lite"'
            )
        with naming("clip_path"):
            return load_model(name, weights=weights)

    def captioner(self, device: torch.device, *, num_beams: int, batch_size: int) -> Captioner | None:
        """Load the captioner; None where captions are composed from label tables."""
        if self.blip_path is None:
            if self.blip_model:
                raise KaggleError(
                    f"blip_path is missing: name the folder of {self.blip_model!r}, as transformers saves models; "
                    "or leave out blip_model, then captions are composed from label tables"
                )
            return None
        folder = _model_folder("blip_path", self.blip_path, self.blip_model or "")
        with naming("blip_path"):
            return load_captioner(str(folder), device, num_beams=num_beams, batch_size=batch_size)

    def labels(self) -> dict[str, tuple[str, ...]] | None:
        """Read the label files; None for the built-in lists."""
        with naming("dicts"):
            return None if self.dicts is None else load_labels(self.dicts)

    def settings(self) -> Settings:
        """Return the interrogator's settings that the configuration has."""
        names = ("chunk_size", "collection", "collection_column", "without", "avoid", "max_words")
        # A guess scores more than silence.
        return Settings(least_certainty=0, **{name: getattr(self, name) for name in names})

    def sentence_encoder(self) -> SentenceEncoder:
        key = "embedding_path" if self.embedding_path else "embedding_dir"
        place = self.embedding_path or self.embedding_dir
        if place is None and self.embedding_model != MINILM:
            raise KaggleError(f"embedding_path is missing: name the folder of {self.embedding_model!r}")
        folder = _model_folder(key, place, self.embedding_model) if place else None
        with naming(key if folder else "embedding_path"):
            return load_sentence_encoder(folder)


def read_config(source: str | Path | Mapping[str, Any] | None) -> KaggleConfig:
    """Load and check a configuration.

    Args:
        source: a JSON file, or its content. Relative paths in it are looked for from the working folder, then
            from the file's folder.

    Raises:
        KaggleError: keys are missing, unknown (with the nearest), or name paths that do not exist; all are named.
    """
    if source is None:
        raise KaggleError("extend_path is missing: name the JSON file of the configuration")
    if not isinstance(source, (str, Path, Mapping)):
        raise KaggleError(f"extend_path is {type(source).__name__}; name the JSON file of the configuration")
    file = None if isinstance(source, Mapping) else expanded(source)
    try:
        return KaggleConfig.model_validate(_read_json(file) if file else source, context=file.parent if file else None)
    except ValidationError as error:
        wrong = error.errors(include_url=False)
        mistakes = "; ".join(_in_words(dict(mistake)) for mistake in wrong[:_MOST])
        more = f"; and {len(wrong) - _MOST} more" if len(wrong) > _MOST else ""
        raise KaggleError(f"{source if file else 'the configuration'}: {mistakes}{more}") from None


def _read_json(path: Path) -> dict[str, Any]:
    try:
        content = json.loads(read_text(path, _LARGEST))
    except FileNotFoundError:
        raise KaggleError(f"extend_path: there is no file {path}") from None
    except (OSError, ValueError, RecursionError) as error:
        raise KaggleError(f"extend_path: {path} is no JSON that can be read: {reason(error)}") from error
    if not isinstance(content, dict):
        raise KaggleError(f"extend_path: {path} holds {type(content).__name__}, not the keys of a configuration")
    return content


def _in_words(mistake: Mapping[str, Any]) -> str:
    key = shortened(".".join(map(str, mistake["loc"])))
    if mistake["type"] == "extra_forbidden":
        return f"there is no key {key!r}; near it: {nearest(key, KaggleConfig.model_fields)}"
    if mistake["type"] == "missing":
        return f'{key} is missing; give a name of open_clip such as "ViT-L-14/openai", or "lite"'
    if mistake["type"] == "value_error":
        return f"{key} {mistake['ctx']['error']}"
    return f"{key}: {mistake['msg']}, not {quoted(mistake['input'])}"


def _model_folder(key: str, place: Path, name: str) -> Path:
    """Find a model's folder: the place itself, or the one of the model's name in it."""
    inner = [place / part for part in (name, name.rpartition("/")[2]) if part]
    holds = [folder for folder in (place, *inner) if any(os.path.isfile(folder / f) for f in _MARKS)]  # noqa: PTH113
    if not holds:
        raise KaggleError(f"{key}: {place} holds no model as transformers saves it (config.json is missing)")
    return holds[0]


@contextmanager
def naming(key: str) -> Iterator[None]:
    """Name the key that a failure comes from."""
    try:
        yield
    except KaggleError:
        raise
    except ClipnbError as error:
        raise KaggleError(f"{key}: {error}") from error
