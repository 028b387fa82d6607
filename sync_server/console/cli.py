"""`tongban server console`: the console as a process of its own, beside the sync server.

It needs the database only, no key of the centre. It ends in order on SIGINT and SIGTERM.
"""

import json
import signal
import sys
import threading
from pathlib import Path

from sync_server.accounts import create_setup_token
from sync_server.centre import clock_ms
from sync_server.cli_parts import Config, Data, in_words
from sync_server.config import load_config
from sync_server.console.app import build
from sync_server.console.database import Database
from sync_server.console.live import Live
from sync_server.store_sqlite import DATABASE_FILE
from tongban import logs
from tongban.config import ConfigError
from tongban.web.server import PageServer


def console(*, data: Data = None, config: Config = None, port: int | None = None) -> None:
    """Serve the console and the officer's page.

    When it is ready it prints one JSON line with its address. While nobody can log in, each start
    also gives an address, good for one hour and one use, where the first administrator is made.

    Parameters
    ----------
    port
        Where to listen; 0 takes any free port. Default: 8090, or what the configuration says.
    """
    with in_words():
        settings = load_config(config, data=data)
        logs.setup(settings.log_level)
        folder = Path(settings.data)
        if not (folder / DATABASE_FILE).exists():
            raise ConfigError(
                f"{folder} holds no centre yet. Start one: tongban server run --data {folder}"
            )
        chosen = settings.console.port if port is None else port
        if not 0 <= chosen <= 65_535:
            raise ConfigError(f"port {chosen}: choose 0 to 65535")
        database = Database(folder / DATABASE_FILE)
        live = Live(database.version)
        try:
            pages = PageServer(
                build(
                    database,
                    live,
                    clock_ms,
                    hosts=settings.console.hosts,
                    is_https=settings.console.https,
                ),
                "console",
                host=settings.console.host,
                port=chosen,
            )
            _serve(pages, database, live)
        finally:
            database.close()


def _serve(pages: PageServer, database: Database, live: Live) -> None:
    """Until a signal to end."""
    ended = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: ended.set())
    pages.start()
    ready = {"event": "ready", "console": pages.url}
    with database.acting() as connection:
        token = create_setup_token(connection, clock_ms())
    if token is not None:
        ready["setup"] = f"{pages.url}/setup?token={token}"
        print(
            f"Nobody can log in yet. Make the first administrator, within an hour:\n"
            f"{ready['setup']}",
            file=sys.stderr,
        )
    print(json.dumps(ready), flush=True)
    ended.wait()
    live.close()
    pages.stop()
