"""Whatever the line and the centre do: nothing is settled that the centre has not, and in the end
everything is."""

from hypothesis import example, given, settings
from hypothesis import strategies as st

from edge_agent.core import uplink as ux
from protocol.receipts import HoldReason
from tests.agent.uplink_world import BATCH_RECORDS, World

MORE_THAN_A_WINDOW = BATCH_RECORDS * (ux.WINDOW_BATCHES + 4)

EVENTS = {
    "append": lambda world, n: world.append(1 + n),
    "up": lambda world, n: world.deliver_up(n),
    "down": lambda world, n: world.deliver_down(n),
    "up again": lambda world, n: world.deliver_up(n, keep=True),
    "down again": lambda world, n: world.deliver_down(n, keep=True),
    "up lost": lambda world, n: world.up and world.up.pop(n % len(world.up)),
    "down lost": lambda world, n: world.down and world.down.pop(n % len(world.down)),
    "time": lambda world, n: world.pass_time(n * 100),
    "long time": lambda world, n: world.pass_time(n * 10_000),
    "connect": lambda world, _: world.connect(),
    "disconnect": lambda world, _: world.disconnect(),
    "line full": lambda world, n: setattr(world, "line_takes", n % 2 == 0),
    "restart": lambda world, _: (world.disconnect(), world.start(), world.connect()),
    "backup": lambda world, _: setattr(world.centre, "backup", world.centre.has),
    "restore": lambda world, _: world.centre.restore(),
    "hold": lambda world, n: setattr(world.centre, "holds", HoldReason(1 + n % 4)),
    "no hold": lambda world, _: setattr(world.centre, "holds", None),
}
STEPS = st.lists(
    st.tuples(st.sampled_from(sorted(EVENTS)), st.integers(0, 100)), min_size=15, max_size=60
)
WITHOUT_RESTORE = STEPS.map(lambda steps: [s for s in steps if s[0] != "restore"])


def play(steps: list[tuple[str, int]]) -> World:
    world = World()
    world.connect()
    for name, number in steps:
        EVENTS[name](world, number)
    world.quiet()
    return world


@settings(max_examples=150, deadline=None)
@given(STEPS)
@example(
    [
        ("append", 5),
        ("up", 0),
        ("down", 0),
        ("backup", 0),
        ("append", 30),
        *[("up", 0)] * 5,
        *[("down", 0)] * 5,
        ("restore", 0),
    ]
)
def test_everything_is_settled_once_the_faults_stop(steps: list[tuple[str, int]]) -> None:
    assert play(steps).violations == []


@settings(max_examples=100, deadline=None)
@given(WITHOUT_RESTORE)
def test_nothing_is_settled_that_the_centre_has_not(steps: list[tuple[str, int]]) -> None:
    world = World()
    world.connect()
    for name, number in steps:
        EVENTS[name](world, number)
        assert world.settled <= world.centre.has
    world.quiet()
    assert world.violations == []


def test_silence_is_met_with_ever_longer_waits_up_to_the_limit() -> None:
    world = World()
    world.connect()
    world.append(1)
    waits = []
    for _ in range(12):
        world.up.clear()
        due_ms = world.uplink.deadline_ms()
        waits.append(due_ms - world.now_ms)
        world.pass_time(due_ms - world.now_ms)
    assert waits[0] <= ux.ANSWER_MS * 1.25
    assert max(waits) <= ux.ANSWER_MS_MAX * 1.25
    assert all(wait >= ux.ANSWER_MS_MAX * 0.75 for wait in waits[5:])
    assert len(set(waits[5:])) > 1  # jitter: a city's terminals do not ask in step


def test_the_window_is_full_and_never_fuller() -> None:
    world = World()
    world.connect()
    world.append(MORE_THAN_A_WINDOW)
    assert len(world.up) == ux.WINDOW_BATCHES
    world.append(1)
    assert len(world.up) == ux.WINDOW_BATCHES
    world.deliver_up()
    world.deliver_down()
    assert len(world.up) == ux.WINDOW_BATCHES
    world.quiet()
    assert world.violations == []


def test_after_silence_one_batch_asks_and_a_receipt_opens_the_window_again() -> None:
    world = World()
    world.connect()
    world.append(MORE_THAN_A_WINDOW)
    world.up.clear()
    world.pass_time(world.uplink.deadline_ms() - world.now_ms)
    assert len(world.up) == 1
    world.deliver_up()
    world.deliver_down()
    assert len(world.up) == ux.WINDOW_BATCHES


def test_a_restored_centre_gets_everything_again_although_nothing_new_happens() -> None:
    world = World()
    world.connect()
    world.append(10)
    world.quiet()
    world.centre.backup = 4
    world.centre.restore()
    world.quiet()
    assert world.violations == []
    assert (world.centre.has, world.generation) == (10, 2)


def test_rewinds_are_followed_once_a_second() -> None:
    world = World()
    world.connect()
    world.append(MORE_THAN_A_WINDOW)
    first = world.up.pop(0)
    world.deliver_up()
    assert first.first == 1
    answer = world.down[0]
    world.up.clear()
    world.deliver_down(keep=True)
    assert [batch.first for batch in world.up][:1] == [1]
    world.up.clear()
    world.deliver_down(keep=True)
    assert world.up == []
    world.now_ms += ux.REWIND_MS
    world.deliver_down()
    assert world.up[0].first == 1
    assert answer.seq == 0
