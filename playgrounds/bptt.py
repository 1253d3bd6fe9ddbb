"""A gradient walks back through an unrolled net, shrinking or growing by a factor a step, and descent meets a cliff.

Left out: losses at every time step, other optimizers than gradient descent, and gated cells, which change the factors.
"""

from collections.abc import Iterator, Sequence
from functools import lru_cache
from math import copysign
from typing import Literal, NamedTuple

import numpy as np

from playgrounds import kit
from playgrounds.kit import fails, knob, works
from playgrounds.kit.figures import (
    Figure,
    Panel,
    axes,
    dot,
    figure,
    label,
    legend,
    lines,
    log_axis,
    paint,
    points,
    polyline,
    rule,
    segment,
)  # fmt: skip
from playgrounds.kit.palette import BLUE, INK, MUTED, ORANGE, SERIES
from playgrounds.kit.training import kept
from playgrounds.kit.words import number

LARGEST = 2.0  # recurrent weight of the slider and of the sweep
HUGE = 1e100  # a loss beyond it has diverged
H_0 = np.array([1.0, -1.0])  # what the net at the cliff has to remember


def through_time(p: "Params") -> bool:
    return p.view == "through time"


def at_the_cliff(p: "Params") -> bool:
    return p.view == "cliff"


class Params(kit.Params):
    view: Literal["through time", "cliff"] = knob(
        "through time", label="View", help="one gradient, step by step back; or descent on the loss that it belongs to"
    )
    w: float = knob(
        0.9, -LARGEST, LARGEST, label="Recurrent weight w", step=0.01,
        help="of several units: the spectral radius of W, with its sign; at the cliff: where descent starts"
    )  # fmt: skip
    T: int = knob(50, 2, 100, label="Time steps T")
    activation: Literal["linear", "tanh"] = knob("linear", label="Activation")
    units: int = knob(1, 1, 64, label="Units", help="1: h and w are numbers; more: h is a vector, W a matrix", log=True,
                      when=through_time)  # fmt: skip
    cut: int = knob(100, 1, 100, label="Truncate after", help="steps back; from T on nothing is cut", when=through_time)
    limit: float = knob(
        1.0, 0.01, 1e9, label="Clipping limit c", help="longest gradient of the clipped descent", log=True,
        when=at_the_cliff,
    )  # fmt: skip
    rate: float = knob(0.005, 0.0001, 1, label="Learning rate η", log=True, when=at_the_cliff)
    how: Literal["norm", "value"] = knob(
        "norm", label="Clip by", help="norm: g · min(1, c/|g|); value: every entry of g to [−c, c]", when=at_the_cliff
    )
    seed: int = knob(1, 0, 9999, label="Seed", help="decides W, its first state and the inputs",
                     when=lambda p: through_time(p) and (p.units > 1 or p.inputs == "every step"))  # fmt: skip
    inputs: Literal["only h₀", "every step"] = knob(
        "only h₀", label="Inputs", help="only h₀: a state of length 1; every step: a random x of about length 1, too",
        more=True, when=through_time,
    )  # fmt: skip
    matrix: Literal["random", "orthogonal"] = knob(
        "random", label="Matrix W", help="orthogonal: all its singular values are |w|", more=True,
        when=lambda p: through_time(p) and p.units > 1,
    )  # fmt: skip
    b: float = knob(0.02, -0.15, 0.15, label="Bias b at the start", step=0.01, more=True, when=at_the_cliff)
    descents: int = knob(60, 1, 300, label="Descent steps", more=True, when=at_the_cliff)

    @property
    def stop(self) -> int:
        """The time step that truncated backpropagation does not go beyond."""
        return max(0, self.T - self.cut)

    @property
    def length(self) -> int:
        return self.T + 1 if through_time(self) else len(kept(self.descents))


