"""A window walks over an 8×8 picture: its maximum and its average, and how far a shift of the picture changes both.

Left out: global pooling, padding, several channels, vertical shifts, and the way back of the gradient. The picture is
shifted round: what leaves it on the right comes back on the left, so that nothing is lost by the shift itself.
"""

from collections.abc import Iterator, Sequence
from functools import lru_cache
from typing import Literal, NamedTuple

import numpy as np

from playgrounds import kit
from playgrounds.kit import fails, knob, works
from playgrounds.kit.figures import Figure, Panel, box, figure, label, lines, paint, polyline, rule
from playgrounds.kit.palette import BLUE, FAINT, INK, MUTED, ORANGE, PAPER, SERIES
from playgrounds.kit.words import counted, number

SIDE, BRIGHT = 8, 16  # pixels a side and the largest value, those of scikit-learn's digits
TRAIN = 900  # digits that the classifiers learn from; the other 897 test them
STANDARD = ((2, 2), (4, 4))  # windows and strides that the classifiers are always trained with
KINDS = ("none", "max", "average")


class Params(kit.Params):
    picture: Literal["dot", "bar", "digit"] = knob("dot", label="Picture")
    digit: int = knob(3, 0, 9, label="Digit", when=lambda p: p.picture == "digit")
    sample: int = knob(0, 0, 99, label="Which one of them", when=lambda p: p.picture == "digit")
    x: int = knob(2, 0, 7, label="Column x", help="of the dot or the bar", when=lambda p: p.picture != "digit")
    y: int = knob(2, 0, 7, label="Row y", help="counted from above", when=lambda p: p.picture == "dot")
    dx: int = knob(1, 0, 7, label="Shift dx", help="pixels to the right; what leaves there comes back on the left")
    window: int = knob(2, 2, 4, label="Window F", help="pixels a side")
    stride: int = knob(2, 1, 4, label="Stride S", help="pixels from one window to the next")
    classifier: Literal["nearest mean", "nearest neighbour"] = knob(
        "nearest mean", label="Classifier", more=True,
        help="a test digit gets the class of the nearest class mean, or of the nearest training digit",
    )  # fmt: skip
    test_shift: int = knob(1, 1, 4, label="Shift of the test digits", help="pixels to the right", more=True)
    seed: int = knob(1, 0, 9999, label="Seed", help="decides which digits train and which test", more=True)

    @property
    def side(self) -> int:
        return outputs(self.window, self.stride)

    @property
    def length(self) -> int:
        return self.side**2


class State(NamedTuple):
    step: int  # outputs computed
    maximum: float  # of the window of this step
    average: float
    change_unpooled: float  # of the picture by the shift, see `change`
    change_max: float  # of the whole pooled picture
    change_average: float
    accuracy_unpooled: float  # on the test digits
    accuracy_max: float  # with the reader's window and stride
    accuracy_average: float
    shifted_unpooled: float  # the same accuracies on shifted test digits
    shifted_max: float
    shifted_average: float
    note: str
    image: np.ndarray  # (SIDE, SIDE) after the shift
    pooled: np.ndarray  # (2, side, side) all maxima and averages
    moved: np.ndarray  # (2, side, side) which of them the shift has changed
    curves: np.ndarray  # (3, SIDE) change without pooling, by max and by average, at every shift
    accuracies: np.ndarray  # (classifiers, 2) in the order of `inputs`, on test digits as they are and shifted


def outputs(window: int, stride: int) -> int:
    """Outputs a side: floor((W − F)/S) + 1, the rest of the picture is in no window."""
    return (SIDE - window) // stride + 1


@lru_cache(maxsize=1)
def digits() -> tuple[np.ndarray, np.ndarray]:
    """Pictures (1797, SIDE, SIDE) of values 0 to 16, and their labels."""
    from sklearn.datasets import load_digits

    return load_digits().images, load_digits().target


def picture(p: Params) -> np.ndarray:
    """What is pooled, before the shift, (SIDE, SIDE)."""
    if p.picture == "digit":
        images, labels = digits()
        return images[labels == p.digit][p.sample]
    image = np.zeros((SIDE, SIDE))
    image[p.y if p.picture == "dot" else slice(None), p.x] = BRIGHT
    return image


def pool(images: np.ndarray, kind: str, window: int, stride: int) -> np.ndarray:
    """Images (..., SIDE, SIDE) to (..., side, side); kind "none" leaves them as they are."""
    if kind == "none":
        return images
    windows = np.lib.stride_tricks.sliding_window_view(images, (window, window), axis=(-2, -1))
    windows = windows[..., ::stride, ::stride, :, :]
    return windows.max(axis=(-2, -1)) if kind == "max" else windows.mean(axis=(-2, -1))


