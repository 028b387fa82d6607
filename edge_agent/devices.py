"""What the terminal's devices are like, as the board reports it; every change is a record."""

import hashlib
from collections.abc import Callable

from edge_agent.recorder import Recorder
from protocol.records import DeviceState
from protocol.state import Alarm, DeviceCondition, DeviceCounters
from protocol.wire import states
from tongban.logs import event, get

WORKING_STATES = (states.ONLINE, states.DEVICE_BUSY, states.STARTING)
OPTIONAL = (states.CASH_ACCEPTOR, states.BARCODE_READER)
"""A terminal that was built without one is whole: no alarm, no record."""
TOLD_BY_EVENT = frozenset(
    (states.GATE, detail)
    for detail in (states.GATE_DOOR_OPEN, states.GATE_FORCED, states.GATE_FIRE)
)
"""Their records come with the board's events, which are told also when the state has passed. The
gate opens for people all the same."""
STILL_USED = TOLD_BY_EVENT | {
    (states.GATE, states.DETAIL_STUCK),
    (states.CASH_ACCEPTOR, states.SECOND_BILL),
}
"""Alarms, and used all the same: the next pulse shows whether a relay moves, and an acceptor goes
on as soon as the second bill is gone."""
PASSING_STATES = (states.DEVICE_BUSY, states.STARTING)
CORRELATION_BYTES = 8

log = get("edge_agent.devices")


class Devices:
    """`on_works(device, works)` is told when a device begins or ceases to work."""

    def __init__(
        self,
        recorder: Recorder,
        entropy: Callable[[int], bytes],
        wall_ms: Callable[[], int],
        on_works: Callable[[int, bool], None],
    ) -> None:
        self._recorder = recorder
        self._entropy = entropy
        self._wall_ms = wall_ms
        self._on_works = on_works
        self._now: dict[int, tuple[int, int]] = {}  # device -> state, detail
        self._recorded: dict[int, tuple[int, int]] = dict.fromkeys(
            range(1, states.DEVICE_COUNT + 1), (states.ONLINE, 0)
        )
        self._counts: dict[int, tuple[int, ...]] = {}
        self._since_ms: dict[int, int] = {}

    def report(self, device: int, state: int, detail: int) -> None:
        """The board's word on a device."""
        if self._now.get(device) == (state, detail):
            return
        worked = self.works(device)
        self._now[device] = (state, detail)
        works = self.works(device)
        if works != worked:
            self._on_works(device, works)
        if _never_built_in(device, state):
            return
        self._log(device, state, detail)
        if state in WORKING_STATES:
            self._since_ms.pop(device, None)
        else:
            self._since_ms.setdefault(device, self._wall_ms())
        if state not in PASSING_STATES:
            self._keep(device, state, detail)

    def happened(
        self, intent: bytes, device: int, state: int, detail: int, done: Callable[[bool], None]
    ) -> None:
        """A state that the board tells as an event: one record an intent. `done(durable)`."""
        correlation = self._entropy(CORRELATION_BYTES)
        body = DeviceState(device, state, detail)
        self._recorder.append(intent, (body,), correlation, lambda result: done(result is not None))
        self._recorded[device] = (state, detail)
        now = self._now.get(device)
        if now is not None and now[0] not in PASSING_STATES:
            self._keep(device, *now)  # it has passed already

    def counted(self, device: int, counts: tuple[int, ...]) -> None:
        """The board's word on what a device has done since the board started."""
        if device in states.COUNTER_NAMES:  # of others nobody here knows what they count
            self._counts[device] = counts

    def counters(self) -> tuple[DeviceCounters, ...]:
        """For the terminal's state message. Safe from any thread."""
        return tuple(DeviceCounters(device, c) for device, c in sorted(self._counts.items()))

    def works(self, device: int) -> bool:
        """Whether a device can be used; one that nobody reported on is tried."""
        state, detail = self._now.get(device, (states.ONLINE, 0))
        return state in WORKING_STATES or (device, detail) in STILL_USED

    def conditions(self) -> tuple[DeviceCondition, ...]:
        """For the terminal's state message. Safe from any thread."""
        return tuple(
            DeviceCondition(device, state, detail)
            for device, (state, detail) in sorted(self._now.items())
            if not _never_built_in(device, state)
        )

    def alarms(self) -> tuple[Alarm, ...]:
        """Devices that do not work, and since when. Safe from any thread."""
        since = sorted(self._since_ms.items())
        return tuple(Alarm(f"device.{device_name(device)}", at) for device, at in since)

    def _keep(self, device: int, state: int, detail: int) -> None:
        if self._recorded.get(device) != (state, detail):
            self._recorded[device] = (state, detail)
            if (device, detail) not in TOLD_BY_EVENT:
                self._record(device, state, detail)

    def _record(self, device: int, state: int, detail: int) -> None:
        intent = hashlib.sha256(b"device" + self._entropy(16)).digest()[:16]
        body = DeviceState(device, state, detail)
        correlation = self._entropy(CORRELATION_BYTES)
        self._recorder.append(intent, (body,), correlation, lambda _: None)

    @staticmethod
    def _log(device: int, state: int, detail: int) -> None:
        known = state < len(states.STATE_NAMES)
        event(
            log,
            "info" if state in WORKING_STATES else "warning",
            "device.changed",
            device=device_name(device),
            state=states.STATE_NAMES[state] if known else state,
            detail=detail,
        )


def _never_built_in(device: int, state: int) -> bool:
    return device in OPTIONAL and state == states.NO_DEVICE


def device_name(device: int) -> str:
    """The device's name, or its number when a newer board has one that is not known here."""
    known = 0 < device <= states.DEVICE_COUNT
    return states.DEVICE_NAMES[device] if known else str(device)
