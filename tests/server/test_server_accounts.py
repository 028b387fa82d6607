"""Logins: nothing comes with a password, guesses get slower, sessions end, the log is a chain."""

import hashlib
import threading
import time
from pathlib import Path

import apsw
import pytest

from sync_server import accounts, audit, login_limits, passwords
from sync_server.accounts import ADMIN, OFFICER, OPERATOR, AccountError, LoginError
from sync_server.store_sqlite import open_store
from tests.server.making import NOON_MS

HALL = "dongguan/nancheng/hall-1"
GOOD = "一杯热茶与三页纸张就够"
ADDRESS = "127.0.0.1"


@pytest.fixture(autouse=True)
def _cheap_hashes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(passwords, "COST", (4, 8, 1))


@pytest.fixture
def connection(tmp_path: Path):
    store = open_store(tmp_path / "centre.db")
    yield store.connection
    store.close()


@pytest.fixture
def admin(connection: apsw.Connection) -> accounts.Account:
    token = accounts.create_setup_token(connection, NOON_MS)
    assert token is not None
    return accounts.set_up_admin(connection, token, "li.wei", GOOD, NOON_MS)


def add(connection: apsw.Connection, name: str, role: str = OFFICER, scope: str = HALL) -> None:
    accounts.add_account(
        connection, name=name, password=GOOD, role=role, scope=scope, by="li.wei", now_ms=NOON_MS
    )


def login(connection: apsw.Connection, name: str, password: str, now_ms: int, address=ADDRESS):
    return accounts.check_login(connection, name, password, address, now_ms)


# ---- first set-up


def test_the_first_administrator_needs_the_token_and_it_works_once(connection) -> None:
    assert not accounts.is_set_up(connection)
    older = accounts.create_setup_token(connection, NOON_MS)
    token = accounts.create_setup_token(connection, NOON_MS)
    assert older
    assert token
    for wrong in (older, "", token + "x"):
        with pytest.raises(AccountError, match="tongban server console"):
            accounts.set_up_admin(connection, wrong, "li.wei", GOOD, NOON_MS)
    with pytest.raises(AccountError):
        accounts.set_up_admin(connection, token, "li.wei", "short", NOON_MS)
    made = accounts.set_up_admin(connection, token, "li.wei", GOOD, NOON_MS)
    assert (made.role, made.scope) == (ADMIN, "")
    assert accounts.is_set_up(connection)
    with pytest.raises(AccountError):
        accounts.set_up_admin(connection, token, "wang.fang", GOOD, NOON_MS)
    assert accounts.create_setup_token(connection, NOON_MS) is None


def test_a_set_up_token_ends_after_an_hour(connection) -> None:
    token = accounts.create_setup_token(connection, NOON_MS)
    late_ms = NOON_MS + accounts.SETUP_TOKEN_MS
    with pytest.raises(AccountError):
        accounts.set_up_admin(connection, token, "li.wei", GOOD, late_ms)
    accounts.set_up_admin(connection, token, "li.wei", GOOD, late_ms - 1)


def test_neither_tokens_nor_passwords_stand_in_the_database(connection, admin, tmp_path) -> None:
    token = login(connection, "li.wei", GOOD, NOON_MS)
    connection.pragma("wal_checkpoint(TRUNCATE)")
    stored = b"".join(path.read_bytes() for path in tmp_path.iterdir())
    assert b"li.wei" in stored
    assert token.encode() not in stored
    assert GOOD.encode() not in stored


# ---- accounts


@pytest.mark.parametrize(
    ("name", "password", "role", "scope", "code"),
    [
        ("Li Wei", GOOD, OFFICER, HALL, "name"),
        ("x", GOOD, OFFICER, HALL, "name"),
        ("wang", "short", OFFICER, HALL, "password"),
        ("wang", "x" * 129, OFFICER, HALL, "password"),
        ("wang", "aaaaaaaaaaaa", OFFICER, HALL, "password"),
        ("wang", "wang-12345678", OFFICER, HALL, "password"),
        ("wang", GOOD, "boss", HALL, "role"),
        ("wang", GOOD, OFFICER, "", "scope"),
        ("li.wei", GOOD, OPERATOR, "", "taken"),
    ],
)
def test_what_is_no_account_is_refused_with_its_reason(
    connection, admin, name: str, password: str, role: str, scope: str, code: str
) -> None:
    with pytest.raises(AccountError) as caught:
        accounts.add_account(
            connection,
            name=name,
            password=password,
            role=role,
            scope=scope,
            by="li.wei",
            now_ms=NOON_MS,
        )
    assert caught.value.code == code
    assert len(list(accounts.accounts(connection))) == 1


