"""A visit that takes cash: the policy first, no time while a note is in the machine, no yes without
`paid`; and definitions that could fail a person who pays are refused."""

import pytest

from edge_agent.core import cash_events as cx
from edge_agent.core import flow_events as fx
from edge_agent.core.flow import Flow
from edge_agent.core.flow_patience import WARNING_MS
from edge_agent.core.flow_pay import SETTLE_MS
from edge_agent.core.flow_pay_form import DUE_FEN_MAX
from edge_agent.core.flow_state import ENDED, OFFERING, PAYING, SETTLING
from edge_agent.core.flow_table import DefinitionError
from edge_agent.core.screen import CHOICE, KEY_STOP, PAY, PAY_CHOICES
from edge_agent.core.screen_maker import ScreenMaker
from edge_agent.core.visitor import Prefs
from protocol.wire import states
from tests.agent.flow_tools import HOLDER, fee, fee_text, load, new_flow, shipped_texts

LIMIT_MS = 60_000


def at_policy(**changes: object) -> Flow:
    """A person who chose a matter of 15 yuan and reads the policy."""
    flow = new_flow(fee(), **changes)
    flow.start(0)
    flow.handle(fx.CardRead(HOLDER), 0)
    flow.handle(fx.CheckDone("card_valid", "valid"), 0)
    flow.handle(fx.KeyPressed("2"), 0)
    return flow


def at_slot(**changes: object) -> tuple[Flow, cx.Order]:
    """The same person, who may put notes in now."""
    flow = at_policy(**changes)
    effects = flow.handle(fx.KeyPressed("1"), 0)
    order = next(effect.order for effect in effects if isinstance(effect, fx.Pay))
    moved(flow, order, 0)
    return flow, order


def moved(
    flow: Flow, order: cx.Order, paid_fen: int, *, busy: bool = False, hint: str = "", now: int = 0
) -> list[fx.Effect]:
    progress = cx.Progress(order.payment, paid_fen, open=True, busy=busy, hint=hint)
    return flow.handle(fx.CashMoved(progress), now)


def ended(order: cx.Order, outcome: str, paid: int, kept: int, voucher: str = "") -> fx.CashEnded:
    amounts = cx.Amounts(order.due_fen, paid, kept, paid - kept)
    return fx.CashEnded(cx.Ended(order.payment, outcome, amounts, voucher, 9, b"i" * 16))


def says(effects: list[fx.Effect]) -> list[str]:
    return [effect.text for effect in effects if isinstance(effect, fx.Say)]


def armed(effects: list[fx.Effect]) -> int:
    return [effect.at_ms for effect in effects if isinstance(effect, fx.Arm)][-1]


def test_the_policy_stands_and_sounds_before_the_slot_opens() -> None:
    flow = at_policy()
    assert flow.phase == OFFERING
    assert flow.facts["due"] == 1_500
    screen = ScreenMaker(fee(), shipped_texts(), Prefs("zh-CN", 10, 4)).draw(flow, 0)
    assert (screen.page, screen.text, len(screen.choices)) == (CHOICE, "fee.policy", 2)
    effects = flow.handle(fx.KeyPressed("1"), 0)
    order = next(effect.order for effect in effects if isinstance(effect, fx.Pay))
    assert (order.due_fen, order.person, order.fields) == (
        *(1_500, HOLDER.person),
        {"matter": "residence"},
    )
    assert order.notes == 0b11110  # 5 to 50 yuan


@pytest.mark.parametrize("key", ["2", KEY_STOP])
def test_who_does_not_agree_puts_nothing_in(key: str) -> None:
    flow = at_policy()
    effects = flow.handle(fx.KeyPressed(key), 0)
    assert not any(isinstance(effect, fx.Pay) for effect in effects)
    assert flow.step_name == "stop_owed"


def test_without_an_acceptor_the_person_hears_it_before_the_policy() -> None:
    flow = at_policy(faults=frozenset({states.CASH_ACCEPTOR}))
    assert flow.step_name == "fault_owed"


def test_each_note_is_said_and_gives_the_full_time_again() -> None:
    flow, order = at_slot()
    effects = moved(flow, order, 1_000, now=5_000)
    assert says(effects) == ["pay.more"]
    assert flow.facts["rest"] == 500
    assert armed(effects) == 5_000 + LIMIT_MS - WARNING_MS


