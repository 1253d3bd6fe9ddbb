"""The mock exam: a page that makes links to exams, and the exam of a link, with its points at the end."""

import time
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from random import randrange
from typing import Any

import streamlit as st

from glossary import EXAM, PRACTICE, Glossary
from pages import keeping, practising
from pages.site import Site, frame
from playgrounds.kit.words import counted
from playgrounds.stage import address, session
from playgrounds.stage.share import show_code
from practice import exam as exams
from practice.exam import Exam, Marked
from practice.items import Item
from practice.session import Session
from practice.sheets import exam_sheet, key_sheet, letter, reason, right

MOST_SEED = 10**6
PRINTED = {"print": "true"}
GIVEN: session.Entry[dict[str, Any] | None] = session.Entry("given", lambda: None)
BEGAN: session.Entry[float] = session.Entry("began", float)
HANDED: session.Entry[bool] = session.Entry("handed", bool)


@dataclass(frozen=True)
class Wanted:
    """What a link asks for. seed None: no exam, but the page that makes one."""

    lessons: tuple[str, ...] = ()
    n: int = 20
    seed: int | None = None
    minutes: int = 0
    edition: str = ""
    printed: bool = False

    @property
    def key(self) -> str:
        """Under which the browser keeps the answers."""
        return f"{','.join(self.lessons)}|{self.n}|{self.seed}|{self.edition}"

    def query(self) -> dict[str, str]:
        parts = {"lessons": ",".join(self.lessons), "n": str(self.n), "seed": str(self.seed)}
        parts |= {"minutes": str(self.minutes) if self.minutes else "", "of": self.edition}
        parts |= {"print": "true" if self.printed else ""}
        return {name: value for name, value in parts.items() if value}


def read(query: dict[str, str], known: Iterable[str]) -> tuple[Wanted, list[str]]:
    """What a link means, and what was wrong with it."""
    wrong = []
    lessons = tuple(dict.fromkeys(filter(None, query.get("lessons", "").split(","))))
    for slug in lessons:
        if slug not in known:
            wrong.append(f"There is no lesson {slug[:40]!r}: it was left out.")
    numbers = {}
    for name, low, high, default in (("n", 1, exams.MOST, 20), ("seed", 0, MOST_SEED, 1), ("minutes", 0, 600, 0)):
        text = query.get(name, "")
        is_number = text.isascii() and text.isdigit() and len(text) < 9 and low <= int(text) <= high
        if text and not is_number:
            wrong.append(
                f"{name} must be a number from {low} to {high:,}; it is {text[:20]!r}, so {default} was taken."
            )
        numbers[name] = int(text) if is_number else default
    kept = tuple(slug for slug in lessons if slug in known)
    seed = numbers["seed"] if query.get("seed") else None
    edition = query.get("of", "")[:8]
    printed = query.get("print") == "true"
    return Wanted(kept, numbers["n"], seed, numbers["minutes"], edition, printed), wrong


def show(site: Site) -> None:
    frame(site, "Mock exam")
    wanted, wrong = read(st.query_params.to_dict(), site.glossary.lesson)
    with st.container(key="bar"):
        st.title("Mock exam", anchor=False)
    for complaint in wrong:
        st.warning(complaint)
    if wanted.seed is None:
        _make(site, wanted)
        return
    made = _exam(site.glossary, wanted)
    if wanted.edition and wanted.edition != made.edition:
        st.warning(
            "This link was made for an earlier version of the glossary: some of its questions may be others now. "
            "Whoever opens it today gets the same exam as you."
        )
    if not made.items:
        st.info("These lessons have nothing to ask yet. Choose others.")
    elif wanted.printed:
        _printed(site.glossary, made, wanted)
    else:
        _live(site, made, wanted)


@lru_cache(maxsize=32)
def _exam(glossary: Glossary, wanted: Wanted) -> Exam:
    return exams.make(glossary, wanted.lessons, wanted.n, wanted.seed or 0)


# ------------------------------------------------------------------------------------------------------------- a link


