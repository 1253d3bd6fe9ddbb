"""Positional encoding: what sinusoids keep."""

from functools import cache

import numpy as np
import pytest

from playgrounds._sinusoids import drawn, frequencies, sinusoids
from playgrounds.kit.conditions import reached
from playgrounds.kit.metrics import metrics
from playgrounds.kit.palette import BLUE
from playgrounds.positional_encoding.model import Params, State, run, turned
from playgrounds.positional_encoding.picture import PRESETS, draw, note

PE = sinusoids(np.arange(100), 32, 10000.0)


@cache
def states(**values) -> list[State]:
    return list(run(Params(**values)))


def last(**values) -> State:
    return states(**values)[-1]


# ---------------------------------------------------------------------------------------------------------- sinusoids


@pytest.mark.fact("positional-encoding")
def test_it_is_the_formula_of_the_original_entry_by_entry():
    pe = sinusoids(np.arange(50), 16, 10000.0)
    for p, i in np.ndindex(50, 16):
        angle = p / 10000 ** (2 * i / 32)
        assert pe[p, 2 * i] == pytest.approx(np.sin(angle), abs=1e-12)
        assert pe[p, 2 * i + 1] == pytest.approx(np.cos(angle), abs=1e-12)


@pytest.mark.fact("positional-encoding")
@pytest.mark.parametrize("pairs", [1, 16, 32])
def test_the_squared_norm_is_half_the_width_at_every_position(pairs):
    assert [s.squared for s in states(pairs=pairs)] == pytest.approx([pairs] * 64)


@pytest.mark.fact("positional-encoding")
def test_a_shift_by_five_is_one_rotation_at_every_position():
    assert np.abs(PE[5:25] - turned(PE[:20], 5, 10000.0)).max() < 2e-15
    assert np.abs(PE[5:] - turned(PE[:-5], 5, 10000.0)).max() < 3e-14, "angles near 100 have fewer digits left"
    assert last().shift_error < 1e-14
    turn = turned(np.eye(8), 5, 10000.0)
    assert np.allclose(turn @ turn.T, np.eye(8)) and np.linalg.det(turn) == pytest.approx(1), "R is a rotation"
    assert np.abs(PE[5:] - turned(PE[:-5], 6, 10000.0)).max() > 0.5, "and another offset is another rotation"


@pytest.mark.fact("positional-encoding")
def test_dot_products_depend_on_the_size_of_the_offset_only():
    products = PE @ PE.T
    for offset in range(100):
        here = np.concatenate([np.diagonal(products, offset), np.diagonal(products, -offset)])
        assert np.ptp(here) < 4e-14 and here[0] == pytest.approx(np.cos(offset * frequencies(32, 1e4)).sum())
    assert last().spread < 4e-14


@pytest.mark.fact("positional-encoding")
def test_dot_products_do_not_fall_steadily_with_the_offset():
    products = PE[0] @ PE.T
    assert (np.diff(products) > 0).sum() > 10 and products.argmax() == 0
    assert last().rises == (np.diff(states()[0].pe[0] @ states()[0].pe.T) > 1e-9).sum() > 10
    assert "rises at" in note(Params(), states(), 63)


@pytest.mark.fact("positional-encoding")
def test_with_a_single_frequency_the_product_is_a_plain_cosine():
    played = states(pairs=1, offset=3)
    assert [s.dot for s in played] == pytest.approx([np.cos(3)] * 64)


# ----------------------------------------------------------------------------------------------------------- a picture


@pytest.mark.parametrize("preset", PRESETS, ids=lambda preset: preset.name)
def test_a_preset_shows_what_it_says(preset):
    assert reached(preset.reach, metrics(last(**preset.values)))


def test_the_walked_row_lies_on_the_curve_of_the_closed_form():
    p = Params()
    played = states()
    for now in (0, 20, 63):
        fig = draw(p, played, now).figure()
        (trace,) = (one for one in fig["data"] if one["name"].startswith("Σ"))
        curve = dict(zip(trace["x"].tolist(), trace["y"].tolist(), strict=True))
        (path,) = (s["path"] for s in fig["layout"]["shapes"] if s["xref"] == "x2" and s["type"] == "path")
        drawn = [tuple(map(float, at.split(","))) for at in path.strip("M").split("L")]
        assert [x for x, _ in drawn] == list(range(-now, 64 - now))
        assert [y for _, y in drawn] == pytest.approx([curve[x] for x, _ in drawn], abs=2e-3)


def test_the_dots_ride_on_the_waves_as_high_as_the_hands_point():
    p = Params()
    fig = draw(p, states(), 20).figure()
    dots = [s for s in fig["layout"]["shapes"] if s["xref"] == "x" and s.get("fillcolor") == BLUE]
    speeds = frequencies(p.pairs, p.base)[drawn(p.pairs)]
    assert [dot["yanchor"] for dot in dots] == pytest.approx(0.42 * np.sin(20 * speeds) - np.arange(6), abs=1e-3)
    assert {dot["xanchor"] for dot in dots} == {20}
