"""The speech chip keeps the datasheet's frames, times, tags; the transcript is what was heard."""

from functools import reduce
from operator import xor

import pytest

from simulator.devices.speech_chip import VoiceTiming
from simulator.devices.syn6288_voice import Syn6288Voice

SPOKEN_YUYIN = {
    "GB2312": "FD000B0100D3EED2F4CCECCFC2C1",
    "GBK": "FD000B0101D3EED2F4CCECCFC2C0",
    "BIG5": "FD000B0102A674ADB5A4D1A455BB",
    "UTF-16BE": "FD000B01035B8797F359294E0B79",
}
ENCODINGS = {"GB2312": 0, "GBK": 1, "BIG5": 2, "UTF-16BE": 3}
STOP, PAUSE, RESUME, QUERY = "FD000202FD", "FD000203FC", "FD000204FB", "FD000221DE"


def say(text: str, encoding: str = "GBK", music: int = 0) -> bytes:
    body = bytes((1, music << 3 | ENCODINGS[encoding])) + text.encode(encoding)
    head = b"\xfd" + (len(body) + 1).to_bytes(2, "big") + body
    return head + bytes((reduce(xor, head),))


@pytest.fixture
def chip():
    return Syn6288Voice()


@pytest.fixture
def wire(chip, line):
    wire = line(chip)
    assert wire.run() == b"\x4a"
    wire.wait(20)
    return wire


@pytest.mark.parametrize("encoding", list(SPOKEN_YUYIN))
def test_published_frames_are_spoken(chip, wire, encoding: str) -> None:
    text = "宇音天下"
    traditional = {"BIG5": "宇音天下"}.get(encoding, text)
    assert wire.ask(SPOKEN_YUYIN[encoding]) == b"\x41\x4f"
    assert chip.transcript[0].text == traditional
    assert say(traditional, encoding).hex().upper() == SPOKEN_YUYIN[encoding]


def test_music_is_in_bits_7_to_3(chip, wire, vectors) -> None:
    wire.ask(vectors["syn6288"]["speak_gbk_music15"])
    assert (chip.transcript[0].text, chip.transcript[0].music) == ("宇音天下", 15)


def test_every_command_frame_of_the_datasheet_is_accepted(line, vectors) -> None:
    for name in ("stop", "pause", "resume", "baud9600", "baud19200", "baud38400", "powerdown"):
        wire = line(Syn6288Voice())
        wire.run()
        wire.wait(20)
        assert wire.ask(vectors["syn6288"][name]) == b"\x41", name


def test_two_hundred_bytes_are_spoken_and_201_rejected(chip, wire, vectors) -> None:
    assert wire.ask(vectors["syn6288"]["max_200"]) == b"\x41\x4f"
    assert chip.transcript[0].text == "测" * 100
    wire.wait(20)
    assert wire.ask(say("测" * 100 + "a"))[:1] == b"\x45"
    wire.wait(20)
    assert wire.ask(QUERY) == b"\x41\x4f"


def test_query_tells_speaking_from_idle(chip, wire) -> None:
    assert wire.ask(QUERY) == b"\x41\x4f"
    wire.wait(20)
    wire.ask(say("请取回您的身份证"), wire.now_ms + 50)
    assert chip.busy
    assert wire.ask(QUERY, wire.now_ms + 50) == b"\x41\x4e"
    assert wire.run() == b"\x4f"
    assert not chip.busy


def test_speech_takes_its_time_and_the_end_is_announced_unasked(chip, wire) -> None:
    start_ms = wire.now_ms
    assert wire.ask(say("请取回您的身份证")) == b"\x41\x4f"
    heard = chip.transcript[0]
    assert (heard.started_ms, heard.ended_ms) == (start_ms, start_ms + 8 * 220)
    assert not heard.interrupted


def test_an_old_4f_comes_after_the_next_commands_answer(chip, wire) -> None:
    """A driver that takes the next byte for its answer is caught here."""
    wire.ask(say("好"), wire.now_ms + 210)
    assert wire.ask(QUERY) == b"\x41\x4e\x4f"


def test_a_new_frame_cuts_the_speech_off(chip, wire) -> None:
    wire.ask(say("请取回您的身份证"), wire.now_ms + 500)
    cut_ms = wire.now_ms
    assert wire.ask(say("已登记")) == b"\x41\x4f"
    first, second = chip.transcript
    assert first.interrupted
    assert first.ended_ms == second.started_ms == cut_ms
    assert (second.text, second.interrupted) == ("已登记", False)


def test_stop_ends_pause_and_resume_move_the_end(chip, wire) -> None:
    start_ms = wire.now_ms
    wire.ask(say("请取回您的身份证"), start_ms + 400)
    assert wire.ask(PAUSE, start_ms + 900) == b"\x41"
    assert wire.ask(QUERY, start_ms + 1000) == b"\x41\x4e"
    assert wire.ask(RESUME) == b"\x41\x4f"
    assert chip.transcript[0].ended_ms == start_ms + 8 * 220 + 600
    wire.wait(20)
    wire.ask(say("请取回您的身份证"), wire.now_ms + 400)
    assert wire.ask(STOP) == b"\x41\x4f"
    assert chip.transcript[1].interrupted


