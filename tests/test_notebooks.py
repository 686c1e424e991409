"""Every notebook runs from top to bottom with small parameters, and is committed with small, still outputs."""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path
from typing import Any

import pytest

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

ROOT = Path(__file__).parent.parent
NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.ipynb"))
SMALL: dict[str, object] = {"STEPS": 4, "SIZE": 32, "MODE": "caption", "MODES": ["caption"], "FLAVORS": None}
"""Values that replace those of the cell tagged `parameters`; a name that is not here keeps its value."""


def cells(path: Path) -> list[dict[str, Any]]:
    content: list[dict[str, Any]] = json.loads(path.read_text(encoding="utf-8"))["cells"]
    return content


def test_there_are_notebooks() -> None:
    assert NOTEBOOKS[0].name == "00-start-here.ipynb"


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_it_runs_from_top_to_bottom(path: Path, tmp_path: Path) -> None:
    nbformat = pytest.importorskip("nbformat", reason="pip install 'clipnb[test]'")
    nbclient = pytest.importorskip("nbclient", reason="pip install 'clipnb[test]'")
    notebook = nbformat.read(path, as_version=4)
    (parameters,) = [cell for cell in notebook.cells if "parameters" in cell.metadata.get("tags", [])]
    lines = [line.split(" = ", 1) for line in parameters.source.splitlines()]
    parameters.source = "\n".join(
        f"{name} = {SMALL[name]!r}" if name in SMALL else f"{name} = {v}" for name, v in lines
    )
    client = nbclient.NotebookClient(
        notebook,
        timeout=1200,
        startup_timeout=600,
        iopub_timeout=60,
        store_widget_state=False,
        resources={"metadata": {"path": str(tmp_path)}},
    )
    client.execute()
    assert [out for cell in notebook.cells for out in cell.get("outputs", []) if out.output_type == "error"] == []


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_it_begins_with_a_badge_and_one_set_up(path: Path) -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    repository = project["urls"]["Repository"].removeprefix("https://github.com/")
    first, second, *_ = cells(path)
    assert f"https://colab.research.google.com/github/{repository}/blob/main/notebooks/{path.name}" in "".join(
        first["source"]
    )
    set_up = "".join(second["source"])
    hosted = 'here = clipnb.setup(model="hosted")  # a real CLIP on Colab and Kaggle\nhere'
    assert set_up.endswith(("clipnb.setup()", "clipnb.setup(bundle=bundle)", hosted))
    assert f"git+{project['urls']['Repository']}" in set_up


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_it_says_what_to_do_where_nothing_can_be_installed(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(AssertionError, match=r"not installed: switch internet on.* bundle"):
        exec(re.sub("%pip .*", "pass", "".join(cells(path)[1]["source"])), {})


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_what_is_committed_is_small_and_still(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert len(text) < 1_000_000
    assert "widget-state" not in text
    assert "widget-view" not in text
    counts = [cell["execution_count"] for cell in cells(path) if cell["cell_type"] == "code"]
    assert counts == list(range(1, len(counts) + 1)), "executed once, from top to bottom"
    assert "image/png" in text


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_its_links_lead_to_notebooks_that_are_there(path: Path) -> None:
    written = "".join(line for cell in cells(path) if cell["cell_type"] == "markdown" for line in cell["source"])
    for name in re.findall(r"\]\(([\w-]+\.ipynb)\)", written):
        assert (ROOT / "notebooks" / name).is_file()


@pytest.mark.parametrize("attached", [True, False])
def test_a_submission_begins_with_an_attached_bundle_or_says_what_is_missing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, attached: bool
) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    source = "".join(cells(ROOT / "notebooks" / "05-kaggle-submission.ipynb")[1]["source"])
    source = source.replace("/kaggle/input", tmp_path.as_posix()).replace(
        "%pip install -q {source}", "told.append(source)"
    )
    bundle = tmp_path / "datasets" / "me" / "bundle"
    if attached:
        (bundle / "wheels").mkdir(parents=True)
        (bundle / "wheels" / "clipnb-1-py3-none-any.whl").touch()
    told: list[str] = []
    with pytest.raises(AssertionError, match=r"internet on .* or attach a bundle"):  # since nothing was installed
        exec(source, {"told": told})
    assert (f'--find-links="{bundle.as_posix()}/wheels"' in told[0]) == attached
    assert ("git+https://" in told[0]) != attached
