"""The centre's keys: files of raw bytes in DIR/keys, mode 0600, made once at the first run.

    centre.key       64  X-Wing seed, Ed25519 seed: opens what terminals seal, signs answers
    person_ref.key   32  makes pseudonyms
    person_seal.key  32  seals numbers and names

They are never in the database and never made anew beside one: without them nothing in it opens.
"""

import contextlib
import os
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from protocol.errors import KeyFormatError
from protocol.keys import SEED_BYTES, CentreKeys
from sync_server.people import KEY_BYTES, PersonVault

KEYS_FOLDER = "keys"
KEY_FILES = {
    "centre.key": 2 * SEED_BYTES,
    "person_ref.key": KEY_BYTES,
    "person_seal.key": KEY_BYTES,
}
"""Name -> bytes."""


class KeyringError(Exception):
    """The keys cannot be used as they are; the text says what to do."""


class Keyring(NamedTuple):
    """The centre's secrets. `ref_key` makes pseudonyms; `vault` also seals names."""

    centre: CentreKeys
    ref_key: bytes
    vault: PersonVault

    def __repr__(self) -> str:
        return f"<Keyring {self.centre.public.key_id.hex()}>"


def open_keyring(
    data: Path, *, is_first_run: bool, entropy: Callable[[int], bytes] = os.urandom
) -> Keyring:
    """Read the keys below `data`; make missing ones only at the first run. Raises KeyringError."""
    folder = data / KEYS_FOLDER
    try:
        if is_first_run:
            _make_missing(folder, entropy)
        values = {name: _read(folder / name, size) for name, size in KEY_FILES.items()}
        centre = CentreKeys.from_bytes(values["centre.key"])
    except OSError as error:
        raise KeyringError(
            f"{folder}: {error.strerror}. Check that this user owns the folder."
        ) from error
    except KeyFormatError as error:
        raise KeyringError(f"{folder}/centre.key: {error}. Restore it from the backup.") from error
    ref_key, seal_key = values["person_ref.key"], values["person_seal.key"]
    return Keyring(centre, ref_key, PersonVault(ref_key, seal_key, entropy))


def _make_missing(folder: Path, entropy: Callable[[int], bytes]) -> None:
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    for name, size in KEY_FILES.items():
        if not (folder / name).exists():
            _write_new(folder / name, entropy(size))


def _write_new(path: Path, value: bytes) -> None:
    """Durable and whole, or not there. Of two processes that make it, the first one wins."""
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    handle = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(value)
            file.flush()
            os.fsync(file.fileno())
        with contextlib.suppress(FileExistsError):
            os.link(draft, path)
    finally:
        draft.unlink()
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def _read(path: Path, size: int) -> bytes:
    try:
        with path.open("rb") as file:
            mode = os.fstat(file.fileno()).st_mode
            value = file.read(size + 1)
    except FileNotFoundError as error:
        raise KeyringError(
            f"{path} is missing, but there is a database: restore it from the backup. Without it "
            "nothing that terminals sealed, or nobody's name, can be opened."
        ) from error
    if mode & 0o077:
        raise KeyringError(f"{path} can be read by others: run chmod 600 {path}")
    if len(value) != size:
        raise KeyringError(f"{path} has not {size} bytes: restore it from the backup.")
    return value