def change(a: np.ndarray, b: np.ndarray) -> float:
    """|a − b| over the larger of |a| and |b|: 0 if they are identical, √2 if two equal dots stand apart."""
    larger = max(np.linalg.norm(a), np.linalg.norm(b))
    return float(np.linalg.norm(a - b) / larger) if larger else 0.0


def windows_over(p: Params) -> np.ndarray:
    """Which windows, counted by column, see the dot or bar after each shift, (SIDE, side)."""
    first = np.arange(p.side) * p.stride  # row or column with which a window begins
    column = (p.x + np.arange(SIDE))[:, None] % SIDE
    seen = p.picture != "dot" or ((first <= p.y) & (p.y < first + p.window)).any()
    return seen & (first <= column) & (column < first + p.window)


def inputs(p: Params) -> list[tuple[str, int, int]]:
    """What the classifiers get: kind of pooling, window and stride; the reader's last if they are not among them."""
    sizes = dict.fromkeys((*STANDARD, (p.window, p.stride)))
    return [("none", 1, 1), *((kind, *size) for size in sizes for kind in KINDS[1:])]


@lru_cache(maxsize=256)
def accuracy(kind: str, window: int, stride: int, classifier: str, dx: int, seed: int) -> tuple[float, float]:
    """Trained on pooled digits, tested on pooled others: as they are, and all shifted by dx before the pooling."""
    images, labels = digits()
    train, test = np.split(np.random.default_rng(seed).permutation(len(images)), [TRAIN])
    sets, names = (images[train], images[test], np.roll(images[test], dx, axis=-1)), labels[train]
    known, *unseen = (pool(some, kind, window, stride).reshape(len(some), -1) for some in sets)
    if classifier == "nearest mean":
        known, names = np.array([known[names == k].mean(axis=0) for k in range(10)]), np.arange(10)
    squares = (known * known).sum(axis=1)  # |x − known|² without the part |x|², which is the same for all
    guesses = (names[(squares - 2 * x @ known.T).argmin(axis=1)] for x in unseen)
    return tuple(float((guess == labels[test]).mean()) for guess in guesses)


def run(p: Params) -> Iterator[State]:
    """An output a state, row by row."""
    shifts = [np.roll(picture(p), dx, axis=-1) for dx in range(SIDE)]
    maps = {kind: [pool(image, kind, p.window, p.stride) for image in shifts] for kind in KINDS}
    curves = np.array([[change(made[0], one) for one in made] for made in maps.values()])
    before, after = (np.array([maps[kind][dx] for kind in KINDS[1:]]) for dx in (0, p.dx))
    groups = inputs(p)
    accuracies = np.array([accuracy(*group, p.classifier, p.test_shift, p.seed) for group in groups])
    mine = accuracies[[0, *(groups.index((kind, p.window, p.stride)) for kind in KINDS[1:])]]
    known = *curves[:, p.dx].tolist(), *mine.T.ravel().tolist()
    for cell in range(p.length):
        top, left = (p.stride * k for k in divmod(cell, p.side))
        seen = shifts[p.dx][top : top + p.window, left : left + p.window]
        y = float(seen.max()), float(seen.sum() / p.window**2)
        state = State(cell + 1, *y, *known, "", shifts[p.dx], after, after != before, curves, accuracies)
        yield state._replace(note=note(p, state, seen, before.reshape(2, -1)[:, cell]))


def note(p: Params, now: State, seen: np.ndarray, before: np.ndarray) -> str:
    """The window in numbers, what the shift has changed in it, and at the end what it has changed in all."""
    top, left = (p.stride * k for k in divmod(now.step - 1, p.side))
    place = f"Window rows {top}–{top + p.window - 1}, columns {left}–{left + p.window - 1}"
    mean = f"{seen.sum():g}/{p.window**2} = {number(now.average)}"
    rows = "; ".join(", ".join(map(number, row)) for row in seen)
    said = f"{place}: {rows}: maximum {number(now.maximum)}, mean {mean}"
    if tuple(before) != (now.maximum, now.average):
        said += f" (before the shift {number(before[0])} and {number(before[1])})"
    if now.step < p.length:
        return f"{said}."
    lost = SIDE**2 - len({k * p.stride + m for k in range(p.side) for m in range(p.window)}) ** 2
    said += f". {counted(p.length, 'output')} for {SIDE**2} pixels, {number(100 * p.length / SIDE**2)} %"
    said += f", and {counted(lost, 'pixel')} in no window" if lost else ""
    if not p.dx:
        return f"{said}; without a shift nothing has changed."
    changes = (("the picture", now.change_unpooled), ("maxima", now.change_max), ("averages", now.change_average))
    said += f"; the shift by {p.dx} changed {', '.join(f'{name} by {number(value)}' for name, value in changes)}"
    over = windows_over(p)[[0, p.dx]]
    where = "in other" if (over[0] != over[1]).any() else "still in the same" if over.any() else "still in none of the"
    return f"{said}." if p.picture == "digit" else f"{said}: the {p.picture} is {where} windows."


