"""pixray (2021, by Tom White): text to picture by several drawers (VQGAN, pixels, strokes, spectrum).

Options as https://github.com/pixray/pixray lists them, of its drawers, losses and filters too; settings may be YAML.
"""

from __future__ import annotations

from typing import Any

from clipnb.errors import ConfigError, quoted
from clipnb.images import open_image
from clipnb.optimise.importers import parts
from clipnb.optimise.importers.options import MANY, TWO, Given, Option, Tool, dropped
from clipnb.optimise.importers.reading import WHOLE
from clipnb.optimise.parameterisations.palette import MOST_CELLS
from clipnb.optimise.parameterisations.strokes import MOST_STROKES

_NO_LOSS = "of these losses there is none; see targets[].constraints"
_NO_FILTER = "pictures are not filtered between steps but by transforms and postproc"
_OPTIONS = (
    Option("-p --prompts", "", "features"),
    Option("-ip --image_prompts", "", "features[].image"),
    Option("-ipw --image_prompt_weight", 1.0, "features[].weight"),
    Option("-i --iterations", 0, "epochs"),
    Option("-se --save_every", 10, "snapshot_interval"),
    Option("--quality", "normal", "models, epochs, resolution, cutouts.count"),
    Option("-asp --aspect", "widescreen", "resolution"),
    Option("-ezs --ezsize", "", "resolution"),
    Option("-sca --scale", 0.0, "resolution"),
    Option("-s --size", [0], "resolution", count=TWO),
    Option("-ii --init_image", "", "init.image"),
    Option("-iwp --init_weight_pix", 0.0, "constraints.like"),
    Option("-ti --target_images", "", "constraints.like"),
    Option("--style_file", "", "constraints.style"),
    Option("-in --init_noise", "pixels", "init"),
    Option("--clip_models", "", "models"),
    Option("--perceptors", "clip", "models"),
    Option("-lr --learning_rate", 0.2, "learnrate"),
    Option("-lrd --learning_rate_drops", [75.0], "learnrate_scale", count=MANY),
    Option("-cuts --num_cuts", 0, "cutouts.count"),
    Option("-bats --batches", 0, "cutouts.count"),
    Option("--seed", "", "seed"),
    Option("-opt --optimiser", "Adam", "optimizer"),
    Option("-o --output", "output.png", "output"),
    Option("-od --output_dir", "", "output"),
    Option("--drawer", "vqgan", "pixels"),
    Option("--losses --custom_loss", "", "constraints, symmetry"),
    Option("--filters", "", "tile"),
    Option("--smoothness_weight", 1.0, "constraints.tv.weight"),
    Option("--saturation_weight", 1.0, "constraints.saturation.weight"),
    Option("--fft_decay", 1.5, "pixels.fourier.decay"),
    *dropped(
        "write what should be seen or not as texts with weights",
        Option("-vp --vector_prompts", "textoff"),
        Option("-l --labels", ""),
        Option("-il --image_labels", ""),
        Option("-ilw --image_label_weight", 1.0),
        Option("-nps --noise_prompt_seeds", [0], count=MANY),
        Option("-npw --noise_prompt_weights", [0.0], count=MANY),
        Option("-ips --image_prompt_shuffle", False),
    ),
    *dropped(
        "one text for a part of the picture is a target with a region",
        Option("-sp --spot", ""),
        Option("-spo --spot_off", ""),
        Option("-spf --spot_file", ""),
    ),
    *dropped(
        "a picture is begun with or resembled by its features, not laid over or matched pixel by pixel",
        Option("-iia --init_image_alpha", 200),
        Option("-iw --init_weight", 0.0),
        Option("-iwd --init_weight_dist", 0.0),
        Option("-iwc --init_weight_cos", 0.0),
        Option("-ove --overlay_every", 10),
        Option("-ovo --overlay_offset", 0),
        Option("-ovu --overlay_until", 0),
        Option("-ovi --overlay_image", ""),
        Option("-ova --overlay_alpha", 0),
    ),
    *dropped("sizes of cuts are drawn evenly", Option("-cutp --cut_power", 1.0)),
    *dropped("a run has as many steps as it says", Option("-as --auto_stop", False)),
    *dropped("the same seed gives the same picture anyway", Option("-d --deterministic", False)),
    *dropped(
        parts.FILMS,
        Option("-vid --video", False),
        Option("-anim --animation_dir", ""),
        Option("-ana --animation_alpha", 128),
    ),
    *dropped(
        "pictures have no transparency here",
        Option("--transparent", False),
        Option("--alpha_weight", 1.0),
        Option("--alpha_use_g", False),
        Option("--alpha_gamma", 4.0),
    ),
    *dropped(
        parts.GENERATOR,
        Option("--vqgan_model", "imagenet_f16_16384"),
        Option("--vqgan_config", ""),
        Option("--vqgan_checkpoint", ""),
        Option("--vdiff_model", "yfcc_2"),
        Option("--vdiff_schedule", "default"),
        Option("--vdiff_skip", 0.0),
        Option("--super_resolution_model", "RealESRGAN_x4plus"),
    ),
    Option("--pixel_size", [0], "pixels.palette.cells", count=TWO),
    Option("--pixel_type", "rect", "pixels.palette.cell"),
    Option("--strokes", 0, "pixels.strokes.count"),
    Option("--min_stroke_width", 0.0, "pixels.strokes.width"),
    Option("--max_stroke_width", 0.0, "pixels.strokes.width"),
    *dropped(
        "grids of cells and strokes have settings of their own; see pixels",
        Option("--palette", ""),
        Option("--pixel_scale", 1.0),
        Option("--pixel_edge_check", True),
        Option("--pixel_iso_check", True),
        Option("--stroke_length", 8),
        Option("--allow_paper_color", False),
    ),
    *dropped(
        "the spectrum has its decay only",
        Option("--fft_use", "fft"),
        Option("--fft_wave", "coif2"),
        Option("--fft_sharp", 0.3),
        Option("--fft_colors", 1.5),
        Option("--fft_lrate", 0.3),
    ),
    *dropped(
        _NO_LOSS,
        Option("--smoothness_type", "default"),
        Option("--smoothness_gaussian_kernel", 0.0),
        Option("--smoothness_gaussian_std", 1.0),
        Option("--smoothness_spacing", 1),
        Option("--smoothness_edge_order", 1),
        Option("--symmetry_weight", 1.0),
        Option("--palette_weight", 1.0),
        Option("--edge_thickness", 5),
        Option("--edge_margins", [0], count=4),
        Option("--edge_color", "white"),
        Option("--edge_color_weight", 0.1),
        Option("--global_color_weight", 0.05),
        Option("--edge_input_image", ""),
        Option("--edge_mask_image", ""),
        Option("--styleloss_content_weight", 32.0),
        Option("--styleloss_ospace", "uniform"),
        Option("--styleloss_skip", 100),
        Option("--styleloss_every", 1),
        Option("--aesthetic_target", 10.0),
        Option("--gaussian_weight", 1.0),
        Option("--gaussian_std", [40.0], count=TWO),
        Option("--gaussian_color", [255.0], count=3),
    ),
    *dropped(
        _NO_FILTER,
        Option("--wallpaper_type", ""),
        Option("--wallpaper_edge_match", 0),
        Option("--lookup_beta", 10.0),
    ),
    *dropped(
        parts.HOUSEKEEPING,
        Option("-de --display_every", 20),
        Option("-dc --display_clear", False),
    ),
)
# Of each quality: models, steps, scale of the size, cuts a batch, batches.
_QUALITIES: dict[str, tuple[str, int, int, int, int]] = {
    "draft": ("ViT-B/16", 200, 1, 24, 1),
    "normal": ("ViT-B/32,ViT-B/16", 250, 2, 30, 1),
    "better": ("RN50,ViT-B/32,ViT-B/16", 300, 3, 36, 1),
    "best": ("RN50x4,ViT-B/32,ViT-B/16", 350, 4, 12, 2),
    "supreme": ("RN50x4,RN101,ViT-B/32,ViT-B/16", 400, 5, 8, 4),
}
# Of each drawer of strokes: how many, the least and the largest width in percent of the height.
_STROKES = {"clipdraw": (1024, 1.0, 5.0), "line_sketch": (24, 0.5, 2.0)}
_TILES = ("tiler", "wallpaper")
_SCALES = {"small": 1, "medium": 2, "large": 4}
_ASPECTS = {"square": (144, 144), "portrait": (128, 160), "widescreen": (192, 108)}
_LOSSES: dict[str, dict[str, Any]] = {"smoothness": {"tv": {}}, "saturation": {"saturation": {"above": [0.2] * 3}}}


