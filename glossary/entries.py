"""What stands in the course's files, entry by entry: each class is a block of glossary.toml or of a lesson's file."""

from functools import cached_property
from random import Random
from typing import Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from glossary.texts import first_sentence

SLUG = r"^[a-z0-9]+(-[a-z0-9]+)*$"
Values = dict[str, Any]  # knobs, by name
Conditions = dict[str, str]  # metrics, by name: ">= 0.99"


class Entry(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", str_strip_whitespace=True)


class Run(Entry):
    """Something that a run decides: `run` sets knobs, on top of the term's preset; in another playground than the one
    that the term's page opens with, on top of that one's defaults."""

    run: Values = {}
    playground: str = ""  # "": the term's own
    constants: list[float] = []  # numbers in the texts that no run gives: a year, the question's own


class Example(Run):
    """One case in numbers, small enough to redo by hand; {metric} is that number at the end of its run."""

    text: str = Field(min_length=1)


class Option(Entry):
    """One answer to a question, and what is to be said to whoever chooses it."""

    text: str = Field(min_length=1)
    right: bool = False
    why: str = ""


class Question(Run):
    """Predict before the run. `decides` says which numbers the last state of the deciding run has."""

    id: str = Field(pattern=SLUG)  # for ever: progress, votes and decks are keyed by it
    was: int | None = None  # its number in version 0.1.0, under which browsers have stored it
    ask: str = Field(min_length=1)
    options: list[Option] = Field(min_length=2, max_length=4)
    decides: Conditions = {}

    @model_validator(mode="after")
    def _one_is_right(self) -> Self:
        if sum(option.right for option in self.options) != 1:
            raise ValueError("exactly one option needs right = true")
        if len({option.text for option in self.options}) < len(self.options):
            raise ValueError("two options are the same")
        return self

    @property
    def answer(self) -> int:
        """Which option is right, counted from 0."""
        return next(n for n, option in enumerate(self.options) if option.right)


class Slip(Entry):
    """A wrong number that a known mistake gives: `value` is a formula in metrics and drawn knobs."""

    value: str = Field(min_length=1)
    say: str = Field(min_length=1)


class Exercise(Run):
    """A number to be computed, drawn anew for every reader and decided by a run.

    draw       knobs with the values to draw from: [8, 10, 12] or "0..2"
    answer     the metric of the last state that is asked for
    tolerance  relative; 0 for whole numbers
    """

    id: str = Field(pattern=SLUG)
    ask: str = Field(min_length=1)
    draw: dict[str, list[Any] | str] = Field(min_length=1)
    answer: str = Field(min_length=1)
    tolerance: float = Field(0, ge=0, le=0.5)
    because: str = Field(min_length=1)
    slips: list[Slip] = []

    def drawn(self, seed: str) -> Values:
        """The knobs that this seed draws; another seed draws others, as far as there are."""
        random = Random(f"{self.id} {seed}")
        return {knob: random.choice(values_to_draw(values)) for knob, values in self.draw.items()}


def values_to_draw(values: list[Any] | str) -> list[Any]:
    """The values that a list or a range like "0..2" means. Raises ValueError if it means none."""
    if isinstance(values, list):
        if not values:
            raise ValueError("an empty list")
        return values
    low, dots, high = values.partition("..")
    if not dots or not low.strip("-").isdigit() or not high.strip("-").isdigit() or int(low) >= int(high):
        raise ValueError(f"{values!r} is no range")
    return list(range(int(low), int(high) + 1))


class Goal(Run):
    """Something to reach: `reach` compares metrics of the last state, as ">= 0.99"; `with` says how knobs must stand,
    as "<= 3" or, for a choice, as the value itself. `solution` is one way to get there."""

    id: str = Field(pattern=SLUG)
    was: int | None = None
    ask: str = Field(min_length=1)
    reach: Conditions = Field(min_length=1)
    with_: Values = Field({}, alias="with")
    solution: Values = {}


class Stop(Run):
    """Where the tour pauses: at `step` of a run it says a sentence, filled from that step, and points at a panel."""

    step: int = Field(ge=0)
    say: str = Field(min_length=1)
    when: Conditions = {}
    panel: str = ""


class Case(Entry):
    """A sentence that is true of one of two terms: which of them is it?"""

    says: str = Field(min_length=1)
    term: str


class Confusion(Entry):
    """Two terms that students mix up, and what tells them apart."""

    id: str = Field(pattern=SLUG)
    terms: list[str] = Field(min_length=2, max_length=2)
    difference: str = Field(min_length=1)
    cases: list[Case] = Field(min_length=2)
    constants: list[float] = []


class Asked(Entry):
    """What a lesson's file has about one term: [[term.SLUG.question]] and the like."""

    example: Example | None = None
    question: list[Question] = []
    exercise: list[Exercise] = []
    goal: list[Goal] = []
    stop: list[Stop] = []

    @model_validator(mode="after")
    def _ids_are_different(self) -> Self:
        for kind, entries in (("question", self.question), ("exercise", self.exercise), ("goal", self.goal)):
            ids = [entry.id for entry in entries]
            for one in dict.fromkeys(ids):
                if ids.count(one) > 1:
                    raise ValueError(f"two of the {kind}s have the id {one!r}")
        return self


class Home(Entry):
    """What the home page shows: the run with which the playground of this term starts, over and over."""

    term: str = Field(min_length=1)


class Ability(Entry):
    """What a student can do after the lesson, and the term whose page practises it."""

    say: str = Field(min_length=1)
    term: str


class Row(Entry):
    """A row of a table; {metric} in a cell is that number at the end of the row's run."""

    cells: list[str] = Field(min_length=2)
    playground: str = ""
    run: Values = {}  # on top of the playground's defaults


class Table(Entry):
    """What a lesson compares."""

    title: str = Field(min_length=1)
    head: list[str] = Field(min_length=2)
    row: list[Row] = Field(min_length=2)

    @model_validator(mode="after")
    def _rows_fit(self) -> Self:
        for number, row in enumerate(self.row, start=1):
            if len(row.cells) != len(self.head):
                raise ValueError(f"row {number} has {len(row.cells)} cells, the head has {len(self.head)}")
        return self


class Guide(Entry):
    """What a lesson's file says about the lesson itself."""

    introduction: str = ""
    minutes: int | None = Field(default=None, ge=1, le=600)
    needs: list[str] = []  # slugs of lessons that come before
    formulas: str = ""  # those of the lesson in one place
    can: list[Ability] = []
    table: list[Table] = []


class Lesson(Entry):
    slug: str = Field(pattern=SLUG)
    title: str = Field(min_length=1)
    sentence: str = Field(min_length=1)  # what a student can do afterwards
    guide: Guide = Field(Guide(), exclude=True)  # from its own file

    @property
    def introduction(self) -> str:
        return self.guide.introduction

    @property
    def url(self) -> str:
        return f"lesson-{self.slug}"


class Term(Entry):
    slug: str = Field(pattern=SLUG)
    name: str = Field(min_length=1, pattern=r"^[^(]")  # what stands in brackets at its end is left out in texts
    aliases: list[str] = []
    translations: dict[Literal["de", "fr", "es"], str] = {}  # under which students search, too
    lesson: str
    exam: str = ""  # what a student would write: one sentence of at most 30 words
    definition: str = Field(min_length=1)
    see_also: list[str] = []
    playground: str = ""  # the one that the page opens with
    also: list[str] = []  # others that the page offers
    preset: Values = {}
    asked: Asked = Field(Asked(), exclude=True)  # from its lesson's file

    @cached_property
    def lead(self) -> str:
        """The sentence that stands above the picture, its links still in it."""
        return self.exam or first_sentence(self.definition)

    @property
    def playgrounds(self) -> list[str]:
        """All that the page offers, the one that it opens with first."""
        return [self.playground, *self.also] if self.playground else []

    @property
    def starts(self) -> dict[str, Values]:
        """The playgrounds that the page offers, with the knobs that each starts from."""
        return {name: self.preset if name == self.playground else {} for name in self.playgrounds}

    def values(self, of: Run, own: Values | None = None) -> tuple[str, Values]:
        """The playground in which an entry's run is made, and the knobs that it starts from.

        own: other knobs than those of `run` (a goal's solution, say).
        """
        name = of.playground or self.playground
        return name, self.starts.get(name, {}) | (of.run if own is None else own)
