"""Makes the pictures of the terms, those that are stale: `make pictures`. Needs Chromium, playwright and Pillow.

For the run with which a term's page opens, as WebP and in both themes: the first frame, and for cards the hero of the
last one. The first once more as a JPEG for previews of links, some of which refuse WebP.
"""

import base64
import io
import json
import shutil
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any, Literal

from edition import stills
from edition.openings import opening
from glossary import Term, load
from playgrounds.kit.runs import Run
from playgrounds.player import assemble

if TYPE_CHECKING:
    from PIL.Image import Image
    from playwright.sync_api import Browser, Page

FLAGS = [
    *("--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync"),
    *("--disable-background-networking", "--disable-component-update"),
]
# The player stands as on the page of a term in a window of 1280 × 720, so that its picture has the same size.
WIDTH, HEIGHT, DENSITY = 878, 720, 1.5
THEMES: tuple[Literal["light"], Literal["dark"]] = ("light", "dark")
STYLE = """
html { font-size: 17px; }
body { max-width: none; width: 878px; margin: 0; padding: 0; }
body > h1, body > p { display: none; }
main { padding-top: 113px; }
"""
PLAY = """
(film) => {
  const root = document.querySelector(".player");
  root.film = Uint8Array.from(atob(film), (c) => c.charCodeAt(0));
  root.player.take(root.film);
}
"""
# Where the hero's axes are, in px of the window, with a little around them.
HERO = """
(around) => {
  const { film } = document.querySelector(".player").player;
  const plot = document.querySelector(".player-plot");
  const { suffix } = film.base.panels.find((panel) => panel.hero);
  const { [`xaxis${suffix}`]: x, [`yaxis${suffix}`]: y } = plot._fullLayout;
  const { left, top, width, height } = plot.getBoundingClientRect();
  const from = [Math.max(0, x._offset - around), Math.max(0, y._offset - around)];
  const to = [Math.min(width, x._offset + x._length + around), Math.min(height, y._offset + y._length + around)];
  return { x: left + from[0], y: top + from[1], width: to[0] - from[0], height: to[1] - from[1] };
}
"""
AROUND = 6  # px around the hero's axes on a card
MOST_WEBP = 20_000  # bytes
MOST_JPEG = 40_000
PREVIEW = (1200, 630)
MARGIN = 36  # px around the picture in a preview
WEBP = [
    (scale, quality) for scale in (1.5, 1.0, 0.75, 0.5) for quality in (85, 65, 45)
]  # what is tried until it is small
JPEG = (90, 80, 70, 55, 40, 25, 10)

QUIET = """
() => new Promise((done) => {
  const plot = document.querySelector(".player-plot");
  let timer;
  const wait = (ms) => { clearTimeout(timer); timer = setTimeout(done, ms); };
  plot.on("plotly_afterplot", () => wait(80));
  wait(250);
})
"""


def main(slugs: Iterable[str] = ()) -> None:
    """Make what is stale, of these terms or of all."""
    terms = load().terms
    wanted = set(slugs)
    forget(terms, stills.FOLDER)
    due = [term for term in stills.stale(terms) if not wanted or term.slug in wanted]
    if not due:
        print("All pictures are as they should be.")
        return
    with _browser() as browser:
        make(due, browser, stills.FOLDER, print)


def make(due: list[Term], browser: "Browser", folder: Path, say: Callable[[str], object]) -> None:
    """Make all pictures of these terms."""
    folder.mkdir(parents=True, exist_ok=True)
    began = time.monotonic()
    page = browser.new_page(viewport={"width": WIDTH, "height": HEIGHT}, device_scale_factor=DENSITY)
    # While Chromium draws one run, the next is computed and the pictures of the one before are made small.
    with ThreadPoolExecutor(1) as computing, ThreadPoolExecutor(1) as saving:
        films = [computing.submit(_film, term) for term in due]
        saved: list[Future[None]] = []
        try:
            for number, (term, film) in enumerate(zip(due, films), start=1):
                saved.append(saving.submit(_save, term, folder, _draw(page, *film.result())))
                say(f"{number}/{len(due)} {term.slug} ({time.monotonic() - began:.0f} s)")
            for one in saved:
                one.result()
        finally:
            computing.shutdown(cancel_futures=True)
            page.close()


def _film(term: Term) -> tuple[str, bytes]:
    """The run with which the page of a term opens: its id, its message for the player."""
    opened = opening(term)
    assert opened is not None, term.slug  # else it would not be stale
    run = Run(*opened).finish()
    if run.failure:
        raise RuntimeError(f"{term.slug}: its opening run fails ({run.failure}): mend the playground")
    return run.id, run.message(0, start=0, hold=True, plotly="", alt="")


