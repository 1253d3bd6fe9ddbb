"""A kernel slides over a picture, every product written out; kernels are stacked, learned, and their weights counted.

Left out: the gradient for the input, transposed, grouped and depthwise convolutions, and padding other than by zeros.
Every view shows convolutions alone, without an activation after them.
"""

import base64
import struct
import zlib
from collections.abc import Callable, Iterator, Sequence
from functools import lru_cache
from typing import Literal, NamedTuple

import numpy as np

from playgrounds import kit
from playgrounds.kit import fails, knob, works
from playgrounds.kit.figures import (
    Figure,
    Panel,
    axes,
    box,
    chips,
    dot,
    figure,
    label,
    lines,
    log_axis,
    paint,
    polyline,
    rule,
)
from playgrounds.kit.forms import matrix, pixels
from playgrounds.kit.palette import BLUE, FAINT, INK, MUTED, ORANGE, PAPER, SERIES
from playgrounds.kit.training import finite, kept
from playgrounds.kit.words import counted, number, vector

KERNELS = {
    "difference": "1,-1",
    "identity": "0,0,0;0,1,0;0,0,0",
    "Sobel x": "-1,0,1;-2,0,2;-1,0,1",
    "Sobel y": "-1,-2,-1;0,0,0;1,2,1",
    "outline": "-1,-1,-1;-1,8,-1;-1,-1,-1",
    "blur": ";".join([",".join([str(1 / 9)] * 3)] * 3),
    "sharpen": "0,-1,0;-1,5,-1;0,-1,0",
    "emboss": "-2,-1,0;-1,1,1;0,1,2",
}
FILTERS = ("Sobel x", "Sobel y", "outline", "blur", "emboss", "red − blue")
LETTERS = {"E": "007e607c60607e00", "T": "007e7e1818181800", "X": "0066663c3c666600", "O": "003c666666663c00"}
SIDES = {"digit": 8, "own": 16, "photo": 40}  # pixels of the pictures that come in one size
CELLS = 100  # outputs up to which each is a step; of larger maps a step is a row
HUGE = 1e6  # a weight beyond it has diverged


class Params(kit.Params):
    view: Literal["slide", "filters", "layers", "learn", "count"] = knob(
        "slide", label="View", help="one window; several filters; layers in a row; learn a kernel; count weights"
    )
    picture: Literal["ramp", "step", "checker", "letter", "digit", "photo", "noise", "plain", "own"] = knob(
        "letter", label="Picture", when=lambda p: p.view != "count"
    )
    own: str = knob("", 16, SIDES["own"], form="drawing", label="Your picture", when=lambda p: p.shows("own"))
    letter: Literal[tuple(LETTERS)] = knob("E", label="Letter", when=lambda p: p.shows("letter"))
    digit: int = knob(3, 0, 9, label="Digit", when=lambda p: p.shows("digit"))
    side: int = knob(
        8, 3, 32, label="Input size W", help="pixels a side", when=lambda p: not p.shows(*SIDES) and p.view != "count"
    )
    kernel: Literal["own", *KERNELS] = knob(
        "Sobel x", label="Kernel", when=lambda p: p.view in ("slide", "layers", "learn")
    )
    grid: str = knob(
        "1,2;3,4", 1, 5, form="matrix", label="Your kernel",
        when=lambda p: p.kernel == "own" and p.view in ("slide", "layers", "learn"),
    )  # fmt: skip
    filters: tuple[Literal[FILTERS], ...] = knob(FILTERS, label="Filters", when=lambda p: p.view == "filters")
    layers: int = knob(13, 1, 20, label="Layers", when=lambda p: p.view == "layers")
    padding: int = knob(0, 0, 4, label="Padding P", help="rings of zeros", when=lambda p: bool(p.places))
    stride: int = knob(1, 1, 4, label="Stride S", help="pixels to the next window", when=lambda p: bool(p.places))
    flip: bool = knob(
        False, label="Flip the kernel", help="the convolution of mathematics; libraries do not flip",
        when=lambda p: p.view in ("slide", "learn"),
    )  # fmt: skip
    rate: float = knob(0.2, 0.01, 5, log=True, label="Learning rate η", when=lambda p: p.view == "learn")
    steps: int = knob(300, 1, 3000, log=True, label="Steps", when=lambda p: p.view == "learn")
    image: int = knob(32, 8, 256, label="Image size", help="pixels a side", when=lambda p: p.view == "count")
    size: int = knob(3, 1, 7, label="Kernel size F", when=lambda p: p.view == "count")
    channels_in: int = knob(3, 1, 64, label="Channels in", help="1: grey, 3: RGB", when=lambda p: p.view == "count")
    channels_out: int = knob(64, 1, 128, label="Filters K", when=lambda p: p.view == "count")
    seed: int = knob(
        1, 0, 9999, label="Seed", help="decides the first weights, and the picture if it is noise",
        when=lambda p: p.view == "learn" or p.shows("noise"),
    )  # fmt: skip
    bias: float = knob(0.0, -20, 20, step=0.5, label="Bias b", more=True, when=lambda p: p.view in ("slide", "learn"))
    dilation: int = knob(
        1, 1, 3, label="Dilation", help="pixels from one weight of the kernel to the next", more=True,
        when=lambda p: bool(p.places),
    )  # fmt: skip

    def shows(self, *pictures: str) -> bool:
        return self.view != "count" and self.picture in pictures

    @property
    def places(self) -> tuple:
        """Padding, stride and dilation in the views that have these knobs, else ()."""
        return (self.padding, self.stride, self.dilation) if self.view in ("slide", "filters", "layers") else ()

    @property
    def width(self) -> int:
        """Pixels of the picture a side."""
        return SIDES.get(self.picture, self.side)

    @property
    def weights(self) -> np.ndarray:
        """The kernel (rows, columns) that slides; in the view of filters all are 3 × 3."""
        w = matrix(self.grid if self.kernel == "own" else KERNELS["blur" if self.view == "filters" else self.kernel])
        return w[::-1, ::-1] if self.flip and self.view in ("slide", "learn") else w

    @property
    def sizes(self) -> list:
        """(rows, columns) of the picture and of the map after every layer, as many layers as fit."""
        sizes = [(self.width, self.width)]
        for _ in range(self.layers if self.view == "layers" else 1):
            here = tuple(outputs(w, f, *self.places) for w, f in zip(sizes[-1], self.weights.shape, strict=True))
            if 0 in here:
                break
            sizes.append(here)
        return sizes

    @property
    def length(self) -> int:
        if self.view == "count":
            return len(image_sizes(self))
        if self.view == "layers" or len(self.sizes) == 1:
            return len(self.sizes)
        rows, columns = self.sizes[1]
        if self.view == "learn":
            return len(kept(self.steps))
        return rows * columns if self.view == "slide" and rows * columns <= CELLS else rows


