"""The player as a component of a page, and what it reports."""

from __future__ import annotations

from typing import Any, NamedTuple

import streamlit as st

from playgrounds.kit.runs import Run
from playgrounds.player import assemble
from playgrounds.stage import session

mount = st.components.v2.component(
    "player", html=assemble.html_of_player(), css=assemble.css(), js=assemble.component(), isolate_styles=False
)


class Report(NamedTuple):
    """What a player has said last (player/player.js, tellNow); what else a browser may send counts as nothing."""

    run: str = ""  # the id of the run that it shows
    have: int = 0  # frames that it has
    step: int | None = None  # where it rests; None: at the end
    stopped: bool = False  # whether the reader wants no more frames
    ended: int | None = None  # number of the order whose film was seen to its end
    picked: float | None = None  # value of the point that was clicked
    plays: int = 0  # how often it was set going, where somebody watches
    tour: tuple[int, int] | None = None  # number of the wish, and the leg of the tour that is wished for

    @classmethod
    def read(cls, raw: Any) -> Report:
        if not isinstance(raw, dict):
            return cls()
        return cls(
            run=raw["run"] if isinstance(raw.get("run"), str) else "",
            have=_whole(raw.get("have")) or 0,
            step=_whole(raw.get("step")),
            stopped=raw.get("stopped") is True,
            ended=_whole(raw.get("ended")),
            picked=raw["picked"] if type(raw.get("picked")) in (int, float) else None,
            plays=_whole(raw.get("plays")) or 0,
            tour=_pair(raw.get("tour")),
        )

    def of(self, run: Run) -> Report:
        """The report if it is about this run and can be true, else one that says nothing."""
        if self.run != run.id:
            return Report(run.id)
        return self if self.have <= len(run.film.steps) else self._replace(have=0)


def _whole(value: Any) -> int | None:
    return value if type(value) is int and 0 <= value < 10**9 else None


def _pair(value: Any) -> tuple[int, int] | None:
    if not isinstance(value, list) or len(value) != 2:
        return None
    first, second = map(_whole, value)
    return None if first is None or second is None else (first, second)


def reported(page: str, name: str = "player") -> Report:
    """What the player of that name on the page has said last."""
    value = session.widget(f"{page}:{name}")
    return Report.read(value.get("report") if isinstance(value, dict) else None)
