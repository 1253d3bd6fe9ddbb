"""Reverse-mode differentiation on a tape: textbook numbers, PyTorch on random expressions, and what goes wrong."""

import math
import re
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import assume, given, settings

from playgrounds._expression import Mistake, leaves
from playgrounds.autograd import model
from playgrounds.autograd.model import (
    FUNCTIONS,
    OPERATIONS,
    Params,
    State,
    backward,
    central_differences,
    forward,
    gradient_of,
    keeps,
    run,
    tape_of,
)
from playgrounds.autograd.picture import PRESETS, note
from playgrounds.kit.conditions import reached
from playgrounds.kit.metrics import metrics
from tests.expressions import FLAT, NAMES, TREES, VALUES

RIGHT = ("reverse topological", "sum")


def states(expression: str, values: str = "", **more) -> list[State]:
    return list(run(Params(expression=expression, values=values, **more)))


def last(expression: str, values: str = "", **more) -> State:
    return states(expression, values, **more)[-1]


def notes(expression: str, values: str = "", **more) -> list[str]:
    p = Params(expression=expression, values=values, **more)
    told = list(run(p))
    return [note(p, told, now) for now in range(len(told))]


def gradient(expression: str, *at: float, order: str = RIGHT[0], fork: str = RIGHT[1]) -> list[float]:
    tape = tape_of(expression)
    return gradient_of(tape, list(backward(tape, forward(tape, at), order, fork)), fork)


def by_name(expression: str, of: tuple) -> dict[str, float | None]:
    """Something that a state has by node, by the nodes' names."""
    return {node.name: one for node, one in zip(tape_of(expression), of, strict=True) if node.name}


# ------------------------------------------------------------------------------------------------- random expressions


def by_torch(text: str, at: dict[str, float]) -> tuple[float, dict[str, float]]:
    """The output and the gradient of a text that Python itself evaluates on tensors."""
    import torch

    tensors = {name: torch.tensor(v, dtype=torch.float64, requires_grad=True) for name, v in at.items()}

    def function(name):
        return lambda v: getattr(torch, name)(torch.as_tensor(v, dtype=torch.float64))

    y = eval(text, {name: function(name) for name in FUNCTIONS} | tensors)
    y.backward()
    return y.item(), {name: 0.0 if t.grad is None else t.grad.item() for name, t in tensors.items()}


@pytest.mark.fact("automatic-differentiation")
@settings(max_examples=80, deadline=None, derandomize=True)
@given(TREES, VALUES)
def test_value_and_gradient_of_any_expression_are_those_of_pytorch(text, at):
    try:
        tape = tape_of(text)
    except Mistake:
        assume(False)
    given_at = [dict(zip(NAMES, at, strict=True))[tape[i].name] for i in leaves(tape)]
    values = forward(tape, given_at)
    assume(np.isfinite(values).all() and np.abs(values).max() < 1e4)
    visits = list(backward(tape, values, *RIGHT))
    through = [abs(g) for arrived in visits[-1].arrived for g in arrived] + [abs(s) for v in visits for s in v.slopes]
    assume(np.isfinite(through).all() and max(through) < 1e4)
    y, expected = by_torch(text, dict(zip(NAMES, at, strict=True)))
    scale = max(1.0, *through, *map(abs, values))
    assert values[-1] == pytest.approx(y, abs=1e-12 * scale)
    for i, g in zip(leaves(tape), gradient_of(tape, visits, "sum"), strict=True):
        assert g == pytest.approx(expected[tape[i].name], abs=1e-12 * scale)


@settings(max_examples=80, deadline=None, derandomize=True)
@given(FLAT, VALUES)
def test_signs_bind_as_they_do_in_python(parts, at):
    text = " ".join(f"{minus}{atom} {sign}" for minus, atom, sign in parts).rsplit(" ", 1)[0]
    try:
        expected = eval(text, dict(zip(NAMES, at, strict=True)))
        tape = tape_of(text)
    except (Mistake, ZeroDivisionError, OverflowError):
        assume(False)
    assume(isinstance(expected, float) and abs(expected) < 1e100)
    found = forward(tape, [dict(zip(NAMES, at, strict=True))[tape[i].name] for i in leaves(tape)])[-1]
    assert found == pytest.approx(expected, rel=1e-12)


