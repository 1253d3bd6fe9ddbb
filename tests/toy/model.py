"""A random walk: every kind of knob, for the tests."""

from collections.abc import Iterator
from typing import Annotated, Literal, NamedTuple
from zlib import crc32

import numpy as np

from playgrounds import kit
from playgrounds.kit import Metric, knob

CELLS = 8  # of the strip, from -1 to 1


class Params(kit.Params):
    steps: int = knob(12, 0, 300, label="Steps")
    rate: float = knob(0.1, 0.001, 1.1, label="Rate η", help="how far a step goes", log=True)
    law: Literal["coin", "normal", "uniform"] = knob("normal", label="Law")
    marks: tuple[Literal["where", "how often"], ...] = knob(("where",), label="Marks")
    width: Literal[1, 2, 5] = knob(2, label="Line width", more=True)
    drift: float = knob(0.0, -1, 1, label="Drift", step=0.1, more=True)
    wall: bool = knob(False, label="Wall at ±1", more=True)
    name: str = knob("toy", 0, 300, label="Name", help="any text", when=lambda p: p.law != "coin")
    sheet: str = knob("", 3, 3, label="Sheet", form="drawing", more=True)
    kernel: str = knob("1,0;0,1", 1, 3, label="Kernel", form="matrix", more=True)
    dots: str = knob("", 0, 2, label="Points", form="points", more=True)
    seed: int = knob(1, 0, 9999, label="Seed")

    @property
    def length(self) -> int:
        return self.steps + 1


class State(NamedTuple):
    step: int
    place: Annotated[float, Metric("place", shown=True)]
    letters: Annotated[int, Metric("a number that stands for the text", "count")]
    path: np.ndarray  # (steps so far + 1,)
    visits: np.ndarray  # (CELLS,)


def jump(p: Params, rng: np.random.Generator) -> float:
    """One step: eta * (drift + noise)."""
    noise = {"coin": lambda: rng.choice((-1, 1)), "normal": rng.normal, "uniform": lambda: rng.uniform(-1, 1)}
    return p.rate * (p.drift + float(noise[p.law]()))


def run(p: Params) -> Iterator[State]:
    """Walk."""
    rng = np.random.default_rng(p.seed)
    path, visits = np.zeros(1), np.zeros(CELLS)
    for step in range(p.steps + 1):
        if step:
            place = path[-1] + jump(p, rng)
            path = np.append(path, np.clip(place, -1, 1) if p.wall else place)
        visits = visits.copy()
        visits[int(np.clip((path[-1] + 1) / 2 * CELLS, 0, CELLS - 1))] += 1
        yield State(step=step, place=float(path[-1]), letters=crc32(p.name.encode()), path=path, visits=visits)
