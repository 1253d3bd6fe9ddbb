"""A text in cells, a character in each, and a box around the characters of each token: boxes join, cells stay."""

import unicodedata
from collections.abc import Iterator, Sequence
from html import escape
from typing import NamedTuple

import numpy as np

from playgrounds.kit.axes import Axis, bare
from playgrounds.kit.palette import BLUE, FAINT, MUTED, ORANGE
from playgrounds.kit.picture import Panel

HALF = 0.28  # of a box's height, where a line of cells is 1 high
FREE = 0.05  # of a cell, on either side of a box
BESIDE = 0.28  # cells by which a letter inside a word makes room for a mark
ROOMY = 18  # cells of a line that have room for large letters and for numbers below, on a phone too
LETTER, TOKEN, NEW, UNKNOWN = "letter", "token", "new", "unknown"
FILLS = {TOKEN: (BLUE, 0.35), NEW: (ORANGE, 0.6), UNKNOWN: (FAINT, 1.0)}


class Span(NamedTuple):
    """The characters of a token, and how its box looks."""

    start: int
    length: int
    look: str


class Cells:
    """The places of a text's characters, in lines of `wide` cells; a line ends with a word where it can."""

    def __init__(self, text: str, wide: int):
        self.text, self.wide = text, wide
        self.at: list[tuple[int, int]] = []  # line and column of every character
        line = column = 0
        for word in text.split(" "):
            if column and column + len(word) > wide:
                line, column = line + 1, 0
            for _ in word:
                if column == wide:
                    line, column = line + 1, 0
                self.at.append((line, column))
                column += 1
            self.at.append((line, column))  # the space after it
            column += 1
        self.lines = line + 1

    @property
    def across(self) -> Axis:
        return bare(0, self.wide)

    def parts(self, start: int, length: int) -> Iterator[tuple[int, int, int]]:
        """Line, first column and end of the cells of some characters, for each line that they stand in."""
        here = [place for place in self.at[start : start + length] if place[1] < self.wide]
        for line in dict.fromkeys(line for line, _ in here):
            columns = [column for at, column in here if at == line]
            yield line, min(columns), max(columns) + 1

    def middle(self, start: int, length: int = 1) -> tuple[float, int]:
        """Where the middle of some characters is, of those in their first line: column and line."""
        line, left, right = next(self.parts(start, length), (*self.at[start], self.at[start][1] + 1))
        return (left + right) / 2, line


def fitting(text: str, wides: Sequence[int], most: int) -> Cells:
    """The text in the first of these widths in which it has at most so many lines, else in the last."""
    for wide in wides:
        cells = Cells(text, wide)
        if cells.lines <= most:
            break
    return cells


def draw_letters(panel: Panel, cells: Cells, top: float, room: bool = False) -> None:
    """All characters, which stand still; `top` is the height of the first line.

    room: letters inside a word stand to the right of their middle, beside a mark.
    """
    x, y, letters = [], [], []
    for (line, column), c, before in zip(cells.at, cells.text, " " + cells.text, strict=False):
        if c != " ":
            x.append(column + 0.5 + (BESIDE if room and before != " " else 0))
            y.append(top - line)
            letters.append(escape(c, quote=False) if c.isprintable() else "·")
    panel.words(x, y, letters, place="middle center", size=18 if cells.wide <= ROOMY else 14)


def draw_marks(panel: Panel, cells: Cells, spans: Sequence[Span], mark: str, top: float) -> None:
    """The mark of pieces inside words, beside their first letter."""
    for span in spans:
        if span.start and cells.text[span.start - 1] != " ":
            line, column = cells.at[span.start]
            panel.text(column + 0.4 + BESIDE, top - line, mark, MUTED, place="left")


Sides = list[tuple[float, float, float, float]]  # left, right, low and high of boxes


def sides_of(cells: Cells, spans: Sequence[Span], top: float) -> dict[str, Sides]:
    """The boxes around the characters of each token, by their look."""
    sides: dict[str, Sides] = {}
    for span in spans:
        for line, left, right in cells.parts(span.start, span.length):
            y = top - line
            sides.setdefault(span.look, []).append((left + FREE, right - FREE, y - HALF, y + HALF))
    return sides


def draw_boxes(panel: Panel, cells: Cells, spans: Sequence[Span], top: float) -> None:
    """A box around the characters of each token, which may change; what is unknown is crossed out."""
    sides = sides_of(cells, spans, top)
    for look, (fill, opacity) in FILLS.items():
        panel.tiles(sides.get(look, []), fill, opacity=opacity)
    panel.tiles([one for of_look in sides.values() for one in of_look], edge=MUTED)
    panel.strokes([[(left, low), (right, high)] for left, right, low, high in sides.get(UNKNOWN, [])], MUTED)


def draw_still_boxes(panel: Panel, cells: Cells, spans: Sequence[Span], top: float) -> None:
    """The same for a cut that stays: boxes that no frame of the film has to carry."""
    sides = sides_of(cells, spans, top)
    for look, (fill, opacity) in FILLS.items():
        filled = {"fill": "toself", "fillcolor": fill, "opacity": opacity}
        panel.curve(*around(sides.get(look, [])), "", fill, width=0, hover="", **filled)
    panel.curve(*around([one for of_look in sides.values() for one in of_look]), "", MUTED, width=1, hover="")
    crossed = sides.get(UNKNOWN, [])
    x = [value for left, right, _, _ in crossed for value in (left, right, np.nan)]
    y = [value for _, _, low, high in crossed for value in (low, high, np.nan)]
    panel.curve(np.array(x), np.array(y), "", MUTED, width=1, hover="")


def around(sides: Sides) -> tuple[np.ndarray, np.ndarray]:
    """Lines around boxes, with a gap after each."""
    x = [value for left, right, _, _ in sides for value in (left, right, right, left, left, np.nan)]
    y = [value for _, _, low, high in sides for value in (low, low, high, high, low, np.nan)]
    return np.array(x), np.array(y)


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


def written(piece: str, most: int = 16) -> str:
    """A piece as it is written into a picture, where < and & would be markup.

    A left-to-right mark keeps Hebrew or Arabic pieces from taking a number behind them along.
    """
    return escape(visible(piece, most), quote=False) + "\u200e"
