"""Pages have something to see before their first script runs: in what the server sends, and in a browser."""

import gzip
import os
import re
import urllib.request
from dataclasses import dataclass
from pathlib import Path
from unittest.mock import patch

import pytest

from playgrounds.player import library
from server.first_paint import FirstPaint
from tests.conftest import start_server
from tests.test_server import asked, fetched

SHELL = """<html><head><link rel="preload" href="./static/media/Sans.woff2" as="font"><title>Streamlit</title></head>
<body><noscript>You need JavaScript.</noscript><div id="root"></div></body></html>"""
MOST_HTML = 150_000  # bytes, before the first picture


@dataclass(frozen=True, eq=False)
class Paint:
    status: int
    head: str
    body: str


TERM = Paint(200, "<title>Term</title>", '<div id="first-paint"></div><noscript>All of it.</noscript>')
NOTHING = Paint(404, "<title>None</title>", "")


class Streamlit:
    """Answers every page with SHELL, /old with a redirect, /words with a text."""

    def __init__(self):
        self.asked = []

    async def __call__(self, scope, receive, send):
        self.asked.append(scope)
        status, kind, body = 200, b"text/html; charset=utf-8", SHELL.encode()
        if scope["path"] == "/old":
            status, kind, body = 301, b"text/plain", b""
        if scope["path"] == "/words":
            kind, body = b"text/plain", b"words"
        headers = [(b"content-type", kind), (b"content-length", b"%d" % len(body)), (b"etag", b'"theirs"')]
        await send({"type": "http.response.start", "status": status, "headers": headers})
        await send({"type": "http.response.body", "body": body})


@pytest.fixture
def site():
    """The middleware around Streamlit, and what it has asked the painter for."""
    wanted = []

    def paint(address, query, host):
        wanted.append((address, query, host))
        return TERM if address in ("", "term") else NOTHING

    made = FirstPaint(Streamlit(), paint)
    made.wanted = wanted
    return made


def html(answer: list[dict]) -> str:
    headers = dict(answer[0]["headers"])
    body = b"".join(message.get("body", b"") for message in answer[1:])
    assert int(headers[b"content-length"]) == len(body)
    return (gzip.decompress(body) if headers.get(b"content-encoding") == b"gzip" else body).decode()


def test_what_is_painted_stands_in_the_head_and_before_the_root(site):
    page = html(asked(site, "/term"))
    assert re.findall("<title>(.*?)</title>", page) == ["Term"]
    assert page.index('<div id="first-paint">') < page.index('<div id="root">')
    assert "All of it." in page and "You need JavaScript" not in page
    assert 'url("./static/media/Sans.woff2")' in page, "the layer has the page's font"


@pytest.mark.parametrize("accepts", [[], [(b"accept-encoding", b"gzip, br")]])
def test_gzip_or_not(site, accepts):
    answer = asked(site, "/term", headers=accepts)
    assert dict(answer[0]["headers"]).get(b"content-encoding") == (b"gzip" if accepts else None)
    assert "first-paint" in html(answer)
    assert not any(name == b"accept-encoding" for name, _ in site.app.asked[0]["headers"])


def test_an_unknown_address_is_404_and_keeps_the_page(site):
    answer = asked(site, "/nothing")
    assert answer[0]["status"] == 404 and '<div id="root">' in html(answer)


@pytest.mark.parametrize(
    "path", ["/static/js/a", "/_stcore/health", "/course/app/static/a", "/media/x", "/favicon.png"]
)
def test_files_and_streamlits_own_addresses_are_left_alone(site, path):
    asked(site, path)
    assert site.wanted == []


@pytest.mark.parametrize(("path", "status"), [("/old", 301), ("/words", 200)])
def test_what_is_no_page_passes_as_it_is(site, path, status):
    answer = asked(site, path)
    assert answer[0]["status"] == status and (b"etag", b'"theirs"') in answer[0]["headers"] and site.wanted == []


