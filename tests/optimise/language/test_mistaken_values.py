"""Values that people write and do not mean: refused with what to write, read as meant, or told."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clipnb.errors import ConfigError
from clipnb.optimise.language.config import ExperimentConfig
from clipnb.optimise.language.yaml_source import read_yaml
from clipnb.optimise.transforms import TRANSFORMS

ONE_NUMBER = ("learnrate", "learnrate_scale", "epochs", "start_epoch", "seed", "snapshot_interval")
IN_A_TARGET = ("weight", "batch_size", "start", "end")


def read(text: str) -> ExperimentConfig:
    return ExperimentConfig.from_yaml(text, "try.yaml")


def refused(text: str) -> str:
    with pytest.raises(ConfigError) as caught:
        read(text)
    return str(caught.value)


def transformed(item: str) -> str:
    return f"targets: [{{features: [a cat], transforms: [{{{item}}}]}}]"


def constrained(item: str) -> str:
    return f"targets: [{{features: [a cat], constraints: [{{{item}}}]}}]"


@pytest.mark.parametrize("key", [*ONE_NUMBER, *IN_A_TARGET])
@pytest.mark.parametrize("value", ["0,5", "1,000", "1,2", "1 ,5", "(0, 5)"])
def test_one_number_is_never_the_first_of_two(key: str, value: str) -> None:
    text = f"{key}: {value}" if key in ONE_NUMBER else f"targets:\n- {key}: {value}\n  features: [a cat]"
    assert f"{key}: " in refused(text)
    assert "gives" in refused(text) or "needed" in refused(text)


@given(st.integers(0, 10**6), st.integers(0, 999999))
def test_a_decimal_comma_is_told_with_the_number_to_write(whole: int, decimals: int) -> None:
    assert f"{whole}.{decimals}" in refused(f"learnrate: {whole},{decimals}")


def test_thousands_with_a_comma_are_told_without() -> None:
    assert "write 1000" in refused("epochs: 1,000")
    assert "write 0.5" in refused(transformed("rotate: '0,5'"))


def test_a_decimal_comma_in_a_map_on_one_line_is_told() -> None:
    assert "unknown key '5'; a decimal number has a point" in refused(constrained("noise: {weight: 0,5}"))


@pytest.mark.parametrize("feature", ["''", "'  '", "{text: ''}"])
def test_an_empty_text_is_refused(feature: str) -> None:
    assert "targets[0].features[0]: the text is empty" in refused(f"targets: [{{features: [{feature}]}}]")


@pytest.mark.parametrize("models", ["[lite, lite]", "[ViT-B/32, ViT-B-32/openai]"])
def test_a_model_that_is_named_twice_is_refused(models: str) -> None:
    assert "named twice" in refused(f"models: {models}")


@pytest.mark.parametrize("text", ["a cat:0", "a cat:0 | a dog:0"])
def test_texts_of_which_none_counts_are_refused(text: str) -> None:
    with pytest.raises(ConfigError, match="every text has weight 0"):
        ExperimentConfig.from_text(text)


@pytest.mark.parametrize("value", ["32:32", "1:30", "1:30:00", "-1:30"])
@pytest.mark.parametrize("key", [*ONE_NUMBER, "resolution"])
def test_there_is_no_base_60(key: str, value: str) -> None:
    assert "base 60" in refused(f"{key}: {value}")


@pytest.mark.parametrize(("value", "meant"), [("017", 17), ("0017", 17), ("0o17", 15), ("0x10", 16), ("1e2", 100)])
def test_numbers_are_those_of_yaml_1_2(value: str, meant: int) -> None:
    assert read(f"epochs: {value}").epochs == meant


@pytest.mark.parametrize("key", ["epochs", "seed", "resolution", "start_epoch"])
def test_a_part_of_a_whole_number_is_refused(key: str) -> None:
    assert "a whole number is needed, not 4.7" in refused(f"{key}: 4.7")
    assert read(f"{key}: 4.0") == read(f"{key}: 4")


NONSENSE = [
    "crop: 0 0 0 0", "crop: 0 0 10 -1", "clamp: 1 0", "add: 255 0 0", "mul: 255", "mean: 128", "noise: -.1",
    "bwnoise: -1", "rnoise: -1", "fnoise: -1", "pad: -20", "pad: {size: 1, color: 255}", "resize: 0", "resize: 10 -3",
    "center_crop: 0", "random_crop: 0", "repeat: 0", "repeat: 5000", "cutouts: {count: 0}", "cutouts: {size: 2 3}",
    "border: {color: 255 0 0}", "border: -1", "blur: {sigma: -1}", "quantize: -1", "color_jitter: -.1",
    "random_erase: {probability: 2}", "random_erase: {size: -1 1}", "random_flip: -1", "resize: 1000000",
    "blur: 1000000", "random_scale: 0", "random_scale: -1 1", "random_perspective: 5", "random_translate: 30",
    "cutouts: {size: 0 0}", "border: {color: redd}", "border: {color: '#ff00'}",
]  # fmt: skip


@pytest.mark.parametrize("item", NONSENSE)
def test_nonsense_in_transforms_is_refused(item: str) -> None:
    told = refused(transformed(item))
    assert f"targets[0].transforms[0].{item.split(':')[0]}" in told


@pytest.mark.parametrize(
    "item",
    [
        "mean: {above: .8, below: .2}",
        "mean: {above: 128}",
        "saturation: {below: -1}",
        "noise: -1",
        "border: {color: 255}",
        "normalize: {min: 1, max: 0}",
        "blur: 1000000",
    ],
)
def test_nonsense_in_constraints_is_refused(item: str) -> None:
    assert "targets[0].constraints[0]" in refused(constrained(item))


@pytest.mark.parametrize(
    ("init", "word"),
    [
        ("mean: 128", "not 255"),
        ("mean: 255 0 0", "not 255"),
        ("std: 128", "too large"),
        ("std: -.1", "not negative"),
        ("{image: https://a.b/c.png, image_tensor: [[[1]], [[1]], [[1]]]}", "not both"),
        ("{resolution: 8, image_tensor: [[[1]], [[1]], [[1]]]}", "there is none"),
    ],
)
def test_nonsense_of_a_beginning_is_refused(init: str, word: str) -> None:
    init = init if init.startswith("{") else f"{{{init}}}"
    assert word in refused(f"init: {init}")


def test_a_beginning_may_be_an_inverted_image() -> None:
    init = ExperimentConfig.from_dict({"init": {"image": "a.png", "std": -1, "mean": 1}}).init
    assert init.mapping == ((-1.0,) * 3, (1.0,) * 3)


@pytest.mark.parametrize(
    ("value", "colour"),
    [
        ("red", (1, 0, 0)), ("White", (1, 1, 1)), ("tan", (210 / 255, 180 / 255, 140 / 255)),
        ("#ff0000", (1, 0, 0)), ("'#00f'", (0, 0, 1)), ("#0000ff  # blue", (0, 0, 1)), (".5", (0.5, 0.5, 0.5)),
    ],
)  # fmt: skip
def test_colours_have_names(value: str, colour: tuple[float, ...]) -> None:
    assert read(f"init:\n  mean: {value}\n").init.mean == pytest.approx(colour)
    part = read(f"targets:\n- features: [a cat]\n  transforms:\n  - pad:\n      size: 1\n      color: {value}\n")
    assert part.targets[0].transforms[0].color == pytest.approx(colour)  # type: ignore[attr-defined]


@pytest.mark.parametrize("value", ["224x96", "224 X 96", "224×96", "'224x96'", "224, 96"])
def test_sizes_are_written_with_an_x_too(value: str) -> None:
    assert read(f"resolution: {value}").resolution == (224, 96)
    resized = read(transformed(f"resize: {value if ',' not in value else [224, 96]}")).targets[0].transforms[0]
    assert resized.size == (224, 96)  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("text", "key", "meant"),
    [
        ("optimizer: Adam", "optimizer", "adam"),
        ("optimizer: ' RMSprop '", "optimizer", "rmsprop"),
        ("device: GPU", "device", "cuda"),
        ("device: CPU", "device", "cpu"),
        ("interpolation: bicubic", "interpolation", "cubic"),
        ("interpolation: Bilinear", "interpolation", "linear"),
        ("verbose: '1'", "verbose", 1),
        ("verbose: silent", "verbose", 0),
        ("epochs: '30'", "epochs", 30),
    ],
)
def test_case_quotes_and_common_words_are_read(text: str, key: str, meant: object) -> None:
    assert getattr(read(text), key) == meant


@pytest.mark.parametrize("name", sorted(TRANSFORMS))
def test_names_of_transforms_are_read_in_any_case(name: str) -> None:
    cls = TRANSFORMS[name]
    both = [{"targets": [{"transforms": [{spelled: cls.example_item()[name]}]}]} for spelled in (name, name.title())]
    assert ExperimentConfig.from_dict(both[0]) == ExperimentConfig.from_dict(both[1])


@pytest.mark.parametrize(
    "short",
    [
        "targets: [{features: a cat}]",
        "targets: [{features: [a cat]}]",
        "targets: [{features: {text: a cat}}]",
        "targets: {features: a cat}",
    ],
)
def test_features_have_short_forms(short: str) -> None:
    assert read(short) == read("targets: [{features: [{text: a cat}]}]")


def test_keys_of_ones_own_are_ignored() -> None:
    transforms = "[{noise: {std: .1, x-z: 1}}, {x-a: 1, mul: 2}]"
    noted = f"x-note: [1, 2]\ntargets: [{{x-who: me, features: [{{text: a, x-y: 1}}], transforms: {transforms}}}]"
    assert read(noted) == read("targets: [{features: [a], transforms: [{noise: .1}, {mul: 2}]}]")


@pytest.mark.parametrize(
    ("text", "home"),
    [
        ("features: [a cat]", "under an item of targets"),
        ("batch_size: 5", "under an item of targets"),
        ("text: a cat", "under an item of a target's features"),
        ("targets: [{text: a cat}]", "under an item of a target's features"),
        ("targets: [{epochs: 5}]", "at the top level"),
        ("targets: [{noise: .1}]", "under a target's transforms or postproc"),
        ("targets: [{features: [{text: a, batch_size: 2}]}]", "under an item of targets"),
        ("std: .1", "under init"),
        ("tv: 1", "under a target's constraints"),
    ],
)
def test_a_key_at_the_wrong_level_is_told_where_it_belongs(text: str, home: str) -> None:
    assert f"it belongs {home}" in refused(text)


@pytest.mark.parametrize(
    "line",
    ["text: a cat: b", "text: @cat", "text: %cat", "text: *cat", "text: `cat`", "text: &cat nice", "text: !cat nice",
     'text: "cat" and dog', "text: [cat", "a cat: with a hat", "@cat", "text: 'a' cat"],
)  # fmt: skip
def test_a_text_with_signs_of_yaml_is_told_to_go_into_quotes(line: str) -> None:
    told = refused(f"targets:\n- features:\n  - {line}\n")
    assert "into quotes" in told
    assert "line 3" in told or "line 4" in told


def test_a_missing_blank_is_told() -> None:
    assert "after 'text:' in 'text:a cat' a blank is missing" in refused("targets:\n- features:\n  - text:a cat")
    assert "after 'weight:' a blank is missing" in refused("targets:\n- features:\n  - text: a\n    weight:2\n")
    assert "'weight:'" in refused("targets:\n- features:\n  - a cat\n    weight:2\n")


def test_what_a_comment_takes_from_a_text_is_told() -> None:
    _, places = read_yaml("targets:\n- features:\n  - text: cat number #1\n  - a dog #2\n  - b # a note\n", "f.yaml")
    assert [hint.split(" is a comment")[0] for hint in places.hints] == ["f.yaml, line 3: '#1'", "f.yaml, line 4: '#2'"]
    assert not read_yaml("targets: [{features: ['cat number #1', \"#2\"]}]", "f.yaml")[1].hints


def test_text_and_image_together_are_refused() -> None:
    assert "either a text or an image, not both" in refused(
        "targets: [{features: [{text: a, image: https://a.b/c.png}]}]"
    )


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("targets: [{features: [2024]}]", "targets[0].features[0]: a text (in quotes, if it looks like a number"),
        ("targets: [{features: [yes]}]", "targets[0].features[0]: a text (in quotes, if it looks like a number"),
        ("targets: a cat", "targets[0]: a map such as 'features: [a cat]'"),
        ("frames: {scenes: [a cat]}", "frames.scenes[0]: a map such as '{text: a cat, frames: 48}'"),
        ("init: cat.jpg", "init: a map such as 'image: cat.jpg' is needed"),
        ("judge: 5", "judge: a name such as lite2, or a map"),
        ("learnrate: 50%", "there is no % here; write 0.5"),
        ("frames: {scenes: [{text: 'a:0 | b:0', frames: 3}]}", "every text of 'a:0 | b:0' has weight 0"),
        ("learnrate: math.sin(t)", "'math.sin': write sin alone"),
        ("lr: 1", "unknown key 'lr'; it is called learnrate here"),
        ("prompt: a cat", "it is called targets here"),
        ("learnrate: 1 - t^2", "a power is written **"),
        ("learnrate: 1 / epochs", "unknown variable 'epochs' in '1 / epochs'; nearest: epoch"),
        ("pixels: palette strokes", "unknown parameterisation 'palette strokes'; nearest: strokes, palette"),
        (transformed("border: {color: redd}"), "'redd' is neither a colour nor a variable; nearest: red"),
        (transformed("border: {color: '#ff00'}"), "'#ff00' is no colour; write #rgb or #rrggbb"),
        ("targets: [{features: [a cat], transforms: [noise .1]}]", "a colon is missing: 'noise: .1'"),
        ("targets: [{region: 0,5 0 1 1}]", "unknown key '5 0 1 1'; a decimal number has a point"),
        ("targets: [{features: [a cat], merge: true}]", "no earlier file with a target to merge into"),
        ("frames: {count: 3, camera: {shift: 5 5}}", "frames.camera.shift: 5 is too large; at most 1"),
    ],
)
def test_what_is_nearly_right_is_refused_with_its_mend(text: str, told: str) -> None:
    assert told in refused(text)


@pytest.mark.parametrize("key", ["models", "judge"])
def test_names_of_models_may_stand_on_one_line_with_commas(key: str) -> None:
    assert read(f"{key}: lite1, lite2") == read(f"{key}: [lite1, lite2]")


@pytest.mark.parametrize(
    ("text", "hint"),
    [
        ("learnrate: 0", "try.yaml, line 1: learnrate: 0 moves nothing"),
        ("learnrate: -1", "try.yaml, line 1: learnrate: below 0 the picture moves away"),
        ("epochs: 9\nmodel: lite1\nmodels: [lite, lite2]", "line 2: model: it is not used, since `models`"),
        ("targets:\n- features: photo.png", "targets[0].features[0]: 'photo.png' is a text; for what a picture shows"),
        ("epochs: 9\nlearnrate_scale: 0", "try.yaml, line 2: learnrate_scale: 0 moves nothing"),
        (
            "targets:\n- features: [a, {text: b, start: 50%, end: 20%}]",
            "line 2: targets[0].features[1]: it starts after",
        ),
        (
            "targets:\n- transforms: [{noise: .1, start: 9, end: 3}]",
            "line 2: targets[0].transforms[0].noise: it starts",
        ),
    ],
)
def test_what_does_nothing_is_told(text: str, hint: str) -> None:
    told: list[str] = []
    ExperimentConfig.from_yaml(text, "try.yaml", told=told.append)
    assert any(hint in one for one in told)


@pytest.mark.parametrize(
    "text",
    [
        "learnrate: 0\nframes: {count: 3}",
        "learnrate: 0\npostproc: [{blur: 3}]",
        "targets: [{features: [a photo of cat.png]}]",
        "targets: [{start: 5, end: 0.2}]",
        "targets: [{start: 5, end: 5}]",
    ],
)
def test_what_may_do_something_is_not_told(text: str) -> None:
    told: list[str] = []
    ExperimentConfig.from_yaml(text, "try.yaml", told=told.append)
    assert told == []


@pytest.mark.parametrize("comment", ["", "  # two of them"])
@pytest.mark.parametrize("colours", ["#f00 #00ff00", "#f00, #00ff00"])
def test_colours_on_one_line_are_no_comment(colours: str, comment: str) -> None:
    text = "pixels:\n  palette:\n    fixed: {}\n    cell: hex\n"
    assert read(text.format(colours + comment)) == read(text.format(f"'{colours}'"))


def test_an_area_may_stand_in_a_list() -> None:
    assert read("targets: [{features: [a], region: [left]}]") == read("targets: [{features: [a], region: left}]")
