"""A scanned code: whole or refused, its text found or an honest no, nowhere repeated."""

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge_agent.core import board_events as bx
from edge_agent.core import flow_events as fx
from edge_agent.core.board_session import BoardSession
from edge_agent.core.flow_check import check_definition
from edge_agent.core.flow_definition import parse_definition
from edge_agent.core.flow_table import DefinitionError
from edge_agent.core.scan_text import TEXT_CHARACTERS_MAX, ScanError, ScanParts, scan_text
from edge_agent.core.texts import parse_texts
from protocol.records import ServiceFact
from protocol.wire import messages, states
from tests.agent.fake_board import FakeBoard, Wire
from tests.agent.flow_tools import AGENT, HOLDER, kinds, load, new_flow, run
from tests.agent.scan_service import SCAN_TOML, scanning_service

CODE = "TB1.number.1900-01-01.A001"


@pytest.mark.parametrize("text", [CODE, "粤康码 东莞", "𠮷䶮", "A 001\r\nB"])
@pytest.mark.parametrize("codec", ["utf-8", "gb18030"])
def test_chinese_codes_are_read_in_both_character_sets(text: str, codec: str) -> None:
    assert scan_text(text.encode(codec)) == text


def test_gbk_that_happens_to_be_utf_8_is_read_as_chinese() -> None:
    code = "拢".encode("gbk")
    assert code.decode("utf-8")  # the trap: it is a Greek or Latin letter too
    assert scan_text(code) == "拢"


@pytest.mark.parametrize(
    ("code", "words"),
    [
        (b"\xff\xfe\x00\x01", "neither UTF-8 nor GB18030"),
        (b" \r\n", "empty"),
        (b"A" * (TEXT_CHARACTERS_MAX + 1), "at most 500"),
        (b"A\x00B", "no text"),
        (b"\x1b[2J", "no text"),
    ],
)
def test_what_is_no_text_is_refused_with_the_reason(code: bytes, words: str) -> None:
    with pytest.raises(ScanError, match=words):
        scan_text(code)


@given(st.binary(min_size=1, max_size=messages.SCAN_BYTES_MAX))
def test_any_bytes_are_text_or_refused(code: bytes) -> None:
    try:
        text = scan_text(code)
    except ScanError:
        return
    assert 0 < len(text) <= TEXT_CHARACTERS_MAX


@given(st.binary(min_size=1, max_size=1024), st.integers(1, 505))
def test_parts_are_joined_whole(code: bytes, size: int) -> None:
    parts = ScanParts()
    got = [parts.add(7, at, len(code), code[at : at + size]) for at in range(0, len(code), size)]
    assert got == [None] * (len(got) - 1) + [code]


@pytest.mark.parametrize(
    "sent",
    [
        [(7, 5, 10, b"12345")],  # the first is missing
        [(7, 0, 10, b"12345"), (7, 6, 10, b"1234")],  # a gap
        [(7, 0, 10, b"12345"), (8, 5, 10, b"12345")],  # of another scan
        [(7, 0, 10, b"12345"), (7, 5, 9, b"1234")],  # another length
        [(7, 0, 3, b"12345")],  # more than was said
        [(7, 0, 1025, b"12345")],  # more than a code can be
    ],
)
def test_parts_that_do_not_fit_are_refused(sent: list[tuple[int, int, int, bytes]]) -> None:
    parts = ScanParts()
    for part in sent[:-1]:
        assert parts.add(*part) is None
    with pytest.raises(ScanError, match="do not fit"):
        parts.add(*sent[-1])
    assert parts.add(9, 0, 1, b"x") == b"x"


def joined() -> tuple[BoardSession, FakeBoard, Wire, list[bx.BoardEvent]]:
    events: list[bx.BoardEvent] = []
    session = BoardSession(random.Random(77).randbytes, b"agent=test\n", events.append)
    board = FakeBoard()
    wire = Wire(session, board)
    wire.run(2_000)
    return session, board, wire, events


