"""Prompts found in graphs of ComfyUI, in the server's form and in the editor's."""

from __future__ import annotations

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from clipnb.prompts.metadata import Embedded, embedded_prompt
from clipnb.prompts.records import Prompt
from tests.prompts.picture_files import FORMATS, png, with_exif

Graph = dict[str, tuple[str, dict[str, object]]]


def as_json(graph: Graph, **titles: str) -> str:
    """The form of the server; a text that begins with `->` is a link."""

    def value_of(value: object) -> object:
        return [value[2:].split(".")[0], int((value + ".0").split(".")[1])] if str(value)[:2] == "->" else value  # type: ignore[index, operator, attr-defined]

    return json.dumps(
        {
            key: {
                "class_type": kind,
                "inputs": {name: value_of(value) for name, value in inputs.items()},
                "_meta": {"title": titles.get(key, kind)},
            }
            for key, (kind, inputs) in graph.items()
        }
    )


def found_in(graph: Graph, **titles: str) -> Prompt:
    found = embedded_prompt(png({"prompt": as_json(graph, **titles)}))
    assert found.prompt is not None
    assert (found.generator, found.problems) == ("ComfyUI", ())
    return found.prompt


def sampled(positive: str = "->p", negative: str = "->n", **nodes: tuple[str, dict[str, object]]) -> Graph:
    """A graph with a plain sampler; more nodes, or others in their place, by name."""
    encode = "CLIPTextEncode"
    links = {"positive": positive, "negative": negative, "model": "->m", "latent_image": "->l"}
    return {
        "m": ("CheckpointLoaderSimple", {"ckpt_name": "sd\\dream.safetensors"}),
        "l": ("EmptyLatentImage", {"width": 64, "height": 32, "batch_size": 1}),
        "p": (encode, {"text": "a cat", "clip": "->m.1"}),
        "n": (encode, {"text": "dog", "clip": "->m.1"}),
        "k": ("KSampler", {"seed": 2**60, "steps": 20, "cfg": 7.5, "sampler_name": "euler", **links}),
        "s": ("SaveImage", {"images": "->k", "filename_prefix": "never this"}),
        **nodes,
    }


def test_plain_graph() -> None:
    found = found_in(sampled())
    assert (found.text, found.negative) == ("a cat", "dog")
    assert found.settings == {
        "Seed": str(2**60),
        "Steps": "20",
        "CFG scale": "7.5",
        "Sampler": "euler",
        "Model": "dream",
        "Size": "64x32",
    }


