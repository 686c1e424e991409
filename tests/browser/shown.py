"""A panel on the page, as somebody sees it: what all panels' tests press and read."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tests.browser.conftest import PATIENCE

if TYPE_CHECKING:
    from playwright.sync_api import Locator

    from tests.browser.conftest import Notebook

PASTE = """(editor, text) => {
    const clipboardData = new DataTransfer();
    clipboardData.setData("text/plain", text);
    editor.dispatchEvent(new ClipboardEvent("paste", { clipboardData, bubbles: true, cancelable: true })); }"""

NOTE_COPIED = """box => {
    window.copied = false;
    new MutationObserver((_, observer) => {
        if (!box.textContent.includes("Copied")) return;
        window.copied = true;
        observer.disconnect();
    }).observe(box, { childList: true, characterData: true, subtree: true }); }"""


@dataclass
class Shown:
    """A panel on the page, and the notebook around it."""

    notebook: Notebook
    box: Locator

    def press(self, name: str) -> None:
        self.box.get_by_role("button", name=name).first.click()  # films have a Stop of their own, further down

    def copy(self) -> None:
        """Press Copy, and wait until it has said that it did, which a busy machine could miss: it says so briefly."""
        self.box.evaluate(NOTE_COPIED)
        self.press("Copy")
        self.notebook.page.wait_for_function("() => window.copied")

    def tab(self, name: str) -> None:
        self.box.get_by_role("tab", name=name).click()

    def control(self, label: str) -> Locator:
        box = self.box.locator(".clipnb-control").filter(has=self.notebook.page.get_by_text(label, exact=True))
        return box.locator("input, select")

    def holds(self, field: Locator, text: str | re.Pattern[str]) -> None:
        """Wait until a field holds a text, which the page gets some time after Python has it."""
        from playwright.sync_api import expect

        expect(field).to_have_value(text, timeout=1000 * PATIENCE)

    def write_yaml(self, text: str) -> None:
        """Paste this in place of the whole text in the editor for YAML."""
        self.box.locator(".cm-content").click()
        self.notebook.page.keyboard.press("ControlOrMeta+a")
        self.box.locator(".cm-content").evaluate(PASTE, text)

    def says(self, words: str) -> None:
        self.box.get_by_text(words).first.wait_for()

    def enabled(self, name: str) -> None:
        """Wait until a button may be pressed: until then, keys could go to one that is just being disabled."""
        from playwright.sync_api import expect

        expect(self.box.get_by_role("button", name=name).first).to_be_enabled(timeout=1000 * PATIENCE)

    def until(self, expression: str) -> None:
        self.notebook.until(expression)
