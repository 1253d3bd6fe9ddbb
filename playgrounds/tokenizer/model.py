"""Byte-pair encoding and WordPiece, learned side by side from a corpus, one merge of each a step."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise
from typing import Annotated, Literal, NamedTuple

import numpy as np

from playgrounds import kit
from playgrounds._corpora import CORPORA, split
from playgrounds.kit import Metric, knob

UNK = "[UNK]"
PAIRS = 8  # of a ranking that are kept
CORPUS = 100  # characters of the corpus shown, in its most frequent words
NEWEST = 16  # entries of the vocabulary shown


class Params(kit.Params):
    corpus: Literal["hugs", "aaabdaaabac", "English", "mixed", "own"] = knob(
        "hugs", label="Corpus", help="what the tokenizers learn from; hugs: hug 10, pug 5, pun 12, bun 4, hugs 5 times"
    )
    text: str = knob(
        "she sells sea shells by the sea shore, and the shells she sells are sea shells",
        0,
        20_000,
        label="Your corpus",
        help="a word is a run of letters and digits, or a run of other signs; no pair spans two words",
        when=lambda p: p.corpus == "own",
    )
    sentence: str = knob("hug mug bugs", 0, 200, label="Sentence", help="encoded with what is learned so far")
    method: Literal["BPE", "WordPiece"] = knob("BPE", label="Watch", help="both learn; this one's merges are shown")
    merges: int = knob(4, 1, 300, label="Merges", help="fewer if every word is one token before that", log=True)
    least: int = knob(1, 1, 10, label="Least count", help="a pair that occurs less often is never merged", more=True)


class Pair(NamedTuple):
    a: str
    b: str
    together: int  # count(ab)
    alone: tuple[int, int]  # count(a), count(b)
    score: float  # what the method compares: count(ab), or count(ab) / (count(a) count(b))


class Ranking(NamedTuple):
    """The pairs of a corpus, best first; among equals the one that comes first in the text."""

    top: tuple[Pair, ...]  # the first PAIRS
    size: int  # how many pairs there are
    tied: int  # how many have the best score
    frequent: Pair | None  # the pair that occurs most often


class Missing(NamedTuple):
    """The piece that a word lacks, and its twin (the same inside words, or at their beginning) if that is a piece."""

    piece: str
    twin: str


class Encoding(NamedTuple):
    """A sentence as tokens; "" stands between words."""

    tokens: tuple[str, ...]
    ids: tuple[int, ...]
    lost: tuple[str, ...]  # what each [UNK] was, "" for the others
    missing: tuple[Missing, ...] = ()  # why, for each different text that was lost


class State(NamedTuple):
    step: int  # merges of the method watched
    vocabulary: Annotated[int, Metric("vocabulary", "count", shown=True)]  # entries, [UNK] not counted
    tokens: Annotated[int, Metric("tokens in the corpus", "count", shown=True)]
    sentence_tokens: Annotated[int, Metric("tokens in the sentence", "count", shown=True)]  # by the method watched
    unknown: Annotated[int, Metric("unknown tokens in the sentence", "count")]  # how many of them are [UNK]
    ranking: Ranking  # of the pairs before this step's merge
    merged: str  # the new token; "" before the first merge
    more: bool  # whether a pair is left to be merged
    newest: tuple[tuple[str, int], ...]  # the last entries of the vocabulary, with their ids
    corpus: tuple[tuple[tuple[str, ...], int], ...]  # pieces and count of the words shown
    different_words: int  # of the corpus
    all_words: int
    by_character: Encoding
    by_word: Encoding
    by_bpe: Encoding
    by_wordpiece: Encoding
    bpe_merges: int  # so far
    wordpiece_merges: int


class BPE:
    """Byte-pair encoding on characters (Sennrich, Haddow and Birch 2016)."""

    inside = ""  # what a piece begins with that does not begin a word

    def __init__(self, words: Mapping[str, int]):
        cut = [[word[0], *(self.inside + c for c in word[1:])] for word in words]
        self.tokens = [UNK, *sorted({piece for pieces in cut for piece in pieces})]  # by id
        self.longest = 1 + len(self.inside)
        self.ids = {token: i for i, token in enumerate(self.tokens)}
        self.merges: dict[tuple[str, str], int] = {}  # in the order learned: pair -> number
        # The corpus in one row: the ids of every different word once, -1 after it, and how often the word occurs.
        self.row = np.array([i for pieces in cut for i in (*(self.ids[piece] for piece in pieces), -1)], int)
        self.times = np.repeat(list(words.values()), [len(pieces) + 1 for pieces in cut]).astype(int)

    @property
    def length(self) -> int:
        """Tokens in the corpus."""
        return int(self.times[self.row >= 0].sum())

    def score(self, together: np.ndarray, a: np.ndarray, b: np.ndarray) -> np.ndarray:
        """What decides: count(ab)."""
        return together

    def rank(self, least: int) -> Ranking:
        """Count all pairs inside words."""
        n = len(self.tokens)
        token = self.row >= 0
        at = np.flatnonzero(token[:-1] & token[1:])
        pairs, first, which = np.unique(self.row[at] * n + self.row[at + 1], return_index=True, return_inverse=True)
        together = np.bincount(which, self.times[at], len(pairs)).astype(int)
        alone = np.bincount(self.row[token], self.times[token], n).astype(int)
        a = alone[pairs // n]
        b = alone[pairs % n]
        score = self.score(together, a, b)
        order = np.lexsort((first, -score))
        order = order[together[order] >= least]
        if not len(order):
            return Ranking((), 0, 0, None)

        def pair(i: int) -> Pair:
            return Pair(
                a=self.tokens[pairs[i] // n],
                b=self.tokens[pairs[i] % n],
                together=int(together[i]),
                alone=(int(a[i]), int(b[i])),
                score=float(score[i]),
            )

        return Ranking(
            top=tuple(pair(i) for i in order[:PAIRS]),
            size=len(order),
            tied=int((score[order] == score[order[0]]).sum()),
            frequent=pair(order[together[order].argmax()]),
        )

    def merge(self, a: str, b: str) -> str:
        """Add ab to the vocabulary and write it wherever a stands before b in the corpus, from the left."""
        ab = a + b[len(self.inside) :]
        if ab not in self.ids:
            self.ids[ab] = len(self.tokens)
            self.tokens.append(ab)
            self.longest = max(self.longest, len(ab))
        self.merges[a, b] = len(self.merges)
        at = np.flatnonzero((self.row[:-1] == self.ids[a]) & (self.row[1:] == self.ids[b]))
        if a == b:  # of overlapping places, as in aaa, take the first, the third, …
            starts = np.diff(at, prepend=-2) > 1
            at = at[(at - np.maximum.accumulate(np.where(starts, at, 0))) % 2 == 0]
        self.row[at] = self.ids[ab]
        self.row = np.delete(self.row, at + 1)
        self.times = np.delete(self.times, at + 1)
        return ab

    def words(self, which: Sequence[int]) -> Iterator[tuple[tuple[str, ...], int]]:
        """Some words of the corpus, each as its pieces (of a very long word the first) and its count."""
        ends = np.flatnonzero(self.row < 0)
        starts = np.append(0, ends + 1)
        for k in which:
            ids = self.row[starts[k] : min(ends[k], starts[k] + CORPUS)]
            cut = ("…",) if ends[k] - starts[k] > CORPUS else ()
            yield (*(self.tokens[i] for i in ids), *cut), int(self.times[ends[k]])

    def encode(self, word: str) -> list[str]:
        """Replay the merges in the order learned. A character that the corpus does not have stays alone: [UNK]."""
        pieces = list(word)
        while known := [pair for pair in pairwise(pieces) if pair in self.merges]:
            pair = min(known, key=self.merges.get)  # the one that was learned first
            i = 0
            while i < len(pieces) - 1:
                if (pieces[i], pieces[i + 1]) == pair:
                    pieces[i : i + 2] = ["".join(pair)]
                i += 1
        return pieces


class WordPiece(BPE):
    """As BERT's vocabulary is believed to be learned (Schuster and Nakajima 2012; the code was never published)."""

    inside = "##"

    def score(self, together: np.ndarray, a: np.ndarray, b: np.ndarray) -> np.ndarray:
        """What decides: count(ab) / (count(a) count(b)). Equal fractions are equal here: division rounds correctly."""
        return together / (a * b)

    def match(self, word: str) -> tuple[list[str], str]:
        """Take the longest piece that matches, again and again; with the piece that is missing, if one is."""
        pieces: list[str] = []
        start = 0
        while start < len(word):
            mark = self.inside if start else ""
            for end in range(min(len(word), start + self.longest), start, -1):
                if mark + word[start:end] in self.ids:
                    break
            else:
                return pieces, mark + word[start]
            pieces.append(mark + word[start:end])
            start = end
        return pieces, ""

    def encode(self, word: str) -> list[str]:
        """Longest match first. Where nothing matches, the whole word is [UNK]."""
        pieces, missing = self.match(word)
        return [word] if missing else pieces

    def why(self, word: str) -> Missing:
        """Why a word is [UNK]."""
        _, piece = self.match(word)
        twin = piece[len(self.inside) :] if piece.startswith(self.inside) else self.inside + piece
        return Missing(piece, twin if twin in self.ids else "")