@pytest.mark.parametrize(
    ("nodes", "text"),
    [
        ({"p": ("CLIPTextEncode", {"text": "->t"}), "t": ("PrimitiveStringMultiline", {"value": "fur"})}, "fur"),
        (
            {
                "p": ("CLIPTextEncode", {"text": "->c"}),
                "c": ("StringConcatenate", {"string_a": "a cat", "string_b": "->t", "delimiter": " with "}),
                "t": ("String Literal", {"string": "fur"}),
            },
            "a cat with fur",
        ),
        (
            {
                "p": ("CLIPTextEncode", {"text": "->c"}),
                "c": (
                    "Text Concatenate",
                    {"delimiter": ", ", "clean_whitespace": "true", "text_a": "->1", "text_b": "->2"},
                ),
                "1": ("Text Multiline", {"text": "a cat"}),
                "2": ("Text Multiline", {"text": "fur"}),
            },
            "a cat, fur",
        ),
        (
            {
                "p": ("CLIPTextEncodeSDXL", {"text_g": "a cat", "text_l": "a cat", "width": 8}),
            },
            "a cat",
        ),
        (
            {
                "p": ("CLIPTextEncodeSDXL", {"text_g": "a cat", "text_l": "soft fur"}),
            },
            "a cat\nsoft fur",
        ),
        ({"p": ("CLIPTextEncodeFlux", {"clip_l": "cat", "t5xxl": "A cat.", "guidance": 3.5})}, "cat\nA cat."),
        (
            {"p": ("FluxGuidance", {"guidance": 3.5, "conditioning": "->e"}), "e": ("CLIPTextEncode", {"text": "fur"})},
            "fur",
        ),
        (
            {
                "p": ("ConditioningCombine", {"conditioning_1": "->1", "conditioning_2": "->2"}),
                "1": ("CLIPTextEncode", {"text": "a cat"}),
                "2": ("ConditioningSetArea", {"conditioning": "->3", "width": 8}),
                "3": ("CLIPTextEncode", {"text": "a sofa"}),
            },
            "a cat\na sofa",
        ),
        (
            {
                "p": (
                    "ControlNetApplyAdvanced",
                    {"positive": "->1", "negative": "->n", "control_net": "->c", "image": "->i"},
                ),
                "1": ("CLIPTextEncode", {"text": "a cat"}),
                "c": ("ControlNetLoader", {"control_net_name": "canny"}),
                "i": ("LoadImage", {"image": "x.png"}),
            },
            "a cat",
        ),
        (
            {
                "p": ("CLIPTextEncode", {"text": "->w"}),
                "w": (
                    "ImpactWildcardProcessor",
                    {"wildcard_text": "{a|b} cat", "populated_text": "b cat", "mode": "populate"},
                ),
            },
            "b cat",
        ),
        (
            {
                "p": ("CLIPTextEncode", {"text": "->w"}),
                "w": ("ShowText|pysssss", {"text": "->t", "text_0": "of the run before"}),
                "t": ("Text box", {"text": "new"}),
            },
            "new",
        ),
        (
            {
                "p": ("ImpactSwitch", {"select": 2, "input1": "->1", "input2": "->2"}),
                "1": ("CLIPTextEncode", {"text": "no"}),
                "2": ("CLIPTextEncode", {"text": "yes"}),
            },
            "yes",
        ),
        (
            {
                "p": ("Some Unknown Node", {"anything": "->r"}),
                "r": ("Reroute", {"": "->e"}),
                "e": ("CLIPTextEncode", {"text": "x y"}),
            },
            "x y",
        ),
    ],
)
def test_texts_through_nodes(nodes: Graph, text: str) -> None:
    found = found_in(sampled(**nodes))
    assert (found.text, found.negative) == (text, "dog")


def test_node_that_gives_both_prompts() -> None:
    loader = (
        "Efficient Loader",
        {"ckpt_name": "dream.ckpt", "positive": "a cat", "negative": "dog", "lora_name": "None"},
    )
    found = found_in(sampled("->x.1", "->x.2", x=loader))
    assert (found.text, found.negative) == ("a cat", "dog")


def test_pipes_carry_both_prompts() -> None:
    found = found_in(
        {
            "1": ("easy fullLoader", {"ckpt_name": "dream.ckpt", "positive": "a cat", "negative": "dog"}),
            "2": ("easy preSampling", {"pipe": "->1", "steps": 20}),
            "3": ("easy fullkSampler", {"pipe": "->2"}),
        }
    )
    assert (found.text, found.negative, found.settings["Steps"]) == ("a cat", "dog", "20")


def test_style_node_with_prompts_by_name() -> None:
    styler = (
        "SDXLPromptStyler",
        {"text_positive": "a cat, ink", "text_negative": "dog, photo", "style": "ink", "log_prompt": "No"},
    )
    found = found_in(
        sampled(x=styler, p=("CLIPTextEncode", {"text": "->x.0"}), n=("CLIPTextEncode", {"text": "->x.1"}))
    )
    assert (found.text, found.negative) == ("a cat, ink", "dog, photo")


def test_custom_sampler_with_guider_that_has_no_negative_prompt() -> None:
    found = found_in(
        {
            "g": ("BasicGuider", {"model": "->m", "conditioning": "->f"}),
            "f": ("FluxGuidance", {"guidance": 3.5, "conditioning": "->e"}),
            "e": ("CLIPTextEncode", {"text": "a cat"}),
            "m": ("UNETLoader", {"unet_name": "flux1-dev.safetensors"}),
            "r": ("RandomNoise", {"noise_seed": 5}),
            "b": ("BasicScheduler", {"scheduler": "beta", "steps": 28, "denoise": 1, "model": "->m"}),
            "q": ("KSamplerSelect", {"sampler_name": "euler"}),
            "l": ("EmptySD3LatentImage", {"width": 64, "height": 32}),
            "k": (
                "SamplerCustomAdvanced",
                {"noise": "->r", "guider": "->g", "sampler": "->q", "sigmas": "->b", "latent_image": "->l"},
            ),
            "s": ("SaveImage", {"images": "->k"}),
        }
    )
    assert (found.text, found.negative) == ("a cat", "")
    assert found.settings["Model"] == "flux1-dev"
    assert found.settings["Seed"] == "5"
    assert found.settings["Distilled CFG Scale"] == "3.5"
    assert (found.settings["Sampler"], found.settings["Schedule type"], found.settings["Steps"]) == (
        "euler",
        "beta",
        "28",
    )


