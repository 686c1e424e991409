"""The command `clipnb interrogate`, as a user types it."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from PIL import Image

from clipnb.cli import main


@pytest.fixture
def picture(photo: Image.Image, tmp_path: Path) -> str:
    path = tmp_path / "cup.png"
    photo.resize((90, 60)).save(path)
    return str(path)


@pytest.fixture
def labels(small_lists: dict[str, list[str]], tmp_path: Path) -> str:
    folder = tmp_path / "labels"
    folder.mkdir()
    for name, entries in small_lists.items():
        (folder / f"{name}.txt").write_text("\n".join(entries))
    return str(folder)


def run(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str, str]:
    status = main(["interrogate", "--quiet", *arguments])
    return status, *capsys.readouterr()


def test_a_prompt_is_printed(tiny_clip: str, picture: str, labels: str, capsys: pytest.CaptureFixture[str]) -> None:
    options = ["--model", tiny_clip, "--labels", labels, "--caption", "a red balloon"]
    status, out, _ = run(capsys, picture, *options, "--show", "prompt")
    assert status == 0
    assert out.startswith("a red balloon, ")
    assert len(out.splitlines()) == 1
    _, text, _ = run(capsys, picture, *options)
    assert text.splitlines()[:2] == [picture, out.strip()]


def test_several_pictures_in_json(
    tiny_clip: str, picture: str, labels: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    missing = str(tmp_path / "none.png")
    status, out, err = run(
        capsys, picture, missing, picture, "--model", tiny_clip, "--labels", labels, "--show", "json", "--mode", "fast"
    )
    assert status == 1
    rows = [json.loads(line) for line in out.splitlines()]
    assert [row["image"] for row in rows] == [picture, picture]
    assert rows[0]["prompt"] == rows[1]["prompt"]
    assert "there is no picture" in err


def test_a_lazy_chain_of_short_lists_is_the_full_one(
    tiny_clip: str, picture: str, labels: str, capsys: pytest.CaptureFixture[str]
) -> None:
    options = ["--model", tiny_clip, "--labels", labels, "--mode", "best", "--max-flavors", "4", "--show", "json"]
    exact, lazy = (json.loads(run(capsys, picture, *options, *more)[1]) for more in ([], ["--lazy"]))
    assert exact["similarity"] == pytest.approx(lazy["similarity"], abs=1e-4)  # short lists are scored whole


def test_phrases_that_lower_and_repeat_are_wished_back(
    tiny_clip: str, picture: str, labels: str, capsys: pytest.CaptureFixture[str]
) -> None:
    options = ["--model", tiny_clip, "--labels", labels, "--mode", "fast", "--caption", "a balloon", "--show", "prompt"]
    careful, careless, likely = (
        len(run(capsys, picture, *options, *more)[1].split(", "))
        for more in ([], ["--tolerance", "none", "--no-diverse"], ["--tolerance", "0.02"])
    )
    assert careful <= likely <= careless
    assert careful < careless


def test_a_collection_is_searched_and_pooled(picture: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    table, labels = tmp_path / "mine.csv", tmp_path / "objects.txt"
    table.write_text("text\na cup of coffee\na cat\n")
    labels.write_text("a coffee mug\na lighthouse\n")
    options = ["--model", "lite", "--collection", str(table), "--column", "text", "--labels", str(labels)]
    status, out, _ = run(capsys, picture, *options, "--mode", "retrieve")
    assert (status, out.splitlines()[1]) == (0, "a cup of coffee")
    status, out, _ = run(capsys, picture, *options, "--mode", "pooled")
    assert (status, "coffee" in out.splitlines()[1]) == (0, True)
    assert "note: pooled: 2 objects, 2 templates, 2 collection; the prompt is the nearest of" in out
    _, out, _ = run(capsys, picture, *options, "--mode", "pooled", "--pool", "collection=1", "--pool=caption=.5")
    assert "note: pooled: 2 collection; the prompt is the nearest of" in out
    _, weak, _ = run(capsys, picture, *options[:2], "--labels", str(labels), "--mode", "pooled", "--power", "0")
    assert "pooled: 2 objects" in weak


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--mode", "besst"], "use best"),
        (["--model", "ViT-B-32/nope"], "ViT-B-32"),
        (["--labels", "no/such.txt"], "no label file"),
        (["--max-flavors", "-2"], "max_flavors"),
        (["--captioner", "blip-lrage"], "blip-large"),
        (["--threshold", "4"], "--threshold does nothing in mode classic; leave it out, or use tags"),
        (["--set-by", "worst"], "--set-by does nothing in mode classic; leave it out, or use set"),
        (["--mode", "set", "--set-by", "best"], "set_by is one of 'mean', 'worst'"),
        (["--mode", "set", "--against", "there"], "--against belongs to --mode contrast"),
        (["--mode", "set", "--known"], "--known is of single pictures"),
        (["--mode", "set", "--captions", ".txt"], "leave captions out"),
        (["--mode", "contrast"], "name another"),
        (["--mode", "contrast", "--caption", "a cat"], "takes no caption"),
        (["--mode", "contrast", "--against", "x.png", "-o", "rows.csv"], "--against and -o do not go together"),
        (["--seed", "3"], "--seed does nothing here"),
        (["--prune"], "--prune belongs to --output"),
        (["--mode", "tags", "--threshold", "things=4"], "tag_thresholds is a dict"),
        (["--mode", "tags", "--threshold", "objects=nan"], "tag_thresholds is a dict"),
        (["--mode", "tags", "--threshold", "3", "--threshold", "4"], "tag_thresholds of all is given twice"),
        (
            ["--mode", "pooled", "--pool", "objects=1", "--pool", "objects=2"],
            "of objects is given twice",
        ),
        (["--mode", "pooled", "--pool", "things=1"], "pooled_weights is a dict"),
        (["--mode", "pooled", "--pool", "objects=-1"], "pooled_weights is a dict"),
        (["--mode", "pooled", "--power", "-1"], "pooled_power is a number"),
        (["--tolerance", "3"], "tolerance is a number in [0, 2] or None"),
        (["--least-certainty", "0.5"], "does not know how certain it is"),
        (["--least-certainty", "2"], "least_certainty is a number in [0, 1]"),
        (["--recursive"], "--recursive (recursive=True) does nothing: no folder is given"),
        (["--mode", "set", "--recursive"], "--recursive (recursive=True) does nothing: no folder is given"),
        (["-o", "rows.csv", "--recursive"], "--recursive (recursive=True) does nothing: no folder is given"),
        (["--mode", "tags", "--tag-form", "booru"], "'danbooru'"),
        (["--captioner", "blip-3"], "works by code of its own, which is never run; take qwen2.5-vl-3b"),
        (["--instruction", "say it"], "--instruction belongs to --captioner"),
        (["--tag-threshold", "0.5"], "--tag-threshold belongs to --captioner"),
        (["--captioner", "blip-base", "--instruction", "a" * 10_000], "a text of at most 2,000 characters"),
        (["--captioner", "blip-base", "--bits", "3"], "caption_bits is 8, 4 or None"),
        (["--captioner", "blip-base", "--no-repeat", "-1"], "a whole number from 0 to 100"),
        (["--captioner", "blip-base", "--repetition-penalty", "nan"], "a number from 1 to 10"),
        (["--captioner", "blip-base", "--tag-threshold", "35"], "a number in [0, 1]"),
        (["--captioner", "blip-base", "--caption-length", "0"], "caption_max_length"),
        (["--mode", "negative", "--caption", "a cat"], "takes no caption"),
        (
            ["--collection", "mine.txt"],
            "--collection does nothing in mode classic; leave it out, or use retrieve",
        ),
        (["--mode", "retrieve", "--column", "text"], "--column belongs to --collection"),
        (["--mode", "pooled", "--second-threshold", "0.1"], "--second-threshold belongs to --second-model"),
        (["--mode", "retrieve", "--second-model", "lite", "--second-threshold", "2"], "a number in [-1, 1]"),
        (["--mode", "retrieve", "--collection", "no/such.txt"], "no/such.txt"),
    ],
)
def test_mistakes_are_one_line(
    options: list[str], words: str, tiny_clip: str, picture: str, capsys: pytest.CaptureFixture[str]
) -> None:
    chosen = [] if "--model" in options else ["--model", tiny_clip]
    status, out, err = run(capsys, picture, *chosen, *options)
    assert (status, out) == (2, "")
    assert words in err
    assert len(err.strip().splitlines()) == 1


def test_what_may_and_must_stand_in_a_prompt(
    tiny_clip: str, picture: str, labels: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "banned.txt").write_text("sky\nlight\n")
    options = ["--model", tiny_clip, "--labels", labels, "--caption", "a balloon", "--show", "prompt", "--mode", "fast"]
    wishes = ["--without", "artists,trendings", "--avoid", str(tmp_path / "banned.txt"), "--avoid", "cubism"]
    status, out, _ = run(capsys, picture, *options, *wishes, "--trigger", "sks", "--require", "red hat")
    assert status == 0
    assert out.startswith("sks, a balloon, red hat, ")
    assert not any(word in out for word in ("sky", "light", "cubism", "Hokusai", "Flickr"))
    _, short, _ = run(capsys, picture, *options, "--max-words", "5")
    assert 1 < len(short.split()) <= 5


def test_a_single_unreadable_picture_is_a_mistake(
    tiny_clip: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "torn.png").write_bytes(b"\x89PNG\r\n\x1a\n")
    status, _, err = run(capsys, str(tmp_path / "torn.png"), "--model", tiny_clip)
    assert status == 2
    assert len(err.strip().splitlines()) == 1


def test_tags_are_printed(picture: str, capsys: pytest.CaptureFixture[str]) -> None:
    options = ["--model", "lite", "--mode", "tags", "--threshold", "objects=4.5", "--tag-form", "danbooru"]
    status, out, _ = run(capsys, picture, *options, "--show", "prompt")
    assert status == 0
    assert "espresso_machine" in out.strip().split(", ")
    _, out, _ = run(capsys, picture, *options, "--show", "json")
    tags = json.loads(out)["tags"]
    assert {tag["table"] for tag in tags} == {"objects"}
    assert all(tag["score"] >= 4.5 for tag in tags)


def test_a_prompt_for_each_folder_is_printed(
    tiny_clip: str, labels: str, drawn: Callable[[int], Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    drawn(4).rename(tmp_path / "one")
    drawn(3).rename(tmp_path / "two")
    folders = [str(tmp_path / "one"), str(tmp_path / "two")]
    options = ["--model", tiny_clip, "--labels", labels, "--max-flavors", "2", "--show", "json"]
    status, out, _ = run(capsys, *folders, "--mode", "set", "--set-by", "worst", *options)
    assert status == 0
    assert [json.loads(line)["image"] for line in out.splitlines()] == folders
    assert any("left out 1 of 4 pictures" in note for note in json.loads(out.splitlines()[0])["notes"])
    status, out, err = run(capsys, *folders, "--mode", "contrast", *options)
    assert (status, out) == (1, ""), "neither holds anything that the other one has not"
    assert f"every picture of the set {folders[0]} is in the other one too" in err


def test_what_separates_two_folders_is_printed(
    tiny_clip: str, labels: str, drawn: Callable[[int], Path], capsys: pytest.CaptureFixture[str]
) -> None:
    files = [str(path) for path in sorted(drawn(9).glob("*.png"))]
    options = ["--mode", "contrast", "--model", tiny_clip, "--labels", labels, "--seed", "1"]
    status, out, _ = run(capsys, *files[:3], *options, "--show", "json", "--against", *files[4:])
    assert status == 0
    found = json.loads(out)
    assert found["counts"] == [3, 5]
    assert found["labels"][0]["low"] <= found["labels"][0]["difference"]
    _, out, _ = run(capsys, *files[:3], *options, "--show", "prompt", "--against", *files[4:])
    assert out.splitlines() == [side["prompt"] for side in found["sides"]]


def test_the_parser_is_light() -> None:
    code = "import sys, clipnb.interrogate.cli; sys.exit('torch' in sys.modules or 'numpy' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
