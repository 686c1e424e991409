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
