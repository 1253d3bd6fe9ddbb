"""Every colour of the app, once. Figures name colours of both themes; the player puts in those of the reader's.

The class colours and the series keep their value in both themes, so that a class has one colour everywhere. They were
chosen after Okabe and Ito (Color Universal Design, 2008) so that readers with any colour vision can tell them apart,
and darkened until each has a contrast of at least 3:1 on the light and on the dark page.
"""

BLUE = "#2f7fc1"  # class 0, negative values
ORANGE = "#d9730d"  # class 1, positive values
SERIES = (BLUE, ORANGE, "#0b9072", "#b05fa3", "#8f7a00", "#7d7f86")
RED = "#d0393b"  # what a net has got wrong: the line under a letter, nothing else

# Stand-ins that are legal colours for Plotly and are replaced in the browser (player.js, `recolour`).
INK = "#010101"  # text, axes, what must be seen
MUTED = "#020202"  # secondary text, ticks
FAINT = "#030303"  # grid lines, outlines
PAPER = "#040404"  # the page

THEMES = {
    "light": {INK: "#1c2330", MUTED: "#596273", FAINT: "#d5dae2", PAPER: "#ffffff"},
    "dark": {INK: "#e8eaee", MUTED: "#a4acba", FAINT: "#333a47", PAPER: "#12151b"},
}

# Fields are painted from int8: -127 … 0 … 127 on a diverging scale, 0 … 127 on a sequential one. On the scale of
# classes each has 42 values in a row, from neutral to its colour: 0 … 41 class 0, 42 … 83 class 1, 84 … 125 class 2.
# 0 is the page's own neutral; the ends are lighter (darker) than the classes so that points of the class stand out.
SCALES = {
    "light": {
        "diverging": ["#7fb2df", "#f4f5f7", "#f0b27a"],
        "sequential": ["#f4f5f7", "#8a94a6", "#2a3344"],
        "classes": ["#f4f5f7", "#7fb2df", "#f0b27a", "#7cc7b4"],
    },
    "dark": {
        "diverging": ["#1d4f7a", "#1c212a", "#8a4c12"],
        "sequential": ["#1c212a", "#5c6779", "#c9cfda"],
        "classes": ["#1c212a", "#1d4f7a", "#8a4c12", "#0d5a49"],
    },
}
SHADES = 42  # values per class on the scale of classes
