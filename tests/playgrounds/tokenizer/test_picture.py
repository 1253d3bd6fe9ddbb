"""The picture of a merge and of the cut sentence."""

import re

import numpy as np
import pytest

from playgrounds.kit.film import Film
from playgrounds.kit.palette import BLUE, FAINT, ORANGE
from playgrounds.tokenizer.boxes import Cells, visible
from playgrounds.tokenizer.diagram import reason, said_of_words, spans_of, ways_of
from playgrounds.tokenizer.model import PAIRS, Missing, Params, run
from playgrounds.tokenizer.picture import draw, note

SENTENCE = "The slowest walker knew 7 bridges."


def drawn(p, states, now):
    return draw(p, states, now).figure()


def place(fig, name):
    return "x" + next(panel["suffix"] for panel in fig["panels"] if panel["name"] == name)


def labels(fig, name="pairs"):
    """The texts that may change in a panel, in the order in which they were drawn."""
    shapes = fig["layout"]["shapes"]
    return [s["label"]["text"].replace("\u200e", "") for s in shapes if "label" in s and s["xref"] == place(fig, name)]


def bars(fig):
    return [s for s in fig["layout"]["shapes"] if s["type"] == "rect" and "label" not in s and s["xref"] == "x2"]


def boxes(fig, name, fill):
    """Left and right sides of the boxes filled in a colour, and the middles of their heights, in the order drawn."""
    found = []
    for shape in fig["layout"]["shapes"]:
        if shape["xref"] == place(fig, name) and shape["type"] == "path" and shape.get("fillcolor") == fill:
            for left, low, right, high in re.findall(r"M([-\d.e]+),([-\d.e]+)H([-\d.e]+)V([-\d.e]+)", shape["path"]):
                found.append((float(left), float(right), (float(low) + float(high)) / 2))
    for trace in fig["data"]:
        if trace["xaxis"] == place(fig, name) and trace.get("fillcolor") == fill:
            x, y = (np.reshape(trace[side], (-1, 6)) for side in "xy")
            found += list(zip(x.T[0], x.T[1], (y.T[0] + y.T[2]) / 2, strict=True))
    return found


def written(fig, name):
    """The letters that stand still in a panel, by their place."""
    traces = [t for t in fig["data"] if t["xaxis"] == place(fig, name) and t["mode"] == "text"]
    return {(x, y): text for t in traces for x, y, text in zip(t["x"], t["y"], t["text"], strict=True)}


def inside(letters, box):
    """The letters in a box."""
    left, right, middle = box
    return "".join(c for (x, y), c in sorted(letters.items()) if left < x < right and abs(y - middle) < 0.2)


def test_the_merged_pair_is_orange_and_tied_pairs_are_outlined_and_marked():
    p = Params(corpus="aaabdaaabac", merges=3)
    states = list(run(p))
    fig = drawn(p, states, 2)
    texts = labels(fig)
    assert [shape["fillcolor"] == ORANGE for shape in bars(fig)] == [True, False, False, False, False, False]
    assert [shape["line"]["color"] == ORANGE for shape in bars(fig)] == [True, True, False, False, False, False]
    assert texts[0].endswith("tied, first") and texts[1].endswith("tied")
    assert not any("tied" in text for text in texts[2:])
    assert not any(shape["fillcolor"] == ORANGE for shape in bars(drawn(p, states, 0))), "nothing is merged yet"


def test_a_bar_is_as_long_as_its_pair_is_frequent():
    p = Params(corpus="hugs")
    lengths = [shape["x1"] for shape in bars(drawn(p, list(run(p)), 1))]
    assert lengths == pytest.approx([n / 20 for n in (20, 17, 16, 15, 5, 4)], abs=1e-4)


def test_pairs_without_a_bar_are_counted_below():
    p = Params(corpus="English", merges=1)
    states = list(run(p))
    assert f" and {states[1].ranking.size - PAIRS} more pairs" == labels(drawn(p, states, 1))[PAIRS]


def test_in_the_words_the_pieces_join_the_newest_are_orange_and_their_counts_are_added():
    p = Params(corpus="hugs")
    states = list(run(p))
    fig = drawn(p, states, 0)
    assert not boxes(fig, "words", ORANGE) and not boxes(fig, "words", BLUE), "single letters"
    assert [text for text in written(fig, "words").values() if text[0] == "×"] == ["×10", "×5", "×12", "×4", "×5"]
    fig, letters = drawn(p, states, 2), written(drawn(p, states, 2), "words")
    assert [inside(letters, box) for box in boxes(fig, "words", ORANGE)] == ["un", "un"]
    assert [inside(letters, box) for box in boxes(fig, "words", BLUE)] == ["ug", "ug", "ug"]
    assert labels(fig, "words") == ["u + n: 12 + 4 = 16 times"]


def test_letters_stand_still_while_the_boxes_join():
    for p in (Params(), Params(corpus="English", merges=12, method="WordPiece", sentence=SENTENCE)):
        states = list(run(p))
        for name in ("words", "sentence"):
            first, *later = [written(drawn(p, states, now), name) for now in range(len(states))]
            assert first and all(one == first for one in later)


