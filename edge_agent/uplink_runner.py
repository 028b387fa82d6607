"""Joins uplink core, outbox and MQTT: one thread of its own, fed by events.

Batches are signed here, when they are sent. What the centre signs is checked here, before the core
sees it; what does not check is counted and dropped.
"""

import queue
import random
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from hashlib import sha256

from edge_agent.core import uplink as ux
from edge_agent.outbox import Outbox, OutboxError, PendingRows
from protocol import topics
from protocol.batch import BATCH_RECORDS_MAX, build_batch, fitting
from protocol.bundle import Bundle
from protocol.envelope import LINK_ZERO
from protocol.errors import ReceiptError, StateError, StatusListError
from protocol.receipts import Hold, Receipt, open_answer
from protocol.records import TimeQuality
from protocol.state import (
    WILL_NUMBER,
    Alarm,
    DeviceCondition,
    TerminalState,
    open_state,
    sign_state,
)
from protocol.status_list import open_status_list
from tongban.logs import event, get
from tongban.mqtt import MqttLink, Will

EVENTS_WAITING_MAX = 1_000
STATE_EVERY_MS = 30_000
IDLE_WAIT_S = 1.0
STOP_TIMEOUT_S = 5.0

log = get("edge_agent.uplink")


@dataclass(frozen=True)
class Snapshot:
    """What the rest of the agent says of itself, for the terminal's state."""

    versions: dict[str, str] = field(default_factory=dict)
    devices: Sequence[DeviceCondition] = ()
    alarms: Sequence[Alarm] = ()
    time_quality: TimeQuality = TimeQuality.UNKNOWN


@dataclass(frozen=True)
class UplinkStatus:
    """How the uplink does, for health pages and commands."""

    connected: bool
    state: str
    settled_seq: int
    answered_age_ms: int | None
    refused_answers: int


def _mono_ms() -> int:
    return time.monotonic_ns() // 1_000_000


