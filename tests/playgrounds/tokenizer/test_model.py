"""Facts about tokenization, and the tokenizer playground against Hugging Face's `tokenizers`."""

import json
import random
from collections import Counter
from itertools import pairwise

import plotly.graph_objects as go
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tokenizers import Tokenizer, models, pre_tokenizers, trainers

from playgrounds._corpora import CORPORA, split
from playgrounds.kit.film import Film
from playgrounds.tokenizer.model import BPE, UNK, Missing, Params, WordPiece, run
from playgrounds.tokenizer.picture import draw, note

METHODS = ("BPE", "WordPiece")


def learn(**knobs):
    return list(run(Params(**knobs)))


def told(states, now=-1, **knobs):
    """The note of a state of such a run."""
    return note(Params(**knobs), states, now % len(states))


def merges(states):
    return [s.ranking.top[0][:2] for s in states[1:]]


def words_of(encoding):
    """The tokens of an encoding, word by word."""
    return [part.split("\n") for part in "\n".join(encoding.tokens).split("\n\n")] if encoding.tokens else []


def random_corpus(seed, letters="abcdefgh"):
    """Up to twelve words over a few letters, with counts that seldom lead to ties."""
    rng = random.Random(seed)
    letters = letters[: rng.randrange(3, 9)]
    word = lambda: "".join(rng.choice(letters) for _ in range(rng.randrange(1, 9)))  # noqa: E731
    text = " ".join(" ".join([word()] * rng.randrange(1, 60)) for _ in range(rng.randrange(3, 12)))
    return text, " ".join(word() + rng.choice(["", "", "x", "ä"]) + word() for _ in range(8))


def until_tie(states):
    """The states before the first merge that a tie decided."""
    first = next((i for i, s in enumerate(states[1:], 1) if s.ranking.tied > 1), len(states))
    return states[:first]


# Facts of the course


@pytest.mark.fact("byte-pair-encoding")
def test_bpe_on_the_course_corpus_merges_ug_un_hug_pun():
    states = learn(corpus="hugs", merges=4)
    assert [(s.merged, s.ranking.top[0].together) for s in states[1:]] == [
        ("ug", 20),
        ("un", 16),
        ("hug", 15),
        ("pun", 12),
    ]
    assert [s.tokens for s in states] == [113, 93, 77, 62, 50]
    assert [s.vocabulary for s in states] == [7, 8, 9, 10, 11]
    assert all(s.ranking.tied == 1 for s in states[1:])


@pytest.mark.fact("byte-pair-encoding")
def test_common_words_become_one_token_and_rare_ones_stay_in_parts():
    pieces = {"".join(pieces): (n, len(pieces)) for pieces, n in learn(corpus="hugs", merges=4)[-1].corpus}
    assert pieces == {"hug": (10, 1), "pug": (5, 2), "pun": (12, 1), "bun": (4, 2), "hugs": (5, 2)}


@pytest.mark.fact("byte-pair-encoding")
def test_aaabdaaabac_shrinks_to_five_tokens_and_its_second_merge_is_a_tie():
    states = learn(corpus="aaabdaaabac", merges=3)
    assert [s.tokens for s in states] == [11, 9, 7, 5]
    assert states[1].ranking.tied == 1 and states[1].ranking.top[0].together == 4
    assert states[2].ranking.tied == 2
    assert merges(states)[1] == ("aa", "a"), "of the tied pairs the one that comes first in the text"
    assert "and so do a + b: a tie, won by the pair that comes first" in told(states, 2)


@pytest.mark.fact("byte-pair-encoding")
def test_encoding_replays_the_merges_in_the_order_learned():
    bpe = BPE({"abc": 1})
    bpe.merge("b", "c")
    bpe.merge("a", "b")
    assert bpe.encode("abc") == ["a", "bc"], "bc was learned first, although ab stands first"
    assert bpe.encode("abab") == ["ab", "ab"]


