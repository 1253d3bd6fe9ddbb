"""The live classroom: open a room; the projector's view with the code, the current item and the agenda."""

import time
from datetime import UTC, datetime
from functools import lru_cache
from pathlib import Path

import streamlit as st

from classroom import agenda, challenge, results, rooms
from classroom.agenda import ANSWER, OPEN, VOTED, WAITING, Agenda, Item
from classroom.database import database
from classroom.refused import Refused
from classroom.rehearsal import MANY, Troupe
from classroom.snapshot import Entry, Snapshot
from pages import charts, entering, items, report, seat, teacher
from pages.classbar import STYLE
from pages.member import attempt, clock, seed_of, show_ballot
from pages.plain import in_html, in_markdown
from pages.site import Site, frame
from pages.teacher import PAGE
from playgrounds.kit.words import counted, number
from playgrounds.stage import session
from playgrounds.stage.address import link_to
from playgrounds.stage.session import ROOM, Seat
from playgrounds.stage.share import qr

HERE = Path(__file__).resolve().parent
SHOWN = 12  # names of a ranking that the projector has room for

keys = st.components.v2.component(
    "room-keys",
    html='<span class="room-keys"></span>',
    js=(HERE / "room.js").read_text(encoding="utf-8"),
    isolate_styles=False,
)
opener = st.components.v2.component(
    "room-file",
    html='<label class="room-file">Open a lesson from a file<input type="file" accept=".toml,text/plain" /></label>',
    js=(HERE / "room-file.js").read_text(encoding="utf-8"),
    isolate_styles=False,
)


def show(site: Site) -> None:
    query = st.query_params.to_dict()
    if key := query.get("key", ""):
        _take_link(key)
    frame(site, "Live classroom", bar=False)
    st.html(STYLE)
    if name := query.get("results", ""):
        report.show(site, name)
        return
    mine = seat.mine()
    if mine is None:
        _open(site, query.get("agenda", ""))
    elif mine.teaches:
        with st.container(key="projector"):
            st.fragment(_projector, run_every=teacher.LOOK)(site)
        _settings(site, mine)
    else:
        with st.container(key="bar"):
            st.title("Live classroom", anchor=False)
        st.markdown("You are a member of a room on this device. Leave it to open one of your own.")
        if st.button("Leave that room"):
            seat.give_up()
            st.rerun()


def _take_link(key: str) -> None:
    """The teacher's link: the key goes into the browser's store and out of the address, which a projector shows."""
    try:
        if (now := seat.mine()) is None or now.secret != key:
            seat.take(rooms.teaches(database(), key[: seat.MOST]))
    except Refused:
        session.SAID.set(ROOM, "This room is over, or the link is damaged.")
    st.query_params.from_dict({name: value for name, value in st.query_params.to_dict().items() if name != "key"})


# ------------------------------------------------------------------------------------------------------- before a room


def _open(site: Site, packed: str) -> None:
    with st.container(key="bar", horizontal=True, vertical_alignment="center", gap="small"):
        st.title("Live classroom", anchor=False)
    teacher.say()
    st.markdown(
        "Open a room, show its code, and ask: everybody votes alone, discusses, votes again, and then a run decides on "
        "every screen. Nobody needs an account; the room is deleted when you end it, or after 24 hours."
    )
    left, right = st.columns([3, 2], gap="large")
    with right:
        st.subheader("Join a room", anchor=False)
        entering.form("")
    with left:
        st.subheader("Open a room", anchor=False)
        if packed:
            _with_agenda(site, _from_link(packed), "from this link", "link")
        elif seat.draft().item:
            _with_agenda(site, seat.draft(), "of your own", "draft")
            _edit_draft(site)
        if st.button("Open an empty room", type="secondary" if packed or seat.draft().item else "primary"):
            _start(site, Agenda(title="Live lesson"))
        st.markdown("**Lessons of 50 minutes, ready to go**")
        for name, one in agenda.samples().items():
            with st.container(border=True, key=f"sample-{name}", gap="xsmall"):
                st.markdown(f"**{in_markdown(one.title)}** · {one.minutes} minutes · {counted(len(one.item), 'item')}")
                st.caption(in_markdown(one.about))
                with st.container(horizontal=True):
                    if st.button("Open a room with it", key=f"open:{name}"):
                        _start(site, one)
                    st.download_button("Its file", agenda.write_file(one), f"{name}.toml", "text/plain",
                                       key=f"file:{name}", on_click="ignore")  # fmt: skip
        _from_file(site)
        st.caption("Add items of your own on any page, under Share.")


