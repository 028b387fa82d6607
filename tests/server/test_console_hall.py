"""The officer's page over HTTP: one officer a ticket, honest answers, both tickets honoured."""

import re
import threading
from pathlib import Path

import httpx
import pytest

from protocol.records import ANSWERED_ON_PAGE
from sync_server import audit, help_desk, tickets
from sync_server.units import Scope
from tests.server.console_site import Site, Web, site
from tests.server.filled_centre import City, fill
from tests.server.making import UNIT

HALL = f"/hall/{UNIT}"
HX = {"hx-request": "true", "origin": "http://127.0.0.1:8090"}


@pytest.fixture
def here(tmp_path: Path):
    with site(tmp_path) as made:
        made.people()
        made.city = fill(made.centre)
        yield made


class Desk:
    """An officer at a counter."""

    def __init__(self, here: Site, counter: str, name: str = "wang.fang") -> None:
        self.web: Web = here.browser(name)
        self.token = re.search(r'form_token" value="(\w{64})"', self.web.get(HALL).text)[1]
        self.act("counter", counter=counter)

    def act(self, what: str, **form: object) -> httpx.Response:
        values = {name: str(value) for name, value in form.items()}
        return self.web.post(
            f"{HALL}/{what}", {"form_token": self.token, **values}, headers=dict(HX)
        )

    def number(self) -> str:
        """What stands large on the desk."""
        found = re.search(r'class="now-number[^"]*">([^<]+)<', self.web.get(HALL).text)
        assert found
        return found[1]


def ids(here: Site) -> dict[str, int]:
    with here.database.reading() as connection:
        rows = [
            *tickets.waiting(connection, Scope(UNIT), here.now_ms),
            *tickets.called(connection, Scope(UNIT), here.now_ms),
        ]
    return {row["number"]: row["ticket"] for row in rows}


def test_next_calls_whoever_waits_longest_to_the_counter_of_this_browser(here: Site) -> None:
    desk = Desk(here, "3")
    answer = desk.act("next")
    assert "C-001 请到 3 号窗口" in answer.text
    assert desk.number() == "C-001"
    assert 'id="desk" hx-swap-oob="innerHTML"' in answer.text
    assert Desk(here, "4", "li.wei").number() == "—"


def test_next_counts_the_person_at_the_counter_as_served(here: Site) -> None:
    desk = Desk(here, "3")
    desk.act("next")
    desk.act("next", served=ids(here)["C-001"])
    assert desk.number() == "C-002"
    with here.database.reading() as connection:
        assert tickets.counts(connection, Scope(UNIT), here.now_ms)["done"] == 1


def test_officers_who_press_next_at_once_never_get_one_ticket(here: Site) -> None:
    desks = [Desk(here, str(n + 1)) for n in range(5)]
    start = threading.Barrier(len(desks))
    called: list[str] = []

    def press(desk: Desk) -> None:
        start.wait()
        called.extend(re.findall(r"([CD]-00\d) 请到", desk.act("next").text))

    threads = [threading.Thread(target=press, args=(desk,)) for desk in desks]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(called) == ["C-001", "C-002", "C-003", "C-004", "D-001"]


def test_a_ticket_can_be_called_again_left_and_called_back(here: Site) -> None:
    desk = Desk(here, "3")
    desk.act("next")
    ticket = ids(here)["C-001"]
    assert "叫过 2 次" in desk.act("call", ticket=ticket).text
    assert "记为未到" in desk.act("no-show", ticket=ticket).text
    assert desk.number() == "—"
    page = desk.web.get(HALL).text
    assert "叫过未到，本人回来可再叫" in page
    assert "C-001 请到 3 号窗口" in desk.act("call", ticket=ticket).text
    assert "已办完" in desk.act("done", ticket=ticket).text


def test_what_changed_in_between_is_said_and_nothing_is_done_twice(here: Site) -> None:
    first, second = Desk(here, "3"), Desk(here, "4", "li.wei")
    first.act("next")
    ticket = ids(here)["C-001"]
    first.act("done", ticket=ticket)
    before = audit.head(here.store.connection)
    for what in ("done", "no-show", "call"):
        assert "没有做成" in second.act(what, ticket=ticket).text
    assert "没有做成" in second.act("next", served=ticket).text
    assert audit.head(here.store.connection) == before
    assert second.number() == "—"


