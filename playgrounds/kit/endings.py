"""The numbers with which runs end, as texts need them: looked up for the course's own texts, computed for others."""

import json
from collections.abc import Mapping
from functools import cache, lru_cache
from typing import Any

from playgrounds.kit import catalogue
from playgrounds.kit.metrics import said
from playgrounds.kit.params import Params
from playgrounds.kit.runs import key

FILE = catalogue.FOLDER.parent / "static" / "numbers.json"  # made by `make numbers`


def ended(name: str, values: Mapping[str, Any]) -> dict[str, str]:
    """The metrics of a run's last state as they stand in sentences. Unknown values of knobs are left out."""
    playground = catalogue.load(name)
    params, _ = playground.Params.preset(dict(values))
    known = kept().get(key(playground, params))
    return known if known is not None else computed(name, params)


@cache
def kept() -> dict[str, dict[str, str]]:
    """What is known without computing: by the key of a run, what its texts need."""
    return json.loads(FILE.read_text(encoding="utf-8")) if FILE.exists() else {}


@lru_cache(maxsize=64)
def computed(name: str, params: Params) -> dict[str, str]:
    last = None
    for last in catalogue.load(name).states(params):  # noqa: B007
        pass
    return said(last)
