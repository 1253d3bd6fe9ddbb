"""Decks for Anki: all cards that need no run, with formulas as MathJax and pictures of runs.

Notes keep their GUIDs, so that importing a deck again updates the texts and leaves the student's schedule alone.
"""

import re
import tempfile
from collections.abc import Callable, Iterable
from pathlib import Path

import genanki

from glossary import Glossary, Term
from practice.cards import Card, of_lessons
from practice.items import Item, item

MODEL = 1_607_392_319  # ids that Anki knows the deck and its kinds of notes by: for ever
DECK = 2_059_400_110
SEED = "anki"  # one order of the options, one draw of the numbers
STYLE = """
.card { font-family: system-ui, sans-serif; font-size: 19px; line-height: 1.5; text-align: left; }
.card { max-width: 40em; margin: 0 auto; }
.card img { max-width: 100%; }
.card li { margin: 0.3em 0; }
.tag { color: #667; font-size: 14px; }
"""
FRONT = "<div class=tag>{{Term}}</div>{{Front}}"
BACK = "{{FrontSide}}<hr id=answer>{{Back}}"
Render = Callable[[str], str]  # Markdown with formulas and links to HTML for Anki


def model() -> genanki.Model:
    fields = [{"name": name} for name in ("Id", "Term", "Front", "Back")]
    templates = [{"name": "Card", "qfmt": FRONT, "afmt": BACK}]
    return genanki.Model(MODEL, "Trainable Glossary", fields=fields, templates=templates, css=STYLE)


def guid(card: Card) -> str:
    """What Anki knows the note by: the card's id alone, whatever its texts."""
    return str(genanki.guid_for("trainable-glossary", card.id))


def deck(glossary: Glossary, lessons: Iterable[str], render: Render, pictures: Path) -> bytes:
    """The deck of these lessons, of all if none is named, as an .apkg file.

    pictures: the folder with `<slug>-first-light.webp`; a term without one has none in the deck.
    """
    made = genanki.Deck(DECK, "Trainable Glossary")
    kind = model()
    media: set[Path] = set()
    for card in of_lessons(glossary, lessons).values():
        term = glossary.term[card.term]
        picture = pictures / f"{term.slug}-first-light.webp"
        shown = picture if card.kind == "recall" and picture.exists() else None
        front, back = sides(item(glossary, card, SEED), render, shown)
        fields = [card.id, term.name, front, back]
        made.add_note(genanki.Note(model=kind, fields=fields, tags=_tags(card, term), guid=guid(card)))
        if shown:
            media.add(shown)
    package = genanki.Package(made, media_files=sorted(map(str, media)))
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "glossary.apkg"
        package.write_to_file(path)
        return path.read_bytes()


def _tags(card: Card, term: Term) -> list[str]:
    return [f"lesson::{term.lesson}", f"term::{term.slug}", f"kind::{card.kind}"]


def sides(one: Item, render: Render, picture: Path | None) -> tuple[str, str]:
    """Front and back of a card, in HTML."""
    front, back = render(one.ask), render(one.back) if one.back else ""
    if one.options:
        front += f"<ol type=A>{''.join(f'<li>{_inline(render(text))}</li>' for text in one.options)}</ol>"
        whys = [(n, why) for n, why in enumerate(one.whys) if why]
        reasons = "".join(f"<p><b>{chr(65 + n)}</b> {_inline(render(why))}</p>" for n, why in whys)
        back = f"<p><b>{chr(65 + one.right)}</b></p>{reasons}{back}"
    if one.answer is not None:
        back = f"<p><b>{one.said[one.exercise.answer]}</b></p>{back}"
    if picture:
        back += f'<p><img src="{picture.name}" alt=""></p>'
    return front, back


def _inline(html: str) -> str:
    """A paragraph without its element."""
    found = re.fullmatch(r"\s*<p>(.*)</p>\s*", html, re.DOTALL)
    return found[1] if found and "<p>" not in found[1] else html