def test_a_page_that_a_browser_has_is_not_sent_again_and_a_changed_one_is(site):
    tag = dict(asked(site, "/term")[0]["headers"])[b"etag"]
    again = asked(site, "/term", headers=[(b"if-none-match", tag)])
    assert again[0]["status"] == 304 and again[1]["body"] == b""
    assert asked(site, "/term", headers=[(b"if-none-match", b'"theirs"')])[0]["status"] == 200


def test_head_says_what_get_would_without_the_body(site):
    start, body = asked(site, "/nothing", method="HEAD")
    assert start["status"] == 404 and body["body"] == b""


def test_a_page_is_put_together_once(site):
    asked(site, "/term")
    with patch("server.first_paint.joined", side_effect=AssertionError("again")):
        asked(site, "/term")


@pytest.mark.parametrize(
    ("headers", "host"),
    [
        ([(b"host", b"school.example")], "http://school.example"),
        ([(b"host", b"localhost:8501"), (b"x-forwarded-proto", b"https")], "https://localhost:8501"),
        ([(b"host", b"[::1]:80")], "http://[::1]:80"),
        ([(b"host", b'x"><script>')], ""),
        ([], ""),
    ],
)
def test_the_readers_own_address_of_the_app(site, headers, host):
    asked(site, "/term", headers=headers)
    assert site.wanted == [("term", "", host)]


def test_under_a_path_the_address_is_what_follows_it(site):
    site.prefix = "course"
    for path in ("/course", "/course/", "/course/term"):
        asked(site, path, headers=[(b"host", b"school.example")])
    assert site.wanted == [(address, "", "http://school.example/course") for address in ("", "", "term")]


# ------------------------------------------------------------------------------------------------- the running server


def page_of(address: str, **headers: str) -> tuple[int, str, int]:
    """Status, HTML and bytes of an answer."""
    status, _, body = fetched(urllib.request.Request(address, headers={"Accept": "text/html"} | headers))
    return status, body.decode(), len(body)


def test_the_server_sends_the_terms_words(server):
    status, page, length = page_of(f"{server}/xor-problem")
    assert status == 200 and length < MOST_HTML
    assert "<title>XOR problem · " in page and '"@type": "DefinedTerm"' in page
    assert f'href="{server}/xor-problem"' in page and f'href="{library.ADDRESS}"' in page


@pytest.mark.parametrize(
    ("address", "status"),
    [("", 200), ("lesson-rnns", 200), ("playground-mlp", 200), ("playground-no-such", 404), ("no-such-term", 404)],
)
def test_the_server_knows_which_addresses_there_are(server, address, status):
    assert page_of(f"{server}/{address}")[0] == status


def test_under_a_path_and_with_a_public_address():
    environment = os.environ | {"GLOSSARY_ADDRESS": "https://school.example/course"}
    options = ["--server.baseUrlPath", "course"]
    with patch("tests.conftest.HEALTH", "course/_stcore/health"):
        process, address = start_server(environment=environment, options=options)
    try:
        status, page, _ = page_of(f"{address}/course/xor-problem")
        assert status == 200 and 'href="https://school.example/course/xor-problem"' in page
        assert page_of(f"{address}/course/")[0] == 200
        assert page_of(f"{address}/course/nothing")[0] == 404
    finally:
        process.terminate()
        process.wait(10)


def test_every_page_of_the_app_has_an_address_that_is_known():
    """Else it would be sent with the status 404."""
    from streamlit.testing.v1 import AppTest

    from edition.painter import Painter
    from pages import addresses, site

    found: list[str] = []
    add = site.Site.add

    def remembered(self, show, title, address, *of, default=False):
        found.append("" if default else address)
        add(self, show, title, address, *of, default=default)

    with patch.object(site.Site, "add", remembered):
        AppTest.from_file(str(Path(__file__).resolve().parent.parent / "app.py"), default_timeout=60).run()
    painter = Painter(site.current_glossary, addresses.others)
    assert len(found) > 80
    assert [address for address in found if painter.paint(address).status != 200] == []


