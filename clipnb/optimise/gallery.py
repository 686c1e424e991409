"""What transforms, constraints and parameterisations look like: pictures of everything that is registered."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import TypeVar

import torch
from PIL import Image
from torch import Tensor

from clipnb.images import to_pil, to_tensor
from clipnb.models.encoder import DualEncoder
from clipnb.optimise.constraints import CONSTRAINTS
from clipnb.optimise.engine import Optimisation, optimise
from clipnb.optimise.image_state import cover
from clipnb.optimise.language.components import Part
from clipnb.optimise.language.config import ExperimentConfig
from clipnb.optimise.language.scope import Randomness, Scope
from clipnb.optimise.language.variables import resolution_values, time_values
from clipnb.optimise.parameterisations import PARAMETERISATIONS
from clipnb.optimise.transforms import TRANSFORMS, apply_transforms
from clipnb.sheets import contact_sheet

P = TypeVar("P", bound=Part)
_SIDE = 96  # pixels: what the examples of the classes are written for


def show_transforms(
    picture: Image.Image, only: Collection[str] = (), *, columns: int = 4, seed: int = 2
) -> Image.Image:
    """Show every transform on a photograph, by the example that its class gives.

    Args:
        picture: of any size; its middle is shown.
        only: names; all when empty.
        columns: how many transforms stand beside one another.
        seed: of what is random.

    Returns:
        A sheet: before and after; of a random transform two views.
    """
    photograph = cover(to_tensor(picture), (_SIDE, _SIDE))
    rows = []
    for cls in _shown(TRANSFORMS, only):
        views = _views(cls.name, photograph, seed)
        pictures = views if cls.is_random else [photograph, views[0]]
        rows.append((cls.example_text(), list(map(to_pil, pictures))))
    return contact_sheet(rows, columns=columns, side=_SIDE)


def show_constraints(
    picture: Image.Image, only: Collection[str] = (), *, steps: int = 40, columns: int = 4, seed: int = 0
) -> Image.Image:
    """Show every constraint: what a photograph becomes where nothing else is wanted of it.

    Args:
        picture: of any size; its middle is shown.
        only: names; all when empty.
        steps: how long each pulls.
        columns: how many constraints stand beside one another.
        seed: of what is random.

    Returns:
        A sheet: before and after.
    """
    photograph = cover(to_tensor(picture), (_SIDE, _SIDE))
    rows = []
    for cls in _shown(CONSTRAINTS, only):
        targets = [{"constraints": [cls.example_item()]}]
        config = ExperimentConfig.from_dict(
            {"epochs": steps, "resolution": _SIDE, "seed": seed, "targets": targets, "device": "cpu"}
        )
        run = Optimisation(config, image=photograph)
        for _ in run.steps():
            pass
        rows.append((cls.example_text(), [to_pil(photograph), to_pil(run.image)]))
    return contact_sheet(rows, columns=columns, side=_SIDE)


def show_parameterisations(text: str, encoder: DualEncoder, *, steps: int = 80, seed: int = 0) -> Image.Image:
    """Show every parameterisation: the noise that it starts from, and what a text makes of it.

    Args:
        text: what should be seen.
        encoder: compares image and text.
        steps: how many are made.
        seed: of what is random.

    Returns:
        A sheet: at the start and at the end.
    """
    rows = []
    for cls in _shown(PARAMETERISATIONS):
        config = ExperimentConfig.from_text(text, seed, epochs=steps, resolution=_SIDE, pixels=cls.name)
        start = Optimisation(config.changed(init={"std": 0.1}), encoder).image
        rows.append((cls.name, [to_pil(start), to_pil(optimise(config, encoder).image)]))
    return contact_sheet(rows, columns=3, side=_SIDE)


def _views(name: str, photograph: Tensor, seed: int) -> list[Tensor]:
    """Return two views by a transform's example, in the middle of a run."""
    targets = [{"transforms": [TRANSFORMS[name].example_item()]}]
    transforms = ExperimentConfig.from_dict({"targets": targets}).targets[0].transforms
    device = torch.device("cpu")
    scope = Scope({**time_values(50, 101), **resolution_values((_SIDE, _SIDE))}, Randomness(seed, device), device)
    scope = scope.extended({"learnrate": 1.0, "learnrate_scale": 1.0}, views=2)
    return list(apply_transforms(transforms, photograph.expand(2, -1, -1, -1), scope)[:2])


def _shown(registry: Mapping[str, type[P]], only: Collection[str] = ()) -> list[type[P]]:
    """Return what can be shown, by name: what has an example or needs none."""
    return [
        cls
        for name, cls in sorted(registry.items())
        if (not only or name in only)
        and (cls.example is not None or not any(field.is_required() for field in cls.model_fields.values()))
    ]