@pytest.mark.fact("computational-graph")
@settings(max_examples=40, deadline=None, derandomize=True)
@given(TREES)
def test_inputs_come_before_what_uses_them_and_gradients_the_other_way_round(text):
    try:
        tape = tape_of(text)
    except Mistake:
        assume(False)
    assert all(j < i for i, node in enumerate(tape) for j in node.inputs)
    visited = [visit.node for visit in backward(tape, forward(tape, [1.5] * len(leaves(tape))), *RIGHT)][1:]
    assert sorted(visited) == [i for i, node in enumerate(tape) if node.inputs], "every operation once"
    for at, i in enumerate(visited):
        users = [n for n, node in enumerate(tape) if i in node.inputs]
        assert set(users) <= set(visited[:at]), "after all that use it"


# ------------------------------------------------------------------------------------------------ computational graph


@pytest.mark.fact("computational-graph")
def test_the_product_of_a_sum_is_minus_twelve_with_gradients_minus_four_minus_four_and_three():
    end = last("(x + y) * z", "x=-2, y=5, z=-4")
    assert end.output == -12
    assert by_name("(x + y) * z", end.gradients) == {"x": -4, "y": -4, "z": 3, "u₁": -4, "f": 1}
    assert end == last("(x + y) * z", "x=-2, y=5, z=-4"), "and it is the default"
    assert "∂f/∂x = −4, ∂f/∂y = −4 and ∂f/∂z = 3" in notes("(x + y) * z", "x=-2, y=5, z=-4")[-1]


@pytest.mark.fact("computational-graph")
def test_a_leaf_that_is_used_three_times_is_one_node_with_three_edges():
    tape = tape_of("x*x + x")
    assert [node.op for node in tape] == ["leaf", "*", "+"]
    assert sum(node.inputs.count(0) for node in tape) == 3


@pytest.mark.fact("computational-graph")
def test_gradients_fill_in_node_by_node_from_the_output_to_the_leaves():
    expression = "h = tanh(w*x + b); (h - t)**2"
    told = states(expression, "w=0.5, x=2, b=-0.3, t=1")
    operations = sum(bool(node.inputs) for node in tape_of(expression))
    assert len(told) == 1 + operations + 1 + operations + 1
    filled = [sum(g is not None for g in state.gradients) for state in told]
    assert filled == sorted(filled) and filled[0] == 0 and filled[operations + 1] == 1
    assert filled[-1] == len([node for node in tape_of(expression) if node.op != "number"])


# ------------------------------------------------------------------------------------------------------- forward pass


@pytest.mark.fact("forward-pass")
def test_the_same_inputs_give_the_same_values_twice():
    one, two = (states("sigmoid(w1*x1 + w2*x2 + b)", "w1=0.3, w2=-1.2, x1=2, x2=0.7, b=0.1") for _ in range(2))
    assert one == two and one[-1].output == pytest.approx(1 / (1 + math.exp(-(0.6 - 0.84 + 0.1))), abs=1e-15)


@pytest.mark.fact("forward-pass")
def test_values_fill_in_one_node_a_step_inputs_first():
    given = "(x + y) * z", "x=-2, y=5, z=-4"
    assert [sum(v is not None for v in state.values) for state in states(*given)[:3]] == [3, 4, 5]
    assert "−2 + 5 = 3" in notes(*given)[1] and "3 · (−4) = −12" in notes(*given)[2]


@pytest.mark.fact("forward-pass")
def test_a_multiply_keeps_both_inputs_and_an_add_keeps_none():
    product, total = tape_of("x*y"), tape_of("x + y")
    assert keeps(product, 2) == {0, 1} and keeps(total, 2) == set()
    assert last("x*y").kept_values == 2 and last("x + y").kept_values == 0
    assert "Nothing is kept" in notes("x + y")[1] and "x = −2 and y = 5" in notes("x*y", "x=-2, y=5")[1]


@pytest.mark.fact("forward-pass")
@pytest.mark.parametrize("text", ["x+y", "x-y", "x*y", "x/y", "x**y", "-x", "x*x", *(f"{f}(x)" for f in FUNCTIONS),
                                  "x+2", "3*x", "x/2", "x**2", "x-1"])  # fmt: skip
def test_each_operation_keeps_the_very_values_that_pytorch_saves(text):
    import torch

    at = {"x": 1.25, "y": 0.5}
    saved = []
    tensors = {name: torch.tensor(v, dtype=torch.float64, requires_grad=True) for name, v in at.items()}
    with torch.autograd.graph.saved_tensors_hooks(lambda t: saved.append(t.item()) or t, lambda t: t):
        eval(text, {name: getattr(torch, name) for name in FUNCTIONS} | tensors)
    tape = tape_of(text)
    values = forward(tape, [at[tape[i].name] for i in leaves(tape)])
    numbers = {node.constant for node in tape if node.op == "number"}  # PyTorch boxes some of them, we keep none
    assert {values[i] for i in keeps(tape, len(tape) - 1)} == set(saved) - numbers