@st.fragment
def _make(site: Site, wanted: Wanted) -> None:
    lessons = {one.slug: one.title for one in site.glossary.lessons}
    left, code = st.columns([3, 2], gap="large")
    with left:
        chosen = st.multiselect("Lessons", list(lessons), list(wanted.lessons), format_func=lessons.__getitem__,
                                key="exam-lessons", placeholder="All lessons")  # fmt: skip
        with st.container(horizontal=True):
            n = st.number_input("Questions", 1, exams.MOST, wanted.n, key="exam-n", width=150)
            minutes = st.number_input("Minutes (0: no clock)", 0, 600, wanted.minutes, key="exam-minutes", width=200)
            seed = st.number_input("Version", 0, MOST_SEED, _drawn(), key="exam-seed", width=150,
                                   help="Who has the same version has the same exam")  # fmt: skip
        ready = Wanted(tuple(chosen), int(n), int(seed), int(minutes), exams.edition(site.glossary, chosen))
        link = address.link_to(EXAM, ready.query())
        st.markdown("**The exam**: whoever opens this link gets the same questions and the same numbers.")
        st.code(link, None, wrap_lines=True)
        other = Wanted(ready.lessons, ready.n, (ready.seed or 0) + 1, ready.minutes, ready.edition)
        with st.container(horizontal=True):
            st.page_link(site.pages[EXAM], label=":primary[Open it]", query_params=ready.query())
            st.page_link(site.pages[EXAM], label=":primary[Print it]", query_params=ready.query() | PRINTED)
            st.page_link(site.pages[EXAM], label=":primary[Print version B]", query_params=other.query() | PRINTED)
    with code:
        show_code(link)


DRAWN: session.Entry[int | None] = session.Entry("drawn", lambda: None)


def _drawn() -> int:
    """A version that is proposed: the same for as long as this page is open."""
    if DRAWN.get(EXAM) is None:
        DRAWN.set(EXAM, randrange(1, 1000))
    return DRAWN.get(EXAM) or 1


# ------------------------------------------------------------------------------------------------------------- taken


@st.fragment
def _live(site: Site, made: Exam, wanted: Wanted) -> None:
    of = f"{EXAM} {wanted.key}"
    kept = keeping.connect(wanted.key)
    if GIVEN.get(of) is None and isinstance(kept, dict):
        _recall(of, made, kept)
    given = GIVEN.get(of)
    if given is None:
        _before(of, made, wanted)
    elif HANDED.get(of):
        _result(site, made, wanted, given)
    else:
        _during(site, of, made, wanted, given)


def _recall(of: str, made: Exam, kept: dict[str, Any]) -> None:
    """Answers that the browser has kept, as far as they can be answers."""
    raw = kept.get("given")
    began = kept.get("began")
    known = {one.card.id: one for one in made.items}
    if not isinstance(raw, dict) or not isinstance(began, int | float):
        return
    GIVEN.set(of, {at: value for at, value in raw.items() if at in known and _fits(known[at], value)})
    BEGAN.set(of, float(began))


def _fits(one: Item, value: Any) -> bool:
    if one.options:
        return isinstance(value, int) and 0 <= value < len(one.options)
    return isinstance(value, str) and len(value) <= 40


def _before(of: str, made: Exam, wanted: Wanted) -> None:
    clock = f", {counted(wanted.minutes, 'minute')}" if wanted.minutes else ""
    st.markdown(
        f"{counted(len(made.items), 'question')}{clock}. Nothing is said about your answers before you hand in. "
        "You may leave and come back: this browser keeps them."
    )
    st.button("Begin", type="primary", key="exam-begin", on_click=_begin, args=(of, wanted.key))


def _begin(of: str, key: str) -> None:
    GIVEN.set(of, {})
    BEGAN.set(of, time.time())
    keeping.save_exam(key, {}, time.time())


def _during(site: Site, of: str, made: Exam, wanted: Wanted, given: dict[str, Any]) -> None:
    with st.container(key="exam-head", horizontal=True, vertical_alignment="center"):
        st.markdown(f"{len(given)} of {len(made.items)} answered")
        if wanted.minutes:
            _clock(BEGAN.get(of) + 60 * wanted.minutes)
    with st.container(key="definition"):
        for n, one in enumerate(made.items, start=1):
            with st.container(border=True, key=f"exam-item-{n}"):
                st.markdown(f"**{n}.** {site.glossary.markdown(one.ask)}", unsafe_allow_html=True)
                _field(of, wanted.key, one, n, given)
        st.button("Hand in", type="primary", key="exam-hand-in", on_click=HANDED.set, args=(of, True))


