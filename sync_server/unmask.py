"""Who holds a ticket, or paid what a case is about: the one way from a pseudonym to a person.

It needs the key that seals names, which no page has, and says on the audit log who looked and why
before anything is shown.
"""

from typing import Any

import apsw

from sync_server import audit
from sync_server.cash_desk import CashError
from sync_server.core.queue import QueueError
from sync_server.core.store_port import PersonRow
from sync_server.people import PersonVault
from sync_server.store_sqlite import immediate
from sync_server.units import Scope

WHY_CHARACTERS_MIN = 5


def unmask(
    connection: apsw.Connection,
    vault: PersonVault,
    scope: Scope,
    ticket: int,
    *,
    by: str,
    why: str,
    now_ms: int,
) -> tuple[str, str, str]:
    """(document, number, name) of a ticket's person. Raises QueueError or PersonSealError."""
    reason = _reason(why)
    condition, values = scope.sql("k.unit")
    with immediate(connection):
        row: Any = connection.execute(
            "SELECT k.unit, k.business_date, k.number, p.person_ref, p.document, p.sealed "
            "FROM ticket k JOIN person p ON p.person_ref = k.person_ref "
            f"WHERE {condition} AND k.ticket = ?",
            (*values, ticket),
        ).fetchone()
        if row is None:
            raise QueueError(f"no ticket has the id {ticket}; `tongban server tickets` lists them")
        unit, day, number, *sealed = row
        audit.append(connection, now_ms, by, "person.unmasked", f"{unit} {day} {number}", reason)
    return _opened(vault, sealed)


def unmask_case(
    connection: apsw.Connection,
    vault: PersonVault,
    scope: Scope,
    case: int,
    *,
    by: str,
    why: str,
    now_ms: int,
) -> tuple[str, str, str]:
    """(document, number, name) of who paid what a case of cash is about.

    Raises QueueError, CashError or PersonSealError.
    """
    reason = _reason(why)
    condition, values = scope.sql("c.unit")
    with immediate(connection):
        row: Any = connection.execute(
            "SELECT c.unit, p.person_ref, p.document, p.sealed FROM cash_case c "
            "JOIN cash_payment m ON m.terminal = c.terminal AND m.payment = c.payment "
            "JOIN person p ON p.person_ref = m.person_ref "
            f"WHERE {condition} AND c.cash_case = ? ORDER BY m.held, m.seq LIMIT 1",
            (*values, case),
        ).fetchone()
        if row is None:
            raise CashError(
                "no_person",
                f"nobody is known for case {case}: there is no such case, its payment has not "
                "ended, or who paid showed no card. `tongban server cases` lists them",
            )
        unit, *sealed = row
        audit.append(connection, now_ms, by, "person.unmasked", f"{unit} case {case}", reason)
    return _opened(vault, sealed)


def _reason(why: str) -> str:
    reason = " ".join(why.split())
    if len(reason) < WHY_CHARACTERS_MIN:
        raise QueueError("say why: it stands on the audit log for ever")
    return reason


def _opened(vault: PersonVault, sealed: list[Any]) -> tuple[str, str, str]:
    person = vault.open(PersonRow(*sealed))
    return person.document, person.number, person.name
