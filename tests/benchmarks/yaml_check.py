"""How long the live panel takes to check what is typed: what people write, of all lengths, and the worst texts.

    python tests/benchmarks/yaml_check.py

Prints a table in Markdown: processor time of a check, all that follows in the panel included (median and longest); how
much of that the event loop has in one turn at most; and how long it stands still at most, by the clock (median), which
says something on a quiet machine alone. Keys, clicks and what a page answers wait for the event loop.
"""

from __future__ import annotations

import asyncio
import gc
import statistics
import time

import clipnb

TURNS = 7
TARGET = """\
  - name: target
    features:
      - text: a red circle on a table
        weight: 1 - .5 * t
    transforms:
      - noise: .1
      - random_rotate: {degree: [-20, 20]}
"""
ROW = f"[{', '.join(251 * ['0.5'])}]"
HEAD, TRANSFORMS, FEATURES = "targets:\n", "targets:\n- transforms:\n", "targets:\n- features:\n"
TEXTS = {
    **{f"{7 * n + 1} lines without a mistake": HEAD + n * TARGET for n in (5, 20, 80, 110)},
    "771 lines, the last no YAML": HEAD + 110 * TARGET + "wrong 1\n",
    "9,900 unknown keys": "".join(f"wrong{n}: 1\n" for n in range(9900)),
    "19,000 unknown transforms": TRANSFORMS + "".join(f"  - nois{n}\n" for n in range(19_000)),
    "6,000 mistaken constraints": "targets:\n- constraints:\n" + "  - tv: hello you\n" * 6000,
    "3,000 mistaken expressions": FEATURES + "  - {text: a, weight: foo bar}\n" * 3000,
    "6,000 unknown keys of features": FEATURES + "  - {wieght: 1}\n" * 6000,
    "19,000 features without a text": FEATURES + "  - {}\n" * 19_000,
    "19,000 numbers for targets": HEAD + "- 5\n" * 19_000,
    "19,000 encoders": "models:\n" + "".join(f"- a{n}\n" for n in range(19_000)),
    "300 targets without a mistake": HEAD + 300 * TARGET,
    "6,000 transforms without a mistake": TRANSFORMS + "  - noise: .1\n" * 6000,
    "an image_tensor of 189,756 numbers": "init:\n  image_tensor:\n" + 3 * f"  - [{', '.join(252 * [ROW])}]\n",
    "a megabyte of brackets": "{ what is this: [ \n" * 52_000,
}


def main() -> None:
    """Measure, in turn."""
    found: dict[str, list[tuple[float, ...]]] = {name: [] for name in TEXTS}
    asyncio.run(measure(found))
    print("| what is typed | check, ms | longest, ms | in the event loop, ms | it stands still, ms |")
    print("|---|---|---|---|---|")
    for name, turns in found.items():
        checks, inside, still = zip(*turns, strict=True)
        columns = statistics.median(checks), max(checks), max(inside), statistics.median(still)
        print(f"| {name} | {' | '.join(f'{1000 * value:.0f}' for value in columns)} |")


async def measure(found: dict[str, list[tuple[float, ...]]]) -> None:
    """Type into a panel; note the time of the processor, of it that in the event loop's longest turn, and the gaps."""
    panel = clipnb.live("epochs: 11\n", live_chart=False)
    editor = panel.editor.yaml
    for number in range(TURNS):
        for name, text in TEXTS.items():
            gc.collect()
            message = {"event": "typed", "page": "p", "number": number, "text": f"{text}# {number}"}
            counted, whole = editor.checked, time.process_time()
            before, longest = clocks(), [0.0, 0.0]
            editor.receive(message)
            while True:
                now = clocks()
                longest = [max(old, new - then) for old, new, then in zip(longest, now, before, strict=True)]
                if editor.checked != counted:
                    break
                before = now
                await asyncio.sleep(0.002)
            found[name].append((time.process_time() - whole, *longest))


def clocks() -> tuple[float, float]:
    return time.thread_time(), time.perf_counter()


if __name__ == "__main__":
    main()
