"""A published net as a table: what its layers put out, and what they cost and why."""

from collections.abc import Sequence

import numpy as np

from playgrounds._nets import Branch, Row, branches_of, fit, head_of, total
from playgrounds.kit.palette import MUTED, SERIES
from playgrounds.kit.picture import Panel
from playgrounds.kit.words import counted, number

WEIGHTS, PRODUCTS = SERIES[2], SERIES[3]
OUTPUT, PARAMETERS, MULTIPLICATIONS = 0.19, 0.46, 0.7  # where the columns begin, as shares of the width
BAR = 0.1  # of the width: the longest bar


def draw_table(table: Panel, rows: Sequence[Row]) -> None:
    """A line per layer: name, output, bars of its parameters and its multiplications; the arithmetic on hover."""
    n, totals = np.arange(len(rows)), total(rows)
    table.words(np.zeros(len(rows)), n, [row.name for row in rows])
    table.words(np.full(len(rows), OUTPUT), n, [shape_of(row) for row in rows], MUTED)
    table.words([0], [len(rows)], ["total"])
    table.words([OUTPUT], [-1], ["output"], MUTED)
    for left, name, colour in ((PARAMETERS, "parameters", WEIGHTS), (MULTIPLICATIONS, "multiplications", PRODUCTS)):
        values = np.array([getattr(row, name) for row in rows])
        ends = left + BAR * values / values.max()
        some = values > 0
        table.bars_across(ends, n, name, colour, base=left)
        table.words(ends[some] + 0.006, n[some], [compact(int(v)) for v in values[some]])
        table.words([left], [-1], [name], colour)
        table.words([left], [len(rows)], [compact(getattr(totals, name))])
    for x in (0.1, PARAMETERS + 0.1, MULTIPLICATIONS + 0.1):
        table.hover(np.full(len(rows), x), n, [f"{row.name}: {arithmetic(row)}" for row in rows])


def arithmetic(row: Row) -> str:
    """How a layer's numbers come about."""
    layer, (c, h, w), o, k = row.layer, row.into, row.layer.out, row.layer.k
    inputs = c * h * w
    if layer.kind == "conv":
        of = f"{layer.links} of {c * o}" if layer.links else f"{c // layer.groups} · {o}"
        extra = f"{2 * o} of batch norm" if row.norm else counted(o, "bias", "biases")
        places = f"{row.shape[1]}×{row.shape[2]} places: {row.multiplications:,} multiplications"
        return f"{k}×{k} · {of} weights + {extra} = {row.parameters:,}<br>{places}{rounded(row, '<br>')}"
    if layer.kind == "pool":
        return f"maximum of {k}×{k}{rounded(row, '; ')}"
    if layer.kind == "subsample":
        return f"sum of {k}×{k} times a scale plus a bias, both learned: 2 · {c} = {row.parameters}"
    if layer.kind == "global":
        return f"one value per map, of {h}×{w}"
    if layer.kind == "connected":
        units = o * row.shape[1] * row.shape[2]
        return f"({inputs:,} + 1) · {units:,} = {row.parameters:,}; a convolution would share them"
    if layer.kind == "dense":
        products = f"{inputs:,} · {o:,} = {row.multiplications:,} multiplications"
        return f"({inputs:,} + 1) · {o:,} = {row.parameters:,}<br>{products}"
    if layer.kind == "fixed":
        return f"distances to {o} patterns of {inputs} values that are not learned"
    if layer.kind == "inception":
        return "<br>".join(saving(branch, c, h * w) for branch in branches_of(layer, c))
    parts = head_of(c, row.norm)
    return f"1×1 {parts.cut:,} + dense {parts.inner:,} + dense {parts.last:,} = {row.parameters:,}"


def rounded(row: Row, before: str) -> str:
    """What is said where a width is no whole number."""
    layer, width = row.layer, row.shape[1]
    exact = fit(row.into[1], layer.k, layer.stride, layer.pad)
    return "" if exact == width else f"{before}width {exact:g}, rounded {'up' if layer.up else 'down'} to {width}"


def saving(branch: Branch, c: int, places: int) -> str:
    """The multiplications of a branch on c channels, and what its cut saves."""
    products = branch.cost(places).multiplications
    sums = " + ".join(f"{f.k * f.k}·{f.c}·{f.out}" for f in branch.chain)
    said = f"{branch.name}: {places} · ({sums}) = {products:,}"
    if len(branch.chain) == 1:
        return said
    large = branch.chain[1]._replace(c=c)
    direct = places * large.weights
    return f"{said}<br>    without 1×1 {direct:,}, {number(direct / products)} times"


def compact(n: int) -> str:
    """156, 1,516, 48.1k, 102M, 15.5G."""
    for least, size, unit in ((10**9, 10**9, "G"), (10**6, 10**6, "M"), (10**4, 10**3, "k")):
        if n >= least:
            return f"{number(n / size)}{unit}"
    return f"{n:,}"


def shape_of(row: Row) -> str:
    channels, height, width = row.shape
    return f"{height}×{width}×{channels}"
