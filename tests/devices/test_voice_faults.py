"""Every named fault of each speech chip is reached, does what its table says, and can end."""

from collections.abc import Callable
from functools import reduce
from operator import xor
from typing import Any

import pytest

from simulator.devices.syn6288_voice import Syn6288Voice
from simulator.devices.xfs5152_voice import Xfs5152Voice


class Syn6288(Syn6288Voice):
    """The chip, and how one speaks to it."""

    QUERY = bytes.fromhex("FD000221DE")

    @staticmethod
    def say(text: str) -> bytes:
        body = b"\x01\x01" + text.encode("gbk")
        head = b"\xfd" + (len(body) + 1).to_bytes(2, "big") + body
        return head + bytes((reduce(xor, head),))


class Xfs5152(Xfs5152Voice):
    """The chip, and how one speaks to it."""

    QUERY = bytes.fromhex("FD000121")

    @staticmethod
    def say(text: str) -> bytes:
        body = b"\x01\x01" + text.encode("gbk")
        return b"\xfd" + len(body).to_bytes(2, "big") + body


def voice_silence(chip, wire) -> None:
    assert wire.ask(chip.say("已登记")) == b""
    assert chip.transcript[0].ended_ms is not None


def voice_power_off(chip, wire) -> None:
    usual = chip.settings
    chip.faults.remove("power_off")
    wire.run()
    wire.wait(20)
    wire.ask(chip.say("[v3]已登记"), wire.now_ms + 100)
    chip.faults.add("power_off")
    wire.wait(10)
    assert chip.transcript[0].interrupted
    assert wire.ask(chip.QUERY) == b""
    chip.faults.remove("power_off")
    assert wire.run() == b"\x4a"
    assert chip.settings == usual


def voice_busy(chip, wire) -> None:
    assert wire.ask(chip.say("好"), wire.now_ms + 60_000) == b"\x41"
    assert wire.ask(chip.QUERY, wire.now_ms + 50) == b"\x41\x4e"
    chip.faults.remove("voice_busy")
    assert wire.run() == b"\x4f"


def voice_rejects(chip, wire) -> None:
    assert wire.ask(chip.say("好")) == b"\x45"
    wire.wait(20)
    assert wire.ask(chip.QUERY) == b"\x41\x4f"
    assert chip.transcript == []


def voice_silent(chip, wire) -> None:
    assert wire.ask(chip.say("好")) == wire.ask(chip.QUERY) == b""
    assert chip.transcript == []


def speaker_broken(chip, wire) -> None:
    assert wire.ask(chip.say("好")) == b"\x41\x4f"
    assert chip.transcript == []


def idle_lost(chip, wire) -> None:
    assert wire.ask(chip.say("好")) == b"\x41"
    assert not chip.busy


def voice_reply_lost(chip, wire) -> None:
    assert wire.ask(chip.say("好")) == b"\x4f"
    assert chip.transcript[0].text == "好"


def voice_noise(chip, wire) -> None:
    answer = wire.ask(chip.QUERY)
    assert (answer[1:], len(answer)) == (b"\x41\x4f", 3)


def brown_out(chip, wire) -> None:
    usual = chip.settings
    assert wire.ask(chip.say("[v1]好")) == b"\x41\x4a"
    assert (chip.transcript, chip.settings) == ([], usual)


def byte_lost(chip, wire) -> None:
    chip.faults.remove("byte_lost")
    chip.faults.add("byte_lost", 1)
    assert wire.ask(chip.say("好")) == b"\x45"
    assert wire.ask(chip.say("好")) == b"\x41\x4f"
    assert len(chip.transcript) == 1


def falls_asleep(chip, wire) -> None:
    assert wire.ask(chip.say("好")) == b"\x41\x4f"
    assert chip.asleep
    assert wire.ask(chip.QUERY) == b""
    assert wire.ask("FD0001FF") == b"\x41"
    assert wire.ask(chip.QUERY) == b"\x41\x4f"


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
ONLY_XFS5152 = {"byte_lost": byte_lost, "falls_asleep": falls_asleep}
CHIPS = {Syn6288: SCENARIOS, Xfs5152: SCENARIOS | ONLY_XFS5152}


@pytest.mark.parametrize("chip", CHIPS)
def test_every_fault_has_a_scenario_and_a_sentence(chip) -> None:
    assert set(CHIPS[chip]) == set(chip.FAULTS)
    assert all(len(fault.what) > 10 for fault in chip.FAULTS.values())


@pytest.mark.parametrize(("chip", "name"), [(chip, name) for chip in CHIPS for name in CHIPS[chip]])
def test_fault(chip, name: str, line) -> None:
    device = chip()
    wire = line(device)
    assert wire.run() == b"\x4a"
    wire.wait(20)
    device.faults.add(name)
    CHIPS[chip][name](device, wire)
    assert device.faults.happened[name] >= 1
