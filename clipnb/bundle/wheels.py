"""Wheels: which ones are needed, how large they are, and getting those that are not there yet."""

from __future__ import annotations

import importlib.machinery
import json
import subprocess
import sys
import tempfile
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath
from typing import Any
from urllib.parse import unquote, urlsplit
from urllib.request import url2pathname

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name as normal

from clipnb.bundle.manifest import BundleError, BundleFolder
from clipnb.bundle.target import Target
from clipnb.download import download
from clipnb.files import sha256_of
from clipnb.progress import Progress
from clipnb.temporary import scratch_folder

_ASKED_AT_ONCE = 4  # files whose size is asked for at the same time: indexes are shared by all
_LAST_LINES = 3  # of what pip says when it fails
_GROUP = 64 * 2**20  # bytes that one call of pip gets: what is lost at most when it is interrupted


@dataclass(frozen=True)
class Wheel:
    """One wheel on an index: normal name of the package, digest in hex ("" when unknown), bytes (None when unknown)."""

    name: str
    url: str
    sha256: str
    size: int | None = None

    @property
    def file(self) -> str:
        return PurePosixPath(unquote(urlsplit(self.url).path)).name


def resolve(requirements: Sequence[str], target: Target, without: Iterable[str] = ()) -> list[Wheel]:
    """Return the wheels that requirements need on another machine, as pip finds them; fetches only descriptions.

    Args:
        requirements: as pip takes them.
        target: the other machine.
        without: packages that it has already: they are left out, with what only they need.

    Returns:
        Wheels sorted by name, sizes not known yet.

    Raises:
        BundleError: pip cannot find them all.
    """
    left_out = {normal(name) for name in without}
    extras = {wanted.name: wanted.extras for wanted in map(Requirement, requirements)}
    wanted = list(requirements)
    while True:
        found = _report(wanted, target)
        needed = _needed(wanted, found, left_out)
        kept = [entry for entry in found if normal(entry["metadata"]["name"]) in needed]
        asked = needed_there((entry["metadata"] for entry in kept), extras, target)
        more = {normal(one.name): str(one) for one in asked if normal(one.name) not in needed | left_out}
        if not more:
            return sorted(map(_wheel, kept), key=lambda wheel: wheel.name)
        wanted += sorted(more.values())


def _report(requirements: Sequence[str], target: Target) -> list[dict[str, Any]]:
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder) / "report.json"
        # Older pips take options of another platform only with a target, even where nothing is installed.
        asked = ["install", "--dry-run", "--ignore-installed", f"--report={report}", f"--target={folder}"]
        run_pip([*asked, *target.pip_options, *requirements])
        found: list[dict[str, Any]] = json.loads(report.read_text(encoding="utf-8"))["install"]
    return found


def with_size(wheels: Sequence[Wheel]) -> list[Wheel]:
    """Return wheels with their sizes, without fetching them."""
    with ThreadPoolExecutor(_ASKED_AT_ONCE) as pool:
        return list(pool.map(lambda wheel: replace(wheel, size=_size(wheel.url)), wheels))


def is_there(wheel: Wheel, folder: Path) -> bool:
    """Whether a folder holds a wheel already, byte for byte where its digest is known."""
    path = folder / wheel.file
    return path.is_file() and (not wheel.sha256 or sha256_of(path) == wheel.sha256)


