"""The rules of the house: who may import what, one palette, clean form, and a new playground is one folder."""

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
from types import FunctionType

import pytest

from glossary import Confusion, Term
from glossary.entries import Asked
from playgrounds.kit import palette
from playgrounds.kit.catalogue import names
from playgrounds.kit.diagrams import Diagrams
from playgrounds.kit.moving import Moving
from playgrounds.kit.still import Still
from templates import new
from tests.short_runs import imported

ROOT = Path(__file__).resolve().parent.parent
CACHES = {"__pycache__", ".pytest_cache", ".ruff_cache", ".mypy_cache", ".hypothesis"}
MADE = {".venv", ".git", "build", "static", "node_modules", *CACHES}
CODE = (
    "classroom/",
    "playgrounds/",
    "pages/",
    "practice/",
    "server/",
    "edition/",
    "glossary/",
    "templates/",
)  # the folders with Python, and app.py
PLACE = "/" + "work" + "/"  # where this was written; it must stand nowhere, here neither
INDEX = re.compile("pypi" + r"\.org|python" + r"hosted\.org|index" + r"[-_]url|--find" + "-links", re.IGNORECASE)
OWN_INDEX = "PIP_INDEX" + "_URL"


@cache
def everything() -> list[Path]:
    """All files of the project, not those that are made."""
    found: list[Path] = []
    for folder, folders, names_ in os.walk(ROOT):
        folders[:] = [name for name in folders if name not in MADE]
        found += [Path(folder, name) for name in names_ if name not in MADE]
    return sorted(found)


def files(pattern: str) -> list[Path]:
    """Those that match, as seen from the project's folder; * stands for slashes, too."""
    return [path for path in everything() if fnmatch(at(path), pattern)]


def python(*folders: str) -> list[Path]:
    return [path for folder in folders for path in files(f"{folder}*.py")]


def code() -> list[Path]:
    """All Python that is not a test."""
    found = [path for path in python(*CODE) if not path.name.startswith("test_")]
    return [*found, ROOT / "app.py"]


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

ROOMS = {  # modules of ours that each room may know, as a pattern
    "classroom/": r"(classroom|playgrounds\.kit)\b",
    "playgrounds/kit/": r"playgrounds\.kit\b",
    "playgrounds/player/": r"playgrounds\.(kit|player)\b",
    "playgrounds/stage/": r"playgrounds\.(kit|player|stage)\b",
    "pages/": r"(pages|classroom|edition|glossary|practice|playgrounds\.(kit|stage))\b",
    "glossary/": r"(glossary|playgrounds\.kit)\b",
    "practice/": r"(practice|glossary|playgrounds\.kit)\b",
    "edition/": r"(edition|glossary|playgrounds\.(kit|player))\b",
    "server/": r"server\b",
}
OURS = re.compile(r"(app|classroom|edition|glossary|pages|playgrounds|practice|server|templates|tests)\b|\.")
KNOW_NO_STREAMLIT = (
    *("classroom/", "playgrounds/kit/", "playgrounds/player/", "glossary/", "practice/", "edition/", "server/"),
)
WITHOUT_STREAMLIT = [*python(*KNOW_NO_STREAMLIT, "playgrounds/_")]
MENDS_STREAMLIT = ROOT / "server" / "outside.py"


def at_run_time(source: str) -> Iterator[str]:
    """The modules that a source imports, those for types only left out."""
    tree = ast.parse(source)
    for_types = [
        node
        for node in ast.walk(tree)
        if isinstance(node, ast.If) and isinstance(node.test, ast.Name) and node.test.id == "TYPE_CHECKING"
    ]
    for node in for_types:
        node.body = [ast.Pass()]
    return imported(ast.unparse(tree))


def test_what_is_imported_for_types_only_is_told_from_what_is_imported():
    source = "import a\nif TYPE_CHECKING:\n    from b import c\ndef f():\n    import d\n"
    assert set(imported(source)) == {"a", "b.c", "d"}
    assert set(at_run_time(source)) == {"a", "d"}


