"""A board's REPL, over mpremote's transport: into it, what the board is, its files, out of it.

| the port has | is asked by | then |
| --- | --- | --- |
| the firmware, link and REPL on one port | HELLO | MAINTAIN; it resets into the REPL |
| a REPL | Ctrl-C, Ctrl-A | it answers |
| an interrupted firmware, its watchdog on | `sys.modules` | maintain.txt and a reset, by hand |
| neither | | TroubleError: `no_answer`, `wrong_baud` |
"""

import ast
import base64
import contextlib
import functools
import importlib
import time
from collections.abc import Callable, Iterable
from types import TracebackType
from typing import Any, Self

import msgspec

from edge_agent.board_port import BAUD
from edge_agent.technician import ports
from edge_agent.technician.board_link import BoardLink
from edge_agent.technician.trouble import TroubleError
from protocol.wire import messages

START_S = 6.0
"""A board that was just plugged in neither speaks nor listens for a while."""
LISTEN_S = 0.7
REPL_S = 1.0
READ_S = 3.0
"""Of one read: without it a terminal that says nothing is waited for without end."""
RESET_S = 15.0
HELLO_S = 3.0
CHUNK_BYTES = 2048
WRITE_TIMES_MAX = 2
INTERPRETER_MIN = (1, 22, 0)
UNREADABLE_BYTES_MIN = 16
_SETTLE_S = 0.3
_QUIET_S = 0.05
_RAW_BANNER = b"raw REPL; CTRL-B to exit\r\n"
_PROMPT = b">"
_FACTS = """
import sys, os, machine, binascii
_u = os.uname() if hasattr(os, 'uname') else None
_s = os.statvfs('/')
print(repr((sys.platform, tuple(sys.implementation.version)[:3], _u.machine if _u else '',
 binascii.hexlify(machine.unique_id()).decode(), _s[0] * _s[3], _s[0] * _s[2],
 'firmware.app' in sys.modules, machine.reset_cause())))
"""
_WALK = """
import os, hashlib, binascii
def _w(d):
 for e in os.ilistdir(d or '/'):
  p = d + '/' + e[0]
  if e[1] & 0x4000:
   _w(p)
  else:
   h = ''
   if p[1:].split('/')[0] in _tops:
    s = hashlib.sha256()
    with open(p, 'rb') as f:
     while True:
      b = f.read(512)
      if not b: break
      s.update(b)
    h = binascii.hexlify(s.digest()).decode()
   print(repr((p[1:], e[3], h)))
_w('')
"""
_HASH = """
import hashlib, binascii
_s = hashlib.sha256()
with open({path!r}, 'rb') as _f:
 while True:
  _b = _f.read(512)
  if not _b: break
  _s.update(_b)
print(binascii.hexlify(_s.digest()).decode())
"""
_OPEN = """
from binascii import a2b_base64 as _a2b
_o = open({path!r}, 'wb')
"""
_COPY = (
    """
with open({source!r}, 'rb') as _f, open({path!r}, 'wb') as _o:
 while True:
  _b = _f.read(512)
  if not _b: break
  _o.write(_b)
"""
    + _HASH
)
_MAINTAIN = "open('/maintain.txt', 'w').close()"
_CHIPS = {"esp32": ("ESP32S3", "esp32s3"), "rp2": ("RP2350", "rp2350")}


@functools.cache
def _mpremote() -> Any:
    """mpremote's module of the serial transport, with its errors. Raises TroubleError."""
    try:
        return importlib.import_module("mpremote.transport_serial")
    except ImportError as error:
        raise TroubleError("no_tool", tool="mpremote") from error


class BoardFacts(msgspec.Struct, frozen=True):
    """`board`: a shipped description's name, or what the board says of itself. Sizes in bytes."""

    board: str
    machine: str
    interpreter: tuple[int, int, int]
    unique_id: str
    free_bytes: int
    flash_bytes: int


class RemoteFile(msgspec.Struct, frozen=True):
    """`sha256` is empty for a file of the board's data, which is not hashed."""

    path: str
    size_bytes: int
    sha256: str


