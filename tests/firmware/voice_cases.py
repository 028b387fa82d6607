"""What the speech driver promises, with every module. Runs under CPython and MicroPython."""

from firmware.drivers import syn6288_frames, voice, xfs5152_frames
from firmware.drivers.voice import Voice
from protocol.wire import states
from tests.firmware.scene import Scene

YUYINTIANXIA = bytes.fromhex("D3EED2F4CCECCFC2")  # GBK
STARTED, FINISHED = states.SPEECH_STARTED, states.SPEECH_FINISHED
INTERRUPTED, FAILED = states.SPEECH_INTERRUPTED, states.SPEECH_FAILED


class VoiceScene(Scene):
    """`TAGS`: volume and speed as the module's documents write them."""

    TAGS = b""
    FAMILY = ""
    FRAMES = None
    BAUD = 9600

    def __init__(self, vectors, encoding=1):
        super().__init__()
        self.v = {name: bytes.fromhex(text) for name, text in vectors[self.FAMILY].items()}
        self.driver = Voice(
            self.port,
            self.emit,
            self.report,
            self.now,
            frames=self.FRAMES,
            baud=self.BAUD,
            encoding=encoding,
        )

    def ready(self):
        self.expect(self.v["query"])
        self.reply(b"\x41\x4f")

    def say(self, number, text=YUYINTIANXIA, volume=7, speed=4):
        self.driver.say(number, volume, speed, text, self.now)

    def tagged(self, text, volume=7, speed=4):
        """The frame that speaks `text`."""
        return self.frame(self.TAGS % (volume, speed) + text)

    def speaking(self, number):
        self.say(number)
        self.expect(self.tagged(YUYINTIANXIA))
        self.reply(b"\x41")

    def again(self, ms_max=600):
        """The next try of what the module did not answer."""
        sent = self.sent(ms_max)
        if sent == self.v.get("wake"):
            sent = self.sent(ms_max)
        return sent

    def said(self):
        return [(number, state) for _, number, state in super().said()]


class Syn6288Scene(VoiceScene):
    TAGS = b"[v%d][t%d]"
    FAMILY = "syn6288"
    FRAMES = syn6288_frames

    @staticmethod
    def frame(text, encoding=1):
        """A speak frame as the datasheet says it."""
        data = b"\xfd" + (len(text) + 3).to_bytes(2, "big") + bytes([1, encoding]) + text
        check = 0
        for byte in data:
            check ^= byte
        return data + bytes([check])


class Xfs5152Scene(VoiceScene):
    TAGS = b"[v%d][s%d]"
    FAMILY = "xfs5152"
    FRAMES = xfs5152_frames
    BAUD = 115_200

    @staticmethod
    def frame(text, encoding=1):
        """A speak frame as the public drivers say it."""
        return b"\xfd" + (len(text) + 2).to_bytes(2, "big") + bytes([1, encoding]) + text


class Case:
    """One promise with one module."""

    def __init__(self, check, scene):
        self._check = check
        self._scene = scene
        self.__name__ = check.__name__ + "_" + scene.FAMILY

    def __call__(self, vectors, folder):
        self._check(lambda encoding=1: self._scene(vectors, encoding))


def case_speak_frames_are_the_published_ones_syn6288(vectors, folder):
    v = {name: bytes.fromhex(text) for name, text in vectors["syn6288"].items()}
    room = bytearray(syn6288_frames.FRAME_MAX)
    for name, encoding in (
        ("speak_gb2312", 0),
        ("speak_gbk_yuyintianxia", 1),
        ("speak_big5", 2),
        ("speak_unicode_datasheet", 3),
        ("speak_unicode_be", 3),
        ("speak_gbk_music1", 0x09),
        ("speak_gbk_music15", 0x79),
        ("volume_11", 1),
        ("speak_take_your_card", 1),
        ("max_200", 1),
    ):
        text = v[name][5:-1]
        count = syn6288_frames.build_speak(room, text[:3], text[3:], encoding)
        assert bytes(room[:count]) == v[name]
        assert Syn6288Scene.frame(text, encoding) == v[name]
    assert v["stop"] == syn6288_frames.STOP
    assert v["query"] == syn6288_frames.QUERY


def case_speak_frames_are_the_published_ones_xfs5152(vectors, folder):
    v = {name: bytes.fromhex(text) for name, text in vectors["xfs5152"].items()}
    room = bytearray(xfs5152_frames.FRAME_MAX)
    for name, encoding in (("speak_gbk", 1), ("speak_unicode_le", 3)):
        text = v[name][5:]
        count = xfs5152_frames.build_speak(room, text[:3], text[3:], encoding)
        assert bytes(room[:count]) == v[name]
        assert Xfs5152Scene.frame(text, encoding) == v[name]
    assert v["stop"] == xfs5152_frames.STOP
    assert v["query"] == xfs5152_frames.QUERY
    assert v["wake"] == xfs5152_frames.WAKE


