"""The budgets of this project, measured: `make bench`, or `python -m tests.bench --only worst` for some of the rows.

Prints a table and writes it to build/bench.json. It reports and never fails: a missed bar is a number in the table.
Seconds of one core are CPU seconds, so that they mean the same on a busy machine; all other times are by the clock.
"""

import argparse
import ast
import asyncio
import contextlib
import gzip
import importlib
import json
import multiprocessing
import os
import random
import shutil
import signal
import socket
import statistics
import subprocess
import sys
import threading
import time
import traceback
import urllib.request
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import cache, partial
from operator import itemgetter
from pathlib import Path
from typing import Any

import psutil

ROOT = Path(__file__).resolve().parent.parent
BUILD = ROOT / "build"
CHROMIUM = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
            "--disable-component-update", "--disable-sync"]  # fmt: skip
HEAVY = {
    *("cnn", "recurrent", "memory_length", "seq2seq", "char_transformer", "masked_pairs", "masked_text"),
    *("transfer", "residual", "generalization"),
}
XOR = "playground-mlp"  # at its defaults: the run that the interactive bars are about
TERM = "xor-problem"  # the link that a class opens
LONG = f"{XOR}?engine=torch&hidden=8&hidden2=8&hidden3=8&batch=10&epochs=1000"  # several seconds of training
DIGITS = "playground-cnn"  # reads the digit that is drawn
IMPORTS = f"{XOR}?engine=torch&data=moons&epochs=10"  # makes the server import torch and sklearn

Row = dict[str, Any]


def row(name: str, value: float | None, unit: str, bar: float | str | None, **more: Any) -> Row:
    """A line of the table. `bar` is the most that `value` may be, or a text such as ">= 45", or None: just to know."""
    if value is None:
        ok = None
    elif isinstance(bar, str):
        ok = value >= float(bar.removeprefix(">="))
    else:
        ok = bar is None or value <= bar
    value = None if value is None else round(value, 3)
    return {"name": name, "value": value, "unit": unit, "bar": bar, "ok": ok} | more


def say(text: str) -> None:
    print(f"{time.strftime('%H:%M:%S')} {text}", file=sys.stderr, flush=True)


# --- processes -------------------------------------------------------------------------------------------------------

COUNTING = """
import runpy, sys, time
from playgrounds.kit import runs
make = runs.Run.__init__
def counted(self, playground, params):
    make(self, playground, params)
    print("computes", self.id, flush=True)
work = runs.Run._work
def timed(self, seconds):
    began = time.thread_time()
    work(self, seconds)
    print("turn", time.thread_time() - began, flush=True)
runs.Run.__init__, runs.Run._work = counted, timed
sys.argv[0] = "streamlit"
runpy.run_module("streamlit", run_name="__main__")
"""


class Server:
    """The app in a process of its own."""

    def __init__(self, process: subprocess.Popen, port: int, log: Path):
        self.process, self.port, self.log = psutil.Process(process.pid), port, log

    def cpu(self) -> float:
        """CPU seconds used so far."""
        times = self.process.cpu_times()
        return times.user + times.system

    def has_torch(self) -> bool:
        return "libtorch" in Path(f"/proc/{self.process.pid}/maps").read_text()


