"""Screens that are led: where a reader's screen is, and how it is sent somewhere else."""

from __future__ import annotations

from dataclasses import replace
from typing import NamedTuple

from playgrounds.stage import address, session
from playgrounds.stage.player import reported
from playgrounds.stage.scene import Scene


class Seen(NamedTuple):
    """What a page shows: its state as a link has it, whether the run waits at its start, how often it was played."""

    query: dict[str, str]
    held: bool
    plays: int


def seen(scene: Scene) -> Seen | None:
    """What the page of that scene shows to this reader; None if it was not opened."""
    state = session.STATE.get(scene.page)
    if state is None:
        return None
    return Seen(address.to_query(state, scene), state.held, reported(scene.page).plays)


def place(scene: Scene, query: dict[str, str], held: bool = False, play: bool = False) -> dict[str, str]:
    """Put a page into a state, whether it is open or will be opened next; returns the query of its address.

    play: its run is played from the start.
    """
    state = replace(address.from_query(query, scene, opens=False), held=held, url=query)
    session.STATE.set(scene.page, state)
    session.TOUCHED.forget(scene.page)
    if play:
        scene.showing(state.playground).tell(state.params)
    return query


def rests_at_end(scene: Scene, query: dict[str, str]) -> bool:
    """Whether the page shows the run of that query already, and the query asks for no more than to see its end."""
    state = session.STATE.get(scene.page)
    if state is None or address.STEP in query:
        return False
    wanted = address.from_query(query, scene, opens=False)
    return (state.playground, state.params, state.pinned) == (wanted.playground, wanted.params, wanted.pinned)
