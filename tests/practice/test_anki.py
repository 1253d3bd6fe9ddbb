"""The deck, opened with Anki's own library: it holds the cards, and importing it again keeps the student's schedule."""

import time
from pathlib import Path

import pytest

import glossary
from edition import meta, texts
from practice import anki as decks
from practice.cards import of_lessons

REAL = glossary.load()
LESSONS = ["debugging"]
PICTURES = Path(glossary.PAGES).parent / "static" / "pictures"


def made(course: glossary.Glossary, path: Path) -> str:
    names = meta.names(course)
    render = lambda text: texts.html_for_mathjax(text, names)  # noqa: E731
    path.write_bytes(decks.deck(course, LESSONS, render, PICTURES))
    return str(path)


@pytest.fixture
def collection(tmp_path):
    pytest.importorskip("anki", reason="Anki's library is not installed")
    from anki.collection import Collection

    opened = Collection(str(tmp_path / "collection.anki2"))
    yield opened
    opened.close()


def imported(collection, path: str) -> None:
    from anki.collection import ImportAnkiPackageOptions, ImportAnkiPackageRequest

    options = ImportAnkiPackageOptions(with_scheduling=False, merge_notetypes=True)
    collection.import_anki_package(ImportAnkiPackageRequest(package_path=path, options=options))


def edited(course: glossary.Glossary) -> glossary.Glossary:
    """The course with another exam sentence for the lesson's term."""
    terms = [
        term.model_copy(update={"exam": "It is another sentence."}) if term.lesson in LESSONS else term
        for term in course.terms
    ]
    return glossary.Glossary(course.lessons, terms, course.confusions)


def test_importing_an_edited_deck_keeps_the_schedule_and_brings_the_new_sentence(collection, tmp_path):
    imported(collection, made(REAL, tmp_path / "one.apkg"))
    wanted = of_lessons(REAL, LESSONS)
    assert collection.note_count() == len(wanted)
    (recall,) = collection.find_notes("Id:recall*")
    assert REAL.plain(REAL.term["gradient-checking"].exam)[:20] in collection.get_note(recall)["Back"]
    card = collection.get_note(recall).cards()[0]
    card.ivl, card.reps, card.type, card.queue, card.due = 12, 3, 2, 2, 40
    collection.update_card(card)

    time.sleep(1.1)  # Anki takes what is newer, by the second
    imported(collection, made(edited(REAL), tmp_path / "two.apkg"))
    assert collection.note_count() == len(wanted), "nothing twice"
    note = collection.get_note(recall)
    assert "another sentence" in note["Back"]
    kept = note.cards()[0]
    assert (kept.ivl, kept.reps, kept.type, kept.due) == (12, 3, 2, 40)


def test_a_deck_has_tags_formulas_for_mathjax_and_pictures(collection, tmp_path):
    imported(collection, made(REAL, tmp_path / "one.apkg"))
    notes = [collection.get_note(one) for one in collection.find_notes("")]
    assert all("lesson::debugging" in note.tags for note in notes)
    text = "".join(note["Front"] + note["Back"] for note in notes)
    assert "[[" not in text and "$" not in text
    assert "<img" in text and any(Path(collection.media.dir()).glob("gradient-checking*"))


def test_formulas_are_written_for_mathjax_and_links_as_words():
    html = texts.html_for_mathjax("The [[adam|rule]] $a<b$ and\n\n$$c$$", meta.names(REAL))
    assert r"\(a&lt;b\)" in html and r"\[c\]" in html and "rule" in html and "[[" not in html and "<a" not in html


def test_ids_of_notes_last_and_hang_on_the_cards_id_alone():
    card = next(iter(of_lessons(REAL, LESSONS).values()))
    assert decks.guid(card) == decks.guid(card._replace(kind="name"))
    assert len({decks.guid(one) for one in of_lessons(REAL, ()).values()}) == len(of_lessons(REAL, ()))
