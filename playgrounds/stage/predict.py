"""Predict, run, reveal: the reader commits to an answer, the run that decides it plays, then the answer is told."""

from typing import Any

import streamlit as st

from playgrounds.kit.film import metrics
from playgrounds.kit.params import Params
from playgrounds.kit.words import filled
from playgrounds.stage import url
from playgrounds.stage.scene import Scene, store

RIGHT, WRONG = ":material/check_circle:", ":material/cancel:"


def questions(scene: Scene, state: url.PageState) -> list[int]:
    """Show the page's questions; returns the numbers of those that the reader has answered."""
    if "question" in state.view.hide:
        return []
    answered = []
    for n, question in enumerate(scene.questions):
        deciding = scene.params(**question.run)
        if not state.view.permits(state.params, deciding):
            continue
        with st.container(border=True):
            if _question(scene, state, n, question, deciding):
                answered.append(n)
    return answered


def _question(scene: Scene, state: url.PageState, n: int, question: Any, deciding: Params) -> bool:
    key = f"{scene.page}:question:{n}"
    st.markdown(f"**What will happen?** {question.ask}")
    bet = st.session_state.get(f"{key}:bet")
    if bet is None:
        with st.container(horizontal=True, gap="small"):
            for k, option in enumerate(question.options):
                st.button(option, key=f"{key}:option:{k}", on_click=_commit, args=(scene, n, k, deciding))
        return False
    st.markdown(f"Your prediction: {question.options[bet]}")
    again = {"key": f"{key}:again", "on_click": _commit, "args": (scene, n, bet, deciding)}
    if "answer" in state.view.hide:
        st.button("Play it again", **again)
        return True
    run = store.get(scene.playground, deciding)
    if f"{key}:told" not in st.session_state:
        report = scene.report()
        seen = report.run == run.id and scene.order(run) and report.ended == scene.order(run)[0]
        if run.done and run.states and (seen or st.session_state.get(f"{key}:asked")):
            st.session_state[f"{key}:told"] = filled(question.because, metrics(run.states[-1]))
    told = st.session_state.get(f"{key}:told")
    if told is not None:
        right = bet == question.answer
        verdict = "That is what happens." if right else f"What happens instead: {question.options[question.answer]}"
        (st.success if right else st.warning)(f"{verdict}\n\n{told}", icon=RIGHT if right else WRONG)
    elif state.params == deciding:
        st.markdown("Watch the run. The answer comes at its end.")
    else:
        st.markdown("The run that decides it is not the one below.")
    with st.container(horizontal=True):
        st.button("Play it again" if state.params == deciding else "Back to the run that decides", **again)
        if told is None and state.params == deciding:
            st.button("Answer now", key=f"{key}:ask", on_click=_set, args=(f"{key}:asked", True))
        if told is not None:
            st.button("Ask me again", key=f"{key}:reset", on_click=_forget, args=(key,))
    return told is not None


def _commit(scene: Scene, n: int, option: int, deciding: Params) -> None:
    st.session_state[f"{scene.page}:question:{n}:bet"] = option
    url.go(scene.page, deciding)
    scene.tell(deciding)


def _set(key: str, value: Any) -> None:
    st.session_state[key] = value


def _forget(key: str) -> None:
    for name in ("bet", "told", "asked"):
        st.session_state.pop(f"{key}:{name}", None)
