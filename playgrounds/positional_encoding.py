"""A Transformer block learns which of two words comes first, with positions and without; sinusoids are clock hands.

Left out: several heads and layers, layer normalization, and encodings that act inside attention, as rotary ones do.
"""

from collections.abc import Iterator, Sequence
from math import log, pi
from typing import Literal, NamedTuple

import numpy as np

from playgrounds import kit
from playgrounds.kit import fails, knob, works
from playgrounds.kit.figures import (
    Figure,
    Panel,
    box,
    chips,
    dot,
    figure,
    label,
    legend,
    lines,
    paint,
    points,
    polyline,
    rule,
    segment,
)
from playgrounds.kit.palette import BLUE, FAINT, INK, MUTED, ORANGE, SERIES
from playgrounds.kit.training import kept
from playgrounds.kit.words import number

KINDS = 6  # of tokens: 0 and 1 are the two whose order is asked for, the others stand around them
HIDDEN = 32  # units of the block's feed-forward layer
BATCH, HELD_OUT = 32, 64  # sentences; every second held-out one is another with the two words swapped
STATES = 40  # of a training, the start apart
SPOKEN = ("dog", "man")  # stand in for missing words
LN_2 = log(2)  # the loss of answers that know nothing


def training(p: "Params") -> bool:
    return p.view == "task"


def walking(p: "Params") -> bool:
    return p.view == "encoding"


class Params(kit.Params):
    view: Literal["task", "encoding"] = knob(
        "task", label="View", help="train on word order; or walk along the sinusoids, a position a step"
    )
    encoding: Literal["sinusoids", "learned", "none"] = knob(
        "sinusoids", label="Positions", help="added to the words; always compared with none", when=training
    )
    mask: bool = knob(
        False, label="Causal mask", help="a word attends to itself and the words before it", when=training
    )
    sentence: str = knob("dog bites the old man", 0, 120, label="Your sentence", when=training,
                         help="asked: does its first word come before its last?")  # fmt: skip
    pairs: int = knob(16, 1, 32, label="Frequencies d/2", help="a sine and a cosine of each make the width d")
    base: float = knob(10000.0, 1, 1e6, label="Base", help="frequencies fall from 1 towards 1/base", log=True)
    offset: int = knob(5, 0, 40, label="Offset k", help="compared: the positions p and p + k", when=walking)
    positions: int = knob(64, 8, 128, label="Length", help="positions", when=walking)
    seed: int = knob(1, 0, 9999, label="Seed", help="decides the first weights and the sentences", when=training)
    tokens: int = knob(5, 3, 12, label="Words of a sentence", more=True, when=training)
    steps: int = knob(160, 10, 400, label="Steps", help=f"of Adam, with {BATCH} new sentences each", step=10, more=True,
                      when=training)  # fmt: skip
    rate: float = knob(0.015, 0.001, 0.1, label="Learning rate η", log=True, more=True, when=training)

    @property
    def words(self) -> list[str]:
        """The reader's words, as many as the net takes, at least two."""
        typed = self.sentence.split()[: self.tokens]
        return [*typed, *SPOKEN][: max(2, len(typed))]

    @property
    def length(self) -> int:
        return len(kept(self.steps, STATES)) if training(self) else self.positions


class State(NamedTuple):
    step: int  # of training, or the position
    accuracy: float | None  # share of the held-out sentences that the net with positions has right
    none_accuracy: float | None  # and the one without
    loss: float | None  # cross-entropy on them, with positions
    none_loss: float | None
    gap: float | None  # between the answers to the reader's sentence and to the swapped one, with positions
    none_gap: float | None  # and without
    dot: float | None  # PE(p) · PE(p + k)
    spread: float | None  # of that product over the positions so far: largest minus smallest
    squared: float | None  # |PE(p)|²
    shift_error: float | None  # largest entry of PE(p + k) − R PE(p) so far
    rises: float | None  # number of offsets at which the product is larger than at the offset before
    note: str
    pe: np.ndarray  # (positions, d) with which the net works, or that is walked along
    answers: np.ndarray  # (2, 2): probability of “first” for the sentence and swapped; with positions, without


def run(p: Params) -> Iterator[State]:
    return train(p) if training(p) else walk(p)


# --------------------------------------------------------------------------------------------------------- sinusoids


