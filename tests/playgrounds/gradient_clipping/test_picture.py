"""The two descents as they are drawn."""

import numpy as np

from playgrounds.gradient_clipping.cliff import Heights
from playgrounds.gradient_clipping.model import Params, run
from playgrounds.gradient_clipping.picture import draw
from playgrounds.kit.palette import BLUE, ORANGE


def test_a_thrown_step_points_the_way_it_was_thrown():
    p = Params(w=1.15)
    played = list(run(p))
    pic = draw(p, played, 1)
    (ground,) = [panel for panel in pic.panels if panel.name == "map"]
    on_map = [shape for shape in pic.figure()["layout"]["shapes"] if shape["xref"] == f"x{ground.suffix}"]
    thrown = on_map[0]["path"]
    (x, y), (far_x, far_y) = np.array([point.split(",") for point in thrown.strip("M").split("L")], float)
    way = -played[0].g[0] / np.hypot(*played[0].g[0])
    drawn = np.array([far_x - x, far_y - y]) / np.hypot(far_x - x, far_y - y)
    assert drawn @ way > 0.999


def test_the_cliff_rises_with_the_loss_and_a_loss_beyond_all_bounds_has_a_height():
    for top in (0.6, 125.0, 5e5, 1e17):
        heights = Heights(top).of(np.array([0, 0.5, top, 1e100]))
        assert heights[0] == 0 and heights[2] == 1 and np.isfinite(heights).all() and (np.diff(heights) > 0).all()


def test_plain_descent_leaves_the_cliff_and_the_clipped_ball_stays_on_it():
    p = Params()
    played = list(run(p))
    balls = [balls_on_the_cliff(draw(p, played, now)) for now in (10, 20)]
    assert balls == [{ORANGE, BLUE}, {BLUE}]


def balls_on_the_cliff(pic) -> set[str]:
    """Their colours."""
    shapes = pic.figure()["layout"]["shapes"]
    return {shape["fillcolor"] for shape in shapes if shape["type"] == "circle" and shape["xref"] == "x"}
