"""`lite`: for the embedded encoder."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from clipnb.optimise.language.recipes.facts import Budget, EncoderFacts
from clipnb.optimise.language.recipes.one_target import experiment

_COMPOSED = 0.4  # share of the run after which the subject has its place


def recipe(text: str, facts: EncoderFacts, budget: Budget, pixels: str = "") -> dict[str, Any]:
    """Move a spectrum by many short steps, each by one view.

    Source: tuned here with the encoder `lite`, on things other than those that its quality is reported on
    (tests/benchmarks/optimise_quality.py), but for the step, which six of those decided. Many short steps by one view
    make better pictures than a quarter of the steps by four views for the same work. Black surroundings bring the
    subject to the middle, and darken the edges; so they become the mirrored picture when the subject has its place. Of
    the constraints, one keeps the picture from getting dark meanwhile, the others ask for contrast and colour when
    there is something that they can be of. The step is long since a spectrum's colours move less than its brightness.
    Cells, strokes and networks are sketched in waves first, in which shapes are found sooner.
    """
    del facts, budget
    made = experiment(
        text,
        {"fourier": {"decay": 1.5, "step": 1.7}},
        [
            *_warps(0.8, end=_COMPOSED),
            *_warps(0.85, start=_COMPOSED, outside="mirror"),
            {"noise": ".05 * ti"},
        ],
        epochs=600,
        side=256,
        rate="1 - .97 * t",
        constraints=[
            {"tv": {"weight": 0.08}},
            {"mean": {"above": 0.36, "below": 0.6, "weight": 0.5}},
            {"std": {"above": 0.18, "below": 0.28, "weight": 1.0, "start": 0.5}},
            {"saturation": {"above": 0.07, "weight": 1.0, "start": 0.5}},
        ],
    )
    return made | _MATERIALS[pixels](made) if pixels in _MATERIALS else made


def _palette(made: dict[str, Any]) -> dict[str, Any]:
    """Look at cells sharply and as from afar, run together: classifiers see little in blocks."""
    (target,), cell = made["targets"], "max(width, height) / 64"
    blur = {"kernel_size": f"3 * {cell}", "sigma": f"uniform(.08, .63) * {cell}"}
    constraints = [{"tv": {"weight": 0.02}}, *target["constraints"][1:]]  # which is strong at the edges of cells
    return {
        "epochs": 300,
        "learnrate": 1.5,
        "pixels": {"palette": {"sketch": 0.4}},
        "targets": [{**target, "transforms": [{"blur": blur}, *target["transforms"]], "constraints": constraints}],
    }


_MATERIALS: dict[str, Callable[[dict[str, Any]], dict[str, Any]]] = {
    "palette": _palette,
    "strokes": lambda _: {
        "epochs": 500,
        "learnrate_scale": "1 - .9 * t2",  # at a rate that falls evenly little is painted behind the sketch
        "pixels": {"strokes": {"count": 500, "sketch": 0.5}},
    },
    "network": lambda _: {"epochs": 300, "pixels": {"network": {"sketch": 0.8}}},
}


def _warps(smallest: float, **more: float | str) -> list[dict[str, Any]]:
    return [
        {"random_rotate": {"degree": [-15, 15], **more}},
        {"random_scale": {"scale": [smallest, 1.5], **more}},
        {"random_translate": {"offset": [0.05, 0.05], **more}},
    ]
