"""Wheels by the real pip, from an index of tiny ones: what is needed, what is left out, what stays when interrupted."""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from clipnb.bundle.manifest import BundleError, BundleFolder, Manifest
from clipnb.bundle.target import Target
from clipnb.bundle.wheels import Wheel, fetch, is_there, resolve, with_size
from clipnb.files import sha256_of

MakeWheel = Callable[..., Path]
HERE = Target.make()


@pytest.fixture
def family(make_wheel: MakeWheel) -> None:
    make_wheel("app", requires=["heavy", "Light_Part>=1"])
    make_wheel("heavy", requires=["heavy-driver"])
    make_wheel("heavy-driver", requires=["light-part"])
    make_wheel("light-part", requires=["heavy"])
    make_wheel("unrelated")


def started(folder: Path) -> BundleFolder:
    bundle = BundleFolder(folder)
    bundle.start(Manifest(clipnb="1", python="3.11", platform="linux_x86_64"))
    return bundle


def names(wheels: list[Wheel]) -> list[str]:
    return [wheel.name for wheel in wheels]


@pytest.mark.usefixtures("family")
def test_what_is_needed_and_what_only_others_need() -> None:
    assert names(resolve(["app"], HERE)) == ["app", "heavy", "heavy-driver", "light-part"]
    assert names(resolve(["app"], HERE, without=["Heavy"])) == ["app", "light-part"]
    with pytest.raises(BundleError, match="no-such-thing"):
        resolve(["no-such-thing"], HERE)


@pytest.mark.skipif(not HERE.platform.startswith("linux_"), reason="a bundle is made on the system that it is for")
def test_they_are_for_the_other_machine(make_wheel: MakeWheel) -> None:
    for python in ("cp312", "cp313"):
        for platform in ("manylinux_2_28_aarch64", "manylinux_2_17_x86_64.manylinux2014_x86_64"):
            make_wheel("native", tag=f"{python}-{python}-{platform}")
    for python, platform, expected in (
        ("3.12", "linux_x86_64", "native-1.0-cp312-cp312-manylinux_2_17_x86_64.manylinux2014_x86_64.whl"),
        ("3.13", "linux_aarch64", "native-1.0-cp313-cp313-manylinux_2_28_aarch64.whl"),
    ):
        assert [wheel.file for wheel in resolve(["native"], Target.make(python, platform))] == [expected]
    with pytest.raises(BundleError, match="write it like"):
        Target.make("3.x")
    with pytest.raises(BundleError, match="make it on such a system"):
        Target.make(system="plan9_x86_64")


def test_conditions_are_those_of_the_other_python(make_wheel: MakeWheel) -> None:
    make_wheel("app", requires=["old-only; python_version < '3.11'", "extra-part; extra == 'more'", "other-extra"])
    make_wheel("old-only", requires=["deeper; python_full_version < '3.11'", "heavy; python_version < '3.11'"])
    for name in ("deeper", "heavy", "extra-part", "other-extra"):
        make_wheel(name)
    newer = names(resolve(["app"], Target.make("3.12")))
    assert {"app", "other-extra"} <= set(newer)
    assert len(newer) == 2 or HERE.python == "3.10", "only pip of an older Python takes what that one needs besides"
    assert names(resolve(["app"], Target.make("3.10"))) == ["app", "deeper", "heavy", "old-only", "other-extra"]
    older = names(resolve(["app[more]"], Target.make("3.10"), without=["heavy"]))
    assert older == ["app", "deeper", "extra-part", "old-only", "other-extra"]


def test_what_a_killed_run_left_goes_away(make_wheel: MakeWheel, tmp_path: Path) -> None:
    make_wheel("app")
    left = tmp_path / "bundle" / ".clipnb-00000000-1-abc"
    left.mkdir(parents=True)
    (left / "half.whl").touch()
    os.utime(left, (1e9, 1e9))
    fetch(resolve(["app"], HERE), started(tmp_path / "bundle"), "wheels", HERE)
    assert not left.exists()
    assert [path.name for path in (tmp_path / "bundle" / "wheels").iterdir()] == ["app-1.0-py3-none-any.whl"]


@pytest.mark.usefixtures("family")
def test_sizes_and_digests_are_known_before_anything_is_fetched(index: Path, tmp_path: Path) -> None:
    for wheel in with_size(resolve(["app"], HERE)):
        assert wheel.size == (index / wheel.file).stat().st_size
        assert wheel.sha256 in ("", sha256_of(index / wheel.file))
        assert not is_there(wheel, tmp_path)


@pytest.mark.usefixtures("family")
def test_each_is_there_whole_or_not_at_all(index: Path, tmp_path: Path) -> None:
    (tmp_path / "bundle").mkdir()
    tmp_path = tmp_path / "bundle"
    wheels = with_size(resolve(["app"], HERE))
    told: list[tuple[int, int]] = []
    fetch(wheels, started(tmp_path), "wheels", HERE, lambda *numbers: told.append(numbers))
    assert told[-1] == (4, 4)
    assert sorted(path.name for path in (tmp_path / "wheels").iterdir()) == sorted(wheel.file for wheel in wheels)
    known = [dataclasses.replace(wheel, sha256=sha256_of(index / wheel.file)) for wheel in wheels]
    assert all(is_there(wheel, tmp_path / "wheels") for wheel in known)
    (tmp_path / "wheels" / known[0].file).write_bytes(b"torn")
    assert not is_there(known[0], tmp_path / "wheels")
    foreign = dataclasses.replace(wheels[0], sha256="0" * 64)
    with pytest.raises(BundleError, match="pip download failed"):
        fetch([foreign], started(tmp_path / "other"), "wheels", HERE)
    assert [path.name for path in (tmp_path / "other").iterdir()] == ["manifest-unfinished.json"]
