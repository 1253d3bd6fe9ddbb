"""The tables of a batch as they are drawn."""

import numpy as np
import pytest

from playgrounds.batch_norm.model import Params, run
from playgrounds.batch_norm.picture import draw, note
from playgrounds.kit.film import Film


def written(fig: dict, panel: str) -> list[tuple[float, float, str]]:
    """x, y and text of all cells of a panel."""
    found = [shape for shape in fig["layout"]["shapes"] if "label" in shape and shape["xref"] == panel]
    return [(shape["x0"], shape["y0"], shape["label"]["text"]) for shape in found]


def test_the_tables_show_the_numbers_of_the_batch_with_sample_a_on_top():
    p = Params()
    states = list(run(p))
    fig = draw(p, states, 5).figure()
    before, after = written(fig, "x4"), written(fig, "x5")
    assert before[0][2] == f"{states[5].z[0, 0]:.3g}".replace("-", "−")
    assert [y for _, y, _ in before[:5]] == [0] * 5 and min(y for _, y, _ in before) == -p.size - 1
    assert {text for _, y, text in after if y == -p.size} == {"0"}, "means"
    assert {text for _, y, text in after if y == -p.size - 1} == {"1"}, "variances"
    field = fig["fields"][1]["z"]
    assert (np.sign(field[-1]) == np.sign(states[5].by_batch[0])).all(), "the last row of a field is on top"


@pytest.mark.parametrize("knobs", [{"size": 1}, {"size": 8}], ids=str)
def test_a_film_has_no_infinity(knobs):
    p = Params(**knobs)
    film = Film(note, draw, p, p.length)
    film.extend(list(run(p)), True)
    assert len(film.message()) < 3 * 2**20 and b"Infinity" not in film.message()
