"""The knobs of a playground as Streamlit widgets, made from its Params alone."""

from typing import Any

import streamlit as st

from playgrounds.kit.params import Knob, Params
from playgrounds.stage import address, session
from playgrounds.stage.address import PageState
from playgrounds.stage.compare import pin_button
from playgrounds.stage.pad import entered, pad
from playgrounds.stage.scene import Scene

IN_SIGHT = 4  # knobs; the others are under More
MOST_PILLS = 6  # more choices than that go into a box that opens


def show_knobs(scene: Scene, state: PageState) -> None:
    """All knobs that matter at these params and that the link does not hide, then the buttons."""
    page, params, view = scene.page, state.params, state.view
    knobs = [one for one in params.knobs().values() if one.name not in view.hide and (not one.when or one.when(params))]
    in_sight = [one for one in knobs if not one.more][:IN_SIGHT]
    for one in in_sight:
        _widget(scene, one, params, view.fixed(one.name))
    if folded := [one for one in knobs if one not in in_sight]:
        changed = [one.label for one in folded if getattr(params, one.name) != getattr(scene.start, one.name)]
        more = st.expander("More", key=f"{page}:more", on_change="rerun")  # with another label it would fold up
        if more.open:
            with more:
                for one in folded:
                    _widget(scene, one, params, view.fixed(one.name))
        elif changed:
            st.caption(f"Changed under More: {', '.join(changed)}.")
    with st.container(horizontal=True):
        st.button("Reset", key=f"{page}:reset", on_click=address.go, args=(page, scene.start),
                  disabled=params == address.reset(scene, state), help="Back to where this page starts")  # fmt: skip
        if any(one.name == "seed" for one in knobs) and not view.fixed("seed"):
            st.button("New seed", key=f"{page}:reseed", on_click=_reseed, args=(page,),
                      help="The same settings from other random numbers")  # fmt: skip
        pin_button(scene, state)
    if session.FRESH.take(page):
        _take_over(page, knobs, params)


def _widget(scene: Scene, one: Knob, params: Params, locked: bool) -> None:
    page, value = scene.page, getattr(params, one.name)
    key = _key(page if scene.playground.name == scene.first else f"{page}:{scene.playground.name}", one, value)
    shared: dict[str, Any] = {"key": key, "help": one.help or None, "on_change": _turned, "args": (page, one, key),
                              "disabled": locked}  # fmt: skip
    match one.kind:
        case "toggle":
            st.toggle(one.label, value, **shared)
        case "choice" if len(one.choices) <= MOST_PILLS:
            st.pills(one.label, one.choices, default=value, required=True, wrap=True, **shared)
        case "choice":
            st.selectbox(one.label, one.choices, one.choices.index(value), **shared)
        case "choices":
            st.pills(one.label, one.choices, default=value, selection_mode="multi", wrap=True, **shared)
        case "int" | "float" if one.log:
            grid = sorted({*one.grid(), value})
            st.select_slider(one.label, grid, value, format_func=lambda v: f"{v:g}", **shared)
        case "int" if one.name == "seed":
            st.number_input(one.label, int(one.lo), int(one.hi), value, step=1, **shared)
        case "int":
            st.slider(one.label, int(one.lo), int(one.hi), value, step=int(one.step or 1), **shared)
        case "float":
            step = one.step or (one.hi - one.lo) / 100
            digits = max(0, len(f"{step:g}".partition(".")[2]))
            st.slider(one.label, float(one.lo), float(one.hi), value, step=float(step), format=f"%.{digits}f", **shared)
        case "drawing" | "matrix" | "points":
            pad(one, value, key, locked, lambda: _turned(page, one, key))
        case "text" if one.hi > 200:
            st.text_area(one.label, value, height=120, **shared)
        case "text":
            st.text_input(one.label, value, **shared)


def _key(page: str, one: Knob, value: Any) -> str:
    """The widget's key: a new one whenever the value was changed by something else (a link, Reset).

    The browser sends the values of all widgets with every rerun, and for a moment those may still be the old ones;
    under a new key they count for nothing. What a reader has entered and we could not take stays where it is.
    """
    base = f"{page}:knob:{one.name}"
    count = session.COUNT.get(base)
    key = f"{base}:{count}" if count else base
    if session.is_widget(key):
        shown, problem = one.read(_entered(one, key, value), value)
        if shown != value and not problem:
            session.COUNT.set(base, count + 1)
            key = f"{base}:{count + 1}"
    if not session.is_widget(key):
        session.SEEN.set(key, value)
    return key


def _entered(one: Knob, key: str, value: Any) -> Any:
    """What stands in the widget of a knob."""
    return entered(key, value) if one.form else session.widget(key)


def _turned(page: str, one: Knob, key: str) -> None:
    """A widget has changed: take its value if it is legal, else keep the old one and say why.

    Streamlit also calls this when the run that made the widget was interrupted, with the value it was made with.
    """
    before = session.state_of(page).params
    old = getattr(before, one.name)
    value, problem = one.read(_entered(one, key, old), old)
    if not problem and value == session.SEEN.get(key):
        return
    session.SEEN.set(key, None if problem else value)
    params = before
    try:
        params = type(before)(**(before.model_dump() | {one.name: value}))
    except ValueError as error:  # a rule between knobs
        problem = str(error)
    kept = " The last good value is in use." if params == before else ""
    complaints = [f"{one.label}: {problem}.{kept}"] if problem else []
    address.change(page, params=params, step=None, complaints=complaints)


def _take_over(page: str, knobs: list[Knob], params: Params) -> None:
    """Take what the browser has in its widgets on a page that is new to this session.

    A knob can be moved while the page is finding a server that was started again. Streamlit calls no callback for a
    widget that the session has not made before: the knob would show one value and the run another.
    """
    for one in knobs:
        key = f"{page}:knob:{one.name}"
        if session.is_widget(key) and _entered(one, key, getattr(params, one.name)) != getattr(params, one.name):
            _turned(page, one, key)
            st.rerun()


def _reseed(page: str) -> None:
    """The next seed, not a random one: a class that presses the button together sees the same run, computed once."""
    params = session.state_of(page).params
    seed = params.knobs()["seed"]
    now = getattr(params, seed.name)
    following = now + 1 if now < seed.hi else seed.lo
    address.change(page, params=params.model_copy(update={"seed": following}), step=None, complaints=[])