def _draw(page: "Page", run: str, message: bytes) -> dict[str, "Image"]:
    """The first frame and the hero of the last one, in light and in dark."""
    made = {}
    for theme in THEMES:
        page.emulate_media(color_scheme=theme)
        if theme == THEMES[0]:
            _show(page, message)
            page.wait_for_selector(f".player[data-run='{run}'][data-done=true]", state="attached")
        made[f"first-{theme}"] = _picture(page)
    page.focus(".player-scrub")
    page.keyboard.press("End")
    for theme in reversed(THEMES):
        page.emulate_media(color_scheme=theme)
        made[f"card-{theme}"] = _picture(page, hero=True)
    return made


def _save(term: Term, folder: Path, drawn: dict[str, "Image"]) -> None:
    for part, picture in drawn.items():
        stills.file(term.slug, f"{part}.webp", folder).write_bytes(webp(picture))
    stills.file(term.slug, "preview.jpg", folder).write_bytes(preview(drawn["first-light"]))
    _remember(folder, stills.hashes(folder) | {term.slug: stills.source(term)})


def _show(page: "Page", message: bytes) -> None:
    """Play a run; the page is made for the first, and has the drawing library then."""
    if page.url != "about:blank":
        page.evaluate(PLAY, base64.b64encode(message).decode())
        return
    with TemporaryDirectory() as temporary:
        file = Path(temporary) / "run.html"
        whole = assemble.standalone(message, "", "", "").decode()
        file.write_text(whole.replace("</style>", f"{STYLE}</style>", 1), encoding="utf-8")
        page.goto(file.as_uri(), wait_until="domcontentloaded")


def _picture(page: "Page", hero: bool = False) -> "Image":
    """What the player shows; of its panels only the hero, if that is wanted."""
    from PIL import Image

    page.evaluate(QUIET)
    shot = page.screenshot(clip=page.evaluate(HERO, AROUND)) if hero else page.locator(".player-plot").screenshot()
    return Image.open(io.BytesIO(shot)).convert("RGB")


def webp(picture: "Image") -> bytes:
    """The picture in at most MOST_WEBP bytes, as sharp as that allows. Raises ValueError if nothing does."""
    for scale, quality in WEBP:
        size = round(picture.width * scale / DENSITY), round(picture.height * scale / DENSITY)
        made = _saved(_scaled(picture, size), "WEBP", quality=quality)
        if len(made) <= MOST_WEBP:
            return made
    raise ValueError(f"a picture of {picture.size} does not fit into {MOST_WEBP} bytes")


def preview(picture: "Image") -> bytes:
    """The picture in the middle of 1200 × 630 pixels, on its own paper, in at most MOST_JPEG bytes."""
    from PIL import Image

    room = PREVIEW[0] - 2 * MARGIN, PREVIEW[1] - 2 * MARGIN
    scale = min(room[0] / picture.width, room[1] / picture.height)
    size = round(picture.width * scale), round(picture.height * scale)
    sheet = Image.new("RGB", PREVIEW, picture.getpixel((0, 0)))
    sheet.paste(_scaled(picture, size), ((PREVIEW[0] - size[0]) // 2, (PREVIEW[1] - size[1]) // 2))
    for quality in JPEG:
        made = _saved(sheet, "JPEG", quality=quality, optimize=True)
        if len(made) <= MOST_JPEG:
            return made
    raise ValueError(f"a preview does not fit into {MOST_JPEG} bytes")


def _scaled(picture: "Image", size: tuple[int, int]) -> "Image":
    from PIL import Image

    return picture.resize(size, Image.Resampling.LANCZOS)


def _saved(picture: "Image", kind: str, **how: Any) -> bytes:
    out = io.BytesIO()
    picture.save(out, kind, **how)
    return out.getvalue()


@contextmanager
def _browser() -> Iterator["Browser"]:
    from playwright.sync_api import sync_playwright

    path = shutil.which("chromium")
    if path is None:
        raise SystemExit("Chromium is missing: install the package chromium to make the pictures")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=FLAGS)
        yield browser
        browser.close()


def forget(terms: list[Term], folder: Path) -> None:
    """Remove the pictures of terms that are gone."""
    made = stills.hashes(folder)
    known = {term.slug for term in terms}
    for slug in made.keys() - known:
        for part in stills.PARTS:
            stills.file(slug, part, folder).unlink(missing_ok=True)
    if made.keys() - known:
        _remember(folder, {slug: source for slug, source in made.items() if slug in known})


def _remember(folder: Path, made: dict[str, str]) -> None:
    text = json.dumps(dict(sorted(made.items())), indent=1)
    (folder / stills.HASHES).write_text(f"{text}\n", encoding="utf-8")


if __name__ == "__main__":
    main(sys.argv[1:])
