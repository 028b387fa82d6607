"""One terminal of the cash sweep in one process: board, agent, acceptor, a person, an officer.

The clock jumps to what is due next. Every flash write of the board, every frame between board and
acceptor, every message between board and agent and every commit of the agent is a moment; at the
moments in `cuts` the parts named there lose their power, each for its own while, and come back.
"""

from collections.abc import Collection, Mapping
from pathlib import Path

from edge_agent.core import cash_events as cx
from simulator.devices import bill_mechanism as device
from simulator.devices.bill_mechanism import AcceptorTiming
from simulator.devices.ccnet_acceptor import CcnetAcceptor
from simulator.sweep.cash_agent import SweepAgent
from simulator.sweep.cash_board import SweepBoard
from simulator.sweep.cash_scripts import OFFICER_MS, Script
from simulator.sweep.firmware_space import FirmwareSpace

BOARD, AGENT, ACCEPTOR = "board", "agent", "acceptor"
PARTS = (BOARD, AGENT, ACCEPTOR)
ACCEPTOR_OFF_MS = 700
SETTLE_MS_MAX = 900_000
STOP_AFTER_MS = 1000
TIMING = AcceptorTiming(
    init_ms=300, accept_ms=250, reject_ms=300, stack_ms=450, return_ms=300, answer_ms=(3, 3)
)
PAYMENT = b"\x00payment"
SESSION = 0x51
ALL_NOTES = 0x3F
_CALM = (device.IDLING, device.DISABLED, device.FULL)


class CashWorld:
    """`run()` plays the script to its end and until everything is at rest."""

    def __init__(
        self,
        script: Script,
        space: FirmwareSpace,
        folder: Path,
        empty: bytes,
        *,
        cuts: Mapping[int, Collection[str]] | None = None,
    ) -> None:
        self.script = script
        self.now = 1000
        self.moments = 0
        self.cuts = cuts or {}
        self.acceptor = CcnetAcceptor(
            timing=TIMING,
            table=script.table,
            cassette_notes=script.full_after,
            credit_recovery=script.credit_recovery,
        )
        for fault in script.faults:
            self.acceptor.faults.add(fault, 1)
        self.board = SweepBoard(space, self, self._clock)
        self.agent = SweepAgent(folder, empty, self, self._clock)
        self._acceptor_back_ms: int | None = None
        self._to_agent = b""
        self._person = Person(self)

    def close(self) -> None:
        """Let go of the disk."""
        if self.agent.is_up:
            self.agent.outbox.close()

    def _clock(self) -> int:
        return self.now

    # ---- power

    def moment(self, what: str, of: str) -> bool:  # noqa: ARG002 - told for whoever debugs
        """One more moment; True when `of` loses its power now."""
        self.moments += 1
        cut = self.cuts.get(self.moments, ())
        for part in cut:
            if part != of:
                self.lose_power(part)
        return of in cut

    def lose_power(self, part: str) -> None:
        """It comes back by itself."""
        if part == ACCEPTOR:
            self.acceptor.faults.add("power_off")
            self.acceptor.poll(self.now)
            self._acceptor_back_ms = self.now + ACCEPTOR_OFF_MS
        elif part == BOARD:
            self.board.lose_power()
        else:
            self.agent.lose_power()

    # ---- time

    def run(self) -> bool:
        """Whether everything came to rest."""
        end = self.now + SETTLE_MS_MAX
        while self.now < end:
            self._step()
            if self._is_at_rest():
                return True
        return False

    def _step(self) -> None:
        self._return_power()
        self._device_to_board()
        if self.board.app is not None and (self.board.wake_ms <= self.now or self._has_bytes()):
            self.board.run()
        if self.board.app is not None:
            self._board_to_others()
        if self.agent.is_up:
            if self._to_agent or self.agent.wake_ms <= self.now:
                received, self._to_agent = self._to_agent, b""
                self.agent.run(received)
        else:
            self._to_agent = b""
        self._person.act()
        if self.agent.is_up:
            self.board.link.rx += self.agent.pull()
        self.now = max(self.now + 1, self._next_ms())

    def _next_ms(self) -> int:
        moments: list[float | None] = [self._person.wake_ms, self._acceptor_back_ms]
        moments.append(self.acceptor.next_ms(self.now))
        for part in (self.board, self.agent):
            moments.append(part.wake_ms if part.back_ms is None else part.back_ms)
        if self.board.app is not None and self._has_bytes():
            return self.now
        return int(min(at for at in moments if at is not None) + 0.999)

    def _return_power(self) -> None:
        if self._acceptor_back_ms is not None and self._acceptor_back_ms <= self.now:
            self._acceptor_back_ms = None
            self.acceptor.faults.remove("power_off")
        for part in (self.board, self.agent):
            if part.back_ms is not None and part.back_ms <= self.now:
                part.boot()

    # ---- lines

    def _has_bytes(self) -> bool:
        return bool(self.board.link.rx or self.board.cash.rx)

    def _device_to_board(self) -> None:
        data = self.acceptor.poll(self.now)
        if not data:
            return
        if self.moment("frame of the acceptor", ACCEPTOR):
            self.lose_power(ACCEPTOR)
        elif self.board.app is not None:
            self.board.cash.rx += data

    def _board_to_others(self) -> None:
        board = self.board
        data, board.cash.tx = bytes(board.cash.tx), bytearray()
        if data:
            self.acceptor.receive(data, self.now)
        self._to_agent += bytes(board.link.tx)
        board.link.tx.clear()

    # ---- the end

    def _is_at_rest(self) -> bool:
        agent = self.agent
        return (
            self._person.is_gone
            and self._acceptor_back_ms is None
            and agent.is_up
            and not agent.desk.payments
            and not agent.desk.waiting
            and self.board.is_settled
            and self.acceptor.state in _CALM
        )


