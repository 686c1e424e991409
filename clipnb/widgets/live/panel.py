"""`clipnb.live()`: an image optimisation that is watched and steered. Binds widgets to a session, nothing else."""

from __future__ import annotations

import threading
from pathlib import Path
from types import MappingProxyType
from typing import Any, TypeGuard

import ipywidgets as w
import traitlets

from clipnb.errors import ClipnbError, ConfigError
from clipnb.images import to_pil
from clipnb.models.encoder import DualEncoder
from clipnb.optimise.language.config import ExperimentConfig
from clipnb.optimise.language.yaml_source import read_source, read_yaml
from clipnb.optimise.results import stem_for
from clipnb.optimise.step import Step
from clipnb.runner import RunState
from clipnb.widgets.common.controls import header, keep_equal, tabs
from clipnb.widgets.common.frame_rate import FrameRate
from clipnb.widgets.common.panel import Panel
from clipnb.widgets.common.save_tab import SaveAction, SaveTab
from clipnb.widgets.common.toolbar import Toolbar
from clipnb.widgets.live.areas import Areas
from clipnb.widgets.live.chart import SimilarityChart, statistics_table
from clipnb.widgets.live.editor import ExperimentEditor
from clipnb.widgets.live.history import Snapshot
from clipnb.widgets.live.init_image import InitImage
from clipnb.widgets.live.session import LiveSession
from clipnb.widgets.live.viewer import Viewer

_FIRST = "Write above what should be seen and press Start; everything can be changed while it runs."
_CHART_INTERVAL = 0.5  # seconds


