"""Requirements with conditions: pip reads them by the machine that it runs on, a bundle is for another one."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import Any

from packaging.requirements import Requirement

from clipnb.bundle.target import Target


def needed_there(
    descriptions: Iterable[dict[str, Any]], extras: Mapping[str, Collection[str]], target: Target
) -> Iterator[Requirement]:
    """Find requirements whose conditions hold on the other machine.

    Args:
        descriptions: metadata of packages, as pip reports it.
        extras: that are asked for, by the packages' names.
        target: the other machine.

    Yields:
        The requirements that have a condition, without it.
    """
    for description in descriptions:
        chosen = ["", *extras.get(description["name"], ())]
        for text in description.get("requires_dist", []):
            wanted = Requirement(text)
            marker, wanted.marker = wanted.marker, None
            if marker and any(marker.evaluate({**target.markers, "extra": extra}) for extra in chosen):
                yield wanted
