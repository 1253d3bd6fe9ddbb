"""Four famous nets layer by layer, and a miniature of each that learns digits beside a twin without the net's idea.

Left out: ImageNet itself, local response normalization, LeNet's scaled tanh, and averages over nets. The miniatures
have ReLU and max pooling, and read a digit of 8 × 8 pixels somewhere on a field of 12 × 12.
"""

from collections.abc import Iterator, Sequence
from functools import lru_cache
from itertools import pairwise
from typing import Literal, NamedTuple

import numpy as np

from playgrounds import kit
from playgrounds.kit import fails, knob, works
from playgrounds.kit.figures import Figure, Panel, axes, box, chips, figure, label, lines, paint, points, rule, segment
from playgrounds.kit.forms import pixels
from playgrounds.kit.palette import FAINT, INK, MUTED, PAPER, SERIES
from playgrounds.kit.training import kept, remembered
from playgrounds.kit.words import counted, number

SIDE, FIELD, MARGIN = 8, 12, 2  # pixels of a digit and of the field it lies on; the margin when it lies in the middle
TEST, BATCH, STATES = 400, 32, 40  # digits that measure accuracy; digits per step of Adam; states of a run, about
DENSE = 38  # units of LeNet's dense twin, which gives it about as many parameters
NETS = ("LeNet-5", "AlexNet", "VGG-16", "GoogLeNet")
YEARS = dict(zip(NETS, (1998, 2012, 2014, 2014), strict=True))


class Params(kit.Params):
    net: Literal[NETS] = knob("LeNet-5", label="Net")
    layers: Literal["convolutional", "dense"] = knob(
        "convolutional", label="Layers", help="dense: about as many weights, none of them shared",
        when=lambda p: p.net == "LeNet-5",
    )  # fmt: skip
    activation: Literal["ReLU", "tanh", "sigmoid"] = knob("ReLU", label="Activation", when=lambda p: p.net == "AlexNet")
    dropout: float = knob(
        0.0, 0.0, 0.8, label="Dropout", step=0.1, help="of the inputs of its two hidden dense layers",
        when=lambda p: p.net == "AlexNet",
    )  # fmt: skip
    augment: bool = knob(
        False, label="Data augmentation", help="in every batch each digit is moved to a new place", more=True,
        when=lambda p: p.net == "AlexNet",
    )  # fmt: skip
    differs: Literal["activation", "dropout", "augmentation"] = knob(
        "activation", label="Twin differs in", help="ReLU against sigmoid, dropout against none, moved anew or not",
        when=lambda p: p.net == "AlexNet",
    )  # fmt: skip
    filters: Literal["3×3 stack", "one large"] = knob("3×3 stack", label="Filters", when=lambda p: p.net == "VGG-16")
    stack: int = knob(
        3, 2, 3, label="3×3 layers in the stack", help="two see 5×5, three see 7×7, as one large filter does",
        when=lambda p: p.net == "VGG-16",
    )  # fmt: skip
    cut: int = knob(
        4, 0, 8, label="Channels after the 1×1 cut", help="of 16, before the 3×3 and the 5×5 filters; 0: no 1×1 cut",
        when=lambda p: p.net == "GoogLeNet",
    )  # fmt: skip
    shift: int = knob(2, 0, 2, label="Digits moved by up to", help="pixels, in both directions, in training and test")
    drawing: str = knob("", SIDE, SIDE, form="drawing", label="Draw a digit", help="empty: a test digit is shown")
    shown: int = knob(0, 0, TEST - 1, label="Test digit shown", when=lambda p: not p.drawing)
    seed: int = knob(1, 0, 9999, label="Seed", help="decides first weights, which digits train, where they lie")
    version: Literal["published", "today"] = knob(
        "published", label="Published net", more=True,
        help="today: LeNet as in tutorials, AlexNet and GoogLeNet as in torchvision",
    )  # fmt: skip
    padding: int = knob(
        2, 0, 3, label="Padding P of the first layer", help="of the published AlexNet, 224 pixels wide", more=True,
        when=lambda p: p.net == "AlexNet",
    )  # fmt: skip
    heads: bool = knob(
        False, label="Auxiliary heads", help="two classifiers half-way up, thrown away after training", more=True,
        when=lambda p: p.net == "GoogLeNet",
    )  # fmt: skip
    digits: int = knob(800, 50, 1200, label="Training digits", step=50, more=True)
    rate: float = knob(0.01, 0.001, 0.05, label="Learning rate η", help="largest of a one-cycle", log=True, more=True)
    steps: int = knob(280, 20, 400, label="Steps", help=f"of Adam, {BATCH} digits each", step=20, more=True)

    @property
    def length(self) -> int:
        return len(kept(self.steps, STATES))


