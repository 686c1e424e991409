"""The fuzzer, for a minute with a fixed seed; and that it sees what it is to see."""

from __future__ import annotations

import os
import subprocess
import sys
import warnings
from contextlib import suppress
from pathlib import Path
from random import Random

import pytest

from tests.fuzz.mutator import LONGEST, Mutator

ROOT = Path(__file__).parents[2]
if not sys.platform.startswith("linux"):
    pytest.skip("memory is measured by what Linux tells", allow_module_level=True)
CASES, PARTS = 600, 4  # of each target, as many as were seen to be clean; workers share the parts
BROKEN = """
import os, sys, time
from pathlib import Path
from tests.fuzz.hunt import Target, hunt

faults = {
    "raises": lambda: {}[1], "works": lambda: [None for _ in iter(int, 1)], "waits": lambda: time.sleep(60),
    "grows": lambda: bytearray(2**31), "dies": os.abort, "calls": lambda: sum(range(3 * 10**8)),
}

import tests.fuzz.hunt
folder, kind = sys.argv[1:]
tests.fuzz.hunt.WAITING = 3 if kind == "waits" else 600
acts = [faults[kind]]
run = lambda data: acts.pop()() if acts and b'!' in data else None
print(hunt(kind, Target(lambda: [b"a ? b"], run), 0, 300, 600, Path(folder)))
"""


def run(*arguments: object) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "HF_HUB_OFFLINE": "1", "MALLOC_ARENA_MAX": "2"}
    return subprocess.run(
        [sys.executable, *map(str, arguments)],
        capture_output=True,
        text=True,
        env=environment,
        cwd=ROOT,
    )


@pytest.mark.slow
@pytest.mark.parametrize("part", range(PARTS))
def test_no_case_ends_in_anything_but_a_result_or_an_error_of_ours(part: int, tmp_path: Path) -> None:
    counted = ["--cases", CASES, "--seconds", 10**6, "--work", 5, "--seed", 1]
    ended = run("-m", "tests.fuzz", *counted, "--part", part, PARTS, "--found", tmp_path / "found")
    assert ended.returncode == 0, ended.stdout + ended.stderr[-2000:]
    assert ", 0 findings" in ended.stdout


@pytest.mark.parametrize(
    ("kind", "seen"),
    [
        ("raises", "KeyError"),
        ("works", "TooLongError"),
        ("waits", "TooLongError"),
        ("grows", "MemoryError"),
        ("dies", "the process ended with -6"),
        ("calls", "TooLongError"),
    ],
)
def test_the_fuzzer_sees_what_is_no_documented_outcome(kind: str, seen: str, tmp_path: Path) -> None:
    ended = run("-c", BROKEN, tmp_path, kind)
    assert seen in ended.stdout, ended.stdout + ended.stderr[-2000:]
    inputs = list(tmp_path.glob(f"{kind}-*.input"))
    assert inputs
    assert all(b"!" in path.read_bytes() for path in inputs)


@pytest.mark.parametrize("form", ["", "yaml", "json", "value"])
def test_the_same_seed_makes_the_same_cases(form: str) -> None:
    corpus = [b'{"a": [1, {"b": "a cat"}], "c": "[1, 2]"}', b"[1, 2]"]
    made = [[Mutator(random, form).mutated(corpus) for _ in range(300)] for random in (Random(1), Random(1), Random(2))]
    assert made[0] == made[1] != made[2]
    assert len(set(made[0])) > 150
    assert max(map(len, made[0])) <= LONGEST


def test_what_is_made_by_a_grammar_or_an_example_is_taken_often_enough() -> None:
    from tests.fuzz.targets import TARGETS

    for name, target in TARGETS.items():
        if not target.make or name.startswith("messages."):
            continue
        draw, taken = Random(1), 0
        for _ in range(100):
            with suppress(*target.allowed), warnings.catch_warnings():
                warnings.simplefilter("ignore")  # of Python, about comparisons
                target.run(target.make(draw))
                taken += 1
        assert taken >= (50 if name == "expressions" or name.startswith("importers.") else 33), name
