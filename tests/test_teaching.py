"""What the page does to teach: predictions, goals, named runs, comparing, sweeps, diagnoses, links for a class."""

import json
import math
import re
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from streamlit.testing.v1 import AppTest

import glossary
from pages import playground as workbench
from playgrounds.kit import catalogue, sweep
from playgrounds.kit.conditions import reached
from playgrounds.kit.metrics import metrics, said
from playgrounds.kit.params import Params
from playgrounds.kit.runs import Run
from playgrounds.kit.words import filled
from playgrounds.stage import address
from playgrounds.stage.compare import shared
from playgrounds.stage.diagnosis import diagnose, still
from playgrounds.stage.questions import shuffled
from playgrounds.stage.scene import Scene
from tests.test_pages import (
    HOST,
    REAL,
    all_widgets,
    fine,
    message,
    opens,
    params,
    preset,
    report,
    texts,
    visit,
    warnings,
)

SLUG = "xor-problem"
TERM = REAL.term[SLUG]
QUESTION, GOAL = TERM.asked.question[0], TERM.asked.goal[0]
AT_PRESET = {"seed": str(preset(TERM).seed)}  # a link with a state opens on it, without asking


def button(app: AppTest, text: str) -> Any:
    return next(one for one in app.button if text in one.label)


def labels(app: AppTest) -> list[str]:
    return [one.label for one in app.button]


def whole(term: glossary.Term, **values: Any) -> Params:
    return catalogue.load(term.playground).Params.preset(term.preset | values)[0]


def ended(app: AppTest, page: str, **more: Any) -> AppTest:
    """The player has shown the run it was told to play to its end."""
    sent = message(app, page)
    while not message(app, page)["done"]:
        fine(app.run())
    said = {"run": sent["run"], "have": 10**6, "step": None, "stopped": False, "told": 1, "ended": sent["order"][0]}
    return report(app, page, **said | more)


def told(app: AppTest, question: glossary.Question = QUESTION) -> bool:
    """Whether the reason for the right answer is on the page."""
    words = max(re.split(r"\{\w+\}", question.options[question.answer].why), key=len).strip()
    return any(words in text for text in texts(app))


def wrong(question: glossary.Question = QUESTION) -> str:
    return next(option.text for option in question.options if not option.right)


def right(question: glossary.Question = QUESTION) -> str:
    return question.options[question.answer].text


# ------------------------------------------------------------------------------------------------- predict, run, reveal


def test_a_prediction_plays_the_deciding_run_and_the_answer_waits_for_its_end():
    app = fine(visit(SLUG))
    assert any(QUESTION.ask.strip() in text for text in texts(app)) and message(app, SLUG)["order"] is None
    fine(button(app, wrong()).click().run())
    assert params(app, SLUG) == opens(TERM)
    assert app.query_params == params(app, SLUG).to_query(preset(TERM))
    assert message(app, SLUG)["order"] == [1, None, False] and not message(app, SLUG)["hold"] and not told(app)
    ended(app, SLUG)
    numbers = said(list(catalogue.load(TERM.playground).states(opens(TERM)))[-1])
    assert any(filled(QUESTION.options[QUESTION.answer].why, numbers).strip() in text for text in texts(app))


def test_the_verdict_stands_on_the_options_themselves():
    for choice in (wrong(), right()):
        app = visit(SLUG)
        fine(button(app, choice).click().run())
        ended(app, SLUG)
        signed = [text for text in texts(app) if text.startswith(":material/")]
        assert any("check_circle" in text and right() in text for text in signed)
        assert any("cancel" in text and wrong() in text for text in signed) == (choice == wrong())
        assert any(choice in text and "your prediction" in text for text in signed)


def test_the_end_of_another_run_or_an_earlier_end_reveals_nothing():
    app = visit(SLUG)
    fine(button(app, wrong()).click().run())
    ended(app, SLUG, ended=None)
    ended(app, SLUG, run="another")
    assert not told(app)


