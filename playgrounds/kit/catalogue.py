"""Which playgrounds there are: the folders above with a model.py, loaded when they are first asked for."""

import hashlib
import importlib
import inspect
import sys
from collections.abc import Callable, Generator, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

from playgrounds.kit import params as kit_params
from playgrounds.kit.conditions import Preset
from playgrounds.kit.metrics import Metric, declared
from playgrounds.kit.picture import Picture

FOLDER = Path(__file__).resolve().parent.parent


@dataclass(frozen=True)
class Playground:
    """A playground's two files, and the names in them that the rest of the app uses."""

    name: str
    model: ModuleType | SimpleNamespace  # Params, State, run
    picture: ModuleType | SimpleNamespace  # note, draw, PRESETS
    about: str  # what the reader sees, what it leaves out
    digest: str  # of its source and of all that it stands on

    @property
    def Params(self) -> type[kit_params.Params]:
        return self.model.Params

    @property
    def State(self) -> type:
        return self.model.State

    @property
    def run(self) -> Callable[[Any], Generator[Any, None, None]]:
        """Yields the states, and None where there is nothing to see yet but time may be up."""
        return self.model.run

    def states(self, params: kit_params.Params) -> Iterator[Any]:
        """The states of a run, computed in one go."""
        return (state for state in self.run(params) if state is not None)

    @property
    def note(self) -> Callable[[Any, Sequence[Any], int], str]:
        return self.picture.note

    @property
    def draw(self) -> Callable[[Any, Sequence[Any], int], Picture]:
        return self.picture.draw

    @property
    def metrics(self) -> dict[str, Metric]:
        return declared(self.State)

    @property
    def presets(self) -> tuple[Preset, ...]:
        """Its named runs, good ones and bad ones."""
        return getattr(self.picture, "PRESETS", ())

    @property
    def source(self) -> str:
        """The model's source, the file that readers download with their values in it."""
        if not isinstance(self.model, ModuleType):
            raise TypeError(f"{self.name} has no file of its own")
        return inspect.getsource(self.model)


def names() -> list[str]:
    """All playgrounds, sorted."""
    return sorted(path.parent.name for path in FOLDER.glob("*/model.py"))


def load(name: str) -> Playground:
    """The playground of that name. Raises KeyError if there is no such folder."""
    if name not in names():
        raise KeyError(name)
    package, model, picture = (_module(f"playgrounds.{name}{part}") for part in ("", ".model", ".picture"))
    return Playground(name, model, picture, (package.__doc__ or "").strip(), _digest(package, model, picture))


def _module(name: str) -> ModuleType:
    return sys.modules.get(name) or importlib.import_module(name)


@lru_cache(maxsize=256)
def _digest(package: ModuleType, model: ModuleType, picture: ModuleType) -> str:
    """Of modules as they were loaded: an edited file is a new module object, and so a new digest."""
    own = sorted(Path(package.__path__[0]).glob("*.py"))
    shared = [*sorted(FOLDER.glob("_*.py")), *sorted((FOLDER / "kit").glob("*.py"))]
    return hashlib.sha256(b"".join(path.read_bytes() for path in [*own, *shared])).hexdigest()[:12]
