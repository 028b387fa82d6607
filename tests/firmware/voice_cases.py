"""What the speech module driver promises. Runs under CPython and MicroPython."""

from firmware.drivers import syn6288_frames, syn6288_voice
from firmware.drivers.syn6288_voice import Syn6288Voice
from protocol.wire import states
from tests.firmware.scene import Scene

YUYINTIANXIA = bytes.fromhex("D3EED2F4CCECCFC2")  # GBK
STARTED, FINISHED = states.SPEECH_STARTED, states.SPEECH_FINISHED
INTERRUPTED, FAILED = states.SPEECH_INTERRUPTED, states.SPEECH_FAILED


class VoiceScene(Scene):
    def __init__(self, vectors):
        super().__init__()
        self.v = {name: bytes.fromhex(text) for name, text in vectors["syn6288"].items()}
        self.driver = Syn6288Voice(self.port, self.emit, self.report, self.now)

    def ready(self):
        self.expect(self.v["query"])
        self.reply(b"\x41\x4f")

    def say(self, number, text=YUYINTIANXIA, volume=10, speed=4):
        self.driver.say(number, volume, speed, text, self.now)

    def speaking(self, number):
        self.say(number)
        self.expect(frame(b"[v10][t4]" + YUYINTIANXIA))
        self.reply(b"\x41")

    def said(self):
        return [(number, state) for _, number, state in super().said()]


def frame(text, encoding=1):
    """A speak frame as the datasheet says it."""
    data = b"\xfd" + (len(text) + 3).to_bytes(2, "big") + bytes([1, encoding]) + text
    check = 0
    for byte in data:
        check ^= byte
    return data + bytes([check])


def case_frames_are_the_datasheets(vectors, folder):
    v = {name: bytes.fromhex(text) for name, text in vectors["syn6288"].items()}
    room = bytearray(syn6288_frames.FRAME_MAX)
    for name, encoding in (
        ("speak_gbk_yuyintianxia", 1),
        ("speak_unicode_be", 3),
        ("speak_gbk_music15", 0x79),
        ("max_200", 1),
    ):
        text = v[name][5:-1]
        count = syn6288_frames.build_speak(room, text[:3], text[3:], encoding)
        assert bytes(room[:count]) == v[name]
        assert frame(text, encoding) == v[name]
    assert v["stop"] == syn6288_frames.STOP
    assert v["query"] == syn6288_frames.QUERY


def case_started_and_finished(vectors, folder):
    s = VoiceScene(vectors)
    s.ready()
    assert s.states == [(states.ONLINE, 0)]
    s.say(1)
    s.expect(frame(b"[v10][t4]" + YUYINTIANXIA))
    assert s.said() == []
    s.reply(b"\x41")
    assert s.said() == [(1, STARTED)]
    s.run(900)
    s.reply(b"\x4f")
    assert s.said() == [(1, FINISHED)]


def case_a_stale_4f_is_no_answer(vectors, folder):
    s = VoiceScene(vectors)
    s.ready()
    s.speaking(1)
    s.run(500)
    s.said()
    s.say(2)
    s.expect(frame(b"[v10][t4]" + YUYINTIANXIA))
    s.reply(b"\x4f\x41")
    assert s.said() == [(1, FINISHED), (2, STARTED)]


def case_a_4f_right_after_the_start_is_checked(vectors, folder):
    s = VoiceScene(vectors)
    s.ready()
    s.speaking(1)
    s.run(500)
    s.speaking(2)
    s.reply(b"\x4f")
    assert s.said() == [(1, STARTED), (1, INTERRUPTED), (2, STARTED)]
    s.expect(s.v["query"])
    s.reply(b"\x41\x4e")
    assert s.said() == []
    s.run(500)
    s.reply(b"\x4f")
    assert s.said() == [(2, FINISHED)]


def case_a_new_utterance_interrupts(vectors, folder):
    s = VoiceScene(vectors)
    s.ready()
    s.speaking(1)
    s.run(300)
    s.speaking(2)
    assert s.said() == [(1, STARTED), (1, INTERRUPTED), (2, STARTED)]


def case_of_two_that_wait_the_newer_is_spoken(vectors, folder):
    s = VoiceScene(vectors)
    s.ready()
    s.say(1)
    s.say(2, b"\xc4\xe3")
    assert s.said() == [(1, INTERRUPTED)]
    s.expect(frame(b"[v10][t4]\xc4\xe3"))


def case_hush_stops_and_drops(vectors, folder):
    s = VoiceScene(vectors)
    s.ready()
    s.speaking(1)
    s.run(300)
    s.say(2)
    s.driver.hush()
    s.expect(s.v["stop"])
    s.reply(b"\x41")
    assert s.said() == [(1, STARTED), (2, INTERRUPTED), (1, INTERRUPTED)]
    assert s.sent(1000) == b""


