"""The console of an emulated board: one terminal for the host that outlives every reset.

Behind it is the terminal of the life that runs, or the bytes of a program that took the console for
itself (`kbd_intr(-1)`).

| output is | event | next | does |
| --- | --- | --- | --- |
| BOOTING | text | BOOTING | passes it on |
| BOOTING | the mark: boot.py and main.py are done | BANNER | holds input back |
| BANNER | prompt of the unix port | READY | the board's own banner goes to the host |
| BANNER | the same, after a soft reset out of the raw REPL | RAW | Ctrl-A to the board |
| RAW | prompt of the raw REPL | READY | passes it on |
| READY | text | READY | passes it on; a banner in it tells raw from friendly |
| any | the life ended by itself | BOOTING | the host reads `MPY: soft reboot` |

After a hard reset the board is not on its USB for a while: what the host sends until ENUMERATION_S
after the interpreter began is lost. A soft reset loses nothing.

A bare newline goes to the host as CR LF, as from a board. What the host does not take waits; when
it takes nothing for STUCK_S, nobody listens and it is lost, as on a USB line without a reader.
"""

import asyncio
import contextlib
import socket
from collections.abc import Callable
from pathlib import Path

from simulator.board.pty_link import PtyLink, Terminal

USB_BAUD = 115_200
READ_BYTES = 2048
HELD_BYTES_MAX = 65_536
STUCK_S = 0.5
RETRY_S = 0.002
ENUMERATION_S = 0.2
BOOT_ENDS = b"\x1eREPL\x1e"
RAW_BANNER = b"raw REPL; CTRL-B to exit\r\n"
FRIENDLY_BANNER = b'Type "help()" for more information.\r\n'
_PROMPT = b">>> "
_BANNER_KEPT = max(len(RAW_BANNER), len(FRIENDLY_BANNER))
BOOTING, BANNER, RAW, READY = "booting", "banner", "raw", "ready"


