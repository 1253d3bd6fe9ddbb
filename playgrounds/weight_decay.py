"""Three weights shrink, by an L2 penalty or by decoupled weight decay, with one optimizer beside the other.

Left out: nets. The data, if there are any, are three linear regressions whose best weights are the starting ones, so
that whatever moves a weight away for good is the decay.
"""

from collections.abc import Callable, Iterator, Sequence
from typing import Literal, NamedTuple

import numpy as np

from playgrounds import kit
from playgrounds.kit import fails, knob, works
from playgrounds.kit.figures import Figure, Panel, dot, figure, label, lines, log_axis, polyline, rule, short
from playgrounds.kit.palette import INK, MUTED, SERIES
from playgrounds.kit.training import finite, kept
from playgrounds.kit.words import number, vector

N = 100  # examples of the regressions
WEAKEST, STRONGEST = 0.0001, 10.0  # λ of the slider and of the sweep
HUGE = 1e9  # a weight beyond it has diverged
EPS = 1e-8  # of Adam


def with_data(p: "Params") -> bool:
    return p.data == "regression"


class Params(kit.Params):
    data: Literal["none", "regression"] = knob("none", label="Data", help="none: the gradient of the loss is 0")
    optimizers: tuple[Literal["SGD", "momentum", "SGDW", "Adam", "AdamW"], ...] = knob(
        ("SGD", "Adam", "AdamW"),
        label="Optimizers",
        help="SGD, momentum and Adam get the L2 penalty's gradient λw; SGDW and AdamW shrink w by ηλ beside their step",
    )
    decay: float = knob(0.5, WEAKEST, STRONGEST, label="Weight decay λ", log=True)
    rate: float = knob(0.02, 0.0001, 10, label="Learning rate η", log=True)
    steps: int = knob(100, 10, 3000, label="Steps", log=True)
    scale: float = knob(
        10.0, 1, 100, label="Gradient scale", help="of w₁ against w₂, and of w₂ against w₃", log=True, when=with_data
    )
    largest: float = knob(2.0, 0.1, 10, label="Start of w₁", log=True, more=True)
    ratio: float = knob(
        0.5, 0.1, 1, label="Start of the next weight", help="as a share of the one before", step=0.05, more=True
    )
    batch: int = knob(
        10, 1, N, label="Batch", help="100: all examples, no noise in the gradient", more=True, when=with_data
    )
    noise: float = knob(
        3.0,
        0,
        10,
        label="Noise of the targets",
        help="times their size without it",
        step=0.1,
        more=True,
        when=with_data,
    )
    beta: float = knob(
        0.9, 0, 0.99, label="Momentum β, Adam's β₁", step=0.01, more=True, when=lambda p: p.optimizers != ("SGD",)
    )
    beta2: float = knob(
        0.999, 0, 0.999, label="Adam's β₂", step=0.001, more=True, when=lambda p: "Adam" in "".join(p.optimizers)
    )
    seed: int = knob(1, 0, 9999, label="Seed", help="decides examples and batches", more=True, when=with_data)

    @property
    def start(self) -> np.ndarray:
        return self.largest * self.ratio ** np.arange(3)

    @property
    def scales(self) -> np.ndarray:
        """c of shape (3,): how much every weight's target counts in the loss."""
        return self.scale ** np.array([1.0, 0, -1]) if self.data == "regression" else np.zeros(3)

    @property
    def length(self) -> int:
        return len(kept(self.steps))


class State(NamedTuple):
    step: int
    share_left: float  # mean |w/start| of the three weights; this and the next three are of the first optimizer chosen
    uneven: float  # the largest w/start minus the smallest: 0 is decay in proportion
    largest_step: float  # of the three weights, in this step
    data_gradient: float  # the largest |dL/dw| of the data in this step
    optimizers_differ_by: float  # the largest difference between two of them in the same weight
    note: str
    w: np.ndarray  # (optimizers, 3)
    sweep: np.ndarray  # (optimizers, λs): w₁ at every λ
    lambdas: np.ndarray  # (λs,)


