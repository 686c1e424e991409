"""Why a model of the hub cannot be had is told without asking the hub."""

from __future__ import annotations

import re
import socket
from collections.abc import Callable

import pytest
from huggingface_hub import constants

from clipnb.errors import ModelUnavailableError
from clipnb.models import local
from clipnb.models.captioner import load_captioner
from clipnb.models.load import load_model


@pytest.fixture
def online(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", False)
    for proxy in ("HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.delenv(proxy, raising=False)
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_: [])


def no_address(*_: object) -> None:
    raise socket.gaierror("no such host")


@pytest.mark.usefixtures("online")
def test_a_hub_that_can_be_asked_is_no_reason(monkeypatch: pytest.MonkeyPatch) -> None:
    assert local.why_missing("org/repo") is None
    monkeypatch.setattr(socket, "getaddrinfo", no_address)
    assert local.why_missing("org/repo") == "org/repo is not in the local cache, and the model hub cannot be reached"
    monkeypatch.setenv("HTTPS_PROXY", "http://proxy:3128")
    assert local.why_missing("org/repo") is None


def test_what_is_no_name_is_not_there() -> None:
    assert local.find_in_cache("org/repo", "config.json") is None
    assert local.find_in_cache("a b/c?d", "config.json") is None
    assert "a b/c?d" in (local.why_missing("a b/c?d") or "")


@pytest.mark.parametrize(
    ("load", "name"),
    [
        (load_captioner, "blip-large"),
        (load_captioner, "someone/something"),
        (load_model, "hf-hub:someone/something"),
        (load_model, "ViT-B-32/laion2b_s34b_b79k"),
    ],
)
def test_it_is_said_once_that_a_model_is_not_in_the_cache(
    load: Callable[..., object], name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    with pytest.raises(ModelUnavailableError) as caught:
        load(name, "cpu")
    assert len(re.findall("local cache", str(caught.value))) == 1
    assert "HF_HUB_OFFLINE is set" in str(caught.value)


def test_an_odd_name_is_refused_in_words() -> None:
    with pytest.raises(ModelUnavailableError, match="a b"):
        load_model("hf-hub:a b/c?d", "cpu")