def test_the_answer_can_be_asked_for_at_once_and_the_question_asked_again():
    app = visit(SLUG)
    fine(button(app, wrong()).click().run())
    fine(button(app, "Answer now").click().run())
    while not told(app):
        fine(app.run())
    fine(button(app, "Play again").click().run())
    assert message(app, SLUG)["order"] == [2, None, False] and told(app), "the answer stays"
    fine(button(app, "Next question").click().run())
    following = whole(TERM, **TERM.asked.question[1].run)
    assert not told(app) and params(app, SLUG) == following and message(app, SLUG)["hold"]
    fine(button(app, QUESTION.ask[:20]).click().run())
    assert not told(app) and wrong() in labels(app) and params(app, SLUG) == opens(TERM)


def test_questions_can_be_skipped_and_the_page_then_opens_on_its_own_run_and_leads_on():
    app = fine(visit(SLUG))
    assert not any("Next term" in text for text in texts(app))
    for _ in TERM.asked.question:
        fine(button(app, "Skip").click().run())
    assert params(app, SLUG) == preset(TERM) and message(app, SLUG)["hold"] and message(app, SLUG)["start"] == 0
    assert wrong() not in labels(app) and not told(app)


def test_who_wanders_off_finds_the_way_back_to_the_run_that_decides():
    app = visit(SLUG)
    fine(button(app, wrong()).click().run())
    fine(app.button(key=f"{SLUG}:reset").click().run())
    assert not told(app) and "Answer now" not in labels(app)
    fine(button(app, "Back to that run").click().run())
    assert params(app, SLUG) == opens(TERM)


def test_after_the_answer_one_press_shows_a_run_of_the_other_kind():
    app = visit(SLUG)
    fine(button(app, right()).click().run())
    ended(app, SLUG)
    fine(button(app, "Try the opposite").click().run())
    named = {catalogue.load(TERM.playground).Params.preset(one.values)[0] for one in catalogue.load("mlp").presets}
    assert params(app, SLUG) in named and message(app, SLUG)["order"] == [2, None, False]


def test_what_was_answered_on_an_earlier_visit_is_not_asked_anew():
    app = fine(visit(SLUG))
    app.session_state[f"{SLUG}:known"] = frozenset([QUESTION.id])
    fine(app.run())
    assert wrong() not in labels(app) and any(QUESTION.ask[:20] in label for label in labels(app))


def test_options_stand_in_an_order_of_the_readers_own(monkeypatch):
    orders = set()
    for reader in "abcdefgh":
        monkeypatch.setattr("playgrounds.stage.session.reader", lambda reader=reader: reader)
        one = shuffled(SLUG, QUESTION)
        assert sorted(one) == list(range(len(QUESTION.options))) and one == shuffled(SLUG, QUESTION)
        orders.add(tuple(one))
    assert len(orders) > 2


def test_a_link_hides_the_question_or_its_answer():
    app = fine(visit(SLUG, {"hide": "question"}))
    assert not any(QUESTION.ask.strip() in text for text in texts(app)) and params(app, SLUG) == preset(TERM)
    app = fine(visit(SLUG, {"hide": "answer"}))
    fine(button(app, wrong()).click().run())
    ended(app, SLUG)
    assert not told(app) and "Answer now" not in labels(app) and "Show a solution" not in labels(app)


# --------------------------------------------------------------------------------------- several playgrounds, old links


MANY = next(term for term in REAL.terms if term.also)


def test_a_term_with_several_playgrounds_shows_the_one_that_the_link_names():
    app = fine(visit(MANY.slug, {"playground": MANY.also[0]}))
    state = app.session_state[f"{MANY.slug}:state"]
    assert state.playground == MANY.also[0] and warnings(app) == []
    assert params(app, MANY.slug) == catalogue.load(MANY.also[0]).Params()
    assert any(MANY.also[0].replace("_", " ").capitalize() in str(one.options) for one in app.get("button_group"))


def test_a_playground_that_there_is_not_is_said():
    app = fine(visit(SLUG, {"playground": "no_such"}))
    (said,) = warnings(app)
    assert "playground=no·such" in said and params(app, SLUG) == preset(TERM)


