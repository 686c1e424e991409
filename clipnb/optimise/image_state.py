"""The picture of a run: its numbers, the optimiser that changes them, and what it looks like now."""

from __future__ import annotations

import torch
from torch import Tensor

from clipnb.optimise.init_image import resized
from clipnb.optimise.optimisers import OPTIMISERS, build_optimiser
from clipnb.optimise.parameterisations.canvases import Canvas
from clipnb.optimise.parameterisations.pixels import Pixels


class Picture:
    """A canvas with its optimiser.

    Attributes:
        image: float [3, H, W] in [0, 1], attached to the canvas, so that a loss on it can be followed.
    """

    image: Tensor

    def __init__(self, canvas: Canvas, optimiser: str) -> None:
        """Take a canvas and the name of an optimiser."""
        self._name = optimiser
        self._use(canvas)

    @property
    def seen(self) -> Tensor:
        """The picture, detached."""
        return self.image.detach()

    def use_optimiser(self, name: str) -> None:
        """Change to another optimiser, which begins afresh."""
        self._name = name
        self._optimiser = build_optimiser(name, self._canvas.parameters())

    def rebuild(self, pixels: Pixels, size: tuple[int, int], interpolation: str) -> None:
        """Move the picture to another parameterisation or size; the optimiser begins afresh.

        Args:
            pixels: the parameterisation.
            size: height and width in pixels.
            interpolation: "nearest", "linear" or "cubic", where the size changes.
        """
        canvas = pixels.build(size, self.image.device)
        canvas.assign(resized(self.seen, size, interpolation))
        self._use(canvas)

    def paint(self, image: Tensor) -> None:
        """Replace the picture by float [3, H, W] in [0, 1] of the same size; the optimiser goes on."""
        self._canvas.assign(image)
        self.refresh()

    def refresh(self) -> None:
        """Compute the picture anew, so that another loss can be followed."""
        self.image = self._canvas.forward()

    def backpropagate(self, loss: Tensor | None) -> None:
        """Compute the gradient of a loss, or clear it."""
        self._optimiser.zero_grad(set_to_none=True)
        if loss is not None:
            torch.autograd.backward(loss)

    def gradient_sum(self) -> Tensor:
        """Sum up the gradient, to see whether it is finite; float scalar."""
        gradients = [p.grad.sum() for p in self._canvas.parameters() if p.grad is not None]
        return torch.stack(gradients).sum() if gradients else self.image.new_zeros(())

    def follow_gradient(self, rate: float) -> None:
        """Make one step of the optimiser.

        Args:
            rate: what the optimiser's base rate is multiplied by.
        """
        for group in self._optimiser.param_groups:
            group["lr"] = OPTIMISERS[self._name].rate * self._canvas.rate * rate
        self._optimiser.step()
        self._canvas.project()
        self.refresh()

    def _use(self, canvas: Canvas) -> None:
        self._canvas = canvas
        self.use_optimiser(self._name)
        self.refresh()
