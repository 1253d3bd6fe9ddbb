"""A kernel is learned: gradient descent on the mean squared error between the map that it makes and a given one."""

from collections.abc import Iterator
from typing import Annotated, Literal, NamedTuple

import numpy as np

from playgrounds._maps import KERNELS, Pictured, convolve, kernel_of, map_shape, picture, side_of
from playgrounds.kit import Metric, knob
from playgrounds.kit.training import finite, kept

HUGE = 1e6  # a weight beyond it has diverged


class Params(Pictured):
    kernel: Literal["own", *KERNELS] = knob("Sobel x", label="Kernel", help="the hidden one")
    grid: str = knob("1,2;3,4", 1, 5, form="matrix", label="Your kernel", when=lambda p: p.kernel == "own")
    flip: bool = knob(False, label="Flip the kernel", help="the convolution of mathematics; libraries do not flip")
    rate: float = knob(0.2, 0.01, 5, log=True, label="Learning rate η")
    steps: int = knob(300, 1, 3000, log=True, label="Steps")
    seed: int = knob(1, 0, 9999, label="Seed", help="decides the first weights, and the picture if it is noise")
    bias: float = knob(0.0, -20, 20, step=0.5, label="Bias b", help="of the hidden layer", more=True)

    @property
    def weights(self) -> np.ndarray:
        """The kernel (rows, columns) that has made the given map."""
        w = kernel_of(self)
        return w[::-1, ::-1] if self.flip else w

    @property
    def size(self) -> tuple[int, int]:
        """Rows and columns of the map; (0, 0) where the kernel is larger than the picture."""
        return map_shape((side_of(self), side_of(self)), self.weights.shape)

    @property
    def length(self) -> int:
        return len(kept(self.steps)) if self.size != (0, 0) else 1


class State(NamedTuple):
    step: int  # updates of the weights
    loss: Annotated[float | None, Metric("loss", digits=4, shown=True)]
    kernel_error: Annotated[float | None, Metric("largest error of a weight", shown=True)]  # from the kernel chosen
    width: Annotated[int, Metric("columns of the map", "count")]
    parameters: Annotated[int, Metric("parameters of the convolution", "count")]
    w: np.ndarray  # (f, g) the learned kernel
    gradient: np.ndarray  # (f · g + 1,) of the loss, last for the bias
    directions: int  # dimensions that the windows of the picture span, of f · g + 1
    diverged: bool
    x: np.ndarray  # (H, W) the picture, scaled to 1
    target: np.ndarray  # (rows, columns) the given map
    ours: np.ndarray  # (rows, columns) the one that the learned kernel makes


def run(p: Params) -> Iterator[State]:
    """L = 1/n Σ e[i, j]², so ∂L/∂w[u, v] = 2/n Σ e[i, j] · x[i + u, j + v]: all positions share the weight."""
    x, hidden = picture(p), p.weights
    x = x / max(x.max(), 1)
    theta = np.append(np.random.default_rng(p.seed).normal(0, 0.5, hidden.size), 0.0)  # the last is the bias
    target = convolve(x[None], hidden[None, None])[0] + p.bias
    known = State(
        step=0,
        loss=None,
        kernel_error=None,
        width=target.shape[1],
        parameters=theta.size,
        w=theta[:-1].reshape(hidden.shape),
        gradient=np.zeros(theta.size),
        directions=0,
        diverged=False,
        x=x,
        target=target,
        ours=target,
    )
    if not target.size:  # no position fits
        yield known
        return

    t = target.ravel()
    patches = np.lib.stride_tricks.sliding_window_view(x, hidden.shape).reshape(t.size, -1)
    patches = np.column_stack([patches, np.ones(t.size)])  # (n, f · g + 1), a row for each position
    known = known._replace(directions=int(np.linalg.matrix_rank(patches)))
    chosen = kernel_of(p)
    shown = set(kept(p.steps))
    for step in range(p.steps + 1):
        error = patches @ theta - t
        gradient = 2 / t.size * (patches.T @ error)
        diverged = not finite(theta, error, most=HUGE)
        if step in shown or diverged:
            w = theta[:-1].reshape(hidden.shape)
            yield known._replace(
                step=step,
                loss=float((error**2).mean()),
                kernel_error=float(np.abs(w - chosen).max()),
                w=w.copy(),
                gradient=gradient,
                diverged=diverged,
                ours=(error + t).reshape(target.shape),
            )
        if diverged:
            return
        theta = theta - p.rate * gradient
