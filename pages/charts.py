"""Pictures of a class, as HTML: how it has voted, where its runs ended. They need no colour to be read."""

from collections import Counter
from collections.abc import Sequence
from html import escape
from math import isfinite
from typing import NamedTuple

LETTERS = "ABCDEF"
LOW = 110  # px of a strip, at least
MOST_HIGH = 24  # dots in one column, from there on they stand closer


class Dot(NamedTuple):
    """A run: its number (None: it has diverged), what is said of it, where a click leads, whether it stands out."""

    value: float | None
    label: str
    link: str = ""
    full: bool = True


def ballot(
    options: Sequence[str],
    rounds: Sequence[Counter[str]],
    shown: bool,
    right: int | None = None,
    mine: str | None = None,
    letters: bool = True,
) -> str:
    """The options, and in `shown` how often each was chosen, a bar for each round. Options are HTML already."""
    lines = []
    for n, option in enumerate(options):
        signs = ("✓ " if right == n else "") + (f"{LETTERS[n]} " if letters else "")
        own = ' <em class="ballot-mine">your vote</em>' if mine == str(n) else ""
        bars = "".join(_bar(counts[str(n)], sum(counts.values()), at, len(rounds)) for at, counts in enumerate(rounds))
        kind = "ballot-right" if right == n else ""
        text = f'<p class="ballot-option"><b>{signs}</b>{option}{own}</p>'
        lines.append(f'<li class="{kind}">{text}{bars if shown else ""}</li>')
    return f'<ol class="ballot">{"".join(lines)}</ol>'


def _bar(count: int, all_: int, at: int, rounds: int) -> str:
    share = count / all_ if all_ else 0
    which = f"{('First', 'Second')[at]} vote: " if rounds > 1 else ""
    text = f"{which}{count} · {share:.0%}".replace("%", " %")
    fill = f'<span class="ballot-fill ballot-{at}" style="--share:{share:.4f}"></span>'
    return f'<p class="ballot-bar"><span class="ballot-track">{fill}</span><span>{text}</span></p>'


def strip(dots: Sequence[Dot], label: str, low: float | None = None, high: float | None = None) -> str:
    """A dot for every run over one axis, those of the same place on top of each other; a dot can be a link."""
    known = [dot for dot in dots if dot.value is not None and isfinite(dot.value)]
    lost = len(dots) - len(known)
    if not known:
        said = "No run has ended yet." if not dots else f"{lost} runs, and none of them has a number."
        return f'<p class="strip-empty">{said}</p>'
    values = [dot.value for dot in known if dot.value is not None]
    least = min([*values, *([] if low is None else [low])])
    most = max([*values, *([] if high is None else [high])])
    span = (most - least) or 1.0
    bins: dict[int, list[Dot]] = {}
    for dot in sorted(known, key=lambda dot: (not dot.full, dot.label)):
        bins.setdefault(round(40 * ((dot.value or 0) - least) / span), []).append(dot)
    deepest = max(map(len, bins.values()))
    pitch = min(22.0, 22.0 * MOST_HIGH / deepest)
    parts = []
    for at, column in bins.items():
        for n, dot in enumerate(column):
            kind = "dot" if dot.full else "dot dot-open"
            where = f"left: {2.5 * at:.1f}%; bottom: {n * pitch:.0f}px"
            name, link = escape(dot.label), escape(dot.link)
            if link:
                parts.append(f'<a class="{kind}" style="{where}" href="{link}" aria-label="{name}" title="{name}"></a>')
            else:
                parts.append(f'<span class="{kind}" style="{where}" title="{name}"></span>')
        if len(column) > 2:
            where = f"left: {2.5 * at:.1f}%; bottom: {len(column) * pitch:.0f}px"
            parts.append(f'<span class="strip-count" style="{where}">{len(column)}</span>')
    words = f"{label}: {len(known)} runs from {_number(least)} to {_number(most)}"
    words += f", and {lost} without a number" if lost else ""
    high_ = max(LOW, deepest * pitch + 30)
    ends = f"<span>{_number(least)}</span><span>{_number(most) if most > least else ''}</span>"
    strip_ = f'<div class="strip" role="group" aria-label="{escape(words)}" style="height: {high_:.0f}px">'
    return (
        f'<figure class="strip-figure inside"><figcaption>{escape(words)}</figcaption>'
        f'{strip_}{"".join(parts)}</div><p class="strip-axis">{ends}</p></figure>'
    )


def _number(value: float) -> str:
    return f"{value:.3g}".replace("-", "−")