def test_roles_and_scopes(connection, admin) -> None:
    add(connection, "wang.fang")
    add(connection, "centre", OPERATOR, "dongguan")
    by_name = {account.name: account for account in accounts.accounts(connection)}
    officer, operator = by_name["wang.fang"], by_name["centre"]
    assert officer.may(accounts.QUEUE)
    assert not officer.may(accounts.ACCOUNTS)
    assert admin.may(accounts.ACCOUNTS)
    assert not operator.may(accounts.QUEUE)
    assert operator.covers(HALL)
    assert officer.covers(HALL)
    assert not officer.covers("dongguan/nancheng/hall-10")


def test_a_disabled_account_is_out_at_once_and_the_last_administrator_stays(
    connection, admin
) -> None:
    add(connection, "wang.fang")
    token = login(connection, "wang.fang", GOOD, NOON_MS)
    assert accounts.session(connection, token, NOON_MS)
    accounts.set_disabled(
        connection, name="wang.fang", is_disabled=True, by="li.wei", now_ms=NOON_MS
    )
    assert accounts.session(connection, token, NOON_MS) is None
    with pytest.raises(LoginError, match="wrong"):
        login(connection, "wang.fang", GOOD, NOON_MS)
    accounts.set_disabled(
        connection, name="wang.fang", is_disabled=False, by="li.wei", now_ms=NOON_MS
    )
    assert login(connection, "wang.fang", GOOD, NOON_MS)
    with pytest.raises(AccountError, match="last administrator"):
        accounts.set_disabled(
            connection, name="li.wei", is_disabled=True, by="li.wei", now_ms=NOON_MS
        )
    with pytest.raises(AccountError, match="nobody is called"):
        accounts.set_disabled(
            connection, name="nobody", is_disabled=True, by="li.wei", now_ms=NOON_MS
        )


def test_a_new_password_ends_all_sessions(connection, admin) -> None:
    token = login(connection, "li.wei", GOOD, NOON_MS)
    accounts.change_password(
        connection, name="li.wei", password="另一句很长很长的口令呀", by="li.wei", now_ms=NOON_MS
    )
    assert accounts.session(connection, token, NOON_MS) is None
    with pytest.raises(LoginError):
        login(connection, "li.wei", GOOD, NOON_MS)
    assert login(connection, "li.wei", "另一句很长很长的口令呀", NOON_MS)


# ---- sessions


def test_a_session_ends_when_idle_and_at_the_latest_after_half_a_day(connection, admin) -> None:
    token = login(connection, " Li.Wei ", GOOD, NOON_MS)
    seen = accounts.session(connection, token, NOON_MS + accounts.IDLE_MS - 1)
    assert seen is not None
    assert seen.name == "li.wei"
    assert accounts.session(connection, token, NOON_MS + accounts.ABSOLUTE_MS - 1), "was used"
    assert accounts.session(connection, token, NOON_MS + accounts.ABSOLUTE_MS) is None
    token = login(connection, "li.wei", GOOD, NOON_MS)
    assert accounts.session(connection, token, NOON_MS + accounts.IDLE_MS) is None
    assert accounts.session(connection, "made-up", NOON_MS) is None


def test_looking_at_pages_writes_once_a_minute(connection, admin) -> None:
    token = login(connection, "li.wei", GOOD, NOON_MS)
    before = connection.total_changes()
    for _ in range(20):
        assert accounts.session(connection, token, NOON_MS + accounts.SEEN_WRITE_MS - 1)
    assert connection.total_changes() == before
    assert accounts.session(connection, token, NOON_MS + accounts.SEEN_WRITE_MS)
    assert connection.total_changes() == before + 1


def test_logging_out_ends_the_session_only(connection, admin) -> None:
    first, second = (login(connection, "li.wei", GOOD, NOON_MS) for _ in range(2))
    accounts.end_session(connection, first, NOON_MS)
    accounts.end_session(connection, "made-up", NOON_MS)
    assert accounts.session(connection, first, NOON_MS) is None
    assert accounts.session(connection, second, NOON_MS)


