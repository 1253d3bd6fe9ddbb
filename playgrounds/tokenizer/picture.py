"""How merges and the encoded sentence are told and drawn."""

import unicodedata
from collections.abc import Sequence
from html import escape
from zlib import crc32

from playgrounds.kit import fails, works
from playgrounds.kit.axes import bare, span, steps
from playgrounds.kit.palette import BLUE, MUTED, ORANGE, SERIES
from playgrounds.kit.picture import Panel, Picture
from playgrounds.kit.words import counted
from playgrounds.tokenizer.model import PAIRS, UNK, Encoding, Missing, Pair, Params, Ranking, State

PRESETS = (
    works(
        "Frequent words whole",
        "After six merges hugs, a word of the corpus, is one token.",
        {"sentence_tokens": "== 1"},
        sentence="hugs",
        merges=6,
    ),
    works(
        "An unseen word",
        "The word bugs was never seen, and is put together from pieces that were.",
        {"unknown": "== 0", "sentence_tokens": "<= 3"},
        sentence="bugs",
    ),
    fails(
        "No letter for it", "The corpus has no m, so mug cannot be spelled: [UNK].", {"unknown": "== 1"}, sentence="mug"
    ),
    fails(
        "The wrong corpus",
        "A vocabulary learned from five words cuts an English sentence into unknown letters.",
        {"unknown": ">= 20"},
        sentence="The slowest walker knew 7 bridges.",
    ),
)

SHUFFLE = 232_785  # so chosen that neighbours in the bundled corpora seldom have the same colour
BAR = 0.42  # half of a bar's height


def note(p: Params, states: Sequence[State], now: int) -> str:
    """Which pair was merged and why, and what that did to vocabulary and corpus."""
    state = states[now]
    if state.step == 0:
        return opening(p, state)
    before = states[now - 1]
    joins = "joins the vocabulary" if state.vocabulary > before.vocabulary else "is in the vocabulary already"
    shrinks = f"the corpus shrinks from {before.tokens:,} to {counted(state.tokens, 'token')}."
    said = f"Merge {state.step}: {chosen(p.method, state.ranking)} {visible(state.merged)} {joins}, and {shrinks}"
    return said if state.more else said + nothing_left(p, state)


def opening(p: Params, state: State) -> str:
    if not state.all_words:
        return "The corpus has no words: type some, or choose one that is there."
    start = f"The corpus in single characters: {counted(state.tokens, 'token')}, {state.vocabulary} different."
    if not state.more:
        return start + nothing_left(p, state)
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


def nothing_left(p: Params, state: State) -> str:
    if state.tokens > state.all_words:
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


def draw(p: Params, states: Sequence[State], now: int) -> Picture:
    """The pairs that were counted for this merge; tokens and vocabulary with a cursor; below, corpus and sentence."""
    state = states[now]
    pic = Picture(290, "pairs pairs tokens")
    counts = "Pair counts" if p.method == "BPE" else "count(ab)/(count(a)·count(b))"
    pairs = pic.panel("pairs", f"{counts} before this merge", bare(0, 1.02), bare(-PAIRS - 0.6, 0.6), tall=230)
    draw_pairs(pairs, p, state)

    most = max(1, *(max(s.tokens, s.vocabulary) for s in states))
    tokens = pic.panel("tokens", "", steps(max(1, len(states) - 1), "merges"), span(0, 1.05 * most), tall=150)
    tokens.history(states, lambda s: s.tokens, "corpus tokens")
    tokens.history(states, lambda s: s.vocabulary, "vocabulary", dash="dot")
    pic.cursor(state.step, tokens)

    corpus_row(pic, state)
    vocabulary_row(pic, p, state)
    sentence_row(pic, "characters", state.by_character, "not in the corpus")
    sentence_row(pic, "words", state.by_word, "not in the corpus")
    bpe = f"BPE after {counted(state.bpe_merges, 'merge')}"
    sentence_row(pic, bpe, state.by_bpe, "not in the corpus; only the character is lost")
    wordpiece = f"WordPiece after {counted(state.wordpiece_merges, 'merge')}"
    sentence_row(pic, wordpiece, state.by_wordpiece, "the whole word is lost")
    return pic


