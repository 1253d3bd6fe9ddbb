"""What is told and drawn of a recurrent net: arithmetic that adds up, and nothing before it is read."""

import re
from functools import cache

import numpy as np
import pytest

from playgrounds.kit.conditions import reached
from playgrounds.kit.metrics import metrics
from playgrounds.kit.words import number
from playgrounds.recurrent.model import Params, State, run
from playgrounds.recurrent.picture import PRESETS, about_text, arithmetic, draw, note

SUPERSCRIPTS = str.maketrans("⁻⁰¹²³⁴⁵⁶⁷⁸⁹", "-0123456789")
TOO_FEW = " Your text has too few symbols a–h for the task: a sequence drawn by chance is read."


@cache
def states(p: Params) -> tuple[State, ...]:
    return tuple(state for state in run(p) if state is not None)


@pytest.mark.parametrize("bidirectional", [False, True])
@pytest.mark.parametrize("cell", ["RNN", "GRU", "LSTM"])
def test_the_arithmetic_in_the_notes_adds_up(cell, bidirectional):
    """Evaluated as Python, what stands before the last "=" is what stands behind it, up to the rounding shown."""
    p = Params(cell=cell, steps=20, bias=1.0, bidirectional=bidirectional)
    seen = states(p)[-1].seen
    way, unit = divmod(seen.unit, 32)
    values = [*seen.strips.values()][way][unit]
    for t, shown in enumerate(values, start=1):
        told = arithmetic(p, seen, t)
        assert told.endswith(f"= {number(float(shown))}")
        for part in told.split(", "):
            *_, sums, result = part.split(" = ")
            code = re.sub(r"·10([⁻⁰¹²³⁴⁵⁶⁷⁸⁹]+)", lambda m: "e" + m[1].translate(SUPERSCRIPTS), sums)
            value = eval(code.replace("·", "*").replace("−", "-").replace("tanh", "np.tanh"), {"np": np})
            expected = float(
                re.sub(r"·10(\S+)", lambda m: "e" + m[1].translate(SUPERSCRIPTS), result).replace("−", "-")
            )
            assert value == pytest.approx(expected, abs=0.012), part


def test_while_it_reads_the_picture_is_empty_right_of_the_symbol():
    p = Params(steps=10, T=5)
    played = states(p)
    reading = next(i for i, s in enumerate(played) if s.t == 2)
    z = draw(p, played, reading).figure()["fields"][0]["z"]
    wide = z.shape[1] // 5
    assert not z[:, 2 * wide :].any() and z[:, : 2 * wide].any()
    assert draw(p, played, 0).figure()["fields"][0]["z"][:, -wide:].any(), "in training all of it is seen"


def answered(figure: dict) -> set[float]:
    """The steps above which an answer stands, right or wrong."""
    labels = ((shape.get("x0"), shape.get("label", {}).get("text", "")) for shape in figure["layout"]["shapes"])
    return {x for x, text in labels if text[:1] in ("✓", "✕")}


@pytest.mark.parametrize(("cell", "gates"), [("LSTM", "fio"), ("GRU", "zr")])
def test_the_valves_of_the_watched_unit_are_as_far_open_as_its_gates(cell, gates):
    p = Params(steps=10, cell=cell, bias=2.0)
    played = states(p)
    seen = played[-1].seen
    labels = [
        shape.get("label", {}).get("text", "")
        for shape in draw(p, played, len(played) - 1).figure()["layout"]["shapes"]
    ]
    for gate in gates:
        shown = number(float(seen.terms[gate][-1]))
        assert any(text.endswith(shown) and len(text) > len(shown) for text in labels), gate


@pytest.mark.fact("bidirectional-rnn")
def test_with_two_directions_no_answer_stands_at_the_first_symbol_before_the_last_is_read():
    p = Params(task="next", bidirectional=True, T=12, steps=400)
    played = states(p)
    before, after = (answered(draw(p, played, len(played) - k).figure()) for k in (2, 1))
    assert 1 not in before and after == set(range(1, 12))


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"text": "Cabbage"}, ""),
        ({"text": "feed back!"}, " Left out of your text: 2 characters other than a–h."),
        ({"text": "k"}, TOO_FEW),
        ({"text": "  "}, ""),
        ({"text": "<b>&\n'"}, TOO_FEW),
        ({"text": "ab" * 30}, " Only the first 40 symbols of your text are read."),
        ({"text": "ab", "task": "echo"}, TOO_FEW),
        ({"text": "3+ 15+9", "task": "adding"}, " Left out of your text: 1 character other than 0–7."),
    ],
)
def test_it_is_said_at_the_start_and_at_the_end_what_was_changed_in_the_readers_text(values, said):
    p = Params(**values, steps=10)
    played = states(p)
    assert about_text(p) == said
    assert note(p, played, 0).endswith(said or ".") and note(p, played, len(played) - 1).endswith(said or ".")
    assert not said or not note(p, played, 1).endswith(said)


@pytest.mark.parametrize("preset", PRESETS, ids=lambda preset: preset.name)
def test_the_presets_end_as_they_say(preset):
    assert reached(preset.reach, metrics(states(Params(**preset.values))[-1]))
