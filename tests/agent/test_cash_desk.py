"""Money at the terminal balances, whatever is lost, repeated, started again or restored."""

from hypothesis import given, settings
from hypothesis import strategies as st

from edge_agent.core import cash, cash_notes
from edge_agent.core import cash_events as cx
from protocol.records import CashNote, CashPayment
from protocol.records.kinds import NOTE_CASE, NOTE_STACKED
from protocol.wire import states
from tests.agent.cash_guards import fault_violations
from tests.agent.cash_world import RESTORING, STEPS, World, played


@settings(max_examples=60, deadline=None)
@given(st.lists(st.sampled_from(STEPS), max_size=60))
def test_any_faults_leave_the_money_balanced(steps: list[str]) -> None:
    assert played(steps) == []


@settings(max_examples=40, deadline=None)
@given(st.lists(st.sampled_from(RESTORING), max_size=60))
def test_a_restored_disk_leaves_every_note_accounted_for(steps: list[str]) -> None:
    assert played(steps) == []


def test_seeded_faults_leave_the_money_balanced() -> None:
    assert fault_violations(None) == []


def _paid(world: World, *notes: str) -> None:
    world.begin()
    world.go_on()
    for note in notes:
        world.do(note)
        world.go_on()


def _end(world: World) -> cx.Ended:
    assert len(world.ends) == 1
    return world.ends[0]


def _notes(world: World) -> list[CashNote]:
    return [body for body in world.disk.records if isinstance(body, CashNote)]


def _payment(world: World) -> CashPayment:
    (found,) = (body for body in world.disk.records if isinstance(body, CashPayment))
    return found


def test_what_is_too_much_is_owed_under_a_voucher() -> None:
    world = World()
    _paid(world, "ten", "fifty")
    end = _end(world)
    assert (end.outcome, end.voucher) == (cx.PAID, "VB-001")
    assert end.amounts == cx.Amounts(3_000, 6_000, 3_000, 3_000)
    assert _payment(world) == CashPayment("fee", 1, end.payment, 3_000, 6_000, 3_000, "VB-001")
    assert end.seq == len(world.disk.records)


def test_an_exact_payment_owes_nothing() -> None:
    world = World()
    _paid(world, "ten", "twenty")
    assert (_end(world).outcome, _end(world).voucher, _payment(world).kept_fen) == (
        *(cx.PAID, ""),
        3_000,
    )
    assert world.board.session == 0


def test_who_stops_with_money_in_the_machine_gets_a_voucher_for_it() -> None:
    world = World()
    _paid(world, "twenty", "stop")
    assert (_end(world).outcome, _payment(world).voucher) == (cx.STOPPED, "VB-001")
    assert _end(world).amounts == cx.Amounts(3_000, 2_000, 0, 2_000)


def test_who_stops_before_any_note_leaves_no_record() -> None:
    world = World()
    _paid(world, "stop")
    assert (_end(world).outcome, world.disk.records) == (cx.STOPPED, [])


def test_a_note_in_escrow_at_the_stop_goes_back() -> None:
    world = World()
    _paid(world)
    world.do("twenty")
    world.do("hear")  # the intent to take it is on its way to the disk
    world.do("stop")
    world.go_on()
    assert [note.where for note in world.board.notes.values()] == ["returned"]
    assert (_end(world).outcome, _payment(world).paid_fen) == (cx.STOPPED, 0)


def test_a_note_that_is_taken_at_the_time_limit_still_pays() -> None:
    world = World()
    _paid(world, "ten")
    world.do("twenty")
    for step in ("hear", "disk", "obey"):  # the board has taken it
        world.do(step)
    world.do("late")
    world.go_on()
    assert (_end(world).outcome, _payment(world).kept_fen) == (cx.PAID, 3_000)


def test_an_unwritten_intent_takes_no_note() -> None:
    world = World()
    _paid(world)
    for step in ("twenty", "hear", "disk fails"):
        world.do(step)
    world.go_on()
    assert [note.where for note in world.board.notes.values()] == ["returned"]


def test_an_end_is_acknowledged_only_when_the_disk_has_it() -> None:
    world = World()
    _paid(world)
    for step in ("twenty", "hear", "disk", "obey", "hear", "disk fails"):
        world.do(step)
    world.do("cut")
    world.do("link")  # the board says it again
    world.do("hear")
    assert not any(note.acked for note in world.board.notes.values())
    world.wait(cash.RETRY_MS)
    world.go_on()
    assert all(note.acked for note in world.board.notes.values())
    assert len(_notes(world)) == 1


def test_a_jammed_note_is_a_case_and_calls_for_help() -> None:
    world = World()
    _paid(world, "ten")
    world.do("twenty")
    world.do("jam")
    world.go_on()
    world.settle()
    end = _end(world)
    assert (end.outcome, end.amounts.doubt_fen, end.voucher) == (cx.IN_DOUBT, 2_000, "VB-001")
    assert world.helped == [end.payment]
    assert [note.outcome for note in _notes(world)] == [NOTE_STACKED, NOTE_CASE]