def _from_link(packed: str) -> Agenda:
    try:
        return agenda.from_link(packed)
    except Refused as refused:
        st.warning(str(refused))
        return Agenda()


def _from_file(site: Site) -> None:
    text = opener(key="room-file", on_text_change=lambda: None).text
    if isinstance(text, str) and text:
        try:
            seat.set_draft(agenda.read_file(text))
        except Refused as refused:
            st.warning(in_markdown(str(refused)))
        else:
            st.rerun()


def _with_agenda(site: Site, made: Agenda, whose: str, key: str) -> None:
    if not made.item:
        return
    title = in_markdown(made.title or "A lesson")
    st.markdown(f"**{title}** ({whose}): {counted(len(made.item), 'item')}, {made.minutes} minutes")
    if st.button("Open a room with this lesson", key=f"open:{key}", type="primary"):
        _start(site, made)


def _edit_draft(site: Site) -> None:
    """The lesson that was put together on other pages: order, take out, keep as a link and as a file."""
    made = seat.draft()
    for n, item in enumerate(made.item):
        with st.container(horizontal=True, vertical_alignment="center", key=f"draft-{n}", gap="small"):
            st.markdown(f"{n + 1}. {items.KINDS[item.kind]}: {items.title(site, item)}", width="stretch")
            st.button("↑", key=f"draft:{n}:up", on_click=_move_draft, args=(n, -1), disabled=not n)
            st.button("✕", key=f"draft:{n}:out", on_click=_move_draft, args=(n, 0), help="Take out")
    st.markdown("Its link, to keep or to send to a colleague:")
    st.code(link_to(PAGE, {"agenda": agenda.to_link(made)}), None, wrap_lines=True)
    with st.container(horizontal=True):
        st.download_button("Save as a file", agenda.write_file(made), "lesson.toml", "text/plain", on_click="ignore")
        st.button("Empty it", on_click=lambda: seat.set_draft(Agenda()))


def _move_draft(n: int, by: int) -> None:
    made = seat.draft()
    entries = list(made.item)
    one = entries.pop(n)
    if by:
        entries.insert(max(0, n + by), one)
    seat.set_draft(made.model_copy(update={"item": entries}))


def _start(site: Site, made: Agenda) -> None:
    try:
        found = [(item, items.facts(site, item)) for item in made.item]
        opened = rooms.open_room(database(), made.title)
        if found:
            agenda.add(database(), opened.key, found)
    except Refused as refused:
        st.warning(str(refused))
        return
    seat.take(opened)
    seat.set_draft(Agenda())
    st.query_params.from_dict({})
    st.rerun()


# ----------------------------------------------------------------------------------------------- the projector's view


def _projector(site: Site) -> None:
    mine = seat.mine()
    now = teacher.look(site, mine) if mine is not None else None
    if mine is None or now is None:
        return
    pressed = keys(key="room-keys", on_step_change=lambda: None).step
    if pressed in (1, -1):
        attempt(mine, lambda: agenda.step(database(), mine.secret, pressed))
        st.rerun(scope="fragment")
    join = link_to("join", {"code": now.code})
    stage, side = st.columns([3, 1], gap="large")
    with side, st.container(key="projector-side", gap="small"):
        st.html(
            f'<p class="room-at">Join at <b>{in_html(join.split("//")[-1].partition("?")[0])}</b></p>'
            f'<p class="room-code" aria-label="Code {" ".join(now.code)}">{now.code}</p>'
        )
        if now.current is not None:
            with st.container(key="room-qr"):
                st.image(_qr(join), width="stretch")
        st.html(f'<p class="room-here" role="status">{in_html(teacher.here(now))}</p>')
        _list(site, mine, now)
    with stage, st.container(key="projector-stage", gap="small"):
        if now.current is None:
            _welcome(now, join)
        else:
            _item(site, now, now.current)
        with st.container(key="projector-controls", horizontal=True, gap="small"):
            teacher.controls(site, mine, now)
            teacher.lead(site, mine, now)
            st.page_link(site.home, label=":primary[To the glossary]")
        teacher.say()
        if now.current is not None and now.current.item.note:
            with st.expander("Your note", key=f"note:{now.current.id}"):
                st.markdown(in_markdown(now.current.item.note))


