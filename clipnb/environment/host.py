"""Which kind of place this is."""

from __future__ import annotations

import os
import sys
from enum import Enum


class Host(Enum):
    """A kind of place that clipnb runs in; the value is its name for people."""

    COLAB = "Google Colab"
    KAGGLE = "Kaggle"
    VSCODE = "VS Code notebook"
    JUPYTER = "Jupyter"
    IPYTHON = "IPython terminal"
    TERMINAL = "terminal"

    @property
    def shows_threads(self) -> bool:
        """Whether what a thread changes in a widget shows; Colab keeps it until a cell runs."""
        return self is not Host.COLAB

    @property
    def loads_widgets(self) -> bool:
        """Whether third-party widgets load."""
        return self is not Host.KAGGLE


def find_host() -> Host:
    """Tell where this process runs; looks at loaded modules and variables, imports nothing."""
    if "google.colab" in sys.modules or "COLAB_RELEASE_TAG" in os.environ:
        return Host.COLAB
    if "KAGGLE_KERNEL_RUN_TYPE" in os.environ:
        return Host.KAGGLE
    shell = _shell_name()
    if shell == "ZMQInteractiveShell":
        return Host.VSCODE if "VSCODE_PID" in os.environ or "VSCODE_CWD" in os.environ else Host.JUPYTER
    return Host.IPYTHON if shell else Host.TERMINAL


def _shell_name() -> str:
    ipython = sys.modules.get("IPython")
    shell = ipython.get_ipython() if ipython else None
    return type(shell).__name__ if shell else ""
