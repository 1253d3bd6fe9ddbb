"""The loss as a landscape seen from the side: a plateau, a foot, a wall, and a ball for each descent."""

from collections.abc import Sequence

import numpy as np

from playgrounds.gradient_clipping.model import CLIPPED, HUGE, Params, State, loss_of
from playgrounds.kit.axes import span, ticked
from playgrounds.kit.palette import BLUE, FAINT, INK, MUTED, ORANGE
from playgrounds.kit.picture import Panel, Picture
from playgrounds.kit.words import number

NAMES, COLOURS, BALLS = ("plain", "clipped"), (ORANGE, BLUE), (22, 16)  # of the two descents; px
ENOUGH = 125.0  # the loss up to which the cliff is shown at least, if it is so high
PLATEAU = 0.18  # height at which a loss of 1/2 is drawn, as a share of the cliff's
FLOOR = -0.08
FAR = 1e4  # a w that is no longer told


def sight(p: Params) -> tuple[float, float]:
    """From which w to which the loss is shown: around the foot of the cliff, and the start."""
    if p.activation == "tanh" or p.w < 0:  # a cliff further out, and another one on the other side
        return min(0.5, 1.3 * p.w), max(1.6, p.w + 0.05)
    return min(0.85, p.w - 0.05), max(1.08, p.w + 0.05)


def draw_cliff(pic: Picture, p: Params, states: Sequence[State], now: int) -> None:
    """The loss as a landscape seen from the side, at the clipped descent's b, and a ball for each descent."""
    state, (low, high) = states[now], sight(p)
    w = np.linspace(low, high, 161)
    along, _ = loss_of(w, np.full_like(w, state.theta[CLIPPED, 1]), p.T, p.activation)
    first, _ = loss_of(w, np.full_like(w, p.b), p.T, p.activation)
    top = min(float(first.max()), max(ENOUGH, 4 * states[0].loss))
    drawn = Heights(top)
    axis = ticked(FLOOR, 1.08, *drawn.ticks())
    cliff = pic.panel("cliff", "Loss", span(low, high, "w"), axis, tall=270)
    for name, colour in zip(NAMES, COLOURS, strict=True):
        cliff.key("●", name, colour)

    surface = np.minimum(drawn.of(along), 1.2)
    cliff.shape_of([*zip(w, surface, strict=True), (high, FLOOR), (low, FLOOR)], MUTED, 2, fill=FAINT, layer="below")
    path = np.array([s.theta[:, 0] for s in states[: now + 1]])
    up = np.minimum(drawn.of(np.array([s.losses for s in states[: now + 1]])), 1.03)
    seen = (path > low) & (path < high)
    for i, (colour, size) in enumerate(zip(COLOURS, BALLS, strict=True)):
        there = np.flatnonzero(seen[:, i])
        cliff.path(path[there, i], up[there, i], colour, 1.5)
        if seen[-1, i]:
            cliff.dot(path[-1, i], up[-1, i], colour, size)
        elif len(there):
            thrown(cliff, path[there[-1], i], up[there[-1], i], path[-1, i], (low, high), i)
    next_step(cliff, p, state, up[-1, CLIPPED], (low, high))


def thrown(cliff: Panel, x: float, y: float, to: float, sight: tuple[float, float], who: int) -> None:
    """The flight out of sight, from where the descent was last seen."""
    low, high = sight
    left, colour = to < x, COLOURS[who]
    end = low + 0.01 * (high - low) if left else high - 0.01 * (high - low)
    share = np.linspace(0, 1, 25)
    cliff.path(x + share * (end - x), y + 0.3 * share * (1 - share), colour, 2.5, "dash")
    tip = end + (0.03 if left else -0.03) * (high - low)
    cliff.arrows([(tip, y)], [(end, y)], colour, 2.5, (0.025 * (high - low), 0.06))
    said = "thrown off" if abs(to) > FAR else f"thrown to w = {number(to)}"
    cliff.text(end, y - 0.09 * (1 + who), said, colour, place="right" if left else "left")


def next_step(cliff: Panel, p: Params, state: State, y: float, sight: tuple[float, float]) -> None:
    """How far the gradient would move the clipped ball along w, and how far the clipped gradient does."""
    low, high = sight
    x = state.theta[CLIPPED, 0]
    asked, taken = (np.clip(x - p.rate * g[CLIPPED, 0], low, high) for g in (state.g, state.used))
    cliff.line((x, y + 0.09), (asked, y + 0.09), BLUE, 2, line={"dash": "dot"})
    cliff.line((x, y + 0.06), (taken, y + 0.06), INK, 4)
    cliff.key("┄", "full step", BLUE)
    cliff.key("━", "taken", INK)


class Heights:
    """How high a loss is drawn: by a root that lets the plateau, a loss of 1/2, and the wall be seen at once."""

    def __init__(self, top: float):
        self.top = top
        self.root = min(1.0, float(np.log(PLATEAU) / np.log(0.5 / max(top, 0.51))))

    def of(self, loss: np.ndarray) -> np.ndarray:
        """1 for the highest loss."""
        return (np.minimum(loss, HUGE) / self.top) ** self.root

    def ticks(self) -> tuple[list[float], list[str]]:
        """Their heights and names: those losses that stand apart."""
        losses = [0, 0.5] + [10.0**k for k in range(1, 20)]
        losses = [loss for loss in losses if loss <= self.top]
        every = max(1, len(losses) // 4)
        losses = losses[:2] + losses[2:][::-1][::every][::-1]
        return [float(self.of(np.array(loss))) for loss in losses], [number(loss).removeprefix("1·") for loss in losses]