@pytest.mark.parametrize("room", ROOMS)
def test_a_room_knows_those_that_it_stands_on_and_no_other(room):
    assert python(room), f"nothing stands in {room}"
    for path in python(room):
        for module in at_run_time(path.read_text(encoding="utf-8")):
            assert not OURS.match(module) or re.match(ROOMS[room], module), f"{at(path)} imports {module}"


@each(python("playgrounds/"))
def test_for_types_the_stage_may_name_the_glossary_and_nobody_else(path):
    source = path.read_text(encoding="utf-8")
    for module in set(imported(source)) - set(at_run_time(source)):
        ours = module.startswith("glossary") and at(path).startswith("playgrounds/stage/")
        assert ours or module.startswith("playgrounds."), module


@each(WITHOUT_STREAMLIT)
def test_streamlit_is_known_to_the_stage_and_the_pages_only(path):
    for module in imported(path.read_text(encoding="utf-8")):
        assert not module.startswith("streamlit") or path == MENDS_STREAMLIT, module


@each(python("pages/"))
def test_pages_leave_computing_and_drawing_to_the_playgrounds(path):
    for module in imported(path.read_text(encoding="utf-8")):
        assert not re.match(r"torch|sklearn|plotly|numpy", module), module


@each(files("playgrounds/_*.py"))
def test_what_a_family_shares_knows_the_kit_and_others_of_its_kind(path):
    for module in imported(path.read_text(encoding="utf-8")):
        assert not OURS.match(module) or re.match(r"playgrounds\.(kit\b|_)", module), module


