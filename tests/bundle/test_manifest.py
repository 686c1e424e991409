"""A bundle is whole, or says what is missing; `setup(bundle=)` uses it, also where nothing can be written."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

import clipnb
from clipnb.bundle.manifest import BundleError, Entry, Manifest, check_bundle
from clipnb.environment.doctor import Finding, examine
from clipnb.files import bundle_folder, cache_folder, find_cached


@pytest.fixture(autouse=True)
def _no_bundle(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CLIPNB_BUNDLE", "")  # restored afterwards, whatever setup() puts there


@pytest.fixture
def bundle(tmp_path: Path) -> Path:
    folder = tmp_path / "clipnb-bundle"
    files = [folder / "wheels" / f"part{i}.whl" for i in range(7)]
    files[0].parent.mkdir(parents=True)
    for file in files:
        file.write_bytes(b"content")
    entries = {f"wheels/{file.name}": Entry.of(file) for file in files}
    manifest = Manifest(clipnb="1", python="3.11", platform="linux_x86_64", models=("lite",), files=entries)
    manifest.write(folder / "manifest.json")
    return folder


def test_a_whole_bundle_is_used(bundle: Path) -> None:
    assert check_bundle(bundle).size == 7 * 7
    found = clipnb.setup(bundle=bundle)
    assert found.bundle == f"{bundle}: lite"
    assert str(bundle) in found._repr_html_()
    assert clipnb.setup(bundle=bundle) == found
    assert bundle_folder("models") == bundle / "models"
    assert os.environ["CLIPNB_BUNDLE"] == str(bundle)


def test_what_is_missing_is_named(bundle: Path) -> None:
    (bundle / "wheels" / "part3.whl").unlink()
    (bundle / "wheels" / "part5.whl").write_bytes(b"torn")
    with pytest.raises(BundleError, match=r"part3.whl is missing, wheels/part5.whl has 4 bytes, not 7"):
        clipnb.setup(bundle=bundle)
    assert not os.environ["CLIPNB_BUNDLE"]


def test_a_folder_that_is_none_is_said(bundle: Path, tmp_path: Path) -> None:
    with pytest.raises(BundleError, match="clipnb-bundle"):
        check_bundle(tmp_path)
    with pytest.raises(BundleError, match=r"no manifest\.json"):
        check_bundle(tmp_path / "nowhere")
    (bundle / "manifest.json").write_text("{torn")
    with pytest.raises(BundleError, match="is no manifest of a bundle: Invalid JSON"):
        check_bundle(bundle)
    (bundle / "manifest.json").write_text('{"format": "clipnb bundle 2"}')
    with pytest.raises(BundleError, match="is no manifest of a bundle: format: "):
        check_bundle(bundle)


def test_the_own_cache_goes_first_and_takes_what_is_new(
    bundle: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CLIPNB_CACHE", str(tmp_path / "cache"))
    own, theirs = cache_folder("labels", "a"), bundle / "cache" / "labels" / "a"
    assert find_cached("labels", "a") == own
    monkeypatch.setenv("CLIPNB_BUNDLE", str(bundle))
    assert find_cached("labels", "a") == own
    theirs.parent.mkdir(parents=True)
    theirs.touch()
    assert find_cached("labels", "a") == theirs
    own.parent.mkdir(parents=True)
    own.touch()
    assert find_cached("labels", "a") == own


def test_the_doctor_looks_at_it(bundle: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def found() -> list[Finding]:
        return [finding for finding in examine() if finding.topic == "bundle"]

    assert found() == []
    monkeypatch.setenv("CLIPNB_BUNDLE", str(bundle))
    assert found() == [Finding("bundle", f"{bundle}: lite, 0 MiB")]
    (bundle / "wheels" / "part3.whl").unlink()
    (finding,) = found()
    assert "part3.whl is missing" in finding.value
    assert finding.remedy
