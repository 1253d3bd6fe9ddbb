"""A text is cut into tokens: one merge a step, and a sentence by characters, words, BPE and WordPiece side by side.

Left out: bytes in place of characters, spaces that belong to the word after them, normalising (case, accents), and the
model that reads the ids.
"""

import unicodedata
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from html import escape
from itertools import pairwise
from typing import Literal, NamedTuple
from zlib import crc32

import numpy as np

from playgrounds import kit
from playgrounds.kit import fails, knob, works
from playgrounds.kit.figures import Figure, Panel, axes, box, chips, figure, lines, rule
from playgrounds.kit.palette import BLUE, INK, MUTED, ORANGE, SERIES
from playgrounds.kit.words import counted

UNK = "[UNK]"
PAIRS = 8  # in the chart
CORPUS = 100  # characters of the corpus shown, in its most frequent words
NEWEST = 16  # entries of the vocabulary shown
SHUFFLE = 232_785  # so chosen that neighbours in the bundled corpora seldom have the same colour

CORPORA = {
    "hugs": "hug " * 10 + "pug " * 5 + "pun " * 12 + "bun " * 4 + "hugs " * 5,
    "aaabdaaabac": "aaabdaaabac",
    "English": """
        The old river is low. It was lower in the summer, and it is lowest in a summer without rain. The new bridge is
        wider than the old bridge, but the newest bridge is the widest of all. Slow boats wait for the water, and the
        slower the water rises, the longer they wait; the slowest boat waits longest. Walkers who walked to the old
        bridge in the summer are walking to the new one in the winter, and talkers who talked there are talking there
        again. A low bridge slows a tall boat. A newer, wider, taller bridge slows nothing: the tallest boat goes under
        it, slowly, in the deepest and widest water of the river.""",
    "mixed": """
        Der Dampf treibt das Schiff, das Dampfschiff. Die Fahrt mit dem Schiff ist die Schifffahrt, die Fahrt mit dem
        Dampfschiff die Dampfschifffahrt, auf der Donau die Donaudampfschifffahrt.
        東京 京都 東京都 京都市 東京駅 京都駅 東京大学 京都大学
        café cafés naïve naïveté 👩‍💻 👨‍💻 👩‍🚀 👨‍🚀 👩‍💻 👍 👍🏽""",
}


class Params(kit.Params):
    corpus: Literal["hugs", "aaabdaaabac", "English", "mixed", "own"] = knob(
        "hugs", label="Corpus", help="what the tokenizers learn from; hugs: hug 10, pug 5, pun 12, bun 4, hugs 5 times"
    )
    text: str = knob(
        "she sells sea shells by the sea shore, and the shells she sells are sea shells",
        0, 20_000, label="Your corpus", when=lambda p: p.corpus == "own",
        help="a word is a run of letters and digits, or a run of other signs; no pair spans two words",
    )  # fmt: skip
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


class Encoding(NamedTuple):
    """A sentence as tokens; "" stands between words."""

    tokens: tuple[str, ...]
    ids: tuple[int, ...]
    lost: tuple[str, ...]  # what each [UNK] was, "" for the others
    reasons: tuple[str, ...] = ()  # why, for each different text that was lost


