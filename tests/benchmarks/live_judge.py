"""Whether a judge tells pictures that fool their guide from those that do not.

`lite` guides, lite1 and lite2 judge. For each text the default recipe, and the same without random transforms, by the
spectrum and by plain planes: what the guide and each judge see at the end, which share of the guide's rise the judge
saw (from least to most while a warning may come), and from which step on a warning stood. The default should never
have one, the others always.

Needs: pip install 'clipnb[judge]'
Run: python tests/benchmarks/live_judge.py [--texts TEXT ...] [--kinds default spectrum planes] [--steps N]
"""

from __future__ import annotations

import argparse

import torch

from clipnb.models.load import load_model
from clipnb.optimise.engine import Optimisation
from clipnb.optimise.language.config import ExperimentConfig
from clipnb.optimise.verdict import LATE, Verdict

TEXTS = [
    "a strawberry", "a lighthouse", "a teapot", "a goldfish", "a castle", "a red sports car", "a violin", "a volcano",
    "a mushroom", "a zebra",
]  # fmt: skip
KINDS = ("default", "spectrum", "planes")


def config_for(text: str, kind: str, steps: int | None) -> ExperimentConfig:
    config = ExperimentConfig.from_text(text, seed=3, model="lite", device="cpu", judge=["lite1", "lite2"])
    if kind != "default":
        targets = [{"features": [text]}]
        config = config.changed(targets=targets, pixels="rgb" if kind == "planes" else {"fourier": {"decay": 1.3}})
    return config if steps is None else config.changed(epochs=steps)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--texts", nargs="+", default=TEXTS)
    parser.add_argument("--kinds", nargs="+", choices=KINDS, default=KINDS)
    parser.add_argument("--steps", type=int, help="instead of those of the recipe")
    args = parser.parse_args()
    torch.set_num_threads(2)
    encoder = load_model("lite", "cpu")
    for kind in args.kinds:
        for text in args.texts:
            warned: list[int] = []
            shares: dict[str, list[float]] = {}
            verdict: Verdict | None = None
            for step in Optimisation(config_for(text, kind, args.steps), encoder).steps():
                verdict = step.statistics.verdict
                if verdict is None or verdict.index != step.index:
                    continue
                if verdict.warning:
                    warned.append(step.index)
                for look in verdict.looks if step.index >= min(step.total // 2, LATE) else ():
                    shares.setdefault(look.judge, []).append(look.share or 0.0)
            for look in verdict.looks if verdict else ():
                span = f"{min(shares[look.judge]):.2f} to {max(shares[look.judge]):.2f}"
                print(
                    f"{kind:9} {text:18} guide {look.guide:5.1f} {look.judge} {look.seen:5.1f} share {span}", end="; "
                )
            print(f"warned at {len(warned)} looks" + (f", from step {warned[0]} on" if warned else ""), flush=True)


if __name__ == "__main__":
    main()
