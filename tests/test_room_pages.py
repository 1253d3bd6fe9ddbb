"""The live classroom's pages, opened and used as sessions do it; who is in no room notices nothing of it."""

import json
import re
from types import SimpleNamespace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from classroom import agenda, asking, challenge, follow, rooms
from classroom.agenda import Item
from classroom.codes import Guard
from classroom.database import SETTING, database
from classroom.follow import Walk
from classroom.snapshot import Snapshots
from pages import charts, items, plain, seat
from pages.site import Site
from playgrounds.kit import catalogue
from tests.test_pages import REAL, fine, texts, visit, written

XOR = "xor-problem"


@pytest.fixture(autouse=True)
def base(tmp_path, monkeypatch):
    """A database for each test."""
    monkeypatch.setenv(SETTING, str(tmp_path / "rooms.sqlite"))
    monkeypatch.setattr("classroom.snapshot.FRESH", 0.0)
    seat.snapshots.cache_clear()
    yield database()
    database().engine.dispose()
    seat.snapshots.cache_clear()


@pytest.fixture(scope="module")
def site() -> Site:
    class Pages(dict):
        def __contains__(self, name) -> bool:
            return name in REAL.term

    return Site(REAL, catalogue.names(), Pages())


def press(app, label: str):
    next(button for button in app.button if button.label == label).click()
    return fine(app.run())


def joined(room):
    """A member in a session of its own, on the page of a term."""
    one = rooms.join(database(), room.code, Guard())
    app = visit(XOR)
    app.session_state["room:seat"] = seat.Seat(room.room, "", one.token, one.member, one.name)
    return one, fine(app.run())


def opened(name: str = "xor"):
    """A teacher's session at the projector's view of a sample lesson."""
    app = fine(visit("classroom"))
    next(button for button in app.button if button.key == f"open:{name}").click()
    app = fine(app.run())
    return rooms.teaches(database(), app.session_state["room:seat"].secret), app


def test_who_is_in_no_room_gets_nothing_of_it_with_any_page():
    for address in ("", "lesson-perceptron-to-mlp", XOR):
        app = fine(visit(address))
        assert "classbar" not in str(app.main) and "room.css" not in written(app.main, "html")
        assert json.loads(app.get_by_key("links").proto.json or "null") is None, "nothing to keep"


@pytest.mark.parametrize("name", agenda.samples())
def test_a_sample_lesson_takes_fifty_minutes_and_the_glossary_has_all_that_it_asks(site, name):
    lesson = agenda.samples()[name]
    assert lesson.minutes == 50 and lesson.about
    for item in lesson.item:
        items.facts(site, item)  # raises with the reason if a class cannot do it
        asked = items.asked(site, item, "room")
        assert asked.text and "no longer" not in asked.text
        assert "{" not in re.sub(r"\$[^$]*\$", "", asked.text + "".join(asked.options) + asked.because)


def test_a_teacher_opens_a_sample_lesson_and_the_projector_shows_its_code():
    room, app = opened()
    assert room.code in written(app.main, "html")
    press(app, "Start →")
    assert any(text.startswith("Which of these can a single line not separate") for text in texts(app))


def test_a_member_votes_in_the_bar_on_any_page_and_sees_the_distribution_when_it_is_shown(base):
    room, teacher = opened()
    one, phone = joined(room)
    agenda.step(base, room.key, 1)
    phone = fine(phone.run())
    press(phone, "C\u2002XOR")
    item = Snapshots(base).of(room.room).current.id
    assert Snapshots(base).of(room.room).votes == {(item, 1, one.member): "2"}
    assert "Your vote counts" in written(phone.main, "html")
    asking.close(base, room.key, item)
    assert "ballot-fill" not in "\n".join(texts(fine(phone.run())))
    asking.show(base, room.key, item)
    assert "ballot-fill" in "\n".join(texts(fine(phone.run())))
    asking.answer(base, room.key, item)
    assert "✓ C" in "\n".join(texts(fine(phone.run())))
    assert "1 of 1" in written(fine(teacher.run()).main, "html")


def test_a_browser_that_comes_back_with_its_token_is_the_same_member_and_one_with_another_is_none(base):
    room = rooms.open_room(base)
    one = rooms.join(base, room.code, Guard())
    for secret, is_in in ((one.token, True), ("x" * 22, False)):
        app = visit(XOR)
        kept = {"seat": json.dumps({"teaches": False, "secret": secret})}
        app.session_state["links"] = {"kept": kept}
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr("pages.site.links", lambda kept=kept, **_: SimpleNamespace(kept=kept))
            app = fine(app.run())
        assert ("room:seat" in app.session_state) is is_in
        if is_in:
            assert app.session_state["room:seat"].member == one.member and one.name in written(app.main, "html")