@pytest.mark.fact("tokenization")
def test_mug_costs_bpe_one_character_and_wordpiece_the_whole_word():
    for state in learn(corpus="hugs", sentence="mug", merges=4)[1:]:
        assert state.by_bpe.tokens == (UNK, "ug")
        assert state.by_bpe.lost == ("m", "")
        assert state.by_wordpiece.tokens == (UNK,)
        assert state.by_wordpiece.lost == ("mug",)
        assert state.by_wordpiece.missing == (Missing("m", ""),)


@pytest.mark.fact("tokenization")
def test_subwords_stand_between_characters_and_words_in_length_and_in_unknowns():
    state = learn(corpus="English", merges=60, least=2, sentence="The slowest walker knew 7 bridges.")[-1]
    all_four = (state.by_character, state.by_word, state.by_bpe, state.by_wordpiece)
    character, word, bpe, wordpiece = (len(e.tokens) - e.tokens.count("") for e in all_four)
    assert word < bpe < character and word < wordpiece < character
    character, word, bpe, wordpiece = (e.tokens.count(UNK) for e in all_four)
    assert character == bpe == 1 and bpe < wordpiece < word


@pytest.mark.fact("wordpiece")
def test_wordpiece_and_bpe_differ_in_the_first_merge_already():
    by_wordpiece = learn(corpus="hugs", merges=1, method="WordPiece")
    wordpiece, bpe = by_wordpiece[-1], learn(corpus="hugs", merges=1)[-1]
    assert wordpiece.ranking.top[0][:2] == ("##g", "##s") and wordpiece.ranking.top[0].score == 1 / 20
    assert bpe.ranking.top[0][:2] == ("u", "g")
    assert "the most frequent pair, ##u + ##g (20 times), has 0.0278" in told(by_wordpiece, method="WordPiece")


@pytest.mark.fact("wordpiece")
def test_the_third_merge_of_wordpiece_is_hugs_not_hug():
    third = learn(corpus="hugs", merges=3, method="WordPiece")[-1]
    scores = {pair[:2]: pair.score for pair in third.ranking.top}
    assert third.merged == "hugs" and merges([None, third]) == [("hu", "##gs")]
    assert scores["hu", "##gs"] == pytest.approx(5 / (15 * 5)) == pytest.approx(0.067, abs=5e-4)
    assert scores["hu", "##g"] == pytest.approx(10 / (15 * 15)) == pytest.approx(0.044, abs=5e-4)


@pytest.mark.fact("wordpiece")
def test_wordpiece_encodes_by_longest_match_not_by_its_merges():
    wordpiece = WordPiece({"abc": 1})
    wordpiece.merge("##b", "##c")
    wordpiece.merge("a", "##b")
    assert wordpiece.encode("abc") == ["ab", "##c"], "the longest match wins, although ##bc was learned first"


def test_wordpiece_says_when_a_letter_is_known_only_inside_words():
    state = learn(corpus="hugs", sentence="gum bugh huz", merges=1)[0]
    assert state.by_wordpiece.missing == (Missing("g", "##g"), Missing("##h", "h"), Missing("##z", ""))


# Against the library


@pytest.mark.parametrize("least", [1, 3])
def test_bpe_without_ties_is_that_of_the_tokenizers_library(least):
    compared = 0
    for seed in range(120):
        text, sentence = random_corpus(seed)
        merges_wanted = len(until_tie(learn(corpus="own", text=text, merges=40, least=least))) - 1
        if not merges_wanted:
            continue
        states = learn(corpus="own", text=text, sentence=sentence[:200], merges=merges_wanted, least=least)
        oracle = Tokenizer(models.BPE(unk_token=UNK))
        oracle.pre_tokenizer = pre_tokenizers.Whitespace()
        trainer = trainers.BpeTrainer(
            vocab_size=states[-1].vocabulary + 1, min_frequency=least, special_tokens=[UNK], show_progress=False
        )
        oracle.train_from_iterator([text], trainer)
        learned = [tuple(pair) for pair in json.loads(oracle.to_str())["model"]["merges"]]
        assert merges(states) == learned
        encoding, expected = states[-1].by_bpe, oracle.encode(sentence[:200])
        assert [t for t in encoding.tokens if t] == expected.tokens
        assert [i for i, t in zip(encoding.ids, encoding.tokens, strict=True) if t] == expected.ids
        compared += len(learned)
    assert compared > 300


