"""Intake: what the centre does with one batch. A pure decision over an injected transaction.

| batch is | code | answer | effect |
| --- | --- | --- | --- |
| too large, badly signed, broken, of no terminal | REFUSED_* | none | counted, sampled |
| all known, same links | DUPLICATE | receipt again | nothing |
| not tied to anything known (gap) | GAP_* | rewind, <= 1/s a terminal | nothing |
| of an unknown centre key, opener missing | HOLD_* | hold | nothing advances |
| next in its chain | ACCEPTED | receipt | records, effects, watermark: one commit |
| tied to a record that is no head | BRANCH_ACCEPTED | receipt, exceptions | branch, held, alarm |
| next in a branch | BRANCH_ACCEPTED | receipt, exceptions | stored there, effects held |

A record that does not open or decode is quarantined with its bytes; the batch goes on, the receipt
names it, as it names one that a rule of core/reconcile.py left to a person. Known records at the
beginning of a batch are skipped, the rest is treated as above. The gap comes before the hold: the
opener may be in the batch that is missing.

Answers are values here: they are signed and sent after the commit, by the caller.
"""

from collections import OrderedDict
from collections.abc import Sequence
from typing import NamedTuple

from protocol.batch import BATCH_RECORDS_MAX, Batch, parse_batch
from protocol.envelope import EpochReader, parse_opener
from protocol.errors import BatchError, EnvelopeError, Reason
from protocol.keys import CentreKeys
from protocol.receipts import (
    EXCEPTIONS_MAX,
    Answer,
    Hold,
    HoldReason,
    Receipt,
    Rewind,
)
from sync_server.core import ledger, unique
from sync_server.core.chains import MAIN, NO_HISTORY, Place, PlaceKind, find, place, segments
from sync_server.core.codes import REFUSALS, IntakeCode
from sync_server.core.contents import ContentsOpener
from sync_server.core.store_port import Chain, RecordRow, Terminal, Transaction
from sync_server.people import PersonVault

REWIND_INTERVAL_MS = 1_000
BRANCHES_MAX = 32
EPOCH_READERS_MAX = 4_096
SECURED_SEQ = 0  # no verified backup holds anything yet
ALARM_BRANCH = "branch"

_SEQ, _EXCEPTION = map(RecordRow._fields.index, ("seq", "exception"))

assert BATCH_RECORDS_MAX <= EXCEPTIONS_MAX


class Taken(NamedTuple):
    """What became of a message. `records`: how many were stored. `watermark`: of the terminal,
    before. `reason` is for the sample of a refused one."""

    code: IntakeCode
    terminal: int = 0
    answer: Answer | None = None
    records: int = 0
    watermark: int = 0
    reason: str = ""


class _Case(NamedTuple):
    """One batch on its way: whose, when, and the history it meets."""

    tx: Transaction
    terminal: Terminal
    batch: Batch
    now_ms: int
    chains: Sequence[Chain]

    def link_at(self, branch: int, seq: int) -> bytes | None:
        return self.tx.link_at(self.terminal.number, branch, seq)


def watermark(chains: Sequence[Chain]) -> int:
    """Through where the chain that advanced last is reconciled."""
    return max(chains, key=lambda chain: chain.arrival).seq


