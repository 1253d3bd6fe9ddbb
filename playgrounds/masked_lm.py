"""Two encoders fill in masked tokens: one looks to both sides, one only to the left; and where BERT's parameters sit.

Left out: next-sentence prediction, [CLS] and [SEP] in the nets that are trained here, subword tokens, dropout,
fine-tuning, and the transform that BERT has between its last layer and the logits.
"""

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any, Literal, NamedTuple

import numpy as np

from playgrounds import kit
from playgrounds.kit import fails, knob, works
from playgrounds.kit.figures import (
    Figure,
    Panel,
    box,
    chips,
    figure,
    label,
    lines,
    paint,
    points,
    rule,
)
from playgrounds.kit.palette import BLUE, INK, MUTED, ORANGE, SERIES
from playgrounds.kit.training import kept

STATES = 40  # of a training, the start apart, about
QUESTIONS = 300  # new sequences of pairs on which accuracy is measured
WORDS, SENTENCE, LARGEST = 120, 10, 200  # measured words of a text; words of a sentence; words of a vocabulary
BLANKS, TOP = 3, 5  # blanks that are filled in, and candidates that are kept for each

# Who does what in the bundled text. Every sentence also comes with each of the adjectives.
SCENES = {
    "cat": ("sat on the mat", "drank the milk", "chased the mouse"),
    "dog": ("lay in the basket", "chewed the bone", "guarded the house"),
    "bird": ("sat in the tree", "ate the seeds", "sang a song"),
    "fish": ("swam in the pond", "ate the worm", "hid in the weeds"),
    "horse": ("stood in the stable", "ate the hay", "pulled the cart"),
    "bee": ("sat on the flower", "drank the nectar", "left the hive"),
}
ADJECTIVES = ("", "old ", "young ", "big ")
OWN = (
    "the sun rises in the east. the sun sets in the west. the moon rises at night. the stars shine at night. "
    "owls hunt at night. birds sing in the morning. rain falls from the clouds. snow falls in winter. leaves fall in "
    "autumn. the ice melts in spring. the flowers open in spring. the days are long in summer. the nights are long in "
    "winter."
)
SIZES = {  # layers and width: Devlin et al. 2019, and the smaller ones of Turc et al. 2019
    "tiny": (2, 128), "mini": (4, 256), "small": (4, 512), "medium": (8, 512), "base": (12, 768), "large": (24, 1024),
}  # fmt: skip


class Params(kit.Params):
    view: Literal["pairs", "text", "parameters"] = knob(
        "pairs", label="View", help="pairs of digits (a + 1, a); a small text; where the parameters of BERT sit"
    )
    blank: Literal["left", "right", "either"] = knob(
        "left", label="Masked element", help="of one pair of every sequence", when=lambda p: p.view == "pairs"
    )
    sequence: str = knob(
        "4 3 8 7 1 0 6 5", 0, 60, label="Your sequence", when=lambda p: p.view == "pairs",
        help="up to eight digits; _ is a blank, and without one an element of the second pair is masked",
    )  # fmt: skip
    corpus: Literal["bundled", "own"] = knob("bundled", label="Text", when=lambda p: p.view == "text")
    text: str = knob(
        OWN, 0, 4000, label="Your text", when=lambda p: p.view == "text" and p.corpus == "own",
        help="the net learns from its sentences, up to ten words of each",
    )  # fmt: skip
    sentence: str = knob(
        "the _ sat on the mat", 0, 100, label="Your sentence", help="_ is a blank", when=lambda p: p.view == "text"
    )
    masked: int = knob(
        80, 0, 100, label="[MASK], %", step=5, when=lambda p: p.view == "text",
        help="of the chosen words; the net learns at chosen words only",
    )  # fmt: skip
    random: int = knob(
        10, 0, 100, label="Random word, %", step=5, when=lambda p: p.view == "text",
        help="of the chosen words; the rest keeps its word",
    )  # fmt: skip
    positions: bool = knob(
        True, label="Positions", help="embeddings of the places are added", when=lambda p: p.view != "parameters"
    )
    size: Literal[tuple(SIZES)] = knob("base", label="BERT", when=lambda p: p.view == "parameters")
    vocabulary: Literal[28996, 30522, 119547] = knob(
        30522, label="Vocabulary", help="of BERT cased, uncased, multilingual", when=lambda p: p.view == "parameters"
    )
    seed: int = knob(
        1, 0, 9999, label="Seed", help="decides first weights and all draws", when=lambda p: p.view != "parameters"
    )
    chosen: int = knob(
        15, 5, 90, label="Chosen words, %", step=5, more=True, when=lambda p: p.view == "text",
        help="of every sentence, at least one",
    )  # fmt: skip
    layers: Literal[1, 2] = knob(1, label="Layers", more=True, when=lambda p: p.view != "parameters")
    heads: Literal[1, 2, 4] = knob(2, label="Heads", more=True, when=lambda p: p.view != "parameters")
    width: Literal[8, 16, 32, 64] = knob(32, label="Width", more=True, when=lambda p: p.view != "parameters")
    rate: float = knob(
        0.005, 0.0001, 0.03, label="Learning rate of Adam", log=True, more=True, when=lambda p: p.view != "parameters"
    )
    batch: Literal[16, 32, 64] = knob(32, label="Batch", more=True, when=lambda p: p.view != "parameters")
    steps: int = knob(300, 10, 400, label="Steps", step=10, more=True, when=lambda p: p.view != "parameters")
    tied: bool = knob(
        False, label="Output weights = embeddings", more=True, when=lambda p: p.view != "parameters",
        help="as in BERT: a word's logit is the product with its own embedding",
    )  # fmt: skip

    @property
    def fates(self) -> tuple[int, int, int]:
        """Percent of the chosen words that are masked, replaced by a random word, and kept."""
        random = min(self.random, 100 - self.masked)
        return self.masked, random, 100 - self.masked - random

    @property
    def length(self) -> int:
        return SIZES[self.size][0] + 5 if self.view == "parameters" else len(kept(self.steps, STATES))


