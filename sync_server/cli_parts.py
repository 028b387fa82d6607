"""What all commands of `tongban server` share: two options, and errors in words."""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import apsw
from cyclopts import Parameter

from sync_server.broker import BrokerError
from sync_server.core.store_port import StoreError
from sync_server.export import ExportError
from sync_server.keyring import KeyringError
from sync_server.registry import RegistryError
from sync_server.status_lists import StatusFileError
from sync_server.units import UnitError
from tongban import logs
from tongban.config import ConfigError
from tongban.database import DatabaseError

Data = Annotated[Path | None, Parameter(help="Folder of database and keys.")]
Config = Annotated[Path | None, Parameter(help="server.toml; see server.example.toml.")]

_EXPECTED = (
    BrokerError,
    ConfigError,
    DatabaseError,
    ExportError,
    KeyringError,
    OSError,
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
