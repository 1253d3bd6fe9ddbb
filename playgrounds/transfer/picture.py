"""How the transfer of weights to a second task is told and drawn."""

from collections.abc import Sequence
from itertools import pairwise

import numpy as np

from playgrounds._tasks import TASKS
from playgrounds.kit import fails, works
from playgrounds.kit.axes import bare, share, steps, ticked
from playgrounds.kit.palette import INK, MUTED, SERIES
from playgrounds.kit.picture import Panel, Picture
from playgrounds.transfer.diagram import COLOURS, draw_nets
from playgrounds.transfer.model import HIDDEN, LABELS, Other, Params, Source, State, Target, plan

PRESETS = (
    works(
        "Related tasks",
        "Both tasks need the same few directions, so a new head on frozen features needs only 16 labels.",
        {"frozen_accuracy": ">= 0.85", "scratch_accuracy": "<= 0.7"},
        repeats=3,
        source_steps=400,
    ),
    works(
        "Head first",
        "With the new head trained alone first, a tiny rate is enough and keeps what was learned; a random head gets "
        "nowhere at it.",
        {"head_first_accuracy": ">= 0.85", "fine_tuned_accuracy": "<= 0.7"},
        methods=("fine-tuned", "head first"),
        rate=0.00001,
        repeats=3,
        source_steps=400,
    ),
    fails(
        "Unrelated tasks",
        "The target lies at right angles to all that the source needs, and the frozen features are no better than a "
        "coin.",
        {"frozen_accuracy": "<= 0.56", "source_accuracy": ">= 0.9"},
        angle=90,
        repeats=3,
        source_steps=400,
    ),
    fails(
        "Digits, other digits",
        "What tells 0 to 4 apart does not tell 5 to 9 apart: the net from scratch wins.",
        {"scratch_accuracy": ">= 0.84", "frozen_accuracy": "<= 0.75"},
        task="digits",
        repeats=3,
    ),
)


def note(p: Params, states: Sequence[State], now: int) -> str:
    """How far which training is; at the end which method is ahead."""
    state = states[now]
    if isinstance(state.about, Source):
        return note_source(p, state, state.about)
    if isinstance(state.about, Target):
        return note_target(p, state, state.about)
    if isinstance(state.about, Other):
        done = state.about
        said = ", ".join(f"{m} {value:.0%}" for m, value in zip(p.methods, done.accuracy, strict=True))
        return f"{done.labels} labels, repetition {done.repetition} of {p.repeats}: test accuracy {said}."
    return conclusion(p, state.accuracies.mean(axis=2))


def note_source(p: Params, state: State, about: Source) -> str:
    """How good the net is at the source task, and where its first layer looks."""
    task = TASKS[p.task]
    n, k, one = task.inputs, task.source_needs, task.target_needs
    said = (
        f"{state.source_share:.0%} of the first layer's squared weight is in the {k} of {n} input directions that "
        f"the source task needs, {state.target_share:.0%} in the {one if one > 1 else 'one'} that the target needs"
    )
    if not state.source_step:
        said = f"{said}, about what chance gives ({k} / {n} and {one} / {n})."
        begun = f"Before pre-training the net is right on {state.source_accuracy:.0%} of new source examples, a guess"
        return f"{begun if p.source else 'No pre-training, the backbone stays random'}: {said}"
    return (
        f"Pre-training, step {state.source_step} of {p.source_steps}: right on {about.fit:.0%} of the "
        f"{about.examples:,} source examples and on {state.source_accuracy:.0%} of new ones; {said}."
    )


def note_target(p: Params, state: State, about: Target) -> str:
    """What each method has reached with the chosen labels, and how far fine-tuning has gone."""
    test = state.accuracies[:, p.sizes.index(p.labels)].mean(axis=1)
    found = ", ".join(f"{m} {new:.0%} ({own:.0%})" for m, new, own in zip(p.methods, test, about.fit, strict=True))
    moved = ""
    if state.layer_1_change is not None:
        one, two = (f"{100 * value:.3g}%" for value in (state.layer_1_change, state.layer_2_change))
        moved = f" Fine-tuning has moved layer 1 by {one} and layer 2 by {two} of its size."
    means = f"means of {p.repeats} repetitions" if p.repeats > 1 else "one repetition"
    return (
        f"{p.labels} target labels, step {state.target_step} of {p.steps}: accuracy on new examples (on its own "
        f"labels) {found}; {means}.{moved}"
    )


def conclusion(p: Params, means: np.ndarray) -> str:
    """Which method is ahead at how many labels, and whether pre-training has paid at the chosen number."""
    best = [p.methods[i] for i in means.argmax(axis=0)]
    ahead = {m: ", ".join(str(n) for n, b in zip(p.sizes, best, strict=True) if b == m) for m in dict.fromkeys(best)}
    own = dict(zip(p.methods, means[:, p.sizes.index(p.labels)].tolist(), strict=True))
    by_size = "; ".join(f"{m} at {sizes}" for m, sizes in ahead.items())
    by_method = ", ".join(f"{m} {value:.0%}" for m, value in own.items())
    verdict = ""
    if "scratch" in own and len(own) > 1:
        gain = max(v for m, v in own.items() if m != "scratch") - own["scratch"]
        verdict = f": pre-training {'helps' if gain > 0 else 'hurts' if gain < 0 else 'changes nothing'}"
    return f"Best by number of labels: {by_size}. With {p.labels} labels {by_method}{verdict}."


