"""Every named fault of every device is reached, does what its table says, and can end.

One scenario a fault; a fault without a scenario fails the test, so the tables cannot grow unseen.
"""

from collections.abc import Callable
from functools import reduce
from itertools import pairwise
from operator import xor
from typing import Any

import pytest

from simulator.devices import cards
from simulator.devices.escpos_printer import EscposPrinter
from simulator.devices.faults import Fault, FaultError, Faults
from simulator.devices.gate import Gate
from simulator.devices.help_button import HelpButton
from simulator.devices.sdt_reader import SdtReader
from simulator.devices.syn6288_voice import Syn6288Voice

CARD = cards.citizen_card("样例甲", "441900190001010027")
FIND, SELECT, READ, STATUS = (
    bytes.fromhex("AAAAAA96690003" + tail) for tail in ("200122", "200221", "300132", "11FFED")
)
OK = bytes.fromhex("AAAAAA9669000400009094")
QUERY = bytes.fromhex("FD000221DE")
PROCESS_ID = bytes.fromhex("1D28480600303041303031")
PROCESSED = bytes.fromhex("37224130303100")
PRINTER_STATUS = b"\x10\x04\x01"
SLIP = b"1\n2\n3\n4\n\x1dV\x00"

Scenario = Callable[[Any, Any], None]


def say(text: str) -> bytes:
    body = b"\x01\x01" + text.encode("gbk")
    head = b"\xfd" + (len(body) + 1).to_bytes(2, "big") + body
    return head + bytes((reduce(xor, head),))


# --- card reader: `wire` is a line to a reader with a card


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


# --- speech chip: `wire` is a line to a chip that is up


def voice_silence(chip, wire) -> None:
    assert wire.ask(say("已登记")) == b""
    assert chip.transcript[0].ended_ms is not None


def voice_power_off(chip, wire) -> None:
    chip.faults.remove("power_off")
    wire.run()
    wire.wait(20)
    wire.ask(say("[v3]已登记"), wire.now_ms + 100)
    chip.faults.add("power_off")
    wire.wait(10)
    assert chip.transcript[0].interrupted
    assert wire.ask(QUERY) == b""
    chip.faults.remove("power_off")
    assert wire.run() == b"\x4a"
    assert chip.settings.volume == 10


def voice_busy(chip, wire) -> None:
    assert wire.ask(say("好"), wire.now_ms + 60_000) == b"\x41"
    assert wire.ask(QUERY, wire.now_ms + 50) == b"\x41\x4e"
    chip.faults.remove("voice_busy")
    assert wire.run() == b"\x4f"


def voice_rejects(chip, wire) -> None:
    assert wire.ask(say("好")) == b"\x45"
    wire.wait(20)
    assert wire.ask(QUERY) == b"\x41\x4f"
    assert chip.transcript == []


def voice_silent(chip, wire) -> None:
    assert wire.ask(say("好")) == wire.ask(QUERY) == b""
    assert chip.transcript == []


def speaker_broken(chip, wire) -> None:
    assert wire.ask(say("好")) == b"\x41\x4f"
    assert chip.transcript == []


def idle_lost(chip, wire) -> None:
    assert wire.ask(say("好")) == b"\x41"
    assert not chip.busy


def voice_reply_lost(chip, wire) -> None:
    assert wire.ask(say("好")) == b"\x4f"
    assert chip.transcript[0].text == "好"


def voice_noise(chip, wire) -> None:
    answer = wire.ask(QUERY)
    assert (answer[1:], len(answer)) == (b"\x41\x4f", 3)


def brown_out(chip, wire) -> None:
    assert wire.ask(say("[v16]好")) == b"\x41\x4a"
    assert (chip.transcript, chip.settings.volume) == ([], 10)


# --- printer


def printer_silence(printer, wire) -> None:
    assert wire.ask(PRINTER_STATUS + SLIP + PROCESS_ID) == b""
    assert printer.take_slip().complete


def printer_power_off(printer, wire) -> None:
    assert wire.ask(PRINTER_STATUS + SLIP) == b""
    printer.faults.remove("power_off")
    wire.run()
    assert (printer.take_slip(), wire.ask(PRINTER_STATUS)) == (None, b"\x12")


def paper_low(printer, wire) -> None:
    assert wire.ask(b"\x10\x04\x04" + SLIP + b"\x1dr1") == b"\x1e\x03"
    assert printer.take_slip().complete


