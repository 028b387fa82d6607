"""Help asked for on the screen, and what it shows: the part between desk, board and disk."""

import asyncio
import random
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path

import pytest

from edge_agent.core import board_events as bx
from edge_agent.core import help_events as hx
from edge_agent.core.board_session import BoardSession
from edge_agent.core.help_desk import ANSWERED_MS, CALL_MS_MAX
from edge_agent.core.screen import HELP_ANSWERED, HELP_CALLED, HELP_NONE
from edge_agent.help_calls import HelpCalls
from edge_agent.outbox import Outbox
from edge_agent.recorder import Recorder
from edge_agent.visits import Clock
from protocol.wire import messages
from tests.agent.fake_board import FakeBoard, Wire
from tests.agent.outbox_guards import Entropy, open_outbox

WALL_MS = 1_790_000_000_000
STEP_MS = 200


class Kiosk:
    """A terminal's part for help, on a wire in virtual time; records on a real outbox."""

    def __init__(self, outbox: Outbox) -> None:
        self.outbox = outbox
        self.board = FakeBoard()
        self.session = BoardSession(random.Random(7).randbytes, b"agent=test\n", self._on_board)
        self.wire = Wire(self.session, self.board)
        self.said: list[str] = []
        self.states: list[str] = []
        self.changes = 0
        self.skipped_ms = 0
        recorder = Recorder(
            outbox,
            lambda: (WALL_MS, 0, self.mono_ms()),
            bytes(8),
            on_appended=lambda: None,
            floor_to_keep=lambda: None,
        )
        self.calls = HelpCalls(
            outbox,
            recorder,
            self.session,
            Clock(self.mono_ms, lambda: WALL_MS + self.mono_ms(), Entropy()),
            say=self.said.append,
            on_state=self.states.append,
            changed=self._changed,
        )

    def mono_ms(self) -> int:
        return self.wire.now + self.skipped_ms

    def _changed(self) -> None:
        self.changes += 1

    def _on_board(self, said: bx.BoardEvent) -> None:
        if isinstance(said, bx.LinkUp):
            self.calls.board_is_up(said)
        elif isinstance(said, bx.Happened):
            self.calls.on_event(said)

    async def run(self, ms: int = STEP_MS) -> None:
        """Time on the wire, and what the disk has done meanwhile."""
        self.wire.run(ms)
        for _ in range(2):
            await asyncio.to_thread(self.outbox.take_command(0).result)  # after all that waited
            await asyncio.sleep(0.005)
        self.wire.run(ms)

    def skip(self, ms: int) -> None:
        self.skipped_ms += ms
        self.calls.on_time()

    def kinds(self) -> list[int]:
        """Kinds of all records."""
        rows = self.outbox.pending(0, 100)
        return [row.kind for row in rows.rows] if rows else []


Scene = Callable[[Kiosk], Awaitable[None]]


@pytest.fixture
def outbox(tmp_path: Path) -> Iterator[Outbox]:
    made = open_outbox(tmp_path / "outbox.db")
    yield made
    made.close()


def play(outbox: Outbox, scene: Scene) -> Kiosk:
    async def run() -> Kiosk:
        kiosk = Kiosk(outbox)
        await scene(kiosk)
        return kiosk

    return asyncio.run(run())


def test_the_screens_key_rings_the_hall_and_is_answered_at_the_desk(outbox: Outbox) -> None:
    async def scene(kiosk: Kiosk) -> None:
        await kiosk.run(2_000)
        kiosk.calls.asked()
        assert kiosk.states == [HELP_CALLED]  # at once
        await kiosk.run()
        [(number, age_ms), *_] = kiosk.board.rung
        assert number >= hx.OWN_NUMBERS
        assert age_ms < STEP_MS
        assert kiosk.said == [hx.RINGS]
        kiosk.board.answer_at_desk(3, number, 2_000)
        await kiosk.run()
        assert kiosk.said == [hx.RINGS, hx.ANSWERED]
        assert kiosk.board.events == {}
        assert kiosk.kinds() == [4, 8]
        kiosk.skip(ANSWERED_MS)
        assert kiosk.states == [HELP_CALLED, HELP_ANSWERED, HELP_NONE]

    assert play(outbox, scene).changes


def test_without_a_board_the_call_is_recorded_and_no_bell_is_claimed(outbox: Outbox) -> None:
    async def scene(kiosk: Kiosk) -> None:
        kiosk.calls.asked()
        await kiosk.run(20)
        assert kiosk.said == [hx.RECORDED]
        assert kiosk.kinds() == [4]
        await kiosk.run(2_000)  # the board comes: it rings for the call that is open
        assert len(kiosk.board.rung) == 1
        kiosk.calls.asked()
        await kiosk.run()
        assert kiosk.said == [hx.RECORDED, hx.RINGS]
        assert kiosk.kinds() == [4]

    play(outbox, scene)


def test_a_board_that_lost_its_link_is_not_said_to_ring(outbox: Outbox) -> None:
    async def scene(kiosk: Kiosk) -> None:
        await kiosk.run(2_000)
        kiosk.wire.cut = True
        await kiosk.run(5_000)
        kiosk.calls.asked()
        await kiosk.run()
        assert kiosk.said == [hx.RECORDED]

    play(outbox, scene)


def test_the_page_answers_a_call_of_the_screen_and_the_command_is_done_once(
    outbox: Outbox,
) -> None:
    async def scene(kiosk: Kiosk) -> None:
        await kiosk.run(2_000)
        kiosk.calls.asked()
        await kiosk.run()
        number = kiosk.board.rung[0][0]
        done: list[bool] = []
        for command in (5, 6):
            kiosk.calls.answered_on_page(number, command, done.append)
            await kiosk.run()
        assert done == [True, True]
        assert kiosk.board.shown_answered == [number]
        assert kiosk.said == [hx.RINGS, hx.ANSWERED]
        assert kiosk.kinds() == [4, 8]

    play(outbox, scene)


def test_the_next_life_shows_the_call_and_rings_for_it(outbox: Outbox) -> None:
    async def first(kiosk: Kiosk) -> None:
        await kiosk.run(2_000)
        kiosk.board.press_help(7)
        await kiosk.run()
        assert kiosk.said == [hx.RINGS]

    async def second(kiosk: Kiosk) -> None:
        kiosk.calls.begin()
        assert kiosk.states == [HELP_CALLED]
        await kiosk.run(2_000)
        assert [number for number, _ in kiosk.board.rung] == [7]
        assert kiosk.said == []
        assert kiosk.calls.wait_ms() is not None
        kiosk.skip(CALL_MS_MAX)
        assert kiosk.states == [HELP_CALLED, HELP_NONE]
        assert kiosk.calls.wait_ms() is None

    play(outbox, first)
    play(outbox, second)


def test_an_event_with_a_short_tail_is_an_answer_to_what_is_open(outbox: Outbox) -> None:
    async def scene(kiosk: Kiosk) -> None:
        await kiosk.run(2_000)
        kiosk.board.press_help(7)
        await kiosk.run()
        kiosk.board.send(messages.EVENT, 8, 3, 0)
        await kiosk.run()
        assert kiosk.said == [hx.RINGS, hx.ANSWERED]

    play(outbox, scene)
