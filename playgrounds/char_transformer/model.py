"""A decoder-only Transformer on characters: all positions are trained in one pass, writing takes a pass a character."""

from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import pairwise
from math import ceil, log
from typing import Annotated, Literal, NamedTuple

import numpy as np

from playgrounds import kit
from playgrounds._transformer import PARTS, Architecture, Part, Tensor, Weights, initial, size, through, weight_shapes
from playgrounds.kit import Metric, knob
from playgrounds.kit.nn import softmax
from playgrounds.kit.training import finite, kept, remembered

PROVERBS = (
    "all is well that ends well. all that glitters is not gold. all roads lead to rome. a friend in need is a friend "
    "indeed. a watched pot never boils. time is money. time will tell. look before you leap. better late than never. "
)
BATCH, FILM = 16, 30  # windows of the text per step of Adam; states of the training, about
PROBES = 8  # windows, evenly spread over the text, on which the loss is measured
SAMPLE = 40  # characters of a sample during training
GRAM = 6  # a written character counts as copied if it ends a run of so many that stands in the text
HUGE = 1e30  # float32 ends at 3e38


class Params(kit.Params):
    text: str = knob(PROVERBS, 0, 1000, label="Text to learn", help="a ring: after its end comes its beginning")
    prompt: str = knob("all ", 0, 40, label="Prompt", help="what the written text begins with")
    parts: tuple[Part, ...] = knob(PARTS, label="Parts", help="leave one out to see what it is there for")
    rate: float = knob(0.01, 0.0001, 1, label="Learning rate η", help="of Adam", log=True)
    temperature: float = knob(0.7, 0.1, 5, label="Temperature τ", help="divides the logits before softmax", log=True)
    top_k: int = knob(0, 0, 10, label="Top k", help="only the k most probable can be drawn; 0: all")
    seed: int = knob(1, 0, 9999, label="Seed", help="decides weights, batches and draws")
    layers: int = knob(1, 1, 4, label="Layers", more=True)
    heads: Literal[1, 2, 4] = knob(2, label="Heads", more=True)
    width: Literal[8, 16, 32, 48] = knob(32, label="Width d", help="of the vector of a token", more=True)
    context: int = knob(32, 4, 32, label="Context T", help="characters that the net reads at most", step=4, more=True)
    steps: int = knob(
        240, 10, 300, label="Training steps", help=f"of Adam, {BATCH} windows of the text each", step=10, more=True
    )
    write: int = knob(60, 1, 60, label="Characters to write", more=True)

    @property
    def learned(self) -> str:
        return self.text or "?"

    @property
    def length(self) -> int:
        return len(kept(self.steps, FILM)) + self.write


class State(NamedTuple):
    step: int  # of the training, then one more for every character written
    parameters: Annotated[int, Metric("parameters", "count")]
    # cross-entropy per character, all of a window's in one pass
    loss: Annotated[float, Metric("loss, all at once", shown=True)]
    # of the same characters, each from nothing but those before it
    writing_loss: Annotated[float, Metric("loss, one at a time", shown=True)]
    # written characters that end a run of GRAM that stands in the text
    copied: Annotated[float, Metric("written as in the text", "%", shown=True)]
    passes: Annotated[int, Metric("forward passes to write", "count")]
    written: str  # with the prompt
    probabilities: np.ndarray  # (2, characters): of the next one, by the net, and with τ and top k
    drawn: str  # the one that was
    attention: np.ndarray  # (layers, heads, T, T)
    # Of the last pass that wrote: what it read, where its last position looked, what it expected, what was drawn.
    read: str
    looks: np.ndarray  # (layers, heads, T)
    expected: np.ndarray  # (2, characters)
    newest: str
    diverged: bool = False  # whether a weight or the loss is no longer a finite number


# ------------------------------------------------------------------------------------------------------ the model


