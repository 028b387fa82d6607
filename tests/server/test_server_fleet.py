"""Fleet state: the newest signed snapshot counts, nothing else."""

from protocol.state import WILL_NUMBER, TerminalState, sign_state
from sync_server.core.codes import IntakeCode
from sync_server.core.fleet import take_state
from tests.server.making import NOON_MS, Centre, SimTerminal, spoilt


def snapshot(terminal: SimTerminal, session: int, number: int, **fields: object) -> bytes:
    values = {
        "number": number,
        "online": True,
        "at_ms": NOON_MS - 250,
        "time_quality": 2,
        "first_unsettled_seq": 1,
        "backlog": 0,
        "oldest_age_ms": 0,
    }
    return sign_state(
        terminal.device, terminal.name, session, TerminalState(**{**values, **fields})
    )


def take(centre: Centre, raw: bytes, name: str = "gate-1") -> IntakeCode:
    with centre.store.transaction() as tx:
        return take_state(tx, name, raw, centre.now_ms).code


def order(centre: Centre) -> tuple[int, int] | None:
    with centre.store.transaction() as tx:
        return tx.state_order(1)


def test_newer_snapshots_replace_older_ones(centre: Centre, terminal: SimTerminal) -> None:
    assert take(centre, snapshot(terminal, 5, 1)) is IntakeCode.STATE_ACCEPTED
    assert take(centre, snapshot(terminal, 5, 2)) is IntakeCode.STATE_ACCEPTED
    assert take(centre, snapshot(terminal, 5, 1)) is IntakeCode.STATE_OLDER
    assert take(centre, snapshot(terminal, 4, 9)) is IntakeCode.STATE_OLDER
    assert order(centre) == (5, 2)


def test_a_will_ends_its_session_and_the_next_session_wins(
    centre: Centre, terminal: SimTerminal
) -> None:
    take(centre, snapshot(terminal, 5, 1))
    will = snapshot(terminal, 5, WILL_NUMBER, online=False)
    assert take(centre, will) is IntakeCode.STATE_ACCEPTED
    assert take(centre, snapshot(terminal, 5, 2)) is IntakeCode.STATE_OLDER
    assert take(centre, snapshot(terminal, 6, 0)) is IntakeCode.STATE_ACCEPTED
    assert take(centre, will) is IntakeCode.STATE_OLDER, "a will that comes late changes nothing"


def test_the_clock_offset_stands_beside_the_records(centre: Centre, terminal: SimTerminal) -> None:
    take(centre, snapshot(terminal, 1, 1))
    with centre.store.transaction() as tx:
        assert tx.clock_offset_ms(1) == 250


def test_forged_foreign_and_revoked_states_are_refused(
    centre: Centre, terminal: SimTerminal
) -> None:
    raw = snapshot(terminal, 1, 1)
    assert take(centre, spoilt(raw)) is IntakeCode.REFUSED_BAD_SIGNATURE
    assert take(centre, raw, "gate-9") is IntakeCode.REFUSED_UNKNOWN_TERMINAL
    other = SimTerminal(centre.keys, "gate-2")
    other.device = terminal.device
    centre.enrol(other)
    assert take(centre, raw, "gate-2") is IntakeCode.REFUSED_WRONG_TERMINAL
    centre.enrol(terminal, revoked=True)
    assert take(centre, raw) is IntakeCode.REFUSED_REVOKED
    assert order(centre) is None


def test_after_a_restored_disk_its_lower_session_counts(
    centre: Centre, terminal: SimTerminal
) -> None:
    terminal.visit(3)
    centre.take(terminal.batch(1, 3))
    take(centre, snapshot(terminal, 900, 1))
    twin = terminal.restored(1).visit(1)
    assert take(centre, snapshot(twin, 20, 1)) is IntakeCode.STATE_OLDER
    centre.take(twin.batch(2, 2))
    assert take(centre, snapshot(twin, 21, 1)) is IntakeCode.STATE_ACCEPTED
