"""The numbers in static/numbers.json are those of the texts as they are now."""

import glossary
from edition import numbers
from playgrounds.kit import endings

REAL = glossary.load()


def test_the_numbers_of_the_texts_are_there():
    assert numbers.stale(REAL, endings.kept()) == [], "make numbers"


def test_a_number_that_is_missing_is_computed_anew():
    needed = numbers.needed(REAL)
    at = next(iter(needed))
    assert numbers.stale(REAL, {key: kept for key, kept in endings.kept().items() if key != at}) == [at]
    assert numbers.stale(REAL, endings.kept() | {at: {}}) == [at]
