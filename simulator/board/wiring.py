"""The harness of a terminal: which device model hangs on which UART and pin of the simulated board.

| where | what |
| --- | --- |
| UART 0 | link to the agent, 921600 |
| UART 1, 2, 3, 4, 5 | card reader, printer, voice, cash acceptor, scanner |
| pin 4 out | gate relay |
| pin 5 in | gate "passed" contact, active low |
| pin 6 in | help button, active low |
| pin 7 out | help lamp |
| pin 8 out | bell in the hall |
| pin 9 in | answer contact at the officers' desk, active low |
| pin 10, 11 in | gate's door contact, fire alarm, active low |
| UART 6, pin 12 in | relay board instead of pin 4, its contact wired back, active low |
"""

import dataclasses
from collections.abc import Callable, Mapping
from typing import Any

from simulator.board.device_end import DeviceEnd
from simulator.board.pins import Pins

LINK_UART = 0
LINK_BAUD = 921_600
UART_OF = {
    "card_reader": 1,
    "printer": 2,
    "voice": 3,
    "cash_acceptor": 4,
    "scanner": 5,
    "relay_board": 6,
}
PIN_GATE_RELAY = 4
PIN_GATE_PASSED = 5
PIN_HELP_BUTTON = 6
PIN_HELP_LAMP = 7
PIN_HELP_BELL = 8
PIN_HELP_DESK = 9
PIN_GATE_DOOR = 10
PIN_GATE_FIRE = 11
PIN_RELAY_FEEDBACK = 12
ON_PINS = ("gate", "help_button")


CONTACT_TIMES = ("contact_ms", "bounce_ms", "long_bounce_ms", "press_ms")


def _as_seen_by_firmware(timing: Any, scale: float) -> Any:
    """People and devices run `speed` times faster, debouncing does not: contacts stay slow."""
    scaled = {
        name: getattr(timing, name) * scale for name in CONTACT_TIMES if hasattr(timing, name)
    }
    return dataclasses.replace(timing, **scaled)


class NothingPlugged:
    """A UART with nothing on it: whatever is sent is lost, nothing ever comes."""

    baud = 9600

    def receive(self, data: bytes, now_ms: float) -> None:
        """Bytes from the board."""

    def poll(self, now_ms: float) -> bytes:  # noqa: ARG002 - as a device
        return b""

    def next_ms(self, now_ms: float) -> float | None:  # noqa: ARG002 - as a device
        return None


class Wiring:
    """`clock` gives the devices' milliseconds, `wake` is called when somebody touched a device.

    The devices belong to this wiring from now on.
    """

    def __init__(
        self,
        devices: Mapping[str, Any],
        pins: Pins,
        clock: Callable[[], float],
        contact_scale: float,
        wake: Callable[[], None],
    ) -> None:
        unknown = set(devices) - set(UART_OF) - set(ON_PINS)
        if unknown:
            raise ValueError(f"no place on the board for {sorted(unknown)}")
        self.plugged = tuple(sorted(devices))
        self._pins = pins
        self._clock = clock
        self.ends = {
            uart: DeviceEnd(devices.get(name) or NothingPlugged(), clock)
            for name, uart in UART_OF.items()
        }
        self._gate = devices.get("gate")
        self._help = devices.get("help_button")
        for device in devices.values():
            device.wake = wake
        for contact in (self._gate, self._help):
            if contact is not None:
                contact.timing = _as_seen_by_firmware(contact.timing, contact_scale)
        self._relay_board = devices.get("relay_board")
        if self._relay_board is not None and self._gate is not None:
            self._relay_board.on_change = self._gate.relay
        elif self._gate is not None:
            pins.on_output[PIN_GATE_RELAY] = self._gate.relay
        if self._help is not None:
            pins.on_output[PIN_HELP_LAMP] = self._help.lamp
            pins.on_output[PIN_HELP_BELL] = self._help.bell

    def press_help(self, duration_ms: float) -> None:
        self._button().press(self._clock(), duration_ms)

    def answer_help(self, duration_ms: float) -> None:
        self._button().answer(self._clock(), duration_ms)

    def _button(self) -> Any:
        if self._help is None:
            raise LookupError("this board has no help button")
        return self._help

    def refresh(self) -> float | None:
        """Bring the inputs up to date; the devices' time at which something wants to act next."""
        now = self._clock()
        wanted = [end.next_ms() for end in self.ends.values()]
        if self._gate is not None:
            self._pins.drive(PIN_GATE_PASSED, int(not self._gate.passed_contact(now)))
            self._pins.drive(PIN_GATE_DOOR, int(not self._gate.door_contact(now)))
            self._pins.drive(PIN_GATE_FIRE, int(not self._gate.fire_contact()))
            wanted.append(self._gate.next_ms(now))
        if self._relay_board is not None:
            self._pins.drive(PIN_RELAY_FEEDBACK, int(not self._relay_board.contact))
        if self._help is not None:
            self._pins.drive(PIN_HELP_BUTTON, int(not self._help.pressed(now)))
            self._pins.drive(PIN_HELP_DESK, int(not self._help.desk_contact(now)))
            wanted.append(self._help.next_ms(now))
        return min((at for at in wanted if at is not None), default=None)
