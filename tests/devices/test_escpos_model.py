"""The printer model: what stands on the slip, what it answers, and what happens when it cannot."""

import pytest

from simulator.devices.escpos_printer import EscposPrinter, PrinterTiming
from simulator.devices.paper import Barcode, Qr, Raster

TICKET = "1B401C261B61011D2122413030310A1D2111C7EBB5BD33BAC5B4B0BFDA0A1D21001D564200"
CUT = b"\x1dV\x00"
STATUS = [bytes((0x10, 4, n)) for n in (1, 2, 3, 4)]


def gb(text: str) -> bytes:
    return text.encode("gb18030")


def statuses(wire) -> str:
    """Answers to DLE EOT 1 to 4, as hex."""
    return b"".join(wire.ask(ask, wire.now_ms) for ask in STATUS).hex().upper()


@pytest.fixture
def printer():
    return EscposPrinter()


@pytest.fixture
def wire(printer, line):
    return line(printer)


# --- what stands on the slip


def test_published_ticket(printer, wire) -> None:
    assert wire.ask(TICKET) == b""
    slip = printer.take_slip()
    number, way = slip.lines
    assert (number.text, number.width, number.height, number.align) == ("A001", 3, 3, "centre")
    assert (way.text, way.width, way.height) == ("请到3号窗口", 2, 2)
    assert (slip.cut, slip.complete, slip.faults) == ("partial", True, [])
    assert printer.take_slip() is None


def test_qr_code_is_stored_then_printed(printer, wire, vectors) -> None:
    qr = vectors["escpos"]["qr_A001"]
    store, show = qr[:-8], qr[-8:]
    wire.ask(store + CUT)
    assert printer.slips == []
    wire.ask(show + CUT)
    assert printer.take_slip().items == [Qr(b"A001", 6, "M")]


def test_raster_is_stored_and_its_bytes_are_no_commands(printer, wire) -> None:
    data = bytes([0x1B, 0x40, 0x0A, 0x1D, 0x56, 0x00])
    wire.ask(b"\x1dv0\x00\x02\x00\x03\x00" + data + b"ok\n" + CUT)
    slip = printer.take_slip()
    assert slip.items[0] == Raster(2, 3, data)
    assert slip.text == "ok"


def test_an_image_longer_than_the_receive_buffer_prints_whole(printer, wire) -> None:
    data = bytes(i % 251 for i in range(72 * 200))
    for at in range(0, len(data) + 8, 512):
        wire.ask((b"\x1dv0\x00\x48\x00\xc8\x00" + data)[at : at + 512], wire.now_ms)
    wire.ask(CUT)
    assert printer.take_slip().items == [Raster(72, 200, data)]
    assert printer.bytes_overrun == 0


def test_barcode_of_both_forms(printer, wire) -> None:
    wire.ask(b"\x1dkI\x06{B1234" + b"\x1dk\x02123456789012\x00" + CUT)
    items = printer.take_slip().items
    assert items == [Barcode(73, b"1234"), Barcode(67, b"123456789012")]


def test_sizes_of_chinese_and_ascii(printer, wire) -> None:
    wire.ask(b"\x1c!\x0c" + gb("已登记") + b"A\n" + b"\x1c!\x00\x1cW\x01" + gb("门") + b"\n")
    wire.ask(b"\x1cW\x00\x1d!\x01" + gb("低") + b"\n\x1b!\x30" + gb("大") + b"a\n" + CUT)
    sizes = [
        [(s.text, s.style.width, s.style.height) for s in line.spans]
        for line in printer.take_slip().lines
    ]
    assert sizes == [
        [("已登记", 2, 2), ("A", 1, 1)],
        [("门", 2, 2)],
        [("低", 1, 2)],
        [("大a", 2, 2)],
    ]


def test_styles_and_alignment(printer, wire) -> None:
    wire.ask(b"\x1bE\x01b\x1bE\x00\x1b-\x01u\x1b-\x00\x1dB\x01r\n\x1ba\x02x\x1ba\x00y\n" + CUT)
    first, second = printer.take_slip().lines
    styles = [(s.text, s.style.bold, s.style.underline, s.style.reverse) for s in first.spans]
    assert styles == [("b", 1, 0, 0), ("u", 0, 1, 0), ("r", 0, 0, 1)]
    assert (second.text, second.align) == ("xy", "right")


