"""How the two nets' training on a text is told and drawn."""

from collections.abc import Sequence

from playgrounds._encoder import TOP
from playgrounds._encoder_picture import (
    FATES,
    NETS,
    clip,
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
from playgrounds.kit.palette import BLUE
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
        {"accuracy": ">= 0.7", "intact": "<= 0.5"},
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
        return f"Before training {right}, the causal one {causal}; {chance}. Now at your blank they say {said}."
    if state.step < p.steps:
        return f"Step {state.step}: {right}, {look}; the causal net {causal}. Now at your blank they say {said}."
    end = f"After {state.step} steps {right}; {look}. The causal net fills in {causal}: {chance}."
    return f"{end} At your blank they say {said}."


def draw(p: Params, states: Sequence[State], now: int) -> Picture:
    """Accuracy by step; candidates for the first blank; where both nets look; accuracy by what stands at a word."""
    state = states[now]
    across = names([clip(token, 7) for token in state.tokens], turned=True)
    down = names([clip(token, 7) for token in state.tokens], down=True)
    pic = Picture(500, *3 * [7 * "accuracy " + 7 * "candidates "], *4 * [4 * "both " + 4 * "left " + 6 * "kinds "])
    accuracy = pic.panel("accuracy", "Accuracy", steps(p.steps), share(high=1.05, low=-0.02))
    candidates = pic.panel("candidates", "Candidates for the first blank", bare(0, 2.1), bare(-TOP, 0.1), tall=170)
    looks = [
        pic.panel("both", "Bidirectional looks at", across, down, tall=240),
        pic.panel("left", "Causal looks at", across, down, tall=240),
    ]
    kinds = pic.panel("kinds", "Right if", steps(p.steps), share(high=1.05, low=-0.02), tall=170)

    draw_accuracy(accuracy, states)
    draw_candidates(candidates, state.guesses)
    for look, weights, (_, colour) in zip(looks, state.attention, NETS, strict=True):
        draw_look(look, weights, state.tokens.index("_"), colour)
    hover = "%{y:.1%} at step %{x}"
    kinds.history(states, lambda s: s.accuracy, "masked", BLUE, hover=hover)
    kinds.history(states, lambda s: s.repaired, "wrong", BLUE, dash="dash", hover=hover)
    kinds.history(states, lambda s: s.intact, "intact", BLUE, dash="dot", hover=hover)
    pic.cursor(state.step, accuracy, kinds)

    filled_in(pic, state, cut(state.tokens, split(p.sentence)), state.unknown)
    words, *done = state.counts
    n = max(1, sum(done))
    said = ", ".join(f"{k:,} {FATES[i][0]} ({percent(k / n)})" for i, k in enumerate(done, start=1))
    so_far = f"{sum(done):,} of {words:,} words ({percent(sum(done) / max(1, words))})"
    from_the_batch(pic, state, f". Chosen so far: {so_far}; {said}")
    return pic
