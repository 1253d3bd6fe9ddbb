"""Pages, opened and used as a reader's session does it: nothing raises, and the URL is the whole state."""

import gzip
import json
import re
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from functools import cache
from html import escape, unescape
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from urllib.parse import unquote

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from streamlit.components.v2.component_manager import BidiComponentManager
from streamlit.testing.v1 import AppTest
from streamlit.util import calc_hash

import glossary
from pages import about, site
from pages import playground as workbench
from playgrounds.kit import Params, catalogue, runs
from playgrounds.kit.params import Knob
from playgrounds.kit.runs import Run
from playgrounds.stage import computing
from playgrounds.stage.player import Report
from tests.short_runs import ODD_TEXTS, three

ROOT = Path(__file__).resolve().parent.parent
HOST = "http://localhost:8501"
REAL = glossary.load()
TRAINABLE = [term for term in REAL.terms if term.playground]

every_playground = pytest.mark.parametrize("name", catalogue.names())


@pytest.fixture(scope="module", autouse=True)
def rounds_are_short() -> Iterator[None]:
    """A reader's turn at the computer is so short that long runs cost these tests little."""
    with pytest.MonkeyPatch.context() as patch:
        for name in ("FIRST", "ROUND"):
            patch.setattr(computing, name, 0.03)
        yield


@cache
def installed_components() -> BidiComponentManager:
    manager = BidiComponentManager()
    manager.discover_and_register_components(start_file_watching=False)
    return manager


def visit(address: str = "", query: dict[str, Any] | None = None, *, embedded: bool = False, **state: Any) -> AppTest:
    """A new reader opens an address; `state` is put into the session before.

    AppTest.switch_page knows pages that are files; ours are functions, so the page is asked for as a browser does it:
    by the hash of its address. Streamlit looks through all installed packages for components, which need be done once.
    """
    app = AppTest.from_file(str(ROOT / "app.py"), default_timeout=60)
    app._bidi_component_manager = installed_components()
    app._page_hash = calc_hash(unquote(address)) if address else ""
    app.context = {"url": f"{HOST}/{address}", "is_embedded": embedded}
    app.query_params = query or {}
    for key, value in state.items():
        app.session_state[key.replace("__", ":")] = value
    return app.run()


def fine(app: AppTest) -> AppTest:
    assert not app.exception, app.exception[0].value
    return app


def labels(part: Any) -> list[str]:
    """Of the links to other pages, without their colour and weight."""
    return [re.sub(r"^:\w+\[(.*)\]$", r"\1", link.proto.label).strip("*") for link in part.get("page_link")]


def cards(part: Any) -> dict[str, str]:
    """Of the cards in this part, in their order: address and name."""
    found = re.findall(r'<a class="card" href="(.*?)".*?card-name">(.*?)<', written(part, "markdown"), re.DOTALL)
    return {address: unescape(name) for address, name in found}


def index(part: Any) -> list[tuple[str, str]]:
    """Of the links from A to Z: address and name."""
    letters = re.findall(r'<div class="letters.*?</div>', written(part, "html"), re.DOTALL)
    return [(address, unescape(name)) for address, name in re.findall(r'<a href="(.*?)">(.*?)</a>', "".join(letters))]


def written(part: Any, kind: str) -> str:
    return "\n".join(one.proto.body for one in part.get(kind))


def texts(app: AppTest) -> list[str]:
    return [one.value.strip() for kind in (app.markdown, app.caption) for one in kind]


def preset(term: glossary.Term) -> Params:
    return catalogue.load(term.playground).Params.preset(term.preset)[0]


def opens(term: glossary.Term) -> Params:
    """The params with which a plain link to the term opens: those of the run that decides its first question."""
    name, values = term.values(term.asked.question[0])
    return catalogue.load(name).Params.preset(values)[0]


def params(app: AppTest, page: str) -> Params:
    return app.session_state[f"{page}:state"].params


def warnings(app: AppTest) -> list[str]:
    return [warning.value for warning in app.warning]


def message(app: AppTest, page: str) -> dict[str, Any]:
    """What the page sends to its player."""
    data = gzip.decompress(app.get_by_key(f"{page}:player").proto.bytes)
    return json.loads(data[4 : 4 + int.from_bytes(data[:4], "little")])


def widgets(app: AppTest, page: str) -> dict[str, Any]:
    """The widgets of the knobs on the page, by knob."""
    prefix = f"{page}:knob:"
    return {
        node.key.removeprefix(prefix).partition(":")[0]: node
        for node in app.main
        if (getattr(node, "key", "") or "").startswith(prefix)
    }


def all_widgets(app: AppTest, page: str) -> dict[str, Any]:
    """The same, of whichever playground of the page is shown."""
    found = {}
    for node in app.main:
        if knob := re.fullmatch(rf"{page}:(?:\w+:)?knob:(\w+)(?::\d+)?", getattr(node, "key", "") or ""):
            found[knob[1]] = node
    return found


