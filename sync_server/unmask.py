"""Who holds a ticket: the one way from a pseudonym back to a person.

It needs the key that seals names, which no page has, and says on the audit log who looked and why
before anything is shown.
"""

from typing import Any

import apsw

from sync_server import audit
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
    reason = " ".join(why.split())
    if len(reason) < WHY_CHARACTERS_MIN:
        raise QueueError("say why: it stands on the audit log for ever")
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
    person = vault.open(PersonRow(*sealed))
    return person.document, person.number, person.name
