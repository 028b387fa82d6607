"""The intake thread: takes messages from a bounded queue, several into one durable commit.

Order, always: commit, then sign, then publish. A message that makes the centre itself fail is
taken alone the second time, so it cannot stop the others.
"""

import queue
import threading
from collections.abc import Callable, Sequence
from typing import NamedTuple

from protocol import topics
from protocol.batch import BATCH_BYTES_MAX
from protocol.errors import TopicError
from protocol.keys import CentreKeys
from protocol.receipts import (
    Answer,
    Hold,
    HoldReason,
    Receipt,
    Rewind,
    sign_hold,
    sign_receipt,
    sign_rewind,
)
from sync_server.core.codes import IntakeCode
from sync_server.core.fleet import take_state
from sync_server.core.intake import Intake, Taken
from sync_server.core.store_port import Store, StoreError, Transaction
from sync_server.intake_counts import SAMPLE_BYTES_MAX, IntakeCounts
from tongban.logs import event, get

QUEUE_MESSAGES_MAX = 512
GROUP_MESSAGES_MAX = 32
IDLE_WAIT_S = 0.25
STOP_TIMEOUT_S = 5.0

Publish = Callable[[str, bytes], bool]

log = get("tongban.intake")


class Message(NamedTuple):
    """One message from the broker. `size` as it came; one too large is kept as its beginning."""

    topic: str
    payload: bytes
    size: int


def sign_answer(keys: CentreKeys, answer: Answer) -> bytes:
    """The signed bytes of any answer. Only after the commit it speaks of."""
    if isinstance(answer, Receipt):
        return sign_receipt(keys, answer)
    if isinstance(answer, Rewind):
        return sign_rewind(keys, answer)
    return sign_hold(keys, answer)


def needed_answers(taken: Sequence[Taken]) -> list[Answer]:
    """The answers to one commit. Receipts are cumulative: of several that accept a terminal's
    records one after the other, those without exceptions are said by the last."""
    answers: list[Answer] = []
    said: set[str] = set()
    for result in reversed(taken):
        answer = result.answer
        if answer is None:
            continue
        if isinstance(answer, Receipt) and result.code is IntakeCode.ACCEPTED:
            if answer.terminal in said and not answer.exceptions:
                continue
            said.add(answer.terminal)
        answers.append(answer)
    return answers[::-1]


