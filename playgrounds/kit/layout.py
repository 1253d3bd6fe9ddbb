"""Where the panels of a picture stand: on a wide screen and on a phone, with its details closed and open.

The place of a panel comes from the picture's rows of names; what its ticks, names and titles need is left free.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from playgrounds.kit.figures import Figure
    from playgrounds.kit.picture import Panel, Picture

WIDE = 860  # px of the plot on a wide screen, for which gaps between columns are reckoned
TITLE, TICKS, AXIS_TITLE = 28, 24, 18  # px above a panel, below it, and below it if its x axis has a title
LETTER = 7.2  # px of a letter of a tick's name
LINE = 17  # px of a further line of a tick's name
RIGHT = 12
HERO, LEAST, MOST = 248, 120, 240  # px of a panel on a phone: the hero's; the least and the most of the others


@dataclass(frozen=True)
class Place:
    """A panel's cells in a grid: columns and rows from … to (exclusive), counted from the top left."""

    left: int
    right: int
    top: int
    bottom: int


def places(rows: tuple[str, ...] | list[str]) -> tuple[dict[str, Place], int]:
    """The cells of every name in a layout, and the number of columns. A row of one name goes across.

    Raises ValueError where a name's cells are no rectangle, or rows have different numbers of names.
    """
    grid = [row.split() for row in rows]
    columns = max((len(row) for row in grid), default=0)
    grid = [row * columns if len(row) == 1 else row for row in grid]
    if any(len(row) != columns for row in grid):
        raise ValueError(f"the rows {rows} of a picture need the same number of names")
    found: dict[str, Place] = {}
    for name in dict.fromkeys(name for row in grid for name in row if name != "."):
        cells = [(r, c) for r, row in enumerate(grid) for c, one in enumerate(row) if one == name]
        top, left = min(r for r, _ in cells), min(c for _, c in cells)
        bottom, right = max(r for r, _ in cells) + 1, max(c for _, c in cells) + 1
        if len(cells) != (bottom - top) * (right - left):
            raise ValueError(f"the cells of {name!r} in the rows {rows} of a picture are no rectangle")
        found[name] = Place(left, right, top, bottom)
    return found, columns


def arrange(fig: Figure, picture: Picture) -> None:
    """Put the domains of all panels into the figure's layout, and its other layouts beside it."""
    by_name = {panel.name: panel for panel in picture.panels}
    main, columns = places(picture.rows)
    details, detail_columns = places(list(picture.details))
    for name in by_name:
        if name not in main and name not in details:
            raise ValueError(f"the panel {name!r} has no place in the rows of its picture")
    main = {name: place for name, place in main.items() if name in by_name}
    details = {name: place for name, place in details.items() if name in by_name}

    left = max([_beside(by_name[n]) for n, at in (main | details).items() if at.left == 0], default=44)
    foot = max([_below(by_name[n]) for n, at in main.items() if at.bottom == len(picture.rows)], default=TICKS)
    layout = fig["layout"]
    layout["height"] = picture.height
    layout["margin"] = {"l": left, "r": RIGHT, "t": TITLE, "b": foot + 6}

    across = _columns(main, by_name, columns) | _columns(details, by_name, detail_columns)
    plot = picture.height - TITLE - foot - 6
    down = _rows(main, by_name, len(picture.rows), plot)
    last = max([_below(by_name[n]) for n, at in details.items() if at.bottom == len(picture.details)], default=TICKS)
    more = len(picture.details) * picture.detail_height
    below = {
        name: (top + plot + foot + TITLE, bottom + plot + foot + TITLE)
        for name, (top, bottom) in _rows(details, by_name, len(picture.details), more - TITLE - foot).items()
    }

    closed = {name: (*across[name], *_up(down[name], plot)) for name in main}
    opened = {name: (*across[name], *_up(px, plot + more)) for name, px in (down | below).items()}
    for panel in picture.panels:
        if panel.name in main:
            _put(layout, panel, closed[panel.name])
        else:
            _hide(layout, panel)
    fig["opened"] = (
        _overrides(picture, opened) | {"height": picture.height + more, "margin.b": last + 6} if details else {}
    )
    fig["narrow"] = _stacked(picture, [p for p in picture.panels if p.name in main], down)
    fig["narrow_opened"] = _stacked(picture, picture.panels, down | below) if details else {}
    hero = _hero(picture.panels)
    fig["panels"] = [
        {
            "name": p.name,
            "title": p.title,
            "suffix": p.suffix,
            "detail": p.name in details,
            "hero": p is hero,
            "runs": p.runs,
        }
        for p in picture.panels
    ]


def _columns(at: dict[str, Place], panels: dict[str, Panel], n: int) -> dict[str, tuple[float, float]]:
    """Left and right end of every panel, as shares of the plot's width."""
    gaps = [0.0] * (n + 1)
    for name, place in at.items():
        if place.left:
            gaps[place.left] = max(gaps[place.left], (_beside(panels[name]) + RIGHT + 8) / WIDE)
    wide = (1 - sum(gaps)) / n if n else 0
    starts = [c * wide + sum(gaps[: c + 1]) for c in range(n)]
    return {name: (starts[place.left], starts[place.right - 1] + wide) for name, place in at.items()}


