"""What the scanner's driver makes of a Grow scanner. Runs under CPython and MicroPython."""

from firmware.drivers import gm_frames as gm
from firmware.drivers.gm_scanner import GmScanner, zones_of
from firmware.models import gm65
from protocol.wire import states
from protocol.wire.messages import SCAN, SCAN_FAULT, SCAN_PART_BYTES_MAX
from tests.firmware.scene import Scene, hexes

READ_MODE = "7E000701000001"
READ_TAIL = "7E000701006001"
READ_BAUD = "7E000701002A02D80F"
BEAT = "7E000A01000000301A"
TRIGGER_OFF = "7E000801000200"
CODE = b"TB1.number.A001"


def value(*data):
    """A reply to a read."""
    body = bytes((0, len(data))) + bytes(data)
    crc = gm.crc16(body, 0, len(body))
    return b"\x02\x00" + body + bytes((crc >> 8, crc & 0xFF))


class ScannerScene(Scene):
    def __init__(self, vectors):
        super().__init__()
        self.v = {name: bytes.fromhex(text) for name, text in vectors["gm_scanner"].items()}
        zones = zones_of(gm65, 9600)
        self.driver = GmScanner(self.port, self.emit, self.report, self.now, zones=zones)

    def wants(self, start):
        """The next command out begins like this."""
        sent = hexes(self.sent(12_000))
        assert sent.startswith(start), sent

    def settled(self, mode=0x91):
        """The settings are read and right."""
        for start, reply in (
            (READ_MODE, value(mode)),
            (READ_TAIL, value(0x01)),
            (READ_BAUD, value(0x39, 0x01)),
        ):
            self.wants(start)
            self.reply(reply)

    def triggered(self, scan_no=7, limit_ms=0):
        """A scan is asked for and the scanner reads."""
        self.driver.start(scan_no, limit_ms, self.now)
        self.settled()
        self.expect(self.v["trigger"])
        self.reply(self.v["write_ok"])

    def ready(self):
        self.settled()
        self.run(20)
        assert self.states == [(states.ONLINE, 0)]

    def scans(self):
        """(number, bytes) of each scan told, parts joined."""
        found = []
        for kind, *rest in self.said():
            if kind != SCAN:
                continue
            number, offset, total, data = rest
            if offset == 0:
                found.append([number, b"", total])
            assert len(found[-1][1]) == offset
            found[-1][1] += data
        assert all(len(data) == total for _, data, total in found)
        return [(number, data) for number, data, _ in found]


def case_commands_are_as_in_the_manual(vectors, folder):
    v = vectors["gm_scanner"]
    assert hexes(gm.command(gm.WRITE, gm.ZONE_TRIGGER, b"\x01")) == v["trigger"]
    assert hexes(gm.command(gm.BEAT, 0, b"\x00")) == BEAT
    assert hexes(gm.command(gm.READ, gm.ZONE_BAUD, b"\x02")) == READ_BAUD
    assert hexes(gm.command(gm.WRITE, gm.ZONE_BAUD, b"\x39\x01")) == "7E000802002A3901A7EA"
    assert hexes(gm.command(0x09, 0, b"\x00")) == v["save"]
    assert gm.divisor(9600) == 0x139
    assert gm.divisor(115_200) == 0x1A


def case_settings_are_read_back_and_what_differs_is_written(vectors, folder):
    s = ScannerScene(vectors)
    s.wants(READ_MODE)
    s.reply(value(0xD6))  # motion sense; the other bits of the zone must stay
    s.wants("7E0008010000D5")
    s.reply(s.v["write_ok"])
    s.wants(READ_MODE)
    s.reply(value(0xD5))
    s.wants(READ_TAIL)
    s.reply(value(0x21))
    s.wants("7E000801006001")
    s.reply(s.v["write_ok"])
    s.wants(READ_TAIL)
    s.reply(value(0x01))
    s.wants(READ_BAUD)
    assert s.states == []
    s.reply(value(0x39, 0x01))
    assert s.states == [(states.ONLINE, 0)]


