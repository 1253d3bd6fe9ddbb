"""What readers do, done in a real browser."""

import json
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest
from axe_playwright_python.sync_playwright import Axe

import glossary

pytestmark = pytest.mark.browser

XOR_ASKS = glossary.load().term["xor-problem"].asked.question
PAGES = ["", "lesson-perceptron-to-mlp", "xor-problem", "learning-rate", "byte-pair-encoding"]
PLAYGROUNDS = PAGES[2:]
COMPOSED = [
    *("xor-problem", "byte-pair-encoding", "attention"),
    *(
        pytest.param(term, marks=pytest.mark.check)
        for term in ("learning-rate", "lstm", "dropout", "convolution", "lenet", "adam", "bert")
    ),
]
XOR = "xor-problem?seed=3"  # the page's own run: a link with a state opens on it, without asking
DONE = ".player[data-done=true]"
LONG = "playground-mlp?hidden=8&hidden2=8&hidden3=8&batch=10&epochs=1000&engine=torch"


def step(page) -> int:
    return int(page.get_attribute(".player", "data-step"))


def metric(page, name: str) -> float:
    """A number below the picture; of percents, the share."""
    text = page.locator(".player-metrics div", has=page.locator(f"dt:text-is('{name}')")).locator("dd").inner_text()
    return float(text.removesuffix(" %")) / 100 if text.endswith("%") else float(text)


def query(page) -> dict[str, str]:
    return {name: values[0] for name, values in parse_qs(urlsplit(page.url).query).items()}


def turn(page, label: str, key: str, times: int = 1) -> None:
    """Move the slider with that label by the keyboard, and wait after each press until its run is on the screen."""
    page.locator(f"input[aria-label='{label}']").focus()
    for _ in range(times):
        before = page.get_attribute(".player", "data-run")
        page.keyboard.press(key)
        page.wait_for_function("was => document.querySelector('.player').dataset.run !== was", arg=before)
        page.wait_for_selector(DONE)


@pytest.mark.parametrize("address", ["xor-problem", "lesson-rnns"])
def test_the_first_visitor_of_a_fresh_server_gets_the_page_the_link_names(open_page, fresh_server, address):
    page = open_page(address, at=fresh_server)
    page.wait_for_timeout(1500)
    assert page.locator("h1").inner_text() in ("XOR problem", "RNNs")
    assert not page.get_by_text("Page not found").count()


@pytest.mark.parametrize("width", [1280, 390])
def test_the_sidebar_unfolds_to_this_page_and_leads_to_others_in_the_same_session(open_page, width):
    page = open_page("xor-problem", DONE, width)
    page.wait_for_selector(".contents a[aria-current=page]", state="attached")
    assert page.eval_on_selector_all(".contents details[open]", "all => all.map(one => one.id)") == [
        "in-perceptron-to-mlp"
    ]
    page.get_by_test_id("stExpandSidebarButton").click()
    page.evaluate("window.stays = true")
    page.locator("#in-lstms-and-grus summary").click()
    page.locator(".contents a", has_text="LSTM").click()
    page.wait_for_selector("h1:has-text('LSTM')")
    page.wait_for_selector(".contents a[href=lstm][aria-current=page]", state="attached")
    assert page.evaluate("window.stays") and page.url.endswith("/lstm")
    assert page.locator("#in-lstms-and-grus[open]").count() == 1
    if width < 600:
        page.get_by_test_id("stExpandSidebarButton").wait_for()  # it has folded away: it lay over the page


def test_without_hidden_units_the_boundary_goes_straight_and_the_accuracy_falls(open_page):
    page = open_page(XOR, DONE)
    assert metric(page, "right on training points") == 1
    turn(page, "Hidden units", "ArrowLeft", 2)
    assert query(page)["hidden"] == "0"
    assert metric(page, "right on training points") <= 0.75


