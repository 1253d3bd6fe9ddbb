"""Predict, run, reveal: the reader commits to an answer, the run that decides it plays, then the answer is told."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from random import Random
from typing import TYPE_CHECKING

import streamlit as st

from playgrounds.kit.metrics import said
from playgrounds.kit.params import Params
from playgrounds.kit.runs import Run
from playgrounds.kit.words import filled
from playgrounds.stage import address, session
from playgrounds.stage.address import PageState
from playgrounds.stage.player import reported
from playgrounds.stage.scene import Scene, store

if TYPE_CHECKING:
    from glossary import Question


def key_of(scene: Scene, question: Question) -> str:
    return f"{scene.page}:question:{question.id}"


def asked(scene: Scene, state: PageState) -> list[Question]:
    """The page's questions that this link shows."""
    if "question" in state.view.hide:
        return []
    return list(scene.questions)


def is_over(scene: Scene, question: Question) -> bool:
    """Whether the reader has been told the answer, here or on an earlier visit, or wants none."""
    key = key_of(scene, question)
    before = question.id in session.KNOWN.get(scene.page)
    return (session.TOLD.has(key) or before or session.SKIPPED.get(key)) and not session.AGAIN.get(key)


def open_question(scene: Scene, state: PageState) -> Question | None:
    """The first question that is still to be answered, or whose answer was told last: the one that is shown."""
    questions = asked(scene, state)
    for question in questions:
        if question.id == session.SHOWN.get(scene.page):
            return question
    return next((one for one in questions if not is_over(scene, one)), None)


def show_questions(scene: Scene, state: PageState, onward: Callable[[], None] | None = None) -> list[str]:
    """Show the question whose turn it is, and the others in a line each; returns the ids of those answered.

    onward: where to go when all are answered.
    """
    questions = asked(scene, state)
    shown = open_question(scene, state)
    for question in questions:
        if question is shown:
            there, deciding = scene.decided_by(question)
            _question(there, state, question, deciding)
        elif is_over(scene, question):
            _line(scene, question)
    if onward is not None and questions and all(is_over(scene, one) for one in questions):
        onward()
    return [one.id for one in questions if session.TOLD.has(key_of(scene, one))]


def _line(scene: Scene, question: Question) -> None:
    """An answered question, shrunk to one line; a press opens it again."""
    key = key_of(scene, question)
    words = question.ask if len(question.ask) < 60 else question.ask[:58].rsplit(" ", 1)[0] + " …"
    st.button(
        f":material/check: {words}",
        key=f"{key}:reset",
        on_click=_ask_again,
        args=(scene, question),
        type="tertiary",
        help="Ask me this again",
    )


def _question(scene: Scene, state: PageState, question: Question, deciding: Params) -> None:
    """scene: with the playground in which the deciding run is made."""
    key = key_of(scene, question)
    with st.container(border=True, key=f"{scene.page}:question-card", gap="xsmall"):
        st.markdown(f"**What will happen?** {question.ask}")
        bet = session.BET.get(key)
        order = shuffled(scene.page, question)
        if bet is None:
            for n in order:
                st.button(
                    question.options[n].text,
                    key=f"{key}:option:{n}",
                    on_click=_commit,
                    args=(scene, key, n, deciding),
                    width="stretch",
                )
            st.button("Skip", key=f"{key}:skip", on_click=_skip, args=(scene, key), type="tertiary")
            return
        if "answer" in state.view.hide:
            _options(question, order, bet, told=False)
            _replay(scene, state, key, bet, deciding)
            return
        _decide(scene, question, key, store.get(scene.playground, deciding))
        told = session.TOLD.get(key)
        _options(question, order, bet, told is not None)
        if told is None:
            is_here = _is_here(scene, state, deciding)
            st.markdown("Watch the run." if is_here else "The run that decides it is not the one shown.")
            with st.container(horizontal=True, gap="small"):
                _replay(scene, state, key, bet, deciding)
                if is_here:
                    st.button("Answer now", key=f"{key}:ask", on_click=session.ASKED.set, args=(key, True))
            return
        right = told[question.answer]
        st.markdown("\n\n".join(filter(None, [told[bet] if bet != question.answer else "", right])))
        with st.container(horizontal=True, gap="small"):
            _replay(scene, state, key, bet, deciding)
            _opposite(scene, state, deciding, key)
            following = _next(scene, state, question)
            label = "Next question" if following else "To the knobs"
            st.button(label, key=f"{key}:next", on_click=_go_on, args=(scene, following), type="primary")


