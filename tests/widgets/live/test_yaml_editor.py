"""The field for YAML: messages of the editor in the browser, marks, values of expressions, and the plain text box."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import clipnb
from clipnb.optimise.language.yaml_source import MAX_BYTES
from clipnb.widgets.common.panel import Panel
from clipnb.widgets.live.panel import LivePanel
from clipnb.widgets.live.yaml_editor import MAX_MARKS, MAX_SOURCE, PlainYaml, Reactions, YamlEditor, make_yaml_field

pytest.importorskip("anywidget")
YAML = "epochs: 11\nlearnrate: 1 - .5 * t\ntargets:\n  - features: [a cat]\n"


@pytest.fixture
def panel() -> LivePanel:
    return clipnb.live(YAML, live_chart=False)


@pytest.fixture
def sent(panel: LivePanel, monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
    messages: list[dict[str, Any]] = []
    monkeypatch.setattr(panel.editor.yaml, "send", messages.append)
    return messages


def typed(text: str, event: str = "typed", number: int = 1) -> dict[str, Any]:
    return {"event": event, "page": "p", "number": number, "text": text}


def looked(**more: Any) -> dict[str, Any]:
    facts = {"event": "look", "page": "p", "number": 3, "level": "", "name": "learnrate", "source": "1 - .5 * t"}
    return {**facts, **more}


def test_what_is_typed_is_checked_marked_and_answered(panel: LivePanel, sent: list[dict[str, Any]]) -> None:
    editor = panel.editor.yaml
    checked = editor.checked
    editor.receive(typed(YAML.replace("learnrate", "learnrat"), number=7))
    assert panel.editor.config is None
    assert editor.marks == [(2, "learnrat: unknown key 'learnrat'; nearest: learnrate, learnrate_scale", "error")]
    assert editor.checked > checked
    assert sent == [{"page": "p", "number": 7}]
    editor.receive(typed(YAML))
    assert (editor.marks, panel.editor.config is not None) == ([], True)


def test_hints_are_marked_as_warnings(panel: LivePanel) -> None:
    panel.editor.yaml.receive(typed("targets:\n- features:\n  - text: 'cat'\n  - a dog #2\n"))
    ((line, words, kind),) = panel.editor.yaml.marks
    assert (line, kind) == (4, "warning")
    assert "is a comment" in words


def test_a_long_text_is_checked_beside_the_event_loop_when_nothing_more_is_typed() -> None:
    long = "models:\n" + "".join(f"- a{number}\n" for number in range(3000))

    async def run() -> None:
        panel = clipnb.live(YAML, live_chart=False)
        editor, changes = panel.editor.yaml, []
        editor.observe(lambda change: changes.append(editor.value[-10:]), "checked")
        for text in (long, f"{long}epochs: 12\n", f"{long}wrong: 1\n"):
            editor.receive(typed(text))
        assert not changes
        assert "characters: checked when you pause" in panel.editor.problem.value
        while not changes:
            await asyncio.sleep(0.01)
        assert changes == ["\nwrong: 1\n"], "the newest alone"
        assert editor.marks[0][:1] == (3002,)
        assert "unknown key" in panel.editor.problem.value
        editor.receive(typed(f"{long}epochs: 14\n"))
        assert panel.editor.checked().epochs == 14, "who needs it at once gets it"
        editor.receive(typed(YAML))
        assert len(changes) == 3

    asyncio.run(run())


def test_a_mistake_without_a_line_is_marked_in_the_first(panel: LivePanel) -> None:
    panel.editor.yaml.receive(typed("just words"))
    assert panel.editor.yaml.marks[0][0] == 1


def test_marks_are_few_however_many_mistakes(panel: LivePanel) -> None:
    panel.editor.yaml.receive(typed("".join(f"wrong{number}: 1\n" for number in range(3000))))
    assert 1 < len(panel.editor.yaml.marks) <= MAX_MARKS


def test_keys_apply_or_tell_that_no_run_is_on(panel: LivePanel) -> None:
    panel.editor.yaml.receive(typed(YAML, "apply"))
    assert "no run is on" in panel.message.value
    panel.editor.yaml.receive(typed("epochs: [", "apply"))
    assert "mend it first" in panel.message.value


def test_an_expression_is_told_and_drawn(panel: LivePanel, sent: list[dict[str, Any]]) -> None:
    panel.editor.yaml.receive(looked())
    (answer,) = sent
    assert answer["words"] == "1 - .5 * t is 1 in the first step"
    assert (answer["page"], answer["number"], answer["now"]) == ("p", 3, 0)
    assert answer["steps"] == list(range(11))
    assert answer["curves"] == [pytest.approx([1 - 0.05 * step for step in range(11)])]


def test_what_is_told_again_while_a_run_goes_on_has_no_curve(panel: LivePanel, sent: list[dict[str, Any]]) -> None:
    panel.editor.yaml.receive(looked(draws=False))
    (answer,) = sent
    assert (answer["words"], answer["steps"], answer["curves"]) == ("1 - .5 * t is 1 in the first step", [], [])


def test_the_editor_is_told_of_the_step_that_is_shown(tiny_clip: str) -> None:
    encoder, seen = clipnb.load_model(tiny_clip, "cpu"), []

    async def run() -> None:
        panel = clipnb.live(YAML + "resolution: 32\n", encoder=encoder, in_thread=False, live_chart=False)
        seen.append(panel.editor.yaml.step)
        panel.editor.yaml.observe(lambda change: seen.append(change["new"]), "step")
        panel.start()
        await panel.finished()

    asyncio.run(run())
    assert (seen[0], seen[-1], seen) == (-1, 10, sorted(seen))


def test_values_are_told_while_the_text_has_a_mistake(panel: LivePanel, sent: list[dict[str, Any]]) -> None:
    panel.editor.yaml.receive(typed(YAML + "wrong: 1\n"))
    panel.editor.yaml.receive(looked())
    assert sent[-1]["steps"][-1] == 10, "of the newest experiment without a mistake"


@pytest.mark.parametrize(
    "message",
    [
        None,
        "typed",
        {},
        typed("a") | {"more": 1},
        typed("a") | {"text": 5},
        typed("a", "run"),
        typed("a", number=-1),
        typed("a") | {"number": True},
        typed("a") | {"page": "p" * 65},
        typed("a" * (MAX_BYTES + 1)),
        looked(source="t" * (MAX_SOURCE + 1)),
        looked(level=["targets"]),
        looked(level="x" * 201),
        looked(name=None),
        looked(draws="no"),
    ],
    ids=lambda message: repr(message)[:50],
)
def test_a_message_that_is_none_is_ignored(panel: LivePanel, sent: list[dict[str, Any]], message: object) -> None:
    panel.editor.yaml.receive(message)
    assert (panel.editor.yaml.value, sent) == (YAML, [])


@given(st.text("0123456789.tiw*+-/()[], ,a", max_size=60), st.sampled_from(["", "targets[]", "targets[].transforms[]"]))
def test_any_source_is_answered(source: str, level: str) -> None:
    told: list[Any] = []
    panel = Panel()
    editor = YamlEditor(panel, "", Reactions(lambda: None, clipnb.live(YAML, live_chart=False).editor._look))
    editor.send = told.append
    for name in ("learnrate", "weight", "noise"):
        editor.receive(looked(source=source, level=level, name=name))
    assert len(told) == 3
    assert panel.message.value == ""


def test_nothing_that_a_browser_sets_stays(panel: LivePanel) -> None:
    editor = panel.editor.yaml
    before = {name: getattr(editor, name) for name in ("value", "marks", "language", "step", "longest", "library")}
    editor.set_state({"value": "<b>", "marks": [], "language": {}, "step": 3, "longest": 2**60, "library": "x"})
    assert {name: getattr(editor, name) for name in before} == before


def test_the_text_box_stays_where_widgets_of_others_do_not_load() -> None:
    box = make_yaml_field(Panel(), YAML, Reactions(lambda: None, lambda *_: None), live=False)
    assert isinstance(box, PlainYaml)
    box.show("YAML, line 1: a mistake")
    assert box.value == YAML
