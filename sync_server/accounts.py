"""Accounts of the centre's pages: first set-up, logins, sessions, roles.

| what | rule |
| --- | --- |
| set-up token | only while there is no account; for one use and SETUP_TOKEN_MS; kept hashed |
| login | attempts are limited by login_limits; what was wrong is not said |
| session | a token, kept hashed; ends IDLE_MS after its last use, ABSOLUTE_MS after the login |
| account disabled, or password changed | all its sessions end |

Nothing comes with a password. A clock that is set back ends no session and opens none.
Functions take the database connection; each that writes is one commit.
"""

import hashlib
import re
import secrets
from collections.abc import Iterator
from typing import NamedTuple

import apsw

from sync_server import audit, login_limits, passwords
from sync_server.store_sqlite import immediate
from sync_server.units import Scope, is_within

SETUP_TOKEN_MS = 3_600_000
IDLE_MS = 8 * 3_600_000
ABSOLUTE_MS = 12 * 3_600_000
SEEN_WRITE_MS = 60_000
SESSIONS_PER_ACCOUNT_MAX = 8
TOKEN_BYTES = 32

SEE = "see"  # what happens in the scope
QUEUE = "queue"  # call tickets, answer help, decide conflicts
CASH = "cash"  # pay vouchers out, close cases of cash
ACCOUNTS = "accounts"
AUDIT = "audit"
ADMIN, OPERATOR, OFFICER = "admin", "operator", "officer"
ROLES: dict[str, frozenset[str]] = {
    ADMIN: frozenset({SEE, QUEUE, CASH, ACCOUNTS, AUDIT}),
    OPERATOR: frozenset({SEE, AUDIT}),
    OFFICER: frozenset({SEE, QUEUE, CASH}),
}
"""Role -> what it may do. No page shows names to anybody: see unmask.py."""

_NAME = re.compile(r"[a-z0-9][a-z0-9._-]{1,31}")


class AccountError(Exception):
    """It was not done; the text says what to do. `code`: a word for pages in other languages:
    name, password, role, scope, taken, unknown, setup."""

    def __init__(self, code: str, text: str) -> None:
        super().__init__(text)
        self.code = code


class LoginError(Exception):
    """No session. `wait_ms` > 0: too many attempts, the next one is taken after that long."""

    def __init__(self, text: str, wait_ms: int = 0) -> None:
        super().__init__(text)
        self.wait_ms = wait_ms


class Account(NamedTuple):
    """Who is logged in. `scope`: unit path, "" for everything."""

    account: int
    name: str
    role: str
    scope: str
    is_disabled: bool = False

    def may(self, permission: str) -> bool:
        """Whether the role has a permission."""
        return permission in ROLES.get(self.role, ())

    def covers(self, unit: str) -> bool:
        """Whether `unit` lies in the scope."""
        return is_within(unit, self.scope)


# ---- first set-up


def create_setup_token(connection: apsw.Connection, now_ms: int) -> str | None:
    """A token that makes the first administrator; None once there is an account. A new one takes
    the place of the one before."""
    token = secrets.token_urlsafe(TOKEN_BYTES)
    with immediate(connection):
        if _has_accounts(connection):
            return None
        connection.execute("DELETE FROM setup_token")
        connection.execute(
            "INSERT INTO setup_token VALUES(?, ?)", (_hash(token), now_ms + SETUP_TOKEN_MS)
        )
    return token


def is_set_up(connection: apsw.Connection) -> bool:
    """Whether somebody can log in."""
    return _has_accounts(connection)


def set_up_admin(
    connection: apsw.Connection, token: str, name: str, password: str, now_ms: int
) -> Account:
    """Make the first administrator. Raises AccountError; then the token still stands."""
    _check(name, password, ADMIN, "")
    stored = passwords.seal(password)
    with immediate(connection):
        found = connection.execute(
            "SELECT 1 FROM setup_token WHERE token_hash = ? AND expires_ms > ?",
            (_hash(token), now_ms),
        ).fetchone()
        if found is None or _has_accounts(connection):
            raise AccountError(
                "setup",
                "this set-up address is used up or too old; start `tongban server console` again "
                "for a new one",
            )
        connection.execute("DELETE FROM setup_token")
        account = _insert(connection, Account(0, name, ADMIN, ""), stored, now_ms)
        audit.append(connection, now_ms, name, "account.set_up", name)
    return account


