"""Where a batch belongs in a terminal's history. Pure: reads links, decides, changes nothing.

A link (SHA-256 over all before it) names one whole history, so a batch is placed by the longest
beginning of it that is stored already:

| of link_before and the rows' links, stored are | placement |
| --- | --- |
| all                                            | KNOWN     |
| some, and the last of these is a branch's head | NEXT: the other rows continue that branch |
| some, and the last of these is inside a branch | FORK: the other rows begin a branch there |
| none                                           | LOOSE: something before it is missing |
"""

from collections.abc import Callable, Sequence
from enum import IntEnum
from typing import NamedTuple

from protocol.batch import Batch
from protocol.fields import LINK_ZERO
from sync_server.core.store_port import Chain

MAIN = 0
NO_HISTORY = Chain(branch=MAIN, seq=0, link=LINK_ZERO, parent=MAIN, fork_seq=0, arrival=0)

LinkAt = Callable[[int, int], bytes | None]
"""(branch, seq) -> link of the branch's own record."""


class PlaceKind(IntEnum):
    """The rows of the table above."""

    KNOWN = 1
    NEXT = 2
    FORK = 3
    LOOSE = 4


class Place(NamedTuple):
    """`branch` holds the batch's last stored link; the first `known` rows are stored already."""

    kind: PlaceKind
    branch: int = MAIN
    known: int = 0


def place(batch: Batch, chains: Sequence[Chain], link_at: LinkAt) -> Place:
    """Place a batch among `chains` (NO_HISTORY for a new terminal)."""
    before = batch.first_seq - 1
    for chain in chains:
        if chain.seq == before and chain.link == batch.link_before:
            return Place(PlaceKind.NEXT, chain.branch)
    count = len(batch.rows)
    branch = find(chains, link_at, batch.last_seq, batch.link_last)
    if branch is not None:
        return Place(PlaceKind.KNOWN, branch, count)
    branch = find(chains, link_at, before, batch.link_before)
    if branch is None:
        return Place(PlaceKind.LOOSE)
    low, high = 0, count  # `low` rows are stored, `high` rows are not all
    while high - low > 1:
        middle = (low + high) // 2
        seq, *_, link = batch.rows[middle - 1]
        found = find(chains, link_at, seq, link)
        if found is None:
            high = middle
        else:
            low, branch = middle, found
    head = next(chain.seq for chain in chains if chain.branch == branch)
    kind = PlaceKind.NEXT if head == before + low else PlaceKind.FORK
    return Place(kind, branch, low)


def find(chains: Sequence[Chain], link_at: LinkAt, seq: int, link: bytes) -> int | None:
    """The branch that owns the record with this link, None when no branch has it."""
    if seq == 0:
        return MAIN if link == LINK_ZERO else None
    for chain in chains:
        if chain.seq == seq:
            if chain.link == link:
                return chain.branch
        elif chain.fork_seq < seq < chain.seq and link_at(chain.branch, seq) == link:
            return chain.branch
    return None


def segments(
    chains: Sequence[Chain], branch: int, first: int, last: int
) -> list[tuple[int, int, int]]:
    """Who owns first..last on the way to `branch`: (branch, first, last), from last to first."""
    by_branch = {chain.branch: chain for chain in chains}
    parts = []
    while first <= last:
        chain = by_branch[branch]
        start = max(first, chain.fork_seq + 1)
        if start <= last:
            parts.append((branch, start, last))
            last = start - 1
        branch = chain.parent
    return parts
