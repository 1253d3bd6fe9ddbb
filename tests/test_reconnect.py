"""A page that was cut off comes back alive by itself, in the state of its link; and Back keeps the knobs."""

import contextlib
import socket
import threading
import time
from collections.abc import Iterator
from urllib.parse import urlsplit

import pytest

from tests.conftest import start_server
from tests.test_browser import DONE, LONG, option, query, step

pytestmark = pytest.mark.browser

FORGETFUL = ("--server.disconnectedSessionTTL", "1")  # seconds: a cut of three is then a long one
CONNECTED = ".stApp[data-test-connection-state=CONNECTED]"
CUT = ".stApp:not([data-test-connection-state=CONNECTED])"
SOON = 3000  # ms from the connection on
START = "xor-problem?hidden=3&step=120"


class Server:
    """A server of its own, which can be started again at the same address."""

    def __init__(self):
        self.process, self.address = start_server(options=FORGETFUL)

    def stop(self) -> None:
        self.process.kill()
        self.process.wait(10)

    def restart(self) -> None:
        self.stop()
        self.process, _ = start_server(port=urlsplit(self.address).port, options=FORGETFUL)


class Wire:
    """A way to a server that can be cut: what is open breaks off, and nobody gets through until it is mended."""

    def __init__(self, address: str):
        self._to = "127.0.0.1", urlsplit(address).port
        self._open: list[socket.socket] = []
        self._is_cut = False
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.address = f"http://localhost:{self._listening.getsockname()[1]}"
        threading.Thread(target=self._accept, daemon=True).start()

    def cut(self) -> None:
        self._is_cut = True
        for one in self._open:
            with contextlib.suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)
        self._open.clear()

    def mend(self) -> None:
        self._is_cut = False

    def close(self) -> None:
        self.cut()
        self._listening.close()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):  # closed
            while True:
                here, _ = self._listening.accept()
                if self._is_cut:
                    here.close()
                    continue
                there = socket.create_connection(self._to)
                self._open += [here, there]
                for source, target in ((here, there), (there, here)):
                    threading.Thread(target=self._pass_on, args=(source, target), daemon=True).start()

    @staticmethod
    def _pass_on(source: socket.socket, target: socket.socket) -> None:
        with source, contextlib.suppress(OSError):
            while data := source.recv(65536):
                target.sendall(data)
        with contextlib.suppress(OSError):
            target.shutdown(socket.SHUT_RDWR)


@pytest.fixture
def own_server() -> Iterator[Server]:
    server = Server()
    yield server
    server.stop()


@pytest.fixture(scope="module")
def forgetful_server() -> Iterator[str]:
    server = Server()
    yield server.address
    server.stop()


@pytest.fixture
def wire(forgetful_server) -> Iterator[Wire]:
    wire = Wire(forgetful_server)
    yield wire
    wire.close()


def found(page) -> None:
    """Wait for the connection, and for at most three seconds until the page takes what is pressed."""
    page.wait_for_selector(CONNECTED, timeout=40_000)
    page.wait_for_selector(".stApp:not([inert])", timeout=SOON + 1000)


def turned(page, hidden: int, within: float | None = None) -> None:
    """A slider works: a press on it counts, within so many ms. On a phone it is in the sheet."""
    handle = page.locator(".sheet-handle button", has_text="Knobs")
    if handle.is_visible() and handle.get_attribute("aria-expanded") == "false":
        handle.click()
    assert page.input_value("input[aria-label='Hidden units']") == str(hidden)
    page.wait_for_selector(
        "input[aria-label='Hidden units']:enabled", timeout=within
    )  # without a connection they are not
    page.locator("input[aria-label='Hidden units']").press("ArrowRight", timeout=within)
    page.wait_for_function(f"location.search.includes('hidden={hidden + 1}')", timeout=within)


def alive(page, hidden: int, within: float | None = None) -> None:
    """The controls work: a slider, buttons, tabs, the player, and the search where there is one."""
    turned(page, hidden, within)
    page.wait_for_function(f"document.querySelector('input[aria-label=\"Hidden units\"]').value === '{hidden + 1}'")
    page.get_by_role("button", name="New seed").click()
    page.wait_for_function("/[?&]seed=/.test(location.search)")
    page.get_by_role("tab", name="Numbers").click()
    page.wait_for_selector(".stDataFrame")
    page.wait_for_selector(DONE)
    page.locator(".player-scrub").focus()
    page.keyboard.press("Home")
    page.wait_for_function("location.search.includes('step=0')")
    if page.get_by_placeholder("Search a term").count():
        page.get_by_placeholder("Search a term").press_sequentially("bacprop")
        page.wait_for_selector(".stSidebar .hits a:has-text('Backpropagation')", state="attached")  # it may be folded


# ----------------------------------------------------------------------------------------------------- cut off and back


@pytest.mark.parametrize("more", ["", "&embed=true"], ids=["page", "embedded"])
def test_an_untouched_page_is_alive_after_a_restart_in_the_state_of_its_link(open_page, own_server, more):
    page = open_page(START + more, DONE, at=own_server.address)
    own_server.restart()
    found(page)
    assert step(page) == 120 and query(page)["hidden"] == "3"
    alive(page, 3)
    assert not page.locator(".stException, .stAlert").count()


def test_an_untouched_page_is_alive_after_a_long_cut(open_page, wire):
    page = open_page(START, DONE, at=wire.address)
    wire.cut()
    page.wait_for_selector(CUT, state="attached")
    time.sleep(3)
    wire.mend()
    found(page)
    alive(page, 3, SOON)


