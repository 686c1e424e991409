"""Prompts of A1111 and its forks and of ComfyUI: brackets that weigh, schedules, networks."""

from __future__ import annotations

import re
from typing import ClassVar

from clipnb.prompts.dialects.base import Builder, Dialect
from clipnb.prompts.dialects.scanner import SEPARATOR, Scanner

TOKENS = (
    rf"\\[()\[\]{{}}\\]|(?P<cut>{SEPARATOR}|\bBREAK\b)|(?P<both>\bAND\b)|(?P<comment>(?<!\w)\#[^\n]*)"
    r"|(?P<network><(?:lora|lyco|lycoris|locon|hypernet)\s*:[^<>]*>)"
    r"|(?P<embedding>(?<!\w)embedding:(?:[^\s,，、；:()\[\]{}<>\\]|\\.)+)"
)


class A1111(Dialect):
    """A1111, Forge, SD.Next: `(x:1.2)`, `[x]`, `[a:b:0.5]`, `[a|b]`, `<lora:name:0.8>`, `BREAK`, `AND`."""

    name = "a1111"
    title = "A1111 and forks: weights in brackets, schedules, networks, BREAK and AND"
    example: ClassVar[tuple[str, tuple[str, ...]]] = (
        "(red:1.1) (blue:1.2), [fur:scales:0.5] BREAK <lora:ink:0.8>",
        ("red", "blue", "fur", "scales", "ink"),
    )
    evidence = re.compile(
        r"<(?:lora|lyco|hypernet):|\([^()]*:\s*[0-9.]+\s*\)|\(\([^()]|\bBREAK\b|\[[^\[\]]*:[0-9.]+\]|\[[^\[\]|]*\|[^\[\]]*\]"
    )
    rank = 1
    tokens: ClassVar[re.Pattern[str]] = re.compile(rf"{TOKENS}|[()\[\]|:]")
    opaque: ClassVar[bool] = False

    def read(self, builder: Builder, start: int, end: int) -> bool:
        scanner = Scanner(builder, self.tokens, opaque=self.opaque)
        scanner.scan(start, end)
        return scanner.whole


class ComfyUI(A1111):
    """ComfyUI: as A1111, with choices such as `{a|b}` and `embedding:name`."""

    name = "comfyui"
    title = "ComfyUI: as a1111, with {a|b} choices and embedding:name"
    example = ("a {red|blue} cat, embedding:fur, (soft:1.2)", ("a", "red", "blue", "cat", "fur", "soft"))
    evidence = re.compile(r"\bembedding:\w")
    rank = 2
    tokens = re.compile(rf"{TOKENS}|[()\[\]{{}}|:]")
