"""Softmax: what it keeps, what it ignores, where the naive formula breaks, and a classifier that learns with it."""

import math
import re
from functools import cache
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from playgrounds.kit.figures import short
from playgrounds.kit.nn import cross_entropy, softmax
from playgrounds.kit.palette import SHADES
from playgrounds.softmax import picture
from playgrounds.softmax.arithmetic import failure, naive_problem
from playgrounds.softmax.model import Params, State, naive_softmax, parse, points_of, run, three_blobs

NAIVE, STABLE = range(2)  # rows of chips
SCORES = st.lists(st.floats(-50, 50), min_size=2, max_size=6).map(np.array)


@cache
def states(**values) -> tuple[State, ...]:
    return tuple(run(Params(**values)))


def last(**values) -> State:
    return states(**values)[-1]


def typed(logits: str, **values) -> State:
    return last(scores="typed", logits=logits, **values)


def told(step: int = -1, **values) -> str:
    """The note of a state of a run, of the last unless another is named."""
    played = states(**values)
    return picture.note(Params(**values), played, step % len(played))


def drawn(step: int = -1, **values) -> dict[str, Any]:
    """The figure of a state of a run, of the last unless another is named."""
    played = states(**values)
    return picture.draw(Params(**values), played, step % len(played)).figure()


def shares(row: int, **values) -> list[str]:
    """What the last figure of a run says below the chips of a row."""
    return [sub.split(" = ")[1] for sub in drawn(**values)["chips"][row]["subs"]]


def bars(panel: str, step: int = -1, **values) -> list[dict]:
    """The bars in a panel of a figure, of the last unless another is named."""
    figure = drawn(step, **values)
    suffix = next(one["suffix"] for one in figure["panels"] if one["name"] == panel)
    shapes = [shape for shape in figure["layout"]["shapes"] if shape["xref"] == f"x{suffix}"]
    return [shape for shape in shapes if shape["type"] == "rect" and shape["x0"] != shape["x1"]]


# ------------------------------------------------------------------------------------------ the constant


@pytest.mark.fact("softmax")
@pytest.mark.parametrize(("logits", "shift"), [("1, 2, 3", 0), ("1, 2, 3", 1000), ("1001 1002 1003", 0)])
def test_one_two_three_and_a_thousand_more_give_the_same_probabilities(logits, shift):
    values = dict(scores="typed", logits=logits, shift=shift)
    assert shares(STABLE, **values) == ["0.0900", "0.2447", "0.6652"]
    assert [float(bar["y1"]) for bar in bars("p", **values)] == [short(q) for q in softmax(np.array([1.0, 2, 3]))]
    assert last(**values).largest_probability == pytest.approx(0.66524, abs=1e-5)
    assert "p = (0.09, 0.245, 0.665)" in told(**values)


@pytest.mark.fact("softmax")
@settings(deadline=None, max_examples=60)
@given(SCORES, st.integers(-2000, 2000))
def test_a_constant_added_to_all_scores_changes_no_probability(z, c):
    assert np.allclose(softmax(z + c), softmax(z), rtol=0, atol=1e-12)


@pytest.mark.fact("softmax")
@settings(deadline=None, max_examples=60)
@given(SCORES)
def test_it_is_torchs_softmax_sums_to_one_and_keeps_the_order_of_the_scores(z):
    import torch

    q = softmax(z)
    assert np.allclose(q, torch.softmax(torch.from_numpy(z), -1).numpy(), rtol=0, atol=1e-12)
    assert q.sum() == pytest.approx(1, abs=1e-12) and (q > 0).all()
    order = np.argsort(z, kind="stable")
    assert (np.diff(q[order]) >= 0).all()


@pytest.mark.fact("softmax")
def test_doubling_the_scores_is_halving_the_temperature_and_changes_the_probabilities():
    double, cold = typed("2, 4, 6"), typed("1, 2, 3", temperature=0.5)
    assert double.largest_probability == cold.largest_probability == pytest.approx(0.8668, abs=5e-5)
    assert typed("1, 2, 3").largest_probability == pytest.approx(0.6652, abs=5e-5)


# ------------------------------------------------------------------------------------------------- naive and stable


@pytest.mark.fact("softmax")
def test_the_naive_formula_in_float32_breaks_between_88_and_89():
    assert naive_softmax(np.array([88.0])) == 1
    assert np.isnan(naive_softmax(np.array([89.0])))
    assert shares(NAIVE, scores="typed", logits="87, 88") == ["0.2689", "0.7311"]
    assert shares(NAIVE, scores="typed", logits="87, 89") == ["0.0000", "nan"]
    assert shares(STABLE, scores="typed", logits="87, 89") == ["0.1192", "0.8808"]
    assert shares(STABLE, scores="typed", logits="0, 200") == ["0.0000", "1.0000"], "it is the largest that must go"