class State(NamedTuple):
    step: int
    loss: float  # cross-entropy in training, mean over the batches since the state before
    accuracy: float  # on TEST new digits
    twin_loss: float
    twin_accuracy: float
    says: int  # the class that the miniature gives the shown digit
    confidence: float  # its probability
    parameters: int  # of the miniature
    twin_parameters: int
    multiplications: int  # of the miniature for one digit
    twin_multiplications: int
    published_parameters: int
    published_multiplications: int
    dense_share: float  # of the published net's parameters, in dense layers
    note: str
    fit: tuple[float, float]  # accuracy on the batches, of the miniature and its twin
    scores: np.ndarray  # (2, 10) logits of both for the shown digit
    image: np.ndarray  # (FIELD, FIELD) the shown digit
    maps: tuple[np.ndarray, ...]  # per layer shown: (channels, height, width), or (1, 1, units) of a dense layer


# ------------------------------------------------------------------------------------------- layers, and what they cost


class Layer(NamedTuple):
    """conv, pool, subsample, global, dense, connected (dense between maps), fixed, inception, head (does not go on)."""

    name: str
    kind: str
    out: int = 0  # channels or units
    k: int = 1  # filter or window
    stride: int = 1
    pad: int = 0
    groups: int = 1
    links: int = 0  # pairs of an input and an output map that are connected; 0: all pairs
    up: bool = False  # a pool's width is rounded up
    branches: tuple[int, ...] = ()  # 1×1, cut before 3×3, 3×3, cut before 5×5, 5×5, after pooling; a cut of 0: none


class Row(NamedTuple):
    name: str
    shape: tuple[int, int, int]  # channels, height, width of the output
    parameters: int
    dense: int  # of these in dense layers
    multiplications: int
    said: str  # the arithmetic


def fit(width: int, f: int, stride: int, pad: int) -> float:
    """(W − F + 2P)/S + 1, not yet rounded."""
    return (width - f + 2 * pad) / stride + 1


