"""Board messages: what one side packs the other reads; everything else is refused by name."""

import re
import struct
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from protocol.wire import messages, states, ticks
from protocol.wire.frames import MESSAGE_MAX
from protocol.wire.messages import MessageError, pack, unpack

KINDS = sorted(messages.FORMS)
BITS = {"B": 8, "H": 16, "I": 32, "Q": 64}
PLAN = Path(__file__).resolve().parents[2] / "docs" / "architecture.md"


@st.composite
def parts(draw: st.DrawFn) -> tuple[int, tuple[int, ...], bytes]:
    kind = draw(st.sampled_from(KINDS))
    form = messages.FORMS[kind]
    least, most = messages.TAILS.get(kind, (0, 0))
    fields = tuple(draw(st.integers(0, 2 ** BITS[letter] - 1)) for letter in form[1:])
    return kind, fields, draw(st.binary(min_size=least, max_size=most))


@settings(max_examples=200, deadline=None)
@given(parts())
def test_what_is_packed_is_unpacked(given_parts: tuple[int, tuple[int, ...], bytes]) -> None:
    kind, fields, tail = given_parts
    data = pack(kind, *fields, tail=tail)
    assert len(data) <= MESSAGE_MAX
    for form in (bytes, bytearray, memoryview):
        got_kind, got_fields, got_tail = unpack(form(data))
        assert (got_kind, got_fields, bytes(got_tail)) == given_parts


@settings(max_examples=300, deadline=None)
@given(st.one_of(st.binary(max_size=600), parts().map(lambda p: pack(*p[:1], *p[1], tail=p[2]))))
def test_any_bytes_are_a_message_or_refused(data: bytes) -> None:
    try:
        kind, fields, tail = unpack(data)
    except MessageError:
        return
    assert pack(kind, *fields, tail=tail) == data


@pytest.mark.parametrize("kind", KINDS)
def test_every_wrong_length_is_refused(kind: int) -> None:
    head = 1 + struct.calcsize(messages.FORMS[kind])
    least, most = messages.TAILS.get(kind, (0, 0))
    right = range(head + least, head + most + 1)
    for size in range(1, 600):
        data = bytes([kind]) + bytes(size - 1)
        if size in right:
            assert unpack(data)[0] == kind
        else:
            with pytest.raises(MessageError, match=f"message {kind:02x}"):
                unpack(data)


def test_unknown_kinds_and_nothing_are_refused() -> None:
    with pytest.raises(MessageError, match="empty"):
        unpack(b"")
    for kind in set(range(256)) - set(KINDS):
        with pytest.raises(MessageError, match="unknown kind"):
            unpack(bytes([kind]) + bytes(20))
        with pytest.raises(MessageError, match="unknown kind"):
            pack(kind)


@pytest.mark.parametrize(
    ("kind", "fields", "tail"),
    [
        (messages.READ_CARD, (1,), b""),
        (messages.READ_CARD, (1, 2, 3), b""),
        (messages.READ_CARD, (1, 65536), b""),
        (messages.READ_CARD, (-1, 0), b""),
        (messages.PULSE, (2**64, 100), b""),
        (messages.LAMP, (1, 256), b""),
        (messages.HUSH, (), b"x"),
        (messages.SAY, (1, 10, 4), b""),
        (messages.SAY, (1, 10, 4), bytes(201)),
        (messages.CARD, (1, ord("C")), bytes(255)),
        (messages.PRINT_DATA, (1, 0), bytes(502)),
        (messages.EVENT, (1, 1, 0), bytes(33)),
    ],
)
def test_what_would_not_be_understood_is_not_packed(
    kind: int, fields: tuple[int, ...], tail: bytes
) -> None:
    with pytest.raises(MessageError):
        pack(kind, *fields, tail=tail)


def test_the_table_is_the_one_in_the_plan() -> None:
    letters = {"u8": "B", "u16": "H", "u32": "I", "u64": "Q"}
    rows = re.findall(
        r"^\| ([0-9A-F]{2}) \| ([A-Z_]+) \| (.*?) \| (agent|board) \|$",
        PLAN.read_text("utf-8"),
        re.M,
    )
    assert [int(row[0], 16) for row in rows] == KINDS
    for number, name, fields, sender in rows:
        kind = int(number, 16)
        form = "<" + "".join(letters[size] for size in re.findall(r"\bu(?:8|16|32|64)\b", fields))
        assert (messages.NAMES[kind], messages.FORMS[kind]) == (name, form)
        assert getattr(messages, name) == kind
        assert (kind >= messages.FIRST_OF_BOARD) == (sender == "board")
        assert (kind in messages.TAILS) == ("+tail" in fields)


def test_every_number_has_its_name() -> None:
    names = states.STATE_NAMES
    assert names[states.ONLINE] == "online"
    assert names[states.STARTING] == "starting"
    assert len(names) == len(set(names)) == 10
    assert len(states.DEVICE_NAMES) == states.DEVICE_COUNT + 1
    assert states.DEVICE_NAMES[states.HELP_BUTTON] == "help_button"
    assert states.OUTCOME_NAMES[states.NEVER_SEEN] == "never seen"
    assert states.CARD_FAULT_NAMES[states.CARD_TIME_LIMIT] == "time limit"
    assert states.SPEECH_NAMES[states.SPEECH_FAILED] == "failed"
    assert states.EVENT_NAMES[states.GATE_PASSED] == "gate passed"
    details = [v for k, v in vars(states).items() if k.startswith(("DETAIL_", "PAPER_"))]
    assert {n for n in details if isinstance(n, int)} < set(states.DETAIL_NAMES)
    assert len(set(states.DETAIL_NAMES.values())) == len(states.DETAIL_NAMES)


INSTANTS = st.integers(0, ticks.TICKS_MASK)


@settings(max_examples=200, deadline=None)
@given(INSTANTS, st.integers(-(2**29), 2**29 - 1))
def test_ticks_differ_by_what_was_added_over_any_wrap(instant: int, ms: int) -> None:
    later = ticks.add(instant, ms)
    assert 0 <= later <= ticks.TICKS_MASK
    assert ticks.diff(later, instant) == ms