def test_sessions_of_an_account_are_bounded_and_the_newest_stay(connection, admin) -> None:
    count = accounts.SESSIONS_PER_ACCOUNT_MAX + 2
    tokens = [login(connection, "li.wei", GOOD, NOON_MS + index) for index in range(count)]
    open_ones = [bool(accounts.session(connection, token, NOON_MS)) for token in tokens]
    assert open_ones == [False] * 2 + [True] * accounts.SESSIONS_PER_ACCOUNT_MAX


# ---- guesses


def fail(connection, name: str, now_ms: int, address: str = ADDRESS) -> int:
    with pytest.raises(LoginError) as caught:
        login(connection, name, "not the password", now_ms, address)
    return caught.value.wait_ms


@pytest.mark.parametrize("name", ["li.wei", "nobody"])
def test_guesses_get_slower_whether_the_name_exists_or_not(connection, admin, name: str) -> None:
    for _ in range(login_limits.PAIR_FREE_ATTEMPTS):
        assert fail(connection, name, NOON_MS) == 0
    now_ms = NOON_MS
    waits = []
    for _ in range(10):
        wait_ms = fail(connection, name, now_ms)
        waits.append(wait_ms)
        assert fail(connection, name, now_ms + wait_ms - 1) == 1, "an early one does not count"
        now_ms += wait_ms
        assert fail(connection, name, now_ms) == 0
    assert waits[:3] == [2_000, 4_000, 8_000]
    assert waits[-1] == login_limits.WAIT_MAX_MS
    if name == "li.wei":
        with pytest.raises(LoginError) as caught:
            login(connection, name, GOOD, now_ms)
        assert caught.value.wait_ms, "also the right password has to wait"
        assert login(connection, name, GOOD, now_ms + login_limits.WAIT_MAX_MS)
        assert fail(connection, name, now_ms + login_limits.WAIT_MAX_MS) == 0


def test_an_address_that_tries_many_names_waits_and_others_do_not(connection, admin) -> None:
    for index in range(login_limits.ADDRESS_FREE_ATTEMPTS):
        assert fail(connection, f"name-{index}", NOON_MS, "10.0.0.9") == 0
    assert fail(connection, "li.wei", NOON_MS, "10.0.0.9") > 0
    assert login(connection, "li.wei", GOOD, NOON_MS, "10.0.0.8")


def test_a_guesser_keeps_nobody_else_out(connection, admin) -> None:
    for _ in range(login_limits.PAIR_FREE_ATTEMPTS):
        fail(connection, "li.wei", NOON_MS, "10.0.0.9")
    assert fail(connection, "li.wei", NOON_MS, "10.0.0.9") > 0
    assert login(connection, "li.wei", GOOD, NOON_MS, "10.0.0.8")