class State(NamedTuple):
    step: int
    accuracy: float | None  # of the bidirectional net at masked tokens of new sequences
    causal_accuracy: float | None
    best: float | None  # what the best guess reaches that sees all other tokens; without positions: not their order
    causal_best: float | None  # that sees the tokens to the left only
    partner_attention: float | None  # in pairs, of the bidirectional net: from the blank to the rest of its pair
    causal_partner_attention: float | None
    repaired: float | None  # in text, of the bidirectional net: the right word where another one stands
    intact: float | None  # the word itself where nothing was replaced
    first_choice: float | None  # probability of the bidirectional net's first choice at the reader's first blank
    causal_first_choice: float | None
    loss: float | None  # on the latest batch
    causal_loss: float | None
    parameters: int  # of each of the two nets, or of BERT as far as counted
    note: str
    tokens: tuple[str, ...] = ()  # the reader's sequence
    unknown: tuple[int, ...] = ()  # which of them are not in the vocabulary
    guesses: tuple = ()  # for both nets, for every blank, (word, probability) of the TOP words
    attention: np.ndarray = np.zeros((2, 0, 0))  # of both nets over the reader's sequence, mean of the heads
    example: tuple = ()  # of the latest batch: (token as the net sees it, what was done to it, token)
    counts: tuple[int, ...] = ()  # tokens so far, and of them masked, replaced, kept


class Language(NamedTuple):
    """What there is to learn. Tokens are numbers; [MASK], [UNK] and the empty place after a sentence come last."""

    words: tuple[str, ...]
    everything: np.ndarray  # (n, T) all sentences
    learned: np.ndarray  # which of them the nets learn from
    row: np.ndarray  # (m,) which are measured
    at: np.ndarray  # (m,) and the place in each that is asked about

    @property
    def mask(self) -> int:
        return len(self.words)

    @property
    def unknown(self) -> int:
        return len(self.words) + 1

    @property
    def empty(self) -> int:
        return len(self.words) + 2


def pairs(p: Params) -> Language:
    """All 10,000 sequences of 4 pairs ((a + 1) mod 10, a)."""
    rng = np.random.default_rng([p.seed, 1])
    a = np.indices((10,) * 4).reshape(4, -1).T
    every = np.stack([(a + 1) % 10, a], axis=2).reshape(-1, 8)
    row = rng.integers(len(every), size=QUESTIONS)
    return Language(tuple("0123456789"), every, np.arange(len(every)), row, places(p, rng, QUESTIONS))


def places(p: Params, rng: np.random.Generator, n: int) -> np.ndarray:
    """Which token of a sequence of pairs is masked, shape (n,)."""
    element = {"left": 0, "right": 1, "either": rng.integers(2, size=n)}[p.blank]
    return 2 * rng.integers(4, size=n) + element


def split(text: str) -> list[str]:
    """Words in lower case, and _ for a blank."""
    return [w if w[0] != "_" else "_" for w in re.findall(r"_+|[^\W_]+(?:['’-][^\W_]+)*", text.lower())]


