"""A lesson, as a class has it: a teacher and three phones in real browsers, from opening the room to the table."""

import csv
import io
import os
import signal
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest
from playwright.sync_api import TimeoutError as PlaywrightTimeout

from tests.conftest import ROOT, free_port, start_server

pytestmark = [pytest.mark.browser, pytest.mark.live]

WAIT = 60_000  # ms
ALL_ENDED = """() => {
  const [, done, all] = /(\\d+) of (\\d+)\\s*runs have ended/.exec(document.body.innerText) ?? [];
  return all && done === all;
}"""


class Class:
    """A server that can be killed and started again at the same address, and browsers that have it open."""

    def __init__(self, chromium, folder: Path):
        self.chromium, self.port = chromium, free_port()
        self.environment = os.environ | {"GLOSSARY_DATABASE": str(folder / "rooms.sqlite")}
        self.contexts: list = []
        self.start()

    def start(self) -> None:
        self.process, self.address = start_server(ROOT, environment=self.environment, port=self.port)

    def kill(self) -> None:
        self.process.send_signal(signal.SIGKILL)
        self.process.wait(10)

    def open(self, link: str, width: int, height: int):
        context = self.chromium.new_context(viewport={"width": width, "height": height}, accept_downloads=True)
        self.contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(WAIT)
        page.goto(f"{self.address}/{link}")
        return page

    def close(self) -> None:
        for context in self.contexts:
            context.close()
        self.kill()


@pytest.fixture
def class_(chromium, tmp_path) -> Iterator[Class]:
    made = Class(chromium, tmp_path)
    yield made
    made.close()


def press(page, name: str) -> None:
    page.get_by_role("button", name=name, exact=True).first.click()


def vote(page, n: int) -> None:
    """Press until it counts: while the page is cut off from its server a press comes to nothing."""
    for _ in range(8):
        page.locator("[class*='st-key-vote-'] button").nth(n).click()
        with suppress(PlaywrightTimeout):
            page.get_by_text("Your vote counts.").wait_for(timeout=6000)
            return
    raise AssertionError("the vote does not count")


def who(page) -> str:
    page.wait_for_selector(".classbar-who b")
    return page.inner_text(".classbar-who b")


def heading(page, text: str) -> None:
    page.wait_for_selector(f"h1:has-text('{text}')")