@lru_cache(maxsize=64)
def _qr(link: str) -> str:
    return qr(link)


def _welcome(now: Snapshot, join: str) -> None:
    st.html(f'<h1 class="room-title">{in_html(now.title or "Live lesson")}</h1>')
    st.html('<p class="room-say">Scan the code, or type it. No account; your nickname is made for you.</p>')
    with st.container(key="room-qr-large"):
        st.image(_qr(join), width="stretch")
    if now.named and now.members:
        names = "".join(f"<li>{in_html(name)}</li>" for name in now.members.values())
        st.html(f'<ul class="room-names">{names}</ul>')


def _item(site: Site, now: Snapshot, entry: Entry) -> None:
    asked = items.asked(site, entry.item, seed_of(now, entry))
    with st.container(key="projector-item", gap="small"):
        kind = "Second vote" if entry.round > 1 else items.KINDS[entry.item.kind]
        st.html(f'<p class="room-kind">{now.place} of {len(now.entries)} · {kind}</p>')
        with st.container(key="projector-text"):
            st.markdown(asked.text)
        if entry.item.kind in VOTED:
            _votes(site, now, entry, asked)
        elif entry.item.kind == "challenge":
            _challenge(site, now, entry)
        elif entry.item.kind == "seeds":
            _seeds(site, now, entry)


def _votes(site: Site, now: Snapshot, entry: Entry, asked: items.Asked) -> None:
    rounds = [now.counts(entry.id, n) for n in range(1, entry.round + 1)]
    right = asked.right if entry.phase == ANSWER else None
    with st.container(key="projector-ballot"):
        if entry.facts.choices:
            show_ballot(asked, rounds, entry.shown, right)
        elif entry.shown:
            grouped, names = items.typed_counts(site, entry.item, rounds[-1], seed_of(now, entry))
            if entry.phase != ANSWER:
                names[0] = "one answer" if len(names) > 1 else names[0]
            right = 0 if entry.phase == ANSWER else None
            st.html(charts.ballot(names, [grouped], True, right, letters=False))
    voted = sum(rounds[-1].values())
    said = {
        OPEN: "Vote alone, on your own screen.",
        "closed": "The vote is closed." + ("" if entry.shown else " Convince your neighbour."),
        "run": "The run decides.",
        ANSWER: "",
    }.get(entry.phase, "")
    st.html(f'<p class="room-say" role="status"><b>{voted} of {len(now.members)}</b> have voted. {said}</p>')
    if entry.phase == ANSWER:
        why = asked.whys[asked.right] if asked.right is not None else asked.because
        if why:
            with st.container(key="projector-why"):
                st.markdown(why)


def _challenge(site: Site, now: Snapshot, entry: Entry) -> None:
    if entry.phase == WAITING:
        minutes = f" {counted(entry.item.minutes, 'minute')}." if entry.item.minutes else ""
        st.html(f'<p class="room-say">Start sends every screen to the page.{minutes}</p>')
        return
    left = challenge.left(entry.item, entry.began, time.time())
    done = challenge.ranking(now.tried, entry.item.rank)
    said = f"{clock(left)} left" if left is not None and entry.phase == OPEN else "The time is up"
    if left is None and entry.phase == OPEN:
        said = "Until you stop it"
    st.html(
        f'<p class="room-clock">{said}</p><p class="room-say" role="status"><b>{len(done)} of {len(now.members)}</b> '
        f"have reached it, in {counted(len(now.tried), 'run')}.</p>"
    )
    metric = next(iter(entry.facts.reach), "")
    dots = [
        charts.Dot(one.numbers.get(metric), _who(now, one.member, entry, one), _beside(site, entry, one), one.reached)
        for one in challenge.latest(now.tried).values()
    ]
    label = metric.replace("_", " ")
    st.html(charts.strip(dots, f"{label}, a dot for each member (filled: reached; a click opens the run)"))
    if entry.item.rank != "off" and done:
        lines = "".join(f"<li>{in_html(_who(now, one.member, entry, one))}</li>" for one in done[:SHOWN])
        st.html(f'<ol class="room-ranking">{lines}</ol>')


