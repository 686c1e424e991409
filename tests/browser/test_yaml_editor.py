"""The editor for YAML in JupyterLab: typing while a run shows frames, completion, marks, help, values, curves."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest

from tests.browser.shown import Shown
from tests.browser.test_live import INDEX, SLOWLY

if TYPE_CHECKING:
    from tests.browser.conftest import Notebook

pytestmark = [pytest.mark.browser, pytest.mark.slow]

YAML = """\
epochs: 101
resolution: 32
learnrate: 1 - .9 * t2
targets:
  - features:
      - text: a red circle
        weight: t
    transforms:
      - noise: .1 t ti
"""
LONG = YAML.replace("epochs: 101", "epochs: 100000")
BRACED = """\
epochs: 101
resolution: [32 + 0 * t, 32]
targets:
  - {features: [{text: 'a red, red circle', weight: 1 - .9 * t2},
      {text: a blue circle}],
     transforms: [noise: {std: .1}]}
"""
TOLD_STEP = "Number(/in step (\\d+) of/.exec(document.querySelector('.clipnb-curve')?.textContent)?.[1] ?? 0)"
DOT = "Number(document.querySelector('.clipnb-curve circle').getAttribute('cx'))"
REFUSE_CLIPBOARD = (
    "Object.defineProperty(navigator.clipboard, 'writeText', {configurable: true, value: () => Promise.reject()})"
)
BROKEN = """
import os
def broken(pixels):
    raise ZeroDivisionError(os.path.expanduser("~/broken.png"))
