"""The way back through time as it is drawn."""

import numpy as np
import pytest

from playgrounds.bptt.model import Params, run
from playgrounds.bptt.picture import FULL, TALL, WIDE, draw


def test_the_ribbon_ends_at_the_cut_and_is_as_thick_as_the_gradient():
    p = Params(w=0.9, T=20, cut=5)
    played = list(run(p))
    for now, reach in ((3, 17), (12, 15), (20, 15)):
        (ribbon,) = [shape for shape in draw(p, played, now).figure()["layout"]["shapes"] if shape.get("layer")]
        corners = corners_of(ribbon["path"])
        assert corners[:, 0].min() == reach - WIDE / 2 and corners[:, 0].max() == 20 + WIDE / 2
        assert corners[:, 1].max() == pytest.approx(TALL / 2)
        half = corners[corners[:, 0] == reach - WIDE / 2, 1].max()
        assert half == pytest.approx(TALL / 2 * 0.9 ** (20 - reach), rel=1e-3)


def test_every_step_has_a_bar_as_high_as_its_share_and_those_are_filled_that_have_been_passed():
    p = Params(w=0.8, T=10, units=3, inputs="every step")
    played = list(run(p))
    figure = draw(p, played, 4).figure()
    (bars,) = [trace for trace in figure["data"] if trace["type"] == "bar"]
    assert bars["y"] == pytest.approx(100 * played[-1].shares, rel=1e-6) and list(bars["x"]) == list(range(10, 0, -1))
    filled = [shape for shape in figure["layout"]["shapes"] if shape.get("fillcolor") == FULL]
    (comb,) = [shape for shape in filled if shape["xref"] == bars["xaxis"]]
    corners = corners_of(comb["path"])
    assert corners[1::4, 1] == pytest.approx(100 * played[-1].shares[:4], rel=1e-4)


def test_an_exploding_gradient_stays_in_the_picture():
    p = Params(w=1.5, T=30)
    played = list(run(p))
    (ribbon,) = [shape for shape in draw(p, played, 30).figure()["layout"]["shapes"] if shape.get("layer")]
    assert TALL / 2 < corners_of(ribbon["path"])[:, 1].max() < 0.7


def corners_of(path: str) -> np.ndarray:
    return np.array([point.split(",") for point in path.strip("MZ").split("L")], float)
