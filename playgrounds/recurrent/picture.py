"""How the training of a recurrent net and its reading are told and drawn."""

from collections.abc import Sequence

import numpy as np

from playgrounds._memory import Examples, parameters
from playgrounds.kit import fails, works
from playgrounds.kit.axes import exponents, names, powers, share, span, steps
from playgrounds.kit.palette import FAINT, MUTED, PAPER
from playgrounds.kit.picture import Picture
from playgrounds.kit.words import counted, number, percent, subscript, vector
from playgrounds.recurrent.diagram import (
    NET,
    along,
    asked_of,
    draw_cell,
    draw_unit,
    draw_units,
    draw_unrolled,
    show_wipe,
)
from playgrounds.recurrent.model import DIGITS, LETTERS, READ, Params, Reading, State, answerable, own, typed, written

PRESETS = (
    fails(
        "RNN, 25 symbols",
        "After 25 symbols a plain RNN has lost the first, and no gradient reaches back to it.",
        {"accuracy": "<= 0.3", "untrained_ratio": "<= 0.001"},
        T=25,
    ),
    works(
        "LSTM, forget gates open",
        "With forget bias 3 the cell carries the symbol and the gradient over 20 steps.",
        {"accuracy": ">= 0.97", "untrained_ratio": ">= 0.1"},
        T=20,
        cell="LSTM",
        bias=3.0,
    ),
    fails(
        "State wiped",
        "The answer was in the state and nowhere else: wiped after symbol 3, the net guesses.",
        {"accuracy": "<= 0.2", "accuracy_unwiped": ">= 0.97"},
        wipe=3,
    ),
    works(
        "Both directions",
        "The next symbol cannot be known from the left; the net that reads from the right has it.",
        {"accuracy": ">= 0.97"},
        task="next",
        bidirectional=True,
        T=12,
    ),
)


def note(p: Params, states: Sequence[State], now: int) -> str:
    """What the net can do by now, or what it makes of the symbol that it reads."""
    state, data = states[now], own(p)
    said = reading_note(p, state, data) if state.t else training_note(p, state, data.q)
    complains = state.t == len(data.symbols) or state.training_step == state.t == 0
    return said + (about_text(p) if complains else "")


def about_text(p: Params) -> str:
    """What had to be changed in the reader's text."""
    text = typed(p)
    span_of = f"{DIGITS[0]}–{DIGITS[p.symbols - 1]}" if p.task == "adding" else f"{LETTERS[0]}–{LETTERS[p.symbols - 1]}"
    if not text.enough:
        said = f" Your text has too few symbols {span_of} for the task: a sequence drawn by chance is read."
        return said if p.text.strip() else ""
    said = f" Left out of your text: {counted(text.other, 'character')} other than {span_of}." if text.other else ""
    return said + (f" Only the first {READ} symbols of your text are read." if len(text.symbols) > READ else "")


def slope(q: int, t: int) -> str:
    return f"|∂h{subscript(q)}/∂x{subscript(t)}|"


def training_note(p: Params, now: State, q: int) -> str:
    """Accuracy of the net as trained so far, and how much of the gradient gets to the first symbol."""
    done = (
        f"Step {now.training_step} of {p.steps}" if now.training_step else f"{now.parameters:,} parameters, untrained"
    )
    said = f"{done}: {percent(now.accuracy)} of answers about new sequences of {p.T} are right"
    if now.accuracy_unwiped is not None:
        said += f" if the state is wiped after symbol {p.wipe}, {percent(now.accuracy_unwiped)} if not"
    said += f"; chance is {percent(1 / p.symbols)}. "
    if 0 < p.wipe < q:
        return (
            f"{said}The wipe cuts the state at step {q} off from symbols 1 to {p.wipe}: those gradients are exactly 0."
        )
    return f"{said}In the sequence below, {slope(q, 1)} is {number(now.gradient_ratio)} times {slope(q, q)}."


def reading_note(p: Params, now: State, data: Examples) -> str:
    """What the symbol does to the watched unit, and what the net would answer now."""
    seen, t, T = now.seen, now.t, len(data.symbols)
    right = data.labels[t - 1, 0]
    if p.bidirectional:
        both = max(0, 2 * t - T)
        said = f"Forward symbol {t} of {T} is read, backward symbol {T + 1 - t}: both states, and so an answer, are "
        said += f"there at {counted(both, 'position')}{'' if t == T else '; at the first one only in the end'}. "
    else:
        said = f"Symbol {t} of {T} is {written(p, data)[t - 1]}: in unit {seen.unit + 1}, {arithmetic(p, seen, t)}. "
        said += answer_note(p, seen, data, t, right)
    if t < T:
        return said.strip()
    said += f"The {p.cell}'s {now.parameters:,} parameters, trained on length {p.T}, give {percent(now.accuracy)} "
    wiped = "" if now.accuracy_unwiped is None else f" with the wipe, {percent(now.accuracy_unwiped)} without"
    return f"{said}right answers about new sequences{wiped}."


def answer_note(p: Params, seen: Reading, data: Examples, t: int, right: int) -> str:
    """What the net would say after t symbols, and what would be right."""
    says = seen.answers[t - 1]
    if p.task == "adding":
        return f"Asked now, it says {says}; what is marked so far adds up to {right}. "
    if p.task == "recall" or data.asked.start < t <= data.asked.stop:
        return f"Asked now, it says {says}; {LETTERS[right]} would be right and gets {percent(seen.scores[t - 1])}. "
    return "No answer is asked for here. "


