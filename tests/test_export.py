"""The code that a reader takes away runs on its own and prints the numbers of the page, to the last digit."""

import ast
import json
import subprocess
import sys
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from types import ModuleType
from typing import Any

import nbformat
import pytest

from playgrounds.kit import Params, catalogue, export
from playgrounds.kit.catalogue import Playground, load
from tests import toy
from tests.test_playgrounds import ODD_TEXTS, imported, three

LINK = "http://localhost:8501/some-page?rate=0.5&text=~eJw-_,"
TOY = Playground("toy", toy, "1")
MAY_IMPORT = {"numpy", "torch", "sklearn"}

every_setting = pytest.mark.parametrize("which", range(3), ids=["defaults", "next choices", "choices before"])
every_playground = pytest.mark.parametrize("name", sorted({"toy", *catalogue.names()}))


def get(name: str, which: int) -> tuple[Playground, Params]:
    """A playground (the tests' own one, too) and one of its short runs."""
    playground = load(name) if name in catalogue.names() else TOY
    return playground, three(playground.Params)[which]


DRIVER = """
import contextlib, io, json, runpy, sys
printed = []
for file in sys.argv[1:]:
    with contextlib.redirect_stdout(io.StringIO()) as out:
        runpy.run_path(file, run_name="__main__")
    printed.append(out.getvalue())
print(json.dumps(printed))
"""


@cache
def printed(name: str) -> list[str]:
    """What the three scripts and the notebook of a playground print, in a Python that knows nothing of this project and
    stands in an empty folder; one Python for the four of them, since it loads torch."""
    codes = [export.script(*get(name, which), "A title", LINK) for which in range(3)]
    codes.append("\n".join(cells(export.ipynb(*get(name, 0), "A title", LINK), "code")))
    with TemporaryDirectory() as folder:
        files = [Path(folder, f"exported_{n}.py") for n in range(len(codes))]
        for file, code in zip(files, codes, strict=True):
            file.write_text(code, encoding="utf-8")
        Path(folder, "driver.py").write_text(DRIVER, encoding="utf-8")
        command = [sys.executable, "-I", "-X", "utf8", "-W", "error::SyntaxWarning", "driver.py", *map(str, files)]
        done = subprocess.run(command, cwd=folder, capture_output=True, timeout=300)
    assert done.returncode == 0, done.stderr.decode()[-2000:]
    return [text.replace("\r\n", "\n") for text in json.loads(done.stdout)]


def cells(source: str, kind: str) -> list[str]:
    book = nbformat.reads(source, as_version=4)
    nbformat.validate(book)
    return [cell["source"] for cell in book["cells"] if cell["cell_type"] == kind]


@every_playground
@every_setting
def test_the_script_prints_the_numbers_of_the_page_to_the_last_digit(name, which):
    playground, params = get(name, which)
    table = export.table(list(playground.states(params)))
    assert table.count("\n") > 1
    assert printed(name)[which] == table


@every_playground
def test_the_notebook_prints_the_same(name):
    assert printed(name)[3] == printed(name)[0]


@every_playground
@every_setting
def test_the_script_needs_the_libraries_of_the_field_and_nothing_of_the_app(name, which):
    playground, params = get(name, which)
    source = export.script(playground, params, "A title", LINK)
    for module in imported(source):
        root = module.partition(".")[0]
        assert root in sys.stdlib_module_names or root in MAY_IMPORT, f"it imports {module}"
    names = {node.id for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Name)}
    assert not {"kit", "knob", "playgrounds", "streamlit", "Figure"} & names
    for word in ("playgrounds", "streamlit", "import kit", "def draw"):
        assert word not in source, f"{word!r} is left in it"


