from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest
import torch
import yaml

from clipnb.errors import ClipnbError, ConfigError, ImageError, LabelsError, OutputError
from clipnb.images import open_image, save_image
from clipnb.models.encoder import DualEncoder
from clipnb.optimise import cli, results, saved_run
from clipnb.optimise.engine import Optimisation, OptimisationError
from clipnb.optimise.judging.rating import rate
from clipnb.optimise.language.config import ExperimentConfig
from clipnb.optimise.results import describe, save_result
from clipnb.options import Parser
from tests.optimise.conftest import PlainEncoder, target


def run(*arguments: str) -> int:
    parser = Parser()
    cli.add_parser(parser.add_subparsers(required=True))
    args = parser.parse_args(arguments)
    status: int = args.run(args)
    return status


@pytest.fixture
def world(tmp_path: Path, tiny_clip: str, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("CLIPNB_MODEL", tiny_clip)
    Path("first.yaml").write_text(
        "epochs: 3\nresolution: 20\nverbose: 0\ndevice: cpu\ntargets:\n- features: [a, b]\n  constraints: [blur]\n"
    )
    return tmp_path


def test_files_are_run_and_nothing_is_overwritten(world: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for _ in range(2):
        assert run("optimise", "first.yaml", "-o", "out/") == 0
    assert sorted(path.name for path in Path("out").iterdir()) == [
        "first-1.png", "first-1.yaml", "first.png", "first.yaml",
    ]  # fmt: skip
    assert open_image("out/first.png").size == (20, 20)
    assert capsys.readouterr().out == ""


def test_the_yaml_beside_a_picture_makes_it_again(world: Path) -> None:
    assert run("optimise", "first.yaml", "-o", "a.png", "-r", "24", "16", "-e", "2", "-lr", "1 + ti") == 0
    assert run("optimise", "a.yaml", "-o", "b.png") == 0
    assert Path("a.png").read_bytes() == Path("b.png").read_bytes()
    notes = [line for line in Path("a.yaml").read_text().splitlines() if line.startswith("#")]
    assert any("clipnb" in line and "torch" in line for line in notes)
    assert any("seconds:" in line for line in notes)
    assert any("local-dir:" in line for line in notes)
    assert any("1.000 x a : count 2 (100.0%), loss" in line and "similarity" in line for line in notes)
    assert any("blur(kernel_size=3)" in line for line in notes)


def test_control_characters_in_texts_do_not_break_the_yaml(world: Path, capsys: pytest.CaptureFixture[str]) -> None:
    Path("odd.yaml").write_text('epochs: 1\nresolution: 8\ntargets: [{name: "n\\nm", features: ["a\\0b\\e[31mc"]}]\n')
    assert run("optimise", "odd.yaml", "-o", "odd.png") == 0
    assert "\x1b" not in capsys.readouterr().out
    assert ExperimentConfig.from_files("odd-1.yaml").targets[0].features[0].text == "a\0b\x1b[31mc"


def test_quick_form_repeat_and_seed(world: Path, capsys: pytest.CaptureFixture[str]) -> None:
    small = ["-e", "1", "-r", "16", "--repeat", "2", "--seed", "5", "-v", "2", "--recipe", "lite"]
    assert run("optimize", "--text", "A curly spoon!", *small) == 0
    seeds = [yaml.safe_load(Path(f"a-curly-spoon{n}.yaml").read_text())["seed"] for n in ("", "-1")]
    assert seeds == [5, 6]
    said = capsys.readouterr().out
    assert "a-curly-spoon-1.png after 1 of 1 steps" in said
    assert "A curly spoon! : count 1" in said


def test_standard_input_and_merging(world: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import io

    monkeypatch.setattr("sys.stdin", io.StringIO("epochs: 1\n"))
    assert run("optimise", "first.yaml", "-", "-o", "x") == 0
    assert yaml.safe_load(Path("x/experiment.yaml").read_text())["epochs"] == 1


@pytest.mark.parametrize("arguments", [[], ["first.yaml", "--text", "a"], ["none.yaml"], ["first.yaml", "-opt", "adm"]])
def test_mistakes_are_the_users(world: Path, arguments: list[str]) -> None:
    with pytest.raises(ConfigError):
        run("optimise", *arguments)
    assert not list(world.glob("*.png"))


def test_an_interrupted_run_saves_what_there_is(world: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    real = Optimisation.steps

    def interrupted(self: Optimisation):  # type: ignore[no-untyped-def]
        steps = real(self)
        yield next(steps)
        yield next(steps)
        raise KeyboardInterrupt

    monkeypatch.setattr(Optimisation, "steps", interrupted)
    assert run("optimise", "first.yaml", "-o", "cut.png") == 130
    assert open_image("cut.png").size == (20, 20)
    assert "# steps: 2 of 3" in Path("cut.yaml").read_text()


def test_a_run_that_breaks_saves_the_last_good_picture(world: Path) -> None:
    Path("bad.yaml").write_text(
        "epochs: 6\nresolution: 16\nverbose: 0\ntargets:\n- weight: '1e200 if epoch > 2 else 1'\n"
        "  features: [{text: a, weight: '1e200 if epoch > 2 else 1'}]\n"
    )
    with pytest.raises(OptimisationError, match="at step 3"):
        run("optimise", "bad.yaml")
    assert open_image("bad-1.png").size == (16, 16)
    assert "# steps: 3 of 6" in Path("bad-1.yaml").read_text()


@pytest.mark.parametrize(("interval", "saved"), [(0, []), (2, [2, 4]), (1e-9, [0, 1, 2, 3, 4])])
def test_snapshots(world: Path, monkeypatch: pytest.MonkeyPatch, interval: float, saved: list[int]) -> None:
    written: list[int] = []
    for module in (saved_run, results):
        monkeypatch.setattr(module, "write_result", lambda run, step, picture, seconds: written.append(step.index))
    config = ExperimentConfig.from_files("first.yaml").changed(snapshot_interval=interval, epochs=6)
    assert saved_run.SavedRun(config, "x", 0, print).run()
    assert written == [*saved, 5]


@pytest.mark.parametrize(("verbose", "told"), [(0, []), (1, []), (2, [1, 2, 3, 4])])
def test_statistics_are_told_while_it_runs(
    world: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], verbose: int, told: list[int]
) -> None:
    monkeypatch.setattr(saved_run, "STATISTICS_INTERVAL", 0.0)
    assert run("optimise", "first.yaml", "-v", str(verbose), "-e", "4") == 0
    said = capsys.readouterr().out
    heads = [line.split(":")[0] for line in said.splitlines() if line.startswith("step")]
    assert heads == [f"step {step} of 4" for step in told]
    assert said.count("  target : 1.000 x a : count ") == len(told)
    assert (verbose == 0) == (said == "")


def test_nothing_is_told_before_it_is_due(world: Path) -> None:
    said: list[str] = []
    config = ExperimentConfig.from_files("first.yaml").changed(verbose=2)
    assert saved_run.SavedRun(config, "x", 0, said.append).run()
    assert [line.split(":")[0] for line in said] == ["step 3 of 3", "x.png after 3 of 3 steps"]


@pytest.mark.parametrize(
    ("output", "path"),
    [("./", "x.png"), ("there/", "there/x.png"), ("there", "there/x.png"), ("there/y.png", "there/y.png")],
)
def test_where_pictures_go(tmp_path: Path, output: str, path: str) -> None:
    assert saved_run.output_path(output, "x") == Path(path)


@pytest.mark.parametrize(
    ("output", "words"),
    [
        ("x.txt", r"x\.txt: \.txt is no picture format"),
        ("x.psd", "no picture format"),
        ("first.yaml/x.png", "x.png: first.yaml is no folder"),
        ("~nobody-at-all/x.png", "home directory"),
        ("x" * 300 + ".png", "too long"),
        ("a\0b.png", "null character"),
    ],
)
def test_places_that_cannot_be_written_to_are_told_before_the_run(world: Path, output: str, words: str) -> None:
    config = ExperimentConfig.from_files("first.yaml").changed(output=output)
    with pytest.raises(ClipnbError, match=words):
        saved_run.SavedRun(config, "x", 0, print)
    assert [path.name for path in world.iterdir()] == ["first.yaml"]


def test_runs_side_by_side_do_not_overwrite_each_other(world: Path) -> None:
    config = ExperimentConfig.from_files("first.yaml")
    for one in [saved_run.SavedRun(config.changed(seed=seed), "x", 0, print) for seed in (1, 2)]:
        assert one.run()
    assert "seed: 1" in Path("x.yaml").read_text()
    assert "seed: 2" in Path("x-1.yaml").read_text()


def test_a_pair_that_cannot_be_written_leaves_no_claim(
    world: Path, plain: PlainEncoder, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise OutputError("the disk is full")

    monkeypatch.setattr(results, "write_result", full)
    run_of_one = Optimisation(ExperimentConfig.from_dict({"epochs": 1, "resolution": 8, **target()}), plain)
    with pytest.raises(OutputError):
        save_result(run_of_one, next(iter(run_of_one.steps())), "there/x.png")
    assert list(Path("there").iterdir()) == []


def test_what_the_command_line_says_is_not_looked_for_in_a_file(world: Path) -> None:
    with pytest.raises(ConfigError, match=r"^resolution: 0 is too small"):
        run("optimise", "first.yaml", "-r", "0")


def test_nothing_to_do_is_told(world: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("optimise", "first.yaml", "-e", "0", "-v", "1") == 0
    assert "no step to make" in capsys.readouterr().out


def test_empty_texts_and_closed_input_are_told(
    world: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit):
        run("optimise", "--text", " ")
    assert "--text: is empty; put something there" in capsys.readouterr().err
    monkeypatch.setattr("sys.stdin", None)
    with pytest.raises(ConfigError, match="standard input is closed"):
        run("optimise", "-")


def test_results_are_saved_as_pairs(tmp_path: Path, plain: PlainEncoder) -> None:
    engine = Optimisation(ExperimentConfig.from_text("a", seed=1, epochs=1, resolution=8), plain)
    *_, last = engine.steps()
    (tmp_path / "r.yaml").write_text("mine")
    assert save_result(engine, last, tmp_path / "r.png") == tmp_path / "r-1.png"
    assert save_result(engine, last, tmp_path / "r") == tmp_path / "r-2.png"
    assert (tmp_path / "r.yaml").read_text() == "mine"
    assert ExperimentConfig.from_files(tmp_path / "r-1.yaml") == engine.config
    assert describe(engine, last).startswith("# clipnb")
    with pytest.raises(ImageError, match="no picture format"):
        save_result(engine, last, tmp_path / "r.xyz")
    (tmp_path / "file").write_text("")
    with pytest.raises(OutputError):
        save_result(engine, last, tmp_path / "file" / "r.png")
    assert not [path for path in tmp_path.iterdir() if path.name.startswith(".")]


def test_rate_prints_and_writes_a_table(world: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for name in ("one", "two"):
        save_image(torch.rand(3, 40, 30), Path(f"{name}.png"))
    Path("texts.txt").write_text("a dog\n\n a cat \n")
    arguments = ["one.png", "two.png", "-t", "a bird", "-tf", "texts.txt", "-i", "one.png", "-k", "-4", "-o", "out.csv"]
    assert run("rate", *arguments) == 0
    table = pd.read_csv("out.csv", index_col=0)
    assert list(table.columns) == ["a bird", "a dog", "a cat", "one.png"]
    assert list(table.index) == ["one.png", "two.png"]
    assert table.loc["one.png", "one.png"] == pytest.approx(100, abs=1e-3)
    assert "a bird" in capsys.readouterr().out
    assert run("rate", *arguments) == 0
    assert capsys.readouterr().out.endswith("out-1.csv\n")


def test_rating_mistakes(world: Path, tiny: DualEncoder) -> None:
    save_image(torch.rand(3, 40, 30), Path("one.png"))
    with pytest.raises(ConfigError, match="nothing to compare with"):
        run("rate", "one.png")
    with pytest.raises(LabelsError, match="cannot read"):
        run("rate", "one.png", "-tf", "none.txt")
    with pytest.raises(ImageError):
        run("rate", "none.png", "-t", "a")
    with pytest.raises(ConfigError, match="no column 3"):
        rate([Path("one.png")], ["a"], [], tiny, sort=3)
    rising = rate([Path("one.png"), torch.rand(9, 9, 3).numpy()], ["a"], [], tiny, sort=1)
    assert rising["a"].is_monotonic_increasing


def test_schema_and_reference_are_printed(capsys: pytest.CaptureFixture[str]) -> None:
    assert run("schema") == 0
    assert json.loads(capsys.readouterr().out)["title"] == "clipnb experiment"
    assert run("reference") == 0
    assert "### `random_rotate` (random)" in capsys.readouterr().out


def test_the_parser_is_light() -> None:
    code = "import sys, clipnb.optimise.cli; assert 'torch' not in sys.modules and 'pydantic' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True)


def test_every_error_is_one_that_the_command_line_knows() -> None:
    assert issubclass(OptimisationError, ClipnbError)


def test_a_recipe_is_given_by_name(world: Path) -> None:
    Path("a.yaml").write_text("epochs: 1\nresolution: 16\ntargets: {features: [a cat]}\n")
    assert run("optimise", "a.yaml", "--recipe", "cutouts") == 0
    saved = yaml.safe_load(Path("a.yaml.yaml" if Path("a.yaml.yaml").exists() else "a-1.yaml").read_text())
    assert (saved["epochs"], list(saved["pixels"])) == (1, ["fourier"])
    assert "cutouts" in saved["targets"][0]["transforms"][0]
