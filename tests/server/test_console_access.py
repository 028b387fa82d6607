"""The console's door: nothing comes with a password, guesses get slower, forms are our own."""

from pathlib import Path

import pytest

from sync_server import accounts, audit
from sync_server.accounts import create_setup_token
from sync_server.console import live
from tests.server.console_site import GOOD, ORIGIN, PEOPLE, Site, Web, site


@pytest.fixture
def empty(tmp_path: Path):
    with site(tmp_path) as made:
        yield made


@pytest.fixture
def here(empty: Site) -> Site:
    return empty.people()


def set_up(web: Web, token: str, **changes: str) -> int:
    form = {"token": token, "name": "li.wei", "password": GOOD, "repeated": GOOD, **changes}
    return web.post("/setup", form).status_code


# ---- first set-up


def test_the_first_administrator_is_made_with_the_address_of_the_start_and_once(
    empty: Site,
) -> None:
    token = create_setup_token(empty.store.connection, empty.now_ms)
    assert token
    web = empty.browser()
    assert token in web.get(f"/setup?token={token}").text
    assert set_up(web, "guessed") == 400
    assert set_up(web, token, repeated="something else") == 400
    assert set_up(web, token, name="Li Wei", password="short", repeated="short") == 400
    assert set_up(web, token) == 303
    assert set_up(web, token, name="second") == 400
    assert web.get(f"/setup?token={token}").headers["location"] == "/login"
    assert [row.name for row in accounts.accounts(empty.store.connection)] == ["li.wei"]
    assert web.log_in("li.wei").status_code == 303
    assert web.get("/accounts").status_code == 200


def test_without_an_account_every_page_leads_to_the_login_and_no_login_works(empty: Site) -> None:
    web = empty.browser()
    assert web.get("/").headers["location"] == "/login?next=%2F"
    for name in ("admin", "li.wei", ""):
        for password in ("admin", "password", "", "tongban"):
            assert web.log_in(name, password).status_code in {401, 422, 429}
    assert not web.cookies


# ---- sessions


def test_the_session_cookie_is_kept_from_scripts_and_other_sites(here: Site) -> None:
    kept = here.browser().log_in("zhao.yun").headers["set-cookie"]
    assert kept.startswith("tongban=")
    assert "HttpOnly" in kept
    assert "SameSite=strict" in kept
    assert "Secure" not in kept


def test_over_https_the_session_cookie_is_for_https_only(tmp_path: Path) -> None:
    with site(tmp_path, is_https=True) as here:
        here.people()
        kept = here.browser().log_in("zhao.yun").headers["set-cookie"]
    assert kept.startswith("__Host-tongban=")
    assert "Secure" in kept
    assert "Path=/" in kept
    assert "Domain" not in kept


def test_a_session_that_somebody_planted_is_never_taken_up(here: Site) -> None:
    web = here.browser()
    web.cookies.set("tongban", "planted-by-somebody", domain="127.0.0.1")
    assert web.get("/").status_code == 303
    answer = web.log_in("zhao.yun")
    assert "planted" not in answer.headers["set-cookie"]
    first = web.cookies["tongban"]
    assert web.log_in("zhao.yun").status_code == 303
    assert web.cookies["tongban"] != first


def test_logging_out_ends_the_session_at_the_centre(here: Site) -> None:
    web = here.browser("zhao.yun")
    stolen = here.browser()
    stolen.cookies = web.cookies
    assert stolen.get("/").status_code == 200
    assert web.send("/", "/logout", {}).headers["location"] == "/login"
    assert stolen.get("/").status_code == 303


def test_a_session_ends_when_nobody_used_it(here: Site) -> None:
    web = here.browser("zhao.yun")
    here.now_ms += accounts.IDLE_MS
    assert web.get("/").status_code == 303


def test_htmx_is_told_to_load_the_login(here: Site) -> None:
    answer = here.browser().get("/", headers={"hx-request": "true"})
    assert (answer.status_code, answer.headers["hx-redirect"]) == (401, "/login")


