"""Rooms: who gets in, who comes back, who may do what, and when it ends."""

import random

import pytest
from sqlalchemy import func, select

from classroom import agenda, asking, challenge, codes, database, follow, names, results, rooms, seeds
from classroom.agenda import Facts
from classroom.codes import Guard
from classroom.database import Database, OtherVersion
from classroom.follow import Walk
from classroom.refused import Refused
from classroom.rooms import WrongCode
from classroom.snapshot import Snapshots
from tests.classroom.conftest import TEXT


def count(base, table) -> int:
    with base.read() as connection:
        return connection.scalar(select(func.count()).select_from(table))


def test_a_code_has_five_letters_of_which_none_looks_like_another():
    code = codes.new_code()
    assert len(code) == 5 and not set(code) & set("ILO01")
    assert codes.read_code(f" {code[:2].lower()}-{code[2:]} ") == code
    assert [codes.read_code(text) for text in ("", "ABCD", "ABCDEF", "AB1DE", "ILOIL", "ÄBCDE", "x" * 10**6)] == [
        ""
    ] * 7


def test_who_types_the_code_is_a_member_and_comes_back_with_the_token(base, room, join):
    one = join()
    assert rooms.back(base, one.token) == one
    assert one.name.split()[0] in names.COLOURS
    assert join().member != one.member
    with pytest.raises(Refused):
        rooms.back(base, "another")


def test_the_teachers_link_opens_the_room_on_a_second_device_and_a_member_cannot(base, room, join):
    assert rooms.teaches(base, room.key) == room
    for key in ("", "x", join().token, room.code):
        with pytest.raises(Refused):
            rooms.teaches(base, key)


def test_secrets_have_128_bits_and_are_not_in_the_database(base, room, join):
    one = join()
    assert len(one.token) == len(room.key) == 22
    with base.read() as connection:
        for table in (database.rooms, database.members):
            assert all(
                secret not in str(row) for row in connection.execute(select(table)) for secret in (one.token, room.key)
            )


def test_after_ten_wrong_codes_a_session_gets_no_further_not_even_with_the_right_one(base, room):
    guard = Guard()
    for tried in range(10):
        with pytest.raises(WrongCode):
            rooms.join(base, "AAAAA" if room.code != "AAAAA" else "BBBBB", guard, tried)
    with pytest.raises(Refused) as said:
        rooms.join(base, room.code, guard, 10)
    assert not isinstance(said.value, WrongCode)


def test_after_a_hundred_wrong_codes_in_a_minute_the_host_takes_none_for_a_while(base, room):
    now = 0.0
    guard = Guard(lambda: now)
    for _ in range(100):
        with pytest.raises(WrongCode):
            rooms.join(base, "nonsense", guard)
    with pytest.raises(Refused, match="Wait a minute"):
        rooms.join(base, room.code, guard)
    now = 61.0
    assert rooms.join(base, room.code, guard).room == room.room


def test_a_host_has_at_most_fifty_rooms(base, monkeypatch):
    monkeypatch.setattr(rooms, "MOST_ROOMS", 3)
    for _ in range(3):
        rooms.open_room(base)
    with pytest.raises(Refused, match="3 rooms"):
        rooms.open_room(base)
    base.clock.now += 25 * 3600
    rooms.open_room(base)
    assert count(base, database.rooms) == 1, "those whose time was up are gone"


def test_a_room_takes_at_most_as_many_members_as_it_holds(monkeypatch, join):
    monkeypatch.setattr(rooms, "MOST_MEMBERS", 2)
    join(), join()
    with pytest.raises(Refused, match="full"):
        join()


def test_after_a_day_a_room_is_over_for_everybody(base, room, join):
    one = join()
    base.clock.now += 24 * 3600 + 1
    for attempt in (lambda: rooms.back(base, one.token), lambda: rooms.teaches(base, room.key), join):
        with pytest.raises(Refused):
            attempt()
    assert Snapshots(base).of(room.room) is None


def test_ending_a_room_deletes_all_that_belongs_to_it(base, room, join, put):
    one, item = join(), put(TEXT, Facts(choices=3))
    asking.vote(base, one.token, item, "0")
    rooms.end(base, room.key)
    tables = (database.rooms, database.members, database.items, database.votes)
    assert [count(base, table) for table in tables] == [0] * 4
    assert Snapshots(base).of(room.room) is None


def test_names_differ_within_a_room_and_can_be_changed(base, room, join):
    one, other = join(), join()
    assert rooms.rename(base, one.token, "  Ada   L. ") == "Ada L."
    with pytest.raises(Refused, match="has that nickname"):
        rooms.rename(base, other.token, "ada l.")
    assert rooms.rename(base, one.token, "Ada L.") == "Ada L."
    rooms.give_name(base, room.key, one.member)
    assert rooms.back(base, one.token).name.split()[0] in names.COLOURS