def entered(widget: Any) -> Any:
    """What stands in a widget; lists as tuples. AppTest does not know components: of a pad, what it was given."""
    value = widget.value if widget.type != "bidi_component" else json.loads(widget.proto.json)["value"]
    return tuple(value) if isinstance(value, list) else value


def another(one: Knob, value: Any) -> Any:
    """A legal value of the knob that is not this one; of numbers the lower bound, which costs least."""
    match one.kind:
        case "toggle":
            return not value
        case "choice":
            return next(choice for choice in one.choices if choice != value)
        case "choices":
            return next((choice,) for choice in one.choices if (choice,) != value)
        case "text":
            return ("a text" if value != "a text" else "another text")[: one.hi]
    return {"int": int, "float": float}[one.kind](one.lo if value != one.lo else one.hi)


def turn(app: AppTest, page: str, one: Knob, value: Any) -> AppTest:
    widgets(app, page)[one.name].set_value(list(value) if one.kind == "choices" else value)
    return fine(app.run())


# ------------------------------------------------------------------------------------------------------- reading pages


def test_home_has_a_link_to_every_lesson_and_every_term():
    app = fine(visit())
    assert list(cards(app.main).items()) == [(lesson.url, lesson.title) for lesson in REAL.lessons]
    for number, lesson in enumerate(REAL.lessons, start=1):
        assert f"Lesson {number}<" in written(app.main, "markdown") and lesson.sentence in written(app.main, "markdown")
    assert index(app.main) == [(term.slug, term.name) for term in REAL.alphabetical()]
    assert [title.value for title in app.title] == ["Trainable Glossary"]
    assert texts(app)[0].startswith(f"{len(REAL.terms)} terms of a deep-learning course")


def test_home_says_how_many_terms_run_if_not_all_of_them_do(monkeypatch):
    some = [term.model_copy(update={"playground": ""}) if n % 2 else term for n, term in enumerate(REAL.terms)]
    monkeypatch.setattr(site, "_glossary", lambda stamp: glossary.Glossary(REAL.lessons, some, []))
    trainable = sum(bool(term.playground) for term in some)
    assert f"and {trainable} of them running" in texts(fine(visit()))[0]


def test_home_plays_the_run_with_which_the_term_that_the_glossary_names_begins():
    app = fine(visit())
    term = REAL.shown_at_home
    data = gzip.decompress(app.get_by_key(f"{glossary.HOME}:loop").proto.bytes)
    sent = json.loads(data[4 : 4 + int.from_bytes(data[:4], "little")])
    assert sent["run"] == Run(catalogue.load(term.playground), preset(term)).id
    assert sent["frames"] and sent["role"] == "loop" and sent["alt"].startswith(term.name)
    assert f'<a href="{term.slug}">' in written(app.main, "html")


def test_home_without_a_term_to_show_has_no_picture_and_works(monkeypatch):
    monkeypatch.setattr(site, "_glossary", lambda stamp: glossary.Glossary(REAL.lessons, REAL.terms, []))
    app = fine(visit())
    assert len(cards(app.main)) == len(REAL.lessons)
    with pytest.raises(KeyError):
        app.get_by_key(f"{glossary.HOME}:loop")


def test_home_offers_the_first_term_and_keeps_saving_and_erasing_in_a_menu():
    (progress,) = [json.loads(app.proto.json) for app in [visit().get_by_key("progress")]]
    assert progress["manage"] and progress["start"] == [REAL.terms[0].slug, REAL.terms[0].name]
    assert progress["pages"].keys() == {term.slug for term in REAL.terms}


@pytest.mark.parametrize("lesson", REAL.lessons, ids=lambda lesson: lesson.slug)
def test_a_lesson_shows_its_introduction_and_its_terms_with_their_first_sentences(lesson):
    app = fine(visit(lesson.url))
    assert [title.value for title in app.title] == [lesson.title]
    assert lesson.sentence in texts(app) and REAL.markdown(lesson.introduction).strip() in texts(app)
    assert list(cards(app.main).items()) == [(term.slug, term.name) for term in REAL.of(lesson)]
    for term in REAL.of(lesson):
        assert REAL.plain(term.lead) in written(app.main, "markdown") and "<a href" not in REAL.plain(term.lead)
    at = REAL.lessons.index(lesson)
    assert f"Lesson {at + 1} of {len(REAL.lessons)}" in labels(app.main)
    assert at == 0 or f"← {REAL.lessons[at - 1].title}" in labels(app.main)
    assert at == len(REAL.lessons) - 1 or f"{REAL.lessons[at + 1].title} →" in labels(app.main)


@pytest.mark.parametrize("term", REAL.terms, ids=lambda term: term.slug)
def test_a_term_shows_what_it_is_where_it_belongs_and_where_to_go_next(term):
    app = fine(visit(term.slug))
    assert [title.value for title in app.title] == [term.name]
    definition = REAL.markdown(term.definition).strip()
    assert definition in texts(app)
    assert REAL.markdown(term.lead) in texts(app)
    shown = labels(app.main)
    assert any(REAL.lesson[term.lesson].title in label for label in shown)
    assert {REAL.term[slug].name for slug in term.see_also} <= set(shown)
    siblings = REAL.of(REAL.lesson[term.lesson])
    at = siblings.index(term)
    assert at == 0 or f"← {siblings[at - 1].name}" in shown
    assert at == len(siblings) - 1 or f"{siblings[at + 1].name} →" in shown


