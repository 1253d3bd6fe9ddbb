"""A class in one room, on websockets without browsers: what `make bench` measures of the live classroom."""

import asyncio
import json
import random
import re
import time
from collections.abc import Callable
from typing import Any

MANY = 200
VOTING = 10.0  # seconds within which all vote
COUNT = re.compile(r"(\d+) of \d+\D{0,8} have voted")


class Screen:
    """A browser: looks at the room as often as the page asks for, presses buttons, and says what it has seen when."""

    def __init__(self, port: int, page: str, teaches: bool, secret: str):
        self.port, self.page = port, page
        self.kept = {"seat": json.dumps({"teaches": teaches, "secret": secret})}
        self.buttons: dict[str, tuple[str, str]] = {}  # by label: id, fragment
        self.counts: list[tuple[float, int]] = []
        self.films: list[float] = []
        self.problem = ""
        self.is_in = False
        self._links = self._shown = ""
        self._looks: dict[str, float] = {}

    async def open(self) -> None:
        from streamlit.proto.BackMsg_pb2 import BackMsg
        from websockets.asyncio.client import connect

        self.ask = BackMsg()
        self.ask.rerun_script.page_name = self.page
        self.ask.rerun_script.context_info.url = f"http://localhost:{self.port}/{self.page}"
        address = f"ws://localhost:{self.port}/_stcore/stream"
        self.socket = await connect(address, subprotocols=["streamlit"], max_size=None, open_timeout=None)
        await self.socket.send(self.ask.SerializeToString())
        self.tasks = [asyncio.create_task(self._listen()), asyncio.create_task(self._look())]

    async def press(self, label: str) -> None:
        name, fragment = self.buttons[label]
        await self._send(fragment, press=name)

    async def _send(self, fragment: str = "", press: str = "") -> None:
        from streamlit.proto.BackMsg_pb2 import BackMsg

        ask = BackMsg()
        ask.rerun_script.CopyFrom(self.ask.rerun_script)
        ask.rerun_script.fragment_id = fragment
        if self._links:
            ask.rerun_script.widget_states.widgets.add(id=self._links, json_value=json.dumps({"kept": self.kept}))
        if press:
            ask.rerun_script.widget_states.widgets.add(id=press, trigger_value=True)
        await self.socket.send(ask.SerializeToString())

    async def _look(self) -> None:
        due: dict[str, float] = {}
        while True:
            await asyncio.sleep(0.1)
            for fragment, interval in list(self._looks.items()):
                now = time.monotonic()
                if now >= due.setdefault(fragment, now + interval):
                    due[fragment] = now + interval
                    await self._send(fragment)

    async def _listen(self) -> None:
        from streamlit.proto.ForwardMsg_pb2 import ForwardMsg

        try:
            while True:
                await self._take(ForwardMsg.FromString(await self.socket.recv()))
        except Exception as error:
            self.problem = f"{type(error).__name__}: {error}"

    async def _take(self, message: Any) -> None:
        kind = message.WhichOneof("type")
        if kind == "new_session" and message.new_session.page_script_hash != self._shown:
            self._shown = message.new_session.page_script_hash
            self._looks, self.buttons = {}, {}
            self.ask.rerun_script.page_script_hash = self._shown
        if kind == "auto_rerun":
            self._looks[message.auto_rerun.fragment_id] = message.auto_rerun.interval
        if kind != "delta":
            return
        element = message.delta.new_element
        match element.WhichOneof("type"):
            case "exception":
                self.problem = f"{element.exception.type}: {element.exception.message}"
            case "bidi_component" if element.bidi_component.component_name.endswith("links") and not self._links:
                self._links = element.bidi_component.id
                await self._send()
            case "bidi_component" if element.bidi_component.bytes:
                self.films.append(time.monotonic())
            case "button":
                self.buttons[element.button.label] = element.button.id, message.delta.fragment_id
            case "html" if found := COUNT.search(re.sub(r"<[^>]*>", "", element.html.body)):
                self.counts.append((time.monotonic(), int(found[1])))
            case "html" if "classbar-who" in element.html.body:
                self.is_in = True