def text(p: Params) -> Language:
    """The sentences of the bundled text, or of the reader's own; one without words is replaced by the bundled one."""
    rng = np.random.default_rng([p.seed, 1])
    own = re.split(r"[.!?;:\n]+(?=\s|$)", p.text) if p.corpus == "own" else []
    own = [[w for w in split(sentence) if w != "_"] for sentence in own]
    own = [s[i : i + SENTENCE] for s in own for i in range(0, len(s), SENTENCE)]
    said = own or [
        f"the {adjective}{who} {scene}".split() for who in SCENES for scene in SCENES[who] for adjective in ADJECTIVES
    ]
    words = tuple(w for w, _ in Counter(w for s in said for w in s).most_common(LARGEST))
    ids = {w: i for i, w in enumerate(words)}
    rows = np.full((len(said), max(map(len, said))), len(words) + 2)
    for row, s in zip(rows, said, strict=True):
        row[: len(s)] = [ids.get(w, len(words) + 1) for w in s]
    # Held out of the bundled text, to measure on: of every scene the sentence with one of the adjectives, in turn.
    scene, adjective = np.divmod(np.arange(len(rows)), len(ADJECTIVES))
    held = np.ones(len(rows), bool) if own else adjective == 1 + scene % (len(ADJECTIVES) - 1)
    row, at = np.nonzero((rows < len(words)) & held[:, None])
    some = np.sort(rng.permutation(len(row))[:WORDS])
    return Language(words, rows, np.flatnonzero(~held | bool(own)), row[some], at[some])


def corrupt(p: Params, language: Language, rng: np.random.Generator) -> tuple[np.ndarray, ...]:
    """A batch: tokens as the net sees them, tokens as they are, and what was done to each, all (batch, T).

    Done: 0 nothing, and not a target; 1 masked, 2 replaced by a random word, 3 chosen and kept.
    """
    y = language.everything[rng.choice(language.learned, p.batch)]
    done = np.zeros_like(y)
    if p.view == "pairs":
        done[np.arange(p.batch), places(p, rng, p.batch)] = 1
    else:
        there = y < len(language.words)
        wanted = np.maximum(1, np.rint(p.chosen / 100 * there.sum(axis=1)))  # as in BERT's own code
        rank = np.where(there, rng.random(y.shape), 2).argsort(axis=1).argsort(axis=1)
        draw = 100 * rng.random(y.shape)
        fate = 1 + (draw >= p.fates[0]) + (draw >= p.fates[0] + p.fates[1])
        done[:] = np.where(there & (rank < wanted[:, None]), fate, 0)
    x = np.where(done == 1, language.mask, np.where(done == 2, rng.integers(len(language.words), size=y.shape), y))
    return x, y, done


def questions(p: Params, language: Language) -> list[np.ndarray]:
    """New sentences (m, T) with the word in question masked; in a text also replaced by another one, and as it is."""
    rng, row, size = np.random.default_rng([p.seed, 2]), np.arange(len(language.at)), len(language.words)
    asked = [language.everything[language.row] for _ in range(1 if p.view == "pairs" else 3)]
    asked[0][row, language.at] = language.mask
    if p.view == "text":
        asked[1][row, language.at] += rng.integers(1, max(size, 2), len(row))
        asked[1][row, language.at] %= size
    return asked


def best(p: Params, language: Language) -> list[float]:
    """The accuracy of the best guess at the measured words, from all other tokens and from those to the left."""
    rows, found = language.everything, []
    row, at = np.nonzero(rows < len(language.words))
    if p.view == "pairs" and p.blank != "either":
        row, at = (part[at % 2 == (p.blank == "right")] for part in (row, at))
    measured = np.searchsorted(row * rows.shape[1] + at, language.row * rows.shape[1] + language.at)
    y = rows[row, at]
    for causal in (False, True):
        seen = rows[row]
        seen[np.arange(len(at)), at] = language.mask
        if causal:
            seen = np.where(np.arange(rows.shape[1]) > at[:, None], language.empty, seen)
        elif not p.positions:
            seen = np.sort(seen, axis=1)
        # Of all words that stand in the same context, the share of the most frequent one.
        contexts: dict[bytes, int] = {}
        context = np.array([contexts.setdefault(one.tobytes(), len(contexts)) for one in seen])
        counts = np.bincount(context * len(language.words) + y, minlength=len(contexts) * len(language.words))
        counts = counts.reshape(len(contexts), -1)
        found.append(float((counts.max(axis=1) / counts.sum(axis=1))[context[measured]].mean()))
    return found


