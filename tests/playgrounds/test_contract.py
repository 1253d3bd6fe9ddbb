"""What every playground keeps to, checked for each folder; a new one is tested by existing."""

import json
import math
import re
import subprocess
import sys
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path
from typing import Any, get_type_hints

import numpy as np
import plotly.graph_objects as go
import pytest

from playgrounds.kit import Params, palette
from playgrounds.kit.catalogue import FOLDER, load, names
from playgrounds.kit.runs import Run
from playgrounds.kit.still import LATER
from playgrounds.stage.address import ALL, PARTS
from playgrounds.stage.diagnosis import diagnose
from tests.short_runs import (
    PAIRED,
    SLOW,
    Played,
    identical,
    imported,
    lengths,
    pairs,
    play,
    settings,
    shortened,
    some,
    three,
)

MOST_STATES = 301
MOST_BYTES = 8 * 2**20
HEAVY = {"torch", "sklearn", "plotly", "streamlit"}
MODEL_MAY = {"numpy", "torch", "sklearn", "pydantic"}
MODEL_MAY_OF_KIT = {"params", "nn", "data", "training", "forms", "encoder", "Metric", "knob"}
PICTURE_MAY = {"numpy"}
TAKEN = {
    "step",
    "hide",
    "lock",
    "pinned",
    "playground",
    "view",
    "show",
    "embed",
    "embed_options",
    "present",
}  # in the URL they mean something else
PALETTE = {*palette.SERIES, palette.RED, palette.INK, palette.MUTED, palette.FAINT, palette.PAPER, "rgba(0,0,0,0)"}
# In the scope of the module pytest runs all tests of a playground before those of the next: its runs are kept so long.
every_playground = pytest.mark.parametrize("name", names(), scope="module")


@lru_cache(maxsize=1)
def runs(name: str) -> list[Played]:
    """The short runs of a playground, each made once."""
    playground = load(name)
    return [
        play(playground, params) for params in dict.fromkeys(settings(playground.Params, 0 if name in SLOW else PAIRED))
    ]


@lru_cache(maxsize=1)
def figures(name: str) -> list[tuple[Played, int, dict]]:
    """Figures of all short runs at some of their steps."""
    draw = load(name).draw
    return [
        (played, now, draw(played.params, played.states, now).figure())
        for played in runs(name)
        for now in some(played.states)
    ]


# ------------------------------------------------------------------------------------------------------------ the file


@every_playground
def test_its_docstring_says_what_one_sees_and_then_what_is_left_out(name):
    seen, *left_out = load(name).about.split("\n\n")
    assert re.fullmatch(r"[A-Z].{20,}\.", seen), f"the first line, alone, is a sentence: {seen!r}"
    assert len(left_out) <= 1, "a second paragraph says what is left out; there is no third"


@every_playground
def test_it_has_the_names_that_the_house_asks_for(name):
    playground = load(name)
    assert issubclass(playground.Params, Params) and callable(playground.run)
    assert issubclass(playground.State, tuple) and playground.State._fields, "State is a NamedTuple"
    assert callable(playground.note) and callable(playground.draw) and playground.presets
    assert "note" not in playground.State._fields, "picture.py says what happened, not the run"


@every_playground
def test_a_model_is_no_longer_than_300_lines_and_a_picture_no_longer_than_220(name):
    for part, most in (("model", 300), ("picture", 220)):
        lines = (FOLDER / name / f"{part}.py").read_text(encoding="utf-8").count("\n")
        assert lines <= most, f"{part}.py has {lines} lines: is there more than one idea in it?"


@every_playground
def test_at_most_three_numbers_stand_below_its_picture(name):
    metrics = load(name).metrics.values()
    assert metrics, "no field of State carries a Metric: nothing to compare, no goal to set"
    assert 1 <= sum(metric.shown for metric in metrics) <= 3
    assert len({metric.label for metric in metrics}) == len(metrics)
    for metric in metrics:
        assert re.match(r"[^_]{2,60}$", metric.label) and 1 <= metric.digits <= 6, metric


