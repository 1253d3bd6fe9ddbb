"""What the parts of the stage share: which playground stands on which page, and the runs of this server."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from playgrounds.kit import catalogue
from playgrounds.kit.catalogue import Playground
from playgrounds.kit.conditions import Preset
from playgrounds.kit.metrics import Number, metrics
from playgrounds.kit.params import Params
from playgrounds.kit.runs import Run, Store
from playgrounds.stage import session
from playgrounds.stage.session import Order

if TYPE_CHECKING:
    from glossary import Exercise, Goal, Question, Stop
    from glossary.entries import Run as Decided

Values = Mapping[str, Any]

store = Store()


@dataclass(frozen=True)
class Scene:
    """A page, and the one of its playgrounds that is shown.

    starts: the playgrounds that the page offers, with the knobs that each starts from; the first opens the page.
    questions, goals, exercises and stops: as the glossary has them, knobs and metrics checked.
    elsewhere: the starts of all pages, by address: a link to any of them can be compared with.
    """

    page: str  # the page's address
    title: str
    playground: Playground
    starts: Mapping[str, Values]
    questions: Sequence[Question] = ()
    goals: Sequence[Goal] = ()
    exercises: Sequence[Exercise] = ()
    stops: Sequence[Stop] = ()
    elsewhere: Mapping[str, Mapping[str, Values]] = field(default_factory=dict)

    def showing(self, name: str) -> Scene:
        """The same page with another of its playgrounds."""
        return self if name == self.playground.name else replace(self, playground=catalogue.load(name))

    @property
    def first(self) -> str:
        """The playground with which the page opens."""
        return next(iter(self.starts))

    @property
    def start(self) -> Params:
        return self.params()

    def params(self, **values: Any) -> Params:
        """What the shown playground starts from here, with these values instead."""
        return _preset(self.playground.Params, {**self.starts.get(self.playground.name, {}), **values})

    def decided_by(self, entry: Decided, values: Values | None = None) -> tuple[Scene, Params]:
        """The scene and the params of the run that an entry of the glossary names (or, of a goal, of its solution)."""
        scene = self.showing(entry.playground or self.first)
        return scene, scene.params(**(entry.run if values is None else values))

    def named(self, preset: Preset) -> Params:
        """The params of one of the playground's named runs."""
        return _preset(self.playground.Params, preset.values)

    def tell(self, params: Params, step: int | None = None, tour: bool = False) -> None:
        """For a button's callback: let the player go to a step of this run, or play it from its start (None), on tour
        or not."""
        run = store.get(self.playground, params)
        session.ORDER.set(self.page, Order(run.id, session.ORDER.get(self.page).number + 1, step, tour))

    def order(self, run: Run) -> tuple[int, int | None, bool] | None:
        """The order that the player has for this run, with its number."""
        wanted = session.ORDER.get(self.page)
        return (wanted.number, wanted.step, wanted.tour) if wanted.run == run.id else None


_made: dict[tuple[type[Params], str], Params] = {}


def _preset(kind: type[Params], values: dict[str, Any]) -> Params:
    """The params of a preset, built once for all readers: a page asks for a dozen of them in every rerun."""
    key = kind, repr(values)
    if key not in _made:
        _made[key] = kind.preset(values)[0]
    return _made[key]


def last_numbers(run: Run) -> dict[str, Number] | None:
    """The metrics with which a run has ended; None while it goes on, or if it could not be computed."""
    return metrics(run.states[-1]) if run.done and run.states and not run.failure else None
