"""A recurrent net that learns what to keep of a sequence; then it reads one, symbol by symbol."""

from collections.abc import Iterator
from typing import Annotated, NamedTuple

import numpy as np

from playgrounds import _memory
from playgrounds._cells import Scan
from playgrounds._memory import (
    TEST,
    Examples,
    Net,
    both_ways,
    examples,
    judge,
    parameters,
    posed,
    ratio,
    reach,
    score,
    train,
)
from playgrounds.kit import Metric, knob
from playgrounds.kit.nn import softmax
from playgrounds.kit.training import kept

EVERY = 30  # states of the training, about
READ = 40  # symbols of the reader's sequence, at most
LETTERS, DIGITS = "abcdefghij", "0123456789"


class Params(_memory.Params):
    wipe: int = knob(0, 0, 40, label="Wipe the state at step", help="in tests and reading, not in training; 0: never")
    text: str = knob(
        "",
        0,
        80,
        label="Own sequence",
        help="letters from a on; for adding digits, with a + after those to add; empty: drawn by chance",
    )

    @property
    def length(self) -> int:
        return len(kept(self.steps, EVERY)) + len(own(self).symbols)


class Typed(NamedTuple):
    """What the reader's text says."""

    symbols: list[int]
    marks: list[int]  # 1 where a + follows
    other: int  # characters that are no symbols
    enough: bool  # whether the task can be posed with these symbols


class Reading(NamedTuple):
    """What a net makes of one sequence of T symbols."""

    strips: dict[str, np.ndarray]  # states and gates by name, (H, T) each
    unit: int  # the one that speaks most for the right answer, those of the direction from the right counted on
    terms: dict[str, np.ndarray]  # what that unit's value is made of, by the letters of its cell's equation, (T,) each
    answers: list[str]  # the net's, if asked at each step
    right: np.ndarray  # (T,): whether they are
    scores: np.ndarray  # (T,): probability of the right answer; for adding the error in digits
    gradient: np.ndarray  # (T,): |∂h_q/∂x_t|


class State(NamedTuple):
    training_step: int
    accuracy: Annotated[float, Metric("right on new sequences", "%", shown=True)]  # wiped if the state is
    accuracy_unwiped: Annotated[float | None, Metric("right without the wipe", "%")]
    loss: Annotated[float, Metric("loss on new sequences", digits=4)]
    parameters: Annotated[int, Metric("parameters", "count")]
    cell_parameters: Annotated[int, Metric("of these, in the recurrent cell", "count")]  # not the answer's layer
    # |∂h_q/∂x_1| / |∂h_q/∂x_q| for the sequence that is read; before training with nothing wiped
    gradient_ratio: Annotated[float, Metric("relative gradient at the first symbol")]
    untrained_ratio: Annotated[float, Metric("relative gradient before training")]
    keeping_gate: Annotated[float | None, Metric("mean of the forget or update gate")]  # over the sequence that is read
    right_probability: Annotated[float | None, Metric("probability of the right answer", "%", shown=True)]
    t: int  # the symbol being read; 0 in training
    seen: Reading


def typed(p: Params) -> Typed:
    """The reader's text as symbols."""
    alphabet = (DIGITS if p.task == "adding" else LETTERS)[: p.symbols]
    symbols: list[int] = []
    marks: list[int] = []
    other = 0
    for c in p.text.lower():
        if c in alphabet:
            symbols.append(alphabet.index(c))
            marks.append(0)
        elif c == "+" and marks and p.task == "adding":
            marks[-1] = 1
        elif not c.isspace():
            other += 1
    return Typed(symbols, marks, other, len(symbols) > (p.delay if p.task == "echo" else 1))


def own(p: Params) -> Examples:
    """The sequence that is read: the reader's, or one drawn by chance."""
    text = typed(p)
    if not text.enough:
        return examples(p, p.T, 1, np.random.default_rng([p.seed, 2]))
    return posed(p, np.array(text.symbols[:READ])[:, None], np.array(text.marks[:READ])[:, None])


def written(p: Params, data: Examples) -> list[str]:
    """The symbols of one sequence as one writes them, a digit to be added with a +."""
    letters = DIGITS if p.task == "adding" else LETTERS
    return [letters[s] + ("+" if mark else "") for s, mark in zip(data.symbols[:, 0], data.marks[:, 0], strict=True)]


def answerable(p: Params, t: int, T: int) -> np.ndarray:
    """Where an answer can be given once t of T symbols are read: with two directions, where both have been."""
    places = np.arange(1, T + 1)
    if t == 0:  # in training all are read
        return places > 0
    return (places <= t) & (places > T - t) if p.bidirectional else places <= t