def test_a_page_is_alive_after_a_short_cut_and_keeps_what_was_answered(open_page, server):
    wire = Wire(server)
    page = open_page("xor-problem", DONE, at=wire.address)
    page.get_by_role("button", name="Skip").click()
    option(page, right=False, number=1).click()  # its run has no hidden units
    page.wait_for_selector("text=Your prediction")
    wire.cut()
    page.wait_for_selector(CUT, state="attached")
    wire.mend()
    found(page)
    alive(page, 0)
    assert page.get_by_text("Your prediction").count()
    wire.close()


def test_a_phone_that_slept_is_alive_when_it_wakes(open_page, wire):
    page = open_page(START, DONE, width=390, at=wire.address)
    phone = page.context.new_cdp_session(page)
    phone.send("Page.setWebLifecycleState", {"state": "frozen"})
    wire.cut()
    time.sleep(3)
    wire.mend()
    phone.send("Page.setWebLifecycleState", {"state": "active"})
    page.wait_for_selector(CUT, state="attached")
    found(page)
    turned(page, 3, SOON)


def test_a_film_plays_on_through_a_restart(open_page, own_server):
    page = open_page("xor-problem?hidden=3", DONE, at=own_server.address)
    page.select_option(".player-speed", "0.25")
    page.click(".player-play")
    page.wait_for_function("document.querySelector('.player').dataset.step < 100")
    before = step(page)
    own_server.restart()
    found(page)
    page.wait_for_timeout(1000)
    assert step(page) > before
    alive(page, 3)


def test_a_run_that_streams_goes_on_after_a_restart(open_page, own_server):
    page = open_page(LONG, ".player[data-drawn]", at=own_server.address)
    page.wait_for_function("document.querySelector('.player').dataset.drawn > 2")
    own_server.restart()
    found(page)
    drawn = int(page.get_attribute(".player", "data-drawn"))
    page.wait_for_function("drawn => document.querySelector('.player').dataset.drawn > drawn", arg=drawn)
    page.get_by_role("button", name="New seed").click()
    page.wait_for_function("location.search.includes('seed=')")


def test_two_readers_go_on_after_two_restarts_one_playing_and_one_untouched(open_page, own_server):
    plays = open_page("xor-problem?hidden=3", DONE, width=390, at=own_server.address)
    waits = open_page(START, DONE, width=390, at=own_server.address)
    plays.select_option(".player-speed", "0.25", force=True)  # a phone does not show it
    plays.click(".player-play")
    plays.wait_for_function("document.querySelector('.player').dataset.step < 100")
    before = step(plays)
    for _ in range(2):
        own_server.restart()
        found(plays)
        found(waits)
        waits.wait_for_timeout(1000)
    assert step(plays) > before
    assert step(waits) == 120
    turned(plays, 3)
    turned(waits, 3)


def test_the_page_says_that_the_server_is_away_and_the_player_plays_on(open_page, wire):
    page = open_page(START, DONE, at=wire.address)
    wire.cut()
    page.wait_for_selector("text=No connection to the server.")
    page.wait_for_timeout(4000)  # by now Streamlit has opened its dialog
    assert not page.get_by_text("streamlit run").count() and not page.locator("[role=dialog]").count()
    page.locator(".player-scrub").press("End")
    assert step(page) == 300
    wire.mend()
    found(page)
    page.wait_for_selector("text=No connection to the server.", state="detached")


def test_a_page_is_loaded_anew_if_the_server_is_there_and_streamlit_does_not_notice(open_page, wire):
    page = open_page(START, DONE, at=wire.address)
    page.route("**/_stcore/host-config", lambda route: route.abort())  # Streamlit asks for it before it connects
    wire.cut()
    page.wait_for_selector(CUT, state="attached")
    wire.mend()
    with page.expect_event("load", timeout=15_000):
        page.wait_for_selector("text=No connection to the server.")
    page.unroute("**/_stcore/host-config")
    page.wait_for_selector(DONE)
    assert step(page) == 120
    alive(page, 3)


# ----------------------------------------------------------------------------------------------------------------- Back


def open_sidebar(page) -> None:
    page.get_by_test_id("stExpandSidebarButton").click()


def by_sidebar(page) -> None:
    open_sidebar(page)
    page.click(".contents a[href=perceptron]")


def by_text(page) -> None:
    page.click(".st-key-definition a:text-is('perceptron')")


def by_search(page) -> None:
    open_sidebar(page)
    page.get_by_placeholder("Search a term").press_sequentially("perceptron")
    page.click(".stSidebar .hits a:has-text('Perceptron') >> nth=0")


def by_page_link(page) -> None:
    page.click(".stMain .stPageLink a[href$='perceptron'] >> nth=0")


@pytest.mark.parametrize("leave", [by_sidebar, by_text, by_search, by_page_link])
def test_back_keeps_the_knobs_and_the_step_after_every_kind_of_link(open_page, leave):
    page = open_page("xor-problem?hidden=3", DONE)
    page.locator("input[aria-label='Hidden units']").press("ArrowRight")
    page.wait_for_function("location.search === '?hidden=4'")
    page.wait_for_selector(DONE)
    here = page.evaluate("history.length")
    leave(page)
    page.wait_for_selector("h1:not(:has-text('XOR problem'))")
    assert not query(page) and page.evaluate("history.length") == here + 1
    away = page.url
    page.go_back()
    page.wait_for_selector("h1:has-text('XOR problem')")
    page.wait_for_function("document.querySelector('input[aria-label=\"Hidden units\"]')?.value === '4'")
    assert query(page) == {"hidden": "4"}
    page.go_forward()
    page.wait_for_selector("h1:not(:has-text('XOR problem'))")
    assert page.url == away