def case_a_setting_that_does_not_stick_is_a_fault(vectors, folder):
    s = ScannerScene(vectors)
    s.driver.start(7, 0, s.now)
    s.wants(READ_MODE)
    s.reply(value(0xD6))
    s.wants("7E0008010000D5")
    s.reply(s.v["write_ok"])
    s.wants(READ_MODE)
    s.reply(value(0xD6))
    assert s.states == [(states.HARDWARE_ERROR, 0)]
    assert s.said() == [(SCAN_FAULT, 7, states.SCAN_SILENT)]
    s.settled()
    assert s.states[-1] == (states.ONLINE, 0)
    s.expect(s.v["trigger"])


def case_a_code_ends_at_its_tail(vectors, folder):
    s = ScannerScene(vectors)
    s.ready()
    s.triggered()
    s.reply(CODE + b"\r", 3)
    assert s.scans() == [(7, CODE)]
    s.driver.start(8, 0, s.now)
    s.settled()  # a scan that follows is triggered anew
    s.expect(s.v["trigger"])


def case_a_code_without_tail_ends_after_50_ms_and_must_come_twice(vectors, folder):
    s = ScannerScene(vectors)
    s.ready()
    s.triggered()
    s.reply(CODE[:9])  # cut: it would be another code
    s.run(60)
    s.reply(CODE[9:] + b"\r")  # and so would its rest
    assert s.sent(190) == b""
    assert s.scans() == []
    s.settled()  # it is read again
    s.expect(s.v["trigger"])
    s.reply(s.v["write_ok"])
    s.reply(CODE)
    s.run(60)
    assert s.scans() == []
    s.settled()
    s.expect(s.v["trigger"])
    s.reply(s.v["write_ok"])
    s.reply(CODE[:5])
    s.run(40)
    s.reply(CODE[5:])
    s.run(45)
    assert s.scans() == []
    s.run(10)
    assert s.scans() == [(7, CODE)]


def case_bytes_of_the_frame_may_stand_in_a_code(vectors, folder):
    code = b"\x02\x00\x00\x7e\x00\x08\x03\xce\xd2\xb4\xcf"
    s = ScannerScene(vectors)
    s.ready()
    s.triggered()
    s.reply(code + b"\r")
    assert s.scans() == [(7, code)]


def case_two_codes_back_to_back_are_two(vectors, folder):
    s = ScannerScene(vectors)
    s.ready()
    s.triggered()
    s.reply(CODE + b"\rOTHER\r")
    s.run(100)
    assert s.scans() == [(7, CODE)]  # nobody asked for a second


def case_a_code_around_or_inside_a_reply(vectors, folder):
    scan = CODE + b"\r"
    for before in (0, 5, len(scan)):
        s = ScannerScene(vectors)
        s.ready()
        s.triggered()
        assert s.sent(4900) == b""  # it still reads when it is asked for its settings
        s.wants(READ_MODE)
        s.reply(scan[:before] + value(0x91) + scan[before:], 1)
        s.run(60)
        assert s.scans() == [(7, CODE)], before


def case_noise_in_front_of_a_reply_is_no_part_of_a_code(vectors, folder):
    s = ScannerScene(vectors)
    s.ready()
    s.driver.start(7, 0, s.now)
    s.wants(READ_MODE)
    s.reply(b"\xf0" + value(0x91))
    s.wants(READ_TAIL)
    s.reply(b"\x00\x02" + value(0x01))
    s.wants(READ_BAUD)
    s.reply(value(0x39, 0x01))
    s.expect(s.v["trigger"])
    s.reply(b"\xf0" + s.v["write_ok"])
    s.reply(CODE + b"\r")
    assert s.scans() == [(7, CODE)]


def case_a_code_that_cuts_a_reply_in_two(vectors, folder):
    for first in range(1, 7):
        s = ScannerScene(vectors)
        s.ready()
        s.driver.start(7, 0, s.now)
        s.settled()
        s.expect(s.v["trigger"])
        ok = s.v["write_ok"]
        s.reply(ok[:first] + CODE + b"\r" + ok[first:])
        s.run(60)
        assert s.scans() == [(7, CODE)], first


def case_a_damaged_or_cut_reply_is_no_code(vectors, folder):
    for damaged in (b"\x02\x00\x00", b"\x02\x00\x00\x01\x00\x33\x30", b"\x02"):
        s = ScannerScene(vectors)
        s.ready()
        s.driver.start(7, 0, s.now)
        s.settled()
        s.expect(s.v["trigger"])
        s.reply(damaged)
        s.run(100)
        assert s.scans() == []
        s.expect(s.v["trigger"])
        s.reply(s.v["write_ok"])
        s.reply(CODE + b"\r")
        assert s.scans() == [(7, CODE)]


