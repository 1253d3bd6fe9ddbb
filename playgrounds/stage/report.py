"""What a player in the browser says of itself. It comes from outside: what is not as expected counts as not said."""

from collections.abc import Mapping
from typing import Any, NamedTuple

MOST = 10**9  # steps and frames; no run has as many


class Report(NamedTuple):
    run: str = ""  # the run that the player has; "": it has said nothing yet
    have: int = 0  # frames that it has of this run
    step: int | None = None  # where it rests; None: at the end
    stopped: bool = False  # whether the reader has stopped the computing
    ended: int | None = None  # the number of the last order that it has played to the end
    picked: float | None = None  # the value of the point that was clicked

    @classmethod
    def read(cls, said: Any) -> "Report":
        """The report that a component has sent, a JSON value of any kind."""
        if not isinstance(said, Mapping):
            return cls()
        run, picked = said.get("run"), said.get("picked")
        return cls(
            run=run if isinstance(run, str) else "",
            have=_whole(said.get("have")) or 0,
            step=_whole(said.get("step")),
            stopped=said.get("stopped") is True,
            ended=_whole(said.get("ended")),
            picked=picked if isinstance(picked, int | float) and not isinstance(picked, bool) else None,
        )

    def frames_of(self, run: str, there: int) -> int:
        """How many frames the player has of this run, of which there are so many: the rest is to be sent."""
        return self.have if self.run == run and self.have <= there else 0


def _whole(value: Any) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) and 0 <= value < MOST else None
