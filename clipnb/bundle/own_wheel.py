"""The wheel of a package that is installed here: built from its checkout, or packed again from its files."""

from __future__ import annotations

import base64
import csv
import hashlib
import importlib.util
import io
import json
import zipfile
from importlib import metadata
from pathlib import Path, PurePosixPath
from urllib.parse import urlsplit
from urllib.request import url2pathname

from clipnb.bundle.manifest import BundleError
from clipnb.bundle.wheels import run_pip
from clipnb.files import write_atomically
from clipnb.temporary import scratch_folder

_WRITTEN_BY_PIP = ("INSTALLER", "REQUESTED", "RECORD", "direct_url.json", "uv_cache.json")
_STAMP = (1980, 1, 1, 0, 0, 0)  # the oldest that a zip can say: the same files make the same wheel


def own_wheel(folder: Path) -> Path:
    """Make the wheel of the clipnb that runs here in a folder, and return it.

    Raises:
        BundleError: it is neither installed from a wheel nor from a checkout.
    """
    installed = metadata.distribution("clipnb")
    checkout = _checkout(installed)
    return build_wheel(checkout, folder) if checkout else pack_again(installed, folder)


def pack_again(installed: metadata.Distribution, folder: Path) -> Path:
    """Make the wheel that an installed package came from, of its own files, and return it.

    Raises:
        BundleError: it brings no list of files, or one that is not there.
    """
    name = installed.metadata["Name"].replace("-", "_")
    tag = _tag(installed.read_text("WHEEL") or "")
    # Read here: `installed.files` leaves out what is gone, from Python 3.12 on.
    rows = csv.reader((installed.read_text("RECORD") or "").splitlines())
    files = [file for file in (PurePosixPath(row[0]) for row in rows if row) if _belongs(file)]
    if not tag or not files:
        raise BundleError(f"{name} was not installed from a wheel; install it from one, or from a checkout with -e")
    record = next(file for file in files if file.name == "METADATA").parent / "RECORD"
    wheel = folder / f"{name}-{installed.version}-{tag}.whl"
    with write_atomically(wheel) as temporary, zipfile.ZipFile(temporary, "w", zipfile.ZIP_DEFLATED) as archive:
        lines = []
        for file in sorted(files, key=lambda file: (file.parent == record.parent, file)):
            content = _content(installed, file)
            archive.writestr(zipfile.ZipInfo(str(file), _STAMP), content, zipfile.ZIP_DEFLATED)
            digest = base64.urlsafe_b64encode(hashlib.sha256(content).digest()).decode().rstrip("=")
            lines.append((str(file), f"sha256={digest}", len(content)))
        archive.writestr(zipfile.ZipInfo(str(record), _STAMP), _as_csv([*lines, (str(record), "", "")]))
    return wheel


def _tag(facts: str) -> str:
    r"""Return the tags of a wheel as its file name has them: each part's values joined by dots.

    >>> _tag("Tag: py2-none-any\nTag: py3-none-any")
    'py2.py3-none-any'
    """
    tags = [line[5:].split("-") for line in facts.splitlines() if line.startswith("Tag: ")]
    return "-".join(".".join(dict.fromkeys(values)) for values in zip(*tags, strict=True))


def _belongs(file: PurePosixPath) -> bool:
    # Scripts, byte code and notes were added when it was installed.
    added = file.name in _WRITTEN_BY_PIP and file.parent.name.endswith(".dist-info")
    return not added and ".." not in file.parts and "__pycache__" not in file.parts and not file.is_absolute()


def _content(installed: metadata.Distribution, file: PurePosixPath) -> bytes:
    try:
        return Path(str(installed.locate_file(str(file)))).read_bytes()
    except OSError as error:
        raise BundleError(f"the installed {installed.metadata['Name']} lacks {file}; install it again") from error


def _as_csv(rows: list[tuple[object, ...]]) -> str:
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows(rows)
    return text.getvalue()


def _checkout(installed: metadata.Distribution) -> Path | None:
    origin = json.loads(installed.read_text("direct_url.json") or "{}")
    if not origin.get("dir_info", {}).get("editable"):
        return None
    return Path(url2pathname(urlsplit(origin["url"]).path))


def build_wheel(checkout: Path, folder: Path) -> Path:
    with scratch_folder(folder) as partial:
        # With hatchling at hand nothing is fetched to build; pip makes a place for it otherwise.
        here = ["--no-build-isolation"] if importlib.util.find_spec("hatchling") else []
        run_pip(["wheel", "--no-deps", *here, f"--wheel-dir={partial}", str(checkout)])
        (wheel,) = partial.glob("*.whl")
        return wheel.replace(folder / wheel.name)
