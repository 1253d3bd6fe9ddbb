"""The picture: dots on their curves, crossings where they were, axes that stand still."""

from functools import cache
from typing import Any

import numpy as np
import pytest

from playgrounds.loss.model import Params, run
from playgrounds.loss.picture import draw


@cache
def drawn(step: int, **values) -> dict[str, Any]:
    """The figure of the n-th state of a run."""
    p = Params(**values)
    return draw(p, list(run(p)), step).figure()


def suffix(figure: dict[str, Any], panel: str) -> str:
    """What Plotly puts behind the axes of the panel of that name."""
    return next(one["suffix"] for one in figure["panels"] if one["name"] == panel)


def test_the_dots_lie_on_the_curves_and_the_diamonds_stand_at_the_crossings():
    fig = drawn(30, task="classify", steps=12_000)
    for panel in ("loss", "gradient"):
        axis = f"x{suffix(fig, panel)}"
        curves = [t for t in fig["data"] if t["mode"] == "lines" and t["xaxis"] == axis and t["name"]]
        dots = [s for s in fig["layout"]["shapes"] if s["type"] == "circle" and s["xref"] == axis]
        assert len(curves) == 2
        for curve, dot in zip(curves, dots, strict=True):
            assert np.interp(dot["xanchor"], curve["x"], curve["y"]) == pytest.approx(dot["yanchor"], abs=2e-3), panel
    diamonds = [t for t in fig["data"] if t.get("marker", {}).get("symbol") == "diamond"]
    assert [list(t["x"]) for t in diamonds] == [[11], [11_034]]


def test_the_picture_stands_still_while_the_outlier_is_moved_towards_the_others():
    ranges = []
    for moved in (0.0, -30.0, -95.0):
        fig = drawn(5, outlier=moved)
        ranges.append([fig["layout"][f"xaxis{suffix(fig, panel)}"]["range"] for panel in ("loss", "targets")])
    assert ranges[0] == ranges[1] == ranges[2]


def test_the_squares_have_the_losss_mean_as_their_mean_area_and_the_sticks_the_absolute_one_as_their_length():
    step = 10
    p = Params()
    state = list(run(p))[step]
    fig = drawn(step)
    mine = [s for s in fig["layout"]["shapes"] if s["xref"] == f"x{suffix(fig, 'targets')}"]
    squares = [s for s in mine if s["type"] == "rect" and "fillcolor" in s]
    sides = [(s["x1"] - s["x0"], s["y1"] - s["y0"]) for s in squares]
    assert all(wide == pytest.approx(tall, abs=1e-3) for wide, tall in sides) and len(sides) == 5
    assert np.mean([wide * tall for wide, tall in sides]) == pytest.approx(state.values[0], rel=1e-3)
    sticks = [s for s in mine if s["type"] == "line" and s["y0"] == s["y1"] < 0]
    assert np.mean([abs(s["x1"] - s["x0"]) for s in sticks]) == pytest.approx(state.values[1], rel=1e-3)
