"""pytti (2021, by sportsracer48; pytti-core by David Marx and others): scenes, palettes, camera moves.

Keys of its settings in YAML, as https://github.com/pytti-tools/pytti-core lists them.
"""

from __future__ import annotations

import re
from typing import Any

from clipnb.errors import ConfigError, quoted
from clipnb.optimise.importers import parts
from clipnb.optimise.importers.options import Given, Option, Tool, dropped
from clipnb.optimise.parameterisations.palette import MOST_CELLS
from clipnb.optimise.parameterisations.palette_colours import MOST_COLOURS

_OUTER_COLON, _OUTER_BAR = re.compile(r":(?![^\[]*\])"), re.compile(r"_(?![^\[]*\])")  # outside of brackets
_MASKS = {"a": "", "l": "left", "r": "right", "u": "top", "d": "bottom"}
_OUTSIDE = {"mirror": "mirror", "wrap": "wrap", "black": "black"}
_MODELS = {
    "ViTB32": "ViT-B/32",
    "ViTB16": "ViT-B/16",
    "ViTL14": "ViT-L/14",
    **{name: name for name in ("RN50", "RN101", "RN50x4", "RN50x16", "RN50x64")},
}
_OPTIONS = (
    Option("scenes", "", "targets"),
    Option("scene_prefix", "", "features"),
    Option("scene_suffix", "", "features"),
    Option("init_image", "", "init.image"),
    Option("semantic_init_weight", "", "features[].image"),
    Option("image_model", "VQGAN", "pixels"),
    Option("width", 180, "resolution"),
    Option("height", 112, "resolution"),
    Option("pixel_size", 4, "resolution"),
    Option("steps_per_scene", 100, "epochs"),
    Option("seed", 0, "seed"),
    Option("cutouts", 40, "cutouts.count"),
    Option("smoothing_weight", 0.02, "constraints.tv.weight"),
    Option("file_namespace", "default", "output"),
    Option("save_every", 50, "snapshot_interval"),
    *(Option(name, name == "ViTB32", "models") for name in _MODELS),
    *dropped(
        "each kind of picture has its own rate there; learnrate: 1 is sensible here", Option("learning_rate", 0.0)
    ),
    *dropped("scenes change at once", Option("interpolation_steps", 0)),
    *dropped(parts.GENERATOR, Option("vqgan_model", "sflckr")),
    Option("direct_image_prompts", "", "constraints.like"),
    Option("direct_init_weight", "", "constraints.like"),
    Option("cutout_border", 0.25, "cutouts.overscan"),
    Option("border_mode", "clamp", "cutouts.outside"),
    *dropped("sizes of cuts are drawn evenly", Option("cut_pow", 2.0)),
    *dropped(
        parts.FILMS,
        Option("animation_mode", "off"),
        Option("steps_per_frame", 50),
        Option("pre_animation_steps", 100),
        Option("reset_lr_each_frame", True),
        Option("field_of_view", 60),
        Option("near_plane", 1),
        Option("far_plane", 10000),
        Option("translate_x", "0"),
        Option("translate_y", "0"),
        Option("translate_z_3d", "0"),
        Option("rotate_3d", "[1, 0, 0, 0]"),
        Option("rotate_2d", "0"),
        Option("zoom_x_2d", "0"),
        Option("zoom_y_2d", "0"),
        Option("sampling_mode", "bicubic"),
        Option("infill_mode", "wrap"),
        Option("lock_camera", True),
        Option("frames_per_second", 12),
        Option("direct_stabilization_weight", ""),
        Option("semantic_stabilization_weight", ""),
        Option("depth_stabilization_weight", ""),
        Option("edge_stabilization_weight", ""),
        Option("flow_stabilization_weight", ""),
        Option("video_path", ""),
        Option("frame_stride", 1),
        Option("reencode_each_frame", True),
        Option("flow_long_term_samples", 1),
        Option("input_audio", ""),
        Option("input_audio_offset", 0.0),
        Option("input_audio_filters", ""),
    ),
    Option("palette_size", 6, "pixels.palette.colours"),
    Option("palettes", 9, "pixels.palette.colours"),
    Option("target_palette", "", "pixels.palette.image"),
    *dropped(
        "colours of a palette follow the picture by themselves, and stay where an image gives them",
        Option("random_initial_palette", False),
        Option("gamma", 1.0),
        Option("hdr_weight", 0.01),
        Option("palette_normalization_weight", 0.2),
        Option("show_palette", False),
        Option("lock_palette", False),
    ),
    *dropped(
        parts.HOUSEKEEPING,
        Option("allow_overwrite", False),
        Option("display_every", 50),
        Option("clear_every", 0),
        Option("display_scale", 1),
        Option("backups", 0),
        Option("show_graphs", False),
        Option("approximate_vram_usage", False),
        Option("use_tensorboard", False),
        Option("models_parent_dir", ""),
        Option("conf", ""),
        Option("defaults", ""),
    ),
    *dropped(
        "all views of a step go through the encoder at once, or in parts where memory is short",
        Option("gradient_accumulation_steps", 1),
    ),
)