def strips_of(p: Params, reads: list[Scan]) -> dict[str, np.ndarray]:
    """States and, of one direction, gates, by the names that the field has for them."""
    h = reads[0].h[1:, :, 0].T
    if p.bidirectional:
        return {"h →": h, "h ←": reads[1].h[:0:-1, :, 0].T}
    if p.cell == "RNN":
        return {"h": h}
    gates = [np.array(gate)[:, :, 0].T for gate in zip(*reads[0].gates, strict=True)]
    if p.cell == "GRU":
        reset, update, *_ = gates
        return {"h": h, "update": update, "reset": reset}
    i, f, _, o = gates
    cell = np.array([c for _, c in reads[0].memory[1:]])[:, :, 0].T
    return {"h": h, "cell": cell, "forget": f, "input": i, "output": o}


def terms_of(p: Params, read: Scan, unit: int, from_right: bool) -> dict[str, np.ndarray]:
    """The numbers of one unit in its cell's equations, by position in the sequence."""
    h = read.h[:, unit, 0]
    c = np.array([c for _, c in read.memory])[:, unit, 0]
    gates = [np.array(gate)[:, unit, 0] for gate in zip(*read.gates, strict=True)]
    if p.cell == "RNN":
        terms = {"z_x": gates[0], "z_h": gates[1], "h": h[1:]}
    elif p.cell == "GRU":
        terms = {"r": gates[0], "z": gates[1], "n": gates[2], "h before": h[:-1], "h": h[1:]}
    else:
        i, f, g, o = gates
        terms = {"i": i, "f": f, "g": g, "o": o, "c before": c[:-1], "c": c[1:], "h": h[1:]}
    return {name: values[::-1] if from_right else values for name, values in terms.items()}


def look(p: Params, net: Net, data: Examples) -> Reading:
    """Read one sequence: states, gates, answers and the gradient."""
    reads, h = both_ways(p, net, data.x, p.wipe)
    y, labels, q = net.W_y @ h + net.b_y, data.labels[:, 0], data.q
    _, _, right = judge(p, y, data.labels)
    h, y = h[:, :, 0], y[:, :, 0]
    if p.task == "adding":
        sums = y[:, 0] * (p.symbols - 1)
        answers = [f"{total:.1f}" for total in sums]
        scores = np.abs(sums - labels)
        for_the_right = net.W_y[0]
    else:
        answers = [LETTERS[k] for k in y.argmax(axis=1)]
        scores = softmax(y)[np.arange(len(y)), labels]
        for_the_right = net.W_y[labels[q - 1]]
    unit = int((for_the_right * h[q - 1]).argmax())
    direction, k = divmod(unit, p.hidden)
    terms = terms_of(p, reads[direction], k, from_right=direction == 1)
    gradient = reach(p, net, data.x, q, p.wipe)
    return Reading(strips_of(p, reads), unit, terms, answers, right[:, 0], scores, gradient)


def run(p: Params) -> Iterator[State | None]:
    """Train at length T; then read one sequence symbol by symbol, with the weights that training has found."""
    data = own(p)
    q = data.q
    test = examples(p, p.T, TEST, np.random.default_rng([p.seed, 1]))
    film = set(kept(p.steps, EVERY))
    for step, net in train(p, p.T):
        if step == 0:
            untrained = ratio(reach(p, net, data.x, q), q)
        if step not in film:
            yield None  # nothing to see yet, but time may be up
            continue
        loss, accuracy = score(p, net, test, p.wipe)
        seen = look(p, net, data)
        keeping = seen.strips.get("forget", seen.strips.get("update"))
        state = State(
            training_step=step,
            accuracy=accuracy,
            accuracy_unwiped=score(p, net, test)[1] if p.wipe else None,
            loss=loss,
            parameters=parameters(p),
            cell_parameters=parameters(p) - net.W_y.size - net.b_y.size,
            gradient_ratio=ratio(seen.gradient, q),
            untrained_ratio=untrained,
            keeping_gate=None if keeping is None else float(keeping.mean()),
            right_probability=None if p.task == "adding" else float(seen.scores[data.asked].mean()),
            t=0,
            seen=seen,
        )
        yield state
    for t in range(1, len(data.symbols) + 1):
        if not p.bidirectional:
            seen = seen._replace(gradient=reach(p, net, data.x, t, p.wipe))
        yield state._replace(t=t, seen=seen)
