"""What an operator does once for a new hall: enrol its terminals, put a status list in force.

By the functions behind `tongban server add-terminal` and `status-list import`, not by starting five
programs more: a hall shall be open within seconds.
"""

from collections.abc import Iterable
from pathlib import Path

from simulator.hall.place import Person
from sync_server.centre import clock_ms, open_centre
from sync_server.config import parse_broker
from sync_server.registry import add_terminal
from sync_server.status_lists import import_status_list, read_status_file

BLOCKED, OFFICER = "blocked", "officer"
VALID_DAYS = 7


def enrol(centre: Path, terminal: str, unit: str, broker: str, out: Path) -> None:
    """Enrol one terminal; its bundle goes to `out`. `broker`: HOST:PORT."""
    opened = open_centre(centre)
    try:
        add_terminal(
            opened.store.connection,
            opened.keyring.centre.public,
            parse_broker(broker),
            name=terminal,
            unit=unit,
            out=out,
            now_ms=clock_ms(),
        )
    finally:
        opened.store.close()


def list_people(centre: Path, file: Path, people: Iterable[tuple[Person, str]]) -> None:
    """Put these people, each with BLOCKED or OFFICER, in force; `file` is the CSV in between."""
    rows = [f"{person.document},{person.number},{status}" for person, status in people]
    file.write_text("\n".join(["document,number,status", *rows]) + "\n", "utf-8")
    opened = open_centre(centre)
    try:
        import_status_list(
            opened.store.connection,
            opened.keyring.centre,
            read_status_file(file),
            now_ms=clock_ms(),
            valid_days=VALID_DAYS,
            progress=lambda _done, _all: None,
        )
    finally:
        opened.store.close()
