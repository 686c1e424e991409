"""Other tools' command lines and settings become experiments; no option is dropped silently."""

from __future__ import annotations

import shlex
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from clipnb.cli import main
from clipnb.errors import ClipnbError, ConfigError
from clipnb.optimise.importers import TOOLS, Converted, convert
from clipnb.optimise.importers.options import FLAG, MANY, TWO, Option, Tool
from clipnb.optimise.language.config import ExperimentConfig

PYTTI = """
# @package _global_
scenes: "a castle:2 | fog:-0.5 || a harbour at night"
scene_suffix: " | oil painting"
image_model: Unlimited Palette
width: 180
height: 112
pixel_size: 4
steps_per_scene: 300
animation_mode: off
seed: ${now:%f}
cutouts: 60
ViTB32: true
RN50: true
ViTL14: false
translate_x: "10*sin(t)"
direct_image_prompts: ''
file_namespace: castle
"""
LINES = {
    "aphantasia": "python clip_fft.py -t 'a castle|fog:-.5' -t2 'oil painting' -s 640-480 --steps 100 -lr 0.1 -nv "
    "--translate",
    "deep-daze": 'imagine "a house in the forest" --deeper --num-layers=32 --batch_size=16 --epochs 2 --seed=7',
    "big-sleep": "dream 'a pyramid|made of ice' --text-min='blur|text' --larger_model=True --num-cutouts 32 "
    "--overwrite",
    "pixray": "!python pixray.py --drawer=fft --prompts='a bird:2|sky' --quality better --learning_rate_drops 50 75 "
    "-o bird.png",
}
NEEDED = {
    "aphantasia": "clip_fft -t a",
    "deep-daze": "imagine a",
    "big-sleep": "dream a",
    "pixray": "pixray -p a",
}


def settings(folder: Path, text: str) -> str:
    path = folder / "settings.yaml"
    path.write_text(text, encoding="utf-8")
    return str(path)


def runnable(converted: Converted) -> ExperimentConfig:
    """Return what the YAML says; it is the experiment."""
    config = ExperimentConfig.from_yaml(converted.as_yaml())
    assert config == converted.config
    return config


# What people have


def test_scenes_of_pytti_become_targets_one_after_another(tmp_path: Path) -> None:
    converted = convert(settings(tmp_path, PYTTI), "pytti")
    config = runnable(converted)
    first, second = config.targets
    assert [(feature.text, feature.weight) for feature in first.features] == [
        ("a castle", 2), ("fog", -0.5), ("oil painting", 1),
    ]  # fmt: skip
    assert (config.epochs, first.start, first.end, second.start, second.end) == (600, 0, 299, 300, 599)
    assert (config.resolution, config.models, config.output) == ((720, 448), ("ViT-B/32", "RN50"), "castle/")
    assert config.pixels.name == "rgb"
    lost = "\n".join(converted.lost)
    assert "not mapped: animation_mode, translate_x: " in lost
    assert "not mapped: seed: ${now:%f}" in lost
    assert "direct_image_prompts" not in lost, "it is empty"
    assert "# cutouts: cutouts.count" in converted.as_yaml()


def test_masks_of_pytti_become_regions(tmp_path: Path) -> None:
    Image.new("RGB", (8, 8), "white").save(tmp_path / "mask_a.png")
    text = (
        f"a castle | the sea:2_d | [{tmp_path}/mask_a.png]:1 | storm:-1_[{tmp_path}/mask_a.png] | sun:1_sky | x:2*t:.5"
    )
    converted = convert(settings(tmp_path, f"scenes: '{text}'\n"), "pytti")
    found = [(t.region, [(f.label, f.weight) for f in t.features]) for t in runnable(converted).targets]
    mask = str(tmp_path / "mask_a.png")
    assert found == [
        (None, [("a castle", 1), (mask, 1), ("sun", 1), ("x", 1)]),
        ("bottom", [("the sea", 2)]),
        (mask, [("storm", -1)]),
    ]
    assert [line.split(":")[1].strip() for line in converted.lost if "scenes" in line] == [
        "scenes (the mask sky)",
        "scenes (what stands behind a second colon)",
        "scenes (the weight 2*t)",
    ]