class Person:
    """Pays by the script, and after it the officer who opens the machine when it stands still."""

    def __init__(self, world: CashWorld) -> None:
        self._world = world
        self._script = world.script
        self._left = list(world.script.notes)
        self._screen: object = None  # the desk that began the payment
        self._quiet_ms = 0
        self.is_gone = False
        self.wake_ms: int | None = None

    def act(self) -> None:
        """What this person does now."""
        self.wake_ms = None
        if self.is_gone:
            self._officer()
        elif self._screen is None:
            self._begin()
        elif not self._world.agent.is_up or self._world.agent.desk is not self._screen:
            self.is_gone = True  # the screen was dark
        elif self._world.agent.ended is not None:
            self.is_gone = True
        else:
            self._pay()

    def _begin(self) -> None:
        world = self._world
        if not world.agent.is_up or not world.agent.desk.can_take or not world.board.takes_notes:
            return
        self._screen = world.agent.desk
        order = cx.Order(PAYMENT, SESSION, "fee", 1, self._script.due_yuan * 100, ALL_NOTES)
        world.agent.begin(order)

    def _pay(self) -> None:
        world, progress = self._world, self._world.agent.progress
        if progress is None or not progress.open:
            return
        inserted = len(self._script.notes) - len(self._left)
        in_escrow = world.acceptor.state in (device.ESCROW, device.HOLDING)
        if self._script.stop_in_escrow == inserted - 1 and in_escrow:
            world.agent.stop(PAYMENT)
        elif world.acceptor.state != device.IDLING or (progress.busy and not self._script.quick):
            self._quiet_ms = world.now
        elif self._left and progress.paid_fen < self._script.due_yuan * 100:
            if world.acceptor.insert_note(self._left[0]):
                self._left.pop(0)
            self._quiet_ms = world.now
        elif world.now - self._quiet_ms >= STOP_AFTER_MS:
            world.agent.stop(PAYMENT)
        else:
            self.wake_ms = self._quiet_ms + STOP_AFTER_MS

    def _officer(self) -> None:
        """Opens the machine when it stands still, changes the cassette when all is written."""
        world = self._world
        acceptor = world.acceptor
        stands = acceptor.state in (device.JAMMED, device.CASSETTE_JAMMED)
        if stands and acceptor.note is not None:
            if self._quiet_ms + OFFICER_MS <= world.now:
                acceptor.clear_jam()
            else:
                self.wake_ms = self._quiet_ms + OFFICER_MS
        else:
            self._quiet_ms = world.now
