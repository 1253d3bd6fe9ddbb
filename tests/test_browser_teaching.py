"""What the pages do to teach, done in a real browser: predictions, goals, comparing, sweeping, drawing, progress."""

import json

import pytest

from tests.test_browser import DONE, Open, axe, fits, open_page, query, step, turn  # noqa: F401

pytestmark = pytest.mark.browser

OWN = "playground-convolution?view=slide&picture=own"
PINNED = "xor-problem?hidden=0&pinned=preset"


def steps(page) -> list[str]:
    return page.evaluate("[...document.querySelectorAll('.player')].map(player => player.dataset.step)")


def remembered(page) -> dict:
    return json.loads(page.evaluate("localStorage.getItem('trainable-glossary') ?? '{}'"))


def test_a_prediction_plays_the_deciding_run_and_reveals_the_answer_at_its_end(open_page: Open):  # noqa: F811
    page = open_page("xor-problem", DONE)
    page.get_by_role("button", name="All four: it only takes").click()
    page.wait_for_function("location.search === '?hidden=0'")
    page.wait_for_function("document.querySelector('.player-play').classList.contains('playing')")
    assert not page.locator(".stAlert").count()
    page.locator(".player-scrub").focus()
    page.keyboard.press("End")
    page.wait_for_selector(".stAlert:has-text('What happens instead')")
    assert "0.693" in page.inner_text(".stAlert")
    page.wait_for_function("(localStorage.getItem('trainable-glossary') ?? '').includes('xor-problem')")
    assert remembered(page)["xor-problem"] == {"answered": [0], "reached": []}


def test_a_goal_reached_counts_on_home_and_is_erased_with_one_button(open_page: Open):  # noqa: F811
    page = open_page("xor-problem?seed=1", DONE)
    page.wait_for_selector(".stAlert:has-text('Reached: accuracy')")
    page.wait_for_function("(localStorage.getItem('trainable-glossary') ?? '').includes('xor-problem')")
    page.goto(page.url.split("/xor-problem")[0])
    said = page.locator(".progress p").first
    said.wait_for()
    assert "answered 0 of" in said.inner_text() and "reached 1 of" in said.inner_text()
    sign = "getComputedStyle(document.querySelector(\".stMain a[href='xor-problem'] p\"), '::after').content"
    assert "◐" in page.evaluate(sign)
    with page.expect_download() as download:
        page.get_by_role("button", name="Save to a file").click()
    page.get_by_role("button", name="Erase").click()
    assert "reached 0 of" in said.inner_text() and remembered(page) == {}
    page.set_input_files(".progress input[type=file]", download.value.path())
    page.wait_for_function("document.querySelector('.progress p').textContent.includes('reached 1 of')")
    page.set_input_files(".progress input[type=file]", {"name": "x.json", "mimeType": "", "buffer": b"[1"})
    page.wait_for_selector(".progress p:has-text('no file of saved progress')")
    assert remembered(page)["xor-problem"]["reached"] == [0]


def test_two_runs_that_are_compared_play_in_step(open_page: Open):  # noqa: F811
    page = open_page(PINNED, DONE)
    page.wait_for_selector(".player[data-role=follow][data-done=true]")
    page.locator(".player-scrub").first.focus()
    page.keyboard.press("Home")
    page.wait_for_function("[...document.querySelectorAll('.player')].every(p => p.dataset.step === '0')")
    for _ in range(7):
        page.keyboard.press("ArrowRight")
    page.wait_for_function("document.querySelector('.player').dataset.step > 20")
    page.wait_for_timeout(500)
    assert len(set(steps(page))) == 1 and len(steps(page)) == 2
    table = page.inner_text(".player[data-role=lead] .player-table")
    assert "this run, step" in table and "pinned run, step" in table and "loss" in table
    ranges = "[...document.querySelectorAll('.player-plot')].map(p => JSON.stringify(p._fullLayout.yaxis3.range))"
    one, other = page.evaluate(ranges)
    assert one == other


def test_a_click_in_a_sweep_goes_to_that_run(open_page: Open):  # noqa: F811
    page = open_page("xor-problem?epochs=10", DONE)
    page.get_by_role("tab", name="Sweep").click()
    page.get_by_role("button", name="Compute").click()
    page.wait_for_function("document.querySelectorAll('.player')[1]?.dataset.done === 'true'", timeout=40_000)
    page.evaluate("""() => {
        const plot = document.querySelectorAll('.player-plot')[1];
        const at = plot.data[1].customdata.findIndex(value => value === 6);
        plot.emit('plotly_click', { points: [{ customdata: plot.data[1].customdata[at] }] });
    }""")
    page.wait_for_function("location.search.includes('hidden=6')")