def test_from_every_kind_of_page_every_lesson_and_term_is_in_the_sidebar():
    wanted = [(lesson.url, "<em>About this lesson</em>", lesson.title) for lesson in REAL.lessons]
    wanted += [(term.slug, escape(term.name), REAL.lesson[term.lesson].title) for term in REAL.terms]
    for address in ("", REAL.lessons[0].url, REAL.terms[0].slug, "no-such-page"):
        app = visit(address)
        (contents,) = [one.proto.body for one in app.sidebar.get("html")]
        found = []
        for lesson in re.findall(r"<details.*?</details>", contents):
            (title,) = re.findall(r"<summary>(.*?)</summary>", lesson)
            found += [(*link, unescape(title)) for link in re.findall(r'<a href="(.*?)".*?>(.*?)</a>', lesson)]
        assert sorted(found) == sorted(wanted), address
        assert f'<a href="{glossary.ABOUT}">' in contents
        assert "Trainable Glossary" in labels(app.sidebar)


def test_pages_take_turns_but_wait_only_so_long(monkeypatch):
    monkeypatch.setattr(site, "PATIENCE", 0.2)
    inside, most, done = 0, 0, threading.Event()

    def page(long: bool = False) -> None:
        nonlocal inside, most
        with site.turn():
            inside += 1
            most = max(most, inside)
            done.wait(5) if long else time.sleep(0.01)
            inside -= 1

    def visits(*calls: threading.Thread) -> None:
        for one in calls:
            one.start()
        for one in calls:
            one.join(5)
            assert not one.is_alive()

    visits(*[threading.Thread(target=page) for _ in range(8)])
    assert most == 1
    stuck = threading.Thread(target=page, args=(True,))
    stuck.start()
    visits(threading.Thread(target=page))
    done.set()
    stuck.join(5)
    assert most == 2, "a page that is stuck keeps nobody out for ever"


@pytest.mark.parametrize(("page", "box"), [("", "home-search"), ("lesson-regularization", "sidebar-search")])
def test_a_search_shows_what_was_meant(page, box):
    app = visit(page)
    app.text_input(key=box).set_value("bacprop")
    fine(app.run())
    part = app.main if box == "home-search" else app.sidebar
    assert 'data-for="bacprop"' in written(part, "markdown")  # then Enter opens the first
    found = [address for address in cards(part) if address in REAL.term]
    assert found[0] == "backpropagation" and len(found) < 4
    app.text_input(key=box).set_value("xqzwv jkpq")
    fine(app.run())
    assert any("No term found" in text for text in texts(app))


@pytest.mark.parametrize(
    ("address", "meant"),
    [
        ("xor-problm", "XOR problem"),
        ("%3Cscript%3Ealert(1)", None),
        ("a%20b", None),
        ("..", None),
        ("%00", None),
        ("%E6%97%A5%E6%9C%AC", None),
        ("x" * 80, None),
        ("lesson-nothing", None),
        ("playground-nothing", None),
    ],
)
def test_an_address_that_nobody_has_gets_a_page_that_searches_for_what_was_meant(address, meant):
    app = fine(visit(address))
    assert [title.value for title in app.title] == ["No page has this address"]
    assert "<" not in texts(app)[0] and len(texts(app)[0]) < 250
    assert meant is None or meant in cards(app.main).values()
    app.text_input(key="missing-search").set_value("dropout")
    assert "Dropout" in cards(fine(app.run()).main).values()


def test_a_searched_text_is_written_into_the_page_as_text():
    app = visit()
    app.text_input(key="home-search").set_value('drop"><img src=x>')
    fine(app.run())
    assert "<img src=x" not in written(app.main, "markdown")


# ------------------------------------------------------------------------------------------------ about and privacy


def about_page(**query: str) -> str:
    return "\n".join(texts(fine(visit(glossary.ABOUT, query))))


def test_a_page_says_what_is_stored_what_is_not_the_licence_and_whom_to_tell_of_a_mistake(monkeypatch):
    monkeypatch.delenv(about.SETTING, raising=False)
    app = fine(visit(glossary.ABOUT))
    assert [one.value for one in app.header] == ["What is stored", "What is not", "Licence", "Something is wrong?"]
    said = about_page()
    assert "your own browser" in said and "MIT" in said and "your teacher" in said
    assert f'<a href="{glossary.ABOUT}">' in written(visit().main, "html"), "home leads there"


KEPT = ("last", "keys", "practice", "exams", "room")