# ---- accounts


def add_account(
    connection: apsw.Connection,
    *,
    name: str,
    password: str,
    role: str,
    scope: str,
    by: str,
    now_ms: int,
) -> Account:
    """Make an account. `by`: who makes it. Raises AccountError or UnitError."""
    _check(name, password, role, scope)
    stored = passwords.seal(password)
    with immediate(connection):
        account = _insert(connection, Account(0, name, role, Scope(scope).path), stored, now_ms)
        audit.append(connection, now_ms, by, "account.added", name, f"{role} {account.scope}")
    return account


def change_password(
    connection: apsw.Connection, *, name: str, password: str, by: str, now_ms: int
) -> None:
    """Give an account another password; its sessions end. Raises AccountError."""
    _check_password(name, password)
    stored = passwords.seal(password)
    with immediate(connection):
        number = _number(connection, name)
        connection.execute("UPDATE account SET password = ? WHERE account = ?", (stored, number))
        connection.execute("DELETE FROM session WHERE account = ?", (number,))
        audit.append(connection, now_ms, by, "account.password", name)


def set_disabled(
    connection: apsw.Connection, *, name: str, is_disabled: bool, by: str, now_ms: int
) -> None:
    """Shut an account out, or let it in again; its sessions end. The last administrator stays.

    Raises AccountError.
    """
    with immediate(connection):
        number = _number(connection, name)
        connection.execute(
            "UPDATE account SET is_disabled = ? WHERE account = ?", (is_disabled, number)
        )
        left = connection.execute(
            "SELECT count(*) FROM account WHERE role = ? AND is_disabled = 0", (ADMIN,)
        ).get
        if not left:
            raise AccountError("role", f"{name} is the last administrator; add another one first")
        connection.execute("DELETE FROM session WHERE account = ?", (number,))
        what = "account.disabled" if is_disabled else "account.enabled"
        audit.append(connection, now_ms, by, what, name)


def accounts(connection: apsw.Connection) -> Iterator[Account]:
    """All, by name."""
    found = connection.execute(
        "SELECT account, name, role, scope, is_disabled FROM account ORDER BY name"
    )
    for number, name, role, scope, is_disabled in found:
        yield Account(number, name, role, scope, bool(is_disabled))


# ---- logins and sessions


