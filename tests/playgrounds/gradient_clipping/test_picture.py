"""The two descents as they are drawn."""

import numpy as np

from playgrounds.gradient_clipping.model import Params, run
from playgrounds.gradient_clipping.picture import draw


def test_a_thrown_step_points_the_way_it_was_thrown():
    p = Params(w=1.15)
    played = list(run(p))
    thrown = draw(p, played, 1).figure()["layout"]["shapes"][1]["path"]
    (x, y), (far_x, far_y) = np.array([point.split(",") for point in thrown.strip("M").split("L")], float)
    way = -played[0].g[0] / np.hypot(*played[0].g[0])
    drawn = np.array([far_x - x, far_y - y]) / np.hypot(far_x - x, far_y - y)
    assert drawn @ way > 0.999