def case_volume_and_speed_are_in_the_text_s_own_character_set(vectors, folder):
    for scene, order in ((Syn6288Scene, "big"), (Xfs5152Scene, "little")):
        s = scene(vectors, 3)
        s.ready()
        wide = b"".join(byte.to_bytes(2, order) for byte in s.TAGS % (7, 4))
        s.say(1, b"\x4f\x60")
        s.expect(s.frame(wide + b"\x4f\x60", 3))


def case_what_a_module_cannot_be_set_to_is_its_loudest_and_fastest(vectors, folder):
    assert syn6288_frames.settings(99, 99) == b"[v16][t5]"
    assert xfs5152_frames.settings(99, 99) == b"[v9][s9]"


def case_a_full_frame_gets_its_settings_before_it_syn6288(vectors, folder):
    s = Syn6288Scene(vectors)
    s.ready()
    text = s.v["max_200"][5:-1]
    for number, tagged in ((1, True), (2, False)):
        s.say(number, text, 16, 2)
        if tagged:
            s.expect(s.frame(b"[v16][t2]"))
            s.reply(b"\x41")
            s.run(20)
            s.reply(b"\x4f")
        s.expect(s.v["max_200"])
        s.reply(b"\x41")
        s.run(100)
        assert (number, STARTED) in s.said()
    s.say(3, text, 15, 2)
    s.expect(s.frame(b"[v15][t2]"))


def case_the_longest_text_of_the_link_goes_with_its_settings_xfs5152(vectors, folder):
    for encoding in (1, 3):
        s = Xfs5152Scene(vectors, encoding)
        s.ready()
        s.say(1, b"\xb2\xe2" * 100, 9, 9)
        assert len(s.sent()) == 5 + 200 + 8 * (1 if encoding == 1 else 2)


def case_a_sleeping_module_is_woken_and_speaks_xfs5152(vectors, folder):
    s = Xfs5152Scene(vectors)
    s.ready()
    s.say(1)
    frame = s.tagged(YUYINTIANXIA)
    s.expect(frame)
    s.expect(s.v["wake"])
    s.reply(b"\x41")
    assert s.sent(voice.SETTLE_MS - 10) == b""
    s.expect(frame)
    s.reply(b"\x41")
    assert s.said() == [(1, STARTED)]


def case_a_module_that_was_awake_may_refuse_to_be_woken_xfs5152(vectors, folder):
    s = Xfs5152Scene(vectors)
    s.expect(s.v["query"])
    s.expect(s.v["wake"])
    s.reply(b"\x45")
    s.expect(s.v["query"])
    s.reply(b"\x41\x4f")
    assert s.states == [(states.ONLINE, 0)]
    s.say(1)
    s.expect(s.tagged(YUYINTIANXIA))
    s.reply(b"\x45")  # it is awake: only what is not answered wakes
    s.expect(s.tagged(YUYINTIANXIA))


def each_started_and_finished(scene):
    s = scene()
    s.ready()
    assert s.states == [(states.ONLINE, 0)]
    s.say(1)
    s.expect(s.tagged(YUYINTIANXIA))
    assert s.said() == []
    s.reply(b"\x41")
    assert s.said() == [(1, STARTED)]
    s.run(900)
    s.reply(b"\x4f")
    assert s.said() == [(1, FINISHED)]


def each_a_stale_4f_is_no_answer(scene):
    s = scene()
    s.ready()
    s.speaking(1)
    s.run(500)
    s.said()
    s.say(2)
    s.expect(s.tagged(YUYINTIANXIA))
    s.reply(b"\x4f\x41")
    assert s.said() == [(1, FINISHED), (2, STARTED)]


def each_a_4f_right_after_the_start_is_checked(scene):
    s = scene()
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


def each_a_new_utterance_interrupts(scene):
    s = scene()
    s.ready()
    s.speaking(1)
    s.run(300)
    s.speaking(2)
    assert s.said() == [(1, STARTED), (1, INTERRUPTED), (2, STARTED)]


def each_of_two_that_wait_the_newer_is_spoken(scene):
    s = scene()
    s.ready()
    s.say(1)
    s.say(2, b"\xc4\xe3")
    assert s.said() == [(1, INTERRUPTED)]
    s.expect(s.tagged(b"\xc4\xe3"))


