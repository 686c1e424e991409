"""Interrogation beside clip-interrogator 0.6.0: one process, one random-weight model handed to both, interleaved.

    pip install --no-deps clip-interrogator==0.6.0
    python tests/benchmarks/interrogate_against_peer.py [--model ViT-B-32] [texts] [step] [best] [rank] [start]

Random weights cost the same time as trained ones; the similarities mean nothing, but must be the same. The peer
gets a caption, its own phrases and no download. Where it would take too long it does a part of the work, and its
rate is what is compared; the table says so. Prints a table in Markdown.
"""

from __future__ import annotations

import argparse
import os
import platform
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import open_clip
import skimage.data
import torch
from clip_interrogator import clip_interrogator as peer_module
from PIL import Image
from random_model import save_random

from clipnb.interrogate import Interrogator, Settings, load_labels
from clipnb.interrogate.labels.table import LabelTable
from clipnb.models.device import bf16_is_faster
from clipnb.models.encoder import DualEncoder
from clipnb.models.load import load_model

CAPTION = "a cup of coffee on a wooden table"
Row = tuple[str, str, str, str, str]


class Clock:
    """Times work in seconds, by the wall or (where other work shares the cores) by the processor."""

    now: Callable[[], float] = time.perf_counter


def timed(work: Callable[[], Any]) -> tuple[float, Any]:
    start = Clock.now()
    result = work()
    return Clock.now() - start, result


def make_peer(model: str, encoder: DualEncoder, lists: dict[str, list[str]], folder: Path, **options: Any) -> Any:
    """Build the peer's interrogator on the same model, as open_clip loads it, with these lists."""
    data = folder / "data"
    data.mkdir(exist_ok=True)
    for name, entries in lists.items():
        (data / f"{name}.txt").write_text("\n".join(entries), encoding="utf-8")
    config = peer_module.Config(
        caption_model_name=None,
        clip_model_name="ViT-B-32/openai",  # names the tokenizer only
        data_path=str(data),
        cache_path=str(folder / "cache"),
        download_cache=False,
        device="cpu",
        quiet=True,
        **options,
    )
    config.clip_model = open_clip.create_model(model).eval()
    config.clip_preprocess = lambda image: (encoder.preprocess(image) - encoder._mean) / encoder._std
    return peer_module.Interrogator(config)


