"""The package as a whole: light to import, every public name there, everything shipped."""

from __future__ import annotations

import importlib
import inspect
import re
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path

import pytest
from PIL import Image

import clipnb
from clipnb.models.load import load_model

HEAVY = {
    "torch",
    "open_clip",
    "transformers",
    "timm",
    "pandas",
    "networkx",
    "matplotlib",
    "plotly",
    "ipywidgets",
}


def modules_after(code: str) -> set[str]:
    script = f"import sys\n{code}\nsys.stderr.write('|'.join(sys.modules))"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    return set(done.stderr.split("|"))


@pytest.mark.parametrize(
    "code",
    [
        "import clipnb",
        "from clipnb.cli import main\ntry: main(['--help'])\nexcept SystemExit: pass",
    ],
    ids=["import", "help"],
)
def test_nothing_heavy_is_imported(code: str) -> None:
    assert not modules_after(code) & HEAVY


def test_lite_is_started_without_the_libraries_that_it_comes_from(tmp_path: Path) -> None:
    load_model("lite", "cpu")  # which writes the names of its classes into the cache
    Image.new("RGB", (300, 300), "red").save(tmp_path / "red.png")
    code = f"from clipnb.cli import main\nmain(['interrogate', '-q', {str(tmp_path / 'red.png')!r}])"
    heavy = {*HEAVY - {"torch"}, "torchvision", "torch._dynamo", "sympy"}
    if tuple(map(int, version("torch").split(".")[:2])) < (2, 11):
        heavy.remove("sympy")  # by which it checks the shapes of tensors that are made without memory
    assert not modules_after(code) & heavy


STUBS = sorted(Path(clipnb.__file__).parent.rglob("__init__.pyi"))
PACKAGES = [".".join(("clipnb", *stub.relative_to(STUBS[0].parent).parts[:-1])) for stub in STUBS]


@pytest.mark.parametrize(("package", "stub"), [*zip(PACKAGES, STUBS, strict=True)], ids=PACKAGES)
def test_every_public_name_is_there_and_described(package: str, stub: Path) -> None:
    module = importlib.import_module(package)
    names = re.findall(r" as (\w+)$", stub.read_text(encoding="utf-8"), re.MULTILINE)
    assert {*names} <= {*module.__all__} <= {*dir(module)}
    assert names
    for name in names:
        described = getattr(module, name)
        assert inspect.getdoc(described), f"{package}.{name} has no docstring"
        for part, member in vars(described).items() if inspect.isclass(described) else ():
            if not part.startswith("_") and (inspect.isfunction(member) or isinstance(member, property)):
                assert inspect.getdoc(member), f"{package}.{name}.{part} has no docstring"


def test_an_unknown_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError):
        _ = clipnb.no_such_name


LABELS = {
    "mediums": 95,
    "movements": 200,
    "artists": 1000,
    "trendings": 18,
    "negative": 40,
    "objects": 1000,
    "flavors": 5000,
}


@pytest.mark.parametrize(("name", "least"), LABELS.items())
def test_label_lists_are_long_enough_and_clean(name: str, least: int) -> None:
    from clipnb.files import shipped

    entries = shipped("labels", f"{name}.txt").read_text(encoding="utf-8").split("\n")
    assert entries.pop() == ""
    assert len(entries) >= least
    assert len({entry.casefold() for entry in entries}) == len(entries)
    assert all(entry == entry.strip() and entry and "," not in entry for entry in entries)


def test_sample_prompts_are_many_and_distinct() -> None:
    from clipnb.files import shipped

    texts = [file.read_text(encoding="utf-8") for file in shipped("prompts").glob("*.txt")]
    assert len({line for text in texts for line in text.splitlines()}) >= 600


def test_the_home_on_the_web_stands_in_one_place() -> None:
    root = Path(clipnb.__file__).parents[1]
    if not (root / "pyproject.toml").is_file():
        pytest.skip("not a checkout")
    project = (root / "pyproject.toml").read_text(encoding="utf-8")
    address = project.split('Repository = "')[1].split('"')[0]
    sources = [*root.glob("clipnb/**/*.py"), root / "README.md", root / "CONTRIBUTING.md"]
    assert not [file for file in sources if address in file.read_text(encoding="utf-8")]
