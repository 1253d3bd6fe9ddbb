"""Goals: what to reach with the playground, checked from the run itself."""

from __future__ import annotations

from typing import TYPE_CHECKING

import streamlit as st

from playgrounds.kit.conditions import allowed, reached, unmet
from playgrounds.kit.metrics import Number, in_words
from playgrounds.kit.params import Params, knob_text
from playgrounds.kit.runs import Run
from playgrounds.stage import address, session
from playgrounds.stage.address import PageState
from playgrounds.stage.scene import Scene, last_numbers

if TYPE_CHECKING:
    from glossary import Goal


def mark_goals(scene: Scene, state: PageState, run: Run) -> list[str]:
    """Take note of the goals that this run reaches; returns the ids of all that were reached since the page was opened.

    A goal whose solution the reader has looked at counts as shown, not as reached.
    """
    numbers = last_numbers(run)
    if "goals" not in state.view.hide and numbers is not None:
        for goal in scene.goals:
            if _is_met(scene, state, goal, numbers):
                _mark(scene, goal)
    return sorted(session.REACHED.get(scene.page))


def show_goals(scene: Scene, state: PageState, run: Run) -> None:
    """The page's goals: what is to be reached, and with what this run has reached it."""
    numbers = last_numbers(run)
    plain = PageState(state.playground, state.params)
    link = address.link_to(scene.page, address.to_query(plain, scene))
    for goal in scene.goals:
        if numbers is not None and _is_met(scene, state, goal, numbers):
            _say_met(scene, state, goal, numbers, link)
        else:
            _say_open(scene, state, goal, _rules_broken(scene, state, goal, numbers))


def show_goals_briefly(scene: Scene) -> None:
    """The goals for a phone's sheet, in one piece; how they are reached stands in their tab."""
    done = session.REACHED.get(scene.page)
    st.markdown("\n".join(f"- {'☑' if goal.id in done else '☐'} {goal.ask.strip()}" for goal in scene.goals))


def _rules_broken(scene: Scene, state: PageState, goal: Goal, numbers: dict[str, Number] | None) -> list[str]:
    """Of a run that reaches the goal's numbers: the rules that it does not keep."""
    here = state.playground == (goal.playground or scene.first)
    if numbers is None or not here or not reached(goal.reach, numbers):
        return []
    return unmet(goal.with_, state.params)


def _is_met(scene: Scene, state: PageState, goal: Goal, numbers: dict[str, Number]) -> bool:
    here = state.playground == (goal.playground or scene.first)
    return here and reached(goal.reach, numbers) and allowed(goal.with_, state.params)


def _mark(scene: Scene, goal: Goal) -> None:
    if goal.id not in session.SOLVED.get(scene.page):
        session.REACHED.set(scene.page, session.REACHED.get(scene.page) | {goal.id})


def _say_met(scene: Scene, state: PageState, goal: Goal, numbers: dict[str, Number], link: str) -> None:
    shown = goal.id in session.SOLVED.get(scene.page)
    verdict = "This is a solution" if shown else "Reached"
    st.success(f"{goal.ask}\n\n{verdict}: {proof(scene, goal, numbers, state)}.", icon=":material/check_circle:")
    st.code(link, None, wrap_lines=True)
    st.caption("Whoever opens this link runs it again and sees the goal reached.")


def _say_open(scene: Scene, state: PageState, goal: Goal, broken: list[str]) -> None:
    before = " *Reached before.*" if goal.id in session.REACHED.get(scene.page) else ""
    with st.container(horizontal=True, vertical_alignment="center"):
        almost = f"\n\n*The numbers are there. {'. '.join(broken)}.*" if broken else ""
        st.markdown(f"{'☑' if before else '☐'} {goal.ask}{before}{almost}")
        there, solution = scene.decided_by(goal, goal.solution)
        if "answer" not in state.view.hide and permits(state, there, solution):
            st.button(
                "Show a solution",
                key=f"{scene.page}:goal:{goal.id}",
                on_click=_solve,
                args=(scene.page, goal.id, solution, there.playground.name),
            )


def permits(state: PageState, scene: Scene, params: Params) -> bool:
    """Whether the link lets the page's own controls go to that run; to another playground, if nothing is fixed."""
    if scene.playground.name != state.playground:
        return not (state.view.hide or state.view.lock)
    return state.permits(params)


def _solve(page: str, goal: str, solution: Params, playground: str) -> None:
    session.SOLVED.set(page, session.SOLVED.get(page) | {goal})
    address.go(page, solution, playground)


def proof(scene: Scene, goal: Goal, numbers: dict[str, Number], state: PageState) -> str:
    """With which numbers and which knobs a goal is reached."""
    known = scene.playground.metrics
    said = [f"{known[name].label} {in_words(known[name], numbers[name])}" for name in goal.reach]
    return ", ".join(said + [knob_text(state.params, name) for name in goal.with_])
