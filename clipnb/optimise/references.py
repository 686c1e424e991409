"""Other pictures that the picture is compared with, measured once."""

from __future__ import annotations

import torch
from torch import Tensor

from clipnb.errors import ConfigError
from clipnb.images import to_tensor
from clipnb.models.encoder import DualEncoder
from clipnb.models.first_stages import first_stages
from clipnb.optimise.composition.masks import Part, Size
from clipnb.optimise.image_state import cover, opened
from clipnb.optimise.language.config import ExperimentConfig
from clipnb.optimise.likeness import Likeness


class References:
    """Measurements of the pictures that likenesses name; each is made once a size."""

    def __init__(self) -> None:
        self._wanted: dict[tuple[object, ...], list[Tensor]] = {}

    def loss(
        self,
        config: ExperimentConfig,
        likeness: Likeness,
        picture: Tensor,
        part: Part | None,
        size: Size,
        encoder: DualEncoder | None,
    ) -> Tensor:
        """Compute a likeness's loss, without its weight.

        Args:
            config: the experiment that it stands in.
            likeness: what is compared, and with what.
            picture: float [3, h, w], the whole picture or its part.
            part: where it lies.
            size: of the whole picture.
            encoder: whose stages are asked, where they are needed.

        Returns:
            float scalar.

        Raises:
            ConfigError: the encoder's stages are not known.
            ImageError: the other picture cannot be read.
        """

        def stages(image: Tensor) -> list[Tensor]:
            found = first_stages(encoder, image[None]) if encoder is not None else []
            if not found:
                name = encoder.name if encoder is not None else "no encoder"
                raise ConfigError(f"{likeness.name}: the stages of {name} are not known; compare by something else")
            return found

        box = None if part is None else (part.rows.start, part.rows.stop, part.columns.start, part.columns.stop)
        key = (type(likeness), likeness.image, likeness.by, size, box, encoder and encoder.name)
        if key not in self._wanted:
            other = to_tensor(opened(likeness.image, config))
            if likeness.is_placed:
                fitted = cover(other, size)
                fitted = fitted if part is None else fitted[:, part.rows, part.columns]
            else:
                fitted = cover(other, (picture.shape[-2], picture.shape[-1]))
            with torch.no_grad():
                self._wanted[key] = likeness.measure(fitted.to(picture.device), stages)
        return likeness.distance(likeness.measure(picture, stages), self._wanted[key])
