"""Sound for captions: made in a process of its own, bounded, and left out where it is not there."""

import asyncio
import io
import wave

import pytest

from simulator.play import speech as speech_module
from simulator.play.speech import Speech, voice_of


def test_mandarin_cantonese_and_english_have_their_own_voices() -> None:
    assert voice_of("您已登记，请进。") == "cmn"
    assert voice_of("请取回您嘅身份证。") == "yue"
    assert voice_of("You are registered.") == "en"


@pytest.mark.parametrize("text", ["您已登记，请进。", "您已登记，请入嚟。", "You are registered."])
def test_what_is_said_can_be_heard(text: str) -> None:
    sound = asyncio.run(Speech().wav(text, 4))
    assert sound is not None
    with wave.open(io.BytesIO(sound)) as wav:
        assert wav.getnframes() / wav.getframerate() > 0.5


def test_slower_speech_takes_longer() -> None:
    async def both() -> tuple[bytes | None, bytes | None]:
        speech = Speech()
        return await speech.wav("请取回您的身份证。", 4), await speech.wav("请取回您的身份证。", 0)

    fast, slow = asyncio.run(both())
    assert fast
    assert slow
    assert len(slow) > 1.2 * len(fast)


def test_the_same_words_are_made_once_and_only_so_many_are_kept(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    made: list[str] = []

    async def speak(text: str, _voice: str, _speed: int) -> bytes:
        made.append(text)
        return b"RIFF"

    async def run() -> Speech:
        speech = Speech()
        for number in (*range(40), 39, 39):
            await speech.wav(f"words {number}", 4)
        return speech

    monkeypatch.setattr(speech_module, "_speak", speak)
    speech = asyncio.run(run())
    assert len(made) == 40
    assert len(speech._kept) == speech_module.SOUNDS_KEPT_MAX


def test_without_a_speech_engine_there_is_no_sound_and_no_error() -> None:
    async def run() -> bytes | None:
        speech = Speech()
        speech.is_installed = False
        return await speech.wav("words", 4)

    assert asyncio.run(run()) is None


def test_a_speaker_that_hangs_is_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(speech_module, "TIME_LIMIT_S", 0.01)
    assert asyncio.run(Speech().wav("words that nobody waits for", 4)) is None
