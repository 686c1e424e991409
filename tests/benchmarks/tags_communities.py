"""Which pairs tell known groups of tags apart best: all, those beyond chance, each tag's closest companions.

Run by hand: `python tests/benchmarks/tags_communities.py`, with igraph and scikit-learn. Known groups are the topics of
made prompts (tags by Zipf's law: a share of the topic's own, a tenth of any topic's, the rest of 500 that all share),
and the nine files of `prompts/`, for tags of which most stand in one of them. Shown are the normalised mutual
information (NMI) and the adjusted Rand index (ARI) of groups and communities, means of three seeds, the number of
communities, the share of tags that are alone, and seconds of processor time.
"""

from __future__ import annotations

import time
from collections import Counter, defaultdict
from collections.abc import Iterator

import numpy as np
from sklearn.metrics import adjusted_rand_score, normalized_mutual_info_score

from clipnb.files import shipped
from clipnb.prompts.splitting import extract_tags
from clipnb.tags.communities import communities
from clipnb.tags.graph import build_graph
from clipnb.tags.tag_graph import TagGraph
from clipnb.tags.weights import beyond_chance

MADE = ((2_000, 12, 200, 0.6), (20_000, 12, 200, 0.6), (20_000, 12, 200, 0.3), (20_000, 12, 200, 0.15))
MADE += ((60_000, 40, 200, 0.3), (60_000, 150, 60, 0.3))


def made(amount: int, topics: int, own: int, share: float) -> tuple[list[str], dict[str, int]]:
    rng = np.random.default_rng(0)
    laws = {size: 1 / np.arange(1, size + 1) / (1 / np.arange(1, size + 1)).sum() for size in (own, 500)}
    prompts = []
    for topic in rng.choice(topics, amount, p=rng.dirichlet(np.full(topics, 3.0))).tolist():
        tags = []
        for kind in rng.random(1 + rng.poisson(7)).tolist():
            of = topic if kind < share else rng.integers(topics) if kind < share + 0.1 else None
            size = 500 if of is None else own
            tags.append(f"{'shared' if of is None else f'topic {of}'} tag {rng.choice(size, p=laws[size])}")
        prompts.append("; ".join(["a subject", *tags]))
    return prompts, {f"topic {topic} tag {i}": topic for topic in range(topics) for i in range(own)}


def of_files() -> tuple[list[str], dict[str, int]]:
    prompts, where = [], defaultdict(Counter)
    for number, path in enumerate(sorted(shipped("prompts").glob("*.txt"))):
        lines = path.read_text(encoding="utf-8").splitlines()
        prompts += lines
        for line in lines:
            where_of_tags = {tag.casefold() for tag in extract_tags(line)}
            for tag in where_of_tags:
                where[tag][number] += 1
    mains = {tag: (*files.most_common(1)[0], files.total()) for tag, files in where.items()}
    return prompts, {tag: main for tag, (main, times, total) in mains.items() if total >= 2 and times >= 0.6 * total}


def ways(graph: TagGraph) -> Iterator[tuple[str, TagGraph, int | None]]:
    yield "all", graph, None
    for chance in (0.05, 0.01, 0.001):
        yield f"beyond {chance}", graph.where(beyond_chance(graph.pairs, chance)), None
    for closest in (20, 50, 100):
        yield f"closest {closest}", graph, closest


def report(name: str, prompts: list[str], group_of: dict[str, int], least: int) -> None:
    graph = build_graph(prompts, least)
    group = np.array([group_of.get(tag.casefold(), -1) for tag in graph.names])
    print(f"{name}: {len(graph):,} tags, {len(graph.pairs):,} pairs")
    for way, part, closest in ways(graph):
        rows = []
        for seed in range(3):
            start = time.process_time()
            found = communities(part, closest=closest, seed=seed)
            seconds = time.process_time() - start
            community = np.array(part.community)[group >= 0]
            scores = [
                score(group[group >= 0], community) for score in (normalized_mutual_info_score, adjusted_rand_score)
            ]
            alone = sum(len(one) == 1 for one in found)
            rows.append([*scores, len(found) - alone, alone / len(graph), seconds])
        nmi, ari, many, alone, seconds = np.mean(rows, axis=0)
        print(
            f"  {way:>12}  NMI {nmi:.2f}  ARI {ari:.2f}  {many:4.0f} groups, {alone:4.0%} alone {seconds:6.2f} s",
            flush=True,
        )


if __name__ == "__main__":
    report("prompts/", *of_files(), least=1)
    for amount, topics, own, share in MADE:
        report(f"{amount:,} prompts of {topics} topics, {share:.0%} own", *made(amount, topics, own, share), least=2)
