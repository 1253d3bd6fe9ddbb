"""Convolutional nets layer by layer: what each layer makes of its input, what it costs, and four published nets."""

from collections.abc import Sequence
from typing import NamedTuple

Shape = tuple[int, int, int]  # channels, height, width


class Branches(NamedTuple):  # channels in an inception module (Szegedy et al. 2015); a cut of 0: there is none
    one: int  # out of the 1×1 branch
    cut3: int  # of the 1×1 before the 3×3
    three: int
    cut5: int  # of the 1×1 before the 5×5
    five: int
    pooled: int  # of the 1×1 behind the pool

    @property
    def out(self) -> int:
        return self.one + self.three + self.five + self.pooled


class Layer(NamedTuple):
    """Its kind is one of COUNTS below."""

    name: str
    kind: str
    out: int = 0  # channels or units
    k: int = 1  # filter or window
    stride: int = 1
    pad: int = 0
    groups: int = 1
    links: int = 0  # pairs of an input and an output map that are connected; 0: all pairs
    up: bool = False  # a pool's width is rounded up
    branches: Branches | None = None


class Row(NamedTuple):
    """What a layer makes of its input and what that costs."""

    layer: Layer
    into: Shape
    shape: Shape  # of the output
    parameters: int
    multiplications: int
    dense: int = 0  # parameters in dense layers
    norm: bool = False  # batch norm, a scale and a shift per channel, in place of a convolution's bias

    @property
    def name(self) -> str:
        return self.layer.name


class Cost(NamedTuple):
    parameters: int
    multiplications: int


def total(rows: Sequence[Row]) -> Cost:
    return Cost(sum(row.parameters for row in rows), sum(row.multiplications for row in rows))


# ------------------------------------------------------------------------------------------------- the cost of a layer


def fit(width: int, f: int, stride: int, pad: int) -> float:
    """(W − F + 2P)/S + 1, not yet rounded."""
    return (width - f + 2 * pad) / stride + 1