def test_a_bill_that_sticks_before_it_was_recognised_is_in_doubt_too() -> None:
    world = World()
    _paid(world)
    place, reason = states.PLACE_VALIDATOR, states.BILL_JAMMED
    told = cx.NoteTold(7, world.board.session, 0, states.NOTE_CASE, place, reason)
    world.perform(world.desk.note(told, world.now_ms))
    world.go_on()
    end = _end(world)
    assert (end.outcome, end.amounts.doubt_fen) == (cx.IN_DOUBT, 0)
    assert world.helped == [end.payment]


def test_silence_about_a_note_is_in_doubt_and_its_late_end_a_voucher() -> None:
    world = World()
    _paid(world)
    for step in ("twenty", "hear", "disk", "obey"):
        world.do(step)
    world.board.out.clear()
    world.wait(cash.NOTE_MS)
    world.wait(cash.DOUBT_MS)
    assert (_end(world).outcome, _end(world).amounts.doubt_fen) == (cx.IN_DOUBT, 2_000)
    assert world.helped
    world.do("cut")
    world.do("link")
    world.go_on()
    assert (_payment(world).kept_fen, _payment(world).voucher) == (0, "VB-001")
    assert len(world.ends) == 1


def test_a_note_that_the_board_has_forgotten_becomes_a_case() -> None:
    world = World()
    _paid(world)
    for step in ("twenty", "hear", "disk"):
        world.do(step)
    world.do("cut")
    world.board.notes.clear()
    world.board.out.clear()
    world.settle()
    (note,) = _notes(world)
    assert (note.outcome, note.place, note.reason) == (
        *(NOTE_CASE, states.PLACE_ANYWHERE),
        states.DETAIL_SILENT,
    )


def test_a_payment_of_an_earlier_life_becomes_a_voucher_and_calls_for_help() -> None:
    world = World()
    _paid(world, "twenty")
    payment = world.open
    world.do("agent restarts")
    world.go_on()
    assert world.helped == [payment]
    assert (_payment(world).kept_fen, _payment(world).voucher) == (0, "VB-001")
    assert world.ends == []


def test_money_of_a_session_that_nobody_knows_is_recorded_without_payment() -> None:
    world = World()
    _paid(world)
    world.do("twenty")
    for step in ("hear", "disk", "obey"):
        world.do(step)
    world.do("restore")  # the image is older than the payment
    world.go_on()
    (note,) = _notes(world)
    assert (note.payment, note.outcome) == (cx.NO_PAYMENT, NOTE_STACKED)


def test_an_acceptor_that_breaks_owes_what_it_took() -> None:
    world = World()
    _paid(world, "twenty")
    world.perform(world.desk.acceptor(0, works=False, cassette_out=False))
    world.go_on()
    assert (_end(world).outcome, _payment(world).voucher) == (cx.DEVICE_FAULT, "VB-001")
    world.begin()
    assert world.ends[1].outcome == cx.DEVICE_FAULT


def test_an_acceptor_that_does_not_open_is_a_device_fault() -> None:
    world = World()
    world.begin()
    world.do("disk")
    world.to_board.clear()
    world.wait(cash.OPEN_MS)
    world.go_on()
    assert (_end(world).outcome, world.disk.records) == (cx.DEVICE_FAULT, [])


def test_a_disk_that_refuses_the_end_is_told_honestly_and_heals() -> None:
    world = World()
    _paid(world, "ten")
    world.do("twenty")
    for step in ("hear", "disk", "obey", "hear", "disk"):
        world.do(step)
    for _ in range(12):
        while world.to_disk:
            world.do("disk fails")
        world.do("obey")
        world.do("hear")
        world.wait(1_500)
    assert _end(world).outcome == cx.UNKNOWN
    world.settle()
    assert world.violations() == []


def test_a_payment_takes_a_limited_number_of_notes() -> None:
    world = World()
    world.begin(due_fen=cash_notes.NOTES_MAX * 1_000 + 1)
    world.go_on()
    for _ in range(cash_notes.NOTES_MAX):
        world.do("ten")
        world.go_on()
    assert _end(world).outcome == cx.STOPPED
    assert _end(world).amounts.refund_fen == cash_notes.NOTES_MAX * 1_000


def test_only_so_many_payments_stay_open() -> None:
    world = World()
    for _ in range(cash.PAYMENTS_OPEN_MAX):
        world.begin()
    assert world.ends == []
    world.begin()
    assert _end(world).outcome == cx.DEVICE_FAULT


def test_a_cassette_is_counted_once_and_the_next_begins_at_nothing() -> None:
    world = World()
    _paid(world, "ten", "twenty")
    world.do("cassette")
    world.go_on()
    world.do("cassette")
    world.do("agent restarts")
    world.do("cassette")
    world.go_on()
    taken = [(b.notes, b.fen) for b in world.disk.records if type(b).__name__ == "CashCassette"]
    assert taken == [(2, 3_000)]


def test_a_refused_note_is_a_hint_for_the_person() -> None:
    world = World()
    world.begin(notes=1 << states.NOTE_YUAN.index(20))
    world.go_on()
    hints: list[str] = []
    perform = world.perform
    world.perform = lambda effects: (  # type: ignore[method-assign]
        hints.extend(e.hint for e in effects if isinstance(e, cx.Progress)),
        perform(effects),
    )[1]
    world.do("ten")
    world.go_on()
    assert hints == [cx.HINT_REJECTED]