def count(layers: Sequence[Layer], shape: tuple[int, int, int], norm: bool = False) -> list[Row]:
    """Every layer's output and cost. norm: batch norm, a scale and a shift per channel, in place of a conv's bias."""
    rows: list[Row] = []
    for layer in layers:
        c, h, w = shape
        o, k, dense = layer.out, layer.k, 0
        if layer.kind in ("conv", "pool", "subsample"):
            exact = fit(h, k, layer.stride, layer.pad)
            h = w = int(-(-exact // 1)) if layer.up else int(exact)
            rounded = f"; width {exact:g}, rounded {'up' if layer.up else 'down'} to {h}" if exact != h else ""
        if layer.kind == "conv":
            links = layer.links or c // layer.groups * o
            of = f"{links} of {c * o}" if layer.links else f"{c // layer.groups} · {o}"
            parameters, products = k * k * links + (2 * o if norm else o), h * w * k * k * links
            extra = f"{2 * o} of batch norm" if norm else counted(o, "bias", "biases")
            said = f"{k}×{k} · {of} weights + {extra} = {parameters:,}<br>{h}×{w} places: {products:,} multiplications"
            shape, said = (o, h, w), said + rounded.replace("; ", "<br>")
        elif layer.kind == "pool":
            parameters, products, said, shape = 0, 0, f"maximum of {k}×{k}{rounded}", (c, h, w)
        elif layer.kind == "subsample":
            parameters, products, shape = 2 * c, c * h * w, (c, h, w)
            said = f"sum of {k}×{k} times a scale plus a bias, both learned: 2 · {c} = {parameters}"
        elif layer.kind == "global":
            parameters, products, said, shape = 0, 0, f"one value per map, of {h}×{w}", (c, 1, 1)
        elif layer.kind == "connected":  # every unit of the maps that a convolution would make, to every input
            side = h - k + 1
            n, m = c * h * w, o * side * side
            parameters, products, dense, shape = (n + 1) * m, n * m, (n + 1) * m, (o, side, side)
            said = f"({n:,} + 1) · {m:,} = {parameters:,}; a convolution would share them"
        elif layer.kind in ("dense", "fixed"):
            n, learned = c * h * w, layer.kind == "dense"
            dense = parameters = (n + 1) * o if learned else 0
            products, shape = n * o, (o, 1, 1)
            said = f"({n:,} + 1) · {o:,} = {parameters:,}<br>{n:,} · {o:,} = {products:,} multiplications"
            said = said if learned else f"distances to {o} patterns of {n} values that are not learned"
        elif layer.kind == "inception":
            parts, said = branch_costs(layer, c, h * w, norm)
            parameters, products = (sum(part[i] for part in parts) for i in (0, 1))
            one, _, three, _, five, pooled = layer.branches
            shape = (one + three + five + pooled, h, w)
        else:  # an auxiliary head: average to 4×4, 1×1 to 128 channels, dense layers of 1024 and 1000
            first, inner, last = c * 128 + 128 * (1 + norm), (16 * 128 + 1) * 1024, 1025 * 1000
            parameters, dense = first + inner + last, inner + last
            products = 16 * c * 128 + 16 * 128 * 1024 + 1024 * 1000
            said = f"1×1 {first:,} + dense {inner:,} + dense {last:,} = {parameters:,}"
        out = (1000, 1, 1) if layer.kind == "head" else shape
        rows.append(Row(layer.name, out, parameters, dense, products, said))
    return rows


def branch_costs(layer: Layer, c: int, places: int, norm: bool = False) -> tuple[list[tuple[int, int]], str]:
    """(parameters, multiplications) of the four branches on c channels, and in words what the cuts save."""
    one, cut3, three, cut5, five, pooled = layer.branches
    chains = [[(1, c, one)], [(3, cut3 or c, three)], [(layer.k, cut5 or c, five)], [(1, c, pooled)]]
    for chain, cut in zip(chains, (0, cut3, cut5, 0), strict=True):
        if cut:
            chain.insert(0, (1, c, cut))
    parts, words = [], []
    names = ("1×1", "3×3", f"{layer.k}×{layer.k}", "pooled")
    for name, chain in zip(names, chains, strict=True):
        weights = sum(k * k * m * n for k, m, n in chain)
        parts.append((weights + sum(n * (1 + norm) for *_, n in chain), places * weights))
        words.append(
            f"{name}: {places} · ({' + '.join(f'{k * k}·{m}·{n}' for k, m, n in chain)}) = {places * weights:,}"
        )
        if len(chain) == 2:
            k, _, n = chain[1]
            direct = places * k * k * c * n
            words[-1] += f"<br>    without 1×1 {direct:,}, {number(direct / (places * weights))} times"
    return parts, "<br>".join(words)


# --------------------------------------------------------------------------------------------------- the published nets

INCEPTIONS = {  # Szegedy et al. 2015, table 1
    "3a": (64, 96, 128, 16, 32, 32), "3b": (128, 128, 192, 32, 96, 64), "4a": (192, 96, 208, 16, 48, 64),
    "4b": (160, 112, 224, 24, 64, 64), "4c": (128, 128, 256, 24, 64, 64), "4d": (112, 144, 288, 32, 64, 64),
    "4e": (256, 160, 320, 32, 128, 128), "5a": (256, 160, 320, 32, 128, 128), "5b": (384, 192, 384, 48, 128, 128),
}  # fmt: skip


def published(p: Params) -> list[Row]:
    """The net's rows, without its idea where the miniature is without it."""
    today = p.version == "today"
    if p.net == "LeNet-5":  # LeCun et al. 1998; C3 joins each map to 3, 4 or 6 of the six below, 60 pairs in all
        kind = "conv" if p.layers == "convolutional" else "connected"
        below = [Layer("C1", kind, 6, 5), Layer("S2", "pool" if today else "subsample", k=2, stride=2)]
        below += [Layer("C3", kind, 16, 5, links=0 if today else 60)]
        below += [Layer("S4", "pool" if today else "subsample", k=2, stride=2)]
        below += [Layer("C5", "dense" if today else kind, 120, 5), Layer("F6", "dense", 84)]
        return count([*below, Layer("output", "dense" if today else "fixed", 10)], (1, 32, 32))
    if p.net == "AlexNet":  # Krizhevsky et al. 2012; today: one tower, Krizhevsky 2014
        halves, widths = (1, (64, 192, 384, 256, 256)) if today else (2, (96, 256, 384, 384, 256))
        groups = (1, halves, 1, halves, halves)
        layers = []
        for n, (out, group) in enumerate(zip(widths, groups, strict=True), start=1):
            k, stride, pad = {1: (11, 4, p.padding), 2: (5, 1, 2)}.get(n, (3, 1, 1))
            layers.append(Layer(f"conv {n}", "conv", out, k, stride, pad, group))
            layers += [Layer(f"pool {n}", "pool", k=3, stride=2)] if n in (1, 2, 5) else []
        return count([*layers, *fully("fc", 4096, 4096, 1000, first=6)], (3, 224, 224))
    if p.net == "VGG-16":  # Simonyan and Zisserman 2015, configuration D
        layers = []
        for block, (depth, out) in enumerate(((2, 64), (2, 128), (3, 256), (3, 512), (3, 512)), start=1):
            large = p.filters == "one large"
            for n in range(1, 2 if large else depth + 1):
                k = 2 * depth + 1 if large else 3
                layers.append(Layer(f"conv {block}.{n}", "conv", out, k, 1, k // 2))
            layers.append(Layer(f"pool {block}", "pool", k=2, stride=2))
        return count([*layers, *fully("fc", 4096, 4096, 1000, first=6)], (3, 224, 224))
    pool = {"kind": "pool", "k": 3, "stride": 2, "up": True}
    layers = [Layer("conv 1", "conv", 64, 7, 2, 3), Layer("pool 1", **pool), Layer("conv 2a", "conv", 64)]
    layers += [Layer("conv 2b", "conv", 192, 3, 1, 1), Layer("pool 2", **pool)]
    for name, widths in INCEPTIONS.items():
        one, _, three, _, five, pooled = widths
        branches = widths if p.cut else (one, 0, three, 0, five, pooled)
        layers.append(Layer(name, "inception", k=3 if today else 5, branches=branches))  # torchvision has 3×3 twice
        layers += [Layer(f"pool {name[0]}", **pool)] if name in ("3b", "4e") else []
        layers += [Layer(f"head {name}", "head")] if p.heads and name in ("4a", "4d") else []
    return count([*layers, Layer("average", "global"), Layer("fc", "dense", 1000)], (3, 224, 224), norm=today)


def total(rows: Sequence[Row]) -> tuple[int, int]:
    """Parameters and multiplications of a net."""
    return sum(row.parameters for row in rows), sum(row.multiplications for row in rows)


def variant(p: Params) -> str:
    """Which version of the large net the table shows."""
    if (p.net, p.layers) == ("LeNet-5", "dense"):
        return ", all dense"
    if (p.net, p.filters) == ("VGG-16", "one large"):
        return ", large filters"
    if (p.net, p.cut) == ("GoogLeNet", 0):
        return ", no 1×1 cut"
    return f", {YEARS[p.net]}" if p.version == "published" else " today"


def fully(name: str, *units: int, first: int = 1) -> list[Layer]:
    return [Layer(f"{name} {n}", "dense", out) for n, out in enumerate(units, start=first)]


# ------------------------------------------------------------------------------------------------------- the miniatures


def pair(p: Params) -> tuple[tuple, tuple]:
    """The miniature's idea as the reader has set it, and that of its twin: (net, choice, …)."""
    if p.net == "LeNet-5":
        return tuple((p.net, p.layers == kind) for kind in ("convolutional", "dense"))
    if p.net == "VGG-16":
        return tuple((p.net, p.stack, p.filters == kind) for kind in ("3×3 stack", "one large"))
    if p.net == "GoogLeNet":
        return (p.net, p.cut), (p.net, 0 if p.cut else 4)
    other = {
        "activation": ("sigmoid" if p.activation == "ReLU" else "ReLU", p.dropout, p.augment),
        "dropout": (p.activation, 0.0 if p.dropout else 0.5, p.augment),
        "augmentation": (p.activation, p.dropout, not p.augment),
    }
    return (p.net, p.activation, p.dropout, p.augment), (p.net, *other[p.differs])


def named(p: Params) -> tuple[str, str]:
    """The idea of both in few words."""
    words = []
    for net, *idea in pair(p):
        if net == "LeNet-5":
            words.append("convolutional" if idea[0] else "dense")
        elif net == "VGG-16":
            depth, size = idea[0], f"{2 * idea[0] + 1}×{2 * idea[0] + 1}"
            words.append(f"{'two' if depth == 2 else 'three'} 3×3" if idea[1] else f"one {size}")
        elif net == "GoogLeNet":
            words.append(f"1×1 cut to {idea[0]}" if idea[0] else "no 1×1 cut")
        else:
            which = {"activation": idea[0], "dropout": f"dropout {idea[1]:g}" if idea[1] else "no dropout"}
            words.append(which.get(p.differs, "augmented" if idea[2] else "not augmented"))
    return tuple(words)


def miniature(net: str, *idea) -> list[Layer]:
    """Its layers. Every one of them is followed by a ReLU, apart from pools and the last."""
    pool = Layer("pool", "pool", k=2, stride=2)
    if net == "LeNet-5":
        maps = [Layer("conv 1", "conv", 8, 5, 1, 2), pool, Layer("conv 2", "conv", 16, 5, 1, 2), pool]
        return [*maps, *fully("dense", 24, 10)] if idea[0] else fully("dense", DENSE, DENSE, 10)
    if net == "AlexNet":
        upper = [Layer(f"conv {n}", "conv", 16, 3, 1, 1) for n in (2, 3, 4, 5)]
        return [Layer("conv 1", "conv", 8, 5, 1, 2), pool, upper[0], pool, *upper[1:], *fully("dense", 48, 48, 10)]
    if net == "VGG-16":
        depth, stacked = idea
        small = [Layer(f"conv 1.{n}", "conv", 8, 3, 1, 1) for n in range(1, depth + 2)]
        large = [small[0], Layer("conv 1.2", "conv", 8, 2 * depth + 1, 1, depth)]
        top = [pool, Layer("conv 2", "conv", 16, 3, 1, 1), pool, *fully("dense", 32, 10)]
        return [*(small if stacked else large), *top]
    # GoogLeNet averages its last maps; their maximum learns the same in fewer steps.
    block = Layer("inception", "inception", k=5, branches=(8, idea[0], 8, idea[0], 8, 8))
    return [Layer("conv 1", "conv", 16, 3, 1, 1), pool, block, Layer("maximum", "global"), *fully("dense", 10)]


def build(layers: Sequence[Layer], shape: tuple[int, int, int], activation: str = "ReLU", dropout: float = 0.0):
    """The layers as a torch.nn.Sequential."""
    import torch
    from torch import nn

    class Inception(nn.Module):
        """Four branches on the same input, concatenated as channels."""

        def __init__(self, c: int, k: int, one: int, cut3: int, three: int, cut5: int, five: int, pooled: int):
            super().__init__()
            wide = [(3, cut3, three), (k, cut5, five)]
            self.branches = nn.ModuleList([conv(c, one, 1)])
            self.branches += [nn.Sequential(*(conv(c, m, 1) if m else []), *conv(m or c, n, f)) for f, m, n in wide]
            self.branches.append(nn.Sequential(nn.MaxPool2d(3, 1, 1), *conv(c, pooled, 1)))

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return torch.cat([branch(x) for branch in self.branches], dim=1)

    act = {"ReLU": nn.ReLU, "tanh": nn.Tanh, "sigmoid": nn.Sigmoid}[activation]

    def conv(c: int, out: int, k: int, stride: int = 1, pad: int | None = None, groups: int = 1) -> nn.Sequential:
        return nn.Sequential(nn.Conv2d(c, out, k, stride, k // 2 if pad is None else pad, groups=groups), act())

    net, last = nn.Sequential(), len(layers) - 1
    shapes = [shape, *(row.shape for row in count(layers, shape))]
    for i, (layer, (c, h, w)) in enumerate(zip(layers, shapes[:-1], strict=True)):
        if layer.kind == "conv":
            net.append(conv(c, layer.out, layer.k, layer.stride, layer.pad, layer.groups))
        elif layer.kind == "pool":
            net.append(nn.MaxPool2d(layer.k, layer.stride, layer.pad, ceil_mode=layer.up))
        elif layer.kind == "inception":
            net.append(Inception(c, layer.k, *layer.branches))
        elif layer.kind == "global":
            net.append(nn.AdaptiveMaxPool2d(1))
        else:
            linear = nn.Linear(c * h * w, layer.out)
            drop = [nn.Dropout(dropout)] if dropout and i < last else []
            net.append(nn.Sequential(nn.Flatten(), *drop, linear, *([act()] if i < last else [])))
    return net


def net_of(net: str, *idea):
    """A miniature as a torch module."""
    activation, dropout = idea[:2] if net == "AlexNet" else ("ReLU", 0.0)
    return build(miniature(net, *idea), (1, FIELD, FIELD), activation, dropout)


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


def data(shift: int, digits: int, seed: int) -> tuple:
    """Training digits not yet placed and their labels; test digits on their fields and theirs; the generator."""
    rng = np.random.default_rng(seed)
    order, (images, labels) = rng.permutation(len(load()[1])), load()
    train, test = order[:digits], order[-TEST:]
    return images[train], labels[train], place(images[test], shift, rng), labels[test], rng


class Snapshot(NamedTuple):
    step: int
    loss: float
    fit: float
    accuracy: float
    weights: list  # tensors in the order of the module's parameters


@remembered
def training(idea: tuple, shift: int, digits: int, rate: float, steps: int, seed: int) -> Iterator[Snapshot]:
    """Train a miniature with Adam and a one-cycle rate; a snapshot at each step that is kept."""
    import torch

    torch.set_num_threads(1)  # so small a net is faster on one
    cross_entropy = torch.nn.functional.cross_entropy
    images, labels, *test, rng = data(shift, digits, seed)
    y, x_test, y_test = (torch.from_numpy(a) for a in (labels, *test))
    x, augmented = torch.from_numpy(place(images, shift, rng)), idea[0] == "AlexNet" and idea[3]
    net, last = net_of(*idea), {"memory_format": torch.channels_last}  # the faster layout for maps of few pixels
    x, x_test = x.to(**last), x_test.to(**last)
    for w in net.parameters():  # He et al. 2015: normal with variance 2 / inputs; biases 0
        first = rng.normal(0, (2 / w[0].numel()) ** 0.5, w.shape) if w.ndim > 1 else np.zeros(w.shape)
        w.data = torch.tensor(first, dtype=torch.float32)
    net.to(**last)
    optimizer = torch.optim.Adam(net.parameters(), lr=rate, fused=True)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, rate, total_steps=steps)
    epochs = [rng.permutation(digits) for _ in range((steps + 1) * BATCH // digits + 1)]
    batches = np.concatenate(epochs)[: (steps + 1) * BATCH].reshape(steps + 1, BATCH)

    def snapshot(step: int, losses: list[float], right: list[float]) -> Snapshot:
        net.eval()
        with torch.no_grad():
            accuracy = int((net(x_test).argmax(dim=1) == y_test).sum()) / TEST
        net.train()
        weights = [w.detach().clone() for w in net.parameters()]
        return Snapshot(step, float(np.mean(losses)), float(np.mean(right)), accuracy, weights)

    # The losses of a state are those of the batches since the last one: they cost nothing more. The first state's is
    # that of a batch that nobody learns from.
    net.eval()  # without dropout
    with torch.no_grad():
        z, seen = net(x[batches[0]]), y[batches[0]]
    yield snapshot(0, [float(cross_entropy(z, seen))], [float((z.argmax(dim=1) == seen).float().mean())])
    for low, high in pairwise(kept(steps, STATES)):
        losses, right = [], []
        with torch.random.fork_rng(devices=[]):  # dropout draws from torch's own generator
            torch.manual_seed(seed * 1000 + low)
            for at in batches[low + 1 : high + 1]:
                seen = torch.from_numpy(place(images[at], shift, rng)) if augmented else x[at]
                z = net(seen)
                loss = cross_entropy(z, y[at])
                optimizer.zero_grad()
                loss.backward()
                optimizer.step()
                schedule.step()
                losses.append(loss.item())
                right.append(float((z.detach().argmax(dim=1) == y[at]).float().mean()))
        yield snapshot(high, losses, right)


def activations(net, x: np.ndarray) -> tuple[tuple[np.ndarray, ...], np.ndarray]:
    """What the layers with weights make of one field (FIELD, FIELD), and the logits (10,).

    Of a convolutional net the maps (channels, height, width), of a dense one the hidden layers (1, 1, units).
    """
    import torch

    maps, units, h = [], [], torch.from_numpy(x[None, None])
    with torch.no_grad():
        for part in net:
            h = part(h)
            if any(True for _ in part.parameters()):
                (maps if h.ndim == 4 else units).append(h[0].numpy() if h.ndim == 4 else h.numpy()[None])
    return tuple(maps or units[:-1]), units[-1].ravel()


def run(p: Params) -> Iterator[State]:
    """The miniature and its twin learn side by side; both are asked about the shown digit at every state."""
    *_, x_test, y_test, _ = data(p.shift, p.digits, p.seed)
    image = x_test[p.shown, 0]
    if p.drawing:
        image = np.pad(pixels(p.drawing, SIDE), MARGIN).astype(np.float32)
    ideas, rows = pair(p), published(p)
    costs = [count(miniature(*idea), (1, FIELD, FIELD)) for idea in ideas]
    totals = [total(part) for part in (*costs, rows)]
    sizes = [totals[k][cost] for both in ((0, 1), (2,)) for cost in (0, 1) for k in both]
    share = sum(row.dense for row in rows) / totals[2][0]
    nets = [net_of(*idea).eval() for idea in ideas]
    plan = p.shift, p.digits, p.rate, p.steps, p.seed
    for both in zip(*(training(idea, *plan) for idea in ideas), strict=True):
        yours, twin = both
        for net, snapshot in zip(nets, both, strict=True):
            for w, value in zip(net.parameters(), snapshot.weights, strict=True):
                w.data = value
        (maps, *scores), (_, *others) = (activations(net, image) for net in nets)
        probabilities = softmax(scores[0])
        says = int(probabilities.argmax())
        state = State(
            yours.step, yours.loss, yours.accuracy, twin.loss, twin.accuracy, says, float(probabilities[says]), *sizes,
            share, "", (yours.fit, twin.fit), np.array(scores + others), image, maps,
        )  # fmt: skip
        yield state._replace(note=note(p, state, None if p.drawing else int(y_test[p.shown])))


def softmax(z: np.ndarray) -> np.ndarray:
    e = np.exp(z - z.max(axis=-1, keepdims=True))
    return e / e.sum(axis=-1, keepdims=True)


def note(p: Params, now: State, truth: int | None) -> str:
    """How both stand and what is said of the shown digit; at the end what the idea has brought."""
    yours, twin = named(p)
    right = "" if truth is None else ", which is right" if now.says == truth else f", but it is a {truth}"
    it = "your drawing" if truth is None else "the shown digit"
    answer = f"For {it} the miniature ({yours}) says {now.says} with {now.confidence:.0%}{right}"
    two = now.accuracy, now.twin_accuracy
    if now.step == 0:
        return (
            f"Before training: right on {two[0]:.0%} ({yours}) and {two[1]:.0%} ({twin}) of {TEST} new digits; "
            f"guessing gives 10% and a loss of ln 10 = {np.log(10):.2f}. {answer}."
        )
    if now.step < p.steps:
        return (
            f"Step {now.step} of {p.steps}: loss {number(now.loss)} ({yours}) and {number(now.twin_loss)} ({twin}); "
            f"right on {two[0]:.0%} and {two[1]:.0%} of {TEST} new digits. {answer}."
        )
    said = [
        f"{who}: {a:.0%} of new digits right and {b:.0%} in training" for who, a, b in zip((yours, twin), two, now.fit)
    ]
    return f"After {p.steps} steps {'; '.join(said)}. {conclusion(p, now)} {answer}."


def conclusion(p: Params, now: State) -> str:
    """What the comparison of both says about the net's idea."""
    ahead = now.accuracy - now.twin_accuracy  # of the reader's
    if p.net == "LeNet-5":
        if (ahead if p.layers == "convolutional" else -ahead) > 0.04:
            return "A convolution has the same filters at every place; the dense net has to learn each place anew."
        where = "every digit lies in the middle" if not p.shift else "too little was learned"
        return f"Sharing weights brings no advantage here: {where}."
    if p.net == "VGG-16":
        k, c = 2 * p.stack + 1, 8
        stack = f"the stack with {p.stack} · 3² · {c}² = {p.stack * 9 * c * c:,} weights"
        return f"Both look through windows of {k}×{k}, {stack}, the large filter with {k}² · {c}² = {k * k * c * c:,}."
    if p.net == "GoogLeNet":
        few, many = sorted((now.multiplications, now.twin_multiplications))
        return f"A digit costs {few:,} multiplications with the 1×1 cut and {number(many / few)} times as many without."
    if "sigmoid" in (p.activation, named(p)[1]) and max(now.loss, now.twin_loss) > 2.2:
        return "A sigmoid passes on at most a quarter of a difference: behind seven of them all digits look alike."
    gaps = [f"{100 * (a - b):.0f}" for a, b in zip(now.fit, (now.accuracy, now.twin_accuracy), strict=True)]
    return f"From training to new digits they lose {' and '.join(gaps)} points."


YOURS, TWIN, WEIGHTS, PRODUCTS = SERIES[0], SERIES[1], SERIES[2], SERIES[3]
BAR = 0.13  # of the table's width: the longest bar


def compact(n: int) -> str:
    """156, 1,516, 48.1k, 102M, 15.5G."""
    for power, unit in ((9, "G"), (6, "M"), (4, "k")):
        if n >= 10**power:
            return f"{number(n / 10 ** (power // 3 * 3))}{unit}"
    return f"{n:,}"


def draw(p: Params, states: Sequence[State], now: int) -> Figure:
    """The published net as a table with bars; accuracy by step; the shown digit, what both say of it, and its maps."""
    state, rows = states[now], published(p)
    yours, twin = (f'<span style="color:{c}">{w}</span>' for c, w in zip((YOURS, TWIN), named(p), strict=True))
    unit, digits = {"range": [0, FIELD]}, {"range": [-0.6, 9.6], "tickvals": [*range(10)], "showgrid": False}
    part = {"range": [0, 1.02], "tickformat": ".0%", "nticks": 5}
    pictures, across = shown(p, state)
    title = f"{p.net}{variant(p)}: {state.published_parameters:,} parameters"
    fig = figure(
        600,
        Panel((0, 0.48, 0, 1), 19 * max(len(rows), 10) + 60, title, {"range": [0, 1]},
              {"range": [max(len(rows), 10) + 0.7, -1.6]}, bare=True),
        Panel((0.55, 1, 0.7, 1), 200, f"Accuracy: {yours} ━ {twin} ┄", {"range": [0, p.steps], "nticks": 5}, part),
        Panel((0.55, 0.7, 0.44, 0.61), 120, "Your drawing" if p.drawing else "Test digit", unit, unit,
              bare=True, square=True),
        Panel((0.75, 1, 0.44, 0.61), 130, "Probability by class", digits,
              {"range": [0, 1.02], "tickvals": [0, 0.5, 1]}),
        Panel((0.55, 1, 0, 0.34), 210, f"Feature maps: {yours}", {"range": [-0.17 * across, across]},
              {"range": [-len(pictures), 0]}, bare=True, square=True),
    )  # fmt: skip
    _table(fig, rows)
    _curves(fig, p, states)
    paint(fig, 3, state.image[::-1], (0, FIELD), (0, FIELD), scale="sequential", smooth=False)
    shapes = fig["layout"]["shapes"]
    shapes += [box(3, (0, FIELD), (0, FIELD), FAINT, 1), rule(2, state.step)]
    both = softmax(state.scores)
    for values, colour, left in zip(both, (YOURS, TWIN), (-0.4, 0.0), strict=True):
        shapes += [box(4, (k + left, k + left + 0.4), (0, v), colour, 1, colour) for k, v in enumerate(values.tolist())]
    said = [
        f"{k}: {yours} e^{a:.2f}/Σ = {pa:.1%}<br>{twin} e^{b:.2f}/Σ = {pb:.1%}"
        for k, (a, b, pa, pb) in enumerate(np.concatenate([state.scores, both]).T.tolist())
    ]
    fig["data"].append(
        points(
            4, range(10), np.full(10, 0.5), "", YOURS, opacity=0, hovertext=said, hoverinfo="text", marker={"size": 24}
        )
    )
    _maps(fig, p, state)
    _chips(fig, p)
    return fig


def _table(fig: Figure, rows: Sequence[Row]) -> None:
    """A line per layer: name, output, bars of its parameters and its multiplications; the arithmetic on hover."""
    n, totals = np.arange(len(rows)), total(rows)
    texts = [(0, k, row.name, INK) for k, row in enumerate(rows)]
    texts += [(0.19, k, "×".join(map(str, (*row.shape[1:], row.shape[0]))), MUTED) for k, row in enumerate(rows)]
    texts += [(0, len(rows), "total", INK), (0.19, -1, "output", MUTED)]
    for left, i, colour, title in ((0.45, 2, WEIGHTS, "parameters"), (0.72, 4, PRODUCTS, "multiplications")):
        values = np.array([row[i] for row in rows])
        wide = BAR * values / values.max()
        bars = {"width": min(0.7, 0.036 * max(len(rows), 10)), "hoverinfo": "skip", "marker": {"color": colour}}
        fig["data"].append(_bars(wide, n, left, title) | bars)
        texts += [
            (left + w + 0.006, k, compact(v), INK) for k, (w, v) in enumerate(zip(wide.tolist(), values.tolist())) if v
        ]
        texts += [(left, -1, title, colour), (left, len(rows), compact(totals[i // 4]), INK)]
    x, y, words, colours = zip(*texts, strict=True)
    fig["data"].append(
        lines(1, x, y, "layers", INK, mode="text", text=words, textposition="middle right", hoverinfo="skip",
              textfont={"size": 12, "color": colours})
    )  # fmt: skip
    said = [f"{row.name}: {row.said}" for row in rows]
    target = {"width": 1, "hovertext": said, "hoverinfo": "text", "marker": {"color": "rgba(0,0,0,0)"}}
    fig["data"].append(_bars(np.ones(len(rows)), n, 0, "arithmetic") | target)
    fig["layout"] |= {"barmode": "overlay"}


def _bars(x: np.ndarray, y: np.ndarray, base: float, name: str) -> dict:
    return {"type": "bar", "orientation": "h", "x": x, "y": y, "base": base, "name": name} | axes(1)


def _curves(fig: Figure, p: Params, states: Sequence[State]) -> None:
    """Accuracy on new digits, thick, and on the batches, thin, of both."""
    x = [s.step for s in states]
    tested = zip(*((s.accuracy, s.twin_accuracy) for s in states), strict=True)
    for y, fits, colour, dash in zip(
        tested, zip(*(s.fit for s in states), strict=True), (YOURS, TWIN), ("solid", "dash"), strict=True
    ):
        thin = {"line": {"width": 1, "dash": "dot"}, "hovertemplate": "%{y:.0%} in training<extra></extra>"}
        fig["data"].append(lines(2, x, fits, "training", colour, **thin))
        fig["data"].append(
            lines(2, x, y, "new digits", colour, line={"dash": dash}, hovertemplate="%{y:.0%}, step %{x}")
        )
    words = {"xanchor": "left", "yanchor": "top"}
    fig["layout"]["annotations"].append(label(2, 0, 1, "dotted: in training", **words))


def shown(p: Params, state: State) -> tuple[list[tuple[str, np.ndarray]], int]:
    """Lines of maps, each with a name and its values scaled to the layer's largest, and how many maps stand in a line.

    Of every layer, and of every branch of an inception module, the first eight maps.
    """
    layers = [layer for layer in miniature(*pair(p)[0]) if layer.kind in ("conv", "dense", "inception")]
    rows = []
    for layer, maps in zip(layers, state.maps, strict=False):
        branches = np.split(maps, 4) if layer.kind == "inception" else [maps[:8]]
        names = ("1×1", "3×3", "5×5", "pooled") if layer.kind == "inception" else (layer.name,)
        rows += [(name, z / max(float(np.abs(z).max()), 1e-9)) for name, z in zip(names, branches, strict=True)]
    across = 4 if len(rows) < 3 else 8
    return [(name * (k == 0), z[k : k + across]) for name, z in rows for k in range(0, len(z), across)], across


def _maps(fig: Figure, p: Params, state: State) -> None:
    """The maps in lines; the units of a dense layer are one strip."""
    scale = "diverging" if p.net == "AlexNet" and p.activation == "tanh" else "sequential"
    pictures, across = shown(p, state)
    for k, (name, maps) in enumerate(pictures):
        low = -k - 0.6 if len(maps) == 1 else -k - 0.94
        paint(fig, 5, np.concatenate(maps[:, ::-1], axis=1), (0, across), (low, -k), smooth=False, scale=scale)
        fig["layout"]["annotations"].append(label(5, -0.02 * across, (low - k) / 2, name, xanchor="right"))
    gaps = range(across + 1) if len(pictures[0][1]) > 1 else (0, across)
    fig["layout"]["shapes"] += [segment(5, (x, 0), (x, -len(pictures)), PAPER, 3) for x in gaps]


def _chips(fig: Figure, p: Params) -> None:
    """The layers of both miniatures: outputs, and parameters below."""
    for k, (idea, name, who) in enumerate(zip(pair(p), named(p), ("Miniature", "Twin"), strict=True)):
        rows = count(miniature(*idea), (1, FIELD, FIELD))
        sums = "{:,} parameters, {:,} multiplications".format(*total(rows))
        texts = [
            "×".join(map(str, (*row.shape[1:], row.shape[0]))) if row.shape[1] > 1 else str(row.shape[0])
            for row in rows
        ]
        subs = [f"{row.name} {row.parameters:,}" if row.parameters else row.name for row in rows]
        fig["chips"].append(
            chips(f"{who}, {name}: {sums}", [f"{FIELD}×{FIELD}×1", *texts], [k] * (len(rows) + 1), ["digit", *subs])
        )


PRESETS = (
    fails(
        "Dense net",
        "It has as many weights as its convolutional twin and learns its own digits, but what it has learned at one "
        "place it does not know at the next.",
        {"accuracy": "<= 0.66", "twin_accuracy": ">= 0.72"},
        layers="dense",
    ),
    fails(
        "Eight layers of sigmoid",
        "Each passes on at most a quarter of a difference, so that the loss stays at ln 10; the ReLU twin learns.",
        {"accuracy": "<= 0.2", "loss": ">= 2.2", "twin_accuracy": ">= 0.6"},
        net="AlexNet",
        activation="sigmoid",
    ),
    works(
        "Three 3×3 for one 7×7",
        "The stack sees as much as the large filter and is about as good, with fewer weights.",
        {"accuracy": ">= 0.75"},
        net="VGG-16",
    ),
    works(
        "1×1 before the large filters",
        "A cut from 16 to 4 channels saves most multiplications of the module and costs little accuracy.",
        {"accuracy": ">= 0.72"},
        net="GoogLeNet",
    ),
)