def test_a_line_of_aphantasia(tmp_path: Path) -> None:
    converted = convert(LINES["aphantasia"], "aphantasia")
    config = runnable(converted)
    (views,) = config.targets
    assert [(f.text, f.weight) for f in views.features] == [("a castle", 1), ("fog", -0.5), ("oil painting", 0.5)]
    cuts: Any = views.transforms[0]
    assert (cuts.count, cuts.macro) == ((200,), (0.4,))
    assert (config.epochs, config.learnrate, config.resolution, config.verbose) == (100, 2.0, (640, 480), 0)
    assert converted.lost == ("not mapped: translate: write the text in English",)


def test_a_line_of_deep_daze() -> None:
    converted = convert(LINES["deep-daze"], "deep-daze")
    config = runnable(converted)
    assert (config.epochs, config.seed, config.snapshot_interval) == (2100, 7, 100)
    assert config.targets[0].transforms[0].count == (64,)  # type: ignore[attr-defined]
    assert any("num_layers, deeper" in line for line in converted.lost)
    assert any("AdamP" in line for line in converted.lost)


def test_a_line_of_big_sleep() -> None:
    converted = convert(LINES["big-sleep"], "big-sleep")
    config = runnable(converted)
    features = [(feature.text, feature.weight) for feature in config.targets[0].features]
    assert features == [("a pyramid", 1), ("made of ice", 1), ("blur", -1), ("text", -1)]
    assert config.model == "ViT-L/14"
    assert any("BigGAN" in line for line in converted.lost)
    assert any("overwrite" in line for line in converted.lost)


def test_a_line_and_settings_of_pixray(tmp_path: Path) -> None:
    config = runnable(convert(LINES["pixray"], "pixray"))
    assert (config.models, config.epochs, config.resolution) == (("RN50", "ViT-B/32", "ViT-B/16"), 300, (576, 324))
    assert config.pixels.name == "fourier"
    assert config.output == "bird.png"
    written = "prompts: 'a bird:2|sky'\ndrawer: fft\nquality: better\nlearning_rate_drops: [50, 75]\noutput: bird.png\n"
    assert runnable(convert(settings(tmp_path, written), "pixray")) == config


def test_the_rate_falls_to_a_tenth_where_pixray_drops_it() -> None:
    scale = str(convert("pixray -p a -lrd 50 75", "pixray").config.learnrate_scale)
    assert [eval(scale, {"t": t}) for t in (0.4, 0.6, 0.8)] == pytest.approx([1, 0.1, 0.01])


def test_a_seed_of_too_many_digits_is_named() -> None:
    assert "seed: a seed is a whole number" in "\n".join(convert(f"pixray -p a --seed {'9' * 5000}", "pixray").lost)


def test_the_whole_picture_keeps_its_shape(tmp_path: Path) -> None:
    Image.new("RGB", (40, 20)).save(tmp_path / "begin.png")
    line = f"pixray -p a --aspect retain --scale 1 --init_image {shlex.quote(str(tmp_path / 'begin.png'))}"
    config = runnable(convert(line, "pixray"))
    assert config.resolution == (144, 72)
    assert config.init.image == str(tmp_path / "begin.png")


def test_a_file_may_hold_the_command_line(tmp_path: Path) -> None:
    path = tmp_path / "run.sh"
    path.write_text("CUDA_VISIBLE_DEVICES=0 python illustra.py -t 'a castle' \\\n  --steps 50 --fps 30\n")
    converted = convert(str(path), "aphantasia")
    assert converted.config.epochs == 50
    assert any("fps" in line for line in converted.lost)
    path.write_text("clip_fft -t a --stpes 3")
    with pytest.raises(ConfigError, match=r"run\.sh: aphantasia has no option '--stpes'"):
        convert(str(path), "aphantasia")


# Nothing is dropped silently


def options() -> list[tuple[str, str, Option]]:
    return [
        (name, program, option)
        for name, tool in TOOLS.items()
        for program, options in tool.programs.items()
        for option in options
    ]


