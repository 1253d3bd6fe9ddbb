"""The perceptron: what a mistake changes, when that stops, how many there can be, and what a line cannot do."""

import re
from functools import cache
from itertools import pairwise, product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from playgrounds.kit.film import Film
from playgrounds.kit.palette import BLUE, INK, ORANGE
from playgrounds.perceptron.model import GATES, OWN, Params, State, learn, most_mistakes, run, sample, widest
from playgrounds.perceptron.picture import draw, halves, note

BITS = ("0 and 1", "−1 and 1")
STUBBORN = ("XOR", "XNOR")
SEEDS = range(8)
XOR = "-0.5,-0.5,0\n-0.5,0.5,1\n0.5,-0.5,1\n0.5,0.5,0"
CROWD = "\n".join(f"{x / 10:g},{y / 10:g},{(x + y) % 2}" for x in range(-10, 10) for y in range(-5, 5))


@cache
def played(**values) -> list[State]:
    return list(filter(None, run(Params(**values))))


def gate(name: str = "XOR", **values) -> list[State]:
    return played(data="gate", gate=name, **values)


def own(text: str, **values) -> list[State]:
    return played(data="own", points=text, **values)


def told(state: State, **values) -> str:
    """The note of a state of such a run: it needs no other state."""
    return note(Params(**values), [state], 0)


def augmented(p: Params) -> np.ndarray:
    """The rows y·(x, 1)."""
    x, y = sample(p)
    return y[:, None] * np.column_stack([x, np.ones(len(x))])


# ---------------------------------------------------------------------------------------------------- the learning rule


RUNS = [
    dict(),
    dict(start="random", order="shuffled", rate=0.2, seed=3),
    dict(data="gate", gate="AND"),
    dict(data="gate", start="random", rate=0.1, seed=2),
    dict(data="gate", gate="x1 OR NOT x2", bits="−1 and 1", rate=2.0),
]
some_runs = pytest.mark.parametrize("values", RUNS, ids=lambda values: "-".join(map(str, values.values())) or "default")


@pytest.mark.fact("perceptron")
@some_runs
def test_a_mistake_adds_eta_y_x_to_w_and_eta_y_to_b_and_is_a_point_not_on_its_own_side(values):
    p, states = Params(**values), played(**values)
    assert len(states) > 3
    for old, new in pairwise(states[:-1]):
        (x, y), i = new.points, new.mistaken
        assert (old.w == new.before).all() and new.mistakes == old.mistakes + 1
        assert y[i] * (old.w[:2] @ x[i] + old.w[2]) <= 1e-12
        assert np.allclose(new.w[:2], old.w[:2] + p.rate * y[i] * x[i], rtol=0, atol=1e-12)
        assert new.w[2] == pytest.approx(old.w[2] + p.rate * y[i], abs=1e-12)


@pytest.mark.fact("perceptron")
@some_runs
def test_points_on_the_right_side_change_nothing(values):
    p, states = Params(**values), played(**values)
    if p.order == "shuffled":
        return
    for old, new in pairwise(states[:-1]):
        (x, y), n = new.points, len(new.points[0])
        first, last = round(old.passes * n), round(new.passes * n)
        passed_over = [i % n for i in range(first, last - 1)]
        assert new.mistaken == (last - 1) % n
        assert all(y[i] * (old.w[:2] @ x[i] + old.w[2]) > -1e-12 for i in passed_over)


@pytest.mark.fact("perceptron")
@pytest.mark.parametrize(
    "values",
    [
        dict(rate=0.01, count=20),
        dict(margin=-0.2),
        dict(start="random", rate=0.3),
        dict(data="gate", gate="NAND", rate=0.5),
        dict(data="gate"),
        dict(data="gate", start="random"),
    ],
)
def test_after_some_passes_the_weights_are_those_of_scikit_learn(values):
    from sklearn.linear_model import Perceptron

    for seed, passes in product(range(3), (1, 2, 7)):
        p = Params(seed=seed, passes=passes, **values)
        (x, y), w_0 = sample(p), next(filter(None, run(p))).w
        *_, (_, _, v) = learn(p, augmented(p), w_0)
        theirs = Perceptron(eta0=p.rate, shuffle=False, tol=None, max_iter=passes)
        theirs.fit(x, y, coef_init=w_0[None, :2].copy(), intercept_init=w_0[2:].copy())
        assert np.allclose(w_0 + p.rate * v, [*theirs.coef_[0], *theirs.intercept_], rtol=0, atol=1e-9)
        *_, end = filter(None, run(p))
        assert end.cycle or (end.w == w_0 + p.rate * v).all()


