"""Your sentence in self-attention, cell by cell; what happens without √d_k; and heads that learn to divide a task.

Left out: training in the view "matrices" (a word's vector is drawn at random, by the word itself, so that the same word
has the same vector; W_Q, W_K and W_V are random too, so who looks at whom means nothing there), dropout, and the layers
around attention.
"""

from collections.abc import Callable, Iterator, Sequence
from html import escape
from math import prod, sqrt
from typing import Literal, NamedTuple
from zlib import crc32

import numpy as np

from playgrounds import kit
from playgrounds.kit import fails, knob, works
from playgrounds.kit.figures import (
    Figure,
    Panel,
    axes,
    box,
    chips,
    figure,
    label,
    lines,
    paint,
    points,
    polyline,
    rule,
    segment,
)  # fmt: skip
from playgrounds.kit.palette import BLUE, FAINT, INK, MUTED, ORANGE, PAPER, SERIES
from playgrounds.kit.training import kept
from playgrounds.kit.words import counted, number, vector

MOST_WORDS, WIDTH, VALUES = 10, 4, 4  # of the view "matrices": tokens, numbers of a word's vector, of a value
FAR = 1e-9  # outputs that differ by less differ by rounding only
DOUBLINGS = 8  # of the view "scaling": d_k goes from 1 to 2⁸
PAIRS = 40_000  # of queries and keys there
KINDS, PLACES, BATCH, TEST = "ABCDEFGH", 6, 128, 256  # of the view "heads": sequences of 6 tokens of 8 kinds
TARGETS = {1: (0,), 2: (0, 5), 3: (0, 2, 5)}  # the places that have to be looked up
NAMES = {0: "first", 2: "third", 5: "last"}
START = 0.2  # standard deviation of the first embeddings, places and query


def seen_in(*views: str) -> Callable[["Params"], bool]:
    return lambda p: p.view in views


def crossed(p: "Params") -> bool:
    return p.view == "matrices" and p.source == "other sentence"


class Params(kit.Params):
    view: Literal["matrices", "scaling", "heads"] = knob("matrices", label="View")
    text: str = knob("the dog saw the small cat", 0, 200, label="Sentence", help=f"its first {MOST_WORDS} words count",
                     when=seen_in("matrices"))  # fmt: skip
    watch: int = knob(2, 1, MOST_WORDS, label="Watched token", help="the notes calculate for it",
                      when=seen_in("matrices"))  # fmt: skip
    mask: Literal["none", "causal"] = knob(
        "none", label="Mask", help="causal: no token sees a later one",
        when=lambda p: p.view == "matrices" and not crossed(p),
    )  # fmt: skip
    order: Literal["as typed", "reversed", "shuffled"] = knob(
        "as typed", label="Order of the tokens", help="shuffled: by the seed", when=seen_in("matrices")
    )
    d_k: int = knob(4, 1, 64, label="Width of queries and keys d_k", log=True, when=seen_in("matrices"))
    scaled: bool = knob(True, label="Divide the scores by √d_k", when=seen_in("matrices", "scaling"))
    keys: int = knob(10, 2, 20, label="Keys per query", when=seen_in("scaling"))
    heads: Literal[1, 2, 4, 8] = knob(2, label="Heads h", help="of width d/h each", when=seen_in("heads"))
    lookups: int = knob(2, 1, 3, label="Tokens to look up", help="the first; and the last; and the third",
                        when=seen_in("heads"))  # fmt: skip
    silenced: int = knob(0, 0, 8, label="Silence head", help="its output is 0 after training; 0: none",
                         when=seen_in("heads"))  # fmt: skip
    sequence: str = knob("CABHDF", 0, 40, label="Your sequence", help=f"{PLACES} letters from A to H",
                         when=seen_in("heads"))  # fmt: skip
    width: Literal[8, 16, 32] = knob(32, label="Width d", when=seen_in("heads"))
    seed: int = knob(1, 0, 9999, label="Seed", help="decides the weights, the shuffle and the data")
    positions: bool = knob(False, label="Add positions to the words", help="sines and cosines of the place", more=True,
                           when=seen_in("matrices"))  # fmt: skip
    tied: bool = knob(False, label="W_K the same as W_Q", more=True, when=seen_in("matrices"))
    source: Literal["same sentence", "other sentence"] = knob(
        "same sentence", label="Keys and values from", help="other: cross-attention", more=True,
        when=seen_in("matrices"),
    )  # fmt: skip
    other: str = knob("die Katze saß", 0, 200, label="Other sentence", more=True, when=crossed)
    steps: int = knob(300, 10, 1500, label="Training steps", log=True, more=True, when=seen_in("heads"))
    rate: float = knob(0.005, 0.0005, 0.05, label="Learning rate η", log=True, more=True, when=seen_in("heads"))

    @property
    def length(self) -> int:
        if self.view == "matrices":
            return len(STAGES) if all(sentences(self)) else 1  # a text without words is told so
        return DOUBLINGS + 1 if self.view == "scaling" else len(kept(self.steps, 60))


class State(NamedTuple):
    step: int  # the stage, d_k, or the training step
    note: str
    seen: tuple  # Matrices, Scores or Heads
    largest_weight: float | None = None  # mean over the queries; None is what a view does not have, or not yet
    passed_gradient: float | None = None  # mean Σ α(1 − α): the sum of the slopes ∂α_j/∂z_j of the softmax
    future_weight: float | None = None  # mean weight of a token on later ones
    order_error: float | None = None  # largest |f(PX) − P f(X)|
    queries: float | None = None
    keys: float | None = None
    score_variance: float | None = None  # of q·k, before any division
    weaker_target: float | None = None  # weight on the target that no head looks at much, by the head that does most
    first_accuracy: float | None = None  # of what is said about the first token, on test sequences
    last_accuracy: float | None = None
    loss: float | None = None
    parameters: float | None = None  # of the attention layer
    parameters_at_512: float | None = None  # the same for d = 512


class Matrices(NamedTuple):
    words: list[str]  # n, in the order shown
    others: list[str]  # m, whose keys and values they are
    X: np.ndarray  # (n, WIDTH)
    Y: np.ndarray  # (m, WIDTH), X itself unless it is cross-attention
    W: tuple[np.ndarray, ...]  # W_Q, W_K (WIDTH, d_k) and W_V (WIDTH, VALUES)
    Q: np.ndarray
    K: np.ndarray
    V: np.ndarray
    S: np.ndarray  # (n, m) scores
    Z: np.ndarray  # what the softmax is given
    A: np.ndarray  # weights
    out: np.ndarray  # (n, VALUES)
    order: np.ndarray  # (n,) which of the typed words stands at a place now
    typed: np.ndarray | None = None  # (n, VALUES) the outputs in the order typed, row by row as typed


