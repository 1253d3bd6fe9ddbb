"""The agenda: the same items in a file, in a link and in a room; results as a table and as distributions."""

import csv
import io
import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from classroom import agenda, asking, challenge, results, rooms, seeds
from classroom.agenda import Agenda, Facts, Item
from classroom.follow import Walk
from classroom.refused import Refused
from classroom.snapshot import Snapshots
from tests.classroom.conftest import GOAL, GOAL_FACTS, GROW, GROW_FACTS, TEXT

words = st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1, max_size=40).filter(
    lambda text: text.strip()
)
items = st.one_of(
    st.builds(
        Item, kind=st.just("free"), text=words, options=st.lists(words, min_size=2, max_size=6, unique_by=str.strip)
    ),
    st.builds(Item, kind=st.just("ask"), page=st.just("lstm"), id=st.just("gate"), note=words),
    st.builds(Item, kind=st.just("look"), page=st.just("lstm"), query=st.dictionaries(st.just("rate"), words)),
)
agendas = st.builds(Agenda, title=words, item=st.lists(items, max_size=5))


@settings(deadline=None)
@given(agendas)
def test_a_file_and_a_link_hold_the_whole_agenda(made):
    assert agenda.read_file(agenda.write_file(made)) == made
    assert agenda.from_link(agenda.to_link(made)) == made


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[[item]", "cannot be read"),
        ('title = "x"\n[[item]]\nkind = "dance"', "item.1.kind"),
        ('[[item]]\nkind = "ask"\npage = "lstm"', "needs an id"),
        ('[[item]]\nkind = "free"\ntext = "Why?"\noptions = ["a"]', "two to six"),
        ('[[item]]\nkind = "look"\npage = "../etc"', "item.1.page"),
        ("item = 3", "no agenda"),
        ("zzz = 3", "no agenda"),
    ],
)
def test_what_is_wrong_with_a_file_is_said_in_a_sentence(text, said):
    with pytest.raises(Refused, match=said):
        agenda.read_file(text)


@pytest.mark.parametrize("packed", ["", "x", "eJw", "!" * 50, "A" * 30_000])
def test_a_damaged_link_is_refused(packed):
    with pytest.raises(Refused, match="damaged"):
        agenda.from_link(packed)


def test_the_class_goes_through_the_agenda_and_stays_at_its_ends(base, room):
    numbers = agenda.add(base, room.key, [(TEXT, Facts(choices=3)), (GOAL, GOAL_FACTS), (GROW, GROW_FACTS)])
    seen = []
    for by in (1, 1, 1, 1, -1, -1, -1):
        agenda.step(base, room.key, by)
        now = Snapshots(base).of(room.room)
        seen.append((now.place, now.current.phase))
    assert seen == [
        (1, "open"),
        (2, "waiting"),
        (3, "waiting"),
        (3, "waiting"),
        (2, "waiting"),
        (1, "open"),
        (1, "open"),
    ]
    agenda.move(base, room.key, numbers[0], 1)
    agenda.remove(base, room.key, numbers[2])
    assert [one.id for one in Snapshots(base).of(room.room).entries] == [numbers[1], numbers[0]]
    agenda.move(base, room.key, numbers[1], -1)
    assert [one.id for one in Snapshots(base).of(room.room).entries] == [numbers[1], numbers[0]]


def test_an_agenda_has_an_end(base, room):
    with pytest.raises(Refused, match="at most 40"):
        agenda.add(base, room.key, [(TEXT, Facts(choices=3))] * 41)


def lesson(base, room, join, put):
    """A class of two goes through a question, a challenge and seeds."""
    one, other = join(), join()
    rooms.rename(base, one.token, "-Ada")
    ask = put(TEXT, Facts(choices=3))
    asking.vote(base, one.token, ask, "0")
    asking.vote(base, other.token, ask, "2")
    asking.close(base, room.key, ask)
    asking.again(base, room.key, ask)
    asking.vote(base, one.token, ask, "2")
    reach = put(GOAL, GOAL_FACTS)
    challenge.start(base, room.key, reach, Walk("xor-problem"))
    base.clock.now += 12.5
    challenge.record(base, one.token, reach, "mlp", {"hidden": 3, "seed": 3}, {"accuracy": 1.0}, "a")
    grow = put(GROW, GROW_FACTS)
    seeds.start(base, room.key, grow, Walk("xor-problem"))
    for member in (one, other):
        for seed in seeds.take(base, member.token, grow):
            seeds.record(base, member.token, grow, seed, {"accuracy": seed % 2, "loss": float("nan")})
    return one, other


def test_the_table_has_every_vote_goal_and_seed_by_nickname(base, room, join, put):
    _, other = lesson(base, room, join, put)
    rows = list(csv.DictReader(io.StringIO(results.table(base, room.key))))
    votes = [(row["round"], row["nickname"], row["choice"]) for row in rows if row["kind"] == "free"]
    assert votes == [("1", "'-Ada", "A"), ("1", other.name, "C"), ("2", "'-Ada", "C")], "no spreadsheet computes a name"
    (goal,) = [row for row in rows if row["kind"] == "challenge"]
    assert (goal["reached"], goal["seconds"], goal["knobs moved"], goal["accuracy"]) == ("1", "12.5", "1", "1.0")
    grown = [row for row in rows if row["kind"] == "seeds"]
    assert len(grown) == len({row["seed"] for row in grown}) == 24 and {row["loss"] for row in grown} == {"nan"}


def test_a_page_of_results_has_no_names_and_outlives_the_room(base, room, join, put):
    one, other = lesson(base, room, join, put)
    name = results.keep(base, room.key)
    rooms.end(base, room.key)
    kept = results.kept(base, name)
    text = json.dumps(kept)
    assert "Ada" not in text and other.name not in text and one.token not in text
    assert kept["members"] == 2
    ask, reach, grow = kept["items"]
    assert ask["rounds"] == [{"0": 1, "2": 1}, {"2": 1}] and (reach["tried"], reach["reached"]) == (1, 1)
    assert len(grow["values"]) == 24
    assert results.kept(base, "another") is None
    base.clock.now += 200 * 86_400
    assert results.kept(base, name) is None