def test_a_scan_is_asked_for_again_after_a_reboot_and_ends_with_its_code() -> None:
    session, board, wire, events = joined()
    session.scan(5)
    wire.run(200)
    assert board.scan == 5
    board.reboot()
    wire.run(3_000)
    assert board.scan == 5
    code = bytes(range(32, 127)) * 10
    board.show_code(code)
    wire.run(400)
    assert bx.Scanned(5, code) in events
    board.reboot()
    wire.run(3_000)
    assert board.scan is None


def test_a_stopped_scan_is_stopped_on_the_board_and_faults_are_told() -> None:
    session, board, wire, events = joined()
    session.scan(6)
    wire.run(100)
    board.send(messages.SCAN_FAULT, 6, states.SCAN_TOO_LONG)
    wire.run(100)
    assert bx.ScanFault(6, states.SCAN_TOO_LONG) in events
    session.stop_scan()
    wire.run(100)
    assert board.scan is None


def test_parts_without_sense_are_trouble_and_no_code() -> None:
    session, board, wire, events = joined()
    session.scan(6)
    wire.run(100)
    board.send(messages.SCAN, 6, 3, 9, tail=b"abc")
    wire.run(100)
    assert not [e for e in events if isinstance(e, bx.Scanned)]
    assert [e for e in events if isinstance(e, bx.BoardTrouble) and "do not fit" in e.text]


def visit(answer: fx.Event) -> list[fx.Effect]:
    flow = new_flow(scanning_service())
    return run(flow, flow.start(0), lambda e: answer if isinstance(e, fx.StartScan) else None)


def test_a_code_goes_into_the_record_and_nowhere_else() -> None:
    trace = visit(fx.CodeScanned(CODE))
    assert [kind for kind in kinds(trace) if kind != "StopScan"] == [
        *("StartRead", "StartScan", "scan.show", "Append", "card.take", "Append", "done"),
    ]
    append = next(e for e in trace if isinstance(e, fx.Append))
    assert append.bodies == (ServiceFact("parcel", 1, {"code": CODE}, HOLDER.person, visit=True),)
    assert CODE.encode() not in append.save
    said = [e.fields for e in trace if isinstance(e, fx.Say)]
    assert fx.StopScan() in trace
    assert said


@pytest.mark.parametrize(
    ("reason", "text"),
    [("unreadable", "scan.unreadable"), ("device_fault", "scan.fault")],
)
def test_without_a_code_people_hear_an_honest_no(reason: str, text: str) -> None:
    trace = visit(fx.CodeNotScanned(reason))
    assert text in kinds(trace)
    assert fx.StopScan() in trace
    assert not any(isinstance(e, fx.Append) and e.bodies for e in trace)


def test_a_broken_scanner_is_not_waited_for() -> None:
    flow = new_flow(scanning_service(), faults=frozenset({states.BARCODE_READER}))
    assert "StartScan" not in kinds(run(flow, flow.start(0)))
    assert flow.end_name == "desk"


def test_a_text_may_not_repeat_a_code() -> None:
    repeating = '["parcel.told"]\nzh-CN = "{scanned}"\nyue = "{scanned}"\nen = "{scanned}"\n'
    files = [(file.name, file.read_text("utf-8")) for file in (AGENT / "texts").glob("*.toml")]
    texts = parse_texts([*files, ("parcel.toml", repeating)])
    told = SCAN_TOML.replace('text = "card.take"', 'text = "parcel.told"')
    definition = parse_definition("parcel.toml", told, texts)
    with pytest.raises(DefinitionError, match="neither screen, voice nor slip repeats it"):
        check_definition("parcel.toml", definition, texts)


def test_a_record_that_needs_a_code_stands_behind_a_scan() -> None:
    early = SCAN_TOML.replace('no_card = "ask"', 'no_card = "note"')
    with pytest.raises(DefinitionError, match=r"needs 'scanned', which is not sure here"):
        load(early.replace("person = true\n", ""))
