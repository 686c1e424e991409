"""`clipnb lab` copies the notebooks once and starts JupyterLab on the first."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import pytest

from clipnb.cli import main
from clipnb.environment import lab


@pytest.fixture(autouse=True)
def _jupyterlab_is_there(monkeypatch: pytest.MonkeyPatch) -> None:
    """Say so, since nothing here starts it: Colab and Kaggle have none."""
    monkeypatch.setattr(lab, "find_spec", lambda name: lab)


def test_notebooks_are_copied_and_never_overwritten(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    commands: list[list[str]] = []

    def run(command: list[str], check: bool) -> SimpleNamespace:
        commands.append(command)
        return SimpleNamespace(returncode=0)

    monkeypatch.setattr(lab.subprocess, "run", run)
    folder = tmp_path / "mine"
    assert main(["lab", str(folder), "--no-browser"]) == 0
    assert (folder / "01-live-optimisation.ipynb").is_file()
    (folder / "00-start-here.ipynb").write_text("mine")
    assert main(["lab", str(folder)]) == 0
    assert (folder / "00-start-here.ipynb").read_text() == "mine"
    first, second = commands
    assert f"--ServerApp.root_dir={folder}" in first
    assert "--LabApp.default_url=/lab/tree/00-start-here.ipynb" in first
    assert "--no-browser" in first
    assert "--no-browser" not in second


def test_without_jupyterlab_the_remedy_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(lab, "find_spec", lambda name: None)
    assert main(["lab", str(tmp_path)]) == 2
    assert "pip install 'clipnb[lab]'" in capsys.readouterr().err


@pytest.mark.parametrize("root", [True, False])
def test_root_is_told_and_let_in(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], root: bool
) -> None:
    commands: list[list[str]] = []
    monkeypatch.setattr(lab.os, "geteuid", lambda: 0 if root else 1000, raising=False)
    monkeypatch.setattr(
        lab.subprocess, "run", lambda command, check: commands.append(command) or SimpleNamespace(returncode=0)
    )
    assert main(["lab", str(tmp_path)]) == 0
    assert ("--allow-root" in commands[0]) is root
    assert ("you are root" in capsys.readouterr().out) is root


def test_the_server_has_room_for_large_messages(tmp_path: Path) -> None:
    (settings,) = [part for part in lab.command(tmp_path, browser=False) if "tornado_settings" in part]
    assert int(settings.rstrip("}").split(":")[-1]) > 100 * 2**20
