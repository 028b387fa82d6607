"""The stories of the cash sweep: who pays what with which notes, and what goes wrong meanwhile."""

from dataclasses import dataclass, field

OFFICER_MS = 1000


@dataclass(frozen=True)
class Script:
    """`notes`: yuan, each value once, so that the truth can be told apart. `faults`: of the
    acceptor, once each. `full_after`: the cassette is full after so many notes. `stop_in_escrow`:
    the person stops while this note (index) is in escrow. `quick`: does not wait for the screen.
    `credit_recovery`: whether the acceptor says 81 again after a power cut. `swap`: an officer
    changes the cassette at the end."""

    name: str
    due_yuan: int
    notes: tuple[int, ...]
    faults: tuple[str, ...] = ()
    full_after: int = 600
    stop_in_escrow: int | None = None
    quick: bool = False
    credit_recovery: bool = True
    swap: bool = False
    table: tuple[int, ...] = field(default=(1, 5, 10, 20, 50, 100))


SCRIPTS = (
    Script("exact", 30, (20, 10), swap=True),
    Script("over", 15, (50,), credit_recovery=False),
    Script("returned", 60, (10, 50), stop_in_escrow=1, table=(100, 0, 10, 50)),
    Script("rejected", 20, (100, 20), faults=("reject_identification",)),
    Script("cassette_full", 30, (20, 10), full_after=1),
    Script("jam", 20, (20,), faults=("jam_in_cassette",)),
    Script("cheated", 50, (50,), faults=("cheated",)),
    Script("quick", 25, (20, 5), quick=True),
    Script("bad_line", 10, (10,), faults=("wrong_crc_stacked", "lost_ack", "noise", "naks")),
)