# ---------------------------------------------------------------------------------------------------------- a browser

SHIFTS = """
window.shifts = [];
new PerformanceObserver((list) => {
  for (const entry of list.getEntries()) if (!entry.hadRecentInput) window.shifts.push([entry.startTime, entry.value]);
}).observe({ type: "layout-shift", buffered: true });
"""
PLACE = """
(selector) => {
  const range = document.createRange();
  range.selectNodeContents(document.querySelector(selector));
  const { x, y, height } = range.getBoundingClientRect();
  return [x, y, height].map(Math.round);
}
"""


@pytest.fixture
def visit(chromium, server):
    contexts = []

    def visit(address: str, width: int = 1280, height: int = 720, connected: bool = True):
        context = chromium.new_context(viewport={"width": width, "height": height})
        contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(30_000)
        page.add_init_script(SHIFTS)
        if not connected:
            page.route_web_socket("**", lambda _: None)
        page.goto(f"{server}/{address}")
        return page

    yield visit
    for context in contexts:
        context.close()


SIZES = [(1280, 720), (390, 844), (1920, 1080)]


@pytest.mark.browser
@pytest.mark.parametrize("size", SIZES)
def test_without_a_connection_the_layer_shows_the_term_where_the_page_will_show_it(visit, size):
    page = visit("xor-problem", *size, connected=False)
    page.wait_for_selector(".stApp", state="attached")
    assert page.is_visible(".first-paint-name") and page.is_visible(".first-paint-lead")
    assert page.inner_text(".first-paint-name") == "XOR problem"
    assert "no straight line" in page.text_content(".first-paint-lead")
    on_top = page.evaluate("!!document.elementFromPoint(innerWidth / 2, innerHeight / 2).closest('#first-paint')")
    assert on_top
    page.evaluate("document.fonts.ready")
    layer = [page.evaluate(PLACE, selector) for selector in (".first-paint-name", ".first-paint-lead")]
    drawn = visit("xor-problem", *size)
    drawn.wait_for_selector("#first-paint", state="detached")
    theirs = [drawn.evaluate(PLACE, selector) for selector in (".stMain h1", ".st-key-lead p")]
    for ours, their in zip(layer, theirs, strict=True):
        assert all(abs(a - b) <= 2 for a, b in zip(ours, their, strict=True)), (layer, theirs)


@pytest.mark.browser
@pytest.mark.parametrize("address", ["xor-problem", "lesson-rnns", ""])
def test_nothing_moves_when_the_layer_goes(visit, address):
    page = visit(address)
    page.wait_for_selector("#first-paint", state="detached")
    page.wait_for_selector(".stMain h1")
    page.wait_for_timeout(1500)
    shifts = page.evaluate("window.shifts")
    assert sum(value for _, value in shifts) <= 0.1, shifts


@pytest.mark.browser
def test_plotly_is_loaded_once_and_early(visit):
    page = visit("xor-problem")
    page.wait_for_selector(".player[data-done=true]")
    loads = "performance.getEntriesByType('resource').filter((one) => one.name.includes('plotly'))"
    assert page.evaluate(f"{loads}.map((one) => one.initiatorType)") == ["link"]


@pytest.mark.browser
def test_without_scripts_the_definition_can_be_read(chromium, server):
    context = chromium.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(f"{server}/xor-problem")
    assert page.is_visible(".first-paint-whole") and page.is_visible(".first-paint-name")
    assert "exactly when the inputs differ" in page.inner_text(".first-paint-whole")
    assert page.locator("math").count() > 3
    page.click(".first-paint-whole a[href=perceptron]")
    assert page.inner_text(".first-paint-name") == "Perceptron"
    context.close()
