"""Threads that wait for one another sleep in a notebook, where its browser needs the processor too."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

IN_A_KERNEL = "IPython.get_ipython = lambda: type('ZMQInteractiveShell', (), {})()"
READ_BY_OPENMP = """
import json, os, sys, IPython
class Noting:
    def find_spec(self, name, *rest):
        if name == "torch":
            noted.append(os.environ.get("OMP_WAIT_POLICY"))
noted = []
sys.meta_path.insert(0, Noting())
{}
import clipnb
before = dict(os.environ)
clipnb.load_model
print(json.dumps([noted[0], dict(os.environ) == before]))
"""


@pytest.mark.parametrize(
    ("host", "variables", "expected"),
    [
        (IN_A_KERNEL, {}, "PASSIVE"),
        (IN_A_KERNEL, {"OMP_WAIT_POLICY": "ACTIVE"}, "ACTIVE"),
        (IN_A_KERNEL, {"GOMP_SPINCOUNT": "3000"}, None),
        (IN_A_KERNEL, {"KAGGLE_KERNEL_RUN_TYPE": "Interactive"}, None),
        ("", {}, None),
    ],
    ids=["notebook", "active is wished", "a spin count is wished", "a notebook in the cloud", "terminal"],
)
def test_how_threads_wait_when_torch_is_loaded(
    host: str, variables: dict[str, str], expected: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("OMP_WAIT_POLICY", "GOMP_SPINCOUNT", "KMP_BLOCKTIME"):
        monkeypatch.delenv(name, raising=False)
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    done = subprocess.run([sys.executable, "-c", READ_BY_OPENMP.format(host)], capture_output=True, check=True)
    assert json.loads(done.stdout) == [expected, True]