@pytest.mark.fact("forward-pass")
def test_what_is_kept_grows_with_depth():
    texts = ["tanh(w*x)", "tanh(w*tanh(w*x))", "tanh(w*tanh(w*tanh(w*x)))"]
    assert [last(text).kept_values for text in texts] == [3, 4, 5]


# --------------------------------------------------------------------------------------------------------- chain rule


@pytest.mark.fact("chain-rule")
def test_the_slope_of_sin_x_squared_is_the_product_of_two_local_slopes_and_that_of_the_curve():
    end = last("sin(x**2)", "x=1.3")
    outer, inner = (visit.slopes[0] for visit in end.visits[1:])
    assert outer == pytest.approx(math.cos(1.69), abs=1e-15) and inner == pytest.approx(2.6, abs=1e-15)
    assert end.gradient == pytest.approx(2 * 1.3 * math.cos(1.3**2), abs=1e-15)
    assert end.gradient == outer * inner and end.gradient_error < 1e-9
    assert "the product (−0.119) · 2.6 of the local slopes" in notes("sin(x**2)", "x=1.3")[-1]


@pytest.mark.fact("chain-rule")
@pytest.mark.parametrize("op", OPERATIONS)
@pytest.mark.parametrize("at", [(0.7, 1.9), (2.3, -0.6), (1.1, 3.0)])
def test_every_local_slope_is_that_of_its_operation(op, at):
    f, slopes, needs = OPERATIONS[op]
    at = at[: len(needs)]
    for k, slope in enumerate(slopes(f(*at), *at)):
        up, down = (f(*(v + h * (n == k) for n, v in enumerate(at))) for h in (1e-6, -1e-6))
        assert slope == pytest.approx((up - down) / 2e-6, abs=1e-8, rel=1e-8)


@pytest.mark.fact("chain-rule")
def test_over_several_paths_the_products_are_summed():
    x = 0.8
    assert gradient("sin(x) * exp(x)", x) == [pytest.approx(math.exp(x) * (math.cos(x) + math.sin(x)), abs=1e-14)]


# ---------------------------------------------------------------------------------------------------- backpropagation


@pytest.mark.fact("backpropagation")
def test_a_value_that_is_used_three_times_sums_what_comes_back():
    end = last("x*x + x", "x=5")
    assert end.gradient == 11 and end.gradient_error < 1e-8
    assert "x: 1 + 5 + 5 = 11" in notes("x*x + x", "x=5")[-1]


@pytest.mark.fact("backpropagation")
@pytest.mark.parametrize("fork, wrong", [("mean", 11 / 3), ("overwrite", 5)])
def test_gradients_at_a_fork_that_are_averaged_or_overwritten_are_wrong(fork, wrong):
    end = last("x*x + x", "x=5", fork=fork)
    assert end.gradient == pytest.approx(wrong) and end.gradient_error == pytest.approx(11 - wrong)
    said = notes("x*x + x", "x=5", fork=fork)[-1]
    assert "central differences measure ∂f/∂x = 11; what comes back to x has to be summed" in said


@pytest.mark.fact("backpropagation")
@pytest.mark.parametrize("order, found", [(RIGHT[0], 4), ("depth-first", 2), ("forward", 0)])
def test_a_doubled_value_doubled_again_has_slope_four_unless_the_order_is_wrong(order, found):
    told = states("b = a + a; c = b + b", "a=3", order=order)
    assert told[-1].gradient == found and told[-1].output == 12
    said = notes("b = a + a; c = b + b", "a=3", order=order)
    assert ("Wrong" in said[-1]) == (found != 4)
    if found != 4:
        early = {2: "1 of 2", 0: "0 of 2"}[found]
        assert f"measure ∂c/∂a = 4; b was visited when {early} gradients had arrived" in said[-1]
        assert any(f"only {early} gradients so far: too early" in one for one in said)


@pytest.mark.fact("backpropagation")
def test_in_forward_order_only_what_feeds_the_output_directly_gets_a_gradient():
    assert gradient("x*x + x", 5.0, order="forward") == [1]
    assert gradient("(x + y) * z", -2.0, 5.0, -4.0, order="forward") == [0, 0, 3]


