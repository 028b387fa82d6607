"""Bill acceptor: what the whole firmware makes of each fault, and where the money is afterwards.

The scenes of one terminal follow one another: a board is slow to start, and an acceptor that
worked before must work again.
"""

import asyncio
from collections.abc import Awaitable, Callable

from protocol.wire import messages, states
from simulator.devices import bank_notes
from simulator.devices.ccnet_faults import FAILURES, REASONS
from tests.board.terminal_scene import Terminal

ALL_NOTES = 0x3F
WAIT_S = 20
Scene = Callable[["CashTerminal"], Awaitable[None]]
SCENES: dict[str, Scene] = {}


class CashTerminal:
    """A terminal, its open session, and what the acceptor must hold at the end."""

    def __init__(self, terminal: Terminal) -> None:
        self.t = terminal
        self.session = 0
        self.stacked_yuan = 0

    async def open(self) -> None:
        """A session in which every note is taken."""
        self.session = self.t.number()
        await self.t.probe.send(messages.CASH_ACCEPT, self.session, ALL_NOTES)
        await self.expect(messages.CASH_STATE, self.session, states.CASH_OPEN)

    async def close(self) -> None:
        await self.t.probe.send(messages.CASH_ACCEPT, self.session, 0)
        await self.expect(messages.CASH_STATE, self.session, states.CASH_CLOSED)

    async def expect(self, kind: int, *fields: int) -> tuple[int, ...]:
        message = await self.t.probe.expect(kind, *fields, timeout_s=WAIT_S)
        return tuple(message.fields)

    async def insert(self, yuan: int) -> None:
        async with asyncio.timeout(WAIT_S):
            while not self.t.cash.insert_note(yuan):
                await asyncio.sleep(0.01)

    async def escrow(self, yuan: int) -> int:
        """The number of a note that is held."""
        await self.insert(yuan)
        note, *rest = await self.note_in(states.NOTE_ESCROW)
        assert rest == [self.session, yuan, states.NOTE_ESCROW, 0, 0]
        return note

    async def note_in(self, state: int) -> tuple[int, ...]:
        """The next CASH_NOTE with this state; what was told before it is passed over."""
        while True:
            fields = await self.expect(messages.CASH_NOTE)
            if fields[3] == state:
                return fields

    async def stack(self, yuan: int) -> int:
        """The same, told to be taken."""
        note = await self.escrow(yuan)
        await self.t.probe.send(messages.CASH_STACK, note)
        return note

    async def ends(self, note: int, state: int) -> tuple[int, int]:
        """Its end must be this; (place, reason). It is acknowledged."""
        while True:
            _, _, yuan, told, place, reason = await self.expect(messages.CASH_NOTE, note)
            if told in states.NOTE_ENDS:
                assert told == state
                await self.t.probe.send(messages.CASH_ACK, note)
                self.stacked_yuan += yuan if state == states.NOTE_STACKED else 0
                return place, reason

    async def pay(self, yuan: int = 20) -> None:
        """A note from hand to cassette."""
        await self.ends(await self.stack(yuan), states.NOTE_STACKED)

    async def state(self, state: int, detail: int = 0) -> None:
        await self.t.probe.expect_device(states.CASH_ACCEPTOR, state, detail, WAIT_S)

    async def refused(self) -> None:
        """The board has ended the session by itself."""
        await self.expect(messages.CASH_STATE, self.session, states.CASH_REFUSED)

    async def works(self) -> None:
        """It works again, in a session of its own."""
        await self.state(states.ONLINE)
        await self.open()
        await self.pay()

    def check(self) -> None:
        """What was credited lies in the cassette, and nothing else."""
        boxes = (bank_notes.CASSETTE, bank_notes.COLLECTED)
        assert self.t.cash.book.yuan(*boxes) == self.stacked_yuan


def scene(*faults: str) -> Callable[[Scene], Scene]:
    """Register a scene for these faults."""

    def register(play: Scene) -> Scene:
        for fault in faults:
            assert fault not in SCENES, f"two scenes for {fault}"
            SCENES[fault] = play
        return play

    return register


