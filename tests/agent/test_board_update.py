"""The agent carries a release to the board: at its pace, at the right moment, to one clear end."""

from pathlib import Path

import pytest

from edge_agent.core import board_events as bx
from edge_agent.core import board_update as core
from protocol.wire import states
from protocol.wire import update_states as us
from tests.agent.update_world import UpdateWorld
from tests.firmware.update_app_cases import CashInHand

WINDOW_MS = 50  # the board's credit of 2048 bytes would fit there twice


def test_a_release_is_carried_activated_and_confirmed(tmp_path: Path) -> None:
    world = UpdateWorld(tmp_path)
    offer = world.offer("v8")
    world.update.begin(offer)
    assert world.ended() == (offer.release, us.REASON_NONE)
    assert [(slot.version, slot.state) for slot in world.slots] == [
        (7, us.SLOT_CONFIRMED),
        (8, us.SLOT_TRIAL),
        (8, us.SLOT_CONFIRMED),
    ]
    assert world.lives == 2


def test_while_somebody_is_served_it_takes_a_fifth_of_the_line_and_is_not_activated(
    tmp_path: Path,
) -> None:
    world = UpdateWorld(tmp_path)
    world.idle = False
    world.update.begin(world.offer("v8"))
    world.until(lambda: world.update.stage == core.READY)
    sent = world.data_bytes()
    most = core.LINE_BYTES_S * core.SERVING_SHARE * WINDOW_MS / 1000
    for start, _ in sent:
        within = sum(size for at, size in sent if start <= at < start + WINDOW_MS)
        assert within <= most + 300  # one frame that was due
    first, last = sent[0][0], sent[-1][0]
    assert sum(size for _, size in sent) / (last - first) <= most / WINDOW_MS * 1.1
    for _ in range(20_000):
        world.step()
    assert world.lives == 1
    assert world.update.stage == core.READY


def test_it_is_faster_when_nobody_is_served(tmp_path: Path) -> None:
    def took(idle: bool) -> int:
        (tmp_path / str(idle)).mkdir()
        world = UpdateWorld(tmp_path / str(idle))
        world.idle = idle
        world.until(lambda: bool(world.slots))
        began = world.now
        world.update.begin(world.offer("v8"))
        world.until(lambda: world.update.stage == core.READY)
        return world.now - began

    assert took(True) < took(False)


def test_a_citizens_messages_go_before_it(tmp_path: Path) -> None:
    world = UpdateWorld(tmp_path)
    world.idle = False
    world.update.begin(world.offer("v8"))
    world.until(lambda: world.update.offset > 1000)
    world.session.effects.pulse(5, 100)
    began = world.now
    world.until(lambda: any(isinstance(said, bx.EffectResult) for said in world.events))
    assert world.now - began < 100 + 500
    assert world.update.stage == core.SENDING
    (result,) = [said for said in world.events if isinstance(said, bx.EffectResult)]
    assert result.outcome == states.DONE


def test_activation_waits_for_five_idle_seconds_and_for_the_boards_yes(tmp_path: Path) -> None:
    world = UpdateWorld(tmp_path)
    world.idle = False
    world.update.begin(world.offer("v8"))
    world.until(lambda: world.update.stage == core.READY)
    money = CashInHand()
    world.app.server.cash = money
    world.idle = True
    ready = world.now
    world.until(lambda: world.update.stage == core.ACTIVATING)
    assert world.now - ready >= core.IDLE_MS
    world.until(lambda: world.update.stage == core.READY)
    for _ in range(1000):
        world.step()
    assert world.lives == 1
    money.is_busy = False
    assert world.ended()[1] == us.REASON_NONE
    assert world.now - ready >= core.IDLE_MS + core.AGAIN_MS


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("v6", us.OLDER_VERSION),
        ("of another key", us.BAD_SIGNATURE),
        ("of another board", us.WRONG_BOARD),
        ("climbs", us.BAD_FORM),
    ],
)
def test_a_refusal_ends_it_with_its_reason(tmp_path: Path, name: str, reason: int) -> None:
    world = UpdateWorld(tmp_path)
    offer = world.offer(name)
    world.update.begin(offer)
    assert world.ended() == (offer.release, reason)
    assert world.lives == 1


def test_a_release_that_never_confirms_is_told_when_the_old_one_is_back(tmp_path: Path) -> None:
    world = UpdateWorld(tmp_path)
    offer = world.offer("v8")
    world.update.begin(offer)
    world.until(lambda: world.update.stage == core.TRIAL)
    while world.slots[-1].version != 7:  # the power fails in every life of the trial
        world.boot()
        count = len(world.slots)
        world.until(lambda n=count: len(world.slots) > n)
    assert world.ended() == (offer.release, us.DID_NOT_START)


def test_an_agent_that_restarts_goes_on_and_hears_the_end(tmp_path: Path) -> None:
    world = UpdateWorld(tmp_path)
    offer = world.offer("v8")
    world.update.begin(offer)
    world.until(lambda: world.update.stage == core.TRIAL)
    world.start_agent()
    world.update.begin(world.offer("v8", activated=True))
    assert world.ended() == (offer.release, us.REASON_NONE)


def test_a_lost_link_goes_on_where_it_was(tmp_path: Path) -> None:
    world = UpdateWorld(tmp_path)
    world.idle = False
    offer = world.offer("v8")
    world.update.begin(offer)
    world.until(lambda: world.update.offset >= 4500)
    world.cable = False
    world.until(lambda: world.update.stage == core.WAITING)
    world.cable = True
    world.until(lambda: world.update.stage == core.SENDING)
    assert world.update.offset > 2900
    world.idle = True
    assert world.ended() == (offer.release, us.REASON_NONE)
    carried = sum(size for _, size in world.data_bytes())
    assert carried < offer.stream_bytes * 1.7


def test_a_board_without_slots_ends_it(tmp_path: Path) -> None:
    world = UpdateWorld(tmp_path)
    world.update.begin(world.offer("v8"))
    world.update.link_up({"firmware": "0.1.0"})
    assert world.ends == [(world.offer("v8").release, us.NO_SLOTS)]


def test_the_next_release_waits_until_the_trial_before_is_over(tmp_path: Path) -> None:
    world = UpdateWorld(tmp_path)
    world.update.begin(world.offer("v8"))
    world.until(lambda: world.update.stage == core.TRIAL)
    world.update.begin(world.offer("v9"))
    assert world.ended() == (world.offer("v9").release, us.REASON_NONE)
