"""The cards that the glossary holds: each is one thing to be asked, with an id that lasts."""

from collections.abc import Iterable
from typing import Literal, NamedTuple

from glossary import Glossary

Kind = Literal["question", "recall", "name", "exercise", "confusion"]


class Card(NamedTuple):
    """One thing to be asked.

    id      for ever: the reader's schedule is kept under it
    term    whose page it belongs to; of a confusion the one that the course has later
    entry   the id of the question, exercise or confusion; "" for the two cards that every term has
    """

    id: str
    kind: Kind
    term: str
    entry: str = ""


def cards(glossary: Glossary) -> dict[str, Card]:
    """All cards by id, in the order in which they are learned: term by term, of a term the easiest first."""
    return {card.id: card for card in _all(glossary)}


def _all(glossary: Glossary) -> Iterable[Card]:
    place = {term.slug: n for n, term in enumerate(glossary.terms)}
    confusions: dict[str, list[str]] = {}
    for one in glossary.confusions:
        later = max(one.terms, key=place.__getitem__)
        confusions.setdefault(later, []).append(one.id)
    for term in glossary.terms:
        slug = term.slug
        questions = [Card(f"question:{slug}:{one.id}", "question", slug, one.id) for one in term.asked.question]
        exercises = [Card(f"exercise:{slug}:{one.id}", "exercise", slug, one.id) for one in term.asked.exercise]
        yield from questions[:1]
        if term.exam:
            yield Card(f"recall:{slug}", "recall", slug)
        yield from questions[1:]
        yield from exercises
        if term.exam:
            yield Card(f"name:{slug}", "name", slug)
        yield from (Card(f"confusion:{one}", "confusion", slug, one) for one in confusions.get(slug, []))


def of_lessons(glossary: Glossary, lessons: Iterable[str]) -> dict[str, Card]:
    """The cards of these lessons; of all if none is named."""
    wanted = set(lessons)
    all_of_them = cards(glossary)
    if not wanted:
        return all_of_them
    return {at: card for at, card in all_of_them.items() if glossary.term[card.term].lesson in wanted}