@pytest.mark.fact("perceptron")
@pytest.mark.parametrize("values", [dict(), dict(data="gate", gate="OR"), dict(data="gate"), dict(margin=-0.1)])
def test_from_zero_eta_scales_the_weights_and_decides_no_mistake(values):
    one = played(rate=1.0, passes=30, **values)
    for rate in (0.01, 0.3, 10.0):
        other = played(rate=rate, passes=30, **values)
        assert [s.mistaken for s in other] == [s.mistaken for s in one]
        assert all(np.allclose(s.w, rate * t.w, rtol=1e-12, atol=0) for s, t in zip(other, one, strict=True))


@pytest.mark.fact("perceptron")
def test_from_random_weights_eta_does_matter():
    ends = [played(start="random", rate=rate)[-1].mistakes for rate in (0.01, 1.0)]
    assert ends[0] != ends[1]


# ---------------------------------------------------------------------------------------------- sixteen gates, one line


@pytest.mark.fact("perceptron")
def test_the_gates_are_all_sixteen_functions_of_two_bits_and_say_what_their_names_say():
    inputs = list(product((False, True), repeat=2))
    assert len(GATES) == 16 and set(GATES.values()) == {"".join(bits) for bits in product("01", repeat=4)}
    basic = {
        "AND": lambda a, b: a and b,
        "OR": lambda a, b: a or b,
        "XOR": lambda a, b: a != b,
        "NAND": lambda a, b: not (a and b),
        "NOR": lambda a, b: not (a or b),
        "XNOR": lambda a, b: a == b,
        "TRUE": lambda a, b: True,
        "FALSE": lambda a, b: False,
    }
    for name, truth in GATES.items():
        says = name.replace("AND", "and").replace("OR", "or").replace("NOT", "not")
        meant = basic.get(name) or (lambda a, b, says=says: eval(says, {"x1": a, "x2": b}))
        assert truth == "".join("01"[meant(a, b)] for a, b in inputs), name


@pytest.mark.fact("perceptron")
@pytest.mark.parametrize("bits", BITS)
def test_fourteen_of_the_sixteen_gates_are_separable_and_it_learns_exactly_those(bits):
    ends = {name: gate(name, bits=bits)[-1] for name in GATES}
    learned = {name for name, end in ends.items() if end.stopped}
    assert len(learned) == 14 and set(GATES) - learned == set(STUBBORN)
    assert all((end.gamma > 0) == (end.accuracy == 1) == (name in learned) for name, end in ends.items())


@pytest.mark.fact("perceptron")
@pytest.mark.parametrize("name", STUBBORN)
def test_xor_is_never_more_than_three_quarters_right_whatever_start_rate_and_order(name):
    reached = set()
    for bits, start, order, rate in product(BITS, ("zero", "random"), ("in turn", "shuffled"), (0.1, 1.0)):
        for seed in range(3):
            states = gate(name, bits=bits, start=start, order=order, rate=rate, seed=seed, passes=40)
            assert not states[-1].stopped
            reached.add(max(s.accuracy or 0 for s in states))
    assert max(reached) == 0.75


@pytest.mark.fact("perceptron")
def test_no_line_at_all_gets_four_corners_of_xor_right_and_some_get_three():
    angle, shift = np.meshgrid(np.linspace(0, 2 * np.pi, 361), np.linspace(-2, 2, 401))
    z = augmented(Params(data="gate"))
    right = sum(np.cos(angle) * a + np.sin(angle) * b + shift * c > 0 for a, b, c in z)
    assert right.max() == 3


@pytest.mark.fact("perceptron")
@pytest.mark.parametrize("values", [dict(), dict(bits="−1 and 1"), dict(start="random", rate=0.1)])
@pytest.mark.parametrize("name", STUBBORN)
def test_on_xor_the_weights_come_back_and_then_it_repeats_for_ever(name, values):
    p = Params(data="gate", gate=name, **values)
    states = list(filter(None, run(p)))
    assert states[-1].cycle == 4, "all four points are mistakes, once a pass or every other pass"
    # Without our stop, each mistake of a thousand passes is the one four before it, from the first return on.
    first = next(s.mistakes for s in states if s.cycle) - 4
    forever = [(i, tuple(v)) for _, i, v in learn(p.model_copy(update={"passes": 1000}), augmented(p), states[0].w)]
    assert len(forever) > 1900 and forever[-1][0] is None
    assert all(a == b for a, b in zip(forever[first:-5], forever[first + 4 : -1], strict=True))
    if first > 1:
        assert forever[first - 1] == forever[first + 3] and forever[first - 2] != forever[first + 2]


