"""Pictures of terms: which are stale, how small they are; on the real ones, whether they show what is so now."""

import random

import pytest

import glossary
from edition import pictures, stills
from glossary import Option, Question, Term
from glossary.entries import Asked

PIL = pytest.importorskip("PIL.Image")


@pytest.fixture
def one() -> Term:
    options = [Option(text="yes", right=True), Option(text="no")]
    question = Question(id="q", ask="?", options=options, run={"hidden": 0})
    return Term(
        slug="net", name="Net", definition="A net.", lesson="one", playground="mlp", asked=Asked(question=[question])
    )


def changed(term: Term, **run) -> Term:
    question = term.asked.question[0].model_copy(update={"run": run})
    return term.model_copy(update={"asked": term.asked.model_copy(update={"question": [question]})})


def drawn(sides: tuple[int, int]):
    """A picture that is hard to make small."""
    dice = random.Random(0)
    small = PIL.new("RGB", (sides[0] // 6, sides[1] // 6))
    small.putdata([tuple(dice.randrange(256) for _ in range(3)) for _ in range(small.width * small.height)])
    return small.resize(sides)


def test_a_picture_is_stale_when_it_is_missing_or_its_params_have_changed(one, tmp_path):
    assert stills.stale([one], tmp_path) == [one]
    for part in stills.PARTS:
        stills.file("net", part, tmp_path).touch()
    pictures._remember(tmp_path, {"net": stills.source(one)})
    assert stills.stale([one], tmp_path) == []
    assert stills.stale([changed(one, hidden=3)], tmp_path) != []
    stills.file("net", "card-dark.webp", tmp_path).unlink()
    assert stills.stale([one], tmp_path) == [one]


def test_a_term_without_a_playground_needs_none(tmp_path):
    assert stills.stale([Term(slug="word", name="Word", definition="A word.", lesson="one")], tmp_path) == []


def test_pictures_are_at_most_so_large():
    hard = drawn((1317, 672))
    made = pictures.webp(drawn((600, 400)))
    assert len(made) <= pictures.MOST_WEBP
    assert len(pictures.preview(drawn((400, 200)))) <= pictures.MOST_JPEG
    easy = PIL.new("RGB", hard.size, "white")
    assert PIL.open(pictures.io.BytesIO(pictures.webp(easy))).size == hard.size, "as sharp as it was drawn"
    assert PIL.open(pictures.io.BytesIO(pictures.preview(easy))).size == (1200, 630)


@pytest.mark.browser
def test_pictures_are_made_by_the_player_and_remembered(one, tmp_path, chromium):
    pictures.make([one], chromium, tmp_path, str)
    for part in stills.PARTS:
        path = stills.file("net", part, tmp_path)
        assert len(path.read_bytes()) <= (pictures.MOST_JPEG if path.suffix == ".jpg" else pictures.MOST_WEBP)
        with PIL.open(path) as picture:
            assert picture.width >= (300 if part.startswith("card") else 800) and picture.height >= 300
            assert len(picture.convert("RGB").resize((100, 60)).getcolors(6000)) > 20, f"{part} is empty"
    first = (stills.file("net", f"first-{name}.webp", tmp_path) for name in ("light", "dark"))
    light, dark = (PIL.open(path).convert("L") for path in first)
    assert light.size == dark.size and light.getpixel((2, 2)) > 200 > 60 > dark.getpixel((2, 2))
    assert stills.stale([one], tmp_path) == [] and stills.stale([changed(one, hidden=3)], tmp_path) != []


def test_pictures_of_a_term_that_is_gone_go_too(tmp_path, one):
    for part in stills.PARTS:
        stills.file("gone", part, tmp_path).touch()
        stills.file("net", part, tmp_path).touch()
    pictures._remember(tmp_path, {"gone": "a", "net": "b"})
    pictures.forget([one], tmp_path)
    assert stills.hashes(tmp_path) == {"net": "b"}
    assert not list(tmp_path.glob("gone-*")) and len(list(tmp_path.glob("net-*"))) == len(stills.PARTS)


@pytest.mark.check
def test_the_pictures_show_what_is_so_now():
    stale = [term.slug for term in stills.stale(glossary.load().terms)]
    assert stale == [], "make pictures"