def test_wordpiece_encodes_as_the_tokenizers_library_does_with_the_same_vocabulary():
    cases = [random_corpus(seed) for seed in range(60)]
    cases += [(CORPORA["English"], CORPORA["English"][-190:]), (CORPORA["mixed"], CORPORA["mixed"][-190:])]
    unknown = 0
    for text, sentence in cases:
        states = learn(corpus="own", text=text, sentence=sentence[:200], merges=30, method="WordPiece")
        learner = WordPiece(Counter(split(text)))
        for a, b in merges(states):
            learner.merge(a, b)
        oracle = Tokenizer(models.WordPiece(learner.ids, unk_token=UNK, max_input_chars_per_word=200))
        oracle.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
        expected = oracle.encode(" ".join(split(sentence[:200])))
        encoding = states[-1].by_wordpiece
        assert [t for t in encoding.tokens if t] == expected.tokens
        assert [i for i, t in zip(encoding.ids, encoding.tokens, strict=True) if t] == expected.ids
        unknown += states[-1].unknown
    assert unknown > 20


@given(
    st.text(st.characters(min_codepoint=9, max_codepoint=126, exclude_categories=["Cc"]) | st.sampled_from("_ \t\n"))
)
def test_ascii_text_is_split_into_words_as_by_the_library(text):
    expected = [word for word, _ in pre_tokenizers.Whitespace().pre_tokenize_str(text)]
    if "_" not in text:  # a letter for the library's regular expression, a sign here
        assert split(text) == expected


def test_marks_and_joiners_stay_in_the_word_they_belong_to():
    assert split("नमस्ते 👩‍💻, cafe\u0301!") == ["नमस्ते", "👩‍💻,", "cafe\u0301", "!"]
    assert split("می‌خواهم\u00a0x2") == ["می‌خواهم", "x2"]


# Laws that hold for every text

texts = st.text(max_size=150) | st.text("ab \n", max_size=150) | st.text(st.characters(codec="ascii"), max_size=150)


@settings(max_examples=60, deadline=None)
@given(texts)
def test_decoding_the_tokens_of_known_text_gives_back_the_text(text):
    state = learn(corpus="own", text=text, sentence=text, merges=20)[-1]
    assert not any(e.tokens.count(UNK) for e in (state.by_character, state.by_word, state.by_bpe, state.by_wordpiece))
    assert "".join(state.by_character.tokens) == " ".join(text.split())
    assert ["".join(word) for word in words_of(state.by_word)] == split(text)
    assert ["".join(word) for word in words_of(state.by_bpe)] == split(text)
    pieces = words_of(state.by_wordpiece)
    assert all(piece.startswith("##") for word in pieces for piece in word[1:])
    assert ["".join([word[0], *(piece[2:] for piece in word[1:])]) for word in pieces] == split(text)
    assert "".join(split(text)) == "".join(text.split())


@settings(max_examples=60, deadline=None)
@given(texts.filter(lambda text: "#" not in text), st.sampled_from(METHODS))
def test_every_merge_adds_one_entry_and_never_makes_the_corpus_longer(text, method):
    states = learn(corpus="own", text=text, sentence=text, merges=100, method=method)
    for now, (before, after) in enumerate(pairwise(states), start=1):
        assert after.vocabulary == before.vocabulary + 1
        assert after.tokens < before.tokens
        assert after.ranking.top[0].score == max(pair.score for pair in after.ranking.top)
        assert told(states, now, corpus="own", text=text, method=method).startswith("Merge ")
    if len(states) < 101:
        assert states[-1].tokens == states[-1].all_words, "no pair is left: every word is one token"


