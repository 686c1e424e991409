"""From prompts to pairs, files and communities: seconds of processor time and peak memory, beside one-off rivals.

Run by hand: `python tests/benchmarks/tags_graph.py [--prompts 1000000] [--jobs json parquet polars ...]`, with what
a rival needs installed (polars, duckdb, scipy, python-louvain); one that is missing is told as failed. Prompts are
those of `tags_scale.py`: eight tags by Zipf's law over 20,000. Every measurement is a process of its own that reads
the same file; pairs are those of tags that occur five times (the rivals count a tag once a prompt). Processor time is
told beside the clock's, since it does not depend on who else uses the machine.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

LEAST = 5


def cli(form: str) -> Callable[[Path], int]:
    def run(path: Path) -> int:
        from clipnb.cli import main

        with tempfile.TemporaryDirectory() as folder:
            target = Path(folder) / f"graph.{form}"
            assert (
                main(["tags", "graph", str(path), "--min-count", str(LEAST), "--repeats", "keep", "-o", str(target)])
                == 0
            )
            return target.stat().st_size

    return run


def graph_of(path: Path) -> object:
    from clipnb import TagCounts, build_graph

    return build_graph(TagCounts(path.read_text().splitlines()), LEAST)


def pairs(path: Path) -> int:
    return graph_of(path).number_of_edges()


def streamed(path: Path) -> int:
    from clipnb import TagCounts, build_graph

    with path.open() as lines:
        return build_graph(TagCounts(map(str.strip, lines), keep=False), LEAST).number_of_edges()


def leiden(path: Path) -> float:
    from clipnb import communities, modularity

    graph = graph_of(path)
    start = time.process_time()
    groups = communities(graph)
    print(f"    {len(groups)} groups in {time.process_time() - start:.1f} s", file=sys.stderr)
    return modularity(graph)


def networkx_json(path: Path) -> int:
    import networkx as nx

    plain = graph_of(path).to_networkx()
    with tempfile.TemporaryFile("w") as file:
        json.dump(nx.node_link_data(plain, edges="links"), file)
        return file.tell()


def networkx_louvain(path: Path) -> int:
    import networkx as nx

    return len(nx.community.louvain_communities(graph_of(path).to_networkx(), seed=0))


def python_louvain(path: Path) -> int:
    import community

    return len(set(community.best_partition(graph_of(path).to_networkx(), random_state=0).values()))


def tags_of(path: Path) -> Iterator[list[str]]:
    with path.open() as lines:
        for line in lines:
            yield [tag.strip() for tag in line.split(";")[1:]]


def with_scipy(path: Path) -> int:
    import numpy as np
    import scipy.sparse as sp

    number: dict[str, int] = {}
    columns, ends = [], [0]
    for tags in tags_of(path):
        columns += [number.setdefault(tag, len(number)) for tag in set(tags)]
        ends.append(len(columns))
    table = sp.csr_matrix((np.ones(len(columns), dtype=np.int32), columns, ends))
    kept = table[:, np.asarray(table.sum(axis=0)).ravel() >= LEAST]
    return sp.triu(kept.T @ kept, 1).nnz


def with_polars(path: Path) -> int:
    import polars as pl

    frame = pl.read_csv(path, has_header=False, new_columns=["line"], separator="\x01", quote_char=None)
    tags = (
        frame.with_row_index("prompt")
        .select(
            "prompt", pl.col("line").str.split(";").list.slice(1).list.eval(pl.element().str.strip_chars()).alias("tag")
        )
        .explode("tag")
        .drop_nulls()
        .unique()
        .with_columns(pl.col("tag").cast(pl.Categorical).to_physical())
    )
    tags = tags.filter(pl.len().over("tag") >= LEAST)
    joined = tags.lazy().join(tags.lazy(), on="prompt").filter(pl.col("tag") < pl.col("tag_right"))
    return joined.group_by("tag", "tag_right").len().select(pl.len()).collect().item()


def with_duckdb(path: Path) -> int:
    import duckdb

    query = """
        with lines as (select row_number() over () as prompt, line from read_csv(?, columns={'line': 'varchar'},
            header=false, delim='\x01', quote='', escape='')),
        tags as (select distinct prompt, trim(tag) as tag from (
            select prompt, unnest(string_split(line, ';')[2:]) as tag from lines)),
        numbered as (select prompt, dense_rank() over (order by tag) as tag, count(*) over (partition by tag) as n
            from tags),
        kept as (select prompt, tag from numbered where n >= ?)
        select count(*) from (select a.tag, b.tag, count(*) from kept a join kept b
            on a.prompt = b.prompt and a.tag < b.tag group by all)"""
    return duckdb.execute(query, [str(path), LEAST]).fetchone()[0]


JOBS: dict[str, Callable[[Path], object]] = {
    "pairs": pairs,
    "streamed": streamed,
    "polars": with_polars,
    "duckdb": with_duckdb,
    "scipy": with_scipy,
    "html": cli("html"),
    "json": cli("json"),
    "csv": cli("csv"),
    "parquet": cli("parquet"),
    "gexf": cli("gexf"),
    "leiden": leiden,
    "networkx-json": networkx_json,
    "networkx-louvain": networkx_louvain,
    "python-louvain": python_louvain,
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--prompts", type=int, default=1_000_000)
    parser.add_argument("--jobs", nargs="+", choices=JOBS, default=list(JOBS))
    parser.add_argument("--path", type=Path, help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.path:
        print(json.dumps(JOBS[args.jobs[0]](args.path)))
        return
    from tags_scale import make_prompts, setting

    print(setting())
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "prompts.txt"
        with path.open("w") as file:
            for seed, start in enumerate(range(0, args.prompts, 100_000)):
                file.writelines(f"{line}\n" for line in make_prompts(min(100_000, args.prompts - start), seed))
        for job in args.jobs:
            command = [sys.executable, __file__, "--path", str(path), "--jobs", job]
            start = time.perf_counter()
            done = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
            said = done.stdout.read() if done.stdout else ""
            _, status, used = os.wait4(done.pid, 0)
            seconds, wall = used.ru_utime + used.ru_stime, time.perf_counter() - start
            found = said.strip().splitlines()[-1:] if not status else ["failed"]
            print(
                f"{job:>17} {seconds:8.1f} s of processor {wall:8.1f} s {used.ru_maxrss * 1024 / 1e9:6.2f} GB  "
                f"{''.join(found)}  load {os.getloadavg()[0]:.0f}",
                flush=True,
            )


if __name__ == "__main__":
    main()
