"""The picture of the hidden space, and the notes."""

import re
from functools import cache

import numpy as np
import pytest

from playgrounds.kit.palette import BLUE, ORANGE
from playgrounds.representation.model import Params, State, features, right, run
from playgrounds.representation.picture import SPAN, draw, note


@cache
def states(**values) -> list[State]:
    return list(run(Params(**values)))


def told(now: int, **values) -> str:
    return note(Params(**values), states(**values), now)


def clouds(fig: dict) -> list[np.ndarray]:
    """The middles of the squares of either class in the hidden layer's picture, the first panel."""
    paths = [s["path"] for s in fig["layout"]["shapes"] if s.get("fillcolor") in (BLUE, ORANGE) and s["xref"] == "x"]
    squares = [re.findall(r"M([-\d.]+),([-\d.]+)L[-\d.,]+L([-\d.]+),([-\d.]+)L[-\d.,]+Z", path) for path in paths]
    return [np.array(square, float).reshape(-1, 2, 2).mean(axis=1) for square in squares]


@pytest.mark.fact("representation-learning")
@pytest.mark.parametrize("values", [{}, {"hidden": 2}, {"activation": "relu", "data": "digits"}], ids=str)
def test_a_point_is_drawn_on_the_side_of_the_line_where_the_probe_has_it(values):
    p, run_of = Params(**values), states(**values)
    for now in (0, 50, 100):
        state, fig = run_of[now], draw(p, run_of, now).figure()
        x, y = state.drawn
        z = features(x, state.theta, p.activation) @ state.probe[:-1] + state.probe[-1]
        line = next(s for s in fig["layout"]["shapes"] if s["type"] == "line" and s["xref"] == "x")["x0"]
        side = np.sign(state.probe[:-1] @ state.view.eye[:, 0])  # of the line where the probe says class 1
        drawn = clouds(fig)
        assert len(drawn) == 2
        for label, cloud in enumerate(drawn):
            ours = z[y == label]
            assert len(cloud) == len(ours)
            clear = np.abs(cloud[:, 0] - line) > 0.02  # the picture is rounded
            assert clear.mean() > 0.6
            assert (np.sign(cloud[clear, 0] - line) * side == np.sign(ours[clear])).all()
        tint = fig["fields"][0]["z"][0]
        assert np.sign(int(tint[-1]) - int(tint[0])) == side, "the orange side is the probe's class 1"


def test_every_curve_is_keyed_and_stays_inside_its_panel():
    for values in ({}, {"activation": "identity"}, {"trained": False}, {"data": "spirals", "hidden": 16, "seed": 1}):
        fig = draw(Params(**values), states(**values), 0).figure()
        low, high = fig["layout"]["yaxis3"]["range"]
        curves = [trace for trace in fig["data"] if trace["xaxis"] == "x3"]
        title = next(a["text"] for a in fig["layout"]["annotations"] if a.get("name") == "right")
        assert [trace["name"] for trace in curves] == ["input", "untrained", "net", "hidden"]
        assert all(trace["name"] in title for trace in curves)
        assert all(low < trace["y"].min() and trace["y"].max() < high for trace in curves)


def test_the_note_says_the_numbers_of_its_step():
    start, end = states()[0], states()[-1]
    assert f"4 random tanh units has {100 * start.untrained_probe:.3g} % of 1,000 held-out" in told(0)
    gain = 100 * (end.hidden_probe - end.untrained_probe)
    assert f"Step 600: the linear probe on the hidden layer has {100 * end.hidden_probe:.3g} % right" in told(-1)
    assert f"{gain:.3g} points more than before training ({100 * end.untrained_probe:.3g} %)" in told(-1)
    assert "do not need learned features" in told(0, hidden=16)
    assert "linear map of the input" in told(0, activation="identity")
    assert "only its output layer learns" in told(50, trained=False)


def test_the_field_of_the_input_has_the_sign_of_the_net():
    state = states()[-1]
    field = draw(Params(), states(), 100).figure()["fields"][1]["z"]
    assert field[20, 20] > 0 > field[0, 0], "class 1 is the disc in the middle"
    x, y = state.drawn
    cells = np.clip((x + SPAN) / (2 * SPAN) * 40, 0, 39).astype(int)
    assert right(field[cells[:, 1], cells[:, 0]], y) >= 0.97
