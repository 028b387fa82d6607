"""Somebody at the terminal of an emulated board who does what a test asks for, by hand alone: sees
lamp and slip, hears the voice, presses, walks, shows a card."""

import asyncio
import contextlib
import re
from collections.abc import Mapping
from typing import Any

from simulator.board.board import Board
from simulator.devices.cards import Card, citizen_card

LOOK_S = 0.05
LAMP_WAS_OFF_S = 1.0
BETWEEN_PRESSES_S = 0.6
CARD_LIES_S, CARD_LIFTED_S = 3.0, 1.0
_COUNTS = {"一": 1, "两": 2, "三": 3}
_ASKED = re.compile("请按([一两三])下求助按钮")
CARD = citizen_card("样例甲", "441900190001010027")


class EmulatedPerson:
    """`devices` as the board has them. `card` is put on the reader and lifted in turn."""

    def __init__(self, board: Board, devices: Mapping[str, Any], card: Card = CARD) -> None:
        self._board = board
        self._devices = devices
        self._card = card
        self._card_lies = False
        self._heard = 0
        self._lamp_off_since: float | None = 0.0
        self._pressing: asyncio.Task[None] | None = None
        self._task = asyncio.create_task(self._live())

    async def leave(self) -> None:
        """Go home."""
        for task in (self._task, self._pressing):
            if task is not None:
                task.cancel()
                with contextlib.suppress(asyncio.CancelledError):
                    await task

    async def _live(self) -> None:
        while True:
            self._show_card()
            self._listen()
            self._read_slips()
            self._look_at_lamp()
            gate = self._devices.get("gate")
            if gate is not None and gate.is_open:
                gate.walk_through()
            await asyncio.sleep(LOOK_S)

    def _show_card(self) -> None:
        """On the reader and off again, as somebody does who waits for it to be read."""
        reader = self._devices.get("card_reader")
        if reader is None:
            return
        now = asyncio.get_running_loop().time()
        lies = now % (CARD_LIES_S + CARD_LIFTED_S) < CARD_LIES_S
        if lies and not self._card_lies:
            reader.place(self._card)
        elif self._card_lies and not lies:
            reader.lift()
        self._card_lies = lies

    def _listen(self) -> None:
        voice = self._devices.get("voice")
        if voice is None:
            return
        ended = [said for said in voice.transcript if said.ended_ms is not None]
        for said in ended[self._heard :]:
            self._obey(said.text)
        self._heard = len(ended)

    def _read_slips(self) -> None:
        printer = self._devices.get("printer")
        while printer is not None and (slip := printer.take_slip()) is not None:
            self._obey(slip.text)

    def _look_at_lamp(self) -> None:
        button = self._devices.get("help_button")
        if button is None:
            return
        now = asyncio.get_running_loop().time()
        if not button.lamp_lit:
            self._lamp_off_since = now if self._lamp_off_since is None else self._lamp_off_since
            return
        was_off, self._lamp_off_since = self._lamp_off_since, None
        if was_off is not None and now - was_off > LAMP_WAS_OFF_S:
            self._press(1)

    def _obey(self, text: str) -> None:
        asked = _ASKED.search(text)
        if asked is not None:
            self._press(_COUNTS[asked.group(1)])

    def _press(self, count: int) -> None:
        if self._pressing is None or self._pressing.done():
            self._pressing = asyncio.create_task(self._press_so_often(count))

    async def _press_so_often(self, count: int) -> None:
        for _ in range(count):
            self._board.press_help()
            await asyncio.sleep(BETWEEN_PRESSES_S)