def test_a_copied_link_shows_the_same_picture_at_the_same_step_elsewhere(open_page):
    page = open_page("xor-problem?rate=0.2", DONE)
    page.locator(".player-scrub").focus()
    for _ in range(9):
        page.keyboard.press("ArrowLeft")
    page.wait_for_function("location.search.includes('step=')")
    assert query(page) == {"rate": "0.2", "step": str(step(page))}
    other = open_page(page.url.split("/", 3)[3], DONE)
    assert step(other) == step(page)
    assert other.inner_text(".player-note") == page.inner_text(".player-note")
    pictures = "[...document.querySelectorAll('.player image')].map(image => image.getAttribute('href')).join()"
    assert other.evaluate(pictures) == page.evaluate(pictures)


def test_back_undoes_a_knob(open_page):
    page = open_page(XOR, DONE)
    turn(page, "Hidden units", "ArrowRight")
    assert query(page) == {"hidden": "3"}
    page.go_back()
    page.wait_for_function("location.search === '?seed=3'")
    page.wait_for_function("document.querySelector('input[aria-label=\"Hidden units\"]').value === '2'")


def test_every_press_of_a_button_counts_however_fast(open_page):
    page = open_page("playground-mlp?seed=300", DONE)
    for n in range(1, 7):
        page.get_by_role("button", name="New seed").click()
        page.wait_for_function(f"location.search === '?seed={300 + n}'")
        page.wait_for_timeout(40 * n)  # while the run streams, when it is just done, and after that
    page.wait_for_selector(DONE)
    page.wait_for_timeout(600)
    assert query(page) == {"seed": "306"}
    page.locator("summary", has_text="More").click()
    assert page.input_value("input[aria-label=Seed]") == "306"


def test_any_term_is_two_clicks_away(open_page):
    page = open_page("xor-problem", DONE, 1500)
    page.click(".stSidebar summary:has-text('RNNs')")
    page.click(".stSidebar a:has-text('Hidden state')")
    page.wait_for_selector("h1:has-text('Hidden state')")


def test_the_player_obeys_the_keyboard_alone(open_page):
    page = open_page(XOR, DONE)
    last = step(page)
    page.locator(".player-scrub").focus()
    page.keyboard.press("Home")
    assert step(page) == 0
    page.keyboard.press("ArrowRight")
    assert 0 < step(page) < last
    page.keyboard.press("End")
    assert step(page) == last
    page.keyboard.press("Space")
    page.wait_for_function("document.querySelector('.player-play').classList.contains('playing')")
    page.wait_for_function(f"(step => 0 < step && step < {last})(document.querySelector('.player').dataset.step)")
    page.keyboard.press("Space")
    assert page.get_attribute(".player-play", "aria-label") == "Play"
    reached = []
    page.locator(".player-play").focus()
    for _ in range(6):
        reached.append(page.evaluate("document.activeElement.className || document.activeElement.tagName"))
        page.keyboard.press("Tab")
    assert {"player-play", "player-tour", "player-scrub", "player-speed"} <= set(reached), reached


def test_playing_shows_every_step_in_order_and_stops_at_the_end(open_page):
    page = open_page("xor-problem?seed=4", DONE)
    page.evaluate("""() => {
        window.steps = [];
        const player = document.querySelector('.player');
        const seen = () => window.steps.push(Number(player.dataset.step));
        new MutationObserver(seen).observe(player, {attributeFilter: ['data-step']});
    }""")
    page.select_option(".player-speed", "4")
    page.click(".player-play")
    page.wait_for_function("!document.querySelector('.player-play').classList.contains('playing')")
    steps = page.evaluate("window.steps")
    assert steps == sorted(steps) and steps[-1] == 300 and len(steps) > 30
    assert page.evaluate("location.search") == "?seed=4"


