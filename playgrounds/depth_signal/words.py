"""How signal and gradient in deep nets are told."""

import numpy as np

from playgrounds.depth_signal import model
from playgrounds.depth_signal.model import Down, Kind, Params, State, Trained, Up
from playgrounds.kit.words import number


def initialization(kind: Kind) -> str:
    return f"{number(kind.gain)} × {kind.init}" if kind.gain != 1 else kind.init


def names(p: Params) -> list[str]:
    return [f"{kind.activation} + {initialization(kind)}" for kind in p.compared]


def note_up(p: Params, state: State, passed: Up) -> str:
    """Of the first compared net: what weights and activation have multiplied the mean square by."""
    activation = p.activation[0]
    said = [number(one) for one in np.median(state.signal[:, :, -1], axis=1)]
    zeros = f" (0 for {passed.zeros:.0%} of the values)"
    spread = f" (it differs by {number(passed.spread)} between examples)"
    what = {"ReLU": zeros, "sigmoid": spread}.get(activation, "")
    return (
        f"Layer {state.step}, {names(p)[0]}: mean square of the activations {said[0]}. The weights multiplied that of "
        f"layer {state.step - 1} by {number(passed.by_weights)}, {activation}{what} by "
        f"{number(passed.by_activation)}.{others(p, said)}"
    )


def note_down(p: Params, state: State, passed: Down) -> str:
    """Of the first compared net: the gradient in this layer, beside the last layer's and the one above."""
    layer, gradients = passed.layer, state.gradients
    size = f"Back in layer {layer}, {names(p)[0]}: {p.gradient} is {number(gradients[0, layer - 1])} in size"
    if layer == p.depth:
        return f"{size}, at a loss of {number(state.losses[0])}. The layers below are compared with this one."
    ratios = [number(one) for one in gradients[:, layer - 1] / np.maximum(gradients[:, -1], model.TINY)]
    via = (
        f" Weights and slopes of size {number(passed.slope)} have multiplied the error dL/dz of layer {layer + 1} by "
        f"{number(passed.factor)}."
    )
    if layer == 1 and p.train and not p.trains:
        via = f" Not trained: {p.weights:,} weights are more than {model.MOST_WEIGHTS:,}. Take fewer units or layers."
    return f"{size}, {ratios[0]} of the last layer's.{via}{others(p, ratios)}"


def note_training(p: Params, state: State, done: Trained) -> str:
    """Of the first compared net: loss, accuracy and how far its first and last layer have moved."""
    if done.diverged:
        return (
            f"Training step {done.steps}: a loss or a weight is no longer a finite number, the run diverged. "
            f"η = {p.rate:g} is too large: choose a smaller one."
        )
    moved = [number(by) for by in state.moved[:, 0]]
    said = [f"loss {number(loss)}, layer 1 by {by}" for loss, by in zip(state.losses, moved, strict=True)]
    return (
        f"Training step {done.steps}, {names(p)[0]}: loss {number(state.losses[0])}, {done.right[0]:.0%} of the "
        f"examples right; layer 1 has moved by {moved[0]} of its size, layer {p.depth} by {number(state.moved[0, -1])}."
        f"{others(p, said)}"
    )


def others(p: Params, said: list[str]) -> str:
    """What is said of the compared nets, the first left out, as one more sentence."""
    texts = [f"{name}: {text}" for name, text in zip(names(p), said, strict=True)][1:]
    return f" By comparison, {'; '.join(texts)}." if texts else ""
