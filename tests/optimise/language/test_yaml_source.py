from __future__ import annotations

import io
from pathlib import Path

import pytest

from clipnb.errors import ConfigError
from clipnb.optimise.language.config import ExperimentConfig
from clipnb.optimise.language.mistakes import key_path
from clipnb.optimise.language.yaml_source import read_yaml


def test_paths_of_keys_are_written_as_people_do() -> None:
    assert key_path(("targets", 1, "features", 0, "text")) == "targets[1].features[0].text"


def test_files_are_merged(tmp_path: Path) -> None:
    first, second = tmp_path / "a.yaml", tmp_path / "b.yaml"
    first.write_text(
        "epochs: 5\nresolution: [8, 8]\ninit: {mean: .1}\ntargets:\n"
        "- {name: one, batch_size: 2, features: [{text: a}]}\n- {name: two}\n"
    )
    second.write_text(
        "epochs: 7\nresolution: [9, 9]\ninit: {std: .2}\ntargets:\n- {name: three}\n"
        "- {name: one, merge: true, batch_size: 3, features: [{text: b}]}\n"
    )
    config = ExperimentConfig.from_files(first, second, changes=[{"seed": 4}])
    assert (config.epochs, config.resolution, config.seed) == (7, (9, 9), 4)
    assert (config.init.mean[0], config.init.std[0]) == (0.1, 0.2)
    assert [target.name for target in config.targets] == ["one", "two", "three"]
    assert config.targets[0].batch_size == 3
    assert [feature.text for feature in config.targets[0].features] == ["a", "b"]


def test_mistakes_in_merged_files_name_the_right_file(tmp_path: Path) -> None:
    first, second = tmp_path / "a.yaml", tmp_path / "b.yaml"
    first.write_text("targets:\n- {name: one}\n")
    second.write_text("# more\ntargets:\n- {name: two}\n- {name: three,\n   selec: all}\n")
    with pytest.raises(ConfigError, match=r"b\.yaml, line 5: targets\[2\]\.selec"):
        ExperimentConfig.from_files(first, second)
    second.write_text("targets:\n- {name: oen, merge: true}\n")
    with pytest.raises(ConfigError, match=r"b\.yaml, line 2: .*no earlier target is called 'oen'.*one"):
        ExperimentConfig.from_files(first, second)


def test_files_that_cannot_be_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ConfigError, match="there is no experiment"):
        ExperimentConfig.from_files(tmp_path / "none.yaml")
    with pytest.raises(ConfigError, match="cannot read"):
        ExperimentConfig.from_files(tmp_path)
    (tmp_path / "bytes.yaml").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(ConfigError, match="cannot read"):
        ExperimentConfig.from_files(tmp_path / "bytes.yaml")
    monkeypatch.setattr("sys.stdin", io.StringIO("epochs: 9"))
    assert ExperimentConfig.from_files("-").epochs == 9


def test_maps_are_merged_by_the_merge_key() -> None:
    values, _ = read_yaml(
        "a: &a {x: 1, y: 1}\nb: &b {x: 2, z: 2}\nc: {y: 3, <<: *a}\nd: &d {<<: [*a, *b]}\ne: *d\n", "try.yaml"
    )
    assert values["c"] == {"x": 1, "y": 3}
    assert values["d"] == values["e"] == {"x": 1, "y": 1, "z": 2}
    with pytest.raises(ConfigError, match="line 1: '<<' takes a map"):
        read_yaml("<<: 3", "try.yaml")
    bomb = "a: &a {x: 1}\n" + "".join(
        f"{other}: &{other} {{<<: [{', '.join(['*' + one] * 10)}]}}\n"
        for one, other in zip("abcdefgh", "bcdefghi", strict=True)
    )
    with pytest.raises(ConfigError, match="too many values"):
        read_yaml(bomb, "try.yaml")