@st.fragment(run_every=20)
def _clock(end: float) -> None:
    left = end - time.time()
    st.markdown(f"⏱ {round(left / 60)} min left" if left > 0 else f"⏱ {counted(round(-left / 60), 'minute')} over time")


def _field(of: str, key: str, one: Item, n: int, given: dict[str, Any]) -> None:
    widget = f"{of}:item:{n}"
    before = given.get(one.card.id)
    shared: dict[str, Any] = {"key": widget, "on_change": _give, "args": (of, key, one, widget)}
    if one.options:
        st.radio("Answer", range(len(one.options)), index=before, label_visibility="collapsed",
                 format_func=lambda k: f"**{letter(k)}** {one.options[k]}", **shared)  # fmt: skip
    else:
        st.text_input("Your number", before or "", max_chars=40, width=240, **shared)


def _give(of: str, key: str, one: Item, widget: str) -> None:
    value = session.widget(widget)
    if value is None or not _fits(one, value):
        return
    GIVEN.set(of, {**(GIVEN.get(of) or {}), one.card.id: value})
    keeping.save_exam(key, {one.card.id: value}, BEGAN.get(of))


# ------------------------------------------------------------------------------------------------------------- marked


def _result(site: Site, made: Exam, wanted: Wanted, given: dict[str, Any]) -> None:
    marked = exams.mark(made, given)
    right_ones = sum(one.right for one in marked)
    st.header(f"{right_ones} of {len(marked)} right", anchor=False)
    lines = [f"| {site.glossary.lesson[slug].title} | {good} of {all_} |"
             for slug, (good, all_) in exams.points(site.glossary, marked).items()]  # fmt: skip
    st.markdown("| Lesson | right |\n|---|---|\n" + "\n".join(lines))
    wrong = [one for one in marked if not one.right]
    with st.container(horizontal=True, vertical_alignment="center"):
        if wrong:
            st.button("Practise these", type="primary", key="exam-practise", on_click=_practise, args=(wrong,))
            st.page_link(site.pages[PRACTICE], label=":primary[Go to the practice]")
        st.button("Take it again", key="exam-again", on_click=_again, args=(f"{EXAM} {wanted.key}",))
    for one in wrong:
        _explained(site, made, one)


def _explained(site: Site, made: Exam, one: Marked) -> None:
    item = one.item
    with st.container(border=True):
        number = made.items.index(item) + 1
        st.markdown(f"**{number}.** {site.glossary.markdown(item.ask)}", unsafe_allow_html=True)
        yours = "nothing" if one.given is None else item.options[one.given] if isinstance(one.given, int) else one.given
        answer = item.options[item.right] if item.options else right(item)
        st.markdown(f":material/cancel: You answered: {yours}")
        st.markdown(f":material/check_circle: **{answer}**")
        st.markdown(site.glossary.markdown(reason(item)), unsafe_allow_html=True)
        site.link(site.glossary.term[item.card.term])


def _practise(wrong: list[Marked]) -> None:
    """A session of the cards that were wrong: the practice page goes on with it."""
    queue = tuple(one.item.card.id for one in wrong)
    practising.NOW.set(PRACTICE, Session(queue))
    practising.BEFORE.set(PRACTICE, len(queue))


def _again(of: str) -> None:
    HANDED.forget(of)
    GIVEN.set(of, {})
    BEGAN.set(of, time.time())


# ------------------------------------------------------------------------------------------------------------- printed


def _printed(glossary: Glossary, made: Exam, wanted: Wanted) -> None:
    st.caption("Print this page with your browser: two columns, the key on a page of its own.")
    with st.container(key="sheet"):
        names = ", ".join(glossary.lesson[slug].title for slug in wanted.lessons) or "All lessons"
        st.markdown(f"## Exam: {names}\n\nVersion {wanted.seed} · Name: ______________________")
        for one in exam_sheet(glossary, made):
            st.markdown(one)
    with st.container(key="sheet-key"):
        st.markdown(f"## Key, version {wanted.seed}")
        for one in key_sheet(glossary, made):
            st.markdown(one)