def check_login(
    connection: apsw.Connection, name: str, password: str, address: str, now_ms: int
) -> str:
    """The token of a new session. Takes a quarter of a second: call it off an event loop.

    Raises LoginError.
    """
    name = name.strip().lower()
    with immediate(connection):
        wait_ms = login_limits.wait_ms(connection, name, address, now_ms)
        row = connection.execute(
            "SELECT account, password FROM account WHERE name = ? AND is_disabled = 0", (name,)
        ).fetchone()
    if wait_ms:
        seconds = -(-wait_ms // 1000)
        raise LoginError(f"too many attempts; try again in {seconds} s", wait_ms)
    account, stored = row or (0, "")
    is_right = passwords.is_right(password, stored)
    token = secrets.token_urlsafe(TOKEN_BYTES)
    with immediate(connection):
        is_right = is_right and _is_unchanged(connection, account, stored)
        known = name if row else ""  # what nobody is called may be a password in the wrong field
        if is_right:
            login_limits.went_well(connection, name, address)
            _open_session(connection, account, token, now_ms)
        what = "login.done" if is_right else "login.refused"
        audit.append(connection, now_ms, known, what, detail=address)
    if not is_right:
        raise LoginError("name or password is wrong")
    return token


def session(connection: apsw.Connection, token: str, now_ms: int) -> Account | None:
    """Whose session it is; None when it has ended or never was."""
    row = connection.execute(
        "SELECT a.account, a.name, a.role, a.scope, s.seen_ms FROM session s "
        "JOIN account a ON a.account = s.account "
        "WHERE s.token_hash = ? AND a.is_disabled = 0 AND s.seen_ms > ? AND s.created_ms > ?",
        (_hash(token), now_ms - IDLE_MS, now_ms - ABSOLUTE_MS),
    ).fetchone()
    if row is None:
        return None
    number, name, role, scope, seen_ms = row
    if now_ms - seen_ms >= SEEN_WRITE_MS:
        with immediate(connection):
            connection.execute(
                "UPDATE session SET seen_ms = ? WHERE token_hash = ?", (now_ms, _hash(token))
            )
    return Account(number, name, role, scope)


def end_session(connection: apsw.Connection, token: str, now_ms: int) -> None:
    """Log out."""
    account = session(connection, token, now_ms)
    with immediate(connection):
        connection.execute("DELETE FROM session WHERE token_hash = ?", (_hash(token),))
        if account is not None:
            audit.append(connection, now_ms, account.name, "login.ended")


def _open_session(connection: apsw.Connection, account: int, token: str, now_ms: int) -> None:
    """A new session; ended ones and the oldest beyond the limit go."""
    connection.execute(
        "DELETE FROM session WHERE seen_ms <= ? OR created_ms <= ?",
        (now_ms - IDLE_MS, now_ms - ABSOLUTE_MS),
    )
    connection.execute(
        "INSERT INTO session VALUES(?, ?, ?, ?)", (_hash(token), account, now_ms, now_ms)
    )
    connection.execute(
        "DELETE FROM session WHERE account = ? AND token_hash NOT IN (SELECT token_hash "
        "FROM session WHERE account = ? ORDER BY created_ms DESC, token_hash = ? DESC LIMIT ?)",
        (account, account, _hash(token), SESSIONS_PER_ACCOUNT_MAX),
    )


# ---- pieces


def _check(name: str, password: str, role: str, scope: str) -> None:
    if _NAME.fullmatch(name) is None:
        raise AccountError(
            "name", f"name {name!r}: write 2 to 32 of a-z, 0-9, dot, hyphen, as li.wei"
        )
    if role not in ROLES:
        raise AccountError("role", f"role {role!r}: choose one of {', '.join(ROLES)}")
    if role == OFFICER and not scope:
        raise AccountError("scope", "an officer works in a hall: give it, as city/nancheng/hall-1")
    _check_password(name, password)


def _check_password(name: str, password: str) -> None:
    problem = passwords.problem(password, name)
    if problem:
        raise AccountError("password", problem)


def _has_accounts(connection: apsw.Connection) -> bool:
    return connection.execute("SELECT 1 FROM account LIMIT 1").fetchone() is not None


def _insert(connection: apsw.Connection, account: Account, stored: str, now_ms: int) -> Account:
    taken = connection.execute("SELECT 1 FROM account WHERE name = ?", (account.name,)).fetchone()
    if taken is not None:
        raise AccountError("taken", f"{account.name} is taken; choose another name")
    connection.execute(
        "INSERT INTO account(name, role, scope, password, created_ms) VALUES(?, ?, ?, ?, ?)",
        (account.name, account.role, account.scope, stored, now_ms),
    )
    return account._replace(account=connection.last_insert_rowid())


def _number(connection: apsw.Connection, name: str) -> int:
    row = connection.execute("SELECT account FROM account WHERE name = ?", (name,)).fetchone()
    if row is None:
        raise AccountError("unknown", f"nobody is called {name} here; list the accounts")
    return int(row[0])


def _is_unchanged(connection: apsw.Connection, account: int, stored: str) -> bool:
    """Whether the account may still log in with the password that was looked at."""
    row = connection.execute(
        "SELECT password FROM account WHERE account = ? AND is_disabled = 0", (account,)
    ).fetchone()
    return row is not None and row[0] == stored


def _hash(token: str) -> bytes:
    return hashlib.sha256(token.encode()).digest()
