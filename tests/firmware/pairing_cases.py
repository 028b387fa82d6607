"""What somebody on the cable of a paired board can do: nothing. Under CPython and MicroPython."""

import binascii
import os
import struct

from firmware import pairing
from protocol.wire import messages, states
from protocol.wire.frames import TAG_BYTES, FrameDecoder, encode
from protocol.wire.link import DATA
from tests.firmware.rig import Rig

KEY = bytes(range(32))
JOB = b"\x1b\x40" + b"A001" * 60 + b"\x1d\x56\x42\x00"
JOB_CRC = binascii.crc32(JOB)
PULSE_MS = 200
REPLAY_PIECE_BYTES = 200


def paired(vectors, folder, board_key=KEY, agent_key=KEY):
    if board_key is not None:
        with open(folder + "/pair.key", "wb") as file:
            file.write(board_key)
    return Rig(vectors, folder, pair_key=agent_key)


def play(rig, data, then_ms=1000):
    """These bytes come over the cable to the board, and it does what it does about them."""
    for at in range(0, len(data), REPLAY_PIECE_BYTES):
        rig.machine.uarts[0].rx.extend(data[at : at + REPLAY_PIECE_BYTES])
        rig.run(5)
    rig.run(then_ms)


def forged(rig, message, tag=bytes(TAG_BYTES)):
    """A frame that is right in everything but its tag."""
    link = rig.app.server.link
    connection = link._connection
    header = struct.pack("<BBIIHHH", DATA, 0, connection, 0x3FFFFFF0, link._next_in, 0, 4096)
    return encode(header + message + tag)


def bodies(frames):
    """The bodies of encoded frames, without CRC."""
    found = []
    decoder = FrameDecoder(lambda n: found.append(bytes(decoder.body[:n])))
    for frame in frames:
        decoder.feed(frame, len(frame))
    return found


def opened(rig):
    """How often the gate was opened."""
    return rig.relay_edges().count(1)


def untouched(rig):
    return opened(rig) == 0 and rig.paper == b"" and rig.spoken == []


def case_a_paired_board_serves_its_agent(vectors, folder):
    rig = paired(vectors, folder)
    rig.up()
    rig.agent.send(messages.PULSE, 7, PULSE_MS)
    rig.print_job(8, JOB, JOB_CRC)
    results = rig.heard(messages.EFFECT_RESULT, 2)
    assert sorted(results) == [(7, states.DONE, 0), (8, states.DONE, 0)]
    assert opened(rig) == 1
    assert rig.app.server.link.stats.forged == 0
    rig.boot()
    rig.run_until(lambda: rig.agent.ups == 2)


def case_sides_that_are_no_pair_never_come_up(vectors, folder):
    for number, (board_key, agent_key, agent_says, board_says) in enumerate(
        (
            (None, KEY, "unpaired", "paired"),
            (KEY, None, "paired", "unpaired"),
            (bytes(32), KEY, "pair_key", "pair_key"),
            (KEY[:31], KEY, "pair_key", "pair_key"),
            (b"", None, "paired", "unpaired"),
            (KEY + b"\n", KEY, "pair_key", "pair_key"),
        )
    ):
        place = f"{folder}/{number}"
        os.mkdir(place)
        rig = paired(vectors, place, board_key, agent_key)
        rig.run(3000)
        assert rig.agent.ups == 0, agent_says
        assert rig.agent.heard == [("down", agent_says)], rig.agent.heard
        assert rig.app.server.link._strange == [board_says]


def case_a_torn_key_says_what_to_do(vectors, folder):
    said = []
    paired(vectors, folder, KEY[:7])
    key = pairing.load_pair_key(folder, lambda n: b"\x05" * n, said.append)
    assert key == b"\x05" * 32
    assert "7 bytes" in said[0]
    assert "provision" in said[0]


