"""What an address adds to the HTML: meta data, the layer, the status; each page once."""

import json
import re

import pytest

from edition import painter, stills
from edition.painter import Painter
from glossary import Glossary, GlossaryError, Lesson, Option, Question, Term
from glossary.entries import Asked

HOSTILE = "</script><script>alert('x')</script> & \"Co\" <!-- ​"
AT = "https://school.example/course"


def term(slug: str, **more) -> Term:
    given = {"name": slug.title(), "definition": f"What {slug} is, with $a<b$. And more of it.", "lesson": "one"}
    return Term(slug=slug, **(given | more))


@pytest.fixture
def glossary() -> Glossary:
    options = [Option(text="yes", right=True), Option(text="no")]
    question = Question(id="q", ask="?", options=options, run={"hidden": 0})
    lesson = Lesson(slug="one", title="Lesson <one>", sentence="A lesson about [[plain]].")
    terms = [
        term("plain", see_also=["hostile"]),
        term("hostile", name=HOSTILE, aliases=[HOSTILE], exam=f"It is {HOSTILE}."),
        term("net", playground="mlp", preset={"hidden": 2}, asked=Asked(question=[question])),
    ]
    return Glossary([lesson], terms, [])


@pytest.fixture
def paint(glossary):
    return Painter(lambda: glossary, lambda: {"playground-mlp"}).paint


@pytest.fixture
def pictures(monkeypatch, tmp_path):
    monkeypatch.setattr(stills, "FOLDER", tmp_path)
    for slug in ("plain", "hostile", "net"):
        for part in stills.PARTS:
            stills.file(slug, part).write_bytes(b"picture")


def properties(head: str) -> dict[str, str]:
    return dict(re.findall(r'<meta (?:name|property)="([^"]+)" content="([^"]*)">', head))


def linked_data(head: str) -> dict:
    return json.loads(re.search(r'<script type="application/ld\+json">(.*?)</script>', head)[1])


def test_a_terms_head_has_its_name_its_sentence_and_its_address(paint):
    head = paint("plain", host=AT).head
    assert "<title>Plain · Trainable Glossary</title>" in head
    said = properties(head)
    assert said["description"] == said["og:description"] == "What plain is, with a &lt; b."
    assert said["og:title"] == "Plain"
    assert f'<link rel="canonical" href="{AT}/plain">' in head


def test_a_term_is_a_defined_term_for_search_engines(paint):
    data = linked_data(paint("plain", host=AT).head)
    assert (data["@type"], data["name"], data["url"]) == ("DefinedTerm", "Plain", f"{AT}/plain")
    assert data["description"] == "What plain is, with a < b."
    assert data["inDefinedTermSet"]["url"] == f"{AT}/"


def test_a_hostile_name_stays_a_name_everywhere(paint):
    made = paint("hostile", host=AT)
    assert linked_data(made.head)["name"] == HOSTILE.strip()
    assert made.head.count("<script") == 1 and made.body.count("<script") == 1, "the data, and the script of the layer"
    for html in (made.head, made.body, paint("plain", host=AT).body, paint("lesson-one", host=AT).body):
        assert "<script>alert" not in html and "<!--" not in html
    ours = re.search(r'<script type="application/ld\+json">(.*?)</script>', made.head)[1]
    assert not set("<>&") & set(ours)


@pytest.mark.parametrize("query", ["hidden=</script><script>alert(1)</script>", "data=%3Cscript%3E", "step=<b>"])
def test_a_hostile_link_adds_nothing_of_its_own(paint, query):
    made = paint("net", query, AT)
    assert "<script>alert" not in made.head + made.body and "<b>" not in made.head + made.body


def test_the_layer_has_name_and_sentence_and_the_whole_definition_without_scripts(paint):
    body = paint("plain").body
    layer, whole = body.split("<noscript>")
    assert 'role="heading" aria-level="1">Plain</p>' in layer
    assert "What plain is" in layer and "And more of it" not in layer
    assert "And more of it" in whole and '<a href="hostile">' in whole
    assert "<h1" not in body, "the first h1 of the page is the one that says that it is drawn"


def test_only_a_page_with_a_player_waits_for_one_and_begins_to_load_its_library(paint):
    assert "data-player" in paint("net").body and 'rel="preload" as="fetch"' in paint("net").head
    assert "data-player" not in paint("plain").body.split("<script>")[0] and "preload" not in paint("plain").head


def test_a_plain_link_shows_the_first_frame_in_both_themes(paint, pictures):
    made = paint("net", "", AT)
    assert 'src="app/static/pictures/net-first-light.webp?v=' in made.body
    assert 'media="(prefers-color-scheme: dark)"' in made.body
    assert properties(made.head)["og:image"].startswith(f"{AT}/app/static/pictures/net-preview.jpg?v=")


