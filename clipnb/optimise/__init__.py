"""Live image optimisation: an experiment is described in YAML and run as a stream of frozen steps.

Public names are imported on first use, so that the command line can describe itself without torch.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from clipnb.optimise.config import ExperimentConfig
    from clipnb.optimise.engine import Optimisation, optimise
    from clipnb.optimise.results import save_result
    from clipnb.optimise.step import Step

_HOMES = {
    "ExperimentConfig": "config",
    "Optimisation": "engine",
    "Step": "step",
    "optimise": "engine",
    "save_result": "results",
}

__all__ = ["ExperimentConfig", "Optimisation", "Step", "optimise", "save_result"]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)


def __dir__() -> list[str]:
    return sorted(__all__)
