"""What operators list: rows for tables and JSON. Each query takes a scope; nobody is named."""

from collections.abc import Iterator
from typing import Any

import apsw

from protocol.receipts import ExceptionCode
from protocol.records import KINDS
from protocol.state import DeviceCondition, TerminalState
from sync_server.core.codes import IntakeCode
from sync_server.core.fleet import stored_state
from sync_server.device_words import (
    WORKING_STATES,
    condition_words,
    counter_words,
    device_name,
    state_name,
)
from sync_server.facts import FactsReader
from sync_server.units import Scope

Row = dict[str, Any]
ALARM_KEYS = (
    "alarm",
    "terminal",
    "unit",
    "code",
    "raised_ms",
    "text",
    "acknowledged_ms",
    "acknowledged_by",
)
DIRECTIONS = {0: "", 1: "entry", 2: "exit"}


def kind_name(kind: int) -> str:
    """The dotted name of a kind, or its number for one unknown here."""
    info = KINDS.get(kind)
    return info.name if info else str(kind)


def exception_name(code: int) -> str:
    """The name of an exception code in lower case, "" for none."""
    if not code:
        return ""
    return ExceptionCode(code).name.lower() if code in set(ExceptionCode) else str(code)


def intake_code_name(code: int) -> str:
    """The name of an intake code in lower case."""
    return IntakeCode(code).name.lower() if code in set(IntakeCode) else str(code)


def records(
    connection: apsw.Connection,
    scope: Scope,
    *,
    terminal: str = "",
    correlation: bytes = b"",
    visits_only: bool = False,
    facts: FactsReader | None = None,
    limit: int = -1,
) -> Iterator[Row]:
    """Records by terminal, branch and seq. `limit` -1: all. `facts` adds what each one says."""
    condition, values = scope.sql("t.unit")
    join = "JOIN" if visits_only else "LEFT JOIN"
    found = connection.execute(
        "SELECT t.name, r.seq, r.branch, r.kind, t.unit, r.at_ms, r.time_quality, a.received_ms, "
        "a.clock_offset_ms, r.correlation, r.exception, e.epoch_id, v.seq, v.business_date, "
        "v.person_ref, v.direction, v.service, v.status, v.list_version, v.held, "
        "e.opener, t.verify_key, r.coding, r.ciphertext "
        "FROM terminal t JOIN record r ON r.terminal = t.terminal "
        "JOIN arrival a ON a.arrival = r.arrival JOIN epoch e ON e.epoch = a.epoch "
        f"{join} visit v ON v.terminal = r.terminal AND v.branch = r.branch AND v.seq = r.seq "
        f"WHERE {condition} AND (? = '' OR t.name = ?) AND (? = x'' OR r.correlation = ?) "
        "ORDER BY t.name, r.branch, r.seq LIMIT ?",
        (*values, terminal, terminal, correlation, correlation, limit),
    )
    for row in found:
        name, seq, branch, kind, unit, at_ms, quality, received_ms, offset_ms = row[:9]
        correlation_id, exception, epoch_id, is_visit, day, ref, direction = row[9:16]
        service, status, list_version, held, opener, verify_key, coding, ciphertext = row[16:]
        listed = {
            "terminal": name,
            "epoch": epoch_id.hex(),
            "seq": seq,
            "branch": branch,
            "kind": kind_name(kind),
            "visit": is_visit is not None,
            "unit": unit,
            "at_ms": at_ms,
            "time_quality": quality,
            "received_ms": received_ms,
            "clock_offset_ms": offset_ms,
            "business_date": day,
            "person_ref": ref.hex() if ref else None,
            "direction": DIRECTIONS.get(direction),
            "service": service,
            "status": status,
            "list_version": list_version,
            "correlation": correlation_id.hex() if correlation_id else None,
            "held": bool(held) if held is not None else branch > 0,
            "exception": exception_name(exception) or None,
        }
        if facts is not None:
            listed["facts"] = facts.read(opener, verify_key, seq, kind, coding, ciphertext)
        yield listed


def quarantine(connection: apsw.Connection, scope: Scope, *, limit: int = -1) -> Iterator[Row]:
    """Records that are stored but did not open or decode, with their bytes."""
    condition, values = scope.sql("t.unit")
    found = connection.execute(
        "SELECT t.name, t.unit, r.branch, r.seq, r.kind, r.coding, r.exception, q.reason, "
        "a.received_ms, e.epoch_id, r.ciphertext FROM quarantine q "
        "JOIN terminal t ON t.terminal = q.terminal "
        "JOIN record r ON r.terminal = q.terminal AND r.branch = q.branch AND r.seq = q.seq "
        "JOIN arrival a ON a.arrival = r.arrival JOIN epoch e ON e.epoch = a.epoch "
        f"WHERE {condition} ORDER BY t.name, r.branch, r.seq LIMIT ?",
        (*values, limit),
    )
    for name, unit, branch, seq, kind, coding, code, reason, received_ms, epoch_id, data in found:
        yield {
            "terminal": name,
            "unit": unit,
            "epoch": epoch_id.hex(),
            "branch": branch,
            "seq": seq,
            "kind": kind_name(kind),
            "coding": coding,
            "code": exception_name(code),
            "reason": reason,
            "received_ms": received_ms,
            "ciphertext": data.hex(),
        }