class State(NamedTuple):
    step: int  # back in time, or of the descent
    gradient: float | None  # size of dh_T/dh_t where the gradient has arrived, without truncation
    dw: float | None  # size of dL/dW, summed up so far, truncated if it is
    missed: float | None  # size of what truncation leaves out of dL/dW in the end, as a share
    loss: float | None  # at the cliff: of the clipped descent
    plain_loss: float | None  # of the other, HUGE once it has diverged
    norm: float | None  # of the clipped descent's gradient,
    clipped_norm: float | None  # after clipping,
    cosine: float | None  # and the smallest between the two so far
    note: str
    h: np.ndarray = np.zeros(0)  # (T + 1, units): the states, all known before the way back
    slopes: np.ndarray = np.zeros(0)  # (T + 1, units): f' of every state
    back: np.ndarray = np.zeros(0)  # (steps + 1, units): dL/dh_t from t = T down
    shares: np.ndarray = np.zeros(0)  # (steps,): what the time steps T, T − 1, … add to dL/dW, as shares of the whole
    rates: np.ndarray = np.zeros(0)  # (weights,) of the sweep
    sweep: np.ndarray = np.zeros(0)  # (weights,): size of dh_T/dh_t for each
    theta: np.ndarray = np.zeros(0)  # (2, 2): w and b of the plain and of the clipped descent
    losses: np.ndarray = np.zeros(0)  # (2,)
    g: np.ndarray = np.zeros(0)  # (2, 2): both gradients
    used: np.ndarray = np.zeros(0)  # (2, 2): and what is left of them after clipping


def run(p: Params) -> Iterator[State]:
    return walk_back(p) if through_time(p) else descend(p)


# -------------------------------------------------------------------------------------------------------- through time


def net(p: Params) -> tuple[np.ndarray, ...]:
    """W of spectral radius 1, shape (n, n), h_0 (n,), inputs (T + 1, n) and u (n,) of the loss L = u · h_T."""
    rng, n = np.random.default_rng(p.seed), p.units
    x = rng.normal(size=(p.T + 1, n)) / np.sqrt(n) * (p.inputs == "every step")
    if n == 1:
        return np.ones((1, 1)), np.ones(1), x, np.ones(1)
    w = rng.normal(size=(n, n))
    w = np.linalg.qr(w)[0] if p.matrix == "orthogonal" else w / np.abs(np.linalg.eigvals(w)).max()
    h_0, u = rng.normal(size=(2, n))
    return w, h_0 / np.linalg.norm(h_0), x, u / np.linalg.norm(u)


def walk_back(p: Params) -> Iterator[State]:
    """Forward through all T steps, then back one step a state; at every weight of the sweep at once.

    h_t = f(W h_{t−1} + x_t);  dL/dh_{t−1} = Wᵀ (f'(z_t) · dL/dh_t);  dL/dW = Σ_t (f'(z_t) · dL/dh_t) h_{t−1}ᵀ
    """
    unit, h_0, x, u = net(p)
    rates = np.union1d(np.linspace(0, LARGEST, 81), abs(p.w))
    own, w = int(np.searchsorted(rates, abs(p.w))), copysign(1, p.w) * rates[:, None]

    h = [np.broadcast_to(h_0, (len(rates), p.units))]
    for t in range(1, p.T + 1):
        z = w * (h[-1] @ unit.T) + x[t]
        h.append(np.tanh(z) if p.activation == "tanh" else z)
    slope = [1 - one * one if p.activation == "tanh" else np.ones_like(one) for one in h]

    back, parts = [np.broadcast_to(u, h[0].shape)], []
    for t in range(p.T, 0, -1):
        delta = slope[t] * back[-1]  # dL/dz_t
        parts.append(np.outer(delta[own], h[t - 1][own]))
        back.append(w * (delta @ unit))
    whole, arrived = sum(parts), sum(parts[: p.T - p.stop])
    size = max(float((whole * whole).sum()), 1e-300)
    shares = np.array([(part * whole).sum() / size for part in parts])
    missed = float(np.linalg.norm(whole - arrived)) / max(float(np.linalg.norm(whole)), 1e-300)

    mine = [np.array([one[own] for one in each]) for each in (h, slope, back)]
    dw = np.zeros_like(whole)
    for k in range(p.T + 1):
        if 0 < k <= p.T - p.stop:
            dw = dw + parts[k - 1]
        norms = np.linalg.norm(back[k], axis=1)
        state = State(
            k, float(norms[own]), float(np.linalg.norm(dw)), missed, None, None, None, None, None, "",
            mine[0], mine[1], mine[2][: k + 1], shares[:k], rates, norms,
        )  # fmt: skip
        yield state._replace(note=note_back(p, state, dw, whole if k == p.T else arrived))


