"""The wheel of what is installed: packed again from its files it is what was installed."""

from __future__ import annotations

import csv
import io
import subprocess
import sys
import zipfile
from collections.abc import Callable
from importlib import metadata
from pathlib import Path

import pytest

from clipnb.bundle import own_wheel
from clipnb.bundle.manifest import BundleError

MakeWheel = Callable[..., Path]


def install(wheel: Path | str, target: Path) -> metadata.Distribution:
    command = [sys.executable, "-m", "pip", "install", "-q", "--no-deps", f"--target={target}", str(wheel)]
    subprocess.run(command, check=True, capture_output=True)
    (installed,) = metadata.distributions(path=[str(target)])
    return installed


def contents(wheel: Path) -> dict[str, bytes]:
    with zipfile.ZipFile(wheel) as archive:
        return {name: archive.read(name) for name in archive.namelist() if not name.endswith("RECORD")}


def test_packed_again_it_is_the_same(make_wheel: MakeWheel, tmp_path: Path) -> None:
    original = make_wheel("some-thing", version="2.5", requires=["torch"], size=1000)
    installed = install(original, tmp_path / "site")
    assert list((tmp_path / "site").glob("__pycache__/*"))
    wheel = own_wheel.pack_again(installed, tmp_path / "wheels")
    assert wheel.name == original.name
    assert contents(wheel) == contents(original)
    record = zipfile.ZipFile(wheel).read("some_thing-2.5.dist-info/RECORD").decode()
    listed = {row[0] for row in csv.reader(io.StringIO(record))}
    assert listed == set(zipfile.ZipFile(wheel).namelist())
    assert contents(own_wheel.pack_again(install(wheel, tmp_path / "again"), tmp_path / "twice")) == contents(original)


def test_a_file_that_is_gone_is_said(make_wheel: MakeWheel, tmp_path: Path) -> None:
    installed = install(make_wheel("some-thing"), tmp_path / "site")
    (tmp_path / "site" / "some_thing.py").unlink()
    with pytest.raises(BundleError, match=r"lacks some_thing.py"):
        own_wheel.pack_again(installed, tmp_path / "wheels")
    assert list((tmp_path / "wheels").iterdir()) == []


def test_the_way_follows_the_installation(
    make_wheel: MakeWheel, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    installed = install(make_wheel("some-thing"), tmp_path / "site")
    monkeypatch.setattr(own_wheel.metadata, "distribution", lambda name: installed)
    monkeypatch.setattr(own_wheel, "build_wheel", lambda checkout, folder: folder / f"built-from-{checkout.name}.whl")
    assert own_wheel.own_wheel(tmp_path).name == "some_thing-1.0-py3-none-any.whl"
    origin = tmp_path / "site" / "some_thing-1.0.dist-info" / "direct_url.json"
    origin.write_text('{"url": "file:///home/me/my%20checkout", "dir_info": {"editable": true}}')
    assert own_wheel.own_wheel(tmp_path).name == "built-from-my checkout.whl"
