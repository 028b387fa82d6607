"""From a full outbox to the last durable receipt, against two references in the same run.

The way: batches of 200 signed by the terminal, a real broker, a sync server process that verifies,
opens, decodes, reconciles and commits FULL, signed receipts, a FULL commit at the terminal. The
references: a bare bulk insert of the same plain rows, with a FULL commit for each 200 (as many as a
receipt makes durable) and with one for all; and the pipeline in bench/naive.py.
"""

import os
import shutil
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

from bench import site
from bench.naive import bulk_insert_rate, send_rate
from bench.sample import Passage, passages
from edge_agent.outbox import Draft, Outbox
from edge_agent.uplink_runner import UplinkRunner
from protocol.batch import BATCH_RECORDS_MAX
from protocol.bundle import Bundle, from_toml

RECORDS = 60_000
NAIVE_RECORDS = 4_000
ROUNDS = 3
WAIT_S = 120.0
TERMINAL = "gate-1"
_RATES = (
    (0, "outbox_to_receipt_records_a_s"),
    (1, "bulk_insert_200_a_commit_rows_a_s"),
    (2, "bulk_insert_one_commit_rows_a_s"),
    (3, "naive_transactions_a_s"),
)
_RATIOS = (
    (1, "receipt_over_bulk_insert_200_a_commit"),
    (2, "receipt_over_bulk_insert_one_commit"),
    (3, "receipt_over_naive"),
)


def clock() -> int:
    """Unix ms."""
    return time.time_ns() // 1_000_000


def run(folder: Path, tick: Callable[[], None]) -> dict[str, float]:
    """Rates in records a second and their ratios, each the median of the rounds."""
    items = passages(RECORDS)
    rows = []
    for number in range(ROUNDS):
        place = folder / f"round-{number}"
        place.mkdir(parents=True)
        rows.append(_round(place, items))
        shutil.rmtree(place)
        tick()
    figures: dict[str, float] = {
        name: round(statistics.median(row[at] for row in rows)) for at, name in _RATES
    }
    for at, name in _RATIOS:
        figures[name] = round(statistics.median(row[0] / row[at] for row in rows), 3)
    return figures


def _round(place: Path, items: list[Passage]) -> tuple[float, float, float, float]:
    with site.broker(place) as port:
        with site.centre(place, port) as data:
            ours = _ours(place, port, data, items)
        bulk = bulk_insert_rate(place / "bulk.db", items, BATCH_RECORDS_MAX)
        bulk_at_once = bulk_insert_rate(place / "once.db", items, len(items))
        naive = _naive(place, port, items[:NAIVE_RECORDS])
    return ours, bulk, bulk_at_once, naive


def _ours(place: Path, port: int, data: Path, items: list[Passage]) -> float:
    path = place / "terminal.bundle.toml"
    arguments = ("--hall", "city/town/hall", "--data", str(data), "--out", str(path))
    command = site.tongban(
        "server", "add-terminal", TERMINAL, *arguments, "--broker", f"127.0.0.1:{port}"
    )
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    bundle = from_toml(path.read_text("utf-8"))
    outbox = _full_outbox(place / "outbox.db", bundle, items)
    runner = UplinkRunner(outbox, bundle, clock=clock)
    started = time.perf_counter()
    runner.start()
    while outbox.settled_seq < len(items):
        if time.perf_counter() - started > WAIT_S:
            raise TimeoutError(f"settled {outbox.settled_seq} of {len(items)} in {WAIT_S:.0f} s")
        time.sleep(0.005)
    spent = time.perf_counter() - started
    runner.stop()
    outbox.close()
    return len(items) / spent


def _full_outbox(path: Path, bundle: Bundle, items: list[Passage]) -> Outbox:
    outbox = Outbox.open(
        path,
        terminal=bundle.terminal,
        centre_public=bundle.centre_public,
        device_key=bundle.device_key,
        entropy=os.urandom,
        clock=clock,
    )
    for start in range(0, len(items), 500):
        waiting = [
            outbox.append(os.urandom(16), [Draft(*item.encoded, visit=True)])
            for item in items[start : start + 500]
        ]
        for future in waiting:
            future.result()
    return outbox


def _naive(place: Path, port: int, items: list[Passage]) -> float:
    command = [sys.executable, "-m", "bench.naive", str(port), str(place / "naive.db")]
    with site.process(command, place / "naive.log"):
        return send_rate(port, items)