def test_the_playgrounds_run_and_are_drawn_where_streamlit_is_not_installed():
    done = subprocess.run([sys.executable, "-c", WITHOUT], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr


@each(python("edition/"))
def test_the_edition_knows_no_server_and_no_stage(path):
    for module in imported(path.read_text(encoding="utf-8")):
        assert not re.match(r"streamlit|pages|server|app$", module), module
        assert not module.startswith("playgrounds") or re.match(r"playgrounds\.(kit|player)\b", module), module


WITHOUT = """
import sys
sys.modules["streamlit"] = None  # as if it were not there
from playgrounds.kit import catalogue
from playgrounds.player import assemble
for name in catalogue.names():
    catalogue.load(name)
one = catalogue.load("mlp")
params = one.Params(epochs=10)
states = list(one.states(params))
assert one.note(params, states, 3) and one.draw(params, states, 3).figure()["data"]
assert assemble.standalone(b"", "a title", "", "")
"""


def test_session_state_stands_in_one_file():
    found = {at(path) for path in code() if "session_state" in path.read_text(encoding="utf-8")}
    assert found == {"playgrounds/stage/session.py"}


FUNCTIONS = {"playgrounds/kit/nn.py": {"tanh", "relu", "sigmoid"}}  # their own names, which terms have as well


@cache
def known() -> set[str]:
    """Names of playgrounds and slugs of terms."""
    course = tomllib.loads((ROOT / "glossary.toml").read_text(encoding="utf-8"))
    return set(names()) | {term["slug"] for term in course["term"]}


@each([*python("playgrounds/stage/", "playgrounds/kit/", "playgrounds/player/", "pages/"), ROOT / "app.py"])
def test_no_playground_and_no_term_is_known_by_name(path):
    found = known().intersection(literals(path.read_text(encoding="utf-8")))
    assert found <= FUNCTIONS.get(at(path), set())


@each([path for room in ("playgrounds/stage", "playgrounds/player", "pages") for path in files(f"{room}/*.[jch]*")])
def test_no_playground_is_known_by_name_in_the_browser(path):
    text = path.read_text(encoding="utf-8")
    assert re.findall(rf"""["'`]({"|".join(sorted(names()))})["'`]""", text) == []


SCRIPT = re.compile(r"=>|\bdocument\.|addEventListener|\bfunction\s*\(")
STYLE = re.compile(r"[{;]\s*[a-z-]+:\s*[^;{}]+;")


@each(python("playgrounds/stage/", "playgrounds/player/", "playgrounds/kit/", "pages/"))
def test_scripts_and_styles_stand_in_files_of_their_own(path):
    for text in literals(path.read_text(encoding="utf-8")):
        assert not SCRIPT.search(text) and not STYLE.search(text), text


def test_a_script_or_a_style_in_a_string_would_be_found():
    assert SCRIPT.search("export default function (component) {}") and SCRIPT.search("(x) => x")
    assert STYLE.search(".a { color: red; }") and not STYLE.search("{name}: {value}; and more")


# ------------------------------------------------------------------------------------------------------ form and files


@pytest.mark.parametrize("command", [["check"], ["format", "--check"]], ids=" ".join)
def test_ruff_has_nothing_to_say(command):
    done = subprocess.run(
        [sys.executable, "-m", "ruff", *command, "--no-cache", "."], cwd=ROOT, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_mypy_has_nothing_to_say():
    done = subprocess.run([sys.executable, "-m", "mypy"], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("document", ["README.md", "CHANGELOG.md"])
def test_every_playground_is_named_where_people_look_for_it(document):
    text = (ROOT / document).read_text(encoding="utf-8")
    assert [name for name in names() if f"`{name}`" not in text] == []


@each(files("requirements*.txt"))
def test_every_requirement_is_pinned(path):
    for line in path.read_text(encoding="utf-8").splitlines():
        assert re.fullmatch(r"[A-Za-z0-9-]+(\[[a-z]+\])?==[0-9][\w.]*|-r requirements\.txt|(#.*)?", line), line


def test_what_the_app_imports_is_required_and_what_is_required_is_imported():
    files = [path for path in code() if path != ROOT / "edition" / "pictures.py"]  # that one never runs in the app
    modules = {module.partition(".")[0] for path in files for module in imported(path.read_text(encoding="utf-8"))}
    modules -= sys.stdlib_module_names | {folder.strip("/") for folder in CODE}
    called = {"scikit-learn": "sklearn", "markdown-it-py": "markdown_it", "mdit-py-plugins": "mdit_py_plugins"}
    lines = (ROOT / "requirements.txt").read_text(encoding="utf-8").split()
    assert modules == {called.get(name, name) for name in (line.partition("==")[0].partition("[")[0] for line in lines)}


def test_no_file_says_where_it_was_written_or_where_packages_come_from():
    own = os.environ.get(OWN_INDEX, "")
    host = own.split("//")[-1].split("@")[-1].split("/")[0]
    for path in everything():
        text = path.read_bytes().decode("utf-8", "replace")
        assert PLACE not in text, at(path)
        assert not INDEX.search(text) and not (host and host in text), at(path)


@each(code())
def test_every_file_says_in_its_first_line_what_it_is_for(path):
    said = ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))) or ""
    assert re.match(r"[A-Z`].{15,}[.:]$", said.partition("\n")[0]), said


# ------------------------------------------------------------------------------------------------ what is said of them

CONTRIBUTING = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")


def test_the_example_of_a_term_is_one():
    in_glossary, in_lesson = re.findall(r"^```toml\n(.*?)^```", CONTRIBUTING, re.DOTALL | re.MULTILINE)
    (term,) = (Term(**entry) for entry in tomllib.loads(in_glossary)["term"])
    lesson = tomllib.loads(in_lesson)
    asked = Asked(**lesson["term"][term.slug])
    assert asked.example and asked.question and asked.exercise and asked.goal and asked.stop, "each kind has an example"
    assert term.slug in Confusion(**lesson["confusion"][0]).terms
    assert len(term.exam.split()) <= 30


@pytest.mark.parametrize("verbs", [Still, Moving, Diagrams], ids=lambda verbs: verbs.__name__.lower())
def test_every_verb_of_a_picture_stands_in_the_table_of_its_words(verbs):
    own = [name for name, is_verb in vars(verbs).items() if isinstance(is_verb, FunctionType) and name[0] != "_"]
    assert [name for name in own if f"`{name}`" not in CONTRIBUTING] == []


