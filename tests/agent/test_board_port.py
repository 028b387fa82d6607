"""The serial port to the board: who speaks first."""

import os
import threading
import tty

from edge_agent.board_port import BoardPort


def test_nothing_is_written_before_the_board_has_spoken() -> None:
    """Where the link has the console, a frame is keys to an interpreter that starts: a byte 03
    would leave the board in its REPL."""
    master, slave = os.openpty()
    tty.setraw(slave)
    os.set_blocking(master, False)
    heard = threading.Event()
    port = BoardPort(os.ttyname(slave), lambda _data: heard.set(), lambda _open: None)
    port.start()
    try:
        assert not port.write(b"\x03")
        os.write(master, b"\x00")
        assert heard.wait(10)
        assert port.write(b"frame")
        os.set_blocking(master, True)
        assert os.read(master, 100) == b"frame"
    finally:
        port.stop()
        os.close(master)
        os.close(slave)
