"""The code that ran, as one file that runs on its own: the playground's own source with the reader's values.

From `run`, every name it needs is followed through the playground's file and through the kit, and the source of each is
copied as it stands. Only Params is rewritten, to a NamedTuple of the reader's values, so that the file needs no more
than the standard library, numpy, torch and scikit-learn.
"""

import ast
import builtins
import csv
import importlib
import io
import sys
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from types import ModuleType
from typing import Any

import nbformat.v4 as notebook

from playgrounds.kit.catalogue import Playground
from playgrounds.kit.film import label
from playgrounds.kit.metrics import Metric, declared, metrics
from playgrounds.kit.params import Params

CARRIED = ("playgrounds.kit.", "playgrounds._")  # modules whose names are copied; all others are imported
ONLY_IN_APP = {"Params", "kit", "knob", "Metric", "Annotated"}

LATER = "from __future__ import annotations  # a type may be defined below the function that names it"


@dataclass
class _Needed:
    """What has been found to be needed so far, in the order in which it must stand."""

    imports: dict[str, set[str]] = field(default_factory=dict)  # module ("" for plain imports): what of it
    pieces: dict[tuple[str, int], str] = field(default_factory=dict)  # (module, line): source
    homes: dict[str, tuple[str, str]] = field(default_factory=dict)  # of names: the module, the meaning


def script(playground: Playground, params: Params, title: str, link: str) -> str:
    """The export as a .py file; run, it prints the metrics of every state as CSV."""
    about, *parts = _parts(playground, params, title, link)
    escaped = about.replace("\\", "\\\\").replace('"', '\\"') if '"""' in about or "\\" in about else about
    return "\n\n\n".join([f'"""{escaped}"""', *filter(None, parts)]) + "\n"


def ipynb(playground: Playground, params: Params, title: str, link: str) -> str:
    """The export as a Jupyter notebook, one cell per part."""
    about, *parts = _parts(playground, params, title, link)
    cells = [notebook.new_markdown_cell(f"# {about}")]
    cells += [notebook.new_code_cell(part) for part in parts if part]
    cells += [notebook.new_markdown_cell("## The run, step by step"), notebook.new_code_cell(_plot(playground))]
    for number, cell in enumerate(cells):
        cell["id"] = f"part-{number}"  # nbformat's own are random: the same run shall give the same file
    made = notebook.new_notebook(cells=cells)
    made["metadata"]["kernelspec"] = {"name": "python3", "display_name": "Python 3", "language": "python"}
    return notebook.writes_json(made)


def _states(needed: _Needed) -> str:
    """How the exported code calls `run`: some models yield None between states, to give others a turn."""
    some = any("yield None" in piece for piece in needed.pieces.values())
    return "[state for state in run(Params()) if state is not None]" if some else "list(run(Params()))"


def _plot(playground: Playground) -> str:
    """A cell that draws every metric against the steps."""
    named = ", ".join(f'"{name}": "{metric.label}"' for name, metric in playground.metrics.items())
    return "\n".join(
        [
            "import matplotlib.pyplot as plt",
            "",
            f"metrics = {{{named}}}",
            'steps = [getattr(state, "step", i) for i, state in enumerate(states)]',
            "figure, axes = plt.subplots(len(metrics), figsize=(8, 2.4 * len(metrics)), sharex=True, squeeze=False)",
            "for (name, label), ax in zip(metrics.items(), axes[:, 0]):",
            "    values = [getattr(state, name) for state in states]",
            '    ax.plot(steps, [float("nan") if value is None else value for value in values])',
            "    ax.set_ylabel(label)",
            'ax.set_xlabel("step")',
            "plt.show()",
        ]
    )


