"""What a reader has answered and reached, by the glossary's ids: kept in the reader's own browser and nowhere else."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import streamlit as st

from playgrounds.stage import questions, session

if TYPE_CHECKING:
    from glossary import Goal, Question
    from playgrounds.stage.scene import Scene

HERE = Path(__file__).resolve().parent

mount = st.components.v2.component(
    "progress",
    html=(HERE / "progress.html").read_text(encoding="utf-8"),
    css=(HERE / "progress.css").read_text(encoding="utf-8"),
    js=(HERE / "progress.js").read_text(encoding="utf-8"),
    isolate_styles=False,
)


def tasks(questions: Sequence[Question], goals: Sequence[Goal]) -> dict[str, Any]:
    """What there is to do on a page: ids, and under which numbers version 0.1.0 has stored them in browsers."""
    return {
        "answered": [one.id for one in questions],
        "reached": [one.id for one in goals],
        "was": {
            "answered": {one.was: one.id for one in questions if one.was is not None},
            "reached": {one.was: one.id for one in goals if one.was is not None},
        },
    }


def record(scene: Scene, answered: Sequence[str], reached: Sequence[str]) -> None:
    """Let the browser remember that these questions of the page were answered and these goals reached."""
    if not (scene.questions or scene.goals):
        return
    done = {"page": scene.page, "answered": list(answered), "reached": list(reached)}
    pages = {scene.page: tasks(scene.questions, scene.goals)}
    key = f"{scene.page}:progress"
    mount(key=key, data={"record": done, "pages": pages}, on_known_change=lambda: _known(scene, key))


def _known(scene: Scene, key: str) -> None:
    """The browser says which questions it knows as answered: the page need not ask them anew."""
    value = session.widget(key)
    ids = value.get("known") if isinstance(value, dict) else None
    mine = {one.id for one in scene.questions}
    known = frozenset(one for one in ids if one in mine) if isinstance(ids, list) else frozenset()
    if known - session.KNOWN.get(scene.page):
        session.KNOWN.set(scene.page, known)
        questions.recall(scene)


def summary(pages: dict[str, dict[str, Any]], manage: bool = False, start: tuple[str, str] | None = None) -> None:
    """Show how much of what there is to do on these pages (`tasks`, by address) is done.

    manage: offer, in a menu, to keep the record as a file, take one from a file, and erase it.
    start: address and name of a page that is offered first, until the reader has opened another.
    """
    mount(key="progress", data={"pages": pages, "show": True, "manage": manage, "start": start})
