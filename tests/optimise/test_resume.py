"""`clipnb optimise --resume`: runs that were interrupted go on."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import yaml

from clipnb.errors import ClipnbError, ConfigError
from clipnb.optimise.engine import Optimisation
from clipnb.options import UsageError
from tests.optimise.test_cli import run

CODE = """
import os, signal, sys, torch
from clipnb.optimise import engine
from clipnb.cli import main
torch.set_num_threads(1)
steps = engine.Optimisation.steps
def told(self):
    for step in steps(self):
        if step.index == int(sys.argv[1]):
            os.kill(os.getpid(), signal.SIGKILL)
        yield step
engine.Optimisation.steps = told
sys.exit(main(["optimise", *sys.argv[2:]]))
"""


@pytest.fixture
def world(tmp_path: Path, tiny_clip: str, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("CLIPNB_MODEL", tiny_clip)
    Path("e.yaml").write_text(
        "epochs: 12\nresolution: 20\nverbose: 0\nseed: 3\nsnapshot_interval: 1\ndevice: cpu\npixels: pyramid\n"
        "targets:\n- features: [a, b]\n  batch_size: 2\n  transforms: [random_rotate: -9 9]\n"
    )
    return tmp_path


def kill_at(step: int, *arguments: str) -> None:
    """Run the command in a process of its own, which kills itself when that step is made."""
    done = subprocess.run([sys.executable, "-c", CODE, str(step), *arguments], check=False)
    assert done.returncode == -signal.SIGKILL


def interrupt_after(monkeypatch: pytest.MonkeyPatch, count: int) -> None:
    real = Optimisation.steps

    def interrupted(self: Optimisation):  # type: ignore[no-untyped-def]
        for step in real(self):
            if step.index >= count:
                signal.raise_signal(signal.SIGINT)
            yield step

    monkeypatch.setattr(Optimisation, "steps", interrupted)


def without_seconds(path: str) -> list[str]:
    return [line for line in Path(path).read_text().splitlines() if not line.startswith(("# seconds", "output"))]


def test_an_interrupted_run_goes_on_as_if_it_had_not_been(world: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert run("optimise", "e.yaml", "-o", "whole.png") == 0
    with monkeypatch.context() as patch:
        interrupt_after(patch, 4)
        assert run("optimise", "e.yaml", "-o", "cut.png") == 130
    assert "# steps: 5 of 12" in Path("cut.yaml").read_text()
    with monkeypatch.context() as patch:
        interrupt_after(patch, 8)
        assert run("optimise", "--resume", "cut.yaml") == 130
    monkeypatch.chdir("/")
    assert run("optimise", "--resume", str(world / "cut.yaml")) == 0
    monkeypatch.chdir(world)
    assert Path("cut.png").read_bytes() == Path("whole.png").read_bytes()
    assert without_seconds("cut.yaml") == without_seconds("whole.yaml")
    assert sorted(path.name for path in world.iterdir()) == [
        "cut.png", "cut.yaml", "e.yaml", "whole.png", "whole.yaml",
    ]  # fmt: skip


def test_a_second_interrupt_ends_a_step_and_keeps_the_last_state(world: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert run("optimise", "e.yaml", "-o", "whole.png") == 0
    real = Optimisation.update

    def interrupted(self: object, *_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        interrupt_after(patch, 4)
        assert run("optimise", "e.yaml", "-o", "cut.png") == 130
    with monkeypatch.context() as patch:
        patch.setattr("clipnb.optimise.image_state.ImageState.step", interrupted)
        assert run("optimise", "--resume", "cut.yaml") == 130
    assert real is Optimisation.update
    assert run("optimise", "--resume", "cut.yaml") == 0
    assert Path("cut.png").read_bytes() == Path("whole.png").read_bytes()


@pytest.mark.slow
def test_a_killed_run_goes_on_as_if_it_had_not_been(world: Path) -> None:
    assert run("optimise", "e.yaml", "-o", "whole.png") == 0
    kill_at(4, "e.yaml", "-o", "cut.png")
    kill_at(8, "--resume", "cut.yaml")
    assert run("optimise", "--resume", "cut.yaml") == 0
    assert Path("cut.png").read_bytes() == Path("whole.png").read_bytes()


def cut(monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patch:
        interrupt_after(patch, 4)
        assert run("optimise", "e.yaml", "-o", "cut.png") == 130


def test_a_changed_experiment_goes_on_under_another_name(
    world: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    cut(monkeypatch)
    before = Path("cut.png").read_bytes()
    assert run("optimise", "--resume", "cut.yaml", "-e", "14", "-v", "1") == 0
    assert "the experiment is not what it was (epochs); going on by it as it is now" in caplog.text
    assert Path("cut.png").read_bytes() == before
    assert "# steps: 14 of 14" in Path("cut-1.yaml").read_text()
    caplog.clear()
    Path("cut.yaml").write_text(Path("cut.yaml").read_text().replace("text: b", "text: c"))
    assert run("optimise", "--resume", "cut.yaml") == 0
    assert "(targets)" in caplog.text
    assert "text: c" in Path("cut-2.yaml").read_text()


def test_another_place_is_no_change(
    world: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    cut(monkeypatch)
    assert run("optimise", "--resume", "cut.yaml", "-o", "there/b.png") == 0
    assert not caplog.records
    assert run("optimise", "--resume", "cut.yaml") == 0
    assert Path("there/b.png").read_bytes() == Path("cut.png").read_bytes()


def test_what_cannot_go_on_is_told(world: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ConfigError, match=r"there is no experiment none\.yaml"):
        run("optimise", "--resume", "none.yaml")
    assert run("optimise", "e.yaml", "-o", "whole.png") == 0
    with pytest.raises(ConfigError, match=r"no state whole\.safetensors to go on from: .*init: \{image: whole\.png\}"):
        run("optimise", "--resume", "whole.yaml")
    cut(monkeypatch)
    Path("cut.yaml").write_text(Path("cut.yaml").read_text().replace("seed: 3", "seed: 4"))
    with pytest.raises(ConfigError, match=r"keeps its seed: 3"):
        run("optimise", "--resume", "cut.yaml")
    Path("cut.yaml").write_text("epochs: [\n")
    with pytest.raises(ClipnbError, match=r"cut\.yaml is no YAML"):
        run("optimise", "--resume", "cut.yaml")


@pytest.mark.parametrize("more", [["--text", "a"], ["--seed", "1"], ["--repeat", "2"], ["--sheet"], ["e.yaml"]])
def test_options_that_would_do_nothing_are_refused(world: Path, more: list[str]) -> None:
    with pytest.raises((UsageError, SystemExit)):
        run("optimise", "--resume", "cut.yaml", *more)


def test_somebody_elses_weights_are_not_overwritten(world: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    Path("cut.safetensors").write_text("weights")
    cut(monkeypatch)
    assert Path("cut.safetensors").read_text() == "weights"
    assert yaml.safe_load(Path("cut-1.yaml").read_text())["seed"] == 3
    assert run("optimise", "--resume", "cut-1.yaml") == 0


def test_seconds_count_on(world: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    cut(monkeypatch)
    real = time.monotonic()
    monkeypatch.setattr("clipnb.optimise.saved_run.time.monotonic", lambda: real)
    before = float(next(line for line in Path("cut.yaml").read_text().splitlines() if "seconds" in line)[11:])
    assert run("optimise", "--resume", "cut.yaml") == 0
    assert f"# seconds: {before:.1f}" in Path("cut.yaml").read_text()
