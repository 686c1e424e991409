"""`clipnb.interrogate_panel()`: prompts for images, in a notebook. Binds widgets to a session, nothing else."""

from __future__ import annotations

from collections.abc import Sequence
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import ipywidgets as w
import traitlets

from clipnb.errors import ConfigError
from clipnb.host import find_host
from clipnb.images import ImageSource
from clipnb.interrogate.labels.word_lists import LabelSource
from clipnb.interrogate.modes import MODES, find_mode, refuse_sets
from clipnb.interrogate.result import Interrogation
from clipnb.interrogate.settings import Settings
from clipnb.models.captioner import Captioner
from clipnb.models.encoder import DualEncoder
from clipnb.widgets.common.controls import header, keep_equal
from clipnb.widgets.common.panel import Panel
from clipnb.widgets.common.still import Still
from clipnb.widgets.interrogate.gallery import Gallery
from clipnb.widgets.interrogate.options import CaptionField, Options
from clipnb.widgets.interrogate.results import HistoryTab, ResultTabs, length
from clipnb.widgets.interrogate.session import (
    NO_IMAGE,
    Described,
    InterrogationSession,
    KeptImage,
    Request,
    RequestProgress,
)
from clipnb.widgets.interrogate.still import STILL_WIDTH, still_picture
from clipnb.widgets.interrogate.toolbar import RequestToolbar

if TYPE_CHECKING:
    import pandas as pd


_FIRST = "Add pictures above, choose one, and press Describe for a prompt that would make it."
_TOGETHER, _COMPARED = "set", "contrast"  # one prompt for all images, whichever is chosen; or one against others


