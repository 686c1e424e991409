"""Whatever goes wrong, for everything that writes: what comes of it is the undisturbed result, or a clear word."""

from __future__ import annotations

import os
import random
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

pytest.importorskip("resource", reason="needs POSIX")
from clipnb.files import PACKAGE
from tests.faults.disturbed import FAILED, FAULTS, Outcome, Work, prepared, undisturbed
from tests.faults.writers import WRITERS, torn

OF_ENCODERS = ("no memory on the device", "weights that are no numbers")
PARTS = "memory for one picture at a time"
ELSEWHERE = {
    "models.hub": "tests/models/test_hub.py",
    "models.openai": "a cache; written as tables are",
    "models.load": "a cache that may be missing",
    "bundle.own_wheel": "tests/bundle/test_own_wheel.py",
}
"""Modules that write, and where that is disturbed instead; or why it need not be."""
MOMENTS = int(os.environ.get("CLIPNB_TEST_MOMENTS", "34"))  # at which processes are killed, over all writers
EVERYWHERE = [name for name in FAULTS if name not in (*OF_ENCODERS, PARTS, "none")]


@pytest.fixture(scope="session")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("faults")


def check_goes_on(name: str, folder: Path, root: Path) -> None:
    """Work once more, now that nothing is wrong: the result is that of undisturbed work, and nothing else is left."""
    for place in (folder / "out", folder / "cache", folder / "tables"):
        if place.exists():
            place.chmod(0o755)
    again = Work(name, folder).ended()
    assert again.code == 0, again
    assert WRITERS[name].found(folder) == undisturbed(name, root)[0]
    assert torn(folder) == []


def check_word(name: str, outcome: Outcome, folder: Path, root: Path) -> None:
    """It came to its end as if nothing had been, or said by an error of ours what was wrong."""
    assert outcome.code in (0, FAILED), outcome
    if not outcome.said and not WRITERS[name].is_cache:
        assert WRITERS[name].found(folder) == undisturbed(name, root)[0]


@pytest.mark.parametrize("fault", EVERYWHERE)
@pytest.mark.parametrize("name", WRITERS)
def test_a_fault_ends_in_the_result_or_a_clear_word(name: str, fault: str, root: Path, tmp_path: Path) -> None:
    folder = prepared(name, tmp_path / "work")
    for chance in range(3 if "fills" in fault else 1):
        check_word(name, Work(name, folder, fault, chance).ended(), folder, root)
    check_goes_on(name, folder, root)


@pytest.mark.parametrize("fault", OF_ENCODERS)
@pytest.mark.parametrize("name", [name for name, writer in WRITERS.items() if writer.encodes])
def test_an_encoder_that_fails_ends_in_the_result_or_a_clear_word(
    name: str, fault: str, root: Path, tmp_path: Path
) -> None:
    folder = prepared(name, tmp_path / "work")
    check_word(name, Work(name, folder, fault).ended(), folder, root)
    check_goes_on(name, folder, root)


@pytest.mark.parametrize("name", ["rows in CSV", "captions of a run"])
def test_little_memory_changes_no_row(name: str, root: Path, tmp_path: Path) -> None:
    folder = prepared(name, tmp_path / "work")
    outcome = Work(name, folder, PARTS).ended()
    assert outcome.said == ""
    check_word(name, outcome, folder, root)


@pytest.mark.parametrize("name", WRITERS)
def test_two_processes_at_once_end_in_the_result_or_a_clear_word(name: str, root: Path, tmp_path: Path) -> None:
    folder = prepared(name, tmp_path / "work")
    for outcome in [work.ended() for work in [Work(name, folder), Work(name, folder)]]:
        assert outcome.code in (0, FAILED), outcome
    check_goes_on(name, folder, root)


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of 24 KiB, where one may be made."""
    place = tmp_path / "disk"
    place.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", "size=24k", "none", str(place)]
    try:
        subprocess.run(command, check=True, capture_output=True)
    except (OSError, subprocess.CalledProcessError):
        pytest.skip("no disk may be mounted here")
    yield place
    subprocess.run(["umount", "-l", str(place)], check=True)


@pytest.mark.parametrize("name", WRITERS)
def test_a_real_disk_that_fills_is_gone_on_with_when_there_is_room(name: str, root: Path, small_disk: Path) -> None:
    expected, _ = undisturbed(name, root)
    roomy = ["mount", "-o", "remount,size=64m", str(small_disk)]
    subprocess.run(roomy, check=True)
    folder = prepared(name, small_disk / "work")
    blocks = sum(-(-path.stat().st_size // 4096) + 1 for path in small_disk.rglob("*"))
    subprocess.run([*roomy[:2], f"remount,size={4 * (blocks + 6)}k", str(small_disk)], check=True)
    outcome = Work(name, folder).ended()
    check_word(name, outcome, folder, root)
    subprocess.run(roomy, check=True)
    check_goes_on(name, folder, root)
    assert expected


def end(name: str, moment: int, folder: Path, root: Path, *, by_force: bool) -> None:
    """End work at a random moment, and go on."""
    seconds = undisturbed(name, root)[1]
    work = Work(name, prepared(name, folder))
    work.process.join(random.Random(moment).uniform(0, seconds))
    (work.process.kill if by_force else work.process.terminate)()
    assert work.ended().code <= 0
    check_goes_on(name, folder, root)


@pytest.mark.parametrize("moment", range(MOMENTS))
def test_what_is_killed_at_any_moment_is_gone_on_with(moment: int, root: Path, tmp_path: Path) -> None:
    end(list(WRITERS)[moment % len(WRITERS)], moment, tmp_path / "work", root, by_force=True)


@pytest.mark.parametrize("name", WRITERS)
def test_what_is_asked_to_end_is_gone_on_with(name: str, root: Path, tmp_path: Path) -> None:
    end(name, len(name), tmp_path / "work", root, by_force=False)


def test_everything_that_writes_is_disturbed_here_or_elsewhere() -> None:
    for extra in ("pyarrow", "anywidget"):  # without which there is a writer less
        pytest.importorskip(extra)
    primitives = "write_new|write_atomically|write_tensors|claim|claim_folder|copy_missing|open_for_writing|is_claimed"
    writing = re.compile(rf"\b({primitives})\(")
    found = {
        ".".join(path.relative_to(PACKAGE).with_suffix("").parts)
        for path in PACKAGE.rglob("*.py")
        if writing.search(path.read_text(encoding="utf-8"))
    }
    disturbed = {module for writer in WRITERS.values() for module in writer.modules}
    assert found - {"files"} == disturbed | set(ELSEWHERE)
    assert not disturbed & set(ELSEWHERE)
