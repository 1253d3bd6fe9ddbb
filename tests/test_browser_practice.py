"""The tour, the practice and what is printed, in a real browser."""

import re

import pytest

from tests.test_browser import DONE, XOR, axe, step

pytestmark = pytest.mark.browser

KEPT = "trainable-glossary-practice"


def stop(page, number: int) -> str:
    page.wait_for_selector(f".player-said b:text('{number} of')", timeout=30_000)
    return page.inner_text(".player-said")


def test_the_tour_pauses_says_what_is_to_be_seen_and_frames_it(open_page):
    page = open_page(f"{XOR}&step=0", DONE)
    assert page.locator(".player-marks i").count() == 4 and page.locator(".player-said").is_hidden()
    page.click(".player-tour")
    assert "diagonal" in stop(page, 1) and step(page) == 0
    page.click(".player-tour")
    stop(page, 2)
    assert step(page) == 20 and page.locator(".player-frame").is_visible()
    frame, plot = (page.locator(f".player-{name}").bounding_box() for name in ("frame", "plot"))
    assert frame["x"] >= plot["x"] - 1 and frame["x"] + frame["width"] <= plot["x"] + plot["width"] + 1
    page.click(".player-play")
    assert page.locator(".player-said").is_hidden(), "who plays has left the tour"


def test_the_tour_leads_to_its_run_from_another_and_its_marks_vanish_with_a_knob(open_page):
    page = open_page("xor-problem?seed=5&step=0", DONE)
    assert page.locator(".player-marks i").count() == 0
    page.click(".player-tour")
    stop(page, 1)
    page.wait_for_function("!location.search.includes('seed=5')")


def start(page) -> None:
    page.wait_for_selector(".st-key-practice-start button:enabled")
    page.click(".st-key-practice-start button")
    page.wait_for_selector(".st-key-practice-choices button")


@pytest.mark.parametrize("width", [1280, 390])
def test_practice_goes_by_keyboard_alone_and_the_browser_remembers(open_page, width):
    page = open_page("practice", ".st-key-practice-choice", width)
    start(page)
    page.keyboard.press("2")
    page.wait_for_selector(".st-key-practice-next button")
    page.keyboard.press("Enter")
    page.wait_for_function(f"Object.keys(JSON.parse(localStorage['{KEPT}'] ?? '{{}}').cards ?? {{}}).length === 1")
    page.wait_for_selector(".st-key-practice-card")
    page.reload()
    page.wait_for_selector(".st-key-practice-choice")
    page.wait_for_function("/, \\d+ new/.test(document.body.innerText)")
    new = int(re.search(r"([\d,]+) new", page.inner_text(".st-key-practice-choice"))[1].replace(",", ""))
    page.wait_for_timeout(500)
    fresh = open_page("practice", ".st-key-practice-choice", width)
    fresh.wait_for_function("/, \\d+ new/.test(document.body.innerText)")
    all_of_them = int(re.search(r"([\d,]+) new", fresh.inner_text(".st-key-practice-choice"))[1].replace(",", ""))
    assert new == all_of_them - 1


def test_what_is_due_is_said_in_the_sidebar(open_page):
    page = open_page("practice", ".st-key-practice-choice", 1500)
    card = {"due": "2020-01-01T00:00:00Z", "last": "2019-12-30T00:00:00Z", "stability": 2, "difficulty": 5}
    page.evaluate(
        "([place, record]) => localStorage.setItem(place, JSON.stringify(record))",
        [KEPT, {"version": 2, "cards": {"recall:adam": card}}],
    )
    page.reload()
    page.wait_for_selector(".st-key-practice-due button")
    shown = "getComputedStyle(document.querySelector('.contents-practice'), '::after').content"
    assert "1 due" in page.evaluate(shown)
    page.click(".st-key-practice-due button")
    page.get_by_role("button", name="Show").click()
    page.wait_for_selector(".st-key-practice-choices button")
    page.keyboard.press("1")
    page.wait_for_function(f"JSON.parse(localStorage['{KEPT}']).cards['recall:adam'].wrong === 1")


def test_a_sheet_is_printed_in_columns_without_the_page_around_it(open_page):
    page = open_page("sheets", ".st-key-sheet h2", 1280)
    page.wait_for_selector(".st-key-sheet .katex")
    page.emulate_media(media="print")
    for name in (".stSidebar", ".stAppHeader", ".st-key-sheet-choice"):
        assert not page.locator(name).first.is_visible(), name
    for size in ("A4", "Letter"):
        pdf = page.pdf(format=size)
        pages = len(re.findall(rb"/Type\s*/Page\b", pdf))
        assert 12 <= pages <= 60, pages


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("address", ["practice", "exam", "exam?lessons=debugging&n=4&seed=1"])
def test_axe_finds_nothing_in_practice(open_page, address, theme):
    page = open_page(address, ".st-key-bar h1", theme=theme)
    page.wait_for_timeout(1000)
    axe(page)