def _build(given: Given) -> dict[str, Any]:
    quality = str(given["quality"])
    if quality not in _QUALITIES:
        raise ConfigError(f"--quality is one of {', '.join(_QUALITIES)}, not {quoted(quality)}")
    names, steps, _, cuts, batches = _QUALITIES[quality]
    if given["perceptors"] != "clip":
        given.lose(f"perceptors ({given['perceptors']})", "CLIPs guide here; SLIP is not among the models")
    wanted = [name.strip() for name in str(given["clip_models"] or names).split(",")]
    image = str(given["init_image"])
    return {
        "epochs": given["iterations"] or steps,
        "resolution": _size(given),
        **parts.models(given, "clip_models", wanted),
        **parts.rate(given, "learning_rate", 0.2),
        **_drops(given["learning_rate_drops"]),
        **parts.optimiser(given, "optimiser"),
        "snapshot_interval": given["save_every"],
        **_seed(given),
        **_output(given),
        **({"symmetry": "x"} if "symmetry" in _named(given["custom_loss"]) else {}),
        **({"tile": True} if _filters(given) else {}),
        "pixels": _drawer(given),
        "init": {"image": image} if image else {"std": 0.02 if given["init_noise"].lower() == "none" else 0.1},
        "targets": [
            {
                "name": "views",
                "features": _features(given),
                "transforms": [
                    parts.cutouts((given["num_cuts"] or cuts) * (given["batches"] or batches), 0.5),
                    parts.TILT,
                ],
                "constraints": _constraints(given),
            }
        ],
    }