SAMPLES = {
    "transform": "none", "quality": "draft", "aspect": "square", "ezsize": "small", "seed": "5",
    "perceptors": "slip", "drawer": "fft", "image_model": "Unlimited Palette", "model": "RN50", "model_name": "RN50",
    "clip_models": "RN50", "gen": "FFT", "init_noise": "none", "custom_loss": "smoothness", "filters": "wallpaper",
    "semantic_init_weight": "2", "upper_bound_cutout": ".5", "batches": "3", "direct_init_weight": "2",
    "min_stroke_width": "3",     "align": "overscan",
    "border_mode": "wrap", "pixel_type": "hex",
    "optimizer": "adamw", "optimr": "adamw", "optimiser": "AdamW",
}  # fmt: skip
COMPANY = {
    "weight_img": {"in_img": "PICTURE"},
    "image_prompt_weight": {"image_prompts": "PICTURE"},
    "palette_size": {"image_model": "Limited Palette"},
    "palettes": {"image_model": "Limited Palette"},
    "target_palette": {"image_model": "Limited Palette"},
    "pixel_type": {"drawer": "pixel"},
    "sync": {"in_img": "PICTURE"},
    "init_weight_pix": {"init_image": "PICTURE"},
    "direct_init_weight": {"init_image": "PICTURE"},
    "style_file": {"custom_loss": "style"},
    **{name: {"drawer": "clipdraw"} for name in ("strokes", "min_stroke_width", "max_stroke_width")},
    "ViTB32": {"RN50": "true"},
    "smoothness_weight": {"custom_loss": "smoothness"},
    "saturation_weight": {"custom_loss": "saturation"},
    "fft_decay": {"drawer": "fft"},
    "semantic_init_weight": {"init_image": "PICTURE"},
}
"""Options that count only beside another."""


def sample(option: Option) -> list[str]:
    """Return values for an option that are not its default."""
    kind = option.default[0] if isinstance(option.default, list) else option.default
    if option.count == FLAG:
        return []
    if option.name in SAMPLES:
        return [SAMPLES[option.name]]
    if option.name == "size":
        return ["64", "32"] if option.count == TWO else ["64-32"]
    if "image" in option.to or option.name in ("target_images", "style_file", "direct_image_prompts"):
        return ["PICTURE"]
    if isinstance(kind, bool):
        return [str(not kind)]
    one = str(kind * 2 + 1) if isinstance(kind, (int, float)) else "another thing"
    return [one] * (1 if option.count == MANY else option.count)


def converted_with(name: str, program: str, option: Option | None, folder: Path, told: str) -> Converted:
    """Convert with an option of values that are not its default, and with the company that the one `told` needs."""
    tool: Tool = TOOLS[name]
    picture = folder / "picture.png"
    Image.new("RGB", (8, 8)).save(picture)
    needed = COMPANY.get(told, {})
    if told == "pixel_size":
        needed = {"drawer": "pixel"} if name == "pixray" else {"image_model": "Limited Palette"}
    company = {key: value.replace("PICTURE", str(picture)) for key, value in needed.items()}
    values = [value.replace("PICTURE", str(picture)) for value in sample(option)] if option else []
    if not tool.takes_commands:
        given: dict[str, Any] = {"scenes": "a", **company}
        if option:
            given[option.name] = values[0]
        return convert(settings(folder, "".join(f"{key}: '{value}'\n" for key, value in given.items())), name)
    plain = NEEDED[name].split()[1:] if option is None or option.name not in ("text", "in_txt", "prompts") else []
    words = [program, *plain]
    for key, value in company.items():
        other = next(one for one in tool.programs[program] if one.name == key)
        words += [other.spellings.split()[-1], value]
    if option:
        words += [option.spellings.split()[0], *values]
    return convert(shlex.join(words), name)


@pytest.mark.parametrize(("name", "program", "option"), options(), ids=lambda part: getattr(part, "name", part))
def test_every_option_changes_the_experiment_or_is_named(
    name: str, program: str, option: Option, tmp_path: Path
) -> None:
    told = converted_with(name, program, option, tmp_path, option.name)
    plain = converted_with(name, program, None, tmp_path, option.name)
    runnable(told)
    if not option.to:
        assert any(option.name in line for line in told.lost)
        assert option.why
        assert told.config == plain.config, "it is said not to be mapped"
    else:
        assert f"{option.name}: {option.to}" in told.mapped
        named = any(option.name in line or SAMPLES.get(option.name, "\0") in line for line in told.lost)
        assert told.config != plain.config or named or option.name in ("verbose",)


# Mistakes