@every_playground
def test_the_script_reads_like_the_playground_with_the_readers_values(name):
    playground, params = get(name, 1)
    source = export.script(playground, params, "A title", LINK)
    tree = ast.parse(source)
    assert ast.get_docstring(tree).startswith("A title") and LINK in ast.get_docstring(tree)
    definitions = {node.name: node for node in tree.body if isinstance(node, ast.ClassDef | ast.FunctionDef)}
    assert {"Params", "State", "run"} <= definitions.keys()
    values = {
        line.target.id: ast.literal_eval(line.value)
        for line in definitions["Params"].body
        if isinstance(line, ast.AnnAssign)
    }
    assert values == params.model_dump()
    run = next(n for n in ast.parse(playground.source).body if isinstance(n, ast.FunctionDef) and n.name == "run")
    assert ast.get_source_segment(playground.source, run) in source, "run is copied as it stands"


@pytest.mark.parametrize(
    "text", [*ODD_TEXTS, "\\", "\\u", "\r\n\t", "\u2028\ufeff", "'", '"', "'''", "x" * 300, "", "# no"]
)
def test_any_text_of_the_reader_survives(text):
    params = toy.Params(steps=0, name=text)
    notebook = cells(export.ipynb(TOY, params, "Toy", LINK), "code")
    for source in (export.script(TOY, params, "Toy", LINK).rpartition("\n\n\n")[0], "\n\n\n".join(notebook[:-1])):
        space: dict[str, Any] = {"__name__": "exported"}
        exec(source, space)
        assert space["Params"]().name == text
        assert [state.letters for state in space["run"](space["Params"]())] == [next(toy.run(params)).letters]


ODD_TITLES = ['The """ and \\ and \\N{x} \\x term', 'ends in a quote"', "ends in \\", "two\nlines", "{braces} %s 👩‍💻"]


@pytest.mark.parametrize("title", ODD_TITLES)
def test_any_title_stands_in_the_script_and_the_notebook(title):
    params = toy.Params(steps=0)
    source = export.script(TOY, params, title, LINK)
    compile(source, "exported", "exec")
    (text,) = cells(export.ipynb(TOY, params, title, LINK), "markdown")
    assert text.startswith(f"# {title}\n")


def test_a_docstring_with_formulas_stays_as_it_is():
    about = 'Steps of size $\\eta \\nabla L$, with \\usepackage and """three quotes""".\n\nLeft out: \\xi.'
    module = ModuleType("tests.toy")
    module.__dict__.update(vars(toy) | {"__doc__": about})
    source = export.script(Playground("toy", module, "1"), toy.Params(), "Toy", LINK)
    found = ast.get_docstring(ast.parse(source))
    assert about.replace('"""', "'''") in found.replace('"""', "'''")


@every_playground
def test_the_notebook_says_what_it_is_and_is_the_same_file_every_time(name):
    playground, params = get(name, 0)
    book = export.ipynb(playground, params, "A title", LINK)
    assert book == export.ipynb(playground, params, "A title", LINK)
    (text,) = cells(book, "markdown")
    assert text.startswith("# A title\n") and LINK in text and playground.about.partition("\n")[0] in text
    assert all(code.strip() and not code.startswith('"""') for code in cells(book, "code"))


@every_playground
def test_each_file_is_parsed_once_for_an_export(name, monkeypatch):
    parsed: list[str] = []
    parse = ast.parse
    monkeypatch.setattr(ast, "parse", lambda source, *more, **options: parsed.append(source) or parse(source))
    export.script(*get(name, 0), "A title", LINK)
    again = len(parsed) - len(set(parsed))
    assert not again, f"{again} times a file was parsed that was parsed before: the Code tab waits for it"


def test_the_table_has_a_line_per_state_with_all_digits():
    states = list(toy.run(toy.Params(steps=2)))
    lines = [f"{s.step},{s.place!r},{s.letters}" for s in states]
    assert export.table(states) == "\n".join(["step,place,letters", *lines, ""])
    assert float(export.table(states).split("\n")[2].split(",")[1]) == states[1].place
    assert export.table([]) == ""