def test_long_lines_wrap_at_the_columns_of_their_size(printer, wire) -> None:
    wire.ask(b"\x1d!\x11" + gb("字" * 13) + b"\n" + CUT)
    assert [line.text for line in printer.take_slip().lines] == ["字" * 12, "字"]


def test_tab_goes_to_columns_of_eight(printer, wire) -> None:
    wire.ask(b"ab\tc\n" + CUT)
    assert printer.take_slip().text == "ab      c"


def test_characters_that_the_font_lacks(printer, wire) -> None:
    """Two-byte GB18030 prints, four-byte does not: the reason why rare names go as images."""
    wire.ask(gb("样䶮") + b"\n" + gb("𠮷") + b"\n\xb0\nend\n" + CUT)
    assert [line.text for line in printer.take_slip().lines] == ["样䶮", "□", "□", "end"]


def test_chinese_mode_off_shows_code_page_characters(printer, wire) -> None:
    wire.ask(b"\x1c.\xc4\xe3\n\x1c&\xc4\xe3\n\x1c.\x1bt\x10\xe9\x1bt\x63\xe9\n" + CUT)
    assert [line.text for line in printer.take_slip().lines] == ["─π", "你", "é□"]


def test_initialise_drops_the_line_and_the_modes(printer, wire) -> None:
    wire.ask(b"\x1d!\x22lost\x1b@kept\n" + CUT)
    (line,) = printer.take_slip().lines
    assert (line.text, line.width) == ("kept", 1)


@pytest.mark.parametrize(
    ("command", "cut"),
    [
        (b"\x1dV\x00", "full"),
        (b"\x1dV1", "partial"),
        (b"\x1dV\x41\x10", "full"),
        (b"\x1dV\x42\x10", "partial"),
        (b"\x1bi", "full"),
        (b"\x1bm", "partial"),
    ],
)
def test_cuts(printer, wire, command: bytes, cut: str) -> None:
    wire.ask(b"x" + command)
    slip = printer.take_slip()
    assert (slip.text, slip.cut) == ("x", cut)


def test_commands_without_visible_effect_are_taken_whole(printer, wire) -> None:
    silent = (
        b"\x1b \x41\x1b$\x41\x41\x1b%\x41\x1bD\x08\x10\x00\x1bR\x41\x1bW" + b"A" * 8 + b"\x1b{\x00"
        b"\x1bp\x0022\x1bc5\x01\x1b*\x21\x02\x00AAAAAA\x1b&\x03AB\x01AAA\x01AAA\x1b=\x01"
        b"\x1dL\x41\x41\x1dW\x41\x41\x1d/\x00\x1d*\x01\x01AAAAAAAA\x1df\x00\x1dw\x03\x1dH\x02"
        b"\x1d8L\x02\x00\x00\x00AA\x1d(A\x02\x00AA\x1c2AA"
        + b"A"
        * 72
        + b"\x1cp\x01\x00\x1cS\x00\x00"
        b"\x18\x0d\x10\x04\x01\x10\x05\x01\x10\x14\x01\x00\x01"
    )
    wire.ask(silent + b"end\n" + CUT)
    assert printer.take_slip().text == "end"


def test_printing_takes_time_line_by_line(line) -> None:
    printer = EscposPrinter(timing=PrinterTiming(line_ms=20, cut_ms=250))
    wire = line(printer)
    wire.ask(b"1\n2\n3\n" + CUT)
    slip = printer.take_slip()
    assert (slip.started_ms, slip.ended_ms) == (20, 310)


# --- what it answers


def test_status_of_a_healthy_printer(wire, vectors) -> None:
    assert statuses(wire) == "12121212"
    assert wire.ask(b"\x10\x04\x05") == b"\x12"
    assert wire.ask("1D7201") == b"\x00"
    assert wire.ask("1D6101") == vectors["escpos"]["asb_ok"]
    assert wire.ask("1D4943") == b"_ESCPOS-80\x00"
    assert wire.ask("1D4901") == b"\x02"


