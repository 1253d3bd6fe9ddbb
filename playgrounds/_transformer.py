"""A Transformer of encoder and decoder stacks, in torch: shapes, first weights, and the way of vectors through it.

Weights are a dict of tensors under the names of torch's own layers, so that each part can be left out or compared.
"""

from collections import Counter
from math import prod, sqrt
from typing import Any, NamedTuple

import numpy as np

PARTS = ("attention", "feed-forward", "residuals", "layer norm", "positions", "causal mask")
GROUPS = {  # a word in a weight's name, and the part of the net that it belongs to
    "characters": "characters",
    "positions": "positions",
    "self_attn": "self-attention",
    "linear": "feed-forward",
    "multihead_attn": "cross-attention",
    "norm": "layer norms",
    "head": "head",
}

Tensor = Any  # torch's; it is imported where it is needed
Weights = dict[str, Tensor]
Shapes = dict[str, tuple[int, ...]]


class Architecture(NamedTuple):
    """What decides the shapes of the weights, and what is done with them."""

    parts: tuple[str, ...]
    layers: int
    heads: int
    width: int  # d, of the vector of a token
    stacks: tuple[str, ...] = ("decoder",)
    vocabulary: int = 0  # characters; 0: the stacks alone, without vectors of characters and without a head
    context: int = 0  # T, characters that are read at most


# ------------------------------------------------------------------------------------------------ the way through


def attend(w: Weights, name: str, x: Tensor, memory: Tensor, heads: int, causal: bool) -> tuple[Tensor, Tensor]:
    """softmax(Q Kᵀ / √d_k) V for all heads (Vaswani et al. 2017); Q from x (batch, n, d), K and V from the memory.

    Returns the output (batch, n, d) and the attention weights (batch, heads, n, m).
    """
    import torch
    from torch.nn.functional import linear

    W_q, W_k, W_v = w[f"{name}.in_proj_weight"].chunk(3)
    b_q, b_k, b_v = w[f"{name}.in_proj_bias"].chunk(3)
    q = linear(x, W_q, b_q).unflatten(-1, (heads, -1)).transpose(1, 2)  # (batch, heads, n, d_k)
    k = linear(memory, W_k, b_k).unflatten(-1, (heads, -1)).transpose(1, 2)
    v = linear(memory, W_v, b_v).unflatten(-1, (heads, -1)).transpose(1, 2)
    scores = q @ k.transpose(-2, -1) / sqrt(q.shape[-1])
    if causal:  # exp(−∞) = 0: a later token gets no weight at all
        scores = scores.masked_fill(torch.ones(scores.shape[-2:], dtype=torch.bool).triu(1), -torch.inf)
    attention = scores.softmax(-1)
    mixed = (attention @ v).transpose(1, 2).flatten(2)
    return linear(mixed, w[f"{name}.out_proj.weight"], w[f"{name}.out_proj.bias"]), attention


def feed_forward(w: Weights, name: str, x: Tensor) -> Tensor:
    """W₂ ReLU(W₁ x + b₁) + b₂, for every token alone."""
    from torch.nn.functional import linear

    h = linear(x, w[f"{name}.linear1.weight"], w[f"{name}.linear1.bias"]).relu()
    return linear(h, w[f"{name}.linear2.weight"], w[f"{name}.linear2.bias"])


def normalized(w: Weights, name: str, x: Tensor) -> Tensor:
    """Layer normalization, if the net has it."""
    from torch.nn.functional import layer_norm

    if f"{name}.weight" not in w:
        return x
    return layer_norm(x, x.shape[-1:], w[f"{name}.weight"], w[f"{name}.bias"])


def through(
    net: Architecture, w: Weights, stack: str, x: Tensor, memory: Tensor | None = None
) -> tuple[Tensor, list[Tensor]]:
    """x (batch, n, d) through all layers of a stack: x ← x + Sublayer(LayerNorm(x)), and a LayerNorm at the end.

    memory: what the encoder has made of its input, (batch, m, d). Returns the outputs (batch, n, d) and the weights of
    every attention.
    """
    causal = stack == "decoder" and "causal mask" in net.parts
    maps = []
    for layer in range(net.layers):
        for i, sublayer in enumerate(sublayers(net, cross=memory is not None), start=1):
            h = normalized(w, f"{stack}.{layer}.norm{i}", x)
            name = f"{stack}.{layer}.{sublayer}"
            if sublayer == "self_attn":
                y, attention = attend(w, name, h, h, net.heads, causal)
                maps.append(attention)
            elif sublayer == "multihead_attn":
                y, attention = attend(w, name, h, memory, net.heads, causal=False)
                maps.append(attention)
            else:
                y = feed_forward(w, f"{stack}.{layer}", h)
            x = x + y if "residuals" in net.parts else y
    return normalized(w, f"{stack}.norm", x), maps


