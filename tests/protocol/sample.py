"""Fixed keys and small samples that the tests of this folder share."""

import json
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path
from typing import Any

from protocol.batch import build_batch
from protocol.envelope import LINK_ZERO, Epoch, Sealed
from protocol.keys import CentreKeys, DeviceKey
from protocol.records import Common, GatePassage, Person, PrintOutcome, encode

HERE = Path(__file__).parent


def entropy(name: str, size: int = 32) -> bytes:
    """Bytes that stand for the caller's entropy."""
    return sha256(name.encode()).digest()[:size]


CENTRE = CentreKeys(entropy("centre xwing"), entropy("centre sign"))
OTHER_CENTRE = CentreKeys(entropy("other xwing"), entropy("other sign"))
DEVICE = DeviceKey(entropy("device"))
OTHER_DEVICE = DeviceKey(entropy("other device"))
TERMINAL = "hall-a-01"
HOLDER = Person("C", "441900190001010027", "样例甲")
COMMON = Common(1, 1_760_000_000_000, 2, 123_456, b"bootboot", b"correlat")
PASSAGE = GatePassage("gate.visit", 3, 1, HOLDER, 0, 7)
OUTCOME = PrintOutcome(5, 1, 1)


def open_epoch(
    name: str = "epoch", first_seq: int = 1, link: bytes = LINK_ZERO, terminal: str = TERMINAL
) -> Epoch:
    return Epoch.open(
        terminal,
        CENTRE.public,
        DEVICE,
        entropy(name, 16),
        entropy(name + " root"),
        first_seq,
        link,
    )


def sealed_rows(epoch: Epoch, count: int) -> list[Sealed]:
    plain = encode(COMMON, PASSAGE)
    return [epoch.seal(*plain) for _ in range(count)]


def small_batch(count: int = 2) -> tuple[Epoch, list[Sealed], bytes]:
    epoch = open_epoch()
    rows = sealed_rows(epoch, count)
    raw = build_batch(DEVICE, TERMINAL, epoch.epoch_id, epoch.opener, LINK_ZERO, rows)
    return epoch, rows, raw


def flips(raw: bytes, step: int = 1) -> Iterator[tuple[int, bytes]]:
    """(bit, raw with this bit flipped) for every bit, or every `step`th."""
    for bit in range(0, len(raw) * 8, step):
        changed = bytearray(raw)
        changed[bit // 8] ^= 1 << bit % 8
        yield bit, bytes(changed)


def read_json(name: str) -> Any:
    return json.loads((HERE / name).read_text("utf-8"))