@pytest.mark.fact("softmax")
@settings(deadline=None, max_examples=60)
@given(SCORES, st.integers(-2000, 2000))
def test_the_stable_formula_needs_no_more_than_float32_and_the_naive_one_is_called_wrong_just_when_it_is(z, c):
    exact = softmax(z)
    rounding = 4 * np.spacing(np.float32(np.abs(z + c).max() + 1))
    assert np.allclose(softmax((z + c).astype(np.float32)), exact, rtol=0, atol=float(rounding))
    naive = naive_softmax(z + c)
    if naive_problem(z + c):
        assert not np.allclose(naive, exact, atol=0.01)
    elif c > -30:  # further down exp is not 0 yet, but has lost its digits
        assert np.allclose(naive, exact, rtol=0, atol=float(rounding))


@pytest.mark.parametrize(
    ("u", "why"),
    [
        ([0, 0, 100], "exp(100) = ∞ and ∞/∞ is nan"),
        ([-200, -201, -202], "exp(−200) = 0 and 0/0 is nan"),
        ([88.5, 88.5, 88.5], "add up to ∞"),
        ([88, 1, 2], ""),
        ([-100, 0, 5], ""),
    ],
)
def test_what_is_said_about_the_naive_formula_names_its_cause(u, why):
    assert why in naive_problem(np.array(u, float)) and bool(why) == bool(naive_problem(np.array(u, float)))


@pytest.mark.fact("softmax")
@pytest.mark.parametrize("c", [-200, 100, 2000])
def test_with_any_constant_the_stable_training_is_the_same(c):
    plain, shifted = states(steps=60), states(steps=60, shift=c)
    assert len(plain) == len(shifted) == 61
    for a, b in zip(plain, shifted, strict=True):
        assert b.loss == pytest.approx(a.loss, abs=1e-10) and b.largest_probability == pytest.approx(
            a.largest_probability, abs=1e-10
        )
        assert np.allclose(b.z - c, a.z, rtol=0, atol=1e-9)
    for panel in ("scores", "p"):
        ends = [[bar["y1"] for bar in bars(panel, steps=60, shift=shift)] for shift in (0, c)]
        assert np.allclose(*ends, rtol=0, atol=1e-4), "and the bars stand as before, from c on"


@pytest.mark.fact("softmax")
@pytest.mark.parametrize("seed", range(5))
def test_the_naive_training_ends_as_soon_as_a_score_passes_88(seed):
    values = {"training": "naive", "shift": 85, "seed": seed}
    *fine, end = states(**values)
    assert 10 < end.step < 60 and not math.isfinite(end.loss) and all(math.isfinite(s.loss) for s in fine)
    said = re.fullmatch(
        rf"Step {end.step}: the loss is no longer finite. For one point exp\((\S*)\) .*∞.*", told(**values)
    )
    assert 88.5 < float(said[1]) < 90, "a little below 88.7 if two such exponentials add up"
    stable = states(shift=85, seed=seed)
    assert len(stable) == 201 and stable[-1].loss < 0.2
    assert stable[end.step - 1].loss == pytest.approx(fine[-1].loss, abs=1e-4), "until then they are the same"


@pytest.mark.parametrize(("c", "cause"), [(100, "= ∞ and ∞/∞"), (-200, "= 0 and 0/0"), (88, "add up to ∞")])
def test_the_naive_training_that_cannot_even_begin_says_why(c, cause):
    (only,) = states(training="naive", shift=c)
    assert only.step == 0 and not math.isfinite(only.loss) and cause in told(training="naive", shift=c)


def test_a_vanished_probability_of_the_right_class_is_told_from_an_overflow():
    z, y = np.array([[0.0, 80, 3], [1, 2, 3], [-40, 80, 3]]), np.array([1, 2, 0])
    assert naive_softmax(z)[2, 0] == 0 and cross_entropy(z, y) == pytest.approx((0 + 0.4076 + 120) / 3, abs=1e-4)
    said = failure(7, z, y)
    assert "Step 7" in said and "120 below the largest score" in said and "−ln 0 is ∞" in said


# --------------------------------------------------------------------------------------------------------- temperature