class Scores(NamedTuple):
    z: np.ndarray  # (keys,) of one query, what the softmax is given
    a: np.ndarray  # (keys,) its weights
    counts: np.ndarray  # histogram of all z, 1 at its highest
    edge: float  # it goes from −edge to edge


class Heads(NamedTuple):
    weights: np.ndarray  # (h, PLACES), mean over test sequences
    range: np.ndarray  # (2, h, PLACES), between which nine of ten test sequences are
    own: np.ndarray  # (h, PLACES) of the reader's sequence
    tokens: np.ndarray  # (PLACES,) kinds of the reader's sequence
    said: np.ndarray  # (targets,) kinds
    accuracies: np.ndarray  # (targets,)


def run(p: Params) -> Iterator[State]:
    yield from {"matrices": attend, "scaling": scale, "heads": train}[p.view](p)


def softmax(z: np.ndarray) -> np.ndarray:
    """Along the last axis; −∞ becomes 0."""
    e = np.exp(z - z.max(axis=-1, keepdims=True))
    return e / e.sum(axis=-1, keepdims=True)


def attention(
    Q: np.ndarray, K: np.ndarray, V: np.ndarray, scaled: bool = True, causal: bool = False
) -> tuple[np.ndarray, ...]:
    """Vaswani et al. 2017, equation 1: scores (n, m), what the softmax is given, weights (n, m), outputs (n, d_v).

    Q (n, d_k), K (m, d_k), V (m, d_v). Unscaled, the scores are not divided by √d_k.
    """
    S = Q @ K.T
    Z = S / sqrt(Q.shape[1]) if scaled else S
    if causal:
        Z = np.where(np.tri(*S.shape, dtype=bool), Z, -np.inf)
    A = softmax(Z)
    return S, Z, A, A @ V


# -------------------------------------------------------------------------------------------------- the view "matrices"

STAGES = ("X", "Q", "K", "V", "S", "scaled", "mask", "A", "O")


def sentences(p: Params) -> tuple[list[str], list[str]]:
    """The words that ask and the words that are looked at, as typed."""
    words = p.text.split()[:MOST_WORDS]
    return words, p.other.split()[:MOST_WORDS] if p.source == "other sentence" else words


def embed(words: Sequence[str], positions: bool) -> np.ndarray:
    """A vector per word (n, WIDTH), drawn by a generator that the word seeds; on top, if wanted, sines of its place."""
    x = np.stack([np.random.default_rng(crc32(word.lower().encode())).normal(size=WIDTH) for word in words])
    angles = np.arange(len(words))[:, None] / 100 ** (np.arange(0, WIDTH, 2) / WIDTH)
    return x + positions * np.stack([np.sin(angles), np.cos(angles)], axis=2).reshape(len(words), WIDTH)


def attend(p: Params) -> Iterator[State]:
    """One stage of attention a state; the same words in another order go the same way for comparison."""
    typed, others = sentences(p)
    if not typed or not others:
        which = "other sentence" if typed else "sentence"
        yield State(1, f"Your {which} has no words: type some, with spaces between them.", ())
        return
    n, cross, rng = len(typed), p.source == "other sentence", np.random.default_rng(p.seed)
    W = [rng.normal(size=(WIDTH, columns)) / sqrt(WIDTH) for columns in (p.d_k, p.d_k, VALUES)]
    W[1] = W[0] if p.tied else W[1]
    orders = {"as typed": np.arange(n), "reversed": np.arange(n)[::-1], "shuffled": rng.permutation(n)}

    def through(order: np.ndarray) -> Matrices:
        words = [typed[i] for i in order]
        X = embed(words, p.positions)
        Y = embed(others, p.positions) if cross else X
        Q, K, V = X @ W[0], Y @ W[1], Y @ W[2]
        S, Z, A, out = attention(Q, K, V, p.scaled, p.mask == "causal" and not cross)
        return Matrices(words, others if cross else words, X, Y, tuple(W), Q, K, V, S, Z, A, out, order)

    m = through(orders[p.order])._replace(typed=through(orders["as typed"]).out)
    error = float(np.abs(m.out - m.typed[m.order]).max())  # f(PX) − P f(X)
    for step, stage in enumerate(STAGES, start=1):
        state = State(step, calculation(p, stage, m, error), m, queries=n, keys=len(m.others))
        if stage in ("A", "O"):
            state = state._replace(
                largest_weight=float(m.A.max(axis=1).mean()),
                passed_gradient=float((m.A * (1 - m.A)).sum(axis=1).mean()),
                future_weight=None if cross else float(np.triu(m.A, 1).sum(axis=1).mean()),
            )
        yield state._replace(order_error=error) if stage == "O" and p.order != "as typed" else state


def products(a: Sequence[float], b: Sequence[float], most: int = 6) -> str:
    """a₁·b₁ + a₂·b₂ + …, of many the first."""
    pairs = [f"{vector([x], True)}·{vector([y], True)}" for x, y in zip(a[:most], b[:most], strict=True)]
    return " + ".join(pairs) + (f" + … ({len(a)} products)" if len(a) > most else "")


def cut(word: str, most: int = 9) -> str:
    return word if len(word) <= most else word[: most - 1] + "…"


def watched(p: Params, m: Matrices) -> int:
    """Where the watched token stands now."""
    return int(np.flatnonzero(m.order == min(p.watch, len(m.words)) - 1)[0])


