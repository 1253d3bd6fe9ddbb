"""Miniatures of the published nets, as torch modules, and the digits that they read."""

from collections.abc import Sequence
from functools import lru_cache
from typing import NamedTuple

import numpy as np

from playgrounds._nets import Branches, Filters, Layer, Shape, branches_of, count, fully

SIDE, FIELD, MARGIN = 8, 12, 2  # pixels of a digit and of the field it lies on; the margin when it lies in the middle
INPUT = (1, FIELD, FIELD)  # what a miniature reads
TEST = 400  # digits that measure accuracy
DENSE = 38  # units of LeNet's dense twin, which gives it about as many parameters


class Idea(NamedTuple):
    """What a miniature is like; of the fields below its net's name only those of that net matter."""

    net: str
    dense: bool = False  # LeNet-5: dense layers throughout
    activation: str = "ReLU"  # AlexNet
    dropout: float = 0.0
    augment: bool = False
    stack: int = 3  # VGG-16: 3×3 layers in the stack
    large: bool = False  # one large filter in its place
    cut: int = 0  # GoogLeNet: channels after the 1×1 cut; 0: there is none


def miniature(idea: Idea) -> list[Layer]:
    """Its layers. Every one of them is followed by an activation, apart from pools and the last."""
    pool = Layer("pool", "pool", k=2, stride=2)
    if idea.net == "LeNet-5" and idea.dense:
        return fully("dense", DENSE, DENSE, 10)
    if idea.net == "LeNet-5":
        one, two = Layer("conv 1", "conv", 8, k=5, pad=2), Layer("conv 2", "conv", 16, k=5, pad=2)
        return [one, pool, two, pool, *fully("dense", 24, 10)]
    if idea.net == "AlexNet":
        one = Layer("conv 1", "conv", 8, k=5, pad=2)
        two, *upper = (Layer(f"conv {n}", "conv", 16, k=3, pad=1) for n in (2, 3, 4, 5))
        return [one, pool, two, pool, *upper, *fully("dense", 48, 48, 10)]
    if idea.net == "VGG-16":
        stack = [Layer(f"conv 1.{n}", "conv", 8, k=3, pad=1) for n in range(1, idea.stack + 2)]
        if idea.large:
            stack[1:] = [Layer("conv 1.2", "conv", 8, k=2 * idea.stack + 1, pad=idea.stack)]
        return [*stack, pool, Layer("conv 2", "conv", 16, k=3, pad=1), pool, *fully("dense", 32, 10)]
    branches = Branches(one=8, cut3=idea.cut, three=8, cut5=idea.cut, five=8, pooled=8)
    block = Layer("inception", "inception", k=5, branches=branches)
    # GoogLeNet averages its last maps; their maximum learns the same in fewer steps.
    return [Layer("conv 1", "conv", 16, k=3, pad=1), pool, block, Layer("maximum", "global"), *fully("dense", 10)]


