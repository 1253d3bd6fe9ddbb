"""How the two nets' training on a text is told and drawn."""

from collections.abc import Sequence

from playgrounds._encoder_picture import FATES, bar, clip, cut, draw_accuracy, draw_batch, draw_maps, draw_nets, percent
from playgrounds.kit import fails, works
from playgrounds.kit.axes import bare, names, share, steps
from playgrounds.kit.palette import BLUE, MUTED
from playgrounds.kit.picture import Picture
from playgrounds.masked_text.model import Params, State, split

PRESETS = (
    works(
        "A small text",
        "Words to the right tell who sat on the mat; a net that sees the left words only must guess among adjectives.",
        {"accuracy": ">= 0.7", "causal_accuracy": "<= 0.65"},
    ),
    fails(
        "All chosen words masked",
        "Words that are not [MASK] are then never targets, and what the net says at an intact word is arbitrary.",
        {"accuracy": ">= 0.7", "intact": "<= 0.6"},
        masked=100,
        random=0,
    ),
)


def note(p: Params, states: Sequence[State], now: int) -> str:
    """How often both nets are right, what they say to the reader's blank, and why."""
    state = states[now]
    one, two = (of_net[0][0] for of_net in state.guesses)
    said = f"{one.word} ({percent(one.probability)}) and {two.word} ({percent(two.probability)})"
    of = f"{state.asked} masked words of {'held-out sentences' if state.held_out else 'the text that it learns from'}"
    if state.held_out and p.corpus == "own":
        of += " (your text has no words: this is the bundled one)"
    right = f"the bidirectional net fills in {percent(state.accuracy)} of {of}"
    causal = percent(state.causal_accuracy)
    look = f"it repairs {percent(state.repaired)} of wrong words and confirms {percent(state.intact)} of intact ones"
    chance = (
        f"the best guess from all other words gets {percent(state.best)}, from the left {percent(state.causal_best)}"
    )
    if not state.step:
        hidden = "? is [MASK], the token that hides a word; two nets learn to guess it"
        start = f"Before training {right}, the causal one {causal}; {chance}"
        return f"{hidden}{cut(state.tokens, split(p.sentence))}. {start}. Now at your blank they say {said}."
    if state.step < p.steps:
        return f"Step {state.step}: {right}, {look}; the causal net {causal}. Now at your blank they say {said}."
    end = f"After {state.step} steps {right}; {look}. The causal net fills in {causal}: {chance}."
    return f"{end} At your blank they say {said}."


def draw(p: Params, states: Sequence[State], now: int) -> Picture:
    """The sentence as each net reads it and fills it in; below, sentences of the batch as they are corrupted."""
    state = states[now]
    details = (2 * "accuracy " + 2 * "kinds " + 2 * "chosen ", *2 * [3 * "both_map " + 3 * "left_map "])
    pic = Picture(460, *2 * ["both left"], "batch batch", details=details)
    draw_nets(pic, state, range(len(state.tokens)), unknown=state.unknown)
    draw_batch(pic, state, state.places, p.fates)
    draw_accuracy(pic, p, states, now)
    kinds = pic.panel("kinds", "Right if", steps(p.steps), share(high=1.05, low=-0.02), tall=170)
    hover = "%{y:.1%} at step %{x}"
    kinds.history(states, lambda s: s.accuracy, "masked", BLUE, hover=hover)
    kinds.history(states, lambda s: s.repaired, "wrong", BLUE, dash="dash", hover=hover)
    kinds.history(states, lambda s: s.intact, "intact", BLUE, dash="dot", hover=hover)
    pic.cursor(state.step, kinds)
    draw_chosen(pic, state)
    words = [clip(token, 7) for token in state.tokens]
    draw_maps(pic, state, names(words, turned=True), names(words, down=True))
    return pic


def draw_chosen(pic: Picture, state: State) -> None:
    """What was done so far to the words that were chosen, and how many these are."""
    words, *done = state.counts
    chosen = pic.panel("chosen", "Chosen so far", bare(0, 1), bare(-4, 0.1), tall=130)
    if not words:
        return
    for i, (n, (name, colour)) in enumerate(zip(done, FATES.values(), strict=True)):
        part = n / sum(done)
        bar(chosen, i, f"{name}  {n:,}  {percent(part)}", part, colour)
    chosen.text(0.02, -3.5, f"{sum(done):,} of {words:,} words", MUTED, place="right")