def calculation(p: Params, stage: str, m: Matrices, error: float) -> str:
    """What a stage computes, in numbers, for the watched token."""
    i, n, root = watched(p, m), len(m.words), number(sqrt(p.d_k))
    me, them = cut(m.words[i]), [cut(word) for word in m.others]
    best = int(m.A[i].argmax())  # the token it will look at most
    k, source = (best, "Y, the other sentence,") if p.source == "other sentence" else (i, "X")
    match stage:
        case "X":
            typed, place = len(p.text.split()), f" plus the sines and cosines of place {i + 1}" if p.positions else ""
            said = f"Embeddings: x({me}) = {vector(m.X[i])}, drawn at random by the word itself{place}."
            return said + (f" Only the first {n} of your {typed} words are taken." if typed > n else "")
        case "Q":
            sums = products(m.X[i], m.W[0][:, 0])
            return f"Queries, what a token looks for, Q = X·W_Q: q₁({me}) = {sums} = {number(m.Q[i, 0])}."
        case "K":
            sums = products(m.Y[k], m.W[1][:, 0])
            return f"Keys, what a token is found by, K = {source[0]}·W_K: k₁({them[k]}) = {sums} = {number(m.K[k, 0])}."
        case "V":
            return f"Values, what a token hands over, are {source} times W_V: v({them[k]}) = {vector(m.V[k])}."
        case "S":
            said = f"q({me})·k({them[best]}) = {products(m.Q[i], m.K[best])} = {number(m.S[i, best])}"
            return f"Scores, each of {n} queries with each of {len(them)} keys, {m.S.size} dot products: {said}."
        case "scaled":
            if not p.scaled:
                return f"Not divided by √d_k = {root}: the scores stay as large as {number(np.abs(m.S).max())}."
            change = f"{number(m.S[i, best])} / {root} = {number(m.S[i, best] / sqrt(p.d_k))} for {me} and {them[best]}"
            return f"Divided by √d_k = √{p.d_k} = {root}, so that their size does not grow with d_k: {change}."
        case "mask":
            if masked := int(np.isinf(m.Z).sum()):
                return f"Masked: {counted(masked, 'score')} of later tokens become −∞, so {me} sees {i + 1} of {n}."
            return f"No score is masked: {me} sees all {len(them)} tokens{' and so itself' * (k == i)}."
        case "A":
            e = np.exp(m.Z[i])
            share = f"e^{vector([m.Z[i, best]], True)} / {number(e.sum())} = {number(m.A[i, best])}"
            return f"Softmax, row by row: {me} gives {them[best]} the weight {share}, of {vector(m.A[i].round(3))}."
        case _:
            parts = [f"{number(a)}·v({word})" for a, word in zip(m.A[i], them, strict=True)]
            said = f"Outputs, averages of the values: o({me}) = {' + '.join(parts)} = {vector(m.out[i])}."
            if p.order == "as typed":
                return (
                    f"{said} Being averages they stay between {number(m.V.min())} and {number(m.V.max())}, as V does."
                )
            if error < FAR:
                return f"{said} With the tokens {p.order} no word's output has changed by more than {number(error)}."
            return f"{said} With the tokens {p.order} the words' outputs have changed, by up to {number(error)}."


# --------------------------------------------------------------------------------------------------- the view "scaling"


def scale(p: Params) -> Iterator[State]:
    """Queries and keys of independent normal components; d_k is doubled a state by adding as many components again."""
    rng = np.random.default_rng(p.seed)
    queries, d_k = PAIRS // p.keys, 0
    S = np.zeros((queries, p.keys))
    for doubling in range(DOUBLINGS + 1):
        new = 2**doubling - d_k
        q, k = (rng.standard_normal((queries, *several, new), np.float32) for several in ((), (p.keys,)))
        S = S + np.einsum("qd,qkd->qk", q, k)
        d_k += new
        Z = S / sqrt(d_k) if p.scaled else S
        A = softmax(Z)
        largest, slopes, variance = A.max(axis=1).mean(), (A * (1 - A)).sum(axis=1).mean(), S.var()
        edge = 4.0 if p.scaled else 3 * 2 ** (DOUBLINGS / 2)
        counts = np.histogram(Z, bins=61, range=(-edge, edge))[0]
        said = f"With d_k = {d_k}, q·k has variance {number(variance)} over {Z.size:,} pairs"
        said += f", divided by √d_k = {number(sqrt(d_k))} it is {number(Z.var())}" if p.scaled else ", not divided"
        said += f"; the largest of {p.keys} weights is {number(largest)} on average, and the slope"
        said += f" Σ α(1 − α) that gradients pass is {number(slopes)}"
        if doubling == DOUBLINGS:
            said += (
                ": nearly as at d_k = 4" if p.scaled else ": one key takes nearly all, hardly any gradient comes back"
            )
        yield State(
            d_k, said + ".", Scores(Z[0], A[0], counts / counts.max(), edge), float(largest), float(slopes),
            score_variance=float(variance),
        )  # fmt: skip


# ----------------------------------------------------------------------------------------------------- the view "heads"


def shapes(width: int, targets: int) -> dict[str, tuple[int, ...]]:
    """Of all that is trained: vectors of kinds, of places and the query; the attention layer; the readout."""
    layer = {f"{kind}_{of}": (width,) * (2 if kind == "W" else 1) for of in "QKVO" for kind in "Wb"}
    around = {"kinds": (len(KINDS), width), "places": (PLACES, width), "query": (width,)}
    return around | layer | {"U": (width, targets * len(KINDS)), "c": (targets * len(KINDS),)}


def count(width: int, heads: int) -> int:
    """Parameters of multi-head attention: each head projects from d to d/h three times, W_O from d to d; biases too."""
    narrow = width // heads
    return heads * 3 * (width * narrow + narrow) + width * width + width


def views(flat: np.ndarray, width: int, targets: int) -> dict[str, np.ndarray]:
    """The arrays of `shapes` in one vector."""
    sizes = [prod(shape) for shape in shapes(width, targets).values()]
    parts = np.split(flat, np.cumsum(sizes)[:-1])
    return {
        name: part.reshape(shape) for (name, shape), part in zip(shapes(width, targets).items(), parts, strict=True)
    }


def split(M: np.ndarray, heads: int) -> np.ndarray:
    """The columns of M (rows, d) shared out to the heads: (h, rows, d/h)."""
    return M.reshape(len(M), heads, -1).transpose(1, 0, 2)


class Pass(NamedTuple):
    """What a forward pass leaves for the backward pass. There are only 8 · 6 = 48 different inputs, kind plus place, so
    keys and values are computed once for each of these."""

    X: np.ndarray  # (48, d)
    at: np.ndarray  # (B, PLACES) which of them stands there
    Q: np.ndarray  # (h, 1, d/h)
    K: np.ndarray  # (h, 48, d/h)
    V: np.ndarray  # (h, 48, d/h)
    A: np.ndarray  # (h, B, PLACES)
    spread: np.ndarray  # (h, B, 48), A as weights on the 48
    out: np.ndarray  # (B, d) of the heads, concatenated
    Y: np.ndarray  # (B, d)
    probability: np.ndarray  # (B, targets, 8)


