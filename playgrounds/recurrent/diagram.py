"""The net as it is drawn, boxes that hand on their state, and a gated cell: one unit, its gates as valves."""

from math import ceil

import numpy as np

from playgrounds._memory import Examples
from playgrounds.kit.axes import Axis, bare, names, span, ticked
from playgrounds.kit.palette import BLUE, FAINT, INK, MUTED, ORANGE, PAPER, SERIES
from playgrounds.kit.picture import Panel, Picture
from playgrounds.kit.words import number, subscript
from playgrounds.recurrent.model import Params, Reading, State, answerable, written

NET = SERIES[3]  # what this net does: its answers, its training, its gradient
RIGHT_ANSWER = SERIES[2]
GATES = ("forget", "input", "output", "update", "reset")  # between 0 and 1; all other strips have a sign
FEW = 20  # steps up to which each has room for a letter and a bold outline
PIXELS = 32  # along the sides of a strip, at least: where one has far fewer than the other the browser blurs it

# The net: a box for every step t = 1, 2, … at x = t, one row a direction at y = 0, −1.
WIDE, TALL = 0.62, 0.62  # of a box
ARROW = 0.2  # length of what comes in from below and goes out above
HEAD = (0.1, 0.09)  # of an arrow

# The cell, in units of a square panel.
ACROSS, UP = (-1.0, 112.0), (-8.0, 76.0)
BORE = 14.0  # of a pipe
MAIN, LOW = 52.0, 10.0  # heights of the pipe through the cell, and of what goes on below it
KEEP, JOIN, OUT = 34.0, 58.0, 83.0  # x of the gate that keeps, of where new is added, of the way out
END = 104.0
ABOVE = MAIN + BORE / 2 + 4  # of what is written over the pipe


def along(T: int) -> Axis:
    """Steps of the sequence."""
    return span(0.5, T + 0.5) | {"tick0": 0, "dtick": ceil(T / 8)}


def lettered(p: Params, data: Examples, room: int) -> Axis:
    """Steps of the sequence, each under its symbol; only every second or third where there is room for fewer."""
    T, symbols = len(data.symbols), written(p, data)
    places = range(1, T + 1, ceil(T / room))
    axis = ticked(0.5, T + 0.5, places, [symbols[t - 1] for t in places])
    return axis | {"showgrid": False, "tickangle": 0}


def asked_of(data: Examples) -> np.ndarray:
    """Whether an answer is asked for, at each of the T steps."""
    T = len(data.symbols)
    return np.isin(np.arange(T), np.arange(T)[data.asked])


def show_wipe(p: Params, T: int, panel: Panel) -> None:
    """Where the state is wiped."""
    if 0 < p.wipe < T:
        panel.cursor(p.wipe + 0.5, dash="dash")
        panel.key("╍", "wiped")


def strip(panel: Panel, name: str, values: np.ndarray, y: tuple[float, float]) -> None:
    """An array (rows, T) over the steps 1 … T, its first row on top."""
    rows, T = values.shape
    fine = values[::-1].repeat(ceil(PIXELS / rows), axis=0).repeat(ceil(PIXELS / T), axis=1)
    panel.field(fine, (0.5, T + 0.5), y, scale="sequential" if name in GATES else "diverging", smooth=False)


# ------------------------------------------------------------------------------------------------------------- the net