def note_back(p: Params, now: State, dw: np.ndarray, whole: np.ndarray) -> str:
    """dw: the sum so far; whole: all of it, if this is the last step."""
    k, t, last = now.step, p.T - now.step, now.step == p.T
    scalar, size = p.units == 1, number(now.gradient)
    if k == 0:
        end = f"h_{t} = {number(now.h[-1, 0])} and L = h_{t}" if scalar else f"L is one direction of h_{t}"
        return (
            f"Forward is done: {end}, so the gradient starts with size 1. Each step back multiplies it by "
            + (f"w = {number(p.w)}" if scalar else f"Wᵀ of spectral radius {number(abs(p.w))}")
            + (" and the slope of tanh there." if p.activation == "tanh" else ".")
        )
    if t < p.stop and not last:
        return (
            f"Beyond the cut: truncated backpropagation went {p.cut} steps and stopped at h_{p.stop}. Nothing arrives "
            f"at h_{t}, where the full gradient has size {size}; dL/dw stays at {number(total(dw))}."
        )
    slope = now.slopes[t + 1]
    if scalar:
        slopes = f" · {number(slope[0])}" if p.activation == "tanh" else ""
        sum_ = f"{number(p.w)}{slopes} · {number(now.back[-2, 0])} = {number(now.back[-1, 0])}"
        said = f"Back at h_{t}: ∂h_{p.T}/∂h_{t} = {sum_}"
    else:
        factor = now.gradient / max(float(np.linalg.norm(now.back[-2])), 1e-300)
        slopes = f", slopes of tanh {number(slope.mean())} on average" if p.activation == "tanh" else ""
        said = f"Back at h_{t}: the gradient has size {size}, {number(factor)} of that at h_{t + 1}{slopes}"
    if not last:
        share = f"{number(round(100 * now.shares[-1], 1))} %"
        return f"{said}. Step {t + 1} adds {share} of the whole dL/dw; the sum so far is {number(total(dw))}."
    closed = ""
    if scalar and p.activation == "linear":
        closed = f" = w^{p.T}"
    fate = "vanished" if now.gradient < 0.1 else "exploded" if now.gradient > 10 else "kept its size about"
    if p.stop:
        parts = f"{number(total(dw))} instead of {number(total(whole))}"
        missed = f"off by {number(round(100 * now.missed, 1))} %"
        return f"{said}{closed}. The cut after {p.cut} steps let nothing so far back: dL/dw is {parts}, {missed}."
    product = f"T·w^{p.T - 1} = " if closed and p.inputs == "only h₀" else ""
    return f"{said}{closed}: over {p.T} steps it has {fate}. In sum dL/dw = {product}{number(total(dw))}."


def total(dw: np.ndarray) -> float:
    """A number with its sign, or the size of a matrix."""
    return float(dw[0, 0]) if dw.size == 1 else float(np.linalg.norm(dw))


# ----------------------------------------------------------------------------------------------------------- the cliff


