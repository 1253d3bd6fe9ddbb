"""How pooling is told and drawn."""

from functools import cache
from itertools import product

import numpy as np
import pytest

from playgrounds.pooling.model import SIDE, Params, State, run
from playgrounds.pooling.picture import CHANGED, draw, note, windows_over

LEGAL = list(product((2, 3, 4), (1, 2, 3, 4)))  # windows and strides that the knobs allow


@cache
def states(**values) -> list[State]:
    return list(run(Params(**values)))


def told(now: int, **values) -> str:
    return note(Params(**values), states(**values), now)


def ending(**values) -> str:
    """The last note."""
    return told(len(states(**values)) - 1, **values)


@pytest.mark.fact("pooling")
@pytest.mark.parametrize("picture", ["dot", "bar"])
def test_a_shift_goes_unnoticed_exactly_if_the_dot_stays_in_the_same_windows(picture):
    for (window, stride), x, y in product(LEGAL, range(SIDE), (2, 7)):
        p = Params(picture=picture, window=window, stride=stride, x=x, y=y)
        same = (windows_over(p) == windows_over(p)[0]).all(axis=1)
        changes = next(run(p)).changes
        assert np.array_equal(changes["max"] == 0, same) and np.array_equal(changes["average"] == 0, same), p


def test_a_note_writes_its_window_out_and_says_what_the_shift_has_changed():
    played = states(picture="digit", dx=1)
    for now, state in enumerate(played):
        said = told(now, picture="digit", dx=1)
        top, left = (2 * k for k in divmod(state.step - 1, 4))
        a, b, c, d = (f"{v:g}" for v in state.image[top : top + 2, left : left + 2].ravel())
        start = f"Window rows {top}–{top + 1}, columns {left}–{left + 1}: {a}, {b}; {c}, {d}: maximum"
        assert said.startswith(f"{start} {state.maximum:g}, mean ")
        before = state.maxima_before[state.at], state.averages_before[state.at]
        changed = before != (state.maximum, state.average)
        assert ("before the shift" in said) == changed
    assert "28 pixels in no window" in ending(window=3, stride=4)
    assert "in none of the windows" in ending(window=3, stride=4, x=3, dx=4)
    assert "without a shift" in ending(dx=0)
    assert "16 outputs for 64 pixels, 25 %" in ending()


@pytest.mark.parametrize("window", [2, 4])
def test_the_last_note_says_whether_the_dot_is_still_in_the_same_windows(window):
    for x, dx in product(range(SIDE), range(1, SIDE)):
        inside = x // window == (x + dx) % SIDE // window
        assert ("same windows" in ending(window=window, stride=window, x=x, dx=dx)) == inside


def test_the_bars_and_the_window_show_the_accuracies_and_the_place_of_the_step():
    p = Params(window=3, stride=1)
    played = states(window=3, stride=1)
    for now in (0, 20, 35):
        pic = draw(p, played, now)
        suffix = next(panel.suffix for panel in pic.panels if panel.name == "accuracies")
        bars = [s["y1"] for s in pic.shapes if s["yref"] == f"y{suffix}" and "fillcolor" in s]
        shares = [share for one in played[now].accuracies for share in (one.still, one.shifted)]
        assert bars == pytest.approx(shares, rel=1e-4)
        frame = next(shape for shape in pic.shapes if shape["line"]["width"] == 4)
        top, left = divmod(now, 6)
        assert (frame["x0"] + 0.5, frame["x1"] + 0.5) == (left, left + 3)
        assert (0.5 - frame["y1"], 0.5 - frame["y0"]) == (top, top + 3)


def test_changed_outputs_are_marked_as_soon_as_they_are_computed():
    p, played = Params(picture="digit"), states(picture="digit")
    for now, state in enumerate(played):
        marked = [s for s in draw(p, played, now).shapes if s["xref"] == "x2" and s["line"]["color"] == CHANGED]
        changed = (state.maxima != state.maxima_before).ravel()[: state.step]
        assert len(marked) == changed.sum()
    assert marked
