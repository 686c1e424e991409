"""The ways to make a prompt. A `Mode` with a name is in `MODES`, and so in the panel and the command's help."""

from clipnb.interrogate.modes import chained, contrast, pooled, rerank, retrieve, sets, simple, tags  # noqa: F401 - their classes register themselves
from clipnb.interrogate.modes.base import MODES as MODES
from clipnb.interrogate.modes.base import Mode as Mode
from clipnb.interrogate.modes.base import PromptCandidate as PromptCandidate
from clipnb.interrogate.modes.base import find_mode as find_mode
from clipnb.interrogate.modes.base import refuse_captions as refuse_captions
from clipnb.interrogate.modes.base import refuse_flavors as refuse_flavors
from clipnb.interrogate.modes.base import refuse_sets as refuse_sets
