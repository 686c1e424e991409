"""Silence of the libraries that load and run captioners."""

from __future__ import annotations

import logging
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any


@contextmanager
def silence(*, quiet: bool) -> Iterator[None]:
    """Keep transformers' and the hub's bars, logs and warnings off the screen in this block; nothing unless `quiet`."""
    if not quiet:
        yield
        return
    from huggingface_hub import utils
    from huggingface_hub.utils import logging as hub_log
    from transformers.utils import logging as log

    hub: Any = utils  # it has them, but does not list them
    levels = [(one, one.get_verbosity()) for one in (log, hub_log)]
    quantiser = logging.getLogger("bitsandbytes")
    quantiser_level = quantiser.level
    bars, hub_bars = log.is_progress_bar_enabled(), not hub.are_progress_bars_disabled()
    for one, _ in levels:
        one.set_verbosity(logging.CRITICAL)
    quantiser.setLevel(logging.CRITICAL)
    log.disable_progress_bar()
    hub.disable_progress_bars()
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        for one, level in levels:
            one.set_verbosity(level)
        quantiser.setLevel(quantiser_level)
        if bars:
            log.enable_progress_bar()
        if hub_bars:
            hub.enable_progress_bars()
