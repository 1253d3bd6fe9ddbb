"""What stands around Streamlit: room for readers, closed doors, headers, plotly.js from memory, no question outside."""

import asyncio
import gzip
import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from email.message import Message
from pathlib import Path
from threading import Thread
from urllib.parse import urlsplit

import pytest
from streamlit import net_util
from streamlit.web.server import server_util

from playgrounds.player import library
from server import limits, outside
from server.assets import Asset
from server.closed import ClosedDoors
from server.headers import HEADERS, Headers
from server.limits import LAST, PER_READER, RESERVE, Doorkeeper
from tests.conftest import ROOT, start_server

PAGE = [(b"accept", b"text/html,application/xhtml+xml,*/*;q=0.8")]


def asked(app, path: str = "/", kind: str = "http", method: str = "GET", headers: list | None = None) -> list[dict]:
    """What an ASGI app sends for one request."""
    sent: list[dict] = []

    async def send(message: dict) -> None:
        sent.append(message)

    scope = {"type": kind, "path": path, "method": method, "headers": headers or []}
    thread = Thread(target=lambda: asyncio.run(app(scope, None, send)))  # Playwright has a loop in this one
    thread.start()
    thread.join()
    return sent


def fetched(request: str | urllib.request.Request) -> tuple[int, Message, bytes]:
    """The status, headers and body that a server answers with, be it an error."""
    try:
        answer = urllib.request.urlopen(request, timeout=20)
    except urllib.error.HTTPError as error:
        answer = error
    with answer:
        return answer.status, answer.headers, answer.read()


async def inner(scope, receive, send) -> None:
    """An app that answers everything with 200."""
    await send({"type": "http.response.start", "status": 200, "headers": [(b"x-inner", b"1")]})
    await send({"type": "http.response.body", "body": b"inner"})


# ---------------------------------------------------------------------------------------------------- room for readers


def in_python(code: str) -> list[str]:
    """The lines that a fresh Python prints, whose limits may be moved."""
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    return done.stdout.split()


LOWERED = """
import resource
from server import limits
hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
resource.setrlimit(resource.RLIMIT_NOFILE, (256, hard))
print(hard, limits.raise_descriptors({wish}), resource.getrlimit(resource.RLIMIT_NOFILE)[0])
"""


def test_the_limit_of_descriptors_is_raised_to_the_hard_one():
    hard, said, soft = map(int, in_python(LOWERED.format(wish=1 << 40)))
    assert said == soft == hard > 256


def test_the_limit_is_raised_no_further_than_is_wished_and_never_lowered():
    assert in_python(LOWERED.format(wish=512))[1:] == ["512", "512"]
    assert in_python(LOWERED.format(wish=64))[1:] == ["256", "256"]


def test_a_system_that_refuses_the_wish_gives_what_it_has(monkeypatch):
    """As macOS does: it has no hard limit, and refuses what is beyond a bound of its own."""
    resource = pytest.importorskip("resource")
    now = [256]

    def set_to(_, pair):
        if pair[0] > 60_000:
            raise ValueError("not allowed to raise maximum limit")
        now[0] = pair[0]

    monkeypatch.setattr(resource, "getrlimit", lambda _: (now[0], resource.RLIM_INFINITY))
    monkeypatch.setattr(resource, "setrlimit", set_to)
    assert limits.raise_descriptors() == 10_240


def test_the_descriptors_left_are_counted():
    before = limits.descriptors_left()
    held = [os.open(os.devnull, os.O_RDONLY) for _ in range(7)]
    assert before - limits.descriptors_left() == 7
    for one in held:
        os.close(one)


def test_a_full_server_says_so_to_who_opens_a_page_and_lets_the_others_go_on():
    door = Doorkeeper(inner, left=lambda: RESERVE - 1)
    start, body = asked(door, "/xor-problem", headers=PAGE)
    assert start["status"] == 503 and (b"retry-after", b"60") in start["headers"]
    assert b"The server is full" in body["body"] and b"Try again in a minute" in body["body"]
    assert int(dict(start["headers"])[b"content-length"]) == len(body["body"])
    assert asked(door, "/_stcore/health", headers=[(b"accept", b"*/*")])[0]["status"] == 200
    assert asked(door, "/media/run.html", method="HEAD")[0]["status"] == 200
    assert asked(door, "/_stcore/stream", "websocket")[0]["type"] == "http.response.start", "who is in may come back"


def test_the_very_last_descriptors_open_no_session():
    (sent,) = asked(Doorkeeper(inner, left=lambda: LAST - 1), "/_stcore/stream", "websocket")
    assert sent["type"] == "websocket.close"


def test_readers_on_their_way_in_take_their_room_until_they_are_connected_or_gone(monkeypatch):
    now = [0.0]
    monkeypatch.setattr(limits.time, "monotonic", lambda: now[0])
    door = Doorkeeper(inner, left=lambda: RESERVE + 2 * PER_READER)

    def status() -> int:
        return asked(door, headers=PAGE)[0]["status"]

    assert [status() for _ in range(4)] == [200, 200, 200, 503]
    asked(door, kind="websocket")
    assert [status() for _ in range(2)] == [200, 503]
    now[0] = limits.ARRIVAL + 1
    assert status() == 200


