"""Each row of the intake table, over both stores."""

import pytest

from protocol.batch import BATCH_BYTES_MAX
from protocol.envelope import LINK_ZERO, make_header, next_link
from protocol.keys import CentreKeys, DeviceKey
from protocol.receipts import ExceptionCode, Hold, HoldReason, Receipt, Rewind
from protocol.records import CODING_MSGPACK, DIRECTION_EXIT, Person, ServiceFact
from sync_server.core.codes import IntakeCode
from sync_server.core.intake import BRANCHES_MAX, REWIND_INTERVAL_MS
from tests.server.making import NOON_MS, Centre, SimTerminal, number_of, passage, spoilt


def receipt(centre: Centre, raw: bytes) -> Receipt:
    answer = centre.answer(raw)
    assert isinstance(answer, Receipt)
    return answer


def test_next_in_chain_is_stored_and_receipted(centre: Centre, terminal: SimTerminal) -> None:
    terminal.visit(3)
    terminal.tick()
    taken = centre.take(terminal.batch(1, 4))
    assert taken.code is IntakeCode.ACCEPTED
    assert taken.records == 4
    answer = taken.answer
    assert isinstance(answer, Receipt)
    assert (answer.through_seq, answer.link) == (4, terminal.rows[3].link)
    assert (answer.exceptions, answer.secured_seq, answer.time_ms) == ((), 0, NOON_MS)
    assert centre.main_seqs() == [1, 2, 3, 4]
    assert [row.seq for row in centre.visits()] == [1, 2, 3]
    assert {row.held for row in centre.visits()} == {0}


def test_what_the_terminal_said_is_stored_as_it_said_it(
    centre: Centre, terminal: SimTerminal
) -> None:
    at_ms = NOON_MS - 10 * 365 * 86_400_000  # a dead clock
    terminal.append(passage(5, DIRECTION_EXIT), at_ms)
    centre.take(terminal.batch(1, 1))
    (row,) = centre.records()
    assert (row.at_ms, row.link, row.ciphertext) == (
        at_ms,
        terminal.rows[0].link,
        terminal.rows[0].ciphertext,
    )
    (visit,) = centre.visits()
    assert (visit.business_date, visit.direction) == ("2016-08-04", DIRECTION_EXIT)
    assert visit.person_ref == centre.vault.ref(Person("C", number_of(5), ""))


def test_duplicate_gets_the_same_receipt_and_no_new_rows(
    centre: Centre, terminal: SimTerminal
) -> None:
    terminal.visit(5)
    first = receipt(centre, terminal.batch(1, 5))
    before = centre.records()
    again = centre.take(terminal.batch(1, 5))
    assert again.code is IntakeCode.DUPLICATE
    assert again.answer == first
    part = receipt(centre, terminal.batch(2, 3))
    assert (part.through_seq, part.link) == (3, terminal.rows[2].link)
    assert centre.records() == before


def test_a_batch_that_is_half_known_brings_its_other_half(
    centre: Centre, terminal: SimTerminal
) -> None:
    terminal.visit(10)
    centre.take(terminal.batch(1, 4))
    taken = centre.take(terminal.batch(3, 10))
    assert (taken.code, taken.records) == (IntakeCode.ACCEPTED, 6)
    assert centre.main_seqs() == list(range(1, 11))
    assert len(centre.visits()) == 10


def test_gap_is_rewound_at_most_once_a_second(centre: Centre, terminal: SimTerminal) -> None:
    terminal.visit(9)
    centre.take(terminal.batch(1, 2))
    taken = centre.take(terminal.batch(5, 9))
    assert taken.code is IntakeCode.GAP_REWOUND
    assert taken.answer == Rewind("gate-1", 1, 2, terminal.rows[1].link, NOON_MS)
    assert centre.take(terminal.batch(5, 9)).code is IntakeCode.GAP_NOT_ANSWERED
    centre.now_ms += REWIND_INTERVAL_MS
    assert centre.take(terminal.batch(5, 9)).code is IntakeCode.GAP_REWOUND
    assert centre.main_seqs() == [1, 2]


def test_gap_of_a_new_terminal_goes_back_to_the_beginning(
    centre: Centre, terminal: SimTerminal
) -> None:
    terminal.visit(2)
    answer = centre.answer(terminal.batch(2, 2, opener=False))
    assert isinstance(answer, Rewind)
    assert (answer.seq, answer.link) == (0, LINK_ZERO)