def test_a_hash_sign_can_make_a_piece_that_is_there_already():
    knobs = {"corpus": "own", "text": "##! " * 3 + "?! " * 9, "merges": 10, "method": "WordPiece"}
    states = learn(**knobs)
    notes = [told(states, now, **knobs) for now in range(len(states))]
    now = next(i for i, said in enumerate(notes) if "##! is in the vocabulary already" in said)
    before, after = states[now - 1], states[now]
    assert after.vocabulary == before.vocabulary and after.newest == before.newest


def test_pairs_below_the_least_count_are_never_merged():
    states = learn(corpus="hugs", merges=20, least=10)
    assert [s.merged for s in states[1:]] == ["ug", "un", "hug", "pun"]
    assert told(states, least=10).endswith("No pair is left that occurs at least 10 times.")


def test_pairs_never_span_two_words():
    assert learn(corpus="own", text="ab ab ab. c", merges=10)[-1].merged == "ab"


# Any text at all


@pytest.mark.parametrize("text", ["", " ", " \n\t\u3000 "])
@pytest.mark.parametrize("method", METHODS)
def test_a_corpus_without_words_gives_one_state_that_says_what_to_do(text, method):
    p = Params(corpus="own", text=text, sentence=text, method=method)
    (state,) = run(p)
    assert note(p, [state], 0) == "The corpus has no words: type some, or choose one that is there."
    fig = draw(p, [state], 0).figure()
    go.Figure(data=fig["data"], layout=fig["layout"])


def test_a_corpus_of_single_characters_has_nothing_to_merge():
    states = learn(corpus="own", text="a b c a", merges=10)
    assert len(states) == 1 and told(states).endswith("No pair is left: every word is one token.")


@settings(max_examples=40, deadline=None)
@given(st.text(max_size=300), st.text(max_size=200), st.sampled_from(METHODS), st.integers(1, 12), st.integers(1, 3))
def test_any_unicode_text_runs_and_every_figure_is_valid(text, sentence, method, merges, least):
    p = Params(corpus="own", text=text, sentence=sentence, method=method, merges=merges, least=least)
    states = list(run(p))
    assert 1 <= len(states) <= merges + 1
    film = Film(note, draw, p, p.length)
    film.extend(states, True)
    film.message()
    for now in {0, len(states) - 1}:
        fig = draw(p, states, now).figure()
        go.Figure({"data": fig["data"], "layout": fig["layout"]})
        assert all(len(row["texts"]) == len(row["colours"]) == len(row["subs"]) for row in fig["chips"])


rng = random.Random(0)
WORST = {
    "Chinese characters at random": "".join(chr(rng.randrange(0x4E00, 0x9FFF)) for _ in range(20_000)),
    "one letter": "a" * 20_000,
    "emoji with joiners": "👩‍💻👨‍🚀" * 3333,
    "words of one character": " ".join(chr(rng.randrange(0x4E00, 0x9FFF)) for _ in range(10_000)),
    "only spaces": " " * 20_000,
}


@pytest.mark.parametrize("name", WORST)
def test_the_longest_legal_texts_stay_within_the_bounds(name):
    text = WORST[name]
    p = Params(corpus="own", text=text, sentence=text[:200], method="WordPiece", merges=300)  # BPE learns as well
    states = list(run(p))
    film = Film(note, draw, p, p.length)
    film.extend(states, True)
    assert len(states) <= 301
    assert len(film.message()) < 8e6


def test_longer_texts_are_refused_with_a_sentence():
    _, problems = Params.from_query({"text": "a" * 20_001}, Params())
    assert problems == [
        "text: the text has 20,001 characters, up to 20,000 are taken: shorten it, or load the sample."
        " The text of this page is kept."
    ]


@pytest.mark.parametrize("method", METHODS)
def test_the_same_params_give_the_same_states(method):
    p = Params(corpus="mixed", merges=30, method=method)
    assert list(run(p)) == list(run(p))
