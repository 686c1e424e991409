"""ComfyUI: the text of the encoders that feed the first sampler, found by following the links of its graph."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from clipnb.prompts.containers.texts import JsonObject, Number, Texts, json_object
from clipnb.prompts.generators.base import Generator, first_text, joined, model_name, settings_of
from clipnb.prompts.generators.comfy_graph import Graph, Node, graph_of, graph_of_workflow, link_target
from clipnb.prompts.records import Prompt

MOST_LINKS = 200  # between a sampler and a text
MOST_CHARACTERS = 4_000_000  # of all texts that are joined on the way
_TEXT_INPUT = re.compile(
    r"(?i)text|prompt|string|^value|positive|negative|t5|clip_[lg]|caption|^str|^input|tags|lyrics|bert|llama"
)
_NO_TEXT_INPUT = re.compile(r"(?i)mode|style|model|type|path|file|name|encod|delimiter|separator|log_|format|control")
# What is neither text nor made of text, and leads away from it.
_ELSEWHERE = re.compile(
    r"(?i)model|clip(?!_[lg]$)|vae|image|latent|mask|pixel|sample|control_net|noise|sigmas|seed|steps|width|height"
    r"|upscale|lora|bbox|segm|audio|video"
)
_NO_TEXT_KIND = re.compile(r"(?i)zero_?out")
_SETTINGS = {
    "seed": "Seed",
    "noise_seed": "Seed",
    "steps": "Steps",
    "cfg": "CFG scale",
    "guidance": "Distilled CFG Scale",
    "sampler_name": "Sampler",
    "scheduler": "Schedule type",
    "denoise": "Denoising strength",
    "ckpt_name": "Model",
    "unet_name": "Model",
    "base_ckpt_name": "Model",
    "vae_name": "VAE",
}


def _read(texts: Texts) -> Prompt | None:
    for data in _objects(texts):
        graph = graph_of(data) or graph_of_workflow(data)
        if not graph:
            continue
        found = _civitai(data) or _find(graph, texts)
        if found:
            return found
    return None


def _objects(texts: Texts) -> Iterator[JsonObject]:
    comment = texts.json("UserComment") or {}
    inside = [comment.get(name) for name in ("prompt", "workflow")]
    for data in (texts.json("prompt"), comment, *inside, texts.json("workflow")):
        if isinstance(data, dict):
            yield data


def _civitai(data: JsonObject) -> Prompt | None:
    """Return the prompt that Civitai writes beside the graph that it runs."""
    extra = data.get("extraMetadata")
    try:
        found = json_object(extra) if isinstance(extra, str) else None
    except (ValueError, RecursionError):
        return None
    if not found or not first_text(found, "prompt"):
        return None
    settings = settings_of(found, ("prompt", "negativePrompt"), cfgScale="CFG scale")
    return Prompt(first_text(found, "prompt"), first_text(found, "negativePrompt"), settings=settings)


def _find(graph: Graph, texts: Texts) -> Prompt | None:
    reader = _Reader(graph, texts)
    for place in [key for key in _backwards(graph, _outputs(graph)) if _is_sampler(graph[key])][::-1]:
        text = reader.text(place, negative=False)
        if text.strip():
            negative = reader.text(place, negative=True)
            break
    else:
        place, text, negative = "", *_encoders(graph, reader)
    return Prompt(text, negative, settings=_settings(graph, place)) if (text + negative).strip() else None


def _is_sampler(node: Node) -> bool:
    feeds = any(
        re.search(r"positive|guider|conditioning|embeds|pipe", name) and (link_target(value) or _is_text(value))
        for name, value in node.inputs.items()
    )
    return feeds and ("sampl" in node.kind.lower() or not {"sampler_name", "latent_image"}.isdisjoint(node.inputs))


def _outputs(graph: Graph) -> list[str]:
    """Return what saves or shows pictures; else what no other node takes anything from."""
    taken = {target for node in graph.values() for _, target in node.links()}
    ends = [key for key in graph if key not in taken] or list(graph)
    return [key for key in ends if "save" in graph[key].kind.lower()] or ends


def _backwards(graph: Graph, starts: Iterable[str]) -> list[str]:
    """Return the nodes that these depend on, themselves included, nearest first."""
    order = dict.fromkeys(key for key in starts if key in graph)
    queue = list(order)
    for key in queue:
        for _, target in graph[key].links():
            if target in graph and target not in order:
                order[target] = None
                queue.append(target)
    return queue


class _Reader:
    """Reads the texts that lead to a node; what was read once is remembered, so that circles end."""

    def __init__(self, graph: Graph, texts: Texts) -> None:
        self._graph, self._texts = graph, texts
        self._known: dict[tuple[str, bool], str] = {}
        self._left = MOST_CHARACTERS

    def text(self, place: str, negative: bool, depth: int = 0) -> str:
        key = (place, negative)
        if key in self._known:
            return self._known[key]
        self._known[key] = ""
        node = self._graph.get(place)
        if node is None or _NO_TEXT_KIND.search(node.kind):
            return ""
        if depth > MOST_LINKS:
            self._texts.note(f"its ComfyUI graph has more than {MOST_LINKS} links in a row")
            return ""
        parts = []
        for name in _inputs(node, negative):
            target = link_target(node.inputs[name])
            parts.append(self.text(target, negative, depth + 1) if target else str(node.inputs[name]))
        between = next(filter(_is_text, map(node.inputs.get, ("delimiter", "separator"))), None)
        self._left -= sum(map(len, parts)) + len(parts) * len(str(between))
        if self._left < 0:
            self._texts.note(f"the texts of its ComfyUI graph have more than {MOST_CHARACTERS:,} characters")
            return ""
        self._known[key] = _join(node, parts, between)
        return self._known[key]


def _inputs(node: Node, negative: bool) -> list[str]:
    """Return the inputs that lead to the prompt, or to the negative one."""
    names = [name for name, value in node.inputs.items() if _leads_to_text(name, value)]
    own, other = ("negative", "positive") if negative else ("positive", "negative")
    named = [name for name in names if own in name.lower()]
    if named:
        return named
    if negative and "guider" in node.kind.lower() and "guider" not in node.inputs:
        return []  # a guider without a negative prompt
    rest = [name for name in names if other not in name.lower()]
    linked = [name for name in rest if link_target(node.inputs[name]) is not None]
    if linked and re.search(r"(?i)show|preview|display", node.kind):
        return linked  # what it showed last is kept beside them
    if "populated_text" in rest:  # beside the template that it was made from
        return ["populated_text"]
    chosen = node.inputs.get("select")
    if isinstance(chosen, Number):  # a switch
        return [name for name in rest if re.sub(r"^\D*", "", name) == chosen] or rest
    return rest


def _leads_to_text(name: str, value: object) -> bool:
    if link_target(value) is not None:
        return "pipe" in name or not _ELSEWHERE.search(name)
    return _is_text(value) and bool(_TEXT_INPUT.search(name)) and not _NO_TEXT_INPUT.search(name)


def _is_text(value: object) -> bool:
    return isinstance(value, str) and not isinstance(value, Number)


def _join(node: Node, parts: list[str], between: object) -> str:
    if isinstance(between, str):
        return between.replace("\\n", "\n").join(part for part in parts if part)
    if re.search(r"(?i)condition|encode|sampl", node.kind):
        return joined(*parts)
    return ", ".join(dict.fromkeys(part.strip(" ,") for part in parts if part.strip(" ,")))


def _encoders(graph: Graph, reader: _Reader) -> tuple[str, str]:
    """Return the texts of all encoders, of a graph without a sampler that is known; negative ones by their title."""
    found: dict[bool, list[str]] = {False: [], True: []}
    for key, node in graph.items():
        if "textencode" in node.kind.lower():
            is_negative = "neg" in node.title.lower()
            found[is_negative].append(reader.text(key, is_negative))
    return joined(*found[False]), joined(*found[True])


def _settings(graph: Graph, sampler: str) -> dict[str, str]:
    """Return the settings of the sampler and of what it depends on; the nearest one of each name."""
    settings: dict[str, str] = {}
    loras: dict[str, None] = {}
    for key in _backwards(graph, [sampler]):
        node = graph[key]
        for name, value in node.inputs.items():
            setting, text = _SETTINGS.get(name), _literal(graph, value, name)
            if text and setting:
                settings.setdefault(setting, model_name(text) if setting == "Model" else text)
            elif text and name == "lora_name":
                loras[model_name(text)] = None
        if "Size" not in settings and "latent" in node.kind.lower() and "upscale" not in node.kind.lower():
            sides = [_literal(graph, node.inputs.get(side), side) for side in ("width", "height")]
            if all(sides):
                settings["Size"] = "x".join(sides)
    return settings | ({"Lora": ", ".join(loras)} if loras else {})


def _literal(graph: Graph, value: object, name: str) -> str:
    """Return a plain value, or the one of the node that it is linked to."""
    for _ in range(10):
        target = link_target(value)
        if target is None:
            break
        inputs = graph[target].inputs if target in graph else {}
        values = [inputs[key] for key in (name, "value", "seed", "int", "float", "number", "Number") if key in inputs]
        value = next(iter(values or inputs.values()), None)
    return value if isinstance(value, str) else ""


COMFYUI = Generator(
    "ComfyUI",
    _read,
    (
        {
            "prompt": '{"1": {"class_type": "CheckpointLoaderSimple", '
            '"inputs": {"ckpt_name": "sd/dream.safetensors"}}, '
            '"2": {"class_type": "CLIPTextEncode", "inputs": {"text": "a cat, fur", "clip": ["1", 1]}}, '
            '"3": {"class_type": "CLIPTextEncode", "inputs": {"text": "dog", "clip": ["1", 1]}}, '
            '"4": {"class_type": "EmptyLatentImage", "inputs": {"width": 64, "height": 32, "batch_size": 1}}, '
            '"5": {"class_type": "KSampler", "inputs": {"seed": 123456789012345678, "steps": 20, "cfg": 7.0, '
            '"sampler_name": "euler", "scheduler": "normal", "denoise": 1.0, "model": ["1", 0], "positive": ["2", 0], '
            '"negative": ["3", 0], "latent_image": ["4", 0]}}, '
            '"6": {"class_type": "VAEDecode", "inputs": {"samples": ["5", 0], "vae": ["1", 2]}}, '
            '"7": {"class_type": "SaveImage", "inputs": {"images": ["6", 0], "filename_prefix": "cat"}}}'
        },
        Prompt(
            "a cat, fur",
            "dog",
            settings={
                "Seed": "123456789012345678",
                "Steps": "20",
                "CFG scale": "7.0",
                "Sampler": "euler",
                "Schedule type": "normal",
                "Denoising strength": "1.0",
                "Model": "dream",
                "Size": "64x32",
            },
        ),
    ),
)
