"""Cash over HTTP: who may see it, who may pay, one voucher one payment, honest refusals."""

import datetime
import threading
from pathlib import Path

import httpx
import pytest

from protocol.slip_proof import SlipProof, sign_slip
from sync_server import audit, cash_cassettes, cash_desk
from sync_server.units import Scope
from tests.server.cash_tools import FEE, balances, stacked
from tests.server.console_site import Site, Web, site
from tests.server.filled_centre import City, take_cash
from tests.server.making import DAY, UNIT

OTHER_HALL = "dongguan/dongcheng/hall-2"
VOUCHER, CASE = "/cash/vouchers/1", "/cash/cases/1"


@pytest.fixture
def here(tmp_path: Path):
    with site(tmp_path) as made:
        city = City(made.people().centre)
        for name, unit in (("n", UNIT), ("d", OTHER_HALL), ("w", "dongguan/wanjiang/hall-1")):
            city.add(f"{name}-ticket-1", unit)
        take_cash(city)
        made.city = city
        yield made


def slip(here: Site, name: str, number: str) -> str:
    terminal = here.city.terminals[name]
    unit = UNIT if name.startswith("n") else OTHER_HALL
    proof = SlipProof(name, number, datetime.date.fromisoformat(DAY), FEE, unit)
    return sign_slip(terminal.device, proof)


def pay(web: Web, **form: str) -> httpx.Response:
    return web.send(VOUCHER, f"{VOUCHER}/settle", form)


def close(web: Web, outcome: str = "given_back", note: str = "卡在通道里") -> httpx.Response:
    return web.send(CASE, f"{CASE}/close", {"outcome": outcome, "note": note})


def words(here: Site) -> list[tuple[str, str]]:
    with here.database.reading() as connection:
        return [(entry.who, entry.what) for entry in audit.entries(connection, limit=3)]


def test_the_books_of_a_day_by_terminal(here: Site) -> None:
    web = here.browser("li.wei")
    page = web.get("/cash").text
    assert page.count("账平") == 2
    assert "账不平" in page
    assert "370.00" in page
    before = web.get("/cash?day=2026-08-01").text
    assert "20.00" in before
    assert "370.00" not in before
    assert web.get("/cash?day=tomorrow").status_code == 404


def test_cash_of_a_restored_disk_is_said_to_be_held(here: Site) -> None:
    twin = here.city.terminals["n-ticket-1"].restored(0)
    twin.append(stacked(99, 9, 50))
    here.city.centre.take(twin.batch(1, 1), "n-ticket-1")
    assert "另有 50.00 未入账" in here.browser("wang.fang").get("/cash").text


def test_another_hall_sees_its_own_cash_only(here: Site) -> None:
    web = here.browser("chen.jie")
    for page in ("/cash", "/cash/vouchers", "/cash/cases", "/api/v1/cash"):
        assert "n-ticket-1" not in web.get(page).text, page
        assert "d-ticket-1" in web.get(page).text, page
    for page in (VOUCHER, CASE):
        assert web.get(page).status_code == 404
    assert "没有找到" in web.get("/cash/vouchers?number=VC-001").text


def test_a_voucher_is_found_confirmed_and_paid(here: Site) -> None:
    web = here.browser("wang.fang")
    found = web.get("/cash/vouchers?number=vc-001")
    assert (found.status_code, found.headers["location"]) == (303, VOUCHER)
    assert "付出 5.00 元" in web.get(VOUCHER).text
    done = pay(web)
    assert (done.status_code, done.headers["location"]) == (303, VOUCHER)
    page = web.get(VOUCHER).text
    assert "wang.fang 已于 2026-08-02 12:00:00 付款" in page
    assert "付出 5.00 元" not in page
    assert balances(here.store)[f"till:{UNIT}"] == -5
    assert words(here)[0] == ("wang.fang", "voucher.settled")
    assert "VC-001" in web.get("/cash/vouchers").text


def test_a_voucher_that_was_paid_says_by_whom_and_is_not_paid_again(here: Site) -> None:
    first, second = here.browser("wang.fang"), here.browser("li.wei")
    token = second.get(VOUCHER).text.split('form_token" value="')[1][:64]
    pay(first)
    before = words(here)
    answer = second.post(f"{VOUCHER}/settle", {"form_token": token})
    assert answer.status_code == 409
    assert "没有付款：wang.fang 已于 2026-08-02 12:00:00" in answer.text
    assert words(here) == before
    assert balances(here.store)[f"till:{UNIT}"] == -5


