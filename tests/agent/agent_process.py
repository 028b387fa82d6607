"""A real agent process with its bundle and data folder, and the centre's key to read its outbox."""

import contextlib
import hashlib
import json
import signal
import socket
from pathlib import Path

import apsw

from protocol.bundle import Bundle, to_toml
from protocol.envelope import EpochReader
from protocol.keys import CentreKeys, DeviceKey
from protocol.records import Body, Common, decode
from tests.warm_process import WarmProcess

TERMINAL = "gate-1"


def secret(name: str) -> bytes:
    return hashlib.sha256(name.encode()).digest()


CENTRE = CentreKeys(secret("centre kem"), secret("centre sign"))
DEVICE = DeviceKey(secret("device"))


def closed_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def records_in(data: Path) -> list[Body]:
    """What the centre will read of an agent's data folder, in order."""
    return [body for _, body in _opened(data)]


def _opened(data: Path) -> list[tuple[Common, Body]]:
    """All records in order, opened with the centre's key."""
    connection = apsw.Connection(str(data / "outbox.db"))
    found = []
    for number, opener in connection.execute("SELECT number, opener FROM epoch"):
        reader = EpochReader.open(opener, CENTRE, DEVICE.verify_key)
        sql = "SELECT seq, kind, coding, ciphertext FROM record WHERE epoch = ? ORDER BY seq"
        for seq, kind, coding, sealed in connection.execute(sql, (number,)):
            found.append((seq, decode(kind, coding, reader.unseal(seq, kind, coding, sealed))))
    connection.close()
    return [record for _, record in sorted(found, key=lambda pair: pair[0])]


class AgentProcess:
    """`tongban terminal run` in `folder`; without `broker` every visit is made offline."""

    def __init__(
        self, folder: Path, board: str, *flags: str, config: str = "", broker: int = 0
    ) -> None:
        self.folder = folder
        self.data = folder / "data"
        bundle = folder / "bundle.toml"
        centre = CENTRE.public
        seed = DEVICE.to_bytes()
        port = broker or closed_port()
        bundle.write_text(
            to_toml(Bundle(TERMINAL, "city/hall-1", seed, centre, "127.0.0.1", port, "A"))
        )
        self.command = ["--bundle", str(bundle), "--board", board, "--data", str(self.data), *flags]
        if config:
            (folder / "terminal.toml").write_text(config, "utf-8")
            self.command += ["--config", str(folder / "terminal.toml")]
        self.log = folder / "agent.log"
        self.process: WarmProcess | None = None

    def start(self) -> dict[str, str]:
        """Until it is ready; gives the ready line."""
        self.process = WarmProcess(["terminal", "run", *self.command], self.log)
        line = self.process.stdout.readline()
        assert line, self.log.read_text("utf-8")
        ready: dict[str, str] = json.loads(line)
        assert ready["event"] == "ready"
        return ready

    def kill(self) -> None:
        assert self.process is not None
        self.process.kill()
        self._end()

    def stop(self) -> int:
        """SIGTERM; gives the exit code."""
        if self.process is None:
            return 0
        self.process.send_signal(signal.SIGTERM)
        try:
            return self.process.wait(10)
        finally:
            with contextlib.suppress(ProcessLookupError):
                self.process.kill()
            self._end()

    def _end(self) -> None:
        assert self.process is not None
        self.process.wait()
        self.process.stdout.close()
        self.process = None

    def records(self) -> list[Body]:
        """What the centre will read; each says what it belongs to."""
        records = _opened(self.data)
        assert all(any(common.correlation) for common, _ in records)
        return [body for _, body in records]
