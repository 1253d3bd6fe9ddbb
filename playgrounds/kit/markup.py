"""What is wrong with the signs of a text: formulas that do not end or that KaTeX cannot read, places without an end."""

import re
from collections.abc import Iterator

from playgrounds.kit.words import PLACE

CODE = re.compile(r"(`+)(?!`).+?(?<!`)\1(?!`)", re.DOTALL)
DOLLAR = re.compile(r"(?<!\\)\$")
FORMULA = re.compile(r"(?<!\\)(\$\$?)([^$]+?)(?<!\\)\1")
ENVIRONMENT = re.compile(r"\\(begin|end)\s*\{([^{}]*)\}")
ENVIRONMENTS = {  # that KaTeX knows, most of them with a star, too
    "align", "alignat", "aligned", "alignedat", "array", "Bmatrix", "bmatrix", "cases", "CD", "darray", "dcases",
    "drcases", "equation", "gather", "gathered", "matrix", "pmatrix", "rcases", "smallmatrix", "split", "subarray",
    "Vmatrix", "vmatrix",
}  # fmt: skip
MOST = 40  # characters of a text that are quoted


def faults(text: str) -> Iterator[str]:
    """What is wrong with the formulas of a text in Markdown, a sentence for each."""
    for paragraph in re.split(r"\n\s*\n", CODE.sub("", text)):
        if len(DOLLAR.findall(paragraph)) % 2:
            yield f"{quoted(paragraph)} has a $ without its partner: a formula stands between two of them"
            continue
        for _, formula in FORMULA.findall(paragraph):
            if fault := _fault(formula):
                yield f"the formula {quoted(f'${formula}$')} {fault}"


def words(text: str) -> str:
    """The text with code and formulas blanked out, as long as before."""
    for signs in (CODE, FORMULA):
        text = signs.sub(lambda found: " " * len(found[0]), text)
    return text


def open_places(text: str) -> Iterator[str]:
    """Braces outside formulas that stand around no metric's name, as in {loss."""
    rest = PLACE.sub(lambda found: " " * len(found[0]), words(text))
    for found in re.finditer(r"[{}]", rest):
        near = quoted(rest[found.start() :])
        yield f"{near} is no place for a number: write the metric's name in braces, as {{loss}}"


def quoted(text: str) -> str:
    """The text's beginning, on one line, in quotes."""
    line = " ".join(text.split())
    cut = line if len(line) <= MOST else line[:MOST] + "…"
    return repr(cut).replace("\\\\", "\\")


def _fault(formula: str) -> str:
    """What KaTeX could not read in a formula; "" if nothing was found. Whether it knows each command is not checked."""
    signs = re.sub(r"\\\\|\\[{}]", "  ", formula)  # \\ ends a row, \{ is a brace to be seen
    depth = 0
    for sign in signs:
        depth += {"{": 1, "}": -1}.get(sign, 0)
        if depth < 0:
            break
    if depth:
        return "has a { or a } without its partner"
    inside: list[str] = []
    for what, name in ENVIRONMENT.findall(signs):
        if name.removesuffix("*") not in ENVIRONMENTS:
            return f"begins {name!r}, which KaTeX does not know; it knows {', '.join(sorted(ENVIRONMENTS))}"
        if what == "begin":
            inside.append(name)
        elif not inside or inside.pop() != name:
            return f"has an \\end{{{name}}} without its \\begin"
    if inside:
        return f"has a \\begin{{{inside[-1]}}} without its \\end"
    if len(re.findall(r"\\left(?![a-zA-Z])", signs)) != len(re.findall(r"\\right(?![a-zA-Z])", signs)):
        return "has a \\left or a \\right without its partner"
    if re.search(r"[\^_\\]\s*$", signs):
        return "ends where something must follow"
    return ""
