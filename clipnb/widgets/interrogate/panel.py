"""`clipnb.interrogate_panel()`: pictures become prompts under a person's hands. Binds controls, nothing else."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import ipywidgets as w
import traitlets

from clipnb import html
from clipnb.environment.setup import find_host
from clipnb.errors import ConfigError
from clipnb.images import ImageSource
from clipnb.interrogate.labels.word_lists import LabelSource
from clipnb.interrogate.modes import MODES, find_mode
from clipnb.interrogate.result import Interrogation
from clipnb.interrogate.settings import Settings
from clipnb.models.captioner import Captioner
from clipnb.models.encoder import DualEncoder
from clipnb.widgets.common.event_loop import on_loop
from clipnb.widgets.common.frontend import style
from clipnb.widgets.common.panel import Panel
from clipnb.widgets.common.still import Still
from clipnb.widgets.interrogate.caption_field import CaptionField
from clipnb.widgets.interrogate.gallery import Shelf
from clipnb.widgets.interrogate.options import DescribeControls
from clipnb.widgets.interrogate.pictures import Gallery, KeptPicture
from clipnb.widgets.interrogate.progress import DescribeTransport
from clipnb.widgets.interrogate.records import Records
from clipnb.widgets.interrogate.results import Outcome
from clipnb.widgets.interrogate.session import DescribingSession
from clipnb.widgets.interrogate.still import STILL_WIDTH, still_picture
from clipnb.widgets.interrogate.work import Description, Job, Means

if TYPE_CHECKING:
    import pandas as pd


class InterrogationPanel(Panel):
    """Describes pictures by prompts.

    Attributes:
        session: the descriptions and how they are made.
        gallery: the pictures.
        shelf: where pictures come in.
        controls: what pictures are described with.
        caption: the caption of the chosen picture.
        transport: describe, compare, stop.
        outcome: what was found.
        records: the history.
        picture: setting it to a PIL image adds a picture to describe.
        prompt: the newest prompt, as it stands in the text area.
    """

    called = "interrogation panel"
    gives = MappingProxyType({"prompt": "prompt"})
    takes = MappingProxyType({"picture": "picture"})
    picture: Any = traitlets.Any()
    prompt: Any = traitlets.Unicode()

    def __init__(
        self,
        pictures: Sequence[ImageSource] = (),
        *,
        mode: str = "classic",
        encoder: DualEncoder | None = None,
        captioner: Captioner | None = None,
        labels: LabelSource | None = None,
        settings: Settings | None = None,
        in_thread: bool | None = None,
        in_parts: bool | None = None,
    ) -> None:
        """See `interrogate_panel`."""
        find_mode(mode)
        super().__init__()
        self._still, self._still_table = Still(STILL_WIDTH), Still()
        self._since, self._comparing = 0, False
        self._in_thread = find_host().shows_threads if in_thread is None else in_thread
        self.session = DescribingSession(
            self._hear_description,
            self._hear_progress,
            self._hear_state,
            encoder=encoder,
            captioner=captioner,
            labels=labels,
            settings=settings,
        )
        chosen = settings or Settings()
        self.controls = DescribeControls(
            mode,
            Means(chosen.clip_model_name, chosen.caption_model_name),
            encoder.name if encoder else None,
            captioner.name if captioner else None,
        )
        self.caption = CaptionField()
        self.gallery = Gallery(self._look_at_chosen, self._forget)
        self.shelf = Shelf(self, self.gallery, in_parts=in_parts)
        button, stop = self.button, "end as soon as possible; what was described stays"
        self.transport = DescribeTransport(
            {
                "describe": button("Describe", "magic", "make a prompt of the chosen picture", self.describe),
                "describe_all": button("Describe all", "clone", "make a prompt of every picture", self.describe_all),
                "compare": button("Compare modes", "bar-chart", "the chosen picture by several modes", self.compare),
                "stop": button("Stop", "stop", stop, self.session.stop, at_once=True),
            }
        )
        self.transport["describe"].add_class("clipnb-main")
        self.records = Records(self, self.session.descriptions)
        self.outcome = Outcome(self.records, self.links)
        self._preview = w.Image(format="jpeg")
        self.children = self._laid_out()
        self.add_class("clipnb-interrogation")
        self._bind()
        self._look_at_chosen()
        for source in pictures:
            self.shelf.add(source)
        if self.gallery.pictures:
            self.gallery.choose(self.gallery.pictures[0])

    def describe(self) -> None:
        """Do what the button Describe does.

        Raises:
            ClipnbError: there is no picture, labels are chosen that are not there, or descriptions are being made.
        """
        self._start([self._job(self._chosen(), self.controls.mode.value)])
        self.outcome.look_at_prompt()

    def describe_all(self) -> None:
        """Do what the button Describe all does; raises what `describe` does."""
        self._start([self._job(picture, self.controls.mode.value) for picture in self.gallery.pictures])

    def compare(self, modes: Sequence[str] | None = None) -> None:
        """Do what the button Compare modes does.

        Args:
            modes: which; those that are chosen in the panel unless given.

        Raises:
            ClipnbError: as `describe`, or there is no such mode.
        """
        if modes is not None:
            self.outcome.modes.value = tuple(find_mode(name).name for name in modes)
        if not self.outcome.modes.value:
            raise ConfigError("no mode is chosen; choose two or more in the tab Modes")
        picture, chosen = self._chosen(), self.outcome.modes.value
        self._start([self._job(picture, mode) for mode in MODES if mode in chosen], comparing=True)
        self.outcome.look_at_modes()

    async def finished(self) -> Interrogation:
        """Wait until nothing is being described, in a cell: `result = await panel.finished()`.

        Returns:
            The newest result.

        Raises:
            ConfigError: nothing was described.
            BaseException: whatever ended the work.
        """
        await self.session.finished()
        if not self.session.descriptions:
            raise ConfigError("nothing has been described yet; press Describe")
        return self.session.descriptions[-1].found

    @property
    def results(self) -> list[Interrogation]:
        """All results, oldest first."""
        return [made.found for made in self.session.descriptions]

    @property
    def history(self) -> pd.DataFrame:
        """One row a description, oldest first.

        Columns: `picture`, `mode`, `prompt`, `similarity` (cosine in [-1, 1]), `caption`, `caption_source`, `model`,
        `seconds`.
        """
        return self.records.frame()

    def _laid_out(self) -> list[Any]:
        title = w.HTML('<span class="clipnb-title">clipnb<small>interrogate</small></span>')
        head = w.HBox([title, self.shelf.intake.widget, self.shelf.place, self.shelf.opener])
        glass = w.Box([self._preview]).add_class("clipnb-window")
        right = w.VBox([self.controls.widget, self.caption.widget]).add_class("clipnb-right")
        body = w.HBox([glass, right]).add_class("clipnb-body")
        below = [self.transport.widget, self.message, self.outcome.widget]
        head.add_class("clipnb-row").add_class("clipnb-head")
        return [style("interrogation.css"), head, self.shelf.thumbnails, body, *below]

    def _bind(self) -> None:
        self.observe(on_loop(self._take_picture), "picture")
        traitlets.link((self.outcome.prompt, "value"), (self, "prompt"))
        if self.outcome.copy is not None:
            traitlets.dlink((self, "prompt"), (self.outcome.copy, "text"))

    def _ipython_display_(self, **kwargs: Any) -> None:
        """Show the panel, and keep places below it for what stays in a saved notebook."""
        super()._ipython_display_(**kwargs)
        self._still_table.place()
        if self.session.descriptions and not self.session.is_on:
            self._put_still()

    def _take_picture(self, change: dict[str, Any]) -> None:
        """Add a picture that another panel or a cell gave; perhaps in a run's thread."""
        if change["new"] is not None:
            self.guarded(lambda: self.shelf.add(change["new"]))

    def _look_at_chosen(self) -> None:
        chosen = self.gallery.chosen
        self.caption.look_at(chosen)
        self._preview.value = chosen.preview if chosen else b""
        self._preview.layout.display = "" if chosen else "none"
        made = next((made for made in reversed(self.session.descriptions) if made.job.picture is chosen), None)
        if made is not None:
            self.outcome.show(made.found)
        self._show_state()

    def _forget(self, picture: KeptPicture) -> None:
        self.caption.forget(picture)
        self.session.forget(picture)

    # pictures are described

    def _chosen(self) -> KeptPicture:
        if self.gallery.chosen is None:
            raise ConfigError("there is no picture yet; upload one, paste one, or give its path or URL")
        return self.gallery.chosen

    def _job(self, picture: KeptPicture, mode: str) -> Job:
        return Job(picture, mode, self.caption.given(picture))

    def _start(self, jobs: Sequence[Job], *, comparing: bool = False) -> None:
        means = self.controls.means()
        if not self.session.is_on:
            self._since, self._comparing = len(self.session.descriptions), comparing
            self.transport.begin()
        self.session.start(jobs, means)

    # what the session says in its thread

    def _hear_description(self, made: Description) -> None:
        self.hand_over(lambda: self._show_description(made))

    def _hear_progress(self, place: int, doing: str, unit: str, done: int, total: int) -> None:
        """Show progress from here where that shows: nothing else is changed, and it goes on while a cell runs."""
        show = partial(self.transport.show_jobs, place, self.session.total, doing, unit, done, total)
        if self._in_thread:
            show()
        else:
            self.hand_over(show)

    def _hear_state(self) -> None:
        self.hand_over(self._mirror)
        if self._ended_with_results():
            self._put_still()

    # what is shown of it

    def _show_description(self, made: Description) -> None:
        self.caption.used(made.job.picture, made.found)
        self.records.show()
        if made.job.picture in self.gallery.pictures:
            self.gallery.choose(made.job.picture)
        else:
            self.outcome.show(made.found)
        if self._comparing:
            self.outcome.show_comparison([other.found for other in self._compared()])

    def _mirror(self) -> None:
        self._show_state()
        error = self.session.error
        if error is not None:
            self.message.value = html.problem(html.error_text(error))
        if self._ended_with_results():
            self.outcome.show(self._best().found)

    def _show_state(self) -> None:
        self.transport.show_jobs_state(
            self.session.state,
            pictures=len(self.gallery.pictures),
            chosen=self.gallery.chosen is not None,
            found=len(self.session.descriptions) - self._since,
        )

    def _put_still(self) -> None:
        """Let the last result stay in the notebook; safe from any thread, and slow."""
        made, compared = self._best(), self._compared()
        self._still.put(still_picture(made, [other.found for other in compared]), made.found.prompt)
        self._still_table.put_html(made.found._repr_html_(), str(made.found))

    def _ended_with_results(self) -> bool:
        return self.session.state.is_over and len(self.session.descriptions) > self._since

    def _best(self) -> Description:
        """Give the last result, of a comparison the most similar one."""
        return max(self._compared(), key=lambda made: made.found.similarity, default=self.session.descriptions[-1])

    def _compared(self) -> list[Description]:
        return self.session.descriptions[self._since :] if self._comparing else []


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
    """Open the panel that makes prompts of pictures; as the last expression of a cell it is shown.

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
        ClipnbError: a picture cannot be read, or there is no such mode.
    """
    return InterrogationPanel(
        pictures,
        mode=mode,
        encoder=encoder,
        captioner=captioner,
        labels=labels,
        settings=settings,
        in_thread=in_thread,
        in_parts=in_parts,
    )
