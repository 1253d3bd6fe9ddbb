"""What is said of each step of the forward and the backward pass."""

from collections.abc import Sequence
from itertools import pairwise

from playgrounds._expression import DEFAULT, LONGEST, Given, Tape, leaves, read_values
from playgrounds.autograd.formulas import (
    apart,
    close,
    equations,
    factor,
    formula,
    in_numbers,
    listed,
    slopes_of,
    together,
)
from playgrounds.autograd.model import (
    STEP,
    Params,
    State,
    Visit,
    central_differences,
    forward,
    gradient_of,
    keeps,
    tape_of,
)
from playgrounds.kit.params import shown
from playgrounds.kit.training import finite
from playgrounds.kit.words import counted, digits_for, number


def note(p: Params, states: Sequence[State], now: int) -> str:
    """What happened at this step, in its own numbers."""
    state = states[now]
    if state.mistake:
        return state.mistake
    tape = tape_of(p.expression)
    if now == 0:
        return opening(tape, state) + remarks(read_values(p.values, tape))
    if state.focus is not None:
        return at_work(p, tape, state)
    if state.sweeps == 1 and not state.ended:
        return summary(p, tape, state)
    return later_call(p, tape, states[now - 1], state)


def opening(tape: Tape, state: State) -> str:
    given = listed([f"{tape[i].name} = {number(state.values[i])}" for i in leaves(tape)], 9)
    operations = counted(sum(bool(node.inputs) for node in tape), "operation")
    return f"Given: {given}. The forward pass computes {operations}, inputs before what uses them."


def remarks(given: Given) -> str:
    """What had to be assumed of the leaves' values."""
    missing = f" No value is given for {listed(given.missing)}: {DEFAULT:g} is taken." if given.missing else ""
    unknown = [shown(name, LONGEST) for name in given.unknown]
    return missing + (f" No leaf is called {listed(unknown)}: ignored." if unknown else "")


def at_work(p: Params, tape: Tape, state: State) -> str:
    """One node of the forward or the backward pass."""
    i = state.focus
    if not state.ended:
        return backward_step(p, tape, state.visits) if state.visits else forward_step(tape, state.values, i)
    where, what = ("Backward, ", "the slope of ") if state.visits else ("Forward, ", "")
    return (
        f"{where}{formula(tape, i)}: {what}{in_numbers(tape, state.values, i)} is not a finite number, and the run "
        "ends here. Change a value or the expression."
    )


def forward_step(tape: Tape, values: Sequence[float], i: int) -> str:
    kept = [f"{tape[j].name} = {number(values[j])}" for j in sorted(keeps(tape, i))]
    text = "Nothing is kept for the backward pass: the local slopes are the same everywhere."
    if kept:
        text = f"Kept for the backward pass, because the local slopes depend on it: {listed(kept)}."
    kink = " At 0 relu has no slope; the backward pass takes 0, as PyTorch does." if at_kink(tape, values, i) else ""
    return f"Forward, {formula(tape, i)}: {in_numbers(tape, values, i)} = {number(values[i])}. {text}{kink}"


def backward_step(p: Params, tape: Tape, visits: Sequence[Visit]) -> str:
    i, served, slopes, upstream, arrived = visits[-1]
    if not served:
        return f"Backward starts at the output: ∂{tape[i].name}/∂{tape[i].name} = 1."
    passed = {visit.node for visit in visits[:-1] if visit.served}
    texts = []
    for k in served:
        j = tape[i].inputs[k]
        late = " (too late: it was visited before)" if j in passed else ""
        product = f"{number(upstream)} · {factor(slopes[k])} = {number(upstream * slopes[k] + 0.0)}"
        texts.append(f"{tape[j].name} gets {product}{late}")
    had, all_of_them = len(visits[-2].arrived[i]), uses(tape, i)
    early = f", only {had} of {counted(all_of_them, 'gradient')} so far: too early" if had < all_of_them else ""
    inputs = dict.fromkeys(tape[i].inputs[k] for k in served)
    forks = [together(p.fork, tape[j].name, arrived[j]) for j in inputs if len(arrived[j]) > 1]
    text = f"Backward, {formula(tape, i)}: upstream {number(upstream)}{early}; {listed(texts)}."
    return text + (f" Together {'; '.join(forks)}." if forks else "")


