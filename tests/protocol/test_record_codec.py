"""Records: what is sealed can be read for ever, and garbage is one kind of error."""

from contextlib import suppress

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from protocol.errors import LocalError, Reason, RecordError, RecordRefusedError
from protocol.fields import TICKET_NUMBER_PATTERN
from protocol.records import (
    ANSWERED_AT_DESK,
    CODING_MSGPACK,
    GROUND_OFFICER,
    KINDS,
    NOTE_CASE,
    NOTE_STACKED,
    RECORD_BYTES_MAX,
    Body,
    CashCassette,
    CashNote,
    CashPayment,
    Common,
    DeviceState,
    GatePassage,
    HelpAnswered,
    HelpCall,
    Person,
    PrintOutcome,
    ServiceFact,
    TerminalStarted,
    TicketIssued,
    decode,
    encode,
    is_visit,
)
from tests.protocol.sample import COMMON, HOLDER, OUTCOME, PASSAGE, read_json

U8, U32, U63 = st.integers(0, 255), st.integers(0, 2**32 - 1), st.integers(0, 2**63 - 1)
NAMES = st.text(min_size=1, max_size=64)
PEOPLE = st.builds(
    Person,
    st.sampled_from("CJI"),
    st.text("0123456789X", min_size=5, max_size=24),
    st.text(max_size=60),
)
BYTES8 = st.binary(min_size=8, max_size=8)
VALUES = st.text(max_size=200) | st.integers(-(2**63), 2**63 - 1)
BODIES: st.SearchStrategy[Body] = st.one_of(
    st.builds(GatePassage, NAMES, U32, st.integers(1, 2), PEOPLE, U8, U32),
    st.builds(
        ServiceFact,
        NAMES,
        U32,
        st.dictionaries(NAMES, VALUES, max_size=5),
        PEOPLE | st.none(),
        st.booleans(),
    ),
    st.builds(PrintOutcome, st.integers(0, 2**64 - 1), st.integers(1, 3), U63),
    st.builds(HelpCall, U32, U32),
    st.builds(TerminalStarted, NAMES, NAMES),
    st.builds(DeviceState, U8, U8, U8),
    st.builds(
        TicketIssued,
        NAMES,
        U32,
        NAMES,
        st.from_regex(TICKET_NUMBER_PATTERN, fullmatch=True),
        st.dates().map(str),
        st.integers(1, 2),
        PEOPLE,
        PEOPLE | st.none(),
    ),
    st.builds(HelpAnswered, U32, U32, st.integers(1, 2)),
    st.builds(CashNote, U63, BYTES8, U32, st.integers(1, 3), U8, U8),
    st.builds(
        CashPayment,
        NAMES,
        U32,
        BYTES8,
        U32,
        U32,
        U32,
        st.text(max_size=24),
        PEOPLE | st.none(),
    ),
    st.builds(CashCassette, U32, U32),
)
COMMONS = st.builds(
    Common,
    st.integers(1, 255),
    U63,
    st.integers(0, 2),
    U63,
    st.binary(min_size=8, max_size=8),
    st.binary(min_size=8, max_size=8),
)


@settings(max_examples=100, deadline=None)
@given(COMMONS, BODIES)
def test_what_is_encoded_is_decoded_the_same(common: Common, body: Body) -> None:
    kind, coding, data = encode(common, body)
    assert KINDS[kind].body is type(body)
    assert decode(kind, coding, data) == (common, body)


def test_golden_bytes_of_every_version_decode_for_ever() -> None:
    golden = read_json("golden_records.json")["records"]
    for row in golden:
        common, body = decode(row["kind"], row["coding"], bytes.fromhex(row["data"]))
        assert type(body).__name__ == KINDS[row["kind"]].body.__name__
        assert common == msgspec.structs.replace(COMMON, version=row["version"])
        assert KINDS[row["kind"]].name == row["name"]
    held = {(row["kind"], row["version"]) for row in golden}
    needed = {(kind, v) for kind, info in KINDS.items() for v in range(1, info.version + 1)}
    assert needed <= held, "a new kind or version needs its golden bytes"


