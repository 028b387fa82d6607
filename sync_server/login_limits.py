"""How often somebody may try to log in: longer waits each time.

Counted for an account from an address, for an address, and for an account from anywhere. The first
has the fewest free attempts, so somebody who guesses from one place keeps nobody else out.

| attempts since the last that went well | the next one is taken |
| --- | --- |
| fewer than the free ones               | at once |
| n more than these                      | WAIT_FIRST_MS x 2^n after the last, WAIT_MAX_MS at most |
| none for FORGET_MS                     | as if there were none |

An attempt counts before its password is looked at, so many at once do not help. Names nobody has
count the same, so that waiting tells nothing. Rows are bounded: the oldest go first.
"""

import hashlib

import apsw

PAIR_FREE_ATTEMPTS = 5
ADDRESS_FREE_ATTEMPTS = 20
ACCOUNT_FREE_ATTEMPTS = 100
WAIT_FIRST_MS = 2_000
WAIT_MAX_MS = 300_000
FORGET_MS = 86_400_000
SUBJECTS_MAX = 10_000


def wait_ms(connection: apsw.Connection, name: str, address: str, now_ms: int) -> int:
    """How long this attempt has to wait, 0 when it may be made now: then it is counted.

    Inside a transaction.
    """
    pair, of_address, of_account = _subjects(name, address)
    waits = (
        _wait_ms(connection, pair, PAIR_FREE_ATTEMPTS, now_ms),
        _wait_ms(connection, of_address, ADDRESS_FREE_ATTEMPTS, now_ms),
        _wait_ms(connection, of_account, ACCOUNT_FREE_ATTEMPTS, now_ms),
    )
    if any(waits):
        return max(waits)
    connection.execute("DELETE FROM login_attempt WHERE last_ms <= ?", (now_ms - FORGET_MS,))
    for subject in (pair, of_address, of_account):
        connection.execute(
            "INSERT INTO login_attempt VALUES(?, 1, ?) ON CONFLICT DO UPDATE SET "
            "attempts = attempts + 1, last_ms = excluded.last_ms",
            (subject, now_ms),
        )
    connection.execute(
        "DELETE FROM login_attempt WHERE subject IN (SELECT subject FROM login_attempt "
        "ORDER BY last_ms DESC LIMIT -1 OFFSET ?)",
        (SUBJECTS_MAX,),
    )
    return 0


def went_well(connection: apsw.Connection, name: str, address: str) -> None:
    """The password was right: the account starts anew, and this attempt of the address is not
    counted (an address that has one good account may still not try all others)."""
    pair, of_address, of_account = _subjects(name, address)
    connection.execute("DELETE FROM login_attempt WHERE subject IN (?, ?)", (pair, of_account))
    connection.execute(
        "UPDATE login_attempt SET attempts = attempts - 1 WHERE subject = ?", (of_address,)
    )


def _wait_ms(connection: apsw.Connection, subject: bytes, free: int, now_ms: int) -> int:
    row = connection.execute(
        "SELECT attempts, last_ms FROM login_attempt WHERE subject = ?", (subject,)
    ).fetchone()
    if row is None:
        return 0
    attempts, last_ms = int(row[0]), int(row[1])
    passed_ms = max(0, now_ms - last_ms)
    if attempts < free or passed_ms >= FORGET_MS:
        return 0
    doublings = min(attempts - free, WAIT_MAX_MS.bit_length())
    return max(0, min(WAIT_FIRST_MS << doublings, WAIT_MAX_MS) - passed_ms)


def _subjects(name: str, address: str) -> tuple[bytes, bytes, bytes]:
    """The account from the address, the address, the account."""
    texts = (f"pair\0{name}\0{address}", f"address\0{address}", f"account\0{name}")
    pair, of_address, of_account = (hashlib.sha256(text.encode()).digest() for text in texts)
    return pair, of_address, of_account
