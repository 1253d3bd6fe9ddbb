"""The results of a lesson: how the class has voted, without names."""

from collections import Counter
from datetime import UTC, datetime
from typing import Any

import streamlit as st

from classroom import results
from classroom.agenda import VOTED, Item
from classroom.database import database
from pages import charts, items
from pages.member import show_ballot
from pages.plain import in_html, in_markdown
from pages.site import Site
from playgrounds.kit.words import counted


def show(site: Site, name: str) -> None:
    kept = results.kept(database(), name)
    with st.container(key="bar"):
        st.title("Results of a lesson" if kept else "No such results", anchor=False)
    if kept is None:
        st.markdown(f"There are none at this link. A page of results is kept for {results.DAYS} days.")
        return
    day = datetime.fromtimestamp(kept["when"], UTC)
    st.markdown(f"**{in_markdown(kept['title'] or 'Lesson')}** · {day:%d %B %Y} · {counted(kept['members'], 'member')}")
    for n, one in enumerate(kept["items"], start=1):
        item = Item(**one["item"])
        asked = items.asked(site, item) if item.kind != "exercise" else None
        with st.container(border=True, key=f"result-{n}"):
            st.markdown(f"{n}. {items.KINDS[item.kind]} · {items.title(site, item)}")
            if asked is not None:
                st.markdown(asked.text)
            _distribution(site, item, one, asked)
            if item.kind != "free" and item.page in site.pages:
                st.html(f'<p class="inside"><a href="{in_html(item.page)}">To the page</a></p>')


def _distribution(site: Site, item: Item, one: dict[str, Any], asked: items.Asked | None) -> None:
    if item.kind in VOTED:
        rounds = [Counter(counts) for counts in one["rounds"]]
        if asked is not None and asked.options:
            show_ballot(asked, rounds, True, asked.right)
        else:
            told = sum(rounds[-1].values())
            common = ", ".join(f"{in_markdown(typed)} ({n})" for typed, n in rounds[-1].most_common(6))
            st.markdown(f"{counted(told, 'answer')}: {common}")
    elif item.kind == "challenge":
        tried, runs = counted(one["tried"], "member"), counted(one["runs"], "run")
        st.markdown(f"{one['reached']} of {tried} who tried have reached it, in {runs}.")
    elif item.kind == "seeds":
        dots = [charts.Dot(None if value == "None" else float(value), "a run") for value in one["values"]]
        scene, _ = items.scene_of(site, item)
        declared = scene.playground.metrics.get(item.metric)
        bounds = (0.0, 1.0) if declared and declared.unit == "%" else (None, None)
        st.html(charts.strip(dots, declared.label if declared else item.metric, *bounds))
