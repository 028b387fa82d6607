"""The firmware as it ships, whole: from the devices' bytes to the agent's messages and back."""

import asyncio
import os
import random
import signal
from collections.abc import Callable
from pathlib import Path

import pytest

from protocol.wire import messages, states
from simulator.board import ResetCause
from simulator.board.probe import Probe
from simulator.devices import cards
from tests.board.terminal_scene import (
    CARD,
    OTHER_CARD,
    SLIP,
    SLIP_TEXT,
    Terminal,
    play,
    play_in_true_time,
    terminal,
)

PULSE_MS = 300
DEVICES = {1: "sdt", 2: "escpos", 3: "syn6288", 4: "relay", 5: "button", 6: "ccnet"}


async def all_online(t: Terminal) -> None:
    for device in DEVICES:
        await t.state(device, states.ONLINE)


def test_hello_tells_what_runs_and_every_device_comes_online(image: Path, tmp_path: Path) -> None:
    async def scene() -> None:
        async with terminal(image, tmp_path) as t:
            assert t.probe.info["runtime"] == "micropython"
            assert t.probe.info["board"] == "simulated"
            assert t.probe.info["reset"] == "power"
            named = {f"{number}:{name}" for number, name in DEVICES.items()}
            assert set(t.probe.info["devices"].split(",")) == named
            await all_online(t)

    play(scene)


@pytest.mark.parametrize("runtime", ["micropython", "cpython"])
def test_everything_once_from_end_to_end(image: Path, tmp_path: Path, runtime: str) -> None:
    async def scene() -> None:
        async with terminal(image, tmp_path, runtime=runtime) as t:
            assert t.probe.info["runtime"] == runtime
            await t.read(CARD)
            await t.read(OTHER_CARD)
            assert await t.print_slip() == states.DONE
            slip = t.printer.take_slip()
            assert slip is not None
            assert slip.complete
            assert slip.text.startswith(SLIP_TEXT)
            await t.speak("您好")
            assert [said.text for said in t.voice.transcript] == ["您好"]
            assert await t.probe.pulse(t.number(), PULSE_MS) == states.DONE
            assert t.gate.openings == 1

    (play if runtime == "micropython" else play_in_true_time)(scene)


@pytest.mark.alone
def test_no_device_is_misheard_at_true_speed_with_flash_erases_and_collections(
    image: Path, tmp_path: Path
) -> None:
    async def scene() -> None:
        options = {"link": "pty", "erase_stall_ms": 50, "collection": (300, 40)}
        async with terminal(image, tmp_path, speed=1, **options) as t:
            pulses = asyncio.create_task(pulse_often(t, 12))
            await t.read(CARD)
            assert await t.print_slip() == states.DONE
            await t.speak("好")
            await pulses
            assert t.gate.pulse_count == 12
            for uart in (1, 2, 3):  # the link may lose bytes in an erase; it sends them again
                line = t.board.lines[uart]
                assert (line.overflow_bytes, line.garbled_bytes) == (0, 0)

    play_in_true_time(scene)


async def pulse_often(t: Terminal, times: int) -> None:
    for _ in range(times):
        assert await t.probe.pulse(t.number(), 100) == states.DONE


def test_residence_permits_are_told_apart(image: Path, tmp_path: Path) -> None:
    async def scene() -> None:
        async with terminal(image, tmp_path) as t:
            permit = cards.hmt_card("样例丙", "810000190001010034")
            foreign = cards.foreign_card(
                "SAMPLE", cards.foreign_numbers_for_tests(random.Random(1), 1)[0]
            )
            nine = cards.foreign_card_2023("样例戊", "944156190001010018")
            for card, layout in ((CARD, "C"), (permit, "J"), (foreign, "I"), (nine, "Y")):
                message = await t.read(card)
                assert chr(message.fields[1]) == layout
            await t.probe.send(messages.CARD_OPTIONS, states.CARD_WITH_ADDRESS)
            moved = cards.citizen_card("样例己", "441900190001010035", added_address="样例新路1号")
            for card, told in ((moved, states.ADDRESS_ADDED), (CARD, states.ADDRESS_NONE)):
                number = t.number()
                await t.probe.send(messages.READ_CARD, number, 0)
                t.reader.place(card)
                await t.probe.expect(messages.CARD, number)
                message = await t.probe.expect(messages.CARD_ADDRESS, number)
                assert message.fields[1] == told
                assert message.tail.decode("utf-16-le").rstrip() == card.added_address
                t.reader.lift()
                await t.probe.expect(messages.CARD_REMOVED, number)

    play(scene)


def test_a_read_that_finds_nobody_ends_at_its_limit(image: Path, tmp_path: Path) -> None:
    async def scene() -> None:
        async with terminal(image, tmp_path) as t:
            await t.probe.send(messages.READ_CARD, 1, 4)
            await t.probe.expect(messages.CARD_FAULT, 1, states.CARD_TIME_LIMIT)
            await t.probe.send(messages.READ_CARD, 2, 0)
            await t.probe.send(messages.READ_STOP, 2)
            await asyncio.sleep(0.3)
            t.reader.place(CARD)
            await asyncio.sleep(0.8)
            assert t.reader.reads_done == 0

    play(scene)


