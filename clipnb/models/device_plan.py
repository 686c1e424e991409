"""What a device is good for: precision, pictures at a time, and the model that fits it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import torch

from clipnb.errors import first_line
from clipnb.models.device import precision_name, runs_here, usual_precision

_FOR_LARGE = 12e9  # bytes of a GPU from which on the larger model is the better choice
_DRIVER = Path("/proc/driver/nvidia/version")


@dataclass(frozen=True)
class DeviceFacts:
    """What is known of a device.

    Attributes:
        kind: "cuda", "mps" or "cpu".
        name: such as "Tesla T4".
        memory: bytes of the GPU in all; 0 of a CPU.
        capability: of CUDA, such as (7, 5).
        count: how many of its kind there are.
    """

    kind: str
    name: str = ""
    memory: int = 0
    capability: tuple[int, int] = (0, 0)
    count: int = 1


@dataclass(frozen=True)
class DevicePlan:
    """How a device is used unless somebody wishes otherwise.

    Attributes:
        precision: "fp32", "bf16" or "fp16".
        batch_size: pictures at a time, where they are only ranked; halved where memory runs out.
        best_model: the encoder that `clipnb.setup(model="best")` takes.
        notes: what is worth knowing.
    """

    precision: str
    batch_size: int
    best_model: str
    notes: tuple[str, ...] = ()


def find_facts(device: torch.device) -> DeviceFacts:
    """Ask torch about a device of this machine."""
    if device.type == "cuda":
        about = torch.cuda.get_device_properties(device)
        count = torch.cuda.device_count()
        return DeviceFacts("cuda", about.name, about.total_memory, (about.major, about.minor), count)
    memory = int(torch.mps.recommended_max_memory()) if device.type == "mps" else 0
    return DeviceFacts(device.type, memory=memory)


def plan(facts: DeviceFacts) -> DevicePlan:
    """Plan how a device is used.

    >>> plan(DeviceFacts("cuda", "Tesla T4", 15_828_320_256, (7, 5)))
    DevicePlan(precision='fp16', batch_size=256, best_model='ViT-L-14/openai', notes=())
    """
    notes = []
    if facts.kind == "cuda" and facts.capability < (7, 0):
        notes.append(f"{facts.name} has no tensor cores: fp16 saves its memory more than time")
    if facts.count > 1:
        notes.append(f"the first of {facts.count} GPUs is used; device='cuda:1' takes the second")
    smaller = 256 if facts.memory >= 10e9 else 128 if facts.memory >= 5e9 else 64
    return DevicePlan(
        precision_name(usual_precision(facts.kind, facts.capability)),
        16 if facts.kind == "cpu" else smaller,
        "ViT-L-14/openai" if facts.memory >= _FOR_LARGE else "ViT-B-32/openai",
        tuple(notes),
    )


def gpu_problem() -> str:
    """Return why a GPU that is in this machine is not used, and what to do; "" where none is, or it is used."""
    if torch.cuda.is_available():
        if runs_here(torch.cuda.get_device_capability(), torch.cuda.get_arch_list()):
            return ""
        name = torch.cuda.get_device_name()
        return f"{name} is older than this torch ({torch.__version__}) computes on; take another GPU, or an older torch"
    if not _DRIVER.exists():
        return ""
    if torch.version.cuda is None:
        return "there is an NVIDIA GPU, but this torch is built without CUDA: pip install -U torch torchvision"
    try:
        torch.cuda.init()  # type: ignore[no-untyped-call]
    except (RuntimeError, AssertionError) as error:  # such as a driver that is too old
        return f"there is an NVIDIA GPU, but torch cannot use it: {first_line(error)}"
    return "there is an NVIDIA GPU, but torch sees none; is CUDA_VISIBLE_DEVICES set?"