def build(layers: Sequence[Layer], shape: Shape, activation: str = "ReLU", dropout: float = 0.0):
    """The layers as a torch.nn.Sequential."""
    import torch
    from torch import nn

    act = {"ReLU": nn.ReLU, "tanh": nn.Tanh, "sigmoid": nn.Sigmoid}[activation]

    def conv(c: int, out: int, k: int, stride: int = 1, pad: int = 0, groups: int = 1) -> nn.Sequential:
        return nn.Sequential(nn.Conv2d(c, out, k, stride, pad, groups=groups), act())

    def chained(chain: list[Filters]) -> nn.Sequential:
        return nn.Sequential(*(conv(f.c, f.out, f.k, pad=f.k // 2) for f in chain))

    class Inception(nn.Module):
        """Four branches on the same input, concatenated as channels."""

        def __init__(self, layer: Layer, c: int):
            super().__init__()
            one, three, five, pooled = (chained(branch.chain) for branch in branches_of(layer, c))
            self.branches = nn.ModuleList([one, three, five, nn.Sequential(nn.MaxPool2d(3, 1, 1), pooled)])

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return torch.cat([branch(x) for branch in self.branches], dim=1)

    net = nn.Sequential()
    for row in count(layers, shape):
        layer, (c, h, w) = row.layer, row.into
        if layer.kind == "conv":
            net.append(conv(c, layer.out, layer.k, layer.stride, layer.pad, layer.groups))
        elif layer.kind == "pool":
            net.append(nn.MaxPool2d(layer.k, layer.stride, layer.pad, ceil_mode=layer.up))
        elif layer.kind == "inception":
            net.append(Inception(layer, c))
        elif layer.kind == "global":
            net.append(nn.AdaptiveMaxPool2d(1))
        elif layer is layers[-1]:
            net.append(nn.Sequential(nn.Flatten(), nn.Linear(c * h * w, layer.out)))
        else:
            drop = [nn.Dropout(dropout)] if dropout else []
            net.append(nn.Sequential(nn.Flatten(), *drop, nn.Linear(c * h * w, layer.out), act()))
    return net


def net_of(idea: Idea):
    """A miniature as a torch module."""
    return build(miniature(idea), INPUT, idea.activation, idea.dropout)


class Inside(NamedTuple):
    """What a net makes of one field: of every layer the maps (channels, height, width), or (1, 1, units) if dense."""

    layers: list[np.ndarray]  # the last are the logits
    branches: list[list[np.ndarray]]  # of an inception module: of every branch what each of its layers gives
    filters: list[np.ndarray]  # of every convolution (out, in, k, k), but for those in an inception module


def inside(net, x: np.ndarray) -> Inside:
    """Look into a miniature while it reads a field x (FIELD, FIELD)."""
    import torch

    def kept(h: torch.Tensor) -> np.ndarray:
        return h[0].numpy() if h.ndim == 4 else h.numpy()[None]

    layers, branches, filters, h = [], [], [], torch.from_numpy(x[None, None])
    with torch.no_grad():
        for part in net:
            for branch in getattr(part, "branches", ()):
                steps = [h]
                for layer in branch:
                    steps.append(layer(steps[-1]))
                branches.append([kept(step) for step in steps[1:]])
            if isinstance(part, torch.nn.Sequential) and isinstance(part[0], torch.nn.Conv2d):
                filters.append(part[0].weight.numpy().copy())
            h = part(h)
            layers.append(kept(h))
    return Inside(layers, branches, filters)


# --------------------------------------------------------------------------------------------------------- the digits


@lru_cache(maxsize=1)
def load() -> tuple[np.ndarray, np.ndarray]:
    """scikit-learn's digits (1797, SIDE, SIDE) with values from 0 to 1, and their labels."""
    from sklearn.datasets import load_digits

    return (load_digits().images / 16).astype(np.float32), load_digits().target


def place(images: np.ndarray, shift: int, rng: np.random.Generator) -> np.ndarray:
    """Digits (n, SIDE, SIDE) on fields (n, 1, FIELD, FIELD), each moved from the middle by up to `shift` both ways."""
    fields = np.zeros((len(images), FIELD, FIELD), np.float32)
    top, left = MARGIN + rng.integers(-shift, shift + 1, size=(2, len(images), 1)) + np.arange(SIDE)
    fields[np.arange(len(images))[:, None, None], top[:, :, None], left[:, None, :]] = images
    return fields[:, None]


class Digits(NamedTuple):
    images: np.ndarray  # (n, SIDE, SIDE) for training, not yet placed
    labels: np.ndarray
    x_test: np.ndarray  # (TEST, 1, FIELD, FIELD)
    y_test: np.ndarray
    rng: np.random.Generator  # from which the training goes on to draw


def data(shift: int, digits: int, seed: int) -> Digits:
    rng = np.random.default_rng(seed)
    images, labels = load()
    order = rng.permutation(len(labels))
    train, test = order[:digits], order[-TEST:]
    return Digits(images[train], labels[train], place(images[test], shift, rng), labels[test], rng)
