"""The rules of the house: who may import what, one palette, clean form, and a new playground is one file."""

import ast
import os
import re
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from fnmatch import fnmatch
from functools import cache
from pathlib import Path

import pytest

import glossary
from playgrounds.kit import palette
from playgrounds.kit.catalogue import names
from tests.test_playgrounds import imported

ROOT = Path(__file__).resolve().parent.parent
MADE = {".venv", ".git", "build", "static", "__pycache__", ".pytest_cache", ".ruff_cache", ".hypothesis"}
PLACE = "/" + "work" + "/"  # where this was written; it must stand nowhere, here neither
INDEX = re.compile("pypi" + r"\.org|python" + r"hosted\.org|index" + r"[-_]url|--find" + "-links", re.IGNORECASE)
OWN_INDEX = "PIP_INDEX" + "_URL"


@cache
def everything() -> list[Path]:
    """All files of the project, not those that are made."""
    found: list[Path] = []
    for folder, folders, names_ in os.walk(ROOT):
        folders[:] = [name for name in folders if name not in MADE]
        found += [Path(folder, name) for name in names_]
    return sorted(found)


def files(pattern: str) -> list[Path]:
    """Those that match, as seen from the project's folder; * stands for slashes, too."""
    return [path for path in everything() if fnmatch(at(path), pattern)]


def python(*folders: str) -> list[Path]:
    return [path for folder in folders for path in files(f"{folder}*.py")]


def at(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def each(paths: list[Path]) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("path", paths, ids=at)


def literals(source: str) -> Iterator[str]:
    """The strings in a source that are not documentation."""
    tree = ast.parse(source)
    documented = ast.Module | ast.ClassDef | ast.FunctionDef
    docstrings = {
        id(node.body[0].value)
        for node in ast.walk(tree)
        if isinstance(node, documented) and node.body and isinstance(node.body[0], ast.Expr)
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in docstrings:
            yield node.value


# ----------------------------------------------------------------------------------------------- who may know of whom


@each(python("playgrounds/kit/"))
def test_the_kit_knows_neither_streamlit_nor_what_stands_on_it(path):
    for module in imported(path.read_text(encoding="utf-8")):
        assert not re.match(r"streamlit|pages|glossary|app$|\.", module), module
        assert not module.startswith("playgrounds") or module.startswith("playgrounds.kit"), module


@each(python("playgrounds/stage/"))
def test_the_stage_knows_the_kit_and_no_page_and_no_playground(path):
    for module in imported(path.read_text(encoding="utf-8")):
        assert not re.match(r"pages|glossary|app$|\.", module), module
        assert not module.startswith("playgrounds") or re.match(r"playgrounds\.(kit|stage)\b", module), module


@each(python("pages/"))
def test_pages_open_playgrounds_through_the_stage_only(path):
    for module in imported(path.read_text(encoding="utf-8")):
        assert not re.match(r"torch|sklearn|plotly|app$", module), module
        assert not module.startswith("playgrounds") or re.match(r"playgrounds\.(kit|stage)\b", module), module


@each(python("server/"))
def test_the_server_knows_nothing_of_what_it_serves(path):
    """Streamlit neither, but for the one file that mends it."""
    for module in imported(path.read_text(encoding="utf-8")):
        assert not re.match(r"pages|glossary|playgrounds|app$", module), module
        assert not module.startswith("streamlit") or path.name == "outside.py", module


@each(python("edition/"))
def test_the_edition_knows_no_server_and_no_stage(path):
    for module in imported(path.read_text(encoding="utf-8")):
        assert not re.match(r"streamlit|pages|server|app$", module), module
        assert not module.startswith("playgrounds") or re.match(r"playgrounds\.(kit|player)\b", module), module


def test_session_state_stands_in_the_stage_only():
    found = {at(path) for path in python("") if "session_state" in path.read_text(encoding="utf-8")}
    assert {path for path in found if not path.startswith(("playgrounds/stage/", "tests/"))} == set()


@each([*python("playgrounds/stage/", "playgrounds/kit/", "pages/"), ROOT / "app.py", ROOT / "glossary.py"])
def test_no_playground_and_no_term_is_known_by_name(path):
    known = set(names()) | {term.slug for term in glossary.load().terms}
    assert known.isdisjoint(literals(path.read_text(encoding="utf-8")))


@each(files("playgrounds/stage/*.[jch]*"))
def test_no_playground_is_known_by_name_to_the_player(path):
    text = path.read_text(encoding="utf-8")
    assert not [name for name in names() if re.search(rf"\b{name}\b", text)]


# ------------------------------------------------------------------------------------------------------ form and files


@pytest.mark.parametrize("command", [["check"], ["format", "--check"]], ids=" ".join)
def test_ruff_has_nothing_to_say(command):
    done = subprocess.run(
        [sys.executable, "-m", "ruff", *command, "--no-cache", "."], cwd=ROOT, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("document", ["README.md", "CHANGELOG.md"])
def test_every_playground_is_named_where_people_look_for_it(document):
    text = (ROOT / document).read_text(encoding="utf-8")
    assert [name for name in names() if f"`{name}`" not in text] == []


@each(files("requirements*.txt"))
def test_every_requirement_is_pinned(path):
    for line in path.read_text(encoding="utf-8").splitlines():
        assert re.fullmatch(r"[A-Za-z0-9-]+==[0-9][\w.]*|-r requirements\.txt|(#.*)?", line), line


def test_what_the_app_imports_is_required_and_what_is_required_is_imported():
    app = [*python("playgrounds/", "pages/", "server/", "edition/"), ROOT / "app.py", ROOT / "glossary.py"]
    app.remove(ROOT / "edition" / "pictures.py")  # never runs in the app
    modules = {module.partition(".")[0] for path in app for module in imported(path.read_text(encoding="utf-8"))}
    modules -= sys.stdlib_module_names | {"playgrounds", "pages", "server", "edition", "glossary"}
    called = {"scikit-learn": "sklearn", "markdown-it-py": "markdown_it", "mdit-py-plugins": "mdit_py_plugins"}
    lines = (ROOT / "requirements.txt").read_text(encoding="utf-8").split()
    assert modules == {called.get(name, name) for name in (line.partition("==")[0] for line in lines)}


def test_no_file_says_where_it_was_written_or_where_packages_come_from():
    own = os.environ.get(OWN_INDEX, "")
    host = own.split("//")[-1].split("@")[-1].split("/")[0]
    for path in everything():
        text = path.read_bytes().decode("utf-8", "replace")
        assert PLACE not in text, at(path)
        assert not INDEX.search(text) and not (host and host in text), at(path)


@each([*python("playgrounds/", "pages/", "server/"), ROOT / "app.py", ROOT / "glossary.py"])
def test_every_file_says_in_its_first_line_what_it_is_for(path):
    said = ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))) or ""
    assert re.match(r"[A-Z`].{15,}[.:]$", said.partition("\n")[0]), said