def look_up(words: list[list[str]], ids: Mapping[str, int]) -> Encoding:
    """The ids of the pieces of some words; what has no id is [UNK]."""
    flat = [piece for pieces in words for piece in ("", *pieces)][1:]
    return Encoding(
        tokens=tuple(piece if piece in ids or not piece else UNK for piece in flat),
        ids=tuple(ids.get(piece, 0) for piece in flat),
        lost=tuple("" if piece in ids else piece for piece in flat),
    )


def numbered(tokens: Sequence[str]) -> dict[str, int]:
    """The id of every token; that of [UNK] is 0."""
    return {token: i for i, token in enumerate([UNK, *tokens])}


def most_frequent(words: Mapping[str, int]) -> list[int]:
    """Which words are shown: the most frequent ones, up to CORPUS characters, in the order of the text."""
    room = CORPUS
    shown: list[int] = []
    by_count = sorted(enumerate(words), key=lambda entry: -words[entry[1]])
    for i, word in by_count:
        if shown and len(word) > room:
            break
        shown.append(i)
        room -= len(word)
    return sorted(shown)


def run(p: Params) -> Iterator[State]:
    """Learn both vocabularies, one merge of each a step; encode the sentence with what is learned so far."""
    words = Counter(split(p.text if p.corpus == "own" else CORPORA[p.corpus]))
    sentence = split(p.sentence)
    characters = numbered([" ", *sorted({c for word in words for c in word})])
    by_character = look_up([list(" ".join(p.sentence.split()))], characters)
    by_word = look_up([[word] for word in sentence], numbered([*words]))

    bpe, wordpiece = BPE(words), WordPiece(words)
    watched, other = (bpe, wordpiece) if p.method == "BPE" else (wordpiece, bpe)
    shown = most_frequent(words)
    ranking = after = watched.rank(p.least)
    merged = ""
    for step in range(p.merges + 1):
        if step:
            merged = watched.merge(ranking.top[0].a, ranking.top[0].b)
            if rest := other.rank(p.least).top:
                other.merge(rest[0].a, rest[0].b)
            after = watched.rank(p.least)
        by_bpe = look_up([bpe.encode(word) for word in sentence], bpe.ids)
        by_wordpiece = look_up([wordpiece.encode(word) for word in sentence], wordpiece.ids)
        lost = dict.fromkeys(word for word in by_wordpiece.lost if word)
        by_wordpiece = by_wordpiece._replace(missing=tuple(wordpiece.why(word) for word in lost))
        mine = by_bpe if watched is bpe else by_wordpiece
        yield State(
            step=step,
            vocabulary=len(watched.ids) - 1,
            tokens=watched.length,
            sentence_tokens=len(mine.tokens) - mine.tokens.count(""),
            unknown=mine.tokens.count(UNK),
            ranking=ranking,
            merged=merged,
            more=bool(after.top),
            newest=tuple((token, watched.ids[token]) for token in watched.tokens[1:][-NEWEST:]),
            corpus=tuple(watched.words(shown)),
            different_words=len(words),
            all_words=words.total(),
            by_character=by_character,
            by_word=by_word,
            by_bpe=by_bpe,
            by_wordpiece=by_wordpiece,
            bpe_merges=len(bpe.merges),
            wordpiece_merges=len(wordpiece.merges),
        )
        if not after.top:
            return
        ranking = after
