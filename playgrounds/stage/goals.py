"""Goals: what to reach with the playground, checked from the run itself."""

from typing import Any

import streamlit as st

from playgrounds.kit.conditions import allowed, reached
from playgrounds.kit.runs import Run
from playgrounds.kit.words import number
from playgrounds.stage import url
from playgrounds.stage.scene import Scene, knob_text, last_numbers


def goals(scene: Scene, state: url.PageState, run: Run, link: str) -> list[int]:
    """Show the page's goals; returns the numbers of those that this reader has reached since the page was opened."""
    if not scene.goals or "goals" in state.view.hide:
        return []
    ever: set[int] = st.session_state.setdefault(f"{scene.page}:goals", set())
    numbers = last_numbers(run)
    st.markdown("**Goals**")
    for n, goal in enumerate(scene.goals):
        met = numbers is not None and reached(goal.reach, numbers) and allowed(goal.with_, state.params)
        if met:
            ever.add(n)
            st.success(f"{goal.ask}\n\nReached: {proof(goal, numbers, state)}.", icon=":material/check_circle:")
            st.code(link, None, wrap_lines=True)
            st.caption("Whoever opens this link runs it again and sees the goal reached.")
            continue
        with st.container(horizontal=True, vertical_alignment="center"):
            st.markdown(f"{'☑' if n in ever else '☐'} {goal.ask}" + (" *Reached before.*" if n in ever else ""))
            solution = scene.params(**goal.solution)
            if "answer" not in state.view.hide and state.view.permits(state.params, solution):
                st.button("Show a solution", key=f"{scene.page}:goal:{n}", on_click=url.go, args=(scene.page, solution))
    return sorted(ever)


def proof(goal: Any, numbers: dict[str, float | None], state: url.PageState) -> str:
    """With which numbers and which knobs a goal is reached."""
    said = [f"{name.replace('_', ' ')} {number(numbers[name])}" for name in goal.reach]
    return ", ".join(said + [knob_text(state.params, name) for name in goal.with_])
