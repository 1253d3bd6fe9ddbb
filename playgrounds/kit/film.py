"""A run as a film: the first figure whole, and of every later one only what differs from it.

A message for the player is one block of bytes: four bytes with the length of the head (little-endian), the head as
JSON, then the pictures of all frames of the message as int8. Films grow: `extend` takes the states of a run as they
come, and a message carries the frames from any one on, so that a long run can be sent in parts.
"""

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import orjson

from playgrounds.kit.figures import Figure
from playgrounds.kit.metrics import metrics
from playgrounds.kit.picture import Picture
from playgrounds.kit.weigh import weigh

FRAMES = 60  # of a long run; runs of up to ALL states show every one
ALL = 101

Draw = Callable[[Any, Sequence[Any], int], Picture]
Note = Callable[[Any, Sequence[Any], int], str]


class Film:
    """The frames of one run.

    note, draw: how a step is told and drawn. length: how many states the run will have, None if it cannot say.
    Frames are every `stride`-th state and the last.
    """

    def __init__(self, note: Note, draw: Draw, params: Any, length: int | None):
        self._note, self._picture, self._params = note, draw, params
        # An odd stride: with an even one, whatever swings to and fro would always be shown on the same side.
        self.stride = 1 if length is None or length <= ALL else math.ceil((length - 1) / FRAMES) | 1
        self.done = False
        self.steps: list[int] = []  # index of the state behind every frame
        self._base: Figure = {}
        self._frames: list[bytes] = []
        self._pictures: list[bytes] = []
        self._weight: int | None = None  # of the base, once it is asked for

    def extend(self, states: Sequence[Any], done: bool, more: Callable[[], bool] = lambda: True) -> None:
        """Draw the frames that `states`, the run so far, has beyond those there are: one, and more while `more()`.

        `done`: the run has ended. The film is done, too, once all of its frames are drawn.
        """
        if not states:
            return
        new = self.due(len(states), done)
        # The first frame is drawn again: what a longer run changes in every frame (a loss curve that has grown) is
        # then in the base, sent once, and not in each frame's difference.
        self._base = self._draw(self._params, states, 0)
        self._weight = None
        drawn = 0
        for i in new:
            if drawn and not more():
                break
            figure = self._base if i == 0 else self._draw(self._params, states, i)
            self._add(figure, states, i)
            drawn += 1
        self.done = done and drawn == len(new)

    def due(self, states: int, done: bool) -> list[int]:
        """The states, of so many, that are still to be drawn."""
        last = self.steps[-1] if self.steps else -self.stride
        new = list(range(last + self.stride, states, self.stride))
        if done and states - 1 not in (last, *new):
            new.append(states - 1)
        return new

    def _draw(self, params: Any, states: Sequence[Any], i: int) -> Figure:
        return self._picture(params, states, i).figure()

    def _add(self, figure: Figure, states: Sequence[Any], i: int) -> None:
        state = states[i]
        frame = difference(self._base, figure)
        told = {name: value for name, value in metrics(state).items() if value is not None}
        frame |= {"step": label(state, i), "note": self._note(self._params, states, i), "metrics": told}
        self._frames.append(encode(frame))
        self._pictures.append(b"".join(f["z"].tobytes() for f in figure["fields"]))
        self.steps.append(i)

    @property
    def base(self) -> Figure:
        """The first figure, of which all later ones are differences; {} before there is one."""
        return self._base

    @property
    def nbytes(self) -> int:
        if self._weight is None:
            self._weight = weigh(self._base)
        return self._weight + sum(map(len, self._frames)) + sum(map(len, self._pictures))

    def message(self, first: int = 0, **head: Any) -> bytes:
        """The frames from number `first` on, with what the player needs to show them and the entries of `head`."""
        base = {key: value for key, value in self._base.items() if key != "fields"}
        base["fields"] = [
            {
                "image": f["image"],
                "scale": f["scale"],
                "smooth": f["smooth"],
                "rows": f["z"].shape[0],
                "columns": f["z"].shape[1],
            }
            for f in self._base["fields"]
        ]
        frames = [orjson.Fragment(frame) for frame in self._frames[first:]]
        packed = encode({"base": base, "from": first, "frames": frames, "done": self.done} | head)
        return len(packed).to_bytes(4, "little") + packed + b"".join(self._pictures[first:])


def difference(base: Figure, figure: Figure) -> dict[str, Any]:
    """What of `figure` is not as in `base`: {"data": {trace number: {attribute: value}}, "layout": …, "chips": …}.

    Raises ValueError where figures of one run have different numbers of traces or differently shaped fields: the player
    could not go from one to the other.
    """
    if len(base["data"]) != len(figure["data"]) or len(base["chips"]) != len(figure["chips"]):
        raise ValueError("draw must return the same number of traces and of chip rows at every step")
    if [f["z"].shape for f in base["fields"]] != [f["z"].shape for f in figure["fields"]]:
        raise ValueError("draw must return fields of the same shapes at every step")
    traces = {
        str(n): changed
        for n, (old, new) in enumerate(zip(base["data"], figure["data"], strict=True))
        if (changed := _changed(old, new))
    }
    rows = {
        str(n): new
        for n, (old, new) in enumerate(zip(base["chips"], figure["chips"], strict=True))
        if not same(old, new)
    }
    return {"data": traces, "layout": _changed(base["layout"], figure["layout"]), "chips": rows}


def same(a: Any, b: Any) -> bool:
    """Equal, with arrays compared by their elements and nan equal to nan."""
    if a is b:
        return True
    if isinstance(a, np.ndarray) or isinstance(b, np.ndarray):
        a, b = np.asarray(a), np.asarray(b)
        return a.shape == b.shape and bool(np.array_equal(a, b, equal_nan=a.dtype.kind == b.dtype.kind == "f"))
    if isinstance(a, dict) and isinstance(b, dict):
        return a.keys() == b.keys() and all(same(a[key], b[key]) for key in a)
    return a == b


def label(state: Any, i: int) -> int:
    """What readers call the i-th state: its field `step` if it has one (an epoch, say), else its number."""
    return getattr(state, "step", i)


def encode(value: Any) -> bytes:
    """JSON in which nan and infinity are null, as a browser needs it."""
    return orjson.dumps(value, option=orjson.OPT_SERIALIZE_NUMPY | orjson.OPT_NON_STR_KEYS, default=_plain)


def _changed(old: dict[str, Any], new: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in new.items() if key not in old or not same(old[key], value)}


def _plain(value: Any) -> Any:
    if isinstance(value, np.ndarray):
        return value.tolist()  # not contiguous, or of a type orjson leaves to us
    raise TypeError(f"{type(value)} in a figure")
