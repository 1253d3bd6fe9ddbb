"""The numbers in the course's examples, reasons and tables, computed and kept in static/numbers.json: `make numbers`.

So that no reader waits for them, and no keyboard had a part in them.
"""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from glossary import Glossary, load
from playgrounds.kit import catalogue, endings
from playgrounds.kit.params import Params
from playgrounds.kit.words import places


class Wanted(NamedTuple):
    """Numbers that a text needs of a run."""

    playground: str
    params: Params
    names: frozenset[str]

    @property
    def key(self) -> str:
        return endings.key(self.playground, self.params)


def wanted(glossary: Glossary) -> Iterator[Wanted]:
    """What examples, the reasons behind answers, and tables need."""
    for term in glossary.terms:
        if example := term.asked.example:
            yield from _wanted(*term.values(example), example.text)
        for question in term.asked.question:
            yield from _wanted(*term.values(question), " ".join(option.why for option in question.options))
    for lesson in glossary.lessons:
        for table in lesson.guide.table:
            for row in table.row:
                if row.playground:
                    yield from _wanted(row.playground, row.run, " ".join(row.cells))


def _wanted(name: str, values: dict, text: str) -> Iterator[Wanted]:
    if names := frozenset(places(text)):
        yield Wanted(name, catalogue.load(name).Params.preset(values)[0], names)


def needed(glossary: Glossary) -> dict[str, Wanted]:
    """The runs, each once with all the numbers that are needed of it, by key."""
    found: dict[str, Wanted] = {}
    for one in wanted(glossary):
        before = found[one.key].names if one.key in found else frozenset()
        found[one.key] = one._replace(names=one.names | before)
    return found


def stale(glossary: Glossary, kept: dict[str, dict[str, str]]) -> list[str]:
    """Keys of runs that are missing, or of which a number is."""
    return [at for at, one in needed(glossary).items() if not one.names <= kept.get(at, {}).keys()]


def compute(one: Wanted) -> dict[str, str]:
    numbers = endings.computed(one.playground, one.params)
    return {name: numbers[name] for name in sorted(one.names)}


def main(file: Path = endings.FILE) -> None:
    glossary, kept = load(), endings.kept()
    wanted_now, missing = needed(glossary), stale(glossary, kept)
    made = {at: kept[at] for at in wanted_now if at not in missing}
    for number, at in enumerate(missing, start=1):
        made[at] = compute(wanted_now[at])
        print(f"{number}/{len(missing)} {wanted_now[at].playground}", flush=True)
        text = json.dumps(dict(sorted(made.items())), indent=1, ensure_ascii=False)
        file.write_text(f"{text}\n", encoding="utf-8")  # at once: who stops it has what is done


if __name__ == "__main__":
    main()
