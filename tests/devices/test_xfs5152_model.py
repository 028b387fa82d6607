"""The chip keeps the frames and tags of the public drivers; the transcript is what was heard."""

import pytest

from simulator.devices.xfs5152_voice import TEXT_BYTES_MAX, Xfs5152Voice

ENCODINGS = {"gb2312": 0, "gbk": 1, "big5": 2, "utf-16-le": 3}
STOP, PAUSE, RESUME, QUERY = "FD000102", "FD000103", "FD000104", "FD000121"
SLEEP, WAKE = "FD000188", "FD0001FF"


def say(text: str, encoding: str = "gbk") -> bytes:
    body = bytes((1, ENCODINGS[encoding])) + text.encode(encoding)
    return b"\xfd" + len(body).to_bytes(2, "big") + body


@pytest.fixture
def chip():
    return Xfs5152Voice()


@pytest.fixture
def wire(chip, line):
    wire = line(chip)
    assert wire.run() == b"\x4a"
    return wire


@pytest.mark.parametrize("name", ["speak_gbk", "speak_unicode_le"])
def test_published_frames_are_spoken(chip, wire, vectors, name: str) -> None:
    assert wire.ask(vectors["xfs5152"][name]) == b"\x41\x4f"
    assert chip.transcript[0].text == "宇音天下"


@pytest.mark.parametrize("encoding", list(ENCODINGS))
def test_each_character_set_is_spoken(chip, wire, encoding: str) -> None:
    assert wire.ask(say("[v8]天下", encoding)) == b"\x41\x4f"
    assert (chip.transcript[0].text, chip.transcript[0].volume) == ("天下", 8)


def test_every_published_command_is_accepted(line, vectors) -> None:
    for name in ("stop", "pause", "resume", "sleep", "wake"):
        wire = line(Xfs5152Voice())
        wire.run()
        assert wire.ask(vectors["xfs5152"][name]) == b"\x41", name


def test_four_kilobytes_are_spoken_and_more_rejected(chip, wire) -> None:
    most = "测" * (TEXT_BYTES_MAX // 2)
    assert wire.ask(say(most)) == b"\x41\x4f"
    assert wire.ask(say(most + "a"))[:1] == b"\x45"


def test_there_is_no_checksum_what_the_line_spoils_is_spoken(chip, wire) -> None:
    damaged = bytearray(say("请进"))
    damaged[-1] ^= 1
    assert wire.ask(bytes(damaged)) == b"\x41\x4f"
    assert chip.transcript[0].text != "请进"


def test_query_pause_resume_stop(chip, wire) -> None:
    start_ms = wire.now_ms
    wire.ask(say("请取回您的身份证"), start_ms + 400)
    assert wire.ask(PAUSE, start_ms + 900) == b"\x41"
    assert wire.ask(QUERY, start_ms + 1000) == b"\x41\x4e"
    assert wire.ask(RESUME) == b"\x41\x4f"
    assert chip.transcript[0].ended_ms == start_ms + 8 * 220 + 600
    wire.ask(say("请取回您的身份证"), wire.now_ms + 400)
    assert wire.ask(STOP) == b"\x41\x4f"
    assert chip.transcript[1].interrupted
    assert wire.ask(QUERY) == b"\x41\x4f"


def test_tags_hold_until_they_are_set_back(chip, wire) -> None:
    wire.ask(say("[v9][s2][t7][m51]已登记"))
    wire.ask(say("请进"))
    assert (chip.settings.tone, chip.settings.voice) == (7, "51")
    wire.ask(say("[d]请进"))
    heard = [(u.text, u.volume, u.speed) for u in chip.transcript]
    assert heard == [("已登记", 9, 2), ("请进", 9, 2), ("请进", 5, 5)]
    slow, usual = chip.transcript[1], chip.transcript[2]
    assert slow.ended_ms - slow.started_ms > usual.ended_ms - usual.started_ms


def test_what_is_no_tag_is_read_aloud_and_prompts_sound(chip, wire) -> None:
    wire.ask(say("请[v10]进[q1]门[m4]"))
    wire.ask(say("sound101已登记"))
    assert [(u.text, u.chimes) for u in chip.transcript] == [
        ("请[v10]进[q1]门[m4]", ()),
        ("已登记", ("sound101",)),
    ]


def test_asleep_it_heeds_wake_and_nothing_else(chip, wire) -> None:
    wire.ask(say("请取回您的身份证"), wire.now_ms + 300)
    assert wire.ask(SLEEP) == b"\x41"
    assert chip.transcript[0].interrupted
    assert wire.ask(say("请进")) == wire.ask(QUERY) == wire.ask("FD0000") == b""
    assert wire.ask(WAKE, wire.now_ms + 5) == b"\x41"
    assert wire.ask(QUERY) == b""  # it comes to
    assert wire.ask(say("请进")) == b"\x41\x4f"
    assert [u.text for u in chip.transcript] == ["请取回您的身份证", "请进"]


@pytest.mark.parametrize("frame", ["FD000155", "FD00020101", "FD00040107B2E2", "FD0000", "FDFFFF"])
def test_bad_frames_are_rejected_and_the_chip_goes_on(chip, wire, frame: str) -> None:
    assert wire.ask(frame) == b"\x45"
    assert wire.ask(QUERY) == b"\x41\x4f"


def test_a_frame_that_stops_half_way_is_rejected(chip, wire) -> None:
    assert wire.ask(say("请进")[:6]) == b"\x45"
    assert wire.ask(say("请进")) == b"\x41\x4f"