def fetch(
    wheels: Sequence[Wheel], bundle: BundleFolder, place: str, target: Target, progress: Progress | None = None
) -> list[str]:
    """Get wheels into a bundle; each appears under its name when it is whole and its digest is right.

    Args:
        wheels: what is missing.
        bundle: where to.
        place: the folder in it.
        target: the other machine.
        progress: told how many are done.

    Returns:
        Their places in the bundle.

    Raises:
        BundleError: pip cannot get one; what it got before stays.
        OutputError: the folder cannot be written to.
    """
    places: list[str] = []
    for group in _groups(wheels):
        with scratch_folder(bundle.folder) as partial:
            addresses = [f"{w.name} @ {w.url}" + (f"#sha256={w.sha256}" if w.sha256 else "") for w in group]
            run_pip(["download", "--no-deps", f"--dest={partial}", *target.pip_options, *addresses])
            for path in sorted(partial.glob("*.whl")):
                bundle.add(path, f"{place}/{path.name}")
        missing = [wheel.file for wheel in group if not (bundle.folder / place / wheel.file).is_file()]
        if missing:
            raise BundleError(f"pip did not deliver {', '.join(missing)}")
        places += [f"{place}/{wheel.file}" for wheel in group]
        if progress:
            progress(len(places), len(wheels))
    return places


def _wheel(entry: dict[str, Any]) -> Wheel:
    place = entry["download_info"]
    hashes: dict[str, str] = place.get("archive_info", {}).get("hashes", {})
    return Wheel(normal(entry["metadata"]["name"]), place["url"], hashes.get("sha256", ""))


def _needed(requirements: Sequence[str], found: Sequence[dict[str, Any]], without: Collection[str]) -> set[str]:
    # Markers are not looked at: pip has chosen already, and a package too many does no harm.
    asks = {normal(entry["metadata"]["name"]): entry["metadata"].get("requires_dist", []) for entry in found}
    reached: set[str] = set()
    waiting = [normal(Requirement(requirement).name) for requirement in requirements]
    while waiting:
        name = waiting.pop()
        if name in asks and name not in reached and name not in without:
            reached.add(name)
            waiting += [normal(Requirement(requirement).name) for requirement in asks[name]]
    return reached


def _size(url: str) -> int | None:
    parts = urlsplit(url)
    try:
        if parts.scheme == "file":
            return Path(url2pathname(parts.path)).stat().st_size
        return int(download(url, 0, "HEAD")[0]["Content-Length"])
    except (OSError, TypeError, ValueError):
        return None


def _groups(wheels: Sequence[Wheel]) -> Iterator[list[Wheel]]:
    group: list[Wheel] = []
    for wheel in wheels:
        if group and sum(w.size or 0 for w in [*group, wheel]) > _GROUP:
            yield group
            group = []
        group.append(wheel)
    if group:
        yield group


def needed_there(
    descriptions: Iterable[dict[str, Any]], extras: Mapping[str, Collection[str]], target: Target
) -> Iterator[Requirement]:
    """Yield requirements whose conditions hold on the other machine: pip reads them by the one that it runs on.

    Args:
        descriptions: metadata of packages, as pip reports it.
        extras: that are asked for, by the packages' names.
        target: the other machine.
    """
    for description in descriptions:
        chosen = ["", *extras.get(description["name"], ())]
        for text in description.get("requires_dist", []):
            wanted = Requirement(text)
            marker, wanted.marker = wanted.marker, None
            if marker and any(marker.evaluate({**target.markers, "extra": extra}) for extra in chosen):
                yield wanted


def run_pip(arguments: Sequence[str]) -> None:
    """Run pip of this Python, in a process of its own.

    Raises:
        BundleError: there is no pip, or it failed; with its last lines.
    """
    # Not by `importlib.util`: on old Pythons setuptools' finder then takes this program for pip and fails later.
    if importlib.machinery.PathFinder.find_spec("pip") is None:
        raise BundleError("this Python has no pip; get it with: python -m ensurepip")
    command = [sys.executable, "-m", "pip", "--disable-pip-version-check", "--no-input", *arguments]
    done = subprocess.run(command, capture_output=True, text=True, errors="replace", check=False)  # noqa: S603 - our own
    if done.returncode:
        lines = [line.removeprefix("ERROR: ").strip() for line in done.stderr.splitlines() if line.startswith("ERROR")]
        said = " ".join(lines[-_LAST_LINES:]) or done.stderr.strip()[-500:] or "it did not say why"
        raise BundleError(f"pip {arguments[0]} failed: {said}")
