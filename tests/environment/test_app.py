"""`clipnb app`: what it refuses, and that its page is this machine's alone and wants a token."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys
import urllib.error
import urllib.request
from importlib.util import find_spec
from pathlib import Path

import pytest

from clipnb.cli import main
from clipnb.environment import app
from clipnb.widgets.app import open_panels


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (["--address", "me"], "'me' is no address such as 127.0.0.1"),
        (["--address", "192.0.2.1"], "cannot listen at 192.0.2.1"),
        (["--port", "70000"], "ports go up to 65535"),
    ],
)
def test_a_place_that_cannot_be_had_is_told(
    given: list[str], said: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(app, "find_spec", lambda name: name)
    assert main(["app", *given]) == 2
    assert said in capsys.readouterr().err


def test_a_port_in_use_is_told(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(app, "find_spec", lambda name: name)
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = str(other.getsockname()[1])
        assert main(["app", "--port", port]) == 2
    assert f"127.0.0.1, port {port}" in capsys.readouterr().err


def test_without_voila_the_remedy_is_said(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(app, "find_spec", lambda name: None)
    assert main(["app", "live"]) == 2
    assert "pip install 'clipnb[app]'" in capsys.readouterr().err


def test_panels_are_tabs_that_send_each_other_what_they_have() -> None:
    live, interrogation, tags = open_panels(app.PANELS).children
    assert [button.description for button in interrogation.links.children] == [
        "Send prompt to live panel",
        "Send prompt to tag panel",
    ]
    assert live.links.children
    assert tags.links.children
    assert open_panels(["tags"]).called == "tag panel"


@pytest.mark.skipif(find_spec("voila") is None, reason="no Voila here: pip install 'clipnb[app]'")
def test_the_page_wants_its_token_and_serves_nothing_else(tmp_path: Path) -> None:
    (tmp_path / "voila.py").write_text("raise SystemExit('settings of this folder were run')")
    (tmp_path / "mine.png").write_bytes(b"mine")
    command = [sys.executable, "-m", "clipnb", "app", "--no-browser"]
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2]), "PYTHONSAFEPATH": "1"}
    process = subprocess.Popen(command, cwd=tmp_path, env=environment, stdout=subprocess.PIPE, text=True)
    try:
        address = re.search(r"http://127\.0\.0\.1:\d+/", process.stdout.readline())
        assert address
        for place in ("", "voila/render/clipnb.ipynb", "api/kernels", "voila/tree"):
            assert "/login" in urllib.request.urlopen(address[0] + place, timeout=300).url
        with pytest.raises(urllib.error.HTTPError, match=r"40[34]"):
            urllib.request.urlopen(f"{address[0]}voila/files/mine.png", timeout=300)
    finally:
        process.send_signal(signal.SIGTERM)
        assert process.wait(300) == 0
        process.stdout.close()
    assert [path.name for path in tmp_path.iterdir() if path.name not in ("mine.png", "voila.py")] == []
