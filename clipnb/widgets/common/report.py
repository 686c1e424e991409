"""What a person can send with a report of a mistake: versions, device, what was written, the last lines."""

from __future__ import annotations

import platform
import sys
import traceback
from importlib import metadata
from pathlib import Path

from clipnb.host import find_host

_PACKAGES = ("clipnb", "torch", "open_clip_torch", "transformers", "ipywidgets", "ipykernel", "anywidget")
_CALLS = 6  # of the stack that are shown
_LONGEST = 4000  # characters of what was written


def report(error: BaseException, written: str = "") -> str:
    """Return a mistake for a report, without the path of the home folder.

    Args:
        error: what went wrong.
        written: what the panel was asked for, such as YAML.
    """
    lines = [f"{name} {version}" for name in _PACKAGES if (version := _version(name)) is not None] + [
        f"python {platform.python_version()}, {platform.system()}, {find_host().value}",
        f"device {_device()}",
    ]
    if written:
        lines += ["", written[:_LONGEST].rstrip()]
    calls = traceback.extract_tb(error.__traceback__)[-_CALLS:]
    lines += ["", *(f"{call.filename}:{call.lineno} {call.name}: {call.line or ''}" for call in calls)]
    lines += [f"{type(error).__name__}: {error}"]
    return "\n".join(lines).replace(str(Path.home()), "~")


def _version(name: str) -> str | None:
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return None


def _device() -> str:
    if "torch" not in sys.modules:  # tags need none
        return "not asked for"
    from clipnb.models.device import describe_device, resolve_device

    return " ".join(describe_device(resolve_device())).strip()
