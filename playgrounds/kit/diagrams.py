"""The verbs of a panel for things that are drawn rather than plotted: nets, pipelines of feature maps, cells, arcs.

They are made of what moves at no cost (kit/moving.py), so that a diagram may change from frame to frame.
"""

from playgrounds.kit.moving import Moving


class Diagrams(Moving):
    """Part of a Panel (kit/picture.py)."""