def test_every_target_of_the_makefile_is_explained_where_people_look_for_it():
    targets = re.findall(r"^([a-z]+):.*##", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE)
    text = CONTRIBUTING + (ROOT / "README.md").read_text(encoding="utf-8")
    assert [target for target in targets if f"make {target}" not in text and target not in ("help", "clean")] == []


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
    text = (ROOT / "playgrounds" / "player" / "page.html").read_text(encoding="utf-8")
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
    for path in code():
        if path.name != "palette.py":
            found = [
                text for text in literals(path.read_text(encoding="utf-8")) if re.fullmatch(r"#[0-9a-f]{3,8}", text)
            ]
            assert set(found) <= {"#ffffff"}, f"{at(path)}: {found}"  # white: the paper of a QR code


# ---------------------------------------------------------------------------------------------------- one folder more

OPENED = """
import sys
from streamlit.testing.v1 import AppTest
from streamlit.util import calc_hash

app = AppTest.from_file("app.py", default_timeout=60)
app._page_hash = calc_hash("playground-label-smoothing")
app.query_params["eta"] = "9"
app.run()
print([title.value for title in app.title], [one.value for one in app.warning], list(app.exception))
print(app.get_by_key("playground-label-smoothing:player").type)
"""


@pytest.fixture(scope="module")
def copied(tmp_path_factory) -> Path:
    """The project somewhere else, with a new playground from the template."""
    folder = tmp_path_factory.mktemp("copy") / "glossary"
    shutil.copytree(ROOT, folder, ignore=lambda _, entries: (MADE - {"static"}) & set(entries))
    new.make("label_smoothing", folder)
    return folder


def test_a_new_playground_is_a_folder_from_the_template_that_keeps_to_all_that_playgrounds_keep_to(copied):
    tests = [
        "tests/playgrounds/test_contract.py",
        "tests/playgrounds/label_smoothing",
        "tests/playgrounds/kit/test_export.py",
    ]
    command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "-rA", *tests, "-k", "label_smoothing"]
    done = subprocess.run(command, cwd=copied, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.count("PASSED tests/playgrounds/test_contract.py") > 15, done.stdout
    assert done.stdout.count("PASSED tests/playgrounds/label_smoothing") == 4, done.stdout


def test_a_new_playground_is_in_form(copied):
    made = ["playgrounds/label_smoothing", "tests/playgrounds/label_smoothing"]
    for command in (["check"], ["format", "--check"]):
        done = subprocess.run(
            [sys.executable, "-m", "ruff", *command, "--no-cache", *made], cwd=copied, capture_output=True
        )
        assert done.returncode == 0, done.stdout.decode()


def test_a_new_playground_has_a_page_at_once(copied):
    done = subprocess.run([sys.executable, "-c", OPENED], cwd=copied, capture_output=True, text=True)
    assert done.stdout.splitlines() == [
        "['Playground label_smoothing'] ['eta=9 is above 1.2: using 1.2.'] []",
        "bidi_component",
    ], done.stdout + done.stderr


def test_the_template_is_short():
    parts = [(new.TEMPLATE / f"{part}.py").read_text(encoding="utf-8") for part in ("model", "picture")]
    assert len([line for part in parts for line in part.splitlines() if line.strip()]) <= 60


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("", "needs a name"),
        ("LabelSmoothing", "'LabelSmoothing' cannot be"),
        ("label-smoothing", "'label-smoothing' cannot be"),
        ("_label", "'_label' cannot be"),
        ("../label", "'../label' cannot be"),
        ("lambda", "'lambda' cannot be"),
        ("mlp", "playgrounds/mlp is there already"),
        ("kit", "playgrounds/kit is there already"),
        ("attention", "'attention' was a playground of version 0.1.0"),
    ],
)
def test_a_bad_or_taken_name_is_refused_in_one_sentence(name, said):
    problem = new.refusal(name)
    assert said in problem and problem.count(". ") == 0 and problem.endswith("."), problem
    assert new.refusal("label_smoothing") == ""