def weights(p: Params, language: Language) -> dict[str, Any]:
    """First weights, of both nets the same: every tensor has the nets as its first axis."""
    import torch

    rng, d, v = np.random.default_rng([p.seed, 3]), p.width, language.empty + 1
    shapes = {"token": (v, d), "position": (language.everything.shape[1], d), "norm": (2, d)}
    for i in range(p.layers):
        shapes |= {f"{i} qkv": (d, 3 * d), f"{i} qkv bias": (3 * d,), f"{i} out": (d, d), f"{i} out bias": (d,)}
        shapes |= {f"{i} up": (d, 4 * d), f"{i} up bias": (4 * d,), f"{i} down": (4 * d, d), f"{i} down bias": (d,)}
        shapes |= {f"{i} norm 1": (2, d), f"{i} norm 2": (2, d)}
    shapes |= {"logits": (d, v), "logits bias": (v,)}
    if p.tied:
        del shapes["logits"]
    if not p.positions:
        del shapes["position"]
    theta = {}
    for name, shape in shapes.items():
        if "norm" in name:
            w = np.stack([np.ones(d), np.zeros(d)])  # gain and shift
        elif "bias" in name:
            w = np.zeros(shape)
        else:
            w = rng.normal(0, 0.5 if name in ("token", "position") else shape[0] ** -0.5, shape)
        theta[name] = torch.tensor(np.stack([w, w]), dtype=torch.float32).requires_grad_()
    return theta


def encode(theta: dict[str, Any], x: np.ndarray, p: Params, language: Language) -> tuple[Any, Any]:
    """Hidden states (2, n, T, d) of tokens x (n, T), and the last layer's attention (2, n, heads, T, T).

    Layers as in Vaswani et al. 2017 and BERT: LN(h + attention(h)), LN(h + feed-forward(h)). Net 0 sees every token,
    net 1 only those up to its own; that is all they differ in.
    """
    import torch
    from torch.nn.functional import gelu, layer_norm

    def norm(h: Any, name: str) -> Any:
        gain, shift = theta[name][:, :, None, None].unbind(1)
        return gain * layer_norm(h, h.shape[-1:]) + shift

    def linear(h: Any, name: str) -> Any:
        return torch.baddbmm(theta[f"{name} bias"][:, None], h.reshape(2, n * T, -1), theta[name]).reshape(2, n, T, -1)

    x = torch.from_numpy(x)
    n, T = x.shape
    unseen = (x == language.empty)[:, None, None].expand(n, 1, T, T)
    unseen = torch.stack([unseen, unseen | torch.ones(T, T, dtype=torch.bool).triu(1)])
    h = theta["token"][:, x]
    if p.positions:
        h = h + theta["position"][:, None, :T]
    h = norm(h, "norm")
    for i in range(p.layers):
        q, k, v = linear(h, f"{i} qkv").reshape(2, n, T, 3, p.heads, -1).permute(3, 0, 1, 4, 2, 5)
        scores = q @ k.transpose(-1, -2) / (p.width / p.heads) ** 0.5
        attention = scores.masked_fill(unseen, -torch.inf).softmax(dim=-1)
        h = norm(h + linear((attention @ v).transpose(2, 3), f"{i} out"), f"{i} norm 1")
        h = norm(h + linear(gelu(linear(h, f"{i} up")), f"{i} down"), f"{i} norm 2")
    return h, attention


def predict(theta: dict[str, Any], h: Any) -> Any:
    """Logits (2, n, vocabulary) of hidden states (2, n, d)."""
    import torch

    output = theta["logits"] if "logits" in theta else theta["token"].transpose(1, 2)
    return torch.baddbmm(theta["logits bias"][:, None], h, output)


def typed(p: Params) -> list[str]:
    """The tokens that the reader has typed for this view."""
    return re.findall(r"[0-9_]", p.sequence) if p.view == "pairs" else split(p.sentence)


def reader(p: Params, language: Language) -> tuple[tuple[str, ...], np.ndarray]:
    """The reader's sequence as texts, _ for a blank, and as tokens (1, T). Without a blank one token is made one."""
    most, ids = language.everything.shape[1], {w: i for i, w in enumerate(language.words)} | {"_": language.mask}
    tokens = typed(p)[:most] or ["_"]
    if "_" not in tokens:
        tokens[min(2 + (p.blank == "right"), len(tokens) - 1) if p.view == "pairs" else 0] = "_"
    return tuple(tokens), np.array([[ids.get(w, language.unknown) for w in tokens]])


def right_answer(p: Params, tokens: Sequence[str]) -> str:
    """The digit that belongs into the first blank of a sequence of pairs, "" if its partner is not there."""
    at = tokens.index("_")
    known = p.view == "pairs" and at ^ 1 < len(tokens) and tokens[at ^ 1] != "_"
    return str((int(tokens[at ^ 1]) + (-1 if at % 2 else 1)) % 10) if known else ""


def run(p: Params) -> Iterator[State]:
    """Train both nets, or count the parameters of BERT."""
    yield from count(p) if p.view == "parameters" else learn(p)


