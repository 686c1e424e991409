"""How long the live panel takes to check what is typed: what people write, of all lengths, and the worst texts.

    python tests/benchmarks/yaml_check.py

Prints a table in Markdown: the median of the processor time of checks in turn, all that follows in the panel included.
"""

from __future__ import annotations

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
    "a megabyte of brackets": "{ what is this: [ \n" * 52_000,
}


def main() -> None:
    """Measure, in turn."""
    panel = clipnb.live("epochs: 11\n", live_chart=False)
    seconds: dict[str, list[float]] = {name: [] for name in TEXTS}
    for number in range(TURNS):
        for name, text in TEXTS.items():
            message = {"event": "typed", "page": "p", "number": number, "text": f"{text}# {number}"}
            began = time.process_time()
            panel.editor.yaml.receive(message)
            seconds[name].append(time.process_time() - began)
    print("| what is typed | median, ms | longest, ms |\n|---|---|---|")
    for name, times in seconds.items():
        print(f"| {name} | {1000 * statistics.median(times):.0f} | {1000 * max(times):.0f} |")


if __name__ == "__main__":
    main()
