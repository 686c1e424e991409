"""Makes a bundle of a plan."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import chain
from pathlib import Path

from clipnb import __version__
from clipnb.bundle.guide import write_guide
from clipnb.bundle.manifest import MANIFEST, Manifest, measure_files, write_manifest
from clipnb.bundle.plan import CACHE, MODELS, NOTEBOOKS, WHEELS, Plan
from clipnb.bundle.tables import add_tables
from clipnb.bundle.wheels import fetch
from clipnb.files import copy_atomically
from clipnb.progress import progress_bar


def build(plan: Plan) -> Manifest:
    """Fetch, copy and embed what a plan names; goes on where an earlier run was interrupted.

    Args:
        plan: what goes in.

    Returns:
        What the bundle holds; the same is written into it, last of all.

    Raises:
        BundleError: pip cannot get a wheel.
        OutputError: the folder cannot be written to.
    """
    folder, wishes = plan.folder, plan.wishes
    copy_atomically(plan.own, folder / WHEELS / plan.own.name)
    (folder / MANIFEST).unlink(missing_ok=True)  # the bundle is not complete from here on
    with progress_bar("fetching wheels", "wheel") as report:
        fetch(plan.missing, folder / WHEELS, wishes.target, report)
    wheels = [folder / WHEELS / name for name in (plan.own.name, *(wheel.file for wheel in plan.wheels))]
    weights = _copied((file.source, folder / MODELS / file.place) for file in plan.weights)
    notebooks = _copied((path, folder / NOTEBOOKS / path.name) for path in plan.notebooks)
    tables = chain.from_iterable(add_tables(name, folder / CACHE, wishes.tables) for name in wishes.models)
    manifest = Manifest(
        clipnb=__version__,
        python=wishes.target.python,
        platform=wishes.target.platform,
        without=tuple(wishes.without),
        models=(*wishes.models, *wishes.captioners),
        files=measure_files(folder, chain(wheels, weights, notebooks, tables)),
    )
    write_guide(folder, manifest, ",".join(wishes.extras))
    write_manifest(folder, manifest)
    return manifest


def _copied(pairs: Iterable[tuple[Path, Path]]) -> Iterator[Path]:
    """Copy files whole or not at all; those that are there with the same size and a later date stay."""
    for source, place in pairs:
        if not _is_newer(place, source):
            copy_atomically(source, place)
        yield place


def _is_newer(place: Path, source: Path) -> bool:
    if not place.exists():
        return False
    here, there = place.stat(), source.stat()
    return here.st_size == there.st_size and here.st_mtime >= there.st_mtime
