"""Where pages answer that are neither home nor a lesson nor a term."""

from glossary import HOME, OWN
from pages import playground


def others() -> set[str]:
    return playground.addresses() | set(OWN) - {HOME}
