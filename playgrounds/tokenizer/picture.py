"""How merges and the encoded sentence are told and drawn."""

from collections.abc import Sequence

from playgrounds.kit import fails, works
from playgrounds.kit.axes import bare, span, steps
from playgrounds.kit.palette import BLUE, INK, MUTED, ORANGE
from playgrounds.kit.picture import Panel, Picture
from playgrounds.kit.words import counted
from playgrounds.tokenizer.boxes import ROOMY, fitting, visible, written
from playgrounds.tokenizer.diagram import (
    MARKED,
    NARROW,
    Corpus,
    corpus_of,
    draw_sentence,
    draw_words,
    height_of,
    ways_of,
)
from playgrounds.tokenizer.model import NEWEST, PAIRS, Pair, Params, Ranking, State

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

WORDS, SENTENCE = 56, 40  # px of a line of words, and of a line of the sentence
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


def draw(p: Params, states: Sequence[State], now: int) -> Picture:
    """A short corpus as words whose pieces join, with the pairs counted beside them; else the sentence as it is cut."""
    state, corpus = states[now], corpus_of(p, states[0])
    wides = (NARROW if p.method == "BPE" else MARKED, ROOMY, 2 * ROOMY)
    sentence = fitting(" ".join(p.sentence.split()), wides, most=2)
    ways = ways_of(p, state, all_four=not corpus.short)
    down = height_of(ways, sentence)
    pic = both(p, corpus, down) if corpus.short else sentence_alone(down)

    words = pic.panel("words", "Corpus words", *corpus.axes, tall=round(WORDS * corpus.down))
    draw_words(words, p, corpus, state)
    counts = "Pairs by count" if p.method == "BPE" else "count(ab)/(count(a)·count(b))"
    pairs = pic.panel("pairs", f"{counts} before this merge", bare(0, 1.02), bare(-PAIRS - 0.6, 0.6), tall=210)
    draw_pairs(pairs, p, state)
    title = f"Sentence: {'two' if corpus.short else 'four'} cuts and ids"
    cut = pic.panel("sentence", title, sentence.across, bare(-down, 0), tall=round(SENTENCE * down))
    cut.hero = not corpus.short
    draw_sentence(cut, ways, sentence, state.by_word)

    most = max(1, *(max(s.tokens, s.vocabulary) for s in states))
    tokens = pic.panel("tokens", "", steps(max(1, len(states) - 1), "merges"), span(0, 1.05 * most), tall=150)
    tokens.history(states, lambda s: s.tokens, "corpus tokens")
    tokens.history(states, lambda s: s.vocabulary, "vocabulary", dash="dot")
    pic.cursor(state.step, tokens)
    draw_vocabulary(pic, p, state)
    return pic


def both(p: Params, corpus: Corpus, down: float) -> Picture:
    """Words and pairs above, the sentence below; a row of the layout is 10 px high."""
    wide = "words words words pairs pairs" if p.method == "BPE" else "words pairs"
    above, below = max(165, WORDS * corpus.down), SENTENCE * down
    across = len(wide.split())
    rows = [*round(above / 10) * [wide], *round(below / 10) * [" ".join(across * ["sentence"])]]
    return Picture(min(500, round(above + below + 80)), *rows, details=("vocabulary tokens",))


def sentence_alone(down: float) -> Picture:
    details = ("words words", "words words", "pairs tokens", "vocabulary vocabulary")
    return Picture(min(500, round(SENTENCE * down + 44)), "sentence", details=details)


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
        a, b = written(pair.a, 10), written(pair.b, 10)
        panel.text(0, -row, f" {a} + {b}   {said}{mark}", size=14, place="right")
    if size > len(top):
        also = f", {tied - len(top):,} of them tied" if tied > len(top) else ""
        panel.text(0, -PAIRS, f" and {counted(size - len(top), 'more pair')}{also}", MUTED, 14, place="right")


def draw_vocabulary(pic: Picture, p: Params, state: State) -> None:
    """Its newest entries with their ids, that of this merge marked."""
    columns = NEWEST // 4
    title = f"Newest tokens of {p.method} and ids"
    panel = pic.panel("vocabulary", title, bare(-0.5, columns - 0.5), bare(-3.6, 0.6), tall=130)
    for i, (token, number) in enumerate(state.newest):
        said = f"{written(token, 7)}  {number}"
        colour = ORANGE if token == state.merged else INK
        panel.text(i % columns, -(i // columns), said, colour)
