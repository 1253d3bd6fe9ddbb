"""The JavaScript: its types, its own tests under node, and the player's modules as they are joined to one script."""

import os
import re
import shutil
import subprocess
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import pytest

from playgrounds.player import assemble

HERE = Path(__file__).resolve().parent / "javascript"
DECLARED = re.compile(
    r"^(?:export )?(?:async )?(?:function\*?|class|const|let|var) (\w+|\{[^}]*\}|\[[^\]]*\])", re.MULTILINE
)
IMPORTED = re.compile(r'^import .*? from "\./(\w+)\.js";', re.MULTILINE | re.DOTALL)


def run(*command: str | Path, folder: Path = HERE) -> None:
    """Run a program of node's and show what it says if it fails. Where it is missing: skip, or fail if CI=true."""
    program, *arguments = map(str, command)
    found = shutil.which(program)
    if found is None:
        if os.environ.get("CI") == "true":
            pytest.fail(f"{program} is missing: the JavaScript cannot be checked")
        pytest.skip(f"{program} is missing: install Node.js 20.19 or newer to check the JavaScript")
    done = subprocess.run([found, *arguments], cwd=folder, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.fixture(scope="session")
def tsc() -> Path:
    """TypeScript's compiler, installed if it is not there."""
    place = HERE / "node_modules" / ".bin" / "tsc"
    if not place.exists():
        run("npm", "install", "--no-audit", "--no-fund", "--silent")
    return place


def test_the_types_fit(tsc):
    run("node", tsc.resolve(), "-p", ".")


def test_the_pure_parts_do_what_they_say():
    run("node", "--test", *sorted(str(path) for path in HERE.glob("*.test.js")))


# ---------------------------------------------------------------------------------------------------- joined modules


def declared(script: str) -> list[str]:
    """The names that a script declares outside of all functions and classes."""
    return [name for found in DECLARED.findall(script) for name in re.findall(r"\w+", found)]


def before_their_imports(modules: Sequence[str], imports: dict[str, list[str]]) -> list[str]:
    """The modules that do not stand behind all that they import."""
    return [name for at, name in enumerate(modules) if not set(imports[name]) <= set(modules[:at])]


def imports_of(name: str) -> list[str]:
    return IMPORTED.findall((assemble.HERE / f"{name}.js").read_text(encoding="utf-8"))


def test_no_name_is_declared_twice_in_the_joined_script():
    names = Counter(declared(assemble.component()))
    assert {"Player", "Film", "Painter", "PALETTE", "readable"} <= names.keys()
    assert [name for name, times in names.items() if times > 1] == []


def test_a_name_that_is_declared_twice_would_be_found():
    script = "const A = 1;\nexport function b() {\n  const A = 2;\n}\nlet { c, A } = b();\nasync function d() {}\n"
    assert declared(script) == ["A", "b", "c", "A", "d"]


def test_every_module_is_joined_after_those_that_it_imports():
    modules = [*assemble.MODULES, "component"]
    assert before_their_imports(modules, {name: imports_of(name) for name in modules}) == []
    assert before_their_imports(["a", "b"], {"a": ["b"], "b": []}) == ["a"]


def test_every_module_of_the_player_is_joined():
    assert {path.stem for path in assemble.HERE.glob("*.js")} == {*assemble.MODULES, "component", "loop"}


def test_nothing_is_left_of_the_modules_in_the_joined_script():
    script = assemble.component()
    assert re.findall(r"^import .*|^export (?!default).*|__[A-Z]+__", script, re.MULTILINE) == []


@pytest.mark.parametrize("joined", [assemble.component, assemble.javascript])
def test_the_joined_script_can_be_read(joined, tmp_path):
    (tmp_path / "joined.mjs").write_text(joined(), encoding="utf-8")
    run("node", "--check", "joined.mjs", folder=tmp_path)