@every_playground
def test_every_knob_has_a_label_of_its_own_and_a_name_that_is_free_in_the_url(name):
    knobs = load(name).Params.knobs()
    labels = [one.label for one in knobs.values()]
    assert all(label and label == label.strip() for label in labels)
    assert len(labels) == len(set(labels)), f"two knobs have the same label: {sorted(labels)}"
    assert not (TAKEN | {*PARTS, ALL}) & knobs.keys()


@every_playground
def test_the_default_of_every_knob_is_legal_and_survives_a_link(name):
    kind = load(name).Params
    kind()
    for one in kind.knobs().values():
        assert one.read(one.default, None) == (one.default, ""), one.name
        assert kind.from_query({one.name: one.write(one.default)}, kind()) == (kind(), []), one.name


def source(name: str, part: str) -> str:
    return (FOLDER / name / f"{part}.py").read_text(encoding="utf-8")


@every_playground
def test_a_model_imports_numerics_only(name):
    for module in imported(source(name, "model")):
        root, _, rest = module.partition(".")
        legal = root in sys.stdlib_module_names or root in MODEL_MAY
        ours = root == "playgrounds" and (
            rest == "kit"
            or rest.startswith("_")
            or (rest.startswith("kit.") and rest.split(".")[1] in MODEL_MAY_OF_KIT)
        )
        assert legal or ours, f"{name}/model.py imports {module}"


@every_playground
def test_a_picture_imports_its_model_and_words_for_pictures_and_no_library_of_the_field(name):
    for part in sorted({path.stem for path in (FOLDER / name).glob("*.py")} - {"__init__", "model"}):
        for module in imported(source(name, part)):
            root, _, rest = module.partition(".")
            legal = root in sys.stdlib_module_names or root in PICTURE_MAY or module.startswith(".model")
            ours = root == "playgrounds" and re.match(rf"kit\b|_|{name}\.", rest)
            assert legal or ours, f"{name}/{part}.py imports {module}"


@every_playground
def test_a_picture_leaves_plotly_to_the_kit(name):
    text = source(name, "picture")
    for sign in ('"type": "scatter"', '"xaxis"', '"opacity": 0,', '["layout"]', "<span"):
        assert sign not in text, f"{sign} stands in {name}/picture.py: the vocabulary of the kit has a word for it"


def test_importing_a_playground_loads_no_heavy_library():
    code = (
        "import importlib, json, sys\n"
        "loaded = {}\n"
        f"for name in {names()}:\n"
        "    importlib.import_module(f'playgrounds.{name}.model')\n"
        "    importlib.import_module(f'playgrounds.{name}.picture')\n"
        f"    loaded[name] = sorted({HEAVY} & sys.modules.keys())\n"
        "print(json.dumps(loaded))"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=FOLDER.parent, capture_output=True, text=True, check=True)
    assert json.loads(done.stdout) == {name: [] for name in names()}


# ------------------------------------------------------------------------------------------------------------- the run


@every_playground
def test_the_same_params_give_the_same_states_to_the_last_bit(name):
    for played in runs(name)[:3]:
        again = [state for state in load(name).run(played.params) if state is not None]
        assert identical(played.states, again), played.params


@every_playground
def test_a_state_never_changes_after_it_was_yielded(name):
    for played in runs(name):
        for now in some(played.states):
            load(name).draw(played.params, played.states, now)
        for i, (state, copied) in enumerate(zip(played.states, played.as_yielded, strict=True)):
            changed = [f for f in state._fields if not identical(getattr(state, f), getattr(copied, f))]
            assert not changed, f"state {i} shares {changed} with a later one, or draw has changed it: {played.params}"


@every_playground
def test_every_note_is_a_sentence_and_they_are_not_all_the_same(name):
    for played in runs(name):
        notes = [load(name).note(played.params, played.states, now) for now in range(len(played.states))]
        for note in notes:
            assert re.fullmatch(r"[^a-z\s].{8,600}[.!?]", note), f"{note!r} at {played.params}"
        assert len(notes) == 1 or len(set(notes)) > 1, played.params


