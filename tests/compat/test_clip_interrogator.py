"""Scripts for clip-interrogator run with the import changed, and find what that package finds."""

from __future__ import annotations

import csv
import inspect
import sys
import warnings
from pathlib import Path
from typing import Any

import pytest
import skimage.data
import torch
from PIL import Image

import clipnb
from clipnb.compat import clip_interrogator as ci
from clipnb.errors import ClipnbError
from clipnb.interrogate.labels.table import LabelTable as Table
from clipnb.models.encoder import DualEncoder
from clipnb.models.load import load_model

LISTS = {
    "mediums": ["a photo", "an oil painting", "a woodcut"],
    "movements": ["cubism", "baroque"],
    "artists": ["Hokusai", "Frida Kahlo"],
    "flavors": [f"{one} {two}" for one in ("red", "pale", "dark") for two in ("sky", "sea", "light")],
    "negative": ["blurry", "cropped"],
    "objects": ["a cup of coffee", "a cat"],
}
CAPTION = "a cup of coffee on a table"

SCRIPT = """
import argparse, csv, os
import torch
from PIL import Image
from clip_interrogator import Config, Interrogator, list_clip_models

def prompt_of(ci, image, mode):
    image = image.convert('RGB')
    if mode == 'best':
        return ci.interrogate(image, min_flavors=1, max_flavors=2)
    return ci.interrogate_classic(image) if mode == 'classic' else ci.interrogate_fast(image)

parser = argparse.ArgumentParser()
parser.add_argument('-c', '--clip', default='ViT-L-14/openai')
parser.add_argument('-f', '--folder')
parser.add_argument('-m', '--mode', default='best')
parser.add_argument('--lowvram', action='store_true')
args = parser.parse_args()
assert args.clip in list_clip_models()
config = Config(device=torch.device('cpu'), clip_model_name=args.clip)
config.caption_model_name = None
config.quiet = True
if args.lowvram:
    config.apply_low_vram_defaults()
    config.caption_model_name = None
ci = Interrogator(config)
rows = [(name, prompt_of(ci, Image.open(os.path.join(args.folder, name)), args.mode))
        for name in sorted(os.listdir(args.folder))]
with open(os.path.join(args.folder, 'desc.csv'), 'w', newline='') as file:
    writer = csv.writer(file)
    writer.writerow(['image', 'prompt'])
    writer.writerows(rows)
"""


@pytest.fixture(scope="module")
def encoder(tiny_clip: str) -> DualEncoder:
    return load_model(tiny_clip, "cpu")


@pytest.fixture
def photo() -> Image.Image:
    return Image.fromarray(skimage.data.coffee()).resize((120, 80))


@pytest.fixture
def config(encoder: DualEncoder, tmp_path: Path) -> ci.Config:
    return ci.Config(
        caption_model_name=None, clip_model=encoder, data_path=LISTS, cache_path=str(tmp_path / "c"), quiet=True
    )