@pytest.mark.parametrize(
    ("fault", "real_time", "automatic"),
    [
        ("paper_low", "1212121E", "10000300"),
        ("paper_out", "1A32127E", "18000F00"),
        ("cover_open", "1A161212", "38000000"),
        ("head_hot", "1A525212", "18400000"),
        ("broken", "1A523212", "18200000"),
    ],
)
def test_status_of_a_printer_in_trouble(
    printer, wire, fault: str, real_time: str, automatic: str
) -> None:
    wire.ask("1D610F")
    printer.faults.add(fault)
    assert wire.run() == bytes.fromhex(automatic)
    assert statuses(wire) == real_time
    printer.faults.remove(fault)
    assert wire.run() == bytes.fromhex("10000000")


def test_paper_out_without_near_end_sensor(printer, wire) -> None:
    printer.faults.add("no_near_end_sensor")
    printer.faults.add("paper_low")
    assert statuses(wire) == "12121212"
    printer.faults.add("paper_out")
    assert statuses(wire) == "1A321272"


def test_automatic_status_reports_only_what_was_asked_for(printer, wire) -> None:
    wire.ask("1D6108")
    printer.open_cover()
    assert wire.run() == b""
    printer.faults.add("paper_low")
    assert wire.run() == bytes.fromhex("38000300")
    wire.ask("1D6100")
    printer.close_cover()
    wire.run()
    printer.faults.remove("paper_low")
    assert wire.run() == b""


def test_process_id_is_answered_when_its_data_is_printed(printer, wire, vectors) -> None:
    escpos = vectors["escpos"]
    answer = wire.ask(b"1\n2\n" + CUT + escpos["process_id_A001"])
    assert answer == escpos["process_id_reply_A001"]
    assert wire.heard == [(290, answer)]
    assert printer.take_slip().complete


def test_status_is_answered_at_once_also_inside_an_image(printer, wire) -> None:
    """As Epson's firmware does: three bytes of a picture are taken for a question."""
    image = b"\x1dv0\x00\x02\x00\x03\x00" + b"\xff\x10\x04\x04\xff\xff"
    assert wire.ask(image + CUT) == b"\x12"
    assert wire.heard[0][0] == 0
    assert printer.take_slip().items[0].data == b"\xff\x10\x04\x04\xff\xff"


def test_status_is_answered_ahead_of_the_data_before_it(wire) -> None:
    assert wire.ask(b"1\n2\n\x1dr1\x10\x04\x01") == b"\x12\x00"


# --- what happens when it cannot print


def test_data_for_an_empty_printer_comes_out_on_the_next_roll(printer, wire, vectors) -> None:
    """Sent is not printed: the slip of one visitor lands in the hand of another."""
    printer.faults.add("paper_out")
    assert wire.ask(TICKET + vectors["escpos"]["process_id_A001"].hex()) == b""
    assert wire.ask(b"\x1dr1") == b""
    wire.wait(60_000)
    assert printer.take_slip() is None
    assert printer.buffered_bytes > 0
    printer.change_roll()
    assert wire.run() == vectors["escpos"]["process_id_reply_A001"] + b"\x00"
    assert printer.take_slip().text == "A001\n请到3号窗口"


def test_clearing_buffers_keeps_the_old_job_off_the_next_roll(printer, wire) -> None:
    printer.faults.add("paper_out")
    wire.ask(TICKET)
    assert wire.ask("10140801031401060208") == bytes.fromhex("372500")
    assert printer.buffered_bytes == 0
    printer.change_roll()
    wire.run()
    wire.ask(b"new\n" + CUT)
    slip = printer.take_slip()
    assert (slip.text, slip.complete) == ("new", True)


def test_clearing_also_forgets_a_command_that_is_half_here(printer, wire) -> None:
    wire.ask(b"\x1dv0\x00\x48\x00\xc8\x00" + b"\xff" * 100)
    wire.ask("10140801031401060208")
    wire.ask(b"new\n" + CUT)
    assert printer.take_slip().text == "new"


def test_roll_that_ends_in_a_job_leaves_two_halves(printer, wire) -> None:
    printer.faults.add("paper_out_mid_job", 1)
    wire.ask(b"1\n2\n3\n4\n" + CUT)
    assert statuses(wire) == "1A32127E"
    printer.change_roll()
    wire.run()
    first, second = printer.take_slip(), printer.take_slip()
    assert (first.text, first.cut, first.complete) == ("1\n2", "roll_end", False)
    assert (second.text, second.cut, second.complete) == ("3\n4", "full", False)
    wire.ask(b"next\n" + CUT)
    assert printer.take_slip().complete