@pytest.mark.fact("perceptron")
def test_the_note_says_when_the_weights_are_back_and_after_which_mistake_they_were_the_same():
    knobs = {"data": "gate", "start": "random", "rate": 0.1}
    states = played(**knobs)
    back = next(s for s in states if s.cycle)
    said = re.search(
        r"are the same as after mistake (\d+), at the same point of the pass: .* for ever, 4", told(back, **knobs)
    )
    assert said and np.allclose(states[int(said[1])].w, back.w, atol=1e-12)
    assert states[int(said[1])].mistaken == back.mistaken
    assert len(states) - 2 == back.mistakes + 2 * 4, "two more rounds"
    for state in states[back.mistakes + 1 : -1]:
        twin = int(re.search(r"the same as after mistake (\d+)\.", told(state, **knobs))[1])
        assert np.allclose(states[twin].w, state.w, atol=1e-12)
    assert "for ever" in told(states[-1], **knobs) and "No line separates" in told(states[-1], **knobs)
    assert "the same as at the start, at the same point" in told(gate()[4], data="gate") and not gate()[4].w.any()


@pytest.mark.fact("perceptron")
def test_shuffling_the_points_does_not_help_xor():
    for seed in range(3):
        end = gate(order="shuffled", seed=seed)[-1]
        assert end.passes == 200 and end.mistakes > 400 and end.cycle == 0
        assert "never will" in told(end, data="gate", order="shuffled")


# ------------------------------------------------------------------------------------------- when it stops, how late


@pytest.mark.fact("perceptron")
@pytest.mark.parametrize("order", ["in turn", "shuffled"])
@pytest.mark.parametrize("start", ["zero", "random"])
def test_on_separable_points_it_stops_after_a_pass_without_a_mistake(start, order):
    for seed in SEEDS:
        p = Params(start=start, order=order, seed=seed)
        *_, before, end = filter(None, run(p))
        z = augmented(p)
        assert end.stopped == 1 and (z @ end.w > 0).all() and end.accuracy == 1
        assert end.passes == int(end.passes) and before.passes <= end.passes - 1
        assert (end.w == before.w).all() and note(p, [end], 0).startswith(f"Converged after {end.mistakes} mistake")
        more = list(learn(p.model_copy(update={"passes": 1}), z, end.w))
        assert [wrong for _, wrong, _ in more] == [None], "and another pass would change nothing"


@pytest.mark.fact("perceptron")
@settings(max_examples=120, deadline=None, derandomize=True)
@given(
    seed=st.integers(0, 9999),
    margin=st.sampled_from([0.02, 0.05, 0.1, 0.2, 0.5]),
    count=st.sampled_from([8, 20, 60]),
    rate=st.sampled_from([0.03, 1.0, 10.0]),
    start=st.sampled_from(["zero", "random"]),
    order=st.sampled_from(["in turn", "shuffled"]),
)
def test_there_are_never_more_mistakes_than_novikoffs_bound(**values):
    p = Params(passes=1000, **values)
    *_, end = filter(None, run(p))
    assert end.stopped and 0 <= end.mistakes <= end.bound


@pytest.mark.fact("perceptron")
def test_from_zero_the_bound_is_r_over_gamma_squared_and_gates_keep_it_too():
    for name, bits in product(GATES, BITS):
        end = gate(name, bits=bits)[-1]
        if end.gamma:
            x, _ = end.points
            assert end.bound == pytest.approx(((x**2).sum(axis=1).max() + 1) / end.gamma**2)
            assert end.mistakes <= end.bound
    assert gate("TRUE")[-1].bound == pytest.approx(3), "R² = 3 at (1, 1, 1), γ = 1 with w = (0, 0), b = 1"
    assert gate("AND")[-1].bound == pytest.approx(51) and gate("AND")[-1].gamma == pytest.approx(17**-0.5)


def test_the_bound_can_be_reached():
    z = np.array([[1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, 1.0]])  # orthogonal: each is a mistake, once
    gamma, best = widest(z)
    made = [wrong for _, wrong, _ in learn(Params(), z, np.zeros(3))]
    assert made == [0, 1, 2, None] and most_mistakes(z, np.zeros(3), 1.0, gamma, best) == pytest.approx(3)


