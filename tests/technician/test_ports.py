"""Which port is the board, and what keeps a port closed."""

import os
import string
import subprocess
import sys
import termios
from dataclasses import dataclass
from pathlib import Path

import pytest
import serial

from edge_agent.technician import ports
from edge_agent.technician.trouble import CODES, TroubleError
from edge_agent.technician.words import LANGUAGES, language_of, words


@dataclass
class Listed:
    device: str
    vid: int | None = None
    pid: int | None = None
    serial_number: str | None = None
    description: str = ""


S3 = Listed("/dev/ttyACM0", 0x303A, 0x1001, "F4:12:FA:00:00:01", "USB JTAG")
PICO = Listed("/dev/ttyACM1", 0x2E8A, 0x0005)
CH340 = Listed("/dev/ttyUSB0", 0x1A86, 0x7523)
MODEM = Listed("/dev/ttyS0")


def found(*listed: Listed, more: str = "") -> list[ports.Port]:
    return ports.find_ports(listed, {ports.MORE_PORTS: more})


def test_boards_are_known_by_vendor_and_product() -> None:
    assert [(p.path, p.kind) for p in found(MODEM, CH340, S3, PICO)] == [
        ("/dev/ttyACM0", "esp32s3"),
        ("/dev/ttyACM1", "rp2350"),
        ("/dev/ttyUSB0", "adapter"),
        ("/dev/ttyS0", "other"),
    ]


def test_auto_takes_the_only_board_else_the_only_adapter() -> None:
    assert ports.choose("auto", found(MODEM, CH340, S3)) == "/dev/ttyACM0"
    assert ports.choose("auto", found(MODEM, CH340)) == "/dev/ttyUSB0"
    assert ports.choose("auto", found(MODEM, more="/tmp/repl")) == "/tmp/repl"
    assert ports.choose("COM7", []) == "COM7"


@pytest.mark.parametrize(
    ("listed", "key"), [((MODEM,), "no_board"), ((S3, PICO), "many_boards"), ((), "no_board")]
)
def test_auto_does_not_guess(listed: tuple[Listed, ...], key: str) -> None:
    with pytest.raises(TroubleError) as told:
        ports.choose("auto", found(*listed))
    assert told.value.key == key


def test_a_busy_port_is_told_with_its_holder(tmp_path: Path) -> None:
    master, slave = os.openpty()
    path = os.ttyname(slave)
    hold = (
        "import serial, sys; s = serial.Serial(sys.argv[1], exclusive=True); print(1, flush=True)"
    )
    command = [sys.executable, "-c", hold + "; sys.stdin.read()", path]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as other:
        assert other.stdout is not None
        other.stdout.readline()
        with pytest.raises(TroubleError) as told:
            ports.check(path)
        assert told.value.key == "port_busy"
        assert f"pid {other.pid}" in str(told.value.values["holder"])
        other.communicate()
    ports.check(path)
    os.close(master)
    os.close(slave)


@pytest.mark.parametrize(
    ("error", "key"),
    [
        (serial.SerialException(2, "could not open port /dev/x: No such file"), "no_port"),
        (serial.SerialException(13, "Permission denied: '/dev/x'"), "no_rights"),
        (serial.SerialException(16, "Device or resource busy"), "port_busy"),
        (termios.error(25, "Inappropriate ioctl"), "port_broken"),
    ],
)
def test_each_error_of_a_port_has_its_name(error: Exception, key: str) -> None:
    assert ports.trouble_of("/dev/x", error).key == key
    assert "/dev/x" in ports.explain("/dev/x", error)


def test_languages_have_the_same_words_and_every_trouble_has_a_cure() -> None:
    def places(text: str) -> set[str | None]:
        return {name for _, name, _, _ in string.Formatter().parse(text) if name}

    catalogues = [words(language) for language in LANGUAGES]
    names = catalogues[0].names
    assert names == catalogues[1].names
    assert {k.split(".")[1] for k in names if k.startswith("trouble.")} == set(CODES)
    assert {k.split(".")[1] for k in names if k.startswith("cure.")} == set(CODES)
    for key in names:
        told, other = (c._words[key] for c in catalogues)
        assert places(told) == places(other), key


def test_the_language_is_that_of_the_locale() -> None:
    assert language_of({"LANG": "zh_CN.UTF-8"}) == "zh-CN"
    assert language_of({"LC_ALL": "en_US.UTF-8", "LANG": "zh_CN.UTF-8"}) == "en"
    assert language_of({}) == "zh-CN"
