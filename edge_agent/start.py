"""From settings to a terminal that serves, and the exit code of its end."""

import asyncio
import json
import os
import signal
import sys
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import msgspec

from edge_agent.board_port import BoardPortError
from edge_agent.core.flow_table import DefinitionError
from edge_agent.core.texts import TextsError
from edge_agent.data_folder import DataFolderError
from edge_agent.outbox import OutboxError
from edge_agent.settings import Settings
from edge_agent.terminal import Terminal
from protocol.bundle import BUNDLE_BYTES_MAX, Bundle, from_toml
from protocol.errors import BundleError
from tongban.config import ConfigError, load
from tongban.database import DatabaseError
from tongban.logs import get, setup

EXIT_STOPPED, EXIT_FAILED, EXIT_CANNOT_BEGIN = 0, 1, 2

log = get("edge_agent.terminal")


class CannotBeginError(Exception):
    """Something a technician has to put right first; the text says what."""


CURABLE = (
    BoardPortError,
    BundleError,
    CannotBeginError,
    ConfigError,
    DataFolderError,
    DatabaseError,
    DefinitionError,
    OSError,
    OutboxError,
    TextsError,
)


def serve(config: Path | None, given: dict[str, str]) -> int:
    """Run a terminal to its end; `given` are settings that win over file and environment."""
    try:
        settings = read_settings(config, given)
        setup(settings.log_level)
        terminal = Terminal(settings, read_bundle(Path(settings.bundle)), agent_version())
    except CURABLE as error:
        return _cannot_begin(error)
    try:
        try:
            terminal.open()
        except CURABLE as error:
            return _cannot_begin(error)
        asyncio.run(_run(terminal))
    except BoardPortError as error:
        return _cannot_begin(error)
    except Exception:
        log.exception("terminal.failed")
        return EXIT_FAILED
    finally:
        terminal.close()
    return EXIT_STOPPED


def read_settings(config: Path | None, given: dict[str, str]) -> Settings:
    """File, environment and flags as one. Raises ConfigError, CannotBeginError."""
    settings = msgspec.structs.replace(load(config, Settings), **given)
    for name, cure in (
        ("bundle", "Make one at the centre: tongban server add-terminal ID --hall UNIT --out FILE"),
        ("board", "Name the board's serial port; list them: tongban board ports"),
        ("data", "Name a folder on a local disk, for example /var/lib/tongban"),
    ):
        if not getattr(settings, name):
            raise CannotBeginError(f"--{name} is missing (or `{name}` in terminal.toml). {cure}")
    return settings


def read_bundle(path: Path) -> Bundle:
    """Raises BundleError, CannotBeginError."""
    try:
        with path.open("rb") as file:
            return from_toml(file.read(BUNDLE_BYTES_MAX + 1).decode("utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise CannotBeginError(
            f"{path}: the bundle cannot be read ({error}). Give the file that "
            "`tongban server add-terminal` wrote, readable for this user."
        ) from error


def agent_version() -> str:
    """The installed version of this program."""
    try:
        return version("tongban")
    except PackageNotFoundError:
        return "source"


async def _run(terminal: Terminal) -> None:
    loop = asyncio.get_running_loop()

    def ready() -> None:
        pages = {"health": terminal.health.url, "kiosk": terminal.kiosk.url}
        print(json.dumps({"event": "ready", **pages}), flush=True)

    for number in (signal.SIGTERM, signal.SIGINT):
        if os.name == "nt":
            signal.signal(number, lambda *_: loop.call_soon_threadsafe(terminal.stop))
        else:
            loop.add_signal_handler(number, terminal.stop)
    await terminal.run(ready)


def _cannot_begin(error: Exception) -> int:
    print(f"error: {error}", file=sys.stderr)
    return EXIT_CANNOT_BEGIN
