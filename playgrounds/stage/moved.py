"""Links of version 0.1.0, where several playgrounds were views of one: playgrounds/moved.toml says where they live."""

import tomllib
from collections.abc import Iterable
from functools import cache

from playgrounds.kit import catalogue


@cache
def _table() -> dict[str, dict[str, dict[str, str]]]:
    """By old playground and knob: what the knob said, and the playground that took that view over."""
    return tomllib.loads((catalogue.FOLDER / "moved.toml").read_text(encoding="utf-8"))


def old_names() -> dict[str, str]:
    """The playgrounds of 0.1.0 that are gone, each with the one that took over the view it opened with."""
    return {
        old: next(iter(views.values()))
        for old, knobs in _table().items()
        for views in knobs.values()
        if old not in catalogue.names()
    }


def taken_over(query: dict[str, str], offered: Iterable[str]) -> str:
    """The playground that an old link means on a page that offers these; takes the knob out of the query. "": none."""
    for knobs in _table().values():
        for knob, views in knobs.items():
            if query.get(knob) in views and set(views.values()) & set(offered):
                return views[query.pop(knob)]
    return ""
