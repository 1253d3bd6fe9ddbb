"""The glossary's texts as HTML and as plain text: Markdown, formulas, links between terms."""

from collections.abc import Callable, Mapping
from functools import cache
from html import escape
from typing import Any

from markdown_it import MarkdownIt
from markdown_it.rules_inline import StateInline
from markdown_it.token import Token
from mdit_py_plugins.dollarmath import dollarmath_plugin

from edition import formulas
from glossary.texts import LINK, in_text

Names = Mapping[str, str]  # of terms, by slug


def html(text: str, names: Names) -> str:
    """The text as paragraphs. A link to a term is relative: its slug."""
    return _markdown().render(text, {"names": names})


def html_for_mathjax(text: str, names: Names) -> str:
    """The same with formulas as MathJax reads them, and links as their words alone: for Anki."""
    return _markdown(_for_mathjax).render(LINK.sub(lambda link: link[2] or in_text(names[link[1]]), text), {})


def html_inline(text: str, names: Names) -> str:
    """The text, which is one paragraph, without an element around it."""
    return _markdown().renderInline(text, {"names": names})


def plain(text: str, names: Names) -> str:
    """The words alone, on one line."""
    tokens = _markdown().parse(text, {"names": names})
    return " ".join(" ".join(_words(tokens)).split())


def _words(tokens: list[Token]) -> list[str]:
    said = []
    for token in tokens:
        if token.children is not None:
            said.append("".join(_word(child) for child in token.children))
        elif token.type == "math_block":
            said.append(formulas.plain(token.content))
        elif token.type in ("fence", "code_block"):
            said.append(token.content)
    return said


def _word(token: Token) -> str:
    match token.type:
        case "softbreak" | "hardbreak":
            return " "
        case "math_inline" | "math_inline_double":
            return formulas.plain(token.content)
    return token.content


@cache
def _markdown(formula: Callable[[str, dict[str, Any]], str] | None = None) -> MarkdownIt:
    reader = MarkdownIt("commonmark", {"html": False})
    reader.enable("table")
    dollarmath_plugin(reader, renderer=formula or _formula, allow_labels=False, double_inline=True)
    reader.inline.ruler.before("link", "term", _term_link)
    return reader


def _formula(formula: str, how: dict[str, Any]) -> str:
    return formulas.mathml(formula, how["display_mode"])


def _for_mathjax(formula: str, how: dict[str, Any]) -> str:
    left, right = (r"\[", r"\]") if how["display_mode"] else (r"\(", r"\)")
    return f"{left}{escape(formula, quote=False)}{right}"


def _term_link(state: StateInline, silent: bool) -> bool:
    """Markdown's rule for [[slug]] and [[slug|words]]."""
    found = LINK.match(state.src, state.pos, state.posMax)
    if not found:
        return False
    if not silent:
        slug, words = found[1], found[2]
        end = state.posMax
        state.push("link_open", "a", 1).attrs = {"href": escape(slug)}
        if words:
            state.pos, state.posMax = found.start(2), found.end(2)
            state.md.inline.tokenize(state)
        else:
            state.push("text", "", 0).content = in_text(state.env["names"].get(slug, slug))
        state.push("link_close", "a", -1)
        state.posMax = end
    state.pos = found.end()
    return True
