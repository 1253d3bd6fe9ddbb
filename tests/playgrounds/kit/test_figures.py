"""Axes and fields as every playground gets them from the kit."""

import numpy as np
import pytest

from playgrounds.kit import axes
from playgrounds.kit.palette import SCALES, SHADES
from playgrounds.kit.picture import Picture


def painted(z: list, **more) -> list[list[int]]:
    pic = Picture(300, "one")
    pic.panel("one").field(np.array(z), (0, 1), (0, 1), **more)
    return pic.figure()["fields"][0]["z"].tolist()


def test_a_field_is_cut_at_its_scale_and_what_is_no_number_is_neutral():
    assert painted([[-9.0, -1, 0, 0.5, 1, np.inf, np.nan]]) == [[-127, -127, 0, 63, 127, 127, 0]]


def test_on_the_scale_of_classes_every_class_has_its_own_shades():
    levels = painted([[0.0, 0.99, 1.0, 1.99, 2.0, 2.99, 7.0, -1.0]], scale="classes")[0]
    assert [level // SHADES for level in levels] == [0, 0, 1, 1, 2, 2, 2, 0]
    assert [level % SHADES for level in levels] == [0, 41, 0, 41, 0, 41, 41, 0]
    assert max(levels) <= 127 and all(len(scales["classes"]) == 4 for scales in SCALES.values())


def test_a_log_axis_spans_what_is_positive_and_finite_and_at_least_a_decade():
    assert axes.log([0.001, 1000, 0, -5, np.nan, np.inf], margin=0.5)["range"] == [-3.5, 3.5]
    assert axes.log([2.0, 2.0])["range"] == pytest.approx([np.log10(2) - 1.1, np.log10(2) + 0.1], rel=1e-4)
    assert axes.log([1e-30, 1e30], margin=0, lowest=1e-3, highest=1e3)["range"] == [-3, 3]
    assert axes.log([])["range"] == [-1.1, 0.1]


def test_a_loss_axis_starts_at_0_unless_the_loss_falls_far():
    assert axes.loss([0.5, 1.0])["range"] == [0, 1.05]
    assert axes.loss([0.001, 1.0])["type"] == "log"
    assert axes.loss([np.nan, 0.0])["range"] == [0, 1.05]


def test_all_axes_have_titles_of_one_kind():
    pic = Picture(300, "one")
    pic.panel("one", "One", axes.steps(3, "epoch"), axes.span(0, 1, "loss"))
    layout = pic.figure()["layout"]
    assert layout["xaxis"]["title"]["text"] == "epoch" and layout["yaxis"]["title"]["text"] == "loss"
    assert layout["xaxis"]["title"]["font"] == layout["yaxis"]["title"]["font"]
