"""`clipnb.live()`: an image optimisation under a person's hands. Binds controls to a session, nothing else."""

from __future__ import annotations

import asyncio
import threading
from pathlib import Path
from types import MappingProxyType
from typing import Any

import ipywidgets as w
import traitlets

from clipnb import html
from clipnb.errors import ClipnbError, ConfigError
from clipnb.images import to_pil
from clipnb.models.encoder import DualEncoder
from clipnb.optimise.language.config import ExperimentConfig
from clipnb.optimise.step import Step
from clipnb.runner import RunState
from clipnb.widgets.common.frame_rate import Pace
from clipnb.widgets.common.panel import Panel
from clipnb.widgets.common.save_tab import Keeping
from clipnb.widgets.common.style import style
from clipnb.widgets.common.toolbar import Transport
from clipnb.widgets.live.chart import SimilarityChart
from clipnb.widgets.live.editor import ExperimentEditor
from clipnb.widgets.live.history import Snapshot
from clipnb.widgets.live.init_image import Beginning
from clipnb.widgets.live.session import LiveSession
from clipnb.widgets.live.statistics import statistics_table
from clipnb.widgets.live.viewer import Viewer

_CHART_INTERVAL = 0.5  # seconds


class LivePanel(Panel):
    """Shows and steers one image optimisation.

    Attributes:
        session: the runs, with what they leave behind.
        editor: the experiment as it is written.
        transport: start, pause, step, stop, apply.
        viewer: the picture and its history.
        beginning: what the picture begins with.
        keeping: what is saved.
        chart: similarity over time.
        text: what the quick field says; setting it is like typing there.
        picture: the newest picture (PIL, RGB) when a run pauses, stops or ends, or is asked for one; None before.
    """

    called = "live panel"
    gives = MappingProxyType({"picture": "picture"})
    takes = MappingProxyType({"prompt": "text"})
    text: Any = traitlets.Unicode()
    picture: Any = traitlets.Any()

    def __init__(
        self,
        experiment: str | ExperimentConfig = "a jellyfish in the deep sea",
        *,
        encoder: DualEncoder | None = None,
        in_thread: bool | None = None,
        live_chart: bool | None = None,
    ) -> None:
        """See `live`."""
        super().__init__()
        self._mirroring = threading.Lock()
        self.session = LiveSession(self._show, self._mirror, self._say_refused, encoder=encoder, in_thread=in_thread)
        self.editor = ExperimentEditor(experiment, self._experiment_changed)
        self.transport = Transport(
            start=self.guard(self._start),
            pause=self.guard(self._pause),
            step=self.guard(self._step),
            stop=self.guard(self.session.stop),
            apply=self.guard(self._apply),
        )
        self.viewer = Viewer(lambda snapshot: self.guarded(lambda: self._go_back(snapshot)))
        self.keeping = Keeping(self._save, self._film, self.guarded, self.loop_thread, in_thread=self.session.in_thread)
        self.beginning = Beginning(
            lambda value: self.editor.write("init", value=value),
            self.viewer.show,
            self.guarded,
            lambda: self.keeping.wished("").parent,
        )
        self.chart = SimilarityChart(live_chart)
        self._table = w.HTML(statistics_table(None)).add_class("clipnb-table")
        self._charting = Pace(_CHART_INTERVAL)
        self.children = self._laid_out()
        self.add_class("clipnb-live")
        traitlets.link((self.editor.text, "value"), (self, "text"))
        self._mirror()

    def start(self) -> None:
        """Do what the button Start does.

        Raises:
            ConfigError: the YAML has a mistake, or a run is on already.
        """
        self._start()

    async def finished(self) -> Step:
        """Wait until the run is over, in a cell: `step = await panel.finished()`.

        Returns:
            The last step; its `image` is float [3, H, W] in [0, 1].

        Raises:
            ConfigError: nothing was started.
            BaseException: whatever ended the run.
        """
        while self.session.is_on:
            await asyncio.sleep(0.05)
        self.session.join(10)  # its thread ends a moment after its state
        if self.session.newest is None:
            raise ConfigError("no run has made a picture yet; press Start")
        return self.session.newest

    def _laid_out(self) -> list[Any]:
        editing = w.VBox([self.editor.controls, self.editor.yaml, self.editor.problem])
        tabs = w.Tab([editing, self.beginning.widget, self.keeping.widget], layout={"width": "100%"})
        for place, title in enumerate(("Experiment", "Beginning", "Keep")):
            tabs.set_title(place, title)
        head = w.HBox([w.HTML('<span class="clipnb-title">clipnb<small>live</small></span>'), self.editor.text])
        body = w.HBox([self.viewer.widget, w.VBox([tabs]).add_class("clipnb-right")]).add_class("clipnb-body")
        plot = w.VBox([self.chart.widget]).add_class("clipnb-plot")
        foot = w.HBox([plot, self._table]).add_class("clipnb-foot")
        head.add_class("clipnb-row").add_class("clipnb-head")
        return [style(), head, self.transport.widget, self.links, self.message, body, foot]

    def offered(self, kind: str) -> Any:
        """Give the picture that is shown now, a snapshot of the history included."""
        shown = self.viewer.shown
        if kind == "picture" and shown is not None:
            self.picture = shown
        return super().offered(kind)

    def _start(self) -> None:
        config = self.editor.checked()
        self.viewer.leave_history()
        self.keeping.name_after(self.editor.text.value)
        self.session.start(config)

    def _pause(self) -> None:
        """Pause what runs, in any thread, or go on with what stands still."""
        if self.session.state is RunState.RUNNING:
            self.session.pause()
        else:
            self.loop_thread.do(self.guard(self._go_on))

    def _go_on(self) -> None:
        self.viewer.leave_history()
        self.session.go_on(self.editor.config)

    def _step(self) -> None:
        self.viewer.leave_history()
        if self.session.can_go_on:
            self.session.go_on(self.editor.config, one_step=True)
        else:
            self.session.start(self.editor.checked(), one_step=True)

    def _apply(self) -> None:
        self.session.change(self.editor.checked())
        self.transport.mark_due(due=False)

    def _go_back(self, snapshot: Snapshot) -> None:
        config = self.editor.checked()
        self.viewer.leave_history()
        self.session.go_back(snapshot, config)

    def _save(self, path: Path) -> Path:
        return self.session.save(self.viewer.viewed, path)

    def _film(self, path: Path) -> Path:
        return self.session.history.film(path)

    def _experiment_changed(self, whole: bool) -> None:
        """A control reaches a run at once; typed YAML waits for the button."""
        if self.session.error is None:
            self.message.value = ""
        if whole and self.session.is_on and self.editor.config is not None:
            self.guarded(self._apply)
        else:
            self.transport.mark_due(due=self.session.is_on and self.editor.config is not None)

    def _say_refused(self, error: ClipnbError) -> None:
        self.message.value = html.problem(f"the run goes on as it was: {error}")

    def _show(self, step: Step) -> None:
        """Show a step; called in the run's thread, so it only sets traits."""
        self.viewer.show(to_pil(step.image))
        done = step.index + 1
        self.transport.show_progress(done, step.total, self.session.pace.words(done, step.total))
        if self._charting.is_due() or self.session.state is not RunState.RUNNING:
            began = self._charting.now()
            self.chart.draw(self.session.similarities.curves())
            self._table.value = statistics_table(step.statistics)
            self.viewer.follow(self.session.history)
            self._charting.shown(step.index, began)

    def _mirror(self) -> None:
        """Say what state the run is in; called in any thread."""
        with self._mirroring:
            self._say_state(self.session.state)

    def _say_state(self, state: RunState) -> None:
        self.transport.show_state(state, can_go_on=self.session.can_go_on)
        error = self.session.error
        if error is not None:
            self.message.value = html.problem(f"the run ended: {html.error_text(error)}")
        newest = self.session.newest
        if newest is not None and state is not RunState.RUNNING:
            self.picture = to_pil(newest.image)
        if state.is_over and newest is not None:
            caption = f"{self.editor.text.value}: step {newest.index + 1} of {newest.total}"
            self._still.put(self.picture, caption)


