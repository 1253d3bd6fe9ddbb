"""The picture of a descent: only what is cheap moves, paths that run away leave the axes alone, looks are kept."""

import numpy as np
import plotly.graph_objects as go
import pytest

from playgrounds.descent.model import Params, run
from playgrounds.descent.paths import SPAN
from playgrounds.descent.picture import draw
from playgrounds.kit.film import difference

OPTIMIZERS = Params.knobs()["optimizers"].choices


def states(**values):
    return list(filter(None, run(Params(**values))))


PICTURES = [
    {},
    {"surface": "bowl", "optimizers": ("GD",), "rate": 2.1, "steps": 500},
    {"surface": "rosenbrock", "optimizers": OPTIMIZERS, "rate": 0.01, "schedule": "plateau"},
    {"surface": "saddle", "optimizers": OPTIMIZERS, "schedule": "cosine", "steps": 320},
    {"surface": "ripples", "optimizers": ("AdamW",), "noise": 1, "tuned": True},
]


@pytest.mark.parametrize("values", PICTURES)
def test_plotly_takes_the_picture_and_only_its_shapes_change(values):
    p, found = Params(**values), states(**values)
    first = draw(p, found, 0).figure()
    for now in (0, len(found) // 2, len(found) - 1):
        fig = draw(p, found, now).figure()
        go.Figure({"data": fig["data"], "layout": fig["layout"]})
        changed = difference(first, fig)
        assert not changed["data"] and changed["layout"].keys() <= {"shapes"}


@pytest.mark.parametrize("values", PICTURES)
def test_paths_that_run_away_leave_the_axes_alone(values):
    p, found = Params(**values), states(**values)
    fig = draw(p, found, len(found) - 1).figure()
    main = [trace for trace in fig["data"] if trace.get("xaxis") == "x" and trace.get("mode") == "lines"]
    assert all(np.abs(np.asarray(trace["x"])).max() <= 5 * SPAN * 1.001 for trace in main)
    for key, axis in fig["layout"].items():
        if key.startswith("yaxis") and axis.get("type") == "log":
            low, high = axis["range"]
            assert 1 <= high - low < 23, key


def suffix(fig: dict, panel: str) -> str:
    return next(one["suffix"] for one in fig["panels"] if one["name"] == panel)


def test_an_optimizer_has_one_colour_in_every_panel_and_no_other_has_it():
    p = Params(optimizers=OPTIMIZERS, schedule="cosine", rate=0.01)
    found = states(**p.model_dump())
    fig = draw(p, found, 40).figure()
    colours = {}
    for name in OPTIMIZERS:
        lines = [t["line"] for t in fig["data"] if t.get("name") == name and t["mode"] == "lines"]
        assert len(lines) == 3 and len({line["color"] for line in lines}) == 1
        colours[name] = lines[0]["color"]
    assert len(set(colours.values())) == len(OPTIMIZERS)
    shapes = fig["layout"]["shapes"]
    sweep = [s["line"]["color"] for s in shapes if s["xref"] == f"x{suffix(fig, 'sweep')}" and s["type"] == "path"]
    assert set(colours.values()) <= set(sweep)
    assert {s["label"]["text"] for s in shapes if s.get("label")} == colours.keys(), "each is named beside its point"


def test_the_sweep_shows_what_every_rate_has_led_to_so_far():
    p = Params(optimizers=("GD",), condition=20, rate=0.05)
    found = states(**p.model_dump())
    for now in (0, 20, len(found) - 1):
        fig = draw(p, found, now).figure()
        axis = f"x{suffix(fig, 'sweep')}"
        path = next(
            s["path"] for s in fig["layout"]["shapes"] if s["xref"] == axis and s.get("path", "").count("L") > 20
        )
        points = np.array([point.split(",") for point in path[1:].split("L")], float)
        assert points[:, 0] == pytest.approx(found[now].rates, rel=1e-3)
        assert points[:, 1] == pytest.approx(
            np.clip(found[now].sweep[0], 1e-17 * found[0].loss, 1e8 * found[0].loss), rel=1e-3
        )


def test_the_bars_of_the_last_step_are_its_arithmetic_and_adams_first_are_eta_long():
    p = Params(optimizers=("GD", "Adam"), condition=10, rate=0.1, steps=5, scale=-2)
    found = states(**p.model_dump())
    fig = draw(p, found, 1).figure()
    axis = f"x{suffix(fig, 'step')}"
    bars = [s["y1"] for s in fig["layout"]["shapes"] if s["xref"] == axis and s["type"] == "rect"]
    walk = np.concatenate([state.path for state in found])
    assert bars == pytest.approx((walk[1] - walk[0]).ravel(), abs=1e-4)
    assert np.abs(bars[2:]) == pytest.approx(0.1, rel=1e-3)