# --------------------------------------------------------------------------------------------------- settings, colours

CONFIG = tomllib.loads((ROOT / ".streamlit" / "config.toml").read_text(encoding="utf-8"))


def test_streamlit_does_not_collect_all_garbage_after_every_rerun_and_serves_our_files_only():
    assert CONFIG["runner"]["postScriptGC"] is False
    assert CONFIG["server"]["enableStaticServing"] is True
    assert CONFIG["server"]["maxUploadSize"] == 1
    assert CONFIG["browser"]["gatherUsageStats"] is False
    assert CONFIG["client"]["showErrorDetails"] == "none"


@pytest.mark.parametrize("theme", palette.THEMES)
def test_the_pages_have_the_colours_of_the_figures(theme):
    ours, theirs = palette.THEMES[theme], CONFIG["theme"][theme]
    assert (theirs["backgroundColor"], theirs["textColor"]) == (ours[palette.PAPER], ours[palette.INK])
    assert theirs["borderColor"] == ours[palette.FAINT]


@pytest.mark.parametrize("theme", palette.THEMES)
def test_a_downloaded_run_has_the_colours_of_the_pages(theme):
    text = (ROOT / "playgrounds" / "stage" / "standalone.html").read_text(encoding="utf-8")
    for colour in (palette.PAPER, palette.INK):
        assert palette.THEMES[theme][colour] in text


def luminance(colour: str) -> float:
    """Relative luminance of #rrggbb as WCAG 2 defines it."""
    channels = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(a: str, b: str) -> float:
    dark, light = sorted((luminance(a), luminance(b)))
    return (light + 0.05) / (dark + 0.05)


