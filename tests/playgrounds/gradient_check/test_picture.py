"""A gradient check as it is drawn."""

import numpy as np

from playgrounds.gradient_check.model import METHODS, Params, run
from playgrounds.gradient_check.picture import draw


def test_near_the_weight_the_two_slopes_coincide_if_the_gradient_is_right_and_differ_if_it_is_doubled():
    for bug, ratio in (("none", 1), ("factor 2", 2)):
        p = Params(bug=bug)
        played = list(run(p))
        paths = [s["path"] for s in draw(p, played, 20).figure()["layout"]["shapes"] if s["type"] == "path"]
        code, differences = (np.array([c.split(",") for c in path[1:].split("L")], float) for path in paths[-2:])
        slopes = [(line[1, 1] - line[0, 1]) / (line[1, 0] - line[0, 0]) for line in (code, differences)]
        assert np.isclose(slopes[0], ratio * slopes[1], rtol=1e-3)


def test_every_method_has_a_curve_in_the_colour_of_its_precision_and_the_dash_of_its_scheme():
    p = Params(shown=METHODS)
    curves = draw(p, list(run(p)), 0).figure()["data"][:4]
    looks = [(curve["name"], curve["line"]["color"], curve["line"]["dash"]) for curve in curves]
    assert [name for name, *_ in looks] == list(METHODS)
    assert len({look[1:] for look in looks}) == 4
