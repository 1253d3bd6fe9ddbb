"""Which playgrounds there are: the .py files of the folder above, loaded when they are first asked for."""

import hashlib
import importlib
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from types import ModuleType
from typing import Any

from playgrounds.kit.conditions import Preset
from playgrounds.kit.figures import Figure
from playgrounds.kit.film import metric_names
from playgrounds.kit.params import Params

FOLDER = Path(__file__).resolve().parent.parent


@dataclass(frozen=True)
class Playground:
    """A playground's file and the names in it that the rest of the app uses."""

    name: str
    module: ModuleType
    digest: str  # of its source and of the kit it stands on

    @property
    def Params(self) -> type[Params]:
        return self.module.Params

    @property
    def run(self) -> Callable[[Any], Iterator[Any]]:
        """Yields the states, and None where there is nothing to see yet but time may be up."""
        return self.module.run

    def states(self, params: Params) -> Iterator[Any]:
        """The states of a run, computed in one go."""
        return (state for state in self.run(params) if state is not None)

    @property
    def draw(self) -> Callable[[Any, Sequence[Any], int], Figure]:
        return self.module.draw

    @property
    def metrics(self) -> list[str]:
        return metric_names(self.module.State)

    @property
    def presets(self) -> tuple[Preset, ...]:
        """Its named runs, good ones and bad ones."""
        return getattr(self.module, "PRESETS", ())

    @property
    def about(self) -> str:
        """The module's docstring: what the reader sees, what it leaves out."""
        return (self.module.__doc__ or "").strip()

    @property
    def source(self) -> str:
        return Path(self.module.__file__).read_text(encoding="utf-8")


def names() -> list[str]:
    """All playgrounds, sorted."""
    return sorted(path.stem for path in FOLDER.glob("*.py") if not path.stem.startswith("_"))


def load(name: str) -> Playground:
    """The playground of that name. Raises KeyError if there is no such file."""
    module = sys.modules.get(f"playgrounds.{name}")
    if module is None:
        if name not in names():
            raise KeyError(name)
        module = importlib.import_module(f"playgrounds.{name}")
    return Playground(name, module, _digest(module))


@lru_cache(maxsize=256)
def _digest(module: ModuleType) -> str:
    """Of a module as it was loaded: an edited file is a new module object, and so a new digest."""
    files = [Path(module.__file__), *sorted((FOLDER / "kit").glob("*.py"))]
    return hashlib.sha256(b"".join(path.read_bytes() for path in files)).hexdigest()[:12]
