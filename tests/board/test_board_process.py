"""The simulated board itself, driven by a tiny firmware: a board that flatters would prove nothing
about ours."""

import asyncio
import contextlib
import os
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
import serial

from simulator.board import Board, ResetCause
from simulator.board.line import bytes_waiting
from simulator.devices.gate import Gate
from simulator.devices.help_button import HelpButton
from simulator.devices.syn6288_voice import Syn6288Voice

TINY = Path(__file__).parent / "tiny_firmware"
ANSWER_S = 8.0


class Talker:
    """The link of the tiny firmware, read through pyserial as the agent would."""

    def __init__(self, path: str) -> None:
        self.port = serial.Serial(path, 921600, timeout=0, write_timeout=1)
        self._rest = b""

    def send(self, text: str) -> None:
        self.port.write(text.encode() + b"\n")

    async def line(self, timeout_s: float = ANSWER_S) -> str:
        until = time.monotonic() + timeout_s
        while b"\n" not in self._rest:
            self._rest += self.port.read(4096)
            if time.monotonic() > until:
                raise TimeoutError(f"no line; so far {self._rest!r}")
            await asyncio.sleep(0.001)
        line, _, self._rest = self._rest.partition(b"\n")
        return line.decode()

    async def ask(self, text: str) -> str:
        self.send(text)
        return await self.line()

    def close(self) -> None:
        self.port.close()


class FakeDevice:
    """Sends what the test puts into `out`, keeps what comes in."""

    def __init__(self, baud: int) -> None:
        self.baud = baud
        self.out = b""
        self.got = bytearray()
        self.came_ms: list[float] = []

    def receive(self, data: bytes, now_ms: float) -> None:
        self.got += data
        self.came_ms.append(now_ms)

    def poll(self, now_ms: float) -> bytes:
        data, self.out = self.out, b""
        return data

    def next_ms(self, now_ms: float) -> float | None:
        return None


@contextlib.asynccontextmanager
async def running(
    folder: Path, devices: dict[str, Any] | None = None, **options: Any
) -> AsyncIterator[tuple[Board, Talker]]:
    options.setdefault("firmware_folder", TINY)
    board = Board("t1", folder, devices or {}, **options)
    talker = Talker(board.link_path)
    try:
        await board.start()
        await board.booted()
        assert await talker.line() == "up 1"
        yield board, talker
    finally:
        talker.close()
        await board.stop()


def run(scene: Callable[[], Awaitable[None]]) -> None:
    asyncio.run(asyncio.wait_for(scene(), 30))


@pytest.mark.parametrize("runtime", ["micropython", "cpython"])
def test_firmware_answers_over_the_pty_and_names_its_runtime(tmp_path: Path, runtime: str) -> None:
    async def scene() -> None:
        async with running(tmp_path, runtime=runtime) as (_, talker):
            assert await talker.ask("runtime") == runtime
            assert len(await talker.ask("id")) == 12

    run(scene)


@pytest.mark.parametrize(("name", "uart", "baud"), [("card_reader", 1, 115200), ("voice", 3, 9600)])
def test_uart_echoes_every_byte_no_faster_than_its_baud(
    tmp_path: Path, name: str, uart: int, baud: int
) -> None:
    async def scene() -> None:
        device = FakeDevice(baud)
        sent = bytes(range(256))
        async with running(tmp_path, {name: device}) as (board, talker):
            assert await talker.ask(f"open {uart} {baud} 512") == "opened"
            begun = time.monotonic()
            device.out = sent
            board.changed()
            assert await talker.ask(f"echo {uart}") == "echoed"
            assert bytes(device.got) == sent
            line_ms = len(sent) * 10 / baud * 1000
            assert device.came_ms[-1] - begun * 1000 >= line_ms - 3
            assert board.lines[uart].overflow_bytes == 0

    run(scene)


