"""What stays of a run: pictures with their YAML, and a film, in files and as downloads."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import ipywidgets as w

from clipnb.optimise.results import stem_for
from clipnb.widgets.common.controls import SavedAside, chosen_folder, make_folder_field
from clipnb.widgets.common.event_loop import LoopThread, on_loop


class Keeping:
    """Saves what a panel shows.

    Attributes:
        widget: what to put into a panel.
        folder: where to.
        save: saves the picture that is shown, and its YAML.
        film: saves the history as an animated WebP.
        saved: says what was saved.
    """

    def __init__(
        self,
        save: Callable[[Path], Path],
        film: Callable[[Path], Path],
        guarded: Callable[[Callable[[], None]], None],
        loop_thread: LoopThread,
        *,
        in_thread: bool,
    ) -> None:
        """Take what is asked to save.

        Args:
            save: writes a picture and its YAML, of a wished name; returns the picture's path.
            film: writes a film, of a wished name; returns its path.
            guarded: runs something and shows what goes wrong.
            loop_thread: where a film that was made aside is told of.
            in_thread: whether a film may be made in a thread of its own.
        """
        self._save, self._film = save, film
        self.stem = "picture"
        self.folder = make_folder_field()
        self.save = w.Button(description="Save picture and YAML", icon="save")
        self.film = w.Button(description="Save film", icon="film")
        self.saved = SavedAside(guarded, loop_thread, in_thread=in_thread)
        self.widget = w.VBox(
            [self.folder, w.HBox([self.save, self.film]).add_class("clipnb-row"), self.saved.widget],
        )
        self.save.on_click(on_loop(lambda _: guarded(self._keep_picture)))
        self.film.on_click(on_loop(lambda _: self._start_film()))

    def wished(self, suffix: str) -> Path:
        """Name the file that a result would have if the name is free."""
        return chosen_folder(self.folder) / f"{self.stem}{suffix}"

    def name_after(self, text: str) -> None:
        """Name files after what the experiment shows."""
        self.stem = stem_for(text)

    def _keep_picture(self) -> None:
        path = self._save(self.wished(".png"))
        self.saved.show(path, path.with_suffix(".yaml"))

    def _start_film(self) -> None:
        self.film.disabled = True
        self.saved.make("making the film ...", lambda: self._film(self.wished(".webp")), self._allow_film)

    def _allow_film(self) -> None:
        self.film.disabled = False
