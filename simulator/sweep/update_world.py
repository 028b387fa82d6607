"""A board that is updated while its power fails: the firmware that ships on littlefs, the agent's
own half of updates at its link, on a clock that jumps from one event to the next.

Which firmware runs does not depend on the slot: what is swept is which slot a start chooses and
what lies in it, and that is looked at here with other eyes than the board's.
"""

import hashlib
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any

from edge_agent.core import board_events as bx
from edge_agent.core import board_update as core
from edge_agent.core.board_session import BoardSession
from edge_agent.technician.layout import KEY_FILE, POINTER_FILE, SLOTS, first_pointer, slot_files
from edge_agent.technician.release_file import Release
from simulator.sweep.cash_board import Uart
from simulator.sweep.firmware_space import FirmwareSpace
from simulator.sweep.flash import Chip, PowerCut, formatted

BLOCK_COUNT = 160
WAIT_MS_MAX = 100
LIFE_MS_MAX = 120_000
LINK_UART = 0


@dataclass(frozen=True)
class Releases:
    """What runs at first, what it is updated to, and what comes after; `key` of all of them."""

    old: Release
    new: Release
    later: Release
    key: bytes

    def of_version(self, version: int) -> Release | None:
        """The one with this number."""
        return {r.version: r for r in (self.old, self.new, self.later)}.get(version)


def new_board(releases: Releases) -> bytes:
    """The flash of a board as it is built."""
    chip = Chip(formatted(BLOCK_COUNT))
    space = FirmwareSpace()
    space.mount(chip)
    assert space.files is not None
    files = {KEY_FILE: releases.key, POINTER_FILE: first_pointer(releases.old).encode()}
    for slot in SLOTS:
        files |= {f"{slot}/{path}": data for path, data in slot_files(releases.old).items()}
    made: set[str] = set()
    for path, data in files.items():
        parts = path.split("/")[:-1]
        for end in range(1, len(parts) + 1):
            folder = "/".join(parts[:end])
            if folder not in made:
                space.files.os.mkdir(folder)
                made.add(folder)
        with space.files.open(path, "wb") as file:
            file.write(data)
    return chip.image()