def test_going_back_shows_the_pairs_of_that_step_and_not_of_the_last(open_page):
    page = open_page("byte-pair-encoding?merges=5", DONE)
    page.locator(".player-scrub").focus()
    page.keyboard.press("Home")
    page.keyboard.press("ArrowRight")
    assert page.inner_text(".player-note").startswith("Merge 1: u + g")
    assert "p + ug" not in page.inner_html(".player-plot")


def test_a_long_run_streams_and_stop_stops_it(open_page):
    page = open_page(f"{LONG}&seed=1", ".player[data-drawn]")
    page.wait_for_function("document.querySelector('.player').dataset.drawn > 1")
    assert page.is_visible(".player-stream progress")
    page.click(".player-stop")
    page.wait_for_timeout(700)
    drawn = page.get_attribute(".player", "data-drawn")
    page.wait_for_timeout(1500)
    assert page.get_attribute(".player", "data-drawn") == drawn
    assert page.get_attribute(".player", "data-done") == "false"
    page.click(".player-stop")  # it says Continue now
    page.wait_for_function(f"Number(document.querySelector('.player').dataset.drawn) > {drawn}")


def test_a_link_to_a_step_that_is_still_to_be_computed_waits_for_it(open_page):
    page = open_page("playground-mlp?hidden=8&hidden2=8&batch=10&epochs=300&seed=5&step=120", DONE)
    page.wait_for_function("document.querySelector('.player').dataset.step === '120'")
    assert query(page)["step"] == "120"


def test_a_player_made_anew_gets_the_frames_that_the_server_believes_it_has(open_page):
    page = open_page("xor-problem?seed=6", DONE)
    page.locator(".player-scrub").focus()
    page.keyboard.press("Home")
    page.evaluate("""() => {
        const root = document.querySelector('.player');
        root.player = undefined;  // as if the component had been mounted again
        root.dataset.drawn = '';
    }""")
    page.wait_for_selector(".player[data-drawn='61']")
    assert page.evaluate("document.querySelector('.player').player.film.frames.length") == 61
    assert step(page) == 0


def test_a_link_in_a_definition_stays_in_the_session(open_page):
    page = open_page("xor-problem", DONE)
    page.evaluate("window.here = true")
    page.click(".st-key-definition a:text-is('perceptron')")
    page.wait_for_selector("h1:has-text('Perceptron')")
    assert urlsplit(page.url).path == "/perceptron"
    assert page.evaluate("window.here")


def test_search_finds_as_one_types_and_forgives_typos(open_page):
    page = open_page("")
    box = page.get_by_placeholder("Search a term")
    box.press_sequentially("bacprop")
    page.click(".stMain .hits a:has-text('Backpropagation')")
    page.wait_for_selector("h1:has-text('Backpropagation')")


@pytest.mark.parametrize("address", ["", "lesson-rnns", "no-such-page"])
def test_a_slash_goes_to_the_search_and_enter_opens_the_best_hit(open_page, address):
    page = open_page(address)
    page.wait_for_selector("input[type=search]", state="attached")
    page.wait_for_function("document.querySelector('.keys')")
    page.evaluate("window.stays = true")
    page.keyboard.press("/")
    page.wait_for_function("document.activeElement.type === 'search'")
    page.keyboard.type("lstm")
    page.keyboard.press("Enter")
    page.wait_for_selector("h1:has-text('LSTM')")
    assert urlsplit(page.url).path == "/lstm" and page.evaluate("window.stays")


def test_a_slash_is_a_letter_where_one_types_and_nothing_where_keys_are_off(open_page):
    page = open_page("")
    box = page.get_by_placeholder("Search a term")
    box.press_sequentially("a/b")
    assert box.input_value() == "a/b"
    page.evaluate("document.activeElement.blur()")
    page.locator(".keys-help").click()
    page.locator(".keys-on").uncheck()
    page.evaluate("document.activeElement.blur()")
    page.keyboard.press("/")
    assert page.evaluate("document.activeElement.type") != "search"


