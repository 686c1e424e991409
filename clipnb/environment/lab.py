"""Starts JupyterLab on copies of the notebooks."""

from __future__ import annotations

import os
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

from clipnb.errors import ClipnbError
from clipnb.files import copy_missing, shipped

_FIRST = "00-start-here.ipynb"
_LARGEST_MESSAGE = 200 * 2**20  # bytes; the server's own limit of 10 MiB loses larger uploads without a word


def copy_notebooks(folder: Path) -> Path:
    """Copy the notebooks that are not there yet into a folder, and return it; nothing is overwritten.

    Raises:
        OutputError: the folder cannot be written to.
    """
    for notebook in sorted(shipped("notebooks").glob("*.ipynb")):
        copy_missing(notebook, folder / notebook.name)
    return folder


def is_root() -> bool:
    """Whether this is the machine's administrator, for whom JupyterLab starts only with an option."""
    return hasattr(os, "geteuid") and os.geteuid() == 0


def command(folder: Path, *, browser: bool) -> list[str]:
    """Return the command that starts JupyterLab on the first notebook, with room for large uploads."""
    return [
        *(sys.executable, "-m", "jupyterlab", f"--ServerApp.root_dir={folder.resolve()}"),
        f"--LabApp.default_url=/lab/tree/{_FIRST}",
        f"--ServerApp.tornado_settings={{'websocket_max_message_size': {_LARGEST_MESSAGE}}}",
        *(() if browser else ("--no-browser",)),
        *(("--allow-root",) if is_root() else ()),
    ]


def start_lab(folder: Path, *, browser: bool) -> int:
    """Run JupyterLab until it is stopped, and return its exit status.

    Raises:
        ClipnbError: it is not installed.
    """
    if find_spec("jupyterlab") is None:
        raise ClipnbError("there is no JupyterLab here; get it with: pip install 'clipnb[lab]'")
    return subprocess.run(command(folder, browser=browser), check=False).returncode  # noqa: S603 - our own command