def learn(p: Params) -> Iterator[State]:
    """Both nets see the same batches; Adam's steps are bounded, so that no rate of the knob makes them overflow."""
    import torch
    from torch.nn.functional import cross_entropy

    torch.set_num_threads(1)  # so small a net is faster on one
    language = {"pairs": pairs, "text": text}[p.view](p)
    theta, rng, asked = weights(p, language), np.random.default_rng([p.seed, 4]), questions(p, language)
    optimizer = torch.optim.Adam(theta.values(), lr=p.rate, fused=True)
    ceilings, partner = best(p, language), [None, None]
    tokens, own = reader(p, language)
    unknown = tuple(np.flatnonzero(own[0] == language.unknown).tolist())
    blanks = np.flatnonzero(own[0] == language.mask)[:BLANKS]
    film, counts, row = set(kept(p.steps, STATES)), np.zeros(4, int), np.arange(len(language.at))
    truth = language.everything[language.row, language.at]

    for step in range(p.steps + 1):
        x, y, done = corrupt(p, language, rng)
        h, _ = encode(theta, x, p, language)
        sentence, at = np.nonzero(done)
        target = torch.from_numpy(y[sentence, at])
        logits = predict(theta, h[:, sentence, at])
        losses = torch.stack([cross_entropy(z, target) for z in logits])
        if step in film:
            with torch.no_grad():
                found, looks = [], []
                for question in asked:
                    h, attention = encode(theta, question, p, language)
                    answer = predict(theta, h[:, row, language.at])[..., : len(language.words)].argmax(dim=-1).numpy()
                    found.append((answer == truth).mean(axis=1).tolist())
                    looks.append(attention[:, row, :, language.at])
                h, attention = encode(theta, own, p, language)
                odds = predict(theta, h[:, 0, blanks])[..., : len(language.words)].softmax(dim=-1).numpy()
            guesses = tuple(
                tuple(tuple((language.words[i], float(q[i])) for i in np.argsort(-q, kind="stable")[:TOP]) for q in net)
                for net in odds.astype(float)
            )
            right = dict(zip(("masked", "wrong", "intact"), found, strict=False))
            size = sum(w[0].numel() for w in theta.values())
            if p.view == "pairs":
                partner = looks[0].mean(dim=2)[row, :, language.at ^ 1].double().mean(dim=0).tolist()
            state = State(
                step, *right["masked"], *ceilings, *partner,
                *(right[kind][0] if kind in right else None for kind in ("wrong", "intact")),
                *(net[0][0][1] for net in guesses), *losses.tolist(), size, "", tokens, unknown, guesses,
                attention[:, 0].mean(dim=1).numpy().copy(), example(language, x, y, done), tuple(counts.tolist()),
            )  # fmt: skip
            yield state._replace(note=note(p, state, language))
        if step == p.steps:
            return
        optimizer.zero_grad()
        losses.sum().backward()
        optimizer.step()
        counts += [(y < len(language.words)).sum(), *((done == k).sum() for k in (1, 2, 3))]


class Part(NamedTuple):
    """A part of BERT: its parameters by kind, in the order of KINDS, and how they are counted."""

    name: str
    kinds: tuple[int, ...]
    formula: str


KINDS = ("embeddings", "attention", "feed-forward", "layer norms", "pooler")


def bert(size: str, vocabulary: int) -> list[Part]:
    """The parts of BERT, as in the net that Google published; the heads of pre-training are not counted."""
    layers, d = SIZES[size]
    attention, forward, norms = 4 * (d * d + d), d * 4 * d + 4 * d + 4 * d * d + d, 2 * 2 * d
    layer = (
        f"query, key, value, output 4 · ({d:,}² + {d:,}) = {attention:,}; feed-forward {d:,} · {4 * d:,} + {4 * d:,} + "
        f"{4 * d:,} · {d:,} + {d:,} = {forward:,}; two layer norms 2 · 2 · {d:,} = {norms:,}"
    )
    return [
        Part("word embeddings", (vocabulary * d, 0, 0, 0, 0), f"{vocabulary:,} words · {d:,}"),
        Part("position embeddings", (512 * d, 0, 0, 0, 0), f"512 places · {d:,}"),
        Part("segment embeddings", (2 * d, 0, 0, 0, 0), f"2 segments · {d:,}"),
        Part("their layer norm", (2 * d, 0, 0, 0, 0), f"gain and shift, 2 · {d:,}"),
        *(Part(f"layer {i}", (0, attention, forward, norms, 0), layer) for i in range(1, layers + 1)),
        Part("pooler", (0, 0, 0, 0, d * d + d), f"a linear layer over the first token, {d:,}² + {d:,}"),
    ]


