"""Formulas: LaTeX to MathML, which browsers set without a script, and to one line of text."""

import re
import unicodedata
from html import escape
from xml.etree import ElementTree
from xml.etree.ElementTree import Element

from latex2mathml.converter import convert

ALIGNED = re.compile(r"\\(begin|end)\{aligned\}")  # latex2mathml sets its & as signs; align* it knows
SIZED = re.compile(r"(\\[Bb]igg?[lr]?)\\([lr])(floor|ceil)(?![a-zA-Z])")
BRACKETS = {"lfloor": "⌊", "rfloor": "⌋", "lceil": "⌈", "rceil": "⌉"}
NAMESPACE = ' xmlns="http://www.w3.org/1998/Math/MathML"'
ELEMENTS = {
    "math", "menclose", "mfenced", "mfrac", "mi", "mmultiscripts", "mn", "mo", "mover", "mpadded", "mphantom",
    "mprescripts", "mroot", "mrow", "mspace", "msqrt", "mstyle", "msub", "msubsup", "msup", "mtable", "mtd", "mtext",
    "mtr", "munder", "munderover", "none",
}  # fmt: skip
SIGN = re.compile(r"(^|[(\[{,=<>≤≥|/]\s?)([+−±]) ")  # of a number, where there is nothing to add to
CALL = re.compile(r"([a-z]{2,}) \(")
NAMES = "∞∅℧′"  # signs that are things, not operators


def mathml(formula: str, display: bool) -> str:
    """The formula as a <math> element; its source as <code> where it cannot be set."""
    try:
        root = _tree(formula, display)
    except Exception:  # latex2mathml answers what it does not know with whatever its parser meets
        return f"<code>{escape(formula.strip())}</code>"
    return ElementTree.tostring(root, encoding="unicode", short_empty_elements=False)


def plain(formula: str) -> str:
    """The formula in one line of text, as for a preview of a link: w_i^2/n."""
    try:
        text = _line(_tree(formula, display=False))
    except Exception:
        return " ".join(formula.split())
    text = " ".join(text.split())
    text = CALL.sub(r"\1(", text)
    return SIGN.sub(r"\1\2", text)


def _tree(formula: str, display: bool) -> Element:
    """Raises whatever latex2mathml raises, ParseError or ValueError for a formula that it cannot set."""
    source = ALIGNED.sub(r"\\\1{align*}", formula.strip())
    source = SIZED.sub(lambda found: found[1] + BRACKETS[found[2] + found[3]], source)
    made = convert(source, display="block" if display else "inline").replace(NAMESPACE, "", 1)
    root = ElementTree.fromstring(made)
    for element in root.iter():
        if element.tag not in ELEMENTS:
            raise ValueError(element.tag)
        if "\\" in (element.text or ""):
            raise ValueError(element.text)
        if element.tag == "mi" and _is_operator(element.text or ""):
            element.tag = "mo"
        elif element.tag == "mo" and element.text and element.text in NAMES:
            element.tag = "mi"
        _join(element)
    return root


def _is_operator(text: str) -> bool:
    """Whether an identifier is none: ± or ⌊, say."""
    return len(text) == 1 and text not in NAMES and unicodedata.category(text)[0] in "SP"


def _join(parent: Element) -> None:
    """Make one upright name of its letters: \\mathrm{softmax} comes as seven."""
    before = None
    for child in list(parent):
        is_letter = child.tag == "mi" and child.get("mathvariant") == "normal"
        if is_letter and before is not None:
            before.text = (before.text or "") + (child.text or "")
            parent.remove(child)
        else:
            before = child if is_letter else None


def _line(element: Element) -> str:
    parts = [_line(child) for child in element]
    match element.tag:
        case "msub":
            return f"{parts[0]}_{_grouped(parts[1])}"
        case "msup" if parts[1].strip() in ("′", "″"):
            return f"{parts[0]}{parts[1].strip()}"
        case "msup":
            return f"{parts[0].rstrip()}^{_grouped(parts[1])}"
        case "msubsup" | "munderover":
            return f"{parts[0]}_{_grouped(parts[1])}^{_grouped(parts[2])}"
        case "mfrac":
            return f"{_grouped(parts[0])}/{_grouped(parts[1])}"
        case "msqrt":
            return f"√{_grouped(''.join(parts))}"
        case "mtr":
            return "".join(parts) + " "
        case "mspace":
            return " "
        case "mi" if len(element.text or "") > 1:
            return f"{element.text} "
        case "mo" if (element.text or "") in "=<>≤≥≈←→∈+−⋅×±⊙":
            return f" {element.text} "
    return (element.text or "") + "".join(parts)


def _grouped(text: str) -> str:
    text = text.strip()
    is_one = len(text) <= 1 or text.isalnum() or re.fullmatch(r"\([^()]*\)", text)
    return text if is_one else f"({text})"
