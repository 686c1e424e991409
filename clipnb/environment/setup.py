"""`clipnb.setup()`: the first line of a notebook, right in every host."""

from __future__ import annotations

import html
import os
import sys
from dataclasses import dataclass
from pathlib import Path

from clipnb.environment.host import Host, find_host


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
        rows = "".join(
            f"<tr><th style='text-align: left'>{html.escape(name)}</th>"
            f"<td style='text-align: left'>{html.escape(value)}</td></tr>"
            for name, value in self._rows()
        )
        return f"<table>{rows}</table>"


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
    from clipnb.environment.doctor import GPU_ADVICE
    from clipnb.files import expanded
    from clipnb.models.device import describe_device, precision_name, resolve_device, resolve_precision
    from clipnb.models.load import ABOUT_LITE, choose_automatically

    contents = "" if bundle is None else _use_bundle(expanded(bundle).resolve())
    host = find_host()
    if host is Host.COLAB:
        _enable_colab_widgets()
    device = resolve_device()
    name, memory = describe_device(device)
    model = choose_automatically(announce=False)  # a log line would be a red box in the notebook
    advice = [GPU_ADVICE.get(host, "") if device.type == "cpu" else "", ABOUT_LITE if model == "lite" else ""]
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
    """Let Colab load widgets that are not its own; harmless when done already."""
    colab = sys.modules.get("google.colab")
    output = getattr(colab, "output", None)
    if output is not None:
        output.enable_custom_widget_manager()