def count(p: Params) -> Iterator[State]:
    """One part of BERT a state."""
    parts, so_far = bert(p.size, p.vocabulary), np.zeros(len(KINDS), int)
    for step, part in enumerate(parts, start=1):
        so_far = so_far + part.kinds
        said = f"{part.name}: {part.formula}{'; together' * (';' in part.formula)} = {sum(part.kinds):,} parameters"
        said = f"Part {step} of {len(parts)}, {said}."
        if step == len(parts):
            shares = ", ".join(f"{percent(n / so_far.sum())} {kind}" for n, kind in zip(so_far, KINDS, strict=True))
            said += f" BERT-{p.size} has {so_far.sum():,}: {shares}. The number of heads changes nothing."
        elif step > 1:
            said += f" So far {so_far.sum():,}."
        yield State(step, *[None] * 12, int(so_far.sum()), said, counts=tuple(so_far.tolist()))


def example(language: Language, x: np.ndarray, y: np.ndarray, done: np.ndarray) -> tuple:
    """Some sentences of a batch, one for everything that can be done to a word, token by token."""
    firsts = [np.flatnonzero((done == k).any(axis=1))[:1] for k in (1, 2, 3)]
    rows = list(dict.fromkeys([*np.concatenate(firsts).tolist(), *range(len(x))]))[:3]
    names = (*language.words, "[MASK]", "[UNK]")
    return tuple(
        tuple((names[a], int(k), names[b]) for a, b, k in zip(x[r], y[r], done[r], strict=True) if b < len(names))
        for r in rows
    )


def percent(share: float) -> str:
    """To one digit after the point."""
    return f"{100 * share:.1f} %".replace(".0", "") if 100 * share >= 0.05 or share == 0 else "<0.1 %"


def note(p: Params, now: State, language: Language) -> str:
    """How often both nets are right, what they say to the reader's blank, and why."""
    right = f"the bidirectional net fills in {percent(now.accuracy)}, the causal one {percent(now.causal_accuracy)}"
    (one, a), (two, b) = now.guesses[0][0][0], now.guesses[1][0][0]
    answer = right_answer(p, now.tokens)
    where = f", where {answer} belongs," if answer else ""
    yours = f"at your blank{where} they say {one} ({percent(a)}) and {two} ({percent(b)})"
    if p.view == "pairs":
        of = f"the blanks in {QUESTIONS} new sequences"
        look = f"{percent(now.partner_attention)} of its attention goes to the other element of the pair"
        chance = f"what stands to the left allows {percent(now.causal_best)}"
    else:
        new = len(language.learned) < len(language.everything)
        of = f"{len(language.at)} masked words of {'held-out sentences' if new else 'the text that it learns from'}"
        of += " (your text has no words: this is the bundled one)" if new and p.corpus == "own" else ""
        look = f"it repairs {percent(now.repaired)} of wrong words and confirms {percent(now.intact)} of intact ones"
        chance = (
            f"the best guess from all other words gets {percent(now.best)}, from the left {percent(now.causal_best)}"
        )
    right = f"the bidirectional net fills in {percent(now.accuracy)} of {of}"
    if not now.step:
        return f"Before training {right}, the causal one {percent(now.causal_accuracy)}; {chance}. Now {yours}."
    if now.step < p.steps:
        return f"Step {now.step}: {right}, {look}; the causal net {percent(now.causal_accuracy)}. Now {yours}."
    end = f"After {now.step} steps {right}; {look}. The causal net fills in {percent(now.causal_accuracy)}: {chance}."
    if p.view == "pairs" and p.blank == ("right", "left")[now.tokens.index("_") % 2]:
        yours += f", but training never masked a {'right' if p.blank == 'left' else 'left'} element"
    return f"{end} {yours[0].upper()}{yours[1:]}."


NETS = (("bidirectional", BLUE), ("causal", ORANGE))
FATES = {1: ("masked", 2), 2: ("random", 3), 3: ("kept", 4)}  # what was done to a word: its name, its place in SERIES
KIND_COLOURS = (SERIES[2], BLUE, ORANGE, SERIES[5], SERIES[3])


def draw(p: Params, states: Sequence[State], now: int) -> Figure:
    return draw_count(p, states[now]) if p.view == "parameters" else draw_nets(p, states, states[now])


