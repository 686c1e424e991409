"""Midjourney's prompts: image addresses in front, parts with `::` weights, parameters behind."""

from __future__ import annotations

import re

from clipnb.prompts.dialects.base import BLANKS, Builder, Dialect, SplitPrompt, stripped

_COMMAND = re.compile(r"\s*[/.]imagine(?:\s+prompt\s*:?|\s*:)?\s*|\s*prompt\s*:\s*", re.IGNORECASE)
_ADDRESS = re.compile(r"<?https?://[^\s<>]+>?\s*", re.IGNORECASE)
_DASH = r"(?:--|—|–)\s?"
_PARAMETER = re.compile(rf"(?:^|(?<=\s)){_DASH}([A-Za-z]\w*)[ \t]*((?:(?!\s{_DASH}[A-Za-z]).)*)", re.DOTALL)
_PART = re.compile(r"::\s*([-+]?[0-9]*\.?[0-9]+)?|[,，、;；|]")


class Midjourney(Dialect):
    """`/imagine prompt: A::2 B, c --ar 16:9 --no text`: a subject, parts, weights, parameters."""

    name = "midjourney"
    title = "Midjourney: ::2 weights, --ar 16:9 parameters, --no is the negative prompt"
    example = ("/imagine prompt: a harbour, storm::2 rain, at 5:30 --ar 16:9 --no people", ("storm", "rain", "at 5:30"))
    evidence = re.compile(
        r"^\s*[/.]imagine\b|\s(?:--|—|–)(?:ar|v|no|style|stylize|s|q|niji|seed|chaos|c|tile|iw)\b|\w::"
    )
    has_head = True

    def split(self, prompt: str) -> SplitPrompt:
        start = found.end() if (found := _COMMAND.match(prompt)) else 0
        parameters: dict[str, str] = {}
        while found := _ADDRESS.match(prompt, start):
            parameters["images"] = f"{parameters.get('images', '')} {found.group().strip()}".strip()
            start = found.end()
        behind = _PARAMETER.search(prompt, start)
        end = behind.start() if behind else len(prompt)
        negative = []
        for found in _PARAMETER.finditer(prompt, end):
            name, value = found[1].lower(), BLANKS.sub(" ", found[2]).strip()
            negative += [value] if name == "no" and value else []
            parameters[name] = f"{parameters[name]}, {value}" if name in parameters else value
        builder, place = Builder(prompt), start
        for found in [*_PART.finditer(prompt, start, end), None]:
            left, right = stripped(prompt, place, found.start() if found else end)
            weight = max(-1e6, min(float(found[1]), 1e6)) if found and found[1] else 1.0
            if left < right or (place == start and not builder.tags):
                builder.add(left, right, BLANKS.sub(" ", prompt[left:right]), weight)
            place = found.end() if found else end
        return builder.result(self, negative=", ".join(negative), parameters=parameters)
