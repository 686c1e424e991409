"""Run the fuzzer by hand: `python -m tests.fuzz --seconds 3600`; every target gets the same share of the time."""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path

from tests.fuzz import hunt
from tests.fuzz.targets import TARGETS


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description=__doc__)
    parser.add_argument("--seconds", type=float, default=3600, help="of all targets together")
    parser.add_argument("--cases", type=int, default=10**9, help="of each target at most")
    parser.add_argument("--work", type=float, default=hunt.SECONDS, help="seconds of it that a case may take")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--target", action="append", help="one whose name begins so; may be given again")
    parser.add_argument("--part", type=int, nargs=2, default=(0, 1), metavar=("K", "N"), help="Kth of N shares of them")
    parser.add_argument("--found", type=Path, default=Path(tempfile.gettempdir(), "clipnb-fuzz"), help="gets findings")
    parser.add_argument("--replay", type=Path, help="run one input that was found, without limits, and nothing else")
    given = parser.parse_args()
    chosen = {name: one for name, one in TARGETS.items() if name.startswith(tuple(given.target or [""]))}
    part, parts = given.part
    chosen = dict(list(chosen.items())[part::parts])
    if not chosen:
        parser.error(f"there is no such target; there are {', '.join(TARGETS)}")
    if given.replay:
        for target in chosen.values():
            target.run(given.replay.read_bytes())
        return 0
    hunt.SECONDS, reports = given.work, []
    for name, target in chosen.items():
        reports.append(hunt.hunt(name, target, given.seed, given.cases, given.seconds / len(chosen), given.found))
        print(reports[-1], flush=True)
    found = sum(len(report.findings) for report in reports)
    print(f"{sum(report.cases for report in reports):,} cases, {found} findings{f' in {given.found}' * bool(found)}")
    return int(found > 0)


if __name__ == "__main__":
    raise SystemExit(main())