class Bench:
    """The models, the peer's lists and a picture that all comparisons share."""

    def __init__(self, architecture: str, folder: Path, part: int, best_of: int) -> None:
        self.folder, self.part, self.best_of = folder, part, best_of
        self.name = save_random(architecture, folder)
        self.encoder = load_model(self.name, "cpu", "fp32")
        self.picture = Image.fromarray(skimage.data.coffee())
        whole = load_labels("package:clip_interrogator")
        rng = np.random.default_rng(0)
        self.flavors = [whole["flavors"][i] for i in rng.permutation(len(whole["flavors"])).tolist()]
        self.small = {name: list(labels[:40]) for name, labels in whole.items()}
        self.peer = make_peer(self.name, self.encoder, self.small, folder)
        self.features = self.peer.image_to_features(self.picture)
        self.drafts_pay = bf16_is_faster(self.encoder.device, torch.float32)

    def texts(self) -> list[Row]:
        ours, theirs = self.flavors[:4096], self.flavors[: self.part]
        seconds: dict[str, list[float]] = {"ours": [], "peer": []}
        for _ in range(2):
            t, padded = timed(lambda: self._peer_encode(theirs))
            seconds["peer"].append(len(theirs) / t)
            t, trimmed = timed(lambda: self.encoder.encode_text(ours))
            seconds["ours"].append(len(ours) / t)
        apart = (trimmed[: len(theirs)] - padded).abs().max().item()
        peer, own = (statistics.median(seconds[name]) for name in ("peer", "ours"))
        return [
            (
                "texts/s",
                f"{peer:.0f} (of {len(theirs)})",
                f"{own:.0f} (of {len(ours)})",
                ratio(own, peer),
                f"{apart:.0e}",
            )
        ]

    @torch.no_grad()
    def _peer_encode(self, texts: list[str]) -> torch.Tensor:
        features = self.peer.clip_model.encode_text(self.peer.tokenize(texts))
        return features / features.norm(dim=-1, keepdim=True)

    def step(self) -> list[Row]:
        rows = []
        phrases = self.flavors[:2048]
        part = phrases[: self.part]
        for length, count in ((24, 4), (46, 9)):
            prompt = ", ".join([CAPTION, *self.flavors[-count:]])
            while len(self._tokens(prompt)) > length:
                prompt = prompt.rsplit(" ", 1)[0]
            whole = [f"{prompt}, {phrase}" for phrase in part]
            shared = {
                kind: self.encoder.continuations([f" {p}" for p in phrases], draft=kind == "bf16") for kind in KINDS
            }
            seconds: dict[str, list[float]] = {"peer": [], "fp32": [], "bf16": []}
            for _ in range(2):
                t, theirs = timed(lambda: self.peer.similarities(self.features, whole))  # noqa: B023
                seconds["peer"].append(t * len(phrases) / len(part))
                for kind in KINDS:
                    t, ours = timed(lambda: shared[kind].encode(f"{prompt},") @ self.features[0])  # noqa: B023
                    seconds[kind].append(t)
                    if kind == "fp32":
                        exact = ours[: len(part)].numpy()
            apart = float(np.abs(exact - np.array(theirs)).max())
            same = "same" if exact.argmax() == np.argmax(theirs) else "OTHER"
            peer = statistics.median(seconds["peer"])
            for kind in KINDS:
                own = statistics.median(seconds[kind])
                note = f"{apart:.0e}, {same} argmax" if kind == "fp32" else "top 16 again in fp32"
                name = f"chain step, 2048 phrases, {len(self._tokens(prompt))} tokens, {kind}"
                rows.append((name, f"{peer:.1f} s (of {len(part)})", f"{own:.2f} s", ratio(peer, own), note))
        return rows

    def _tokens(self, text: str) -> list[int]:
        return [token for token in self.peer.tokenize([text])[0].tolist() if token]

    def best(self) -> list[Row]:
        count = self.best_of
        lists = self.small | {"flavors": self.flavors[: 2 * count]}
        peer = make_peer(self.name, self.encoder, lists, self.folder, flavor_intermediate_count=count)
        labels = lists | {"trendings": self._peer_sites()}
        t_peer, theirs = timed(lambda: peer.interrogate(self.picture, caption=CAPTION))
        cut = theirs_cut(peer, theirs)
        rows = []
        for name, lazy, scoring in (
            ("exact fp32", False, "full"),
            ("exact drafts", False, "draft"),
            ("lazy", True, "auto"),
        ):
            settings = Settings(
                tolerance=None,
                diverse=False,
                quiet=True,
                lazy=lazy,
                scoring=scoring,
                flavor_intermediate_count=count,
                cache_path=self.folder / "tables",
            )
            worker = Interrogator(self.encoder, labels=labels, settings=settings)
            worker.interrogate(self.picture, "fast", CAPTION)  # tables, as the peer has them
            t, ours = timed(lambda: worker.interrogate(self.picture, "best", CAPTION))  # noqa: B023
            same = "same prompt" if ours.prompt in (theirs, cut) else "another prompt"
            similarity = f"{same}, {ours.similarity:.4f} against {peer.similarity(self.features, theirs):.4f}"
            row = (f"best, {count} phrases, {name}", f"{t_peer:.0f} s", f"{t:.1f} s", ratio(t_peer, t), similarity)
            rows.append(row)
        return rows

    def _peer_sites(self) -> list[str]:
        return list(self.peer.trendings.labels[:18])

    def rank(self) -> list[Row]:
        count, dim = 100_000, self.encoder.dim
        rng = torch.Generator().manual_seed(0)
        embeddings = torch.nn.functional.normalize(torch.randn(count, dim, generator=rng), dim=-1).half()
        labels = [f"label {i}" for i in range(count)]
        ours = LabelTable("flavors", labels, embeddings)
        theirs = peer_module.LabelTable([], None, self.peer)
        theirs.labels, theirs.embeds = labels, [row.astype(np.float32) for row in embeddings.numpy()]
        ours.rank(self.features)
        rows = []
        for reverse in (False, True):
            truth = (self.features @ embeddings.float().T)[0].topk(2048, largest=not reverse).indices.tolist()
            right = {labels[i] for i in truth}
            seconds: dict[str, list[float]] = {"peer": [], "ours": []}
            for _ in range(5):
                t, found = timed(lambda: theirs.rank(self.features, 2048, reverse=reverse))  # noqa: B023
                seconds["peer"].append(t)
                t, exact = timed(lambda: ours.rank(self.features, 2048, reverse=reverse)[0])  # noqa: B023
                seconds["ours"].append(t)
            hits = len(right & set(found)), len(right & {ranked.label for ranked in exact})
            peer, own = (statistics.median(seconds[name]) for name in ("peer", "ours"))
            name = f"rank 2048 of 100,000{', reverse' if reverse else ''}"
            note = f"right: peer {hits[0]}, ours {hits[1]}"
            rows.append((name, f"{1e3 * peer:.0f} ms", f"{1e3 * own:.0f} ms", ratio(peer, own), note))
        return rows

    def start(self) -> list[Row]:
        settings = Settings(quiet=True, cache_path=self.folder / "start")
        tables = ("mediums", "movements", "artists", "trendings", "negative", "objects", "flavors")
        labels = {"flavors": self.flavors[:4000]} | {name: self.small.get(name, ["x"]) for name in tables[:-1]}

        def open_tables() -> int:
            worker = Interrogator(self.encoder, labels=labels, settings=settings)
            return sum(len(worker.tables.open(name)) for name in tables)

        open_tables()
        vars(self.encoder).pop("digest", None)
        first, count = timed(open_tables)
        again, _ = timed(open_tables)
        return [
            (f"start, warm cache, {count} labels", "", f"{first:.2f} s", "", f"{again:.3f} s once the digest is known")
        ]


