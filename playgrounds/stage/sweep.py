"""Sweep: the last value of a metric over a knob's whole range, with the reader's place in it; a click goes there."""

import json

import streamlit as st

from playgrounds.kit import sweep as kit
from playgrounds.player import library
from playgrounds.stage import address, player, session
from playgrounds.stage.address import PageState
from playgrounds.stage.computing import compute
from playgrounds.stage.scene import Scene, store


def show_sweep(scene: Scene, state: PageState) -> None:
    """Choose knob and metric, compute, click."""
    params, metrics = state.params, scene.playground.metrics
    knobs = [one for one in params.knobs().values() if one.kind in ("int", "float") and one.name != "seed"
             and not state.view.fixed(one.name) and (one.when is None or one.when(params))]  # fmt: skip
    if not knobs:
        st.markdown("There is no number to sweep here.")
        return
    left, right = st.columns(2)
    labels = {one.name: one.label for one in knobs}
    knob = left.selectbox("Knob", list(labels), format_func=lambda name: labels[name], key=f"{scene.page}:sweep:knob")
    metric = right.selectbox("Number at the end of the run", list(metrics), format_func=lambda m: metrics[m].label,
                             key=f"{scene.page}:sweep:metric")  # fmt: skip
    wanted = kit.of(scene.playground, params, knob, metric)
    asked = session.SWEEP.get(scene.page)
    if asked != wanted:
        st.button(
            f"Compute {len(wanted.plan)} runs",
            key=f"{scene.page}:sweep:go",
            on_click=session.SWEEP.set,
            args=(scene.page, wanted),
        )
        return
    run = store.get(kit.playground(scene.playground), wanted)
    report = player.reported(scene.page, "sweep-player").of(run)
    have = report.have
    if not report.stopped:
        compute(run, have)
    if run.failure:
        st.error(f"The sweep could not be computed ({run.failure}). Choose another knob.")
    if run.film.steps:
        mark = json.dumps(kit.mark(params, knob))
        head = {"start": None, "plotly": library.url(), "alt": f"{metric} by {knob}", "pick": True, "mark": mark}
        player.mount(key=f"{scene.page}:sweep-player", data=run.message(have, **head),
                     on_report_change=lambda: _reported(scene, knob))  # fmt: skip
        st.caption(
            f"The dotted line is where you are. Click a point to go to its {labels[knob]}. Each point is one seed."
        )


def _reported(scene: Scene, knob: str) -> None:
    """The player asks for more, or a point was clicked."""
    picked = player.reported(scene.page, "sweep-player").picked
    state = session.state_of(scene.page)
    if picked is None or picked == session.PICKED.get(scene.page):
        return
    session.PICKED.set(scene.page, picked)
    value, problem = state.params.knobs()[knob].read(picked, None)
    if not problem:
        address.go(scene.page, state.params.model_copy(update={knob: value}))
