"""One of several variants in the panel: its picture, how it is rated, and what can be done with it."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import ipywidgets as w

from clipnb import html
from clipnb.errors import printable
from clipnb.images import to_pil
from clipnb.optimise.variants import Variant, VariantStep, in_words, rates
from clipnb.widgets.common.panel import Panel
from clipnb.widgets.common.still import jpeg

WIDTH = "200px"
Act = Callable[[int], None]


class VariantCell:
    """Shows one variant.

    Attributes:
        leave: stops it, or takes it up again.
        compare: whether it is compared with another one.
        go_on: opens the live panel with it.
        widget: all of them.
    """

    def __init__(self, panel: Panel, place: int, variant: Variant, leave: Act, compare: Act, go_on: Act) -> None:
        self._label = variant.label
        self._image = w.Image(format="jpeg", layout={"width": WIDTH, "visibility": "hidden"})
        self._caption = w.HTML(html.caption(variant.label), layout={"width": WIDTH})
        self.leave = panel.button(
            "Stop", "stop", f"{variant.label}: save it and do not go on with it", partial(leave, place)
        )
        self.compare = w.ToggleButton(
            description="Compare", icon="columns", tooltip=f"{variant.label}: beside another one", disabled=True
        )
        panel.on_value(self.compare, lambda _: compare(place))
        self.go_on = panel.button(
            "Go on in the live panel", "arrow-right", f"{variant.label}: begin a live optimisation from this picture",
            partial(go_on, place), disabled=True,
        )  # fmt: skip
        row = w.HBox([self.leave, self.compare]).add_class("clipnb-row")
        self.widget = w.VBox([self._image, self._caption, row, self.go_on], layout={"width": WIDTH})
        self.widget.add_class("clipnb-variant")

    def show(self, made: VariantStep) -> None:
        """Show a step; safe from any thread."""
        self._image.value = jpeg(to_pil(made.step.image))
        self._image.layout.visibility = "visible"
        warning = made.step.statistics.verdict.warning if made.step.statistics.verdict else ""
        rated = f"{made.variant.label}: {in_words(rates(made.step))}"
        self._caption.value = html.joined([html.caption(rated), html.notice(warning)])
        self.go_on.disabled = self.compare.disabled = False

    def show_state(self, *, is_left: bool, is_best: bool, can_leave: bool, failed: Exception | None) -> None:
        """Show whether it goes on, and whether it is the best so far; safe from any thread."""
        self.leave.description, self.leave.icon = ("Resume", "play") if is_left else ("Stop", "stop")
        self.leave.disabled = not can_leave
        for css, has in {"clipnb-left-out": is_left or failed is not None, "clipnb-best": is_best}.items():
            (self.widget.add_class if has else self.widget.remove_class)(css)
        if failed is not None:
            self._caption.value = html.joined([html.caption(self._label), html.problem(printable(str(failed)))])
