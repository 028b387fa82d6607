"""`tongban server accounts|audit`: who may use the console, and what was done.

For whoever has the database in hand: the way back in when nobody knows a password any more.
"""

import json
import sys
from getpass import getpass
from typing import Annotated

from cyclopts import App, Parameter

from sync_server import accounts as kept
from sync_server import audit as log
from sync_server import show
from sync_server.accounts import AccountError
from sync_server.centre import clock_ms
from sync_server.cli_parts import (
    AsJson,
    Config,
    Data,
    Limit,
    print_lines,
    reading,
    row_limit,
    who_types,
)
from tongban.config import ConfigError

accounts = App(name="accounts", help="Who may use the console.")

Name = Annotated[str, Parameter(help="Name of the account, as li.wei.")]


def _password() -> str:
    """Asked for on a terminal, else the first line of stdin; never an argument."""
    if sys.stdin.isatty():
        return getpass("password: ")
    return sys.stdin.readline().rstrip("\n")


@accounts.default
def list_accounts(*, data: Data = None, config: Config = None, as_json: AsJson = False) -> None:
    """All accounts with role and scope."""
    with reading(config, data) as connection:
        rows = [account._asdict() for account in kept.accounts(connection)]
        if as_json:
            print_lines(rows)
        else:
            show.accounts(rows)


@accounts.command
def add(
    name: Name,
    *,
    role: str,
    scope: str = "",
    data: Data = None,
    config: Config = None,
) -> None:
    """Make an account. The password is asked for, or read from stdin.

    Parameters
    ----------
    role
        officer (one hall), operator (sees all of the scope) or admin.
    scope
        Unit path; everything when it is left out.
    """
    with reading(config, data) as connection:
        kept.add_account(
            connection,
            name=name,
            password=_password(),
            role=role,
            scope=scope,
            by=who_types(),
            now_ms=clock_ms(),
        )
    print(f"{name} can log in as {role}.", file=sys.stderr)


@accounts.command
def password(name: Name, *, data: Data = None, config: Config = None) -> None:
    """Give an account another password, asked for or read from stdin; its sessions end."""
    with reading(config, data) as connection:
        kept.change_password(
            connection, name=name, password=_password(), by=who_types(), now_ms=clock_ms()
        )
    print(f"{name} has a new password.", file=sys.stderr)


@accounts.command
def disable(name: Name, *, data: Data = None, config: Config = None) -> None:
    """Shut an account out; its sessions end."""
    _set_disabled(name, True, data, config)


@accounts.command
def enable(name: Name, *, data: Data = None, config: Config = None) -> None:
    """Let an account in again."""
    _set_disabled(name, False, data, config)


def _set_disabled(name: str, is_disabled: bool, data: Data, config: Config) -> None:
    with reading(config, data) as connection:
        kept.set_disabled(
            connection, name=name, is_disabled=is_disabled, by=who_types(), now_ms=clock_ms()
        )
    print(f"{name} is {'disabled' if is_disabled else 'enabled'}.", file=sys.stderr)


def audit(
    *,
    data: Data = None,
    config: Config = None,
    verify: Annotated[bool, Parameter(negative=())] = False,
    noted: str = "",
    limit: Limit = None,
    as_json: AsJson = False,
) -> None:
    """Who did what, newest first.

    Parameters
    ----------
    verify
        Check the chain instead, and print its head to be noted elsewhere.
    noted
        With --verify: a head noted before, as 120:9f2c... . Finds also a log forged as a whole.
    """
    with reading(config, data) as connection:
        if verify:
            problem = log.problem(connection, _head(noted))
            if problem:
                raise AccountError("audit", f"the audit log was changed: {problem}")
            head = log.head(connection)
            line = {"entries": head.entry, "head": f"{head.entry}:{head.hash.hex()}"}
            print(json.dumps(line) if as_json else f"{head.entry} entries, head {line['head']}")
            return
        rows = [
            entry._asdict() for entry in log.entries(connection, limit=row_limit(limit, as_json))
        ]
        if as_json:
            print_lines(rows)
        else:
            show.audit(rows)


def _head(noted: str) -> log.Head | None:
    if not noted:
        return None
    entry, _, digest = noted.partition(":")
    try:
        return log.Head(int(entry), bytes.fromhex(digest))
    except ValueError as error:
        raise ConfigError(f"--noted {noted!r}: write what --verify printed, NUMBER:HASH") from error