def test_home_continues_with_the_term_that_was_opened_last_until_that_is_erased(open_page):
    page = open_page("")
    forward = page.locator(".progress-forward")
    forward.wait_for()
    assert forward.inner_text().startswith("Start: ")
    page.click(".cards a[href='lesson-lstms-and-grus']")
    page.click(".cards a[href='lstm']")
    page.wait_for_selector("h1:has-text('LSTM')")
    page.wait_for_function("localStorage.getItem('trainable-glossary-last')")
    page.goto(page.url.split("/lstm")[0])
    page.wait_for_selector(".progress-forward:text-is('Continue: LSTM')")
    page.click(".progress-forward")
    page.wait_for_selector("h1:has-text('LSTM')")
    page.goto(page.url.split("/lstm")[0])
    page.get_by_role("button", name="Your progress").click()
    page.get_by_role("button", name="Erase").click()
    page.wait_for_selector(".progress-said:text-is('Erased.')")
    assert forward.inner_text().startswith("Start: ")
    assert page.evaluate("localStorage.getItem('trainable-glossary-last')") is None


@pytest.mark.parametrize(
    "odd", ["[1", '{"page": "../x", "name": "x"}', '{"page": "lstm"}', '{"page": "lstm", "name": {}}', "null"]
)
def test_what_is_no_last_term_is_none(open_page, odd):
    page = open_page("")
    page.evaluate("odd => localStorage.setItem('trainable-glossary-last', odd)", odd)
    page.reload()
    page.wait_for_selector(".progress-forward:has-text('Start: ')")


def test_the_menu_of_progress_closes_with_escape_and_by_a_click_elsewhere(open_page):
    page = open_page("")
    head = page.get_by_role("button", name="Your progress")
    panel = page.locator(".progress-panel")
    head.wait_for()
    assert not panel.is_visible()
    head.press("Enter")
    assert panel.is_visible() and head.get_attribute("aria-expanded") == "true"
    page.keyboard.press("Escape")
    assert not panel.is_visible() and page.evaluate("document.activeElement.textContent") == "Your progress"
    head.click()
    page.click("h1")
    assert not panel.is_visible() and head.get_attribute("aria-expanded") == "false"


def test_home_loads_plotly_once_and_nothing_from_elsewhere(server, chromium):
    context = chromium.new_context(viewport={"width": 1280, "height": 720})
    page = context.new_page()
    asked = []
    page.on("request", lambda request: asked.append(request.url))
    page.goto(server)
    page.wait_for_selector(".loop .player[data-done=true]")
    assert len([url for url in asked if "plotly" in url.lower()]) == 1
    assert all(url.startswith((server, "data:", "blob:")) for url in asked), asked
    context.close()


def test_the_net_on_home_trains_over_and_over_until_it_is_paused(open_page):
    page = open_page("", ".loop .player[data-done=true]")
    player = page.locator(".loop .player")
    last = page.evaluate("document.querySelector('.player').player.film.frames.at(-1).step")
    assert not player.locator(".player-bar").is_visible() and not player.locator(".player-metrics").is_visible()
    page.wait_for_function(f"document.querySelector('.player').dataset.step === '{last}'")
    page.wait_for_function(f"document.querySelector('.player').dataset.step < {last / 2}", timeout=15_000)
    page.get_by_role("button", name="Pause the moving picture").click()
    rests = player.get_attribute("data-step")
    page.wait_for_timeout(800)
    assert player.get_attribute("data-step") == rests and page.evaluate("location.search") == ""
    page.get_by_role("button", name="Play the moving picture").click()
    page.wait_for_function("was => document.querySelector('.player').dataset.step !== was", arg=rests)


def test_the_net_on_home_stands_still_for_readers_who_want_less_motion(chromium, server):
    context = chromium.new_context(reduced_motion="reduce")
    page = context.new_page()
    page.goto(server)
    page.wait_for_selector(".loop .player[data-done=true]")
    last = page.evaluate("document.querySelector('.player').player.film.frames.at(-1).step")
    page.wait_for_timeout(800)
    assert step(page) == last and page.get_by_role("button", name="Play the moving picture").count() == 1
    context.close()


