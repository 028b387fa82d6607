"""Updates on a board: messages of the agent, one small step a pass, and the self-test of a trial.

| message | does |
| --- | --- |
| UPDATE_BEGIN | takes the release, or says why not; UPDATE_STATE at every change |
| UPDATE_DATA | the next bytes of its stream |
| UPDATE_ACTIVATE | READY and nothing under way: pointer, then a reset; else stays ready, BUSY |
| UPDATE_STOP | forgets it |

Nothing is activated while an effect is open, a slip is printed, or money is on its way.
A flash write waits for the gate, and then leaves the link REST_MS to itself.

| self-test | event | does |
| --- | --- | --- |
| begun: the drivers are built | link up for HOLD_MS | next |
| flash | a file was written, read and removed | confirmed, UPDATE_SLOT |
| begun | LINK_WAIT_MS over | gives up: NO_LINK, reset |
| flash | refused | gives up: FLASH_REFUSED, reset |

A reset that comes before, of whatever cause, is a try.
"""

import gc
import os
import struct

from firmware.update.running_slot import put_away
from protocol.wire import messages
from protocol.wire import update_states as us
from protocol.wire.ticks import add, diff

TYPE_CHECKING = False  # MicroPython has no typing; checkers take the name as true
if TYPE_CHECKING:
    from typing import Any

REST_MS = 20
HOLD_MS = 3000
LINK_WAIT_MS = 300_000
PROBE_FILE = "selftest.tmp"
NEED_BYTES = 4096 * struct.calcsize("P")
"""Free memory without which no release is received: its modules, a room of the stream, the numbers
of a signature, and as much again for those who are served meanwhile."""
_IDLE_MS = 1000
_RESET_MS = 300  # the word that it activates is to reach the agent


class _Told:
    """What is told of a release that is not being received: it was refused, or it is ready, or
    there is none."""

    has_work = False
    room_is_empty = True

    def __init__(self, release=0, state=us.UPDATE_NONE, reason=us.REASON_NONE, offset=0):
        self.release = release
        self.state = state
        self.reason = reason
        self.offset = offset

    def take(self, offset, chunk):
        """On its way when this ended."""


