"""The glossary: what glossary.toml defines and lessons/*.toml ask, loaded and checked as a whole."""

from glossary.course import Glossary
from glossary.entries import (
    Ability,
    Case,
    Confusion,
    Example,
    Exercise,
    Goal,
    Guide,
    Home,
    Lesson,
    Option,
    Question,
    Row,
    Slip,
    Stop,
    Table,
    Term,
)
from glossary.reading import ABOUT, FILE, HOME, LESSONS, PAGES, GlossaryError, load

__all__ = [
    "ABOUT",
    "FILE",
    "HOME",
    "LESSONS",
    "PAGES",
    "Ability",
    "Case",
    "Confusion",
    "Example",
    "Exercise",
    "Glossary",
    "GlossaryError",
    "Goal",
    "Guide",
    "Home",
    "Lesson",
    "Option",
    "Question",
    "Row",
    "Slip",
    "Stop",
    "Table",
    "Term",
    "load",
]
