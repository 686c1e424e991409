"""Places for very many tags: each community an island of even density, friends near each other, lone ones around."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from clipnb.tags.counting.interning import Ints, SmallInts
from clipnb.tags.tag_graph import TagGraph

Floats = npt.NDArray[np.float64]

_ISLANDS = 120  # the largest communities; the rest stands around them
_ANGLES = 20
_ROUNDS = 30
_SPACING = 10.0
_GOLDEN = np.pi * (3 - np.sqrt(5))


def layout(graph: TagGraph) -> Floats:
    """Return a place for each node, shape (2, N), by the communities that the graph carries and the pairs that bind."""
    binds, bond = graph.bonds()
    of_node = np.zeros(len(graph), dtype=np.int64) if graph.community is None else graph.community
    return map_places(binds.pairs.source, binds.pairs.target, bond, np.unique(of_node, return_inverse=True)[1])


def map_places(source: Ints | SmallInts, target: Ints | SmallInts, weight: Floats, group: Ints) -> Floats:
    """Return places for N tags, shape (2, N), wider than high.

    Args:
        source: one end of each of E pairs, shape (E,).
        target: the other end.
        weight: how strongly each pair pulls, not negative.
        group: community of each tag, shape (N,).
    """
    size = np.bincount(group)
    islands = np.argsort(-size, kind="stable")[:_ISLANDS]
    islands = islands[size[islands] > 2]
    number = np.full(len(size), -1, dtype=np.intp)  # of 32 bits in a browser's Python
    number[islands] = np.arange(len(islands))
    island = number[group]
    places = np.zeros((2, len(group)))
    radius = _SPACING * 0.6 * np.sqrt(size[islands])
    centres = _apart(radius, _between(island[source], island[target], weight, len(islands)))
    if len(islands):  # in the middle of what stands around them
        centres -= ((centres - radius).min(axis=1) + (centres + radius).max(axis=1))[:, None] / 2
    inside = island >= 0
    offset = _even(_near_friends(source, target, weight, island), island)
    places[:, inside] = (
        (centres[:, island] + offset * np.where(inside, radius[island], 0.0))[:, inside] if len(islands) else 0.0
    )
    outer = np.hypot(*centres) + radius if len(islands) else np.zeros(1)
    around = np.flatnonzero(~inside)
    around = around[np.argsort(group[around], kind="stable")]
    turn = np.arange(len(around)) + 1
    far = np.sqrt((outer.max(initial=0.0) + 3 * _SPACING) ** 2 + turn * _SPACING**2 / np.pi * 1.3)
    places[:, around] = far * np.stack([np.cos(turn * _GOLDEN), np.sin(turn * _GOLDEN)])
    places[0] *= 1.25
    return places


def _between(a: Ints, b: Ints, weight: Floats, islands: int) -> Floats:
    """How strongly islands are bound to one another, shape (islands, islands)."""
    bridge = (a >= 0) & (b >= 0) & (a != b)
    place = (a[bridge] * islands + b[bridge]).astype(np.intp)
    flat = np.bincount(place, weight[bridge], minlength=islands * islands)
    one_way = flat.reshape(islands, islands)
    return np.asarray(one_way + one_way.T, dtype=np.float64)


def _apart(radius: Floats, bound: Floats) -> Floats:
    """Place discs, the largest first, each touching another one, where it is nearest to those that it is bound to."""
    centres = np.zeros((2, len(radius)))
    circle = np.arange(_ANGLES) / _ANGLES * 2 * np.pi
    ring = np.stack([np.cos(circle), np.sin(circle)])
    for i in range(1, len(radius)):
        reach = radius[:i] + radius[i] + 2.5 * _SPACING
        spots = (centres[:, :i, None] + reach[:, None] * ring[:, None, :]).reshape(2, -1)
        apart = np.hypot(*(spots[:, :, None] - centres[:, None, :i]))
        free = (apart >= reach - 1e-6).all(axis=1)
        pull = bound[i, :i] / max(bound[i, :i].max(), 1e-12) + 0.3 * radius[:i] / radius[0]
        cost = apart @ pull + np.where(free, 0.0, np.inf)
        centres[:, i] = spots[:, np.argmin(cost)]
    return centres


def _near_friends(source: Ints | SmallInts, target: Ints | SmallInts, weight: Floats, island: Ints) -> Floats:
    """Two coordinates a tag, by which those that pull at each other inside an island are close; shape (2, N)."""
    n = len(island)
    same = (island[source] == island[target]) & (island[source] >= 0)
    a, b, pull = source[same], target[same], weight[same]
    strength = np.bincount(a, pull, n) + np.bincount(b, pull, n)
    chance = np.random.default_rng(0)
    places = chance.standard_normal((2, n))
    members = np.maximum(np.bincount(island + 1), 1)
    for _ in range(_ROUNDS):
        for axis in range(2):
            own = places[axis]
            friends = np.bincount(a, pull * own[b], n) + np.bincount(b, pull * own[a], n)
            own = np.where(strength > 0, 0.4 * own + 0.6 * friends / np.maximum(strength, 1e-12), own)
            own = own - (np.bincount(island + 1, own) / members)[island + 1]
            if axis:
                share = np.bincount(island + 1, own * places[0]) / np.maximum(
                    np.bincount(island + 1, places[0] ** 2), 1e-12
                )
                own = own - share[island + 1] * places[0]
            scale = np.sqrt(np.bincount(island + 1, own**2) / members)
            places[axis] = own / np.maximum(scale, 1e-12)[island + 1]
    return places


def _even(places: Floats, island: Ints) -> Floats:
    """Spread each island evenly over the unit disc, keeping who is left of whom and who above; shape (2, N)."""
    members = np.bincount(island + 1)
    starts = np.cumsum(members) - members
    order = np.lexsort((places[0], island))
    rank = np.empty(len(island), dtype=np.int64)
    rank[order] = np.arange(len(island)) - starts[island[order] + 1]
    columns = np.maximum(np.round(np.sqrt(members)), 1).astype(np.int64)[island + 1]
    column = rank * columns // members[island + 1]
    order = np.lexsort((places[1], column, island))
    changes = np.flatnonzero(np.diff(column[order]) | np.diff(island[order])) + 1
    begins = np.concatenate(([0], changes))
    lengths = np.diff(np.append(begins, len(island)))
    row = np.empty(len(island))
    row[order] = (np.arange(len(island)) - np.repeat(begins, lengths) + 0.5) / np.repeat(lengths, lengths)
    jitter = np.random.default_rng(1).uniform(-0.35, 0.35, len(island))
    x, y = 2 * (column + 0.5 + jitter) / columns - 1, 2 * row - 1
    # the concentric map of Shirley and Chiu (1997), from the square to the disc
    wide = np.abs(x) > np.abs(y)
    far = np.where(wide, x, y)
    ratio = np.where(wide, y, x) / np.where(far == 0, 1, far)
    angle = np.where(wide, np.pi / 4 * ratio, np.pi / 2 - np.pi / 4 * ratio)
    return np.stack([far * np.cos(angle), far * np.sin(angle)])
