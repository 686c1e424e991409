"""Wishes that contradict each other, or that nothing would come of: refused in words, before the long work."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from clipnb.errors import quoted
from clipnb.interrogate.prompt import opening
from clipnb.interrogate.settings import CAPTIONER_WISHES, Settings, SettingsError

if TYPE_CHECKING:
    from clipnb.interrogate.image_query import ImageQuery
    from clipnb.interrogate.labels.avoided import Avoided
    from clipnb.models.captioner import Captioner
    from clipnb.models.encoder import DualEncoder

_PRECISIONS = {"fp32": "float32", "bf16": "bfloat16", "fp16": "float16"}
_OF_CAPTIONER = ("caption_max_length", "caption_num_beams", *(f"caption_{wish}" for wish in CAPTIONER_WISHES))


def refuse_other_models(settings: Settings, encoder: DualEncoder | None, captioner: Captioner | None) -> None:
    """Raise `SettingsError` for settings that speak of other models than the loaded ones that are handed in."""
    wished = {name: value for name, value in settings if value != Settings.model_fields[name].default}
    if encoder is not None:
        dtype = str(encoder.dtype).removeprefix("torch.")
        same: dict[str, tuple[str, ...]] = {
            "clip_model_name": (encoder.name,),
            "device": (str(encoder.device), encoder.device.type),
            "precision": tuple(short for short, name in _PRECISIONS.items() if name == dtype),
        }
        _refuse(wished, same, f"the encoder that is given is {encoder.name} on {encoder.device} in {dtype}")
    if captioner is not None:
        same = {"caption_model_name": (captioner.name,), **dict.fromkeys(_OF_CAPTIONER, ())}
        _refuse(wished, same, f"the captioner that is given, {captioner.name}, is loaded already")
    elif settings.captioner_wishes and not settings.caption_model_name:
        idle = next(iter(settings.captioner_wishes))
        raise SettingsError(f"caption_{idle} belongs to a captioner; name one by caption_model_name, or leave it out")
    if settings.caption_bits and settings.caption_offload:
        raise SettingsError(
            f"weights in {settings.caption_bits} bits stay where they are loaded, so that caption_offload does "
            "nothing; leave caption_bits or caption_offload out"
        )


def refuse_certainty(settings: Settings, encoder: DualEncoder) -> None:
    """Raise `SettingsError` for a least certainty that an encoder knows nothing of; 0, which all can do, passes."""
    least = settings.least_certainty
    if least not in (0, Settings.model_fields["least_certainty"].default) and not encoder.is_calibrated:
        raise SettingsError(
            f"least_certainty is {least:g}, but {encoder.name} does not know how certain it is; leave it out, "
            "or use lite"
        )


def _refuse(wished: dict[str, object], same: dict[str, tuple[str, ...]], given: str) -> None:
    for name, allowed in same.items():
        if name in wished and wished[name] not in allowed:
            raise SettingsError(f"{name} is {quoted(wished[name])}, but {given}; leave one of them out")


def refuse_contradictions(query: ImageQuery) -> None:
    """Raise `SettingsError` for a trigger and required words that are avoided or too long, and for idle limits."""
    settings, encoder = query.settings, query.encoder
    refuse_avoided(
        query.rankings.tables.avoided, [("trigger", settings.trigger), *(("require", one) for one in settings.require)]
    )
    most = settings.max_tokens
    if most is not None and most > encoder.context_length:
        raise SettingsError(f"max_tokens is {most}, but {encoder.name} takes {encoder.context_length}; give fewer")
    start = opening("", settings.trigger, settings.require, lambda _: True)
    text = ", ".join(phrase.text for phrase in start)
    if start and not query.fits(text):
        raise SettingsError(
            f"trigger and required words, {quoted(text)}, are longer than {query.room}; shorten them, or allow more"
        )


def refuse_avoided(avoided: Avoided, texts: Iterable[tuple[str, str | None]]) -> None:
    """Raise `SettingsError` for a named text that holds what is avoided."""
    for name, text in texts:
        entry = avoided.find(text or "")
        if entry is not None:
            raise SettingsError(f"{name} holds {quoted(entry)}, which is avoided; change it, or avoid less")


def refuse_nothing_left(query: ImageQuery) -> None:
    """Raise `SettingsError` where what is switched off and avoided has left no prompt at all."""
    tables = query.rankings.tables
    gone, left_out = sorted(tables.off), tables.left_out(query.ranked)
    if gone or tables.avoided:
        told = [
            *([f"switched off: {', '.join(gone)}"] if gone else []),
            *([f"avoided: {left_out}"] if left_out else []),
        ]
        why = "; ".join(told or ["all that was found is avoided"])
        raise SettingsError(f"nothing is left to make a prompt of ({why}); avoid less, or give a caption")
