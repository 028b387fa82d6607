"""Promise: a record says when it happened and how far that is true, with a dead clock too."""

from hypothesis import given, settings
from hypothesis import strategies as st

from edge_agent.core.clock_quality import (
    FLOOR_STEP_MS,
    SYNC_AGE_MS_MAX,
    SYNC_OFFSET_MS_MAX,
    ClockQuality,
)
from protocol.records import TimeQuality

NOW_MS = 1_764_000_000_000
YEAR_MS = 365 * 24 * 3_600_000


def test_a_clock_that_nobody_confirmed_is_unknown() -> None:
    assert ClockQuality(0).stamp(NOW_MS, 5) == (NOW_MS, TimeQuality.UNKNOWN)


def test_a_clock_before_the_floor_gives_the_floor_carried_on() -> None:
    clock = ClockQuality(NOW_MS)
    assert clock.stamp(0, 1_000) == (NOW_MS + 1_000, TimeQuality.FLOOR)
    assert clock.stamp(0, 9_000) == (NOW_MS + 9_000, TimeQuality.FLOOR)


def test_a_clock_near_the_centres_time_is_synced_and_kept() -> None:
    clock = ClockQuality(0)
    clock.learn(NOW_MS, 10)
    wall_ms = NOW_MS + 500 + SYNC_OFFSET_MS_MAX
    assert clock.stamp(wall_ms, 510) == (wall_ms, TimeQuality.SYNCED)


def test_a_wrong_clock_is_replaced_by_the_centres_time() -> None:
    clock = ClockQuality(0)
    clock.learn(NOW_MS, 10)
    for wrong_ms in (0, NOW_MS - YEAR_MS, NOW_MS + 500 + SYNC_OFFSET_MS_MAX + 1):
        assert clock.stamp(wrong_ms, 510) == (NOW_MS + 500, TimeQuality.SYNCED)


def test_what_the_centre_said_wears_out() -> None:
    clock = ClockQuality(0)
    clock.learn(NOW_MS, 0)
    later_ms = SYNC_AGE_MS_MAX + 1
    assert clock.stamp(NOW_MS + later_ms, later_ms)[1] is TimeQuality.UNKNOWN
    assert clock.stamp(0, later_ms) == (NOW_MS + later_ms, TimeQuality.FLOOR)


def test_a_clock_that_jumped_ahead_does_not_raise_the_floor() -> None:
    clock = ClockQuality(NOW_MS)
    assert clock.stamp(NOW_MS + 15 * YEAR_MS, 1)[1] is TimeQuality.UNKNOWN
    assert clock.floor_ms == NOW_MS
    clock.learn(NOW_MS + 60_000, 2)
    clock.stamp(NOW_MS + 15 * YEAR_MS, 3)
    assert clock.floor_ms < NOW_MS + 61_000


def test_the_floor_is_kept_in_steps() -> None:
    clock = ClockQuality(NOW_MS)
    clock.learn(NOW_MS + FLOOR_STEP_MS - 1, 0)
    assert clock.floor_to_keep() is None
    clock.stamp(NOW_MS + FLOOR_STEP_MS, 1)
    assert clock.floor_to_keep() == NOW_MS + FLOOR_STEP_MS
    assert clock.floor_to_keep() is None


walls = st.integers(0, 2 * NOW_MS)


@settings(max_examples=60, deadline=None)
@given(st.integers(0, NOW_MS), st.lists(st.tuples(walls, st.integers(0, 10**8), st.booleans())))
def test_a_stamp_is_never_before_the_floor_nor_is_the_floor_after_the_truth(
    start_ms: int, steps: list[tuple[int, int, bool]]
) -> None:
    """Whatever the computer's clock does: the floor only rises, and stays before the true time."""
    clock = ClockQuality(start_ms)
    mono_ms, floor_ms = 0, start_ms
    for wall_ms, step_ms, learns in steps:
        mono_ms += step_ms
        true_ms = NOW_MS + mono_ms
        if learns:
            clock.learn(true_ms, mono_ms)
        at_ms, quality = clock.stamp(wall_ms, mono_ms)
        assert clock.floor_ms >= floor_ms
        assert at_ms >= clock.floor_ms - SYNC_OFFSET_MS_MAX
        assert clock.floor_ms <= true_ms
        if quality is TimeQuality.SYNCED:
            assert abs(at_ms - true_ms) <= SYNC_OFFSET_MS_MAX
        floor_ms = clock.floor_ms
