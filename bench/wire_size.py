"""Bytes on the wire a record: batch with opener and signature, and the receipt for it.

A terminal sends the opener until the first receipt of its epoch came, so the full opener is in the
first batch of every 256 records; here it is in every batch, which is the worst case.
"""

from bench.sample import keys, open_epoch, passages
from protocol.batch import build_batch
from protocol.receipts import Receipt, sign_receipt

SIZES = (1, 20, 200)
TERMINAL = "gate-1"


def run() -> dict[str, float]:
    """`wire_bytes_a_record_at_N` for each size N."""
    centre, device = keys()
    figures = {}
    for size in SIZES:
        epoch = open_epoch(TERMINAL, centre, device, 1, bytes(32))
        rows = [epoch.seal(*passage.encoded) for passage in passages(size)]
        batch = build_batch(device, TERMINAL, epoch.epoch_id, epoch.opener, bytes(32), rows)
        receipt = sign_receipt(
            centre, Receipt(TERMINAL, 1, epoch.epoch_id, size, rows[-1].link, 0, 0, ())
        )
        figures[f"wire_bytes_a_record_at_{size}"] = round((len(batch) + len(receipt)) / size, 1)
    return figures