encoder.encode_image = broken
"""


@dataclass
class Panel(Shown):
    """The live panel on the page, and the notebook around it."""

    @property
    def text(self) -> str:
        return str(self.notebook.python("panel.editor.yaml.value"))

    def end_of(self, words: str) -> None:
        """Put the cursor behind some words of the text."""
        line = self.box.locator(".cm-line").filter(has_text=words).first
        box = line.bounding_box()
        assert box is not None
        self.notebook.page.mouse.click(box["x"] + box["width"] - 2, box["y"] + box["height"] / 2)
        self.notebook.page.keyboard.press("End")

    def place_of(self, words: str) -> tuple[float, float]:
        """Return where on the page some words of the text begin, in pixels."""
        found = self.box.locator(".cm-content").evaluate(
            """(content, words) => {
            const line = [...content.querySelectorAll('.cm-line')].find(one => one.textContent.includes(words));
            const walk = document.createTreeWalker(line, NodeFilter.SHOW_TEXT);
            let rest = line.textContent.indexOf(words), node = walk.nextNode();
            for (; rest >= node.length; node = walk.nextNode()) rest -= node.length;
            const range = document.createRange();
            range.setStart(node, rest);
            range.setEnd(node, rest + 1);
            const box = range.getBoundingClientRect();
            return [box.left + box.width / 2, box.top + box.height / 2]; }""",
            words,
        )
        return float(found[0]), float(found[1])

    def point_at(self, words: str) -> None:
        """Move the mouse over some words, away first from what it pointed at, whose box may cover them."""
        self.notebook.page.mouse.move(5, 5)
        self.notebook.page.locator(".cm-tooltip-hover").first.wait_for(state="detached")
        self.notebook.page.mouse.move(*self.place_of(words))

    def tooltip(self, words: str) -> None:
        self.notebook.page.locator(".cm-tooltip").get_by_text(words).first.wait_for()


@pytest.fixture(scope="module")
def notebook(lab: Callable[[str], Notebook], tiny_clip: str) -> Notebook:
    opened = lab("yaml_editor")
    opened.run(f"import clipnb, ipywidgets\nencoder = clipnb.load_model({tiny_clip!r}, 'cpu')\n{SLOWLY}")
    return opened


@pytest.fixture
def panel(notebook: Notebook, request: pytest.FixtureRequest) -> Iterator[Panel]:
    notebook.wrong.clear()
    text = getattr(request, "param", YAML)
    output = notebook.run(f"ipywidgets.Widget.close_all()\npanel = clipnb.live({text!r}, encoder=encoder)\npanel")
    box = output.locator(".clipnb-live")
    box.locator(".cm-content").wait_for()
    yield Panel(notebook, box)
    notebook.run("panel.session.stop()")
    notebook.until("not panel.session.is_on")
    assert notebook.outside_requests() == []
    assert notebook.wrong == []


def test_a_mistake_is_marked_at_its_line_while_typing(panel: Panel) -> None:
    panel.end_of("epochs: 101")
    panel.notebook.page.keyboard.press("Enter")
    panel.notebook.page.keyboard.type("learnrat: 2", delay=20)
    panel.box.locator(".cm-line", has_text="learnrat: 2").locator(".cm-lintRange-error").wait_for()
    panel.says("nearest: learnrate")
    panel.point_at("learnrat: 2")
    panel.tooltip("unknown key 'learnrat'; nearest: learnrate")
    panel.write_yaml(YAML)
    panel.box.locator(".cm-lintRange-error").first.wait_for(state="detached")
    panel.write_yaml(YAML.replace("    transforms:\n", "  transforms:\n"))
    panel.box.locator(".cm-line", has_text="transforms").locator(".cm-lintRange-error").wait_for()
    panel.says("'transforms' belongs inside the target above: indent it by two")


def test_keys_transforms_and_values_are_completed(panel: Panel) -> None:
    page = panel.notebook.page
    panel.end_of("noise")
    page.keyboard.press("Enter")
    page.keyboard.type("- random_ro")
    page.locator(".cm-tooltip-autocomplete li", has_text="random_rotate").wait_for()
    page.locator(".cm-completionInfo").wait_for()
    page.wait_for_timeout(150)  # a list that has just opened takes no key
    page.keyboard.press("Enter")
    panel.until("'      - random_rotate: ' in panel.editor.yaml.value")
    panel.end_of("epochs: 101")
    page.keyboard.press("Enter")
    page.keyboard.type("interp")
    page.locator(".cm-tooltip-autocomplete li", has_text="interpolation").wait_for()
    page.wait_for_timeout(150)
    page.keyboard.press("Enter")
    page.locator(".cm-tooltip-autocomplete li", has_text="nearest").wait_for()
    page.wait_for_timeout(150)
    page.keyboard.press("Enter")
    panel.until("'interpolation: cubic' in panel.editor.yaml.value")


def test_help_values_and_curves(panel: Panel) -> None:
    page = panel.notebook.page
    panel.point_at("resolution")
    panel.tooltip("width height in pixels")
    panel.point_at(".9 * t2")
    panel.tooltip("1 - .9 * t2 is 1 in the first step")
    panel.press("Step")
    panel.until(f"{INDEX} == 0")
    panel.point_at("epochs")
    panel.tooltip("optimisation steps")
    page.mouse.click(*panel.place_of("t ti"))
    panel.tooltip(".1 t ti is 0.1 0 1 now, in step 1 of 101")
    assert page.locator(".clipnb-curve svg polyline").count() == 3
    page.keyboard.press("Escape")
    page.locator(".clipnb-curve").wait_for(state="detached")
    page.keyboard.press("Control+i")
    panel.tooltip("0.1 0 1 now")


@pytest.mark.parametrize("panel", [LONG], indirect=True)
def test_typing_while_a_run_shows_frames_loses_no_key_and_ctrl_enter_applies(panel: Panel) -> None:
    page = panel.notebook.page
    panel.press("Start")
    panel.until(f"{INDEX} >= 3")
    panel.end_of("weight: t")
    page.keyboard.press("Enter")
    words = "loss: l1 # and this is typed while frames come in"
    page.keyboard.type(words, delay=60)
    page.locator(".cm-line", has_text=words).wait_for()
    page.keyboard.press("Control+Enter")
    panel.until("panel.session._engine.optimisation.config.targets[0].features[0].loss == 'l1'")
    assert words in panel.text


def test_tab_indents_and_escape_then_tab_leaves(panel: Panel) -> None:
    page = panel.notebook.page
    panel.end_of("resolution: 32")
    page.keyboard.press("Tab")
    panel.until("'  resolution: 32' in panel.editor.yaml.value")
    page.keyboard.press("Control+z")
    panel.until(f"panel.editor.yaml.value == {YAML!r}")
    page.keyboard.press("Escape")
    page.keyboard.press("Tab")
    assert not page.evaluate("() => document.activeElement.classList.contains('cm-content')")


def test_a_control_changes_the_text_and_undo_takes_it_back(panel: Panel) -> None:
    steps = panel.control("steps")
    steps.fill("77")
    steps.press("Enter")
    panel.box.locator(".cm-line", has_text="epochs: 77").wait_for()
    panel.end_of("epochs: 77")
    panel.notebook.page.keyboard.press("Control+z")
    panel.until("'epochs: 101' in panel.editor.yaml.value")


def test_a_megabyte_that_is_no_yaml_is_refused_and_typing_goes_on(panel: Panel) -> None:
    panel.write_yaml("{ what is this: [ \n" * 52_000)
    panel.says("is no YAML")
    panel.write_yaml("resolution: 31\n" + YAML.replace("resolution: 32\n", ""))
    panel.until("panel.editor.config is not None and panel.editor.config.resolution == (31, 31)")


def test_a_mistake_in_every_line_gives_few_marks(panel: Panel) -> None:
    panel.write_yaml("".join(f"wrong{number}: 1\n" for number in range(3000)))
    panel.says("more mistakes")
    assert 1 <= panel.notebook.python("len(panel.editor.yaml.marks)") <= 40


def test_keys_and_words_are_completed_inside_braces_and_brackets(panel: Panel) -> None:
    page = panel.notebook.page
    for begin, typed, offered, written in (
        ("targets:\n  - features: [{text: 'a, cat', ", "los", "loss", "loss: "),
        ("targets:\n  - features: [{text: a cat, loss: ", "cos", "cosine", "loss: cosine"),
        ("targets:\n  - transforms: [gray, ", "random_ro", "random_rotate", ", random_rotate: "),
        ("targets:\n  - transforms:\n    - random_rotate: {", "deg", "degree", "{degree: "),
        ("targets: [\n  {features: [\n    {text: a cat},\n    {", "wei", "weight", "    {weight: "),
        ("models: [auto, ", "lit", "lite2", "auto, lite2"),
    ):
        panel.write_yaml(begin)
        page.keyboard.press("ControlOrMeta+End")
        page.keyboard.type(typed)
        page.locator(".cm-tooltip-autocomplete li", has_text=offered).first.wait_for()
        page.wait_for_timeout(150)  # a list that has just opened takes no key
        page.locator(".cm-tooltip-autocomplete li", has_text=offered).first.click()
        panel.until(f"panel.editor.yaml.value.endswith({written!r})")
        page.keyboard.press("Escape")


@pytest.mark.parametrize("panel", [BRACED], indirect=True)
def test_help_and_values_are_told_inside_braces_and_brackets(panel: Panel) -> None:
    panel.point_at("transforms")
    panel.tooltip("from the picture to what the encoder sees")
    panel.point_at("weight")
    panel.tooltip("influence; negative: away from it")
    panel.point_at(".9 * t2")
    panel.tooltip("1 - .9 * t2 is 1 in the first step")
    panel.point_at("text: a blue")
    panel.tooltip("what should be seen")
    panel.point_at("0 * t,")
    panel.tooltip("[32 + 0 * t, 32] is 32 in the first step")
    panel.notebook.page.mouse.click(*panel.place_of("9 * t2"))
    panel.notebook.page.locator(".clipnb-curve svg polyline").wait_for()


@pytest.mark.parametrize("panel", [LONG], indirect=True)
def test_the_curve_of_an_expression_goes_on_with_the_run(panel: Panel) -> None:
    page = panel.notebook.page
    panel.press("Start")
    panel.until(f"{INDEX} >= 1")
    page.mouse.click(*panel.place_of(".9 * t2"))
    page.wait_for_function(TOLD_STEP + " > 0")
    (first, dot) = page.evaluate(TOLD_STEP), page.evaluate(DOT)
    page.wait_for_function(f"{TOLD_STEP} >= {first + 9}")
    assert page.evaluate(DOT) > dot
    panel.press("Pause")
    panel.says("paused")
    page.wait_for_function(f"{TOLD_STEP} == {panel.notebook.python(INDEX) + 1}")
    assert page.locator(".clipnb-curve").count() == 1
    page.keyboard.press("Escape")


def test_details_of_a_mistake_are_copied_without_the_home_folder(panel: Panel) -> None:
    notebook = panel.notebook
    notebook.page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    home = notebook.python("__import__('os').path.expanduser('~')")
    panel.write_yaml(f"# {home}/experiment.yaml\n{YAML}")
    panel.until(f"{home!r} in panel.editor.yaml.value")
    notebook.python(f"[exec({BROKEN!r}, get_ipython().user_ns)][:0]")
    panel.press("Start")
    panel.says("details for a report")
    notebook.python("[setattr(encoder, 'encode_image', slowly)][:0]")
    panel.box.get_by_text("details for a report").click()
    for refuse in (REFUSE_CLIPBOARD, "delete navigator.clipboard.writeText"):
        notebook.page.evaluate("navigator.clipboard.writeText('nothing')")
        notebook.page.evaluate(refuse)
        panel.press("Copy details")
        panel.says("Copied")
        notebook.page.evaluate("delete navigator.clipboard.writeText")
        copied = notebook.page.evaluate("navigator.clipboard.readText()")
        for told in ("torch 2", "python 3", "device cpu", "# ~/experiment.yaml", "epochs: 101", "~/broken.png"):
            assert told in copied
        assert "ZeroDivisionError" in copied.splitlines()[-1]
        assert home not in copied
        panel.box.get_by_role("button", name="Copy details").wait_for()