def each_hush_stops_and_drops(scene):
    s = scene()
    s.ready()
    s.speaking(1)
    s.run(300)
    s.say(2)
    s.driver.hush()
    s.expect(s.v["stop"])
    s.reply(b"\x41")
    assert s.said() == [(1, STARTED), (2, INTERRUPTED), (1, INTERRUPTED)]
    assert s.sent(1000) == b""


def each_hush_while_the_frame_is_out(scene):
    s = scene()
    s.ready()
    s.say(1)
    assert s.sent()
    s.driver.hush()
    s.reply(b"\x41")
    s.expect(s.v["stop"])
    s.reply(b"\x41")
    assert s.said() == [(1, STARTED), (1, INTERRUPTED)]


def each_rejected_again_and_again_fails(scene):
    s = scene()
    s.ready()
    s.say(1)
    for _ in range(voice.TRIES_MAX):
        s.expect(s.tagged(YUYINTIANXIA))
        s.reply(b"\x45")
    s.run(300)
    assert s.said() == [(1, FAILED)]
    assert s.states == [(states.ONLINE, 0)]
    s.speaking(2)
    assert s.said() == [(2, STARTED)]


def each_silence_is_offline_and_comes_back(scene):
    s = scene()
    s.ready()
    s.say(1)
    for _ in range(voice.TRIES_MAX):
        assert s.again() == s.tagged(YUYINTIANXIA)
    s.run(600)
    assert s.said() == [(1, FAILED)]
    assert s.states[-1] == (states.OFFLINE, 0)
    s.expect(s.v["query"], 2100)
    s.reply(b"\x41\x4f")
    assert s.states[-1] == (states.ONLINE, 0)


def each_no_module_at_the_start_is_offline(scene):
    s = scene()
    for _ in range(voice.TRIES_MAX):
        assert s.again() == s.v["query"]
    s.run(600)
    assert s.states == [(states.OFFLINE, 0)]
    s.reply(b"\x4a")
    assert s.states[-1] == (states.ONLINE, 0)


def each_a_reset_while_speaking_fails_it(scene):
    s = scene()
    s.ready()
    s.speaking(1)
    s.run(300)
    s.reply(b"\x4a")
    assert s.said() == [(1, STARTED), (1, FAILED)]


def each_a_reset_while_a_frame_is_out_sends_it_again(scene):
    s = scene()
    s.ready()
    s.say(1)
    first = s.sent()
    s.reply(b"\x4a")
    assert s.sent(10) == b""
    s.expect(first)
    s.reply(b"\x41")
    assert s.said() == [(1, STARTED)]


def each_a_lost_4f_is_found_by_asking(scene):
    s = scene()
    s.ready()
    s.speaking(1)
    s.expect(s.v["query"], 5100)
    s.reply(b"\x41\x4e")
    s.expect(s.v["query"], 5100)
    s.reply(b"\x41\x4f")
    assert s.said() == [(1, STARTED), (1, FINISHED)]


def each_speech_without_end_is_stopped(scene):
    s = scene()
    s.ready()
    s.speaking(1)
    s.said()
    before = s.now
    while not s.messages:
        sent = s.sent(5100)
        if sent == s.v["query"]:
            s.reply(b"\x41\x4e")
        assert (s.now - before) & 0x3FFFFFFF <= voice.SPEECH_MS_MAX + 6000
    assert sent == s.v["stop"]
    assert s.said() == [(1, FAILED)]


def each_text_that_no_frame_holds_fails_at_once(scene):
    s = scene()
    s.ready()
    s.say(1, b"")
    s.say(2, b"\xb2\xe2" * 110)
    assert s.said() == [(1, FAILED), (2, FAILED)]
    assert s.sent(1000) == b""


def each_the_answer_time_counts_from_the_end_of_the_frame(scene):
    s = scene()
    s.ready()
    s.say(1, b"\xb2\xe2" * 90)
    sent = s.sent()
    line_ms = len(sent) * 10_000 // s.BAUD
    assert s.sent(line_ms + voice.ANSWER_MS_MAX - 15) == b""


def each_frames_keep_their_distance(scene):
    s = scene()
    s.ready()
    s.say(1)
    before = s.now
    assert s.sent()
    assert (s.now - before) & 0x3FFFFFFF >= 16


def each_partial_writes_go_on(scene):
    s = scene()
    s.port.room = 2
    sent = b""
    for _ in range(3):
        sent += s.sent(20)
    assert sent == s.v["query"]


_NAMES = sorted(globals())
CASES = [globals()[name] for name in _NAMES if name.startswith("case_")] + [
    Case(globals()[name], scene)
    for name in _NAMES
    if name.startswith("each_")
    for scene in (Syn6288Scene, Xfs5152Scene)
]
