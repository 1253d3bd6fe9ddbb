"""Axes in words: powers of ten on a linear axis."""

import numpy as np
import pytest

from playgrounds.kit.axes import exponents, powers
from playgrounds.kit.picture import Picture


def test_exponents_are_logarithms_and_what_is_not_positive_has_none():
    found = exponents([100.0, 1.0, 1e-3, 1e-30, 0.0])
    assert found[:4] == pytest.approx([2, 0, -3, -12]) and np.isnan(found[4])


@pytest.mark.parametrize("values", [[1.0], [0.5, 3e-4], [7.0, 1e-9], [1e-30], [0.0], [np.nan, 0.2]])
def test_the_axis_of_powers_holds_every_exponent_and_names_its_ticks_as_powers_of_ten(values):
    axis = powers(values)
    low, high = axis["range"]
    known = exponents(values)[np.isfinite(exponents(values))]
    assert (low <= known).all() and (known <= high).all()
    assert axis["tickvals"][0] == 0 and axis["ticktext"][0] == "1" and len(axis["tickvals"]) <= 6
    assert all(low < tick < high for tick in axis["tickvals"])


def test_beads_are_a_path_with_a_dot_at_every_point_that_is_known():
    pic = Picture(200, "one")
    pic.panel("one").beads([1, 2, 3], [0.5, np.nan, 1.5])
    path, *dots = pic.shapes
    assert path["path"] == "M1.0,0.5L3.0,1.5"
    assert [(dot["xanchor"], dot["yanchor"]) for dot in dots] == [(1, 0.5), (3, 1.5)]
    pic.panel("two").beads([1, 2], [np.nan, np.nan])
    assert len(pic.shapes) == 3
