"""The audit log: who did what, each entry chained to all before it.

`hash` = SHA-256(hash of the entry before | the entry). `audit_head` holds number and hash of the
last one. So an entry that is changed, taken out or put in between is found, and so is an end that
is cut off, unless the head is forged too: note `head` elsewhere (every entry also logs it) and the
chain can be checked against the note for ever.
"""

import hashlib
from collections.abc import Iterator
from typing import Any, NamedTuple

import apsw
import msgspec

from tongban.logs import event, get, mask

TEXT_CHARACTERS_MAX = 200

log = get("tongban.audit")


class Entry(NamedTuple):
    """`who`: an account's name, or "" for nobody known. `what`: a dotted word. `about`: what it
    was done to. None of them ever holds a person's name or number."""

    entry: int
    at_ms: int
    who: str
    what: str
    about: str
    detail: str


class Head(NamedTuple):
    """The last entry and its hash."""

    entry: int
    hash: bytes


def append(
    connection: apsw.Connection,
    at_ms: int,
    who: str,
    what: str,
    about: str = "",
    detail: str = "",
) -> None:
    """Add an entry, inside the transaction of what it tells (`store_sqlite.immediate`)."""
    last = head(connection)
    texts = (mask(text)[:TEXT_CHARACTERS_MAX] for text in (who, what, about, detail))
    entry = Entry(last.entry + 1, at_ms, *texts)
    digest = _digest(last.hash, entry)
    connection.execute("INSERT INTO audit VALUES(?, ?, ?, ?, ?, ?, ?)", (*entry, digest))
    connection.execute("UPDATE audit_head SET entry = ?, hash = ?", (entry.entry, digest))
    event(log, "info", "audit." + entry.what, entry=entry.entry, who=entry.who, hash=digest)


def head(connection: apsw.Connection) -> Head:
    """The last entry's number and hash; (0, zeros) before the first."""
    row: Any = connection.execute("SELECT entry, hash FROM audit_head").fetchone()
    return Head(*row)


def problem(connection: apsw.Connection, noted: Head | None = None) -> str:
    """What is wrong with the log, or "". `noted`: a head that was written down elsewhere."""
    digest, count = bytes(32), 0
    for *values, stored in connection.execute("SELECT * FROM audit ORDER BY entry"):
        entry = Entry(*values)
        count += 1
        if entry.entry != count:
            return f"entry {count} is missing"
        digest = _digest(digest, entry)
        if digest != stored:
            return f"entry {count} was changed, or one before it"
        if noted is not None and noted.entry == count and noted.hash != digest:
            return f"entry {count} is not the one whose hash was noted"
    if head(connection) != (count, digest):
        return f"entries after {count} are missing"
    if noted is not None and noted.entry > count:
        return f"entries after {count} are missing: {noted.entry} were noted"
    return ""


def entries(connection: apsw.Connection, *, limit: int = -1) -> Iterator[Entry]:
    """The newest first. `limit` -1: all."""
    found = connection.execute(
        "SELECT entry, at_ms, who, what, about, detail FROM audit ORDER BY entry DESC LIMIT ?",
        (limit,),
    )
    yield from (Entry(*row) for row in found)


def _digest(before: bytes, entry: Entry) -> bytes:
    return hashlib.sha256(before + msgspec.msgpack.encode(entry)).digest()
