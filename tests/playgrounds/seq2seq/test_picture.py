"""What is told and drawn of two nets that write: every letter with what was due, and the weights behind it."""

import re
from functools import cache

import numpy as np
import pytest

from playgrounds.kit.conditions import reached
from playgrounds.kit.metrics import metrics
from playgrounds.kit.palette import RED
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
        wrong = (state.probs[0].argmax(axis=1) != target)[: t + 1]
        assert underlined(draw(p, played, now).figure(), panel="vector") == np.flatnonzero(wrong).tolist()
        assert state.plain_own == pytest.approx(1 - wrong.mean())
        for panel in ("vector", "weights"):
            assert letters_written(draw(p, played, now).figure(), panel) == t + 1
    assert writing[-1].attention_own == 1 > writing[-1].plain_own


def shapes_of(fig: dict, panel: str) -> list[dict]:
    """What is drawn in a panel."""
    suffix = next(one["suffix"] for one in fig["panels"] if one["name"] == panel)
    return [shape for shape in fig["layout"]["shapes"] if shape["xref"] == f"x{suffix}"]


def underlined(fig: dict, panel: str) -> list[int]:
    """The places of the letters that are marked as wrong."""
    return [round(one["x0"] + 0.42) for one in shapes_of(fig, panel) if one["line"].get("color") == RED]


def letters_written(fig: dict, panel: str) -> int:
    """How many boxes in the row of the output hold a letter."""
    texts = [one["label"]["text"] for one in shapes_of(fig, panel) if "label" in one and one["y1"] == 2.25]
    return len([text for text in texts if text])


def test_the_map_shows_the_weights_of_the_rows_written_first_row_on_top():
    p = Params(steps=100)
    played = states(p)
    for now in (0, 5, len(played) - 4):
        fig = draw(p, played, now).figure()
        picture = fig["fields"][1]["z"][::-1] / 127
        state = played[now]
        assert np.allclose(picture[: state.written], state.weights[: state.written], atol=0.01)
        assert (picture[state.written :] == 0).all()
        said = [trace["hovertext"][0] for trace in fig["data"] if "hovertext" in trace]
        shown = float(next(text for text in said if text.startswith("exp")).rpartition("= ")[2])
        assert shown == pytest.approx(state.weights[0, 0], rel=0.01)


def test_one_vector_as_wide_as_its_numbers_stands_between_encoder_and_decoder():
    for hidden in (6, 32):
        p = Params(steps=10, hidden=hidden)
        played = states(p)
        fig = draw(p, played, 0).figure()
        strip = fig["fields"][0]
        assert strip["z"].shape == (1, hidden) and np.allclose(strip["z"][0] / 127, played[0].vector, atol=0.01)
        assert fig["layout"]["images"][strip["image"]]["sizex"] == pytest.approx(len(p.typed) * hidden / 40)


@pytest.mark.parametrize("preset", PRESETS, ids=lambda preset: preset.name)
def test_the_presets_end_as_they_say(preset):
    assert reached(preset.reach, metrics(states(Params(**preset.values))[-1]))