@contextlib.contextmanager
def serving(name: str, counting: bool = False) -> Iterator[Server]:
    """A fresh server, started as a user starts it. `counting`: its log says which runs and for how long it computes."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    start = ["-c", COUNTING] if counting else ["-m", "streamlit"]
    flags = ["--server.port", str(port), "--server.headless", "true", "--server.fileWatcherType", "none"]
    log = BUILD / f"bench-{name}.log"
    with log.open("wb") as out:
        process = subprocess.Popen([sys.executable, *start, "run", "app.py", *flags], cwd=ROOT, stdout=out, stderr=out)
    try:
        for _ in range(600):
            if process.poll() is not None:
                raise RuntimeError(f"the server has ended, see {log}")
            with contextlib.suppress(OSError), urllib.request.urlopen(f"http://localhost:{port}/_stcore/health"):
                break
            time.sleep(0.1)
        yield Server(process, port, log)
    finally:
        process.terminate()
        try:
            process.wait(5)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


Send = Callable[[Any], None]


def elsewhere(work: Callable[..., None], *args: Any, limit: float) -> Iterator[Any]:
    """What `work(send, *args)` sends from a fresh process, which is ended after `limit` seconds."""
    spawn = multiprocessing.get_context("spawn")
    ours, theirs = spawn.Pipe(duplex=False)
    process = spawn.Process(target=work, args=(theirs.send, *args), daemon=True)
    process.start()
    theirs.close()
    deadline = time.monotonic() + limit
    try:
        while ours.poll(max(0, deadline - time.monotonic())):
            yield ours.recv()
    except EOFError:
        pass
    finally:
        process.kill()
        process.join()


@contextlib.contextmanager
def browser() -> Iterator[Any]:
    from playwright.sync_api import sync_playwright

    path = shutil.which("chromium")
    if path is None:
        raise FileNotFoundError("no chromium on PATH")
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=path, args=CHROMIUM)
        try:
            yield chromium.new_page(viewport={"width": 1280, "height": 900})
        finally:
            chromium.close()


# --- in the browser --------------------------------------------------------------------------------------------------

# When the title of the page appears.
SEEN = """
new MutationObserver((_, watch) => {
  if (!document.querySelector(".stMain h1")) return;
  watch.disconnect();
  window.seen = performance.now();
}).observe(document, {childList: true, subtree: true});
"""

# Milliseconds from a click on New seed to the frame after the finished run is on the screen.
DRAWN = """
const player = document.querySelector(".player"), before = player.dataset.run;
const button = [...document.querySelectorAll("button")].find((b) => b.textContent.trim() === "New seed");
const watch = new MutationObserver(() => {
  if (player.dataset.run === before || player.dataset.done !== "true") return;
  watch.disconnect();
  requestAnimationFrame(() => resolve(performance.now() - clicked));
});
watch.observe(player, {attributes: true});
const clicked = performance.now();
button.click();
"""

# Milliseconds from the end of a stroke on the pad to the finished run of the new drawing.
ANSWERED = """
const player = document.querySelector(".player"), before = player.dataset.run;
let lifted = performance.now();
document.addEventListener("pointerup", () => (lifted = performance.now()), {capture: true, once: true});
const watch = new MutationObserver(() => {
  if (player.dataset.run === before || player.dataset.done !== "true") return;
  watch.disconnect();
  requestAnimationFrame(() => resolve(performance.now() - lifted));
});
watch.observe(player, {attributes: true});
"""

# How many frames are shown in how many milliseconds when the film is played from its start.
PLAYED = """
const player = document.querySelector(".player"), button = player.querySelector(".player-play");
player.querySelector(".player-speed").value = "60";
let frames = 0, shown = player.dataset.step, last = 0;
const watch = new MutationObserver(() => {
  if (player.dataset.step !== shown) [shown, last] = [player.dataset.step, performance.now()], frames++;
  if (button.classList.contains("playing")) return;
  watch.disconnect();
  resolve([frames, last - started]);
});
watch.observe(player, {attributes: true, subtree: true, attributeFilter: ["data-step", "class"]});
const started = performance.now();
button.click();
"""

# Press Stop; window.grown becomes the milliseconds from there to the last growth of the film.
STOP = """
const player = document.querySelector(".player"), pressed = performance.now();
window.grown = 0;
const watch = new MutationObserver(() => (window.grown = performance.now() - pressed));
watch.observe(player, {attributes: true, attributeFilter: ["data-drawn"]});
player.querySelector(".player-stop").click();
resolve();
"""


def _in_page(page: Any, script: str) -> Any:
    """What the script resolves to."""
    return page.evaluate(
        "() => new Promise((resolve, reject) => {"
        f"setTimeout(() => reject(Error('nothing happened for 10 s')), 10000); {script} }})"
    )


def _open(page: Any, server: Server, link: str, done: bool = True) -> None:
    page.goto(f"http://localhost:{server.port}/{link}")
    page.wait_for_selector(f".player[data-done='{str(done).lower()}']", timeout=60_000)


def home() -> Iterator[Row]:
    """The home page of a server that nobody has visited, in a browser that has never been there."""
    with serving("home") as server, browser() as page:
        asked: list[str] = []
        page.on("request", lambda request: asked.append(request.url))
        page.add_init_script(SEEN)
        page.goto(f"http://localhost:{server.port}")
        page.wait_for_function("window.seen")
        seconds = page.evaluate("window.seen") / 1000
        page.wait_for_selector(".player[data-done='true']", timeout=60_000)
        loads = [url for url in asked if "plotly" in url.lower()]
        yield row("home page, cold: loads of plotly.js for the net", len(loads), "", 1, at=loads)
        yield row("home page, cold: loads of torch", int(server.has_torch()), "", 0)
        yield row("home page, cold: time to its title", seconds, "s", None)


def knob() -> Iterator[Row]:
    """A reader alone with the default XOR run, after the first visit."""
    with serving("knob") as server, browser() as page:
        _open(page, server, XOR)
        times, lost = [], 0
        used = server.cpu()
        for _ in range(6):
            page.wait_for_timeout(1000)
            try:
                times.append(_in_page(page, DRAWN) / 1000)
            except Exception:  # the press came to nothing: start again from a seed that nobody has asked for
                lost += 1
                _open(page, server, f"{XOR}?seed={100 * lost}")
        more = {"all": times, "server CPU s": (server.cpu() - used) / 6}
        more |= {"why": f"{lost} of 6 presses came to nothing", "ok": False} if lost else {}
        clock = statistics.median(times[1:]) if times[1:] else None  # the first one warms up
        yield row("knob moved to finished run drawn, default XOR", clock, "s", 0.15, **more)

        plays = []
        for _ in range(6):
            page.wait_for_timeout(1000)
            plays.append(_in_page(page, PLAYED))
        frames, milliseconds = map(sum, zip(*plays, strict=True))
        yield row("playback of that film at speed max", 1000 * frames / milliseconds, "frames/s", ">= 45", all=plays)


def drawing() -> Iterator[Row]:
    """A reader who draws digits for nets that are trained already."""
    with serving("drawing") as server, browser() as page:
        _open(page, server, DIGITS)
        page.wait_for_timeout(2000)
        sheet = page.locator(".pad-canvas")
        sheet.scroll_into_view_if_needed()
        box, times = sheet.bounding_box(), []
        for k in range(6):
            page.wait_for_timeout(1000)
            page.mouse.move(box["x"] + 40 + 25 * k, box["y"] + 30)
            page.mouse.down()
            page.mouse.move(box["x"] + 40 + 25 * k, box["y"] + 180, steps=6)
            page.evaluate(f"() => {{ window.answered = new Promise((resolve) => {{ {ANSWERED} }}); }}")
            page.mouse.up()
            times.append(page.evaluate("window.answered") / 1000)
        yield row("stroke drawn to predictions on the screen, cnn", statistics.median(times[1:]), "s", 0.15, all=times)


def stop() -> Iterator[Row]:
    """Stop, pressed three times during one long training."""
    with serving("stop") as server, browser() as page:
        _open(page, server, LONG, done=False)
        stops = []
        for _ in range(3):
            page.wait_for_timeout(1000)
            _in_page(page, STOP)
            stops.append(max(_until_quiet(server), page.evaluate("window.grown") / 1000))
            page.evaluate("document.querySelector('.player-stop').click()")  # it says Continue now
        more = {"all": stops} | ({} if "epochs=1000" in page.url else {"why": f"it became {page.url}", "ok": False})
        yield row("Stop pressed to nothing computed any more (worst of 3)", max(stops), "s", 0.3, **more)


def rerun() -> Iterator[Row]:
    """A reader who goes back through a film step by step, resting at each: every rest is a rerun of the fragment."""
    with serving("rerun") as server, browser() as page:
        _open(page, server, IMPORTS)
        _open(page, server, XOR)
        page.wait_for_timeout(2000)
        presses, pause = 20, 700
        used = server.cpu()
        page.wait_for_timeout(presses * pause)
        idle = server.cpu() - used
        page.focus(".player-play")
        used, links = server.cpu(), set()
        for _ in range(presses):
            page.keyboard.press("ArrowLeft")
            page.wait_for_timeout(pause)
            links.add(page.url)
        spent = (server.cpu() - used - idle) * 1000 / max(1, len(links))
        more = {"reruns": len(links), "idle": idle, "torch": server.has_torch()}
        yield row("server CPU for a rerun that computes nothing new", spent, "ms", 20, **more)


def _until_quiet(server: Server, watch: float = 2.0, window: float = 0.05) -> float:
    """Seconds from now to the end of the last short window in which the server computed."""
    started, last, used = time.perf_counter(), 0.0, server.cpu()
    while (now := time.perf_counter() - started) < watch:
        time.sleep(window)
        if server.cpu() - used > window / 2:
            last = now + window
        used = server.cpu()
    return last


# --- readers without a browser ---------------------------------------------------------------------------------------


def readers(send: Send, port: int, links: list[str], hold: bool = False) -> None:
    """Open all links at once, as browsers would. Sends a list of {"seconds", "first", "run", "problem"}."""
    sockets: list[Any] = []  # they stay open until this process ends

    async def limited(link: str) -> Row:
        seen: Row = {"seconds": None, "first": None, "run": "", "problem": ""}
        try:
            await asyncio.wait_for(_reader(port, link, sockets, seen), 90)
        except Exception as error:
            seen["problem"] = f"{type(error).__name__}: {error}"
        return seen

    async def everybody() -> list[Row]:
        return await asyncio.gather(*map(limited, links))

    with asyncio.Runner() as runner:
        send(runner.run(everybody()))
        if hold:
            runner.run(asyncio.sleep(3600))


def one_by_one(send: Send, port: int, links: list[str]) -> None:
    """Open the links one after the other, as somebody who reads on does. Sends a list as `readers` does."""

    async def everything() -> list[Row]:
        seen: list[Row] = [{"seconds": None, "first": None, "run": "", "problem": ""} for _ in links]
        for one, link in zip(seen, links, strict=True):
            try:
                await asyncio.wait_for(_reader(port, link, [], one), 30)
            except Exception as error:
                one["problem"] = f"{type(error).__name__}: {error}"
        return seen

    with asyncio.Runner() as runner:
        send(runner.run(everything()))


async def _reader(port: int, link: str, sockets: list[Any], seen: Row) -> None:
    """What a browser does: connect, ask for the page, ask for more of the film until it is complete."""
    import orjson
    from streamlit.proto.BackMsg_pb2 import BackMsg
    from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
    from websockets.asyncio.client import connect

    page, _, query = link.partition("?")
    ask = BackMsg()
    ask.rerun_script.page_name, ask.rerun_script.query_string = page, query
    ask.rerun_script.context_info.url = f"http://localhost:{port}/{link}"
    started = time.perf_counter()
    socket = await connect(
        f"ws://localhost:{port}/_stcore/stream", subprotocols=["streamlit"], max_size=None, open_timeout=None
    )
    sockets.append(socket)
    await socket.send(ask.SerializeToString())
    pending = 1
    while pending:
        message = ForwardMsg.FromString(await socket.recv())
        if message.WhichOneof("type") == "script_finished":
            pending -= 1
        if message.WhichOneof("type") != "delta":
            continue
        element = message.delta.new_element
        if element.WhichOneof("type") == "exception":
            seen["problem"] = f"{element.exception.type}: {element.exception.message}"
        player = element.bidi_component
        if not player.bytes:
            continue
        film = gzip.decompress(player.bytes)
        length = int.from_bytes(film[:4], "little")
        head = orjson.loads(film[4 : 4 + length])
        now = time.perf_counter() - started
        seen |= {"run": head["run"], "first": seen["first"] or now}
        if head["done"]:
            seen["seconds"] = now
            continue
        have = head["from"] + len(head["frames"])
        report = {"run": head["run"], "have": have, "step": None, "stopped": False, "told": have}
        more = BackMsg()
        more.rerun_script.CopyFrom(ask.rerun_script)
        more.rerun_script.fragment_id = message.delta.fragment_id
        more.rerun_script.widget_states.widgets.add(id=player.id, json_value=json.dumps({"report": report}))
        await socket.send(more.SerializeToString())
        pending += 1


def crowd() -> Iterator[Row]:
    """A class on one link, then a smaller one in which everybody has a seed of their own; nobody has been there."""
    with serving("crowd", counting=True) as server:
        served, more, run = _visit(server, [TERM] * 200)
        computed = server.log.read_text().splitlines().count(f"computes {run}")
        yield row("200 readers of one term link: served", len(served), "", ">= 200", **more)
        yield row("200 readers of one term link: p95 to the finished film", _at(served, 0.95), "s", 2)
        yield row("200 readers of one term link: times the run was computed", computed or None, "", 1)
        served, more, _ = _visit(server, [f"{TERM}?seed={seed}" for seed in range(101, 131)])
        more["served"] = len(served)
        yield row("30 readers of 30 runs: p50 to the finished film", _at(served, 0.5), "s", 1.4, **more)


def _visit(server: Server, links: list[str]) -> tuple[list[float], Row, str]:
    """Open the links at once. Returns the seconds to each finished film, sorted, what else is known, a run's id."""
    used = server.cpu()
    seen = next(elsewhere(readers, server.port, links, limit=120), [])
    served = sorted(one["seconds"] for one in seen if one["seconds"] and not one["problem"])
    more = {
        "problems": sorted({one["problem"] for one in seen if one["problem"]}),
        "first part p50": _at(sorted(one["first"] for one in seen if one["first"]), 0.5),
        "last": _at(served, 1),
        "server CPU s": server.cpu() - used,
    }
    return served, more, next((one["run"] for one in seen if one["run"]), "")


