"""A playground on a page: question, player, knobs and goals, and below them the numbers, the code and ways to share."""

from collections.abc import Mapping, Sequence
from typing import Any

import streamlit as st

from playgrounds.kit import catalogue
from playgrounds.kit.runs import FIRST, ROUND, Run, key
from playgrounds.kit.words import counted
from playgrounds.stage import below, compare, controls, player, progress, url
from playgrounds.stage.goals import goals as show_goals
from playgrounds.stage.predict import questions as show_questions
from playgrounds.stage.scene import Scene, store
from playgrounds.stage.tries import tries
from playgrounds.stage.trouble import trouble

MOST_COMPLAINTS = 6  # about one link; what is wrong with the rest is said in a number


def show(
    page: str,
    title: str,
    name: str,
    preset: dict[str, Any],
    questions: Sequence[Any] = (),
    goals: Sequence[Any] = (),
    starts: Mapping[str, dict[str, Any]] | None = None,
) -> None:
    """The playground `name`, starting from `preset`; `page` is the page's address. The rest: see Scene."""
    scene = Scene(page, title, catalogue.load(name), preset, questions, goals, {page: preset} | dict(starts or {}))
    url.arrive(page, scene.start)
    _live(scene)


@st.fragment
def _live(scene: Scene) -> None:
    page = scene.page
    state = url.current(page, scene.start)
    run = store.get(scene.playground, state.params)
    for complaint in state.complaints[:MOST_COMPLAINTS]:
        st.warning(complaint)
    if (more := len(state.complaints) - MOST_COMPLAINTS) > 0:
        st.warning(f"And {counted(more, 'other value')} that could not be taken.")
    answered = show_questions(scene, state)
    tries(scene, state)
    picture, knobs = st.columns([0.73, 0.27], gap="medium")
    with knobs:  # before the player, which asks for more as soon as it is there: by then they must have their values
        controls.controls(scene, state)
    with picture:
        _players(scene, state, run)
        trouble(scene, state, run)
    link = below.address(page, url.to_query(state, scene.start))
    reached = show_goals(scene, state, run, below.address(page, state.params.to_query(scene.start)))
    progress.record(page, answered, reached)
    if run.states:
        below.below(scene, state, run, link)


def _players(scene: Scene, state: url.PageState, run: Run) -> None:
    """The run's player, and beside it that of the pinned run."""
    other = compare.pinned(scene, state)
    have = _advance(scene, run, "player")
    head = {"start": state.step, "order": scene.order(run)}
    if other is None:
        _play(scene, run, "player", have, **head)
        return
    st.markdown(compare.differences(scene, state))
    its = _advance(scene, other, "pinned")
    ranges = compare.shared(run.film.base, other.film.base)
    left, right = st.columns(2)
    with left:
        st.markdown("**This run**")
        _play(scene, run, "player", have, **head, role="lead", ranges=ranges)
    with right:
        st.markdown("**Pinned run**")
        _play(scene, other, "pinned", its, start=state.step, role="follow", ranges=ranges)


def _advance(scene: Scene, run: Run, name: str) -> int:
    """Compute a round of the run, unless its player has stopped it; returns how many frames the player has."""
    report = scene.report(name)
    have = report.frames_of(run.id, len(run.film.steps))
    if not (report.stopped and report.run == run.id):
        fresh = not run.done
        run.advance(ROUND if have else FIRST, beyond=have)
        if fresh:
            store.tidy()
    if run.failure:
        st.error(f"This run could not be computed ({run.failure}). Press Reset, or change a knob.")
    return have


def _play(scene: Scene, run: Run, name: str, have: int, **head: Any) -> None:
    """Show the run in the player of that name, sending it the frames it does not have."""
    if not run.film.steps:
        return
    alt = scene.playground.about.partition("\n")[0]
    player.mount(
        key=f"{scene.page}:{name}",
        data=run.message(have, plotly=player.plotly_url(), alt=alt, **head),
        on_report_change=lambda: _reported(scene, name),
    )


def _reported(scene: Scene, name: str) -> None:
    """The player has come to rest at a step, or asks for more frames."""
    if name != "player":
        return
    state: url.PageState = st.session_state[f"{scene.page}:state"]
    report = scene.report()
    if report.step != state.step and report.run == key(scene.playground, state.params):  # else it is late
        url.change(scene.page, step=report.step)
