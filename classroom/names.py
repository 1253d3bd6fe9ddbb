"""Nicknames: of the app's own making, and those that members choose."""

import random
import re
import unicodedata
from collections.abc import Container

from classroom.refused import Refused

_COLOURS = """
amber azure beige bronze cherry copper coral cyan fawn golden green indigo ivory jade lemon lilac mint navy olive orange
pearl pink plum red ruby rust sand silver teal violet
"""
_ANIMALS = """
badger bear beaver bison crane dolphin falcon ferret finch fox gecko hare hedgehog heron ibex jay kiwi koala lark lemur
lynx marten mole moose newt ocelot otter owl panda puffin quail raven robin seal stork swan tapir turtle vole walrus
wombat wren yak zebra
"""
COLOURS, ANIMALS = _COLOURS.split(), _ANIMALS.split()
SHORTEST, LONGEST = 2, 20
RUDE = re.compile(r"fuck|shit|cunt|nigg|fagg|bitch|whore|wank|hitler|nazi|porn|penis|arschl|fotze|hure|wichs|schlampe")


def make(taken: Container[str], dice: random.Random | None = None) -> str:
    """A nickname that nobody in the room has: teal otter."""
    dice = dice or random.SystemRandom()
    name = ""
    for tries in range(200):
        name = f"{dice.choice(COLOURS)} {dice.choice(ANIMALS)}"
        if tries > 100:
            name += f" {dice.randint(2, 999)}"
        if name not in taken:
            break
    return name


def clean(typed: str) -> str:
    """The nickname that was meant: letters, digits, spaces, - ' and . only. Raises Refused if that is no name."""
    text = unicodedata.normalize("NFKC", typed[:200])
    text = "".join(c if c.isalnum() or c in "-'." else " " for c in text)
    text = " ".join(text.split())
    if not SHORTEST <= len(text) <= LONGEST or not any(c.isalpha() for c in text):
        raise Refused(f"A nickname has {SHORTEST} to {LONGEST} characters: letters, digits, spaces.")
    if RUDE.search(re.sub(r"[^a-z]", "", text.lower().translate(str.maketrans("013457", "oieast")))):
        raise Refused("Choose another nickname.")
    return text
