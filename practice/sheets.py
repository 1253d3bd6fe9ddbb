"""What is printed: a lesson on a page or two, an exam with room to write, its key. Markdown with formulas."""

from glossary import Glossary, Lesson, Table
from playgrounds.kit.endings import ended
from playgrounds.kit.words import filled
from practice.exam import Exam
from practice.items import Item


def lesson_sheet(glossary: Glossary, lesson: Lesson) -> str:
    """Exam sentences, formulas, tables and confusions of a lesson."""
    parts = [f"## {lesson.title}", lesson.sentence]
    parts += [f"**{term.name}.** {glossary.plain(term.exam)}" for term in glossary.of(lesson) if term.exam]
    if lesson.guide.formulas:
        parts += ["### Formulas", glossary.plain(lesson.guide.formulas)]
    for compared in lesson.guide.table:
        parts += [f"### {compared.title}", table(glossary, compared)]
    slugs = {term.slug for term in glossary.of(lesson)}
    told_apart = [one for one in glossary.confusions if set(one.terms) & slugs]
    if told_apart:
        parts.append("### Not to be confused")
    for one in told_apart:
        names = " – ".join(glossary.term[slug].name for slug in one.terms)
        parts.append(f"**{names}.** {glossary.plain(one.difference)}")
    return "\n\n".join(parts)


def table(glossary: Glossary, one: Table) -> str:
    """A table with its numbers filled in, links as their words."""
    lines = [one.head, ["---"] * len(one.head)]
    for row in one.row:
        numbers = ended(row.playground, row.run) if row.playground else {}
        lines.append([glossary.plain(filled(" ".join(cell.split()), numbers)) for cell in row.cells])
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def exam_sheet(glossary: Glossary, exam: Exam) -> list[str]:
    """The exam, an item each, without answers."""
    return [f"**{n}.** {_asked(glossary, one)}" for n, one in enumerate(exam.items, start=1)]


def _asked(glossary: Glossary, one: Item) -> str:
    options = "\n".join(f"- ☐ **{letter(n)}** {text}" for n, text in enumerate(one.options))
    return "\n\n".join(filter(None, [glossary.plain(one.ask), options]))


def key_sheet(glossary: Glossary, exam: Exam) -> list[str]:
    """The right answers with their reasons."""
    return [f"**{n}. {right(one)}** {glossary.plain(reason(one))}" for n, one in enumerate(exam.items, start=1)]


def letter(n: int) -> str:
    return "ABCD"[n]


def right(one: Item) -> str:
    """The right answer in short: its letter, or its number."""
    return letter(one.right) if one.options else one.said[one.exercise.answer]


def reason(one: Item) -> str:
    return (one.whys[one.right] if one.options else "") or one.back
