"""Speed of image optimisation beside the bare image tower, in one process, interleaved.

(a) seconds a step at 512 x 512, 5 views, shift + rotate + scale + crop 224 + blur constraint, with a random-weight
    ViT-B-32, beside the bare forward and backward-to-input of the same tower on [5, 3, 224, 224];
(b) what a live preview (a JPEG at most ten times a second) adds to a run;
(c) how a step grows with views and resolution;
(d) what a step of each parameterisation costs at 224 x 224, with one view, beside that of `rgb`.

Run: python tests/benchmarks/optimise_speed.py [--rounds N] [--device cpu|cuda] [--bf16]
"""

from __future__ import annotations

import argparse
import io
import platform
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import open_clip
import torch
from random_model import save_random

from clipnb.images import to_pil
from clipnb.models.encoder import DualEncoder
from clipnb.models.load import load_model
from clipnb.optimise.engine import Optimisation
from clipnb.optimise.language.config import ExperimentConfig
from clipnb.optimise.parameterisations import PARAMETERISATIONS
from clipnb.optimise.step import Step
from clipnb.runner import Runner
from clipnb.widgets.common.frame_rate import FrameRate


def experiment(resolution: int = 512, views: int = 5, **changes: object) -> ExperimentConfig:
    transforms = [
        {"random_shift": "-1 1"},
        {"random_rotate": {"degree": "-10 10", "center": "0 1"}},
        {"random_scale": ".5 1"},
        {"center_crop": 224},
    ]
    target = {
        "batch_size": views,
        "features": [{"text": "a"}],
        "transforms": transforms,
        "constraints": [{"blur": 5}],
    }
    base = {"epochs": 100_000, "resolution": resolution, "seed": 1, "targets": [target]}
    return ExperimentConfig.from_dict({**base, **changes})


def bare_step(name: str, device: torch.device, views: int) -> Callable[[], None]:
    """The image tower as open_clip makes it, frozen; forward, and backward to its input."""
    tower = open_clip.create_model(name, device=device).visual.eval().requires_grad_(False)
    pixels = torch.rand(views, 3, 224, 224, device=device, requires_grad=True)

    def step() -> None:
        tower(pixels).sum().backward()
        pixels.grad = None

    return step


def stepper(encoder: DualEncoder, **given: int | str) -> Callable[[], None]:
    steps: Iterator[Step] = Optimisation(experiment(**given), encoder).steps()  # type: ignore[arg-type]
    return lambda: void(next(steps))


def void(value: object) -> None:
    del value


def interleaved(
    cases: dict[str, Callable[[], None]], rounds: int, device: torch.device, clock: Callable[[], float]
) -> dict[str, float]:
    """Time each case once a round; medians in seconds."""
    times: dict[str, list[float]] = {name: [] for name in cases}
    for turn in range(rounds + 1):
        for name, run in cases.items():
            begin = clock()
            run()
            if device.type == "cuda":
                torch.cuda.synchronize()
            if turn:
                times[name].append(clock() - begin)
    return {name: statistics.median(values) for name, values in times.items()}


def compare(name: str, device: torch.device, rounds: int, bf16: bool, clock: Callable[[], float]) -> None:
    cases = {
        "bare fp32": bare_step(name, device, 5),
        "step fp32": stepper(load_model(name, device, "fp32")),
    }
    if bf16:
        cases["step bf16"] = stepper(load_model(name, device, "bf16"))
    medians = interleaved(cases, rounds, device, clock)
    bare = medians["bare fp32"]
    print("\n(a) one step at 512 x 512, 5 views; median seconds and ratio to the bare tower")
    for case, seconds in medians.items():
        print(f"    {case:10} {seconds:8.4f} s  {seconds / bare:5.2f} x")


def preview(encoder: DualEncoder, rounds: int, clock: Callable[[], float], steps: int = 12) -> None:
    def run(show: Callable[[Step], None] | None) -> None:
        engine = Optimisation(experiment(epochs=steps), encoder)
        limiter = FrameRate(0.1)

        def thinned(step: Step) -> None:
            if show is not None and limiter.is_due():
                limiter.show(step.index, lambda: show(step))

        Runner(engine, thinned).run()

    def to_jpeg(step: Step) -> None:
        to_pil(step.image).save(io.BytesIO(), "JPEG", quality=85)

    cases = {"without": lambda: run(None), "with": lambda: run(to_jpeg)}
    medians = interleaved(cases, max(2, rounds // 3), encoder.device, clock)
    added = medians["with"] / medians["without"] - 1
    print(f"\n(b) a preview at ten frames a second, {steps} steps: {medians['without']:.3f} s without, {added:+.1%}")


def growth(encoder: DualEncoder, rounds: int, clock: Callable[[], float]) -> None:
    print("\n(c) median seconds a step")
    cases = {f"{n} views at 512": stepper(encoder, views=n) for n in (1, 2, 5, 10)}
    cases |= {f"5 views at {side}": stepper(encoder, resolution=side) for side in (224, 1024)}
    for name, seconds in interleaved(cases, max(2, rounds // 2), encoder.device, clock).items():
        print(f"    {name:16} {seconds:8.4f} s")


def materials(encoder: DualEncoder, rounds: int, clock: Callable[[], float]) -> None:
    cases = {name: stepper(encoder, resolution=224, views=1, pixels=name) for name in PARAMETERISATIONS}
    medians = interleaved(cases, rounds, encoder.device, clock)
    print(f"\n(d) median seconds a step at 224 x 224 with one view, by {encoder.name}")
    for name, seconds in medians.items():
        print(f"    {name:16} {seconds:8.4f} s  {seconds / medians['rgb']:5.2f} x rgb")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=10)
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--threads", type=int, help="of torch on the CPU")
    parser.add_argument("--cpu-time", action="store_true", help="processor time instead of the wall clock's")
    parser.add_argument("--bf16", action="store_true", help="time bf16 too")
    args = parser.parse_args()
    if args.threads:
        torch.set_num_threads(args.threads)
    device = torch.device(args.device)
    where = torch.cuda.get_device_name() if device.type == "cuda" else platform.processor() or platform.machine()
    print(f"{time.strftime('%Y-%m-%d')}, torch {torch.__version__}, {where}, {torch.get_num_threads()} threads")
    clock = time.process_time if args.cpu_time else time.perf_counter
    with tempfile.TemporaryDirectory() as folder:
        name = save_random("ViT-B-32", Path(folder))
        compare(name, device, args.rounds, args.bf16, clock)
        encoder = load_model(name, device, "fp32")
        preview(encoder, args.rounds, clock)
        growth(encoder, args.rounds, clock)
        materials(encoder, args.rounds, clock)
        materials(load_model("lite", device, "fp32"), args.rounds, clock)


if __name__ == "__main__":
    main()