def loss_of(w: np.ndarray, b: np.ndarray, steps: int, activation: str) -> tuple[np.ndarray, list]:
    """The mean of (h_T − h_0)²/2 over h_0 = 1 and −1, for w and b of shape (…), and all h, each (…, 2)."""
    h = [np.broadcast_to(H_0, (*np.shape(w), 2))]
    for _ in range(steps):
        z = np.asarray(w)[..., None] * h[-1] + np.asarray(b)[..., None]
        h.append(np.tanh(z) if activation == "tanh" else z)
    return ((h[-1] - H_0) ** 2).mean(axis=-1) / 2, h


def gradient_of(theta: np.ndarray, steps: int, activation: str) -> tuple[np.ndarray, np.ndarray]:
    """The losses of theta = (w, b), shape (…, 2), and their gradients by backpropagation through time, (…, 2)."""
    w, b = theta[..., 0], theta[..., 1]
    losses, h = loss_of(w, b, steps, activation)
    back, g = (h[-1] - H_0) / 2, np.zeros_like(theta)
    for t in range(steps, 0, -1):
        delta = back * (1 - h[t] ** 2) if activation == "tanh" else back
        g = g + np.stack([(delta * h[t - 1]).sum(axis=-1), delta.sum(axis=-1)], axis=-1)
        back = delta * w[..., None]
    return losses, g


def clip(g: np.ndarray, limit: float, how: str) -> np.ndarray:
    """As torch.nn.utils.clip_grad_norm_ and clip_grad_value_ do it."""
    if how == "value":
        return np.clip(g, -limit, limit)
    return g * min(1.0, limit / (float(np.hypot(*g)) + 1e-6))


def descend(p: Params) -> Iterator[State]:
    """Plain gradient descent and the same with clipped gradients, from one start."""
    theta = np.array([[p.w, p.b]] * 2)
    gone: list[int | None] = [None, None]
    shown, turned, film = None, 1.0, set(kept(p.descents))
    for step in range(p.descents + 1):
        with np.errstate(over="ignore", invalid="ignore"):
            losses, g = gradient_of(theta, p.T, p.activation)
        for i in range(2):
            if gone[i] is None and not (losses[i] < HUGE and np.isfinite(g[i]).all()):
                gone[i] = step
            if gone[i] is not None:  # it stays where it was thrown
                losses[i], g[i] = HUGE, 0.0
        used = np.array([g[0], clip(g[1], p.limit, p.how)])
        norm, left = float(np.hypot(*g[1])), float(np.hypot(*used[1]))
        turned = min(turned, float(g[1] @ used[1]) / (norm * left) if norm * left > 0 else 1.0)
        if step in film or None not in gone:
            state = State(
                step, None, None, None, float(losses[1]), float(losses[0]), norm, left, turned, "",
                theta=theta, losses=losses, g=g, used=used,
            )  # fmt: skip
            shown = state._replace(note=note_cliff(p, state, shown, gone))
            yield shown
            if None not in gone:
                return
        theta = theta - p.rate * used