def look_up(w: dict[str, np.ndarray], tokens: np.ndarray, heads: int, silenced: int = 0) -> Pass:
    """One learned query attends to tokens (B, PLACES) with all heads; a linear readout names the target kinds."""
    at, rows = tokens * PLACES + np.arange(PLACES), np.arange(len(tokens))[:, None]
    X = (w["kinds"][:, None] + w["places"]).reshape(-1, len(w["query"]))
    Q, K, V = (split(x @ w[f"W_{of}"] + w[f"b_{of}"], heads) for x, of in ((w["query"][None], "Q"), (X, "K"), (X, "V")))
    S = (Q * K).sum(axis=2) / sqrt(K.shape[2])
    A = softmax(S[:, at])
    spread = np.zeros((heads, len(tokens), len(X)))
    spread[:, rows, at] = A
    out = spread @ V
    out[silenced - 1 : silenced] = 0  # none if it is 0
    out = out.transpose(1, 0, 2).reshape(len(tokens), -1)
    Y = out @ w["W_O"] + w["b_O"]
    logits = Y @ w["U"] + w["c"]
    return Pass(X, at, Q, K, V, A, spread, out, Y, softmax(logits.reshape(len(tokens), -1, len(KINDS))))


def backward(w: dict[str, np.ndarray], f: Pass, right: np.ndarray, g: dict[str, np.ndarray]) -> None:
    """Write the gradients of the mean cross-entropy at the kinds `right` (B, targets) into g, by the chain rule."""
    heads, rows = len(f.A), np.arange(len(right))[:, None]
    dlogits = ((f.probability - np.eye(len(KINDS))[right]) / right.size).reshape(len(right), -1)
    g["U"][:], g["c"][:] = f.Y.T @ dlogits, dlogits.sum(axis=0)
    dY = dlogits @ w["U"].T
    g["W_O"][:], g["b_O"][:] = f.out.T @ dY, dY.sum(axis=0)
    dO = split(dY @ w["W_O"].T, heads)
    dV = f.spread.transpose(0, 2, 1) @ dO
    dA = (dO @ f.V.transpose(0, 2, 1))[:, rows, f.at]
    scattered = np.zeros_like(f.spread)
    scattered[:, rows, f.at] = f.A * (dA - (f.A * dA).sum(axis=2, keepdims=True))  # back through the softmax
    dS = scattered.sum(axis=1)[:, :, None] / sqrt(f.K.shape[2])
    dQ, dK, dV = (
        M.transpose(1, 0, 2).reshape(M.shape[1], -1) for M in ((dS * f.K).sum(axis=1, keepdims=True), dS * f.Q, dV)
    )
    for of, x, dx in (("Q", w["query"][None], dQ), ("K", f.X, dK), ("V", f.X, dV)):
        g[f"W_{of}"][:], g[f"b_{of}"][:] = x.T @ dx, dx.sum(axis=0)
    g["query"][:] = (dQ @ w["W_Q"].T)[0]
    dX = (dK @ w["W_K"].T + dV @ w["W_V"].T).reshape(len(KINDS), PLACES, -1)
    g["kinds"][:], g["places"][:] = dX.sum(axis=1), dX.sum(axis=0)


def spell(text: str) -> np.ndarray:
    """Kinds of the reader's sequence (PLACES,): other letters are left out, what is missing is filled up with A."""
    letters = [KINDS.index(c) for c in text.upper() if c in KINDS]
    return np.array([*letters, *[0] * PLACES][:PLACES])


def train(p: Params) -> Iterator[State]:
    """Adam (Kingma and Ba 2015) on the cross-entropy of the looked-up kinds, a fresh batch a step."""
    rng, places, own = np.random.default_rng(p.seed), list(TARGETS[p.lookups]), spell(p.sequence)
    size = sum(map(prod, shapes(p.width, p.lookups).values()))
    theta, gradient, mean, square = np.zeros((4, size))
    w, g = views(theta, p.width, p.lookups), views(gradient, p.width, p.lookups)
    for name, weights in w.items():
        if name in ("kinds", "places", "query"):
            weights[:] = rng.normal(0, START, weights.shape)
        elif weights.ndim == 2:
            weights[:] = rng.uniform(-1, 1, weights.shape) / sqrt(p.width)
    test = rng.integers(0, len(KINDS), (TEST, PLACES))
    silenced, film = p.silenced * (p.silenced <= p.heads), set(kept(p.steps, 60))
    for step in range(p.steps + 1):
        if step in film:
            f, mine = look_up(w, test, p.heads, silenced), look_up(w, own[None], p.heads, silenced)
            right = np.take_along_axis(f.probability, test[:, places, None], axis=2)
            loss = float(-np.log(np.maximum(right, 1e-300)).mean())
            accuracies = (f.probability.argmax(axis=2) == test[:, places]).mean(axis=0)
            between = np.quantile(f.A, (0.05, 0.95), axis=1)
            seen = Heads(f.A.mean(axis=1), between, mine.A[:, 0], own, mine.probability[0].argmax(axis=1), accuracies)
            weaker = float(seen.weights[:, places].max(axis=0).min())
            yield State(
                step, report(p, step, seen, loss), seen, float(f.A.max(axis=2).mean()),
                float((f.A * (1 - f.A)).sum(axis=2).mean()), weaker_target=weaker,
                first_accuracy=float(accuracies[0]), last_accuracy=float(accuracies[-1]) if p.lookups > 1 else None,
                loss=loss, parameters=count(p.width, p.heads), parameters_at_512=count(512, p.heads),
            )  # fmt: skip
        tokens = rng.integers(0, len(KINDS), (BATCH, PLACES))
        backward(w, look_up(w, tokens, p.heads), tokens[:, places], g)
        mean, square = 0.9 * mean + 0.1 * gradient, 0.999 * square + 0.001 * gradient**2
        unbiased = mean / (1 - 0.9 ** (step + 1)), square / (1 - 0.999 ** (step + 1))
        theta -= p.rate * unbiased[0] / (np.sqrt(unbiased[1]) + 1e-8)


