"""The truth line of a scope, and the terminals that need somebody, worst first.

`told` is what terminals say they made durable for a person, at least what is here of them: a
terminal that is offline may have told more, so `unheard` says how many have not spoken lately.

| reason | a terminal needs somebody because |
| --- | --- |
| help | a call for help is open |
| silent | its last word is older than SILENT_MS, or it left and is away for OFFLINE_LONG_MS |
| never | it was enrolled OFFLINE_LONG_MS ago and has never been heard |
| device | a device does not work |
| unbalanced | its notes, payments or cassette do not agree with its books of cash |
| alarm | it says so itself |
| centre | the centre found something wrong with its history; acknowledge it when it is cared for |
| cash | its hall owns a case of cash that nobody has closed |
| backlog | a record waits for longer than BACKLOG_OLD_MS although it is online |
| paper | its paper is low |
"""

from collections.abc import Iterator

import apsw

from protocol.state import TerminalState
from protocol.wire import states
from sync_server import cash, help_desk
from sync_server.cash_desk import yuan
from sync_server.core.fleet import stored_state
from sync_server.device_words import (
    WORKING_STATES,
    Words,
    condition_words,
    device_name,
    device_words,
)
from sync_server.listings import Row
from sync_server.units import Scope

SILENT_MS = 120_000  # four states that did not come
OFFLINE_LONG_MS = 300_000
BACKLOG_OLD_MS = 300_000
DEVICE_ALARM = "device."

RANKS = (
    "help",
    "silent",
    "never",
    "device",
    "unbalanced",
    "alarm",
    "centre",
    "cash",
    "backlog",
    "paper",
)
"""The worst first."""


def truth(connection: apsw.Connection, scope: Scope, now_ms: int) -> Row:
    """What people were told, what is settled, what is here, what waits, what needs a decision."""
    row = dict.fromkeys(("told", "at_centre", "settled", "waiting", "waiting_terminals"), 0)
    oldest_ms = unheard = 0
    for one in _terminals(connection, scope):
        state, here = one["state"], one["visits"]
        row["at_centre"] += here
        row["told"] += max(here, state.visits if state else 0)
        unheard += _silent_since(one, now_ms) is not None
        if state is None:
            continue
        row["settled"] += state.visits_settled
        row["waiting"] += state.backlog
        if state.backlog:
            row["waiting_terminals"] += 1
            age_ms = state.oldest_age_ms + max(0, now_ms - one["received_ms"])
            oldest_ms = max(oldest_ms, age_ms)
    condition, values = scope.sql("c.unit")
    conflicts = connection.execute(
        f"SELECT count(*) FROM conflict c WHERE {condition} AND c.decided_ms IS NULL", values
    ).get
    condition, values = scope.sql("t.unit")
    quarantined = connection.execute(
        "SELECT count(*) FROM quarantine q JOIN terminal t ON t.terminal = q.terminal "
        f"WHERE {condition}",
        values,
    ).get
    return {
        **row,
        "oldest_age_ms": oldest_ms,
        "conflicts": conflicts,
        "quarantined": quarantined,
        "unheard": unheard,
        "as_of_ms": now_ms,
    }


def attention(connection: apsw.Connection, scope: Scope, now_ms: int) -> list[Row]:
    """Terminals with their `reasons` (code, detail, since_ms, zh, en), the worst first: by the
    worst reason of each, then by how long it lasts."""
    found: dict[str, list[Row]] = {}
    units: dict[str, str] = {}
    for one in _terminals(connection, scope):
        units[one["terminal"]] = one["unit"]
        found[one["terminal"]] = list(_state_reasons(one, now_ms))
    for terminal, since_ms, code in _centre_alarms(connection, scope):
        words = Words(f"中心发现异常：{code}", f"The centre found something wrong: {code}")
        found[terminal].append(_reason("centre", code, since_ms, words))
    for terminal, unit, reason in _cash_reasons(connection, scope, now_ms):
        found.setdefault(terminal, []).append(reason)
        units.setdefault(terminal, unit)
    for call in help_desk.open_calls(connection, scope, now_ms):
        words = Words("有人按了求助，还没有人应答", "Somebody called for help, nobody has answered")
        reasons = found.setdefault(call["terminal"], [])
        units.setdefault(call["terminal"], call["unit"])
        reasons.append(_reason("help", str(call["event"]), call["pressed_ms"], words))
    rows = []
    for terminal, reasons in found.items():
        if reasons:
            reasons.sort(key=_order)
            rows.append({"terminal": terminal, "unit": units[terminal], "reasons": reasons})
    return sorted(rows, key=lambda row: (*_order(row["reasons"][0]), row["terminal"]))


def _order(reason: Row) -> tuple[int, int]:
    return RANKS.index(reason["code"]), reason["since_ms"]


def _reason(code: str, detail: str, since_ms: int, words: Words) -> Row:
    return {"code": code, "detail": detail, "since_ms": since_ms, **words._asdict()}


