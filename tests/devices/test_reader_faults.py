"""Every named fault of the card reader is reached, does what its table says, and can end."""

from collections.abc import Callable
from typing import Any

import pytest

from simulator.devices import cards
from simulator.devices.sdt_reader import SdtReader

CARD = cards.citizen_card("样例甲", "441900190001010027")
FIND, SELECT, READ, STATUS = (
    bytes.fromhex("AAAAAA96690003" + tail) for tail in ("200122", "200221", "300132", "11FFED")
)
OK = bytes.fromhex("AAAAAA9669000400009094")


def reader_silence(reader, wire) -> None:
    assert wire.ask(STATUS) == b""


def reader_power_off(reader, wire) -> None:
    assert wire.ask(FIND) == b""
    reader.faults.remove("power_off")
    assert wire.ask(SELECT)[9:10] == b"\x21"  # the card must be found anew


def wrong_checksum(reader, wire) -> None:
    answer = wire.ask(STATUS)
    assert answer == OK[:-1] + bytes((OK[-1] ^ 0xFF,))


def truncated_reply(reader, wire) -> None:
    assert wire.ask(STATUS) == OK[:5]


def noise_before_header(reader, wire) -> None:
    answer = wire.ask(STATUS)
    assert (answer[3:], len(answer)) == (OK, len(OK) + 3)


def header_split(reader, wire) -> None:
    assert wire.ask(STATUS) == OK
    (first_ms, first), (second_ms, second) = wire.heard
    assert (first, second, second_ms - first_ms) == (OK[:3], OK[3:], 40)


def reader_slow(reader, wire) -> None:
    wire.ask(FIND)
    assert 400 <= wire.now_ms <= 1500


def lost_reply(reader, wire) -> None:
    assert wire.ask(FIND) == b""
    reader.faults.clear()
    assert wire.ask(SELECT)[9:10] == b"\x90"


def card_lifted_mid_read(reader, wire) -> None:
    wire.ask(FIND)
    wire.ask(SELECT)
    assert wire.ask(READ)[9:10] == b"\x41"
    assert reader.card is None
    assert wire.ask(FIND)[9:10] == b"\x80"


def read_failed(reader, wire) -> None:
    wire.ask(FIND)
    wire.ask(SELECT)
    assert wire.ask(READ)[7:10] == b"\x6f\x00\x41"
    reader.faults.clear()
    assert [wire.ask(step)[9] for step in (FIND, SELECT, READ)] == [0x9F, 0x90, 0x90]


def select_failed(reader, wire) -> None:
    wire.ask(FIND)
    assert wire.ask(SELECT)[7:10] == b"\x6f\x00\x81"


def card_type_unknown(reader, wire) -> None:
    wire.ask(FIND)
    assert wire.ask(SELECT)[7:10] == b"\x00\x00\x40"


def verify_failed(reader, wire) -> None:
    wire.ask(FIND)
    wire.ask(SELECT)
    assert wire.ask(READ)[7:10] == b"\x00\x00\x33"


def sam_failed(reader, wire) -> None:
    assert {wire.ask(command)[9] for command in (STATUS, FIND, READ)} == {0x60}
    reader.faults.remove("sam_failed")
    assert wire.ask(STATUS) == OK


def not_authorised(reader, wire) -> None:
    assert {wire.ask(command)[9] for command in (STATUS, FIND, READ)} == {0x66}
    assert len(wire.ask("AAAAAA9669000312FFEE")) == 27  # the SAM number is still told


SCENARIOS: dict[str, Callable[[Any, Any], None]] = {
    "silence": reader_silence,
    "power_off": reader_power_off,
    "wrong_checksum": wrong_checksum,
    "truncated_reply": truncated_reply,
    "noise_before_header": noise_before_header,
    "header_split": header_split,
    "slow": reader_slow,
    "lost_reply": lost_reply,
    "card_lifted_mid_read": card_lifted_mid_read,
    "read_failed": read_failed,
    "select_failed": select_failed,
    "card_type_unknown": card_type_unknown,
    "verify_failed": verify_failed,
    "sam_failed": sam_failed,
    "not_authorised": not_authorised,
}


def test_every_fault_has_a_scenario_and_a_sentence() -> None:
    assert set(SCENARIOS) == set(SdtReader.FAULTS)
    assert all(len(fault.what) > 10 for fault in SdtReader.FAULTS.values())


@pytest.mark.parametrize("name", list(SCENARIOS))
def test_fault(name: str, line) -> None:
    device = SdtReader()
    device.place(CARD)
    wire = line(device)
    device.faults.add(name)
    SCENARIOS[name](device, wire)
    assert device.faults.happened[name] >= 1