def test_tags_set_volume_and_speed_until_reset(chip, wire) -> None:
    wire.ask(say("[v16][t2]已登记"))
    wire.wait(20)
    wire.ask(say("请进"))
    wire.wait(20)
    wire.ask(say("[d]请进"))
    heard = [(u.text, u.volume, u.speed) for u in chip.transcript]
    assert heard == [("已登记", 16, 2), ("请进", 16, 2), ("请进", 10, 4)]
    slow, normal = chip.transcript[1], chip.transcript[2]
    assert slow.ended_ms - slow.started_ms > normal.ended_ms - normal.started_ms


def test_a_frame_of_tags_alone_sets_and_says_nothing(chip, wire) -> None:
    assert wire.ask("FD000801015B7631315D85") == b"\x41\x4f"  # [v11]
    assert chip.transcript == []
    assert chip.settings.volume == 11


def test_tags_in_wrong_places_and_unknown_ones(chip, wire) -> None:
    wire.ask(say("请[v3]进[n1][q9][v99]门[2]"))
    assert (chip.transcript[0].text, chip.transcript[0].volume) == ("请进[q9][v99]门", 10)


def test_chimes_are_heard_as_chimes(chip, wire) -> None:
    wire.ask(say("soundc已登记"))
    wire.wait(20)
    wire.ask(say("[x0]soundc已登记"))
    assert [(u.text, u.chimes) for u in chip.transcript] == [
        ("已登记", ("soundc",)),
        ("soundc已登记", ()),
    ]


def test_bytes_may_not_lie_more_than_8_ms_apart(chip, wire) -> None:
    frame = say("已登记")
    wire.ask(frame[:5], wire.now_ms + 7)
    assert wire.ask(frame[5:]) == b"\x41\x4f"
    wire.wait(20)
    assert wire.ask(frame[:5]) == b"\x45"
    assert wire.ask(frame[5:]) == b""
    wire.wait(20)
    assert wire.ask(frame) == b"\x41\x4f"


def test_frames_must_lie_more_than_8_ms_apart(chip, wire) -> None:
    query = bytes.fromhex(QUERY)
    assert wire.ask(query + query) == b"\x41\x4f\x45"
    assert chip.frames_rejected == 1


def test_a_line_on_a_fast_clock_keeps_its_frames_whole(line) -> None:
    chip = Syn6288Voice(timing=VoiceTiming.for_speed(8, host_jitter_ms=20))
    wire = line(chip)
    wire.run()
    wire.wait(20)
    for byte in say("已登记"):
        chip.receive(bytes((byte,)), wire.now_ms)
        wire.now_ms += 100
    assert wire.run() == b"\x41\x4f"


@pytest.mark.parametrize(
    "frame",
    [
        "FD000B0101D3EED2F4CCECCFC200",  # wrong XOR
        "FD00030101FE",  # no text
        "FD00040107 41 BE",  # no such character set
        "FD0002 55 AA",  # no such command
        "FD0001",  # impossible length
        "FDFFFF",
    ],
)
def test_bad_frames_are_rejected_and_the_chip_goes_on(chip, wire, frame: str) -> None:
    assert wire.ask(frame) == b"\x45"
    wire.wait(20)
    assert wire.ask(QUERY) == b"\x41\x4f"


def test_power_down_sleeps_and_the_waking_bytes_are_lost(chip, wire) -> None:
    wire.ask(say("请取回您的身份证"), wire.now_ms + 300)
    assert wire.ask("FD00028877") == b"\x41"
    assert chip.transcript[0].interrupted
    assert wire.ask(QUERY, wire.now_ms + 20) == b""
    assert wire.ask(QUERY, wire.now_ms + 20) == b"\x41\x4f"
    wire.ask("FD00028877", wire.now_ms + 20)
    wire.ask("FF", wire.now_ms + 11_000)  # woken, nothing sensible for ten seconds: asleep again
    assert wire.ask(QUERY, wire.now_ms + 20) == b""


def test_speed_change_holds_until_reset(chip, wire) -> None:
    assert wire.ask("FD00033102CD") == b"\x41"
    assert chip.baud == 38400
    chip.faults.add("power_off")
    wire.wait(1)
    chip.faults.remove("power_off")
    assert wire.run() == b"\x4a"
    assert chip.baud == 9600


def test_half_of_the_frames_fail_at_38400_while_speaking(chip, wire) -> None:
    wire.ask("FD00033102CD")
    rejected = 0
    for _ in range(40):
        wire.ask(say("请取回您的身份证"), wire.now_ms + 100)
        before = chip.frames_rejected
        wire.ask(STOP, wire.now_ms + 100)
        rejected += chip.frames_rejected - before
    assert 8 <= rejected <= 32
