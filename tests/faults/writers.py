"""Everything in clipnb that writes, as work that can be disturbed, begun again, and compared with work that was not."""

from __future__ import annotations

import hashlib
import io
import os
import re
from collections.abc import Callable, Iterator
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import torch
from PIL import Image
from safetensors.torch import load_file

import clipnb
from clipnb.bundle.manifest import BundleFolder, Manifest
from clipnb.cli import main
from clipnb.demo import tour
from clipnb.environment.lab import copy_notebooks
from clipnb.errors import OutputError
from clipnb.images import save_image
from clipnb.interrogate import CaptionOptions, Interrogator, Settings, interrogate_folder, read_rows
from clipnb.interrogate.kaggle.submission import write_submission
from clipnb.interrogate.labels.collection import Collection
from clipnb.interrogate.labels.table import LabelTable
from clipnb.models.checks.probe import probe_once
from clipnb.models.embedded import embedded
from clipnb.models.lite.classes import imagenet_classes
from clipnb.optimise.language.config import ExperimentConfig
from clipnb.optimise.saved_run import STATE, SavedRun
from clipnb.prompts.caption_set import CaptionSet
from clipnb.tags.counting.counts import TagCounts
from clipnb.tags.export import export_counts, export_graph, export_web
from clipnb.tags.graph import build_graph
from clipnb.tags.page import show_graph
from clipnb.tags.picture import plot_graph
from clipnb.widgets.dataset.thumbnails import thumbnail
from clipnb.widgets.interrogate.results import HistoryTab
from clipnb.widgets.live.session import LiveSession
from tests.interrogate.conftest import SMALL_LISTS
from tests.optimise.conftest import PlainEncoder

Contents = dict[str, set[str]]
"""What there is at the end: by name, without the number that a taken name gets, digests of what was written."""
ENCODER = PlainEncoder()
PROMPTS = ["x, " + ", ".join(f"tag {(n * k) % 23}" for n in range(8)) for k in range(1, 12)]
FILM = {"frames": {"count": 3, "steps": 2, "camera": {"rotate": 3}}}


@dataclass(frozen=True)
class Writer:
    """Work that writes into `out` below a folder, and goes on or begins again when it is done once more.

    Attributes:
        work: does it, in a folder.
        modules: in which it writes.
        prepare: makes what it needs.
        result: what is compared; all files below `out` unless given.
        encodes: whether an encoder takes part.
        is_cache: whether a place that cannot be written to costs only time.
    """

    work: Callable[[Path], object]
    modules: tuple[str, ...]
    prepare: Callable[[Path], object] = lambda folder: None
    result: Callable[[Path], Contents] | None = None
    encodes: bool = False
    is_cache: bool = False

    def found(self, folder: Path) -> Contents:
        return self.result(folder) if self.result else files(folder / "out")


def files(folder: Path) -> Contents:
    """Look at the files below a folder; an empty one is a name that was claimed by what did not come to its end."""
    found: Contents = {}
    for path in sorted(folder.rglob("*")):
        content = path.read_bytes() if path.is_file() else b""
        name = re.sub(r"(-\d+)(?=(-frames)?(/|\.\w+$|$))", "", path.relative_to(folder).as_posix())
        if content and "lock" not in path.name:
            content = re.sub(rb"(?m)^(# seconds|output:|- ?image:).*\n", b"", content)
            found.setdefault(name, set()).add(hashlib.sha256(content).hexdigest())
    return found


def torn(folder: Path) -> list[str]:
    """Name what is left of files that are not whole."""
    return [path.name for path in folder.rglob("*") if re.match(r"\.clipnb-[0-9a-f]{8}-|.*\.part$", path.name)]


def pictures(folder: Path, name: str = "in") -> None:
    place, noise = folder / name, np.random.default_rng(0)
    place.mkdir(exist_ok=True)
    for number in range(9):
        Image.fromarray(noise.integers(0, 255, (24, 20, 3), np.uint8)).save(place / f"{number}.png")
    (place / "4.png").write_bytes(b"\x89PNG damaged")


def interrogator(folder: Path) -> Interrogator:
    return Interrogator(ENCODER, labels=SMALL_LISTS, settings=Settings(quiet=True, cache_path=folder / "tables"))


def rows_of(suffix: str) -> Writer:
    def work(folder: Path) -> None:
        place = folder / "out" / f"rows{suffix}"
        interrogate_folder(folder / "in", place, batch_size=2, interrogator=interrogator(folder))

    def result(folder: Path) -> Contents:
        return {"rows": set(read_rows(folder / "out" / f"rows{suffix}").to_csv().splitlines())}

    place = "interrogate.folder.parquet" if suffix == ".parquet" else "interrogate.folder.text_rows"
    return Writer(work, ("interrogate.folder.manifest", place), pictures, result, encodes=True)


def captions_of_a_run(folder: Path) -> None:
    options = CaptionOptions(prepend="sks")
    interrogate_folder(folder / "out", captions=options, batch_size=2, interrogator=interrogator(folder))