@scene("silence", "power_off")
async def gone(c: CashTerminal) -> None:
    for fault in ("silence", "power_off"):
        await c.open()
        c.t.cash.faults.add(fault)
        await c.state(states.OFFLINE, states.DETAIL_SILENT)
        await c.refused()
        c.t.cash.faults.remove(fault)
        await c.works()


@scene(*(f"reject_{name}" for name in REASONS))
async def rejected(c: CashTerminal) -> None:
    await c.open()
    for name, code in REASONS.items():
        c.t.cash.faults.add(f"reject_{name}", 1)
        await c.insert(50)
        await c.expect(messages.CASH_REJECTED, c.session, code)
    await c.pay()
    await c.close()


@scene(*(f"failed_{name}" for name in FAILURES))
async def failed(c: CashTerminal) -> None:
    for name in FAILURES:
        await c.open()
        c.t.cash.faults.add(f"failed_{name}")
        await c.state(states.HARDWARE_ERROR, states.ACCEPTOR_FAILED)
        await c.refused()
        c.t.cash.faults.remove(f"failed_{name}")
        c.t.cash.power_cut()  # quicker than the next RESET
        await c.state(states.ONLINE)
    await c.works()


@scene("jam_in_validator")
async def jam_in_validator(c: CashTerminal) -> None:
    await c.open()
    c.t.cash.faults.add("jam_in_validator", 1)
    await c.insert(50)
    note, session, yuan, _, *why = await c.note_in(states.NOTE_CASE)
    assert (session, yuan) == (c.session, 0)
    assert why == [states.PLACE_VALIDATOR, states.BILL_JAMMED]
    await c.t.probe.send(messages.CASH_ACK, note)
    await c.state(states.HARDWARE_ERROR, states.BILL_JAMMED)
    await c.refused()
    c.t.cash.clear_jam()
    c.t.cash.power_cut()
    await c.works()


@scene("jam_in_cassette")
async def jam_in_cassette(c: CashTerminal) -> None:
    await c.open()
    c.t.cash.faults.add("jam_in_cassette", 1)
    end = await c.ends(await c.stack(50), states.NOTE_CASE)
    assert end == (states.PLACE_PATH, states.CASSETTE_JAMMED)
    await c.state(states.HARDWARE_ERROR, states.CASSETTE_JAMMED)
    c.t.cash.clear_jam()
    c.t.cash.power_cut()
    await c.works()


@scene("cheated")
async def cheated(c: CashTerminal) -> None:
    await c.open()
    c.t.cash.faults.add("cheated", 1)
    end = await c.ends(await c.stack(50), states.NOTE_CASE)
    assert end == (states.PLACE_ANYWHERE, states.CHEATED)
    await c.works()  # a RESET ended it


@scene("cassette_full")
async def cassette_full(c: CashTerminal) -> None:
    await c.open()
    note = await c.stack(50)
    c.t.cash.faults.add("cassette_full")
    await c.ends(note, states.NOTE_STACKED)
    await c.state(states.USER_ERROR, states.CASSETTE_FULL)
    await c.refused()
    c.t.cash.remove_cassette()
    await c.state(states.USER_ERROR, states.CASSETTE_OUT)
    c.t.cash.insert_cassette()
    await c.works()


@scene("second_bill")
async def second_bill(c: CashTerminal) -> None:
    await c.open()
    c.t.cash.faults.add("second_bill")
    await c.state(states.USER_ERROR, states.SECOND_BILL)
    c.t.cash.faults.remove("second_bill")
    await c.state(states.ONLINE)
    await c.pay()  # the session went on
    await c.close()


@scene("wrong_crc", "wrong_crc_stacked", "lost_reply", "lost_ack", "noise", "naks", "busy")
async def bad_line(c: CashTerminal) -> None:
    await c.open()
    for fault in ("wrong_crc", "wrong_crc_stacked", "lost_reply", "lost_ack", "noise", "naks"):
        c.t.cash.faults.add(fault, 2)
        await c.pay(10)
    c.t.cash.faults.add("busy", 2)
    await c.pay(5)
    await c.close()
    await c.state(states.ONLINE)