@pytest.mark.parametrize(
    ("tool", "line", "told"),
    [
        ("aphantasia", "clip_fft -t a --stpes 3", r"no option '--stpes'.*--steps"),
        ("aphantasia", "clip_fft -t a --steps many", "--steps is a number, not 'many'"),
        ("aphantasia", "clip_fft -t a --steps 2.5", "whole number"),
        ("aphantasia", "clip_fft -t a --steps", "takes 1 value; given: 0"),
        ("aphantasia", "clip_fft -t a --steps 2 --steps 3", "given twice"),
        ("aphantasia", "clip_fft -t 'a", "quotes"),
        ("aphantasia", "clip_fft --steps 2", "neither a text"),
        ("aphantasia", "clip_fft -t a -s big", "WIDTH-HEIGHT"),
        ("aphantasia", f"clip_fft -t a -s {'9' * 5000}", "WIDTH-HEIGHT"),
        ("aphantasia", "clip_fft -t a castle", "'castle' stands behind no option"),
        ("aphantasia", "python other.py -t a", "'other.py' is not known"),
        ("pixray", "pixray -p a --quality great", "draft, normal"),
        ("pixray", "pixray -p a --size 3", "takes 2 values; given: 1"),
        ("deep-daze", "imagine a b", "'b' stands behind no option"),
        ("deep-daze", "imagine a --open_folder=maybe", "true or false"),
        ("pytti", "scenes: a", "a file of settings"),
        ("pytti", "none.yaml", "there is no experiment none.yaml"),
        ("midjourney", "a", "experiments come from pytti, aphantasia"),
        ("big-sleep", "none.yaml", "there is no experiment"),
    ],
)
def test_a_mistake_is_told(tool: str, line: str, told: str) -> None:
    with pytest.raises(ConfigError, match=told):
        convert(line, tool)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("scenes: a\nsteps_per_scnee: 3\n", r"\.yaml, line 2: .*no option 'steps_per_scnee'.*steps_per_scene"),
        ("scenes: a\nwidth: wide\n", r"\.yaml, line 2: width is a number"),
        ("scenes: ''\n", "scenes: there is no text"),
        ("scenes: a\nimage_model: Oil\n", "Limited Palette"),
        ("scenes: a\nViTB32: false\n", "all CLIPs are switched off"),
        ("scenes: [a\n", "is no YAML"),
    ],
)
def test_a_mistake_in_settings_is_told(text: str, told: str, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=told):
        convert(settings(tmp_path, text), "pytti")


@given(tool=st.sampled_from(sorted(TOOLS)), line=st.text(max_size=60))
def test_whatever_is_given_ends_in_an_experiment_or_a_clear_word(tool: str, line: str) -> None:
    if "\0" in line or line.strip() == "-":
        return
    with suppress(ClipnbError):
        runnable(convert(line, tool))


WORDS = st.text(st.characters(exclude_categories=["C", "Z"], exclude_characters="|:-!%="), min_size=1, max_size=12)


@given(
    texts=st.lists(WORDS, min_size=1, max_size=4),
    steps=st.integers(1, 10**6),
    size=st.tuples(*[st.integers(1, 4096)] * 2),
)
def test_what_a_command_line_says_is_what_the_experiment_says(
    texts: list[str], steps: int, size: tuple[int, int]
) -> None:
    side = "-".join(map(str, size))
    line = shlex.join(["python", "clip_fft.py", "-t", " | ".join(texts), f"--steps={steps}", "-s", side])
    config = runnable(convert(line, "aphantasia"))
    assert [feature.text for feature in config.targets[0].features] == texts
    assert (config.epochs, config.resolution) == (steps, size)


# The command


def test_the_command_prints_yaml_and_says_what_is_not_mapped(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["convert", LINES["aphantasia"], "--from", "aphantasia"]) == 0
    printed = capsys.readouterr()
    assert ExperimentConfig.from_yaml(printed.out).epochs == 100
    assert printed.err == "not mapped: translate: write the text in English\n"
    for _ in range(2):
        assert main(["convert", settings(tmp_path, PYTTI), "--from", "pytti", "-o", str(tmp_path / "a.yaml")]) == 0
    assert ExperimentConfig.from_files(tmp_path / "a-1.yaml") == ExperimentConfig.from_files(tmp_path / "a.yaml")
    assert main(["convert", "clip_fft", "--from", "aphantasia"]) == 2
