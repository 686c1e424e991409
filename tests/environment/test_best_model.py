"""`clipnb.setup(model="best")` against an imitated hub and imitated hosts: chosen, said, and kept."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import huggingface_hub
import pytest
from huggingface_hub import constants

import clipnb
from clipnb.environment import setup as module
from clipnb.host import Host
from clipnb.models import device_plan
from clipnb.models import hub as client
from clipnb.models.device_plan import DeviceFacts
from tests.models.hub_server import Hub, hub_server

REPOSITORIES = {
    "ViT-B-32/openai": "timm/vit_base_patch32_clip_224.openai",
    "ViT-L-14/openai": "timm/vit_large_patch14_clip_224.openai",
}
FILE = "open_clip_model.safetensors"


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Hub]:
    with hub_server() as hub:
        for name, repository in REPOSITORIES.items():
            hub.repositories[repository] = {FILE: name.encode() * 10_000}
        monkeypatch.setattr(constants, "ENDPOINT", hub.address)
        monkeypatch.setattr(constants, "HF_HUB_OFFLINE", False)
        monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path / "usual"))
        monkeypatch.setattr(client, "_PAUSE", 0.01)
        for variable in ("HF_HUB_CACHE", "HF_HOME", "CLIPNB_MODEL"):
            monkeypatch.setenv(variable, "")  # so that it is put back afterwards
            monkeypatch.delenv(variable)
        for place in ("_DRIVE", "_CONTENT", "_WORKING", "_INPUT"):
            monkeypatch.setattr(module, place, tmp_path / place)
        huggingface_hub.close_session()
        yield hub
        huggingface_hub.close_session()


def on(monkeypatch: pytest.MonkeyPatch, host: Host, memory: int = 0) -> None:
    monkeypatch.setattr(module, "find_host", lambda: host)
    monkeypatch.setattr(device_plan, "find_facts", lambda _: DeviceFacts("cpu", memory=memory))


@pytest.mark.parametrize(
    ("memory", "name"), [(0, "ViT-B-32/openai"), (8 * 10**9, "ViT-B-32/openai"), (15 * 10**9, "ViT-L-14/openai")]
)
def test_the_best_for_the_memory(
    server: Hub, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], memory: int, name: str
) -> None:
    on(monkeypatch, Host.JUPYTER, memory)
    found = clipnb.setup(model="best")
    assert found.model == name == os.environ["CLIPNB_MODEL"]
    said = capsys.readouterr().out
    assert name in said
    assert "MB, about" in said
    assert "lite" not in found.advice
    sent = server.sent
    assert clipnb.setup(model="best") == found
    assert (server.sent, capsys.readouterr().out) == (sent, "")


@pytest.mark.parametrize(
    ("host", "folders", "place"),
    [
        (Host.COLAB, ["_CONTENT"], "_CONTENT"),
        (Host.COLAB, ["_CONTENT", "_DRIVE"], "_DRIVE"),
        (Host.KAGGLE, ["_WORKING"], "_WORKING"),
        (Host.JUPYTER, ["_CONTENT", "_WORKING"], "usual"),
    ],
)
def test_where_it_is_kept(
    server: Hub, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, host: Host, folders: list[str], place: str
) -> None:
    for folder in folders:
        (tmp_path / folder).mkdir()
    on(monkeypatch, host)
    assert clipnb.setup(model="best").model == "ViT-B-32/openai"
    assert list((tmp_path / place).rglob(FILE))


def test_what_is_attached_on_kaggle_is_not_downloaded(
    server: Hub, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    client.fetch(REPOSITORIES["ViT-B-32/openai"], FILE)
    (tmp_path / "_WORKING").mkdir()
    (tmp_path / "_INPUT" / "datasets" / "me").mkdir(parents=True)
    (tmp_path / "usual").rename(tmp_path / "_INPUT" / "datasets" / "me" / "my-models")
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    on(monkeypatch, Host.KAGGLE)
    assert clipnb.setup(model="hosted").model == "ViT-B-32/openai"


@pytest.mark.parametrize("fault", ["offline", "busy", "disk", "cut"])
def test_where_it_cannot_be_had_lite_goes_on(
    server: Hub, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, fault: str
) -> None:
    on(monkeypatch, Host.COLAB)
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", fault == "offline")
    server.status = 500 if fault == "busy" else 0
    server.cut_at = [0.5] + [0.0] * 4 if fault == "cut" else []
    if fault == "disk":
        (tmp_path / "usual").write_text("a file")
    found = clipnb.setup(model="hosted")
    assert found.model == "lite"
    words = {"offline": "HF_HUB_OFFLINE", "busy": "try again later", "disk": "HF_HUB_CACHE", "cut": "only the rest"}
    assert "going on with lite, since" in found.advice
    assert words[fault] in found.advice
    assert "CLIPNB_MODEL" not in os.environ
    if fault == "cut":
        assert clipnb.setup(model="hosted").model == "ViT-B-32/openai"


@pytest.mark.parametrize("host", [Host.JUPYTER, Host.VSCODE, Host.TERMINAL])
def test_nobody_is_asked_at_home(server: Hub, monkeypatch: pytest.MonkeyPatch, host: Host) -> None:
    on(monkeypatch, host)
    assert clipnb.setup(model="hosted").model == "lite"
    assert clipnb.setup().model == "lite"
    assert server.served == []