class Intake:
    """Decides over batches, one at a time. Call `committed` or `rolled_back` after each commit."""

    def __init__(self, keys: CentreKeys, vault: PersonVault, generation: int) -> None:
        self._keys = keys
        self._generation = generation
        self._contents = ContentsOpener(vault)
        self._readers: OrderedDict[bytes, EpochReader | None] = OrderedDict()
        self._rewound_ms: dict[int, int] = {}

    def committed(self) -> None:
        """What was taken since the last call is durable."""
        self._contents.known_people.committed()

    def rolled_back(self) -> None:
        """What was taken since the last call is undone."""
        self._contents.known_people.rolled_back()
        self._rewound_ms.clear()

    def take(self, tx: Transaction, name: str, raw: bytes, now_ms: int) -> Taken:
        """Decide over the message `raw` that came by the topic of terminal `name`."""
        terminal = tx.terminal(name)
        if terminal is None:
            return Taken(IntakeCode.REFUSED_UNKNOWN_TERMINAL, reason=f"{name} is not enrolled")
        number = terminal.number
        if terminal.revoked:
            return Taken(IntakeCode.REFUSED_REVOKED, number, reason=f"{name} is revoked")
        try:
            batch = parse_batch(raw, terminal.verify_key, name)
        except BatchError as error:
            code = REFUSALS.get(error.reason, IntakeCode.REFUSED_MALFORMED)
            return Taken(code, number, reason=str(error))
        case = _Case(tx, terminal, batch, now_ms, tx.chains(number) or (NO_HISTORY,))
        where = place(batch, case.chains, case.link_at)
        if where.kind is PlaceKind.KNOWN:
            return Taken(IntakeCode.DUPLICATE, number, self._receipt(case, where.branch, ()))
        if where.kind is PlaceKind.LOOSE:
            return self._gap(case)
        return self._accept(case, where)

    # ---- gap

    def _gap(self, case: _Case) -> Taken:
        number = case.terminal.number
        last_ms = self._rewound_ms.get(number)
        if last_ms is not None and 0 <= case.now_ms - last_ms < REWIND_INTERVAL_MS:
            return Taken(IntakeCode.GAP_NOT_ANSWERED, number)
        self._rewound_ms[number] = case.now_ms
        seq, link = self._rewind_to(case)
        rewind = Rewind(case.terminal.name, self._generation, seq, link, case.now_ms)
        return Taken(IntakeCode.GAP_REWOUND, number, rewind)

    @staticmethod
    def _rewind_to(case: _Case) -> tuple[int, bytes]:
        """The place before the batch from which the terminal should send again.

        A terminal believes a rewind only when the link there is its own. So: where its epoch
        stands here, or where that epoch left what is known, or the head that advanced last. A
        history of which nothing is known here starts again from what is secured.
        """
        batch = case.batch
        epoch = case.tx.epoch(case.terminal.number, batch.opener_hash)
        last = max(case.chains, key=lambda chain: chain.arrival)
        if epoch is not None:
            head = next(chain for chain in case.chains if chain.branch == epoch.branch)
            if head.seq < batch.first_seq:
                return head.seq, head.link
        elif batch.opener is not None:
            opener = parse_opener(batch.opener)
            seq, link = opener.first_seq - 1, opener.link_before
            if find(case.chains, case.link_at, seq, link) is not None:
                return seq, link
        if last.seq < batch.first_seq:
            return last.seq, last.link
        return SECURED_SEQ, NO_HISTORY.link

    # ---- accept

    def _accept(self, case: _Case, where: Place) -> Taken:
        tx, terminal, batch = case.tx, case.terminal, case.batch
        number = terminal.number
        is_fork = where.kind is PlaceKind.FORK
        if is_fork and len(case.chains) >= BRANCHES_MAX:
            return self._hold(
                case, IntakeCode.HOLD_TOO_MANY_BRANCHES, HoldReason.TERMINAL_SUSPENDED
            )
        stored = tx.epoch(number, batch.opener_hash)
        opener = stored.opener if stored is not None else batch.opener
        if opener is None:
            return self._hold(case, IntakeCode.HOLD_OPENER_MISSING, HoldReason.OPENER_MISSING)
        if stored is not None and stored.epoch_id != batch.epoch_id:
            reason = "names an opener of another epoch"
            return Taken(IntakeCode.REFUSED_WRONG_EPOCH, number, reason=reason)
        try:
            reader = self._reader(batch.opener_hash, opener, terminal)
        except EnvelopeError:
            return self._hold(
                case, IntakeCode.HOLD_UNKNOWN_CENTRE_KEY, HoldReason.UNKNOWN_CENTRE_KEY
            )
        old = next(chain for chain in case.chains if chain.branch == where.branch)
        branch = max(chain.branch for chain in case.chains) + 1 if is_fork else where.branch
        if stored is None:
            stored = tx.add_epoch(number, batch.opener_hash, batch.epoch_id, opener, branch)
        arrival = tx.new_arrival(number, stored.number, case.now_ms, tx.clock_offset_ms(number))
        tip_seq = batch.first_seq - 1 + where.known
        chain = Chain(
            branch,
            batch.last_seq,
            batch.link_last,
            where.branch if is_fork else old.parent,
            tip_seq if is_fork else old.fork_seq,
            arrival,
        )
        rows = batch.rows[where.known :]
        contents = self._contents.open(terminal, chain, rows, reader, case.now_ms)
        unique.settle(tx, contents)
        ledger.settle(tx, contents)
        tx.add(number, contents)
        if is_fork:
            self._report_fork(case, chain)
        new = tuple((row[_SEQ], row[_EXCEPTION]) for row in contents.records if row[_EXCEPTION])
        code = IntakeCode.ACCEPTED if branch == MAIN else IntakeCode.BRANCH_ACCEPTED
        receipt = self._receipt(case, where.branch, new, tip_seq)
        return Taken(code, number, receipt, len(rows), watermark(case.chains))

    def _reader(self, opener_hash: bytes, opener: bytes, terminal: Terminal) -> EpochReader | None:
        """The epoch's reader, None when its records can never be opened.

        Raises EnvelopeError when they could be with another key of the centre.
        """
        if opener_hash in self._readers:
            self._readers.move_to_end(opener_hash)
            return self._readers[opener_hash]
        reader = None
        try:
            reader = EpochReader.open(opener, self._keys, terminal.verify_key)
        except EnvelopeError as error:
            if error.reason is Reason.UNKNOWN_CENTRE_KEY:
                raise
        self._readers[opener_hash] = reader
        if len(self._readers) > EPOCH_READERS_MAX:
            self._readers.popitem(last=False)
        return reader

    @staticmethod
    def _report_fork(case: _Case, chain: Chain) -> None:
        """A restored disk also brings an old session counter: its states must count again."""
        number = case.terminal.number
        case.tx.forget_state(number)
        case.tx.raise_alarm(
            number,
            ALARM_BRANCH,
            case.now_ms,
            f"branch {chain.branch} left branch {chain.parent} after record {chain.fork_seq}: "
            "its disk was restored or cloned; effects of the branch are held",
        )

    # ---- answers

    def _receipt(
        self,
        case: _Case,
        branch: int,
        new: Sequence[tuple[int, int]],
        stored_last: int | None = None,
    ) -> Receipt:
        """The receipt of the whole batch: its stored part ends at `stored_last` on `branch`."""
        batch = case.batch
        number = case.terminal.number
        last = batch.last_seq if stored_last is None else stored_last
        stored: list[tuple[int, int]] = []
        for owner, low, high in segments(case.chains, branch, batch.first_seq, last):
            stored[:0] = case.tx.exceptions(number, owner, low, high)
        return Receipt(
            batch.terminal,
            self._generation,
            batch.epoch_id,
            batch.last_seq,
            batch.link_last,
            SECURED_SEQ,
            case.now_ms,
            (*stored, *new),
        )

    def _hold(self, case: _Case, code: IntakeCode, reason: HoldReason) -> Taken:
        seq = watermark(case.chains)
        hold = Hold(case.terminal.name, self._generation, seq, reason, case.now_ms)
        return Taken(code, case.terminal.number, hold)
