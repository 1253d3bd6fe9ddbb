"""Files that are made when they are first asked for and served from memory: the app's folder may be read-only."""

import asyncio
from collections.abc import Callable

from server.asgi import App, Receive, Scope, Send, answer

FOR_EVER = [
    (b"cache-control", b"public, max-age=31536000, immutable"),  # their names carry their version
    (b"x-content-type-options", b"nosniff"),
]


class Asset:
    """Serves one file, whose bytes `made` returns, at an address under the app's."""

    def __init__(self, app: App, address: str, made: Callable[[], bytes]):
        self.app = app
        self.path = f"/{address}"
        self.made = made

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        mine = scope["type"] == "http" and scope["method"] == "GET" and scope["path"].endswith(self.path)
        if mine:
            body = await asyncio.to_thread(self.made)  # half a second, the first time
            await answer(send, 200, b"application/gzip", body, FOR_EVER)
            return
        await self.app(scope, receive, send)
