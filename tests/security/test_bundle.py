"""`clipnb bundle`, `demo` and `lab` write into new folders or their own, and replace nothing that somebody changed."""

from __future__ import annotations

import os
import zipfile
from pathlib import Path

import pytest

from clipnb.bundle.manifest import GUIDE, MANIFEST, BundleError, BundleFolder, Entry, Manifest, check_bundle
from clipnb.cli import main
from clipnb.demo import tour
from clipnb.environment.doctor import examine
from clipnb.environment.lab import copy_notebooks
from clipnb.errors import OutputError

ABOUT = Manifest(clipnb="1", python="3.11", platform="linux_x86_64", models=("lite",))


@pytest.fixture
def source(tmp_path: Path) -> Path:
    (tmp_path / "source").write_text("ours")
    return tmp_path / "source"


def made(folder: Path, source: Path) -> Path:
    bundle = BundleFolder(folder)
    bundle.start(ABOUT)
    places = [bundle.add(source, place) for place in ("notebooks/a.ipynb", "wheels/b.whl")]
    bundle.add(source, GUIDE)
    bundle.finish(places)
    return folder


def content(folder: Path) -> dict[str, str]:
    return {str(file.relative_to(folder)): file.read_text() for file in folder.rglob("*") if file.is_file()}


@pytest.mark.parametrize("name", ["README.md", "manifest.json", "manifest-unfinished.json", "notebooks/a.ipynb"])
@pytest.mark.parametrize("text", ["mine", "{}", ""])
def test_a_folder_of_somebody_is_refused_and_stays(name: str, text: str, tmp_path: Path) -> None:
    folder = tmp_path / "mine"
    (folder / name).parent.mkdir(parents=True)
    (folder / name).write_text(text)
    assert main(["bundle", str(folder), "--yes"]) == 2
    assert content(folder) == {name: text}


@pytest.mark.parametrize("name", ["README.md", "manifest.json", "notebooks/a.ipynb", "wheels/b.whl"])
def test_a_changed_file_of_its_own_is_refused_and_stays(name: str, source: Path, tmp_path: Path) -> None:
    folder = made(tmp_path / "bundle", source)
    with (folder / name).open("a") as file:
        file.write(" ")
    before = content(folder)
    assert main(["bundle", str(folder), "--yes"]) == 2
    with pytest.raises(BundleError, match="changed since"):
        BundleFolder(folder)
    assert content(folder) == before


def test_its_own_unchanged_files_are_replaced_and_others_stay(source: Path, tmp_path: Path) -> None:
    folder = made(tmp_path / "bundle", source)
    (folder / "notes.txt").write_text("mine")
    (folder / "wheels" / "c.whl").write_text("mine")
    source.write_text("newer")
    made(folder, source)
    assert check_bundle(folder).files["wheels/b.whl"] == Entry.of(source)
    assert content(folder)["notes.txt"] == content(folder)["wheels/c.whl"] == "mine"
    bundle = BundleFolder(folder)
    bundle.start(ABOUT)
    with pytest.raises(BundleError, match="not the bundle's own"):
        bundle.add(source, "wheels/c.whl")
    assert (folder / "wheels" / "c.whl").read_text() == "mine"


@pytest.mark.parametrize("content", [b"ours", b""], ids=["whole", "claimed"])
def test_an_interrupted_run_goes_on_with_its_own(content: bytes, source: Path, tmp_path: Path) -> None:
    folder = tmp_path / "bundle"
    bundle = BundleFolder(folder)
    bundle.start(ABOUT)
    bundle.add(source, "wheels/b.whl")
    (folder / "wheels" / "b.whl").write_bytes(content)
    with pytest.raises(BundleError, match="no complete bundle"):
        check_bundle(folder)
    made(folder, source)
    assert check_bundle(folder).size == 8