def test_every_place_in_which_a_browser_keeps_something_is_named_on_that_page():
    scripts = [
        path.read_text(encoding="utf-8") for part in ("pages", "playgrounds") for path in ROOT.glob(f"{part}/**/*.js")
    ]
    kept = {name for text in scripts for name in re.findall(r'"(trainable-glossary[a-z-]*)"', text)}
    assert kept == {"trainable-glossary", *(f"trainable-glossary-{one}" for one in KEPT)}
    said = about_page()
    assert all(
        words in said
        for words in (
            "questions you have answered",
            "opened last",
            "single keys",
            "_streamlit_xsrf",
            "practice",
            "token",
        )
    )


@pytest.mark.parametrize(
    ("contact", "wanted"),
    [
        (
            "course@school.edu",
            "(mailto:course@school.edu?subject=A%20mistake%20in%20the%20Trainable%20Glossary&body=http",
        ),
        (
            "https://school.edu/new?page={link}",
            "(https://school.edu/new?page=http%3A%2F%2Flocalhost%3A8501%2Fxor-problem%3F",
        ),
        ("https://school.edu/new", "(https://school.edu/new)"),
        ("javascript:alert(1)", "your teacher"),
        ("", "your teacher"),
    ],
)
def test_a_mistake_is_reported_where_one_setting_says_with_the_link_of_the_page(monkeypatch, contact, wanted):
    monkeypatch.setenv(about.SETTING, contact)
    said = about_page(**{"from": "xor-problem?hidden=3"})
    assert wanted in said and f"`{HOST}/xor-problem?hidden=3`" in said and "javascript" not in said


@pytest.mark.parametrize("came", ["no-such-page", "https://elsewhere.example/", "//elsewhere", "` **x**", "../x"])
def test_an_address_that_is_no_page_is_not_repeated_in_a_report(came):
    said = about_page(**{"from": came})
    assert "Say which page" in said and came not in said


def test_what_stands_in_a_link_is_no_markdown_in_a_report():
    said = about_page(**{"from": "xor-problem?a=`<b>**x**](y)"})
    assert "`<b>" not in said and "](y)" not in said


def test_a_glossary_with_mistakes_shows_them_all_instead_of_a_traceback(tmp_path, monkeypatch):
    broken = tmp_path / "glossary.toml"
    text = glossary.FILE.read_text(encoding="utf-8")
    slug = TRAINABLE[0].slug
    broken.write_text(
        text.replace(f'slug = "{slug}"', f'slug = "{slug}"\nnmae = 3\npicture = "none"', 1), encoding="utf-8"
    )
    monkeypatch.setattr(site, "FILE", broken)
    monkeypatch.setattr(glossary.load, "__defaults__", (broken, glossary.LESSONS))
    for address in ("", slug):
        app = fine(visit(address))
        assert [title.value for title in app.title] == ["The course's files have mistakes"]
        said = [code.value for code in app.code]
        assert any(f"[{slug}] nmae" in one for one in said) and any(f"[{slug}] picture" in one for one in said)


def test_home_and_lessons_load_neither_torch_nor_sklearn():
    code = (
        "import sys\n"
        "from tests.test_pages import visit, fine\n"
        f"for address in ('', {REAL.lessons[0].url!r}):\n"
        "    fine(visit(address))\n"
        "assert not {'torch', 'sklearn'} & sys.modules.keys()\n"
    )
    done = subprocess.run([sys.executable, "-W", "ignore", "-c", code], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-2000:]


# --------------------------------------------------------------------------------------------- a playground on its page


@pytest.mark.parametrize("term", TRAINABLE, ids=lambda term: term.slug)
def test_a_term_opens_on_the_run_that_its_first_question_is_about_held_at_its_first_step(term):
    app = fine(visit(term.slug, **{f"{term.slug}:more": True}))
    start = opens(term)
    assert params(app, term.slug) == start and app.query_params == {} and warnings(app) == []
    sent = message(app, term.slug)
    assert sent["from"] == 0 and sent["frames"] and sent["start"] == 0 and sent["hold"]
    shown = {name: entered(widget) for name, widget in all_widgets(app, term.slug).items()}
    assert shown == {n: getattr(start, n) for n, one in start.knobs().items() if one.when is None or one.when(start)}
    question = term.asked.question[0]
    offered = [button.label for button in app.button if ":option:" in (button.key or "")]
    assert sorted(offered) == sorted(option.text for option in question.options)
    assert not any(option.why and option.why[:40] in text for option in question.options for text in texts(app))


def test_a_link_with_a_state_opens_on_that_state_without_holding_it():
    term = TRAINABLE[0]
    app = fine(visit(term.slug, {"step": "3"}))
    assert params(app, term.slug) == preset(term) and not message(app, term.slug)["hold"]


def test_four_knobs_are_in_sight_and_the_others_under_more():
    for term in TRAINABLE:
        app = fine(visit(term.slug))
        assert 1 <= len(all_widgets(app, term.slug)) <= 4, term.slug


def test_the_address_of_a_playground_may_be_written_with_underscores():
    app = fine(visit("playground-token_influence"))
    assert [title.value for title in app.title] == ["Playground token_influence"]


