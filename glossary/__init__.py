"""The glossary: what glossary.toml defines and lessons/*.toml ask, loaded and checked as a whole."""

from glossary.course import Glossary
from glossary.entries import Confusion, Example, Exercise, Goal, Home, Lesson, Option, Question, Slip, Stop, Term
from glossary.reading import ABOUT, FILE, HOME, LESSONS, PAGES, GlossaryError, load

__all__ = [
    "ABOUT",
    "FILE",
    "HOME",
    "LESSONS",
    "PAGES",
    "Confusion",
    "Example",
    "Exercise",
    "Glossary",
    "GlossaryError",
    "Goal",
    "Home",
    "Lesson",
    "Option",
    "Question",
    "Slip",
    "Stop",
    "Term",
    "load",
]