def test_an_effect_asked_for_again_is_answered_and_not_done_again(
    image: Path, tmp_path: Path
) -> None:
    async def scene() -> None:
        async with terminal(image, tmp_path) as t:
            assert await t.probe.pulse(41, PULSE_MS) == states.DONE
            assert await t.probe.pulse(41, PULSE_MS) == states.DONE
            await t.probe.print_slip(42, SLIP)
            await t.probe.print_slip(42, SLIP)
            assert await t.probe.outcome(42) == states.DONE
            await t.probe.print_slip(42, SLIP)
            assert await t.probe.outcome(42) == states.DONE
            await t.probe.send(messages.EFFECT_QUERY, 43)
            assert await t.probe.outcome(43) == states.NEVER_SEEN
            await t.lose_power()
            assert await t.probe.pulse(41, PULSE_MS) == states.DONE
            await t.probe.send(messages.EFFECT_QUERY, 42)
            assert await t.probe.outcome(42) == states.DONE
            assert t.gate.pulse_count == 1
            assert t.printed() == 1

    play(scene)


def test_power_lost_in_mid_print_is_unknown_and_never_printed_again(
    image: Path, tmp_path: Path
) -> None:
    async def scene() -> None:
        async with terminal(image, tmp_path) as t:
            t.printer.faults.add("slow")
            await t.probe.print_slip(51, SLIP)
            while not t.printer.buffered_bytes and not t.printed():
                await asyncio.sleep(0.005)
            await t.lose_power()
            t.printer.faults.remove("slow")
            assert t.probe.info["reset"] == "power"
            await t.probe.send(messages.EFFECT_QUERY, 51)
            assert await t.probe.outcome(51) == states.UNKNOWN
            await t.probe.print_slip(51, SLIP)
            assert await t.probe.outcome(51) == states.UNKNOWN
            assert await t.print_slip() == states.DONE
            assert t.printed() <= 2

    play(scene)


def test_power_lost_in_mid_pulse_lets_the_relay_fall_and_is_unknown(
    image: Path, tmp_path: Path
) -> None:
    async def scene() -> None:
        async with terminal(image, tmp_path, speed=1) as t:
            await t.probe.send(messages.PULSE, 61, 5000)
            while t.board.pins.outputs.get(4) != 1:
                await asyncio.sleep(0.005)
            await t.lose_power()
            assert t.board.pins.outputs[4] == 0
            assert await t.probe.pulse(61, 5000) == states.UNKNOWN
            assert t.gate.pulse_count == 1

    play(scene)


def test_pulse_ends_by_itself_when_the_agent_is_gone(image: Path, tmp_path: Path) -> None:
    async def scene() -> None:
        async with terminal(image, tmp_path, speed=1) as t:
            await t.probe.send(messages.PULSE, 71, 600)
            while t.board.pins.outputs.get(4) != 1:
                await asyncio.sleep(0.005)
            await t.probe.vanish()
            await asyncio.sleep(0.8)
            assert t.board.pins.outputs[4] == 0
            ended = t.gate.pulses[0].ended_ms
            assert ended is not None
            assert 598 <= ended - t.gate.pulses[0].started_ms < 750

    play(scene)


def test_help_is_told_until_it_is_acknowledged_through_any_reset(
    image: Path, tmp_path: Path
) -> None:
    async def scene() -> None:
        async with terminal(image, tmp_path) as t:
            t.board.press_help()
            first = await t.probe.expect(messages.EVENT)
            assert first.fields[1] == states.HELP_PRESSED
            assert t.button.lamp_changes[0][1] == 1
            assert t.button.bell_changes[0][1] == 1
            await t.lose_power()
            again = await t.probe.expect(messages.EVENT, first.fields[0])
            assert again.fields[1] == states.HELP_PRESSED
            await t.probe.send(messages.EVENT_ACK, first.fields[0])
            await asyncio.sleep(0.3)
            await t.lose_power()
            t.board.press_help()
            second = await t.probe.expect(messages.EVENT)
            assert second.fields[0] > first.fields[0]

    play(scene)


def test_help_rings_and_is_answered_while_the_agent_is_dead(image: Path, tmp_path: Path) -> None:
    async def scene() -> None:
        async with terminal(image, tmp_path) as t:
            await t.probe.vanish()
            t.printer.faults.add("silence")
            t.board.press_help()
            await until(lambda: t.button.ringing)
            await asyncio.sleep(0.3)  # the press is on flash
            t.board.kill()
            await until(lambda: not t.button.ringing)
            await until(lambda: t.button.ringing)  # the next life rings again by itself
            t.board.answer_help()
            await until(lambda: not t.button.ringing and t.button.lamp_lit)
            rung = len(t.button.bell_changes)
            async with Probe(t.board.link_port(), 8) as late:
                press = await late.expect(messages.EVENT)
                answer = await late.expect(messages.EVENT)
                assert (press.fields[1], answer.fields[1]) == (1, 3)
                assert answer.tail[:4] == press.fields[0].to_bytes(4, "little")
            await asyncio.sleep(1)
            assert len(t.button.bell_changes) == rung
            assert t.button.lamp_lit

    play(scene)


