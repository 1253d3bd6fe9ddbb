"""Axes and fields as every playground gets them from the kit."""

import numpy as np
import pytest

from playgrounds.kit.figures import Panel, figure, log_axis, loss_axis, paint
from playgrounds.kit.palette import SCALES, SHADES


def painted(z: list, **more) -> list[list[int]]:
    fig = figure(300, Panel((0, 1, 0, 1), 100))
    paint(fig, 1, np.array(z), (0, 1), (0, 1), **more)
    return fig["fields"][0]["z"].tolist()


def test_a_field_is_cut_at_its_scale_and_what_is_no_number_is_neutral():
    assert painted([[-9.0, -1, 0, 0.5, 1, np.inf, np.nan]]) == [[-127, -127, 0, 63, 127, 127, 0]]


def test_on_the_scale_of_classes_every_class_has_its_own_shades():
    levels = painted([[0.0, 0.99, 1.0, 1.99, 2.0, 2.99, 7.0, -1.0]], scale="classes")[0]
    assert [level // SHADES for level in levels] == [0, 0, 1, 1, 2, 2, 2, 0]
    assert [level % SHADES for level in levels] == [0, 41, 0, 41, 0, 41, 41, 0]
    assert max(levels) <= 127 and all(len(scales["classes"]) == 4 for scales in SCALES.values())


def test_a_log_axis_spans_what_is_positive_and_finite_and_at_least_a_decade():
    assert log_axis([0.001, 1000, 0, -5, np.nan, np.inf], margin=0.5)["range"] == [-3.5, 3.5]
    assert log_axis([2.0, 2.0])["range"] == pytest.approx([np.log10(2) - 1.1, np.log10(2) + 0.1], rel=1e-4)
    assert log_axis([1e-30, 1e30], 0, 1e-3, 1e3)["range"] == [-3, 3]
    assert log_axis([])["range"] == [-1.1, 0.1]


def test_a_loss_axis_starts_at_0_unless_the_loss_falls_far():
    assert loss_axis([0.5, 1.0])["range"] == [0, 1.05]
    assert loss_axis([0.001, 1.0])["type"] == "log"
    assert loss_axis([np.nan, 0.0])["range"] == [0, 1.05]


def test_a_panels_own_axis_settings_keep_the_type_of_the_house():
    layout = figure(300, Panel((0, 1, 0, 1), 100, x={"title": "epoch"}, y={"title": {"text": "loss"}}))["layout"]
    assert layout["xaxis"]["title"]["text"] == "epoch" and layout["yaxis"]["title"]["text"] == "loss"
    assert layout["xaxis"]["title"]["font"] == layout["yaxis"]["title"]["font"]