def frequencies(pairs: int, base: float) -> np.ndarray:
    return base ** (-np.arange(pairs) / pairs)


def sinusoids(positions: np.ndarray, pairs: int, base: float) -> np.ndarray:
    """PE(p, 2i) = sin(p / base^(2i/d)), PE(p, 2i + 1) = cos(the same), shape (positions, d): Vaswani et al. 2017."""
    angles = positions[:, None] * frequencies(pairs, base)
    return np.stack([np.sin(angles), np.cos(angles)], axis=-1).reshape(len(positions), 2 * pairs)


def turned(pe: np.ndarray, offset: int, base: float) -> np.ndarray:
    """R PE: every pair (sin, cos) of pe, shape (…, d), turned by offset times its frequency."""
    sin, cos = pe[..., ::2], pe[..., 1::2]
    angle = offset * frequencies(sin.shape[-1], base)
    made = [sin * np.cos(angle) + cos * np.sin(angle), cos * np.cos(angle) - sin * np.sin(angle)]
    return np.stack(made, axis=-1).reshape(pe.shape)


def walk(p: Params) -> Iterator[State]:
    """A position a state."""
    pe = sinusoids(np.arange(p.positions), p.pairs, p.base)
    products = closed_form(np.arange(p.positions), p)
    rises = float((np.diff(products) > 1e-9).sum())
    seen, worst = [], 0.0
    for at in range(p.positions):
        (later,) = sinusoids(np.array([at + p.offset]), p.pairs, p.base)
        worst = max(worst, float(np.abs(later - turned(pe[at], p.offset, p.base)).max()))
        seen.append(float(pe[at] @ later))
        squared = float(pe[at] @ pe[at])
        state = State(
            at, None, None, None, None, None, None, seen[-1], max(seen) - min(seen), squared, worst, rises, "", pe,
            np.zeros((2, 2)),
        )  # fmt: skip
        yield state._replace(note=note_walk(p, state))


def closed_form(offsets: np.ndarray, p: Params) -> np.ndarray:
    """PE(p) · PE(p + k) = Σ sin a sin b + cos a cos b = Σ cos(k ω), whatever the position p."""
    return np.cos(offsets[:, None] * frequencies(p.pairs, p.base)).sum(axis=1)


def note_walk(p: Params, now: State) -> str:
    there, shifted = now.step, now.step + p.offset
    product = f"PE({there}) · PE({shifted}) = {number(now.dot, 4)}"
    degrees = number(round(float(np.degrees(there)) % 360))
    if there == 0:
        return (
            f"Position 0: every hand points to sine 0, cosine 1, and |PE|² = {number(now.squared)} = d/2. The fastest "
            f"hand turns by 1 radian a position, the slowest by {number(frequencies(p.pairs, p.base)[-1])}. {product}."
        )
    if there == p.positions - 1:
        falls = "falls all the way" if now.rises == 0 else f"rises at {now.rises:.0f} of {p.positions - 1} offsets"
        return (
            f"Over {p.positions} positions {product} varies by {number(now.spread, 2)} only, and PE(p + {p.offset}) "
            f"is the turned PE(p) to {number(now.shift_error, 2)}: the offset alone counts. As k grows "
            f"the product {falls}."
        )
    return (
        f"Position {there}: the fastest hand stands at {degrees}°. Every pair turned by its {p.offset} ω gives "
        f"PE({shifted}), largest error so far {number(now.shift_error, 2)}; {product}, as at the positions before."
    )


# ----------------------------------------------------------------------------------------------------------- the task


