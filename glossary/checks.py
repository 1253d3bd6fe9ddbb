"""Mistakes between entries, and between the course's files and the playgrounds."""

import ast
import re
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from rapidfuzz import fuzz, process

from glossary.course import Glossary
from glossary.entries import Confusion, Exercise, Goal, Lesson, Question, Row, Run, Stop, Term, values_to_draw
from glossary.texts import LINK
from playgrounds.kit import catalogue
from playgrounds.kit.conditions import COMPARISON, compares
from playgrounds.kit.markup import faults, open_places, quoted, words
from playgrounds.kit.words import places

Arithmetic = (
    ast.Expression,
    ast.BinOp,
    ast.UnaryOp,
    ast.Name,
    ast.Load,
    ast.Constant,
    ast.Add,
    ast.Sub,
    ast.Mult,
    ast.Div,
    ast.USub,
)


def meant(wrong: str, known: Iterable[str]) -> str:
    """(did you mean 'this'?), if something known is near."""
    close = process.extractOne(wrong, list(known), scorer=fuzz.ratio, score_cutoff=60)
    return f" (did you mean {close[0]!r}?)" if close else ""


def inconsistencies(
    glossary: Glossary, file: str, places: Mapping[str, str], pages: Path, own: Mapping[str, str]
) -> Iterator[str]:
    """Everything that no entry can know of itself.

    file: the name of glossary.toml. places: in which lesson's file a "lesson x", a "term x", a "confusion x" stands.
    own: addresses of the app's own pages, with what they are.
    """
    for mistake in _in_glossary(glossary, pages, own):
        yield f"{file}: {mistake}"
    for place, lesson_file in places.items():
        kind, _, slug = place.partition(" ")
        if kind == "lesson" and slug not in glossary.lesson:
            yield f"{lesson_file}: lesson: there is no lesson {slug!r}{meant(slug, glossary.lesson)}"
    for lesson in glossary.lessons:
        for mistake in _guide(glossary, lesson):
            yield f"{places.get(f'lesson {lesson.slug}', file)}: {mistake}"
    for one in glossary.confusions:
        for mistake in _confusion(glossary, one):
            yield f"{places[f'confusion {one.id}']}: {mistake}"
    for term in glossary.terms:
        for mistake in _asked(term):
            yield f"{places[f'term {term.slug}']}: {mistake}"


def _guide(glossary: Glossary, lesson: Lesson) -> Iterator[str]:
    """What a lesson's file says about the lesson itself."""
    guide = lesson.guide
    yield from _text(glossary, lesson.slug, "introduction", guide.introduction)
    yield from _text(glossary, lesson.slug, "formulas", guide.formulas)
    for slug in guide.needs:
        if slug == lesson.slug:
            yield f"[{lesson.slug}] needs: {slug!r} is this lesson itself; name others"
        elif slug not in glossary.lesson:
            yield f"[{lesson.slug}] needs: there is no lesson {slug!r}{meant(slug, glossary.lesson)}"
    for ability in guide.can:
        yield from _signs(f"[{lesson.slug}] can", ability.say)
        if ability.term not in glossary.term:
            yield f"[{lesson.slug}] can: there is no term {ability.term!r}{meant(ability.term, glossary.term)}"
    for table in guide.table:
        for number, row in enumerate(table.row, start=1):
            yield from _row(glossary, lesson.slug, f"table {table.title!r} row {number}", row)


def _row(glossary: Glossary, slug: str, where: str, row: Row) -> Iterator[str]:
    for cell in row.cells:
        yield from _text(glossary, slug, where, cell)
    wanted = places(" ".join(row.cells))
    if row.playground:
        known = catalogue.names()
        if row.playground not in known:
            yield f"[{slug}] {where}: there is no {row.playground!r}{meant(row.playground, known)}"
            return
        yield from _knobs(f"[{slug}] {where} run", row.playground, row.run)
        yield from _metrics(f"[{slug}] {where}", row.playground, wanted)
    elif wanted:
        yield f"[{slug}] {where}: {{{wanted[0]}}} is a number of a run; name its playground"


def _confusion(glossary: Glossary, one: Confusion) -> Iterator[str]:
    unknown = [slug for slug in one.terms if slug not in glossary.term]
    for slug in unknown:
        yield f"[{one.id}] terms: there is no term {slug!r}{meant(slug, glossary.term)}"
    if not unknown and {case.term for case in one.cases} != set(one.terms):
        yield f"[{one.id}] cases: each of the two terms needs one, and no other term may have one"
    yield from _text(glossary, one.id, "difference", one.difference)
    for case in one.cases:
        yield from _text(glossary, one.id, "cases", case.says)


