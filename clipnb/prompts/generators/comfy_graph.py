"""ComfyUI's graph of nodes, from the form that its server runs, or from the one that its editor saves."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from clipnb.prompts.containers.texts import JsonObject, Number

MUTED, BYPASSED = "2", "4"
_CONTROLS = ("fixed", "randomize", "increment", "decrement")  # what becomes of a seed after the run
_SEED = ("seed", "noise_seed")
_SAMPLER = ("steps", "cfg", "sampler_name", "scheduler")
# Names of the values of nodes from before the editor saved them.
_WIDGETS: Mapping[str, tuple[str, ...]] = {
    "KSampler": ("seed", *_SAMPLER, "denoise"),
    "KSamplerAdvanced": ("add_noise", "noise_seed", *_SAMPLER, "start_at_step", "end_at_step"),
    "RandomNoise": ("noise_seed",),
    "KSamplerSelect": ("sampler_name",),
    "BasicScheduler": ("scheduler", "steps", "denoise"),
    "CFGGuider": ("cfg",),
    "FluxGuidance": ("guidance",),
    "CheckpointLoaderSimple": ("ckpt_name",),
    "UNETLoader": ("unet_name", "weight_dtype"),
    "VAELoader": ("vae_name",),
    "LoraLoader": ("lora_name", "strength_model", "strength_clip"),
    "EmptyLatentImage": ("width", "height", "batch_size"),
    "EmptySD3LatentImage": ("width", "height", "batch_size"),
    "CLIPTextEncodeFlux": ("clip_l", "t5xxl", "guidance"),
    "CLIPTextEncodeSDXL": (
        *("width", "height", "crop_w", "crop_h", "target_width", "target_height"),
        *("text_g", "text_l"),
    ),
}
_HAS_TEXT = re.compile(r"(?i)text|string|prompt|primitive|wildcard|caption")


@dataclass(frozen=True)
class Node:
    """A node: its kind, its title, and its inputs, each a value or a link."""

    kind: str
    inputs: Mapping[str, object]
    title: str = ""

    def links(self) -> Iterator[tuple[str, str]]:
        """Yield the names of inputs that are linked, and the nodes that they are linked to."""
        for name, value in self.inputs.items():
            target = link_target(value)
            if target is not None:
                yield name, target


Graph = dict[str, Node]


def link_target(value: object) -> str | None:
    """Return the node that an input is linked to; None of a plain value."""
    if isinstance(value, list) and len(value) == 2 and isinstance(value[0], str) and isinstance(value[1], Number):
        return value[0]
    return None


def graph_of(data: JsonObject) -> Graph:
    """Return the graph of the form that the server runs: nodes by number, with `class_type` and `inputs`."""
    graph = {}
    for key, node in data.items():
        if isinstance(node, dict) and isinstance(node.get("class_type"), str) and isinstance(node.get("inputs"), dict):
            meta = node.get("_meta")
            title = meta.get("title") if isinstance(meta, dict) else ""
            graph[key] = Node(node["class_type"], node["inputs"], title if isinstance(title, str) else "")
    return graph


def graph_of_workflow(data: JsonObject) -> Graph:
    """Return the graph of the form that the editor saves: lists of nodes and links, values without names."""
    sources = dict(_link_sources(data.get("links")))
    nodes = data.get("nodes")
    nodes = [node for node in nodes if isinstance(node, dict)] if isinstance(nodes, list) else []
    setters = {_first_value(node): str(node.get("id")) for node in nodes if node.get("type") == "SetNode"}
    graph = {}
    for node in nodes:
        if node.get("mode") == MUTED or not isinstance(node.get("type"), str):
            continue
        slots = node.get("inputs")
        slots = [slot for slot in slots if isinstance(slot, dict)] if isinstance(slots, list) else []
        inputs: dict[str, object] = {}
        for slot in slots:
            link = slot.get("link")
            if isinstance(link, str) and link in sources:
                inputs[str(slot.get("name"))] = [sources[link], Number("0")]
        if node["type"] == "GetNode" and _first_value(node) in setters:  # what a SetNode was given under this name
            inputs["value"] = [setters[_first_value(node)], Number("0")]
        if node.get("mode") != BYPASSED:
            for name, value in _named_values(node, slots):
                inputs.setdefault(name, value)
        title = node.get("title")
        graph[str(node.get("id"))] = Node(node["type"], inputs, title if isinstance(title, str) else "")
    return graph


def _first_value(node: JsonObject) -> str:
    values = node.get("widgets_values")
    return str(values[0]) if isinstance(values, list) and values else ""


def _link_sources(links: object) -> Iterator[tuple[str, str]]:
    for link in links if isinstance(links, list) else ():
        if isinstance(link, list) and len(link) > 1:
            yield str(link[0]), str(link[1])
        elif isinstance(link, dict):
            yield str(link.get("id")), str(link.get("origin_id"))


def _named_values(node: JsonObject, slots: list[JsonObject]) -> Iterator[tuple[str, object]]:
    values = node.get("widgets_values")
    if isinstance(values, dict):
        yield from values.items()
    if not isinstance(values, list):
        return
    kind = str(node["type"])
    names = _WIDGETS.get(kind) or tuple(str(slot.get("name")) for slot in slots if "widget" in slot)
    if names:
        left = iter(values)
        for name, value in zip(names, left, strict=False):
            yield name, value
            if name in _SEED and len(values) > len(names) - (kind == "KSamplerAdvanced"):
                next(left, None)  # how the seed changes
    elif _HAS_TEXT.search(kind):
        for number, value in enumerate(values):
            if isinstance(value, str) and not isinstance(value, Number) and value not in _CONTROLS:
                yield f"text_{number}", value
