"""What a picture begins with: noise, an uploaded picture, or one at a path or URL."""

from __future__ import annotations

from pathlib import Path

import ipywidgets as w
from PIL import Image

from clipnb import html
from clipnb.files import write_new
from clipnb.images import FORMATS, is_url, open_image
from clipnb.widgets.common.panel import Panel
from clipnb.widgets.common.save_tab import SaveTab
from clipnb.widgets.common.upload import make_upload
from clipnb.widgets.live.editor import ExperimentEditor
from clipnb.widgets.live.viewer import Viewer

_NOISE: dict[str, object] = {"mean": 0.5, "std": 0.02}


class InitImage:
    """Chooses what a picture begins with."""

    def __init__(self, panel: Panel, editor: ExperimentEditor, viewer: Viewer, save_tab: SaveTab) -> None:
        """Lay it out; uploads are kept in the folder of the save tab, so that YAML can name them."""
        self._editor, self._viewer, self._save_tab = editor, viewer, save_tab
        self.upload = make_upload(panel, self._use_upload, label="Upload a picture")
        self.place = w.Text(placeholder="path or URL of a picture; Enter", continuous_update=False)
        self.place.layout.width, self.place.layout.flex = "auto", "1 1 160px"
        self.noise = panel.button("Noise again", "random", "begin with noise", self._use_noise)
        self.widget = w.VBox(
            [
                w.HTML(html.caption("The next start begins with this picture instead of noise.")),
                self.upload.widget,
                w.HBox([self.place, self.noise]).add_class("clipnb-row"),
            ]
        )
        panel.on_value(self.place, lambda place: panel.guarded(lambda: self._use_place(place.strip())))

    def _use_upload(self, name: str, content: bytes) -> None:
        picture = open_image(content, name)
        stem, suffix = Path(name).stem[:60], Path(name).suffix
        if Image.registered_extensions().get(suffix.lower()) not in FORMATS:
            suffix = ".png"
        with write_new(self._save_tab.path / f"{stem}{suffix}") as (kept, temporary):
            temporary.write_bytes(content)
        self._write({"image": str(kept)})
        self._viewer.show(picture)

    def _use_place(self, place: str) -> None:
        if not place:
            return
        if not is_url(place):  # a URL is asked for when the run begins, not here
            self._viewer.show(open_image(place))
        self._write({"image": place})

    def _use_noise(self) -> None:
        self.place.value = ""
        self._write(_NOISE)

    def _write(self, init: dict[str, object]) -> None:
        self._editor.write("init", value=init)
