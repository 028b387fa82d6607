"""The truth while the hall is open: told, at the centre, waiting, lost.

`told` is the ledger's, `stored` is read from the centre's database, `waiting` from the outboxes.
The order makes it sound: what was told before an outbox was read is either still waiting in it or
was receipted, so it is at the centre when that is read last. What is in neither place is lost.
"""

import asyncio
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

import apsw

from edge_agent.data_folder import OUTBOX_FILE
from protocol.records import KINDS
from simulator.hall.hall import Hall
from simulator.hall.ledger import Claim
from simulator.hall.place import PAY, TICKET
from simulator.hall.tally import Key, key_of
from sync_server.core.fleet import stored_state
from sync_server.listings import DIRECTIONS
from sync_server.store_sqlite import DATABASE_FILE

BUSY_MS = 200
KIND_HELP_CALL, KIND_PAYMENT = (
    next(number for number, kind in KINDS.items() if kind.name == name)
    for name in ("help.call", "cash.payment")
)


@dataclass(frozen=True)
class LiveTruth:
    """In visits. `lost`: told, and neither at the centre nor waiting at a terminal."""

    told: int = 0
    stored: int = 0
    waiting: int = 0
    lost: int = 0


@dataclass
class AtCentre:
    """What the centre knows: visits in effect, calls for help and alarms by terminal."""

    stored: Counter[Key] = field(default_factory=Counter)
    records: Counter[str] = field(default_factory=Counter)
    help_calls: Counter[str] = field(default_factory=Counter)
    alarms: dict[str, tuple[str, ...]] = field(default_factory=dict)


@dataclass(frozen=True)
class Backlog:
    """At one terminal: records and visits that no receipt has settled; records ever made."""

    records: int = 0
    visits: int = 0
    made: int = 0


class TruthReader:
    """`await look()` now and then; between two looks `now`, `centre` and `backlogs` stand still."""

    def __init__(self, hall: Hall) -> None:
        self.now = LiveTruth()
        self.centre = AtCentre()
        self.backlogs: dict[str, Backlog] = {}
        self._hall = hall
        self._thread = ThreadPoolExecutor(1, "truth")
        self._outboxes: dict[str, apsw.Connection] = {}
        self._database: apsw.Connection | None = None
        self._seen: dict[tuple[int, int], int] = {}
        self._keys: dict[Claim, Key] = {}
        self._ref_key = b""

    async def look(self) -> None:
        """Read everything again. What cannot be read just now keeps its last value."""
        told = self._hall.ledger.told.copy()
        folders = {terminal.place.name: terminal.data for terminal in self._hall.terminals}
        loop = asyncio.get_running_loop()
        self.now = await loop.run_in_executor(self._thread, self._look, told, folders)

    def close(self) -> None:
        """Close the files."""
        self._thread.submit(self._close).result()
        self._thread.shutdown()

    def key_of(self, claim: Claim) -> Key:
        """A claim as the centre lists it."""
        if claim not in self._keys:
            self._keys[claim] = key_of(claim, self._ref_key)
        return self._keys[claim]

    def is_stored(self, claims: Counter[Claim]) -> int:
        """How many of these the centre holds."""
        if not self._ref_key:
            return 0
        wanted = Counter({self.key_of(claim): count for claim, count in claims.items()})
        return (wanted & self.centre.stored).total()

    # ---- in the thread

    def _look(self, told: Counter[Claim], folders: dict[str, Path]) -> LiveTruth:
        for name, folder in folders.items():
            self._read_outbox(name, folder / OUTBOX_FILE)
        self._read_centre()
        if not self._ref_key:
            return LiveTruth(told=told.total())
        keys = Counter({self.key_of(claim): count for claim, count in told.items()})
        missing = (keys - self.centre.stored).total()
        waiting = min(missing, sum(backlog.visits for backlog in self.backlogs.values()))
        return LiveTruth(told.total(), self.centre.stored.total(), waiting, missing - waiting)

    def _read_outbox(self, name: str, path: Path) -> None:
        try:
            if name not in self._outboxes:
                self._outboxes[name] = _open(path)
            row = self._outboxes[name].execute(
                "SELECT (SELECT max(seq) FROM record), through_seq, "
                "(SELECT count(*) FROM record WHERE seq > through_seq AND visit = 1) FROM settled"
            )
            made, settled, visits = next(iter(row), (0, 0, 0))
        except (apsw.Error, OSError):
            return
        self.backlogs[name] = Backlog((made or 0) - settled, visits, made or 0)

    def _read_centre(self) -> None:
        centre = self._hall.centre
        try:
            if self._database is None:
                key = (centre / "keys" / "person_ref.key").read_bytes()
                self._database = _open(centre / DATABASE_FILE)
                self._ref_key = key
            self._read_records(self._database)
            rows = self._database.execute(
                "SELECT t.name, s.body FROM terminal t JOIN terminal_state s USING(terminal)"
            )
            for name, body in rows:
                alarms = stored_state(body).alarms
                self.centre.alarms[name] = tuple(alarm.code for alarm in alarms)
        except (apsw.Error, OSError):
            return

    def _read_records(self, database: apsw.Connection) -> None:
        """Records that came since the last look, chain by chain."""
        chains = list(
            database.execute(
                "SELECT c.terminal, c.branch, t.name FROM chain c JOIN terminal t USING(terminal)"
            )
        )
        for terminal, branch, name in chains:
            rows = database.execute(
                "SELECT r.seq, r.kind, v.person_ref, v.direction, t.number FROM record r "
                "LEFT JOIN visit v ON v.terminal = r.terminal AND v.branch = r.branch "
                "AND v.seq = r.seq AND v.held = 0 "
                "LEFT JOIN ticket t ON t.terminal = r.terminal AND t.branch = r.branch "
                "AND t.seq = r.seq "
                "WHERE r.terminal = ? AND r.branch = ? AND r.seq > ? ORDER BY r.seq",
                (terminal, branch, self._seen.get((terminal, branch), 0)),
            )
            for seq, kind, ref, direction, number in rows:
                self._seen[terminal, branch] = seq
                self.centre.records[name] += 1
                if kind == KIND_HELP_CALL:
                    self.centre.help_calls[name] += 1
                if ref is not None:
                    what = f"{TICKET} {number}" if number else DIRECTIONS.get(direction, "")
                    what = PAY if kind == KIND_PAYMENT else what
                    self.centre.stored[ref.hex(), what] += 1

    def _close(self) -> None:
        for connection in (*self._outboxes.values(), self._database):
            if connection is not None:
                connection.close()


def _open(path: Path) -> apsw.Connection:
    """For reading beside its owner. Raises apsw.Error while it is not there yet."""
    connection = apsw.Connection(str(path), flags=apsw.SQLITE_OPEN_READONLY)
    connection.set_busy_timeout(BUSY_MS)
    return connection
