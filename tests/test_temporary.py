"""What killed processes left half written goes away; what others still write stays."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from clipnb import temporary
from clipnb.files import write_atomically

GONE = 2**22 + 1  # more than any number of a process
WRITE = """
import sys
from pathlib import Path

from clipnb.files import write_atomically

with write_atomically(Path(sys.argv[1])) as temporary:
    temporary.write_text("half")
    print(temporary.name, flush=True)
    sys.stdin.read()
"""


@pytest.mark.skipif(os.name != "posix", reason="needs SIGKILL")
def test_what_a_killed_process_left_is_removed_by_the_next_write(tmp_path: Path) -> None:
    def write(name: str) -> set[str]:
        with write_atomically(tmp_path / name) as part:
            part.write_text("whole")
        return {file.name for file in tmp_path.iterdir()}

    command = [sys.executable, "-c", WRITE, str(tmp_path / "torn.txt")]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as writer:
        assert writer.stdout is not None
        half = writer.stdout.readline().strip()
        assert write("first.txt") == {"first.txt", half}  # it is being written
        writer.kill()
    assert writer.returncode == -signal.SIGKILL
    assert (tmp_path / half).read_text() == "half"
    assert write("second.txt") == {"first.txt", "second.txt"}


def test_what_another_machine_writes_is_left_alone_for_a_day(tmp_path: Path) -> None:
    foreign, ours = tmp_path / f".clipnb-00000000-{GONE}-a.txt", tmp_path / ".clipnb-not-made-by-us"
    for file in (foreign, ours):
        file.touch()
    temporary.remove_torn(tmp_path)
    assert foreign.exists()
    for file in (foreign, ours):
        os.utime(file, (1e9, 1e9))
    temporary.remove_torn(tmp_path)
    assert [file.name for file in tmp_path.iterdir()] == [ours.name]


def test_a_scratch_folder_is_gone_at_the_end_and_one_of_a_dead_process_too(tmp_path: Path) -> None:
    for process in (GONE, os.getpid()):
        folder = tmp_path / f".clipnb-{temporary.machine_name()}-{process}-demo"
        folder.mkdir()
        (folder / "half").touch()
    with temporary.scratch_folder(tmp_path) as scratch:
        (scratch / "half").touch()
        (scratch / "whole").touch()
        (scratch / "whole").replace(tmp_path / "whole")
    left = {path.name for path in tmp_path.iterdir()}
    assert left == {"whole", f".clipnb-{temporary.machine_name()}-{os.getpid()}-demo"}
