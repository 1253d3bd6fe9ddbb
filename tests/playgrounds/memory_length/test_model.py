"""Recurrent nets of several lengths: up to where they remember, beside how far back their gradients reach."""

import numpy as np
import pytest

from playgrounds.kit.conditions import reached
from playgrounds.kit.metrics import metrics
from playgrounds.memory_length.model import Params, State, run
from playgrounds.memory_length.picture import PRESETS, note

CHANCE = 1 / 8


def states(**values) -> list[State]:
    return [state for state in run(Params(**values)) if state is not None]


@pytest.mark.fact("rnn")
def test_accuracy_against_length_falls_to_chance_while_the_gradient_falls_by_powers_of_ten():
    end = states(T=40)[-1]
    accuracies, gradients = end.accuracies[:, -1], np.array([acts[0] for acts in end.reaches])
    assert accuracies[:2].min() > 0.99 and accuracies[-2:].max() < CHANCE + 0.06
    assert np.all(np.diff(np.log10(gradients)) < -0.5) and gradients[0] > 0.1 and gradients[-1] < 1e-7
    assert end.longest_solved == Params(T=40).lengths[int((accuracies >= 0.9).sum()) - 1]


def test_lengths_are_trained_one_after_the_other_and_what_is_not_trained_yet_is_not_known():
    p, played = Params(T=6, steps=10), states(T=6, steps=10)
    assert p.lengths == [2, 5, 6] and len(played) == p.length
    each = len(played) // 3
    for i, state in enumerate(played):
        assert p.lengths[i // each] == state.T
        assert np.isfinite(state.accuracies).sum() == i + 1 and len(state.reaches) == i // each + 1
        assert [len(acts) for acts in state.reaches] == p.lengths[: i // each + 1]
        assert (state.longest_solved is None) == (i < each - 1)
    assert [s.training_step for s in played[:each]] == [s.training_step for s in played[-each:]] == list(range(11))


def test_the_last_note_says_which_length_is_the_longest_solved():
    p = Params(T=2, steps=10, rate=0.0001)
    played = states(T=2, steps=10, rate=0.0001)
    assert played[-1].longest_solved == 0 and "None is solved." in note(p, played, len(played) - 1)
    assert "solved" not in note(p, played, 0)


@pytest.mark.parametrize("preset", PRESETS, ids=lambda preset: preset.name)
def test_the_presets_end_as_they_say(preset):
    assert reached(preset.reach, metrics(states(**preset.values)[-1]))
