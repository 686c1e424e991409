"""One mutator for every input: bytes flipped, cut, repeated, spliced; values of JSON and YAML replaced and nested."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from random import Random
from typing import Any

import yaml

LONGEST = 2**16  # bytes of a case
_LONGEST_YAML = 2**14  # bytes that are read to change what they hold
_DEEPEST = 60  # steps into a value
_TOKENS = [
    *b"nan -inf 1e999 -1 0x1F 1:1 2020-01-01 ~ null true 30% \xff\xfe \xef\xbb\xbf \xed\xa0\x80 \xe2\x80\xae".split(),
    *b"{ } [ ] ( ) < > : :: , ; | # & * <<: !!python/name:os.system !!int !!set %TAG - ? ' \" \\ / .. ../ ~a".split(),
    *b"=cmd|1 +1 @ $ ${a} __a__ {2$$a|b} (a:1.2) [a:b:.5] <lora:x:1> BREAK AND --ar --no :-1) \\( _ a:x".split(),
    *b"lambda t ** // % if else for in factorial(9) 9**9**9 random() .get( __class__ is not None".split(),
    *(
        b"\0",
        b"\n",
        b"\r\n",
        b"\t",
        b"\x1b[2J",
        b" ",
        b"\x80",
        b"\xff" * 4,
        b"\0" * 4,
        b"\x7f\xff\xff\xff",
        b"\xe2\x80\xa8",
    ),
]
_VALUES: list[Any] = [
    *(
        None,
        True,
        False,
        0,
        -1,
        1,
        0.5,
        10**30,
        -(2**63),
        2**31,
        float("nan"),
        float("inf"),
        1e-320,
        "",
        " ",
        "a",
        "nan",
    ),
    *("\0", "\ud800", "\u202e", "../../x", "/dev/zero", "~nobody", "-rf", "CON", "=1+1", "1e999", "t", "x" * 5000),
    *([], {}, [[]], [{}], {"": None}, [None] * 300, {"a": {"a": {"a": {"a": 1}}}}),
]


class Mutator:
    """Makes cases out of others, the same ones from the same seed."""

    def __init__(self, random: Random, form: str, make: Callable[[Random], bytes] | None = None) -> None:
        """Make cases of bytes, and where the form is "json", "yaml" or "value" of what they hold.

        "value" is JSON that stays JSON, as a message is. What `make` returns is most of the cases where it is given:
        as it is, or changed.
        """
        self._random, self._form, self._make = random, form, make

    def mutated(self, corpus: Sequence[bytes]) -> bytes:
        """Return one of the cases, changed once or several times."""
        data = first = self._random.choice(corpus)
        if self._make is not None and self._random.random() < 0.85:
            data = first = self._make(self._random)
            if self._random.random() < 0.75:
                return data
        is_value = self._form == "value" or (self._form and self._random.random() < 0.75)
        for _ in range(self._random.choice([1, 1, 1, 1, 2, 3, 8])):
            data = self._with_value(data, corpus) if is_value else self._with_bytes(data, corpus)
        return data if len(data) <= LONGEST else first if self._form == "value" else data[:LONGEST]

    def _with_bytes(self, data: bytes, corpus: Sequence[bytes]) -> bytes:
        draw = self._random
        start, end = sorted(draw.randrange(len(data) + 1) for _ in "ab")
        if draw.random() < 0.7:
            end = min(end, start + draw.randrange(1, 17))
        other = draw.choice(corpus)
        changes: list[Callable[[], bytes]] = [
            lambda: bytes(one ^ (1 << draw.randrange(8)) for one in data[start:end]),
            lambda: draw.randbytes(end - start),
            lambda: b"",
            lambda: draw.choice(_TOKENS),
            lambda: data[start:end] * draw.choice([2, 3, 50, 3000]),
            lambda: other[draw.randrange(len(other) + 1) :][: draw.choice([8, 64, LONGEST])],
            lambda: draw.choice(_TOKENS) * draw.choice([1, 2, 100, 5000]),
        ]
        return (data[:start] + draw.choice(changes)() + data[end:])[:LONGEST]

    def _with_value(self, data: bytes, corpus: Sequence[bytes]) -> bytes:
        try:
            value = self._load(data)
            changed = self._changed(value, self._load(self._random.choice(corpus)), _DEEPEST)
            if self._form == "yaml" and self._random.random() < 0.5:
                return yaml.dump(
                    changed, Dumper=yaml.CSafeDumper, allow_unicode=True, sort_keys=False, encoding="utf-8"
                )
            return json.dumps(changed, ensure_ascii=self._random.random() < 0.5).encode("utf-8", "surrogatepass")
        except (ValueError, yaml.YAMLError, RecursionError, TypeError, LookupError, AttributeError, OverflowError):
            return data if self._form == "value" else self._with_bytes(data, corpus)

    def _load(self, data: bytes) -> Any:
        return yaml.load(data[:_LONGEST_YAML], yaml.CSafeLoader) if self._form == "yaml" else json.loads(data)

    def _changed(self, value: Any, other: Any, deepest: int, key: object = None) -> Any:
        draw = self._random
        if (
            isinstance(value, (dict, list))
            and value
            and deepest
            and draw.random() < (0.95 if deepest == _DEEPEST else 0.8)
        ):
            key = draw.choice(list(value) if isinstance(value, dict) else range(len(value)))
            inner = self._changed(value[key], other, deepest - 1, key)
            if isinstance(value, list):
                return [*value[:key], *draw.choice([[inner], [inner], [], [inner, value[key]]]), *value[key + 1 :]]
            name = draw.choice([*[key] * 30, self._anything(other), *value])
            return {**{k: v for k, v in value.items() if k != key or draw.random() < 0.3}, str(name): inner}
        if isinstance(value, str) and value[:1] in ("{", "[") and draw.random() < 0.7:  # JSON inside of JSON
            return json.dumps(self._changed(json.loads(value), other, deepest))
        if isinstance(value, str) and draw.random() < 0.5:
            return self._with_bytes(value.encode("utf-8", "surrogatepass"), [b"a cat, fur"]).decode("utf-8", "replace")
        if draw.random() < 0.75:  # mostly still taken
            return draw.choice([*_under(key, other), self._alike(value)])
        return draw.choice([[value], {"a": value}, self._part(other), *[self._anything(other)] * 4])

    def _alike(self, value: Any) -> Any:
        draw = self._random
        if isinstance(value, bool) or not isinstance(value, (int, float)):
            return not value if isinstance(value, bool) else value
        return draw.choice([value + 1, value - 1, -value, value * 2, value / 2, 0, 1, 0.5, draw.randrange(1, 200)])

    def _part(self, value: Any) -> Any:
        while isinstance(value, (dict, list)) and value and self._random.random() < 0.7:
            value = self._random.choice(list(value.values()) if isinstance(value, dict) else value)
        return value

    def _anything(self, other: Any) -> Any:
        return self._random.choice([*_VALUES, self._part(other)])


def _under(key: object, value: Any) -> list[Any]:
    """Return what stands under a key, wherever it is in a value."""
    found, pending = [], [value]
    while pending and len(found) < 100:
        one = pending.pop()
        if isinstance(one, dict):
            found += [one[key]] if key in one else []
            pending += one.values()
        elif isinstance(one, list):
            pending += one
    return found
