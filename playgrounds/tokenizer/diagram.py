"""The corpus and the sentence as boxes around the characters of their tokens."""

from collections.abc import Iterator, Sequence
from html import escape
from typing import NamedTuple

from playgrounds.kit.axes import Axis, bare
from playgrounds.kit.palette import BLUE, MUTED, ORANGE
from playgrounds.kit.picture import Panel
from playgrounds.kit.words import counted
from playgrounds.tokenizer.boxes import (
    LETTER,
    NEW,
    ROOMY,
    TOKEN,
    UNKNOWN,
    Cells,
    Span,
    draw_boxes,
    draw_letters,
    draw_marks,
    draw_still_boxes,
    visible,
    written,
)
from playgrounds.tokenizer.model import UNK, Encoding, Missing, Params, State, WordPiece

MARKED, NARROW, LONG = 9, 12, 22  # cells of a line with room for the mark ##, of a short corpus, and of a long one
SAID = 12  # tokens of a word that are told when it is pointed at
HEADING, LINES = 0.6, 3  # height of a heading in the sentence's panel, where a line is 1; lines drawn of a sentence


# ---------------------------------------------------------------------------------------------------------- the corpus


class Corpus(NamedTuple):
    """The words shown, in their cells, which are the same at every step."""

    cells: Cells
    words: tuple[str, ...]
    starts: tuple[int, ...]  # where each begins in the text of the cells
    short: bool  # all of its words are shown, and large

    @property
    def down(self) -> float:
        """Height in lines; below a short one there is room for a sentence."""
        return self.cells.lines + (0.6 if self.short else 0.4)

    @property
    def axes(self) -> tuple[Axis, Axis]:
        return self.cells.across, bare(0.7 - self.down, 0.7)


def corpus_of(p: Params, first: State) -> Corpus:
    """The corpus as it is at first, in single characters."""
    words = tuple("".join(bare_pieces(p.method, pieces)) for pieces, _ in first.corpus)
    text = " ".join(words)
    line = max([11 if p.method == "BPE" else MARKED, *map(len, words)])
    cells = Cells(text, line)
    short = first.different_words == len(words) and line <= NARROW and cells.lines <= 4
    starts = [0]
    for word in words:
        starts.append(starts[-1] + len(word) + 1)
    return Corpus(cells if short else Cells(text, LONG), words, tuple(starts[:-1]), short)


def bare_pieces(method: str, pieces: Sequence[str]) -> Iterator[str]:
    """The pieces of a word without the mark that WordPiece puts before those inside it."""
    for i, piece in enumerate(pieces):
        yield piece.removeprefix(WordPiece.inside) if method == "WordPiece" and i else piece


def draw_words(panel: Panel, p: Params, corpus: Corpus, state: State) -> None:
    """Each word with its count over it, and boxes around its pieces; those just merged stand out."""
    panel.key("■", "merged now", ORANGE)
    panel.key("■", "before", BLUE)
    cells, marks = corpus.cells, corpus.cells.wide <= NARROW and p.method == "WordPiece"
    spans: list[Span] = []
    for (pieces, _), word, start in zip(state.corpus, corpus.words, corpus.starts, strict=True):
        at, end = start, start + len(word)
        for piece, shown in zip(pieces, bare_pieces(p.method, pieces), strict=True):
            look = NEW if piece == state.merged else LETTER if len(shown) == 1 else TOKEN
            spans.append(Span(at, min(len(shown), end - at), look))
            at += len(shown)
            if at >= end:
                break
    draw_boxes(panel, cells, spans, 0)
    draw_letters(panel, cells, 0, marks)
    if marks:
        draw_marks(panel, cells, spans, WordPiece.inside, 0)
    if corpus.short:
        said_over_words(panel, corpus, state)


def said_over_words(panel: Panel, corpus: Corpus, state: State) -> None:
    """How often each word occurs, and below how the count of the merged pair comes about."""
    middles = [corpus.cells.middle(start, len(word)) for word, start in zip(corpus.words, corpus.starts, strict=True)]
    counts = [n for _, n in state.corpus]
    panel.words(
        [x for x, _ in middles],
        [0.48 - line for _, line in middles],
        [f"×{n:,}" for n in counts],
        MUTED,
        place="middle center",
    )
    if not state.merged:
        return
    best = state.ranking.top[0]
    parts = [n * pieces.count(state.merged) for pieces, n in state.corpus if state.merged in pieces]
    total = " + ".join(f"{n:,}" for n in parts)
    total = f"{total} = {best.together:,}" if len(parts) > 1 and sum(parts) == best.together else f"{best.together:,}"
    said = f"{written(best.a)} + {written(best.b)}: {total} times"
    panel.text(0, 0.9 - corpus.down, said, place="right")


# -------------------------------------------------------------------------------------------------------- the sentence


