"""The verbs of a panel for things that are drawn rather than plotted: nets, pipelines of feature maps, cells, arcs.

They are made of what moves at no cost (kit/moving.py), so that a diagram may change from frame to frame.
"""

from typing import Any

import numpy as np

from playgrounds.kit.moving import Moving


class Diagrams(Moving):
    """Part of a Panel (kit/picture.py)."""

    def tiles(
        self, sides: Any, fill: str = "", *, edge: str = "", width: float = 1, opacity: float = 1.0, behind: bool = True
    ) -> None:
        """Rectangles with left, right, low and high sides (n, 4), filled or outlined alike: all are one shape.

        behind: traces (letters that stand still) are drawn over them.
        """
        parts = [
            f"M{left:.4g},{low:.4g}H{right:.4g}V{high:.4g}H{left:.4g}Z"
            for left, right, low, high in np.asarray(sides, float).reshape(-1, 4).tolist()
        ]
        self._shape(
            {
                "type": "path",
                "path": "".join(parts) or "M0,0L0,0",
                "line": {"color": edge or fill, "width": width if edge else 0},
                "fillcolor": fill or "rgba(0,0,0,0)",
                "fillrule": "nonzero",  # where they overlap they are filled, too
                "opacity": opacity,
                "layer": "below" if behind else "above",
            }
        )