COLOURS = {"none": MUTED, "max": BLUE, "average": ORANGE}
SIGNS = f'<span style="color:{BLUE}">max ━</span> <span style="color:{ORANGE}">average ╍</span>'
CHANGED = SERIES[3]
PALE = 0.55 / BRIGHT  # pictures use the lighter half of the scale, on which numbers can be read


PRESETS = (
    works("A shift inside a window", "The dot moves within its window: neither maximum nor average notices.",
          {"change_max": "== 0", "change_unpooled": ">= 1"}, x=4),
    works("Three pixels unnoticed", "A window of 4 × 4 has room for a shift by three.",
          {"change_max": "== 0", "change_unpooled": ">= 1"}, window=4, stride=4, x=4, dx=3),
    fails("Across the border", "One pixel further the dot leaves its window, and the output changes with it.",
          {"change_max": ">= 1"}, x=3),
    fails("Too much thrown away", "Four numbers are left of a digit, too few to tell ten digits apart.",
          {"accuracy_max": "<= 0.3"}, picture="digit", window=4, stride=4),
)  # fmt: skip


def draw(p: Params, states: Sequence[State], now: int) -> Figure:
    """The picture and its window; both outputs as far as computed; change by shift; what classifiers keep."""
    state, n, groups = states[now], p.side, inputs(p)
    shift = {"range": [-0.3, 7.3], "tickvals": [*range(SIDE)], "title": "shift in pixels", "showgrid": False}
    where = ", shifted" if p.picture == "digit" else f', <span style="color:{CHANGED}">┄ before the shift</span>'
    grid = {"range": [-0.1, SIDE + 0.1]}
    sizes = [f"{kind}<br>{f}×{f}{f' S{s}' if s != f else ''}<br>{outputs(f, s) ** 2}" for kind, f, s in groups[1:]]
    ticks = {"range": [-0.6, len(groups) - 0.4], "tickvals": [*range(len(groups))], "tickangle": 0,
             "ticktext": ["none<br>8×8<br>64 values", *sizes], "tickfont": {"color": MUTED, "size": 11},
             "showgrid": False}  # fmt: skip
    fig = figure(
        540,
        Panel((0, 0.38, 0.47, 1), 290, f"Picture{where if p.dx else ''}", grid, grid, bare=True, square=True),
        Panel((0.43, 1, 0.47, 1), 180, f'Outputs, <span style="color:{CHANGED}">□ changed by the shift</span>',
              {"range": [-0.1, 2 * n + 1.1]}, {"range": [-0.8, n + 0.1]}, bare=True, square=True),
        Panel((0, 0.46, 0, 0.33), 170, f"Change by shift: unpooled ┄ {SIGNS}", shift,
              {"range": [-0.08, 1.55], "nticks": 4}),
        Panel((0.53, 1, 0, 0.33), 170, f"Accuracy on digits ■, on digits shifted by {p.test_shift} □", ticks,
              {"range": [0, 1.12], "tickvals": [0, 0.5, 1]}),
    )  # fmt: skip
    fig["layout"]["margin"]["b"] += 16  # names of three lines
    fig["narrow"]["height"] += 16
    squares(fig, 1, [state.image], 13)
    _window(fig, p, state)
    squares(fig, 2, state.pooled, 13 if n < 5 else 10)
    shapes, (i, j) = fig["layout"]["shapes"], divmod(state.step - 1, n)
    for k, kind in enumerate(KINDS[1:]):
        left = k * (n + 1)
        fig["layout"]["annotations"].append(label(2, left + n / 2, -0.4, kind, COLOURS[kind]))
        for row, column in np.argwhere(state.moved[k]).tolist()[: state.moved[k].ravel()[: state.step].sum()]:
            shapes.append(cells(2, n, left + column, row, 1, CHANGED, 2, 0.07))
        # What is not computed yet is covered, so that the trace of the numbers never changes.
        for x, rows in ((left + j + 1, (n - i - 1, n - i)), (left, (0, n - i - 1))):
            shapes.append(box(2, (x, left + n), rows, PAPER, 0, PAPER))
        shapes += [cells(2, n, left, 0, n, FAINT, 1), cells(2, n, left + j, i, 1, INK, 3)]
    _below(fig, p, state, groups)
    return fig


