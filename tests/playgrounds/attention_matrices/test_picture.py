"""Notes and picture: every number comes with an arithmetic that gives it."""

import re
from functools import cache

import numpy as np
import pytest

from playgrounds.attention_matrices.arithmetic import arithmetic
from playgrounds.attention_matrices.model import STAGES, Params, State, run
from playgrounds.attention_matrices.picture import PRESETS, draw, note
from playgrounds.attention_matrices.tables import tables
from playgrounds.kit.conditions import reached
from playgrounds.kit.metrics import metrics


@cache
def states(**values) -> list[State]:
    return list(run(Params(**values)))


def notes(**values) -> list[str]:
    played = states(**values)
    return [note(Params(**values), played, now) for now in range(len(played))]


def parsed(text: str) -> float:
    """A number as words.number writes it."""
    mantissa, _, power = text.strip("() ").replace("−", "-").partition("·10")
    return float(mantissa) * 10.0 ** int(power.translate(str.maketrans("⁻⁰¹²³⁴⁵⁶⁷⁸⁹", "-0123456789")) or 0)


@pytest.mark.parametrize("values", [{}, {"mask": "causal", "order": "shuffled"}, {"source": "other sentence"}])
def test_every_cell_answers_with_an_arithmetic_that_gives_its_value(values):
    p = Params(**values)
    seen = states(**values)[-1].seen
    for table in tables(p, seen):
        for (i, j), value in np.ndenumerate(table.values):
            said = arithmetic(p, seen, table.name, i, j)
            if table.name == "Z" and np.isinf(seen.Z[i, j]):
                assert said.endswith("−∞")
                continue
            sums, _, result = said.rpartition(" = ")
            result = re.split(r": |,<br>", result)[1] if not sums else result
            assert parsed(result) == pytest.approx(value, rel=6e-3, abs=1e-12), said
            if "·" in sums and "products" not in sums and "10⁻" not in sums:
                terms = [
                    one.split("·") for one in re.split(r" \+ ", sums.rpartition(":<br>")[2].replace("<br>+", " +"))
                ]
                assert sum(parsed(a) * parsed(b) for a, b in terms) == pytest.approx(value, abs=0.02), said


def test_a_note_calculates_for_the_watched_token_wherever_it_stands():
    for order in ("as typed", "reversed", "shuffled"):
        assert [state.step for state in states(order=order, watch=2)] == list(range(1, len(STAGES) + 1))
        said = notes(order=order, watch=2)
        assert "x(dog)" in said[0] and "q₁(dog)" in said[1] and "o(dog)" in said[-1]
    assert "x(cat)" in notes(watch=10)[0], "past the end it is the last one"
    assert "Only the first 10 of your 12 words" in notes(text="a b c d e f g h i j k l")[0]
    assert states()[-1].order_error is None and "averages" in notes()[-1]


def test_a_sentence_without_words_is_told_so_and_draws_nothing():
    assert "no words" in notes(text="  ")[0] and len(states(text="  ")) == Params(text="  ").length == 1
    assert "other sentence has no words" in notes(source="other sentence", other=" ")[0]
    figure = draw(Params(text=""), states(text=""), 0).figure()
    assert figure["data"] == [] and figure["layout"]["xaxis"] == {"visible": False}


def test_in_cross_attention_no_token_sees_itself():
    assert notes()[6].endswith("sees all 6 tokens and so itself.")
    assert notes(source="other sentence")[6].endswith("sees all 3 tokens.")


def blocks(fig: dict, panels: set[str]) -> list[dict]:
    """The filled rectangles in these panels."""
    axes = {f"x{panel['suffix']}" for panel in fig["panels"] if panel["name"] in panels}
    return [one for one in fig["layout"]["shapes"] if one["xref"] in axes and one["line"]["width"] == 1]


def test_what_is_not_computed_yet_is_covered_and_a_masked_score_is_minus_infinity():
    p = Params(mask="causal")
    played = states(mask="causal")
    covers = [blocks(draw(p, played, i).figure(), set(STAGES)) for i in range(9)]
    assert [len(one) for one in covers[:6]] == [7, 6, 5, 4, 3, 2] and len(covers[8]) == 15
    assert {s["label"]["text"] for s in covers[8]} == {"−∞"}
    assert len(blocks(draw(p, played, 8).figure(), {"map"})) == 15, "nothing shines through the mask"


def test_the_path_shows_the_score_and_the_weight_of_every_token_once_they_are_computed():
    p = Params(mask="causal", watch=3)
    played = states(mask="causal", watch=3)

    def texts(now: int) -> list[str]:
        fig = draw(p, played, now).figure()
        (axis,) = (f"x{panel['suffix']}" for panel in fig["panels"] if panel["name"] == "path")
        return [s["label"]["text"] for s in fig["layout"]["shapes"] if s["xref"] == axis and "label" in s]

    assert not [text for text in texts(3) if text.endswith("%")] and texts(6).count("−∞") == 3
    weights = [float(text.removesuffix(" %")) for text in texts(8) if text.endswith("%")]
    assert len(weights) == 6 and sum(weights) == pytest.approx(100, abs=1) and weights[3:] == [0, 0, 0]


@pytest.mark.parametrize("preset", PRESETS, ids=lambda preset: preset.name)
def test_a_named_run_shows_what_it_promises(preset):
    assert reached(preset.reach, metrics(states(**preset.values)[-1]))
    default = Params()
    assert all(getattr(default, name) != value for name, value in preset.values.items())
