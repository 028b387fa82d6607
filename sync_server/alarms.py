"""Alarms that the centre raised: somebody takes care of them, and says so."""

import apsw

from sync_server import audit
from sync_server.store_sqlite import immediate
from sync_server.units import Scope


class AlarmError(Exception):
    """It was not acknowledged; the text says what to do."""


def acknowledge(
    connection: apsw.Connection, scope: Scope, alarm: int, by: str, now_ms: int
) -> None:
    """Note who cared for an alarm; its terminal needs nobody for it any more. Raises AlarmError."""
    condition, values = scope.sql("t.unit")
    with immediate(connection):
        row = connection.execute(
            "SELECT t.name, a.code, a.acknowledged_by FROM alarm a "
            f"JOIN terminal t ON t.terminal = a.terminal WHERE {condition} AND a.alarm = ?",
            (*values, alarm),
        ).fetchone()
        if row is None:
            raise AlarmError(f"there is no alarm {alarm} here; `tongban server alarms` lists them")
        name, code, known = row
        if known:
            raise AlarmError(f"{known} has acknowledged alarm {alarm} already")
        connection.execute(
            "UPDATE alarm SET acknowledged_ms = ?, acknowledged_by = ? WHERE alarm = ?",
            (now_ms, by, alarm),
        )
        audit.append(connection, now_ms, by, "alarm.acknowledged", str(name), str(code))
