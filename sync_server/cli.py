"""`tongban server ...`: what an operator at the centre types. Data on stdout, the rest on stderr.

Exit codes: 0 done; 1 not done, and the sentence on stderr says what to do next.
"""

import json
import sys
from pathlib import Path
from typing import Annotated

from cyclopts import App, Parameter

from sync_server import alarms as centre_alarms
from sync_server import cash_tables, listings, overview, show, timeline
from sync_server.broker import BrokerError, run_broker
from sync_server.centre import clock_ms, open_centre
from sync_server.cli_accounts import accounts, audit
from sync_server.cli_cash import case, cases, cash, cassette, cassettes, voucher, vouchers
from sync_server.cli_hall import answer_help, conflicts, help_calls, queue, tickets, unmask
from sync_server.cli_parts import (
    LIST_LIMIT,
    AsJson,
    Config,
    Data,
    Limit,
    Unit,
    in_words,
    print_lines,
    reading,
    row_limit,
    tell,
    who_types,
)
from sync_server.config import load_config, parse_broker
from sync_server.core.codes import IntakeCode
from sync_server.export import TABLE, export_tables
from sync_server.facts import FactsReader
from sync_server.keyring import open_keyring
from sync_server.registry import add_terminal, revoke_terminal
from sync_server.slip_keys import slip_keys
from sync_server.status_lists import import_status_list, read_status_file
from sync_server.units import Scope
from tongban import logs
from tongban.config import ConfigError

app = App(name="server", help="At the centre: receive records, list them, add terminals.")
status_list_app = App(name="status-list", help="The list of people a gate must not let pass.")
app.command(status_list_app)
app.command(
    "sync_server.console.cli:console",
    name="console",
    help="Serve the console and the officer's page, as a process of its own.",
)
for command in (tickets, conflicts, help_calls, answer_help, unmask, audit, slip_keys):
    app.command(command)
for command in (cash, vouchers, cases, cassettes):
    app.command(command)
for group in (queue, accounts, voucher, case, cassette):
    app.command(group)


@app.command
def run(*, data: Data = None, config: Config = None, broker: str | None = None) -> None:
    """Run the sync server in the foreground.

    When it is ready it prints one JSON line with the address of its health pages.

    Parameters
    ----------
    broker
        HOST:PORT of the MQTT broker.
    """
    from sync_server.service import SyncServer  # noqa: PLC0415  # no other command needs it

    with in_words():
        settings = load_config(config, data=data, broker=broker)
        logs.setup(settings.log_level)
        server = SyncServer(settings)
        server.stop_on_signals()
        server.serve(lambda url: print(json.dumps({"event": "ready", "health": url}), flush=True))


@app.command
def broker(*, port: int = 1883) -> None:
    """Run the embedded MQTT broker in the foreground, on 127.0.0.1 only.

    For one machine. Any MQTT 3.1.1 broker serves in its place.
    """
    logs.setup()
    with in_words():
        if not 1 <= port <= 65_535:
            raise BrokerError(f"port {port}: choose 1 to 65535")
        run_broker(port, lambda: print(json.dumps({"event": "ready", "port": port}), flush=True))


@app.command(name="add-terminal")
def add_terminal_command(
    terminal: str,
    *,
    hall: str,
    out: Path,
    data: Data = None,
    config: Config = None,
    broker: str | None = None,
) -> None:
    """Enrol a terminal and write its bundle, which holds its secret key.

    Parameters
    ----------
    terminal
        Its id: 3 to 32 of a-z, 0-9, hyphen.
    hall
        Its unit, as dongguan/nancheng/hall-1.
    out
        The bundle file to write.
    broker
        HOST:PORT that the terminal shall connect to.
    """
    with in_words():
        settings = load_config(config, data=data)
        address = parse_broker(broker) if broker else settings.broker
        centre = open_centre(Path(settings.data))
        try:
            add_terminal(
                centre.store.connection,
                centre.keyring.centre.public,
                address,
                name=terminal,
                unit=hall,
                out=out,
                now_ms=clock_ms(),
            )
        finally:
            centre.store.close()
    print(
        f"{terminal} of {hall}: bundle in {out}. Take it to the terminal, then delete it here:\n"
        f"tongban terminal run --bundle {out.name} --board PORT --data DIR",
        file=sys.stderr,
    )


@app.command
def revoke(terminal: str, *, data: Data = None, config: Config = None) -> None:
    """Take nothing more from a terminal; what it sent stays."""
    with reading(config, data) as connection:
        revoke_terminal(connection, terminal)
    print(f"{terminal} is revoked.", file=sys.stderr)


@app.command
def status(
    *, data: Data = None, config: Config = None, unit: Unit = "", as_json: AsJson = False
) -> None:
    """What people were told and what is here; who needs somebody; totals, terminals, messages."""
    with reading(config, data) as connection:
        scope = Scope(unit)
        now_ms = clock_ms()
        answer = {
            **listings.totals(connection, scope),
            "truth": overview.truth(connection, scope, now_ms),
            "attention": overview.attention(connection, scope, now_ms),
            "intake": listings.counts(connection, scope),
            "by_terminal": list(listings.terminals(connection, scope)),
        }
    if as_json:
        print(json.dumps(answer, ensure_ascii=False))
    else:
        show.status(answer)


def _facts_reader(config: Path | None, data: Path | None) -> FactsReader:
    folder = Path(load_config(config, data=data).data)
    return FactsReader(open_keyring(folder, is_first_run=False).centre)


