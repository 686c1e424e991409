"""What is printed cannot act on a terminal: names, tags, prompts and typed words are escaped, wherever they appear."""

from __future__ import annotations

import io
import sys
from pathlib import Path

import pytest

from clipnb.cli import main
from clipnb.progress import log, progress_bar, say

HOSTILE = "\x1b[2J\x07\u202egnp.cat\x9b31m\udcff"


def is_harmless(text: str) -> bool:
    return not any(mark in text for mark in "\x1b\x07\u202e\x9b\udcff")


def test_lines_are_escaped_and_line_breaks_stay(capsys: pytest.CaptureFixture[str]) -> None:
    say(f"a\n{HOSTILE}")
    assert capsys.readouterr().out == "a\n\\x1b[2J\\x07\\u202egnp.cat\\x9b31m\\udcff\n"


def test_what_an_encoding_does_not_have_is_escaped() -> None:
    stream = io.TextIOWrapper(io.BytesIO(), encoding="ascii")
    say("snow \u2603", stream)
    stream.seek(0)
    assert stream.read() == "snow \\u2603\n"


def test_a_closed_output_is_borne(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdout", None)
    say("nobody hears it")


@pytest.mark.parametrize(
    "arguments",
    [
        [HOSTILE],
        ["doctor", HOSTILE],
        ["bundle", "x", f"--{HOSTILE}"],
        ["demo", "--seed", HOSTILE],
        ["optimise", "-r", HOSTILE],
        ["tags", HOSTILE],
    ],
)
def test_typed_words_are_quoted_safely(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit, match="2"):
        sys.exit(main(arguments))
    assert is_harmless(capsys.readouterr().err)


def test_paths_without_permission_are_quoted_safely(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def refuse(*_: object) -> None:
        raise PermissionError(13, "Permission denied", HOSTILE)

    monkeypatch.setattr("clipnb.environment.doctor.examine", refuse)
    assert main(["doctor"]) == 2
    assert is_harmless(capsys.readouterr().err)


@pytest.mark.parametrize("arguments", [["demo", "y" * 5000], ["lab", "y" * 5000], ["doctor"]], ids=lambda a: a[0])
def test_a_path_that_no_file_can_have_is_told_in_words(
    arguments: list[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("CLIPNB_CACHE", "x" * 5000)
    assert main(arguments) == 2
    assert "File name too long" in capsys.readouterr().err


def test_prompts_and_names_are_printed_safely(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "a\x1b[31m.txt").write_text("a portrait, cat\x1b[2J, \u202eoil\n", encoding="utf-8")
    main(["tags", "count", str(tmp_path)])
    main(["interrogate", str(tmp_path / "a\x1b[31m.txt")])
    shown = capsys.readouterr()
    assert "cat" in shown.out
    assert is_harmless(shown.out + shown.err)


def test_bars_and_warnings_are_printed_safely(
    capsys: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    with progress_bar(f"embedding\n{HOSTILE}", "label") as report:
        report(1, 1)
    assert is_harmless(capsys.readouterr().err.replace("\x1b[A", ""))
    log.warning("cannot read %s", HOSTILE)
    assert is_harmless(caplog.text)
    assert "gnp.cat" in caplog.text