@pytest.mark.parametrize("options", [["-m", "classic"], ["-m", "fast", "--lowvram"]])
def test_a_script_runs_with_one_line_changed(
    options: list[str], photo: Image.Image, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    photo.save(tmp_path / "a.png")
    photo.rotate(90).save(tmp_path / "b.jpg")
    script = SCRIPT.replace("from clip_interrogator", "from clipnb.compat.clip_interrogator")
    monkeypatch.setattr(sys, "argv", ["run_cli.py", "-c", "lite", "-f", str(tmp_path), *options])
    exec(compile(script, "run_cli.py", "exec"), {"__name__": "__main__"})  # as a user runs it
    with (tmp_path / "desc.csv").open(newline="") as file:
        rows = list(csv.reader(file))
    assert [row[0] for row in rows] == ["image", "a.png", "b.jpg"]
    assert all(", " in row[1] for row in rows[1:])


def test_cells_of_the_notebook_run(config: ci.Config, photo: Image.Image) -> None:
    worker = ci.Interrogator(config)
    features = worker.image_to_features(photo)
    assert features.shape == (1, worker.clip_model.dim)
    for table in (worker.mediums, worker.artists, worker.movements, worker.trendings, worker.flavors):
        top = table.rank(features, 5)
        ranks = dict(zip(top, worker.similarities(features, top), strict=True))
        assert list(ranks.values()) == sorted(ranks.values(), reverse=True)
        assert len(ranks) == min(5, len(table.labels))
    worker.config.chunk_size = worker.config.flavor_intermediate_count = 4
    assert worker.interrogate(photo, max_flavors=2)
    assert worker.interrogate_negative(photo, max_flavors=2)
    terms = ci.LabelTable(["a dog", "a cup", "a hat"], "terms", worker)
    best = terms.rank(features, top_count=1)[0]
    assert best == worker.rank_top(features, terms.labels)
    assert terms.rank(features, 1, reverse=True)[0] == worker.rank_top(features, terms.labels, reverse=True)
    assert worker.similarity(features, best) == pytest.approx(
        max(worker.similarities(features, terms.labels)), abs=1e-5
    )
    assert worker.generate_caption(photo)


def test_other_models_are_loaded_when_asked(config: ci.Config, tiny_clip: str, photo: Image.Image) -> None:
    worker = ci.Interrogator(config)
    config.clip_model = None
    config.clip_model_name, config.device = tiny_clip, "cpu"
    worker.load_clip_model()
    assert worker.clip_model.name == tiny_clip
    assert worker.interrogate_fast(photo, 2, CAPTION).startswith(f"{CAPTION}, ")


def test_every_name_of_the_package_is_there_and_takes_what_it_takes(config: ci.Config) -> None:
    peer = pytest.importorskip("clip_interrogator.clip_interrogator", reason="pip install --no-deps clip-interrogator")
    for name in ("Config", "Interrogator", "LabelTable", "load_list", "list_clip_models", "list_caption_models"):
        theirs = getattr(peer, name)
        methods = [
            method for method in vars(theirs) if not method.startswith("_") and callable(getattr(theirs, method))
        ]
        for one in [name, *(f"{name}.{method}" for method in methods)]:
            wanted, given = (_parameters(module, one) for module in (peer, ci))
            assert given[: len(wanted)] == wanted, one
    assert {*vars(peer.Config()), "clip_model", "caption_model"} <= vars(config).keys()


def _parameters(module: Any, name: str) -> list[str]:
    found: Any = module
    for part in name.split("."):
        found = getattr(found, part)
    if name == "Config":  # whose fields have the same names, by which they are given
        return []
    return list(inspect.signature(found).parameters)


def test_prompts_and_chains_are_those_of_the_package(
    encoder: DualEncoder, tiny_clip: str, config: ci.Config, photo: Image.Image, tmp_path: Path
) -> None:
    peer = pytest.importorskip("clip_interrogator.clip_interrogator", reason="pip install --no-deps clip-interrogator")
    import open_clip
    from torchvision.transforms import Normalize

    (tmp_path / "lists").mkdir()
    for name, labels in LISTS.items():
        (tmp_path / "lists" / f"{name}.txt").write_text("\n".join(labels))
    theirs = peer.Config(
        caption_model_name=None,
        clip_model_name="ViT-B-32/openai",
        data_path=str(tmp_path / "lists"),
        cache_path=str(tmp_path / "cache"),
        download_cache=False,
        device="cpu",
        quiet=True,
    )
    theirs.clip_model = open_clip.create_model(tiny_clip).eval()
    normalise = Normalize(open_clip.OPENAI_DATASET_MEAN, open_clip.OPENAI_DATASET_STD)
    theirs.clip_preprocess = lambda image: normalise(encoder.preprocess(image))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of the package's own
        other = peer.Interrogator(theirs)
        worker = ci.Interrogator(config)
        sites = worker.trendings.labels
        other.trendings = peer.LabelTable(sites, None, other)
        features = other.image_to_features(photo)
        assert torch.allclose(worker.image_to_features(photo), features.float(), atol=1e-4)
        for mode in ("interrogate_classic", "interrogate_fast"):
            expected = getattr(other, mode)(photo, 3, caption=CAPTION)
            assert getattr(worker, mode)(photo, 3, caption=CAPTION) == expected
        phrases = LISTS["flavors"]
        wishes = {"min_count": 1, "max_count": 3}
        start = other.similarity(features, CAPTION)
        assert worker.chain(features, phrases, CAPTION, start, **wishes) == other.chain(
            features, phrases, CAPTION, start, **wishes
        )


def test_loaded_models_that_are_no_encoders_are_refused(config: ci.Config) -> None:
    config.clip_model = torch.nn.Linear(2, 2)
    with pytest.raises(ClipnbError, match=r"clip_model is 'Linear', not a DualEncoder"):
        ci.Interrogator(config)


def test_lists_and_names(tmp_path: Path) -> None:
    (tmp_path / "terms.txt").write_text("a dog\n\na cup\n")
    assert ci.load_list(tmp_path / "terms.txt") == ci.load_list(str(tmp_path), "terms.txt") == ["a dog", "a cup"]
    assert {"lite", "ViT-L-14/openai"} <= set(ci.list_clip_models())
    assert ci.list_caption_models() == clipnb.list_caption_models()


def test_tables_made_the_other_way_are_told_the_way(config: ci.Config) -> None:
    with pytest.raises(ClipnbError, match=r"LabelTable\.build\(name, labels, encoder\), rank a list by"):
        Table(["a"], "name", config)  # type: ignore[arg-type]
    with pytest.raises(AttributeError, match="its tables are artists"):
        _ = ci.Interrogator(config).tokens
