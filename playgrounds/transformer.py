"""A tiny Transformer learns a text by heart and writes it back; or, untrained, shows which inputs reach which outputs.

Left out: dropout, warm-up, a held-out text (this one is to be memorized), a cache of keys and values, beam search, and
the training of an encoder-decoder.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from html import escape
from itertools import chain, pairwise
from math import ceil, log, prod, sqrt
from typing import Any, Literal, NamedTuple

import numpy as np

from playgrounds import kit
from playgrounds.kit import fails, knob, works
from playgrounds.kit.figures import (
    Figure,
    Panel,
    axes,
    box,
    chips,
    figure,
    label,
    legend,
    lines,
    paint,
    points,
    rule,
    segment,
)
from playgrounds.kit.palette import BLUE, FAINT, INK, MUTED, ORANGE, PAPER
from playgrounds.kit.training import finite, kept, remembered
from playgrounds.kit.words import counted, number

PROVERBS = (
    "all is well that ends well. all that glitters is not gold. all roads lead to rome. a friend in need is a friend "
    "indeed. a watched pot never boils. time is money. time will tell. look before you leap. better late than never. "
)
PARTS = ("attention", "feed-forward", "residuals", "layer norm", "positions", "causal mask")
BATCH, FILM = 16, 30  # windows of the text per step of Adam; states of the training, about
PROBES = 8  # windows, evenly spread over the text, on which the loss is measured
SAMPLE = 40  # characters of a sample during training
GRAM = 6  # a written character counts as copied if it ends a run of so many that stands in the text
WORDS, LETTERS = 8, 40  # words of a sentence, characters of a vocabulary: as many as the picture has room for
HUGE = 1e30  # float32 ends at 3e38
PAUSE = 2  # steps of training after which others may have their turn

Weights = dict[str, Any]  # tensors by name


def text_view(p: "Params") -> bool:
    return p.show == "text"


def influence_view(p: "Params") -> bool:
    return p.show == "influence"


class Params(kit.Params):
    show: Literal["text", "influence"] = knob("text", label="Show",
        help="text: a decoder learns a text and writes; influence: gradients of the outputs by the inputs")  # fmt: skip
    stack: Literal["encoder", "decoder", "encoder-decoder"] = knob("decoder", label="Kind", when=influence_view)
    text: str = knob(PROVERBS, 0, 1000, label="Text to learn", help="a ring: after its end comes its beginning",
                     when=text_view)  # fmt: skip
    prompt: str = knob("all ", 0, 40, label="Prompt", help="what the written text begins with", when=text_view)
    sentence: str = knob("the cat sat on the old mat", 0, 80, label="Input words", help=f"up to {WORDS}",
                         when=influence_view)  # fmt: skip
    target: str = knob("die Katze saß auf der alten Matte", 0, 80, label="Decoder's words", help=f"up to {WORDS}",
                       when=lambda p: influence_view(p) and p.stack == "encoder-decoder")  # fmt: skip
    edit: int = knob(5, 1, 2 * WORDS, label="Edited input", when=influence_view,
        help="which one gets another vector; the decoder's words are counted after the encoder's")  # fmt: skip
    parts: tuple[Literal[PARTS], ...] = knob(PARTS, label="Parts", help="leave one out to see what it is there for")
    rate: float = knob(0.01, 0.0001, 1, label="Learning rate η", help="of Adam", log=True, when=text_view)
    temperature: float = knob(0.7, 0.1, 5, label="Temperature τ", help="divides the logits before softmax", log=True,
                              when=text_view)  # fmt: skip
    top_k: int = knob(0, 0, 10, label="Top k", help="only the k most probable can be drawn; 0: all", when=text_view)
    seed: int = knob(1, 0, 9999, label="Seed", help="decides weights, batches and draws")
    layers: int = knob(1, 1, 4, label="Layers", more=True)
    heads: Literal[1, 2, 4] = knob(2, label="Heads", more=True)
    width: Literal[8, 16, 32, 48] = knob(32, label="Width d", help="of the vector of a token", more=True)
    context: int = knob(32, 4, 32, label="Context T", help="characters that the net reads at most", step=4, more=True,
                        when=text_view)  # fmt: skip
    steps: int = knob(240, 10, 300, label="Training steps", help=f"of Adam, {BATCH} windows of the text each", step=10,
                      more=True, when=text_view)  # fmt: skip
    write: int = knob(60, 1, 60, label="Characters to write", more=True, when=text_view)

    @property
    def words(self) -> dict[str, list[str]]:
        """What each stack reads in the influence view, a word per token."""
        stacks = ("encoder", "decoder") if self.stack == "encoder-decoder" else (self.stack,)
        texts = zip(stacks, (self.sentence, self.target), strict=False)
        return {stack: text.split()[:WORDS] or ["?"] for stack, text in texts}

    @property
    def learned(self) -> str:
        return self.text or "?"

    @property
    def length(self) -> int:
        if self.show == "influence":
            return sum(map(len, self.words.values()))
        return len(kept(self.steps, FILM)) + self.write


class State(NamedTuple):
    step: int  # of the training, then one more for every character written; or number of the output measured
    parameters: int
    loss: float | None  # cross-entropy per character, all of a window's in one pass
    writing_loss: float | None  # of the same characters one at a time, each from nothing but those before it
    copied: float | None  # share of the written characters that end a run of GRAM that stands in the text
    passes: float | None  # forward passes that the trained net has made to write
    reached: float | None  # blocks of the Jacobian measured so far that are not zero
    blocks: float | None  # measured so far
    later: float | None  # of those reached: an output and a later input of its own sequence
    earlier_change: float | None  # largest relative change of an output before the edited input, in its own sequence
    note: str
    written: str  # with the prompt
    probabilities: np.ndarray  # (2, characters): of the next one, by the net, and with τ and top k
    drawn: str  # the one that was
    attention: np.ndarray  # text: (layers, heads, T, T); influence: (outputs, inputs), layer 1, mean of the heads
    jacobian: np.ndarray  # (outputs, inputs): Frobenius norm of each block
    changes: np.ndarray  # (outputs,): |change| / |output| by the edit


# ----------------------------------------------------------------------------------------------------- the Transformer


class Architecture(NamedTuple):
    """What decides the shapes of the weights, and what is done with them."""

    parts: tuple[str, ...]
    layers: int
    heads: int
    width: int  # d, of the vector of a token
    stacks: tuple[str, ...] = ("decoder",)
    vocabulary: int = 0  # characters; 0: the stacks alone, without vectors of characters and without a head
    context: int = 0  # T, characters that are read at most


def architecture(p: Params) -> Architecture:
    shape = p.parts, p.layers, p.heads, p.width
    if p.show == "influence":
        return Architecture(*shape, tuple(p.words))
    return Architecture(*shape, vocabulary=len(set(p.learned)), context=p.context)


def layer_shapes(d: int, cross: bool = False, parts: Sequence[str] = PARTS) -> dict[str, tuple[int, ...]]:
    """The weights of a layer, under the names of torch.nn.TransformerEncoderLayer; with `cross` of the DecoderLayer.

    12 d² + 13 d numbers, with cross-attention 4 d² + 6 d more. The feed-forward net has 4 d units.
    """
    found, attentions = {}, ["self_attn", "multihead_attn"][: 1 + cross] * ("attention" in parts)
    for a in attentions:
        found |= {f"{a}.in_proj_weight": (3 * d, d), f"{a}.in_proj_bias": (3 * d,)}
        found |= {f"{a}.out_proj.weight": (d, d), f"{a}.out_proj.bias": (d,)}
    if "feed-forward" in parts:
        found |= {"linear1.weight": (4 * d, d), "linear1.bias": (4 * d,)}
        found |= {"linear2.weight": (d, 4 * d), "linear2.bias": (d,)}
    if "layer norm" in parts:
        for k in range(1, 1 + len(attentions) + ("feed-forward" in parts)):
            found |= {f"norm{k}.weight": (d,), f"norm{k}.bias": (d,)}
    return found


def weight_shapes(net: Architecture) -> dict[str, tuple[int, ...]]:
    """All weights: vectors of characters and positions, the layers of every stack, the head."""
    d, found = net.width, {}
    if net.vocabulary:
        found["characters"] = (net.vocabulary, d)
    if net.context and "positions" in net.parts:
        found["positions"] = (net.context, d)
    for stack in net.stacks:
        own = layer_shapes(d, net.stacks[0] != stack, net.parts)  # the second stack also reads the first
        found |= {f"{stack}.{k}.{name}": shape for k in range(net.layers) for name, shape in own.items()}
        if "layer norm" in net.parts:
            found |= {f"{stack}.norm.weight": (d,), f"{stack}.norm.bias": (d,)}
    if net.vocabulary:
        found |= {"head.weight": (net.vocabulary, d), "head.bias": (net.vocabulary,)}
    return found


def initial(net: Architecture, rng: np.random.Generator) -> Weights:
    """Matrices with variance 1/fan-in; vectors of characters and positions 0.3; biases and the head 0."""
    import torch

    w, kind = {}, torch.float32 if net.vocabulary else torch.float64  # how much of an edit arrives, to the last bit
    for name, shape in weight_shapes(net).items():
        if len(shape) == 1:
            first = np.full(shape, 1.0 if "norm" in name and name.endswith("weight") else 0.0)
        else:
            size = {"characters": 0.3, "positions": 0.3, "head.weight": 0}.get(name, shape[1] ** -0.5)
            first = rng.normal(0, size, shape)
        w[name] = torch.tensor(first, dtype=kind, requires_grad=True)
    return w


def attend(w: Weights, name: str, x, memory, heads: int, causal: bool) -> tuple:
    """softmax(Q Kᵀ / √d_k) V for all heads (Vaswani et al. 2017); Q from x (batch, n, d), K and V from the memory.

    Returns the output (batch, n, d) and the attention weights (batch, heads, n, m).
    """
    import torch
    from torch.nn.functional import linear

    weights, biases = w[f"{name}.in_proj_weight"].chunk(3), w[f"{name}.in_proj_bias"].chunk(3)
    q, k, v = (
        linear(read, weight, bias).unflatten(-1, (heads, -1)).transpose(1, 2)
        for read, weight, bias in zip((x, memory, memory), weights, biases, strict=True)
    )
    scores = q @ k.transpose(-2, -1) / sqrt(q.shape[-1])
    if causal:  # exp(−∞) = 0: a later token gets no weight at all
        scores = scores.masked_fill(torch.ones(scores.shape[-2:], dtype=torch.bool).triu(1), -torch.inf)
    attention = scores.softmax(-1)
    mixed = (attention @ v).transpose(1, 2).flatten(2)
    return linear(mixed, w[f"{name}.out_proj.weight"], w[f"{name}.out_proj.bias"]), attention


def feed_forward(w: Weights, name: str, x):
    """W₂ ReLU(W₁ x + b₁) + b₂, for every token alone."""
    from torch.nn.functional import linear

    h = linear(x, w[f"{name}.linear1.weight"], w[f"{name}.linear1.bias"]).relu()
    return linear(h, w[f"{name}.linear2.weight"], w[f"{name}.linear2.bias"])


def normalized(w: Weights, name: str, x):
    """Layer normalization, if the net has it."""
    from torch.nn.functional import layer_norm

    known = f"{name}.weight" in w
    return layer_norm(x, x.shape[-1:], w[f"{name}.weight"], w[f"{name}.bias"]) if known else x


def through(net: Architecture, w: Weights, stack: str, x, memory=None) -> tuple:
    """x (batch, n, d) through all layers of a stack: x ← x + Sublayer(LayerNorm(x)), and a LayerNorm at the end.

    memory: what the encoder has made of its input, (batch, m, d). Returns the outputs (batch, n, d) and the weights of
    every attention.
    """
    causal, maps = stack == "decoder" and "causal mask" in net.parts, []
    sublayers = ["self_attn"] * ("attention" in net.parts)
    sublayers += ["multihead_attn"] * ("attention" in net.parts and memory is not None)
    sublayers += ["feed-forward"] * ("feed-forward" in net.parts)
    for layer in range(net.layers):
        for i, sublayer in enumerate(sublayers, start=1):
            h = normalized(w, f"{stack}.{layer}.norm{i}", x)
            if sublayer == "feed-forward":
                y = feed_forward(w, f"{stack}.{layer}", h)
            else:
                own = sublayer == "self_attn"
                read, mask = (h, causal) if own else (memory, False)
                y, attention = attend(w, f"{stack}.{layer}.{sublayer}", h, read, net.heads, mask)
                maps.append(attention)
            x = x + y if "residuals" in net.parts else y
    return normalized(w, f"{stack}.norm", x), maps


def predict(net: Architecture, w: Weights, ids) -> tuple:
    """Logits of the character after each of ids (batch, n), in one pass: (batch, n, characters); the attention maps."""
    from torch.nn.functional import linear

    x = w["characters"][ids]
    if "positions" in net.parts:
        x = x + w["positions"][: ids.shape[1]]
    x, maps = through(net, w, "decoder", x)
    return linear(x, w["head.weight"], w["head.bias"]), maps


# ---------------------------------------------------------------------------------------------------- it learns a text


def in_parallel(net: Architecture, w: Weights, windows):
    """Mean cross-entropy of windows (batch, n + 1): one pass predicts their characters 2 to n + 1."""
    from torch.nn.functional import cross_entropy

    logits, _ = predict(net, w, windows[:, :-1])
    return cross_entropy(logits.flatten(0, 1), windows[:, 1:].flatten())


def one_at_a_time(net: Architecture, w: Weights, windows) -> float:
    """The same, each character predicted from a window that ends before it, as in writing: n passes."""
    from torch.nn.functional import cross_entropy

    ends = range(1, windows.shape[1])
    losses = [cross_entropy(predict(net, w, windows[:, :n])[0][:, -1], windows[:, n]).item() for n in ends]
    return float(np.mean(losses))


class Checkpoint(NamedTuple):
    step: int
    loss: float
    writing_loss: float
    w: Weights
    attention: np.ndarray  # on the first window of the text


@remembered  # another prompt or temperature needs no other training
def training(net: Architecture, text: str, rate: float, steps: int, seed: int) -> Iterator[Checkpoint | None]:
    """Adam on random windows of the text, every position of which is an example; between checkpoints also None."""
    import torch

    rng, vocabulary = np.random.default_rng(seed), sorted(set(text))
    ring = torch.tensor([vocabulary.index(c) for c in text * ceil(1 + net.context / len(text))])
    window = torch.arange(net.context + 1)
    probes = ring[torch.arange(PROBES)[:, None] * len(text) // PROBES + window]
    w = initial(net, rng)
    optimizer = torch.optim.Adam(w.values(), lr=rate, fused=True)
    for step in range(steps + 1):
        if step:
            starts = torch.from_numpy(rng.integers(0, len(text), BATCH))
            optimizer.zero_grad()
            in_parallel(net, w, ring[starts[:, None] + window]).backward()
            optimizer.step()
        if step % PAUSE == 0:
            yield None
        if step in kept(steps, FILM):
            with torch.no_grad():
                losses = in_parallel(net, w, probes).item(), one_at_a_time(net, w, probes)
                maps = predict(net, w, probes[:1, :-1])[1]
            yield Checkpoint(step, *losses, {name: x.detach().clone() for name, x in w.items()}, padded(net, maps))


def padded(net: Architecture, maps: Sequence) -> np.ndarray:
    """Attention weights of one window, (layers, heads, T, T); 0 where it is shorter, or the net has no attention."""
    found = np.zeros((net.layers, net.heads, net.context, net.context), np.float16)
    for k, attention in enumerate(maps):
        n = attention.shape[-1]
        found[k, :, :n, :n] = attention[0].numpy()
    return found


# ------------------------------------------------------------------------------------------------------ and writes one


def distribution(logits: np.ndarray, temperature: float, top_k: int) -> np.ndarray:
    """softmax(z / τ) over the k largest logits, over all for k = 0."""
    z = logits / temperature
    if top_k:
        z[np.argsort(-z, kind="stable")[top_k:]] = -np.inf
    e = np.exp(z - z.max())
    return e / e.sum()


def writer(p: Params, w: Weights, prompt: list[int], rng: np.random.Generator) -> Iterator[tuple]:
    """Read, draw a character, append it, read everything again: a forward pass for each.

    Yields all ids so far, the probabilities (2, characters) of the newest, by the net and as drawn, and the maps.
    """
    import torch

    ids, net = prompt, architecture(p)
    while True:
        with torch.no_grad():
            logits, maps = predict(net, w, torch.tensor([ids[-net.context :]]))
        z = logits[0, -1].double().numpy()
        both = np.array([distribution(z, 1, 0), distribution(z, p.temperature, p.top_k)])
        ids = [*ids, int(rng.choice(len(z), p=both[1]))]
        yield ids, both, padded(net, maps)


def copied(text: str, written: str, start: int) -> float:
    """Share of written[start:] that ends a run of GRAM characters which stands in the text, read as a ring."""
    ring = text * ceil(1 + GRAM / len(text))
    runs = [written[max(0, i + 1 - GRAM) : i + 1] in ring for i in range(start, len(written))]
    return float(np.mean(runs)) if runs else 0.0


def entropies(text: str) -> tuple[float, float, float]:
    """The losses of guessing, of knowing how frequent each character is, and of knowing what follows each of them."""
    ones, twos, n = Counter(text), Counter(pairwise(text + text[0])), len(text)
    alone = -sum(c / n * log(c / n) for c in ones.values())
    return log(len(ones)), alone, -sum(c / n * log(c / ones[first]) for (first, _), c in twos.items())


def run(p: Params) -> Iterator[State | None]:
    """Train, then write; or measure, output by output, which inputs matter."""
    import torch

    torch.set_num_threads(1)  # so small a net is faster on one
    yield from (influences if p.show == "influence" else texts)(p)


def texts(p: Params) -> Iterator[State | None]:
    """A sample at every checkpoint of the training; then the trained net's text, a character a state."""
    net, vocabulary, base = architecture(p), sorted(set(p.learned)), entropies(p.learned)
    prompt = [vocabulary.index(c) for c in p.prompt if c in vocabulary] or [vocabulary.index(p.learned[0])]
    start, size = len(prompt), sum(map(prod, weight_shapes(net).values()))
    none, no_array = (None,) * 4, np.zeros((0, 0))

    def state(at: Checkpoint, passes: int, ids: list[int], both: np.ndarray, drawn: int, maps: np.ndarray) -> State:
        written = "".join(vocabulary[i] for i in ids)
        metrics = size, at.loss, at.writing_loss, copied(p.learned, written, start), passes, *none
        return State(at.step + passes, *metrics, "", written, both, vocabulary[drawn], maps, no_array, no_array)

    now = None
    for at in training(net, p.learned, p.rate, p.steps, p.seed):
        yield None
        if at is None:
            continue
        if not finite(at.loss, at.writing_loss, *(x.numpy() for x in at.w.values()), most=HUGE):
            why = f"Step {at.step}: the loss or a weight is no longer a finite number, the run diverged."
            note = f"{why} η = {p.rate:g} is too large for this net: choose a smaller one."
            yield now._replace(step=at.step, loss=at.loss, writing_loss=at.writing_loss, note=note)
            return
        hand = writer(p, at.w, prompt, np.random.default_rng([p.seed, 1]))  # the same luck at every checkpoint
        sample = [next(hand) for _ in range(SAMPLE)]
        (first, both, _), (ids, *_) = sample[0], sample[-1]
        now = state(at, 0, ids, both, first[-1], at.attention)
        yield (now := now._replace(note=training_note(p, now, base)))
    hand = writer(p, at.w, prompt, np.random.default_rng([p.seed, 2]))
    for passes in range(1, p.write + 1):
        ids, both, maps = next(hand)
        now = state(at, passes, ids, both, ids[-1], maps)
        yield now._replace(note=writing_note(p, now, vocabulary))


