"""How interrogation is done: the peer's settings under the names that people know, and a few of our own."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any, Literal

from clipnb.errors import ClipnbError, nearest


class SettingsError(ClipnbError, ValueError):
    """A setting or a mode of interrogation that is not known, or a value out of range."""


@dataclass(frozen=True)
class Settings:
    """Settings of an interrogator; the names without a comment of ours are clip-interrogator's.

    Attributes:
        clip_model_name: encoder as `load_model` takes it, such as "ViT-L-14/openai".
        caption_model_name: captioner such as "blip-large"; None composes captions from label tables.
        caption_max_length: longest caption, in tokens of the captioner.
        caption_num_beams: beams that the captioner searches with.
        caption_offload: move the captioner to the CPU while it is not in use.
        clip_offload: move the encoder to the CPU while the captioner is in use.
        cache_path: folder for embeddings of label tables; clipnb's own cache unless given.
        chunk_size: labels embedded at a time.
        device: "auto", "cuda", "mps" or "cpu".
        precision: of the encoder: "auto", "fp32", "bf16" or "fp16".
        flavor_intermediate_count: phrases that a chain chooses from.
        min_flavors: phrases that a chain adds even if the similarity falls.
        beam_width: prompts that mode `beam` follows at once.
        lazy: score only the phrases of a chain that may be the best: less work, may end a little lower (`choices`).
        scoring: "full" scores a chain's phrases in the encoder's precision; "draft" does it in bf16 and the
            best few again in the encoder's precision; "auto" drafts where this machine is faster at it.
        styles: whether mediums, artists, sites and movements take part; "auto" asks the encoder whether it
            can tell them apart.
        top_labels: labels a table that a result lists.
        quiet: show no progress bars.
    """

    clip_model_name: str = "auto"
    caption_model_name: str | None = None
    caption_max_length: int = 32
    caption_num_beams: int = 1
    caption_offload: bool = False
    clip_offload: bool = False
    cache_path: str | Path | None = None
    chunk_size: int = 2048
    device: str = "auto"
    precision: str = "auto"
    flavor_intermediate_count: int = 2048
    min_flavors: int = 8
    beam_width: int = 4
    lazy: bool = False
    scoring: Literal["auto", "full", "draft"] = "auto"
    styles: Literal["auto"] | bool = "auto"
    top_labels: int = 8
    quiet: bool = False

    def __post_init__(self) -> None:
        """Refuse values that mean nothing."""
        for name in (
            "caption_max_length",
            "caption_num_beams",
            "chunk_size",
            "flavor_intermediate_count",
            "beam_width",
            "top_labels",
        ):
            require_count(name, getattr(self, name), least=1)
        require_count("min_flavors", self.min_flavors, least=0)
        for name in ("caption_offload", "clip_offload", "lazy", "quiet"):
            _require_kind(name, getattr(self, name), "True or False", bool)
        for name in ("clip_model_name", "precision"):
            _require_kind(name, getattr(self, name), "a text", str)
        _require_kind("caption_model_name", self.caption_model_name, "a text or None", str, type(None))
        _require_kind("cache_path", self.cache_path, "a path or None", str, Path, type(None))
        _require_choice("scoring", self.scoring, ("auto", "full", "draft"))
        _require_choice("styles", self.styles, ("auto", True, False))

    @classmethod
    def low_memory(cls, **changes: Any) -> Settings:
        """The preset for little memory: a smaller captioner, both offloads, smaller chunks and choices.

        Args:
            changes: settings that differ from the preset.
        """
        preset = cls(
            caption_model_name="blip-base",
            caption_offload=True,
            clip_offload=True,
            chunk_size=1024,
            flavor_intermediate_count=1024,
        )
        return preset.changed(**changes)

    def changed(self, **changes: Any) -> Settings:
        """Give a copy with some settings changed.

        Raises:
            SettingsError: a name that is no setting, or a value out of range.
        """
        known = [field.name for field in fields(self)]
        for name in changes:
            if name not in known:
                raise SettingsError(f"there is no setting {name!r}; near it: {nearest(name, known)}")
        return replace(self, **changes)


def require_count(name: str, value: object, *, least: int) -> None:
    """Refuse what is no whole number of at least `least`.

    Raises:
        SettingsError: with the name and what was given.
    """
    if isinstance(value, bool) or not isinstance(value, int) or value < least:
        raise SettingsError(f"{name} is a whole number of at least {least}, not {value!r}")


def require_captions(captions: Sequence[object], pictures: int) -> None:
    """Refuse captions that are not one text or None for each picture.

    Raises:
        SettingsError: with what was given.
    """
    if isinstance(captions, str) or len(captions) != pictures:
        given = "one text" if isinstance(captions, str) else f"{len(captions)} captions"
        raise SettingsError(f"{given} for {pictures} pictures; give a list with one for each, or None")
    for caption in captions:
        _require_kind("a caption", caption, "a text or None", str, type(None))


def _require_kind(name: str, value: object, what: str, *kinds: type) -> None:
    if not isinstance(value, kinds):
        raise SettingsError(f"{name} is {what}, not {value!r}")


def _require_choice(name: str, value: object, allowed: tuple[object, ...]) -> None:
    if value not in allowed:
        raise SettingsError(f"{name} is one of {', '.join(map(repr, allowed))}, not {value!r}")