def _in_glossary(glossary: Glossary, pages: Path, own: Mapping[str, str]) -> Iterator[str]:
    taken = {path.stem: "a file of the app" for path in pages.glob("*.py")} | dict(own)
    yield from _home(glossary)
    entries: list[Lesson | Term] = [*glossary.lessons, *glossary.terms]
    for entry in entries:
        url = entry.url if isinstance(entry, Lesson) else entry.slug
        if url in taken:
            yield f"[{entry.slug}] slug: {url!r} is already the address of {taken[url]}"
        taken[url] = f"[{entry.slug}]"
        if url.startswith("playground-"):
            yield f"[{entry.slug}] slug: addresses that start with playground- belong to the playgrounds"
    for lesson in glossary.lessons:
        yield from _signs(f"[{lesson.slug}] sentence", lesson.sentence)
    for term in glossary.terms:
        yield from _signs(f"[{term.slug}] exam", term.exam)
        yield from _text(glossary, term.slug, "definition", term.definition)
        if term.lesson not in glossary.lesson:
            yield f"[{term.slug}] lesson: there is no lesson {term.lesson!r}{meant(term.lesson, glossary.lesson)}"
        for slug in term.see_also:
            if slug == term.slug:
                yield f"[{term.slug}] see_also: {slug!r} is this term itself; name others"
            elif slug not in glossary.term:
                yield f"[{term.slug}] see_also: there is no term {slug!r}{meant(slug, glossary.term)}"
        yield from _shown(term)


def _home(glossary: Glossary) -> Iterator[str]:
    if glossary.home is None:
        return
    slug = glossary.home.term
    if slug not in glossary.term:
        yield f"[home] term: there is no term {slug!r}{meant(slug, glossary.term)}"
    elif not glossary.term[slug].playground:
        yield f"[home] term: {slug!r} has no playground that could run on the home page; name a term that has one"


def _text(glossary: Glossary, slug: str, key: str, text: str) -> Iterator[str]:
    """Mistakes in a text: links to nowhere, half a link, formulas that do not end."""
    where = f"[{slug}] {key}"
    for target, _ in LINK.findall(text):
        if "[[" in target:
            yield f"{where}: {_half('[[' + target)}"
        elif target not in glossary.term:
            yield f"{where}: [[{target}]] links to no term{meant(target, glossary.term)}"
    rest = LINK.sub(lambda link: " " * len(link[0]), words(text))
    for found in re.finditer(r"\[\[|\]\]", rest):
        start = found.start() if found[0] == "[[" else max(0, found.start() - 20)
        yield f"{where}: {_half(rest[start:])}"
    yield from _signs(where, text)


def _half(near: str) -> str:
    return f"{quoted(near)} is half a link: write [[slug]] or [[slug|words]]"


def _signs(where: str, text: str) -> Iterator[str]:
    """Mistakes in the formulas of a text."""
    for fault in faults(text):
        yield f"{where}: {fault}"


def _told(where: str, name: str, text: str, more: Iterable[str] = ()) -> Iterator[str]:
    """Mistakes in a text with places for numbers."""
    yield from _signs(where, text)
    for fault in open_places(text):
        yield f"{where}: {fault}"
    yield from _metrics(where, name, places(text), more)


def _shown(term: Term) -> Iterator[str]:
    """The playgrounds that a term's page shows, and the knobs with which it opens."""
    if not term.playground:
        if term.preset or term.also:
            yield f"[{term.slug}] preset and also need a playground"
        return
    known = catalogue.names()
    for key, name in [("playground", term.playground), *(("also", name) for name in term.also)]:
        if name not in known:
            yield f"[{term.slug}] {key}: there is no {name!r}{meant(name, known)}; there are {', '.join(known)}"
    if len(set(term.playgrounds)) < len(term.playgrounds):
        yield f"[{term.slug}] also: a playground stands there twice"
    if term.playground in known:
        yield from _knobs(f"[{term.slug}] preset", term.playground, term.preset)


def _asked(term: Term) -> Iterator[str]:
    """What its lesson's file has about a term."""
    asked = term.asked
    entries: list[tuple[str, Run]] = [("example", asked.example)] if asked.example else []
    entries += [(f"question {one.id}", one) for one in asked.question]
    entries += [(f"exercise {one.id}", one) for one in asked.exercise]
    entries += [(f"goal {one.id}", one) for one in asked.goal]
    entries += [(f"stop {n}", one) for n, one in enumerate(asked.stop, start=1)]
    for what, entry in entries:
        where = f"[{term.slug}] {what}"
        if not term.playground:
            yield f"{where} needs a playground, and its term has none"
            continue
        name, _ = term.values(entry)
        if name not in term.playgrounds:
            known = ", ".join(term.playgrounds)
            yield f"{where} playground: the term's page does not offer {name!r}, only {known}: add it to `also`"
            continue
        if name not in catalogue.names():
            continue  # said already
        yield from _knobs(f"{where} run", name, entry.run)
        yield from _entry(where, entry, name)


