"""How the comparison of plain and residual nets is told and drawn."""

from collections.abc import Sequence

import numpy as np

from playgrounds.kit import fails, works
from playgrounds.kit.axes import log, span, steps, ticked
from playgrounds.kit.palette import MUTED
from playgrounds.kit.picture import Picture
from playgrounds.kit.words import counted, number
from playgrounds.residual.diagram import COLOURS, draw_blocks
from playgrounds.residual.model import KINDS, TINY, Params, State

PRESETS = (
    works(
        "64 layers with shortcuts",
        "Each block adds a correction to what passes by, and 64 layers train as well as 8.",
        {"residual_error": "<= 0.01", "residual_gradient": "<= 2"},
        depths=(8, 64),
    ),
    works(
        "A block removed",
        "Without block 14 the residual nets still do well, for it only added a correction; plain nets lose what they "
        "had.",
        {"residual_without_block": "<= 0.03", "plain_without_block": ">= 0.2"},
        depths=(64,),
        off=14,
    ),
    fails(
        "Plain tanh layers",
        "Without shortcuts 64 layers hardly learn the very points they are trained on, which is not overfitting.",
        {"plain_error": ">= 0.3"},
        depths=(8, 64),
        activation="tanh",
        steps=100,
    ),
    fails(
        "Branches start at random",
        "Every block adds as much as it gets, so signals and gradients grow from block to block, and 64 layers start "
        "from chaos.",
        {"residual_error": ">= 0.2", "residual_gradient": ">= 100"},
        depths=(8, 64),
        branch="random",
        steps=100,
    ),
)


def note(p: Params, states: Sequence[State], now: int) -> str:
    """What the nets of one depth have come to after so many updates; at the end what depth does."""
    state = states[now]
    if state.diverged:
        return (
            f"{state.depth} layers, step {state.update}: diverged. The training error of a "
            f"{' and a '.join(state.diverged)} net is no longer a finite number, as the learning rate {number(p.rate)} "
            "is too large for so many layers: choose a smaller one."
        )
    if state.update is None:
        return conclusion(sorted(p.order), state)
    nets = f"medians of {p.nets} nets" if p.nets > 1 else "one net of each kind"
    if state.update == 0 and state.depth == p.depth:
        return (
            f"Before training, {p.depth} layers: {p.parameters:,} parameters, with shortcuts or without. From the last "
            f"block back to the first the gradient is multiplied by {number(state.plain_gradient)} in the plain net "
            f"and by {number(state.residual_gradient)} in the residual one ({nets})."
        )
    said = (
        f"{state.depth} layers, step {state.update} of {p.steps}: training error {number(state.plain_error)} plain, "
        f"{number(state.residual_error)} residual; test error {number(state.plain_test_error)} plain, "
        f"{number(state.residual_test_error)} residual ({nets})."
    )
    if state.depth != p.depth or state.update < p.steps:
        return said
    if p.off > p.depth // 2:
        return f"{said} There is no block {p.off} to remove: {p.depth} layers are {counted(p.depth // 2, 'block')}."
    if p.off:
        which, plain, residual = f"block {p.off}", state.plain_without_block, state.residual_without_block
    else:
        which = "any one block"
        plain, residual = np.median(np.median(state.blocks.without, axis=1), axis=1)
    removed = f"Without {which} the training error is {number(plain)} plain, {number(residual)} residual"
    return f"{said} {removed}; guessing the mean gives {number(state.variance)}."


def conclusion(depths: list[int], end: State) -> str:
    """Whether the deepest plain nets are worse than shallower ones, and where."""
    if len(depths) == 1:
        return f"Only nets of {depths[0]} layers were trained: compare more depths to see what depth does."
    (plain, test), (residual, _) = np.median(end.errors, axis=2)
    best, last = int(plain[:-1].argmin()), depths[-1]
    span = f"from {depths[best]} to {last} layers: training error {number(plain[best])} to {number(plain[-1])}"
    shortcuts = f"With shortcuts {last} layers reach {number(residual[-1])}."
    if plain[-1] < 2 * plain[best]:
        return f"The plain nets do not degrade {span}. {shortcuts}"
    return (
        f"The plain nets degrade {span}, test error {number(test[best])} to {number(test[-1])}. They are worse on the "
        f"very points they train on, so this is not overfitting. {shortcuts}"
    )


