"""The budgets of this project, measured: `make bench`, or `python -m tests.bench --only worst` for some of the rows.

Prints a table and writes it to build/bench.json. It reports and never fails: a missed bar is a number in the table.
Seconds of one core are CPU seconds, so that they mean the same on a busy machine; all other times are by the clock.
"""

import argparse
import ast
import asyncio
import contextlib
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
import time
import traceback
import urllib.request
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any

import psutil

ROOT = Path(__file__).resolve().parent.parent
BUILD = ROOT / "build"
CHROMIUM = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
            "--disable-component-update", "--disable-sync"]  # fmt: skip
HEAVY = {"cnn", "recurrent", "seq2seq", "transformer", "masked_lm", "transfer", "residual", "generalization"}
XOR = "playground-mlp"  # at its defaults: the run that the interactive bars are about
TERM = "xor-problem"  # the link that a class opens
LONG = f"{XOR}?engine=torch&hidden=8&hidden2=8&hidden3=8&batch=10&epochs=1000"  # several seconds of training
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
import runpy, sys
from playgrounds.kit import runs
make = runs.Run.__init__
def counted(self, playground, params):
    make(self, playground, params)
    print("computes", self.id, flush=True)
runs.Run.__init__ = counted
sys.argv[0] = "streamlit"
runpy.run_module("streamlit", run_name="__main__")
"""


class Server:
    """The app in a process of its own, started as a user starts it; `counting`: its log says which runs it computes."""

    def __init__(self, name: str, counting: bool = False):
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        self.url = f"http://localhost:{self.port}"
        self.log = BUILD / f"bench-{name}.log"
        self._start = ["-c", COUNTING] if counting else ["-m", "streamlit"]

    def __enter__(self) -> "Server":
        options = {"port": str(self.port), "headless": "true", "fileWatcherType": "none"}
        flags = [part for option, value in options.items() for part in (f"--server.{option}", value)]
        with self.log.open("wb") as log:
            self._process = subprocess.Popen(
                [sys.executable, *self._start, "run", "app.py", *flags], cwd=ROOT, stdout=log, stderr=log
            )
        self.process = psutil.Process(self._process.pid)
        try:
            self._wait()
        except BaseException:
            self.__exit__()
            raise
        return self

    def _wait(self) -> None:
        for _ in range(600):
            if self._process.poll() is not None:
                raise RuntimeError(f"the server ended at once, see {self.log}")
            with contextlib.suppress(OSError), urllib.request.urlopen(f"{self.url}/_stcore/health", timeout=5):
                return
            time.sleep(0.1)
        raise RuntimeError(f"the server does not answer, see {self.log}")

    def __exit__(self, *_: Any) -> None:
        self._process.terminate()
        try:
            self._process.wait(5)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()

    def cpu(self) -> float:
        """CPU seconds used so far."""
        times = self.process.cpu_times()
        return times.user + times.system

    def has_torch(self) -> bool:
        return "libtorch" in Path(f"/proc/{self.process.pid}/maps").read_text()


def elsewhere(work: Callable[..., Iterator[Any]], *args: Any, limit: float) -> Iterator[Any]:
    """What the generator `work(*args)` yields in a fresh process, which is ended after `limit` seconds."""
    spawn = multiprocessing.get_context("spawn")
    ours, theirs = spawn.Pipe(duplex=False)
    process = spawn.Process(target=_send, args=(theirs, work, *args))
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


def _send(pipe: Any, work: Callable[..., Iterator[Any]], *args: Any) -> None:
    for item in work(*args):
        pipe.send(item)


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
    page.goto(f"{server.url}/{link}")
    page.wait_for_selector(f".player[data-done='{str(done).lower()}']", timeout=60_000)


def home() -> Iterator[Row]:
    """The home page of a server that nobody has visited, in a browser that has never been there."""
    with Server("home") as server, browser() as page:
        asked: list[str] = []
        page.on("request", lambda request: asked.append(request.url))
        page.add_init_script(SEEN)
        page.goto(server.url)
        page.wait_for_function("window.seen")
        seconds = page.evaluate("window.seen") / 1000
        page.wait_for_timeout(2000)
        loads = [url for url in asked if "plotly" in url.lower()] + ["torch"] * server.has_torch()
        yield row("home page, cold: loads of plotly.js or torch", len(loads), "", 0, at=loads)
        yield row("home page, cold: time to its title", seconds, "s", None)


def knob() -> Iterator[Row]:
    """A reader alone with the default XOR run, after the first visit."""
    with Server("knob") as server, browser() as page:
        _open(page, server, XOR)
        times, cpu, lost = [], [], 0
        for _ in range(6):  # the first one warms up
            page.wait_for_timeout(1000)
            used = server.cpu()
            try:
                times.append(_in_page(page, DRAWN) / 1000)
                cpu.append(server.cpu() - used)
            except Exception:  # the press came to nothing
                lost += 1
                _open(page, server, f"{XOR}?seed={100 + lost}")
        why = {"why": f"{lost} of 6 presses came to nothing", "ok": False} if lost else {}
        more = {"all": times, "cpu": statistics.median(cpu[1:] or cpu)} | why
        yield row(
            "knob moved to finished run drawn, default XOR", statistics.median(times[1:] or times), "s", 0.3, **more
        )

        plays = []
        for _ in range(6):
            page.wait_for_timeout(1000)
            plays.append(_in_page(page, PLAYED))
        frames, milliseconds = map(sum, zip(*plays, strict=True))
        yield row("playback of that film at speed max", 1000 * frames / milliseconds, "frames/s", ">= 45", all=plays)


def stop() -> Iterator[Row]:
    """Stop, pressed three times during one long training."""
    with Server("stop") as server, browser() as page:
        _open(page, server, LONG, done=False)
        stops = []
        for _ in range(3):
            page.wait_for_timeout(1000)
            _in_page(page, STOP)
            stops.append(max(_until_quiet(server), page.evaluate("window.grown") / 1000))
            page.click(".player-stop")  # it says Continue now
        yield row("Stop pressed to nothing computed any more (worst of 3)", max(stops), "s", 0.5, all=stops)


def rerun() -> Iterator[Row]:
    """A reader who goes back through a film step by step, resting at each: every rest is a rerun of the fragment."""
    with Server("rerun") as server, browser() as page:
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


def readers(port: int, links: list[str], hold: bool = False) -> Iterator[list[Row]]:
    """Open all links at once, as browsers would. Yields one {"seconds", "first", "run", "problem"} per reader."""
    with asyncio.Runner() as runner:
        sockets: list[Any] = []
        yield runner.run(_all(port, links, sockets))
        if hold:
            runner.run(asyncio.sleep(3600))


async def _all(port: int, links: list[str], sockets: list[Any]) -> list[Row]:
    return await asyncio.gather(*(_limited(port, link, sockets) for link in links))


async def _limited(port: int, link: str, sockets: list[Any]) -> Row:
    try:
        return await asyncio.wait_for(_reader(port, link, sockets), 90)
    except Exception as error:
        return {"seconds": None, "first": None, "run": "", "problem": f"{type(error).__name__}: {error}"}


async def _reader(port: int, link: str, sockets: list[Any]) -> Row:
    """What a browser does: connect, ask for the page, ask for more of the film until it is complete."""
    import orjson
    from streamlit.proto.BackMsg_pb2 import BackMsg
    from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
    from websockets.asyncio.client import connect

    page, _, query = link.partition("?")
    ask = BackMsg()
    ask.rerun_script.page_name, ask.rerun_script.query_string = page, query
    ask.rerun_script.context_info.url = f"http://localhost:{port}/{link}"
    seen: Row = {"seconds": None, "first": None, "run": "", "problem": ""}
    started = time.perf_counter()
    socket = await connect(
        f"ws://localhost:{port}/_stcore/stream", subprotocols=["streamlit"], max_size=None, open_timeout=None
    )
    sockets.append(socket)  # stays open until this process ends
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
        length = int.from_bytes(player.bytes[:4], "little")
        head = orjson.loads(player.bytes[4 : 4 + length])
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
    return seen


def crowd() -> Iterator[Row]:
    """A class on one link, then a smaller one in which everybody has a seed of their own; nobody has been there."""
    with Server("crowd", counting=True) as server:
        used = server.cpu()
        seen = _visit(server, [TERM] * 200)
        spent = server.cpu() - used
        served = sorted(one["seconds"] for one in seen if one["seconds"] and not one["problem"])
        more: Row = {"problems": sorted({one["problem"] for one in seen if one["problem"]}), "cpu": spent}
        if served:
            more |= {"p50": statistics.median(served), "last": served[-1]}
        computed = [line for line in server.log.read_text().splitlines() if line == f"computes {seen[0]['run']}"]
        yield row("200 readers of one term link: served", len(served), "", ">= 200", **more)
        yield row("200 readers of one term link: p95 to the finished film", _at(served, 0.95), "s", 3)
        yield row("200 readers of one term link: times the run was computed", len(computed), "", 1)

        used = server.cpu()
        seen = _visit(server, [f"{TERM}?seed={seed}" for seed in range(101, 131)])
        spent = server.cpu() - used
        finished = sorted(one["seconds"] for one in seen if one["seconds"] and not one["problem"])
        more = {"problems": sorted({one["problem"] for one in seen if one["problem"]}), "served": len(finished)}
        more |= {"cpu": spent, "first part": _at(sorted(one["first"] for one in seen if one["first"]), 0.5)}
        yield row("30 readers of 30 runs: p50 to the finished film", _at(finished, 0.5), "s", 3, **more)


def memory() -> Iterator[Row]:
    """Every playground visited once, then a hundred readers spread over all terms that have one."""
    import glossary
    from playgrounds.kit import catalogue

    with Server("memory") as server:
        for link in [IMPORTS, *(f"playground-{name.replace('_', '-')}" for name in catalogue.names())]:
            _visit(server, [link])
        visited = server.process.memory_info().rss / 2**20
        terms = [term.slug for term in glossary.load().terms if term.playground]
        links = [terms[i % len(terms)] for i in range(100)]
        connected = elsewhere(readers, server.port, links, True, limit=200)
        seen = next(connected, [])
        time.sleep(1)
        used = server.process.memory_info().rss / 2**20
        connected.close()
        served = sum(bool(one["seconds"]) for one in seen)
        more = {"before the readers": round(visited), "served": served, "torch": server.has_torch()}
        yield row("resident memory, all playgrounds visited, 100 readers", used, "MB", 690, **more)


def _visit(server: Server, links: list[str]) -> list[Row]:
    nothing = {"seconds": None, "first": None, "run": "", "problem": "the readers' process ended"}
    return next(elsewhere(readers, server.port, links, limit=120), [nothing] * len(links))


def _at(ordered: list[float], share: float) -> float | None:
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))] if ordered else None


# --- playgrounds -----------------------------------------------------------------------------------------------------

PROBE, PROBING, CUT = 0.15, 8.0, 30.0  # CPU seconds: of one probe, of a search with probes, of a run in full


def playground(name: str, wanted: list[str]) -> Iterator[Row]:
    """The default run of a playground in a fresh process, then the worst that its Params allow."""
    search = any("worst" in one for one in wanted)
    lines = list(elsewhere(_measure, name, search, limit=110 if search else 60))
    defaults = [line for line in lines if line["what"] == "default"]
    worst = [line for line in lines if line["what"] == "worst"]
    trying = lines[-1]["at"] if lines and lines[-1]["what"] == "trying" else ""
    stuck = {"why": f"no end in sight at {trying}"} if trying else {}
    bar = 5 if name in HEAVY else 0.5
    yield row(f"{name}: default run and film", defaults[0]["seconds"] if defaults else None, "CPU s", bar,
              **(_why(defaults) or ({} if defaults else {"why": "did not end, or could not be imported"})))  # fmt: skip
    if not search:
        return
    for quantity, unit, most in [("seconds", "CPU s", 20), ("MB", "MB", 8), ("states", "", 301)]:
        top = max(worst, key=lambda line: line[quantity], default=None)
        if top is None:
            yield row(f"{name}: worst {quantity}", None, unit, most, **(stuck or {"why": "nothing could be measured"}))
            continue
        one = row(f"{name}: worst {quantity}", top[quantity], unit, most, at=top["at"], **(_why([top]) or stuck))
        yield one | {"ok": one["ok"] and not one.get("why")}


def _why(lines: list[Row]) -> Row:
    return {"why": lines[0]["why"]} if lines and lines[0]["why"] else {}


def _measure(name: str, search: bool) -> Iterator[Row]:
    """In the fresh process: {"what": "default" or "worst", "seconds", "MB", "states", "at", "why"}."""
    os.environ |= {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}  # before NumPy is imported: one core
    from playgrounds.kit import catalogue, data

    place = catalogue.load(name)
    for source in (place.source, Path(data.__file__).read_text(encoding="utf-8") if "kit.data" in place.source else ""):
        for node in ast.walk(ast.parse(source)):  # the imports inside functions too: they are not part of the run
            modules = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            modules += [node.module] if isinstance(node, ast.ImportFrom) and node.module else []
            for module in modules:
                importlib.import_module(module)
    yield {"what": "default"} | _full(place, place.Params())
    if not search:
        return
    finalists, states = [], (0, None)
    for event, *found in _worst(place):
        if event == "trying":
            yield {"what": "trying", "at": _at_text(found[0])}
        else:
            finalists.append(found[0])
            states = max(states, found[1], key=lambda pair: pair[0])
    longest = [states[1]] if states[0] > 301 else []
    for params in dict.fromkeys([*finalists, *longest]):
        yield {"what": "trying", "at": _at_text(params)}
        yield {"what": "worst"} | _full(place, params)


def _full(place: Any, params: Any) -> Row:
    from playgrounds.kit.runs import Run

    started = time.process_time()
    run = Run(place, params)
    while not run.done and time.process_time() - started < CUT:
        run.advance()
    size = len(run.message(0)) / 1e6 if run.film.steps else 0.0
    why = run.failure or ("" if run.done else f"cut off after {CUT:g} s")
    seconds = time.process_time() - started
    return {"seconds": seconds, "MB": size, "states": len(run.states), "at": _at_text(params), "why": why}


def _worst(place: Any) -> Iterator[tuple]:
    """Coordinate ascent from all knobs at their upper bounds, once for seconds, once for the size of the film.

    Yields ("trying", params) before each probe, and ("found", params, (states, params of the longest run)) twice.
    """
    probes: dict[Any, Row] = {}
    best = place.Params()
    knobs = sorted(
        best.knobs().values(), key=lambda one: one.kind in ("int", "float")
    )  # choices first, they weigh most
    for one in knobs:
        best = _changed(best, one.name, _values(one)[0]) or best
    for quantity in ("seconds", "MB"):
        ends, before = time.process_time() + PROBING, None
        while best != before and time.process_time() < ends:
            before = best
            for one in knobs:
                for params in filter(None, (_changed(best, one.name, value) for value in _values(one))):
                    if params not in probes and time.process_time() < ends:
                        yield "trying", params
                        probes[params] = _probe(place, params)
                    if params in probes and probes[params][quantity] > 1.1 * probes.get(best, {quantity: 0})[quantity]:
                        best = params
        longest = max(probes, key=lambda params: probes[params]["states"])
        yield "found", best, (probes[longest]["states"], longest)


def _values(one: Any) -> list[Any]:
    """What the search tries of a knob; first what it starts from."""
    rng = random.Random(0)
    match one.kind:
        case _ if one.name == "seed":
            return [one.default]
        case "choice":
            return [one.default, *(value for value in one.choices if value != one.default)]
        case "choices":
            return [one.choices, *((value,) for value in one.choices)]
        case "toggle":
            return [True, False]
        case "text":
            scripts, n = (
                "abcdefghijklmnopqrstuvwxyz αβγδεζηθικλμνξο бвгджзийклмнп 漢字仮名交文書学習 🙂🚀🧠🎲 éñüßø".split(),
                int(one.hi),
            )
            words = ["".join(rng.choices(rng.choice(scripts), k=rng.randint(1, 9))) for _ in range(n)]
            varied, letters = " ".join(words)[:n], "".join(rng.choices(scripts[0], k=n))
            return [varied, letters, " ".join(letters)[:n], one.default]
        case _:
            return [one.hi, one.default, one.lo]


def _changed(params: Any, name: str, value: Any) -> Any:
    """The params with one knob changed, None where a rule between knobs forbids it."""
    try:
        return type(params)(**(params.model_dump() | {name: value}))
    except ValueError:
        return None


def _probe(place: Any, params: Any) -> Row:
    """Seconds, MB and states of a whole run, projected from its first moments."""
    from playgrounds.kit.runs import Run

    run = Run(place, params)
    started = time.process_time()
    run.advance(0.02)  # whatever happens before the first state does not grow with the run
    first, head = time.process_time() - started, len(run.states)
    while not run.done and time.process_time() - started < PROBE:
        run.advance(0.1)
    seconds = time.process_time() - started
    size = len(run.message(0)) / 1e6 if run.film.steps else 0.0
    states = len(run.states)
    if not run.done:
        length = run.length or 301
        seconds += (seconds - first) * (length - states) / max(1, states - head)
        size *= length / run.film.stride / max(1, len(run.film.steps))
        states = max(length, states)
    return {"seconds": seconds, "MB": size, "states": states}


def _at_text(params: Any) -> str:
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
        (stop, ["Stop pressed"]),
        (rerun, ["server CPU for a rerun"]),
        (crowd, ["200 readers", "30 readers"]),
        (memory, ["resident memory"]),
        *(
            (partial(playground, name), [f"{name}: default run and film", f"{name}: worst seconds, MB, states"])
            for name in catalogue.names()
        ),
    ]


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
    rows: list[Row] = []
    say(f"load average before: {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores")
    for group, names in chosen:
        if not isinstance(group, partial):
            rows += measured(group, names)
    with ThreadPoolExecutor(2) as pool:  # the playgrounds, two side by side
        for more in pool.map(lambda pair: measured(*pair), [pair for pair in chosen if isinstance(pair[0], partial)]):
            rows += more
    (BUILD / "bench.json").write_text(json.dumps(rows, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    print(table(rows))


if __name__ == "__main__":
    main()
