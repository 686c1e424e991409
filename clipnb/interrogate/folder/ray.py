"""The same work on all machines of a Ray cluster: actors hold the models, this process writes the rows."""

from __future__ import annotations

import json
import logging
import math
import os
from collections.abc import Generator, Iterable
from dataclasses import asdict, replace
from pathlib import Path
from types import TracebackType
from typing import Any, NamedTuple

from clipnb.errors import ClipnbError, first_line
from clipnb.images import is_url
from clipnb.interrogate.batches import in_batches
from clipnb.interrogate.folder.image_files import ImageFile
from clipnb.interrogate.folder.manifest import Fingerprint, RunOptions, fingerprint
from clipnb.interrogate.folder.rows import Row
from clipnb.interrogate.folder.worker import BatchRows, LocalWorker
from clipnb.interrogate.interrogator import Interrogator
from clipnb.interrogate.labels.word_lists import LabelSource
from clipnb.interrogate.settings import Settings

_PATIENCE = 900.0  # seconds until the first machine must have loaded the models
_CPUS_A_MODEL = 4  # where there are no GPUs
_BATCHES_A_SHARD = 8  # at most; what is computed again when a machine is lost
_OBJECT_STORE = 128 * 2**20  # bytes; nothing but names and rows passes through it
_ATTEMPTS = 4  # to start Ray: it gives its own helpers 15 seconds, which a busy machine may not manage


class ClusterError(ClipnbError, RuntimeError):
    """Ray is missing, or the work failed on a machine of the cluster."""


