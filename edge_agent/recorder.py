"""Records on their way to the outbox: common fields and coding in, a callback on the loop out."""

import asyncio
import hashlib
from collections.abc import Callable, Sequence
from concurrent.futures import Future

from edge_agent.core.flow_events import Append, PassageNote, TicketNote
from edge_agent.core.tickets import counter_of
from edge_agent.outbox import (
    Appended,
    Draft,
    DropFlow,
    LocalEffect,
    Outbox,
    OutboxError,
    RaiseFloor,
    SaveFlow,
    SetPassage,
    TakeTicket,
    TicketDay,
)
from protocol.errors import RecordRefusedError
from protocol.records import KINDS, Body, Common, Person, encode, is_visit
from protocol.status_list import Scrypt
from tongban.logs import event, get

log = get("edge_agent.recorder")

OnDone = Callable[[Appended | None], None]
Stamp = Callable[[], tuple[int, int, int]]
HEAL_EVERY_MS = 5_000
_VERSIONS = {info.body: info.version for info in KINDS.values()}


class Recorder:
    """`stamp()` gives (Unix ms, time quality, ms since this boot); `boot`: 8 random bytes.

    `on_appended()` is called from the outbox's thread after each commit that holds records.
    `floor_to_keep()` gives a time floor (Unix ms) that is worth keeping with the next commit.
    """

    def __init__(
        self,
        outbox: Outbox,
        stamp: Stamp,
        boot: bytes,
        *,
        on_appended: Callable[[], None],
        floor_to_keep: Callable[[], int | None],
    ) -> None:
        self.failed = ""  # why the last append failed, empty when it did not
        self.heal_ms: int | None = None  # when `heal` is due, on the caller's clock
        self._outbox = outbox
        self._stamp = stamp
        self._boot = boot
        self._on_appended = on_appended
        self._floor_to_keep = floor_to_keep

    def append_for_visit(
        self,
        append: Append,
        flow_id: bytes,
        correlation: bytes,
        who: tuple[str, bytes] | None,
        done: OnDone,
    ) -> None:
        """What the flow engine wants durable. `who`: (day, hash) for the index, if it is kept."""
        effects: list[LocalEffect] = []
        if append.save:
            effects.append(SaveFlow(flow_id, append.save))
        if append.drop:
            effects.append(DropFlow(flow_id))
        note = append.note
        if isinstance(note, PassageNote) and who is not None:
            effects.append(SetPassage(*who, note.direction))
        if isinstance(note, TicketNote):
            assert who is not None  # the check looked them up on that day
            assert who[0] == note.day
            effects.append(TakeTicket(*who, note.matter, counter_of(note.ticket)))
        self.append(append.intent, append.bodies, correlation, done, effects)

    def append(
        self,
        intent: bytes,
        bodies: Sequence[Body],
        correlation: bytes,
        done: OnDone,
        effects: Sequence[LocalEffect] = (),
    ) -> None:
        """One durable commit; `done` is called on the event loop, with None when it failed."""
        loop = asyncio.get_running_loop()

        def resolved(future: Future[Appended]) -> None:
            error = future.exception()
            result = None if error else future.result()
            if error:
                self._note_failure(str(error))
            else:
                self.failed = ""
                if bodies:
                    self._on_appended()
            if not loop.is_closed():
                loop.call_soon_threadsafe(done, result)

        try:
            drafts = [self._draft(body, correlation) for body in bodies]
            floor_ms = self._floor_to_keep()
            floor = [RaiseFloor(floor_ms)] if floor_ms is not None else []
            self._outbox.append(intent, drafts, [*effects, *floor]).add_done_callback(resolved)
        except (OutboxError, RecordRefusedError, ValueError) as error:
            self._note_failure(str(error))
            loop.call_soon(done, None)

    def heal(self, now_ms: int) -> None:
        """While the last append failed: try in a while whether the disk takes one again."""
        if not self.failed:
            self.heal_ms = None
        elif self.heal_ms is None:
            self.heal_ms = now_ms + HEAL_EVERY_MS
        elif now_ms >= self.heal_ms:
            self.heal_ms = now_ms + HEAL_EVERY_MS
            intent = hashlib.sha256(self._boot + now_ms.to_bytes(8, "big")).digest()[:16]
            self.append(intent, (), self._boot, lambda _: None, [RaiseFloor(0)])

    def who(self, day: str, person: Person) -> bytes:
        """What stands for a person in today's index. Slow on purpose: call it in a thread."""
        return Scrypt(self._outbox.day_salt(day)).digest(person.document, person.number)

    def last_passage(self, day: str, who: bytes) -> str | None:
        """Which way this person went last on this day."""
        return self._outbox.passage(day, who)

    def ticket_day(self, day: str, who: bytes, matter: str) -> TicketDay:
        """The walk-in numbers of this day, and this person's."""
        return self._outbox.ticket_day(day, who, matter)

    def _draft(self, body: Body, correlation: bytes) -> Draft:
        at_ms, quality, mono_ms = self._stamp()
        common = Common(_VERSIONS[type(body)], at_ms, quality, mono_ms, self._boot, correlation)
        kind, coding, plaintext = encode(common, body)
        return Draft(kind, coding, plaintext, is_visit(kind, body))

    def _note_failure(self, reason: str) -> None:
        self.failed = reason
        event(log, "error", "record.not_durable", reason=reason)
