"""How devices are used, by facts of machines that are not here: made up from what is published about them."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from clipnb.models import device_plan
from clipnb.models.device import resolve_device, runs_here
from clipnb.models.device_plan import DeviceFacts, find_facts, gpu_problem, plan

LARGE, SMALL = "ViT-L-14/openai", "ViT-B-32/openai"


@pytest.mark.parametrize(
    ("facts", "precision", "batch", "model", "note"),
    [
        (DeviceFacts("cuda", "Tesla T4", 15_828_320_256, (7, 5)), "fp16", 256, LARGE, ""),
        (DeviceFacts("cuda", "Tesla T4", 15_828_320_256, (7, 5), 2), "fp16", 256, LARGE, "first of 2 GPUs"),
        (DeviceFacts("cuda", "Tesla P100-PCIE-16GB", 17_059_545_088, (6, 0)), "fp16", 256, LARGE, "no tensor cores"),
        (DeviceFacts("cuda", "NVIDIA L4", 23_666_753_536, (8, 9)), "bf16", 256, LARGE, ""),
        (DeviceFacts("cuda", "RTX 3060", 12_630_753_280, (8, 6)), "bf16", 256, LARGE, ""),
        (DeviceFacts("cuda", "RTX 2060", 6_442_450_944, (7, 5)), "fp16", 128, SMALL, ""),
        (DeviceFacts("cuda", "GTX 1650", 4_294_967_296, (7, 5)), "fp16", 64, SMALL, ""),
        (DeviceFacts("mps", memory=5_726_000_000), "fp32", 128, SMALL, ""),
        (DeviceFacts("cpu"), "fp32", 16, SMALL, ""),
    ],
)
def test_plans(facts: DeviceFacts, precision: str, batch: int, model: str, note: str) -> None:
    made = plan(facts)
    assert (made.precision, made.batch_size, made.best_model) == (precision, batch, model)
    assert note in "; ".join(made.notes)
    assert bool(note) == bool(made.notes)


def test_this_machine() -> None:
    device = resolve_device()
    assert find_facts(device).kind == device.type


@pytest.mark.parametrize(
    ("capability", "architectures", "runs"),
    [
        ((6, 0), ["sm_75", "sm_80", "sm_90", "compute_90"], False),
        ((6, 0), ["sm_50", "sm_60", "sm_70"], True),
        ((12, 0), ["sm_75", "sm_90", "compute_90"], True),
        ((12, 0), ["sm_75", "sm_90"], False),
        ((9, 0), ["sm_90a"], True),
        ((9, 4), ["gfx942"], True),
    ],
)
def test_a_gpu_that_torch_has_no_code_for(capability: tuple[int, int], architectures: list[str], runs: bool) -> None:
    assert runs_here(capability, architectures) == runs


def test_a_gpu_too_old_for_torch_is_told_and_not_used(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "current_device", lambda: 0)
    monkeypatch.setattr(torch.cuda, "get_device_capability", lambda *_: (6, 0))
    monkeypatch.setattr(torch.cuda, "get_arch_list", lambda: ["sm_75", "sm_80"])
    monkeypatch.setattr(torch.cuda, "get_device_name", lambda *_: "Tesla P100-PCIE-16GB")
    assert resolve_device().type != "cuda"
    assert "P100-PCIE-16GB is older than this torch" in gpu_problem()


@pytest.mark.parametrize(
    ("cuda", "failure", "words"),
    [
        (None, None, "built without CUDA: pip install"),
        ("13.0", RuntimeError("The NVIDIA driver on your system is too old\nmore"), "cannot use it: The NVIDIA driver"),
        ("13.0", None, "CUDA_VISIBLE_DEVICES"),
    ],
)
def test_a_gpu_that_is_here_and_not_seen(
    cuda: str | None, failure: Exception | None, words: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    def init() -> None:
        if failure:
            raise failure

    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    monkeypatch.setattr(torch.cuda, "init", init)
    monkeypatch.setattr(torch.version, "cuda", cuda)
    monkeypatch.setattr(device_plan, "_DRIVER", tmp_path / "version")
    assert gpu_problem() == ""
    (tmp_path / "version").touch()
    assert words in gpu_problem()
