"""A graph as it is drawn."""

import math
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import assume, given, settings

from playgrounds._expression import Mistake
from playgrounds.autograd.layout import plan
from playgrounds.autograd.model import Params, run, tape_of
from playgrounds.autograd.picture import draw
from tests.expressions import TREES


@settings(max_examples=40, deadline=None, derandomize=True)
@given(TREES)
def test_in_the_picture_no_node_stands_on_another_and_every_edge_leads_down(text):
    try:
        tape = tape_of(text)
    except Mistake:
        assume(False)
    spots, routes, layers, breadth = plan(tape)
    taken = [*spots.values(), *(spot for route in routes.values() for spot in route[1:-1])]
    for n, (x, y) in enumerate(taken):
        assert all(y != v or abs(x - u) > 0.39 for u, v in taken[:n])
        assert abs(x) <= breadth / 2 and -layers < y <= 0
    for (i, k), route in routes.items():
        assert [route[0], route[-1]] == [spots[tape[i].inputs[k]], spots[i]]
        assert [b[1] - a[1] for a, b in pairwise(route)] == [-1] * (len(route) - 1)


@pytest.mark.fact("chain-rule")
def test_the_drawn_tangent_has_the_slope_found_and_touches_the_curve():
    p = Params(expression="sin(x**2)", values="x=1.3")
    told = list(run(p))
    fig = draw(p, told, len(told) - 1).figure()
    (line,) = [s for s in fig["layout"]["shapes"] if s["type"] == "line" and s["line"]["dash"] == "solid"]
    slope = (line["y1"] - line["y0"]) / (line["x1"] - line["x0"])
    assert slope == pytest.approx(2.6 * math.cos(1.69), abs=1e-3)
    assert (line["y1"] + line["y0"]) / 2 == pytest.approx(math.sin(1.69), abs=1e-4)
    (curve,) = [trace for trace in fig["data"] if trace.get("name") == "f"]
    assert np.allclose(curve["y"], np.sin(np.asarray(curve["x"], float) ** 2), atol=1e-5)


def test_on_a_phone_there_is_room_for_the_ticks_below_a_graph_that_has_none():
    p = Params()
    figure = draw(p, list(run(p)), 0).figure()
    assert figure["layout"]["margin"]["l"] < 20 and figure["narrow"]["margin.l"] >= 44


def test_a_box_has_its_value_once_it_is_computed_and_its_gradient_once_it_has_arrived():
    p = Params()
    told = list(run(p))
    boxes = [draw(p, told, now).figure()["layout"]["shapes"] for now in (0, 2, 6)]
    texts = [[s["label"]["text"] for s in shapes if "f: ×" in s.get("label", {}).get("text", "")] for shapes in boxes]
    assert [("−12" in text, ">1<" in text) for (text,) in texts] == [(False, False), (True, False), (True, True)]
