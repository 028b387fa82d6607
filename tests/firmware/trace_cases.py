"""The flight recorder: what it keeps, and that nothing of a person is in it."""

from firmware.trace import FROZEN_MS_MAX, JOIN_MS_MAX, Trace
from firmware.trace_masks import ScanMask, SdtMask
from protocol.wire import messages, states
from protocol.wire import trace_entries as te
from tests.firmware.rig import Rig

SALT = b"saltsalt"


class Clock:
    def __init__(self):
        self.now = 1000

    def read(self):
        return self.now


def entries(data):
    """[(kind, line, ms, bytes)]"""
    found = []
    at = 0
    while at < len(data):
        n = data[at + 3]
        kind, line = divmod(data[at], te.KIND_FACTOR)
        ms = data[at + 1] | data[at + 2] << 8
        found.append((kind, line, ms, bytes(data[at + 4 : at + 4 + n])))
        at += 4 + n
    assert at == len(data)
    return found


def everything(trace):
    return trace.copy(0, 1 << 15)


def unmasked(trace, line):
    """The bytes of a line with the fill in place of what was masked, as a replay has them."""
    data = bytearray()
    waiting = []
    for kind, at_line, _, taken in entries(everything(trace)):
        if at_line != line:
            continue
        if kind == te.HEARD:
            data.extend(taken)
        elif kind == te.HEARD_MASKED:
            count = taken[0] | taken[1] << 8
            waiting.append((len(data), count))
            data.extend(bytes(count))
        elif kind == te.FILL:
            for start, count in waiting:
                data[start : start + count] = bytes(taken * count)
            waiting.clear()
    return bytes(data)


def case_entries_come_back_oldest_first_with_their_times(vectors, folder):
    clock = Clock()
    trace = Trace(clock.read, SALT, 64)
    for at, gap_ms in enumerate((0, 7, 300, 100_000)):
        clock.now += gap_ms
        trace.put(te.SAID, 3 + at % 2, bytes((at, 9)), 0, 2)
    assert entries(everything(trace)) == [
        (te.MARK, 0, 0, bytes((te.MARK_START,))),
        (te.SAID, 3, 0, b"\x00\x09"),
        (te.SAID, 4, 7, b"\x01\x09"),
        (te.SAID, 3, 300, b"\x02\x09"),
        (te.SAID, 4, te.GAP_MS_MAX, b"\x03\x09"),
    ]
    assert trace.copy(5, 3) == everything(trace)[5:8]


def case_the_oldest_makes_room_whole(vectors, folder):
    clock = Clock()
    trace = Trace(clock.read, SALT, 100)
    for number in range(200):
        clock.now += 100
        trace.put(te.HEARD, 1, bytes((number,)) * (number % 13), 0, number % 13)
        kept = entries(everything(trace))
        assert len(everything(trace)) <= 100
        assert kept[-1] == (te.HEARD, 1, 100, bytes((number,)) * (number % 13))
    assert trace.lost + len(kept) == 201


def case_bytes_that_come_close_are_one_entry(vectors, folder):
    clock = Clock()
    trace = Trace(clock.read, SALT, 600)
    for _ in range(300):
        clock.now += 1
        trace.put(te.HEARD, 1, b"a", 0, 1)
    for _ in range(3):
        trace.masked(te.HEARD_MASKED, 1, 200)
    clock.now += JOIN_MS_MAX + 1
    trace.masked(te.HEARD_MASKED, 1, 1)
    found = [(kind, taken) for kind, _, _, taken in entries(everything(trace))[1:]]
    masked = [(te.HEARD_MASKED, b"\x58\x02"), (te.HEARD_MASKED, b"\x01\x00")]
    lengths = [len(taken) for kind, taken in found if kind == te.HEARD]
    assert sum(lengths) == 300
    assert found[-2:] == masked


def case_what_is_too_long_for_an_entry_is_several(vectors, folder):
    trace = Trace(Clock().read, SALT, 1000)
    trace.put(te.SAID, 2, bytes(600), 0, 600)
    assert [len(e[3]) for e in entries(everything(trace))] == [1, 255, 255, 90]


def case_a_card_is_masked_and_its_frame_stays_sound(vectors, folder):
    sam = {name: bytes.fromhex(text) for name, text in vectors["sam"].items()}
    reply, text = sam["read_reply_citizen"], sam["text_citizen"]
    for step in (1, 7, 200, 2000):
        trace = Trace(Clock().read, SALT)
        mask = SdtMask(trace, 1)
        for data in (sam["rep_find_ok"], b"\x00noise", reply, sam["rep_no_card"]):
            for at in range(0, len(data), step):
                part = data[at : at + step]
                mask.heard(part, len(part))
        kept = unmasked(trace, 1)
        assert len(kept) == len(sam["rep_find_ok"]) + 6 + len(reply) + len(sam["rep_no_card"])
        assert kept.startswith(sam["rep_find_ok"])
        assert kept.endswith(sam["rep_no_card"])
        frame = kept[len(sam["rep_find_ok"]) + 6 :][: len(reply)]
        check = 0
        for byte in frame[5:]:
            check ^= byte
        assert check == 0
        assert frame[:14] == reply[:14]
        assert frame[14 + 248] == text[248]
        raw = everything(trace)
        for start in range(0, 250, 2):
            if any(text[start : start + 6]) and text[start : start + 2] != b"\x20\x00":
                assert text[start : start + 6] not in raw, start