def paper_out(printer, wire) -> None:
    assert wire.ask(SLIP + PROCESS_ID) == b""
    assert wire.ask(b"\x10\x04\x04") == b"\x7e"
    printer.change_roll()
    assert wire.run() == PROCESSED


def paper_out_mid_job(printer, wire) -> None:
    assert wire.ask(SLIP + PROCESS_ID) == b""
    assert "paper_out" in printer.faults
    assert printer.paper.slip.text == "1\n2"


def cover_open(printer, wire) -> None:
    assert wire.ask(SLIP + PROCESS_ID) == b""
    assert wire.ask(b"\x10\x04\x02") == b"\x16"
    printer.close_cover()
    assert wire.run() == PROCESSED


def cutter_jam(printer, wire) -> None:
    assert wire.ask(SLIP + PROCESS_ID) == b""
    assert wire.ask(b"\x10\x04\x03") == b"\x1a"
    printer.faults.remove("cutter_jam")
    assert wire.ask(b"\x10\x05\x01") == PROCESSED


def head_hot(printer, wire) -> None:
    assert wire.ask(SLIP + PROCESS_ID) == b""
    assert wire.ask(b"\x10\x04\x03") == b"\x52"
    printer.faults.remove("head_hot")
    assert wire.run() == PROCESSED


def broken(printer, wire) -> None:
    assert wire.ask(SLIP + b"\x10\x05\x01") == b""
    assert wire.ask(b"\x10\x04\x03") == b"\x32"


def no_process_id(printer, wire) -> None:
    assert wire.ask(SLIP + PROCESS_ID) == b""
    assert printer.take_slip().text == "1\n2\n3\n4"
    assert wire.ask(b"\x1dr1") == b"\x00"


def process_id_lost(printer, wire) -> None:
    assert wire.ask(SLIP + PROCESS_ID) == b""
    assert printer.take_slip().complete


def no_buffer_clear(printer, wire) -> None:
    printer.faults.add("paper_out")
    assert wire.ask(SLIP + bytes.fromhex("10140801031401060208")) == b""
    printer.change_roll()
    wire.run()
    assert printer.take_slip().text == "1\n2\n3\n4"


def unknown_as_text(printer, wire) -> None:
    assert wire.ask(PROCESS_ID + SLIP) == b""
    assert printer.take_slip().lines[0].text == "H00A0011"


def no_near_end_sensor(printer, wire) -> None:
    printer.faults.add("paper_low")
    assert wire.ask(b"\x10\x04\x04") == b"\x12"


def chinese_size_ignored(printer, wire) -> None:
    wire.ask(b"\x1d!\x22" + "已A".encode("gbk") + b"\n\x1dV\x00")
    spans = printer.take_slip().lines[0].spans
    assert [(s.text, s.style.width) for s in spans] == [("已", 1), ("A", 3)]


def printer_noise(printer, wire) -> None:
    answer = wire.ask(PRINTER_STATUS)
    assert (answer[1:], len(answer)) == (b"\x12", 2)


def printer_slow(printer, wire) -> None:
    wire.ask(SLIP)
    assert printer.take_slip().ended_ms == 4 * 200 + 250


# --- gate and button


def open_gate(gate: Gate, at_ms: float = 0) -> None:
    gate.relay(1, at_ms)
    gate.relay(0, at_ms + 300)


def gate_power_off(gate, _) -> None:
    open_gate(gate)
    assert (gate.is_open, gate.openings, gate.pulse_count) == (False, 0, 1)


def stuck_closed(gate, _) -> None:
    open_gate(gate)
    assert (gate.is_open, gate.openings, gate.walk_through()) == (False, 0, False)


def stuck_open(gate, _) -> None:
    open_gate(gate)
    gate.passed_contact(60_000)
    assert gate.is_open


def contact_dead(gate, _) -> None:
    open_gate(gate)
    gate.walk_through()
    assert not gate.passed_contact(310)
    assert gate.passages == 1


def contact_stuck(gate, _) -> None:
    assert gate.passed_contact(0)


def contact_bounce(gate, _) -> None:
    open_gate(gate)
    gate.walk_through()
    levels = [gate.passed_contact(400 + step / 10) for step in range(3100)]
    changes = sum(a != b for a, b in pairwise(levels))
    assert changes >= 3
    assert gate.passages == 1
    assert not levels[-1]


def dead(button, _) -> None:
    button.press(0)
    assert not any(button.pressed(at) for at in range(300))


def stuck_pressed(button, _) -> None:
    assert button.pressed(0)


