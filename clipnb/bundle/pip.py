"""Runs pip, in a process of its own."""

from __future__ import annotations

import importlib.util
import subprocess
import sys
from collections.abc import Sequence

from clipnb.bundle.manifest import BundleError

_LAST_LINES = 3


def run_pip(arguments: Sequence[str]) -> None:
    """Run pip of this Python.

    Raises:
        BundleError: there is no pip, or it failed; with its last lines.
    """
    if importlib.util.find_spec("pip") is None:
        raise BundleError("this Python has no pip; get it with: python -m ensurepip")
    command = [sys.executable, "-m", "pip", "--disable-pip-version-check", "--no-input", *arguments]
    done = subprocess.run(command, capture_output=True, text=True, errors="replace", check=False)  # noqa: S603 - our own
    if done.returncode:
        lines = [line.removeprefix("ERROR: ").strip() for line in done.stderr.splitlines() if line.startswith("ERROR")]
        said = " ".join(lines[-_LAST_LINES:]) or done.stderr.strip()[-500:] or "it did not say why"
        raise BundleError(f"pip {arguments[0]} failed: {said}")