def test_without_pictures_nothing_points_to_them(paint, monkeypatch, tmp_path):
    monkeypatch.setattr(stills, "FOLDER", tmp_path)
    made = paint("net", "", AT)
    assert "static/pictures" not in made.head + made.body and "og:image" not in made.head


@pytest.mark.parametrize("query", ["hidden=3", "step=4", "pinned=preset", "present=true", "view=heads"])
def test_a_link_with_a_state_shows_no_picture(paint, pictures, query):
    assert "<picture" not in paint("net", query, AT).body


@pytest.mark.parametrize("query", ["embed=true", "embed=true&embed_options=dark_theme", "hide=code", "lock=rate"])
def test_how_a_page_is_shown_is_no_state(paint, pictures, query):
    assert "<picture" in paint("net", query, AT).body


@pytest.mark.parametrize("query", ["hide=question", "lock=hidden", "lock=all", "hide=hidden"])
def test_a_link_that_keeps_the_page_from_its_opening_run_shows_no_picture(paint, pictures, query):
    assert "<picture" not in paint("net", query, AT).body


def test_an_embedding_page_may_choose_the_theme(paint, pictures):
    dark, light = (paint("net", f"embed=true&embed_options={name}_theme").body for name in ("dark", "light"))
    assert 'data-theme="dark"' in dark and "first-dark.webp" in dark and "media=" not in dark
    assert 'data-theme="light"' in light and "first-dark.webp" not in light


def test_the_title_of_a_preview_names_the_knobs_that_differ(paint):
    title = properties(paint("net", "hidden=3&rate=0.2", AT).head)["og:title"]
    assert title == "Net · Hidden units 3, Learning rate η 0.2"
    assert properties(paint("net", "hidden=2", AT).head)["og:title"] == "Net", "the preset's own"
    assert properties(paint("net", "nonsense=1&step=3", AT).head)["og:title"] == "Net"
    many = "hidden=3&rate=0.2&seed=4&epochs=100&data=moons&activation=relu"
    assert re.search(r", \d more$", properties(paint("net", many, AT).head)["og:title"])


def test_home_and_lessons_are_painted_too(paint):
    home, lesson = paint("", "", AT), paint("lesson-one", "", AT)
    assert f'<link rel="canonical" href="{AT}/">' in home.head and "Lesson &lt;one&gt;" in home.body
    assert "Lesson 1 of 1" in lesson.body and '<a href="net">' in lesson.body


def test_only_addresses_of_pages_are_found(paint):
    assert paint("nothing").status == 404 and not paint("nothing").body
    assert "<title>No such page" in paint("nothing").head
    for address in ("playground-mlp", "playground_mlp", "plain", "PLAIN", "lesson-one", "lesson_one", ""):
        assert paint(address).status == 200, address


def test_a_page_is_rendered_once_for_all_who_ask_for_it(paint, monkeypatch):
    first = paint("net", "hidden=3", AT)
    monkeypatch.setattr(painter, "_painted", lambda *_: pytest.fail("it was rendered again"))
    assert paint("net", "hidden=3&utm=1", AT) is first


def test_no_more_than_so_many_pages_are_kept(glossary, monkeypatch):
    monkeypatch.setattr(painter, "MOST", 3)
    some = Painter(lambda: glossary)
    for n in range(10):
        some.paint("plain", "", f"http://host{n}")
    assert len(some._made) == 3


def test_a_changed_glossary_is_painted_anew(glossary, monkeypatch):
    now, seconds = [glossary], [0.0]
    monkeypatch.setattr(painter.time, "monotonic", lambda: seconds[0])
    some = Painter(lambda: now[0])
    assert "What plain is" in some.paint("plain").body
    now[0] = Glossary(glossary.lessons, [term("plain", definition="Something else.")], [])
    seconds[0] += painter.FRESH
    assert "Something else" in some.paint("plain").body


def test_mistakes_in_the_courses_files_leave_the_page_to_the_app():
    def load():
        raise GlossaryError(["glossary.toml: …"])

    made = Painter(load).paint("plain")
    assert (made.status, made.body) == (200, "")


def test_the_setting_says_the_public_address(glossary, monkeypatch):
    monkeypatch.setenv(painter.SETTING, "https://public.example/g/")
    head = Painter(lambda: glossary).paint("plain", "", "http://inside:8501").head
    assert 'href="https://public.example/g/plain"' in head and "inside" not in head


def test_a_setting_that_is_no_address_is_told_and_not_used(glossary, monkeypatch, caplog):
    monkeypatch.setenv(painter.SETTING, "public.example")
    head = Painter(lambda: glossary).paint("plain", "", AT).head
    assert f"{AT}/plain" in head and "is no address" in caplog.text


def test_without_any_address_there_is_no_canonical_one(paint):
    assert "canonical" not in paint("plain", "", "").head
