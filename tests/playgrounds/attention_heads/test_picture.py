"""The named runs, and a film of each."""

import pytest

from playgrounds.attention_heads.model import Params, run
from playgrounds.attention_heads.picture import PRESETS, draw, note
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


def test_a_silenced_head_is_covered_and_its_number_said():
    params = Params(silenced=2, steps=10)
    states = list(run(params))
    said = [shape.get("label", {}).get("text") for shape in draw(params, states, 0).figure()["layout"]["shapes"]]
    assert said.count("silenced") == 1 and "Head 2 is silenced" in note(params, states, len(states) - 1)
    beyond = Params(silenced=8, steps=10)
    shapes = draw(beyond, states, 0).figure()["layout"]["shapes"]
    assert "silenced" not in [shape.get("label", {}).get("text") for shape in shapes], "there is no eighth head"