def note_cliff(p: Params, now: State, before: State | None, gone: list) -> str:
    """The gradient where the clipped descent stands, what clipping makes of it, and how the plain one fares."""
    (w, b), kept_ = now.theta[1], now.clipped_norm
    norms = f"the gradient's norm is {number(now.norm)}"
    if None not in gone:
        return (
            f"Step {now.step}: both have diverged, with w at {number(now.theta[0, 0])} and {number(w)}: the loss is "
            f"beyond 10¹⁰⁰. The limit c = {number(p.limit)} is too high to hold a step of η·c back."
        )
    if now.norm > kept_ * (1 + 1e-5):
        cosine = float(now.g[1] @ now.used[1]) / (now.norm * kept_)
        turned = "keeps its direction" if cosine > 1 - 1e-9 else f"turns (cosine {number(cosine)})"
        change = f"{norms}; clipping makes it {number(kept_, 4)}, and it {turned}"
    else:
        change = f"{norms}, below c = {number(p.limit)}: clipping changes nothing"
        if now.norm < 0.01 and now.loss > 0.1:
            change += " and cannot make it larger"
    if now.step == p.descents and before is not None:
        return f"{last_words(p, now, gone)} In the last step, at loss {number(now.loss)}, {change}."
    if before is None:
        return f"Start at w = {number(w)}, b = {number(b)}, loss {number(now.loss)}: {change}."
    clipped = f"Step {now.step}: clipped, w = {number(w, 4)}, loss {number(now.loss)}; {change}"
    if gone[0] == now.step or (gone[0] is not None and before.plain_loss < HUGE):
        return f"{clipped}. Plain descent was thrown to w = {number(now.theta[0, 0])}, its loss beyond 10¹⁰⁰: diverged."
    if gone[0] is not None:
        return f"{clipped}. Plain descent is gone since step {gone[0]}."
    if np.array_equal(now.theta[0], now.theta[1]):
        return f"{clipped}. Plain descent has taken the very same steps."
    jump = now.theta[0] - before.theta[0]
    if now.plain_loss > 1:
        plain = f"loss {number(now.plain_loss)}, gradient norm {number(np.hypot(*now.g[0]))}"
        return f"{clipped}. Plain descent has run up the cliff to w = {number(now.theta[0, 0])}: {plain}."
    if np.hypot(*jump) > 0.05:
        return f"{clipped}. Plain descent is thrown by {number(np.hypot(*jump))}, to w = {number(now.theta[0, 0])}."
    return f"{clipped}. Plain descent: w = {number(now.theta[0, 0], 4)}, loss {number(now.plain_loss)}."


def last_words(p: Params, now: State, gone: list) -> str:
    """What the two descents have come to."""
    w = number(now.theta[1, 0])
    if np.array_equal(now.theta[0], now.theta[1]):
        return f"After {p.descents} steps both descents are at w = {w}: no gradient was above c = {number(p.limit)}."
    plain = f"has diverged in step {gone[0]}" if gone[0] else f"is at w = {number(now.theta[0, 0])}"
    size = f"no step was longer than η·c = {number(p.rate * p.limit * (2**0.5 if p.how == 'value' else 1))}"
    return f"After {p.descents} steps plain descent {plain}, the clipped one is at w = {w}: {size}."


PRESETS = (
    works(
        "Held at w = 1", "Every factor is 1, so the gradient arrives at the first step as it left the last.",
        {"gradient": "== 1", "dw": "== 50"}, w=1.0,
    ),
    fails(
        "Exploding, w = 1.1", "Fifty factors of 1.1 make more than a hundred: a tenth above 1 is enough to explode.",
        {"gradient": "> 100"}, w=1.1,
    ),
    works(
        "Down from the wall", "Plain descent is thrown off by one step; with the same direction but a length of at "
        "most ηc the clipped one walks down to the foot and stays there.",
        {"loss": "< 0.2", "plain_loss": ">= 1e100", "cosine": "> 0.999999"}, view="cliff", w=1.15,
    ),
    fails(
        "Clipping on the plateau", "With w = 0.6 the gradient has vanished; clipping only shortens, so both descents "
        "stand on the same spot to the end.",
        {"loss": "> 0.49", "norm": "< 1e-6"}, view="cliff", w=0.6, b=0.0,
    ),
)  # fmt: skip


# --------------------------------------------------------------------------------------------------------- the picture

FULL, CUT = ORANGE, SERIES[2]
RIBBON = 0.3  # half the ribbon's height where the gradient is 1; the picture is from −1 to 1
LEAST, MOST = 1e-35, 1e35
STILL, DOTTED = {"hoverinfo": "skip", "showlegend": False}, {"dash": "dot", "width": 1.5}
WIDE, TALL = 0.16, 2.0  # what is shown of the loss: b from −WIDE to WIDE, along w up to TALL
GRID = 72


