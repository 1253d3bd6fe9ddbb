"""Good runs and bad runs: the playground's named settings, one click each, with the reason."""

import streamlit as st

from playgrounds.stage import address
from playgrounds.stage.address import PageState
from playgrounds.stage.scene import Scene


def show_named_runs(scene: Scene, state: PageState) -> None:
    """A button for every named run that this link permits; below them why the one that is shown goes as it does."""
    offered = [(one, scene.named(one)) for one in scene.playground.presets]
    offered = [(one, params) for one, params in offered if state.view.permits(state.params, params)]
    if not offered or "presets" in state.view.hide:
        return
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        for n, (one, params) in enumerate(offered):
            st.button(f"{'✓' if one.good else '✗'} {one.name}", key=f"{scene.page}:try:{n}", on_click=address.go,
                      args=(scene.page, params), type="primary" if params == state.params else "secondary",
                      help="A run in which it works" if one.good else "A run in which it fails")  # fmt: skip
    for one, params in offered:
        if params == state.params:
            st.markdown(one.why)
