"""A lesson: what you can do after it, what it is about, and its terms in teaching order."""

import streamlit as st

from glossary import Lesson, Row
from pages import cards
from pages.site import Site, frame, neighbours, show_progress
from playgrounds.kit.endings import ended
from playgrounds.kit.words import filled


def show(site: Site, lesson: Lesson) -> None:
    frame(site, lesson.title)
    glossary = site.glossary
    lessons = glossary.lessons
    number = lessons.index(lesson)
    with st.container(key="bar", horizontal=True, vertical_alignment="center", gap="small"):
        st.page_link(site.home, label=f":primary[Lesson {number + 1} of {len(lessons)}]")
        st.title(lesson.title, anchor=False)
    with st.container(key="objective"):
        st.markdown(lesson.sentence)
        _frame(site, lesson)
    with st.container(key="definition"):
        _markdown(site, lesson.introduction)
    st.header("Terms", anchor=False)
    show_progress(glossary.of(lesson))
    with st.container(key="terms"):
        cards.show_cards(cards.of_term(glossary, term) for term in glossary.of(lesson))
    with st.container(key="guide"):
        _compared(site, lesson)
        if lesson.guide.formulas:
            st.header("Formulas", anchor=False)
            _markdown(site, lesson.guide.formulas)
        if lesson.guide.can:
            st.header("Can you now …", anchor=False)
            _markdown(site, "\n".join(f"- {one.say}? [[{one.term}|Try it]]" for one in lesson.guide.can))
    with st.container(key="neighbours"):
        neighbours(_link(site, number - 1), _link(site, number + 1))


def _markdown(site: Site, text: str) -> None:
    st.markdown(site.glossary.markdown(text), unsafe_allow_html=True)


def _frame(site: Site, lesson: Lesson) -> None:
    """How long the lesson takes, and which it stands on."""
    known = site.glossary.lesson
    parts = [f"About {lesson.guide.minutes} minutes"] if lesson.guide.minutes else []
    if lesson.guide.needs:
        names = [f'<a href="{known[slug].url}" target="_self">{known[slug].title}</a>' for slug in lesson.guide.needs]
        parts.append(f"Stands on {', '.join(names)}")
    if parts:
        st.markdown(" · ".join(parts), unsafe_allow_html=True)


def _compared(site: Site, lesson: Lesson) -> None:
    """The lesson's tables, with their numbers filled in."""
    for table in lesson.guide.table:
        st.header(table.title, anchor=False)
        lines = [table.head, ["---"] * len(table.head), *map(_cells, table.row)]
        _markdown(site, "\n".join(f"| {' | '.join(line)} |" for line in lines))


def _cells(row: Row) -> list[str]:
    numbers = ended(row.playground, row.run) if row.playground else {}
    return [filled(" ".join(cell.split()), numbers) for cell in row.cells]


def _link(site: Site, number: int) -> tuple[st.Page, str] | None:
    """The page and the title of the lesson of that number, counted from 0; None if there is none."""
    lessons = site.glossary.lessons
    if not 0 <= number < len(lessons):
        return None
    return site.pages[lessons[number].url], lessons[number].title
