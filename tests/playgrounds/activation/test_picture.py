"""What is told and drawn of a neuron and its activation: arithmetic that is right, and dots on their curves."""

import math
import re
from itertools import pairwise

import numpy as np
import pytest

from playgrounds.activation.model import ACTIVATIONS, Params, run
from playgrounds.activation.picture import PRESETS, crossings, draw, note
from playgrounds.kit.conditions import reached
from playgrounds.kit.film import Film
from playgrounds.kit.metrics import metrics

CROSSING = 1.6628860772  # root of σ(x)(1 − σ(x)) = 1 − tanh²(x), by bisection in 50 digits
RACE = dict(activation="tanh", versus="sigmoid")
DEAD = dict(activation="ReLU", versus="none", bias=-3, rate=1, steps=100)


def f(name: str, z, leak: float = 0.1) -> np.ndarray:
    return ACTIVATIONS[name].f(np.asarray(z, float), leak)


def slope(name: str, z, leak: float = 0.1) -> np.ndarray:
    return ACTIVATIONS[name].slope(np.asarray(z, float), leak)


@pytest.mark.fact("tanh")
def test_the_crossing_of_two_slopes_is_found():
    assert crossings("sigmoid", "tanh", 0.1) == pytest.approx([-CROSSING, CROSSING], abs=1e-6)


@pytest.mark.fact("tanh")
def test_the_crossing_is_marked_in_the_picture_and_only_where_two_slopes_cross():
    def marks(**values) -> list[float]:
        p = Params(steps=10, **values)
        shapes = draw(p, list(run(p)), 0).shapes
        return [s["x0"] for s in shapes if s.get("xref") == "x2" and s["type"] == "line" and s["line"]["dash"] == "dot"]

    assert marks(**RACE) == pytest.approx([-1.6629, 1.6629])
    assert marks(activation="sigmoid", versus="none") == marks(activation="ReLU", versus="leaky ReLU") == []
    assert marks(activation="ReLU", versus="sigmoid") == [], "a jump is no crossing"


def minus(text: str) -> float:
    return float(text.strip("()").replace("−", "-"))


def test_the_note_of_a_step_writes_its_arithmetic_and_it_is_right():
    said = r"z = (\S+), f\(z\) = (\S+), error (\S+) − (\S+) = (\S+), times slope (\S+) = (\S+)\. Mean .*: "
    said += r"∂L/∂b = (\S+), b = (\S+) − (\S+) · (\S+) = (\S+), loss (\S+)\."
    p = Params(activation="tanh", versus="none", bias=-1.2)
    run_ = list(run(p))
    for i, (before, now) in enumerate(pairwise(run_[:15]), start=1):
        z, a, a2, y, error, k, product, g, b, rate, g2, b2, loss = map(
            minus, re.search(said, note(p, run_, i)).groups()
        )
        assert z == pytest.approx(before.b[0], rel=0.01) and a == a2 == pytest.approx(math.tanh(z), abs=0.005)
        assert error == pytest.approx(a - y, abs=0.006) and product == pytest.approx(error * k, rel=0.02)
        assert b - rate * g == pytest.approx(b2, abs=0.001) and g == g2 and b2 == pytest.approx(now.b[0], abs=1e-4)
        assert loss == pytest.approx(now.loss, rel=0.01) and (y, rate) == (0.5, 0.3)


def test_the_note_of_a_dead_neuron_says_that_nothing_moves_and_why():
    p = Params(**DEAD)
    told = note(p, list(run(p)), 7)
    assert (
        "slope 0 on all five examples, as z is at most −2.5" in told
        and "exactly ∂L/∂b = 0, b = −3 − 1 · 0 = −3" in told
    )
    p = Params(activation="GELU", versus="none", bias=10, rate=100)
    gelu = list(run(p))
    told = note(p, gelu, len(gelu) - 1)
    assert gelu[-1].gradient == 0 and "in floating-point numbers" in told and "exactly" not in told