def test_opener_missing_holds_until_it_comes(centre: Centre, terminal: SimTerminal) -> None:
    terminal.visit(3)
    held = centre.take(terminal.batch(1, 3, opener=False))
    assert held.code is IntakeCode.HOLD_OPENER_MISSING
    assert held.answer == Hold("gate-1", 1, 0, HoldReason.OPENER_MISSING, NOON_MS)
    assert centre.records() == []
    assert centre.take(terminal.batch(1, 2)).code is IntakeCode.ACCEPTED
    centre.restart()
    assert centre.take(terminal.batch(3, 3, opener=False)).code is IntakeCode.ACCEPTED
    assert len(centre.visits()) == 3


def test_unknown_centre_key_holds_and_nothing_advances(
    centre: Centre, terminal: SimTerminal
) -> None:
    terminal.centre = CentreKeys(b"o" * 32, b"o" * 32)
    terminal.visit(2)
    taken = centre.take(terminal.batch(1, 2))
    assert taken.code is IntakeCode.HOLD_UNKNOWN_CENTRE_KEY
    assert isinstance(taken.answer, Hold)
    assert taken.answer.reason == HoldReason.UNKNOWN_CENTRE_KEY
    assert centre.records() == []


def test_hash_of_another_epochs_opener_is_refused(centre: Centre, terminal: SimTerminal) -> None:
    terminal.visit(1)
    centre.take(terminal.batch(1, 1))
    old = terminal.epoch_of[0]
    terminal.new_epoch()
    terminal.visit(1)
    epoch = terminal.epoch_of[1]
    epoch.opener = old.opener
    assert centre.take(terminal.batch(2, 2, opener=False)).code is IntakeCode.REFUSED_WRONG_EPOCH


def test_a_record_that_does_not_decode_is_quarantined_and_the_rest_goes_on(
    centre: Centre, terminal: SimTerminal
) -> None:
    terminal.visit(1)
    terminal.append_raw(1, CODING_MSGPACK, b"not a record")
    terminal.append_raw(999, CODING_MSGPACK, b"\x90")
    terminal.append_raw(1, 77, b"packed in a way of the future")
    terminal.visit(1)
    answer = receipt(centre, terminal.batch(1, 5))
    schema = ExceptionCode.QUARANTINED_SCHEMA
    assert answer.exceptions == ((2, schema), (3, schema), (4, schema))
    assert centre.main_seqs() == [1, 2, 3, 4, 5]
    assert [row.seq for row in centre.visits()] == [1, 5]
    assert centre.records()[1].ciphertext == terminal.rows[1].ciphertext
    assert receipt(centre, terminal.batch(1, 5)) == answer, "a duplicate names them again"


def test_a_record_that_does_not_open_is_quarantined(centre: Centre, terminal: SimTerminal) -> None:
    terminal.visit(1)
    stranger = SimTerminal(centre.keys, seed=9)
    stranger.device, stranger.rows = terminal.device, terminal.rows[:]
    stranger.epoch_of = terminal.epoch_of[:]
    row = stranger.append(passage(1))  # sealed under a key that its opener does not hold
    terminal.rows.append(row)
    terminal.epoch_of.append(terminal.epoch_of[0])
    epoch = terminal.epoch_of[0]
    header = make_header("gate-1", epoch.epoch_id, 2, row.kind, row.coding)
    link = next_link(terminal.rows[0].link, header, row.ciphertext)
    terminal.rows[1] = row._replace(link=link)
    answer = receipt(centre, terminal.batch(1, 2))
    assert answer.exceptions == ((2, ExceptionCode.QUARANTINED_SEAL),)
    assert [row.seq for row in centre.visits()] == [1]


def test_an_epoch_whose_opener_is_broken_is_quarantined_whole(
    centre: Centre, terminal: SimTerminal
) -> None:
    epoch = terminal.new_epoch()
    epoch.opener = spoilt(epoch.opener)
    terminal.visit(2)
    answer = receipt(centre, terminal.batch(1, 2))
    assert [code for _, code in answer.exceptions] == [ExceptionCode.QUARANTINED_SEAL] * 2
    assert centre.main_seqs() == [1, 2]
    terminal.new_epoch()
    terminal.visit(1)
    assert receipt(centre, terminal.batch(3, 3)).exceptions == (), "the next epoch goes on"


