"""The kinds of step a service definition may use: one table, read by validator and engine.

A kind names its outcomes (each must have a transition), the keys it takes, the facts it needs and
the facts that an outcome brings. `recorded` is the fact that stands between a citizen and every
yes: what opens, prints or says "done" needs it, so no definition can tell before the commit. It
is true of a number that the day's index holds too: index and record are one commit. `issued` is
the same for the ticket itself, `settled` for a payment. `number` is the record of this visit, which
gate and slip need; a voucher has one too, and settles nothing.
"""

from dataclasses import dataclass, field

OPTIONS = ("slips",)
"""Switches of the terminal's configuration that the check `option` may ask."""

FIELDS_ALWAYS = ("terminal",)
"""Text fields that every step may use."""


@dataclass(frozen=True)
class StepKind:
    """One row: `outcomes` -> facts they bring; `keys`: required; `keys_extra`: allowed."""

    outcomes: dict[str, tuple[str, ...]]
    keys: tuple[str, ...] = ()
    keys_extra: tuple[str, ...] = ()
    needs: tuple[str, ...] = ()
    explain: dict[str, str] = field(default_factory=dict)


_TIME = {"time_limit": "the step takes longer than time_limit_s"}
_FAULT = {"device_fault": "the device does not work"}
_AMOUNTS = ("due", "paid", "rest")
_STOPPED = {"stopped": "the person pressed stop"}
_UNREADABLE = {"unreadable": "a card was there but could not be read, it may be tried again"}

CHECKS: dict[str, StepKind] = {
    "card_valid": StepKind(
        {"valid": ("valid",), "expired": (), "invalid": (), "time_limit": ()},
        needs=("person",),
        explain={
            "valid": "number and dates of the card are good",
            "expired": "the card's time is over",
            "invalid": "the number is wrong or the card is not in force yet",
        }
        | _TIME,
    ),
    "status_list": StepKind(
        {
            "clear": ("status", "list_version"),
            "listed": ("status", "list_version"),
            "too_old": ("status", "list_version"),
            "unknown": ("status", "list_version"),
            "time_limit": (),
        },
        keys=("age_h_max",),
        needs=("person",),
        explain={
            "clear": "the person is not on the list",
            "listed": "the person is on the list",
            "too_old": "offline: the cached list is older than age_h_max, or expired",
            "unknown": "offline: this terminal never got a list",
        }
        | _TIME,
    ),
    "direction": StepKind(
        {"entry": ("direction",), "exit": ("direction",), "time_limit": ()},
        needs=("person",),
        explain={"entry": "the person comes in", "exit": "the person goes out"} | _TIME,
    ),
    "age": StepKind(
        {"old_enough": ("ground",), "younger": (), "unknown": (), "time_limit": ()},
        keys=("years",),
        needs=("person",),
        explain={
            "old_enough": "the person is `years` or older today",
            "younger": "the person is not",
            "unknown": "the card's date of birth cannot be right",
        }
        | _TIME,
    ),
    "ticket_today": StepKind(
        {
            "none": ("ticket", "day"),
            "has": ("ticket", "day", "issued", "recorded"),
            "full": (),
            "unknown": (),
            "time_limit": (),
        },
        needs=("person", "matter"),
        explain={
            "none": "the person has no number for this matter today; the next one is free",
            "has": "the person has one: its record is durable",
            "full": "the day's numbers of this terminal are used up",
            "unknown": "the clock went back to a day whose index is deleted",
        }
        | _TIME,
    ),
    "voucher": StepKind(
        {
            "owed": ("voucher", "refund", "number", "date", "time"),
            "none": (),
            "time_limit": (),
        },
        needs=("due",),
        explain={
            "owed": "the payment took money that is owed back: its voucher is durable",
            "none": "nothing is owed",
        }
        | _TIME,
    ),
    "option": StepKind(
        {"yes": (), "no": (), "time_limit": ()},
        keys=("option",),
        explain={"yes": "the terminal has the option on", "no": "it has it off"} | _TIME,
    ),
}

