"""All lessons and terms in teaching order, and what is found quickly in them."""

import re

from rapidfuzz import utils
from rapidfuzz.distance import OSA

from glossary.entries import Confusion, Home, Lesson, Term
from glossary.texts import LINK, in_text


class Glossary:
    def __init__(self, lessons: list[Lesson], terms: list[Term], confusions: list[Confusion], home: Home | None = None):
        self.home = home
        self.lessons = lessons
        self.terms = terms
        self.confusions = confusions
        self.term = {term.slug: term for term in terms}
        self.lesson = {lesson.slug: lesson for lesson in lessons}

    def of(self, lesson: Lesson) -> list[Term]:
        """The lesson's terms in teaching order."""
        return [term for term in self.terms if term.lesson == lesson.slug]

    @property
    def shown_at_home(self) -> Term | None:
        """The term whose playground runs on the home page, if there is one."""
        return self.term[self.home.term] if self.home else None

    def alphabetical(self) -> list[Term]:
        return sorted(self.terms, key=lambda term: term.name.lower())

    def confused_with(self, term: Term) -> list[Confusion]:
        """The confusions in which the term is one of the two."""
        return [one for one in self.confusions if term.slug in one.terms]

    def search(self, text: str, most: int = 12) -> list[Term]:
        """Terms whose name, alias or definition has the text, best first; small typos are forgiven."""
        text = utils.default_process(text[:100])
        if not text:
            return []
        score: dict[str, float] = {}
        for term in self.terms:
            names = [
                utils.default_process(name)
                for name in (term.name, *term.aliases, *term.translations.values(), term.slug)
            ]
            if any(name.startswith(text) for name in names):
                score[term.slug] = 200 - min(len(name) for name in names if name.startswith(text)) / 100
            elif any(f" {text}" in f" {name}" for name in names):
                score[term.slug] = 150
            elif len(text) > 2 and re.search(rf"\b{re.escape(text)}", utils.default_process(term.definition)):
                score[term.slug] = 100
            elif len(text) > 3 and (near := max(_similar(text, name) for name in names)) >= 0.75:
                score[term.slug] = 90 * near
        ranked = sorted(score, key=lambda slug: -score[slug])
        return [self.term[slug] for slug in ranked[:most]]

    def markdown(self, text: str) -> str:
        """The text with every [[slug]] as a link that opens in the same tab."""
        return LINK.sub(lambda found: self._link(found[1], found[2]), text)

    def plain(self, text: str) -> str:
        """The text with every [[slug]] as the words it shows."""
        return LINK.sub(lambda found: found[2] or in_text(self.term[found[1]].name), text)

    def _link(self, slug: str, words: str | None) -> str:
        term = self.term[slug]
        return f'<a href="{slug}" target="_self" data-term="{slug}">{words or in_text(term.name)}</a>'


def _similar(text: str, name: str) -> float:
    """How like the text is to some word of the name and what follows it, from 0 to 1; a swap is one typo."""
    starts = [m.start() for m in re.finditer(r"\b\w", name)]
    pieces = {name[at : at + len(text) + d] for at in starts for d in (-1, 0, 1)}
    return max((OSA.normalized_similarity(text, piece) for piece in pieces), default=0.0)
