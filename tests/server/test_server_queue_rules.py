"""The table of the queue: what may be done with a ticket, and nothing else."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from protocol.records import GROUND_AGE, GROUND_OFFICER
from sync_server.core import queue
from sync_server.core.queue import CALL, MARK_DONE, MARK_NO_SHOW, STATES, QueueError
from sync_server.core.unique import SAME_NUMBER, SAME_PERSON

ACTIONS = (CALL, MARK_NO_SHOW, MARK_DONE)
ALLOWED = {
    ("waiting", CALL): "called",
    ("called", CALL): "called",
    ("called", MARK_NO_SHOW): "no_show",
    ("called", MARK_DONE): "done",
    ("no_show", CALL): "called",
}


@pytest.mark.parametrize("state", STATES)
@pytest.mark.parametrize("action", ACTIONS)
def test_each_state_and_action_is_allowed_or_refused_with_what_is_possible(
    state: str, action: str
) -> None:
    if (state, action) in ALLOWED:
        assert queue.move("B-017", state, action) == ALLOWED[state, action]
        assert action in queue.possible(state)
        return
    with pytest.raises(QueueError, match=f"B-017 is {state}; ") as caught:
        queue.move("B-017", state, action)
    assert caught.value.possible == queue.possible(state)
    assert all(word in str(caught.value) for word in queue.possible(state))


@given(st.lists(st.sampled_from(ACTIONS), max_size=20))
def test_a_ticket_that_was_not_served_can_always_be_called(actions: list[str]) -> None:
    state = "waiting"
    for action in actions:
        if action in queue.possible(state):
            state = queue.move("B-017", state, action)
        assert state == "done" or CALL in queue.possible(state)
    assert queue.possible("done") == ()


def test_a_place_has_its_reasons_in_both_languages() -> None:
    def codes(**said: object) -> list[str]:
        values = {
            "ground": GROUND_AGE,
            "state": "waiting",
            "conflicts": (),
            "held": False,
            "by_arrival": False,
        }
        return [reason.code for reason in queue.reasons(**{**values, **said})]

    assert codes() == ["age"]
    assert codes(ground=GROUND_OFFICER) == ["officer"]
    assert codes(state="no_show") == ["age", "no_show"]
    assert codes(conflicts=[SAME_PERSON, SAME_NUMBER]) == ["age", SAME_NUMBER, SAME_PERSON]
    assert codes(held=True, by_arrival=True) == ["age", "held", "by_arrival"]
    for reason in queue.REASONS.values():
        assert reason.en.isascii()
        assert not reason.zh.isascii()
