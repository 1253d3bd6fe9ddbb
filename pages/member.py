"""What a member of a live room sees on every page: what the room asks, and where the screen is sent."""

import threading
import time
from collections import Counter
from collections.abc import Callable
from random import random

import streamlit as st

from classroom import asking, challenge, rooms, seeds
from classroom.agenda import ANSWER, CLOSED, OPEN, RUN, VOTED, WAITING
from classroom.database import database
from classroom.refused import Refused
from classroom.snapshot import Entry, Snapshot
from pages import charts, items, seat
from pages.plain import in_html, in_markdown
from pages.site import Site
from playgrounds.kit.metrics import metrics
from playgrounds.kit.runs import Run
from playgrounds.kit.words import counted, number
from playgrounds.stage import session
from playgrounds.stage.address import PageState
from playgrounds.stage.scene import Scene, last_numbers, store
from playgrounds.stage.session import ROOM, Seat

LOOK = 2.0  # seconds between two looks at the room, a little more or less: not all look at once
_alone = threading.Lock()  # one member's seed is computed at a time


def show(site: Site) -> None:
    with st.container(key="classbar", gap="xsmall"):
        st.fragment(_bar, run_every=LOOK * (0.9 + 0.2 * random()))(site)


def _bar(site: Site) -> None:
    mine = seat.mine()
    if mine is None:
        return
    now = seat.seen(mine)
    if now is None or mine.member not in now.members:
        if not seat.is_over(mine):
            return  # the snapshot is older than this member
        seat.give_up()
        session.SAID.set(ROOM, "The room is over. Thank you for taking part.")
        st.rerun()
    obey(site, mine, now)
    with st.container(key="classbar-head", horizontal=True, vertical_alignment="center", gap="small"):
        name, state = in_html(now.members[mine.member]), _state(now)
        st.html(f'<p class="classbar-who"><b>{name}</b> · {now.here} here <span role="status">{state}</span></p>')
        with st.popover("You", key="classbar-you"):
            _you(mine, now)
    if now.current is not None:
        with st.container(key="classbar-item", gap="xsmall"):
            _item(site, mine, now, now.current)
    if said := session.SAID.take(ROOM):
        st.warning(in_markdown(said))


def _state(now: Snapshot) -> str:
    if now.leading:
        return "Your screen follows the teacher's."
    return "" if now.current is not None else "Wait for the teacher."


def _you(mine: Seat, now: Snapshot) -> None:
    key = "classbar-name"
    st.text_input("Nickname", now.members[mine.member], max_chars=20, key=key, on_change=_rename, args=(mine, key),
                  help="Others may see it. Do not use your full name.")  # fmt: skip
    st.button("Leave the room", key="classbar-leave", on_click=_leave, args=(mine,),
              help="Your votes and runs are deleted")  # fmt: skip


def _rename(mine: Seat, key: str) -> None:
    typed = session.widget(key) or ""
    attempt(mine, lambda: seat.renamed(mine, rooms.rename(database(), mine.secret, typed)))


def _leave(mine: Seat) -> None:
    attempt(mine, lambda: rooms.leave(database(), mine.secret))


def attempt(mine: Seat, act: Callable[[], object]) -> None:
    """For a button's callback: what the room refuses is said once."""
    try:
        act()
    except Refused as refused:
        session.SAID.set(ROOM, str(refused))
    seat.changed(mine)


# ---------------------------------------------------------------------------------------------- where the screen goes


def obey(site: Site, mine: Seat, now: Snapshot) -> None:
    """Go where the room wants this screen: once for every order, and back again while the teacher leads."""
    walk, before = now.walk, session.OBEYED.get(ROOM)
    if walk is None or walk.page not in site.pages:
        session.OBEYED.set(ROOM, before or (0, 0))
        return
    if before is None and site.here == walk.page and not now.leading:
        before = (walk.number, walk.play)  # a reload: the address has what the member has set since
        session.OBEYED.set(ROOM, before)
    number_, plays = before or (0, 0)
    is_new = walk.number != number_
    if not is_new and not (now.leading and site.here != walk.page):
        return
    session.OBEYED.set(ROOM, (walk.number, walk.play))
    seed, entry = None, now.current
    if entry is not None and entry.item.kind == "seeds" and walk.item == entry.id:
        seed = next(iter(_own_seeds(mine, now, entry)), None)
    plays_now = is_new and walk.play > 0 and (not now.leading or walk.play > plays)
    if now.leading and site.here == walk.page and not plays_now and items.is_there(site, walk):
        return  # its film runs to the end by itself
    query = items.go(site, walk if plays_now else items.without_play(walk), seed)
    st.switch_page(site.pages[walk.page], query_params=query)


