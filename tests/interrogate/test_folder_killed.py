"""A run over a folder that is killed, or finds the disk full, and is started again."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from clipnb.errors import OutputError
from clipnb.interrogate import Interrogator, interrogate_folder, read_rows

Drawn = Callable[[int], Path]
PROGRAM = Path(__file__).with_name("interrupted_run.py")
PICTURES = int(os.environ.get("CLIPNB_TEST_PICTURES", "100"))
KILLS = int(os.environ.get("CLIPNB_TEST_KILLS", "6"))


@pytest.mark.slow
@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs processes that fork")
@pytest.mark.parametrize("suffix", ["csv", "parquet"])
def test_a_run_that_is_killed_again_and_again_ends_the_same(
    suffix: str, tiny_clip: str, drawn: Drawn, tmp_path: Path
) -> None:
    folder, output = drawn(PICTURES), tmp_path / f"out.{suffix}"
    command = [sys.executable, PROGRAM, folder, output, tiny_clip, str(KILLS)]
    done = subprocess.run(command, env={**os.environ, "OMP_NUM_THREADS": "1"}, check=True, stdout=-1)
    _, killed, _, left, _, size = done.stdout.split()
    assert int(killed) == KILLS
    assert 0 < int(left) <= int(size)
    whole = tmp_path / f"whole-out.{suffix}"
    assert read_rows(output).equals(read_rows(whole))
    assert suffix == "parquet" or output.read_bytes() == whole.read_bytes()
    assert len(read_rows(output)) == PICTURES


def test_a_full_disk_stops_with_a_clear_word_and_is_gone_on_from(
    small: Callable[..., Interrogator], drawn: Drawn, tmp_path: Path
) -> None:
    resource = pytest.importorskip("resource")
    folder = drawn(24)
    worker = small()
    options = {"interrogator": worker, "batch_size": 4}
    for name in ("out.csv", "out.jsonl", "out.parquet"):
        whole = interrogate_folder(folder, tmp_path / f"whole {name}", "classic", **options).to_frame()
        before = resource.getrlimit(resource.RLIMIT_FSIZE)
        resource.setrlimit(resource.RLIMIT_FSIZE, (2500, before[1]))
        try:
            with pytest.raises(OutputError, match="make room and start the same run again") as caught:
                interrogate_folder(folder, tmp_path / name, "classic", **options)
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, before)
        assert str(tmp_path / name) in str(caught.value)
        kept = len(read_rows(tmp_path / name))
        assert kept % 4 == 0
        assert kept > 0 or name == "out.parquet"
        again = interrogate_folder(folder, tmp_path / name, "classic", **options)
        assert again.kept == kept
        assert again.to_frame().equals(whole)
