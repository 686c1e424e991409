"""What may stand in place of prompts or of a graph in every public function, and what is refused in words."""

from __future__ import annotations

import logging
from collections.abc import Callable
from pathlib import Path
from typing import Any

import networkx as nx
import numpy as np
import pandas as pd
import pytest

import clipnb
from clipnb.errors import TagsError
from clipnb.prompts.records import Prompt
from clipnb.tags.counting.counts import TagCounts
from clipnb.tags.counting.hints import head_hint, why_no_tags
from clipnb.tags.forms.text import node_link
from clipnb.tags.graph import build_graph

PROMPTS = ["a cat, fur, paws", "a dog, fur, paws", "a fox, fur", "a tower, steel"]
OF_COUNTS: dict[str, Callable[[Any], Any]] = {
    "build_graph": lambda given: nx.to_dict_of_dicts(clipnb.build_graph(given).to_networkx()),
    "compare": lambda given: clipnb.compare(given, ["x, steel"]).to_dict(),
    "compare second": lambda given: clipnb.compare(["x, steel"], given).to_dict(),
    "plot_counts": lambda given: clipnb.plot_counts(given).to_dict(),
    "export_counts": lambda given: clipnb.export_counts(given, "counts.csv").read_text(),
}
OF_GRAPHS: dict[str, Callable[[Any], Any]] = {
    "adjacency": lambda given: clipnb.adjacency(given).to_dict(),
    "add_contained": lambda given: nx.to_dict_of_dicts(clipnb.add_contained(given).to_networkx()),
    "add_meaning": lambda given: nx.to_dict_of_dicts(clipnb.add_meaning(given, np.eye(3)).to_networkx()),
    "backbone": lambda given: nx.to_dict_of_dicts(clipnb.backbone(given).to_networkx()),
    "centralities": lambda given: clipnb.centralities(given).to_dict(),
    "communities": lambda given: clipnb.communities(given),
    "export_graph": lambda given: clipnb.export_graph(given, "graph.json").read_text(),
    "export_web": lambda given: clipnb.export_web(given, "web").read_text(),
    "graph_page": lambda given: clipnb.graph_page(given),
    "neighbours": lambda given: clipnb.neighbours(given, "fur").to_dict(),
    "node_link": lambda given: node_link(given),
    "plot_adjacency": lambda given: clipnb.plot_adjacency(given).to_json(),
    "plot_graph": lambda given: len(clipnb.plot_graph(given).axes[0].texts),
    "show_graph": lambda given: clipnb.show_graph(given).html,
    "suggest": lambda given: clipnb.suggest(given, "fur").to_dict(),
}
FUNCTIONS = OF_COUNTS | OF_GRAPHS


@pytest.fixture(autouse=True)
def _in_a_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


@pytest.mark.parametrize("name", FUNCTIONS)
def test_prompts_and_counts_do_as_well_as_what_is_made_of_them(name: str) -> None:
    function = FUNCTIONS[name]
    expected = function(TagCounts(PROMPTS) if name in OF_COUNTS else build_graph(PROMPTS))
    assert function(PROMPTS) == expected
    assert function(TagCounts(PROMPTS)) == expected
    assert function(prompt for prompt in PROMPTS) == expected


@pytest.mark.parametrize("name", FUNCTIONS)
@pytest.mark.parametrize(
    ("given", "words"),
    [
        ("prompts", "not one text: 'prompts'"),
        (Path("prompts"), "read_prompts"),
        (["prompts"], "'prompts' is a path and no prompt; to read files, give read_prompts"),
        ([Path("missing")], "is a path"),
        (["missing.txt", "more.csv.gz"], "is a path"),
        (None, "NoneType"),
        (3, "this is 3"),
        (b"a, b", "bytes"),
        ({"a": 1}, "dict"),
        ([3], "among these is 3"),
        (["x, a", None], "among these is None; leave empty cells out"),
        (["x, a", float("nan")], "among these is nan"),
        (pd.DataFrame({"prompt": PROMPTS}), r"table\['prompt'\]"),
    ],
    ids=lambda value: type(value).__name__,
)
def test_what_is_no_prompts_is_refused_in_words(name: str, given: Any, words: str) -> None:
    Path("prompts").mkdir()
    with pytest.raises(TagsError, match=words):
        FUNCTIONS[name](given)


@pytest.mark.parametrize("name", OF_COUNTS)
def test_a_graph_is_no_counts(name: str) -> None:
    with pytest.raises(TagsError, match="this is a graph"):
        OF_COUNTS[name](build_graph(PROMPTS))


def test_records_and_columns_and_caption_sets_are_prompts(tmp_path: Path) -> None:
    expected = TagCounts(PROMPTS).most_common()
    assert TagCounts(Prompt(text) for text in PROMPTS).most_common() == expected
    assert TagCounts(pd.Series(PROMPTS)).most_common() == expected
    for number, text in enumerate(PROMPTS):
        (tmp_path / f"{number}.png").touch()
        (tmp_path / f"{number}.txt").write_text(text)
    from clipnb.prompts.caption_set import CaptionSet

    assert TagCounts(CaptionSet(tmp_path)).most_common() == expected


def test_one_word_that_is_a_file_among_prompts_is_a_prompt(tmp_path: Path) -> None:
    (tmp_path / "cat").touch()
    assert TagCounts(["cat", "a dog, fur"], head=False).most_common() == [("cat", 1), ("a dog", 1), ("fur", 1)]


@pytest.mark.parametrize(
    ("prompts", "words"),
    [([], "there are no prompts"), (["a cat"], "1 prompt has no tag"), (["cat", "dog", ""], "none of 3 prompts has")],
)
def test_no_tags_are_told(prompts: list[str], words: str, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING, logger="clipnb"):
        assert len(build_graph(prompts)) == 0
    assert words in caplog.text
    assert ("head=False (--tags-only)" in caplog.text) == bool(prompts)
    assert "head=False" not in why_no_tags(TagCounts(prompts, head=False))


def test_a_trigger_word_that_is_taken_for_a_subject_is_told() -> None:
    captions = ["sks, girl, hat", "sks, boy", "SKS, hat, girl", "dog"]
    assert head_hint(TagCounts(captions)).startswith("75% of 4 prompts begin with 'sks', which is taken for their sub")
    assert head_hint(TagCounts(captions, head=False)) == ""


def test_first_tags_that_others_have_further_on_are_told() -> None:
    assert "begin with what is a tag in others" in head_hint(TagCounts(["a, b, c", "b, c, a", "c, a, b"]))


@pytest.mark.parametrize("prompts", [PROMPTS, ["x, a", "x, b"], [], [", a", ", b", ", c"]])
def test_ordinary_subjects_give_no_hint(prompts: list[str]) -> None:
    assert head_hint(TagCounts(prompts)) == ""
