"""Films made by `clipnb optimise`: files, interruptions, full disks."""

from __future__ import annotations

import errno
import importlib.util
from pathlib import Path

import pytest
import yaml
from torch import Tensor

from clipnb.errors import ClipnbError, ConfigError, OutputError
from clipnb.images import open_image
from clipnb.optimise import saved_run
from tests.optimise.test_cli import run
from tests.optimise.test_resume import interrupt_after, kill_at

pytest.importorskip("av")
FILM = (
    "epochs: 4\nresolution: 20 16\nverbose: 1\nseed: 3\nsnapshot_interval: 1\ndevice: cpu\npixels: fourier\n"
    "targets:\n- features: [a, b]\n  transforms: [random_rotate: -9 9]\n"
    "frames:\n  count: 6\n  steps: 2\n  infill: noise\n  camera: {zoom: 'uniform(1, 1.1)', rotate: 3}\n"
)
NAMES = [f"{number:05}.png" for number in range(6)]


@pytest.fixture
def world(tmp_path: Path, tiny_clip: str, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("CLIPNB_MODEL", tiny_clip)
    Path("e.yaml").write_text(FILM)
    return tmp_path


def names(folder: str) -> list[str]:
    return sorted(path.name for path in Path(folder).iterdir())


def frames(folder: str) -> list[bytes]:
    assert names(folder) == NAMES
    return [Path(folder, name).read_bytes() for name in NAMES]


def test_a_film_is_numbered_frames_and_a_file_that_plays(world: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("optimise", "e.yaml", "-o", "out/reef.webm") == 0
    assert names("out") == ["reef-frames", "reef.png", "reef.webm", "reef.yaml"]
    assert len(set(frames("out/reef-frames"))) == 6
    assert Path("out/reef.png").read_bytes() == Path("out/reef-frames/00005.png").read_bytes()
    assert open_image("out/reef.png").size == (20, 16)
    assert "out/reef.webm, frames in out/reef-frames after 14 of 14 steps" in capsys.readouterr().out
    assert run("optimise", "out/reef.yaml", "-o", "again/") == 0
    assert frames("again/reef-frames") == frames("out/reef-frames")
    assert run("optimise", "e.yaml", "-o", "again/reef.png", "--frames", "2") == 0
    assert names("again") == [
        "reef-1-frames", "reef-1.mp4", "reef-1.png", "reef-1.yaml", "reef-frames", "reef.mp4", "reef.png", "reef.yaml",
    ]  # fmt: skip
    assert names("again/reef-1-frames") == NAMES[:2]


def test_a_film_of_a_text(world: Path) -> None:
    assert run("optimise", "-t", "a reef", "--frames", "2", "-e", "2", "-r", "16", "-o", "f.mp4", "-v", "0") == 0
    assert yaml.safe_load(Path("f.yaml").read_text())["frames"]["count"] == 2
    assert Path("f.mp4").stat().st_size


def test_a_film_of_one_frame(world: Path) -> None:
    assert run("optimise", "e.yaml", "-o", "one.webp", "--frames", "1") == 0
    assert names("one-frames") == NAMES[:1]


def test_names_of_others_are_left_alone(world: Path) -> None:
    Path("a.mp4").write_text("mine")
    Path("a-1-frames").mkdir()
    assert run("optimise", "e.yaml", "-o", "a.mp4") == 0
    assert Path("a.mp4").read_text() == "mine"
    assert names("a-1-frames") == []
    frames("a-2-frames")


def test_an_interrupted_film_goes_on_with_the_same_frames(world: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert run("optimise", "e.yaml", "-o", "whole.mp4") == 0
    todo = ["e.yaml", "-o", "cut.mp4"]
    for count in (1, 6, 9):
        with monkeypatch.context() as patch:
            interrupt_after(patch, count)
            assert run("optimise", *todo) == 130
        todo = ["--resume", "cut.yaml"]
        assert not Path("cut.mp4").exists()
    assert names("cut-frames") == NAMES[:4]
    assert run("optimise", *todo) == 0
    assert frames("cut-frames") == frames("whole-frames")
    assert Path("cut.mp4").read_bytes() == Path("whole.mp4").read_bytes()
    assert not Path("cut.safetensors").exists()


def test_a_film_of_one_frame_is_one_file_and_each_frame_is_written_once(
    world: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    written: list[str] = []
    write = saved_run.write_image

    def note(image: Tensor, path: Path) -> Path:
        written.append(path.name)
        return write(image, path)

    monkeypatch.setattr(saved_run, "write_image", note)
    assert run("optimise", "e.yaml", "-o", "out/one.mp4", "--frames", "1", "-s", "0") == 0
    assert names("out") == ["one-frames", "one.mp4", "one.png", "one.yaml"]
    assert run("optimise", "e.yaml", "-o", "out/six.mp4", "-s", "0") == 0
    assert written == [NAMES[0], *NAMES]


@pytest.mark.slow
def test_a_killed_film_goes_on_with_the_same_frames(world: Path) -> None:
    assert run("optimise", "e.yaml", "-o", "whole.mp4") == 0
    kill_at(4, "e.yaml", "-o", "cut.mp4", "-s", "0.001")
    kill_at(9, "--resume", "cut.yaml")
    assert run("optimise", "--resume", "cut.yaml") == 0
    assert frames("cut-frames") == frames("whole-frames")


def test_a_full_disk_keeps_the_frames_and_says_how_to_go_on(world: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert run("optimise", "e.yaml", "-o", "whole.mp4") == 0
    real = Path.write_bytes

    def full(self: Path, data: bytes) -> int:
        if "00003" in self.name:
            raise OSError(errno.ENOSPC, "No space left on device")
        return real(self, data)

    with monkeypatch.context() as patch:
        patch.setattr(Path, "write_bytes", full)
        with pytest.raises(OutputError) as caught:
            run("optimise", "e.yaml", "-o", "cut.mp4")
    said = str(caught.value)
    assert "cannot write cut-frames/00003.png: No space left on device. What is written stays; " in said
    assert said.endswith("go on by: clipnb optimise --resume cut.yaml")
    assert names("cut-frames") == NAMES[:3]
    assert run("optimise", "--resume", "cut.yaml") == 0
    assert frames("cut-frames") == frames("whole-frames")


def test_a_full_disk_at_the_end_keeps_the_frames(world: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object, **__: object) -> None:
        raise OutputError("cannot write cut.mp4: No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(saved_run, "save_film", full)
        with pytest.raises(OutputError, match=r"cut\.mp4: No space left on device\. What is written stays"):
            run("optimise", "e.yaml", "-o", "cut.mp4")
    frames("cut-frames")
    assert run("optimise", "--resume", "cut.yaml") == 0
    assert Path("cut.mp4").exists()


def test_without_pyav_a_film_is_webp(
    world: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    find = importlib.util.find_spec
    monkeypatch.setattr(importlib.util, "find_spec", lambda name, *more: None if name == "av" else find(name, *more))
    with pytest.raises(ClipnbError, match=r"\.mp4 needs PyAV: pip install 'clipnb\[film\]'; or name it a\.webp"):
        run("optimise", "e.yaml", "-o", "a.mp4")
    assert names(".") == ["e.yaml"]
    assert run("optimise", "e.yaml") == 0
    assert "e-1.webp (MP4: pip install 'clipnb[film]'), frames in e-1-frames" in capsys.readouterr().out


def test_frames_that_are_no_film_are_refused(world: Path) -> None:
    with pytest.raises(ClipnbError, match=r"a film is .*; '\.avi' cannot be written"):
        run("optimise", "e.yaml", "-o", "a.avi")
    with pytest.raises(ConfigError, match="too large"):
        run("optimise", "e.yaml", "--frames", "1000000")