class InterrogationPanel(Panel):
    """Generates prompts for images.

    Attributes:
        session: the results and how they are made.
        gallery: the images.
        options: mode, model, captioner, labels.
        caption: the caption of the chosen image.
        toolbar: `describe`, `describe_all`, `compare`, `stop`.
        result_tabs: what was found.
        history_tab: all results.
        picture: setting it to a PIL image adds it.
        prompt: the newest prompt, as it stands in the text area.
    """

    called = "interrogation panel"
    gives = MappingProxyType({"prompt": "prompt"})
    takes = MappingProxyType({"picture": "picture"})
    picture: Any = traitlets.Any()
    prompt: Any = traitlets.Unicode()

    def __init__(
        self,
        images: Sequence[ImageSource],
        mode: str,
        encoder: DualEncoder | None,
        captioner: Captioner | None,
        labels: LabelSource | None,
        settings: Settings | None,
        in_thread: bool | None,
        in_parts: bool | None,
    ) -> None:
        """See `interrogate_panel`."""
        find_mode(mode)
        super().__init__()
        self._still, self._still_table = Still(STILL_WIDTH), Still()
        self._since, self._comparing = 0, False
        self._in_thread = find_host().shows_threads if in_thread is None else in_thread
        self.session = InterrogationSession(
            lambda made: self.hand_over(lambda: self._show_described(made)),
            self._report,
            self._state_changed,
            encoder=encoder,
            captioner=captioner,
            labels=labels,
            settings=settings,
        )
        names = encoder.name if encoder else None, captioner.name if captioner else None
        self.options = Options(self, mode, settings or Settings(), *names)
        self.caption = CaptionField(self)
        self.on_value(self.options.mode, self._mode_changed)
        self._mode_changed(mode)
        self.gallery = Gallery(self, self._look_at_chosen, self._forget, in_parts=in_parts)
        stop = "end as soon as possible; what was described stays"
        compare = "the chosen picture by several modes"
        self.toolbar = RequestToolbar(
            {
                "describe": self.button("Describe", "magic", "make a prompt of the chosen picture", self.describe),
                "describe_all": self.button("Describe all", "clone", "one prompt a picture", self.describe_all),
                "compare": self.button("Compare modes", "bar-chart", compare, self.compare),
                "stop": self.button("Stop", "stop", stop, self.session.stop, at_once=True),
            }
        )
        self.toolbar["describe"].add_class("clipnb-main")
        self.history_tab = HistoryTab(self, self.session.described)
        self.result_tabs = ResultTabs(self, self.history_tab)
        self._preview = w.Image(format="jpeg")
        self.children = self._laid_out()
        self.add_class("clipnb-interrogation")
        self.observe(lambda change: self.hand_over(lambda: self._take_picture(change["new"])), "picture")
        keep_equal((self.result_tabs.prompt, "value"), (self, "prompt"))
        if self.result_tabs.copy is not None:
            traitlets.dlink((self, "prompt"), (self.result_tabs.copy, "text"))
        self._look_at_chosen()
        self.session.on_advice = self.show_notice
        self.show_notice(_FIRST)
        for source in images:
            self.gallery.add(source)
        if self.gallery.images:
            self.gallery.choose(self.gallery.images[0])

    def describe(self) -> None:
        """Generate a prompt for the chosen image, as the button Describe does.

        Mode `set` makes one for all images, `contrast` one for what sets the chosen image apart from the others, or all
        of them from those of a folder.

        Raises:
            ClipnbError: there is no image, labels are chosen that do not exist, or prompts are being generated.
        """
        self._start([self._request(self._chosen(), self.options.mode.value)])
        self.result_tabs.open("Prompt")

    def describe_all(self) -> None:
        """Generate a prompt for every image, as the button Describe all does; raises what `describe` does."""
        mode = self.options.mode.value
        whole = mode == _TOGETHER or (mode == _COMPARED and self.options.of_mode.against.value.strip())
        images = [self._chosen()] if whole else self.gallery.images
        self._start([self._request(image, mode) for image in images])

    def compare(self, modes: Sequence[str] | None = None) -> None:
        """Generate prompts for the chosen image by several modes, as the button Compare modes does.

        Args:
            modes: names of modes; by default those that are chosen in the panel.

        Raises:
            ClipnbError: as `describe`, or there is no such mode.
        """
        for name in modes or ():
            refuse_sets(find_mode(name))
        if modes is not None:
            self.result_tabs.modes.value = tuple(find_mode(name).name for name in modes)
        if not self.result_tabs.modes.value:
            raise ConfigError("no mode is chosen; choose two or more in the tab Modes")
        image, chosen = self._chosen(), self.result_tabs.modes.value
        self._start([self._request(image, mode) for mode in MODES if mode in chosen], comparing=True)
        self.result_tabs.open("Modes")

    async def finished(self) -> Interrogation:
        """Wait until all requests are done, in a cell: `result = await panel.finished()`.

        Returns:
            The newest result.

        Raises:
            ConfigError: nothing was described.
            BaseException: whatever ended the work.
        """
        await self.session.finished()
        if not self.session.described:
            raise ConfigError("nothing has been described yet; press Describe")
        return self.session.described[-1].result

    @property
    def results(self) -> list[Interrogation]:
        """All results, oldest first."""
        return [made.result for made in self.session.described]

    @property
    def history(self) -> pd.DataFrame:
        """One row per result, oldest first.

        Columns: `picture`, `mode`, `prompt`, `similarity` (cosine in [-1, 1]), `caption`, `caption_source`, `model`,
        `seconds`.
        """
        return self.history_tab.frame()

    def _laid_out(self) -> list[Any]:
        head = header("interrogate", self.gallery.upload.widget, self.gallery.place, self.gallery.add_place)
        preview = w.Box([self._preview]).add_class("clipnb-window")
        right = w.VBox([self.options.widget, self.caption.widget]).add_class("clipnb-right")
        body = w.HBox([preview, right]).add_class("clipnb-body")
        below = [self.toolbar.widget, self.message, self.result_tabs.widget]
        return [self.hidden("interrogation.css"), head, self.gallery.thumbnails, body, *below]

    def _ipython_display_(self, **kwargs: Any) -> None:
        """Show the panel, and keep places below it for what stays in a saved notebook."""
        super()._ipython_display_(**kwargs)
        self._still_table.place()
        if self.session.described and not self.session.is_on:
            self._put_still()

    def _mode_changed(self, mode: str) -> None:
        self.caption.text.disabled = not MODES[mode].takes_caption

    def _take_picture(self, picture: Any) -> None:
        if picture is not None:
            self.guarded(lambda: self.gallery.add(picture))

    def _look_at_chosen(self) -> None:
        chosen = self.gallery.chosen
        self.caption.look_at(chosen)
        self._preview.value = chosen.preview if chosen else b""
        self._preview.layout.display = "" if chosen else "none"
        made = next((made for made in reversed(self.session.described) if made.request.image is chosen), None)
        if made is not None:
            self.result_tabs.show(made.result, made.contrast)
        self._show_state()

    def _forget(self, image: KeptImage) -> None:
        self.caption.forget(image)
        self.session.forget(image)

    def _chosen(self) -> KeptImage:
        if self.gallery.chosen is None:
            raise ConfigError(NO_IMAGE)
        return self.gallery.chosen

    def _request(self, image: KeptImage, mode: str) -> Request:
        caption = self.caption.given(image) if MODES[mode].takes_caption else None
        others = [other for other in self.gallery.images if other is not image] if MODES[mode].of_sets else []
        against = self.options.of_mode.against.value.strip() if mode == _COMPARED else ""
        return Request(image, mode, caption, tuple(others), against)

    def _start(self, requests: Sequence[Request], *, comparing: bool = False) -> None:
        choice = self.options.choice
        if not self.session.is_on:
            self._since, self._comparing = len(self.session.described), comparing
            self.toolbar.begin()
        self.session.start(requests, choice)

    # called by the session in its thread

    def _report(self, progress: RequestProgress) -> None:
        """Show progress from here where that shows: nothing else is changed, and it goes on while a cell runs."""
        if self._in_thread:
            self.toolbar.show_requests(progress)
        else:
            self.hand_over(lambda: self.toolbar.show_requests(progress))

    def _state_changed(self) -> None:
        self.hand_over(self._mirror)
        if self._ended_with_results():
            self._put_still()

    # what is shown of it

    def _show_described(self, made: Described) -> None:
        self.caption.used(made.request.image, made.result)
        self.history_tab.show()
        if made.request.image in self.gallery.images:
            self.gallery.choose(made.request.image)
        else:
            self.result_tabs.show(made.result, made.contrast)
        if self._comparing:
            self.result_tabs.show_comparison([other.result for other in self._compared()])

    def _mirror(self) -> None:
        self._show_state()
        if (error := self.session.error) is not None:
            self.show_problem(error)
        if self._ended_with_results():
            self.result_tabs.show(self._best().result, self._best().contrast)

    def _show_state(self) -> None:
        found = len(self.session.described) - self._since
        chosen = self.gallery.chosen is not None
        allowed = {"describe": chosen, "describe_all": bool(self.gallery.images), "compare": chosen}
        self.toolbar.show_ended(self.session.state, [name for name, may in allowed.items() if may], found)

    def _put_still(self) -> None:
        """Let the last result stay in the notebook; safe from any thread, and slow."""
        made, compared = self._best(), self._compared()
        self._still.put(still_picture(made, [other.result for other in compared]), made.result.prompt)
        shown = made.contrast or made.result
        self._still_table.put_html(shown._repr_html_(), str(shown))

    def _ended_with_results(self) -> bool:
        return self.session.state.is_over and len(self.session.described) > self._since

    def _best(self) -> Described:
        """Return the last result, of a comparison the most similar one."""
        return max(self._compared(), key=lambda made: length(made.result), default=self.session.described[-1])

    def _compared(self) -> list[Described]:
        return self.session.described[self._since :] if self._comparing else []


