"""The live panel without a browser: every button does what it says, every mistake is shown."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from io import BytesIO
from itertools import count
from pathlib import Path

import ipywidgets
import numpy as np
import pytest
from PIL import Image
from torch import Tensor

from clipnb.errors import ConfigError
from clipnb.models import load
from clipnb.models.encoder import DualEncoder
from clipnb.optimise.film.writing import video_is_here
from clipnb.optimise.language.config import ExperimentConfig
from clipnb.runner import RunState
from clipnb.widgets.live.panel import LivePanel, live
from tests.widgets.conftest import ended

Open = Callable[..., LivePanel]
Until = Callable[..., None]
Settled = Callable[[Callable[[], object]], object]


def index(panel: LivePanel) -> int:
    return -1 if panel.session.newest is None else panel.session.newest.index


def picture(panel: LivePanel) -> Image.Image:
    return Image.open(BytesIO(panel.viewer.image.value))


def png_bytes(size: tuple[int, int] = (40, 30)) -> bytes:
    buffer = BytesIO()
    Image.new("RGB", size, "red").save(buffer, "PNG")
    return buffer.getvalue()


def is_due(panel: LivePanel) -> bool:
    """Whether the button Apply is marked."""
    return "clipnb-due" in panel.toolbar["apply"].get_state()["_dom_classes"]


def give(panel: LivePanel, name: str, content: bytes) -> None:
    facts = {"key": "k", "kind": "part", "number": 1, "start": 0, "first": True}
    panel.init_image.upload.receive({**facts, "name": name, "size": len(content)}, [memoryview(content)])


@pytest.fixture
def paused(opened: Open, until: Until) -> LivePanel:
    """A panel whose run paused after some steps."""
    panel = opened()
    panel.toolbar["start"].click()
    until(lambda: index(panel) >= 5)
    panel.toolbar["pause"].click()
    until(lambda: len(panel.session.history) > 3 and panel.viewer.scrubber.max == len(panel.session.history))
    return panel


def test_start_pause_resume_step_stop(opened: Open, until: Until, settled: Settled) -> None:
    panel = opened()
    buttons = panel.toolbar
    assert [b.disabled for b in (buttons["start"], buttons["pause"], buttons["step"], buttons["stop"])] == [
        False,
        True,
        False,
        True,
    ]
    buttons["start"].click()
    assert buttons["start"].disabled
    until(lambda: index(panel) >= 3 and panel.viewer.image.value)
    buttons["pause"].click()
    assert (buttons["pause"].description, panel.session.state) == ("Resume", RunState.PAUSED)
    held = index(panel)  # and one more where a step is at hand
    buttons["step"].click()
    until(lambda: index(panel) > held and panel.session.state is RunState.PAUSED)
    assert settled(lambda: index(panel)) - held in (1, 2)
    buttons["pause"].click()
    until(lambda: index(panel) > held + 3)
    buttons["stop"].click()
    ended(panel, RunState.STOPPED)
    assert "stopped" in buttons.lamp.value
    assert not buttons["start"].disabled


def test_step_begins_a_picture_and_resume_goes_on_with_a_stopped_one(opened: Open, until: Until) -> None:
    panel = opened()
    panel.toolbar["step"].click()
    until(lambda: panel.session.state is RunState.PAUSED)
    assert index(panel) == 0
    panel.toolbar["stop"].click()
    ended(panel, RunState.STOPPED)
    panel.toolbar["pause"].click()
    until(lambda: index(panel) > 2)
    assert panel.session.history.snapshots[0].about.index == 0


def test_it_runs_to_its_end_and_more_steps_go_on_from_there(opened: Open, until: Until, yaml_text: str) -> None:
    panel = opened(yaml_text.replace("100000", "7"))
    panel.toolbar["start"].click()
    ended(panel)
    assert index(panel) == 6
    assert panel.toolbar.bar.value == panel.toolbar.bar.max == 7
    assert panel.toolbar.bar.bar_style == "success"
    assert picture(panel).size == (24, 24)
    assert "a red circle" in panel.table.value
    panel.editor.yaml.value = panel.editor.yaml.value.replace("epochs: 7", "epochs: 9")
    panel.toolbar["pause"].click()
    until(lambda: index(panel) == 8)


def test_a_paused_run_goes_on_while_the_yaml_has_a_mistake(paused: LivePanel, until: Until) -> None:
    paused.editor.yaml.value = "targets: ["
    reached = index(paused)
    paused.toolbar["pause"].click()
    until(lambda: index(paused) > reached + 1)


def test_a_second_run_is_refused(paused: LivePanel) -> None:
    with pytest.raises(ConfigError, match="on already"):
        paused.session.start(paused.editor.checked())


def test_mistakes_in_yaml_are_shown_at_their_line_and_mended(opened: Open, yaml_text: str) -> None:
    panel = opened()
    panel.editor.yaml.value = yaml_text.replace("batch_size", "batch_sise")
    said = panel.editor.problem.value
    assert "line 6: targets[0].batch_sise: unknown key" in said.replace("&#x27;", "'")
    assert "nearest: batch_size" in said
    assert "<b>6</b>   - batch_sise: 1" in said
    panel.toolbar["start"].click()
    assert "mend it first" in panel.message.value
    assert panel.session.state is RunState.IDLE
    panel.editor.yaml.value = "targets: ["
    assert "no YAML" in panel.editor.problem.value
    panel.editor.text.value = "something else"
    assert panel.editor.config is not None
    panel.editor.yaml.value = yaml_text
    assert panel.editor.problem.value == ""


def test_an_emptied_text_field_says_that_the_experiment_stays(opened: Open) -> None:
    panel = opened()
    before = panel.editor.yaml.value
    panel.editor.text.value = "a lighthouse"
    written = panel.editor.yaml.value
    panel.editor.text.value = ""
    assert "stays as it is" in panel.message.value
    assert panel.editor.yaml.value == written != before


def test_yaml_with_a_mistake_opens_the_panel(opened: Open) -> None:
    panel = opened("epochs: -3\n")
    assert "epochs" in panel.editor.problem.value
    assert panel.editor.config is None


def test_a_judge_is_named_beside_the_yaml_and_followed(opened: Open) -> None:
    panel = opened()
    judge = panel.editor.controls["judge"].widget
    judge.value = "lite1, lite2"
    assert panel.editor.checked().judge.models == ("lite1", "lite2")
    judge.value = ""
    assert panel.editor.checked().judge.models == ()
    panel.editor.write("judge", value={"models": ["lite2"], "every": 3})
    assert judge.disabled, "it shows names only"


def test_controls_write_into_the_yaml_and_follow_it(opened: Open) -> None:
    panel = opened()
    by_key = {key: control.widget for key, control in panel.editor.controls.items()}
    by_key["resolution"].value = "32 x 48"
    by_key["pixels"].value = "pyramid"
    by_key["learnrate"].value = 0.5
    by_key["epochs"].value = 12
    by_key["device"].value = "cpu"
    by_key["model"].value = "lite"
    panel.editor.text.value = "a blue: square"
    config = panel.editor.checked()
    assert (config.epochs, config.model, config.device, config.learnrate) == (12, "lite", "cpu", 0.5)
    assert (tuple(config.resolution), config.pixels.name) == ((32, 48), "pyramid")
    assert config.targets[0].features[0].text == "a blue: square"
    assert "# a quick one" in panel.editor.yaml.value
    assert "learnrate: 0.5   # as it is" in panel.editor.yaml.value
    panel.editor.yaml.value = panel.editor.yaml.value.replace("epochs: 12", "epochs: 34").replace("0.5", "'1 - t'")
    assert by_key["epochs"].value == 34
    assert by_key["learnrate"].disabled
    by_key["resolution"].value = "many"
    assert "resolution" in panel.editor.problem.value


def test_the_quick_field_takes_several_texts_with_weights(opened: Open) -> None:
    panel = opened()
    panel.editor.text.value = "a lighthouse:2 | storm | blurry:-0.5"
    features = panel.editor.checked().targets[0].features
    assert [(one.text, one.weight) for one in features] == [("a lighthouse", 2), ("storm", 1), ("blurry", -0.5)]
    assert panel.editor.text.value == "a lighthouse:2 | storm | blurry:-0.5"
    assert "# a quick one" in panel.editor.yaml.value
    panel.editor.text.value = "a cat: 2"
    assert "is the number in &#x27;a cat: 2&#x27; a weight?" in panel.editor.problem.value
    assert panel.editor.checked().targets[0].features == features
    panel.editor.text.value = "a cat"
    assert [(one.text, one.weight) for one in panel.editor.checked().targets[0].features] == [("a cat", 1)]
    panel.editor.yaml.value = "targets:\n- features: a:2 | b\n"
    assert panel.editor.text.value == "a:2 | b"
    panel.editor.text.value = "a:3"
    assert panel.editor.yaml.value == "targets:\n- features: 'a:3'\n"
    panel.editor.yaml.value = "targets:\n- features: [{text: a, loss: l1}, b]\n"
    panel.editor.text.value = "c"
    assert "{text: c, loss: l1}, b" in panel.editor.yaml.value
    panel.editor.text.value = "c | d"
    assert "change them in the YAML" in panel.editor.problem.value


def test_a_control_reaches_the_run_at_once_and_yaml_by_apply(opened: Open, until: Until) -> None:
    panel = opened()
    panel.toolbar["start"].click()
    until(lambda: index(panel) > 2)
    rate = panel.editor.controls["learnrate"].widget
    rate.value = 0.1
    until(lambda: panel.session.newest and panel.session.newest.learnrate == pytest.approx(0.1))
    panel.editor.yaml.value = panel.editor.yaml.value.replace("a red circle", "a blue square")
    assert is_due(panel)
    reached = index(panel)
    until(lambda: index(panel) > reached + 5)
    assert "a blue square" not in panel.session.newest.similarities
    panel.toolbar["apply"].click()
    until(lambda: "a blue square" in panel.session.newest.similarities)
    assert not is_due(panel)


def test_a_change_that_cannot_be_used_is_said_and_the_run_goes_on(opened: Open, until: Until, tiny_clip: str) -> None:
    text = f"model: {tiny_clip}\nepochs: 100000\nresolution: 24\ntargets:\n  - features: [a cat]\n"
    panel = opened(text, encoder=None)
    panel.toolbar["start"].click()
    until(lambda: index(panel) > 1, 60)
    panel.editor.write("model", value="local-dir:/nowhere")
    until(lambda: "goes on as it was" in panel.message.value)
    reached = index(panel)
    until(lambda: index(panel) > reached + 2)
    panel.editor.write("device", value="cuda")
    assert "cuda" in panel.message.value
    assert panel.session.state is RunState.RUNNING


def test_an_error_in_a_run_is_shown_and_the_last_picture_kept(
    opened: Open, until: Until, tiny: DualEncoder, monkeypatch: pytest.MonkeyPatch
) -> None:
    encode, calls = tiny.encode_image, count()

    def failing(pixels: Tensor) -> Tensor:
        if next(calls) == 4:
            raise ValueError("it <b>broke</b>")
        return encode(pixels)

    monkeypatch.setattr(tiny, "encode_image", failing)
    panel = opened()
    panel.toolbar["start"].click()
    ended(panel, RunState.FAILED)
    until(lambda: "the run ended" in panel.message.value)
    assert "ValueError: it &lt;b&gt;broke&lt;/b&gt;" in panel.message.value
    assert panel.toolbar.bar.bar_style == "danger"
    assert len(panel.session.history) == 4
    monkeypatch.undo()
    panel.toolbar["pause"].click()
    until(lambda: index(panel) > 6)


def test_go_back_to_a_snapshot_and_on_from_it(paused: LivePanel, until: Until) -> None:
    panel = paused
    shown = panel.viewer.image.value
    panel.viewer.scrubber.value = 2
    assert panel.viewer.viewed is not None
    assert panel.viewer.image.value != shown
    assert f">step {panel.viewer.viewed.about.index + 1}<" in panel.viewer.label.value
    assert not panel.viewer.back.disabled
    snapshot, reached = panel.viewer.viewed, index(panel)
    panel.viewer.back.click()
    until(lambda: panel.session.state is RunState.RUNNING and index(panel) > snapshot.about.index)
    panel.toolbar["stop"].click()
    ended(panel, RunState.STOPPED)
    assert panel.viewer.viewed is None
    assert ">now<" in panel.viewer.label.value
    kept = [s.about.index for s in panel.session.history.snapshots]
    assert kept == sorted(set(kept))
    after = next(s for s in panel.session.history.snapshots if s.about.index == snapshot.about.index + 1)
    difference = np.abs(np.asarray(after.picture, float) - np.asarray(snapshot.picture, float)).max()
    assert difference < 12, "the picture goes on from the snapshot, one step away from it"
    assert reached > snapshot.about.index


def test_scrubbing_stays_where_it_is_while_the_run_goes_on(opened: Open, until: Until) -> None:
    panel = opened()
    panel.toolbar["start"].click()
    until(lambda: panel.viewer.scrubber.max >= 3)
    panel.viewer.scrubber.value = 1
    viewed, shown, reached = panel.viewer.viewed, panel.viewer.image.value, index(panel)
    until(lambda: index(panel) > reached + 130)
    assert panel.viewer.image.value == shown
    assert panel.viewer.viewed is not None
    assert viewed is not None
    panel.viewer.scrubber.value = panel.viewer.scrubber.max
    until(lambda: panel.viewer.viewed is None and panel.viewer.image.value != shown)


def test_zoom_and_tile(paused: LivePanel) -> None:
    paused.viewer.zoom.value = 3
    assert paused.viewer.image.layout.width == "300%"
    assert picture(paused).size == (24, 24)
    paused.viewer.tile.value = True
    assert picture(paused).size == (72, 72)


def test_save_overwrites_nothing_and_film_has_the_history(paused: LivePanel, until: Until, tmp_path: Path) -> None:
    saving = paused.save_tab
    picture, film = saving.buttons.values()
    saving.folder.value = str(tmp_path)
    for name in ("a-red-circle.png", "a-red-circle-1.png"):
        picture.click()
        until(lambda name=name: name in saving.saved.value and not picture.disabled)
    assert sorted(p.name for p in tmp_path.iterdir()) == [
        *("a-red-circle-1.png", "a-red-circle-1.yaml", "a-red-circle.png", "a-red-circle.yaml")
    ]
    again = ExperimentConfig.from_files(tmp_path / "a-red-circle.yaml")
    assert again.targets[0].features[0].text == "a red circle"
    assert 'download="a-red-circle-1.png"' in saving.saved.value
    film.click()
    until(lambda: "a-red-circle.webp" in saving.saved.value and not film.disabled)
    with Image.open(tmp_path / "a-red-circle.webp") as film:
        assert 2 <= film.n_frames <= len(paused.session.history), "equal frames become one"


def test_a_film_is_played_scrubbed_and_exported(opened: Open, until: Until, yaml_text: str, tmp_path: Path) -> None:
    film = "frames: {count: 5, steps: 2, camera: {rotate: 20}}\n"
    panel = opened(yaml_text.replace("100000", "3") + film)
    panel.toolbar["start"].click()
    ended(panel)
    assert panel.viewer.play.max == 4
    assert [snapshot.about.frame for snapshot in panel.session.history.snapshots] == [0, 1, 2, 3, 4]
    for frame in (1, 3):
        panel.viewer.play.value = frame
        assert f"frame {frame + 1}" in panel.viewer.label.value
        assert panel.viewer.viewed is panel.session.history[frame]
    panel.save_tab.folder.value = str(tmp_path)
    export = panel.save_tab.buttons["Save film"]
    export.click()
    until(lambda: ".webp" in panel.save_tab.saved.value and not export.disabled)
    assert {path.suffix for path in tmp_path.iterdir()} >= {".webp"}
    assert (".mp4" in panel.save_tab.saved.value) == video_is_here()


def test_saving_a_snapshot_saves_that_picture(paused: LivePanel, until: Until, tmp_path: Path) -> None:
    paused.save_tab.folder.value = str(tmp_path)
    paused.viewer.scrubber.value = 1
    paused.save_tab.buttons["Save picture and YAML"].click()
    until(lambda: "a-red-circle.png" in paused.save_tab.saved.value)
    with Image.open(tmp_path / "a-red-circle.png") as saved:
        assert np.array_equal(np.asarray(saved), np.asarray(paused.session.history[1].picture))


def test_the_history_is_kept_on_disk_as_it_comes(opened: Open, until: Until, yaml_text: str, tmp_path: Path) -> None:
    panel = opened(yaml_text.replace("100000", "4"))
    panel.save_tab.folder.value = str(tmp_path)
    panel.keep_history.value = True
    for folder in ("a-red-circle-history", "a-red-circle-history-1"):
        panel.start()
        ended(panel)
        names = sorted(path.name for path in (tmp_path / folder).iterdir())
        assert names == [f"step-00000{n}.{end}" for n in (1, 2, 3, 4) for end in ("png", "yaml")]
    kept = ExperimentConfig.from_files(tmp_path / folder / "step-000003.yaml")
    assert kept.targets[0].features[0].text == "a red circle"
    panel.keep_history.value = False
    panel.start()
    ended(panel)
    assert len(list(tmp_path.iterdir())) == 2


def test_a_history_that_cannot_be_kept_is_told_and_the_run_goes_on(
    opened: Open, until: Until, yaml_text: str, tmp_path: Path
) -> None:
    (tmp_path / "a file").write_text("")
    panel = opened(yaml_text.replace("100000", "4"))
    panel.save_tab.folder.value = str(tmp_path / "a file")
    panel.keep_history.value = True
    panel.start()
    ended(panel)
    assert "a file is no folder; choose another folder" in panel.message.value


def test_nothing_to_save_is_said(opened: Open, until: Until, tmp_path: Path) -> None:
    panel = opened()
    picture, film = panel.save_tab.buttons.values()
    picture.click()
    until(lambda: "no picture yet" in panel.message.value)
    film.click()
    until(lambda: "two snapshots" in panel.message.value and not film.disabled)


def test_an_upload_becomes_the_start_image(opened: Open, until: Until, tmp_path: Path) -> None:
    panel = opened()
    panel.save_tab.folder.value = str(tmp_path)
    give(panel, "red.png", png_bytes())
    assert panel.editor.checked().init.image == str(tmp_path / "red.png")
    assert picture(panel).size == (40, 30)
    panel.toolbar["step"].click()
    until(lambda: index(panel) == 0)
    red, green, blue = np.asarray(panel.session.history[0].picture, float).mean((0, 1))
    assert red > 200 > 80 > max(green, blue)
    panel.init_image.noise.click()
    assert panel.editor.checked().init.image is None


@pytest.mark.parametrize("content", [b"I am a text.", b"", png_bytes()[:50]])
def test_an_upload_that_is_no_picture_is_said(opened: Open, tmp_path: Path, content: bytes) -> None:
    panel = opened()
    panel.save_tab.folder.value = str(tmp_path / "new")
    give(panel, "holiday.png", content)
    assert "holiday.png" in panel.message.value
    assert panel.editor.checked().init.image is None
    assert not (tmp_path / "new").exists()


def test_a_path_becomes_the_start_image(opened: Open, tmp_path: Path) -> None:
    panel = opened()
    panel.init_image.place.value = str(tmp_path / "missing.png")
    assert "there is no picture" in panel.message.value
    (tmp_path / "red.png").write_bytes(png_bytes())
    panel.init_image.place.value = str(tmp_path / "red.png")
    assert panel.message.value == ""
    assert panel.editor.checked().init.image == str(tmp_path / "red.png")


def test_what_can_be_given(opened: Open, tmp_path: Path, yaml_text: str) -> None:
    assert opened("a cat: sleeping").editor.checked().targets[0].features[0].text == "a cat: sleeping"
    assert opened("epochs: 3").editor.checked().epochs == 3
    (tmp_path / "e.yaml").write_text(yaml_text)
    for given in (tmp_path / "e.yaml", str(tmp_path / "e.yaml"), ExperimentConfig.from_yaml(yaml_text)):
        assert opened(given).editor.text.value == "a red circle"
    with pytest.raises(ConfigError, match="no experiment"):
        opened(tmp_path / "missing.yaml")


def test_pictures_are_found_beside_the_file_that_is_opened(opened: Open, until: Until, tmp_path: Path) -> None:
    folder = tmp_path / "there"
    folder.mkdir()
    Image.new("RGB", (8, 8), "blue").save(folder / "blue.png")
    text = "epochs: 2\nresolution: 8\nseed: 1\ninit: {image: blue.png}\ntargets: [{features: [{image: blue.png}]}]\n"
    (folder / "a.yaml").write_text(text)
    panel = opened(str(folder / "a.yaml"))
    config = panel.editor.checked()
    assert config.init.image == config.targets[0].features[0].image == str(folder / "blue.png")
    panel.editor.yaml.value = text.replace("seed: 1", "seed: 2")
    assert panel.editor.checked().init.image == str(folder / "blue.png")
    panel.toolbar["start"].click()
    until(lambda: panel.picture is not None)
    assert np.asarray(panel.picture)[..., 2].mean() > 200


def test_a_changed_text_writes_the_recipe_where_there_is_no_text(opened: Open) -> None:
    panel = opened("epochs: 3")
    assert panel.editor.text.value == ""
    panel.editor.text.value = "a lighthouse"
    assert panel.editor.checked().targets[0].features[0].text == "a lighthouse"


def test_words_of_the_user_are_escaped(opened: Open, until: Until, tmp_path: Path) -> None:
    panel = opened("epochs: 3\nresolution: 16\ntargets:\n  - features: ['<img src=x onerror=alert(1)>']\n")
    panel.toolbar["start"].click()
    ended(panel)
    panel.save_tab.folder.value = str(tmp_path)
    panel.editor.yaml.value = "<script>: 1"
    panel.save_tab.buttons["Save picture and YAML"].click()
    until(lambda: "saved" in panel.save_tab.saved.value)
    assert all("<img" not in html.value and "<script" not in html.value for html in _html(panel))


def _html(widget: ipywidgets.Widget) -> Iterator[ipywidgets.HTML]:
    if isinstance(widget, ipywidgets.HTML):
        yield widget
    for child in getattr(widget, "children", ()):
        yield from _html(child)


@pytest.mark.parametrize("in_thread", [True, False])
def test_a_cell_can_wait_for_the_end(tiny: DualEncoder, yaml_text: str, in_thread: bool) -> None:
    import asyncio

    import clipnb

    async def main() -> int:
        text = yaml_text.replace("100000", "5")
        panel = clipnb.live(text, encoder=tiny, in_thread=in_thread, live_chart=False)
        with pytest.raises(ConfigError, match="press Start"):
            await panel.finished()
        panel.start()
        return (await panel.finished()).index

    assert asyncio.run(main()) == 4


def test_on_an_event_loop(tiny: DualEncoder, yaml_text: str) -> None:
    import asyncio

    import clipnb

    async def main() -> LivePanel:
        panel = clipnb.live(yaml_text, encoder=tiny, in_thread=False, live_chart=False)
        panel.toolbar["start"].click()
        while index(panel) < 3:
            await asyncio.sleep(0)
        panel.toolbar["pause"].click()
        held = index(panel)
        for _ in range(50):  # in each of which a run that is on makes a step
            await asyncio.sleep(0)
        assert index(panel) == held
        panel.toolbar["stop"].click()
        while panel.session.is_on:
            await asyncio.sleep(0.01)
        return panel

    assert asyncio.run(main()).session.state is RunState.STOPPED


def test_a_run_goes_on_by_the_old_experiment_when_an_expression_of_the_new_fails(
    paused: LivePanel, until: Until
) -> None:
    old, before = paused.editor.checked(), index(paused)
    paused.editor.yaml.value = f"{paused.editor.yaml.value}\nlearnrate_scale: 1/(epoch*0)\n"
    paused.toolbar["apply"].click()
    paused.toolbar["pause"].click()
    until(lambda: "goes on as it was" in paused.message.value)
    assert "learnrate_scale" in paused.message.value
    until(lambda: index(paused) > before + 1)
    assert old.learnrate_scale == 1


def test_what_may_not_be_meant_is_told_below_the_yaml(opened: Open) -> None:
    panel = opened("targets:\n- features:\n  - text: cat number #1\n")
    assert "is a comment" in panel.editor.problem.value
    panel.editor.yaml.value = "targets:\n- features:\n  - text: 'cat number #1'\n"
    assert not panel.editor.problem.value


@pytest.mark.parametrize("name", ["auto", "lite", "das", "cutouts"])
def test_a_recipe_is_written_into_the_yaml(opened: Open, name: str) -> None:
    panel = opened("epochs: 3\nseed: 7\ninit: {image_tensor: [[[0.5]], [[0.5]], [[0.5]]]}\ntargets: {features: a cat}")
    panel.editor.recipe.value = name
    config = panel.editor.checked()
    assert (config.seed, config.init.std) == (7, ExperimentConfig.from_dict({"init": {}}).init.std)
    assert config.init.image_tensor is not None
    assert config.epochs > 50
    assert [feature.text for feature in config.targets[0].features] == ["a cat"]
    kind = "cutouts" if name == "cutouts" else "random_"
    assert kind in panel.editor.yaml.value
    assert panel.editor.recipe.value not in ("lite", "das", "cutouts", "auto")  # it can be chosen again


def test_a_recipe_waits_for_yaml_without_mistakes(opened: Open) -> None:
    panel = opened("epochs: many")
    panel.editor.recipe.value = "lite"
    assert "mend it first" in panel.editor.problem.value
    assert panel.editor.yaml.value == "epochs: many"


def test_advice_about_the_embedded_encoder_stands_in_the_panel(capsys: pytest.CaptureFixture[str]) -> None:
    load.announce_lite.cache_clear()
    panel = live("epochs: 1\nresolution: 16\ntargets:\n- features:\n  - text: a fox\n", in_thread=True)
    panel.start()
    panel.session.join(60)
    assert "embedded encoder" in panel.message.value
    assert capsys.readouterr() == ("", "")