def _own_seeds(mine: Seat, now: Snapshot, entry: Entry) -> list[int]:
    have = [one.seed for one in now.grown if one.member == mine.member]
    if have or entry.phase != OPEN:
        return have
    try:
        return seeds.take(database(), mine.secret, entry.id)
    except Refused:
        return []


# ------------------------------------------------------------------------------------------------- what the room asks


def _item(site: Site, mine: Seat, now: Snapshot, entry: Entry) -> None:
    if entry.item.kind in VOTED:
        _vote(site, mine, now, entry)
    elif entry.item.kind == "challenge":
        _challenge(site, mine, now, entry)
    elif entry.item.kind == "seeds":
        _seeds(site, mine, now, entry)
    else:
        st.markdown(items.asked(site, entry.item).text)
        _way(site, entry, "Go there")


def _vote(site: Site, mine: Seat, now: Snapshot, entry: Entry) -> None:
    asked = items.asked(site, entry.item, seed_of(now, entry))
    own = now.votes.get((entry.id, entry.round, mine.member))
    st.markdown(f"**{('Question', 'Second vote')[entry.round - 1]}.** {asked.text}")
    if entry.phase == OPEN:
        if entry.facts.choices:
            _options(mine, entry, asked, own)
        else:
            _number(mine, entry, own)
        said = "Your vote counts. You can change it until the vote is closed." if own else "Vote alone; nobody sees it."
        st.html(f'<p class="classbar-said" role="status">{said}</p>')
        return
    if entry.phase == RUN:  # the picture needs the room
        pass
    elif entry.facts.choices:
        right = asked.right if entry.phase == ANSWER else None
        rounds = [now.counts(entry.id, n) for n in range(1, entry.round + 1)]
        with st.container(key="classbar-ballot"):
            show_ballot(asked, rounds, entry.shown, right, own)
    elif own:
        st.markdown(f"Your answer: {in_markdown(own)}")
    said = {
        CLOSED: "The vote is closed. Discuss it with your neighbour.",
        RUN: f"{_voted(entry, own)}The run decides: watch it.",
    }.get(entry.phase, "")
    if said:
        st.html(f'<p class="classbar-said" role="status">{said}</p>')
    if entry.phase == ANSWER:
        _answer(site, now, entry, asked, own)
    if entry.item.kind != "free" and entry.phase in (RUN, ANSWER):
        _way(site, entry, "Play the run")


def _voted(entry: Entry, own: str | None) -> str:
    if own is None:
        return ""
    return f"You voted {charts.LETTERS[int(own)] if entry.facts.choices else in_html(own)}. "


def show_ballot(
    asked: items.Asked, rounds: list[Counter[str]], shown: bool, right: int | None = None, own: str | None = None
) -> None:
    """The options with how they were chosen. They may hold formulas: they are set as Markdown."""
    st.markdown(charts.ballot(asked.options, rounds, shown, right, own), unsafe_allow_html=True)


def _options(mine: Seat, entry: Entry, asked: items.Asked, own: str | None) -> None:
    for n, option in enumerate(asked.options):
        chosen = own == str(n)
        st.button(
            f"{':material/check_circle: ' if chosen else ''}{charts.LETTERS[n]}\u2002{option}",
            key=f"vote:{entry.id}:{entry.round}:{n}",
            type="primary" if chosen else "secondary",
            on_click=_cast,
            args=(mine, entry.id, str(n)),
            width="stretch",
        )


def _number(mine: Seat, entry: Entry, own: str | None) -> None:
    key = f"vote:{entry.id}:{entry.round}"
    with st.container(horizontal=True, vertical_alignment="bottom", gap="small"):
        st.text_input("Your answer", own or "", key=key, max_chars=40, width=220, on_change=_cast_typed,
                      args=(mine, entry.id, key))  # fmt: skip
        st.button("Send", key=f"{key}:send", type="primary", on_click=_cast_typed, args=(mine, entry.id, key))


def _cast(mine: Seat, item: int, choice: str) -> None:
    attempt(mine, lambda: asking.vote(database(), mine.secret, item, choice))


def _cast_typed(mine: Seat, item: int, key: str) -> None:
    if typed := (session.widget(key) or "").strip():
        _cast(mine, item, typed)


def _answer(site: Site, now: Snapshot, entry: Entry, asked: items.Asked, own: str | None) -> None:
    if asked.options:
        if own is not None and own != str(asked.right) and (why := asked.whys[int(own)]):
            st.markdown(why)
        if asked.right is not None and (why := asked.whys[asked.right]):
            st.markdown(why)
        return
    if own is not None:
        verdict = items.judge(site, entry.item, own, seed_of(now, entry))
        st.markdown("**Right.**" if verdict.right else f"**{in_markdown(own)} is not it.** {verdict.say}")
    st.markdown(asked.because)


def seed_of(now: Snapshot, entry: Entry) -> str:
    """What the numbers of an exercise are drawn by: the same for everybody in the room."""
    return f"room {now.code} {entry.id}"


