"""What the parts of the stage share: which playground stands on which page, and the runs of this server."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import streamlit as st
from streamlit.runtime.scriptrunner import get_script_run_ctx

from playgrounds.kit.catalogue import Playground
from playgrounds.kit.conditions import Preset
from playgrounds.kit.film import metrics
from playgrounds.kit.params import Params, shown
from playgrounds.kit.runs import FIRST, ROUND, Run, Store

store = Store()
PATIENCE = 2.0  # seconds that a reader who has something to look at waits for a turn; then the player asks again


def compute(run: Run, have: int) -> None:
    """A turn of computing for the reader of this page, whose player has `have` frames; two or more if need be until
    there is something to see."""
    while not run.done:
        patience = PATIENCE if run.film.steps else None
        run.advance(ROUND if have else FIRST, have, _reader(), patience, _pause)
        store.tidy()
        if run.film.steps:
            return


def _reader() -> str:
    """Names the session of this reader."""
    context = get_script_run_ctx()
    return context.session_id if context else ""


def _pause() -> None:
    """Looking into the session's state lets Streamlit end this rerun here, if the reader has left the page."""
    _ = "pause" in st.session_state


@dataclass(frozen=True)
class Scene:
    """A playground on a page.

    questions and goals: as the glossary has them (glossary.Question, glossary.Goal), knobs and metrics checked.
    starts: the presets of all pages that show this playground, by address: a link to any of them can be compared with.
    """

    page: str  # the page's address
    title: str
    playground: Playground
    preset: dict[str, Any]
    questions: Sequence[Any] = ()
    goals: Sequence[Any] = ()
    starts: Mapping[str, dict[str, Any]] = field(default_factory=dict)

    @property
    def start(self) -> Params:
        return self.params()

    def params(self, **values: Any) -> Params:
        """The page's preset with these values instead."""
        return _preset(self.playground.Params, self.preset | values)

    def named(self, preset: Preset) -> Params:
        """The params of one of the playground's named runs."""
        return _preset(self.playground.Params, preset.values)

    def report(self, of: str = "player") -> dict[str, Any]:
        """What the page's player has said last."""
        return (st.session_state.get(f"{self.page}:{of}") or {}).get("report") or {}

    def tell(self, params: Params, step: int | None = None) -> None:
        """For a button's callback: let the player go to a step of this run, or play it from its start (None)."""
        _, count, _ = st.session_state.get(f"{self.page}:order", ("", 0, None))
        st.session_state[f"{self.page}:order"] = store.get(self.playground, params).id, count + 1, step

    def order(self, run: Run) -> tuple[int, int | None] | None:
        """The order that the player has for this run, with a number: it obeys each once."""
        wanted, count, step = st.session_state.get(f"{self.page}:order", ("", 0, None))
        return (count, step) if wanted == run.id else None


_made: dict[tuple[type[Params], str], Params] = {}


def _preset(kind: type[Params], values: dict[str, Any]) -> Params:
    """The params of a preset, built once for all readers: a page asks for a dozen of them in every rerun."""
    key = kind, repr(values)
    if key not in _made:
        _made[key] = kind.preset(values)[0]
    return _made[key]


def last_numbers(run: Run) -> dict[str, float | None] | None:
    """The metrics with which a run has ended; None while it goes on, or if it could not be computed."""
    return metrics(run.states[-1]) if run.done and run.states and not run.failure else None


def knob_text(params: Params, name: str) -> str:
    """A knob and its value as they stand in sentences: Hidden units 3."""
    one, value = params.knobs()[name], getattr(params, name)
    match one.kind:
        case "toggle":
            text = "on" if value else "off"
        case "choices":
            text = ", ".join(map(str, value))
        case "float":
            text = f"{value:g}"
        case "text":
            text = f"“{shown(value)}”"
        case _:
            text = "as drawn" if one.form else str(value)
    return f"{one.label} {text}"