@every_playground
def test_a_run_has_as_many_states_as_it_announces_unless_it_diverges(name):
    for params, states, _ in runs(name):
        assert 1 <= len(states) <= MOST_STATES, params
        if params.length is None or len(states) == params.length:
            continue
        assert len(states) < params.length, f"more states than announced: {params}"
        told = re.search(r"diverge|finite|overflow", load(name).note(params, states, len(states) - 1))
        assert told, f"{len(states)} states instead of {params.length}, and the last note does not say why: {params}"


@every_playground
def test_no_legal_run_is_longer_than_a_film_may_be(name):
    kind = load(name).Params
    for bound in ("lo", "hi"):
        longest = kind(**{n: getattr(kind.knobs()[n], bound) for n in lengths(kind)})
        assert longest.length is None or 1 <= longest.length <= MOST_STATES, longest


@every_playground
def test_metrics_are_plain_finite_numbers_until_a_run_diverges(name):
    hints = get_type_hints(load(name).State)
    for params, states, _ in runs(name):
        for i, state in enumerate(states):
            for metric in load(name).metrics:
                value = getattr(state, metric)
                if value is None and type(None) in getattr(hints[metric], "__args__", ()):
                    continue  # declared as not known at every step
                assert isinstance(value, int | float) and not isinstance(value, bool), (metric, value, params)
                assert math.isfinite(value) or i == len(states) - 1, f"{metric} is {value} in state {i} of {params}"


# --------------------------------------------------------------------------------------------------------- the picture


@every_playground
def test_plotly_takes_every_figure(name):
    for played, now, fig in figures(name):
        try:
            made = go.Figure(data=fig["data"], layout=fig["layout"])
            for path, value in fig["narrow"].items():
                head, _, rest = path.partition(".")
                if head == "annotations":
                    number, _, key = rest.partition(".")
                    made.layout.annotations[int(number)][key] = value
                else:
                    made.layout[path] = value
        except ValueError as error:
            pytest.fail(f"step {now} of {played.params}: {error}")


@every_playground
def test_every_field_is_painted_into_an_image_of_its_own(name):
    for played, now, fig in figures(name):
        images = fig["layout"]["images"]
        painted = [field["image"] for field in fig["fields"]]
        empty = [i for i, image in enumerate(images) if image["source"] == ""]
        assert sorted(painted) == empty, f"step {now} of {played.params}"
        for field in fig["fields"]:
            assert field["z"].dtype == np.int8 and field["z"].ndim == 2 and field["z"].size
            assert field["scale"] in palette.SCALES["light"]


@every_playground
def test_what_belongs_to_the_points_of_a_trace_is_as_long_as_the_trace(name):
    for played, now, fig in figures(name):
        for trace in fig["data"]:
            if trace.get("type", "scatter") != "scatter":
                continue
            marker = trace.get("marker", {})
            columns = {key: trace.get(key) for key in ("y", "text", "hovertext", "customdata")}
            columns |= {f"marker.{key}": marker.get(key) for key in ("color", "size", "symbol", "opacity")}
            for key, column in columns.items():
                if isinstance(column, list | tuple | np.ndarray):
                    at = f"{trace.get('name', 'a trace')}.{key} at step {now} of {played.params}"
                    assert len(column) == len(trace["x"]), at


@every_playground
def test_a_row_of_chips_has_as_many_colours_and_subtitles_as_texts(name):
    for _, _, fig in figures(name):
        for row in fig["chips"]:
            assert isinstance(row["title"], str) and all(isinstance(text, str) for text in row["texts"])
            for key in ("colours", "subs"):
                assert row[key] is None or len(row[key]) == len(row["texts"]), (row["title"], key)
            assert all(0 <= mark < len(row["texts"]) for mark in row["marks"]), row["title"]


@every_playground
def test_figures_of_a_run_differ_in_values_only(name):
    """A trace, an axis, a field that one step has, every step has, and it is of the same kind: see film.difference."""

    def form(fig: dict) -> Any:
        fields = [(f["image"], f["scale"], f["smooth"], f["z"].shape) for f in fig["fields"]]
        return [trace.keys() for trace in fig["data"]], fig["layout"].keys(), fields, len(fig["chips"]), fig["narrow"]

    drawn: dict[Params, list[dict]] = {}
    for played, _, fig in figures(name):
        drawn.setdefault(played.params, []).append(fig)
    for params, (first, *others) in drawn.items():
        assert all(form(other) == form(first) for other in others), params


