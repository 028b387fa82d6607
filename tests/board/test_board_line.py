"""A serial line keeps its pace exactly, and a starved process is not mistaken for slow firmware."""

import os
import subprocess
import sys
import time
from pathlib import Path

from simulator.board.host_time import BoardTime
from simulator.board.line import SerialLine
from simulator.board.pins import EDGES_MAX, Pins
from simulator.board.pty_link import TERMINAL_BUFFER_BYTES, PtyLink


class Endless:
    """Always has bytes to send."""

    def __init__(self, baud: int) -> None:
        self.baud = baud
        self.sent = 0
        self.got = 0

    def read(self, limit: int) -> bytes:
        self.sent += limit
        return bytes(limit)

    def pending(self) -> bool:
        return True

    def write(self, data: bytes, more: bool) -> None:
        self.got += len(data)


def test_line_carries_exactly_its_baud_each_way() -> None:
    far = Endless(115200)
    line = SerialLine(1, far, speed=1, fifo_bytes=128)
    board_end = line.connect()
    line.configure(115200, 65536)
    written = 0
    for _ in range(1000):
        try:
            written += board_end.send(bytes(500))
        except BlockingIOError:
            written += 0
        line.pump(1, 1)
    assert 11500 <= far.sent <= 11520
    assert 11500 <= far.got <= 11520
    assert line.overflow_bytes == 0
    assert written < far.got + 8192  # the board's transmit buffer is small: it sees partial writes
    line.disconnect()


def test_a_late_parent_does_not_flood_the_board() -> None:
    far = Endless(115200)
    line = SerialLine(1, far, speed=1, fifo_bytes=128)
    line.connect()
    line.configure(115200, 256)
    line.pump(1, 1)
    line.pump(500, 500)
    assert far.sent <= 12 + (128 + 256) / 2
    line.disconnect()


def test_overflow_drops_the_new_bytes_and_counts_them() -> None:
    far = Endless(115200)
    line = SerialLine(1, far, speed=1, fifo_bytes=32)
    line.connect()
    line.configure(115200, 64)
    for _ in range(100):
        line.pump(1, 1)
    assert line.bytes_to_board == 96
    assert line.overflow_bytes == far.sent - 96
    line.disconnect()


def test_edges_of_pins_are_bounded() -> None:
    pins = Pins()
    for turn in range(3 * EDGES_MAX):
        pins.output(4, turn % 2, float(turn))
    assert len(pins.edges) == EDGES_MAX


def test_a_link_that_nobody_reads_drops_and_counts(tmp_path: Path) -> None:
    link = PtyLink(tmp_path / "link", 921600)
    try:
        for _ in range(100):
            link.write(bytes(200), True)
            time.sleep(0.002)  # the kernel moves bytes to the reader's side by itself
        assert link.dropped_bytes >= 20_000 - 2 * TERMINAL_BUFFER_BYTES
    finally:
        link.close()


def test_time_stands_still_for_a_process_that_waits_for_a_processor() -> None:
    cpu = min(os.sched_getaffinity(0))
    code = f"import os; os.sched_setaffinity(0, {{{cpu}}})\nwhile True: pass"
    processes = [subprocess.Popen([sys.executable, "-S", "-c", code]) for _ in range(3)]
    try:
        time.sleep(0.3)
        board_time = BoardTime(processes[0].pid)
        begun = last = time.monotonic()
        ran_ms = 0.0
        while last - begun < 0.6:
            time.sleep(0.002)
            now = time.monotonic()
            ran_ms += board_time.advance((now - last) * 1000)
            last = now
        assert ran_ms < 0.7 * (last - begun) * 1000
        board_time.close()
    finally:
        for process in processes:
            process.kill()
            process.wait()


def test_time_of_a_sleeping_process_passes() -> None:
    with subprocess.Popen([sys.executable, "-S", "-c", "import time; time.sleep(30)"]) as process:
        time.sleep(0.3)
        board_time = BoardTime(process.pid)
        assert sum(board_time.advance(10) for _ in range(10)) > 90
        board_time.close()
        assert board_time.advance(10) == 10
        process.kill()
