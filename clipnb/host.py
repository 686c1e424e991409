"""Which kind of place this process runs in, and what it can do there."""

from __future__ import annotations

import os
import sys
from enum import Enum


class Host(Enum):
    """A kind of place that clipnb runs in; the value is its name for people."""

    COLAB = "Google Colab"
    KAGGLE = "Kaggle"
    VSCODE = "VS Code notebook"
    MARIMO = "marimo"
    JUPYTER = "Jupyter"
    IPYTHON = "IPython terminal"
    TERMINAL = "terminal"

    @property
    def shows_threads(self) -> bool:
        """Whether what a thread changes in a widget shows; Colab keeps it until a cell runs, marimo loses it."""
        return self not in (Host.COLAB, Host.MARIMO)

    @property
    def loads_widgets(self) -> bool:
        """Whether third-party widgets load."""
        return self is not Host.KAGGLE

    @property
    def gpu_advice(self) -> str:
        """How to get a GPU here, or ""."""
        return {
            Host.COLAB: "for a GPU: Runtime > Change runtime type > T4 GPU",
            Host.KAGGLE: "for a GPU: Settings > Accelerator > GPU T4 x2",
        }.get(self, "")


def find_host() -> Host:
    """Return where this process runs, by loaded modules and variables; imports nothing."""
    if "google.colab" in sys.modules or "COLAB_RELEASE_TAG" in os.environ:
        return Host.COLAB
    if "KAGGLE_KERNEL_RUN_TYPE" in os.environ:
        return Host.KAGGLE
    if "marimo" in sys.modules and sys.modules["marimo"].running_in_notebook():
        return Host.MARIMO
    ipython = sys.modules.get("IPython")
    shell = ipython.get_ipython() if ipython else None
    if type(shell).__name__ == "ZMQInteractiveShell":
        return Host.VSCODE if "VSCODE_PID" in os.environ or "VSCODE_CWD" in os.environ else Host.JUPYTER
    return Host.IPYTHON if shell else Host.TERMINAL