@pytest.mark.parametrize(
    ("change", "code"),
    [
        (spoilt, IntakeCode.REFUSED_BAD_SIGNATURE),
        (lambda raw: raw[:40], IntakeCode.REFUSED_TOO_SHORT),
        (lambda raw: raw + bytes(BATCH_BYTES_MAX), IntakeCode.REFUSED_TOO_LARGE),
    ],
)
def test_bad_batches_get_no_answer(centre: Centre, terminal: SimTerminal, change, code) -> None:
    terminal.visit(2)
    taken = centre.take(change(terminal.batch(1, 2)))
    assert (taken.code, taken.answer) == (code, None)
    assert taken.reason
    assert centre.records() == []


def test_wrong_suite_is_refused(centre: Centre, terminal: SimTerminal) -> None:
    terminal.visit(1)
    body = bytearray(terminal.batch(1, 1)[:-64])
    body[4] = 99
    taken = centre.take(terminal.device.sign(b"tongban/1/batch", bytes(body)))
    assert (taken.code, taken.answer) == (IntakeCode.REFUSED_WRONG_SUITE, None)


def test_another_terminals_batch_is_refused(centre: Centre, terminal: SimTerminal) -> None:
    other = SimTerminal(centre.keys, "gate-2")
    centre.enrol(other)
    terminal.visit(1)
    raw = terminal.batch(1, 1)
    assert centre.take(raw, "gate-2").code is IntakeCode.REFUSED_BAD_SIGNATURE
    other.device = terminal.device
    centre.enrol(SimTerminal(centre.keys, "gate-3"))
    assert centre.take(raw, "gate-9").code is IntakeCode.REFUSED_UNKNOWN_TERMINAL


def test_a_batch_that_names_another_terminal_is_refused(
    centre: Centre, terminal: SimTerminal
) -> None:
    liar = SimTerminal(centre.keys, "gate-2")
    liar.device = terminal.device
    liar.visit(1)
    assert centre.take(liar.batch(1, 1), "gate-1").code is IntakeCode.REFUSED_WRONG_TERMINAL


def test_a_revoked_terminal_is_refused_from_the_next_message_on(
    centre: Centre, terminal: SimTerminal
) -> None:
    terminal.visit(2)
    assert centre.take(terminal.batch(1, 1)).code is IntakeCode.ACCEPTED
    centre.enrol(terminal, revoked=True)
    taken = centre.take(terminal.batch(2, 2))
    assert (taken.code, taken.answer) == (IntakeCode.REFUSED_REVOKED, None)
    assert centre.main_seqs() == [1]


def test_a_device_key_of_nobody_settles_nothing(centre: Centre, terminal: SimTerminal) -> None:
    terminal.visit(1)
    terminal.device = DeviceKey(b"n" * 32)
    assert centre.take(terminal.batch(1, 1)).code is IntakeCode.REFUSED_BAD_SIGNATURE


def test_a_service_fact_is_a_visit_when_its_definition_says_so(
    centre: Centre, terminal: SimTerminal
) -> None:
    terminal.append(ServiceFact("queue", 1, {"ticket": "B-017"}, None, True))
    terminal.append(ServiceFact("survey", 1, {"score": 5}, Person("C", number_of(1), "样例")))
    centre.take(terminal.batch(1, 2))
    assert [(row.seq, row.service) for row in centre.visits()] == [(1, "queue")]


# ---- branches


def test_a_restored_disk_becomes_a_branch(centre: Centre, terminal: SimTerminal) -> None:
    terminal.visit(10)
    centre.take(terminal.batch(1, 10))
    twin = terminal.restored(6).visit(3)
    taken = centre.take(twin.batch(7, 9))
    assert taken.code is IntakeCode.BRANCH_ACCEPTED
    assert isinstance(taken.answer, Receipt)
    held = ExceptionCode.BRANCH_HELD
    assert (taken.answer.through_seq, taken.answer.link) == (9, twin.link)
    assert taken.answer.exceptions == ((7, held), (8, held), (9, held))
    assert [row[1:3] for row in centre.records() if row.branch] == [(1, 7), (1, 8), (1, 9)]
    assert len([row for row in centre.visits() if not row.held]) == 10
    assert len([row for row in centre.visits() if row.held]) == 3
    assert len(centre.alarms()) == 1
    assert centre.answer(twin.batch(7, 9)) == taken.answer, "again: the same receipt"


def test_later_epochs_continue_the_branch_and_the_first_chain_goes_on(
    centre: Centre, terminal: SimTerminal
) -> None:
    terminal.visit(10)
    centre.take(terminal.batch(1, 10))
    twin = terminal.restored(6).visit(2)
    centre.take(twin.batch(7, 8))
    twin.new_epoch()
    twin.visit(4)
    assert centre.take(twin.batch(9, 12)).code is IntakeCode.BRANCH_ACCEPTED
    terminal.visit(2)
    assert centre.take(terminal.batch(11, 12)).code is IntakeCode.ACCEPTED
    assert {row.branch for row in centre.records()} == {0, 1}
    assert len(centre.alarms()) == 1


