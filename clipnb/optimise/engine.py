"""Gradient ascent on a picture, as a stream of frozen steps."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator

import torch
from torch import Tensor

from clipnb.errors import ClipnbError, ConfigError
from clipnb.models.device import resolve_device
from clipnb.models.encoder import DualEncoder
from clipnb.optimise.image_state import Picture
from clipnb.optimise.init_image import begin, bounded_size
from clipnb.optimise.language.config import ExperimentConfig
from clipnb.optimise.language.expressions import ExpressionError
from clipnb.optimise.language.scope import Randomness, Scope
from clipnb.optimise.language.variables import resolution_values, time_values
from clipnb.optimise.objective import Instant, Judging, OptimisationError, Verdict, total_loss, verdict
from clipnb.optimise.statistics import Record, Statistics
from clipnb.optimise.step import Step
from clipnb.optimise.target_encoders import Judges
from clipnb.optimise.transforms import apply_transforms
from clipnb.progress import log

__all__ = ["Optimisation", "OptimisationError", "optimise"]

_MAX_PARTS = 64
_MAX_RATE = 1e30  # of learning; times any base rate it is still a float32


class Optimisation:
    """A run of an experiment. Knows no widget, file, clock, thread or print.

    Attributes:
        config: the experiment as it is run now.
        seed: that all random draws come from; chosen here when the experiment has none.
        index: number of the step that comes next.
    """

    def __init__(
        self,
        config: ExperimentConfig,
        encoder: DualEncoder | None = None,
        *,
        image: Tensor | None = None,
        index: int | None = None,
    ) -> None:
        """Prepare a run; models are loaded when the first step is asked for.

        Args:
            config: the experiment.
            encoder: used instead of the experiment's `model` and `models`, and decides the device.
            image: float [3, H, W], RGB in [0, 1], to go on from instead of what `init` says; scaled and cropped to
                fit the resolution.
            index: number of the first step instead of `start_epoch`.

        Raises:
            ValueError: `image` is no float picture with three channels, or `index` is negative.
        """
        if image is not None and (image.ndim != 3 or image.shape[0] != 3 or not image.is_floating_point()):
            raise ValueError(f"image must be float [3, H, W] in [0, 1], not {image.dtype} {list(image.shape)}")
        if index is not None and index < 0:
            raise ValueError(f"index counts steps from 0; {index} is none")
        self.config = config
        self.index = config.start_epoch if index is None else index
        self._given = image
        self.seed = config.seed if config.seed is not None else torch.Generator().seed() % 2**31
        self._encoder = encoder
        self._inbox: deque[ExperimentConfig] = deque(maxlen=1)
        self._record = Record()
        self._parts = 1
        self._picture: Picture | None = None

    @property
    def image(self) -> Tensor:
        """The picture now: float [3, H, W], RGB in [0, 1], detached, on the device of the run."""
        return self._prepared().seen

    @property
    def device(self) -> torch.device:
        """Where the picture is."""
        return self.image.device

    @property
    def statistics(self) -> Statistics:
        """Of the run so far."""
        return self._record.statistics()

    def models(self) -> dict[str, str]:
        """Name the encoders that judge, with the digests of their weights."""
        self._prepared()
        return self._judging.judges.digests(self.config)

    def update(self, config: ExperimentConfig) -> None:
        """Use another config from the next step on; picture and step go on. Safe from any thread.

        Args:
            config: the new experiment; of two given between the same steps the newer wins. Only what changed
                is rebuilt; `init`, `seed` and `start_epoch` no longer matter.
        """
        self._inbox.append(config)

    def steps(self) -> Iterator[Step]:
        """Yield after every step. Stop by not asking again; call again to go on.

        Raises:
            OptimisationError: a loss became infinite or no number; the last good picture is in `image`.
            ClipnbError: an encoder or an image cannot be had, or an expression cannot be computed.
        """
        picture = self._prepared()
        while True:
            if self._inbox:
                self._adopt(self._inbox.pop(), picture)
            if self.index >= self.config.epochs:
                return
            yield self._advance(picture)

    def _prepared(self) -> Picture:
        if self._picture is None:
            device = resolve_device(self.config.device) if self._encoder is None else self._encoder.device
            self._randomness = Randomness(self.seed, device)
            self._judging = Judging(Judges(self._encoder, device))
            self._judging.judges.prepare(self.config)
            _, size = self._scope(device)
            canvas = begin(self.config, size, self._randomness, device, self._given)
            self._given = None
            self._picture = Picture(canvas, self.config.optimizer)
        return self._picture

    def _adopt(self, config: ExperimentConfig, picture: Picture) -> None:
        """Go on with another config; where it cannot be used, the old one stays."""
        old = self.config
        device = picture.image.device
        if self._encoder is None and resolve_device(config.device) != device:
            raise ConfigError(f"device: a running picture stays on {device}; start a new run for {config.device}")
        self._judging.judges.prepare(config)
        self.config = config
        if config.targets != old.targets:
            self._judging.forget_first_step()
        if config.optimizer != old.optimizer:
            picture.use_optimiser(config.optimizer)
        if config.pixels != old.pixels:
            size = (picture.image.shape[-2], picture.image.shape[-1])
            picture.rebuild(config.pixels, size, config.interpolation)

    def _advance(self, picture: Picture) -> Step:
        try:
            scope, size = self._scope(picture.image.device)
            if size != tuple(picture.image.shape[-2:]):
                picture.rebuild(self.config.pixels, size, self.config.interpolation)
            rate, scale = self._rates(scope)
            scope = scope.extended({"learnrate": rate, "learnrate_scale": scale})
            self._postprocess(picture, scope)
            result = self._judge(picture, scope)
        except ExpressionError as error:
            raise ConfigError(f"step {self.index}: {error}") from None
        except (MemoryError, RuntimeError) as error:
            if not _is_out_of_memory(error):
                raise
            raise OptimisationError(
                f"not enough memory for step {self.index} on {picture.image.device}; the picture before it is kept; "
                "lower resolution or batch_size"
            ) from error
        self._record.add(result.loss, result.entries)
        if result.entries:
            picture.follow_gradient(rate * scale)
        step = Step(
            self.index,
            self.config.epochs,
            picture.seen,
            result.loss,
            result.similarities,
            rate * scale,
            self._record.statistics(),
        )
        self.index += 1
        return step

    @property
    def _time(self) -> float:
        return self.index / max(1, self.config.epochs - 1)

    def _scope(self, device: torch.device) -> tuple[Scope, tuple[int, int]]:
        """Make the scope of this step, and the height and width that the picture has in it."""
        scope = Scope(time_values(self.index, self.config.epochs), self._randomness, device)
        size = bounded_size(scope, self.config.resolution, "resolution")
        return scope.extended(resolution_values(size)), size

    def _rates(self, scope: Scope) -> tuple[float, float]:
        """Evaluate `learnrate` and `learnrate_scale`."""
        rate, scale = scope.number(self.config.learnrate), scope.number(self.config.learnrate_scale)
        if abs(rate * scale) > _MAX_RATE:
            raise ExpressionError(f"learnrate x learnrate_scale is {rate * scale:g}; at most {_MAX_RATE:g}")
        return rate, scale

    def _postprocess(self, picture: Picture, scope: Scope) -> None:
        active = [transform for transform in self.config.postproc if transform.is_on(self.index, self._time)]
        if active:
            picture.paint(apply_transforms(active, picture.seen[None], scope)[0].clamp(0, 1))

    def _judge(self, picture: Picture, scope: Scope) -> Verdict:
        """Judge and backpropagate; split the batch where memory runs out."""
        now = Instant(self.index, self._time, scope)
        while True:
            try:
                judged = self._judging.judge(self.config, picture.image, now, self._parts)
                picture.backpropagate(total_loss(judged))
                return verdict(self.config, judged, picture.gradient_sum(), self.index)
            except torch.cuda.OutOfMemoryError:
                if self._parts >= _MAX_PARTS:
                    raise
                if self._parts == 1:
                    log.warning("not enough memory for all views at once; going on in parts, which is slower")
                self._parts *= 2
                picture.refresh()


def _is_out_of_memory(error: Exception) -> bool:
    if isinstance(error, ClipnbError):  # whose text may quote anything
        return False
    return isinstance(error, (MemoryError, torch.cuda.OutOfMemoryError)) or "allocate memory" in str(error)


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
    last = Step(run.index, config.epochs, run.image, 0.0, {}, 0.0, run.statistics)
    for step in run.steps():
        last = step
    return last
