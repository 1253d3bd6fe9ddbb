"""Predict, run, reveal: the reader commits to an answer, the run that decides it plays, then the answer is told."""

from __future__ import annotations

from typing import TYPE_CHECKING

import streamlit as st

from playgrounds.kit.metrics import metrics
from playgrounds.kit.params import Params
from playgrounds.kit.runs import Run
from playgrounds.kit.words import filled
from playgrounds.stage import address, session
from playgrounds.stage.address import PageState
from playgrounds.stage.goals import permits
from playgrounds.stage.player import reported
from playgrounds.stage.scene import Scene, store

if TYPE_CHECKING:
    from glossary import Question

RIGHT, WRONG = ":material/check_circle:", ":material/cancel:"


def show_questions(scene: Scene, state: PageState) -> list[str]:
    """Show the page's questions; returns the ids of those that the reader has answered."""
    if "question" in state.view.hide:
        return []
    answered = []
    for question in scene.questions:
        there, deciding = scene.decided_by(question)
        if not permits(state, there, deciding):
            continue
        with st.container(border=True):
            if _question(there, state, question, deciding):
                answered.append(question.id)
    return answered


def _question(scene: Scene, state: PageState, question: Question, deciding: Params) -> bool:
    key = f"{scene.page}:question:{question.id}"
    st.markdown(f"**What will happen?** {question.ask}")
    bet = session.BET.get(key)
    if bet is None:
        with st.container(horizontal=True, gap="small"):
            for n, option in enumerate(question.options):
                st.button(option.text, key=f"{key}:option:{n}", on_click=_commit, args=(scene, key, n, deciding))
        return False
    st.markdown(f"Your prediction: {question.options[bet].text}")
    is_here = state.playground == scene.playground.name and state.params == deciding
    play = {"key": f"{key}:again", "on_click": _commit, "args": (scene, key, bet, deciding)}
    if "answer" in state.view.hide:
        st.button("Play it again", **play)
        return True
    _decide(scene, question, key, store.get(scene.playground, deciding))
    told = session.TOLD.get(key)
    if told is not None:
        _reveal(question, bet, told)
    elif is_here:
        st.markdown("Watch the run. The answer comes at its end.")
    else:
        st.markdown("The run that decides it is not the one below.")
    with st.container(horizontal=True):
        st.button("Play it again" if is_here else "Back to the run that decides", **play)
        if told is None and is_here:
            st.button("Answer now", key=f"{key}:ask", on_click=session.ASKED.set, args=(key, True))
        if told is not None:
            st.button("Ask me again", key=f"{key}:reset", on_click=_forget, args=(key,))
    return told is not None


def _decide(scene: Scene, question: Question, key: str, run: Run) -> None:
    """Once the run has ended and was seen to its end (or the reader wants no waiting), fill in what is to be said."""
    if session.TOLD.has(key) or not (run.done and run.states):
        return
    order = scene.order(run)
    report = reported(scene.page)
    seen = order is not None and report.run == run.id and report.ended == order[0]
    if seen or session.ASKED.get(key):
        numbers = metrics(run.states[-1])
        session.TOLD.set(key, {n: filled(option.why, numbers) for n, option in enumerate(question.options)})


def _reveal(question: Question, bet: int, told: dict[int, str]) -> None:
    right = question.options[question.answer]
    reason = "\n\n".join(filter(None, [told[bet] if bet != question.answer else "", told[question.answer]]))
    if bet == question.answer:
        st.success(f"That is what happens.\n\n{reason}", icon=RIGHT)
    else:
        st.warning(f"What happens instead: {right.text}\n\n{reason}", icon=WRONG)


def _commit(scene: Scene, key: str, option: int, deciding: Params) -> None:
    session.BET.set(key, option)
    address.go(scene.page, deciding, scene.playground.name)
    scene.tell(deciding)


def _forget(key: str) -> None:
    for entry in (session.BET, session.TOLD, session.ASKED):
        entry.forget(key)
