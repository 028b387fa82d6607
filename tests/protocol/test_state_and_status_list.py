"""A terminal's state and the centre's status list: signed, bounded, for whom they are."""

from contextlib import suppress

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from protocol.errors import LocalError, Reason, StateError, StatusListError
from protocol.state import (
    ALARMS_MAX,
    STATE_BYTES_MAX,
    STATE_DOMAIN,
    WILL_NUMBER,
    Alarm,
    DeviceCondition,
    DeviceCounters,
    TerminalState,
    open_state,
    sign_state,
)
from protocol.status_list import (
    CODE_NONE,
    ENTRIES_MAX,
    STATUS_LIST_BYTES_MAX,
    STATUS_LIST_DOMAIN,
    Scrypt,
    StatusList,
    open_status_list,
    sign_status_list,
)
from tests.protocol.sample import (
    CENTRE,
    DEVICE,
    OTHER_CENTRE,
    OTHER_DEVICE,
    TERMINAL,
    entropy,
)

U63 = st.integers(0, 2**63 - 1)
WORDS = st.text(min_size=1, max_size=64)
STATE = TerminalState(
    number=5,
    online=True,
    at_ms=1_760_000_000_000,
    time_quality=2,
    first_unsettled_seq=44,
    backlog=3,
    oldest_age_ms=1500,
    versions={"agent": "0.1.0"},
    devices=(DeviceCondition(2, 4, 3),),
    alarms=(Alarm("paper_out", 1_760_000_000_000),),
    counters=(DeviceCounters(2, (70, 1, 2**32 - 1)),),
)
SCRYPT = Scrypt(entropy("salt", 16), log2_n=4, r=1)
LIST = StatusList(
    9, 1000, 2000, SCRYPT, {SCRYPT.digest("C", "441900190001010027"): 2, b"a" * 12: 1}
)


@settings(max_examples=60, deadline=None)
@given(
    st.integers(0, 2**64 - 1),
    st.builds(
        TerminalState,
        number=st.integers(0, WILL_NUMBER),
        online=st.booleans(),
        at_ms=U63,
        time_quality=st.integers(0, 2),
        first_unsettled_seq=U63,
        backlog=U63,
        oldest_age_ms=U63,
        versions=st.dictionaries(WORDS, WORDS, max_size=4),
        devices=st.lists(st.builds(DeviceCondition, *[st.integers(0, 255)] * 3), max_size=8).map(
            tuple
        ),
        alarms=st.lists(st.builds(Alarm, WORDS, U63), max_size=8).map(tuple),
    ),
)
def test_a_state_arrives_as_it_was(session: int, state: TerminalState) -> None:
    opened = open_state(sign_state(DEVICE, TERMINAL, session, state), DEVICE.verify_key, TERMINAL)
    assert (opened.terminal, opened.session, opened.state) == (TERMINAL, session, state)


def test_a_will_is_the_last_of_its_session_and_older_than_the_next() -> None:
    def order(session: int, number: int) -> tuple[int, int]:
        state = msgspec.structs.replace(STATE, number=number)
        raw = sign_state(DEVICE, TERMINAL, session, state)
        return open_state(raw, DEVICE.verify_key, TERMINAL).order

    assert order(3, 7) < order(3, WILL_NUMBER) < order(4, 0)


def test_a_state_is_one_devices_word_about_one_terminal() -> None:
    raw = sign_state(DEVICE, TERMINAL, 1, STATE)
    with pytest.raises(StateError) as device:
        open_state(raw, OTHER_DEVICE.verify_key, TERMINAL)
    assert device.value.reason is Reason.BAD_SIGNATURE
    with pytest.raises(StateError) as terminal:
        open_state(raw, DEVICE.verify_key, "hall-b-02")
    assert terminal.value.reason is Reason.WRONG_TERMINAL


def test_a_state_beyond_its_limits_is_not_signed() -> None:
    replace = msgspec.structs.replace
    for wrong in (
        replace(STATE, alarms=(Alarm("a", 1),) * (ALARMS_MAX + 1)),
        replace(STATE, backlog=-1),
        replace(STATE, versions={"": "1"}),
        replace(STATE, devices=(DeviceCondition(256, 0),)),
        replace(STATE, number=WILL_NUMBER + 1),
        replace(STATE, alarms=(Alarm("\ud800", 1),)),
    ):
        with pytest.raises(LocalError):
            sign_state(DEVICE, TERMINAL, 1, wrong)
    with pytest.raises(LocalError):
        sign_state(DEVICE, TERMINAL, -1, STATE)


@settings(max_examples=100, deadline=None)
@given(st.binary(max_size=200))
def test_garbage_is_a_state_error_also_when_signed(data: bytes) -> None:
    head = b"TBS1" + bytes((len(TERMINAL),)) + TERMINAL.encode() + bytes(8)
    for body in (data, b"TBS1" + data, head + len(data).to_bytes(2, "big") + data):
        for raw in (body, DEVICE.sign(STATE_DOMAIN, body)):
            with pytest.raises(StateError):
                open_state(raw, DEVICE.verify_key, TERMINAL)