def strings(part: Any, key: str = "") -> Iterator[tuple[str, str]]:
    """Every string in a figure, with the key it stands under."""
    if isinstance(part, str):
        yield key, part
    elif isinstance(part, dict):
        for name, value in part.items():
            yield from strings(value, name)
    elif isinstance(part, list | tuple | np.ndarray):
        for value in part:
            yield from strings(value, key)


@every_playground
def test_all_colours_are_those_of_the_palette(name):
    for played, now, fig in figures(name):
        for key, text in strings([fig["data"], fig["layout"], fig["narrow"]]):
            colour = re.search(r"colou?r(scale)?$", key) or re.fullmatch(r"(#[0-9a-fA-F]{3,8}|(rgb|hsl)a?\(.*\))", text)
            at = f"{key} = {text!r} is no colour of the palette; at step {now} of {played.params}"
            assert not colour or text in PALETTE, at


@every_playground
def test_what_a_reader_types_is_no_markup_in_the_picture(name):
    kind = load(name).Params
    typed = {n: "<b>bold</b> <i>x</i>"[: one.hi] for n, one in kind.knobs().items() if one.kind == "text"}
    if not typed:
        pytest.skip("no knob takes a text")
    for params in three(kind):
        played = play(load(name), type(params)(**params.model_dump() | typed))
        for now in some(played.states):
            fig = load(name).draw(played.params, played.states, now).figure()
            for key, text in strings([fig["data"], fig["layout"]]):
                assert not any(tag in text for tag in ("<b>bold", "<i>x")), f"{key} = {text!r}"


@every_playground
def test_the_film_of_the_default_run_is_small_enough_for_a_phone(name):
    run = Run(load(name), load(name).Params()).finish()
    assert run.failure == ""
    size = len(run.film.message(0))
    assert size < MOST_BYTES, f"{size / 2**20:.1f} MB: let fields, chips and shapes change, not traces"
    assert diagnose(run) is None, "the page would open with a diagnosis"


@pytest.mark.check
@every_playground
def test_every_two_choices_go_together(name):
    """At every pair of values of any two choices the run ends, and can be told and drawn at its first and last step."""
    playground = load(name)
    for params in dict.fromkeys(shortened(playground.Params, **values) for values in pairs(playground.Params)):
        states = list(playground.states(params))
        for now in {0, len(states) - 1}:
            assert playground.note(params, states, now)
            fig = playground.draw(params, states, now).figure()
            go.Figure(data=fig["data"], layout=fig["layout"])


def test_the_folder_is_the_catalogue():
    folders = {path.parent.name for path in Path(FOLDER).glob("*/model.py")}
    assert set(names()) == folders and {load(name).name for name in names()} == folders
    with pytest.raises(KeyError):
        load("no_such_playground")


# ------------------------------------------------------------------------------------------------------ no answer early


def shown_at_once(fig: dict) -> list[dict]:
    """The traces that are seen before a run is played: those along its time and those marked as later are hidden."""
    along_time = {f"x{panel['suffix']}" for panel in fig["panels"] if panel["runs"]}
    return [trace for trace in fig["data"] if trace["xaxis"] not in along_time and trace.get("meta") != LATER]


@every_playground
def test_the_first_step_shows_nothing_that_only_the_run_brings_out(name):
    playground = load(name)
    for params, states, _ in runs(name):
        whole, begun = (playground.draw(params, known, 0).figure() for known in (states, states[:1]))
        for one, other in zip(shown_at_once(whole), shown_at_once(begun), strict=True):
            axis = one["xaxis"].replace("x", "xaxis", 1)
            if whole["layout"][axis].get("range") != begun["layout"][axis].get("range"):
                continue  # a function over all that the run will visit, so that the axis does not jump
            assert identical(one, other), (params, one["xaxis"], one.get("name"))