def draw_pairs(panel: Panel, p: Params, state: State) -> None:
    """A bar per pair, and over each what it stands for; the merged one orange, tied ones outlined."""
    top, size, tied, _ = state.ranking
    for row, pair in enumerate(top):
        merged = row == 0 and state.merged != ""
        equal = tied > 1 and row < tied
        panel.block(
            (0, pair.score / top[0].score),
            (-row - BAR, -row + BAR),
            ORANGE if merged else BLUE,
            edge=ORANGE if equal or merged else BLUE,
            width=2 if equal else 1,
            opacity=0.5,
            layer="below",
        )
        said = f"<b>{pair.together:,}</b>" if p.method == "BPE" else formula(pair)
        mark = "" if not equal else "  tied, first" if row == 0 else "  tied"
        a, b = (escape(visible(piece, 10), quote=False) for piece in (pair.a, pair.b))
        # a left-to-right mark keeps Hebrew or Arabic pieces from taking the number with them
        panel.text(0, -row, f" {a} + {b}\u200e   {said}{mark}", size=14, place="right")
    if size > len(top):
        also = f", {tied - len(top):,} of them tied" if tied > len(top) else ""
        panel.text(0, -PAIRS, f" and {counted(size - len(top), 'more pair')}{also}", MUTED, 14, place="right")


def row(pic: Picture, title: str, tokens: Sequence[str], subs: Sequence[str], marks: Sequence[int]) -> None:
    pic.chips(title, [visible(token) for token in tokens], [colour(token) for token in tokens], subs, marks)


def corpus_row(pic: Picture, state: State) -> None:
    texts, subs = [], []
    for pieces, n in state.corpus:
        texts += ["", *pieces]
        subs += ["", f"×{n:,}", *[""] * (len(pieces) - 1)]
    title = f"Corpus: {counted(state.tokens, 'token')} in {counted(state.all_words, 'word')}"
    if state.different_words < state.all_words:
        title += f", {state.different_words:,} different"
    if state.different_words > len(state.corpus):
        title += f", the most frequent {len(state.corpus)} shown"
    row(pic, title, texts[1:], subs[1:], [i for i, t in enumerate(texts[1:]) if t == state.merged != ""])


def vocabulary_row(pic: Picture, p: Params, state: State) -> None:
    tokens = [token for token, _ in state.newest]
    title = f"Vocabulary of {p.method}: {counted(state.vocabulary, 'token')}"
    title += f", the newest {len(tokens)} shown" if state.vocabulary > len(tokens) else ""
    title += f", and {UNK}; below each its id"
    newest = [i for i, token in enumerate(tokens) if token == state.merged]
    row(pic, title, tokens, [str(i) for _, i in state.newest], newest)


def sentence_row(pic: Picture, name: str, encoding: Encoding, unknown: str) -> None:
    """The sentence as one kind of tokens; `unknown` says what an [UNK] means there."""
    tokens, ids, lost, missing = encoding
    title = f"Sentence by {name}: {counted(len(tokens) - tokens.count(''), 'token')}"
    if texts := list(dict.fromkeys(text for text in lost if text)):
        why = [f" ({reason(one)})" for one in missing[:3]] or [""] * 3
        listed = ", ".join(visible(text) + because for text, because in zip(texts[:3], why, strict=False))
        more = f" and {len(texts) - 3} more" if len(texts) > 3 else ""
        title += f", {tokens.count(UNK)} {UNK} for {listed}{more}: {unknown}"
    subs = [f"{i} ← {visible(text, 8)}" if text else str(i) for i, text in zip(ids, lost, strict=True)]
    row(pic, title, tokens, subs, [i for i, token in enumerate(tokens) if token == UNK])


def reason(missing: Missing) -> str:
    """Why WordPiece has no token for a word."""
    piece = visible(missing.piece)
    return f"{visible(missing.twin)} is a piece, {piece} is not" if missing.twin else f"no piece {piece}"