class Updates:
    """Ticks like a driver. `running` is the RunningSlot; `board` the name of the description;
    `folder` where data lies.
    """

    def __init__(self, server, running, board, folder, reset, now):
        self._server = server
        self._running = running
        self._board = board
        self._folder = folder
        self._reset = reset
        self._begun = self._step_from = now
        self._link = server.link
        self._ups = 0
        self._up_since: "int | None" = None
        self._reset_at: "int | None" = None
        self._told: "Any" = None
        self._changed = False  # the slot is to be told
        self._receiver: "Any" = _Told()  # while one is received, the Receiver
        self._key = None if running.on_trial else running.next_key()
        put_away()
        server.introduce(running.lines())
        server.serve(messages.UPDATE_BEGIN, self._begin)
        server.serve(messages.UPDATE_DATA, self._data)
        server.serve(messages.UPDATE_ACTIVATE, self._activate)
        server.serve(messages.UPDATE_STOP, self._stop)

    def tick(self, now):
        self._look_at_link(now)
        if self._reset_at is not None:
            if diff(now, self._reset_at) >= 0:
                self._reset()
            return
        if self._receiver.has_work:
            self._take_step(now)
        if self._running.on_trial:
            self._test_self(now)
        elif self._key is not None and self._server.flash_gate.is_open(now, now):
            self._keep_key()
        self._tell()

    def deadline(self, now):
        """Milliseconds until something is to be done."""
        if self._receiver.has_work or self._reset_at is not None or self._key is not None:
            return 1
        return _IDLE_MS

    # ---- messages

    def _begin(self, fields, tail, now):
        release, stream_bytes, manifest_bytes = fields
        if self._running.on_trial:
            self._end(release, us.UPDATE_REFUSED, us.NOT_CONFIRMED)
        else:
            self._end()
            try:
                self._receiver = self._new_receiver()
                self._receiver.begin(release, stream_bytes, manifest_bytes)
            except MemoryError:
                self._end(release, us.UPDATE_REFUSED, us.NO_MEMORY)
            else:
                self._end_if_over()
        self._told = None

    def _new_receiver(self):
        gc.collect()
        if hasattr(gc, "mem_free") and gc.mem_free() < NEED_BYTES:
            raise MemoryError
        from firmware.update.receiver import Receiver  # noqa: PLC0415 - only while it is used

        running = self._running
        return Receiver(running.root, running.other, self._board, running.version, running.floor)

    def _end_if_over(self):
        """A release that is refused or ready needs no receiver any more."""
        receiver = self._receiver
        if receiver.state in (us.UPDATE_READY, us.UPDATE_REFUSED) and not receiver.has_work:
            self._end(receiver.release, receiver.state, receiver.reason, receiver.offset)

    def _end(self, *told):
        """Nothing is received from now on; what is on flash stays."""
        if not isinstance(self._receiver, _Told):
            self._receiver.stop()
        self._receiver = _Told(*told)
        put_away()

    def _data(self, fields, tail, now):
        self._receiver.take(fields[0], tail)

    def _activate(self, fields, tail, now):
        receiver = self._receiver
        if receiver.state != us.UPDATE_READY or receiver.release != fields[0]:
            self._told = None
            return
        if self._server.is_busy():
            self._emit(us.UPDATE_READY, us.BUSY)
            return
        try:
            self._running.activate(receiver.release)
        except OSError:
            self._end(receiver.release, us.UPDATE_REFUSED, us.FLASH_REFUSED)
            return
        except MemoryError:
            self._end(receiver.release, us.UPDATE_REFUSED, us.NO_MEMORY)
            return
        finally:
            put_away()
        self._emit(us.UPDATE_ACTIVATING, us.REASON_NONE)
        self._reset_at = add(now, _RESET_MS)

    def _stop(self, fields, tail, now):
        if self._receiver.release == fields[0]:
            self._end()

    # ---- telling

    def _look_at_link(self, now):
        link = self._server.link
        if not link.up:
            self._up_since = None
        elif self._up_since is None or link is not self._link or link.stats.ups != self._ups:
            self._link = link
            self._ups = link.stats.ups
            self._up_since = now
            self._end()
            self._told = None
            self._changed = True

    def _tell(self):
        if not self._server.link.up:
            return
        if self._changed:
            self._changed = False
            self._server.outbound.emit(messages.UPDATE_SLOT, *self._running.fields)
        receiver = self._receiver
        told = (receiver.release, receiver.state, 0)
        if receiver.state == us.UPDATE_RECEIVING:
            if not receiver.room_is_empty:
                return
            told = (receiver.release, receiver.state, receiver.offset)
        if told != self._told:
            self._told = told
            self._emit(receiver.state, receiver.reason)

    def _emit(self, state, reason):
        receiver = self._receiver
        self._server.outbound.emit(
            messages.UPDATE_STATE, receiver.release, state, reason, receiver.offset
        )

    # ---- steps

    def _take_step(self, now):
        receiver = self._receiver
        try:
            if not receiver.writes:
                receiver.step()
            elif diff(now, self._step_from) >= 0 and self._server.flash_gate.is_open(now, now):
                receiver.step()
                self._step_from = add(now, REST_MS)
        except MemoryError:
            self._end(receiver.release, us.UPDATE_REFUSED, us.NO_MEMORY)
        else:
            self._end_if_over()

    def _keep_key(self):
        key, self._key = self._key, None
        try:
            self._running.keep_key(key)
        except OSError:
            pass  # the next start tries again

    def _test_self(self, now):
        if self._up_since is None:
            if diff(now, self._begun) >= LINK_WAIT_MS:
                self._give_up(us.NO_LINK, now)
            return
        if diff(now, self._up_since) < HOLD_MS or not self._server.flash_gate.is_open(now, now):
            return
        try:
            self._probe_flash()
            self._running.confirm()
        except OSError:
            self._give_up(us.FLASH_REFUSED, now)
            return
        self._changed = True
        self._key = self._running.next_key()
        put_away()
        self._server.introduce(self._running.lines())

    def _probe_flash(self):
        path = self._folder + "/" + PROBE_FILE
        with open(path, "wb") as file:
            file.write(self._running.release.to_bytes(8, "big"))
        with open(path, "rb") as file:
            if int.from_bytes(file.read(9), "big") != self._running.release:
                raise OSError(5)  # EIO
        os.remove(path)

    def _give_up(self, reason, now):
        try:
            self._running.give_up(reason)
        except OSError:
            pass  # the tries that are left end the same way
        self._reset_at = now
