"""Another hall's things look as if they were not there, on every route there is."""

from pathlib import Path

import pytest
from fastapi.routing import APIRoute

from sync_server import audit
from sync_server.console.app import ROUTERS
from sync_server.console.streams import PAGES
from tests.server.console_site import Site, Web, site
from tests.server.filled_centre import City, fill, take_cash

THEIRS = {"unit": "dongguan/nancheng/hall-1", "name": "n-ticket-1", "voucher": "1", "case": "1"}
"""What the officer of the other hall asks for."""
WORDS_OF_THEIRS = ("n-ticket-1", "n-ticket-2", "n-gate-1", "nancheng", "C-001", "D-002")
OFFICER = "chen.jie"
ROUTES = [
    (method, route.path)
    for router in ROUTERS
    for route in router.routes
    if isinstance(route, APIRoute)
    for method in sorted(route.methods)
]
BEFORE_LOGIN = {"/login", "/setup", "/preferences"}
OWN = {"/logout", "/password"}
"""Routes that are about nobody's hall."""
OF_ONE_THING = {
    "/cash/vouchers/{voucher}",
    "/cash/vouchers/{voucher}/settle",
    "/cash/cases/{case}",
    "/cash/cases/{case}/close",
}
"""Routes whose number is another hall's: it looks as if it were not there."""
FORM = {
    "outcome": "kept",
    "note": "没有人来领",
    "seq": "1",
    "amount": "20",
    "ticket": "1",
    "conflict": "1",
    "decision": "两号都办",
    "terminal": "n-ticket-2",
    "event": "1",
    "alarm": "1",
    "counter": "3",
    "name": "wang.fang",
    "password": "另一句话也很好记呀呀",
    "role": "officer",
    "scope": THEIRS["unit"],
    "disabled": "true",
}


@pytest.fixture(scope="module")
def here(tmp_path_factory: pytest.TempPathFactory):
    with site(tmp_path_factory.mktemp("city")) as made:
        made.people()
        take_cash(fill(made.centre))
        yield made


@pytest.fixture(scope="module")
def officer(here: Site) -> Web:
    return here.browser(OFFICER)


@pytest.fixture(scope="module")
def form_token(officer: Web) -> str:
    return officer.get("/hall/dongguan/dongcheng/hall-2").text.split('form_token" value="')[1][:64]


def addresses(path: str) -> list[str]:
    """The route with what belongs to the other hall in its places."""
    if path == "/live/{page}/{about:path}":
        about = {"hall": THEIRS["unit"], "terminal": THEIRS["name"]}
        return [f"/live/{page}/{about.get(page, '')}" for page in PAGES]
    filled = path.replace("{unit:path}", "{unit}").format_map(THEIRS)
    assert "{" not in filled, f"{path}: say here what belongs to another hall"
    return [filled]


def test_routes_are_all_here() -> None:
    paths = {path for _, path in ROUTES}
    assert {"/", "/hall/{unit:path}", "/terminal/{name}", "/live/{page}/{about:path}"} <= paths
    assert len(ROUTES) > 30


@pytest.mark.parametrize(("method", "path"), [r for r in ROUTES if r[1] not in BEFORE_LOGIN | OWN])
def test_no_route_shows_or_does_anything_of_another_hall(
    here: Site, officer: Web, form_token: str, method: str, path: str
) -> None:
    before = audit.head(here.store.connection)
    for address in addresses(path):
        if address.startswith("/live/") and not address.split("/")[3]:
            continue  # what a stream of the whole scope shows is what its page shows
        if method == "GET":
            answer = officer.get(address)
            for query in ("", "?unit=dongguan/nancheng/hall-1", "?q=n-ticket&unit=dongguan"):
                text = officer.get(address + query).text
                asked = address + query
                said = [word for word in WORDS_OF_THEIRS if word in text and word not in asked]
                assert said == [], address + query
        else:
            answer = officer.post(address, {**FORM, "form_token": form_token})
        if path in OF_ONE_THING:
            assert answer.status_code == 404, address
        if THEIRS["unit"] in address or THEIRS["name"] in address:
            assert answer.status_code in {403, 404}, address
            if "/hall/" in address or path == "/terminal/{name}":
                assert answer.status_code == 404, address
    assert audit.head(here.store.connection) == before, "nothing was done"


@pytest.mark.parametrize(("method", "path"), [r for r in ROUTES if r[1] not in BEFORE_LOGIN])
def test_no_route_serves_somebody_who_is_not_logged_in(here: Site, method: str, path: str) -> None:
    web = here.browser()
    for address in addresses(path):
        answer = web.get(address) if method == "GET" else web.post(address, FORM)
        if path.startswith("/api/"):
            assert answer.status_code == 401
            assert answer.headers["content-type"] == "application/problem+json"
        elif path.startswith("/live/"):
            assert answer.status_code == 401
        else:
            assert answer.status_code == 303, address
            assert answer.headers["location"].startswith("/login")


