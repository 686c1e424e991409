"""Shared by all tests: a cache of their own, no network, and a small open_clip model made and saved here."""

from __future__ import annotations

import json
import os
import random
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, settings

if TYPE_CHECKING:
    from playwright.sync_api import Browser

# Two workers run side by side (see pyproject.toml); threads of torch beyond one each would only wait for each other.
os.environ.setdefault("OMP_NUM_THREADS", "1")
# A test draws the same examples each time, so that none fails by chance; CONTRIBUTING.md says how to draw others.
settings.register_profile("explore", deadline=None, suppress_health_check=[HealthCheck.too_slow], database=None)
settings.register_profile("the same", settings.get_profile("explore"), derandomize=True)
settings.load_profile("the same")

TINY_CONFIG = {
    "embed_dim": 32,
    "vision_cfg": {"image_size": 32, "layers": 2, "width": 64, "head_width": 16, "patch_size": 8},
    "text_cfg": {"context_length": 77, "vocab_size": 49408, "width": 64, "heads": 4, "layers": 2},
}

MEAN, STD = (0.48145466, 0.4578275, 0.40821073), (0.26862954, 0.26130258, 0.27577711)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark the tests that SECURITY.md names as proofs of what it promises."""
    tests = Path(__file__).parent
    page = tests.parent / "SECURITY.md"
    told = page.read_text(encoding="utf-8") if page.is_file() else ""
    for item in items:
        place = item.path.relative_to(tests).as_posix() if item.path.is_relative_to(tests) else ""
        if isinstance(item, pytest.Function) and f"`{place}::{item.originalname}`" in told:
            item.add_marker("promise")


@pytest.fixture(scope="session", autouse=True)
def _own_world(tmp_path_factory: pytest.TempPathFactory) -> None:
    os.environ["CLIPNB_CACHE"] = str(tmp_path_factory.mktemp("cache"))
    os.environ["HF_HUB_OFFLINE"] = "1"
    os.environ["CLIPNB_PROBE"] = "0"  # small models of random weights tell nothing apart, as they should
    os.environ.pop("CLIPNB_MODEL", None)


@pytest.fixture(autouse=True)
def _same_chance() -> None:
    """Let what draws from a global generator draw the same, whichever test was before."""
    random.seed(0)
    for module in ("numpy.random", "torch.random"):
        if module in sys.modules:
            getattr(sys.modules[module], "seed" if "numpy" in module else "manual_seed")(0)


def save_open_clip(folder: Path, config: dict[str, object], seed: int = 0, custom_text: bool = False) -> str:
    """Make a random-weight open_clip model, save it as open_clip does, and return its name."""
    import open_clip
    import torch
    from safetensors.torch import save_file

    with torch.random.fork_rng():
        torch.manual_seed(seed)
        model = (open_clip.CustomTextCLIP if custom_text else open_clip.CLIP)(**config)
    folder.mkdir(parents=True, exist_ok=True)
    save_file(
        {name: tensor.contiguous() for name, tensor in model.state_dict().items()},
        folder / "open_clip_model.safetensors",
    )
    model_cfg = dict(config, custom_text=True) if custom_text else config
    preparation = {"mean": MEAN, "std": STD, "interpolation": "bicubic", "resize_mode": "shortest"}
    description = {"model_cfg": model_cfg, "preprocess_cfg": preparation}
    (folder / "open_clip_config.json").write_text(json.dumps(description))
    return f"local-dir:{folder}"


@pytest.fixture(scope="session")
def tiny_clip(tmp_path_factory: pytest.TempPathFactory) -> str:
    """Name of a small random-weight CLIP, loaded from disk by the code that loads real ones."""
    return save_open_clip(tmp_path_factory.mktemp("tiny") / "clip", TINY_CONFIG)


CHROMIUM_FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    """A headless Chromium of the system; tests that need it are skipped where there is none.

    While it is open no other event loop can run in this thread, so it is closed after each module.
    """
    program = os.environ.get("CHROME") or shutil.which("chromium") or shutil.which("google-chrome")
    if not program:
        pytest.skip("no Chromium here: apt-get install chromium, or set CHROME")
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=CHROMIUM_FLAGS)
        yield browser
        browser.close()
