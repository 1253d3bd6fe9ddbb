"""The items of an agenda, looked up in the glossary: what they ask, what decides them, where they lead."""

import time
from collections import Counter
from dataclasses import dataclass, replace
from functools import lru_cache
from random import Random
from typing import Any

from classroom.agenda import Facts, Item
from classroom.follow import Walk
from classroom.refused import Refused
from classroom.seeds import SLOWEST
from classroom.snapshot import Entry
from glossary import Exercise, Goal, Question, Term
from pages.plain import in_html, in_markdown
from pages.site import Site
from playgrounds.kit import catalogue
from playgrounds.kit.answers import Verdict, judged
from playgrounds.kit.catalogue import Playground
from playgrounds.kit.endings import ended
from playgrounds.kit.metrics import metrics, said
from playgrounds.kit.params import Params
from playgrounds.kit.runs import key
from playgrounds.kit.words import filled
from playgrounds.stage import guided
from playgrounds.stage.page import made
from playgrounds.stage.scene import Scene

KINDS = {
    "ask": "Question", "exercise": "Exercise", "free": "Question", "challenge": "Challenge",
    "seeds": "Everyone a seed", "look": "Look",
}  # fmt: skip
Found = Question | Exercise | Goal


@dataclass(frozen=True)
class Asked:
    """An item in words. text and options are Markdown; of the teacher's own texts nothing in them does anything."""

    title: str
    text: str
    options: tuple[str, ...] = ()
    whys: tuple[str, ...] = ()
    right: int | None = None
    because: str = ""


def term_of(site: Site, item: Item) -> Term | None:
    return site.glossary.term.get(item.page)


def entry_of(site: Site, item: Item) -> Found | None:
    """The question, exercise or goal that an item means; None if the glossary has it no longer."""
    term = term_of(site, item)
    if term is None:
        return None
    lists: dict[str, list[Any]] = {
        "ask": term.asked.question, "exercise": term.asked.exercise, "challenge": term.asked.goal,
    }  # fmt: skip
    return next((one for one in lists.get(item.kind, []) if one.id == item.id), None)


def title(site: Site, item: Item) -> str:
    """A few words for the agenda, as Markdown."""
    if item.kind == "free":
        return in_markdown(item.text[:60] + "…" if len(item.text) > 60 else item.text)
    term = term_of(site, item)
    return in_markdown(term.name if term else item.page)


def asked(site: Site, item: Item, seed: str = "") -> Asked:
    """An item in words. seed: what the numbers of an exercise are drawn by, the same for the whole class."""
    if item.kind == "free":
        options = tuple(map(in_markdown, item.options))
        return Asked("Question", in_markdown(item.text), options, ("",) * len(options), item.right)
    found = entry_of(site, item)
    term = term_of(site, item)
    if term is None or (found is None and item.kind in ("ask", "exercise", "challenge")):
        return Asked(KINDS[item.kind], "The glossary no longer has this.")
    if isinstance(found, Question):
        numbers = ended(*term.values(found))
        whys = tuple(filled(option.why, numbers) for option in found.options)
        return Asked(term.name, found.ask, tuple(one.text for one in found.options), whys, found.answer)
    if isinstance(found, Exercise):
        last, drawn = _solved(term, found, seed)
        words = said(last) | {name: str(value) for name, value in drawn.items()}
        return Asked(term.name, filled(found.ask, words), because=filled(found.because, words))
    if isinstance(found, Goal):
        return Asked(term.name, found.ask)
    if item.kind == "seeds":
        label = _metric(site, item)
        return Asked(term.name, f"Everyone starts from other random numbers. Where do the runs end? Watch: {label}.")
    return Asked(term.name, f"Look at {term.name}.")


def _metric(site: Site, item: Item) -> str:
    scene, params = scene_of(site, item)
    del params
    declared = scene.playground.metrics.get(item.metric)
    return declared.label if declared else in_markdown(item.metric)


