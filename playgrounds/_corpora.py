"""Texts for a tokenizer to learn from, and how a text is split into words."""

import unicodedata

CORPORA = {
    "hugs": "hug " * 10 + "pug " * 5 + "pun " * 12 + "bun " * 4 + "hugs " * 5,
    "aaabdaaabac": "aaabdaaabac",
    "English": """
        The old river is low. It was lower in the summer, and it is lowest in a summer without rain. The new bridge is
        wider than the old bridge, but the newest bridge is the widest of all. Slow boats wait for the water, and the
        slower the water rises, the longer they wait; the slowest boat waits longest. Walkers who walked to the old
        bridge in the summer are walking to the new one in the winter, and talkers who talked there are talking there
        again. A low bridge slows a tall boat. A newer, wider, taller bridge slows nothing: the tallest boat goes under
        it, slowly, in the deepest and widest water of the river.""",
    "mixed": """
        Der Dampf treibt das Schiff, das Dampfschiff. Die Fahrt mit dem Schiff ist die Schifffahrt, die Fahrt mit dem
        Dampfschiff die Dampfschifffahrt, auf der Donau die Donaudampfschifffahrt.
        東京 京都 東京都 京都市 東京駅 京都駅 東京大学 京都大学
        café cafés naïve naïveté 👩‍💻 👨‍💻 👩‍🚀 👨‍🚀 👩‍💻 👍 👍🏽""",
}


def split(text: str) -> list[str]:
    """Words: runs of letters and digits, and runs of other signs. Marks and joiners belong to what they follow."""
    words: list[list[str]] = []
    last = " "
    for c in text:
        category = unicodedata.category(c)
        kind = " " if c.isspace() else "letter" if category[0] in "LN" else "sign"
        if category[0] == "M" or category == "Cf":
            kind = last if last != " " else "sign"
        if kind != " ":
            if kind == last:
                words[-1].append(c)
            else:
                words.append([c])
        last = kind
    return ["".join(word) for word in words]