def _who(now: Snapshot, member: int, entry: Entry, one: challenge.Tried) -> str:
    name = now.members.get(member, "–") if now.named else "a member"
    parts = [name, f"{number(max(0.0, one.at - (entry.began or one.at)))} s" if one.reached else "not yet"]
    return ", ".join([*parts, f"{counted(one.moved, 'knob')} moved"])


def _beside(site: Site, entry: Entry, one: challenge.Tried) -> str:
    """The link to a member's run, beside the one that the page starts from."""
    try:
        scene, _ = items.scene_of(site, entry.item)
    except Refused:
        return ""
    _, params = items.params_of(entry.facts.playground, one.params)
    query = params.to_query(scene.start) | {"pinned": "preset"}
    if scene.playground.name != scene.first:
        query["playground"] = scene.playground.name
    return link_to("", query).partition("?")[2].join([f"{entry.item.page}?", ""])


def _seeds(site: Site, now: Snapshot, entry: Entry) -> None:
    if entry.phase == WAITING:
        st.html('<p class="room-say">Start hands out the seeds and sends every screen to the page.</p>')
        return
    ended = [one for one in now.grown if one.numbers is not None]
    st.html(
        f'<p class="room-say" role="status"><b>{len(ended)} of {len(now.grown)}</b> runs have ended; '
        f"{counted(entry.each, 'seed')} for each.</p>"
    )
    _, params = items.scene_of(site, entry.item)
    scene, _ = items.scene_of(site, entry.item)
    declared = scene.playground.metrics.get(entry.item.metric)
    label = declared.label if declared else entry.item.metric
    bounds = (0.0, 1.0) if declared and declared.unit == "%" else (None, None)
    dots = []
    for one in ended:
        shown = params.model_copy(update={"seed": one.seed})
        query = link_to("", shown.to_query(scene.start)).partition("?")[2]
        name = f"seed {one.seed}" + (f", {now.members.get(one.member, '–')}" if now.named else "")
        dots.append(charts.Dot((one.numbers or {}).get(entry.item.metric), name, f"{entry.item.page}?{query}"))
    st.html(charts.strip(dots, label, *bounds))


# ---------------------------------------------------------------------------------------- agenda, members, the end


def _list(site: Site, mine: Seat, now: Snapshot) -> None:
    """The agenda, the current item marked."""
    for n, entry in enumerate(now.entries, start=1):
        here = entry is now.current
        label = f"{n}. {items.KINDS[entry.item.kind]}: {items.title(site, entry.item)}"
        st.button(label, key=f"go:{entry.id}", type="primary" if here else "tertiary", on_click=attempt,
                  args=(mine, lambda entry=entry: agenda.go(database(), mine.secret, entry.id)))  # fmt: skip


def _settings(site: Site, mine: Seat) -> None:
    """What the teacher needs beside the lesson; it is below the projector's first screen."""
    with st.container(key="projector-below"):
        free, order, people, ending = st.tabs(["Ask something", "Agenda", "Members", "End"])
        with free:
            _ask_freely(site, mine)
        with order:
            _order(site, mine)
        with people:
            _people(site, mine)
        with ending:
            _ending(mine)


def _ask_freely(site: Site, mine: Seat) -> None:
    with st.form("free", border=False, clear_on_submit=True):
        text = st.text_input("Question", max_chars=300)
        typed = st.text_area("Options, one a line (two to six)", height=120, max_chars=700)
        right = st.selectbox("Right is", ["no option: an opinion", *(f"option {one}" for one in charts.LETTERS)])
        sent = st.form_submit_button("Ask now", type="primary")
    if sent:
        options = [" ".join(line.split()) for line in typed.splitlines() if line.strip()]
        answer = charts.LETTERS.index(right[-1]) if right.startswith("option") else None
        try:
            item = Item(kind="free", text=" ".join(text.split()), options=options, right=answer)
            (made,) = agenda.add(database(), mine.secret, [(item, items.facts(site, item))])
            agenda.go(database(), mine.secret, made)
        except ValueError as error:
            st.warning(in_markdown(str(error).split("Value error, ")[-1].partition("[")[0].strip() + "."))
        except Refused as refused:
            st.warning(str(refused))
        else:
            seat.changed(mine)
            st.rerun()


