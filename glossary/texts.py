"""The glossary's texts: links between terms, first sentences, names inside sentences."""

import re

LINK = re.compile(r"\[\[([^\]|]*)(?:\|([^\]]*))?\]\]")
PROPER_NAMES = {"Adam", "He", "Inception", "Nesterov", "Transformer", "Xavier"}


def first_sentence(text: str) -> str:
    """Up to the first full stop that ends a sentence."""
    text = " ".join(text.split())
    end = re.search(r"[.!?](?=\s+[^a-z]|$)", words_only(text))
    return text[: end.end()] if end else text


def words_only(text: str) -> str:
    """The text with links and formulas blanked out, so that a full stop in them ends no sentence."""
    return re.sub(rf"{LINK.pattern}|\$[^$]*\$", lambda found: "X" * len(found[0]), text)


def in_text(name: str) -> str:
    """A term's name inside a sentence: without its brackets, with a small first letter unless it is a proper name."""
    plain = re.sub(r" \(.*\)$", "", name)
    as_it_is = plain.split()[0] in PROPER_NAMES or any(letter.isupper() for letter in plain[1:])
    return plain if as_it_is else plain[0].lower() + plain[1:]