class LivePanel(Panel):
    """Shows and steers one image optimisation.

    Attributes:
        session: the runs, with what they leave behind.
        editor: the experiment as it is written.
        toolbar: `start`, `pause`, `step`, `stop`, `apply`.
        viewer: the picture and its history.
        init_image: what the picture begins with.
        areas: those that are drawn by hand.
        save_tab: what is saved.
        keep_history: whether snapshots are saved as they come.
        chart: similarity over time.
        table: statistics of every feature and constraint.
        text: what the quick field holds; setting it is like typing there.
        picture: the newest picture (PIL, RGB) when a run pauses, stops or ends, or is asked for one; None before.
    """

    called = "live panel"
    gives = MappingProxyType({"picture": "picture"})
    takes = MappingProxyType({"prompt": "text"})
    text: Any = traitlets.Unicode()
    picture: Any = traitlets.Any()

    def __init__(
        self,
        experiment: str | ExperimentConfig,
        encoder: DualEncoder | None,
        in_thread: bool | None,
        live_chart: bool | None,
        folder: Path,
    ) -> None:
        """See `live`; `folder` is where pictures are looked for first."""
        super().__init__()
        self._one_state_at_a_time = threading.Lock()
        self.session = LiveSession(self._show, self._show_state, self._refuse, encoder=encoder, in_thread=in_thread)
        self.editor = ExperimentEditor(
            self,
            experiment,
            self._experiment_changed,
            folder,
            encoder.name if encoder else None,
            apply=self._apply_typed,
            step=lambda: None if self.session.newest is None else self.session.newest.index,
            done=lambda: self.session.newest.index + 1 if self.session.is_on and self.session.newest else 0,
        )
        button, stop = self.button, "end the run after the present step; the picture stays"
        self.toolbar = Toolbar(
            {
                "start": button("Start", "play", "begin a new picture", self.start).add_class("clipnb-main"),
                "pause": button("Pause", "pause", "wait after the present step, or go on", self._pause, at_once=True),
                "step": button("Step", "step-forward", "make one step, then wait", self._step),
                "stop": button("Stop", "stop", stop, self.session.stop, at_once=True),
                "apply": button("Apply", "check", "use the YAML as it is now, from the next step on", self._apply),
            }
        )
        self.viewer = Viewer(self, self._go_back)
        files = {"Save picture and YAML": SaveAction("save", self._save), "Save film": SaveAction("film", self._film)}
        self.save_tab = SaveTab(self, files)
        self.init_image = InitImage(self, self.editor, self.viewer, self.save_tab)
        self.keep_history = w.Checkbox(description="keep the history there too, as it comes", indent=False)
        self.areas = Areas(
            self, self.editor, lambda: self.viewer.shown, lambda: self.session.newest is not None, self._place_for
        )
        if self.areas.painter is not None:
            self.viewer.lay_over(self.areas.painter)
        self.chart = SimilarityChart(live_chart)
        self.table = w.HTML(statistics_table(None)).add_class("clipnb-table")
        self._chart_rate = FrameRate(_CHART_INTERVAL)
        self._stem = "picture"
        self.children = self._laid_out()
        self.add_class("clipnb-live")
        self.on_value(self.keep_history, lambda _: self._choose_kept())
        keep_equal((self.editor.text, "value"), (self, "text"))
        self._show_state()
        self.session.on_advice = self.show_notice
        self.show_notice(_FIRST)

    def start(self) -> None:
        """Begin a new picture, as the button Start does.

        Raises:
            ConfigError: the YAML has a mistake, or a run is on already.
        """
        self._begin()

    async def finished(self) -> Step:
        """Wait until the run is over, in a cell: `step = await panel.finished()`.

        Returns:
            The last step; its `image` is float [3, H, W] in [0, 1].

        Raises:
            ConfigError: nothing was started.
            BaseException: whatever ended the run.
        """
        await self.session.finished()
        if self.session.newest is None:
            raise ConfigError("no run has made a picture yet; press Start")
        return self.session.newest

    def offered(self, kind: str) -> Any:
        """Return the picture that is shown now, a snapshot of the history included."""
        if kind == "picture" and self.viewer.shown is not None:
            self.picture = self.viewer.shown
        return super().offered(kind)

    def written(self) -> str:
        """Return the experiment as it is written."""
        return str(self.editor.yaml.value)

    def _laid_out(self) -> list[Any]:
        pages = {
            "Experiment": self.editor.widget,
            "Start image": self.init_image.widget,
            "Areas": self.areas.widget,
            "Save": w.VBox([self.save_tab.widget, self.keep_history]),
        }
        right = w.VBox([tabs(pages)]).add_class("clipnb-right")
        body = w.HBox([self.viewer.widget, right]).add_class("clipnb-body")
        plot = w.VBox([self.chart.widget]).add_class("clipnb-plot")
        foot = w.HBox([plot, self.table]).add_class("clipnb-foot")
        head = header("live", self.editor.text)
        return [self.hidden("pictures.css"), head, self.toolbar.widget, self.links, self.message, body, foot]

    def _begin(self, *, one_step: bool = False) -> None:
        config = self.editor.checked()
        self.viewer.leave_history()
        self._stem = stem_for(self.editor.text.value)
        self._choose_kept()
        self.session.start(config, one_step=one_step)

    def _choose_kept(self) -> None:
        folder = self.save_tab.path / f"{self._stem}-history"
        self.session.keeps_in = folder if self.keep_history.value else None

    def _place_for(self, end: str) -> Path:
        return self.save_tab.path / f"{stem_for(self.editor.text.value)}{end}"

    def _pause(self) -> None:
        """Pause what runs, in any thread, or go on with what stands still."""
        if self.session.state is RunState.RUNNING:
            self.session.pause()
        else:
            self.hand_over(self._go_on)

    def _go_on(self, *, one_step: bool = False) -> None:
        self.viewer.leave_history()
        self.session.go_on(self.editor.config, one_step=one_step)

    def _step(self) -> None:
        if self.session.can_go_on:
            self._go_on(one_step=True)
        else:
            self._begin(one_step=True)

    def _apply(self) -> None:
        self.session.change(self.editor.checked())
        self._mark_due(False)

    def _apply_typed(self) -> None:
        """Act on the editor's keys."""
        if self.session.is_on:
            self._apply()
        else:
            self.editor.checked()
            self.show_notice("no run is on that the YAML could be applied to; Start begins a new picture with it")

    def _go_back(self, snapshot: Snapshot) -> None:
        config = self.editor.checked()
        self.viewer.leave_history()
        self.session.go_back(snapshot, config)

    def _save(self, folder: Path) -> list[Path]:
        picture = self.session.save(self.viewer.viewed, folder / f"{self._stem}.png")
        return [picture, picture.with_suffix(".yaml")]

    def _film(self, folder: Path) -> list[Path]:
        return self.session.film(folder / self._stem)

    def _experiment_changed(self, whole: bool) -> None:
        """Bring a control's change to a run at once; typed YAML waits for the button."""
        self.areas.offer(self.editor.config)
        if self.session.error is None:
            self.message.value = ""
        is_due = self.session.is_on and self.editor.config is not None
        if whole and is_due:
            self.guarded(self._apply)
        else:
            self._mark_due(is_due)

    def _mark_due(self, due: bool) -> None:
        """Show whether something is written that the run does not use yet."""
        apply = self.toolbar["apply"]
        mark = apply.add_class if due else apply.remove_class
        mark("clipnb-due")

    def _refuse(self, error: ClipnbError) -> None:
        self.show_problem(f"the run goes on as it was: {error}")

    def _show(self, step: Step) -> None:
        """Show a step; called in the run's thread, so it only sets traits."""
        is_over = self.session.state is not RunState.RUNNING
        self.show_frame(lambda: self._draw(step, is_over), always=is_over or step.is_last)

    def _draw(self, step: Step, is_over: bool) -> None:
        self.viewer.show(to_pil(step.image))
        self.editor.yaml.step = step.index
        done = step.index + 1
        self.toolbar.show_progress(done, step.total, self.session.frame_rate.words(done, step.total))
        if self._chart_rate.is_due() or is_over:
            self._chart_rate.show(step.index, lambda: self._show_statistics(step))

    def _show_statistics(self, step: Step) -> None:
        self.chart.draw(self.session.similarities.curves())
        self.table.value = statistics_table(step.statistics)
        self.viewer.follow(self.session.history)

    def _show_state(self) -> None:
        """Show what state the run is in; called in any thread."""
        with self._one_state_at_a_time:
            session, newest, state = self.session, self.session.newest, self.session.state
            running = state is RunState.RUNNING
            allowed = {
                "start": not session.is_on,
                "pause": session.is_on or session.can_go_on,
                "step": not running,
                "stop": session.is_on,
                "apply": session.is_on,
            }
            self.toolbar.show_state(state, [name for name, allows in allowed.items() if allows])
            pause = self.toolbar["pause"]
            pause.description, pause.icon = ("Pause", "pause") if running else ("Resume", "play")
            if (error := session.error) is not None:
                self.show_problem(error, said="the run ended: ")
            if newest is not None and not running:
                self.picture = to_pil(newest.image)
            if state.is_over:
                self._mark_due(False)
                if newest is not None:
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
        experiment: a text (the recipe `auto` is written for it), YAML text, the path of a YAML file, or a checked
            experiment. YAML with a mistake opens the panel, with the mistake shown below the editor.
        encoder: used instead of the experiment's `model` and `models`.
        in_thread: whether a run has a thread of its own (True) or shares the kernel's event loop (False); by default
            what suits the host.
        live_chart: whether similarities are drawn as a live plotly figure (True) or as a still picture (False); by
            default whether `anywidget` is here and the host loads it.

    Returns:
        The panel, an ipywidget.

    Raises:
        ConfigError: the YAML file cannot be read, or holds no YAML map.
    """
    folder = Path()
    if isinstance(experiment, Path) or _is_file_name(experiment):
        text = read_source(experiment)
        read_yaml(text, str(experiment))
        folder, experiment = Path(experiment).parent, text
    return LivePanel(experiment, encoder, in_thread, live_chart, folder)


def _is_file_name(given: object) -> TypeGuard[str]:
    return isinstance(given, str) and "\n" not in given and given.endswith((".yaml", ".yml"))
