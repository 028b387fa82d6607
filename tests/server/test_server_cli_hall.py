"""The hall, the accounts and the truth from a keyboard: JSON for programs, words for people."""

import io
import json
import sys
from pathlib import Path

import pytest

from protocol.bundle import from_toml
from protocol.keys import DeviceKey
from protocol.records import ANSWERED_AT_DESK, HelpAnswered, HelpCall
from sync_server import accounts, passwords
from sync_server.centre import clock_ms, open_centre
from sync_server.core.reconcile import business_date
from tests.server.hall import name_and_number
from tests.server.making import Centre, SimTerminal, ticket
from tests.server.test_server_cli import HALL, OTHER_HALL, add, lines

COUNTER = ("--hall", HALL, "--counter", "3")
GOOD = "一杯热茶与三页纸张就够"


@pytest.fixture
def hall(typed, tmp_path: Path) -> Path:
    """Tickets of today at two terminals of a hall, one of them a conflict; two calls for help."""
    for name, unit in (("gate-1", HALL), ("gate-2", HALL), ("gate-3", OTHER_HALL)):
        assert add(typed, tmp_path, name, unit)[0] == 0
    opened = open_centre(tmp_path / "centre")
    centre = Centre(opened.store, opened.keyring.centre)
    centre.vault = opened.keyring.vault
    centre.restart()
    now_ms = centre.now_ms = clock_ms()
    day = business_date(now_ms)
    bodies = {
        "gate-1": [
            ticket("A-001", 1, day=day),
            ticket("A-002", 2, day=day, officer=9),
            HelpCall(7, 5_000),
            HelpCall(8, 0),
            HelpAnswered(8, 2_500, ANSWERED_AT_DESK),
        ],
        "gate-2": [ticket("B-001", 1, day=day), ticket("B-002", 3, day="2026-01-01")],
        "gate-3": [ticket("A-001", 1, day=day)],
    }
    for name, facts in bodies.items():
        terminal = SimTerminal(centre.keys, name)
        bundle = from_toml((tmp_path / f"{name}.toml").read_text("utf-8"))
        terminal.device = DeviceKey(bundle.device_seed)
        for index, body in enumerate(facts):
            terminal.append(body, now_ms - 60_000 + index * 1_000)
        centre.take(terminal.batch(1, len(facts)), name)
    opened.store.close()
    return tmp_path


def numbers(out: str) -> list[str]:
    return [row["number"] for row in lines(out)]


def test_tickets_are_listed_by_hall_and_day(hall: Path, typed) -> None:
    assert numbers(typed("tickets", "--json", "--unit", HALL)[1]) == ["A-001", "B-001", "A-002"]
    assert numbers(typed("tickets", "--json", "--unit", OTHER_HALL)[1]) == ["A-001"]
    assert numbers(typed("tickets", "--json", "--other-days")[1]) == ["B-002"]
    out = typed("tickets")[1]
    assert "By an officer's word" in out
    assert "both count" in out


def test_a_day_at_the_counter(hall: Path, typed) -> None:
    assert numbers(typed("queue", "next", *COUNTER, "--json")[1]) == ["A-001"]
    (row,) = lines(typed("queue", "no-show", "A-001", "--hall", HALL, "--json")[1])
    assert row["state"] == "no_show"
    (row,) = lines(typed("queue", "call", "A-001", *COUNTER, "--json")[1])
    assert (row["state"], row["calls"], row["announced"]) == ("called", 2, True)
    assert "done" in typed("queue", "done", "A-001", "--hall", HALL)[1]
    assert numbers(typed("queue", "next", *COUNTER, "--json")[1]) == ["B-001"]
    assert typed("queue", "next", *COUNTER, "--matter", "housing", "--json")[:2] == (0, "")
    assert "Nobody waits" in typed("queue", "next", *COUNTER, "--matter", "housing")[1]