class IntakeWorker:
    """`offer` from any thread, `start` and `stop` from the owner; `handle` is one group's work."""

    def __init__(
        self,
        store: Store,
        intake: Intake,
        keys: CentreKeys,
        publish: Publish,
        clock_ms: Callable[[], int],
    ) -> None:
        self._store = store
        self._intake = intake
        self._keys = keys
        self._publish = publish
        self._clock_ms = clock_ms
        self._counts = IntakeCounts()
        self._queue: queue.Queue[Message] = queue.Queue(QUEUE_MESSAGES_MAX)
        self._dropped = 0
        self._dropped_counted = 0
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="intake", daemon=True)
        self.store_error = ""

    def offer(self, topic: str, payload: bytes) -> bool:
        """Queue a message; False when the queue is full (its terminal will send again)."""
        kept = payload if len(payload) <= BATCH_BYTES_MAX else payload[:SAMPLE_BYTES_MAX]
        try:
            self._queue.put_nowait(Message(topic, kept, len(payload)))
        except queue.Full:
            self._dropped += 1
            return False
        return True

    def start(self) -> None:
        """Begin to work."""
        self._thread.start()

    def stop(self) -> None:
        """Finish what is queued and end the thread."""
        self._stopping.set()
        self._thread.join(STOP_TIMEOUT_S)

    def health(self) -> tuple[bool, str]:
        """For the ready page."""
        if self.store_error:
            return False, self.store_error
        if not self._thread.is_alive():
            return False, "the intake thread has ended; restart the server"
        return True, f"{self._queue.qsize()} messages waiting"

    def _run(self) -> None:
        while True:
            group = self._next_group()
            if group or self._counts.is_due(self._clock_ms()):
                self.handle(group)
            elif self._stopping.is_set():
                return

    def _next_group(self) -> list[Message]:
        """All that waits, up to a group; waits a moment for the first."""
        group: list[Message] = []
        try:
            group.append(self._queue.get(timeout=IDLE_WAIT_S))
            while len(group) < GROUP_MESSAGES_MAX:
                group.append(self._queue.get_nowait())
        except queue.Empty:
            return group
        return group

    # ---- one group

    def handle(self, group: Sequence[Message]) -> None:
        """Take a group in one commit, then answer. An empty group only writes the counters."""
        now_ms = self._clock_ms()
        self._note_dropped()
        taken: list[Taken] = []
        try:
            self._commit(group, taken, now_ms)
        except StoreError as error:
            self._undo()
            self._store_failed(error, taken, now_ms)
        except Exception:
            self._undo()
            self._failed_internally(group, now_ms)
        else:
            self.store_error = ""
            for answer in needed_answers(taken):
                self._answer(answer)

    def _commit(self, group: Sequence[Message], taken: list[Taken], now_ms: int) -> None:
        """Everything the group brings, durable at its end; `taken` grows as it goes."""
        with self._store.transaction() as tx:
            for message in group:
                result = self._take(tx, message, now_ms)
                taken.append(result)
                self._note(message, result, now_ms)
            is_written = any(result.records for result in taken) or self._counts.is_due(now_ms)
            if is_written:
                self._counts.write(tx, now_ms)
        self._intake.committed()
        if is_written:
            self._counts.written(now_ms)
        else:
            self._counts.keep()

    def _take(self, tx: Transaction, message: Message, now_ms: int) -> Taken:
        try:
            terminal, name = topics.parse(message.topic)
        except TopicError as error:
            return Taken(IntakeCode.REFUSED_WRONG_TOPIC, reason=str(error))
        if message.size > len(message.payload):
            return Taken(
                IntakeCode.REFUSED_TOO_LARGE,
                reason=f"{message.size} bytes, at most {BATCH_BYTES_MAX} are taken",
            )
        if name == topics.UP_BATCH:
            return self._intake.take(tx, terminal, message.payload, now_ms)
        if name == topics.UP_STATE:
            return take_state(tx, terminal, message.payload, now_ms)
        return Taken(IntakeCode.REFUSED_WRONG_TOPIC, reason=f"{name} is not for the centre")

    def _note(self, message: Message, result: Taken, now_ms: int) -> None:
        self._counts.note(result.terminal, result.code)
        if result.reason:
            self._counts.sample(result.code, now_ms, message, result.reason)
        if result.records:
            assert isinstance(result.answer, Receipt)
            event(
                log,
                "info" if result.code is IntakeCode.ACCEPTED else "warning",
                "intake.stored",
                code=result.code.name,
                terminal=result.answer.terminal,
                records=result.records,
                through=result.answer.through_seq,
                exceptions=len(result.answer.exceptions),
            )

    def _note_dropped(self) -> None:
        dropped = self._dropped
        if dropped > self._dropped_counted:
            self._counts.note(0, IntakeCode.DROPPED_QUEUE_FULL, dropped - self._dropped_counted)
            self._counts.keep()
            self._dropped_counted = dropped

    # ---- what goes wrong

    def _undo(self) -> None:
        self._intake.rolled_back()
        self._counts.forget()

    def _store_failed(self, error: StoreError, taken: Sequence[Taken], now_ms: int) -> None:
        """Nothing was stored: those who would have got a receipt are told to wait."""
        if not self.store_error:
            event(log, "error", "intake.store_failed", reason=str(error))
        self.store_error = f"{error}. Check free space and rights of the data folder."
        for result in taken:
            if isinstance(result.answer, Receipt) and result.records:
                self._counts.note(result.terminal, IntakeCode.HOLD_STORE_UNAVAILABLE)
                self._answer(
                    Hold(
                        result.answer.terminal,
                        result.answer.generation,
                        result.watermark,
                        HoldReason.STORE_UNAVAILABLE,
                        now_ms,
                    )
                )
        self._counts.keep()

    def _failed_internally(self, group: Sequence[Message], now_ms: int) -> None:
        if len(group) > 1:
            for message in group:
                self.handle([message])
            return
        log.exception("intake.failed_internally")
        for message in group:
            result = Taken(IntakeCode.FAILED_INTERNALLY, reason="see the log")
            self._note(message, result, now_ms)
        self._counts.keep()

    # ---- answers

    def _answer(self, answer: Answer | None) -> None:
        """Sign and publish. One that is lost on the way is asked for again by the terminal."""
        if answer is None:
            return
        signed = sign_answer(self._keys, answer)
        if not self._publish(topics.down_receipt(answer.terminal), signed):
            event(log, "warning", "intake.not_published", terminal=answer.terminal)