def draw(p: Params, states: Sequence[State], now: int) -> Picture:
    """The blocks with what each changes and the gradient on its way back; error by depth and, of one depth, by step."""
    state, end = states[now], states[-1]
    trained = np.isfinite(end.errors[0, 0, 0])
    depths, errors = np.array(sorted(p.order))[trained], end.errors[..., trained]
    updates, curve = np.concatenate([s.updates for s in states]), np.concatenate([s.curve for s in states])
    done = sum(len(s.updates) for s in states[: now + 1]) - 1
    whole = np.median(curve[-1], axis=1)  # error with all blocks
    gradient, change, without = (np.median(values, axis=1) for values in end.blocks)
    most = min(3, np.nanmax([*without.flat, *whole]))  # a net without a block may be anywhere
    seen = [*errors.flat, *(s.plain_error for s in states), *(s.residual_error for s in states)]

    pic = Picture(490, "blocks blocks", "depth step", details=("without gradient change",))
    draw_blocks(pic, p, state)
    layers = ticked(0.2, 1.9, [2, 4, 8, 16, 32, 64], title="layers") | {"type": "log"}
    block = span(0.5, p.depth // 2 + 0.5, "block")
    by_depth = pic.panel("depth", "Error by depth", layers, log(seen, margin=0.25, highest=10), tall=160)
    by_step = pic.panel("step", f"Training error, {p.depth} layers", steps(p.steps, "step"), log(curve), tall=140)
    use = pic.panel("without", "Error without one block", block, span(-0.05 * most, 1.1 * most))
    slopes = pic.panel("gradient", "Gradient before training", block, log(gradient, "", 0.2, 1e-5, 1e5))
    moved = pic.panel("change", "Change of x in a block", block, log(change, "", 0.2, 1e-5, 1e5))

    for i, kind in enumerate(KINDS):
        colour = COLOURS[kind]
        training, test = np.median(errors[i], axis=1)
        single = np.pad(curve[:, i], ((0, 1), (0, 0)), constant_values=np.nan)  # a gap after each net
        at = state.plain_error if kind == "plain" else state.residual_error
        by_depth.curve(depths, training, kind, colour, hover="training error %{y:.3g}", later=True)
        by_depth.curve(depths, test, "", colour, dash="dot", hover="test error %{y:.3g}", later=True)
        every_net = np.tile(depths, p.nets), errors[i, 0].ravel()
        by_depth.points(*every_net, "", colour, size=6, opacity=0.4, hover="", later=True)
        by_depth.dot(state.depth, max(at, TINY), colour)
        by_step.curve(np.tile([*updates, np.nan], p.nets), single.T.ravel(), "", colour, width=1, opacity=0.4, hover="")
        by_step.curve(updates, np.median(curve[:, i], axis=1), "", colour, hover="")
        use.curve([0.5, p.depth // 2 + 0.5], [whole[i]] * 2, "", colour, dash="dot", width=1.5, hover="", later=True)
        for panel, values in ((use, without), (slopes, gradient), (moved, change)):
            panel.curve(
                np.arange(1, p.depth // 2 + 1),
                values[i],
                "",
                colour,
                hover="block %{x}: %{y:.3g}",
                mode="lines+markers",
                marker={"size": 6},
                later=True,
            )
    by_depth.key("┄", "test", MUTED)
    use.key("┄", "with all", MUTED)
    pic.cursor(updates[done], by_step)
    if 0 < p.off <= p.depth // 2:
        use.cursor(p.off)
    return pic