def test_a_picture_is_drawn_with_the_mouse_and_by_the_keyboard_and_is_in_the_link(open_page: Open):  # noqa: F811
    page = open_page(OWN, DONE)
    sheet = page.locator(".pad-canvas")
    sheet.scroll_into_view_if_needed()
    box = sheet.bounding_box()
    page.mouse.move(box["x"] + 30, box["y"] + 30)
    page.mouse.down()
    page.mouse.move(box["x"] + 120, box["y"] + 130, steps=6)
    page.mouse.up()
    page.wait_for_function("/[?&]own=~?/.test(location.search) || /drawing=/.test(location.search)")
    drawn = page.url
    other = open_page(drawn.split("/", 3)[3], DONE)
    pictures = "[...document.querySelectorAll('.player image')].map(image => image.getAttribute('href')).join()"
    page.wait_for_selector(DONE)
    assert other.evaluate(pictures) == page.evaluate(pictures)
    sheet.focus()
    page.keyboard.press("ArrowUp")
    page.keyboard.press("Space")
    page.wait_for_selector(".pad-said:has-text('15 of 15')")
    page.wait_for_function("was => location.href !== was", arg=drawn)
    after = page.url
    page.get_by_role("button", name="Undo").click()
    page.wait_for_function("was => location.href !== was", arg=after)
    page.wait_for_function("was => location.href === was", arg=drawn)


def test_a_file_that_is_no_picture_gets_a_sentence_and_a_picture_is_scaled_down(open_page: Open):  # noqa: F811
    page = open_page(OWN, DONE)
    file = page.locator(".pad input[type=file]")
    file.set_input_files({"name": "x.png", "mimeType": "image/png", "buffer": b"no picture"})
    page.wait_for_selector(".pad-said:has-text('not a picture')")
    file.set_input_files({"name": "x.png", "mimeType": "image/png", "buffer": b"0" * (2**20 + 1)})
    page.wait_for_selector(".pad-said:has-text('more than 1 MB')")
    file.set_input_files("docs/multi-layer-perceptron.png")
    page.wait_for_selector(".pad-said:has-text('scaled to')")
    page.wait_for_function("location.search.length > 60")


def test_points_are_put_with_mouse_and_keyboard_and_bad_rows_are_named(open_page: Open):  # noqa: F811
    page = open_page("playground-mlp?data=own&epochs=20", DONE)
    sheet = page.locator(".pad-canvas")
    sheet.scroll_into_view_if_needed()
    before = page.inner_text(".pad-count")
    page.get_by_role("button", name="Class 1").click()
    box = sheet.bounding_box()
    page.mouse.click(box["x"] + 10, box["y"] + 10)
    page.wait_for_function("location.search.includes('points=')")
    page.wait_for_function("was => document.querySelector('.pad-count').textContent !== was", arg=before)
    page.locator(".pad summary").click()
    page.fill(".pad textarea", "0.5,0.5,1\nhello\n-0.5,0.1,0")
    page.get_by_role("button", name="Take these points").click()
    page.wait_for_selector(".stAlert:has-text('line 2 is not x, y, class')")
    page.wait_for_selector(".pad-count:has-text('2 points')")
    assert query(page)["points"] == "0.5,0.5,1\n-0.5,0.1,0"


def test_what_a_link_locks_is_shown_and_cannot_be_moved(open_page: Open):  # noqa: F811
    page = open_page("xor-problem?hidden=3&lock=hidden&hide=rate,code", DONE)
    assert page.locator("input[aria-label='Hidden units']").is_disabled()
    assert not page.locator("input[aria-label='Learning rate η']").count()
    assert not page.get_by_role("tab", name="Code").count()


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("address", [PINNED, OWN, "playground-mlp?data=own", "playground-convolution?kernel=own"])
def test_axe_finds_nothing_in_what_teaches(open_page: Open, address, theme):  # noqa: F811
    axe(open_page(address, DONE, theme=theme))


@pytest.mark.parametrize("address", [PINNED, OWN, "playground-mlp?data=own"])
def test_a_phone_shows_what_teaches_without_sideways_scroll(open_page: Open, address):  # noqa: F811
    fits(open_page(address, DONE, width=390))