def test_golden_bytes_say_what_they_said() -> None:
    golden = read_json("golden_records.json")["records"]
    bodies = [decode(r["kind"], r["coding"], bytes.fromhex(r["data"]))[1] for r in golden]
    assert bodies == [
        PASSAGE,
        GatePassage("gate.visit", 3, 2, Person("J", "810000190001010034", "样例乙"), 4, 0),
        ServiceFact(
            "library.card",
            2,
            {"shelf": "甲-3", "count": 4},
            Person("I", "AAA110000000000", "样例丙"),
            True,
        ),
        ServiceFact("bus.charter", 1, {}, None, False),
        PrintOutcome(2**63 + 5, 1, 41),
        HelpCall(9, 250),
        TerminalStarted("0.1.0", "power_on"),
        DeviceState(2, 4, 3),
        TicketIssued(
            "number",
            1,
            "social",
            "B-017",
            "2026-08-02",
            GROUND_OFFICER,
            PASSAGE.person,
            Person("C", "440102190002020046", "样例乙"),
        ),
        HelpAnswered(9, 41_250, ANSWERED_AT_DESK),
        CashNote(2**33 + 7, b"payment1", 10_000, NOTE_STACKED),
        CashNote(2**33 + 8, b"payment1", 2_000, NOTE_CASE, 4, 64),
        CashPayment("fee", 1, b"payment1", 2_500, 10_000, 2_500, "VB-017", PASSAGE.person),
        CashPayment("fee", 1, b"payment2", 2_500, 0, 0),
        CashCassette(41, 123_400),
    ]


def test_fields_that_a_newer_terminal_adds_are_ignored() -> None:
    common = [*msgspec.to_builtins(COMMON, builtin_types=(bytes,)), "new", {"in": ["common"]}]
    common[0] = 2
    body = [5, 1, 1, "newer", [1, 2, 3]]
    decoded_common, decoded = decode(3, CODING_MSGPACK, msgspec.msgpack.encode([common, body]))
    assert decoded == OUTCOME
    assert decoded_common.version == 2


def test_optional_fields_that_an_older_terminal_leaves_out_have_their_default() -> None:
    common = msgspec.to_builtins(COMMON, builtin_types=(bytes,))
    person = msgspec.to_builtins(HOLDER)
    data = msgspec.msgpack.encode([common, ["gate.visit", 3, 1, person]])
    assert decode(1, CODING_MSGPACK, data)[1] == msgspec.structs.replace(PASSAGE, list_version=0)


@pytest.mark.parametrize(
    ("common", "body"),
    [
        (COMMON, GatePassage("gate.visit", 3, 3, HOLDER)),
        (COMMON, GatePassage("", 3, 1, HOLDER)),
        (COMMON, PrintOutcome(1, 0, 1)),
        (COMMON, PrintOutcome(-1, 1, 1)),
        (COMMON, PrintOutcome(2**64, 1, 1)),
        (COMMON, DeviceState(256, 0)),
        (COMMON, ServiceFact("s", 1, {"f": 2**63})),
        (COMMON, ServiceFact("s", 1, {"f": "\ud800"})),
        (COMMON, ServiceFact("s", 1, {"f": [1]})),  # type: ignore[dict-item]
        (COMMON, ServiceFact("s", 1, {str(n): 1 for n in range(65)})),
        (COMMON, ServiceFact("s", 1, {str(n): "x" * 500 for n in range(40)})),
        (Common(0, 1, 0, 1, b"8bytes..", b"8bytes.."), OUTCOME),
        (Common(1, -1, 0, 1, b"8bytes..", b"8bytes.."), OUTCOME),
        (Common(1, 1, 3, 1, b"8bytes..", b"8bytes.."), OUTCOME),
        (Common(1, 1, 0, 1, b"short", b"8bytes.."), OUTCOME),
        (COMMON, HOLDER),
    ],
)
def test_what_the_centre_must_refuse_is_never_sealed(common: Common, body: Body) -> None:
    with pytest.raises(RecordRefusedError) as refused:
        encode(common, body)
    assert isinstance(refused.value, LocalError)


