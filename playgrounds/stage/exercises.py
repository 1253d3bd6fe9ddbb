"""Exercises: a number to compute, drawn anew for every reader, checked against the run that decides it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import streamlit as st

from playgrounds.kit.answers import Verdict, judged
from playgrounds.kit.metrics import metrics, said
from playgrounds.kit.params import Params
from playgrounds.kit.words import filled
from playgrounds.stage import address, session
from playgrounds.stage.address import PageState
from playgrounds.stage.computing import compute
from playgrounds.stage.goals import permits
from playgrounds.stage.scene import Scene, store

if TYPE_CHECKING:
    from glossary import Exercise


@dataclass(frozen=True)
class Task:
    """An exercise with the numbers that were drawn for one reader."""

    key: str
    exercise: Exercise
    drawn: dict[str, Any]
    scene: Scene  # with the playground of the run that decides
    params: Params

    def filled(self, text: str) -> str:
        """The text with the drawn knobs and the numbers with which the run ends."""
        return filled(text, said(self.last) | {name: str(value) for name, value in self.drawn.items()})

    @property
    def last(self) -> Any:
        """The last state of the run, which is computed if it is not yet known."""
        run = store.get(self.scene.playground, self.params)
        while not run.done:
            compute(run, 0)
        return run.states[-1]


def task(scene: Scene, exercise: Exercise) -> Task:
    """The exercise with this reader's numbers: the same after a reload, others after "New numbers"."""
    key = f"{scene.page}:exercise:{exercise.id}"
    drawn = exercise.drawn(f"{session.reader()} {session.ROUND.get(key)}")
    there, _ = scene.decided_by(exercise)
    return Task(key, exercise, drawn, there, there.params(**(exercise.run | drawn)))


def show_exercises(scene: Scene, state: PageState) -> None:
    for exercise in scene.exercises:
        _show(task(scene, exercise), state)


def _show(one: Task, state: PageState) -> None:
    with st.container(border=True, key=f"{one.key}:card", gap="small"):
        st.markdown(one.filled(one.exercise.ask))
        with st.container(horizontal=True, vertical_alignment="bottom", gap="small"):
            typed = f"{one.key}:typed:{session.ROUND.get(one.key)}"
            st.text_input("Your answer", key=typed, width=220, on_change=_check, args=(one, typed), max_chars=40)
            st.button("Check", key=f"{one.key}:check", on_click=_check, args=(one, typed), type="primary")
            st.button("New numbers", key=f"{one.key}:new", on_click=_anew, args=(one.key,))
            if "answer" not in state.view.hide:
                st.button("Show the answer", key=f"{one.key}:show", on_click=session.OPENED.set, args=(one.key, True))
        verdict = session.VERDICT.get(one.key)
        if verdict is not None and verdict.right:
            st.success(f"Right. {one.filled(one.exercise.because)}", icon=":material/check_circle:")
        elif verdict is not None:
            st.warning(verdict.say, icon=":material/cancel:")
        if session.OPENED.get(one.key) and not (verdict and verdict.right):
            st.info(one.filled(one.exercise.because))
        settled = session.OPENED.get(one.key) or (verdict is not None and verdict.right)
        if settled and permits(state, one.scene, one.params):
            st.button("See the run", key=f"{one.key}:run", on_click=_see, args=(one,), type="tertiary")


def _check(one: Task, typed: str) -> None:
    text = session.widget(typed) or ""
    if not text.strip():
        session.VERDICT.forget(one.key)
        return
    numbers = metrics(one.last)
    answer = numbers[one.exercise.answer]
    assert answer is not None, "a test runs every exercise"
    share = one.scene.playground.metrics[one.exercise.answer].unit == "%"
    drawn = {name: value for name, value in one.drawn.items() if isinstance(value, int | float)}
    verdict = judged(text, answer, one.exercise.tolerance, share, one.exercise.slips, numbers | drawn)
    session.VERDICT.set(one.key, Verdict(verdict.right, one.filled(verdict.say)))


def _anew(key: str) -> None:
    session.ROUND.set(key, session.ROUND.get(key) + 1)
    session.VERDICT.forget(key)
    session.OPENED.forget(key)


def _see(one: Task) -> None:
    address.go(one.scene.page, one.params, one.scene.playground.name)
    one.scene.tell(one.params)
