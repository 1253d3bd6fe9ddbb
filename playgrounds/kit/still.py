"""The verbs of a panel for what stands still while the film plays: traces and annotations.

A changing one would cost the player 30 ms a frame; what moves has verbs of its own (kit/moving.py).
"""

import base64
import struct
import zlib
from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np

from playgrounds.kit.figures import Numbers, thin
from playgrounds.kit.palette import FAINT, INK, MUTED, PAPER

if TYPE_CHECKING:
    from playgrounds.kit.picture import Picture

DASHES = {"solid": "━", "dash": "╍", "dot": "┄", "dashdot": "┅", "longdash": "╍", "longdashdot": "┅"}
SYMBOLS = {"circle": "●", "circle-open": "○", "diamond": "◆", "square": "■", "x": "✕", "triangle-up": "▲"}
LABEL = 13  # px of the smallest text
LATER = "later"  # the player knows it by that name


class Still:
    """Part of a Panel (kit/picture.py)."""

    picture: "Picture"
    keys: list[str]
    runs: bool
    number: int  # of the panel in its picture, from 1

    @property
    def suffix(self) -> str:
        """What Plotly puts behind x and y of this panel: nothing for the first, else its number."""
        return "" if self.number == 1 else str(self.number)

    def curve(
        self,
        x: Any,
        y: Any,
        name: str = "",
        colour: str = INK,
        *,
        dash: str = "solid",
        width: float = 2.5,
        key: bool = True,
        hover: str | None = None,
        **more: Any,
    ) -> None:
        """A line through arrays x, y of shape (n,). hover: a Plotly template for its points; "": none."""
        line = {"color": colour, "width": width, "dash": dash}
        trace = {"type": "scatter", "mode": "lines", "x": thin(x), "y": thin(y), "name": name, "line": line}
        self._trace(trace | _hover(hover, name) | more)
        if name and key:
            self.key(DASHES[dash], name, colour)

    def history(
        self, states: Sequence[Any], of: Callable[[Any], float | None], name: str = "", colour: str = INK, **more: Any
    ) -> None:
        """A number of every state against its step; what is None there leaves a gap."""
        self.runs = True
        x = [getattr(state, "step", i) for i, state in enumerate(states)]
        y = [np.nan if (value := of(state)) is None else value for state in states]
        self.curve(np.array(x, float), np.array(y, float), name, colour, **more)

    def points(
        self,
        x: Any,
        y: Any,
        name: str = "",
        colour: Any = INK,
        *,
        size: Any = 9,
        symbol: str = "circle",
        texts: Sequence[str] | None = None,
        key: bool = True,
        hover: str | None = None,
        hovers: Sequence[str] | None = None,
        **more: Any,
    ) -> None:
        """Marks at arrays x, y of shape (n,); `colour` is one or one per point, `texts` stand above them.

        hover: a Plotly template; hovers: a text for every point.
        """
        hollow = symbol.endswith("-open")
        edge = {"width": 1.5} if hollow else {"color": PAPER, "width": 1}
        marker = {"color": colour, "size": size, "symbol": symbol, "line": edge} | more.pop("marker", {})
        trace = {"type": "scatter", "mode": "markers", "x": thin(x), "y": thin(y), "name": name, "marker": marker}
        if texts is not None:
            trace |= {"mode": "markers+text", "text": list(texts), "textposition": "top center"}
            trace["textfont"] = {"color": INK, "size": LABEL}
        said = {"hovertext": list(hovers), "hoverinfo": "text"} if hovers is not None else _hover(hover, name)
        self._trace(trace | said | more)
        if name and key:
            self.key(SYMBOLS.get(symbol, "●"), name, colour if isinstance(colour, str) else INK)

    def bars(
        self, x: Any, heights: Any, colour: Any = INK, name: str = "", *, hover: str | None = None, **more: Any
    ) -> None:
        """Bars of a finished thing, from 0 to each of `heights` (n,) at x (n,); `colour` is one or one per bar."""
        trace = {"type": "bar", "x": thin(x), "y": thin(heights), "name": name, "marker": {"color": colour}}
        self._trace(trace | _hover(hover, name) | more)
        if name:
            self.key("■", name, colour if isinstance(colour, str) else INK)

    def bars_across(
        self,
        ends: Any,
        at: Any,
        name: str = "",
        colour: str = INK,
        *,
        base: float = 0.0,
        wide: float = 0.7,
        **more: Any,
    ) -> None:
        """Bars of a finished thing to the right, from x = `base` to `ends`, around the heights `at`, both (n,)."""
        place = {"base": base, "width": wide, "offset": -wide / 2}
        trace = {"type": "bar", "orientation": "h", "x": thin(np.asarray(ends) - base), "y": thin(at), "name": name}
        self._trace(trace | place | {"marker": {"color": colour}, "hoverinfo": "skip"} | more)

    def words(
        self,
        x: Any,
        y: Any,
        texts: Sequence[str],
        colour: Any = INK,
        *,
        place: str = "middle right",
        size: int = LABEL,
    ) -> None:
        """Texts that stand still, at x, y of shape (n,): many of them, as a table has; `colour` is one or one each."""
        trace = {"type": "scatter", "mode": "text", "x": thin(x), "y": thin(y), "text": list(texts)}
        look = {"textposition": place, "textfont": {"color": colour, "size": size}, "hoverinfo": "skip"}
        self._trace(trace | look)

    def hover(self, x: Any, y: Any, texts: Sequence[str], size: float = 16) -> None:
        """What is said (its texts may change) where the reader points at x, y of shape (n,)."""
        marker = {"size": size, "opacity": 0, "color": INK}
        self._trace(
            {
                "type": "scatter",
                "mode": "markers",
                "x": thin(x),
                "y": thin(y),
                "marker": marker,
                "hovertext": list(texts),
                "hoverinfo": "text",
            }
        )

    def cells(
        self,
        rows: int,
        columns: int,
        *,
        texts: Sequence[Sequence[str]] | None = None,
        at: tuple[float, float] = (0, 0),
        ink: str = INK,
        size: int = LABEL,
    ) -> None:
        """Thin lines around rows × columns cells as those of `table`, and texts in them: both stand still."""
        left, top = at[0] - 0.5, at[1] + 0.5
        x, y = [], []
        for i in range(rows + 1):
            x += [left, left + columns, np.nan]
            y += [top - i, top - i, np.nan]
        for j in range(columns + 1):
            x += [left + j, left + j, np.nan]
            y += [top, top - rows, np.nan]
        self.curve(np.array(x), np.array(y), "", FAINT, width=1, hover="")
        if texts is not None:
            column, row = np.meshgrid(np.arange(columns), np.arange(rows))
            written = [text for line in texts for text in line]
            said: dict[str, Any] = {"mode": "text", "text": written, "textfont": {"size": size}}
            self.curve(at[0] + column.ravel(), at[1] - row.ravel(), "", ink, hover="", **said)

    def image(self, rgb: Any, x: Numbers, y: Numbers) -> None:
        """A picture over x, y in its own colours, which no theme changes: rgb (rows, columns, 3) from 0 to 255."""
        rgb = np.asarray(rgb).astype(np.uint8)
        place = {"x": x[0], "y": y[1], "sizex": x[1] - x[0], "sizey": y[1] - y[0], "sizing": "stretch"}
        place |= {"xref": f"x{self.suffix}", "yref": f"y{self.suffix}", "layer": "below"}
        self.picture.images.append({"source": _png(rgb.tobytes(), rgb.shape)} | place)

    def contours(self, x: Any, y: Any, z: Any, levels: Mapping[str, float], colour: str = FAINT, **more: Any) -> None:
        """Lines of equal height of z (ny, nx). levels: Plotly's {"start", "end", "size"}."""
        trace = {
            "type": "contour",
            "x": thin(x),
            "y": thin(y),
            "z": thin(z),
            "autocontour": False,
            "showscale": False,
            "contours": {"coloring": "none", **levels},
            "line": {"color": colour, "width": 1},
            "hoverinfo": "skip",
        }
        self._trace(trace | more)

    def mark(self, x: float, y: float, text: str, colour: str = MUTED, **more: Any) -> None:
        """A text at (x, y). more: Plotly's xanchor, yanchor, textangle, …; a text that changes is `text`."""
        font = {"color": colour, "size": more.pop("size", LABEL)}
        said = {"x": x, "y": y, "text": text, "showarrow": False, "font": font}
        self.picture.annotations.append(said | {"xref": f"x{self.suffix}", "yref": f"y{self.suffix}"} | more)

    def key(self, sign: str, name: str, colour: str = INK) -> None:
        """Name what a sign in this panel means, behind its title; what has a name here does it by itself."""
        entry = tinted(colour, f"{sign} {name}")
        if entry not in self.keys:
            self.keys.append(entry)

    def _trace(self, trace: dict[str, Any]) -> None:
        if trace.pop("later", False):  # what comes out: the player hides it while a run is seen for the first time
            trace["meta"] = LATER
        self.picture.data.append(trace | {"xaxis": f"x{self.suffix}", "yaxis": f"y{self.suffix}"})


