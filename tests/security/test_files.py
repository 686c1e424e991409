"""Files that a user names: nothing hangs, nothing is overwritten, nothing grows without end."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from clipnb.errors import ClipnbError, OutputError, nearest, reason
from clipnb.files import claim, claim_folder, open_file, read_bytes, read_text, write_new
from clipnb.spreadsheet import guard, unguard, write_frame

WRITER = """
import sys
from pathlib import Path
from clipnb.files import write_new
for number in range(20):
    with write_new(Path(sys.argv[1])) as (target, temporary):
        temporary.write_text(f"{sys.argv[2]} {number}")
"""


def test_processes_that_write_one_name_overwrite_nothing(tmp_path: Path) -> None:
    writers = [
        subprocess.Popen([sys.executable, "-c", WRITER, str(tmp_path / "graph.json"), str(place)]) for place in range(4)
    ]
    assert [writer.wait() for writer in writers] == [0] * 4
    assert sorted(file.read_text() for file in tmp_path.iterdir()) == sorted(
        f"{place} {number}" for place in range(4) for number in range(20)
    )


def test_a_link_that_leads_nowhere_is_not_replaced(tmp_path: Path) -> None:
    link = tmp_path / "a.csv"
    link.symlink_to(tmp_path / "nowhere")
    with write_new(link) as (target, temporary):
        temporary.write_text("x")
    assert (target.name, link.is_symlink(), (tmp_path / "nowhere").exists()) == ("a-1.csv", True, False)
    (tmp_path / "web").symlink_to(tmp_path / "nowhere")
    assert claim_folder(tmp_path / "web").name == "web-1"


def test_a_failed_write_gives_its_name_back(tmp_path: Path) -> None:
    with pytest.raises(OutputError), write_new(tmp_path / "a.csv") as (_, temporary):
        temporary.write_text((tmp_path / "missing").read_text())
    assert list(tmp_path.iterdir()) == []
    (tmp_path / "file").touch()
    with pytest.raises(OutputError, match="is no folder"):
        claim(tmp_path / "file" / "a.csv")


@pytest.mark.parametrize("path", ["pipe", "/dev/zero", ".", "missing", "~nobody-here/x", "a\0b", "\ud800"])
def test_what_is_no_regular_file_is_refused_at_once(path: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    os.mkfifo("pipe")
    with pytest.raises(OSError) as caught:  # noqa: PT011 - every kind is one
        open_file(path)
    assert reason(caught.value)


def test_files_are_read_up_to_a_limit(tmp_path: Path) -> None:
    file = tmp_path / "a.txt"
    file.write_bytes(b"\xef\xbb\xbfabc")
    assert (read_bytes(file, 6)[3:], read_text(file, 6)) == (b"abc", "abc")
    with pytest.raises(OSError, match="larger than 5 bytes"):
        read_bytes(file, 5)
    file.write_bytes(b"\xff\xfe")
    with pytest.raises(OSError, match="no UTF-8 text"):
        read_text(file, 6)


@given(st.text())
def test_any_text_survives_a_cell_and_no_cell_is_a_formula(text: str) -> None:
    cell = guard(text)
    assert unguard(cell) == text.replace("\0", "\ufffd")  # which Python 3.10 would not write
    assert not cell.lstrip().startswith(("=", "+", "-", "@"))


def test_a_frame_is_guarded_whole(tmp_path: Path) -> None:
    frame = pd.DataFrame({"=name": ["@SUM(1)", "oil"], "value": [-1.5, 2.0]}, index=["+a", "b"])
    write_frame(frame, tmp_path / "a.csv", index=True)
    assert (tmp_path / "a.csv").read_text() == ",'=name,value\n'+a,'@SUM(1),-1.5\nb,oil,2.0\n"


def test_messages_cannot_act_on_a_terminal() -> None:
    error = OutputError("cannot write \x1b[2J\u202egnp.cat\ud800")
    assert str(error) == "cannot write \\x1b[2J\\u202egnp.cat\\ud800"
    assert isinstance(error, ClipnbError)
    str(error).encode()


def test_near_names_are_looked_for_among_few() -> None:
    assert nearest("a" * 10**6, (f"column {number}" for number in range(10**6))).startswith("column 0")
