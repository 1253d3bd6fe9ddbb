"""What a reader has answered and reached, by the glossary's ids: kept in the reader's own browser and nowhere else."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import streamlit as st

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
    if answered or reached:
        done = {"page": scene.page, "answered": answered, "reached": reached}
        pages = {scene.page: tasks(scene.questions, scene.goals)}
        mount(key=f"{scene.page}:progress", data={"record": done, "pages": pages})


def summary(pages: dict[str, dict[str, Any]], manage: bool = False) -> None:
    """Show how much of what there is to do on these pages (`tasks`, by address) is done, and mark links to the pages.

    manage: offer to keep the record as a file, take one from a file, and erase it.
    """
    mount(key="progress", data={"pages": pages, "show": True, "manage": manage})