def summary(p: Params, tape: Tape, state: State) -> str:
    """After the first sweep: the gradient, what central differences say to it, and what either costs."""
    visits, measured = state.visits, state.measured
    g = gradient_of(tape, visits, p.fork)
    arrived = visits[-1].arrived
    text = f"1 backward sweep: {slopes_of(tape, g)}"
    if any(at_kink(tape, state.values, i) for i in range(len(tape))):
        return f"{text}. A relu is at 0, where it has no slope: 0 is a convention."
    if not finite(measured):
        return f"{text}. Central differences find no value on one side: a leaf is at the edge of a domain."
    forked = [i for i in range(len(tape)) if len(arrived[i]) > 1]
    if all(close(a, b) for a, b in zip(g, measured, strict=True)):
        text += f" ({'; '.join(together(p.fork, tape[i].name, arrived[i]) for i in forked[:2])})" if forked else ""
        if len(visits) > 2 and all(len(visit.served) == 1 for visit in visits[1:]):  # one path only
            product = " · ".join(factor(visit.slopes[visit.served[0]]) for visit in visits[1:])
            text += f", the product {product} of the local slopes"
        return f"{text}. Central differences measure the same with {2 * len(g)} forward passes, 2 for each leaf."
    digits = [apart(a, b) for a, b in zip(g, measured, strict=True)]
    text = f"1 backward sweep: {slopes_of(tape, g, digits)}"
    by_differences = f"central differences measure {slopes_of(tape, measured, digits)}"
    if why := wrong_because(p, tape, visits, forked):
        return f"{text}. Wrong: {by_differences}; {why}."
    return f"{text}. {by_differences[0].upper()}{by_differences[1:]}: {too_coarse(tape, state, g)}."


def wrong_because(p: Params, tape: Tape, visits: Sequence[Visit], forked: Sequence[int]) -> str:
    """Which rule of the backward pass was broken; "" if none."""
    for before, visit in pairwise(visits):
        had, all_of_them = len(before.arrived[visit.node]), uses(tape, visit.node)
        if had < all_of_them:
            return f"{tape[visit.node].name} was visited when {had} of {counted(all_of_them, 'gradient')} had arrived"
    return "" if p.fork == "sum" else f"what comes back to {tape[forked[0]].name} has to be summed"


def too_coarse(tape: Tape, state: State, g: Sequence[float]) -> str:
    """Why central differences are off: rounding, which a wider step makes smaller, or a bend, which it makes worse."""
    at = tuple(state.values[i] for i in leaves(tape))
    wide = central_differences(tape, at, 100 * STEP)
    if finite(wide) and distance(g, wide) < distance(g, state.measured):
        return "rounding, for beside numbers this large few digits are left of so small a step"
    return "too coarse for so sharp a bend"


def distance(a: Sequence[float], b: Sequence[float]) -> float:
    return max(abs(x - y) for x, y in zip(a, b, strict=True))


def later_call(p: Params, tape: Tape, before: State, state: State) -> str:
    """A further call of backward(), before it a gradient step if the calls on the first graph are done."""
    call = state.sweeps + 1 if state.ended else state.sweeps
    step = call - p.backwards
    old = [before.gradients[i] or 0.0 for i in leaves(tape)]
    text = ""
    if step > 0:
        at = [before.values[i] for i in leaves(tape)]
        moved = [x - p.rate * slope for x, slope in zip(at, old, strict=True)]
        text = f"Step {step}: {equations(tape, at, f'− {p.rate:g} ·', old, moved)}"
        if state.ended:
            return text + ". There a value or a slope is not a finite number: the run diverges. Lower η."
        a, b = before.output, forward(tape, moved)[-1]
        digits = digits_for(max(a, b, key=abs), b - a)
        text += f"; {tape[-1].name} goes from {number(a, digits)} to {number(b, digits)}. "
    if step > 0 and p.zero_grad:
        return text.strip()
    g = gradient_of(tape, state.visits, p.fork)
    new = [state.gradients[i] for i in leaves(tape)]
    if p.zero_grad:
        sums = equations(tape, [0.0] * len(g), "+", g, new, ".grad")
        return f"{text}Call {call}: zero_grad(), then backward(): {sums}."
    graph = " PyTorch allows it if the call before had retain_graph=True." if call <= p.backwards else ""
    sums = equations(tape, old, "+", g, new, ".grad")
    return f"{text}Call {call} of backward() does not overwrite, it adds: {sums}.{graph}"


def at_kink(tape: Tape, values: Sequence[float], i: int) -> bool:
    return tape[i].op == "relu" and values[tape[i].inputs[0]] == 0


def uses(tape: Tape, i: int) -> int:
    """How many gradients come back to a node."""
    return sum(node.inputs.count(i) for node in tape) + (i == len(tape) - 1)
