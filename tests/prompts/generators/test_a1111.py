"""Texts of A1111 and its forks, taken apart."""

from __future__ import annotations

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clipnb.prompts.metadata import has_parameters, parse_dump, parse_parameters


@pytest.mark.parametrize(
    ("text", "prompt", "negative", "settings"),
    [
        ("a cat", "a cat", "", {}),
        ("", "", "", {}),
        ("a cat\nSteps: 20, Sampler: Euler a", "a cat", "", {"Steps": "20", "Sampler": "Euler a"}),
        ("\nNegative prompt: dog\nSteps: 20", "", "dog", {"Steps": "20"}),
        ("a\nb\nNegative prompt: c\nd\nSteps: 20, Seed: 1", "a\nb", "c\nd", {"Steps": "20", "Seed": "1"}),
        ("a\r\nNegative prompt: b\r\nSteps: 20\r\n", "a", "b", {"Steps": "20"}),
        ("a cat\nNegative prompt: dog", "a cat", "dog", {}),
        # Line breaks that a table or a chat made blanks.
        ("a Negative prompt: b Steps: 20, Sampler: Euler a", "a", "b", {"Steps": "20", "Sampler": "Euler a"}),
        # Forks that do not begin with the steps.
        (
            "a cat\nSampler: Euler, Seed: 1, Size: 64x32",
            "a cat",
            "",
            {"Sampler": "Euler", "Seed": "1", "Size": "64x32"},
        ),
        # Prose is no list of settings.
        ("Subject: cat, Style: ink, Mood: calm", "Subject: cat, Style: ink, Mood: calm", "", {}),
    ],
)
def test_parts_of_a_text(text: str, prompt: str, negative: str, settings: dict[str, str]) -> None:
    found = parse_parameters(text)
    assert (found.text, found.negative, found.settings) == (prompt, negative, settings)


@pytest.mark.parametrize(
    ("line", "name", "value"),
    [
        ('Lora hashes: "a: 1, b: 2", Version: 1', "Lora hashes", "a: 1, b: 2"),
        (r'Hires prompt: "a \"big\" cat,\nfur", Version: 1', "Hires prompt", 'a "big" cat,\nfur'),
        ("Styles: ['ink', 'fog'], Version: 1", "Styles", "['ink', 'fog']"),
        ("Hires negative: dog, blurry, Version: 1", "Hires negative", "dog, blurry"),
        ("Date: 2024-01-01 12:30:05, Version: 1", "Date", "2024-01-01 12:30:05"),
        ('ControlNet 0: "Module: canny, Weight: 1", Version: 1', "ControlNet 0", "Module: canny, Weight: 1"),
        (
            'Civitai resources: [{"type":"lora","weight":0.8,"modelVersionId":12}], Version: 1',
            "Civitai resources",
            '[{"type":"lora","weight":0.8,"modelVersionId":12}]',
        ),
        ("Civitai metadata: {}, Version: 1", "Civitai metadata", "{}"),
        ('Note: "open, Version: 1', "Note", '"open'),
    ],
)
def test_values_of_settings(line: str, name: str, value: str) -> None:
    settings = parse_parameters(f"a cat\nSteps: 20, {line}").settings
    assert settings[name] == value
    assert settings["Version"] == "1"


FORKS = {
    "Forge": (
        (
            "Steps: 20, Sampler: Euler, Schedule type: Simple, CFG scale: 1, Distilled CFG Scale: 3.5, Seed: 5, "
            'Size: 896x1152, Model hash: 12ab, Model: flux1-dev, Lora hashes: "fur: 34cd", Beta schedule alpha: 0.6, '
            "Version: f2.0.1v1.10.1-previous-313-g8a042934, Diffusion in Low Bits: Automatic (fp16 LoRA), Module 1: ae"
        ),
        {"Distilled CFG Scale": "3.5", "Model": "flux1-dev", "Module 1": "ae"}
        | {"Diffusion in Low Bits": "Automatic (fp16 LoRA)", "Lora hashes": "fur: 34cd"},
    ),
    "SD.Next": (
        (
            "Steps: 20, Size: 1024x1024, Sampler: DPM++ 2M, Seed: 5, CFG scale: 6, App: SD.Next, Version: 8b5ef1d, "
            "Pipeline: SDXL, Operations: txt2img; hires, Hires upscaler: RealESRGAN 4x+, Model: dream"
        ),
        {"App": "SD.Next", "Operations": "txt2img; hires", "Hires upscaler": "RealESRGAN 4x+", "Model": "dream"},
    ),
    "Civitai": (
        (
            "Steps: 25, Sampler: DPM++ 2M Karras, CFG scale: 7, Seed: 5, Size: 832x1216, Clip skip: 2, "
            'Created Date: 2024-06-01T12:30:05.0000000Z, Civitai resources: [{"type":"checkpoint","modelVersionId":1,'
            '"modelName":"A, \\"B\\""}], Civitai metadata: {"remixOfId":[1,2]}'
        ),
        {"Created Date": "2024-06-01T12:30:05.0000000Z", "Civitai metadata": '{"remixOfId":[1,2]}'}
        | {"Civitai resources": '[{"type":"checkpoint","modelVersionId":1,"modelName":"A, \\"B\\""}]'},
    ),
    "ADetailer": (
        (
            'Steps: 20, Seed: 5, TI hashes: "easyneg: 56ef", ADetailer model: face.pt, ADetailer prompt: "a, b", '
            "ADetailer confidence: 0.3, Hires upscale: 2, Version: v1.10.1"
        ),
        {"ADetailer prompt": "a, b", "ADetailer model": "face.pt", "TI hashes": "easyneg: 56ef"},
    ),
}