def interrogate_panel(
    *pictures: ImageSource,
    mode: str = "classic",
    encoder: DualEncoder | None = None,
    captioner: Captioner | None = None,
    labels: LabelSource | None = None,
    settings: Settings | None = None,
    in_thread: bool | None = None,
    in_parts: bool | None = None,
) -> InterrogationPanel:
    """Open the panel that generates prompts for images; as the last expression of a cell it is shown.

    Args:
        pictures: paths, URLs, bytes, PIL images or arrays to begin with; more can be uploaded, dropped or pasted.
        mode: what is chosen first, one of the interrogator's modes.
        encoder: used instead of a model by name.
        captioner: used instead of one by name.
        labels: your own in place of the built-in ones, as `load_labels` takes them.
        settings: of the interrogator; the models in it are chosen first.
        in_thread: whether progress may be shown from the working thread (True) or, as all else is, on the kernel's
            event loop (False); by default what suits the host.
        in_parts: whether uploads go in parts of their own, past the server's limit on messages, with dropping and
            pasting (True), or by the plain upload button (False); by default whether the host loads such a widget.

    Returns:
        The panel, an ipywidget. Its `results` and `history` keep what was found; `describe()` and
        `await finished()` do the same from a cell.

    Raises:
        ClipnbError: an image cannot be read, or there is no such mode.
    """
    return InterrogationPanel(pictures, mode, encoder, captioner, labels, settings, in_thread, in_parts)