def test_unknown_kind_and_coding_say_so() -> None:
    _, _, data = encode(COMMON, OUTCOME)
    with pytest.raises(RecordError) as kind:
        decode(999, CODING_MSGPACK, data)
    assert kind.value.reason is Reason.UNKNOWN_KIND
    with pytest.raises(RecordError) as coding:
        decode(3, 2, data)
    assert coding.value.reason is Reason.UNKNOWN_CODING
    with pytest.raises(RecordError) as size:
        decode(3, CODING_MSGPACK, data + bytes(RECORD_BYTES_MAX))
    assert size.value.reason is Reason.TOO_LARGE


@pytest.mark.parametrize("kind", KINDS)
@settings(max_examples=60, deadline=None)
@given(data=st.binary(max_size=200))
def test_garbage_is_a_record_error(kind: int, data: bytes) -> None:
    with pytest.raises(RecordError):
        decode(kind, CODING_MSGPACK, data)


def test_every_truncation_and_every_changed_byte_is_a_record_or_a_record_error() -> None:
    kind, coding, data = encode(COMMON, PASSAGE)
    for size in range(len(data)):
        with pytest.raises(RecordError):
            decode(kind, coding, data[:size])
    decoded = refused = 0
    for at in range(len(data)):
        for byte in range(256):
            try:
                decode(kind, coding, data[:at] + bytes((byte,)) + data[at + 1 :])
                decoded += 1
            except RecordError:
                refused += 1
    assert decoded > 256
    assert refused > 256


@pytest.mark.parametrize("deep", [b"\x91", b"\x81\xa1k", b"\x91\x81\xa1k"])
def test_deep_nesting_is_a_record_error_at_worst(deep: bytes) -> None:
    _, coding, data = encode(COMMON, TerminalStarted("a", "b"))
    nest = deep * (8000 // len(deep))
    nested = data[:-5] + b"\x93\xa1a\xa1b" + nest[: 8000 // len(deep) * len(deep)]
    with suppress(RecordError):  # how deep is too deep differs between Python versions
        decode(5, coding, nested + b"\xc0")


def test_lengths_that_lie_are_record_errors_and_take_no_memory() -> None:
    for head in (b"\xdd\xff\xff\xff\xff", b"\xdf\xff\xff\xff\xff", b"\xc6\xff\xff\xff\xff"):
        for prefix in (b"", b"\x92", b"\x92\x96"):
            with pytest.raises(RecordError):
                decode(1, CODING_MSGPACK, prefix + head)


def test_numbers_and_names_stay_out_of_repr_and_error_texts() -> None:
    assert "441900" not in repr(PASSAGE)
    assert "样例" not in repr(PASSAGE)
    bad = Person("C", "441900190001010027" * 2, "样例甲")
    with pytest.raises(RecordRefusedError) as refused:
        encode(COMMON, GatePassage("gate.visit", 3, 1, bad))
    assert "441900" not in str(refused.value)


@pytest.mark.parametrize("document", ["P", "", "C\n", "CJ", "c"])
def test_a_person_has_a_document_that_we_read(document: str) -> None:
    with pytest.raises(ValueError, match="one of C, J, I"):
        Person(document, "441900190001010027", "样例甲")
    common = msgspec.to_builtins(COMMON, builtin_types=(bytes,))
    person = [document, "441900190001010027", "样例甲"]
    data = msgspec.msgpack.encode([common, ["gate.visit", 3, 1, person]])
    with pytest.raises(RecordError) as refused:
        decode(1, CODING_MSGPACK, data)
    assert "441900" not in str(refused.value)


def test_a_visit_is_said_by_the_kind_or_by_the_service() -> None:
    assert is_visit(1, PASSAGE)
    assert not is_visit(3, OUTCOME)
    assert is_visit(2, ServiceFact("s", 1, {}, None, True))
    assert not is_visit(2, ServiceFact("s", 1, {}))


def test_numbers_of_kinds_never_change() -> None:
    named = {kind: info.name for kind, info in KINDS.items() if kind <= 11}
    assert named == {
        1: "gate.passage",
        2: "service.fact",
        3: "print.outcome",
        4: "help.call",
        5: "terminal.started",
        6: "device.state",
        7: "ticket.issued",
        8: "help.answered",
        9: "cash.note",
        10: "cash.payment",
        11: "cash.cassette",
    }