def architecture(p: Params) -> Architecture:
    return Architecture(
        parts=p.parts,
        layers=p.layers,
        heads=p.heads,
        width=p.width,
        vocabulary=len(set(p.learned)),
        context=p.context,
    )


def predict(net: Architecture, w: Weights, ids: Tensor) -> tuple[Tensor, list[Tensor]]:
    """Logits of the character after each of ids (batch, n), in one pass: (batch, n, characters); the attention maps."""
    from torch.nn.functional import linear

    x = w["characters"][ids]
    if "positions" in net.parts:
        x = x + w["positions"][: ids.shape[1]]
    x, maps = through(net, w, "decoder", x)
    return linear(x, w["head.weight"], w["head.bias"]), maps


def padded(net: Architecture, maps: Sequence[Tensor]) -> np.ndarray:
    """Attention weights of one window, (layers, heads, T, T); 0 where it is shorter, or the net has no attention."""
    found = np.zeros((net.layers, net.heads, net.context, net.context), np.float16)
    for layer, attention in enumerate(maps):
        n = attention.shape[-1]
        found[layer, :, :n, :n] = attention[0].numpy()
    return found


# ------------------------------------------------------------------------------------------- it learns a text ...


def in_parallel(net: Architecture, w: Weights, windows: Tensor) -> Tensor:
    """Mean cross-entropy of windows (batch, n + 1): one pass predicts their characters 2 to n + 1."""
    from torch.nn.functional import cross_entropy

    logits, _ = predict(net, w, windows[:, :-1])
    return cross_entropy(logits.flatten(0, 1), windows[:, 1:].flatten())


def one_at_a_time(net: Architecture, w: Weights, windows: Tensor) -> float:
    """The same, each character predicted from a window that ends before it, as in writing: n passes."""
    from torch.nn.functional import cross_entropy

    losses = []
    for n in range(1, windows.shape[1]):
        logits, _ = predict(net, w, windows[:, :n])
        losses.append(cross_entropy(logits[:, -1], windows[:, n]).item())
    return float(np.mean(losses))


class Checkpoint(NamedTuple):
    step: int
    loss: float
    writing_loss: float
    w: Weights
    attention: np.ndarray  # on the first window of the text


