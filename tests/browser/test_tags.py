"""The tag panel in JupyterLab: one notebook and kernel for all tests, a new panel for each."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from clipnb.prompts.dialects import DIALECTS
from tests.browser.shown import Shown
from tests.tags.conftest import HOSTILE, SETTLED

if TYPE_CHECKING:
    from playwright.sync_api import Locator

    from tests.browser.conftest import Notebook

pytestmark = [pytest.mark.browser, pytest.mark.slow]
Open = Callable[..., "Panel"]

PROMPTS = [
    *["a cat, fur, paws, soft light", "a dog, fur, paws, tail", "a fox, fur, tail", "a hare, fur, paws, soft light"],
    *[
        "a bridge, steel, glass",
        "a tower, steel, glass, tall",
        "a hall, glass, steel, soft light",
        "a mast, steel, tall",
    ],
]
PAINTED = """stage => {
    const canvas = stage.querySelector("canvas"), { width, height } = canvas;
    const { data } = canvas.getContext("2d").getImageData(0, 0, width, height);
    const pixel = length => Math.round(length * devicePixelRatio);
    const at = ({ x, y }) => data[4 * (pixel(y) * width + pixel(x)) + 3];
    let painted = 0;
    for (let i = 3; i < data.length; i += 4) painted += data[i] > 0;
    return [painted / (width * height), stage.names.filter(name => !at(name.at)).length];
}"""
"""Share of the canvas that holds any colour, and the number of named dots that are not painted."""


@dataclass
class Panel(Shown):
    """A panel on the page, and the notebook around it."""

    name: str = "panel"

    @property
    def stage(self) -> Locator:
        return self.box.locator(".clipnb-stage")

    @property
    def names(self) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self.stage.evaluate("stage => stage.names")
        return found

    def rest(self) -> None:
        self.box.locator(".clipnb-graph[data-state=rest]").wait_for()
        self.stage.evaluate(f"stage => ({SETTLED})(() => stage.names)")

    def click(self, tag: str, held: str | None = None) -> None:
        """Click on the dot of a tag."""
        node = self.python(f"{self.name}.session.view.node_of({tag!r})")
        at = self.stage.evaluate("(stage, node) => stage.drawing.placeOf(node)", node)
        self.stage.locator("canvas").click(position=at, modifiers=[held] if held else [])

    def fill(self, placeholder: str, text: str) -> None:
        field = self.box.get_by_placeholder(placeholder)
        field.fill(text)
        field.press("Enter")

    def python(self, expression: str) -> Any:
        return self.notebook.python(expression)


@pytest.fixture(scope="module")
def notebook(lab: Callable[[str], Notebook]) -> Notebook:
    opened = lab("tags")
    opened.page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    opened.run("import clipnb, ipywidgets")
    return opened


@pytest.fixture
def opened(notebook: Notebook) -> Iterator[Open]:
    """Open a panel; nothing outside may be asked for, and nothing go wrong on the page."""
    notebook.wrong.clear()

    def open_panel(given: str = repr(PROMPTS), *, drawn: bool = True, more: str = "") -> Panel:
        output = notebook.run(f"ipywidgets.Widget.close_all()\npanel = clipnb.tag_panel({given}){more}\npanel")
        panel = Panel(notebook, output.locator(".clipnb-tags").first)
        if drawn:
            panel.rest()
        return panel

    yield open_panel
    assert notebook.outside_requests() == []
    assert notebook.wrong == []
    assert notebook.page.evaluate("window.ran ?? null") is None


def test_the_graph_is_drawn_readable_and_at_rest(opened: Open) -> None:
    panel = opened("clipnb.load_prompts(__import__('clipnb.files').files.shipped('prompts'))")
    names = panel.names
    assert len(names) > 38
    assert [(a["text"], b["text"]) for i, a in enumerate(names) for b in names[i + 1 :] if overlap(a, b)] == []
    painted, unpainted = panel.stage.evaluate(PAINTED)
    assert (painted > 0.03, unpainted) == (True, 0)
    assert panel.box.locator(".clipnb-legend li").count() > 4
    panel.stage.evaluate("stage => { stage.names = 'not drawn again'; }")
    panel.notebook.page.wait_for_timeout(500)
    assert panel.stage.evaluate("stage => stage.names") == "not drawn again"
    for theme in ("JupyterLab Dark", "JupyterLab Light"):  # a change of looks changes sizes for a moment
        panel.notebook.page.evaluate(
            f"() => window.jupyterapp.commands.execute('apputils:change-theme', {{theme: '{theme}'}})"
        )
        panel.rest()
        assert panel.stage.evaluate(PAINTED)[0] == pytest.approx(painted, rel=0.2)


def overlap(a: dict[str, Any], b: dict[str, Any]) -> bool:
    across = a["x"] < b["x"] + b["w"] and b["x"] < a["x"] + a["w"]
    return bool(across and a["y"] < b["y"] + b["h"] and b["y"] < a["y"] + a["h"])


def test_clicks_reach_python_and_python_reaches_the_graph(opened: Open) -> None:
    panel = opened()
    panel.click("fur")
    panel.until("panel.tag == 'fur'")
    panel.says("4 times")
    panel.says("a hare, fur, paws, soft light")
    panel.click("paws", held="Control")
    panel.click("tail", held="Shift")
    panel.until("panel.selected == ['paws', 'tail']")
    panel.click("paws", held="Control")
    panel.until("panel.selected == ['tail']")
    before = panel.stage.evaluate("stage => stage.querySelector('canvas').toDataURL()")
    panel.notebook.run("panel.selected = ['glass', 'steel']; panel.tag = 'glass'; panel")
    panel.rest()
    names = {name["text"] for name in panel.names}
    assert {"glass", "steel"} <= names
    assert "paws" not in names, "only what is near the tag that is looked at keeps its name"
    assert panel.stage.evaluate("stage => stage.querySelector('canvas').toDataURL()") != before
    panel.says("glass, steel")


def test_search_and_a_prompt_of_two_tags(opened: Open) -> None:
    panel = opened()
    search = panel.box.get_by_placeholder("find a tag")
    search.press_sequentially("PA")
    panel.box.locator(".clipnb-rows button.clipnb-name:visible").get_by_text("paws").wait_for()
    search.press("Enter")
    panel.until("panel.tag == 'paws'")
    search.fill("no such tag")
    panel.says("No tag of the graph holds this.")
    search.fill("")
    panel.press("Add to the prompt")
    panel.fill("add a tag", "glass")
    panel.until("panel.prompt == 'paws, glass'")
    panel.fill("subject", "a lighthouse")
    panel.box.locator(".clipnb-chip").nth(1).get_by_title("move before").click()
    panel.until("panel.prompt == 'a lighthouse, glass, paws'")
    panel.box.locator(".clipnb-offers button").first.click()
    panel.until("len(panel.selected) == 3")
    panel.box.get_by_title("take glass out of the prompt").click()
    panel.until("'glass' not in panel.selected and panel.selected[0] == 'paws'")
    text, prompt = panel.box.locator(".clipnb-prompt textarea"), panel.python("panel.prompt")
    panel.holds(text, prompt)
    panel.copy()
    assert panel.notebook.page.evaluate("navigator.clipboard.readText()") == prompt
    text.fill("a whale; fur; new tag")
    text.blur()
    panel.until("panel.prompt == 'a whale, fur, new tag' and panel.selected == ['fur', 'new tag']")


def test_files_are_written_and_never_over_others(opened: Open, tmp_path: Path) -> None:
    panel = opened()
    panel.tab("Save")
    panel.box.get_by_label("folder").fill(str(tmp_path))
    forms = {"Graph as JSON": "json", "Page": "html", "Picture": "png", "GraphML": "graphml", "Counts as CSV": "csv"}
    for label, form in forms.items():
        panel.press(label)
        panel.says(f"saved {tmp_path / 'tags'}.{form}")
    panel.press("Counts as CSV")
    panel.says("tags-1.csv")
    assert {path.name for path in tmp_path.iterdir()} == {*(f"tags.{form}" for form in forms.values()), "tags-1.csv"}
    assert len(json.loads((tmp_path / "tags.json").read_text())["nodes"]) == 7
    assert (tmp_path / "tags-1.csv").read_text().splitlines()[1].startswith("fur,4,")
    with panel.notebook.page.expect_download() as download:
        panel.box.get_by_role("link", name="tags-1.csv").click()
    assert Path(download.value.path()).read_bytes() == (tmp_path / "tags.csv").read_bytes()
    (tmp_path / "file").write_text("")
    panel.box.get_by_label("folder").fill(str(tmp_path / "file"))
    panel.press("Page")
    panel.says("cannot write")


def test_prompts_are_chosen_in_the_panel_and_mistakes_told(opened: Open, tmp_path: Path) -> None:
    panel = opened("", drawn=False)
    panel.says("No prompts yet")
    panel.press("Use these lines")
    panel.says("there are no lines to use")
    panel.fill("file, folder or glob", str(tmp_path / "missing"))
    panel.says("no such file or folder")
    (tmp_path / "picture.txt").write_bytes(b"\x89PNG\0\0")
    panel.fill("file, folder or glob", str(tmp_path / "picture.txt"))
    panel.says("picture.txt is no text")
    panel.box.locator(".clipnb-choosing textarea").fill("a cat\na dog")
    panel.press("Use these lines")
    panel.says("no tag in them")
    panel.control("a line holds").select_option("tags only")
    panel.rest()
    panel.until("len(panel.session.view.graph) == 2")
    panel.control("prompts are written").select_option(f"tags: {DIALECTS['tags'].title}")
    panel.says("Written as tags")
    panel.until("panel.session.view.counts.dialect == 'tags' and panel.inputs.head.disabled")
    panel.control("prompts are written").select_option("auto: find out")
    panel.control("a line holds").select_option("tags only")
    panel.until("panel.session.view.counts.dialect == 'plain'")
    hostile = "<img src=x onerror=window.ran=9>"
    (tmp_path / f"{hostile}.txt").write_text(f"{hostile}, fur\nfur, paws\n")
    (tmp_path / "more.jsonl").write_text('{"prompt": "tail, fur"}\n')
    with panel.notebook.page.expect_file_chooser() as chooser:
        panel.box.get_by_role("button", name="Upload files").click()
    chooser.value.set_files([str(tmp_path / f"{hostile}.txt"), str(tmp_path / "more.jsonl")])
    panel.says("3 prompts from 2 files")
    panel.until("len(panel.session.view.graph) == 4")
    with panel.notebook.page.expect_file_chooser() as chooser:
        panel.box.get_by_role("button", name="Upload files").click()
    (tmp_path / "keyless.jsonl").write_text('{"<b>": "a"}\n')
    chooser.value.set_files([str(tmp_path / "more.jsonl"), str(tmp_path / "keyless.jsonl")])
    panel.box.locator("summary", has_text="1 skipped").click()
    panel.says("keyless.jsonl: no column")
    with panel.notebook.page.expect_file_chooser() as chooser:
        panel.box.get_by_role("button", name="Upload files").click()
    (tmp_path / f"{hostile}.doc").write_text("x")
    chooser.value.set_files(str(tmp_path / f"{hostile}.doc"))
    panel.says(f"cannot read prompts from {hostile}.doc")


def test_thresholds_change_the_graph_until_nothing_is_left(opened: Open) -> None:
    panel = opened()
    panel.tab("Graph")
    panel.control("weight of a pair").select_option("npmi")
    panel.control("pairs kept").select_option("that stand out")
    panel.until("panel.session.view.graph.weight == 'npmi' and panel.session.settings.backbone == 0.2")
    least = panel.control("least count of a tag")
    least.fill("4")
    least.press("Enter")
    panel.until("len(panel.session.view.graph) == 2")
    least.fill("99")
    least.press("Enter")
    panel.says("No tag is left: even the most frequent one, fur, occurs 4 times")
    panel.stage.wait_for(state="detached")
    least.fill("1")
    least.press("Enter")
    panel.rest()
    assert panel.stage.evaluate(PAINTED)[1] == 0


def test_hostile_tags_are_shown_and_never_run(opened: Open) -> None:
    prompts = [f"x; {tag}; {other}; plain" for tag in HOSTILE for other in (*HOSTILE[:3], "tag")]
    panel = opened(ascii(prompts))
    box = panel.stage.bounding_box()
    assert box
    for x in range(60, int(box["width"]), 40):
        panel.notebook.page.mouse.move(box["x"] + x, box["y"] + box["height"] / 2)
    search = panel.box.get_by_placeholder("find a tag")
    for text in ("<script>window", "</script>", "<img src=x", "href <a", "javascript:"):
        search.fill(text)
        panel.box.locator(".clipnb-rows button.clipnb-name:visible").filter(has_text=text).first.wait_for()
        search.press("Enter")
        panel.box.locator(".clipnb-tag").filter(has_text=text).first.wait_for()
        search.fill("")
        panel.press("Add to the prompt")
        panel.box.locator(".clipnb-chip").filter(has_text=text).first.wait_for()
    panel.fill("add a tag", "<img src=x onerror=window.ran=10>")
    panel.fill("subject", "<script>window.ran=11</script>")
    panel.until("len(panel.selected) == 6 and panel.prompt.startswith('<script>window.ran=11')")
    panel.press("<img src=x onerror=window.ran=10>")
    panel.says("no tag '<img src=x onerror=window.ran=10>' in the graph")
    assert panel.box.locator("img, script, a[href^=javascript]").count() == 0


def test_two_panels_and_the_page_loaded_again(opened: Open, notebook: Notebook) -> None:
    opened(more="; second = clipnb.tag_panel(['x, one, two', 'y, two, three'], max_nodes=2)")
    output = notebook.run("display(panel, second)")
    first, second = (
        Panel(notebook, output.locator(".clipnb-tags").nth(n), name) for n, name in ((0, "panel"), (1, "second"))
    )
    first.rest()
    second.rest()
    second.click("two", held="Control")
    notebook.until("second.selected == ['two'] and panel.selected == []")
    first.click("fur")
    notebook.until("panel.tag == 'fur' and second.tag == ''")
    output.locator("img[src^='data:image/png']").nth(1).wait_for(state="attached")
    saved = notebook.save()
    notebook.open()
    again = Panel(notebook, notebook.page.locator(".clipnb-tags").first)
    again.rest()
    again.says("4 times")
    again.click("steel", held="Control")
    notebook.until("panel.selected == ['steel']")
    assert len(json.dumps(saved)) < 1_000_000
    pictures = [out for out in saved["cells"][0]["outputs"] if "image/png" in out.get("data", {})]
    assert len(pictures) == 2
    assert notebook.page.locator(".jp-RenderedImage:visible").count() == 0, "the still pictures wait behind the panels"


def test_a_page_in_a_frame_where_no_such_widget_loads(opened: Open) -> None:
    panel = opened(f"{[*PROMPTS, 'x, <script>parent.ran=12</script>, fur']}, live_graph=False", drawn=False)
    frame = panel.box.frame_locator("iframe[sandbox^='allow-scripts']")
    frame.locator("body[data-state=rest]").wait_for()
    assert frame.locator("body").evaluate("() => namesDrawn.length") == 8
    panel.box.get_by_placeholder("find a tag").fill("glas")
    panel.box.get_by_title("add to the prompt").first.click()
    panel.until("panel.prompt == 'glass'")
    panel.fill("add a tag", "FUR")
    panel.until("panel.prompt == 'glass, fur'")


def test_a_prompt_goes_to_a_live_panel(opened: Open) -> None:
    panel = opened(more="; live = clipnb.live('x'); clipnb.connect(panel, live)")
    panel.press("Send prompt to live panel")
    panel.says("there is no prompt to send yet")
    panel.fill("subject", "a cat")
    panel.click("fur", held="Control")
    panel.until("panel.prompt == 'a cat, fur'")
    panel.press("Send prompt to live panel")
    panel.until("live.text == 'a cat, fur'")
    wide = panel.stage.bounding_box()
    output = panel.notebook.run("display(panel, live)")
    both = Panel(panel.notebook, output.locator(".clipnb-tags"))
    both.rest()
    output.locator(".clipnb-live").wait_for()
    assert both.stage.bounding_box()["width"] == pytest.approx(wide["width"], abs=20), (
        "no panel's looks reach another's"
    )
    assert both.stage.evaluate(PAINTED)[0] > 0.01
