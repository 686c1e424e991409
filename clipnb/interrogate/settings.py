"""How interrogation is done: the peer's settings under the names that people know, and a few of our own."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any, Literal, get_args

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, ValidationError

from clipnb.errors import ClipnbError, nearest, quoted
from clipnb.models.captioners.prompts import LONGEST_INSTRUCTION

CAPTIONER_WISHES = (
    "instruction",
    "no_repeat_ngram_size",
    "repetition_penalty",
    "bits",
    "tag_threshold",
    "character_threshold",
)
"""What not every captioner can fulfil; the settings are called `caption_` and these."""
LONGEST_CAPTION = 100_000
"""Longest caption in characters: readers of comma-separated values take little more in one value."""
MOST_CAPTIONS = 256
"""Most captions of one image that are chosen from."""
_MOST = 10**9  # of anything that is counted

_Count = Annotated[int, Field(ge=1, le=_MOST, description="a whole number of at least 1")]


def _colour(backdrop: str) -> str:
    from clipnb.images import require_backdrop

    require_backdrop(backdrop)
    return backdrop


_Backdrop = Annotated[
    str, AfterValidator(_colour), Field(description="'auto' or a colour such as 'white' or '#336699'")
]
_Flag = Annotated[bool, Field(description="True or False")]
_Text = Annotated[str, Field(description="a text")]
_Scoring = Annotated[Literal["auto", "full", "draft"], Field(description="one of 'auto', 'full', 'draft'")]
_Pooled = Literal["objects", "templates", "flavors", "collection", "classic", "fast", "caption"]
_Table = Literal["mediums", "movements", "artists", "trendings", "flavors", "negative", "objects"]
_Styles = Annotated[Literal["auto"] | bool, Field(description="one of 'auto', True, False")]

Wish = str | Path
"""A word, a file of words, or the name of a label table."""


def _wishes(value: object) -> object:
    """Take texts apart at commas and lines; what is no text stays, to be refused."""
    if isinstance(value, (str, Path)):
        value = (value,)
    if not isinstance(value, (list, tuple, set, frozenset)):
        return value
    values = sorted(value, key=str) if isinstance(value, (set, frozenset)) else value
    parts = (part for one in values for part in (re.split(r"[,\n]", one) if isinstance(one, str) else (one,)))
    stripped = (" ".join(part.split()) if isinstance(part, str) else part for part in parts)
    return tuple(dict.fromkeys(part for part in stripped if part != ""))


_Words = Annotated[tuple[str, ...], BeforeValidator(_wishes)]
_Probability = Annotated[float, Field(ge=0, le=1)]
_Most = Annotated[int, Field(ge=1, le=_MOST)]


class SettingsError(ClipnbError, ValueError):
    """A setting or a mode of interrogation that is not known, or a value out of range."""


class Settings(BaseModel):
    """Settings of an interrogator; most have the names that clip-interrogator gives them.

    Attributes:
        clip_model_name: encoder as `load_model` takes it, such as "ViT-L-14/openai".
        caption_model_name: captioner such as "blip-large"; None composes captions from label tables.
        caption_max_length: longest caption, in tokens of the captioner.
        caption_num_beams: beams that the captioner searches with.
        caption_instruction: what the captioner is to write, for one that takes an instruction; Florence-2's task.
        caption_no_repeat_ngram_size: tokens in a row that a caption has once; 0 allows all; what suits the captioner
            unless given.
        caption_repetition_penalty: from 1 (none) to 10, on tokens that a caption has already.
        caption_bits: 8 or 4 for a captioner's weights of so many bits, where a library for that is installed.
        caption_tag_threshold: probability in [0, 1] from which a tagger's tags count; 0.35 unless given.
        caption_character_threshold: likewise for names of characters; 0.85 unless given.
        caption_offload: move the captioner to the CPU while it is not in use.
        clip_offload: move the encoder to the CPU while the captioner is in use.
        cache_path: folder for embeddings of label tables; clipnb's own cache unless given.
        chunk_size: labels embedded at a time.
        device: "auto", "cuda", "mps" or "cpu".
        precision: of the encoder: "auto", "fp32", "bf16" or "fp16".
        flavor_intermediate_count: phrases that a chain chooses from.
        min_flavors: phrases that a chain adds even if the similarity falls.
        beam_width: prompts that mode `beam` follows at once.
        lazy: score only the phrases of a chain that may be the best: less work, may end a little lower.
        scoring: "full" scores a chain's phrases in the encoder's precision; "draft" does it in bf16 and the
            best few again in the encoder's precision; "auto" drafts where this machine is faster at it.
            In the latter two, encoders that compute each text anew (lite, SigLIP) score only what an estimate ranks
            first.
        styles: whether mediums, artists, sites and movements take part; "auto" asks the encoder whether it
            can tell them apart.
        top_labels: labels a table that a result lists.
        collection: whole prompts that `retrieve` and `pooled` choose from: a file or folder as `load_prompts`
            takes it, or a tuple of texts; the shipped prompts unless given.
        collection_column: where prompts stand in a collection that is a table.
        second_model_name: encoder that has a say in what `retrieve` finds; None for no second one.
        second_threshold: least cosine under it, in [-1, 1]; prompts below are dropped.
        caption_count: captions that `rerank` chooses from.
        caption_sampling: draw them by chance (with a fixed seed) instead of searching with beams.
        pooled_weights: weights, at least 0, of what `pooled` takes the mean of; kinds that are not named take no part:
            "objects" and "flavors" (the best labels), "templates" ("a photo of" each of the best objects),
            "collection", "classic", "fast", and "caption", which counts where it is not composed of labels.
        pooled_power: power of the similarity that candidates of a kind are weighted by; higher trusts the best more.
        without: tables that take no part, such as "artists" or ("artists", "trendings").
        avoid: what nothing that is chosen may contain, as whole words, inside labels, captions and collected prompts
            too: words and phrases, a file of them, or a table's name for all its entries ("artists": no name of one,
            and nothing that begins with "by"). Texts are taken apart at commas. A word, of a phrase its last one, is
            avoided in its usual English forms too: "cat" as "cats", "blur" as "blurred"; entries of tables are not.
        require: words or phrases that stand behind the caption unless it has them.
        trigger: what every prompt begins with, such as the word of a trained style.
        max_tokens: longest prompt in tokens of the encoder, begin and end included; the encoder's context unless given.
        max_words: longest prompt in words.
        max_characters: longest prompt in characters.
        tag_thresholds: least score of a tag of mode `tags` for each table that it takes tags from, in standard
            deviations above the mean of the image's cosines with the table.
        tag_form: "plain" (`cup of coffee`) or "danbooru" (`cup_of_coffee`, brackets escaped).
        set_by: what the prompt of mode `set` is best at: "mean", all images on average, or "worst", the one of them
            that it suits least.
        backdrop: colour that shows through transparent pictures, such as "white" or "#336699"; "auto" is white, and
            black under what would vanish on white.
        quiet: show no progress bars.
        tolerance: by how much a phrase may lower the similarity of the whole prompt; it is left out where it
            lowers it by more. None measures nothing: whatever ranks first is taken, as clip-interrogator does it.
        least_certainty: what the encoder is less certain of is not said: captions name nothing, and prompts add
            nothing, where nothing that it knows fits; 0 says all. Encoders without a calibration (all but lite) know no
            certainty.
        diverse: leave out near-duplicates (by embedding and by words), puns, and a second medium.

    Raises:
        SettingsError: a name that is no setting, or a value of the wrong kind or out of range.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    clip_model_name: _Text = "auto"
    caption_model_name: str | None = Field(None, description="a text or None")
    caption_max_length: _Count = 32
    caption_num_beams: _Count = 1
    caption_instruction: Annotated[str, Field(max_length=LONGEST_INSTRUCTION, pattern=r"\S")] | None = Field(
        None, description=f"a text of at most {LONGEST_INSTRUCTION:,} characters, or None"
    )
    caption_no_repeat_ngram_size: Annotated[int, Field(ge=0, le=100)] | None = Field(
        None, description="a whole number from 0 to 100, or None"
    )
    caption_repetition_penalty: Annotated[float, Field(ge=1, le=10)] | None = Field(
        None, description="a number from 1 to 10, or None"
    )
    caption_bits: Literal[8, 4] | None = Field(None, description="8, 4 or None")
    caption_tag_threshold: _Probability | None = Field(None, description="a number in [0, 1], or None")
    caption_character_threshold: _Probability | None = Field(None, description="a number in [0, 1], or None")
    caption_offload: _Flag = False
    clip_offload: _Flag = False
    cache_path: str | Path | None = Field(None, description="a path or None")
    chunk_size: _Count = 2048
    device: _Text = "auto"
    precision: _Text = "auto"
    flavor_intermediate_count: _Count = 2048
    min_flavors: int = Field(8, ge=0, le=_MOST, description="a whole number of at least 0")
    beam_width: _Count = 4
    lazy: _Flag = False
    scoring: _Scoring = "auto"
    styles: _Styles = "auto"
    top_labels: _Count = 8
    backdrop: _Backdrop = "auto"
    quiet: _Flag = False
    collection: str | Path | tuple[str, ...] | None = Field(None, description="a path, a tuple of texts or None")
    collection_column: _Text = "prompt"
    second_model_name: str | None = Field(None, description="a text or None")
    second_threshold: float = Field(0.2, ge=-1, le=1, description="a number in [-1, 1]")
    caption_count: int = Field(8, ge=1, le=MOST_CAPTIONS, description=f"a whole number from 1 to {MOST_CAPTIONS}")
    caption_sampling: _Flag = False
    tolerance: float | None = Field(0.0, ge=0, le=2, description="a number in [0, 2] or None")
    diverse: _Flag = True
    least_certainty: float = Field(0.25, ge=0, le=1, description="a number in [0, 1]")
    pooled_weights: dict[_Pooled, Annotated[float, Field(ge=0, le=_MOST)]] = Field(
        {"objects": 1.5, "templates": 1.0, "collection": 0.2, "caption": 2.0},
        min_length=1,
        description=f"a dict of numbers of at least 0 for some of {', '.join(get_args(_Pooled))}",
    )
    pooled_power: float = Field(4.0, ge=0, le=1000, description="a number from 0 to 1000")
    without: _Words = Field((), description="a table's name or several")
    avoid: Annotated[tuple[Wish, ...], BeforeValidator(_wishes)] = Field((), description="texts, or paths of files")
    require: _Words = Field((), description="a text or several")
    trigger: _Text = ""
    max_tokens: _Most | None = Field(None, description="a whole number of at least 1, or None")
    max_words: _Most | None = Field(None, description="a whole number of at least 1, or None")
    max_characters: _Most | None = Field(None, description="a whole number of at least 1, or None")
    tag_thresholds: dict[_Table, Annotated[float, Field(allow_inf_nan=False)]] = Field(
        {"objects": 4.0, "flavors": 5.0, "mediums": 3.0, "movements": 3.0},
        min_length=1,
        description=f"a dict of numbers for some of {', '.join(get_args(_Table))}",
    )
    tag_form: Literal["plain", "danbooru"] = Field("plain", description="one of 'plain', 'danbooru'")
    set_by: Literal["mean", "worst"] = Field("mean", description="one of 'mean', 'worst'")

    def __init__(self, *args: Any, **values: Any) -> None:
        fields = type(self).model_fields
        try:
            super().__init__(**dict(zip(fields, args, strict=False)), **values)
        except ValidationError as error:
            unknown = next((name for name in values if name not in fields), None)
            if unknown is not None:
                near = nearest(unknown, fields)
                raise SettingsError(f"there is no setting {quoted(unknown)}; near it: {near}") from None
            mistake = error.errors(include_url=False)[0]
            name = str(mistake["loc"][0])
            raise SettingsError(f"{name} is {fields[name].description}, not {quoted(mistake['input'])}") from None

    def __hash__(self) -> int:  # of their text, since some hold dictionaries
        return hash(self.model_dump_json())

    @property
    def captioner_wishes(self) -> dict[str, Any]:
        """The wishes of `load_captioner` that are given."""
        wishes = {wish: getattr(self, f"caption_{wish}") for wish in CAPTIONER_WISHES}
        return {wish: value for wish, value in wishes.items() if value is not None}

    @classmethod
    def low_memory(cls, **changes: Any) -> Settings:
        """Return the preset for little memory: a smaller captioner, both offloads, smaller chunks and choices.

        Args:
            changes: settings that differ from the preset.
        """
        preset = {"caption_model_name": "blip-base", "caption_offload": True, "clip_offload": True}
        return cls(**{**preset, "chunk_size": 1024, "flavor_intermediate_count": 1024, **changes})

    def changed(self, **changes: Any) -> Settings:
        """Return a copy with some settings changed.

        Raises:
            SettingsError: a name that is no setting, or a value of the wrong kind or out of range.
        """
        return Settings(**{**dict(self), **changes})


def require_count(name: str, value: object, *, least: int) -> None:
    """Raise `SettingsError` for what is no whole number of at least `least`."""
    if isinstance(value, bool) or not isinstance(value, int) or not least <= value <= _MOST:
        raise SettingsError(f"{name} is a whole number of at least {least}, not {quoted(value)}")


def require_captions(captions: Sequence[object], pictures: int) -> None:
    """Raise `SettingsError` for captions that are not one text, of bounded length, or None for each image."""
    if isinstance(captions, str) or len(captions) != pictures:
        given = "one text" if isinstance(captions, str) else f"{len(captions)} captions"
        raise SettingsError(f"{given} for {pictures} pictures; give a list with one for each, or None")
    for caption in captions:
        if not isinstance(caption, str | None):
            raise SettingsError(f"a caption is a text or None, not {quoted(caption)}")
        if len(caption or "") > LONGEST_CAPTION:
            raise SettingsError(f"the caption has {len(caption or '')} characters; at most {LONGEST_CAPTION} are taken")