def long_bounce(button, _) -> None:
    button.hold(0)
    levels = [button.pressed(at / 10) for at in range(700)]
    last_change = max(i for i, (a, b) in enumerate(pairwise(levels)) if a != b)
    assert last_change / 10 > 30


def lamp_broken(button, _) -> None:
    button.lamp(1, 0)
    assert not button.lamp_lit
    button.faults.clear()
    assert button.lamp_lit


SCENARIOS: dict[type, dict[str, Scenario]] = {
    SdtReader: {
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
    },
    Syn6288Voice: {
        "silence": voice_silence,
        "power_off": voice_power_off,
        "voice_busy": voice_busy,
        "voice_rejects": voice_rejects,
        "voice_silent": voice_silent,
        "speaker_broken": speaker_broken,
        "idle_lost": idle_lost,
        "reply_lost": voice_reply_lost,
        "noise_before_reply": voice_noise,
        "brown_out": brown_out,
    },
    EscposPrinter: {
        "silence": printer_silence,
        "power_off": printer_power_off,
        "paper_low": paper_low,
        "paper_out": paper_out,
        "paper_out_mid_job": paper_out_mid_job,
        "cover_open": cover_open,
        "cutter_jam": cutter_jam,
        "head_hot": head_hot,
        "broken": broken,
        "no_process_id": no_process_id,
        "process_id_lost": process_id_lost,
        "no_buffer_clear": no_buffer_clear,
        "unknown_as_text": unknown_as_text,
        "no_near_end_sensor": no_near_end_sensor,
        "chinese_size_ignored": chinese_size_ignored,
        "noise_before_reply": printer_noise,
        "slow": printer_slow,
    },
    Gate: {
        "power_off": gate_power_off,
        "stuck_closed": stuck_closed,
        "stuck_open": stuck_open,
        "contact_dead": contact_dead,
        "contact_stuck": contact_stuck,
        "contact_bounce": contact_bounce,
    },
    HelpButton: {
        "dead": dead,
        "stuck_pressed": stuck_pressed,
        "long_bounce": long_bounce,
        "lamp_broken": lamp_broken,
    },
}


@pytest.mark.parametrize("model", list(SCENARIOS), ids=lambda model: model.__name__)
def test_every_fault_has_a_scenario_and_a_sentence(model: Any) -> None:
    assert set(SCENARIOS[model]) == set(model.FAULTS)
    assert all(len(fault.what) > 10 for fault in model.FAULTS.values())


@pytest.mark.parametrize(
    ("model", "name"),
    [(model, name) for model, names in SCENARIOS.items() for name in names],
    ids=lambda value: value if isinstance(value, str) else value.__name__,
)
def test_fault(model: Any, name: str, line) -> None:
    device = model()
    wire = line(device) if hasattr(device, "poll") else None
    if isinstance(device, Syn6288Voice):
        assert wire.run() == b"\x4a"
        wire.wait(20)
    if isinstance(device, SdtReader):
        device.place(CARD)
    device.faults.add(name)
    SCENARIOS[model][name](device, wire)
    assert device.faults.happened[name] >= 1


def test_one_shot_faults_end_by_themselves(line) -> None:
    reader = SdtReader()
    wire = line(reader)
    reader.faults.add("wrong_checksum", 2)
    assert [wire.ask(STATUS) == OK for _ in range(3)] == [False, False, True]
    assert list(reader.faults) == []


def test_permanent_faults_stay_until_removed(line) -> None:
    reader = SdtReader()
    wire = line(reader)
    reader.faults.add("wrong_checksum")
    assert [wire.ask(STATUS) == OK for _ in range(5)] == [False] * 5
    assert list(reader.faults) == ["wrong_checksum"]
    reader.faults.remove("wrong_checksum")
    assert wire.ask(STATUS) == OK


def test_misspelt_faults_and_senseless_counts_are_refused() -> None:
    faults = Faults({"rain": Fault("it rains", condition=True), "gust": Fault("a gust comes")})
    with pytest.raises(FaultError, match="no fault 'rian' here; there are: gust, rain"):
        faults.add("rian")
    with pytest.raises(FaultError, match="condition"):
        faults.add("rain", 1)
    with pytest.raises(FaultError, match="1 or more"):
        faults.add("gust", 0)
    with pytest.raises(FaultError):
        _ = "rian" in faults


def test_a_change_of_faults_wakes_the_board() -> None:
    woken = []
    reader = SdtReader()
    reader.wake = lambda: woken.append(True)
    reader.faults.add("slow")
    reader.faults.clear()
    reader.faults.clear()
    reader.place(CARD)
    assert len(woken) == 3
