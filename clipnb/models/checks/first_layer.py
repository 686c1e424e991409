"""What reaches the first layer of a picture tower, compared with a known picture and what its weights learnt from.

Channels in another order, turned pictures and another family's statistics hardly lower how well an encoder tells
photographs apart, but they can be read off here exactly.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import permutations, product

import torch
from PIL import Image
from torch import Tensor, nn

from clipnb.errors import listed
from clipnb.models.encoder import DualEncoder

# Any four colours do in which no channel is a multiple of another.
_QUARTERS = torch.tensor([[[230, 60, 20], [40, 190, 90]], [[80, 30, 210], [250, 220, 150]]], dtype=torch.uint8)
_CHANNELS = ("red", "green", "blue")
_TURNS = ("", "upside down", "mirrored", "turned by 180 degrees")
_NEAR = 0.05  # standard deviations; a rounded half float is off by a third of that


@torch.no_grad()
def first_layer_problems(encoder: DualEncoder) -> Iterator[str]:
    """Yield in words how what reaches the first layer differs from what its weights learnt from."""
    side = encoder.image_size
    picture = Image.fromarray(_QUARTERS.numpy()).resize((side, side), Image.Resampling.NEAREST)
    seen = _first_seen(encoder, encoder.preprocess(picture)[None])
    if seen is None:
        return
    found = _quarters(seen)
    mean, std = (torch.tensor(list(value)).view(3, 1, 1) for value in encoder.trained_with)
    colours = _QUARTERS.permute(2, 0, 1) / 255
    if (found - (colours - mean) / std).abs().max() <= _NEAR:
        return
    fits = [
        (*_fit(found, _turned(colours, across, turn)[list(order)]), order, across, turn)
        for order, across, turn in product(permutations(range(3)), (False, True), range(4))
    ]
    error, used_mean, used_std, order, across, turn = min(fits, key=lambda fit: fit[0])
    if error > _NEAR:
        yield "pictures reach its first layer changed beyond recognition"
        return
    if order != (0, 1, 2):
        yield f"pictures reach its first layer as {listed([_CHANNELS[channel] for channel in order])}"
    if across or turn:
        turns = " and ".join(filter(None, ["transposed" if across else "", _TURNS[turn]]))
        yield f"pictures reach its first layer {turns}"
    if (used_mean - mean).abs().max() > _NEAR * std.min() or (used_std / std - 1).abs().max() > _NEAR:
        yield (
            f"pictures reach its first layer with {_in_words(used_mean, used_std)}, while weights of its architecture "
            f"learnt from {_in_words(mean, std)}"
        )


def _first_seen(encoder: DualEncoder, pixels: Tensor) -> Tensor | None:
    """Return what the first convolution over three channels gets, [3, H, W]; None where there is none."""
    seen: list[Tensor] = []

    def keep(_: nn.Module, given: tuple[Tensor, ...]) -> None:
        seen.append(given[0][0].float().cpu())

    modules = [module for part in vars(encoder).values() if isinstance(part, nn.Module) for module in part.modules()]
    first = [module for module in modules if isinstance(module, nn.Conv2d) and module.in_channels == 3]
    hooks = [module.register_forward_pre_hook(keep) for module in first]
    try:
        encoder.encode_image(pixels)
    finally:
        for hook in hooks:
            hook.remove()
    return seen[0] if seen else None


def _quarters(picture: Tensor) -> Tensor:
    """Return the means of the middles of the four quarters of [3, H, W]; [3, 2, 2]."""
    height, width = picture.shape[1:]
    rows, columns = ([slice(side // 6, side // 3), slice(2 * side // 3, 5 * side // 6)] for side in (height, width))
    means = [picture[:, row, column].mean((1, 2)) for row in rows for column in columns]
    return torch.stack(means, dim=1).view(3, 2, 2)


def _turned(picture: Tensor, across: bool, turn: int) -> Tensor:
    picture = picture.transpose(1, 2) if across else picture
    return picture.flip([axis for axis, bit in ((1, 1), (2, 2)) if turn & bit])


def _fit(found: Tensor, colours: Tensor) -> tuple[float, Tensor, Tensor]:
    """Fit for each channel the mean and the standard deviation that make `found` of colours [3, 2, 2]."""
    given, made = colours.flatten(1), found.flatten(1)
    centred = given - given.mean(1, keepdim=True)
    slope = (centred * made).sum(1, keepdim=True) / centred.square().sum(1, keepdim=True)
    offset = made.mean(1, keepdim=True) - slope * given.mean(1, keepdim=True)
    error = (slope * given + offset - made).abs().max()
    return float(error), (-offset / slope)[..., None], (1 / slope)[..., None]


def _in_words(mean: Tensor, std: Tensor) -> str:
    said = [" ".join(f"{round(number, 3) + 0:g}" for number in value.flatten().tolist()) for value in (mean, std)]
    return f"mean {said[0]} and std {said[1]}"