@pytest.mark.fact("perceptron")
def test_a_bound_from_a_random_start_is_the_last_k_that_both_inequalities_allow():
    for seed in SEEDS:
        p = Params(start="random", rate=0.1, seed=seed)
        start, z = next(filter(None, run(p))), augmented(p)
        gamma, best = widest(z)
        radius = np.linalg.norm(z, axis=1).max()

        def possible(k, w=start.w, a=gamma, b=best, r=radius):
            return w @ b + k * 0.1 * a <= np.sqrt(w @ w + k * (0.1 * r) ** 2)

        assert possible(start.bound * (1 - 1e-9)) and not possible(start.bound * (1 + 1e-9))


@pytest.mark.fact("perceptron")
def test_a_narrow_margin_means_many_more_mistakes_and_still_fewer_than_the_bound():
    wide, narrow = ([played(margin=m, seed=s, passes=1000)[-1] for s in SEEDS] for m in (0.2, 0.01))
    assert np.median([s.mistakes for s in narrow]) > 10 * np.median([s.mistakes for s in wide])
    assert all(s.stopped and s.mistakes < s.bound for s in wide + narrow)


@pytest.mark.fact("perceptron")
def test_overlapping_classes_have_no_separating_line_and_are_never_learned():
    for seed in SEEDS:
        end = played(margin=-0.1, seed=seed, passes=60)[-1]
        assert (end.gamma, end.bound, end.stopped, end.passes) == (0, None, 0, 60)
        assert end.accuracy < 1 and "never will" in told(end)


def test_a_run_cut_short_says_that_more_passes_would_do():
    end = played(margin=0.01, passes=2)[-1]
    assert not end.stopped and end.gamma > 0 and "with more passes" in told(end)


# ------------------------------------------------------------------------------------------------------------ margins


@pytest.mark.fact("perceptron")
@pytest.mark.parametrize("margin", [0.02, 0.1, 0.5])
def test_the_margin_of_the_blobs_is_that_of_the_widest_line_and_no_point_is_nearer(margin):
    from sklearn.svm import SVC

    for seed in range(3):
        x, y = sample(Params(margin=margin, seed=seed, count=20))
        svm = SVC(kernel="linear", C=1e7, tol=1e-6).fit(x, y)
        assert 1 / np.linalg.norm(svm.coef_) == pytest.approx(margin, rel=1e-3)


@pytest.mark.fact("perceptron")
@pytest.mark.parametrize(
    "values", [dict(data="gate", gate="AND"), dict(margin=0.05, count=8), dict(margin=0.3, count=12)]
)
def test_gamma_is_the_margin_of_a_support_vector_machine_on_points_with_a_constant_input(values):
    from sklearn.svm import SVC

    for seed in range(2):
        z = augmented(Params(**{"count": 12, "seed": seed} | values))
        gamma, best = widest(z)
        # Points and their mirror images leave the machine no use for a bias of its own.
        svm = SVC(kernel="linear", C=1e7, tol=1e-6).fit(np.vstack([z, -z]), np.repeat([1, -1], len(z)))
        assert svm.intercept_[0] == pytest.approx(0, abs=1e-2)
        assert gamma == pytest.approx(1 / np.linalg.norm(svm.coef_), rel=1e-3)
        assert np.linalg.norm(best) == pytest.approx(1) and (z @ best).min() == pytest.approx(gamma, rel=1e-9)


@pytest.mark.parametrize("margin", [-0.3, 0.0, 0.5])
def test_all_points_are_within_the_picture(margin):
    low, high = draw(Params(), played(), 0).figure()["layout"]["xaxis"]["range"]
    for seed in range(200):
        x, y = sample(Params(margin=margin, seed=seed, count=100))
        assert low < x.min() and x.max() < high and (y == 1).sum() == (y == -1).sum() == 50


def test_widest_finds_no_margin_where_0_is_within_the_hull_or_on_it():
    cross = np.array([[1.0, 0, 0], [-1, 1, 0], [-1, -1, 0], [0, 0, 1], [0, 0, -1]])
    for z in (cross, cross[:3], np.array([[1.0, 2, 3], [-1, -2, -3]]), augmented(Params(margin=0.0))):
        assert widest(z)[0] == 0


