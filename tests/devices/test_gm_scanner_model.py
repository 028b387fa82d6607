"""The scanner's model keeps to the manual: frames, zones, power, codes as bare bytes."""

import pytest

from simulator.devices.gm_scanner import (
    COMMAND,
    GM65,
    GM812,
    MODE_ZONE,
    GmScanner,
    GrowModel,
    ScannerTiming,
    crc_xmodem,
)

TRIGGER_OFF = bytes.fromhex("7E000801000200ABCD")
READ_SPEED = bytes.fromhex("7E000701002A02D80F")
SPEED_9600 = bytes.fromhex("7E000802002A3901A7EA")
FACTORY = bytes.fromhex("7E00080100D950ABCD")
BEAT = bytes.fromhex("7E000A01000000301A")
CODE = "东莞 TB1.A001".encode("gbk")


def read(zone: int) -> bytes:
    return bytes((0x7E, 0, 0x07, 1, zone >> 8, zone & 0xFF, 1, 0xAB, 0xCD))


def write(zone: int, value: int) -> bytes:
    body = bytes((0x08, 1, zone >> 8, zone & 0xFF, value))
    return b"\x7e\x00" + body + crc_xmodem(body).to_bytes(2, "big")


def reply(*data: int) -> bytes:
    body = bytes((0, len(data))) + bytes(data)
    return b"\x02\x00" + body + crc_xmodem(body).to_bytes(2, "big")


@pytest.fixture
def scanner() -> GmScanner:
    """In command mode with CR as tail."""
    made = GmScanner()
    for command in (write(MODE_ZONE, 0x91), write(0x0060, 0x01)):
        made.receive(command, 0)
    made.poll(1000)
    return made


def test_frames_are_those_of_the_manual(line, vectors) -> None:
    v = vectors["gm_scanner"]
    wire = line(GmScanner())
    assert wire.ask(v["trigger"]) == v["write_ok"]
    assert wire.ask(v["save"]) == v["write_ok"]
    assert wire.ask(SPEED_9600) == v["write_ok"]
    assert wire.ask(BEAT) == v["write_ok"]
    assert wire.ask(READ_SPEED) == reply(0x39, 0x01)


def test_a_wrong_check_is_not_answered_and_ab_cd_is_none(line, vectors) -> None:
    wire = line(GmScanner())
    trigger = vectors["gm_scanner"]["trigger"]
    assert wire.ask(trigger[:-1] + b"\x00") == b""
    assert wire.ask(trigger[:-2] + b"\xab\xcd") == vectors["gm_scanner"]["write_ok"]


@pytest.mark.parametrize("model", [GM65, GM812])
def test_zones_are_volatile_until_they_are_saved(line, vectors, model: GrowModel) -> None:
    scanner = GmScanner(model=model)
    wire = line(scanner)
    factory = model.factory[MODE_ZONE]
    for save in (False, True):
        wire.ask(write(MODE_ZONE, 0x91))
        if save:
            wire.ask(vectors["gm_scanner"]["save"])
        scanner.faults.add("power_off")
        assert wire.ask(read(MODE_ZONE)) == b""
        scanner.faults.remove("power_off")
        assert wire.ask(read(MODE_ZONE)) == reply(0x91 if save else factory)
    wire.ask(FACTORY)
    assert wire.ask(read(MODE_ZONE)) == reply(factory)


def test_a_trigger_reads_one_code_and_its_tail(line, vectors, scanner: GmScanner) -> None:
    wire = line(scanner, 2000)
    scanner.show(CODE)
    assert wire.run() == b""  # nobody asked
    assert wire.ask(vectors["gm_scanner"]["trigger"]) == vectors["gm_scanner"]["write_ok"] + (
        CODE + b"\r"
    )
    assert not scanner.reading
    assert wire.wait(10_000) == b""


def test_a_trigger_ends_without_a_code_or_when_told(line, vectors, scanner: GmScanner) -> None:
    wire = line(scanner, 2000)
    wire.ask(vectors["gm_scanner"]["trigger"], 2100)
    assert scanner.reading
    wire.wait(ScannerTiming().read_ms)
    assert not scanner.reading
    wire.ask(vectors["gm_scanner"]["trigger"], wire.now_ms + 100)
    wire.ask(TRIGGER_OFF)
    assert not scanner.reading
    scanner.show(CODE)
    assert wire.wait(6000) == b""


def test_motion_mode_reads_each_code_shown_once(line) -> None:
    scanner = GmScanner(model=GM812)  # the factory's mode
    wire = line(scanner)
    assert scanner.mode != COMMAND
    for code in (b"1234", b"5678"):
        scanner.show(code)
        assert wire.wait(1000) == code + b"\r\n"
        scanner.take_away()
        assert wire.wait(1000) == b""


@pytest.mark.parametrize(("zone_value", "tail"), [(0x01, b"\r"), (0x21, b"\r\n"), (0x61, b"")])
def test_the_tail_is_a_setting(line, vectors, scanner, zone_value: int, tail: bytes) -> None:
    wire = line(scanner, 2000)
    wire.ask(write(0x0060, zone_value))
    scanner.show(b"1234")
    assert wire.ask(vectors["gm_scanner"]["trigger"]).endswith(b"1234" + tail)


@pytest.mark.parametrize(
    ("fault", "sent"),
    [
        ("no_tail", b"12345678"),
        ("half_code", b"1234"),
        ("two_codes", b"12345678\r12345678\r"),
        ("lens_dirty", b""),
    ],
)
def test_faults_of_a_code(line, vectors, scanner, fault: str, sent: bytes) -> None:
    wire = line(scanner, 2000)
    scanner.faults.add(fault)
    scanner.show(b"12345678")
    assert wire.ask(vectors["gm_scanner"]["trigger"]) == vectors["gm_scanner"]["write_ok"] + sent


def test_a_long_code_has_1100_bytes(line, vectors, scanner) -> None:
    wire = line(scanner, 2000)
    scanner.faults.add("long_code")
    scanner.show(b"1")
    assert len(wire.ask(vectors["gm_scanner"]["trigger"])) == 7 + 1100 + 1


@pytest.mark.parametrize(
    ("fault", "answer"),
    [
        ("silence", ""),
        ("lost_reply", ""),
        ("wrong_checksum", "020000010033CE"),
        ("noise_before_reply", "F002000001003331"),
        ("no_check", "0200000100ABCD"),
        ("other_head", "03000001003331"),
    ],
)
def test_faults_of_a_reply(line, fault: str, answer: str) -> None:
    scanner = GmScanner()
    wire = line(scanner)
    scanner.faults.add(fault)
    assert wire.ask(BEAT).hex().upper() == answer


def test_a_code_can_cut_a_reply_in_two(line, vectors, scanner) -> None:
    wire = line(scanner, 2000)
    scanner.faults.add("code_in_reply")
    scanner.show(b"1234")
    assert wire.ask(vectors["gm_scanner"]["trigger"]).hex() == "020000" + b"1234\r".hex() + (
        "01003331"
    )


def test_faults_of_the_settings(line, scanner) -> None:
    wire = line(scanner, 2000)
    scanner.faults.add("settings_lost", 1)
    assert wire.ask(read(MODE_ZONE)) == reply(GM65.factory[MODE_ZONE])
    scanner.faults.add("settings_stuck")
    wire.ask(write(MODE_ZONE, 0x91))
    assert wire.ask(read(MODE_ZONE)) == reply(GM65.factory[MODE_ZONE])


def test_a_code_without_bytes_is_refused() -> None:
    with pytest.raises(ValueError, match="1 to 4296"):
        GmScanner().show(b"")