def table(states: list[Any]) -> str:
    """The metrics of all states as CSV, as the exported script prints them: floats with all their digits."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    if states:
        writer.writerow(["step", *metrics(states[0])])
        writer.writerows([label(s, i), *(repr(v) for v in _plain(metrics(s)).values())] for i, s in enumerate(states))
    return out.getvalue()


def _plain(values: dict[str, Any]) -> dict[str, Any]:
    return {name: value.item() if hasattr(value, "item") else value for name, value in values.items()}


def _parts(playground: Playground, params: Params, title: str, link: str) -> list[str]:
    """What it is, then the code: imports, Params, each definition, the call."""
    needed = _Needed()
    own = playground.model.__name__
    for name in ("State", "run"):
        _follow(own, name, needed)
    needed.pieces |= {
        at: _state(playground, source) for at, source in needed.pieces.items() if _is_state(at, source, own)
    }
    params_source = _params(playground, params, needed)
    ordered = sorted(needed.pieces, key=lambda at: (at[0] == own, _height(at[0]), at))
    needed.imports.setdefault("typing", set()).add("NamedTuple")
    about = f"{title}\n\nThe code that ran, with your values. {playground.about}\n\nSee it move: {link}\n"
    names = ", ".join(f'"{name}"' for name in playground.metrics)
    call = [
        f"states = {_states(needed)}",
        f'print("step", {names}, sep=",")',
        "for i, state in enumerate(states):",
        f'    print(getattr(state, "step", i), *(_number(getattr(state, name)) for name in [{names}]), sep=",")',
    ]
    number = "def _number(value):\n    return repr(value.item() if hasattr(value, 'item') else value)"
    return [
        about,
        _imports(needed.imports),
        params_source,
        *(needed.pieces[at] for at in ordered),
        number,
        "\n".join(call),
    ]


def _imports(imports: dict[str, set[str]]) -> str:
    """Import statements, the standard library's first."""
    plain = [f"import {one}" for one in imports.get("", ())]
    listed = [f"from {module} import {', '.join(sorted(of))}" for module, of in imports.items() if module]
    ordered = sorted(plain + listed, key=lambda one: (one.split()[1].split(".")[0] not in sys.stdlib_module_names, one))
    return "\n".join([LATER, *ordered])


def _params(playground: Playground, params: Params, needed: _Needed) -> str:
    """Params as a NamedTuple: a line per knob with the reader's value, then the class's own methods as they stand."""
    lines = ["class Params(NamedTuple):"]
    for name, one in params.knobs().items():
        value = getattr(params, name)
        about = one.label + (f": {one.help}" if one.help else "")
        lines.append(f"    {name}: {type(value).__name__} = {value!r}  # {about}".replace("\n", " "))
    tree, source = _parse(playground.model.__name__)
    definition = next(node for node in tree.body if isinstance(node, ast.ClassDef) and node.name == "Params")
    for node in definition.body:
        if isinstance(node, ast.FunctionDef) and not _is_validator(node):
            lines += ["", _source(node, source)]
            for name in _names(node):
                _follow(playground.model.__name__, name, needed)
    return "\n".join(lines)


def _is_state(at: tuple[str, int], source: str, own: str) -> bool:
    return at[0] == own and source.startswith("class State(")


def _state(playground: Playground, source: str) -> str:
    """State with plain types; what its metrics are called stands behind them."""
    told = declared(playground.State)
    lines = source.splitlines()
    declarations = [node for node in ast.walk(ast.parse(source)) if isinstance(node, ast.AnnAssign)]
    for node in reversed(declarations):
        match node:
            case ast.AnnAssign(ast.Name(name), ast.Subscript(slice=ast.Tuple([kind, *_]))) if name in told:
                value = f" = {ast.unparse(node.value)}" if node.value else ""
                line = f"    {name}: {ast.unparse(kind)}{value}  # {_about(told[name])}"
                lines[node.lineno - 1 : node.end_lineno] = [line]
    return "\n".join(lines)


def _about(metric: Metric) -> str:
    return metric.label + {"%": ", a share", "count": "", "": ""}.get(metric.unit, f", in {metric.unit}")


