"""How the two nets' training on pairs is told and drawn."""

from collections.abc import Sequence

from playgrounds._encoder import TOP
from playgrounds._encoder_picture import (
    NETS,
    cut,
    draw_accuracy,
    draw_candidates,
    draw_look,
    filled_in,
    from_the_batch,
    percent,
)
from playgrounds.kit import fails, works
from playgrounds.kit.axes import bare, names, share, steps
from playgrounds.kit.palette import BLUE, ORANGE
from playgrounds.kit.picture import Picture
from playgrounds.masked_pairs.model import QUESTIONS, Params, State, right_answer, typed

PRESETS = (
    works(
        "Right element masked",
        "The answer now stands to the left of the blank, so the causal net learns the task as well.",
        {"accuracy": ">= 0.99", "causal_accuracy": ">= 0.99"},
        blank="right",
    ),
    fails(
        "No positions",
        "Without positions the net sees a set of tokens: which digits are there, and not which is the neighbour.",
        {"accuracy": "<= 0.85"},
        positions=False,
    ),
)


def note(p: Params, states: Sequence[State], now: int) -> str:
    """How often both nets are right, what they say to the reader's blank, and why."""
    state = states[now]
    one, two = (of_net[0][0] for of_net in state.guesses)
    answer = right_answer(state.tokens)
    where = f", where {answer} belongs," if answer else ""
    said = f"{one.word} ({percent(one.probability)}) and {two.word} ({percent(two.probability)})"
    yours = f"at your blank{where} they say {said}"
    right = f"the bidirectional net fills in {percent(state.accuracy)} of the blanks in {QUESTIONS} new sequences"
    causal = percent(state.causal_accuracy)
    look = f"{percent(state.partner_attention)} of its attention goes to the other element of the pair"
    chance = f"what stands to the left allows {percent(state.causal_best)}"
    if not state.step:
        return f"Before training {right}, the causal one {causal}; {chance}. Now {yours}."
    if state.step < p.steps:
        return f"Step {state.step}: {right}, {look}; the causal net {causal}. Now {yours}."
    if p.blank == ("right", "left")[state.tokens.index("_") % 2]:
        yours += f", but training never masked a {'right' if p.blank == 'left' else 'left'} element"
    end = f"After {state.step} steps {right}; {look}. The causal net fills in {causal}: {chance}."
    return f"{end} {yours[0].upper()}{yours[1:]}."


def draw(p: Params, states: Sequence[State], now: int) -> Picture:
    """Accuracy by step; candidates for the first blank; where both nets look; attention on the partner."""
    state = states[now]
    tokens = names(state.tokens, title="looks at"), names(state.tokens, down=True)
    pic = Picture(500, *2 * [6 * "accuracy " + 6 * "candidates "], *2 * [4 * "both " + 4 * "left " + 4 * "partner "])
    accuracy = pic.panel("accuracy", "Accuracy", steps(p.steps), share(high=1.05, low=-0.02))
    candidates = pic.panel("candidates", "Candidates for the first blank", bare(0, 2.1), bare(-TOP, 0.1), tall=170)
    looks = [
        pic.panel("both", "Attention, bidirectional", *tokens, tall=240),
        pic.panel("left", "Attention, causal", *tokens, tall=240),
    ]
    partner = pic.panel("partner", "Attention on the partner", steps(p.steps), share(high=1.05, low=-0.02), tall=170)

    draw_accuracy(accuracy, states)
    draw_candidates(candidates, state.guesses)
    for look, weights, (_, colour) in zip(looks, state.attention, NETS, strict=True):
        draw_look(look, weights, state.tokens.index("_"), colour)
    hover = "%{y:.1%} at step %{x}"
    partner.history(states, lambda s: s.partner_attention, "bidirectional", BLUE, key=False, hover=hover)
    partner.history(states, lambda s: s.causal_partner_attention, "causal", ORANGE, key=False, hover=hover)
    pic.cursor(state.step, accuracy, partner)

    answer = right_answer(state.tokens)
    filled_in(pic, state, (f"; {answer} is right" if answer else "") + cut(state.tokens, typed(p)))
    from_the_batch(pic, state)
    return pic
