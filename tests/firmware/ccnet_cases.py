"""What the driver of a bill acceptor promises, byte by byte against the vectors. Runs under CPython
and MicroPython.
"""

from firmware.drivers import ccnet_acceptor, ccnet_frames
from firmware.drivers.ccnet_acceptor import MISSED_MAX, NAKS_MAX
from firmware.drivers.ccnet_bills import BillTable
from protocol.wire import states
from protocol.wire.messages import CASH_ACCEPT, CASH_STATE
from tests.firmware.cash_scene import ALL_NOTES, SESSION, CashScene
from tests.firmware.scene import hexes

# ---- frames


def case_every_frame_of_the_vectors_has_its_crc_and_is_found(vectors, folder):
    for name, text in vectors["ccnet"].items():
        frame = bytes.fromhex(text)
        assert ccnet_frames.crc16(frame, len(frame)) == 0, name
        replies = ccnet_frames.CcnetReplies()
        assert replies.take(frame, 0, len(frame)) == len(frame)
        assert replies.result == ccnet_frames.FRAME, name
        data = bytes([replies.data(at) for at in range(replies.length)])
        assert data == frame[3:-2], name


def case_crc_is_kermit(vectors, folder):
    assert ccnet_frames.crc16(b"123456789", 9) == 0x2189


def case_commands_are_those_of_the_vectors(vectors, folder):
    names = {
        "ack": ccnet_frames.ACK,
        "nak": ccnet_frames.NAK,
        "reset": ccnet_frames.RESET,
        "poll": ccnet_frames.POLL,
        "stack": ccnet_frames.STACK,
        "ret": ccnet_frames.RETURN,
        "hold": ccnet_frames.HOLD,
        "ident": ccnet_frames.IDENTIFICATION,
        "table": ccnet_frames.BILL_TABLE,
    }
    for name, frame in names.items():
        assert hexes(frame) == vectors["ccnet"][name], name
    frame = ccnet_frames.enable_frame()
    for types, name in ((0xFFFFFF, "enable_all_escrow"), (0, "disable"), (0x3F, None)):
        ccnet_frames.set_enabled(frame, types)
        assert hexes(frame) == vectors["ccnet"][name or "enable_0_to_5_escrow"]


def case_a_frame_is_found_behind_noise_and_behind_beginnings(vectors, folder):
    idle = bytes.fromhex(vectors["ccnet"]["idle"])
    for noise in (
        b"\x02",
        b"\x02\x03",
        b"\xff\x02\x02\x03\x03",
        b"\x02\x03\x07\x02\x03",
        b"\x00" * 9,
    ):
        replies = ccnet_frames.CcnetReplies()
        data = noise + idle + idle
        found = at = 0
        while True:
            at = replies.take(data, at, len(data))
            if replies.result == ccnet_frames.NOTHING:
                break
            if replies.result == ccnet_frames.FRAME:
                assert replies.data(0) == 0x14
                found += 1
        assert found == 2, hexes(noise)


