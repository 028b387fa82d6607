"""`tongban server tickets|conflicts|help-calls|answer-help|queue|unmask`: the hall, typed.

Officers use the console's page; these commands do the same for scripts, and when no page is there.
"""

import json
from pathlib import Path
from typing import Annotated

import apsw
from cyclopts import App, Parameter

from sync_server import help_desk, listings, show
from sync_server import tickets as queue_of
from sync_server.centre import clock_ms
from sync_server.cli_parts import AsJson, Config, Data, Unit, print_lines, reading, tell, who_types
from sync_server.config import load_config
from sync_server.keyring import open_keyring
from sync_server.listings import Row
from sync_server.units import Scope, check_unit
from sync_server.unmask import unmask as unmask_ticket
from sync_server.unmask import unmask_case

Hall = Annotated[str, Parameter(help="The hall, as dongguan/nancheng/hall-1.")]
Number = Annotated[str, Parameter(help="The number on the ticket, as B-017.")]
Counter = Annotated[str, Parameter(help="The counter, 1 to 99.")]

queue = App(name="queue", help="Call walk-in tickets: next, call, no-show, done.")


def tickets(
    *,
    data: Data = None,
    config: Config = None,
    unit: Unit = "",
    other_days: Annotated[bool, Parameter(negative=())] = False,
    as_json: AsJson = False,
) -> None:
    """Today's walk-in tickets: at counters, then waiting in the order of calling, with reasons.

    Parameters
    ----------
    other_days
        Instead those of other days that nobody served.
    """
    with reading(config, data) as connection:
        scope, now_ms = Scope(unit), clock_ms()
        if other_days:
            rows = list(queue_of.other_days(connection, scope, now_ms))
        else:
            rows = [
                *queue_of.called(connection, scope, now_ms),
                *queue_of.waiting(connection, scope, now_ms),
            ]
        if as_json:
            print_lines(rows)
        else:
            show.tickets(rows, "Nobody waits.", "walk-in tickets")


def conflicts(
    *,
    data: Data = None,
    config: Config = None,
    unit: Unit = "",
    decide: int | None = None,
    note: str = "",
    as_json: AsJson = False,
) -> None:
    """Tickets that a rule left to a person; both are honoured.

    Parameters
    ----------
    decide
        Id of a conflict that was dealt with.
    note
        With --decide: what was decided, in a few words.
    """
    with reading(config, data) as connection:
        scope = Scope(unit)
        if decide is not None:
            queue_of.decide_conflict(connection, scope, decide, who_types(), note, clock_ms())
        rows = queue_of.conflicts(connection, scope)
        tell(rows, as_json, show.conflicts)


def help_calls(
    *, data: Data = None, config: Config = None, unit: Unit = "", as_json: AsJson = False
) -> None:
    """Calls for help: open ones first, then who answered and after how long."""
    with reading(config, data) as connection:
        scope, now_ms = Scope(unit), clock_ms()
        rows = [
            *help_desk.open_calls(connection, scope, now_ms),
            *help_desk.answered(connection, scope, now_ms),
        ]
        tell(rows, as_json, show.help_calls)


def answer_help(
    terminal: str,
    event: int,
    *,
    data: Data = None,
    config: Config = None,
    as_json: AsJson = False,
) -> None:
    """Tell a terminal that an officer is on the way. Go then.

    Parameters
    ----------
    terminal
        Where the button was pressed.
    event
        Number of the call, as `help-calls` lists it.
    """
    with reading(config, data) as connection:
        row = help_desk.answer(connection, Scope(), terminal, event, who_types(), clock_ms())
        tell([row], as_json, show.help_calls)


def unmask(
    id: int,  # what the listings call it
    *,
    why: str,
    case: Annotated[bool, Parameter(negative=())] = False,
    data: Data = None,
    config: Config = None,
    as_json: AsJson = False,
) -> None:
    """Show who holds a ticket. Needs the keys; who looked and why stands on the audit log.

    Parameters
    ----------
    id
        Of the ticket, as `tickets` and `conflicts --json` list it.
    case
        It is the id of a case of cash instead: show who paid.
    why
        The reason, in a few words, without names.
    """
    with reading(config, data) as connection:
        folder = Path(load_config(config, data=data).data)
        vault = open_keyring(folder, is_first_run=False).vault
        look = unmask_case if case else unmask_ticket
        person = look(connection, vault, Scope(), id, by=who_types(), why=why, now_ms=clock_ms())
        row = dict(zip(("document", "number", "name"), person, strict=True))
        print(json.dumps(row, ensure_ascii=False) if as_json else " ".join(person))


@queue.command(name="next")
def call_next(
    *,
    hall: Hall,
    counter: Counter,
    matter: str = "",
    data: Data = None,
    config: Config = None,
    as_json: AsJson = False,
) -> None:
    """Call who waits longest; prints nothing with --json when nobody waits.

    Parameters
    ----------
    matter
        Only who came for this matter.
    """
    with reading(config, data) as connection:
        row = queue_of.call_next(
            connection, check_unit(hall), counter, who_types(), clock_ms(), matter
        )
        _print([] if row is None else [row], as_json)


@queue.command
def call(
    number: Number,
    *,
    hall: Hall,
    counter: Counter,
    data: Data = None,
    config: Config = None,
    as_json: AsJson = False,
) -> None:
    """Call this number: again, after a no-show, or out of turn."""
    with reading(config, data) as connection:
        now_ms = clock_ms()
        ticket = queue_of.find(connection, hall, number, now_ms)
        row = queue_of.call_again(connection, Scope(hall), ticket, counter, who_types(), now_ms)
        _print([row], as_json)


@queue.command(name="no-show")
def no_show(
    number: Number,
    *,
    hall: Hall,
    data: Data = None,
    config: Config = None,
    as_json: AsJson = False,
) -> None:
    """Nobody came; the number can be called again all day."""
    with reading(config, data) as connection:
        _print([_left(connection, hall, number, queue_of.no_show)], as_json)


@queue.command
def done(
    number: Number,
    *,
    hall: Hall,
    data: Data = None,
    config: Config = None,
    as_json: AsJson = False,
) -> None:
    """The person was served."""
    with reading(config, data) as connection:
        _print([_left(connection, hall, number, queue_of.done)], as_json)


def _print(rows: list[listings.Row], as_json: bool) -> None:
    if as_json:
        print_lines(rows)
    else:
        show.tickets(rows, "Nobody waits.", "called")


def _left(connection: apsw.Connection, hall: str, number: str, move: queue_of.Move) -> Row:
    """A number leaves its counter by `move`."""
    now_ms = clock_ms()
    ticket = queue_of.find(connection, hall, number, now_ms)
    return move(connection, Scope(hall), ticket, who_types(), now_ms)
