"""Every named fault of the printer is reached, does what its table says, and can end."""

from collections.abc import Callable
from typing import Any

import pytest

from simulator.devices.escpos_printer import EscposPrinter

PROCESS_ID = bytes.fromhex("1D28480600303041303031")
PROCESSED = bytes.fromhex("37224130303100")
PRINTER_STATUS = b"\x10\x04\x01"
SLIP = b"1\n2\n3\n4\n\x1dV\x00"


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


SCENARIOS: dict[str, Callable[[Any, Any], None]] = {
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
}


def test_every_fault_has_a_scenario_and_a_sentence() -> None:
    assert set(SCENARIOS) == set(EscposPrinter.FAULTS)
    assert all(len(fault.what) > 10 for fault in EscposPrinter.FAULTS.values())


@pytest.mark.parametrize("name", list(SCENARIOS))
def test_fault(name: str, line) -> None:
    device = EscposPrinter()
    wire = line(device)
    device.faults.add(name)
    SCENARIOS[name](device, wire)
    assert device.faults.happened[name] >= 1
