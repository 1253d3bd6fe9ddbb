"""Tabs below the player: what there is to read, to reach, to compare, to take away. Only the open tab is made."""

from __future__ import annotations

from collections.abc import Callable

import streamlit as st

from playgrounds.kit import export
from playgrounds.kit.film import label
from playgrounds.kit.metrics import metrics
from playgrounds.kit.runs import Run
from playgrounds.stage import address, compare
from playgrounds.stage.address import PageState
from playgrounds.stage.exercises import show_exercises
from playgrounds.stage.goals import mark_goals, show_goals
from playgrounds.stage.scene import Scene
from playgrounds.stage.share import show_share
from playgrounds.stage.sweep import show_sweep


def show_tabs(
    scene: Scene,
    state: PageState,
    run: Run,
    definition: Callable[[], None] | None,
    shared: Callable[[Scene, PageState], None] | None = None,
) -> list[str]:
    """The tabs; returns the ids of the goals that were reached. shared: more for the tab Share."""
    reached = mark_goals(scene, state, run)
    link = address.link_to(scene.page, address.to_query(state, scene))
    shown: dict[str, Callable[[], None]] = {}
    if definition is not None and not st.context.is_embedded:
        shown["Definition"] = definition
    if scene.goals and "goals" not in state.view.hide:
        shown["Goals"] = lambda: show_goals(scene, state, run)
    if scene.exercises and "question" not in state.view.hide:
        shown["Exercises"] = lambda: show_exercises(scene, state)
    if run.states:
        shown["Numbers"] = lambda: _numbers(scene, run)
        shown["Compare"] = lambda: compare.paste(scene, state)
        shown["Sweep"] = lambda: show_sweep(scene, state)
        if "code" not in state.view.hide:
            shown["Code"] = lambda: _code(scene, run, link)
        shown["Share"] = lambda: _share(scene, state, run, link, shared)
    shown["About"] = lambda: _about(scene)
    for tab, show in zip(
        st.tabs(list(shown), key=f"{scene.page}:below", on_change="rerun"), shown.values(), strict=True
    ):
        if tab.open:
            with tab:
                show()
    return reached


def _share(
    scene: Scene, state: PageState, run: Run, link: str, shared: Callable[[Scene, PageState], None] | None
) -> None:
    show_share(scene, state, run, link)
    if shared is not None and not st.context.is_embedded:
        shared(scene, state)


def _about(scene: Scene) -> None:
    st.markdown(scene.playground.about)


def _numbers(scene: Scene, run: Run) -> None:
    if not run.done:
        st.caption(f"The {len(run.states)} steps computed so far.")
    declared = scene.playground.metrics
    columns = {name: st.column_config.NumberColumn(metric.label) for name, metric in declared.items()}
    rows = [{"step": label(s, i)} | metrics(s) for i, s in enumerate(run.states)]
    st.dataframe(rows, hide_index=True, height=320, column_config=columns)
    st.download_button(
        "Download as CSV",
        export.table(run.states),
        f"{scene.page}.csv",
        "text/csv",
        key=f"{scene.page}:csv",
        on_click="ignore",
    )


def _code(scene: Scene, run: Run, link: str) -> None:
    page, title = scene.page, scene.title
    source = export.script(scene.playground, run.params, title, link)
    st.markdown(
        "What ran on this page, with your values. It needs Python with NumPy, PyTorch and scikit-learn, and prints "
        "the numbers of every step."
    )
    with st.container(horizontal=True):
        st.download_button("Download .py", source, f"{page}.py", "text/x-python", key=f"{page}:py", on_click="ignore")
        st.download_button(
            "Download .ipynb",
            lambda: export.ipynb(scene.playground, run.params, title, link),
            f"{page}.ipynb",
            "application/x-ipynb+json",
            key=f"{page}:ipynb",
            on_click="ignore",
        )
    st.code(source, "python", height=480)
