"""Every generator by its published format, in every container that it writes."""

from __future__ import annotations

import json
from collections.abc import Iterator
from xml.sax.saxutils import escape

import pytest

from clipnb.prompts.containers.texts import Texts
from clipnb.prompts.generators import GENERATORS
from clipnb.prompts.generators.base import Generator
from clipnb.prompts.metadata import embedded_prompt
from clipnb.prompts.records import Prompt
from tests.prompts.picture_files import FORMATS, png, with_exif, with_xmp, xmp_of


def found_in(content: bytes, generator: str) -> Prompt:
    found = embedded_prompt(content)
    assert found.prompt is not None
    assert (found.generator, found.problems) == (generator, ())
    return found.prompt


def user_comment(text: str) -> bytes:
    return b"UNICODE\0" + text.encode("utf-16-be")


@pytest.mark.parametrize("name", GENERATORS)
@pytest.mark.parametrize("compressed", [False, True])
def test_example_of_a_generator_in_png(name: str, compressed: bool) -> None:
    texts, wanted = GENERATORS[name].example
    in_xmp = {"dc:description", "CreatorTool"} & set(texts)
    if in_xmp:
        elements = "".join(f"<{key}>{escape(texts[key])}</{key}>" for key in ("dc:description",) if key in texts) + (
            f"<exif:UserComment>{escape(texts['UserComment'])}</exif:UserComment>" if "UserComment" in texts else ""
        )
        content = with_xmp("PNG", xmp_of(elements))
    else:
        content = png(texts, compressed=compressed, international=True)
    assert found_in(content, name) == wanted


@pytest.mark.parametrize("kind", FORMATS)
@pytest.mark.parametrize("name", ["A1111", "Fooocus", "SwarmUI", "Draw Things"])
def test_example_of_a_generator_in_a_user_comment(name: str, kind: str) -> None:
    texts, wanted = GENERATORS[name].example
    text = texts.get("parameters") or texts["UserComment"]
    assert found_in(with_exif(kind, {}, user_comment(text)), name) == wanted


@pytest.fixture
def own() -> Iterator[str]:
    GENERATORS["own"] = Generator(
        "own", lambda texts: Prompt(texts["Own"]) if "Own" in texts else None, ({}, Prompt(""))
    )
    yield "own"
    del GENERATORS["own"]


def test_generator_of_ones_own_is_asked_before_the_last_resort(own: str) -> None:
    assert found_in(png({"Own": "a cat", "Description": "dog"}), own).text == "a cat"


def test_fooocus_in_the_scheme_of_a1111() -> None:
    text = "a cat\nNegative prompt: dog\nSteps: 30, Model: jugger, Version: Fooocus v2.5.5"
    assert found_in(png({"parameters": text, "fooocus_scheme": "a1111"}), "Fooocus").settings["Model"] == "jugger"


def test_fooocus_in_jpeg_names_its_scheme_in_the_makers_note() -> None:
    data = json.dumps({"prompt": "a cat", "negative_prompt": "dog", "base_model": "jugger"})
    content = with_exif("JPEG", {0x9286: data, 0x927C: "fooocus", 0x0131: "Fooocus v2.5.5"})
    assert found_in(content, "Fooocus").text == "a cat"


def test_ruined_fooocus() -> None:
    data = {"Prompt": "a cat", "Negative": "dog", "steps": 30, "base_model_name": "jugger", "software": "RuinedFooocus"}
    found = found_in(png({"parameters": json.dumps(data)}), "Fooocus")
    assert (found.text, found.negative, found.settings["Model"]) == ("a cat", "dog", "jugger")


def test_novelai_with_characters() -> None:
    def caption(base: str, *characters: str) -> dict[str, object]:
        return {"caption": {"base_caption": base, "char_captions": [{"char_caption": one} for one in characters]}}

    data = {"prompt": "2girls", "uc": "lowres", "steps": 28}
    data |= {"v4_prompt": caption("2girls", "red hair", "hat"), "v4_negative_prompt": caption("lowres", "scarf")}
    found = found_in(png({"Software": "NovelAI", "Comment": json.dumps(data)}), "NovelAI")
    assert (found.text, found.negative) == ("2girls\nred hair\nhat", "lowres\nscarf")


def test_novelai_in_webp_has_its_texts_in_json() -> None:
    texts, wanted = GENERATORS["NovelAI"].example
    assert found_in(with_exif("WEBP", {}, user_comment(json.dumps(texts))), "NovelAI") == wanted


def test_damaged_json_of_novelai_inside_json_is_told() -> None:
    content = with_exif("WEBP", {}, user_comment(json.dumps({"Comment": '{"uc": "dog", ', "Software": "NovelAI"})))
    assert embedded_prompt(content).problems == ("the JSON of 'Comment' is damaged",)