def draw(p: Params, states: Sequence[State], now: int) -> Picture:
    """The nets and what they are made of; accuracy by labels; in the details accuracies by step and the first layer."""
    state, end = states[now], states[-1]
    chance = 1 / TASKS[p.task].classes
    layout = "nets nets nets accuracy accuracy"
    pic = Picture(400, layout, details=("source target", "first first"), detail_height=260)
    draw_nets(pic, p, state)
    numbers = ticked(1.7, 8.3, np.log2(LABELS), LABELS, title="target labels")
    by_labels = pic.panel("accuracy", "Right on new examples", numbers, share(high=1.02, low=chance - 0.08))
    by_labels.level(chance, MUTED, name="guessing")
    pic.on_phone(by_labels, x={"tickangle": 0})
    for i, method in enumerate(p.methods):
        draw_accuracies(by_labels, p, state, end, i, SERIES[COLOURS[method]])
    draw_source(pic, p, states, state)
    draw_target(pic, p, states, state)
    first = pic.panel("first", first_title(p), bare(0, 1), bare(0, 1), square=p.task == "digits")
    first.field(first_layer(p, state.first), (0, 1), (0, 1), smooth=False)
    draw_parameters(pic, p)
    return pic


def draw_accuracies(panel: Panel, p: Params, state: State, end: State, i: int, colour: str) -> None:
    """One method's accuracy by labels: every net, the mean, and where the film is."""
    n, spots = len(p.methods), np.log2(p.sizes)
    every, done = (np.ma.masked_invalid(s.accuracies[i]).mean(axis=1).filled(np.nan) for s in (end, state))
    aside = 0.07 * (i - n / 2 + 0.5)
    around = np.repeat(spots, p.repeats) + aside
    panel.points(around, end.accuracies[i].ravel(), "", colour, size=5, opacity=0.35, hover="", later=True)
    panel.curve(spots, every, "", colour, hover=f"%{{y:.1%}}<extra>{p.methods[i]}</extra>", later=True)
    for x, y in zip(spots, done, strict=True):
        if np.isfinite(y):
            panel.dot(x, y, colour, 12)


def draw_source(pic: Picture, p: Params, states: Sequence[State], state: State) -> None:
    """How good the net is at the source, and where the weight of its first layer is."""
    panel = pic.panel("source", "Source", steps(p.source_steps, "step"), share(high=1.02) | {"nticks": 4})
    there = [s for s in states if isinstance(s.about, Source)]
    x, hover = [s.source_step for s in there], "%{y:.1%} at step %{x}"
    panel.curve(x, [s.source_accuracy for s in there], "right", INK, hover=hover)
    panel.curve(x, [s.source_share for s in there], "weight for it", INK, dash="dot", hover=hover)
    panel.curve(x, [s.target_share for s in there], "for target", MUTED, dash="dot", hover=hover)
    pic.cursor(state.source_step, panel)


def draw_target(pic: Picture, p: Params, states: Sequence[State], state: State) -> None:
    """Every method's accuracy by step, with the chosen number of labels."""
    title = f"Target, {p.labels} labels"
    panel = pic.panel("target", title, steps(p.steps, "step"), share(high=1.02) | {"nticks": 4})
    during = [s for s in states if isinstance(s.about, Target)]
    column = p.sizes.index(p.labels)
    for i, method in enumerate(p.methods):
        values = [s.accuracies[i, column].mean() for s in during]
        colour = SERIES[COLOURS[method]]
        panel.curve([s.target_step for s in during], values, "", colour, hover="%{y:.1%} at step %{x}")
    pic.cursor(state.target_step, panel)


def first_title(p: Params) -> str:
    return "First layer, useful inputs on top" if p.task == "subspace" else "First layer, a picture per unit"


def first_layer(p: Params, first: np.ndarray) -> np.ndarray:
    """The picture of the first layer's weights (inputs, units), lowest row first; 0.4 has the full colour."""
    if p.task == "digits":  # 8 x 8 units of 8 x 8 pixels, with gaps
        units = first.reshape(8, 8, 8, 8).transpose(2, 0, 3, 1)
        first = np.pad(units, ((0, 0), (0, 1)) * 2).reshape(72, 72)[:71, :71]
    return first[::-1] / 0.4


def resnet18(classes: int) -> list[int]:
    """Parameters of the layers of ResNet-18 (He et al. 2016), a convolution with its batch norm each; last the head."""
    counts, m = [7 * 7 * 3 * 64 + 2 * 64], 64
    for n in (64, 128, 256, 512):
        counts += [9 * fan * n + 2 * n for fan in (m, n, n, n)]  # two blocks of two 3 x 3 convolutions
        counts += [m * n + 2 * n] if m != n else []  # 1 x 1 in the shortcut
        m = n
    return [*counts, (m + 1) * classes]


def draw_parameters(pic: Picture, p: Params) -> None:
    """How many parameters each method trains, and how many a frozen ResNet-18 would."""
    task, large = TASKS[p.task], resnet18(10)
    net = [(m + 1) * n for m, n in pairwise((task.inputs, *HIDDEN, task.classes))]
    own = [f"{sum(net[plan(p, method)[-1].frozen :]):,}" for method in p.methods]
    subs = [*(f"{method}, of {sum(net):,}" for method in p.methods), f"frozen ResNet-18, of {sum(large):,}"]
    title = "Parameters trained on the target; ResNet-18 with 10 classes for comparison"
    pic.chips(title, [*own, f"{large[-1]:,}"], [*(COLOURS[method] for method in p.methods), None], subs)
