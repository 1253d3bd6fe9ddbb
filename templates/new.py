"""A new playground from the template, with its test: `make new NAME=label_smoothing`."""

import keyword
import re
import sys
import tomllib
from pathlib import Path

TEMPLATE = Path(__file__).resolve().parent / "playground"
ROOT = TEMPLATE.parent.parent
NAME = "NAME"  # stands in the template for the new one's


def refusal(name: str, root: Path = ROOT) -> str:
    """What is wrong with a name for a new playground, in one sentence; "" if nothing is."""
    if not name:
        return "A playground needs a name: make new NAME=label_smoothing."
    if not re.fullmatch(r"[a-z][a-z0-9]*(_[a-z0-9]+)*", name) or keyword.iskeyword(name):
        return f"{name!r} cannot be a playground's name: write small letters, digits and _, as in label_smoothing."
    if any(path.exists() for path in (root / "playgrounds" / name, root / "playgrounds" / f"{name}.py")):
        return f"playgrounds/{name} is there already: choose another name."
    if (root / "tests" / "playgrounds" / name).exists():
        return f"tests/playgrounds/{name} is there already: choose another name."
    if name in tomllib.loads((root / "playgrounds" / "moved.toml").read_text(encoding="utf-8")):
        return f"{name!r} was a playground of version 0.1.0, to which old links lead: choose another name."
    return ""


def make(name: str, root: Path = ROOT) -> list[Path]:
    """Write the files of a new playground and its test; returns them."""
    made = []
    for source in sorted(TEMPLATE.glob("*.py")):
        is_test = source.name.startswith("test_")
        target = root / ("tests/playgrounds" if is_test else "playgrounds") / name / source.name
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(_named(source.read_text(encoding="utf-8"), name), encoding="utf-8")
        made.append(target)
    return made


def _named(text: str, name: str) -> str:
    """The text with the new name in it, imports in their order."""
    lines = re.sub(rf"\b{NAME}\b", name, text).split("\n")
    ours = [i for i, line in enumerate(lines) if line.startswith("from playgrounds")]
    for i, line in zip(ours, sorted((lines[i] for i in ours), key=lambda line: line.split()[1]), strict=True):
        lines[i] = line
    return "\n".join(lines)


def main(name: str) -> int:
    if problem := refusal(name):
        print(problem)
        return 1
    for path in make(name):
        print(path.relative_to(ROOT).as_posix())
    print(f"\nIt runs: make run, then open /playground-{name.replace('_', '-')}.")
    print(f"Its tests: make test TESTS='tests/playgrounds -k {name}'.")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1] if len(sys.argv) > 1 else ""))