def quoted(text: str) -> str:
    """A piece of text in a sentence, on one line."""
    return "“" + "".join(c if c.isprintable() else "·" for c in text) + "”"


def cheats(p: Params, now: State) -> bool:
    """Whether the net is good in training only, because it reads there what it is to predict."""
    return "causal mask" not in p.parts and now.writing_loss > 1.1 * now.loss + 0.05


def training_note(p: Params, now: State, base: tuple) -> str:
    """What one pass predicts, what the loss is worth, whether writing is as good, and a sample."""
    guess, ones, twos = base
    sample = f"It writes {quoted(now.written)}"
    if not now.step:
        return (
            f"{now.parameters:,} first weights, the head's are 0: each of the {len(now.probabilities[0])} characters "
            f"has the same probability, and the loss is log {len(now.probabilities[0])} = {number(now.loss)}. {sample}."
        )  # fmt: skip
    worth = (
        f"worse than guessing ({number(guess)})" if now.loss > guess + 0.05
        else f"about that of knowing how frequent each letter is ({number(ones)})" if now.loss > ones - 0.1
        else f"not yet below that of a table of letter pairs ({number(twos)})" if now.loss > twos
        else f"below that of a table of letter pairs ({number(twos)})"
    )  # fmt: skip
    alike = "the same one at a time"
    if cheats(p, now):
        alike = (
            f"but {number(now.writing_loss)} one at a time: without the mask a position reads the very character that "
            "it is to predict, which is not there in writing"
        )  # fmt: skip
    done = f"Training ends at step {now.step}" if now.step == p.steps else f"Step {now.step}"
    every = f"one pass predicts {BATCH} · {p.context} = {BATCH * p.context} characters"
    return f"{done}; {every}. Loss {number(now.loss)}, {worth}; {alike}. {sample}."


