"""Sweep: the last value of a metric over a knob's whole range, with the reader's place in it; a click goes there."""

import json

import streamlit as st

from playgrounds.kit import sweep as kit
from playgrounds.stage import player, url
from playgrounds.stage.scene import Scene, compute, store


def sweep(scene: Scene, state: url.PageState) -> None:
    """Choose knob and metric, compute, click."""
    params, metrics = state.params, scene.playground.metrics
    knobs = [one for one in params.knobs().values() if one.kind in ("int", "float") and one.name != "seed"
             and not state.view.fixed(one.name) and (one.when is None or one.when(params))]  # fmt: skip
    if not knobs:
        st.markdown("There is no number to sweep here.")
        return
    left, right = st.columns(2)
    labels = {one.name: one.label for one in knobs}
    knob = left.selectbox("Knob", list(labels), format_func=labels.get, key=f"{scene.page}:sweep:knob")
    metric = right.selectbox("Number at the end of the run", metrics, format_func=lambda m: m.replace("_", " "),
                             key=f"{scene.page}:sweep:metric")  # fmt: skip
    wanted = kit.of(scene.playground, params, knob, metric)
    asked = st.session_state.get(f"{scene.page}:sweep")
    if asked != wanted:
        st.button(
            f"Compute {len(wanted.plan)} runs", key=f"{scene.page}:sweep:go", on_click=_ask, args=(scene.page, wanted)
        )
        return
    run = store.get(kit.playground(scene.playground), wanted)
    report = scene.report("sweep-player")
    have = report.get("have") if report.get("run") == run.id else 0
    have = have if isinstance(have, int) and 0 <= have <= len(run.film.steps) else 0
    if not (report.get("run") == run.id and report.get("stopped")):
        compute(run, have)
    if run.failure:
        st.error(f"The sweep could not be computed ({run.failure}). Choose another knob.")
    if run.film.steps:
        mark = json.dumps(kit.mark(params, knob))
        head = {"start": None, "plotly": player.plotly_url(), "alt": f"{metric} by {knob}", "pick": True, "mark": mark}
        player.mount(key=f"{scene.page}:sweep-player", data=run.message(have, **head),
                     on_report_change=lambda: _reported(scene, knob))  # fmt: skip
        st.caption(
            f"The dotted line is where you are. Click a point to go to its {labels[knob]}. Each point is one seed."
        )


def _ask(page: str, wanted: kit.Sweep) -> None:
    st.session_state[f"{page}:sweep"] = wanted


def _reported(scene: Scene, knob: str) -> None:
    """The player asks for more, or a point was clicked."""
    report = scene.report("sweep-player")
    picked = report.get("picked")
    state: url.PageState = st.session_state[f"{scene.page}:state"]
    if picked is None or picked == st.session_state.get(f"{scene.page}:picked"):
        return
    st.session_state[f"{scene.page}:picked"] = picked
    value, problem = state.params.knobs()[knob].read(picked, None)
    if not problem:
        url.go(scene.page, state.params.model_copy(update={knob: value}))
