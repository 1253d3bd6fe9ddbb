"""What the reader's browser keeps of the practice, and how the pages get at it: nothing of it stays on the server."""

import json
from datetime import UTC, datetime, tzinfo
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import streamlit as st

from playgrounds.stage import session
from practice.record import Record, RecordError, read

mount = st.components.v2.component("keeping", js=Path(__file__).with_suffix(".js").read_text(encoding="utf-8"))

KEY = "keeping"
RECORD: session.Entry[Record | None] = session.Entry("record", lambda: None)  # as this session knows it
CHANGES: session.Entry[dict[str, Any]] = session.Entry("changes", dict)  # that the browser has not been sent yet


def now() -> datetime:
    return datetime.now(UTC)


def zone() -> tzinfo:
    """The reader's own clock; UTC if the browser does not say."""
    try:
        return ZoneInfo(st.context.timezone or "UTC")
    except (ValueError, OSError):
        return UTC


def connect(key: str = "") -> Any:
    """Mount the browser's memory and send it what has changed. key: of an exam, whose answers are wanted.

    Returns the answers of that exam as the browser has them, unchecked; None if it has none or has not said yet.
    """
    changes = CHANGES.take(KEY)
    # As a text: Streamlit would take an empty object for a table.
    mount(key=KEY, data=json.dumps({"session": str(session.reader()), "key": key, **changes}), on_kept_change=_kept)
    value = session.widget(KEY)
    kept = value.get("kept") if isinstance(value, dict) else None
    return kept.get("exam") if isinstance(kept, dict) else None


def record() -> Record:
    """The reader's record; an empty one until the browser has sent it."""
    return RECORD.get(KEY) or Record()


def is_here() -> bool:
    """Whether the browser has said what it keeps."""
    return RECORD.get(KEY) is not None


def _kept() -> None:
    value = session.widget(KEY)
    kept = value.get("kept") if isinstance(value, dict) else None
    if not isinstance(kept, dict) or RECORD.get(KEY) is not None:
        return
    try:
        RECORD.set(KEY, read(kept.get("record")))
    except RecordError:
        RECORD.set(KEY, Record())  # what is no record is not overwritten card by card, but cannot be used


def save(record: Record, cards: list[str]) -> None:
    """The record is so now; of its cards these have changed."""
    RECORD.set(KEY, record)
    changes = CHANGES.get(KEY)
    document = record.document()
    sent = changes.get("save", {"cards": {}})
    some = {at: document["cards"][at] for at in cards}
    CHANGES.set(KEY, changes | {"save": {"cards": sent["cards"] | some, "exam": document["exam"]}})


def save_exam(key: str, given: dict[str, Any], began: float) -> None:
    CHANGES.set(KEY, CHANGES.get(KEY) | {"exam": {"key": key, "given": given, "began": began}})


def forget() -> None:
    RECORD.set(KEY, Record())
    CHANGES.set(KEY, {"forget": True})
