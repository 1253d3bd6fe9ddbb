"""The parameters of BERT, part by part, as in the nets that Google published."""

from collections.abc import Iterator
from typing import Annotated, Literal, NamedTuple

from playgrounds import kit
from playgrounds.kit import Metric, knob


class Size(NamedTuple):
    layers: int
    width: int


SIZES = {  # Devlin et al. 2019, and the smaller ones of Turc et al. 2019
    "tiny": Size(2, 128),
    "mini": Size(4, 256),
    "small": Size(4, 512),
    "medium": Size(8, 512),
    "base": Size(12, 768),
    "large": Size(24, 1024),
}
KINDS = ("embeddings", "attention", "feed-forward", "layer norms", "pooler")


class Params(kit.Params):
    size: Literal[tuple(SIZES)] = knob("base", label="BERT")
    vocabulary: Literal[28996, 30522, 119547] = knob(
        30522, label="Vocabulary", help="of BERT cased, uncased, multilingual"
    )

    @property
    def length(self) -> int:
        return SIZES[self.size].layers + 5


class State(NamedTuple):
    step: int
    parameters: Annotated[int, Metric("parameters so far", "count", shown=True)]
    counts: dict[str, int]  # of each kind so far


class Part(NamedTuple):
    """A part of BERT: its parameters by kind, and how they are counted."""

    name: str
    counts: dict[str, int]
    formula: str

    @property
    def total(self) -> int:
        return sum(self.counts.values())


def bert(size: str, vocabulary: int) -> list[Part]:
    """The parts of BERT in the order of the forward pass; the heads of pre-training are not counted."""
    layers, d = SIZES[size]
    attention = 4 * (d * d + d)
    feed_forward = d * 4 * d + 4 * d + 4 * d * d + d
    norms = 2 * 2 * d
    layer = (
        f"query, key, value, output 4 · ({d:,}² + {d:,}) = {attention:,}; feed-forward {d:,} · {4 * d:,} + {4 * d:,} + "
        f"{4 * d:,} · {d:,} + {d:,} = {feed_forward:,}; two layer norms 2 · 2 · {d:,} = {norms:,}"
    )
    counts = {"attention": attention, "feed-forward": feed_forward, "layer norms": norms}
    return [
        Part("word embeddings", {"embeddings": vocabulary * d}, f"{vocabulary:,} words · {d:,}"),
        Part("position embeddings", {"embeddings": 512 * d}, f"512 places · {d:,}"),
        Part("segment embeddings", {"embeddings": 2 * d}, f"2 segments · {d:,}"),
        Part("their layer norm", {"embeddings": 2 * d}, f"gain and shift, 2 · {d:,}"),
        *(Part(f"layer {i}", counts, layer) for i in range(1, layers + 1)),
        Part("pooler", {"pooler": d * d + d}, f"a linear layer over the first token, {d:,}² + {d:,}"),
    ]


def run(p: Params) -> Iterator[State]:
    """One part of BERT a state."""
    so_far = dict.fromkeys(KINDS, 0)
    for step, part in enumerate(bert(p.size, p.vocabulary), start=1):
        for kind, n in part.counts.items():
            so_far[kind] += n
        yield State(step=step, parameters=sum(so_far.values()), counts=dict(so_far))
