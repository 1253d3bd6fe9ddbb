"""Pictures of runs for cards: files under static/, where somebody has made them."""

from functools import cache

from glossary import PAGES

FOLDER = PAGES.parent / "static" / "pictures"
ADDRESS = "app/static/pictures"  # where Streamlit serves the folder


@cache
def last(slug: str) -> str:
    """The address of the picture of a term's run at its end; "" if there is none."""
    name = f"{slug}-last.webp"
    return f"{ADDRESS}/{name}" if (FOLDER / name).is_file() else ""