KINDS = ("fp32", "bf16")


def theirs_cut(peer: Any, prompt: str) -> str:
    """Cut the peer's prompt at whole phrases, as every prompt of ours is."""
    return str(peer_module._truncate_to_fit(prompt, peer.tokenize))


def ratio(more: float, less: float) -> str:
    return f"{more / less:.1f}x"


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("parts", nargs="*", default=["texts", "step", "best", "rank", "start"])
    parser.add_argument("--model", default="ViT-B-32")
    parser.add_argument("--part", type=int, default=384, help="texts that the peer encodes where it is slow")
    parser.add_argument("--best-of", type=int, default=192, help="phrases that mode best chooses from")
    parser.add_argument("--cpu-time", action="store_true", help="one thread, processor time; for shared cores")
    args = parser.parse_args()
    if args.cpu_time:
        torch.set_num_threads(1)
        Clock.now = time.process_time
    with tempfile.TemporaryDirectory() as folder:
        bench = Bench(args.model, Path(folder), args.part, args.best_of)
        print(
            f"{args.model}, random weights, fp32, {torch.get_num_threads()} threads"
            f"{', processor time' if args.cpu_time else ''}, {platform.machine()}"
            f" ({os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}), torch {torch.__version__}, "
            f"bf16 {'is' if bench.drafts_pay else 'is not'} faster here\n"
        )
        print("| | clip-interrogator 0.6.0 | clipnb | ratio | difference |\n|---|---|---|---|---|")
        for part in args.parts:
            for row in getattr(bench, part)():
                print("| " + " | ".join(row) + " |", flush=True)


if __name__ == "__main__":
    main()