def test_the_room_sends_a_screen_to_the_run_that_decides(base):
    room, _ = opened()
    _, phone = joined(room)
    agenda.step(base, room.key, 1)
    agenda.step(base, room.key, 1)
    item = Snapshots(base).of(room.room).current
    asking.run(base, room.key, item.id, Walk(XOR, {"hidden": "0"}, play=1, item=item.id))
    phone = phone.run()
    assert phone.session_state[f"{XOR}:state"].params.hidden == 0
    assert phone.session_state[f"{XOR}:order"].run, "it plays"


def test_a_screen_that_follows_shows_the_teachers_step_and_is_left_there(base):
    room, _ = opened()
    _, phone = joined(room)
    follow.lead(base, room.key, Walk(XOR, {"hidden": "3", "step": "5"}))
    phone = phone.run()
    state = phone.session_state[f"{XOR}:state"]
    assert (state.params.hidden, state.step) == (3, 5)
    follow.free(base, room.key)
    phone = fine(phone.run())
    assert phone.session_state[f"{XOR}:state"].params.hidden == 3


def test_a_run_that_a_member_makes_counts_in_the_challenge(base, site):
    room = rooms.open_room(base)
    goal = REAL.term[XOR].asked.goal[0]
    item = Item(kind="challenge", page=XOR, id=goal.id, minutes=5)
    (number,) = agenda.add(base, room.key, [(item, items.facts(site, item))])
    agenda.go(base, room.key, number)
    one = rooms.join(base, room.code, Guard())
    challenge.start(base, room.key, number, items.walk(site, item, number))
    solution = REAL.term[XOR].values(goal, goal.solution)[1]
    params = catalogue.load(REAL.term[XOR].playground).Params.preset(solution)[0]
    query = params.to_query(catalogue.load(REAL.term[XOR].playground).Params.preset(REAL.term[XOR].preset)[0])
    mine = seat.Seat(room.room, "", one.token, one.member, one.name)
    phone = fine(visit(XOR, query, room__seat=mine))  # a reload: the page keeps its knobs, wherever the class was sent
    for _ in range(40):  # a busy machine takes several turns to compute it
        if tried := Snapshots(base).of(room.room).tried:
            break
        phone = fine(phone.run())
    assert [(run.member, run.reached) for run in tried] == [(one.member, True)]


def test_the_share_tab_adds_what_the_page_asks_to_a_lesson(base, site):
    scene, params = items.scene_of(site, Item(kind="look", page=XOR))
    from pages.adding import offers
    from playgrounds.stage.address import PageState

    offered = offers(scene, PageState(scene.playground.name, params))
    kinds = [item.kind for item in offered.values()]
    assert {"ask", "challenge", "seeds", "look"} <= set(kinds)
    for item in offered.values():
        items.facts(site, item)


def test_a_run_that_is_too_slow_for_everybody_is_refused_in_a_sentence(site, monkeypatch):
    monkeypatch.setattr(items, "SLOWEST", -1.0)
    with pytest.raises(items.Refused, match=r"at most.*fewer steps"):
        items.facts(site, Item(kind="seeds", page=XOR, metric="accuracy"))


ODD = st.text(
    st.sampled_from("ab *_`[]()<>#:$!&~|-+=.1\\@/wx\n") | st.characters(exclude_categories=["Cs"]), max_size=60
)


@settings(max_examples=300, deadline=None)
@given(ODD)
def test_nothing_that_is_typed_is_markdown_or_html(text):
    safe = plain.in_markdown(f"a{text}")
    tokens = MarkdownIt("gfm-like", {"linkify": False}).parse(safe)
    assert [token.type for token in tokens] == ["paragraph_open", "inline", "paragraph_close"]
    kinds = {child.type for child in tokens[1].children or []}
    assert kinds <= {"text", "text_special"}, kinds
    assert not re.search(r":[a-z_]+:|:[a-z]+\[|https?://|www\.|\S@\S+\.\S", safe)
    assert not set(plain.in_html(text)) & set("<>\"'")


def test_pictures_of_a_class_say_in_words_what_they_show():
    text = charts.strip(
        [charts.Dot(0.5, "a <b>"), charts.Dot(float("nan"), "c"), charts.Dot(1.0, "d", "x?a=1&b=2")], "right"
    )
    assert 'aria-label="right: 2 runs from 0.5 to 1, and 1 without a number"' in text
    assert "a &lt;b&gt;" in text and 'href="x?a=1&amp;b=2"' in text
    assert "No run has ended yet" in charts.strip([], "right")


def test_the_results_page_of_an_unknown_link_says_so():
    app = fine(visit("classroom", {"results": "nonsense"}))
    assert [title.value for title in app.title] == ["No such results"]


def test_after_ten_wrong_codes_a_session_is_told_to_stop(base):
    app = fine(visit("join"))
    for _ in range(11):
        app.text_input(key="entering:code").set_value("AAAAA")
        press(app, "Join")
    assert any("ten wrong codes" in warning.value for warning in app.warning)