def test_of_officers_who_pay_at_once_one_pays(here: Site) -> None:
    webs = [here.browser("wang.fang") for _ in range(5)]
    tokens = [web.get(VOUCHER).text.split('form_token" value="')[1][:64] for web in webs]
    start = threading.Barrier(len(webs))
    codes: list[int] = []

    def press(web: Web, token: str) -> None:
        start.wait()
        codes.append(web.post(f"{VOUCHER}/settle", {"form_token": token}).status_code)

    threads = [threading.Thread(target=press, args=pair) for pair in zip(webs, tokens, strict=True)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(codes) == [303, 409, 409, 409, 409]
    assert balances(here.store)[f"till:{UNIT}"] == -5


def test_a_scanned_slip_leads_to_its_voucher_and_stays_with_the_payment(here: Site) -> None:
    web = here.browser("wang.fang")
    text = slip(here, "n-ticket-1", "VC-001")
    found = web.get("/cash/vouchers", params={"number": text})
    assert found.headers["location"].startswith(f"{VOUCHER}?slip=TB1/")
    assert "签名核对无误" in web.get(found.headers["location"]).text
    assert pay(web, slip=text).status_code == 303
    with here.database.reading() as connection:
        assert next(iter(audit.entries(connection))).detail == "5.00 slip checked"


def test_a_slip_that_is_not_genuine_or_not_this_one_pays_nothing(here: Site) -> None:
    web = here.browser("li.wei")
    forged = slip(here, "n-ticket-1", "VC-001").replace("20260802", "20260801")
    for wrong, said in (
        (forged, "不是真的"),
        (slip(here, "n-ticket-1", "VC-002"), "不是这张凭单"),
        ("VC-001", "不是真的"),
    ):
        answer = pay(web, slip=wrong)
        assert (answer.status_code, said in answer.text) == (409, True), said
    page = web.get("/cash/vouchers", params={"number": forged}).text
    assert "不是真的" in page
    for text in (forged, "VC-001"):
        page = web.get(VOUCHER, params={"slip": text}).text
        assert "签名核对无误" not in page
        assert 'id="settle"' not in page
    assert f"till:{UNIT}" not in balances(here.store)


def test_a_case_is_closed_with_what_was_found(here: Site) -> None:
    web = here.browser("wang.fang")
    page = web.get(CASE).text
    assert "识别器与钞箱之间，卡钞" in page
    assert 'value="given_back"' in page
    assert 'value="noted"' not in page
    assert close(web).headers["location"] == CASE
    page = web.get(CASE).text
    assert "卡在通道里" in page
    assert 'id="close"' not in page
    assert words(here)[0] == ("wang.fang", "cash_case.closed")
    assert "doubt:n-ticket-1" not in balances(here.store)


def test_a_case_is_not_closed_twice_nor_with_what_does_not_fit(here: Site) -> None:
    web, other = here.browser("wang.fang"), here.browser("li.wei")
    token = other.get(CASE).text.split('form_token" value="')[1][:64]
    assert "请选择一种" in close(web, outcome="noted").text
    assert "请写几个字" in close(web, note="  ").text
    close(web)
    answer = other.post(f"{CASE}/close", {"form_token": token, "outcome": "kept", "note": "x"})
    assert answer.status_code == 409
    assert "wang.fang 已于" in answer.text


def test_a_cassette_is_counted_once(here: Site) -> None:
    web, page = here.browser("chen.jie"), "/cash/cassettes"
    assert "110.00" in web.get(page).text
    with here.database.reading() as connection:
        (row,) = cash_cassettes.cassettes(connection, Scope())
    form = {"terminal": "d-ticket-1", "seq": str(row["seq"]), "amount": "100", "note": "少一张"}
    assert "请填金额" in web.send(page, f"{page}/count", {**form, "amount": "ten"}).text
    token = web.get(page).text.split('form_token" value="')[1][:64]
    assert web.send(page, f"{page}/count", form).status_code == 303
    assert "-10.00" in web.get(page).text
    again = web.post(f"{page}/count", {**form, "form_token": token})
    assert (again.status_code, "没有记账：chen.jie 已于" in again.text) == (409, True)
    assert balances(here.store)[f"bank:{OTHER_HALL}"] == 100
    assert balances(here.store)[f"loss:{OTHER_HALL}"] == 10
    assert words(here)[0] == ("chen.jie", "cassette.counted")
    other = here.browser("wang.fang")
    token = other.get(VOUCHER).text.split('form_token" value="')[1][:64]
    assert other.post(f"{page}/count", {**form, "form_token": token}).status_code == 404
    assert "d-ticket-1" not in other.get(page).text


def test_operators_see_cash_and_touch_none(here: Site) -> None:
    web = here.browser("zhao.yun")
    for page, button in ((VOUCHER, "settle"), (CASE, "close")):
        text = web.get(page).text
        assert f'id="{button}"' not in text
        assert "由大厅工作人员或管理员办理" in text
        token = text.split('form_token" value="')[1][:64]
        form = {"form_token": token, "outcome": "kept", "note": "x"}
        assert web.post(f"{page}/{button}", form).status_code == 403
    with here.database.reading() as connection:
        assert not list(cash_desk.vouchers(connection, Scope(), settled=True))


@pytest.mark.parametrize("path", [f"{VOUCHER}/settle", f"{CASE}/close"])
def test_without_our_forms_token_nothing_is_paid_or_closed(here: Site, path: str) -> None:
    web = here.browser("li.wei")
    before = words(here)
    assert web.post(path, {"outcome": "kept", "note": "x"}).status_code == 403
    assert words(here) == before


def test_empty_pages_say_so(tmp_path: Path) -> None:
    with site(tmp_path) as made:
        web = made.people().browser("li.wei")
        assert "还没有收过现金" in web.get("/cash").text
        assert "没有未兑的凭单" in web.get("/cash/vouchers").text
        assert "没有待清点的钞箱" in web.get("/cash/cassettes").text
        assert "没有待处理事项" in web.get("/cash/cases").text
