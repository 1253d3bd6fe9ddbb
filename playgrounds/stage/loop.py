"""A run that plays by itself, over and over: what a playground looks like, on a page that is no playground's."""

from __future__ import annotations

from collections.abc import Mapping

import streamlit as st

from playgrounds.kit import catalogue
from playgrounds.player import assemble, library
from playgrounds.stage.computing import compute
from playgrounds.stage.player import Report, reported
from playgrounds.stage.scene import Scene, Values, store

mount = st.components.v2.component(
    "loop", html=assemble.loop_html(), css=assemble.loop_css(), js=assemble.loop_component(), isolate_styles=False
)


@st.fragment
def show_loop(page: str, title: str, starts: Mapping[str, Values]) -> None:
    """The run with which the first playground of `starts` begins; `page` is the address of the page that shows it.

    A run that fails shows nothing: its own page says why.
    """
    scene = Scene(page, title, catalogue.load(next(iter(starts))), starts)
    run = store.get(scene.playground, scene.start)
    report: Report = reported(page, "loop").of(run)
    compute(run, report.have)
    if not run.film.steps:
        return
    alt = f"{title}: {scene.playground.about.partition(chr(10))[0]}"
    mount(
        key=f"{page}:loop",
        data=run.message(report.have, plotly=library.url(), alt=alt, role="loop"),
        on_report_change=lambda: None,
    )
