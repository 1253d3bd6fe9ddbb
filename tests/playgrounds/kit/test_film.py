"""A film holds a run: composed again as the player does it, every frame is the figure that `draw` returned."""

import json
import math
from typing import Any

import numpy as np
import pytest

from playgrounds.kit.catalogue import Playground, load, names
from playgrounds.kit.film import ALL, Film, difference, encode, label
from playgrounds.kit.metrics import metrics
from playgrounds.kit.picture import Picture
from tests.short_runs import TOY, three
from tests.toy import model as toy


class Player:
    """What the player does with messages, in Python."""

    def __init__(self) -> None:
        self.frames: list[dict[str, Any]] = []
        self.base: dict[str, Any] = {}
        self.done = False

    def receive(self, message: bytes) -> None:
        length = int.from_bytes(message[:4], "little")
        head = json.loads(message[4 : 4 + length])
        pixels = np.frombuffer(message, np.int8, offset=4 + length)
        assert head["from"] == len(self.frames), "a message goes on where the last one ended"
        size = sum(field["rows"] * field["columns"] for field in head["base"]["fields"])
        assert len(pixels) == size * len(head["frames"])
        for i, frame in enumerate(head["frames"]):
            self.frames.append(frame | {"pixels": pixels[i * size : (i + 1) * size]})
        self.base, self.done = head["base"], head["done"]

    def figure(self, n: int) -> dict[str, Any]:
        """The n-th frame: the base, and over it what differs."""
        frame, at, fields = self.frames[n], 0, []
        for field in self.base["fields"]:
            size = field["rows"] * field["columns"]
            fields.append(frame["pixels"][at : at + size].reshape(field["rows"], field["columns"]).tolist())
            at += size
        return {
            "data": [trace | frame["data"].get(str(i), {}) for i, trace in enumerate(self.base["data"])],
            "layout": self.base["layout"] | frame["layout"],
            "chips": [frame["chips"].get(str(i), row) for i, row in enumerate(self.base["chips"])],
            "narrow": self.base["narrow"],
            "fields": fields,
        }


def drawn(draw: Any, params: Any, states: list, now: int) -> dict[str, Any]:
    """The figure of a step as JSON would bring it to the browser."""
    fig = draw(params, states, now).figure()
    plain = json.loads(encode({key: value for key, value in fig.items() if key != "fields"}))
    plain = {key: value for key, value in plain.items() if key in ("data", "layout", "chips", "narrow")}
    return plain | {"fields": [field["z"].tolist() for field in fig["fields"]]}


def film_of(playground: Playground, params: Any, parts: int = 1) -> tuple[Film, Player, list]:
    """The run's film, made and sent in so many parts."""
    states = list(playground.states(params))
    film, player = Film(playground.note, playground.draw, params, params.length), Player()
    for part in range(1, parts + 1):
        film.extend(states[: math.ceil(len(states) * part / parts)], part == parts)
        player.receive(film.message(len(player.frames)))
    return film, player, states


def check(playground: Playground, params: Any, parts: int) -> None:
    film, player, states = film_of(playground, params, parts)
    assert player.done and len(player.frames) == len(film.steps)
    for n, i in enumerate(film.steps):
        expected = drawn(playground.draw, params, states, i)
        for part, value in player.figure(n).items():
            assert value == expected[part], f"{part} of frame {n} (state {i}), sent in {parts} parts: {params}"
        frame = player.frames[n]
        told = (frame["step"], frame["note"], frame["metrics"])
        known = {name: value for name, value in metrics(states[i]).items() if value is not None}
        assert told == (label(states[i], i), playground.note(params, states, i), json.loads(encode(known)))


@pytest.mark.parametrize("parts", [1, 3])
@pytest.mark.parametrize("steps", [0, 1, 12, ALL - 1, ALL, 250])
def test_a_film_sent_in_parts_plays_the_figures_that_were_drawn(steps, parts):
    check(TOY, toy.Params(steps=steps, name="ends 'so' \"or\" </script> 👩‍💻"), parts)


@pytest.mark.parametrize("name", names())
def test_every_playground_plays_as_drawn_however_its_film_is_cut(name):
    playground = load(name)
    for params in three(playground.Params):
        for parts in (1, 3):
            check(playground, params, parts)


@pytest.mark.parametrize("states", [1, 2, 99, 100, ALL])
def test_up_to_about_a_hundred_states_are_all_shown(states):
    assert 100 <= ALL <= 110
    film, _, _ = film_of(TOY, toy.Params(steps=states - 1))
    assert film.steps == list(range(states))


@pytest.mark.parametrize("states", [ALL + 1, 150, 180, 241, 300, 301])
def test_of_more_states_about_fifty_are_shown_evenly_and_the_last_one_always(states):
    film, player, _ = film_of(TOY, toy.Params(steps=states - 1), parts=3)
    assert 34 <= len(film.steps) <= 62 and film.steps[0] == 0 and film.steps[-1] == states - 1
    (stride,) = set(np.diff(film.steps)[:-1])  # evenly, apart from the last step
    assert stride % 2 == 1, "or what swings to and fro would always be shown on the same side"
    assert [frame["step"] for frame in player.frames] == film.steps


def test_a_run_that_ends_early_shows_the_state_it_ends_with():
    states = list(toy.run(toy.Params(steps=300)))
    film = Film(TOY.note, TOY.draw, toy.Params(steps=300), 301)
    film.extend(states[:138], False)
    assert film.steps[-1] == 135 and not film.done
    film.extend(states[:138], True)
    assert film.steps[-2:] == [135, 137] and film.done


