"""Plain prompts, tags of data sets, and sentences: parts between separators."""

from __future__ import annotations

import re

from clipnb.prompts.dialects.base import BLANKS, Builder, Dialect, SplitPrompt, stripped
from clipnb.prompts.tag_line import TagLine, with_blanks


class Plain(Dialect):
    """A subject, then parts between `,` `;` `|`."""

    name = "plain"
    title = "a subject, then parts between , ; |"
    example = (".imagine a forest ; VRay | high detail", ("VRay", "high detail"))
    has_head = True
    _separator = re.compile("[;|,，；、]")

    def split(self, prompt: str) -> SplitPrompt:
        return split_at(self._separator, prompt, self)


class Natural(Dialect):
    """Sentences of caption models: phrases between commas and full stops."""

    name = "natural"
    title = "sentences: phrases between commas and full stops"
    example = ("A cat sits on a mat. It is warm, and red.", ("A cat sits on a mat", "It is warm", "and red"))
    evidence = re.compile(r"^\W*(?:[A-Z]\w*|an?|the)(?: [\w'’-]+){4}[^.|;]*\.(?:\s|$)")
    threshold = 0.4
    _separator = re.compile(r"[.!?](?=\s|$)|[,，;；、。！？]")

    def split(self, prompt: str) -> SplitPrompt:
        return split_at(self._separator, prompt, self)


class Tags(Dialect):
    """Danbooru's tags, captions of training data: no subject, a comma in brackets does not split."""

    name = "tags"
    title = "tags of danbooru, WD14 and training captions: no subject"
    example = (r"1girl, long_hair, saber \(fate\), ;), ^_^", ("1girl", "long hair", "saber (fate)", ";)", "^_^"))
    evidence = re.compile(r"(?:^|,)\s*(?:\d\+?(?:girl|boy)s?|solo|[a-z]+(?:_[a-z]+)+|[^,]*\\\([^,]*\\\))\s*(?:,|$)")
    threshold = 0.3

    def split(self, prompt: str) -> SplitPrompt:
        line, builder, place = TagLine.parse(prompt), Builder(prompt), 0
        for lead, tag in zip(line.leads, line.tags, strict=True):
            start = place + len(lead)
            place = start + len(tag)
            name = with_blanks(tag.replace("\\(", "(").replace("\\)", ")"))
            builder.add(start, place, name)
        return builder.result(self)


def split_at(separator: re.Pattern[str], prompt: str, dialect: Dialect) -> SplitPrompt:
    """Split at a separator; parts without a word are left out, but the head may be one."""
    builder, place = Builder(prompt), 0
    for end, after in [*((found.start(), found.end()) for found in separator.finditer(prompt)), (len(prompt), 0)]:
        start, stop = stripped(prompt, place, end)
        if start < stop or (dialect.has_head and place == 0):
            builder.add(start, stop, BLANKS.sub(" ", prompt[start:stop]))
        place = after
    return builder.result(dialect)