class Cluster:
    """Does the work by Ray Data, on a cluster that is running or on this machine alone."""

    def __init__(self, options: RunOptions, labels: LabelSource | None, settings: Settings) -> None:
        """Import Ray; raises `ClusterError` where it is not installed."""
        os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")  # nothing is reported to anyone
        try:
            import ray
            import ray.data
        except ImportError as error:
            raise ClusterError("engine 'ray' needs Ray: pip install 'clipnb[ray]'") from error
        self._ray: Any = ray
        self._recipe = _Recipe(options, labels, settings)
        self._started = False
        self._fingerprint: Fingerprint = {}
        self.quiet = settings.quiet
        self.batch_size = 0

    def __enter__(self) -> Cluster:
        """Join the cluster that `ray.init` or $RAY_ADDRESS names; else start one on this machine."""
        if not self._ray.is_initialized():
            self._start()
            self._started = True
        logging.getLogger("ray.data").setLevel(logging.ERROR)  # it would tell of itself between our lines
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        """Leave the cluster, or end it where it was started for this run."""
        if self._started:
            self._ray.shutdown()

    def _start(self) -> None:
        own: dict[str, int] = {}
        if not os.environ.get("RAY_ADDRESS"):  # logical CPUs: what moves the shards needs room beside the models
            cores = max(os.cpu_count() or 1, (self._recipe.options.workers or 1) + 2)
            own = {"object_store_memory": _OBJECT_STORE, "num_cpus": cores}
        for attempt in range(_ATTEMPTS):
            try:
                self._ray.init(include_dashboard=False, log_to_driver=False, logging_level="error", **own)
                return
            except Exception as error:  # Ray raises the class itself
                self._ray.shutdown()
                if attempt == _ATTEMPTS - 1:
                    raise ClusterError(f"Ray does not start: {first_line(error)}") from error

    def fingerprint(self) -> Fingerprint:
        """Collect what the rows depend on, on one of the machines; raises `ClusterError` where none could do it."""
        task = self._ray.remote(**self._needs())(_probe)
        try:
            self._fingerprint, self.batch_size = self._ray.get(task.remote(self._recipe), timeout=_PATIENCE)
        except self._ray.exceptions.RayError as error:
            raise _failed(error) from error
        return self._fingerprint

    def remember(self, row: Row) -> None:
        """Do nothing: each shard finds its own copies of an image, so that rows do not depend on the machine."""

    def describe(self, images: Iterable[ImageFile]) -> Generator[BatchRows, None, None]:
        """Compute shard by shard; those of a lost machine are computed again."""
        data = self._ray.data
        context = data.DataContext.get_current()
        context.execution_options.preserve_order = True
        context.enable_progress_bars = False
        shards = self._shards(list(images))
        actors = min(self._actors(), len(shards))
        rows = data.from_items(shards, override_num_blocks=len(shards)).map_batches(
            _Actor,
            batch_size=1,
            batch_format="numpy",
            fn_constructor_args=(self._recipe, self._fingerprint),
            compute=data.ActorPoolStrategy(min_size=1, max_size=actors, initial_size=actors),
            **self._needs(),
        )
        try:
            for row in rows.iter_rows():
                answer = json.loads(row["rows"])
                yield BatchRows([Row.read(values) for values in answer["rows"]], answer["kept"])
        except self._ray.exceptions.RayError as error:
            raise _failed(error) from error

    def _shards(self, images: list[ImageFile]) -> list[dict[str, str]]:
        """Cut the images into shards of whole batches, small enough that every actor has several."""
        batches = math.ceil(len(images) / self.batch_size)
        size = self.batch_size * max(1, min(_BATCHES_A_SHARD, batches // (4 * self._actors())))
        return [
            {"images": json.dumps([asdict(_anywhere(file)) for file in shard])} for shard in in_batches(images, size)
        ]

    def _needs(self) -> dict[str, float]:
        """Ask for a GPU where the cluster has any; for one CPU, so that a busy machine can take part."""
        return {"num_cpus": 1, "num_gpus": 1 if self._resource("GPU") else 0}

    def _actors(self) -> int:
        cpus = self._resource("CPU")
        fitting = self._resource("GPU") or cpus // _CPUS_A_MODEL
        return max(1, int(min(self._recipe.options.workers or fitting, cpus - 1)))

    def _resource(self, name: str) -> float:
        amount: float = self._ray.cluster_resources().get(name, 0.0)
        return amount


def _anywhere(file: ImageFile) -> ImageFile:
    """Name an image so that processes in other folders find it."""
    return file if is_url(file.source) else replace(file, source=str(Path(file.source).absolute()))


class _Recipe(NamedTuple):
    """What a machine needs to make the rows that every other one would make."""

    options: RunOptions
    labels: LabelSource | None
    settings: Settings

    def interrogator(self) -> Interrogator:
        return Interrogator(labels=self.labels, settings=self.settings.changed(quiet=True))


class _Actor:
    """A machine's part: loads the models once, then takes shard after shard."""

    def __init__(self, recipe: _Recipe, there: Fingerprint) -> None:
        self._options, self._interrogator = recipe.options, recipe.interrogator()
        here = fingerprint(self._interrogator, self._options)
        if here != there:
            raise ClusterError(f"the machines do not have the same models and lists: {there} there, {here} here")

    def __call__(self, batch: dict[str, Any]) -> dict[str, list[str]]:
        (images,) = batch["images"]
        worker = LocalWorker(self._interrogator, self._options)
        done = list(worker.describe(ImageFile(**values) for values in json.loads(images)))
        rows = [row.values() for one in done for row in one.rows]
        return {"rows": [json.dumps({"rows": rows, "kept": sum(one.kept for one in done)})]}


def _probe(recipe: _Recipe) -> tuple[Fingerprint, int]:
    worker = LocalWorker(recipe.interrogator(), recipe.options)
    return worker.fingerprint(), worker.batch_size


def _failed(error: Exception) -> ClipnbError:
    """Return what went wrong on another machine in one line, in the words of the mistake itself."""
    cause: BaseException = error
    while (deeper := getattr(cause, "cause", None) or cause.__cause__) is not None:
        cause = deeper
    if isinstance(cause, ClipnbError):
        return cause
    lines = [line.strip() for line in str(cause).splitlines() if line.strip()]
    return ClusterError(f"the work failed on the cluster: {lines[-1] if lines else repr(cause)}")
