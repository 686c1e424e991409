"""What is wrong with a caption that no person would write: seen by its form, after the fact."""

from __future__ import annotations

import re

_THOUGHT = re.compile(r"<think>.*?(</think>|$)", re.DOTALL)
_DATA = re.compile(r"```|\{\s*[\"'}]|\[\s*[\"'\[{\]]|<(\?xml|!doctype|html|svg)\b", re.IGNORECASE)
_REFUSALS = re.compile(
    r"(i['’]?m|i am|we['’]?re|we are) (very |really |so )?sorry\b|sorry[,.;:! ]|(my |i )apologi[sz]e|my apologies|"
    r"(unfortunately,? |as an ai[^.]{0,60},? )?i (can ?not|can['’]?t|could not|couldn['’]?t|won['’]?t|will not|"
    r"do not|don['’]?t|am unable|['’]?m unable|am not able|am not allowed)\b|i['’]m (unable|not able|not allowed)\b|"
    r"as an ai\b|(there is|there['’]s) no (image|picture)\b|no (image|picture) (was|has been|is) (provided|attached)|"
    r"please (provide|upload|share|attach|send)\b|抱歉|对不起|很抱歉|我无法|申し訳",
    re.IGNORECASE,
)
_LOOP = re.compile(r"(.{2,60}?)\1{3,}", re.DOTALL)  # the same four times or more, one after another
_LONGEST_LOOKED_AT = 20_000  # characters
_WORD = re.compile(r"\w+")
_RUN, _PHRASE = 3, 3  # of one word after another; words of a phrase that is counted


class CutText(str):
    """A caption that ends because it may be no longer."""

    __slots__ = ()


def answer_of(text: str) -> str:
    """Return what a model says without what it thought before."""
    return _THOUGHT.sub(" ", text).strip()


def fault_of(text: str) -> str | None:
    """Return what is wrong with a caption, such as "refused to answer"; None where nothing is to be seen.

    >>> fault_of("a photo of a cup cup cup cup"), fault_of("a cup of coffee and a cup of tea")
    ('repeats itself', None)
    >>> fault_of('{"caption": "a cat"}'), fault_of("I'm sorry, I can't help with that."), fault_of("...")
    ('answered with data instead of a sentence', 'refused to answer', 'had nothing to say')
    """
    text = text.strip()[:_LONGEST_LOOKED_AT]
    if not any(sign.isalpha() for sign in text):
        return "answered with data instead of a sentence" if _DATA.match(text) else "had nothing to say"
    if _DATA.match(text):
        return "answered with data instead of a sentence"
    if _REFUSALS.match(text):
        return "refused to answer"
    if _repeats(text):
        return "repeats itself"
    if 3 * sum(sign.isalpha() or sign.isspace() for sign in text) < len(text) or text.count("\ufffd") > 3:
        return "answered with nonsense"
    return None


def _repeats(text: str) -> bool:
    words = [word.casefold() for word in _WORD.findall(text)]
    if any(len(set(words[i : i + _RUN])) == 1 and not words[i].isdigit() for i in range(len(words) - _RUN + 1)):
        return True
    phrases = [tuple(words[i : i + _PHRASE]) for i in range(len(words) - _PHRASE + 1)]
    if len(phrases) > 2 * _PHRASE and 2 * len(set(phrases)) < len(phrases):
        return True
    looped = sum(len(found[0]) for found in _LOOP.finditer(text))
    return 2 * looped > len(text)
