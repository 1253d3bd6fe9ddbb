"""Which inputs of a Transformer reach which outputs: Jacobian blocks by backpropagation, and an edit of one input."""

from collections.abc import Iterator
from typing import Annotated, Literal, NamedTuple

import numpy as np

from playgrounds import kit
from playgrounds._transformer import PARTS, Architecture, Part, Tensor, Weights, initial, size, through, weight_shapes
from playgrounds.kit import Metric, knob

WORDS = 8  # of a sentence: as many as the picture has room for


class Params(kit.Params):
    stack: Literal["encoder", "decoder", "encoder-decoder"] = knob("decoder", label="Kind")
    sentence: str = knob("the cat sat on the old mat", 0, 80, label="Input words", help=f"up to {WORDS}")
    target: str = knob(
        "die Katze saß auf der alten Matte",
        0,
        80,
        label="Decoder's words",
        help=f"up to {WORDS}",
        when=lambda p: p.stack == "encoder-decoder",
    )
    edit: int = knob(
        5,
        1,
        2 * WORDS,
        label="Edited input",
        help="which one gets another vector; the decoder's words are counted after the encoder's",
    )
    parts: tuple[Part, ...] = knob(PARTS, label="Parts", help="leave one out to see what it is there for")
    seed: int = knob(1, 0, 9999, label="Seed", help="decides the weights and the words' vectors")
    layers: int = knob(1, 1, 4, label="Layers", more=True)
    heads: Literal[1, 2, 4] = knob(2, label="Heads", more=True)
    width: Literal[8, 16, 32, 48] = knob(32, label="Width d", help="of the vector of a token", more=True)

    @property
    def words(self) -> dict[str, list[str]]:
        """What each stack reads, a word per token."""
        stacks = ("encoder", "decoder") if self.stack == "encoder-decoder" else (self.stack,)
        texts = zip(stacks, (self.sentence, self.target), strict=False)
        return {stack: text.split()[:WORDS] or ["?"] for stack, text in texts}

    @property
    def length(self) -> int:
        return sum(map(len, self.words.values()))


class State(NamedTuple):
    step: int  # number of the output that is measured
    parameters: Annotated[int, Metric("parameters", "count")]
    reached: Annotated[int, Metric("linked pairs so far", "count", shown=True)]
    blocks: Annotated[int, Metric("pairs measured so far", "count")]
    later: Annotated[int, Metric("of these from a later word", "count", shown=True)]
    # the largest relative change of an output before the edited input, in its own sequence
    earlier_change: Annotated[float, Metric("largest change before the edited word", "%", shown=True)]
    attention: np.ndarray  # (outputs, inputs), layer 1, mean of the heads
    jacobian: np.ndarray  # (outputs, inputs): Frobenius norm of each block
    changes: np.ndarray  # (outputs,): |change| / |output| by the edit


class Token(NamedTuple):
    stack: str
    place: int  # in its own sequence
    word: str


def tokens(p: Params) -> list[Token]:
    """All inputs, those of the encoder first."""
    return [Token(stack, place, word) for stack, words in p.words.items() for place, word in enumerate(words)]


def edited(p: Params) -> int:
    """The index of the edited input among all of them."""
    return min(p.edit, p.length) - 1


def architecture(p: Params) -> Architecture:
    return Architecture(parts=p.parts, layers=p.layers, heads=p.heads, width=p.width, stacks=tuple(p.words))


def encode(
    net: Architecture, w: Weights, x: dict[str, Tensor], positions: dict[str, Tensor]
) -> tuple[Tensor, np.ndarray]:
    """Outputs (tokens, d) of all stacks for their vectors x (n, d), and the mean attention of the heads of layer 1."""
    import torch

    count = sum(len(vectors) for vectors in x.values())
    weights = np.zeros((count, count))
    memory, outputs, low = None, [], 0
    for stack, vectors in x.items():
        high = low + len(vectors)
        if "positions" in net.parts:
            vectors = vectors + positions[stack]
        memory, maps = through(net, w, stack, vectors[None], memory)
        outputs.append(memory[0])
        if maps:
            weights[low:high, low:high] = maps[0][0].mean(0).detach().numpy()
        if maps and low:  # the decoder of an encoder-decoder: its second map is that of cross-attention
            weights[low:high, :low] = maps[1][0].mean(0).detach().numpy()
        low = high
    return torch.cat(outputs), weights


def run(p: Params) -> Iterator[State | None]:
    """One output a state: its Jacobian blocks with respect to every input, by backpropagation; an edit of one input."""
    import torch

    torch.set_num_threads(1)  # so small a net is faster on one
    rng, net, inputs = np.random.default_rng(p.seed), architecture(p), tokens(p)
    w = initial(net, rng)
    meaning = {word: rng.normal(size=p.width) for word in dict.fromkeys(token.word for token in inputs)}
    x, positions = {}, {}
    for stack, words in p.words.items():
        x[stack] = torch.tensor(np.array([meaning[word] for word in words]), requires_grad=True)
        positions[stack] = torch.tensor(rng.normal(size=(len(words), p.width)))
    y, attention = encode(net, w, x, positions)

    at = edited(p)
    stack, place, _ = inputs[at]
    other = {name: vectors.detach().clone() for name, vectors in x.items()}
    other[stack][place] = torch.tensor(rng.normal(size=p.width))
    y_other, _ = encode(net, w, other, positions)
    changes = (y_other - y).detach().norm(dim=1) / y.detach().norm(dim=1)
    earlier = changes[at - place : at]  # outputs before the edited input, in its own sequence

    rows = []
    unit = torch.eye(p.width, dtype=y.dtype)  # one backward pass per component of an output, all at once
    for output in y:
        slopes = torch.autograd.grad(
            output,
            list(x.values()),
            unit,
            retain_graph=True,
            is_grads_batched=True,
            allow_unused=True,
            materialize_grads=True,
        )
        rows.append(torch.cat(slopes, dim=1).norm(dim=(0, 2)).numpy())  # |∂output/∂x_j| for every input j
        yield None
    jacobian = np.array(rows)
    after = np.array([[b.stack == a.stack and b.place > a.place for b in inputs] for a in inputs])
    for row in range(1, len(inputs) + 1):
        hit = jacobian[:row] > 0
        yield State(
            step=row,
            parameters=size(weight_shapes(net)),
            reached=int(hit.sum()),
            blocks=hit.size,
            later=int((hit & after[:row]).sum()),
            earlier_change=float(max(earlier, default=0)),
            attention=attention,
            jacobian=jacobian,
            changes=changes.numpy(),
        )