def draw_nets(p: Params, states: Sequence[State], state: State) -> Figure:
    """Accuracy by step; candidates for the first blank; where both nets look; partner or what stands at the word."""
    (left, blue), (right, orange) = NETS
    key = f'<span style="color:{blue}">{left} ━</span>  <span style="color:{orange}">{right} ━</span>'
    steps, shares = {"range": [0, p.steps], "nticks": 4}, {"range": [-0.02, 1.05], "tickformat": ".0%", "nticks": 6}
    n, angle = len(state.tokens), 0 if p.view == "pairs" else -60
    cells = {"range": [0, n], "tickvals": np.arange(n) + 0.5, "showgrid": False}
    across = cells | {"ticktext": [clip(w, 6) for w in state.tokens], "tickangle": angle, "title": "looks at"}
    down = cells | {"ticktext": [clip(w, 7) for w in state.tokens[::-1]]}
    low, kinds = 0.09 if angle else 0.04, {"range": [-0.3, 1.05], "tickvals": [0, 0.5, 1], "tickformat": ".0%"}
    third = ("Attention on the partner", shares) if p.view == "pairs" else ("Bidirectional, if a word is", kinds)
    fig = figure(
        610,
        Panel((0, 0.47, 0.6, 1), 210, f"Accuracy: {key}  best ┄", steps, shares),
        Panel((0.54, 1, 0.6, 1), 190, "Candidates for the first blank",
              {"range": [0, 2.1]}, {"range": [-TOP, 0.1]}, bare=True),
        Panel((0.03, 0.3, low, 0.46), 240, f"Attention, {left}", across, down),
        Panel((0.385, 0.655, low, 0.46), 240, f"Attention, {right}", across, down),
        Panel((0.73, 1, low, 0.46), 170, third[0], steps, third[1]),
    )  # fmt: skip
    fig["narrow"] |= {"xaxis3.tickangle": angle / 2 if n > 6 else 0, "xaxis4.tickangle": angle / 2 if n > 6 else 0}
    if p.view == "text":
        fig["layout"]["annotations"].append(label(5, p.steps / 2, -0.16, "masked ━ wrong ┄ intact ⋯"))
    x = [s.step for s in states]
    curves = [(1, "accuracy", 0, "solid"), (1, "causal_accuracy", 1, "solid"),
              (1, "best", 0, "dot"), (1, "causal_best", 1, "dot")]  # fmt: skip
    if p.view == "pairs":
        curves += [(5, "partner_attention", 0, "solid"), (5, "causal_partner_attention", 1, "solid")]
    else:
        curves += [(5, "accuracy", 0, "solid"), (5, "repaired", 0, "dash"), (5, "intact", 0, "dot")]
    for panel, name, net, dash in curves:
        line = {"dash": dash, "width": 1.5 if "best" in name else 2.5}
        y = [getattr(s, name) for s in states]
        fig["data"].append(lines(panel, x, y, name, NETS[net][1], line=line, hovertemplate="%{y:.1%} at step %{x}"))
    first = state.tokens.index("_")
    for panel, weight, (_, colour) in zip((3, 4), state.attention, NETS, strict=True):
        paint(fig, panel, weight[::-1], (0, n), (0, n), scale="sequential", smooth=False)
        fig["layout"]["shapes"].append(box(panel, (0, n), (n - 1 - first, n - first), colour, 2.5))
    for net, (_, colour) in enumerate(NETS):
        rows = [(f"{clip(w, 12)}  {percent(q)}", q) for w, q in state.guesses[net][0]]
        fig["layout"]["shapes"] += bars(2, rows, 1.08 * net, colour)
    fig["layout"]["shapes"] += [rule(1, state.step), rule(5, state.step)]
    answer, cut = right_answer(p, state.tokens), ""
    if len(state.tokens) < len(typed(p)):
        cut = f"; cut to the {n} places that the nets have"
    for (name, _), net in zip(NETS, state.guesses, strict=True):
        fills = iter(net)
        filled = [next(fills, None) if w == "_" else None for w in state.tokens]
        texts = [f[0][0] if f else w for f, w in zip(filled, state.tokens, strict=True)]
        subs = [percent(f[0][1]) if f else "[UNK]" if i in state.unknown else "" for i, f in enumerate(filled)]
        marks = [i for i, f in enumerate(filled) if f]
        title = f"Filled in by the {name} net, with its probability{f'; {answer} is right' if answer else ''}{cut}"
        fig["chips"].append(chips(title, texts, None, subs, marks))
    fig["chips"].append(batch(p, state))
    return fig


def clip(word: str, most: int) -> str:
    return word if len(word) <= most else word[: most - 1] + "…"


def bars(panel: int, rows: Sequence[tuple[str, float]], left: float, colour: str) -> list[dict[str, Any]]:
    """A bar from `left` on for every (text, share), one below the other, with its text on it."""
    shapes = []
    for i, (said, share) in enumerate(rows):
        shapes.append(box(panel, (left, left + share), (-i - 0.86, -i - 0.1), colour, 0, colour, opacity=0.45))
        words = {"text": said, "textposition": "middle left", "font": {"size": 14, "color": INK}, "padding": 6}
        shapes.append(box(panel, (left, left + 1), (-i - 0.86, -i - 0.1), "rgba(0,0,0,0)", 0) | {"label": words})
    return shapes


