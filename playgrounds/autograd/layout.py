"""Where the nodes of a graph stand, in layers from the leaves down to the output, and which way its edges go."""

from functools import lru_cache
from itertools import pairwise
from typing import NamedTuple

import numpy as np

from playgrounds._expression import Tape
from playgrounds.autograd.model import edges

Spot = tuple[float, float]  # place in the layer, counted from its middle; minus the layer


class Plan(NamedTuple):
    spots: dict[int, Spot]  # by node
    ways: dict[tuple[int, int], list[Spot]]  # by edge (node, which of its inputs): where it goes by, from the input on
    layers: int
    breadth: float  # places of the widest layer


@lru_cache(maxsize=64)
def plan(tape: Tape) -> Plan:
    """A node's layer is given by its longest path to the output; an edge that passes by a layer has a place there."""
    depth = depths(tape)
    last = max(depth.values())
    rows: list[list] = [[i for i in sorted(depth) if last - depth[i] == n] for n in range(last + 1)]
    routes: dict[tuple[int, int], list] = {}
    for i in sorted(depth):
        for k in edges(tape, i):
            j = tape[i].inputs[k]
            passing = [(i, k, n) for n in range(last - depth[j] + 1, last - depth[i])]
            routes[i, k] = [j, *passing, i]
            for one in passing:
                rows[one[2]].append(one)
    places, breadth = untangled(rows, routes)
    spot = {one: (places[one], -n) for n, row in enumerate(rows) for one in row}
    return Plan(
        spots={i: spot[i] for i in depth},
        ways={edge: [spot[one] for one in way] for edge, way in routes.items()},
        layers=last + 1,
        breadth=max(3.4, breadth),  # few places: not too far apart
    )


def depths(tape: Tape) -> dict[int, int]:
    """The longest path from every node, numbers apart, to the output."""
    depth = {len(tape) - 1: 0}
    for i in reversed(range(len(tape))):
        for k in edges(tape, i):
            j = tape[i].inputs[k]
            depth[j] = max(depth.get(j, 0), depth[i] + 1)
    return depth


def untangled(rows: list[list], routes: dict[tuple[int, int], list]) -> tuple[dict, float]:
    """Order each layer, in place, by the means of its neighbours' places, down and up in turns: places and breadth."""
    above: dict = {one: [] for row in rows for one in row}
    below: dict = {one: [] for row in rows for one in row}
    for way in routes.values():
        for a, b in pairwise(way):
            below[a].append(b)
            above[b].append(a)
    places: dict = {}

    def settle(row: list) -> float:
        """Put a layer's nodes and the edges that pass it beside each other; its width."""
        ends = np.cumsum([0.0] + [1.0 if isinstance(one, int) else 0.4 for one in row])
        places.update(zip(row, ((ends[:-1] + ends[1:] - ends[-1]) / 2).tolist(), strict=True))
        return float(ends[-1])

    breadth = max(map(settle, rows))
    for sweep in range(8):
        near = below if sweep % 2 else above
        for row in rows[::-1] if sweep % 2 else rows:
            row.sort(key=lambda one: np.mean([places[other] for other in near[one]] or [places[one]]))
            settle(row)
    return places, breadth
