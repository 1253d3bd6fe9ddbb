"""Practice: a session of cards over chosen lessons, what is due first; at its end what was learned, and until when."""

import json
from datetime import timedelta

import streamlit as st

from glossary import EXAM, PRACTICE, SHEETS
from pages import keeping
from pages.flashcard import ITEM, show_item
from pages.site import Site, frame
from pages.taking import show_taking
from playgrounds.kit.words import counted
from playgrounds.stage import session
from practice import record as records
from practice import schedule
from practice.cards import of_lessons
from practice.schedule import Rating, day
from practice.session import Session, answer, plan

PAGE = PRACTICE
MINUTES = (5, 10, 20, 40)
NOW: session.Entry[Session | None] = session.Entry("session", lambda: None)
TAKEN: session.Entry[str] = session.Entry("taken", str)  # what became of a file
BEFORE: session.Entry[int] = session.Entry("before", int)  # how many cards the session had at its start


def show(site: Site) -> None:
    frame(site, "Practice")
    with st.container(key="bar"):
        st.title("Practice", anchor=False)
    _live(site)


@st.fragment
def _live(site: Site) -> None:
    keeping.connect()
    running = NOW.get(PAGE)
    if running is None:
        _choose(site)
    elif running.card is None:
        _over(site, running)
    else:
        _ask(site, running)


# -------------------------------------------------------------------------------------------------------------- before


def _choose(site: Site) -> None:
    lessons = {one.slug: one.title for one in site.glossary.lessons}
    known = keeping.record()
    with st.container(key="practice-choice", gap="small"):
        chosen = st.multiselect("Lessons", list(lessons), format_func=lessons.__getitem__, key="practice-lessons",
                                placeholder="All lessons")  # fmt: skip
        minutes = st.segmented_control("Minutes", MINUTES, default=10, required=True, key="practice-minutes")
        cards = of_lessons(site.glossary, chosen)
        waiting = len(schedule.due(known, cards, keeping.now(), keeping.zone()))
        new = sum(at not in known.cards for at in cards)
        with st.container(horizontal=True, vertical_alignment="center"):
            st.button("Start", key="practice-start", type="primary", disabled=not (waiting or new),
                      on_click=_start, args=(site, chosen, minutes, True))  # fmt: skip
            if waiting:
                st.button(f"Only what is due ({waiting})", key="practice-due", on_click=_start,
                          args=(site, chosen, minutes, False))  # fmt: skip
            st.markdown(f"{counted(waiting, 'card')} due, {new:,} new" if keeping.is_here() else "")
    _exam_day(known)
    with st.container(key="definition"):
        st.markdown(
            "You are asked what is due, then new things: questions decided by runs, numbers to compute, terms to "
            "recall, pairs to tell apart. What you did not know comes back in the same session, and again a day later. "
            "Keys: 1 to 4 choose, Enter goes on."
        )
    _known_by_lesson(site, known)
    with st.container(horizontal=True):
        st.page_link(site.pages[EXAM], label=":primary[Make a mock exam]")
        st.page_link(site.pages[SHEETS], label=":primary[Sheets to print and a deck for Anki]")
    _keep(known)


def _start(site: Site, lessons: list[str], minutes: int, fresh: bool) -> None:
    cards = of_lessons(site.glossary, lessons)
    made = plan(cards, keeping.record(), keeping.now(), keeping.zone(), minutes, fresh=fresh)
    NOW.set(PAGE, made)
    BEFORE.set(PAGE, len(made.queue))
    ITEM.forget(PAGE)


def _exam_day(known: records.Record) -> None:
    st.date_input("Day of the exam, if you know it", known.exam, key="practice-exam-day", on_change=_set_exam_day,
                  min_value=day(keeping.now(), keeping.zone()) + timedelta(days=1), width=320,
                  help="All cards come up before it, and come back at shorter intervals")  # fmt: skip


def _set_exam_day() -> None:
    chosen = session.widget("practice-exam-day")
    keeping.save(keeping.record().model_copy(update={"exam": chosen}), [])