@pytest.mark.parametrize(
    ("page", "query", "playground", "knobs"),
    [
        ("self-attention", {"view": "heads", "heads": "4"}, "attention_heads", {"heads": 4}),
        ("multi-head-attention", {"view": "scaling", "keys": "20"}, "attention_scaling", {"keys": 20}),
        ("convolution", {"view": "count"}, "convolution_cost", {}),
        ("bert", {"view": "parameters"}, "bert_parameters", {}),
        ("transformer", {"show": "influence"}, "token_influence", {}),
        ("positional-encoding", {"view": "encoding"}, "positional_encoding", {}),
        ("playground-recurrent", {"view": "lengths"}, "memory_length", {}),
    ],
)
def test_a_link_of_0_1_0_leads_to_the_playground_that_took_the_view_over(page, query, playground, knobs):
    app = fine(visit(page, query))
    state = app.session_state[f"{page}:state"]
    assert state.playground == playground and warnings(app) == []
    assert {name: getattr(state.params, name) for name in knobs} == knobs


# ------------------------------------------------------------------------------------------------------- goals and runs


def done(app: AppTest, page: str) -> AppTest:
    while not message(app, page)["done"]:
        fine(app.run())
    return fine(app.run())


def test_a_goal_is_said_to_be_reached_with_its_numbers_and_a_link_that_proves_it():
    goals = {f"{SLUG}:below": "Goals"}
    app = done(fine(visit(SLUG, AT_PRESET, **goals)), SLUG)
    assert not app.success
    fine(button(app, "Show a solution").click().run())
    done(app, SLUG)
    (said,) = [one.value for one in app.success]
    assert said.startswith(GOAL.ask) and "This is a solution: training loss" in said
    sent = json.loads(app.get_by_key(f"{SLUG}:progress").proto.json)
    assert sent["record"]["reached"] == [], "a solution that was looked at is none that was found"
    link = next(code.value for code in app.code if code.value.startswith(HOST))
    query = {name: values[0] for name, values in parse_qs(urlsplit(link).query).items()}
    assert query == whole(TERM, **GOAL.solution).to_query(preset(TERM))
    other = done(fine(visit(SLUG, query, **goals)), SLUG)
    assert [one.value for one in other.success] == [said.replace("This is a solution", "Reached")], "whoever opens it"


def test_a_goal_is_not_reached_by_breaking_its_rules():
    wanted = whole(TERM, **GOAL.solution, hidden=8)
    assert reached(GOAL.reach, metrics(list(catalogue.load(TERM.playground).run(wanted))[-1])), "the numbers are there"
    app = done(fine(visit(SLUG, wanted.to_query(preset(TERM)), **{f"{SLUG}:below": "Goals"})), SLUG)
    assert not app.success and any("Hidden units must be 2" in text for text in texts(app)), "and a rule is not kept"


def test_a_goal_once_reached_is_remembered_and_told_to_the_browser():
    app = done(visit(SLUG, whole(TERM, **GOAL.solution).to_query(preset(TERM)), **{f"{SLUG}:below": "Goals"}), SLUG)
    sent = json.loads(app.get_by_key(f"{SLUG}:progress").proto.json)
    assert sent["record"] == {"page": SLUG, "answered": [], "reached": [GOAL.id]}
    fine(app.button(key=f"{SLUG}:reset").click().run())
    assert any("Reached before" in text for text in texts(done(app, SLUG)))


def runs_to_try(app: AppTest) -> Any:
    return next(one for one in app.selectbox if one.label == "Runs to try")


def test_a_named_run_is_one_choice_and_says_why_it_goes_as_it_does():
    page = workbench.address(TERM.playground)
    for n, one in enumerate(catalogue.load(TERM.playground).presets):
        app = fine(visit(page))
        assert one.why not in texts(app)
        runs_to_try(app).set_value(n)
        fine(app.run())
        assert params(app, page) == catalogue.load(TERM.playground).Params.preset(one.values)[0]
        assert one.why in texts(app) and message(app, page)["order"] == [1, None, False]


