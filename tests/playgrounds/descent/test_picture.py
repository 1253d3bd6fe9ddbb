"""The picture of a descent: only what is cheap moves, paths that run away leave the axes alone, looks are kept."""

import numpy as np
import plotly.graph_objects as go
import pytest

from playgrounds.descent.model import Params, run
from playgrounds.descent.picture import SPAN, draw
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


def test_an_optimizer_has_one_colour_and_one_dash_in_every_panel():
    p = Params(optimizers=OPTIMIZERS, schedule="cosine", rate=0.01)
    fig = draw(p, states(**p.model_dump()), 40).figure()
    for name in OPTIMIZERS:
        lines = [t["line"] for t in fig["data"] if t.get("name") == name and t["mode"] == "lines"]
        assert len(lines) == 4 and len({line["color"] for line in lines}) == 1
        assert len({line["dash"] for line in lines if "dash" in line}) == 1
    curves = [t["line"] for t in fig["data"] if t.get("yaxis") == "y2" and t["mode"] == "lines"]
    looks = [(line["color"], line["dash"]) for line in curves]
    assert len(looks) == len(set(looks)) == len(OPTIMIZERS)