@pytest.mark.parametrize("speed", [1, 8])
def test_a_device_that_refuses_gaps_between_bytes_takes_a_whole_frame(
    tmp_path: Path, speed: float
) -> None:
    async def scene() -> None:
        voice = Syn6288Voice()
        frame = bytes.fromhex("FD00CB0101") + "测".encode("gbk") * 100 + b"\x36"
        async with running(tmp_path, {"voice": voice}, speed=speed) as (_, talker):
            assert await talker.ask("open 3 9600 256") == "opened"
            await asyncio.sleep(0.2)  # the chip boots
            answer = await talker.ask(f"send 3 {frame.hex()}")
            assert answer in ("answer 41", "answer 4a41")
            assert voice.transcript[0].text == "测" * 100

    run(scene)


def test_gate_and_help_button_hang_on_their_pins(tmp_path: Path) -> None:
    async def scene() -> None:
        gate, button = Gate(), HelpButton()
        devices = {"gate": gate, "help_button": button}
        async with running(tmp_path, devices, speed=8) as (board, talker):
            assert await talker.ask("level") == "in 1"
            button.hold(board.now_ms())
            await asyncio.sleep(0.05)
            assert await talker.ask("level") == "in 0"
            button.release(board.now_ms())
            await asyncio.sleep(0.05)
            assert await talker.ask("level") == "in 1"
            assert await talker.ask("out 1") == "set"
            await asyncio.sleep(0.05)
            assert gate.openings == 1
            assert board.pins.inputs[5] == 1
            assert gate.walk_through()
            await asyncio.sleep(0.01)
            assert board.pins.inputs[5] == 0

    run(scene)


def test_speed_runs_the_line_faster(tmp_path: Path) -> None:
    async def scene() -> None:
        device = FakeDevice(9600)
        async with running(tmp_path, {"voice": device}, speed=16) as (board, talker):
            assert await talker.ask("open 3 9600 512") == "opened"
            device.out = bytes(1000)
            board.changed()
            begun = time.monotonic()
            assert await talker.ask("echo 3") == "echoed"
            assert len(device.got) == 1000
            assert time.monotonic() - begun < 2.0  # at speed 1: more than two seconds

    run(scene)


def test_firmware_that_blocks_60_ms_at_115200_loses_what_does_not_fit(tmp_path: Path) -> None:
    async def scene() -> None:
        device = FakeDevice(115200)
        async with running(tmp_path, {"card_reader": device}) as (board, talker):
            assert await talker.ask("open 1 115200 256") == "opened"
            talker.send("block 1 250")
            assert await talker.line() == "blocking"
            device.out = bytes(691)  # 60 ms of line
            board.changed()
            assert await talker.line() == "got 384"  # the FIFO's 128 and rxbuf's 256
            assert board.lines[1].overflow_bytes == 691 - 384

    run(scene)


def test_a_small_fifo_loses_more(tmp_path: Path) -> None:
    async def scene() -> None:
        device = FakeDevice(115200)
        async with running(tmp_path, {"card_reader": device}, fifo_bytes=32) as (board, talker):
            assert await talker.ask("open 1 115200 64") == "opened"
            talker.send("block 1 250")
            assert await talker.line() == "blocking"
            device.out = bytes(200)
            board.changed()
            assert await talker.line() == "got 96"
            assert board.lines[1].overflow_bytes == 104

    run(scene)


def test_wrong_baud_garbles(tmp_path: Path) -> None:
    async def scene() -> None:
        device = FakeDevice(115200)
        async with running(tmp_path, {"card_reader": device}) as (board, talker):
            assert await talker.ask("open 1 9600 256") == "opened"
            device.out = b"hello"
            board.changed()
            assert await talker.ask("echo 1") == "echoed"
            assert device.got
            assert board.lines[1].garbled_bytes >= 10

    run(scene)


