"""Which of Streamlit's own addresses are closed: nobody uploads here, and the server's numbers are the operator's."""

import os

from server.asgi import App, Receive, Scope, Send, answer

METRICS = "/_stcore/metrics"
UPLOADS = "/_stcore/upload_file/"
SETTING = "GLOSSARY_METRICS"  # environment: "open" for an operator who collects the numbers


class ClosedDoors:
    """Answers 404 at Streamlit's metrics and at its upload route, which keeps a megabyte a file for every session."""

    def __init__(self, app: App):
        self.app = app
        self.metrics_open = os.environ.get(SETTING) == "open"

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and self._closed(scope["path"]):
            await answer(send, 404, b"text/plain", b"Not found", [(b"connection", b"close")])
            return
        await self.app(scope, receive, send)

    def _closed(self, path: str) -> bool:
        """The path may begin with the app's own prefix (server.baseUrlPath, a proxy's)."""
        if UPLOADS in path:
            return True
        return path.rstrip("/").endswith(METRICS) and not self.metrics_open