def case_a_frame_without_its_tag_moves_nothing_where_it_would_unpaired(vectors, folder):
    pulse = messages.pack(messages.PULSE, 7, PULSE_MS)
    os.mkdir(folder + "/open")
    free = Rig(vectors, folder + "/open")
    free.up()
    play(free, forged(free, pulse))
    assert opened(free) == 1, "the frame is right but for its tag"
    rig = paired(vectors, folder)
    rig.up()
    for tag in (bytes(8), b"\xff" * 8, KEY[:8]):
        play(rig, forged(rig, pulse, tag))
    play(rig, forged(rig, messages.pack(messages.EVENT_ACK, 1)))
    stats = rig.app.server.link.stats
    assert untouched(rig)
    assert (stats.forged, stats.delivered) == (4, 0)


def held_back(rig):
    """The frames of a PULSE and a slip that the agent said and the board never got."""
    rig.up()
    rig.cable = False
    before = len(rig.said)
    rig.agent.send(messages.PULSE, 7, PULSE_MS)
    rig.print_job(8, JOB, JOB_CRC)
    rig.agent.send(messages.SAY, 9, 10, 4, tail=b"x")
    rig.run(300)
    return rig.said[before:]


def case_frames_held_back_do_nothing_after_a_reconnect_or_a_reboot(vectors, folder):
    for number, reboot in enumerate((False, True)):
        place = f"{folder}/{number}"
        os.mkdir(place)
        rig = paired(vectors, place)
        frames = held_back(rig)
        assert len(frames) > 4
        rig.run(4000)
        if reboot:
            rig.boot()
        rig.cable = True
        rig.up()
        play(rig, b"".join(frames))
        assert untouched(rig)
        assert rig.app.server.link.up
        rig.agent.send(messages.PULSE, 17, PULSE_MS)
        assert rig.heard(messages.EFFECT_RESULT) == [(17, states.DONE, 0)]


def case_frames_held_back_fit_the_connection_they_were_made_for(vectors, folder):
    rig = paired(vectors, folder)
    frames = held_back(rig)
    play(rig, b"".join(frames[:1]))
    assert opened(rig) == 1, "else the other cases show nothing"


def case_a_whole_recorded_session_does_nothing_again(vectors, folder):
    rig = paired(vectors, folder)
    rig.up()
    rig.agent.send(messages.PULSE, 7, PULSE_MS)
    rig.print_job(8, JOB, JOB_CRC)
    rig.heard(messages.EFFECT_RESULT, 2)
    everything = b"".join(rig.said)
    link = rig.app.server.link
    delivered = link.stats.delivered
    play(rig, everything)
    assert link.stats.delivered == delivered
    assert link.stats.stale > 3
    rig.boot()
    rig.run_until(lambda: rig.agent.ups == 2)
    before = bytes(rig.paper)
    play(rig, everything)
    assert rig.app.server.link.stats.delivered == 0
    assert opened(rig) == 0
    assert rig.paper == before
    assert rig.app.server.link.up


def case_the_boards_own_frames_do_nothing_to_it(vectors, folder):
    rig = paired(vectors, folder)
    rig.up()
    rig.run(2000)
    play(rig, bytes(rig.answered))
    link = rig.app.server.link
    assert link.up
    assert link.stats.refused > 5
    assert link.stats.downs == 0


def case_spliced_frames_do_nothing(vectors, folder):
    rig = paired(vectors, folder)
    frames = held_back(rig)
    parts = bodies(frames)
    pulse, later = parts[0], parts[-2]
    for head in parts[1:]:
        play(rig, encode(head[:16] + pulse[16:]), 50)
    play(rig, encode(pulse[:-TAG_BYTES] + later[-TAG_BYTES:]), 50)
    play(rig, encode(pulse[:-4]), 50)  # half a tag
    assert rig.app.server.link.up
    assert untouched(rig)
    play(rig, encode(pulse))
    assert opened(rig) == 1


CASES = [value for name, value in sorted(globals().items()) if name.startswith("case_")]
