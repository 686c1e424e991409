"""Devices and precisions: what `auto` means, and clear words where a machine lacks one."""

from __future__ import annotations

import pytest
import torch

from clipnb.errors import DeviceError
from clipnb.models.device import PRECISIONS, precision_name, resolve_device, resolve_precision

CPU, CUDA = torch.device("cpu"), torch.device("cuda", 0)


@pytest.fixture
def card(monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 1)
    monkeypatch.setattr(torch.cuda, "current_device", lambda: 0)
    monkeypatch.setattr(torch.cuda, "get_device_capability", lambda _: request.param)


@pytest.fixture
def no_card(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: False)


@pytest.mark.parametrize(("card", "expected"), [((7, 5), torch.float16), ((8, 0), torch.bfloat16)], indirect=["card"])
def test_auto_on_a_card(card: None, expected: torch.dtype) -> None:
    assert resolve_device("auto") == CUDA
    assert resolve_precision("auto", CUDA) == expected
    with pytest.raises(DeviceError, match="cuda:0"):
        resolve_device("cuda:3")


def test_auto_without_a_card(no_card: None) -> None:
    assert resolve_device("auto") == CPU
    assert resolve_precision("auto", CPU) == torch.float32


@pytest.mark.parametrize("wrong", ["cuda", "cuda:1", "mps", "gpu", "meta", "cpu:x"])
def test_devices_that_are_not_here(no_card: None, wrong: str) -> None:
    with pytest.raises(DeviceError, match="cpu"):
        resolve_device(wrong)


@pytest.mark.parametrize("wrong", ["fp16", "int8", "FP32"])
def test_precisions_of_no_use(wrong: str) -> None:
    with pytest.raises(DeviceError):
        resolve_precision(wrong, CPU)


@pytest.mark.parametrize("name", PRECISIONS)
def test_names_and_types_match(name: str) -> None:
    assert precision_name(PRECISIONS[name]) == name