@pytest.mark.fact("backpropagation")
def test_one_sweep_visits_each_operation_once_where_differences_run_the_graph_twice_for_each_leaf(monkeypatch):
    text = "tanh(w1*x1 + w2*x2 + w3*x3 + b)"
    tape, calls = tape_of(text), []
    operations = [i for i, node in enumerate(tape) if node.inputs]
    monkeypatch.setattr(model, "evaluate", lambda tape, i, values: calls.append(i) or 0.5)
    central_differences.__wrapped__(tape, (0.5,) * 7)
    assert len(calls) == 2 * 7 * len(operations)
    monkeypatch.undo()
    values = forward(tape, [0.5] * 7)
    assert len(list(backward(tape, values, *RIGHT))) - 1 == len(operations)
    assert last(text).sweeps == 1 and last(text).difference_passes == 14
    assert "with 14 forward passes, 2 for each leaf" in notes(text)[-1]


@pytest.mark.fact("backpropagation")
def test_notes_write_upstream_times_local_slope():
    told = notes("(x + y) * z", "x=-2, y=5, z=-4")
    assert "upstream 1; u₁ gets 1 · (−4) = −4 and z gets 1 · 3 = 3." in told[4]
    assert "upstream −4; x gets −4 · 1 = −4 and y gets −4 · 1 = −4." in told[5]


# ------------------------------------------------------------------------------------------- automatic differentiation


@pytest.mark.fact("automatic-differentiation")
@pytest.mark.parametrize("zero", [False, True])
def test_a_second_call_of_backward_adds_unless_the_gradient_was_zeroed(zero):
    import torch

    w = torch.tensor(3.0, dtype=torch.float64, requires_grad=True)
    y = w**2
    for calls in (1, 2, 3):
        if zero:
            w.grad = None
        y.backward(retain_graph=True)
        end = last("w**2", "w=3", backwards=calls, zero_grad=zero)
        assert end.gradient == w.grad.item() == (6 if zero else 6 * calls) and end.sweeps == calls
    said = notes("w**2", "w=3", backwards=3, zero_grad=zero)[-1]
    assert ("w.grad = 12 + 6 = 18" in said) == (not zero) and ("w.grad = 0 + 6 = 6" in said) == zero


@pytest.mark.fact("automatic-differentiation")
@pytest.mark.parametrize("zero", [False, True])
def test_gradient_steps_are_those_of_sgd_with_and_without_zero_grad(zero):
    import torch

    text, at = "h = tanh(w*x + b); (h - t)**2", {"w": 0.5, "x": 2.0, "b": -0.3, "t": 1.0}
    tensors = {name: torch.tensor(v, dtype=torch.float64, requires_grad=True) for name, v in at.items()}
    told = [s for s in states(text, "w=0.5, x=2, b=-0.3, t=1", steps=12, rate=0.2, zero_grad=zero) if s.sweeps]
    for state in told:
        if zero:
            for t in tensors.values():
                t.grad = None
        y = (torch.tanh(tensors["w"] * tensors["x"] + tensors["b"]) - tensors["t"]) ** 2
        y.backward()
        assert state.output == pytest.approx(y.item(), abs=1e-12)
        found = by_name(text, state.gradients)
        assert all(found[name] == pytest.approx(t.grad.item(), abs=1e-12) for name, t in tensors.items())
        with torch.no_grad():
            for t in tensors.values():
                t -= 0.2 * t.grad
    assert len(told) == 13


@pytest.mark.fact("automatic-differentiation")
def test_without_zero_grad_descent_on_a_parabola_swings_and_with_it_comes_to_rest():
    rest, swing = (last("w**2", "w=3", steps=25, zero_grad=zero) for zero in (True, False))
    assert rest.output < 1e-3
    heights = [s.output for s in states("w**2", "w=3", steps=25, zero_grad=False) if s.sweeps]
    assert max(heights[13:]) > 8 and swing.gradient_error > 1


@pytest.mark.fact("automatic-differentiation")
def test_it_is_exact_where_central_differences_are_not():
    found, measured = gradient("exp(sin(x))", 0.9)[0], central_differences(tape_of("exp(sin(x))"), (0.9,))[0]
    exact = math.cos(0.9) * math.exp(math.sin(0.9))
    assert abs(found - exact) < 1e-15 < 1e-13 < abs(measured - exact) < 1e-9


@pytest.mark.fact("automatic-differentiation")
def test_at_the_kink_of_relu_the_slope_is_a_convention_and_that_of_pytorch():
    import torch

    x = torch.tensor(0.0, dtype=torch.float64, requires_grad=True)
    torch.relu(x).backward()
    end = last("relu(x)", "x=0")
    assert end.gradient == x.grad.item() == 0 and "0 is a convention" in notes("relu(x)", "x=0")[-1]
    assert end.measured[0] == pytest.approx(0.5)


# ------------------------------------------------------------------------------------------------------ what goes wrong