def case_hush_while_the_frame_is_out(vectors, folder):
    s = VoiceScene(vectors)
    s.ready()
    s.say(1)
    assert s.sent()
    s.driver.hush()
    s.reply(b"\x41")
    s.expect(s.v["stop"])
    s.reply(b"\x41")
    assert s.said() == [(1, STARTED), (1, INTERRUPTED)]


def case_rejected_again_and_again_fails(vectors, folder):
    s = VoiceScene(vectors)
    s.ready()
    s.say(1)
    for _ in range(syn6288_voice.TRIES_MAX):
        assert len(s.sent()) == 6 + 9 + 8
        s.reply(b"\x45")
    s.run(300)
    assert s.said() == [(1, FAILED)]
    assert s.states == [(states.ONLINE, 0)]
    s.speaking(2)
    assert s.said() == [(2, STARTED)]


def case_silence_is_offline_and_comes_back(vectors, folder):
    s = VoiceScene(vectors)
    s.ready()
    s.say(1)
    for _ in range(syn6288_voice.TRIES_MAX):
        assert s.sent(600)
    s.run(600)
    assert s.said() == [(1, FAILED)]
    assert s.states[-1] == (states.OFFLINE, 0)
    s.expect(s.v["query"], 2100)
    s.reply(b"\x41\x4f")
    assert s.states[-1] == (states.ONLINE, 0)


def case_no_module_at_the_start_is_offline(vectors, folder):
    s = VoiceScene(vectors)
    for _ in range(syn6288_voice.TRIES_MAX):
        s.expect(s.v["query"], 600)
    s.run(600)
    assert s.states == [(states.OFFLINE, 0)]
    s.reply(b"\x4a")
    assert s.states[-1] == (states.ONLINE, 0)


def case_a_reset_while_speaking_fails_it(vectors, folder):
    s = VoiceScene(vectors)
    s.ready()
    s.speaking(1)
    s.run(300)
    s.reply(b"\x4a")
    assert s.said() == [(1, STARTED), (1, FAILED)]


def case_a_reset_while_a_frame_is_out_sends_it_again(vectors, folder):
    s = VoiceScene(vectors)
    s.ready()
    s.say(1)
    first = s.sent()
    s.reply(b"\x4a")
    assert s.sent(10) == b""
    s.expect(first)
    s.reply(b"\x41")
    assert s.said() == [(1, STARTED)]


def case_a_lost_4f_is_found_by_asking(vectors, folder):
    s = VoiceScene(vectors)
    s.ready()
    s.speaking(1)
    s.expect(s.v["query"], 5100)
    s.reply(b"\x41\x4e")
    s.expect(s.v["query"], 5100)
    s.reply(b"\x41\x4f")
    assert s.said() == [(1, STARTED), (1, FINISHED)]


def case_speech_without_end_is_stopped(vectors, folder):
    s = VoiceScene(vectors)
    s.ready()
    s.speaking(1)
    s.said()
    before = s.now
    while not s.messages:
        sent = s.sent(5100)
        if sent == s.v["query"]:
            s.reply(b"\x41\x4e")
        assert (s.now - before) & 0x3FFFFFFF <= syn6288_voice.SPEECH_MS_MAX + 6000
    assert sent == s.v["stop"]
    assert s.said() == [(1, FAILED)]


def case_volume_and_speed_go_first_when_the_frame_is_full(vectors, folder):
    s = VoiceScene(vectors)
    s.ready()
    text = s.v["max_200"][5:-1]
    for number, tagged in ((1, True), (2, False)):
        s.say(number, text, 16, 2)
        if tagged:
            s.expect(frame(b"[v16][t2]"))
            s.reply(b"\x41")
            s.run(20)
            s.reply(b"\x4f")
        s.expect(s.v["max_200"])
        s.reply(b"\x41")
        s.run(100)
        assert (number, STARTED) in s.said()
    s.say(3, text, 15, 2)
    s.expect(frame(b"[v15][t2]"))


def case_text_that_no_frame_holds_fails_at_once(vectors, folder):
    s = VoiceScene(vectors)
    s.ready()
    s.say(1, b"")
    s.say(2, b"\xb2\xe2" * 101)
    assert s.said() == [(1, FAILED), (2, FAILED)]
    assert s.sent(1000) == b""


def case_the_answer_time_counts_from_the_end_of_the_frame(vectors, folder):
    s = VoiceScene(vectors)
    s.ready()
    s.say(1, s.v["max_200"][5:-1][:180])
    assert len(s.sent()) == 195
    assert s.sent(490) == b""


def case_frames_keep_their_distance(vectors, folder):
    s = VoiceScene(vectors)
    s.ready()
    s.say(1)
    before = s.now
    assert s.sent()
    assert (s.now - before) & 0x3FFFFFFF >= 16


def case_partial_writes_go_on(vectors, folder):
    s = VoiceScene(vectors)
    s.port.room = 2
    sent = b""
    for _ in range(3):
        sent += s.sent(20)
    assert sent == s.v["query"]


CASES = [value for name, value in sorted(globals().items()) if name.startswith("case_")]
