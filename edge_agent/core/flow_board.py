"""The phases of a visit that move something: slip and gate, at most once an effect id."""

from edge_agent.core import flow_events as fx
from edge_agent.core.flow_state import ACTING, NOTING, QUERYING, SAVING, Effects, FlowState
from protocol.records.kinds import (
    OUTCOME_NOT_PRINTED,
    OUTCOME_PRINTED,
    OUTCOME_UNKNOWN,
    PrintOutcome,
)
from protocol.wire import states

NOTE_LIMIT_MS = 10_000

_DEVICES = {"print": states.PRINTER, "open_gate": states.GATE}
_DONE = {"print": "printed", "open_gate": "opened"}
_NOT_DONE = {"print": "not_printed", "open_gate": "not_opened"}
_NUMBERS = {"printed": OUTCOME_PRINTED, "unknown": OUTCOME_UNKNOWN}


def enter_board(flow: FlowState, resumed: bool, now_ms: int) -> Effects:
    """A step that needs an effect: make its id durable, then send it."""
    step = flow.step
    timed: Effects = [fx.Arm(now_ms + step.time_limit_ms)]
    if resumed:
        flow.phase = QUERYING
        return [fx.QueryEffect(flow.durable_effect), *timed]
    saved = flow.durable_step == step.name
    if _DEVICES[step.do] in flow.faults:
        flow.durable_effect = flow.durable_effect if saved else flow.effect_id()
        return _ended(flow, "device_fault", now_ms)
    if saved:
        return _act(flow, now_ms)
    flow.phase = SAVING
    return [*flow.append(fx.Append(flow.intent("save")), step.name), *timed]


def saving(flow: FlowState, event: fx.Event, now_ms: int) -> Effects:
    """The effect's id on its way to the disk."""
    if flow.is_appended(event):
        return _act(flow, now_ms)
    if flow.gave_up(event):
        return _ended(flow, _NOT_DONE[flow.step.do], now_ms)
    return []


def acting(flow: FlowState, event: fx.Event, now_ms: int) -> Effects:
    """The board has the effect."""
    if isinstance(event, fx.EffectDone) and event.effect_id == flow.durable_effect:
        return _ended(flow, _word(flow.step.do, event.outcome), now_ms)
    if isinstance(event, fx.TimeIsUp):
        return [fx.Abandon(flow.durable_effect), *_ended(flow, "unknown", now_ms)]
    return []


def querying(flow: FlowState, event: fx.Event, now_ms: int) -> Effects:
    """The board is asked for an effect of an earlier life."""
    if isinstance(event, fx.EffectDone) and event.effect_id == flow.durable_effect:
        never_seen = event.outcome == states.NEVER_SEEN
        if never_seen and not flow.quiet:
            return _act(flow, now_ms)
    return acting(flow, event, now_ms)


def noting(flow: FlowState, event: fx.Event, now_ms: int) -> Effects:
    """What became of the print is on its way to the disk."""
    if flow.is_appended(event) or flow.gave_up(event):
        return flow.leave(flow.outcome, now_ms)
    return []


def _act(flow: FlowState, now_ms: int) -> Effects:
    """Send the effect whose id is durable."""
    step = flow.step
    flow.phase = ACTING
    timed = fx.Arm(now_ms + step.time_limit_ms)
    if step.do == "print":
        return [fx.Print(flow.durable_effect, step.slip, dict(flow.facts)), timed]
    return [fx.Pulse(flow.durable_effect, step.pulse_ms), timed]


def _ended(flow: FlowState, outcome: str, now_ms: int) -> Effects:
    if flow.step.do != "print":
        return flow.leave(outcome, now_ms)
    flow.phase = NOTING
    flow.outcome = outcome
    number = _NUMBERS.get(outcome, OUTCOME_NOT_PRINTED)
    body = PrintOutcome(flow.durable_effect, number, int(flow.facts["number"]))
    append = fx.Append(flow.intent("outcome"), (body,), flow.wall_ms())
    target = "" if flow.quiet else flow.step.next[outcome]
    return [*flow.append(append, target), fx.Arm(now_ms + NOTE_LIMIT_MS)]


def _word(do: str, outcome: int) -> str:
    if outcome == states.DONE:
        return _DONE[do]
    never = outcome in (states.NOT_DONE, states.NEVER_SEEN)
    return _NOT_DONE[do] if never else "unknown"