def test_bytes_before_the_uart_is_open_are_not_heard(tmp_path: Path) -> None:
    async def scene() -> None:
        device = FakeDevice(115200)
        async with running(tmp_path, {"card_reader": device}) as (board, talker):
            device.out = b"early"
            board.changed()
            await asyncio.sleep(0.05)
            assert await talker.ask("open 1 115200 256") == "opened"
            assert await talker.ask("echo 1") == "echoed"
            assert bytes(device.got) == b""
            assert board.lines[1].unheard_bytes == 5

    run(scene)


def test_pins_go_both_ways_and_fall_at_a_reset(tmp_path: Path) -> None:
    async def scene() -> None:
        async with running(tmp_path) as (board, talker):
            assert await talker.ask("level") == "in 1"
            board.pins.drive(6, 0)
            assert await talker.ask("level") == "in 0"
            assert await talker.ask("out 1") == "set"
            assert board.pins.outputs[4] == 1
            board.kill()
            assert await talker.line() == "up 1"
            assert [(edge.pin, edge.level) for edge in board.pins.edges] == [(4, 0), (4, 1), (4, 0)]
            assert await talker.ask("level") == "in 0"  # the input is outside and stays

    run(scene)


def test_watchdog_ends_a_hung_firmware_and_the_next_life_knows(tmp_path: Path) -> None:
    async def scene() -> None:
        causes: list[ResetCause] = []
        async with running(tmp_path) as (board, talker):
            board.on_reset = causes.append
            assert await talker.ask("guard 200") == "guarded"
            await asyncio.sleep(0.6)
            assert board.resets == 0  # it is fed while it works
            talker.send("hang")
            assert await talker.line() == "up 3"
            assert causes == [ResetCause.WDT]
            assert board.last_cause is ResetCause.WDT
            await asyncio.sleep(0.4)
            assert board.resets == 1  # a new life starts without a watchdog

    run(scene)


def test_machine_reset_runs_no_more_firmware_code(tmp_path: Path) -> None:
    async def scene() -> None:
        async with running(tmp_path) as (board, talker):
            assert await talker.ask("reset") == "up 2"
            assert board.resets == 1

    run(scene)


def test_traceback_of_a_crashed_firmware_is_in_the_log_and_the_board_stands_still(
    tmp_path: Path,
) -> None:
    async def scene() -> None:
        async with running(tmp_path) as (board, talker):
            talker.send("fail planted")
            while not board.halted:
                await asyncio.sleep(0.01)
            await asyncio.sleep(0.05)
            assert "RuntimeError: planted" in "\n".join(board.log)
            assert board.resets == 0
            board.kill()
            assert await talker.line() == "up 1"
            assert not board.halted

    run(scene)


@pytest.mark.parametrize("runtime", ["micropython", "cpython"])
def test_flash_survives_a_kill_and_a_new_board(tmp_path: Path, runtime: str) -> None:
    async def scene() -> None:
        async with running(tmp_path, runtime=runtime) as (board, talker):
            assert await talker.ask("write a kept") == "written"
            board.kill()
            assert await talker.line() == "up 1"
            assert await talker.ask("read a") == "holds kept"
        async with running(tmp_path, runtime=runtime) as (_, talker):
            assert await talker.ask("read a") == "holds kept"

    run(scene)


def test_power_cut_in_any_flash_write_leaves_the_old_or_the_new_file(tmp_path: Path) -> None:
    async def scene() -> None:
        async with running(tmp_path, restart_ms=1) as (board, talker):
            assert await talker.ask("write a old") == "written"
            found = set()
            for cut in range(1, 40):
                resets = board.resets
                board.cut_flash_after(cut)
                answer = await talker.ask("write a new")
                found.add(await talker.ask("read a"))
                if board.resets == resets:
                    assert answer == "written"
                    break
                assert answer == "up 1"  # nothing of the firmware ran after the cut
                assert await talker.ask("write a old") == "written"
            assert cut > 3
            assert found == {"holds old", "holds new"}

    run(scene)


