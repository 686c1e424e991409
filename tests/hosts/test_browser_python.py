"""The rooms for tags and prompts work without what Python in a browser lacks (Pyodide, as JupyterLite has it).

A double of it: this Python with modules taken away, no threads, and numpy refusing what it refuses where numbers of
places have 32 bits.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
ABSENT = (
    "torch torchvision open_clip timm transformers tokenizers huggingface_hub safetensors pydantic igraph "
    "fcntl termios resource _multiprocessing _posixshmem"
)
SCRIPT = f"""
import importlib, pkgutil, sys, threading
import numpy as np
import pandas  # before the platform is said to be another

for name in {ABSENT.split()!r}:
    sys.modules[name] = None  # importing it is an ImportError

def no_thread(self):
    raise RuntimeError("can't start new thread")

def bincount(numbers, *arguments, wide=np.bincount, **options):
    assert numbers.dtype.itemsize <= 4, "64 bits are not counted there"
    return wide(numbers, *arguments, **options)

threading.Thread.start = no_thread
np.bincount, np.intp = bincount, np.int32
sys.platform = "emscripten"

import clipnb, clipnb.prompts, clipnb.tags

for room in (clipnb.prompts, clipnb.tags):
    for module in pkgutil.walk_packages(room.__path__, room.__name__ + "."):
        importlib.import_module(module.name)

from clipnb.tags.communities import modularity

prompts = clipnb.read_prompts("prompts")
graph = clipnb.build_graph(prompts, min_count=2)
assert len(clipnb.suggest(graph, ["oil painting"]))
assert "<html" in clipnb.graph_page(graph)
assert modularity(graph) > 0
for kind in ("json", "graphml", "gexf", "csv", "html"):
    clipnb.export_graph(graph, f"{{sys.argv[1]}}/graph.{{kind}}")
captions = clipnb.CaptionSet(f"{{sys.argv[1]}}/set")
captions.replace("grey hair", "gray hair")
captions.save()
"""


def test_tags_and_prompts_need_nothing_that_a_browser_lacks(tmp_path: Path) -> None:
    (tmp_path / "set").mkdir()
    for number in range(20):
        (tmp_path / "set" / f"{number}.png").write_bytes(b"\x89PNG")
        (tmp_path / "set" / f"{number}.txt").write_text("grey hair, red hat")
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT, str(tmp_path)], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert "thread" not in done.stderr
    assert (tmp_path / "set" / "3.txt").read_text() == "gray hair, red hat"