@remembered  # another prompt or temperature needs no other training
def training(net: Architecture, text: str, rate: float, steps: int, seed: int) -> Iterator[Checkpoint | None]:
    """Adam on random windows of the text, every position of which is an example."""
    import torch

    rng = np.random.default_rng(seed)
    vocabulary = sorted(set(text))
    ring = torch.tensor([vocabulary.index(c) for c in text * ceil(1 + net.context / len(text))])
    window = torch.arange(net.context + 1)
    probes = ring[torch.arange(PROBES)[:, None] * len(text) // PROBES + window]
    w = initial(net, rng)
    optimizer = torch.optim.Adam(w.values(), lr=rate, fused=True)
    film = set(kept(steps, FILM))
    for step in range(steps + 1):
        if step:
            starts = torch.from_numpy(rng.integers(0, len(text), BATCH))
            optimizer.zero_grad()
            in_parallel(net, w, ring[starts[:, None] + window]).backward()
            optimizer.step()
            yield None
        if step in film:
            with torch.no_grad():
                loss = in_parallel(net, w, probes).item()
                writing_loss = one_at_a_time(net, w, probes)
                _, maps = predict(net, w, probes[:1, :-1])
            yield Checkpoint(
                step=step,
                loss=loss,
                writing_loss=writing_loss,
                w={name: x.detach().clone() for name, x in w.items()},
                attention=padded(net, maps),
            )


# ------------------------------------------------------------------------------------------------ ... and writes it


class Drawn(NamedTuple):
    """A character, and what it was drawn from."""

    ids: list[int]  # all so far, this one at the end
    probabilities: np.ndarray  # (2, characters): by the net, and as drawn
    attention: np.ndarray


def distribution(logits: np.ndarray, temperature: float, top_k: int) -> np.ndarray:
    """softmax(z / τ) over the k largest logits, over all for k = 0."""
    z = logits / temperature
    if top_k:
        z[np.argsort(-z, kind="stable")[top_k:]] = -np.inf
    return softmax(z)


def writer(p: Params, w: Weights, prompt: list[int], rng: np.random.Generator) -> Iterator[Drawn]:
    """Read, draw a character, append it, read everything again: a forward pass for each."""
    import torch

    ids, net = prompt, architecture(p)
    while True:
        with torch.no_grad():
            logits, maps = predict(net, w, torch.tensor([ids[-net.context :]]))
        z = logits[0, -1].double().numpy()
        probabilities = np.array([distribution(z, 1, 0), distribution(z, p.temperature, p.top_k)])
        ids = [*ids, int(rng.choice(len(z), p=probabilities[1]))]
        yield Drawn(ids, probabilities, padded(net, maps))


def copied(text: str, written: str, start: int) -> float:
    """Share of written[start:] that ends a run of GRAM characters which stands in the text, read as a ring."""
    ring = text * ceil(1 + GRAM / len(text))
    runs = [written[max(0, i + 1 - GRAM) : i + 1] in ring for i in range(start, len(written))]
    return float(np.mean(runs)) if runs else 0.0


class Entropies(NamedTuple):
    """The losses of one who guesses, or knows of a text ..."""

    guessing: float
    letters: float  # how frequent each character is
    pairs: float  # what follows each of them


def entropies(text: str) -> Entropies:
    """Of the characters of a text, read as a ring, in nats."""
    ones, twos, n = Counter(text), Counter(pairwise(text + text[0])), len(text)
    letters = -sum(c / n * log(c / n) for c in ones.values())
    pairs = -sum(c / n * log(c / ones[first]) for (first, _), c in twos.items())
    return Entropies(log(len(ones)), letters, pairs)


def run(p: Params) -> Iterator[State | None]:
    """A sample at every checkpoint of the training; then the trained net's text, a character a state."""
    import torch

    torch.set_num_threads(1)  # so small a net is faster on one
    net = architecture(p)
    vocabulary = sorted(set(p.learned))
    prompt = [vocabulary.index(c) for c in p.prompt if c in vocabulary] or [vocabulary.index(p.learned[0])]

    def state(at: Checkpoint, passes: int, drawn: Drawn, last: Drawn, attention: np.ndarray) -> State:
        written = "".join(vocabulary[i] for i in last.ids)
        read = written[:-1][-p.context :]
        return State(
            step=at.step + passes,
            parameters=size(weight_shapes(net)),
            loss=at.loss,
            writing_loss=at.writing_loss,
            copied=copied(p.learned, written, len(prompt)),
            passes=passes,
            written=written,
            probabilities=drawn.probabilities,
            drawn=vocabulary[drawn.ids[-1]],
            attention=attention,
            read=read,
            looks=last.attention[:, :, len(read) - 1],
            expected=last.probabilities,
            newest=written[-1],
        )

    samples: list[State] = []
    for at in training(net, p.learned, p.rate, p.steps, p.seed):
        yield None
        if at is None:
            continue
        if not finite(at.loss, at.writing_loss, *(x.numpy() for x in at.w.values()), most=HUGE):
            yield samples[-1]._replace(step=at.step, loss=at.loss, writing_loss=at.writing_loss, diverged=True)
            return
        trained = at
        hand = writer(p, at.w, prompt, np.random.default_rng([p.seed, 1]))  # the same luck at every checkpoint
        sample = [next(hand) for _ in range(SAMPLE)]
        samples.append(state(at, 0, sample[0], sample[-1], at.attention))
        yield samples[-1]

    hand = writer(p, trained.w, prompt, np.random.default_rng([p.seed, 2]))
    for passes in range(1, p.write + 1):
        drawn = next(hand)
        yield state(trained, passes, drawn, drawn, drawn.attention)
