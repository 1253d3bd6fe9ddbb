"""How long a recurrent net can remember: one net for every length, each trained from the same first weights."""

from collections.abc import Iterator
from typing import Annotated, NamedTuple

import numpy as np

from playgrounds import _memory
from playgrounds._memory import TEST, examples, parameters, ratio, reach, score, train
from playgrounds.kit import Metric, knob
from playgrounds.kit.training import kept

LENGTHS = (2, 5, 10, 20, 40)  # those compared, up to the chosen one
EVERY = 18  # states of each training, about
TINY = 1e-300  # keeps a division by a gradient of 0 finite
SOLVED = 0.9  # the accuracy from which on a length counts as solved


class Params(_memory.Params):
    T: int = knob(6, 2, 40, label="Longest length T", help="a net is trained for every length compared, up to this one")

    @property
    def lengths(self) -> list[int]:
        """The lengths that are compared."""
        return [n for n in LENGTHS if n < self.T] + [self.T]

    @property
    def length(self) -> int:
        return len(self.lengths) * len(kept(self.steps, EVERY))


class State(NamedTuple):
    training_step: int
    accuracy: Annotated[float, Metric("right answers at this length", "%", shown=True)]  # about new sequences
    loss: Annotated[float, Metric("loss at this length", digits=4)]
    parameters: Annotated[int, Metric("parameters at any length", "count")]
    untrained_ratio: Annotated[float, Metric("relative gradient before training")]  # |∂h_q/∂x_1| / |∂h_q/∂x_q|
    longest_solved: Annotated[float | None, Metric("longest length solved so far", shown=True)]  # and all shorter ones
    T: int  # the length that is being trained
    q: int  # the step whose state is looked at
    accuracies: np.ndarray  # (lengths, states of each) so far; nan where not trained yet
    reaches: tuple[np.ndarray, ...]  # before training, for every length so far: |∂h_q/∂x_t| / |∂h_q/∂x_q| by t, (T,)


def run(p: Params) -> Iterator[State | None]:
    """Train a net for every length."""
    film = kept(p.steps, EVERY)
    accuracies = np.full((len(p.lengths), len(film)), np.nan)
    reaches: tuple[np.ndarray, ...] = ()
    solved: float | None = None
    all_solved = True
    for row, T in enumerate(p.lengths):
        test = examples(p, T, TEST, np.random.default_rng([p.seed, 1]))
        for step, net in train(p, T):
            if step == 0:
                norms = reach(p, net, test.x[:, :, :1], test.q)
                reaches = (*reaches, norms / max(norms[test.q - 1], TINY))
                untrained = ratio(norms, test.q)
            if step not in film:
                yield None  # nothing to see yet, but time may be up
                continue
            loss, accuracy = score(p, net, test)
            accuracies = accuracies.copy()
            accuracies[row, film.index(step)] = accuracy
            if step == p.steps:
                all_solved = all_solved and accuracy >= SOLVED
                solved = float(T) if all_solved else solved or 0.0
            yield State(
                training_step=step,
                accuracy=accuracy,
                loss=loss,
                parameters=parameters(p),
                untrained_ratio=untrained,
                longest_solved=solved,
                T=T,
                q=test.q,
                accuracies=accuracies,
                reaches=reaches,
            )
