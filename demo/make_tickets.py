"""Support tickets, each with what a clerk reads off it, as JSON: a task whose answers are right or wrong.

`python -m demo.make_tickets 160 tickets.jsonl`
"""

import json
import random
import sys
from pathlib import Path

PRODUCTS = {
    "router": ("router", "wifi box"),
    "app": ("app", "mobile app"),
    "web shop": ("web shop", "online shop"),
    "printer": ("printer",),
}
PROBLEMS = {
    "login": ("I can't sign in to the {}", "the {} says my password is wrong", "I forgot my password for the {}"),
    "billing": ("I was charged twice for the {}", "the invoice of the {} is wrong", "please refund the {}"),
    "delivery": ("the {} hasn't arrived", "the parcel with my {} is late", "where is my {}, I ordered it last week"),
    "defect": ("the {} doesn't start any more", "the {} is broken", "the {} stopped working"),
}
URGENT = {
    True: ("It is urgent.", "I need this today!", "Please hurry."),
    False: ("No hurry.", "Thanks.", "Whenever you can."),
}
NAMES = ("Anna", "Ben", "Carla", "David", "Eva", "Finn", "Greta", "Hans", "Ida", "Jon", "Kira", "Leo", "Mia", "Nils")


def tickets(count: int, *, seed: int = 1) -> list[dict[str, str]]:
    """So many different tickets, always the same."""
    chance = random.Random(seed)  # noqa: S311
    rows: dict[str, str] = {}
    while len(rows) < count:
        product, words = chance.choice(list(PRODUCTS.items()))
        problem, texts = chance.choice(list(PROBLEMS.items()))
        urgent = chance.random() < 0.5
        said = chance.choice(texts).format(chance.choice(words))
        text = f"Ticket: Hi, {said}. {chance.choice(URGENT[urgent])} {chance.choice(NAMES)}"
        rows[text] = json.dumps({"product": product, "problem": problem, "urgent": urgent})
    return [{"instruction": text, "response": answer} for text, answer in rows.items()]


if __name__ == "__main__":
    lines = "".join(json.dumps(row) + "\n" for row in tickets(int(sys.argv[1])))
    Path(sys.argv[2]).write_text(lines, encoding="utf-8")