CROWD = """
import resource, runpy, sys
resource.setrlimit(resource.RLIMIT_NOFILE, (220, 220))
sys.argv = ["streamlit", *sys.argv[1:]]
runpy.run_module("streamlit", run_name="__main__")
"""


def test_a_server_with_few_descriptors_refuses_in_words_and_stays_up(tmp_path):
    process, address = start_server(command=[sys.executable, "-c", CROWD])
    held = []
    try:
        place = urlsplit(address)
        request = urllib.request.Request(address, headers={"Accept": "text/html"})
        assert fetched(request)[0] == 200
        for _ in range(90):
            held.append(socket.create_connection((place.hostname, place.port)))
        status, _, body = fetched(request)
        assert status == 503 and b"The server is full" in body
        assert fetched(f"{address}/_stcore/health")[0] == 200
        for one in held:
            one.close()
        held.clear()
        time.sleep(0.5)
        assert fetched(request)[0] == 200, "there is room again"
    finally:
        for one in held:
            one.close()
        process.terminate()
        process.wait(10)


# -------------------------------------------------------------------------------------------------------- closed doors


@pytest.mark.parametrize("path", ["/_stcore/metrics", "/_stcore/metrics/", "/course/_stcore/metrics"])
def test_metrics_are_the_operators(path, monkeypatch):
    monkeypatch.delenv("GLOSSARY_METRICS", raising=False)
    assert asked(ClosedDoors(inner), path)[0]["status"] == 404
    monkeypatch.setenv("GLOSSARY_METRICS", "open")
    assert asked(ClosedDoors(inner), path)[0]["status"] == 200


@pytest.mark.parametrize("method", ["PUT", "OPTIONS", "DELETE"])
@pytest.mark.parametrize("path", ["/_stcore/upload_file/session/file", "/course/_stcore/upload_file/session/file"])
def test_nobody_uploads(path, method):
    assert asked(ClosedDoors(inner), path, method=method)[0]["status"] == 404


def test_no_page_has_an_uploader():
    """Else the closed door would break it."""
    sources = [path.read_text(encoding="utf-8") for folder in ("pages", "playgrounds") for path in
               (ROOT / folder).rglob("*.py")]  # fmt: skip
    assert len(sources) > 50
    for widget in ("file_uploader", "chat_input", "camera_input", "audio_input", "data_editor"):
        assert not [source for source in sources if f"st.{widget}" in source], widget


@pytest.mark.parametrize("path", ["/", "/metrics", "/_stcore/health", "/_stcore/host-config", "/upload_file"])
def test_other_doors_are_open(path):
    assert asked(ClosedDoors(inner), path)[0]["status"] == 200


def test_the_running_server_keeps_nothing_that_is_sent_to_it(server):
    path = "_stcore/upload_file/session/file"
    request = urllib.request.Request(f"{server}/{path}", b"x" * 1000, method="PUT")
    assert fetched(request)[0] == 404
    assert fetched(f"{server}/_stcore/metrics")[0] == 404


# ------------------------------------------------------------------------------------------------------------- headers


def test_every_answer_has_the_headers_beside_its_own():
    start, body = asked(Headers(inner))
    assert start["headers"] == [(b"x-inner", b"1"), *HEADERS] and body["body"] == b"inner"


@pytest.mark.parametrize("path", ["", "xor-problem", "_stcore/health", library.ADDRESS, "_stcore/metrics", "nothing"])
def test_the_running_server_sends_them_with_everything(server, path):
    headers = fetched(f"{server}/{path}")[1]
    assert headers["Referrer-Policy"] == "same-origin"
    policy = headers["Content-Security-Policy"]
    assert "default-src 'self'" in policy and "object-src 'none'" in policy
    assert "http:" not in policy and "https:" not in policy and " *" not in policy, "nothing comes from elsewhere"


WATCH = """
window.broken = [];
document.addEventListener("securitypolicyviolation", (event) => {
  window.broken.push(`${event.effectiveDirective} ${event.blockedURI}`);
});
"""
PLAYED = ".player[data-done=true]"


@pytest.fixture
def watched(chromium, server):
    """A page that remembers what its policy forbade it."""
    context = chromium.new_context(accept_downloads=True)
    page = context.new_page()
    page.set_default_timeout(20_000)
    page.add_init_script(WATCH)
    page.at = server
    yield page
    context.close()


@pytest.mark.browser
@pytest.mark.parametrize(
    ("address", "wait"),
    [
        ("", "h1"),
        ("xor-problem", PLAYED),
        ("xor-problem?embed=true", PLAYED),
        ("playground-cnn", ".pad canvas"),
        ("playground-mlp?data=own", ".pad canvas"),
    ],
)
def test_the_app_lives_with_its_policy(watched, address, wait):
    watched.goto(f"{watched.at}/{address}")
    watched.wait_for_selector(wait)
    for tab in watched.get_by_role("tab").all():
        tab.click()
    watched.wait_for_timeout(500)
    assert watched.evaluate("window.broken") == []


