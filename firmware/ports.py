"""Opening the lines a board description names. A port is `readinto(buf) -> n or None`, `write(buf)
-> n or None`; neither waits.
"""

import select
import sys

_POLL_READ = 1


def open_uart(machine, line):
    """`line`: {"uart": id, "baud": rate, "rxbuf": bytes, optional "tx" and "rx" pins}."""
    pins = {name: line[name] for name in ("tx", "rx") if name in line}
    return machine.UART(
        line["uart"],
        baudrate=line["baud"],
        bits=8,
        parity=None,
        stop=1,
        rxbuf=line.get("rxbuf", 256),
        timeout=0,
        **pins,
    )


class UsbPort:
    """The link on the USB console of the chip. Byte 03 must be data there, not Ctrl-C."""

    def __init__(self):
        import micropython  # noqa: PLC0415 - MicroPython only

        micropython.kbd_intr(-1)
        self._in = sys.stdin.buffer
        self._out = sys.stdout.buffer
        self._poll = select.poll()
        self._poll.register(sys.stdin, _POLL_READ)
        self._one = bytearray(1)

    def readinto(self, buf):
        count = 0
        while count < len(buf) and self._poll.poll(0):
            self._in.readinto(self._one)  # a longer read would wait until it is full
            buf[count] = self._one[0]
            count += 1
        return count

    def write(self, buf):
        return self._out.write(buf)


def open_link(machine, line):
    """The agent's line: `{"usb": True}` or a UART."""
    return UsbPort() if line.get("usb") else open_uart(machine, line)


def open_output(machine, number, active):
    """A function `drive(on)`; the pin is at rest from the first instant."""
    pin = machine.Pin(number, machine.Pin.OUT, value=0 if active else 1)
    return lambda on: pin.value(active if on else 1 - active)


def open_input(machine, number, active):
    """A function `sample() -> bool`; the pull keeps an open contact at rest."""
    pull = machine.Pin.PULL_DOWN if active else machine.Pin.PULL_UP
    pin = machine.Pin(number, machine.Pin.IN, pull)
    return lambda: pin.value() == active


class Waiter:
    """Waiting until a line has bytes, where the port can be polled; else by sleeping in short
    steps.
    """

    def __init__(self, ports, sleep_ms, step_ms):
        self._sleep_ms = sleep_ms
        self._step_ms = step_ms
        lines = select.poll()
        self._poll = getattr(lines, "ipoll", lines.poll)  # makes no list of what is readable
        self._can_poll = True
        try:
            for port in ports:
                lines.register(port, _POLL_READ)
        except (OSError, TypeError):
            self._can_poll = False

    def wait(self, ms):
        """Return when a line is readable or `ms` are over; at the latest after step_ms when lines
        cannot be polled.
        """
        if self._can_poll:
            self._poll(ms)
        else:
            self._sleep_ms(min(ms, self._step_ms))
