"""`tongban server slip-keys`: the keys that a counter checks slips with, signed by the centre.

Revoked terminals are left out: whoever has their key could print what he likes.
"""

import sys
from collections.abc import Mapping
from pathlib import Path

import apsw

from protocol.errors import LocalError
from protocol.slip_keys import TERMINALS_MAX, TerminalKey, key_fingerprint, sign_slip_keys
from sync_server.centre import clock_ms
from sync_server.cli_parts import Config, Data, Unit, reading
from sync_server.config import load_config
from sync_server.keyring import open_keyring
from sync_server.registry import RegistryError
from sync_server.units import Scope


def terminal_keys(connection: apsw.Connection, scope: Scope) -> Mapping[str, TerminalKey]:
    """The verify keys of the terminals in force, by name."""
    within, values = scope.sql("unit")
    rows = connection.execute(
        f"SELECT name, unit, verify_key FROM terminal WHERE NOT revoked AND {within} ORDER BY name",
        values,
    )
    return {name: TerminalKey(unit, key) for name, unit, key in rows}


def slip_keys(*, out: Path, data: Data = None, config: Config = None, unit: Unit = "") -> None:
    """Write the keys that counters check slips with: public, signed, of a date.

    Give the file to counters whenever a terminal is added or revoked: tongban slip page.

    Parameters
    ----------
    out
        The file to write; an older one is replaced.
    """
    with reading(config, data) as connection:
        keys = open_keyring(Path(load_config(config, data=data).data), is_first_run=False).centre
        terminals = terminal_keys(connection, Scope(unit))
        if not terminals:
            raise RegistryError(
                f"no terminal in force in {unit or 'the registry'}. Check --unit: "
                "tongban server status lists terminals with their units"
            )
        try:
            text = sign_slip_keys(keys, Scope(unit).path, clock_ms(), terminals)
        except LocalError as error:
            raise RegistryError(
                f"{error}. A file holds {TERMINALS_MAX} terminals; narrow --unit"
            ) from error
        out.write_text(text + "\n", "utf-8")
    print(
        f"keys of {len(terminals)} terminals in {out}, signed by the centre "
        f"{key_fingerprint(keys.public.verify_key)}. At the counter:\n"
        f"tongban slip page --keys {out.name} --out verify.html",
        file=sys.stderr,
    )
