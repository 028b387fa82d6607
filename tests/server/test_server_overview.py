"""The truth line adds up, who needs somebody is listed worst first, and nobody is named."""

import json
from pathlib import Path

import pytest

from protocol.records import ANSWERED_AT_DESK, DeviceState, HelpAnswered, HelpCall, TerminalStarted
from protocol.state import Alarm, DeviceCondition, DeviceCounters
from protocol.wire import states
from sync_server import alarms, audit, help_desk, listings, tickets
from sync_server.alarms import AlarmError
from sync_server.device_words import (
    condition_words,
    counter_words,
    device_name,
    device_words,
    state_name,
)
from sync_server.overview import (
    BACKLOG_OLD_MS,
    OFFLINE_LONG_MS,
    RANKS,
    SILENT_MS,
    attention,
    truth,
)
from sync_server.timeline import timeline
from sync_server.units import Scope
from tests.server.hall import OTHER_HALL, UNIT, Hall, name_and_number
from tests.server.making import passage

EVERYTHING, HERE = Scope(), Scope(UNIT)


@pytest.fixture
def hall(tmp_path: Path):
    made = Hall(tmp_path)
    made.connection.execute("UPDATE terminal SET added_ms = ?", (made.now_ms,))
    yield made
    made.store.close()


def line(hall: Hall, scope: Scope = EVERYTHING) -> dict:
    return truth(hall.connection, scope, hall.now_ms)


def needs(hall: Hall, scope: Scope = EVERYTHING) -> list[tuple[str, list[str]]]:
    rows = attention(hall.connection, scope, hall.now_ms)
    return [(row["terminal"], [reason["code"] for reason in row["reasons"]]) for row in rows]


# ---- the truth line


def test_the_truth_line_adds_up(hall: Hall) -> None:
    hall.append(1, passage(1))
    hall.append(2, passage(2))
    hall.issue(1, "A-001", 1)
    hall.issue(2, "B-001", 1)
    hall.state(1, visits=5, visits_settled=2, backlog=4, oldest_age_ms=60_000)
    hall.state(2, visits=2, visits_settled=2)
    hall.later(1_000)
    assert line(hall) == {
        "told": 7,
        "at_centre": 4,
        "settled": 4,
        "waiting": 4,
        "waiting_terminals": 1,
        "oldest_age_ms": 61_000,
        "conflicts": 1,
        "quarantined": 0,
        "unheard": 1,
        "as_of_ms": hall.now_ms,
    }
    other = line(hall, Scope(OTHER_HALL))
    assert (other["told"], other["at_centre"], other["conflicts"]) == (0, 0, 0)


def test_what_is_here_was_told_also_when_the_terminal_has_not_said_so(hall: Hall) -> None:
    hall.append(1, passage(1))
    assert (line(hall)["told"], line(hall)["at_centre"]) == (1, 1)
    hall.state(1, visits=0)
    assert line(hall)["told"] == 1


def test_decided_conflicts_and_quarantine(hall: Hall) -> None:
    hall.issue(1, "A-001", 1)
    hall.issue(2, "B-001", 1)
    tickets.decide_conflict(hall.connection, HERE, 1, "li.wei", "both served", hall.now_ms)
    terminal = hall.gates[0]
    terminal.append_raw(1, 1, b"no record")
    hall.centre.take(terminal.batch(2, 2), terminal.name)
    assert (line(hall)["conflicts"], line(hall)["quarantined"]) == (0, 1)


def test_counts_kept_with_the_rows_equal_the_rows(hall: Hall) -> None:
    first = hall.gates[0]
    hall.append(1, passage(1))
    hall.append(1, DeviceState(1, 0))
    twin = first.restored(1).visit(3)
    hall.append(1, passage(2))
    hall.centre.take(twin.batch(2, 4), twin.name)
    said = listings.totals(hall.connection, EVERYTHING)
    rows = hall.connection.execute(
        "SELECT (SELECT count(*) FROM record), sum(held = 0), sum(held = 1) FROM visit"
    ).fetchone()
    assert (said["records"], said["visits"], said["held"]) == rows
    assert rows[2] == 3


# ---- who needs somebody


def test_a_quiet_hall_needs_nobody(hall: Hall) -> None:
    for gate in (1, 2, 3):
        hall.state(gate, devices=(DeviceCondition(states.PRINTER, states.ONLINE),))
    assert needs(hall) == []