def test_custom_sampler_with_guider_of_both() -> None:
    graph = sampled()
    graph["g"] = ("CFGGuider", {"positive": "->p", "negative": "->n", "cfg": 4, "model": "->m"})
    graph["k"] = ("SamplerCustomAdvanced", {"guider": "->g", "latent_image": "->l"})
    found = found_in(graph)
    assert (found.text, found.negative, found.settings["CFG scale"]) == ("a cat", "dog", "4")


def test_negative_prompt_that_is_the_positive_one_made_zero() -> None:
    assert found_in(sampled(n=("ConditioningZeroOut", {"conditioning": "->p"}))).negative == ""


def test_first_of_several_samplers_tells_the_prompt() -> None:
    later = {"positive": "->x", "negative": "->n", "latent_image": "->k", "steps": 5, "sampler_name": "ddim"}
    found = found_in(
        sampled(
            x=("CLIPTextEncode", {"text": "highly detailed"}),
            y=("KSamplerAdvanced", later),
            s=("SaveImage", {"images": "->y"}),
        )
    )
    assert (found.text, found.settings["Steps"]) == ("a cat", "20")


def test_networks_and_seeds_from_other_nodes() -> None:
    found = found_in(
        sampled(
            m=("LoraLoader", {"model": "->o", "lora_name": "fur.safetensors", "strength_model": 1}),
            o=("LoraLoader", {"model": "->c", "lora_name": "ink.safetensors", "strength_model": 1}),
            c=("CheckpointLoaderSimple", {"ckpt_name": "dream.safetensors"}),
            k=(
                "KSampler",
                {"seed": "->d", "positive": "->p", "negative": "->n", "model": "->m", "latent_image": "->l"},
            ),
            d=("Seed (rgthree)", {"seed": 77}),
        )
    )
    assert (found.settings["Lora"], found.settings["Seed"], found.settings["Model"]) == ("fur, ink", "77", "dream")


def test_graph_without_a_known_sampler_tells_its_encoders() -> None:
    graph: Graph = {"1": ("CLIPTextEncode", {"text": "a cat"}), "2": ("CLIPTextEncode", {"text": "dog"})}
    found = found_in(graph, **{"2": "CLIP Text Encode (Negative Prompt)"})
    assert (found.text, found.negative) == ("a cat", "dog")


def workflow(kind: str = "CLIPTextEncode", mode: int = 0, links: object = None) -> str:
    def node(number: int, kind: str, values: list[object], mode: int = 0, **linked: int) -> dict[str, object]:
        inputs = [{"name": name, "link": link} for name, link in linked.items()]
        return {"id": number, "type": kind, "inputs": inputs, "widgets_values": values, "mode": mode}

    sampler = [7, "randomize", 20, 7.5, "euler", "normal", 1]
    nodes = [
        node(1, "CheckpointLoaderSimple", ["dream.safetensors"]),
        node(2, kind, ["a cat"], clip=1),
        node(3, "CLIPTextEncode", ["dog"], clip=2),
        node(4, "KSampler", sampler, model=3, positive=6, negative=5, latent_image=7),
        node(5, "EmptyLatentImage", [64, 32, 1]),
        node(6, "SaveImage", ["never this"], images=8),
        node(7, "Some Style", ["neither this"], mode, conditioning=4),
    ]
    pairs = {1: (1, 2), 2: (1, 3), 3: (1, 4), 4: (2, 7), 5: (3, 4), 6: (7, 4), 7: (5, 4), 8: (4, 6)}
    if links is dict:
        linked: list[object] = [{"id": i, "origin_id": a, "target_id": b} for i, (a, b) in pairs.items()]
    else:
        linked = [[i, a, 0, b, 0, "*"] for i, (a, b) in pairs.items()]
    return json.dumps({"nodes": nodes, "links": linked, "version": 0.4})