def cells(panel: int, n: int, x: int, y: int, wide: int, colour: str, width: float, inset: float = 0) -> dict:
    """A frame around wide × wide cells of a block n cells tall, from column x and row y (from above) on."""
    return box(panel, (x + inset, x + wide - inset), (n - y - wide + inset, n - y - inset), colour, width)


def squares(fig: Figure, panel: int, blocks: Sequence[np.ndarray], size: int) -> None:
    """Blocks of values (n, n) beside each other as grey squares of side 1 with their numbers, in `size` px."""
    grid, x, y, texts = [], [], [], []
    for k, values in enumerate(blocks):
        n, left = len(values), k * (len(values) + 1)
        paint(fig, panel, PALE * values[::-1], (left, left + n), (0, n), scale="sequential", smooth=False)
        for m in range(n + 1):
            grid += [(left, m), (left + n, m), (np.nan, np.nan), (left + m, 0), (left + m, n), (np.nan, np.nan)]
        x += [left + m + 0.5 for m in range(n)] * n
        y += [n - m - 0.5 for m in range(n) for _ in range(n)]
        texts += [f"{v:g}" for v in values.ravel().round(2 if n < 5 else 1).tolist()]  # as many digits as fit
    fig["data"] += [
        lines(panel, *np.transpose(grid), "grid", FAINT, line={"width": 1}, hoverinfo="skip"),
        lines(panel, x, y, "values", INK, mode="text", text=texts, textfont={"size": size}, hoverinfo="skip"),
    ]


def _window(fig: Figure, p: Params, state: State) -> None:
    """Mark on the picture where windows end, where the dot was before the shift, this step's window and its maximum."""
    shapes, corners = fig["layout"]["shapes"], [divmod(k, p.side) for k in range(p.length)]
    if p.stride >= p.window:  # overlapping windows have no borders that a reader could follow
        shapes += [cells(1, SIDE, p.stride * j, p.stride * i, p.window, MUTED, 1.5) for i, j in corners]
    if p.dx and p.picture != "digit":
        rows = (SIDE - p.y - 1, SIDE - p.y) if p.picture == "dot" else (0, SIDE)
        shapes.append(box(1, (p.x, p.x + 1), rows, CHANGED, line={"color": CHANGED, "width": 2, "dash": "dot"}))
    top, left = (p.stride * k for k in corners[state.step - 1])
    shapes.append(cells(1, SIDE, left, top, p.window, INK, 4))
    seen = state.image[top : top + p.window, left : left + p.window]
    if np.ptp(seen):
        row, column = divmod(int(seen.argmax()), p.window)
        shapes.append(cells(1, SIDE, left + column, top + row, 1, BLUE, 2.5, 0.08))


def _below(fig: Figure, p: Params, state: State, groups: Sequence[tuple[str, int, int]]) -> None:
    """Change by shift, shaded where the dot or bar is in the same windows as before; a pair of bars per classifier."""
    shapes = fig["layout"]["shapes"]
    if p.picture != "digit":
        same = (windows_over(p) == windows_over(p)[0]).all(axis=1)
        for dx in np.flatnonzero(same).tolist():
            ends = (max(dx - 0.5, -0.3), min(dx + 0.5, 7.3)), (-0.08, 1.55)
            shapes.append(box(3, *ends, FAINT, 0, FAINT, layer="below"))
        words, edge = f"shaded: {p.picture} in the same windows", {"xanchor": "right", "bgcolor": PAPER}
        fig["layout"]["annotations"].append(label(3, 7.2, 0.4, words, **edge))
    for kind, curve, dash in zip(KINDS, state.curves, ("dot", "solid", "dash"), strict=True):
        said = f"{kind}: %{{y:.2f}} at a shift of %{{x}}<extra></extra>"
        fig["data"].append(lines(3, np.arange(SIDE), curve, kind, COLOURS[kind], mode="lines+markers",
                                 line={"dash": dash}, marker={"size": 6}, hovertemplate=said))  # fmt: skip
    shapes += [rule(3, p.dx), polyline(4, [-0.6, len(groups) - 0.4], [0.1, 0.1], MUTED, 1.5, "dot")]  # chance
    for k, ((kind, _, _), pair) in enumerate(zip(groups, state.accuracies, strict=True)):
        for left, share, fill in zip((k - 0.42, k + 0.02), pair, (COLOURS[kind], PAPER), strict=True):
            said = {"text": f"{100 * share:.0f}", "textposition": "top center", "yanchor": "bottom", "padding": 1,
                    "font": {"color": INK, "size": 11}}  # fmt: skip
            shapes.append(box(4, (left, left + 0.4), (0, share), COLOURS[kind], 2, fill, label=said))
