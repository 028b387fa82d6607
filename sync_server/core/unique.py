"""The rule "unique": one ticket a person, matter and day in a hall. Pure over a transaction.

| the ticket that comes | stands already | then |
| --- | --- | --- |
| of a terminal's history | none | it stands; held ones of this person are in conflict with it |
| of a terminal's history | another | CONFLICT with it; its receipt says so |
| held (came by a branch) | none | nothing: what is held never stands |
| held (came by a branch) | another | CONFLICT with it |
| any, with a number that is in this hall and day already | - | CONFLICT with the first of them |

The first that was committed stands, whenever it was printed: only what is committed was ever
receipted. Losers are kept: a conflict is two tickets, its hall and a deadline, and waits for an
officer. Both people keep their ticket, so a conflict moves nobody in the queue.
"""

from protocol.receipts import ExceptionCode
from sync_server.core.store_port import Arrival, ConflictRow, RecordRow, TicketRow, Transaction

SAME_PERSON, SAME_NUMBER = "same_person", "same_number"
DECIDE_MS = 86_400_000


def settle(tx: Transaction, arrival: Arrival) -> None:
    """Store the arrival's tickets, and mark the records whose ticket does not stand alone."""
    for row in arrival.tickets:
        is_alone = _settle_one(tx, row, arrival.received_ms)
        if not is_alone and not row.held:
            index = row.seq - RecordRow(*arrival.records[0]).seq
            record = RecordRow(*arrival.records[index])
            arrival.records[index] = record._replace(exception=int(ExceptionCode.CONFLICT))


def _settle_one(tx: Transaction, row: TicketRow, now_ms: int) -> bool:
    """Store one ticket; False when it is in conflict with an earlier one."""
    of_person = tx.tickets_of(row.unit, row.business_date, row.matter, row.person_ref)
    numbered = tx.tickets_numbered(row.unit, row.business_date, row.number)
    standing = next((stored.ticket for stored in of_person if stored.stands), None)
    stands = standing is None and not row.held
    ticket = tx.add_ticket(row._replace(stands=int(stands)))

    def leave(reason: str, first: int, later: int) -> None:
        row_ = ConflictRow(reason, row.unit, now_ms, now_ms + DECIDE_MS, first, later)
        tx.add_conflict(row_)

    if standing is not None:
        leave(SAME_PERSON, standing, ticket)
    elif stands:
        for stored in of_person:
            leave(SAME_PERSON, ticket, stored.ticket)
    if numbered and numbered[0].ticket != standing:
        leave(SAME_NUMBER, numbered[0].ticket, ticket)
    return standing is None and not numbered
