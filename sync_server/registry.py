"""Terminals: enrolled with a bundle, revoked by name."""

import itertools
import os
from pathlib import Path

import apsw

from protocol.bundle import Bundle, to_toml
from protocol.errors import LocalError
from protocol.fields import TERMINAL_PATTERN, is_terminal
from protocol.keys import SEED_BYTES, CentrePublic, DeviceKey
from sync_server.config import BrokerConfig
from sync_server.store_sqlite import immediate
from sync_server.units import check_unit

LETTERS = "ABCDEFGHJKLMNPQRSTUVWXYZ"  # without I and O, which read as digits


class RegistryError(Exception):
    """A terminal cannot be added or found; the text says what to do."""


def add_terminal(
    connection: apsw.Connection,
    centre: CentrePublic,
    broker: BrokerConfig,
    *,
    name: str,
    unit: str,
    out: Path,
    now_ms: int,
) -> Bundle:
    """Enrol a terminal with a fresh key and write its bundle to `out` (new, mode 0600).

    Raises RegistryError, UnitError or OSError; then nothing was enrolled and no file is left.
    """
    if not is_terminal(name):
        raise RegistryError(f"terminal {name!r}: needs 3 to 32 of a-z, 0-9, - ({TERMINAL_PATTERN})")
    check_unit(unit)
    seed = os.urandom(SEED_BYTES)
    letter = _free_letter(connection, unit)
    bundle = Bundle(name, unit, seed, centre, broker.host, broker.port, letter)
    try:
        text = to_toml(bundle)
    except LocalError as error:
        raise RegistryError(f"bundle: {error}") from error
    try:
        handle = os.open(out, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError as error:
        raise RegistryError(f"{out} exists; choose another --out, no bundle is written over") from (
            error
        )
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        with immediate(connection):
            _insert(connection, bundle, now_ms)
    except BaseException:
        out.unlink()
        raise
    return bundle


def _free_letter(connection: apsw.Connection, unit: str) -> str:
    """The first one that no terminal of this unit has. Another process that takes it in the
    meantime makes the insert fail, never two terminals with one letter."""
    found = connection.execute("SELECT letter FROM terminal WHERE unit = ?", (unit,))
    taken = {letter for (letter,) in found}
    pairs = map("".join, itertools.product(LETTERS, repeat=2))
    free = next((text for text in itertools.chain(LETTERS, pairs) if text not in taken), None)
    if free is None:
        raise RegistryError(f"{unit} has a terminal for every letter; make a second unit of it")
    return free


def _insert(connection: apsw.Connection, bundle: Bundle, now_ms: int) -> None:
    found = connection.execute("SELECT 1 FROM terminal WHERE name = ?", (bundle.terminal,))
    if found.fetchone() is not None:
        raise RegistryError(
            f"{bundle.terminal} is enrolled already; choose another id: a history never gets a "
            "second key"
        )
    connection.execute(
        "INSERT INTO terminal(name, unit, letter, verify_key, added_ms) VALUES(?, ?, ?, ?, ?)",
        (
            bundle.terminal,
            bundle.unit,
            bundle.letter,
            DeviceKey(bundle.device_seed).verify_key,
            now_ms,
        ),
    )


def revoke_terminal(connection: apsw.Connection, name: str) -> None:
    """Take nothing more from a terminal. What it sent stays. Raises RegistryError."""
    with immediate(connection):
        connection.execute("UPDATE terminal SET revoked = 1 WHERE name = ?", (name,))
        if connection.changes() == 0:
            raise RegistryError(f"{name} is not enrolled here; `tongban server status` lists all")
