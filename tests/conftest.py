"""What several test files share: a running app, a browser."""

import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

os.environ.setdefault("OMP_NUM_THREADS", "1")  # before NumPy is imported: two workers share two cores

ROOT = Path(__file__).resolve().parent.parent
FLAGS = [
    *("--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync"),
    *("--disable-background-networking", "--disable-component-update"),
]


HEALTH = "_stcore/health"
STREAMLIT = (sys.executable, "-m", "streamlit")


def free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return free.getsockname()[1]


def start_server(
    folder: Path = ROOT,
    command: Sequence[str] = STREAMLIT,
    output: Path = Path(os.devnull),
    environment: Mapping[str, str] | None = None,
    port: int = 0,
    options: Sequence[str] = (),
) -> tuple[subprocess.Popen, str]:
    """A fresh server of the app in that folder, and its address. What it says goes to the file `output`.

    options: more of Streamlit's, as on a command line.
    """
    port = port or free_port()
    ours = {"port": port, "headless": "true", "fileWatcherType": "none"}
    run = ["run", "app.py", *(part for name, value in ours.items() for part in (f"--server.{name}", str(value)))]
    with output.open("w") as said:
        process = subprocess.Popen(
            [*command, *run, *options], cwd=folder, env=environment, stdout=said, stderr=subprocess.STDOUT
        )
    address = f"http://localhost:{port}"
    for _ in range(300):
        try:
            urllib.request.urlopen(f"{address}/{HEALTH}", timeout=1)
            return process, address
        except OSError:
            assert process.poll() is None, "the server has stopped"
            time.sleep(0.1)
    raise TimeoutError("the server does not answer")


@pytest.fixture(scope="session")
def server() -> Iterator[str]:
    process, address = start_server()
    yield address
    process.terminate()
    process.wait(10)


@pytest.fixture
def fresh_server() -> Iterator[str]:
    """A server that nobody has visited yet."""
    process, address = start_server()
    yield address
    process.terminate()
    process.wait(10)


@pytest.fixture(scope="session")
def chromium() -> Iterator:
    """Playwright's handle on the machine's Chromium; without one the test is skipped, or fails where CI=true."""
    path = shutil.which("chromium")
    if path is None:
        if os.environ.get("CI") == "true":
            pytest.fail("Chromium is missing: browser tests cannot run")
        pytest.skip("Chromium is missing: install the package chromium to run the browser tests")
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=FLAGS)
        yield browser
        browser.close()


@pytest.fixture
def open_page(chromium, server) -> Iterator[Callable[..., Any]]:
    """Open an address of the app in a browser of its own; returns the page when what is awaited is there."""
    contexts = []

    def open_page(
        address: str, wait: str = "h1", width: int = 1280, theme: str = "light", at: str = server, height: int = 844
    ):
        context = chromium.new_context(
            viewport={"width": width, "height": height}, color_scheme=theme, accept_downloads=True
        )
        contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(20_000)
        page.asked = []
        page.on("request", lambda request: page.asked.append(request.url))
        page.goto(f"{at}/{address}")
        page.wait_for_selector(wait)
        return page

    yield open_page
    for context in contexts:
        context.close()