def _known_by_lesson(site: Site, known: records.Record) -> None:
    if not known.cards:
        return
    ids = {one.slug: list(of_lessons(site.glossary, [one.slug])) for one in site.glossary.lessons}
    shares = schedule.known(known, ids, keeping.now())
    rows = "".join(
        f'<li><span>{site.glossary.lesson[slug].title}</span><meter min="0" max="1" value="{share:.3f}"></meter>'
        f"<b>{share:.0%}</b></li>"
        for slug, share in shares.items()
    )
    st.header("What you know today, by lesson", anchor=False)
    st.html(f'<ul class="known inside">{rows}</ul>')


def _keep(known: records.Record) -> None:
    """The record as a file: a browser may forget."""
    with st.expander("Keep it, move it, erase it", key="practice-keep"):
        st.markdown(
            "All of this lies in your browser alone. Some browsers forget what a page has stored after seven days "
            "without a visit: save it to a file now and then, or to go on with it on another device."
        )
        document = {"format": records.FORMAT, **known.document()}
        st.download_button("Save to a file", json.dumps(document), "glossary-practice.json", "application/json",
                           key="practice-save", on_click="ignore")  # fmt: skip
        show_taking(_take)
        if said := TAKEN.take(PAGE):
            st.info(said)
        st.button("Erase it", key="practice-erase", on_click=keeping.forget)


def _take(text: str) -> None:
    """Add what a file holds to what is known here."""
    try:
        if not text or len(text) > records.MOST_BYTES:
            raise records.RecordError("That file is empty, or larger than any record of practice.")
        taken = records.read(_json(text))
    except records.RecordError as error:
        TAKEN.set(PAGE, str(error))
        return
    before = keeping.record()
    both = records.merged(before, taken)
    if both != before:
        keeping.save(both, list(taken.cards))
    TAKEN.set(PAGE, f"Taken: {counted(len(taken.cards), 'card')}.")


def _json(text: str) -> object:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None


# -------------------------------------------------------------------------------------------------------------- during


def _ask(site: Site, running: Session) -> None:
    card = of_lessons(site.glossary, ())[str(running.card)]
    number = running.numbers.get(card.id, 0)
    done = len(running.learned)
    with st.container(horizontal=True, vertical_alignment="center", key="practice-head"):
        st.progress(done / max(1, BEFORE.get(PAGE)), f"{done} of {BEFORE.get(PAGE)} known")
        st.button("End", key="practice-end", on_click=_end, type="tertiary")
    seed = f"{session.reader()} {len(running.last)} {number}"
    show_item(site, PAGE, card, seed, lambda rating: _rated(running, rating))


def _rated(running: Session, rating: Rating) -> None:
    card = str(running.card)
    is_first = card not in running.first
    after, known = answer(running, keeping.record(), rating, keeping.now(), keeping.zone())
    NOW.set(PAGE, after)
    ITEM.forget(PAGE)
    if is_first:
        keeping.save(known, [card])


def _end() -> None:
    running = NOW.get(PAGE)
    if running is not None:
        NOW.set(PAGE, Session((), running.first, running.last, running.numbers))


# --------------------------------------------------------------------------------------------------------------- after


def _over(site: Site, running: Session) -> None:
    known, zone = keeping.record(), keeping.zone()
    today = day(keeping.now(), zone)
    at_once = sum(rating is not Rating.AGAIN for rating in running.first.values())
    st.header(f"{counted(len(running.first), 'card')}, {at_once} known at the first try", anchor=False)
    dates: dict[str, list[str]] = {}
    for at in running.first:
        left = (day(known.cards[at].due, zone) - today).days
        dates.setdefault(_when(left), []).append(at)
    lines = [f"- {when}: {counted(len(cards), 'card')}" for when, cards in dates.items()]
    if lines:
        st.markdown("They come back\n\n" + "\n".join(lines))
    missed = [at for at, rating in running.first.items() if rating is Rating.AGAIN]
    if missed:
        st.markdown("What you did not know at first")
        cards = of_lessons(site.glossary, ())
        for slug in dict.fromkeys(cards[at].term for at in missed):
            site.link(site.glossary.term[slug])
    st.button("Practise again", key="practice-again", on_click=NOW.forget, args=(PAGE,), type="primary")


def _when(days: int) -> str:
    return "today" if days < 1 else "tomorrow" if days == 1 else f"in {days} days"