@pytest.mark.parametrize(
    "next_page", ["//evil.example/", "/\\evil.example", "https://evil.example", "javascript:1"]
)
def test_a_login_leads_to_our_own_pages_only(here: Site, next_page: str) -> None:
    form = {"name": "zhao.yun", "password": GOOD, "next": next_page}
    assert here.browser().post("/login", form).headers["location"] == "/"
    back = here.browser().post("/preferences", {"theme": "dark", "back": next_page})
    assert back.headers["location"] == "/"


def test_a_login_leads_back_to_the_page_that_was_asked_for(here: Site) -> None:
    web = here.browser()
    asked = web.get("/quarantine?x=1").headers["location"]
    page = web.get(asked)
    assert 'name="next" value="/quarantine?x=1"' in page.text
    form = {"name": "zhao.yun", "password": GOOD, "next": "/quarantine?x=1"}
    assert web.post("/login", form).headers["location"] == "/quarantine?x=1"


def test_a_stream_too_many_is_refused_and_the_page_is_not(
    here: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(live, "STREAMS_MAX", 0)
    web = here.browser("zhao.yun")
    answer = web.get("/live/home/")
    assert answer.status_code == 503
    assert int(answer.headers["retry-after"]) > 0
    assert web.get("/").status_code == 200


# ---- guesses


def test_guesses_get_slower_and_are_on_the_log(here: Site) -> None:
    web = here.browser()
    codes = [web.log_in("zhao.yun", f"wrong guess {n}").status_code for n in range(8)]
    assert codes[:5] == [401] * 5
    assert codes[5:] == [429] * 3
    assert web.log_in("zhao.yun").status_code == 429, "the right one has to wait, too"
    refused = [e for e in audit.entries(here.store.connection) if e.what == "login.refused"]
    assert len(refused) == 5
    here.now_ms += 3_600_000
    assert web.log_in("zhao.yun").status_code == 303


def test_a_wrong_login_does_not_say_whether_the_account_exists(here: Site) -> None:
    pages = [here.browser().log_in(name, "wrong guess") for name in ("zhao.yun", "no.body")]
    said = [page.text.replace("zhao.yun", "").replace("no.body", "") for page in pages]
    assert said[0] == said[1]


def test_a_very_long_password_is_refused_before_it_costs(here: Site) -> None:
    assert here.browser().log_in("zhao.yun", "x" * 300).status_code == 422
    answer = here.browser().log_in("zhao.yun", "x" * 70_000)
    assert answer.status_code == 413


# ---- forms are our own

ACTIONS = [
    ("/logout", {}),
    (
        "/password",
        {"old": GOOD, "password": "另一句话也很好记呀呀", "repeated": "另一句话也很好记呀呀"},
    ),
    ("/accounts", {"name": "new.one", "password": GOOD, "role": "operator"}),
    ("/accounts/password", {"name": "zhao.yun", "password": GOOD}),
    ("/accounts/disabled", {"name": "zhao.yun", "disabled": "true"}),
]


@pytest.mark.parametrize(("path", "form"), ACTIONS)
@pytest.mark.parametrize("form_token", [None, "", "0" * 64])
def test_an_action_needs_the_token_of_our_own_form(
    here: Site, path: str, form: dict[str, str], form_token: str | None
) -> None:
    web = here.browser("li.wei")
    before = audit.head(here.store.connection)
    sent = form if form_token is None else {**form, "form_token": form_token}
    assert web.post(path, sent).status_code == 403
    assert audit.head(here.store.connection) == before


def test_a_token_of_another_session_is_none(here: Site) -> None:
    mine, other = here.browser("li.wei"), here.browser("li.wei")
    page = other.get("/accounts").text
    token = page.split('name="form_token" value="')[1][:64]
    form = {"name": "zhao.yun", "disabled": "true", "form_token": token}
    assert mine.post("/accounts/disabled", form).status_code == 403
    assert other.post("/accounts/disabled", form).status_code == 303


@pytest.mark.parametrize("origin", ["http://evil.example", "null", "http://127.0.0.1:1"])
def test_an_action_that_another_page_sends_is_refused(here: Site, origin: str) -> None:
    web = here.browser()
    form = {"name": "zhao.yun", "password": GOOD}
    assert web.post("/login", form, headers={"origin": origin}).status_code == 403
    assert web.post("/login", form, headers={"origin": ORIGIN}).status_code == 303


# ---- accounts and passwords


def test_an_administrator_adds_people_and_each_addition_is_on_the_log(here: Site) -> None:
    web = here.browser("li.wei")
    form = {"name": "Sun.Li", "password": GOOD, "role": "officer", "scope": PEOPLE["wang.fang"][1]}
    assert web.send("/accounts", "/accounts", form).status_code == 303
    assert "sun.li" in web.get("/accounts").text
    entry = next(audit.entries(here.store.connection))
    assert (entry.who, entry.what, entry.about) == ("li.wei", "account.added", "sun.li")
    assert here.browser("sun.li").get("/accounts").status_code == 403


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"name": "Sun Li"}, "小写字母"),
        ({"password": "short"}, "至少 10 个字"),
        ({"scope": ""}, "大厅专员要写明大厅"),
        ({"scope": "No Such/Path"}, "单位要写成路径"),
        ({"name": "zhao.yun"}, "已经有了"),
    ],
)
def test_what_is_no_account_is_refused_in_the_readers_words(
    here: Site, changes: dict[str, str], words: str
) -> None:
    form = {"name": "sun.li", "password": GOOD, "role": "officer", "scope": "dongguan/hall-1"}
    answer = here.browser("li.wei").send("/accounts", "/accounts", {**form, **changes})
    assert answer.status_code == 400
    assert words in answer.text


