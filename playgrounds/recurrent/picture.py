"""How the training of a recurrent net and its reading are told and drawn."""

from collections.abc import Sequence
from math import ceil

import numpy as np

from playgrounds._memory import Examples, parameters
from playgrounds.kit import fails, works
from playgrounds.kit.axes import exponents, names, powers, share, span, steps, ticked
from playgrounds.kit.palette import FAINT, INK, MUTED, PAPER, SERIES
from playgrounds.kit.picture import Panel, Picture
from playgrounds.kit.words import counted, number, percent, subscript, vector
from playgrounds.recurrent.model import DIGITS, LETTERS, READ, Params, Reading, State, answerable, own, typed, written

PRESETS = (
    fails(
        "RNN, 20 symbols",
        "After 20 symbols a plain RNN has lost the first, and no gradient reaches back to it.",
        {"accuracy": "<= 0.3", "untrained_ratio": "<= 0.001"},
        T=20,
    ),
    works(
        "LSTM, forget gates open",
        "With forget bias 2 the cell carries the symbol and the gradient over 20 steps.",
        {"accuracy": ">= 0.97", "untrained_ratio": ">= 0.1"},
        T=20,
        cell="LSTM",
        bias=2.0,
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

COLOURS = {"RNN": SERIES[3], "GRU": SERIES[4], "LSTM": SERIES[2]}
GREEN, ORANGE = 2, 1  # places in SERIES
GATES = ("forget", "input", "output", "update", "reset")  # between 0 and 1; all other strips have a sign
PIXELS = 32  # along the sides of a strip, at least: where one has far fewer than the other the browser blurs it


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
    """States and gates over the sequence; below, the gradient, the answers, and the training; parameters on demand."""
    state, data = states[now], own(p)
    T, t, seen = len(data.symbols), state.t, state.seen
    places, colour = np.arange(1, T + 1), COLOURS[p.cell]
    training = [s for s in states if s.t == 0]
    over = span(0.5, T + 0.5) | {"tick0": 0, "dtick": ceil(T / 8)}
    letters = ticked(0.5, T + 0.5, range(1, T + 1), written(p, data)) | {"showgrid": False, "tickangle": 0}
    sizes = {cell: parameters(p.model_copy(update={"cell": cell})) for cell in COLOURS}

    pic = Picture(490, *2 * ["strips strips strips"], "reach scores accuracy", details=["parameters"])
    rows = names([*seen.strips], down=True)
    below = letters if T <= 20 else over
    strips = pic.panel("strips", f"{p.cell} with {p.hidden} units, by step", below, rows, tall=290)
    reach = pic.panel("reach", "|∂h_q/∂x_t| by t", over, powers([s.seen.gradient for s in states]), tall=140)
    title, axis = "p(right) if asked", share()
    if p.task == "adding":
        title, axis = "Error if asked, in digits", span(0, 1.05 * max(s.seen.scores.max() for s in training), ticks=3)
    scores = pic.panel("scores", title, over, axis, tall=120)
    accuracy = pic.panel("accuracy", "Accuracy by step", steps(p.steps, ticks=4), share(), tall=160)
    most = span(0, 1.1 * max(sizes.values()))
    size = pic.panel("parameters", "Parameters, at any T", most, names([*sizes], down=True))

    there, asked = answerable(p, t, T), np.isin(places - 1, np.arange(T)[data.asked])
    draw_strips(strips, p, state)
    reach.beads(places, exponents(seen.gradient), colour, 8)
    reach.key("━", "now", colour)
    reach.curve(places, exponents(states[0].seen.gradient), "untrained", MUTED, dash="dot", width=1.5, hover="")
    reach.cursor(t if t and not p.bidirectional else data.q)
    draw_scores(scores, p, seen, data, there, asked)
    if t:
        strips.frame((t - 0.5, t + 0.5), (-len(seen.strips) + 0.5, 0.5))
        scores.cursor(t)
    if 0 < p.wipe < T:
        for panel in (strips, reach, scores):
            panel.cursor(p.wipe + 0.5, dash="dash")

    trained, told = [s.training_step for s in training], "%{y:.1%} at step %{x}"
    accuracy.curve(trained, [s.accuracy for s in training], "wiped" if p.wipe else "", colour, hover=told)
    if p.wipe:
        unwiped = [s.accuracy_unwiped for s in training]
        accuracy.curve(trained, unwiped, "not", colour, dash="dash", hover=told)
    accuracy.level(1 / p.symbols)
    pic.cursor(state.training_step, accuracy)
    shades = [COLOURS[cell] if cell == p.cell else FAINT for cell in sizes]
    size.rows(sizes.values(), shades, texts=[f"\u2002{n:,}" for n in sizes.values()])

    pic.chips(
        "The sequence; what the net says at each step, green if it is asked for and right, orange if wrong",
        written(p, data),
        [(GREEN if good else ORANGE) if on else None for good, on in zip(seen.right, asked & there, strict=True)],
        [f"says {one}" if ready else "·" for one, ready in zip(seen.answers, there, strict=True)],
        [t - 1] if t else [],
    )
    return pic


def draw_strips(strips: Panel, p: Params, state: State) -> None:
    """States and gates as far as they are read; the watched unit is framed."""
    seen, t, T, half = state.seen, state.t, len(state.seen.scores), 0.46
    places = np.arange(1, T + 1)
    for i, (name, strip) in enumerate(seen.strips.items()):
        read = (places > T - t) if name == "h ←" else (places <= t)
        values = np.where(read | (t == 0), strip, 0)[::-1]
        values = values.repeat(ceil(PIXELS / p.hidden), axis=0).repeat(ceil(PIXELS / T), axis=1)
        scale = "sequential" if name in GATES else "diverging"
        strips.field(values, (0.5, T + 0.5), (-i - half, -i + half), scale=scale, smooth=False)
    direction, unit = divmod(seen.unit, p.hidden)
    tall = 2 * half / p.hidden
    top = half - direction - unit * tall
    strips.frame((0.5, T + 0.5), (top - tall, top), INK, 1)


def draw_scores(scores: Panel, p: Params, seen: Reading, data: Examples, there: np.ndarray, asked: np.ndarray) -> None:
    """The answer at every step, filled where one is asked for; on pointing, how the watched unit got its value."""
    if p.task != "adding":
        scores.level(1 / p.symbols, name="chance")
    colour, T = COLOURS[p.cell], len(seen.scores)
    for i, value in enumerate(seen.scores):
        if there[i] and (asked[i] or p.task in ("recall", "adding")):
            scores.block((i + 0.6, i + 1.4), (0, value), colour if asked[i] else PAPER, edge=colour)
    middle = 0.5 * (float(seen.scores.max()) if p.task == "adding" else 1)
    letters = written(p, data)
    told = [f"{t} reads {letters[t - 1]}: {arithmetic(p, seen, t)}" for t in range(1, T + 1)]
    scores.hover(np.arange(1, T + 1), np.full(T, middle), told)