def draw(p: Params, states: Sequence[State], now: int) -> Figure:
    return draw_time(p, states, now) if through_time(p) else draw_cliff(p, states, now)


def draw_time(p: Params, states: Sequence[State], now: int) -> Figure:
    """The unrolled net with the gradient as a ribbon, its size by time, what each time step adds, the sweep over w."""
    state, end = states[now], states[-1]
    t = p.T - np.arange(now + 1)
    all_t = p.T - np.arange(len(states))
    norms = np.linalg.norm(end.back, axis=1)
    closed = abs(p.w) ** np.arange(p.T + 1.0)
    time = {"range": [-0.08 * p.T, 1.06 * p.T + 0.5], "nticks": 6, "showgrid": False}
    size = axis(np.concatenate([norms, closed]))
    shares = 100 * end.shares
    spread = max(1.0, float(shares.max(initial=0)))
    by_share = {"range": [1.15 * min(0.0, float(shares.min(initial=0))), 1.15 * spread], "nticks": 4}
    name = "w" if p.units == 1 else "W"
    weights = {"range": [0, LARGEST], "nticks": 5, "title": "|w|" if p.units == 1 else "spectral radius of W"}
    sweep = f"Its size for every {'w' if p.units == 1 else 'radius'}"
    plain = {"range": [-1, 1], "showticklabels": False, "showgrid": False}
    fig = figure(
        540,
        Panel((0, 0.62, 0.76, 1), 110, f"Unrolled: the same {name} at every step", time, plain),
        Panel((0, 0.62, 0.36, 0.66), 170, "Size of ∂h<sub>T</sub>/∂h<sub>t</sub>, |w|<sup>T−t</sup> ┄", time, size),
        Panel((0, 0.62, 0, 0.22), 140, f"What step t adds to dL/d{name}, %", time | {"title": "time step t"}, by_share),
        Panel((0.71, 1, 0, 1), 220, sweep, weights, axis(end.sweep, 1e-12, 1e12)),
    )  # fmt: skip
    nodes(fig, p, end)
    said = {"hovertemplate": "%{y:.3g} at t = %{x}"}
    fig["data"] += [
        lines(2, all_t, within(norms), "size", FULL, opacity=0.35, line={"width": 2}, showlegend=False, **said),
        lines(2, p.T - np.arange(p.T + 1), within(closed), "closed form", MUTED, line=DOTTED, **STILL),
        {"type": "bar", "x": all_t[1:] + 1, "y": shares, "marker": {"color": FULL}, "opacity": 0.35, "name": "share",
         "hovertemplate": "%{y:.3g} % from step %{x}", "showlegend": False} | axes(3),
        lines(4, end.rates, within(end.sweep), "sweep", FULL, opacity=0.35, line={"width": 2}, showlegend=False,
              hovertemplate="%{y:.3g} for |w| = %{x:.2f}"),
    ]  # fmt: skip
    shapes = fig["layout"]["shapes"]
    there = t >= p.stop
    shapes += [
        ribbon(t[there], norms[: now + 1][there], CUT if p.stop else FULL),
        rule(1, t[-1]),
        polyline(2, t[there], within(norms[: now + 1][there]), CUT if p.stop else FULL, 3),
        rule(2, t[-1]),
        bars(t[1:][there[1:]] + 1, 100 * state.shares[there[1:]], CUT if p.stop else FULL),
        rule(3, t[-1]),
        polyline(4, state.rates, within(state.sweep), FULL, 3),
        rule(4, abs(p.w)),
        rule(4, 1, MUTED, "dot"),
    ]
    if p.stop:
        shapes += [rule(panel, p.stop - 0.5, CUT, "dash") for panel in (1, 2, 3)]
        fig["layout"]["annotations"].append(
            label(1, p.stop - 0.5, -0.98, "cut ", CUT, xanchor="right", yanchor="bottom")
        )
    fig["layout"]["annotations"] += [
        label(1, -0.02 * p.T, 0, "h<sub>0</sub>", INK, xanchor="right"),
        label(1, 1.02 * p.T, 0, "L", INK, xanchor="left"),
    ]
    return fig


