"""What is done to the image that parameters make, whatever they are: symmetry, pixels that stay."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from clipnb.errors import ConfigError
from clipnb.optimise.composition.masks import Masks, Size
from clipnb.optimise.composition.symmetry import Mirrored, Seamless, Turned
from clipnb.optimise.image_state import Finish, InitialPicture
from clipnb.optimise.language.config import ExperimentConfig
from clipnb.optimise.language.fields import SIDES

# Waves fit to themselves already, and the colours of a palette and of strokes are not to be mixed.
_WITH_JUMPS = ("rgb", "pyramid", "network")
_OF_FEW_COLOURS = ("palette",)


@dataclass(frozen=True)
class Composition:
    """The areas of an experiment, and what it does to every image.

    Attributes:
        masks: of its areas.
        finish: from the image that parameters make to the picture; None where that is the same.
        picture: that the run begins with, where areas of it are needed.
    """

    masks: Masks
    finish: Finish | None
    picture: InitialPicture | None = None

    @classmethod
    def of(
        cls,
        config: ExperimentConfig,
        size: Size,
        device: torch.device,
        seed: int,
        given: Tensor | None,
        known: InitialPicture | None = None,
    ) -> Composition:
        """Prepare them.

        Args:
            config: the experiment.
            size: height and width of its picture now.
            device: of the run.
            seed: of the run.
            given: float [3, H, W] that a run begins with where `init` has no picture.
            known: the picture that the run begins with, where it has been read.

        Raises:
            ConfigError: a mask is empty or does not fit, all is kept, or there is no picture whose pixels could be.
            ImageError: a picture cannot be read.
        """
        _require_possible(config)
        drawn = (area for target in config.targets if isinstance(area := target.region, str) and area not in SIDES)
        picture = (known or InitialPicture.of(config, seed, given)) if any((config.keep, *drawn)) else None
        masks = Masks(picture.size if picture else None, device)
        masks.require(config, size)
        if config.keep is None:
            return cls(masks, _chained(_shape_of(config)), picture)
        if picture is None:
            raise ConfigError(
                f"{config.at('keep')}the run begins with noise, of which nothing is worth keeping; name a picture in "
                "init.image"
            )
        return cls(masks, _chained([*_shape_of(config), Kept(config, masks, picture)]), picture)


def _shape_of(config: ExperimentConfig) -> list[Finish]:
    finishes: list[Finish] = []
    if config.symmetry is not None:
        kind, _, count = config.symmetry.partition(" ")
        finishes.append(
            Turned(int(count), mixes=config.pixels.name not in _OF_FEW_COLOURS) if count else Mirrored(kind)
        )
    if config.tile and config.pixels.name in _WITH_JUMPS:
        finishes.append(Seamless())
    return finishes


def _chained(finishes: Sequence[Finish]) -> Finish | None:
    def finish(image: Tensor) -> Tensor:
        for one in finishes:
            image = one(image)
        return image

    return finish if finishes else None


def _require_possible(config: ExperimentConfig) -> None:
    """Refuse wishes that contradict one another."""
    if config.symmetry and config.keep is not None:
        raise ConfigError(f"{config.at('symmetry')}pixels that are kept are not symmetric; leave out symmetry or keep")
    if config.tile and config.symmetry and config.symmetry.startswith("rotate") and config.symmetry != "rotate 2":
        raise ConfigError(
            f"{config.at('symmetry')}edges that meet their opposite ones are not the same after {config.symmetry!r}; "
            "with tile use x, y, xy or rotate 2"
        )
    seen = [target for target in config.targets if target.active]
    if config.tile and seen and all(target.region is not None for target in seen):
        raise ConfigError(
            f"{config.at('tile')}every target has a region, so none sees how edges meet; leave out a region, or tile"
        )


class Kept:
    """Puts the pixels back that stay, in the parts that a mask says."""

    def __init__(self, config: ExperimentConfig, masks: Masks, picture: InitialPicture) -> None:
        self._config, self._masks, self._picture = config, masks, picture
        self._size: Size | None = None

    def __call__(self, image: Tensor) -> Tensor:
        size = (image.shape[-2], image.shape[-1])
        if size != self._size:
            area = self._config.keep
            assert area is not None, "without one there is nothing to put back"  # noqa: S101
            self._mask = self._masks.kept(area, size, self._config.at("keep"))
            self._pixels = self._picture.fitted(size).to(image.device)
            self._size = size
        mixed = self._mask * self._pixels + (1 - self._mask) * image
        return torch.where(self._mask == 1, self._pixels, mixed)
