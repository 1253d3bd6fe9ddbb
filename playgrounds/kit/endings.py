"""The numbers with which runs end, as texts need them: looked up for the course's own texts, computed for others."""

import hashlib
import inspect
import json
import re
from collections.abc import Mapping
from functools import cache, lru_cache
from typing import Any

from playgrounds.kit import catalogue
from playgrounds.kit.metrics import Number, metrics, said
from playgrounds.kit.params import Params

KIT = ("data", "forms", "nn", "training")  # what models compute with
SHARED = re.compile(r"^from playgrounds\.(_\w+) import", re.MULTILINE)  # a module of the model's family
FILE = catalogue.FOLDER.parent / "static" / "numbers.json"  # made by `make numbers`


def ended(name: str, values: Mapping[str, Any]) -> dict[str, str]:
    """The metrics of a run's last state as they stand in sentences. Unknown values of knobs are left out."""
    params, _ = catalogue.load(name).Params.preset(dict(values))
    known = kept().get(key(name, params))
    return known if known is not None else computed(name, params)


def key(name: str, params: Params) -> str:
    """Names the numbers of a run: what computes them and its knobs, whatever is drawn of it."""
    text = f"{name} {_sources(name)} {params.model_dump_json()}"
    return hashlib.sha256(text.encode()).hexdigest()[:16]


@cache
def _sources(name: str) -> str:
    source = catalogue.load(name).source
    paths = [catalogue.FOLDER / "kit" / f"{one}.py" for one in KIT]
    paths += [catalogue.FOLDER / f"{family}.py" for family in sorted(set(SHARED.findall(source)))]
    texts = [inspect.cleandoc(source), *(path.read_text(encoding="utf-8") for path in paths)]
    return hashlib.sha256("".join(texts).encode()).hexdigest()[:12]


@cache
def kept() -> dict[str, dict[str, str]]:
    """What is known without computing: by the key of a run, what its texts need."""
    return json.loads(FILE.read_text(encoding="utf-8")) if FILE.exists() else {}


def numbers(name: str, values: Mapping[str, Any]) -> dict[str, Number]:
    """The metrics of a run's last state, computed."""
    return metrics(last(name, catalogue.load(name).Params.preset(dict(values))[0]))


def computed(name: str, params: Params) -> dict[str, str]:
    return said(last(name, params))


@lru_cache(maxsize=64)
def last(name: str, params: Params) -> Any:
    """A run's last state."""
    state = None
    for state in catalogue.load(name).states(params):  # noqa: B007
        pass
    return state