class Console:
    """`path` is what mpremote opens; `banner` is what the board says of itself."""

    def __init__(self, path: Path, banner: str) -> None:
        self.raw = False
        """The REPL was in raw mode when it last spoke."""
        self.ready = asyncio.Event()
        """The REPL of this life waits for input, or a program has the console; both are heard."""
        self.noise: Callable[[bytes, bool], bytes] = lambda data, _to_board: data
        """What the cable makes of bytes, for tests; the flag: on their way to the board."""
        self._banner = banner.encode()
        self._loop = asyncio.get_running_loop()
        self._host = PtyLink(path, USB_BAUD)
        self._host.watch(lambda: self._from_thread(self._read_host))
        self._board: Terminal | None = None
        self._bytes: socket.socket | None = None
        self._taken = False
        self._hears = False
        self._soft = False
        self._state = BOOTING
        self._text = b""
        self._said = b""
        self._heard = b""
        self._starts_raw = False
        self._to_host = bytearray()
        self._to_board = bytearray()
        self._stuck_since: float | None = None
        self._retrying: dict[Callable[[], None], asyncio.TimerHandle] = {}
        self._host.arm()

    @property
    def path(self) -> Path:
        return self._host.path

    # ---- lives

    def begin_life(self, starts_raw: bool) -> tuple[int, socket.socket]:
        """The terminal and the end of the console's bytes that the new process inherits. Close the
        latter when it has."""
        self._starts_raw = starts_raw
        self._state, self._text, self._said = BOOTING, b"", b""
        self._hears = self._soft
        self._taken = False
        self._board = Terminal()
        self._board.watch(lambda: self._from_thread(self._read_board))
        self._board.arm()
        self._bytes, board_end = socket.socketpair()
        self._bytes.setblocking(False)
        board_end.setblocking(False)
        self._loop.add_reader(self._bytes, self._read_bytes)
        self._read_host()
        return self._board.slave, board_end

    def end_life(self, soft: bool) -> None:
        """The process is gone; `soft`: it ended by itself, which is how Ctrl-D ends it."""
        self.ready.clear()
        if self._board is not None:
            self._read_board()
            self._board.close()
            self._board = None
        if self._bytes is not None:
            self._loop.remove_reader(self._bytes)
            self._bytes.close()
            self._bytes = None
        self._to_board.clear()
        self._soft = soft
        if soft:
            self._send_host(b"\r\nMPY: soft reboot\r\n")
        else:
            self.raw = False

    def take(self, to_bytes: bool) -> None:
        """A program took the console for its bytes, or gave it back; the first word of a life is
        that its interpreter hears keys."""
        self._taken = to_bytes
        if not self._hears:
            self._loop.call_later(ENUMERATION_S, self._hear, self._board)
        self._tell_ready()

    def _tell_ready(self) -> None:
        """Whoever waits for this life may speak now: nothing of it is lost."""
        if self._hears and (self._taken or self._state == READY):
            self.ready.set()

    def _hear(self, board: Terminal | None) -> None:
        if board is not None and board is self._board:
            self._host.read(HELD_BYTES_MAX)
            self._hears = True
            self._tell_ready()
            self._read_host()

    def close(self) -> None:
        self.end_life(soft=False)
        for handle in self._retrying.values():
            handle.cancel()
        self._host.close()

    # ---- towards the board

    def _read_host(self) -> None:
        if self._board is None or self._state in (BANNER, RAW) or not self._hears:
            return  # it waits in the terminal
        self._to_board += self.noise(self._host.read(READ_BYTES - len(self._to_board)), True)
        with contextlib.suppress(BlockingIOError, BrokenPipeError, ConnectionResetError):
            while self._to_board:
                sent = self._put_board(bytes(self._to_board))
                if not sent:
                    break
                del self._to_board[:sent]
        if self._to_board or self._host.pending():
            self._retry(self._read_host)
        else:
            self._host.arm()

    def _put_board(self, data: bytes) -> int:
        if self._taken:
            assert self._bytes is not None
            return self._bytes.send(data)
        assert self._board is not None
        return self._board.put(data)

    # ---- towards the host

    def _read_bytes(self) -> None:
        assert self._bytes is not None
        if len(self._to_host) > HELD_BYTES_MAX:
            return
        try:
            data = self._bytes.recv(READ_BYTES)
        except (BlockingIOError, ConnectionResetError):
            return
        if data:
            self._send_host(data)
        else:
            self._loop.remove_reader(self._bytes)

    def _read_board(self) -> None:
        if self._board is None:
            return
        while len(self._to_host) <= HELD_BYTES_MAX:
            data = self._board.read(READ_BYTES)
            if not data:
                self._board.arm()
                return
            self._text += data
            while self._take_text():
                pass
        self._retry(self._read_board)

    def _take_text(self) -> bool:
        """Look at the text in the present state; True when the state changed."""
        match self._state:
            case "booting":
                return self._take_boot()
            case "banner":
                if _PROMPT not in self._text:
                    return False
                self._text = self._text.partition(_PROMPT)[2]
                if self._starts_raw:
                    assert self._board is not None
                    self._board.put(b"\x01")
                    self._state = RAW
                    return True
                self._send_host(self._banner + b"\r\n" + FRIENDLY_BANNER + _PROMPT)
                return self._be_ready(raw=False)
            case "raw":
                if RAW_BANNER not in self._text:
                    return False
                self._text = RAW_BANNER + self._text.partition(RAW_BANNER)[2]
                return self._be_ready(raw=True)
        self._listen(self._text)
        self._send_host(_with_carriage_returns(self._text, self._said))
        self._said, self._text = self._text[-1:] or self._said, b""
        return False

    def _take_boot(self) -> bool:
        text, mark, rest = self._text.partition(BOOT_ENDS)
        if not mark:  # keep what may be its beginning
            kept = next(
                (n for n in range(len(BOOT_ENDS) - 1, 0, -1) if text.endswith(BOOT_ENDS[:n])), 0
            )
            text, rest = text[: len(text) - kept], text[len(text) - kept :]
        self._send_host(_with_carriage_returns(text, self._said))
        self._said, self._text = text[-1:] or self._said, rest
        if mark:
            self._state = BANNER
        return bool(mark)

    def _be_ready(self, raw: bool) -> bool:
        self._state = READY
        self.raw = raw
        self._tell_ready()
        self._read_host()
        return True

    def _listen(self, text: bytes) -> None:
        """The REPL's banners say in which mode it is."""
        heard = self._heard + text
        raw, friendly = heard.rfind(RAW_BANNER), heard.rfind(FRIENDLY_BANNER)
        if raw != friendly:
            self.raw = raw > friendly
        self._heard = heard[-_BANNER_KEPT:]

    def _send_host(self, data: bytes) -> None:
        self._to_host += self.noise(data, False)
        self._flush()

    def _flush(self) -> None:
        sent = self._host.put(bytes(self._to_host)) if self._to_host else 0
        del self._to_host[:sent]
        now = self._loop.time()
        if sent or not self._to_host:
            self._stuck_since = None
        elif self._stuck_since is None:
            self._stuck_since = now
        elif now - self._stuck_since > STUCK_S:
            self._to_host.clear()
            self._stuck_since = None
        if self._to_host:
            self._retry(self._flush)

    # ---- the loop

    def _retry(self, action: Callable[[], None]) -> None:
        if action not in self._retrying:

            def act() -> None:
                del self._retrying[action]
                action()

            self._retrying[action] = self._loop.call_later(RETRY_S, act)

    def _from_thread(self, action: Callable[[], None]) -> None:
        with contextlib.suppress(RuntimeError):  # the loop has ended
            self._loop.call_soon_threadsafe(action)


def _with_carriage_returns(text: bytes, before: bytes) -> bytes:
    """CR LF for every LF that has no CR; `before` is the byte ahead of `text`."""
    if text.startswith(b"\n") and before == b"\r":
        return b"\n" + _with_carriage_returns(text[1:], b"\n")
    return text.replace(b"\r\n", b"\n").replace(b"\n", b"\r\n")
