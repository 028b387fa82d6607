"""Carries a release to the board in the background, and has it activated when nobody is served.

| stage | event | next | does |
| --- | --- | --- | --- |
| NOTHING | `offer` | WAITING | |
| WAITING | the board tells its slot | ASKED | UPDATE_BEGIN |
| ASKED, SENDING | RECEIVING from an offset | SENDING | UPDATE_DATA, as credit and pace allow |
| ASKED, SENDING | CHECKING | CHECKING | |
| ASKED to CHECKING | READY | READY | |
| READY | idle for IDLE_MS, and AGAIN_MS since the last BUSY | ACTIVATING | UPDATE_ACTIVATE |
| ACTIVATING | READY, BUSY | READY | |
| any | slot runs it on trial | TRIAL | |
| any | slot runs it, confirmed | DONE | told |
| ACTIVATING, TRIAL | slot says that it failed | FAILED | told |
| ASKED to ACTIVATING | REFUSED, not confirmed yet | WAITING | asks again after RETRY_MS |
| ASKED to ACTIVATING | REFUSED | FAILED | told |
| WAITING | the board has no slots | FAILED | told |
| ASKED to READY | link down | WAITING | |
| ACTIVATING | link up, the old slot runs, nothing failed | ASKED | UPDATE_BEGIN |

Pace: a bucket of one frame, filled with SERVING_SHARE of the line's bytes while somebody is served,
IDLE_SHARE else. Times are ticks. No I/O: bytes of the release come from `Offer.read`.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from edge_agent.core import board_events as bx
from protocol.wire import messages
from protocol.wire import update_states as us
from protocol.wire.frames import encoded_max
from protocol.wire.ticks import diff

NOTHING, WAITING, ASKED, SENDING = "nothing", "waiting", "asked", "sending"
CHECKING, READY, ACTIVATING, TRIAL = "checking", "ready", "activating", "trial"
DONE, FAILED = "done", "failed"

LINE_BYTES_S = 92_160  # 921600 baud, 8N1
SERVING_SHARE = 0.2
IDLE_SHARE = 0.8
CHUNK_BYTES = 256
IDLE_MS = 5_000
AGAIN_MS = 5_000
RETRY_MS = 30_000
_CARRIES = (ASKED, SENDING, CHECKING, READY, ACTIVATING)
_ACTIVATED = (ACTIVATING, TRIAL)


@dataclass(frozen=True)
class Offer:
    """A release to carry. `read(offset, count)` gives bytes of its stream. `activated`: an earlier
    life of the agent had the board switch to it."""

    release: int
    version: int
    stream_bytes: int
    manifest_bytes: int
    read: Callable[[int, int], bytes]
    activated: bool = False


class BoardUpdate:
    """`ended(release, reason)` is called when it is DONE (0) or FAILED."""

    def __init__(self, ended: Callable[[int, int], None]) -> None:
        self.stage = NOTHING
        self.reason = us.REASON_NONE
        self.offset = 0
        self.offer: Offer | None = None
        self._ended = ended
        self._slot: bx.UpdateSlot | None = None
        self._has_slots = False
        self._up = False
        self._now = 0
        self._to_say: bytes | None = None
        self._told = 0  # the offset that the board told last
        self._idle = False
        self._idle_since: int | None = None
        self._again_at: int | None = None
        self._bucket = 0.0
        self._filled_at: int | None = None

    # ---- what the terminal calls

    def begin(self, offer: Offer) -> None:
        """Carry this one; what was under way is given up."""
        self.offer = offer
        self.reason = us.REASON_NONE
        self.offset = 0
        self.stage = ACTIVATING if offer.activated else WAITING
        self._again_at = None
        self._look_at_slot()

    def link_up(self, info: Mapping[str, str]) -> None:
        """The board is there; UPDATE_SLOT follows when it has slots."""
        self._up = True
        self._slot = None
        self._has_slots = "slot" in info
        if not self._has_slots and self.stage in (WAITING, *_ACTIVATED):
            self._end(FAILED, us.NO_SLOTS)

    def link_down(self) -> None:
        """The board is gone."""
        self._up = False
        self._slot = None
        self._to_say = None
        if self.stage in (ASKED, SENDING, CHECKING, READY):
            self.stage = WAITING

    def on_slot(self, said: bx.UpdateSlot) -> None:
        """What runs on the board."""
        self._slot = said
        self._look_at_slot()

    def on_state(self, said: bx.UpdateState) -> None:
        """What became of what was sent."""
        offer = self.offer
        if offer is None or said.release != offer.release or self.stage not in _CARRIES:
            return
        if said.state == us.UPDATE_REFUSED:
            self._refused(said.reason)
        elif said.state == us.UPDATE_RECEIVING:
            if self.stage != SENDING:
                self.offset = said.offset
            self._told = said.offset
            self.stage = SENDING
        elif said.state == us.UPDATE_CHECKING:
            self.stage = CHECKING
        elif said.state == us.UPDATE_READY:
            self.offset = offer.stream_bytes
            self.stage = READY
            self._again_at = self._now if said.reason == us.BUSY else None

    def tick(self, now: int, *, idle: bool) -> None:
        """`idle`: nobody is served, no money is between two hands, nobody calls for help."""
        self._now = now
        if idle and not self._idle:
            self._idle_since = now
        self._idle = idle
        if self.stage == WAITING:
            self._look_at_slot()
        elif self.stage == READY and self._may_activate() and self.offer is not None:
            self._to_say = messages.pack(messages.UPDATE_ACTIVATE, self.offer.release)
            self.stage = ACTIVATING

    def next_message(self, now: int) -> bytes | None:
        """What is to go out now; asked only when nothing else waits for the link."""
        self._fill(now)
        message, self._to_say = self._to_say, None
        if message is None and self.stage == SENDING:
            message = self._chunk()
        return message

    def wait_ms(self, most: int) -> int:
        """Milliseconds until `tick` or `next_message` may have something to do, at most `most`."""
        if self.stage == SENDING and self._room() > 0:
            rate = LINE_BYTES_S * (IDLE_SHARE if self._idle else SERVING_SHARE) / 1000
            return max(1, min(most, int((encoded_max(CHUNK_BYTES) - self._bucket) / rate)))
        return min(most, 250) if self.stage in (READY, WAITING) else most

    # ---- deciding

    def _look_at_slot(self) -> None:
        offer, slot = self.offer, self._slot
        if offer is None or slot is None or self.stage in (NOTHING, DONE, FAILED):
            return
        if slot.release == offer.release:
            if slot.state == us.SLOT_CONFIRMED:
                self._end(DONE, us.REASON_NONE)
            else:
                self.stage = TRIAL
        elif self.stage in _ACTIVATED and slot.failed == offer.release:
            self._end(FAILED, slot.reason)
        elif self.stage in (WAITING, *_ACTIVATED) and self._may_ask():
            size, head = offer.stream_bytes, offer.manifest_bytes
            self._to_say = messages.pack(messages.UPDATE_BEGIN, offer.release, size, head)
            self.stage = ASKED

    def _may_ask(self) -> bool:
        return self._again_at is None or diff(self._now, self._again_at) >= RETRY_MS

    def _may_activate(self) -> bool:
        if not self._idle or self._idle_since is None:
            return False
        if self._again_at is not None and diff(self._now, self._again_at) < AGAIN_MS:
            return False
        return diff(self._now, self._idle_since) >= IDLE_MS

    def _refused(self, reason: int) -> None:
        if reason == us.NOT_CONFIRMED:
            self.stage = WAITING
            self._again_at = self._now
        else:
            self._end(FAILED, reason)

    def _end(self, stage: str, reason: int) -> None:
        assert self.offer is not None
        self.stage = stage
        self.reason = reason
        self._to_say = None
        self._ended(self.offer.release, reason)

    # ---- pace

    def _fill(self, now: int) -> None:
        since = now if self._filled_at is None else self._filled_at
        share = IDLE_SHARE if self._idle else SERVING_SHARE
        earned = max(0, diff(now, since)) * LINE_BYTES_S * share / 1000
        self._bucket = min(float(encoded_max(CHUNK_BYTES)), self._bucket + earned)
        self._filled_at = now

    def _room(self) -> int:
        """Bytes of the stream that may go out now, pace apart."""
        if self.offer is None:
            return 0
        end = min(self._told + us.ROOM_BYTES, self.offer.stream_bytes)
        return end - self.offset

    def _chunk(self) -> bytes | None:
        offer = self.offer
        assert offer is not None
        count = min(CHUNK_BYTES, self._room())
        cost = encoded_max(CHUNK_BYTES)
        if count <= 0 or self._bucket < cost:
            return None
        self._bucket -= cost
        data = offer.read(self.offset, count)
        message = messages.pack(messages.UPDATE_DATA, self.offset, tail=data)
        self.offset += count
        return message
