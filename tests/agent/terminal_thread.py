"""A whole Terminal in a thread of this process: a test can see its screen and press keys."""

import asyncio
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import apsw
import pytest

from edge_agent.core.screen import Screen
from edge_agent.settings import Settings
from edge_agent.terminal import Terminal
from protocol.bundle import Bundle
from protocol.status_list import CODE_OFFICER, Scrypt, StatusList, sign_status_list
from tests.agent.agent_process import CENTRE, DEVICE, TERMINAL, closed_port

WAIT_S = 15.0
CHEAP_LOG2_N = 4


def hurry(monkeypatch: pytest.MonkeyPatch) -> None:
    """A locked disk refuses after 0.1 s instead of 5, and is tried again as soon."""
    monkeypatch.setattr("tongban.database.BUSY_TIMEOUT_MS", 100)
    monkeypatch.setattr("edge_agent.recorder.HEAL_EVERY_MS", 100)


@contextmanager
def locked(folder: Path) -> Iterator[None]:
    """No commit of the terminal in `folder` goes through meanwhile."""
    other = apsw.Connection(str(folder / "data" / "outbox.db"))
    other.set_busy_timeout(5_000)
    other.execute("BEGIN IMMEDIATE")
    try:
        yield
    finally:
        other.execute("ROLLBACK")
        other.close()


class TerminalThread:
    """`tongban terminal run` without its command line. `screens`: every one that was shown."""

    def __init__(self, folder: Path, board: str, **settings: object) -> None:
        bundle = Bundle(
            TERMINAL,
            "city/hall-1",
            DEVICE.to_bytes(),
            CENTRE.public,
            "127.0.0.1",
            closed_port(),
            "B",
        )
        values = {"board": board, "data": str(folder / "data"), "service": "number"} | settings
        self.terminal = Terminal(Settings(**values), bundle, "test")  # type: ignore[arg-type]
        self.terminal.open()
        self.screens: list[Screen] = []
        self.terminal.front.watch(lambda: self.screens.append(self.screen()))
        self._ready = threading.Event()
        self._failed: BaseException | None = None
        self._thread = threading.Thread(target=self._run, daemon=True)

    def _run(self) -> None:
        try:
            asyncio.run(self.terminal.run(self._ready.set))
        except BaseException as error:
            self._failed = error

    def __enter__(self) -> "TerminalThread":
        self._thread.start()
        assert self._ready.wait(WAIT_S)
        return self

    def __exit__(self, *_: object) -> None:
        try:
            if self._thread.is_alive():
                self.terminal._loop.call_soon_threadsafe(self.terminal.stop)
            self._thread.join(WAIT_S)
        finally:
            self.terminal.close()
        assert self._failed is None, self._failed

    def know_officer(self, document: str, number: str, now_ms: int) -> None:
        """A signed list in force that names this person an officer."""
        scrypt = Scrypt(bytes(16), log2_n=CHEAP_LOG2_N)
        people = {scrypt.digest(document, number): CODE_OFFICER}
        status_list = StatusList(1, now_ms, now_ms + 86_400_000, scrypt, people)
        signed = sign_status_list(CENTRE, status_list)
        self.terminal.outbox.keep_status_list(1, signed).result(WAIT_S)
        self.terminal._status.reload()

    def screen(self) -> Screen:
        return self.terminal.front.screen()

    def press(self, key: str) -> None:
        self.terminal.front.press(key, self.screen().serial)

    def see(self, what: Callable[[Screen], object]) -> Screen:
        """Until the screen is so."""
        give_up = time.monotonic() + WAIT_S
        while time.monotonic() < give_up:
            screen = self.screen()
            if what(screen):
                return screen
            time.sleep(0.01)
        raise AssertionError(f"never seen; the screen shows {self.screen()}")