def texts(folder: Path) -> Contents:
    return {path.name: {path.read_text()} for path in folder.rglob("*.txt") if path.stem.isdecimal()}


def captions(folder: Path) -> None:
    for number in range(40):
        (folder / "out" / f"{number:03}.png").write_bytes(b"image")
        (folder / "out" / f"{number:03}.txt").write_text(f"1girl, seed {number}")


def edit(folder: Path) -> None:
    edited = CaptionSet(folder / "out")
    edited.append("new")
    written = edited.save()
    if written.skipped:
        raise OutputError(str(written))


def labels(folder: Path) -> None:
    words = [f"phrase {number}" for number in range(200)]
    LabelTable.build("flavors", words, ENCODER, folder=folder / "out", chunk_size=16, quiet=True)


def embeddings(folder: Path) -> Contents:
    """Look at the numbers alone: the order of what stands beside them is any."""
    kept = [load_file(path)["embeddings"] for path in (folder / "out").glob("*.safetensors")]
    return {"embeddings": {hashlib.sha256(one.numpy().tobytes()).hexdigest() for one in kept}}


def collection(folder: Path) -> None:
    kept = Collection.open([f"prompt {n}, light" for n in range(200)], ENCODER, folder=folder / "out", quiet=True)
    hits = kept.nearest(embedded(ENCODER, ["prompt 7, light"]), 3)
    (folder / "hits").write_text(repr(hits))


def hits(folder: Path) -> Contents:
    return {"hits": {(folder / "hits").read_text()}}


def experiment(**more: object) -> ExperimentConfig:
    target = {"features": [{"text": "a"}], "batch_size": 2, "transforms": [{"random_rotate": "-9 9"}]}
    base = {"epochs": 6, "resolution": 16, "seed": 3, "snapshot_interval": 1, "verbose": 0, "device": "cpu"}
    return ExperimentConfig.from_dict({**base, "targets": [target], **more})


def run_of(name: str, **more: object) -> Writer:
    def work(folder: Path) -> None:
        for state in sorted((folder / "out").glob(f"*{STATE}")):
            if state.stat().st_size:
                SavedRun.resumed(str(state.with_suffix(".yaml")), {}, print).run()
                return
        if not any(ended(folder / "out")):
            SavedRun(experiment(output=str(folder / "out" / name), **more), "run", 0, print).run()

    def result(folder: Path) -> Contents:
        found: Contents = {}
        for picture in ended(folder / "out"):
            made = [picture, *sorted(picture.with_name(f"{picture.stem}-frames").glob("*.png"))]
            for number, file in enumerate(made):
                found.setdefault(str(number), set()).add(hashlib.sha256(file.read_bytes()).hexdigest())
        return found

    film = ("optimise.film.writing",) if more else ()
    return Writer(work, ("optimise.results", "optimise.run_state", *film), result=result, encodes=True)


def ended(folder: Path) -> Iterator[Path]:
    """Yield the pictures of runs that came to their end."""
    for told in sorted(folder.glob("*.yaml")):
        steps = re.search(r"^# steps: (\d+) of (\d+)$", told.read_text(), re.MULTILINE)
        if steps and steps[1] == steps[2] and not told.with_suffix(STATE).exists():
            yield told.with_suffix(".png")


def live(folder: Path) -> None:
    session = LiveSession(lambda step: None, lambda: None, print, encoder=ENCODER, in_thread=False)
    session.start(experiment())
    session.save(None, folder / "out" / "live.png")
    session.history.film(folder / "out" / "live.webp")


def history(folder: Path) -> None:
    """Keep the snapshots of a run on disk, as they come."""
    refused: list[Exception] = []
    session = LiveSession(lambda step: None, lambda: None, refused.append, encoder=ENCODER, in_thread=False)
    session.keeps_in = folder / "out" / "history"
    session.start(experiment())
    session.join()
    if refused:
        raise refused[0]


def from_a_page(folder: Path) -> None:
    """Take what a browser sends to panels, a picture and a painted area, and save the table of what was found."""
    panel: Any = clipnb.live("a cat", encoder=ENCODER, in_thread=False, live_chart=False)
    problems: list[Any] = []
    panel.show_problem = lambda problem, **_: problems.append(problem)
    panel.save_tab.folder.value = str(folder / "out")
    content = (folder / "in" / "0.png").read_bytes()
    part = {"key": "k", "kind": "part", "number": 1, "name": "a.png", "size": len(content), "start": 0, "first": True}
    panel.init_image.upload.receive(part, [memoryview(content)])
    panel.areas.purpose.value = 0
    panel.guarded(lambda: panel.areas.painter.receive({"event": "mask", "width": 8, "height": 8}, [b"\xff\0" * 32]))
    made = {"mode": "fast", "prompt": "a cat", "similarity": 0.5, "caption": "", "caption_source": "none"}
    shown = SimpleNamespace(image=SimpleNamespace(name="a.png")), SimpleNamespace(model="lite", seconds=1.0, **made)
    table: Any = [SimpleNamespace(request=shown[0], result=shown[1])]
    tab = HistoryTab(panel, table)
    tab.place.value = str(folder / "out" / "prompts.csv")
    tab.save.click()
    if problems:
        raise problems[0]


