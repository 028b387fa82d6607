"""What must hold of cash at the terminal, as functions that return violations."""

import random
from pathlib import Path

from tests.agent.cash_world import RESTORING, STEPS, played

ROUNDS = 150
STEPS_MAX = 60
WHOLE = [
    *("begin", "all goes on", "twenty", "hear", "disk", "obey", "hear", "disk", "cut", "link"),
    *("all goes on", "twenty", "hear", "disk", "obey", "hear", "disk fails", "cut", "link"),
    *("wait", "wait", "all goes on"),
]
"""A payment of two notes; the board says both ends twice: an acknowledgement was lost, a commit
failed."""


def fault_violations(_folder: Path | None, rounds: int = ROUNDS) -> list[str]:
    """Nothing is told or acknowledged before it is durable, and all of it balances at rest."""
    wrong = played(WHOLE)
    for seed in range(rounds):
        dice = random.Random(seed)
        kinds = RESTORING if seed % 3 == 0 else STEPS
        steps = [dice.choice(kinds) for _ in range(dice.randrange(5, STEPS_MAX))]
        wrong += [f"seed {seed}: {problem}" for problem in played(steps)]
    return wrong