def report(p: Params, step: int, seen: Heads, loss: float) -> str:
    """Which head looks at which target, and what that is good for."""
    places = TARGETS[p.lookups]
    each = []
    for place, accuracy in zip(places, seen.accuracies, strict=True):
        head = int(seen.weights[:, place].argmax())
        weight = number(seen.weights[head, place])
        each.append(f"head {head + 1} puts {weight} on the {NAMES[place]} token ({accuracy:.0%} read right)")
    said = f"Step {step}, loss {number(loss)}: {', '.join(each)}."
    if step < p.steps:
        return said
    shares = [seen.weights[:, place].max() for place in places]
    takers = {int(seen.weights[:, place].argmax()) for place in places}
    if 0 < p.silenced <= p.heads:
        return f"{said} Head {p.silenced} is silenced: what only it has read is guessed, 1 of {len(KINDS)} by chance."
    if len(places) == 1:
        return f"{said} There is only one token to look up."
    if min(shares) > 0.9 and len(takers) == len(places):
        return f"{said} Every target has a head of its own; which head takes which, the seed decides."
    if p.heads == 1:
        low, high = map(number, seen.range[:, 0, 0])
        return f"{said} One head has to blend: in nine of ten sequences the first token gets {low} to {high}."
    return f"{said} The heads have not divided the targets cleanly: nothing forces them to."


# ------------------------------------------------------------------------------------------------------------- drawing


def draw(p: Params, states: Sequence[State], now: int) -> Figure:
    if not states[now].seen:
        return figure(60, Panel((0, 1, 0, 1), 20, bare=True))  # the note says what is wrong with the text
    return {"matrices": tables, "scaling": curves, "heads": maps}[p.view](p, states, now)


GREEN = SERIES[2]
CELL, ABOVE = 30, 32  # px: height of a row of cells, room above a table
NBSP = "\u00a0"  # the player shows a space in a chip as ␣


def tinted(colour: str, text: str) -> str:
    return f'<span style="color:{colour}">{text}</span>'


def safe(words: Sequence[str]) -> list[str]:
    """Words as they may stand in a figure, where < would begin markup."""
    return [escape(cut(word), quote=False) for word in words]


def plain(value: float, digits: int = 2) -> str:
    """A number in a narrow cell: .42, −1.3, −.5, 12."""
    text = f"{round(float(value), digits) + 0.0:.{digits if abs(value) < 10 else 0}f}"
    return "0" if text == "0.0" else text.replace("-", "−").replace("0.", ".", text.lstrip("-").startswith("0."))


class Table(NamedTuple):
    title: str
    values: np.ndarray
    rows: Sequence[str]
    columns: Sequence[str]
    hover: Callable[[int, int], str]  # the arithmetic of a cell
    digits: int = 1


def tables_of(p: Params, m: Matrices) -> list[Table]:
    """What is shown, in the order of its stages."""
    me, them, root = safe(m.words), safe(m.others), number(sqrt(p.d_k))
    Q, K, V = (tinted(colour, letter) for colour, letter in ((BLUE, "Q"), (ORANGE, "K"), (GREEN, "V")))
    Y, given = "Y" if p.source == "other sentence" else "X", f"S / √d_k{', masked' * bool(np.isinf(m.Z).any())}"
    dimensions, wide = [str(j + 1) for j in range(WIDTH)], [str(j + 1) for j in range(p.d_k)]
    sums, place = np.exp(m.Z).sum(axis=1), " + its place" * p.positions

    def projected(letter: str, words: list[str], x: np.ndarray, w: np.ndarray, y: np.ndarray) -> Callable:
        return lambda i, j: f"{letter}({words[i]}), number {j + 1}:<br>{products(x[i], w[:, j])} = {number(y[i, j])}"

    def divided(i: int, j: int) -> str:
        if np.isinf(m.Z[i, j]):
            return f"{them[j]} comes after {me[i]}: −∞"
        return f"{number(m.S[i, j])}{f' / {root} = {number(m.Z[i, j])}' if p.scaled else ', not divided'}"

    def averaged(i: int, j: int) -> str:
        terms = [f"{number(a)}·{vector([v], True)}" for a, v in zip(m.A[i], m.V[:, j], strict=True) if a]
        rest = "<br>+ " * (len(terms) > 5) + " + ".join(terms[5:])
        return f"o({me[i]}), number {j + 1}:<br>{' + '.join(terms[:5])}{rest} = {number(m.out[i, j])}"

    return [
        Table("X, the words", m.X, me, dimensions, lambda i, j: f"x({me[i]}), number {j + 1}: {number(m.X[i, j])},<br>"
              f"drawn by the word itself{place}"),
        Table(f"{Q} = X·W_Q", m.Q, me, wide, projected("q", me, m.X, m.W[0], m.Q)),
        Table(f"{K} = {Y}·W_K", m.K, them, wide, projected("k", them, m.Y, m.W[1], m.K)),
        Table(f"{V} = {Y}·W_V", m.V, them, dimensions, projected("v", them, m.Y, m.W[2], m.V)),
        Table(f"S = {Q}·{K}ᵀ", m.S, me, them, lambda i, j: f"q({me[i]})·k({them[j]}):<br>{products(m.Q[i], m.K[j])}"
              f" = {number(m.S[i, j])}"),
        Table(given if p.scaled else given.replace(" / √d_k", ", not divided"), m.Z, me, them, divided),
        Table("A = softmax", m.A, me, them, lambda i, j: f"{me[i]} looks at {them[j]}:<br>e^{number(m.Z[i, j])} /"
              f" {number(sums[i])} = {number(m.A[i, j])}", 2),
        Table(f"O = A·{V}", m.out, me, dimensions, averaged),
    ]  # fmt: skip


SQUARE = (4, 5, 6)  # of the tables: queries by keys
SHOWN_AT = (1, 2, 3, 4, 5, 6, 8, 9)  # the stage that computes each of them
LOWER = [(0, 0.246), (0.264, 0.51), (0.528, 0.774), (0.8, 1)]
ACROSS = {  # left and right ends of the tables: wide, wide in cross-attention, on a phone
    False: [(0, 0.22), (0.26, 0.48), (0.52, 0.74), (0.78, 1), *LOWER],
    True: [(0, 0.2), (0.23, 0.43), (0.57, 0.77), (0.8, 1), *LOWER],
    None: [(0, 0.46), (0.54, 1)] * 2 + [(0, 1)] * 4,
}