@every_playground
def test_every_playground_has_a_page_of_its_own(name):
    address = workbench.address(name)
    app = fine(visit(address))
    assert params(app, address) == catalogue.load(name).Params()
    assert {term.name for term in TRAINABLE if name in term.playgrounds} <= set(labels(app.main))


@every_playground
def test_a_turned_knob_changes_the_run_and_the_url_and_reset_undoes_all(name):
    page, kind = workbench.address(name), catalogue.load(name).Params
    app, start = visit(page, **{f"{page}:more": True}), kind()
    for one in kind.knobs().values():
        if one.form or one.name not in widgets(app, page):
            continue  # a pad is tested in a browser; or it does not matter at these settings
        wanted = params(app, page).model_copy(update={one.name: another(one, getattr(params(app, page), one.name))})
        turn(app, page, one, getattr(wanted, one.name))
        assert params(app, page) == wanted, one.name
        assert app.query_params == wanted.to_query(start) and warnings(app) == [], one.name
        assert message(app, page)["run"] == Run(catalogue.load(name), wanted).id, one.name
    assert len(app.query_params) >= 2
    fine(app.button(key=f"{page}:reset").click().run())
    assert params(app, page) == start and app.query_params == {}
    assert app.button(key=f"{page}:reset").disabled


def with_a_seed(kind: type[Params]) -> list[Params]:
    """Settings at which the seed decides something: its knob is shown."""
    seed = kind.knobs().get("seed")
    if seed is None:
        return []
    tried = [kind(), *(kind(**{one.name: one.hi}) for one in kind.knobs().values() if one.kind == "float")]
    return [p for p in [*tried, *three(kind)] if seed.when is None or seed.when(p)]


@every_playground
def test_new_seed_takes_the_next_one_for_everybody_and_the_first_after_the_last(name):
    page, kind = workbench.address(name), catalogue.load(name).Params
    offered = [button.key for button in visit(page).button if button.key == f"{page}:reseed"]
    seed = kind.knobs().get("seed")
    decides = seed is not None and (seed.when is None or seed.when(kind()))
    assert len(offered) == decides, "where the seed decides something, and only there"
    for start in with_a_seed(kind)[:1]:
        seed = kind.knobs()["seed"]
        for before, after in ((seed.default, seed.default + 1), (seed.hi, seed.lo)):
            app = fine(visit(page, start.model_copy(update={"seed": before}).to_query(kind())))
            fine(app.button(key=f"{page}:reseed").click().run())
            wanted = start.model_copy(update={"seed": after})
            assert params(app, page) == wanted and app.query_params == wanted.to_query(kind())


@every_playground
@pytest.mark.parametrize("which", [1, 2])
def test_a_link_sets_every_knob(name, which):
    page, wanted = workbench.address(name), three(catalogue.load(name).Params)[which]
    query = wanted.to_query(type(wanted)())
    app = fine(visit(page, query, **{f"{page}:more": True}))
    assert params(app, page) == wanted and warnings(app) == [] and app.query_params == query
    shown = {n: entered(w) for n, w in widgets(app, page).items()}
    assert shown == {n: v for n, v in wanted.model_dump().items() if n in shown}


@every_playground
def test_a_bad_value_in_a_link_is_said_once_and_costs_nothing_else(name):
    page, kind = workbench.address(name), catalogue.load(name).Params
    found = [
        one
        for one in kind.knobs().values()
        if (not one.when or one.when(kind())) and one.kind in ("int", "float", "choice")
    ]
    number, other, *rest = sorted(found, key=lambda one: not one.more)[-3:]  # those in sight, if they are enough
    third = rest[0] if rest else number
    good = another(other, other.default)
    bad = {other.name: other.write(good), number.name: "nan", "no_such_knob": "1", "step": "x"}
    app = fine(visit(page, bad, **{f"{page}:more": True}))
    assert params(app, page) == kind(**{other.name: good})
    said = warnings(app)
    assert len(said) == 3 and said[0].startswith(f"{number.name}=nan is n") and "no·such·knob" in said[1]
    assert said[2] == "step=x is not the number of a step: showing the last one."
    turn(app, page, third, another(third, third.default))
    assert warnings(app) == [] and app.query_params.keys() == {other.name, third.name}


@every_playground
def test_back_undoes_a_knob(name):
    page, kind = workbench.address(name), catalogue.load(name).Params
    one = next(one for one in kind.knobs().values() if not one.when and not one.more)
    app = visit(page, **{f"{page}:more": True})
    turn(app, page, one, another(one, one.default))
    assert one.name in app.query_params
    app.query_params = {}
    fine(app.run())
    assert params(app, page) == kind() and entered(widgets(app, page)[one.name]) == one.default


def test_each_page_keeps_its_own_state():
    one, two = TRAINABLE[:2]
    knob = next(k for k in preset(one).knobs().values() if k.kind == "choice")
    app = visit(one.slug, {"step": "2"}, **{f"{one.slug}:more": True})
    turn(app, one.slug, knob, another(knob, getattr(preset(one), knob.name)))
    moved, left = params(app, one.slug), app.query_params
    app._page_hash, app.query_params = calc_hash(two.slug), {}
    fine(app.run())
    assert params(app, two.slug) == opens(two)
    app._page_hash, app.query_params = calc_hash(one.slug), left
    fine(app.run())
    assert params(app, one.slug) == moved