def _build(given: Given) -> dict[str, Any]:
    scenes = [scene.strip() for scene in str(given["scenes"]).split("||") if scene.strip()]
    if not scenes:
        raise ConfigError("scenes: there is no text to go towards")
    names = [model for key, model in _MODELS.items() if given[key]]
    if not names:
        raise ConfigError("all CLIPs are switched off; say ViTB32: true")
    steps, image, kind = given["steps_per_scene"], str(given["init_image"]), str(given["image_model"])
    scale = 1 if kind == "VQGAN" else given["pixel_size"]
    targets = [
        target for number, text in enumerate(scenes) for target in _scene(given, text, number, steps, len(scenes))
    ]
    return {
        "epochs": steps * len(scenes),
        "resolution": [given["width"] * scale, given["height"] * scale],
        **parts.models(given, "models", names),
        "snapshot_interval": given["save_every"],
        **({"seed": given["seed"]} if "seed" in given.told else {}),
        **parts.output(given, "file_namespace"),
        "pixels": _pixels(given, kind),
        "init": {"image": image} if image else {"std": 0.02},
        "targets": targets,
    }


def _pixels(given: Given, kind: str) -> Any:
    if kind == "Unlimited Palette":
        return "rgb"
    if kind == "VQGAN":
        given.lose("image_model VQGAN", parts.GENERATOR)
        return "fourier"
    if kind != "Limited Palette":
        raise ConfigError(f"image_model is VQGAN, Limited Palette or Unlimited Palette, not {quoted(kind)}")
    cells = [given["width"], given["height"]]
    if max(cells) > MOST_CELLS:
        given.lose("width, height (as cells)", f"a grid has at most {MOST_CELLS} cells on a side")
        cells = [min(MOST_CELLS, side) for side in cells]
    colours = min(MOST_COLOURS, max(2, given["palette_size"] * given["palettes"]))
    image = str(given["target_palette"])
    return {"palette": {"cells": cells, "colours": colours, **({"image": image} if image else {})}}


def _scene(given: Given, text: str, number: int, steps: int, count: int) -> list[dict[str, Any]]:
    """Return a target for each part of the picture that a scene has texts for."""
    areas: dict[str, list[dict[str, Any]]] = {}
    for prompt in f"{given['scene_prefix']}{text}{given['scene_suffix']}".split("|"):
        if prompt.strip():
            area, feature = _prompt(given, prompt.strip())
            areas.setdefault(area, []).append(feature)
    if weight := str(given["semantic_init_weight"]).partition(":")[0]:
        areas.setdefault("", []).extend(_resembled(given, weight))
    return [
        {
            "name": f"scene {number + 1}{', ' * bool(area)}{area}",
            **({"start": number * steps, "end": (number + 1) * steps - 1} if count > 1 else {}),
            **({"region": area} if area else {}),
            "features": features,
            "transforms": [
                parts.cutouts(
                    given["cutouts"], 0.5, overscan=min(1.0, max(0.0, given["cutout_border"])), outside=_outside(given)
                ),
                parts.TILT,
            ],
            "constraints": [{"tv": {"weight": given["smoothing_weight"]}}, *_kept(given)],
        }
        for area, features in areas.items()
        if features
    ]


def _kept(given: Given) -> list[dict[str, Any]]:
    """Read `picture:weight | picture`, and the weight of the picture that is begun with."""
    wishes = [part.strip().rpartition(":") for part in str(given["direct_image_prompts"]).split("|") if part.strip()]
    pairs = [(name or weight, weight if name and not parts.is_picture(weight) else "1") for name, _, weight in wishes]
    pairs.append((str(given["init_image"]), str(given["direct_init_weight"]) or "0"))
    kept: list[dict[str, Any]] = []
    for image, weight in pairs:
        try:
            kept += parts.like(image.strip("[] "), float(weight.partition("_")[0]))
        except ValueError:
            given.lose(f"the weight {weight} of a picture", "a weight that changes is an expression, such as 1 - t")
    return kept


def _outside(given: Given) -> str:
    mode = str(given["border_mode"])
    if mode not in _OUTSIDE and "border_mode" in given.told:
        given.lose(f"border_mode {mode}", "around the picture it is mirrored or tiled, or black")
    return _OUTSIDE.get(mode, "mirror")


def _prompt(given: Given, prompt: str) -> tuple[str, dict[str, Any]]:
    """Read `text:weight_mask_cutoff:stop`, or `[picture]` in the place of the text: where it counts, and a feature."""
    text, *behind = _OUTER_COLON.split(prompt)
    weight, *masks = _OUTER_BAR.split(behind[0] if behind else "1")
    if len(behind) > 1:
        given.lose("scenes (what stands behind a second colon)", "a text counts until the end of its run")
    feature: dict[str, Any] = {"text": text.strip()}
    if text.strip().startswith("[") and text.strip().endswith("]"):
        feature = {"image": text.strip()[1:-1].strip()}
    try:
        own = float(weight or 1)
    except ValueError:
        given.lose(f"scenes (the weight {weight.strip()})", "a weight that changes is an expression, such as 1 - t")
        own = 1.0
    mask = masks[0].strip() if masks else "a"
    area = mask[1:-1] if parts.is_picture(mask.strip("[]")) else _MASKS.get(mask)
    if area is None:
        given.lose(f"scenes (the mask {mask})", "areas are sides, boxes and gray pictures: targets[].region")
    return area or "", parts.weighed(feature, own)


def _resembled(given: Given, weight: str) -> list[dict[str, Any]]:
    try:
        return parts.plain(given, "init_image", float(weight), "image")
    except ValueError:
        given.lose("semantic_init_weight", "a weight that changes is written as an expression, such as 1 - t")
        return []


PYTTI = Tool({"pytti": _OPTIONS}, _build, takes_settings=True, takes_commands=False)