def test_deep_nesting_in_a_signed_state_is_a_state_error_at_worst() -> None:
    packed = b"\x9b\x00\xc3\x00\x00\x00\x00\x00\x80\x90\x90" + b"\x91" * 9000 + b"\xc0"
    head = b"TBS1" + bytes((len(TERMINAL),)) + TERMINAL.encode() + bytes(8)
    raw = DEVICE.sign(STATE_DOMAIN, head + len(packed).to_bytes(2, "big") + packed)
    with suppress(StateError):  # how deep is too deep differs between Python versions
        open_state(raw, DEVICE.verify_key, TERMINAL)


def test_an_oversized_state_is_refused_by_its_size() -> None:
    with pytest.raises(StateError) as size:
        open_state(bytes(STATE_BYTES_MAX + 1), DEVICE.verify_key, TERMINAL)
    assert size.value.reason is Reason.TOO_LARGE


def test_a_status_list_names_people_by_their_digest_only() -> None:
    raw = sign_status_list(CENTRE, LIST)
    opened = open_status_list(raw, CENTRE.public)
    assert opened == LIST
    assert opened.lookup(opened.scrypt.digest("C", "441900190001010027")) == 2
    assert opened.lookup(opened.scrypt.digest("J", "441900190001010027")) == CODE_NONE
    assert opened.lookup(opened.scrypt.digest("C", "11010519491231002X")) == CODE_NONE
    assert b"441900" not in raw


def test_another_salt_gives_another_digest() -> None:
    other = Scrypt(entropy("other salt", 16), 4, 1)
    assert other.digest("C", "441900190001010027") not in LIST.entries


def test_the_default_cost_is_within_what_scrypt_may_use() -> None:
    assert Scrypt(entropy("salt", 16)).problem() == ""
    assert len(Scrypt(entropy("salt", 16)).digest("C", "441900190001010027")) == 12
    assert len(Scrypt(entropy("salt", 16), 16, 8, 4).digest("C", "441900190001010027")) == 12


def test_a_list_has_its_time() -> None:
    assert LIST.is_current(1999)
    assert not LIST.is_current(2000)


def test_a_list_of_the_largest_size_arrives_and_a_larger_one_is_not_signed() -> None:
    full = LIST._replace(entries={n.to_bytes(12, "big"): 1 for n in range(1, ENTRIES_MAX + 1)})
    raw = sign_status_list(CENTRE, full)
    assert len(raw) == STATUS_LIST_BYTES_MAX
    assert open_status_list(raw, CENTRE.public) == full
    with pytest.raises(LocalError):
        sign_status_list(CENTRE, full._replace(entries={**full.entries, b"x" * 12: 1}))
    with pytest.raises(StatusListError) as size:
        open_status_list(raw + b"\0", CENTRE.public)
    assert size.value.reason is Reason.TOO_LARGE


def test_only_the_centre_makes_lists() -> None:
    raw = sign_status_list(OTHER_CENTRE, LIST)
    with pytest.raises(StatusListError) as forged:
        open_status_list(raw, CENTRE.public)
    assert forged.value.reason is Reason.BAD_SIGNATURE


def test_what_does_not_fit_is_never_signed() -> None:
    for wrong in (
        LIST._replace(version=-1),
        LIST._replace(expires_ms=2**64),
        LIST._replace(entries={b"short": 1}),
        LIST._replace(entries={b"a" * 12: 0}),
        LIST._replace(entries={b"a" * 12: 256}),
        LIST._replace(scrypt=Scrypt(b"short")),
        LIST._replace(scrypt=SCRYPT._replace(log2_n=30)),
        LIST._replace(scrypt=SCRYPT._replace(r=0)),
        LIST._replace(scrypt=SCRYPT._replace(p=99)),
    ):
        with pytest.raises(LocalError):
            sign_status_list(CENTRE, wrong)


def test_a_signed_list_out_of_order_or_bounds_is_refused() -> None:
    body = sign_status_list(CENTRE, LIST)[:-64]
    entries = [body[-26:-13], body[-13:]]
    head = body[:-26]
    wrong = [
        head + entries[1] + entries[0],
        head + entries[0] + entries[0],
        head + entries[0] + entries[1][:12] + b"\0",
        head[:40] + b"\x40" + head[41:] + entries[0] + entries[1],  # 2^64
        body + b"\0",
        body[:-1],
        head[:-4] + (ENTRIES_MAX + 1).to_bytes(4, "big") + entries[0],
        b"TBL2" + body[4:],
    ]
    for changed in wrong:
        with pytest.raises(StatusListError) as error:
            open_status_list(CENTRE.sign(STATUS_LIST_DOMAIN, changed), CENTRE.public)
        assert error.value.reason is not Reason.BAD_SIGNATURE


@settings(max_examples=60, deadline=None)
@given(st.binary(max_size=200))
def test_garbage_is_a_status_list_error_also_when_signed(data: bytes) -> None:
    for body in (data, b"TBL1" + data):
        for raw in (body, CENTRE.sign(STATUS_LIST_DOMAIN, body)):
            with pytest.raises(StatusListError):
                open_status_list(raw, CENTRE.public)