@pytest.mark.parametrize("name", FORKS)
def test_settings_of_forks_and_extensions(name: str) -> None:
    line, wanted = FORKS[name]
    found = parse_parameters(f"a cat,\nfur\nNegative prompt: dog\n{line}")
    assert (found.text, found.negative, found.settings["Seed"]) == ("a cat,\nfur", "dog", "5")
    assert wanted.items() <= found.settings.items()


def test_values_that_look_like_json_and_are_none_do_not_hide_what_is_behind() -> None:
    line = "Styles: ['ink', 'fog'], Schedule: [a:b:0.5], Choice: {x|y}, Civitai resources: [{\"a\":1,\"b\":2}]"
    assert parse_parameters(f"a cat\nSteps: 20, {line}").settings == {
        "Steps": "20",
        "Styles": "['ink', 'fog']",
        "Schedule": "[a:b:0.5]",
        "Choice": "{x|y}",
        "Civitai resources": '[{"a":1,"b":2}]',
    }


def test_templates_of_dynamic_prompts_stand_behind_the_settings() -> None:
    text = "a cat\nSteps: 20, Seed: 1\nTemplate: a {cat|dog}, {2$$a|b}\nNegative Template: {x|y}, z"
    assert parse_parameters(text).settings == {
        "Steps": "20",
        "Seed": "1",
        "Template": "a {cat|dog}, {2$$a|b}",
        "Negative Template": "{x|y}, z",
    }


def test_setting_that_comes_twice_keeps_both() -> None:
    assert parse_parameters("a\nSteps: 20, Lora: a, Lora: b").settings["Lora"] == "a, b"


def test_dump_is_split_at_its_settings() -> None:
    dump = "a\n\nb\nSteps: 1, Seed: 2\nTemplate: {a|b}\n-----\n\nc\nNegative prompt: d\nSteps: 3, Seed: 4\ne\n"
    found = list(parse_dump(dump.split("\n")))
    assert [(one.text, one.negative, one.source) for one in found] == [
        ("a\n\nb", "", "line 1"),
        ("c", "d", "line 8"),
        ("e", "", "line 11"),
    ]
    assert found[0].settings["Template"] == "{a|b}"


def test_dump_is_read_lazily() -> None:
    def endless():  # type: ignore[no-untyped-def]
        while True:
            yield from ("a cat", "Steps: 20, Seed: 1")

    assert next(parse_dump(endless())).text == "a cat"


def test_has_parameters() -> None:
    assert has_parameters("a cat\nSteps: 20, Seed: 1")
    assert not has_parameters("Take three Steps: left, right, left")


PIECES = st.sampled_from(
    ["\n", ", ", ": ", '"', "[", "]", "{", "}", "Steps: 20, ", "Negative prompt: ", "Template: ", "Model: ", "a", "é"]
)


@given(st.one_of(st.text(), st.lists(st.one_of(PIECES, st.text(max_size=5))).map("".join)))
def test_no_text_is_lost(text: str) -> None:
    found = parse_parameters(text)
    kept = Counter("".join((found.text, found.negative, *found.settings, *found.settings.values())))
    if "\\" in text:  # escapes of quoted values are resolved
        return
    marks = Counter(dict.fromkeys(',:"', 10**6)) + Counter("Negative prompt:")
    repeated = Counter("".join(text.count(f"{name}:") * name for name in found.settings))  # a name is kept once
    given_characters = Counter(character for character in text if not character.isspace())
    assert not given_characters - kept - marks - repeated
