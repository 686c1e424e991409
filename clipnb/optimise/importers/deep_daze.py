"""deep-daze (2021, by Phil Wang): text to picture by a network of coordinates (SIREN).

Options of its program imagine, as https://github.com/lucidrains/deep-daze lists them.
"""

from __future__ import annotations

from typing import Any

from clipnb.errors import ConfigError
from clipnb.optimise.importers import parts
from clipnb.optimise.importers.options import FLAG, Given, Option, Tool, dropped

_OPTIONS = (
    Option("--text", "", "features"),
    Option("--img", "", "features[].image"),
    Option("--learning_rate", 1e-5, "learnrate"),
    Option("--batch_size", 4, "cutouts.count"),
    Option("--gradient_accumulate_every", 4, "cutouts.count"),
    Option("--epochs", 20, "epochs"),
    Option("--iterations", 1050, "epochs"),
    Option("--save_every", 100, "snapshot_interval"),
    Option("--image_width", 512, "resolution"),
    Option("--seed", -1, "seed"),
    Option("--start_image_path", "", "init.image"),
    Option("--lower_bound_cutout", 0.1, "cutouts.size"),
    Option("--upper_bound_cutout", 1.0, "cutouts.size"),
    Option("--do_cutout", True, "cutouts", count=FLAG),
    Option("--model_name", "ViT-B/32", "model"),
    Option("--optimizer", "AdamP", "optimizer"),
    Option("--averaging_weight", 0.3, "a target of its own for the whole picture"),
    *dropped(
        "the network of coordinates has four layers of 128 sines here; see pixels: network, its detail",
        Option("--num_layers", 16),
        Option("--hidden_size", 256),
        Option("--deeper", False, count=FLAG),
        Option("--theta_initial", 30.0),
        Option("--theta_hidden", 30.0),
    ),
    *dropped(
        "the network learns a picture that it begins with by steps of its own",
        Option("--start_image_train_iters", 50),
        Option("--start_image_lr", 3e-4),
    ),
    *dropped(
        "sizes of cuts are drawn evenly, at any place",
        Option("--saturate_bound", False, count=FLAG),
        Option("--gauss_sampling", False, count=FLAG),
        Option("--gauss_mean", 0.6),
        Option("--gauss_std", 0.2),
        Option("--center_bias", False, count=FLAG),
        Option("--center_focus", 2),
    ),
    *dropped(
        "texts do not wander; give targets with start and end",
        Option("--create_story", False, count=FLAG),
        Option("--story_start_words", 5),
        Option("--story_words_per_epoch", 5),
        Option("--story_separator", ""),
    ),
    *dropped(parts.FILMS, Option("--save_gif", False, count=FLAG), Option("--save_video", False, count=FLAG)),
    *dropped(
        parts.HOUSEKEEPING,
        Option("--overwrite", False, count=FLAG),
        Option("--save_progress", True, count=FLAG),
        Option("--open_folder", True, count=FLAG),
        Option("--save_date_time", False, count=FLAG),
        Option("--jit", True, count=FLAG),
    ),
)


def _build(given: Given) -> dict[str, Any]:
    features = parts.plain(given, "text") + parts.plain(given, "img", key="image")
    if not features:
        raise ConfigError("there is neither a text nor a picture (--img) to go towards")
    image, count = str(given["start_image_path"]), given["batch_size"] * given["gradient_accumulate_every"]
    cuts = (
        [parts.cutouts(count, given["lower_bound_cutout"], given["upper_bound_cutout"])] if given["do_cutout"] else []
    )
    targets = [{"name": "views", "features": features, "transforms": cuts}]
    if cuts and given["averaging_weight"] > 0:
        targets.append({"name": "whole", "features": features, "weight": given["averaging_weight"] * count})
    return {
        "epochs": given["epochs"] * given["iterations"],
        "resolution": [given["image_width"]] * 2,
        **parts.models(given, "model_name", [given["model_name"]]),
        **parts.rate(given, "learning_rate", 1e-5),
        **parts.optimiser(given, "optimizer"),
        "snapshot_interval": given["save_every"],
        "seed": given["seed"] if given["seed"] >= 0 else None,
        "pixels": "network",
        "init": {"image": image} if image else {"std": 0.02},
        "targets": targets,
    }


DEEP_DAZE = Tool({"imagine": _OPTIONS, "deep_daze": _OPTIONS, "deep-daze": _OPTIONS}, _build, plain="text")