def judge(site: Site, item: Item, typed: str, seed: str) -> Verdict:
    """What is to be said to a number that was typed for an exercise."""
    term, found = term_of(site, item), entry_of(site, item)
    if term is None or not isinstance(found, Exercise):
        return Verdict(False, "The glossary no longer has this.")
    last, drawn = _solved(term, found, seed)
    numbers = metrics(last)
    answer = numbers[found.answer]
    name = found.playground or term.playground
    share = catalogue.load(name).metrics[found.answer].unit == "%"
    drawn = {knob: value for knob, value in drawn.items() if isinstance(value, int | float)}
    return judged(typed, float(answer or 0), found.tolerance, share, found.slips, numbers | drawn)


def typed_counts(site: Site, item: Item, counts: Counter[str], seed: str) -> tuple[Counter[str], list[str]]:
    """Of typed numbers: those that are right, and the wrong ones that were typed most, as options to be counted."""
    right = [typed for typed in counts if judge(site, item, typed, seed).right]
    wrong = Counter({typed: n for typed, n in counts.items() if typed not in right}).most_common(4)
    grouped = Counter({"0": sum(counts[typed] for typed in right)})
    names = ["right"]
    for typed, n in wrong:
        grouped[str(len(names))] = n
        names.append(in_html(typed))
    if rest := sum(counts.values()) - sum(grouped.values()):
        grouped[str(len(names))] = rest
        names.append("other numbers")
    return grouped, names


def _solved(term: Term, exercise: Exercise, seed: str) -> tuple[Any, dict[str, Any]]:
    drawn = exercise.drawn(seed)
    name, values = term.values(exercise, exercise.run | drawn)
    return _last(name, catalogue.load(name).Params.preset(values)[0]), drawn


@lru_cache(maxsize=64)
def _last(name: str, params: Params) -> Any:
    last = None
    for last in catalogue.load(name).states(params):  # noqa: B007
        pass
    return last


def computed(name: str, params: dict[str, Any]) -> tuple[dict[str, Any], str]:
    """The metrics with which a run ends, and the name of the run."""
    playground = catalogue.load(name)
    made_ = playground.Params(**params)
    return metrics(_last(name, made_)), key(playground, made_)


def scene_of(site: Site, item: Item) -> tuple[Scene, Params]:
    """The page of an item, showing what it means: the run that decides it, or the state that it names.

    Raises Refused if there is no such page.
    """
    term = term_of(site, item)
    if term is None or not term.playground:
        raise Refused(f"No term with a playground has the address {in_markdown(item.page)}.")
    scene = made(term.slug, term.name, term.starts, term.asked, site.starts)
    found = entry_of(site, item)
    if isinstance(found, Goal):
        return scene.decided_by(found, {})
    if found is not None:
        return scene.decided_by(found)
    query = dict(item.query)
    name = query.pop("playground", "") or scene.first
    there = scene.showing(name) if name in catalogue.names() else scene
    return there, type(there.start).from_query(query, there.start)[0]


def facts(site: Site, item: Item) -> Facts:
    """What the rules must know of an item. Raises Refused with the reason if a class cannot do it."""
    if item.kind == "free":
        return Facts(choices=len(item.options))
    found = entry_of(site, item)
    if item.kind in ("ask", "exercise", "challenge") and found is None:
        raise Refused(f"The page {in_markdown(item.page)} has no {item.kind} called {in_markdown(item.id)}.")
    if item.kind == "look" and item.page in site.pages:
        return Facts()
    scene, params = scene_of(site, item)
    name, start = scene.playground.name, params.model_dump(mode="json")
    if isinstance(found, Question):
        return Facts(choices=len(found.options))
    if isinstance(found, Goal):
        return Facts(playground=name, start=start, reach=found.reach, wanted=found.with_)
    if item.kind != "seeds":
        return Facts()
    seed = params.knobs().get("seed")
    if seed is None:
        raise Refused("This playground has no seed: its runs are all the same.")
    if item.metric not in scene.playground.metrics:
        raise Refused(f"This playground has no number called {in_markdown(item.metric)}.")
    if (took := seconds(name, params)) > SLOWEST:
        raise Refused(
            f"This run takes {took:.1f} s to compute. Everyone a seed needs runs of {SLOWEST} s at most: "
            "take fewer steps or a smaller net."
        )
    return Facts(playground=name, start=start, lowest=int(seed.lo), highest=int(seed.hi))