@pytest.mark.parametrize("links", [list, dict])
@pytest.mark.parametrize("mode", [0, 4])
@pytest.mark.parametrize("kind", ["CLIPTextEncode", "My Text Encoder"])
def test_workflow_of_the_editor_alone(kind: str, mode: int, links: object) -> None:
    found = embedded_prompt(png({"workflow": workflow(kind, mode, links)})).prompt
    assert found is not None
    assert (found.text, found.negative) == ("a cat", "dog")
    wanted = {"Seed": "7", "Steps": "20", "CFG scale": "7.5", "Sampler": "euler", "Model": "dream", "Size": "64x32"}
    assert wanted.items() <= found.settings.items()


def test_values_that_are_set_and_taken_by_name_in_the_editor() -> None:
    data = json.loads(workflow())
    for number, name, link in ((10, "the cat", 20), (11, "a dog", 21)):
        slot = {"name": "CONDITIONING", "link": link}
        data["nodes"].append({"id": number, "type": "SetNode", "inputs": [slot], "widgets_values": [name]})
        data["nodes"].append({"id": number + 10, "type": "GetNode", "widgets_values": [name]})
    ends = {6: 20, 5: 21}  # links to the sampler, now from where the values are taken
    data["links"] = [[link[0], ends.get(link[0], link[1]), *link[2:]] for link in data["links"]]
    data["links"] += [[20, 2, 0, 10, 0, "*"], [21, 3, 0, 11, 0, "*"]]
    found = embedded_prompt(png({"workflow": json.dumps(data)})).prompt
    assert found is not None
    assert (found.text, found.negative, found.settings["Seed"]) == ("a cat", "dog", "7")


def test_nodes_of_subgraphs_have_compound_numbers_in_the_form_of_the_server() -> None:
    inside = {"57:8": ("CLIPTextEncode", {"text": "->57:9"}), "57:9": ("PrimitiveString", {"value": "fur"})}
    assert found_in(sampled("->57:8", **inside)).text == "fur"


@pytest.mark.parametrize("kind", FORMATS)
def test_exif_with_named_texts(kind: str) -> None:
    content = with_exif(kind, {0x0110: "prompt:" + as_json(sampled()), 0x010F: "workflow:" + workflow()})
    found = embedded_prompt(content).prompt
    assert found is not None
    assert (found.text, found.negative) == ("a cat", "dog")


def test_graph_in_a_user_comment_with_what_civitai_adds() -> None:
    graph = json.loads(as_json(sampled()))
    graph["extraMetadata"] = json.dumps({"prompt": "a cat, fur", "negativePrompt": "dog", "steps": 25, "cfgScale": 6})
    found = embedded_prompt(with_exif("JPEG", {}, b"UNICODE\0" + json.dumps(graph).encode("utf-16-be"))).prompt
    assert found is not None
    assert (found.text, found.negative) == ("a cat, fur", "dog")
    assert found.settings == {"Steps": "25", "CFG scale": "6"}


def test_text_of_parameters_beside_a_graph_goes_first() -> None:
    found = embedded_prompt(png({"prompt": as_json(sampled()), "parameters": "fur\nSteps: 20, Seed: 1"}))
    assert found.prompt is not None
    assert (found.generator, found.prompt.text) == ("A1111", "fur")


def test_json_with_nan_is_read() -> None:
    text = as_json(sampled()).replace('"_meta"', '"is_changed": [NaN], "_meta"')
    assert embedded_prompt(png({"prompt": text})).prompt is not None


def test_damaged_json_is_told() -> None:
    found = embedded_prompt(png({"prompt": as_json(sampled())[:-20]}))
    assert found == Embedded(None, "", ("the JSON of 'prompt' is damaged",))


VALUES = st.recursive(
    st.one_of(st.none(), st.integers(), st.text(max_size=4), st.sampled_from(["1", "2", "positive", "KSampler"])),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3),
        st.dictionaries(
            st.sampled_from(
                ["1", "2", "class_type", "inputs", "positive", "text", "nodes", "links", "id", "type", "_meta"]
            ),
            inner,
            max_size=4,
        ),
    ),
)


@settings(deadline=None)
@given(st.dictionaries(st.sampled_from(["1", "2", "nodes", "links", "extraMetadata"]), VALUES, max_size=4))
def test_no_graph_raises(graph: dict[str, object]) -> None:
    embedded_prompt(png({"prompt": json.dumps(graph), "workflow": json.dumps(graph)}))