STEPS: dict[str, StepKind] = {
    "read_card": StepKind(
        {
            "card": ("person",),
            "no_card": (),
            "ask_officer": (),
            "stopped": (),
            "unreadable": (),
            "unknown_card": (),
            "device_fault": (),
            "time_limit": (),
        },
        keys_extra=("address",),
        explain={
            "card": "a card was read",
            "no_card": "the person has no card with them",
            "ask_officer": "the person wants an officer",
            "unknown_card": "it was read, but it is of a kind or has a number we cannot take",
        }
        | _STOPPED
        | _UNREADABLE
        | _FAULT
        | _TIME,
    ),
    "choose": StepKind(
        {"chosen": (), "stopped": (), "time_limit": ()},
        keys=("text", "fact", "choices"),
        explain={"chosen": "the person chose one"} | _STOPPED | _TIME,
    ),
    "officer_card": StepKind(
        {
            "agreed": ("ground",),
            "not_officer": (),
            "unreadable": (),
            "device_fault": (),
            "stopped": (),
            "time_limit": (),
        },
        keys=("text",),
        needs=("person",),
        explain={
            "agreed": "the card of an officer of the status list was put on",
            "not_officer": "the card's holder is no officer, or no list in force says who is",
        }
        | _STOPPED
        | _UNREADABLE
        | _FAULT
        | _TIME,
    ),
    "scan": StepKind(
        {
            "scanned": ("scanned",),
            "unreadable": (),
            "stopped": (),
            "device_fault": (),
            "time_limit": (),
        },
        keys=("text",),
        explain={
            "scanned": "a code was scanned",
            "unreadable": "it is too long or no text, another may be tried",
        }
        | _STOPPED
        | _FAULT
        | _TIME,
    ),
    "say": StepKind(
        {"done": (), "device_fault": (), "time_limit": ()},
        keys=("text",),
        explain={"done": "the text was spoken"} | _FAULT | _TIME,
    ),
    "pay": StepKind(
        {
            "paid": (*_AMOUNTS, "kept", "change", "settled", "recorded", "number", "date", "time"),
            "stopped": _AMOUNTS,
            "time_limit": _AMOUNTS,
            "device_fault": _AMOUNTS,
            "in_doubt": (*_AMOUNTS, "doubt"),
            "unknown": _AMOUNTS,
        },
        keys=("text", "due_fen", "notes"),
        keys_extra=("fields", "person"),
        explain={
            "paid": "the payment is durable and covers what is due",
            "in_doubt": "a note is in the machine and nobody can tell what of it; help was called",
            "unknown": "the disk did not take the end of the payment in time",
        }
        | _STOPPED
        | _FAULT
        | _TIME,
    ),
    "record": StepKind(
        {"recorded": ("recorded", "number", "date", "time"), "failed": ()},
        keys=("record",),
        keys_extra=("fields", "person"),
        explain={
            "recorded": "the record is durable on this terminal",
            "failed": "it is not, or not in time: the citizen must hear an honest no",
        },
    ),
    "print": StepKind(
        {"printed": (), "not_printed": (), "unknown": (), "device_fault": ()},
        keys=("slip",),
        needs=("number",),
        explain={
            "printed": "the printer proved that the slip is out",
            "not_printed": "nothing was printed",
            "unknown": "nobody knows; it is never printed again by itself",
        }
        | _FAULT,
    ),
    "open_gate": StepKind(
        {"opened": (), "not_opened": (), "unknown": (), "device_fault": ()},
        keys=("pulse_ms",),
        needs=("recorded", "number"),
        explain={
            "opened": "the gate was opened",
            "not_opened": "it was not",
            "unknown": "nobody knows; it is never opened again by itself",
        }
        | _FAULT,
    ),
}

RECORDS: dict[str, tuple[str, ...]] = {
    "gate.passage": ("person", "direction", "status"),
    "service.fact": (),
    "ticket.issued": ("person", "matter", "ticket", "day", "ground"),
}
"""Records that a `record` step can make -> facts they need."""

WAITING_STEPS = ("read_card", "choose", "officer_card", "scan", "pay")
"""Steps that wait for a person: they warn before their time is up, and a key gives more."""

FACTS = frozenset(FIELDS_ALWAYS).union(
    *(facts for kind in (*STEPS.values(), *CHECKS.values()) for facts in kind.outcomes.values())
)
"""Every fact that a kind of step brings by itself."""
