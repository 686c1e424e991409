"""The command line as a whole; each room tests its own commands."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from PIL import Image

from clipnb import __version__
from clipnb.cli import main, make_parser
from clipnb.errors import ClipnbError


def run(*arguments: str, **options: object) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "clipnb", *arguments], capture_output=True, text=True, check=False, **options
    )


def test_help_names_every_command() -> None:
    text = make_parser().format_help()
    for command in ("demo", "doctor", "models", "optimise", "interrogate", "tags"):
        assert command in text


def test_version(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as exit_:
        main(["--version"])
    assert exit_.value.code == 0
    assert __version__ in capsys.readouterr().out


def test_the_doctor_finds_this_machine_well(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["doctor"]) == 0
    assert "model lite" in capsys.readouterr().out


def test_models_here(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["models", "--here"]) == 0
    assert capsys.readouterr().out.splitlines()[0] == "lite"


@pytest.mark.parametrize(
    ("raised", "status"),
    [
        (ClipnbError("give another name"), 2),
        (PermissionError(13, "Permission denied", "secret"), 2),
        (OSError(36, "File name too long", "x" * 300), 2),
        (KeyboardInterrupt(), 130),
    ],
)
def test_mistakes_and_interrupts_are_one_line(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], raised: BaseException, status: int
) -> None:
    from clipnb.environment import doctor

    def fail() -> None:
        raise raised

    monkeypatch.setattr(doctor, "examine", fail)
    assert main(["doctor"]) == status
    assert len(capsys.readouterr().err.splitlines()) == 1


def test_wrong_usage_exits_with_2() -> None:
    done = run("no-such-command")
    assert done.returncode == 2
    assert "Traceback" not in done.stderr


def test_a_reader_that_stops_early_is_no_error() -> None:
    reading, writing = os.pipe()
    os.close(reading)
    done = subprocess.run([sys.executable, "-m", "clipnb", "models", "--here"], stdout=writing, stderr=-1, check=False)
    os.close(writing)
    assert done.returncode == 0
    assert b"Traceback" not in done.stderr


@pytest.mark.skipif(sys.platform != "linux", reason="a shell closes them, and its /dev/full is full")
@pytest.mark.parametrize("streams", ["2>&-", "2>/dev/full"])
def test_bars_that_nothing_takes_do_not_end_the_work(tmp_path: Path, streams: str) -> None:
    Image.new("RGB", (8, 8)).save(tmp_path / "a.png")
    (tmp_path / "a.txt").write_text("b, c")
    command = f'exec "{sys.executable}" -m clipnb captions . count {streams}'
    done = subprocess.run(["sh", "-c", command], capture_output=True, text=True, check=False, cwd=tmp_path)
    assert (done.returncode, done.stdout) == (0, "b | 1\nc | 1\n")


@pytest.mark.skipif(sys.platform != "linux", reason="a shell closes them, and its /dev/full is full")
@pytest.mark.parametrize(
    ("streams", "expected"),
    [
        (">&-", (0, "", "1 prompt from 1 file; 2 tags\n")),
        ("2>&-", (0, "b | 1\nc | 1\n", "")),
        (">&- 2>&-", (0, "", "")),
        ("2>/dev/full", (0, "b | 1\nc | 1\n", "")),
        (">/dev/full", (2, "", "cannot read or write the output: No space left on device; choose another place\n")),
    ],
)
def test_outputs_that_are_closed_or_full(tmp_path: Path, streams: str, expected: tuple[int, str, str]) -> None:
    (tmp_path / "p.txt").write_text("a, b, c\n")
    command = f'exec "{sys.executable}" -m clipnb tags count p.txt {streams}'
    done = subprocess.run(["sh", "-c", command], capture_output=True, text=True, check=False, cwd=tmp_path)
    status, out, err = expected
    assert (done.returncode, done.stdout) == (status, out), done.stderr
    assert done.stderr.endswith(err)
    assert "Traceback" not in done.stderr
    assert err or not done.stderr


MISTAKES = {
    "unknown model": ["demo", "{tmp}/out", "--quiet", "--model", "ViT-B-32/opnai"],
    "missing weights": ["demo", "{tmp}/out", "--quiet", "--model", "ViT-B-32/openai"],
    "a file in the way": ["demo", "{tmp}/file/out", "--quiet"],
    "a read-only folder": ["demo", "/proc/out", "--quiet"],
    "a missing label file": ["interrogate", "{tmp}/red.png", "--labels", "{tmp}/gone.txt"],
    "unknown mode": ["interrogate", "{tmp}/red.png", "--mode", "besst"],
    "unknown model to interrogate with": ["interrogate", "{tmp}/red.png", "--model", "ViT-B-33/openai"],
    "unknown key": ["optimise", "{tmp}/typo.yaml", "-o", "{tmp}/out/"],
    "no picture": ["interrogate", "{tmp}/file"],
    "missing picture": ["interrogate", "{tmp}/gone.png"],
    "empty prompt folder": ["tags", "count", "{tmp}/empty"],
    "missing prompt folder": ["tags", "count", "{tmp}/gone"],
}


@pytest.mark.slow
@pytest.mark.parametrize("mistake", MISTAKES)
def test_mistakes_are_one_line_and_leave_nothing_behind(tmp_path: Path, mistake: str) -> None:
    (tmp_path / "file").write_text("no picture")
    (tmp_path / "typo.yaml").write_text("epochs: 3\ntargts: []\n")
    (tmp_path / "empty").mkdir()
    Image.new("RGB", (8, 8), "red").save(tmp_path / "red.png")
    before = sorted(tmp_path.rglob("*"))
    done = run(*(word.format(tmp=tmp_path) for word in MISTAKES[mistake]))
    assert done.returncode == 2, done.stderr
    assert done.stderr.startswith("clipnb: ")
    assert len(done.stderr.splitlines()) == 1, done.stderr
    assert sorted(tmp_path.rglob("*")) == before