def draw_unrolled(pic: Picture, p: Params, state: State, data: Examples) -> None:
    """The same cell at every step, the state inside as stripes and handed on; the other direction below."""
    seen, T, t = state.seen, len(data.symbols), state.t
    below = lettered(p, data, 40)
    ways = [*seen.strips]
    rows = names(ways, down=True) | {"range": [0.3 - len(ways), 0.8 + 0.2 * len(ways)]}
    title = "The same cell at every step" if len(ways) == 1 else "One net reads →, another ←"
    net = pic.panel("strips", title, below, rows, tall=170 + 60 * len(ways))
    pic.on_phone(net, x={key: lettered(p, data, 20)[key] for key in ("tickvals", "ticktext")})
    net.key("▥", "state")

    steps = np.arange(1, T + 1)
    read = [(steps <= t) | (t == 0), (steps > T - t) | (t == 0)][: len(ways)]
    for row, (name, there) in enumerate(zip(ways, read, strict=True)):
        middle = (-row - TALL / 2, -row + TALL / 2)
        strip(net, name, np.where(there, seen.strips[name], 0), middle)
    gaps = np.arange(T + 1) + 0.5
    half = (1 - WIDE) / 2
    foot, top = 0.4 - len(ways), 0.4
    net.strokes([[(x - half, foot), (x - half, top), (x + half, top), (x + half, foot)] for x in gaps], PAPER, 0, PAPER)
    for row, there in enumerate(read):
        way = 1 - 2 * row
        for colour, some in ((FAINT, ~there), (INK, there)):
            net.boxes(steps[some], -row, WIDE, TALL, colour, 1.5 if T <= FEW else 1)
            begins = np.clip(steps[some] - way * (1 - WIDE / 2), 0.5, T + 0.5)
            net.arrows(level(begins, -row), level(steps[some] - way * WIDE / 2, -row), colour, 2.5, HEAD)
            rim = -row - TALL / 2
            net.arrows(level(steps[some], rim - ARROW), level(steps[some], rim), colour, 1.5, HEAD)
    draw_answers(net, seen, answerable(p, t, T) & asked_of(data))
    for row in range(len(ways) if t else 0):
        net.boxes([T + 1 - t if row else t], -row, WIDE, TALL, NET, 4)
    show_wipe(p, T, net)


def level(x: np.ndarray, y: float) -> np.ndarray:
    """Points of shape (n, 2) at one height."""
    return np.stack([x, np.full(len(x), y)], axis=1)


def draw_answers(net: Panel, seen: Reading, given: np.ndarray) -> None:
    """What the net says above the steps at which it is asked, and whether that is right."""
    ways, wide = len(seen.strips), len(seen.answers) <= FEW
    for i in np.flatnonzero(given):
        sign, colour = ("✓", RIGHT_ANSWER) if seen.right[i] else ("✕", INK)
        if ways > 1:  # the answer is read off both states
            net.boxes([i + 1], -0.5, WIDE + 0.12, 1.1 + TALL, colour, 2)
        net.arrows([(i + 1, TALL / 2)], [(i + 1, TALL / 2 + ARROW)], colour, 1.5, HEAD)
        said = f"{sign}<br>{seen.answers[i]}" if wide else sign
        net.text(i + 1, TALL / 2 + ARROW + 0.02, said, colour, 14, "above")


# ------------------------------------------------------------------------------------------------------------ the cell


def draw_cell(pic: Picture, p: Params, state: State, data: Examples) -> None:
    """The watched unit at the symbol that is read, in training at the last one."""
    t = state.t or data.q
    draw = {"LSTM": draw_lstm, "GRU": draw_gru}[p.cell]
    symbol = written(p, data)[t - 1]
    title = f"One {p.cell} unit"
    cell = pic.panel("cell", title, bare(*ACROSS), bare(*UP), square=True, tall=250)
    cell.key("■", "above 0", ORANGE)
    cell.key("■", "below 0", BLUE)
    draw(cell, state.seen, t, symbol)


def draw_unit(pic: Picture, p: Params, state: State, data: Examples) -> None:
    """The same unit's state and gates over the sequence, and what the net would say."""
    seen, T, t = state.seen, len(data.symbols), state.t
    ways = [*seen.strips]
    title = "The same unit, symbol by symbol"
    says = T <= FEW and p.task != "adding"  # whether the answers fit in
    unit = pic.panel(
        "strips", title, lettered(p, data, 20), names([*ways, "says"] if says else ways, down=True), tall=200
    )
    there = (np.arange(1, T + 1) <= t) | (t == 0)
    for row, name in enumerate(ways):
        values = np.where(there, seen.strips[name][seen.unit], 0)
        if name == "cell":
            values = values / max(1.0, float(np.abs(values).max()))
        strip(unit, name, values[None], (-row - 0.42, -row + 0.42))
    for i, answer in enumerate(seen.answers):
        if there[i] and says:
            unit.text(i + 1, -len(ways), answer, RIGHT_ANSWER if seen.right[i] else INK)
    if t:
        unit.frame((t - 0.5, t + 0.5), (0.5 - len(ways) - says, 0.5), NET, 3)
    show_wipe(p, T, unit)


