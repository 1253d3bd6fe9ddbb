"""What readers draw, type into a grid or paste as points, each kept as one short text: reading it, and arrays from it.

drawing  one digit 0 to f per cell, row by row from the top; "" is an empty sheet
matrix   rows separated by semicolons, numbers by commas: 1,0,-1;2,0,-2
points   a line per point: x,y,class with x and y from -1 to 1 and the class counted from 0; "" is no points

The readers (`read_…`) raise ValueError with what is wrong where nothing can be taken; the functions that make arrays
take what the readers have returned. Plain functions, so that exported code can carry them along.
"""

import re

import numpy as np

MOST_POINTS = 200
MOST_ENTRY = 99.0  # largest number of a matrix


def pixels(text: str, side: int) -> np.ndarray:
    """A drawing as an array (side, side) of values from 0 to 1, the top row first."""
    return np.array([int(digit, 16) for digit in text or "0" * side**2], float).reshape(side, side) / 15


def matrix(text: str) -> np.ndarray:
    """The numbers of a matrix, shape (rows, columns)."""
    return np.array([[float(entry) for entry in row.split(",")] for row in text.split(";")])


def cloud(text: str) -> tuple[np.ndarray, np.ndarray]:
    """Points as an array (n, 2) and their classes (n,), as floats."""
    rows = np.array([[float(entry) for entry in line.split(",")] for line in text.split("\n") if line])
    return (rows[:, :2], rows[:, 2]) if len(rows) else (np.zeros((0, 2)), np.zeros(0))


def read_drawing(raw: str, side: int) -> tuple[str, str]:
    """The drawing that `raw` means, and no complaint."""
    if raw and (len(raw) != side**2 or not re.fullmatch("[0-9a-f]+", raw)):
        raise ValueError(f"a drawing on {side} × {side} cells has {side**2} digits from 0 to f: draw it anew")
    return raw if raw.strip("0") else "", ""


def read_matrix(raw: str, least: int, most: int) -> tuple[str, str]:
    """The matrix of `least` to `most` rows and columns that `raw` means, and what was cut."""
    rows = [re.split(r"[,\s]+", row.strip(" ,\t\r")) for row in re.split(r"[;\n]", raw[:2000].strip(" ;\n"))]
    if len({len(row) for row in rows}) > 1:
        raise ValueError("every row of the grid needs as many numbers as the others")
    if not (least <= len(rows) <= most and least <= len(rows[0]) <= most):
        raise ValueError(f"the grid has {len(rows)} rows of {len(rows[0])}: {least} to {most} are possible")
    for number, row in enumerate(rows, start=1):
        if not all(map(_is_number, row)):
            raise ValueError(f"row {number} of the grid has an entry that is not a finite number")
    values = np.array([[float(entry) for entry in row] for row in rows])
    cut = np.clip(values, -MOST_ENTRY, MOST_ENTRY)
    said = "" if (cut == values).all() else f"numbers beyond ±{MOST_ENTRY:g} were cut"
    return ";".join(",".join(f"{v:.6g}" for v in row) for row in cut + 0.0), said


def read_points(raw: str, classes: int) -> tuple[str, str]:
    """The points in CSV text, and which lines could not be taken.

    A line is x, y and, if there are several classes, the class (a number from 0, or a name: names are numbered as they
    come). A first line of words is a heading. Values beyond ±1 are scaled, each column into [-0.9, 0.9].
    """
    rows: list[list[float]] = []
    labels: list[int] = []
    wrong: list[str] = []
    named: dict[str, int] = {}
    for number, line in enumerate(raw[:40_000].splitlines(), start=1):
        cells = [cell for cell in re.split(r"[,;\t ]+", line.strip().strip(",;")) if cell]
        if not cells or (number == 1 and not any(_is_number(cell) for cell in cells)):
            continue
        if len(cells) not in (2, 3) or not (_is_number(cells[0]) and _is_number(cells[1])):
            wrong.append(f"line {number} is not x, y, class")
            continue
        label = named.setdefault(cells[2], len(named)) if len(cells) == 3 else 0
        if len(cells) == 3 and (found := re.fullmatch(r"(\d+)(\.0+)?", cells[2])):
            label = int(found[1]) if len(found[1]) < 10 else classes  # a longer one is no class
        if label >= classes:
            wrong.append(f"line {number} has a class beyond the {classes} possible")
            continue
        rows.append([float(cells[0]), float(cells[1])])
        labels.append(label)
    if wrong and not rows:
        raise ValueError(f"{wrong[0]}: write one point a line, such as 0.5, -0.2, 1")
    if len(rows) > MOST_POINTS:
        wrong.append(f"only the first {MOST_POINTS} of {len(rows)} points are taken")
        rows, labels = rows[:MOST_POINTS], labels[:MOST_POINTS]
    xy = np.array(rows).reshape(-1, 2)
    if len(xy) and np.abs(xy).max() > 1:
        xy = xy / 2  # the distance of the two largest numbers is itself no number
        low, high = xy.min(axis=0), xy.max(axis=0)
        xy = 1.8 * ((xy - low) / np.where(high > low, high - low, 1)) - 0.9
    said = "; ".join(wrong[:3]) + (f"; and {len(wrong) - 3} more" if len(wrong) > 3 else "")
    lines = [f"{x:.3g},{y:.3g},{label}" for (x, y), label in zip(xy + 0.0, labels, strict=True)]
    return "\n".join(lines), f"{said} (the other {len(lines)} points are kept)" if said else ""


def _is_number(text: str) -> bool:
    try:
        return bool(np.isfinite(float(text))) and len(text) < 40
    except ValueError:
        return False
