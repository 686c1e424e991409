"""big-sleep (2021, by Phil Wang): text to picture by the generator of BigGAN, which is not here.

Options of its program dream, as https://github.com/lucidrains/big-sleep lists them.
"""

from __future__ import annotations

from typing import Any

from clipnb.errors import ConfigError
from clipnb.optimise.importers import parts
from clipnb.optimise.importers.options import FLAG, Given, Option, Tool, dropped

_OPTIONS = (
    Option("--text", "", "features"),
    Option("--img", "", "features[].image"),
    Option("--text_min", "", "features, weight -1"),
    Option("--lr", 0.07, "learnrate"),
    Option("--image_size", 512, "resolution"),
    Option("--gradient_accumulate_every", 1, "cutouts.count"),
    Option("--num_cutouts", 128, "cutouts.count"),
    Option("--epochs", 20, "epochs"),
    Option("--iterations", 1050, "epochs"),
    Option("--save_every", 50, "snapshot_interval"),
    Option("--bilinear", False, "interpolation", count=FLAG),
    Option("--seed", 0, "seed"),
    Option("--random", False, "seed", count=FLAG),
    Option("--larger_model", False, "model", count=FLAG),
    *dropped(
        parts.GENERATOR,
        Option("--num_latents", 32),
        Option("--max_classes", 0),
        Option("--class_temperature", 2.0),
        Option("--ema_decay", 0.5),
    ),
    *dropped("sizes of cuts are drawn evenly, at any place", Option("--center_bias", False, count=FLAG)),
    *dropped("the picture is scaled with antialiasing anyway", Option("--experimental_resample", False, count=FLAG)),
    *dropped("the same seed gives the same picture anyway", Option("--torch_deterministic", False, count=FLAG)),
    *dropped(
        parts.HOUSEKEEPING,
        Option("--overwrite", False, count=FLAG),
        Option("--save_progress", False, count=FLAG),
        Option("--save_date_time", False, count=FLAG),
        Option("--open_folder", True, count=FLAG),
        Option("--append_seed", False, count=FLAG),
        Option("--save_best", False, count=FLAG),
        Option("--save_dir", ""),
    ),
)


def _build(given: Given) -> dict[str, Any]:
    features = _texts(given, "text", 1.0) + parts.plain(given, "img", key="image") + _texts(given, "text_min", -1.0)
    if not features:
        raise ConfigError("there is neither a text nor a picture (--img) to go towards")
    given.lose("the generator of BigGAN", parts.GENERATOR)
    return {
        "epochs": given["epochs"] * given["iterations"],
        "resolution": [given["image_size"]] * 2,
        "interpolation": "linear" if given["bilinear"] else "cubic",
        "model": "ViT-L/14" if given["larger_model"] else "ViT-B/32",
        **parts.rate(given, "lr", 0.07),
        "snapshot_interval": given["save_every"],
        "seed": None if given["random"] else given["seed"],
        "pixels": "fourier",
        "init": {"std": 0.02},
        "targets": [
            {
                "name": "views",
                "features": features,
                "transforms": [parts.cutouts(given["num_cutouts"] * given["gradient_accumulate_every"], 0.5, 0.95)],
            }
        ],
    }


def _texts(given: Given, name: str, weight: float) -> list[dict[str, Any]]:
    texts = [text.strip() for text in str(given[name] or "").split("|")]
    return [parts.weighed({"text": text}, weight) for text in texts if text]


BIG_SLEEP = Tool(
    {"dream": _OPTIONS, "imagine_big": _OPTIONS, "big_sleep": _OPTIONS, "big-sleep": _OPTIONS}, _build, "text"
)
