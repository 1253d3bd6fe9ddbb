"""The words in which a playground says what is to be seen: a layout, panels with a title and two axes, and verbs.

    pic = Picture(430, "heads weight", "heads right")           # a word per panel, a row repeated to be taller
    heads = pic.panel("heads", "Mean weight of each head", names(places), names(head_names, down=True))
    heads.table(seen.weights)
    weight = pic.panel("weight", "Weight by step", steps(p.steps), share())
    weight.history(states, lambda s: s.weight, "first token", BLUE)
    pic.cursor(state.step, weight)
    return pic

A panel has verbs for what stands still (kit/still.py), for what moves (kit/moving.py) and for what is drawn rather than
plotted (kit/diagrams.py), so that the author need not know what is cheap. What `curve`, `history` and `points` name is
keyed in the panel's title, in its own colour and dash.

A panel of the `rows` is always there; those of the `details` open on demand, below the others. On a phone panels stand
below each other in the order of their declaration, the hero (the first, or the one marked) on top.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from playgrounds.kit.diagrams import Diagrams
from playgrounds.kit.figures import Figure, axis_settings, empty
from playgrounds.kit.layout import arrange
from playgrounds.kit.palette import BLUE, INK, MUTED, ORANGE
from playgrounds.kit.still import tinted

__all__ = ["Panel", "Picture", "class_colours", "tinted"]


@dataclass
class Panel(Diagrams):
    """One pair of axes of a picture; made by `Picture.panel`."""

    picture: "Picture"
    name: str
    title: str
    x: dict[str, Any]
    y: dict[str, Any]
    square: bool  # one unit of x is as long as one of y
    tall: int | None  # px on a phone; None: as it comes out of its height on a wide screen
    hero: bool
    number: int
    keys: list[str] = field(default_factory=list)
    runs: bool = False  # whether its x axis is the run's own time: what lies right of the cursor is still to come

    @property
    def heading(self) -> str:
        """The title with the keys behind it."""
        return "  ".join(filter(None, [self.title, *self.keys]))


class Picture:
    """What is to be seen at one step.

    height: px of the panels in `rows` on a wide screen, titles and ticks included.
    rows and details: a word per panel, words of one row side by side, a word repeated across or down for a wider or
    taller panel, "." for an empty place. A picture without rows shows nothing: Picture(60).
    """

    def __init__(self, height: int, *rows: str, details: Sequence[str] = (), detail_height: int = 200):
        self.height, self.rows, self.details, self.detail_height = height, rows, details, detail_height
        self.panels: list[Panel] = []
        self.data: list[dict[str, Any]] = []
        self.shapes: list[dict[str, Any]] = []
        self.annotations: list[dict[str, Any]] = []
        self.images: list[dict[str, Any]] = []
        self.fields: list[dict[str, Any]] = []
        self.chip_rows: list[dict[str, Any]] = []
        self.narrow: dict[str, Any] = {}

    def panel(
        self,
        name: str,
        title: str = "",
        x: dict[str, Any] | None = None,
        y: dict[str, Any] | None = None,
        *,
        square: bool = False,
        tall: int | None = None,
        hero: bool = False,
    ) -> Panel:
        """The panel that stands at `name` in the layout, with its axes in the words of kit/axes.py."""
        made = Panel(self, name, title, x or {}, y or {}, square, tall, hero, len(self.panels) + 1)
        self.panels.append(made)
        return made

    def cursor(self, step: float, *panels: Panel, colour: str = INK, dash: str = "solid") -> None:
        """The line that says where the film is, through each of these panels, along whose x axis the run goes."""
        for panel in panels:
            panel.runs = True
            panel.cursor(step, colour, dash)

    def chips(
        self,
        title: str,
        texts: Sequence[str],
        colours: Sequence[int | None] | None = None,
        subs: Sequence[str] | None = None,
        marks: Sequence[int] = (),
    ) -> None:
        """A row of boxes below the panels, in HTML because they wrap: a text each, a colour number (same number, same
        colour; None: no colour), a small text under each, and the indices of those that are marked. They may change."""
        self.chip_rows.append(
            {"title": title, "texts": list(texts), "colours": colours, "subs": subs, "marks": list(marks)}
        )

    def on_phone(self, panel: Panel, **axis: Any) -> None:
        """Axis settings of a panel that hold on a narrow screen only: on_phone(weight, x={"nticks": 3})."""
        for side, settings in axis.items():
            for name, value in settings.items():
                self.narrow[f"{side}axis{panel.suffix}.{name}"] = value

    def figure(self) -> Figure:
        """As Plotly takes it, with its layouts for wide and narrow screens, details closed and open."""
        fig = empty()
        layout = fig["layout"]
        fig["data"], fig["fields"], fig["chips"] = self.data, self.fields, self.chip_rows
        layout["images"], layout["shapes"] = self.images, self.shapes
        titles = [_title(panel) for panel in self.panels]
        layout["annotations"] = titles + self.annotations
        for panel in self.panels:
            layout[f"xaxis{panel.suffix}"] = {"anchor": f"y{panel.suffix}"} | axis_settings(panel.x)
            layout[f"yaxis{panel.suffix}"] = {"anchor": f"x{panel.suffix}"} | axis_settings(panel.y)
            if panel.square:
                layout[f"yaxis{panel.suffix}"] |= {
                    "scaleanchor": f"x{panel.suffix}",
                    "constrain": "domain",
                    "constraintoward": "top",
                }
                layout[f"xaxis{panel.suffix}"] |= {"constrain": "domain", "constraintoward": "left"}
        if not self.panels:  # Plotly would draw a pair of axes
            layout["xaxis"] = layout["yaxis"] = {"visible": False}
        arrange(fig, self)
        fig["narrow"] |= self.narrow
        return fig


def class_colours(y: Any) -> list[str]:
    """The class colour of every label in y (0 or 1)."""
    return [ORANGE if label > 0.5 else BLUE for label in np.asarray(y)]


def _title(panel: Panel) -> dict[str, Any]:
    """Above the place of the panel, not above its axes: titles of a row stand at one height (`arrange` puts them)."""
    return {
        "xref": "paper",
        "yref": "paper",
        "x": 0,
        "y": 1,
        "xanchor": "left",
        "yanchor": "bottom",
        "name": panel.name,
        "text": panel.heading,
        "showarrow": False,
        "font": {"color": MUTED, "size": 14},
    }