def test_reasons_come_worst_first_and_longest_first(hall: Hall) -> None:
    for gate in (1, 2):
        hall.state(
            gate,
            backlog=2,
            oldest_age_ms=BACKLOG_OLD_MS,
            devices=(
                DeviceCondition(states.PRINTER, states.USER_ERROR, states.PAPER_OUT),
                DeviceCondition(states.VOICE, states.ONLINE),
            ),
            alarms=(
                Alarm("device.printer", hall.now_ms - gate * 1_000),
                Alarm("session_from_elsewhere", hall.now_ms),
            ),
        )
    hall.state(3)
    hall.append(3, HelpCall(1, 0))
    assert needs(hall) == [
        ("gate-3", ["help"]),
        ("gate-2", ["device", "alarm", "backlog"]),
        ("gate-1", ["device", "alarm", "backlog"]),
    ]
    assert needs(hall, HERE)[0][0] == "gate-2"
    reason = attention(hall.connection, HERE, hall.now_ms)[0]["reasons"][0]
    assert (reason["detail"], reason["since_ms"]) == ("printer", hall.now_ms - 2_000)
    assert (reason["zh"], reason["en"]) == ("打印机：缺纸", "Printer: out of paper")


def test_low_paper_is_the_least(hall: Hall) -> None:
    hall.state(1, devices=(DeviceCondition(states.PRINTER, states.ONLINE, states.PAPER_LOW),))
    hall.state(2, backlog=1, oldest_age_ms=BACKLOG_OLD_MS)
    hall.state(3)
    assert needs(hall) == [("gate-2", ["backlog"]), ("gate-1", ["paper"])]


def test_a_terminal_that_left_is_missed_after_a_while(hall: Hall) -> None:
    for gate in (2, 3):
        hall.state(gate)
    hall.state(1, online=False, devices=(DeviceCondition(states.GATE, states.OFFLINE),))
    assert needs(hall) == [], "a short break needs nobody"
    assert line(hall)["unheard"] == 1
    hall.later(OFFLINE_LONG_MS)
    for gate in (2, 3):
        hall.state(gate)
    assert needs(hall) == [("gate-1", ["silent"])], "what it said before it left is old"


def test_a_terminal_that_is_silent_is_missed(hall: Hall) -> None:
    for gate in (1, 2, 3):
        hall.state(gate)
    hall.later(SILENT_MS - 1)
    assert needs(hall) == []
    hall.later(1)
    assert [terminal for terminal, codes in needs(hall) if codes == ["silent"]] == [
        "gate-1",
        "gate-2",
        "gate-3",
    ]


def test_a_terminal_that_never_came_is_missed_and_a_revoked_one_is_not(hall: Hall) -> None:
    assert needs(hall) == []
    hall.later(OFFLINE_LONG_MS)
    hall.connection.execute("UPDATE terminal SET revoked = 1 WHERE name = 'gate-2'")
    assert needs(hall) == [("gate-1", ["never"]), ("gate-3", ["never"])]


def test_a_branch_needs_somebody_until_it_is_acknowledged(hall: Hall) -> None:
    first = hall.gates[0]
    twin = first.restored(0)
    hall.append(1, passage(1))
    twin.visit(1)
    hall.centre.take(twin.batch(1, 1), twin.name)
    for gate in (1, 2, 3):
        hall.state(gate)
    assert needs(hall) == [("gate-1", ["centre"])]
    (alarm,) = listings.alarms(hall.connection, EVERYTHING)

    def acknowledge(scope: Scope, number: int = alarm["alarm"]) -> None:
        alarms.acknowledge(hall.connection, scope, number, "li.wei", hall.now_ms)

    for scope, number in ((Scope(OTHER_HALL), alarm["alarm"]), (EVERYTHING, 99)):
        with pytest.raises(AlarmError, match="lists them"):
            acknowledge(scope, number)
    acknowledge(HERE)
    with pytest.raises(AlarmError, match=r"li\.wei has acknowledged"):
        acknowledge(HERE)
    assert needs(hall) == []
    (alarm,) = listings.alarms(hall.connection, EVERYTHING)
    assert alarm["acknowledged_by"] == "li.wei"
    assert [entry.what for entry in audit.entries(hall.connection)] == ["alarm.acknowledged"]


def test_every_reason_has_a_rank(hall: Hall) -> None:
    assert len(set(RANKS)) == len(RANKS)


# ---- words


