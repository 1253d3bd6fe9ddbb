"""Masked language modelling on a small text, with the rule by which BERT corrupts its input."""

import re
from collections import Counter
from collections.abc import Iterator
from typing import Annotated, Any, Literal, NamedTuple

import numpy as np

from playgrounds import kit
from playgrounds._encoder import (
    Language,
    Net,
    Weights,
    best_guess,
    corrupted,
    encode,
    example,
    fill_in,
    first_weights,
    parameters,
    predict,
)
from playgrounds.kit import Metric, knob
from playgrounds.kit.training import kept

STATES = 40  # of a training, the start apart, about
WORDS, SENTENCE, LARGEST = 120, 10, 200  # measured words of a text; words of a sentence; words of a vocabulary

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

Array = np.ndarray


class Params(kit.Params):
    corpus: Literal["bundled", "own"] = knob("bundled", label="Text")
    text: str = knob(
        OWN,
        0,
        4000,
        label="Your text",
        help="the net learns from its sentences, up to ten words of each",
        when=lambda p: p.corpus == "own",
    )
    sentence: str = knob("the _ sat on the mat", 0, 100, label="Your sentence", help="_ is a blank")
    masked: int = knob(
        80, 0, 100, label="[MASK], %", step=5, help="of the chosen words; the net learns at chosen words only"
    )
    random: int = knob(10, 0, 100, label="Random word, %", step=5, help="of the chosen words; the rest keeps its word")
    positions: bool = knob(True, label="Positions", help="embeddings of the places are added")
    seed: int = knob(1, 0, 9999, label="Seed", help="decides first weights and all draws")
    chosen: int = knob(15, 5, 90, label="Chosen words, %", step=5, more=True, help="of every sentence, at least one")
    layers: Literal[1, 2] = knob(1, label="Layers", more=True)
    heads: Literal[1, 2, 4] = knob(2, label="Heads", more=True)
    width: Literal[8, 16, 32, 64] = knob(32, label="Width", more=True)
    rate: float = knob(0.005, 0.0001, 0.03, label="Learning rate of Adam", log=True, more=True)
    batch: Literal[16, 32, 64] = knob(32, label="Batch", more=True)
    steps: int = knob(300, 10, 400, label="Steps", step=10, more=True)
    tied: bool = knob(
        False,
        label="Output weights = embeddings",
        more=True,
        help="as in BERT: a word's logit is the product with its own embedding",
    )

    @property
    def fates(self) -> tuple[int, int, int]:
        """Percent of the chosen words that are masked, replaced by a random word, and kept."""
        random = min(self.random, 100 - self.masked)
        return self.masked, random, 100 - self.masked - random

    @property
    def length(self) -> int:
        return len(kept(self.steps, STATES))


class State(NamedTuple):
    step: int
    accuracy: Annotated[float, Metric("filled in: bidirectional net", "%", shown=True)]
    causal_accuracy: Annotated[float, Metric("filled in: causal net", "%", shown=True)]
    # what the best guess reaches that sees all other words; without positions: not their order
    best: Annotated[float, Metric("best guess from both sides", "%")]
    causal_best: Annotated[float, Metric("best guess from the left", "%")]
    # by the bidirectional net: the right word where another one stands; the word itself where nothing was replaced
    repaired: Annotated[float, Metric("wrong words repaired", "%")]
    intact: Annotated[float, Metric("intact words confirmed", "%", shown=True)]
    first_choice: Annotated[float, Metric("first choice at your blank", "%")]
    causal_first_choice: Annotated[float, Metric("the causal net's first choice at your blank", "%")]
    loss: Annotated[float, Metric("loss on the latest batch")]
    causal_loss: Annotated[float, Metric("the causal net's loss on the latest batch")]
    parameters: Annotated[int, Metric("parameters of each net", "count")]
    asked: int  # words on which the accuracy is measured
    held_out: bool  # whether the nets do not learn from the sentences of these words
    tokens: tuple[str, ...]  # the reader's sentence
    places: int  # of the longest sentence
    unknown: tuple[int, ...]  # which of them are not in the vocabulary
    guesses: tuple  # for both nets, for every blank, its best Guesses
    attention: Array  # (2, T, T) of both nets over the reader's sentence, mean of the heads
    example: tuple  # of the latest batch
    counts: tuple[int, ...]  # words so far, and of them masked, replaced, kept


