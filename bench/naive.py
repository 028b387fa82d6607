"""The pipeline one would write in an afternoon, as a reference: paho QoS 1, one JSON message a
transaction, pipelined; the receiver inserts or ignores, commits each message with FULL, and
publishes an acknowledgement. No encryption, no signature, no order, no durable queue on the sender.
"""

import json
import sqlite3
import sys
import threading
import time
from collections.abc import Sequence
from pathlib import Path

import paho.mqtt.client as paho
from paho.mqtt.enums import CallbackAPIVersion

from bench.sample import Passage

UP, ACK = "tb/1/naive/up/batch", "tb/1/naive/down/receipt"
"""Topics of ours, because the embedded broker gives these the room to queue."""
WAIT_S = 120.0
IN_FLIGHT = 100

SCHEMA = """
CREATE TABLE IF NOT EXISTS passage(
    terminal TEXT, seq INTEGER, at_ms INTEGER, direction INTEGER, document TEXT, number TEXT,
    name TEXT, status INTEGER, list_version INTEGER, PRIMARY KEY(terminal, seq))
"""
INSERT = "INSERT OR IGNORE INTO passage VALUES(?,?,?,?,?,?,?,?,?)"


def plain_row(terminal: str, seq: int, passage: Passage) -> tuple[object, ...]:
    """One passage as the plain row that all references store."""
    body = passage.body
    person = body.person
    return (
        terminal,
        seq,
        passage.common.at_ms,
        body.direction,
        person.document,
        person.number,
        person.name,
        body.status,
        body.list_version,
    )


def open_plain(path: Path) -> sqlite3.Connection:
    """A WAL database with FULL commits and the plain table."""
    connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
    connection.execute("PRAGMA journal_mode=WAL")
    connection.execute("PRAGMA synchronous=FULL")
    connection.execute(SCHEMA)
    return connection


def bulk_insert_rate(path: Path, items: Sequence[Passage], rows_a_commit: int) -> float:
    """Rows a second of a bare bulk insert of the same plain rows, a FULL commit each so many."""
    connection = open_plain(path)
    rows = [plain_row("gate-1", seq, item) for seq, item in enumerate(items, 1)]
    started = time.perf_counter()
    for at in range(0, len(rows), rows_a_commit):
        connection.execute("BEGIN")
        connection.executemany(INSERT, rows[at : at + rows_a_commit])
        connection.execute("COMMIT")
    spent = time.perf_counter() - started
    connection.close()
    return len(rows) / spent


def serve(port: int, path: Path) -> None:
    """The naive receiver; says when it is ready and runs until its process is ended."""
    connection = open_plain(path)
    client = paho.Client(CallbackAPIVersion.VERSION2, client_id="naive-server")

    def on_message(_client: object, _data: object, message: paho.MQTTMessage) -> None:
        row = json.loads(message.payload)
        connection.execute("BEGIN")
        connection.execute(INSERT, row)
        connection.execute("COMMIT")
        client.publish(ACK, str(row[1]), 1)

    client.on_message = on_message
    client.on_connect = lambda *_: client.subscribe(UP, 1)
    client.on_subscribe = lambda *_: print('{"event": "ready"}', flush=True)
    client.max_inflight_messages_set(IN_FLIGHT)
    client.connect("127.0.0.1", port)
    client.loop_forever()


def send_rate(port: int, items: Sequence[Passage]) -> float:
    """Transactions a second from the first publish to the last acknowledgement."""
    acknowledged = set()
    done = threading.Event()
    client = paho.Client(CallbackAPIVersion.VERSION2, client_id="naive-terminal")
    ready = threading.Event()

    def on_message(_client: object, _data: object, message: paho.MQTTMessage) -> None:
        acknowledged.add(int(message.payload))
        if len(acknowledged) == len(items):
            done.set()

    client.on_message = on_message
    client.on_connect = lambda *_: client.subscribe(ACK, 1)
    client.on_subscribe = lambda *_: ready.set()
    client.max_inflight_messages_set(IN_FLIGHT)
    client.connect("127.0.0.1", port)
    client.loop_start()
    ready.wait(WAIT_S)
    started = time.perf_counter()
    for seq, item in enumerate(items, 1):
        client.publish(UP, json.dumps(plain_row("gate-1", seq, item), ensure_ascii=False), 1)
    if not done.wait(WAIT_S):
        raise TimeoutError(f"naive pipeline: {len(acknowledged)} of {len(items)} acknowledged")
    spent = time.perf_counter() - started
    client.disconnect()
    client.loop_stop()
    return len(items) / spent


if __name__ == "__main__":
    serve(int(sys.argv[1]), Path(sys.argv[2]))
