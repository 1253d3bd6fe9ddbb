"""Below the player: what the playground is, its numbers, comparing, its code, sharing. Only the open tab is made."""

import streamlit as st

from playgrounds.kit import export
from playgrounds.kit.catalogue import Playground
from playgrounds.kit.film import label
from playgrounds.kit.metrics import metrics
from playgrounds.kit.params import Params
from playgrounds.kit.runs import Run
from playgrounds.stage import compare
from playgrounds.stage.address import PageState
from playgrounds.stage.scene import Scene
from playgrounds.stage.share import show_share
from playgrounds.stage.sweep import show_sweep


def show_tabs(scene: Scene, state: PageState, run: Run, link: str) -> None:
    """The tabs; `link` is the full link to what is shown."""
    page, title, playground = scene.page, scene.title, scene.playground
    names = ["About", "Numbers", "Compare", "Sweep", "Code", "Share"]
    if "code" in state.view.hide:
        names.remove("Code")
    for name, tab in zip(names, st.tabs(names, key=f"{page}:below", on_change="rerun"), strict=True):
        if not tab.open:
            continue
        with tab:
            match name:
                case "About":
                    st.markdown(playground.about)
                case "Numbers":
                    _numbers(page, run)
                case "Compare":
                    compare.paste(scene, state)
                case "Sweep":
                    show_sweep(scene, state)
                case "Code":
                    _code(page, title, playground, run.params, link)
                case "Share":
                    show_share(scene, state, run, link)


def _numbers(page: str, run: Run) -> None:
    if not run.done:
        st.caption(f"The {len(run.states)} steps computed so far.")
    rows = [{"step": label(s, i)} | metrics(s) for i, s in enumerate(run.states)]
    st.dataframe(rows, hide_index=True, height=320)
    st.download_button(
        "Download as CSV", export.table(run.states), f"{page}.csv", "text/csv", key=f"{page}:csv", on_click="ignore"
    )


def _code(page: str, title: str, playground: Playground, params: Params, link: str) -> None:
    source = export.script(playground, params, title, link)
    st.markdown(
        "What ran on this page, with your values. It needs Python with NumPy, PyTorch and scikit-learn, and prints "
        "the numbers of every step."
    )
    notebook = "application/x-ipynb+json"
    with st.container(horizontal=True):
        st.download_button("Download .py", source, f"{page}.py", "text/x-python", key=f"{page}:py", on_click="ignore")
        st.download_button(
            "Download .ipynb",
            lambda: export.ipynb(playground, params, title, link),
            f"{page}.ipynb",
            notebook,
            key=f"{page}:ipynb",
            on_click="ignore",
        )
    st.code(source, "python", height=480)