class State(NamedTuple):
    step: int  # outputs or rows computed, layers passed, updates of the weights, or the size of the image
    output: float | None  # the one that this step computes
    width: float | None  # columns of the map, 0 if no position fits
    border: float | None  # share of its values whose window, or a window before it, has reached into the padding
    unread: float | None  # pixels of the picture that are in no window
    maps: float | None
    loss: float | None
    kernel_error: float | None  # largest distance of a learned weight from the kernel that the reader has chosen
    parameters: int  # of the convolution
    dense_parameters: int  # of a dense layer between the same inputs and outputs
    note: str
    at: tuple[int, int]  # row and column of the output
    kernel: np.ndarray  # (K, C, rows, columns)
    planes: np.ndarray  # (C, rows, columns) what the kernels read, with the padding
    outcome: np.ndarray  # (K, rows, columns) their maps; in the view "learn" (2, …) the target and ours


NOTHING = State(0, *[None] * 7, 0, 0, "", (0, 0), *[np.zeros((1, 1, 0, 0))] * 3)


def reach(f: int, dilation: int = 1) -> int:
    """Effective size of f weights in a row: dilation · (f − 1) + 1 pixels."""
    return dilation * (f - 1) + 1


def outputs(w: int, f: int, padding: int = 0, stride: int = 1, dilation: int = 1) -> int:
    """⌊(W − F + 2P)/S⌋ + 1 positions along one dimension, F the effective size; 0 if not even one fits."""
    return max(0, (w - reach(f, dilation) + 2 * padding) // stride + 1)


def padded(x: np.ndarray, padding: int) -> np.ndarray:
    """Channels (C, H, W) with rings of zeros around them."""
    return np.pad(x, ((0, 0), (padding, padding), (padding, padding)))


def convolve(x: np.ndarray, w: np.ndarray, padding: int = 0, stride: int = 1, dilation: int = 1) -> np.ndarray:
    """y[k, i, j] = Σ w[k, c, u, v] · x[c, iS + du, jS + dv] over c, u, v: x (C, H, W), w (K, C, f, f), y (K, h, w).

    What libraries call a convolution and mathematics a cross-correlation: w is not flipped.
    """
    x, covered = padded(x, padding), (reach(w.shape[2], dilation), reach(w.shape[3], dilation))
    if covered[0] > x.shape[1] or covered[1] > x.shape[2]:
        return np.zeros((len(w), 0, 0))
    windows = np.lib.stride_tricks.sliding_window_view(x, covered, axis=(1, 2))
    return np.einsum("chwuv,kcuv->khw", windows[:, ::stride, ::stride, ::dilation, ::dilation], w)


def window(x: np.ndarray, p: Params, i: int, j: int, shape: tuple[int, int]) -> np.ndarray:
    """What the kernel covers of the padded x (C, H, W) for output (i, j), (C, *shape)."""
    return x[:, p.stride * i :, p.stride * j :][:, :: p.dilation, :: p.dilation][:, : shape[0], : shape[1]]


@lru_cache(maxsize=1)
def digits() -> tuple[np.ndarray, np.ndarray]:
    from sklearn.datasets import load_digits

    return load_digits().images, load_digits().target


@lru_cache(maxsize=1)
def photo() -> np.ndarray:
    """Red, green and blue (3, 40, 40) of a pagoda in levels 0 to 15, means of 10 × 10 pixels."""
    from sklearn.datasets import load_sample_image

    patch = load_sample_image("china.jpg")[15:415, 15:415].astype(float)
    return np.rint(patch.reshape(40, 10, 40, 10, 3).mean(axis=(1, 3)) / 17).transpose(2, 0, 1)


def colours(p: Params) -> np.ndarray:
    """The picture's channels (3, width, width); all three are the same unless it is the photo."""
    return photo() if p.picture == "photo" else np.repeat(picture(p)[None], 3, axis=0)


def picture(p: Params) -> np.ndarray:
    """Whole numbers (width, width), 0 for empty: up to 16 in a digit, 15 in a photo or a drawing, 1 in the others."""
    n = p.width
    at = np.arange(n)
    match p.picture:
        case "ramp":
            return np.arange(n * n, dtype=float).reshape(n, n)
        case "step":  # Zhang et al., Dive into Deep Learning, section 7.2: bright, dark, bright
            return np.tile(((at < n // 4) | (at >= n - n // 4)).astype(float), (n, 1))
        case "checker":
            return ((at[:, None] // 2 + at // 2) % 2).astype(float)
        case "letter":
            bits = np.unpackbits(np.frombuffer(bytes.fromhex(LETTERS[p.letter]), np.uint8)).reshape(8, 8)
            return bits[np.ix_(at * 8 // n, at * 8 // n)].astype(float)
        case "digit":
            images, labels = digits()
            return images[labels == p.digit][0]
        case "photo":
            return np.rint(photo().mean(axis=0))
        case "noise":
            return np.random.default_rng([p.seed, 1]).integers(0, 2, (n, n)).astype(float)
        case "plain":
            return np.ones((n, n))
        case _:
            return np.rint(pixels(p.own, p.width) * 15)


def bank(names: Sequence[str]) -> np.ndarray:
    """Kernels (K, 3, 3, 3): one slice for each channel, all three alike but in the filter that compares colours."""
    centre = matrix(KERNELS["identity"])
    slices = {name: [matrix(KERNELS[name])] * 3 for name in FILTERS if name in KERNELS}
    return np.array([slices.get(name, [centre, 0 * centre, -centre]) for name in names])


def run(p: Params) -> Iterator[State]:
    """The states of the view that the reader has chosen."""
    if p.view in ("slide", "filters", "learn") and len(p.sizes) == 1:
        yield nothing(p)
    else:
        yield from {"slide": slide, "filters": slide, "layers": stack, "learn": learn, "count": count}[p.view](p)


def nothing(p: Params) -> State:
    """No position fits: an empty map, and why."""
    padding, _, dilation = p.places or (0, 1, 1)
    rows, columns = (reach(f, dilation) for f in p.weights.shape)
    n = p.width + 2 * padding
    has = f"the {'padded ' if padding else ''}picture has {n} × {n}"
    said = f"No position fits: the kernel covers {rows} × {columns} pixels and {has}"
    return NOTHING._replace(
        width=0, unread=p.width**2, parameters=p.weights.size + 1, note=f"{said}, so the output is empty.",
        kernel=p.weights[None, None], planes=padded(picture(p)[None], padding), outcome=np.zeros((1, 0, 0)),
    )  # fmt: skip


def touched(p: Params, layers: int = 1) -> np.ndarray:
    """Which values of the map have seen padding, directly or through the layers before, (rows, columns)."""
    ones, clean = np.ones((1, 1, *p.weights.shape)), np.ones((1, p.width, p.width))
    for _ in range(layers):
        clean = (convolve(clean, ones, *p.places) == ones.size).astype(float)
    return clean[0] == 0


def slide(p: Params) -> Iterator[State]:
    """One output a state, or a row of them; all filters answer at every position."""
    if p.view == "slide":
        x, w, b = picture(p)[None], p.weights[None, None], p.bias
    else:
        x, w, b = colours(p), bank(p.filters), 0.0
    y = convolve(x, w, *p.places) + b
    size, around = x.size, padded(x, p.padding)
    (rows, columns), f = p.sizes[1], w.shape[2:]
    read = np.zeros((1, *around.shape[1:]))
    for i, j in np.ndindex(rows, columns):
        window(read, p, i, j, f)[:] = 1
    inner = slice(p.padding, p.padding + p.width)
    known = NOTHING._replace(
        width=columns, border=float(touched(p).mean()), unread=int((read[0, inner, inner] == 0).sum()), maps=len(w),
        parameters=w.size + len(w), dense_parameters=(size + 1) * y.size, kernel=w, planes=around, outcome=y,
    )  # fmt: skip
    for step in range(1, p.length + 1):
        if p.length == rows * columns:
            i, j = divmod(step - 1, columns)
        else:  # of a row, the place with the strongest answer
            i, j = step - 1, int(np.abs(y[0, step - 1]).argmax())
        products = window(around, p, i, j, f) * w  # (K, C, f, f)
        answers = products.sum(axis=(1, 2, 3)) + b
        state = known._replace(step=step, at=(i, j), output=float(answers[0]) if p.view == "slide" else None)
        yield state._replace(note=told(p, state) if p.view == "slide" else answered(p, state, answers))


def size_sum(w: int, f: int, padding: int, stride: int, dilation: int) -> str:
    """The size formula with its numbers."""
    return f"⌊({w} − {reach(f, dilation)} + 2·{padding})/{stride}⌋ + 1 = {outputs(w, f, padding, stride, dilation)}"


def product_sum(p: Params, now: State, i: int, j: int, end: str = " + ") -> str:
    """3·1 + 0·(−1) + … + b = 3 for output (i, j); `end` stands between the rows of the window."""
    w = now.kernel[0, 0]
    seen = window(now.planes, p, i, j, w.shape)[0]
    rows = [
        " + ".join(f"{x:g}·{vector([v], factor=True)}" for x, v in zip(*row, strict=True))
        for row in zip(seen.tolist(), w.tolist(), strict=True)
    ]
    bias = f"{end}{vector([p.bias], factor=True)}" if p.bias else ""
    return f"{end.join(rows)}{bias} = {number(float(now.outcome[0, i, j]), 6)}"


def told(p: Params, now: State) -> str:
    """The window's products and their sum; at the end the size of the map and what was lost or added at the border."""
    (i, j), (rows, columns) = now.at, p.sizes[1]
    place = f"Output row {i}, column {j}"
    if p.length != rows * columns:
        place = f"Row {i}, {counted(columns, 'output')}, the strongest in column {j}"
    said = f"{place}: {product_sum(p, now, i, j)}"
    if now.step < p.length:
        return f"{said}."
    said += f". The map has {rows} × {columns} values from {p.width} × {p.width} pixels"
    if now.border:
        said += f"; {number(100 * now.border)} % of them have seen padding"
    if now.unread:
        said += f"; {counted(now.unread, 'pixel')} were never read"
    return f"{said}; one kernel of {counted(now.kernel.size, 'weight')} made them all."


def answered(p: Params, now: State, answers: np.ndarray) -> str:
    """What every filter answers at one position; at the end what the maps are."""
    (i, j), (k, rows, columns) = now.at, now.outcome.shape
    named = ", ".join(f"{name} {number(y)}" for name, y in zip(p.filters, answers.tolist(), strict=True))
    said = f"Row {i} is done in every map; at column {j} the answers are {named}"
    if now.step == 1:
        return f"{said}: each is one sum over 3 × 3 pixels of all 3 channels."
    if now.step < p.length:
        return f"{said}."
    size = f"{rows} × {columns}"
    made = f"{counted(k, 'filter')} made {counted(k, 'map')} of {size}, a block {k} × {size}, and not {3 * k} maps"
    return f"{made}: every filter adds up its 3 channels. (3·3·3 + 1)·{k} = {now.parameters} parameters."


def stack(p: Params) -> Iterator[State]:
    """The same kernel applied again and again, a layer a state."""
    y, w, dense = picture(p)[None], p.weights[None, None], 0
    for step, (_, columns) in enumerate(p.sizes):
        if step:
            before, y = y, convolve(y, w, *p.places)
            dense += (before.size + 1) * y.size
        state = NOTHING._replace(
            step=step, width=columns, border=float(touched(p, step).mean()), maps=1, kernel=w, outcome=y,
            parameters=step * (w.size + 1), dense_parameters=dense,
        )  # fmt: skip
        yield state._replace(note=stacked(p, state))


def stacked(p: Params, now: State) -> str:
    """The size by the formula; at the end what all layers have done to it."""
    n, (rows, columns), f = now.step, p.sizes[now.step], p.weights.shape[1]
    said = f"Layer {n}: {size_sum(p.sizes[n - 1][1], f, *p.places)}, the map is" if n else "The picture is"
    said += f" {rows} × {columns}"
    if now.border:
        said += f"; {number(100 * now.border)} % of its values have seen padding, zeros that are no part of the picture"
    if n < len(p.sizes) - 1:
        return f"{said}."
    if n < p.layers:
        return f"{said}. Layer {n + 1} is impossible: no position of its kernel fits any more."
    grown = columns - p.width
    how = f"{'gained' if grown > 0 else 'lost'} {counted(abs(grown), 'column')}" if grown else "kept its size"
    return f"{said}. Through {counted(n, 'layer')} the map has {how}: at stride 1 each changes it by 2P − (F − 1)."


def learn(p: Params) -> Iterator[State]:
    """Gradient descent on the mean squared error between two maps finds the kernel that made the first.

    ∂L/∂w[u, v] = 2/n Σ e[i, j] · x[i + u, j + v]: every position adds its share, for all share the weight.
    """
    x, hidden = picture(p), p.weights
    x = x / max(x.max(), 1)
    target = convolve(x[None], hidden[None, None])[0] + p.bias
    t = target.ravel()
    patches = np.lib.stride_tricks.sliding_window_view(x, hidden.shape).reshape(t.size, -1)
    patches = np.column_stack([patches, np.ones(t.size)])  # (n, f·f + 1), the last for the bias
    theta = np.append(np.random.default_rng(p.seed).normal(0, 0.5, hidden.size), 0.0)
    chosen = hidden[::-1, ::-1] if p.flip else hidden
    known = NOTHING._replace(
        width=target.shape[1], maps=1, parameters=theta.size, dense_parameters=(x.size + 1) * t.size, planes=x[None]
    )
    directions, shown = int(np.linalg.matrix_rank(patches)), set(kept(p.steps))
    for step in range(p.steps + 1):
        error = patches @ theta - t
        gradient = 2 / t.size * (patches.T @ error)
        diverged = not finite(theta, error, most=HUGE)
        if step in shown or diverged:
            w = theta[:-1].reshape(hidden.shape)
            state = known._replace(
                step=step, loss=float((error**2).mean()), kernel_error=float(np.abs(w - chosen).max()),
                kernel=w[None, None].copy(), outcome=np.stack([target, (error + t).reshape(target.shape)]),
            )  # fmt: skip
            yield state._replace(note=learned(p, state, gradient, directions, diverged))
        if diverged:
            return
        theta = theta - p.rate * gradient


def learned(p: Params, now: State, gradient: np.ndarray, directions: int, diverged: bool) -> str:
    """The first weight's step, averaged over all positions; at the end whether the kernel was found."""
    w, n = now.kernel[0, 0], now.outcome[0].size
    if diverged:
        return f"Step {now.step}: diverged, a weight or an error is beyond 10⁶: η = {number(p.rate)} steps too far."
    if now.step == 0 and p.steps:
        given = f"the map of the {'flipped' if p.flip else 'hidden'} kernel, {counted(n, 'value')}"
        return f"Start: random weights. Only the picture and {given}, are given; the loss is {number(now.loss)}."
    if now.step < p.steps:
        slope = float(gradient[0])
        move = f"−{number(p.rate)}·{vector([slope], factor=True)} = {number(-p.rate * slope)}"
        why = f"the slope is a mean over all {n} positions, which share the weight"
        return f"Step {now.step}: loss {number(now.loss)}; the first weight, {number(w[0, 0])}, moves by {move}: {why}."
    said = f"After {counted(p.steps, 'step')} the loss is {number(now.loss)}"
    mirrored = float(np.abs(w - p.weights).max())
    if now.kernel_error < 0.01:
        return f"{said} and every weight within {number(now.kernel_error)} of the hidden kernel's: it was found."
    if mirrored < 0.01:
        return f"{said}, and the kernel found is yours turned by 180°: without a flip it does what yours does with one."
    said += f" and a weight is {number(mirrored)} off"
    if directions < w.size + 1:
        span = f"the windows of this picture span {directions} of {w.size + 1} directions"
        return f"{said}: {span}, so other kernels make the same map and nothing tells them from the hidden one."
    return f"{said}: the windows are much alike, so the rest takes more steps or a larger η."


def image_sizes(p: Params) -> list[int]:
    """About 40 sizes up to the image's, growing by the same factor."""
    low = max(4, p.size)
    return sorted({round(low * (p.image / low) ** (k / 40)) for k in range(41)})


def counts(p: Params, n: int) -> tuple[int, int, int]:
    """Parameters of the unpadded convolution on n × n × C, of a dense layer in its place, products of the former."""
    side, weights = outputs(n, p.size), p.size**2 * p.channels_in
    values = side**2 * p.channels_out
    return (weights + 1) * p.channels_out, (n * n * p.channels_in + 1) * values, weights * values


def count(p: Params) -> Iterator[State]:
    """The image grows: the convolution's parameters and those of a dense layer in its place."""
    for n in image_sizes(p):
        side, (ours, dense, work) = outputs(n, p.size), counts(p, n)
        said = f"Image {n} × {n}: {p.size}·{p.size}·{p.channels_in} weights and a bias for each of "
        said += f"{counted(p.channels_out, 'filter')} are {ours:,} parameters; a dense layer from "
        said += f"{n * n * p.channels_in:,} inputs to {side**2 * p.channels_out:,} outputs has {dense:,}"
        if n == p.image:
            said += f". What grows for the convolution is its work, {work:,} products: more positions, not more weights"
        yield NOTHING._replace(
            step=n, width=side, maps=p.channels_out, parameters=ours, dense_parameters=dense, note=f"{said}."
        )


BORDER = SERIES[3]
NUMBERED = 17  # cells a side that are large enough for a ring
PALE = 0.55  # under numbers only the lighter part of the sequential scale is used
ABOVE = {"xanchor": "left", "yanchor": "bottom"}


def draw(p: Params, states: Sequence[State], now: int) -> Figure:
    """The figure of the view. What is not computed yet is covered, so that no trace ever changes."""
    views = {"slide": _slide, "filters": _filters, "layers": _layers, "learn": _learn, "count": _count}
    return views[p.view](p, states, now)


def sheets(place: Sequence[float], tall: int, title: str, wide: float, high: float) -> Panel:
    """A panel for squares of side 1, `wide` columns and `high` rows of them, at its upper left corner."""
    x = {"range": [-0.02 * wide, 1.02 * wide], "constraintoward": "left"}
    y = {"range": [-0.02 * high, 1.02 * high], "constraintoward": "top"}
    return Panel(place, tall, title, x, y, bare=True, square=True)


def cell(panel: int, top: float, left: float, at: Sequence[int], colour: str, width: float, tall: int = 1,
         wide: int = 1, **more) -> dict:  # fmt: skip
    """A frame of tall × wide cells from row and column `at` of a sheet with its upper left corner at (left, top)."""
    return box(panel, (left + at[1], left + at[1] + wide), (top - at[0] - tall, top - at[0]), colour, width, **more)


def shown(v: float) -> str:
    """As many digits as fit into a cell."""
    if v == int(v) or abs(v) >= 100:
        return f"{v + 0.0:.0f}".replace("-", "−")  # + 0.0: no −0
    return number(v, 3 if abs(v) >= 10 else 2) if abs(v) >= 0.005 else "0"


def fitting(values: np.ndarray) -> int:
    """The px at which the numbers of a sheet fit into its cells, 0 if they do not."""
    room = 270 / max(*values.shape, 1)  # px of a cell on a phone
    longest = max((len(shown(v)) for v in values.ravel().tolist()), default=0)
    return next((size for size in (13, 11) if 0.58 * size * longest + 3 < room), 0)


def fixed(decimals: int) -> Callable[[float], str]:
    """Writes numbers with so many decimals: what moves keeps its place."""
    return lambda v: f"{round(v, decimals) + 0.0:.{decimals}f}".replace("-", "−")


def texts(
    panel: int, values: np.ndarray, left: float, low: float, size: int, write: Callable[[float], str] = shown
) -> list[dict]:
    """The numbers of a sheet as shapes without an outline, which may change at every step."""
    rows, columns = values.shape
    return [
        cell(panel, low + rows, left, divmod(k, columns), FAINT, 0,
             label={"text": write(v), "font": {"color": INK, "size": size}, "padding": 0})
        for k, v in enumerate(values.ravel().tolist())
    ]  # fmt: skip


def sheet(fig: Figure, panel: int, values: np.ndarray, left: float = 0, low: float = 0, *, most: float,
          numbers: int = 0, grid: bool = False, scale: str = "diverging") -> None:  # fmt: skip
    """Values (rows, columns) as coloured squares with the lower left corner at (left, low), full colour at `most`.

    numbers: px of the numbers in the squares, which stand in a grid; 0 for none.
    """
    rows, columns = values.shape
    strength = (PALE if scale == "sequential" and (numbers or grid) else 1) / (most or 1)
    paint(fig, panel, strength * values[::-1], (left, left + columns), (low, low + rows), scale=scale, smooth=False)
    if numbers or grid:
        wires = [[(left, low + m), (left + columns, low + m), (np.nan, np.nan)] for m in range(rows + 1)]
        wires += [[(left + m, low), (left + m, low + rows), (np.nan, np.nan)] for m in range(columns + 1)]
        thin = {"line": {"width": 1}, "hoverinfo": "skip"}
        fig["data"].append(lines(panel, *np.concatenate(wires).T, "grid", FAINT, **thin))
    if numbers:
        x, y = np.meshgrid(left + 0.5 + np.arange(columns), low + rows - 0.5 - np.arange(rows))
        said = {"mode": "text", "text": [shown(v) for v in values.ravel().tolist()], "textfont": {"size": numbers}}
        fig["data"].append(lines(panel, x.ravel(), y.ravel(), "values", INK, hoverinfo="skip", **said))


@lru_cache(maxsize=4)
def photograph(grey: bool, padding: int) -> str:
    """The padded photo in its own colours, which no theme changes, as the address of a PNG."""
    rgb = padded(np.rint(photo().mean(axis=0, keepdims=True)) if grey else photo(), padding)
    rgb = np.kron(np.broadcast_to(rgb, (3, *rgb.shape[1:])).transpose(1, 2, 0) * 17, np.ones((6, 6, 1)))

    def part(kind: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    lines_ = b"".join(b"\0" + row.tobytes() for row in rgb.astype(np.uint8))  # each begins with its filter, none
    png = b"\x89PNG\r\n\x1a\n" + part(b"IHDR", struct.pack(">2I5B", *rgb.shape[1::-1], 8, 2, 0, 0, 0))
    png += part(b"IDAT", zlib.compress(lines_)) + part(b"IEND", b"")
    return "data:image/png;base64," + base64.b64encode(png).decode()


def show_picture(fig: Figure, p: Params, planes: np.ndarray) -> None:
    """The padded picture in panel 1, the real one framed in it."""
    n = planes.shape[1]
    if p.picture == "photo":
        place = {"x": 0, "y": n, "sizex": n, "sizey": n, "sizing": "stretch", "layer": "below"} | axes(1, "ref")
        source = photograph(p.view != "filters", (n - p.width) // 2)
        fig["layout"]["images"].append({"source": source} | place)
    else:
        size = 0 if p.view == "learn" else fitting(planes[0])
        sheet(fig, 1, planes[0], most=float(planes.max()), numbers=size, scale="sequential")
    inner = (n - p.width) / 2, (n + p.width) / 2
    fig["layout"]["shapes"].append(box(1, inner, inner, BORDER if n > p.width else MUTED, 1 + (n > p.width)))


def show_window(fig: Figure, p: Params, state: State) -> None:
    """The window of this step on the picture, and its pixels if they lie apart."""
    n, (rows, columns), d, shapes = state.planes.shape[1], state.kernel.shape[2:], p.dilation, fig["layout"]["shapes"]
    top, left = (p.stride * k for k in state.at)
    if d > 1:
        shapes += [cell(1, n, 0, (top + d * u, left + d * v), INK, 2) for u, v in np.ndindex(rows, columns)]
    shapes.append(cell(1, n, 0, (top, left), INK, 2 if d > 1 else 4, reach(rows, d), reach(columns, d)))


@lru_cache(maxsize=8)
def sums(p: Params) -> list[str]:
    """What every output says when it is pointed at: its products, a line for each row of the window."""
    state = next(slide(p))
    spots = np.ndindex(state.outcome.shape[1:])
    return [f"row {i}, column {j}<br>{product_sum(p, state, i, j, '<br>+ ')}" for i, j in spots]


def _slide(p: Params, states: Sequence[State], now: int) -> Figure:
    """The window on the picture, the map so far, and the products whose sum is its newest value."""
    state, w = states[now], states[now].kernel[0, 0]
    n, (rows, columns), (tall, wide) = state.planes.shape[1], state.outcome.shape[1:], w.shape
    big = wide > 3  # then the products stand in a second line
    step, low, size = wide + 0.8, (tall + 1) * big, 11 if big else 12
    spots = [(0, low), (step, low), (2 * step, 0), (3 * step, tall / 2 - 0.5)]
    if big:
        spots[2:] = (0, 0), (step, tall / 2 - 0.5)
    across, high = (step + wide if big else 3 * step + 1.6), low + tall
    part = 0.44 if big else 0.3
    pad = f', <span style="color:{BORDER}">padding {p.padding}</span>' if p.padding else ""
    pad += f', <span style="color:{BLUE}">○ window centres</span>' if p.stride > 1 and rows * columns else ""
    title = f"Window × {'flipped ' if p.flip else ''}kernel = products, summed{' + b' if p.bias else ''} □"
    fig = figure(
        720 if big else 540,
        sheets((0, 0.47, part + 0.09, 1), 310, f"Input {p.width} × {p.width}{pad}", n, n),
        sheets((0.53, 1, part + 0.09, 1), 310, f"Map: {size_sum(p.width, wide, *p.places)} wide",
               max(columns, 1), max(rows, 1)),
        sheets((0, 1, 0, part), round(320 * high / across), title, across, high),
    )  # fmt: skip
    shapes, most = fig["layout"]["shapes"], float(np.abs(w).max())
    show_picture(fig, p, state.planes)
    sheet(fig, 3, w, *spots[1], most=most, numbers=size)
    if not rows * columns:
        shapes.append(box(2, (0, 1), (0, 1), FAINT, 1))
        fig["layout"]["annotations"].append(label(2, 0.5, 0.5, "empty: no position fits"))
        return fig
    show_window(fig, p, state)
    row, column = np.indices((rows, columns)).reshape(2, -1)
    if p.stride > 1:
        x, y = (p.stride * at + reach(f, p.dilation) / 2 for at, f in ((column, wide), (row, tall)))
        ring = {"symbol": "circle-open", "size": 18 if n <= NUMBERED else 6, "line": {"width": 1.5}}
        fig["data"].append(lines(1, x, n - y, "centres", BLUE, mode="markers", hoverinfo="skip", marker=ring))
    y, (i, j) = state.outcome[0], state.at
    sheet(fig, 2, y, most=float(np.abs(y).max()), numbers=fitting(y))
    fig["data"].append(lines(2, column + 0.5, rows - row - 0.5, "sums", INK, mode="markers", hovertext=sums(p),
                             hoverinfo="text", marker={"size": 16, "opacity": 0}))  # fmt: skip
    done = j + 1 if p.length == rows * columns else columns
    shapes += [cell(2, rows, 0, (i, done), PAPER, 0, 1, columns - done, fillcolor=PAPER),
               cell(2, rows, 0, (i + 1, 0), PAPER, 0, rows - i - 1, columns, fillcolor=PAPER),
               cell(2, rows, 0, (0, 0), FAINT, 1, rows, columns), cell(2, rows, 0, (i, j), INK, 3)]  # fmt: skip

    seen, brightest = window(state.planes, p, i, j, w.shape)[0], float(state.planes.max())
    sheet(fig, 3, seen, *spots[0], most=brightest, grid=True, scale="sequential")
    sheet(fig, 3, seen * w, *spots[2], most=brightest * most, grid=True)
    shapes += texts(3, seen, *spots[0], size) + texts(3, seen * w, *spots[2], size)
    x, low = spots[3]
    said = {"text": shown(float(y[i, j])), "font": {"color": INK, "size": 15}, "padding": 0}
    shapes.append(box(3, (x, x + 1.6), (low, low + 1), INK, 3, label=said))
    for (x, low), sign in zip(spots[1:], "×==", strict=True):
        middle = low + (0.5 if (x, low) == spots[3] else tall / 2)
        fig["layout"]["annotations"].append(label(3, x - 0.4, middle, sign if x else ""))
    return fig


def _filters(p: Params, states: Sequence[State], now: int) -> Figure:
    """The picture, a map for each filter, and the filters themselves in slices for red, green and blue."""
    state, k, n = states[now], len(p.filters), p.width + 2 * p.padding
    rows, columns = state.outcome.shape[1:]
    across, down = min(k, 3), -(-k // 3)
    wide, tall = 1.06 * max(columns, 1), 1.22 * max(rows, 1)
    fig = figure(
        560,
        sheets((0, 0.33, 0.36, 1), 270, f"Input 3 × {p.width} × {p.width}", n, n),
        sheets((0.37, 1, 0.36, 1), 20 + round(300 * down * tall / (across * wide)),
               f"{counted(k, 'map')} of {rows} × {columns}", across * wide, down * tall),
        sheets((0, 1, 0, 0.27), 10 + 50 * down, f"{counted(k, 'filter')} of 3 × 3 × 3: slices for red, green, blue",
               across * 11, down * 5),
    )  # fmt: skip
    shapes, labels = fig["layout"]["shapes"], fig["layout"]["annotations"]
    show_picture(fig, p, state.planes)
    if not state.outcome.size:
        shapes += [box(2, (0, 1), (0, 1), FAINT, 1), box(3, (0, 1), (0, 1), FAINT, 1)]
        return fig
    show_window(fig, p, state)
    for m, (name, y, w) in enumerate(zip(p.filters, state.outcome, state.kernel, strict=True)):
        left, low = m % 3 * wide, (down - 1 - m // 3) * tall
        sheet(fig, 2, y, left, low, most=float(np.abs(y).max()))
        labels.append(label(2, left, low + rows, name, **ABOVE))
        i = state.at[0] + 1
        shapes += [cell(2, low + rows, left, (i, 0), PAPER, 0, rows - i, columns, fillcolor=PAPER),
                   cell(2, low + rows, left, (0, 0), MUTED, 1, rows, columns),
                   cell(2, low + rows, left, state.at, INK, 2)]  # fmt: skip
        left, low = m % 3 * 11, (down - 1 - m // 3) * 5
        sheet(fig, 3, np.hstack(w), left, low, most=float(np.abs(w).max()))
        labels.append(label(3, left, low + 3, name, **ABOVE))
        shapes += [box(3, (left + c, left + c + 3), (low, low + 3), MUTED, 1) for c in (0, 3, 6)]
    return fig


def _layers(p: Params, states: Sequence[State], now: int) -> Figure:
    """The map after this layer in true size, the sizes of all, and a row through the middle."""
    state, sizes = states[now], np.array(p.sizes)
    n, (rows, columns), y = int(sizes.max()), p.sizes[state.step], state.outcome[0]
    low, left, edge = (n - rows) // 2, (n - columns) // 2, (n - p.width) // 2
    negative = min(s.outcome.min() for s in states) < 0
    title = "Map □, input ┄"
    title += f', <span style="color:{BORDER}">padding not seen □</span>' if p.padding else ""
    fig = figure(
        500,
        sheets((0, 0.53, 0, 1), 320, title, n, n),
        Panel((0.61, 1, 0.6, 1), 190, "Width after every layer",
              {"range": [-0.5, p.layers + 0.5], "title": "layer", "showgrid": False, "nticks": 8},
              {"range": [0, 1.15 * n], "nticks": 5}),
        Panel((0.61, 1, 0, 0.36), 150, "Middle row of the map", {"range": [0, n], "showgrid": False, "nticks": 5},
              {"range": [-1.1 if negative else 0, 1.1], "nticks": 4}),
    )  # fmt: skip
    shapes, canvas = fig["layout"]["shapes"], np.zeros((n, n))
    scaled = y / (np.abs(y).max() or 1)
    canvas[low : low + rows, left : left + columns] = scaled[::-1]
    paint(fig, 1, canvas, (0, n), (0, n), smooth=False)
    clean = np.argwhere(~touched(p, state.step))
    (top, x0), (bottom, x1) = (clean.min(axis=0), clean.max(axis=0) + 1) if len(clean) else ((0, columns // 2),) * 2
    dashed = {"line": {"color": MUTED, "width": 1.5, "dash": "dash"}}
    shapes += [
        cell(1, n - edge, edge, (0, 0), MUTED, 1, p.width, p.width, **dashed),
        cell(1, low + rows, left, (0, 0), INK, 2.5, rows, columns),
        cell(1, low + rows, left, (int(top), int(x0)), BORDER, 2 if p.padding else 0, int(bottom - top), int(x1 - x0)),
    ]
    said = ["the picture", *(size_sum(w, p.weights.shape[1], *p.places) for w in sizes[:-1, 1].tolist())]
    fig["data"].append(lines(2, np.arange(len(sizes)), sizes[:, 1], "width", BLUE, mode="lines+markers+text",
                             marker={"size": 7}, text=[str(w) for w in sizes[:, 1]], textposition="top center",
                             textfont={"color": INK, "size": 12}, hovertext=said, hoverinfo="text"))  # fmt: skip
    shapes.append(dot(2, state.step, columns, INK, 14))
    stairs = np.repeat(np.arange(left, left + columns + 1), 2)
    shapes.append(polyline(3, stairs, np.pad(np.repeat(scaled[rows // 2], 2), 1), INK, 2))
    if p.padding and state.step:
        for ends in ((left, left + x0), (left + x1, left + columns)):
            shapes.append(box(3, ends, (-1.1 if negative else 0, 1.1), FAINT, 0, FAINT, layer="below"))
    return fig


def _learn(p: Params, states: Sequence[State], now: int) -> Figure:
    """What is given, picture and target; what is learned, the kernel; and what falls, loss and error."""
    state, n, (f, g) = states[now], p.width, p.weights.shape
    target, ours = state.outcome if len(p.sizes) > 1 else (np.zeros((1, 1)),) * 2
    rows, columns = target.shape
    right, size = 1.08 * columns, 14 if g < 3 else 12 if g < 4 else 11
    curves = np.maximum([(s.loss or 0, s.kernel_error or 0) for s in states], 1e-9)
    signs = f'<span style="color:{BLUE}">Loss ━</span>  <span style="color:{ORANGE}">error of the kernel ┄</span>'
    fig = figure(
        500,
        sheets((0, 0.31, 0.5, 1), 220, "Picture", n, n),
        sheets((0.36, 1, 0.5, 1), 170, f"Target{', by the flipped kernel' if p.flip else ''}", right + columns, rows),
        sheets((0, 0.45, 0, 0.36), 130, "Hidden kernel", 2 * g + 1, f),
        Panel((0.55, 1, 0.06, 0.36), 190, signs, {"range": [0, max(p.steps, 1)], "title": "step", "showgrid": False,
              "nticks": 6}, log_axis(curves, 0.3, 1e-9, 1e4)),
    )  # fmt: skip
    shapes = fig["layout"]["shapes"]
    show_picture(fig, p, picture(p)[None])
    hidden = matrix(p.grid if p.kernel == "own" else KERNELS[p.kernel])
    sheet(fig, 3, hidden, most=float(np.abs(hidden).max()), numbers=size)
    for left, values in ((0, target), (right, ours)):
        sheet(fig, 2, np.nan_to_num(values), left, most=float(np.abs(target).max()))
        shapes.append(cell(2, rows, left, (0, 0), MUTED, 1, rows, columns))
    fig["layout"]["annotations"] += [label(2, right, rows, "Ours", **ABOVE), label(3, g + 1, f, "Learned", **ABOVE)]
    if len(p.sizes) > 1:
        learned_kernel = state.kernel[0, 0]
        sheet(fig, 3, learned_kernel, g + 1, most=float(np.abs(hidden).max()), grid=True)
        shapes += texts(3, learned_kernel, g + 1, 0, size, fixed(3 if g < 3 else 2))
    for curve, name, colour, dash in zip(curves.T, ("loss", "error"), (BLUE, ORANGE), ("solid", "dash"), strict=True):
        said = f"{name} %{{y:.2g}} at step %{{x}}<extra></extra>"
        fig["data"].append(lines(4, [s.step for s in states], curve, name, colour, line={"dash": dash},
                                 hovertemplate=said))  # fmt: skip
    shapes.append(rule(4, state.step))
    return fig


def _count(p: Params, states: Sequence[State], now: int) -> Figure:
    """Parameters against the size of the image, both axes logarithmic, and the products behind the numbers."""
    sizes, n = image_sizes(p), states[now].step
    ours, dense, work = np.maximum(np.array([counts(p, m) for m in sizes], float), 1).T
    title = f'<span style="color:{BLUE}">Convolution ━</span>  <span style="color:{ORANGE}">dense layer ┄</span>'
    ends = np.log10([sizes[0] / 1.1, sizes[-1] * 1.1]).tolist()
    x = {"type": "log", "range": ends, "showgrid": False, "title": "image size, pixels a side",
         "tickvals": [4, 8, 16, 32, 64, 128, 256]}  # fmt: skip
    fig = figure(400, Panel((0, 1, 0, 1), 300, f"{title}  products ·····", x, log_axis([dense, ours, work], 0.4)))
    for values, name, colour, dash in (
        (work, "products of the convolution", MUTED, "dot"),
        (dense, "parameters of the dense layer", ORANGE, "dash"),
        (ours, "parameters of the convolution", BLUE, "solid"),
    ):
        said = [f"{value:,.0f} {name} at {m} × {m}" for value, m in zip(values.tolist(), sizes, strict=True)]
        fig["data"].append(lines(1, sizes, values, name, colour, mode="lines+markers", marker={"size": 5},
                                 line={"dash": dash}, hovertext=said, hoverinfo="text"))  # fmt: skip
    fig["layout"]["shapes"].append(rule(1, n))
    inputs, values, (ours, dense, _) = n * n * p.channels_in, outputs(n, p.size) ** 2 * p.channels_out, counts(p, n)
    for name, weights, times, what, total in (
        ("Convolution", f"{p.size}·{p.size}·{p.channels_in}", p.channels_out, "filters", ours),
        ("Dense layer", f"{inputs:,}", values, "outputs", dense),
    ):
        subs = ["weights", "bias", what, "parameters"]
        products = [weights, "+1", f"×{times:,}", f"={total:,}"]
        fig["chips"].append(chips(f"{name} on {n} × {n}: parameters", products, None, subs, [3]))
    return fig


PRESETS = (
    works(
        "Edges of a digit", "Sobel x answers where ink begins (orange) or ends (blue) on the way to the right.",
        {"width": "== 8", "border": "> 0.4"}, picture="digit", padding=1,
    ),
    works(
        "Six filters, six maps", "Every filter reads all three colours of the photo and writes one map.",
        {"maps": "== 6", "parameters": "== 168"}, view="filters", picture="photo",
    ),
    works(
        "A kernel is learned", "Gradient descent finds the hidden kernel from a picture and its map alone.",
        {"kernel_error": "< 0.01"}, view="learn", steps=600,
    ),
    fails(
        "Loss 0, wrong kernel", "The rows of this picture are alike, so many kernels make the same map.",
        {"loss": "< 1e-6", "kernel_error": "> 0.3"}, view="learn", picture="step",
    ),
)  # fmt: skip
