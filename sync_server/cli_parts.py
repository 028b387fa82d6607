"""What all commands of `tongban server` share: options, the database, errors in words."""

import getpass
import json
import os
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from itertools import islice
from pathlib import Path
from typing import Annotated

import apsw
from cyclopts import Parameter

from sync_server.accounts import AccountError
from sync_server.alarms import AlarmError
from sync_server.broker import BrokerError
from sync_server.cash_desk import CashError
from sync_server.config import load_config
from sync_server.core.queue import QueueError
from sync_server.core.store_port import StoreError
from sync_server.export import ExportError
from sync_server.help_desk import HelpError
from sync_server.keyring import KeyringError
from sync_server.listings import Row
from sync_server.people import PersonSealError
from sync_server.registry import RegistryError
from sync_server.status_lists import StatusFileError
from sync_server.store_sqlite import DATABASE_FILE, open_store
from sync_server.units import UnitError
from tongban import logs
from tongban.config import ConfigError
from tongban.database import DatabaseError

Data = Annotated[Path | None, Parameter(help="Folder of database and keys.")]
Config = Annotated[Path | None, Parameter(help="server.toml; see server.example.toml.")]

Unit = Annotated[str, Parameter(help="Only this unit and below, as dongguan/nancheng.")]
AsJson = Annotated[bool, Parameter(name="--json", negative=(), help="JSON on stdout.")]
LIST_LIMIT = 50
Limit = Annotated[int | None, Parameter(help=f"Rows at most; {LIST_LIMIT}, with --json all.")]

_EXPECTED = (
    AccountError,
    AlarmError,
    BrokerError,
    CashError,
    ConfigError,
    DatabaseError,
    ExportError,
    HelpError,
    KeyringError,
    OSError,
    PersonSealError,
    QueueError,
    RegistryError,
    StatusFileError,
    StoreError,
    UnitError,
    apsw.Error,
)


@contextmanager
def in_words() -> Iterator[None]:
    """An expected error becomes one sentence and exit code 1."""
    try:
        yield
        sys.stdout.flush()
    except BrokenPipeError:  # `... | head` has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    except _EXPECTED as error:
        print(f"tongban server: {logs.mask(str(error))}", file=sys.stderr)
        raise SystemExit(1) from error


@contextmanager
def reading(config: Path | None, data: Path | None) -> Iterator[apsw.Connection]:
    """The database of a centre that exists; errors in words."""
    with in_words():
        folder = Path(load_config(config, data=data).data)
        if not (folder / DATABASE_FILE).exists():
            raise ConfigError(
                f"{folder} holds no centre yet. Start one: tongban server run --data {folder}"
            )
        store = open_store(folder / DATABASE_FILE)
        try:
            yield store.connection
        finally:
            store.close()


def print_lines(rows: Iterable[Row]) -> None:
    """One JSON object a line."""
    for row in rows:
        print(json.dumps(row, ensure_ascii=False))


def tell(rows: Iterable[Row], as_json: bool, show: Callable[[Iterable[Row]], None]) -> None:
    """One JSON object a line, or as people read it."""
    if as_json:
        print_lines(rows)
    else:
        show(rows)


def row_limit(limit: int | None, as_json: bool) -> int:
    """-1: all."""
    if limit is None:
        return -1 if as_json else LIST_LIMIT
    return limit


def first(rows: Iterable[Row], limit: int) -> Iterator[Row]:
    """At most `limit` rows, -1: all."""
    return islice(rows, None if limit < 0 else limit)


def who_types() -> str:
    """For the logs of what people do: whoever has the database in hand."""
    try:
        return f"cli/{getpass.getuser()}"
    except (KeyError, OSError):  # a container without a name for its user
        return "cli"