def writing_note(p: Params, now: State, vocabulary: list[str]) -> str:
    """What the net expects, what sampling makes of it, what was drawn."""
    by_net, by_draw = now.probabilities
    order = np.argsort(-by_net, kind="stable")[:3]
    told = ", ".join(f"{quoted(vocabulary[i])} {by_net[i]:.1%}" for i in order)
    sampling = f"τ = {p.temperature:g}" + (f" and k = {p.top_k}" if p.top_k else "")
    read = counted(min(p.context, len(now.written) - 1), "character")
    said = (
        f"Pass {now.passes} of {p.write} reads {read} and gives for the next one {told}. With {sampling} "
        f"{quoted(now.drawn)} has {by_draw[vocabulary.index(now.drawn)]:.1%} and is drawn."
    )
    if now.passes < p.write:
        return said
    grams = f"{now.copied:.0%} of the characters end a run of {GRAM} that stands in the text"
    hope = f", after a loss of {number(now.loss)} in training" if cheats(p, now) else ""
    whole = f"{counted(now.passes, 'pass', 'passes')} for {counted(now.passes, 'character')}"
    return f"{said} {whole}, one after the other: {quoted(now.written)}. {grams}{hope}."


# ------------------------------------------------------------------------------------------- which inputs reach outputs


def encode(net: Architecture, w: Weights, x: dict, positions: dict) -> tuple:
    """Outputs (tokens, d) of all stacks for their vectors x (n, d), and the mean attention of the heads of layer 1."""
    import torch

    ends = np.cumsum([0, *(len(vectors) for vectors in x.values())])
    weights, memory, outputs = np.zeros((ends[-1], ends[-1])), None, []
    for stack, low, high in zip(x, ends, ends[1:], strict=False):
        vectors = x[stack] + positions[stack] if "positions" in net.parts else x[stack]
        memory, maps = through(net, w, stack, vectors[None], memory)
        outputs.append(memory[0])
        for read, attention in zip((slice(low, high), slice(0, low)), maps[: 1 + (low > 0)], strict=False):
            weights[low:high, read] = attention[0].mean(0).detach().numpy()
    return torch.cat(outputs), weights


