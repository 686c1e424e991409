"""Conditions on counts, such as `>= 5`."""

from __future__ import annotations

import operator
import re
from collections.abc import Callable
from dataclasses import dataclass

from clipnb.errors import TagsError, shortened

_OPERATORS: dict[str, Callable[[int, int], bool]] = {
    "=": operator.eq,
    "==": operator.eq,
    ">": operator.gt,
    "<": operator.lt,
    ">=": operator.ge,
    "<=": operator.le,
}
_FILTER = re.compile(r"\s*(==|>=|<=|=|>|<)\s*([0-9]{1,18})\s*")


@dataclass(frozen=True)
class CountFilter:
    """A condition on a count, such as `>= 5`.

    Attributes:
        sign: one of `=` `==` `>` `<` `>=` `<=`.
        number: what the count is compared with, at least 0.
    """

    sign: str
    number: int

    @classmethod
    def parse(cls, condition: str | CountFilter) -> CountFilter:
        """Read a filter; blanks may stand anywhere but inside the sign or the number.

        Raises:
            TagsError: anything that is not a sign and one whole number.

        >>> CountFilter.parse(" >= 5")
        CountFilter(sign='>=', number=5)
        """
        if isinstance(condition, CountFilter):
            return condition
        found = _FILTER.fullmatch(condition)
        if found is None:
            raise TagsError(
                f"cannot read the filter {shortened(condition, 40)!r}: "
                "write = == > < >= or <= and a whole number, such as '>=5'"
            )
        return cls(found[1], int(found[2]))

    def __call__(self, count: int) -> bool:
        """Whether a count passes.

        >>> CountFilter.parse("<= 8")(8)
        True
        """
        return _OPERATORS[self.sign](count, self.number)
