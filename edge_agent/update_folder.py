"""DATA/update: the release that a technician gave, and how far the board is with it.

| file | what |
| --- | --- |
| `board.release` | the release file; put there whole, by rename |
| `state.json` | what became of it; gone when a release is put there anew |
"""

import contextlib
import os
import re
from pathlib import Path

import msgspec

from edge_agent.core.update_reasons import reason_cure, reason_name
from edge_agent.technician.release_file import Release, ReleaseError, pack, read_release

FOLDER, RELEASE_FILE, STATE_FILE = "update", "board.release", "state.json"
NOTHING, FAILED = "nothing", "failed"


class UpdateState(msgspec.Struct, frozen=True):
    """`stage` as in core.board_update; `reason` as in wire.update_states. `release`: 16 hex digits;
    `bytes` of `total` are on the board."""

    stage: str = NOTHING
    reason: int = 0
    release: str = ""
    version: int = 0
    name: str = ""
    bytes: int = 0
    total: int = 0
    since_ms: int = 0

    def told(self) -> dict[str, object]:
        """For `terminal status`."""
        words: dict[str, object] = msgspec.to_builtins(self)
        if self.reason:
            words["reason"] = reason_name(self.reason)
            words["cure"] = reason_cure(self.reason)
        else:
            del words["reason"]
        return words

    @property
    def alarm(self) -> str:
        """The code of the alarm of an update that failed."""
        return "update." + re.sub(r"[^a-z0-9]+", "_", reason_name(self.reason))


class UpdateFolder:
    """Of the data folder `data`."""

    def __init__(self, data: Path) -> None:
        self.path = data / FOLDER
        self.release = self.path / RELEASE_FILE
        self._state = self.path / STATE_FILE

    def put(self, release: Release) -> None:
        """Give this release to the agent, durable and in one step. Raises OSError."""
        self.path.mkdir(mode=0o700, parents=True, exist_ok=True)
        with contextlib.suppress(FileNotFoundError):
            self._state.unlink()
        _replace(self.release, pack(release))

    def mark(self) -> tuple[int, int, int] | None:
        """What changes when another release is put there; None when there is none."""
        try:
            found = self.release.stat()
        except OSError:
            return None
        return found.st_mtime_ns, found.st_size, found.st_ino

    def read(self) -> Release:
        """Raises ReleaseError."""
        release = read_release(self.release)
        if not release.signature:
            raise ReleaseError(f"{self.release}: not signed; sign it with: tongban release sign")
        return release

    def state(self) -> UpdateState:
        """What was kept last; nothing when there is none that can be read."""
        try:
            return msgspec.json.decode(self._state.read_bytes(), type=UpdateState)
        except (OSError, msgspec.MsgspecError):
            return UpdateState()

    def keep(self, state: UpdateState) -> None:
        """Raises OSError."""
        self.path.mkdir(mode=0o700, parents=True, exist_ok=True)
        _replace(self._state, msgspec.json.encode(state))


def _replace(path: Path, data: bytes) -> None:
    new = path.with_name(path.name + ".new")
    with new.open("wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    os.replace(new, path)
    if os.name == "posix":
        folder = os.open(path.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)
