"""What a reader has answered and reached, kept in the reader's own browser and nowhere else."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import streamlit as st

HERE = Path(__file__).resolve().parent

mount = st.components.v2.component(
    "progress",
    html=(HERE / "progress.html").read_text(encoding="utf-8"),
    css=(HERE / "progress.css").read_text(encoding="utf-8"),
    js=(HERE / "progress.js").read_text(encoding="utf-8"),
    isolate_styles=False,
)


def record(page: str, answered: Sequence[int], reached: Sequence[int]) -> None:
    """Let the browser remember that these questions of the page were answered and these goals reached."""
    if answered or reached:
        mount(key=f"{page}:progress", data={"record": {"page": page, "answered": answered, "reached": reached}})


def summary(pages: Mapping[str, tuple[int, int]], manage: bool = False) -> None:
    """Show how many of these pages' questions and goals (their numbers, by page) are done, and mark links to the pages.

    manage: offer to keep the record as a file, take one from a file, and erase it.
    """
    mount(key="progress", data={"pages": {page: list(numbers) for page, numbers in pages.items()}, "manage": manage})
