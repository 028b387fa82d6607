"""Cash in any order, again, and by branches, with officers in between: the books always balance."""

import tempfile
from collections import Counter
from contextlib import suppress
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from protocol.records import (
    NOTE_CASE,
    NOTE_RETURNED,
    NOTE_STACKED,
    Body,
    CashCassette,
    CashNote,
    CashPayment,
)
from sync_server import cash, cash_cassettes, cash_desk
from sync_server.core import ledger
from sync_server.core.reconcile import RULES
from sync_server.core.store_port import Arrival, Chain, Store
from sync_server.store_memory import MemoryStore
from sync_server.store_sqlite import SqliteStore, open_store
from sync_server.units import Scope
from tests.server.cash_tools import FEE, NOBODY, payment_id, unbalanced
from tests.server.making import NOON_MS, UNIT, common_now, enrol

FEN = st.sampled_from((100, 500, 1000, 2000, 10000))
NOTES = st.builds(
    CashNote,
    note=st.integers(1, 6),
    payment=st.sampled_from((payment_id(1), payment_id(2), NOBODY)),
    fen=FEN,
    outcome=st.sampled_from((NOTE_STACKED, NOTE_RETURNED, NOTE_CASE)),
)
PAYMENTS = st.builds(
    CashPayment,
    service=st.just(FEE),
    definition=st.just(1),
    payment=st.sampled_from((payment_id(1), payment_id(2))),
    due_fen=FEN,
    paid_fen=st.integers(0, 200).map(lambda yuan: yuan * 100),
    kept_fen=st.integers(0, 200).map(lambda yuan: yuan * 100),
    voucher=st.sampled_from(("", "VA-001", "VA-002")),
)
CASSETTES = st.builds(CashCassette, notes=st.integers(0, 9), fen=FEN)
RECORDS = st.lists(
    st.tuples(NOTES | PAYMENTS | CASSETTES, st.sampled_from((0, 0, 0, 1))), max_size=14
)
"""A record and the branch it comes by."""
ACTS_ON_CASES = sorted({outcome for each in ledger.OUTCOMES.values() for outcome in each})
ACTS = st.lists(
    st.tuples(st.integers(1, 6), st.sampled_from(("voucher", "count", *ACTS_ON_CASES))),
    max_size=6,
)


def bring(store: Store, body: Body, branch: int, seq: int) -> None:
    """One record as intake brings it, without its seal."""
    arrival = Arrival(seq, Chain(branch, seq, bytes(32), 0, 0, seq), UNIT, NOON_MS, name="gate-1")
    RULES[type(body)](arrival, (1, branch, seq), common_now(), body, None, None)
    with store.transaction() as tx:
        ledger.settle(tx, arrival)


def violations(store: SqliteStore) -> list[str]:
    """What does not balance."""
    connection = store.connection
    found = unbalanced(store)
    if connection.execute("SELECT coalesce(sum(fen), 0) FROM cash_entry").get:
        found.append("the trial balance is not 0")
    kept = dict(connection.execute("SELECT account, fen FROM cash_account").fetchall())
    if kept != dict(connection.execute("SELECT account, sum(fen) FROM cash_entry GROUP BY 1")):
        found.append("the sums that are kept differ from the entries")
    rows = cash.sheet(connection, Scope())
    found += [f"{row}" for row in rows if row["difference_fen"]]
    found += map(str, cash.out_of_balance(connection, Scope()))
    found += [
        f"{name} owes what it never had"
        for name, fen in kept.items()
        if name.startswith(("voucher:", "claim:")) and fen > 0
    ]
    return found


@given(records=RECORDS, acts=ACTS, again=st.randoms())
@settings(max_examples=60, deadline=None)
def test_books_balance_after_every_record_and_every_act(records, acts, again) -> None:
    with tempfile.TemporaryDirectory() as folder:
        store = open_store(Path(folder) / "centre.db")
        enrol(store, "gate-1", b"k" * 32)
        memory = MemoryStore()
        twice = [*records, *again.sample(records, len(records) // 2)]
        again.shuffle(twice)
        for seq, (body, branch) in enumerate(twice, 1):
            bring(store, body, branch, seq)
            bring(memory, body, branch, seq)
        assert violations(store) == []
        balances = {name: fen for name, fen in memory.tables.balances.items() if fen}
        sql = "SELECT account, fen FROM cash_account WHERE fen <> 0"
        assert balances == dict(store.connection.execute(sql)), "both stores say the same"
        for number, act in acts:
            officer(store, number, act)
        assert violations(store) == []
        store.close()


def officer(store: SqliteStore, number: int, act: str) -> None:
    """Pay or close, when there is such a thing."""
    with suppress(cash_desk.CashError):
        if act == "count":
            waiting = list(cash_cassettes.cassettes(store.connection, Scope(UNIT)))
            seq = waiting[number % len(waiting)]["seq"] if waiting else number
            cash_cassettes.count(
                store.connection, Scope(UNIT), "gate-1", seq, number * 700, "li.wei", "x", NOON_MS
            )
        elif act == "voucher":
            cash_desk.settle(store.connection, Scope(UNIT), number, "li.wei", NOON_MS)
        else:
            cash_desk.close(store.connection, Scope(UNIT), number, act, "li.wei", "looked", NOON_MS)


@given(order=st.permutations(range(5)))
@settings(max_examples=60, deadline=None)
def test_the_order_of_a_payments_records_changes_nothing_in_the_end(order) -> None:
    """Two notes, one given back, the payment and the note of another one, in any order."""
    bodies: list[Body] = [
        CashNote(1, payment_id(1), 2000, NOTE_STACKED),
        CashNote(2, payment_id(1), 1000, NOTE_STACKED),
        CashNote(3, payment_id(1), 10000, NOTE_RETURNED),
        CashPayment(FEE, 1, payment_id(1), 2500, 3000, 2500, "VA-001"),
        CashNote(4, payment_id(2), 500, NOTE_STACKED),
    ]
    store = MemoryStore()
    for seq, index in enumerate(order, 1):
        bring(store, bodies[index], 0, seq)
    left = Counter({name: fen for name, fen in store.tables.balances.items() if fen})
    assert left == {
        "cassette:gate-1": 3500,
        f"payment:gate-1/{payment_id(2).hex()}": -500,
        f"revenue:{FEE}": -2500,
        "voucher:1": -500,
    }
    assert set(store.tables.case) == set(store.tables.closed)