def _challenge(site: Site, mine: Seat, now: Snapshot, entry: Entry) -> None:
    st.markdown(f"**Challenge.** {items.asked(site, entry.item).text}")
    if entry.phase == WAITING:
        st.html('<p class="classbar-said" role="status">It starts soon.</p>')
        return
    runs = [one for one in now.tried if one.member == mine.member]
    done = any(one.reached for one in runs)
    left = challenge.left(entry.item, entry.began, time.time())
    all_ = len({one.member for one in now.tried if one.reached})
    said = "Reached. " if done else f"{counted(len(runs), 'run')} of yours so far. " if runs else ""
    time_ = f"{clock(left)} left. " if left is not None and entry.phase == OPEN else ""
    over = "The time is up. " if entry.phase != OPEN or left == 0 else ""
    said = f"{said}{over or time_}{all_} of {len(now.members)} have reached it."
    st.html(f'<p class="classbar-said">{"✓ " if done else ""}{said}</p>')
    if site.here != entry.item.page:
        _way(site, entry, "Go there")


def clock(seconds: float) -> str:
    return f"{int(seconds) // 60}:{int(seconds) % 60:02d}"


def _seeds(site: Site, mine: Seat, now: Snapshot, entry: Entry) -> None:
    st.markdown(f"**Everyone a seed.** {items.asked(site, entry.item).text}")
    if entry.phase == WAITING:
        st.html('<p class="classbar-said" role="status">It starts soon.</p>')
        return
    own = [one for one in now.grown if one.member == mine.member]
    ended = [f"seed {one.seed}: {_value(one.numbers, entry.item.metric)}" for one in own if one.numbers is not None]
    waits = [one.seed for one in own if one.numbers is None]
    parts = [", ".join(ended)] if ended else []
    said = "; ".join(parts + ([f"{counted(len(waits), 'run')} to come"] if waits else []))
    if own:
        st.html(f'<p class="classbar-said" role="status">Yours: {in_html(said)}.</p>')
    _grow(site, mine, entry, waits)


def _value(numbers: dict[str, float | None] | None, metric: str) -> str:
    value = (numbers or {}).get(metric)
    return "–" if value is None else number(value)


def _grow(site: Site, mine: Seat, entry: Entry, waits: list[int]) -> None:
    """Compute one of this member's seeds that no page computes."""
    if entry.phase != OPEN or not waits or not _alone.acquire(blocking=False):
        return
    try:
        for seed in waits:
            params = entry.facts.start | {"seed": seed}
            run = store.get(*items.params_of(entry.facts.playground, params))
            if run.done and run.states and not run.failure:
                numbers = last_numbers(run)
            elif site.here == entry.item.page and seed == _shown_seed(entry):
                continue  # the page is at it
            else:
                numbers, _ = items.computed(entry.facts.playground, params)
            seeds.record(database(), mine.secret, entry.id, seed, numbers or {})
            seat.changed(mine)
            return
    except Refused:
        return
    finally:
        _alone.release()


def _shown_seed(entry: Entry) -> int | None:
    """The seed whose run this screen's page shows."""
    state = session.STATE.get(entry.item.page)
    return getattr(state.params, "seed", None) if state is not None else None


def _way(site: Site, entry: Entry, label: str) -> None:
    """A button that leads to where the item is."""
    try:
        walk = items.walk(site, entry.item, entry.id, play=1)
    except Refused:
        return
    if st.button(label, key=f"classbar-way:{entry.id}", type="tertiary"):
        st.switch_page(site.pages[walk.page], query_params=items.go(site, walk))


# --------------------------------------------------------------------------------------- runs that count in the room


def witness(scene: Scene, state: PageState, run: Run) -> None:
    """A run of this member has ended on this server: it may count for what the room is at."""
    mine = seat.mine()
    if mine is None or mine.teaches:
        return
    now = seat.seen(mine)
    entry = now.current if now is not None else None
    if entry is None or entry.phase != OPEN or scene.page != entry.item.page:
        return
    mark = f"{entry.id}:{run.id}"
    if mark in session.DONE.get(ROOM) or scene.playground.name != entry.facts.playground:
        return
    numbers, params = metrics(run.states[-1]), state.params.model_dump(mode="json")
    try:
        if entry.item.kind == "challenge":
            name = scene.playground.name
            challenge.record(database(), mine.secret, entry.id, name, params, numbers, run.id)
        elif entry.item.kind == "seeds" and params | {"seed": 0} == entry.facts.start | {"seed": 0}:
            seeds.record(database(), mine.secret, entry.id, params["seed"], numbers)
        else:
            return
    except Refused:
        return
    session.DONE.set(ROOM, session.DONE.get(ROOM) | {mark})
    seat.changed(mine)