@settings(max_examples=60, deadline=None, derandomize=True)
@given(st.integers(0, 10**6))
def test_no_direction_beats_the_widest_one(seed):
    rng = np.random.default_rng(seed)
    z = rng.normal(size=(12, 3)) + rng.normal(size=3) * 2
    gamma, best = widest(z)
    tries = rng.normal(size=(3000, 3)) + best * rng.uniform(0, 20)
    margins = (tries @ z.T).min(axis=1) / np.linalg.norm(tries, axis=1)
    assert margins.max() <= gamma + 1e-12
    assert gamma == 0 or (z @ best).min() == pytest.approx(gamma, rel=1e-9)


# ------------------------------------------------------------------------------------------------ the reader's points


@pytest.mark.fact("perceptron")
def test_own_points_are_learned_by_the_same_rule_class_0_as_minus_one():
    states = own(OWN)
    x, y = states[0].points
    assert x[0].tolist() == [-0.6, 0.1] and y.tolist() == [-1] * 4 + [1] * 5
    end = states[-1]
    assert end.stopped and (y * (x @ end.w[:2] + end.w[2]) > 0).all() and end.mistakes <= end.bound
    w, wrong = np.zeros(3), []
    for _ in range(20):
        for i, z in enumerate(y[:, None] * np.column_stack([x, np.ones(9)])):
            if w @ z <= 0:
                w, wrong = w + z, [*wrong, i]
    assert [s.mistaken for s in states[1:-1]] == wrong and np.allclose(end.w, w)


@pytest.mark.fact("perceptron")
def test_own_points_on_the_corners_of_xor_are_never_learned():
    end = own(XOR)[-1]
    assert (end.gamma, end.bound, end.stopped) == (0, None, 0) and end.best_accuracy <= 0.75
    assert end.passes == 200 and "no line separates" in told(end)


@pytest.mark.fact("perceptron")
def test_no_points_are_one_state_that_says_so_and_one_class_is_learned_by_the_bias():
    (state,) = own("", start="random")
    assert state.accuracy is None and state.gamma is None, "unknown"
    assert told(state).startswith("There are no points yet.") and len(state.points[0]) == 0
    assert Params(data="own", points="").length == 1 and Params(points="").length is None
    for text, b in (("0.3,0.4,1", 1), ("0.3,0.4,0\n-0.2,0.1,0", -1)):
        end = own(text)[-1]
        assert end.stopped and end.mistakes == 1 and end.w[2] == b


@pytest.mark.fact("perceptron")
@settings(max_examples=60, deadline=None, derandomize=True)
@given(st.lists(st.tuples(st.integers(-2, 2), st.integers(-2, 2), st.booleans()), min_size=1, max_size=9))
def test_a_line_is_found_to_exist_just_where_a_linear_programme_finds_one(rows):
    from scipy.optimize import linprog

    text = "\n".join(f"{x / 2:g},{y / 2:g},{int(c)}" for x, y, c in rows)  # many in a row, or twice in one place
    z = augmented(Params(data="own", points=text))
    feasible = linprog(np.zeros(3), A_ub=-z, b_ub=-np.ones(len(z)), bounds=[(None, None)] * 3).status == 0
    assert (widest(z)[0] > 0) == feasible


# ------------------------------------------------------------------------------------------------- pocket, film, notes


@pytest.mark.fact("perceptron")
def test_the_pocket_holds_the_line_that_had_most_points_right():
    for values in (dict(data="gate", start="random", rate=0.1), dict(margin=-0.2)):
        states = played(pocket=True, passes=40, **values)
        end = states[-1]
        assert np.mean(augmented(Params(**values)) @ end.best > 0) == end.best_accuracy
        assert end.best_accuracy == max(s.best_accuracy for s in states) > end.accuracy
        assert "The pocket holds that line" in told(end, pocket=True, **values)
        assert "pocket" not in told(played(passes=40, **values)[-1], **values)


def test_every_mistake_is_a_state_of_a_short_run_and_long_runs_are_thinned():
    states = played()
    assert [s.step for s in states] == [*range(len(states))] == [*(s.mistakes for s in states[:-1]), len(states) - 1]
    long = played(margin=-0.2)
    assert long[-1].mistakes > 1000 and 150 < len(long) <= 301
    assert long[-2].mistakes == long[-1].mistakes and {b.step - a.step for a, b in pairwise(long[:-2])} == {
        long[1].step
    }