class BoardRepl:
    """Use in a `with`: it leaves the REPL as it is, `reset` starts the board anew. `pair_key`: of
    the board's terminal, for a firmware that is paired or about to be."""

    def __init__(self, path: str, baud: int = BAUD, *, pair_key: bytes | None = None) -> None:
        self.path = path
        self._pair_key = pair_key
        self._baud = baud
        self._transport: Any = None
        self._heard_bytes = 0

    def __enter__(self) -> Self:
        ports.check(self.path)
        give_up = time.monotonic() + START_S
        while True:
            if self._ask_firmware():
                self._enter_again()
                break
            if self._enter():
                break
            if time.monotonic() >= give_up:
                if self._heard_bytes >= UNREADABLE_BYTES_MIN:
                    raise TroubleError("wrong_baud", port=self.path, bytes=self._heard_bytes)
                raise TroubleError("no_answer", port=self.path)
        if self._facts()[6]:  # an interrupted firmware: its watchdog takes the REPL away
            self.run(_MAINTAIN)
            self.reset()
            self._enter_again()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._close()

    # ---- what the board is

    def facts(self) -> BoardFacts:
        """Raises TroubleError when it is no MicroPython that runs this firmware."""
        platform, version, machine, unique_id, free, size, *_ = self._facts()
        mark, name = _CHIPS.get(platform, ("", ""))
        board = name if name and mark in machine.replace("-", "").upper() else machine or platform
        if tuple(version) < INTERPRETER_MIN:
            found, least = (".".join(map(str, v)) for v in (version, INTERPRETER_MIN))
            raise TroubleError("old_interpreter", found=found, expected=least)
        return BoardFacts(board, machine, tuple(version), unique_id, free, size)

    def files(self, hashed: Iterable[str], on_file: Callable[[], None]) -> dict[str, RemoteFile]:
        """Every file by path; those below the folders or files `hashed` (names in the root) with
        their hashes."""
        self.run(f"_tops = {tuple(hashed)!r}")
        found: dict[str, RemoteFile] = {}
        line = bytearray()

        def consume(byte: bytes) -> None:
            line.extend(byte)
            if byte == b"\n":
                path, size, sha256 = ast.literal_eval(line.decode())
                found[path] = RemoteFile(path, size, sha256)
                line.clear()
                on_file()

        self._do(lambda transport: transport.exec(_WALK, data_consumer=consume))
        return found

    # ---- its files

    def write(self, path: str, data: bytes, sha256: str, on_bytes: Callable[[int], None]) -> None:
        """Write a file and compare its hash on the flash. Raises TroubleError: `copy_corrupt` when
        it differs again and again, `flash_full`."""
        for _ in range(WRITE_TIMES_MAX):
            if self._write_once(path, data, on_bytes) == sha256:
                return
            on_bytes(-len(data))
        raise TroubleError("copy_corrupt", path=path, times=WRITE_TIMES_MAX)

    def copy(self, source: str, path: str) -> str:
        """Write a file as another that is there; the hash of what the flash holds then."""
        return self.run(_COPY.format(source="/" + source, path="/" + path)).strip()

    def _write_once(self, path: str, data: bytes, on_bytes: Callable[[int], None]) -> str:
        """The hash of what the flash holds then; empty when the board could not make sense of what
        it was sent: the line changed it. One round trip a chunk: a board has 150 files."""
        pieces = [data[at : at + CHUNK_BYTES] for at in range(0, len(data), CHUNK_BYTES)] or [b""]
        sha256 = ""
        try:
            for number, piece in enumerate(pieces):
                code = _OPEN.format(path="/" + path) if number == 0 else ""
                code += f"_n = _o.write(_a2b({base64.b64encode(piece)!r}))\n"
                if number == len(pieces) - 1:
                    code += "_o.close()\n" + _HASH.format(path="/" + path)
                sha256 = self.run(code).strip()
                on_bytes(len(piece))
        except TroubleError as error:
            if error.key != "went_away":
                raise
            if not isinstance(error.__cause__, _mpremote().TransportExecError):
                raise
            on_bytes(len(data))
            return ""
        return sha256

    def read(self, path: str) -> bytes | None:
        """A file's content, None when it is not there."""
        if not self._do(lambda transport: transport.fs_exists("/" + path)):
            return None
        return bytes(self._do(lambda transport: transport.fs_readfile("/" + path)))

    def make_folder(self, path: str) -> None:
        with contextlib.suppress(FileExistsError):
            self._do(lambda transport: transport.fs_mkdir("/" + path))

    def remove(self, path: str) -> None:
        """A file, or a folder with all in it; what is not there is no error."""
        self.run(
            "import os\n"
            "def _r(p):\n"
            " try:\n"
            "  if os.stat(p)[0] & 0x4000:\n"
            "   for e in list(os.ilistdir(p)): _r(p + '/' + e[0])\n"
            "   os.rmdir(p)\n"
            "  else:\n"
            "   os.remove(p)\n"
            " except OSError as e:\n"
            "  if e.errno != 2: raise\n"
            f"_r({'/' + path!r})\n"
        )

    def rename(self, path: str, target: str) -> None:
        self.run(f"import os\nos.rename({'/' + path!r}, {'/' + target!r})")

    # ---- out of it

    def reset(self) -> None:
        """Reset the board; its port goes away for a moment. The REPL is gone then."""
        self._do(
            lambda transport: transport.exec_raw_no_follow(
                "import machine, time\ntime.sleep_ms(50)\nmachine.reset()"
            )
        )
        time.sleep(_SETTLE_S)
        self._close()

    def run(self, code: str) -> str:
        """What the code prints. Raises TroubleError when it fails."""
        return bytes(self._do(lambda transport: transport.exec(code))).decode("utf-8", "replace")

    # ---- the transport

    def _do(self, action: Callable[[Any], Any]) -> Any:
        assert self._transport is not None
        try:
            return action(self._transport)
        except _mpremote().TransportExecError as error:
            text = error.error_output
            if "ENOSPC" in text:
                raise TroubleError("flash_full", needed="?", free=0) from error
            last = text.strip().splitlines()[-1:] or [""]
            raise TroubleError("went_away", port=self.path, error=last[0]) from error
        except FileExistsError:
            raise
        except (_mpremote().TransportError, OSError, ValueError, TypeError) as error:
            raise TroubleError("went_away", port=self.path, error=error) from error

    def _enter(self) -> bool:
        """Whether a raw REPL answered."""
        transport = self._open()
        try:
            heard = _ask_for_raw_repl(transport)
            while heard.endswith(_RAW_BANNER) and _drained(transport):
                heard = _ask_for_raw_repl(transport)
        except (_mpremote().TransportError, OSError, TypeError):
            heard = b""
        if heard.endswith(_RAW_BANNER):
            transport.in_raw_repl = True
            self._transport = transport
            return True
        self._heard_bytes += len(heard)
        with contextlib.suppress(OSError):
            transport.close()
        return False

    def _enter_again(self) -> None:
        give_up = time.monotonic() + RESET_S
        while time.monotonic() < give_up:
            with contextlib.suppress(TroubleError):  # the port comes back after a moment
                ports.check(self.path)
                if self._enter():
                    return
            time.sleep(_SETTLE_S)
        raise TroubleError("no_answer", port=self.path)

    def _ask_firmware(self) -> bool:
        """MAINTAIN to a firmware that has the port for its link; False when none speaks. Raises
        TroubleError when it obeys another terminal."""
        strange = ""
        for key in dict.fromkeys((self._pair_key, None)):
            with BoardLink(self.path, self._baud, pair_key=key) as link:
                if not link.until(lambda: link.heard_bytes > 0, LISTEN_S):
                    return False
                if self._maintain(link):
                    return True
                strange = strange or link.strange
        if strange:
            raise TroubleError(strange, port=self.path)
        return False

    def _maintain(self, link: BoardLink) -> bool:
        """Whether the firmware obeyed."""
        link.until(lambda: link.is_up or bool(link.strange), HELLO_S)
        self._heard_bytes = link.heard_bytes
        if link.is_up:
            link.send(messages.MAINTAIN)
            link.until(lambda: not link.is_up, _SETTLE_S)
            return True
        return False

    def _open(self) -> Any:
        try:
            module = importlib.import_module("edge_agent.technician.prompt_serial")
            return module.PromptSerialTransport(self.path, baudrate=115_200, timeout=READ_S)
        except (_mpremote().TransportError, OSError, ValueError) as error:
            raise ports.trouble_of(self.path, error) from error

    def _close(self) -> None:
        transport, self._transport = self._transport, None
        if transport is not None:
            with contextlib.suppress(OSError):
                transport.close()

    def _facts(self) -> Any:
        said = self.run(_FACTS)
        try:
            return ast.literal_eval(said.strip())
        except (SyntaxError, ValueError) as error:
            raise TroubleError("not_micropython", port=self.path, found=said[:80]) from error


def _ask_for_raw_repl(transport: Any) -> bytes:
    """What was heard, the raw REPL's banner last if there is one. mpremote's own prints what it
    cannot read, and standard output belongs to our data."""
    transport.serial.write(b"\r\x03")
    transport.serial.reset_input_buffer()
    transport.serial.write(b"\r\x01")
    return bytes(transport.read_until(1, _RAW_BANNER, timeout_overall=REPL_S))


def _drained(transport: Any) -> bool:
    """Whether answers to keys of earlier tries came behind the prompt; they are gone then."""
    drained = False
    while True:
        time.sleep(_QUIET_S)
        waiting = transport.serial.in_waiting
        if (waiting <= len(_PROMPT) and not drained) or not waiting:
            return drained
        transport.serial.read(waiting)
        drained = True
