"""What is told and drawn of two nets that write: every letter with what was due, and the weights behind it."""

import re
from functools import cache

import numpy as np
import pytest

from playgrounds.kit.conditions import reached
from playgrounds.kit.metrics import metrics
from playgrounds.seq2seq.model import ALPHABET, Params, State, run, solve
from playgrounds.seq2seq.picture import PRESETS, draw, note


@cache
def states(p: Params) -> list[State]:
    return [state for state in run(p) if state is not None]


@pytest.mark.parametrize(
    ("text", "typed", "said"),
    [
        ("Bad xyz!", "bad", "5 characters had to go: the vocabulary is a to h"),
        ("", "abcd", "none of the letters a to h"),
        ("<b>", "b", "2 characters had to go"),
        ("12345", "abcd", "none of the letters a to h"),
        ("badge", "badge", ""),
        ("abcde" * 6, "abcdeabcdeabcdeabcdeabcd", "has 30 letters, and only the first 24 are taken"),
        ("abcdabcdabcdabcd", "abcdabcdabcdabcd", "has 16 letters, those in training have up to 12"),
    ],
)
def test_letters_that_the_vocabulary_does_not_have_are_left_out_and_that_is_said_in_one_sentence(text, typed, said):
    p = Params(text=text, steps=10)
    assert "".join(ALPHABET[c] for c in p.typed) == typed
    told = note(p, states(p), 0)
    assert said in told and ("Your sequence" in told or "Of your sequence" in told) == bool(said)


def test_after_training_the_sequence_is_written_letter_by_letter_and_the_note_and_chips_say_what_is_right():
    p = Params(steps=100)
    played = states(p)
    writing = [s for s in played if s.trained == 100][1:]
    assert [s.written for s in writing] == list(range(1, 12))
    target = solve("reverse", np.array(p.typed)[:, None])[:, 0]
    for t, state in enumerate(writing):
        now = len(played) - len(writing) + t
        for name, probs in (("the plain net", state.probs[0, t]), ("attention", state.probs[1, t])):
            letter = ALPHABET[probs.argmax()]
            verdict = re.search(rf"{name} writes {letter} \(p .*?\), (right|but)", note(p, played, now))[1]
            assert (verdict == "right") == (probs.argmax() == target[t])
        *_, plain, attention = draw(p, played, now).chip_rows
        wrong = (state.probs[0].argmax(axis=1) != target)[: t + 1]
        assert plain["marks"] == np.flatnonzero(wrong).tolist() and state.plain_own == pytest.approx(1 - wrong.mean())
        assert plain["texts"][t + 1 :] == attention["texts"][t + 1 :] == ["·"] * (10 - t)
    assert writing[-1].attention_own == 1 > writing[-1].plain_own


def test_the_picture_shows_the_weights_of_the_rows_written_first_row_on_top():
    p = Params(steps=100)
    played = states(p)
    for now in (0, 5, len(played) - 4):
        fig = draw(p, played, now).figure()
        picture = fig["fields"][0]["z"][::-1] / 127
        state = played[now]
        assert np.allclose(picture[: state.written], state.weights[: state.written], atol=0.01)
        assert (picture[state.written :] == 0).all()
        shown = float(fig["data"][0]["hovertext"][0].rpartition("= ")[2])
        assert shown == pytest.approx(state.weights[0, 0], rel=0.01)


@pytest.mark.parametrize("preset", PRESETS, ids=lambda preset: preset.name)
def test_the_presets_end_as_they_say(preset):
    assert reached(preset.reach, metrics(states(Params(**preset.values))[-1]))
