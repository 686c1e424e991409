"""The caption that a prompt begins with: made for each picture, or a person's own."""

from __future__ import annotations

import ipywidgets as w

from clipnb import html
from clipnb.interrogate.captions import COMPOSED
from clipnb.interrogate.result import Interrogation
from clipnb.widgets.common.event_loop import on_loop
from clipnb.widgets.interrogate.pictures import KeptPicture

_EMPTY = "empty: made by the captioner, or composed from labels"


class CaptionField:
    """Shows the caption that was used; what a person writes instead is used the next time.

    Attributes:
        widget: what to put into a panel.
        text: the field.
    """

    def __init__(self) -> None:
        self.text = w.Text(placeholder=_EMPTY, layout={"width": "100%"})
        self._origin = w.HTML(html.plain(_EMPTY))
        head = w.HTML("<label>caption</label>")
        self.widget = w.VBox([head, self.text, self._origin]).add_class("clipnb-control")
        self._picture: KeptPicture | None = None
        self._made: dict[KeptPicture, tuple[str, str]] = {}  # caption and where it came from
        self._own: dict[KeptPicture, str] = {}
        self.text.observe(on_loop(lambda _: self._keep()), "value")

    def look_at(self, picture: KeptPicture | None) -> None:
        """Show what is known of another picture."""
        self._picture = picture
        self._show()

    def given(self, picture: KeptPicture) -> str | None:
        """Give a person's own caption of a picture, or None."""
        return self._own.get(picture)

    def used(self, picture: KeptPicture, found: Interrogation) -> None:
        """Take note of the caption that a description used; safe from any thread."""
        if found.caption and found.caption_source != "given":
            self._made[picture] = found.caption, found.caption_source
            if picture is self._picture and picture not in self._own:
                self._show()

    def forget(self, picture: KeptPicture) -> None:
        """Forget a picture that is gone."""
        self._made.pop(picture, None)
        self._own.pop(picture, None)

    def _keep(self) -> None:
        if self._picture is None:
            return
        text, (made, _) = self.text.value.strip(), self._made.get(self._picture, ("", ""))
        if text and text != made:
            self._own[self._picture] = text
        else:
            self._own.pop(self._picture, None)
        self._say()

    def _show(self) -> None:
        made, _ = self._made.get(self._picture, ("", "")) if self._picture else ("", "")
        self.text.value = self._own.get(self._picture, made) if self._picture else ""
        self._say()

    def _say(self) -> None:
        made, source = self._made.get(self._picture, ("", "")) if self._picture else ("", "")
        if self._picture in self._own:
            said = "your own; empty the field to have one made"
        elif made and self.text.value.strip() == made:
            said = "composed from labels; edit it to use your own" if source == COMPOSED else f"by {source}"
        else:
            said = ""
        self._origin.value = html.plain(said)
