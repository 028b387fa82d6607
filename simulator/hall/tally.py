"""Who was told, and what the centre has: the two sides of the hall's truth, person by person.

`told` comes from the citizens alone, `stored` from the centre's database alone.
"""

import json
from collections import Counter
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from typing import Any

from protocol.records import OUTCOME_UNKNOWN
from simulator.hall.hall import Hall
from simulator.hall.ledger import Claim
from simulator.hall.place import TICKET
from simulator.hall.processes import run_tongban
from sync_server.people import PersonRefs

Key = tuple[str, str]
"""Person reference (hex, as the centre stores it) and direction, or "ticket B-017"."""


@dataclass(frozen=True)
class Truth:
    """The comparison, in visits."""

    told: int
    stored: int
    lost: int
    untold: int
    duplicated: int


def compare(
    told: Iterable[Key] | Counter[Key],
    begun: Iterable[Key] | Counter[Key],
    stored: Iterable[Key] | Counter[Key],
) -> Truth:
    """Compare what people were told with what is stored, key by key.

    `begun` has one key for every time a person held a card to a reader: more rows than that for one
    key are duplicates.
    """
    told_n, begun_n, stored_n = Counter(told), Counter(begun), Counter(stored)
    return Truth(
        told=told_n.total(),
        stored=stored_n.total(),
        lost=(told_n - stored_n).total(),
        untold=(stored_n - told_n).total(),
        duplicated=(_coarse(stored_n) - _coarse(begun_n)).total(),
    )


def _coarse(keys: Counter[Key]) -> Counter[Key]:
    """Tickets without their numbers: those that begin do not know theirs yet."""
    found: Counter[Key] = Counter()
    for (who, what), count in keys.items():
        found[who, what.split(" ")[0]] += count
    return found


@dataclass
class Summary:
    """The last line of the demo (`--json`)."""

    told: int = 0
    settled: int = 0
    stored: int = 0
    lost: int = 0
    untold: int = 0
    duplicated: int = 0
    conflicts: int = 0
    records: int = 0
    unsettled: int = 0
    receipts_printed: int = 0
    receipts_unknown: int = 0
    utterances: int = 0
    seconds_offline: float = 0.0
    kills: int = 0
    restarts: int = 0
    drained_s: float = 0.0
    seed: int = 0
    firmware_runtime: str = ""
    crashes: int = 0

    @property
    def good(self) -> bool:
        """Nothing lost, nothing twice, everything settled, nobody ended by itself."""
        bad = self.lost, self.duplicated, self.conflicts, self.unsettled, self.crashes
        return not any(bad) and self.told > 0

    def as_dict(self) -> dict[str, object]:
        """Plain values, for JSON."""
        return asdict(self)


async def sum_up(hall: Hall, drained_s: float) -> Summary:
    """Ask the citizens, the centre and the terminals; compare."""
    centre = ("--data", str(hall.folder / "centre"), "--json")
    rows = [
        json.loads(line)
        for line in (await run_tongban("server", "records", "--facts", *centre)).splitlines()
    ]
    status = json.loads(await run_tongban("server", "status", *centre))
    key = (hall.folder / "centre" / "keys" / "person_ref.key").read_bytes()
    stored = [(row["person_ref"], _what(row)) for row in rows if row["visit"] and not row["held"]]
    truth = compare(keys_of(hall.ledger.told, key), keys_of(hall.ledger.begun, key), stored)
    terminals = [await hall.status(terminal) for terminal in hall.terminals]
    return Summary(
        **asdict(truth),
        settled=sum(int(t["visits_settled"]) for t in terminals),
        unsettled=sum(int(t["backlog"]) for t in terminals),
        conflicts=int(status["alarms"]),
        records=sum(not row["visit"] for row in rows),
        receipts_printed=hall.ledger.slips,
        receipts_unknown=sum(_is_unknown_print(row) for row in rows),
        utterances=sum(t.place.utterances for t in hall.terminals),
        seconds_offline=round(hall.weather.seconds_offline, 1),
        kills=hall.weather.kills,
        restarts=hall.weather.restarts,
        crashes=hall.weather.crashes,
        drained_s=round(drained_s, 1),
        seed=hall.options.seed,
        firmware_runtime=", ".join(
            sorted({str(t["versions"].get("runtime", "?")) for t in status["by_terminal"]})
        ),
    )


def _what(row: dict[str, Any]) -> str:
    """A passage by its direction, a ticket by its number."""
    if row["kind"] == "ticket.issued":
        return f"{TICKET} {row['facts']['number']}"
    return str(row["direction"])


def _is_unknown_print(row: dict[str, Any]) -> bool:
    is_print = row["kind"] == "print.outcome"
    return bool(is_print and row["facts"]["outcome"] == OUTCOME_UNKNOWN)


def key_of(claim: Claim, key: bytes) -> Key:
    """The claim as the centre would list it; `key` makes pseudonyms."""
    return PersonRefs(key).of(claim.document, claim.number).hex(), claim.direction


def keys_of(claims: Counter[Claim], key: bytes) -> Counter[Key]:
    """The same for a ledger's side."""
    return Counter({key_of(claim, key): count for claim, count in claims.items()})
