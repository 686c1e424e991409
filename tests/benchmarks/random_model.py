"""Models of a true architecture with random weights, saved so that the code that loads real ones loads them."""

from __future__ import annotations

import json
from pathlib import Path

import open_clip
import torch
from safetensors.torch import save_file


def save_random(architecture: str, folder: Path) -> str:
    """Make and save a model of open_clip; gives the name by which open_clip and clipnb load it."""
    folder.mkdir(parents=True, exist_ok=True)
    with torch.random.fork_rng():
        torch.manual_seed(0)
        model = open_clip.create_model(architecture, load_weights=False)
    config = open_clip.get_model_config(architecture)
    save_file({k: v.contiguous() for k, v in model.state_dict().items()}, folder / "open_clip_model.safetensors")
    (folder / "open_clip_config.json").write_text(json.dumps({"model_cfg": config, "preprocess_cfg": {}}))
    return f"local-dir:{folder}"
