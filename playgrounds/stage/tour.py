"""The tour of a page: runs that pause at stops, where the player says what is to be seen."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from playgrounds.kit.film import label
from playgrounds.kit.metrics import said
from playgrounds.kit.params import Params
from playgrounds.kit.runs import Run
from playgrounds.kit.words import filled
from playgrounds.stage import address, player, session
from playgrounds.stage.address import PageState
from playgrounds.stage.goals import permits
from playgrounds.stage.scene import Scene

if TYPE_CHECKING:
    from glossary import Stop


@dataclass
class Leg:
    """Stops that follow each other in one run."""

    scene: Scene  # with the playground of that run
    params: Params
    stops: list[tuple[int, Stop]] = field(default_factory=list)  # with their numbers, counted from 1


def legs(scene: Scene, state: PageState) -> list[Leg]:
    """The tour, as far as the link permits; none at all if it forbids a part."""
    made: list[Leg] = []
    for number, stop in enumerate(scene.stops, start=1):
        there, params = scene.decided_by(stop)
        if not permits(state, there, params):
            return []
        if not made or (made[-1].scene.playground.name, made[-1].params) != (there.playground.name, params):
            made.append(Leg(there, params))
        made[-1].stops.append((number, stop))
    return made


def plan(scene: Scene, state: PageState, run: Run) -> tuple[Any, ...] | None:
    """What the player needs of the tour: see tour.js. Stops that are not computed yet come with a later message."""
    tour = legs(scene, state)
    if not tour:
        return None
    here = next((n for n, leg in enumerate(tour) if _is(leg, state)), None)
    stops = tour[here].stops if here is not None else []
    told = [(number, *_told(stop, run)) for number, stop in stops if stop.step < len(run.states)]
    return len(scene.stops), here, len(tour), tuple(told)


def _is(leg: Leg, state: PageState) -> bool:
    return (leg.scene.playground.name, leg.params) == (state.playground, state.params)


def _told(stop: Stop, run: Run) -> tuple[int, str, str]:
    state = run.states[stop.step]
    return label(state, stop.step), filled(stop.say, said(state)), stop.panel


def go_on(scene: Scene) -> None:
    """The player has asked for another leg: show that run, and let it play to its first stop. Each is asked once."""
    asked = player.reported(scene.page).tour
    if asked is None or asked[0] == session.TOURED.get(scene.page):
        return
    session.TOURED.set(scene.page, asked[0])
    tour = legs(scene, session.state_of(scene.page))
    if asked[1] < len(tour):
        leg = tour[asked[1]]
        address.go(scene.page, leg.params, leg.scene.playground.name)
        leg.scene.tell(leg.params, tour=True)
