"""What some modes need beyond an encoder and label tables: opened when the first image needs it, and kept."""

from __future__ import annotations

from functools import cached_property
from pathlib import Path

from clipnb.interrogate.labels.collection import Collection
from clipnb.interrogate.settings import Settings, SettingsError
from clipnb.models.encoder import DualEncoder
from clipnb.models.load import load_model


class Resources:
    """A collection of prompts and a second encoder, as the settings say."""

    def __init__(self, encoder: DualEncoder, settings: Settings) -> None:
        self._encoder, self._settings = encoder, settings

    @cached_property
    def collection(self) -> Collection:
        """The prompts to choose from; raises `PromptsError` where they cannot be read."""
        settings = self._settings
        return Collection.open(
            settings.collection,
            self._encoder,
            column=settings.collection_column,
            folder=Path(settings.cache_path) if settings.cache_path else None,
            quiet=settings.quiet,
        )

    @cached_property
    def second(self) -> DualEncoder | None:
        """The second encoder; None where none is named."""
        name = self._settings.second_model_name
        if name is None:
            return None
        second = load_model(name, self._settings.device, self._settings.precision)
        if second.digest == self._encoder.digest:
            raise SettingsError(f"second_model_name is {name}, the encoder itself, which can only agree; name another")
        return second
