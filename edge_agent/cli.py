"""`tongban terminal ...`: what a technician types on a terminal's computer."""

import json
import sys
from pathlib import Path
from typing import Annotated, Literal

from cyclopts import App, Parameter

app = App(name="terminal", help="On a terminal's computer: serve citizens, keep records, sync.")
EXIT_CANNOT_READ = 2
EXIT_OUT_OF_BALANCE = 1


@app.command
def run(
    *,
    bundle: Path | None = None,
    board: str | None = None,
    data: Path | None = None,
    service: str | None = None,
    direction: Literal["entry", "exit", "both"] | None = None,
    config: Path | None = None,
) -> None:
    """Serve citizens until SIGTERM or Ctrl-C.

    Parameters
    ----------
    bundle
        The terminal's identity, from `tongban server add-terminal`.
    board
        Serial port of the board: /dev/ttyACM0, /dev/serial/by-id/... or COM3.
    data
        Folder of the outbox, on a local disk.
    service
        What it offers, a file of the services folder: gate, number, fee.
    direction
        Which way this gate goes.
    config
        terminal.toml; flags and environment win over it.
    """
    from edge_agent.start import serve  # noqa: PLC0415  # `--help` need not load the agent

    given = {
        "bundle": bundle,
        "board": board,
        "data": data,
        "service": service,
        "direction": direction,
    }
    sys.exit(serve(config, {k: str(v) for k, v in given.items() if v is not None}))


@app.command
def update(
    *,
    release: Path,
    data: Path,
    public: Path | None = None,
    as_json: Annotated[bool, Parameter(name="--json")] = False,
) -> None:
    """Give a release to the terminal's board. The agent takes it, also while it runs.

    It is carried while citizens are served and activated when nobody is; `status` shows how far it
    is. The same release given again is tried again.

    Parameters
    ----------
    release
        The signed file of `tongban release sign`.
    data
        The agent's data folder.
    public
        release.pub: check the signature now, not only on the board.
    as_json
        One JSON object on stdout.
    """
    from edge_agent.give_update import GiveError, give  # noqa: PLC0415

    try:
        given = give(release, data, public)
    except GiveError as error:
        print(f"error: {error}", file=sys.stderr)
        sys.exit(EXIT_CANNOT_READ)
    if as_json:
        print(json.dumps(given))
    else:
        print(f"release {given['version']} ({given['name']}) for {given['board']} is in place")


@app.command
def status(*, data: Path, as_json: Annotated[bool, Parameter(name="--json")] = False) -> None:
    """Show what lies in a terminal's outbox; the agent may run beside it.

    Parameters
    ----------
    data
        The agent's data folder.
    as_json
        One JSON object on stdout.
    """
    from edge_agent.data_folder import DataFolderError  # noqa: PLC0415
    from edge_agent.status import read_status  # noqa: PLC0415

    try:
        found = read_status(data)
    except DataFolderError as error:
        print(f"error: {error}", file=sys.stderr)
        sys.exit(EXIT_CANNOT_READ)
    if as_json:
        print(json.dumps(found))
        return
    for name, value in found.items():
        if isinstance(value, dict):
            value = ", ".join(f"{key} {said}" for key, said in value.items())  # noqa: PLW2901
        print(f"{name.replace('_', ' '):18} {value}")


@app.command
def cash(*, data: Path, as_json: Annotated[bool, Parameter(name="--json")] = False) -> None:
    """Show the cash ledger of a terminal; the agent may run beside it. Exit code 1: it does not
    balance, 2: it cannot be read.

    Parameters
    ----------
    data
        The agent's data folder.
    as_json
        One JSON object on stdout, amounts in fen.
    """
    from edge_agent.cash_report import as_lines, read_cash  # noqa: PLC0415
    from edge_agent.data_folder import DataFolderError  # noqa: PLC0415

    try:
        found = read_cash(data)
    except DataFolderError as error:
        print(f"error: {error}", file=sys.stderr)
        sys.exit(EXIT_CANNOT_READ)
    print(json.dumps(found) if as_json else "\n".join(as_lines(found)))
    if not found["balances"]:
        print(
            "error: what is stacked is not what was kept and owed. Keep the data folder as it is "
            "and send it to the makers; the centre's books stand.",
            file=sys.stderr,
        )
        sys.exit(EXIT_OUT_OF_BALANCE)