def _rows(at: dict[str, Place], panels: dict[str, Panel], n: int, height: float) -> dict[str, tuple[float, float]]:
    """Top and bottom of every panel in px from the top of the plot."""
    gaps = [0.0] * (n + 1)
    for name, place in at.items():
        if place.bottom < n:
            gaps[place.bottom] = max(gaps[place.bottom], _below(panels[name]) + TITLE)
    tall = (height - sum(gaps)) / n if n else 0
    starts = [r * tall + sum(gaps[: r + 1]) for r in range(n)]
    return {name: (starts[place.top], starts[place.bottom - 1] + tall) for name, place in at.items()}


def _stacked(picture: Picture, panels: list[Panel], down: dict[str, tuple[float, float]]) -> dict[str, Any]:
    """On a phone: one panel below the other, the hero first."""
    hero = _hero(panels)
    order = sorted(panels, key=lambda panel: panel is not hero)
    talls = [panel.tall or (HERO if panel is hero else _between(down[panel.name])) for panel in order]
    gaps = [_below(panel) + TITLE for panel in order]
    plot = sum(talls) + sum(gaps[:-1])
    made: dict[str, tuple[float, float, float, float]] = {}
    top = 0.0
    for panel, tall, gap in zip(order, talls, gaps, strict=True):
        made[panel.name] = (0.0, 1.0, *_up((top, top + tall), plot))
        top += tall + gap
    foot = _below(order[-1]) + 6 if order else TICKS
    return _overrides(picture, made) | {
        "height": ceil(plot + TITLE + foot),
        "margin.b": foot,
        "margin.l": min(max(map(_beside, panels), default=44), 110),
    }


def _between(px: tuple[float, float]) -> int:
    return round(min(MOST, max(LEAST, px[1] - px[0])))


def _hero(panels: list[Panel]) -> Panel | None:
    """The panel that is marked, else the first."""
    return next((panel for panel in panels if panel.hero), panels[0] if panels else None)


def _beside(panel: Panel) -> int:
    """px that the ticks and the title of a panel's y axis need to its left."""
    title = 20 if panel.y.get("title") else 0
    if panel.y.get("visible") is False or panel.y.get("showticklabels") is False:
        return 8 + title
    texts = panel.y.get("ticktext")
    if texts is not None:
        return round(12 + LETTER * min(22, max((len(_bare(text)) for text in texts), default=0))) + title
    return 44 + title


def _below(panel: Panel) -> int:
    """px that the ticks and the title of a panel's x axis need below it."""
    title = AXIS_TITLE if panel.x.get("title") else 0
    if panel.x.get("visible") is False or panel.x.get("showticklabels") is False:
        return 6 + title
    if panel.x.get("tickangle") == -90:
        texts = panel.x.get("ticktext") or [""]
        return round(10 + LETTER * min(16, max((len(_bare(text)) for text in texts), default=0))) + title
    lines = max((str(text).count("<br>") for text in panel.x.get("ticktext") or ()), default=0)
    return TICKS + LINE * lines + title


def _bare(text: str) -> str:
    """A tick's name without markup."""
    out, inside = "", False
    for letter in str(text):
        inside = letter == "<" or (inside and letter != ">")
        out += "" if inside or letter == ">" else letter
    return out


def _up(px: tuple[float, float], plot: float) -> tuple[float, float]:
    """Bottom and top as Plotly counts them, from below, as shares of the plot."""
    top, bottom = px
    return round(max(0.0, 1 - bottom / plot), 4), round(min(1.0, 1 - top / plot), 4)


def _put(layout: dict[str, Any], panel: Panel, box: tuple[float, float, float, float]) -> None:
    left, right, low, high = box
    layout[f"xaxis{panel.suffix}"]["domain"] = [round(left, 4), round(right, 4)]
    layout[f"yaxis{panel.suffix}"]["domain"] = [low, high]
    layout["annotations"][panel.number - 1] |= {"x": round(left, 4), "y": high}


def _hide(layout: dict[str, Any], panel: Panel) -> None:
    """A detail is there while closed as well, so that opening it needs no other figure, but out of sight."""
    for side in "xy":
        layout[f"{side}axis{panel.suffix}"] |= {"domain": [0, 0.01], "visible": False}
    layout["annotations"][panel.number - 1]["visible"] = False


def _overrides(picture: Picture, boxes: dict[str, tuple[float, float, float, float]]) -> dict[str, Any]:
    """Layout values, by their path, that put these panels there and show them."""
    paths: dict[str, Any] = {}
    for panel in picture.panels:
        if panel.name not in boxes:
            continue
        left, right, low, high = boxes[panel.name]
        title = f"annotations.{panel.number - 1}"
        paths |= {
            f"xaxis{panel.suffix}.domain": [round(left, 4), round(right, 4)],
            f"yaxis{panel.suffix}.domain": [low, high],
        }
        paths |= {f"{title}.x": round(left, 4), f"{title}.y": high, f"{title}.visible": True}
        for side, axis in (("x", panel.x), ("y", panel.y)):
            paths[f"{side}axis{panel.suffix}.visible"] = axis.get("visible", True)
    return paths