def nodes(fig: Figure, p: Params, end: State) -> None:
    """A disc for every state, the stronger the larger the state is; hovering tells the arithmetic of its factor."""
    sizes = np.linalg.norm(end.h, axis=1)
    shown = 0.25 + 0.75 * sizes / max(float(sizes.max()), 1e-300)
    texts = []
    for t, size in enumerate(sizes):
        k = p.T - t
        value = number(end.h[t, 0]) if p.units == 1 else f"size {number(size)}"
        text = f"h<sub>{t}</sub>: {value}"
        if k < len(end.back):
            g = end.back[k]
            if k and p.units == 1:
                factors = f"{number(p.w)} · {number(end.slopes[t + 1, 0])} · {number(end.back[k - 1, 0])}"
                text += f"<br>w · f′ · (gradient at {t + 1}) = {factors} = {number(g[0])}"
            else:
                text += f"<br>gradient of size {number(np.linalg.norm(g))}"
        texts.append(text)
    fig["data"] += [
        lines(1, [0, p.T], [0, 0], "states", MUTED, line={"width": 1}, **STILL),
        points(1, np.arange(p.T + 1), np.zeros(p.T + 1), "states", INK, hovertext=texts, hoverinfo="text",
               marker={"size": float(np.clip(300 / p.T, 4, 18)), "opacity": shown.round(2).tolist()}),
    ]  # fmt: skip


def ribbon(t: np.ndarray, norms: np.ndarray, colour: str) -> dict:
    """The gradient from the end back to here, as thick as it is large."""
    half = np.clip(RIBBON * norms, 0.004, 0.97)
    t, half = (np.append(t, t[-1] - 0.01), np.append(half, half[-1])) if len(t) == 1 else (t, half)
    return closed_path(1, np.concatenate([t, t[::-1]]), np.concatenate([half, -half[::-1]]), colour) | {
        "layer": "below", "opacity": 0.55
    }  # fmt: skip


def bars(t: np.ndarray, heights: np.ndarray, colour: str) -> dict:
    """A bar of width 0.8 for every t as one shape."""
    at = np.stack([t - 0.4, t - 0.4, t + 0.4, t + 0.4], axis=1).ravel()
    top = np.stack([0 * heights, heights, heights, 0 * heights], axis=1).ravel()
    return closed_path(3, *((at, top) if len(t) else (np.zeros(1), np.zeros(1))), colour)


def closed_path(panel: int, x: np.ndarray, y: np.ndarray, colour: str) -> dict:
    shape = polyline(panel, x, y, colour, 0)
    return shape | {"path": shape["path"] + "Z", "fillcolor": colour}


def within(values: np.ndarray) -> np.ndarray:
    """What a log axis can take."""
    return np.clip(values, LEAST, MOST)


def axis(values: np.ndarray, lowest: float = 1e-30, highest: float = 1e30) -> dict:
    return log_axis(np.append(values, 1), 0.3, lowest, highest)


def sight(p: Params) -> tuple[float, float]:
    """From which w to which the loss is shown: around the foot of the cliff, and the start."""
    return min(0.5, p.w - 0.05), max(1.25, p.w + 0.05)


@lru_cache(maxsize=16)
def ground(low: float, high: float, steps: int, activation: str) -> np.ndarray:
    """log10 of the loss over w and b, from 10⁻³ to 10⁶ scaled to [0, 1], shape (GRID, GRID)."""
    middles = (np.arange(GRID) + 0.5) / GRID
    w, b = np.meshgrid(low + middles * (high - low), (2 * middles - 1) * WIDE)
    return (np.log10(np.maximum(loss_of(w, b, steps, activation)[0], 1e-3)) + 3) / 9


