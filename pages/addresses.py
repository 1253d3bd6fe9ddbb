"""Where pages answer that are neither home nor a lesson nor a term."""

from glossary import ABOUT, CLASSROOM, JOIN
from pages import playground


def others() -> set[str]:
    return playground.addresses() | {ABOUT, CLASSROOM, JOIN}
