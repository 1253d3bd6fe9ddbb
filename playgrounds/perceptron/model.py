"""The perceptron's learning rule, how many mistakes it can make, and whether any line separates the points."""

from collections.abc import Iterator
from itertools import combinations
from math import sqrt
from typing import Annotated, Literal, NamedTuple

import numpy as np

from playgrounds import kit
from playgrounds.kit import Metric, knob
from playgrounds.kit.forms import cloud
from playgrounds.kit.training import kept

PAUSE = 200  # mistakes after which others may have their turn
STATES = 299  # mistakes that a film keeps, the start and the end apart
GATES = {  # the output at inputs 00, 01, 10, 11
    "AND": "0001",
    "OR": "0111",
    "NAND": "1110",
    "NOR": "1000",
    "XOR": "0110",
    "XNOR": "1001",
    "x1": "0011",
    "x2": "0101",
    "NOT x1": "1100",
    "NOT x2": "1010",
    "x1 AND NOT x2": "0010",
    "x2 AND NOT x1": "0100",
    "x1 OR NOT x2": "1011",
    "x2 OR NOT x1": "1101",
    "TRUE": "1111",
    "FALSE": "0000",
}
OWN = "-0.6,0.1,0\n-0.4,0.6,0\n-0.3,-0.5,0\n0.1,0.8,0\n0.2,0,1\n0.5,0.4,1\n0.6,-0.5,1\n0.1,-0.2,1\n0.7,0.1,1"


class Params(kit.Params):
    data: Literal["blobs", "gate", "own"] = knob(
        "blobs", label="Data", help="two clouds of points, a gate of two bits, or points of your own"
    )
    points: str = knob(
        OWN,
        0,
        2,
        form="points",
        label="Your points",
        when=lambda p: p.data == "own",
    )
    gate: Literal[*GATES] = knob(
        "XOR", label="Gate", help="all sixteen functions of two bits", when=lambda p: p.data == "gate"
    )
    margin: float = knob(
        0.1,
        -0.3,
        0.5,
        label="Margin",
        step=0.005,
        when=lambda p: p.data == "blobs",
        help="how far the nearest points are from the best line; below 0 the classes overlap",
    )
    count: int = knob(40, 8, 100, label="Points", step=2, when=lambda p: p.data == "blobs")
    rate: float = knob(1.0, 0.01, 10, label="Learning rate η", log=True)
    start: Literal["zero", "random"] = knob("zero", label="First weights")
    order: Literal["in turn", "shuffled"] = knob("in turn", label="Order", help="shuffled: anew in every pass")
    seed: int = knob(
        11,
        0,
        9999,
        label="Seed",
        help="of the blobs, random first weights and the shuffling",
        when=lambda p: p.data == "blobs" or p.start == "random" or p.order == "shuffled",
    )
    passes: int = knob(200, 1, 1000, label="Passes at most", log=True, more=True)
    bits: Literal["0 and 1", "−1 and 1"] = knob(
        "0 and 1", label="Bits written as", more=True, when=lambda p: p.data == "gate"
    )
    pocket: bool = knob(
        False, label="Pocket", help="keeps the line with most points right so far: dashed, green", more=True
    )

    @property
    def length(self) -> int | None:
        return None if self.data != "own" or self.points else 1


class State(NamedTuple):
    step: int  # mistakes so far; the state that closes a run counts one more
    mistakes: Annotated[int, Metric("mistakes", "count", shown=True)]
    accuracy: Annotated[
        float | None, Metric("points right with this line", "%", shown=True)
    ]  # on the line is on neither side
    best_accuracy: Annotated[float | None, Metric("most that were right so far", "%")]
    passes: Annotated[float, Metric("passes through the points", digits=4, shown=True)]
    stopped: Annotated[int, Metric("converged, 1 if so", "count")]  # after a whole pass without a mistake
    cycle: Annotated[int, Metric("mistakes in a round that repeats", "count")]  # 0: no weights have come back
    gamma: Annotated[
        float | None, Metric("largest margin γ of any line")
    ]  # of the points (x, 1); 0: none separates them
    bound: Annotated[float | None, Metric("most mistakes there can be", digits=4)]  # None: no line separates the points
    w_1: Annotated[float, Metric("weight w₁")]
    w_2: Annotated[float, Metric("weight w₂")]
    b: Annotated[float, Metric("bias b")]
    w: np.ndarray  # (3,): w₁, w₂, b
    before: np.ndarray  # (3,): the same before the mistake
    mistaken: int | None  # which point was the mistake
    round_from: int | None  # the mistake whose weights are the first to come back
    best: np.ndarray  # (3,): the weights in the pocket
    points: tuple[np.ndarray, np.ndarray]  # (n, 2), and labels 1 or −1 of shape (n,)