class UplinkRunner:
    """`clock()` gives Unix ms. `snapshot()` is asked whenever a state is published. `on_time(ms)`
    gets each time that the centre signed. Callbacks run on the runner's thread.
    """

    def __init__(
        self,
        outbox: Outbox,
        bundle: Bundle,
        *,
        clock: Callable[[], int],
        snapshot: Callable[[], Snapshot] = Snapshot,
        on_time: Callable[[int], None] = lambda _ms: None,
        on_status_list: Callable[[], None] = lambda: None,
    ) -> None:
        self._outbox = outbox
        self._terminal = bundle.terminal
        self._device_key = bundle.device_key
        self._centre = bundle.centre_public
        self._clock = clock
        self._snapshot = snapshot
        self._on_time = on_time
        self._on_status_list = on_status_list
        self._uplink = ux.Uplink(outbox.settled_seq, outbox.generation, random.random)
        self._events: queue.Queue[Callable[[], None]] = queue.Queue(EVENTS_WAITING_MAX)
        self._stopping = False
        self._session = 0
        self._state_number = 0
        self._state_due_ms = 0
        self._whole_opener: bytes | None = None
        self._alarms: dict[str, int] = {}
        self.refused_answers = 0
        self._mqtt = MqttLink(
            bundle.broker_host,
            bundle.broker_port,
            bundle.terminal,
            on_connect=self._on_connect,
            on_disconnect=lambda: self._put(self._disconnected),
            on_message=lambda topic, data: self._put(lambda: self._message(topic, data)),
            will=self._new_session,
        )
        self._thread = threading.Thread(target=self._work, name="uplink", daemon=True)

    # ---- what the agent calls, from any thread

    def start(self) -> None:
        """Begin to connect and to send."""
        self._thread.start()
        self._mqtt.start()

    def stop(self) -> None:
        """Say goodbye (a graceful stop publishes death) and end."""
        self._put(self._goodbye)
        self._thread.join(STOP_TIMEOUT_S)
        self._mqtt.stop()

    def appended(self) -> None:
        """Records were committed."""
        self._put(self._look_for_more)

    def changed(self) -> None:
        """The snapshot would be another one now."""
        self._put(self._publish_state)

    def status(self) -> UplinkStatus:
        """How it does now."""
        answered = self._uplink.answered_ms
        return UplinkStatus(
            self._mqtt.connected,
            self._uplink.state,
            self._uplink.settled_seq,
            None if answered is None else _mono_ms() - answered,
            self.refused_answers,
        )

    # ---- the line's thread

    def _new_session(self) -> Will:
        self._session = self._outbox.next_session().result()
        self._state_number = 0
        raw = self._signed_state(online=False, number=WILL_NUMBER)
        return Will(topics.up_state(self._terminal), raw)

    def _on_connect(self) -> None:
        for topic in (
            topics.down_receipt(self._terminal),
            topics.up_state(self._terminal),
            topics.status_list(),
        ):
            self._mqtt.subscribe(topic)
        self._put(self._connected)

    # ---- the runner's thread

    def _put(self, work: Callable[[], None]) -> None:
        try:
            self._events.put_nowait(work)
        except queue.Full:
            event(log, "warning", "uplink.event_dropped", waiting=EVENTS_WAITING_MAX)

    def _work(self) -> None:
        while not self._stopping:
            try:
                work = self._events.get(timeout=self._wait_s())
            except queue.Empty:
                work = self._timers
            try:
                work()
                self._timers()
            except OutboxError as error:
                event(log, "error", "uplink.outbox", reason=str(error))

    def _wait_s(self) -> float:
        due_ms = self._uplink.deadline_ms()
        if due_ms is None:
            return IDLE_WAIT_S
        return min(IDLE_WAIT_S, max(0, due_ms - _mono_ms()) / 1000)

    def _timers(self) -> None:
        now_ms = _mono_ms()
        self._do(self._uplink.tick(now_ms))
        if self._mqtt.connected and now_ms >= self._state_due_ms:
            self._publish_state()

    def _connected(self) -> None:
        self._do(self._uplink.connected(self._outbox.head().seq, _mono_ms()))

    def _disconnected(self) -> None:
        self._do(self._uplink.disconnected())

    def _look_for_more(self) -> None:
        self._do(self._uplink.appended(self._outbox.head().seq, _mono_ms()))

    def _goodbye(self) -> None:
        self._stopping = True
        if self._mqtt.connected:
            self._mqtt.publish(
                topics.up_state(self._terminal), self._signed_state(online=False), retain=True
            )

    def _message(self, topic: str, data: bytes) -> None:
        if topic == topics.status_list():
            self._take_status_list(data)
        elif topic == topics.up_state(self._terminal):
            self._look_at_own_state(data)
        else:
            self._answer(data)

    def _answer(self, data: bytes) -> None:
        try:
            answer = open_answer(data, self._centre, self._terminal)
        except ReceiptError as error:
            self.refused_answers += 1
            event(log, "warning", "uplink.answer_refused", reason=str(error))
            return
        self._on_time(answer.time_ms)
        now_ms = _mono_ms()
        if isinstance(answer, Receipt):
            own = self._outbox.link_at(answer.through_seq)
            self._do(self._uplink.receipt(answer, own, now_ms), data)
        elif isinstance(answer, Hold):
            event(log, "info", "uplink.hold", reason=answer.reason)
            self._do(self._uplink.hold(answer, now_ms))
        else:
            own = LINK_ZERO if answer.seq == 0 else self._outbox.link_at(answer.seq)
            event(log, "info", "uplink.rewind", seq=answer.seq)
            self._do(self._uplink.rewind(answer, own, now_ms))

    def _do(self, effects: ux.Effects, raw: bytes = b"") -> None:
        waiting = list(effects)
        while waiting:
            effect = waiting.pop(0)
            if isinstance(effect, ux.Send):
                waiting += self._send(effect.after_seq)
            elif isinstance(effect, ux.Settle):
                self._settle(effect.receipt, raw)
            elif isinstance(effect, ux.OpenerWanted):
                rows = self._outbox.pending(self._uplink.settled_seq, 1)
                self._whole_opener = rows.epoch_id if rows else None
            elif isinstance(effect, ux.PublishState):
                self._publish_state()
            elif isinstance(effect, ux.RaiseAlarm):
                self._alarms.setdefault(effect.code, self._clock())
                event(log, "error", "uplink.alarm", code=effect.code)
                self._publish_state()
            else:
                self._alarms.pop(effect.code, None)

    def _settle(self, receipt: Receipt, raw: bytes) -> None:
        self._outbox.settle(receipt, raw, self._clock()).result()
        event(
            log,
            "info",
            "uplink.settled",
            through=receipt.through_seq,
            exceptions=len(receipt.exceptions),
        )

    def _send(self, after_seq: int) -> ux.Effects:
        pending = self._outbox.pending(after_seq, BATCH_RECORDS_MAX)
        if pending is None:
            return []
        rows = pending.rows[: fitting(len(row.ciphertext) for row in pending.rows)]
        raw = build_batch(
            self._device_key,
            self._terminal,
            pending.epoch_id,
            self._opener_for(pending),
            pending.link_before,
            rows,
        )
        if not self._mqtt.publish(topics.up_batch(self._terminal), raw):
            return []
        return self._uplink.sent(rows[-1].seq, _mono_ms())

    def _opener_for(self, pending: PendingRows) -> bytes:
        """The whole opener until the centre is known to have it, then its hash."""
        if pending.at_centre and pending.epoch_id != self._whole_opener:
            return sha256(pending.opener).digest()
        return pending.opener

    # ---- state and status list

    def _signed_state(self, online: bool, number: int | None = None) -> bytes:
        if number is None:
            self._state_number = number = self._state_number + 1
        now_ms = self._clock()
        said = self._snapshot()
        backlog, oldest_ms = self._outbox.backlog()
        alarms = [*said.alarms, *(Alarm(code, since) for code, since in self._alarms.items())]
        state = TerminalState(
            number=number,
            online=online,
            at_ms=now_ms,
            time_quality=int(said.time_quality),
            first_unsettled_seq=self._outbox.settled_seq + 1,
            backlog=backlog,
            oldest_age_ms=max(0, now_ms - oldest_ms) if oldest_ms else 0,
            versions=said.versions,
            devices=tuple(said.devices),
            alarms=tuple(alarms),
        )
        return sign_state(self._device_key, self._terminal, self._session, state)

    def _publish_state(self) -> None:
        self._state_due_ms = _mono_ms() + STATE_EVERY_MS
        if self._mqtt.connected:
            raw = self._signed_state(online=True)
            self._mqtt.publish(topics.up_state(self._terminal), raw, retain=True)

    def _look_at_own_state(self, data: bytes) -> None:
        """A broker may deliver an older session's will late: then we say again that we live."""
        try:
            seen = open_state(data, self._device_key.verify_key, self._terminal)
        except StateError as error:
            event(log, "warning", "uplink.foreign_state", reason=str(error))
            self._publish_state()
            return
        if seen.session < self._session or not seen.state.online:
            self._publish_state()

    def _take_status_list(self, data: bytes) -> None:
        try:
            found = open_status_list(data, self._centre)
        except StatusListError as error:
            event(log, "warning", "uplink.status_list_refused", reason=str(error))
            return
        self._outbox.keep_status_list(found.version, data).result()
        event(log, "info", "uplink.status_list", version=found.version)
        self._on_status_list()
