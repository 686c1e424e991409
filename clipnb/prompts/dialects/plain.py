"""Plain prompts, tags of data sets, and sentences: parts between separators."""

from __future__ import annotations

import re

from clipnb.prompts.dialects.base import BLANKS, Builder, Dialect, stripped
from clipnb.prompts.tag_line import TagLine, with_blanks


class Plain(Dialect):
    """A subject, then parts between `,` `;` `|`."""

    name = "plain"
    title = "a subject, then parts between , ; |"
    example = (".imagine a forest ; VRay | high detail", ("VRay", "high detail"))
    evidence = re.compile(r"^[^()\[\]{}<]*\w\s*[;|]\s*\w\w")
    threshold = 0.3
    rank = 4
    has_head = True
    separators = ";|，；、"
    _separator = re.compile("[;|,，；、]")

    def read(self, builder: Builder, start: int, end: int) -> bool:
        return read_between(self._separator, builder, start, end, head=True)


class Natural(Dialect):
    """Sentences of caption models: phrases between commas and full stops."""

    name = "natural"
    title = "sentences: phrases between commas and full stops"
    example = ("A cat sits on a mat. It is warm, and red.", ("A cat sits on a mat", "It is warm", "and red"))
    evidence = re.compile(r"^\W*(?:[A-Z]\w*|an?|the)(?: [\w'’-]+){4}[^.|;]*\.(?:\s|$)")
    threshold = 0.4
    flat = True
    # `1,000` is one number; `J. R.`, `Mr. Smith` and `e.g.` end no sentence
    _separator = re.compile(
        r",(?<![0-9],)|,(?![0-9])|[，;；、。！？\n]"
        r"|[.!?](?=[\"'”’)]?(?:\s|$))(?<!\b[A-Z].)(?<!\bMr.)(?<!\bDr.)(?<!\bSt.)(?<!\bMrs.)(?<!\be\.g.)(?<!\bi\.e.)"
    )

    def read(self, builder: Builder, start: int, end: int) -> bool:
        return read_between(self._separator, builder, start, end)

    def parts(self, prompt: str) -> list[str]:
        return self._separator.split(prompt)


class Tags(Dialect):
    """Danbooru's tags, captions of training data: no subject, a comma in brackets does not split."""

    name = "tags"
    title = "tags of danbooru, WD14 and training captions: no subject; what is in front of ||| are triggers"
    example = (r"1girl, long_hair, saber \(fate\), ;), ^_^", ("1girl", "long hair", "saber (fate)", ";)", "^_^"))
    evidence = re.compile(r"(?:^|,)\s*(?:\d\+?(?:girl|boy)s?|solo|[a-z]+(?:_[a-z]+)+|[^,]*\\\([^,]*\\\))\s*(?:,|$)")
    threshold = 0.3
    separators = "，、\r\n"
    _flat = re.compile(r"[^()\[\]{}]*(?:\([^()\[\]{}]*\)[^()\[\]{}]*)*")
    _trigger = re.compile(r"(?<![^|])[^|]+(?=\|{3})|(?<=\|{3})[^|]+")

    def read(self, builder: Builder, start: int, end: int) -> bool:
        text = builder.prompt[start:end]
        line, place, triggers = TagLine.parse(text), start, text.find("|||") + start
        for lead, tag in zip(line.leads, line.tags, strict=True):
            place += len(lead)
            pieces = self._trigger.finditer(tag) if "|||" in tag else [None]
            for found in pieces:
                left, right = found.span() if found else (0, len(tag))
                left, right = stripped(builder.prompt, place + left, place + right)
                if left < right:
                    name = with_blanks(builder.prompt[left:right].replace("\\(", "(").replace("\\)", ")")).strip()
                    builder.add(left, right, name, category="trigger" if right <= triggers else "tag")
            place += len(tag)
        return self._flat.fullmatch(text) is not None


def read_between(separator: re.Pattern[str], builder: Builder, start: int, end: int, *, head: bool = False) -> bool:
    """Add what stands between separators; parts without a word are left out, but the head may be one."""
    place = start
    cuts = [found.span() for found in separator.finditer(builder.prompt, start, end)]
    for stop, after in [*cuts, (end, end)]:
        left, right = stripped(builder.prompt, place, stop)
        if left < right or (head and place == start and not builder.tags):
            builder.add(left, right, BLANKS.sub(" ", builder.prompt[left:right]))
        place = after
    return True
