"""Who was told, and what the centre has: the two sides of the hall's truth, person by person.

`told` comes from the citizens alone, `stored` from the centre's database alone.
"""

import asyncio
import json
from collections import Counter
from collections.abc import Iterable
from dataclasses import asdict, dataclass, replace
from typing import Any

from protocol.records import OUTCOME_UNKNOWN
from simulator.hall.hall import Hall
from simulator.hall.ledger import Claim
from simulator.hall.payers import Money, of_acceptors, of_people
from simulator.hall.place import PAY, TICKET
from simulator.hall.processes import run_tongban
from sync_server import cash as books
from sync_server.people import PersonRefs
from sync_server.store_sqlite import DATABASE_FILE
from sync_server.units import Scope
from tongban.database import open_database

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
    """The last line of the demo (`--json`). Cash is in fen: inserted as people told, stacked,
    returned and inside as the acceptors' insides are, the rest as the centre has it; unbalanced:
    what these three do not agree on."""

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
    cash_inserted: int = 0
    cash_stacked: int = 0
    cash_returned: int = 0
    cash_inside: int = 0
    cash_stored: int = 0
    cash_cases: int = 0
    cash_kept: int = 0
    cash_vouchers: int = 0
    cash_unbalanced: int = 0

    @property
    def good(self) -> bool:
        """Nothing lost, nothing twice, everything settled, money balanced, nobody ended by
        itself."""
        bad = self.lost, self.duplicated, self.conflicts, self.unsettled, self.crashes
        return not any((*bad, self.cash_unbalanced)) and self.told > 0

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
    visits = [row for row in rows if row["visit"] and not row["held"]]
    stored = [(row["person_ref"], _what(row)) for row in visits if row["person_ref"]]
    nameless = len(visits) - len(stored)  # payments that a restart cut: nobody can be told
    truth = compare(keys_of(hall.ledger.told, key), keys_of(hall.ledger.begun, key), stored)
    terminals = [await hall.status(terminal) for terminal in hall.terminals]
    truth = replace(truth, stored=truth.stored + nameless, untold=truth.untold + nameless)
    return Summary(
        **asdict(truth),
        **await asyncio.to_thread(cash_of, hall),
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


def cash_of(hall: Hall) -> dict[str, int]:
    """The cash figures of a summary."""
    acceptors = of_acceptors([terminal.place for terminal in hall.terminals])
    connection = open_database(hall.centre / DATABASE_FILE)
    try:
        sheet = books.sheet(connection, Scope(""))
    finally:
        connection.close()
    total = books.totals(sheet)
    return compare_cash(of_people(hall.ledger.notes), acceptors, total)


def compare_cash(people: Money, acceptors: Money, centre: dict[str, Any]) -> dict[str, int]:
    """Three who counted, each alone: people, the insides of the acceptors, the centre."""
    stored, cases = int(centre.get("stacked_fen", 0)), int(centre.get("in_cases_fen", 0))
    apart = abs(people.inserted - acceptors.inserted) + abs(people.returned - acceptors.returned)
    unaccounted = max(0, acceptors.stacked + acceptors.inside - stored - cases)
    invented = max(0, stored - acceptors.stacked)
    return {
        "cash_inserted": people.inserted,
        "cash_stacked": acceptors.stacked,
        "cash_returned": acceptors.returned,
        "cash_inside": acceptors.inside,
        "cash_stored": stored,
        "cash_cases": cases,
        "cash_kept": int(centre.get("kept_fen", 0)),
        "cash_vouchers": int(centre.get("refunds_fen", 0)),
        "cash_unbalanced": apart + unaccounted + invented + (not centre["balanced"]),
    }


def _what(row: dict[str, Any]) -> str:
    """A passage by its direction, a ticket by its number."""
    if row["kind"] == "cash.payment":
        return PAY
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
