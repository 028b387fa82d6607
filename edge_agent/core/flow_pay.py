"""The phases of a visit that takes cash: what it costs and what happens with too much, then money.

The policy is said and shown before the acceptor opens. While a note is in the machine no time runs;
a note gives the person the full time again. What ends the payment is the cash desk's word alone
(cash): this visit says only that the person wants no more.

| phase | event | next | does |
| --- | --- | --- | --- |
| OFFERING | key 1 | PAYING | Pay |
| OFFERING | key 2, stop, TimeIsUp (over) | next step | Hush |
| OFFERING | acceptor broke | `device_fault` | Hush |
| PAYING | CashMoved, a note in the machine | PAYING | waits for the cash desk, SETTLE_MS at most |
| PAYING | CashMoved, none | PAYING | the full time again; says how it stands |
| PAYING | key 2, stop, TimeIsUp (over) | SETTLING | StopPay |
| PAYING, SETTLING | CashEnded | next step | |
| PAYING, SETTLING | SETTLE_MS over | `unknown` | LeavePay |
"""

from edge_agent.core import cash_events as cx
from edge_agent.core import flow_events as fx
from edge_agent.core import flow_person
from edge_agent.core import screen as sc
from edge_agent.core.flow_patience import Patience
from edge_agent.core.flow_records import business_date, clock_time, fields_of
from edge_agent.core.flow_state import OFFERING, PAYING, SETTLING, Effects, FlowState
from protocol.wire import states

SETTLE_MS = 120_000  # beyond all limits of the cash desk
SESSION_BYTES = 4


def enter_pay(flow: FlowState, resumed: bool, now_ms: int) -> Effects:
    """Say what it costs, and what happens with too much."""
    due_fen = flow.step.due_fen[str(flow.facts[flow.step.fact]) if flow.step.fact else ""]
    flow.facts |= {"due": due_fen, "rest": due_fen, "paid": 0, "doubt": 0}
    if resumed:
        return flow.leave("unknown", now_ms)  # the cash desk has ended what was open
    if states.CASH_ACCEPTOR in flow.faults:
        return flow.leave("device_fault", now_ms)
    flow.phase = OFFERING
    return flow_person.ask(flow, now_ms)


def offering(flow: FlowState, event: fx.Event, now_ms: int) -> Effects:
    """The person reads the policy."""
    if isinstance(event, fx.KeyPressed):
        if event.key == sc.KEY_PAY:
            return [fx.Hush(), *_pay(flow, now_ms)]
        if event.key in (sc.KEY_PAY_NO, sc.KEY_STOP):
            return [fx.Hush(), *flow.leave("stopped", now_ms)]
    if isinstance(event, fx.DeviceChanged) and states.CASH_ACCEPTOR in flow.faults:
        return [fx.Hush(), *flow.leave("device_fault", now_ms)]
    return flow_person.waited(flow, event, now_ms, fx.Hush())


def paying(flow: FlowState, event: fx.Event, now_ms: int) -> Effects:
    """Notes go in."""
    if isinstance(event, fx.CashEnded) and _is_own(flow, event.end.payment):
        return _ended(flow, event.end, now_ms)
    if isinstance(event, fx.CashMoved) and _is_own(flow, event.progress.payment):
        return _moved(flow, event.progress, now_ms)
    if isinstance(event, fx.KeyPressed) and event.key in (sc.KEY_PAY_NO, sc.KEY_STOP):
        return _stop(flow, cx.STOPPED, now_ms)
    if isinstance(event, fx.TimeIsUp):
        if flow.patience is None:
            return _given_up(flow, now_ms)
        if flow.patience.is_last:
            return _stop(flow, cx.TIME_LIMIT, now_ms)
    return flow_person.waited(flow, event, now_ms)


