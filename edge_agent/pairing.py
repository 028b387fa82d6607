"""The key that this terminal shares with its board: DATA/pair.key, 32 raw bytes, mode 0600.

Made here once, by who provisions the board (`make_pair_key`), and written to the board's own flash.
docs/board-link.md tells the whole life of a key.
"""

import contextlib
import os
import secrets
import stat
from pathlib import Path

from edge_agent.data_folder import DataFolderError
from protocol.wire.tag import PAIR_KEY, PAIR_KEY_BYTES, PAIRED, UNPAIRED

PAIR_KEY_FILE = "pair.key"
CURES = {
    UNPAIRED: (
        "the board has no pair key, but this terminal has: it is not the board that was "
        "provisioned here. Provision it: tongban board provision"
    ),
    PAIRED: (
        "the board is paired, but this terminal has no pair key: give it the data folder that "
        "holds pair.key, or provision the board again: tongban board provision"
    ),
    PAIR_KEY: (
        "the board is paired with another terminal: connect this terminal's own board, or "
        "provision this one again: tongban board provision"
    ),
}
"""Why a link does not come up -> what a technician does."""

_OTHERS = stat.S_IRWXG | stat.S_IRWXO


def read_pair_key(data: Path) -> bytes | None:
    """The key in this data folder, None when there is none. Raises DataFolderError."""
    path = data / PAIR_KEY_FILE
    try:
        with path.open("rb") as file:
            mode = os.fstat(file.fileno()).st_mode
            key = file.read(PAIR_KEY_BYTES + 1)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise DataFolderError(f"{path}: cannot be read ({error.strerror})") from error
    if os.name == "posix" and mode & _OTHERS:
        raise DataFolderError(f"{path}: others may read this secret. Cure: chmod 600 {path}")
    if len(key) != PAIR_KEY_BYTES:
        raise DataFolderError(
            f"{path}: no pair key, {PAIR_KEY_BYTES} bytes are expected. Remove it and provision "
            "the board again: tongban board provision"
        )
    return key


def make_pair_key(data: Path) -> bytes:
    """The key in this data folder, made and durable if there was none. Raises DataFolderError."""
    key = read_pair_key(data)
    if key is None:
        key = secrets.token_bytes(PAIR_KEY_BYTES)
        try:
            _write(data, key)
        except OSError as error:
            raise DataFolderError(f"{data}: cannot hold {PAIR_KEY_FILE} ({error})") from error
    return key


def forget_pair_key(data: Path) -> None:
    """The next board that is provisioned here gets a new key."""
    (data / PAIR_KEY_FILE).unlink(missing_ok=True)


def _write(data: Path, key: bytes) -> None:
    """All of it or nothing, whenever the power goes."""
    data.mkdir(mode=0o700, parents=True, exist_ok=True)
    new = data / f"{PAIR_KEY_FILE}.new"
    with contextlib.suppress(FileNotFoundError):
        new.unlink()
    with open(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        file.write(key)
        file.flush()
        os.fsync(file.fileno())
    os.replace(new, data / PAIR_KEY_FILE)
    if os.name == "posix":
        folder = os.open(data, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)
