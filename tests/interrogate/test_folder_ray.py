"""The same rows from a Ray cluster, though one of its workers is lost."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from clipnb.errors import ClipnbError
from clipnb.interrogate import Interrogator, Settings, SettingsError, interrogate_folder, read_rows
from clipnb.models.encoder import DualEncoder

Drawn = Callable[[int], Path]
PROGRAM = Path(__file__).with_name("ray_run.py")


@pytest.mark.slow
@pytest.mark.skipif(not Path("/proc").is_dir(), reason="finds the worker to kill in /proc")
def test_no_row_is_lost_or_doubled_when_a_worker_is_killed(
    tiny_clip: str, encoder: DualEncoder, small_lists: dict[str, list[str]], drawn: Drawn, tmp_path: Path
) -> None:
    pytest.importorskip("ray", reason="Ray is missing: pip install 'clipnb[ray]'")
    labels = tmp_path / "labels"
    labels.mkdir()
    for name, entries in small_lists.items():
        (labels / f"{name}.txt").write_text("\n".join(entries))
    folder = drawn(100)
    worker = Interrogator(encoder, labels=labels, settings=Settings(quiet=True))
    alone = interrogate_folder(folder, tmp_path / "alone.parquet", batch_size=4, interrogator=worker)
    output = tmp_path / "out.parquet"
    command = [sys.executable, PROGRAM, folder, output, tiny_clip, labels]
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    done = subprocess.run(command, env=environment, check=True, stdout=subprocess.PIPE)
    said = done.stdout.decode().splitlines()
    assert [line for line in said if line.startswith(("killed", "made"))] == [  # Ray itself tells of the loss between
        "killed one",
        "made 100 kept 0 errors 10",
        "made 0 kept 100 errors 10",
    ]
    assert sum(pq.read_table(shard).num_rows for shard in output.glob("part-*.parquet")) == 100
    assert read_rows(output).drop(columns="model").equals(alone.to_frame().drop(columns="model"))


def test_models_that_are_loaded_stay_here(encoder: DualEncoder, drawn: Drawn, tmp_path: Path) -> None:
    pytest.importorskip("ray", reason="Ray is missing: pip install 'clipnb[ray]'")
    with pytest.raises(SettingsError, match="give engine='ray' labels and settings"):
        interrogate_folder(drawn(1), tmp_path / "o.csv", engine="ray", interrogator=Interrogator(encoder))


def test_without_ray_the_error_says_how_to_get_it(
    drawn: Drawn, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "ray", None)
    with pytest.raises(ClipnbError, match=r"pip install 'clipnb\[ray\]'"):
        interrogate_folder(drawn(1), tmp_path / "o.csv", engine="ray")
