"""Gradient ascent on an image, as a stream of frozen steps."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator

import torch
from torch import Tensor

from clipnb.errors import ConfigError, first_line, listed
from clipnb.images import MAX_PIXELS
from clipnb.models.device import is_out_of_memory, resolve_device
from clipnb.models.encoder import DualEncoder, require_encoder
from clipnb.optimise.composition.finish import Composition
from clipnb.optimise.film.camera import show_next_frame
from clipnb.optimise.film.plan import Moment, moment_of, stage_of, total_steps, with_scenes
from clipnb.optimise.image_state import ImageState, InitialPicture, initial_parameters
from clipnb.optimise.judging.judge import Judges
from clipnb.optimise.language.config import ExperimentConfig
from clipnb.optimise.language.expressions import ExpressionError
from clipnb.optimise.language.init import InitConfig
from clipnb.optimise.language.reach import require_experiment, require_reach
from clipnb.optimise.language.scope import Randomness, Scope
from clipnb.optimise.losses import StepContext, labels_of
from clipnb.optimise.objective import Objective, OptimisationError, StepLoss, step_loss, total_loss
from clipnb.optimise.run_state import Facts, RunState
from clipnb.optimise.statistics import Record, Statistics
from clipnb.optimise.step import Step, rates, step_scope
from clipnb.optimise.target_encoders import TargetEmbeddings
from clipnb.optimise.transforms import apply_transforms
from clipnb.progress import log

__all__ = ["Optimisation", "OptimisationError", "optimise"]

_MAX_PARTS = 64


def drawn_seed() -> int:
    """Draw the seed of an experiment that names none."""
    return torch.Generator().seed() % 2**31


class Optimisation:
    """A run of an experiment. Knows no widget, file, clock, thread or print.

    Attributes:
        config: the experiment as it is run now.
        seed: of all random draws; chosen here when the experiment has none.
        index: number of the next step.
        is_between_steps: False while a step is made, and after one that broke off.
    """

    def __init__(
        self,
        config: ExperimentConfig,
        encoder: DualEncoder | None = None,
        *,
        image: Tensor | None = None,
        index: int | None = None,
    ) -> None:
        """Prepare a run; models are loaded with the first step.

        Args:
            config: the experiment.
            encoder: used instead of the experiment's `model` and `models`, and decides the device.
            image: float [3, H, W], RGB in [0, 1], to go on from instead of the experiment's `init`; scaled and cropped
                to fit the resolution.
            index: number of the first step instead of `start_epoch`.

        Raises:
            ConfigError: `config` is no experiment.
            ValueError: `image` is not float with three channels, or `index` is negative.
        """
        require_experiment(config)
        if image is not None:
            _require_image(image)
        if index is not None and index < 0:
            raise ValueError(f"index counts steps from 0; {index} is none")
        require_encoder(encoder)
        self._use(config)
        self.index = config.start_epoch if index is None else index
        self.seed = config.seed if config.seed is not None else drawn_seed()
        self._encoder, self._given_image = encoder, image
        self._inbox: deque[ExperimentConfig] = deque(maxlen=1)
        self._record = Record()
        self._parts = 1
        self._told_blind = False
        self.is_between_steps = True
        self._state: ImageState | None = None
        self._first: tuple[InitConfig, InitialPicture | None] = (config.init, None)
        self._saved: RunState | None = None

    @classmethod
    def from_state(cls, state: RunState, encoder: DualEncoder | None = None) -> Optimisation:
        """Go on with a run where its state was taken, as if it had never been left.

        Args:
            state: what `state` returned, or `RunState.load`.
            encoder: as for a new run.
        """
        run = cls(state.config, encoder, image=state.of("given").get("image"), index=state.facts.index)
        run.seed, run._saved = state.facts.seed, state
        return run

    def state(self) -> RunState:
        """Return all that decides how the run goes on.

        On the same machine, with the same versions and number of threads, a run that goes on from it makes bit for bit
        the pixels that this one makes.

        Raises:
            OptimisationError: the run broke off within a step.
        """
        picture = self._prepared()
        if not self.is_between_steps:
            raise OptimisationError(f"step {self.index} was begun and not ended; there is no state to go on from")
        others = {f"random.{name}": value for name, value in self._randomness.state().items()}
        others |= {f"fair.{number}": value.cpu() for number, value in self._objective.fair.items()}
        if self._given_image is not None:  # of which pixels may be kept
            others["given.image"] = self._given_image.detach().cpu()
        height, width = picture.image.shape[-2:]
        facts = Facts(
            index=self.index,
            seed=self.seed,
            size=(height, width),
            parts=self._parts,
            device=str(picture.image.device),
            models=self.models(),
            torch=torch.__version__,
            record=self._record.saved(),
            verdict=self._record.verdict,
            looks=self._judges.looks(),
        )
        return RunState(self.config.changed(seed=self.seed), facts, {**picture.tensors(), **others})

    @property
    def image(self) -> Tensor:
        """The image now: float [3, H, W], RGB in [0, 1], detached, on the device of the run."""
        return self._prepared().detached

    @property
    def device(self) -> torch.device:
        """The device of the image."""
        return self.image.device

    @property
    def statistics(self) -> Statistics:
        """Statistics of the run so far."""
        return self._record.statistics()

    def models(self) -> dict[str, str]:
        """Return the names of the encoders in use, with the digests of their weights."""
        self._prepared()
        return self._objective.embeddings.digests(self._plan)

    def extra_files(self, step: Step) -> dict[str, Callable[[], bytes]]:
        """Return what the parameterisation offers to be saved beside the picture of a step.

        Args:
            step: the newest one; of others the parameters are gone, and nothing is offered.

        Returns:
            By the ends of their names, such as `.svg`, what makes the content of the files.
        """
        return self._prepared().extra_files() if step.index + 1 == self.index else {}

    def left_out(self) -> str:
        """Return in words what the parameterisation offers and `extra_files` does not have; "" for nothing."""
        ends = listed(self._prepared().left_out())
        return ends and f"no {ends} beside it: symmetry, tile or keep change what {self.config.pixels.name} makes"

    def update(self, config: ExperimentConfig) -> None:
        """Use another config from the next step on; image and step go on. Safe from any thread.

        Args:
            config: the new experiment; of two that come between the same steps the newer wins. Only what changed
                is rebuilt; `init`, `seed` and `start_epoch` no longer matter.

        Raises:
            ConfigError: it is no experiment.
        """
        require_experiment(config)
        self._inbox.append(config)

    def _use(self, config: ExperimentConfig) -> None:
        self.config, self._plan = config, with_scenes(config)

    def steps(self) -> Iterator[Step]:
        """Yield after every step. Stop by not asking again; call again to go on.

        Raises:
            OptimisationError: a loss became infinite or no number, or memory is too small; the last good image is in
                `image`.
            ClipnbError: nothing in the experiment can change the picture, an encoder or an image cannot be loaded, or
                an expression cannot be computed.
        """
        require_reach(self._plan)  # before a model is loaded
        state = self._prepared()
        while True:
            if self._inbox:
                self._adopt(self._inbox.pop(), state)
            if self.index >= total_steps(self.config):
                return
            yield self._advance(state)

    def _prepared(self) -> ImageState:
        if self._state is None:
            device = resolve_device(self.config.device) if self._encoder is None else self._encoder.device
            self._randomness = Randomness(self.seed, device)
            embeddings = TargetEmbeddings(self._encoder, device)
            if self._saved is not None:
                self._state, self._saved = self._restored(self._saved, embeddings, device), None
                return self._state
            _, size = step_scope(self.config, self.index, self._randomness, device)
            composition = self._composition(self.config, size, device)  # before a model is loaded
            self._look_for(embeddings, composition, device)
            stage = stage_of(self.config, self.index)
            parameters = initial_parameters(
                self.config, stage, size, self._randomness, device, self._given_image, composition.picture
            )
            self._state = ImageState(stage, parameters, self.config.optimizer, composition.finish)
        return self._state

    def _restored(self, saved: RunState, embeddings: TargetEmbeddings, device: torch.device) -> ImageState:
        facts = saved.facts
        if facts.size[0] * facts.size[1] > MAX_PIXELS:
            raise ConfigError(
                f"the state is of a picture of {facts.size[1]} x {facts.size[0]} pixels, which is too large"
            )
        composition = self._composition(self.config, facts.size, device)
        self._look_for(embeddings, composition, device)
        stage = stage_of(self.config, max(0, facts.index - 1))
        picture = ImageState(stage, stage.build(facts.size, device), self.config.optimizer, composition.finish)
        try:
            picture.restore(saved.tensors)
            picture.at(moment_of(self.config, max(0, facts.index - 1)).time)
            self._randomness.restore(saved.of("random"))
            self._objective.fair.update({int(number): t.to(device) for number, t in saved.of("fair").items()})
        except (RuntimeError, KeyError, ValueError, AttributeError, TypeError) as error:
            raise ConfigError(f"the state does not fit its experiment, or is damaged ({first_line(error)})") from None
        self._record, self._parts = Record.of(facts.record), facts.parts
        self._record.verdict = facts.verdict
        self._judges.remember(facts.looks)
        models = self._objective.embeddings.digests(self._plan)
        if others := saved.differences(device, models):
            log.warning("the pixels may differ from those of a run without a break: %s", listed(others, between="; "))
        return picture

    def _look_for(self, embeddings: TargetEmbeddings, composition: Composition, device: torch.device) -> None:
        """Load the encoders that guide and those that judge."""
        embeddings.prepare(self._plan)
        self._objective = Objective(embeddings, composition.masks)
        self._judges = Judges(embeddings, device)
        self._judges.prepare(self._plan)

    def _composition(self, config: ExperimentConfig, size: tuple[int, int], device: torch.device) -> Composition:
        init, known = self._first
        known = known if init == config.init else None
        composition = Composition.of(config, size, device, self.seed, self._given_image, known)
        self._first = (config.init, composition.picture)
        return composition

    def _adopt(self, config: ExperimentConfig, state: ImageState) -> None:
        """Go on with another config; where it cannot be used, the old one stays."""
        old, device = self.config, state.image.device
        if self._encoder is None and resolve_device(config.device) != device:
            raise ConfigError(f"device: a running picture stays on {device}; start a new run for {config.device}")
        plan = with_scenes(config)
        require_reach(plan)
        composition = self._composition(config, (state.image.shape[-2], state.image.shape[-1]), device)
        self._objective.embeddings.prepare(plan)
        self._judges.prepare(plan)
        if not config.judge.models:
            self._record.verdict = None
        self._use(config)
        self._objective.masks = composition.masks
        state.use_finish(composition.finish)
        self._record.keep(
            {(number, target.name, label) for number, target in enumerate(plan.targets) for label in labels_of(target)}
        )
        if config.targets != old.targets:
            self._objective.forget_first_step()
        if config.optimizer != old.optimizer:
            state.use_optimiser(config.optimizer)

    def _advance(self, state: ImageState) -> Step:
        self.is_between_steps = False
        try:
            moment = moment_of(self.config, self.index)
            scope, size = step_scope(self.config, self.index, self._randomness, state.image.device)
            if moment.frame and moment.epoch == 0:
                show_next_frame(state, self.config, moment, self._randomness)
            state.become(stage_of(self.config, self.index), size, self.config.interpolation)
            state.at(moment.time)
            rate, scale = rates(self.config, scope)
            scope = scope.extended({"learnrate": rate, "learnrate_scale": scale})
            self._postprocess(state, scope, moment)
            result = self._backpropagate(state, scope, moment)
        except ExpressionError as error:
            raise ConfigError(f"step {self.index}: {self.config.place_of(error.source)}{error}") from None
        except (MemoryError, RuntimeError) as error:
            if not is_out_of_memory(error):
                raise
            raise OptimisationError(
                f"not enough memory for step {self.index} on {state.image.device}; the picture before it is kept; "
                "lower resolution or batch_size"
            ) from error
        if result.similarities and not result.gradient and not self._told_blind:
            self._told_blind = True
            log.warning("step %d: nothing of the picture reaches the encoder; do transforms cover all?", self.index)
        self._record.add(result.loss, result.entries)
        if result.entries:
            state.step(rate * scale)
        total = total_steps(self.config)
        if self._judges.is_due(self.index, total):
            counting = {(number, entry.label) for (number, _), entry in result.entries.items() if entry.weight != 0}
            self._record.verdict = self._judges.look(state.detached, self.index, total, counting, self._objective.masks)
        index, self.index, self.is_between_steps = self.index, self.index + 1, True
        return Step(
            index,
            total_steps(self.config),
            state.detached,
            result.loss,
            result.similarities,
            rate * scale,
            self._record.statistics(),
            moment.frame if self.config.frames is not None and moment.ends_frame else None,
        )

    def _postprocess(self, state: ImageState, scope: Scope, moment: Moment) -> None:
        active = [transform for transform in self.config.postproc if transform.is_on(moment.epoch, moment.time)]
        if active:
            state.assign(apply_transforms(active, state.detached[None], scope)[0].clamp(0, 1))

    def _backpropagate(self, state: ImageState, scope: Scope, moment: Moment) -> StepLoss:
        """Compute the loss and its gradient; split the batch where the memory of a GPU runs out."""
        context = StepContext(moment.epoch, moment.time, scope)
        while True:
            try:
                losses = self._objective.losses(self._plan, state.image, context, self._parts)
                state.backpropagate(total_loss(losses))
                return step_loss(self._plan, losses, state.gradient_size(), self.index)
            except torch.cuda.OutOfMemoryError:
                if self._parts >= _MAX_PARTS:
                    raise
                if self._parts == 1:
                    log.warning("not enough memory for all views at once; going on in parts, which is slower")
                self._parts *= 2
                state.refresh()


def _require_image(image: object) -> None:
    if not isinstance(image, Tensor):
        raise ValueError(f"image must be a tensor, float [3, H, W] in [0, 1], not {type(image).__name__}")  # noqa: TRY004
    if image.ndim != 3 or len(image) != 3 or not image.numel() or not image.is_floating_point():
        raise ValueError(f"image must be float [3, H, W] in [0, 1], not {image.dtype} {list(image.shape)}")


def optimise(config: ExperimentConfig, encoder: DualEncoder | None = None) -> Step:
    """Run an experiment to its end.

    Args:
        config: the experiment.
        encoder: used instead of the experiment's `model` and `models`.

    Returns:
        The last step; its `image` is the result.

    Raises:
        ClipnbError: as `Optimisation.steps`.
    """
    run = Optimisation(config, encoder)
    require_reach(with_scenes(config))
    last = Step(run.index, total_steps(config), run.image, 0.0, {}, 0.0, run.statistics)
    for step in run.steps():
        last = step
    return last