def test_draw_things_in_xmp() -> None:
    data = escape('{"c": "a cat & fur", "uc": "dog", "model": "dream.ckpt", "scale": 7, "size": "64x32"}')
    xmp = xmp_of(
        f"<exif:UserComment><rdf:Alt><rdf:li xml:lang='x-default'>{data}</rdf:li></rdf:Alt></exif:UserComment>",
        "xmp:CreatorTool='Draw Things'",
    )
    found = found_in(with_xmp("PNG", xmp), "Draw Things")
    assert (found.text, found.negative) == ("a cat & fur", "dog")
    assert found.settings == {"Model": "dream", "CFG scale": "7", "Size": "64x32"}


@pytest.mark.parametrize("prompt", ["a cat, fur [dog, blurry]", [{"prompt": "a cat, fur [dog, blurry]", "weight": 1}]])
def test_invokeai_before_its_third_version(prompt: object) -> None:
    image = {"prompt": prompt, "steps": 50, "cfg_scale": 7.5, "sampler": "k_lms", "seed": 3, "width": 64, "height": 32}
    data = {"model_weights": "dream", "app_version": "2.3", "image": image}
    found = found_in(png({"sd-metadata": json.dumps(data), "Dream": '"other"'}), "InvokeAI")
    assert (found.text, found.negative) == ("a cat, fur", "dog, blurry")
    assert (found.settings["Model"], found.settings["Sampler"], found.settings["Size"]) == ("dream", "k_lms", "64x32")


def test_invokeai_by_its_command_line() -> None:
    dream = '"a "big" cat, fur [dog]" -s 50 -S 42 -W 64 -H 32 -C 7.5 -A k_lms'
    found = found_in(png({"Dream": dream}), "InvokeAI")
    assert (found.text, found.negative) == ('a "big" cat, fur', "dog")
    wanted = {"Steps": "50", "Seed": "42", "Size": "64x32", "CFG scale": "7.5", "Sampler": "k_lms"}
    assert found.settings == wanted


def test_easy_diffusion_in_jpeg() -> None:
    data = {"prompt": "a cat", "negative_prompt": "dog", "use_stable_diffusion_model": "x/dream.ckpt", "seed": 1}
    found = found_in(with_exif("JPEG", {}, user_comment(json.dumps(data))), "Easy Diffusion")
    assert (found.text, found.negative, found.settings["Model"]) == ("a cat", "dog", "dream")


def test_dynamic_prompt_that_begins_with_a_brace_is_a_text() -> None:
    text = "{cat|dog}, fur\nSteps: 20, Seed: 1"
    assert found_in(png({"parameters": text}), "A1111").text == "{cat|dog}, fur"


def test_long_seeds_stay_exact() -> None:
    data = {"sui_image_params": {"prompt": "a cat", "seed": 2**80 + 1, "cfgscale": 1.10}}
    content = png({"parameters": json.dumps(data).replace("1.1", "1.10")})
    assert found_in(content, "SwarmUI").settings == {"Seed": str(2**80 + 1), "CFG scale": "1.10"}


@pytest.mark.parametrize("name", GENERATORS)
def test_json_of_a_generator_that_is_cut_off_is_no_prompt(name: str) -> None:
    texts, _ = GENERATORS[name].example
    for key, text in texts.items():
        if text.startswith("{"):
            for place in (2, len(text) // 3, len(text) - 1):
                content = png({**texts, key: text[:place]}, international=True)
                found = embedded_prompt(content)
                assert found.prompt is None or "{" not in found.prompt.text.removeprefix("1girl, {cat ears}")
                assert found.problems == (f"the JSON of {key!r} is damaged",)


def test_settings_inside_damaged_json_are_no_prompt() -> None:
    note = '{"nodes": [{"text": "a cat\nSteps: 20, Sampler: Euler a"'
    for name in ("Comment", "parameters", "UserComment", "Other"):
        assert embedded_prompt(png({name: note})).prompt is None


def test_midjourney_in_xmp() -> None:
    texts, wanted = GENERATORS["Midjourney"].example
    xmp = xmp_of(f"<dc:description><rdf:Alt><rdf:li>{texts['Description']}</rdf:li></rdf:Alt></dc:description>")
    assert found_in(with_xmp("JPEG", xmp), "Midjourney") == wanted


@pytest.mark.parametrize("name", GENERATORS)
@pytest.mark.parametrize(
    "value", ["", "x", "{}", "[]", '{"image": 1, "uc": 2, "c": 3, "version": "Fooocus"}', '"', "null"]
)
def test_texts_of_other_forms_never_raise(name: str, value: str) -> None:
    GENERATORS[name].read(
        Texts(dict.fromkeys((*GENERATORS[name].example[0], "UserComment", "workflow", "Dream"), value))
    )