def test_terminals_are_listed_with_their_devices_in_words(hall: Hall) -> None:
    hall.state(
        1,
        visits=3,
        visits_settled=2,
        devices=(
            DeviceCondition(states.CARD_READER, states.HARDWARE_ERROR, 0x60),
            DeviceCondition(states.PRINTER, states.ONLINE, states.PAPER_LOW),
        ),
    )
    rows = list(listings.terminals(hall.connection, HERE))
    assert (rows[0]["visits"], rows[0]["visits_settled"]) == (3, 2)
    assert rows[0]["devices"] == [
        {
            "name": "card_reader",
            "state": "hardwareError",
            "works": False,
            "detail": "faulty (0x60)",
            "detail_zh": "故障 (0x60)",
            "counts": [],
        },
        {
            "name": "printer",
            "state": "online",
            "works": True,
            "detail": "paper low",
            "detail_zh": "纸快用完",
            "counts": [],
        },
    ]
    assert rows[1]["devices"] == []


def test_every_known_condition_has_words_in_both_languages() -> None:
    for device in range(1, states.DEVICE_COUNT + 1):
        assert not device_words(device).zh.isascii()
        for state in range(len(states.STATE_NAMES)):
            for detail in (0, *states.DETAIL_NAMES, 200):
                words = condition_words(device, state, detail)
                assert words.en.isascii()
                assert not words.zh.isascii()
    assert device_name(77) == "77"
    assert device_words(77).en == "device 77"
    assert state_name(77) == "77"
    assert condition_words(1, 77, 0).en == "state 77"


def test_what_devices_count_has_words_and_stands_beside_its_device(hall: Hall) -> None:
    for device, names in states.COUNTER_NAMES.items():
        words = counter_words(device)
        assert len(words) == len(names)
        assert all(like.en.isascii() and not like.zh.isascii() for like in words)
    assert counter_words(77) == ()
    hall.state(
        1,
        devices=(DeviceCondition(states.PRINTER, states.ONLINE),),
        counters=(DeviceCounters(states.PRINTER, (70, 1, 2)), DeviceCounters(77, (1,))),
    )
    (row,) = [r for r in listings.terminals(hall.connection, HERE) if r["terminal"] == "gate-1"]
    counts = [(each["words_zh"], each["count"]) for each in row["devices"][0]["counts"]]
    assert counts == [("打印", 70), ("没打印", 1), ("不确定", 2)]


# ---- the timeline


def test_a_terminals_timeline_tells_all_and_names_nobody(hall: Hall) -> None:
    hall.append(1, TerminalStarted("1.0", "started"))
    hall.later(1_000)
    hall.issue(1, "A-001", 1, officer=9)
    hall.later(1_000)
    hall.append(1, DeviceState(states.PRINTER, states.USER_ERROR, states.PAPER_OUT))
    hall.later(1_000)
    hall.append(1, HelpCall(7, 0))
    hall.later(1_000)
    help_desk.answer(hall.connection, HERE, "gate-1", 7, "li.wei", hall.now_ms)
    hall.later(1_000)
    hall.append(1, HelpAnswered(7, 1_500, ANSWERED_AT_DESK))
    hall.later(1_000)
    tickets.call_next(hall.connection, UNIT, "3", "wang.fang", hall.now_ms)
    hall.later(1_000)
    twin = hall.gates[0].restored(1).visit(1)
    hall.centre.take(twin.batch(2, 2), twin.name)
    hall.later(3_600_000)
    lines = timeline(hall.connection, HERE, "gate-1", hall.now_ms)
    told = [(row["source"], row["what"], row["number"], row["note"]) for row in lines]
    assert told == [
        ("alarm", "branch", "", ""),
        ("command", "call_ticket", "A-001", "expired"),
        ("officer", "ticket.call", "A-001", "3"),
        ("record", "help.answered", "7", ""),
        ("command", "answer_help", "7", "expired"),
        ("record", "help.call", "7", ""),
        ("record", "device.state", "", ""),
        ("record", "ticket.issued", "A-001", ""),
        ("record", "terminal.started", "", ""),
        ("record", "gate.passage", "", "branch_held"),
    ]
    assert lines[6]["en"] == "printer: out of paper"
    shown = json.dumps(lines, ensure_ascii=False)
    for index in (1, 9):
        for secret in name_and_number(index):
            assert secret not in shown
    assert timeline(hall.connection, HERE, "gate-1", hall.now_ms, limit=2) == lines[:2]
    assert timeline(hall.connection, Scope(OTHER_HALL), "gate-1", hall.now_ms) == []
    assert timeline(hall.connection, EVERYTHING, "gate-9", hall.now_ms) == []
