"""The named runs, and a film of each."""

import pytest

from playgrounds.attention_scaling.model import Params, run
from playgrounds.attention_scaling.picture import PRESETS, draw, note
from playgrounds.kit.conditions import reached
from playgrounds.kit.film import Film
from playgrounds.kit.metrics import metrics


@pytest.mark.parametrize("preset", PRESETS, ids=lambda preset: preset.name)
def test_a_named_run_shows_what_it_promises(preset):
    params = Params(**preset.values)
    states = list(run(params))
    assert reached(preset.reach, metrics(states[-1]))
    assert all(getattr(Params(), name) != value for name, value in preset.values.items())
    film = Film(note, draw, params, params.length)
    film.extend(states, True)
    assert len(film.steps) == len(states) == params.length