def arithmetic(p: Params, seen: Reading, t: int) -> str:
    """How the watched unit gets its value at step t."""
    if t == p.wipe:
        return "h = 0, as the state is wiped"
    terms = {name: float(values[t - 1]) for name, values in seen.terms.items()}
    said = {name: number(value) for name, value in terms.items()}
    times = {name: vector([value], factor=True) for name, value in terms.items()}
    if p.cell == "RNN":
        return f"h = tanh({said['z_x']} + {times['z_h']}) = {said['h']}"
    if p.cell == "GRU":
        z = said["z"]
        return f"h = (1 − z)·n + z·h = (1 − {z})·{times['n']} + {z}·{times['h before']} = {said['h']}"
    cell = f"c = f·c + i·g = {said['f']}·{times['c before']} + {said['i']}·{times['g']} = {said['c']}"
    return f"{cell}, h = o·tanh(c) = {said['o']}·tanh({said['c']}) = {said['h']}"


def draw(p: Params, states: Sequence[State], now: int) -> Picture:
    """The unrolled net, or one unit of a gated cell, while it reads; what it would answer; on demand the gradient."""
    state, data = states[now], own(p)
    gated = p.cell != "RNN" and not p.bidirectional
    if gated:
        rows = (*3 * [5 * "cell " + 3 * "strips "], 5 * "cell " + 3 * "scores ")
        pic = Picture(440, *rows, details=("accuracy reach", "units parameters"))
        draw_cell(pic, p, state, data)
        draw_unit(pic, p, state, data)
    else:
        pic = Picture(460, *3 * ["strips strips"], *2 * ["scores accuracy"], details=("reach parameters",))
        draw_unrolled(pic, p, state, data)
    draw_scores(pic, p, states, state, data)
    draw_training(pic, p, states, state)
    draw_reach(pic, p, states, state, data)
    if gated:
        draw_units(pic, p, state)
    draw_parameters(pic, p)
    return pic


def draw_scores(pic: Picture, p: Params, states: Sequence[State], state: State, data: Examples) -> None:
    """The answer at every step, filled where one is asked for; on pointing, how the watched unit got its value."""
    seen, T = state.seen, len(data.symbols)
    there, asked = answerable(p, state.t, T), asked_of(data)
    title, axis = "p(right answer)", share()
    if p.task == "adding":
        most = max(s.seen.scores.max() for s in states if s.t == 0)
        title, axis = "Error if asked, in digits", span(0, 1.05 * most, ticks=3)
    scores = pic.panel("scores", title, along(T), axis, tall=120)
    if p.task != "adding":
        scores.level(1 / p.symbols, name="chance")
    for i, value in enumerate(seen.scores):
        if there[i] and (asked[i] or p.task in ("recall", "adding")):
            scores.block((i + 0.6, i + 1.4), (0, value), NET if asked[i] else PAPER, edge=NET)
    middle = 0.5 * (float(seen.scores.max()) if p.task == "adding" else 1)
    letters = written(p, data)
    told = [f"{t} reads {letters[t - 1]}: {arithmetic(p, seen, t)}" for t in range(1, T + 1)]
    scores.hover(np.arange(1, T + 1), np.full(T, middle), told)
    if state.t:
        scores.cursor(state.t)
    show_wipe(p, T, scores)


def draw_training(pic: Picture, p: Params, states: Sequence[State], state: State) -> None:
    """Right answers by training step."""
    accuracy = pic.panel("accuracy", "Right answers by training step", steps(p.steps, ticks=4), share(), tall=160)
    training = [s for s in states if s.t == 0]
    trained, told = [s.training_step for s in training], "%{y:.1%} at step %{x}"
    accuracy.curve(trained, [s.accuracy for s in training], "wiped" if p.wipe else "", NET, hover=told)
    if p.wipe:
        unwiped = [s.accuracy_unwiped for s in training]
        accuracy.curve(trained, unwiped, "not", NET, dash="dash", hover=told)
    accuracy.level(1 / p.symbols)
    pic.cursor(state.training_step, accuracy)


def draw_reach(pic: Picture, p: Params, states: Sequence[State], state: State, data: Examples) -> None:
    """How strongly every symbol still acts on the state."""
    T, t, gradient = len(data.symbols), state.t, state.seen.gradient
    title = "Influence, |∂h_q/∂x_t|"
    reach = pic.panel("reach", title, along(T), powers([s.seen.gradient for s in states]), tall=140)
    reach.beads(np.arange(1, T + 1), exponents(gradient), NET, 8)
    reach.key("━", "now", NET)
    untrained = exponents(states[0].seen.gradient)
    reach.curve(np.arange(1, T + 1), untrained, "untrained", MUTED, dash="dot", width=1.5, hover="")
    reach.cursor(t if t and not p.bidirectional else data.q)
    show_wipe(p, T, reach)


def draw_parameters(pic: Picture, p: Params) -> None:
    """How many parameters the three cells have."""
    sizes = {cell: parameters(p.model_copy(update={"cell": cell})) for cell in ("RNN", "GRU", "LSTM")}
    most = span(0, 1.25 * max(sizes.values()), ticks=4)
    size = pic.panel("parameters", "Parameters, at any length", most, names([*sizes], down=True))
    shades = [NET if cell == p.cell else FAINT for cell in sizes]
    size.rows(sizes.values(), shades, texts=[f"\u2002{n:,}" for n in sizes.values()])