def test_a_file_or_a_link_to_nothing_in_the_place_of_the_folder_is_refused_at_once(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    (tmp_path / "link").symlink_to("gone")
    for name in ("file", "link"):
        with pytest.raises(BundleError, match=f"{name} is no folder"):
            BundleFolder(tmp_path / name)


def test_a_link_in_a_bundle_leads_nowhere_else(source: Path, tmp_path: Path) -> None:
    (tmp_path / "mine").mkdir()
    bundle = BundleFolder(tmp_path / "bundle")
    bundle.start(ABOUT)
    (tmp_path / "bundle" / "wheels").symlink_to(tmp_path / "mine")
    (tmp_path / "bundle" / "a").symlink_to(tmp_path / "nowhere")
    for place in ("wheels/b.whl", "a"):
        with pytest.raises(BundleError):
            bundle.add(source, place)
    assert content(tmp_path / "mine") == {}
    assert not (tmp_path / "nowhere").exists()


def test_a_manifest_names_files_of_its_own_bundle_alone(source: Path, tmp_path: Path) -> None:
    for path in ("../source", "/etc/passwd", "a/../../source", "C:/x", "a\\b"):
        with pytest.raises(ValueError, match="leads out"):
            Manifest(clipnb="1", python="3.11", platform="x", files={path: Entry.of(source)})


@pytest.mark.parametrize("name", ["", "a\\u0000b"])
def test_a_manifest_names_files_that_can_be(name: str, tmp_path: Path) -> None:
    entry = '{"size": 3, "sha256": "0"}'
    about = '"clipnb": "1", "python": "3.11", "platform": "x"'
    (tmp_path / MANIFEST).write_text(f'{{{about}, "files": {{"{name}": {entry}}}}}')
    with pytest.raises(BundleError, match="no file can have the name"):
        check_bundle(tmp_path)


def test_a_manifest_that_never_ends_is_refused(tmp_path: Path) -> None:
    (tmp_path / MANIFEST).symlink_to("/dev/zero")
    with pytest.raises(BundleError, match="cannot be read"):
        check_bundle(tmp_path)
    (tmp_path / MANIFEST).unlink()
    os.mkfifo(tmp_path / MANIFEST)
    for look in (check_bundle, BundleFolder):
        with pytest.raises(BundleError):
            look(tmp_path)


@pytest.mark.parametrize("packages", [None, 0, 2])
def test_an_archive_that_is_no_wheel_is_told_in_one_line(
    packages: int | None, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    wheel = tmp_path / "clipnb-1-py3-none-any.whl"
    wheel.write_bytes(b"no archive")
    if packages is not None:
        with zipfile.ZipFile(wheel, "w") as archive:
            for number in range(packages):
                archive.writestr(f"clipnb-{number}.dist-info/METADATA", "Name: clipnb")
    assert main(["bundle", str(tmp_path / "new"), "--wheel", str(wheel)]) == 2
    assert "is no wheel that can be read" in capsys.readouterr().err.splitlines()[-1]
    assert not (tmp_path / "new").exists()


def test_a_wheel_whose_description_is_a_bomb_or_damaged_is_told_in_one_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    wheel, text = tmp_path / "clipnb-1-py3-none-any.whl", "clipnb-1.dist-info/METADATA"
    with zipfile.ZipFile(wheel, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(text, b"Name: clipnb\n" + bytes(2**26))
    assert wheel.stat().st_size < 2**17
    assert main(["bundle", str(tmp_path / "new"), "--wheel", str(wheel)]) == 2
    assert "describes it is larger than 1 MiB" in capsys.readouterr().err.splitlines()[-1]
    with zipfile.ZipFile(wheel, "w") as archive:
        archive.writestr(text, "Name: clipnb\nVersion: 1\n")
    wheel.write_bytes(wheel.read_bytes().replace(b"Version: 1", b"Version: 2"))
    assert main(["bundle", str(tmp_path / "new"), "--wheel", str(wheel)]) == 2
    assert "no wheel that can be read: Bad CRC-32" in capsys.readouterr().err.splitlines()[-1]
    assert not (tmp_path / "new").exists()


def test_nobodys_home_is_a_name_like_others(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("CLIPNB_CACHE", "~nobody-here/x")
    monkeypatch.setenv("CLIPNB_BUNDLE", "~nobody-here/y")
    assert {finding.topic: finding.value for finding in examine()}["bundle"].startswith("~nobody-here/y is no")


def test_notebooks_do_not_replace_links(tmp_path: Path) -> None:
    (tmp_path / "00-start-here.ipynb").symlink_to(tmp_path / "nowhere")
    copy_notebooks(tmp_path)
    assert not (tmp_path / "nowhere").exists()
    assert (tmp_path / "01-live-optimisation.ipynb").is_file()


def made_in(folder: Path, meanwhile: str = "") -> Path:
    with tour.staged(folder) as (target, staging):
        (staging / "index.html").write_text("shown")
        if meanwhile:
            (target / meanwhile).write_text("mine")
    return target


def test_two_demos_at_once_take_two_folders(tmp_path: Path) -> None:
    with tour.staged(tmp_path / "demo") as (first, _):
        second = made_in(tmp_path / "demo")
    assert (first.name, second.name) == ("demo", "demo-1")
    (tmp_path / "web").symlink_to(tmp_path / "nowhere")
    assert made_in(tmp_path / "web").name == "web-1"


def test_a_demo_overwrites_nothing_that_came_meanwhile(tmp_path: Path) -> None:
    (tmp_path / "demo").mkdir()
    with pytest.raises(OutputError, match=r"holds a index\.html now"):
        made_in(tmp_path / "demo", "index.html")
    assert content(tmp_path / "demo") == {"index.html": "mine"}