def test_without_a_counter_nobody_is_called(here: Site) -> None:
    desk = Desk(here, "0")
    assert "先填窗口号" in desk.web.get(HALL).text
    for what in ("next", "call"):
        assert "先填窗口号" in desk.act(what, ticket=ids(here)["C-001"], served=1).text
    assert desk.number() == "—"
    for odd in ("100", "-1", "1<b>", "３"):
        desk.act("counter", counter=odd)
        assert "先填窗口号" in desk.web.get(HALL).text, odd


def test_an_empty_queue_is_said(here: Site) -> None:
    desk = Desk(here, "3")
    for _ in range(7):
        desk.act("next")
    assert "现在没有人在等" in desk.act("next").text


def test_without_scripts_the_same_buttons_work(here: Site) -> None:
    desk = Desk(here, "3")
    answer = desk.web.post(f"{HALL}/next", {"form_token": desk.token})
    assert (answer.status_code, answer.headers["location"]) == (303, HALL)
    assert desk.number() == "C-001"


def test_a_call_for_help_is_answered_and_said_only_as_far_as_it_is_true(here: Site) -> None:
    desk = Desk(here, "3")
    city: City = here.city
    assert "n-ticket-2 有人求助" in desk.web.get(HALL).text
    said = desk.act("answer", terminal="n-ticket-2", event=1).text
    assert "您已应答 n-ticket-2" in said
    assert "正在让终端告诉本人" in said, "the terminal has not said it yet"
    assert "工作人员马上就来" not in said
    here.store.connection.execute("UPDATE command SET taken_ms = ?", (here.now_ms,))
    assert "工作人员马上就来" not in desk.web.get(HALL).text, "taken is not said"
    city.answer_help("n-ticket-2", 1, 35, 0, ANSWERED_ON_PAGE)
    page = desk.web.get(HALL).text
    assert "终端已告诉本人：工作人员马上就来" in page
    assert "等了 35 秒" in page
    assert "没有发出应答" in desk.act("answer", terminal="n-ticket-2", event=1).text
    with here.database.reading() as connection:
        assert not list(help_desk.open_calls(connection, Scope(UNIT), here.now_ms))


def test_a_conflict_shows_both_tickets_and_is_closed_with_what_was_done(here: Site) -> None:
    desk = Desk(here, "3")
    page = desk.web.get("/conflicts").text
    assert "C-001" in page
    assert "D-002" in page
    assert "两号都有效" in page
    form = {"conflict": "1", "decision": "两号都办", "back": HALL, "form_token": desk.token}
    assert desk.web.post("/conflicts/decide", form).headers["location"] == HALL
    assert "两号都办" in desk.web.get("/conflicts").text
    assert desk.web.post("/conflicts/decide", form).status_code == 303, "twice changes nothing"
    assert {"C-001", "D-002"} <= set(ids(here)), "both still wait"
    entry = next(audit.entries(here.store.connection))
    assert (entry.who, entry.what) == ("wang.fang", "conflict.decided")


def test_an_operator_sees_conflicts_and_decides_none(here: Site) -> None:
    web = here.browser("zhao.yun")
    page = web.get("/conflicts").text
    assert "D-002" in page
    assert "/conflicts/decide" not in page
    assert web.get(HALL).status_code == 403


def test_what_officers_do_is_on_the_log(here: Site) -> None:
    desk = Desk(here, "3")
    desk.act("next")
    desk.act("answer", terminal="n-ticket-2", event=1)
    done = {(entry.who, entry.what) for entry in audit.entries(here.store.connection)}
    assert {("wang.fang", "ticket.call"), ("wang.fang", "help.answered")} <= done


def test_an_alarm_is_acknowledged_once_and_by_those_who_watch(here: Site) -> None:
    officer, operator = here.browser("wang.fang"), here.browser("zhao.yun")
    page = "/terminal/c-gate-2"
    assert officer.get(page).status_code == 404
    assert "待核查" in operator.get(page).text
    form = {"alarm": "1"}
    assert operator.send(page, f"{page}/acknowledge", form).status_code == 303
    assert "待核查" not in operator.get(page).text
    entry = next(audit.entries(here.store.connection))
    assert (entry.who, entry.what) == ("zhao.yun", "alarm.acknowledged")


def test_nobody_is_named_on_any_page(here: Site) -> None:
    web = here.browser("li.wei")
    pages = ("/", HALL, "/conflicts", "/help", "/quarantine", "/refused", "/terminal/n-ticket-1")
    refs = here.store.connection.execute("SELECT DISTINCT person_ref FROM visit").fetchall()
    for page in pages:
        text = web.get(page).text
        assert "样例" not in text, page
        assert "190001" not in text, page
        assert not any(ref.hex()[:16] in text for (ref,) in refs if ref), page