def sentences(p: Params, count: int, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Tokens (count, L) with one 0 and one 1 at random places each, and labels: 1 if the 0 comes first."""
    tokens = rng.integers(2, KINDS, (count, p.tokens))
    places = rng.random((count, p.tokens)).argsort(axis=1)[:, :2]
    tokens[np.arange(count), places[:, 0]], tokens[np.arange(count), places[:, 1]] = 0, 1
    return tokens, (places[:, 0] < places[:, 1]) * 1.0


def swapped(tokens: np.ndarray) -> np.ndarray:
    return np.where(tokens < 2, 1 - tokens, tokens)


def spoken(p: Params) -> np.ndarray:
    """The reader's sentence as tokens (L,): its first word is 0, its last 1, what is missing at the end a filler."""
    middle = [2 + sum(map(ord, word)) % (KINDS - 2) for word in p.words[1:-1]]
    return np.array([0, *middle, 1, *[2] * (p.tokens - len(p.words))])


def first_weights(p: Params, rng: np.random.Generator) -> list[np.ndarray]:
    """E (KINDS, d), W_q, W_k and W_v (3, d, d), W_1 (d, h), b_1 (h,), w_2 (h,) and b_2 (1,).

    As torch.nn.Embedding and torch.nn.Linear draw theirs.
    """
    d = 2 * p.pairs
    shapes = (((3, d, d), d), ((d, HIDDEN), d), (HIDDEN, d), (HIDDEN, HIDDEN), (1, HIDDEN))
    return [rng.normal(size=(KINDS, d)), *(rng.uniform(-1, 1, shape) / np.sqrt(n) for shape, n in shapes)]


def attend(x: np.ndarray, w: np.ndarray, mask: bool) -> tuple[np.ndarray, ...]:
    """Self-attention softmax(q kᵀ/√d) v for x of shape (B, L, d); also q, k, v and the weights (B, L, L)."""
    b, length, d = x.shape
    q, k, v = ((x.reshape(-1, d) @ one).reshape(b, length, d) for one in w)
    scores = q @ k.transpose(0, 2, 1) / np.sqrt(d)
    if mask:
        scores = np.where(np.tri(length, dtype=bool), scores, -1e9)
    a = np.exp(scores - scores.max(axis=-1, keepdims=True))
    a /= a.sum(axis=-1, keepdims=True)
    return a @ v, q, k, v, a


def forward(theta: list[np.ndarray], pe: np.ndarray, tokens: np.ndarray, mask: bool) -> tuple[np.ndarray, tuple]:
    """The logits of “the 0 comes first” for tokens (B, L), and what the backward pass needs.

    x = E[token] + PE,  y = x + attention(x),  h = relu(y W_1 + b_1),  logit = w_2 · mean over the words of h + b_2
    """
    e, w, w_1, b_1, w_2, b_2 = theta
    x = e[tokens] + pe
    attended, q, k, v, a = attend(x, w, mask)
    y = (x + attended).reshape(-1, x.shape[-1])
    h = np.maximum(y @ w_1 + b_1, 0)
    pooled = h.reshape(*tokens.shape, -1).mean(axis=1)
    return pooled @ w_2 + b_2, (x, q, k, v, a, y, h, pooled)


def gradients(
    theta: list[np.ndarray], pe: np.ndarray, tokens: np.ndarray, labels: np.ndarray, mask: bool
) -> list[np.ndarray]:
    """Of the mean cross-entropy, for PE (L, d) and then for all of theta."""
    _, w, w_1, _, w_2, _ = theta
    z, (x, q, k, v, a, y, h, pooled) = forward(theta, pe, tokens, mask)
    b, length, d = x.shape
    dz = (sigmoid(z) - labels) / b
    dh = np.repeat(dz[:, None] * w_2 / length, length, axis=0) * (h > 0)
    dy = (dh @ w_1.T).reshape(x.shape)
    da = dy @ v.transpose(0, 2, 1)
    ds = a * (da - (da * a).sum(axis=-1, keepdims=True)) / np.sqrt(d)
    into = [one.reshape(-1, d) for one in (ds @ k, ds.transpose(0, 2, 1) @ q, a.transpose(0, 2, 1) @ dy)]
    dx = dy.reshape(-1, d) + sum(one @ part.T for one, part in zip(into, w, strict=True))
    dw = np.array([x.reshape(-1, d).T @ one for one in into])
    de = np.eye(KINDS)[:, tokens.ravel()] @ dx
    return [dx.reshape(x.shape).sum(axis=0), de, dw, y.T @ dh, dh.sum(axis=0), dz @ pooled, dz.sum(keepdims=True)]


def sigmoid(z: np.ndarray) -> np.ndarray:
    return 0.5 * (1 + np.tanh(z / 2))


def train(p: Params) -> Iterator[State]:
    """Two nets that differ in their positions only: the same first weights, the same sentences, Adam."""
    rng = np.random.default_rng(p.seed)
    half, answers = sentences(p, HELD_OUT // 2, rng)
    held_out, right = np.concatenate([half, swapped(half)]), np.concatenate([answers, 1 - answers])
    own = np.array([spoken(p), swapped(spoken(p))])
    shape = (p.tokens, 2 * p.pairs)
    start = {
        "sinusoids": sinusoids(np.arange(p.tokens), p.pairs, p.base),
        "learned": rng.normal(0, 0.5, shape),
        "none": np.zeros(shape),
    }
    first = first_weights(p, rng)
    nets = [[start[kind], *first] for kind in (p.encoding, "none")]
    m, s = ([[np.zeros_like(t) for t in net] for net in nets] for _ in range(2))

    film, solved, before = set(kept(p.steps, STATES)), None, None
    for step in range(p.steps + 1):
        if step:
            tokens, labels = sentences(p, BATCH, rng)
            for n, (pe, *theta) in enumerate(nets):
                g = gradients(theta, pe, tokens, labels, p.mask)
                learns = range(0 if p.encoding == "learned" and n == 0 else 1, len(g))
                nets[n] = [pe, *theta]
                for i in learns:  # Adam, Kingma and Ba 2015
                    m[n][i] = 0.9 * m[n][i] + 0.1 * g[i]
                    s[n][i] = 0.999 * s[n][i] + 0.001 * g[i] ** 2
                    m_hat, s_hat = m[n][i] / (1 - 0.9**step), s[n][i] / (1 - 0.999**step)
                    nets[n][i] = nets[n][i] - p.rate * m_hat / (np.sqrt(s_hat) + 1e-8)
        if step not in film:
            continue
        z = [forward(theta, pe, held_out, p.mask)[0] for pe, *theta in nets]
        said = np.array([sigmoid(forward(theta, pe, own, p.mask)[0]) for pe, *theta in nets])
        shares = [float(np.mean((one > 0) == (right > 0.5))) for one in z]
        losses = [float((np.logaddexp(0, one) - one * right).mean()) for one in z]
        gaps = [float(abs(one[0] - one[1])) for one in said]
        solved = step if solved is None and shares[0] > 0.95 else solved
        state = State(step, *shares, *losses, *gaps, None, None, None, None, None, "", nets[0][0], said)
        yield (before := state._replace(note=note_task(p, state, before, solved)))


def percent(share: float) -> str:
    return f"{number(round(100 * share, 1))} %"


def note_task(p: Params, now: State, before: State | None, solved: int | None) -> str:
    """solved: the step by which more than 95 % were right."""
    name = {"sinusoids": "With sinusoids", "learned": "With learned positions", "none": "Without positions"}[p.encoding]
    lower = name[0].lower() + name[1:]
    blind = f"the net without them {percent(now.none_accuracy)}"
    same = f"its two answers to a sentence and the swapped one differ by {number(now.none_gap, 2)}"
    why = f"{same}, for both hold the same words" if now.none_gap < 1e-9 else same
    if p.mask:
        why = f"{same}, as the mask tells a word what came before it"
    if before is None:
        return (
            f"Before training: {lower} {percent(now.accuracy)} of {HELD_OUT} held-out sentences are right, {blind}. "
            f"Half of them are the others with the two words swapped, so a net that cannot see the order has 50 %."
        )
    if p.encoding == "none" and now.step != solved:
        when = f"after {p.steps} steps" if now.step == p.steps else f"at step {now.step}"
        return f"{name} {percent(now.accuracy)} right {when}, loss {number(now.loss)} (ln 2 = {number(LN_2)}): {why}."
    if now.step == p.steps:
        learned = f"by step {solved} more than 95 % were right" if solved is not None else "it has not solved the task"
        return (
            f"{name} {percent(now.accuracy)} right after {p.steps} steps, loss {number(now.loss)}; {learned}. Without "
            f"positions {percent(now.none_accuracy)}, loss {number(now.none_loss)} (ln 2 = {number(LN_2)}): {why}."
        )
    if now.step == solved and before.accuracy <= 0.95:
        return f"Step {now.step}: solved. {name} {percent(now.accuracy)} are right, loss {number(now.loss)}; {blind}."
    return f"Step {now.step}: {lower} {percent(now.accuracy)} right, loss {number(now.loss)}; {blind}: {why}."


PRESETS = (
    works(
        "Learned positions", "A vector per position, trained like the words: the task is solved as well, and the "
        "stripes are noise.", {"accuracy": ">= 0.95", "none_accuracy": "== 0.5"}, encoding="learned",
    ),
    works(
        "Causal mask, no positions", "A word that sees only what came before it knows its place: the mask breaks the "
        "symmetry, too.", {"none_accuracy": ">= 0.95", "none_gap": "> 0.5"}, encoding="none", mask=True,
    ),
    fails(
        "No positions", "Attention and the mean over the words treat a sentence as a bag: both orders get one answer.",
        {"accuracy": "== 0.5", "gap": "< 1e-9"}, encoding="none",
    ),
    works(
        "Clock hands", "Every pair of dimensions is a hand of its own speed; a shift by k turns it by the same angle "
        "at every position.", {"shift_error": "< 1e-12", "spread": "< 1e-12", "rises": "> 0"}, view="encoding",
    ),
)  # fmt: skip


# -------------------------------------------------------------------------------------------------------- the picture

WITH, WITHOUT = SERIES[2], SERIES[3]
HERE, SHIFTED = BLUE, ORANGE
DIALS = 6  # at most
STILL = {"hoverinfo": "skip", "showlegend": False}


def draw(p: Params, states: Sequence[State], now: int) -> Figure:
    return draw_task(p, states, now) if training(p) else draw_walk(p, states, now)


def draw_task(p: Params, states: Sequence[State], now: int) -> Figure:
    """The encoding and its dot products; held-out accuracy by step; both nets' answers to the reader's sentence."""
    state, end, d, size = states[now], states[-1].pe, 2 * p.pairs, p.tokens
    steps = np.array([s.step for s in states])
    by_step = {"range": [0, p.steps], "nticks": 5, "title": "step"}
    shares = {"range": [30, 104], "tickvals": [40, 60, 80, 100]}
    places = {"range": [-0.5, size - 0.5], "nticks": 7, "showgrid": False}
    wide = {"range": [-0.5, d - 0.5], "nticks": 6, "showgrid": False, "title": "dimension"}
    titles = {"sinusoids": "Sinusoids", "learned": "Learned positions", "none": "No positions"}
    sides = {"range": [-0.6, 1.6], "tickvals": [0, 1], "ticktext": ["your sentence", "swapped"], "showgrid": False}
    share = {"range": [0, 1.05], "tickvals": [0, 0.5, 1]}
    fig = figure(
        520,
        Panel((0, 0.6, 0.64, 1), 150, f"{titles[p.encoding]}: position ↑", wide, places),
        Panel((0.72, 1, 0.64, 1), 200, "PE · PE of two positions", places, places),
        Panel((0, 0.52, 0, 0.42), 190, "Held-out sentences right, %", by_step, shares),
        Panel((0.64, 1, 0, 0.42), 190, "P(blue word before orange)", sides, share),
    )
    paint(fig, 1, state.pe, (-0.5, d - 0.5), (-0.5, size - 0.5), smooth=False)
    products = state.pe @ state.pe.T
    nearness = (products - products.min()) / max(float(np.ptp(products)), 1e-9)
    paint(fig, 2, nearness, (-0.5, size - 0.5), (-0.5, size - 0.5), scale="sequential", smooth=False)
    fig["data"] += [
        cells(1, *np.meshgrid(np.arange(d), np.arange(size)), end, "position %{y}, dimension %{x}: "),
        cells(2, *np.meshgrid(np.arange(size), np.arange(size)), end @ end.T, "PE(%{y}) · PE(%{x}) = "),
        lines(3, steps, [100 * s.accuracy for s in states], titles[p.encoding].lower(), WITH,
              hovertemplate="%{y:.3g} % at step %{x}"),
        lines(3, steps, [100 * s.none_accuracy for s in states], "without positions", WITHOUT, line={"dash": "dash"},
              hovertemplate="%{y:.3g} % at step %{x}"),
        lines(4, [-0.6, 1.6], [0.5, 0.5], "even", MUTED, line={"dash": "dot", "width": 1}, **STILL),
    ]  # fmt: skip
    shapes = fig["layout"]["shapes"]
    shapes.append(rule(3, state.step))
    for n, colour in enumerate((WITH, WITHOUT)):
        for at, height in enumerate(state.answers[n]):
            left = at - 0.32 + 0.34 * n
            shapes.append(box(4, (left, left + 0.3), (0, max(0.012, height)), colour, 0, colour))
    legend(fig, 2)
    words = p.words
    other = [words[-1], *words[1:-1], words[0]]
    colours = [0, *[None] * (len(words) - 2), 1]
    places_ = [f"position {i}" for i in range(len(words))]
    fig["chips"] += [
        chips("Your sentence", words, colours, places_),
        chips("Swapped: the same words, so without positions the same input", other, colours[::-1], places_),
    ]
    return fig


def cells(panel: int, x: np.ndarray, y: np.ndarray, values: np.ndarray, said: str) -> dict:
    """Invisible points that tell the numbers of a picture on hover."""
    look = {"symbol": "square", "size": 8, "opacity": 0}
    texts = [f"{number(v)}" for v in values.ravel()]
    return points(panel, x.ravel(), y.ravel(), "values", INK, marker=look, customdata=texts, showlegend=False,
                  hovertemplate=said + "%{customdata}<extra></extra>")  # fmt: skip


def draw_walk(p: Params, states: Sequence[State], now: int) -> Figure:
    """The stripes with two rows marked; some pairs as clock hands; the dot products of this row by offset."""
    state, size, d = states[now], p.positions, 2 * p.pairs
    chosen = np.unique(np.linspace(0, p.pairs - 1, min(DIALS, p.pairs)).round().astype(int))
    omega = frequencies(p.pairs, p.base)[chosen]
    offsets = np.arange(1 - size, size)
    low = min(float(closed_form(offsets, p).min()), 0.0)
    wide = {"range": [-0.5, d - 0.5], "nticks": 6, "showgrid": False, "title": "dimension"}
    places = {"range": [-0.5, size - 0.5], "nticks": 7, "showgrid": False}
    by_offset = {"range": [1 - size, size - 1], "nticks": 7, "title": "offset"}
    product = {"range": [low - 0.08 * p.pairs, 1.12 * p.pairs], "nticks": 5}
    face, tall = {"range": [-0.6, DIALS - 0.4]}, {"range": [-0.85, 0.6]}
    fig = figure(
        540,
        Panel((0, 0.45, 0, 1), 260, "Sinusoids: position ↑", wide, places),
        Panel((0.53, 1, 0.66, 1), 110, "Pairs (cos →, sin ↑), period below", face, tall, bare=True, square=True),
        Panel((0.53, 1, 0, 0.5), 200, "PE(p) · PE(p + offset), Σ cos(offset · ω) ┄", by_offset, product),
    )  # fmt: skip
    paint(fig, 1, state.pe, (-0.5, d - 0.5), (-0.5, size - 0.5), smooth=False)
    fig["data"] += [
        lines(1, [None], [None], "p", HERE),
        lines(1, [None], [None], f"p + {p.offset}", SHIFTED),
        lines(3, offsets, closed_form(offsets, p), "closed form", MUTED, line={"dash": "dot", "width": 2},
              showlegend=False, hovertemplate="%{y:.4g} at offset %{x}"),
    ]  # fmt: skip
    shapes = fig["layout"]["shapes"]
    here, there = state.step, state.step + p.offset
    for row, colour in ((there, SHIFTED), (here, HERE)):
        at = min(row, size + 1)  # above the picture if there is no such row
        shapes.append(box(1, (-0.5, d - 0.5), (at - 0.5, at + 0.5), colour, 2))
    for n, (i, speed) in enumerate(zip(chosen, omega, strict=True)):
        shapes.append(box(2, (n - 0.42, n + 0.42), (-0.42, 0.42), FAINT, 1.5, type="circle"))
        for row, colour, width in ((there, SHIFTED, 3), (here, HERE, 3)):
            tip = 0.4 * np.array([np.cos(row * speed), np.sin(row * speed)])
            shapes.append(segment(2, (n, 0), (n + tip[0], tip[1]), colour, width))
        period = number(float(f"{2 * pi / speed:.2g}"))
        fig["layout"]["annotations"].append(label(2, n, -0.5, f"i = {i}<br>{period}", yanchor="top"))
    mine = state.pe @ state.pe[here]
    shapes += [
        polyline(3, np.arange(size) - here, mine, HERE, 3),
        rule(3, p.offset, SHIFTED),
        dot(3, min(p.offset, size - 1), state.dot, SHIFTED, 12),
    ]
    legend(fig, 2)
    return fig
