"""How the training of two nets and their writing are told and drawn."""

from collections.abc import Sequence

import numpy as np

from playgrounds.kit import fails, works
from playgrounds.kit.axes import names, share, span, ticked
from playgrounds.kit.palette import INK, RED
from playgrounds.kit.picture import Picture
from playgrounds.kit.training import kept
from playgrounds.kit.words import counted, number, percent
from playgrounds.seq2seq.diagram import ATTENTION, PLAIN, draw_attention, draw_plain, net_panel
from playgrounds.seq2seq.model import ALPHABET, LONGEST, STATES, Params, State, needed

PRESETS = (
    works(
        "Twice as long",
        "At 24 letters one vector is far too small, and attention does not notice the length.",
        {"attention_accuracy": ">= 0.98", "plain_accuracy": "<= 0.4"},
        longest=24,
        steps=200,
        text="beheadedbadge",
    ),
    works(
        "Asked by the decoder's state",
        "Better than plain wherever that fails, though no anti-diagonal appears.",
        {
            "attention_short": ">= 0.95",
            "attention_accuracy": ">= 0.5",
            "plain_accuracy": "<= 0.5",
            "aligned": "<= 0.4",
        },
        queries="decoder state",
    ),
    fails(
        "A vector of six",
        "The bottleneck made narrower: the plain net fails on four letters already.",
        {"plain_short": "<= 0.7", "attention_accuracy": ">= 0.99"},
        hidden=6,
    ),
    fails(
        "Sorting by position",
        "Which letter comes next depends on the letters; these queries know positions only.",
        {"attention_accuracy": "<= 0.5", "plain_accuracy": ">= 0.6"},
        task="sort",
    ),
)

NETS = ("plain", "attention")
COLOURS = (PLAIN, ATTENTION)


def rounded(part: float) -> str:
    """A share in percent; what is not all is not written as all."""
    return percent(part, 2 if part < 0.995 else 3)


def chance(p: float) -> str:
    """A probability or a weight; what is not 1 is not written as 1."""
    return f"= {number(p, 2)}" if p < 0.995 or p == 1 else "> 0.99"


def note(p: Params, states: Sequence[State], now: int) -> str:
    """What the nets have learned, or what they write at this place."""
    state = states[now]
    if now >= len(kept(p.steps, STATES)):
        return writing_note(p, state)
    if state.plain_loss is None or state.attention_loss is None:
        return start_note(p, state)
    return training_note(p, state, state.plain_loss, state.attention_loss)


def start_note(p: Params, now: State) -> str:
    """What untrained nets do, and what had to be changed in the reader's sequence."""
    said = (
        f"Before training both nets guess: {rounded(now.plain_accuracy)} (plain) and {rounded(now.attention_accuracy)} "
        f"(attention) of the letters are right, with {p.letters} to choose from, and every row of α spreads over all "
        f"{len(now.weights)} letters."
    )
    alphabet = f"{ALPHABET[0]} to {ALPHABET[p.letters - 1]}"
    gone = sum(c not in ALPHABET[: p.letters] for c in p.text.lower())
    if gone == len(p.text):
        return f"{said} Your sequence has none of the letters {alphabet}, so an example stands in for it."
    if gone:
        return f"{said} Of your sequence {counted(gone, 'character')} had to go: the vocabulary is {alphabet}."
    if len(p.text) > LONGEST:
        return f"{said} Your sequence has {len(p.text)} letters, and only the first {LONGEST} are taken."
    if len(p.typed) > p.longest:
        return f"{said} Your sequence has {len(p.typed)} letters, those in training have up to {p.longest}."
    return said


def training_note(p: Params, now: State, plain: float, attention: float) -> str:
    """Losses of this step, accuracy on new sequences, and where attention looks."""
    losses = f"loss {number(plain)} plain, {number(attention)} with attention"
    right = f"{rounded(now.plain_accuracy)} (plain) and {rounded(now.attention_accuracy)} (attention)"
    return (
        f"Step {now.trained}, on sequences of {now.batch}: {losses}. At length {p.longest}, {right} of new letters are "
        f"right. {rounded(now.aligned)} of the rows of α have their largest weight where the needed letter stands; the "
        f"largest is {number(now.largest_weight, 2)} on average and never 1."
    )


