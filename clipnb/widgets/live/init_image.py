"""What a picture begins with: noise, an uploaded picture, or one at a path or URL."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import ipywidgets as w
from PIL import Image

from clipnb import html
from clipnb.errors import ImageError
from clipnb.files import unused_path, write_atomically
from clipnb.images import open_image
from clipnb.widgets.common.event_loop import on_loop
from clipnb.widgets.common.upload import make_intake

_NOISE = {"mean": 0.5, "std": 0.02}


class Beginning:
    """Chooses what a picture begins with.

    Attributes:
        widget: what to put into a panel.
        upload: takes a file from the person's computer.
        place: takes a path or URL.
        noise: goes back to noise.
    """

    def __init__(
        self,
        write: Callable[[object], None],
        show: Callable[[Image.Image], None],
        guarded: Callable[[Callable[[], None]], None],
        folder: Callable[[], Path],
    ) -> None:
        """Take where choices go.

        Args:
            write: writes the experiment's `init`.
            show: shows the picture that was chosen.
            guarded: runs something and shows what goes wrong.
            folder: where uploads are kept, so that the experiment can name them.
        """
        self._write, self._show, self._guarded, self._folder = write, show, guarded, folder
        self.upload = make_intake(self._take_upload, self._refuse, lambda: None, label="Upload a picture")
        self.place = w.Text(placeholder="path or URL of a picture; Enter", continuous_update=False)
        self.place.layout = {"width": "auto", "flex": "1 1 160px"}
        self.noise = w.Button(description="Noise again", icon="random")
        self.widget = w.VBox(
            [
                w.HTML(html.caption("The next start begins with this picture instead of noise.")),
                self.upload.widget,
                w.HBox([self.place, self.noise]).add_class("clipnb-row"),
            ]
        )
        self.place.observe(on_loop(lambda change: guarded(lambda: self._use_place(change["new"].strip()))), "value")
        self.noise.on_click(on_loop(lambda _: guarded(self._use_noise)))

    def _take_upload(self, name: str, content: bytes) -> None:
        self._guarded(lambda: self._use_upload(name, content))

    def _refuse(self, said: str) -> None:
        def refuse() -> None:
            raise ImageError(said)

        self._guarded(refuse)

    def _use_upload(self, name: str, content: bytes) -> None:
        picture = open_image(content, name)
        suffix = Path(name).suffix if Path(name).suffix.lower() in Image.registered_extensions() else ".png"
        kept = unused_path(self._folder() / f"{Path(name).stem[:60] or 'upload'}{suffix}")
        with write_atomically(kept) as temporary:
            temporary.write_bytes(content)
        self._write({"image": str(kept)})
        self._show(picture)

    def _use_place(self, place: str) -> None:
        if not place:
            return
        if not place.startswith(("http://", "https://")):  # a URL is asked for when the run begins, not here
            self._show(open_image(place))
        self._write({"image": place})

    def _use_noise(self) -> None:
        self.place.value = ""
        self._write(_NOISE)
