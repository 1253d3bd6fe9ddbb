"""Links to pages, in one look: cards with a name and a sentence, hits of a search, an index from A to Z."""

from collections.abc import Iterable
from dataclasses import dataclass
from html import escape

import streamlit as st

from glossary import Glossary, Lesson, Term
from pages import pictures


@dataclass(frozen=True)
class Card:
    """A link to an address of the app.

    text: Markdown, formulas included, without links. note: a word above the name. picture: an address, or "".
    """

    address: str
    name: str
    text: str = ""
    note: str = ""
    picture: str = ""


def of_lesson(glossary: Glossary, lesson: Lesson) -> Card:
    shown = (pictures.card(term.slug) for term in glossary.of(lesson))
    number = glossary.lessons.index(lesson) + 1
    return Card(lesson.url, lesson.title, lesson.sentence, f"Lesson {number}", next(filter(None, shown), ""))


def of_term(glossary: Glossary, term: Term) -> Card:
    return Card(term.slug, term.name, glossary.plain(term.lead), picture=pictures.card(term.slug))


def show_cards(cards: Iterable[Card]) -> None:
    """A grid of them. What the reader has done of each is added in the browser (marks.js)."""
    _show("cards", cards)


def show_hits(cards: Iterable[Card], text: str) -> None:
    """What a search for the text has found, best first: Enter in the search box opens the first (search.js)."""
    _show("hits", cards, f' data-for="{escape(text.strip())}"')


def _show(kind: str, cards: Iterable[Card], attributes: str = "") -> None:
    """Lists in Markdown, because sentences may hold formulas: what stands between blank lines is set as Markdown."""
    items = "".join(map(_item, cards))
    st.markdown(f'<ul class="{kind} inside"{attributes}>\n{items}</ul>', unsafe_allow_html=True)


def _item(card: Card) -> str:
    picture = f'<img src="{escape(card.picture)}" alt="" loading="lazy" />' if card.picture else ""
    note = f'<small class="card-note">{escape(card.note)}<span class="card-count"></span></small>' if card.note else ""
    name = f'<strong class="card-name">{escape(card.name)}</strong>'
    text = f"\n{card.text}\n\n" if card.text else ""
    link = f'<a class="card" href="{escape(card.address)}" target="_self">'
    return f"<li>\n{link}\n{picture}{note}{name}\n{text}</a>\n</li>\n"


def show_index(terms: Iterable[Term]) -> None:
    """All terms under their first letters."""
    letters: dict[str, list[Term]] = {}
    for term in terms:
        letters.setdefault(term.name[0].upper(), []).append(term)
    parts = []
    for letter, group in letters.items():
        links = "".join(f'<li><a href="{term.slug}">{escape(term.name)}</a></li>' for term in group)
        parts.append(f"<section><h2>{escape(letter)}</h2><ul>{links}</ul></section>")
    st.html(f'<div class="letters inside">{"".join(parts)}</div>')
