"""Compare: a run is pinned, and plays in step with the one that the knobs now make."""

import math
from typing import Any
from urllib.parse import urlsplit

import streamlit as st

from playgrounds.kit.figures import Figure
from playgrounds.kit.params import knob_text, shown
from playgrounds.kit.runs import Run
from playgrounds.stage import address, session
from playgrounds.stage.address import PageState
from playgrounds.stage.scene import Scene, store

Range = tuple[str, float, float, bool]  # axis, from, to (in powers of ten on a log scale), whether that is one


def pinned(scene: Scene, state: PageState) -> Run | None:
    """The run that the page's run is compared with."""
    return None if state.pinned is None else store.get(scene.playground, state.pinned)


def shared(one: Figure, other: Figure) -> tuple[Range, ...]:
    """Ranges for the axes of two figures of one playground, wide enough for both.

    Where only one of them has a log scale both get it, unless something on the other axis would then be misplaced.
    """
    found = []
    for name, a in one.get("layout", {}).items():
        b = other.get("layout", {}).get(name)
        if "axis" not in name or not (b and "range" in a and "range" in b):
            continue
        low, high = zip(_ends(a, a, b), _ends(b, a, b), strict=True)
        log = "log" in (a.get("type"), b.get("type"))
        if a.get("type") != b.get("type") and not (_free(name, one) and _free(name, other)):
            continue
        backwards = a["range"][0] > a["range"][1]
        ends = (max(low), min(high)) if backwards else (min(low), max(high))
        found.append((name, *ends, log))
    return tuple(found)


def _ends(axis: dict[str, Any], a: dict[str, Any], b: dict[str, Any]) -> list[float]:
    """An axis' range, in powers of ten if either of the two has a log scale; a linear one that starts at 0 has no
    lower end there, so it takes the other's."""
    if "log" not in (a.get("type"), b.get("type")) or axis.get("type") == "log":
        return list(axis["range"])
    other = b if axis is a else a
    return [other["range"][0], math.log10(max(axis["range"][1], 1e-300))]


def _free(axis: str, figure: Figure) -> bool:
    """Whether an axis has no annotation and no picture, which Plotly places by the logarithm on a log axis."""
    name = axis[0] + axis[5:]
    placed = [*figure["layout"]["annotations"], *figure["layout"]["images"]]
    return all(name not in (one.get("xref"), one.get("yref")) for one in placed)


def differences(scene: Scene, state: PageState) -> str:
    """The knobs in which the two runs differ, this run first."""
    here, there = state.params, state.pinned
    if there is None:
        return "No run is pinned."
    names = [name for name in here.knobs() if getattr(here, name) != getattr(there, name)]
    if not names:
        return "Both runs are the same. Move a knob."
    pairs = [(knob_text(here, name), knob_text(there, name), here.knobs()[name].label) for name in names]
    said = [f"{ours} against {theirs.removeprefix(label).strip()}" for ours, theirs, label in pairs]
    return f"This run and the pinned one differ in: {'; '.join(said)}."


def pin_button(scene: Scene, state: PageState) -> None:
    if state.pinned is None:
        st.button("Pin this run", key=f"{scene.page}:pin", on_click=_pin, args=(scene.page,),
                  help="Keep it beside the run that you make next")  # fmt: skip
    else:
        st.button("Unpin", key=f"{scene.page}:unpin", on_click=_unpin, args=(scene.page,),
                  help="Stop comparing")  # fmt: skip


def paste(scene: Scene, state: PageState) -> None:
    """Compare with the run of a link that somebody has sent."""
    st.markdown(
        "Pin a run with the button beside the knobs, then move a knob: both play in step. Or compare with a link:"
    )
    key = f"{scene.page}:paste"
    st.text_input("Link of this playground", key=key, on_change=_pasted, args=(scene, key),
                  placeholder="Paste a link from the Share tab of this playground")  # fmt: skip
    if state.pinned is not None:
        st.markdown(differences(scene, state))


def _pin(page: str) -> None:
    state = session.state_of(page)
    address.change(page, pinned=state.params)


def _unpin(page: str) -> None:
    address.change(page, pinned=None)


def _pasted(scene: Scene, key: str) -> None:
    text = (session.widget(key) or "").strip()
    if not text:
        return
    try:
        parts = urlsplit(text)
    except ValueError:  # brackets that are no address
        parts = urlsplit("")
    page = parts.path.rstrip("/").rpartition("/")[2]
    known = [name for name, starts in scene.elsewhere.items() if scene.playground.name in starts]
    if page not in known:
        said = f"Compare: {shown(page or text)} is no page of this playground; there are {', '.join(known)}."
        address.change(scene.page, complaints=[said])
        return
    start, _ = scene.playground.Params.preset(dict(scene.elsewhere[page][scene.playground.name]))
    params, problems = address.other_run(parts.query, start)
    address.change(
        scene.page, pinned=params, complaints=[f"The run to compare with: {problem}" for problem in problems]
    )
