"""Midjourney's prompts: image addresses in front, parts with `::` weights, parameters behind."""

from __future__ import annotations

import re

from clipnb.prompts.dialects.base import BLANKS, Builder, Dialect, SplitPrompt
from clipnb.prompts.dialects.scanner import NUMBER, SEPARATOR, Scanner

_COMMAND = re.compile(r"\s*[/.]imagine(?:\s+prompt\s*:?|\s*:)?\s*|\s*prompt\s*:\s*", re.IGNORECASE)
_ADDRESS = re.compile(r"<?https?://[^\s<>]+>?\s*", re.IGNORECASE)
# Phones write `--` as a dash, which may also be one of a sentence: with it, only what is known is a parameter.
_KNOWN = (
    "ar|aspect|v|version|no|s|stylize|style|niji|q|quality|c|chaos|seed|sameseed|tile|iw|w|weird|stop|r|repeat|hd|raw"
    "|test|testp|sref|sw|sv|cref|cw|oref|ow|p|profile|draft|fast|relax|turbo|video|exp|uplight|creative|upbeta"
)
_DASH = rf"(?:--(?=[A-Za-z])|[—–](?=(?:{_KNOWN})\b))"
_ANY_DASH = re.compile("--|[—–]")
_PARAMETER = re.compile(rf"(?:^|(?<=\s)){_DASH}([A-Za-z]\w*)[ \t]*((?:(?!\s{_DASH}).)*)", re.DOTALL)
_FIRST = re.compile(rf"(?:^|(?<=\s)){_DASH}")
_TOKENS = re.compile(rf"(?P<weight>::(?P<number>{NUMBER})?)|(?P<cut>[|;]|{SEPARATOR})|[{{}}]")


class Midjourney(Dialect):
    """`/imagine prompt: A::2 B, c --ar 16:9 --no text`: a subject, parts, weights, parameters."""

    name = "midjourney"
    title = "Midjourney: ::2 weights, --ar 16:9 parameters, --no is the negative prompt"
    example = ("/imagine prompt: a harbour, storm::2 rain, at 5:30 --ar 16:9 --no people", ("storm", "rain", "at 5:30"))
    evidence = re.compile(rf"^\s*/imagine\b|\s(?:--|—|–)(?:{_KNOWN})\b|^[^\[{{]*\w::")
    rank = 1
    has_head = True
    tokens = _TOKENS
    separators = "|;，、；\n"

    def body(self, prompt: str) -> tuple[int, int]:
        start = found.end() if (found := _COMMAND.match(prompt)) else 0
        while found := _ADDRESS.match(prompt, start):
            start = found.end()
        dash = _ANY_DASH.search(prompt, start)
        behind = _FIRST.search(prompt, dash.start()) if dash else None
        return start, behind.start() if behind else len(prompt)

    def read(self, builder: Builder, start: int, end: int) -> bool:
        scanner = Scanner(builder, self.tokens, opaque=True)
        scanner.scan(start, end)
        return scanner.whole

    def split(self, prompt: str) -> SplitPrompt:
        builder, (start, end) = Builder(prompt), self.body(prompt)
        self.read(builder, start, end)
        parameters: dict[str, str] = {}
        negative = []
        if images := " ".join(found.group().strip() for found in _ADDRESS.finditer(prompt, 0, start)):
            parameters["images"] = images
        for found in _PARAMETER.finditer(prompt, end):
            name, value = found[1].lower(), BLANKS.sub(" ", found[2]).strip()
            negative += [value] if name == "no" and value else []
            parameters[name] = f"{parameters[name]}, {value}" if name in parameters else value
        return builder.result(self, negative=", ".join(negative), parameters=parameters)
