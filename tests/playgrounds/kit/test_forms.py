"""Drawings, matrices and points as texts: what is read, what is refused, and the arrays made of them."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from playgrounds.kit import Params, knob
from playgrounds.kit.forms import MOST_POINTS, cloud, matrix, pixels, read_drawing, read_matrix, read_points


class Own(Params):
    sheet: str = knob("", 4, 4, form="drawing", label="Sheet")
    kernel: str = knob("1,0;0,1", 1, 3, form="matrix", label="Kernel")
    dots: str = knob("", 0, 2, form="points", label="Points")


@given(st.lists(st.integers(0, 15), min_size=16, max_size=16).filter(any))
def test_a_drawing_has_sixteen_levels_row_by_row_from_the_top(levels):
    text = "".join(f"{level:x}" for level in levels)
    assert read_drawing(text, 4) == (text, "")
    assert np.array_equal(pixels(text, 4), np.array(levels).reshape(4, 4) / 15)


def test_an_empty_sheet_is_no_text():
    assert read_drawing("0" * 16, 4) == ("", "")
    assert pixels("", 4).shape == (4, 4) and not pixels("", 4).any()


@pytest.mark.parametrize("text", ["0", "g" * 16, "0" * 17, "F" * 16, " " * 16])
def test_what_is_no_drawing_is_refused_with_what_a_drawing_is(text):
    with pytest.raises(ValueError, match="16 digits from 0 to f"):
        read_drawing(text, 4)


@pytest.mark.parametrize("text", ["1 0 -1; 2 0 -2", "1,0,-1\n2,0,-2\n", " 1.0, 0, -1.000 ; 2 ,0,-2;"])
def test_a_matrix_is_read_from_any_usual_form(text):
    assert read_matrix(text, 1, 3) == ("1,0,-1;2,0,-2", "")
    assert np.array_equal(matrix(read_matrix(text, 1, 3)[0]), [[1, 0, -1], [2, 0, -2]])


@pytest.mark.parametrize(
    ("text", "said"),
    [("1,2;3", "as many numbers as the others"), ("1,2,3,4", "1 to 3 are possible"), ("1;x", "row 2 of the grid has"),
     ("", "not a finite number"), ("nan", "finite"), ("1,inf", "finite")],
)  # fmt: skip
def test_what_is_no_matrix_is_refused_with_the_reason(text, said):
    with pytest.raises(ValueError, match=said):
        read_matrix(text, 1, 3)


def test_large_entries_are_cut_and_the_reader_is_told():
    assert read_matrix("1000,-1000", 1, 3) == ("99,-99", "numbers beyond ±99 were cut")


def test_points_are_read_with_heading_names_and_any_separator():
    text = "x;y;kind\n0.5; -0.25; cat\n\n-1\t1\tdog\n0 0 cat"
    assert read_points(text, 2) == ("0.5,-0.25,0\n-1,1,1\n0,0,0", "")
    x, y = cloud("0.5,-0.25,0\n-1,1,1")
    assert np.array_equal(x, [[0.5, -0.25], [-1, 1]]) and np.array_equal(y, [0, 1])
    assert cloud("")[0].shape == (0, 2)


def test_bad_rows_are_named_with_their_line_and_good_ones_kept():
    taken, said = read_points("0,0,0\nhello\n0.1,0.2,7\n0.3,0.4,1", 2)
    assert taken == "0,0,0\n0.3,0.4,1"
    assert (
        "line 2 is not x, y, class" in said
        and "line 3 has a class beyond the 2" in said
        and "2 points are kept" in said
    )
    with pytest.raises(ValueError, match="line 1 is not x, y, class: write one point a line"):
        read_points("0,zero\nnan,1,0", 2)


@pytest.mark.parametrize("label", ["2", "9" * 12, "9" * 400, "9" * 400 + ".0"])
def test_a_class_beyond_those_there_are_is_refused_however_long_its_number(label):
    with pytest.raises(ValueError, match="line 1 has a class beyond the 2"):
        read_points(f"0,0,{label}", 2)
    assert read_points("0,0,01.00", 2) == ("0,0,1", "")


def test_large_values_are_scaled_into_the_square_and_too_many_points_are_cut():
    x, _ = cloud(read_points("100,1\n200,2\n300,5", 2)[0])
    assert np.abs(x).max() == pytest.approx(0.9) and x[1, 0] == pytest.approx(0)
    taken, said = read_points("0.1,0.1,0\n" * (MOST_POINTS + 5), 2)
    assert len(cloud(taken)[0]) == MOST_POINTS and f"first {MOST_POINTS} of {MOST_POINTS + 5}" in said


def test_the_largest_numbers_there_are_become_points_too():
    assert read_points("1e308,1e308,0\n-1e308,-1e308,1", 2) == ("0.9,0.9,0\n-0.9,-0.9,1", "")


finite = st.floats(allow_nan=False, allow_infinity=False)


@given(st.lists(st.tuples(finite, finite), min_size=1, max_size=5))
def test_points_of_any_size_are_scaled_into_the_square(points):
    value, problem = Own.knobs()["dots"].read("\n".join(f"{x},{y},0" for x, y in points), None)
    x, _ = cloud(value)
    assert not problem and len(x) == len(points) and np.abs(x).max() <= 1
    assert Own(dots=value).dots == value


@given(st.text(max_size=80))
def test_any_text_is_either_taken_or_refused_in_one_line(text):
    for one in Own.knobs().values():
        value, problem = one.read(text, "kept")
        assert problem or one.read(value, None) == (value, ""), "what was taken is taken again as it is"
        assert "\n" not in problem


@given(st.lists(st.tuples(st.floats(-1, 1), st.floats(-1, 1), st.integers(0, 1)), max_size=40))
def test_points_survive_a_link(points):
    value, problem = read_points("\n".join(f"{x},{y},{c}" for x, y, c in points), 2)
    params = Own(dots=value)
    assert not problem and Own.from_query(params.to_query(Own()), Own()) == (params, [])


def test_what_is_wrong_with_a_link_is_said_and_the_pages_own_is_kept():
    params, said = Own.from_query({"sheet": "12", "kernel": "1,2;3"}, Own())
    assert params == Own()
    assert said[0].startswith("sheet: a drawing on 4 × 4 cells") and said[0].endswith(
        "What this page starts with is kept."
    )
    with pytest.raises(ValueError, match="is not the text of a matrix"):
        Own(kernel="1, 2")
