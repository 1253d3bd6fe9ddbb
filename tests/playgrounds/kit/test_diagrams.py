"""What is drawn: maps to scale, in rows, and the window that a unit sees."""

from itertools import pairwise

import numpy as np
import pytest

from playgrounds.kit.diagrams import GAP, Box, Stage, lined_up, pipeline_axes, window_between
from playgrounds.kit.picture import Picture


def stages() -> list[Stage]:
    first = Stage("input", np.ones((1, 8, 8)), window=3)
    maps = Stage("maps", np.ones((4, 8, 8)), across=2, window=2)
    small = Stage("pool", np.ones((4, 4, 4)), across=2)
    return [first, maps, small, Stage("dense", np.ones((1, 1, 5)), unit=2)]


def test_a_pixel_of_every_map_is_equally_large_and_the_stages_fill_the_width():
    boxes = lined_up(stages(), 60)
    assert [box.right - box.left for box in boxes] == pytest.approx([8, 16 + GAP, 8 + GAP, 3])
    assert [box.high - box.low for box in boxes] == [8, 16 + GAP, 8 + GAP, 10]
    assert boxes[0].left == 0 and boxes[-1].right == pytest.approx(60)
    apart = [b.left - a.right for a, b in pairwise(boxes)]
    assert apart == pytest.approx([apart[0]] * 3)


def test_the_window_lies_around_the_place_of_the_unit_that_sees_it():
    some, boxes = stages(), lined_up(stages(), 60)
    window, unit = window_between(some[0], boxes[0], some[1], boxes[1])
    assert (window.right - window.left, unit.right - unit.left) == pytest.approx((3, 1))
    assert (window.left - boxes[0].left, unit.left - boxes[1].left) == pytest.approx((3, 4)), (
        "column 4 sees columns 3 to 5"
    )
    window, unit = window_between(some[1], boxes[1], some[2], boxes[2])
    last_map = boxes[1].right - 8
    places = window.left - last_map, window.right - last_map, unit.left - boxes[2].left
    assert places == pytest.approx((4, 6, 2)), "2×2 by 2"


def test_a_pipeline_is_one_field_a_stage_with_free_strips_between_maps():
    pic = Picture(200, "net")
    boxes = lined_up(stages(), 60)
    panel = pic.panel("net", "", *pipeline_axes(stages(), boxes), square=True)
    panel.pipeline(stages(), boxes)
    assert [field["z"].shape for field in pic.fields] == [(8, 8), (17, 17), (9, 9), (5, 1)]
    sheet = pic.fields[1]["z"]
    assert (sheet[8] == 0).all() and (sheet[:, 8] == 0).all() and (sheet[:8, :8] == 127).all()


def test_the_first_unit_of_a_dense_layer_is_on_top():
    pic = Picture(200, "net")
    panel = pic.panel("net")
    panel.feature_maps(Stage("", np.array([[[1.0, 0.0]]])), Box(0, 3, 0, 2))
    assert pic.fields[0]["z"].ravel().tolist() == [0, 127], "z[0] is the lowest row"
