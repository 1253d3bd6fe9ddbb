"""How the sliding window is told and drawn."""

from functools import cache

import numpy as np
import pytest

from playgrounds.convolution.model import Params, State, run
from playgrounds.convolution.picture import draw, note
from playgrounds.kit.film import Film
from tests.playgrounds.maps import grid


@cache
def states(**values) -> list[State]:
    return list(run(Params(**values)))


def last(**values) -> State:
    return states(**values)[-1]


def told(now: int, **values) -> str:
    return note(Params(**values), states(**values), now)


def test_a_note_writes_the_products_of_its_window_and_their_sum():
    ramp = {"picture": "ramp", "side": 3, "kernel": "own", "grid": "1,2;3,4"}
    assert told(0, **ramp) == "Output row 0, column 0: 0·1 + 1·2 + 3·3 + 4·4 = 27."
    assert told(0, **ramp, bias=-2).endswith("4·4 + (−2) = 25.")
    for now, state in enumerate(states(picture="photo")):
        assert f"column {state.at[1]}" in told(now, picture="photo")


def test_where_no_position_fits_a_sentence_says_why():
    ones = {"kernel": "own", "grid": grid(np.ones((5, 5)))}
    said = told(0, **ones, side=4)
    assert "covers 5 × 5 pixels" in said and "4 × 4" in said
    said = told(0, **ones, side=8, dilation=3, padding=2)
    assert "covers 13 × 13 pixels and the padded picture has 12 × 12" in said


def test_pointing_at_an_output_tells_its_products():
    p = Params(picture="ramp", side=3, kernel="own")
    drawn = draw(p, states(picture="ramp", side=3, kernel="own"), 0)
    (trace,) = (t for t in drawn.data if "hovertext" in t)
    assert trace["hovertext"][1] == "row 0, column 1<br>1·1 + 2·2<br>+ 4·3 + 5·4 = 37"


def test_the_window_lies_on_the_pixels_whose_products_are_written_out():
    values = {"picture": "digit", "padding": 2, "stride": 3, "dilation": 2}
    p, played = Params(**values), states(**values)
    for now, state in enumerate(played):
        shapes = draw(p, played, now).shapes
        taps = [s for s in shapes if s["xref"] == "x" and s["line"]["width"] == 2 and s["x1"] - s["x0"] == 1]
        assert len(taps) == 9
        seen = [state.x[round(0.5 - s["y1"]), round(s["x0"] + 0.5)] for s in taps]
        assert state.output == (np.array(seen).reshape(3, 3) * p.weights).sum()


@pytest.mark.parametrize("kernel", ["1", "1,2", "1;2", "-99,99;1,2", grid(np.ones((5, 5)))])
@pytest.mark.parametrize("picture", ["letter", "ramp", "photo"])
def test_every_kernel_and_picture_can_be_drawn(kernel, picture):
    for padding, stride, dilation in ((0, 1, 1), (4, 2, 3), (0, 4, 3)):
        p = Params(
            kernel="own", grid=kernel, picture=picture, side=5, padding=padding, stride=stride, dilation=dilation
        )
        played = list(run(p))
        film = Film(note, draw, p, p.length)
        film.extend(played, True)
        assert film.steps[-1] == len(played) - 1


def test_the_window_is_as_large_as_its_kernel_reaches_and_what_is_not_computed_yet_is_covered():
    values = {"picture": "digit", "padding": 2, "stride": 3, "dilation": 2, "kernel": "difference"}
    p, played = Params(**values), states(**values)
    for now, state in enumerate(played):
        shapes = draw(p, played, now).shapes
        sizes = [(s["x1"] - s["x0"], s["y1"] - s["y0"]) for s in shapes if s["xref"] == "x"]
        assert sizes[-1] == (3, 1), "1 and −1 with a gap of one pixel"
        covers = [s for s in shapes if s["xref"] == "x2" and s.get("opacity") == 1]
        hidden = sum((s["x1"] - s["x0"]) * (s["y1"] - s["y0"]) for s in covers)
        assert hidden == state.y.size - state.step
