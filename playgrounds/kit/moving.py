"""The verbs of a panel for what may move from frame to frame at no cost: shapes and fields."""

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from playgrounds.kit.figures import Numbers, short
from playgrounds.kit.palette import INK, MUTED, PAPER, SHADES
from playgrounds.kit.still import DASHES, LABEL, Still

if TYPE_CHECKING:
    from playgrounds.kit.picture import Picture


class Moving(Still):
    """Part of a Panel (kit/picture.py)."""

    picture: "Picture"
    x: dict[str, Any]
    y: dict[str, Any]

    def cursor(self, x: float, colour: str = INK, dash: str = "solid") -> None:
        """A vertical line through the whole panel: where the film is, a threshold."""
        self._shape(
            {
                "type": "line",
                "x0": short(x),
                "x1": short(x),
                "y0": 0,
                "y1": 1,
                "line": {"color": colour, "width": 1.5, "dash": dash},
            },
            y=" domain",
        )

    def level(self, y: float, colour: str = MUTED, dash: str = "dot", name: str = "") -> None:
        """A horizontal line through the whole panel: chance, a bound."""
        self._shape(
            {
                "type": "line",
                "x0": 0,
                "x1": 1,
                "y0": short(y),
                "y1": short(y),
                "line": {"color": colour, "width": 1.5, "dash": dash},
            },
            x=" domain",
        )
        if name:
            self.key(DASHES[dash], name, colour)

    def line(self, a: Numbers, b: Numbers, colour: str = INK, width: float = 2, **more: Any) -> None:
        """A straight line from a = (x, y) to b."""
        line = {"color": colour, "width": round(width, 2)} | more.pop("line", {})
        self._shape(
            {
                "type": "line",
                "x0": short(a[0]),
                "y0": short(a[1]),
                "x1": short(b[0]),
                "y1": short(b[1]),
                "line": line,
                **more,
            }
        )

    def arrow(self, a: Numbers, b: Numbers, colour: str = INK, width: float = 2, head: float = 0.03) -> None:
        """A line from a to b with a head there; head: its length, in units of a square panel."""
        start, end = np.asarray(a, float), np.asarray(b, float)
        length = float(np.hypot(*(end - start)))
        self.line(start, end, colour, width)
        if length > 0:
            along = (end - start) / length * head
            side = np.array([-along[1], along[0]]) * 0.5
            corners = np.array([end, end - along + side, end - along - side])
            self.shape_of(corners, colour, 1, fill=colour)

    def path(self, x: Any, y: Any, colour: str = INK, width: float = 2.5, dash: str = "solid", **more: Any) -> None:
        """An open line through arrays x, y of shape (n,), n >= 1: it may grow."""
        points = "L".join(f"{short(a)},{short(b)}" for a, b in zip(np.asarray(x), np.asarray(y), strict=True))
        line = {"color": colour, "width": width, "dash": dash}
        self._shape({"type": "path", "path": "M" + points, "line": line, "fillcolor": "rgba(0,0,0,0)"} | more)

    def strokes(self, parts: Any, colour: str = INK, width: float = 1, fill: str = "") -> None:
        """Open lines through parts of shape (n, k, 2), or closed and filled: all are one shape, many cost no more."""
        paths = ["M" + "L".join(f"{x:.4g},{y:.4g}" for x, y in part) for part in np.asarray(parts).tolist()]
        end = "Z" if fill else ""
        line = {"color": colour, "width": width}
        self._shape(
            {
                "type": "path",
                "path": "".join(path + end for path in paths) or "M0,0L0,0",
                "line": line,
                "fillcolor": fill or "rgba(0,0,0,0)",
                "fillrule": "nonzero",  # where filled parts overlap they are filled, too
            }
        )

    def trail(self, x: Any, y: Any, colour: str, size: float = 14, **more: Any) -> None:
        """A path with a dot at its end: where something has been, and where it is."""
        self.path(x, y, colour, **more)
        self.dot(np.asarray(x)[-1], np.asarray(y)[-1], colour, size)

    def beads(self, x: Any, y: Any, colour: str = INK, size: float = 9, **more: Any) -> None:
        """A path with a dot at every point; points whose y is nan are left out. more: the path's width and dash."""
        x, y = np.asarray(x, float), np.asarray(y, float)
        known = np.isfinite(y)
        if known.any():
            self.path(x[known], y[known], colour, **more)
        for a, b in zip(x[known], y[known], strict=True):
            self.dot(a, b, colour, size)

    def shape_of(self, corners: Any, colour: str = INK, width: float = 1, fill: str = "", **more: Any) -> None:
        """A closed polygon with corners of shape (n, 2)."""
        points = "L".join(f"{short(x)},{short(y)}" for x, y in np.asarray(corners))
        shape = {"type": "path", "path": f"M{points}Z", "line": {"color": colour, "width": width}}
        self._shape(shape | ({"fillcolor": fill} if fill else {}) | more)

    def dot(self, x: float, y: float, colour: str, size: float = 14, *, hollow: bool = False) -> None:
        """A disc of `size` px at (x, y)."""
        r = size / 2
        edge = {"color": colour, "width": 2} if hollow else {"color": PAPER, "width": 1.5}
        shape = {
            "type": "circle",
            "xsizemode": "pixel",
            "ysizemode": "pixel",
            "xanchor": short(x),
            "yanchor": short(y),
            "x0": -r,
            "x1": r,
            "y0": -r,
            "y1": r,
            "fillcolor": PAPER if hollow else colour,
            "line": edge,
        }
        if "log" in (self.x.get("type"), self.y.get("type")):
            shape |= {"type": "path", "path": _disc(r)}  # of a circle in pixels Plotly draws only a quarter there
        self._shape(shape)

    def frame(
        self,
        x: Numbers,
        y: Numbers,
        colour: str = INK,
        width: float = 1.5,
        dash: str = "solid",
        **more: Any,
    ) -> None:
        """The outline of a rectangle from x[0], y[0] to x[1], y[1]."""
        line = {"color": colour, "width": width} | ({} if dash == "solid" else {"dash": dash})
        self._shape(_rectangle(x, y) | {"line": line} | more)

    def block(
        self,
        x: Numbers,
        y: Numbers,
        colour: str,
        *,
        edge: str = "",
        width: float = 1,
        text: str = "",
        ink: str = INK,
        size: int = LABEL,
        **more: Any,
    ) -> None:
        """A filled rectangle, with a text in its middle if there is one: a bar, a cell, a unit of a diagram."""
        shape = _rectangle(x, y) | {"line": {"color": edge or colour, "width": width}, "fillcolor": colour}
        self._shape(shape | (_label(text, ink, size, "center") if text else {}) | more)

    def cover(self, x: Numbers, y: Numbers, colour: str = PAPER, opacity: float = 0.75) -> None:
        """A veil over what is not there yet, or does not count."""
        self._shape(_rectangle(x, y) | {"line": {"color": colour, "width": 0}, "fillcolor": colour, "opacity": opacity})

    def text(self, x: float, y: float, text: str, colour: str = INK, size: int = LABEL, place: str = "center") -> None:
        """A text that may change, at (x, y): "center", or "above", "below", "left" or "right" of it."""
        self._shape(
            _rectangle((x, x), (y, y)) | {"line": {"color": colour, "width": 0}} | _label(text, colour, size, place)
        )

    def columns(
        self,
        values: Iterable[float],
        colours: Sequence[str] | str,
        *,
        wide: float = 0.72,
        at: Numbers | None = None,
        base: float = 0.0,
        texts: Sequence[str] | None = None,
    ) -> None:
        """A bar upwards from `base` to each value, at x = 0, 1, … or `at`; its text above it."""
        for i, value in enumerate(values):
            x = at[i] if at is not None else i
            colour = colours if isinstance(colours, str) else colours[i]
            self.block((x - wide / 2, x + wide / 2), (base, value), colour)
            if texts is not None:
                self.text(x, value, texts[i], place="above" if value >= base else "below")

    def rows(
        self,
        values: Iterable[float],
        colours: Sequence[str] | str,
        *,
        wide: float = 0.72,
        at: Numbers | None = None,
        base: float = 0.0,
        texts: Sequence[str] | None = None,
    ) -> None:
        """A bar to the right from `base` to each value, at y = 0, −1, … (an axis of names(…, down=True)) or `at`."""
        for i, value in enumerate(values):
            y = at[i] if at is not None else -i
            colour = colours if isinstance(colours, str) else colours[i]
            self.block((base, value), (y - wide / 2, y + wide / 2), colour)
            if texts is not None:
                self.text(value, y, texts[i], place="right")

    def field(
        self,
        z: Any,
        x: Numbers,
        y: Numbers,
        *,
        scale: str = "diverging",
        smooth: bool = True,
        opacity: float = 1.0,
    ) -> None:
        """An array z of shape (ny, nx) as a picture over x, y; z[0] is the lowest row. Its shape must stay the same.

        Values are in [-1, 1] on the diverging scale (0 is neutral), in [0, 1] on the sequential one; on the scale
        "classes" a value is the class (0, 1, 2) plus a confidence in [0, 1). Values outside are cut, nan is neutral.
        """
        z = np.nan_to_num(np.asarray(z, float), nan=0, posinf=1e9, neginf=-1e9)
        levels = np.clip(z, 0, 2.999) * SHADES if scale == "classes" else np.clip(z, -1, 1) * 127
        self.picture.fields.append(
            {"image": len(self.picture.images), "scale": scale, "smooth": smooth, "z": levels.astype(np.int8)}
        )
        self.picture.images.append(
            {
                "source": "",
                "x": x[0],
                "y": y[1],
                "sizex": x[1] - x[0],
                "sizey": y[1] - y[0],
                "sizing": "stretch",
                "layer": "below",
                "opacity": opacity,
            }
            | {"xref": f"x{self.suffix}", "yref": f"y{self.suffix}"}
        )

    def table(
        self,
        values: Any,
        *,
        scale: str = "diverging",
        texts: Sequence[Sequence[str]] | None = None,
        hovers: Sequence[Sequence[str]] | None = None,
        at: tuple[float, float] = (0, 0),
        ink: str = INK,
        size: int = LABEL,
    ) -> None:
        """Cells coloured by values of shape (rows, columns), the first row on top: the cell (i, j) is at x = j, y = −i.

        The axes are names(columns) and names(rows, down=True). texts stand in the cells, hovers are said on pointing.
        """
        values = np.asarray(values, float)
        rows, columns = values.shape
        left, top = at
        self.field(
            values[::-1], (left - 0.5, left + columns - 0.5), (top + 0.5 - rows, top + 0.5), scale=scale, smooth=False
        )
        for i, row in enumerate(texts or ()):
            for j, text in enumerate(row):
                if text:
                    self.text(left + j, top - i, text, ink, size)
        if hovers is not None:
            x = np.tile(np.arange(columns) + left, rows)
            y = top - np.repeat(np.arange(rows), columns)
            self.hover(x, y, [text for row in hovers for text in row])

    def _shape(self, shape: dict[str, Any], x: str = "", y: str = "") -> None:
        self.picture.shapes.append(shape | {"xref": f"x{self.suffix}{x}", "yref": f"y{self.suffix}{y}"})


def _rectangle(x: Numbers, y: Numbers) -> dict[str, Any]:
    return {"type": "rect", "x0": short(x[0]), "x1": short(x[1]), "y0": short(y[0]), "y1": short(y[1])}


def _disc(r: float) -> str:
    """A circle around (0, 0) as a path of four Bézier curves."""
    c = round(0.553 * r, 2)
    return f"M-{r},0C-{r},{c} -{c},{r} 0,{r}C{c},{r} {r},{c} {r},0C{r},-{c} {c},-{r} 0,-{r}C-{c},-{r} -{r},-{c} -{r},0Z"


def _label(text: str, colour: str, size: int, place: str) -> dict[str, Any]:
    """A shape's own text: Plotly moves it at no cost, an annotation costs 30 ms."""
    anchors = {
        "center": {},
        "above": {"yanchor": "bottom"},
        "below": {"yanchor": "top"},
        "left": {"xanchor": "right"},
        "right": {"xanchor": "left"},
    }[place]
    middle = {"textposition": "middle center", "xanchor": "center", "yanchor": "middle"}
    return {"label": {"text": text, "font": {"color": colour, "size": size}} | middle | anchors}
