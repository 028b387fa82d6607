"""Every named fault of the speech chip is reached, does what its table says, and can end."""

from collections.abc import Callable
from functools import reduce
from operator import xor
from typing import Any

import pytest

from simulator.devices.syn6288_voice import Syn6288Voice

QUERY = bytes.fromhex("FD000221DE")


def say(text: str) -> bytes:
    body = b"\x01\x01" + text.encode("gbk")
    head = b"\xfd" + (len(body) + 1).to_bytes(2, "big") + body
    return head + bytes((reduce(xor, head),))


def voice_silence(chip, wire) -> None:
    assert wire.ask(say("已登记")) == b""
    assert chip.transcript[0].ended_ms is not None


def voice_power_off(chip, wire) -> None:
    chip.faults.remove("power_off")
    wire.run()
    wire.wait(20)
    wire.ask(say("[v3]已登记"), wire.now_ms + 100)
    chip.faults.add("power_off")
    wire.wait(10)
    assert chip.transcript[0].interrupted
    assert wire.ask(QUERY) == b""
    chip.faults.remove("power_off")
    assert wire.run() == b"\x4a"
    assert chip.settings.volume == 10


def voice_busy(chip, wire) -> None:
    assert wire.ask(say("好"), wire.now_ms + 60_000) == b"\x41"
    assert wire.ask(QUERY, wire.now_ms + 50) == b"\x41\x4e"
    chip.faults.remove("voice_busy")
    assert wire.run() == b"\x4f"


def voice_rejects(chip, wire) -> None:
    assert wire.ask(say("好")) == b"\x45"
    wire.wait(20)
    assert wire.ask(QUERY) == b"\x41\x4f"
    assert chip.transcript == []


def voice_silent(chip, wire) -> None:
    assert wire.ask(say("好")) == wire.ask(QUERY) == b""
    assert chip.transcript == []


def speaker_broken(chip, wire) -> None:
    assert wire.ask(say("好")) == b"\x41\x4f"
    assert chip.transcript == []


def idle_lost(chip, wire) -> None:
    assert wire.ask(say("好")) == b"\x41"
    assert not chip.busy


def voice_reply_lost(chip, wire) -> None:
    assert wire.ask(say("好")) == b"\x4f"
    assert chip.transcript[0].text == "好"


def voice_noise(chip, wire) -> None:
    answer = wire.ask(QUERY)
    assert (answer[1:], len(answer)) == (b"\x41\x4f", 3)


def brown_out(chip, wire) -> None:
    assert wire.ask(say("[v16]好")) == b"\x41\x4a"
    assert (chip.transcript, chip.settings.volume) == ([], 10)


SCENARIOS: dict[str, Callable[[Any, Any], None]] = {
    "silence": voice_silence,
    "power_off": voice_power_off,
    "voice_busy": voice_busy,
    "voice_rejects": voice_rejects,
    "voice_silent": voice_silent,
    "speaker_broken": speaker_broken,
    "idle_lost": idle_lost,
    "reply_lost": voice_reply_lost,
    "noise_before_reply": voice_noise,
    "brown_out": brown_out,
}


def test_every_fault_has_a_scenario_and_a_sentence() -> None:
    assert set(SCENARIOS) == set(Syn6288Voice.FAULTS)
    assert all(len(fault.what) > 10 for fault in Syn6288Voice.FAULTS.values())


@pytest.mark.parametrize("name", list(SCENARIOS))
def test_fault(name: str, line) -> None:
    device = Syn6288Voice()
    wire = line(device)
    assert wire.run() == b"\x4a"
    wire.wait(20)
    device.faults.add(name)
    SCENARIOS[name](device, wire)
    assert device.faults.happened[name] >= 1
