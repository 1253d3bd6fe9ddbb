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
    untrained_ratio: Annotated[
        float, Metric("relative gradient before training", shown=True)
    ]  # |∂h_q/∂x_1| / |∂h_q/∂x_q|
    longest_solved: Annotated[float, Metric("longest length solved so far", shown=True)]  # all shorter ones solved too
    T: int  # the length that is being trained
    q: int  # the step whose state is looked at
    accuracies: np.ndarray  # (lengths, states of each) so far; nan where not trained yet
    ratios: np.ndarray  # (lengths,) before training


def run(p: Params) -> Iterator[State | None]:
    """Train a net for every length."""
    film = kept(p.steps, EVERY)
    accuracies = np.full((len(p.lengths), len(film)), np.nan)
    ratios = np.full(len(p.lengths), np.nan)
    solved, all_solved = 0, True
    for row, T in enumerate(p.lengths):
        test = examples(p, T, TEST, np.random.default_rng([p.seed, 1]))
        accuracies, ratios = accuracies.copy(), ratios.copy()
        for step, net in train(p, T):
            if step == 0:
                ratios[row] = ratio(reach(p, net, test.x[:, :, :1], test.q), test.q)
            if step not in film:
                yield None  # nothing to see yet, but time may be up
                continue
            loss, accuracy = score(p, net, test)
            accuracies = accuracies.copy()
            accuracies[row, film.index(step)] = accuracy
            if step == p.steps:
                all_solved = all_solved and accuracy >= SOLVED
                solved = T if all_solved else solved
            yield State(
                training_step=step,
                accuracy=accuracy,
                loss=loss,
                parameters=parameters(p),
                untrained_ratio=float(ratios[row]),
                longest_solved=float(solved),
                T=T,
                q=test.q,
                accuracies=accuracies,
                ratios=ratios,
            )