def tables(p: Params, states: Sequence[State], now: int) -> Figure:
    """Eight tables, those to come covered, the watched token's row framed; below, the outputs in another order."""
    m, step = states[now].seen, states[now].step
    shown, cross, moved = tables_of(p, m), p.source == "other sentence", p.order != "as typed"
    names = 8 * max(map(len, (cut(word) for word in m.others))) + 10  # px that the words below a table take
    panels, low = [], CELL * len(m.words)  # px of the lower row, and of the one below if there is one
    high = CELL * max(len(m.words), len(m.others)) + 20 + ABOVE
    total = high + low + moved * (names + ABOVE + low)
    for i, (title, _, rows, columns, _, _) in enumerate(shown):
        top, tall = high if i >= 4 else 0, CELL * len(rows)
        ticks = [*range(len(columns))] if len(columns) <= MOST_WORDS else [j for j in range(7, len(columns), 8)]
        x = {"range": [-0.5, len(columns) - 0.5], "tickvals": ticks, "ticktext": [columns[j] for j in ticks]}
        y = {"range": [0.5 - len(rows), 0.5], "tickvals": [-j for j in range(len(rows))], "ticktext": [*rows]}
        y |= {"showgrid": False, "showticklabels": i in (0, 4) or (cross and i == 2)}
        place = (*ACROSS[cross][i], 1 - (top + tall) / total, 1 - top / total)
        panels.append(Panel(place, tall, title, x | {"showgrid": False, "tickangle": -90 if i in SQUARE else 0}, y))
    if moved:
        y = {"range": [0.5 - len(m.words), 0.5], "tickvals": [-j for j in range(len(m.words))], "showgrid": False}
        y["ticktext"] = [word for _, word in sorted(zip(m.order.tolist(), safe(m.words), strict=True))]
        title = f"Typed, {p.order}: {tinted(BLUE, '━ equal')} {tinted(ORANGE, '┅ different')}"
        panels.append(Panel((0, 1, 0, low / total), low, title, {"range": [0, 14], "tickvals": []}, y))
    below = 12 if moved else names
    fig = figure(total + 28 + below, *panels)
    fig["layout"]["margin"] |= {"l": 80, "b": below}
    stack(fig, shown, names, moved)
    for i, table in enumerate(shown):
        fill(fig, i + 1, table)
    shapes, row = fig["layout"]["shapes"], watched(p, m)
    if step > SHOWN_AT[5]:  # the mask
        for i, j in np.argwhere(np.isinf(m.Z)):
            at = {"text": "−∞", "font": {"color": MUTED, "size": 12}}
            shapes.append(box(6, (j - 0.5, j + 0.5), (-i - 0.5, -i + 0.5), FAINT, 1, PAPER, label=at))
    for i, (_, _, rows, columns, _, _) in enumerate(shown):
        edge = (-0.5, len(columns) - 0.5)
        if step < SHOWN_AT[i]:
            shapes.append(box(i + 1, edge, (0.5 - len(rows), 0.5), FAINT, 1, PAPER))
        elif not cross or i not in (2, 3):
            shapes.append(box(i + 1, edge, (-row - 0.5, -row + 0.5), INK, 2))
    if SHOWN_AT[4] <= step < SHOWN_AT[7]:  # the score that the note calculates, and its key
        best, latest = int(m.A[row].argmax()), max(i for i in SQUARE if step >= SHOWN_AT[i])
        shapes.append(box(latest + 1, (best - 0.5, best + 0.5), (-row - 0.5, -row + 0.5), ORANGE, 3))
        shapes.append(box(3, (-0.5, len(shown[2].columns) - 0.5), (-best - 0.5, -best + 0.5), ORANGE, 3))
    if moved:
        compare(fig, p, m, step >= SHOWN_AT[7])
    fig["chips"] = [looks(p, m, step, row)]
    return fig


def stack(fig: Figure, shown: list[Table], names: int, moved: bool) -> None:
    """On a phone: the upper tables in pairs, the others below each other, with the names of their rows."""
    tops, at = [], 0
    for i, table in enumerate(shown):
        tops.append(at)
        if i not in (0, 2):
            at += CELL * len(table.rows) + ABOVE + (names if i in SQUARE else 20)
    heights = [CELL * len(table.rows) for table in shown]
    across = list(ACROSS[None])
    if moved:
        tops, heights, across = [*tops, at], [*heights, CELL * len(shown[0].rows)], [*across, (0, 1)]
    total = tops[-1] + heights[-1]
    for i, (top, height, ends) in enumerate(zip(tops, heights, across, strict=True)):
        suffix = "" if i == 0 else str(i + 1)
        fig["narrow"][f"xaxis{suffix}.domain"] = list(ends)
        fig["narrow"][f"yaxis{suffix}.domain"] = [round(1 - (top + height) / total, 4), round(1 - top / total, 4)]
        fig["narrow"][f"yaxis{suffix}.showticklabels"] = i not in (1, 3)
    fig["narrow"] |= {"height": total + 28 + 30, "margin.b": 30}


def fill(fig: Figure, panel: int, table: Table) -> None:
    """A table's colours, its numbers where they have room, and the arithmetic of each cell on hover.

    All of it at every step, covered as long as it is to come: nine traces that change would cost the player seconds.
    """
    _, values, rows, columns, hover, digits = table
    finite = np.where(np.isinf(values), 0, values)
    most = 1 if digits == 2 else max(np.abs(finite).max(), 1e-9)
    paint(fig, panel, finite[::-1] / most, (-0.5, len(columns) - 0.5), (0.5 - len(rows), 0.5), smooth=False)
    row, column = np.indices(values.shape).reshape(2, -1)
    roomy = len(columns) <= {1: WIDTH if panel <= 4 else 6, 2: 8}[digits]  # on a screen of usual width
    texts = [plain(v, digits) if roomy else "" for v in finite.ravel()]
    said = [hover(i, j) for i, j in zip(row, column, strict=True)]
    cells = {"type": "scatter", "mode": "text", "x": column, "y": -row, "text": texts, "hovertext": said}
    look = {"hoverinfo": "text", "name": "table", "textfont": {"color": INK, "size": 11}}
    fig["data"].append(cells | look | axes(panel))