def test_no_time_runs_while_a_note_is_in_the_machine() -> None:
    flow, order = at_slot()
    effects = moved(flow, order, 0, busy=True, now=1_000)
    assert armed(effects) == 1_000 + SETTLE_MS
    assert flow.handle(fx.KeyPressed("3"), 2_000) == []
    screen = ScreenMaker(fee(), shipped_texts(), Prefs("zh-CN", 10, 4)).draw(flow, 0)
    assert (screen.page, screen.text, screen.money is not None) == (PAY, "pay.busy", True)


def test_the_time_limit_stops_the_payment_and_waits_for_its_end() -> None:
    flow, order = at_slot()
    assert says(flow.handle(fx.TimeIsUp(), 40_000)) == ["screen.warning"]
    effects = flow.handle(fx.TimeIsUp(), 60_000)
    assert fx.StopPay(order.payment, cx.TIME_LIMIT) in effects
    assert flow.phase == SETTLING
    flow.handle(ended(order, cx.TIME_LIMIT, 1_000, 0, "VB-001"), 61_000)
    assert flow.step_name == "late_owed"
    assert flow.facts["voucher"] == "VB-001"


def test_a_hint_is_said_and_shown() -> None:
    flow, order = at_slot()
    assert says(moved(flow, order, 0, hint=cx.HINT_REJECTED)) == ["pay.rejected"]
    maker = ScreenMaker(fee(), shipped_texts(), Prefs("zh-CN", 10, 4))
    assert maker.draw(flow, 0).text == "pay.rejected"
    assert maker.draw(flow, 0).choices == PAY_CHOICES
    assert maker.draw(flow, 0, fault="terminal.sorry").text == "pay.gone"


def test_only_the_own_payment_counts() -> None:
    flow, order = at_slot()
    stranger = cx.Ended(bytes(8), cx.PAID, cx.Amounts(1_500, 1_500, 1_500))
    assert flow.handle(fx.CashEnded(stranger), 0) == []
    assert flow.phase == PAYING
    flow.handle(ended(order, cx.PAID, 2_000, 1_500, "VB-001"), 0)
    assert (flow.step_name, flow.facts["number"], flow.facts["change"]) == ("change", 9, "voucher")


def test_a_cash_desk_that_never_answers_leaves_an_honest_visit() -> None:
    flow, order = at_slot()
    flow.handle(fx.KeyPressed(KEY_STOP), 0)
    effects = flow.handle(fx.TimeIsUp(), SETTLE_MS)
    assert fx.LeavePay(order.payment) in effects
    assert says(effects) == ["fee.unknown"]
    assert flow.handle(ended(order, cx.PAID, 2_000, 2_000), SETTLE_MS) == []
    assert flow.phase != ENDED


AMOUNTS = '{ by = "matter", renew = 2000, residence = 1500, temporary = 1000 }'
BAD = [
    ('text = "fee.policy"', 'text = "fee.ask"', "does not say {due}"),
    ("renew = 2000, ", "", "due_fen: renew: is missing"),
    ("renew = 2000", "renew = 2000, other = 5", "matter never is so"),
    ("renew = 2000", "renew = 0", "not within 1 to"),
    ("renew = 2000", f"renew = {DUE_FEN_MAX + 1}", f"not within 1 to {DUE_FEN_MAX}"),
    (
        'by = "matter", renew = 2000, residence = 1500, temporary = 1000',
        'by = "x"',
        "among nothing",
    ),
    ("notes = [5, 10, 20, 50]", "notes = []", "is empty"),
    ("notes = [5, 10, 20, 50]", "notes = [3]", "no note of 3 yuan"),
    ('unknown = "unknown" }', 'unknown = "told" }', "although nobody has paid"),
    ('none = "stopped_by_person"', 'none = "told"', "although nobody has paid"),
    ('text = "fee.owed"\n', 'text = "fee.told"\n', "although nobody has paid"),
    ('slip = "receipt"\n', 'slip = "both"\n', "needs 'voucher'"),
    ('unknown = "unknown" }', 'unknown = "voucher" }', "needs 'number'"),
    ('{ matter = "{matter}" }', '{ matter = "{voucher}" }', "needs 'voucher'"),
]


@pytest.mark.parametrize(("old", "new", "words"), BAD)
def test_a_definition_that_could_fail_who_pays_is_refused(old: str, new: str, words: str) -> None:
    assert old in fee_text()
    with pytest.raises(DefinitionError) as caught:
        load(fee_text().replace(old, new, 1), "fee.toml")
    assert words in str(caught.value)


def test_a_fixed_amount_needs_no_fact() -> None:
    assert load(fee_text().replace(AMOUNTS, "550")).steps["pay"].due_fen == {"": 550}
