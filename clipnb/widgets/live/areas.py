"""Areas of the picture that are drawn by hand: they become `region` and `keep` in the YAML."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any, Literal

import ipywidgets as w
import traitlets
from PIL import Image
from pydantic import ConfigDict, Field, TypeAdapter, ValidationError

from clipnb import html
from clipnb.errors import ConfigError, shortened
from clipnb.files import write_new
from clipnb.images import to_png
from clipnb.optimise.language.config import ExperimentConfig
from clipnb.widgets.common.controls import FULL, labelled
from clipnb.widgets.common.frontend import BrowserWidget, Choice, Message, named, static, third_party_widgets_load
from clipnb.widgets.common.panel import Panel
from clipnb.widgets.live.editor import ExperimentEditor

_LARGEST_MASK = 1024  # pixels of a side that a browser may send
_TOOLS = {"off": "", "rectangle": "rectangle", "brush": "brush", "eraser": "eraser"}
_HINT = (
    "Draw on the picture, then press Use. What is kept stays as it is now; where a target counts, only its views are "
    "taken. By keys: Tab to the picture, arrows, shift with arrows, space, Enter."
)
_MISSING = (
    "Areas are drawn by hand where third-party widgets load, as in JupyterLab with anywidget. Here they are written "
    "into the YAML: keep or a target's region as [x0, y0, x1, y1] in shares of the picture, or the name of a gray one."
)
_Share = Annotated[float, Field(ge=0, le=1, allow_inf_nan=False)]
_Side = Annotated[int, Field(ge=1, le=_LARGEST_MASK)]
KEEP = -1
"""Stands for what stays, among the numbers of targets."""


class _Box(Message):
    """A rectangle, in shares of the picture."""

    model_config = ConfigDict(strict=False)  # a list stands for the rectangle
    event: Literal["box"]
    box: tuple[_Share, _Share, _Share, _Share]


class _Mask(Message):
    """What is painted; its pixels, a byte each, come beside the message."""

    event: Literal["mask"]
    width: _Side
    height: _Side


class _Nothing(Message):
    """Nothing is drawn yet."""

    event: Literal["nothing"]


_MESSAGE: TypeAdapter[_Box | _Mask | _Nothing] = TypeAdapter(_Box | _Mask | _Nothing)
Drawn = Callable[["tuple[float, ...] | Image.Image"], None]


class AreaPainter(BrowserWidget):
    """Lies over the picture in the same box, while there is a tool.

    Attributes:
        tool: "rectangle", "brush", "eraser", or "" for none.
        size: width of the brush, as a share of the longer side.
    """

    sheets = ("pictures.css",)
    tool: Any = traitlets.Unicode().tag(sync=True)
    size: Any = traitlets.Float(0.1).tag(sync=True)

    def __init__(self, panel: Panel, drawn: Drawn) -> None:
        """Call `drawn` with a rectangle in shares, or a gray picture; what it raises is shown."""
        self._drawn = drawn
        super().__init__(static("area_painter.js"))
        self.on_msg(
            lambda _, content, buffers: panel.hand_over(lambda: panel.guarded(lambda: self.receive(content, buffers)))
        )

    def receive(self, content: object, buffers: object) -> None:
        """Take what is drawn.

        Raises:
            ConfigError: nothing is, or it cannot be understood.
        """
        try:
            message = _MESSAGE.validate_python(content)
        except ValidationError:
            raise ConfigError("what is drawn cannot be understood; load the page again") from None
        if isinstance(message, _Box):
            x0, y0, x1, y1 = box = tuple(round(share, 3) for share in message.box)
            if x0 >= x1 or y0 >= y1:
                raise ConfigError("the rectangle is empty; draw it from one corner to the other")
            self._drawn(box)
        elif isinstance(message, _Mask):
            self._drawn(_picture_of(message, buffers))
        else:
            raise ConfigError("nothing is drawn yet; draw on the picture first")


def _picture_of(mask: _Mask, buffers: object) -> Image.Image:
    first = buffers[0] if isinstance(buffers, list) and len(buffers) == 1 else None
    if not isinstance(first, (bytes, memoryview)) or memoryview(first).nbytes != mask.width * mask.height:
        raise ConfigError("what is painted did not arrive whole; press Use again")
    picture = Image.frombytes("L", (mask.width, mask.height), bytes(first))
    if picture.getextrema()[1] == 0:
        raise ConfigError("nothing is painted yet; paint on the picture first")
    return picture


class Areas:
    """Chooses a tool and what an area is for, and writes what is drawn into the YAML.

    Attributes:
        painter: lies over the picture; None where such widgets do not load.
        purpose: what the area is for: `KEEP`, or the number of a target.
        use, remove: take what is drawn, or write that there is no area.
    """

    def __init__(
        self,
        panel: Panel,
        editor: ExperimentEditor,
        shown: Callable[[], Image.Image | None],
        is_made: Callable[[], bool],
        place: Callable[[str], Path],
    ) -> None:
        """Lay it out.

        Args:
            panel: that it is a part of.
            editor: whose YAML is written.
            shown: returns the picture that is shown.
            is_made: returns whether a run made it, so that it is no picture that the YAML names.
            place: returns where to write a file, by the end of its name.
        """
        self._editor, self._shown, self._is_made, self._place = editor, shown, is_made, place
        self.painter = painter = AreaPainter(panel, self._take) if third_party_widgets_load() else None
        self.tool = named(w.ToggleButtons(options=_TOOLS, style={"button_width": "auto"}), "tool to draw with")
        self.purpose = Choice(options={"what stays (keep)": KEEP}, layout=FULL)
        self.size = w.FloatSlider(0.1, min=0.01, max=0.5, step=0.01, readout_format=".0%", layout=FULL)
        self.use = panel.button("Use", "check", "write what is drawn into the YAML", self._ask_for("give"))
        self.clear = panel.button("Clear", "eraser", "draw anew", self._ask_for("clear"))
        self.remove = panel.button("No area", "times", "the whole picture, as without an area", self._remove)
        if painter is None:
            self.widget = w.VBox([w.HTML(html.caption(_MISSING))])
            return
        rows = [
            self.tool,
            labelled("what the area is for", self.purpose),
            labelled("width of the brush", self.size),
            w.HBox([self.use, self.clear, self.remove]).add_class("clipnb-row"),
            w.HTML(html.caption(_HINT)),
        ]
        self.widget = w.VBox(rows).add_class("clipnb-areas")
        panel.on_value(self.tool, lambda tool: painter.set_trait("tool", tool))
        panel.on_value(self.size, lambda size: painter.set_trait("size", size))
        self.offer(editor.config)

    def offer(self, config: ExperimentConfig | None) -> None:
        """Offer the targets of an experiment as what an area is for."""
        targets = config.targets if config is not None else ()
        names = {f"where target {n + 1} counts: {shortened(one.name, 40)}": n for n, one in enumerate(targets)}
        options = {"what stays (keep)": KEEP, **names}
        if config is not None and dict(self.purpose.options) != options:
            chosen = self.purpose.value
            self.purpose.options = options
            self.purpose.value = chosen if chosen in options.values() else KEEP

    def _ask_for(self, event: str) -> Callable[[], None]:
        def ask() -> None:
            if not self.tool.value:
                raise ConfigError("choose rectangle or brush first, and draw on the picture")
            if self.painter is not None:
                self.painter.send({"event": event})

        return ask

    def _take(self, drawn: tuple[float, ...] | Image.Image) -> None:
        """Write what is drawn, and beside it what it needs: a mask, and the picture of which something stays."""
        shown = self._shown()
        if shown is None:
            raise ConfigError("there is no picture yet; press Start, or choose one to begin with")
        self._editor.checked()
        area: object = list(drawn) if isinstance(drawn, tuple) else self._written(drawn.resize(shown.size), "mask")
        if self.purpose.value == KEEP and self._is_made():
            self._editor.write("init", value={"image": self._written(shown, "kept")})
        self._write(area)
        self.tool.value = ""

    def _remove(self) -> None:
        self._editor.checked()
        self._write(None)

    def _write(self, area: object) -> None:
        if self.purpose.value == KEEP:
            self._editor.write("keep", value=area)
        else:
            self._editor.write("targets", self.purpose.value, "region", value=area)

    def _written(self, picture: Image.Image, name: str) -> str:
        with write_new(self._place(f"-{name}.png")) as (kept, temporary):
            temporary.write_bytes(to_png(picture))
        return str(kept)
