"""The status list at the centre: imported from CSV, hashed and signed, published retained.

Numbers are hashed while the file is read and stored nowhere; only the list in force is kept.
"""

import csv
import os
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple

import apsw

from protocol import topics
from protocol.keys import CentreKeys
from protocol.people import FOREIGN_RESIDENT, id_number_problem, is_foreign_number
from protocol.status_list import (
    CODE_NAMES,
    ENTRIES_MAX,
    SALT_BYTES,
    Scrypt,
    StatusList,
    sign_status_list,
)
from sync_server.store_sqlite import immediate
from tongban.logs import event, get

COLUMNS = ["document", "number", "status"]
CODE_MAX = 255
FILE_BYTES_MAX = 4 * 1024 * 1024
DAY_MS = 86_400_000

log = get("tongban.status_list")

Progress = Callable[[int, int], None]
"""Called with (hashed, of all)."""


class StatusFileError(Exception):
    """The CSV file cannot be used; the text names the line, never a number."""


class Imported(NamedTuple):
    """A list now in force."""

    version: int
    entries: int
    expires_ms: int


class ListedPerson(NamedTuple):
    """One line of the file."""

    document: str
    number: str
    code: int


def read_status_file(path: Path) -> list[ListedPerson]:
    """The people of a CSV file with the header `document,number,status`.

    `status` is a name of CODE_NAMES or a code from 1 to 255. Raises StatusFileError.
    """
    try:
        if path.stat().st_size > FILE_BYTES_MAX:
            raise StatusFileError(f"{path}: larger than {FILE_BYTES_MAX} bytes; is it the file?")
        text = path.read_text("utf-8-sig")
    except FileNotFoundError as error:
        raise StatusFileError(f"{path}: no such file. Give the path of the CSV file.") from error
    except (OSError, UnicodeDecodeError) as error:
        raise StatusFileError(f"{path}: cannot be read as UTF-8 text. Save it as such.") from error
    lines = csv.reader(text.splitlines())
    header = next(lines, [])
    if [name.strip().lower() for name in header] != COLUMNS:
        raise StatusFileError(f"{path}: line 1 must be {','.join(COLUMNS)}")
    people = list(_people(path, lines))
    if len(people) > ENTRIES_MAX:
        raise StatusFileError(f"{path}: {len(people)} people, a list holds {ENTRIES_MAX}.")
    return people


def _people(path: Path, lines: Iterator[list[str]]) -> Iterator[ListedPerson]:
    seen: dict[tuple[str, str], int] = {}
    for line_number, line in enumerate(lines, 2):
        if not line:
            continue
        where = f"{path}: line {line_number}"
        if len(line) != len(COLUMNS):
            raise StatusFileError(f"{where}: needs {len(COLUMNS)} values, has {len(line)}")
        document, number, status = (value.strip() for value in line)
        problem = _number_problem(document, number)
        if problem:
            raise StatusFileError(f"{where}: {problem}")
        code = CODE_NAMES.get(status) or (int(status) if status.isdecimal() else 0)
        if not 1 <= code <= CODE_MAX:
            names = ", ".join(CODE_NAMES)
            raise StatusFileError(f"{where}: status must be {names} or 1 to {CODE_MAX}")
        first = seen.setdefault((document, number), line_number)
        if first != line_number:
            raise StatusFileError(f"{where}: the same person as line {first}; remove one")
        yield ListedPerson(document, number, code)


def _number_problem(document: str, number: str) -> str:
    if document == FOREIGN_RESIDENT:
        known = is_foreign_number(number)
        return "" if known else "the number needs 3 capital letters and 12 digits, or 18 from 9 on"
    if document in ("C", "J"):
        problem = id_number_problem(number)
        return f"the number {problem}" if problem else ""
    return "document must be C (citizen), J (HK, Macao, Taiwan) or I (foreign resident)"


def hash_people(people: list[ListedPerson], scrypt: Scrypt, progress: Progress) -> dict[bytes, int]:
    """Digest -> code. About 50 ms of one core a person, on all cores."""

    def digest(person: ListedPerson) -> bytes:
        return scrypt.digest(person.document, person.number)

    entries: dict[bytes, int] = {}
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        for person, value in zip(people, pool.map(digest, people), strict=True):
            entries[value] = person.code
            progress(len(entries), len(people))
    return entries


def import_status_list(
    connection: apsw.Connection,
    keys: CentreKeys,
    people: list[ListedPerson],
    *,
    now_ms: int,
    valid_days: int,
    progress: Progress,
) -> Imported:
    """Make `people` the list in force; the server publishes it within a second or two."""
    scrypt = Scrypt(os.urandom(SALT_BYTES))
    entries = hash_people(people, scrypt, progress)
    expires_ms = now_ms + valid_days * DAY_MS
    connection.pragma("secure_delete", True)
    with immediate(connection):
        version = (
            1 + connection.execute("SELECT value FROM meta WHERE name = 'status_list_version'").get
        )
        signed = sign_status_list(keys, StatusList(version, now_ms, expires_ms, scrypt, entries))
        connection.execute("DELETE FROM status_list")
        connection.execute(
            "INSERT INTO status_list VALUES(?, ?, ?, ?, ?)",
            (version, now_ms, expires_ms, len(entries), signed),
        )
        connection.execute(
            "UPDATE meta SET value = ? WHERE name = 'status_list_version'", (version,)
        )
    return Imported(version, len(entries), expires_ms)


class StatusListPublisher:
    """Keeps the list in force retained at the broker; takes it away when it expires."""

    def __init__(
        self,
        connection: apsw.Connection,
        publish: Callable[[str, bytes], bool],
        clock_ms: Callable[[], int],
    ) -> None:
        """`publish(topic, payload)` publishes retained, False when it could not."""
        self._connection = connection
        self._publish = publish
        self._clock_ms = clock_ms
        self._published = 0

    def connected(self) -> None:
        """A new connection: the broker may have lost what it kept."""
        self._published = 0

    def tick(self) -> None:
        """Publish what is not published yet. Call it about once a second."""
        row = self._connection.execute(
            "SELECT version, expires_ms, signed FROM status_list ORDER BY version DESC LIMIT 1"
        ).fetchone()
        if row is None:
            return
        version, expires_ms, signed = row
        if expires_ms <= self._clock_ms():
            if self._publish(topics.status_list(), b""):
                self._connection.execute("DELETE FROM status_list WHERE version = ?", (version,))
                event(log, "warning", "status_list.expired", version=version)
        elif version != self._published and self._publish(topics.status_list(), signed):
            self._published = version
            event(log, "info", "status_list.published", version=version)