def _terminals(connection: apsw.Connection, scope: Scope) -> Iterator[Row]:
    """Terminals that are not revoked, with their newest state."""
    condition, values = scope.sql("t.unit")
    found = connection.execute(
        "SELECT t.name, t.unit, t.added_ms, v.visits + v.held, s.received_ms, s.clock_offset_ms, "
        "s.body FROM terminal t LEFT JOIN terminal_state s ON s.terminal = t.terminal "
        "LEFT JOIN visit_count v ON v.terminal = t.terminal "
        f"WHERE {condition} AND t.revoked = 0 ORDER BY t.name",
        values,
    )
    for name, unit, added_ms, visits, received_ms, offset_ms, body in found:
        yield {
            "terminal": name,
            "unit": unit,
            "added_ms": added_ms,
            "visits": visits or 0,
            "received_ms": received_ms,
            "clock_offset_ms": offset_ms,
            "state": stored_state(body) if body is not None else None,
        }


def _silent_since(one: Row, now_ms: int) -> int | None:
    """Since when a terminal is not heard; None for one that is."""
    state: TerminalState | None = one["state"]
    if state is None:
        return int(one["added_ms"])
    received_ms = int(one["received_ms"])
    if not state.online or now_ms - received_ms >= SILENT_MS:
        return received_ms
    return None


def _state_reasons(one: Row, now_ms: int) -> Iterator[Row]:
    state: TerminalState | None = one["state"]
    since_ms = _silent_since(one, now_ms)
    if since_ms is not None:
        if state is None and now_ms - since_ms >= OFFLINE_LONG_MS:
            words = Words("从来没有连接过", "Has never been heard")
            yield _reason("never", "", since_ms, words)
        elif state is not None and (state.online or now_ms - since_ms >= OFFLINE_LONG_MS):
            words = Words("没有消息", "Not heard") if state.online else Words("离线", "Offline")
            yield _reason("silent", "", since_ms, words)
        return  # what it said of itself is old
    assert state is not None
    yield from _device_reasons(one, state)
    for alarm in state.alarms:
        if not alarm.code.startswith(DEVICE_ALARM):
            words = Words(f"终端报警：{alarm.code}", f"The terminal says: {alarm.code}")
            yield _reason("alarm", alarm.code, alarm.since_ms + one["clock_offset_ms"], words)
    if state.backlog and state.oldest_age_ms >= BACKLOG_OLD_MS:
        words = Words(
            f"记录送不出去：{state.backlog} 条", f"Records that do not get out: {state.backlog}"
        )
        yield _reason("backlog", "", one["received_ms"] - state.oldest_age_ms, words)


def _device_reasons(one: Row, state: TerminalState) -> Iterator[Row]:
    since = {alarm.code: alarm.since_ms + one["clock_offset_ms"] for alarm in state.alarms}
    for each in state.devices:
        works = each.state in WORKING_STATES
        if works and (each.device, each.detail) != (states.PRINTER, states.PAPER_LOW):
            continue
        name = device_words(each.device)
        like = condition_words(each.device, each.state, each.detail)
        words = Words(f"{name.zh}：{like.zh}", f"{name.en.capitalize()}: {like.en}")
        since_ms = since.get(DEVICE_ALARM + device_name(each.device), int(one["received_ms"]))
        yield _reason("paper" if works else "device", device_name(each.device), since_ms, words)


def _centre_alarms(connection: apsw.Connection, scope: Scope) -> Iterator[tuple[str, int, str]]:
    """(terminal, since, code) of what nobody has acknowledged."""
    condition, values = scope.sql("t.unit")
    found = connection.execute(
        "SELECT t.name, min(a.raised_ms), a.code FROM alarm a "
        f"JOIN terminal t ON t.terminal = a.terminal WHERE {condition} "
        "AND a.acknowledged_ms IS NULL AND t.revoked = 0 GROUP BY t.terminal, a.code",
        values,
    )
    for name, since_ms, code in found:
        yield str(name), int(since_ms), str(code)


def _cash_reasons(
    connection: apsw.Connection, scope: Scope, now_ms: int
) -> Iterator[tuple[str, str, Row]]:
    """(terminal, unit, reason): books that do not agree, and cases that are open."""
    for name, unit, fen, since_ms in cash.out_of_balance(connection, scope):
        words = Words(f"账不平，差 {yuan(fen)} 元", f"Its books differ by {yuan(fen)} yuan")
        yield name, unit, _reason("unbalanced", "books", since_ms, words)
    for row in cash.open_cases(connection, scope, now_ms):
        count, late = row["cases"], row["late"]
        if row["unbalanced"]:
            words = Words("缴费或钞箱与账不符", "A payment or a cassette differs from the books")
            yield row["terminal"], row["unit"], _reason("unbalanced", "", row["since_ms"], words)
        if count > row["unbalanced"]:
            words = Words(
                f"现金待处理 {count} 项" + f"，{late} 项逾期" * bool(late),
                f"Cash to look after: {count}" + f", {late} overdue" * bool(late),
            )
            yield row["terminal"], row["unit"], _reason("cash", "", row["since_ms"], words)
