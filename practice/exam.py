"""A mock exam: the same for everybody who opens its link, with another for every seed."""

import hashlib
import json
from collections.abc import Iterable
from dataclasses import dataclass
from random import Random

from glossary import Glossary
from practice.cards import Card, of_lessons
from practice.items import Item, item, judge
from practice.session import mixed

MOST = 60
KINDS = ("question", "exercise", "confusion")  # what has one right answer


@dataclass(frozen=True)
class Exam:
    """What is asked, in order; `edition` names the content that it was made from."""

    items: tuple[Item, ...]
    edition: str


@dataclass(frozen=True)
class Marked:
    """An item with what was answered: a place among the options, or a typed number; None: nothing."""

    item: Item
    given: int | str | None
    right: bool


def make(glossary: Glossary, lessons: Iterable[str], n: int, seed: int) -> Exam:
    """The exam of this seed over these lessons; of all if none is named.

    Seeds that follow each other share no card as long as there are enough: the cards stand in one order, the same for
    all seeds, and each seed takes the n that come after those of the seed before.
    """
    wanted = sorted(set(lessons))
    pool = [card for card in of_lessons(glossary, wanted).values() if card.kind in KINDS]
    order = _order(pool, " ".join(wanted))
    n = min(n, MOST, len(order))
    start = seed * n % len(order) if order else 0
    chosen = [order[(start + i) % len(order)] for i in range(n)]
    Random(f"exam {seed}").shuffle(chosen)
    return Exam(tuple(item(glossary, card, f"exam {seed}") for card in chosen), edition(glossary, wanted))


def _order(pool: list[Card], name: str) -> list[Card]:
    """All cards so that any stretch of them holds cards of many terms: the terms in turn, each term's cards mixed."""
    random = Random(f"order {name}")
    cards = sorted(pool)
    random.shuffle(cards)
    return mixed(cards)


def edition(glossary: Glossary, lessons: Iterable[str]) -> str:
    """Names what the exams over these lessons are made from: eight letters that change with any of it."""
    wanted = set(lessons)
    terms = [term for term in glossary.terms if not wanted or term.lesson in wanted]
    texts = [
        term.asked.model_dump(mode="json", include={"question", "exercise"}) | {"starts": term.starts} for term in terms
    ]
    texts.extend(one.model_dump(mode="json") for one in glossary.confusions)
    return hashlib.sha256(json.dumps(texts, sort_keys=True, default=str).encode()).hexdigest()[:8]


def mark(exam: Exam, given: dict[str, int | str]) -> list[Marked]:
    """The exam with the answers, which are kept by the cards' ids."""
    return [_marked(one, given.get(one.card.id)) for one in exam.items]


def _marked(one: Item, given: int | str | None) -> Marked:
    if one.options:
        return Marked(one, given, given == one.right)
    return Marked(one, given, isinstance(given, str) and judge(one, given).right)


def points(glossary: Glossary, marked: Iterable[Marked]) -> dict[str, tuple[int, int]]:
    """Right answers and items of each lesson, in the course's order."""
    found: dict[str, tuple[int, int]] = {}
    for lesson in glossary.lessons:
        mine = [one for one in marked if glossary.term[one.item.card.term].lesson == lesson.slug]
        if mine:
            found[lesson.slug] = sum(one.right for one in mine), len(mine)
    return found
