"""What a durable append costs: Outbox.append against a bare FULL insert of the same plain row.

Both are done in turn, one for one, on the same disk, each waiting for its own commit. They count
once both write-ahead logs have their full size and are written over: before that each sync writes
the file system's journal too, for the one that changes more pages only half as long.
"""

import os
import statistics
import time
from collections.abc import Callable
from pathlib import Path

from bench.naive import INSERT, open_plain, plain_row
from bench.sample import keys, passages
from edge_agent.outbox import Draft, Outbox

APPENDS = 3_200
WARM_UP = 1_200
"""SQLite begins its log anew after 1000 pages; an append changes one page or more."""
TERMINAL = "gate-1"


def run(folder: Path, tick: Callable[[], None]) -> dict[str, float]:
    """p50 of both in microseconds, and their ratio."""
    centre, device = keys()
    outbox = Outbox.open(
        folder / "outbox.db",
        terminal=TERMINAL,
        centre_public=centre.public,
        device_key=device,
        entropy=os.urandom,
        clock=lambda: time.time_ns() // 1_000_000,
    )
    bare = open_plain(folder / "bare.db")
    ours, reference = [], []
    for seq, passage in enumerate(passages(APPENDS), 1):
        drafts, intent = [Draft(*passage.encoded, visit=True)], os.urandom(16)
        row = plain_row(TERMINAL, seq, passage)
        started = time.perf_counter()
        outbox.append(intent, drafts).result()
        between = time.perf_counter()
        bare.execute(INSERT, row)
        ended = time.perf_counter()
        if seq > WARM_UP:
            ours.append(between - started)
            reference.append(ended - between)
        tick()
    outbox.close()
    bare.close()
    append_us, insert_us = (statistics.median(times) * 1e6 for times in (ours, reference))
    return {
        "append_p50_us": round(append_us, 1),
        "bare_insert_p50_us": round(insert_us, 1),
        "append_over_bare_insert": round(append_us / insert_us, 3),
    }
