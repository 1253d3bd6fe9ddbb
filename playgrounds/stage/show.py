"""A playground on a page: player, knobs, and below them the numbers, the code and the ways to share."""

from typing import Any

import streamlit as st

from playgrounds.kit import catalogue
from playgrounds.kit.params import Params
from playgrounds.kit.runs import FIRST, ROUND, Run, Store
from playgrounds.kit.words import counted
from playgrounds.stage import below, controls, player, url

MOST_COMPLAINTS = 6  # about one link; what is wrong with the rest is said in a number

store = Store()


def show(page: str, title: str, name: str, preset: dict[str, Any]) -> None:
    """The playground `name`, starting from `preset`; `page` is the page's address."""
    playground = catalogue.load(name)
    start, _ = playground.Params.preset(preset)
    url.arrive(page, start)
    _live(page, title, playground, start)


@st.fragment
def _live(page: str, title: str, playground: catalogue.Playground, start: Params) -> None:
    state = url.current(page, start)
    run = store.get(playground, state.params)
    for complaint in state.complaints[:MOST_COMPLAINTS]:
        st.warning(complaint)
    if (more := len(state.complaints) - MOST_COMPLAINTS) > 0:
        st.warning(f"And {counted(more, 'other value')} that could not be taken.")
    picture, knobs = st.columns([0.73, 0.27], gap="medium")
    with (
        knobs
    ):  # before the player, which asks for more as soon as it is there: by then the knobs must have their values
        controls.controls(page, state.params, start)
    with picture:
        _play(page, playground, run, state.step)
    if run.states:
        below.below(page, title, playground, run, start, state.step)


def _play(page: str, playground: catalogue.Playground, run: Run, step: int | None) -> None:
    key = f"{page}:player"
    report = (st.session_state.get(key) or {}).get("report") or {}
    if report.get("run") != run.id:
        report = {}
    have = report.get("have")
    have = have if isinstance(have, int) and 0 <= have <= len(run.film.steps) else 0
    if not report.get("stopped"):
        fresh = not run.done
        run.advance(ROUND if have else FIRST, beyond=have)
        if fresh:
            store.tidy()
    if run.failure:
        st.error(f"This run could not be computed ({run.failure}). Press Reset, or change a knob.")
    if not run.film.steps:
        return
    alt = playground.about.partition("\n")[0]
    head = {"start": step, "plotly": player.plotly_url(), "alt": alt}
    player.mount(
        key=key,
        data=run.message(have, **head),
        on_report_change=lambda: _reported(page, key),
    )


def _reported(page: str, key: str) -> None:
    """The player has come to rest at a step, or asks for more frames."""
    report = st.session_state[key].get("report") or {}
    state: url.PageState = st.session_state[f"{page}:state"]
    step = report.get("step")
    if step != state.step and (step is None or isinstance(step, int)):
        url.change(page, step=step)
