"""The drawing library that browsers load, plotly.js, compressed once: in memory, or as a file if none serves that."""

import gzip
import logging
import os
from collections.abc import Callable
from functools import cache
from pathlib import Path

import plotly

ROOT = Path(__file__).resolve().parent.parent.parent
NAME = f"plotly-{plotly.__version__}.bin"  # no ending that a server would unpack on its own
FOLDER = ROOT / "static" / "made"
ADDRESS = f"app/static/made/{NAME}"  # where Streamlit serves the folder; the app's server answers there from memory

_served = False


def plotly_js() -> bytes:
    return (Path(plotly.__file__).parent / "package_data" / "plotly.min.js").read_bytes()


@cache
def packed() -> bytes:
    """plotly.js as gzip: 1.4 MB, half a second of work."""
    return gzip.compress(plotly_js(), 9, mtime=0)


def serve() -> tuple[str, Callable[[], bytes]]:
    """For the app's server, which answers ADDRESS itself from now on: the address, and what makes the bytes."""
    global _served
    _served = True
    return ADDRESS, packed


@cache
def url() -> str:
    """Where the browser gets plotly.js. Without the app's own server that is a file, made on the first call."""
    if not _served:
        _write(FOLDER / NAME)
    return ADDRESS


def _write(target: Path) -> None:
    if target.exists():
        return
    draft = target.with_suffix(f".{os.getpid()}")
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        draft.write_bytes(packed())
        draft.replace(target)
    except OSError as error:
        logging.getLogger(__name__).error(
            "%s cannot be written (%s), so no playground will show its picture. Make its folder writable, or start the "
            "app with `streamlit run app.py`, which needs no such file.", target.name, error,
        )  # fmt: skip
