"""Numbers as they stand in sentences."""

import re
from collections.abc import Iterable, Mapping
from math import floor, isfinite, log10

# A formula, whose braces are its own, or the place of a number.
PLACE = re.compile(r"\$\$[^$]+\$\$|\$[^$]*\$|\{(\w+)\}")


def number(value: float, digits: int = 3) -> str:
    """So many significant digits, as one writes them by hand: 0.0132, −4.5, 2.1·10⁻⁷, ∞."""
    if not isfinite(value):
        return str(value).replace("-", "−").replace("inf", "∞").replace("nan", "not a number")
    mantissa, power = f"{value:.{digits - 1}e}".split("e")
    if float(mantissa) == 0 or -3 <= int(power) < 5:
        return f"{float(f'{value:.{digits - 1}e}'):.{max(digits, 6)}g}".replace("-", "−")
    raised = str(int(power)).translate(str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹"))
    return f"{float(mantissa):.{digits}g}·10{raised}".replace("-", "−")


def digits_for(value: float, change: float, least: int = 3) -> int:
    """How many significant digits of `value` show a change of that size: −2 needs four for a change of 0.004."""
    if not (isfinite(value) and isfinite(change) and value and change):
        return least
    return min(17, max(least, floor(log10(abs(value))) - floor(log10(abs(change))) + 1))


def vector(values: Iterable[float], factor: bool = False, digits: int = 3) -> str:
    """The same for several numbers: (0.1, −2); one alone stands without brackets, unless it is a negative factor."""
    texts = [number(value, digits) for value in values]
    if len(texts) == 1:
        return f"({texts[0]})" if factor and texts[0].startswith("−") else texts[0]
    return f"({', '.join(texts)})"


def counted(n: int, noun: str, plural: str = "") -> str:
    """1 mistake, 2 mistakes, 1,204 mistakes; the plural is given where it is not the noun with an s."""
    return f"{n:,} {noun if n == 1 else plural or noun + 's'}"


def plain(text: str) -> str:
    """The text so that Markdown shows it as it stands."""
    return re.sub(r"([\\`*_{}\[\]<>#|$~])", r"\\\1", text)


def places(text: str) -> list[str]:
    """The names in braces in a text, those in formulas apart."""
    return [found[1] for found in PLACE.finditer(text) if found[1]]


def filled(text: str, said: Mapping[str, str]) -> str:
    """The text with {loss} replaced by what is said under that name."""
    return PLACE.sub(lambda found: said.get(found[1], found[0]) if found[1] else found[0], text)


def percent(share: float, digits: int = 3) -> str:
    """A share as 12.5 %."""
    return f"{number(100 * share, digits)} %"


def subscript(n: int) -> str:
    """20 as ₂₀."""
    return str(n).translate(str.maketrans("0123456789", "₀₁₂₃₄₅₆₇₈₉"))