def influences(p: Params) -> Iterator[State | None]:
    """One output a state: its Jacobian blocks with respect to every input, by backpropagation; an edit of one input.

    None after every block: there is nothing to see before all are known.
    """
    import torch

    rng, net = np.random.default_rng(p.seed), architecture(p)
    w = initial(net, rng)
    tokens = [(stack, i, word) for stack, words in p.words.items() for i, word in enumerate(words)]
    meaning = {word: rng.normal(size=p.width) for word in dict.fromkeys(word for *_, word in tokens)}
    x, positions = {}, {}
    for stack, words in p.words.items():
        x[stack] = torch.tensor(np.array([meaning[word] for word in words]), requires_grad=True)
        positions[stack] = torch.tensor(rng.normal(size=(len(words), p.width)))
    y, weights = encode(net, w, x, positions)

    at, count = min(p.edit, len(tokens)) - 1, len(tokens)
    edited = {stack: vectors.detach().clone() for stack, vectors in x.items()}
    stack, i, _ = tokens[at]
    edited[stack][i] = torch.tensor(rng.normal(size=p.width))
    changes = (encode(net, w, edited, positions)[0] - y).detach().norm(dim=1) / y.detach().norm(dim=1)
    earlier = float(max(changes[at - i : at], default=0))

    order = torch.eye(p.width, dtype=y.dtype)  # one backward pass per component of the output, all at once
    after = np.array([[a[0] == b[0] and b[1] > a[1] for b in tokens] for a in tokens])
    jacobian, size = [], sum(map(prod, weight_shapes(net).values()))
    for output in y:
        slopes = torch.autograd.grad(output, list(x.values()), order, retain_graph=True, is_grads_batched=True,
                                     allow_unused=True, materialize_grads=True)  # fmt: skip
        jacobian.append(torch.cat(slopes, dim=1).norm(dim=(0, 2)).numpy())  # |∂output/∂x_j| for every input j
        yield None
    jacobian = np.array(jacobian)
    for row in range(1, count + 1):
        hit = jacobian[:row] > 0
        counts = int(hit.sum()), row * count, int((hit & after[:row]).sum())
        state = State(row, size, *(None,) * 4, *counts, earlier, "", "", np.zeros((2, 0)), "", weights, jacobian,
                      changes.numpy())  # fmt: skip
        yield state._replace(note=influence_note(p, state, tokens, at))


