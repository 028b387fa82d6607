"""The folder where a terminal keeps what must survive: its outbox, one agent at a time."""

import os
from pathlib import Path
from typing import IO

OUTBOX_FILE = "outbox.db"
LOCK_FILE = "agent.lock"
RUNNING_FILE = "running"


class DataFolderError(Exception):
    """The folder cannot be used; the text says what to do."""


class DataFolder:
    """Two agents on one outbox would part its chain in two, so the folder is locked."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.outbox = path / OUTBOX_FILE
        self._lock: IO[bytes] | None = None

    def open(self) -> None:
        """Make the folder if need be and lock it. Raises DataFolderError."""
        try:
            self.path.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._lock = (self.path / LOCK_FILE).open("a+b")
            _lock(self._lock)
        except BlockingIOError as error:
            raise DataFolderError(
                f"{self.path}: another agent uses this folder. Stop it, or choose another `data`."
            ) from error
        except OSError as error:
            raise DataFolderError(
                f"{self.path}: {error.strerror}. Choose a folder on a local disk that this user "
                "may write to (`data` in terminal.toml, or --data)."
            ) from error

    def close(self) -> None:
        """Unlock."""
        if self._lock is not None:
            self._lock.close()
            self._lock = None

    def life_before(self) -> str:
        """How it ended: `first` (there was none), `clean` or `unclean`. Ask before the outbox."""
        if (self.path / RUNNING_FILE).exists():
            return "unclean"
        return "clean" if self.outbox.exists() else "first"

    def note_start(self) -> None:
        """This life begins to serve."""
        (self.path / RUNNING_FILE).touch()

    def note_end(self) -> None:
        """This life ends as it should."""
        (self.path / RUNNING_FILE).unlink(missing_ok=True)


def _lock(file: IO[bytes]) -> None:
    if os.name == "nt":
        import msvcrt  # noqa: PLC0415

        try:
            msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)  # type: ignore[attr-defined]
        except OSError as error:
            raise BlockingIOError from error
    else:
        import fcntl  # noqa: PLC0415

        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
