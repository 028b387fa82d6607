"""A board of the cash sweep: the whole firmware with an acceptor, life after life on a flash."""

from types import SimpleNamespace
from typing import Any, Protocol

from simulator.sweep.firmware_space import FirmwareSpace
from simulator.sweep.flash import Chip, PowerCut, formatted

LINK_UART, CASH_UART = 0, 4
OFF_MS = 300
_WAIT_MS_MAX = 500  # nothing is sampled here, so the loop may sleep until something is due
_RESET_EVERY_MS = 1500  # a shorter wait, and fewer moments that are all the same
_EMPTY = formatted()


class Moments(Protocol):
    """Counts the moments at which power can go."""

    def moment(self, what: str, of: str) -> bool:
        """One more; True when this part loses its power now."""


class Uart:
    """What the firmware reads lies in `rx`; what it writes goes to `sent`."""

    def __init__(self) -> None:
        self.rx = bytearray()
        self.tx = bytearray()

    def readinto(self, room: bytearray) -> int | None:
        count = min(len(room), len(self.rx))
        room[:count] = self.rx[:count]
        del self.rx[:count]
        return count or None

    def write(self, data: Any) -> int:
        self.tx += bytes(data)
        return len(data)


class DeviceUart(Uart):
    """Each frame to the acceptor is a moment at which the board may lose power before it."""

    def __init__(self, moments: Moments) -> None:
        super().__init__()
        self._moments = moments

    def write(self, data: Any) -> int:
        if self._moments.moment("frame to the acceptor", "board"):
            raise PowerCut
        return super().write(data)


class SweepBoard:
    """`clock()` gives ms. `lines`: its UARTs in this life."""

    def __init__(self, space: FirmwareSpace, moments: Moments, clock: Any) -> None:
        self._space = space
        self._moments = moments
        self._clock = clock
        self._image = _EMPTY
        self._lives = 0
        self._chip = Chip(_EMPTY)
        self.app: Any = None
        self.back_ms: int | None = 0
        self.wake_ms = 0
        self.link = Uart()
        self.cash: Uart = Uart()

    def boot(self) -> None:
        """A new life on the flash as the last one left it."""
        self.back_ms = None
        self._lives += 1
        self._chip = Chip(self._image)
        self._chip.tears = lambda: self._moments.moment("flash write", "board")
        self.link, self.cash = Uart(), DeviceUart(self._moments)
        try:
            self._space.mount(self._chip)
            module = self._space.load("firmware.app")
            module.WAIT_MS_MAX = _WAIT_MS_MAX
            self._space.load("firmware.drivers.ccnet_acceptor").RESET_EVERY_MS = _RESET_EVERY_MS
            self.app = module.App(
                _Description,
                _machine({LINK_UART: self.link, CASH_UART: self.cash}),
                clock=self._clock,
                sleep_ms=None,
                entropy=self._entropy,
                folder="",
            )
        except PowerCut:
            self.lose_power()
        self.wake_ms = self._clock()

    def run(self) -> None:
        """One pass of its loop."""
        try:
            self.wake_ms = self._clock() + self.app.run_pass()
        except PowerCut:
            self.lose_power()

    def lose_power(self) -> None:
        """What lies on flash stays."""
        if self.back_ms is None:
            self._image = self._chip.image()
        self._chip.dead = True
        self.app = None
        self.back_ms = self._clock() + OFF_MS

    @property
    def journal(self) -> Any:
        """Its cash journal, which only a living board has."""
        return self.app.server.cash._journal

    @property
    def takes_notes(self) -> bool:
        """The acceptor could be opened."""
        return self.app is not None and bool(self.app.server.cash._acceptor.is_ready)

    @property
    def is_settled(self) -> bool:
        """No note is open, no session, nothing waits for the flash."""
        desk = self.app.server.cash if self.app else None
        return desk is not None and not (
            desk.wants_rest or desk._journal.open or desk._phase or not self.app.server.link.up
        )

    def _entropy(self, count: int) -> bytes:
        return bytes((self._lives,)) * count


class _Description:
    NAME = "sweep"
    CHIP = "simulated"
    DATA = ""
    WATCHDOG_MS = 4000
    CONSOLE = False
    LINK = {"uart": LINK_UART, "baud": 921_600, "rxbuf": 2048}  # noqa: RUF012
    CASH = {"model": "ccnet", "uart": CASH_UART}  # noqa: RUF012


def _machine(uarts: dict[int, Uart]) -> Any:
    return SimpleNamespace(
        UART=lambda number, **_: uarts[number],
        WDT=lambda timeout: SimpleNamespace(feed=lambda: timeout),
        unique_id=lambda: b"\x19\x00\x01\x01\x00\x00",
        reset_cause=lambda: 1,
    )
