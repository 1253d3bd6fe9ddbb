"""The pictures of the terms that are there: their files, their addresses, and what they were made from."""

import hashlib
import json
from pathlib import Path

from edition.openings import opening
from glossary import Term
from playgrounds.kit import runs

ROOT = Path(__file__).resolve().parent.parent
FOLDER = ROOT / "static" / "pictures"
HASHES = "made.json"  # in that folder: by slug, what the pictures were made from
ADDRESS = "app/static/pictures"  # where Streamlit serves the folder
PARTS = ("first-light.webp", "first-dark.webp", "card-light.webp", "card-dark.webp", "preview.jpg")


def file(slug: str, part: str, folder: Path | None = None) -> Path:
    return (folder or FOLDER) / f"{slug}-{part}"


def address(slug: str, part: str) -> str:
    """Where the picture is served, relative to the app; "" if there is none."""
    path = file(slug, part)
    if not path.exists():
        return ""
    stamp = hashlib.sha256(path.read_bytes()).hexdigest()[:8]  # browsers keep pictures; a new one has a new address
    return f"{ADDRESS}/{path.name}?v={stamp}"


def source(term: Term) -> str:
    """A hash of what a term's pictures show: the playground's source and the Params; "" without a playground."""
    run = opening(term)
    if run is None:
        return ""
    return runs.key(*run)


def hashes(folder: Path | None = None) -> dict[str, str]:
    """What the pictures that are there were made from, by slug."""
    path = (folder or FOLDER) / HASHES
    return json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}


def stale(terms: list[Term], folder: Path | None = None) -> list[Term]:
    """The terms whose pictures are missing or show what is no longer so."""
    made = hashes(folder)
    return [
        term
        for term in terms
        if (wanted := source(term))
        and (made.get(term.slug) != wanted or not all(file(term.slug, part, folder).exists() for part in PARTS))
    ]
