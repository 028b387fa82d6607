"""Joins uplink core, outbox and MQTT: one thread of its own, fed by events.

Batches are signed here, when they are sent. What the centre signs is checked here, before the core
sees it; what does not check is counted and dropped.
"""

import queue
import random
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from hashlib import sha256

from edge_agent.command_taker import CommandTaker, OnCommand
from edge_agent.core import uplink as ux
from edge_agent.outbox import Outbox, OutboxError, PendingRows
from edge_agent.own_state import OwnState, Seen, Snapshot
from protocol import topics
from protocol.batch import BATCH_RECORDS_MAX, build_batch, fitting
from protocol.bundle import Bundle
from protocol.envelope import LINK_ZERO
from protocol.errors import ReceiptError, StatusListError
from protocol.receipts import Hold, Receipt, open_answer
from protocol.status_list import open_status_list
from tongban.logs import event, get
from tongban.mqtt import MqttLink

__all__ = ["Snapshot", "UplinkRunner", "UplinkStatus"]

MESSAGES_WAITING_MAX = 1_000
STATE_EVERY_MS = 30_000
STATE_GAP_MS = 1_000
STATE_AFTER_SETTLE_MS = 3_000
RECONNECT_GAP_MS = 10_000
IDLE_WAIT_S = 1.0
STOP_TIMEOUT_S = 5.0
ALARM_FAILED = "uplink_failed"

log = get("edge_agent.uplink")


@dataclass(frozen=True)
class UplinkStatus:
    """How the uplink does, for health pages and commands."""

    connected: bool
    state: str
    settled_seq: int
    answered_age_ms: int | None
    refused_answers: int
    refused_commands: int


def _mono_ms() -> int:
    return time.monotonic_ns() // 1_000_000