class Step(NamedTuple):
    """One step of one optimizer at all λ: w is old - η up/down, with old times 1 - ηλ where the decay is decoupled."""

    w: np.ndarray  # (λs, 3)
    old: np.ndarray  # w before
    g: np.ndarray  # the gradient of the data
    up: np.ndarray  # the gradient, the velocity, or Adam's m̂
    down: np.ndarray  # 1, or Adam's √v̂ + ε


def examples(p: Params) -> tuple[np.ndarray, np.ndarray]:
    """x of shape (N,) and three targets (N, 3); the least-squares slope of target k on x is exactly start[k]."""
    rng = np.random.default_rng(p.seed)
    x, noise = rng.normal(size=N), rng.normal(size=(N, 3))
    x /= np.sqrt((x * x).mean())
    noise -= np.outer(x, x @ noise) / N  # residuals of a least-squares fit are orthogonal to x
    noise /= np.sqrt((noise * noise).mean(axis=0))
    return x, np.outer(x, p.start) + p.noise * noise


def gradients(p: Params) -> Iterator[Callable[[np.ndarray], np.ndarray]]:
    """Yield for every step the gradient, as a function of w, of L = Σ c/2 · (mean of (w x - y)² over a batch)."""
    (x, y), c = examples(p), p.scales
    rng = np.random.default_rng([p.seed, 1])  # the same batches for every optimizer and every λ
    while True:
        at = rng.permutation(N)[: p.batch] if p.batch < N and c.any() else slice(None)
        xx, xy = (x[at] ** 2).mean(), x[at] @ y[at] / len(x[at])
        yield lambda w, xx=xx, xy=xy: c * (xx * w - xy)


def train(p: Params, name: str, lambdas: np.ndarray) -> Iterator[Step]:
    """Yield the start and every step of an optimizer, in PyTorch's conventions, at all λ at once.

    A weight beyond HUGE stays where it is.
    """
    lam, eta = lambdas[:, None], p.rate
    w = np.broadcast_to(p.start, (len(lambdas), 3))
    m = v = np.zeros_like(w)
    yield Step(w, w, m, m, np.ones_like(w))
    for t, gradient in zip(range(1, p.steps + 1), gradients(p), strict=False):
        old, data = w, gradient(w)
        decoupled = name in ("SGDW", "AdamW")  # Loshchilov and Hutter 2019
        g = data if decoupled else data + lam * w  # the penalty λ/2 · |w|² adds λw to the gradient
        w = w - eta * lam * w if decoupled else w

        if name == "SGD":
            up, down = g, np.ones_like(w)
        elif name in ("momentum", "SGDW"):
            m = p.beta * m + g
            up, down = m, np.ones_like(w)
        else:  # Adam, Kingma and Ba 2015
            m = p.beta * m + (1 - p.beta) * g
            v = p.beta2 * v + (1 - p.beta2) * g * g
            up, down = m / (1 - p.beta**t), np.sqrt(v / (1 - p.beta2**t)) + EPS

        gone = np.abs(old).max(axis=1, keepdims=True) > HUGE
        w = np.where(gone, old, w - eta * up / down)
        yield Step(w, old, data, up, down)


def run(p: Params) -> Iterator[State]:
    """Train with every optimizer, at λ and at all others of the slider's range."""
    lambdas = np.union1d(np.geomspace(WEAKEST, STRONGEST, 41), p.decay)
    own = int(np.searchsorted(lambdas, p.decay))
    film = set(kept(p.steps))
    runs = [train(p, name, lambdas) for name in p.optimizers]
    for step, everywhere in enumerate(zip(*runs, strict=True)):
        now = [Step(*(part[own] for part in one)) for one in everywhere]
        w = np.array([one.w for one in now])
        broken = not finite(w, most=HUGE)
        if step not in film and not broken:
            continue
        shares = w[0] / p.start
        yield State(
            step=step,
            share_left=float(np.abs(shares).mean()),
            uneven=float(np.ptp(shares)),
            largest_step=float(np.abs(now[0].w - now[0].old).max()),
            data_gradient=float(np.abs(now[0].g).max()),
            optimizers_differ_by=float(np.ptp(w, axis=0).max()),
            note=farewell(p, step, now) if broken else note(p, step, now) if step else forecast(p),
            w=w,
            sweep=np.array([one.w[:, 0] for one in everywhere]),
            lambdas=lambdas,
        )
        if broken:
            return