def _at(ordered: list[float], share: float) -> float | None:
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))] if ordered else None


def memory() -> Iterator[Row]:
    """Every playground visited once, then a hundred readers spread over all terms that have one."""
    import glossary
    from playgrounds.kit import catalogue

    with serving("memory") as server:
        links = [IMPORTS, *(f"playground-{name.replace('_', '-')}" for name in catalogue.names())]
        unseen = [link for link in links if not _visit(server, [link])[0]]
        visited = server.process.memory_info().rss / 2**20
        terms = [term.slug for term in glossary.load().terms if term.playground]
        connected = elsewhere(readers, server.port, [terms[i % len(terms)] for i in range(100)], True, limit=200)
        seen = next(connected, [])
        time.sleep(1)
        used = server.process.memory_info().rss / 2**20
        connected.close()
        served = sum(bool(one["seconds"]) for one in seen)
        more = {"before them": round(visited), "served": served, "torch": server.has_torch(), "not seen": unseen}
        yield row("resident memory, all playgrounds visited, 100 readers", used, "MB", 690, **more)


class Peak:
    """The most memory that a server has had resident while this is open, in MB."""

    def __init__(self, server: Server):
        self._server, self._over, self.most = server, threading.Event(), 0.0
        self._thread = threading.Thread(target=self._watch)

    def _watch(self) -> None:
        while not self._over.wait(0.2):
            self.most = max(self.most, self._server.process.memory_info().rss / 2**20)

    def __enter__(self) -> "Peak":
        self._thread.start()
        return self

    def __exit__(self, *_: Any) -> None:
        self._over.set()
        self._thread.join()