def test_contrast_is_computed_as_wcag_says():
    assert contrast("#000000", "#ffffff") == pytest.approx(21)
    assert contrast("#777777", "#ffffff") == pytest.approx(4.48, abs=0.005)
    assert contrast("#ffffff", "#ffffff") == 1


@pytest.mark.parametrize("theme", palette.THEMES)
@pytest.mark.parametrize("colour", [palette.INK, palette.MUTED], ids=["ink", "muted"])
def test_words_stand_out_from_the_page(theme, colour):
    colours = palette.THEMES[theme]
    assert contrast(colours[colour], colours[palette.PAPER]) >= 4.5
    assert contrast(colours[colour], palette.SCALES[theme]["diverging"][1]) >= 4.5, "on a field's neutral, too"


@pytest.mark.parametrize("theme", palette.THEMES)
@pytest.mark.parametrize("colour", dict.fromkeys([palette.BLUE, palette.ORANGE, *palette.SERIES]))
def test_classes_and_series_stand_out_from_the_page(theme, colour):
    assert contrast(colour, palette.THEMES[theme][palette.PAPER]) >= 3


@pytest.mark.parametrize("theme", palette.THEMES)
@pytest.mark.parametrize("key", ["primaryColor", "linkColor"])
def test_links_stand_out_from_the_page(theme, key):
    assert contrast(CONFIG["theme"][theme][key], palette.THEMES[theme][palette.PAPER]) >= 4.5


def seen_without(cone: str, colour: str) -> tuple[float, ...]:
    """Linear RGB as a dichromat sees it (Viénot, Brettel and Mollon 1999)."""
    r, g, b = (((int(colour[i : i + 2], 16) / 255 + 0.055) / 1.055) ** 2.4 for i in (1, 3, 5))
    if cone == "L":
        return 0.11238 * r + 0.88762 * g, 0.11238 * r + 0.88762 * g, 0.00401 * r - 0.00401 * g + b
    return 0.29275 * r + 0.70725 * g, 0.29275 * r + 0.70725 * g, -0.02234 * r + 0.02234 * g + b


@pytest.mark.parametrize("cone", ["L", "M"])
def test_the_two_classes_differ_for_readers_who_lack_a_cone(cone):
    blue, orange = seen_without(cone, palette.BLUE), seen_without(cone, palette.ORANGE)
    assert max(abs(a - b) for a, b in zip(blue, orange, strict=True)) > 0.3


def test_no_python_file_but_the_palette_has_a_colour_of_its_own():
    for path in [*python("playgrounds/", "pages/", "server/"), ROOT / "app.py", ROOT / "glossary.py"]:
        if path.name != "palette.py":
            found = [
                text for text in literals(path.read_text(encoding="utf-8")) if re.fullmatch(r"#[0-9a-f]{3,8}", text)
            ]
            assert set(found) <= {"#ffffff"}, f"{at(path)}: {found}"  # white: the paper of a QR code


# ------------------------------------------------------------------------------------------------------ one file more

OPENED = """
import sys
from streamlit.testing.v1 import AppTest
from streamlit.util import calc_hash

app = AppTest.from_file("app.py", default_timeout=60)
app._page_hash = calc_hash("playground-toy")
app.query_params["rate"] = "9"
app.run()
print([title.value for title in app.title], [one.value for one in app.warning], list(app.exception))
print(app.get_by_key("playground-toy:player").type, app.select_slider(key="playground-toy:knob:rate").value)
"""


def test_a_new_playground_takes_one_file_and_no_other_change(tmp_path):
    copied = tmp_path / "glossary"
    shutil.copytree(ROOT, copied, ignore=lambda _, entries: (MADE - {"static"}) & set(entries))
    shutil.copy(ROOT / "tests" / "toy.py", copied / "playgrounds" / "toy.py")

    tests = ["tests/test_playgrounds.py", "tests/test_film.py", "tests/test_params.py", "tests/test_export.py"]
    command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "-rA", "--durations=0", *tests, "-k", "[toy]"]
    done = subprocess.run(command, cwd=copied, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.count("PASSED tests/test_playgrounds.py") > 15, done.stdout

    done = subprocess.run([sys.executable, "-c", OPENED], cwd=copied, capture_output=True, text=True)
    assert done.stdout.splitlines() == [
        "['Playground toy'] ['rate=9 is above 1.1: using 1.1.'] []",
        "bidi_component 1.1",
    ], done.stdout + done.stderr