ENDS = {
    ("log(x - 3)", "x=1"): "log(u₁): log(−2) is not a finite number",
    ("y/(x - 1)", "x=1, y=2"): "2 / 0 is not a finite number",
    ("exp(exp(x))", "x=10"): "is not a finite number",
    ("(x - 3)**0.5", "x=1"): "(−2) ** 0.5 is not a finite number",
    ("x**0.5", "x=0"): "the slope of 0 ** 0.5 is not a finite number",
    ("x**y", "x=-2, y=2"): "the slope of (−2) ** 2 is not a finite number",
}


@pytest.mark.parametrize("case", ENDS)
def test_outside_a_domain_the_run_ends_and_names_the_node(case):
    *before, end = states(*case, backwards=2, steps=3)
    said = notes(*case, backwards=2, steps=3)[-1]
    assert ENDS[case] in said and "the run ends here" in said
    assert end.focus is not None and end.sweeps == 0 and len(before) >= 1


def test_steps_that_are_too_large_diverge_and_the_note_says_at_which_step():
    before = states("w**4", "w=3", steps=25, rate=1)[:-1]
    said = notes("w**4", "w=3", steps=25, rate=1)[-1]
    assert re.match(r"Step \d+: w = .*the run diverges\. Lower η\.$", said)
    assert all(s.output is None or math.isfinite(s.output) for s in before) and len(before) < 12


def test_the_longest_run_has_fewer_states_than_a_film_shows_one_by_one():
    names = "abcdefghijklmnopqrstuvw"
    doubled = ";".join(f"{b}={a}+{a}" for a, b in pairwise(names))
    assert len(tape_of(doubled)) == 23
    assert len(states(doubled, "a=0.01", order="depth-first", backwards=3, steps=25, rate=0.001)) <= 101


@pytest.mark.parametrize("values, said", [("x=1e-7", "edge of a domain"), ("x=2e-5", "too coarse")])
def test_where_central_differences_fail_the_gradient_is_not_called_wrong(values, said):
    end = last("log(x)", values)
    told = notes("log(x)", values)[-1]
    assert end.gradient == pytest.approx(1 / float(values[2:])) and said in told and "Wrong" not in told


@pytest.mark.parametrize("text, values", [("x**2 + 1e9", "x=1"), ("x*y + z", "x=1e6, y=1e6, z=1")])
def test_beside_large_numbers_it_is_rounding_that_spoils_differences_and_no_bend(text, values):
    assert "rounding" in notes(text, values)[-1] and "bend" not in notes(text, values)[-1]


TWO = {
    ("1/x", "x=0.001"): ("∂f/∂x = −1·10⁶", "∂f/∂x = −1.00004·10⁶"),
    ("tanh(1000*x)", "x=0.0001"): ("∂f/∂x = 990.07", "∂f/∂x = 990.05"),
}


@pytest.mark.parametrize("case", TWO)
def test_two_slopes_that_differ_are_written_with_the_digits_in_which_they_do(case):
    found, measured = TWO[case]
    said = notes(*case)[-1]
    assert f"sweep: {found}" in said and f"measure {measured}: too coarse for so sharp a bend" in said


def test_sigmoid_keeps_its_digits_on_both_sides():
    import torch

    for at in (-700.0, -40.0, -3.0, 0.0, 3.0, 40.0):
        x = torch.tensor(at, dtype=torch.float64, requires_grad=True)
        y = torch.sigmoid(x)
        y.backward()
        end = last("sigmoid(x)", f"x={at}")
        assert end.output == pytest.approx(y.item(), rel=1e-14) and end.output > 0
        assert end.gradient == pytest.approx(x.grad.item(), rel=1e-14)


def test_a_small_step_is_written_with_as_many_digits_as_its_change_needs():
    said = notes("(x + y) * z", "x=-2, y=5, z=-4", steps=1, rate=0.001)[-1]
    assert "x = −2 − 0.001 · (−4) = −1.996" in said and "z = −4 − 0.001 · 3 = −4.003" in said
    assert "f goes from −12 to −12.04" in said


def test_the_error_of_a_gradient_is_not_known_before_the_sweep_is_done():
    *before, end = states("x*x + x", "x=5")
    assert {state.gradient_error for state in before} == {None} and end.gradient_error < 1e-8


@pytest.mark.parametrize("preset", PRESETS, ids=lambda preset: preset.name)
def test_a_preset_shows_what_it_says(preset):
    assert reached(preset.reach, metrics(last(**preset.values)))


def test_the_first_and_the_last_leaf_have_a_number_each():
    state = last("x*y + y", "x=3, y=2")
    assert (state.gradient, state.last_gradient) == (2, 4)