class UpdateWorld:
    """`cuts`: numbers of the writes, counted over all lives, in which the power fails."""

    def __init__(
        self, releases: Releases, image: bytes, space: FirmwareSpace, cuts: tuple[int, ...]
    ) -> None:
        self.releases = releases
        self.writes = 0
        self.update_writes = 0  # of them, those of the first update, from its start to its end
        self.lives = 0
        self.starts: list[int] = []  # the version that each start chose
        self.violations: list[str] = []
        self._cuts = cuts
        self._space = space
        self._now = 1000
        self._wait_ms = 1
        self._chip = Chip(image)
        self.app: Any = None
        self._machine: Any = None
        self._update = core.BoardUpdate(lambda _release, _reason: None)
        self._session = BoardSession(lambda count: b"\x55" * count, b"agent=sweep", self._on_event)
        self._session.carry(self._update.next_message)
        self._boot()

    # ---- the story

    def run(self) -> str:
        """Update to the new release, then to the later one; what came first after the cut."""
        for release in (self.releases.new, self.releases.later):
            self._offer(release)
            if not self._until_ended():
                self.violations.append(f"version {release.version} never came to its end")
                break
            if self._update.stage != core.DONE:
                self.violations.append(
                    f"version {release.version} failed with reason {self._update.reason}"
                )
                break
            self.update_writes = self.update_writes or self.writes
        after = self.starts[1:]
        return f"starts {'new' if after and after[0] == self.releases.new.version else 'old'}"

    def _until_ended(self) -> bool:
        give_up = self._now + LIFE_MS_MAX
        while self._update.stage not in (core.DONE, core.FAILED):
            if self._now >= give_up or self.app is None:
                return False
            self._step()
        return True

    def _step(self) -> None:
        self._now += self._wait_ms
        try:
            wait_ms = self.app.run_pass()
        except PowerCut:
            self._boot()
            return
        if self._machine.resets:
            self._boot()
            return
        line = self._machine.uarts[LINK_UART]
        data, line.tx = bytes(line.tx), bytearray()
        self._session.receive(data, self._now)
        self._update.tick(self._now, idle=True)
        self._session.tick(self._now)
        while (frame := self._session.pull(self._now)) is not None:
            line.rx.extend(frame)
            wait_ms = 1
        due_ms = (self._session.deadline_ms(self._now), self._update.wait_ms(WAIT_MS_MAX))
        self._wait_ms = max(1, min(wait_ms, *due_ms))

    # ---- the board

    def _boot(self) -> None:
        """A new life, and another if the power fails in its start."""
        while True:
            self.lives += 1
            self._chip = Chip(self._chip.image())
            self._space.mount(self._chip)
            self._look_at_pointer()
            self._chip.tears = self._tears
            try:
                self._start()
                return
            except PowerCut:
                continue

    def _start(self) -> None:
        self.app = None
        started = self._space.load("firmware.update.boot").start("", lambda _ms: None)
        if started is None:
            self.violations.append("no slot is sound: the board is dead")
            return
        self.starts.append(self._version_in(started["slot"]))
        if self.starts[-1] == 0:
            self.violations.append(f"{started['slot']} is started, and is no whole release")
        running = self._space.load("firmware.update.running_slot").RunningSlot(started)
        self._machine = _machine()
        module = self._space.load("firmware.app")
        module.WAIT_MS_MAX = WAIT_MS_MAX
        self.app = module.App(
            _Description,
            self._machine,
            clock=lambda: self._now,
            sleep_ms=None,
            entropy=lambda count: bytes((self.lives % 255 + 1,)) * count,
            folder="",
            running=running,
        )

    def _tears(self) -> bool:
        self.writes += 1
        return self.writes in self._cuts

    # ---- looking at the flash

    def _look_at_pointer(self) -> None:
        files = self._space.files
        assert files is not None
        try:
            with files.open(POINTER_FILE) as file:
                lines = dict(line.split(" ", 1) for line in file.read(256).splitlines())
        except OSError:
            self.violations.append("the pointer is lost")
            return
        if lines.get("slot") not in SLOTS:
            self.violations.append("the pointer names no slot")
        elif self._version_in(lines["slot"]) == 0:
            self.violations.append(f"the pointer names {lines['slot']}, which is no whole release")

    def _version_in(self, slot: str) -> int:
        """The version of the release that lies there whole, byte by byte; 0 for none."""
        found = self._tree(slot, "")
        for release in (self.releases.old, self.releases.new, self.releases.later):
            wanted = {path: _digest(data) for path, data in slot_files(release).items()}
            if found == wanted:
                return release.version
        return 0

    def _tree(self, folder: str, within: str) -> dict[str, str]:
        files = self._space.files
        assert files is not None
        found: dict[str, str] = {}
        for name, kind, *_ in files.os.ilistdir(folder):
            path = f"{within}{name}"
            if kind == 0x4000:
                found |= self._tree(f"{folder}/{name}", f"{path}/")
            else:
                with files.open(f"{folder}/{name}", "rb") as file:
                    found[path] = _digest(file.read())
        return found

    # ---- the agent

    def _offer(self, release: Release) -> None:
        stream = release.stream
        self._update.begin(
            core.Offer(
                release.id,
                release.version,
                len(stream),
                len(release.manifest),
                lambda offset, count: stream[offset : offset + count],
            )
        )

    def _on_event(self, said: bx.BoardEvent) -> None:
        match said:
            case bx.LinkUp():
                self._update.link_up(said.info)
            case bx.LinkDown():
                self._update.link_down()
            case bx.UpdateState():
                self._update.on_state(said)
            case bx.UpdateSlot():
                self._update.on_slot(said)


def _digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


class _Description:
    NAME = "sweep"
    CHIP = "simulated"
    DATA = ""
    WATCHDOG_MS = 4000
    CONSOLE = False
    LINK = {"uart": LINK_UART, "baud": 921_600, "rxbuf": 2048}  # noqa: RUF012


def _machine() -> Any:
    machine = SimpleNamespace(
        uarts={LINK_UART: Uart()},
        resets=0,
        WDT=lambda timeout: SimpleNamespace(feed=lambda: timeout),
        unique_id=lambda: b"\x19\x00\x01\x01\x00\x00",
        reset_cause=lambda: 1,
    )

    def reset() -> None:
        machine.resets += 1

    machine.UART = lambda number, **_: machine.uarts[number]
    machine.reset = reset
    return machine