def test_cleared_half_on_the_paper_spoils_the_slip_it_hangs_on(printer, wire) -> None:
    printer.open_cover()
    wire.ask(b"1\n")
    printer.close_cover()
    wire.run()
    printer.open_cover()
    wire.ask(b"2\n")
    wire.ask("10140801031401060208")
    printer.close_cover()
    wire.ask(b"\x1b@" + CUT + b"3\n" + CUT)
    spoilt, fresh = printer.take_slip(), printer.take_slip()
    assert (spoilt.text, spoilt.complete) == ("1", False)
    assert "cleared" in spoilt.faults
    assert (fresh.text, fresh.complete) == ("3", True)


def test_cover_opened_in_a_line_begins_that_line_anew(printer, wire) -> None:
    wire.ask(b"1\n2\n" + CUT, 30)
    printer.open_cover()
    wire.wait(1000)
    printer.close_cover()
    wire.run()
    slip = printer.take_slip()
    assert (slip.text, slip.faults, slip.complete) == ("1\n2", ["cover_open"], True)
    assert slip.ended_ms == 1030 + 20 + 250


def test_cutter_jam_waits_for_recovery(printer, wire, vectors) -> None:
    printer.faults.add("cutter_jam", 1)
    assert wire.ask(b"1\n" + CUT + vectors["escpos"]["process_id_A001"]) == b""
    assert statuses(wire) == "1A521A12"
    assert wire.ask("100501") == vectors["escpos"]["process_id_reply_A001"]
    assert printer.take_slip().faults == ["cutter_jam"]


def test_recovery_with_clearing_forgets_the_job(printer, wire, vectors) -> None:
    printer.faults.add("cutter_jam", 1)
    wire.ask(b"1\n" + CUT + vectors["escpos"]["process_id_A001"])
    assert wire.ask("100502") == b""
    assert statuses(wire) == "12121212"
    printer.tear_off()
    slip = printer.take_slip()
    assert (slip.cut, slip.complete) == ("torn", False)


def test_staff_clear_a_jam_that_comes_back_with_every_cut(printer, wire) -> None:
    printer.faults.add("cutter_jam")
    wire.ask(b"1\n" + CUT)
    wire.ask("100501")
    assert statuses(wire) == "1A521A12"
    printer.clear_jam()
    wire.run()
    assert printer.take_slip().complete


def test_recovery_does_nothing_without_an_error(printer, wire) -> None:
    printer.faults.add("paper_out")
    wire.ask(b"1\n" + CUT)
    wire.ask("100502")
    printer.change_roll()
    wire.run()
    assert printer.take_slip().text == "1"


def test_offline_response_with_and_without_cause(printer, wire) -> None:
    wire.ask("1D284803 00313002")
    printer.open_cover()
    assert wire.run() == bytes.fromhex("37234100")
    printer.close_cover()
    wire.ask("1D284803 00313001")
    printer.faults.add("paper_out")
    assert wire.run() == bytes.fromhex("372300")


def test_full_buffer_loses_bytes_and_still_answers(line) -> None:
    printer = EscposPrinter(buffer_bytes=64)
    wire = line(printer)
    printer.faults.add("cover_open")
    wire.ask(b"x" * 100)
    assert (printer.buffered_bytes, printer.bytes_overrun) == (64, 36)
    assert not printer.ready
    assert wire.ask(b"\x10\x04\x02") == b"\x16"
    printer.close_cover()
    wire.ask(CUT)
    assert not printer.take_slip().complete


def test_power_cut_forgets_buffers_and_modes_but_not_paper(printer, wire) -> None:
    wire.ask("1D610F")
    wire.ask(b"\x1d!\x221\n2\n3\n" + CUT, wire.now_ms + 70)
    printer.faults.add("power_off")
    assert wire.ask(b"\x10\x04\x01" * 3) == b""
    printer.faults.remove("power_off")
    assert wire.run() == b""
    wire.ask(b"4\n" + CUT)
    slip = printer.take_slip()
    assert (slip.text, slip.lines[-1].width, slip.complete) == ("1\n4", 1, False)