def draw_units(pic: Picture, p: Params, state: State) -> None:
    """States and gates of all units as far as they are read; the watched unit is framed."""
    seen, t, T, half = state.seen, state.t, len(state.seen.scores), 0.46
    units = pic.panel("units", f"All {p.hidden} units, by symbol", along(T), names([*seen.strips], down=True), tall=290)
    there = (np.arange(1, T + 1) <= t) | (t == 0)
    for row, (name, values) in enumerate(seen.strips.items()):
        strip(units, name, np.where(there, values, 0), (-row - half, -row + half))
    tall = 2 * half / p.hidden
    top = half - seen.unit * tall
    units.frame((0.5, T + 0.5), (top - tall, top), INK, 1)


def flow(cell: Panel, points: list[tuple[float, float]], value: float, unit: float, *, ends: bool = False) -> None:
    """What flows through a pipe: as wide as it is large, in the colour of its sign; with a head where it leaves."""
    wide, colour = abs(value) * unit, ORANGE if value > 0 else BLUE
    cell.pipe(points, wide, colour)
    if ends:
        x, y = points[-1]
        for tall, shade in ((BORE, FAINT), (wide, colour)):
            cell.shape_of([(x, y - tall / 2), (x + tall / 2, y), (x, y + tall / 2)], shade, 0, fill=shade)


def channels(cell: Panel, *ways: list[tuple[float, float]]) -> None:
    """The pipes, empty."""
    for way in ways:
        cell.pipe(way, BORE, FAINT)


def wires(cell: Panel, *ways: list[tuple[float, float]]) -> None:
    """From the symbol and the state before to what they decide."""
    for way in ways:
        cell.path(*np.array(way).T, MUTED, 1.5, "dot")


def box(cell: Panel, x: float, y: float, text: str, wide: float = 20) -> None:
    cell.block((x - wide / 2, x + wide / 2), (y - 5, y + 5), PAPER, edge=INK, width=1.5, text=text)


def draw_lstm(cell: Panel, seen: Reading, t: int, symbol: str) -> None:
    """Its cell state flows past the forget gate; the input gate lets new in, the output gate lets it out."""
    now = {name: float(values[t - 1]) for name, values in seen.terms.items()}
    unit = BORE / max(1.0, float(np.abs(seen.terms["c"]).max()))
    c, before, candidate = now["c"], now["c before"], now["g"]
    bus, taken, let_out = 42, 30, 26  # x of the wires that go up to the input gate; heights of the two upright gates
    channels(cell, [(0, MAIN), (END, MAIN)], [(JOIN, LOW), (JOIN, MAIN)], [(OUT, MAIN), (OUT, LOW), (END, LOW)])
    wires(
        cell, [(12, LOW), (74, LOW), (74, let_out), (OUT - BORE / 2, let_out)], [(KEEP, LOW), (KEEP, MAIN - BORE / 2)]
    )
    wires(cell, [(bus, LOW), (bus, taken), (JOIN - BORE / 2, taken)])
    flow(cell, [(0, MAIN), (KEEP, MAIN)], before, unit)
    flow(cell, [(KEEP, MAIN), (JOIN, MAIN)], now["f"] * before, unit)
    flow(cell, [(JOIN, LOW), (JOIN, taken)], candidate, unit)
    flow(cell, [(JOIN, taken), (JOIN, MAIN)], now["i"] * candidate, unit)
    flow(cell, [(JOIN, MAIN), (END, MAIN)], c, unit, ends=True)
    flow(cell, [(OUT, MAIN), (OUT, 38)], c, unit)
    flow(cell, [(OUT, 38), (OUT, let_out)], float(np.tanh(c)), unit)
    flow(cell, [(OUT, let_out), (OUT, LOW), (END, LOW)], now["h"], unit, ends=True)

    cell.valve((KEEP, MAIN), now["f"], BORE)
    cell.valve((JOIN, taken), now["i"], BORE, upright=True)
    cell.valve((OUT, let_out), now["o"], BORE, upright=True)
    cell.text(KEEP, ABOVE + 7, f"forget {number(now['f'])}")
    cell.text(JOIN - BORE / 2 - 2, taken + 7, f"input<br>{number(now['i'])}", place="left")
    cell.text(OUT + BORE / 2 + 2, let_out + 4, f"output<br>{number(now['o'])}", place="right")
    box(cell, JOIN, LOW, f"new {number(candidate, 2)}", 28)
    box(cell, OUT, 38, "tanh", 14)
    box(cell, 10, LOW, f"{symbol}, h{subscript(t - 1)}")
    cell.text(0, ABOVE, f"c{subscript(t - 1)} = {number(before)}", place="right")
    cell.text(END, ABOVE, f"c{subscript(t)} = {number(c)}", place="left")
    cell.text(END, LOW - BORE / 2 - 3, f"h{subscript(t)} = {number(now['h'])}", place="left")


