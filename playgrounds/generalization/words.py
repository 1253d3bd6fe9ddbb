"""What an epoch is told as: both losses, what early stopping keeps, what dropout has switched off."""

from collections.abc import Sequence

from playgrounds.generalization.model import HELD_OUT, PASSES, Params, State
from playgrounds.kit.words import counted, number


def note(p: Params, states: Sequence[State], now: int) -> str:
    """What the losses are at this epoch, and what each regularizer has to do with it."""
    state = states[now]
    if state.loss is None:
        _, y, *_ = state.points
        return (
            f"Too few points: {(y == 0).sum()} blue and {(y == 1).sum()} orange. Put at least {HELD_OUT} of each "
            "colour into the plane; every fourth of a colour is held out for validation."
        )
    said = []
    if p.dropout and state.step:
        off = round(float(p.width - state.masks[0].sum()))
        said.append(f"For this step {off} of {p.width} units of layer 1 were off, others will be off in the next.")
    said.append(f"{losses(p, state)}.")
    if p.data != "moons" or p.flipped:
        n, held = len(state.points[1]), len(state.points[3])
        right = f"{round(state.accuracy * n)} of {n} training labels"
        others = f"{round(state.validation_accuracy * held):,} of {held:,} validation labels"
        said.append(f"Right: {right}, {others}, {100 * state.validation_accuracy:.1f} %.")
    lowest = number(state.checkpoint_loss)
    if state.stop is not None:
        waited = state.stop - state.checkpoint_epoch
        ended = f"Early stopping ended at epoch {state.stop}, {waited} after the lowest"
        said.append(f"{ended}: it returns epoch {state.checkpoint_epoch}, validation loss {lowest}.")
    elif state.step > state.checkpoint_epoch:
        since = counted(state.step - state.checkpoint_epoch, "epoch")
        said.append(f"The lowest was {lowest}, {since} ago; patience ends at {p.patience}.")
    if p.dropout and state.step:
        mode = f"{number(state.cloud.mean())} ± {number(state.spread)} in {PASSES} passes of training mode"
        where = "at ◎" if p.data != "random" else "of a training point"
        said.append(f"Log-odds {where}: {mode}, {number(state.evaluation[0])} in evaluation.")
    return " ".join(said)


def losses(p: Params, state: State) -> str:
    """Training and validation loss, beside those of the net without regularizers."""
    loss, validation_loss = number(state.loss), number(state.validation_loss)
    if state.step and state.plain:
        loss += f" (without {number(state.plain.loss)})"
        validation_loss += f" (without {number(state.plain.validation_loss)})"
    when = f"Epoch {state.step}{f', with {strengths(p)}' if state.plain else ''}" if state.step else "Before training"
    return f"{when}: training loss {loss}, validation loss {validation_loss}"


def strengths(p: Params) -> str:
    """The regularizers that are on: L2 0.02 and dropout 0.5."""
    on = (("L2", p.l2), ("dropout", p.dropout), ("augmentation", p.jitter))
    return " and ".join(f"{name} {number(value)}" for name, value in on if value)