# ---------------------------------------------------------------------------------------------------- hidden and locked


def test_what_a_link_hides_or_locks_cannot_be_changed_by_the_pages_own_controls():
    query = {"hidden": "5", "seed": "7", "hide": "seed", "lock": "hidden"}
    app = fine(visit(SLUG, query))
    shown = all_widgets(app, SLUG)
    assert "seed" not in shown and shown["hidden"].disabled and not shown["rate"].disabled
    assert f"{SLUG}:reseed" not in [one.key for one in app.button]
    shown["rate"].set_value(0.2)
    fine(app.run())
    assert app.query_params == query | {"rate": "0.2"}
    fine(app.button(key=f"{SLUG}:reset").click().run())
    assert app.query_params == query and app.button(key=f"{SLUG}:reset").disabled
    for one in app.button:
        if one.key and one.key.startswith((f"{SLUG}:goal", f"{SLUG}:question")) and not one.disabled:
            other = visit(SLUG, query)
            fine(other.button(key=one.key).click().run())
            assert (other.query_params["hidden"], other.query_params["seed"]) == ("5", "7"), one.label
            if ":goal" in one.key:
                assert (params(other, SLUG).hidden, params(other, SLUG).seed) == (5, 7), one.label


def test_the_run_that_decides_may_set_what_is_locked_and_the_link_stays():
    query = {"hidden": "5", "lock": "all"}
    app = fine(visit(SLUG, query))
    fine(button(app, wrong()).click().run())
    assert params(app, SLUG) == opens(TERM) and params(app, SLUG).hidden != 5
    assert app.query_params == query


def test_everything_can_be_locked_and_the_code_hidden():
    app = fine(visit(SLUG, {"lock": "all", "hide": "code,presets,goals"}))
    assert all(widget.disabled for widget in all_widgets(app, SLUG).values())
    assert "Code" not in [tab.label for tab in app.tabs]
    assert not [one for one in app.button if one.key and one.key.startswith(f"{SLUG}:goal")]
    assert not [one for one in app.selectbox if one.label == "Runs to try"]


def test_names_that_mean_nothing_here_are_said():
    app = fine(visit(SLUG, {"hide": "seed,nothing,<b>", "lock": "moon"}))
    assert len(warnings(app)) == 3 and "hide=nothing" in warnings(app)[0] and "lock=moon" in warnings(app)[2]
    assert app.session_state[f"{SLUG}:state"].view == address.View(("seed",))


def test_the_link_builder_makes_the_link_the_snippet_and_the_code():
    app = fine(visit(SLUG, {"hidden": "5"}, **{f"{SLUG}:below": "Share", f"{SLUG}:teach": True}))
    app.multiselect(key=f"{SLUG}:hide").set_value(["rate", "answer"])
    app.multiselect(key=f"{SLUG}:lock").set_value(["all"])
    app.selectbox(key=f"{SLUG}:start").set_value("the first step")
    app.selectbox(key=f"{SLUG}:theme").set_value("dark")
    fine(app.run())
    link, embed = [code.value for code in app.code][-2:]
    assert link == f"{HOST}/{SLUG}?hidden=5&step=0&hide=rate,answer&lock=all"
    assert "embed=true&embed_options=dark_theme" in embed
    assert app.query_params == {"hidden": "5"}, "the teacher's own page stays as it is"
    scene = Scene(SLUG, TERM.name, catalogue.load(TERM.playground), TERM.starts)
    state = address.from_query({k: v[0] for k, v in parse_qs(urlsplit(link).query).items()}, scene)
    assert state.view == address.View(("rate", "answer"), ("all",)) and state.step == 0 and state.complaints == []


# ------------------------------------------------------------------------------------------------------------ comparing


def pinned(app: AppTest, page: str) -> dict[str, Any]:
    import gzip

    data = gzip.decompress(app.get_by_key(f"{page}:pinned").proto.bytes)
    return json.loads(data[4 : 4 + int.from_bytes(data[:4], "little")])