def leaving(send: Send, port: int, links: list[str]) -> None:
    """One reader, in one session: opens a link, sees the first of its film, goes on to the next. Sends how many."""
    from streamlit.proto.BackMsg_pb2 import BackMsg
    from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
    from websockets.asyncio.client import connect

    async def visit() -> int:
        seen = 0
        address = f"ws://localhost:{port}/_stcore/stream"
        async with connect(address, subprotocols=["streamlit"], max_size=None) as socket:
            for link in links:
                page, _, query = link.partition("?")
                ask = BackMsg()
                ask.rerun_script.page_name, ask.rerun_script.query_string = page, query
                ask.rerun_script.context_info.url = f"http://localhost:{port}/{link}"
                await socket.send(ask.SerializeToString())
                kind = ""
                while kind != "script_finished":
                    message = ForwardMsg.FromString(await socket.recv())
                    kind = message.WhichOneof("type")
                    seen += kind == "delta" and bool(message.delta.new_element.bidi_component.bytes)
        return seen

    with asyncio.Runner() as runner:
        send(runner.run(visit()))


def left() -> Iterator[Row]:
    """One reader who leaves many runs half-way, of kinds that hold much then."""
    heavy = ["transfer", "residual", "cnn", "depth-signal"]
    with serving("leaving") as server, Peak(server) as peak:
        _visit(server, [IMPORTS])
        links = [
            f"playground-{heavy[i % 4]}?seed={i}" + "&width=512&depth=50&train=200" * (i % 4 == 3) for i in range(300)
        ]
        seen = next(elsewhere(leaving, server.port, links, limit=400), None)
        more = {"films begun": seen, "after": server.process.memory_info().rss / 2**20, "torch": server.has_torch()}
        yield row("resident memory, one reader who leaves 300 heavy runs half-way", peak.most, "MB", 690, **more)


