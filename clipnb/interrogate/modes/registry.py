"""All modes by their names."""

from __future__ import annotations

from clipnb.errors import nearest, quoted
from clipnb.interrogate.modes.base import CaptionMode, ClassicMode, FastMode, Mode
from clipnb.interrogate.modes.chained import BeamMode, BestMode, NegativeMode
from clipnb.interrogate.modes.kaggle import KaggleMode
from clipnb.interrogate.settings import SettingsError

MODES: dict[str, Mode] = {
    mode.name: mode
    for mode in (ClassicMode(), FastMode(), BestMode(), BeamMode(), NegativeMode(), CaptionMode(), KaggleMode())
}
"""Every mode by its name."""


def find_mode(name: str) -> Mode:
    """Find a mode by its name.

    Raises:
        SettingsError: there is none of that name; the message has the nearest.
    """
    if not isinstance(name, str) or name not in MODES:
        raise SettingsError(f"there is no mode {quoted(name)}; use {nearest(quoted(name), MODES)}")
    return MODES[name]