def draw_cliff(p: Params, states: Sequence[State], now: int) -> Figure:
    """Both descents over the loss; the loss along w; losses and gradient norms by step."""
    state, (low, high) = states[now], sight(p)
    steps = np.array([s.step for s in states])
    losses = np.array([s.losses for s in states])
    norms, used = (np.array([np.hypot(*getattr(s, part).T) for s in states]) for part in ("g", "used"))
    by_step = {"range": [-0.02 * p.descents, p.descents], "nticks": 5}
    weight = {"range": [low, high], "nticks": 5}
    bias = {"range": [-WIDE, WIDE], "nticks": 5, "showgrid": False}
    sizes = log_axis(np.append(norms, p.limit), 0.4, 1e-12, 1e12)
    fig = figure(
        560,
        Panel((0, 0.52, 0.44, 1), 300, "Loss over w → and b ↑", weight | {"showgrid": False}, bias),
        Panel((0, 0.52, 0, 0.31), 190, "The cliff: loss along w", weight, {"range": [-0.1, TALL], "nticks": 4}),
        Panel((0.62, 1, 0.58, 1), 180, "Loss by step", by_step, log_axis(losses, 0.4, 1e-4, 1e12)),
        Panel((0.62, 1, 0, 0.42), 180, "Gradient norm: ┄ computed, ━ used", by_step, sizes),
    )
    paint(fig, 1, ground(low, high, p.T, p.activation), (low, high), (-WIDE, WIDE), scale="sequential", smooth=False)
    shapes, limit = fig["layout"]["shapes"], np.clip(p.limit, 1e-14, 1e14)
    path = np.array([s.theta for s in states[: now + 1]])
    w = np.linspace(low, high, 151)
    along = loss_of(w, np.full_like(w, state.theta[1, 1]), p.T, p.activation)[0]
    shapes.append(polyline(2, w, np.minimum(along, 2 * TALL), MUTED, 2))
    for i, (name, colour) in enumerate((("plain", ORANGE), ("clipped", BLUE))):
        said = {"hovertemplate": "%{y:.3g} at step %{x}", "showlegend": False}
        fig["data"] += [
            lines(1, [None], [None], name, colour),
            lines(3, steps, np.clip(losses[:, i], 1e-6, 1e14), name, colour, **said),
            lines(4, steps, np.clip(norms[:, i], 1e-14, 1e14), name, colour, line=DOTTED, **said),
            lines(4, steps, np.clip(used[:, i], 1e-14, 1e14), name, colour, **said),
        ]
        at, size = on_map(path[:, i], low, high), (16, 10)[i]
        height = min(float(state.losses[i]), 0.97 * TALL)
        shapes += [
            polyline(1, *at.T, colour, 2),
            dot(1, *at[-1], colour, size),
            dot(2, at[-1, 0], height, colour, size),
        ]
    fig["data"].append(lines(4, [0, p.descents], [limit, limit], "c", MUTED, line=DOTTED, **STILL))
    shapes += [heading(state, high - low), rule(3, state.step), rule(4, state.step)]
    legend(fig, 2)
    return fig


def on_map(path: np.ndarray, low: float, high: float, most: float = 8.0) -> np.ndarray:
    """Where w and b of shape (steps, 2) are drawn: what is far outside, in its direction from the map's middle."""
    middle, half = np.array([(low + high) / 2, 0]), np.array([(high - low) / 2, WIDE])
    away = (path - middle) / half
    far = np.abs(away).max(axis=1, keepdims=True)
    return middle + half * away * (most / np.maximum(far, most))


def heading(state: State, width: float) -> dict:
    """From the clipped descent's place in the direction of its step."""
    way, here = -state.used[1] / max(float(np.hypot(*state.used[1])), 1e-300), state.theta[1]
    return segment(1, here, here + 0.09 * width * way, INK, 2)