NAMES = ("w₁", "w₂", "w₃")
LABELS = {"SGD": "SGD + L2", "momentum": "momentum + L2", "SGDW": "SGDW", "Adam": "Adam + L2", "AdamW": "AdamW"}


def forecast(p: Params) -> str:
    """What the first step will do, or where the data and the penalty will come to rest."""
    said = f"Start: w = {vector(p.start)}"
    if p.data == "regression":
        c, rest = p.scales, [number(100 * share) for share in p.scales / (p.scales + p.decay)]
        return (
            f"{said}, the best weights for the data, whose gradients have the scales c = {vector(c)}. With the penalty "
            f"the loss is lowest at c/(c + λ) of them: {', '.join(rest)} %."
        )
    factor, said = f"{1 - p.rate * p.decay:.6g}".replace("-", "−"), [f"{said}, and the data's gradient is 0"]
    if plain := [LABELS[name] for name in ("SGD", "SGDW", "AdamW") if name in p.optimizers]:
        said.append(f"{', '.join(plain)}: each step multiplies w by 1 − ηλ = {factor}")
    if "momentum" in p.optimizers:
        said.append(f"momentum + L2: the first step multiplies w by {factor}, then its velocity grows")
    if "Adam" in p.optimizers:
        said.append(f"Adam + L2: the first step is η = {number(p.rate)} for each weight, whatever λ is")
    return f"{'; '.join(said)}."


def note(p: Params, step: int, now: list[Step]) -> str:
    """The step of w₁ in numbers; with data and several optimizers what is left of every weight."""
    left = [f"{', '.join(number(round(100 * share)) for share in one.w / p.start)} %" for one in now]
    steps = [arithmetic(p, name, one) for name, one in zip(p.optimizers, now, strict=True)]
    names = [LABELS[name] for name in p.optimizers]
    if len(now) == 1:
        return f"Step {step}, {names[0]}: w₁ = {steps[0]}. Share left of the three: {left[0]}."
    if p.data == "regression":
        each = [f"{name} {shares}" for name, shares in zip(names, left, strict=True)]
        return f"Step {step}, share left of w₁, w₂, w₃: {'; '.join(each)}."
    return f"Step {step}, w₁: {'; '.join(f'{name}: {one}' for name, one in zip(names, steps, strict=True))}."


def arithmetic(p: Params, name: str, one: Step) -> str:
    """The update of w₁, written out."""
    old, new, up, down, g = (float(part[0]) for part in (one.old, one.w, one.up, one.down, one.g))
    eta, lam, w = number(p.rate), number(p.decay), vector([old], True)
    data, end = p.data == "regression", f" = {number(new)}"
    shrunk = f"(1 − {eta} · {lam}) · {w}"
    if name == "SGD":
        step = f"{eta} · ({number(g)} + {lam} · {w})" if data else f"{eta} · {lam} · {w}"
        return f"{number(old)} − {step}{end}"
    if name == "momentum":
        return f"{number(old)} − {eta} · {vector([up], True)}{end} (the velocity is {number(up)})"
    if name == "SGDW":
        return f"{shrunk} − {eta} · {vector([up], True)}{end}"
    ratio = vector([up / down], True)
    if name == "AdamW":
        return f"{shrunk} − {eta} · {ratio}{end}"
    return f"{number(old)} − {eta} · {ratio}{end} (m̂/√v̂ = {number(up)}/{number(down)})"


