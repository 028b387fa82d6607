"""The agent's half of an update against the real firmware, both in this process, on a clock that a
test turns. The board starts from slots as its main.py does; a reset is a new life."""

import json
from collections.abc import Callable
from pathlib import Path

from edge_agent.core import board_events as bx
from edge_agent.core.board_session import BoardSession
from edge_agent.core.board_update import DONE, FAILED, BoardUpdate, Offer
from firmware.app import App
from firmware.update import boot
from firmware.update.running_slot import RunningSlot
from firmware.update.slot_files import write_pointer
from firmware.update.slots import Pointer
from protocol.wire import messages
from tests.firmware.rig import RigBoard, RigMachine, RigUart
from tests.firmware.slot_cases import put, put_slot, with_ilistdir
from tests.vectors.make_releases import FILE

STEP_MS = 2
VECTORS = json.loads(FILE.read_text("utf-8"))


class UpdateWorld:
    """`idle`: what the agent says of its visits. `frames`: (ms, bytes on the wire, kind) from the
    agent. `ends`: what `BoardUpdate` told."""

    def __init__(self, folder: Path) -> None:
        with_ilistdir()
        self.folder = str(folder)
        put(f"{self.folder}/release.pub", VECTORS["key"].encode())
        put_slot(self.folder, "slot_a", 7)
        write_pointer(self.folder, Pointer("slot_a", floor=7))
        self.now = 1000
        self.lives = 0
        self.idle = True
        self.cable = True
        self.ends: list[tuple[int, int]] = []
        self.slots: list[bx.UpdateSlot] = []
        self.frames: list[tuple[int, int, int]] = []
        self.events: list[bx.BoardEvent] = []
        self._agent_lives = 0
        self._kind = 0
        self.start_agent()
        self.boot()

    def start_agent(self) -> None:
        """A new life of the agent, which knows nothing."""
        self._agent_lives += 1
        self.update = BoardUpdate(lambda release, reason: self.ends.append((release, reason)))
        entropy = lambda count: bytes([100 + self._agent_lives] * count)  # noqa: E731
        self.session = BoardSession(entropy, b"agent=test", self._on_event)
        self.session.carry(self._next_message)

    def _next_message(self, now: int) -> bytes | None:
        message = self.update.next_message(now)
        self._kind = message[0] if message else 0
        return message

    def boot(self) -> None:
        """A new life of the board."""
        started = boot.start(self.folder, lambda _ms: None)
        self.lives += 1
        uarts = (RigUart(), *(RigUart() for _ in range(5)))
        self.machine = RigMachine(uarts)
        self.app = App(
            RigBoard,
            self.machine,
            clock=lambda: self.now,
            sleep_ms=None,
            entropy=lambda count: bytes([self.lives] * count),
            folder=self.folder,
            running=RunningSlot(started),
        )

    def _on_event(self, said: bx.BoardEvent) -> None:
        self.events.append(said)
        match said:
            case bx.LinkUp():
                self.update.link_up(said.info)
            case bx.LinkDown():
                self.update.link_down()
            case bx.UpdateState():
                self.update.on_state(said)
            case bx.UpdateSlot():
                self.slots.append(said)
                self.update.on_slot(said)

    def offer(self, name: str, *, activated: bool = False) -> Offer:
        told = VECTORS["releases"][name]
        stream = bytes.fromhex(told["stream"])
        return Offer(
            int(told["release"], 16),
            8,
            len(stream),
            told["manifest_bytes"],
            lambda offset, count: stream[offset : offset + count],
            activated,
        )

    def step(self) -> None:
        self.now += STEP_MS
        if self.machine.resets:
            self.boot()
        line = self.machine.uarts[0]
        self.app.run_pass()
        data, line.tx = bytes(line.tx), bytearray()
        if self.cable:
            self.session.receive(data, self.now)
        self.update.tick(self.now, idle=self.idle)
        self.session.tick(self.now)
        while (frame := self.session.pull(self.now)) is not None:
            if self.cable:
                line.rx.extend(frame)
                kind = self._kind if len(frame) > 40 else 0
                self.frames.append((self.now, len(frame), kind))

    def until(self, is_so: Callable[[], bool], ms_max: int = 120_000) -> None:
        give_up = self.now + ms_max
        while not is_so():
            assert self.now < give_up, (self.update.stage, self.events[-8:])
            self.step()

    def ended(self) -> tuple[int, int]:
        """The first end: its release and reason."""
        self.until(lambda: self.update.stage in (DONE, FAILED))
        return self.ends[0]

    def data_bytes(self) -> list[tuple[int, int]]:
        """(ms, bytes) of the frames that carried the release."""
        return [(at, size) for at, size, kind in self.frames if kind == messages.UPDATE_DATA]