def lesson(send: Callable[[Any], None], port: int, url: str, many: int = MANY) -> None:
    """Open a room with `many` members and go through a question, Follow me and Everyone a seed; sends what was seen.

    Every time something begins, its name is sent first, so that the server's CPU can be looked at meanwhile.
    """
    with asyncio.Runner() as runner:
        runner.run(_lesson(send, port, url, many))


async def _lesson(send: Callable[[Any], None], port: int, url: str, many: int) -> None:
    from classroom import agenda, follow, rooms, seeds
    from classroom.agenda import Facts, Item
    from classroom.codes import Guard
    from classroom.database import Database
    from classroom.follow import Walk
    from classroom.snapshot import Snapshots
    from playgrounds.kit import catalogue

    base = Database(url)
    room = rooms.open_room(base, "Bench")
    start = (
        catalogue.load("mlp").Params.preset({"data": "corners", "hidden": 2, "rate": 0.1})[0].model_dump(mode="json")
    )
    entries = [
        (Item(kind="free", text="Which?", options=["one", "two"]), Facts(choices=2)),
        (
            Item(kind="seeds", page="xor-problem", metric="accuracy"),
            Facts(playground="mlp", start=start, highest=10**6),
        ),
    ]
    ask, grow = agenda.add(base, room.key, entries)
    members = [rooms.join(base, room.code, Guard()) for _ in range(many)]
    teacher = Screen(port, "classroom", True, room.key)
    screens = [Screen(port, "join", False, one.token) for one in members]
    await teacher.open()
    for n, screen in enumerate(screens):
        await screen.open()
        if n % 10 == 9:
            await asyncio.sleep(0.3)
    await _until(lambda: all(screen.is_in for screen in screens), 90)
    send(("members", sum(screen.is_in for screen in screens)))
    await asyncio.sleep(5)
    send(("idle begins", None))
    await asyncio.sleep(15)
    send(("idle ends", None))

    agenda.go(base, room.key, ask)
    await _until(lambda: all("A\u2002one" in screen.buttons for screen in screens), 30)
    pressed: list[float] = []

    async def vote(screen: Screen) -> None:
        await asyncio.sleep(random.random() * VOTING)
        pressed.append(time.monotonic())
        await screen.press(random.choice(["A\u2002one", "B\u2002two"]))

    send(("voting", None))
    await asyncio.gather(*[vote(screen) for screen in screens if screen.buttons])
    await _until(lambda: bool(teacher.counts) and teacher.counts[-1][1] == len(pressed), 30)
    late = []
    for n, at in enumerate(sorted(pressed), start=1):
        late += [seen - at for seen, count in teacher.counts if count >= n and seen >= at][:1]
    send(("votes", {"counted": teacher.counts[-1][1] if teacher.counts else 0, "late": sorted(late)}))

    for screen in screens:
        screen.films.clear()
    ordered = time.monotonic()
    follow.lead(base, room.key, Walk("xor-problem", {"hidden": "3"}))
    await _until(lambda: all(screen.films for screen in screens), 60)
    send(("followed", sorted(screen.films[0] - ordered for screen in screens if screen.films)))
    follow.free(base, room.key)

    agenda.go(base, room.key, grow)
    began = time.monotonic()
    seeds.start(base, room.key, grow, Walk("xor-problem", {"data": "corners"}, play=1, item=grow))
    seen = Snapshots(base)

    def ended() -> int:
        now = seen.of(room.room)
        return sum(one.numbers is not None for one in now.grown) if now is not None else 0

    await _until(lambda: ended() >= many, 180)
    send(("grown", {"runs": ended(), "seconds": time.monotonic() - began}))
    send(("problems", sorted({screen.problem for screen in [teacher, *screens] if screen.problem})[:3]))
    send(("end", None))
    await asyncio.sleep(600)  # they stay connected until this process is ended


async def _until(done: Callable[[], bool], seconds: float) -> None:
    until = time.monotonic() + seconds
    while not done() and time.monotonic() < until:
        await asyncio.sleep(0.1)
