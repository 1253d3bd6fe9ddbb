"""Pooling an 8×8 picture: maxima and averages of windows, what a shift changes in them, what classifiers keep."""

from collections.abc import Iterator
from functools import lru_cache
from typing import Annotated, Literal, NamedTuple

import numpy as np

from playgrounds import kit
from playgrounds._maps import digits
from playgrounds.kit import Metric, knob

SIDE, BRIGHT = 8, 16  # pixels a side and the largest value, those of scikit-learn's digits
TRAIN = 900  # digits that the classifiers learn from; the other 897 test them


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
        "nearest mean",
        label="Classifier",
        help="a test digit gets the class of the nearest class mean, or of the nearest training digit",
        more=True,
    )
    test_shift: int = knob(1, 1, 4, label="Shift of the test digits", help="pixels to the right", more=True)
    seed: int = knob(1, 0, 9999, label="Seed", help="decides which digits train and which test", more=True)

    @property
    def side(self) -> int:
        """Outputs a side."""
        return outputs(self.window, self.stride)

    @property
    def length(self) -> int:
        return self.side**2


class Pool(NamedTuple):
    """A way of pooling."""

    kind: Literal["none", "max", "average"]
    window: int = 1
    stride: int = 1


NONE = Pool("none")
ALWAYS = (NONE, Pool("max", 2, 2), Pool("average", 2, 2), Pool("max", 4, 4), Pool("average", 4, 4))  # for classifiers


class Accuracy(NamedTuple):
    pool: Pool
    still: float  # share of the test digits that are classified rightly
    shifted: float  # the same, the test digits shifted before the pooling


class State(NamedTuple):
    step: int  # outputs computed
    maximum: Annotated[float, Metric("maximum of the window")]
    average: Annotated[float, Metric("average of the window")]
    change_unpooled: Annotated[float, Metric("change of the picture by the shift", shown=True)]  # see `change`
    change_max: Annotated[float, Metric("change of the maxima", shown=True)]
    change_average: Annotated[float, Metric("change of the averages", shown=True)]
    accuracy_unpooled: Annotated[float, Metric("digits right from the pixels", "%")]
    accuracy_max: Annotated[float, Metric("digits right from the maxima", "%")]  # of the reader's window and stride
    accuracy_average: Annotated[float, Metric("digits right from the averages", "%")]
    shifted_unpooled: Annotated[float, Metric("shifted digits right from the pixels", "%")]
    shifted_max: Annotated[float, Metric("shifted digits right from the maxima", "%")]
    shifted_average: Annotated[float, Metric("shifted digits right from the averages", "%")]
    values: Annotated[int, Metric("values left of the picture", "count")]
    at: tuple[int, int]  # row and column of the newest output
    seen: np.ndarray  # (window, window) the pixels in its window
    image: np.ndarray  # (SIDE, SIDE) after the shift
    maxima: np.ndarray  # (side, side) all of them
    averages: np.ndarray
    maxima_before: np.ndarray  # (side, side) without the shift
    averages_before: np.ndarray
    changes: dict[str, np.ndarray]  # for none, max, average: the change by every shift, (SIDE,)
    accuracies: list[Accuracy]


def outputs(window: int, stride: int) -> int:
    """Outputs a side: floor((W − F)/S) + 1, the rest of the picture is in no window."""
    return (SIDE - window) // stride + 1


def picture(p: Params) -> np.ndarray:
    """What is pooled, before the shift, (SIDE, SIDE)."""
    if p.picture == "digit":
        images, labels = digits()
        return images[labels == p.digit][p.sample]
    image = np.zeros((SIDE, SIDE))
    rows = p.y if p.picture == "dot" else slice(None)
    image[rows, p.x] = BRIGHT
    return image


def pooled(images: np.ndarray, pool: Pool) -> np.ndarray:
    """Images (..., SIDE, SIDE) to (..., side, side); those of kind "none" stay as they are."""
    if pool.kind == "none":
        return images
    windows = np.lib.stride_tricks.sliding_window_view(images, (pool.window, pool.window), axis=(-2, -1))
    windows = windows[..., :: pool.stride, :: pool.stride, :, :]
    return windows.max(axis=(-2, -1)) if pool.kind == "max" else windows.mean(axis=(-2, -1))


def shifted(images: np.ndarray, dx: int) -> np.ndarray:
    """Images (..., SIDE, SIDE), moved to the right and round."""
    return np.roll(images, dx, axis=-1)


def change(a: np.ndarray, b: np.ndarray) -> float:
    """|a − b| over the larger of |a| and |b|: 0 if they are identical, √2 if two equal dots stand apart."""
    larger = max(np.linalg.norm(a), np.linalg.norm(b))
    return float(np.linalg.norm(a - b) / larger) if larger else 0.0


@lru_cache(maxsize=256)
def accuracy(pool: Pool, classifier: str, dx: int, seed: int) -> Accuracy:
    """Trained on pooled digits, tested on pooled others: as they are, and all shifted by dx before the pooling."""
    images, labels = digits()
    train, test = np.split(np.random.default_rng(seed).permutation(len(images)), [TRAIN])

    def features(some: np.ndarray) -> np.ndarray:
        return pooled(some, pool).reshape(len(some), -1)

    known, names = features(images[train]), labels[train]
    if classifier == "nearest mean":
        known = np.array([known[names == k].mean(axis=0) for k in range(10)])
        names = np.arange(10)
    squares = (known * known).sum(axis=1)

    def right(x: np.ndarray) -> float:
        distances = squares - 2 * x @ known.T  # |x − known|² without the part |x|², which is the same for all
        return float((names[distances.argmin(axis=1)] == labels[test]).mean())

    return Accuracy(pool, right(features(images[test])), right(features(shifted(images[test], dx))))


def run(p: Params) -> Iterator[State]:
    """An output a state, row by row."""
    before = picture(p)
    image = shifted(before, p.dx)
    pools = {"none": NONE, "max": Pool("max", p.window, p.stride), "average": Pool("average", p.window, p.stride)}
    changes = {
        kind: np.array([change(pooled(before, pool), pooled(shifted(before, dx), pool)) for dx in range(SIDE)])
        for kind, pool in pools.items()
    }
    tried = dict.fromkeys((*ALWAYS, *pools.values()))
    accuracies = {pool: accuracy(pool, p.classifier, p.test_shift, p.seed) for pool in tried}
    mine = {kind: accuracies[pool] for kind, pool in pools.items()}
    for cell in range(p.length):
        i, j = divmod(cell, p.side)
        top, left = p.stride * i, p.stride * j
        seen = image[top : top + p.window, left : left + p.window]
        yield State(
            step=cell + 1,
            maximum=float(seen.max()),
            average=float(seen.sum() / p.window**2),
            change_unpooled=float(changes["none"][p.dx]),
            change_max=float(changes["max"][p.dx]),
            change_average=float(changes["average"][p.dx]),
            accuracy_unpooled=mine["none"].still,
            accuracy_max=mine["max"].still,
            accuracy_average=mine["average"].still,
            shifted_unpooled=mine["none"].shifted,
            shifted_max=mine["max"].shifted,
            shifted_average=mine["average"].shifted,
            values=p.length,
            at=(i, j),
            seen=seen,
            image=image,
            maxima=pooled(image, pools["max"]),
            averages=pooled(image, pools["average"]),
            maxima_before=pooled(before, pools["max"]),
            averages_before=pooled(before, pools["average"]),
            changes=changes,
            accuracies=list(accuracies.values()),
        )
