"""The run with which a term's page opens, and what a link to the page changes."""

from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import parse_qsl

from glossary import Term
from playgrounds.kit import catalogue
from playgrounds.kit.catalogue import Playground
from playgrounds.kit.params import Params, knob_text

SHOWS = {"embed", "embed_options"}  # what says how a page is shown, and not what
FIXES = {"hide", "lock"}  # a teacher's: what the page offers
NO_KNOBS = {"step", "pinned", "playground", "present", *SHOWS, *FIXES}
MOST_PARAMETERS = 60  # of a link, as in the app itself
MOST_NAMED = 4  # knobs in a title


@dataclass(frozen=True)
class Link:
    """What the query of a link to a page says."""

    query: Mapping[str, str]

    @classmethod
    def read(cls, query: str) -> "Link":
        pairs = parse_qsl(query, keep_blank_values=True, max_num_fields=None)[:MOST_PARAMETERS]
        return cls(dict(pairs))

    @property
    def has_state(self) -> bool:
        """Whether it leads to something else than the page as it opens."""
        return bool(self.query.keys() - SHOWS - FIXES)

    @property
    def is_embedded(self) -> bool:
        return self.query.get("embed") == "true"

    @property
    def theme(self) -> str:
        """The theme that an embedding page asks for: light, dark or, for the reader's own, nothing."""
        options = self.query.get("embed_options", "")
        return next((name for name in ("light", "dark") if f"{name}_theme" in options), "")

    def fixed(self, name: str) -> set[str]:
        return set(filter(None, self.query.get(name, "").split(",")))


def opening(term: Term) -> tuple[Playground, Params] | None:
    """The run with which the page opens: it decides the first question; without one, the preset's."""
    if not term.playground:
        return None
    question = next(iter(term.asked.question), None)
    name, values = term.values(question) if question else (term.playground, term.preset)
    playground = catalogue.load(name)
    return playground, playground.Params.preset(values)[0]


def opens_at_its_first_step(term: Term, link: Link) -> bool:
    """Whether the page shows the first frame of its opening run: a link may lead elsewhere or fix what the run sets."""
    if link.has_state or not term.asked.question or "question" in link.fixed("hide"):
        return False
    fixed = link.fixed("hide") | link.fixed("lock")
    if not fixed:
        return True
    run = opening(term)
    if run is None:
        return False
    params = run[1]
    start = catalogue.load(term.playground).Params.preset(term.preset)[0]
    if type(params) is not type(start):
        return False
    changed = params.to_query(start).keys()
    return not changed if "all" in fixed else not (changed & fixed)


def differences(term: Term, link: Link) -> str:
    """The knobs that a link turns, in words: "Hidden units 3, Learning rate η 0.2"; "" if none."""
    if not (term.playground and link.has_state):
        return ""
    name = link.query.get("playground", term.playground)
    if name not in catalogue.names():
        name = term.playground
    kind = catalogue.load(name).Params
    start = kind.preset(term.starts.get(name, {}))[0]
    knobs = {name: value for name, value in link.query.items() if name in kind.knobs() and name not in NO_KNOBS}
    params, _ = kind.from_query(knobs, start)
    turned = list(params.to_query(start))
    said = [knob_text(params, name) for name in turned[:MOST_NAMED]]
    if len(turned) > MOST_NAMED:
        said.append(f"{len(turned) - MOST_NAMED} more")
    return ", ".join(said)