# ------------------------------------------------------------------------------------------------------- the text


def split(text: str) -> list[str]:
    """Words in lower case, and _ for a blank."""
    words = re.findall(r"_+|[^\W_]+(?:['’-][^\W_]+)*", text.lower())
    return ["_" if word[0] == "_" else word for word in words]


def own_sentences(text: str) -> list[list[str]]:
    """The reader's sentences as words, long ones cut into pieces."""
    found = []
    for sentence in re.split(r"[.!?;:\n]+(?=\s|$)", text):
        words = [word for word in split(sentence) if word != "_"]
        found += [words[i : i + SENTENCE] for i in range(0, len(words), SENTENCE)]
    return found


def bundled_sentences() -> list[list[str]]:
    """Every scene once with each of the adjectives."""
    return [
        f"the {adjective}{who} {scene}".split() for who in SCENES for scene in SCENES[who] for adjective in ADJECTIVES
    ]


def language_of(p: Params) -> Language:
    """The sentences of the bundled text, or of the reader's own; one without words is replaced by the bundled one."""
    rng = np.random.default_rng([p.seed, 1])
    own = own_sentences(p.text) if p.corpus == "own" else []
    sentences = own or bundled_sentences()
    frequent = Counter(word for sentence in sentences for word in sentence).most_common(LARGEST)
    words = tuple(word for word, _ in frequent)
    ids = {word: i for i, word in enumerate(words)}
    unknown, empty = len(words) + 1, len(words) + 2
    rows = np.full((len(sentences), max(map(len, sentences))), empty)
    for row, sentence in zip(rows, sentences, strict=True):
        row[: len(sentence)] = [ids.get(word, unknown) for word in sentence]
    # Held out of the bundled text, to measure on: of every scene the sentence with one of the adjectives, in turn.
    scene, adjective = np.divmod(np.arange(len(rows)), len(ADJECTIVES))
    held_out = adjective == 1 + scene % (len(ADJECTIVES) - 1)
    everywhere = np.ones(len(rows), bool)
    learned, measured = (everywhere, everywhere) if own else (~held_out, held_out)
    row, at = np.nonzero((rows < len(words)) & measured[:, None])
    some = np.sort(rng.permutation(len(row))[:WORDS])
    return Language(words=words, everything=rows, learned=np.flatnonzero(learned), row=row[some], at=at[some])


def corrupt(p: Params, language: Language, rng: np.random.Generator) -> tuple[Array, Array, Array]:
    """A batch: tokens as the net sees them, tokens as they are, and what was done to each, all (batch, T).

    Done: 0 nothing, and not a target; 1 masked, 2 replaced by a random word, 3 chosen and kept.
    """
    y = language.everything[rng.choice(language.learned, p.batch)]
    there = y < len(language.words)
    wanted = np.maximum(1, np.rint(p.chosen / 100 * there.sum(axis=1)))  # as in BERT's own code
    rank = np.where(there, rng.random(y.shape), 2).argsort(axis=1).argsort(axis=1)
    chosen = there & (rank < wanted[:, None])
    draw = 100 * rng.random(y.shape)
    masked, random, _ = p.fates
    fate = 1 + (draw >= masked) + (draw >= masked + random)
    done = np.where(chosen, fate, 0)
    return corrupted(y, done, language, rng), y, done


class Questions(NamedTuple):
    """New sentences (m, T) with a word in question, at `language.at`."""

    masked: Array
    wrong: Array  # another word stands there
    intact: Array


def questions(p: Params, language: Language) -> Questions:
    rng = np.random.default_rng([p.seed, 2])
    row, size = np.arange(len(language.at)), len(language.words)
    intact = language.everything[language.row]
    masked, wrong = intact.copy(), intact.copy()
    masked[row, language.at] = language.mask
    wrong[row, language.at] += rng.integers(1, max(size, 2), len(row))
    wrong[row, language.at] %= size
    return Questions(masked, wrong, intact)


