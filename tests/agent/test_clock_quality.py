"""What a record says of its time is never more than is known."""

from hypothesis import given, settings
from hypothesis import strategies as st

from edge_agent.core.clock_quality import (
    FLOOR_STEP_MS,
    SYNC_AGE_MS_MAX,
    SYNC_OFFSET_MS_MAX,
    ClockQuality,
)
from protocol.records import TimeQuality

NOON_MS = 1_785_643_200_000


def test_a_clock_that_heard_nobody_is_unknown() -> None:
    assert ClockQuality(0).stamp(NOON_MS, 5) == (NOON_MS, TimeQuality.UNKNOWN)


def test_a_clock_before_the_floor_writes_the_floor() -> None:
    clock = ClockQuality(NOON_MS)
    assert clock.stamp(0, 5) == (NOON_MS, TimeQuality.FLOOR)
    assert clock.stamp(NOON_MS - 1, 5) == (NOON_MS, TimeQuality.FLOOR)


def test_a_clock_near_the_signed_time_is_synced() -> None:
    clock = ClockQuality(0)
    clock.learn(NOON_MS, 1_000)
    for offset in (0, SYNC_OFFSET_MS_MAX):
        at = NOON_MS + 500 + offset
        assert clock.stamp(at, 1_500) == (at, TimeQuality.SYNCED)


def test_a_clock_far_from_the_signed_time_is_unknown_and_lifts_no_floor() -> None:
    clock = ClockQuality(0)
    clock.learn(NOON_MS, 0)
    far = NOON_MS + SYNC_OFFSET_MS_MAX + 1
    assert clock.stamp(far, 0) == (far, TimeQuality.UNKNOWN)
    assert clock.floor_ms == NOON_MS


def test_signed_time_counts_for_a_day_only() -> None:
    clock = ClockQuality(0)
    clock.learn(NOON_MS, 0)
    for age, quality in (
        (SYNC_AGE_MS_MAX, TimeQuality.SYNCED),
        (SYNC_AGE_MS_MAX + 1, TimeQuality.UNKNOWN),
    ):
        assert clock.stamp(NOON_MS + age, age)[1] is quality


def test_an_old_answer_sent_again_changes_nothing() -> None:
    clock = ClockQuality(0)
    clock.learn(NOON_MS, 0)
    clock.learn(NOON_MS - SYNC_OFFSET_MS_MAX - 1, 10)
    assert clock.stamp(NOON_MS + 10, 10) == (NOON_MS + 10, TimeQuality.SYNCED)
    assert clock.stamp(NOON_MS - 2 * SYNC_OFFSET_MS_MAX, 10)[1] is TimeQuality.FLOOR


def test_the_floor_is_kept_when_it_rose_a_step() -> None:
    clock = ClockQuality(NOON_MS)
    clock.learn(NOON_MS + FLOOR_STEP_MS - 1, 0)
    assert clock.floor_to_keep() is None
    clock.learn(NOON_MS + FLOOR_STEP_MS, 0)
    assert clock.floor_to_keep() == NOON_MS + FLOOR_STEP_MS
    assert clock.floor_to_keep() is None


TIMES = st.integers(0, 3 * SYNC_AGE_MS_MAX)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(st.booleans(), TIMES, TIMES), max_size=20))
def test_no_time_is_written_before_the_floor_and_the_floor_never_falls(
    events: list[tuple[bool, int, int]],
) -> None:
    clock, mono_ms = ClockQuality(SYNC_AGE_MS_MAX), 0
    for is_signed, wall_ms, later_ms in events:
        mono_ms += later_ms
        floor_ms = clock.floor_ms
        if is_signed:
            clock.learn(wall_ms, mono_ms)
        else:
            at_ms, quality = clock.stamp(wall_ms, mono_ms)
            assert at_ms >= floor_ms
            assert (quality is TimeQuality.FLOOR) == (wall_ms < floor_ms)
        assert clock.floor_ms >= floor_ms
