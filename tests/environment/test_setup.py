"""`clipnb.setup()` is right in every host and harmless when run twice."""

from __future__ import annotations

import sys
from types import SimpleNamespace

import pytest

import clipnb
from clipnb.environment import setup as module
from clipnb.environment.setup import about_widgets
from clipnb.host import Host


@pytest.mark.parametrize("host", Host)
def test_every_host(monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, host: Host) -> None:
    monkeypatch.setattr(module, "find_host", lambda: host)
    found = clipnb.setup()
    assert caplog.text == "", "a log line is a red box in a notebook"
    assert "ViT-B-32/openai" in found.advice
    assert clipnb.setup() == found
    assert found.host is host
    assert found.model == "lite"
    assert found.third_party_widgets == (host is not Host.KAGGLE)
    assert (found.background == "event loop") == (host in (Host.COLAB, Host.MARIMO))
    assert host.value in str(found)
    assert host.value in found._repr_html_()
    assert type(found._repr_html_()) is str, "marimo shows no other"
    if found.device == "cpu":
        assert ("GPU" in found.advice) == (host in (Host.COLAB, Host.KAGGLE))


def test_colab_gets_its_widget_manager(monkeypatch: pytest.MonkeyPatch) -> None:
    calls: list[str] = []
    output = SimpleNamespace(enable_custom_widget_manager=lambda: calls.append("enabled"))
    monkeypatch.setitem(sys.modules, "google.colab", SimpleNamespace(output=output))
    assert clipnb.setup().host is Host.COLAB
    assert calls == ["enabled"]


@pytest.mark.parametrize(("kernel", "lab", "told"), [("8.1.5", "3.0.13", False), ("7.7.1", "3.0.16", True)])
def test_widgets_of_another_generation_in_jupyterlab_are_told(
    monkeypatch: pytest.MonkeyPatch, kernel: str, lab: str, told: bool
) -> None:
    versions = {"ipywidgets": kernel, "jupyterlab_widgets": lab}
    monkeypatch.setattr("clipnb.environment.setup.metadata.version", versions.__getitem__)
    assert ("pip install -U ipywidgets" in about_widgets()) is told
