"""Speech chips: what the whole firmware makes of each fault."""

from protocol.wire import states
from simulator.devices.xfs5152_voice import Xfs5152Voice
from tests.board.fault_scenes import Book, Play, Scene
from tests.board.terminal_scene import Terminal

VOICE = Book()


async def failed_until_removed(t: Terminal, fault: str) -> None:
    await t.state(states.VOICE, states.ONLINE)
    t.voice.faults.add(fault)
    number = t.number()
    await t.probe.say(number, "您好")
    await t.speech(number, states.SPEECH_FAILED)
    await t.state(states.VOICE, states.OFFLINE)
    t.voice.faults.remove(fault)
    await t.state(states.VOICE, states.ONLINE)
    await t.speak("请进")
    assert t.voice.transcript[-1].text == "请进"


@VOICE.scene("silence")
async def silence(t: Terminal) -> None:
    await failed_until_removed(t, "silence")


@VOICE.scene("power_off")
async def power_off(t: Terminal) -> None:
    await failed_until_removed(t, "power_off")


@VOICE.scene("voice_silent")
async def voice_silent(t: Terminal) -> None:
    await failed_until_removed(t, "voice_silent")


@VOICE.scene("voice_busy")
async def voice_busy(t: Terminal) -> None:
    t.voice.faults.add("voice_busy")
    first, second = t.number(), t.number()
    await t.probe.say(first, "一二三")
    await t.speech(first, states.SPEECH_STARTED)
    await t.probe.say(second, "四五六")
    await t.speech(first, states.SPEECH_INTERRUPTED)
    await t.speech(second, states.SPEECH_STARTED)
    t.voice.faults.remove("voice_busy")
    await t.speech(second, states.SPEECH_FINISHED)


@VOICE.scene("voice_rejects")
async def voice_rejects(t: Terminal) -> None:
    t.voice.faults.add("voice_rejects", 1)
    await t.speak("再说一次")  # sent again
    t.voice.faults.add("voice_rejects")
    number = t.number()
    await t.probe.say(number, "您好")
    await t.speech(number, states.SPEECH_FAILED)
    t.voice.faults.remove("voice_rejects")
    await t.speak("请进")
    assert [said.text for said in t.voice.transcript] == ["再说一次", "请进"]


@VOICE.scene("speaker_broken")
async def speaker_broken(t: Terminal) -> None:
    t.voice.faults.add("speaker_broken")
    await t.speak("您好")  # no driver can hear that nothing is heard
    assert t.voice.transcript == []
    t.voice.faults.remove("speaker_broken")
    await t.speak("请进")
    assert [said.text for said in t.voice.transcript] == ["请进"]


@VOICE.scene("idle_lost")
async def idle_lost(t: Terminal) -> None:
    t.voice.faults.add("idle_lost", 1)
    await t.speak("您好")  # found by asking
    await t.speak("请进")


@VOICE.scene("reply_lost")
async def reply_lost(t: Terminal) -> None:
    t.voice.faults.add("reply_lost", 1)
    await t.speak("您好")
    assert {said.text for said in t.voice.transcript} == {"您好"}


@VOICE.scene("noise_before_reply")
async def noise(t: Terminal) -> None:
    t.voice.faults.add("noise_before_reply")
    await t.speak("您好")
    await t.speak("请进")
    await t.state(states.VOICE, states.ONLINE)


@VOICE.scene("brown_out")
async def brown_out(t: Terminal) -> None:
    t.voice.faults.add("brown_out", 1)
    number = t.number()
    await t.probe.say(number, "您好")
    await t.speech(number, states.SPEECH_FAILED)
    await t.speak("请进")
    assert t.voice.transcript[-1].text == "请进"


XFS5152 = Book()
XFS5152_SETTINGS = "voice.model=xfs5152"


def on_xfs5152(scene: Play) -> Play:
    """The same scene, with a probe that speaks to the other chip."""

    async def play(t: Terminal) -> None:
        t.probe.speech_codec = "utf-16-le"
        await scene(t)

    return play


for fault, found in VOICE.scenes.items():
    XFS5152.scenes[fault] = Scene(
        on_xfs5152(found.play), XFS5152_SETTINGS, found.clock_rate, {"voice": Xfs5152Voice}
    )


async def byte_lost(t: Terminal) -> None:
    t.voice.faults.add("byte_lost", 1)
    await t.speak("您好")  # sent again
    assert [said.text for said in t.voice.transcript] == ["您好"]


async def falls_asleep(t: Terminal) -> None:
    t.voice.faults.add("falls_asleep", 1)
    await t.speak("您好")
    await t.speak("请进")  # woken for it
    assert [said.text for said in t.voice.transcript] == ["您好", "请进"]
    await t.state(states.VOICE, states.ONLINE)


for only in (byte_lost, falls_asleep):
    XFS5152.scenes[only.__name__] = Scene(
        on_xfs5152(only), XFS5152_SETTINGS, 1, {"voice": Xfs5152Voice}
    )
