"""A card as it is asked: a choice, a number to type, or a sentence to recall; and what is said to each answer."""

import re
from dataclasses import dataclass, field
from random import Random
from typing import Any

from glossary import Confusion, Glossary, Term
from glossary.entries import Run
from playgrounds.kit import catalogue
from playgrounds.kit.answers import Verdict, judged
from playgrounds.kit.endings import ended, numbers
from playgrounds.kit.metrics import Number
from playgrounds.kit.words import filled
from practice.cards import Card

NAMES = 4  # to choose from where a sentence is to be named


@dataclass(frozen=True)
class Deciding:
    """The run that decides: a playground and the knobs that it starts from."""

    playground: str
    values: dict[str, Any]


@dataclass(frozen=True)
class Item:
    """What is asked. Texts are Markdown with formulas and [[links]].

    options   to choose from, in this reader's order; whys: what is said to each; right: the place of the right one
    answer    the number to be typed, if one is
    back      what is to be recalled, or the reason behind the answer
    """

    card: Card
    ask: str
    options: tuple[str, ...] = ()
    whys: tuple[str, ...] = ()
    right: int = -1
    back: str = ""
    deciding: Deciding | None = None
    answer: float | None = None
    exercise: Any = None
    known: dict[str, Number] = field(default_factory=dict)  # of an exercise: metrics and drawn knobs, for its slips
    said: dict[str, str] = field(default_factory=dict)

    @property
    def is_recall(self) -> bool:
        return not self.options and self.exercise is None


def item(glossary: Glossary, card: Card, seed: str) -> Item:
    """The card as this seed draws it: the order of options, the numbers of an exercise, the case of a confusion."""
    random = Random(f"{card.id} {seed}")
    term = glossary.term[card.term]
    match card.kind:
        case "recall":
            return Item(card, f"What is {_named(term)}?", back=term.exam)
        case "name":
            return _name(glossary, card, term, random)
        case "question":
            return _question(card, term, random)
        case "exercise":
            return _exercise(card, term, seed)
        case "confusion":
            one = next(one for one in glossary.confusions if one.id == card.entry)
            return _confusion(glossary, card, one, random)


def _named(term: Term) -> str:
    return f"**{term.name}**"


def _name(glossary: Glossary, card: Card, term: Term, random: Random) -> Item:
    """Which term is this? The wrong names are its neighbours'."""
    near = [one for one in glossary.of(glossary.lesson[term.lesson]) if one is not term]
    far = [one for one in glossary.terms if one.lesson != term.lesson]
    random.shuffle(near)
    random.shuffle(far)
    terms = [term, *(near + far)[: NAMES - 1]]
    random.shuffle(terms)
    whys = tuple("" if one is term else f"**{one.name}**: {one.exam}" for one in terms)
    ask = f"Which term is this?\n\n> {blanked(glossary.plain(term.exam), term)}"
    return Item(card, ask, tuple(one.name for one in terms), whys, terms.index(term), back=term.exam)


def blanked(sentence: str, term: Term) -> str:
    """The exam sentence without the term's own names, which would give it away."""
    bare = re.sub(r" \(.*\)$", "", term.name)
    words = sorted({bare, *term.aliases, *re.findall(r"\((.*)\)", term.name)}, key=len, reverse=True)
    for name in filter(None, words):
        sentence = re.sub(rf"\b{re.escape(name)}(?:s|es)?\b", "…", sentence, flags=re.IGNORECASE)
    return sentence


def _question(card: Card, term: Term, random: Random) -> Item:
    one = next(one for one in term.asked.question if one.id == card.entry)
    order = list(range(len(one.options)))
    random.shuffle(order)
    deciding = _deciding(term, one)
    said = ended(deciding.playground, deciding.values)
    options = [one.options[n] for n in order]
    return Item(
        card,
        one.ask,
        tuple(option.text for option in options),
        tuple(filled(option.why, said) for option in options),
        order.index(one.answer),
        deciding=deciding,
    )


def _exercise(card: Card, term: Term, seed: str) -> Item:
    one = next(one for one in term.asked.exercise if one.id == card.entry)
    drawn = one.drawn(seed)
    deciding = _deciding(term, one)
    deciding = Deciding(deciding.playground, deciding.values | drawn)
    said = ended(deciding.playground, deciding.values) | {name: str(value) for name, value in drawn.items()}
    known = numbers(deciding.playground, deciding.values)
    answer = known[one.answer]
    assert answer is not None, "a test runs every exercise"
    typed = {name: value for name, value in drawn.items() if isinstance(value, int | float)}
    return Item(
        card,
        filled(one.ask, said),
        back=filled(one.because, said),
        deciding=deciding,
        answer=answer,
        exercise=one,
        known={**known, **typed},
        said=said,
    )


def _confusion(glossary: Glossary, card: Card, one: Confusion, random: Random) -> Item:
    case = random.choice(one.cases)
    names = [glossary.term[slug].name for slug in one.terms]
    right = one.terms.index(case.term)
    whys = tuple("" if n == right else one.difference for n in range(2))
    return Item(card, f"Which of the two?\n\n> {case.says}", tuple(names), whys, right, back=one.difference)


def _deciding(term: Term, one: Run) -> Deciding:
    return Deciding(*term.values(one))


def judge(one: Item, typed: str) -> Verdict:
    """What is to be said to a typed number."""
    assert one.answer is not None and one.deciding is not None
    metric = catalogue.load(one.deciding.playground).metrics[one.exercise.answer]
    exercise = one.exercise
    verdict = judged(typed, one.answer, exercise.tolerance, metric.unit == "%", exercise.slips, one.known)
    return Verdict(verdict.right, filled(verdict.say, one.said))