def farewell(p: Params, step: int, now: list[Step]) -> str:
    """Which weight has diverged under which optimizer, why, and what to do."""
    gone = [pair for pair in zip(p.optimizers, now, strict=True) if not finite(pair[1].w, most=HUGE)]
    name, one = gone[0]
    i = int(np.abs(one.w).argmax())
    c, eta, lam = p.scales[i], p.rate, p.decay
    if name in ("SGDW", "AdamW") and eta * lam > 2:
        why = f"the factor 1 − ηλ = {number(1 - eta * lam)} is below −1. Keep ηλ under 2"
    elif name in ("SGDW", "AdamW"):
        why = f"η · c = {number(eta * c)} is too large for batches of {p.batch}. Lower η"
    else:
        most, bound = (2 * (1 + p.beta), f"2(1 + β) = {number(2 * (1 + p.beta))}") if name == "momentum" else (2, "2")
        over = f"above {bound}" if eta * (c + lam) > most else f"too large for batches of {p.batch}"
        why = f"η{'(c + λ)' if c else 'λ'} = {number(eta * (c + lam))} is {over}. Lower η"
        why += "" if c > lam else " or λ"
    also = f" So has {', '.join(LABELS[other] for other, _ in gone[1:])}." if gone[1:] else ""
    return f"Step {step}: {LABELS[name]} has diverged, {NAMES[i]} = {number(one.w[i])}, as {why}.{also}"


LOOKS = {  # colour, dash, width and opacity, in the order of drawing: of lines that coincide all remain visible
    "SGD": (SERIES[0], "solid", 6, 0.45),
    "SGDW": (SERIES[4], "solid", 4, 0.6),
    "momentum": (SERIES[3], "dashdot", 2, 1),
    "Adam": (SERIES[1], "solid", 2, 1),
    "AdamW": (SERIES[2], "dash", 2, 1),
}


PRESETS = (
    works("Decay in proportion", "SGD with a penalty and AdamW take the same share off every weight.",
          {"uneven": "<= 1e-9", "optimizers_differ_by": "<= 1e-9"}, optimizers=("SGD", "AdamW")),
    fails("Adam with a penalty", "Adam divides the penalty's gradient by its size: the small weight is used up first.",
          {"uneven": ">= 0.3"}, optimizers=("Adam",), steps=50),
    fails("Decay above 2", "At η·λ = 5 every step turns the weight round and makes it four times as large.",
          {"share_left": ">= 1000"}, optimizers=("SGD",), rate=10.0),
)  # fmt: skip


