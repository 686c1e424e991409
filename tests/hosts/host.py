"""Run the tests as a host would: `python tests/hosts/host.py colab -m "not browser"`.

Makes an environment of the host's Python and of the versions that it has preinstalled, installs clipnb into it as
README says, refuses any change of a version that was there, and runs pytest with whatever arguments follow; ends with
a row of a table: versions, counts of tests, seconds.
Needs uv (`pip install uv`), which gets the host's Python where it is missing. Environments are kept in the folder that
CLIPNB_HOSTS names, else made anew.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import NamedTuple
from xml.etree import ElementTree

_HERE = Path(__file__).parent
_ROOT = _HERE.parent.parent
_TOOLS = [
    "pytest",
    "pytest-xdist",
    "hypothesis",
    "playwright",
    "nbclient",
    "nbformat",
    "hatchling",
    "editables",
    "tomli",
]
_SHOWN = ("torch", "transformers", "pillow", "ipywidgets", "notebook", "jupyterlab")


class Host(NamedTuple):
    """What a host has before clipnb comes."""

    python: str
    pinned: bool = True  # by a file of its name, with what is preinstalled
    resolution: str = "highest"  # of what is not pinned, in uv's words


HOSTS = {
    "colab": Host("3.13"),
    "kaggle": Host("3.12"),
    "oldest": Host("3.10", pinned=False, resolution="lowest-direct"),
    "newest": Host("3.13", pinned=False),
}


def main(name: str, *pytest_arguments: str) -> int:
    """Make a host's environment, install clipnb there, and return pytest's exit code; 1 where a pin was changed."""
    host = HOSTS[name]
    keep = os.environ.get("CLIPNB_HOSTS")
    if shutil.which("uv") is None:
        sys.exit("uv is missing: pip install uv")
    with tempfile.TemporaryDirectory() as made:
        folder = Path(keep or made) / name
        python = make_environment(name, folder)
        if host.pinned:
            _install_as_readme_says(name, python)
        else:
            _uv(python, "--resolution", host.resolution, "--editable", f"{_ROOT}[lite,test]")
        environment = {**os.environ, "PATH": f"{python.parent}:{os.environ['PATH']}", "VIRTUAL_ENV": str(folder)}
        report = Path(made) / "report.xml"
        tests = [python, "-m", "pytest", f"--junitxml={report}", *pytest_arguments]
        began = time.monotonic()
        code = subprocess.run(tests, cwd=_ROOT, env=environment).returncode
        if report.exists() and report.stat().st_size:  # empty where pytest itself broke down
            print(_table(name, python, report, time.monotonic() - began), flush=True)
        return code


def _table(name: str, python: Path, report: Path, seconds: float) -> str:
    """Return what was run and what came of it as a table of Markdown."""
    suite = ElementTree.parse(report).getroot()[0].attrib
    failed, skipped = int(suite["failures"]) + int(suite["errors"]), int(suite["skipped"])
    versions = {package.lower(): line.partition("==")[2] for package, line in _versions(python).items()}
    said = subprocess.run([python, "-V"], capture_output=True, text=True, check=True).stdout.split()[1]
    row = {
        "host": name,
        "Python": said,
        **{package: versions.get(package, "none") for package in _SHOWN},
        "passed": str(int(suite["tests"]) - failed - skipped),
        "failed": str(failed),
        "skipped": str(skipped),
        "seconds": f"{seconds:.0f}",
    }
    return "\n".join(f"| {' | '.join(cells)} |" for cells in (row, ["---"] * len(row), row.values()))


def make_environment(name: str, folder: Path) -> Path:
    """Make an environment of a host's Python and of what is preinstalled there, unless there is one; return Python."""
    python = folder / "bin" / "python"
    if not python.exists():
        _run("uv", "venv", "--quiet", "--seed", "--python", HOSTS[name].python, folder, env=_with_pyenv())
    if HOSTS[name].pinned:
        _uv(python, "--requirements", _HERE / f"{name}.txt")
    return python


def _install_as_readme_says(name: str, python: Path) -> None:
    pins = _HERE / f"{name}.txt"
    before = _versions(python)
    _run(python, "-m", "pip", "install", "--quiet", "--editable", f"{_ROOT}[lite,parquet]")
    after = _versions(python)
    changed = [f"{line} -> {after.get(package)}" for package, line in before.items() if after.get(package) != line]
    if changed:
        sys.exit(f"installing clipnb on {name} changed what was there: {', '.join(changed)}")
    print(f"{name}: clipnb came to {len(before)} packages, none of which it changed", flush=True)
    _uv(python, *_TOOLS, "--constraints", pins)


def _versions(python: Path) -> dict[str, str]:
    """Return each installed package with its version."""
    frozen = subprocess.run(["uv", "pip", "freeze", "-p", python], capture_output=True, text=True, check=True).stdout
    return {line.partition("==")[0]: line for line in frozen.splitlines() if "==" in line}


def _uv(python: Path, *arguments: object) -> None:
    _run("uv", "pip", "install", "--quiet", "--python", python, *arguments)


def _run(*command: object, env: dict[str, str] | None = None) -> None:
    subprocess.run(list(map(str, command)), check=True, env=env)


def _with_pyenv() -> dict[str, str]:
    """Return the environment with every Python of pyenv on the path, whose own shims show one at a time."""
    pythons = sorted((Path.home() / ".pyenv" / "versions").glob("*/bin"))
    return {**os.environ, "PATH": os.pathsep.join([*map(str, pythons), os.environ["PATH"]])}


if __name__ == "__main__":
    if len(sys.argv) < 2 or sys.argv[1] not in HOSTS:
        sys.exit(f"usage: {sys.argv[0]} {'|'.join(HOSTS)} [pytest's arguments]")
    sys.exit(main(*sys.argv[1:]))
