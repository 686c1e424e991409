"""Optimisation and rating: nothing is overwritten, no name ends in a traceback, no size eats the machine."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest
import torch
from PIL import Image

from clipnb.cli import main
from clipnb.errors import ClipnbError, ConfigError, LabelsError, OutputError
from clipnb.images import save_image
from clipnb.optimise.engine import Optimisation, OptimisationError
from clipnb.optimise.image_state import cover
from clipnb.optimise.judging import rating
from clipnb.optimise.language.config import ExperimentConfig
from clipnb.optimise.results import describe, save_result
from clipnb.optimise.statistics import Entry, Record
from clipnb.spreadsheet import unguard
from tests.optimise.conftest import PlainEncoder, experiment, target

WRITER = """
import sys
from clipnb.cli import main
for number in range(5):
    assert main(["optimise", "mean.yaml", "-o", "out.png", "--seed", f"{sys.argv[1]}{number}"]) == 0
"""


@pytest.fixture
def world(tmp_path: Path, tiny_clip: str, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("CLIPNB_MODEL", tiny_clip)
    Path("mean.yaml").write_text(
        "epochs: 2\nresolution: 4\nverbose: 0\ndevice: cpu\ntargets: [{constraints: [{mean: {above: .9}}]}]\n"
    )
    return tmp_path


@pytest.fixture
def plain() -> PlainEncoder:
    return PlainEncoder()


def test_processes_that_write_one_name_lose_no_picture(world: Path) -> None:
    writers = [subprocess.Popen([sys.executable, "-c", WRITER, str(place)]) for place in range(1, 5)]
    assert [writer.wait() for writer in writers] == [0] * 4
    seeds = set()
    for picture in world.glob("out*.png"):
        notes = ExperimentConfig.from_files(picture.with_suffix(".yaml"))
        seeds.add(notes.seed)
        with Image.open(picture) as image:
            assert image.size == (4, 4)
    assert seeds == {10 * place + number for place in range(1, 5) for number in range(5)}


@pytest.mark.parametrize("taken", ["x.png", "x.yaml"])
def test_links_that_lead_nowhere_are_not_replaced(world: Path, taken: str) -> None:
    Path(taken).symlink_to("nowhere")
    assert main(["optimise", "mean.yaml", "-o", "x.png"]) == 0
    assert Path(taken).is_symlink()
    assert {path.name for path in world.iterdir()} == {"mean.yaml", taken, "x-1.png", "x-1.yaml"}


@pytest.mark.parametrize(
    "output", ["a\ud800b.png", "a\udcffb/\ud800.png", "x" * 251 + ".png", "é" * 126 + ".png", "/dev/null/x.png"]
)
def test_names_that_no_file_can_have_are_refused_before_the_work(
    world: Path, output: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Optimisation, "steps", lambda self: pytest.fail("the work was begun"))
    assert main(["optimise", "mean.yaml", "-o", output]) == 2
    assert re.match("clipnb: (cannot write|output: .* holds halves)", capsys.readouterr().err)
    assert not [path for path in world.rglob("*") if path.is_file() and path.name != "mean.yaml"]


def test_the_longest_name_is_counted_on_in_words(world: Path, capsys: pytest.CaptureFixture[str]) -> None:
    longest = "x" * 243 + ".png"  # beside which `.safetensors` keeps the run's state
    assert main(["optimise", "mean.yaml", "-o", longest]) == 0
    assert main(["optimise", "mean.yaml", "-o", longest]) == 2
    assert "too long" in capsys.readouterr().err
    assert len(list(world.iterdir())) == 3


@pytest.mark.parametrize("path", ["", ".", "..", "x/.."])
def test_a_result_needs_a_name(path: str, plain: PlainEncoder, world: Path) -> None:
    run = Optimisation(experiment(epochs=1), plain)
    with pytest.raises(ClipnbError):
        save_result(run, next(run.steps()), path)
    assert [file.name for file in world.iterdir()] == ["mean.yaml"]


def test_a_name_cannot_put_keys_into_the_yaml_or_act_on_a_terminal(plain: PlainEncoder, world: Path) -> None:
    plain.name = "local-dir:/a\nepochs: 9\x1b[2J\udcff"
    run = Optimisation(
        experiment(epochs=1, targets=[{"name": "\u202e\x85epochs: 9", "features": [{"text": "\u2028x: 1"}]}]),
        plain,
    )
    step = next(run.steps())
    path = save_result(run, step, "a.png")
    assert "\x1b" not in describe(run, step)
    assert ExperimentConfig.from_files(path.with_suffix(".yaml")) == run.config


def test_file_names_of_any_bytes_are_rated(world: Path, capsys: pytest.CaptureFixture[str]) -> None:
    names = [os.fsdecode(b"a\xff.png"), "\x1b[2Jb.png", "=c.png", "d\u202e.png", "e\nf.png"]
    for name in names:
        save_image(torch.rand(3, 20, 20), Path(name))
    assert main(["rate", *names, "-t", "=a dog", "\x1b]0;x", "-o", "out.csv"]) == 0
    shown = capsys.readouterr().out
    assert not {"\x1b", "\u202e", "\udcff"} & set(shown)
    assert r"a\udcff.png" in shown
    frame = pd.read_csv("out.csv", index_col=0)
    assert [unguard(name) for name in frame.index] == [r"a\udcff.png", *names[1:]]
    assert list(frame.columns) == ["'=a dog", "\x1b]0;x"]


def test_texts_of_half_characters_are_refused(plain: PlainEncoder) -> None:
    with pytest.raises(ConfigError, match="halves of characters"):
        rating.rate(["a.png"], ["caf\udce9"], [], plain)


@pytest.mark.parametrize("place", ["there/../mean.yaml/out.csv", "a\ud800.csv", ".", "x" * 300, "a\0.csv"])
def test_a_table_that_cannot_be_written_is_told_before_the_work(
    world: Path, place: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rating, "rate", lambda *_, **__: pytest.fail("the work was begun"))
    assert main(["rate", "a.png", "-t", "a dog", "-o", place]) == 2
    assert "cannot write" in capsys.readouterr().err


def test_tables_overwrite_nothing_and_leave_nothing(world: Path) -> None:
    save_image(torch.rand(3, 20, 20), Path("a.png"))
    Path("out.csv").symlink_to("nowhere")
    assert main(["rate", "a.png", "-t", "a dog", "-o", "out.csv"]) == 0
    assert Path("out.csv").is_symlink()
    assert Path("out-1.csv").read_text().startswith(",a dog\na.png,")
    assert main(["rate", "none.png", "-t", "a dog", "-o", "other.csv"]) == 2
    assert not Path("other.csv").exists()


@pytest.mark.parametrize("name", ["pipe", "/dev/zero", ".", "~nobody-here/x", "a\0b", "\ud800", "latin"])
def test_texts_are_read_from_regular_files_alone(world: Path, name: str) -> None:
    os.mkfifo("pipe")
    Path("latin").write_bytes(b"caf\xe9")
    with pytest.raises(LabelsError, match="cannot read the texts in"):
        rating.read_texts(name)


def test_texts_of_a_file_are_limited(world: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rating, "MAX_TEXTS", 3)
    monkeypatch.setattr(rating, "MAX_BYTES", 20)
    Path("texts").write_text("a\n\nb\nc\n")
    assert rating.read_texts("texts") == ["a", "b", "c"]
    Path("texts").write_text("a\nb\nc\nd")
    with pytest.raises(LabelsError, match="holds 4 texts; at most 3"):
        rating.read_texts("texts")
    Path("texts").write_text("a" * 21)
    with pytest.raises(LabelsError, match="larger than 20 bytes"):
        rating.read_texts("texts")


def test_a_text_to_compare_with_has_a_bounded_length(tmp_path: Path) -> None:
    place = tmp_path / "texts"
    place.write_text("a" * rating.MAX_CHARACTERS)
    assert len(rating.read_texts(place)) == 1
    place.write_text("a cat\n" + "a" * (rating.MAX_CHARACTERS + 1))
    with pytest.raises(LabelsError, match="at most 100000"):
        rating.read_texts(place)


def test_pictures_are_rated_a_few_at_a_time(plain: PlainEncoder, monkeypatch: pytest.MonkeyPatch) -> None:
    opened: list[int] = []
    real = rating.open_image
    monkeypatch.setattr(rating, "open_image", lambda source: opened.append(len(plain.batches)) or real(source))  # type: ignore[func-returns-value]
    table = rating.rate([Image.new("RGB", (8, 8), (i, 0, 0)) for i in range(40)], ["a"], [_png()], plain)
    assert opened[-1] >= 2
    assert table.index[39] == "picture 40"
    assert list(table.columns) == ["a", "picture 1"]


def _png() -> bytes:
    import io

    stream = io.BytesIO()
    Image.new("RGB", (8, 8)).save(stream, "PNG")
    return stream.getvalue()


@pytest.mark.parametrize("changes", [{"resolution": 16384}, {"resolution": "16384 if t < 2 else 9, 9000"},
                                     {"init": {"resolution": [16384, 16384]}}])  # fmt: skip
def test_resolutions_that_no_machine_holds_are_refused(changes: dict[str, object], plain: PlainEncoder) -> None:
    with pytest.raises(ConfigError, match=r"resolution: 16384 x \d+ pixels are too many; at most 80 million"):
        next(Optimisation(experiment(**changes), plain).steps())


@pytest.mark.parametrize("shape", [(1, 200_000), (200_000, 1), (2, 3)])
def test_strips_are_not_scaled_whole(shape: tuple[int, int]) -> None:
    image = torch.rand(3, *shape, generator=torch.Generator().manual_seed(1))
    covered = cover(image, (500, 700))
    assert covered.shape == (3, 500, 700)
    middle = image[:, (shape[0] - 1) // 2, (shape[1] - 1) // 2]
    assert torch.allclose(covered[:, 250, 350], middle, atol=0.6)


def test_too_little_memory_is_told_in_words(plain: PlainEncoder) -> None:
    def lacking(_: torch.Tensor) -> torch.Tensor:
        raise RuntimeError("DefaultCPUAllocator: can't allocate memory: you tried to allocate 1 bytes")

    run = Optimisation(experiment(), plain)
    plain.encode_image = lacking  # type: ignore[method-assign]
    with pytest.raises(OptimisationError, match=r"not enough memory for step 0 on cpu.*resolution or batch_size"):
        next(run.steps())
    assert run.image.shape == (3, 16, 16)


@pytest.mark.parametrize(
    "transform",
    [
        {"repeat": "1000 1000"},
        {"resize": "16000 16000"},
        {"pad": "5000 5000"},
        {"rnoise": {"std": 1, "resolution": "9000 9000"}},
    ],
)
def test_what_transforms_make_is_bounded(transform: dict[str, object], plain: PlainEncoder) -> None:
    run = Optimisation(experiment(**target(transforms=[transform])), plain)
    with pytest.raises(ConfigError, match=r"step 0: targets\[0\]\.transforms: a transform makes .* at most 32 million"):
        next(run.steps())
    assert run.image.shape == (3, 16, 16)


def test_only_what_is_looked_at_of_a_large_tiling_is_made(plain: PlainEncoder) -> None:
    run = Optimisation(experiment(**target(transforms=[{"repeat": "1000 1000"}, {"center_crop": 16}])), plain)
    assert next(run.steps()).image.isfinite().all()


@pytest.mark.parametrize("size", [1, [1, 2], [2, 1]])
def test_the_default_recipe_at_one_pixel_is_finite(size: object, plain: PlainEncoder) -> None:
    steps = list(Optimisation(ExperimentConfig.from_text("a", seed=1, epochs=3, resolution=size), plain).steps())
    assert steps[-1].image.isfinite().all()


def test_what_fails_otherwise_is_not_taken_for_too_little_memory(plain: PlainEncoder) -> None:
    targets = [{"name": "allocate memory", "features": [{"text": "a", "loss": "l2"}], "weight": "1e30 * 1e30"}]
    with pytest.raises(OptimisationError, match="became"):
        list(Optimisation(experiment(targets=targets), plain).steps())


@pytest.mark.parametrize("key", ["epochs", "start_epoch"])
def test_numbers_of_steps_that_no_run_reaches_are_refused(key: str) -> None:
    with pytest.raises(ConfigError, match=r"too large; at most 9\.0072e"):
        ExperimentConfig.from_dict({key: 10**20})


def test_statistics_of_many_targets_are_cut() -> None:
    record = Record()
    record.add(1.0, {(n, 0): Entry("t", "long " * 100, 1.0, 1, 1, 0.5, None) for n in range(500)})
    lines = list(record.statistics().in_words(most=40))
    assert len(lines) == 41
    assert lines[-1] == "and 460 more"
    assert max(map(len, lines)) < 300


def test_a_failed_save_gives_both_names_back(world: Path, plain: PlainEncoder, monkeypatch: pytest.MonkeyPatch) -> None:
    run = Optimisation(experiment(epochs=1), plain)
    step = next(run.steps())
    monkeypatch.setattr(Image.Image, "save", lambda *_, **__: (_ for _ in ()).throw(OSError(28, "No space left")))
    with pytest.raises(OutputError, match="No space left"):
        save_result(run, step, "there/a.png")
    assert list(Path("there").iterdir()) == []