def compare(fig: Figure, p: Params, m: Matrices, reached: bool) -> None:
    """The outputs in the order typed and in the one shown, side by side, and a line from each word to itself."""
    n, most, shapes = len(m.words), float(max(np.abs(m.out).max(), np.abs(m.typed).max())), fig["layout"]["shapes"]
    change = np.abs(m.out - m.typed[m.order]).max(axis=1)
    for values, x in ((m.typed, (0, 4)), (m.out, (8, 12))):
        paint(fig, 9, values[::-1] / most, x, (0.5 - n, 0.5), smooth=False)
    for now, (before, far) in enumerate(zip(m.order.tolist(), change, strict=True)):
        one = segment(9, (4.1, -before), (7.9, -now), ORANGE if far > FAR else BLUE, 2)
        shapes += [one | {"line": one["line"] | {"dash": "dash" if far > FAR else "solid"}}] if reached else []
    if not reached:
        shapes += [box(9, (0, 4), (0.5 - n, 0.5), FAINT, 1, PAPER), box(9, (8, 12), (0.5 - n, 0.5), FAINT, 1, PAPER)]
    said = [f"{word}: its output differs by {number(far)}" for word, far in zip(safe(m.words), change, strict=True)]
    fig["data"].append(
        {"type": "scatter", "mode": "text", "x": [12.15] * n, "y": [*range(0, -n, -1)], "text": safe(m.words),
         "textposition": "middle right", "textfont": {"color": MUTED, "size": 13}, "name": p.order,
         "hovertext": said, "hoverinfo": "text"} | axes(9)
    )  # fmt: skip


def looks(p: Params, m: Matrices, step: int, row: int) -> dict:
    """Chips: the tokens that the watched one looks at, below each its score or, once there, its weight."""
    weighed, scored = step >= SHOWN_AT[6], step >= SHOWN_AT[4]
    scores = m.S[row] / (sqrt(p.d_k) if p.scaled and step >= SHOWN_AT[5] else 1)
    values = m.A[row] if weighed else m.Z[row] if step > SHOWN_AT[5] else scores
    subs = [("−∞" if np.isinf(v) else plain(v, 2)) if scored else "" for v in values]
    what = "weights" if weighed else "scores" if scored else "to come"
    title = f"What {cut(m.words[row])} looks at: {what}"
    return chips(title, [cut(w) for w in m.others], [1 if weighed and v >= 1 / len(m.others) else None for v in values],
                 subs, [] if p.source == "other sentence" else [row])  # fmt: skip


def curves(p: Params, states: Sequence[State], now: int) -> Figure:
    """All scores and one query's weights at this d_k; variance, largest weight and slope by d_k."""
    state, scores, d_k = states[now], states[now].seen, [s.step for s in states]
    variance = np.array([s.score_variance for s in states]) / (d_k if p.scaled else 1)
    doublings = {"type": "log", "range": [-0.08, np.log10(2**DOUBLINGS) + 0.08], "tickvals": [1, 4, 16, 64, 256]}
    doublings["title"] = "d_k"
    share, what = {"range": [0, 1.05], "tickvals": [0, 0.5, 1]}, "q·k / √d_k" if p.scaled else "q·k"
    edge = scores.edge
    fig = figure(
        480,
        Panel((0, 0.46, 0.62, 1), 150, f"All scores {what}", {"range": [-edge, edge], "nticks": 7},
              {"range": [0, 1.08], "tickvals": []}),
        Panel((0.54, 1, 0.62, 1), 150, f"One query's weights on its {p.keys} keys",
              {"range": [-0.6, p.keys - 0.4], "tickvals": [], "showgrid": False},
              {"range": [0, 1.15], "tickvals": [0, 0.5, 1]}),
        Panel((0, 0.28, 0, 0.4), 150, f"Variance of {what}", doublings,
              {"type": "log", "range": [-0.3, 2.7], "tickvals": [1, 10, 100]}),
        Panel((0.36, 0.64, 0, 0.4), 150, "Mean largest weight", doublings, share),
        Panel((0.72, 1, 0, 0.4), 150, "Slope Σ α(1 − α)", doublings, share),
    )  # fmt: skip
    colour, total = BLUE if p.scaled else ORANGE, np.exp(scores.z).sum()
    said = [f"e^{number(z)} / {number(total)} = {number(a)}" for z, a in zip(scores.z, scores.a, strict=True)]
    keys = points(2, np.arange(p.keys), np.full(p.keys, 0.1), "keys", INK, marker={"size": 24, "opacity": 0})
    fig["data"].append(keys | {"hovertext": said, "hoverinfo": "text"})
    ends, by_d_k = [1, 2**DOUBLINGS], {"mode": "lines+markers", "hovertemplate": "%{y:.3g} at d_k = %{x}"}
    largest, slopes = np.array([(s.largest_weight, s.passed_gradient) for s in states]).T
    even, dots = ([1, 1] if p.scaled else ends), {"line": {"dash": "dot"}, "hoverinfo": "skip"}
    fig["data"] += [
        lines(3, ends, even, "expected", MUTED, **dots),
        lines(4, ends, [1 / p.keys] * 2, "even", MUTED, **dots),
        *(lines(n, d_k, y, "measured", colour, **by_d_k) for n, y in ((3, variance), (4, largest), (5, slopes))),
    ]
    fig["layout"]["annotations"] += [
        label(3, 0.1, 0.17 if p.scaled else 1.1, "1" if p.scaled else "= d_k", xanchor="left"),
        label(4, np.log10(2**DOUBLINGS), 1 / p.keys, f"even: 1/{p.keys}", xanchor="right", yanchor="bottom"),
    ]
    steps = np.linspace(-edge, edge, len(scores.counts) + 1)
    fig["layout"]["shapes"] += [
        polyline(1, np.repeat(steps, 2)[1:-1], np.repeat(scores.counts, 2), colour, 2),
        *(rule(panel, state.step) for panel in (3, 4, 5)),
    ]
    for j, a in enumerate(scores.a):
        at = {"text": plain(a) if p.keys <= 12 or a > 0.1 else "", "textposition": "top center", "yanchor": "bottom"}
        at["font"] = {"color": INK, "size": 11}
        fig["layout"]["shapes"].append(box(2, (j - 0.4, j + 0.4), (0, a), colour, 1, colour, opacity=0.75, label=at))
    return fig


