"""What the language refuses is refused by `clipnb optimise` too: one line with file, line and key, and nothing made."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from clipnb.cli import main
from tests.optimise.language.test_mistaken_values import NONSENSE

TARGET = "targets: [{features: [a cat]}]\n"
FILES = [
    ("learnrate: 0,5\n" + TARGET, "bad.yaml, line 1: learnrate: one number is needed"),
    ("epochs: 1,000\n" + TARGET, "write 1000"),
    (TARGET + "seed: 1,2\n", "bad.yaml, line 2: seed: "),
    ("resolution: 32:32\n" + TARGET, "bad.yaml, line 1: resolution: "),
    ("epochs: 1:30\n" + TARGET, "base 60"),
    ("epochs: 4.7\n" + TARGET, "a whole number is needed, not 4.7"),
    ("epochs: 3\n", "there are no targets"),
    ("targets: [{features: []}]\n", "targets[0] (target) has no features"),
    ("targets: [{features: [a], active: false}]\n", "is not active"),
    ("targets: [{features: [a], weight: 0}]\n", "has weight 0"),
    ("targets: [{features: [a], start: .6, end: .2}]\n", "counts in no step"),
    ("targets: [{features: [{text: a, image: 'https://a.b/c.png'}]}]\n", "not both"),
    ("targets: [{features: [{image: none.png}]}]\n", "there is no picture 'none.png'; searched in"),
    ("targets:\n- features:\n  - text: !a cat\n", "would be lost"),
    ("targets: [{features: [a]}]\nfeatures: [b]\n", "it belongs under an item of targets"),
    ("init: {mean: 128}\n" + TARGET, "not 255"),
    ("optimizer: adm\n" + TARGET, "nearest: adam"),
    ("frames: {count: 0}\n" + TARGET, "bad.yaml, line 1: frames.count: 0 is too small"),
    ("frames: {count: 3, camera: {zom: 1}}\n" + TARGET, "frames.camera.zom: unknown key 'zom'; nearest: zoom"),
    ("epochs: [\n", "bad.yaml is no YAML"),
]


@pytest.fixture(autouse=True)
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def refused(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    assert main(["optimise", *arguments]) == 2
    said = capsys.readouterr()
    assert said.out == ""
    assert said.err.startswith("clipnb: ")
    assert "Traceback" not in said.err
    assert {path.suffix for path in Path().iterdir()} <= {".yaml"}
    return said.err


@pytest.mark.parametrize(("text", "words"), FILES)
def test_a_mistake_in_a_file(text: str, words: str, capsys: pytest.CaptureFixture[str]) -> None:
    Path("bad.yaml").write_text(text)
    assert words in refused(capsys, "bad.yaml")


@pytest.mark.parametrize("item", NONSENSE)
def test_nonsense_in_transforms(item: str, capsys: pytest.CaptureFixture[str]) -> None:
    Path("bad.yaml").write_text(f"targets:\n- features: [a cat]\n  transforms:\n  - {{{item}}}\n")
    assert "bad.yaml, line 4: targets[0].transforms[0]." in refused(capsys, "bad.yaml")


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (
            ["-lr", "0,5"],
            "learnrate: one number is needed, not the list '0,5'; a decimal number has a point",
        ),
        (["-r", "32:32"], "resolution: "),
        (["-r", "1", "2", "3"], "resolution: 1 or 2 whole numbers are needed, not 3"),
        (["-r", "0"], "resolution: 0 is too small"),
        (["-e", "-3"], "epochs: -3 is too small"),
        (["-e", "1,000"], "epochs: one whole number is needed, not the list '1,000'; "),
        (["-opt", "adm"], "optimizer: 'adm' is not allowed"),
        (["-d", "gpus"], "gpus"),
        (["-s", "-1"], "snapshot_interval: "),
        (["--seed", "-1"], "seed: -1 is too small"),
        (["-e", "0", "--resume", "a.yaml"], "--resume"),
    ],
)
def test_a_mistake_in_an_option(options: list[str], words: str, capsys: pytest.CaptureFixture[str]) -> None:
    Path("good.yaml").write_text(TARGET)
    said = refused(capsys, "good.yaml", *options)
    assert words in said
    assert "good.yaml, line" not in said


@pytest.mark.slow
def test_the_process_itself_ends_with_two_and_one_line() -> None:
    Path("bad.yaml").write_text("learnrate: 0,5\n" + TARGET)
    done = subprocess.run(
        [sys.executable, "-m", "clipnb", "optimise", "bad.yaml"], capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (2, "", 1)
    assert "bad.yaml, line 1: learnrate: " in done.stderr