@pytest.mark.fact("softmax")
def test_a_low_temperature_gives_the_largest_score_everything_and_a_high_one_everybody_the_same():
    cold, hot = typed("1, 2, 3", temperature=0.05), typed("1, 2, 3", temperature=20.0)
    assert cold.largest_probability > 1 - 1e-8 and cold.entropy < 1e-6
    assert hot.largest_probability == pytest.approx(1 / 3, abs=0.02)
    assert hot.entropy == pytest.approx(math.log(3), abs=1e-3)
    tied = typed("3, 1, 3", temperature=0.05)
    assert tied.largest_probability == pytest.approx(0.5), "of two largest scores each gets a half"
    assert np.allclose(softmax(np.array([1, 2, 3]) / 1e6), 1 / 3, atol=1e-6)


@pytest.mark.fact("softmax")
def test_entropy_grows_with_the_temperature_and_the_order_stays():
    z = np.array([1.3, -0.4, 0.9])
    found = [typed("1.3, -0.4, 0.9", temperature=t) for t in (0.05, 0.2, 0.5, 1.0, 2.0, 5.0, 20.0)]
    assert (np.diff([s.entropy for s in found]) > 0).all() and (
        np.diff([s.largest_probability for s in found]) < 0
    ).all()
    assert all((np.argsort(softmax(z / t)) == np.argsort(z)).all() for t in picture.TEMPERATURES)


