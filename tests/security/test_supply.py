"""What clipnb brings with it: every dependency is listed in SECURITY.md with the licence that it has."""

from __future__ import annotations

import re
import sys
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path

import pytest
from packaging.requirements import Requirement

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "SECURITY.md"
if not PAGE.is_file():
    pytest.skip("not a checkout", allow_module_level=True)
PART = PAGE.read_text(encoding="utf-8").partition("## Supply")[2].partition("\n## ")[0]
ROWS = re.findall(r"^\| ([\w.-]+) \| (\w[^|]+) \| .+ \|$", PART, re.MULTILINE)[1:]  # without the head
FAMILIES = {"PSF": "Python Software Foundation", "GPL": "GNU"}


def test_every_dependency_is_listed_once() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    lines = [*project["dependencies"], *(line for lines in project["optional-dependencies"].values() for line in lines)]
    assert sorted(name for name, _ in ROWS) == sorted({Requirement(line).name for line in lines} - {"clipnb"})


@pytest.mark.parametrize(("name", "licence"), ROWS)
def test_a_dependency_has_the_licence_that_is_listed(name: str, licence: str) -> None:
    try:
        found = distribution(name)
    except PackageNotFoundError:
        pytest.skip(f"no {name} here")
    keys = ("License-Expression", "License", "Classifier")
    said = [
        text for key in keys for text in found.metadata.get_all(key) or () if key != "Classifier" or "License" in text
    ]
    said += [file.read_text()[:300] for file in found.files or () if file.name.upper().startswith("LICEN")]
    families = [one.replace("-", " ").split()[0] for one in licence.split(" or ")]  # one by the other in older versions
    assert any(re.search(rf"\b{FAMILIES.get(one, one)}\b", " ".join(said), re.IGNORECASE) for one in families), said


def test_weights_that_come_as_packages_are_pinned() -> None:
    from clipnb.models.lite.weights import CLASSIFIERS, SHA256

    pinned = {package for package, _ in SHA256} | {one.package for one in CLASSIFIERS.values()}
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["optional-dependencies"]
    packages = [line.partition("==") for line in [*project["lite"], *project["judge"]] if "==" in line]
    assert {name.replace("-", "_") for name, _, _ in packages} == pinned
    assert all(re.fullmatch("[0-9a-f]{64}", digest) for digest in SHA256.values())
