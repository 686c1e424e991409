"""Every dialect: its example, what it understands, and that no text is lost; the choice among them."""

from __future__ import annotations

import time
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clipnb.errors import PromptsError
from clipnb.prompts.dialects import DIALECTS, choose_dialect, expand, join, split
from clipnb.prompts.spelling import key_of
from clipnb.tags.counting.counts import TagCounts

NAMES = sorted(DIALECTS)
SYNTAX = st.text(alphabet="ab ,;|()[]{}<>:.#_-—\\\n0125$、，BREAK") | st.lists(
    st.sampled_from(["<lora:a:0.8>", "(x:1.2)", "[a|b]", "[a:b:.5]", "{a|b}", "{2$$a|b}", "__w__", "BREAK", " --v 1"])
).map("".join)


def names(prompt: str, dialect: str) -> list[str]:
    return [tag.name for tag in split(prompt, dialect).tags]


@pytest.mark.parametrize("name", NAMES)
def test_the_example_of_a_dialect_gives_its_tags(name: str) -> None:
    prompt, tags = DIALECTS[name].example
    assert names(prompt, name) == list(tags)


@pytest.mark.parametrize("name", NAMES)
@given(prompt=st.text() | SYNTAX)
def test_joining_what_was_split_gives_the_prompt(name: str, prompt: str) -> None:
    found = split(prompt, name)
    assert join(found) == prompt
    assert all(tag.name.strip() and tag.written in prompt for tag in found.tags)
    assert split(join(found), name) == found


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize(
    "piece", ["(", ")", "(a,", "[a|", "{a|", "::1", "--a", "\\(", "(a:1.1)", "<lora:", "#", "__", "a."]
)
def test_hostile_prompts_take_linear_time(name: str, piece: str) -> None:
    prompt = f"{piece} " * (100_000 // len(piece))
    start = time.process_time()
    assert join(split(prompt, name)) == prompt
    choose_dialect([prompt] * 100)
    assert time.process_time() - start < 6


def test_triggers_are_looked_for_in_linear_time() -> None:
    start = time.process_time()
    assert names("sks|||cat|" + "b" * 100_000, "tags")[0] == "sks"
    assert time.process_time() - start < 6


@pytest.mark.parametrize("prompt", ["{" + "|" * 100_000, "{" + "$" * 100_000, "{" + "2" * 100_000 + "|a}"])
def test_choices_are_looked_for_in_linear_time(prompt: str) -> None:
    start = time.process_time()
    choose_dialect([prompt])
    assert expand(prompt, 0)
    assert time.process_time() - start < 6


@pytest.mark.parametrize(
    ("dialect", "prompt", "tags"),
    [
        ("tags", "1girl, ;), |_|, :3, ^_^", ["1girl", ";)", "|_|", ":3", "^_^"]),
        ("tags", r"saber \(fate\), (a, b:1.2), long_hair", ["saber (fate)", "(a, b:1.2)", "long hair"]),
        ("tags", "sks, 1girl，solo、hat", ["sks", "1girl", "solo", "hat"]),
        ("a1111", "(red:1.1) (blue:1.2)", ["red", "blue"]),
        ("a1111", "a (red:1.2) dress, ((very)), [weak]", ["a red dress", "very", "weak"]),
        ("a1111", "fog BREAK rain AND sun", ["fog", "rain", "sun"]),
        ("a1111", "BREAKFAST, ANDROID", ["BREAKFAST", "ANDROID"]),
        ("a1111", "[fur:scales:0.5], [cat|dog]", ["fur", "scales", "cat", "dog"]),
        ("a1111", r"saber \(fate\)", ["saber (fate)"]),
        ("a1111", "a, # why\nb", ["a", "b"]),
        ("a1111", "ratio 16:9, at 5:30, :3, {2$$a|b}", ["ratio 16:9", "at 5:30", ":3", "{2$$a|b}"]),
        ("a1111", "(best, fine quality:1.2) 1girl", ["best", "fine quality", "1girl"]),
        ("a1111", "saber (fate) (cosplay), a\\\\, b", ["saber fate cosplay", "a\\", "b"]),
        ("a1111", "a <lora:x:1> b, C#, see #note\nc", ["a", "x", "b", "C#", "see", "c"]),
        ("a1111", "[[a:b:5]:c:10], [a::5], [:b:0.3], [x|y:2]", ["a", "b", "c", "a", "b", "x", "y:2"]),
        ("a1111", "(:3), (), smile :(, (a:1.2", [":3", "smile :(", "(a:1.2"]),
        ("comfyui", "embedding:a embedding:b, (embedding:c:1.2)", ["a", "b", "c"]),
        ("dynamic", "a {red|{big|small} blue} (hat:1.2), <lora:x:1>", ["a {red|{big|small} blue} hat", "x"]),
        ("dynamic", "(__colour__ eyes:1.1), __a/b__ BREAK c", ["__colour__ eyes", "__a/b__", "c"]),
        ("midjourney", "a house — old, red – warm --ar 3:2", ["red – warm"]),
        ("midjourney", "x, {red, green} bird, hot:: 2 dogs", ["{red, green} bird", "hot", "2 dogs"]),
        ("tags", "sks, a dog ||| grass, _", ["sks", "a dog", "grass", "_"]),
        (
            "natural",
            "Mr. Smith of J. R. Hall saw 1,000 ships, e.g. old.",
            ["Mr. Smith of J. R. Hall saw 1,000 ships", "e.g. old"],
        ),
        ("comfyui", "{red|blue}, embedding:bad", ["red", "blue", "bad"]),
        ("dynamic", "{2$$a|b}, {0.5::a|b}, __colour__", ["{2$$a|b}", "{0.5::a|b}", "__colour__"]),
        ("midjourney", "/imagine prompt: https://a.b/c.png a cat, fur::2 rain --ar 16:9", ["fur", "rain"]),
        ("midjourney", "a harbour, ratio 16:9 —ar 16:9", ["ratio 16:9"]),
        ("plain", "a cat， fur、 paws", ["fur", "paws"]),
        ("natural", "A cat sits on a mat. It purrs, softly.", ["A cat sits on a mat", "It purrs", "softly"]),
    ],
)
def test_what_a_dialect_understands(dialect: str, prompt: str, tags: list[str]) -> None:
    assert names(prompt, dialect) == tags


@pytest.mark.parametrize(
    ("dialect", "prompt", "weights"),
    [
        ("a1111", "(a:1.2), ((b)), [c], ((d, e):2), f", [1.2, 1.21, 1 / 1.1, 2.2, 2.2, 1.0]),
        ("a1111", "<lora:ink:0.8>, a (red:1.2) dress", [0.8, 1.0]),
        ("a1111", "a AND b, c :1.2 AND (d:2) :.5", [1.0, 1.2, 1.2, 1.0]),
        ("a1111", "[a:(b:1.5):0.5], [x|y], (red:1.1) (blue:1.2) sky", [1.0, 1.5, 1.0, 1.0, 1.1, 1.0]),
        ("a1111", "(a:\x1f.5 ), b AND c :\x1c.5", [0.5, 1.0, 0.5]),
        ("midjourney", "x, storm::2 rain::-.5", [2.0, -0.5]),
        ("midjourney", "x, hail, storm::2 rain", [2.0, 2.0, 1.0]),
    ],
)
def test_weights_of_tags(dialect: str, prompt: str, weights: list[float]) -> None:
    assert [tag.weight for tag in split(prompt, dialect).tags] == pytest.approx(weights)


PIECES = (
    *"ab,()[]{}|:;# \n\\，",
    "(a:1.2)",
    "<lora:x:1>",
    " BREAK ",
    " AND ",
    "::2",
    "__w__",
    " --no b",
    "{a,b|c}",
    "|||",
)


@pytest.mark.parametrize("name", NAMES)
@given(prompts=st.lists(st.lists(st.sampled_from(PIECES), max_size=14).map("".join), max_size=4))
def test_counting_gives_the_tags_of_every_prompt(name: str, prompts: list[str]) -> None:
    counts = TagCounts(["x, y z", *prompts], dialect=name)
    tags = [tag for prompt in counts.prompts for tag in split(prompt, name).tags]
    assert {key_of(tag): count for tag, count in counts.most_common()} == Counter(
        key_of(tag.name) for tag in tags if tag.category != "network"
    )
    assert dict(counts.networks) == Counter(tag.name for tag in tags if tag.category == "network")


def test_triggers_and_wildcards_have_a_category() -> None:
    found = split("sks, dog ||| grass", "tags").tags + split("__a__ hat, {a|b}", "dynamic").tags
    assert [tag.category for tag in found] == ["trigger", "trigger", "tag", "wildcard", "choice"]


def test_networks_and_embeddings_are_told_apart_from_tags() -> None:
    found = split("cat, <lora:ink:0.8>, <lyco:wash>, <hypernet:oil:1>, embedding:bad", "comfyui")
    assert [(tag.name, tag.category) for tag in found.tags] == [
        ("cat", "tag"),
        ("ink", "network"),
        ("wash", "network"),
        ("oil", "network"),
        ("bad", "embedding"),
    ]


def test_parameters_of_midjourney_are_kept_apart() -> None:
    found = split("/imagine prompt: https://a.b/c.png a cat --ar 16:9 --v 6 --no rain, fog --tile", "midjourney")
    assert (found.subject, found.negative) == ("a cat", "rain, fog")
    assert found.parameters == {"images": "https://a.b/c.png", "ar": "16:9", "v": "6", "no": "rain, fog", "tile": ""}


@pytest.mark.parametrize(
    ("dialect", "prompts"),
    [
        ("plain", ["a cat, fur, soft light", "a dog, VRay"]),
        ("tags", ["1girl, long_hair, solo", "1boy, hat", "sks, smile"]),
        ("a1111", ["a cat, (fur:1.2)", "dog", "a cow, <lora:ink:1>"]),
        ("dynamic", ["a {red|blue} cat", "a dog"]),
        ("midjourney", ["a cat --ar 16:9", "a dog"]),
        ("natural", ["A cat is sitting on a mat in the sun.", "The dog runs over a wide green field."]),
        ("plain", []),
        ("plain", ["a fox ; snow ; oil painting --ar 3:2", "a boat | fog | (4k:1.5)"]),
        ("a1111", ["1girl, solo, (smile:1.2)", "1boy, hat", "1girl, long_hair"]),
        ("dynamic", ["(a:1.2), {b|c}", "(a:1.2)", "(d:1.1), <lora:x:1>"]),
    ],
)
def test_the_dialect_is_chosen_by_the_collection(dialect: str, prompts: list[str]) -> None:
    assert choose_dialect(prompts) == dialect


def test_an_unknown_dialect_names_the_known() -> None:
    with pytest.raises(PromptsError, match="midjourney"):
        split("a", "midjorney")


def test_expanding_chooses_by_seed() -> None:
    prompt = "a {red|blue|green} cat, {2$$ and $$fur|paws|tail} __place__ # why"
    texts = {expand(prompt, seed, {"place": ["at home", "in {Rome|Oslo}"]}) for seed in range(200)}
    assert texts == {expand(prompt, seed, {"place": ["at home", "in {Rome|Oslo}"]}) for seed in range(200)}
    assert len(texts) > 20
    assert all(" and " in text and not set("{}$#_") & set(text) for text in texts)


def test_rare_choices_are_chosen_as_often_as_they_say() -> None:
    rare = sum(expand("{9::a|1::b}", seed) == "b" for seed in range(1000))
    assert 60 < rare < 140


def test_wildcards_that_name_each_other_end_in_words() -> None:
    with pytest.raises(PromptsError, match="deep"):
        expand("__a__", 0, {"a": ["__b__"], "b": ["__a__"]})


def test_wildcards_that_grow_without_bound_end_in_words() -> None:
    with pytest.raises(PromptsError, match="grows beyond"):
        expand("__a0__", 0, {f"a{depth}": [f"__a{depth + 1}__ " * 10] for depth in range(15)})


def test_a_weight_stands_at_the_beginning_of_a_choice_and_is_finite() -> None:
    assert expand("{a 0.5::b}", 0) == "a 0.5::b"
    assert expand(f"{{{'9' * 400}::a}}", 0) == f"{'9' * 400}::a"


@given(SYNTAX, st.integers(0, 3))
def test_expanding_never_fails_on_a_short_prompt(prompt: str, seed: int) -> None:
    expand(prompt, seed)