def test_the_vocabulary_marks_the_new_token_and_says_its_id():
    p = Params(corpus="hugs")
    fig = drawn(p, list(run(p)), 1)
    texts = labels(fig, "vocabulary")
    assert texts[-1] == "ug  8", "after [UNK] and seven letters"
    shapes = [s for s in fig["layout"]["shapes"] if s["xref"] == place(fig, "vocabulary")]
    assert [s["label"]["font"]["color"] == ORANGE for s in shapes] == [*7 * [False], True]


def test_an_english_sentence_is_cut_four_ways_with_counts_and_ids():
    p = Params(corpus="English", merges=60, least=2, sentence=SENTENCE)
    states = list(run(p))
    fig = drawn(p, states, 60)
    assert fig["panels"][2]["name"] == "sentence" and fig["panels"][2]["hero"]
    texts = labels(fig, "sentence")
    headings = [text for text in texts if "token" in text]
    assert headings == [
        "Characters: 34 tokens, 1 unknown",
        "Words: 7 tokens, 4 unknown",
        "<b>BPE: 11 tokens, 1 unknown</b>",
        "WordPiece: 13 tokens, 2 unknown (no piece k)",
    ]
    ids = [text for text in texts if "token" not in text]
    assert ids[-13 - 11 : -13] == [str(i) for i, token in zip(*states[60].by_bpe[1::-1], strict=True) if token]
    letters = written(fig, "sentence")
    assert {inside(letters, box) for box in boxes(fig, "sentence", FAINT)} == {"7", "walker", "knew", "bridges"}
    pieces = [inside(letters, box) for box in boxes(fig, "sentence", BLUE)]
    assert pieces[-2:] == ["The", "slowest"] and {"slow", "est", "walk", "er"} <= set(pieces)


def test_a_short_corpus_stands_on_top_and_below_it_how_both_methods_cut():
    p = Params(corpus="hugs", sentence="hug mug")
    fig = drawn(p, list(run(p)), 4)
    assert fig["panels"][0]["name"] == "words" and fig["panels"][0]["hero"]
    assert [text for text in labels(fig, "sentence") if "token" in text] == [
        "<b>BPE: 3 tokens, 1 unknown</b>",
        "WordPiece: 2 tokens, 1 unknown (no piece m)",
    ]


@pytest.mark.parametrize("corpus", ["hugs", "English", "mixed"])
def test_the_spans_of_every_cut_go_through_the_sentence_without_gaps(corpus):
    sentence = "hug the Schiffe 東京 mugs"
    p = Params(corpus=corpus, merges=12, sentence=sentence)
    for state in run(p):
        for way in ways_of(p, state, all_four=True):
            covered = "".join(sentence[one.start : one.start + one.length] for one, _ in spans_of(way, sentence))
            assert covered == (sentence if way.name == "Characters" else sentence.replace(" ", ""))
            for one, number in spans_of(way, sentence):
                assert (one.look == "unknown") == (number == 0)


def test_pointing_at_a_word_tells_its_tokens_or_why_it_has_none():
    p = Params(corpus="hugs", sentence="bugs gum", method="WordPiece", merges=4)
    *_, wordpiece = ways_of(p, list(run(p))[-1], all_four=False)
    one, other = said_of_words(wordpiece)
    assert one.replace("\u200e", "") == "b (5) ##u (4) ##gs (8)" and other == "[UNK]: ##g is a piece, g is not"


def test_text_cannot_become_markup_in_the_figure():
    p = Params(corpus="own", text="<<i>> <<i>> &amp;", sentence="<b>bold</b>", merges=3)
    states = list(run(p))
    texts = []
    for now in range(len(states)):
        fig = drawn(p, states, now)
        texts += [text for name in ("pairs", "words", "sentence", "vocabulary") for text in labels(fig, name)]
        texts += [text for name in ("words", "sentence") for text in written(fig, name).values()]
        texts += [text for trace in fig["data"] for text in trace.get("hovertext", [])]
    assert any("&lt; + &lt;" in text for text in texts)
    assert not any("<" in re.sub("</?b>", "", text) for text in texts), "only what is bold"


def test_invisible_characters_are_dots_or_code():
    p = Params(corpus="mixed", sentence="👩‍💻 e\u0301")
    states = list(run(p))
    fig = drawn(p, states, 0)
    assert {"👩", "·", "💻"} <= set(written(fig, "sentence").values())
    assert any("⟨200D⟩" in text for trace in fig["data"] for text in trace.get("hovertext", []))
    assert visible("\u0301") == "◌\u0301"


def test_a_missing_piece_is_told_with_its_twin():
    assert reason(Missing("g", "##g")) == "##g is a piece, g is not"
    assert reason(Missing("##h", "h")) == "h is a piece, ##h is not"
    assert reason(Missing("##z", "")) == "no piece ##z"


def test_cells_break_between_words_where_they_can():
    cells = Cells("hug pug pun", 7)
    assert cells.lines == 2 and cells.at[8] == (1, 0)
    assert list(Cells("abcdef", 4).parts(2, 3)) == [(0, 2, 4), (1, 0, 1)], "a token may go on in the next line"


def test_the_longest_film_is_light():
    p = Params(corpus="English", merges=300, sentence=(SENTENCE + " ") * 5)
    states = list(run(p))
    film = Film(note, draw, p, p.length)
    film.extend(states, True)
    assert len(film.message()) < 2.5e6