@app.command
def records(
    *,
    data: Data = None,
    config: Config = None,
    unit: Unit = "",
    terminal: str = "",
    correlation: str = "",
    visits: Annotated[bool, Parameter(negative=())] = False,
    facts: Annotated[bool, Parameter(negative=())] = False,
    limit: Limit = None,
    as_json: AsJson = False,
) -> None:
    """Records with their visits; people appear as pseudonyms only.

    Parameters
    ----------
    terminal
        Only of this terminal.
    correlation
        Only what one card or event caused: 16 hex digits.
    visits
        Only visits.
    facts
        With --json: also what each record says, opened with the centre's key.
    """
    with reading(config, data) as connection:
        rows = listings.records(
            connection,
            Scope(unit),
            terminal=terminal,
            correlation=_hex(correlation),
            visits_only=visits,
            facts=_facts_reader(config, data) if facts else None,
            limit=row_limit(limit, as_json),
        )
        if as_json:
            print_lines(rows)
        else:
            show.records(rows, LIST_LIMIT if limit is None else limit)


def _hex(text: str) -> bytes:
    try:
        return bytes.fromhex(text)
    except ValueError as error:
        raise ConfigError(f"correlation {text!r}: write the 16 hex digits of a log line") from error


@app.command
def export(
    out: Path, *, data: Data = None, config: Config = None, unit: Unit = "", as_json: AsJson = False
) -> None:
    """Write records, what they say, and the books of cash to a plain SQLite file.

    People stay pseudonyms.

    Parameters
    ----------
    out
        The file to make; one that exists is left alone.
    """
    with reading(config, data) as connection:
        scope = Scope(unit)
        rows = listings.records(connection, scope, facts=_facts_reader(config, data))
        counts = export_tables({TABLE: rows, **cash_tables.tables(connection, scope)}, out)
    count = counts[TABLE]
    if as_json:
        print(json.dumps({"records": count, "rows": counts, "file": str(out)}))
    else:
        print(f"{count} records in {out}; open it with any SQLite tool.", file=sys.stderr)


@app.command
def quarantine(
    *,
    data: Data = None,
    config: Config = None,
    unit: Unit = "",
    limit: Limit = None,
    as_json: AsJson = False,
) -> None:
    """Signed records that did not open or decode; their bytes are kept."""
    with reading(config, data) as connection:
        rows = listings.quarantine(connection, Scope(unit), limit=row_limit(limit, as_json))
        tell(rows, as_json, show.quarantine)


@app.command
def alarms(
    *,
    data: Data = None,
    config: Config = None,
    unit: Unit = "",
    acknowledge: int | None = None,
    as_json: AsJson = False,
) -> None:
    """What the centre found wrong with terminals, such as a cloned disk.

    Parameters
    ----------
    acknowledge
        Number of an alarm that was cared for; it is noted who says so.
    """
    with reading(config, data) as connection:
        scope = Scope(unit)
        if acknowledge is not None:
            centre_alarms.acknowledge(connection, scope, acknowledge, who_types(), clock_ms())
        rows = listings.alarms(connection, scope)
        tell(rows, as_json, show.alarms)


@app.command(name="timeline")
def timeline_command(
    terminal: str,
    *,
    data: Data = None,
    config: Config = None,
    limit: Limit = None,
    as_json: AsJson = False,
) -> None:
    """What happened at one terminal, newest first: records, devices, alarms, commands, calls.

    Parameters
    ----------
    terminal
        Its id.
    """
    with reading(config, data) as connection:
        count = timeline.LINES_DEFAULT if limit is None else limit
        rows = timeline.timeline(connection, Scope(), terminal, clock_ms(), count)
        if as_json:
            print_lines(rows)
        else:
            show.timeline(rows, terminal)


@app.command
def refused(
    *, data: Data = None, config: Config = None, unit: Unit = "", as_json: AsJson = False
) -> None:
    """The beginnings of the last few refused messages, with the reason."""
    with reading(config, data) as connection:
        rows = listings.samples(connection, Scope(unit))
        tell(rows, as_json, show.refused)


@app.command
def codes(*, as_json: AsJson = False) -> None:
    """The reason codes of intake, and what to do about each."""
    rows = [{"number": c.value, "name": c.name.lower(), "text": c.text} for c in IntakeCode]
    with in_words():
        tell(rows, as_json, show.codes)


@status_list_app.command(name="import")
def import_command(
    file: Path, *, data: Data = None, config: Config = None, valid_days: int = 7
) -> None:
    """Put a CSV file (document,number,status) in force as the status list.

    A running server publishes it within a second or two. About 50 ms of one core a person.

    Parameters
    ----------
    file
        The CSV file. Delete it afterwards: it names people.
    valid_days
        Terminals use the list for so many days.
    """
    from rich.console import Console  # noqa: PLC0415  # slow to load
    from rich.progress import Progress  # noqa: PLC0415

    with in_words():
        if not 1 <= valid_days <= 365:
            raise ConfigError(f"--valid-days {valid_days}: choose 1 to 365")
        people = read_status_file(file)
        centre = open_centre(Path(load_config(config, data=data).data))
        with Progress(console=Console(stderr=True), disable=not sys.stderr.isatty()) as progress:
            task = progress.add_task("hashing", total=len(people))
            done = import_status_list(
                centre.store.connection,
                centre.keyring.centre,
                people,
                now_ms=clock_ms(),
                valid_days=valid_days,
                progress=lambda hashed, _all: progress.update(task, completed=hashed),
            )
        centre.store.close()
    print(f"status list {done.version} with {done.entries} people is in force.", file=sys.stderr)


if __name__ == "__main__":
    app()