def test_a_pinned_run_stays_while_the_knobs_make_another_and_is_in_the_link():
    app = done(fine(visit(SLUG, AT_PRESET)), SLUG)
    fine(app.button(key=f"{SLUG}:pin").click().run())
    assert app.query_params == {"pinned": address.AS_STARTED}
    assert any("Both runs are the same" in text for text in texts(app))
    all_widgets(app, SLUG)["hidden"].set_value(0)
    fine(app.run())
    assert app.query_params == {"hidden": "0", "pinned": address.AS_STARTED}
    assert any("differ in: Hidden units 0 against 2." in text for text in texts(app))
    one, other = message(app, SLUG), pinned(app, SLUG)
    assert (one["role"], other["role"]) == ("lead", "follow") and one["run"] != other["run"]
    assert one["ranges"] == other["ranges"] != [], "on shared axes"
    again = fine(visit(SLUG, app.query_params))
    assert (message(again, SLUG)["run"], pinned(again, SLUG)["run"]) == (one["run"], other["run"])
    fine(app.button(key=f"{SLUG}:unpin").click().run())
    assert app.query_params == {"hidden": "0"} and message(app, SLUG).get("role") is None


def test_a_pasted_link_of_any_page_of_this_playground_is_compared_with():
    other = next(t for t in REAL.terms if t.playground == TERM.playground and t.slug != SLUG)
    app = fine(visit(SLUG, **{f"{SLUG}:below": "Compare"}))
    app.text_input(key=f"{SLUG}:paste").set_value(f"https://somewhere.example/x/{other.slug}?seed=9&step=3&lock=all")
    fine(app.run())
    state = app.session_state[f"{SLUG}:state"]
    assert state.pinned == whole(other, seed=9) and state.complaints == [] and state.view == address.View()
    assert fine(visit(SLUG, app.query_params)).session_state[f"{SLUG}:state"].pinned == state.pinned


@pytest.mark.parametrize("pasted", ["hello", "https://x.example/learning-rate?rate=1", "http://[", "?", "/" * 9999])
def test_what_is_no_link_of_this_playground_is_said_in_one_line(pasted):
    app = fine(visit(SLUG, **{f"{SLUG}:below": "Compare"}))
    app.text_input(key=f"{SLUG}:paste").set_value(pasted)
    fine(app.run())
    (said,) = warnings(app)
    assert "is no page of this playground" in said and len(said) < 300
    assert app.session_state[f"{SLUG}:state"].pinned is None


def test_axes_are_shared_by_both_figures_and_a_log_scale_wins():
    def fig(x: list, y: dict) -> dict:
        return {"layout": {"xaxis": {"range": x}, "yaxis": y, "annotations": [], "images": []}}

    straight, log = {"range": [0, 2]}, {"range": [-3, 0], "type": "log"}
    assert shared(fig([0, 5], straight), fig([-1, 3], {"range": [1, 9]})) == (
        ("xaxis", -1, 5, False), ("yaxis", 0, 9, False)
    )  # fmt: skip
    (_, y) = shared(fig([0, 1], straight), fig([0, 1], log))
    assert y == ("yaxis", -3, pytest.approx(math.log10(2)), True)
    placed = fig([0, 1], straight)
    placed["layout"]["annotations"].append({"yref": "y"})
    assert [name for name, *_ in shared(placed, fig([0, 1], log))] == ["xaxis"]
    assert shared({}, fig([0, 1], log)) == ()


# ------------------------------------------------------------------------------------------------------------- sweeping


def test_a_sweep_has_the_last_number_of_every_run_that_it_names():
    playground = catalogue.load(TERM.playground)
    asked = sweep.of(playground, whole(TERM, epochs=20), "hidden", "loss")
    run = Run(sweep.playground(playground), asked).finish()
    assert run.failure == "" and len(run.states) == asked.length == 1 + 3 * 9
    for value, seed, result in run.states[-1].results[::5]:
        states = list(playground.run(whole(TERM, epochs=20, hidden=value, seed=seed)))
        assert result == states[-1].loss
    assert {value for value, _, _ in run.states[-1].results} == set(range(9))
    json.loads(run.film.message(0)[4:].split(b'"done":true', 1)[0] + b'"done":true}'), "it is a film"


