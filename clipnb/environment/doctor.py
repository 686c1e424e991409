"""What is here, what is missing, and the command that mends it."""

from __future__ import annotations

import importlib
import os
import platform
import shutil
import sys
from collections.abc import Generator, Iterator
from contextlib import suppress
from dataclasses import dataclass
from importlib import metadata
from itertools import islice

from clipnb.bundle.manifest import BundleError, check_bundle
from clipnb.errors import ClipnbError, first_line, printable
from clipnb.files import bundle_folder, cache_folder
from clipnb.host import Host, find_host
from clipnb.openmp import wished

_LIBRARIES = (
    "torch",
    "torchvision",
    "open_clip_torch",
    "transformers",
    "timm",
    "numpy",
    "ipywidgets",
    "pillow",
)
_MOST_FOLDERS = 10_000  # of a cache that are measured; $CLIPNB_CACHE may name anything


@dataclass(frozen=True)
class Finding:
    """One line of the report; `remedy` is what mends it, usually a command; a `fatal` one stops everything."""

    topic: str
    value: str
    remedy: str = ""
    fatal: bool = False


def examine() -> Iterator[Finding]:
    """Yield what is found about versions, device, memory, precision, models and cache; never asks the network."""
    host = find_host()
    yield Finding("clipnb", metadata.version("clipnb"))
    yield Finding("python", f"{platform.python_version()} on {platform.platform(terse=True)}, {host.value}")
    missing = yield from _libraries()
    if missing:
        return
    yield from _device(host)
    yield from _models()
    yield from _cache()
    yield from _bundle()


def examine_model(name: str) -> Iterator[Finding]:
    """Yield how a model prepares pictures, and whether it tells shipped photographs apart; loads it."""
    from clipnb.models.checks.probe import probe
    from clipnb.models.load import load_model

    try:
        encoder = load_model(name)
    except ClipnbError as error:
        yield Finding(f"model {name}", first_line(error), "clipnb models --here lists what can be loaded", fatal=True)
        return
    yield Finding("pictures", encoder.preparation or f"as {encoder.name} is built, {encoder.image_size} px")
    verdict = probe(encoder)
    yield Finding("probe", f"{verdict.right} of {verdict.of} photographs told apart")
    for problem in verdict.problems:
        yield Finding("probe", problem, "get its weights anew, and name the architecture they were made with")


def _libraries() -> Generator[Finding, None, bool]:
    broken = False
    for name in _LIBRARIES:
        try:
            version = metadata.version(name)
        except metadata.PackageNotFoundError:
            broken = True
            yield Finding(name, "missing", f"pip install {name}", fatal=True)
            continue
        yield Finding(name, version)
    for module in ("torch", "torchvision"):
        try:
            importlib.import_module(module)
        except (ImportError, OSError, RuntimeError) as error:
            broken = True
            remedy = "pip install -U torch torchvision"
            yield Finding(module, f"cannot be imported: {first_line(error)}", remedy, fatal=True)
    return broken


def _device(host: Host) -> Iterator[Finding]:
    import torch

    from clipnb.models.device import describe_device, precision_name, resolve_device, resolve_precision

    device = resolve_device()
    name, memory = describe_device(device)
    advice = "" if memory else host.gpu_advice
    yield Finding("device", f"{name}, {memory or f'{torch.get_num_threads()} threads'}", advice)
    waiting = wished() or "spin, which is fastest; in notebooks they sleep, unless OMP_WAIT_POLICY is set"
    yield Finding("waiting threads", printable(waiting))
    yield Finding("precision", precision_name(resolve_precision("auto", device)))


def _models() -> Iterator[Finding]:
    from clipnb.models.lite.weights import CLASSIFIERS, REMEDY, check_weights
    from clipnb.models.load import choose_automatically, local_models

    try:
        check_weights()
        yield Finding("model lite", "here, weights match their digests")
    except ClipnbError as error:
        yield Finding("model lite", str(error), REMEDY)
    here = [name for name in local_models() if name not in CLASSIFIERS]
    advice = "" if here else "load_model('ViT-B-32/openai') downloads a real CLIP (600 MB) once"
    yield Finding("other models", ", ".join(here) or "none in the local cache", advice)
    chosen = choose_automatically(announce=False)
    usable = chosen in here or chosen in CLASSIFIERS
    wished = " ($CLIPNB_MODEL)" if os.environ.get("CLIPNB_MODEL") else ""
    yield Finding("auto means", chosen + wished, "" if usable else f"{chosen} is downloaded when it is first loaded")


def _cache() -> Iterator[Finding]:
    folder = cache_folder()
    existing = next(place for place in (folder, *folder.parents) if place.exists())
    free = shutil.disk_usage(existing).free / 2**30
    size = 0
    for parent, _, files in islice(os.walk(folder), _MOST_FOLDERS):  # which passes over folders that go away meanwhile
        for file in files:
            with suppress(OSError):
                size += os.lstat(os.path.join(parent, file)).st_size  # noqa: PTH118 - may be many
    writable = existing.is_dir() and os.access(existing, os.W_OK)
    remedy = "" if writable else "set CLIPNB_CACHE to a folder that can be written to"
    yield Finding("cache", f"{folder}, {size / 2**20:.0f} MiB used, {free:.0f} GiB free", remedy)


def _bundle() -> Iterator[Finding]:
    folder = bundle_folder()
    if folder is None:
        return
    try:
        manifest = check_bundle(folder)
    except BundleError as error:
        yield Finding("bundle", str(error), "unset CLIPNB_BUNDLE, or set it to a whole one")
    else:
        yield Finding("bundle", f"{folder}: {', '.join(manifest.models)}, {manifest.size / 2**20:.0f} MiB")


def as_text(finding: Finding) -> str:
    """Return a finding for a terminal: a mark, the topic, what was found, and what to do."""
    has_unicode = (getattr(sys.stdout, "encoding", None) or "").lower().replace("-", "").startswith("utf")
    marks = ("✗", "!", "✓") if has_unicode else ("x", "!", "ok")
    mark = marks[0] if finding.fatal else marks[1] if finding.remedy else marks[2]
    line = f"{mark:>2} {finding.topic:<16} {finding.value}"
    return f"{line}\n{'':20}-> {finding.remedy}" if finding.remedy else line