def shuffled(page: str, question: Question) -> list[int]:
    """The options in this reader's order: the same after a reload, another for the neighbour."""
    order = list(range(len(question.options)))
    Random(f"{session.reader()} {page} {question.id}").shuffle(order)
    return order


def _options(question: Question, order: Sequence[int], bet: int, told: bool) -> None:
    """The options once one is chosen; when the answer is known the verdict stands on them."""
    for n in order:
        option = question.options[n]
        sign, colour = "", ""
        if told and option.right:
            sign, colour = ":material/check_circle: ", "green"
        elif told and n == bet:
            sign, colour = ":material/cancel: ", "orange"
        elif n == bet:
            sign = ":material/radio_button_checked: "
        text = f"{sign}{option.text}"
        verdict = " *your prediction*" if told and n == bet else ""
        with st.container(key=f"option-{colour or ('bet' if n == bet else 'other')}-{question.id}-{n}"):
            st.markdown(text + verdict)


def _is_here(scene: Scene, state: PageState, deciding: Params) -> bool:
    return state.playground == scene.playground.name and state.params == deciding


def _replay(scene: Scene, state: PageState, key: str, bet: int, deciding: Params) -> None:
    label = "Play again" if _is_here(scene, state, deciding) else "Back to that run"
    st.button(label, key=f"{key}:again", on_click=_commit, args=(scene, key, bet, deciding))


def _opposite(scene: Scene, state: PageState, deciding: Params, key: str) -> None:
    """A named run of the other sign: what works where this one fails, or fails where it works."""
    presets = scene.playground.presets
    good = next((one.good for one in presets if scene.named(one) == deciding), False)
    for one in presets:
        params = scene.named(one)
        if one.good != good and params != deciding and state.permits(params):
            st.button(
                "Try the opposite",
                key=f"{key}:opposite",
                on_click=_try,
                args=(scene, params),
                help=f"{one.name}: {one.why}",
            )
            return


def _try(scene: Scene, params: Params) -> None:
    address.go(scene.page, params, scene.playground.name)
    scene.tell(params)


def _decide(scene: Scene, question: Question, key: str, run: Run) -> None:
    """Once the run has ended and was seen to its end (or the reader wants no waiting), fill in what is to be said."""
    if session.TOLD.has(key) or not (run.done and run.states):
        return
    order = scene.order(run)
    report = reported(scene.page)
    seen = order is not None and report.run == run.id and report.ended == order[0]
    if seen or session.ASKED.get(key):
        numbers = said(run.states[-1])
        session.TOLD.set(key, {n: filled(option.why, numbers) for n, option in enumerate(question.options)})
        session.SHOWN.set(scene.page, question.id)


def _next(scene: Scene, state: PageState, question: Question) -> Question | None:
    return next((one for one in asked(scene, state) if one is not question and not is_over(scene, one)), None)


def _go_on(scene: Scene, following: Question | None) -> None:
    session.SHOWN.forget(scene.page)
    _open(scene, following)


def _open(scene: Scene, question: Question | None) -> None:
    """Show the first step of the run that decides a question; without one, of the run that the page is about."""
    if question is not None:
        there, params = scene.decided_by(question)
        address.reveal(scene.page, params, there.playground.name)
    else:
        first = scene.showing(scene.first)
        address.go(scene.page, first.start, scene.first)
    address.change(scene.page, step=0, held=True)


def recall(scene: Scene) -> None:
    """It has become known which questions were answered on earlier visits: if nothing was touched yet, go past them."""
    state = session.state_of(scene.page)
    if state.held and not any(session.BET.has(key_of(scene, one)) for one in scene.questions):
        _open(scene, open_question(scene, state))


def _skip(scene: Scene, key: str) -> None:
    session.SKIPPED.set(key, True)
    state = session.state_of(scene.page)
    _open(scene, next((one for one in asked(scene, state) if not is_over(scene, one)), None))


def _ask_again(scene: Scene, question: Question) -> None:
    key = key_of(scene, question)
    for entry in (session.BET, session.TOLD, session.ASKED, session.SKIPPED):
        entry.forget(key)
    session.AGAIN.set(key, True)
    session.SHOWN.set(scene.page, question.id)
    _open(scene, question)


def _commit(scene: Scene, key: str, option: int, deciding: Params) -> None:
    session.BET.set(key, option)
    session.AGAIN.forget(key)
    address.reveal(scene.page, deciding, scene.playground.name)
    scene.tell(deciding)