def sublayers(net: Architecture, cross: bool) -> list[str]:
    """The sublayers of a layer, in order; the decoder of an encoder-decoder has cross-attention as well."""
    found = []
    if "attention" in net.parts:
        found += ["self_attn", "multihead_attn"] if cross else ["self_attn"]
    if "feed-forward" in net.parts:
        found.append("feed-forward")
    return found


# ---------------------------------------------------------------------------------------------------- the weights


def layer_shapes(net: Architecture, cross: bool = False) -> Shapes:
    """The weights of a layer, under the names of torch.nn.TransformerEncoderLayer; with `cross` of the DecoderLayer.

    12 d² + 13 d numbers, with cross-attention 4 d² + 6 d more. The feed-forward net has 4 d units.
    """
    d, found = net.width, {}
    for i, sublayer in enumerate(sublayers(net, cross), start=1):
        if sublayer == "feed-forward":
            found |= {"linear1.weight": (4 * d, d), "linear1.bias": (4 * d,)}
            found |= {"linear2.weight": (d, 4 * d), "linear2.bias": (d,)}
        else:
            found |= {f"{sublayer}.in_proj_weight": (3 * d, d), f"{sublayer}.in_proj_bias": (3 * d,)}
            found |= {f"{sublayer}.out_proj.weight": (d, d), f"{sublayer}.out_proj.bias": (d,)}
        if "layer norm" in net.parts:
            found |= {f"norm{i}.weight": (d,), f"norm{i}.bias": (d,)}
    return found


def weight_shapes(net: Architecture) -> Shapes:
    """All weights: vectors of characters and positions, the layers of every stack, the head."""
    d, found = net.width, {}
    if net.vocabulary:
        found["characters"] = (net.vocabulary, d)
    if net.context and "positions" in net.parts:
        found["positions"] = (net.context, d)
    for stack in net.stacks:
        own = layer_shapes(net, cross=net.stacks[0] != stack)  # the second stack also reads the first
        for k in range(net.layers):
            found |= {f"{stack}.{k}.{name}": shape for name, shape in own.items()}
        if "layer norm" in net.parts:
            found |= {f"{stack}.norm.weight": (d,), f"{stack}.norm.bias": (d,)}
    if net.vocabulary:
        found |= {"head.weight": (net.vocabulary, d), "head.bias": (net.vocabulary,)}
    return found


def size(shapes: Shapes) -> int:
    """How many numbers weights of these shapes are."""
    return sum(prod(shape) for shape in shapes.values())


def parameters_by_part(net: Architecture) -> Counter[str]:
    """How many weights each part of the net has."""
    counts: Counter[str] = Counter()
    for name, shape in weight_shapes(net).items():
        part = next(part for word, part in GROUPS.items() if word in name)
        counts[part] += prod(shape)
    return counts


def initial(net: Architecture, rng: np.random.Generator) -> Weights:
    """Matrices with variance 1/fan-in; vectors of characters and positions 0.3; biases and the head 0."""
    import torch

    kind = torch.float32 if net.vocabulary else torch.float64  # stacks alone are measured to the last bit
    w = {}
    for name, shape in weight_shapes(net).items():
        if "norm" in name and name.endswith("weight"):
            first = np.ones(shape)
        elif len(shape) == 1:
            first = np.zeros(shape)
        elif name == "head.weight":
            first = rng.normal(0, 0, shape)
        elif name in ("characters", "positions"):
            first = rng.normal(0, 0.3, shape)
        else:
            first = rng.normal(0, shape[1] ** -0.5, shape)
        w[name] = torch.tensor(first, dtype=kind, requires_grad=True)
    return w