def _order(site: Site, mine: Seat) -> None:
    now = seat.seen(mine)
    if now is None:
        return
    if not now.entries:
        st.markdown("Nothing is on the agenda. Open a term's page and add items under Share, or ask something.")
        return
    for n, entry in enumerate(now.entries):
        with st.container(horizontal=True, vertical_alignment="center", key=f"order-{entry.id}", gap="small"):
            st.markdown(f"{n + 1}. {items.KINDS[entry.item.kind]}: {items.title(site, entry.item)}", width="stretch")
            for sign, by in (("↑", -1), ("↓", 1)):
                st.button(sign, key=f"order:{entry.id}:{by}", disabled=not 0 <= n + by < len(now.entries),
                          on_click=_move, args=(mine, entry.id, by))  # fmt: skip
            st.button("✕", key=f"order:{entry.id}:out", on_click=attempt, help="Take out",
                      args=(mine, lambda entry=entry: agenda.remove(database(), mine.secret, entry.id)))  # fmt: skip
    made = Agenda(title=now.title, item=[entry.item for entry in now.entries])
    st.markdown("This agenda as a link, for the next class:")
    st.code(link_to(PAGE, {"agenda": agenda.to_link(made)}), None, wrap_lines=True)
    st.download_button("Save as a file", agenda.write_file(made), "lesson.toml", "text/plain", on_click="ignore")


def _move(mine: Seat, item: int, by: int) -> None:
    attempt(mine, lambda: agenda.move(database(), mine.secret, item, by))


def _people(site: Site, mine: Seat) -> None:
    now = seat.seen(mine)
    if now is None:
        return
    st.markdown("Your link, for a second device. Whoever has it can do what you can:")
    with st.expander("Show the teacher's link"):
        st.code(link_to(PAGE, {"key": mine.secret}), None, wrap_lines=True)
    st.toggle("Show names on the projector", now.named, key="room:named", on_change=_show_names, args=(mine,))
    if not now.members:
        if st.button(f"Rehearse with {MANY} simulated members", help="They vote, try and compute as a class would"):
            teacher.troupes[mine.room] = Troupe.gather(database(), now.code)
            seat.changed(mine)
            st.rerun()
        st.caption("Nobody is here yet.")
    for member, name in now.members.items():
        with st.container(horizontal=True, vertical_alignment="center", key=f"member-{member}", gap="small"):
            st.markdown(in_markdown(name), width="stretch")
            st.button("Another name", key=f"member:{member}:name", on_click=attempt,
                      args=(mine, lambda member=member: rooms.give_name(database(), mine.secret, member)))  # fmt: skip
            st.button("Send out", key=f"member:{member}:out", on_click=attempt,
                      args=(mine, lambda member=member: rooms.send_out(database(), mine.secret, member)))  # fmt: skip


def _show_names(mine: Seat) -> None:
    attempt(mine, lambda: rooms.show_names(database(), mine.secret, bool(session.widget("room:named"))))


def _ending(mine: Seat) -> None:
    st.markdown("All votes, runs and seeds by nickname, as a table:")
    day = datetime.now(UTC).strftime("%Y-%m-%d")
    st.download_button("Download as CSV", lambda: results.table(database(), mine.secret), f"lesson-{day}.csv",
                       "text/csv", key="room:csv", on_click="ignore")  # fmt: skip
    st.markdown(f"A page without names, to link from the course, which is kept for {results.DAYS} days:")
    if st.button("Make a page of results", key="room:results"):
        try:
            st.code(link_to(PAGE, {"results": results.keep(database(), mine.secret)}), None, wrap_lines=True)
        except Refused as refused:
            st.warning(str(refused))
    st.markdown("Then delete the room with all that belongs to it. By itself it ends after 24 hours.")
    if st.toggle("I have what I need", key="room:sure") and st.button(
        "End the lesson and delete the room", type="primary"
    ):
        attempt(mine, lambda: rooms.end(database(), mine.secret))
        teacher.troupes.pop(mine.room, None)
        seat.give_up()
        session.SAID.set(ROOM, "The room is deleted.")
        st.rerun()
