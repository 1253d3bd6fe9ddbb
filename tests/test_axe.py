"""Automatic checks of accessibility find nothing: on five pages always, on all of them in `make check`."""

import pytest

import glossary
from tests.test_browser import DONE, axe, option

pytestmark = pytest.mark.browser

THEMES = ["light", "dark"]
REAL = glossary.load()
TRAINABLE = {term.slug for term in REAL.terms if term.playground}
EVERY = ["", glossary.ABOUT, *(lesson.url for lesson in REAL.lessons), *(term.slug for term in REAL.terms)]
FIVE = ["", "lesson-perceptron-to-mlp", "multi-layer-perceptron", "byte-pair-encoding", "attention"]


def looked_at(open_page, address: str, theme: str) -> None:
    axe(open_page(address, DONE if address in TRAINABLE else "h1", theme=theme))


@pytest.mark.parametrize("theme", THEMES)
@pytest.mark.parametrize("address", FIVE)
def test_axe_finds_nothing_on_five_pages(open_page, address, theme):
    looked_at(open_page, address, theme)


@pytest.mark.check
@pytest.mark.parametrize("theme", THEMES)
@pytest.mark.parametrize("address", [one for one in EVERY if one not in FIVE])
def test_axe_finds_nothing_on_any_page(open_page, address, theme):
    looked_at(open_page, address, theme)


@pytest.mark.parametrize("theme", THEMES)
def test_axe_finds_nothing_once_a_question_is_answered(open_page, theme):
    page = open_page("xor-problem", DONE, theme=theme)
    option(page, right=True).click()
    page.get_by_role("button", name="Answer now").click()
    page.wait_for_selector("[class*='st-key-option-green']")
    axe(page)


@pytest.mark.parametrize("theme", THEMES)
def test_axe_finds_nothing_on_home_while_one_searches_or_looks_from_a_to_z_or_opens_the_menu(open_page, theme):
    page = open_page("", ".loop .player[data-done=true]", theme=theme)
    page.get_by_role("button", name="Your progress").click()
    axe(page)
    page.get_by_role("tab", name="A to Z").click()
    axe(page)
    page.get_by_placeholder("Search a term").press_sequentially("grad")
    page.wait_for_selector(".stMain .hits[data-for=grad]")
    axe(page)
