"""Where this process runs, what a notebook can count on there, and `clipnb.setup()`, its first line."""

from __future__ import annotations

import os
import sys
from contextlib import suppress
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path

from clipnb import html
from clipnb.errors import ModelUnavailableError, OutputError
from clipnb.files import expanded
from clipnb.host import Host, find_host
from clipnb.progress import say

_DRIVE, _CONTENT = Path("/content/drive/MyDrive"), Path("/content")
_WORKING, _INPUT = Path("/kaggle/working"), Path("/kaggle/input")
_MEGABYTES = {"ViT-B-32/openai": 605, "ViT-L-14/openai": 1711}

_LABS_WIDGETS = {7: 1, 8: 3}
"""Major versions of `ipywidgets` and of the `jupyterlab_widgets` that shows it."""


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
        batch_size: pictures that go through a model at a time.
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
    batch_size: int = 0

    def _rows(self) -> list[tuple[str, str]]:
        rows = [
            ("host", self.host.value),
            ("device", self.device),
            ("GPU memory", self.memory),
            ("precision", self.precision),
            ("batches", f"{self.batch_size} pictures" if self.batch_size else ""),
            ("model", self.model),
            ("bundle", self.bundle),
            ("panels run in", f"a {self.background}" if self.background == "thread" else "the kernel's event loop"),
            ("advice", self.advice),
        ]
        return [(name, value) for name, value in rows if value]

    def __str__(self) -> str:
        return "\n".join(f"{name:<14} {value}" for name, value in self._rows())

    def _repr_html_(self) -> str:
        return str(html.facts(self._rows()))


def setup(bundle: str | Path | None = None, model: str = "auto") -> Setup:
    """Find out where this notebook runs and switch on what its panels need; never installs anything.

    Args:
        bundle: folder that `clipnb bundle` made, for a machine without internet: weights and embedded label
            tables are taken from it from now on, in this process and those that it starts ($CLIPNB_BUNDLE). It may
            be read-only.
        model: what `auto` shall mean from now on, in this process and those that it starts ($CLIPNB_MODEL). "auto"
            changes and downloads nothing; "best" is ViT-L-14/openai where a GPU has 12 GB or more, else
            ViT-B-32/openai, downloaded once; "hosted" is "best" on Colab and Kaggle and "auto" elsewhere; any name
            that `load_model` takes. Downloads go to Drive where it is mounted, else /content (Colab), to
            /kaggle/working (Kaggle; attached caches of /kaggle/input are looked into), or where the hub's client has
            its cache. Where a model cannot be had, the advice says why, and everything goes on without it.

    Returns:
        What was found; the last expression of a cell shows it as a table. Running it twice does no harm.

    Raises:
        BundleError: the folder is no bundle, or files of it are missing or have another size.
        UnknownModelError: there is no such model.
    """
    from clipnb.models.device import describe_device, resolve_device
    from clipnb.models.device_plan import find_facts, gpu_problem, plan
    from clipnb.models.load import ABOUT_LITE, choose_automatically

    contents = "" if bundle is None else _use_bundle(expanded(bundle).resolve())
    host = find_host()
    if host is Host.COLAB:
        _enable_colab_widgets()
    device = resolve_device()
    name, memory = describe_device(device)
    planned = plan(find_facts(device))
    if model == "hosted":
        model = "best" if host in (Host.COLAB, Host.KAGGLE) and not os.environ.get("CLIPNB_MODEL") else "auto"
    missing = "" if model == "auto" else _bring(planned.best_model if model == "best" else model, host)
    chosen = choose_automatically(announce=False)  # a log line would be a red box in the notebook
    no_gpu = gpu_problem() or (host.gpu_advice if device.type == "cpu" else "")
    about_lite = missing or (ABOUT_LITE if chosen == "lite" and model != "lite" else "")
    advice = [no_gpu, *planned.notes, about_lite, about_widgets() if host is Host.JUPYTER else ""]
    return Setup(
        host=host,
        device=name,
        memory=memory,
        precision=planned.precision,
        model=chosen,
        third_party_widgets=host.loads_widgets,
        background="thread" if host.shows_threads else "event loop",
        advice="; ".join(filter(None, advice)),
        bundle=contents,
        batch_size=planned.batch_size,
    )


def _bring(name: str, host: Host) -> str:
    """Let `auto` mean a model, downloading it where it is not here; return why it cannot be had, or ""."""
    from clipnb.models.lite.weights import CLASSIFIERS
    from clipnb.models.load import choose_automatically
    from clipnb.models.local import local_weights
    from clipnb.models.sources import canonical_name, find_source

    name = canonical_name(name)
    if name not in CLASSIFIERS:
        if not local_weights(name):
            _use_cache_of(host)
        if not local_weights(name):
            size = _MEGABYTES.get(name, 0)
            minutes = f": {size} MB, about {max(1, round(size / 600))} min at 10 MB/s" if size else ""
            say(f"{name} is downloaded once{minutes}; cut off, it goes on where it was")
        try:
            find_source(name)
        except (ModelUnavailableError, OutputError) as error:
            return f"going on with {choose_automatically(announce=False)}, since {error}"
    os.environ["CLIPNB_MODEL"] = name
    return ""


def _use_cache_of(host: Host) -> None:
    """Let the hub's cache be where a host keeps files, unless somebody chose a place already."""
    from huggingface_hub import constants

    roots = {Host.COLAB: (_DRIVE, _CONTENT), Host.KAGGLE: (_WORKING,)}.get(host, ())
    root = next((root for root in roots if root.is_dir()), None)
    if root is None or "HF_HUB_CACHE" in os.environ or "HF_HOME" in os.environ:
        return
    cache = root / "clipnb-models"
    os.environ["HF_HUB_CACHE"] = constants.HF_HUB_CACHE = str(cache)  # which the hub's client reads when imported
    if host is not Host.KAGGLE:
        return
    for depth in ("*", "*/*", "*/*/*", "*/*/*/*"):  # a dataset or a notebook's output, which is read-only
        for attached in _INPUT.glob(f"{depth}/models--*"):
            with suppress(OSError):
                cache.mkdir(parents=True, exist_ok=True)
                (cache / attached.name).symlink_to(attached)


def about_widgets() -> str:
    """Return what to do where the kernel's widgets and JupyterLab's are of different generations, or ""."""
    try:
        kernel, lab = metadata.version("ipywidgets"), metadata.version("jupyterlab_widgets")
    except metadata.PackageNotFoundError:
        return ""
    if int(lab.split(".")[0]) == _LABS_WIDGETS.get(int(kernel.split(".")[0])):
        return ""
    return (
        f"ipywidgets {kernel} in the kernel and jupyterlab_widgets {lab} are of different generations: "
        "where JupyterLab shows an error in place of panels, pip install -U ipywidgets jupyterlab_widgets"
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
