"""Pages with something to see before their first script runs: what `paint` gives is put into the HTML of Streamlit."""

import asyncio
import gzip
import hashlib
import re
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from server.asgi import App, Message, Receive, Scope, Send, answer

FONT = re.compile(r'href="([^"]+\.woff2)"')  # that the page preloads
TITLE = re.compile(r"<title>.*?</title>", re.DOTALL)
NO_SCRIPT = re.compile(r"<noscript>.*?</noscript>", re.DOTALL)
NOT_PAGES = re.compile(r"/(static|_stcore|media|component|app/static|oauth2callback|auth)(/|$)|\.[a-z0-9]+$")
HOST = re.compile(r"[A-Za-z0-9._-]+(:\d+)?|\[[0-9a-fA-F:.]+\](:\d+)?")
OURS = {b"accept-encoding", b"if-none-match", b"if-modified-since", b"range", b"if-range"}  # answered here
THEIRS = {b"content-length", b"content-encoding", b"etag", b"last-modified", b"accept-ranges"}  # of the bare HTML
MOST = 512  # pages kept


class Paint(Protocol):
    """What an address adds: a status, HTML for the head, HTML for the beginning of the body."""

    @property
    def status(self) -> int: ...
    @property
    def head(self) -> str: ...
    @property
    def body(self) -> str: ...


Painted = Callable[[str, str, str], Paint]  # from the address in the app, the query, the app's own address


@dataclass(frozen=True)
class Page:
    """A whole page, as it is sent."""

    plain: bytes
    zipped: bytes
    tag: bytes

    @classmethod
    def of(cls, html: str) -> "Page":
        plain = html.encode()
        tag = hashlib.sha256(plain).hexdigest()[:16]
        return cls(plain, gzip.compress(plain, 6, mtime=0), f'W/"{tag}"'.encode())


class FirstPaint:
    """Puts into every page's HTML what `paint` gives for its address, and answers with its status.

    prefix: the path under which the app is served (server.baseUrlPath).
    """

    def __init__(self, app: App, paint: Painted, prefix: str = ""):
        self.app = app
        self.paint = paint
        self.prefix = prefix.strip("/")
        self.pages: OrderedDict[tuple[Paint, str], Page] = OrderedDict()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["method"] not in ("GET", "HEAD") or NOT_PAGES.search(scope["path"]):
            await self.app(scope, receive, send)
            return
        asked = dict(scope["headers"])
        headers = [(name, value) for name, value in scope["headers"] if name not in OURS]
        shell = _Kept()
        await self.app({**scope, "method": "GET", "headers": headers}, receive, shell)
        if not shell.is_html:
            await self.app(scope, receive, send)
            return
        query = scope.get("query_string", b"").decode("latin-1")
        paint = await asyncio.to_thread(self.paint, self._address(scope), query, self._host(scope, asked))
        page = await self._page(paint, shell.body)
        kept = [(name, value) for name, value in shell.headers if name not in {*THEIRS, b"content-type"}]
        kept += [(b"etag", page.tag), (b"vary", b"Accept-Encoding")]
        if paint.status == 200 and page.tag in asked.get(b"if-none-match", b""):
            await send({"type": "http.response.start", "status": 304, "headers": kept})
            await send({"type": "http.response.body", "body": b""})
            return
        body = page.plain
        if b"gzip" in asked.get(b"accept-encoding", b""):
            body = page.zipped
            kept.append((b"content-encoding", b"gzip"))
        if scope["method"] == "HEAD":
            send = _without_body(send)
        await answer(send, paint.status, b"text/html; charset=utf-8", body, kept)

    async def _page(self, paint: Paint, shell: bytes) -> Page:
        key = paint, hashlib.sha256(shell).hexdigest()
        if key not in self.pages:
            self.pages[key] = await asyncio.to_thread(lambda: Page.of(joined(shell.decode(), paint)))
            while len(self.pages) > MOST:
                self.pages.popitem(last=False)
        return self.pages[key]

    def _address(self, scope: Scope) -> str:
        """The path within the app."""
        path = scope["path"].removeprefix(scope.get("root_path", "")).strip("/")
        if self.prefix and (path == self.prefix or path.startswith(f"{self.prefix}/")):
            path = path[len(self.prefix) :]
        return path.strip("/")

    def _host(self, scope: Scope, asked: dict[bytes, bytes]) -> str:
        """The app's own address as this reader has asked for it; "" if that makes none."""
        host = asked.get(b"host", b"").decode("latin-1")
        if not HOST.fullmatch(host):
            return ""
        said = asked.get(b"x-forwarded-proto", b"").decode("latin-1").partition(",")[0].strip()
        scheme = said if said in ("http", "https") else scope.get("scheme", "http")
        folder = "/".join(filter(None, [scope.get("root_path", "").strip("/"), self.prefix]))
        return f"{scheme}://{host}" + (f"/{folder}" if folder else "")


def joined(shell: str, paint: Paint) -> str:
    """The HTML of Streamlit with what an address adds. What Streamlit says to readers without scripts is replaced."""
    head, body = paint.head, paint.body
    if font := FONT.search(shell):
        head += (
            f'<style>@font-face {{ font-family: "Source Sans"; src: url("{font[1]}") format("woff2"); '
            "font-weight: 200 900; font-display: swap; }</style>"
        )
    if "<noscript>" in body:
        shell = NO_SCRIPT.sub("", shell, count=1)
    shell = TITLE.sub(lambda _: head, shell, count=1)  # before the scripts: a picture is then asked for before them
    return shell.replace('<div id="root">', f'{body}\n<div id="root">', 1)


class _Kept:
    """Takes an answer instead of the browser; of HTML the whole body, of anything else nothing but that it is none."""

    def __init__(self) -> None:
        self.headers: list = []
        self.is_html = False
        self.body = b""

    async def __call__(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.headers = list(message["headers"])
            kind = dict(self.headers).get(b"content-type", b"")
            self.is_html = message["status"] == 200 and kind.startswith(b"text/html")
        elif message["type"] == "http.response.body" and self.is_html:
            self.body += message.get("body", b"")


def _without_body(send: Send) -> Send:
    async def send_on(message: Message) -> None:
        await send({**message, "body": b""} if message["type"] == "http.response.body" else message)

    return send_on