def case_a_late_reply_is_no_part_of_a_code(vectors, folder):
    s = ScannerScene(vectors)
    s.ready()
    s.triggered()
    s.reply(s.v["write_ok"] + CODE + b"\r")
    assert s.scans() == [(7, CODE)]


def case_the_other_head_and_no_check_are_taken(vectors, folder):
    s = ScannerScene(vectors)
    s.ready()
    s.driver.start(7, 0, s.now)
    s.settled()
    s.expect(s.v["trigger"])
    s.reply(b"\x03\x00\x00\x01\x00\xab\xcd" + CODE + b"\r")
    assert s.scans() == [(7, CODE)]


def case_a_long_code_comes_in_parts_and_a_longer_one_is_told(vectors, folder):
    s = ScannerScene(vectors)
    s.ready()
    s.triggered()
    code = bytes(0x30 + n % 60 for n in range(gm.SCAN_MAX))
    s.reply(code + b"\r")
    parts = [m for m in s.messages if m[0] == SCAN]
    assert [m[2] for m in parts] == list(range(0, gm.SCAN_MAX, SCAN_PART_BYTES_MAX))
    assert s.scans() == [(7, code)]
    s.triggered(8)
    s.reply(code + b"x\r")
    assert s.said() == [(SCAN_FAULT, 8, states.SCAN_TOO_LONG)]
    s.reply(code + code)
    s.run(60)
    assert s.said() == []  # told once
    s.settled()
    s.expect(s.v["trigger"])
    s.reply(s.v["write_ok"] + CODE + b"\r")
    assert s.scans() == [(8, CODE)]


def case_a_trigger_that_found_nothing_is_given_again(vectors, folder):
    s = ScannerScene(vectors)
    s.ready()
    s.triggered()
    assert s.sent(4900) == b""
    s.settled()
    s.expect(s.v["trigger"])


def case_the_time_limit_ends_a_scan_and_the_light(vectors, folder):
    s = ScannerScene(vectors)
    s.ready()
    s.triggered(limit_ms=2000)
    s.run(1990)
    assert s.said() == []
    s.wants(TRIGGER_OFF)
    assert s.said() == [(SCAN_FAULT, 7, states.SCAN_TIME_LIMIT)]
    s.reply(s.v["write_ok"])
    s.reply(CODE + b"\r")
    assert s.said() == []


def case_a_stopped_scan_says_nothing_more(vectors, folder):
    s = ScannerScene(vectors)
    s.ready()
    s.triggered()
    s.driver.stop(6)
    s.driver.stop(7)
    s.wants(TRIGGER_OFF)
    s.reply(s.v["write_ok"] + CODE + b"\r")
    assert s.said() == []


def case_the_heartbeat_finds_a_dead_scanner(vectors, folder):
    s = ScannerScene(vectors)
    s.ready()
    s.wants(BEAT)
    s.reply(b"\x03" + s.v["write_ok"][1:])
    s.wants(BEAT)
    s.wants(BEAT)
    s.wants(BEAT)
    assert s.states == [(states.ONLINE, 0)]
    s.run(500)
    assert s.states[-1] == (states.OFFLINE, 0)
    s.driver.start(9, 0, s.now)
    assert s.said() == [(SCAN_FAULT, 9, states.SCAN_SILENT)]
    s.settled()
    assert s.states[-1] == (states.ONLINE, 0)
    s.expect(s.v["trigger"])  # it was asked for all the time


def case_a_scan_asked_for_at_the_start_waits_for_the_scanner(vectors, folder):
    s = ScannerScene(vectors)
    s.triggered()
    assert s.said() == []
    s.reply(CODE + b"\r")
    assert s.scans() == [(7, CODE)]


def case_no_flash_write_while_a_code_comes_in(vectors, folder):
    s = ScannerScene(vectors)
    s.ready()
    s.triggered()
    assert not s.driver.long_answer_due
    s.reply(CODE)
    assert s.driver.long_answer_due
    s.reply(b"\r")
    assert not s.driver.long_answer_due


CASES = [value for name, value in sorted(globals().items()) if name.startswith("case_")]
