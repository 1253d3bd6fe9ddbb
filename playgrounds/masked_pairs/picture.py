"""How the two nets' training on pairs is told and drawn."""

from collections.abc import Sequence

from playgrounds._encoder_picture import cut, draw_accuracy, draw_batch, draw_maps, draw_nets, percent
from playgrounds.kit import fails, works
from playgrounds.kit.axes import names, share, steps
from playgrounds.kit.palette import BLUE, ORANGE
from playgrounds.kit.picture import Picture
from playgrounds.masked_pairs.model import PAIRS, QUESTIONS, Params, State, right_answer, typed

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

PAIR_GAP = 0.25  # tokens between the pairs of a sequence


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
    short = cut(state.tokens, typed(p))
    chance = f"what stands to the left allows {percent(state.causal_best)}"
    if not state.step:
        hidden = "? is [MASK], the token that hides a digit; two nets learn to guess it"
        return f"{hidden}{short}. Before training {right}, the causal one {causal}; {chance}. Now {yours}."
    if state.step < p.steps:
        return f"Step {state.step}: {right}, {look}; the causal net {causal}. Now {yours}."
    if p.blank == ("right", "left")[state.tokens.index("_") % 2]:
        yours += f", but training never masked a {'right' if p.blank == 'left' else 'left'} element"
    end = f"After {state.step} steps {right}; {look}. The causal net fills in {causal}: {chance}."
    return f"{end} {yours[0].upper()}{yours[1:]}."


def draw(p: Params, states: Sequence[State], now: int) -> Picture:
    """The sequence as each net reads it, with what the blank looks at and what the net says there."""
    state = states[now]
    pic = Picture(330, "both left", details=("accuracy partner", *2 * ["both_map left_map"], "batch batch"))
    places = [i + PAIR_GAP * (i // 2) for i in range(len(state.tokens))]
    draw_nets(pic, state, places, right_answer(state.tokens))
    draw_accuracy(pic, p, states, now)
    partner = pic.panel("partner", "Attention on the partner", steps(p.steps), share(high=1.05, low=-0.02), tall=170)
    hover = "%{y:.1%} at step %{x}"
    partner.history(states, lambda s: s.partner_attention, "bidirectional", BLUE, key=False, hover=hover)
    partner.history(states, lambda s: s.causal_partner_attention, "causal", ORANGE, key=False, hover=hover)
    pic.cursor(state.step, partner)
    draw_maps(pic, state, names(state.tokens, title="looks at"), names(state.tokens, down=True))
    draw_batch(pic, state, 2 * PAIRS)
    return pic
