"""What the first stages of a picture tower make of a picture, without the rest of it being computed."""

from __future__ import annotations

from collections.abc import Iterator

from torch import Tensor, nn

from clipnb.models.encoder import DualEncoder

_MOST = 4


class _EnoughError(Exception):
    """The last stage that is asked for is computed."""


def first_stages(encoder: DualEncoder, pixels: Tensor) -> list[Tensor]:
    """Return what each of the first stages gives; differentiable with respect to the pixels.

    Args:
        encoder: whose picture tower is a convolutional network in stages, or a transformer.
        pixels: float [1, 3, H, W], as for `DualEncoder.encode_image`.

    Returns:
        float32 [C, N] for each of up to four stages, earliest first, of C channels at N places; none where the tower is
        built in another way.
    """
    stages = _stages(encoder)
    seen: list[Tensor] = []

    def keep(module: nn.Module, given: object, made: Tensor) -> None:
        del given
        seen.append((made[0].flatten(1) if made.ndim == 4 else made.reshape(-1, made.shape[-1]).T).float())
        if module is stages[-1]:
            raise _EnoughError

    hooks = [stage.register_forward_hook(keep) for stage in stages]
    try:
        if stages:
            encoder.encode_image(pixels)
    except _EnoughError:
        pass
    finally:
        for hook in hooks:
            hook.remove()
    return seen


def _stages(encoder: DualEncoder) -> list[nn.Module]:
    """Return the first stages of a network, or blocks of the first third of a transformer."""
    for tower in _towers(encoder):
        named = [module for name, module in tower.named_children() if name.startswith("layer")]  # a ResNet
        rows = [list(module) for module in tower.modules() if isinstance(module, (nn.Sequential, nn.ModuleList))]
        long = next((row for row in rows if len(row) >= _MOST), None) or max(rows, key=len, default=[])
        found = named if len(named) >= _MOST else long
        if found:
            apart = max(1, len(found) // 12)
            return found[: _MOST * apart : apart]
    return []


def _towers(encoder: DualEncoder) -> Iterator[nn.Module]:
    for part in vars(encoder).values():
        if isinstance(part, nn.Module):
            visual = getattr(part, "visual", None)
            yield visual if isinstance(visual, nn.Module) else part