@every_playground
def test_a_widget_that_says_something_illegal_keeps_the_last_good_value_and_says_why(name):
    page, kind = workbench.address(name), catalogue.load(name).Params
    illegal = {"choices": [], "text": "x\x00y"}
    tried = [one for one in kind.knobs().values() if one.kind in illegal and not one.when]
    for one in tried:
        app = visit(page, **{f"{page}:more": True})
        widgets(app, page)[one.name].set_value(illegal[one.kind])
        fine(app.run())
        assert params(app, page) == kind() and app.query_params == {}
        (said,) = warnings(app)
        assert said.startswith(one.label) and said.endswith("The last good value is in use.")
        assert widgets(app, page)[one.name].value == illegal[one.kind], "what the reader entered is not lost"
    if not tried:
        pytest.skip("no knob of it can be set to something illegal")


@every_playground
@pytest.mark.parametrize("typed", ["~ about", "~eJxLBAAAYgBi", *ODD_TEXTS])
def test_a_text_is_taken_as_it_is_typed(name, typed):
    page, kind = workbench.address(name), catalogue.load(name).Params
    shown = [one for one in kind.knobs().values() if one.kind == "text" and (one.when is None or one.when(kind()))]
    if not shown:
        pytest.skip("it asks for no text")
    app = turn(visit(page, **{f"{page}:more": True}), page, shown[0], typed)
    assert getattr(params(app, page), shown[0].name) == typed and warnings(app) == []
    assert getattr(params(fine(visit(page, app.query_params)), page), shown[0].name) == typed, (
        "and its link says the same"
    )


def test_the_step_of_a_link_is_where_the_player_starts():
    slug = TRAINABLE[0].slug
    app = fine(visit(slug, {"step": "3"}, **{f"{slug}:more": True}))
    assert message(app, slug)["start"] == 3 and app.query_params == {"step": "3"}
    knob = next(k for k in preset(TRAINABLE[0]).knobs().values() if k.kind == "choice")
    turn(app, slug, knob, another(knob, getattr(preset(TRAINABLE[0]), knob.name)))
    assert message(app, slug)["start"] is None and "step" not in app.query_params, "another run starts at its end"


@pytest.mark.parametrize("step", ["x", "-1", "1.5", "1e9", "9" * 500, "٣", "²", " 3"])
def test_a_step_that_is_none_is_said(step):
    app = fine(visit(TRAINABLE[0].slug, {"step": step}))
    (said,) = warnings(app)
    assert said.startswith("step=") and len(said) < 150
    assert message(app, TRAINABLE[0].slug)["start"] is None


def test_a_link_of_nonsense_is_answered_in_a_few_lines():
    app = fine(visit(TRAINABLE[0].slug, {f"k{i}": "1" for i in range(20)}))
    *named, rest = warnings(app)
    assert len(named) == 6 and all("No knob is called k" in line for line in named)
    assert rest == "And 14 other values that could not be taken."


@every_playground
def test_embedded_the_playground_stands_alone(name):
    term = next(term for term in TRAINABLE if name in term.starts)
    query = {} if term.playground == name else {"playground": name}
    app = fine(visit(term.slug, query, embedded=True))
    assert [title.value for title in app.title] == [] and labels(app.main) == []
    assert REAL.markdown(term.definition).strip() not in texts(app)
    assert message(app, term.slug)["frames"] and all_widgets(app, term.slug)


# -------------------------------------------------------------------------------------------------------- below it all


@every_playground
def test_the_numbers_are_those_of_every_state(name):
    page = workbench.address(name)
    wanted = three(catalogue.load(name).Params)[0]
    app = fine(visit(page, wanted.to_query(type(wanted)()), **{f"{page}:below": "Numbers"}))
    while not message(app, page)["done"]:
        fine(app.run())
    states = list(catalogue.load(name).states(wanted))
    (table,) = [one.value for one in app.dataframe]
    assert list(table.columns) == ["step", *catalogue.load(name).metrics] and len(table) == len(states)
    for metric in catalogue.load(name).metrics:
        shown = [None if value != value else value for value in table[metric].tolist()]  # a table's nan is a gap
        assert shown == [getattr(state, metric) for state in states]
    assert [button.key for button in app.download_button] == [f"{page}:csv"]


@every_playground
def test_the_code_is_shown_and_can_be_taken_away_twice(name):
    page = workbench.address(name)
    app = fine(visit(page, **{f"{page}:below": "Code"}))
    (code,) = [code.value for code in app.code]
    assert "def run(p: Params)" in code and f"{HOST}/{page}" in code
    assert {button.key for button in app.download_button} == {f"{page}:py", f"{page}:ipynb"}


