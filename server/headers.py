"""What the browser is told about every answer: what a page may load and run, and what of its address others see."""

from server.asgi import App, Message, Receive, Scope, Send

# Streamlit styles its elements inline, runs components from blobs and counts in WebAssembly; the player runs plotly.js
# as text. As long as that needs 'unsafe-inline', forbidding eval would gain nothing, and browsers that are driven from
# outside (tests, checks of accessibility) need it. Nothing comes from another server, whatever a link or a reader's
# text says. Nothing is said about frame-ancestors: any course page may embed a playground, a file on a disk too.
POLICY = {
    "default-src": "'self'",
    "script-src": "'self' 'unsafe-inline' 'unsafe-eval' blob:",
    "style-src": "'self' 'unsafe-inline'",
    "img-src": "'self' data: blob:",
    "font-src": "'self' data:",
    "media-src": "'self' data: blob:",
    "connect-src": "'self' data: blob: ws: wss:",  # older Safari does not count a websocket as 'self'
    "worker-src": "'self' blob:",
    "object-src": "'none'",
    "base-uri": "'self'",
    "form-action": "'self'",
}
HEADERS = [
    (b"content-security-policy", "; ".join(f"{what} {where}" for what, where in POLICY.items()).encode()),
    (b"referrer-policy", b"same-origin"),  # a link holds the reader's own text
]


class Headers:
    """Adds HEADERS to every answer."""

    def __init__(self, app: App):
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def send_on(message: Message) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [*message.get("headers", ()), *HEADERS]
            await send(message)

        await self.app(scope, receive, send_on)