@pytest.mark.parametrize("page", sorted(PAGES))
def test_the_fragments_of_a_stream_keep_to_the_scope(officer: Web, page: str) -> None:
    """A stream sends what the function of its page makes: asked here without the endless part."""
    about = {"hall": "dongguan/dongcheng/hall-2", "terminal": "d-gate-1"}.get(page, "")
    address = {"home": "/", "hall": f"/hall/{about}", "terminal": f"/terminal/{about}"}
    address |= {name: f"/cash/{name}" for name in ("vouchers", "cases", "cassettes")}
    text = officer.get(address.get(page, f"/{page}")).text
    assert [word for word in WORDS_OF_THEIRS if word in text] == []


def test_whole_logs_and_accounts_are_for_the_whole_scope_only(tmp_path: Path) -> None:
    with site(tmp_path) as made:
        made.people(more={"town.admin": ("admin", "dongguan/nancheng")})
        web = made.browser("town.admin")
        assert web.get("/accounts").status_code == 403
        assert web.get("/audit").status_code == 403
        page = web.get("/").text
        assert 'href="/accounts"' not in page
        form = {"name": "new.one", "password": FORM["password"], "role": "admin"}
        token = page.split('form_token" value="')[1][:64]
        assert web.post("/accounts", {**form, "form_token": token}).status_code == 403


ODD = (
    "' OR 1=1 --",
    "'; DROP TABLE account; --",
    '"><script>alert(1)</script>',
    "%00",
    "../../etc/passwd",
    "x" * 300,
    "９９",
    "-1.5",
    "{{7*7}}",
)


@pytest.mark.parametrize("odd", ODD)
def test_odd_values_find_nothing_and_break_nothing(here: Site, officer: Web, odd: str) -> None:
    admin = here.browser("li.wei")
    for web in (officer, admin):
        for name in ("q", "unit", "sort", "page"):
            answer = web.get("/", params={name: odd})
            assert answer.status_code == 200, (name, odd)
            assert "<script>alert" not in answer.text
        for path in ("/terminal/", "/hall/", "/live/hall/", "/live/", "/api/v1/truth?unit="):
            assert web.get(path + odd.replace("%00", "%2500")).status_code in {404, 422, 405}
    assert here.store.connection.execute("SELECT count(*) FROM account").get == 4


def test_names_and_reasons_that_are_markup_stay_text(tmp_path: Path) -> None:
    markup = "<img src=x onerror=alert(1)>\"'"
    with site(tmp_path) as made:
        made.people()
        city = City(made.centre)
        city.add("gate-1", THEIRS["unit"], visits=1)
        city.say("gate-1", versions={"agent": markup, markup: "1"}, alarms=(city.alarm(markup),))
        number = city.number_of("gate-1")
        with made.store.transaction() as tx:
            tx.raise_alarm(number, "branch", made.now_ms, markup)
            city.sample(tx, topic=f"tb/1/gate-1/{markup}", reason=markup)
        made.store.connection.execute(
            "UPDATE terminal SET unit = ? WHERE name = 'gate-1'", (markup,)
        )
        web = made.browser("li.wei")
        for path in ("/", "/terminal/gate-1", "/refused", "/help", "/audit"):
            answer = web.get(path)
            assert answer.status_code == 200
            assert "<img" not in answer.text, path
        assert "&lt;img" in web.get("/terminal/gate-1").text
        assert "&lt;img" in web.get("/refused").text


def test_the_api_speaks_of_the_scope_and_of_nobody(here: Site, officer: Web) -> None:
    everything = here.browser("li.wei")
    truth = everything.get("/api/v1/truth").json()
    assert truth["conflicts"] == 1
    names = {row["terminal"] for row in officer.get("/api/v1/terminals").json()}
    assert names == {"d-gate-1", "d-gate-2", "d-ticket-1"}
    queue = everything.get("/api/v1/tickets", params={"unit": THEIRS["unit"]}).json()
    assert [row["number"] for row in queue][:2] == ["C-001", "C-002"]
    for path in ("/api/v1/truth", "/api/v1/terminals", "/api/v1/tickets"):
        text = everything.get(path).text
        assert "样例" not in text
        assert "190001" not in text
        assert "person_ref" not in text


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/api/v1/truth?unit=dongguan/nancheng", 404),
        ("/api/v1/terminals?limit=0", 422),
        ("/api/v1/nothing", 404),
    ],
)
def test_the_api_says_in_problem_details_what_is_wrong(
    officer: Web, path: str, status: int
) -> None:
    answer = officer.get(path)
    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/problem+json"
    body = answer.json()
    assert (body["status"], body["type"]) == (status, "about:blank")
    assert body["detail"]
    assert body["instance"] == path.split("?", maxsplit=1)[0]


def test_the_api_describes_itself_and_nothing_else(here: Site) -> None:
    described = here.browser().get("/api/openapi.json").json()
    assert described["openapi"].startswith("3.1")
    assert set(described["paths"]) == {
        "/api/v1/truth",
        "/api/v1/terminals",
        "/api/v1/tickets",
        "/api/v1/cash",
    }
