"""Every promise of SECURITY.md names tests that are there; `pytest -m promise` runs them."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

TESTS = Path(__file__).parents[1]
PAGE = TESTS.parent / "SECURITY.md"
if not PAGE.is_file():
    pytest.skip("not a checkout", allow_module_level=True)
PROOFS = re.findall(r"^\| .+ \| `(.+\.py)::(test_\w+)` \|$", PAGE.read_text(encoding="utf-8"), re.MULTILINE)


@pytest.mark.parametrize(("file", "name"), PROOFS)
def test_a_promise_names_a_test_that_is_there(file: str, name: str) -> None:
    module = ast.parse((TESTS / file).read_text(encoding="utf-8"))
    assert name in {part.name for part in ast.walk(module) if isinstance(part, ast.FunctionDef)}


def test_promises_are_many_and_each_proof_stands_once() -> None:
    assert len(PROOFS) >= 30
    assert len(set(PROOFS)) == len(PROOFS)


def test_the_tests_of_promises_are_marked_and_no_others(request: pytest.FixtureRequest) -> None:
    here = {
        (item.path.relative_to(TESTS).as_posix(), item.originalname)
        for item in request.session.items
        if isinstance(item, pytest.Function) and item.get_closest_marker("promise")
    }
    assert here <= set(PROOFS)