@pytest.mark.browser
def test_the_policy_forbids_what_comes_from_elsewhere(watched):
    watched.goto(f"{watched.at}/")
    watched.wait_for_selector("h1")
    watched.evaluate("document.body.append(Object.assign(new Image(), {src: 'http://127.0.0.2:9/spy.png'}))")
    watched.wait_for_function("window.broken.length > 0")
    assert watched.evaluate("window.broken[0]") == "img-src http://127.0.0.2:9/spy.png"


@pytest.mark.browser
def test_a_page_of_another_origin_may_embed_a_playground(watched):
    frame = f'<iframe src="{watched.at}/xor-problem?embed=true" width="900" height="800"></iframe>'
    watched.set_content(frame)
    watched.frame_locator("iframe").locator(PLAYED).wait_for()


# ---------------------------------------------------------------------------------------------- plotly.js, from memory


def test_a_file_is_served_from_memory_at_its_address_under_any_prefix():
    asset = Asset(inner, "app/static/made/x.bin", lambda: b"made")
    for path in ("/app/static/made/x.bin", "/course/app/static/made/x.bin"):
        start, body = asked(asset, path)
        assert (start["status"], body["body"]) == (200, b"made")
    assert asked(asset, "/app/static/made/y.bin")[1]["body"] == b"inner"
    assert asked(asset, "/app/static/made/x.bin", method="PUT")[1]["body"] == b"inner"


def test_the_running_server_serves_plotly_as_it_was_installed(server):
    request = urllib.request.Request(f"{server}/{library.ADDRESS}", headers={"Accept-Encoding": "gzip"})
    _, headers, body = fetched(request)
    assert headers["Content-Encoding"] is None, "compressed once is enough"
    assert "immutable" in headers["Cache-Control"]
    assert gzip.decompress(body) == library.plotly_js()


MADE = ["static", ".venv", ".git", "build", "__pycache__", ".pytest_cache", ".ruff_cache", ".hypothesis", "docs"]


def test_a_folder_that_cannot_be_written_and_has_no_static_files_serves_playgrounds(tmp_path):
    copied = tmp_path / "glossary"
    shutil.copytree(ROOT, copied, ignore=shutil.ignore_patterns(*MADE))
    (copied / "static").touch()  # a file of that name: root, too, cannot make the folder
    process, address = start_server(copied)
    try:
        assert gzip.decompress(fetched(f"{address}/{library.ADDRESS}")[2]) == library.plotly_js()
    finally:
        process.terminate()
        process.wait(10)


@pytest.fixture
def unserved(monkeypatch, tmp_path) -> Path:
    """As if app.py's server had not been started; returns the folder where the file goes then."""
    monkeypatch.setattr(library, "_served", False)
    monkeypatch.setattr(library, "FOLDER", tmp_path / "static" / "made")
    library.url.cache_clear()
    yield tmp_path / "static"
    library.url.cache_clear()


def test_without_the_apps_server_the_file_is_written_once(unserved):
    assert library.url() == library.ADDRESS
    (made,) = (unserved / "made").iterdir()
    assert gzip.decompress(made.read_bytes()) == library.plotly_js() and made.name == library.NAME


def test_with_the_apps_server_nothing_is_written(unserved):
    assert library.serve()[1]() == library.packed()
    assert library.url() == library.ADDRESS and not unserved.exists()


def test_where_nothing_can_be_written_the_operator_is_told_and_the_page_goes_on(unserved, caplog):
    unserved.touch()
    assert library.url() == library.ADDRESS
    assert "cannot be written" in caplog.text and "streamlit run app.py" in caplog.text


# ------------------------------------------------------------------------------------------------- a start in silence


def test_a_fresh_checkout_starts_without_a_warning_and_asks_nobody_outside(tmp_path):
    """Every question to an http or https address would go through the proxy, which is nobody's but this test's."""
    said = tmp_path / "said.txt"
    with socket.create_server(("127.0.0.1", 0)) as proxy:
        through = f"http://127.0.0.1:{proxy.getsockname()[1]}"
        names = ("http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY")
        environment = os.environ | dict.fromkeys(names, through) | {"no_proxy": "localhost", "NO_PROXY": "localhost"}
        process, _ = start_server(output=said, environment=environment)
        process.terminate()
        process.wait(10)
        proxy.settimeout(0.2)
        with pytest.raises(TimeoutError):
            proxy.accept()
    assert "URL: http://localhost" in said.read_text() and "WARNING" not in said.read_text().upper()


def test_a_page_of_another_origin_makes_the_server_ask_nobody(monkeypatch):
    monkeypatch.setattr(net_util, "get_external_ip", net_util.get_external_ip)  # put back at the end
    monkeypatch.setattr(net_util, "_make_blocking_http_get", lambda *_, **__: pytest.fail("it asked"))
    outside.ask_nobody()
    assert not server_util.is_url_from_allowed_origins("http://elsewhere.example")
    assert server_util.is_url_from_allowed_origins("http://localhost:8501")