@pytest.mark.parametrize(
    ("words", "cure"),
    [
        (("queue", "done", "A-002", "--hall", HALL), "A-002 is waiting; possible: call"),
        (("queue", "call", "C-009", *COUNTER), "tongban server tickets"),
        (("queue", "next", "--hall", HALL, "--counter", "x"), "1 to 99"),
        (("queue", "next", "--hall", "Nancheng", "--counter", "3"), "dongguan/nancheng/hall-1"),
        (("answer-help", "gate-1", "99"), "no such call"),
        (("conflicts", "--decide", "1"), "1 to 200"),
        (("alarms", "--acknowledge", "9"), "tongban server alarms"),
        (("unmask", "99", "--why", "a complaint"), "no ticket has the id"),
        (("unmask", "1", "--why", " "), "say why"),
        (("audit", "--verify", "--noted", "what"), "NUMBER:HASH"),
        (("accounts", "disable", "nobody"), "nobody is called"),
    ],
)
def test_what_cannot_be_done_is_a_sentence_with_the_cure(hall: Path, typed, words, cure) -> None:
    code, out, err = typed(*words)
    assert (code, out) == (1, "")
    assert cure in err


def test_conflicts_and_their_decision(hall: Path, typed) -> None:
    (row,) = lines(typed("conflicts", "--json", "--unit", HALL)[1])
    assert row["later"]["number"] == "B-001"
    assert typed("conflicts", "--json", "--unit", OTHER_HALL)[1] == ""
    assert "A-001 (gate-1)" in typed("conflicts")[1]
    code, out, _ = typed("conflicts", "--decide", "1", "--note", "both served", "--json")
    assert code == 0
    (row,) = lines(out)
    assert row["decision"] == "both served"
    assert row["officer"].startswith("cli")
    assert "both served" in typed("conflicts")[1]


def test_help_calls_and_an_answer(hall: Path, typed) -> None:
    rows = lines(typed("help-calls", "--json")[1])
    assert [(row["event"], row["state"], row["by"]) for row in rows] == [
        (7, "open", ""),
        (8, "answered", "desk"),
    ]
    assert "open" in typed("help-calls")[1]
    (row,) = lines(typed("answer-help", "gate-1", "7", "--json")[1])
    assert row["state"] == "answering"
    assert {row["state"] for row in lines(typed("help-calls", "--json")[1])} == {
        "answering",
        "answered",
    }


def test_status_begins_with_the_truth_and_who_needs_somebody(hall: Path, typed) -> None:
    status = json.loads(typed("status", "--json")[1])
    assert (status["truth"]["told"], status["truth"]["at_centre"]) == (5, 5)
    assert status["truth"]["conflicts"] == 1
    (row,) = status["attention"]
    assert (row["terminal"], row["reasons"][0]["code"]) == ("gate-1", "help")
    out = typed("status")[1]
    assert "told 5, at the centre 5" in out
    assert "nobody has answered" in out
    assert json.loads(typed("status", "--json", "--unit", OTHER_HALL)[1])["attention"] == []


def test_a_timeline(hall: Path, typed) -> None:
    typed("queue", "next", *COUNTER)
    rows = lines(typed("timeline", "gate-1", "--json")[1])
    assert {row["source"] for row in rows} == {"record", "officer", "command"}
    assert len(lines(typed("timeline", "gate-1", "--json", "--limit", "2")[1])) == 2
    assert "ticket.issued" in typed("timeline", "gate-1")[1]
    assert "tongban server status" in typed("timeline", "gate-9")[1]


def test_facts_and_export_tell_of_tickets_and_name_nobody(hall: Path, typed) -> None:
    out = typed("records", "--json", "--facts")[1]
    facts = [row["facts"] for row in lines(out) if row["kind"] == "ticket.issued"]
    assert {fact["number"] for fact in facts} == {"A-001", "A-002", "B-001", "B-002"}
    assert all(not {"person", "officer"} & fact.keys() for fact in facts)
    assert typed("export", str(hall / "out.db"))[0] == 0
    exported = (hall / "out.db").read_bytes()
    assert b"A-002" in exported
    for index in (1, 2, 9):
        for secret in name_and_number(index):
            assert secret not in out
            assert secret.encode() not in exported


