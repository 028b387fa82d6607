"""What is in a batch: opens, decodes and reconciles its rows into what the store keeps.

A row that does not open or decode becomes a record with its bytes and an exception code, and a
line in the quarantine; it never stops the rows after it.
"""

from collections.abc import Sequence

from protocol.batch import SealedRow
from protocol.envelope import EpochReader
from protocol.errors import RecordError
from protocol.receipts import ExceptionCode
from protocol.records import Person, TicketIssued, decode
from sync_server.core.chains import MAIN
from sync_server.core.reconcile import RULES, Key
from sync_server.core.store_port import (
    Arrival,
    Chain,
    QuarantineRow,
    RecordRow,
    Terminal,
)
from sync_server.people import KnownPeople, PersonVault

NOT_OPENED = "does not open under its epoch's key"


class ContentsOpener:
    """Opens rows. Its `known_people` must hear of each commit and rollback."""

    def __init__(self, vault: PersonVault) -> None:
        self._vault = vault
        self.known_people = KnownPeople()

    def open(
        self,
        terminal: Terminal,
        chain: Chain,
        rows: Sequence[SealedRow],
        reader: EpochReader | None,
        received_ms: int,
    ) -> Arrival:
        """Everything to store for `rows`, which end at `chain`'s head. No reader: none opens."""
        number, branch, arrival = terminal.number, chain.branch, chain.arrival
        exception = 0 if branch == MAIN else int(ExceptionCode.BRANCH_HELD)
        contents = Arrival(arrival, chain, terminal.unit, received_ms, name=terminal.name)
        people: dict[bytes, Person] = {}
        plaintexts = reader.unseal_rows(rows) if reader else [None] * len(rows)
        for row, plaintext in zip(rows, plaintexts, strict=True):
            seq, kind, coding, ciphertext, link = row
            key = (number, branch, seq)
            if plaintext is None:
                _quarantine(contents, key, row, ExceptionCode.QUARANTINED_SEAL, NOT_OPENED)
                continue
            try:
                common, body = decode(kind, coding, plaintext)
            except RecordError as error:
                _quarantine(contents, key, row, ExceptionCode.QUARANTINED_SCHEMA, str(error))
                continue
            contents.records.append(
                (
                    number,
                    branch,
                    seq,
                    arrival,
                    kind,
                    coding,
                    common.at_ms,
                    common.time_quality,
                    common.correlation,
                    exception,
                    link,
                    ciphertext,
                )
            )
            person = getattr(body, "person", None)
            person_ref = None if person is None else self._name(person, people)
            officer = body.officer if isinstance(body, TicketIssued) else None
            officer_ref = None if officer is None else self._name(officer, people)
            RULES[type(body)](contents, key, common, body, person_ref, officer_ref)
        new = self.known_people.new(people)
        contents.people.extend(self._vault.seal([(ref, people[ref]) for ref in new]))
        return contents

    def _name(self, person: Person, people: dict[bytes, Person]) -> bytes:
        """The person's pseudonym; the person is noted under it."""
        ref = self._vault.ref(person)
        people.setdefault(ref, person)
        return ref


def _quarantine(
    contents: Arrival, key: Key, row: SealedRow, code: ExceptionCode, reason: str
) -> None:
    _, kind, coding, ciphertext, link = row
    contents.quarantined.append(QuarantineRow(*key, reason))
    contents.records.append(
        RecordRow(
            *key,
            contents.number,
            kind,
            coding,
            None,
            None,
            None,
            int(code),
            link,
            ciphertext,
        )
    )
