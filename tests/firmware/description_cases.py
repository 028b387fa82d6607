"""What a board description must be, and what settings.txt may change. Runs under CPython and
MicroPython."""

from firmware.boards import esp32s3, rp2350, simulated
from firmware.settings import LINES_MAX, apply
from tests.firmware.rig import RigBoard


def told(board, *lines):
    """The only mistake of this board with these settings."""
    problems = apply(board, lines)[1]
    assert len(problems) == 1, problems
    return problems[0]


def board_with(base, **parts):
    class Changed(base):
        pass

    for name, part in parts.items():
        setattr(Changed, name, part)
    return Changed


def as_class(module):
    """A copy of a board module that can be changed."""

    class Copy:
        pass

    for name in dir(module):
        if name[:1].isupper():
            setattr(Copy, name, getattr(module, name))
    return Copy


def case_the_shipped_boards_are_sound(vectors, folder):
    for board in (esp32s3, rp2350, simulated, RigBoard):
        parts, problems = apply(board, ())
        assert problems == [], problems
        assert parts["card_reader"]["model"] == "sdt"


def case_a_model_fills_in_what_the_board_leaves_out(vectors, folder):
    parts = apply(esp32s3, ())[0]
    assert parts["voice"]["baud"] == 9600
    assert parts["voice"]["encoding"] == 1
    assert parts["printer"]["process_id"] == 1
    assert parts["card_reader"]["rxbuf"] == 2048  # the board's own word stands
    assert apply(esp32s3, ("voice.baud=19200",))[0]["voice"]["baud"] == 19200


def case_a_part_that_is_not_built_in_is_empty(vectors, folder):
    parts, problems = apply(esp32s3, ("printer.model=none  # no room", "", "# voice"))
    assert problems == []
    assert parts["printer"] == {}
    assert parts["cash"] == {}


def case_a_freed_uart_can_be_used_again(vectors, folder):
    moved = ("printer.model=none", "voice.uart=2", "voice.tx=15", "voice.rx=16")
    assert apply(esp32s3, moved)[1] == []


def case_more_devices_than_uarts_are_refused(vectors, folder):
    text = told(rp2350, "voice.model=syn6288", "voice.uart=2", "voice.tx=8", "voice.rx=9")
    assert text.startswith("settings.txt line 2: voice.uart = 2: the chip has UART 0 to 1"), text
    text = told(rp2350, "voice.model=syn6288", "voice.uart=1", "voice.tx=8", "voice.rx=9")
    assert text.startswith("settings.txt line 2: "), text
    assert ".uart = 1: " in text, text
    assert "is there; use a free one, or model none" in text, text


def case_every_mistake_names_its_place_and_the_cure(vectors, folder):
    for line, words in (
        ("voice.model=parrot", ("voice.model = 'parrot'", "syn6288", "none")),
        ("voice.baud=12", ("voice.baud = 12", "9600, 19200, 38400")),
        ("voice.encoding=4", ("voice.encoding = 4", "0, 1, 3")),
        ("voice.colour=1", ("voice.colour = 1", "no such key")),
        ("voice.rxbuf=10", ("voice.rxbuf = 10", "256 to 8192")),
        ("gate.relay=-1", ("gate.relay = -1", "needed")),
        ("gate.passed_active=2", ("gate.passed_active = 2", "0 (low) or 1 (high)")),
        ("gate.passed=33", ("gate.passed = 33", "free pin")),
        ("gate.passed=4", ("gate.", " = 4: gate.", "is there; use a free pin")),
        ("link.baud=9600", ("link.baud = 9600", "921600")),
        ("link.usb=1", ("link.usb = 1", "no USB")),
        ("link.colour=1", ("link.colour = 1", "no such key")),
        ("link.rxbuf=512", ("link.rxbuf = 512", "1024 to 8192")),
        ("voice.tx=20", ("voice.tx = 20", "leave it out")),
        ("voice.uart=9", ("voice.uart = 9", "UART 0 to 6")),
        ("radio.baud=1", ("no part 'radio'", "scanner")),
        ("voice.baud=fast", ("voice.baud", "'fast' is no number")),
        ("voice", ("part.key=value",)),
        ("=", ("part.key=value",)),
    ):
        text = told(RigBoard, "# first", line)
        assert text.startswith("settings.txt line 2: "), text
        for word in words:
            assert word in text, text


def case_too_many_lines_are_refused(vectors, folder):
    text = told(RigBoard, *[""] * (LINES_MAX + 5))
    assert text == f"settings.txt line {LINES_MAX + 1}: more than {LINES_MAX} lines"


def case_a_description_without_settings_is_checked_too(vectors, folder):
    text = told(board_with(RigBoard, VOICE={"model": "syn6288"}))
    assert text == "board rig: voice.uart = None: name the UART of this device"
    assert "voice.model = None" in told(board_with(RigBoard, VOICE={"uart": 3}))
    assert "voice.baud = '9600'" in told(
        board_with(RigBoard, VOICE={"model": "syn6288", "uart": 3, "baud": "9600"})
    )
    assert "board.CHIP = 'z80'" in told(board_with(RigBoard, CHIP="z80"))
    assert "link.uart = None" in told(board_with(RigBoard, LINK={}))


def case_pins_follow_the_chip(vectors, folder):
    board = as_class(rp2350)
    board.PRINTER = {"model": "escpos", "uart": 1, "tx": 16, "rx": 17}
    problems = apply(board, ())[1]
    assert len(problems) == 2
    assert "printer.tx = 16: UART 1 cannot be on this pin" in problems[0]
    board.PRINTER = {"model": "escpos", "uart": 1}
    assert "printer.tx = None: name the pin" in apply(board, ())[1][0]
    assert "gate.passed = 20: the chip has no such free pin" in told(esp32s3, "gate.passed=20")


CASES = [value for name, value in sorted(globals().items()) if name.startswith("case_")]
