"""Listings for people: tables on stdout, a helpful sentence when there is nothing."""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta, timezone
from typing import TYPE_CHECKING, Any

from sync_server.listings import Row
from sync_server.overview import DEVICE_ALARM

if TYPE_CHECKING:
    from rich.console import Console

SHANGHAI = timezone(timedelta(hours=8))
REF_CHARACTERS = 12
PIPE_COLUMNS = 160


def wide_console() -> "Console":
    """Stdout; wide enough for a table when it is no terminal."""
    from rich.console import Console  # noqa: PLC0415  # slow to load, and no use to --json

    console = Console(highlight=False)
    return console if console.is_terminal else Console(highlight=False, width=PIPE_COLUMNS)


def time_text(at_ms: int | None) -> str:
    """Asia/Shanghai, or a dash."""
    if at_ms is None:
        return "-"
    try:
        return datetime.fromtimestamp(at_ms / 1000, UTC).astimezone(SHANGHAI).strftime("%F %T")
    except (OverflowError, ValueError, OSError):
        return f"{at_ms} ms"


def _duration(passed_ms: int | None) -> str:
    """As 4:05 min, or a dash."""
    if passed_ms is None:
        return "-"
    minutes, seconds = divmod(passed_ms // 1000, 60)
    return f"{minutes}:{seconds:02} min"


def _table(title: str, columns: Iterable[str], rows: Iterable[Iterable[object]]) -> None:
    from rich.table import Table  # noqa: PLC0415  # slow to load

    table = Table(title=title, title_justify="left")
    for column in columns:
        table.add_column(column, overflow="fold")
    for row in rows:
        table.add_row(*("-" if value is None else str(value) for value in row))
    wide_console().print(table)


def listing(rows: Iterable[Row], empty: str, title: str, columns: dict[str, Any]) -> None:
    """Columns: heading -> function of a row."""
    shown = [[column(row) for column in columns.values()] for row in rows]
    if shown:
        _table(title, columns, shown)
    else:
        wide_console().print(empty)


def status(answer: Row) -> None:
    """The truth line, who needs somebody, totals, terminals, intake codes."""
    truth = answer["truth"]
    wide_console().print(
        f"told {truth['told']}, at the centre {truth['at_centre']}, settled {truth['settled']}; "
        f"records waiting at terminals: {truth['waiting']} at {truth['waiting_terminals']}, the "
        f"oldest for {_duration(truth['oldest_age_ms'])}; conflicts {truth['conflicts']}, "
        f"quarantined {truth['quarantined']}, terminals not heard {truth['unheard']}"
    )
    if answer["attention"]:
        listing(
            answer["attention"],
            "",
            "terminals that need somebody",
            {
                "terminal": lambda row: row["terminal"],
                "unit": lambda row: row["unit"],
                "why": lambda row: "; ".join(reason["en"] for reason in row["reasons"]),
                "since": lambda row: time_text(row["reasons"][0]["since_ms"]),
            },
        )
    wide_console().print(
        f"{answer['records']} records, {answer['visits']} visits, {answer['held']} held, "
        f"{answer['quarantined']} quarantined, {answer['alarms']} alarms; "
        f"status list {answer['status_list_version'] or 'none'}; "
        f"generation {answer['generation']}"
    )
    listing(
        answer["by_terminal"],
        "No terminals here yet. Add one: tongban server add-terminal gate-1 "
        "--hall dongguan/nancheng/hall-1 --out gate-1.bundle.toml --data DIR",
        "terminals",
        {
            "terminal": lambda row: row["terminal"] + (" (revoked)" if row["revoked"] else ""),
            "unit": lambda row: row["unit"],
            "watermark": lambda row: row["watermark"],
            "branches": lambda row: row["branches"],
            "online": lambda row: {True: "yes", False: "no", None: "never"}[row["online"]],
            "backlog": lambda row: row["backlog"],
            "heard": lambda row: time_text(row["state_received_ms"]),
            "wrong": lambda row: ", ".join(_wrong(row)),
        },
    )
    if answer["intake"]:
        _table("messages by code", ("code", "count"), answer["intake"].items())


def _wrong(row: Row) -> Iterable[str]:
    """Devices of a terminal that do not work, and what else it says."""
    yield from (f"{d['name']}: {d['detail']}" for d in row["devices"] if not d["works"])
    yield from (code for code in row["alarms"] if not code.startswith(DEVICE_ALARM))


def records(rows: Iterable[Row], limit: int) -> None:
    """Records, the first `limit`."""
    shown = list(rows)
    listing(
        shown,
        "No records here yet. They come when a terminal of this unit is connected.",
        "records",
        {
            "terminal": lambda row: row["terminal"],
            "seq": lambda row: (
                f"{row['seq']}" + (f" (branch {row['branch']})" * (row["branch"] > 0))
            ),
            "kind": lambda row: row["kind"],
            "time": lambda row: time_text(row["at_ms"]),
            "direction": lambda row: row["direction"],
            "person": lambda row: (row["person_ref"] or "-")[:REF_CHARACTERS],
            "note": lambda row: row["exception"] or "",
        },
    )
    if len(shown) == limit:
        wide_console().print(f"The first {limit}; --limit N shows more, --json all.")


def quarantine(rows: Iterable[Row]) -> None:
    """Quarantined records."""
    listing(
        rows,
        "Nothing is in quarantine.",
        "quarantine",
        {
            "terminal": lambda row: row["terminal"],
            "seq": lambda row: row["seq"],
            "branch": lambda row: row["branch"],
            "kind": lambda row: row["kind"],
            "code": lambda row: row["code"],
            "reason": lambda row: row["reason"],
            "bytes": lambda row: len(row["ciphertext"]) // 2,
        },
    )


def alarms(rows: Iterable[Row]) -> None:
    """Alarms raised by the centre."""
    listing(
        rows,
        "No alarms.",
        "alarms",
        {
            "alarm": lambda row: row["alarm"],
            "time": lambda row: time_text(row["raised_ms"]),
            "terminal": lambda row: row["terminal"],
            "code": lambda row: row["code"],
            "what": lambda row: row["text"],
            "acknowledged by": lambda row: row["acknowledged_by"] or None,
        },
    )


def refused(rows: Iterable[Row]) -> None:
    """Samples of refused messages."""
    listing(
        rows,
        "Nothing was refused.",
        "refused messages, samples",
        {
            "time": lambda row: time_text(row["received_ms"]),
            "code": lambda row: row["code"],
            "topic": lambda row: row["topic"],
            "bytes": lambda row: row["bytes"],
            "reason": lambda row: row["reason"],
        },
    )


def codes(rows: Iterable[Row]) -> None:
    """The reason codes."""
    columns = {name: (lambda row, name=name: row[name]) for name in ("number", "name", "text")}
    listing(rows, "", "reason codes of intake", columns)


def timeline(rows: Iterable[Row], terminal: str) -> None:
    """One terminal's lines."""
    listing(
        rows,
        f"Nothing is known of {terminal}; `tongban server status` lists all terminals.",
        f"what happened at {terminal}",
        {
            "time": lambda row: time_text(row["at_ms"]),
            "from": lambda row: row["source"],
            "what": lambda row: row["what"],
            "number": lambda row: row["number"],
            "detail": lambda row: (
                f"counter {row['note']}" if row["source"] == "officer" else row["en"] or row["note"]
            ),
            "by": lambda row: row["officer"],
        },
    )


def tickets(rows: Iterable[Row], empty: str, title: str) -> None:
    """Walk-in tickets, in the order they come."""
    listing(
        rows,
        empty,
        title,
        {
            "place": lambda row: row["place"],
            "number": lambda row: row["number"],
            "id": lambda row: row["ticket"],
            "hall": lambda row: row["unit"],
            "day": lambda row: row["business_date"],
            "matter": lambda row: row["matter"],
            "state": lambda row: row["state"] + (f" at {row['counter']}" * bool(row["counter"])),
            "waits": lambda row: _duration(row["waited_ms"]),
            "why": lambda row: "; ".join(reason["en"] for reason in row["reasons"]),
        },
    )


def conflicts(rows: Iterable[Row]) -> None:
    """Two tickets each."""
    listing(
        rows,
        "No conflicts.",
        "conflicts",
        {
            "id": lambda row: row["conflict"],
            "hall": lambda row: row["unit"],
            "why": lambda row: row["reason"]["en"],
            "stands": lambda row: f"{row['first']['number']} ({row['first']['terminal']})",
            "later": lambda row: f"{row['later']['number']} ({row['later']['terminal']})",
            "decide by": lambda row: time_text(row["deadline_ms"]) if not row["officer"] else "-",
            "decided": lambda row: f"{row['officer']}: {row['decision']}" * bool(row["officer"]),
        },
    )


def help_calls(rows: Iterable[Row]) -> None:
    """Open ones first."""
    listing(
        rows,
        "Nobody has called for help.",
        "calls for help",
        {
            "terminal": lambda row: row["terminal"],
            "hall": lambda row: row["unit"],
            "event": lambda row: row["event"],
            "pressed": lambda row: time_text(row["pressed_ms"]),
            "state": lambda row: row["state"],
            "answered after": lambda row: _duration(row["wait_ms"]),
            "by": lambda row: row["officer"] or row["by"],
        },
    )


def accounts(rows: Iterable[Row]) -> None:
    """Who may log in."""
    listing(
        rows,
        "No accounts yet: tongban server console",
        "accounts",
        {
            "name": lambda row: row["name"] + (" (disabled)" if row["is_disabled"] else ""),
            "role": lambda row: row["role"],
            "scope": lambda row: row["scope"] or "everything",
        },
    )


def audit(rows: Iterable[Row]) -> None:
    """Who did what."""
    columns = {
        name: (lambda row, name=name: row[name])
        for name in ("entry", "who", "what", "about", "detail")
    }
    time_ = {"time": lambda row: time_text(row["at_ms"])}
    listing(rows, "Nothing was done yet.", "audit log", {**time_, **columns})