def test_a_branch_of_a_branch(centre: Centre, terminal: SimTerminal) -> None:
    terminal.visit(10)
    centre.take(terminal.batch(1, 10))
    twin = terminal.restored(6).visit(4)
    centre.take(twin.batch(7, 10))
    third = twin.restored(8, seed=3).visit(4)
    answer = receipt(centre, third.batch(9, 12))
    assert answer.link == third.link
    third.new_epoch()
    third.visit(1)
    assert centre.take(third.batch(13, 13)).code is IntakeCode.BRANCH_ACCEPTED
    assert {row.branch for row in centre.records()} == {0, 1, 2}
    assert centre.take(twin.batch(7, 8)).code is IntakeCode.DUPLICATE


def test_an_empty_disk_with_the_old_key_is_a_branch_from_the_beginning(
    centre: Centre, terminal: SimTerminal
) -> None:
    terminal.visit(4)
    centre.take(terminal.batch(1, 4))
    fresh = terminal.restored(0).visit(2)
    assert centre.take(fresh.batch(1, 2)).code is IntakeCode.BRANCH_ACCEPTED


def test_a_snapshot_with_its_memory_forks_inside_an_epoch(
    centre: Centre, terminal: SimTerminal
) -> None:
    """Both machines go on under one epoch id; their links tell them apart."""
    terminal.visit(4)
    centre.take(terminal.batch(1, 4))
    twin = terminal.restored(2)
    epoch = terminal.epoch_of[0]
    twin.epoch = type(epoch).open(
        "gate-1", centre.keys.public, twin.device, epoch.epoch_id, b"q" * 32, 1, LINK_ZERO
    )
    twin.epoch.link, twin.epoch.seq_next = twin.link, 3
    twin.epoch.opener = epoch.opener
    twin.epoch_of = [twin.epoch, twin.epoch]
    twin.visit(2)
    answer = receipt(centre, twin.batch(1, 4))
    assert [seq for seq, _ in answer.exceptions] == [3, 4]
    assert len(centre.alarms()) == 1


def test_a_lost_batch_of_a_branch_is_led_back_to_where_it_left(
    centre: Centre, terminal: SimTerminal
) -> None:
    terminal.visit(10)
    centre.take(terminal.batch(1, 10))
    twin = terminal.restored(6).visit(3)
    answer = centre.answer(twin.batch(8, 9))
    assert isinstance(answer, Rewind)
    assert (answer.seq, answer.link) == (6, twin.rows[5].link)
    centre.take(twin.batch(7, 7))
    centre.now_ms += REWIND_INTERVAL_MS
    answer = centre.answer(twin.batch(9, 9))
    assert isinstance(answer, Rewind)
    assert (answer.seq, answer.link) == (7, twin.rows[6].link)


def test_a_history_that_nothing_here_leads_to_starts_again(
    centre: Centre, terminal: SimTerminal
) -> None:
    """The links of a rewind must be the terminal's own, or it does not believe it."""
    terminal.visit(300)
    for raw in terminal.batches():
        centre.take(raw)
    twin = terminal.restored(20)
    for _ in range(3):
        twin.new_epoch()
        twin.visit(70)
    answer = centre.answer(twin.batch(200, 210))
    assert isinstance(answer, Rewind)
    assert (answer.seq, answer.link) == (0, LINK_ZERO)
    for raw in twin.batches():
        assert isinstance(centre.answer(raw), Receipt)


def test_too_many_branches_suspend_the_terminal(centre: Centre, terminal: SimTerminal) -> None:
    terminal.visit(2)
    centre.take(terminal.batch(1, 2))
    for seed in range(2, BRANCHES_MAX + 1):
        twin = terminal.restored(1, seed).visit(1)
        assert centre.take(twin.batch(2, 2)).code is IntakeCode.BRANCH_ACCEPTED
    twin = terminal.restored(1, 99).visit(1)
    taken = centre.take(twin.batch(2, 2))
    assert taken.code is IntakeCode.HOLD_TOO_MANY_BRANCHES
    assert isinstance(taken.answer, Hold)
    assert taken.answer.reason == HoldReason.TERMINAL_SUSPENDED