def draw_gru(cell: Panel, seen: Reading, t: int, symbol: str) -> None:
    """The update gate keeps a share z of its state and lets in 1 − z of the new one."""
    now = {name: float(values[t - 1]) for name, values in seen.terms.items()}
    z, r, before, candidate = now["z"], now["r"], now["h before"], now["n"]
    tap, wire, reset = 10, 31, 29  # x where the state is tapped, height of the wires, x of the reset gate
    channels(cell, [(0, MAIN), (END, MAIN)], [(JOIN, LOW), (JOIN, MAIN)], [(tap, MAIN), (tap, LOW), (JOIN, LOW)])
    wires(cell, [(tap, wire), (JOIN - BORE / 2, wire)], [(KEEP, wire), (KEEP, MAIN - BORE / 2)])
    wires(cell, [(reset, wire), (reset, LOW + BORE / 2)], [(JOIN - 11, wire), (JOIN - 11, LOW)])
    cell.pipe([(tap, MAIN), (tap, LOW), (reset, LOW)], BORE / 2, MUTED)  # the states of all units, not of this one
    cell.pipe([(reset, LOW), (JOIN, LOW)], r * BORE / 2, MUTED)
    flow(cell, [(0, MAIN), (KEEP, MAIN)], before, BORE)
    flow(cell, [(KEEP, MAIN), (JOIN, MAIN)], z * before, BORE)
    flow(cell, [(JOIN, LOW), (JOIN, wire)], candidate, BORE)
    flow(cell, [(JOIN, wire), (JOIN, MAIN)], (1 - z) * candidate, BORE)
    flow(cell, [(JOIN, MAIN), (END, MAIN)], now["h"], BORE, ends=True)

    cell.valve((KEEP, MAIN), z, BORE)
    cell.valve((JOIN, wire), 1 - z, BORE, upright=True)
    cell.valve((reset, LOW), r, BORE)
    cell.text(KEEP, ABOVE + 7, f"update z {number(z)}")
    cell.text(JOIN + BORE / 2 + 2, wire, f"1 − z<br>{number(1 - z)}", place="right")
    cell.text(reset, LOW - BORE / 2 - 3, f"reset {number(r)}")
    box(cell, JOIN, LOW, f"new {number(candidate, 2)}", 28)
    box(cell, tap, wire, f"{symbol}, h{subscript(t - 1)}")
    cell.text(0, ABOVE, f"h{subscript(t - 1)} = {number(before)}", place="right")
    cell.text(END, ABOVE, f"h{subscript(t)} = {number(now['h'])}", place="left")
