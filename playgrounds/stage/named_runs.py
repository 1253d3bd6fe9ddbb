"""Good runs and bad runs: the playground's named settings as one control, each with the reason."""

import streamlit as st

from playgrounds.kit.conditions import Preset
from playgrounds.stage import address, session
from playgrounds.stage.address import PageState
from playgrounds.stage.scene import Scene


def show_named_runs(scene: Scene, state: PageState) -> None:
    """A choice of the named runs that this link permits; below it why the one that is shown goes as it does."""
    offered = [one for one in scene.playground.presets if state.permits(scene.named(one))]
    if not offered or "presets" in state.view.hide:
        return
    shown = next((n for n, one in enumerate(offered) if scene.named(one) == state.params), None)
    key = f"{scene.page}:runs:{scene.playground.name}:{shown}"  # another whenever something else has chosen a run
    st.selectbox(
        "Runs to try",
        range(len(offered)),
        index=shown,
        format_func=lambda n: _words(offered[n]),
        placeholder="Runs to try",
        label_visibility="collapsed",
        key=key,
        on_change=_chosen,
        args=(scene, offered, key),
    )
    if shown is not None:
        st.caption(offered[shown].why)


def _words(one: Preset) -> str:
    return f"{one.name} — {'works' if one.good else 'fails'}"


def _chosen(scene: Scene, offered: list[Preset], key: str) -> None:
    n = session.widget(key)
    if n is not None:
        params = scene.named(offered[n])
        address.go(scene.page, params, scene.playground.name)
        scene.tell(params)