def test_extending_twice_by_the_same_states_adds_nothing():
    states = list(toy.run(toy.Params(steps=30)))
    film = Film(TOY.note, TOY.draw, toy.Params(steps=30), 31)
    for _ in range(2):
        film.extend(states, True)
    assert film.steps == list(range(31)) and film.message(31).count(b'"note"') == 0
    film.extend([], True)
    assert len(film.steps) == 31


def two_fields(now: int) -> Picture:
    """A picture with two fields of different shapes whose values say where they belong."""
    pic = Picture(100, "one")
    panel = pic.panel("one")
    panel.field((np.arange(6).reshape(2, 3) + now * 20 + 0.2) / 127, (0, 1), (0, 1))
    panel.field(-(np.arange(4).reshape(4, 1) + now * 20 + 0.2) / 127, (0, 1), (0, 1), smooth=False)
    return pic


def test_fields_follow_the_head_frame_by_frame_row_by_row_as_signed_bytes():
    film = Film(TOY.note, lambda p, states, now: two_fields(now), toy.Params(), 3)
    film.extend(list(toy.run(toy.Params(steps=2))), True)
    message = film.message(1, start=7)
    length = int.from_bytes(message[:4], "little")
    head, body = json.loads(message[4 : 4 + length]), message[4 + length :]
    assert np.frombuffer(body, np.int8).tolist() == [
        *(20, 21, 22, 23, 24, 25),
        *(-20, -21, -22, -23),
        *(40, 41, 42, 43, 44, 45),
        *(-40, -41, -42, -43),
    ]
    shapes = [(field["image"], field["rows"], field["columns"], field["smooth"]) for field in head["base"]["fields"]]
    assert shapes == [(0, 2, 3, True), (1, 4, 1, False)]
    assert (head["from"], head["start"], head["done"], len(head["frames"])) == (1, 7, True, 2)


def test_a_field_is_cut_at_one_and_undefined_values_are_neutral():
    pic = Picture(100, "one")
    pic.panel("one").field(np.array([[-np.inf, -1, -0.6, 0, np.nan, 0.6, 1, 7]]), (0, 1), (2, 3))
    fig = pic.figure()
    assert fig["fields"][0]["z"].tolist() == [[-127, -127, -76, 0, 0, 76, 127, 127]]
    image = fig["layout"]["images"][0]
    assert (image["x"], image["y"], image["sizex"], image["sizey"]) == (0, 3, 1, 1), "y is the upper edge"


def test_a_frame_holds_only_what_differs_from_the_first():
    _, player, _ = film_of(TOY, toy.Params(steps=20))
    assert player.frames[0]["data"] == {} and player.frames[0]["layout"] == {} and player.frames[0]["chips"] == {}
    for frame in player.frames[1:]:
        assert frame["data"].keys() == {"1"} and "type" not in frame["data"]["1"]
        assert frame["layout"].keys() == {"shapes"}


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf, np.float32("nan"), np.float64("inf")])
def test_what_is_not_finite_is_null_because_json_has_no_word_for_it(value):
    sent = {
        "one": value,
        "list": [value, 1.5],
        "array": np.array([value, 2.5]),
        "single": np.array([value], np.float32),
    }
    assert json.loads(encode(sent)) == {"one": None, "list": [None, 1.5], "array": [None, 2.5], "single": [None]}


def test_arrays_of_any_memory_order_and_type_are_sent_by_value():
    grid = np.arange(6).reshape(2, 3)
    for array in (grid.T, grid[:, ::2], grid.astype(np.float16), grid > 2, np.array(["a", "b"])):
        assert json.loads(encode({"a": array})) == {"a": array.tolist()}
    with pytest.raises(TypeError, match="object"):
        encode({"a": object()})


def changed(**changes: Any) -> dict:
    """A figure of the toy with some of its parts replaced."""
    params = toy.Params(steps=2)
    return TOY.draw(params, list(toy.run(params)), 1).figure() | changes


@pytest.mark.parametrize(
    ("other", "said"),
    [
        (changed(data=[]), "number of traces"),
        (changed(data=[*changed()["data"], {"type": "scatter"}]), "number of traces"),
        (changed(chips=[]), "chip rows"),
        (changed(fields=[]), "fields of the same shapes"),
        (changed(fields=[changed()["fields"][0] | {"z": np.zeros((2, 2), np.int8)}]), "fields of the same shapes"),
    ],
)
def test_figures_that_no_player_could_change_into_each_other_are_refused(other, said):
    with pytest.raises(ValueError, match=said):
        difference(changed(), other)


def test_equal_values_are_no_difference_whatever_holds_them():
    nothing = {"data": {}, "layout": {}, "chips": {}}
    assert difference(changed(), changed()) == nothing
    ours, theirs = changed(), changed()
    ours["data"][0] |= {"x": np.array([1.0, np.nan]), "meta": {"a": [1, 2]}}
    theirs["data"][0] |= {"x": np.array([1.0, np.nan]), "meta": {"a": [1, 2]}}
    assert difference(ours, theirs) == nothing
    theirs["data"][0]["meta"] = {"a": [1, 3]}
    assert difference(ours, theirs) == nothing | {"data": {"0": {"meta": {"a": [1, 3]}}}}


def test_the_metrics_of_a_state_are_its_numbers_and_the_step_is_its_name():
    state = toy.State(step=30, place=0.5, letters=3, path=np.zeros(1), visits=np.zeros(1))
    assert metrics(state) == {"place": 0.5, "letters": 3}
    assert label(state, 7) == 30
    assert label("without a step", 7) == 7
