"""What must hold of the uplink, as functions that return violations."""

import random
from pathlib import Path

from edge_agent.core.uplink import ALARM_LINK
from protocol.receipts import Receipt, sign_receipt
from tests.agent.outbox_guards import CENTRE, TERMINAL
from tests.agent.uplink_site import Site

Step = tuple[str, int]
ACTIONS = (
    *("append", "append", "append many", "up", "up", "up", "down", "down", "down", "wait", "wait"),
    *("repeat up", "repeat down", "lose up", "lose down", "wait long", "restart", "back up"),
    *("disconnect", "connect", "connect", "restore centre"),
)


def storm_violations(folder: Path, steps: list[Step]) -> list[str]:
    """Any order of events, then a calm: all is settled, and never without a receipt."""
    folder.mkdir(exist_ok=True)
    site = Site(folder)
    wrong: list[str] = []
    try:
        site.connect()
        for action, number in steps:
            _act(site, action, number)
            wrong = [f"after {action}: {v}" for v in site.violations()]
            if wrong:
                return wrong
        wrong = [f"in the calm: {v}" for v in site.calm()]
    finally:
        site.close()
    return wrong


def _act(site: Site, action: str, number: int) -> None:
    match action:
        case "append":
            site.append(1 + number % 3)
        case "append many":
            for _ in range(1 + number % 5):
                site.append(64)
        case "up" | "repeat up" if site.up:
            site.deliver_up(number % len(site.up), keep=action == "repeat up")
        case "down" | "repeat down" if site.down:
            site.deliver_down(number % len(site.down), keep=action == "repeat down")
        case "lose up" if site.up:
            site.up.pop(number % len(site.up))
        case "lose down" if site.down:
            site.down.pop(number % len(site.down))
        case "wait":
            site.wait(number * 10)
        case "wait long":
            site.wait(number * 10_000)
        case "restart":
            site.disconnect()
            site.restart()
            site.connect()
        case "back up":
            site.backups.append(site.centre.copy())
        case "restore centre":
            site.restore_centre(number)
        case "disconnect":
            site.disconnect()
        case "connect":
            site.connect()


def seeded_storms_violations(folder: Path, seeds: int = 12, steps: int = 80) -> list[str]:
    """Storms by the dice, the same each time."""
    for seed in range(seeds):
        dice = random.Random(seed)
        storm = [(dice.choice(ACTIONS), dice.randrange(200)) for _ in range(steps)]
        wrong = storm_violations(folder / str(seed), storm)
        if wrong:
            return [f"seed {seed}: {v}" for v in wrong]
    return []


def foreign_receipt_violations(folder: Path) -> list[str]:
    """A receipt of another history of ours, or of records we do not have, settles nothing."""
    site = Site(folder)
    wrong = []
    try:
        site.connect()
        site.append(3)
        head = site.outbox.head()
        pending = site.outbox.pending(0, 3)
        assert pending is not None
        for seq, link in ((head.seq, bytes(32)), (head.seq + 5, head.link), (1, head.link)):
            receipt = Receipt(TERMINAL, 1, pending.epoch_id, seq, link, 0, 1)
            site.down.append(sign_receipt(CENTRE, receipt))
            site.deliver_down()
            if site.uplink.settled_seq or site.outbox.settled_seq:
                wrong.append(f"a receipt through {seq} with another link settled")
            if ALARM_LINK not in site.alarms:
                wrong.append("nobody is told of another history")
    finally:
        site.close()
    return wrong