def numbered(noun: str, at: Sequence[int]) -> str:
    """outputs 1–4, 6 for [0, 1, 2, 3, 5]."""
    runs = []
    for i in at:
        if runs and i == runs[-1][1] + 1:
            runs[-1][1] = i
        else:
            runs.append([i, i])
    said = ", ".join(f"{a + 1}–{b + 1}" if b > a else f"{a + 1}" for a, b in runs)
    return f"{noun}{'s' if len(at) > 1 else ''} {said}"


def influence_note(p: Params, now: State, tokens: list[tuple], at: int) -> str:
    """What this output depends on; at the end how many blocks are not zero, and what the edit has changed."""
    row, (stack, _, word), n = now.jacobian[now.step - 1], tokens[now.step - 1], len(tokens)
    zero = np.flatnonzero(row == 0)
    some = f"{numbered('input', np.flatnonzero(row))}, exactly 0 for {numbered('input', zero)}"
    said = (
        f"Output {now.step} of {n}, {quoted(word)} in the {stack}: its gradient is not 0 for "
        f"{some if len(zero) else f'all {n} inputs' if n > 1 else 'the one input'}."
    )
    if now.step < n:
        return said
    same, moved = np.flatnonzero(now.changes == 0), np.flatnonzero(now.changes)
    edit = f"Editing input {at + 1}, {quoted(tokens[at][2])}, changes {numbered('output', moved)}"
    edit += f", and {numbered('output', same)} by exactly 0." if len(same) else ": all of them." if n > 1 else "."
    triangle = f" = {n} · {n + 1} / 2" if now.reached == n * (n + 1) // 2 and n > 1 else ""
    return f"{said} Of {now.blocks} blocks {now.reached}{triangle} are not zero. {edit}"


