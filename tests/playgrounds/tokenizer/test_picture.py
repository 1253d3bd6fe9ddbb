"""The picture of a merge and of the encoded sentence."""

import pytest

from playgrounds.kit.palette import ORANGE
from playgrounds.tokenizer.model import PAIRS, UNK, Missing, Params, run
from playgrounds.tokenizer.picture import draw, reason


def drawn(p, states, now):
    return draw(p, states, now).figure()


def labels(fig):
    """The texts over the bars, from the top."""
    return [shape["label"]["text"] for shape in fig["layout"]["shapes"] if "label" in shape and shape["xref"] == "x"]


def rows(fig):
    """The rows of chips by the first words of their titles."""
    return {row["title"].split(":")[0]: row for row in fig["chips"]}


def bars(fig):
    return [shape for shape in fig["layout"]["shapes"] if "label" not in shape and shape["type"] == "rect"]


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
    assert f"and {states[1].ranking.size - PAIRS} more pairs" in labels(drawn(p, states, 1))[PAIRS]


def test_corpus_and_vocabulary_mark_the_new_token():
    p = Params(corpus="hugs")
    found = rows(drawn(p, list(run(p)), 1))
    corpus, vocabulary = found["Corpus"], found["Vocabulary of BPE"]
    assert [corpus["texts"][i] for i in corpus["marks"]] == ["ug"] * 3
    assert [vocabulary["texts"][i] for i in vocabulary["marks"]] == ["ug"]
    assert dict(zip(vocabulary["texts"], vocabulary["subs"], strict=True))["ug"] == "8", "after [UNK] and seven letters"
    assert [sub for sub in corpus["subs"] if sub] == ["×10", "×5", "×12", "×4", "×5"]
    assert corpus["title"] == "Corpus: 93 tokens in 36 words, 5 different"


def test_the_sentence_stands_in_four_rows_with_counts_ids_and_the_reason_of_unknowns():
    p = Params(corpus="hugs", sentence="hug mug")
    fig = drawn(p, list(run(p)), 4)
    characters, _, bpe, wordpiece = fig["chips"][-4:]
    assert characters["texts"] == ["h", "u", "g", " ", UNK, "u", "g"]
    assert bpe["texts"] == ["hug", "", UNK, "ug"] and bpe["subs"] == ["10", "0", "0 ← m", "8"]
    assert wordpiece["texts"] == ["hug", "", UNK] and wordpiece["marks"] == [2]
    assert [row["title"] for row in fig["chips"][-4:]] == [
        "Sentence by characters: 7 tokens, 1 [UNK] for m: not in the corpus",
        "Sentence by words: 2 tokens, 1 [UNK] for mug: not in the corpus",
        "Sentence by BPE after 4 merges: 3 tokens, 1 [UNK] for m: not in the corpus; only the character is lost",
        "Sentence by WordPiece after 4 merges: 2 tokens, 1 [UNK] for mug (no piece m): the whole word is lost",
    ]


@pytest.mark.parametrize("corpus", ["hugs", "English", "mixed"])
def test_a_token_has_one_colour_in_all_rows_and_at_all_steps(corpus):
    p = Params(corpus=corpus, merges=12, sentence="hug the Schiffe 東京 mugs")
    states = list(run(p))
    colours = {}
    for now in range(len(states)):
        for row in drawn(p, states, now)["chips"]:
            for text, colour in zip(row["texts"], row["colours"], strict=True):
                assert colours.setdefault(text.removeprefix("##"), colour) == colour
    assert colours[UNK] is None and len(set(colours.values())) > 4


def test_text_cannot_become_markup_in_the_figure():
    p = Params(corpus="own", text="<<i>> <<i>> &amp;", merges=3)
    states = list(run(p))
    texts = [text for now in range(len(states)) for text in labels(drawn(p, states, now))]
    assert any("&lt; + &lt;" in text for text in texts)
    assert not any("<" in text.replace("<b>", "").replace("</b>", "") for text in texts), "only the bold counts"


def test_invisible_characters_are_written_as_code():
    p = Params(corpus="mixed", sentence="👩‍💻 e\u0301")
    found = rows(drawn(p, list(run(p)), 0))
    assert found["Sentence by characters"]["texts"][:3] == ["👩", "⟨200D⟩", "💻"]
    assert "◌\u0301" in found["Sentence by characters"]["subs"][-1]


def test_a_missing_piece_is_told_with_its_twin():
    assert reason(Missing("g", "##g")) == "##g is a piece, g is not"
    assert reason(Missing("##h", "h")) == "h is a piece, ##h is not"
    assert reason(Missing("##z", "")) == "no piece ##z"