def named(w: np.ndarray) -> dict[str, float]:
    """The weights and the bias of (w₁, w₂, b), each by itself."""
    return dict(zip(("w_1", "w_2", "b"), w.tolist(), strict=True))


def sample(p: Params) -> tuple[np.ndarray, np.ndarray]:
    """Points (n, 2) and labels ±1 (n,): a gate's corners, the reader's own, or clouds on the sides of a random line."""
    if p.data == "gate":
        x = np.array([(0.0, 0.0), (0.0, 1.0), (1.0, 0.0), (1.0, 1.0)])
        y = np.array([1.0 if bit == "1" else -1.0 for bit in GATES[p.gate]])
        return x if p.bits == "0 and 1" else 2 * x - 1, y
    if p.data == "own":
        x, y = cloud(p.points)
        return x, 2 * y - 1
    rng = np.random.default_rng(p.seed)
    y = np.where(np.arange(p.count) % 2, 1.0, -1.0)
    along = rng.uniform(-0.9, 0.9, p.count)
    away = p.margin + rng.uniform(0, 0.9 - max(p.margin, 0), p.count)  # from the line, on the side of the class
    for mine in (np.flatnonzero(y < 0), np.flatnonzero(y > 0)):
        outer = mine[[along[mine].argmin(), along[mine].argmax()]]
        away[outer] = p.margin  # two of each class, far apart: no other line has a wider margin
    angle = rng.uniform(0, 2 * np.pi)
    shift = rng.uniform(-0.3, 0.3)
    normal = np.array([np.cos(angle), np.sin(angle)])
    return np.outer(along, (-normal[1], normal[0])) + np.outer(y * away + shift, normal), y


def learn(p: Params, z: np.ndarray, w_0: np.ndarray) -> Iterator[tuple[int, int | None, np.ndarray]]:
    """Rosenblatt 1958. Yield after each mistake: points seen, which one it was, v; at the end the same with None.

    A row of z is y·(x, 1): the point is on the right side where w·z > 0, and else η·z is added to w = (w₁, w₂, b).
    What is kept is v, the sum of these z: w = w_0 + η·v, and on a gate v has whole numbers, free of rounding.
    """
    rng = np.random.default_rng([p.seed, 2])
    n = len(z)
    v = np.zeros(3)
    at_start = z @ w_0
    for done in range(p.passes):
        mistaken = False
        order = rng.permutation(n) if p.order == "shuffled" else range(n)
        for place, i in enumerate(order, start=1):
            if at_start[i] + p.rate * (v @ z[i]) <= 0:
                v = v + z[i]
                mistaken = True
                yield done * n + place, int(i), v
        if not mistaken:
            break
    yield (done + 1) * n, None, v


def foot(corners: np.ndarray) -> np.ndarray:
    """The point nearest to 0 of the point, line or plane through corners (k, 3); infinite if it is not between them."""
    sides = corners[1:] - corners[0]
    share = np.linalg.lstsq(sides.T, -corners[0], rcond=None)[0]
    between = share.min(initial=0) >= 0 and share.sum() <= 1
    return corners[0] + share @ sides if between else np.full(3, np.inf)