def alarms(connection: apsw.Connection, scope: Scope) -> Iterator[Row]:
    """What the centre itself found wrong with a terminal, newest first."""
    condition, values = scope.sql("t.unit")
    found = connection.execute(
        "SELECT a.alarm, t.name, t.unit, a.code, a.raised_ms, a.text, a.acknowledged_ms, "
        "a.acknowledged_by FROM alarm a "
        f"JOIN terminal t ON t.terminal = a.terminal WHERE {condition} ORDER BY a.alarm DESC",
        values,
    )
    for row in found:
        yield dict(zip(ALARM_KEYS, row, strict=True))


def samples(connection: apsw.Connection, scope: Scope) -> Iterator[Row]:
    """The beginnings of the last few refused messages of each code, by the topic they came by."""
    condition, values = scope.sql("t.unit")
    of_terminal = "SELECT 1 FROM terminal t WHERE instr(m.topic, '/' || t.name || '/')"
    found = connection.execute(
        "SELECT code, received_ms, topic, reason, message_bytes, head FROM intake_sample m "
        f"WHERE ? = '' OR EXISTS({of_terminal} AND {condition}) ORDER BY code, received_ms",
        (scope.path, *values),
    )
    for code, at_ms, topic, reason, size, head in found:
        yield {
            "code": intake_code_name(code),
            "received_ms": at_ms,
            "topic": topic,
            "reason": reason,
            "bytes": size,
            "head": head.hex(),
        }


def terminals(connection: apsw.Connection, scope: Scope) -> Iterator[Row]:
    """Each terminal with its watermark and newest state."""
    condition, values = scope.sql("t.unit")
    found = connection.execute(
        "SELECT t.name, t.unit, t.letter, t.revoked, "
        "(SELECT seq FROM chain c WHERE c.terminal = t.terminal AND c.branch = 0), "
        "(SELECT count(*) FROM chain c WHERE c.terminal = t.terminal AND c.branch > 0), "
        "s.received_ms, s.clock_offset_ms, s.body FROM terminal t "
        f"LEFT JOIN terminal_state s ON s.terminal = t.terminal WHERE {condition} ORDER BY t.name",
        values,
    )
    for name, unit, letter, revoked, watermark, branches, received_ms, offset_ms, body in found:
        state = stored_state(body) if body is not None else None
        yield {
            "terminal": name,
            "unit": unit,
            "letter": letter,
            "revoked": bool(revoked),
            "watermark": watermark or 0,
            "branches": branches,
            "online": state.online if state else None,
            "backlog": state.backlog if state else None,
            "oldest_age_ms": state.oldest_age_ms if state else None,
            "state_received_ms": received_ms,
            "clock_offset_ms": offset_ms,
            "alarms": [alarm.code for alarm in state.alarms] if state else [],
            "versions": state.versions if state else {},
            "devices": [_device(each, state) for each in state.devices] if state else [],
            "visits": state.visits if state else None,
            "visits_settled": state.visits_settled if state else None,
        }


def _device(each: DeviceCondition, state: TerminalState) -> Row:
    counts = next((of.counts for of in state.counters if of.device == each.device), ())
    words = condition_words(each.device, each.state, each.detail)
    return {
        "name": device_name(each.device),
        "state": state_name(each.state),
        "works": each.state in WORKING_STATES,
        "detail": words.en,
        "detail_zh": words.zh,
        "counts": [
            {"words": like.en, "words_zh": like.zh, "count": count}
            for like, count in zip(counter_words(each.device), counts, strict=False)
        ],
    }


def totals(connection: apsw.Connection, scope: Scope) -> Row:
    """Counts of everything in the scope. `visits` are in effect, `held` wait for a person."""
    condition, values = scope.sql("t.unit")

    def total(what: str, source: str) -> int:
        sql = f"SELECT {what} FROM {source} x JOIN terminal t ON t.terminal = x.terminal "
        return int(connection.execute(f"{sql} WHERE {condition}", values).get or 0)

    return {
        "generation": connection.execute("SELECT value FROM meta WHERE name = 'generation'").get,
        "terminals": int(
            connection.execute(f"SELECT count(*) FROM terminal t WHERE {condition}", values).get
        ),
        "records": total("sum(x.seq - x.fork_seq)", "chain"),
        "visits": total("sum(x.visits)", "visit_count"),
        "held": total("sum(x.held)", "visit_count"),
        "quarantined": total("count(*)", "quarantine"),
        "alarms": total("count(*)", "alarm"),
        "status_list_version": connection.execute("SELECT max(version) FROM status_list").get,
    }


def counts(connection: apsw.Connection, scope: Scope) -> dict[str, int]:
    """Messages by intake code; those of unknown terminals count in the empty scope only."""
    condition, values = scope.sql("t.unit")
    unknown = "OR c.terminal = 0" if not scope.path else ""
    found = connection.execute(
        "SELECT c.code, sum(c.count) FROM intake_count c "
        "LEFT JOIN terminal t ON t.terminal = c.terminal "
        f"WHERE (t.terminal IS NOT NULL AND {condition}) {unknown} GROUP BY c.code ORDER BY c.code",
        values,
    )
    return {intake_code_name(code): total for code, total in found}