@pytest.mark.fact("perceptron")
def test_the_arithmetic_in_a_note_is_right():
    knobs = {"data": "gate", "gate": "AND", "bits": "−1 and 1", "start": "random", "seed": 1, "rate": 0.1}
    third = played(**knobs)[1]
    numbers = r"\(([^,]+), ([^)]+)\)"
    said = re.search(
        rf"x = {numbers} with y = (−?1) .* w ← w \+ η·y·x = {numbers} \+ 0.1·\(?(−?1)\)?·{numbers} = {numbers}",
        told(third, **knobs),
    )
    x1, x2, y, w1, w2, sign, a1, a2, v1, v2 = (float(n.replace("−", "-")) for n in said.groups())
    assert y == sign and (x1, x2) == (a1, a2)
    assert (v1, v2) == pytest.approx((w1 + 0.1 * y * x1, w2 + 0.1 * y * x2), abs=1e-2)
    assert np.allclose(third.w[:2], (v1, v2), atol=6e-3)


def test_a_note_says_when_all_points_are_on_one_side():
    for state in gate("AND")[1:-1]:
        sides = np.sign(state.points[0] @ state.w[:2] + state.w[2])
        assert ("all on the side of y = −1" in told(state)) == (sides == -1).all()
        assert ("all on the side of y = 1" in told(state)) == (sides == 1).all()


@pytest.mark.fact("perceptron")
def test_a_correction_may_leave_its_point_wrong():
    notes = [told(s, start="random", rate=0.1) for s in gate(start="random", rate=0.1)]
    assert any("still wrong" in note for note in notes) and any("now right" in note for note in notes)


@pytest.mark.fact("perceptron")
@settings(max_examples=60, deadline=None, derandomize=True)
@given(st.lists(st.integers(-8, 8), min_size=3, max_size=3))
def test_the_boundary_is_a_straight_line_and_the_halves_lie_on_their_sides_of_it(w):
    w = np.array(w, float)
    positive, negative, ends = halves(w, -1.5, 1.5)
    value = lambda corners: np.array(corners).reshape(-1, 2) @ w[:2] + w[2]  # noqa: E731
    assert (value(positive) > -1e-12).all() and (value(negative) < 1e-12).all() and np.allclose(value(ends), 0)

    def area(corners):
        x, y = np.array(corners).reshape(-1, 2).T
        return abs(x @ np.roll(y, -1) - y @ np.roll(x, -1)) / 2 if len(x) else 0

    assert area(positive) + area(negative) == pytest.approx(9 if w.any() else 0)


def test_the_picture_rings_the_mistake_and_points_w_into_the_orange_half():
    states = gate("OR", start="random", seed=2, rate=0.3)
    assert len(states) > 2
    for now, state in enumerate(states):
        shapes = draw(Params(data="gate"), states, now).figure()["layout"]["shapes"]
        paths = [s for s in shapes if s["type"] == "path" and s["line"] == {"color": INK, "width": 3, "dash": "solid"}]
        rings = [np.array(re.findall(r"([-\d.e]+),([-\d.e]+)", s["path"]), float) for s in paths]
        assert len(rings) == (state.mistaken is not None)
        for ring in rings:
            distance = np.linalg.norm(ring - state.points[0][state.mistaken], axis=1)
            assert np.ptp(distance) < 1e-3 < distance.min(), "a circle around it"
        tints = [s["fillcolor"] for s in shapes if s.get("layer") == "below"]
        assert tints == [ORANGE, BLUE], "this line never leaves the picture"
        *_, shaft, head = [s for s in shapes if s["line"]["color"] == INK and s["xref"] == "x"]
        foot, tip = np.array([shaft["x0"], shaft["y0"]]), np.array([shaft["x1"], shaft["y1"]])
        assert foot @ state.w[:2] + state.w[2] == pytest.approx(0, abs=1e-3), "it stands on the line"
        assert (tip - foot) @ state.w[:2] == pytest.approx(np.linalg.norm(tip - foot) * np.linalg.norm(state.w[:2]))
        assert head["fillcolor"] == INK


@pytest.mark.parametrize(
    "values",
    [
        dict(margin=-0.3, count=100),
        dict(margin=0.005, count=100, rate=0.01, start="random"),
        dict(data="gate", order="shuffled", passes=1000),
        dict(data="gate", start="random", rate=0.01, passes=1000),
        dict(passes=1),
        dict(data="own", points=""),
        dict(data="own", points=CROWD),
    ],
)
def test_the_longest_runs_fit_a_film(values):
    p, states = Params(**values), played(**values)
    assert 1 <= len(states) <= 301
    film = Film(note, draw, p, p.length)
    film.extend(states, True)
    message = film.message()
    assert len(message) < 2 * 2**20 and b"NaN" not in message and b"Infinity" not in message
