"""When a run breaks: what broke, at which step and where, the likely cause, and two ways on."""

import math
import re
from collections.abc import Sequence
from typing import Any, NamedTuple
from weakref import WeakKeyDictionary

import numpy as np
import streamlit as st

from playgrounds.kit.film import label
from playgrounds.kit.metrics import metrics
from playgrounds.kit.params import Params, knob_text
from playgrounds.kit.runs import Run
from playgrounds.kit.words import number, plain
from playgrounds.stage import address
from playgrounds.stage.address import PageState
from playgrounds.stage.scene import Scene

LEARNED = ("weights", "biases", "theta", "layer")  # fields of a State that hold what is learned
LOSS = re.compile(r"^loss$")  # the metric that training lowers
STILL = 0.01  # a loss that has moved by less than this share of its start is stuck
FEW = 10  # states: a shorter run has not been trained long enough to say so


_known: WeakKeyDictionary[Run, "Diagnosis | None"] = WeakKeyDictionary()  # looking through all states takes 3 ms


class Diagnosis(NamedTuple):
    title: str
    text: str
    before: int | None  # the step before it broke, as readers count


def diagnose(run: Run) -> Diagnosis | None:
    """What is wrong with a finished run, if anything is.

    Diverged: its last numbers are not finite, or it has ended before its length. Stuck: its loss has hardly moved.
    """
    if not run.done or run.failure or not run.states:
        return None
    if run not in _known:
        _known[run] = _diagnose(run)
    return _known[run]


def _diagnose(run: Run) -> Diagnosis | None:
    states, last = run.states, metrics(run.states[-1])
    broken = [name for name, value in last.items() if value is not None and not math.isfinite(value)]
    if broken or (run.length and len(states) < run.length):
        step = label(states[-1], len(states) - 1)
        before = label(states[-2], len(states) - 2) if len(states) > 1 else None
        what = f"{_listed(broken)} stopped being a number" if broken else "it ended early"
        return Diagnosis(f"Diverged at step {step}: {what}.", run.note(-1), before)
    return _stuck(run.params, states)


def _stuck(params: Params, states: Sequence[Any]) -> Diagnosis | None:
    name = next(filter(LOSS.search, metrics(states[0])), "")
    values = [value for state in states if (value := metrics(state).get(name)) is not None]
    if len(states) < FEW or len(values) < len(states) or not values[0] > 1e-3:
        return None
    if max(values) - min(values) > STILL * values[0] or metrics(states[-1]).get("accuracy", 0) == 1:
        return None
    first, last = label(states[0], 0), label(states[-1], len(states) - 1)
    said = f"At step {first} it was {number(values[0], 4)}, at step {last} it is {number(values[-1], 4)}."
    if frozen := still(states):
        said += f" {_listed(frozen).capitalize()} did not move at all: no gradient arrives there."
    elif "rate" in params.knobs() and _low(params):
        said += f" The likely cause is a rate that is too small ({knob_text(params, 'rate')})."
    else:
        said += (
            " The steps find no direction that helps: the net cannot represent the answer, or its units are saturated."
        )
    return Diagnosis("Stuck: the loss has hardly moved.", said, None)


def _low(params: Params) -> bool:
    """Whether the learning rate is in the lower third of its range, in powers of ten."""
    one = params.knobs()["rate"]
    low, high = math.log(max(one.lo, 1e-6)), math.log(one.hi)
    return math.log(max(getattr(params, one.name), 1e-9)) < low + (high - low) / 3


def still(states: Sequence[Any]) -> list[str]:
    """The learned arrays that are the same in the first and the last state, by field and layer."""
    found = []
    for name in LEARNED:
        first, last = (getattr(state, name, None) for state in (states[0], states[-1]))
        if not isinstance(first, list | tuple) or not isinstance(last, list | tuple):
            continue
        pairs = [(a, b) for a, b in zip(first, last, strict=False) if isinstance(a, np.ndarray) and a.size]
        found += [f"{name} of layer {k}" for k, (a, b) in enumerate(pairs, start=1) if np.array_equal(a, b)]
    return found


def _listed(names: list[str]) -> str:
    return " and ".join(filter(None, [", ".join(names[:-1]), names[-1]])).replace("_", " ")


def show_diagnosis(scene: Scene, state: PageState, run: Run) -> None:
    """Show the diagnosis of the run, with a way back to the step before and one to a setting that works."""
    found = diagnose(run)
    if found is None:
        return
    good = [*(scene.named(one) for one in scene.playground.presets if one.good), scene.start]
    good = [params for params in good if params != state.params and state.permits(params)]
    with st.container(border=True):
        st.markdown(f"⚠ **{found.title}** {plain(found.text)}")
        with st.container(horizontal=True):
            if found.before is not None:
                st.button(f"Go to step {found.before}, before it broke", key=f"{scene.page}:before",
                          on_click=_to_step, args=(scene, run, found.before))  # fmt: skip
            if good:
                st.button(
                    "A setting that works", key=f"{scene.page}:mend", on_click=address.go, args=(scene.page, good[0])
                )


def _to_step(scene: Scene, run: Run, step: int) -> None:
    address.change(scene.page, step=step)
    scene.tell(run.params, step)