def test_an_account_that_many_addresses_guess_at_waits(
    connection, admin, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(login_limits, "ACCOUNT_FREE_ATTEMPTS", 7)
    for index in range(7):
        assert fail(connection, "li.wei", NOON_MS, f"10.0.0.{index}") == 0
    assert fail(connection, "li.wei", NOON_MS, "10.0.0.99") > 0


def test_a_good_login_does_not_free_its_address(connection, admin) -> None:
    for index in range(login_limits.ADDRESS_FREE_ATTEMPTS - 1):
        fail(connection, f"name-{index}", NOON_MS)
    assert login(connection, "li.wei", GOOD, NOON_MS)
    assert fail(connection, "another", NOON_MS) == 0
    assert fail(connection, "one-more", NOON_MS) > 0
    assert fail(connection, "one-more", NOON_MS + login_limits.FORGET_MS) == 0


def test_attempts_are_kept_for_so_many_subjects_only(
    connection, admin, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(login_limits, "SUBJECTS_MAX", 6)
    for index in range(9):
        fail(connection, f"name-{index}", NOON_MS + index, f"10.0.0.{index}")
    assert connection.execute("SELECT count(*) FROM login_attempt").get == 6


def test_many_guesses_at_once_are_counted_one_by_one(connection, admin, tmp_path: Path) -> None:
    tried: list[str] = []

    def guess() -> None:
        store = open_store(tmp_path / "centre.db")
        try:
            login(store.connection, "li.wei", "not the password", NOON_MS)
        except LoginError as error:
            tried.append("waited" if error.wait_ms else "tried")
        store.close()

    threads = [threading.Thread(target=guess) for _ in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert tried.count("tried") == login_limits.PAIR_FREE_ATTEMPTS


def test_only_a_few_passwords_are_hashed_at_once(
    connection, admin, monkeypatch: pytest.MonkeyPatch
) -> None:
    lock = threading.Lock()
    now, most = 0, 0
    real = hashlib.scrypt

    def counted(*arguments, **named) -> bytes:
        nonlocal now, most
        with lock:
            now += 1
            most = max(most, now)
        time.sleep(0.02)
        with lock:
            now -= 1
        return real(*arguments, **named)

    monkeypatch.setattr(hashlib, "scrypt", counted)
    threads = [threading.Thread(target=passwords.seal, args=(GOOD,)) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert most == passwords.HASHES_AT_ONCE_MAX


def test_a_password_stays_right_when_the_cost_is_raised(
    connection, admin, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(passwords, "COST", (5, 8, 1))
    assert login(connection, "li.wei", GOOD, NOON_MS)
    assert passwords.seal(GOOD) != passwords.seal(GOOD), "each has a salt of its own"


# ---- the audit log


def test_logins_and_changes_of_accounts_are_on_the_log(connection, admin) -> None:
    add(connection, "wang.fang")
    login(connection, "wang.fang", GOOD, NOON_MS)
    fail(connection, "wang.fang", NOON_MS)
    fail(connection, "my password in the wrong field", NOON_MS)
    listed = [(entry.who, entry.what, entry.about) for entry in audit.entries(connection)]
    assert listed[::-1] == [
        ("li.wei", "account.set_up", "li.wei"),
        ("li.wei", "account.added", "wang.fang"),
        ("wang.fang", "login.done", ""),
        ("wang.fang", "login.refused", ""),
        ("", "login.refused", ""),
    ]
    assert audit.problem(connection) == ""


def append(connection: apsw.Connection, count: int) -> None:
    for index in range(count):
        audit.append(connection, NOON_MS + index, "li.wei", "test", f"thing {index}")


FORGERIES = {
    "edit": "UPDATE audit SET who = 'x' WHERE entry = 3",
    "delete": "DELETE FROM audit WHERE entry = 3",
    "first": "DELETE FROM audit WHERE entry = 1",
    "truncate": "DELETE FROM audit WHERE entry > 4",
    "all": "DELETE FROM audit",
    "insert": "INSERT INTO audit VALUES(7, 1, 'x', 'y', '', '', zeroblob(32))",
}


@pytest.mark.parametrize("sql", FORGERIES.values(), ids=FORGERIES)
def test_a_forged_log_is_found(connection, sql: str) -> None:
    append(connection, 6)
    assert audit.problem(connection) == ""
    if not sql.startswith("INSERT"):
        with pytest.raises(apsw.ConstraintError, match="append-only"):
            connection.execute(sql)
        connection.execute("DROP TRIGGER audit_is_not_changed")
        connection.execute("DROP TRIGGER audit_is_not_deleted")
    connection.execute(sql)
    assert audit.problem(connection) != ""


def test_a_noted_head_finds_what_was_forged_as_a_whole(connection) -> None:
    append(connection, 4)
    noted = audit.head(connection)
    append(connection, 2)
    assert audit.problem(connection, noted) == ""
    connection.execute("DROP TRIGGER audit_is_not_deleted")
    connection.execute("DELETE FROM audit")
    connection.execute("UPDATE audit_head SET entry = 0, hash = zeroblob(32)")
    append(connection, 2)
    assert audit.problem(connection) == ""
    assert "were noted" in audit.problem(connection, noted)
    append(connection, 2)
    assert "is not the one" in audit.problem(connection, audit.Head(4, bytes(32)))


def test_nothing_on_the_log_names_a_person(connection) -> None:
    audit.append(connection, NOON_MS, "li.wei", "test", "44190019000101000X", "x" * 999)
    entry = next(audit.entries(connection))
    assert "19000101" not in entry.about
    assert len(entry.detail) == audit.TEXT_CHARACTERS_MAX
