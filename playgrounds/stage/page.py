"""A page's stage: on the left the player, on the right question and knobs, below them the tabs."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import streamlit as st

from playgrounds.kit import catalogue
from playgrounds.kit.runs import Run, key
from playgrounds.kit.words import counted
from playgrounds.player import library
from playgrounds.stage import address, compare, player, progress, session, sheet, tour
from playgrounds.stage.address import PageState
from playgrounds.stage.computing import compute
from playgrounds.stage.diagnosis import show_diagnosis
from playgrounds.stage.goals import show_goals_briefly
from playgrounds.stage.knobs import show_knobs
from playgrounds.stage.named_runs import show_named_runs
from playgrounds.stage.questions import show_questions
from playgrounds.stage.scene import Scene, Values, store
from playgrounds.stage.tabs import show_tabs

if TYPE_CHECKING:
    from glossary.entries import Asked

MOST_COMPLAINTS = 6  # about one link; what is wrong with the rest is said in a number
WIDTHS = [880, 320]  # px of stage and rail on a laptop's screen


def show_page(
    page: str,
    title: str,
    starts: Mapping[str, Values],
    asked: Asked | None = None,
    elsewhere: Mapping[str, Mapping[str, Values]] | None = None,
    definition: Callable[[], None] | None = None,
    onward: Callable[[], None] | None = None,
    shared: Callable[[Scene, PageState], None] | None = None,
    ended: Callable[[Scene, PageState, Run], None] | None = None,
) -> None:
    """The playgrounds `starts`, of which the first is shown; `page` is the page's address.

    asked: what the page asks. definition: shows what stands in the first tab. onward: a link to the next page, for
    whoever is done with this one. shared: more for the Share tab. ended: is told of a run that has ended. The rest: see
    Scene.
    """
    scene = made(page, title, starts, asked, elsewhere)
    address.arrive(scene)
    _live(scene, definition, onward, shared, ended)


def made(
    page: str,
    title: str,
    starts: Mapping[str, Values],
    asked: Asked | None = None,
    elsewhere: Mapping[str, Mapping[str, Values]] | None = None,
) -> Scene:
    """The scene of a page, showing the first of its playgrounds."""
    first = catalogue.load(next(iter(starts)))
    scene = Scene(page, title, first, starts, elsewhere={page: starts, **(elsewhere or {})})
    if asked is None:
        return scene
    return replace(scene, questions=asked.question, goals=asked.goal, exercises=asked.exercise, stops=asked.stop)


@st.fragment
def _live(
    scene: Scene,
    definition: Callable[[], None] | None,
    onward: Callable[[], None] | None,
    shared: Callable[[Scene, PageState], None] | None,
    ended: Callable[[Scene, PageState, Run], None] | None,
) -> None:
    tour.go_on(scene)
    state = address.current(scene)
    scene = scene.showing(state.playground)
    run = store.get(scene.playground, state.params)
    _complain(state)
    picture, rail = st.columns(WIDTHS, gap="medium")
    with rail, st.container(key="rail"):  # before the player, which asks for more as soon as it is there
        sheet.handle()
        with st.container(key="rail-predict", gap="small"):
            answered = show_questions(scene, state, onward)
        with st.container(key="rail-knobs", gap="xsmall"):
            _choose(scene, state)
            show_named_runs(scene, state)
            show_knobs(scene, state)
        if scene.goals and "goals" not in state.view.hide:
            with st.container(key="rail-goals"):
                show_goals_briefly(scene)
    with picture, st.container(key="stage", gap="xsmall"):
        _players(scene, state, run)
        show_diagnosis(scene, state, run)
        reached = show_tabs(scene, state, run, definition, shared)
    progress.record(scene, answered, reached)
    if ended is not None and run.done and run.states and not run.failure:
        ended(scene, state, run)


def _complain(state: PageState) -> None:
    for complaint in state.complaints[:MOST_COMPLAINTS]:
        st.warning(complaint)
    if (more := len(state.complaints) - MOST_COMPLAINTS) > 0:
        st.warning(f"And {counted(more, 'other value')} that could not be taken.")


def _choose(scene: Scene, state: PageState) -> None:
    """Where a page has several playgrounds: which of them."""
    names = [*dict.fromkeys([*scene.starts, state.playground])]
    if len(names) < 2:
        return
    widget = f"{scene.page}:playground:{state.playground}"  # a new one whenever something else has chosen another
    st.segmented_control(
        "Playground",
        names,
        default=state.playground,
        required=True,
        format_func=lambda name: name.replace("_", " ").capitalize(),
        key=widget,
        on_change=_chosen,
        args=(scene, widget),
        label_visibility="collapsed",
    )


def _chosen(scene: Scene, widget: str) -> None:
    name = session.widget(widget)
    if name:
        address.go(scene.page, scene.showing(name).start, name)


def _players(scene: Scene, state: PageState, run: Run) -> None:
    """The run's player, and beside it that of the pinned run."""
    other = compare.pinned(scene, state)
    have = _advance(scene, run, "player")
    head = {"start": state.step, "order": scene.order(run), "hold": state.held}
    if session.LEADS.get(session.ROOM):
        head["watched"] = True
    if other is None:
        _play(scene, run, "player", have, **head, tour=tour.plan(scene, state, run))
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
    report = player.reported(scene.page, name).of(run)
    if not report.stopped:
        compute(run, report.have)
    if run.failure:
        step = f" at step {run.film.steps[-1]}" if run.film.steps else ""
        st.error(f"This run could not be computed: it failed{step} ({run.failure}). Press Reset, or change a knob.")
    return report.have


def _play(scene: Scene, run: Run, name: str, have: int, **head: Any) -> None:
    """Show the run in the player of that name, sending it the frames it does not have."""
    if not run.film.steps:
        return
    alt = scene.playground.about.partition("\n")[0]
    player.mount(
        key=f"{scene.page}:{name}",
        data=run.message(have, plotly=library.url(), alt=alt, **head),
        on_report_change=lambda: _reported(scene, name),
    )


def _reported(scene: Scene, name: str) -> None:
    """The player has come to rest at a step, or asks for more frames."""
    if name != "player":
        return
    report = player.reported(scene.page)
    state = session.state_of(scene.page)
    shown = key(scene.showing(state.playground).playground, state.params)
    if report.step != state.step and report.run == shown:  # else it is late
        address.change(scene.page, step=report.step, held=state.held and report.step == 0)