def maps(p: Params, states: Sequence[State], now: int) -> Figure:
    """The weight of every head on every place; by step, the weights on the targets and how many are read right."""
    state, seen, places = states[now], states[now].seen, TARGETS[p.lookups]
    steps = [s.step for s in states]
    named = [NAMES[i] if i in places else str(i + 1) for i in range(PLACES)]
    colours = {0: BLUE, 2: SERIES[3], 5: GREEN}
    targets = " ".join(tinted(colours[i], f"━ {NAMES[i]}") for i in places)
    x, y = {"range": [-0.02 * p.steps, 1.02 * p.steps], "nticks": 5}, {"range": [-0.05, 1.08], "tickvals": [0, 0.5, 1]}
    weight = f"{'Each head’s' if p.heads <= 2 else 'Largest'} weight by step: {targets}"
    across = {"range": [-0.5, PLACES - 0.5], "tickvals": [*range(PLACES)], "ticktext": named, "showgrid": False}
    heads = {"range": [0.5 - p.heads, 0.5], "tickvals": [-k for k in range(p.heads)], "showgrid": False,
             "ticktext": [f"head {k + 1}" for k in range(p.heads)]}  # fmt: skip
    tall = min(362, 130 * p.heads)
    fig = figure(
        430,
        Panel((0, 0.46, 1 - tall / 362, 1), tall, "Mean weight; below, 90 % of sequences", across, heads),
        Panel((0.56, 1, 0.6, 1), 150, weight, x, y),
        Panel((0.56, 1, 0, 0.4), 150, "Read right by step; chance ┄", x, y),
    )
    fig["layout"]["margin"]["l"] = 62
    paint(fig, 1, seen.weights[::-1], (-0.5, PLACES - 0.5), (0.5 - p.heads, 0.5), smooth=False)
    row, column = np.indices(seen.weights.shape).reshape(2, -1)
    said = [f"head {i + 1}, token {j + 1}: {number(seen.weights[i, j])} on average,<br>{number(seen.own[i, j])} in your"
            " sequence" for i, j in zip(row, column, strict=True)]  # fmt: skip
    cells = points(1, column, -row, "cells", INK, marker={"size": 26, "opacity": 0})
    fig["data"].append(cells | {"hovertext": said, "hoverinfo": "text"})
    shapes = fig["layout"]["shapes"]
    for i, j in zip(row.tolist(), column.tolist(), strict=True):
        low, high = (plain(v).replace("1.00", "1") for v in seen.range[:, i, j])
        said = f"<b>{plain(seen.weights[i, j])}</b>"
        if p.heads <= 4 and low != high and seen.range[1, i, j] > 0.05:
            said += f"<br>{low}–{high}"
        at = {"text": said, "font": {"color": INK, "size": 12}}
        shapes.append(box(1, (j - 0.5, j + 0.5), (-i - 0.5, -i + 0.5), FAINT, 1, label=at))
    if 0 < p.silenced <= p.heads:
        at = {"text": "silenced", "font": {"color": INK, "size": 14}}
        row = 1 - p.silenced
        shapes.append(box(1, (-0.5, PLACES - 0.5), (row - 0.5, row + 0.5), INK, 2, PAPER, label=at))
    for place in places:
        shapes.append(box(1, (place - 0.5, place + 0.5), (0.5 - p.heads, 0.5), colours[place], 3))
        weights = np.array([s.seen.weights[:, place] for s in states])
        weights = weights if p.heads <= 2 else weights.max(axis=1, keepdims=True)
        for k, dash in zip(range(weights.shape[1]), ("solid", "dash"), strict=False):
            name = f"head {k + 1}" if p.heads <= 2 else "largest"
            fig["data"].append(lines(2, steps, weights[:, k], name, colours[place], line={"dash": dash}))
    for n, place in enumerate(places):
        right, dash = [s.seen.accuracies[n] for s in states], ("solid", "dash", "dot")[n]
        fig["data"].append(lines(3, steps, right, NAMES[place], colours[place], line={"dash": dash}))
    chance, dots = [1 / len(KINDS)] * 2, {"dash": "dot", "width": 1.5}
    fig["data"].append(lines(3, [0, p.steps], chance, "chance", MUTED, line=dots, hoverinfo="skip"))
    shapes += [rule(2, state.step), rule(3, state.step)]
    fig["chips"] = rows(p, seen)
    return fig


def rows(p: Params, seen: Heads) -> list[dict]:
    """Chips: the reader's sequence with its weights, what is read from it, and the number of parameters."""
    places, tokens = TARGETS[p.lookups], [KINDS[k] for k in seen.tokens]
    below, subs = "the head that looks most", [f"{plain(a.max())} by {a.argmax() + 1}" for a in seen.own.T]
    if p.heads <= 2:
        below = " and ".join(f"head {k + 1}" for k in range(p.heads))
        subs = [" · ".join(map(plain, a)) for a in seen.own.T]
    read = [f"{NAMES[i]}:{NBSP}{KINDS[k]}" for i, k in zip(places, seen.said, strict=True)]
    wrong = [n for n, (i, k) in enumerate(zip(places, seen.said, strict=True)) if seen.tokens[i] != k]
    d, narrow = p.width, p.width // p.heads
    sums = [f"{p.heads}·3·({d}·{narrow}+{narrow})", f"{d}·{d}+{d}", f"{count(d, p.heads):,}"]
    return [
        chips(f"Your sequence; below, the weight of {below}", tokens, None, subs, places),
        chips("Read from it" + ", wrongly where framed" * bool(wrong), read, None, None, wrong),
        chips(f"Parameters of the attention layer, d = {d}, h = {p.heads}; for d = 512 it has {count(512, p.heads):,}",
              sums, None, ["W_Q, W_K, W_V of all heads", "W_O", "together"]),
    ]  # fmt: skip


PRESETS = (
    works(
        "Order does not count",
        "The tokens are shuffled, and every word keeps the output it had: attention sees a set of words.",
        {"order_error": "<= 1e-12"},
        order="shuffled",
    ),
    fails(
        "Without √d_k",
        "The scores are not divided, their variance grows with d_k, and one of ten keys takes nearly all the weight.",
        {"largest_weight": ">= 0.9", "passed_gradient": "<= 0.15"},
        view="scaling",
        scaled=False,
    ),
    works(
        "Two heads, two targets",
        "Each head puts nearly all its weight on one of the two tokens that are asked for.",
        {"weaker_target": ">= 0.95", "last_accuracy": ">= 0.99"},
        view="heads",
    ),
    fails(
        "One head for two targets",
        "It has one distribution, so it splits its weight; the task is solved all the same, from the blend.",
        {"weaker_target": "<= 0.6", "first_accuracy": ">= 0.9", "last_accuracy": ">= 0.9"},
        view="heads",
        heads=1,
    ),
)