@lru_cache(maxsize=8)
def _png(body: bytes, shape: tuple[int, int, int]) -> str:
    """Bytes (rows, columns, 3) as the address of a PNG, each pixel 6 px wide: browsers smooth what they enlarge."""
    pixels = np.frombuffer(body, np.uint8).reshape(shape).repeat(6, axis=0).repeat(6, axis=1)

    def part(kind: bytes, content: bytes) -> bytes:
        return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))

    lines = b"".join(b"\0" + row.tobytes() for row in pixels)  # each begins with the number of its filter, none
    rows, columns, _ = pixels.shape
    head = struct.pack(">2I5B", columns, rows, 8, 2, 0, 0, 0)  # 8 bits a channel, RGB
    png = b"\x89PNG\r\n\x1a\n" + part(b"IHDR", head) + part(b"IDAT", zlib.compress(lines)) + part(b"IEND", b"")
    return "data:image/png;base64," + base64.b64encode(png).decode()


def tinted(colour: str, text: str) -> str:
    """A part of a text in another colour."""
    return f'<span style="color:{colour}">{text}</span>'


def _hover(template: str | None, name: str) -> dict[str, Any]:
    if template is None:
        template = "%{y:.4g} at %{x:.4g}"
    if template == "":
        return {"hoverinfo": "skip"}
    return {"hovertemplate": template + (f"<extra>{name}</extra>" if name else "<extra></extra>")}