def batch(p: Params, state: State) -> dict[str, Any]:
    """Some sentences of the batch as the nets see them; below the chosen words what they must answer."""
    flat = [token for sentence in state.example for token in (("", 0, ""), *sentence)][1:]
    title = "From the batch: what the nets see, and below it their target"
    if p.view == "text":
        words, *done = state.counts
        n = max(1, sum(done))
        said = ", ".join(f"{k:,} {FATES[i][0]} ({percent(k / n)})" for i, k in enumerate(done, start=1))
        title += f". Chosen so far: {sum(done):,} of {words:,} words ({percent(sum(done) / max(1, words))}); {said}"
    colours = [FATES[k][1] if k else None for _, k, _ in flat]
    subs = [f"{FATES[k][0]}: {target}" if k else "" for _, k, target in flat]
    return chips(title, [seen for seen, _, _ in flat], colours, subs)


def draw_count(p: Params, state: State) -> Figure:
    """A column for the embeddings, for every layer and for the pooler; below, the sum by kind."""
    parts, (layers, _) = bert(p.size, p.vocabulary), SIZES[p.size]
    names, spots = ["embed.", *map(str, range(1, layers + 1)), "pooler"], [0] * 4 + list(range(1, layers + 2))
    heights = np.bincount(spots, [sum(part.kinds) for part in parts]) / 1e6
    few = range(layers + 2) if layers <= 12 else [0, *range(4, layers - 1, 4), layers + 1]
    fig = figure(
        520,
        Panel((0, 1, 0.5, 1), 240, "Parameters in millions, part by part",
              {"range": [-0.6, layers + 1.6], "tickvals": [*few], "ticktext": [names[i] for i in few]},
              {"range": [0, 1.08 * float(heights.max())], "nticks": 5}),
        Panel((0, 1, 0, 0.36), 190, "So far, by kind", {"range": [0, 1]}, {"range": [-len(KINDS), 0.1]}, bare=True),
    )  # fmt: skip
    if layers > 4:
        few = [0, layers // 3, 2 * layers // 3, layers + 1]
        fig["narrow"] |= {"xaxis.tickvals": few, "xaxis.ticktext": [names[i] for i in few]}
    said = [""] * len(names)
    for spot, part in zip(spots, parts, strict=True):
        said[spot] += f"{part.name}: {part.formula} = {sum(part.kinds):,}<br>".replace("; ", "<br>")
    fig["data"].append(
        points(1, range(len(names)), heights / 2, "parts", MUTED, opacity=0, hovertext=said, hoverinfo="text",
               marker={"size": 30})
    )  # fmt: skip
    top = np.zeros(len(names))
    for spot, part in list(zip(spots, parts, strict=True))[: state.step]:
        for n, colour in zip(part.kinds, KIND_COLOURS, strict=True):
            if n:
                fig["layout"]["shapes"].append(
                    box(1, (spot - 0.38, spot + 0.38), (top[spot], top[spot] + n / 1e6), colour, 0, colour)
                )
                top[spot] += n / 1e6
    total = sum(state.counts)
    for i, (kind, n, colour) in enumerate(zip(KINDS, state.counts, KIND_COLOURS, strict=True)):
        rows = [(f"{kind}  {n:,}  {percent(n / total)}", n / total)]
        for shape in bars(2, rows, 0, colour):
            fig["layout"]["shapes"].append(shape | {"y0": shape["y0"] - i, "y1": shape["y1"] - i})
    return fig


PRESETS = (
    works(
        "Right element masked",
        "The answer now stands to the left of the blank, so the causal net learns the task as well.",
        {"accuracy": ">= 0.99", "causal_accuracy": ">= 0.99"},
        blank="right",
    ),
    works(
        "A small text",
        "Words to the right tell who sat on the mat; a net that sees the left words only must guess among adjectives.",
        {"accuracy": ">= 0.7", "causal_accuracy": "<= 0.65"},
        view="text",
    ),
    fails(
        "All chosen words masked",
        "Words that are not [MASK] are then never targets, and what the net says at an intact word is arbitrary.",
        {"accuracy": ">= 0.7", "intact": "<= 0.5"},
        view="text", masked=100, random=0,
    ),
    fails(
        "No positions",
        "Without positions the net sees a set of tokens: which digits are there, and not which is the neighbour.",
        {"accuracy": "<= 0.85"},
        positions=False,
    ),
)  # fmt: skip