def seeds() -> Iterator[Row]:
    """Many readers at once of runs that hold much while they are half-way, with a run each."""
    with serving("seeds") as server, Peak(server) as peak:
        _visit(server, [IMPORTS])
        served, more, _ = _visit(server, [f"transfer-learning?seed={seed}" for seed in range(100)])
        more |= {"served in 90 s": len(served), "after": server.process.memory_info().rss / 2**20}
        yield row("resident memory, 100 readers with a seed each on /transfer-learning", peak.most, "MB", 690, **more)


def fairness() -> Iterator[Row]:
    """Light pages that are opened while 60 readers wait for heavy runs, each a run of its own."""
    heavy = ["playground-transfer", "playground-residual", "playground-cnn", "playground-char-transformer"]
    with serving("fairness", counting=True) as server:
        for page in (IMPORTS, *heavy):
            _visit(server, [page])
        before = len(_turns(server))
        links = [f"{heavy[i % 4]}?seed={1000 + i}" for i in range(60)]
        crowd = elsewhere(readers, server.port, links, limit=100)
        with ThreadPoolExecutor(1) as pool:
            waiting = pool.submit(next, crowd, [])
            time.sleep(2)
            links = [f"{TERM}?seed={200 + seed}" for seed in range(20)]
            light = next(elsewhere(one_by_one, server.port, links, limit=120), [])
            times = [one["seconds"] for one in light if one["seconds"] and not one["problem"]]
            lengths = _turns(server)[before:]
            crowd_seen = waiting.result()
        crowd.close()
        firsts = sorted(one["first"] for one in crowd_seen if one["first"])
        late = _at(sorted(times), 0.95)
        more = {"all": times} | (
            {} if len(times) == 20 else {"why": f"only {len(times)} of 20 were served", "ok": False}
        )
        yield row("a light page while 60 heavy runs are computed: p95 to its finished film", late, "s", 2, **more)
        yield row("60 heavy runs at once: p95 to the first of the film", _at(firsts, 0.95), "s", None, seen=len(firsts))
        yield row("60 heavy runs at once: longest turn", max(lengths), "CPU s", 0.3, turns=len(lengths))


def _turns(server: Server) -> list[float]:
    """The CPU seconds of every turn of computing so far."""
    return [float(line.split()[1]) for line in server.log.read_text().splitlines() if line.startswith("turn ")]


SWEEPS = {  # playground: knob, metric, and what makes one run short enough to wait for 33 of them
    "mlp": ("rate", "loss", {}),
    "cnn": ("rate", "accuracy", {"steps": 60, "digits": 300}),
    "residual": ("rate", "residual_error", {"steps": 100}),
}


def sweeps() -> Iterator[Row]:
    """A sweep against the sum of its runs: one through the player in the browser, the others in a process."""
    for name in SWEEPS:
        seen = next(elsewhere(_sweep, name, limit=400), None)
        if name == "mlp" and seen:
            yield _swept_in_browser(seen["runs, CPU s"])
        times = seen and seen["times"]
        yield row(f"sweep of {name}: times the sum of its runs, computed alone", times, "", 1.3, **(seen or {}))


def _swept_in_browser(alone: float) -> Row:
    """The sweep of mlp through its player; `alone`: CPU seconds that its runs take without it."""
    with serving("sweep") as server, browser() as page:
        _open(page, server, IMPORTS)
        _open(page, server, XOR)
        page.get_by_role("tab", name="Sweep").click()
        page.get_by_role("combobox", name="Knob").click()
        page.get_by_role("option", name="Learning rate").first.click()
        button = page.get_by_role("button", name="Compute")
        button.wait_for()
        page.wait_for_timeout(1500)
        used, started = server.cpu(), time.perf_counter()
        button.click()
        page.wait_for_function(
            "() => document.querySelectorAll(\".player[data-done='true']\").length === 2", timeout=90_000
        )
        seconds = time.perf_counter() - started
        more = {"runs alone, CPU s": alone, "by the clock": seconds, "server CPU s": server.cpu() - used}
        return row("sweep of mlp in the browser: times the sum of its runs", seconds / alone, "", 1.3, **more)


