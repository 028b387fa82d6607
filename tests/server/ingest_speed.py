"""How fast one core takes batches in: `python -m tests.server.ingest_speed [RECORDS] [FOLDER]`.

Batches of 200 gate passages, each its own epoch, 16 a commit; everything is done that the server
does: signature, HPKE, chain, AES-GCM, schema, pseudonym, sealing of every new person, visits,
synchronous=FULL. Prints wall and CPU rates, and beside them a bare bulk insert of the same rows.
"""

import os
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from sync_server.core.codes import IntakeCode
from sync_server.core.intake import Intake
from sync_server.people import PersonVault
from sync_server.store_sqlite import open_store
from tests.server.making import SimTerminal, centre_keys, enrol, passage

BATCH = 200
BATCHES_PER_COMMIT = 16


def rates(what: str, count: int, work: Callable[[], None]) -> None:
    wall, cpu = time.perf_counter(), time.process_time()
    work()
    wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    print(f"{what}: {count / wall:,.0f} records/s wall, {count / cpu:,.0f} a CPU second")


def main(count: int, folder: Path) -> None:
    keys = centre_keys()
    terminal = SimTerminal(keys)
    for index in range(count):
        if index % BATCH == 0:
            terminal.new_epoch()
        body = passage()
        person = type(body.person)("C", f"44190019{index:010}", body.person.name)
        terminal.append(type(body)("gate", 1, 1, person, 0, 7))
    batches = list(terminal.batches(BATCH))
    store = open_store(folder / "centre.db")
    enrol(store, terminal.name, terminal.device.verify_key)
    vault = PersonVault(b"r" * 32, b"s" * 32, os.urandom)
    intake = Intake(keys, vault, store.generation)

    def ingest() -> None:
        for at in range(0, len(batches), BATCHES_PER_COMMIT):
            with store.transaction() as tx:
                for raw in batches[at : at + BATCHES_PER_COMMIT]:
                    taken = intake.take(tx, terminal.name, raw, 0)
                    assert taken.code is IntakeCode.ACCEPTED
            intake.committed()

    rates("intake", count, ingest)
    plain = [
        (1, row.seq, 1, f"44190019{row.seq:010}", "样例甲", row.ciphertext) for row in terminal.rows
    ]
    store.connection.execute("CREATE TABLE bare(t, seq, kind, number, name, body)")

    def insert() -> None:
        step = BATCH * BATCHES_PER_COMMIT
        for at in range(0, count, step):
            with store.transaction():
                store.connection.executemany(
                    "INSERT INTO bare VALUES(?, ?, ?, ?, ?, ?)", plain[at : at + step]
                )

    rates("bare insert", count, insert)
    store.close()
    print(f"{os.path.getsize(folder / 'centre.db') / count:.0f} bytes a record with its bare row")


if __name__ == "__main__":
    words = sys.argv[1:]
    with tempfile.TemporaryDirectory(dir=words[1] if len(words) > 1 else None) as made:
        main(int(words[0]) if words else 20_000, Path(made))
