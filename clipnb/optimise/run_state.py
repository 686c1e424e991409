"""All that decides how a run goes on, in one file: the run that goes on makes the pixels of one never interrupted."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any

import torch
from pydantic import BaseModel, ConfigDict, Field, ValidationError
from torch import Tensor

import clipnb
from clipnb.errors import ConfigError, first_line, reason
from clipnb.files import open_file, size_in_words, write_atomically
from clipnb.images import MAX_PIXELS
from clipnb.optimise.language.config import ExperimentConfig
from clipnb.optimise.language.image_paths import with_absolute_images
from clipnb.optimise.statistics import SavedRecord
from clipnb.optimise.verdict import Look, Verdict

VERSION = 1
"""Of the layout of the file."""
MAX_BYTES = 4 * 2**30
"""Of a file: the largest picture in float32, with two memories of its optimiser, takes 3 GB."""
_KEY = "clipnb"  # in the file's metadata

_Side = Annotated[int, Field(ge=1, le=MAX_PIXELS)]
_Whole = Annotated[int, Field(ge=0, le=2**53)]


class Facts(BaseModel):
    """The part of a state that is no tensor.

    Attributes:
        index: number of the next step.
        seed: of the run.
        size: height and width of the picture in pixels.
        parts: into how many the views of a step are split to save memory.
        device: where the run was.
        models: digests of the encoders' weights by their names.
        torch: its version.
        record: the statistics so far.
        verdict: what judges saw at their newest look.
        looks: the last of each judge at each text, also of those that do not count now.
        seconds: that the run has taken.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    index: _Whole
    seed: _Whole
    size: tuple[_Side, _Side]
    parts: Annotated[int, Field(ge=1, le=64)]
    device: str
    models: dict[str, str]
    torch: str
    record: SavedRecord
    verdict: Verdict | None = None
    looks: tuple[Look, ...] = ()
    seconds: Annotated[float, Field(ge=0)] = 0.0


@dataclass(frozen=True)
class RunState:
    """The state of a run between two steps: `Optimisation.state` returns it, `Optimisation.from_state` goes on.

    Attributes:
        config: the experiment.
        facts: what else is no tensor.
        tensors: by name, on the CPU: the picture's parameters, the memory of its optimiser, and random generators.
    """

    config: ExperimentConfig
    facts: Facts
    tensors: Mapping[str, Tensor] = field(repr=False)

    def save(self, path: Path) -> None:
        """Write the state to a file of ours (safetensors), whole or not at all.

        Raises:
            OutputError: the place cannot be written to.
        """
        from safetensors.torch import save

        about = {
            "version": VERSION,
            "clipnb": clipnb.__version__,
            "experiment": with_absolute_images(self.config.as_dict()),
            "facts": self.facts.model_dump(mode="json"),
        }
        content = save(dict(self.tensors), {_KEY: json.dumps(about)})
        with write_atomically(path) as temporary:
            temporary.write_bytes(content)

    @classmethod
    def load(cls, path: Path) -> RunState:
        """Load a state.

        Raises:
            ConfigError: there is none, or it is damaged, too large, or of another version.
        """
        from safetensors import SafetensorError, safe_open

        try:
            with open_file(path) as file:  # no pipe, which would be waited for
                if os.fstat(file.fileno()).st_size > MAX_BYTES:
                    raise ValueError(f"it is larger than {size_in_words(MAX_BYTES)}")  # noqa: TRY301
            with safe_open(path, framework="pt") as stored:
                about = _about(stored.metadata())
                tensors = {name: stored.get_tensor(name) for name in stored.keys()}  # noqa: SIM118 - no dict
            facts = Facts.model_validate_json(json.dumps(about["facts"]))
            config = ExperimentConfig.from_dict(about["experiment"])
        except ConfigError:
            raise
        except OSError as error:
            raise ConfigError(f"cannot read the state {path}: {reason(error)}") from None
        except (SafetensorError, ValidationError, ValueError, KeyError, TypeError, RecursionError) as error:
            problem = "its facts are not those of a run" if isinstance(error, ValidationError) else first_line(error)
            raise ConfigError(f"{path} is no state of a run, or damaged ({problem})") from None
        return cls(config, facts, tensors)

    def of(self, part: str) -> dict[str, Tensor]:
        """Return the tensors of one part: "picture", "optimiser", "random", "fair" or "given"."""
        return below(part, self.tensors)

    def differences(self, device: torch.device, models: Mapping[str, str]) -> list[str]:
        """Return in words why pixels may differ from those of a run that was not interrupted."""
        now = {"torch": torch.__version__, "device": str(device), **{f"model {name}": d for name, d in models.items()}}
        before = {
            "torch": self.facts.torch,
            "device": self.facts.device,
            **{f"model {name}": digest for name, digest in self.facts.models.items()},
        }
        return [
            f"{name} was {before.get(name, 'none')}, is {value}"
            for name, value in now.items()
            if before.get(name) != value
        ]


def below(part: str, tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Return the tensors whose names begin with `part` and a point, without that."""
    return {name.removeprefix(f"{part}."): value for name, value in tensors.items() if name.startswith(f"{part}.")}


def _about(metadata: Mapping[str, str] | None) -> dict[str, Any]:
    about = json.loads((metadata or {}).get(_KEY, "null"))
    if not isinstance(about, dict) or not isinstance(about.get("experiment", {}), dict):
        raise ValueError("it holds something else")  # noqa: TRY004 - as the rest of what is wrong
    if about.get("version") != VERSION:
        raise ValueError(
            f"it was saved by clipnb {about.get('clipnb')} in layout {about.get('version')}, this one reads layout "
            f"{VERSION}; go on with that clipnb, or begin a new run from its picture by init.image"
        )
    return about
