"""Several filters: each is one sum over all channels and makes one map."""

import base64
import io
from functools import cache
from itertools import product

import numpy as np
import pytest

from playgrounds._maps import colours
from playgrounds.convolution_filters.model import FILTERS, Params, State, bank, run
from playgrounds.convolution_filters.picture import draw, note
from playgrounds.kit.film import Film
from tests.playgrounds.maps import conv2d


@cache
def states(**values) -> list[State]:
    return list(run(Params(**values)))


def last(**values) -> State:
    return states(**values)[-1]


@pytest.mark.fact("convolution")
def test_an_output_is_one_sum_over_all_channels():
    p = Params(picture="photo")
    theirs = conv2d(colours(p), bank(FILTERS))
    assert np.allclose(last(picture="photo").y, theirs, rtol=0, atol=1e-9)
    apart = sum(conv2d(colours(p)[[c]], bank(FILTERS)[:, [c]]) for c in range(3))
    assert np.allclose(apart, theirs, rtol=0, atol=1e-9)


@pytest.mark.fact("feature-map")
@pytest.mark.parametrize("k", [1, 2, 5, 6])
def test_k_filters_make_k_maps_each_over_the_whole_input_and_not_3k(k):
    state = last(picture="photo", filters=FILTERS[:k])
    assert state.maps == k and state.y.shape == (k, 38, 38) and state.parameters == (3 * 3 * 3 + 1) * k
    everyone = last(picture="photo").y
    assert np.array_equal(state.y, everyone[:k]), "a map does not depend on the other filters"


@pytest.mark.fact("feature-map")
def test_a_filter_that_compares_colours_has_nothing_to_say_about_a_grey_picture():
    colourful, grey = (last(picture=name, filters=("red − blue",)) for name in ("photo", "digit"))
    assert np.abs(colourful.y).max() > 5 and not grey.y.any()


@pytest.mark.fact("feature-map")
def test_the_maps_are_those_of_torch_at_every_padding_stride_and_dilation():
    for padding, stride, dilation in product(range(5), range(1, 5), range(1, 4)):
        p = Params(side=6, padding=padding, stride=stride, dilation=dilation)
        played = list(run(p))
        covered = 2 * dilation + 1
        if covered > 6 + 2 * padding:
            assert len(played) == p.length == 1 and played[0].width == 0 and played[0].unread == 36
            continue
        theirs = conv2d(colours(p), bank(FILTERS), padding=padding, stride=stride, dilation=dilation)
        assert np.allclose(played[-1].y, theirs, rtol=0, atol=1e-9) and played[-1].width == theirs.shape[2]
        assert len(played) == p.length == theirs.shape[1]
        for state in played:
            assert np.allclose(state.answers, theirs[:, state.at[0], state.at[1]], rtol=0, atol=1e-9)


def test_a_kernel_of_another_playground_is_no_knob_here_so_all_filters_are_three_by_three():
    p, complaints = Params.from_query({"kernel": "own", "grid": "1,2;3,4", "padding": "1"}, Params())
    assert p == Params(padding=1) and len(complaints) == 2
    assert last(padding=1).y.shape == (6, 8, 8)


@pytest.mark.parametrize("k", range(1, 7))
def test_every_number_of_filters_can_be_drawn(k):
    for values in ({"side": 4, "padding": 1}, {"side": 4, "dilation": 3}):
        p = Params(filters=FILTERS[:k], **values)
        played = list(run(p))
        film = Film(note, draw, p, p.length)
        film.extend(played, True)
        assert film.steps[-1] == len(played) - 1


def test_the_photo_is_shown_in_its_own_colours_with_black_padding_around_it():
    from PIL import Image

    p = Params(picture="photo", padding=2)
    (source,) = (image["source"] for image in draw(p, list(run(p)), 0).images if image["source"])
    pixels = np.array(Image.open(io.BytesIO(base64.b64decode(source.split(",")[1]))))
    expected = 17 * np.pad(colours(p), ((0, 0), (2, 2), (2, 2))).transpose(1, 2, 0)
    assert np.array_equal(pixels[::6, ::6], expected)


def test_where_no_position_fits_a_sentence_says_why():
    p = Params(side=3, dilation=2)
    assert "covers 5 × 5 pixels and the picture has 3 × 3" in note(p, list(run(p)), 0)
