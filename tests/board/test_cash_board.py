"""Whole firmware with a bill acceptor: every named fault, lost power, lost agents, the money."""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path

from protocol.wire import messages, states
from simulator.devices import bank_notes
from simulator.devices.ccnet_acceptor import CcnetAcceptor
from tests.board.cash_scenes import SCENES, CashTerminal
from tests.board.terminal_scene import play, terminal

CLOCK_RATE = 2
SCENES_S_MAX = 120


def on_board(image: Path, folder: Path, act: Callable[[CashTerminal], Awaitable[None]]) -> None:
    """One terminal whose acceptor is online; at the end the money must be right."""

    async def scene() -> None:
        async with terminal(image, folder, clock_rate=CLOCK_RATE) as t:
            c = CashTerminal(t)
            await c.state(states.ONLINE)
            await act(c)
            c.check()

    play(scene, SCENES_S_MAX)


def test_every_named_fault_has_a_scene() -> None:
    assert set(SCENES) == set(CcnetAcceptor.FAULTS)


def test_each_fault_is_told_and_nothing_is_lost(image: Path, tmp_path: Path) -> None:
    async def act(c: CashTerminal) -> None:
        for scene in dict.fromkeys(SCENES.values()):
            try:
                await scene(c)
            except Exception as error:
                error.add_note(f"scene: {scene.__name__}")
                raise
            c.t.cash.faults.clear()
        assert c.t.board.resets == 0

    on_board(image, tmp_path, act)


def test_a_note_lives_through_lost_power_of_the_board(image: Path, tmp_path: Path) -> None:
    async def act(c: CashTerminal) -> None:
        await c.open()
        await c.escrow(50)
        await c.t.lose_power()
        note, *_, state, _, _ = await c.expect(messages.CASH_NOTE)
        assert state in (states.NOTE_ESCROW, states.NOTE_RETURNED)
        if state == states.NOTE_ESCROW:
            await c.ends(note, states.NOTE_RETURNED)
        await c.state(states.ONLINE)
        await c.open()
        note = await c.stack(100)
        await c.note_in(states.NOTE_STACKING)
        await c.t.lose_power()
        await c.ends(note, states.NOTE_STACKED)
        await c.works()
        assert c.t.cash.book.yuan(bank_notes.HAND) == 50

    on_board(image, tmp_path, act)


def test_a_note_lives_through_lost_power_of_the_acceptor(image: Path, tmp_path: Path) -> None:
    async def act(c: CashTerminal) -> None:
        await c.open()
        note = await c.escrow(50)
        c.t.cash.power_cut()
        await c.ends(note, states.NOTE_RETURNED)
        await c.state(states.ONLINE)
        note = await c.stack(20)
        while not c.t.cash.book.at(bank_notes.CASSETTE):
            await asyncio.sleep(0.005)
        c.t.cash.power_cut()
        await c.ends(note, states.NOTE_STACKED)
        await c.works()

    on_board(image, tmp_path, act)


def test_an_agent_that_is_gone_gets_no_more_notes(image: Path, tmp_path: Path) -> None:
    async def act(c: CashTerminal) -> None:
        await c.open()
        await c.escrow(50)
        await c.t.probe.vanish()
        async with asyncio.timeout(30):
            while not c.t.cash.book.at(bank_notes.HAND) or c.t.cash.enabled:
                await asyncio.sleep(0.02)

    on_board(image, tmp_path, act)