@pytest.mark.parametrize(("width", "height"), [(1280, 720), (1920, 1080), (390, 844)])
def test_homes_first_screen_has_name_search_and_net_and_the_page_is_short(open_page, width, height):
    page = open_page("", ".loop .player[data-done=true]", width, height=height)
    for part in ("h1", ".stMain input[type=search]", ".progress-forward", ".player-plot"):
        box = page.locator(part).first.bounding_box()
        assert box["y"] >= 0 and box["y"] + box["height"] <= height, part
    assert page.locator(".cards a").first.bounding_box()["y"] < height
    assert page.evaluate("document.querySelector('.stMain').scrollHeight") < (3300 if width < 600 else 1500)


def test_the_picture_on_home_pushes_nothing_when_it_comes(open_page):
    page = open_page("", ".cards")
    before = page.locator(".cards a").first.bounding_box()["y"]
    page.wait_for_selector(".loop .player[data-done=true]")
    page.wait_for_timeout(300)
    assert abs(page.locator(".cards a").first.bounding_box()["y"] - before) < 6


def test_a_report_of_a_mistake_names_the_page_from_which_the_reader_came(open_page):
    page = open_page(XOR, DONE, 1920)
    page.click(".contents a:text-is('About and privacy')")
    page.wait_for_selector("h1:has-text('About and privacy')")
    assert query(page) == {"from": XOR}
    page.wait_for_selector(f"code:has-text('/{XOR}')")


@pytest.mark.parametrize("address", PLAYGROUNDS)
def test_a_playground_asks_no_other_host(open_page, server, address):
    page = open_page(address, DONE)
    assert all(url.startswith((server, "data:", "blob:")) for url in page.asked), page.asked


@pytest.mark.parametrize("address", PAGES)
def test_a_phone_shows_everything_without_sideways_scroll(open_page, address):
    page = open_page(address, DONE if address in PLAYGROUNDS else "h1", width=390)
    fits(page)
    if address in PLAYGROUNDS:
        page.locator(".sheet-handle button", has_text="Knobs").click()
        knob = page.locator("[class*='st-key-'][class*='-knob-']").first.bounding_box()
        hero = page.locator(".player-plot").bounding_box()
        assert hero["y"] + 220 <= 844 - 320 <= knob["y"], "the picture stands above the sheet"


def fits(page) -> None:
    """Nothing on the page is wider than the window."""
    page.wait_for_timeout(600)
    wide = page.evaluate("""() => [...document.querySelectorAll('.stMain, .stMain *')]
        .filter(e => e.getBoundingClientRect().right > innerWidth + 1)
        .filter(e => !e.closest('pre, code, svg, .katex, [role=tablist], .stDataFrame'))
        .filter(e => !e.matches('input[id^=react-aria]'))
        .filter(e => getComputedStyle(e).position !== 'absolute')
        .map(e => e.className || e.tagName).slice(0, 5)""")
    assert page.evaluate("document.documentElement.scrollWidth") <= 390 and not wide, wide


RULES = {"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa"]}
HEADINGS = {"runOnly": {"type": "rule", "values": ["heading-order", "empty-heading"]}}  # good practice, in axe's words


def axe(page) -> None:
    """Automatic checks of accessibility find nothing."""
    page.wait_for_selector(".stApp[data-test-script-state=notRunning]")  # until then texts may still be fading in
    page.wait_for_timeout(500)
    found = [one for rules in (RULES, HEADINGS) for one in Axe().run(page, options=rules).response["violations"]]
    said = [(one["id"], node["html"][:200], node["failureSummary"][:300]) for one in found for node in one["nodes"]]
    assert not said, json.dumps(said, indent=1)