def test_share_holds_the_whole_state_in_its_link():
    term = TRAINABLE[0]
    knob = next(k for k in preset(term).knobs().values() if k.kind == "choice")
    query = {knob.name: knob.write(another(knob, getattr(preset(term), knob.name))), "step": "2"}
    app = fine(visit(term.slug, query, **{f"{term.slug}:below": "Share"}))
    link, embed = [code.value for code in app.code]
    assert link == f"{HOST}/{term.slug}?{knob.name}={query[knob.name]}&step=2"
    assert f'src="{link}&embed=true"' in embed and embed.startswith("<iframe") and term.name in embed
    assert app.main.get("imgs") or app.main.get("image"), "a QR code"
    assert [button.key for button in app.download_button] == [f"{term.slug}:html"]


def test_the_link_is_right_where_one_pages_name_ends_with_anothers(monkeypatch):
    long, short = next((a, b) for a in TRAINABLE for b in REAL.terms if a is not b and a.slug.endswith(b.slug))
    assert long.slug != short.slug
    app = fine(visit(long.slug, **{f"{long.slug}:below": "Share"}))
    assert app.code[0].value.partition("?")[0] == f"{HOST}/{long.slug}"
    monkeypatch.setattr("playgrounds.stage.address.st.get_option", {"server.baseUrlPath": "/course/"}.get)
    app = fine(visit(long.slug, **{f"{long.slug}:below": "Share"}))
    assert app.code[0].value.partition("?")[0] == f"{HOST}/course/{long.slug}"


def test_a_link_too_long_for_a_qr_code_is_said_to_be():
    found = [(n, k) for n in catalogue.names() for k in catalogue.load(n).Params.knobs().values() if k.kind == "text"]
    long = [(n, k) for n, k in found if k.hi >= 5000]
    if not long:
        pytest.skip("no playground takes a long text")
    knob, page = long[0][1], workbench.address(long[0][0])
    own = "".join(chr(0x4E00 + i * i % 20_000) for i in range(1500))
    app = fine(visit(page, {knob.name: knob.write(own)}, **{f"{page}:below": "Share"}))
    assert getattr(params(app, page), knob.name) == own
    assert "too many for a QR code" in app.info[0].value and app.code[0].value.startswith(
        f"{HOST}/{page}?{knob.name}=~"
    )


# ------------------------------------------------------------------------------------------------------------ long runs


def slow(p: Params) -> Iterator[Any]:
    """The first playground's run, so slow that it takes many rounds."""
    import time

    for state in catalogue.load(catalogue.names()[0]).model.fast(p):
        time.sleep(0.04)  # 61 states: more than two rounds on any machine
        yield state


@pytest.fixture
def slow_page(monkeypatch) -> str:
    module = catalogue.load(catalogue.names()[0]).model
    monkeypatch.setattr(module, "fast", module.run, raising=False)
    monkeypatch.setattr(module, "run", slow)
    return workbench.address(catalogue.names()[0])


def report(app: AppTest, page: str, **said: Any) -> AppTest:
    """The player tells the page what it has, and the page runs again."""
    app.session_state[f"{page}:player"] = {"report": said}
    return fine(app.run())


def test_a_long_run_comes_in_rounds_until_stop_is_pressed(slow_page):
    knobs = catalogue.load(catalogue.names()[0]).Params.knobs()
    query = {"seed": str(knobs["seed"].hi - 7)} if "seed" in knobs else {}  # nobody has computed it
    app = visit(slow_page, query)
    first = message(app, slow_page)
    assert first["from"] == 0 and first["frames"] and not first["done"]
    have = len(first["frames"])
    report(app, slow_page, run=first["run"], have=have, step=None, stopped=False, told=1)
    second = message(app, slow_page)
    assert second["from"] == have and second["frames"] and second["states"] > first["states"]
    have += len(second["frames"])
    for told in (2, 3):
        report(app, slow_page, run=first["run"], have=have, step=None, stopped=True, told=told)
        stopped = message(app, slow_page)
        assert stopped["states"] == second["states"] and stopped["frames"] == [] and not stopped["done"]
    report(app, slow_page, run=first["run"], have=have, step=None, stopped=False, told=4)
    assert message(app, slow_page)["states"] > second["states"], "Continue goes on where Stop stopped"
    report(app, slow_page, run="another run", have=have, step=None, stopped=True, told=5)
    assert message(app, slow_page)["from"] == 0, "what the player says of another run does not count"


NONSENSE = [
    *([1, 2], 3, "x", None, True),
    *({"have": -1}, {"have": 10**9}, {"have": "3"}, {"have": True}, {"have": [1]}, {"have": {}}),
    *({"step": "x"}, {"step": -5}, {"step": 1.5}, {"step": 10**400}, {"step": [0]}, {"stopped": "y"}, {"ended": [1]}),
]


@pytest.mark.parametrize("said", NONSENSE, ids=str)
def test_a_player_that_reports_nonsense_does_no_harm(said):
    slug = TRAINABLE[0].slug
    app = visit(slug)
    run = message(app, slug)["run"]
    app.session_state[f"{slug}:player"] = {"report": {"run": run} | said if isinstance(said, dict) else said}
    fine(app.run())
    assert message(app, slug)["from"] == 0


