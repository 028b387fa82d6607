"""Commands to terminals: anybody with the database queues them, the running server sends them.

| a command is | until | then |
| --- | --- | --- |
| waiting | every earlier one of its terminal is taken or expired | sent |
| sent, every COMMAND_REPEAT_MS | the terminal's state says it took that number | taken |
| waiting or sent | expires_ms, or it is taken back | expired: never sent again |

One at a time a terminal: so a number that a terminal took says that it saw the ones before it, and
a command that expired unseen never counts as taken. Numbers rise for ever, also over a restore of
the centre from a backup: each is above the last one here, above what the terminal took, and not
below the clock.
"""

from collections.abc import Callable
from typing import Any, NamedTuple

import apsw
import msgspec

from protocol import topics
from protocol.commands import KINDS, Body, Command, sign_command
from protocol.keys import CentreKeys
from sync_server.core.fleet import stored_state
from sync_server.core.store_port import StoreError
from sync_server.store_sqlite import immediate
from tongban.logs import event, get

COMMAND_REPEAT_MS = 2_000
COMMANDS_PER_TICK_MAX = 64
COMMANDS_WAITING_MAX = 32
ANSWER_HELP_MS = 600_000
CALL_TICKET_MS = 60_000

KIND_OF = {body: kind for kind, body in KINDS.items()}

log = get("tongban.commands")


class _Waiting(NamedTuple):
    """A command that is neither taken nor expired. `through`: what its terminal took."""

    terminal: int
    name: str
    number: int
    kind: int
    body: bytes
    issued_ms: int
    expires_ms: int
    through: int


def queue_command(
    connection: apsw.Connection,
    terminal: int,
    body: Body,
    *,
    about: int,
    officer: str,
    now_ms: int,
    lifetime_ms: int,
) -> bool:
    """Queue a command, inside a transaction. `about`: the event or ticket it speaks of. False when
    COMMANDS_WAITING_MAX wait already."""
    kind = KIND_OF[type(body)]
    waiting = connection.execute(
        "SELECT count(*) FROM command WHERE terminal = ? AND taken_ms IS NULL AND expires_ms > ?",
        (terminal, now_ms),
    ).get
    if waiting >= COMMANDS_WAITING_MAX:
        return False
    connection.execute(
        "INSERT INTO command VALUES(?, ?, ?, ?, ?, ?, ?, ?, NULL)",
        (
            terminal,
            _next_number(connection, terminal, now_ms),
            kind,
            about,
            msgspec.msgpack.encode(body),
            now_ms,
            now_ms + lifetime_ms,
            officer,
        ),
    )
    return True


def take_back(
    connection: apsw.Connection, terminal: int, kind: type[Body], about: int, now_ms: int
) -> None:
    """Nobody wants what waits of this kind about this event or ticket any more: it expires."""
    connection.execute(
        "UPDATE command SET expires_ms = ? WHERE terminal = ? AND kind = ? AND about = ? "
        "AND taken_ms IS NULL AND expires_ms > ?",
        (now_ms, terminal, KIND_OF[kind], about, now_ms),
    )


def _next_number(connection: apsw.Connection, terminal: int, now_ms: int) -> int:
    last: Any = connection.execute(
        "SELECT max(number) FROM command WHERE terminal = ?", (terminal,)
    ).get
    state: Any = connection.execute(
        "SELECT body FROM terminal_state WHERE terminal = ?", (terminal,)
    ).get
    return max(last or 0, _through(state), now_ms - 1) + 1


def _through(state: bytes | None) -> int:
    return stored_state(state).commands_through if state else 0


class CommandPublisher:
    """Sends what waits; notes what was taken. One thread uses it, with a connection of its own."""

    def __init__(
        self,
        connection: apsw.Connection,
        keys: CentreKeys,
        publish: Callable[[str, bytes], bool],
        clock_ms: Callable[[], int],
    ) -> None:
        """`publish(topic, payload)` gives False when it could not."""
        self._connection = connection
        self._keys = keys
        self._publish = publish
        self._clock_ms = clock_ms
        self._sent: dict[int, tuple[int, int]] = {}
        """Terminal -> (number, when) of what it was sent last."""

    def connected(self) -> None:
        """A new connection: the broker may have lost what it kept."""
        self._sent.clear()

    def tick(self) -> None:
        """Send what is due, COMMANDS_PER_TICK_MAX at most. Call it a few times a second."""
        now_ms = self._clock_ms()
        try:
            waiting = self._waiting(now_ms)
            self._note_taken(waiting, now_ms)
        except (StoreError, apsw.Error) as error:  # all stays as it is, for a later tick
            event(log, "error", "command.store_failed", reason=str(error))
            return
        firsts: dict[int, _Waiting] = {}
        for one in waiting:
            if one.number > one.through:
                firsts.setdefault(one.terminal, one)
        sent = {terminal: self._sent[terminal] for terminal in firsts if terminal in self._sent}
        self._sent = sent
        due = [one for one in firsts.values() if self._is_due(one, now_ms)]
        due.sort(key=lambda one: self._sent.get(one.terminal, (0, 0))[1])
        for one in due[:COMMANDS_PER_TICK_MAX]:
            self._send(one, now_ms)

    def _waiting(self, now_ms: int) -> list[_Waiting]:
        found = self._connection.execute(
            "SELECT c.terminal, t.name, c.number, c.kind, c.body, c.issued_ms, c.expires_ms, "
            "s.body FROM command c JOIN terminal t ON t.terminal = c.terminal "
            "LEFT JOIN terminal_state s ON s.terminal = c.terminal "
            "WHERE c.taken_ms IS NULL AND c.expires_ms > ? AND t.revoked = 0 "
            "ORDER BY c.terminal, c.number",
            (now_ms,),
        )
        return [_Waiting._make((*values, _through(state))) for *values, state in found]

    def _note_taken(self, waiting: list[_Waiting], now_ms: int) -> None:
        taken = {one.terminal: one.through for one in waiting if one.number <= one.through}
        if not taken:
            return
        with immediate(self._connection):
            for terminal, through in taken.items():
                self._connection.execute(
                    "UPDATE command SET taken_ms = ? WHERE terminal = ? AND number <= ? "
                    "AND taken_ms IS NULL AND expires_ms > ?",
                    (now_ms, terminal, through, now_ms),
                )
        event(log, "info", "command.taken", terminals=len(taken))

    def _is_due(self, one: _Waiting, now_ms: int) -> bool:
        number, sent_ms = self._sent.get(one.terminal, (0, 0))
        return number != one.number or not 0 <= now_ms - sent_ms < COMMAND_REPEAT_MS

    def _send(self, one: _Waiting, now_ms: int) -> None:
        body = msgspec.msgpack.decode(one.body, type=KINDS[one.kind])
        command = Command(one.name, one.number, one.issued_ms, one.expires_ms, body)
        signed = sign_command(self._keys, command)
        if self._publish(topics.down_command(one.name), signed):
            self._sent[one.terminal] = (one.number, now_ms)
            event(log, "info", "command.sent", terminal=one.name, number=one.number)