def case_a_flipped_bit_is_never_a_frame(vectors, folder):
    good = bytes.fromhex(vectors["ccnet"]["stacked_3"])
    for bit in range(8 * len(good)):
        bad = bytearray(good)
        bad[bit // 8] ^= 1 << bit % 8
        replies = ccnet_frames.CcnetReplies()
        replies.take(bad, 0, len(bad))
        assert replies.result != ccnet_frames.FRAME, bit


def table_of(rows):
    data = b"".join(rows)
    frame = bytearray(b"\x02\x03\x7d" + data + bytes(120 - len(data)) + b"\x00\x00")
    crc = ccnet_frames.crc16(frame, 123)
    frame[123], frame[124] = crc & 0xFF, crc >> 8
    replies = ccnet_frames.CcnetReplies()
    replies.take(frame, 0, len(frame))
    assert replies.result == ccnet_frames.FRAME
    bills = BillTable()
    bills.read(replies)
    return bills


def case_the_bill_table_may_hold_any_order_exponents_and_empty_rows(vectors, folder):
    rows = (
        b"\x01CNY\x02",
        bytes(5),
        b"\xc8CHN\x81",
        b"\x05CHN\x00",
        b"\x05USD\x00",
        b"\x02CHN\x00",
    )
    bills = table_of(rows)
    assert [bills.yuan(kind) for kind in range(6)] == [100, 0, 20, 5, 0, 0]
    assert bills.types(0b100010) == 0b001001
    assert bills.types(ALL_NOTES) == 0b001101
    assert bills.mask(bills.types(ALL_NOTES)) == 1 << 5 | 1 << 3 | 1 << 1
    assert bills.yuan(24) == bills.yuan(-1) == 0


def case_a_table_of_fractions_and_of_huge_powers_takes_nothing(vectors, folder):
    bills = table_of((b"\x05CHN\x81", b"\x01CHN\x7f", b"\x01CHN\xff", b"\x65CHN\x81"))
    assert bills.types(ALL_NOTES) == 0


# ---- the acceptor


def case_it_is_polled_before_any_reset_and_identified(vectors, folder):
    scene = CashScene(vectors, folder, poll="power_up")
    scene.run(50)
    assert not scene.commands or scene.commands[0] == scene.v["reset"]
    scene.run(2000)
    v = scene.v
    assert scene.commands == [v["reset"], v["ident"], v["table"]]
    assert scene.acceptor.identity == v["ident_reply"][3:-2]
    assert scene.states == [(states.STARTING, 0), (states.ONLINE, 0)]


def case_one_that_runs_already_is_disabled_first(vectors, folder):
    scene = CashScene(vectors, folder, poll="idle")
    scene.run(2000)
    v = scene.v
    assert scene.commands == [v["disable"], v["ident"], v["table"]]


def case_a_session_enables_with_escrow_and_its_end_disables(vectors, folder):
    scene = CashScene(vectors, folder)
    scene.run(2000)
    scene.commands = []
    scene.tell(CASH_ACCEPT, SESSION, ALL_NOTES)
    scene.run(500)
    assert scene.commands == [scene.v["enable_0_to_5_escrow"]]
    scene.tell(CASH_ACCEPT, SESSION, 0)
    scene.run(500)
    assert scene.commands[1:] == [scene.v["disable"]]
    assert scene.said()[-1] == (CASH_STATE, SESSION, states.CASH_CLOSED, 0)


def case_every_state_has_its_device_state(vectors, folder):
    scene = CashScene(vectors, folder)
    scene.run(2000)
    wanted = (
        ("cassette_full", states.USER_ERROR, states.CASSETTE_FULL),
        ("cassette_out", states.USER_ERROR, states.CASSETTE_OUT),
        ("jam_validator", states.HARDWARE_ERROR, states.BILL_JAMMED),
        ("jam_cassette", states.HARDWARE_ERROR, states.CASSETTE_JAMMED),
        ("cheated", states.FRAUD_ATTEMPT, states.CHEATED),
        ("pause", states.USER_ERROR, states.SECOND_BILL),
        ("fail_50", states.HARDWARE_ERROR, states.ACCEPTOR_FAILED),
        ("init", states.STARTING, 0),
        ("power_up_in_validator", states.STARTING, 0),
        ("accepting", states.ONLINE, 0),
        ("holding", states.ONLINE, 0),
    )
    for name, state, detail in wanted:
        scene.poll = name
        scene.run(250)
        assert (state, detail) in scene.states[-2:], name  # a RESET follows some at once


def case_silence_is_told_after_missed_polls_and_ends(vectors, folder):
    scene = CashScene(vectors, folder)
    scene.opened()
    scene.poll = None
    scene.run(MISSED_MAX * 400)
    assert scene.states[-1] == (states.OFFLINE, states.DETAIL_SILENT)
    assert scene.said() == [(CASH_STATE, SESSION, states.CASH_REFUSED, 0)]
    scene.poll = "power_up"
    scene.run(3000)
    assert scene.states[-1] == (states.ONLINE, 0)


def case_a_damaged_answer_is_asked_for_again(vectors, folder):
    scene = CashScene(vectors, folder)
    scene.run(2000)
    scene.answers = False
    scene.expect(scene.v["poll"])
    for _ in range(NAKS_MAX):
        scene.reply(scene.v["idle"][:-1] + b"\x00")
        assert scene.port.taken() == scene.v["nak"]
    scene.reply(scene.v["idle"])
    assert scene.port.taken() == scene.v["ack"]


def case_a_nak_repeats_the_command(vectors, folder):
    scene = CashScene(vectors, folder)
    scene.run(2000)
    scene.answers = False
    scene.expect(scene.v["poll"])
    for _ in range(ccnet_acceptor.SENT_MAX - 1):
        scene.reply(scene.v["nak"])
        assert scene.port.taken() == scene.v["poll"]
    scene.reply(scene.v["nak"])
    assert scene.port.taken() == b""


def case_times_between_polls_and_after_an_ack(vectors, folder):
    scene = CashScene(vectors, folder)
    scene.run(2000)
    scene.answers = False
    scene.expect(scene.v["poll"])
    scene.reply(scene.v["disabled"])
    assert scene.port.taken() == scene.v["ack"]
    at = scene.now
    scene.expect(scene.v["poll"])
    assert 195 <= (scene.now - at) & 0x3FFFFFFF <= 205


CASES = [value for name, value in sorted(globals().items()) if name.startswith("case_")]