def test_a_disabled_account_is_out_at_once(here: Site) -> None:
    officer = here.browser("wang.fang")
    form = {"name": "wang.fang", "disabled": "true"}
    assert here.browser("li.wei").send("/accounts", "/accounts/disabled", form).status_code == 303
    assert officer.get("/").status_code == 303
    assert officer.log_in("wang.fang").status_code == 401


def test_one_changes_ones_own_password_with_the_old_one(here: Site) -> None:
    web = here.browser("wang.fang")
    new = "另一句话也很好记呀呀"
    form = {"old": "wrong guess", "password": new, "repeated": new}
    assert web.send("/password", "/password", form).status_code == 400
    assert web.send("/password", "/password", {**form, "old": GOOD}).status_code == 303
    assert web.get("/").status_code == 303
    assert web.log_in("wang.fang", new).status_code == 303


# ---- headers, words


def test_every_answer_keeps_to_its_own_assets(here: Site) -> None:
    web = here.browser("li.wei")
    for path in ("/", "/login", "/nothing", "/accounts", "/static/console.css"):
        headers = web.get(path).headers
        assert "default-src 'none'" in headers["content-security-policy"], path
        assert "unsafe" not in headers["content-security-policy"]
        assert headers["x-content-type-options"] == "nosniff"
    assert web.get("/", headers={"host": "evil.example"}).status_code == 421
    assert web.get("/docs").status_code == 404


def test_language_and_theme_are_kept(here: Site) -> None:
    web = here.browser("zhao.yun")
    assert '<html lang="zh-CN">' in web.get("/").text
    web.post("/preferences", {"language": "en", "back": "/"})
    web.post("/preferences", {"theme": "dark", "back": "/"})
    page = web.get("/").text
    assert '<html lang="en" data-theme="dark">' in page
    assert "Log out" in page
    web.post("/preferences", {"theme": "system", "back": "/"})
    web.post("/preferences", {"language": "tlh", "back": "/"})
    assert '<html lang="en">' in web.get("/").text
