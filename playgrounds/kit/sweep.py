"""A knob's whole range at once: the number with which a run ends, for many values of one knob and a few seeds.

A sweep is a playground of its own to the store and the player: its states are the runs that are done, so that it comes
in as it is computed, can be stopped, and costs a class one computation.
"""

import math
from collections.abc import Iterator, Sequence
from types import SimpleNamespace
from typing import Any, NamedTuple

import numpy as np

from playgrounds.kit.catalogue import Playground
from playgrounds.kit.figures import Figure, Panel, figure, lines, loss_axis, points, rule
from playgrounds.kit.metrics import metrics
from playgrounds.kit.palette import BLUE, INK, MUTED, ORANGE
from playgrounds.kit.params import Knob, Params
from playgrounds.kit.words import number

VALUES, SEEDS = 11, 3


class Sweep(NamedTuple):
    """What is swept: one knob of these params, looking at one metric of the last state."""

    playground: Playground
    params: Params
    knob: str
    metric: str

    @property
    def plan(self) -> list[tuple[Any, int | None]]:
        """Values and seeds in the order of computation: the whole range, coarse and then fine, for one seed after the
        other."""
        values = spread(self.params.knobs()[self.knob])
        order = [*values[::4], *values[2::4], *values[1::2]]
        seed = self.params.knobs().get("seed")
        first = None if seed is None else min(self.params.seed, seed.hi - SEEDS + 1)
        seeds = [None] if first is None else range(first, first + SEEDS)
        return [(value, one) for one in seeds for value in order]

    @property
    def length(self) -> int:
        return 1 + len(self.plan)

    def model_dump_json(self) -> str:  # what the store names runs by
        return f"{self.knob} {self.metric} {self.params.model_dump_json()}"


class State(NamedTuple):
    step: int  # runs done
    value: float | None  # of the knob, in the run done last
    result: float | None  # of the metric; None: not known in that run
    note: str
    results: tuple[tuple[float, int | None, float | None], ...]  # value, seed, result of every run done


def of(playground: Playground, params: Params, knob: str, metric: str) -> Sweep:
    """The sweep from these params. Where the knob itself stands does not matter, so that everybody shares one sweep."""
    return Sweep(playground, params.model_copy(update={knob: params.knobs()[knob].default}), knob, metric)


def spread(one: Knob) -> list[Any]:
    """VALUES values over the knob's range, both bounds included; fewer where there are not so many."""
    if one.log:
        grid = one.grid()
        values = [grid[round(i)] for i in np.linspace(0, len(grid) - 1, VALUES)]
    else:
        step = one.step or (1 if one.kind == "int" else (one.hi - one.lo) / 100)
        raw = np.linspace(one.lo, one.hi, VALUES)
        values = [min(one.hi, one.lo + round((v - one.lo) / step) * step) for v in raw]
    exact = int if one.kind == "int" else lambda v: float(f"{v:.10g}")
    return sorted({exact(v) for v in values})


def run(p: Sweep) -> Iterator[State | None]:
    """A state per run that is done; None while one goes on, so that others can have their turn."""
    results: list[tuple[float, int | None, float | None]] = []
    yield State(0, None, None, f"None of the {len(p.plan)} runs is done yet.", ())
    for value, seed in p.plan:
        changes = {p.knob: value} | ({} if seed is None else {"seed": seed})
        try:
            params = type(p.params)(**(p.params.model_dump() | changes))
        except ValueError:  # a rule between knobs forbids it: there is no such run
            result = None
        else:
            result = None
            for state in p.playground.run(params):
                result = result if state is None else metrics(state)[p.metric]
                yield None
        results.append((value, seed, result))
        yield State(len(results), float(value), result, _note(p, results), tuple(results))


def _note(p: Sweep, results: Sequence[tuple[float, int | None, float | None]]) -> str:
    value, seed, result = results[-1]
    name = p.metric.replace("_", " ")
    said = "is not known" if result is None else f"ends at {number(result)}"
    of = f"{p.params.knobs()[p.knob].label} {number(value)}" + ("" if seed is None else f", seed {seed}")
    finite = [r for r in results if r[2] is not None and math.isfinite(r[2])]
    if len(finite) < 2:
        return f"{of}: {name} {said}."
    lowest, highest = min(finite, key=lambda r: r[2]), max(finite, key=lambda r: r[2])
    return (
        f"{of}: {name} {said}. So far from {number(lowest[2])} (at {number(lowest[0])}) "
        f"to {number(highest[2])} (at {number(highest[0])}); {len(results)} of {len(p.plan)} runs are done."
    )


def draw(p: Sweep, states: Sequence[State], now: int) -> Figure:
    """Every result so far and their means. `mark` is the shape for where the reader is."""
    one = p.params.knobs()[p.knob]
    results = states[-1].results
    finite = [(v, r) for v, _, r in results if r is not None and math.isfinite(r)]
    broken = [v for v, _, r in results if r is not None and not math.isfinite(r)]
    axis = loss_axis([r for _, r in finite]) if finite and min(r for _, r in finite) > 0 else {}
    if not axis and finite:
        low, high = min(r for _, r in finite), max(r for _, r in finite)
        axis = {"range": [low - 0.08 * (high - low or 1), high + 0.08 * (high - low or 1)]}
    top = axis["range"][1] if finite else 1.0
    top = 10**top if axis.get("type") == "log" else top
    pad = (one.hi / one.lo) ** 0.04 if one.log else 0.04 * (one.hi - one.lo)
    ends = np.log10([one.lo / pad, one.hi * pad]).tolist() if one.log else [one.lo - pad, one.hi + pad]
    across = {"title": one.label, "range": ends} | ({"type": "log", "dtick": 1} if one.log else {})
    name = p.metric.replace("_", " ")
    fig = figure(
        360, Panel((0, 1, 0.05, 1), 300, f"{name} at the end of the run ● , mean ━ , diverged ▲", across, axis)
    )
    values = sorted({v for v, _ in finite})
    means = [float(np.mean([r for w, r in finite if w == v])) for v in values]
    spots = {
        "customdata": [v for v, _ in finite],
        "hovertemplate": f"{one.label} %{{x:.4g}}: {name} %{{y:.4g}}<extra></extra>",
    }
    fig["data"] += [
        lines(1, values, means, "mean", MUTED, hoverinfo="skip"),
        points(1, [v for v, _ in finite], [r for _, r in finite], "runs", BLUE, **spots),
        points(1, broken, [top] * len(broken), "diverged", ORANGE, marker={"symbol": "triangle-up", "size": 12},
               customdata=broken, hovertemplate=f"{one.label} %{{x:.4g}}: diverged<extra></extra>"),
    ]  # fmt: skip
    return fig


def mark(params: Params, knob: str) -> dict[str, Any]:
    """Where these params stand in the sweep of a knob, as a shape."""
    return rule(1, getattr(params, knob), INK, "dot")


def playground(of: Playground) -> Playground:
    """The sweep of a playground, in the form in which the store takes playgrounds."""
    model = SimpleNamespace(State=State, run=run)
    picture = SimpleNamespace(note=lambda p, states, now: states[now].note, draw=draw)
    return Playground(f"{of.name} sweep", model, picture, "", of.digest)
