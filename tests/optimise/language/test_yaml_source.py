from __future__ import annotations

import io
from pathlib import Path

import pytest
from PIL import Image

from clipnb.errors import ConfigError
from clipnb.optimise.engine import Optimisation
from clipnb.optimise.language.config import ExperimentConfig
from clipnb.optimise.language.mistakes import key_path
from clipnb.optimise.language.yaml_source import read_yaml
from clipnb.optimise.results import save_result


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


@pytest.fixture
def experiments(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with an experiment and a picture; another one is the working folder."""
    folder, working = tmp_path / "experiments", tmp_path / "working"
    for place, colour in ((folder, "red"), (working, "blue")):
        place.mkdir()
        Image.new("RGB", (8, 8), colour).save(place / "photo.png")
    Image.new("RGB", (8, 8)).save(working / "here.png")
    monkeypatch.chdir(working)
    return folder


def test_pictures_are_looked_for_beside_the_yaml_then_in_the_working_folder(experiments: Path) -> None:
    file = experiments / "a.yaml"
    file.write_text("init: {image: photo.png}\ntargets:\n- features:\n  - image: here.png\n  - image: photo.png\n")
    config = ExperimentConfig.from_files(file)
    assert config.init.image == str(experiments / "photo.png")
    assert [feature.image for feature in config.targets[0].features] == ["here.png", str(experiments / "photo.png")]
    given = ExperimentConfig.from_yaml(file.read_text(), folder=experiments)
    assert given.init.image == str(experiments / "photo.png")
    assert ExperimentConfig.from_yaml("init: {image: photo.png}").init.image == "photo.png"


def test_a_picture_that_is_missing_is_told_with_line_key_and_folders(experiments: Path) -> None:
    (experiments / "a.yaml").write_text("targets:\n- features:\n  - text: a\n  - image: gone.png\n")
    with pytest.raises(ConfigError) as caught:
        ExperimentConfig.from_files(experiments / "a.yaml")
    told = str(caught.value)
    assert f"{experiments / 'a.yaml'}, line 4: targets[0].features[1].image: there is no picture 'gone.png'" in told
    assert f"searched in: {experiments}, {Path.cwd()}" in told


def test_file_urls_are_paths(experiments: Path) -> None:
    url = (experiments / "photo.png").as_uri()
    assert ExperimentConfig.from_yaml(f"init: {{image: '{url}'}}").init.image == str(experiments / "photo.png")
    assert ExperimentConfig.from_dict({"init": {"image": url}}).init.image == str(experiments / "photo.png")


def test_saved_yaml_is_understood_from_any_folder(experiments: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (experiments / "a.yaml").write_text(
        "epochs: 1\nresolution: 8\ninit: {image: photo.png}\ntargets: [{constraints: [tv]}]"
    )
    monkeypatch.chdir(experiments.parent)
    run = Optimisation(ExperimentConfig.from_files("experiments/a.yaml"))
    saved = save_result(run, next(iter(run.steps())), experiments.parent / "out" / "x.png").with_suffix(".yaml")
    monkeypatch.chdir("/")
    assert ExperimentConfig.from_files(saved).init.image == str(experiments / "photo.png")


def test_what_may_not_be_meant_is_logged(experiments: Path, caplog: pytest.LogCaptureFixture) -> None:
    file = experiments / "a.yaml"
    file.write_text("targets:\n- end: 1\n  features:\n  - text: cat number #1\n")
    ExperimentConfig.from_files(file)
    assert f"{file}, line 2: targets[0].end: 1 is the second step; for the whole run write 1.0 or 100%" in caplog.text
    assert f"{file}, line 4: '#1' is a comment, the text before it 'cat number'" in caplog.text
    caplog.clear()
    file.write_text("targets:\n- end: 1.0\n  features:\n  - {text: 'cat number #1', end: 100%}\n")
    ExperimentConfig.from_files(file)
    assert not caplog.text


def test_the_size_may_be_that_of_the_first_picture(experiments: Path) -> None:
    Image.new("RGB", (30, 20)).save(experiments / "wide.png")
    (experiments / "a.yaml").write_text("resolution: init\ninit: {image: wide.png}\n")
    assert ExperimentConfig.from_files(experiments / "a.yaml").resolution == (30, 20)
    (experiments / "b.yaml").write_text(f"init: {{image: '{(experiments / 'wide.png').as_uri()}'}}\n")
    changes = [{"resolution": "init"}]
    assert ExperimentConfig.from_files(experiments / "b.yaml", changes=changes).resolution == (30, 20)
    planes = "[[[1, 1]], [[1, 1]], [[1, 1]]]"
    assert ExperimentConfig.from_yaml(f"resolution: Init\ninit: {{image_tensor: {planes}}}").resolution == (2, 1)
    with pytest.raises(ConfigError, match="line 1: resolution: 'init' stands for the size of a picture"):
        ExperimentConfig.from_yaml("resolution: init")
