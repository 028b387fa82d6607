"""A hall's terminals over a centre on SQLite, for what officers do."""

from pathlib import Path

import apsw

from protocol.records import Body, Person, TimeQuality
from protocol.state import TerminalState, sign_state
from sync_server.core.fleet import take_state
from sync_server.store_sqlite import SqliteStore, open_store
from tests.server.making import DAY, NOON_MS, UNIT, Centre, SimTerminal, centre_keys, ticket

OTHER_HALL = "dongguan/songshanhu/hall-1"


class Hall:
    """gate-1 and gate-2 in one hall (letters A, B), gate-3 in another."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.store: SqliteStore = open_store(folder / "centre.db")
        self.centre = Centre(self.store, centre_keys())
        self.gates = [SimTerminal(self.centre.keys, f"gate-{index}") for index in (1, 2, 3)]
        for gate, unit in zip(self.gates, (UNIT, UNIT, OTHER_HALL), strict=True):
            self.centre.enrol(gate, unit)
        self._session = 0

    @property
    def connection(self) -> apsw.Connection:
        return self.store.connection

    @property
    def now_ms(self) -> int:
        return self.centre.now_ms

    def later(self, passed_ms: int) -> int:
        self.centre.now_ms += passed_ms
        return self.now_ms

    def append(
        self,
        gate: int,
        body: Body,
        at_ms: int | None = None,
        quality: TimeQuality = TimeQuality.SYNCED,
    ) -> None:
        """A record of gate 1, 2 or 3 that is at the centre at once."""
        terminal = self.gates[gate - 1]
        terminal.append(body, self.now_ms if at_ms is None else at_ms, quality)
        last = len(terminal.rows)
        self.centre.take(terminal.batch(last, last), terminal.name)

    def issue(
        self, gate: int, number: str, person: int, ago_ms: int = 0, **said: str | int
    ) -> None:
        day = str(said.pop("day", DAY))
        self.append(gate, ticket(number, person, day=day, **said), self.now_ms - ago_ms)

    def state(self, gate: int, **fields: object) -> None:
        """A newer state of a gate."""
        terminal = self.gates[gate - 1]
        self._session += 1
        values = {
            "number": 1,
            "online": True,
            "at_ms": self.now_ms,
            "time_quality": 2,
            "first_unsettled_seq": 1,
            "backlog": 0,
            "oldest_age_ms": 0,
        }
        state = TerminalState(**{**values, **fields})
        with self.store.transaction() as tx:
            raw = sign_state(terminal.device, terminal.name, self._session, state)
            take_state(tx, terminal.name, raw, self.now_ms)

    def another(self) -> SqliteStore:
        """The same database as another process has it."""
        return open_store(self.folder / "centre.db")


def name_and_number(index: int) -> tuple[str, str]:
    person: Person = ticket("A-001", index).person
    return person.name, person.number


__all__ = ["DAY", "NOON_MS", "OTHER_HALL", "UNIT", "Hall", "name_and_number"]