def test_a_class_goes_through_the_lesson_on_xor_from_opening_to_the_table(class_):
    teacher = class_.open("classroom", 1920, 1080)
    teacher.locator(".st-key-sample-xor").get_by_role("button", name="Open a room with it").click()
    teacher.wait_for_selector(".room-code")
    code = teacher.inner_text(".room-code")
    assert "key=" not in teacher.url, "a projector shows the address"
    phones = [class_.open(f"join?code={code}", 390, 844) for _ in range(3)]
    for phone in phones:
        press(phone, "Join this room")
    names = [who(phone) for phone in phones]
    assert len(set(names)) == 3
    teacher.get_by_text("3 here").wait_for()

    # A question of the teacher's own: vote, close, show, again, tell.
    teacher.keyboard.press("PageDown")
    for n, phone in enumerate(phones):
        phone.get_by_text("Which of these can a single line not separate?").wait_for()
        assert not phone.locator(".ballot-fill").count(), "nobody sees how others vote"
        vote(phone, n)
    teacher.get_by_text("3 of 3 have voted").wait_for()
    assert not teacher.locator(".ballot-fill").count()
    press(teacher, "Close the vote")
    press(teacher, "Show the votes")
    teacher.wait_for_selector(".ballot-fill")
    press(teacher, "Vote again")
    phones[0].get_by_text("Second vote").wait_for()
    phones[0].reload()  # the same member, with the same vote
    assert who(phones[0]) == names[0]
    for phone in phones:
        phone.get_by_text("Second vote").wait_for()
        vote(phone, 2)
    teacher.get_by_text("3 of 3 have voted").wait_for()
    press(teacher, "Close the vote")
    press(teacher, "Tell the answer")
    teacher.wait_for_selector(".ballot-right:has-text('Second vote: 3')")
    phones[1].wait_for_selector(".ballot-right:has-text('XOR')")

    # A question of the course: the run decides on every screen. The server is killed while the class votes.
    teacher.keyboard.press("PageDown")
    for phone in phones[:2]:
        phone.get_by_text("Vote alone").wait_for()
        vote(phone, 0)
    class_.kill()
    class_.start()
    teacher.wait_for_selector(".room-code")
    for phone, name in zip(phones, names, strict=True):
        phone.get_by_text("Take both hidden units away").first.wait_for()
        assert who(phone) == name
    vote(phones[2], 1)
    teacher.get_by_text("3 of 3 have voted").wait_for()
    press(teacher, "Close the vote")
    press(teacher, "Let the run decide")
    for page in (teacher, *phones):
        heading(page, "XOR problem")
        page.wait_for_function("new URLSearchParams(location.search).get('hidden') === '0'")
        page.wait_for_selector(".player[data-done=true]")
    press(teacher, "Tell the answer")
    phones[0].wait_for_selector(".ballot-right")

    # Everyone a seed: each screen another one, all results in front.
    press(teacher, "To the room")
    teacher.wait_for_selector(".room-code")
    teacher.locator("[class*='st-key-go-']").nth(3).get_by_role("button").click()
    press(teacher, "Start")
    for phone in phones:
        phone.wait_for_function("location.search.includes('seed=') && !location.search.includes('hidden')")
    seeds = {phone.evaluate("new URLSearchParams(location.search).get('seed')") for phone in phones}
    assert len(seeds) == 3
    teacher.wait_for_function(ALL_ENDED, timeout=180_000)
    press(teacher, "Stop")

    # A challenge: a run that this server has computed reaches it.
    teacher.locator("[class*='st-key-go-']").nth(5).get_by_role("button").click()
    press(teacher, "Start")
    for phone in phones:
        phone.get_by_text("0 of 3 have reached it").wait_for()
    phones[0].evaluate("document.querySelector('.st-key-classbar').scrollIntoView()")
    solution = "xor-problem?data=xor&hidden=3"
    phones[0].goto(f"{class_.address}/{solution}")
    phones[0].wait_for_selector(".player[data-done=true]")
    assert who(phones[0]) == names[0]
    teacher.wait_for_selector(".strip .dot")

    # Follow me: page, knobs and step; then everybody is free again.
    press(teacher, "Follow me")
    teacher.get_by_role("link", name="To the glossary").click()
    heading(teacher, "Trainable Glossary")
    teacher.locator(".stSidebar summary:has-text('RNNs')").click()
    teacher.locator(".stSidebar a:has-text('Hidden state')").click()
    for page in (teacher, *phones):
        heading(page, "Hidden state")
    press(teacher, "Set free")
    for phone in phones:
        phone.get_by_text("Your screen follows").wait_for(state="detached")
    heading(phones[0], "Hidden state")

    # The end: a table by nickname, a page without names, and nothing is left.
    press(teacher, "To the room")
    teacher.get_by_role("tab", name="End", exact=True).click()
    with teacher.expect_download() as download:
        teacher.get_by_role("button", name="Download as CSV").click()
    rows = list(csv.DictReader(io.StringIO(Path(download.value.path()).read_text(encoding="utf-8"))))
    first = [row for row in rows if row["item"] == "1"]
    assert len(first) == 6 and {row["nickname"] for row in first} == set(names)
    assert [row["choice"] for row in first if row["round"] == "2"] == ["C"] * 3
    second = {row["nickname"]: row["choice"] for row in rows if row["item"] == "2"}
    assert second == dict(zip(names, "AAB", strict=True)), "no vote was lost or counted twice when the server died"
    grown = [row["seed"] for row in rows if row["kind"] == "seeds"]
    assert len(grown) == len(set(grown)) >= 36
    press(teacher, "Make a page of results")
    teacher.wait_for_selector("code:has-text('results=')")
    link = teacher.inner_text("code:has-text('results=')").strip()
    teacher.get_by_text("I have what I need").click()
    press(teacher, "End the lesson and delete the room")
    teacher.get_by_text("The room is deleted.").wait_for()
    phones[2].get_by_text("The room is over.").wait_for()
    results = class_.open(link.split("/", 3)[3], 1280, 720)
    heading(results, "Results of a lesson")
    assert not any(name in results.inner_text(".stMain") for name in names)