class State(NamedTuple):
    vocabulary: int  # entries, [UNK] not counted
    tokens: int  # in the corpus
    sentence_tokens: int  # of the sentence, by the method watched
    unknown: int  # how many of them are [UNK]
    note: str
    ranking: Ranking  # of the pairs before this step's merge
    merged: str  # the new token; "" before the first merge
    newest: tuple[tuple[str, int], ...]  # the last entries of the vocabulary, with their ids
    corpus: tuple[tuple[tuple[str, ...], int], ...]  # pieces and count of the words shown
    words: tuple[int, int]  # different words of the corpus, words in all
    encodings: tuple[Encoding, ...]  # by characters, words, BPE, WordPiece
    learned: tuple[int, int]  # merges of BPE and of WordPiece so far


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
        n, token = len(self.tokens), self.row >= 0
        at = np.flatnonzero(token[:-1] & token[1:])
        pairs, first, which = np.unique(self.row[at] * n + self.row[at + 1], return_index=True, return_inverse=True)
        together = np.bincount(which, self.times[at], len(pairs)).astype(int)
        alone = np.bincount(self.row[token], self.times[token], n).astype(int)
        a, b = alone[pairs // n], alone[pairs % n]
        score = self.score(together, a, b)
        order = np.lexsort((first, -score))
        order = order[together[order] >= least]
        if not len(order):
            return Ranking((), 0, 0, None)

        def pair(i: int) -> Pair:
            one, two = self.tokens[pairs[i] // n], self.tokens[pairs[i] % n]
            return Pair(one, two, int(together[i]), (int(a[i]), int(b[i])), float(score[i]))

        tied = int((score[order] == score[order[0]]).sum())
        return Ranking(tuple(map(pair, order[:PAIRS])), len(order), tied, pair(order[together[order].argmax()]))

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
        self.row, self.times = np.delete(self.row, at + 1), np.delete(self.times, at + 1)
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
            pair = min(known, key=self.merges.get)
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
        pieces, start = [], 0
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

    def reason(self, word: str) -> str:
        """Why a word is [UNK]."""
        _, missing = self.match(word)
        twin = missing[len(self.inside) :] if missing.startswith(self.inside) else self.inside + missing
        if twin in self.ids:
            return f"{visible(twin)} is a piece, {visible(missing)} is not"
        return f"no piece {visible(missing)}"


def split(text: str) -> list[str]:
    """Words: runs of letters and digits, and runs of other signs. Marks and joiners belong to what they follow."""
    words, last = [], " "
    for c in text:
        category = unicodedata.category(c)
        kind = " " if c.isspace() else "letter" if category[0] in "LN" else "sign"
        if category[0] == "M" or category == "Cf":
            kind = last if last != " " else "sign"
        if kind != " ":
            if kind == last:
                words[-1].append(c)
            else:
                words.append([c])
        last = kind
    return ["".join(word) for word in words]


def look_up(words: list[list[str]], ids: Mapping[str, int]) -> Encoding:
    """The ids of the pieces of some words; what has no id is [UNK]."""
    flat = [piece for pieces in words for piece in ("", *pieces)][1:]
    return Encoding(
        tuple(piece if piece in ids or not piece else UNK for piece in flat),
        tuple(ids.get(piece, 0) for piece in flat),
        tuple("" if piece in ids else piece for piece in flat),
    )


def run(p: Params) -> Iterator[State]:
    """Learn both vocabularies, one merge of each a step; encode the sentence with what is learned so far."""
    words = Counter(split(p.text if p.corpus == "own" else CORPORA[p.corpus]))
    sentence = split(p.sentence)
    characters = {token: i for i, token in enumerate([UNK, " ", *sorted({c for word in words for c in word})])}
    by_character = look_up([list(" ".join(p.sentence.split()))], characters)
    by_word = look_up([[word] for word in sentence], {word: i for i, word in enumerate([UNK, *words])})
    bpe, wordpiece = BPE(words), WordPiece(words)
    watched, other = (bpe, wordpiece) if p.method == "BPE" else (wordpiece, bpe)
    seen = most_frequent(words)

    def state(ranking: Ranking, merged: str, note: str) -> State:
        by_bpe, by_wordpiece = (look_up([t.encode(word) for word in sentence], t.ids) for t in (bpe, wordpiece))
        reasons = (wordpiece.reason(word) for word in dict.fromkeys(by_wordpiece.lost) if word)
        by_wordpiece = by_wordpiece._replace(reasons=tuple(reasons))
        mine = by_bpe if watched is bpe else by_wordpiece
        return State(
            len(watched.ids) - 1, watched.length, len(mine.tokens) - mine.tokens.count(""), mine.tokens.count(UNK),
            note, ranking, merged, tuple((token, watched.ids[token]) for token in watched.tokens[1:][-NEWEST:]),
            tuple(watched.words(seen)),
            (len(words), words.total()), (by_character, by_word, by_bpe, by_wordpiece),
            (len(bpe.merges), len(wordpiece.merges)),
        )  # fmt: skip

    ranking = watched.rank(p.least)
    yield state(ranking, "", opening(p, watched, ranking))
    for step in range(1, p.merges + 1):
        if not ranking.top:
            return
        length, size = watched.length, len(watched.ids)
        merged = watched.merge(ranking.top[0].a, ranking.top[0].b)
        if rest := other.rank(p.least).top:
            other.merge(rest[0].a, rest[0].b)
        after = watched.rank(p.least)
        joins = "joins the vocabulary" if len(watched.ids) > size else "is in the vocabulary already"
        note = f"Merge {step}: {chosen(p.method, ranking)} {visible(merged)} {joins}, and the corpus shrinks from"
        note += f" {length:,} to {counted(watched.length, 'token')}." + ("" if after.top else nothing_left(p, watched))
        yield state(ranking, merged, note)
        ranking = after


def most_frequent(words: Mapping[str, int]) -> list[int]:
    """Which words are shown: the most frequent ones, up to CORPUS characters, in the order of the text."""
    room, seen = CORPUS, []
    for i, (word, _) in sorted(enumerate(words.items()), key=lambda entry: -entry[1][1]):
        if seen and len(word) > room:
            break
        seen.append(i)
        room -= len(word)
    return sorted(seen)


def opening(p: Params, watched: BPE, ranking: Ranking) -> str:
    if not len(watched.row):
        return "The corpus has no words: type some, or choose one that is there."
    start = f"The corpus in single characters: {counted(watched.length, 'token')}, {len(watched.ids) - 1} different."
    if not ranking.top:
        return start + nothing_left(p, watched)
    choice = "occurs most often" if p.method == "BPE" else "has the largest count(ab) / (count(a) · count(b))"
    return f"{start} In every step the pair that {choice} becomes one token."


def chosen(method: str, ranking: Ranking) -> str:
    """Why the first pair of a ranking is merged."""
    best, frequent, tied = ranking.top[0], ranking.frequent, ranking.tied - 1
    if method == "BPE":
        says, so, most = f"stand next to each other {times(best.together)}", "so do", "more often than any other pair"
    else:
        says, so, most = f"has the score {formula(best)}", "so have" if tied > 1 else "so has", "the largest"
        if frequent.score < best.score:
            often = f"{joined(frequent)} ({times(frequent.together)})"
            most += f"; the most frequent pair, {often}, has {frequent.score:.3g}"
    if tied:
        rivals = ", ".join(joined(pair) for pair in ranking.top[1 : min(1 + tied, 3)])
        rivals += f" and {tied - 2:,} more" if tied > 2 else ""
        most = f"and {so} {rivals}: a tie, won by the pair that comes first in the corpus"
    return f"{joined(best)} {says}, {most}."


def nothing_left(p: Params, watched: BPE) -> str:
    if (np.diff(np.flatnonzero(watched.row < 0), prepend=-1) > 2).any():  # a word of more than one token
        return f" No pair is left that occurs at least {p.least} times."
    return " No pair is left: every word is one token."


def joined(pair: Pair) -> str:
    return f"{visible(pair.a)} + {visible(pair.b)}"


def times(n: int) -> str:
    return "once" if n == 1 else f"{n:,} times"


def formula(pair: Pair) -> str:
    """The score of a pair, with its counts."""
    a, b = pair.alone
    return f"{pair.together:,}/({a:,}·{b:,}) = {pair.score:.3g}"


def visible(piece: str, most: int = 16) -> str:
    """A piece for the eye: a long one without its middle, a mark on a circle, other invisible characters as code."""
    if len(piece) > most:
        piece = piece[: most // 2] + "…" + piece[-(most // 2 - 1) :]
    shown = ""
    for c in piece:
        if unicodedata.category(c)[0] == "M" and shown[-1:] in ("", "#"):
            shown += "◌"
        shown += c if c.isprintable() else f"⟨{ord(c):X}⟩"
    return shown


def colour(token: str) -> int | None:
    """The same text has the same colour in every row; [UNK] has none."""
    if token in (UNK, "", "…"):
        return None
    return crc32(token.removeprefix("##").encode(), SHUFFLE) % len(SERIES)


PRESETS = (
    works("Frequent words whole", "After six merges hugs, a word of the corpus, is one token.",
          {"sentence_tokens": "== 1"}, sentence="hugs", merges=6),
    works("An unseen word", "The word bugs was never seen, and is put together from pieces that were.",
          {"unknown": "== 0", "sentence_tokens": "<= 3"}, sentence="bugs"),
    fails("No letter for it", "The corpus has no m, so mug cannot be spelled: [UNK].", {"unknown": "== 1"},
          sentence="mug"),
    fails("The wrong corpus", "A vocabulary learned from five words cuts an English sentence into unknown letters.",
          {"unknown": ">= 20"}, sentence="The slowest walker knew 7 bridges."),
)  # fmt: skip


def draw(p: Params, states: Sequence[State], now: int) -> Figure:
    """The pairs that were counted for this merge; tokens and vocabulary with a cursor; below, corpus and sentence."""
    state = states[now]
    wide = PAIRS + 0.6
    counts = "Pair counts" if p.method == "BPE" else "count(ab)/(count(a)·count(b))"
    merges = {"text": "merges", "font": {"color": MUTED, "size": 13}, "standoff": 4}
    fig = figure(
        290,
        Panel((0, 0.6, 0, 1), 230, f"{counts} before this merge",
              {"range": [0, 1.02]}, {"range": [-wide, 0.6]}, bare=True),
        Panel((0.69, 1, 0, 1), 150, "Corpus tokens ━  vocabulary ┄",
              {"range": [0, max(1, len(states) - 1)], "nticks": 5, "title": merges},
              {"range": [0, 1.05 * max(1, *(max(s.tokens, s.vocabulary) for s in states))], "nticks": 5}),
    )  # fmt: skip
    steps = list(range(len(states)))
    fig["data"] += [
        lines(2, steps, [s.vocabulary for s in states], "vocabulary", INK, line={"dash": "dot"}),
        lines(2, steps, [s.tokens for s in states], "corpus tokens", INK),
        bars(fig, p, state),
    ]
    fig["layout"]["shapes"].append(rule(2, now))
    fig["chips"] += [corpus_row(state), vocabulary_row(p, state)]
    fig["chips"] += [sentence_row(name, encoding) for name, encoding in zip(names(state), state.encodings, strict=True)]
    return fig


def bars(fig: Figure, p: Params, state: State) -> dict:
    """A bar per pair, as shapes; the trace returned writes over each what it stands for."""
    top, size, tied, _ = state.ranking
    texts = [""] * (PAIRS + 1)
    for row, pair in enumerate(top):
        mine = row == 0 and state.merged
        equal = tied > 1 and row < tied
        fig["layout"]["shapes"].append(
            box(1, (0, pair.score / top[0].score), (-row - 0.42, -row + 0.42), ORANGE if equal or mine else BLUE,
                2 if equal else 1, ORANGE if mine else BLUE, opacity=0.5, layer="below")
        )  # fmt: skip
        number = f"<b>{pair.together:,}</b>" if p.method == "BPE" else formula(pair)
        mark = "" if not equal else "  tied, first" if row == 0 else "  tied"
        # a left-to-right mark keeps Hebrew or Arabic pieces from taking the number with them
        a, b = (escape(visible(piece, 10), quote=False) for piece in pair[:2])
        texts[row] = f" {a} + {b}\u200e   {number}{mark}"
    if size > len(top):
        also = f", {tied - len(top):,} of them tied" if tied > len(top) else ""
        texts[PAIRS] = f" and {counted(size - len(top), 'more pair')}{also}"
    return {"type": "scatter", "mode": "text", "x": [0] * len(texts), "y": [-i for i in range(len(texts))],
            "text": texts, "textposition": "middle right", "textfont": {"color": [INK] * PAIRS + [MUTED], "size": 14},
            "hoverinfo": "skip"} | axes(1)  # fmt: skip


def corpus_row(state: State) -> dict:
    texts, subs = [], []
    for pieces, n in state.corpus:
        texts += ["", *pieces]
        subs += ["", f"×{n:,}", *[""] * (len(pieces) - 1)]
    different, total = state.words
    title = f"Corpus: {counted(state.tokens, 'token')} in {counted(total, 'word')}"
    title += f", {different:,} different" if different < total else ""
    title += f", the most frequent {len(state.corpus)} shown" if different > len(state.corpus) else ""
    return row(title, texts[1:], subs[1:], [i for i, t in enumerate(texts[1:]) if t == state.merged != ""])


def vocabulary_row(p: Params, state: State) -> dict:
    tokens = [token for token, _ in state.newest]
    title = f"Vocabulary of {p.method}: {counted(state.vocabulary, 'token')}"
    title += f", the newest {len(tokens)} shown" if state.vocabulary > len(tokens) else ""
    title += f", and {UNK}; below each its id"
    return row(title, tokens, [str(i) for _, i in state.newest], [i for i, t in enumerate(tokens) if t == state.merged])


def names(state: State) -> list[str]:
    bpe, wordpiece = (counted(n, "merge") for n in state.learned)
    return ["characters", "words", f"BPE after {bpe}", f"WordPiece after {wordpiece}"]


UNKNOWN = {  # what [UNK] means, by the first word of an encoding's name
    "characters": "not in the corpus",
    "words": "not in the corpus",
    "BPE": "not in the corpus; only the character is lost",
    "WordPiece": "the whole word is lost",
}


def sentence_row(name: str, encoding: Encoding) -> dict:
    tokens, ids, lost, reasons = encoding
    title = f"Sentence by {name}: {counted(len(tokens) - tokens.count(''), 'token')}"
    if texts := list(dict.fromkeys(text for text in lost if text)):
        why = [f" ({reason})" for reason in reasons[:3]] or [""] * 3
        listed = ", ".join(visible(text) + reason for text, reason in zip(texts[:3], why, strict=False))
        more = f" and {len(texts) - 3} more" if len(texts) > 3 else ""
        title += f", {tokens.count(UNK)} {UNK} for {listed}{more}: {UNKNOWN[name.split()[0]]}"
    subs = [f"{i} ← {visible(text, 8)}" if text else str(i) for i, text in zip(ids, lost, strict=True)]
    return row(title, tokens, subs, [i for i, t in enumerate(tokens) if t == UNK])


def row(title: str, tokens: Sequence[str], subs: Sequence[str], marks: Sequence[int]) -> dict:
    return chips(title, [visible(t) for t in tokens], [colour(t) for t in tokens], subs, marks)