async def until(is_so: Callable[[], bool], timeout_s: float = 10) -> None:
    async with asyncio.timeout(timeout_s):
        while not is_so():
            await asyncio.sleep(0.01)


def test_the_agent_rings_for_a_call_on_its_screen(image: Path, tmp_path: Path) -> None:
    async def scene() -> None:
        async with terminal(image, tmp_path) as t:
            await t.probe.send(messages.HELP_RING, 0x80000001, 0)
            await until(lambda: t.button.ringing)
            await t.probe.send(messages.HELP_ANSWER, 0x80000001)
            await until(lambda: not t.button.ringing and t.button.lamp_lit)

    play(scene)


def test_a_passage_is_told_with_the_pulse_that_allowed_it(image: Path, tmp_path: Path) -> None:
    async def scene() -> None:
        async with terminal(image, tmp_path) as t:
            assert await t.probe.pulse(81, PULSE_MS) == states.DONE
            assert t.gate.walk_through()
            event = await t.probe.expect(messages.EVENT)
            assert event.fields[1] == states.GATE_PASSED
            assert event.tail == (81).to_bytes(8, "little")

    play(scene)


def test_a_new_utterance_interrupts_and_hush_silences(image: Path, tmp_path: Path) -> None:
    async def scene() -> None:
        async with terminal(image, tmp_path) as t:
            await t.probe.say(1, "一" * 60)
            await t.speech(1, states.SPEECH_STARTED)
            await t.probe.say(2, "二" * 60, volume=16, speed=1)
            await t.speech(1, states.SPEECH_INTERRUPTED)
            await t.speech(2, states.SPEECH_STARTED)
            await t.probe.send(messages.HUSH)
            await t.speech(2, states.SPEECH_INTERRUPTED)
            said = t.voice.transcript
            assert [(one.text[0], one.interrupted) for one in said] == [("一", True), ("二", True)]
            assert (said[1].volume, said[1].speed) == (16, 1)

    play(scene)


def test_the_longest_utterance_is_spoken_whole(image: Path, tmp_path: Path) -> None:
    async def scene() -> None:
        async with terminal(image, tmp_path, speed=32) as t:
            await t.speak("测" * 100, timeout_s=20)
            assert t.voice.transcript[-1].text == "测" * 100

    play(scene)


def test_noise_on_the_link_does_no_harm(image: Path, tmp_path: Path) -> None:
    async def scene() -> None:
        dice = random.Random(1)
        async with terminal(image, tmp_path) as t:
            for _ in range(60):
                t.board.link_port().write(dice.randbytes(dice.randrange(1, 300)))
                await asyncio.sleep(0.01)
            assert await t.probe.pulse(t.number(), PULSE_MS) == states.DONE
            assert t.board.resets == 0

    play(scene)


def test_a_firmware_that_stands_still_is_ended_by_its_watchdog(image: Path, tmp_path: Path) -> None:
    async def scene() -> None:
        async with terminal(image, tmp_path) as t:
            assert t.board.pid is not None
            ups = t.probe.ups
            os.kill(t.board.pid, signal.SIGSTOP)
            await t.probe.up_again(ups)
            assert t.probe.info["reset"] == "watchdog"
            assert t.board.last_cause is ResetCause.WDT
            await all_online(t)

    play_in_true_time(scene)


def test_a_power_cut_in_any_flash_write_does_no_effect_twice(image: Path, tmp_path: Path) -> None:
    async def scene() -> None:
        async with terminal(image, tmp_path, restart_ms=1) as t:
            outcomes = set()
            for cut in range(1, 40):
                effect = t.number()
                before, resets, ups = t.gate.pulse_count, t.board.resets, t.probe.ups
                t.board.cut_flash_after(cut)
                await t.probe.send(messages.PULSE, effect, 50)
                await asyncio.sleep(0.12)
                if t.board.resets == resets and t.board.pid is not None:
                    break
                await t.probe.up_again(ups)
                outcomes.add(await t.probe.pulse(effect, 50))
                assert t.gate.pulse_count - before <= 1
                t.board.cut_flash_after(0)
            assert cut >= 3
            assert outcomes <= {states.DONE, states.UNKNOWN}

    play(scene)


def test_many_people_one_after_the_other(image: Path, tmp_path: Path) -> None:
    async def scene() -> None:
        async with terminal(image, tmp_path, speed=16) as t:
            for number in cards.numbers_for_tests(random.Random(1), 5):
                await t.read(cards.citizen_card("样例丁", number))
                assert await t.print_slip() == states.DONE
                assert await t.probe.pulse(t.number(), 100) == states.DONE
            assert t.printed() == 5
            assert t.board.resets == 0

    play(scene)
