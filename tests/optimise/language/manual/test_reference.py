"""The reference, and the notebook that shows it."""

from __future__ import annotations

import json
from pathlib import Path

from clipnb.optimise.constraints import CONSTRAINTS
from clipnb.optimise.language.config import ExperimentConfig
from clipnb.optimise.language.init import InitConfig
from clipnb.optimise.language.manual.reference import markdown
from clipnb.optimise.language.target import FeatureConfig, TargetConfig
from clipnb.optimise.language.variables import VARIABLES
from clipnb.optimise.parameterisations import PARAMETERISATIONS
from clipnb.optimise.transforms import TRANSFORMS

NOTEBOOK = Path(__file__).parents[4] / "notebooks" / "06-reference.ipynb"


def missing_in(text: str) -> list[str]:
    """List what the language knows and a text does not describe."""
    parts = [name for registry in (TRANSFORMS, CONSTRAINTS, PARAMETERISATIONS) for name in registry]
    keys = [key for model in (ExperimentConfig, InitConfig, TargetConfig, FeatureConfig) for key in model.model_fields]
    keys += [variable.name for variable in VARIABLES]
    return [name for name in parts if f"### `{name}`" not in text] + [key for key in keys if f"| `{key}` |" not in text]


def test_the_reference_has_every_name() -> None:
    assert missing_in(markdown()) == []
    assert all(f"- **{what}" in markdown() for what in ("Lists", "Expressions", "Frame times", "Several files"))
    assert missing_in(markdown().replace("### `random_flip`", "")) == ["random_flip"]


def test_the_notebook_shows_every_name() -> None:
    cells = json.loads(NOTEBOOK.read_text(encoding="utf-8"))["cells"]
    outputs = [output for cell in cells for output in cell.get("outputs", [])]
    shown = "".join("".join(output.get("data", {}).get("text/markdown", [])) for output in outputs)
    assert missing_in(shown) == [], "jupyter execute --inplace notebooks/06-reference.ipynb, and commit it"