def draw(p: Params, states: Sequence[State], now: int) -> Figure:
    """Weights by step, a panel per optimizer; below them two panels that compare the optimizers."""
    w, data = np.array([s.w for s in states]), p.data == "regression"  # w: (states, optimizers, 3)
    n, most = len(p.optimizers), 1.6 * p.largest
    low, high = max(w.min(), -most), min(w.max(), most)
    low, high = min(low, 0) - 0.06 * (high - low), high + 0.06 * (high - low)
    by_step, by_w = {"range": [0, 1.13 * p.steps], "nticks": 4}, {"range": [short(low), short(high)], "nticks": 5}
    wide = 1.05 / n - 0.05
    panels = []
    for i, name in enumerate(p.optimizers):
        at, about = i * (wide + 0.05), "data's best w" if data else "slope −η" if name == "Adam" else ""
        about = "" if n > 3 else f": ┄ {about}" if about else ": w by step"
        panels.append(Panel((at, at + wide, 0.57, 1), 150, LABELS[name] + about, by_step, by_w))
    fig = figure(500, *panels, *comparisons(p, w))

    steps, shapes = np.array([s.step for s in states]), fig["layout"]["shapes"]
    sweep = states[max(now, 0 if data else min(1, len(states) - 1))].sweep  # before the first step: what it will do
    for name in [name for name in LOOKS if name in p.optimizers]:
        i, (colour, dash, width, opacity) = p.optimizers.index(name), LOOKS[name]
        look, own = {"line": {"width": width, "dash": dash}, "opacity": opacity}, w[:, i]
        fig["layout"]["annotations"] += ends(i + 1, p.steps, own[-1], low, high)
        for k, start in enumerate(p.start):
            path = np.where(np.abs(own[:, k]) > most, np.nan, own[:, k])  # a line that leaves the picture ends there
            fig["data"].append(lines(i + 1, steps, path, NAMES[k], colour, line={"width": 2}))
            if not data:
                size = np.maximum(np.abs(own[:, k]), 1e-30)
                fig["data"].append(lines(n + 1, steps, size, f"{LABELS[name]}, {NAMES[k]}", colour, **look))
            if data or name == "Adam":  # the best weight for the data; a step of η in each step
                shapes.append(dotted(i + 1, [0, p.steps if data else start / p.rate], [start, start if data else 0]))
            shapes.append(dot(i + 1, steps[now], np.clip(own[now, k], -9 * most, 9 * most), colour, 11))
        shapes.append(rule(i + 1, steps[now], MUTED))
        if data:
            share = np.clip(own[now] / p.start, -1, 3)
            shapes.append(polyline(n + 1, range(3), share, colour, width, dash) | {"opacity": opacity})
            shapes += [dot(n + 1, k, share[k], colour, 11) for k in range(3)]
            reached = np.clip(sweep[i] / p.largest, -1, 3)
        else:
            reached = np.clip(np.abs(sweep[i] - p.largest), 1e-9 * p.rate, 100 * p.largest)
        shapes.append(polyline(n + 2, states[now].lambdas, reached, colour, width, dash) | {"opacity": opacity})
    shapes.append(rule(n + 2, p.decay, MUTED))
    shapes.append(dotted(n + 1, range(3), p.scales / (p.scales + p.decay)) if data else rule(n + 1, steps[now], MUTED))
    return fig


def comparisons(p: Params, w: np.ndarray) -> tuple[Panel, Panel]:
    """The lower panels: shares of the data's best weights, or sizes on a log axis; the same or the way of w₁ by λ."""
    left, right = (0, 0.44, 0, 0.4), (0.54, 1, 0, 0.4)
    by_lambda = log_axis([WEAKEST, STRONGEST], 0) | {"title": "λ"}
    if p.data == "regression":
        shares = {"range": [-0.1, 1.4], "nticks": 4, "tickformat": ".0%"}
        weights = [f"{name}: c = {number(c)}" for name, c in zip(NAMES, p.scales, strict=True)]
        by_weight = {"range": [-0.4, 2.4], "tickvals": [0, 1, 2], "ticktext": weights}
        return (
            Panel(left, 180, "Share left of each weight ┄ c/(c + λ)", by_weight, shares),
            Panel(right, 180, "Share left of w₁, by λ", by_lambda, shares),
        )
    by_step = {"range": [0, p.steps], "nticks": 5, "title": "step"}
    ways = log_axis(p.largest * np.array([p.rate * WEAKEST, 2]), 0.2)
    return (
        Panel(left, 180, "|w| on a log axis", by_step, log_axis(np.abs(w), lowest=0.02 * p.start[-1])),
        Panel(right, 180, "How far w₁ has moved, by λ", by_lambda, ways),
    )


def dotted(panel: int, x: Sequence[float], y: Sequence[float]) -> dict:
    return polyline(panel, x, y, MUTED, 1.5, "dot")


def ends(panel: int, right: float, w: np.ndarray, low: float, high: float) -> list[dict]:
    """The names of the three weights at the ends of their lines, pushed apart where they would overlap."""
    apart, order = 0.11 * (high - low), np.argsort(-w, kind="stable")
    at = np.clip(w[order], low + apart / 2, high - apart / 2)
    at[1] = np.clip(at[1], low + 1.5 * apart, high - 1.5 * apart)
    at[0], at[2] = max(at[0], at[1] + apart), min(at[2], at[1] - apart)
    aside = {"xanchor": "left", "xshift": 4}
    return [label(panel, right, short(y), NAMES[k], INK, **aside) for k, y in zip(order, at, strict=True)]
