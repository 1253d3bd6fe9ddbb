"""One card as it is asked and answered: options to choose from, a number to type, a sentence to recall."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace

import streamlit as st

from pages.site import Site
from playgrounds.stage import session
from playgrounds.stage.loop import show_loop
from practice.cards import Card
from practice.items import Item, item, judge
from practice.schedule import Rating

RATINGS = {"Again": Rating.AGAIN, "Hard": Rating.HARD, "Good": Rating.GOOD, "Easy": Rating.EASY}


@dataclass(frozen=True)
class Given:
    """What the reader has done with the card so far."""

    seed: str
    chosen: int | None = None
    typed: str = ""
    said: list[str] = field(default_factory=list)  # on typed numbers that were wrong
    shown: bool = False
    rating: Rating | None = None  # how it is rated once the reader goes on


ITEM: session.Entry[Given | None] = session.Entry("item", lambda: None)
Rated = Callable[[Rating], None]


def show_item(site: Site, page: str, card: Card, seed: str, rated: Rated) -> None:
    """Ask the card; `rated` is called with how well it was known once the reader goes on."""
    given = ITEM.get(page)
    if given is None:
        given = Given(seed)
        ITEM.set(page, given)
    one = item(site.glossary, card, given.seed)
    with st.container(border=True, key="practice-card", gap="small"):
        st.caption(_heading(site, card, given))
        _markdown(site, one.ask)
        if one.is_recall:
            _recall(site, page, one, given, rated)
        elif one.options:
            _choice(site, page, one, given, rated)
        else:
            _number(site, page, one, given, rated)


def _heading(site: Site, card: Card, given: Given) -> str:
    """The lesson; the term itself would often be the answer."""
    term = site.glossary.term[card.term]
    hidden = card.kind in ("name", "confusion") and not given.shown
    lesson = site.glossary.lesson[term.lesson].title
    return lesson if hidden else f"{lesson} · {term.name}"


def _markdown(site: Site, text: str) -> None:
    st.markdown(site.glossary.markdown(text), unsafe_allow_html=True)


def _recall(site: Site, page: str, one: Item, given: Given, rated: Rated) -> None:
    if not given.shown:
        st.markdown("Say it to yourself in one sentence, or write it down. Then look.")
        st.button("Show", key=f"{page}:reveal", type="primary", on_click=_reveal, args=(page, given))
        return
    st.success(site.glossary.plain(one.back))
    st.markdown("How well did you know it?")
    with st.container(horizontal=True, key="practice-choices"):
        for label, rating in RATINGS.items():
            st.button(label, key=f"{page}:rate:{label}", on_click=rated, args=(rating,))


def _reveal(page: str, given: Given) -> None:
    ITEM.set(page, replace(given, shown=True))


def _choice(site: Site, page: str, one: Item, given: Given, rated: Rated) -> None:
    if given.chosen is None:
        with st.container(key="practice-choices", gap="xsmall"):
            for n, text in enumerate(one.options):
                st.button(text, key=f"{page}:option:{n}", on_click=_choose, args=(page, given, n, one), width="stretch")
        return
    for n, text in enumerate(one.options):
        colour = "green" if n == one.right else "orange" if n == given.chosen else "other"
        sign = {"green": ":material/check_circle: ", "orange": ":material/cancel: "}.get(colour, "")
        with st.container(key=f"option-{colour}-practice-{n}"):
            st.markdown(f"{sign}{text}{' *your answer*' if n == given.chosen else ''}")
    told = [one.whys[n] for n in dict.fromkeys((given.chosen, one.right)) if one.whys[n]]
    _after(site, page, one, given, "\n\n".join(told) or one.back, rated)


def _choose(page: str, given: Given, n: int, one: Item) -> None:
    rating = Rating.GOOD if n == one.right else Rating.AGAIN
    ITEM.set(page, replace(given, chosen=n, shown=True, rating=rating))


def _number(site: Site, page: str, one: Item, given: Given, rated: Rated) -> None:
    if given.rating is None:
        key = f"{page}:typed:{given.seed}"
        with st.container(horizontal=True, vertical_alignment="bottom"):
            st.text_input(
                "Your answer", key=key, width=220, max_chars=40, on_change=_typed, args=(page, given, key, one)
            )
            st.button("Check", key=f"{page}:check", type="primary", on_click=_typed, args=(page, given, key, one))
            st.button("I do not know", key=f"{page}:pass", on_click=_give_up, args=(page, given))
        if given.said:
            st.warning(given.said[-1], icon=":material/cancel:")
        return
    if given.rating is Rating.AGAIN:
        st.warning(f"It is {one.said[one.exercise.answer]}.", icon=":material/cancel:")
    else:
        st.success("Right.", icon=":material/check_circle:")
    _after(site, page, one, given, one.back, rated)


def _typed(page: str, given: Given, key: str, one: Item) -> None:
    """A first wrong number may be mended, a second may not."""
    text = session.widget(key) or ""
    if not text.strip() or text == given.typed:
        return
    verdict = judge(one, text)
    if verdict.right:
        ITEM.set(page, replace(given, shown=True, rating=Rating.HARD if given.said else Rating.GOOD))
    elif given.said:
        _give_up(page, given)
    else:
        ITEM.set(page, replace(given, typed=text, said=[f"{verdict.say} You have one more try."]))


def _give_up(page: str, given: Given) -> None:
    ITEM.set(page, replace(given, shown=True, rating=Rating.AGAIN))


def _after(site: Site, page: str, one: Item, given: Given, why: str, rated: Rated) -> None:
    """The reason, the run in small, and the way on."""
    _markdown(site, why)
    st.button("Next", key=f"{page}:next", type="primary", on_click=rated, args=(given.rating,))
    if one.deciding:
        term = site.glossary.term[one.card.term]
        with st.container(key="practice-run"):
            show_loop(f"{page}-run", term.name, {one.deciding.playground: one.deciding.values})
        site.link(term, f":primary[Turn its knobs: {term.name} →]")
