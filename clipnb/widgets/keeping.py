"""What stays of a run: pictures with their YAML, and a film, in files and as downloads."""

from __future__ import annotations

import re
import threading
from collections.abc import Callable
from pathlib import Path

import ipywidgets as w

from clipnb.widgets import words

_LARGEST_LINK = 16 * 2**20  # bytes; a larger file is named, but not carried in a link


class Keeping:
    """Saves what a panel shows.

    Attributes:
        widget: what to put into a panel.
        folder: where to.
        save: saves the picture that is shown, and its YAML.
        film: saves the history as an animated WebP.
    """

    def __init__(
        self,
        save: Callable[[Path], Path],
        film: Callable[[Path], Path],
        guarded: Callable[[Callable[[], None]], None],
        *,
        in_thread: bool,
    ) -> None:
        """Take what is asked to save.

        Args:
            save: writes a picture and its YAML, of a wished name; returns the picture's path.
            film: writes a film, of a wished name; returns its path.
            guarded: runs something and shows what goes wrong.
            in_thread: whether a film may be made in a thread of its own.
        """
        self._save, self._film, self._guarded, self._in_thread = save, film, guarded, in_thread
        self.stem = "picture"
        self.folder = w.Text(value="clipnb-output", description="folder", layout={"width": "auto"})
        self.folder.style.description_width = "46px"
        self.save = w.Button(description="Save picture and YAML", icon="save")
        self.film = w.Button(description="Save film", icon="film")
        self._said = w.HTML()
        self.widget = w.VBox(
            [self.folder, w.HBox([self.save, self.film]).add_class("clipnb-row"), self._said],
        )
        self.save.on_click(lambda _: guarded(self._keep_picture))
        self.film.on_click(lambda _: self._start_film())

    def wished(self, suffix: str) -> Path:
        """Name the file that a result would have if the name is free."""
        return Path(self.folder.value.strip() or ".").expanduser() / f"{self.stem}{suffix}"

    def name_after(self, text: str) -> None:
        """Name files after what the experiment shows."""
        self.stem = re.sub(r"[^\w]+", "-", text.lower()).strip("-")[:60] or "picture"

    def _keep_picture(self) -> None:
        path = self._save(self.wished(".png"))
        self._say(path, path.with_suffix(".yaml"))

    def _start_film(self) -> None:
        self.film.disabled = True
        self._said.value = words.notice("making the film ...")
        if self._in_thread:
            threading.Thread(target=self._keep_film, name="clipnb-film", daemon=True).start()
        else:
            self._keep_film()

    def _keep_film(self) -> None:
        self._said.value = ""
        self._guarded(lambda: self._say(self._film(self.wished(".webp"))))
        self.film.disabled = False

    def _say(self, *paths: Path) -> None:
        kinds = {".png": "image/png", ".yaml": "text/plain", ".webp": "image/webp"}
        links = [
            words.download(path.name, kinds[path.suffix], path.read_bytes())
            for path in paths
            if path.suffix in kinds and path.stat().st_size <= _LARGEST_LINK
        ]
        self._said.value = words.notice(f"saved {paths[0]}") + " ".join(links)
