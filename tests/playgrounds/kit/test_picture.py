"""What a playground says in the words of the kit comes out as a figure that Plotly takes, in four layouts."""

import copy

import numpy as np
import plotly.graph_objects as go
import pytest

from playgrounds.kit import axes
from playgrounds.kit.layout import places
from playgrounds.kit.palette import BLUE, INK, ORANGE
from playgrounds.kit.picture import Picture

ROWS = ("big side", "big other")


def picture(**more) -> Picture:
    pic = Picture(430, *ROWS, details=("first second",), **more)
    for name in ("big", "side", "other", "first", "second"):
        pic.panel(name, name.title(), axes.span(0, 1), axes.span(0, 1)).curve([0, 1], [0, 1], "line")
    return pic


def made(fig: dict, overrides: str) -> go.Figure:
    """The figure in one of its layouts, as the player puts it together."""
    plot = go.Figure(data=fig["data"], layout=copy.deepcopy(fig["layout"]))
    for path, value in fig.get(overrides, {}).items() if overrides != "layout" else ():
        head, _, rest = path.partition(".")
        if head == "annotations":
            number, _, key = rest.partition(".")
            plot.layout.annotations[int(number)][key] = value
        else:
            plot.layout[path] = value
    return plot


def boxes(plot: go.Figure) -> dict[str, tuple[float, ...]]:
    """Where the visible panels stand: left, right, bottom, top."""
    found = {}
    for n, name in enumerate(("big", "side", "other", "first", "second"), start=1):
        x, y = plot.layout[f"xaxis{n if n > 1 else ''}"], plot.layout[f"yaxis{n if n > 1 else ''}"]
        if x.visible is not False:
            found[name] = (*x.domain, *y.domain)
    return found


def overlap(a: tuple[float, ...], b: tuple[float, ...]) -> bool:
    return a[0] < b[1] and b[0] < a[1] and a[2] < b[3] and b[2] < a[3]


@pytest.mark.parametrize("layout", ["layout", "opened", "narrow", "narrow_opened"])
def test_no_two_panels_stand_on_each_other(layout):
    found = list(boxes(made(picture().figure(), layout)).values())
    assert len(found) == (3 if layout in ("layout", "narrow") else 5)
    assert not any(overlap(a, b) for i, a in enumerate(found) for b in found[:i])
    assert all(0 <= left < right <= 1 and 0 <= low < high <= 1 for left, right, low, high in found)


def test_a_repeated_name_is_a_larger_panel_and_rows_stand_in_their_order():
    found = boxes(made(picture().figure(), "layout"))
    assert found["big"][3] - found["big"][2] > 2 * (found["side"][3] - found["side"][2])
    assert found["big"][1] < found["side"][0] and found["other"][3] < found["side"][2]
    assert found["big"][2] == found["other"][2] and found["big"][3] == found["side"][3] == 1


def test_opening_the_details_moves_nothing_of_the_rest():
    fig = picture().figure()
    closed, opened = made(fig, "layout"), made(fig, "opened")
    before, after = boxes(closed), boxes(opened)

    def px(plot: go.Figure, y: float) -> float:
        margin = plot.layout.margin
        return (1 - y) * (plot.layout.height - margin.t - margin.b)

    for name in ("big", "side", "other"):
        for end in (2, 3):
            assert px(closed, before[name][end]) == pytest.approx(px(opened, after[name][end]), abs=1)
    assert after["first"][3] < min(after["big"][2], after["other"][2])


def test_on_a_phone_the_hero_is_on_top_and_panels_stand_below_each_other():
    pic = Picture(300, "one two")
    pic.panel("one", "One")
    pic.panel("two", "Two", hero=True)
    fig = pic.figure()
    plot = made(fig, "narrow")
    assert plot.layout.yaxis2.domain[0] > plot.layout.yaxis.domain[1]
    assert [panel["hero"] for panel in fig["panels"]] == [False, True]