@pytest.mark.parametrize("typed", ["", "a", "x" * 21, "12345", "  ", "f.u.c.k", "sh1t happens", "<>", "💥💥"])
def test_what_is_no_nickname_is_refused(typed):
    with pytest.raises(Refused):
        names.clean(typed)


@pytest.mark.parametrize(
    "typed", ["<b>Ada</b>", "[x](javascript:1)", "**Ada**", "`Ada`", "Ada\u202eadA", "Ada\nB", "$Ada$"]
)
def test_nothing_in_a_nickname_is_markup(typed):
    assert not set(names.clean(typed)) & set("<>[]()*_`$\n\u202e:#|~\\")


def test_there_are_more_names_than_members():
    taken = set()
    dice = random.Random(0)
    for _ in range(rooms.MOST_MEMBERS):
        taken.add(names.make(taken, dice))
    assert len(taken) == rooms.MOST_MEMBERS and max(map(len, taken)) <= 24


def test_who_is_sent_out_is_no_member_and_their_votes_are_gone(base, room, join, put):
    one, item = join(), put(TEXT, Facts(choices=3))
    asking.vote(base, one.token, item, "0")
    rooms.send_out(base, room.key, one.member)
    with pytest.raises(Refused):
        asking.vote(base, one.token, item, "1")
    assert count(base, database.votes) == 0


def test_what_is_the_teachers_no_member_can_do(base, room, join, put):
    one, item = join(), put(TEXT, Facts(choices=3))
    walk = Walk("xor-problem")
    stranger = rooms.open_room(base)
    for key in (one.token, "", room.code):
        for attempt in (
            lambda key=key: agenda.add(base, key, [(TEXT, Facts(choices=3))]),
            lambda key=key: agenda.go(base, key, item),
            lambda key=key: agenda.step(base, key, 1),
            lambda key=key: agenda.move(base, key, item, 1),
            lambda key=key: agenda.remove(base, key, item),
            lambda key=key: asking.close(base, key, item),
            lambda key=key: asking.reopen(base, key, item),
            lambda key=key: asking.show(base, key, item),
            lambda key=key: asking.again(base, key, item),
            lambda key=key: asking.run(base, key, item, walk),
            lambda key=key: asking.answer(base, key, item),
            lambda key=key: challenge.start(base, key, item, walk),
            lambda key=key: challenge.stop(base, key, item),
            lambda key=key: seeds.start(base, key, item, walk),
            lambda key=key: follow.lead(base, key, walk),
            lambda key=key: follow.free(base, key),
            lambda key=key: rooms.show_names(base, key, True),
            lambda key=key: rooms.give_name(base, key, one.member),
            lambda key=key: rooms.send_out(base, key, one.member),
            lambda key=key: rooms.end(base, key),
            lambda key=key: results.table(base, key),
            lambda key=key: results.keep(base, key),
        ):
            with pytest.raises(Refused):
                attempt()
    for attempt in (agenda.go, asking.close, asking.answer, challenge.stop, agenda.remove):
        with pytest.raises(Refused):
            attempt(base, stranger.key, item)  # the teacher of another room neither
    rooms.send_out(base, stranger.key, one.member)
    assert rooms.back(base, one.token) == one


def test_who_gives_no_sign_of_life_counts_as_gone_and_is_still_a_member(base, room, join):
    one, _ = join(), join()
    seen = Snapshots(base)
    assert seen.of(room.room).here == 2
    for _ in range(10):
        base.clock.now += 2
        seen.of(room.room, one.member)
    assert seen.of(room.room).here == 1 and len(seen.of(room.room).members) == 2
    assert rooms.back(base, one.token) == one


def test_a_snapshot_is_read_at_most_twice_a_second_and_after_a_change_shows_it(base, room, join, monkeypatch):
    reads = []
    load = __import__("classroom.snapshot", fromlist=["load"]).load
    monkeypatch.setattr("classroom.snapshot.load", lambda *args: reads.append(1) or load(*args))
    seen = Snapshots(base)
    for _ in range(50):
        seen.of(room.room)
    assert len(reads) == 1
    join()
    base.clock.now += 0.51
    assert len(seen.of(room.room).members) == 1 and len(reads) == 2
    before = seen.of(room.room)
    base.clock.now += 0.51
    assert seen.of(room.room) is before, "nothing has changed: nothing is read anew but who is here"


def test_a_server_that_is_started_again_finds_the_room_with_all_votes(url, base, room, join, put):
    one, item = join(), put(TEXT, Facts(choices=3))
    asking.vote(base, one.token, item, "2")
    other = Database(url, base.clock)
    assert rooms.back(other, one.token) == one and rooms.teaches(other, room.key) == room
    assert Snapshots(other).of(room.room).votes == {(item, 1, one.member): "2"}
    other.engine.dispose()


def test_tables_of_another_version_are_left_alone(url, base):
    with base.write() as connection:
        connection.execute(database.versions.update().values(version=99))
    with pytest.raises(OtherVersion, match="99"):
        Database(url)