def _features(given: Given) -> list[dict[str, Any]]:
    features = parts.prompts(given, "prompts")
    features += parts.prompts(given, "image_prompts", given["image_prompt_weight"], "image")
    if not features:
        raise ConfigError("there is neither a text (--prompts) nor a picture (--image_prompts) to go towards")
    return features


def _drawer(given: Given) -> Any:
    drawer = str(given["drawer"])
    if drawer == "fft":
        return {"fourier": {"decay": given["fft_decay"]}}
    if drawer in ("pixel", "fast_pixel"):
        return _pixels(given)
    if drawer in _STROKES:
        return _strokes(given, *_STROKES[drawer])
    given.lose(f"drawer {drawer}", parts.GENERATOR if drawer in ("vqgan", "vdiff") else "the spectrum stands for it")
    return "fourier"


def _pixels(given: Given) -> dict[str, Any]:
    kind = str(given["pixel_type"])
    if kind not in ("rect", "hex"):
        given.lose(f"pixel_type {kind}", "cells are squares or hexagons")
    cells = {"cells": [min(MOST_CELLS, side) for side in given["pixel_size"]]} if "pixel_size" in given.told else {}
    return {"palette": {**cells, "cell": "hex" if kind == "hex" else "square"}}


def _strokes(given: Given, count: int, thin: float, thick: float) -> dict[str, Any]:
    """Strokes as wide as the mean of the least and the largest width, which are percents of the height."""
    percent = ((given["min_stroke_width"] or thin) + (given["max_stroke_width"] or thick)) / 2
    width = min(64.0, max(0.5, round(percent / 100 * 224, 1)))
    return {"strokes": {"count": min(MOST_STROKES, max(1, given["strokes"] or count)), "width": width}}


def _constraints(given: Given) -> list[dict[str, Any]]:
    constraints = parts.like(str(given["init_image"]), given["init_weight_pix"])
    for image in filter(None, (part.strip() for part in str(given["target_images"]).split("|"))):
        constraints += parts.like(image, 1.0)
    for name in _named(given["custom_loss"]):
        if name == "symmetry":
            continue
        if name == "style" and given["style_file"]:
            constraints.append({"style": {"image": str(given["style_file"])}})
            continue
        if name not in _LOSSES:
            given.lose(f"losses ({name})", _NO_LOSS)
            continue
        ((kind, parameters),) = _LOSSES[name].items()
        constraints.append({kind: {**parameters, "weight": given[f"{name}_weight"]}})
    return constraints


def _named(listed: Any) -> list[str]:
    """Return names parted by commas, without weights behind colons."""
    return [name for part in str(listed or "").split(",") if (name := part.strip().partition(":")[0])]


def _filters(given: Given) -> bool:
    """Whether a filter makes the picture a tile."""
    names = _named(given["filters"])
    for name in names:
        if name not in _TILES:
            given.lose(f"filters ({name})", _NO_FILTER)
    return any(name in _TILES for name in names)


def _size(given: Given) -> list[int]:
    if "size" in given.told:
        return list(given["size"])
    scale = given["scale"] or _SCALES.get(given["ezsize"]) or _QUALITIES[given["quality"]][2]
    if given["ezsize"] and given["ezsize"] not in _SCALES:
        raise ConfigError(f"--ezsize is one of {', '.join(_SCALES)}, not {quoted(given['ezsize'])}")
    aspect = given["aspect"]
    if aspect == "retain" and given["init_image"]:
        width, height = open_image(given["init_image"]).size
        return [int(144 * scale), int(144 * scale * height / width)]
    if aspect not in _ASPECTS:
        raise ConfigError(f"--aspect is one of {', '.join(_ASPECTS)}, not {quoted(aspect)}")
    return [int(side * scale) for side in _ASPECTS[aspect]]


def _drops(percents: list[float]) -> dict[str, Any]:
    """A tenth of the rate after each share of the run."""
    drops = sorted(percent / 100 for percent in percents)
    return {"learnrate_scale": " * ".join(f"(1 if t < {drop:g} else .1)" for drop in drops)} if drops else {}


def _seed(given: Given) -> dict[str, Any]:
    seed = str(given["seed"])
    if WHOLE.fullmatch(seed):
        return {"seed": int(seed)}
    if seed:
        given.lose("seed", "a seed is a whole number here")
    return {}


def _output(given: Given) -> dict[str, Any]:
    name = str(given["output"]) if "output" in given.told else ""
    folder = str(given["output_dir"]).rstrip("/")
    return {"output": f"{folder}/{name}" if folder else name} if folder or name else {}


PIXRAY = Tool({"pixray": _OPTIONS, "run": _OPTIONS}, _build, takes_settings=True)