def case_a_wrong_check_byte_stays_wrong(vectors, folder):
    reply = bytearray(bytes.fromhex(vectors["sam"]["read_reply_citizen"]))
    reply[-1] ^= 0x40
    trace = Trace(Clock().read, SALT)
    SdtMask(trace, 1).heard(reply, len(reply))
    check = 0
    for byte in unmasked(trace, 1)[5:]:
        check ^= byte
    assert check == 0x40


def case_two_cards_differ_and_the_same_card_does_not(vectors, folder):
    replies = [bytes.fromhex(vectors["sam"][n]) for n in ("read_reply_citizen",) * 2]
    other = bytearray(replies[0])
    other[20] ^= 1
    other[-1] ^= 1
    fills = []
    replies.append(bytes(other))
    for reply in replies:
        trace = Trace(Clock().read, SALT)
        SdtMask(trace, 1).heard(reply, len(reply))
        fills.append(unmasked(trace, 1)[20])
    assert fills[0] == fills[1] != fills[2]


def case_a_scan_is_masked_and_a_reply_is_not(vectors, folder):
    trace = Trace(Clock().read, SALT)
    mask = ScanMask(trace, 7)
    reply = b"\x02\x00\x00\x01\x3e\xe4\xac"
    for data in (reply, b"441900190001010027\r", reply[:3] + b"\x7fX\r"):
        for byte in data:
            mask.heard(bytes((byte,)), 1)
    assert unmasked(trace, 7) == reply + b"x" * 18 + b"\r" + reply[:3] + b"xx\r"
    assert b"19000101" not in everything(trace)


def case_a_message_leaves_its_length_and_no_crc_of_what_is_printed(vectors, folder):
    trace = Trace(Clock().read, SALT)
    name = b"\xd1\xf9\xc0\xfd\xbc\xd7"
    trace.message(te.MESSAGE_IN, messages.pack(messages.SAY, 5, 10, 4, tail=name))
    trace.message(te.MESSAGE_IN, messages.pack(messages.PRINT_RUN, 8, 700, 0xDEADBEEF))
    trace.message(te.MESSAGE_OUT, b"\xee??")
    said = [entry[3] for entry in entries(everything(trace))[1:]]
    assert said == [
        messages.pack(messages.SAY, 5, 10, 4, tail=b"-")[:-1] + b"\x06\x00",
        messages.pack(messages.PRINT_RUN, 8, 700, 0) + b"\x00\x00",
        b"\xee\x02\x00",
    ]


def case_the_whole_firmware_leaves_a_trace_without_a_person(vectors, folder):
    rig = Rig(vectors, folder)
    rig.up()
    rig.agent.send(messages.READ_CARD, 5, 0)
    rig.card = "rep_find_ok"
    text = rig.heard(messages.CARD)[0][2]
    job = b"\x1b\x40" + b"441900190001010027 \xd1\xf9\xc0\xfd\xbc\xd7\n"
    rig.agent.send(messages.SAY, 9, 10, 4, tail=b"\xd1\xf9\xc0\xfd\xbc\xd7")
    import binascii

    rig.print_job(8, job, binascii.crc32(job))
    rig.agent.send(messages.PULSE, 7, 200)
    rig.heard(messages.EFFECT_RESULT, 2)
    rig.heard(messages.SPEECH, 2)
    data = fetched(rig)
    kinds = {(kind, line) for kind, line, _, _ in entries(data)}
    wanted = {
        (te.HEARD, 1),
        (te.SAID, 1),
        (te.HEARD_MASKED, 1),
        (te.SAID_MASKED, 2),
        (te.SAID, te.PIN_LINE + 4),
    }
    assert kinds >= wanted | {(te.SAID_MASKED, 3), (te.MESSAGE_IN, 0), (te.MESSAGE_OUT, 0)}
    for secret in (b"19000101", b"\xd1\xf9\xc0\xfd", text[:6], text[122:134]):
        assert secret not in data
    before = len(entries(everything(rig.app.trace)))
    rig.agent.send(messages.TRACE_CLOSE)
    rig.run(2000)
    assert len(entries(everything(rig.app.trace))) != before, "it records again"


def fetched(rig):
    rig.agent.send(messages.TRACE_OPEN)
    total = rig.heard(messages.TRACE_INFO)[0][0]
    data = b""
    while len(data) < total:
        count = len(rig.agent.of(messages.TRACE_PART))
        rig.agent.send(messages.TRACE_READ, len(data))
        data += rig.heard(messages.TRACE_PART, count + 1)[-1][1]
    assert data == everything(rig.app.trace), "it stands still meanwhile"
    return data


def case_a_trace_that_nobody_closes_goes_on(vectors, folder):
    rig = Rig(vectors, folder)
    rig.up()
    rig.agent.send(messages.TRACE_OPEN)
    rig.heard(messages.TRACE_INFO)
    still = everything(rig.app.trace)
    rig.run(FROZEN_MS_MAX // 2)
    assert everything(rig.app.trace) == still
    rig.run(FROZEN_MS_MAX)
    assert everything(rig.app.trace) != still
    rig.agent.send(messages.TRACE_READ, 0)
    rig.run(200)
    assert rig.agent.of(messages.TRACE_PART) == [], "only an open trace can be read"
    assert rig.agent.of(messages.DEVICE)[-1][1] in (states.ONLINE, states.NO_DEVICE)


CASES = [value for name, value in sorted(globals().items()) if name.startswith("case_")]
