from __future__ import annotations

from itertools import islice
from pathlib import Path

import pytest
import torch
import yaml

from clipnb.files import shipped
from clipnb.images import save_image
from clipnb.optimise.engine import Optimisation
from clipnb.optimise.language.config import ExperimentConfig
from clipnb.optimise.language.manual.reference import json_schema
from clipnb.optimise.language.recipes import for_text
from tests.optimise.conftest import PlainEncoder

EXAMPLES = sorted(shipped("experiments").glob("*.yaml"))


def test_there_are_enough() -> None:
    assert len(EXAMPLES) >= 10


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_examples_run_small(path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert path.read_text(encoding="utf-8").startswith("# ")
    monkeypatch.chdir(tmp_path)
    save_image(torch.rand(3, 20, 30, generator=torch.Generator().manual_seed(1)), Path("photograph.png"))
    monkeypatch.setattr("clipnb.optimise.target_encoders.load_model", lambda name, device: PlainEncoder(name))
    config = ExperimentConfig.from_files(path)
    assert config.targets
    sizes = config.resolution if path.stem.startswith("07") else (48, 32)
    small = config.changed(epochs=3, resolution=[str(size) for size in sizes], seed=1)
    steps = list(islice(Optimisation(small).steps(), 3))  # of a film the first frame
    assert len(steps) == 3
    assert steps[-1].image.isfinite().all()
    assert not torch.equal(steps[0].image, steps[-1].image)


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_the_schema_accepts_examples_and_refuses_mistakes(path: Path) -> None:
    jsonschema = pytest.importorskip("jsonschema")
    validator = jsonschema.Draft202012Validator(json_schema())
    given = yaml.safe_load(path.read_text(encoding="utf-8"))
    assert validator.is_valid(given)
    assert not validator.is_valid({**given, "epoch": 3})
    assert not validator.is_valid({**given, "targets": [{"transforms": [{"nois": 1}]}]})


def test_the_first_example_is_the_default_recipe() -> None:
    text = "a jellyfish in the deep sea"
    assert ExperimentConfig.from_files(EXAMPLES[0]) == ExperimentConfig.from_dict(for_text(text, "lite"))


@pytest.mark.slow
def test_the_quick_form_is_recognised_by_the_embedded_encoder() -> None:
    from clipnb.models.load import load_model

    encoder = load_model("lite", "cpu")
    config = ExperimentConfig.from_text("a strawberry", seed=1, epochs=70, resolution=96)
    first, *_, last = Optimisation(config, encoder).steps()
    texts = ["a strawberry", "a dog", "a car", "a castle", "a violin"]
    cosines = encoder.encode_text(texts) @ encoder.encode_image(last.image[None])[0]
    assert int(cosines.argmax()) == 0
    assert last.similarities["a strawberry"] > first.similarities["a strawberry"] + 0.05