def test_an_erase_leaves_only_the_hardware_fifo_listening(tmp_path: Path) -> None:
    async def scene() -> None:
        device = FakeDevice(115200)
        async with running(tmp_path, {"card_reader": device}, erase_stall_ms=300) as (
            board,
            talker,
        ):
            assert await talker.ask("open 1 115200 4096") == "opened"
            line = board.lines[1]
            stalls: list[bool] = []
            erase = line.erase

            def watched(begun: bool) -> None:
                stalls.append(begun)
                erase(begun)
                if begun and len(stalls) == 1:
                    device.out = bytes(600)
                    board.changed()

            line.erase = watched  # type: ignore[method-assign]
            for turn in range(60):  # littlefs erases when its log block is full
                talker.send(f"write a {turn}")
                assert await talker.line() == "written"
                if stalls:
                    break
            assert stalls
            assert line.overflow_bytes == 600 - 128

    run(scene)


def test_a_collection_stops_the_firmware_but_not_its_uart(tmp_path: Path) -> None:
    async def scene() -> None:
        device = FakeDevice(115200)
        async with running(tmp_path, {"card_reader": device}, collection=(150, 40)) as (
            board,
            talker,
        ):
            assert await talker.ask("open 1 115200 2048") == "opened"
            talker.send("echo 1")
            for _ in range(3):
                device.out = bytes(1295)
                board.changed()
                await asyncio.sleep(0.2)
            assert await talker.line() == "echoed"
            assert len(device.got) == 3 * 1295
            assert board.lines[1].overflow_bytes == 0

    run(scene)


def test_an_agent_that_goes_and_comes_back_finds_the_line_alive(tmp_path: Path) -> None:
    async def scene() -> None:
        async with running(tmp_path) as (board, talker):
            for _ in range(3):
                talker.close()
                await asyncio.sleep(0.02)
                talker.__init__(board.link_path)  # type: ignore[misc]
                assert await talker.ask("runtime") == "micropython"

    run(scene)


def test_bytes_that_nobody_reads_are_dropped_and_the_firmware_goes_on(tmp_path: Path) -> None:
    async def scene() -> None:
        async with running(tmp_path) as (board, talker):
            for _ in range(8):
                talker.send("\n".join(["id"] * 100))
                await asyncio.sleep(0.05)
            while board.lines[0].bytes_from_board < 800 * 13:
                await asyncio.sleep(0.01)
            assert board.lines[0].far.dropped_bytes > 0  # type: ignore[attr-defined]
            assert bytes_waiting(talker.port.fileno()) <= 4095
            talker.port.reset_input_buffer()
            assert await talker.ask("runtime") == "micropython"

    run(scene)


def test_sigkill_from_outside_is_a_power_cut(tmp_path: Path) -> None:
    async def scene() -> None:
        async with running(tmp_path) as (board, talker):
            assert board.pid is not None
            os.kill(board.pid, 9)
            assert await talker.line() == "up 1"
            assert board.resets == 1

    run(scene)


def test_a_fast_clock_makes_long_waits_short(tmp_path: Path) -> None:
    async def scene() -> None:
        async with running(tmp_path, clock_rate=20) as (_, talker):
            begun = time.monotonic()
            talker.send("sleep 6000")
            assert await talker.line() == "slept"
            assert 0.28 < time.monotonic() - begun < 3

    run(scene)


def test_the_heap_is_capped(tmp_path: Path) -> None:
    async def scene() -> None:
        board = Board("t1", tmp_path, {}, firmware_folder=TINY, heap="4wK")
        try:
            await board.start()
            with pytest.raises(TimeoutError, match="MemoryError"):
                await board.booted(1)
        finally:
            await board.stop()

    run(scene)


def test_stop_leaves_no_process(tmp_path: Path) -> None:
    async def scene() -> None:
        async with running(tmp_path) as (board, _):
            pid = board.pid
        with pytest.raises(ProcessLookupError):
            os.kill(pid or 0, 0)
        assert not Path(board.link_path).is_symlink()  # a left-over agent finds no other board

    run(scene)