def writing_note(p: Params, now: State) -> str:
    """Where the query of the letter just written looks, and what both nets make of it."""
    t, own = now.written - 1, np.array(p.typed)
    place, most = int(needed(p.task, own[:, None])[t, 0]), int(now.weights[t].argmax())
    due = ALPHABET[own[place]]
    looks = f"the query looks most at the {ALPHABET[own[most]]} at place {most + 1} (α {chance(now.weights[t, most])})"
    if most != place:
        looks += f", and at the needed {due} at place {place + 1} with α {chance(now.weights[t, place])}"
    said = []
    for name, probs in (("attention", now.probs[1, t]), ("the plain net", now.probs[0, t])):
        letter = int(probs.argmax())
        verdict = "right" if letter == own[place] else f"but {due} was due (p {chance(probs[own[place]])})"
        said.append(f"{name} writes {ALPHABET[letter]} (p {chance(probs[letter])}), {verdict}")
    letter_note = f"Letter {t + 1} of {len(own)}: {looks}; {'; '.join(said)}."
    if now.written < len(own):
        return letter_note
    short = f"{rounded(now.plain_short)} and {rounded(now.attention_short)} right at length {p.short}"
    long = f"{rounded(now.plain_accuracy)} and {rounded(now.attention_accuracy)} at {p.longest}"
    return f"{letter_note} New sequences, plain and attention: {short}, {long}: {why(p, now)}."


def why(p: Params, now: State) -> str:
    """What the accuracies come from."""
    if now.attention_accuracy - now.plain_accuracy > 0.05:
        return f"the plain net's decoder gets one vector of {p.hidden} numbers for any length"
    if p.queries == "position" and p.task == "sort":
        return "queries that know a position cannot look for a letter"
    return "attention gains nothing here"


def draw(p: Params, states: Sequence[State], now: int) -> Picture:
    """Both nets on the reader's sequence; accuracy by length; on demand the weights, and accuracy by training step."""
    state, end = states[now], states[-1]
    is_writing = now >= len(kept(p.steps, STATES))
    by_length = span(0.6, 1.02 * p.longest + 0.2, "letters of a new sequence", 7)
    by_step = ticked(0, 1.02 * p.steps, [0, p.steps // 2, p.steps], title="step")
    pic = Picture(480, *3 * ["vector weights"], "lengths lengths", details=("map steps",), detail_height=300)
    vector = net_panel(pic, p, "vector", f"Plain: one vector of {counted(p.hidden, 'number')}")
    weights = net_panel(pic, p, "weights", "Attention: thickness is weight")
    lengths = pic.panel("lengths", "Letters right", by_length, share(high=1.1), tall=150)

    for panel in (vector, weights):
        panel.key("━", "wrong", RED)
    draw_plain(vector, p, state, is_writing)
    draw_attention(weights, p, state, is_writing)
    for i, (name, colour) in enumerate(zip(NETS, COLOURS, strict=True)):
        told = "%{y:.0%} in the end at length %{x}"
        lengths.curve(p.tested, end.curves[i], "", colour, dash="dot", width=1.5, opacity=0.4, hover=told, later=True)
        lengths.beads(p.tested, state.curves[i], colour, 10)
        lengths.key("━", name, colour)
    draw_map(pic, p, state, is_writing)
    steps = pic.panel("steps", f"Letters right at length {p.longest}, by step", by_step, share(high=1.06), tall=200)
    trained = {s.trained: s.curves[:, -1] for s in states}
    for i, (name, colour) in enumerate(zip(NETS, COLOURS, strict=True)):
        right = [both[i] for both in trained.values()]
        steps.curve([*trained], right, name, colour, key=False, hover="%{y:.0%} at step %{x}")
    steps.level(1 / p.letters, name="chance")
    pic.cursor(state.trained, steps)
    return pic


def draw_map(pic: Picture, p: Params, state: State, is_writing: bool) -> None:
    """The weights of the rows written so far, with the needed letter of each row framed."""
    own = np.array(p.typed)
    places = needed(p.task, own[:, None])[:, 0]
    every = 1 if len(own) <= 14 else 2
    rows = names([ALPHABET[c] for c in own[places]], down=True, every=every)
    panel = pic.panel(
        "map", "Weights α: output ↓ input →", names([ALPHABET[c] for c in own], every=every), rows, tall=300
    )
    n = len(own)
    there = np.arange(n)[:, None] < state.written
    hovers = score_texts(state) + [["not written yet"] * n] * (n - state.written)
    panel.table(np.where(there, state.weights, 0), scale="sequential", hovers=hovers)
    for t, cell in enumerate(places):
        panel.frame((cell - 0.5, cell + 0.5), (-t - 0.5, -t + 0.5), COLOURS[1], 1)
    if is_writing:
        panel.frame(panel.x["range"], (0.5 - state.written, 1.5 - state.written), INK, 2)


def score_texts(state: State) -> list[list[str]]:
    """How every weight of the rows written was computed."""
    texts = []
    for scores, weights in zip(state.scores[: state.written], state.weights, strict=False):
        total = number(np.exp(scores.astype(float)).sum(), 2)
        told = [f"exp({number(q, 2)}) / {total} = {number(a, 2)}" for q, a in zip(scores, weights, strict=True)]
        texts.append([f"exp(q·k/√d) / sum: {one}" for one in told])
    return texts