def test_an_embedded_page_is_the_playground_alone(open_page):
    page = open_page("xor-problem?hidden=3&embed=true", DONE)
    assert not page.locator("h1").count() and not page.locator(".stSidebar a").count()
    assert "hidden 3" not in page.inner_text("body").lower()
    assert page.input_value("input[aria-label='Hidden units']") == "3"


def test_a_downloaded_run_plays_with_no_network(open_page, chromium, tmp_path: Path):
    page = open_page("xor-problem?step=120", DONE)
    page.get_by_role("tab", name="Share").click()
    with page.expect_download() as download:
        page.get_by_role("button", name="Download this run").click()
    file = tmp_path / "run.html"
    download.value.save_as(file)
    context = chromium.new_context(offline=True)
    offline = context.new_page()
    offline.goto(file.as_uri())
    offline.wait_for_selector(DONE)
    assert step(offline) == 300
    offline.locator(".player-scrub").focus()
    offline.keyboard.press("Home")
    assert step(offline) == 0 and offline.locator(".player-plot svg").count()
    context.close()


def test_share_shows_the_link_of_this_state_and_a_code_for_it(open_page):
    page = open_page("xor-problem?hidden=3", DONE)
    page.get_by_role("tab", name="Share").click()
    page.wait_for_selector("text=Scan to open")
    page.get_by_text(page.url, exact=False).first.wait_for()
    page.wait_for_function("document.querySelector('.stImage svg, .stImage img')?.getBoundingClientRect().width > 200")


def test_nonsense_in_a_link_is_named_and_nothing_breaks(open_page):
    page = open_page("xor-problem?hidden=1e9&rate=nan&data=../x&data=2&foo=<script>", DONE)
    said = page.locator(".stAlert").all_inner_texts()
    assert len(said) == 4 and "hidden=1e9 is above 8: using 8." in said[0]
    assert not page.locator(".stException").count()


# ----------------------------------------------------------------------------- predicting, comparing, drawing, progress

OWN = "playground-convolution?picture=own"
PINNED = "xor-problem?hidden=0&pinned=preset"


def steps(page) -> list[str]:
    return page.evaluate("[...document.querySelectorAll('.player')].map(player => player.dataset.step)")


def remembered(page) -> dict:
    return json.loads(page.evaluate("localStorage.getItem('trainable-glossary') ?? '{}'"))


def clips(page) -> list[float]:
    """How much of each panel's curves can be seen, as a share of its width."""
    return page.evaluate("""() => {
        const plot = document.querySelector('.player-plot');
        const runs = document.querySelector('.player').player.film.base.panels.filter(panel => panel.runs);
        return runs.map(({ suffix }) => {
            const clip = plot.querySelector(`clipPath[id$="x${suffix}y${suffix}plot"] rect`);
            return clip.getAttribute('width') / plot._fullLayout[`xaxis${suffix}`]._length;
        });
    }""")


def option(page, right: bool, number: int = 0):
    """A button of the question that XOR's page asks first (or as that number)."""
    question = XOR_ASKS[number]
    chosen = next(one.text for one in question.options if one.right == right)
    return page.get_by_role("button", name=chosen, exact=True)


def test_a_term_asks_before_it_shows_and_hides_what_is_to_come_until_it_was_seen(open_page):
    page = open_page("xor-problem", DONE)
    assert step(page) == 0 and clips(page) == [0]
    option(page, right=False).click()
    page.wait_for_function("location.search === '?hidden=8&seed=2'")
    page.wait_for_function("document.querySelector('.player-play').classList.contains('playing')")
    page.wait_for_function("document.querySelector('.player').dataset.step > 20")
    assert 0 < clips(page)[0] < 1
    page.locator(".player-scrub").focus()
    page.keyboard.press("End")
    page.wait_for_selector("[class*='st-key-option-green']")
    page.wait_for_selector("[class*='st-key-option-orange'] :text('your prediction')")
    assert clips(page) == [1]
    page.wait_for_function("(localStorage.getItem('trainable-glossary') ?? '').includes('xor-problem')")
    assert remembered(page)["xor-problem"]["reached"] == []
    assert len(remembered(page)["xor-problem"]["answered"]) == 1
    page.reload()
    page.wait_for_selector(f".st-key-rail button:has-text('{XOR_ASKS[0].ask[:30]}')")
    option(page, right=True, number=1).wait_for()
    assert not option(page, right=True).count(), "not asked anew"


