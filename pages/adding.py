"""Under Share, on every page with a playground: add what it shows or asks to a lesson."""

import streamlit as st

from classroom import agenda
from classroom.agenda import MOST_ITEMS, Item
from classroom.database import database
from classroom.refused import Refused
from pages import items, seat
from pages.plain import in_markdown
from pages.site import Site
from pages.teacher import PAGE
from playgrounds.stage import address, session
from playgrounds.stage.address import PageState
from playgrounds.stage.scene import Scene
from playgrounds.stage.session import ROOM

LONG = 70  # characters of a question in the list


def show(site: Site, scene: Scene, state: PageState) -> None:
    offered = offers(scene, state)
    key = f"{scene.page}:lesson"
    with st.expander("Add to a live lesson", key=f"{key}:fold"):
        st.markdown("What shall a class do with this page? Lessons are opened under **Live classroom**.")
        labels = list(offered)
        label = st.selectbox("Add", labels, key=f"{key}:what")
        item = offered[label]
        metric = item.metric
        if item.kind == "seeds":
            known = scene.playground.metrics
            names = list(known)
            metric = st.selectbox("Watch", names, names.index(metric), key=f"{key}:metric",
                                  format_func=lambda name: known[name].label)  # fmt: skip
        minutes = st.number_input("Minutes", 1, 60, 5, key=f"{key}:minutes")
        wanted = item.model_copy(update={"metric": metric, "minutes": int(minutes)})
        st.button("Add to the lesson", key=f"{key}:add", on_click=_add, args=(site, wanted))
        if said := session.SAID.take(key):
            st.markdown(said)
        if st.button("To the live classroom", key=f"{key}:go", type="tertiary"):
            st.switch_page(site.pages[PAGE])


def offers(scene: Scene, state: PageState) -> dict[str, Item]:
    """What can be added, by what is said of it."""
    page, found = scene.page, {}
    for kind, word, entries in (
        ("ask", "Question", scene.questions), ("challenge", "Challenge", scene.goals),
        ("exercise", "Exercise", scene.exercises),
    ):  # fmt: skip
        for entry in entries:
            ask = entry.ask if len(entry.ask) <= LONG else entry.ask[:LONG].rsplit(" ", 1)[0] + " …"
            found[f"{word}: {ask}"] = Item.model_validate({"kind": kind, "page": page, "id": entry.id})
    query = address.to_query(state, scene)
    metrics = scene.playground.metrics
    if "seed" in state.params.knobs() and metrics:
        metric = next((name for name, one in metrics.items() if one.shown), next(iter(metrics)))
        own = {name: value for name, value in query.items() if name not in ("seed", address.STEP, address.PINNED)}
        found["Everyone a seed, with these knobs"] = Item(kind="seeds", page=page, query=own, metric=metric)
    found["Look: all go to this page as it is now"] = Item(kind="look", page=page, query=query)
    return found


def _add(site: Site, item: Item) -> None:
    key = f"{item.page}:lesson"
    try:
        facts = items.facts(site, item)
        mine = seat.mine()
        if mine is not None and mine.teaches:
            agenda.add(database(), mine.secret, [(item, facts)])
            seat.changed(mine)
            session.SAID.set(key, "Added to the agenda of your room.")
            return
        made = seat.draft()
        if len(made.item) >= MOST_ITEMS:
            raise Refused(f"A lesson has at most {MOST_ITEMS} items.")
        seat.set_draft(made.model_copy(update={"item": [*made.item, item]}))
        session.SAID.set(key, f"Added: your lesson has {len(made.item) + 1} items now.")
        session.KEPT.get(ROOM)
    except Refused as refused:
        session.SAID.set(key, in_markdown(str(refused)))