def reader(p: Params, language: Language) -> tuple[tuple[str, ...], Array]:
    """The reader's sentence as words, _ for a blank, and as tokens (1, T). Without a blank the first is one."""
    tokens = split(p.sentence)[: language.everything.shape[1]] or ["_"]
    if "_" not in tokens:
        tokens[0] = "_"
    ids = {word: i for i, word in enumerate(language.words)} | {"_": language.mask}
    return tuple(tokens), np.array([[ids.get(word, language.unknown) for word in tokens]])


# --------------------------------------------------------------------------------------------------- the training


def net_of(p: Params) -> Net:
    return Net(layers=p.layers, heads=p.heads, width=p.width, positions=p.positions, tied=p.tied)


def run(p: Params) -> Iterator[State | None]:
    """Both nets see the same batches; Adam's steps are bounded, so that no rate of the knob makes them overflow."""
    import torch
    from torch.nn.functional import cross_entropy

    torch.set_num_threads(1)  # so small a net is faster on one
    net = net_of(p)
    language = language_of(p)
    row, at = np.nonzero(language.everything < len(language.words))
    best = best_guess(language, row, at, ordered=p.positions)
    causal_best = best_guess(language, row, at, causal=True)
    w = first_weights(net, language, np.random.default_rng([p.seed, 3]))
    optimizer = torch.optim.Adam(w.values(), lr=p.rate, fused=True)
    rng, film = np.random.default_rng([p.seed, 4]), set(kept(p.steps, STATES))
    counts = np.zeros(4, int)
    for step in range(p.steps + 1):
        x, y, done = corrupt(p, language, rng)
        sentence, chosen = np.nonzero(done)
        h, _ = encode(w, x, net, language)
        logits = predict(w, h[:, sentence, chosen])
        target = torch.from_numpy(y[sentence, chosen])
        losses = torch.stack([cross_entropy(z, target) for z in logits])
        if step in film:
            loss, causal_loss = losses.tolist()
            yield State(
                step=step,
                best=best,
                causal_best=causal_best,
                loss=loss,
                causal_loss=causal_loss,
                parameters=parameters(w),
                asked=len(language.at),
                places=language.everything.shape[1],
                held_out=len(language.learned) < len(language.everything),
                example=example(language, x, y, done),
                counts=tuple(counts.tolist()),
                **measured(p, net, language, w),
            )
        if step < p.steps:
            optimizer.zero_grad()
            losses.sum().backward()
            optimizer.step()
            words = (y < len(language.words)).sum()
            counts += [words, *((done == k).sum() for k in (1, 2, 3))]
            yield None


def measured(p: Params, net: Net, language: Language, w: Weights) -> dict[str, Any]:
    """How often both nets say the right word, and what they say to the reader's sentence."""
    import torch

    row, at = np.arange(len(language.at)), language.at
    truth = language.everything[language.row, at]
    asked = questions(p, language)
    tokens, own = reader(p, language)

    def right(question: Array) -> list[float]:
        h, _ = encode(w, question, net, language)
        answer = predict(w, h[:, row, at])[..., : len(language.words)].argmax(dim=-1).numpy()
        return (answer == truth).mean(axis=1).tolist()

    with torch.no_grad():
        accuracy, causal_accuracy = right(asked.masked)
        repaired, _ = right(asked.wrong)
        intact, _ = right(asked.intact)
        guesses, looks = fill_in(w, own, net, language)
    return {
        "accuracy": accuracy,
        "causal_accuracy": causal_accuracy,
        "repaired": repaired,
        "intact": intact,
        "first_choice": guesses[0][0][0].probability,
        "causal_first_choice": guesses[1][0][0].probability,
        "tokens": tokens,
        "unknown": tuple(np.flatnonzero(own[0] == language.unknown).tolist()),
        "guesses": guesses,
        "attention": looks,
    }
