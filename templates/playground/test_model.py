"""Facts that would be false if the playground were broken: put your own in their place.

A fact about a term of the glossary is marked so: @pytest.mark.fact("gradient-descent").
"""

import pytest

from playgrounds.NAME.model import Params, State, run


def states(**knobs: float) -> list[State]:
    return list(run(Params(**knobs)))


def test_small_steps_arrive_at_the_minimum():
    assert states(eta=0.1, steps=100)[-1].w == pytest.approx(1, abs=1e-8)


@pytest.mark.parametrize("eta", [0.1, 0.6, 1.1])
def test_every_step_multiplies_the_distance_to_the_minimum_by_1_minus_2_eta(eta):
    first, second = states(eta=eta, steps=1)
    assert second.w - 1 == pytest.approx((1 - 2 * eta) * (first.w - 1))
