"""All that knows about an operating system's serial ports: which there are, which is a board, who
holds one, and what keeps it closed.

Names are the system's own: `/dev/ttyACM0`, `/dev/cu.usbmodem...`, `COM3`. Ports that the system
does not list (an emulated board, a serial server's terminal) are named in TONGBAN_PORTS, separated
as in PATH.
"""

import contextlib
import errno
import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Protocol

import msgspec
import serial
from serial.tools import list_ports

from edge_agent.technician.trouble import TroubleError
from edge_agent.technician.words import words

AUTO = "auto"
MORE_PORTS = "TONGBAN_PORTS"
ESP32S3, RP2350, ADAPTER, NAMED, OTHER = "esp32s3", "rp2350", "adapter", "named", "other"
BOARDS = (ESP32S3, RP2350, NAMED)

# USB vendor and product; None takes every product of the vendor.
_KNOWN: dict[tuple[int, int | None], str] = {
    (0x303A, 0x1001): ESP32S3,  # Espressif, USB serial/JTAG of the chip
    (0x303A, 0x4001): ESP32S3,  # Espressif, TinyUSB CDC of MicroPython
    (0x2E8A, 0x0005): RP2350,  # Raspberry Pi, CDC of MicroPython's rp2
    (0x10C4, 0xEA60): ADAPTER,  # CP210x
    (0x1A86, None): ADAPTER,  # CH340, CH343, CH9102
    (0x0403, None): ADAPTER,  # FTDI
    (0x067B, None): ADAPTER,  # PL2303
}
HOLDERS_MAX = 4
_PROC = Path("/proc")


class Listed(Protocol):
    """What pyserial tells of a port."""

    device: str
    vid: int | None
    pid: int | None
    serial_number: str | None
    description: str


class Port(msgspec.Struct, frozen=True):
    """`kind`: ESP32S3, RP2350, ADAPTER, NAMED (in TONGBAN_PORTS) or OTHER."""

    path: str
    kind: str
    usb: str = ""
    serial_number: str = ""
    description: str = ""

    @property
    def is_board(self) -> bool:
        return self.kind in BOARDS


def find_ports(
    listed: Iterable[Listed] | None = None, environment: Mapping[str, str] = os.environ
) -> list[Port]:
    """Every serial port: those of boards first, in the order of their names."""
    found = [_describe(port) for port in (list_ports.comports() if listed is None else listed)]
    for path in environment.get(MORE_PORTS, "").split(os.pathsep):
        if path:
            found.append(Port(path, NAMED))
    return sorted(found, key=lambda port: (not port.is_board, port.kind != ADAPTER, port.path))


def choose(port: str, found: list[Port] | None = None) -> str:
    """The path of `port`; for `auto` that of the only board, or of the only adapter when there is
    no board. Raises TroubleError."""
    if port != AUTO:
        return port
    ports = find_ports() if found is None else found
    likely = [p for p in ports if p.is_board] or [p for p in ports if p.kind == ADAPTER]
    if not likely:
        others = ", ".join(p.path for p in ports) or "-"
        raise TroubleError("no_board", others=others)
    if len(likely) > 1:
        raise TroubleError("many_boards", ports=", ".join(p.path for p in likely))
    return likely[0].path


def check(path: str) -> None:
    """Open the port and close it again. Raises TroubleError with what keeps it closed."""
    try:
        serial.Serial(path, exclusive=True if os.name == "posix" else None).close()
    except (OSError, ValueError) as error:
        raise trouble_of(path, error) from error


def trouble_of(path: str, error: Exception) -> TroubleError:
    """What an error of opening or using the port means."""
    number = getattr(error, "errno", None)
    text = str(error)
    if number == errno.ENOENT or "FileNotFoundError" in text or "No such file" in text:
        return TroubleError("no_port", port=path)
    if os.name == "nt" and "PermissionError" in text:  # what Windows says of a port in use
        return TroubleError("port_busy", port=path, holder="?")
    if number == errno.EACCES or "PermissionError" in text or "Permission denied" in text:
        return TroubleError("no_rights", port=path, group=_group(path))
    if number in (errno.EBUSY, errno.EAGAIN) or "exclusively lock" in text:
        return TroubleError("port_busy", port=path, holder=holder(path) or "?")
    return TroubleError("port_broken", port=path, error=error)


def explain(path: str, error: Exception) -> str:
    """What keeps the port closed, and the cure, in English for a log."""
    english = words("en")
    trouble = trouble_of(path, error)
    return f"{english.trouble(trouble)} {english.cure(trouble)}"


def holder(path: str) -> str:
    """`name (pid 123)` of each other program that has the port open; empty where nobody tells:
    other users' programs, systems without /proc."""
    target = os.path.realpath(path)
    found: list[str] = []
    for process in _PROC.iterdir() if _PROC.is_dir() else ():
        if process.name.isdecimal() and int(process.name) != os.getpid():
            with contextlib.suppress(OSError):
                if any(os.readlink(fd) == target for fd in (process / "fd").iterdir()):
                    found.append(f"{(process / 'comm').read_text().strip()} (pid {process.name})")
    return ", ".join(found[:HOLDERS_MAX])


def _describe(port: Listed) -> Port:
    vid, pid = port.vid, port.pid
    kind, usb = OTHER, ""
    if vid is not None and pid is not None:
        kind = _KNOWN.get((vid, pid), _KNOWN.get((vid, None), OTHER))
        usb = f"{vid:04x}:{pid:04x}"
    return Port(port.device, kind, usb, port.serial_number or "", port.description)


def _group(path: str) -> str:
    """The group that may open the port, as Debian and others name it where it cannot be asked."""
    if os.name == "posix":
        import grp  # noqa: PLC0415 - not on Windows

        with contextlib.suppress(OSError, KeyError):
            return grp.getgrgid(os.stat(path).st_gid).gr_name
    return "dialout"
