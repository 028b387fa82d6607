"""What the terminal says of itself on `up/state`: one full signed snapshot, retained.

Each connection has a session number of its own, durable before it is used; the will is made with
it. Of two snapshots the one with the higher (session, number) is the newer. So what stands on our
own topic tells whether to say it again:

| seen there | means | do |
| --- | --- | --- |
| not signed by us | somebody or something spoilt it | REPAIR: publish again |
| an earlier session | its will came late | REPAIR |
| this session, offline | the broker thinks that we are gone | RECONNECT: nothing outranks a will |
| a later session | a restored disk, or another has our key | alarm, RECONNECT above it |
| else | our own words | nothing |
"""

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from enum import Enum

from edge_agent.outbox import Outbox, OutboxError
from protocol import topics
from protocol.errors import StateError
from protocol.keys import DeviceKey
from protocol.records import TimeQuality
from protocol.state import (
    ALARMS_MAX,
    WILL_NUMBER,
    Alarm,
    DeviceCondition,
    DeviceCounters,
    TerminalState,
    open_state,
    sign_state,
)
from tongban.logs import event, get
from tongban.mqtt import Will

SESSION_WAIT_S = 10.0
ALARM_OTHER_SELF = "session_from_elsewhere"
ALARM_UNREADABLE = "outbox_unreadable"

log = get("edge_agent.own_state")


@dataclass(frozen=True)
class Snapshot:
    """What the rest of the agent says of itself, for the terminal's state."""

    versions: dict[str, str] = field(default_factory=dict)
    devices: Sequence[DeviceCondition] = ()
    alarms: Sequence[Alarm] = ()
    time_quality: TimeQuality = TimeQuality.UNKNOWN
    counters: Sequence[DeviceCounters] = ()


@dataclass(frozen=True)
class _Counts:
    """What the outbox says. `oldest_ms`: when the oldest unsettled record was made, 0 for none."""

    first_unsettled_seq: int = 0
    backlog: int = 0
    oldest_ms: int = 0
    visits: int = 0
    visits_settled: int = 0
    commands_through: int = 0


class Seen(Enum):
    """What to do about a state seen on our own topic."""

    FINE = "fine"
    REPAIR = "repair"
    RECONNECT = "reconnect"


class OwnState:
    """Safe from any thread. `clock()` gives Unix ms; `snapshot()` is asked for each state."""

    def __init__(
        self,
        outbox: Outbox,
        terminal: str,
        device_key: DeviceKey,
        clock: Callable[[], int],
        snapshot: Callable[[], Snapshot],
    ) -> None:
        self.session = 0
        self._outbox = outbox
        self._terminal = terminal
        self._device_key = device_key
        self._clock = clock
        self._snapshot = snapshot
        self._lock = threading.Lock()
        self._number = 0
        self._alarms: dict[str, int] = {}
        self._counts = _Counts()

    def new_session(self) -> Will:
        """Begin a session; gives the will for its connection. Never raises: the line must live."""
        try:
            session = self._outbox.next_session().result(SESSION_WAIT_S)
        except (OutboxError, TimeoutError) as error:
            event(log, "error", "state.session_not_durable", reason=str(error))
            session = 0
        with self._lock:
            self.session = max(session, self.session + 1)
            self._number = 0
        return Will(topics.up_state(self._terminal), self._signed(WILL_NUMBER, online=False))

    def next(self, *, online: bool) -> bytes:
        """The signed state as it is now."""
        with self._lock:
            self._number += 1
            number = self._number
        return self._signed(number, online=online)

    def raise_alarm(self, code: str) -> None:
        """From now on the state names this alarm."""
        with self._lock:
            known = code in self._alarms
            self._alarms.setdefault(code, self._clock())
        if not known:
            event(log, "error", "state.alarm", code=code)

    def clear_alarm(self, code: str) -> None:
        """It is over."""
        with self._lock:
            self._alarms.pop(code, None)

    def look_at(self, data: bytes) -> Seen:
        """What to do about `data` on our own topic."""
        try:
            seen = open_state(data, self._device_key.verify_key, self._terminal)
        except StateError as error:
            event(log, "warning", "state.foreign", reason=str(error))
            return Seen.REPAIR
        if seen.session < self.session:
            return Seen.REPAIR
        if seen.session > self.session:
            self.raise_alarm(ALARM_OTHER_SELF)
            self._outbox.raise_session(seen.session).result(SESSION_WAIT_S)
            return Seen.RECONNECT
        return Seen.FINE if seen.state.online else Seen.RECONNECT

    def _signed(self, number: int, *, online: bool) -> bytes:
        now_ms = self._clock()
        said = self._snapshot()
        counts = self._read_counts()
        with self._lock:
            alarms = [*(Alarm(code, since) for code, since in self._alarms.items()), *said.alarms]
        state = TerminalState(
            number=number,
            online=online,
            at_ms=now_ms,
            time_quality=int(said.time_quality),
            first_unsettled_seq=counts.first_unsettled_seq,
            backlog=counts.backlog,
            oldest_age_ms=max(0, now_ms - counts.oldest_ms) if counts.oldest_ms else 0,
            versions=said.versions,
            devices=tuple(said.devices),
            alarms=tuple(alarms[:ALARMS_MAX]),
            visits=counts.visits,
            visits_settled=counts.visits_settled,
            commands_through=counts.commands_through,
            counters=tuple(said.counters),
        )
        return sign_state(self._device_key, self._terminal, self.session, state)

    def _read_counts(self) -> "_Counts":
        """What was true last, with an alarm, when the outbox cannot be read."""
        try:
            counts = _Counts(
                self._outbox.settled_seq + 1,
                *self._outbox.backlog(),
                *self._outbox.visits(),
                self._outbox.commands_through(),
            )
        except OutboxError as error:
            event(log, "error", "state.outbox_unreadable", reason=str(error))
            self.raise_alarm(ALARM_UNREADABLE)
            return self._counts
        self.clear_alarm(ALARM_UNREADABLE)
        self._counts = counts
        return counts