def test_empty_lists_are_friendly(typed, tmp_path: Path) -> None:
    add(typed, tmp_path, "gate-1")
    for words, sentence in (
        (("tickets",), "Nobody waits"),
        (("tickets", "--other-days"), "Nobody waits"),
        (("conflicts",), "No conflicts"),
        (("help-calls",), "Nobody has called"),
        (("accounts",), "tongban server console"),
        (("audit",), "Nothing was done yet"),
    ):
        code, out, _ = typed(*words)
        assert code == 0
        assert sentence in out
        assert typed(*words, "--json")[:2] == (0, "")


def test_who_holds_a_ticket_is_shown_once_the_log_says_who_looks(hall: Path, typed) -> None:
    rows = lines(typed("tickets", "--json", "--unit", HALL)[1])
    ticket_id = next(row["ticket"] for row in rows if row["number"] == "A-002")
    (row,) = lines(typed("unmask", str(ticket_id), "--why", "left a bag", "--json")[1])
    name, number = name_and_number(2)
    assert row == {"document": "C", "number": number, "name": name}
    assert typed("unmask", str(ticket_id), "--why", "left a bag")[1] == f"C {number} {name}\n"
    entries = lines(typed("audit", "--json")[1])
    assert [entry["what"] for entry in entries] == ["person.unmasked"] * 2
    assert entries[0]["detail"] == "left a bag"
    assert "A-002" in entries[0]["about"]
    (hall / "centre" / "keys" / "person_seal.key").write_bytes(b"x" * 32)
    code, out, err = typed("unmask", str(ticket_id), "--why", "left a bag")
    assert (code, out) == (1, "")
    assert "person_seal.key" in err


def test_accounts_from_the_keyboard(hall: Path, typed, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(passwords, "COST", (4, 8, 1))

    def typing(password: str, *words: str) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "stdin", io.StringIO(password + "\n"))
        return typed("accounts", *words)

    def may_log_in(password: str) -> bool:
        opened = open_centre(hall / "centre")
        try:
            accounts.check_login(opened.store.connection, "li.wei", password, "-", clock_ms())
        except accounts.LoginError:
            return False
        finally:
            opened.store.close()
        return True

    assert typing(GOOD, "add", "boss", "--role", "admin")[0] == 0
    assert typing(GOOD, "add", "li.wei", "--role", "officer", "--scope", HALL)[0] == 0
    code, _, err = typing("short", "add", "wang", "--role", "admin")
    assert code == 1
    assert "characters" in err
    rows = lines(typed("accounts", "--json")[1])
    assert [(row["name"], row["role"], row["scope"]) for row in rows] == [
        ("boss", "admin", ""),
        ("li.wei", "officer", HALL),
    ]
    assert "everything" in typed("accounts")[1]
    assert may_log_in(GOOD)
    assert typing("另一句很长很长的口令呀", "password", "li.wei")[0] == 0
    assert not may_log_in(GOOD)
    assert may_log_in("另一句很长很长的口令呀")
    assert typed("accounts", "disable", "li.wei")[0] == 0
    assert not may_log_in("另一句很长很长的口令呀")
    assert typed("accounts", "enable", "li.wei")[0] == 0
    code, _, err = typed("accounts", "disable", "boss")
    assert code == 1
    assert "last administrator" in err
    assert "li.wei" in typed("audit")[1]


def test_the_audit_log_is_checked_from_the_keyboard(hall: Path, typed) -> None:
    for _ in range(3):
        typed("queue", "next", *COUNTER)
    head = json.loads(typed("audit", "--verify", "--json")[1])["head"]
    assert head.startswith("3:")
    assert typed("audit", "--verify", "--noted", head)[0] == 0
    assert len(lines(typed("audit", "--json", "--limit", "2")[1])) == 2
    opened = open_centre(hall / "centre")
    opened.store.connection.execute("DROP TRIGGER audit_is_not_changed")
    opened.store.connection.execute("UPDATE audit SET who = 'x' WHERE entry = 2")
    opened.store.close()
    code, _, err = typed("audit", "--verify")
    assert code == 1
    assert "entry 2 was changed" in err