class UplinkRunner:
    """`clock()` gives Unix ms. `snapshot()` is asked whenever a state is published. `on_time(ms)`
    gets times that the centre signed just now. `on_command(command, done)` gets what the centre
    asks (command_taker). Callbacks run on the runner's thread.
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
        on_command: OnCommand = lambda _command, done: done(False),
    ) -> None:
        self._outbox = outbox
        self._terminal = bundle.terminal
        self._device_key = bundle.device_key
        self._centre = bundle.centre_public
        self._clock = clock
        self._on_time = on_time
        self._on_status_list = on_status_list
        self._uplink = ux.Uplink(
            outbox.settled_seq, outbox.generation, random.random, outbox.head().seq
        )
        self._own = OwnState(outbox, bundle.terminal, self._device_key, clock, snapshot)
        self._events: queue.SimpleQueue[Callable[[], None]] = queue.SimpleQueue()
        self._commands = CommandTaker(
            outbox,
            bundle.centre_public,
            bundle.terminal,
            clock=clock,
            on_command=on_command,
            later=self._events.put,
            taken=self._want_state,
        )
        self._waiting: set[str] = set()  # wishes that stand in the queue already
        self._messages_waiting = 0
        self._lock = threading.Lock()
        self._stopping = False
        self._state_due_ms = 0
        self._stated_ms = -STATE_GAP_MS
        self._reconnect_wanted = False
        self._reconnected_ms = -RECONNECT_GAP_MS
        self._status_list_seen = b""
        self.refused_answers = 0
        self._mqtt = MqttLink(
            bundle.broker_host,
            bundle.broker_port,
            bundle.terminal,
            on_connect=self._on_connect,
            on_disconnect=lambda: self._events.put(self._disconnected),
            on_message=self._on_message,
            will=self._own.new_session,
        )
        self._thread = threading.Thread(target=self._work, name="uplink", daemon=True)

    # ---- what the agent calls, from any thread

    def start(self) -> None:
        """Begin to connect and to send."""
        self._thread.start()
        self._mqtt.start()

    def stop(self) -> None:
        """Say goodbye (a graceful stop publishes death) and end."""
        self._events.put(self._goodbye)
        if self._thread.is_alive():
            self._thread.join(STOP_TIMEOUT_S)
        self._mqtt.stop()

    def appended(self) -> None:
        """Records were committed."""
        self._wish("appended", self._look_for_more)

    def changed(self) -> None:
        """The snapshot would be another one now."""
        self._wish("changed", self._want_state)

    def status(self) -> UplinkStatus:
        """How it does now."""
        answered = self._uplink.answered_ms
        return UplinkStatus(
            self._mqtt.connected,
            self._uplink.state,
            self._uplink.settled_seq,
            None if answered is None else _mono_ms() - answered,
            self.refused_answers,
            self._commands.refused,
        )

    # ---- the line's thread

    def _on_connect(self) -> None:
        for topic in (
            topics.down_receipt(self._terminal),
            topics.down_command(self._terminal),
            topics.up_state(self._terminal),
            topics.status_list(),
        ):
            self._mqtt.subscribe(topic)
        self._events.put(self._connected)

    def _on_message(self, topic: str, data: bytes) -> None:
        """A message too many is dropped: whatever it was is sent again when we ask again."""
        with self._lock:
            if self._messages_waiting >= MESSAGES_WAITING_MAX:
                event(log, "warning", "uplink.message_dropped", waiting=MESSAGES_WAITING_MAX)
                return
            self._messages_waiting += 1
        self._events.put(lambda: self._message(topic, data))

    # ---- the runner's thread

    def _wish(self, name: str, work: Callable[[], None]) -> None:
        """Queue `work` unless it waits there already."""

        def granted() -> None:
            with self._lock:
                self._waiting.discard(name)
            work()

        with self._lock:
            if name in self._waiting:
                return
            self._waiting.add(name)
        self._events.put(granted)

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
            except Exception:  # the timers try again; an operator must see that it is needed
                log.exception("uplink.failed")
                self._own.raise_alarm(ALARM_FAILED)

    def _wait_s(self) -> float:
        due_ms = [self._state_due_ms] if self._mqtt.connected else []
        if (answer_due_ms := self._uplink.deadline_ms()) is not None:
            due_ms.append(answer_due_ms)
        return min([IDLE_WAIT_S, *(max(0, due - _mono_ms()) / 1000 for due in due_ms)])

    def _timers(self) -> None:
        now_ms = _mono_ms()
        if self._mqtt.connected and now_ms >= self._state_due_ms and not self._stopping:
            self._publish_state()
        if self._reconnect_wanted and now_ms - self._reconnected_ms >= RECONNECT_GAP_MS:
            self._reconnect_wanted = False
            self._reconnected_ms = now_ms
            self._mqtt.reconnect()
        self._do(self._uplink.tick(now_ms))

    def _connected(self) -> None:
        self._do(self._uplink.connected(self._outbox.head().seq, _mono_ms()))

    def _disconnected(self) -> None:
        self._do(self._uplink.disconnected())

    def _look_for_more(self) -> None:
        self._do(self._uplink.appended(self._outbox.head().seq, _mono_ms()))

    def _goodbye(self) -> None:
        self._stopping = True
        if self._mqtt.connected:
            raw = self._own.next(online=False)
            self._mqtt.publish(topics.up_state(self._terminal), raw, retain=True)

    def _message(self, topic: str, data: bytes) -> None:
        with self._lock:
            self._messages_waiting -= 1
        if topic == topics.status_list():
            self._take_status_list(data)
        elif topic == topics.up_state(self._terminal):
            self._look_at_own_state(data)
        elif topic == topics.down_command(self._terminal):
            self._commands.take(data)
        else:
            self._answer(data)

    def _answer(self, data: bytes) -> None:
        try:
            answer = open_answer(data, self._centre, self._terminal)
        except ReceiptError as error:
            self.refused_answers += 1
            event(log, "warning", "uplink.answer_refused", reason=str(error))
            return
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
        """Perform effects; `raw` is the answer that caused them. A Send leads to the next one."""
        waiting = list(effects)
        while waiting:
            effect = waiting.pop(0)
            match effect:
                case ux.Send():
                    waiting += self._send(effect.after_seq)
                case ux.Settle():
                    self._settle(effect.receipt, raw)
                case ux.OfferAgain():
                    event(log, "warning", "uplink.offer_again", after=effect.after_seq)
                    self._outbox.offer_again(
                        effect.after_seq, effect.generation, lost_records=True
                    ).result()
                case ux.OpenerWanted():
                    self._outbox.offer_again(effect.after_seq, 0, lost_records=False).result()
                case ux.LearnTime():
                    self._on_time(effect.centre_ms)
                case ux.PublishState():
                    self._publish_state()
                case ux.RaiseAlarm():
                    self._own.raise_alarm(effect.code)
                    self._want_state()
                case ux.ClearAlarm():
                    self._own.clear_alarm(effect.code)
                    self._want_state()

    def _settle(self, receipt: Receipt, raw: bytes) -> None:
        self._outbox.settle(receipt, raw, self._clock()).result()
        self._own.clear_alarm(ALARM_FAILED)
        self._want_state(STATE_AFTER_SETTLE_MS)  # people at the centre watch what is settled
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
            _opener_for(pending),
            pending.link_before,
            rows,
        )
        if not self._mqtt.publish(topics.up_batch(self._terminal), raw):
            return []
        return self._uplink.sent(rows[-1].seq, _mono_ms())

    # ---- state and status list

    def _want_state(self, gap_ms: int = STATE_GAP_MS) -> None:
        """Publish soon, at most once in `gap_ms`."""
        self._state_due_ms = min(self._state_due_ms, self._stated_ms + gap_ms)

    def _publish_state(self) -> None:
        self._stated_ms = _mono_ms()
        self._state_due_ms = self._stated_ms + STATE_EVERY_MS
        if self._mqtt.connected:
            raw = self._own.next(online=True)
            self._mqtt.publish(topics.up_state(self._terminal), raw, retain=True)

    def _look_at_own_state(self, data: bytes) -> None:
        seen = self._own.look_at(data)
        if seen is Seen.REPAIR:
            self._want_state()
        elif seen is Seen.RECONNECT:
            self._reconnect_wanted = True

    def _take_status_list(self, data: bytes) -> None:
        if data == self._status_list_seen:
            return
        try:
            found = open_status_list(data, self._centre)
        except StatusListError as error:
            event(log, "warning", "uplink.status_list_refused", reason=str(error))
            return
        self._outbox.keep_status_list(found.version, data).result()
        self._status_list_seen = data
        event(log, "info", "uplink.status_list", version=found.version)
        self._on_status_list()


def _opener_for(pending: PendingRows) -> bytes:
    """The whole opener until the centre is known to have it, then its hash."""
    return sha256(pending.opener).digest() if pending.at_centre else pending.opener