def widest(z: np.ndarray) -> tuple[float, np.ndarray]:
    """γ and the unit vector w for which γ = min w·z is largest, z of shape (n, 3); γ = 0 if no w has all w·z > 0.

    γ·w is the point of the convex hull of z that is nearest to 0 (the dual of the hard-margin problem). It lies on a
    corner, an edge or a triangle of the hull: the corner furthest back is taken in for as long as that leads nearer.
    """
    v = z[0]
    hull = {0}
    while v @ v > 1e-18:
        seen = {*hull, int((z @ v).argmin())}
        parts = [part for size in (1, 2, 3, 4) for part in combinations(seen, size)]
        feet = np.array([foot(z[[*part]]) for part in parts])
        k = (feet * feet).sum(axis=1).argmin()
        if not feet[k] @ feet[k] < v @ v:
            gamma = float(np.linalg.norm(v))
            return gamma, v / gamma
        v = feet[k]
        hull = {*parts[k]}
    return 0.0, np.zeros(3)


def most_mistakes(z: np.ndarray, w_0: np.ndarray, eta: float, gamma: float, best: np.ndarray) -> float:
    """Novikoff 1962: from w_0 = 0 at most (R/γ)² mistakes, R the largest |z|.

    Each mistake adds at least ηγ to w·best, and at most η²R² to |w|². From any start, both hold only as long as
    (w_0·best + kηγ)² <= |w_0|² + kη²R². The largest such k is returned.
    """
    along = w_0 @ best
    step = eta * gamma
    r_squared = eta**2 * (z * z).sum(axis=1).max()
    half = (r_squared / 2 - along * step) / step
    return float((half + sqrt(half**2 + max(0.0, w_0 @ w_0 - along * along))) / step)


def run(p: Params) -> Iterator[State | None]:
    """Go through the points; a state per mistake, or per few mistakes of a long run, and one that says how it ended.

    Now and then, while there is nothing to see yet, None.
    """
    x, y = sample(p)
    z = y[:, None] * np.column_stack([x, np.ones(len(x))])
    w_0 = np.random.default_rng([p.seed, 1]).normal(size=3) if p.start == "random" else np.zeros(3)
    now = State(
        step=0,
        mistakes=0,
        accuracy=None,
        best_accuracy=None,
        passes=0.0,
        stopped=0,
        cycle=0,
        gamma=None,
        **named(w_0),
        w=w_0,
        before=w_0,
        mistaken=None,
        round_from=None,
        best=w_0,
        bound=None,
        points=(x, y),
    )
    if not len(x):
        yield now
        return
    gamma, widest_w = widest(z)
    bound = most_mistakes(z, w_0, p.rate, gamma, widest_w) if gamma else None
    right = int((z @ w_0 > 0).sum()) / len(x)
    now = now._replace(accuracy=right if w_0.any() else None, best_accuracy=right, gamma=gamma, bound=bound)

    states = [now]
    been = {(0.0, 0.0, 0.0, len(x) - 1): 0}  # v and place in the pass: after which mistake
    exact = p.data == "gate" and p.order == "in turn"  # else the weights cannot come back, or mean another order
    last = None  # the mistake at which to stop: two rounds after weights have come back
    for seen, mistaken, v in learn(p, z, w_0):
        right = int((z @ w_0 + p.rate * (z @ v) > 0).sum()) / len(x)
        now = now._replace(step=now.step + 1, passes=seen / len(x), before=now.w, w=w_0 + p.rate * v, mistaken=mistaken)
        now = now._replace(**named(now.w))
        if now.step % PAUSE == 0:
            yield None
        if mistaken is None:
            now = now._replace(stopped=int(right == 1))
            break
        now = now._replace(mistakes=now.mistakes + 1, accuracy=right)
        if right > now.best_accuracy:
            now = now._replace(best_accuracy=right, best=now.w)
        if exact and not now.cycle:
            again = been.setdefault((*v, mistaken), now.mistakes)
            if again < now.mistakes:
                now = now._replace(cycle=now.mistakes - again, round_from=again)
                last = now.mistakes + 2 * now.cycle
        states.append(now)
        if now.mistakes == last:
            now = now._replace(step=now.step + 1, before=now.w, mistaken=None)
            break

    for k in kept(len(states) - 1, STATES):
        yield states[k]
    yield now
