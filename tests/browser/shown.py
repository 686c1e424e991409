"""A panel on the page, as somebody sees it: what all panels' tests press and read."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from playwright.sync_api import Locator

    from tests.browser.conftest import Notebook


@dataclass
class Shown:
    """A panel on the page, and the notebook around it."""

    notebook: Notebook
    box: Locator

    def press(self, name: str) -> None:
        self.box.get_by_role("button", name=name).click()

    def tab(self, name: str) -> None:
        self.box.get_by_role("tab", name=name).click()

    def control(self, label: str) -> Locator:
        box = self.box.locator(".clipnb-control").filter(has=self.notebook.page.get_by_text(label, exact=True))
        return box.locator("input, select")

    def says(self, words: str) -> None:
        self.box.get_by_text(words).first.wait_for()

    def until(self, expression: str) -> None:
        self.notebook.until(expression)
