"""The dialects of prompts: each takes a prompt apart in its own way."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import islice

from clipnb.prompts.dialects.base import DIALECTS as DIALECTS
from clipnb.prompts.dialects.base import SplitPrompt as SplitPrompt
from clipnb.prompts.dialects.base import Tag as Tag
from clipnb.prompts.dialects.base import find_dialect as find_dialect
from clipnb.prompts.dialects.dynamic import expand as expand
from clipnb.prompts.dialects.midjourney import Midjourney as Midjourney
from clipnb.prompts.dialects.plain import Plain as Plain
from clipnb.prompts.dialects.weighted import A1111 as A1111

_SAMPLE, _LONGEST = 10_000, 500  # prompts, and characters of each, in which evidence is looked for


def split(prompt: str, dialect: str = "auto") -> SplitPrompt:
    """Take a prompt apart into a subject and tags with weights.

    Args:
        prompt: a text of any length.
        dialect: one of `DIALECTS`, or `auto`, which looks at the prompt.

    Returns:
        Its subject, tags, negative prompt and parameters; `join` puts it together again.

    Raises:
        PromptsError: no such dialect.

    >>> [(tag.name, tag.weight) for tag in split("a cat, (fur:1.2), [soft]", "a1111").tags][1]
    ('fur', 1.2)
    """
    return find_dialect(choose_dialect([prompt]) if dialect == "auto" else dialect).split(prompt)


def join(prompt: SplitPrompt) -> str:
    """Return the prompt that was taken apart: nothing is lost.

    >>> join(split("(red:1.1) (blue:1.2)", "a1111"))
    '(red:1.1) (blue:1.2)'
    """
    return str(prompt)


def choose_dialect(prompts: Iterable[str]) -> str:
    """Return the dialect that a collection shows; `plain` where it shows none.

    Each dialect has an expression for what shows it in a prompt, and a share of prompts that must do so. Of several
    dialects with enough evidence the one that understands the others' signs is chosen (`rank`), else the one with most.
    At most 10,000 prompts are looked at: of a list some from everywhere, else the first.

    >>> choose_dialect(["1girl, long_hair, solo", "1boy, short_hair"])
    'tags'
    """
    if isinstance(prompts, Sequence):
        prompts = prompts[:: len(prompts) // _SAMPLE + 1]
    seen = [prompt[:_LONGEST] for prompt in islice(prompts, _SAMPLE)]
    found: list[tuple[int, float, str]] = []
    for name, dialect in DIALECTS.items():
        if dialect.evidence is not None and seen:
            share = sum(dialect.evidence.search(prompt) is not None for prompt in seen) / len(seen)
            found += [(dialect.rank, share, name)] if share >= dialect.threshold else []
    return max(found, key=lambda one: one[:2], default=(0, 0.0, "plain"))[2]