def later(page) -> list[bool]:
    """Which of the traces that show what comes out can be seen."""
    return page.evaluate("""() => document.querySelector('.player-plot').data
        .filter(one => one.meta === 'later').map(one => one.visible !== false)""")


def test_what_comes_out_is_not_seen_before_the_run_has_been_played(open_page):
    page = open_page("learning-rate", DONE)
    assert later(page) and not any(later(page))
    page.locator(".player-scrub").focus()
    page.keyboard.press("End")
    page.wait_for_function("document.querySelector('.player-plot').data.every(one => one.visible !== false)")
    page.keyboard.press("Home")
    page.wait_for_function("document.querySelector('.player').dataset.step === '0'")
    assert all(later(page)), "once seen it stays"


def test_numbers_that_0_1_0_stored_are_taken_over(open_page):
    page = open_page("xor-problem", DONE)
    page.evaluate("""localStorage.setItem('trainable-glossary',
                     '{"xor-problem": {"answered": [0], "reached": [0, 1]}}')""")
    page.reload()
    page.wait_for_function("!(localStorage.getItem('trainable-glossary') ?? '0').includes('0')")
    kept = remembered(page)["xor-problem"]
    assert all(isinstance(one, str) for one in [*kept["answered"], *kept["reached"]])
    assert (len(kept["answered"]), len(kept["reached"])) == (1, 2)


@pytest.mark.parametrize(("width", "height"), [(1280, 720), (1920, 1080)])
@pytest.mark.parametrize("address", COMPOSED)
def test_the_whole_picture_is_in_the_first_screen_beside_the_question(open_page, address, width, height):
    page = open_page(address, ".player[data-drawn]", width, height=height)
    page.wait_for_timeout(500)
    plot = page.locator(".player-plot").bounding_box()
    assert plot["y"] >= 120 and plot["y"] + plot["height"] <= height - 30
    assert page.locator("[class*='question-card']").bounding_box()["y"] < 150
    if not page.locator(".player-row").count():  # tokens and letters stand between the picture and the tabs
        assert page.get_by_role("tab", name="Definition").bounding_box()["y"] < height


@pytest.mark.parametrize("address", COMPOSED)
def test_on_a_phone_the_picture_begins_in_the_first_screen(open_page, address):
    page = open_page(address, ".player[data-drawn]", 390, height=664)
    page.wait_for_timeout(500)
    assert page.locator(".player-plot").bounding_box()["y"] < 180
    assert page.locator(".sheet-handle").bounding_box()["y"] < 664
    assert page.locator(".player-play").bounding_box()["y"] > 500