def converted(folder: Path) -> None:
    with redirect_stdout(io.StringIO()), redirect_stderr(io.StringIO()):  # which may be files on the disk that fills
        code = main(["convert", "clip_fft -t a", "--from", "aphantasia", "--output", str(folder / "out" / "a.yaml")])
    if code:
        raise OutputError("the command printed why")


def facts_of_models(folder: Path) -> None:
    """Look at an encoder and at the names of classes, which are kept where that is possible."""
    seen = probe_once(ENCODER, sorted((folder / "in").iterdir())), imagenet_classes()
    (folder / "facts").write_text(hashlib.sha256(repr(seen).encode()).hexdigest()[:9])


def facts(folder: Path) -> Contents:
    return {"facts": {(folder / "facts").read_text()}}


def submission(folder: Path) -> None:
    numbers = np.random.default_rng(0).normal(size=(30, 384))
    write_submission(numbers, [f"{n:03}" for n in range(30)], folder / "out" / "submission.csv", overwrite=True)


def bundle(folder: Path) -> None:
    made = BundleFolder(folder / "out")
    made.start(Manifest(clipnb="1", python="3.11", platform="any"))
    made.finish([made.add(source, f"models/{source.name}") for source in sorted((folder / "in").iterdir())])


def exports(folder: Path) -> None:
    graph, out = build_graph(PROMPTS), folder / "out"
    export_counts(TagCounts(PROMPTS), out / "counts.csv")
    for suffix in ("json", "graphml", "csv", "html"):
        export_graph(graph, out / f"graph.{suffix}")
    plot_graph(graph, out / "plot.png")
    show_graph(graph).save(out / "page.html")
    export_web(graph, out / "web")


def thumbnails(folder: Path) -> None:
    os.environ["CLIPNB_CACHE"] = str(folder / "out")
    for path in sorted((folder / "in").glob("[0-3].png")):
        thumbnail(path)


def small_pictures(folder: Path) -> Contents:
    return {"thumbnails": {digest for digests in files(folder / "out").values() for digest in digests}}


def kept_pictures(folder: Path) -> None:
    noise = torch.rand(3, 40, 40, generator=torch.Generator().manual_seed(0))
    for suffix in ("png", "jpg", "webp", "tif"):
        save_image(noise, folder / "out" / f"a.{suffix}")


def demo(folder: Path) -> None:
    with tour.staged(folder / "out" / "demo") as (_, staging):
        for name in ("a.png", "b.json", tour.PAGE):
            (staging / name).write_bytes(name.encode() * 1000)


PANELS = ("widgets.live.areas", "widgets.live.init_image", "widgets.interrogate.results")
WRITERS = {
    "rows in CSV": rows_of(".csv"),
    "rows in JSON": rows_of(".jsonl"),
    **({"rows in Parquet": rows_of(".parquet")} if find_spec("pyarrow") else {}),
    "captions of a run": Writer(
        captions_of_a_run, ("prompts.caption_log",), lambda folder: pictures(folder, "out"), texts, encodes=True
    ),
    "edits of captions": Writer(edit, ("prompts.caption_log",), captions, texts),
    "table of labels": Writer(labels, ("models.embedding_files",), result=embeddings, encodes=True, is_cache=True),
    "collection of prompts": Writer(
        collection, ("interrogate.labels.collection",), result=hits, encodes=True, is_cache=True
    ),
    "picture": run_of("run.png"),
    "film": run_of("film.webp", **FILM),
    "live picture": Writer(live, ("optimise.results", "optimise.film.writing"), encodes=True),
    "submission": Writer(submission, ("interrogate.kaggle.submission",)),
    "bundle": Writer(bundle, ("bundle.manifest",), pictures),
    "history on disk": Writer(history, ("widgets.live.session",), encodes=True),
    **({"from a page": Writer(from_a_page, PANELS, pictures)} if find_spec("anywidget") else {}),
    "converted YAML": Writer(converted, ("optimise.cli",)),
    "facts of models": Writer(
        facts_of_models, ("models.checks.probe", "models.lite.classes"), pictures, facts, is_cache=True
    ),
    "exports": Writer(exports, ("tags.export", "tags.picture", "tags.page")),
    "thumbnails": Writer(thumbnails, ("widgets.dataset.thumbnails",), pictures, small_pictures, is_cache=True),
    "pictures": Writer(kept_pictures, ("images.output",)),
    "notebooks": Writer(lambda folder: copy_notebooks(folder / "out"), ("environment.lab",)),
    "demo": Writer(demo, ("demo.tour",)),
}
