"""Turns of computing for the reader of a page."""

from streamlit.runtime.scriptrunner import get_script_run_ctx

from playgrounds.kit.runs import FIRST, ROUND, Run
from playgrounds.stage import session
from playgrounds.stage.scene import store

PATIENCE = 2.0  # seconds that a reader who has something to look at waits for a turn; then the player asks again


def compute(run: Run, have: int) -> None:
    """A turn of computing for this reader, whose player has `have` frames; two or more if need be until there is
    something to see."""
    while not run.done:
        patience = PATIENCE if run.film.steps else None
        run.advance(ROUND if have else FIRST, have, _reader(), patience, session.look)
        store.tidy()
        if run.film.steps:
            return


def _reader() -> str:
    """Names the session of this reader."""
    context = get_script_run_ctx()
    return context.session_id if context else ""