def size(layer: Layer, width: int) -> int:
    """The width of a layer's output."""
    exact = fit(width, layer.k, layer.stride, layer.pad)
    return int(-(-exact // 1)) if layer.up else int(exact)


def conv(layer: Layer, into: Shape, norm: bool) -> Row:
    c, h, _ = into
    side = size(layer, h)
    links = layer.links or c // layer.groups * layer.out
    weights = layer.k**2 * links
    shifts = 2 * layer.out if norm else layer.out
    return Row(layer, into, (layer.out, side, side), weights + shifts, side * side * weights, norm=norm)


def pool(layer: Layer, into: Shape, norm: bool) -> Row:
    """The maximum of every window."""
    c, h, _ = into
    side = size(layer, h)
    return Row(layer, into, (c, side, side), parameters=0, multiplications=0)


def subsample(layer: Layer, into: Shape, norm: bool) -> Row:
    """The sum of every window, times a scale plus a bias, both learned (LeCun et al. 1998)."""
    c, h, _ = into
    side = size(layer, h)
    return Row(layer, into, (c, side, side), parameters=2 * c, multiplications=c * side * side)


def whole_maps(layer: Layer, into: Shape, norm: bool) -> Row:
    """One value per map."""
    return Row(layer, into, (into[0], 1, 1), parameters=0, multiplications=0)


def connected(layer: Layer, into: Shape, norm: bool) -> Row:
    """Every unit of the maps that a convolution would make, joined to every input."""
    c, h, w = into
    side = h - layer.k + 1
    n, m = c * h * w, layer.out * side * side
    return Row(layer, into, (layer.out, side, side), (n + 1) * m, n * m, dense=(n + 1) * m)


def dense(layer: Layer, into: Shape, norm: bool) -> Row:
    c, h, w = into
    n, m = c * h * w, layer.out
    return Row(layer, into, (m, 1, 1), (n + 1) * m, n * m, dense=(n + 1) * m)


def fixed(layer: Layer, into: Shape, norm: bool) -> Row:
    """Distances to patterns that are not learned (LeCun et al. 1998)."""
    c, h, w = into
    return Row(layer, into, (layer.out, 1, 1), parameters=0, multiplications=c * h * w * layer.out)


class Filters(NamedTuple):  # of one convolution inside a branch
    k: int
    c: int  # channels in
    out: int

    @property
    def weights(self) -> int:
        return self.k**2 * self.c * self.out


class Branch(NamedTuple):
    name: str
    chain: list[Filters]

    def cost(self, places: int, norm: bool = False) -> Cost:
        """Of its convolutions on maps of so many places."""
        weights = sum(filters.weights for filters in self.chain)
        shifts = sum(filters.out for filters in self.chain) * (2 if norm else 1)
        return Cost(weights + shifts, places * weights)


def branches_of(layer: Layer, c: int) -> list[Branch]:
    """The four branches of an inception module on c channels."""
    b, k = layer.branches, layer.k
    return [
        Branch("1×1", [Filters(1, c, b.one)]),
        Branch("3×3", behind_cut(c, b.cut3, 3, b.three)),
        Branch(f"{k}×{k}", behind_cut(c, b.cut5, k, b.five)),
        Branch("pooled", [Filters(1, c, b.pooled)]),
    ]


def behind_cut(c: int, cut: int, k: int, out: int) -> list[Filters]:
    """A k×k convolution, on `cut` channels that a 1×1 convolution has made of the c."""
    return [Filters(1, c, cut), Filters(k, cut, out)] if cut else [Filters(k, c, out)]


def inception(layer: Layer, into: Shape, norm: bool) -> Row:
    c, h, w = into
    costs = [branch.cost(h * w, norm) for branch in branches_of(layer, c)]
    parameters = sum(cost.parameters for cost in costs)
    multiplications = sum(cost.multiplications for cost in costs)
    return Row(layer, into, (layer.branches.out, h, w), parameters, multiplications, norm=norm)


class Head(NamedTuple):  # parameters of an auxiliary head
    cut: int  # a 1×1 convolution to 128 channels, on maps averaged to 4×4
    inner: int  # a dense layer of 1024 units
    last: int  # a dense layer of 1000


def head_of(c: int, norm: bool) -> Head:
    return Head(c * 128 + 128 * (2 if norm else 1), (16 * 128 + 1) * 1024, (1024 + 1) * 1000)


def head(layer: Layer, into: Shape, norm: bool) -> Row:
    """An auxiliary classifier half-way up; the next layer gets what it got."""
    parts = head_of(into[0], norm)
    multiplications = 16 * into[0] * 128 + 16 * 128 * 1024 + 1024 * 1000
    return Row(layer, into, (1000, 1, 1), sum(parts), multiplications, dense=parts.inner + parts.last, norm=norm)


COUNTS = {
    "conv": conv,
    "pool": pool,
    "subsample": subsample,
    "global": whole_maps,
    "connected": connected,
    "dense": dense,
    "fixed": fixed,
    "inception": inception,
    "head": head,
}


def count(layers: Sequence[Layer], shape: Shape, norm: bool = False) -> list[Row]:
    """Every layer's output and cost on an input of this shape."""
    rows = []
    for layer in layers:
        row = COUNTS[layer.kind](layer, shape, norm)
        rows.append(row)
        if layer.kind != "head":
            shape = row.shape
    return rows


# --------------------------------------------------------------------------------------------------- the published nets

INCEPTIONS = {  # Szegedy et al. 2015, table 1
    "3a": Branches(64, 96, 128, 16, 32, 32),
    "3b": Branches(128, 128, 192, 32, 96, 64),
    "4a": Branches(192, 96, 208, 16, 48, 64),
    "4b": Branches(160, 112, 224, 24, 64, 64),
    "4c": Branches(128, 128, 256, 24, 64, 64),
    "4d": Branches(112, 144, 288, 32, 64, 64),
    "4e": Branches(256, 160, 320, 32, 128, 128),
    "5a": Branches(256, 160, 320, 32, 128, 128),
    "5b": Branches(384, 192, 384, 48, 128, 128),
}


def fully(name: str, *units: int, first: int = 1) -> list[Layer]:
    """Dense layers of so many units, numbered from `first`."""
    return [Layer(f"{name} {n}", "dense", out) for n, out in enumerate(units, start=first)]


def lenet(today: bool = False, all_dense: bool = False) -> list[Layer]:
    """LeCun et al. 1998, on (1, 32, 32), where C3 joins each map to 3, 4 or 6 below it; today: as in tutorials."""
    maps = "connected" if all_dense else "conv"
    smaller = "pool" if today else "subsample"
    return [
        Layer("C1", maps, out=6, k=5),
        Layer("S2", smaller, k=2, stride=2),
        Layer("C3", maps, out=16, k=5, links=0 if today else 60),
        Layer("S4", smaller, k=2, stride=2),
        Layer("C5", "dense" if today else maps, out=120, k=5),
        Layer("F6", "dense", out=84),
        Layer("output", "dense" if today else "fixed", out=10),
    ]


def alexnet(today: bool = False, padding: int = 2) -> list[Layer]:
    """Krizhevsky et al. 2012, on (3, 224, 224), in two halves; today: one tower, Krizhevsky 2014."""
    one, two, three, four, five = (64, 192, 384, 256, 256) if today else (96, 256, 384, 384, 256)
    halves = 1 if today else 2
    return [
        Layer("conv 1", "conv", out=one, k=11, stride=4, pad=padding),
        Layer("pool 1", "pool", k=3, stride=2),
        Layer("conv 2", "conv", out=two, k=5, pad=2, groups=halves),
        Layer("pool 2", "pool", k=3, stride=2),
        Layer("conv 3", "conv", out=three, k=3, pad=1),
        Layer("conv 4", "conv", out=four, k=3, pad=1, groups=halves),
        Layer("conv 5", "conv", out=five, k=3, pad=1, groups=halves),
        Layer("pool 5", "pool", k=3, stride=2),
        *fully("fc", 4096, 4096, 1000, first=6),
    ]


def vgg16(large: bool = False) -> list[Layer]:
    """Simonyan and Zisserman 2015, configuration D, on (3, 224, 224); large: one filter in place of each stack."""
    layers = []
    for block, (depth, out) in enumerate([(2, 64), (2, 128), (3, 256), (3, 512), (3, 512)], start=1):
        if large:
            layers.append(Layer(f"conv {block}.1", "conv", out, k=2 * depth + 1, pad=depth))
        else:
            layers += [Layer(f"conv {block}.{n}", "conv", out, k=3, pad=1) for n in range(1, depth + 1)]
        layers.append(Layer(f"pool {block}", "pool", k=2, stride=2))
    return [*layers, *fully("fc", 4096, 4096, 1000, first=6)]


def googlenet(today: bool = False, cuts: bool = True, heads: bool = False) -> list[Layer]:
    """Szegedy et al. 2015, on (3, 224, 224); today: as in torchvision, which has 3×3 filters in place of the 5×5."""
    half = Layer("", "pool", k=3, stride=2, up=True)
    layers = [
        Layer("conv 1", "conv", out=64, k=7, stride=2, pad=3),
        half._replace(name="pool 1"),
        Layer("conv 2a", "conv", out=64),
        Layer("conv 2b", "conv", out=192, k=3, pad=1),
        half._replace(name="pool 2"),
    ]
    for name, branches in INCEPTIONS.items():
        if not cuts:
            branches = branches._replace(cut3=0, cut5=0)
        layers.append(Layer(name, "inception", k=3 if today else 5, branches=branches))
        if name in ("3b", "4e"):
            layers.append(half._replace(name=f"pool {name[0]}"))
        if heads and name in ("4a", "4d"):
            layers.append(Layer(f"head {name}", "head"))
    return [*layers, Layer("average", "global"), Layer("fc", "dense", out=1000)]