def _is_validator(node: ast.FunctionDef) -> bool:
    return any("validator" in ast.unparse(decorator) for decorator in node.decorator_list)


def _follow(module: str, name: str, needed: _Needed) -> None:
    """Add what `name` means in `module`, and all that this needs in turn."""
    if name in ONLY_IN_APP or hasattr(builtins, name):
        return
    tree, source = _parse(module)
    for node in tree.body:
        if isinstance(node, ast.Import | ast.ImportFrom):
            for alias in node.names:
                if (alias.asname or alias.name.split(".")[0]) == name:
                    _follow_import(node, alias, name, needed)
        elif name in _bound(node) and (module, node.lineno) not in needed.pieces:
            _no_other(name, module, ast.dump(node), needed)
            needed.pieces[module, node.lineno] = _source(node, source)
            for other in _names(node):
                _follow(module, other, needed)


def _no_other(name: str, module: str, meaning: str, needed: _Needed) -> None:
    """Raises ValueError if the name means something else in another of the modules that are copied."""
    home, known = needed.homes.setdefault(name, (module, meaning))
    if home != module and known != meaning:
        raise ValueError(f"{name} of {module} and of {home} would be one in the export: rename one")


def _follow_import(node: ast.Import | ast.ImportFrom, alias: ast.alias, name: str, needed: _Needed) -> None:
    if isinstance(node, ast.ImportFrom) and f"{node.module}.".startswith(CARRIED):
        if alias.asname and alias.asname != alias.name:
            raise ValueError(f"{node.module}.{alias.name} must keep its name: the export copies it")
        _follow(node.module or "", name, needed)
        return
    renamed = f" as {alias.asname}" if alias.asname else ""
    module = (node.module or "") if isinstance(node, ast.ImportFrom) else ""
    needed.imports.setdefault(module, set()).add(alias.name + renamed)


def _height(module: str) -> int:
    """How many carried modules stand on each other below this one: what it is made of comes first."""
    tree, _ = _parse(module)
    froms = [node.module or "" for node in tree.body if isinstance(node, ast.ImportFrom)]
    return max((1 + _height(one) for one in froms if f"{one}.".startswith(CARRIED)), default=0)


def _bound(node: ast.stmt) -> set[str]:
    """The names that a top-level statement gives a value."""
    if isinstance(node, ast.FunctionDef | ast.ClassDef):
        return {node.name}
    if isinstance(node, ast.Assign | ast.AnnAssign):
        targets = node.targets if isinstance(node, ast.Assign) else [node.target]
        return {n.id for t in targets for n in ast.walk(t) if isinstance(n, ast.Name)}
    return set()


def _names(node: ast.AST) -> list[str]:
    """The names that a statement reads and does not itself give a value, in order."""
    names = [n for n in ast.walk(node) if isinstance(n, ast.Name)]
    own = {n.id for n in names if not isinstance(n.ctx, ast.Load)}
    own |= {n.arg for n in ast.walk(node) if isinstance(n, ast.arg)}
    return list(dict.fromkeys(n.id for n in names if n.id not in own))


def _source(node: Any, source: str) -> str:
    """The lines of a statement as they stand, comments and decorators included."""
    first = min([node.lineno, *(d.lineno for d in getattr(node, "decorator_list", []))])
    return "\n".join(source.splitlines()[first - 1 : node.end_lineno])


def _parse(module: str) -> tuple[ast.Module, str]:
    return _parse_loaded(importlib.import_module(module))


@lru_cache(maxsize=64)
def _parse_loaded(module: ModuleType) -> tuple[ast.Module, str]:
    """Of a module as it was loaded: an edited file is a new module object."""
    if module.__file__ is None:
        raise ValueError(f"{module.__name__} has no file that could be copied")
    source = Path(module.__file__).read_text(encoding="utf-8")
    return ast.parse(source), source