# --------------------------------------------------------------------------------------------------------- the picture

GROUPS = {"characters": "characters", "positions": "positions", "self_attn": "self-attention", "linear": "feed-forward",
          "multihead_attn": "cross-attention", "norm": "layer norms", "head": "head"}  # fmt: skip
ASIDE = {"marker": {"size": 16, "line": {"width": 0}}, "hoverinfo": "text", "showlegend": False}  # unseen, for hovering
UNSEEN = "rgba(0,0,0,0)"
GAP = 0.12  # between two attention maps, in widths of one


def parameter_row(p: Params) -> dict:
    """How many weights each part of the net has."""
    counts = Counter()
    for name, shape in weight_shapes(architecture(p)).items():
        counts[next(group for key, group in GROUPS.items() if key in name)] += prod(shape)
    layer = sum(map(prod, layer_shapes(p.width).values()))
    title = f"Parameters: {counts.total():,}. A layer has 12 d² + 13 d, for d = {p.width} that is {layer:,}"
    return chips(title, [f"{n:,}" for n in counts.values()], None, list(counts))


def draw(p: Params, states: Sequence[State], now: int) -> Figure:
    return (draw_text if p.show == "text" else draw_influence)(p, states, now)


def visible(c: str) -> str:
    return escape({" ": "␣", "\n": "⏎", "\t": "⇥"}.get(c, c if c.isprintable() else "·"))


