"""Typical records and identities for benchmarks: gate passages of people born in 1900."""

import os
import random
from dataclasses import dataclass

from protocol.envelope import Epoch
from protocol.keys import CentreKeys, DeviceKey
from protocol.records import Common, GatePassage, Person, encode
from simulator.devices.cards import numbers_for_tests

START_MS = 1_790_000_000_000
NAMES = ("样例甲", "样例乙", "样例", "样例·阿卜杜")


@dataclass(frozen=True)
class Passage:
    """One gate passage, as plain fields and as the encoded record."""

    common: Common
    body: GatePassage
    encoded: tuple[int, int, bytes]


def passages(count: int, seed: int = 1) -> list[Passage]:
    """`count` gate passages, each person's entry and exit, the same for the same seed."""
    draw = random.Random(seed)
    boot = draw.randbytes(8)
    made = []
    numbers = numbers_for_tests(draw, -(-count // 2))
    for index in range(count):
        at_ms = START_MS + index * 4_000
        common = Common(1, at_ms, 2, 60_000 + index * 4_000, boot, draw.randbytes(8))
        person = Person("C", numbers[index // 2], NAMES[index // 2 % len(NAMES)])
        body = GatePassage("gate", 1, 1 + index % 2, person, 0, 7)
        made.append(Passage(common, body, encode(common, body)))
    return made


def keys() -> tuple[CentreKeys, DeviceKey]:
    """Fresh keys of a centre and a terminal."""
    return CentreKeys(os.urandom(32), os.urandom(32)), DeviceKey(os.urandom(32))


def open_epoch(
    terminal: str, centre: CentreKeys, device: DeviceKey, first_seq: int, link: bytes
) -> Epoch:
    """A new epoch that continues from `link`."""
    return Epoch.open(
        terminal, centre.public, device, os.urandom(16), os.urandom(32), first_seq, link
    )
