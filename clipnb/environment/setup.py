"""Where this process runs, what a notebook can count on there, and `clipnb.setup()`, its first line."""

from __future__ import annotations

import os
import sys
from dataclasses import dataclass
from enum import Enum
from pathlib import Path

from clipnb import html
from clipnb.files import expanded


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
    ipython = sys.modules.get("IPython")
    shell = ipython.get_ipython() if ipython else None
    if type(shell).__name__ == "ZMQInteractiveShell":
        return Host.VSCODE if "VSCODE_PID" in os.environ or "VSCODE_CWD" in os.environ else Host.JUPYTER
    return Host.IPYTHON if shell else Host.TERMINAL


@dataclass(frozen=True)
class Setup:
    """What a notebook can count on here; shows itself as a small table.

    Attributes:
        host: where the notebook runs.
        device: what computes, such as "cuda:0: Tesla T4" or "cpu".
        memory: free and total gibibytes of the GPU, or "".
        precision: what encoders compute in: "fp32", "bf16" or "fp16".
        model: what `auto` means here.
        third_party_widgets: whether panels made of third-party widgets load here.
        background: whether a panel's work runs in a thread ("thread") or on the kernel's event loop ("event loop").
        advice: what would make it better, or "".
        bundle: the bundle in use and the models in it, or "".
    """

    host: Host
    device: str
    memory: str
    precision: str
    model: str
    third_party_widgets: bool
    background: str
    advice: str
    bundle: str = ""

    def _rows(self) -> list[tuple[str, str]]:
        rows = [
            ("host", self.host.value),
            ("device", self.device),
            ("GPU memory", self.memory),
            ("precision", self.precision),
            ("model", self.model),
            ("bundle", self.bundle),
            ("panels run in", f"a {self.background}" if self.background == "thread" else "the kernel's event loop"),
            ("advice", self.advice),
        ]
        return [(name, value) for name, value in rows if value]

    def __str__(self) -> str:
        return "\n".join(f"{name:<14} {value}" for name, value in self._rows())

    def _repr_html_(self) -> str:
        return html.facts(self._rows())


def setup(bundle: str | Path | None = None) -> Setup:
    """Find out where this notebook runs and switch on what its panels need; never installs anything.

    Args:
        bundle: folder that `clipnb bundle` made, for a machine without internet: weights and embedded label
            tables are taken from it from now on, in this process and those that it starts ($CLIPNB_BUNDLE). It may
            be read-only.

    Returns:
        What was found; the last expression of a cell shows it as a table. Running it twice does no harm.

    Raises:
        BundleError: the folder is no bundle, or files of it are missing or have another size.
    """
    from clipnb.models.device import describe_device, precision_name, resolve_device, resolve_precision
    from clipnb.models.load import ABOUT_LITE, choose_automatically

    contents = "" if bundle is None else _use_bundle(expanded(bundle).resolve())
    host = find_host()
    if host is Host.COLAB:
        _enable_colab_widgets()
    device = resolve_device()
    name, memory = describe_device(device)
    model = choose_automatically(announce=False)  # a log line would be a red box in the notebook
    advice = [host.gpu_advice if device.type == "cpu" else "", ABOUT_LITE if model == "lite" else ""]
    return Setup(
        host=host,
        device=name,
        memory=memory,
        precision=precision_name(resolve_precision("auto", device)),
        model=model,
        third_party_widgets=host.loads_widgets,
        background="thread" if host.shows_threads else "event loop",
        advice="; ".join(filter(None, advice)),
        bundle=contents,
    )


def _use_bundle(folder: Path) -> str:
    from clipnb.bundle.manifest import check_bundle

    manifest = check_bundle(folder)
    os.environ["CLIPNB_BUNDLE"] = str(folder)
    return f"{folder}: {', '.join(manifest.models)}"


def _enable_colab_widgets() -> None:
    output = getattr(sys.modules.get("google.colab"), "output", None)
    if output is not None:
        output.enable_custom_widget_manager()
