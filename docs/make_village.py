"""Writes village.txt, the diary of a village: 350 sentences made from the patterns below, always the same ones.

    python docs/make_village.py

The patterns and the words were written for chainrule and are under its licence (MIT). What the sentences have in
common is what a model of language can find out: after "on" comes a day, animals eat what animals eat, and red stands
where blue could as well.
"""

from __future__ import annotations

import random
from pathlib import Path

CORPORA = Path(__file__).resolve().parents[1] / "nn" / "lessons" / "corpora"
SENTENCES = 350

WORDS = {
    "day": "monday tuesday wednesday thursday friday saturday sunday",
    "time": "morning afternoon evening",
    "season": "spring summer autumn winter",
    "weather": "sunny rainy windy cloudy foggy",
    "mild": "warm cold cool clear calm",
    "pet": "cat dog hen goat horse pig duck rabbit cow donkey",
    "woman": "anna clara emma mary rosa",
    "man": "john peter paul tom oscar",
    "worker": "baker farmer teacher miller postman doctor",
    "fruit": "apple pear plum cherry peach",
    "ripe": "sweet ripe fresh",
    "food": "bread cheese soup cake porridge",
    "plant": "grass corn carrots clover hay",
    "drink": "milk water tea juice",
    "colour": "red blue green yellow white",
    "clothes": "hat coat scarf jacket shirt",
    "outside": "garden field barn orchard meadow",
    "building": "school market mill church bakery",
    "wood": "door gate fence table bench boat",
    "water": "river lake pond well",
    "move": "walked ran went hurried",
    "rest": "slept sat rested waited",
    "song": "sang danced laughed played",
    "small": "small little young gentle",
    "number": "two three four five six",
    "things": "eggs flowers books nuts candles",
    "trade": "bought found sold",
    "buy": "bought found sold carried",
    "feel": "happy tired hungry thirsty proud",
    "tool": "basket cart bucket bag",
}

# A word in braces stands for any of its kind.
PATTERNS = """
on {day} it was {weather} in the {time}
on {day} the {worker} {move} to the {building}
on {day} {woman} {trade} a {colour} {clothes} at the market
on {day} {man} {trade} a {colour} {clothes} at the market
the {small} {pet} {rest} in the {outside}
the {pet} {rest} near the {water} all {time}
the {small} {pet} ate the {plant} in the {outside}
the {pet} and the {pet} drank water from the {water}
{woman} made {food} and {drink} for the {worker}
{man} gave the {pet} some {plant} in the {time}
{woman} gave the {small} {pet} some {plant}
{man} ate {food} and drank {drink} in the {time}
{woman} ate a {ripe} {fruit} in the {outside}
{man} picked a {ripe} {fruit} for {woman}
the {worker} {buy} {number} {things} in a {colour} {tool}
{woman} put {number} {things} in her {tool}
{man} put {number} {things} in his {tool}
{woman} and {man} {song} near the {water} in the {time}
the {worker} was {feel} and {move} home in the {time}
the {pet} was {feel} and {rest} in the {outside}
in {season} the {water} was {mild} and the {pet} was {feel}
in {season} {man} and {woman} {move} to the {water}
{man} wore his {colour} {clothes} on {day}
{woman} painted the {wood} {colour} on {day}
the {worker} had a {small} {pet} in the {outside}
"""


HEAD = """\
# The diary of a village, written for chainrule by make_village.py, and under chainrule's licence (MIT).
# "#" begins a comment; every other line is a sentence.
"""


def text() -> str:
    """The diary, one sentence to a line, after a head that says where it comes from."""
    rng = random.Random(1)
    patterns = [line.split() for line in PATTERNS.strip().splitlines()]
    lines: list[str] = []
    while len(lines) < SENTENCES:
        pattern = rng.choice(patterns)
        words: list[str] = []
        for part in pattern:
            if part.startswith("{"):
                kind = [word for word in WORDS[part.strip("{}")].split() if word not in words]
                part = rng.choice(kind)
            words.append(part)
        line = " ".join(words)
        if line not in lines:
            lines.append(line)
    return HEAD + "\n".join(lines) + "\n"


if __name__ == "__main__":
    (CORPORA / "village.txt").write_text(text(), encoding="utf-8")