def test_what_a_player_says_is_read_into_a_report():
    said = {"run": "a", "have": 3, "step": 2, "stopped": True, "ended": 1, "picked": 0.5, "told": 7}
    assert Report.read(said) == Report("a", 3, 2, True, 1, 0.5)
    assert [Report.read(nonsense) for nonsense in ([1, 2], "x", None, {"run": [1]}, {"picked": "<b>"})] == [
        Report()
    ] * 5
    run = SimpleNamespace(id="a", film=SimpleNamespace(steps=[0, 1, 2]))
    assert Report.read(said).of(run).have == 3
    run.film.steps = [0, 1]
    assert Report.read(said).of(run).have == 0, "a server that was started again has fewer"
    run.id = "b"
    assert Report.read(said).of(run) == Report("b")


def test_a_playground_with_a_bug_takes_only_itself_from_the_page(monkeypatch, caplog):
    term = TRAINABLE[0]

    def run(p: Params) -> Iterator[Any]:
        raise ZeroDivisionError("a bug")
        yield

    monkeypatch.setattr(catalogue.load(term.playground).model, "run", run)
    knob = next(k for k in preset(term).knobs().values() if k.kind == "float" and not k.when)
    app = fine(visit(term.slug, {knob.name: str((knob.lo + knob.hi) / 3)}))
    (said,) = [error.value for error in app.error]
    assert "could not be computed: it failed (ZeroDivisionError: a bug)" in said and "Reset" in said
    assert [title.value for title in app.title] == [term.name] and widgets(app, term.slug)


# ------------------------------------------------------------------------------------------------------------- nonsense


def nonsense(kind: type[Params]) -> st.SearchStrategy:
    """Query parameters as no page would write them; what the knobs are called is known to whoever wants to break it."""
    values = st.one_of(
        st.sampled_from(["nan", "inf", "-1", "1e9", "1e400", "../x", "", "~", "~AAAA", "x" * 100_000, "\x00\x1f\x7f",
                         "%00", "<b>", "0x10", "1,1", "٣", *ODD_TEXTS]),
        st.text(st.characters(exclude_categories=["Cs"]), max_size=20),
        st.integers().map(str),
    )  # fmt: skip
    keys = st.one_of(
        st.sampled_from([*kind.knobs(), "step", "playground", "view", "embed", "embed_options"]), st.text(max_size=8)
    )
    return st.dictionaries(keys, values | st.lists(values, min_size=2, max_size=3), max_size=5)


@every_playground
@settings(max_examples=8, deadline=None)
@given(data=st.data())
def test_no_link_whatever_makes_a_page_raise(name, data):
    page, kind = workbench.address(name), catalogue.load(name).Params
    app = fine(visit(page, data.draw(nonsense(kind))))
    assert kind(**params(app, page).model_dump()) == params(app, page)
    assert all(len(warning) < 300 for warning in warnings(app))
    assert message(app, page)["frames"]


def test_a_link_of_a_thousand_parameters_is_looked_at_no_further_than_makes_sense():
    page = TRAINABLE[0].slug
    app = fine(visit(page, {f"k{i}": "x" for i in range(999)}))
    assert 0 < len(warnings(app)) <= 60 and params(app, page) == preset(TRAINABLE[0])


# ------------------------------------------------------------------------------------------------------- waiting turns


def test_a_page_that_has_to_wait_for_its_turn_is_shown_after_it():
    holding, waiting = threading.Event(), threading.Event()

    def others() -> None:
        with runs.turns.turn(toy_run()):
            holding.set()
            waiting.wait(30)

    thread = threading.Thread(target=others)
    thread.start()
    holding.wait(10)
    look = runs.turns.turn
    seen: list[str] = []

    def watched(run: Any, reader: str, enough: Any, patience: Any, pause: Callable[[], None]) -> Any:
        def pausing() -> None:
            pause()
            seen.append(reader)
            waiting.set()

        return look(run, reader, enough, patience, pausing)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(runs.turns, "turn", watched)
        app = fine(visit("playground-perceptron", {"seed": "4321", "data": "blobs"}))
    thread.join(30)
    assert seen and seen[0], "the reader is known by a name"
    assert message(app, "playground-perceptron")["frames"]


def toy_run() -> runs.Run:
    """A run that is nobody's."""
    playground = catalogue.load("perceptron")
    return runs.Run(playground, playground.Params())


def test_a_run_that_has_nothing_to_show_for_several_turns_is_waited_for(monkeypatch):
    playground = catalogue.load("perceptron")
    run = playground.run

    def slow(p: Any) -> Iterator[Any]:
        for state in run(p):
            for _ in range(4):
                time.sleep(0.02)
                yield None
            yield state

    monkeypatch.setattr(playground.model, "run", slow)
    app = fine(visit("playground-perceptron", {"seed": "4322", "data": "blobs", "count": "10"}))
    assert message(app, "playground-perceptron")["frames"]