def test_a_sweep_shows_what_has_diverged_and_gives_way_while_it_computes():
    playground = catalogue.load("descent")
    params = playground.Params(surface="bowl", optimizers=("GD",), steps=200)
    states = list(sweep.run(sweep.of(playground, params, "rate", "loss")))
    assert states.count(None) > 500, "time may be up between any two states of the runs"
    last = states[-1]
    broken = [value for value, _, result in last.results if result is not None and not result < 1e3]
    assert broken and min(broken) > 2
    seen = [one for one in states if one]
    fig = sweep.draw(sweep.of(playground, params, "rate", "loss"), seen, len(seen) - 1).figure()
    assert "diverged" in [trace["name"] for trace in fig["data"]]


def test_everybody_shares_a_sweep_wherever_their_own_knob_stands():
    playground = catalogue.load(TERM.playground)
    one, other = (sweep.of(playground, whole(TERM, hidden=hidden), "hidden", "loss") for hidden in (1, 7))
    assert one == other and one.model_dump_json() == other.model_dump_json()
    assert sweep.mark(whole(TERM, hidden=7), "hidden")["x0"] == 7


def test_the_sweep_tab_computes_when_asked():
    app = fine(visit(SLUG, {"epochs": "10"}, **{f"{SLUG}:below": "Sweep"}))
    app.selectbox(key=f"{SLUG}:sweep:knob").set_value("hidden")
    fine(app.run())
    fine(button(app, "Compute").click().run())
    assert app.get_by_key(f"{SLUG}:sweep-player").proto.component_name == "player"
    # That a click goes to its run is tested in a browser: here components call nothing back.


# ----------------------------------------------------------------------------------------------------------- diagnosing


def test_a_diverged_run_is_told_with_its_step_and_the_step_before():
    playground = catalogue.load("descent")
    run = Run(playground, playground.Params(surface="valley", optimizers=("GD",), rate=4.0, steps=3000)).finish()
    found = diagnose(run)
    assert found and found.title.startswith("Diverged at step") and found.text == run.note(-1)
    assert found.before == run.states[-2].step


def test_a_run_that_works_gets_no_diagnosis():
    for values in ({}, {"data": "circles"}, {"data": "spirals", "hidden": 8}):
        playground = catalogue.load("mlp")
        assert diagnose(Run(playground, playground.Params(**values)).finish()) is None


def test_a_loss_that_does_not_move_is_stuck_and_the_likely_cause_is_named():
    playground = catalogue.load("mlp")
    slow = diagnose(Run(playground, playground.Params(rate=0.0001, optimizer="SGD")).finish())
    assert slow and slow.title.startswith("Stuck") and "rate that is too small" in slow.text and slow.before is None


def test_layers_to_which_no_gradient_comes_are_named():
    playground = catalogue.load("mlp")
    states = list(playground.run(playground.Params(epochs=20)))
    assert still(states) == []
    frozen = [states[-1]._replace(weights=[states[0].weights[0], states[-1].weights[1]])]
    assert still([states[0], *frozen]) == ["weights of layer 1"]


def test_one_click_goes_back_to_before_it_broke_and_one_to_a_setting_that_works():
    page = workbench.address("descent")
    query = {"surface": "valley", "optimizers": "GD", "rate": "4", "steps": "300"}
    app = done(fine(visit(page, query)), page)
    assert any("Diverged at step" in text for text in texts(app))
    before = int(button(app, "before it broke").label.split()[3].rstrip(","))
    fine(button(app, "before it broke").click().run())
    assert app.query_params["step"] == str(before) and message(app, page)["order"] == [1, before, False]
    fine(button(app, "A setting that works").click().run())
    assert not any("Diverged" in text for text in texts(done(app, page)))