class Way(NamedTuple):
    """One way to cut the sentence."""

    name: str
    encoding: Encoding
    watched: bool

    @property
    def learned(self) -> bool:
        """Whether merges change it."""
        return self.name in ("BPE", "WordPiece")


def ways_of(p: Params, state: State, all_four: bool) -> list[Way]:
    learned = [
        Way("BPE", state.by_bpe, p.method == "BPE"),
        Way("WordPiece", state.by_wordpiece, p.method == "WordPiece"),
    ]
    fixed = [Way("Characters", state.by_character, False), Way("Words", state.by_word, False)]
    return [*fixed, *learned] if all_four else learned


def height_of(ways: Sequence[Way], sentence: Cells) -> float:
    return len(ways) * (HEADING + min(sentence.lines, LINES))


def draw_sentence(panel: Panel, ways: Sequence[Way], sentence: Cells, words: Encoding) -> None:
    """The sentence once for every way, its tokens boxed, below each its id."""
    panel.key("▨", "unknown", MUTED)
    shown = sum(line < LINES for line, _ in sentence.at[: len(sentence.text)])
    cells = Cells(sentence.text[:shown], sentence.wide)
    places = [cells.middle(word.start, word.length) for word, _ in spans_of(Way("Words", words, False), cells.text)]
    for i, way in enumerate(ways):
        top = -height_of(ways[:i], sentence)
        title = heading(way, cut=shown < len(sentence.text))
        panel.text(0, top - HEADING / 2, f"<b>{title}</b>" if way.watched else title, place="right")
        first = top - HEADING - 0.35
        draw_way(panel, way, cells, first)
        if way.learned:
            said = said_of_words(way)[: len(places)]
            panel.hover([x for x, _ in places], [first - line for _, line in places], said, size=24)


def draw_way(panel: Panel, way: Way, cells: Cells, top: float) -> None:
    """The sentence cut one way; ids are written where they have room."""
    spans = spans_of(way, cells.text)
    boxes = [one for one, _ in spans]
    has_marks = way.name == "WordPiece" and cells.wide <= MARKED
    (draw_boxes if way.learned else draw_still_boxes)(panel, cells, boxes, top)
    draw_letters(panel, cells, top, has_marks)
    if has_marks:
        draw_marks(panel, cells, boxes, WordPiece.inside, top)
    if cells.wide > ROOMY:
        return
    numbers = [(cells.middle(one.start, one.length), str(n)) for one, n in spans if len(str(n)) <= 2 * one.length]
    if way.learned:
        for (x, line), number in numbers:
            panel.text(x, top - line - 0.47, number, MUTED)
    else:
        x, y = [x for (x, _), _ in numbers], [top - line - 0.47 for (_, line), _ in numbers]
        panel.words(x, y, [number for _, number in numbers], MUTED, place="middle center")


def heading(way: Way, cut: bool) -> str:
    tokens, _, _, missing = way.encoding
    said = f"{way.name}: {counted(len(tokens) - tokens.count(''), 'token')}"
    if n := tokens.count(UNK):
        said += f", {n:,} unknown"
    if missing:
        said += f" (no piece {written(missing[0].piece)})"
    return said + (", its beginning shown" if cut else "")


def spans_of(way: Way, text: str) -> list[tuple[Span, int]]:
    """The characters of every token of the text with its id, as far as the text is shown."""
    found: list[tuple[Span, int]] = []
    at, inside = 0, False
    for token, number, lost in zip(*way.encoding[:3], strict=True):
        if not token:
            inside = False
            continue
        while way.name != "Characters" and at < len(text) and text[at] == " ":
            at += 1
        if at >= len(text):
            break
        piece = token.removeprefix(WordPiece.inside) if inside and way.name == "WordPiece" else token
        look = UNKNOWN if token == UNK else LETTER if len(piece) == 1 else TOKEN
        length = len(lost or piece)
        found.append((Span(at, min(length, len(text) - at), look), number))
        at, inside = at + length, True
    return found


def said_of_words(way: Way) -> list[str]:
    """For every word how it is cut, or why it cannot be."""
    tokens, ids, lost, missing = way.encoding
    why = dict(zip(dict.fromkeys(word for word in lost if word), missing, strict=False))
    said: list[list[str]] = [[]]
    for token, number, word in zip(tokens, ids, lost, strict=True):
        if not token:
            said.append([])
        elif word in why:
            said[-1].append(f"{UNK}: {escape(reason(why[word]), quote=False)}")
        else:
            said[-1].append(f"{written(token)} ({number})")
    return [" ".join(parts[:SAID]) + (" …" if len(parts) > SAID else "") for parts in said]


def reason(missing: Missing) -> str:
    """Why WordPiece has no token for a word."""
    piece = visible(missing.piece)
    return f"{visible(missing.twin)} is a piece, {piece} is not" if missing.twin else f"no piece {piece}"
