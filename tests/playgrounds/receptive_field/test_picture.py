"""How the receptive field is told and drawn."""

from functools import cache

import numpy as np
import pytest

from playgrounds.receptive_field.model import MOST, Params, State, closed_form, run
from playgrounds.receptive_field.picture import draw, note


@cache
def states(**values) -> list[State]:
    return list(run(Params(**values)))


def test_layers_that_do_not_fit_are_left_out_and_it_is_said():
    p = Params(layers=20, stride=2)
    assert closed_form(p.stack) <= MOST < closed_form([*p.stack, p.stack[-1]])
    assert "Of 20 layers 6 fit" in note(p, states(layers=20, stride=2), 0)
    assert all("fit" not in note(Params(), states(), now) for now in range(3))


@pytest.mark.parametrize("values", [{}, dict(layers=4, pool=True), dict(kernel=2, stride=3, layers=3)])
def test_the_chips_add_up_to_the_region_and_mark_the_layers_passed(values):
    p, played = Params(**values), states(**values)
    for now in range(len(played)):
        chips = draw(p, played, now).chip_rows[0]
        *terms, total = chips["texts"]
        assert eval("".join(terms).replace("·", "*")) == int(total[1:]) == played[-1].region
        assert len(chips["marks"]) == 1 + now + (now == len(played) - 1)


@pytest.mark.parametrize("values", [{}, dict(layers=3, kernel=2, stride=3), dict(layers=2, pool=True, kernel=2)])
def test_the_picture_shows_the_gradient_in_the_middle_and_nothing_around_it(values):
    p, played = Params(**values), states(**values)
    for now, state in enumerate(played):
        z = draw(p, played, now).fields[0]["z"] > 0
        assert z.sum() == 4 * state.reached and np.array_equal(z, z[::-1, ::-1])