def _entry(where: str, entry: Run, name: str) -> Iterator[str]:
    match entry:
        case Question():
            yield from _conditions(f"{where} decides", name, entry.decides)
            yield from _signs(f"{where} ask", entry.ask)
            for n, option in enumerate(entry.options, start=1):
                yield from _signs(f"{where} option {n}", option.text)
                yield from _told(f"{where} option {n} why", name, option.why)
        case Goal():
            yield from _signs(f"{where} ask", entry.ask)
            yield from _knobs(f"{where} solution", name, entry.solution)
            yield from _conditions(f"{where} reach", name, entry.reach)
            yield from _rules(f"{where} with", name, entry.with_)
        case Stop():
            yield from _conditions(f"{where} when", name, entry.when)
            yield from _told(f"{where} say", name, entry.say)
        case Exercise():
            yield from _exercise(where, entry, name)
        case _:
            yield from _told(f"{where} text", name, getattr(entry, "text", ""))


def _knobs(where: str, name: str, values: Mapping[str, Any]) -> Iterator[str]:
    for mistake in catalogue.load(name).Params.preset(dict(values))[1]:
        yield f"{where}.{mistake}"


def _metrics(where: str, name: str, wanted: Iterable[str], more: Iterable[str] = ()) -> Iterator[str]:
    """Names of metrics (or of `more`, the knobs that an exercise draws)."""
    known = [*catalogue.load(name).metrics, *more]
    for one in wanted:
        if one not in known:
            yield f"{where}: no metric {one!r}{meant(one, known)}; there are {', '.join(known)}"


def _conditions(where: str, name: str, conditions: Mapping[str, str]) -> Iterator[str]:
    yield from _metrics(where, name, conditions)
    for metric, condition in conditions.items():
        if not COMPARISON.fullmatch(condition):
            yield f"{where}: {metric} = {condition!r} is not a comparison like '>= 0.99'{_signs_meant(condition)}"


def _signs_meant(wrong: str) -> str:
    """For a number after a sign that is none: the comparison that was meant."""
    found = re.fullmatch(r"\s*(=<|=>|=|≤|≥)\s*(\S+)\s*", wrong)
    if not found:
        return ""
    sign = {"=<": "<=", "≤": "<=", "=>": ">=", "≥": ">=", "=": "=="}[found[1]]
    return f" (did you mean '{sign} {found[2]}'?)"


def _rules(where: str, name: str, wanted: Mapping[str, Any]) -> Iterator[str]:
    knobs = catalogue.load(name).Params.knobs()
    for one, value in wanted.items():
        if one not in knobs:
            yield f"{where}: no knob {one!r}{meant(one, knobs)}; there are {', '.join(knobs)}"
        elif not compares(value, knobs[one]) and (problem := knobs[one].read(value, None)[1]):
            if sign := _signs_meant(str(value)):
                problem = f"{value!r} is neither a value nor a comparison{sign}"
            yield f"{where}.{one}: {problem}"


def _exercise(where: str, exercise: Exercise, name: str) -> Iterator[str]:
    knobs = catalogue.load(name).Params.knobs()
    for knob, values in exercise.draw.items():
        if knob not in knobs:
            yield f"{where} draw: no knob {knob!r}{meant(knob, knobs)}; there are {', '.join(knobs)}"
            continue
        try:
            drawn = values_to_draw(values)
        except ValueError:
            yield f"{where} draw.{knob}: {values!r} is neither a list nor a range like '0..2'"
            continue
        for value in drawn:
            if problem := knobs[knob].read(value, None)[1]:
                yield f"{where} draw.{knob}: {problem}"
    yield from _metrics(f"{where} answer", name, [exercise.answer])
    for key, text in (("ask", exercise.ask), ("because", exercise.because)):
        yield from _told(f"{where} {key}", name, text, exercise.draw)
    for slip in exercise.slips:
        names = arithmetic(slip.value)
        if names is None:
            yield f"{where} slips: {slip.value!r} is no formula of + − * / over metrics and drawn knobs"
        else:
            yield from _metrics(f"{where} slips", name, names, exercise.draw)


def arithmetic(formula: str) -> set[str] | None:
    """The names in a formula of + − * / and brackets; None if it is something else."""
    try:
        tree = ast.parse(formula, mode="eval")
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None
    if not all(isinstance(node, Arithmetic) for node in ast.walk(tree)):
        return None
    return {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}
