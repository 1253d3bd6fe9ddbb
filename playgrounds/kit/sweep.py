"""A knob's whole range at once: the number with which a run ends, for many values of one knob and a few seeds.

A sweep is a playground of its own to the store and the player: its states are the runs that are done, so that it comes
in as it is computed, can be stopped, and costs a class one computation.
"""

import math
from collections.abc import Iterator, Sequence
from types import SimpleNamespace
from typing import Annotated, Any, NamedTuple

import numpy as np

from playgrounds.kit.axes import Axis, loss, span
from playgrounds.kit.catalogue import Playground
from playgrounds.kit.metrics import Metric, metrics
from playgrounds.kit.palette import BLUE, INK, MUTED, ORANGE
from playgrounds.kit.params import Knob, Params
from playgrounds.kit.picture import Picture
from playgrounds.kit.words import number

VALUES, SEEDS = 11, 3


class Done(NamedTuple):
    """A run of the sweep."""

    value: float  # of the knob
    seed: int | None
    result: float | None  # of the metric; None: not known in that run, or there is no such run


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
        first = None if seed is None else min(getattr(self.params, seed.name), seed.hi - SEEDS + 1)
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
    result: Annotated[float | None, Metric("at the end of the run done last", digits=4, shown=True)]
    results: tuple[Done, ...]  # every run done


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
    results: list[Done] = []
    yield State(step=0, value=None, result=None, results=())
    for value, seed in p.plan:
        changes = {p.knob: value} | ({} if seed is None else {"seed": seed})
        result = None
        try:
            params = type(p.params)(**(p.params.model_dump() | changes))
        except ValueError:  # a rule between knobs forbids it: there is no such run
            params = None
        if params is not None:
            for state in p.playground.run(params):
                result = result if state is None else metrics(state)[p.metric]
                yield None
        results.append(Done(value, seed, result))
        yield State(step=len(results), value=float(value), result=result, results=tuple(results))


def note(p: Sweep, states: Sequence[State], now: int) -> str:
    """How the last run has ended, and between which bounds all have."""
    results = states[now].results
    if not results:
        return f"None of the {len(p.plan)} runs is done yet."
    last = results[-1]
    name = p.playground.metrics[p.metric].label
    said = "is not known" if last.result is None else f"ends at {number(last.result)}"
    of = f"{p.params.knobs()[p.knob].label} {number(last.value)}" + ("" if last.seed is None else f", seed {last.seed}")
    known = [(one.result, one.value) for one in results if one.result is not None and math.isfinite(one.result)]
    if len(known) < 2:
        return f"{of}: {name} {said}."
    (lowest, at_lowest), (highest, at_highest) = min(known), max(known)
    return (
        f"{of}: {name} {said}. So far from {number(lowest)} (at {number(at_lowest)}) "
        f"to {number(highest)} (at {number(at_highest)}); {len(results)} of {len(p.plan)} runs are done."
    )


def draw(p: Sweep, states: Sequence[State], now: int) -> Picture:
    """Every result so far and their means. `mark` is the shape for where the reader is."""
    one = p.params.knobs()[p.knob]
    results = [(done.value, done.result) for done in states[-1].results if done.result is not None]
    finite = [(value, result) for value, result in results if math.isfinite(result)]
    broken = [value for value, result in results if not math.isfinite(result)]
    upwards = _upwards([result for _, result in finite])
    name = p.playground.metrics[p.metric].label
    pic = Picture(360, "results")
    panel = pic.panel("results", f"{name[0].upper()}{name[1:]} at the end of the run", _across(one), upwards, tall=300)
    values = sorted({value for value, _ in finite})
    means = [float(np.mean([result for at, result in finite if at == value])) for value in values]
    panel.curve(values, means, "mean", MUTED, hover="")
    said = f"{one.label} %{{x:.4g}}: {name} %{{y:.4g}}"
    panel.points(*_columns(finite), "one run", BLUE, hover=said, customdata=[value for value, _ in finite])
    top = upwards.get("range", [0, 1])[1]
    top = 10**top if upwards.get("type") == "log" else top
    said = f"{one.label} %{{x:.4g}}: diverged"
    panel.points(broken, [top] * len(broken), "diverged", ORANGE, symbol="triangle-up", size=12, hover=said,
                 customdata=broken)  # fmt: skip
    return pic


def _columns(pairs: Sequence[tuple[float, float]]) -> tuple[list[float], list[float]]:
    return [x for x, _ in pairs], [y for _, y in pairs]


def _across(one: Knob) -> Axis:
    """The knob's whole range, with a little room at both ends."""
    if one.log:
        pad = (one.hi / one.lo) ** 0.04
        return {"type": "log", "dtick": 1, "title": one.label, "range": np.log10([one.lo / pad, one.hi * pad]).tolist()}
    pad = 0.04 * (one.hi - one.lo)
    return span(one.lo - pad, one.hi + pad, one.label)


def _upwards(results: Sequence[float]) -> Axis:
    """An axis for the results: of a loss if all are above 0."""
    if not results:
        return {}
    low, high = min(results), max(results)
    if low > 0:
        return loss(results)
    pad = 0.08 * (high - low or 1)
    return span(low - pad, high + pad)


def mark(params: Params, knob: str) -> dict[str, Any]:
    """Where these params stand in the sweep of a knob, as a shape."""
    pic = Picture(360, "results")
    pic.panel("results").cursor(getattr(params, knob), INK, "dot")
    return pic.shapes[0]


def playground(of: Playground) -> Playground:
    """The sweep of a playground, in the form in which the store takes playgrounds."""
    model = SimpleNamespace(State=State, run=run)
    picture = SimpleNamespace(note=note, draw=draw)
    return Playground(f"{of.name} sweep", model, picture, "", of.digest)
