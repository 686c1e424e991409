"""The three jobs on real input: no request, no program that is started, no global random state that is touched."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

JOBS = """
import sys, tempfile, random
from pathlib import Path

noted = []
def note(event, arguments):
    if event in ("socket.connect", "socket.getaddrinfo", "subprocess.Popen", "os.system", "os.exec", "os.posix_spawn"):
        if "ldconfig" not in str(arguments):  # by which Python itself looks for a library
            noted.append((event, str(arguments)[:200]))
sys.addaudithook(note)

import numpy as np, torch, skimage.data
from PIL import Image
import clipnb

folder = Path(tempfile.mkdtemp())
def states():
    return random.getstate(), np.random.get_state()[1].tolist(), torch.get_rng_state().tolist()
clipnb.ExperimentConfig, clipnb.Optimisation, clipnb.Interrogator, clipnb.graph_page
before = states()  # only now: libraries may draw when they are imported

config = clipnb.ExperimentConfig.from_text("a curly spoon", epochs=2, resolution=[48, 48], seed=1)
step = list(clipnb.Optimisation(config).steps())[-1]
clipnb.save_image(step.image, folder / "spoon.png")

interrogator = clipnb.Interrogator(clipnb.load_model("lite"), labels={"flavors": ["a cat", "a coffee cup", "a rocket"]})
said = interrogator.interrogate(Image.fromarray(skimage.data.coffee()), mode="fast").prompt

counts = clipnb.TagCounts(["a cat, night, rain", "a dog, night", "rain, night"])
(folder / "graph.html").write_text(clipnb.graph_page(clipnb.build_graph(counts)))
print("noted", noted, "same" if states() == before else "changed", bool(said), len(list(folder.iterdir())))
"""


@pytest.fixture(scope="module")
def said(tmp_path_factory: pytest.TempPathFactory) -> str:
    folder = tmp_path_factory.mktemp("quiet")
    environment = {**os.environ, "CLIPNB_CACHE": str(folder), "HF_HUB_OFFLINE": "0", "TMPDIR": str(folder)}
    made = subprocess.run(
        [sys.executable, "-c", JOBS], capture_output=True, text=True, env=environment, cwd=Path(__file__).parents[2]
    )
    assert made.returncode == 0, made.stderr[-2000:]
    return made.stdout.splitlines()[-1]


def test_the_three_jobs_ask_no_network_and_start_no_program(said: str) -> None:
    assert said.startswith("noted [] ")
    assert said.endswith("True 2")


def test_global_random_state_is_left_alone(said: str) -> None:
    assert " same " in said