def live(
    experiment: str | Path | ExperimentConfig = "a jellyfish in the deep sea",
    *,
    encoder: DualEncoder | None = None,
    in_thread: bool | None = None,
    live_chart: bool | None = None,
) -> LivePanel:
    """Open the panel of an image optimisation; as the last expression of a cell it is shown.

    Args:
        experiment: a text (the default recipe is written for it), YAML text, the path of a YAML file, or a checked
            experiment. YAML with a mistake opens the panel, with the mistake shown below the editor.
        encoder: used instead of the experiment's `model` and `models`.
        in_thread: whether a run has a thread of its own (True) or shares the kernel's event loop (False); by default
            what suits the host.
        live_chart: whether similarities are drawn as a live plotly figure (True) or as a still picture (False); by
            default whether `anywidget` is here and the host loads it.

    Returns:
        The panel, an ipywidget.

    Raises:
        ConfigError: the YAML file cannot be read.
    """
    if isinstance(experiment, Path) or str(experiment).endswith((".yaml", ".yml")):
        from clipnb.optimise.language.yaml_source import read_file

        read_file(str(experiment))  # says what is wrong with the file
        experiment = Path(str(experiment)).expanduser().read_text(encoding="utf-8")
    return LivePanel(experiment, encoder=encoder, in_thread=in_thread, live_chart=live_chart)