def _sweep(send: Send, name: str) -> None:
    """Sends the CPU seconds of a sweep's runs, those of the sweep in turns and with its messages, and the ratio."""
    os.environ |= {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
    from playgrounds.kit import catalogue, sweep
    from playgrounds.kit.runs import Run

    place = catalogue.load(name)
    knob, metric, values = SWEEPS[name]
    wanted = sweep.of(place, place.Params(**values), knob, metric)
    list(place.states(wanted.params))  # imports
    started = time.process_time()
    for value, seed in wanted.plan:
        for _ in place.run(wanted.params.model_copy(update={knob: value, "seed": seed})):
            pass
    alone = time.process_time() - started
    started, run = time.process_time(), Run(sweep.playground(place), wanted)
    while not run.done:
        run.advance()
        run.message(max(0, len(run.film.steps) - 1))
    together = time.process_time() - started
    send({"times": together / alone, "runs, CPU s": alone, "sweep, CPU s": together})


def room(kind: str) -> Iterator[Row]:
    """A class of 200 in one live room, with its database in `kind`; and a reader who turns a knob while it votes."""
    from tests.bench_room import lesson

    names = f"a room of 200, {kind}"
    with _rooms_in(kind) as url, serving(f"room-{kind}") as server:
        _visit(server, [TERM])
        before, seen, idle, knobs = server.process.memory_info().rss / 2**20, {}, 0.0, [0.0]
        links = [f"{TERM}?seed={300 + n}" for n in range(20)]
        class_ = elsewhere(lesson, server.port, url, limit=500)
        with ThreadPoolExecutor(1) as pool:
            for what, value in class_:
                seen[what] = value
                if what == "idle begins":
                    idle = server.cpu()
                    memory = (server.process.memory_info().rss / 2**20 - before) / 200
                elif what == "idle ends":
                    idle = (server.cpu() - idle) / 15
                elif what == "voting":
                    alone = pool.submit(next, elsewhere(one_by_one, server.port, links, limit=60), [])
                elif what == "votes":
                    knobs = sorted(one["seconds"] for one in alone.result() if one["seconds"])
                elif what == "end":
                    break
        class_.close()
        more = {"members": seen["members"], "problems": seen["problems"]}
        yield row(f"{names}: idle, cores", idle, "", 0.3, **more)
        yield row(f"{names}: votes counted", seen["votes"]["counted"], "", ">= 200")
        yield row(f"{names}: p95 from a vote to the teacher's screen", _at(seen["votes"]["late"], 0.95), "s", 1.5)
        yield row(f"{names}: p95 of a reader's run while all vote", _at(knobs, 0.95), "s", 1)
        followed = seen["followed"]
        yield row(f"{names}: Follow me, p95", _at(followed, 0.95), "s", 3, screens=len(followed))
        yield row(
            f"{names}: Everyone a seed, to the full picture", seen["grown"]["seconds"], "s", None, **seen["grown"]
        )
        yield row(f"{names}: memory of a member", memory, "MB", 1.5)


@contextlib.contextmanager
def _rooms_in(kind: str) -> Iterator[str]:
    """A database of that kind for the servers that are started meanwhile; its URL."""
    from tests.classroom.conftest import running

    with contextlib.ExitStack() as stack:
        if kind == "PostgreSQL":
            url = stack.enter_context(running())
        else:
            url = str(BUILD / "bench-rooms.sqlite")
            for path in BUILD.glob("bench-rooms.sqlite*"):
                path.unlink()
        os.environ["GLOSSARY_DATABASE"] = url
        try:
            yield url
        finally:
            del os.environ["GLOSSARY_DATABASE"]


# --- playgrounds -----------------------------------------------------------------------------------------------------

PROBE, CUT = 0.1, 30.0  # CPU seconds of a run that is probed, and of one that is measured in full
PROBING = {"seconds": 8.0, "MB": 4.0}  # CPU seconds of all probes in search of the worst


def playground(name: str, wanted: list[str]) -> Iterator[Row]:
    """The default run of a playground in a fresh process, then the worst that its Params allow."""
    search = any("worst" in one for one in wanted)
    lines = list(elsewhere(_measure, name, search, limit=110 if search else 60))
    last = lines[-1] if lines else {}
    stuck = {} if "seconds" in last else {"why": f"no end in sight, or failed, at {last.get('at')}", "ok": False}
    default, *lines = [line for line in lines if "states" in line] or [{"seconds": None}]
    more = stuck if default["seconds"] is None else default["why"]
    yield row(f"{name}: default run and film", default["seconds"], "CPU s", 2.5 if name in HEAVY else 0.3, **more)
    if search:
        for quantity, unit, most in [("seconds", "CPU s", 8), ("MB", "MB", 5), ("states", "", 301)]:
            there = [line for line in lines if quantity in line] or [{quantity: None, "at": ""}]
            worst = max(there, key=itemgetter(quantity))
            more = {"at": worst["at"]} | stuck | worst.get("why", {})
            yield row(f"{name}: worst {quantity}", worst[quantity], unit, most, **more)


def _measure(send: Send, name: str, search: bool) -> None:
    """In the fresh process: sends {"seconds", "MB", "states", "at", "why"} of the default run, then of the worst ones.

    In between it sends {"at"} alone, of what it is going to try: the last word of a process that gets stuck.
    """
    os.environ |= {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}  # before NumPy is imported: one core
    from playgrounds.kit import catalogue, data

    send({"at": "its import"})
    place = catalogue.load(name)
    for source in (place.source, Path(data.__file__).read_text(encoding="utf-8") if "kit.data" in place.source else ""):
        for node in ast.walk(ast.parse(source)):  # the imports inside functions too: they are not part of the run
            modules = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            modules += [node.module] if isinstance(node, ast.ImportFrom) and node.module else []
            for module in modules:
                importlib.import_module(module)
    send({"at": "defaults"})
    send(_compute(place, place.Params(), CUT))
    if not search:
        return
    probes, longest = _search(send, place)
    send({"at": _text(longest), "states": longest.length or 0})
    for quantity, tries in [("seconds", 2), ("MB", 4)]:  # a run that looked bad in its first moments may end early
        measured = 0.0
        for params in sorted(probes, key=lambda params: -probes[params][quantity])[:tries]:
            if measured < 0.7 * probes[params][quantity]:
                send({"at": _text(params)})
                one = _compute(place, params, CUT)
                send(one)
                measured = max(measured, one[quantity])


def _search(send: Send, place: Any) -> tuple[dict[Any, Row], Any]:
    """Probe for the slowest run and for the largest film. Returns the probes by params, and the longest run's params.

    From all knobs at their upper bounds, every knob by itself goes through its values; the worst value of each, put
    together, are where the second round starts.
    """
    from playgrounds.kit.film import Film

    probes: dict[Any, Row] = {}
    ends = 0.0

    def look(params: Any, better_than: float, quantity: str) -> float:
        for again in (False, True):  # what seems worse is looked at twice: the first time may have imported something
            if params not in probes or (again and probes[params][quantity] > better_than):
                if time.process_time() > ends:
                    return probes.get(params, {quantity: 0})[quantity]
                send({"at": _text(params)})
                probe = _compute(place, params, PROBE)
                probes[params] = min(probe, probes.get(params, probe), key=itemgetter("seconds"))
        return probes[params][quantity]

    start = place.Params()
    for one in start.knobs().values():
        start = _changed(start, one.name, _values(one)[0]) or start
    for quantity, seconds in PROBING.items():
        if quantity == "MB":  # a film of up to 100 states shows all of them, one of more has fewer frames
            start = max(probes, key=lambda params: probes[params]["MB"])
            start = _most(start, lambda p: (p.length - 1) // Film(None, None, p, p.length).stride if p.length else 0)
        best, ends = start, time.process_time() + seconds
        for _ in range(2):
            bar = 1.05 * look(best, 0, quantity)
            together, singles = best, []
            for one in start.knobs().values():
                others = [params for value in _values(one) if (params := _changed(best, one.name, value))]
                worst = max(others, key=lambda params: look(params, bar, quantity), default=best)
                if look(worst, bar, quantity) > bar:
                    singles.append(worst)
                    together = _changed(together, one.name, getattr(worst, one.name)) or together
            best = max([best, together, *singles], key=lambda params: look(params, 0, quantity))
    return probes, _most(start, lambda params: params.length or 0)


def _most(params: Any, count: Callable[[Any], int]) -> Any:
    """The params with each whole number where `count(params)` is largest."""
    for one in params.knobs().values():
        if one.kind == "int" and one.name != "seed":
            values = range(int(one.lo), int(one.hi) + 1, max(1, int(one.hi - one.lo) // 1000))
            others = [other for value in values if (other := _changed(params, one.name, value))]
            params = max([params, *others], key=count)
    return params


@cache
def _values(one: Any) -> list[Any]:
    """What the search tries of a knob; first what it starts from."""
    if one.name == "seed":
        return [one.default]
    match one.kind:
        case "choice":
            return [one.default, *(value for value in one.choices if value != one.default)]
        case "choices":
            return [one.choices, *((value,) for value in one.choices)]
        case "toggle":
            return [True, False]
        case "drawing":
            return [("0123456789abcdef" * one.hi**2)[: one.hi**2], one.default]
        case "matrix":
            return [";".join([",".join(["1.2345"] * one.hi)] * one.hi), one.default]
        case "points":
            rng = random.Random(0)
            rows = [f"{rng.uniform(-1, 1):.3g},{rng.uniform(-1, 1):.3g},{i % one.hi}" for i in range(200)]
            return ["\n".join(rows), one.default]
        case "text":
            rng, n = random.Random(0), int(one.hi)
            sizes = {"a": 26, "α": 25, "б": 31, "一": 99, "😀": 60}  # letters of several scripts
            scripts = [range(ord(first), ord(first) + size) for first, size in sizes.items()]
            words = ["".join(map(chr, rng.choices(rng.choice(scripts), k=rng.randint(1, 9)))) for _ in range(n)]
            letters = "".join(map(chr, rng.choices(scripts[0], k=n)))
            return [" ".join(words)[:n], letters, " ".join(letters)[:n], one.default]  # words, one word, only letters
        case _:
            return [one.hi, one.lo, *([one.default] if one.log else [])]  # a huge learning rate may end the run at once


def _changed(params: Any, name: str, value: Any) -> Any:
    """The params with one knob changed, None where a rule between knobs forbids it."""
    try:
        return type(params)(**(params.model_dump() | {name: value}))
    except ValueError:
        return None


def _compute(place: Any, params: Any, most: float) -> Row:
    """Run for at most about `most` CPU seconds; what is left after that is projected."""
    from playgrounds.kit.runs import Run

    started = time.process_time()
    run = Run(place, params)
    run.advance(0.02)  # whatever happens before the first state does not grow with the run
    first, head = time.process_time() - started, len(run.states)
    while not run.done and time.process_time() - started < most:
        run.advance(min(most / 3, 0.25))
    size = len(run.film.message(0)) / 1e6 if run.film.steps else 0.0
    seconds, states = time.process_time() - started, len(run.states)
    why = {"why": run.failure, "ok": False} if run.failure else {}
    if not run.done:
        length = max(run.length or 301, states)
        why = {"why": f"cut off after {seconds:.3g} s and {states} states, the rest is projected"}
        seconds += (seconds - first) * (length - states) / max(1, states - head)
        frames = (length - 1) // run.film.stride + 1
        size += run.film.nbytes / 1e6 * (frames / max(1, len(run.film.steps)) - 1)
        states = length
    return {"seconds": seconds, "MB": size, "states": states, "at": _text(params), "why": why}


def _text(params: Any) -> str:
    start = type(params)()
    values = {name: getattr(params, name) for name in params.knobs() if getattr(params, name) != getattr(start, name)}
    texts = {k: f"<{len(v):,} characters>" if isinstance(v, str) and len(v) > 30 else v for k, v in values.items()}
    return " ".join(f"{name}={value}" for name, value in texts.items()) or "defaults"


# --- the table -------------------------------------------------------------------------------------------------------


def groups() -> list[tuple[Callable[..., Iterator[Row]], list[str]]]:
    """What measures, and the names of the rows it makes."""
    from playgrounds.kit import catalogue

    return [
        (home, ["home page, cold"]),
        (knob, ["knob moved to finished run drawn", "playback"]),
        (drawing, ["stroke drawn"]),
        (stop, ["Stop pressed"]),
        (rerun, ["server CPU for a rerun"]),
        (crowd, ["200 readers", "30 readers"]),
        (memory, ["resident memory, all"]),
        (left, ["resident memory, one"]),
        (seeds, ["resident memory, 100"]),
        (fairness, ["a light page", "60 heavy"]),
        (sweeps, ["sweep of"]),
        *((in_room(kind), [f"a room of 200, {kind}"]) for kind in ("SQLite", "PostgreSQL")),
        *(
            (partial(playground, name), [f"{name}: default run and film", f"{name}: worst seconds, MB, states"])
            for name in catalogue.names()
        ),
    ]


def in_room(kind: str) -> Callable[[], Iterator[Row]]:
    return lambda: room(kind)


def measured(group: Callable[..., Iterator[Row]], names: list[str]) -> list[Row]:
    """The rows of a group; one that breaks (no Chromium, a page that fails) says so in its rows."""
    rows: list[Row] = []
    say(f"measuring {'; '.join(names)}")
    try:
        rows.extend(group(names) if isinstance(group, partial) else group())
    except Exception as error:
        say(traceback.format_exc(limit=-3))
        why = f"{type(error).__name__}: {(str(error).splitlines() or [''])[0]}"
        missing = [name for name in names if not any(one["name"].startswith(name) for one in rows)]
        rows += [row(name, None, "", None, why=why) for name in missing]
    for one in rows:
        say(f"  {one}")
    return rows


def table(rows: list[Row]) -> str:
    lines = [("", "measured", "bar", "")]
    for one in rows:
        value = "—" if one["value"] is None else f"{one['value']:g} {one['unit']}"
        bar = {float: "<= {:g}", int: "<= {:g}", str: "{}"}.get(type(one["bar"]), "").format(one["bar"])
        verdict = {True: "", False: "MISSED", None: "not measured"}[one["ok"]]
        notes = one.get("why", "") or (one.get("at", "") if one["ok"] is False else "")
        lines.append((one["name"], value, bar, f"{verdict} {notes}".strip()))
    wide = [max(len(line[i]) for line in lines) for i in range(3)]
    return "\n".join(f"{a:{wide[0]}}  {b:>{wide[1]}}  {c:>{wide[2]}}  {d}".rstrip() for a, b, c, d in lines)


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description=__doc__)
    parser.add_argument("--only", default="", metavar="NAME", help="measure only what has rows with this in their name")
    only = parser.parse_args().only
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # so that the servers are shut down
    os.chdir(ROOT)
    BUILD.mkdir(exist_ok=True)
    chosen = [(group, [name for name in names if only in name]) for group, names in groups()]
    chosen = [(group, names) for group, names in chosen if names]
    rows = [row("other work when it began: load average", os.getloadavg()[0], "", None)]
    # The playgrounds, which are measured in CPU seconds, go two at a time; everything else has the machine for itself.
    side_by_side = [pair for pair in chosen if isinstance(pair[0], partial)]
    for group, names in chosen:
        if not isinstance(group, partial):
            rows += measured(group, names)
    with ThreadPoolExecutor(2) as pool:
        for more in pool.map(lambda pair: measured(*pair), side_by_side):
            rows += more
    (BUILD / "bench.json").write_text(json.dumps(rows, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    print(table(rows))


if __name__ == "__main__":
    main()