@lru_cache(maxsize=64)
def seconds(name: str, params: Params) -> float:
    """How long a run takes to compute: the faster of two, for others compute as well."""
    took = []
    for _ in range(2):
        began = time.thread_time()
        for _state in catalogue.load(name).states(params):
            pass
        took.append(time.thread_time() - began)
    return min(took)


def walk(site: Site, item: Item, number: int, play: int = 0) -> Walk:
    """Where an item leads: to the run that decides it, to the page of its goal, to the state that it names."""
    if item.kind == "look" and (term := term_of(site, item)) is not None and not term.playground:
        return Walk(item.page, item=number)
    scene, params = scene_of(site, item)
    query = params.to_query(scene.start)
    if scene.playground.name != scene.first:
        query = {"playground": scene.playground.name} | query
    if "step" in item.query:
        query["step"] = item.query["step"]
    return Walk(item.page, query, play=play, item=number)


def go(site: Site, wanted: Walk, seed: int | None = None) -> dict[str, str]:
    """Prepare a page for a screen that is sent there; returns the query of its address."""
    term = site.glossary.term.get(wanted.page)
    query = dict(wanted.query)
    if seed is not None:
        query["seed"] = str(seed)
    if term is None or not term.playground:
        return query
    scene = made(term.slug, term.name, term.starts, term.asked, site.starts)
    return guided.place(scene, query, wanted.held, wanted.play > 0)


def without_play(wanted: Walk) -> Walk:
    return replace(wanted, play=0)


def is_there(site: Site, wanted: Walk) -> bool:
    """Whether the page shows what is wanted already, and will come to its end by itself."""
    term = site.glossary.term.get(wanted.page)
    if term is None or not term.playground:
        return True
    scene = made(term.slug, term.name, term.starts, term.asked, site.starts)
    return not wanted.held and guided.rests_at_end(scene, wanted.query)


def params_of(name: str, values: dict[str, Any]) -> tuple[Playground, Params]:
    playground = catalogue.load(name)
    return playground, playground.Params(**values)


def attempt(entry: Entry, site: Site, dice: Random) -> dict[str, Any]:
    """Params that a member might try in a challenge: mostly another seed, now and then the solution."""
    found = entry_of(site, entry.item)
    term = term_of(site, entry.item)
    if isinstance(found, Goal) and term is not None and dice.random() < 0.25:
        name, values = term.values(found, found.solution)
        return dict(catalogue.load(name).Params.preset(values)[0].model_dump(mode="json"))
    params = catalogue.load(entry.facts.playground).Params(**entry.facts.start)
    if seed := params.knobs().get("seed"):
        params = replace_seed(params, dice.randint(int(seed.lo), min(int(seed.hi), 50)))
    return dict(params.model_dump(mode="json"))


def replace_seed(params: Params, seed: int) -> Params:
    return params.model_copy(update={"seed": seed})


def type_number(entry: Entry, site: Site, seed: str, dice: Random) -> str:
    """A number that a member might type: the right one, or what a known mistake gives."""
    term, found = term_of(site, entry.item), entry_of(site, entry.item)
    if term is None or not isinstance(found, Exercise):
        return "0"
    answer = float(metrics(_solved(term, found, seed)[0])[found.answer] or 0)
    return f"{answer if dice.random() < 0.6 else answer + dice.choice([-1, 1, 2]):.6g}"