def draw_text(p: Params, states: Sequence[State], now: int) -> Figure:
    """Loss by step; attention maps; probabilities of the next character; below, what is written."""
    state, base, end = states[now], entropies(p.learned), p.steps + p.write
    maps, top = state.attention.reshape(-1, p.context, p.context), 1.2 * max(base[0], 1)
    columns = p.heads if p.layers > 1 else ceil(sqrt(p.heads))
    rows = len(maps) // columns
    vocabulary = sorted(set(p.learned))
    shown = sorted(sorted(vocabulary, key=lambda c: -p.learned.count(c))[:LETTERS])
    at = [vocabulary.index(c) for c in shown]
    letters = {"range": [-0.6, len(shown) - 0.4], "tickvals": list(range(len(shown))), "tickangle": 0}
    wide, high = columns * (1 + GAP) - GAP, rows * (1 + GAP) - GAP
    fig = figure(
        450,
        Panel((0, 0.4, 0.42, 1), 240, "Loss per character",
              {"range": [0, end], "nticks": 6, "title": "training steps, characters written"},
              {"range": [0, top], "nticks": 6}),
        Panel((0.47, 1, 0.38, 1), ceil(min(300, 300 * high / wide)), "Attention: the row reads the column",
              {"range": [0, wide]}, {"range": [0, high], "constraintoward": "top"}, bare=True, square=True),
        Panel((0, 1, 0, 0.2), 130, "Next character: net wide, τ and k narrow",
              letters | {"ticktext": [visible(c) for c in shown], "showgrid": False},
              {"range": [0, 1.05], "tickformat": ".0%", "nticks": 3}),
    )  # fmt: skip
    trained = [s for s in states if not s.passes]
    steps, still = [s.step for s in trained], {"hoverinfo": "skip", "showlegend": False}
    for y, name, colour, dash in (
        ([s.writing_loss for s in trained], "one at a time, as in writing", ORANGE, "solid"),
        ([s.loss for s in trained], "all at once, as in training", BLUE, "dash"),
    ):
        said = [f"{number(value)} at step {step}" for step, value in zip(steps, y, strict=True)]
        y = np.minimum(np.nan_to_num(y, nan=HUGE), 2 * top)  # the axis ends below
        fig["data"].append(lines(1, steps, y, name, colour, line={"dash": dash}, hovertext=said, hoverinfo="text"))
    for height, words in zip(base, ("guessing", "letter frequencies", "letter pairs"), strict=True):
        look = {"dash": "dot", "width": 1}
        fig["data"].append(lines(1, [0, end], [height] * 2, words, MUTED, line=look, **still))
        edge = {"xanchor": "right", "yanchor": "bottom"}
        fig["layout"]["annotations"].append(label(1, end, height, words, **edge))
    shapes = fig["layout"]["shapes"]
    shapes.append(rule(1, state.step))
    for k, weights in enumerate(maps):
        x, y = k % columns * (1 + GAP), (rows - 1 - k // columns) * (1 + GAP)
        paint(fig, 2, np.sqrt(weights[::-1].astype(float)), (x, x + 1), (y, y + 1), scale="sequential", smooth=False)
        shapes.append(box(2, (x, x + 1), (y, y + 1), FAINT))
        if len(maps) <= 4:
            name = f"head {k % p.heads + 1}" + (f", layer {k // p.heads + 1}" if p.layers > 1 else "")
            corner = {"xanchor": "right", "yanchor": "top"}
            fig["layout"]["annotations"].append(label(2, x + 0.98, y + 0.98, name, **corner))
    by_net, by_draw = state.probabilities[:, at]
    for i, (a, b) in enumerate(zip(by_net, by_draw, strict=True)):
        colour = ORANGE if shown[i] == state.drawn else BLUE
        shapes.append(box(3, (i - 0.42, i + 0.42), (0, a), colour, 0, colour, opacity=0.4))
        shapes.append(box(3, (i - 0.22, i + 0.22), (0, b), colour, 0, colour))
    said = [f"{visible(c)}: net {a:.2%}, drawn with {b:.2%}" for c, a, b in zip(shown, by_net, by_draw, strict=True)]
    fig["data"].append(points(3, range(len(shown)), [0.5] * len(shown), "", UNSEEN, hovertext=said, **ASIDE))
    fig["chips"] += [written_row(p, state), parameter_row(p)]
    legend(fig, 2)
    return fig


def written_row(p: Params, state: State) -> dict:
    """What is written, character by character: blue where it copies the text, orange where it does not."""
    written, start = state.written, sum(c in p.learned for c in p.prompt) or 1
    good = [copied(p.learned, written[: i + 1], i) for i in range(start, len(written))]
    who = f"Sample at step {state.step}"
    if state.passes:
        who = f"Written in {counted(state.passes, 'pass', 'passes')}"
    title = f"{who} (blue: with the {GRAM - 1} before it in the text; orange: not)"
    newest = len(written) - 1 if state.passes else start
    return chips(title, list(written), [*[None] * start, *(0 if g else 1 for g in good)], None, [newest])


def short(word: str, most: int) -> str:
    return escape(word if len(word) <= most else word[: most - 1] + "…")


def draw_influence(p: Params, states: Sequence[State], now: int) -> Figure:
    """The Jacobian block by block; this output's attention weights; what an edit of one input changes."""
    state, found = states[now], states[now].jacobian
    words = list(chain(*p.words.values()))
    n, first, at = len(words), len(next(iter(p.words.values()))), min(p.edit, len(words)) - 1
    labels = [short(word, 5) if n <= WORDS else str(i + 1) for i, word in enumerate(words)]
    ends, most = [-0.5, n - 0.5], 1.15 * max(float(state.changes.max()), 1e-9)
    across = {"tickvals": list(range(n)), "ticktext": labels, "tickangle": 0, "showgrid": False, "range": ends}
    fig = figure(
        500,
        Panel((0, 0.5, 0, 1), 330, "Size of ∂output/∂input: output ↓ input →", across,
              across | {"ticktext": labels[::-1]}),
        Panel((0.6, 1, 0.62, 1), 140, "Attention of this output, layer 1", across, {"range": [0, 1.05], "nticks": 4}),
        Panel((0.6, 1, 0, 0.38), 140, f"Change of outputs if input {at + 1} is edited", across,
              {"range": [0, most], "tickformat": ".0%", "nticks": 4}),
    )  # fmt: skip
    decades = np.log10(np.maximum(found, 1e-300) / max(found.max(), 1e-300))
    paint(fig, 1, np.where(found > 0, np.clip(1 + decades / 4, 0.3, 1), 0)[::-1], ends, ends, smooth=False)
    cells = [(i, j) for i in range(n) for j in range(n)]
    texts = ["0" if found[cell] == 0 else number(found[cell], 2) if n <= WORDS else "" for cell in cells]
    said = [
        f"output {i + 1}, input {j + 1}: " + (f"|∂y/∂x| = {number(found[i, j])}" if found[i, j] else "exactly 0")
        for i, j in cells
    ]
    written = {"type": "scatter", "mode": "text", "textfont": {"size": 12, "color": INK}}
    rows, columns = np.array(cells).T
    fig["data"].append(
        written | {"x": columns, "y": n - 1 - rows, "text": texts, "hoverinfo": "text", "hovertext": said} | axes(1)
    )
    row, base = state.attention[state.step - 1], [0.07 * most] * n
    for panel, heights, values, say in (
        (2, [0.1] * n, row, "weight of input {}: {}"),
        (3, base, state.changes, "output {} changes by {} of its size"),
    ):
        said = [say.format(i + 1, number(value) if value else "exactly 0") for i, value in enumerate(values)]
        fig["data"].append(points(panel, range(n), heights, "", UNSEEN, hovertext=said, **ASIDE))
    zeros = ["" if value else "0" for value in state.changes]
    fig["data"].append(written | {"x": list(range(n)), "y": base, "text": zeros, "hoverinfo": "skip"} | axes(3))

    shapes = fig["layout"]["shapes"]
    for i in range(n):
        shapes.append(box(2, (i - 0.36, i + 0.36), (0, row[i]), BLUE, 0, BLUE))
        shapes.append(box(3, (i - 0.36, i + 0.36), (0, state.changes[i]), ORANGE, 0, ORANGE))
    low = n - 0.5 - state.step  # the lower edge of this output's row
    shapes.append(box(1, ends, (-0.5, low), PAPER, 0, PAPER))  # hides what comes later
    for cut in [first] * (first < n):  # between encoder and decoder
        shapes += [segment(1, (cut - 0.5, -0.5), (cut - 0.5, n - 0.5), MUTED, 1.5)]
        shapes += [segment(1, (-0.5, n - 0.5 - cut), (n - 0.5, n - 0.5 - cut), MUTED, 1.5)]
    shapes.append(box(1, ends, (low, low + 1), INK, 2))
    colours = [2] * first + [3] * (n - first) if first < n else None
    title = "Encoder's inputs, then the decoder's" if first < n else "Inputs"
    tokens = chips(f"{title} (marked: the edited one)", words, colours, [str(i + 1) for i in range(n)], [at])
    fig["chips"] += [tokens, parameter_row(p)]
    return fig


PRESETS = (
    works("Encoder: all to all", "Without a mask every output depends on every input, to the left and to the right.",
          {"reached": "== 49", "later": "== 21"}, show="influence", stack="encoder"),
    works("Decoder: a triangle", "The causal mask leaves an output the inputs up to its own: no effect of later ones.",
          {"reached": "== 28", "later": "== 0", "earlier_change": "== 0"}, show="influence", edit=4),
    fails("No causal mask", "In training a position reads the character it is to predict; in writing it is not there.",
          {"loss": "<= 0.15", "writing_loss": ">= 2.5", "copied": "<= 0.3"}, parts=PARTS[:-1]),
    fails("No attention", "Each character knows only itself, so that the net learns a table of letter pairs, no more.",
          {"loss": ">= 1.5", "copied": "<= 0.3"}, parts=PARTS[1:]),
)  # fmt: skip