def settling(flow: FlowState, event: fx.Event, now_ms: int) -> Effects:
    """No more is taken; what is in the machine comes to an end."""
    if isinstance(event, fx.CashEnded) and _is_own(flow, event.end.payment):
        return _ended(flow, event.end, now_ms)
    if isinstance(event, fx.CashMoved) and _is_own(flow, event.progress.payment):
        _note(flow, event.progress)
        return []
    return _given_up(flow, now_ms) if isinstance(event, fx.TimeIsUp) else []


def _pay(flow: FlowState, now_ms: int) -> Effects:
    step = flow.step
    order = cx.Order(
        flow.entropy(cx.PAYMENT_BYTES),
        int.from_bytes(flow.entropy(SESSION_BYTES)) or 1,
        flow.definition.service,
        flow.definition.version,
        int(flow.facts["due"]),
        step.notes,
        flow.holder.person if step.person and flow.holder is not None else None,
        fields_of(step, flow.facts) if step.fields is not None else None,
    )
    flow.phase = PAYING
    flow.cash = cx.Progress(order.payment, 0, open=False, busy=False)
    flow.patience = Patience(step.time_limit_ms, now_ms, speaks=False)
    return [fx.Pay(order), fx.Arm(flow.patience.until_ms)]


def _moved(flow: FlowState, progress: cx.Progress, now_ms: int) -> Effects:
    before = flow.cash
    _note(flow, progress)
    if progress.busy or not progress.open:
        flow.patience = None
        return [fx.Arm(now_ms + SETTLE_MS)]
    flow.patience = Patience(flow.step.time_limit_ms, now_ms, speaks=False)
    text = sc.PAY_HINT_TEXTS.get(progress.hint)
    if text is None:
        more = before is not None and progress.paid_fen > before.paid_fen
        opened = before is not None and not before.open and not before.busy
        text = sc.PAY_MORE_TEXT if more else sc.PAY_INSERT_TEXT if opened else None
    said: Effects = []
    if text is not None and states.VOICE not in flow.faults:
        flow.say_no += 1
        said = [fx.Say(flow.say_no, text, dict(flow.facts))]
    return [*said, fx.Arm(flow.patience.until_ms)]


def _note(flow: FlowState, progress: cx.Progress) -> None:
    """What is durable is shown."""
    flow.cash = progress
    paid_fen = progress.paid_fen
    flow.facts |= {"paid": paid_fen, "rest": max(0, int(flow.facts["due"]) - paid_fen)}


def _stop(flow: FlowState, why: str, now_ms: int) -> Effects:
    flow.phase = SETTLING
    flow.patience = None
    return [fx.Hush(), fx.StopPay(_payment(flow), why), fx.Arm(now_ms + SETTLE_MS)]


def _given_up(flow: FlowState, now_ms: int) -> Effects:
    """The cash desk has limits of its own, and kept none of them."""
    left = fx.LeavePay(_payment(flow))
    flow.cash = None
    return [left, *flow.leave("unknown", now_ms)]


def _ended(flow: FlowState, end: cx.Ended, now_ms: int) -> Effects:
    amounts, at_ms = end.amounts, flow.wall_ms()
    flow.patience = flow.cash = None
    flow.facts |= {
        "paid": amounts.paid_fen,
        "rest": max(0, amounts.due_fen - amounts.paid_fen),
        "kept": amounts.kept_fen,
        "refund": amounts.refund_fen,
        "doubt": amounts.doubt_fen,
        "change": "voucher" if end.voucher else "none",
        "voucher": end.voucher,
    }
    if end.seq:
        flow.record_intent = end.intent
        flow.facts |= {"number": end.seq, "date": business_date(at_ms).isoformat()}
        flow.facts["time"] = clock_time(at_ms)
    return flow.leave(end.outcome, now_ms)


def _is_own(flow: FlowState, payment: bytes) -> bool:
    return flow.cash is not None and flow.cash.payment == payment


def _payment(flow: FlowState) -> bytes:
    assert flow.cash is not None  # made with the order
    return flow.cash.payment