def test_titles_of_a_row_stand_at_one_height_where_a_panel_is_square():
    pic = Picture(400, "one two")
    pic.panel("one", "One", square=True)
    pic.panel("two", "Two")
    one, two = pic.figure()["layout"]["annotations"]
    assert one["y"] == two["y"] == 1 and one["yref"] == "paper"


def test_what_has_a_name_is_keyed_in_the_title_in_its_own_colour_once():
    pic = Picture(300, "one")
    panel = pic.panel("one", "Loss")
    for _ in range(2):
        panel.curve([0], [0], "training", BLUE)
    panel.points([0], [0], "test", ORANGE, symbol="circle-open")
    text = pic.figure()["layout"]["annotations"][0]["text"]
    assert text == f'Loss  <span style="color:{BLUE}">━ training</span>  <span style="color:{ORANGE}">○ test</span>'


def test_a_name_without_a_place_and_a_place_that_is_no_rectangle_are_refused():
    pic = Picture(300, "one")
    pic.panel("two", "Two")
    with pytest.raises(ValueError, match="'two' has no place"):
        pic.figure()
    with pytest.raises(ValueError, match="no rectangle"):
        places(("a b", "b a"))
    with pytest.raises(ValueError, match="same number"):
        places(("a b", "a b c"))


def test_every_verb_makes_what_plotly_takes():
    pic = Picture(300, "one")
    panel = pic.panel("one", "One", axes.names("abc"), axes.names("ab", down=True))
    x, y = np.arange(3), np.arange(3) / 3
    panel.curve(x, y, "curve")
    panel.points(x, y, "points", [BLUE, ORANGE, INK], texts=["a", "b", "c"], hovers=["1", "2", "3"])
    panel.hover(x, y, ["1", "2", "3"])
    panel.contours(x, y[:2], np.ones((2, 3)), {"start": 0, "end": 2, "size": 1})
    panel.mark(0, 0, "here")
    panel.key("□", "a frame")
    panel.cursor(1)
    panel.level(0.5, name="chance")
    panel.line((0, 0), (1, 1))
    panel.arrow((0, 0), (1, 1))
    panel.path(x, y)
    panel.trail(x, y, BLUE)
    panel.shape_of([(0, 0), (1, 0), (0, 1)], fill=BLUE)
    panel.dot(1, 1, BLUE, hollow=True)
    panel.frame((0, 1), (0, 1), dash="dot")
    panel.block((0, 1), (0, 1), BLUE, text="text")
    panel.cover((0, 1), (0, 1))
    for place in ("center", "above", "below", "left", "right"):
        panel.text(0, 0, place, place=place)
    panel.columns([1, -1], BLUE, texts=["1", "-1"])
    panel.rows([1, -1], [BLUE, ORANGE], texts=["1", "-1"])
    panel.field(np.ones((2, 3)), (0, 1), (0, 1))
    panel.table(np.ones((2, 3)), texts=[["1"] * 3] * 2, hovers=[["one"] * 3] * 2)
    pic.chips("Chips", ["a", "b"], [0, None], ["x", "y"], [1])
    fig = pic.figure()
    go.Figure(data=fig["data"], layout=fig["layout"])
    assert len(fig["fields"]) == 2 and len(fig["chips"]) == 1


def test_a_history_has_a_gap_where_a_number_is_not_known():
    pic = Picture(300, "one")
    pic.panel("one", "One").history([1.0, None, 3.0], lambda value: value)
    assert np.isnan(pic.figure()["data"][0]["y"][1])


@pytest.mark.parametrize("down", [False, True])
def test_an_axis_of_names_has_a_place_for_each(down):
    axis = axes.names("abcd", down=down, every=2)
    assert axis["tickvals"] == ([0, -2] if down else [0, 2]) and axis["ticktext"] == ["a", "c"]


@pytest.mark.parametrize(("values", "kind"), [([0.5, 1], None), ([0.001, 1], "log"), ([], None), ([np.nan], None)])
def test_a_loss_that_falls_far_is_shown_in_powers_of_ten(values, kind):
    assert axes.loss(values).get("type") == kind