def test_a_goal_reached_counts_on_home_and_is_erased_with_one_button(open_page):
    page = open_page("xor-problem?seed=1&optimizer=SGD&rate=1", DONE)
    page.get_by_role("tab", name="Goals").click()
    page.wait_for_selector(".stAlert:has-text('Reached: training loss')")
    page.wait_for_function("(localStorage.getItem('trainable-glossary') ?? '').includes('xor-problem')")
    page.goto(page.url.split("/xor-problem")[0])
    said = page.locator(".progress p").first
    said.wait_for(state="attached")
    assert "answered 0 of" in said.text_content() and "reached 1 of" in said.text_content()
    page.wait_for_selector("#marks", state="attached")
    after = "place => getComputedStyle(document.querySelector(place), '::after').content"
    for place in (".contents a[href=xor-problem]", ".letters a[href=xor-problem]"):
        assert "◐" in page.evaluate(after, place), place
    assert "1 of" in page.evaluate(after, ".cards a[href=lesson-perceptron-to-mlp] .card-count")
    page.get_by_role("button", name="Your progress").click()
    with page.expect_download() as download:
        page.get_by_role("button", name="Save to a file").click()
    page.get_by_role("button", name="Erase").click()
    assert "reached 0 of" in said.inner_text() and remembered(page) == {}
    assert "◐" not in page.evaluate(after, ".contents a[href=xor-problem]")
    page.set_input_files(".progress input[type=file]", download.value.path())
    page.wait_for_function("document.querySelector('.progress p').textContent.includes('reached 1 of')")
    page.set_input_files(".progress input[type=file]", {"name": "x.json", "mimeType": "", "buffer": b"[1"})
    page.wait_for_selector(".progress p:has-text('no file of saved progress')")
    assert len(remembered(page)["xor-problem"]["reached"]) == 1
    assert "◐" in page.evaluate(after, ".contents a[href=xor-problem]")


def test_two_runs_that_are_compared_play_in_step(open_page):
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
    assert "this run, step" in table and "pinned run, step" in table and "training loss" in table
    ranges = "[...document.querySelectorAll('.player-plot')].map(p => JSON.stringify(p._fullLayout.yaxis3.range))"
    one, other = page.evaluate(ranges)
    assert one == other


def test_a_click_in_a_sweep_goes_to_that_run(open_page):
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


def test_a_picture_is_drawn_with_the_mouse_and_by_the_keyboard_and_is_in_the_link(open_page):
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


def test_a_file_that_is_no_picture_gets_a_sentence_and_a_picture_is_scaled_down(open_page):
    page = open_page(OWN, DONE)
    file = page.locator(".pad input[type=file]")
    file.set_input_files({"name": "x.png", "mimeType": "image/png", "buffer": b"no picture"})
    page.wait_for_selector(".pad-said:has-text('not a picture')")
    file.set_input_files({"name": "x.png", "mimeType": "image/png", "buffer": b"0" * (2**20 + 1)})
    page.wait_for_selector(".pad-said:has-text('more than 1 MB')")
    file.set_input_files("docs/multi-layer-perceptron.png")
    page.wait_for_selector(".pad-said:has-text('scaled to')")
    page.wait_for_function("location.search.length > 60")


def test_points_are_put_with_mouse_and_keyboard_and_bad_rows_are_named(open_page):
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


def test_what_a_link_locks_is_shown_and_cannot_be_moved(open_page):
    page = open_page("xor-problem?hidden=3&lock=hidden&hide=rate,code", DONE)
    assert page.locator("input[aria-label='Hidden units']").is_disabled()
    assert not page.locator("input[aria-label='Learning rate η']").count()
    assert not page.get_by_role("tab", name="Code").count()


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("address", [PINNED, OWN, "playground-mlp?data=own", "playground-convolution?kernel=own"])
def test_axe_finds_nothing_in_what_teaches(open_page, address, theme):
    axe(open_page(address, DONE, theme=theme))


@pytest.mark.parametrize("address", [PINNED, OWN, "playground-mlp?data=own"])
def test_a_phone_shows_what_teaches_without_sideways_scroll(open_page, address):
    fits(open_page(address, DONE, width=390))


def test_on_a_phone_the_options_of_a_question_are_not_cut(open_page):
    page = open_page("alexnet", ".player[data-drawn]", width=390)
    page.locator(".sheet-handle button", has_text="Predict").click()
    cut = """() => [...document.querySelectorAll('.stMain .stButton button *')]
        .filter(e => e.scrollWidth > e.clientWidth + 1 && getComputedStyle(e).textOverflow === 'ellipsis').length"""
    assert page.locator("[class*='-option-'] button").first.is_visible() and page.evaluate(cut) == 0