@pytest.mark.fact("softmax")
def test_the_temperature_moves_no_boundary_and_no_loss():
    figures = {t: drawn(temperature=t, steps=40) for t in (0.1, 1.0, 10.0)}
    classes = [fig["fields"][0]["z"] // SHADES for fig in figures.values()]
    same = [(one == classes[0]).mean() for one in classes]
    assert min(same) > 0.99, "but for cells of which no class is sure"
    assert len({last(temperature=t, steps=40).loss for t in figures}) == 1
    certain = [(fig["fields"][0]["z"] % SHADES).mean() for fig in figures.values()]
    assert certain[0] > 1.2 * certain[1] and certain[1] > 1.2 * certain[2], (
        "but hotter, the plane is less certain everywhere"
    )


def test_the_curves_cross_the_readers_temperature_where_the_bars_end():
    values = dict(scores="typed", logits="1, 2, 3", temperature=float(picture.TEMPERATURES[26]))
    shapes = drawn(**values)["layout"]["shapes"]
    curves = [s["path"] for s in shapes if s["type"] == "path"]
    at = [float(path[1:].split("L")[26].split(",")[1]) for path in curves]
    assert at == [bar["y1"] for bar in bars("p", **values)] and len(at) == 3


# ------------------------------------------------------------------------------------------------------------ training


@pytest.mark.fact("softmax")
@settings(deadline=None, max_examples=30)
@given(SCORES, st.integers(0, 5))
def test_the_gradient_of_the_cross_entropy_at_the_scores_is_p_minus_y(z, right):
    import torch

    right = min(right, len(z) - 1)
    scores = torch.tensor(z, requires_grad=True)
    loss = torch.nn.functional.cross_entropy(scores[None], torch.tensor([right]))
    loss.backward()
    assert np.allclose(softmax(z) - np.eye(len(z))[right], scores.grad.numpy(), rtol=0, atol=1e-12)
    assert cross_entropy(z[None], np.array([right])) == pytest.approx(loss.item(), abs=1e-12)


@pytest.mark.fact("softmax")
def test_the_losses_are_those_of_torchs_linear_layer_cross_entropy_and_autograd():
    import torch

    p = Params(steps=60, rate=2.0, spread=0.4)
    x, y = three_blobs(p.spread, np.random.default_rng(p.seed))
    layer = torch.nn.Linear(2, 3, dtype=torch.float64)
    for q in layer.parameters():
        torch.nn.init.zeros_(q)
    for state in run(p):
        layer.zero_grad()
        loss = torch.nn.functional.cross_entropy(layer(torch.from_numpy(x)), torch.from_numpy(y))
        assert state.loss == pytest.approx(loss.item(), abs=1e-12)
        loss.backward()
        for q in layer.parameters():
            q.data -= p.rate * q.grad


@pytest.mark.fact("softmax")
@pytest.mark.parametrize("seed", range(3))
def test_it_starts_at_the_log_of_three_and_comes_to_the_best_linear_classifier(seed):
    from sklearn.linear_model import LogisticRegression

    found = states(spread=0.4, rate=10.0, steps=1000, seed=seed)
    assert found[0].loss == pytest.approx(math.log(3)) and found[0].accuracy == pytest.approx(1 / 3)
    assert found[0].entropy == pytest.approx(math.log(3))
    x, y = found[0].x, found[0].y
    best = LogisticRegression(C=1e9, tol=1e-10, max_iter=2000).fit(x, y)
    least = -np.log(best.predict_proba(x)[np.arange(len(y)), y]).mean()
    assert least - 1e-9 <= found[-1].loss < least + 0.002
    assert found[-1].accuracy == pytest.approx(best.score(x, y), abs=0.011)


@pytest.mark.parametrize("step", [3, 100, 200])
@pytest.mark.parametrize("seed", [1, 5])
def test_a_region_holds_just_the_cells_where_its_class_has_the_largest_probability(seed, step):
    field = drawn(step, seed=seed)["fields"][0]
    state = states(seed=seed)[step]
    q = softmax(picture.PLANE @ state.W.T + state.b)
    assert field["scale"] == "classes" and field["z"].shape == (60, 60)
    assert (field["z"].ravel() // SHADES == q.argmax(axis=1)).all()
    assert np.corrcoef(field["z"].ravel() % SHADES, q.max(axis=1))[0, 1] > 0.99, "the surer, the stronger its colour"


def test_before_training_the_whole_plane_is_neutral():
    assert (drawn(0)["fields"][0]["z"] == 0).all()


def test_the_readers_point_gets_its_probabilities_at_the_temperature():
    warm, hot = last(temperature=1.0), last(temperature=4.0)
    assert (warm.z == hot.z).all() and hot.largest_probability == softmax(warm.z / 4).max() < warm.largest_probability
    assert hot.entropy > warm.entropy


def test_the_readers_point_gets_the_scores_of_its_place():
    for x, y, k in ((-0.6, -0.4, 0), (0.6, -0.4, 1), (0.0, 0.65, 2)):
        state = last(x=x, y=y)
        assert np.allclose(state.z, state.W @ (x, y) + state.b) and state.z.argmax() == k
        assert state.largest_probability > 0.9 and state.largest_probability == softmax(state.z).max()


def test_the_note_writes_the_softmax_out_as_one_would_on_paper():
    for values in ({}, {"temperature": 0.5}, {"shift": 3}, {"shift": 500}, {"shift": -150}):
        state = last(**values)
        note = told(**values)
        said = re.findall(r"exp\((−?[\d.]+)(?:/([\d.]+))?\) = ([\d.]+)", note.partition("it is")[2] or note)
        assert len(said) == 3
        for z, t, e in said:
            assert math.exp(float(z.replace("−", "-")) / float(t or 1)) == pytest.approx(float(e), rel=0.008)
        total, p = re.search(r"sum ([\d.]+), p = \((.*)\)", note).groups()
        assert float(total) == pytest.approx(sum(float(e) for *_, e in said), rel=0.008)
        exact = softmax(state.z / values.get("temperature", 1))
        assert [float(q) for q in p.split(", ")] == pytest.approx(list(exact), rel=0.006)


# ---------------------------------------------------------------------------------------------------------- own points


def own(points: str, **values) -> State:
    return last(data="own", points=points, **values)


@pytest.mark.fact("softmax")
def test_its_own_three_classes_in_a_row_are_separated_which_no_line_for_the_middle_one_could():
    from sklearn.linear_model import Perceptron

    state = last(data="own")
    x, y = state.x, state.y
    assert (np.bincount(y) == 4).all() and state.accuracy == 1
    alone = Perceptron(max_iter=1000, tol=None, random_state=0).fit(x, y == 1)
    assert alone.score(x, y == 1) < 1


@pytest.mark.fact("softmax")
def test_the_regions_of_a_linear_softmax_have_no_hole_so_a_class_within_a_ring_is_lost():
    for rate, steps in ((0.3, 400), (1.0, 200), (1.0, 1000), (3.0, 200)):
        state = own(picture.AROUND, rate=rate, steps=steps)
        x, y = state.x, state.y
        assert (x @ state.W.T + state.b).argmax(axis=1).tolist() == [1] * 12 + [2] * 4, (
            "the ring has swallowed its middle"
        )
        assert state.accuracy == 0.75 and np.bincount(y).tolist() == [4, 8, 4]


def test_a_class_of_which_there_are_no_points_loses_nearly_all_its_probability():
    x, y = points_of(Params(data="own", points="-0.5,0,0\n0.5,0,1"))
    assert x.tolist() == [[-0.5, 0], [0.5, 0]] and y.tolist() == [0, 1] and y.dtype.kind == "i"
    state = own("-0.5,0,0\n0.5,0,1", rate=10.0)
    assert softmax(x @ state.W.T + state.b)[:, 2].max() < 0.02 and own("-0.5,0,0\n0.5,0,1").accuracy == 1


def test_the_readers_points_are_no_matter_of_the_seed_or_the_spread_and_the_blobs_not_of_the_points():
    assert last(data="own", seed=5, spread=0.6, steps=20).loss == last(data="own", steps=20).loss
    assert last(points="0,0,0", steps=20).loss == last(steps=20).loss
    shown = {k for k, one in Params.knobs().items() if one.when is None or one.when(Params(data="own"))}
    assert {"data", "points", "x", "training"} <= shown and not {"spread", "seed", "logits"} & shown
    assert "points" not in {k for k, one in Params.knobs().items() if one.when is None or one.when(Params())}


@pytest.mark.parametrize("values", [{}, {"training": "naive", "shift": 100}])
def test_without_points_there_is_one_state_that_says_so(values):
    values = {"data": "own", "points": "", **values}
    (only,) = states(**values)
    assert "There are no points yet" in told(**values) and Params(**values).length == 1
    assert only.entropy == pytest.approx(math.log(3)) and only.loss is None and only.accuracy is None
    assert drawn(**values)["chips"]


def test_the_naive_training_breaks_on_own_points_too():
    *_, end = states(data="own", training="naive", shift=86)
    assert 0 < end.step < 60 and not math.isfinite(end.loss)


# ------------------------------------------------------------------------------------------------------------ by hand


@pytest.mark.fact("softmax")
def test_sigmoids_of_the_same_scores_need_not_sum_to_one_so_several_labels_can_be_true():
    values = dict(scores="typed", logits="5, 5, -5")
    sigmoids = [bar["y1"] for bar in bars("sigmoid", **values)]
    assert sigmoids == pytest.approx([0.9933, 0.9933, 0.0067], abs=5e-5) and sum(sigmoids) > 1.9
    assert max(map(float, shares(STABLE, **values))) < 0.5001


@pytest.mark.fact("softmax")
def test_typed_scores_get_the_loss_and_the_gradient_of_the_right_class():
    state = typed("1, 2, 3", right=2)
    assert state.loss == pytest.approx(-math.log(0.66524), abs=1e-5) and state.accuracy == 1
    assert told(scores="typed", logits="1, 2, 3", right=2).endswith("p − y = (0.09, 0.245, −0.335).")
    assert typed("1, 2, 3", right=0).loss == pytest.approx(2.4076, abs=1e-4)
    assert typed("1, 2, 3", right=0).accuracy == 0
    assert typed("1, 2, 3", right=0, temperature=0.5).loss == pytest.approx(typed("2, 4, 6", right=0).loss)
    assert typed("1, 2, 3", right=5).loss == state.loss, "of three classes the last one is meant"


def test_typed_scores_are_taken_through_softmax_in_five_stages():
    values = {"scores": "typed", "logits": "1, 2, 3", "shift": 1000, "temperature": 0.5}
    assert [state.step for state in states(**values)] == [0, 1, 2, 3, 4]
    said = ["(1001, 1002, 1003), c = 1000", "(2002, 2004, 2006)", "2006: (−4, −2, 0)", "exp(−4) = 0.0183", "0.867"]
    for stage, part in enumerate(said):
        assert part in told(stage, **values)
    assert "exp(2006) = ∞ and ∞/∞ is nan in float32" in told(3, **values)
    for panel, since in {"scores": 0, "below": 2, "exp": 3, "p": 4}.items():
        for stage in range(5):
            boxes = bars(panel, stage, **values)
            assert any(bar["y1"] for bar in boxes) == (stage >= since) and len(boxes) == 3


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "here are 0"),
        ("7", "here are 1"),
        ("1,2,3,4,5,6,7", "here are 7"),
        ("1, two, 3", "Score 2 of 3, two, is not a number"),
        ("1, 2, nan", "Score 3 of 3, nan, is not a number"),
        ("1e9 0", "Score 1 of 2, 1e9, is too large"),
        ("<b>, 1", "Score 1 of 2, ·b·, is not a number"),
    ],
)
def test_a_text_without_scores_gets_one_sentence_that_says_which_of_them_is_wrong(text, said):
    values = {"scores": "typed", "logits": text}
    (only,) = states(**values)
    assert said in told(**values) and Params(**values).length == 1
    assert only.loss is None and drawn(**values)["chips"] == []


@pytest.mark.parametrize("text", ["1, −2.5, 3e1", "1 -2.5 30", "1;-2.5;30", " 1,-2.5,\n30, "])
def test_scores_may_be_separated_as_one_likes(text):
    assert parse(text).tolist() == [1, -2.5, 30]


def test_the_loss_of_a_certain_class_is_0_and_not_minus_0():
    state = typed("800, 2, -900", temperature=0.05)
    assert math.copysign(1, state.loss) == 1 and state.loss == 0
    assert "−ln 1 = 0 and" in told(scores="typed", logits="800, 2, -900", temperature=0.05)