def test_the_step_from_which_a_relu_is_leaky_is_told():
    p = Params(**DEAD | {"steps": 300}, rescue=100)
    run_ = list(run(p))
    assert "leaky from here on" in note(p, run_, 100) and "leaky from here on" not in note(p, run_, 101)


@pytest.mark.parametrize("now", [7, 100, 300])
def test_a_crawling_bias_is_seen_to_crawl(now):
    p = Params(activation="sigmoid", versus="none", bias=10, steps=300)
    run_ = list(run(p))
    old, rate, gradient, new = re.search(r"b = (\S+) − (\S+) · (\S+) = (\S+), loss", note(p, run_, now)).groups()
    change = float(rate) * float(gradient.replace("·10⁻⁵", "e-5"))
    assert 0 < change < 1e-5 and float(old) - float(new) == pytest.approx(change, rel=0.05)


def test_the_last_note_of_a_run_that_diverges_says_why_and_it_can_be_drawn():
    p = Params(activation="leaky ReLU", versus="ReLU", leak=1, rate=100)
    run_ = list(run(p))
    assert re.fullmatch(
        r"Step (\d+): diverged\. \|[wb]\| = \S+ is beyond 10¹²: .* rate 100; take a rate below 2\.",
        note(p, run_, len(run_) - 1),
    )
    film = Film(note, draw, p, p.length)
    film.extend(run_, True)
    assert b"Infinity" not in film.message() and b"NaN" not in film.message()


# ---------------------------------------------------------------------------------------------------------- the picture


def discs(fig: dict, panel: str) -> list[tuple[float, float]]:
    found = [s for s in fig["layout"]["shapes"] if s["type"] == "circle" and s["xref"] == panel]
    return [(s["xanchor"], s["yanchor"]) for s in found if s["x1"] > 4]  # targets are smaller


@pytest.mark.parametrize("now", [0, 20, 60])
def test_every_example_is_a_dot_on_the_curve_and_a_dot_on_its_slope(now):
    p = Params(activation="GELU", versus="tanh", steps=60)
    fig = draw(p, list(run(p)), now).figure()
    for panel, value in (("x", f), ("x2", slope)):
        dots = discs(fig, panel)
        assert len(dots) == 10
        for i, (z, height) in enumerate(dots):
            assert height == pytest.approx(float(value(("GELU", "tanh")[i // 5], z)), abs=1e-3)


def test_after_the_rescue_the_dots_are_on_the_leaky_curve_which_was_drawn_from_the_start():
    p = Params(**DEAD, rescue=40)
    run_ = list(run(p))
    before, after = (draw(p, run_, now).figure() for now in (39, 60))
    assert [t["name"] for t in before["data"]] == [t["name"] for t in after["data"]]
    assert "leaky ReLU" in {t["name"] for t in before["data"]}
    assert all(height == 0 for _, height in discs(before, "x2"))
    assert all(height == 0.1 for _, height in discs(after, "x2"))


@pytest.mark.parametrize("values", [dict(bias=0.0, weight=0.0), dict(bias=2.0, weight=1.0)])
def test_the_product_of_slopes_falls_by_the_same_factor_at_every_layer(values):
    p = Params(activation="sigmoid", versus="none", **values)
    run_ = list(run(p))
    (path,) = [s["path"] for s in draw(p, run_, 0).shapes if s["type"] == "path"]
    points = np.array([[float(v) for v in part.split(",")] for part in path[1:].split("L")])
    assert list(points[:, 0]) == list(range(11)) and points[-1, 1] == pytest.approx(run_[0].ten_slopes, rel=1e-4)
    assert points[1:, 1] / points[:-1, 1] == pytest.approx(run_[0].slopes.mean(), rel=1e-4)


@pytest.mark.parametrize("preset", PRESETS, ids=lambda preset: preset.name)
def test_the_presets_end_as_they_say(preset):
    *_, end = run(Params(**preset.values))
    assert reached(preset.reach, metrics(end))
