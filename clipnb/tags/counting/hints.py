"""What to tell people whose tags are not where they expect them."""

from __future__ import annotations

from collections import Counter

from clipnb.errors import shortened
from clipnb.prompts.dialects import DIALECTS, choose_dialect
from clipnb.prompts.splitting import PLAIN, split_prompt
from clipnb.tags.counting.counts import TagCounts

_SAMPLE, _FEWEST = 1_000, 3


def why_no_tags(counts: TagCounts) -> str:
    """Return why there is no tag.

    >>> why_no_tags(TagCounts())
    'there are no prompts, and so no tags'
    """
    number = counts.number_of_prompts
    if not number:
        return "there are no prompts, and so no tags"
    few = "1 prompt has no tag" if number == 1 else f"none of {number:,} prompts has a tag"
    return f"{few}: {_HEADS}" if counts.head else few


def hints(counts: TagCounts) -> list[str]:
    """Return what may be wrong with how prompts were taken apart, for people."""
    return [hint for hint in (head_hint(counts), dialect_hint(counts)) if hint]


def dialect_hint(counts: TagCounts) -> str:
    """Return the dialect that prompts show where they are taken apart as plain ones; "" elsewhere.

    >>> dialect_hint(TagCounts(["a cat, (fur:1.2)", "a dog, <lora:pet:0.8>"]))[:32]
    'these look like the dialect a111'
    """
    if not counts.head or counts.clean != PLAIN or not counts.prompts:
        return ""
    name = choose_dialect(counts.prompts)
    if name == counts.dialect:
        return ""
    return f"these look like the dialect {name} ({DIALECTS[name].title}); dialect={name!r} (--dialect {name}) reads it"


def head_hint(counts: TagCounts) -> str:
    """Return what is left out as the subject of prompts, where it looks like a tag; "" elsewhere.

    A subject is seldom repeated: when half of the prompts or more begin alike, or begin with what others have as a
    tag, that is probably the trigger word or the first tag of captions.

    >>> head_hint(TagCounts(["sks, girl, hat", "sks, boy", "sks, hat"]))[:46]
    "all of 3 prompts begin with 'sks', which is ta"
    """
    sample = counts.prompts[:: max(1, len(counts.prompts) // _SAMPLE)]
    if not counts.head or len(sample) < _FEWEST:
        return ""
    heads = Counter(split_prompt(prompt, 1)[0].casefold() for prompt in sample)
    (head, number), *_ = heads.most_common(1)
    if head and 2 * number >= len(sample):
        share = "all" if number == len(sample) else f"{number / len(sample):.0%}"
        return f"{share} of {len(counts.prompts):,} prompts begin with {shortened(head)!r}, which is taken {_SUBJECT}"
    as_tags = sum(number for head, number in heads.items() if head in counts)
    if 2 * as_tags >= len(sample):
        return f"{as_tags / len(sample):.0%} of the prompts begin with what is a tag in others, and is taken {_SUBJECT}"
    return ""


_TAGS_ONLY = "head=False (--tags-only) counts it too"
_SUBJECT = f"for their subject and not counted; {_TAGS_ONLY}"
_HEADS = f"the first part of a prompt is its subject; {_TAGS_ONLY}"
